"""Losses between regions of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.case import (
    ANYTHING,
    Arrays,
    FloatArray,
    Generator,
    Joint,
    Options,
    Pair,
    Scalar,
    mp,
)

IntArray = NDArray[np.integer[Any]]
Exact = tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]
JOINT: list[Joint] = []


# ---- exact values: probabilities -----------------------------------------------------------------


def _softmax(x: Any) -> tuple[Any, Any]:
    """p and 1 - p of (N, C, pixels)."""
    p, q = np.empty_like(x), np.empty_like(x)
    for n, k in np.ndindex(x.shape[0], x.shape[2]):
        row = x[n, :, k]
        top = max(row)
        if mp.isinf(top):
            powers = [mp.mpf(v == top) for v in row]
        else:
            powers = [mp.exp(v - top) for v in row]
        for c in range(len(row)):
            rest = mp.fsum(powers[:c] + powers[c + 1 :])
            p[n, c, k] = powers[c] / (powers[c] + rest)
            q[n, c, k] = rest / (powers[c] + rest)
    return p, q


def _sigmoid(x: Any) -> tuple[Any, Any]:
    p, q = np.empty_like(x), np.empty_like(x)
    for k, v in enumerate(x.flat):
        p.flat[k] = 1 / (1 + mp.exp(-v)) if v > -mp.inf else mp.mpf(0)
        q.flat[k] = 1 / (1 + mp.exp(v)) if v < mp.inf else mp.mpf(0)
    return p, q


def _arranged(x: Any, target: Any, mode: str) -> tuple[Any, Any]:
    """Input and target of shape (N, C, pixels), the latter of mpf."""
    if mode == "binary":
        x, target = x[:, None], target[:, None]
    if target.ndim < x.ndim:
        hot = [
            [[mp.mpf(int(y == c)) for y in image.flat] for c in range(x.shape[1])]
            for image in target
        ]
        target = np.array(hot, object).reshape(*x.shape[:2], -1)
    shape = (*x.shape[:2], int(np.prod(x.shape[2:])))
    return x.reshape(shape), target.reshape(shape)


def _pixel_weights(numbers: dict[str, Any], mode: str) -> Any:
    """Of shape (N, pixels)."""
    x = numbers["input"]
    shape = x.shape if mode == "binary" else (x.shape[0], *x.shape[2:])
    w = np.broadcast_to(numbers.get("sample_weight", mp.mpf(1)), shape)
    counts = np.broadcast_to(numbers.get("where", 1), shape)
    return np.where(counts != 0, w, mp.mpf(0)).reshape(len(x), int(np.prod(shape[1:])))


# ---- overlaps ------------------------------------------------------------------------------------


class _Overlap:
    """Value of one region, or of several with weights, and what its derivatives are made of."""

    def __init__(
        self,
        p: Any,
        q: Any,
        t: Any,
        w: Any,
        kappa: Any,
        alpha: Any,
        beta: Any,
        nr: Any,
        dr: Any,
        squared: bool,
        gamma: Any,
    ) -> None:
        both = mp.fsum((w * p * t).flat)
        u = 1 - t
        errors = w * (p * u - q * t) ** 2 if squared else w * (alpha * p * u + beta * q * t)
        whole = kappa * both + mp.fsum(errors.flat) + dr
        self.part = part = (mp.fsum(errors.flat) + (dr - nr)) / whole if whole else mp.mpf(0)
        self.value = part**gamma if part else mp.mpf(0)
        zero = 0 * p
        if not whole:
            self.slope = self.slope_size = self.ratio = self.curvature = self.curvature_size = zero
            return
        outer = gamma * part ** (gamma - 1) if part else mp.mpf(0)
        second = (gamma - 1) / (gamma * self.value) if part else mp.mpf(0)
        if squared:
            e1, d1, e2 = 2 * w * (p * u - q * t), w * (kappa * t + 2 * (p * u - q * t)), 2 * w
        else:
            e1, d1, e2 = w * (alpha * u - beta * t), w * (kappa * t + alpha * u - beta * t), zero
        right = 1 - part
        self.slope = outer * (e1 - part * d1) / whole
        self.slope_size = abs(outer) * (right * abs(e1) + part * kappa * w * t) / whole
        self.ratio = d1 / whole
        self.curvature = (
            outer * right * e2 / whole - 2 * self.slope * self.ratio + second * self.slope**2
        )
        self.curvature_size = (
            abs(outer * right * e2 / whole)
            + abs(2 * self.slope_size * self.ratio)
            + abs(second) * self.slope_size**2
        )


def overlap(
    numbers: dict[str, Any],
    kappa: Any,
    alpha: Any,
    beta: Any,
    gamma: Any = 1,
    squared: bool = False,
    w_type: str | None = None,
    mode: str = "multiclass",
    from_logits: bool = True,
    smooth_nr: Any = 1e-5,
    smooth_dr: Any = 1e-5,
    per_image: bool = True,
) -> Exact:
    w = _pixel_weights(numbers, mode)
    x, t = _arranged(numbers["input"], numbers["target"], mode)
    softmax = mode == "multiclass" and from_logits
    p, q = _softmax(x) if softmax else _sigmoid(x) if from_logits else (x, 1 - x)
    shape = x.shape
    if not per_image:
        p, q, t = (a.swapaxes(0, 1).reshape(1, shape[1], -1) for a in (p, q, t))
        w = w.reshape(1, -1)
    options = (kappa, alpha, beta, smooth_nr, smooth_dr)
    parameters = (*(mp.mpf(v) for v in options), squared, mp.mpf(gamma))
    values: list[Pair] = []
    grad, hess = np.empty((*p.shape, 2), object), np.empty((*p.shape, 2), object)
    for n in range(len(p)):
        ones = np.full(p.shape[1:], mp.mpf(1)) * w[n]
        if w_type:
            volumes = [mp.fsum(a) for a in t[n] * w[n]]
            power = {"square": 2, "simple": 1, "uniform": 0}[w_type]
            v = [1 / a**power if a or not power else mp.mpf(0) for a in volumes]
            largest = max(v, default=mp.mpf(0))
            ones *= np.array([[a if a else largest] for a in v], object)
            parts = [(slice(None), _Overlap(p[n], q[n], t[n], ones, *parameters))]
        else:
            parts = [
                (c, _Overlap(p[n, c], q[n, c], t[n, c], ones[c], *parameters))
                for c in range(p.shape[1])
            ]
        names = ("slope", "slope_size", "ratio", "curvature", "curvature_size")
        found = {name: np.empty(p.shape[1:], object) for name in names}
        for place, part in parts:
            values.append((part.value, part.value))
            for name in names:
                found[name][place] = getattr(part, name)
        g, g_size, ratio, k, k_size = found.values()
        for c, i in np.ndindex(p.shape[1:]):
            pc, qc = p[n, c, i], q[n, c, i]
            if softmax:
                others = [j for j in range(p.shape[1]) if j != c]

                def carried(
                    a: Any,
                    size: bool = False,
                    c: int = c,
                    i: int = i,
                    others: Any = others,
                    n: int = n,
                ) -> Any:
                    rest = mp.fsum(p[n, j, i] * a[j, i] for j in others)
                    own = q[n, c, i] * a[c, i]
                    return p[n, c, i] * (own + rest if size else own - rest)

                first, first_size = carried(g), carried(g_size, True)
                if w_type:
                    d, d_size = carried(ratio), carried(ratio, True)
                    second = first * ((qc - pc) - 2 * d)
                    second_size = first_size * (1 + 2 * d_size)
                else:
                    squares = mp.fsum(k[j, i] * p[n, j, i] ** 2 for j in others) + k[c, i] * qc**2
                    sizes = (
                        mp.fsum(k_size[j, i] * p[n, j, i] ** 2 for j in others)
                        + k_size[c, i] * qc**2
                    )
                    second = pc**2 * squares + (qc - pc) * first
                    second_size = pc**2 * sizes + first_size
            elif from_logits:
                s = pc * qc
                first, first_size = s * g[c, i], s * g_size[c, i]
                second = s**2 * k[c, i] + s * (qc - pc) * g[c, i]
                second_size = s**2 * k_size[c, i] + s * g_size[c, i]
            else:
                first, first_size, second, second_size = (
                    g[c, i],
                    g_size[c, i],
                    k[c, i],
                    k_size[c, i],
                )
            grad[n, c, i] = first, first_size
            hess[n, c, i] = second, second_size
    return values, {"input": _in_order(grad, shape)}, {"input": _in_order(hess, shape)}


def _in_order(pairs: Any, shape: tuple[int, ...]) -> list[Pair]:
    """As the input has them."""
    if pairs.shape[:3] != shape:
        pairs = pairs[0].reshape(shape[1], shape[0], shape[2], 2).swapaxes(0, 1)
    return [(a, b) for a, b in pairs.reshape(-1, 2)]


def dice(numbers: dict[str, Any], **options: Any) -> Exact:
    return overlap(numbers, 2, 1, 1, **options)


def generalized_dice(numbers: dict[str, Any], w_type: str = "square", **options: Any) -> Exact:
    return overlap(numbers, 2, 1, 1, w_type=w_type, **options)


def jaccard(numbers: dict[str, Any], **options: Any) -> Exact:
    return overlap(numbers, 1, 1, 1, **options)


def tversky(
    numbers: dict[str, Any], alpha: float = 0.5, beta: float = 0.5, **options: Any
) -> Exact:
    return overlap(numbers, 1, alpha, beta, **options)


def focal_tversky(
    numbers: dict[str, Any],
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 0.75,
    **options: Any,
) -> Exact:
    return overlap(numbers, 1, alpha, beta, gamma=gamma, **options)


# ---- Lovász --------------------------------------------------------------------------------------


def _extension(errors: Any, sizes: Any, own: Any, ties: bool, w: Any) -> tuple[Pair, Any, Any]:
    """Value, its derivatives by the errors, and which of these another order of nearly equal
    errors would change; `ties` says whether equal ones may be computed as unequal."""
    order = sorted((k for k in range(len(errors)) if w[k]), key=lambda k: -errors[k])
    left = union = mp.fsum(w[k] for k in order if own[k])
    value, size = mp.mpf(0), mp.mpf(0)
    slopes = np.full(len(errors), mp.mpf(0))
    unsure = np.zeros(len(errors), bool)

    def close(a: Any, b: Any, size: Any) -> bool:
        return bool(a == b or abs(a - b) <= size * mp.mpf(2) ** -20)

    cluster: list[int] = []
    for k in order:
        if union == 0:
            delta, union = mp.mpf(1), w[k]
        elif own[k]:
            delta = w[k] / union
            left -= w[k]
        else:
            delta = left * w[k] / (union * (union + w[k]))
            union += w[k]
        if errors[k] > 0:
            value += errors[k] * delta
            slopes[k] = delta
        size += sizes[k] * delta if delta else 0
        unsure[k] = errors[k] != 0 and abs(errors[k]) <= sizes[k] * mp.mpf(2) ** -20
        if cluster and not close(errors[k], errors[cluster[-1]], max(sizes[k], sizes[cluster[-1]])):
            cluster = []
        cluster.append(k)
        if len(cluster) > 1 and (ties or errors[cluster[0]] != errors[k]):
            unsure[cluster] = True
    return (value, size), slopes, unsure


def lovasz_hinge(numbers: dict[str, Any], per_image: bool = False) -> Exact:
    x, t = numbers["input"], numbers["target"]
    w = _pixel_weights(numbers, "binary")
    groups = range(len(x)) if per_image else ([slice(None)] if len(x) else [])
    grad = np.empty((x.size, 2), object).reshape(*x.shape, 2)
    values = []
    for n in groups:
        sign = np.where(t[n].ravel() != 0, 1, -1)
        scores = x[n].ravel()
        sizes = [1 + abs(v) if abs(v) < mp.inf else mp.mpf(1) for v in scores]
        value, slopes, unsure = _extension(1 - scores * sign, sizes, sign > 0, False, w[n].ravel())
        values.append(value)
        pairs = [
            (-s * d, ANYTHING if u else d) for s, d, u in zip(sign, slopes, unsure, strict=True)
        ]
        for k, pair in enumerate(pairs):
            grad[n].reshape(-1, 2)[k] = pair
    none = [(mp.mpf(0), mp.mpf(0))] * x.size
    return values, {"input": [(a, b) for a, b in grad.reshape(-1, 2)]}, {"input": none}


def lovasz_softmax(
    numbers: dict[str, Any],
    per_image: bool = False,
    classes: str = "present",
    from_logits: bool = True,
) -> Exact:
    w = _pixel_weights(numbers, "multiclass")
    x, t = _arranged(numbers["input"], numbers["target"], "multiclass")
    p, q = _softmax(x) if from_logits else (x, 1 - x)
    shape = x.shape
    if not per_image:
        p, q, t = (a.swapaxes(0, 1).reshape(1, shape[1], -1) for a in (p, q, t))
        w = w.reshape(1, -1)
    values: list[Pair] = []
    g, g_size = np.full(p.shape, mp.mpf(0)), np.full(p.shape, mp.mpf(0))
    unsure = np.zeros(p.shape, bool)
    for n, c in np.ndindex(p.shape[:2]):
        if not any(t[n, c] * w[n]) and classes == "present":
            values.append((mp.mpf(0), mp.mpf(0)))
            continue
        errors = np.where(t[n, c] != 0, q[n, c], p[n, c])
        value, slopes, unsure[n, c] = _extension(errors, errors, t[n, c], True, w[n])
        values.append(value)
        g[n, c], g_size[n, c] = np.where(t[n, c] != 0, -slopes, slopes), slopes
    grad, hess = np.empty((*p.shape, 2), object), np.empty((*p.shape, 2), object)
    for n, c, i in np.ndindex(p.shape):
        first, size = g[n, c, i], g_size[n, c, i]
        doubt = unsure[n, c, i]
        second, second_size = mp.mpf(0), mp.mpf(0)
        if from_logits:
            others = [j for j in range(p.shape[1]) if j != c]
            pc, qc = p[n, c, i], q[n, c, i]
            rest = [p[n, j, i] * g[n, j, i] for j in others]
            first = pc * (qc * g[n, c, i] - mp.fsum(rest))
            size = pc * (qc * size + mp.fsum(abs(v) for v in rest))
            second, second_size = (qc - pc) * first, size
            doubt = unsure[n, :, i].any()
        grad[n, c, i] = first, ANYTHING if doubt else size
        hess[n, c, i] = second, ANYTHING if doubt else second_size
    return values, {"input": _in_order(grad, shape)}, {"input": _in_order(hess, shape)}


# ---- operands ------------------------------------------------------------------------------------


def _images(mode: str, kind: str, size: tuple[int, int] = (3, 35)) -> Callable[..., Arrays]:
    """n images: logits or probabilities, and class numbers or masks."""
    classes, pixels = size

    def inputs(rng: Generator, n: int, dtype: Any) -> Arrays:
        shape = (n, pixels) if mode == "binary" else (n, classes, pixels)
        x = rng.normal(size=shape) * 2
        if "probability" in kind:
            x = rng.uniform(0.01, 0.99, shape)
        if mode == "multiclass" and "soft" not in kind:
            target = rng.integers(0, classes, (n, pixels))
        elif "soft" in kind:
            target = rng.uniform(0, 1, shape)
            if mode == "multiclass":
                target = target / target.sum(axis=1, keepdims=True)
            target = target.astype(dtype)
        else:
            target = (rng.uniform(size=shape) < 0.4).astype(dtype)
        return _with_weights({"input": x.astype(dtype), "target": target}, rng, kind)

    return inputs


def _with_weights(arrays: Arrays, rng: Generator, kind: str) -> Arrays:
    """With weights and a mask of the pixels, where the kind says so."""
    if "weighted" not in kind:
        return arrays
    x = arrays["input"]
    shape = (len(x), x.shape[-1])
    w = rng.uniform(0.1, 3, shape) * rng.choice((0, 1e-3, 1, 1, 1, 50), shape)
    return arrays | {"sample_weight": w.astype(x.dtype), "where": rng.uniform(size=shape) < 0.9}


SCORES = (0.0, 1e-30, -1e-30, 1.0, -1.0, 17.0, -17.0, 40.0, -40.0, 100.0, -100.0, 1e30, -1e30)


def _hard(mode: str, kind: str) -> Callable[..., Arrays]:
    """Confident images, right and wrong, empty masks and full ones, limits."""

    def inputs(rng: Generator, dtype: Any) -> Arrays:
        classes, pixels = 3, 13
        arrays = _images(mode, kind, (classes, pixels))(rng, 8, dtype)
        x, t = arrays["input"], arrays["target"]
        if "probability" in kind:
            x[0] = 0
            x[1] = 1
        elif mode == "multiclass":
            hot = np.moveaxis(np.eye(classes)[t if "soft" not in kind else t.argmax(axis=1)], -1, 1)
            for k, size in enumerate((17, 40, 100, -17, -40)):
                x[k] = size * hot[k] + x[k] / 8
            x[5] = rng.permuted(np.resize(SCORES, x[5].shape))
            x[6, 0] = np.inf
        else:
            sign = 2 * t - 1
            for k, size in enumerate((17, 40, 100, -17, -40)):
                x[k] = size * sign[k] + x[k] / 8
            x[5] = rng.permuted(np.resize(SCORES, x[5].shape))
            x[6] = np.inf * sign[6]
        t[7] = 0
        if "soft" not in kind:
            t[2, ..., :4] = 0
        return arrays | {"input": x.astype(dtype), "target": t}

    return inputs


def rows(
    loss: str, truth: Callable[..., Exact], *variants: tuple[str, str, Options], **more: Any
) -> Iterator[Joint]:
    for mode, kind, options in variants:
        has_mode = mode != "multiclass" and loss != "lovasz_hinge_loss"
        chosen = {"mode": mode, **options} if has_mode else options
        chosen = chosen | ({"from_logits": False} if "probability" in kind else {})
        labels = ("target",) if mode == "multiclass" and "soft" not in kind else ()
        domains: dict[str, tuple[float, ...]] = {"target": (-1, 3, 100) if labels else (-0.5, 255)}
        if "probability" in kind:
            domains["input"] = (-0.5, 1.5)
        yield Joint(
            loss,
            ("input", "target"),
            ("input",),
            _images(mode, kind),
            _hard(mode, kind),
            truth,
            options=chosen,
            weighted=False,
            labels=(*labels, "where") if "weighted" in kind else labels,
            domains=domains,
            twin=not chosen and "weighted" not in kind,
            # Volumes with weights are not whole numbers, and their inverses are squared.
            bounds=(4, 12, 14) if "weighted" in kind and "general" in loss else (4, 8, 10),
            kind="weighted" if "weighted" in kind else "",
            **more,
        )


# ---- twins ---------------------------------------------------------------------------------------


def _probabilities(input: FloatArray) -> FloatArray:
    """softmax along axis 1."""
    p = np.exp(input - input.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def _sums(p: FloatArray, target: IntArray) -> tuple[Any, Any, Any, Any]:
    """The target as ones and zeros; and of each image and class the sums of p t, p and t."""
    t = target[:, None] == np.arange(p.shape[1]).reshape(-1, *[1] * (p.ndim - 2))
    axes = tuple(range(2, p.ndim))
    both = np.sum(p, axis=axes, where=t)
    return t, both, p.sum(axis=axes), t.sum(axis=axes).astype(p.dtype)


def _carried(p: FloatArray, t: Any, at_one: FloatArray, at_zero: FloatArray) -> FloatArray:
    """The gradient by the logits, of derivatives by p where the target is 1 and 0."""
    more = (..., *[None] * (p.ndim - 2))
    g = np.where(t, at_one[more], at_zero[more])
    g -= np.sum(p * g, axis=1, keepdims=True)
    g *= p
    return g


def dice_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over images and classes of ``1 - (2 sum(p t) + s) / (sum(p) + sum(t) + s)``."""
    _, both, p, t = _sums(_probabilities(input), target)
    return np.mean(1 - (2 * both + 1e-5) / (p + t + 1e-5))


