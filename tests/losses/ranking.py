"""Losses of an order, and of pairs of elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, Scalar, mp

JOINT: list[Joint] = []
LeafPairs = dict[str, list[Pair]]
Truth = tuple[list[Pair], LeafPairs, LeafPairs]
#: x, t, w and whether an item counts, of one list -> value, gradients, second derivatives
ListTruth = Callable[[Any, Any, Any, Any], tuple[Pair, list[Pair], list[Pair]]]

ITEMS = 7


def of_lists(numbers: dict[str, Any], where: Any, weight: Any, truth: ListTruth) -> Truth:
    """The lists one by one; they lie along the last axis."""
    x = numbers["input"]
    t = np.broadcast_to(numbers["target"], x.shape).reshape(-1, x.shape[-1])
    w = np.broadcast_to(1.0 if weight is None else weight, x.shape).reshape(t.shape)
    counts = np.broadcast_to(True if where is None else np.asarray(where) != 0, x.shape)
    values, grads, hesses = [], [], []
    for row in zip(x.reshape(t.shape), t, w, counts.reshape(t.shape), strict=True):
        value, grad, hess = truth(*row)
        values.append(value)
        grads += grad
        hesses += hess
    return values, {"input": grads}, {"input": hesses}


def zero() -> Pair:
    return mp.mpf(0), mp.mpf(0)


# ---- mean_pairwise_squared_error -----------------------------------------------------------


def mean_pairwise(numbers: dict[str, Any]) -> Truth:
    """The samples one by one."""
    x, t = numbers["input"], np.broadcast_to(numbers["target"], numbers["input"].shape)
    if x.ndim == 1:
        x, t = x[None], t[None]
    values, grads, hesses = [], [], []
    for row in x - t:
        d = list(row.ravel())
        n = len(d)
        if n < 2:
            values.append(zero())
            grads += [zero()] * n
            hesses += [zero()] * n
            continue
        mean = mp.fsum(d) / n
        value = 2 * mp.fsum((d_i - mean) ** 2 for d_i in d) / (n - 1)
        slopes = [4 * (d_i - mean) / (n - 1) for d_i in d]
        values.append((value, value))
        grads += [(s, s) for s in slopes]
        hesses += [(mp.mpf(4) / n, mp.mpf(4) / n)] * n
    return values, {"input": grads}, {"input": hesses}


def mean_pairwise_squared_error(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean over samples of twice the variance of ``x - t``."""
    d = input - target
    d -= d.mean(axis=1, keepdims=True)
    return 2 * np.mean(np.einsum("ij,ij->i", d, d)) / input.dtype.type(input.shape[1] - 1)


