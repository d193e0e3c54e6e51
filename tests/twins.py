"""The losses of fusedloss in plain NumPy: the twins.

Each loss has two forms, both with mean reduction: ``<name>`` returns the value and
``<name>_and_grad`` returns the value and its gradient with respect to ``input``.

This is what a competent NumPy user would write: stable, vectorised, with the work shared
between value and gradient and the work done in the floating type of ``input``. Tests compare
with it, benchmarks and the demo race against it, so it is kept plain, and it is kept fair.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_and_grad",
    "cross_entropy",
    "cross_entropy_and_grad",
    "huber_loss",
    "huber_loss_and_grad",
    "l1_loss",
    "l1_loss_and_grad",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "mse_loss",
    "mse_loss_and_grad",
    "sigmoid",
    "softmax",
]

FloatArray: TypeAlias = NDArray[np.floating[Any]]
IntArray: TypeAlias = NDArray[np.integer[Any]]
Scalar: TypeAlias = np.floating[Any]


# --- regression ---------------------------------------------------------------------------


def mse_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``(input - target) ** 2``."""
    difference = input - target
    return np.mean(np.square(difference, out=difference))


def mse_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `mse_loss`."""
    difference = input - target
    value = np.mean(np.square(difference))
    difference *= 2 / difference.size
    return value, difference


def l1_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``|input - target|``."""
    difference = input - target
    return np.mean(np.abs(difference, out=difference))


def l1_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `l1_loss`; the gradient is 0 where input and target are equal."""
    difference = input - target
    value = np.mean(np.abs(difference))
    grad = np.sign(difference)  # several times faster than in place
    grad /= grad.size
    return value, grad


def huber_loss(input: FloatArray, target: FloatArray, delta: float = 1.0) -> Scalar:
    """Mean of ``d**2 / 2`` where ``|d| <= delta``, else ``delta * (|d| - delta / 2)``."""
    value, _ = _huber_value_and_clipped(input, target, delta)
    return value


def huber_loss_and_grad(
    input: FloatArray, target: FloatArray, delta: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `huber_loss`."""
    value, grad = _huber_value_and_clipped(input, target, delta)
    grad /= grad.size
    return value, grad


def _huber_value_and_clipped(
    input: FloatArray, target: FloatArray, delta: float
) -> tuple[Scalar, FloatArray]:
    """Value of `huber_loss`, and the differences clipped to ``[-delta, delta]``."""
    difference = input - target
    clipped = np.clip(difference, -delta, delta)
    # c * (d - c / 2) is d**2 / 2 where d == c, and delta * (|d| - delta / 2) outside.
    difference -= 0.5 * clipped
    difference *= clipped
    return np.mean(difference), clipped


# --- classification -----------------------------------------------------------------------


def binary_cross_entropy_with_logits(
    input: FloatArray, target: FloatArray, pos_weight: FloatArray | float | None = None
) -> Scalar:
    """Mean of ``-(pos_weight * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``."""
    softplus = np.log1p(np.exp(-np.abs(input)))  # log(1 + exp(-|x|)) cannot overflow
    return np.mean(_binary_losses(input, target, softplus, pos_weight))


def binary_cross_entropy_with_logits_and_grad(
    input: FloatArray, target: FloatArray, pos_weight: FloatArray | float | None = None
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `binary_cross_entropy_with_logits`."""
    exp = np.exp(-np.abs(input))
    value = np.mean(_binary_losses(input, target, np.log1p(exp), pos_weight))
    grad = np.maximum(exp, input >= 0)  # the numerator of sigmoid(x): 1, or exp(x) below 0
    exp += 1
    grad /= exp
    if pos_weight is not None:
        grad *= 1 + (pos_weight - 1) * target
        grad -= pos_weight * target
    else:
        grad -= target
    grad /= grad.size
    return value, grad


def _binary_losses(
    input: FloatArray,
    target: FloatArray,
    softplus: FloatArray,
    pos_weight: FloatArray | float | None,
) -> FloatArray:
    """The losses of the elements; ``softplus`` is ``log(1 + exp(-|input|))``, overwritten."""
    if pos_weight is None:
        softplus += np.maximum(input, 0)
        softplus -= input * target
        return softplus
    softplus += np.maximum(-input, 0)
    softplus *= 1 + (pos_weight - 1) * target
    softplus += (1 - target) * input
    return softplus


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


# --- the functions behind them ------------------------------------------------------------


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


def sigmoid(x: FloatArray) -> FloatArray:
    """``1 / (1 + exp(-x))`` without overflow."""
    exp = np.exp(-np.abs(x))
    result: FloatArray = np.maximum(exp, x >= 0)  # 1 where x >= 0, else exp(x)
    result /= 1 + exp
    return result


def logsigmoid(x: FloatArray) -> FloatArray:
    """``log(sigmoid(x))`` without overflow or cancellation."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))
