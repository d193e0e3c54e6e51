"""Losses that compare each vector with all others of a batch."""

from __future__ import annotations

from tests.losses.case import Joint

JOINT: list[Joint] = []
