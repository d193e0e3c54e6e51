"""Losses that torch lacks, as textbooks write them, in torch: autograd has their derivatives.

Each gives the loss of every element; those over a class axis reduce it, for they know by what to
divide. At a kink they are written so that autograd takes the derivative that is documented here.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log

import torch
from torch import Tensor
from torch.nn import functional


def sign(d: Tensor) -> Tensor:
    """±1, never 0: |d| has a second derivative through it."""
    return torch.where(d < 0, -1.0, 1.0).to(d.dtype)


# ---- regression --------------------------------------------------------------------------


def log_cosh_loss(input: Tensor, target: Tensor) -> Tensor:
    return torch.log(torch.cosh(input - target))


def pseudo_huber_loss(input: Tensor, target: Tensor, delta: float = 1.0) -> Tensor:
    d = input - target
    return d**2 / (torch.sqrt(1 + (d / delta) ** 2) + 1)  # δ² (root - 1), without its cancellation


def quantile_loss(input: Tensor, target: Tensor, q: float = 0.5) -> Tensor:
    d = input - target
    return (1 - q) * torch.relu(d) + q * torch.relu(-d)


def expectile_loss(input: Tensor, target: Tensor, q: float = 0.5) -> Tensor:
    d = input - target
    return (0.5 + (0.5 - q) * torch.sign(d)) * d**2


def epsilon_insensitive_loss(input: Tensor, target: Tensor, epsilon: float = 0.1) -> Tensor:
    return torch.relu(torch.abs(input - target) - epsilon)


def squared_epsilon_insensitive_loss(input: Tensor, target: Tensor, epsilon: float = 0.1) -> Tensor:
    return epsilon_insensitive_loss(input, target, epsilon) ** 2


def cauchy_loss(input: Tensor, target: Tensor, c: float = 1.0) -> Tensor:
    return c**2 / 2 * torch.log1p(((input - target) / c) ** 2)


def fair_loss(input: Tensor, target: Tensor, c: float = 1.0) -> Tensor:
    d = input - target
    a = sign(d) * d / c
    return c**2 * (a - torch.log1p(a))


def msle_loss(input: Tensor, target: Tensor) -> Tensor:
    return (torch.log1p(input) - torch.log1p(target)) ** 2


def mape_loss(input: Tensor, target: Tensor, eps: float = 2.0**-52) -> Tensor:
    return torch.abs(input - target) / torch.abs(target).clamp(min=eps)


# ---- binary ------------------------------------------------------------------------------


def binary_cross_entropy(input: Tensor, target: Tensor, log_clamp: float | None = -100.0) -> Tensor:
    """With the value clamped, the derivatives are those of the loss without a clamp."""
    exact = -torch.xlogy(target, input) - torch.special.xlog1py(1 - target, -input)
    if log_clamp is None:
        return exact
    logs = (torch.log(x).clamp(min=log_clamp) for x in (input, 1 - input))
    clamped = -sum(w * x for w, x in zip((target, 1 - target), logs, strict=True))
    return exact + (clamped - exact).detach()


def hinge_loss(input: Tensor, target: Tensor, margin: float = 1.0) -> Tensor:
    return torch.relu(margin - target * input)


def squared_hinge_loss(input: Tensor, target: Tensor, margin: float = 1.0) -> Tensor:
    return hinge_loss(input, target, margin) ** 2


def modified_huber_loss(input: Tensor, target: Tensor) -> Tensor:
    z = target * input
    return torch.where(z < -1, -4 * z, torch.relu(1 - z) ** 2)


def exponential_loss(input: Tensor, target: Tensor) -> Tensor:
    return torch.exp(-target * input)


def sigmoid_focal_loss(
    input: Tensor, target: Tensor, alpha: float | None = 0.25, gamma: float = 2.0
) -> Tensor:
    """As torchvision: cross entropy times (1 - p_t)^γ, times α_t where α is not negative."""
    p = torch.sigmoid(input)
    entropy = functional.binary_cross_entropy_with_logits(input, target, reduction="none")
    p_t = p * target + (1 - p) * (1 - target)
    loss = (1 - p_t) ** gamma * entropy
    if alpha is None or alpha < 0:
        return loss
    return (alpha * target + (1 - alpha) * (1 - target)) * loss


def asymmetric_loss(
    input: Tensor,
    target: Tensor,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    clip: float = 0.05,
) -> Tensor:
    """A focal loss with powers of its own for each label; negatives count from `clip` on."""
    p = torch.sigmoid(input)
    shifted = torch.relu(p - clip)
    positive = -(torch.sigmoid(-input) ** gamma_pos) * functional.logsigmoid(input)
    log_rest = torch.log1p(-shifted) if clip else functional.logsigmoid(-input)
    return target * positive - (1 - target) * shifted**gamma_neg * log_rest


# ---- distributions -----------------------------------------------------------------------


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool = True, full: str = "exact", eps: float = 1e-8
) -> Tensor:
    assert full == "exact"
    loss = functional.poisson_nll_loss(input, target, log_input, eps=eps, reduction="none")
    return loss + torch.lgamma(target + 1)


def gamma_nll_loss(input: Tensor, target: Tensor, log_input: bool = True) -> Tensor:
    mean = torch.exp(input) if log_input else input
    return torch.log(mean) + target / mean


def tweedie_loss(
    input: Tensor, target: Tensor, power: float = 1.5, log_input: bool = True
) -> Tensor:
    mean = torch.exp(input) if log_input else input
    if power == 0:
        return (mean - target) ** 2 / 2
    if power == 1:
        return mean - torch.xlogy(target, mean)
    if power == 2:
        return torch.log(mean) + target / mean
    return mean ** (2 - power) / (2 - power) - target * mean ** (1 - power) / (1 - power)


def js_div(input: Tensor, target: Tensor, beta: float = 0.5) -> Tensor:
    middle = torch.logaddexp(input + log(1 - beta), target + log(beta))
    student, teacher = (torch.exp(x) * (x - middle) for x in (input, target))
    return (1 - beta) * student + beta * teacher


# ---- over a class axis -------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Rows of logits as a matrix, without the ignored ones, so that these have no derivatives."""

    shape: torch.Size  # of the rows
    kept: Tensor
    x: Tensor
    t: Tensor  # probabilities, or 1 at the class
    y: Tensor | None  # the class numbers, if it was these
    weight: Tensor  # of the classes

    @property
    def shares(self) -> Tensor:
        """How much each row counts: what means are divided by."""
        return torch.ones_like(self.x[:, 0]) if self.y is None else self.weight[self.y]

    def tau(self, smoothing: float = 0.0) -> Tensor:
        """Targets, smoothed, then weighted."""
        return self.weight * ((1 - smoothing) * self.t + smoothing / self.x.shape[1])

    def reduced(self, losses: Tensor, reduction: str, shares: Tensor | None = None) -> Tensor:
        if reduction == "none":
            return (
                losses.new_zeros(self.kept.shape).masked_scatter(self.kept, losses).view(self.shape)
            )
        total = losses.sum()
        return (
            total
            if reduction == "sum"
            else total / (self.shares if shares is None else shares).sum()
        )


