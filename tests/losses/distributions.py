"""Losses that are likelihoods, or distances between distributions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.losses.case import Elementwise, FloatArray, Pair, Scalar, exactly, mp, paired, xlogy

Exact = tuple[Pair, Pair, Pair]
ELEMENTWISE: list[Elementwise] = []


def total(*terms: Any) -> Pair:
    """A sum of terms, as a result of their size."""
    return mp.fsum(terms), mp.fsum(map(abs, terms))


# ---- poisson_nll_loss ----------------------------------------------------------------------


def poisson(
    x: Any, t: Any, log_input: bool = True, full: bool | str = False, eps: float = 1e-8
) -> Exact:
    more = []
    if full == "exact":
        more = [mp.loggamma(t + 1) if t > 2.0**-80 else -mp.euler * t]
    elif full and t > 1:
        more = [t * mp.log(t), -t, mp.log(2 * mp.pi * t) / 2]
    if log_input:
        rate = mp.exp(x)
        return total(rate, -t * x, *more), total(rate, -t), exactly(rate)
    y = x + mp.mpf(eps)
    if y == 0:
        slope, curvature = (-mp.inf, mp.inf) if t else (mp.mpf(1), mp.mpf(0))
        return exactly(-xlogy(t, y)), exactly(slope), exactly(curvature)
    value, size = total(x, -xlogy(t, y), *more)
    rounding = t if eps else 0  # of x + eps
    return (value, size + rounding), total(1, -t / y), exactly(t / y**2)


def poisson_nll_loss(
    input: FloatArray,
    target: FloatArray,
    log_input: bool = True,
    full: bool | str = False,
    eps: float = 1e-8,
) -> Scalar:
    """Mean of ``rate - target * log(rate)``; input is the rate or its logarithm."""
    if log_input:
        losses = np.exp(input)
        losses -= target * input
    else:
        losses = input - target * np.log(input + eps)
    return np.mean(_with_normalisation(losses, target, full))


def poisson_nll_loss_and_grad(
    input: FloatArray,
    target: FloatArray,
    log_input: bool = True,
    full: bool | str = False,
    eps: float = 1e-8,
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `poisson_nll_loss`."""
    if log_input:
        grad = np.exp(input)
        losses = grad - target * input
        grad -= target
    else:
        grad = input + eps
        losses = input - target * np.log(grad)
        np.divide(target, grad, out=grad)
        np.subtract(1, grad, out=grad)
    value = np.mean(_with_normalisation(losses, target, full))
    grad /= grad.size
    return value, grad


def _with_normalisation(losses: FloatArray, target: FloatArray, full: bool | str) -> FloatArray:
    """With what does not depend on input: ``log(target!)``, or Stirling's formula for it."""
    if full == "exact":
        losses += _log_factorial(target)
    elif full:
        t = np.where(target > 1, target, 1)
        stirling = t * np.log(t) - t + np.log(2 * np.pi * t) / 2
        losses += np.where(target > 1, stirling, 0)
    return losses


def _log_factorial(t: FloatArray) -> FloatArray:
    """NumPy has none: Stirling's series at t + 8, divided by the eight factors."""
    y = t + 8
    below = np.log(np.prod([t + k for k in range(1, 9)], axis=0))
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5) - 1 / (1680 * y**7)
    result: FloatArray = (y + 0.5) * np.log(y) - y + np.log(2 * np.pi) / 2 + series - below
    return result


ELEMENTWISE += [
    Elementwise(
        "poisson_nll_loss",
        poisson,
        "exponent" if options.get("log_input", True) else "rate",
        "count",
        options=options,
        negative=True,
    )
    for options in (
        {},
        {"full": True},
        {"full": "exact"},
        {"log_input": False},
        {"log_input": False, "full": True},
        {"log_input": False, "full": "exact"},
        {"log_input": False, "eps": 0.0},
    )
]


# ---- gamma_nll_loss ------------------------------------------------------------------------


def gamma(x: Any, t: Any, log_input: bool = True) -> Exact:
    if log_input:
        ratio = t * mp.exp(-x)
        return total(x, ratio), total(1, -ratio), exactly(ratio)
    ratio = t / x
    curvature, size = total(-1, 2 * ratio)
    return total(mp.log(x), ratio), exactly((x - t) / x**2), (curvature / x**2, size / x**2)


def gamma_nll_loss(input: FloatArray, target: FloatArray, log_input: bool = True) -> Scalar:
    """Mean of ``log(mean) + target / mean``; input is the mean or its logarithm."""
    if log_input:
        losses = np.exp(-input)
        losses *= target
        losses += input
    else:
        losses = np.log(input)
        losses += target / input
    return np.mean(losses)


def gamma_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, log_input: bool = True
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `gamma_nll_loss`."""
    if log_input:
        ratio = np.exp(-input)
        ratio *= target
        value = np.mean(input + ratio)
        np.subtract(1, ratio, out=ratio)
    else:
        ratio = target / input
        losses = np.log(input)
        losses += ratio
        value = np.mean(losses)
        np.subtract(1, ratio, out=ratio)
        ratio /= input
    ratio /= ratio.size
    return value, ratio


ELEMENTWISE += [
    Elementwise("gamma_nll_loss", gamma, "exponent", "count", negative=True),
    Elementwise(
        "gamma_nll_loss",
        gamma,
        "positive",
        "count",
        options={"log_input": False},
        convex=False,
        negative=True,
    ),
]


# ---- tweedie_loss --------------------------------------------------------------------------


def tweedie(x: Any, t: Any, power: float = 1.5, log_input: bool = True) -> Exact:
    if power == 1:
        return poisson(x, t, log_input, eps=0)
    if power == 2:
        return gamma(x, t, log_input)
    p = mp.mpf(power)
    y = mp.exp(x) if log_input else x
    if power == 0:
        d, size = total(y, -t)
        if not log_input:
            return exactly(d * d / 2), exactly(d), exactly(mp.mpf(1))
        curvature, curvature_size = total(2 * y, -t)
        value_size = abs(d) * size + (size * mp.mpf(2) ** -22) ** 2
        return (d * d / 2, value_size), (d * y, size * y), (curvature * y, curvature_size * y)
    a, b = y ** (2 - p), t * y ** (1 - p)
    value = total(a / (2 - p), -b / (1 - p))
    if log_input:
        return value, total(a, -b), total((2 - p) * a, -(1 - p) * b)
    return value, total(a / y, -b / y), total((1 - p) * a / y**2, p * b / y**2)


def tweedie_loss(
    input: FloatArray, target: FloatArray, power: float = 1.5, log_input: bool = True
) -> Scalar:
    """Mean of ``m**(2-p) / (2-p) - target * m**(1-p) / (1-p)``; m is input or its exponential."""
    if power in (0, 1, 2):
        return _tweedie_of_whole_power(input, target, power, log_input)[0]
    first, second = _tweedie_terms(input, target, power, log_input)
    first /= 2 - power
    second /= 1 - power
    first -= second
    return np.mean(first)


def tweedie_loss_and_grad(
    input: FloatArray, target: FloatArray, power: float = 1.5, log_input: bool = True
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `tweedie_loss`."""
    if power in (0, 1, 2):
        return _tweedie_of_whole_power(input, target, power, log_input)
    first, second = _tweedie_terms(input, target, power, log_input)
    grad = first - second
    if not log_input:
        grad /= input
    grad /= grad.size
    first /= 2 - power
    second /= 1 - power
    first -= second
    return np.mean(first), grad


def _tweedie_terms(
    input: FloatArray, target: FloatArray, power: float, log_input: bool
) -> tuple[FloatArray, FloatArray]:
    """``m**(2-p)`` and ``target * m**(1-p)``."""
    if log_input:
        return np.exp((2 - power) * input), target * np.exp((1 - power) * input)
    second = input ** (1 - power)
    return second * input, second * target


def _tweedie_of_whole_power(
    input: FloatArray, target: FloatArray, power: float, log_input: bool
) -> tuple[Scalar, FloatArray]:
    if power == 1:
        return poisson_nll_loss_and_grad(input, target, log_input, eps=0)
    if power == 2:
        return gamma_nll_loss_and_grad(input, target, log_input)
    mean = np.exp(input) if log_input else input
    difference = mean - target
    value = np.mean(np.square(difference)) / 2
    if log_input:
        difference *= mean
    difference /= difference.size
    return value, difference


