"""Shapes and options of torch's own functions that are special cases here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.samples import FLOATS, LAYOUTS, same

MARGINS = (fl.multi_margin_loss, fl.multilabel_margin_loss)


# ---- one number without dimensions ---------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, -1])
def test_activations_of_one_number(axis: int) -> None:
    """What torch gives for tensors without dimensions."""
    for function, value, slope in (
        (fl.softmax, 1.0, 0.0),
        (fl.log_softmax, 0.0, 0.0),
        (fl.logsumexp, 2.5, 1.0),
    ):
        assert function(2.5, axis=axis) == value
        assert np.shape(function(2.5, axis=axis)) == ()
        grad = function.vjp(2.5, 1.0, axis=axis)
        assert grad == slope and grad.shape == ()
        with pytest.raises(ValueError, match=r"^axis: 1 is out of range"):
            function(2.5, axis=1)


@pytest.mark.parametrize("loss", MARGINS, ids=lambda loss: loss.__name__)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_margins_of_one_number(loss: Any, dtype: Any) -> None:
    x = np.array(2.5, dtype)
    for target in (0, [0], np.zeros((), np.uint8)):
        for reduction in ("mean", "sum", "none"):
            value, grad, hess = loss.value_grad_hess(x, target, reduction=reduction)
            assert value == 0 and np.shape(value) == ()
            assert grad.shape == hess.shape == () and grad.dtype == hess.dtype == dtype
            assert not grad.any() and not hess.any()
    with pytest.raises(IndexError, match=r"^target: the class at \[0?\] is 1"):
        loss(x, 1)


@pytest.mark.parametrize("loss", MARGINS, ids=lambda loss: loss.__name__)
def test_buffers_of_one_number(loss: Any) -> None:
    out, grad, hess = np.full((), 7.0), np.full((), 7.0), np.full((), 7.0, np.float32)
    got = loss.value_grad_hess(2.5, 0, out=out, grad_out=grad, hess_out=hess, reduction="none")
    assert got[0] is out and got[1] is grad and got[2] is hess
    assert out == grad == hess == 0
    x = np.array(2.5)
    assert loss.value_and_grad(x, 0, grad_out=x)[1] is x and x == 0
    with pytest.raises(ValueError, match=r"^grad_out: shape \(\) is needed, got \(1,\)"):
        loss.value_and_grad(2.5, 0, grad_out=np.zeros(1))
    assert np.isnan(loss(np.nan, 0))
    assert loss(np.nan, 0, sample_weight=0, reduction="sum") == 0


def test_one_number_and_class_weights() -> None:
    assert fl.multi_margin_loss(2.5, 0, [3.0]) == 0
    assert fl.multilabel_margin_loss([2.5], -1) == 0  # torch takes a target without dimensions
    with pytest.raises(ValueError, match=r"^input: at least one dimension"):
        fl.cross_entropy(2.5, 0)  # as in torch


# ---- weights of multilabel_soft_margin_loss ------------------------------------------------------

SHAPES = [(), (1,), (1, 5), (7, 1), (7, 5), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("classes", [5, 700])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_elements(shape: Any, classes: int, dtype: Any) -> None:
    """Torch multiplies the terms by whatever broadcasts to them."""
    rng = np.random.default_rng(0)
    shape = tuple(classes if n == 5 else n for n in shape)
    x = rng.normal(size=(7, classes)).astype(dtype)
    t = (rng.random(x.shape) < 0.3).astype(dtype)
    w = np.asarray(rng.uniform(0, 2, shape).astype(dtype))
    w[rng.random(shape) < 0.2] = 0
    terms = fl.binary_cross_entropy_with_logits(x, t, weight=w, reduction="none")
    rtol = 1e-5 if dtype is np.float32 else 1e-12
    loss = fl.multilabel_soft_margin_loss
    value, grad, hess = loss.value_grad_hess(x, t, w, reduction="none")
    np.testing.assert_allclose(value, terms.mean(axis=1), rtol=rtol)
    _, slope, curvature = fl.binary_cross_entropy_with_logits.value_grad_hess(
        x, t, weight=w, reduction="sum"
    )
    np.testing.assert_allclose(grad, slope / classes, rtol=rtol)
    np.testing.assert_allclose(hess, curvature / classes, rtol=rtol)
    np.testing.assert_allclose(loss(x, t, w), terms.mean(), rtol=rtol)
    for change in LAYOUTS.values():
        again = loss.value_grad_hess(change(x), change(t), change(w), reduction="none")
        for a, b in zip(again, (value, grad, hess), strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol)
    # With the classes on the other axis, and rows of their own weights, the same.
    turned = loss.value_and_grad(x.T, t.T, np.broadcast_to(w, x.shape).T, axis=0, reduction="none")
    np.testing.assert_allclose(turned[0], value, rtol=rtol)
    np.testing.assert_allclose(turned[1], grad.T, rtol=rtol)
    rows = rng.uniform(0.5, 2, 7).astype(dtype)
    both = loss(x, t, w, sample_weight=rows, reduction="none")
    np.testing.assert_allclose(both, rows * value, rtol=rtol)


def test_weights_of_elements_in_reductions() -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(4, 3)), rng.integers(0, 2, (4, 3))
    loss = fl.multilabel_soft_margin_loss
    c = np.array([0.5, 0.0, 2.0])
    rows, where = np.array([1.0, 0.0, 2.0, 3.0]), x > -0.5
    for more in (
        {},
        {"sample_weight": rows},
        {"where": where},
        {"sample_weight": 2, "where": True},
    ):
        for reduction in ("mean", "sum", "batchmean", "weighted_mean", "sum_by_nonzero_weights"):
            expected = loss.value_and_grad(x, t, c, reduction=reduction, **more)
            got = loss.value_and_grad(
                x, t, np.broadcast_to(c, x.shape), reduction=reduction, **more
            )
            np.testing.assert_allclose(got[0], expected[0], rtol=1e-14)
            np.testing.assert_allclose(got[1], expected[1], rtol=1e-14)
    w = rng.uniform(size=(4, 3))
    results = [
        loss.value_and_grad(x, t, w * size, reduction="weighted_mean") for size in (1, 2.0**-1030)
    ]
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-12)
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=1e-12)


def test_elements_of_the_weight_0_count_for_nothing() -> None:
    x, t = np.array([[1.0, np.nan], [2.0, 3.0]]), np.array([[1.0, 0.0], [5.0, 1.0]])
    w = np.array([[1.0, 0.0], [0.0, 1.0]])
    loss = fl.multilabel_soft_margin_loss
    value, grad = loss.value_and_grad(x, t, w)
    assert np.isfinite(value) and grad[0, 1] == grad[1, 0] == 0
    with pytest.raises(ValueError, match=r"^target: the value at \[1, 0\] is 5"):
        loss(x, t, 1 - w + 1)
    for bad in ((2, 2, 2), (2, 3), (3,)):
        with pytest.raises(ValueError, match=r"^weight: "):
            loss(x, t, np.ones(bad))
    out = x.copy()
    assert same(loss.value_and_grad(out, t, w, grad_out=out)[1], grad)


# ---- margins -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss", [fl.triplet_margin_loss, fl.triplet_margin_with_distance_loss], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("margin", [0, 0.0, -1.0, np.nan, np.inf, -np.inf])
def test_margins_of_triplets_are_positive(loss: Any, margin: float) -> None:
    with pytest.raises(ValueError, match=r"^margin: a positive finite number is needed"):
        loss([[1.0]], [[2.0]], [[3.0]], margin=margin)
