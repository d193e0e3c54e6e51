"""Losses of grades that have an order."""

from __future__ import annotations

from tests.losses.case import Elementwise, Joint, Rows

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []
