"""Scores of forecasts: distributions and intervals."""

from __future__ import annotations

from dataclasses import replace
from math import erf, lgamma, pi, sqrt
from typing import Any

import numpy as np

from tests.losses.case import (
    Elementwise,
    FloatArray,
    Joint,
    Pair,
    Rows,
    Scalar,
    exactly,
    mp,
    paired,
)
from tests.losses.distributions import total
from tests.losses.regression import quantile

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []

Exact = tuple[Pair, tuple[Pair, Pair], tuple[Pair, Pair]]
Grads = tuple[Scalar, tuple[FloatArray, FloatArray]]


# ---- distributions ---------------------------------------------------------------------------


def of_parts(x: Any, t: Any, s: Any, least: Any, limit: Any, parts: Any) -> Exact:
    """Of 2 F(r) - 1, what the score for s = 1 has lost as a gradient of s, and 2 f(r); with what
    that gradient is at r = 0 and far out."""
    d = x - t
    a, side = abs(d), mp.mpf(mp.sign(d) if d else 0)
    if not s:
        share, turn, density = mp.mpf(1 if a else 0), exactly(limit if a else least), mp.mpf(0)
        flat = exactly(mp.mpf(0))
        return exactly(a), (exactly(side), turn), (flat if a else exactly(mp.inf), flat)
    r = a / s
    share, fall, density = parts(r)
    turn = total(least, -fall)
    return (
        exactly(a * share + s * turn[0]),
        (exactly(side * share), turn),
        (exactly(density / s), exactly(r * r * density / s)),
    )


def normal(x: Any, t: Any, s: Any) -> Exact:
    top, root = mp.sqrt(2 / mp.pi), 1 / mp.sqrt(mp.pi)

    def parts(r: Any) -> tuple[Any, Any, Any]:
        e, z = mp.exp(-r * r / 2), r / mp.sqrt(mp.mpf(2))
        share = mp.erf(z) if z < 1 else 1 - mp.erfc(z)
        return share, -top * (mp.expm1(-r * r / 2) if r < 1 else e - 1), top * e

    return of_parts(x, t, s, top - root, -root, parts)


def logistic(x: Any, t: Any, s: Any) -> Exact:
    def parts(r: Any) -> tuple[Any, Any, Any]:
        e = mp.exp(-r)
        fall = 2 * (mp.log(mp.mpf(2)) - mp.log1p(e) - (r * e / (1 + e) if e else 0))
        share = -mp.expm1(-r) if r < 1 else 1 - e
        return share / (1 + e), fall, 2 * e / (1 + e) ** 2

    return of_parts(x, t, s, 2 * mp.log(mp.mpf(2)) - 1, mp.mpf(-1), parts)


def laplace(x: Any, t: Any, s: Any) -> Exact:
    def parts(r: Any) -> tuple[Any, Any, Any]:
        e = mp.exp(-r)
        share = -mp.expm1(-r) if r < 1 else 1 - e
        return share, 1 - e - (r * e if e else 0), e

    return of_parts(x, t, s, mp.mpf(0.25), mp.mpf(-0.75), parts)


def student_t(x: Any, t: Any, s: Any, df: float = 3.0) -> Exact:
    n = mp.mpf(df)
    lg, half = mp.loggamma, mp.mpf(0.5)
    beta = mp.exp(lg((n + 1) / 2) - lg(n / 2)) / mp.sqrt(mp.pi)
    factor = 2 * mp.sqrt(n) / (n - 1) * beta
    ratio = mp.exp(lg(n - half) - lg(n) - lg(n / 2) + lg((n + 1) / 2))

    def parts(r: Any) -> tuple[Any, Any, Any]:
        w = r * r / n
        x, u = w / (1 + w), 1 / (1 + w)
        if x < half:
            share = 2 * beta * mp.sqrt(x) * u ** (n / 2) * series((n + 1) / 2, 3 * half, x)
        else:
            tail = series(n, n / 2 + 1, (1 - mp.sqrt(x)) / 2)
            share = 1 - 2 * beta / n * u ** (n / 2) * tail
        low = -(n - 1) / 2 * mp.log1p(w)
        fall = -factor * (mp.expm1(low) if low > -1 else mp.exp(low) - 1)
        return share, fall, 2 * beta / mp.sqrt(n) * u ** ((n + 1) / 2)

    return of_parts(x, t, s, factor * (1 - ratio), -factor * ratio, parts)


