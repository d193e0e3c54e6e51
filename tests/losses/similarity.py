"""Losses between vectors: similarity, distance, triplets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.case import (
    ANYTHING,
    Arrays,
    FloatArray,
    Generator,
    Joint,
    Pair,
    Scalar,
    exactly,
    mp,
)

BOUNDLESS = 2.0**100  # a size for curvatures of which nothing is asked

JOINT: list[Joint] = []
Numbers = dict[str, NDArray[Any]]
Truth = tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]
Vector = list[Any]


# ---- scores of two vectors -----------------------------------------------------------------
#
# Of each a score, its derivatives with respect to the first vector and the second, and the second
# derivatives; sizes are those of the terms.


@dataclass
class Score:
    value: Pair
    slopes: tuple[list[Pair], list[Pair]]
    bends: tuple[list[Pair], list[Pair]]
    gap: Pair = (0, 0)  # 1 - value


def cosine(a: Vector, b: Vector, eps: float, smooth: bool) -> Score:
    """a·b over the norms; these are at least eps, or √(|a|² + eps²)."""
    e, zero = mp.mpf(eps), mp.mpf(0)
    norms = [mp.sqrt(mp.fsum(x * x for x in v)) for v in (a, b)]
    by = [mp.sqrt(n * n + e * e) if smooth else max(n, e) for n in norms]
    s = mp.fsum(x * y for x, y in zip(a, b, strict=True)) / (by[0] * by[1])
    size = mp.fsum(abs(x * y) for x, y in zip(a, b, strict=True)) / (by[0] * by[1])
    slopes, bends = [], []
    for x, y, n, m in ((a, b, norms[0], by[0]), (b, a, norms[1], by[1])):
        if smooth:
            r = q = 1 / (m * m)
        else:
            r, q = (1 / (m * n), 1 / (n * n)) if n else (zero, zero)
        slope, curvature = [], []
        for xi, yi in zip(x, y, strict=True):
            parts = [yi / (by[0] * by[1]), -s * r * xi]
            slope.append((mp.fsum(parts), abs(parts[0]) + size * r * abs(xi)))
            parts = [
                -2 * xi * yi * r / (by[0] * by[1]),
                -s * r,
                s * xi * xi * r * (2 * r + q),
            ]
            most = abs(parts[0]) + size * r + size * xi * xi * r * (2 * r + q)
            curvature.append((mp.fsum(parts), most))
        slopes.append(slope)
        bends.append(curvature)
    gap = 1 - s
    return Score(
        (s, size),
        (slopes[0], slopes[1]),
        (bends[0], bends[1]),
        (gap, max(gap, mp.mpf(2) ** -54)) if s > 0.5 else (gap, 1 + size),
    )


def distance(a: Vector, b: Vector, p: float, eps: float) -> Score:
    """The p-norm of u = a - b + eps."""
    e, zero = mp.mpf(eps), mp.mpf(0)
    u = [x - y + e for x, y in zip(a, b, strict=True)]
    rough = [abs(x - y) + abs(e) for x, y in zip(a, b, strict=True)]  # sizes of u
    largest = max(map(abs, u), default=zero)
    if p == mp.inf:
        d, rough_d = largest, max(rough, default=zero)
    elif largest:
        d = largest * mp.fsum((abs(x) / largest) ** p for x in u) ** (1 / mp.mpf(p))
        rough_d = d + mp.fsum(
            (abs(x) / d) ** (p - 1) * (r - abs(x)) for x, r in zip(u, rough, strict=True) if x
        )
    else:
        d, rough_d = zero, zero
    slope: list[Pair] = []
    curvature: list[Pair] = []
    ties = sum(abs(x) == largest for x in u)
    for x, r in zip(u, rough, strict=True):
        near = x != 0 and abs(x) < r * mp.mpf(2) ** -22
        if p == mp.inf:
            at = mp.sign(x) / ties if abs(x) == largest else zero
            close = any(0 < abs(largest - abs(y)) < mp.mpf(2) ** -22 * max(rough) for y in u)
            slope.append((at, ANYTHING if close or near else at))
            curvature.append(exactly(zero))
        elif x == 0 or d == 0:
            slope.append(exactly(zero))
            curvature.append(exactly(1 / d if p == 2 and d else zero))
        else:
            g = mp.sign(x) * (abs(x) / d) ** (p - 1)
            loose = 1 + abs(p - 1) * ((r - abs(x)) / abs(x) + (rough_d - d) / d)
            slope.append((g, ANYTHING if near and p <= 1 else abs(g) * loose))
            parts = [(p - 1) * abs(g) / abs(x), -(p - 1) * g * g / d]
            extra = 1 + (abs(p - 2) + 1) * ((r - abs(x)) / abs(x) + (rough_d - d) / d)
            curvature.append((mp.fsum(parts), mp.fsum(map(abs, parts)) * extra))
    minus = [(-x, size) for x, size in slope]
    return Score((d, rough_d), (slope, minus), (curvature, curvature))


def plus(*terms: tuple[Any, Pair]) -> Pair:
    """A sum of products of factors and results."""
    return (
        mp.fsum(factor * x for factor, (x, _) in terms),
        mp.fsum(abs(factor) * abs(size) for factor, (_, size) in terms),
    )


def gathered(names: tuple[str, ...], shapes: list[tuple[int, ...]], rows: list[Any]) -> Truth:
    """What the rows say of values and of each operand."""
    values = [row[0] for row in rows]
    grads = {name: [g for row in rows for g in row[1][k]] for k, name in enumerate(names)}
    hesses = {name: [h for row in rows for h in row[2][k]] for k, name in enumerate(names)}
    return values, grads, hesses


def over_rows(numbers: Numbers, names: tuple[str, ...], row: Any, leaves: int) -> Truth:
    """The truth of a loss whose rows are those of a matrix."""
    vectors = [numbers[name] for name in names]
    rows: list[Any] = []
    target = numbers.get("target") if "target" not in names else None
    for i in range(len(vectors[0])):
        extra = () if target is None else (target[i],)
        rows.append(row(*(list(v[i]) for v in vectors), *extra))
    return gathered(names[:leaves], [], rows)


def is_near(z: Any, size: Any) -> bool:
    return bool(z != 0 and abs(z) <= size * mp.mpf(2) ** -22)


def jumped(pairs: list[Pair], near: bool) -> list[Pair]:
    return [(x, BOUNDLESS if near else size) for x, size in pairs]


# ---- operands ------------------------------------------------------------------------------


def vectors(*names: str, target: Any = None, length: int = 5) -> Any:
    def inputs(rng: Generator, n: int, dtype: Any) -> Arrays:
        made = {name: rng.normal(size=(n, length)).astype(dtype) for name in names}
        if target is not None:
            made["target"] = rng.choice(target, n).astype(dtype)
        return made

    return inputs


def hard_vectors(*names: str, target: Any = None, square: bool = False) -> Any:
    """Zero, equal, opposite, nearly parallel vectors, and those of extreme lengths."""

    def hard(rng: Generator, dtype: Any) -> Arrays:
        info = np.finfo(dtype)
        x = rng.normal(size=3).astype(dtype)
        zero = np.zeros(3, dtype)
        reach = [1e15, 1e-15] if square else [info.max**0.9, info.tiny * 1e4]
        lengths = [dtype(r) for r in reach]
        pool = [
            zero,
            x,
            -x,
            x + x * np.array([1e-6, 0, 0]).astype(dtype),
            np.array([1, 0, 0], dtype),
            np.array([0, 1, 0], dtype),
            np.array([1, 1e-3, 0], dtype),
            *(x * r / np.abs(x).max() for r in lengths),
            *(np.array([0, -r, 0], dtype) for r in lengths),
            x * dtype(1e-9),
            x * dtype(1e-7),
        ]
        chosen = [(i, j) for i in range(len(pool)) for j in range(len(pool))]
        choice = rng.integers(0, len(pool), (len(chosen), len(names)))
        choice[:, :2] = chosen
        repeat = 2 if target is not None else 1
        made = {
            name: np.array([pool[k] for k in choice[:, i]] * repeat, dtype)
            for i, name in enumerate(names)
        }
        if target is not None:
            made["target"] = np.repeat(np.array([min(target), max(target)], dtype), len(chosen))
        return made

    return hard


# ---- cosine_embedding_loss -----------------------------------------------------------------


def cosine_embedding(numbers: Numbers, margin: float = 0.0) -> Truth:
    def row(a: Vector, b: Vector, t: Any) -> Any:
        s = cosine(a, b, 1e-6, True)
        if t > 0:
            factor, value, near = mp.mpf(-1), s.gap, False
        else:
            z, size = plus((1, s.value), (-1, exactly(mp.mpf(margin))))
            near = is_near(z, size) or bool(0 < abs(z) < 1e-290)
            value = (max(z, mp.mpf(0)), size)
            factor = mp.mpf(z >= 0)
        return (
            value,
            [jumped([plus((factor, g)) for g in slope], near) for slope in s.slopes],
            [jumped([plus((factor, h)) for h in curvature], near) for curvature in s.bends],
        )

    return over_rows(numbers, ("input1", "input2"), row, 2)


def _cosines(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cosines of rows, and the squares of their lengths."""
    aa = np.einsum("nd,nd->n", a, a) + a.dtype.type(1e-12)
    bb = np.einsum("nd,nd->n", b, b) + b.dtype.type(1e-12)
    s: FloatArray = np.einsum("nd,nd->n", a, b) / np.sqrt(aa * bb)
    return s, aa, bb


