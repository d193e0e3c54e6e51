"""Vectors: what torch says, kinks, and the functions that carry gradients back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import _dispatch

RECORDED = json.loads((Path(__file__).parent / "data" / "similarity_parity.json").read_text())

#: Of zero vectors 2e-9 off: the 1e-12 that torch adds to squared lengths is a float32.
CLOSE = 3e-9


def ask_us(case: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Value and gradients of a recorded call."""
    function = getattr(fl, case["name"])
    arrays = [np.asarray(a) for a in case["arrays"]]
    if isinstance(function, fl.Activation):
        value = function(*arrays, **case["options"])
        grads: Any = function.vjp(*arrays, case["grad_output"], **case["options"])
    else:
        value, grads = function.value_and_grad(*arrays, **case["options"])
    return value, list(grads) if isinstance(grads, tuple) else [grads]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_as_recorded(case: dict[str, Any]) -> None:
    value, grads = ask_us(case)
    np.testing.assert_allclose(value, case["value"], rtol=CLOSE, atol=CLOSE)
    for got, expected in zip(grads, case["grads"], strict=True):
        np.testing.assert_allclose(got, expected, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearly_parallel_vectors_hold_their_digits(dtype: Any) -> None:
    tiny = dtype(2.0**-20)
    value = fl.cosine_distance(np.array([1, 0], dtype), np.array([1, tiny], dtype))
    assert abs(value / (2.0**-41 * (1 - 0.75 * 2.0**-40)) - 1) <= 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e150, 1e300])
def test_lengths_of_any_size(size: float) -> None:
    a, b = np.array([3.0, 4.0]) * size, np.array([4.0, 3.0]) * size
    assert abs(fl.cosine_similarity(a, b, axis=0, eps=0.0) - 0.96) < 1e-15
    np.testing.assert_allclose(fl.normalize(a, axis=0, eps=0.0), [0.6, 0.8], rtol=1e-15)
    d = fl.pairwise_distance(a, np.zeros(2), eps=0.0)
    np.testing.assert_allclose(d, 5 * size, rtol=1e-15)


def test_infinitely_distant_negatives_cost_nothing() -> None:
    value, grads = fl.triplet_margin_loss.value_and_grad([0.0], [1.0], [np.inf])
    assert value == 0 and all(np.all(g == 0) for g in grads)


def test_equal_vectors_have_no_direction() -> None:
    value, (g1, g2), (h1, h2) = fl.contrastive_loss.value_grad_hess([1.0, 2.0], [1.0, 2.0], 0)
    assert value == 1 and not np.any([g1, g2, h1, h2])
    _, _, (h1, h2) = fl.contrastive_loss.value_grad_hess([1.0, 2.0], [1.0, 2.0], 1)
    assert np.all(h1 == 2) and np.all(h2 == 2)


def test_booleans_are_signs() -> None:
    a, b = np.eye(2), np.ones((2, 2))
    one = fl.cosine_embedding_loss(a, b, [True, False], reduction="none")
    two = fl.cosine_embedding_loss(a, b, [1, -1], reduction="none")
    assert np.array_equal(one, two)


@pytest.mark.parametrize("loss", ["cosine_embedding_loss", "contrastive_loss"])
def test_targets_are_checked(loss: str) -> None:
    with pytest.raises(ValueError, match=r"target: the value at \[1\] is 3"):
        getattr(fl, loss)(np.eye(2), np.eye(2), [1, 3])


def test_the_first_bad_target_is_named() -> None:
    """In C order, whatever the order in memory; not in a row of weight 0."""
    a = np.ones((3, 4, 2))
    t = np.ones((3, 4))
    t[0, 3], t[2, 0] = 7, 5
    for loss in (fl.cosine_embedding_loss, fl.contrastive_loss):
        for order in ("C", "F"):
            x = np.array(a, order=order)
            with pytest.raises(ValueError, match=r"^target: the value at \[0, 3\] is 7.0; accept"):
                loss(x, x, np.array(t, order=order))
            w = np.ones((3, 4), order=order)
            w[0, 3] = 0
            with pytest.raises(ValueError, match=r"^target: the value at \[2, 0\] is 5.0; accept"):
                loss(x, x, t, weight=w)
            w[2, 0] = 0
            assert np.isfinite(loss(x, x, t, weight=w))


