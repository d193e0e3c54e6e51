"""The losses as users of torch and jax write them: once for both, but for a few.

`np` is a library's `Names`. A formula takes the arguments of its namesake in fusedloss and returns
the losses of the elements, of which the library differentiates the mean (activations return their
result). Of the usual forms that
are stable it is the fastest in these libraries; where that is another one in torch, which runs one
operation after the other, this stands at the end. jax always gets the formula, torch only for
losses that torch.nn.functional does not have. Those over a class axis give the losses of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log, pi
from typing import Any, Final

import numpy

from bench.cases import LISTED

Array = Any


class Names:
    """The functions of a library: those given, then those of its modules."""

    def __init__(self, *modules: Any, **given: Any) -> None:
        self._modules = modules
        vars(self).update(given)

    def __getattr__(self, name: str) -> Any:
        for module in self._modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)


def torch_names() -> Names:
    import torch

    def cross_entropies(x: Array, classes: Array) -> Array:
        return torch.nn.functional.cross_entropy(x, classes, reduction="none")

    return Names(
        torch,
        torch.nn.functional,
        torch.special,
        cross_entropies=cross_entropies,
        picked=lambda x, classes: x.gather(1, classes[:, None]),
        without=lambda x, classes: x.scatter(1, classes[:, None], -inf),
        largest=lambda x: x.max(1).values,
        constant=lambda x: x.detach(),
        hot=lambda x, classes, dtype: (
            torch.nn.functional.one_hot(x, classes).movedim(-1, 1).to(dtype)
        ),
    )


def jax_names() -> Names:
    import jax

    np = jax.numpy

    def softplus(x: Array) -> Array:
        """Twice as fast as jax.nn.softplus, which is logaddexp(x, 0)."""
        return jax.nn.relu(x) + np.log1p(np.exp(-np.abs(x)))

    def picked(x: Array, classes: Array) -> Array:
        return np.take_along_axis(x, classes[:, None], axis=1)

    def cross_entropies(x: Array, classes: Array) -> Array:
        return jax.nn.logsumexp(x, axis=1) - picked(x, classes)[:, 0]

    def without(x: Array, classes: Array) -> Array:
        return np.where(np.arange(x.shape[1]) == classes[:, None], -inf, x)

    return Names(
        np,
        jax.nn,
        jax.scipy.special,
        softplus=softplus,
        cross_entropies=cross_entropies,
        picked=picked,
        without=without,
        largest=lambda x: np.max(x, axis=1),
        constant=jax.lax.stop_gradient,
        logsumexp=jax.nn.logsumexp,
        hot=lambda x, classes, dtype: jax.nn.one_hot(x, classes, axis=1, dtype=dtype),
    )


# ---- regression ----------------------------------------------------------------------------


def mse_loss(np: Names, input: Array, target: Array) -> Array:
    return np.square(input - target)


def l1_loss(np: Names, input: Array, target: Array) -> Array:
    return np.abs(input - target)


def huber_loss(np: Names, input: Array, target: Array, delta: float = 1.0) -> Array:
    size = np.abs(input - target)
    return np.where(size < delta, 0.5 * np.square(size), delta * (size - 0.5 * delta))


def smooth_l1_loss(np: Names, input: Array, target: Array, beta: float = 1.0) -> Array:
    size = np.abs(input - target)
    return np.where(size < beta, 0.5 / beta * np.square(size), size - 0.5 * beta)


def log_cosh_loss(np: Names, input: Array, target: Array) -> Array:
    d = input - target
    return d + np.softplus(-2 * d) - log(2)


def pseudo_huber_loss(np: Names, input: Array, target: Array, delta: float = 1.0) -> Array:
    return delta**2 * (np.sqrt(1 + np.square((input - target) / delta)) - 1)


def quantile_loss(np: Names, input: Array, target: Array, q: float = 0.5) -> Array:
    d = input - target
    return np.maximum(-q * d, (1 - q) * d)


def expectile_loss(np: Names, input: Array, target: Array, q: float = 0.5) -> Array:
    d = input - target
    return np.where(d < 0, q, 1 - q) * np.square(d)


def msle_loss(np: Names, input: Array, target: Array) -> Array:
    return np.square(np.log1p(input) - np.log1p(target))


def mape_loss(np: Names, input: Array, target: Array, eps: float = 2.0**-52) -> Array:
    return np.abs(input - target) / np.clip(np.abs(target), min=eps)


def cauchy_loss(np: Names, input: Array, target: Array, c: float = 1.0) -> Array:
    return c**2 / 2 * np.log1p(np.square((input - target) / c))


def fair_loss(np: Names, input: Array, target: Array, c: float = 1.0) -> Array:
    a = np.abs(input - target) / c
    return c**2 * (a - np.log1p(a))


def epsilon_insensitive_loss(np: Names, input: Array, target: Array, epsilon: float = 0.1) -> Array:
    return np.relu(np.abs(input - target) - epsilon)


def squared_epsilon_insensitive_loss(
    np: Names, input: Array, target: Array, epsilon: float = 0.1
) -> Array:
    return np.square(np.relu(np.abs(input - target) - epsilon))


# ---- binary --------------------------------------------------------------------------------


def binary_cross_entropy_with_logits(
    np: Names, input: Array, target: Array, pos_weight: Array | None = None
) -> Array:
    if pos_weight is None:
        return np.softplus(input) - target * input
    log_weight = 1 + (pos_weight - 1) * target
    return (1 - target) * input + log_weight * np.softplus(-input)


def binary_cross_entropy(
    np: Names, input: Array, target: Array, log_clamp: float | None = -100.0
) -> Array:
    log_p, log_q = np.log(input), np.log1p(-input)
    if log_clamp is not None:
        log_p, log_q = np.clip(log_p, min=log_clamp), np.clip(log_q, min=log_clamp)
    return -(target * log_p + (1 - target) * log_q)


def soft_margin_loss(np: Names, input: Array, target: Array) -> Array:
    return np.softplus(-target * input)


def hinge_loss(np: Names, input: Array, target: Array, margin: float = 1.0) -> Array:
    return np.relu(margin - target * input)


def squared_hinge_loss(np: Names, input: Array, target: Array, margin: float = 1.0) -> Array:
    return np.square(np.relu(margin - target * input))


def modified_huber_loss(np: Names, input: Array, target: Array) -> Array:
    z = target * input
    return np.where(z < -1, -4 * z, np.square(np.relu(1 - z)))


def exponential_loss(np: Names, input: Array, target: Array) -> Array:
    return np.exp(-target * input)


def hinge_embedding_loss(np: Names, input: Array, target: Array, margin: float = 1.0) -> Array:
    return np.where(target > 0, input, np.relu(margin - input))


def sigmoid_focal_loss(
    np: Names, input: Array, target: Array, alpha: float | None = 0.25, gamma: float = 2.0
) -> Array:
    p = np.sigmoid(input)
    miss = p + target * (1 - 2 * p)
    losses = miss**gamma * (np.softplus(input) - target * input)
    return losses if alpha is None else ((1 - alpha) + (2 * alpha - 1) * target) * losses


def margin_ranking_loss(
    np: Names, input1: Array, input2: Array, target: Array, margin: float = 0.0
) -> Array:
    return np.relu(margin - target * (input1 - input2))


# ---- distributions -------------------------------------------------------------------------


def poisson_nll_loss(
    np: Names,
    input: Array,
    target: Array,
    log_input: bool = True,
    full: bool | str = False,
    eps: float = 1e-8,
) -> Array:
    if log_input:
        losses = np.exp(input) - target * input
    else:
        losses = input - target * np.log(input + eps)
    if full == "exact":
        losses = losses + np.gammaln(target + 1)
    elif full:
        t = np.clip(target, min=1)
        stirling = t * np.log(t) - t + 0.5 * np.log(2 * pi * t)
        losses = losses + np.where(target > 1, stirling, 0)
    return losses


def gamma_nll_loss(np: Names, input: Array, target: Array, log_input: bool = True) -> Array:
    if log_input:
        return input + target * np.exp(-input)
    return np.log(input) + target / input


def tweedie_loss(
    np: Names, input: Array, target: Array, power: float = 1.5, log_input: bool = True
) -> Array:
    if log_input:
        rise, fall = np.exp((2 - power) * input), np.exp((1 - power) * input)
    else:
        fall = input ** (1 - power)
        rise = input * fall
    return rise / (2 - power) - target * fall / (1 - power)


def gaussian_nll_loss(
    np: Names, input: Array, target: Array, var: Array, full: bool = False, eps: float = 1e-6
) -> Array:
    v = np.clip(var, min=eps)
    losses = 0.5 * (np.log(v) + np.square(input - target) / v)
    return losses + 0.5 * log(2 * pi) if full else losses


def kl_div(np: Names, input: Array, target: Array, log_target: bool = False) -> Array:
    if log_target:
        return np.exp(target) * (target - input)
    return np.xlogy(target, target) - target * input


def js_div(np: Names, input: Array, target: Array) -> Array:
    p, q = np.exp(input), np.exp(target)
    mean = np.log(0.5 * (p + q))
    return 0.5 * (p * (input - mean) + q * (target - mean))


# ---- over a class axis ---------------------------------------------------------------------


def cross_entropy(np: Names, input: Array, target: Array) -> Array:
    return np.cross_entropies(input, target)


def nll_loss(np: Names, input: Array, target: Array) -> Array:
    return -np.picked(input, target)


def softmax_focal_loss(np: Names, input: Array, target: Array, gamma: float = 2.0) -> Array:
    entropies = np.cross_entropies(input, target)
    return (1 - np.exp(-entropies)) ** gamma * entropies


def generalized_cross_entropy_loss(np: Names, input: Array, target: Array, q: float = 0.5) -> Array:
    return (1 - np.exp(-q * np.cross_entropies(input, target))) / q


def poly_cross_entropy_loss(np: Names, input: Array, target: Array, epsilon: float = 1.0) -> Array:
    entropies = np.cross_entropies(input, target)
    return entropies + epsilon * (1 - np.exp(-entropies))


def brier_loss(np: Names, input: Array, target: Array) -> Array:
    shares = np.softmax(input, axis=1)
    return np.sum(np.square(shares), axis=1) + (1 - 2 * np.picked(shares, target)[:, 0])


def multi_margin_loss(
    np: Names, input: Array, target: Array, p: int = 1, margin: float = 1.0
) -> Array:
    """The class itself adds a constant, which is taken off again."""
    short = np.relu(margin - np.picked(input, target) + input)
    return (np.sum(short**p, axis=1) - max(0.0, margin) ** p) / input.shape[1]


def multilabel_margin_loss(np: Names, input: Array, target: Array) -> Array:
    """Knows how many classes are listed at most: else it would compare each class with each."""
    lists = target[:, :LISTED]
    listed = lists >= 0
    is_listed = ((lists[:, :, None] == np.arange(input.shape[1])) & listed[:, :, None]).any(axis=1)
    scores = np.take_along_axis(input, np.where(listed, lists, 0), axis=1)
    short = np.relu(1 - scores[:, :, None] + input[:, None, :])
    pairs = listed[:, :, None] & ~is_listed[:, None, :]
    return np.sum(np.where(pairs, short, 0), axis=(1, 2)) / input.shape[1]


def multilabel_soft_margin_loss(np: Names, input: Array, target: Array) -> Array:
    return np.mean(np.softplus(input) - target * input, axis=1)


def categorical_hinge_loss(np: Names, input: Array, target: Array, margin: float = 1.0) -> Array:
    worst = np.largest(np.without(input, target))
    return np.relu(margin + (worst - np.picked(input, target)[:, 0]))


def sparsemax_loss(np: Names, input: Array, target: Array) -> Array:
    """Halves the interval that the threshold is in as often as the dtype has digits."""
    x = np.constant(input)
    high = np.largest(x)[:, None]
    low = high - 1
    for _ in range(24 if input.dtype.itemsize == 4 else 53):
        middle = (low + high) / 2
        more = np.sum(np.relu(x - middle), axis=1)[:, None] > 1
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    return _of_sparsemax(np, input, target, (low + high) / 2)


def _of_sparsemax(np: Names, input: Array, target: Array, threshold: Array) -> Array:
    """The maximum over distributions p of <x, p> - |p|²/2: at it, p can be held constant."""
    p = np.relu(np.constant(input) - threshold)
    best = np.sum(p * (input - 0.5 * p), axis=1)
    return best + (0.5 - np.picked(input, target)[:, 0])


# ---- of several operands -------------------------------------------------------------------


def _cosines(np: Names, a: Array, b: Array) -> Array:
    sizes = np.sum(a * a, axis=-1) * np.sum(b * b, axis=-1)
    return np.sum(a * b, axis=-1) / np.sqrt(np.clip(sizes, min=1e-16))


def _distances(np: Names, a: Array, b: Array, eps: float) -> Array:
    return np.sqrt(np.sum(np.square(a - b + eps), axis=-1))


def _units(np: Names, x: Array) -> Array:
    return x / np.sqrt(np.sum(x * x, axis=1))[:, None]


def cosine_embedding_loss(
    np: Names, input1: Array, input2: Array, target: Array, margin: float = 0.0
) -> Array:
    cos = _cosines(np, input1, input2)
    return np.where(target > 0, 1 - cos, np.relu(cos - margin))


def cosine_distance(np: Names, input: Array, target: Array) -> Array:
    return 1 - _cosines(np, input, target)


def triplet_margin_loss(
    np: Names, anchor: Array, positive: Array, negative: Array, margin: float = 1.0
) -> Array:
    near, far = (_distances(np, anchor, x, 1e-6) for x in (positive, negative))
    return np.relu(near - far + margin)


triplet_margin_with_distance_loss = triplet_margin_loss


def contrastive_loss(
    np: Names, input1: Array, input2: Array, target: Array, margin: float = 1.0
) -> Array:
    d = _distances(np, input1, input2, 0.0)
    return target * np.square(d) + (1 - target) * np.square(np.relu(margin - d))


def info_nce_loss(np: Names, query: Array, positive: Array) -> Array:
    scores = _units(np, query) @ _units(np, positive).T / 0.07
    return np.logsumexp(scores, 1) - np.diagonal(scores)


def supervised_contrastive_loss(np: Names, embeddings: Array, labels: Array) -> Array:
    units = _units(np, embeddings)
    scores = units @ units.T / 0.07
    itself = np.eye(len(labels)) > 0
    alike = (labels[:, None] == labels) & ~itself
    logs = scores - np.logsumexp(np.where(itself, -inf, scores), 1)[:, None]
    return -np.sum(np.where(alike, logs, 0), axis=1) / np.sum(alike, axis=1)


def circle_loss(np: Names, embeddings: Array, labels: Array) -> Array:
    units = _units(np, embeddings)
    d = np.relu(1 - units @ units.T)
    alike = labels[:, None] == labels
    pairs = alike & ~(np.eye(len(labels)) > 0)
    near = np.where(pairs, -80 * (0.4 + d) * (0.4 - d), -inf)
    far = np.where(alike, -inf, 80 * np.relu(1.4 - d) * (0.6 - d))
    return np.softplus(np.logsumexp(near, 1) + np.logsumexp(far, 1))


def mean_pairwise_squared_error(np: Names, input: Array, target: Array) -> Array:
    d = input - target
    n = d.shape[1]
    return 2 / (n - 1) * np.sum(np.square(d - np.mean(d, axis=1)[:, None]), axis=1)


def ranking_softmax_loss(np: Names, input: Array, target: Array) -> Array:
    return -np.sum(target * np.log_softmax(input, -1), axis=1)


def pairwise_logistic_loss(np: Names, input: Array, target: Array) -> Array:
    ahead = target[:, :, None] > target[:, None, :]
    losses = np.softplus(input[:, None, :] - input[:, :, None])
    return np.sum(np.where(ahead, losses, 0), axis=(1, 2))


def _overlaps(np: Names, input: Array, target: Array) -> tuple[Array, Array, Array]:
    """Of each image and class the sums of both, of the first, of the second."""
    p = np.softmax(input, axis=1)
    t = np.hot(target, input.shape[1], input.dtype)
    places = tuple(range(2, input.ndim))
    return tuple(np.sum(x, axis=places) for x in (p * t, p, t))


def dice_loss(np: Names, input: Array, target: Array) -> Array:
    both, p, t = _overlaps(np, input, target)
    return 1 - (2 * both + 1e-5) / (p + t + 1e-5)


def generalized_dice_loss(np: Names, input: Array, target: Array) -> Array:
    both, p, t = _overlaps(np, input, target)
    w = 1 / np.square(t)
    return 1 - (2 * np.sum(w * both, axis=1) + 1e-5) / (np.sum(w * (p + t), axis=1) + 1e-5)


def jaccard_loss(np: Names, input: Array, target: Array) -> Array:
    both, p, t = _overlaps(np, input, target)
    return 1 - (both + 1e-5) / (p + t - both + 1e-5)


def tversky_loss(np: Names, input: Array, target: Array) -> Array:
    both, p, t = _overlaps(np, input, target)
    return 1 - (both + 1e-5) / (both + 0.5 * (p - both) + 0.5 * (t - both) + 1e-5)


def focal_tversky_loss(np: Names, input: Array, target: Array) -> Array:
    return tversky_loss(np, input, target) ** 0.75


def _lovasz(np: Names, errors: Array, inside: Array) -> Array:
    """Of one image: the errors in falling order times the steps of the Jaccard index."""
    order = np.argsort(-np.constant(errors))
    inside = inside[order]
    total = np.sum(inside)
    missed = total - np.cumsum(inside, 0)
    jaccard = 1 - missed / (total + np.cumsum(1 - inside, 0))
    steps = np.concatenate([jaccard[:1], jaccard[1:] - jaccard[:-1]])
    return np.sum(errors[order] * steps)


def lovasz_hinge_loss(np: Names, input: Array, target: Array) -> Array:
    x, t = input.reshape(-1), target.reshape(-1)
    return _lovasz(np, np.relu(1 - x * (2 * t - 1)), t)


def lovasz_softmax_loss(np: Names, input: Array, target: Array) -> Array:
    """All classes are there."""
    p = np.softmax(input, axis=1)
    t = np.hot(target, input.shape[1], input.dtype)
    classes = range(input.shape[1])
    parts = ((p[:, c].reshape(-1), t[:, c].reshape(-1)) for c in classes)
    return np.stack([_lovasz(np, np.abs(t - p), t) for p, t in parts])


def _iou_parts(np: Names, a: Array, b: Array, eps: float) -> tuple[Array, ...]:
    """Intersection over union, the union, and the sides of the hull."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    sides = np.relu(high - low)
    both = sides[:, 0] * sides[:, 1]
    (w1, h1), (w2, h2) = ((x[:, 2] - x[:, 0], x[:, 3] - x[:, 1]) for x in (a, b))
    union = w1 * h1 + w2 * h2 - both
    hull = np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])
    return both / (union + eps), union, hull[:, 0], hull[:, 1]


def generalized_box_iou_loss(np: Names, boxes1: Array, boxes2: Array, eps: float = 1e-7) -> Array:
    iou, union, width, height = _iou_parts(np, boxes1, boxes2, eps)
    area = width * height
    return 1 - iou + (area - union) / (area + eps)


def distance_box_iou_loss(np: Names, boxes1: Array, boxes2: Array, eps: float = 1e-7) -> Array:
    iou, _, width, height = _iou_parts(np, boxes1, boxes2, eps)
    d = (boxes1[:, :2] + boxes1[:, 2:] - boxes2[:, :2] - boxes2[:, 2:]) / 2
    diagonal = np.square(width) + np.square(height) + eps
    return 1 - iou + np.sum(np.square(d), axis=1) / diagonal


def complete_box_iou_loss(np: Names, boxes1: Array, boxes2: Array, eps: float = 1e-7) -> Array:
    def angle(x: Array) -> Array:
        return np.arctan((x[:, 2] - x[:, 0]) / (x[:, 3] - x[:, 1]))

    iou, *_ = _iou_parts(np, boxes1, boxes2, eps)
    v = 4 / pi**2 * np.square(angle(boxes2) - angle(boxes1))
    share = np.constant(v / (1 - iou + v + eps))
    return distance_box_iou_loss(np, boxes1, boxes2, eps) + share * v


# ---- activations ---------------------------------------------------------------------------


def sigmoid(np: Names, input: Array) -> Array:
    return np.sigmoid(input)


def logsigmoid(np: Names, input: Array) -> Array:
    return -np.softplus(-input)


def softmax(np: Names, input: Array, axis: int = 1) -> Array:
    return np.softmax(input, axis)


def log_softmax(np: Names, input: Array, axis: int = 1) -> Array:
    return np.log_softmax(input, axis)


def logsumexp(np: Names, input: Array, axis: int = 1) -> Array:
    return np.logsumexp(input, axis)


def normalize(np: Names, input: Array) -> Array:
    return _units(np, input)


def cosine_similarity(np: Names, x1: Array, x2: Array) -> Array:
    return _cosines(np, x1, x2)


def pairwise_distance(np: Names, x1: Array, x2: Array) -> Array:
    return _distances(np, x1, x2, 1e-6)


# ---- in NumPy ------------------------------------------------------------------------------


def images_cross_entropy(input: Array, target: Array) -> Any:
    """The twin of cross_entropy with its classes on axis 1 of any number of axes."""
    shifted = input - input.max(axis=1, keepdims=True)
    picked = numpy.take_along_axis(shifted, target[:, None], axis=1)[:, 0]
    return numpy.mean(numpy.log(numpy.exp(shifted, out=shifted).sum(axis=1)) - picked)


