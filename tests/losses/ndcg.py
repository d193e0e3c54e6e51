"""Losses that stand for NDCG, of the documents of queries."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, Scalar, mp, softplus

JOINT: list[Joint] = []

Truth = tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]


# ---- exact values --------------------------------------------------------------------------------
#
# From the definitions, pair by pair. The size of a gradient is the sum of the sizes of its terms.


def gain_of(t: Any, gain: Any) -> Any:
    if gain == "linear":
        return mp.mpf(t)
    return mp.mpf(2) ** int(t) - 1 if gain in (None, "exponential") else mp.mpf(gain[int(t)])


def discount(place: int) -> Any:
    return mp.log(mp.mpf(2)) / mp.log(mp.mpf(place + 2))


def ideal(gains: Any, depth: int) -> Any:
    best = sorted(gains, reverse=True)[:depth]
    return mp.fsum([g * discount(place) for place, g in enumerate(best)])


def groups_of(numbers: Any) -> Any:
    """Scores, relevances and weights of the rows of each group."""
    x, t = numbers["input"], numbers["relevance"]
    w = [mp.mpf(n) for n in numbers.get("sample_weight", np.ones(len(x)))]
    at = 0
    for size in numbers["group_sizes"]:
        part = slice(at, at + int(size))
        yield x[part], t[part], w[part]
        at += int(size)


def tail(x: Any) -> Any:
    """1 / (1 + e^x)"""
    return 1 / (1 + mp.exp(x)) if x < 0 else mp.exp(-x) / (1 + mp.exp(-x))


def lambdarank_group(x: Any, t: Any, w: Any, options: dict[str, Any]) -> Any:
    n, zero = len(x), mp.mpf(0)
    grads, hesses = [[zero, zero] for _ in range(n)], [zero] * n
    kept = [i for i in range(n) if w[i]]
    order = sorted(kept, key=lambda i: (-x[i], i))
    gains = [gain_of(r, options.get("gain")) for r in t]
    depth = options.get("truncation", 30) or n
    sigma = mp.mpf(options.get("sigma", 1.0))
    best = ideal([gains[i] for i in kept], depth) if kept else zero
    apart = len({x[i] for i in kept}) > 1 and options.get("score_normalization", True)
    value, total = zero, zero
    for a, one in enumerate(order[:depth]):
        for b in range(a + 1, len(order)):
            i, j = (one, order[b]) if t[one] > t[order[b]] else (order[b], one)
            if t[i] == t[j]:
                continue
            d = zero if x[i] == x[j] else x[i] - x[j]
            change = mp.mpf(1)
            if options.get("weighting") != "pairwise":
                change = (gains[i] - gains[j]) * (discount(a) - discount(b)) / best
            whole = change
            if apart:
                change /= mp.mpf(1) / 100 + abs(d)
            if change:
                cost = change * softplus(-sigma * d)
            else:  # an infinite difference
                cost = whole * sigma if d < 0 else zero
            slope = change * sigma * tail(sigma * d)
            value += (w[i] + w[j]) / 2 * cost
            total += 2 * slope
            grads[i][0] += w[i] * slope
            grads[j][1] += w[j] * slope
            for k in (i, j):
                hesses[k] += w[k] * change * sigma**2 * tail(sigma * d) * tail(-sigma * d)
    factor = mp.mpf(1)
    if options.get("normalization", True):
        factor = (mp.log1p(total) / total if total else 1) / mp.log(mp.mpf(2))
    return (
        value * factor,
        [((up - down) * factor, max(up, down) * factor) for down, up in grads],
        [h * factor for h in hesses],
    )


def lambdarank(numbers: Any, **options: Any) -> Truth:
    values, grads, hesses = [], [], []
    for x, t, w in groups_of(numbers):
        value, grad, hess = lambdarank_group(x, t, w, options)
        values.append((value, value))
        grads += grad
        hesses += [(h, h) for h in hess]
    return values, {"input": grads}, {"input": hesses}


def approx_group(x: Any, t: Any, options: dict[str, Any]) -> Any:
    n, zero = len(x), mp.mpf(0)
    gains = [gain_of(r, options.get("gain")) for r in t]
    best, slow = ideal(gains, n), mp.mpf(options.get("temperature", 0.1))
    if not best:
        return zero, [(zero, zero)] * n, [(zero, zero)] * n

    def below(i: int, j: int) -> Any:
        """How much i is below j, and the product with how much it is above."""
        y = zero if x[i] == x[j] else (x[i] - x[j]) / slow
        return tail(y), tail(y) * tail(-y)

    pairs = [[below(i, j) for j in range(n)] for i in range(n)]
    places = [1 + mp.fsum([pairs[i][j][0] for j in range(n) if j != i]) for i in range(n)]
    two, logs = mp.log(mp.mpf(2)), [mp.log1p(r) for r in places]
    value = mp.fsum([g * two / log for g, log in zip(gains, logs, strict=True)])
    c = [-g * two / (1 + r) / q**2 for g, r, q in zip(gains, places, logs, strict=True)]
    e = [
        g * two * (q + 2) / (1 + r) ** 2 / q**3 for g, r, q in zip(gains, places, logs, strict=True)
    ]
    grads, hesses = [], []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        q = {j: pairs[i][j][1] for j in others}
        turn = {j: q[j] * (pairs[i][j][0] - pairs[j][i][0]) for j in others}
        slope = mp.fsum([(c[i] - c[j]) * q[j] for j in others])
        size = mp.fsum([(abs(c[i]) + abs(c[j])) * q[j] for j in others])
        curve = mp.fsum([e[j] * q[j] ** 2 + (c[j] - c[i]) * turn[j] for j in others])
        large = mp.fsum([e[j] * q[j] ** 2 + (abs(c[j]) + abs(c[i])) * abs(turn[j]) for j in others])
        own = e[i] * mp.fsum(q.values()) ** 2
        factor = 1 / best / slow
        grads.append((slope * factor, size * factor))
        hesses.append((-(curve + own) * factor / slow, (large + own) * factor / slow))
    return -value / best, grads, hesses


def approx(numbers: Any, **options: Any) -> Truth:
    values, grads, hesses = [], [], []
    for x, t, _ in groups_of(numbers):
        value, grad, hess = approx_group(x, t, options)
        values.append((value, value))
        grads += grad
        hesses += hess
    return values, {"input": grads}, {"input": hesses}


# ---- twins ---------------------------------------------------------------------------------------


def parts_of(group_sizes: Any) -> list[slice]:
    ends = np.cumsum(group_sizes)
    return [slice(end - size, end) for end, size in zip(ends, group_sizes, strict=True)]


def gains_of(relevance: Any, gain: Any) -> Any:
    return relevance.astype(float) if gain == "linear" else np.exp2(relevance) - 1


def best_dcg(gains: Any, depth: Any) -> Any:
    best = np.sort(gains)[::-1][:depth]
    return best @ (1 / np.log2(np.arange(2, len(best) + 2)))


def lambdarank_loss(input: FloatArray, relevance: Any, group_sizes: Any, **options: Any) -> Scalar:
    """Value alone; the pairs are the same."""
    return lambdarank_loss_and_grad(input, relevance, group_sizes, **options)[0]


def lambdarank_loss_and_grad(
    input: FloatArray,
    relevance: Any,
    group_sizes: Any,
    truncation: int | None = 30,
    sigma: float = 1.0,
    weighting: str = "ndcg",
    gain: str = "exponential",
    normalization: bool = True,
    score_normalization: bool = True,
) -> tuple[Scalar, FloatArray]:
    """All pairs of a query as matrices, in the order of its scores."""
    values, grad = [], np.zeros_like(input)
    for part in parts_of(group_sizes):
        order = np.argsort(-input[part], kind="stable")
        x, t = input[part][order].astype(np.float64), relevance[part][order]
        gains, n = gains_of(t, gain), len(order)
        first = np.arange(n)[:, None] < (truncation or n)
        there = first & (np.arange(n)[:, None] < np.arange(n)) & (t[:, None] != t)
        if not there.any():
            values.append(0.0)
            continue
        sign = np.sign(t[:, None] - t)
        with np.errstate(invalid="ignore"):
            gap = np.where(x[:, None] == x, 0, x[:, None] - x)
        change = np.ones((n, n))
        if weighting == "ndcg":
            discounts = 1 / np.log2(np.arange(2, n + 2))
            change = np.abs((gains[:, None] - gains) * (discounts[:, None] - discounts))
            change = change / best_dcg(gains, truncation)
        if score_normalization and x[0] != x[-1]:
            change = change / (0.01 + np.abs(gap))
        cost = np.where(there, change * np.logaddexp(0, -sigma * sign * gap), 0)
        slope = np.where(there, change * sigma / (1 + np.exp(sigma * sign * gap)), 0)
        total = 2 * slope.sum()
        factor = np.log2(1 + total) / total if normalization and total else 1.0
        values.append(factor * cost.sum())
        push = factor * sign * slope
        grad[part.start + order] = push.sum(axis=0) - push.sum(axis=1)
    count = max(len(values), 1)
    return input.dtype.type(sum(values) / count), grad / input.dtype.type(count)


def approx_ndcg_loss(input: FloatArray, relevance: Any, group_sizes: Any, **options: Any) -> Scalar:
    """Value alone."""
    return approx_ndcg_loss_and_grad(input, relevance, group_sizes, **options)[0]


def approx_ndcg_loss_and_grad(
    input: FloatArray,
    relevance: Any,
    group_sizes: Any,
    temperature: float = 0.1,
    gain: str = "exponential",
) -> tuple[Scalar, FloatArray]:
    """All pairs of a query as a matrix."""
    values, grad = [], np.zeros_like(input)
    for part in parts_of(group_sizes):
        x, gains = input[part].astype(np.float64), gains_of(relevance[part], gain)
        best = best_dcg(gains, None)
        if not best:
            values.append(0.0)
            continue
        p = 1 / (1 + np.exp((x[:, None] - x) / temperature))
        np.fill_diagonal(p, 1)
        depth = np.log2(1 + p.sum(axis=1))
        values.append(-(gains / depth).sum() / best)
        c = -gains / depth**2 / (1 + p.sum(axis=1)) / np.log(2) / best
        q = p * (1 - p)
        grad[part] = (c * q.sum(axis=1) - q @ c) / temperature
    count = max(len(values), 1)
    return input.dtype.type(sum(values) / count), grad / input.dtype.type(count)


# ---- operands ------------------------------------------------------------------------------------


def queries(*extra: str, most: int = 12) -> Any:
    """Queries of different lengths, some of one document or of equal relevances."""

    def make(rng: Generator, n: int, dtype: Any) -> Arrays:
        sizes = rng.integers(1, most, n)
        rows = int(sizes.sum())
        made = {
            "input": rng.normal(0, 1, rows).astype(dtype),
            "relevance": rng.integers(0, 5, rows),
            "group_sizes": sizes,
        }
        if "ties" in extra:
            made["input"] = np.round(made["input"] * 2).astype(dtype) / 2
        if "sample_weight" in extra:
            made["sample_weight"] = rng.choice([0.0, 0.5, 1, 1.75], rows).astype(dtype)
        return made

    return make


def hard_queries(*extra: str, infinite: bool = False, scale: float = 1.0) -> Any:
    """Scores of every size, equal ones, infinite ones; relevances of every size."""

    def make(rng: Generator, dtype: Any) -> Arrays:
        sizes = np.array([1, 0, 2, 3, 17, 33, 40, 5])
        n = int(sizes.sum())
        wide = [0, 1e-30, 1e-3, 1, 5, 17, 40, 100, 1e30] if infinite else [0, 1e-3, 1, 5, 17]
        x = rng.normal(size=n) * rng.choice(wide, n) * scale
        x[rng.random(n) < 0.2] = 0.25 * scale
        if infinite:
            x[rng.random(n) < 0.1] = -inf
            x[rng.random(n) < 0.05] = inf
        relevance = rng.choice([0, 0, 0, 1, 2, 3, 30, 31, 52], n)
        relevance[-5:] = 4  # a query without pairs
        made = {"input": x.astype(dtype), "relevance": relevance, "group_sizes": sizes}
        if "sample_weight" in extra:
            made["sample_weight"] = rng.choice([0.0, 1.0, 1.75], n).astype(dtype)
        return made

    return make


OPERANDS = ("input", "relevance")
LABELS = ("relevance", "group_sizes")
for options, kind, typical, hard in (
    ({}, "", queries(), hard_queries(infinite=True)),
    ({}, "ties", queries("ties"), hard_queries()),
    ({"truncation": 3}, "", queries(), hard_queries()),
    ({"truncation": None, "sigma": 0.7}, "", queries(most=40), hard_queries(infinite=True)),
    (
        {"normalization": False, "score_normalization": False, "sigma": 2.0},
        "",
        queries(),
        hard_queries(),
    ),
    ({"normalization": False, "truncation": 5}, "", queries(), hard_queries(infinite=True)),
    ({"weighting": "pairwise"}, "", queries(), hard_queries(infinite=True)),
    ({"gain": "linear", "score_normalization": False}, "", queries(), hard_queries()),
    ({}, "weights", queries("sample_weight"), hard_queries("sample_weight")),
):
    JOINT.append(
        Joint(
            "lambdarank_loss",
            OPERANDS,
            ("input",),
            typical,
            hard,
            lambdarank,
            options,
            bounds=(4, 6, 8),
            held=True,
            labels=LABELS,
            keywords=("group_sizes",),
            lean=False,
            twin=kind != "weights",
            kind=kind,
        )
    )
for options, hard in (
    ({}, hard_queries(scale=0.1)),
    ({"temperature": 1.0}, hard_queries(infinite=True)),
    ({"temperature": 0.7, "gain": "linear"}, hard_queries()),
):
    JOINT.append(
        Joint(
            "approx_ndcg_loss",
            OPERANDS,
            ("input",),
            queries(),
            hard,
            approx,
            options,
            bounds=(4, 8, 12),
            labels=LABELS,
            keywords=("group_sizes",),
            lean=False,
        )
    )
