"""Losses of an order, and of pairs of elements."""

from __future__ import annotations

from tests.losses.case import Joint

JOINT: list[Joint] = []
