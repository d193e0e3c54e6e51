"""Scores of ensemble forecasts, and of probabilities of ordered categories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, RowPairs, Rows, Scalar, mp

JOINT: list[Joint] = []
ROWS: list[Rows] = []
IntArray = NDArray[np.integer[Any]]
Truth = tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]

MEMBERS = 7
MASK = [1, 1, 0, 1, 1, 0, 1]


def zero() -> Pair:
    return mp.mpf(0), mp.mpf(0)


def exactly(x: Any) -> Pair:
    return x, x


def of_ensembles(
    numbers: dict[str, Any],
    where: Any,
    score: Callable[[Any, Any], tuple[Pair, list[Pair], list[Pair]]],
) -> Truth:
    """The ensembles one by one, of members that are along the second axis; `score` is of those that
    are not left out, and gives derivatives by all of their coordinates."""
    x = numbers["input"]
    t = np.broadcast_to(numbers["target"], (x.shape[0], *x.shape[2:]))
    there = np.broadcast_to(True if where is None else np.asarray(where) != 0, x.shape[:2])
    values, grads, hesses = [], [], []
    for members, y, left in zip(x, t, there, strict=True):
        value, slopes, bends = zero(), [], []
        if left.any():
            value, slopes, bends = score(members[left], y)
        values.append(value)
        size = members[0].size if members.ndim > 1 else 1
        for to, found in ((grads, iter(slopes)), (hesses, iter(bends))):
            for one in left:
                to += [next(found) if one else zero() for _ in range(size)]
    return values, {"input": grads}, {"input": hesses}


# ---- crps_ensemble -------------------------------------------------------------------------

#: Sums of numbers from the smallest to the largest are exact in so many bits.
EXACT = 2400


def crps(numbers: dict[str, Any], where: Any = None, fair: bool = False) -> Truth:
    """By the definition, all pairs one by one."""

    def score(x: Any, t: Any) -> tuple[Pair, list[Pair], list[Pair]]:
        n = len(x)
        pairs = n * (n - fair)
        with mp.workprec(EXACT):
            errors = mp.fsum([abs(a - t) for a in x])
            differences = mp.fsum([abs(a - b) for a in x for b in x])
            value = errors / n - differences / (2 * pairs)
        grad = [
            mp.mpf(int(np.sign(a - t)) * (n - fair) - sum(int(a > b) - int(a < b) for b in x))
            / pairs
            for a in x
        ]
        return exactly(+value), [exactly(g) for g in grad], [zero()] * n

    return of_ensembles(numbers, where, score)


def crps_ensemble(input: FloatArray, target: FloatArray, fair: bool = False) -> Scalar:
    """Mean of ``|x - t|`` less half of the mean difference of the members, from their order."""
    x = np.sort(input, axis=1)
    members = x.shape[1]
    weight = (2 * np.arange(members) + 1 - members).astype(x.dtype)
    spread = (x @ weight) / x.dtype.type(members * (members - fair))
    return np.mean(np.abs(x - target[:, None]).mean(axis=1) - spread)


def crps_ensemble_and_grad(
    input: FloatArray, target: FloatArray, fair: bool = False
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `crps_ensemble`, of members that are all different."""
    order = np.argsort(input, axis=1)
    x = np.take_along_axis(input, order, axis=1)
    count, members = x.shape
    pairs = x.dtype.type(members * (members - fair))
    weight = (2 * np.arange(members) + 1 - members).astype(x.dtype)
    d = x - target[:, None]
    value = np.mean(np.abs(d).mean(axis=1) - (x @ weight) / pairs)
    slope = np.sign(d) * x.dtype.type(members - fair)
    slope -= weight
    slope /= pairs * x.dtype.type(count)
    grad = np.empty_like(slope)
    np.put_along_axis(grad, order, slope, axis=1)
    return value, grad


def ensembles(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(size=(n, MEMBERS)).astype(dtype),
        "target": rng.normal(size=n).astype(dtype),
    }


