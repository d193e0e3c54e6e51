"""Negative log-likelihoods of counts and of proportions."""

from __future__ import annotations

from tests.losses.case import Elementwise, Joint, Rows

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []
