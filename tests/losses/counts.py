"""Negative log-likelihoods of counts and of proportions."""

from __future__ import annotations

from functools import cache
from math import log, pi
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
    sigmoid,
    softplus,
    trigamma,
)

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []

Several = tuple[Pair, tuple[Pair, ...], tuple[Pair, ...]]


# ---- exact values: the gamma function ------------------------------------------------------
#
# Derivatives with respect to a dispersion are differences of terms that are larger by its square,
# or its fourth power, so they are computed with so many digits more.

LIMIT = 2.0**-100  # dispersions below have the derivatives of 0


def bits_for(u: Any, x: Any = 0, t: Any = 1) -> int:
    """How many, for a dispersion u, and a zero of the log mean x."""
    small = max(0, -float(x)) if not t and x > -2000 else 0
    return 240 + 4 * max(0, -mp.exponent(u) if u else 0) + round(6 * small)


FAR = 10**5  # log means and logits beyond have straight lines


def log_factorial(t: Any) -> Any:
    return mp.loggamma(t + 1) if t > 2.0**-80 else -mp.euler * t


def rise(r: Any, t: Any, bits: int) -> tuple[Any, Any, Any]:
    """log Γ(r + t) - log Γ(r), and two derivatives with respect to r."""
    if not t:
        return (mp.mpf(0),) * 3
    value = mp.loggamma(r + t) - mp.loggamma(r)
    return value, mp.digamma(r + t) - mp.digamma(r), trigamma(r + t) - trigamma(r)


def small(t: Any) -> Any:
    """What is added to the size of a value for a count below 1/2 that is not 0: of such a count the
    loss is right to a part of 1, not of itself."""
    return 1 + abs(mp.log(t)) if 0 < t < 0.5 else 0


def gap(z: Any) -> tuple[Any, Any]:
    """(z - log(1 + z)) / z², and the derivative of its double."""
    if abs(z) < 2.0**-60:
        return mp.mpf(1) / 2, mp.mpf(2) / 3
    k = (z - mp.log1p(z)) / z**2 if z > -1 else mp.inf
    return k, (1 - 2 * k) / z


# ---- negative_binomial_nll_loss ------------------------------------------------------------


@cache
def negative_binomial(x: Any, t: Any, u: Any) -> Several:
    if u < 0:
        return ((mp.nan, 1),) * 1 + (((mp.nan, 1),) * 2,) * 2  # type: ignore[return-value]
    bits = bits_for(u, x, t)
    with mp.workprec(bits):
        if u < LIMIT:
            return _poisson(x, t)
        r, y = 1 / u, x + mp.log(u)
        q, b = sigmoid(-y), sigmoid(y) / u  # 1 / (1 + m), e^x / (1 + m)
        d, size = b - t * q, b + t * q
        rising, slope, curvature = rise(r, t, bits)
        value = log_factorial(t) - rising + r * softplus(y) + t * softplus(-y)
        by = r * r * (slope - softplus(y)) + r * d
        bent = -2 * r * by - r * r * t * q - r * d * b - r**4 * curvature
        s = 1 / (1 + u * t)
        k, k3 = gap(-u * d)
        deviance, curve = d * d * k, d * d * (t * s + d * k3)
        # How far the rounding of e^x goes.
        spread = 2 * size * abs(d) * k
        wide = size * abs(d) * (2 * t * s + 3 * abs(d) * abs(k3))
        by_size = abs(by + deviance) + t * s / 2 + deviance + spread
        bent_size = abs(bent - curve) + (t * s) ** 2 + abs(curve) + wide
        return (
            (value, value + abs(d) + small(t)),
            ((d, size), (by, by_size)),
            (exactly(b * q * (1 + u * t)), (bent, bent_size)),
        )


def _poisson(x: Any, t: Any) -> Several:
    """The limit, of no dispersion."""
    e = mp.exp(x)
    d, size = e - t, e + t
    by = (t - d * d) / 2
    bent = d * d * (2 * e + t) / 3 - t * t / 2 + t / 6
    value = e - t * x + log_factorial(t)
    return (
        (value, value + abs(d) + small(t)),
        ((d, size), (by, t / 2 + d * d / 2 + size * abs(d))),
        (exactly(e), (bent, t * t / 2 + t / 6 + size * abs(d) * (2 * t + 2 * abs(d)))),
    )


