"""Every loss and activation once: how to call it, its exact values, its hard inputs.

The tests go over these rows, so a loss is tested by adding a row. A truth is written with mpmath,
as the textbook has the formula, and gives for each output a pair (exact value, size): the size of
the terms where the result is a difference of larger ones, else the value itself. Errors are counted
in units in the last place of the larger of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath as mp
import numpy as np

Pair = tuple[Any, Any]
Options = dict[str, Any]

inf = float("inf")
DTYPES = (np.float32, np.float64)


def exactly(x: Any) -> Pair:
    return x, x


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


# ---- elementwise losses ----------------------------------------------------------------


@dataclass(frozen=True)
class Elementwise:
    """An elementwise loss: truth(x, t, **options) -> value, gradient, second derivative."""

    loss: str
    truth: Callable[..., tuple[Pair, Pair, Pair]]
    targets: str = "real"  # or "probability"
    options: Options = field(default_factory=dict)
    third: str | None = None  # the name of an operand of input's shape, positive
    mean_by_weight: bool = False
    kinks: tuple[float, ...] = ()  # differences input - target to try

    def __str__(self) -> str:
        return "-".join(
            [self.loss, *(f"{k}={v}" for k, v in self.options.items()), self.third or ""]
        )


def mse(x: Any, t: Any) -> tuple[Pair, Pair, Pair]:
    d = x - t
    return exactly(d * d), exactly(2 * d), exactly(mp.mpf(2))


def l1(x: Any, t: Any) -> tuple[Pair, Pair, Pair]:
    d = x - t
    return exactly(abs(d)), exactly(mp.sign(d)), exactly(mp.mpf(0))


def huber(x: Any, t: Any, delta: float) -> tuple[Pair, Pair, Pair]:
    d, k = x - t, mp.mpf(delta)
    near = abs(d) != k and abs(abs(d) - k) < k * mp.mpf(2) ** -22
    size = mp.mpf(2) ** 30 if near else 1  # d may be rounded to the kink: 0 and 1 are both right
    if abs(d) < k:
        return exactly(d * d / 2), exactly(d), (mp.mpf(1), size)
    return exactly(k * (abs(d) - k / 2)), exactly(k * mp.sign(d)), (mp.mpf(0), size)


def bce(x: Any, t: Any, pos_weight: Any = 1) -> tuple[Pair, Pair, Pair]:
    pt, nt = pos_weight * t, 1 - t
    p, q = sigmoid(x), sigmoid(-x)
    value = pt * softplus(-x) + nt * softplus(x)
    return exactly(value), (nt * p - pt * q, nt * p + pt * q), exactly((pt + nt) * p * q)


ELEMENTWISE = [
    Elementwise("mse_loss", mse, mean_by_weight=True),
    Elementwise("l1_loss", l1, mean_by_weight=True),
    Elementwise("huber_loss", huber, options={"delta": 1.0}, kinks=(1.0, -1.0)),
    Elementwise("huber_loss", huber, options={"delta": 0.25}, kinks=(0.25, -0.25)),
    Elementwise("huber_loss", huber, options={"delta": 1e4}, kinks=(1e4, -1e4)),
    Elementwise("binary_cross_entropy_with_logits", bce, "probability"),
    Elementwise("binary_cross_entropy_with_logits", bce, "probability", third="pos_weight"),
]


def hard_numbers(dtype: Any) -> np.ndarray[Any, Any]:
    """Zero, subnormals, tiny, the places where exp and log1p change, and huge numbers."""
    info = np.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, info.eps / 2, info.eps, 1e-4, 0.3, 0.5, 1, 1.5]
    sizes += [2.5, 7, 14.7, 15, 16.6, 17, 36.7, 40, 80.25, 87, 88.5, 100, 103.3]
    sizes += [300, 700, 708.4, 744, 1e10, 1e18]
    return np.array([s * x for x in sizes for s in (1, -1)]).astype(dtype)


def elementwise_inputs(case: Elementwise, dtype: Any) -> tuple[np.ndarray[Any, Any], ...]:
    """Input, target and third operand: hard ones, and random ones of every magnitude."""
    rng = np.random.default_rng(7)
    if case.targets == "probability":
        t = np.array([0, 1, 0.5, 0.1, 0.9, np.finfo(dtype).eps]).astype(dtype)
    else:
        t = np.array([0, 1, -2.5]).astype(dtype)
    x, t = (a.ravel() for a in np.meshgrid(hard_numbers(dtype), t))
    n = 400
    random_x = (rng.normal(size=n) * 10 ** rng.uniform(-4, 2.5, n)).astype(dtype)
    random_t = (rng.random(n) if case.targets == "probability" else rng.normal(size=n)).astype(
        dtype
    )
    random_t[::3] = np.round(random_t[::3])
    parts_x, parts_t = [x, random_x], [t, random_t]
    for kink in case.kinks:
        for step in (-inf, inf, None):
            d = np.asarray(kink, dtype) if step is None else np.nextafter(dtype(kink), dtype(step))
            parts_x.append(np.asarray([d], dtype))
            parts_t.append(np.zeros(1, dtype))
    x, t = np.concatenate(parts_x), np.concatenate(parts_t)
    third = (rng.uniform(0.1, 10, x.size)).astype(dtype)
    return x, t, third


# ---- class-axis losses -----------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """A loss over a class axis: truth(row, target, **options) -> value, gradients, hessians."""

    loss: str
    target: str  # "class" or "probability"
    options: Options = field(default_factory=dict)
    weighted: bool = False

    def __str__(self) -> str:
        parts = [self.loss, self.target, *(f"{k}={v}" for k, v in self.options.items())]
        return "-".join([*parts, *(["weighted"] if self.weighted else [])])


def row_truth(
    case: Rows, x: Sequence[Any], target: Any, w: Sequence[Any]
) -> tuple[Pair, list[Pair], list[Pair]]:
    """One row. With τ the weighted target: Σ τ_j (lse - x_j), p Σ τ - τ, Σ τ p (1 - p)."""
    classes = len(x)
    one = [mp.mpf(0)] * classes
    if case.loss == "nll_loss":
        one[target] = -w[target]
        return (
            exactly(-w[target] * x[target]),
            [exactly(g) for g in one],
            [exactly(mp.mpf(0))] * classes,
        )
    smoothing = mp.mpf(case.options.get("label_smoothing", 0))
    if case.target == "class":
        t = [mp.mpf(j == target) for j in range(classes)]
    else:
        t = [mp.mpf(p) for p in target]
    mixed = case.target == "class" and smoothing
    tau = [(1 - smoothing) * t[j] + smoothing / classes for j in range(classes)]
    if mixed:  # w_y for the class, w_c for the even part
        tau = [((1 - smoothing) * t[j] + smoothing / classes) * w[j] for j in range(classes)]
    else:
        tau = [tau[j] * w[j] for j in range(classes)]
    m, e, rest = exponentials(x)
    total, sigma = 1 + rest, mp.fsum(tau)
    lse = [m - xj + mp.log1p(rest) for xj in x]  # less x_j
    value = mp.fsum(a * b for a, b in zip(tau, lse, strict=True) if a != 0)
    gradient, hessian = [], []
    for j in range(classes):
        p = e[j] / total
        q = (rest if e[j] == 1 else total - e[j]) / total
        others = sigma - tau[j]
        gradient.append((p * others - tau[j] * q, p * sigma + tau[j] * q if others else tau[j] * q))
        hessian.append(exactly(sigma * p * q))
    return exactly(value), gradient, hessian


def exponentials(x: Sequence[Any]) -> tuple[Any, list[Any], Any]:
    """The maximum m, exp(x_j - m), and their sum but for one maximum."""
    m = max(x)
    e = [mp.exp(xi - m) for xi in x]
    k = e.index(1)
    return m, e, mp.fsum(e[:k] + e[k + 1 :])


ROWS = [
    Rows("cross_entropy", "class"),
    Rows("cross_entropy", "class", weighted=True),
    Rows("cross_entropy", "class", {"label_smoothing": 0.1}),
    Rows("cross_entropy", "class", {"label_smoothing": 0.25}, weighted=True),
    Rows("cross_entropy", "probability"),
    Rows("cross_entropy", "probability", {"label_smoothing": 0.1}, weighted=True),
    Rows("nll_loss", "class"),
    Rows("nll_loss", "class", weighted=True),
]

CLASSES = (1, 2, 3, 10, 64, 65, 1025, 2100)  # around a tile and a chunk


def rows_inputs(case: Rows, dtype: Any, classes: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Logits, targets and class weights; the logits with every gap up to underflow, and ties."""
    rng = np.random.default_rng(classes)
    n = 24 if classes <= 10 else 9
    x = rng.normal(size=(n, classes)) * 10 ** rng.uniform(-2, 1.3, (n, 1))
    y = rng.integers(0, classes, n)
    # Confident rows: one class ahead by a gap, the target among the winners and the losers.
    gaps = (17.3, 37.7, 80.1) if dtype is np.float32 else (17.3, 80.1, 700.3)
    for r, gap in enumerate(gaps):
        x[r] = rng.uniform(-1, 1, classes) - gap
        x[r, y[r]] = rng.uniform(-0.5, 0.5)
        x[r + 3] = x[r]
        y[r + 3] = (y[r] + 1) % classes
    x[6] = 33.25  # all the same
    x[7] = rng.normal(size=classes) + 1e4  # a large common offset
    x = x.astype(dtype)
    t: Any = y
    if case.target == "probability":
        t = rng.random((n, classes)) ** 3
        t = (t / t.sum(axis=1, keepdims=True)).astype(dtype)
        t[0] = 0
        t[0, y[0]] = 1
        t[1] = 0
        t[1, y[1]] = 1
    w = rng.uniform(0.25, 4, classes).astype(dtype)
    return x, t, w