ELEMENTWISE += [
    Elementwise(
        "tweedie_loss",
        tweedie,
        "exponent",
        "count" if p >= 1 else "real",
        options={"power": p} if p != 1.5 else {},
        convex=1 <= p <= 2,
        negative=True,
    )
    for p in (1.5, -1, 0, 1, 1.3, 1.9, 2, 2.5, 3)
]
ELEMENTWISE += [
    Elementwise(
        "tweedie_loss",
        tweedie,
        {0: "real", 1: "rate"}.get(p, "mean"),
        "count" if p >= 1 else "real",
        options={"power": p, "log_input": False},
        convex=p in (0, 1),
        negative=True,
    )
    for p in (-1, 0, 1, 1.3, 1.5, 1.9, 2, 2.5, 3)
]


# ---- gaussian_nll_loss ---------------------------------------------------------------------


def gaussian(
    x: Any, t: Any, var: Any, full: bool = False, eps: float = 1e-6
) -> tuple[Any, Any, Any]:
    d, v = x - t, max(var, mp.mpf(eps))
    z = d * d / v
    constant = [mp.log(2 * mp.pi) / 2] if full else []
    slope, slope_size = total(1, -z)
    curvature, curvature_size = total(z, mp.mpf(-1) / 2)
    by_var = (slope / (2 * v), slope_size / (2 * v)), (curvature / v**2, curvature_size / v**2)
    value = total(mp.log(v) / 2, z / 2, *constant)
    return value, (exactly(d / v), by_var[0]), (exactly(1 / v), by_var[1])


def gaussian_nll_loss(
    input: FloatArray, target: FloatArray, var: FloatArray, full: bool = False, eps: float = 1e-6
) -> Scalar:
    """Mean of ``(log(v) + d**2 / v) / 2`` with ``v = max(var, eps)``."""
    variance = np.maximum(var, eps)
    losses = np.square(input - target)
    losses /= variance
    losses += np.log(variance, out=variance)
    return np.mean(losses) / 2 + (np.log(2 * np.pi) / 2 if full else 0)