def _log_gamma(x: Any) -> Any:
    """NumPy has none: Stirling's series at x + 8, divided by the eight factors."""
    y = x + 8
    below = np.sum([np.log(x + k) for k in range(8)], axis=0)
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5) - 1 / (1680 * y**7)
    series += 1 / (1188 * y**9) - 691 / (360_360 * y**11)
    return (y - 0.5) * np.log(y) - y + log(2 * pi) / 2 + series - below


def _digamma(x: Any) -> Any:
    y = x + 8
    below = np.sum([1 / (x + k) for k in range(8)], axis=0)
    series = 1 / (12 * y**2) - 1 / (120 * y**4) + 1 / (252 * y**6) - 1 / (240 * y**8)
    series += 1 / (132 * y**10) - 691 / (32_760 * y**12)
    return np.log(y) - 1 / (2 * y) - series - below


def negative_binomial_nll_loss(
    input: FloatArray, target: FloatArray, dispersion: FloatArray
) -> Scalar:
    """Mean of the terms of the logarithm, with Stirling's series for those of gamma functions."""
    return np.mean(_negative_binomial(input, target, dispersion)[0])


def _negative_binomial(input: FloatArray, target: FloatArray, dispersion: FloatArray) -> Any:
    r = 1 / dispersion
    ratio = dispersion * np.exp(input)
    log_ratio = np.log1p(ratio)
    losses = _log_gamma(r) + _log_gamma(target + 1) - _log_gamma(r + target)
    losses += (r + target) * log_ratio - target * (input + np.log(dispersion))
    return losses, r, ratio, log_ratio


