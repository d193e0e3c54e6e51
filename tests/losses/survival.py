"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

from math import inf
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
    mp,
)

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []


# ---- aft_loss: exact values ----------------------------------------------------------------------
#
# From the definition, with so many bits that differences of distribution functions keep enough.

BITS = 3400
#: By distribution, of a finite z: F, 1 - F, f, f'/f and its derivative.
STANDARD = {
    "normal": lambda z: (
        mp.erfc(-z / mp.sqrt(2)) / 2,
        mp.erfc(z / mp.sqrt(2)) / 2,
        raised(-z * z / 2) / mp.sqrt(mp.mpf(8) * mp.atan(mp.mpf(1))),
        -z,
        mp.mpf(-1),
    ),
    "logistic": lambda z: (
        1 / (1 + raised(-z)),
        1 / (1 + raised(z)),
        1 / (2 + raised(z) + raised(-z)),
        (1 - raised(z)) / (1 + raised(z)),
        -2 / (2 + raised(z) + raised(-z)),
    ),
}


def raised(x: Any) -> Any:
    """exp(x), of numbers that need no limit: MPFR's exponents reach to exp(±7e8)."""
    with mp.workprec(BITS):
        return mp.expm1(x) + 1 if abs(x) < 1 else mp.exp(x / 2**12) ** 2**12


def at(distribution: str, z: Any) -> tuple[Any, ...]:
    if mp.isinf(z):
        zero, one = mp.mpf(0), mp.mpf(1)
        return (zero, one, zero, zero, zero) if z < 0 else (one, zero, zero, zero, zero)
    return STANDARD[distribution](z)


def aft_point(distribution: str, x: Any, lower: Any, upper: Any, s: Any) -> list[Any]:
    """Value, both gradients, both second derivatives."""
    a = (mp.log(lower) - x) / s if lower else -mp.inf
    b = (mp.log(upper) - x) / s if mp.isfinite(upper) else mp.inf
    if distribution == "extreme":  # 1 - F(z) = exp(-exp(z)), which may be beyond all exponents
        grown_a, grown_b = (mp.mpf(0) if z == -mp.inf else raised(z) for z in (a, b))
        d, sa, sb, ca = grown_b - grown_a, 1 - grown_a, 1 - grown_b, -grown_a
        log_f = a - grown_a
        inside, left = -mp.expm1(-d), mp.mpf(0) if mp.isinf(d) else raised(-d)
        value = grown_a - (mp.log1p(-left) if d > 1 else mp.log(inside))
        p, q = grown_a / inside, grown_b * left / inside if left else left
    else:
        fa, ga, pa, sa, ca = at(distribution, a)
        fb, gb, pb, sb, _ = at(distribution, b)
        log_f = mp.log(pa)
        inside = ga - gb if a > 0 else fb - fa
        value = -mp.log1p(-(fa + gb)) if inside > 0.5 else -mp.log(inside)
        p, q = pa / inside, pb / inside
    if lower == upper:
        value = mp.log(s * lower) - log_f
        return [value, sa / s, (1 + a * sa) / s, -ca / s**2, -(1 + 2 * a * sa + a * a * ca) / s**2]
    sa, sb = (mp.mpf(0) if mp.isinf(slope) else slope for slope in (sa, sb))
    a, b = (mp.mpf(0) if mp.isinf(z) else z for z in (a, b))
    shift, ray = p - q, a * p - b * q
    bend = shift**2 + p * sa - q * sb
    curve = ray**2 + a * a * p * sa - b * b * q * sb
    return [value, -shift / s, -ray / s, bend / s**2, (2 * ray + curve) / s**2]


def aft(
    numbers: dict[str, Any], distribution: str = "normal"
) -> tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]:
    """The size of a result is what the rounding of log(lower) - x or log(upper) - x makes of it,
    and that of the terms of derivatives that are differences: those by the scale, and that by the
    input of the extreme-value distribution."""
    names = ("input", "lower", "upper", "scale")
    results: list[list[Pair]] = [[] for _ in range(5)]
    for x, lower, upper, s in zip(*(numbers[name].ravel() for name in names), strict=True):
        with mp.workprec(BITS):
            x, lower, upper, s = (mp.mpf(0) + n for n in (x, lower, upper, s))
            logs = [mp.log(t) for t in (lower, upper) if t and mp.isfinite(t)]
            far = max(abs(x), *map(abs, logs)) if logs else mp.mpf(0)
            step = mp.mpf(2) ** -200
            here = aft_point(distribution, x, lower, upper, s)
            moved = aft_point(distribution, x + far * step, lower, upper, s)
            sizes = [abs(m - h) / step for m, h in zip(moved, here, strict=True)]
            sizes[2] = max(sizes[2], 1 / s)
            if distribution == "extreme":  # exp(a) - 1, and what becomes of it
                sizes[1] = max(sizes[1], 1 / s)
            sizes[4] = max(sizes[4], abs(2 * here[2] / s), 1 / s**2) if logs else mp.mpf(0)
            for to, result, size in zip(results, here, sizes, strict=True):
                to.append((result, max(abs(result), size)))
    value, by_input, by_scale, bend, curve = results
    return value, {"input": by_input, "scale": by_scale}, {"input": bend, "scale": curve}


