"""Negative log-likelihoods of distributions of two parameters."""

from __future__ import annotations

from tests.losses.case import Elementwise, Joint, Rows

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []
