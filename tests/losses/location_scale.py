"""Negative log-likelihoods of distributions of two parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    trigamma,
)
from tests.losses.distributions import total

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []

Exact = tuple[Pair, tuple[Pair, Pair], tuple[Pair, Pair]]
Grads = tuple[Scalar, tuple[FloatArray, FloatArray]]


def divided(pair: Pair, by: Any) -> Pair:
    return pair[0] / by, pair[1] / by


# ---- location and scale ----------------------------------------------------------------------


def by_scale(
    s: Any, value: tuple[Any, ...], slope: Pair, turn: Pair, curvature: Pair, curve: Pair
) -> Exact:
    """Of terms of the value, and the numerators of the derivatives."""
    return (
        total(mp.log(s), *value),
        (divided(slope, s), divided(turn, s)),
        (divided(divided(curvature, s), s), divided(divided(curve, s), s)),
    )


def information(s: Any, exact: Exact, by_input: Any, by_scale: Any) -> Exact:
    """With the Fisher information for the second derivatives."""
    return exact[0], exact[1], (exactly(by_input / s**2), exactly(by_scale / s**2))


def student_t(x: Any, t: Any, s: Any, df: float = 3.0, fisher: bool = False) -> Exact:
    r, n = (x - t) / s, mp.mpf(df)
    constant = mp.loggamma(n / 2) - mp.loggamma((n + 1) / 2) + mp.log(mp.pi * n) / 2
    d = n + r * r
    q = (n + 1) * r * r / d
    exact = by_scale(
        s,
        ((n + 1) / 2 * mp.log1p(r * r / n), constant),
        exactly((n + 1) * r / d),
        total(1, -q),
        divided(total((n + 1) * n, -(n + 1) * r * r), d**2),
        total(q * (1 + 2 * n / d), -1),
    )
    return information(s, exact, (n + 1) / (n + 3), 2 * n / (n + 3)) if fisher else exact


def laplace(x: Any, t: Any, s: Any, fisher: bool = False) -> Exact:
    d = x - t
    a = abs(d) / s
    slope = mp.mpf(mp.sign(d) if d else 0)
    exact = by_scale(
        s, (mp.log(2), a), exactly(slope), total(1, -a), exactly(mp.mpf(0)), total(2 * a, -1)
    )
    return information(s, exact, mp.mpf(1), mp.mpf(1)) if fisher else exact


def logistic(x: Any, t: Any, s: Any, fisher: bool = False) -> Exact:
    r = (x - t) / s
    e = mp.exp(-abs(r))
    slope = mp.sign(r) * -mp.expm1(-abs(r)) / (1 + e) if r else mp.mpf(0)
    curvature = 2 * e / (1 + e) ** 2
    turn = r * slope
    exact = by_scale(
        s,
        (abs(r), 2 * mp.log1p(e)),
        exactly(slope),
        total(1, -turn),
        exactly(curvature),
        total(r * r * curvature, 2 * turn, -1),
    )
    by = mp.mpf(1) / 3, (3 + mp.pi**2) / 9
    return information(s, exact, *by) if fisher else exact


def log_normal(x: Any, t: Any, s: Any, fisher: bool = False) -> Exact:
    log_t = mp.log(t)
    r = (x - log_t) / s
    w = r * r
    exact = by_scale(
        s,
        (w / 2, log_t, mp.log(2 * mp.pi) / 2),
        exactly(r),
        total(1, -w),
        exactly(mp.mpf(1)),
        total(3 * w, -1),
    )
    return information(s, exact, mp.mpf(1), mp.mpf(2)) if fisher else exact


def of_extremes() -> Any:
    """The Fisher information of the scale."""
    return mp.pi**2 / 6 + (1 - mp.euler) ** 2


def gumbel(x: Any, t: Any, s: Any, fisher: bool = False) -> Exact:
    r = (x - t) / s
    e, slope = mp.exp(r), expm1(r)
    turn = r * slope
    exact = by_scale(
        s,
        (e, -r),
        exactly(slope),
        total(1, -turn),
        exactly(e),
        total(r * r * e, 2 * turn, -1),
    )
    return information(s, exact, mp.mpf(1), of_extremes()) if fisher else exact


def expm1(x: Any) -> Any:
    return mp.expm1(x) if abs(x) < 1 else mp.exp(x) - 1


# ---- positive targets ------------------------------------------------------------------------


def weibull(x: Any, t: Any, k: Any, fisher: bool = False) -> Exact:
    z = k * (mp.log(t) - x)
    e, slope = mp.exp(z), expm1(z)
    value = total(mp.log(t), -mp.log(k), -z, e)
    grads = exactly(-k * slope), divided(total(z * slope, -1), k)
    if fisher:
        return value, grads, (exactly(k * k), exactly(of_extremes() / k**2))
    return value, grads, (exactly(k * k * e), exactly((z * z * e + 1) / k**2))


def gamma_shape(x: Any, t: Any, k: Any, fisher: bool = False) -> Exact:
    with mp.workprec(400):
        y = mp.log(t) - x
        w, line = mp.exp(y), y * y / 2 + y**3 / 6
        if abs(y) > 2.0**-90:
            line = w - 1 - y
        if k > 2.0**60:  # Stirling's series, where the differences would take all digits away
            rest = mp.log(2 * mp.pi) / 2 + 1 / (12 * k) - 1 / (360 * k**3)
            first = -1 / (2 * k) - 1 / (12 * k**2) + 1 / (120 * k**4)
            second = 1 / (2 * k**2) + 1 / (6 * k**3) - 1 / (30 * k**5)
        else:
            rest = mp.loggamma(k) - k * mp.log(k) + k + mp.log(k) / 2
            first, second = mp.digamma(k) - mp.log(k), trigamma(k) - 1 / k
    slope = expm1(y)
    value = total(mp.log(t), k * line, rest, -mp.log(k) / 2)
    grads = exactly(-k * slope), total(first, line)
    curvature = k if fisher else k * w
    return value, grads, (exactly(curvature), exactly(second))


# ---- twins -----------------------------------------------------------------------------------
#
# Each is a function of r, in scales: the terms of the value beside log s, and the slope.

Parts = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


def _by_scale(
    input: FloatArray, target: FloatArray, scale: FloatArray, parts: Parts
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Losses, and their gradients with respect to input and scale."""
    r = (input - target) / scale
    losses, slope = parts(r)
    losses += np.log(scale)
    turn = 1 - r * slope
    slope /= scale
    turn /= scale
    return losses, slope, turn