# ---- aft_loss: inputs ----------------------------------------------------------------------------


def censored(rng: Generator, n: int, dtype: Any) -> Arrays:
    """Times that are known, and times that are censored on the right, on the left and both."""
    lower = rng.uniform(1, 8, n)
    upper = lower + rng.uniform(0.5, 4, n)
    kind = np.resize([0, 1, 2, 3, 1], n)
    upper = np.where(kind == 0, lower, np.where(kind == 1, inf, upper))
    lower = np.where(kind == 2, 0, lower)
    arrays = (np.log(4) + rng.normal(0, 1, n), lower, upper, rng.uniform(0.6, 2, n))
    names = ("input", "lower", "upper", "scale")
    return {name: a.astype(dtype) for name, a in zip(names, arrays, strict=True)}


def hard_times(rng: Generator, dtype: Any) -> Arrays:
    """Each kind in both tails; intervals of one unit, and between them; the ends of the range."""
    info = np.finfo(dtype)

    def after(t: float) -> float:
        return float(np.nextafter(dtype(t), dtype(inf)))

    pairs = [(t, t) for t in (1.0, 3.0, 1e-8, 1e8)]
    pairs += [(1.0, inf), (5.0, inf), (1e-8, inf), (0.0, 1.0), (0.0, 5.0), (0.0, 1e8), (0.0, inf)]
    pairs += [(t, after(t)) for t in (1.0, 3.0, 0.999, 1e-8, 1e8)]
    pairs += [(1.0, 1.001), (1.0, 1.5), (1.0, 2.75), (0.5, 2.0), (1.0, 20.0), (1e-3, 1e3)]
    pairs += [(float(info.tiny), float(info.max)), (1e-30, 1e30)]
    shifts = (0.0, 0.01, -0.01, 0.7, -0.7, 2.0, -2.0, 6.5, -6.5, 30.0, -30.0, 1000.0, -1000.0)
    rows = [
        (np.log(t) - z * s, lower, upper, s)
        for lower, upper in pairs
        for t in ([lower] if lower else [1.0 if upper == inf else upper])
        for z in shifts
        for s in ((1.0,) if abs(z) in (0.01, 0.7, 6.5) else (1e-2, 3.0))
    ]
    picked = rng.choice(len(rows), 260, replace=False)
    arrays = np.array([rows[k] for k in picked]).T.astype(dtype)
    return dict(zip(("input", "lower", "upper", "scale"), arrays, strict=True))


# ---- aft_loss: twins -----------------------------------------------------------------------------


def _ends(
    input: FloatArray, lower: FloatArray, upper: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    with np.errstate(divide="ignore"):
        a, b = (np.log(lower) - input) / scale, (np.log(upper) - input) / scale
    return lower == upper, a, b


def _survival(distribution: str, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """1 - F and f, without warnings at infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(z)
        if distribution == "logistic":
            rest = 1 / (1 + e)
            return rest, rest * (1 - rest)
        rest = np.exp(-e)
        return rest, np.where(rest == 0, 0, e * rest)


def aft_loss(
    input: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    scale: FloatArray,
    distribution: str = "logistic",
) -> Scalar:
    """Mean of ``-log(F(b) - F(a))``, or of ``-log f(a) + log(scale * time)`` for a known time."""
    exact, a, b = _ends(input, lower, upper, scale)
    above_a, f_a = _survival(distribution, a)
    above_b, _ = _survival(distribution, b)
    with np.errstate(divide="ignore"):
        times = np.where(exact, np.log(scale * lower), 0)
    return np.mean(times - np.log(np.where(exact, f_a, above_a - above_b)))


def aft_loss_and_grad(
    input: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    scale: FloatArray,
    distribution: str = "logistic",
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `aft_loss`."""
    exact, a, b = _ends(input, lower, upper, scale)
    above_a, f_a = _survival(distribution, a)
    above_b, f_b = _survival(distribution, b)
    inside = np.where(exact, f_a, above_a - above_b)
    with np.errstate(divide="ignore"):
        times = np.where(exact, np.log(scale * lower), 0)
    value = np.mean(times - np.log(inside))
    a, b = np.where(np.isinf(a), 0, a), np.where(np.isinf(b), 0, b)
    slope = np.exp(a) - 1 if distribution == "extreme" else 1 - 2 * above_a
    n = input.dtype.type(input.size)
    by_input = np.where(exact, -slope, (f_b - f_a) / inside) / (scale * n)
    by_scale = np.where(exact, 1 - a * slope, (b * f_b - a * f_a) / inside) / (scale * n)
    return value, (by_input, by_scale)


JOINT += [
    Joint(
        "aft_loss",
        ("input", "lower", "upper", "scale"),
        ("input", "scale"),
        censored,
        hard_times,
        aft,
        options={"distribution": distribution},
        bounds=bounds,
        domains={"lower": (-1, inf), "upper": (-1, 0), "scale": (0, -1, inf)},
        twin=distribution != "normal",
        spread=("scale",),
        in_place=True,
    )
    for distribution, bounds in (
        ("logistic", (4, 4, 6)),
        ("extreme", (4, 4, 6)),
        ("normal", (4, 4, 6)),
    )
]
