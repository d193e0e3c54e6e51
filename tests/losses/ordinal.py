"""Losses of grades that have an order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tests.losses.case import (
    Arrays,
    Elementwise,
    FloatArray,
    Generator,
    Joint,
    Pair,
    Rows,
    Scalar,
    exactly,
    mp,
    sigmoid,
    softplus,
)

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []
Truth = tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]
TwoGrads = tuple[Scalar, tuple[FloatArray, FloatArray]]
GRADES = 5


# ---- exact values: thresholds ----------------------------------------------------------------


def no_terms(thresholds: Sequence[Any]) -> list[list[Pair]]:
    return [[] for _ in thresholds]


def totals(terms: list[list[Pair]]) -> list[Pair]:
    """Sums, and the sizes of what they are made of."""
    return [(mp.fsum(x for x, _ in t), mp.fsum(abs(size) for _, size in t)) for t in terms]


def by_sides(numbers: dict[str, Any], looks_at: Any) -> Truth:
    """The logistic losses of the thresholds k that `looks_at(k, y)`."""
    thresholds = list(numbers["thresholds"])
    values, grads, hesses = [], [], []
    by_grad, by_hess = no_terms(thresholds), no_terms(thresholds)
    for x, y in zip(numbers["input"].ravel(), numbers["target"].ravel(), strict=True):
        v, g, h = [], [], []
        for k, threshold in enumerate(thresholds):
            if looks_at(k, y):
                side = 1 if k < y else -1
                z = side * (x - threshold)
                v.append(exactly(softplus(-z)))
                g.append(exactly(-side * sigmoid(-z)))
                h.append(exactly(sigmoid(z) * sigmoid(-z)))
                by_grad[k].append(exactly(side * sigmoid(-z)))
                by_hess[k].append(h[-1])
        values += totals([v])
        grads += totals([g])
        hesses += totals([h])
    return (
        values,
        {"input": grads, "thresholds": totals(by_grad)},
        {"input": hesses, "thresholds": totals(by_hess)},
    )


def all_thresholds(numbers: dict[str, Any]) -> Truth:
    return by_sides(numbers, lambda k, y: True)


def immediate_thresholds(numbers: dict[str, Any]) -> Truth:
    return by_sides(numbers, lambda k, y: k in (y - 1, y))


def cumulative(numbers: dict[str, Any], link: str = "logit") -> Truth:
    """-log(F(b) - F(a)) of the ends a and b of each interval, by the logarithm of its probability
    and the densities and their slopes over that."""
    # Narrow intervals far away are differences in the last places.
    with mp.workprec(4000 if link == "logit" else 500):
        return _cumulative(numbers, link)


def _bends(a: Any, b: Any, interval: Any) -> tuple[Any, Any, Any]:
    """Second derivatives with respect to x and to both ends."""
    _v, (f_a, d_a), (f_b, d_b) = interval(a, b)
    return (f_b - f_a) ** 2 - (d_b - d_a), d_a + f_a**2, f_b**2 - d_b


def _sizes(a: Any, b: Any, link: str, v: Any, g: Any) -> tuple[Any, Any, list[Any]]:
    """The sizes of value, gradient and second derivatives with respect to x and both ends.

    The logit's gradient is a difference of two terms, as is that of cloglog. The others go by ends
    z, thresholds less the score: sizes are also what the rounding of z² or exp(z) makes of a value
    and a slope, and that of z of second derivatives; z is the end at which the probability is.
    """
    e_a, e_b = (z if z is not None else mp.mpf(0) for z in (a, b))
    interval = INTERVALS[link]
    plain = _bends(a, b, interval)
    if link == "logit":
        low = sigmoid(a) if a is not None else mp.mpf(0)
        return v, low + (sigmoid(-b) if b is not None else 0), list(plain)
    z = e_a if b is None or e_a > 0 else e_b if a is None or e_b < 0 else max(-e_a, e_b)
    step = mp.mpf(2) ** -300
    moved = _bends(*(None if end is None else end + step * z for end in (a, b)), interval)
    bends = [abs(x) + abs(y - x) / step for x, y in zip(plain, moved, strict=True)]
    by_terms = abs(g) + abs(z * plain[0]) / 8
    if link == "cloglog" and a is not None:
        by_terms += 2 * mp.exp(a)
    return abs(v) + abs(z * g) / 8, by_terms, bends


def _cumulative(numbers: dict[str, Any], link: str) -> Truth:
    thresholds = list(numbers["thresholds"])
    values, grads, hesses = [], [], []
    by_grad, by_hess = no_terms(thresholds), no_terms(thresholds)
    for x, y in zip(numbers["input"].ravel(), numbers["target"].ravel(), strict=True):
        a = thresholds[y - 1] - x if y > 0 else None
        b = thresholds[y] - x if y < len(thresholds) else None
        v, (f_a, d_a), (f_b, d_b) = INTERVALS[link](a, b)
        g, h = f_b - f_a, (f_b - f_a) ** 2 - (d_b - d_a)
        by_value, by_slope, sizes = _sizes(a, b, link, v, g)
        values.append((v, by_value))
        grads.append((g, by_slope))
        hesses.append((h, sizes[0]))
        if a is not None:
            by_grad[y - 1].append(exactly(f_a))
            by_hess[y - 1].append((d_a + f_a**2, sizes[1]))
        if b is not None:
            by_grad[y].append(exactly(-f_b))
            by_hess[y].append((f_b**2 - d_b, sizes[2]))
    return (
        values,
        {"input": grads, "thresholds": totals(by_grad)},
        {"input": hesses, "thresholds": totals(by_hess)},
    )


Density = tuple[Any, Any]


def logistic_interval(a: Any, b: Any) -> tuple[Any, Density, Density]:
    """v, and f / P and f' / P at both ends; as P = F(b) F(-a) (1 - exp(-w)) of the width w."""
    zero = mp.mpf(0)
    inverse = zero if a is None or b is None else 1 / mp.expm1(b - a)
    v = mp.log1p(inverse)
    v += softplus(a) if a is not None else zero
    v += softplus(-b) if b is not None else zero
    f_a = sigmoid(a) + inverse if a is not None else zero
    f_b = sigmoid(-b) + inverse if b is not None else zero
    d_a = f_a * (1 - 2 * sigmoid(a)) if a is not None else zero
    d_b = f_b * (1 - 2 * sigmoid(b)) if b is not None else zero
    return v, (f_a, d_a), (f_b, d_b)


