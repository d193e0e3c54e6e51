"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

from tests.losses.case import Elementwise, Joint, Rows

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []
