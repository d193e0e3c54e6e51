"""Losses between regions of images."""

from __future__ import annotations

from tests.losses.case import Joint

JOINT: list[Joint] = []
