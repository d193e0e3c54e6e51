"""Losses between vectors: similarity, distance, triplets."""

from __future__ import annotations

from tests.losses.case import Joint

JOINT: list[Joint] = []