def dice_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `dice_loss`."""
    p = _probabilities(input)
    hot, both, sum_p, sum_t = _sums(p, target)
    whole = sum_p + sum_t + 1e-5
    share = (2 * both + 1e-5) / whole
    count = share.size
    return np.mean(1 - share), _carried(p, hot, (share - 2) / whole / count, share / whole / count)


def generalized_dice_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over images of the Dice loss of all classes, weighted by 1 / (sum of t)²."""
    return _generalized(_sums(_probabilities(input), target))[0]


def _generalized(sums: tuple[Any, Any, Any, Any]) -> tuple[Scalar, FloatArray, FloatArray]:
    _, both, p, t = sums
    v = np.zeros_like(t)
    np.divide(1, t * t, out=v, where=t > 0)
    v = np.where(t > 0, v, v.max(axis=1, keepdims=True))
    whole = np.sum(v * (p + t), axis=1, keepdims=True) + 1e-5
    share = (2 * np.sum(v * both, axis=1, keepdims=True) + 1e-5) / whole
    count = share.size
    return np.mean(1 - share), v * (share - 2) / whole / count, v * share / whole / count


def generalized_dice_loss_and_grad(
    input: FloatArray, target: IntArray
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `generalized_dice_loss`."""
    p = _probabilities(input)
    sums = _sums(p, target)
    value, at_one, at_zero = _generalized(sums)
    return value, _carried(p, sums[0], at_one, at_zero)


def jaccard_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over images and classes of ``1 - (sum(p t) + s) / (sum(p) + sum(t) - sum(p t) + s)``."""
    _, both, p, t = _sums(_probabilities(input), target)
    return np.mean(1 - (both + 1e-5) / (p + t - both + 1e-5))


def jaccard_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `jaccard_loss`."""
    p = _probabilities(input)
    hot, both, sum_p, sum_t = _sums(p, target)
    whole = sum_p + sum_t - both + 1e-5
    share = (both + 1e-5) / whole
    count = share.size
    return np.mean(1 - share), _carried(p, hot, -1 / whole / count, share / whole / count)


def tversky_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over images and classes of ``1 - (I + s) / (I + (sum(p) + sum(t) - 2 I) / 2 + s)``."""
    _, both, p, t = _sums(_probabilities(input), target)
    return np.mean(1 - (both + 1e-5) / (0.5 * (p + t) + 1e-5))


def _tversky(sums: tuple[Any, Any, Any, Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, and their derivatives by p where the target is 1 and 0."""
    _, both, p, t = sums
    whole = 0.5 * (p + t) + 1e-5
    share = (both + 1e-5) / whole
    return 1 - share, (0.5 * share - 1) / whole, 0.5 * share / whole


def tversky_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `tversky_loss`."""
    p = _probabilities(input)
    sums = _sums(p, target)
    values, at_one, at_zero = _tversky(sums)
    count = values.size
    return np.mean(values), _carried(p, sums[0], at_one / count, at_zero / count)


def focal_tversky_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over images and classes of the Tversky loss to the power of 3/4."""
    return np.mean(_tversky(_sums(_probabilities(input), target))[0] ** 0.75)


def focal_tversky_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `focal_tversky_loss`."""
    p = _probabilities(input)
    sums = _sums(p, target)
    values, at_one, at_zero = _tversky(sums)
    outer = 0.75 * values**-0.25 / values.size
    return np.mean(values**0.75), _carried(p, sums[0], at_one * outer, at_zero * outer)


def _jaccard_steps(own: NDArray[np.bool_]) -> FloatArray:
    """By how much the Jaccard loss grows with each wrong pixel."""
    both = own.sum() - np.cumsum(own)
    union = own.sum() + np.cumsum(~own)
    return np.diff(1 - both / union, prepend=0)


def lovasz_hinge_loss(input: FloatArray, target: FloatArray) -> Scalar:
    """``sum_k max(0, e_k) (J(k) - J(k - 1))`` of the errors in descending order."""
    return lovasz_hinge_loss_and_grad(input, target)[0]


def lovasz_hinge_loss_and_grad(input: FloatArray, target: FloatArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `lovasz_hinge_loss`."""
    sign = 2 * target.ravel() - 1
    errors = 1 - input.ravel() * sign
    order = np.argsort(-errors, kind="stable")
    steps = _jaccard_steps(sign[order] > 0).astype(input.dtype)
    above = errors[order]
    value = np.dot(np.maximum(above, 0), steps)
    grad = np.empty_like(errors)
    grad[order] = np.where(above > 0, steps, 0)
    grad *= -sign
    return value, grad.reshape(input.shape)


def lovasz_softmax_loss(input: FloatArray, target: IntArray) -> Scalar:
    """Mean over the classes of ``sum_k e_k (J(k) - J(k - 1))`` of the errors of softmax."""
    return lovasz_softmax_loss_and_grad(input, target)[0]


def lovasz_softmax_loss_and_grad(input: FloatArray, target: IntArray) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `lovasz_softmax_loss`."""
    p = _probabilities(input)
    g = np.zeros_like(p)
    total, present = input.dtype.type(0), 0
    for c in range(p.shape[1]):
        own = target.ravel() == c
        if not own.any():
            continue
        present += 1
        errors = np.where(own, 1 - p[:, c].ravel(), p[:, c].ravel())
        order = np.argsort(-errors, kind="stable")
        steps = _jaccard_steps(own[order]).astype(p.dtype)
        total += np.dot(errors[order], steps)
        slopes = np.empty_like(errors)
        slopes[order] = steps
        g[:, c] = np.where(own, -slopes, slopes).reshape(target.shape)
    g -= np.sum(p * g, axis=1, keepdims=True)
    g *= p / present
    return total / input.dtype.type(present), g


# ---- rows ----------------------------------------------------------------------------------------

JOINT += rows(
    "dice_loss",
    dice,
    ("multiclass", "", {}),
    ("multiclass", "soft", {"squared": True}),
    ("multiclass", "", {"per_image": False, "squared": True}),
    ("multilabel", "", {}),
    ("multilabel", "soft", {"squared": True, "per_image": False}),
    ("binary", "soft", {}),
    ("binary", "probability", {"smooth_nr": 0.0, "smooth_dr": 1e-7, "per_image": False}),
    ("multiclass", "probability", {}),
    ("multiclass", "weighted", {}),
    ("multiclass", "soft weighted", {"squared": True, "per_image": False}),
    ("multilabel", "soft weighted", {"squared": True}),
    ("binary", "probability weighted", {}),
)
JOINT += rows(
    "generalized_dice_loss",
    generalized_dice,
    ("multiclass", "", {}),
    ("multiclass", "soft", {"w_type": "simple", "per_image": False}),
    ("multilabel", "", {"w_type": "uniform"}),
    ("multiclass", "weighted", {}),
    ("multilabel", "soft weighted", {"w_type": "simple"}),
)
JOINT += rows(
    "jaccard_loss",
    jaccard,
    ("multiclass", "", {}),
    ("binary", "", {"squared": True}),
    ("binary", "weighted", {}),
)
JOINT += rows(
    "tversky_loss",
    tversky,
    ("multiclass", "", {}),
    ("multilabel", "soft", {"alpha": 0.25, "beta": 0.75}),
    ("multiclass", "soft weighted", {"alpha": 0.25, "beta": 0.75}),
)
JOINT += rows(
    "focal_tversky_loss",
    focal_tversky,
    ("multiclass", "", {}),
    ("binary", "", {"gamma": 2.0, "alpha": 0.3, "beta": 0.7}),
    ("multilabel", "weighted", {}),
)
JOINT += rows(
    "lovasz_hinge_loss",
    lovasz_hinge,
    ("binary", "", {}),
    ("binary", "", {"per_image": True}),
    ("binary", "weighted", {}),
    ("binary", "weighted", {"per_image": True}),
    smooth=False,
    lean=False,
)
JOINT += rows(
    "lovasz_softmax_loss",
    lovasz_softmax,
    ("multiclass", "", {}),
    ("multiclass", "", {"per_image": True, "classes": "all"}),
    ("multiclass", "probability", {"per_image": True}),
    ("multiclass", "weighted", {}),
    ("multiclass", "probability weighted", {"per_image": True, "classes": "all"}),
    smooth=False,
    lean=False,
)
