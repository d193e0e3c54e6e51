"""Losses between two classes: targets are 0 or 1 (or between), or -1 or 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.losses.case import (
    Elementwise,
    FloatArray,
    Pair,
    Scalar,
    exactly,
    jump,
    mp,
    paired,
    product,
    sigmoid,
    softplus,
)

Exact = tuple[Pair, Pair, Pair]
ELEMENTWISE: list[Elementwise] = []


# ---- binary_cross_entropy_with_logits ------------------------------------------------------


def bce_with_logits(x: Any, t: Any, pos_weight: Any = 1) -> Exact:
    pt, nt = pos_weight * t, 1 - t
    p, q = sigmoid(x), sigmoid(-x)
    value = pt * softplus(-x) + nt * softplus(x)
    return exactly(value), (nt * p - pt * q, nt * p + pt * q), exactly((pt + nt) * p * q)


def binary_cross_entropy_with_logits(
    input: FloatArray, target: FloatArray, pos_weight: FloatArray | float | None = None
) -> Scalar:
    """Mean of ``-(pos_weight * t * log(sigmoid(x)) + (1 - t) * log(1 - sigmoid(x)))``."""
    softplus = np.log1p(np.exp(-np.abs(input)))  # log(1 + exp(-|x|)) cannot overflow
    return np.mean(_binary_losses(input, target, softplus, pos_weight))


def binary_cross_entropy_with_logits_and_grad(
    input: FloatArray, target: FloatArray, pos_weight: FloatArray | float | None = None
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `binary_cross_entropy_with_logits`."""
    exp = np.exp(-np.abs(input))
    value = np.mean(_binary_losses(input, target, np.log1p(exp), pos_weight))
    grad = np.maximum(exp, input >= 0)  # the numerator of sigmoid(x): 1, or exp(x) below 0
    exp += 1
    grad /= exp
    if pos_weight is not None:
        grad *= 1 + (pos_weight - 1) * target
        grad -= pos_weight * target
    else:
        grad -= target
    grad /= grad.size
    return value, grad


def _binary_losses(
    input: FloatArray,
    target: FloatArray,
    softplus: FloatArray,
    pos_weight: FloatArray | float | None,
) -> FloatArray:
    """The losses of the elements; ``softplus`` is ``log(1 + exp(-|input|))``, overwritten."""
    if pos_weight is None:
        softplus += np.maximum(input, 0)
        softplus -= input * target
        return softplus
    softplus += np.maximum(-input, 0)
    softplus *= 1 + (pos_weight - 1) * target
    softplus += (1 - target) * input
    return softplus


ELEMENTWISE += [
    Elementwise("binary_cross_entropy_with_logits", bce_with_logits, "logit", "free label"),
    Elementwise(
        "binary_cross_entropy_with_logits",
        bce_with_logits,
        "logit",
        "free label",
        third="pos_weight",
    ),
]


# ---- binary_cross_entropy ------------------------------------------------------------------


def bce(x: Any, t: Any, log_clamp: float | None = -100.0) -> Exact:
    p, q, s = x, 1 - x, 1 - t
    spread = p * q
    ln_p, ln_q = mp.log(p) if p else -mp.inf, mp.log1p(-p) if q else -mp.inf
    if log_clamp is None:
        value = -product(t, ln_p) - product(s, ln_q)
        if spread:
            slope, curvature = (x - t) / spread, t / p**2 + s / q**2
        else:  # one of the two logarithms is that of 0, and counts unless its factor is 0, too
            weight, side = (t, -1) if p == 0 else (s, 1)
            slope = side * mp.inf if weight else mp.mpf(-side)
            curvature = mp.inf if weight else mp.mpf(1)
        return exactly(value), exactly(slope), exactly(curvature)
    least = mp.mpf(log_clamp)
    spread = max(spread, mp.mpf(1e-12))
    value = -(t * max(ln_p, least) + s * max(ln_q, least))
    curvature = (t * q**2 + s * p**2) / spread**2
    return exactly(value), exactly((x - t) / spread), exactly(curvature)


