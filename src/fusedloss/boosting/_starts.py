"""The best constant score: where the slope of the sum of a loss is 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusedloss._core.types import Array

#: The least share of a class, and of what is not.
_LEAST = 1e-15


def log_shares(counts: Array) -> Array:
    """Logarithms of the shares of classes."""
    result: Array = np.log(np.maximum(counts / counts.sum(), _LEAST))
    return result


def logits(part: Any, of: Any) -> Array:
    """Logits of shares; where nothing is shared, 0."""
    with np.errstate(invalid="ignore"):
        share = np.where(of > 0, part / of, 0.5)
    share = np.clip(share, _LEAST, 1 - _LEAST)
    result: Array = np.log(share) - np.log1p(-share)
    return result


def above(counts: Array) -> Array:
    """The logits of reaching each grade but the lowest."""
    reached = counts[::-1].cumsum()[::-1]
    return logits(reached[1:], reached[0])


def above_if_reached(counts: Array) -> Array:
    """The logits of reaching each grade for what has reached the one before."""
    reached = counts[::-1].cumsum()[::-1]
    return logits(reached[1:], reached[:-1])


def hazards(seen: Array, censored: Array) -> Array:
    """The logits of the hazards of steps, of the rows that end in them."""
    at_risk = (seen + censored)[::-1].cumsum()[::-1]
    return logits(seen, at_risk)


def cut(x: float, least: float) -> float:
    """x, or 0 if it is next to nothing."""
    return 0.0 if abs(x) <= least else x


def root(slope: Callable[[float], float], low: float, high: float, name: str) -> float:
    """Where a slope changes its sign, by bisection; the middle of where it is 0, or the end of that
    which is not at infinity."""
    step = max(1.0, high - low)
    for _ in range(60):
        if slope(low) < 0:
            break
        low, step = low - step, 3 * step
    step = max(1.0, high - low)
    for _ in range(60):
        if slope(high) > 0:
            break
        high, step = high + step, 3 * step
    rises, falls = slope(high) > 0, slope(low) < 0
    if slope(high) < 0 or slope(low) > 0:
        raise ValueError(f"y: for these labels no finite constant has the least {name}")
    left = _edge(lambda score: slope(score) < 0, low, high)[1] if falls else 0.0
    right = _edge(lambda score: slope(score) <= 0, low, high)[0] if rises else 0.0
    return left + (right - left) / 2 if falls and rises else left + right


def _edge(below: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Two neighbours, between which a condition ends that is true on the left."""
    for _ in range(200):
        middle = low + (high - low) / 2
        if middle in (low, high):
            break
        if below(middle):
            low = middle
        else:
            high = middle
    return low, high