def batch(
    input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int | None = None
) -> Batch:
    axis = min(1, input.dim() - 1)
    x = input.movedim(axis, -1)
    shape, classes = x.shape[:-1], x.shape[-1]
    x = x.reshape(-1, classes)
    w = x.new_ones(classes) if weight is None else weight
    if target.is_floating_point():
        t = target.movedim(axis, -1).reshape(-1, classes)
        return Batch(shape, torch.ones(len(x), dtype=torch.bool), x, t, None, w)
    y = target.reshape(-1)
    kept = torch.ones_like(y, dtype=torch.bool) if ignore_index is None else y != ignore_index
    x, y = x[kept], y[kept].long()
    return Batch(shape, kept, x, functional.one_hot(y, classes).to(x.dtype), y, w)


def misses(x: Tensor) -> Tensor:
    """1 - softmax, as the sum of the other classes: near 0 it has its digits."""
    others = 1 - torch.eye(x.shape[1], dtype=x.dtype)
    return torch.softmax(x, 1) @ others


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    reduction: str = "mean",
) -> Tensor:
    b = batch(input, target, weight, ignore_index)
    x = b.x if softcap is None else softcap * torch.tanh(b.x / softcap)
    lse = torch.logsumexp(x, 1)
    losses = (b.tau(label_smoothing) * (lse[:, None] - x)).sum(1) + z_loss * lse**2
    return b.reduced(losses, reduction)


