"""CTC beside torch, on other numbers than those that are recorded."""

from __future__ import annotations

import numpy as np
import pytest

import fusedloss as fl

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("zero_infinity", [False, True])
@pytest.mark.parametrize("concatenated", [False, True])
@pytest.mark.parametrize("blank", [0, 2, 6])
def test_ctc_loss(reduction: str, zero_infinity: bool, concatenated: bool, blank: int) -> None:
    rng = np.random.default_rng(blank)
    x = rng.normal(0, 2, (30, 12, 7))
    labels = rng.integers(0, 6, (12, 9))
    labels += labels >= blank
    spans, lengths = rng.integers(8, 31, 12), rng.integers(0, 10, 12)
    if concatenated:
        labels = np.concatenate([own[:n] for own, n in zip(labels, lengths, strict=True)])
    options = {"blank": blank, "reduction": reduction, "zero_infinity": zero_infinity}
    logits = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.functional.ctc_loss(
        logits.log_softmax(-1), *map(torch.tensor, (labels, spans, lengths)), **options
    )
    theirs.sum().backward()
    value, grad = fl.ctc_loss_with_logits.value_and_grad(x, labels, spans, lengths, **options)
    np.testing.assert_allclose(value, theirs.detach().numpy(), rtol=1e-9)
    slope = logits.grad.numpy()
    possible = ~np.isnan(slope)  # torch's gradient of what is impossible is nan
    np.testing.assert_allclose(grad[possible], slope[possible], rtol=1e-9, atol=1e-12)
    assert not grad[~possible].any()


@pytest.mark.parametrize("shape", [(), (1,), (5,), (4, 1), (1, 5), (4, 5)])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_multilabel_soft_margin_loss(shape: tuple[int, ...], reduction: str) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 5)), np.asarray(rng.uniform(0, 2, shape))
    t = rng.integers(0, 2, x.shape).astype(float)
    leaf = torch.tensor(x, requires_grad=True)
    theirs = torch.nn.functional.multilabel_soft_margin_loss(
        leaf, torch.tensor(t), weight=torch.tensor(w), reduction=reduction
    )
    theirs.sum().backward()
    value, grad = fl.multilabel_soft_margin_loss.value_and_grad(x, t, w, reduction=reduction)
    np.testing.assert_allclose(value, theirs.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(grad, leaf.grad.numpy(), rtol=1e-12)