def negative_binomial_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, dispersion: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `negative_binomial_nll_loss`."""
    losses, grad, by = _negative_binomial_and_grad(input, target, dispersion)
    grad /= grad.size
    by /= by.size
    return np.mean(losses), (grad, by)


def _negative_binomial_and_grad(
    input: FloatArray, target: FloatArray, dispersion: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    losses, r, ratio, log_ratio = _negative_binomial(input, target, dispersion)
    grad = (ratio * r - target) / (1 + ratio)
    by = r * r * (_digamma(r + target) - _digamma(r) - log_ratio) + r * grad
    return losses, grad, by


ELEMENTWISE += paired(
    "negative_binomial_nll_loss",
    negative_binomial,
    "exponent",
    "dispersed count",
    third="dispersion",
    third_kind="dispersion",
    convex=False,
    bounds=(4, 4, 7),
)


# ---- with additional zeros -----------------------------------------------------------------


def inflated(base: Several, t: Any, z: Any) -> Several:
    """The truth with additional zeros, whose logit is the last leaf."""
    (value, size), grads, hesses = base
    rare, common = sigmoid(-z), sigmoid(z)
    if t:
        return (
            (softplus(z) + value, softplus(z) + size),
            (*grads, exactly(common)),
            (*hesses, exactly(common * rare)),
        )
    y = z + value
    share, others = sigmoid(-y) if y < 1e5 else mp.mpf(0), sigmoid(y)
    lost = rare * (-mp.expm1(-value) if value < 1e5 else 1)
    none = -mp.log1p(-lost) if lost < 0.5 else softplus(z) - _log_sum(z, -value)
    rounding = 1 + others * (abs(z) + value)  # of y, in the share
    slopes = [(share * g, share * s * rounding) for g, s in grads]
    bends = [
        (share * (h - others * g * g), share * (s + others * g * g) * (rounding + share * abs(y)))
        for (h, s), (g, _) in zip(hesses, grads, strict=True)
    ]
    spread = share * others * (1 + abs(z) + value)
    return (
        (none, none + share * size),
        (*slopes, (-others * lost, others * lost * (1 + share * (abs(z) + size)))),
        (*bends, (common * rare - others * share, common * rare + spread)),
    )


def _log_sum(a: Any, b: Any) -> Any:
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


@cache
def zero_inflated_poisson(x: Any, t: Any, z: Any) -> Several:
    with mp.workprec(240):
        value, grads, hesses = _poisson(x, t)
        if not t:
            value = exactly(value[0])
        return inflated((value, grads[:1], hesses[:1]), t, z)


@cache
def zero_inflated_negative_binomial(x: Any, t: Any, u: Any, z: Any) -> Several:
    with mp.workprec(bits_for(u)):
        return inflated(negative_binomial(x, t, u), t, z)


def _inflate(
    target: FloatArray, logit: FloatArray, losses: FloatArray, *grads: FloatArray
) -> tuple[FloatArray, list[FloatArray]]:
    """Losses and gradients with additional zeros."""
    soft = np.logaddexp(0, logit)
    zero = target == 0
    common = 1 / (1 + np.exp(-logit))
    others = np.where(zero, 1 / (1 + np.exp(-logit - losses)), 0)
    inflated = np.where(zero, soft - np.logaddexp(logit, -losses), soft + losses)
    return inflated, [*(grad * (1 - others) for grad in grads), common - others]


def _poisson_losses(input: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    rate = np.exp(input)
    return rate - target * input + _log_gamma(target + 1), rate - target


def zero_inflated_poisson_nll_loss(
    input: FloatArray, target: FloatArray, zero_logit: FloatArray
) -> Scalar:
    """Mean of ``-log(p + (1 - p) * exp(-rate))`` where target is 0, and of the Poisson loss less
    ``log(1 - p)`` elsewhere."""
    return np.mean(_inflate(target, zero_logit, *_poisson_losses(input, target))[0])


def zero_inflated_poisson_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, zero_logit: FloatArray
) -> tuple[Scalar, tuple[FloatArray, ...]]:
    """Value and gradients of `zero_inflated_poisson_nll_loss`."""
    losses, grads = _inflate(target, zero_logit, *_poisson_losses(input, target))
    return np.mean(losses), tuple(grad / grad.size for grad in grads)


def zero_inflated_negative_binomial_nll_loss(
    input: FloatArray, target: FloatArray, dispersion: FloatArray, zero_logit: FloatArray
) -> Scalar:
    """As `zero_inflated_poisson_nll_loss`, with the loss of the negative binomial distribution."""
    losses = _negative_binomial(input, target, dispersion)[0]
    return np.mean(_inflate(target, zero_logit, losses)[0])


def zero_inflated_negative_binomial_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, dispersion: FloatArray, zero_logit: FloatArray
) -> tuple[Scalar, tuple[FloatArray, ...]]:
    """Value and gradients of `zero_inflated_negative_binomial_nll_loss`."""
    losses, grads = _inflate(
        target, zero_logit, *_negative_binomial_and_grad(input, target, dispersion)
    )
    return np.mean(losses), tuple(grad / grad.size for grad in grads)


ELEMENTWISE += paired(
    "zero_inflated_poisson_nll_loss",
    zero_inflated_poisson,
    "exponent",
    "dispersed count",
    third="zero_logit",
    third_kind="logit",
    convex=False,
)
ELEMENTWISE += paired(
    "zero_inflated_negative_binomial_nll_loss",
    zero_inflated_negative_binomial,
    "exponent",
    "dispersed count",
    third="dispersion",
    third_kind="dispersion",
    fourth="zero_logit",
    fourth_kind="logit",
    convex=False,
)


# ---- binomial_nll_loss ---------------------------------------------------------------------


def _likelier(x: Any, t: Any, n: Any) -> Any:
    """n p + t, or what is left of each, which is what the difference n p - t is made of."""
    return n * sigmoid(x) + t if x < 0 else n * sigmoid(-x) + (n - t)


def binomial(x: Any, t: Any, n: Any) -> tuple[Pair, Pair, Pair]:
    p, q = sigmoid(x), sigmoid(-x)
    d = n * p - t if x < 0 else (n - t) - n * q
    value = log_factorial(t) + log_factorial(n - t) - log_factorial(n)
    value += t * softplus(-x) + (n - t) * softplus(x)
    size = value + 2 * abs(d) + small(t) + small(n - t)
    return (value, size), (d, _likelier(x, t, n)), exactly(n * p * q)


def binomial_nll_loss(input: FloatArray, target: FloatArray, trials: FloatArray) -> Scalar:
    """Mean of the terms of the logarithm, with Stirling's series for those of gamma functions."""
    return np.mean(_binomial(input, target, trials))


def _binomial(input: FloatArray, target: FloatArray, trials: FloatArray) -> FloatArray:
    losses: FloatArray = _log_gamma(target + 1) + _log_gamma(trials - target + 1)
    losses -= _log_gamma(trials + 1)
    losses += trials * np.logaddexp(0, input) - target * input
    return losses