def softmax_focal_loss(
    input: Tensor,
    target: Tensor,
    gamma: float = 2.0,
    alpha: float | list[float] | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    a = input.new_ones(()) if alpha is None else torch.as_tensor(alpha, dtype=input.dtype)
    b = batch(input, target, None, ignore_index)
    tau = a * b.tau(label_smoothing)
    # That of the one class there is is 0, which powers cannot be differentiated at.
    miss = misses(b.x) if b.x.shape[1] > 1 else torch.ones_like(b.x)
    losses = (tau * miss**gamma * -torch.log_softmax(b.x, 1)).sum(1)
    return b.reduced(losses, reduction, b.shares)


def generalized_cross_entropy_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    q: float = 0.5,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    b = batch(input, target, weight, ignore_index)
    losses = (b.tau() * (1 - torch.softmax(b.x, 1) ** q)).sum(1) / q
    return b.reduced(losses, reduction)


def poly_cross_entropy_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    epsilon: float = 1.0,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    b = batch(input, target, weight, ignore_index)
    losses = b.tau(label_smoothing) * (epsilon * misses(b.x) - torch.log_softmax(b.x, 1))
    return b.reduced(losses.sum(1), reduction)


def brier_loss(
    input: Tensor, target: Tensor, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    b = batch(input, target, None, ignore_index)
    return b.reduced(((torch.softmax(b.x, 1) - b.t) ** 2).sum(1), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    p: int = 1,
    margin: float = 1.0,
    reduction: str = "mean",
) -> Tensor:
    """Of any number of axes; the second derivative, which torch's own does not have."""
    b = batch(input, target, weight)
    assert b.y is not None
    short = torch.relu(margin - b.x.gather(1, b.y[:, None]) + b.x) ** p
    losses = b.shares * ((1 - b.t) * short).sum(1) / b.x.shape[1]
    return b.reduced(losses, reduction, torch.ones_like(losses))


def multilabel_margin_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """As above."""
    axis = min(1, input.dim() - 1)
    x, lists = input.movedim(axis, -1), target.movedim(axis, -1)
    shape, classes = x.shape[:-1], x.shape[-1]
    x, lists = x.reshape(-1, classes), lists.reshape(-1, classes)
    listed = (lists < 0).cumsum(1) == 0
    times = torch.zeros_like(x)  # how often each class is listed
    times.scatter_add_(1, torch.where(listed, lists, 0), listed.to(x.dtype))
    short = torch.relu(1 - x[:, :, None] + x[:, None, :])
    pairs = times[:, :, None] * (times == 0)[:, None, :]
    losses = (pairs * short).sum((1, 2)) / classes
    if reduction == "none":
        return losses.view(shape)
    return losses.mean() if reduction == "mean" else losses.sum()


def categorical_hinge_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    margin: float = 1.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    b = batch(input, target, weight, ignore_index)
    worst = b.x.masked_fill(b.t > 0, -inf).amax(1)  # whose gradient is shared where several tie
    losses = torch.relu(margin + (worst - (b.t * b.x).sum(1)))
    return b.reduced(b.shares * losses, reduction)


def sparsemax_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    b = batch(input, target, weight, ignore_index)
    x = b.x - b.x.amax(1, keepdim=True).detach()
    ordered = x.sort(1, descending=True).values
    sums = ordered.cumsum(1)
    count = (1 + ordered * torch.arange(1, 1 + x.shape[1]) > sums).sum(1, keepdim=True)
    threshold = (sums.gather(1, count - 1) - 1) / count
    squares = torch.where(x > threshold, x**2 - threshold**2, 0)
    losses = (1 + squares.sum(1)) / 2 - (b.t * x).sum(1)
    return b.reduced(b.shares * losses, reduction)
