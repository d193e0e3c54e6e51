"""Negative log-likelihoods of counts and of proportions."""

from __future__ import annotations

__all__: list[str] = []