def binomial_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, trials: FloatArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `binomial_nll_loss`."""
    grad = trials / (1 + np.exp(-input)) - target
    grad /= grad.size
    return np.mean(_binomial(input, target, trials)), grad


ELEMENTWISE += [
    Elementwise(
        "binomial_nll_loss",
        binomial,
        "logit",
        "successes",
        third="trials",
        third_kind="trials",
        positional=True,
    )
]


# ---- beta_nll_loss -------------------------------------------------------------------------


@cache
def beta(x: Any, t: Any, u: Any) -> Several:
    if abs(x) > FAR:
        (value, size), grads, hesses = beta(FAR * mp.sign(x), t, u)
        return (value + abs(x) - FAR, size + abs(x)), grads, hesses
    bits = bits_for(1 / u)
    with mp.workprec(bits):
        p, q = sigmoid(x), sigmoid(-x)
        a, b = p * u, q * u
        d = u * (t - p)
        log_t, log_s = mp.log(t), mp.log1p(-t)
        if not a or not b:
            return ((mp.nan, 1),) * 1 + (((mp.nan, 1),) * 2,) * 2  # type: ignore[return-value]
        value = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(u) - (a - 1) * log_t - (b - 1) * log_s
        psi_a, psi_b, psi_u = map(mp.digamma, (a, b, u))
        tri_a, tri_b, tri_u = map(trigamma, (a, b, u))
        slope = p * q * u * (psi_a - psi_b - log_t + log_s)
        curvature = (q - p) * slope + (p * q * u) ** 2 * (tri_a + tri_b)
        by = p * (psi_a - log_t) + q * (psi_b - log_s) - psi_u
        bent = p * p * tri_a + q * q * tri_b - tri_u
        deviance = a * (mp.log(p) - log_t) + b * (mp.log(q) - log_s)
        logs = sum(abs(mp.log(c)) for c in (t, a, b, u)) + abs(log_s)
        size = abs(value) + deviance + 2 * abs(d) + logs
        lean = p * q * abs(mp.log(t / p) - mp.log1p(-t) + mp.log(q)) / max(abs(t - p), 2.0**-500)
        slope_size = 1 + abs(slope) + u * min(t + p, q + 1 - t) * lean
        return (
            (value, size),
            ((slope, slope_size), (by, (deviance + 2 * abs(d) + 2) / u)),
            (
                (curvature, abs(q - p) * slope_size + curvature + abs((q - p) * slope)),
                (bent, 3 / u**2),
            ),
        )


def beta_nll_loss(input: FloatArray, target: FloatArray, precision: FloatArray) -> Scalar:
    """Mean of the terms of the logarithm, with Stirling's series for those of gamma functions."""
    return np.mean(_beta(input, target, precision)[0])


def _beta(input: FloatArray, target: FloatArray, precision: FloatArray) -> Any:
    mean, other = 1 / (1 + np.exp(-input)), 1 / (1 + np.exp(input))
    a, b = mean * precision, other * precision
    log_t, log_s = np.log(target), np.log1p(-target)
    losses = _log_gamma(a) + _log_gamma(b) - _log_gamma(precision)
    losses -= (a - 1) * log_t + (b - 1) * log_s
    return losses, mean, other, a, b, log_t, log_s


def beta_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, precision: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `beta_nll_loss`."""
    losses, mean, other, a, b, log_t, log_s = _beta(input, target, precision)
    by_a, by_b = _digamma(a) - log_t, _digamma(b) - log_s
    grad = a * other * (by_a - by_b)
    by = mean * by_a + other * by_b - _digamma(precision)
    return np.mean(losses), (grad / grad.size, by / by.size)


ELEMENTWISE += paired(
    "beta_nll_loss",
    beta,
    "logit",
    "share",
    third="precision",
    third_kind="precision",
    convex=False,
    negative=True,
)


# ---- beta_binomial_nll_loss ----------------------------------------------------------------


@cache
def beta_binomial(x: Any, t: Any, n: Any, u: Any) -> Several:
    bits = bits_for(u)
    if u < 0:
        return ((mp.nan, 1),) * 1 + (((mp.nan, 1),) * 2,) * 2  # type: ignore[return-value]
    if abs(x) > FAR:
        (value, size), grads, hesses = beta_binomial(FAR * mp.sign(x), t, n, u)
        more = (x - FAR * mp.sign(x)) * grads[0][0]
        return (value + more, size + abs(more)), grads, hesses
    with mp.workprec(bits):
        (chosen, _), (d, spread), (curvature, _) = binomial(x, t, n)
        p, q, rest = sigmoid(x), sigmoid(-x), n - t
        if u < LIMIT:
            pairs = ((t, p), (rest, q), (n, mp.mpf(1)))
            first, second, whole = (c * (c - 1) / 2 / y for c, y in pairs)
            by = n * (n - 1) / 2 - first - second
            bent = sum(
                s * c * (c - 1) * (2 * c - 1) / 6 / y**2
                for (c, y), s in zip(pairs, (1, 1, -1), strict=True)
            )
            by_size = abs(first) + abs(second) + abs(whole) + d * d / p / q
            bent_size = (t / p) ** 2 * (1 + t) + (rest / q) ** 2 * (1 + rest) + n**3
            size = chosen + 2 * spread + 2 + small(t) + small(rest)
            by_size += spread * abs(d) / p / q
            return (
                (chosen, size),
                ((d, spread), (by, by_size)),
                ((curvature, curvature + t + rest), (bent, bent_size)),
            )
        r = 1 / u
        a, b = p * r, q * r
        rises = [rise(y, c, bits) for y, c in ((a, t), (b, rest), (r, n))]
        value = log_factorial(t) + log_factorial(rest) - log_factorial(n)
        value += rises[2][0] - rises[0][0] - rises[1][0]
        slope = -p * q * r * (rises[0][1] - rises[1][1])
        curvature = (q - p) * slope - (p * q * r) ** 2 * (rises[0][2] + rises[1][2])
        parts = [y * part[1] for part, y in zip(rises, (p, q, 1), strict=True)]
        bends = [y * y * part[2] for part, y in zip(rises, (p, q, 1), strict=True)]
        by = r * r * (parts[0] + parts[1] - parts[2])
        bent = -2 * r * by - r**4 * (bends[0] + bends[1] - bends[2])
        # The terms of the kernel: with respect to the shares, when the target is known.
        c = 1 / (1 + n * u)
        d, spread = c * d, c * spread
        za, zb = -d * u / p, d * u / q
        (ka, ba), (kb, bb) = gap(za), gap(zb)
        sa, sb = p / (p + t * u), q / (q + rest * u)
        logs = sum(abs(mp.log(y)) for y, k in ((a, t), (b, rest), (r, n)) if k)
        size = value + 2 * abs(d) + 1 + logs + small(t) + small(rest)
        far = [mp.log1p(z) / z if z else mp.mpf(1) for z in (za, zb)]
        slope_size = spread * (q * far[0] + p * far[1]) + q * (1 - sa) + p * (1 - sb)
        curvature_size = (
            abs(q - p) * slope_size + q * q * (t * sa + 1 - sa) + p * p * (rest * sb + 1 - sb)
        )
        by_size = t * sa / p + rest * sb / q + n * c
        by_size += spread * abs(d) * (2 * ka / p + 2 * kb / q)
        bent_size = (t * sa / p) ** 2 + (rest * sb / q) ** 2 + (n * c) ** 2
        bent_size += spread * abs(d) * (2 * t * sa + 3 * abs(d * ba)) / p**2
        bent_size += spread * abs(d) * (2 * rest * sb + 3 * abs(d * bb)) / q**2
        return (
            (value, size),
            ((slope, slope_size), (by, by_size)),
            ((curvature, curvature_size), (bent, bent_size)),
        )


def beta_binomial_nll_loss(
    input: FloatArray, target: FloatArray, trials: FloatArray, dispersion: FloatArray
) -> Scalar:
    """Mean of the terms of the logarithm, with Stirling's series for those of gamma functions."""
    return np.mean(_beta_binomial(input, target, trials, dispersion)[0])


def _beta_binomial(
    input: FloatArray, target: FloatArray, trials: FloatArray, dispersion: FloatArray
) -> Any:
    r = 1 / dispersion
    mean, other = 1 / (1 + np.exp(-input)), 1 / (1 + np.exp(input))
    a, b, rest = mean * r, other * r, trials - target
    losses = _log_gamma(target + 1) + _log_gamma(rest + 1) - _log_gamma(trials + 1)
    losses += _log_gamma(r + trials) - _log_gamma(r)
    losses -= _log_gamma(a + target) - _log_gamma(a) + _log_gamma(b + rest) - _log_gamma(b)
    return losses, mean, other, r, a, b, rest


def beta_binomial_nll_loss_and_grad(
    input: FloatArray, target: FloatArray, trials: FloatArray, dispersion: FloatArray
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `beta_binomial_nll_loss`."""
    losses, mean, other, r, a, b, rest = _beta_binomial(input, target, trials, dispersion)
    by_a = _digamma(a + target) - _digamma(a)
    by_b = _digamma(b + rest) - _digamma(b)
    grad = a * other * (by_b - by_a)
    by = mean * by_a + other * by_b - _digamma(r + trials) + _digamma(r)
    by *= r * r
    return np.mean(losses), (grad / grad.size, by / by.size)


ELEMENTWISE += paired(
    "beta_binomial_nll_loss",
    beta_binomial,
    "logit",
    "successes",
    third="trials",
    third_kind="trials",
    fourth="dispersion",
    fourth_kind="spread",
    by="dispersion",
    convex=False,
)