def cosine_similarity(x1: FloatArray, x2: FloatArray) -> FloatArray:
    """Cosines of rows."""
    aa = np.sqrt(np.einsum("nd,nd->n", x1, x1))
    bb = np.sqrt(np.einsum("nd,nd->n", x2, x2))
    s: FloatArray = np.einsum("nd,nd->n", x1, x2) / (np.maximum(aa, 1e-8) * np.maximum(bb, 1e-8))
    return s


def pairwise_distance(x1: FloatArray, x2: FloatArray) -> FloatArray:
    """Distances of rows."""
    u = x1 - x2 + x1.dtype.type(1e-6)
    d: FloatArray = np.sqrt(np.einsum("nd,nd->n", u, u))
    return d


def normalize(input: FloatArray) -> FloatArray:
    """Rows divided by their lengths."""
    lengths = np.sqrt(np.einsum("nd,nd->n", input, input))
    units: FloatArray = input / np.maximum(lengths, 1e-12)[:, None]
    return units


def cosine_embedding_loss(input1: FloatArray, input2: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``1 - cos`` where the target is 1, and of ``max(0, cos)`` where it is -1."""
    s, _, _ = _cosines(input1, input2)
    return np.mean(np.where(target > 0, 1 - s, np.maximum(s, 0)))


def cosine_embedding_loss_and_grad(
    input1: FloatArray, input2: FloatArray, target: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `cosine_embedding_loss`."""
    s, aa, bb = _cosines(input1, input2)
    value = np.mean(np.where(target > 0, 1 - s, np.maximum(s, 0)))
    factor = np.where(target > 0, -1, s >= 0).astype(s.dtype) / s.dtype.type(max(len(s), 1))
    cross = (factor / np.sqrt(aa * bb))[:, None]
    grad1 = cross * input2 - (factor * s / aa)[:, None] * input1
    grad2 = cross * input1 - (factor * s / bb)[:, None] * input2
    return value, (grad1, grad2)


JOINT += [
    Joint(
        "cosine_embedding_loss",
        ("input1", "input2", "target"),
        ("input1", "input2"),
        vectors("input1", "input2", target=(-1, 1)),
        hard_vectors("input1", "input2", target=(-1, 1)),
        cosine_embedding,
        options=options,
        bounds=(4, 5, 6),
        smooth=False,
        domains={"target": (0, 2, 0.5)},
        twin=not options,
        spread=("input2",),
        along=("input2",),
    )
    for options in ({}, {"margin": 0.25})
]


# ---- cosine_distance -----------------------------------------------------------------------


def cosine_distances(numbers: Numbers, eps: float = 1e-8) -> Truth:
    def row(a: Vector, b: Vector) -> Any:
        s = cosine(a, b, eps, False)
        slope, curvature = s.slopes[0], s.bends[0]
        return s.gap, [[plus((-1, g)) for g in slope]], [[plus((-1, h)) for h in curvature]]

    return over_rows(numbers, ("input", "target"), row, 1)


def _lengths(x: FloatArray) -> FloatArray:
    lengths: FloatArray = np.maximum(np.sqrt(np.einsum("nd,nd->n", x, x)), x.dtype.type(1e-8))
    return lengths


def cosine_distance(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of one less the cosine."""
    lengths = _lengths(input) * _lengths(target)
    return np.mean(1 - np.einsum("nd,nd->n", input, target) / lengths)


def cosine_distance_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `cosine_distance`."""
    length = _lengths(input)
    both = length * _lengths(target)
    s = np.einsum("nd,nd->n", input, target) / both
    count = s.dtype.type(max(len(s), 1))
    grad = (s / length**2 / count)[:, None] * input - (1 / both / count)[:, None] * target
    return np.mean(1 - s), grad


JOINT += [
    Joint(
        "cosine_distance",
        ("input", "target"),
        ("input",),
        vectors("input", "target"),
        hard_vectors("input", "target", square=True),
        cosine_distances,
        options=options,
        bounds=(4, 5, 6),
        twin=not options,
        spread=("target",),
        along=("target",),
    )
    for options in ({}, {"eps": 0.5})
]


# ---- triplet_margin_loss -------------------------------------------------------------------


def triplet_margin(
    numbers: Numbers,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    distance_function: Any = None,
) -> Truth:
    def row(a: Vector, b: Vector, c: Vector) -> Any:
        near, far, other = (distance(x, y, p, eps) for x, y in ((a, b), (a, c), (b, c)))
        share, undecided = mp.mpf(1), False
        if swap:
            gap = far.value[0] - other.value[0]
            undecided = is_near(gap, far.value[1] + other.value[1])
            share = mp.mpf(0.5) if gap == 0 else mp.mpf(gap < 0)
        farther = far.value if share > 0 else other.value
        z, size = plus((1, near.value), (-1, farther), (1, exactly(mp.mpf(margin))))
        unsure = undecided or is_near(z, size)
        on = mp.mpf(z >= 0)
        f = (on, -on * share, -on * (1 - share))

        def chained(kind: str) -> list[list[Pair]]:
            n, m, o = (getattr(score, kind) for score in (near, far, other))
            all_three = (
                ((f[0], n[0]), (f[1], m[0])),
                ((f[0], n[1]), (f[2], o[0])),
                ((f[1], m[1]), (f[2], o[1])),
            )
            return [
                jumped(
                    [plus((k, x), (q, y)) for x, y in zip(first, second, strict=True)],
                    unsure,
                )
                for (k, first), (q, second) in all_three
            ]

        return (max(z, mp.mpf(0)), size), chained("slopes"), chained("bends")

    return over_rows(numbers, ("anchor", "positive", "negative"), row, 3)


def _triplets(
    anchor: FloatArray, positive: FloatArray, negative: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Differences and their lengths, and the losses."""
    eps = anchor.dtype.type(1e-6)
    u, v = anchor - positive + eps, anchor - negative + eps
    near, far = np.sqrt(np.einsum("nd,nd->n", u, u)), np.sqrt(np.einsum("nd,nd->n", v, v))
    return u, v, near, far, near - far + 1


def triplet_margin_loss(anchor: FloatArray, positive: FloatArray, negative: FloatArray) -> Scalar:
    """Mean of ``max(0, |a - p + eps| - |a - n + eps| + 1)``."""
    return np.mean(np.maximum(_triplets(anchor, positive, negative)[-1], 0))


def triplet_margin_loss_and_grad(
    anchor: FloatArray, positive: FloatArray, negative: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray, FloatArray]]:
    """Value and gradients of `triplet_margin_loss`."""
    u, v, near, far, z = _triplets(anchor, positive, negative)
    factor = (z >= 0) / z.dtype.type(max(len(z), 1))
    u *= np.divide(factor, near, out=np.zeros_like(near), where=near > 0)[:, None]
    v *= np.divide(factor, far, out=np.zeros_like(far), where=far > 0)[:, None]
    return np.mean(np.maximum(z, 0)), (u - v, -u, v)


def triplet_margin_with_distance_loss(
    anchor: FloatArray, positive: FloatArray, negative: FloatArray
) -> Scalar:
    """`triplet_margin_loss`, whose distance is the default."""
    return triplet_margin_loss(anchor, positive, negative)


def triplet_margin_with_distance_loss_and_grad(
    anchor: FloatArray, positive: FloatArray, negative: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray, FloatArray]]:
    """Value and gradients of `triplet_margin_with_distance_loss`."""
    return triplet_margin_loss_and_grad(anchor, positive, negative)


TRIPLET = ("anchor", "positive", "negative")
_triplet = partial(
    Joint,
    operands=TRIPLET,
    leaves=TRIPLET,
    inputs=vectors(*TRIPLET),
    hard=hard_vectors(*TRIPLET),
    truth=triplet_margin,
    smooth=False,
    spread=("positive", "negative"),
    along=("positive", "negative"),
)
JOINT += [
    _triplet("triplet_margin_loss", options=options, twin=not options)
    for options in (
        {},
        {"swap": True},
        {"p": 1.0, "eps": 0.0, "margin": 0.5},
        {"p": float("inf"), "eps": 0.0},
        {"p": float("inf"), "eps": 0.0, "swap": True},
    )
]
JOINT += [
    _triplet(
        "triplet_margin_loss",
        hard=hard_vectors(*TRIPLET, square=True),
        options=options,
        twin=False,
    )
    for options in (
        {"p": 3.0, "eps": 0.0},
        {"p": 3.0, "eps": 0.0, "swap": True},
        {"p": 1.5, "eps": 0.0, "swap": True},
    )
]


class _Distance:
    """The default, as a function that is given."""

    def __call__(self, x1: FloatArray, x2: FloatArray) -> Any:
        import fusedloss as fl

        return fl.pairwise_distance(x1, x2)

    def vjp(self, x1: FloatArray, x2: FloatArray, grad_output: FloatArray) -> Any:
        import fusedloss as fl

        return fl.pairwise_distance.vjp(x1, x2, grad_output)

    def __repr__(self) -> str:
        return "given"


JOINT += [
    _triplet("triplet_margin_with_distance_loss", options=options, curved=False, twin=not options)
    for options in ({}, {"swap": True, "margin": 0.5})
]
JOINT += [
    _triplet(
        "triplet_margin_with_distance_loss",
        hard=vectors_of_ordinary_length,
        options={"distance_function": _Distance(), **options},
        curved=False,
        lean=False,
        bounds=(6, 8, 8),  # distances and gradients are rounded to the dtype in between
        twin=False,
    )
    for options in ({}, {"swap": True, "margin": 0.5})
    for vectors_of_ordinary_length in (lambda rng, dtype: vectors(*TRIPLET)(rng, 40, dtype),)
]


# ---- contrastive_loss ----------------------------------------------------------------------


def contrastive(numbers: Numbers, margin: float = 1.0) -> Truth:
    def row(a: Vector, b: Vector, t: Any) -> Any:
        s = distance(a, b, 2, 0.0)
        d, size = s.value
        rest, rest_size = max(mp.mpf(margin) - d, mp.mpf(0)), abs(margin) + size
        near = is_near(mp.mpf(margin) - d, rest_size)
        active = margin > d
        value = plus((t, (d * d, d * d)), (1 - t, (rest * rest, rest * rest_size)))
        second = (-2 * (1 - t) * rest, 2 * (1 - t) * rest_size if active else 0)
        first = plus((t, (2 * d, 2 * d)), (1, second))
        square = 2 * (1 - t) if active else mp.mpf(0)
        slopes: list[list[Pair]] = []
        bends: list[list[Pair]] = []
        for slope, curvature in zip(s.slopes, s.bends, strict=True):
            slopes.append([(first[0] * g, first[1] * abs(g)) for g, _ in slope])
            bends.append(
                jumped(
                    [
                        (
                            second[0] * h + square * g * g + 2 * t,
                            second[1] * abs(size) + square * g * g + 2 * t,
                        )
                        for (g, _), (h, size) in zip(slope, curvature, strict=True)
                    ],
                    near,
                )
            )
        return value, slopes, bends

    return over_rows(numbers, ("input1", "input2"), row, 2)


def _pairs(input1: FloatArray, input2: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Differences, their lengths, and what is left of the margin."""
    u = input1 - input2
    d = np.sqrt(np.einsum("nd,nd->n", u, u))
    return u, d, np.maximum(1 - d, 0)


def contrastive_loss(input1: FloatArray, input2: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``t d² + (1 - t) max(0, 1 - d)²``."""
    _, d, rest = _pairs(input1, input2)
    return np.mean(target * d**2 + (1 - target) * rest**2)


def contrastive_loss_and_grad(
    input1: FloatArray, input2: FloatArray, target: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `contrastive_loss`."""
    u, d, rest = _pairs(input1, input2)
    value = np.mean(target * d**2 + (1 - target) * rest**2)
    push = np.divide((1 - target) * rest, d, out=np.zeros_like(d), where=d > 0)
    u *= ((target - push) * u.dtype.type(2 / max(len(d), 1)))[:, None]
    return value, (u, -u)


JOINT += [
    Joint(
        "contrastive_loss",
        ("input1", "input2", "target"),
        ("input1", "input2"),
        vectors("input1", "input2", target=(0, 0.25, 1)),
        hard_vectors("input1", "input2", target=(0, 1), square=True),
        contrastive,
        options=options,
        domains={"target": (-1, 2, 1.5)},
        twin=not options,
        spread=("input2",),
        along=("input2",),
    )
    for options in ({}, {"margin": 3.0})
]
