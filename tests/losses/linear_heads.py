"""Losses of a linear layer's outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, Scalar, mp, softplus
from tests.losses.contrastive import cross_entropy, dot

JOINT: list[Joint] = []
CLASSES, DIM = 11, 24


# ---- exact values --------------------------------------------------------------------------------
#
# A logit has the size of its products; a slope is as uncertain as the logit that it is made of.


def carried_back(
    x: Any, w: Any, slopes: list[list[Pair]], *, bias: bool
) -> tuple[dict[str, list[Pair]], dict[str, list[Pair]]]:
    """The gradients of the layer's operands, of the slopes of each row's logits."""
    zero = mp.mpf(0)
    dx = [[(zero, zero)] * len(row) for row in x]
    dw = [[(zero, zero)] * len(row) for row in w]
    db = [(zero, zero)] * len(w)

    def add(to: list[Pair], k: int, a: Any, size: Any) -> None:
        to[k] = to[k][0] + a, to[k][1] + size

    for i, row in enumerate(slopes):
        for c, (slope, size) in enumerate(row):
            add(db, c, slope, size)
            for d in range(len(x[i])):
                add(dx[i], d, slope * w[c][d], size * abs(w[c][d]))
                add(dw[c], d, slope * x[i][d], size * abs(x[i][d]))
    grads = {
        "input": [pair for row in dx for pair in row],
        "linear_weight": [pair for row in dw for pair in row],
    }
    return (grads | {"linear_bias": db} if bias else grads), {}


def logits_of(numbers: dict[str, Any]) -> list[list[Pair]]:
    w, b = numbers["linear_weight"], numbers.get("linear_bias")
    rows = []
    for x in numbers["input"]:
        row = [dot(x, v) for v in w]
        if b is not None:
            row = [(s + a, size + abs(a)) for (s, size), a in zip(row, b, strict=True)]
        rows.append(row)
    return rows


def cross_entropy_head(numbers: dict[str, Any]) -> Any:
    values, slopes = [], []
    for row, y in zip(logits_of(numbers), numbers["target"], strict=True):
        value, slope = cross_entropy(row, [int(c == y) for c in range(len(row))])
        values.append(value)
        slopes.append(slope)
    bias = "linear_bias" in numbers
    return values, *carried_back(numbers["input"], numbers["linear_weight"], slopes, bias=bias)


def bce_head(numbers: dict[str, Any]) -> Any:
    values, slopes = [], []
    for row, ts in zip(logits_of(numbers), numbers["target"], strict=True):
        slopes.append([])
        for (x, size), t in zip(row, ts, strict=True):
            p, q = 1 / (1 + mp.exp(-x)), 1 / (1 + mp.exp(x))
            value = t * softplus(-x) + (1 - t) * softplus(x)
            values.append((value, max(value, size)))
            slopes[-1].append(((1 - t) * p - t * q, max((1 - t) * p, t * q) + min(p, q) * size))
    bias = "linear_bias" in numbers
    return values, *carried_back(numbers["input"], numbers["linear_weight"], slopes, bias=bias)


# ---- NumPy twins ---------------------------------------------------------------------------------


def _logits(x: FloatArray, w: FloatArray, b: FloatArray | None) -> FloatArray:
    return x @ w.T if b is None else x @ w.T + b


def _grads(
    x: FloatArray, w: FloatArray, b: FloatArray | None, slopes: FloatArray
) -> tuple[FloatArray, ...]:
    grads = slopes @ w, slopes.T @ x
    return grads if b is None else (*grads, slopes.sum(axis=0))


def _log_softmax(s: FloatArray) -> FloatArray:
    s = s - s.max(axis=1, keepdims=True)
    return s - np.log(np.exp(s).sum(axis=1, keepdims=True))


def linear_cross_entropy(
    input: FloatArray, linear_weight: FloatArray, target: Any, linear_bias: FloatArray | None = None
) -> Scalar:
    """Mean of the cross entropy of the logits."""
    logs = _log_softmax(_logits(input, linear_weight, linear_bias))
    return -np.mean(logs[np.arange(len(target)), target])


def linear_cross_entropy_and_grad(
    input: FloatArray, linear_weight: FloatArray, target: Any, linear_bias: FloatArray | None = None
) -> tuple[Scalar, tuple[FloatArray, ...]]:
    """Value and gradients of `linear_cross_entropy`."""
    logs = _log_softmax(_logits(input, linear_weight, linear_bias))
    own = np.arange(len(target)), target
    slopes = np.exp(logs)
    slopes[own] -= 1
    slopes /= slopes.dtype.type(len(target))
    return -np.mean(logs[own]), _grads(input, linear_weight, linear_bias, slopes)


def linear_binary_cross_entropy_with_logits(
    input: FloatArray,
    linear_weight: FloatArray,
    target: FloatArray,
    linear_bias: FloatArray | None = None,
) -> Scalar:
    """Mean of ``max(x, 0) - x t + log1p(exp(-|x|))`` of the logits."""
    x = _logits(input, linear_weight, linear_bias)
    return np.mean(np.maximum(x, 0) - x * target + np.log1p(np.exp(-np.abs(x))))


def linear_binary_cross_entropy_with_logits_and_grad(
    input: FloatArray,
    linear_weight: FloatArray,
    target: FloatArray,
    linear_bias: FloatArray | None = None,
) -> tuple[Scalar, tuple[FloatArray, ...]]:
    """Value and gradients of `linear_binary_cross_entropy_with_logits`."""
    x = _logits(input, linear_weight, linear_bias)
    e = np.exp(-np.abs(x))
    value = np.mean(np.maximum(x, 0) - x * target + np.log1p(e))
    slopes = (np.where(x > 0, 1, e) / (1 + e) - target) / x.dtype.type(x.size)
    return value, _grads(input, linear_weight, linear_bias, slopes)


# ---- rows ----------------------------------------------------------------------------------------


def _layer(labels: bool, bias: bool) -> Any:
    def inputs(rng: Generator, n: int, dtype: Any) -> Arrays:
        arrays: Arrays = {
            "input": rng.normal(size=(n, DIM)).astype(dtype),
            "linear_weight": rng.normal(size=(CLASSES, DIM)).astype(dtype),
        }
        if labels:
            arrays["target"] = rng.integers(0, CLASSES, n)
        else:
            arrays["target"] = rng.uniform(size=(n, CLASSES)).astype(dtype)
        if bias:
            arrays["linear_bias"] = rng.normal(size=CLASSES).astype(dtype)
        return arrays

    return inputs


def _hard(labels: bool, bias: bool) -> Any:
    """Rows of length 0, all but certain ones, and logits far from 0."""

    def hard(rng: Generator, dtype: Any) -> Arrays:
        arrays = _layer(labels, bias)(rng, 8, dtype)
        w = np.zeros((CLASSES, DIM))
        w[:, :CLASSES] = np.eye(CLASSES)
        x = np.zeros((8, DIM))
        x[1, 3], x[2, 3], x[3, :CLASSES], x[4, 0] = 17, -40, 100, 1e4
        x[5:] = rng.normal(size=(3, DIM)) * [[1e-3], [8], [64]]
        arrays["input"], arrays["linear_weight"] = x.astype(dtype), w.astype(dtype)
        if labels:
            arrays["target"] = np.array([0, 3, 3, 5, 0, 1, 2, 10])
        else:
            arrays["target"] = np.round(arrays["target"] * 2) / 2
        return arrays

    return hard


for bias in (False, True):
    leaves = ("input", "linear_weight") + (("linear_bias",) if bias else ())
    JOINT.append(
        Joint(
            "linear_cross_entropy",
            ("input", "linear_weight", "target"),
            leaves,
            _layer(True, bias),
            _hard(True, bias),
            cross_entropy_head,
            curved=False,
            weighted=False,
            labels=("target",),
            lean=False,
            kind="bias" if bias else "",
        )
    )
    JOINT.append(
        Joint(
            "linear_binary_cross_entropy_with_logits",
            ("input", "linear_weight", "target"),
            leaves,
            _layer(False, bias),
            _hard(False, bias),
            bce_head,
            curved=False,
            lean=False,
            kind="bias" if bias else "",
        )
    )
