"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

__all__: list[str] = []
