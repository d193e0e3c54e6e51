# ruff: noqa: E731 (formulas of a line stand as in a table)
"""The losses as users of torch and jax write them: once for both, but for a few.

A formula takes the arguments of its namesake in fusedloss and returns the losses of the elements
or rows, of which the library differentiates the mean; an activation returns its result. Of the
usual stable forms it is the fastest in these libraries; where that is another one in torch, which
runs one operation after the other, `torch_formulas` has it. torch gets a formula only for losses
that torch.nn.functional does not have.
"""

from __future__ import annotations

import functools
from math import inf, lgamma, log, pi

import numpy

from bench.cases import LISTED

#: Activations that torch and jax have under the same name.
OWN = ("sigmoid", "softmax", "log_softmax", "logsumexp")


class Formulas:
    """`np` is an instance: the formulas, and the functions of a library's modules."""

    modules = ()

    def __getattr__(np, name):
        for module in np.modules:
            if hasattr(module, name):
                return getattr(module, name)
        raise AttributeError(name)

    # --- regression
    mse_loss = lambda np, x, t: np.square(x - t)
    l1_loss = lambda np, x, t: np.abs(x - t)
    msle_loss = lambda np, x, t: np.square(np.log1p(x) - np.log1p(t))
    mape_loss = lambda np, x, t, eps=2.0**-52: np.abs(x - t) / np.clip(np.abs(t), min=eps)
    cauchy_loss = lambda np, x, t, c=1.0: c**2 / 2 * np.log1p(np.square((x - t) / c))
    epsilon_insensitive_loss = lambda np, x, t, epsilon=0.1: np.relu(np.abs(x - t) - epsilon)

    def huber_loss(np, x, t, delta=1.0):
        size = np.abs(x - t)
        return np.where(size < delta, 0.5 * np.square(size), delta * (size - 0.5 * delta))

    def smooth_l1_loss(np, x, t, beta=1.0):
        size = np.abs(x - t)
        return np.where(size < beta, 0.5 / beta * np.square(size), size - 0.5 * beta)

    def log_cosh_loss(np, x, t):
        d = x - t
        return d + np.softplus(-2 * d) - log(2)

    def pseudo_huber_loss(np, x, t, delta=1.0):
        return delta**2 * (np.sqrt(1 + np.square((x - t) / delta)) - 1)

    def quantile_loss(np, x, t, q=0.5):
        d = x - t
        return np.maximum(-q * d, (1 - q) * d)

    def expectile_loss(np, x, t, q=0.5):
        d = x - t
        return np.where(d < 0, q, 1 - q) * np.square(d)

    def fair_loss(np, x, t, c=1.0):
        a = np.abs(x - t) / c
        return c**2 * (a - np.log1p(a))

    def squared_epsilon_insensitive_loss(np, x, t, epsilon=0.1):
        return np.square(np.relu(np.abs(x - t) - epsilon))

    # --- binary
    binary_cross_entropy_with_logits = lambda np, x, t: np.softplus(x) - t * x
    soft_margin_loss = lambda np, x, t: np.softplus(-t * x)
    hinge_loss = lambda np, x, t, margin=1.0: np.relu(margin - t * x)
    squared_hinge_loss = lambda np, x, t, margin=1.0: np.square(np.relu(margin - t * x))
    exponential_loss = lambda np, x, t: np.exp(-t * x)
    hinge_embedding_loss = lambda np, x, t, margin=1.0: np.where(t > 0, x, np.relu(margin - x))
    margin_ranking_loss = lambda np, a, b, t, margin=0.0: np.relu(margin - t * (a - b))

    def binary_cross_entropy(np, x, t):
        log_p, log_q = (np.clip(y, min=-100.0) for y in (np.log(x), np.log1p(-x)))
        return -(t * log_p + (1 - t) * log_q)

    def modified_huber_loss(np, x, t):
        z = t * x
        return np.where(z < -1, -4 * z, np.square(np.relu(1 - z)))

    def sigmoid_focal_loss(np, x, t, alpha=0.25, gamma=2.0):
        p = np.sigmoid(x)
        losses = (p + t * (1 - 2 * p)) ** gamma * (np.softplus(x) - t * x)
        return ((1 - alpha) + (2 * alpha - 1) * t) * losses

    def asymmetric_loss(np, x, t, gamma_neg=4.0, gamma_pos=1.0, clip=0.05):
        p = np.sigmoid(x)
        u = np.relu(p - clip)
        negative = -(u**gamma_neg) * np.log1p(-u)
        return t * (1 - p) ** gamma_pos * np.softplus(-x) + (1 - t) * negative

    # --- distributions
    poisson_nll_loss = lambda np, x, t: np.exp(x) - t * x
    gamma_nll_loss = lambda np, x, t: x + t * np.exp(-x)
    kl_div = lambda np, x, t: np.xlogy(t, t) - t * x

    def tweedie_loss(np, x, t, power=1.5):
        rise, fall = np.exp((2 - power) * x), np.exp((1 - power) * x)
        return rise / (2 - power) - t * fall / (1 - power)

    def gaussian_nll_loss(np, x, t, var, eps=1e-6):
        v = np.clip(var, min=eps)
        return 0.5 * (np.log(v) + np.square(x - t) / v)

    def student_t_nll_loss(np, x, t, s, df=3.0):
        constant = lgamma(df / 2) - lgamma((df + 1) / 2) + log(pi * df) / 2
        return np.log(s) + (df + 1) / 2 * np.log1p(np.square((x - t) / s) / df) + constant

    laplace_nll_loss = lambda np, x, t, s: np.log(2 * s) + np.abs(x - t) / s

    def logistic_nll_loss(np, x, t, s):
        r = (x - t) / s
        return np.log(s) + 2 * np.softplus(r) - r

    def gumbel_nll_loss(np, x, t, s):
        r = (x - t) / s
        return np.log(s) + np.exp(r) - r

    def log_normal_nll_loss(np, x, t, s):
        log_t = np.log(t)
        return log_t + np.log(s) + 0.5 * np.square((x - log_t) / s) + 0.5 * log(2 * pi)

    def weibull_nll_loss(np, x, t, k):
        log_t = np.log(t)
        z = k * (log_t - x)
        return log_t - np.log(k) - z + np.exp(z)

    def gamma_shape_nll_loss(np, x, t, k):
        log_t = np.log(t)
        rise = x - log_t + np.exp(log_t - x) - np.log(k)
        return log_t + k * rise + np.gammaln(k)

    def crps_normal(np, x, t, s):
        r = (x - t) / s
        return s * (
            r * np.erf(r * 0.5**0.5) + (2 / pi) ** 0.5 * np.exp(-0.5 * np.square(r)) - pi**-0.5
        )

    def crps_logistic(np, x, t, s):
        r = (x - t) / s
        return s * (2 * np.softplus(r) - r - 1)

    def crps_laplace(np, x, t, s):
        r = np.abs(x - t) / s
        return s * (r + np.exp(-r) - 0.75)

    def interval_score(np, lower, upper, t, alpha=0.1):
        outside = np.relu(lower - t) + np.relu(t - upper)
        return upper - lower + (2 / alpha) * outside

    def js_div(np, x, t):
        p, q = np.exp(x), np.exp(t)
        mean = np.log(0.5 * (p + q))
        return 0.5 * (p * (x - mean) + q * (t - mean))

    # --- counts
    def _rising(np, r, t):
        return np.gammaln(r + t) - np.gammaln(r)

    def negative_binomial_nll_loss(np, x, t, dispersion):
        r, m = 1 / dispersion, x + np.log(dispersion)
        return np.gammaln(t + 1) - np._rising(r, t) + (r + t) * np.softplus(m) - t * m

    def _inflated(np, losses, t, z):
        none = np.softplus(z) - np.logaddexp(z, -losses)
        return np.where(t == 0, none, np.softplus(z) + losses)

    def zero_inflated_poisson_nll_loss(np, x, t, z):
        return np._inflated(np.exp(x) - t * x + np.gammaln(t + 1), t, z)

    def zero_inflated_negative_binomial_nll_loss(np, x, t, dispersion, z):
        return np._inflated(np.negative_binomial_nll_loss(x, t, dispersion), t, z)

    def _log_choices(np, n, t):
        return np.gammaln(n + 1) - np.gammaln(t + 1) - np.gammaln(n - t + 1)

    def binomial_nll_loss(np, x, t, n):
        return n * np.softplus(x) - t * x - np._log_choices(n, t)

    def beta_nll_loss(np, x, t, precision):
        a, b = np.sigmoid(x) * precision, np.sigmoid(-x) * precision
        scale = np.gammaln(a) + np.gammaln(b) - np.gammaln(precision)
        return scale - (a - 1) * np.log(t) - (b - 1) * np.log1p(-t)

    def beta_binomial_nll_loss(np, x, t, n, dispersion):
        r = 1 / dispersion
        a, b = np.sigmoid(x) * r, np.sigmoid(-x) * r
        rising = np._rising(a, t) + np._rising(b, n - t) - np._rising(r, n)
        return -rising - np._log_choices(n, t)

    # --- over a class axis
    cross_entropy = lambda np, x, t: np.cross_entropies(x, t)
    nll_loss = lambda np, x, t: -np.picked(x, t)
    multilabel_soft_margin_loss = lambda np, x, t: np.mean(np.softplus(x) - t * x, axis=1)

    def softmax_focal_loss(np, x, t, gamma=2.0):
        entropies = np.cross_entropies(x, t)
        return (1 - np.exp(-entropies)) ** gamma * entropies

    def generalized_cross_entropy_loss(np, x, t, q=0.5):
        return (1 - np.exp(-q * np.cross_entropies(x, t))) / q

    def poly_cross_entropy_loss(np, x, t, epsilon=1.0):
        entropies = np.cross_entropies(x, t)
        return entropies + epsilon * (1 - np.exp(-entropies))

    def brier_loss(np, x, t):
        shares = np.softmax(x, axis=1)
        return np.sum(np.square(shares), axis=1) + (1 - 2 * np.picked(shares, t)[:, 0])

    def distillation_loss(np, x, z, temperature=1.0):
        student = np.log_softmax(x / temperature, axis=1)
        teacher = np.log_softmax(z / temperature, axis=1)
        return temperature**2 * np.sum(np.exp(teacher) * (teacher - student), axis=1)

    def ranked_probability_score(np, x, t):
        d = np.cumsum(x, axis=1)
        return np.sum(np.square(np.where(np.arange(x.shape[1]) < t[:, None], d, d - 1)), axis=1)

    def multi_margin_loss(np, x, t, p=1, margin=1.0):
        """The class itself adds a constant, which is taken off again."""
        short = np.relu(margin - np.picked(x, t) + x)
        return (np.sum(short**p, axis=1) - max(0.0, margin) ** p) / x.shape[1]

    def multilabel_margin_loss(np, x, t):
        """Knows how many classes are listed at most: else it would compare each class with each."""
        lists = t[:, :LISTED]
        listed = lists >= 0
        is_listed = ((lists[:, :, None] == np.arange(x.shape[1])) & listed[:, :, None]).any(axis=1)
        scores = np.take_along_axis(x, np.where(listed, lists, 0), axis=1)
        short = np.relu(1 - scores[:, :, None] + x[:, None, :])
        pairs = listed[:, :, None] & ~is_listed[:, None, :]
        return np.sum(np.where(pairs, short, 0), axis=(1, 2)) / x.shape[1]

    def categorical_hinge_loss(np, x, t, margin=1.0):
        worst = np.largest(np.without(x, t))
        return np.relu(margin + (worst - np.picked(x, t)[:, 0]))

    def sparsemax_loss(np, input, target):
        """Halves the interval that the threshold is in as often as the dtype has digits."""
        x = np.constant(input)
        high = np.largest(x)[:, None]
        low = high - 1
        for _ in range(24 if input.dtype.itemsize == 4 else 53):
            middle = (low + high) / 2
            more = np.sum(np.relu(x - middle), axis=1)[:, None] > 1
            low, high = np.where(more, middle, low), np.where(more, high, middle)
        return np._of_sparsemax(input, target, (low + high) / 2)

    def _of_sparsemax(np, input, target, threshold):
        """The maximum over distributions p of <x, p> - |p|²/2: at it, p can be held constant."""
        p = np.relu(np.constant(input) - threshold)
        best = np.sum(p * (input - 0.5 * p), axis=1)
        return best + (0.5 - np.picked(input, target)[:, 0])

    # --- of several operands
    _distances = lambda np, a, b, eps: np.sqrt(np.sum(np.square(a - b + eps), axis=-1))
    _units = lambda np, x: x / np.sqrt(np.sum(x * x, axis=1))[:, None]
    cosine_distance = lambda np, x, t: 1 - np._cosines(x, t)
    focal_tversky_loss = lambda np, x, t: np.tversky_loss(x, t) ** 0.75
    triplet_margin_with_distance_loss = lambda np, *vectors: np.triplet_margin_loss(*vectors)
    ranking_softmax_loss = lambda np, x, t: -np.sum(t * np.log_softmax(x, -1), axis=1)

    def _cosines(np, a, b):
        sizes = np.sum(a * a, axis=-1) * np.sum(b * b, axis=-1)
        return np.sum(a * b, axis=-1) / np.sqrt(np.clip(sizes, min=1e-16))

    def cosine_embedding_loss(np, input1, input2, t, margin=0.0):
        cos = np._cosines(input1, input2)
        return np.where(t > 0, 1 - cos, np.relu(cos - margin))

    def triplet_margin_loss(np, anchor, positive, negative, margin=1.0):
        near, far = (np._distances(anchor, x, 1e-6) for x in (positive, negative))
        return np.relu(near - far + margin)

    def contrastive_loss(np, input1, input2, t, margin=1.0):
        d = np._distances(input1, input2, 0.0)
        return t * np.square(d) + (1 - t) * np.square(np.relu(margin - d))

    def info_nce_loss(np, query, positive):
        scores = np._units(query) @ np._units(positive).T / 0.07
        return np.logsumexp(scores, 1) - np.diagonal(scores)

    def supervised_contrastive_loss(np, embeddings, labels):
        units = np._units(embeddings)
        scores = units @ units.T / 0.07
        itself = np.eye(len(labels)) > 0
        alike = (labels[:, None] == labels) & ~itself
        logs = scores - np.logsumexp(np.where(itself, -inf, scores), 1)[:, None]
        return -np.sum(np.where(alike, logs, 0), axis=1) / np.sum(alike, axis=1)

    def circle_loss(np, embeddings, labels):
        units = np._units(embeddings)
        d = np.relu(1 - units @ units.T)
        alike = labels[:, None] == labels
        pairs = alike & ~(np.eye(len(labels)) > 0)
        near = np.where(pairs, -80 * (0.4 + d) * (0.4 - d), -inf)
        far = np.where(alike, -inf, 80 * np.relu(1.4 - d) * (0.6 - d))
        return np.softplus(np.logsumexp(near, 1) + np.logsumexp(far, 1))

    def mean_pairwise_squared_error(np, x, t):
        d = x - t
        n = d.shape[1]
        return 2 / (n - 1) * np.sum(np.square(d - np.mean(d, axis=1)[:, None]), axis=1)

    def pairwise_logistic_loss(np, x, t):
        ahead = t[:, :, None] > t[:, None, :]
        losses = np.softplus(x[:, None, :] - x[:, :, None])
        return np.sum(np.where(ahead, losses, 0), axis=(1, 2))

    def _overlaps(np, input, target):
        """Of each image and class the sums of both, of the first, of the second."""
        p = np.softmax(input, axis=1)
        t = np.hot(target, input.shape[1], input.dtype)
        places = tuple(range(2, input.ndim))
        return tuple(np.sum(x, axis=places) for x in (p * t, p, t))

    def dice_loss(np, input, target):
        both, p, t = np._overlaps(input, target)
        return 1 - (2 * both + 1e-5) / (p + t + 1e-5)

    def generalized_dice_loss(np, input, target):
        both, p, t = np._overlaps(input, target)
        w = 1 / np.square(t)
        return 1 - (2 * np.sum(w * both, axis=1) + 1e-5) / (np.sum(w * (p + t), axis=1) + 1e-5)

    def jaccard_loss(np, input, target):
        both, p, t = np._overlaps(input, target)
        return 1 - (both + 1e-5) / (p + t - both + 1e-5)

    def tversky_loss(np, input, target):
        both, p, t = np._overlaps(input, target)
        return 1 - (both + 1e-5) / (both + 0.5 * (p - both) + 0.5 * (t - both) + 1e-5)

    def _lovasz(np, errors, inside):
        """Of one image: the errors in falling order times the steps of the Jaccard index."""
        order = np.argsort(-np.constant(errors))
        inside = inside[order]
        total = np.sum(inside)
        missed = total - np.cumsum(inside, 0)
        jaccard = 1 - missed / (total + np.cumsum(1 - inside, 0))
        steps = np.concatenate([jaccard[:1], jaccard[1:] - jaccard[:-1]])
        return np.sum(errors[order] * steps)

    def lovasz_hinge_loss(np, input, target):
        x, t = input.reshape(-1), target.reshape(-1)
        return np._lovasz(np.relu(1 - x * (2 * t - 1)), t)

    def lovasz_softmax_loss(np, input, target):
        """All classes are there."""
        p = np.softmax(input, axis=1)
        t = np.hot(target, input.shape[1], input.dtype)
        classes = range(input.shape[1])
        parts = ((p[:, c].reshape(-1), t[:, c].reshape(-1)) for c in classes)
        return np.stack([np._lovasz(np.abs(t - p), t) for p, t in parts])

    def _iou_parts(np, a, b, eps):
        """Intersection over union, the union, and the sides of the hull."""
        low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
        sides = np.relu(high - low)
        both = sides[:, 0] * sides[:, 1]
        (w1, h1), (w2, h2) = ((x[:, 2] - x[:, 0], x[:, 3] - x[:, 1]) for x in (a, b))
        union = w1 * h1 + w2 * h2 - both
        hull = np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])
        return both / (union + eps), union, hull[:, 0], hull[:, 1]

    def generalized_box_iou_loss(np, boxes1, boxes2, eps=1e-7):
        iou, union, width, height = np._iou_parts(boxes1, boxes2, eps)
        area = width * height
        return 1 - iou + (area - union) / (area + eps)

    def distance_box_iou_loss(np, boxes1, boxes2, eps=1e-7):
        iou, _, width, height = np._iou_parts(boxes1, boxes2, eps)
        d = (boxes1[:, :2] + boxes1[:, 2:] - boxes2[:, :2] - boxes2[:, 2:]) / 2
        diagonal = np.square(width) + np.square(height) + eps
        return 1 - iou + np.sum(np.square(d), axis=1) / diagonal

    def complete_box_iou_loss(np, boxes1, boxes2, eps=1e-7):
        def angle(x):
            return np.arctan((x[:, 2] - x[:, 0]) / (x[:, 3] - x[:, 1]))

        iou, *_ = np._iou_parts(boxes1, boxes2, eps)
        v = 4 / pi**2 * np.square(angle(boxes2) - angle(boxes1))
        share = np.constant(v / (1 - iou + v + eps))
        return np.distance_box_iou_loss(boxes1, boxes2, eps) + share * v

    def _bits(np, x, ones):
        return np.softplus(np.where(ones, -x, x))

    def coral_loss(np, x, t):
        return np.sum(np._bits(x, t[:, None] > np.arange(x.shape[1])), axis=1)

    def corn_loss(np, x, t):
        """The mean over the bits that take part."""
        steps = np.arange(x.shape[1])
        there = t[:, None] >= steps
        losses = np.where(there, np._bits(x, t[:, None] > steps), 0)
        return np.sum(losses) / np.sum(there)

    def discrete_survival_loss(np, x, time, event):
        steps, last = np.arange(x.shape[1]), time[:, None]
        losses = np._bits(x, (steps == last) & (event[:, None] > 0))
        return np.sum(np.where(steps <= last, losses, 0), axis=1)

    def all_threshold_loss(np, x, thresholds, t):
        return np.coral_loss(x[:, None] - thresholds, t)

    def immediate_threshold_loss(np, x, thresholds, t):
        last = len(thresholds)
        low = np.softplus(thresholds[np.clip(t - 1, min=0)] - x)
        high = np.softplus(x - thresholds[np.clip(t, max=last - 1)])
        return np.where(t > 0, low, 0) + np.where(t < last, high, 0)

    def ordinal_loss(np, x, thresholds, t):
        last = len(thresholds)
        inside = (t > 0) & (t < last)
        low, high = np.clip(t - 1, min=0), np.clip(t, max=last - 1)
        width = np.where(inside, thresholds[high] - thresholds[low], 1)
        apart = np.where(inside, np.log(-np.expm1(-width)), 0)
        return np.immediate_threshold_loss(x, thresholds, t) - apart

    # --- activations
    logsigmoid = lambda np, x: -np.softplus(-x)
    normalize = lambda np, x: np._units(x)
    cosine_similarity = lambda np, x1, x2: np._cosines(x1, x2)
    pairwise_distance = lambda np, x1, x2: np._distances(x1, x2, 1e-6)