def images_cross_entropy_and_grad(input: Array, target: Array) -> Any:
    shifted = input - input.max(axis=1, keepdims=True)
    classes = target[:, None]
    picked = numpy.take_along_axis(shifted, classes, axis=1)
    exp = numpy.exp(shifted, out=shifted)
    sums = exp.sum(axis=1, keepdims=True)
    value = numpy.mean(numpy.log(sums) - picked)
    exp /= sums * target.size
    less = numpy.take_along_axis(exp, classes, axis=1) - exp.dtype.type(1 / target.size)
    numpy.put_along_axis(exp, classes, less, axis=1)
    return value, exp


# ---- other forms for torch -----------------------------------------------------------------


def _expectile(np: Names, input: Array, target: Array, q: float = 0.5) -> Array:
    d = input - target
    return np.abs((1 - q) - (d < 0).float()) * np.square(d)


def _modified_huber(np: Names, input: Array, target: Array) -> Array:
    short = np.relu(1 - target * input)
    clipped = np.clip(short, max=2)
    return clipped * (2 * short - clipped)


def _quantile(np: Names, input: Array, target: Array, q: float = 0.5) -> Array:
    d = input - target
    return np.relu(d) - q * d


def _sparsemax(np: Names, input: Array, target: Array) -> Array:
    x = np.constant(input)
    falling = np.sort(x, axis=1, descending=True).values
    excess = np.cumsum(falling, axis=1) - 1
    size = np.sum(np.arange(1, x.shape[1] + 1) * falling > excess, axis=1)
    return _of_sparsemax(np, input, target, np.picked(excess, size - 1) / size[:, None])


IN_TORCH: Final[dict[str, Callable[..., Array]]] = {
    "expectile_loss": _expectile,
    "modified_huber_loss": _modified_huber,
    "quantile_loss": _quantile,
    "sparsemax_loss": _sparsemax,
    "epsilon_insensitive_loss": lambda np, input, target, epsilon=0.1: np.abs(
        np.softshrink(input - target, epsilon)
    ),
    "squared_epsilon_insensitive_loss": lambda np, input, target, epsilon=0.1: np.square(
        np.softshrink(input - target, epsilon)
    ),
    "msle_loss": lambda np, input, target: np.mse_loss(
        np.log1p(input), np.log1p(target), reduction="none"
    ),
    "logsigmoid": lambda np, input: np.logsigmoid(input),
    "normalize": lambda np, input: np.normalize(input),
    "cosine_similarity": lambda np, x1, x2: np.cosine_similarity(x1, x2),
    "pairwise_distance": lambda np, x1, x2: np.pairwise_distance(x1, x2),
}
