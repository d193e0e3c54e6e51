"""Ranking losses beside their formulas in torch, with its automatic derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl

torch = pytest.importorskip("torch")


def pairwise(x: Any, t: Any) -> Any:
    z = x[:, :, None] - x[:, None, :]
    above = t[:, :, None] > t[:, None, :]
    return torch.nn.functional.softplus(-z)[above].sum()


FORMULAS = {
    "mean_pairwise_squared_error": lambda x, t: (2 * (x - t).var(dim=1)).sum(),
    "ranking_softmax_loss": lambda x, t: -(t * torch.log_softmax(x, 1)).sum(),
    "pairwise_logistic_loss": pairwise,
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("shape", [(40, 7), (3, 100)])
def test_torch(name: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=shape), rng.integers(0, 4, shape).astype(np.float64)
    scores = torch.tensor(x, requires_grad=True)
    total = FORMULAS[name](scores, torch.tensor(t))
    total.backward()
    value, grad = getattr(fl, name).value_and_grad(x, t, reduction="sum")
    np.testing.assert_allclose(value, total.item(), rtol=1e-9)
    np.testing.assert_allclose(grad, scores.grad.numpy(), rtol=1e-9, atol=1e-12)
