"""Losses of grades that have an order."""

from __future__ import annotations

__all__: list[str] = []