@lru_cache(maxsize=10_000)
def beyond(z: Any) -> Any:
    """How probable it is that a normal number is above z."""
    import gmpy2

    return gmpy2.erfc(z / mp.sqrt(mp.mpf(2))) / 2 if z is not None else mp.mpf(0)


def normal_interval(a: Any, b: Any) -> tuple[Any, Density, Density]:
    """By erfc, from the side on which that is small."""
    import gmpy2

    zero = mp.mpf(0)
    if a is None:
        p = beyond(-b)
    elif b is None:
        p = beyond(a)
    elif a + b < 0:
        p = beyond(-b) - beyond(-a)
    else:
        p = beyond(a) - beyond(b)
    if a is not None and b is not None and a < 0 < b:
        v = -mp.log1p(-beyond(-a) - beyond(b))
    elif p > 0.5:
        v = -mp.log1p(-beyond(-a if b is None else b))
    else:
        v = -mp.log(p)
    top = mp.sqrt(2 * gmpy2.const_pi()) * p
    f_a = gmpy2.exp(-a * a / 2) / top if a is not None else zero
    f_b = gmpy2.exp(-b * b / 2) / top if b is not None else zero
    return v, (f_a, -a * f_a if f_a else zero), (f_b, -b * f_b if f_b else zero)


def extreme_interval(a: Any, b: Any) -> tuple[Any, Density, Density]:
    """As P = exp(-e^a) (1 - exp(-d)) with d = e^b - e^a."""
    zero = mp.mpf(0)
    e_a = mp.exp(a) if a is not None else zero
    d = mp.inf if b is None else e_a * mp.expm1(b - a) if a is not None else mp.exp(b)
    rest = -mp.expm1(-d)
    v = e_a - mp.log(rest)
    f_a, d_a, f_b, d_b = e_a / rest, e_a / rest * (1 - e_a), zero, zero
    if b is not None:
        e_b = mp.exp(b)
        f_b = e_b * mp.exp(-d) / rest
        d_b = f_b * (1 - e_b)
    return v, (f_a, d_a), (f_b, d_b)


