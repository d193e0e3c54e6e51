"""Losses over a class axis: the softmax family, and the negative log-likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.losses.activations import exponentials
from tests.losses.case import (
    Arrays,
    FloatArray,
    Generator,
    Joint,
    Pair,
    RowPairs,
    Rows,
    Scalar,
    exactly,
    mp,
)

IntArray = NDArray[np.integer[Any]]
Numbers = Sequence[Any]
JointTruth = tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]

JOINT: list[Joint] = []


# ---- what the softmax family shares --------------------------------------------------------


class Softmax(NamedTuple):
    """Of a row of logits x: p = softmax(x) and what is made of it, each without cancellation."""

    lse: Pair
    p: list[Any]
    q: list[Any]  # 1 - p
    costs: list[Any]  # L = -log p


@lru_cache(maxsize=100)
def _softmax(x: tuple[Any, ...]) -> Softmax:
    m, e, rest = exponentials(x)
    total, log = 1 + rest, mp.log1p(rest)
    return Softmax(
        (m + log, abs(m) + log),
        [ej / total for ej in e],
        [(rest if ej == 1 else total - ej) / total for ej in e],
        [m - xj + log for xj in x],
    )


def one_hot(target: Any, classes: int) -> list[Any]:
    """The probabilities that a target stands for."""
    if isinstance(target, int):
        return [mp.mpf(j == target) for j in range(classes)]
    return list(target)


def weighed(target: Any, w: Numbers, smoothing: Any = 0) -> list[Any]:
    """τ = w ((1 - ε) t + ε / C)."""
    classes = len(w)
    keep, spread = 1 - mp.mpf(smoothing), mp.mpf(smoothing) / classes
    return [wj * (keep * tj + spread) for wj, tj in zip(w, one_hot(target, classes), strict=True)]


#: A loss φ as a function of L, given p = e^-L and q = 1 - p too: φ, φ' and φ''.
Phi = Callable[[Any, Any, Any], tuple[Pair, Pair, Pair]]


def of_costs(x: Numbers, tau: Numbers, phi: Phi, z_loss: Any = 0) -> RowPairs:
    """Σ τ_c φ(L_c) + z lse²; with a = τ φ', b = τ φ'', ψ the term of lse:

    g_k = p_k (Σa - a_k) - a_k q_k + ψ' p_k,
    h_k = p_k² (Σb - b_k) + b_k q_k² + (Σa + ψ') p_k q_k + ψ'' p_k².
    """
    (lse, lse_size), p, q, costs = _softmax(tuple(x))
    z = mp.mpf(z_loss)
    none = (mp.mpf(0), mp.mpf(0))
    value = [(z * lse * lse, z * abs(lse) * (2 * lse_size - abs(lse)))]
    a, b = [], []
    for t, cost, pj, qj in zip(tau, costs, p, q, strict=True):
        parts = phi(cost, pj, qj) if t else (none, none, none)
        v, first, second = ((t * y, abs(t * size)) for y, size in parts)
        value.append(v)
        a.append(first)
        b.append(second)
    psi, psi_size = 2 * z * lse, 2 * z * lse_size
    sum_a, size_a = (mp.fsum(column) for column in zip(*a, strict=True))
    sum_b, size_b = (mp.fsum(column) for column in zip(*b, strict=True))
    curved = sum(size > 0 for _, size in b)
    gradient, hessian = [], []
    for (ak, ak_size), (bk, bk_size), pk, qk in zip(a, b, p, q, strict=True):
        slope, size = pk * (sum_a - ak) - ak * qk, ak_size * qk
        if sum_a != ak:
            size += pk * size_a
        pq, square = pk * qk, pk * pk
        curvature, curvature_size = sum_a * pq, size_a * pq
        if curved:
            curvature += square * (sum_b - bk) + bk * qk * qk
            curvature_size += bk_size * qk * qk + (square * size_b if curved > (bk_size > 0) else 0)
        if z:
            slope, size = slope + psi * pk, size + psi_size * pk
            curvature += psi * pq + 2 * z * square
            curvature_size += psi_size * pq + 2 * z * square
        gradient.append((slope, size))
        hessian.append((curvature, curvature_size))
    return tuple(map(mp.fsum, zip(*value, strict=True))), gradient, hessian  # type: ignore[return-value]


def cost(cost: Any, p: Any, q: Any) -> tuple[Pair, Pair, Pair]:
    """Cross entropy: L itself."""
    return exactly(cost), exactly(mp.mpf(1)), exactly(mp.mpf(0))


# ---- cross_entropy -------------------------------------------------------------------------


def entropy(
    x: Numbers,
    target: Any,
    w: Numbers,
    label_smoothing: Any = 0,
    z_loss: Any = 0,
    softcap: Any = None,
) -> RowPairs:
    tau = weighed(target, w, label_smoothing)
    if softcap is None:
        return of_costs(x, tau, cost, z_loss)
    # u = s tanh(x / s) and its slope sech(x / s)² are of a rounded quotient: what follows is as
    # exact as roundings of each u and each x / s allow.
    s = mp.mpf(softcap)
    e = [mp.exp(-2 * abs(xj) / s) for xj in x]
    tanh = [
        mp.sign(xj) * (-mp.expm1(-2 * abs(xj) / s)) / (1 + ej) for xj, ej in zip(x, e, strict=True)
    ]
    slopes = [4 * ej / (1 + ej) ** 2 for ej in e]
    u = [s * y for y in tanh]
    value, gradient, hessian = of_costs(u, tau, cost, z_loss)
    (_, lse_size), p, q, _ = _softmax(tuple(u))
    value = (
        value[0],
        value[1] + mp.fsum(abs(g * uj) for (g, _), uj in zip(gradient, u, strict=True)),
    )
    mean = mp.fsum(pj * abs(uj) for pj, uj in zip(p, u, strict=True))
    factor = mp.fsum(map(abs, tau)) + 2 * mp.mpf(z_loss) * (1 + lse_size)
    for k, (uk, slope) in enumerate(zip(u, slopes, strict=True)):
        doubt = factor * p[k] * (q[k] * abs(uk) + mean - p[k] * abs(uk))
        (g, g_size), (h, h_size) = gradient[k], hessian[k]
        curvature, of_slope = -2 / s * tanh[k] * slope, 1 + 2 * abs(x[k]) / s
        g_size, h_size = (abs(size) * of_slope + doubt for size in (g_size, h_size))
        gradient[k] = g * slope, g_size * slope
        hessian[k] = h * slope**2 + g * curvature, h_size * slope**2 + g_size * abs(curvature)
    return value, gradient, hessian


def _costs(input: FloatArray, target: IntArray) -> tuple[FloatArray, FloatArray]:
    """softmax(input), and -log of its number at the target."""
    shifted = input - input.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(target)), target]
    exp: FloatArray = np.exp(shifted, out=shifted)
    sums = exp.sum(axis=1, keepdims=True)
    costs = np.log(sums[:, 0]) - picked
    exp /= sums
    return exp, costs


def _carried(p: FloatArray, target: IntArray, slopes: FloatArray) -> FloatArray:
    """The gradient, of the slopes with respect to the costs; in place of p."""
    p[np.arange(len(target)), target] -= 1
    p *= slopes[:, None] / len(target)
    return p


def cross_entropy(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``-log_softmax(input)[n, target[n]]`` for logits (N, C) and class numbers (N,)."""
    shifted = input - input.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(target)), target]
    losses: FloatArray = np.log(np.exp(shifted, out=shifted).sum(axis=1)) - picked
    return np.mean(losses)


def cross_entropy_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `cross_entropy`."""
    count = len(target)
    rows = np.arange(count)
    shifted = input - input.max(axis=1, keepdims=True)
    picked = shifted[rows, target]
    exp = np.exp(shifted, out=shifted)
    sums = exp.sum(axis=1, keepdims=True)
    value = np.mean(np.log(sums[:, 0]) - picked)
    # (softmax - one_hot) / count, in place
    exp /= sums * count
    exp[rows, target] -= 1 / count
    return value, exp


ROWS = [
    Rows("cross_entropy", entropy),
    Rows("cross_entropy", entropy, weighted=True),
    Rows("cross_entropy", entropy, options={"label_smoothing": 0.1}),
    Rows("cross_entropy", entropy, options={"label_smoothing": 0.25}, weighted=True),
    Rows("cross_entropy", entropy, "probability"),
    Rows("cross_entropy", entropy, "probability", {"label_smoothing": 0.1}, weighted=True),
    *(
        Rows(
            "cross_entropy",
            entropy,
            target,
            options,
            weighted,
            invariant=False,
            convex=False,
            in_double="softcap" in options,
            bounds=(4, 5, 7),
        )
        for target, options, weighted in (
            ("class", {"z_loss": 0.01}, False),
            ("class", {"z_loss": 0.5, "label_smoothing": 0.1}, True),
            ("probability", {"z_loss": 0.5}, True),
            ("class", {"softcap": 30.0}, False),
            ("class", {"softcap": 5.0, "z_loss": 0.1, "label_smoothing": 0.1}, True),
            ("probability", {"softcap": 30.0}, True),
        )
    ),
]


# ---- nll_loss ------------------------------------------------------------------------------


def nll(x: Numbers, target: int, w: Numbers) -> RowPairs:
    zero = exactly(mp.mpf(0))
    gradient = [zero] * len(x)
    gradient[target] = exactly(-w[target])
    return exactly(-w[target] * x[target]), gradient, [zero] * len(x)


def nll_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``-input[n, target[n]]``."""
    return -np.mean(input[np.arange(len(target)), target])


def nll_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `nll_loss`."""
    rows = np.arange(len(target))
    grad = np.zeros_like(input)
    grad[rows, target] = -1 / len(target)
    return -np.mean(input[rows, target]), grad


ROWS += [
    Rows("nll_loss", nll, weighted=weighted, invariant=False, negative=True, nan="target")
    for weighted in (False, True)
]


# ---- softmax_focal_loss --------------------------------------------------------------------


def focal(
    x: Numbers,
    target: Any,
    w: Numbers,
    gamma: Any = 2,
    alpha: Any = None,
    label_smoothing: Any = 0,
) -> RowPairs:
    """φ = q^γ L, and dq/dL = p."""
    y = mp.mpf(gamma)

    def phi(cost: Any, p: Any, q: Any) -> tuple[Pair, Pair, Pair]:
        if not q:  # one class; what is not 0 here is multiplied by q
            return exactly(q), exactly(mp.mpf(not y)), exactly(q)
        power = q**y
        lower = y * power / q
        curved = lower * (y - 1) / q * p * p * cost
        return (
            exactly(power * cost),
            exactly(power + lower * p * cost),
            (lower * p * (2 - cost) + curved, lower * p * (2 + cost) + abs(curved)),
        )

    if alpha is not None:
        w = [mp.mpf(alpha) * wj for wj in w]
    return of_costs(x, weighed(target, w, label_smoothing), phi)


def softmax_focal_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``-(1 - p) ** 2 * log(p)`` with p the softmax at the target."""
    _, costs = _costs(input, target)
    return np.mean(np.expm1(-costs) ** 2 * costs)


def softmax_focal_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `softmax_focal_loss`."""
    p, costs = _costs(input, target)
    q = -np.expm1(-costs)
    return np.mean(q**2 * costs), _carried(p, target, q * (q + 2 * (1 - q) * costs))


ROWS += [
    Rows(
        "softmax_focal_loss",
        focal,
        target,
        options,
        weighted,
        weights="alpha",
        mean_by_weight=False,
        convex=not options.get("gamma", 2),
        bounds=(12, 14, 14) if options.get("gamma", 2) > 3 else (8, 11, 11),
    )
    for target, options, weighted in (
        ("class", {}, False),
        ("class", {"gamma": 0.0}, False),
        ("class", {"gamma": 0.5}, False),
        ("class", {"gamma": 1.0, "alpha": 0.25}, False),
        ("class", {}, True),
        ("class", {"gamma": 3.5, "label_smoothing": 0.1}, True),
        ("probability", {}, False),
        ("probability", {"gamma": 3.5}, True),
        ("probability", {"gamma": 0.5, "alpha": 0.75, "label_smoothing": 0.1}, False),
    )
]


# ---- generalized_cross_entropy_loss --------------------------------------------------------


def generalized(x: Numbers, target: Any, w: Numbers, q: Any = 0.5) -> RowPairs:
    """φ = (1 - p^q) / q."""
    exponent = mp.mpf(q)

    def phi(cost: Any, p: Any, q: Any) -> tuple[Pair, Pair, Pair]:
        slope = mp.exp(-exponent * cost)
        value = -mp.expm1(-exponent * cost) / exponent
        return exactly(value), exactly(slope), (-exponent * slope, exponent * slope)

    return of_costs(x, weighed(target, w), phi)


def generalized_cross_entropy_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``(1 - p**q) / q`` with p the softmax at the target and q = 0.5."""
    _, costs = _costs(input, target)
    return np.mean(np.expm1(costs * -0.5) / -0.5)


