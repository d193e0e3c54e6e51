"""The activations: softmax and its relations over an axis, and sigmoid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.losses import case
from tests.losses.case import ElementwiseActivation, FloatArray, Pair, exactly, mp

# ---- over an axis --------------------------------------------------------------------------


def exponentials(x: Sequence[Any]) -> tuple[Any, list[Any], Any]:
    """The maximum m, exp(x_j - m), and their sum but for one maximum."""
    m = max(x)
    e = [mp.exp(xi - m) for xi in x]
    k = e.index(1)
    return m, e, mp.fsum(e[:k] + e[k + 1 :])


def row_activation_truth(name: str, x: Sequence[Any]) -> list[Pair]:
    """softmax or log_softmax of a row, or its logsumexp alone."""
    m, e, rest = exponentials(x)
    if name == "softmax":
        return [exactly(ei / (1 + rest)) for ei in e]
    if name == "log_softmax":
        return [exactly((xi - m) - mp.log1p(rest)) for xi in x]
    return [(m + mp.log1p(rest), abs(m) + mp.log1p(rest))]


def softmax(x: FloatArray, axis: int = -1) -> FloatArray:
    """``exp(x) / sum(exp(x))`` along ``axis``."""
    result: FloatArray = x - x.max(axis=axis, keepdims=True)
    np.exp(result, out=result)
    result /= result.sum(axis=axis, keepdims=True)
    return result


def log_softmax(x: FloatArray, axis: int = -1) -> FloatArray:
    """``log(softmax(x))`` along ``axis``."""
    result: FloatArray = x - x.max(axis=axis, keepdims=True)
    result -= np.log(np.exp(result).sum(axis=axis, keepdims=True))
    return result


def logsumexp(x: FloatArray, axis: int = -1) -> FloatArray:
    """``log(sum(exp(x)))`` along ``axis``, which is removed."""
    largest = x.max(axis=axis, keepdims=True)
    shifted = x - largest
    result: FloatArray = np.log(np.exp(shifted, out=shifted).sum(axis=axis))
    result += largest.squeeze(axis=axis)
    return result


ROW_ACTIVATIONS = ["softmax", "log_softmax", "logsumexp"]


# ---- of single elements --------------------------------------------------------------------


def sigmoid(x: FloatArray) -> FloatArray:
    """``1 / (1 + exp(-x))`` without overflow."""
    exp = np.exp(-np.abs(x))
    result: FloatArray = np.maximum(exp, x >= 0)  # 1 where x >= 0, else exp(x)
    result /= 1 + exp
    return result


def logsigmoid(x: FloatArray) -> FloatArray:
    """``log(sigmoid(x))`` without overflow or cancellation."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


ACTIVATIONS = [
    ElementwiseActivation(
        "sigmoid",
        lambda x: (exactly(case.sigmoid(x)), exactly(case.sigmoid(x) * case.sigmoid(-x))),
    ),
    ElementwiseActivation(
        "logsigmoid", lambda x: (exactly(-case.softplus(-x)), exactly(case.sigmoid(-x)))
    ),
]