INTERVALS = {"logit": logistic_interval, "probit": normal_interval, "cloglog": extreme_interval}


# ---- exact values: bits ------------------------------------------------------------------------


def by_bits(rows: Any, bits: Sequence[list[int]]) -> Truth:
    """The logistic loss of the first logits of each row, as many as there are bits."""
    values, grads, hesses = [], [], []
    for row, row_bits in zip(rows, bits, strict=True):
        signs = [1 if bit else -1 for bit in row_bits]
        z = [s * x for s, x in zip(signs, row, strict=False)]
        rest = [exactly(mp.mpf(0))] * (len(row) - len(z))
        values.append(exactly(mp.fsum(softplus(-zk) for zk in z)))
        grads += [exactly(-s * sigmoid(-zk)) for s, zk in zip(signs, z, strict=True)] + rest
        hesses += [exactly(sigmoid(zk) * sigmoid(-zk)) for zk in z] + rest
    return values, {"input": grads}, {"input": hesses}


def coral(numbers: dict[str, Any]) -> Truth:
    x = numbers["input"]
    return by_bits(x, [[k < y for k in range(x.shape[1])] for y in numbers["target"]])


def corn(numbers: dict[str, Any]) -> Truth:
    x = numbers["input"]
    return by_bits(x, [[k < y for k in range(min(y + 1, x.shape[1]))] for y in numbers["target"]])


# ---- twins ---------------------------------------------------------------------------------------