# ---- activations -----------------------------------------------------------------------


@dataclass(frozen=True)
class ElementwiseActivation:
    """truth(x) -> value, derivative."""

    name: str
    truth: Callable[[Any], tuple[Pair, Pair]]


ACTIVATIONS = [
    ElementwiseActivation(
        "sigmoid", lambda x: (exactly(sigmoid(x)), exactly(sigmoid(x) * sigmoid(-x)))
    ),
    ElementwiseActivation("logsigmoid", lambda x: (exactly(-softplus(-x)), exactly(sigmoid(-x)))),
]


def row_activation_truth(name: str, x: Sequence[Any]) -> list[Pair]:
    """softmax or log_softmax of a row, or its logsumexp alone."""
    m, e, rest = exponentials(x)
    if name == "softmax":
        return [exactly(ei / (1 + rest)) for ei in e]
    if name == "log_softmax":
        return [exactly((xi - m) - mp.log1p(rest)) for xi in x]
    return [(m + mp.log1p(rest), abs(m) + mp.log1p(rest))]


# ---- errors in ULP ---------------------------------------------------------------------


class Exact:
    """Exact numbers, kept as sums of two doubles, and the unit in the last place of each."""

    def __init__(self, pairs: Sequence[Pair], dtype: Any) -> None:
        info = np.finfo(dtype)
        self.true = [true for true, _ in pairs]
        self.high = np.array([float(true) for true in self.true])
        with np.errstate(invalid="ignore"):
            rest = [t - mp.mpf(h) for t, h in zip(self.true, self.high.tolist(), strict=True)]
        self.low = np.array([float(r) if mp.isfinite(r) else 0.0 for r in rest])
        sizes = np.array([float(max(abs(true), abs(size))) for true, size in pairs])
        self.overflows = np.abs(self.high) > float(info.max)
        exponent = np.frexp(np.maximum(sizes, float(info.tiny)))[1] - 1
        self.unit = np.ldexp(1.0, exponent - info.nmant)

    def errors(self, got: Any) -> np.ndarray[Any, Any]:
        """How far each number is from the exact one, in units in the last place."""
        g = np.ravel(got).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            errors = np.abs((g - self.high) - self.low) / self.unit
            right_side = np.isinf(g) & (np.sign(g) == np.sign(self.high))
        errors = np.where(self.overflows, np.where(right_side, 0.0, inf), errors)
        return np.where(np.isnan(g), inf, errors)