def mean_pairwise_squared_error_and_grad(
    input: FloatArray, target: FloatArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `mean_pairwise_squared_error`."""
    d = input - target
    d -= d.mean(axis=1, keepdims=True)
    pairs = input.dtype.type(input.shape[1] - 1)
    value = 2 * np.mean(np.einsum("ij,ij->i", d, d)) / pairs
    d *= 4 / (pairs * input.dtype.type(len(input)))
    return value, d


def samples(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(size=(n, ITEMS)).astype(dtype),
        "target": rng.normal(size=(n, ITEMS)).astype(dtype),
    }


def hard_samples(rng: Generator, dtype: Any) -> Arrays:
    """All equal, nearly so, far from 0, tiny and huge."""
    tiny, huge = float(np.finfo(dtype).tiny), float(np.sqrt(np.finfo(dtype).max)) / 8
    rows = [
        [0.0] * 5,
        [1.0] * 5,
        [1e4, 1e4 + 0.25, 1e4 - 0.25, 1e4, 1e4 + 1],
        [1e6, 1e6 + 1, 1e6 - 1, 1e6 + 1, 1e6],
        [tiny, -tiny, 4 * tiny, 0.0, tiny * 2**-5],
        [1e-10, 2e-10, -1e-10, 0.0, 1e-12],
        [huge, -huge, 0.0, 1.0, huge / 2],
        [1e30, 1e30, 1e30, 1e30, 1e30],
        [1e15, -1e15, 1.0, -1.0, 0.5],
        [-0.0, 0.0, 1.0, 1.0, 1.0 + 2.0**-20],
    ]
    x = np.array(rows).astype(dtype)
    t = np.array(rows[-1:] + rows[:-1]).astype(dtype)
    t[1::2] = 0
    t[8] = 0
    return {"input": x, "target": t}


JOINT += [
    Joint(
        "mean_pairwise_squared_error",
        ("input", "target"),
        ("input",),
        samples,
        hard_samples,
        mean_pairwise,
    )
]


# ---- lists of items ------------------------------------------------------------------------


def lists(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(scale=2, size=(n, ITEMS)).astype(dtype),
        "target": rng.integers(0, 4, (n, ITEMS)).astype(dtype),
    }


def hard_lists(rng: Generator, dtype: Any) -> Arrays:
    """Ties, confident leads both ways, infinite scores, real relevances."""
    inf = np.inf
    x = [
        [0.0] * ITEMS,
        [17.0, 0.0, 0.0, -17.0, 1.0, 2.0, 3.0],
        [40.0, 0.0, 0.0, -40.0, 1.0, 2.0, 3.0],
        [0.0, 100.0, -100.0, 0.0, 1e-3, -1e-3, 0.0],
        [1e4, 1e4 + 1, 1e4 - 1, 1e4 + 0.5, 1e4, 1e4, 1e4],
        [1e30, 0.0, -1e30, 1.0, 2.0, 3.0, 4.0],
        [80.5, 0.25, 0.125, -0.0625, 0.75, 1e-20, -1e-20],
        [-inf, 1.0, 2.0, -1.0, 0.0, 0.5, 0.25],
        [inf, 1.0, 2.0, -1.0, 0.0, 0.5, 0.25],
        [30.1, 12.7, -3.3, 0.9, 55.5, -70.7, 12.7],
        [1e-40, 0.0, 0.0, 1e-8, 0.0, -1e-8, 0.0],
    ]
    t = [
        [3, 2, 1, 0, 0, 0, 1],
        [1, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
        [1, 0, 3, 2, 2, 0, 1],
        [0.5, 0.25, 0.125, 0, 0, 3, 1],
        [1, 0, 0, 0.5, 0.5, 0.5, 0.5],
        [2, 1, 0, 1, 2, 0, 1],
        [0, 1, 2, 0, 1, 0, 1],
        [2, 0, 1, 0, 1, 0, 1],
        [0, 1, 2, 3, 4, 5, 6],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    return {"input": np.array(x).astype(dtype), "target": np.array(t).astype(dtype)}


MASK = [1, 1, 0, 1, 1, 0, 1]
WEIGHT = [1, 5, 3, 0, 2, 1, 4]


# ---- ranking_softmax_loss ------------------------------------------------------------------


def ranking_softmax(
    numbers: dict[str, Any], where: Any = None, weight: Any = None, axis: int = -1
) -> Truth:
    def truth(x: Any, t: Any, w: Any, counts: Any) -> tuple[Pair, list[Pair], list[Pair]]:
        valid = [i for i in range(len(x)) if counts[i]]
        value, size = zero()
        grad, hess = [zero()] * len(x), [zero()] * len(x)
        if not valid:
            return (value, size), grad, hess
        top = max(x[i] for i in valid)
        e = {i: mp.mpf(1) if x[i] == top else mp.exp(x[i] - top) for i in valid}
        lead = next(i for i in valid if x[i] == top)
        whole = mp.fsum(e.values())
        beyond = mp.fsum(e[i] for i in valid if i != lead)
        tau = {i: t[i] * mp.mpf(float(w[i])) for i in valid}
        total = mp.fsum(tau.values())
        size_of_total = mp.fsum(map(abs, tau.values()))
        for i in valid:
            gap = mp.mpf(0) if x[i] == top else top - x[i]
            if tau[i]:
                value += tau[i] * (gap + mp.log1p(beyond))
                size += abs(tau[i]) * (gap + mp.log1p(beyond))
            p = e[i] / whole
            q = mp.fsum(e[j] for j in valid if j != i) / whole
            others = mp.fsum(tau[j] for j in valid if j != i)
            near = size_of_total - abs(tau[i])
            grad[i] = p * others - tau[i] * q, p * (near and size_of_total) + abs(tau[i]) * q
            hess[i] = p * q * total, p * q * size_of_total
        return (value, size), grad, hess

    return of_lists(numbers, where, weight, truth)


def _softmax_terms(input: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    d = input - input.max(axis=1, keepdims=True)
    e = np.exp(d)
    return d, e, e.sum(axis=1, keepdims=True)


def ranking_softmax_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean over lists of ``-sum(t * log_softmax(x))``."""
    d, _, s = _softmax_terms(input)
    d -= np.log(s)
    return -np.mean(np.einsum("ij,ij->i", target, d))


def ranking_softmax_loss_and_grad(
    input: FloatArray, target: FloatArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `ranking_softmax_loss`."""
    d, grad, s = _softmax_terms(input)
    d -= np.log(s)
    value = -np.mean(np.einsum("ij,ij->i", target, d))
    grad *= target.sum(axis=1, keepdims=True) / s
    grad -= target
    grad /= len(input)
    return value, grad


JOINT += [
    Joint(
        "ranking_softmax_loss",
        ("input", "target"),
        ("input",),
        lists,
        hard_lists,
        ranking_softmax,
        options=options,
        twin=not options,
        weighted=False,  # its weights are those of the items
    )
    for options in ({}, {"where": MASK}, {"weight": WEIGHT}, {"where": MASK, "weight": WEIGHT})
]


# ---- pairwise_logistic_loss ----------------------------------------------------------------


def pairwise_logistic(numbers: dict[str, Any], where: Any = None, axis: int = -1) -> Truth:
    def truth(x: Any, t: Any, w: Any, counts: Any) -> tuple[Pair, list[Pair], list[Pair]]:
        value = mp.mpf(0)
        grad, hess = [zero()] * len(x), [zero()] * len(x)
        valid = [i for i in range(len(x)) if counts[i]]
        for i in valid:
            for j in valid:
                if not t[i] > t[j]:
                    continue
                z = x[i] - x[j]
                e = mp.exp(-abs(z))
                value += mp.log1p(e) + max(-z, mp.mpf(0))
                slope = (e if z > 0 else mp.mpf(1)) / (1 + e)
                curvature = e / (1 + e) ** 2
                grad[i] = grad[i][0] - slope, grad[i][1] + slope
                grad[j] = grad[j][0] + slope, grad[j][1] + slope
                hess[i] = hess[i][0] + curvature, hess[i][1] + curvature
                hess[j] = hess[j][0] + curvature, hess[j][1] + curvature
        return (value, value), grad, hess

    return of_lists(numbers, where, None, truth)


def _preferred(input: FloatArray, target: FloatArray) -> tuple[FloatArray, Any]:
    """``x[i] - x[j]`` of the pairs of each list, and whether ``t[i] > t[j]``."""
    return (
        input[:, :, None] - input[:, None, :],
        target[:, :, None] > target[:, None, :],
    )


def pairwise_logistic_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean over lists of ``sum(log(1 + exp(-(x[i] - x[j]))))`` over the pairs ``t[i] > t[j]``."""
    z, above = _preferred(input, target)
    z = z[above]
    losses = np.log1p(np.exp(-np.abs(z)))
    losses += np.maximum(-z, 0)
    return losses.sum() / input.dtype.type(len(input))


def pairwise_logistic_loss_and_grad(
    input: FloatArray, target: FloatArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `pairwise_logistic_loss`."""
    z, above = _preferred(input, target)
    lead = z[above]
    exp = np.exp(-np.abs(lead))
    losses = np.log1p(exp)
    losses += np.maximum(-lead, 0)
    count = input.dtype.type(len(input))
    z[...] = 0
    z[above] = np.where(lead > 0, exp, 1) / ((1 + exp) * count)
    grad = z.sum(axis=1)
    grad -= z.sum(axis=2)
    return losses.sum() / count, grad


JOINT += [
    Joint(
        "pairwise_logistic_loss",
        ("input", "target"),
        ("input",),
        lists,
        hard_lists,
        pairwise_logistic,
        options=options,
        twin=not options,
    )
    for options in ({}, {"where": MASK})
]
