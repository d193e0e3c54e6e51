"""Losses between numbers. d = input - target."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.losses.case import (
    Elementwise,
    FloatArray,
    Pair,
    Scalar,
    close,
    exactly,
    jump,
    mp,
)

Exact = tuple[Pair, Pair, Pair]
ELEMENTWISE: list[Elementwise] = []


# ---- mse_loss ------------------------------------------------------------------------------


def squared(x: Any, t: Any) -> Exact:
    d = x - t
    return exactly(d * d), exactly(2 * d), exactly(mp.mpf(2))


def mse_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``(input - target) ** 2``."""
    difference = input - target
    return np.mean(np.square(difference, out=difference))


def mse_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `mse_loss`."""
    difference = input - target
    value = np.mean(np.square(difference))
    difference *= 2 / difference.size
    return value, difference


ELEMENTWISE += [Elementwise("mse_loss", squared, mean_by_weight=True)]


# ---- l1_loss -------------------------------------------------------------------------------


def absolute(x: Any, t: Any) -> Exact:
    d = x - t
    return exactly(abs(d)), exactly(mp.sign(d)), exactly(mp.mpf(0))


def l1_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``|input - target|``."""
    difference = input - target
    return np.mean(np.abs(difference, out=difference))


def l1_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `l1_loss`; the gradient is 0 where input and target are equal."""
    difference = input - target
    value = np.mean(np.abs(difference))
    grad = np.sign(difference)  # several times faster than in place
    grad /= grad.size
    return value, grad


ELEMENTWISE += [Elementwise("l1_loss", absolute, mean_by_weight=True, kinks=(0.0,))]


# ---- huber_loss ----------------------------------------------------------------------------


def huber(x: Any, t: Any, delta: float) -> Exact:
    d, k = x - t, mp.mpf(delta)
    inside = abs(d) < k
    value = d * d / 2 if inside else k * (abs(d) - k / 2)
    slope = d if inside else k * mp.sign(d)
    return exactly(value), exactly(slope), jump(mp.mpf(inside), close(abs(d), k))


def huber_loss(input: FloatArray, target: FloatArray, delta: float = 1.0) -> Scalar:
    """Mean of ``d**2 / 2`` where ``|d| <= delta``, else ``delta * (|d| - delta / 2)``."""
    value, _ = _huber_value_and_clipped(input, target, delta)
    return value


def huber_loss_and_grad(
    input: FloatArray, target: FloatArray, delta: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `huber_loss`."""
    value, grad = _huber_value_and_clipped(input, target, delta)
    grad /= grad.size
    return value, grad


def _huber_value_and_clipped(
    input: FloatArray, target: FloatArray, delta: float
) -> tuple[Scalar, FloatArray]:
    """Value of `huber_loss`, and the differences clipped to ``[-delta, delta]``."""
    difference = input - target
    clipped = np.clip(difference, -delta, delta)
    # c * (d - c / 2) is d**2 / 2 where d == c, and delta * (|d| - delta / 2) outside.
    difference -= 0.5 * clipped
    difference *= clipped
    return np.mean(difference), clipped


ELEMENTWISE += [
    Elementwise("huber_loss", huber, options={"delta": k}, kinks=(k, -k)) for k in (1.0, 0.25, 1e4)
]


# ---- smooth_l1_loss ------------------------------------------------------------------------


def smooth_l1(x: Any, t: Any, beta: float) -> Exact:
    if beta == 0:
        return absolute(x, t)
    k = mp.mpf(beta)
    (value, _), (slope, _), (curvature, size) = huber(x, t, beta)
    return exactly(value / k), exactly(slope / k), (curvature / k, size / k)


def smooth_l1_loss(input: FloatArray, target: FloatArray, beta: float = 1.0) -> Scalar:
    """`huber_loss` divided by its delta, here beta; `l1_loss` where that is 0."""
    return huber_loss(input, target, beta) / beta if beta else l1_loss(input, target)


def smooth_l1_loss_and_grad(
    input: FloatArray, target: FloatArray, beta: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `smooth_l1_loss`."""
    if not beta:
        return l1_loss_and_grad(input, target)
    value, grad = _huber_value_and_clipped(input, target, beta)
    grad /= grad.size * beta
    return value / beta, grad


ELEMENTWISE += [
    Elementwise("smooth_l1_loss", smooth_l1, options={"beta": k}, kinks=(k, -k))
    for k in (1.0, 0.0, 0.1)
]


# ---- log_cosh_loss -------------------------------------------------------------------------


def log_cosh(x: Any, t: Any) -> Exact:
    d = x - t
    value = mp.log1p(2 * mp.sinh(d / 2) ** 2) if abs(d) < 1000 else abs(d) - mp.log(2)
    z = mp.exp(-2 * abs(d))
    curvature = 4 * z / (1 + z) ** 2
    rounding = abs(d) if x and t else 0  # of d, which exp makes one of the tail
    return exactly(value), exactly(mp.tanh(d)), (curvature, curvature * max(1, 2 * rounding))


def log_cosh_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``log(cosh(input - target))``."""
    value, _ = _log_cosh_value_and_difference(input, target)
    return value


def log_cosh_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `log_cosh_loss`."""
    value, grad = _log_cosh_value_and_difference(input, target)
    np.tanh(grad, out=grad)
    grad /= grad.size
    return value, grad


def _log_cosh_value_and_difference(
    input: FloatArray, target: FloatArray
) -> tuple[Scalar, FloatArray]:
    difference = input - target
    size = np.abs(difference)
    tail = np.exp(-2 * size)  # cosh(d) is exp(|d|) (1 + exp(-2|d|)) / 2
    size += np.log1p(tail, out=tail)
    size -= np.log(2)
    return np.mean(size), difference


ELEMENTWISE += [Elementwise("log_cosh_loss", log_cosh)]


# ---- pseudo_huber_loss ---------------------------------------------------------------------


def pseudo_huber(x: Any, t: Any, delta: float) -> Exact:
    d = x - t
    s = mp.sqrt(1 + (d / delta) ** 2)
    return exactly(d * d / (s + 1)), exactly(d / s), exactly(1 / s**3)


def pseudo_huber_loss(input: FloatArray, target: FloatArray, delta: float = 1.0) -> Scalar:
    """Mean of ``delta**2 * (sqrt(1 + (d / delta)**2) - 1)``."""
    return np.mean(_pseudo_huber_parts(input, target, delta)[0])


def pseudo_huber_loss_and_grad(
    input: FloatArray, target: FloatArray, delta: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `pseudo_huber_loss`."""
    losses, difference, root = _pseudo_huber_parts(input, target, delta)
    difference /= root
    difference /= difference.size
    return np.mean(losses), difference


def _pseudo_huber_parts(
    input: FloatArray, target: FloatArray, delta: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The losses, d, and the root."""
    difference = input - target
    root = np.hypot(difference / delta, 1)
    losses = np.square(difference)
    losses /= root + 1  # the root less 1 would lose the digits of small differences
    return losses, difference, root


ELEMENTWISE += [
    # Squares of rounded differences: the bounds are those of millions of random inputs.
    Elementwise("pseudo_huber_loss", pseudo_huber, options={"delta": k}, bounds=(5, 4, 11))
    for k in (1.0, 1e-6, 1e6, 2.3849)
]


# ---- quantile_loss -------------------------------------------------------------------------


def quantile(x: Any, t: Any, q: Any) -> Exact:
    d, q = x - t, mp.mpf(q)
    slope = -q if d < 0 else 1 - q if d > 0 else mp.mpf(0)
    return exactly(max(-q * d, (1 - q) * d)), exactly(slope), exactly(mp.mpf(0))


def quantile_loss(input: FloatArray, target: FloatArray, q: Any = 0.5) -> Scalar:
    """Mean of the larger of ``-q * d`` and ``(1 - q) * d``; q may be an array."""
    difference = input - target
    return np.mean(np.maximum(-q * difference, (1 - q) * difference))


def quantile_loss_and_grad(
    input: FloatArray, target: FloatArray, q: Any = 0.5
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `quantile_loss`; the gradient is 0 where input and target are equal."""
    difference = input - target
    sign = np.sign(difference)
    slope = (sign + (1 - 2 * q)) * (sign * sign) / 2  # -q, 0 or 1 - q
    value = np.mean(difference * slope)
    slope /= slope.size
    return value, slope


ELEMENTWISE += [
    Elementwise("quantile_loss", quantile, options={"q": q}, kinks=(0.0,))
    for q in (0.5, 0.1, 0.9, 0.0, 1.0)
]
ELEMENTWISE += [Elementwise("quantile_loss", quantile, third="q", third_kind="level", kinks=(0.0,))]


# ---- expectile_loss ------------------------------------------------------------------------


def expectile(x: Any, t: Any, q: Any) -> Exact:
    d, q = x - t, mp.mpf(q)
    factor = q if d < 0 else 1 - q if d > 0 else mp.mpf(1) / 2
    return exactly(factor * d * d), exactly(2 * factor * d), exactly(2 * factor)


def expectile_loss(input: FloatArray, target: FloatArray, q: Any = 0.5) -> Scalar:
    """Mean of ``q * d**2`` where d < 0, else ``(1 - q) * d**2``."""
    return expectile_loss_and_grad(input, target, q)[0]


def expectile_loss_and_grad(
    input: FloatArray, target: FloatArray, q: Any = 0.5
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `expectile_loss`."""
    difference = input - target
    below, above = (np.asarray(k, difference.dtype) for k in (q, 1 - q))
    grad = np.where(difference < 0, below, above)
    grad *= difference
    value = np.mean(np.multiply(grad, difference, out=difference))
    grad *= 2 / grad.size
    return value, grad


ELEMENTWISE += [
    Elementwise("expectile_loss", expectile, options={"q": q}, kinks=(0.0,))
    for q in (0.5, 0.1, 0.9, 0.0)
]
ELEMENTWISE += [
    Elementwise("expectile_loss", expectile, third="q", third_kind="level", kinks=(0.0,))
]


# ---- msle_loss -----------------------------------------------------------------------------


def squared_log(x: Any, t: Any) -> Exact:
    if x == -1 or t == -1:  # log 0
        if x == t:
            return (mp.nan, mp.nan), (mp.nan, mp.nan), (mp.nan, mp.nan)
        if t == -1:
            return exactly(mp.inf), exactly(mp.inf), exactly(-mp.inf)
        return exactly(mp.inf), exactly(-mp.inf), exactly(mp.inf)
    log, y = mp.log1p(x) - mp.log1p(t), 1 + x
    curvature = 2 * (1 - log) / y**2
    return exactly(log**2), exactly(2 * log / y), (curvature, 2 * max(1, abs(log)) / y**2)


def msle_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``(log1p(input) - log1p(target)) ** 2``."""
    difference = np.log1p(input)
    difference -= np.log1p(target)
    return np.mean(np.square(difference, out=difference))


def msle_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `msle_loss`."""
    difference = np.log1p(input)
    difference -= np.log1p(target)
    value = np.mean(np.square(difference))
    difference *= 2 / difference.size
    difference /= 1 + input
    return value, difference


ELEMENTWISE += [
    Elementwise("msle_loss", squared_log, "above -1", "above -1", convex=False, bounds=(7, 5, 6))
]


# ---- mape_loss -----------------------------------------------------------------------------


def percentage(x: Any, t: Any, eps: float = 2.0**-52) -> Exact:
    d, scale = x - t, max(abs(t), mp.mpf(eps))
    return exactly(abs(d) / scale), exactly(mp.sign(d) / scale), exactly(mp.mpf(0))


def mape_loss(input: FloatArray, target: FloatArray, eps: float = 2.0**-52) -> Scalar:
    """Mean of ``|d| / max(|target|, eps)``."""
    difference = np.subtract(input, target)
    difference /= np.maximum(np.abs(target), eps)
    return np.mean(np.abs(difference, out=difference))


def mape_loss_and_grad(
    input: FloatArray, target: FloatArray, eps: float = 2.0**-52
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `mape_loss`; the gradient is 0 where input and target are equal."""
    difference = input - target
    scale = np.maximum(np.abs(target), eps)
    grad = np.sign(difference)
    grad /= scale
    value = np.mean(np.multiply(difference, grad, out=difference))
    grad /= grad.size
    return value, grad


ELEMENTWISE += [
    Elementwise("mape_loss", percentage, target="scale", kinks=(0.0,)),
    Elementwise("mape_loss", percentage, target="scale", options={"eps": 1e-3}),
]


# ---- cauchy_loss ---------------------------------------------------------------------------


def cauchy(x: Any, t: Any, c: float) -> Exact:
    d, c = x - t, mp.mpf(c)
    z = (d / c) ** 2
    curvature = (1 - z) / (1 + z) ** 2
    return exactly(c * c / 2 * mp.log1p(z)), exactly(d / (1 + z)), (curvature, 1 / (1 + z))


def cauchy_loss(input: FloatArray, target: FloatArray, c: float = 1.0) -> Scalar:
    """Mean of ``c**2 / 2 * log1p((d / c)**2)``."""
    square = np.square((input - target) / c)
    return c * c / 2 * np.mean(np.log1p(square, out=square))


def cauchy_loss_and_grad(
    input: FloatArray, target: FloatArray, c: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `cauchy_loss`."""
    difference = input - target
    square = np.square(difference / c)
    value = c * c / 2 * np.mean(np.log1p(square))
    square += 1
    difference /= square
    difference /= difference.size
    return value, difference


ELEMENTWISE += [
    Elementwise(
        "cauchy_loss",
        cauchy,
        options={"c": c},
        kinks=(c, -c),
        convex=False,
        bounds=(6, 5, 8),
    )
    for c in (1.0, 1e-6, 1e6)
]


# ---- fair_loss -----------------------------------------------------------------------------


def fair(x: Any, t: Any, c: float) -> Exact:
    d, c = x - t, mp.mpf(c)
    a = abs(d) / c
    difference = a - mp.log1p(a) if a > 1e-20 else a * a * (mp.mpf(1) / 2 - a / 3 + a * a / 4)
    return exactly(c * c * difference), exactly(d / (1 + a)), exactly(1 / (1 + a) ** 2)


def fair_loss(input: FloatArray, target: FloatArray, c: float = 1.0) -> Scalar:
    """Mean of ``c**2 * (a - log1p(a))`` with ``a = |d| / c``."""
    a = np.abs(input - target)
    a /= c
    a -= np.log1p(a)
    return c * c * np.mean(a)


def fair_loss_and_grad(
    input: FloatArray, target: FloatArray, c: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `fair_loss`."""
    difference = input - target
    a = np.abs(difference)
    a /= c
    value = c * c * np.mean(a - np.log1p(a))
    a += 1
    difference /= a
    difference /= difference.size
    return value, difference


ELEMENTWISE += [
    Elementwise("fair_loss", fair, options={"c": c}, bounds=(6, 4, 7)) for c in (1.0, 1e-6, 1e6)
]


# ---- epsilon_insensitive_loss --------------------------------------------------------------


def epsilon_insensitive(x: Any, t: Any, epsilon: float) -> Exact:
    d, e = x - t, mp.mpf(epsilon)
    outside, near = abs(d) > e, close(abs(d), e)
    value = abs(d) - e if outside else mp.mpf(0)
    slope = mp.sign(d) if outside else mp.mpf(0)
    return (value, max(abs(d), e)), jump(slope, near), exactly(mp.mpf(0))


def epsilon_insensitive_loss(input: FloatArray, target: FloatArray, epsilon: float = 0.1) -> Scalar:
    """Mean of ``max(0, |d| - epsilon)``."""
    size = np.abs(input - target)
    size -= epsilon
    return np.mean(np.maximum(size, 0, out=size))


def epsilon_insensitive_loss_and_grad(
    input: FloatArray, target: FloatArray, epsilon: float = 0.1
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `epsilon_insensitive_loss`."""
    difference = input - target
    size = np.abs(difference)
    size -= epsilon
    grad = np.sign(difference)
    grad *= size > 0
    grad /= grad.size
    return np.mean(np.maximum(size, 0, out=size)), grad


ELEMENTWISE += [
    Elementwise("epsilon_insensitive_loss", epsilon_insensitive, options={"epsilon": e}, kinks=k)
    for e, k in ((0.1, (0.1, -0.1)), (0.0, (0.0,)), (2.0, (2.0, -2.0)))
]


# ---- squared_epsilon_insensitive_loss ------------------------------------------------------


def squared_epsilon_insensitive(x: Any, t: Any, epsilon: float) -> Exact:
    d, e = x - t, mp.mpf(epsilon)
    outside, near = abs(d) > e, close(abs(d), e)
    size = max(abs(d), e)
    value = abs(d) - e if outside else mp.mpf(0)
    return (
        (value**2, size**2 if near else value * size),
        (2 * mp.sign(d) * value, 2 * size),
        jump(mp.mpf(2 * outside), near),
    )


def squared_epsilon_insensitive_loss(
    input: FloatArray, target: FloatArray, epsilon: float = 0.1
) -> Scalar:
    """Mean of ``max(0, |d| - epsilon) ** 2``."""
    size = np.abs(input - target)
    size -= epsilon
    np.maximum(size, 0, out=size)
    return np.mean(np.square(size, out=size))


def squared_epsilon_insensitive_loss_and_grad(
    input: FloatArray, target: FloatArray, epsilon: float = 0.1
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `squared_epsilon_insensitive_loss`."""
    difference = input - target
    difference -= np.clip(difference, -epsilon, epsilon)
    value = np.mean(np.square(difference))
    difference *= 2 / difference.size
    return value, difference


ELEMENTWISE += [
    Elementwise(
        "squared_epsilon_insensitive_loss",
        squared_epsilon_insensitive,
        options={"epsilon": e},
        kinks=k,
    )
    for e, k in ((0.1, (0.1, -0.1)), (0.0, (0.0,)), (2.0, (2.0, -2.0)))
]