@pytest.mark.parametrize("axes", [32, 33, 63, 64])
def test_many_axes(axes: int) -> None:
    if axes > 32 and np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("NumPy 1 has 32 axes")
    a, b = np.full((1,) * axes, 3.0), np.full((1,) * axes, 5.0)
    for axis in (0, axes // 2, -1):
        assert fl.cosine_similarity(a, b, axis=axis).shape == (1,) * (axes - 1)
        assert fl.pairwise_distance(a, b[0], axis=axis, keepdims=True).shape == a.shape
        g1, g2 = fl.pairwise_distance.vjp(a, b[0, 0], 1.0, axis=axis)
        assert g1.shape == a.shape and g2.shape == b[0, 0].shape
        assert fl.normalize(a, axis=axis).item() == 1 and fl.normalize.vjp(a, b).shape == a.shape
        each = fl.contrastive_loss.value_grad_hess(a, b, 1, axis=axis, reduction="none")
        assert each[0].shape == a.shape[1:] and each[0].item() == 4
        assert fl.cosine_embedding_loss(a, b, np.ones(a.shape[1:]), axis=axis) < 1e-12
        assert abs(fl.cosine_distance(a, b, axis=axis)) < 1e-15
        value, _, hess = fl.triplet_margin_loss.value_grad_hess(a, b, b, axis=axis)
        assert value == 1 and hess[2].shape == a.shape
    loss = fl.triplet_margin_with_distance_loss
    for function in (None, fl.pairwise_distance):
        assert loss.value_and_grad(a, b, b[0], distance_function=function, swap=True)[0] > 2


def test_lists_of_scores_and_losses_know_their_length() -> None:
    kernel = _dispatch.kernels.family("vectors")
    for k in (-1, len(kernel.SCORES), len(kernel.LOSSES), 99):
        for score, loss in ((k, 0), (0, k)):
            if k in (score, loss) and not (0 <= score < 7 and 0 <= loss < 6):
                with pytest.raises(ValueError, match="no such score"):
                    kernel.vectors(score, (), loss, (), True, 0, 1.0, 1, (None,) * 12)


def test_the_second_is_not_broadcast_to_more_rows() -> None:
    with pytest.raises(ValueError, match="positive"):
        fl.triplet_margin_loss(np.zeros((3, 2)), np.zeros((3, 1, 2)), np.zeros((3, 2)))


def test_any_axis_and_keepdims() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4, 5))
    for axis in (0, 1, 2, -1):
        moved = np.moveaxis(a, axis, -1).copy(), np.moveaxis(b, axis, -1).copy()
        d = fl.pairwise_distance(a, b, axis=axis, keepdims=True)
        assert np.array_equal(np.squeeze(d, axis), fl.pairwise_distance(*moved))
        dy = rng.normal(size=d.shape)
        got = fl.pairwise_distance.vjp(a, b, dy, keepdims=True, axis=axis)
        expected = fl.pairwise_distance.vjp(*moved, np.squeeze(dy, axis))
        for g, e in zip(got, expected, strict=True):
            assert np.array_equal(np.moveaxis(g, axis, -1), e)


def test_buffers_of_vjp() -> None:
    a, b = np.eye(3), np.ones((3, 3))
    buffer = np.empty((3, 3))
    g1, g2 = fl.cosine_similarity.vjp(a, b, 1.0, grad_out=(None, buffer))
    assert g2 is buffer and np.array_equal(g1, fl.cosine_similarity.vjp(a, b, 1.0)[0])


def test_distance_functions() -> None:
    a, b, c = np.random.default_rng(1).normal(size=(3, 4, 5))
    with pytest.raises(TypeError, match="distance_function: a method vjp"):
        fl.triplet_margin_with_distance_loss.value_and_grad(
            a, b, c, distance_function=lambda x, y: np.abs(x - y).sum(-1)
        )
    with pytest.raises(TypeError, match="distance_function: a function is needed"):
        fl.triplet_margin_with_distance_loss(a, b, c, distance_function=3)
    for swap in (False, True):
        one = fl.triplet_margin_loss.value_and_grad(a, b, c, swap=swap)
        loss = fl.triplet_margin_with_distance_loss
        two = loss.value_and_grad(a, b, c, distance_function=fl.pairwise_distance, swap=swap)
        np.testing.assert_allclose(one[0], two[0], rtol=1e-14)
        for g, h in zip(one[1], two[1], strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-12, atol=1e-15)
        same = loss.value_and_grad(a, b, c, swap=swap)
        assert one[0] == same[0] and all(map(np.array_equal, one[1], same[1]))


def test_empty_vectors() -> None:
    none = np.zeros((3, 0))
    assert np.array_equal(fl.pairwise_distance(none, none), np.zeros(3))
    assert np.isnan(fl.triplet_margin_loss(*np.zeros((3, 0, 2))))
