"""Losses that torch lacks, as textbooks write them, in torch: autograd has their derivatives.

Each gives the loss of every element. At a kink they are written so that autograd takes the
derivative that is documented here.
"""

from __future__ import annotations

from math import log

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


def js_div(input: Tensor, target: Tensor) -> Tensor:
    middle = torch.logaddexp(input, target) - log(2)
    terms = [torch.exp(x) * (x - middle) for x in (input, target)]
    return (terms[0] + terms[1]) / 2
