"""Losses over a class axis that compare scores by margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.binary import bce_with_logits
from tests.losses.case import (
    ANYTHING,
    FloatArray,
    Pair,
    RowPairs,
    Rows,
    Scalar,
    exactly,
    jump,
    mp,
)

IntArray = NDArray[np.integer[Any]]
Numbers = Sequence[Any]
ROWS: list[Rows] = []


# ---- what margins share --------------------------------------------------------------------


def is_near(z: Any, size: Any) -> bool:
    """Whether a difference of terms of this size may be rounded to 0, or past it."""
    return bool(z != 0 and abs(z) <= size * mp.mpf(2) ** -22)


def margin_of(x_y: Any, x_j: Any, margin: Any) -> tuple[Any, Any, bool]:
    """(margin - x_y) + x_j, its size, and whether it may be on the other side of 0."""
    z, size = margin - x_y + x_j, abs(margin) + abs(x_y) + abs(x_j)
    return z, size, is_near(z, size)


def total(pairs: Sequence[Pair], factor: Any = 1) -> Pair:
    """The sum of results, with their sizes."""
    return (
        factor * mp.fsum(x for x, _ in pairs),
        abs(factor) * mp.fsum(abs(size) for _, size in pairs),
    )


def zeros(count: int) -> list[Pair]:
    return [exactly(mp.mpf(0))] * count


# ---- multi_margin_loss ---------------------------------------------------------------------


def multi_margin(x: Numbers, target: int, w: Numbers, p: int = 1, margin: Any = 1) -> RowPairs:
    factor, none = w[target] / len(x), exactly(mp.mpf(0))
    value, gradient, hessian = [none], zeros(len(x)), zeros(len(x))
    for j, x_j in enumerate(x):
        if j == target:
            continue
        z, size, near = margin_of(x[target], x_j, mp.mpf(margin))
        if z <= 0 and not near:
            continue
        active, z = mp.mpf(z > 0), max(z, mp.mpf(0))
        if p == 1:
            value.append((z, size))
            gradient[j] = jump(factor * active, near)
        else:
            value.append((z * z, z * size + (size * mp.mpf(2) ** -20) ** 2))
            gradient[j] = 2 * factor * z, 2 * factor * size
            hessian[j] = jump(2 * factor * active, near)
    gradient[target] = total(gradient, -1)
    hessian[target] = total(hessian)
    return total(value, factor), gradient, hessian


def _shortfalls(input: FloatArray, target: IntArray) -> FloatArray:
    """``max(0, 1 - input[n, target[n]] + input[n, j])``, and 0 for the target itself."""
    rows = np.arange(len(target))
    short = input + (1 - input[rows, target])[:, None]
    np.maximum(short, 0, out=short)
    short[rows, target] = 0
    return short


def multi_margin_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over rows of ``sum_j max(0, 1 - x[y] + x[j]) / C`` over all j but y."""
    return np.mean(_shortfalls(input, target))


def multi_margin_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `multi_margin_loss`."""
    short = _shortfalls(input, target)
    value = np.mean(short)
    grad = (short > 0).astype(input.dtype)
    grad[np.arange(len(target)), target] = -grad.sum(axis=1)
    grad /= grad.size
    return value, grad


ROWS += [
    Rows(
        "multi_margin_loss",
        multi_margin,
        options=options,
        weighted=weighted,
        ignores=False,
        mean_by_weight=False,
        smooth=False,
    )
    for options, weighted in (
        ({}, False),
        ({}, True),
        ({"p": 2}, False),
        ({"p": 2, "margin": 0.5}, True),
        ({"margin": 0.0}, False),
    )
]


# ---- multilabel_margin_loss ----------------------------------------------------------------


def multilabel_margin(x: Numbers, target: Sequence[int], w: Numbers) -> RowPairs:
    classes = len(x)
    listed = list(target[: list(target).index(-1)] if -1 in target else target)
    others = sorted(set(range(classes)) - set(listed))
    value = zeros(1)
    slopes: list[list[Pair]] = [[] for _ in x]
    for y in listed:
        for j in others:
            z, size, near = margin_of(x[y], x[j], mp.mpf(1))
            if z > 0 or near:
                value.append((max(z, mp.mpf(0)), size))
                slopes[j].append(jump(mp.mpf(z > 0), near))
                slopes[y].append(jump(-mp.mpf(z > 0), near))
    one = 1 / mp.mpf(classes)
    return total(value, one), [total(part, one) for part in slopes], zeros(classes)


def _pairs(input: FloatArray, target: IntArray) -> tuple[FloatArray, FloatArray]:
    """``max(0, 1 - x[y[i]] + x[j])`` of each row for i in the list and j not in it, else 0; and 1
    for the classes in the lists."""
    ended = np.logical_or.accumulate(target == -1, axis=1)
    longest = int((~ended).sum(axis=1).max(initial=0))
    ended, target = ended[:, :longest], target[:, :longest]
    rows = np.arange(len(target))[:, None]
    classes = np.where(ended, 0, target)
    inside = np.zeros_like(input)
    np.maximum.at(inside, (rows, classes), (~ended).astype(input.dtype))
    short = 1 - input[rows, classes][:, :, None] + input[:, None, :]
    np.maximum(short, 0, out=short)
    short[ended] = 0
    short *= 1 - inside[:, None, :]
    return short, classes


def multilabel_margin_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over rows of ``sum max(0, 1 - x[i] + x[j]) / C`` over i in the list and j not in it."""
    short, _ = _pairs(input, target)
    return short.sum(axis=(1, 2)).mean() / input.dtype.type(input.shape[1])