def gaussian_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, var: FloatArray, full: bool = False, eps: float = 1e-6
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `gaussian_nll_loss`."""
    variance = np.maximum(var, eps)
    difference = input - target
    grad = difference / variance
    difference *= grad  # d**2 / v
    value = np.mean(difference + np.log(variance)) / 2
    np.subtract(1, difference, out=difference)
    difference /= variance
    difference /= 2 * difference.size
    grad /= grad.size
    return value + (value.dtype.type(np.log(2 * np.pi) / 2) if full else 0), (grad, difference)


for options in ({}, {"full": True}, {"eps": 0.25}):
    ELEMENTWISE += paired(
        "gaussian_nll_loss",
        gaussian,
        third="var",
        third_kind="variance",
        options=options,
        convex=False,
        negative=True,
    )


# ---- kl_div --------------------------------------------------------------------------------


def kl(x: Any, t: Any, log_target: bool = False, target_grad: bool = False) -> Any:
    q = mp.exp(t) if log_target else t
    if log_target:
        value = exactly(q * (t - x) if q else mp.mpf(0))
        by_target, curvature = exactly(mp.mpf(0)), exactly(mp.mpf(0))
        if q:
            by_target, curvature = (
                (q * part, q * size) for part, size in (total(t, k, -x) for k in (1, 2))
            )
    else:
        value = total(xlogy(t, t), -t * x) if t else exactly(mp.mpf(0))
        curvature = exactly(1 / t if t else mp.inf)
        by_target = exactly(mp.inf) if x == -mp.inf else exactly(-mp.inf)
        if t and x != -mp.inf:
            by_target = total(mp.log(t), 1, -x)
    slope, none = exactly(-q), exactly(mp.mpf(0))
    return (value, (slope, by_target), (none, curvature)) if target_grad else (value, slope, none)


def kl_div(
    input: FloatArray, target: FloatArray, log_target: bool = False, target_grad: bool = False
) -> Scalar:
    """Mean of ``t * (log(t) - input)``; the target is t, or with log_target its logarithm."""
    return _kl_losses(input, target, log_target)[0]


def kl_div_and_grad(
    input: FloatArray, target: FloatArray, log_target: bool = False, target_grad: bool = False
) -> tuple[Scalar, Any]:
    """Value and gradient of `kl_div`, or gradients."""
    value, probability = _kl_losses(input, target, log_target)
    grad = probability / -probability.size
    if not target_grad:
        return value, grad
    with np.errstate(divide="ignore"):
        gap = (target if log_target else np.log(target)) - input
    gap += 1
    if log_target:
        gap *= probability
    gap /= gap.size
    return value, (grad, gap)


def _kl_losses(
    input: FloatArray, target: FloatArray, log_target: bool
) -> tuple[Scalar, FloatArray]:
    """Value of `kl_div`, and the probabilities of target."""
    if log_target:
        probability = np.exp(target)
        losses = target - input
    else:
        probability = target
        with np.errstate(divide="ignore"):
            losses = np.log(target)
        losses -= input
        losses[target == 0] = 0
    losses *= probability
    return np.mean(losses), probability


ELEMENTWISE += [
    Elementwise("kl_div", kl, "log-probability", "mass", negative=True),
    Elementwise(
        "kl_div",
        kl,
        "log-probability",
        "log-probability",
        options={"log_target": True},
        negative=True,
    ),
]
for log_target, kind in ((False, "positive mass"), (True, "log-probability")):
    ELEMENTWISE += [
        Elementwise(
            "kl_div",
            kl,
            "log-probability",
            kind,
            options={"target_grad": True} | ({"log_target": True} if log_target else {}),
            side=side,
            by="target",
            convex=not side,
            negative=True,
        )
        for side in (0, 1)
    ]


# ---- js_div --------------------------------------------------------------------------------


def js(x: Any, t: Any, beta: float = 0.5) -> Exact:
    a, b = 1 - mp.mpf(beta), mp.mpf(beta)
    p, q = mp.exp(x), mp.exp(t)
    if not p or not q:  # the logarithm of the mean is that of the other, and of its share
        slope = exactly(-a * p * mp.log(a))
        return exactly(-a * p * mp.log(a) - b * q * mp.log(b)), slope, slope
    d = x - t
    if d == 0:
        return exactly(mp.mpf(0)), exactly(mp.mpf(0)), exactly(a * b * p)
    lost = max(0, -mp.exponent(d))  # bits in which the two logarithms are the same
    with mp.workprec(PRECISE + 2 * lost):
        p, q = a * mp.exp(x), b * mp.exp(t)
        m = mp.log(p + q)
        value = p * (x - m) + q * (t - m)
        slope, share = p * (x - m), q / (p + q)
        curvature = p * (x - m + share), p * (abs(x - m) + share)
    return exactly(value), exactly(slope), curvature


PRECISE = 400


def js_div(input: FloatArray, target: FloatArray, beta: float = 0.5) -> Scalar:
    """Mean of ``p (x - m) + q (t - m)``, where p and q are the exponentials of x and t times their
    shares 1 - beta and beta, and m the logarithm of the sum."""
    return js_div_and_grad(input, target, beta)[0]


def js_div_and_grad(
    input: FloatArray, target: FloatArray, beta: float = 0.5
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `js_div`."""
    grad, losses = np.exp(input), np.exp(target)
    grad *= 1 - beta
    losses *= beta
    mean = grad + losses  # np.logaddexp would take several times as long
    np.log(mean, out=mean)
    grad *= input - mean
    losses *= target - mean
    losses += grad
    grad /= grad.size
    return np.mean(losses), grad


ELEMENTWISE += [
    Elementwise("js_div", js, "log-probability", "log-probability", convex=False, bounds=(5, 4, 6))
]
ELEMENTWISE += [
    Elementwise(
        "js_div",
        js,
        "log-probability",
        "log-probability",
        options={"beta": beta},
        convex=False,
        bounds=(14, 6, 6),
    )
    for beta in (0.1, 0.9, 0.3)
]
