"""Losses between boxes."""

from __future__ import annotations

from tests.losses.case import Joint

JOINT: list[Joint] = []