@functools.cache
def torch_formulas():
    import torch

    native = torch.nn.functional

    class InTorch(Formulas):
        modules = (torch, native, torch.special)

        logsigmoid, normalize = staticmethod(native.logsigmoid), staticmethod(native.normalize)
        cosine_similarity = staticmethod(native.cosine_similarity)
        pairwise_distance = staticmethod(native.pairwise_distance)
        constant = staticmethod(torch.Tensor.detach)
        cross_entropies = lambda np, x, classes: native.cross_entropy(x, classes, reduction="none")
        picked = lambda np, x, classes: x.gather(1, classes[:, None])
        without = lambda np, x, classes: x.scatter(1, classes[:, None], -inf)
        largest = lambda np, x: x.max(1).values
        hot = lambda np, x, classes, dtype: native.one_hot(x, classes).movedim(-1, 1).to(dtype)

        def quantile_loss(np, input, target, q=0.5):
            d = input - target
            return np.relu(d) - q * d

        def expectile_loss(np, input, target, q=0.5):
            d = input - target
            return np.abs((1 - q) - (d < 0).float()) * np.square(d)

        def msle_loss(np, input, target):
            return native.mse_loss(np.log1p(input), np.log1p(target), reduction="none")

        def epsilon_insensitive_loss(np, input, target, epsilon=0.1):
            return np.abs(np.softshrink(input - target, epsilon))

        def squared_epsilon_insensitive_loss(np, input, target, epsilon=0.1):
            return np.square(np.softshrink(input - target, epsilon))

        def modified_huber_loss(np, input, target):
            short = np.relu(1 - target * input)
            clipped = np.clip(short, max=2)
            return clipped * (2 * short - clipped)

        def sparsemax_loss(np, input, target):
            falling = np.sort(np.constant(input), axis=1, descending=True).values
            excess = np.cumsum(falling, axis=1) - 1
            size = np.sum(np.arange(1, input.shape[1] + 1) * falling > excess, axis=1)
            return np._of_sparsemax(input, target, np.picked(excess, size - 1) / size[:, None])

    return InTorch()


