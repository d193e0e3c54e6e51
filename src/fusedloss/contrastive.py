"""Losses that compare each vector with all others of a batch."""

from __future__ import annotations

__all__: list[str] = []
