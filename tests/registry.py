"""Every loss and activation once: how to call it, its exact values, its hard inputs.

The rows stand in tests/losses/, with the exact values (MPFR) and the NumPy twins. Here is what
makes tests and benchmarks of them: operands by kind, and errors in units in the last place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tests.losses import (
    activations,
    binary,
    boxes,
    classification,
    contrastive,
    counts,
    distributions,
    ensembles,
    forecasts,
    grouped,
    linear_heads,
    location_scale,
    margins,
    ndcg,
    ordinal,
    ranking,
    regions,
    regression,
    sequences,
    similarity,
    survival,
)
from tests.losses.case import (
    ANYTHING,
    Elementwise,
    ElementwiseActivation,
    Joint,
    Options,
    Pair,
    Rows,
    exactly,
    mp,
)

__all__ = [
    "ACTIVATIONS",
    "ANYTHING",
    "CLASSES",
    "DTYPES",
    "ELEMENTWISE",
    "JOINT",
    "KINDS",
    "MECHANISMS",
    "ONE_OF_EACH",
    "ROWS",
    "ROWS_ONE_OF_EACH",
    "ROW_ACTIVATIONS",
    "ROW_MECHANISMS",
    "Elementwise",
    "ElementwiseActivation",
    "Exact",
    "Joint",
    "Kind",
    "Options",
    "Pair",
    "Rows",
    "elementwise_inputs",
    "exactly",
    "hard_numbers",
    "row_activation_truth",
    "rows_inputs",
]

Array = np.ndarray[Any, Any]
Generator = np.random.Generator

inf = float("inf")
DTYPES = (np.float32, np.float64)

ELEMENTWISE = [
    case
    for module in (regression, binary, distributions, counts, location_scale, forecasts, survival)
    for case in module.ELEMENTWISE
]
ROWS = [
    case
    for module in (classification, margins, ordinal, survival, ensembles)
    for case in module.ROWS
]
JOINT = [
    case
    for module in (
        *(similarity, contrastive, linear_heads, ranking, regions, boxes, sequences),
        *(survival, ordinal, grouped, ndcg, classification, ensembles),
    )
    for case in module.JOINT
]
ACTIVATIONS = activations.ACTIVATIONS
ROW_ACTIVATIONS = activations.ROW_ACTIVATIONS
row_activation_truth = activations.row_activation_truth


# ---- kinds of operands ---------------------------------------------------------------------


def hard_numbers(dtype: Any) -> Array:
    """Zero, subnormals, tiny, the places where exp and log1p change, and huge numbers."""
    info = np.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, info.eps / 2, info.eps, 1e-4, 0.3, 0.5, 1, 1.5]
    sizes += [2.5, 7, 14.7, 15, 16.6, 17, 36.7, 40, 80.25, 87, 88.5, 88.8, 100, 103.3, 104.5]
    sizes += [1e-40, 1e-19, 1e-10, 300, 700, 708.4, 709.9, 744, 745.5, 1e10, 1e18, 1e30]
    return np.array([s * x for x in sizes for s in (1, -1)]).astype(dtype)


def _positive(dtype: Any) -> list[float]:
    info = np.finfo(dtype)
    near_one = [1 - info.eps / 2, 1 - 1e-3, 1, 1 + info.eps, 1.001]
    sizes = [1e-30, 1e-18, 1e-8, 1e-4, 0.1, 0.5, 1.5, 2, 2.5, 17, 40, 170, 1e6, 1e10, 1e18, 1e30]
    return [info.smallest_subnormal, info.tiny, info.eps, *near_one, *sizes]


def _probabilities(dtype: Any) -> list[float]:
    info = np.finfo(dtype)
    low = [0, info.smallest_subnormal, info.tiny, 1e-30, 4e-24, 1e-13, 1e-12, 2e-12, info.eps]
    low += [1e-5, 0.006, 0.007, 0.1, 0.25, 0.5]
    return [*low, *(1 - x for x in (info.eps / 2, info.eps, 1e-5, 0.007, 0.1, 0.25)), 1]


def _labels(dtype: Any) -> list[float]:
    eps = np.finfo(dtype).eps
    return [0, 1e-20, 1e-9, eps, 1e-5, 0.1, 0.25, 0.5, 0.75, 0.9, 1 - 1e-5, 1 - eps / 2, 1]


def _logarithms(dtype: Any) -> list[float]:
    return [-inf, *(-abs(x) for x in hard_numbers(dtype).tolist() if abs(x) < 1e20)]


def _spread(low: float, high: float) -> Callable[[Generator, int], Array]:
    """Positive numbers with exponents from low to high."""
    return lambda rng, n: 10 ** rng.uniform(low, high, n)


def _any_size(rng: Generator, n: int) -> Array:
    return rng.normal(size=n) * 10 ** rng.uniform(-4, 2.5, n)


def _unit(rng: Generator, n: int) -> Array:
    """From 0 to 1, also near the ends."""
    x = np.where(rng.random(n) < 0.5, rng.random(n), 10 ** rng.uniform(-6, 0, n))
    return np.where(rng.random(n) < 0.5, x, 1 - x)


@dataclass(frozen=True)
class Kind:
    """A kind of operand: which numbers it may hold, and those to try."""

    hard: Callable[[Any], Iterable[float]]  # of a dtype
    few: tuple[float, ...]  # the hard ones as a target: each with every hard input
    random: Callable[[Generator, int], Array]  # of every magnitude
    typical: Callable[[Generator, Any], Array]  # of a shape, as in practice; never all zeros
    moderate: tuple[float, float]  # whose results are not huge, even in half precision
    whole: tuple[int, int] | None = (0, 4)  # whole numbers, the ends included; None: there are none
    bad: tuple[float, ...] = ()  # outside the domain


def _normal(scale: float) -> Callable[[Generator, Any], Array]:
    return lambda rng, shape: rng.normal(0, scale, shape)


_REAL = Kind(hard_numbers, (0, 1, -2.5), _any_size, _normal(1), (-30, 30))
_POSITIVE = Kind(
    _positive,
    (1, 2.5),
    _spread(-3, 3),
    lambda rng, shape: rng.uniform(0.25, 4, shape),
    (0.25, 10),
    whole=(1, 4),
    bad=(0.0, -1.0, -inf),
)
_COUNT = Kind(
    lambda dtype: [0, *_positive(dtype)],
    (0, 0.5, 1, 1.5, 3, 170, 1e6),
    _spread(-2, 3),
    lambda rng, shape: rng.poisson(2.0, shape),
    (0, 10),
    bad=(-1.0, -0.5, -inf),
)
_UNIT = Kind(
    _probabilities,
    (0, 1, 0.5),
    _unit,
    lambda rng, shape: rng.uniform(0.01, 0.99, shape),
    (0.05, 0.95),
    whole=(0, 1),
    bad=(-0.5, 1.5, 2.0, inf, -inf),
)
_LABEL = Kind(
    _labels,
    (0, 1, 0.5, 0.1, 0.9, 2.0**-10),
    _unit,
    lambda rng, shape: rng.integers(0, 2, shape),
    (0, 1),
    whole=(0, 1),
    bad=_UNIT.bad,
)


def _changed(kind: Kind, **fields: Any) -> Kind:
    return Kind(**(vars(kind) | fields))


KINDS = {
    "real": _REAL,
    "logit": _changed(_REAL, typical=_normal(3)),
    "exponent": _changed(_REAL, moderate=(-2.5, 2.5)),
    "scale": Kind(  # what is divided by
        hard_numbers,
        (0, 1, -2.5, 1e-30, 1e-3),
        _any_size,
        lambda rng, shape: rng.uniform(0.5, 2, shape),
        (0.25, 10),
        whole=(1, 4),
    ),
    "above -1": Kind(
        lambda dtype: [-1, -1 + np.finfo(dtype).eps / 2, -0.999, -0.75, *_above_minus_1(dtype)],
        (0, 1, -0.5, -1 + 2.0**-20, 1e-10, 1e6),
        lambda rng, n: np.where(rng.random(n) < 0.3, -rng.random(n), 10 ** rng.uniform(-4, 3, n)),
        lambda rng, shape: rng.gamma(2.0, 1.0, shape),
        (-0.75, 30),
        bad=(-1.5, -2.0, -inf),
    ),
    "positive": _POSITIVE,
    "power": _changed(  # what is raised to it stays moderate
        _POSITIVE, typical=lambda rng, shape: rng.uniform(0.5, 1.25, shape), moderate=(0.25, 1)
    ),
    "wide scale": _changed(_POSITIVE, moderate=(1, 10)),  # residuals in it have exponentials
    "factor": _changed(_POSITIVE, random=_spread(-1, 1), moderate=(0.1, 10), bad=()),
    "mean": _changed(  # one that is raised to powers
        _POSITIVE, hard=lambda dtype: [x for x in _positive(dtype) if 1e-9 < x < 1e9]
    ),
    "rate": Kind(
        lambda dtype: [0, *_positive(dtype)],
        (0, 1),
        _spread(-3, 3),
        lambda rng, shape: rng.uniform(0.25, 4, shape),
        (0.25, 10),
        bad=(-1.0, -0.5, -inf),
    ),
    "variance": Kind(
        lambda dtype: [0, *_positive(dtype)],
        (1, 0.5),
        _spread(-3, 3),
        lambda rng, shape: rng.uniform(0.25, 4, shape),
        (0.5, 10),
        whole=(1, 4),
        bad=(-1.0, -0.5, -inf),
    ),
    "scale from 0 on": Kind(  # which may not be so small that its quotients lose digits
        lambda dtype: [0, *(x for x in _positive(dtype) if x >= np.finfo(dtype).tiny)],
        (1, 0.5),
        _spread(-3, 3),
        lambda rng, shape: rng.uniform(0.25, 4, shape),
        (0.5, 10),
        whole=(1, 4),
        bad=(-1.0, -0.5, -inf),
    ),
    "count": _COUNT,
    "dispersed count": _changed(
        _COUNT,
        hard=lambda dtype: [0, 0.5, 1, 1.5, 2, 3, 17, 170, 1e4, 1e6, 1e10],
        few=(0, 1, 3, 170, 1e6),
        random=lambda rng, n: np.floor(10 ** rng.uniform(-0.5, 3, n)),
    ),
    "dispersion": Kind(
        lambda dtype: [0, 1e-18, 1e-8, 1e-4, 0.1, 0.5, 1 - 1e-3, 1, 1.5, 2.5, 17, 170, 1e6],
        (0, 1, 0.1),
        lambda rng, n: 10 ** rng.uniform(-3, 2, n),
        lambda rng, shape: rng.uniform(0.25, 4, shape),
        (0.1, 4),
        whole=(0, 4),
        bad=(-1.0, -0.5, -inf),
    ),
    "spread": Kind(  # a dispersion, but not 0, where derivatives grow with 1/p
        lambda dtype: [1e-8, 1e-4, 0.1, 0.5, 1 - 1e-3, 1, 1.5, 2.5, 17, 170, 1e6],
        (1, 0.1),
        lambda rng, n: 10 ** rng.uniform(-3, 2, n),
        lambda rng, shape: rng.uniform(0.25, 4, shape),
        (0.1, 4),
        whole=(1, 4),
        bad=(-1.0, -0.5, -inf),
    ),
    "precision": Kind(
        lambda dtype: [1e-4, 0.1, 0.5, 1 - 1e-3, 1, 1.5, 2.5, 17, 170, 1e4, 1e6],
        (1, 2.5),
        lambda rng, n: 10 ** rng.uniform(-1, 3, n),
        lambda rng, shape: rng.uniform(0.5, 40, shape),
        (0.25, 10),
        whole=(1, 4),
        bad=(0.0, -1.0, -inf),
    ),
    "successes": Kind(  # of at least 20 trials
        lambda dtype: [0, 0.5, 1, 1.5, 2, 3, 10, 17, 19, 20],
        (0, 1, 10, 20),
        lambda rng, n: rng.integers(0, 21, n),
        lambda rng, shape: rng.integers(0, 21, shape),
        (0, 20),
        bad=(-1.0, -0.5, -inf, inf),
    ),
    "trials": Kind(
        lambda dtype: [20, 20.5, 21, 33, 170, 1e4, 1e6],
        (20, 33),
        lambda rng, n: np.floor(10 ** rng.uniform(1.302, 3, n)),
        lambda rng, shape: rng.integers(20, 60, shape),
        (20, 60),
        whole=(20, 24),
        bad=(-1.0, -0.5, -inf),
    ),
    "share": Kind(  # neither 0 nor 1
        lambda dtype: [p for p in _probabilities(dtype) if 1e-20 < p < 1],
        (0.5, 0.1, 0.9, 1e-6),
        lambda rng, n: np.clip(_unit(rng, n), 1e-6, 1 - 1e-6),
        lambda rng, shape: rng.uniform(0.01, 0.99, shape),
        (0.05, 0.95),
        whole=None,
        bad=(0.0, 1.0, -0.5, 1.5, inf, -inf),
    ),
    "probability": _UNIT,
    "label": _LABEL,
    "free label": _changed(_LABEL, bad=()),
    "mass": _changed(
        _UNIT,
        few=(0, 1, 0.5, 0.1, 1e-9, 2.5),
        moderate=(0, 1),
        bad=(-0.5, -2.0, -inf),
    ),
    "positive mass": _changed(  # 0 has infinite derivatives
        _UNIT,
        few=(1, 0.5, 0.1, 1e-9, 2.5, 0),
        moderate=(0.01, 1),
        whole=(1, 1),
        bad=(-0.5, -2.0, -inf),
    ),
    "level": _changed(_UNIT, bad=(-0.5, 1.5, inf, -inf)),
    "tails": _changed(  # what an interval leaves out
        _UNIT,
        hard=lambda dtype: [p for p in _probabilities(dtype) if p > 1e-35],
        few=(1, 0.5, 0.05),
        random=lambda rng, n: 10 ** rng.uniform(-6, 0, n),
        whole=(1, 1),
        bad=(0.0, -0.5, 1.5, inf, -inf),
    ),
    "log-probability": Kind(
        _logarithms,
        (0, -0.5, -17, -100, -inf, -1e-9),
        lambda rng, n: -(10 ** rng.uniform(-6, 2.5, n)),
        lambda rng, shape: np.log(rng.uniform(1e-3, 1, shape)),
        (-8, 0),
    ),
    "sign": Kind(
        lambda dtype: (-1, 1),
        (-1, 1),
        lambda rng, n: rng.choice([-1.0, 1.0], n),
        lambda rng, shape: rng.choice([-1.0, 1.0], shape),
        (-1, 1),
        whole=(-1, 1),
        bad=(0.5, 0.0, 2.0, -3.0, inf),
    ),
}


def _above_minus_1(dtype: Any) -> list[float]:
    return [x for x in hard_numbers(dtype).tolist() if x > -1]


def elementwise_inputs(case: Elementwise, dtype: Any) -> tuple[Array, ...]:
    """The operands that have kinds: hard numbers, and random ones of every magnitude."""
    rng = np.random.default_rng(7)
    kind, target = KINDS[case.input], KINDS[case.target]
    hard = np.array(list(kind.hard(dtype))).astype(dtype)
    few = np.array(target.few).astype(dtype)
    x, t = (a.ravel() for a in np.meshgrid(hard, few))
    n = 300
    random_x, random_t = kind.random(rng, n).astype(dtype), target.random(rng, n).astype(dtype)
    if target.whole == (0, 4):
        random_t[::3] = np.round(random_t[::3])
    parts_x, parts_t = [x, random_x], [t, random_t]
    if case.target != "sign":  # each hard target once more, with some input
        more = np.array(list(target.hard(dtype))).astype(dtype)
        parts_x.append(kind.random(rng, more.size).astype(dtype))
        parts_t.append(more)
    if case.input == case.target:  # nearly equal ones
        near = np.repeat(random_t[:24], 2)
        steps = np.array([2.0**-k for k in range(24) for _ in range(2)]).astype(dtype)
        side = np.resize([-1, 1], near.size).astype(dtype)
        parts_x += [near + np.abs(near) * steps * side, np.nextafter(near, side * inf)]
        parts_t += [near, near]
    for kink in case.kinks:
        for step in (-inf, inf, None):
            d = np.asarray(kink, dtype) if step is None else np.nextafter(dtype(kink), dtype(step))
            for other in target.few if case.target == "sign" else (0,):
                parts_x.append(np.asarray([d], dtype))
                parts_t.append(np.asarray([other], dtype))
    x, t = np.concatenate(parts_x).astype(dtype), np.concatenate(parts_t).astype(dtype)
    inside = np.ones(x.size, bool)
    if case.input == "above -1":
        inside = (x >= -1) & (t > -1)
    elif case.input == "log-probability":
        inside = x <= 0
    x, t = x[inside], t[inside]
    return (
        x,
        t,
        *(_more(rng, name, kind, x.size, dtype) for name, kind in [*case.kinds.items()][2:]),
    )


def _more(rng: Generator, name: str, kind: str, n: int, dtype: Any) -> Array:
    """Numbers of a kind, for operands with which not every hard input needs to meet."""
    if kind == "factor":
        return rng.uniform(0.1, 10, n).astype(dtype)
    hard = np.array(list(KINDS[kind].hard(dtype))).astype(dtype)
    some = rng.random(n)
    numbers = np.where(some < 0.4, rng.choice(hard, n), KINDS[kind].random(rng, n))
    some_value = 0 if kind == "real" else max(1, (KINDS[kind].whole or (1,))[0])
    return np.where(some > 0.8, dtype(some_value), numbers).astype(dtype)


# ---- some rows for the tests that take long ------------------------------------------------


C = TypeVar("C")


def _first_of(cases: Iterable[C], key: Callable[[C], Hashable]) -> list[C]:
    """The first row of each key."""
    rows: dict[Hashable, C] = {}
    for case in cases:
        rows.setdefault(key(case), case)
    return list(rows.values())


#: A row for each loss, and for each of its gradients.
ONE_OF_EACH = _first_of(ELEMENTWISE, lambda case: (case.loss, case.side, case.third))
#: A row for each way through the loops: other operands, checks, reductions.
MECHANISMS = _first_of(
    ELEMENTWISE,
    lambda case: (
        case.third,
        case.side,
        case.mean_by_weight,
        case.target == "sign",
        tuple(bool(KINDS[kind].bad) for kind in case.kinds.values()),
        bool(case.options),
    ),
)
#: A row for each class-axis loss, and for each kind of its targets.
ROWS_ONE_OF_EACH = _first_of(ROWS, lambda case: (case.loss, case.target))
#: A row for each kind of call of a class-axis loss: other targets, weights, reductions, outcomes.
ROW_MECHANISMS = _first_of(
    ROWS,
    lambda case: (
        case.target,
        case.weighted and case.weights,
        case.smoothed,
        case.ignores,
        case.mean_by_weight,
        case.axis,
        case.nan,
        case.invariant,
        case.in_double,
    ),
)


# ---- losses over a class axis --------------------------------------------------------------


CLASSES = (1, 2, 3, 10, 33, 100, 129, 1000, 5000)  # few, a tile of many, and more than a chunk
MANY = 200  # from here on not every loss and not every class is looked at


def _targets(case: Rows, x: Array, y: Array, rng: Generator) -> Array:
    """Targets of the row's kind for rows of logits, that have the classes y among them."""
    n = len(x)
    if case.target == "class":
        return y
    if case.target == "list":
        lists = random_lists(rng, x.shape)
        swap = np.argmax(lists == y[:, None], axis=1)  # some are already there
        lists[np.arange(n), swap] = lists[:, 0]
        lists[:, 0] = y
        return lists
    if case.target == "multilabel":
        t = random_labels(rng, x.shape).astype(x.dtype)
        t[np.arange(n), y] = 1
        return t
    t = random_distributions(rng, x.shape).astype(x.dtype)
    sharp = min(n // 2, 2)
    t[:sharp] = 0
    t[np.arange(sharp), y[:sharp]] = 1
    return t


def random_distributions(rng: Generator, shape: tuple[int, ...], axis: int = -1) -> Array:
    t = rng.random(shape) ** 3
    return t / t.sum(axis=axis, keepdims=True)


def random_labels(rng: Generator, shape: tuple[int, ...]) -> Array:
    """From 0 to 1, mostly one of the two."""
    return np.where(rng.random(shape) < 0.3, rng.random(shape), rng.integers(0, 2, shape))


def random_lists(rng: Generator, shape: tuple[int, ...], axis: int = -1) -> Array:
    """Some classes along the axis, at least one, and not all if there are more; then -1, and then
    anything. Of many classes only a few: the terms are the pairs of those inside and outside."""
    classes = shape[axis]
    lists = np.empty((*np.delete(shape, axis), classes), np.int64)
    if lists.size:
        lists[...] = np.arange(classes)
        rng.permuted(lists, axis=-1, out=lists)
        most = classes if classes <= 33 else 9
        length = rng.integers(1, max(most, 2), (*lists.shape[:-1], 1))
        twice = (rng.random(length.shape) < 0.2)[..., 0] & (length[..., 0] > 1)
        lists[twice, 1:2] = lists[twice, :1]
        place, rest = np.arange(classes), rng.choice([-1, 0, 99, -7], lists.shape)
        lists = np.where(place < length, lists, np.where(place == length, -1, rest))
    return np.ascontiguousarray(np.moveaxis(lists, -1, axis))


def rows_inputs(case: Rows, dtype: Any, classes: int) -> tuple[Array, ...]:
    """Logits, targets and class weights; the logits with every gap up to underflow, and ties."""
    rng = np.random.default_rng(classes)
    few = 24 if classes <= 10 else 10 if classes <= 33 else 8
    kept = slice(few) if classes <= MANY else slice(3) if classes <= 1000 else slice(1, 3)
    x = rng.normal(size=(24, classes)) * 10 ** rng.uniform(-2, 1.3, (24, 1))
    y = rng.integers(0, classes, 24)
    x[2] = rng.choice(hard_numbers(dtype), classes)
    # Confident rows: one class ahead by a gap, the target among the winners and the losers.
    gaps = (17.3, 37.7, 80.1) if dtype is np.float32 else (37.7, 80.1, 700.3)
    for r, gap in zip((0, 3, 8), gaps, strict=True):
        x[r] = rng.uniform(-1, 1, classes) - gap
        x[r, y[r]] = rng.uniform(-0.5, 0.5)
        x[r + 1] = x[r]
        y[r + 1] = (y[r] + 1) % classes
    x[5] = rng.integers(-2, 3, classes)  # on the kinks, and with ties
    x[6] = 33.25  # all the same
    x[7] = rng.normal(size=classes) + 1e4  # a large common offset
    for r in (10, 11, 12):
        x[r] = rng.choice(hard_numbers(dtype), classes)
    x, y = x[kept].astype(dtype), y[kept]
    w = rng.uniform(0.25, 4, classes).astype(dtype)
    return x, _targets(case, x, y, rng), w


def to_look_at(x: Array, t: Array) -> Any:
    """Which numbers of an array of x's shape: of many classes the ends, those around the edges of
    chunks, the largest, the target, and every seventh."""
    classes = x.shape[1]
    if classes <= MANY:
        return slice(None)
    seen = np.zeros(x.shape, bool)
    near = np.arange(-20, 21)
    for edge in (0, classes - 1, *range(1024, classes, 1024)):
        seen[:, np.clip(edge + near, 0, classes - 1)] = True
    seen[:, ::7] = True
    largest = np.argmax(x, axis=1)
    for c in (largest, t) if t.ndim == 1 else (largest,):
        seen[np.arange(len(x))[:, None], np.clip(c[:, None] + near, 0, classes - 1)] = True
    return seen


# ---- errors in ULP -------------------------------------------------------------------------


class Exact:
    """Exact numbers, kept as sums of two doubles, and the unit in the last place of each."""

    def __init__(self, pairs: Sequence[Pair], dtype: Any) -> None:
        info = np.finfo(dtype)
        true = [x for x, _ in pairs]
        self.high = np.array([float(x) for x in true])
        with np.errstate(invalid="ignore"):
            rest = [x - mp.mpf(h) for x, h in zip(true, self.high.tolist(), strict=True)]
        self.low = np.array([float(r) if mp.isfinite(r) else 0.0 for r in rest])
        sizes = np.array([float(max(abs(x), abs(size))) for x, size in pairs])
        largest = float(info.max)
        # Where the terms are so large that they cannot be subtracted, nothing is asked.
        self.lost = (sizes > largest) & (np.abs(self.high) < sizes)
        self.overflows = np.abs(self.high) > largest
        self.nearly = ~self.overflows & (np.abs(self.high) > largest / 4)  # a factor may overflow
        # Near underflow the factors of a result may have lost digits.
        sizes = np.clip(sizes, float(info.tiny) * 2**10, largest)
        self.unit = np.ldexp(1.0, np.frexp(sizes)[1] - 1 - info.nmant)

    def shown(self, k: int) -> str:
        """The exact number."""
        return f"{mp.mpf(self.high[k]) + mp.mpf(self.low[k]):.20g}"

    def errors(self, got: Any) -> Array:
        """How far each number is from the exact one, in units in the last place."""
        g = np.ravel(got).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            errors = np.abs((g - self.high) - self.low) / self.unit
            right_side = np.isinf(g) & (np.sign(g) == np.sign(self.high))
        errors = np.where(self.overflows, np.where(right_side, 0.0, inf), errors)
        errors = np.where(self.nearly & right_side, 0.0, errors)
        errors = np.where(np.isnan(g), inf, errors)
        return np.where(self.lost & ~self.overflows, 0.0, errors)