def binary_cross_entropy(
    input: FloatArray, target: FloatArray, log_clamp: float | None = -100.0
) -> Scalar:
    """Mean of ``-(t * log(x) + (1 - t) * log(1 - x))``, logarithms not below log_clamp."""
    least = -np.inf if log_clamp is None else log_clamp
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = np.maximum(np.log(input), least)
        losses *= target
        other = np.maximum(np.log1p(-input), least)
        other *= 1 - target
    losses += other
    return -np.mean(losses)


def binary_cross_entropy_and_grad(
    input: FloatArray, target: FloatArray, log_clamp: float | None = -100.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `binary_cross_entropy`."""
    grad = input - target
    spread = input * (1 - input)
    if log_clamp is not None:
        np.maximum(spread, 1e-12, out=spread)
    grad /= spread
    grad /= grad.size
    return binary_cross_entropy(input, target, log_clamp), grad


ELEMENTWISE += [
    Elementwise("binary_cross_entropy", bce, "probability", "label", options=options)
    for options in ({}, {"log_clamp": None}, {"log_clamp": -5.0})
]


# ---- soft_margin_loss ----------------------------------------------------------------------


def soft_margin(x: Any, t: Any) -> Exact:
    z = t * x
    p, q = sigmoid(-z), sigmoid(z)
    return exactly(softplus(-z)), exactly(-t * p), exactly(p * q)


def soft_margin_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``log(1 + exp(-target * input))``."""
    margin = input * target
    exp = np.exp(-np.abs(margin))
    losses = np.log1p(exp, out=exp)
    losses -= np.minimum(margin, 0, out=margin)
    return np.mean(losses)


def soft_margin_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `soft_margin_loss`."""
    margin = input * target
    exp = np.exp(-np.abs(margin))
    grad = np.maximum(exp, margin <= 0)  # the numerator of sigmoid(-margin)
    losses = np.log1p(exp)
    losses -= np.minimum(margin, 0, out=margin)
    exp += 1
    grad /= exp
    grad *= target
    grad /= -grad.size
    return np.mean(losses), grad


ELEMENTWISE += [Elementwise("soft_margin_loss", soft_margin, "logit", "sign")]


# ---- hinge_loss ----------------------------------------------------------------------------


def hinge(x: Any, t: Any, margin: float) -> Exact:
    short = margin - t * x
    value, slope = (short, -t) if short > 0 else (mp.mpf(0), mp.mpf(0))
    return exactly(value), exactly(slope), exactly(mp.mpf(0))


def hinge_loss(input: FloatArray, target: FloatArray, margin: float = 1.0) -> Scalar:
    """Mean of ``max(0, margin - target * input)``."""
    return np.mean(_shortfall(input, target, margin))


def hinge_loss_and_grad(
    input: FloatArray, target: FloatArray, margin: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `hinge_loss`."""
    short = _shortfall(input, target, margin)
    grad = target * (short > 0)
    grad /= -grad.size
    return np.mean(short), grad


def _shortfall(input: FloatArray, target: FloatArray, margin: float) -> FloatArray:
    short: FloatArray = input * target
    np.subtract(margin, short, out=short)
    return np.maximum(short, 0, out=short)


ELEMENTWISE += [
    Elementwise("hinge_loss", hinge, "logit", "sign", options={"margin": k}, kinks=(k, -k))
    for k in (1.0, 0.0, 2.5)
]


# ---- squared_hinge_loss --------------------------------------------------------------------


def squared_hinge(x: Any, t: Any, margin: float) -> Exact:
    short = max(margin - t * x, mp.mpf(0))
    return exactly(short**2), exactly(-2 * t * short), exactly(mp.mpf(2 * (short > 0)))


def squared_hinge_loss(input: FloatArray, target: FloatArray, margin: float = 1.0) -> Scalar:
    """Mean of ``max(0, margin - target * input) ** 2``."""
    short = _shortfall(input, target, margin)
    return np.mean(np.square(short, out=short))


def squared_hinge_loss_and_grad(
    input: FloatArray, target: FloatArray, margin: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `squared_hinge_loss`."""
    short = _shortfall(input, target, margin)
    value = np.mean(np.square(short))
    short *= target
    short *= -2 / short.size
    return value, short


ELEMENTWISE += [
    Elementwise(
        "squared_hinge_loss", squared_hinge, "logit", "sign", options={"margin": k}, kinks=(k, -k)
    )
    for k in (1.0, 0.0, 2.5)
]


# ---- modified_huber_loss -------------------------------------------------------------------


def modified_huber(x: Any, t: Any) -> Exact:
    z = t * x
    if z >= 1:
        return exactly(mp.mpf(0)), exactly(mp.mpf(0)), exactly(mp.mpf(0))
    if z >= -1:
        return exactly((1 - z) ** 2), exactly(-2 * t * (1 - z)), exactly(mp.mpf(2))
    return exactly(-4 * z), exactly(-4 * t), exactly(mp.mpf(0))


def modified_huber_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``max(0, 1 - z) ** 2`` where ``z = target * input`` is above -1, else ``-4 * z``."""
    short = _shortfall(input, target, 1)
    clipped = np.minimum(short, 2)
    short *= 2
    short -= clipped  # c (2 s - c) is s ** 2 where s == c, and 4 (s - 1) beyond 2
    short *= clipped
    return np.mean(short)


def modified_huber_loss_and_grad(
    input: FloatArray, target: FloatArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `modified_huber_loss`."""
    short = _shortfall(input, target, 1)
    clipped = np.minimum(short, 2)
    short *= 2
    short -= clipped
    short *= clipped
    clipped *= target
    clipped *= -2 / clipped.size
    return np.mean(short), clipped


ELEMENTWISE += [
    Elementwise("modified_huber_loss", modified_huber, "logit", "sign", kinks=(1.0, -1.0))
]


# ---- exponential_loss ----------------------------------------------------------------------


def exponential(x: Any, t: Any) -> Exact:
    value = mp.exp(-t * x)
    return exactly(value), exactly(-t * value), exactly(value)


def exponential_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """Mean of ``exp(-target * input)``."""
    losses: FloatArray = input * target
    np.negative(losses, out=losses)
    return np.mean(np.exp(losses, out=losses))


def exponential_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `exponential_loss`."""
    losses: FloatArray = input * target
    np.negative(losses, out=losses)
    value = np.mean(np.exp(losses, out=losses))
    losses *= target
    losses /= -losses.size
    return value, losses


ELEMENTWISE += [Elementwise("exponential_loss", exponential, "exponent", "sign")]


# ---- hinge_embedding_loss ------------------------------------------------------------------


def hinge_embedding(x: Any, t: Any, margin: float) -> Exact:
    if t > 0:
        return exactly(x), exactly(mp.mpf(1)), exactly(mp.mpf(0))
    short = margin - x
    return exactly(max(short, mp.mpf(0))), exactly(mp.mpf(-(short >= 0))), exactly(mp.mpf(0))


def hinge_embedding_loss(input: FloatArray, target: FloatArray, margin: float = 1.0) -> Scalar:
    """Mean of ``input`` where target is 1, and of ``max(0, margin - input)`` where it is -1."""
    return np.mean(np.where(target > 0, input, np.maximum(margin - input, 0)))


def hinge_embedding_loss_and_grad(
    input: FloatArray, target: FloatArray, margin: float = 1.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `hinge_embedding_loss`."""
    short = margin - input
    grad = np.where(short >= 0, target, np.maximum(target, 0))
    value = np.mean(np.where(target > 0, input, np.maximum(short, 0)))
    grad /= grad.size
    return value, grad


ELEMENTWISE += [
    Elementwise(
        "hinge_embedding_loss",
        hinge_embedding,
        target="sign",
        options={"margin": k},
        kinks=(k,),
        negative=True,
    )
    for k in (1.0, 0.0, 2.5)
]


# ---- sigmoid_focal_loss --------------------------------------------------------------------


def focal(x: Any, t: Any, alpha: float | None = 0.25, gamma: float = 2.0) -> Exact:
    """With a cross entropy c, its slope c', and m, one less the probability of the target:
    a c m^γ and its derivatives, whose terms have different signs."""
    a = 1 if alpha is None else alpha * t + (1 - mp.mpf(alpha)) * (1 - t)
    p, q, g = sigmoid(x), sigmoid(-x), mp.mpf(gamma)
    c, m = t * softplus(-x) + (1 - t) * softplus(x), t * q + (1 - t) * p
    c1, m1 = ((1 - t) * p, -t * q), ((1 - t) * p * q, -t * p * q)  # sums of two terms
    power = [m**g, g * m ** (g - 1), g * (g - 1) * m ** (g - 2)]
    slope = [y * power[0] for y in c1] + [c * power[1] * y for y in m1]
    d_c, d_m = sum(c1), sum(m1)
    curvature = [
        p * q * power[0],
        2 * d_c * power[1] * d_m,
        c * power[2] * d_m**2,
        *(c * power[1] * y for y in (m1[0] * q, -m1[0] * p, m1[1] * q, -m1[1] * p)),
    ]
    return (
        exactly(a * c * power[0]),
        (a * mp.fsum(slope), a * mp.fsum(map(abs, slope))),
        (a * mp.fsum(curvature), a * mp.fsum(map(abs, curvature))),
    )


def sigmoid_focal_loss(
    input: FloatArray, target: FloatArray, alpha: float | None = 0.25, gamma: float = 2.0
) -> Scalar:
    """Mean of the cross entropy times ``(1 - p of the target) ** gamma``, weighted by alpha."""
    losses, _, _, factor, _ = _focal_parts(input, target, alpha, gamma)
    losses *= factor
    return np.mean(losses)


def sigmoid_focal_loss_and_grad(
    input: FloatArray, target: FloatArray, alpha: float | None = 0.25, gamma: float = 2.0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `sigmoid_focal_loss`."""
    losses, p, spread, factor, miss = _focal_parts(input, target, alpha, gamma)
    grad = 1 - 2 * target
    grad *= spread
    grad *= losses
    grad *= gamma
    grad /= miss
    p -= target
    grad += p
    grad *= factor
    grad /= grad.size
    losses *= factor
    return np.mean(losses), grad


def _focal_parts(
    input: FloatArray, target: FloatArray, alpha: float | None, gamma: float
) -> tuple[FloatArray, ...]:
    """Cross entropy, p, p (1 - p), what the cross entropy is multiplied by, and 1 - p_t."""
    exp = np.exp(-np.abs(input))
    losses = np.log1p(exp)
    losses += np.maximum(input, 0)
    losses -= input * target
    share = 1 / (1 + exp)
    small = exp * share
    p = np.where(input >= 0, share, small)
    miss = target * np.where(input >= 0, small, share) + (1 - target) * p
    factor = miss**gamma
    if alpha is not None:
        factor *= (1 - alpha) + (2 * alpha - 1) * target
    return losses, p, share * small, factor, miss


ELEMENTWISE += [
    # Five factors, each of several roundings: 4.7 ULP for a soft label in float64.
    Elementwise(
        "sigmoid_focal_loss",
        focal,
        "logit",
        "label",
        options=options,
        convex=False,
        bounds=(5, 5, 6),
    )
    for options in (
        {},
        {"gamma": 0.0},
        {"gamma": 0.5},
        {"gamma": 5.0},
        {"alpha": None},
        {"alpha": None, "gamma": 1.5},
        {"alpha": 0.75, "gamma": 1.0},
        {"alpha": 0.0},
    )
]


# ---- asymmetric_loss -----------------------------------------------------------------------


def asymmetric(
    x: Any, t: Any, gamma_neg: float = 4.0, gamma_pos: float = 1.0, clip: float = 0.05
) -> Exact:
    """t A + (1 - t) B of powers of the probability of the other label. Their terms have different
    signs, and u = p - m is a difference: its size is that of p."""
    p, q, m = sigmoid(x), sigmoid(-x), mp.mpf(clip)
    pos, neg = mp.mpf(gamma_pos), mp.mpf(gamma_neg)
    c, power = softplus(-x), q**pos
    value = [t * power * c]
    slope = [-t * power * pos * p * c, -t * power * q]
    curvature = [
        t * power * y for y in (pos * pos * p * p * c, 2 * pos * p * q, -pos * p * q * c, p * q)
    ]
    u = p - m
    blur = mp.mpf(1)  # how much larger p is than u, and its error than that of u
    if u > 0:
        blur = 1 + (neg + 2) * m / u
        n = -mp.log1p(-u) if m else softplus(x)
        power, r, s = u**neg, p * q / u, p * q / (q + m)
        value.append((1 - t) * power * n)
        slope += [(1 - t) * power * y for y in (neg * r * n, s)]
        parts = [neg * neg * r * r * n, -neg * r * r * n, 2 * neg * r * s, s * s]
        parts += [y * z for y in (q, -p) for z in (neg * r * n, s)]
        curvature += [(1 - t) * power * y for y in parts]

    def summed(terms: list[Any]) -> Pair:
        return mp.fsum(terms), mp.fsum(map(abs, terms)) * blur

    return summed(value), summed(slope), summed(curvature)


def asymmetric_loss(
    input: FloatArray,
    target: FloatArray,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    clip: float = 0.05,
) -> Scalar:
    """Mean of ``-t (1-p)**gamma_pos log(p) - (1-t) u**gamma_neg log(1-u)``, u = max(p-clip, 0)."""
    p = 1 / (1 + np.exp(-input))
    shifted = np.maximum(p - clip, 0)
    losses = -target * (1 - p) ** gamma_pos * np.log(p)
    losses -= (1 - target) * shifted**gamma_neg * np.log1p(-shifted)
    return np.mean(losses)


def asymmetric_loss_and_grad(
    input: FloatArray,
    target: FloatArray,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    clip: float = 0.05,
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `asymmetric_loss`."""
    p = 1 / (1 + np.exp(-input))
    shifted = np.maximum(p - clip, 0)
    log_p, log_rest = np.log(p), np.log1p(-shifted)
    pos, neg = target * (1 - p) ** gamma_pos, (1 - target) * shifted**gamma_neg
    value = np.mean(-pos * log_p - neg * log_rest)
    grad = pos * (gamma_pos * p * log_p - (1 - p))
    some = shifted > 0
    safe = np.where(some, shifted, 1)
    slope = 1 / (1 - shifted) - gamma_neg * log_rest / safe
    grad += np.where(some, neg * p * (1 - p) * slope, 0)
    return value, grad / grad.size


ELEMENTWISE += [
    # A power multiplies the error of the difference that it is taken of: 5.9 ULP in float64.
    Elementwise(
        "asymmetric_loss",
        asymmetric,
        "logit",
        "label",
        options=options,
        convex=False,
        bounds=(7, 7, 8),
    )
    for options in (
        {},
        {"clip": 0.0},
        {"clip": 0.0, "gamma_neg": 0.5, "gamma_pos": 0.0},
        {"clip": 0.5, "gamma_neg": 1.0, "gamma_pos": 2.5},
        {"gamma_neg": 0.0},
    )
]


# ---- margin_ranking_loss -------------------------------------------------------------------


def margin_ranking(x: Any, t: Any, y: Any, margin: float) -> tuple[Any, Any, Any]:
    d, m = x - y, mp.mpf(margin)
    short = m - t * d
    near = bool(m) and short != 0 and abs(short) <= m * mp.mpf(2) ** -22
    slope = -t * (short >= 0)
    value = max(short, mp.mpf(0)), max(abs(d), m)
    flat = exactly(mp.mpf(0))
    return value, (jump(slope, near), jump(-slope, near)), (flat, flat)


def margin_ranking_loss(
    input1: FloatArray, input2: FloatArray, target: FloatArray, margin: float = 0.0
) -> Scalar:
    """Mean of ``max(0, margin - target * (input1 - input2))``."""
    return np.mean(_shortfall(input1 - input2, target, margin))


def margin_ranking_loss_and_grad(
    input1: FloatArray, input2: FloatArray, target: FloatArray, margin: float = 0.0
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `margin_ranking_loss`."""
    short = input1 - input2
    short *= target
    np.subtract(margin, short, out=short)
    grad = target * (short >= 0)
    grad /= grad.size
    return np.mean(np.maximum(short, 0, out=short)), (-grad, grad)


for k in (0.0, 0.5):
    ELEMENTWISE += paired(
        "margin_ranking_loss",
        margin_ranking,
        target="sign",
        third="input2",
        third_kind="real",
        first="input1",
        options={"margin": k},
        kinks=(k, -k),
    )