def multilabel_margin_loss_and_grad(
    input: FloatArray, target: IntArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `multilabel_margin_loss`."""
    short, classes = _pairs(input, target)
    value = short.sum(axis=(1, 2)).mean() / input.dtype.type(input.shape[1])
    active = short > 0
    grad = active.sum(axis=1).astype(input.dtype)
    np.subtract.at(grad, (np.arange(len(target))[:, None], classes), active.sum(axis=2))
    grad /= grad.size
    return value, grad


ROWS += [
    Rows(
        "multilabel_margin_loss",
        multilabel_margin,
        "list",
        weights=None,
        ignores=False,
        smooth=False,
    )
]


# ---- multilabel_soft_margin_loss -----------------------------------------------------------


def multilabel_soft_margin(x: Numbers, target: Numbers, w: Numbers) -> RowPairs:
    parts = [bce_with_logits(*numbers) for numbers in zip(x, target, strict=True)]
    value, gradient, hessian = (
        [(wc * a, wc * abs(size)) for wc, (a, size) in zip(w, part, strict=True)]
        for part in zip(*parts, strict=True)
    )
    one = 1 / mp.mpf(len(x))
    return total(value, one), *([total([pair], one) for pair in p] for p in (gradient, hessian))  # type: ignore[return-value]


def multilabel_soft_margin_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``-(t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``."""
    losses = np.log1p(np.exp(-np.abs(input)))
    losses += np.maximum(input, 0)
    losses -= input * target
    return np.mean(losses)


def multilabel_soft_margin_loss_and_grad(
    input: FloatArray, target: FloatArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `multilabel_soft_margin_loss`."""
    exp = np.exp(-np.abs(input))
    losses = np.log1p(exp)
    losses += np.maximum(input, 0)
    losses -= input * target
    grad = np.maximum(exp, input >= 0)  # the numerator of sigmoid(x)
    exp += 1
    grad /= exp
    grad -= target
    grad /= grad.size
    return np.mean(losses), grad


ROWS += [
    Rows(
        "multilabel_soft_margin_loss",
        multilabel_soft_margin,
        "multilabel",
        weighted=weighted,
        ignores=False,
        mean_by_weight=False,
        axis=-1,
        invariant=False,
        nan="value",
    )
    for weighted in (False, True)
]


# ---- categorical_hinge_loss ----------------------------------------------------------------


def categorical_hinge(x: Numbers, target: int, w: Numbers, margin: Any = 1) -> RowPairs:
    classes, omega = len(x), w[target]
    gradient = zeros(classes)
    if classes == 1:
        return exactly(mp.mpf(0)), gradient, zeros(1)
    top = max(x_j for j, x_j in enumerate(x) if j != target)
    z, size, near = margin_of(x[target], top, mp.mpf(margin))
    if z <= 0 and not near:
        return exactly(mp.mpf(0)), gradient, zeros(classes)
    ties = [j for j, x_j in enumerate(x) if j != target and x_j == top]
    slope = omega if z > 0 else mp.mpf(0)
    for j in ties:
        gradient[j] = jump(slope / len(ties), near)
    gradient[target] = jump(-slope, near)
    return (omega * max(z, mp.mpf(0)), omega * size), gradient, zeros(classes)


def _largest(input: FloatArray, target: IntArray) -> tuple[FloatArray, FloatArray]:
    """The losses of the rows, and the scores with -inf for the target."""
    rows = np.arange(len(target))
    others = input.copy()
    others[rows, target] = -np.inf
    return np.maximum(1 + others.max(axis=1) - input[rows, target], 0), others


def categorical_hinge_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``max(0, 1 + max(x[j]) - x[y])`` over all j but y."""
    return np.mean(_largest(input, target)[0])


def categorical_hinge_loss_and_grad(
    input: FloatArray, target: IntArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `categorical_hinge_loss`."""
    losses, others = _largest(input, target)
    grad = (others == others.max(axis=1, keepdims=True)).astype(input.dtype)
    grad /= grad.sum(axis=1, keepdims=True)
    grad[np.arange(len(target)), target] = -1
    grad *= (losses > 0)[:, None]
    grad /= len(target)
    return np.mean(losses), grad


ROWS += [
    Rows(
        "categorical_hinge_loss",
        categorical_hinge,
        options=options,
        weighted=weighted,
        smooth=False,
    )
    for options, weighted in (({}, False), ({}, True), ({"margin": 0.0}, False))
]


# ---- sparsemax_loss ------------------------------------------------------------------------


def sparsemax(x: Numbers, target: int, w: Numbers) -> RowPairs:
    """As sizes of p_j = d_j - τ count those of its terms, which lie between -1 and 0."""
    omega, top = w[target], max(x)
    d = [x_j - top for x_j in x]
    held, tau = mp.mpf(0), mp.mpf(-1)
    for k, d_j in enumerate(sorted(d, reverse=True), 1):
        held += d_j
        if k * d_j <= held - 1:
            break
        tau = (held - 1) / k
    near = [is_near(d_j - tau, 1) for d_j in d]
    p = [max(d_j - tau, mp.mpf(0)) for d_j in d]
    sizes = [abs(a) - tau if b or c else mp.mpf(0) for a, b, c in zip(d, p, near, strict=True)]
    rest = [j for j in range(len(x)) if j != target]
    u, u_size = mp.fsum(p[j] for j in rest), max((sizes[j] for j in rest), default=mp.mpf(0))
    if not p[target]:
        u = mp.mpf(1)
    short, short_size = max(tau - d[target], mp.mpf(0)), mp.mpf(0)
    if short or near[target]:
        short_size = abs(d[target]) - tau
    value = (u * u + mp.fsum(p[j] * p[j] for j in rest)) / 2 + short
    size = u * max(u, u_size) + mp.fsum(p[j] * sizes[j] for j in rest) + short_size
    gradient = [(omega * a, omega * b) for a, b in zip(p, sizes, strict=True)]
    gradient[target] = -omega * u, omega * max(u, u_size)
    support = sum(p_j > 0 for p_j in p)
    curvature = omega * (support - 1) / support
    hessian = [
        (
            curvature if p_j else mp.mpf(0),
            ANYTHING if any(near) and (p_j or n) else curvature if p_j else 0,
        )
        for p_j, n in zip(p, near, strict=True)
    ]
    return (omega * value, omega * size), gradient, hessian


def _sparse(input: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sparsemax of the rows, less their maxima, and the thresholds."""
    z = input - input.max(axis=1, keepdims=True)
    ordered = -np.sort(-z, axis=1)
    sums = ordered.cumsum(axis=1)
    counts = np.arange(1, z.shape[1] + 1, dtype=z.dtype)
    support = np.sum(counts * ordered > sums - 1, axis=1, keepdims=True)
    tau = (np.take_along_axis(sums, support - 1, axis=1) - 1) / support.astype(z.dtype)
    return z, tau


def _sparse_losses(z: FloatArray, tau: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``sum(z**2 - tau**2) / 2`` over the support, plus 1/2, less ``z[y]``."""
    terms = np.where(z > tau, z * z - tau * tau, 0).sum(axis=1)
    return np.mean((terms + 1) / 2 - z[np.arange(len(target)), target])


def sparsemax_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of the losses of which sparsemax less one-hot is the gradient."""
    return _sparse_losses(*_sparse(input), target)


def sparsemax_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `sparsemax_loss`."""
    z, tau = _sparse(input)
    value = _sparse_losses(z, tau, target)
    z -= tau
    grad = np.maximum(z, 0, out=z)
    grad[np.arange(len(target)), target] -= 1
    grad /= len(target)
    return value, grad


ROWS += [
    Rows("sparsemax_loss", sparsemax, weighted=weighted, smooth=False) for weighted in (False, True)
]
