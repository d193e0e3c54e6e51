"""Losses of an order, and of pairs of elements."""

from __future__ import annotations

__all__: list[str] = []
