"""Losses over a class axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.activations import exponentials
from tests.losses.case import FloatArray, Pair, Rows, Scalar, exactly, mp

IntArray = NDArray[np.integer[Any]]


def row_truth(
    case: Rows, x: Sequence[Any], target: Any, w: Sequence[Any]
) -> tuple[Pair, list[Pair], list[Pair]]:
    """One row. With τ the weighted target: Σ τ_j (lse - x_j), p Σ τ - τ, Σ τ p (1 - p)."""
    classes = len(x)
    one = [mp.mpf(0)] * classes
    if case.loss == "nll_loss":
        one[target] = -w[target]
        return (
            exactly(-w[target] * x[target]),
            [exactly(g) for g in one],
            [exactly(mp.mpf(0))] * classes,
        )
    smoothing = mp.mpf(case.options.get("label_smoothing", 0))
    if case.target == "class":
        t = [mp.mpf(j == target) for j in range(classes)]
    else:
        t = [mp.mpf(p) for p in target]
    mixed = case.target == "class" and smoothing
    tau = [(1 - smoothing) * t[j] + smoothing / classes for j in range(classes)]
    if mixed:  # w_y for the class, w_c for the even part
        tau = [((1 - smoothing) * t[j] + smoothing / classes) * w[j] for j in range(classes)]
    else:
        tau = [tau[j] * w[j] for j in range(classes)]
    m, e, rest = exponentials(x)
    total, sigma = 1 + rest, mp.fsum(tau)
    lse = [m - xj + mp.log1p(rest) for xj in x]  # less x_j
    value = mp.fsum(a * b for a, b in zip(tau, lse, strict=True) if a != 0)
    gradient, hessian = [], []
    for j in range(classes):
        p = e[j] / total
        q = (rest if e[j] == 1 else total - e[j]) / total
        others = sigma - tau[j]
        gradient.append((p * others - tau[j] * q, p * sigma + tau[j] * q if others else tau[j] * q))
        hessian.append(exactly(sigma * p * q))
    return exactly(value), gradient, hessian


# ---- cross_entropy -------------------------------------------------------------------------


def cross_entropy(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``-log_softmax(input)[n, target[n]]`` for logits (N, C) and class numbers (N,)."""
    shifted = input - input.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(target)), target]
    losses: FloatArray = np.log(np.exp(shifted, out=shifted).sum(axis=1)) - picked
    return np.mean(losses)


def cross_entropy_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `cross_entropy`."""
    count = len(target)
    rows = np.arange(count)
    shifted = input - input.max(axis=1, keepdims=True)
    picked = shifted[rows, target]
    exp = np.exp(shifted, out=shifted)
    sums = exp.sum(axis=1, keepdims=True)
    value = np.mean(np.log(sums[:, 0]) - picked)
    # (softmax - one_hot) / count, in place
    exp /= sums * count
    exp[rows, target] -= 1 / count
    return value, exp


# ---- nll_loss ------------------------------------------------------------------------------


def nll_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``-input[n, target[n]]``."""
    return -np.mean(input[np.arange(len(target)), target])


def nll_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `nll_loss`."""
    rows = np.arange(len(target))
    grad = np.zeros_like(input)
    grad[rows, target] = -1 / len(target)
    return -np.mean(input[rows, target]), grad


ROWS = [
    Rows("cross_entropy", "class"),
    Rows("cross_entropy", "class", weighted=True),
    Rows("cross_entropy", "class", {"label_smoothing": 0.1}),
    Rows("cross_entropy", "class", {"label_smoothing": 0.25}, weighted=True),
    Rows("cross_entropy", "probability"),
    Rows("cross_entropy", "probability", {"label_smoothing": 0.1}, weighted=True),
    Rows("nll_loss", "class"),
    Rows("nll_loss", "class", weighted=True),
]
