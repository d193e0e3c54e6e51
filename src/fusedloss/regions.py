"""Losses between regions of images."""

from __future__ import annotations

__all__: list[str] = []