def _mean(losses: FloatArray, *grads: FloatArray) -> Any:
    for grad in grads:
        grad /= grad.size
    return np.mean(losses), grads


def _student_t(df: float) -> Parts:
    from math import lgamma, log, pi

    constant = lgamma(df / 2) - lgamma((df + 1) / 2) + log(pi * df) / 2

    def parts(r: FloatArray) -> tuple[FloatArray, FloatArray]:
        square = r * r
        slope = (df + 1) * r / (df + square)
        return (df + 1) / 2 * np.log1p(square / df) + constant, slope

    return parts


def _laplace(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.abs(r) + np.log(2).astype(r.dtype), np.sign(r)


def _logistic(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    size = np.abs(r)
    return size + 2 * np.log1p(np.exp(-size)), np.tanh(r / 2)


def _normal(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    return r * r / 2 + (np.log(2 * np.pi) / 2).astype(r.dtype), r


def _gumbel(r: FloatArray) -> tuple[FloatArray, FloatArray]:
    slope = np.exp(r)
    return slope - r, slope - 1


def student_t_nll_loss(
    input: FloatArray, target: FloatArray, scale: FloatArray, df: float = 3.0
) -> Scalar:
    """Mean of ``log(s) + (df + 1) / 2 * log1p(r**2 / df)`` and the constant."""
    return student_t_nll_loss_and_grad(input, target, scale, df)[0]


def student_t_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, scale: FloatArray, df: float = 3.0
) -> Grads:
    """Value and gradients of `student_t_nll_loss`."""
    result: Grads = _mean(*_by_scale(input, target, scale, _student_t(df)))
    return result


def laplace_nll_loss(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of ``log(2 * s) + abs(r)``."""
    return laplace_nll_loss_and_grad(input, target, scale)[0]


def laplace_nll_loss_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `laplace_nll_loss`."""
    result: Grads = _mean(*_by_scale(input, target, scale, _laplace))
    return result


def logistic_nll_loss(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of ``log(s) + abs(r) + 2 * log1p(exp(-abs(r)))``."""
    return logistic_nll_loss_and_grad(input, target, scale)[0]


def logistic_nll_loss_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `logistic_nll_loss`."""
    result: Grads = _mean(*_by_scale(input, target, scale, _logistic))
    return result


def log_normal_nll_loss(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of the normal distribution's of the logarithm, and that."""
    return log_normal_nll_loss_and_grad(input, target, scale)[0]


def log_normal_nll_loss_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `log_normal_nll_loss`."""
    log_t = np.log(target)
    losses, *grads = _by_scale(input, log_t, scale, _normal)
    losses += log_t
    result: Grads = _mean(losses, *grads)
    return result


def gumbel_nll_loss(input: FloatArray, target: FloatArray, scale: FloatArray) -> Scalar:
    """Mean of ``log(s) - r + exp(r)``."""
    return gumbel_nll_loss_and_grad(input, target, scale)[0]


def gumbel_nll_loss_and_grad(input: FloatArray, target: FloatArray, scale: FloatArray) -> Grads:
    """Value and gradients of `gumbel_nll_loss`."""
    result: Grads = _mean(*_by_scale(input, target, scale, _gumbel))
    return result


def weibull_nll_loss(input: FloatArray, target: FloatArray, shape: FloatArray) -> Scalar:
    """Mean of ``log(t) - log(k) - z + exp(z)`` with ``z = k * (log(t) - input)``."""
    return weibull_nll_loss_and_grad(input, target, shape)[0]


def weibull_nll_loss_and_grad(input: FloatArray, target: FloatArray, shape: FloatArray) -> Grads:
    """Value and gradients of `weibull_nll_loss`."""
    log_t = np.log(target)
    z = (log_t - input) * shape
    slope = np.exp(z)
    losses = log_t - np.log(shape)
    losses -= z
    losses += slope
    slope -= 1
    z *= slope
    z -= 1
    z /= shape
    slope *= -shape
    result: Grads = _mean(losses, slope, z)
    return result


def gamma_shape_nll_loss(input: FloatArray, target: FloatArray, shape: FloatArray) -> Scalar:
    """Mean of ``lgamma(k) - k * log(k) + k * (input + exp(y)) - (k - 1) * log(t)``."""
    return gamma_shape_nll_loss_and_grad(input, target, shape)[0]


def gamma_shape_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, shape: FloatArray
) -> Grads:
    """Value and gradients of `gamma_shape_nll_loss`."""
    log_t = np.log(target)
    y = log_t - input
    ratio = np.exp(y)
    log_gamma, psi = _log_gamma(shape)
    log_k = np.log(shape)
    line = ratio - 1
    line -= y
    losses = shape * (line + 1)
    losses += log_t
    losses += log_gamma
    losses -= shape * log_k
    line += psi
    line -= log_k
    ratio -= 1
    ratio *= -shape
    result: Grads = _mean(losses, ratio, line)
    return result


def _log_gamma(k: FloatArray) -> tuple[FloatArray, FloatArray]:
    """NumPy has neither: Stirling's series at k + 8, less the logarithm and slope of the steps."""
    y = k + 8
    log_y = np.log(y)
    steps = np.log(np.prod([k + j for j in range(8)], axis=0))
    i = 1 / y
    w = i * i
    series = i * (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w / 1680)))
    value: FloatArray = (y - 0.5) * log_y - y + np.log(2 * np.pi) / 2 + series - steps
    slope: FloatArray = log_y - i / 2 - w * (1 / 12 - w * (1 / 120 - w * (1 / 252 - w / 240)))
    for j in range(8):
        slope -= 1 / (k + j)
    return value.astype(k.dtype), slope.astype(k.dtype)


# ---- rows ------------------------------------------------------------------------------------

_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "student_t_nll_loss": [{}, {"df": 1.0}, {"df": 30.5}, {"df": 0.25}]
}
_BOUNDS = {
    "student_t_nll_loss": (4, 4, 8),
    "logistic_nll_loss": (4, 4, 7),
    "gamma_shape_nll_loss": (4, 4, 8),
}
_KINDS = {"gumbel_nll_loss": "wide scale", "weibull_nll_loss": "power"}
for loss, truth in (
    ("student_t_nll_loss", student_t),
    ("laplace_nll_loss", laplace),
    ("logistic_nll_loss", logistic),
    ("log_normal_nll_loss", log_normal),
    ("gumbel_nll_loss", gumbel),
    ("weibull_nll_loss", weibull),
    ("gamma_shape_nll_loss", gamma_shape),
):
    of_log = loss in ("log_normal_nll_loss", "weibull_nll_loss", "gamma_shape_nll_loss")
    of_shape = loss in ("weibull_nll_loss", "gamma_shape_nll_loss")
    for options in _OPTIONS.get(loss, [{}]):
        rows = paired(
            loss,
            truth,
            "exponent" if of_log or loss == "gumbel_nll_loss" else "real",
            "positive" if of_log else "exponent" if loss == "gumbel_nll_loss" else "real",
            third="shape" if of_shape else "scale",
            third_kind=_KINDS.get(loss, "positive"),
            options=options,
            kinks=(0.0,) if loss == "laplace_nll_loss" else (),
            convex=loss != "student_t_nll_loss",
            negative=True,
            bounds=_BOUNDS.get(loss, (4, 4, 6)),
        )
        ELEMENTWISE += [rows[0], replace(rows[1], convex=False)]
