"""Losses between regions beside the published formulas, of larger images than those recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers import record_regions as theirs

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("loss", "options", "formula"),
    [
        ("dice_loss", {}, theirs.monai_dice),
        ("generalized_dice_loss", {}, theirs.monai_generalized),
        ("tversky_loss", {}, theirs.monai_tversky),
        ("lovasz_softmax_loss", {}, theirs.lovasz_softmax),
    ],
)
@pytest.mark.parametrize("classes", [2, 21, 900])
def test_images(loss: str, options: dict[str, Any], formula: Any, classes: int) -> None:
    rng = np.random.default_rng(classes)
    side = 37 if classes < 100 else 5
    x = rng.normal(size=(2, classes, side, side)) * 3
    target = rng.integers(0, classes, (2, side, side))
    leaf = torch.tensor(x, requires_grad=True)
    expected = formula(leaf, torch.tensor(target))
    (slopes,) = torch.autograd.grad(expected, leaf)
    value, grad = getattr(fl, loss).value_and_grad(x, target, **options)
    np.testing.assert_allclose(value, expected.item(), rtol=1e-11)
    np.testing.assert_allclose(grad, slopes.numpy(), rtol=1e-8, atol=1e-15)