def hard_ensembles(rng: Generator, dtype: Any) -> Arrays:
    """All equal, ties, members equal to the target, far from 0, tiny and huge."""
    info = np.finfo(dtype)
    tiny, huge = float(info.tiny), float(info.max) / 4
    rows = [
        [0.0] * MEMBERS,
        [1.1] * MEMBERS,
        [1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0],
        [-0.0, 0.0, -0.0, 0.0, 1.0, -1.0, 0.0],
        [1e4, 1e4 + 0.25, 1e4 - 0.25, 1e4, 1e4 + 1, 1e4, 1e4 - 3],
        [1e30, -1e30, 1.0, 1e-30, 0.0, -1e-30, 7.0],
        [tiny, -tiny, 4 * tiny, 0.0, tiny / 32, 3 * tiny, tiny / 8],
        [huge, -huge, huge / 2, -huge / 2, 0.0, huge, 1.0],
        [5.0, 4.0, 3.0, 2.0, 1.0, 0.0, -1.0],
        [1 + float(info.eps), 1.0, 1.0, 1 - float(info.eps), 1.0, 1.0, 1.0],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
        [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
    ]
    t = [0.0, -2.3, 3.0, 0.0, 1e4 + 0.25, 3.0, 2 * tiny, huge / 4, 9.0, 1.0, -1e10, 0.35]
    return {"input": np.array(rows).astype(dtype), "target": np.array(t).astype(dtype)}


JOINT += [
    Joint(
        "crps_ensemble",
        ("input", "target"),
        ("input",),
        ensembles,
        hard_ensembles,
        crps,
        options=options,
        smooth=False,
        in_place=True,
        twin="where" not in options,
    )
    for options in ({}, {"fair": True}, {"where": MASK}, {"where": MASK, "fair": True})
]


# ---- energy_score --------------------------------------------------------------------------


def energy(numbers: dict[str, Any], where: Any = None, fair: bool = False) -> Truth:
    """By the definition, all pairs one by one."""

    def score(x: Any, t: Any) -> tuple[Pair, list[Pair], list[Pair]]:
        n, size = x.shape
        pairs = n * (n - fair)

        def parts(a: Any, b: Any) -> tuple[Any, list[Any], list[Any], list[Any]]:
            d = a - b
            r = mp.sqrt(mp.fsum([di * di for di in d]))
            if r == 0:
                return r, *([mp.mpf(0)] * size for _ in range(3))
            u = [di / r for di in d]
            return r, u, [(1 - ui * ui) / r for ui in u], [1 / r] * size

        value, spread = mp.mpf(0), mp.mpf(0)
        grads, hesses = [], []
        for a in x:
            r, u, bend, sharp = parts(a, t)
            value += r / n
            rows = [([ui / n for ui in u], [h / n for h in bend], [s / n for s in sharp])]
            for b in x:
                r, u, bend, sharp = parts(a, b)
                spread += r / (2 * pairs)
                rows.append(
                    (
                        [-ui / pairs for ui in u],
                        [-h / pairs for h in bend],
                        [s / pairs for s in sharp],
                    )
                )
            for k in range(size):
                g = [row[0][k] for row in rows]
                h = [row[1][k] for row in rows]
                grads.append((mp.fsum(g), mp.fsum([abs(v) for v in g])))
                hesses.append((mp.fsum(h), mp.fsum([row[2][k] for row in rows])))
        return (value - spread, value + spread), grads, hesses

    return of_ensembles(numbers, where, score)


def _distances(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    d = x - y
    return d, np.sqrt(np.einsum("...k,...k->...", d, d))


def energy_score(input: FloatArray, target: FloatArray, fair: bool = False) -> Scalar:
    """Mean distance from the target less half of the mean distance of the members."""
    members = input.shape[1]
    _, near = _distances(input, target[:, None])
    _, apart = _distances(input[:, :, None], input[:, None])
    pairs = input.dtype.type(2 * members * (members - fair))
    return np.mean(near.mean(axis=1) - apart.sum(axis=(1, 2)) / pairs)


def energy_score_and_grad(
    input: FloatArray, target: FloatArray, fair: bool = False
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `energy_score`."""
    count, members, _ = input.shape
    d, near = _distances(input, target[:, None])
    e, apart = _distances(input[:, :, None], input[:, None])
    pairs = input.dtype.type(2 * members * (members - fair))
    value = np.mean(near.mean(axis=1) - apart.sum(axis=(1, 2)) / pairs)
    near[near == 0] = np.inf
    apart[apart == 0] = np.inf
    grad: FloatArray = d / (near[..., None] * input.dtype.type(members * count))
    e /= apart[..., None]
    grad -= e.sum(axis=2) / (pairs / 2 * input.dtype.type(count))
    return value, grad


def vector_ensembles(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(size=(n, MEMBERS, 3)).astype(dtype),
        "target": rng.normal(size=(n, 3)).astype(dtype),
    }


def hard_vector_ensembles(rng: Generator, dtype: Any) -> Arrays:
    """Equal vectors, those equal to the target, far from 0, tiny and huge."""
    x = rng.normal(size=(8, MEMBERS, 3))
    t = rng.normal(size=(8, 3))
    x[0] = 1.1
    x[1, 1:4] = x[1, 0]
    t[2] = x[2, 3]
    x[3] += 1e4
    t[3] += 1e4
    x[4] *= 1e-30
    t[4] *= 1e-30
    x[5] *= 1e30
    t[5] *= 1e30
    x[6, 2:] *= 1e20
    x[7, :, 1:] = 0
    t[7, 1:] = 0
    return {"input": x.astype(dtype), "target": t.astype(dtype)}


def wide_vector_ensembles(rng: Generator, n: int, dtype: Any) -> Arrays:
    """Vectors of more coordinates than a piece, and more members than are looked at together."""
    return {
        "input": rng.normal(size=(min(n, 2), 35, 130)).astype(dtype),
        "target": rng.normal(size=(min(n, 2), 130)).astype(dtype),
    }


JOINT += [
    Joint(
        "energy_score",
        ("input", "target"),
        ("input",),
        vector_ensembles,
        hard_vector_ensembles,
        energy,
        options=options,
        twin="where" not in options,
    )
    for options in ({}, {"fair": True}, {"where": MASK}, {"where": MASK, "fair": True})
]


# ---- ranked_probability_score --------------------------------------------------------------


def rps(x: Sequence[Any], target: Any, w: Sequence[Any]) -> RowPairs:
    """Σ D², D the cumulative differences. These keep their digits but where they cancel to less
    than a millionth of what is added up."""
    classes, share = len(x), mp.mpf(2) ** -20
    t = [mp.mpf(k == target) for k in range(classes)] if isinstance(target, int) else list(target)
    d, size, ds = mp.mpf(0), mp.mpf(0), []
    for p_k, t_k in zip(x, t, strict=True):
        d += p_k - t_k
        size += abs(p_k) + abs(t_k)
        ds.append((d, abs(d) + share * size))
    value = mp.fsum([d * d for d, _ in ds]), mp.fsum([s * s for _, s in ds])
    total, total_size = zero()
    grad = []
    for d, s in reversed(ds):
        total += 2 * d
        total_size += 2 * s
        grad.append((total, total_size))
    hess = [exactly(mp.mpf(2 * (classes - k))) for k in range(classes)]
    return value, grad[::-1], hess


def ranked_probability_score(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of the squares of cumulative probabilities less cumulative indicators, summed."""
    d = np.cumsum(input, axis=1)
    d -= np.arange(input.shape[1]) >= target[:, None]
    return np.mean(np.einsum("ij,ij->i", d, d))


def ranked_probability_score_and_grad(
    input: FloatArray, target: IntArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `ranked_probability_score`."""
    d = np.cumsum(input, axis=1)
    d -= np.arange(input.shape[1]) >= target[:, None]
    value = np.mean(np.einsum("ij,ij->i", d, d))
    grad: FloatArray = np.cumsum(d[:, ::-1], axis=1)[:, ::-1] * (2 / input.dtype.type(len(input)))
    return value, grad


ROWS += [
    Rows("ranked_probability_score", rps, target, weights=None, invariant=False)
    for target in ("class", "probability")
]
