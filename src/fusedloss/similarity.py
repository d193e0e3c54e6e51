"""Losses between vectors: similarity, distance, triplets."""

from __future__ import annotations

__all__: list[str] = []