def expit(z: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def _softplus(z: FloatArray) -> FloatArray:
    return np.logaddexp(z, z.dtype.type(0))


def _add_up(
    thresholds: FloatArray, target: Any, by_low: FloatArray, by_high: FloatArray
) -> FloatArray:
    """Derivatives with respect to the thresholds around each target, added up."""
    grades = len(thresholds) + 1
    grad = np.bincount(target, by_high, grades)[:-1] + np.bincount(target, by_low, grades)[1:]
    return grad.astype(thresholds.dtype)


def _ends(input: FloatArray, thresholds: FloatArray, target: Any) -> tuple[FloatArray, FloatArray]:
    inf = thresholds.dtype.type(np.inf)
    padded = np.concatenate([[-inf], thresholds, [inf]])
    return padded[target] - input, padded[target + 1] - input


def _densities(z: FloatArray, link: str) -> tuple[FloatArray, FloatArray]:
    """F and its derivative."""
    if link == "logit":
        p = expit(z)
        return p, p * (1 - p)
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(z)
        return -np.expm1(-e), np.where(e < np.inf, e * np.exp(-e), 0)


def ordinal_loss(
    input: FloatArray, thresholds: FloatArray, target: Any, *, link: str = "logit"
) -> Scalar:
    """Mean of ``-log(F(b) - F(a))``."""
    a, b = _ends(input, thresholds, target)
    return -np.mean(np.log(_densities(b, link)[0] - _densities(a, link)[0]))


def ordinal_loss_and_grad(
    input: FloatArray, thresholds: FloatArray, target: Any, *, link: str = "logit"
) -> TwoGrads:
    """Value and gradients of `ordinal_loss`."""
    a, b = _ends(input, thresholds, target)
    (p_a, f_a), (p_b, f_b) = _densities(a, link), _densities(b, link)
    p = p_b - p_a
    scale = 1 / (p * p.dtype.type(p.size))
    f_a, f_b = f_a * scale, f_b * scale
    return -np.mean(np.log(p)), (f_b - f_a, _add_up(thresholds, target, f_a, -f_b))


def all_threshold_loss(input: FloatArray, thresholds: FloatArray, target: Any) -> Scalar:
    """Mean of the sums of ``softplus(s * (threshold - x))``."""
    z = thresholds - input[:, None]
    above = target[:, None] > np.arange(len(thresholds))
    return np.mean(np.sum(_softplus(np.where(above, z, -z)), axis=1))


def all_threshold_loss_and_grad(input: FloatArray, thresholds: FloatArray, target: Any) -> TwoGrads:
    """Value and gradients of `all_threshold_loss`."""
    z = thresholds - input[:, None]
    above = target[:, None] > np.arange(len(thresholds))
    z = np.where(above, z, -z)
    slopes = expit(z) * np.where(above, z.dtype.type(-1), z.dtype.type(1))
    slopes /= z.dtype.type(len(z))
    value = np.mean(np.sum(_softplus(z), axis=1))
    by_thresholds = -slopes.sum(axis=0, dtype=np.float64)  # of many rows
    return value, (slopes.sum(axis=1), by_thresholds.astype(z.dtype))


def immediate_threshold_loss(input: FloatArray, thresholds: FloatArray, target: Any) -> Scalar:
    """Mean of ``softplus(a) + softplus(-b)``."""
    a, b = _ends(input, thresholds, target)
    return np.mean(_softplus(a) + _softplus(-b))


def immediate_threshold_loss_and_grad(
    input: FloatArray, thresholds: FloatArray, target: Any
) -> TwoGrads:
    """Value and gradients of `immediate_threshold_loss`."""
    a, b = _ends(input, thresholds, target)
    n = a.dtype.type(a.size)
    low, high = expit(a) / n, expit(-b) / n
    grads = high - low, _add_up(thresholds, target, low, -high)
    return np.mean(_softplus(a) + _softplus(-b)), grads


def coral_loss(input: FloatArray, target: Any) -> Scalar:
    """Mean of the sums of ``softplus(x) - t * x``."""
    levels = target[:, None] > np.arange(input.shape[1])
    return np.mean(np.sum(_softplus(np.where(levels, -input, input)), axis=1))


def coral_loss_and_grad(input: FloatArray, target: Any) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `coral_loss`."""
    levels = target[:, None] > np.arange(input.shape[1])
    value = np.mean(np.sum(_softplus(np.where(levels, -input, input)), axis=1))
    return value, (expit(input) - levels) / input.dtype.type(len(input))


def corn_loss(input: FloatArray, target: Any) -> Scalar:
    """Mean of ``softplus(x) - t * x`` over the steps that are taken, and the first that is not."""
    steps = np.arange(input.shape[1])
    there = target[:, None] >= steps
    z = np.where(target[:, None] > steps, -input, input)
    return np.sum(_softplus(z), where=there) / input.dtype.type(np.count_nonzero(there))


def corn_loss_and_grad(input: FloatArray, target: Any) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `corn_loss`."""
    steps = np.arange(input.shape[1])
    there, levels = target[:, None] >= steps, target[:, None] > steps
    count = input.dtype.type(np.count_nonzero(there))
    value = np.sum(_softplus(np.where(levels, -input, input)), where=there) / count
    return value, np.where(there, expit(input) - levels, input.dtype.type(0)) / count


# ---- rows ----------------------------------------------------------------------------------------


def scores(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(scale=2, size=n).astype(dtype),
        "thresholds": np.array([-2.25, -0.75, 0.5, 2.0], dtype),
        "target": rng.integers(0, GRADES, n),
    }


def hard_scores(rng: Generator, dtype: Any) -> Arrays:
    """Every grade, narrow ones too, with scores far from it on both sides, and near its ends."""
    info = np.finfo(dtype)
    thresholds = [-40, -1, -1e-3, 0, info.tiny, 1e-6, 0.5, 0.5 + info.eps, 7.3, 7.4, 80.25, 150]
    thresholds = np.array(thresholds, dtype)
    far = [0, 0.1, 1, 2.5, 7.35, 17, 30, 36.7, 40, 80.3, 88.8, 104, 700, 1e4, 1e10, info.tiny]
    x = np.array([s * z for z in far for s in (1, -1)] + [0.5, 7.3]).astype(dtype)
    x, y = np.meshgrid(x, np.arange(len(thresholds) + 1))
    return {"input": x.ravel(), "thresholds": thresholds, "target": y.ravel()}


def hard_for(farthest: float) -> Any:
    """As `hard_scores`, no score farther away than this."""

    def hard(rng: Generator, dtype: Any) -> Arrays:
        eps = np.finfo(dtype).eps
        thresholds = [-8, -1, -1e-3, 0, 1e-30, 1e-6, 0.5, 0.5 + eps, 1.25, 7.3, 7.4, 20]
        far = [0, 0.1, 1, 2.5, 5.5, 7.35, 12, 17, 22, 30, 36.7, 100, 1e4, eps]
        x = np.array([s * z for z in far if z <= farthest for s in (1, -1)] + [0.5, 7.3])
        x, y = np.meshgrid(x.astype(dtype), np.arange(len(thresholds) + 1))
        return {
            "input": x.ravel(),
            "thresholds": np.array(thresholds, dtype),
            "target": y.ravel(),
        }

    return hard


THRESHOLDS: dict[str, Any] = {
    "operands": ("input", "thresholds", "target"),
    "leaves": ("input", "thresholds"),
    "inputs": scores,
    "hard": hard_scores,
    "labels": ("target",),
    "domains": {"target": (-1, 1000)},
}


def logits(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(scale=3, size=(n, GRADES - 1)).astype(dtype),
        "target": rng.integers(0, GRADES, n),
    }


def hard_logits(rng: Generator, dtype: Any) -> Arrays:
    """Every grade with confident logits both ways."""
    info = np.finfo(dtype)
    sizes = [0, info.tiny, 1e-10, 0.5, 17, 30, 40, 87, 104, 745, 1e4, 1e30, np.inf]
    x = np.array([s * z for z in sizes for s in (1, -1)])
    x = np.array([np.roll(x, k) for k in range(len(x))])[:, : GRADES + 2]
    return {"input": x.astype(dtype), "target": np.arange(len(x)) % (x.shape[1] + 1)}


BITS: dict[str, Any] = {
    "operands": ("input", "target"),
    "leaves": ("input",),
    "inputs": logits,
    "hard": hard_logits,
    "labels": ("target",),
    "domains": {"target": (-1, 1000)},
    "weighted": False,
    "in_place": True,
}

JOINT += [
    Joint("ordinal_loss", truth=cumulative, **THRESHOLDS),
    Joint(
        "ordinal_loss",
        truth=cumulative,
        options={"link": "probit"},
        twin=False,
        **(THRESHOLDS | {"hard": hard_for(100)}),
    ),
    Joint(
        "ordinal_loss",
        truth=cumulative,
        options={"link": "cloglog"},
        **(THRESHOLDS | {"hard": hard_for(30)}),
    ),
    Joint("all_threshold_loss", truth=all_thresholds, **THRESHOLDS),
    Joint("immediate_threshold_loss", truth=immediate_thresholds, **THRESHOLDS),
    Joint("coral_loss", truth=coral, **BITS),
    Joint("corn_loss", truth=corn, **BITS),
]
