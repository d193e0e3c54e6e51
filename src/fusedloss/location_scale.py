"""Negative log-likelihoods of distributions of two parameters."""

from __future__ import annotations

__all__: list[str] = []