def generalized_cross_entropy_loss_and_grad(
    input: FloatArray, target: IntArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `generalized_cross_entropy_loss`."""
    p, costs = _costs(input, target)
    less = np.expm1(costs * -0.5)
    return np.mean(less / -0.5), _carried(p, target, less + 1)


ROWS += [
    Rows("generalized_cross_entropy_loss", generalized, target, options, weighted, convex=False)
    for target, options, weighted in (
        ("class", {}, False),
        ("class", {"q": 0.1}, False),
        ("class", {"q": 1.0}, True),
        ("probability", {}, False),
        ("probability", {"q": 0.1}, True),
        ("probability", {"q": 1.0}, False),
    )
]


# ---- poly_cross_entropy_loss ---------------------------------------------------------------


def poly(
    x: Numbers, target: Any, w: Numbers, epsilon: Any = 1, label_smoothing: Any = 0
) -> RowPairs:
    """φ = L + ε (1 - p)."""
    y = mp.mpf(epsilon)

    def phi(cost: Any, p: Any, q: Any) -> tuple[Pair, Pair, Pair]:
        return (cost + y * q, cost + abs(y) * q), exactly(q + (1 + y) * p), exactly(-y * p)

    return of_costs(x, weighed(target, w, label_smoothing), phi)


def poly_cross_entropy_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``1 - p - log(p)`` with p the softmax at the target."""
    _, costs = _costs(input, target)
    return np.mean(costs - np.expm1(-costs))


def poly_cross_entropy_loss_and_grad(
    input: FloatArray, target: IntArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `poly_cross_entropy_loss`."""
    p, costs = _costs(input, target)
    less = np.expm1(-costs)
    return np.mean(costs - less), _carried(p, target, less + 2)


ROWS += [
    Rows("poly_cross_entropy_loss", poly, target, options, weighted, convex=False)
    for target, options, weighted in (
        ("class", {}, False),
        ("class", {}, True),
        ("class", {"epsilon": -1.0}, False),
        ("class", {"epsilon": 2.5, "label_smoothing": 0.1}, True),
        ("probability", {}, False),
        ("probability", {"epsilon": -0.5, "label_smoothing": 0.1}, True),
    )
]


# ---- brier_loss ----------------------------------------------------------------------------


def brier(x: Numbers, target: Any, w: Numbers) -> RowPairs:
    """Σ (p - t)². Of a class y nothing cancels but in the slopes and bends of the others."""
    _, p, q, _ = _softmax(tuple(x))
    if not isinstance(target, int):
        return _brier_of_probabilities(p, q, target)
    py, qy = p[target], q[target]
    rest = mp.fsum(pk * pk for k, pk in enumerate(p) if k != target)
    value = qy * qy + rest
    gradient, hessian = [], []
    for k, (pk, qk) in enumerate(zip(p, q, strict=True)):
        if k == target:
            gradient.append(exactly(-2 * pk * value))
            hessian.append((2 * pk * value * (2 * pk - qk), 2 * pk * value * (2 * pk + qk)))
            continue
        slope, size = pk + py * qy - rest, pk + py * qy + rest
        gradient.append((2 * pk * slope, 2 * pk * size))
        terms = qk * slope, pk * qk, pk * py * (py - qy), -2 * pk * pk, 2 * pk * rest
        sizes = qk * size, pk * qk, pk * py, 2 * pk * pk, 2 * pk * rest
        hessian.append((2 * pk * mp.fsum(terms), 2 * pk * mp.fsum(sizes)))
    return exactly(value), gradient, hessian


def _brier_of_probabilities(p: Numbers, q: Numbers, t: Numbers) -> RowPairs:
    """With r = p - t, B = Σ p r and D = B + Σ p²: 2p (r - B), and of it the derivative."""
    r = [pk - tk for pk, tk in zip(p, t, strict=True)]
    size = [pk + abs(tk) for pk, tk in zip(p, t, strict=True)]
    # The square of a difference of which nothing is left is that of its rounding.
    least = mp.mpf(2) ** -24
    value = mp.fsum(rk * rk for rk in r)
    doubt = mp.fsum(
        (abs(rk) + least * sk * (tk != 0)) * sk for rk, sk, tk in zip(r, size, t, strict=True)
    )
    mean = mp.fsum(pk * rk for pk, rk in zip(p, r, strict=True))
    mean_size = mp.fsum(pk * sk for pk, sk in zip(p, size, strict=True))
    squares = mp.fsum(pk * pk for pk in p)
    gradient, hessian = [], []
    for pk, qk, tk, rk, sk in zip(p, q, t, r, size, strict=True):
        gradient.append((2 * pk * (rk - mean), 2 * pk * (sk + mean_size)))
        curvature = qk * (rk - mean) + pk * qk - pk * (2 * pk - tk - mean - squares)
        curvature_size = qk * (sk + mean_size) + pk * (qk + 2 * pk + abs(tk) + mean_size + squares)
        hessian.append((2 * pk * curvature, 2 * pk * curvature_size))
    return (value, doubt), gradient, hessian


def brier_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean of ``((p - one_hot) ** 2).sum(axis=1)`` with p the softmax."""
    p = np.exp(input - input.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(target)), target] -= 1
    return np.mean((p * p).sum(axis=1))


def brier_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `brier_loss`."""
    count = len(target)
    p = np.exp(input - input.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    r = p.copy()
    r[np.arange(count), target] -= 1
    value = np.mean((r * r).sum(axis=1))
    r -= (p * r).sum(axis=1, keepdims=True)
    r *= p
    r *= 2 / count
    return value, r


ROWS += [
    Rows("brier_loss", brier, target, weights=None, convex=False, bounds=(6, 6, 6))
    for target in ("class", "probability")
]


# ---- distillation_loss ---------------------------------------------------------------------


def _chances(x: Any, temperature: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """The softmax p of x / T, 1 - p and -log p; where the maximum is infinite, their limits."""
    scores = [xi / temperature for xi in x]
    if mp.isinf(max(scores)):
        p = [mp.mpf(xi == max(scores)) for xi in scores]
        return p, [1 - pi for pi in p], [mp.mpf(0) if pi else mp.inf for pi in p]
    _, p, q, costs = _softmax(tuple(scores))
    return p, q, costs


def distillation(
    numbers: dict[str, Any],
    temperature: float = 1.0,
    scale_by_square: bool = True,
    reverse: bool = False,
    where: Any = None,
) -> JointTruth:
    """Row by row. What cancels is of the size of the logarithms times the difference of the
    probabilities, or where these are far apart of the probabilities themselves."""
    inverse = 1 / mp.mpf(temperature)
    factor = mp.mpf(temperature) ** 2 if scale_by_square else mp.mpf(1)
    none = mp.mpf(0), mp.mpf(0)
    values, grads, hesses = [], [], []
    z = np.broadcast_to(numbers["teacher_logits"], numbers["input"].shape)
    for x_row, z_row in zip(numbers["input"], z, strict=True):
        left = [j for j in range(len(x_row)) if where is None or where[j]]
        mine = _chances([x_row[j] for j in left], temperature)
        other = _chances([z_row[j] for j in left], temperature)
        (a, _, la), (b, _, lb) = (mine, other) if reverse else (other, mine)
        value, size = none
        for ai, bi, lai, lbi in zip(a, b, la, lb, strict=True):
            value += ai * (lbi - lai) if ai else mp.mpf(0)
            if ai and mp.isfinite(lbi):
                size += abs(ai - bi) * (lai + lbi)
                size += ai + bi if abs(lbi - lai) > 0.34 else mp.mpf(0)
            elif not ai:
                size += bi
        values.append((factor * value, factor * (value + size)))
        slopes, bends = [none] * len(x_row), [none] * len(x_row)
        for j, p, q, cost, t, s, other_cost in zip(left, *mine, *other, strict=True):
            if reverse:
                d = other_cost - cost if p else mp.mpf(0)
                sum_ = cost + other_cost if p else mp.mpf(0)
                slope, large = p * (d - value), p * (sum_ + value + size)
                bend, bend_size = slope * (q - p) + p * q, large + p * q
            else:
                slope, large = p * s - t * q, p * s + t * q
                bend = bend_size = p * q
            slopes[j] = factor * inverse * slope, factor * inverse * large
            bends[j] = factor * inverse**2 * bend, factor * inverse**2 * bend_size
        grads += slopes
        hesses += bends
    return values, {"input": grads}, {"input": hesses}


def _shifted(x: FloatArray, temperature: float) -> tuple[FloatArray, FloatArray]:
    """log p and p of the softmax of x / T."""
    d = x / x.dtype.type(temperature)
    d -= d.max(axis=1, keepdims=True)
    p = np.exp(d)
    total = p.sum(axis=1, keepdims=True)
    d -= np.log(total)
    p /= total
    return d, p


def _divergence(
    input: FloatArray, teacher_logits: FloatArray, temperature: float, reverse: bool
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    log_p, p = _shifted(input, temperature)
    log_t, t = _shifted(teacher_logits, temperature)
    a, d = (p, log_p - log_t) if reverse else (t, log_t - log_p)
    return np.einsum("ij,ij->i", a, d), d, p, t


def distillation_loss(
    input: FloatArray,
    teacher_logits: FloatArray,
    temperature: float = 1.0,
    scale_by_square: bool = True,
    reverse: bool = False,
) -> Scalar:
    """Mean of ``sum(t * (log t - log p))`` of the softmax t of the teacher and p of the input."""
    factor = input.dtype.type(temperature**2 if scale_by_square else 1)
    return factor * np.mean(_divergence(input, teacher_logits, temperature, reverse)[0])


def distillation_loss_and_grad(
    input: FloatArray,
    teacher_logits: FloatArray,
    temperature: float = 1.0,
    scale_by_square: bool = True,
    reverse: bool = False,
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `distillation_loss`."""
    factor = input.dtype.type(temperature**2 if scale_by_square else 1)
    each, d, p, t = _divergence(input, teacher_logits, temperature, reverse)
    grad = p * (d - each[:, None]) if reverse else p - t
    grad *= factor / input.dtype.type(temperature * len(input))
    return factor * np.mean(each), grad


def two_scores(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(scale=3, size=(n, 7)).astype(dtype),
        "teacher_logits": rng.normal(scale=3, size=(n, 7)).astype(dtype),
    }


def hard_two_scores(rng: Generator, dtype: Any) -> Arrays:
    """Equal, nearly so, confident leads of the same class and of another, infinite ones."""
    inf, near = np.inf, 2.0 ** -np.arange(2, 9)
    x = np.array(
        [
            [0.0] * 7,
            [3.0, 1.0, 0.5, -1.0, 0.25, 2.0, -3.0],
            [17.5, 0.0, 0.25, -17.0, 1.0, 2.0, 3.0],
            [40.0, 0.0, 0.5, -40.0, 1.0, 2.0, 3.0],
            [100.0, 0.0, -100.0, 1.0, 0.0, 2.0, 3.0],
            [0.0, 90.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            [1e4, 1e4 + 1, 1e4 - 1, 1e4 + 0.5, 1e4, 1e4, 1e4],
            [-inf, 1.0, 2.0, -1.0, 0.0, 0.5, 0.25],
            [30.1, 12.7, -3.3, 0.9, 55.5, -70.7, 12.7],
            [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
            [2.5, -0.5, 0.125, 0.75, -2.25, 1.0, 0.0],
            [2.5, -0.5, 0.125, 0.75, -2.25, 1.0, 0.0],
        ]
    )
    z = x.copy()
    z[1] += near
    z[2, 1:] -= 0.5
    z[3, 0] = 38.0
    z[4] = x[5]
    z[5] = x[4]
    z[6, 2] += 0.5
    z[7, 3] = 5.0
    z[8] = x[8][::-1]
    z[9, 0] += 2.0**-12
    z[10] += 0.34 * np.resize([1, -1], 7)
    z[11] += 0.7 * np.resize([1, -1, 0], 7)
    return {"input": x.astype(dtype), "teacher_logits": z.astype(dtype)}


JOINT += [
    Joint(
        "distillation_loss",
        ("input", "teacher_logits"),
        ("input",),
        two_scores,
        hard_two_scores,
        distillation,
        options=options,
        weighted=False,
        in_place=True,
        twin="where" not in options,
    )
    for options in (
        {"temperature": 2.0},
        {},
        {"temperature": 0.5, "scale_by_square": False},
        {"temperature": 4.0, "reverse": True},
        {"temperature": 2.0, "where": [1, 1, 0, 1, 1, 0, 1]},
        {"reverse": True, "where": [1, 1, 0, 1, 1, 0, 1]},
    )
]