@functools.cache
def jax_formulas():
    import jax

    class InJax(Formulas):
        modules = (jax.numpy, jax.nn, jax.scipy.special)
        constant = staticmethod(jax.lax.stop_gradient)
        logsumexp = staticmethod(jax.nn.logsumexp)

        def softplus(np, x):
            """Twice as fast as jax.nn.softplus, which is logaddexp(x, 0)."""
            return np.relu(x) + np.log1p(np.exp(-np.abs(x)))

        def cross_entropies(np, x, classes):
            return np.logsumexp(x, axis=1) - np.picked(x, classes)[:, 0]

        picked = lambda np, x, classes: np.take_along_axis(x, classes[:, None], axis=1)

        def without(np, x, classes):
            return np.where(np.arange(x.shape[1]) == classes[:, None], -inf, x)

        largest = lambda np, x: np.max(x, axis=1)
        hot = lambda np, x, classes, dtype: np.one_hot(x, classes, axis=1, dtype=dtype)

    return InJax()


# --- in NumPy: the twins of cross_entropy with its classes on axis 1 of any number of axes


def images_cross_entropy(input, target):
    shifted = input - input.max(axis=1, keepdims=True)
    picked = numpy.take_along_axis(shifted, target[:, None], axis=1)[:, 0]
    return numpy.mean(numpy.log(numpy.exp(shifted, out=shifted).sum(axis=1)) - picked)


def images_cross_entropy_and_grad(input, target):
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