def series(a: Any, b: Any, x: Any) -> Any:
    """The hypergeometric function F(a, 1; b; x)."""
    result, term, k = mp.mpf(1), mp.mpf(1), 0
    while abs(term) > result * mp.mpf(2) ** -130 or x * (a + k) > b + k:
        term *= x * (a + k) / (b + k)
        result += term
        k += 1
    return result


# ---- intervals -------------------------------------------------------------------------------


def interval(x: Any, t: Any, u: Any, alpha: Any = 0.1) -> Exact:
    level = mp.mpf(alpha) / 2
    lower, upper = quantile(x, t, level), quantile(u, t, 1 - level)
    value = (lower[0][0] + upper[0][0]) / level
    grads = exactly(lower[1][0] / level), exactly(upper[1][0] / level)
    return exactly(value), grads, (lower[2], upper[2])


# ---- twins -----------------------------------------------------------------------------------


def _of_parts(
    input: FloatArray, target: FloatArray, scale: FloatArray, parts: Any
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scores, and their gradients with respect to input and scale; parts of r and its size."""
    r = (input - target) / scale
    share, turn = parts(r)
    return scale * (r * share + turn), share, turn


def _mean(scores: FloatArray, *grads: FloatArray) -> Any:
    for grad in grads:
        grad /= grad.size
    return np.mean(scores), grads


def _erf(x: FloatArray) -> FloatArray:
    """NumPy has none."""
    values: FloatArray = np.frompyfunc(erf, 1, 1)(x).astype(x.dtype)
    return values


def _normal(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    turn = np.exp(r * r / -2) * r.dtype.type(sqrt(2 / pi))
    turn -= r.dtype.type(1 / sqrt(pi))
    return _erf(r * r.dtype.type(sqrt(0.5))), turn


def _logistic(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    size = np.abs(r)
    share = np.tanh(r / 2)
    turn = size + 2 * np.log1p(np.exp(-size)) - 1
    turn -= r * share
    return share, turn


def _laplace(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    size = np.abs(r)
    e = np.exp(-size)
    return np.copysign(1 - e, r), e * (1 + size) - r.dtype.type(0.75)


def _student_t(df: float) -> Any:
    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    beta = np.exp(log_beta(0.5, df / 2))
    limit = 2 * sqrt(df) / (df - 1) * np.exp(log_beta(0.5, df - 0.5)) / beta**2

    def parts(r: FloatArray) -> tuple[FloatArray, FloatArray]:
        angle = np.arctan(r / r.dtype.type(sqrt(df)))
        u = np.cos(angle) ** 2
        if df == 3:
            share = (angle + np.sin(angle) * np.cos(angle)) / 2
        else:  # Gauss's rule for the integral of a power of the cosine
            nodes, weights = np.polynomial.legendre.leggauss(80)
            at = np.multiply.outer(angle.astype(float), (nodes + 1) / 2)
            share = ((np.cos(at) ** (df - 1)) @ weights * angle / 2).astype(r.dtype)
        share *= r.dtype.type(2 / beta)
        turn = u ** r.dtype.type((df - 1) / 2) * r.dtype.type(2 * sqrt(df) / (df - 1) / beta)
        turn -= r.dtype.type(limit)
        return share, turn

    return parts


def crps_normal(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of ``s * (r * erf(r / sqrt(2)) + sqrt(2 / pi) * exp(-r**2 / 2) - 1 / sqrt(pi))``."""
    return crps_normal_and_grad(input, target, scale)[0]


def crps_normal_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `crps_normal`."""
    result: Grads = _mean(*_of_parts(input, target, scale, _normal))
    return result


def crps_logistic(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of ``s * (abs(r) + 2 * log1p(exp(-abs(r))) - 1)``."""
    return crps_logistic_and_grad(input, target, scale)[0]


def crps_logistic_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `crps_logistic`."""
    result: Grads = _mean(*_of_parts(input, target, scale, _logistic))
    return result


def crps_laplace(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of ``s * (abs(r) + exp(-abs(r)) - 0.75)``."""
    return crps_laplace_and_grad(input, target, scale)[0]


def crps_laplace_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `crps_laplace`."""
    result: Grads = _mean(*_of_parts(input, target, scale, _laplace))
    return result


def crps_student_t(
    input: FloatArray, target: FloatArray, scale: FloatArray, df: float = 3.0
) -> Scalar:
    """Mean of ``s`` times that of Student's t-distribution at r."""
    return crps_student_t_and_grad(input, target, scale, df)[0]


def crps_student_t_and_grad(
    input: FloatArray, target: FloatArray, scale: FloatArray, df: float = 3.0
) -> Grads:
    """Value and gradients of `crps_student_t`."""
    result: Grads = _mean(*_of_parts(input, target, scale, _student_t(df)))
    return result


def interval_score(
    lower: FloatArray, upper: FloatArray, target: FloatArray, alpha: Any = 0.1
) -> Scalar:
    """Mean of ``upper - lower + 2 / alpha * (max(0, lower - target) + max(0, target - upper))``."""
    outside = np.maximum(0, lower - target)
    outside += np.maximum(0, target - upper)
    outside *= 2 / alpha
    outside += upper - lower
    return np.mean(outside)


def interval_score_and_grad(
    lower: FloatArray, upper: FloatArray, target: FloatArray, alpha: Any = 0.1
) -> Grads:
    """Value and gradients of `interval_score`; these are 0 where an end is the target."""
    factor = 1 / alpha
    below, above = np.sign(lower - target), np.sign(target - upper)
    grad = (below + 1) * factor - 1
    grad *= below * below
    grad_upper = 1 - (above + 1) * factor
    grad_upper *= above * above
    grad /= grad.size
    grad_upper /= grad_upper.size
    return interval_score(lower, upper, target, alpha), (grad, grad_upper)


# ---- rows ------------------------------------------------------------------------------------

_BOUNDS = {
    "crps_normal": (5, 4, 6),
    "crps_logistic": (5, 4, 8),
    "crps_student_t": (6, 5, 8),
}
for loss, truth, options in (
    ("crps_normal", normal, {}),
    ("crps_logistic", logistic, {}),
    ("crps_laplace", laplace, {}),
    *(("crps_student_t", student_t, {"df": k}) for k in (3.0, 1.25, 2.0, 12.5, 20.5, 21.0, 200.0)),
):
    rows = paired(
        loss,
        truth,
        third="scale",
        third_kind="scale from 0 on" if loss == "crps_student_t" else "variance",
        options=options if options != {"df": 3.0} else {},
        bounds=_BOUNDS.get(loss, (4, 4, 6)),
    )
    # Scales have a domain, which the tests of tangents step out of.
    ELEMENTWISE += [rows[0], replace(rows[1], convex=False)]
for options in ({"alpha": 0.1}, {"alpha": 0.5}, {"alpha": 1.0}):
    ELEMENTWISE += paired(
        "interval_score",
        interval,
        first="lower",
        third="upper",
        third_kind="real",
        options=options,
        kinks=(0.0,),
    )
ELEMENTWISE += paired(
    "interval_score",
    interval,
    first="lower",
    third="upper",
    third_kind="real",
    fourth="alpha",
    fourth_kind="tails",
    by="upper",
    kinks=(0.0,),
)
