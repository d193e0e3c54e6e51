"""Losses of lists and of pairs: masks, ties, limits, long lists, other axes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses import ranking as exact
from tests.losses.case import mp

LISTS = (fl.ranking_softmax_loss, fl.pairwise_logistic_loss)
ALL = (*LISTS, fl.mean_pairwise_squared_error)
DATA = Path(__file__).parent / "data" / "ranking_parity.json"
inf, nan = np.inf, np.nan
every = pytest.mark.parametrize("loss", ALL, ids=lambda loss: loss.__name__)
of_lists = pytest.mark.parametrize("loss", LISTS, ids=lambda loss: loss.__name__)


def parts(loss: Any, *args: Any, **options: Any) -> list[Any]:
    return list(loss.value_grad_hess(*args, **({"reduction": "none"} | options)))


def some(n: int, items: int, dtype: Any = np.float64) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(n * items)
    x = rng.normal(scale=2, size=(n, items)).astype(dtype)
    return x, rng.integers(0, 4, (n, items)).astype(dtype), rng.random((n, items)) < 0.7


@of_lists
@pytest.mark.parametrize("items", [2, 7, 33, 100, 600, 1500])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mask_is_a_shorter_list(loss: Any, items: int, dtype: Any) -> None:
    x, t, where = some(9, items, dtype)
    where[0] = True
    where[1] = False
    x[~where] = nan
    t[~where] = inf
    value, grad, hess = parts(loss, x, t, where=where)
    for r in range(9):
        kept = where[r]
        if not kept.any():
            assert value[r] == 0 and not grad[r].any() and not hess[r].any()
            continue
        v, g, h = parts(loss, x[r, kept], t[r, kept])
        tol = 3e-6 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(value[r], v, rtol=tol)
        np.testing.assert_allclose(grad[r, kept], g, rtol=tol, atol=tol * np.abs(g).max())
        np.testing.assert_allclose(hess[r, kept], h, rtol=tol, atol=tol * np.abs(h).max())
        assert not grad[r, ~kept].any() and not hess[r, ~kept].any()


@of_lists
def test_masks_of_any_numbers(loss: Any) -> None:
    x, t, where = some(5, 9, np.float32)
    expected = parts(loss, x, t, where=where)
    for mask in (where.astype(np.int8), where * 0.5, where * 1e-300, where.astype(np.float16)):
        for got, right in zip(parts(loss, x, t, where=mask), expected, strict=True):
            np.testing.assert_array_equal(got, right)
            assert got.dtype == np.float32


@of_lists
def test_nan_spoils_its_list_alone(loss: Any) -> None:
    x, t, where = some(4, 9)
    where[:] = True
    where[:, 2] = False
    x[1, 4] = nan
    t[3, 4] = nan
    value, grad, hess = parts(loss, x, t, where=where)
    np.testing.assert_array_equal(np.isnan(value), [False, True, False, True])
    for part in (grad, hess):
        assert not part[:, 2].any()
        assert np.isfinite(part[[0, 2]]).all()
    assert np.isnan(np.delete(grad[1], 2)).all()


@of_lists
def test_axes(loss: Any) -> None:
    x, t, where = some(6, 35)
    x, t, where = (a.reshape(6, 7, 5) for a in (x, t, where))
    for axis in (0, 1, 2):
        got = parts(loss, x, t, where=where, axis=axis)
        last = [np.ascontiguousarray(np.moveaxis(a, axis, -1)) for a in (x, t, where)]
        right = parts(loss, *last[:2], where=last[2])
        np.testing.assert_allclose(got[0], right[0], rtol=1e-14)
        for a, b in zip(got[1:], right[1:], strict=True):
            np.testing.assert_allclose(np.moveaxis(a, axis, -1), b, rtol=1e-13, atol=1e-14)


def test_mean_counts_lists_with_valid_items() -> None:
    x, t, _ = some(3, 4)
    where = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0]])
    each = fl.ranking_softmax_loss(x, t, where=where, reduction="none")
    assert fl.ranking_softmax_loss(x, t, where=where) == pytest.approx(each.sum() / 2)
    grad = fl.ranking_softmax_loss.value_and_grad(x, t, where=where)[1]
    whole = fl.ranking_softmax_loss.value_and_grad(x, t, where=where, reduction="sum")[1]
    np.testing.assert_allclose(grad, whole / 2, rtol=1e-15)
    assert np.isnan(fl.ranking_softmax_loss(x, t, where=False))
    assert fl.ranking_softmax_loss(x, t, where=False, reduction="weighted_mean") == 0
    pairs = fl.pairwise_logistic_loss(x, t, where=where, reduction="none")
    assert fl.pairwise_logistic_loss(x, t, where=where) == pytest.approx(pairs.sum() / 2)


def test_single_valid_item_and_infinite_scores() -> None:
    loss = fl.ranking_softmax_loss
    value, grad, hess = loss.value_grad_hess([-inf, 3.0], [1.0, 1.0], where=[1, 0])
    assert value == 0 and not grad.any() and not hess.any()
    assert np.isnan(loss([-inf, -inf, 0.0], [1, 0, 0], where=[1, 1, 0]))
    value, grad = fl.pairwise_logistic_loss.value_and_grad([inf, 0.0, -inf], [0, 1, 2])
    assert value == inf
    np.testing.assert_array_equal(grad, [2, 0, -2])
    assert fl.pairwise_logistic_loss([inf, 0.0, -inf], [2, 1, 0]) == 0
    assert np.isnan(fl.pairwise_logistic_loss([inf, inf], [1, 0]))
    assert fl.pairwise_logistic_loss([inf, inf], [1, 1]) == 0


@pytest.mark.parametrize("items", [1, 2, 5, 511, 512, 513, 1024, 1025, 1300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pairs_of_lists_of_any_length(items: int, dtype: Any) -> None:
    x, t, _ = some(2, items, dtype)
    z = x[:, :, None].astype(np.float64) - x[:, None, :]
    above = t[:, :, None] > t[:, None, :]
    sigma = above / (1 + np.exp(z))
    curvature = sigma * (1 - sigma) * above
    value, grad, hess = parts(fl.pairwise_logistic_loss, x, t)
    tol = 1e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(value, (above * np.logaddexp(0, -z)).sum((1, 2)), rtol=tol)
    right = sigma.sum(1) - sigma.sum(2)
    np.testing.assert_allclose(grad, right, rtol=tol, atol=tol * sigma.sum())
    np.testing.assert_allclose(hess, curvature.sum(1) + curvature.sum(2), rtol=tol)
    np.testing.assert_allclose(fl.pairwise_logistic_loss(x, t, reduction="none"), value, rtol=tol)


@pytest.mark.parametrize("shape", [(4, 3, 181), (2, 1500), (700,)])
def test_samples_of_many_elements(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    x, t = 1e8 + rng.normal(size=shape), rng.normal(size=shape)
    numbers = {k: np.frompyfunc(mp.mpf, 1, 1)(a) for k, a in (("input", x), ("target", t))}
    got = parts(fl.mean_pairwise_squared_error, x, t)
    values, grads, hesses = exact.mean_pairwise(numbers)
    for a, b in zip(got, (values, grads["input"], hesses["input"]), strict=True):
        np.testing.assert_allclose(np.ravel(a), [float(v) for v, _ in b], rtol=1e-14)


def test_infinite_differences() -> None:
    loss = fl.mean_pairwise_squared_error
    value, grad = loss.value_and_grad([[inf, 0.0, 1.0], [inf, -inf, 0.0]], 0.0, reduction="none")
    np.testing.assert_array_equal(value, [inf, inf])
    np.testing.assert_array_equal(grad, [[inf, -inf, -inf], [inf, -inf, nan]])
    assert np.isnan(loss([inf, inf], 0.0))
    assert loss([5.0], 1.0) == 0
    value, grad = loss.value_and_grad([1e308] * 4, 0.0)
    assert value == 0 and not grad.any()


@every
def test_empty_lists(loss: Any) -> None:
    np.testing.assert_array_equal(loss(np.zeros((3, 0)), 0.0, reduction="none"), [0, 0, 0])
    assert np.isnan(loss(np.zeros((0, 3)), 0.0))
    with pytest.raises(ValueError, match=r"^input: at least one dimension"):
        loss(1.0, 1.0)


def recorded() -> list[dict[str, Any]]:
    return json.loads(DATA.read_text()) if DATA.exists() else []


@pytest.mark.parametrize("case", recorded(), ids=lambda c: c["name"])
def test_recorded(case: dict[str, Any]) -> None:
    """Numbers of optax, and of the formulas of tf.losses and Rax."""
    arrays = {k: np.array(v) for k, v in case["arrays"].items()}
    loss = getattr(fl, case["loss"])
    value, grad = loss.value_and_grad(**arrays, reduction=case["reduction"])
    np.testing.assert_allclose(value, case["value"], rtol=1e-9)
    np.testing.assert_allclose(grad, case["grad"], rtol=1e-9, atol=1e-12)


# ---- pairs of what a mask leaves -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("items", [1, 2, 7, 40, 600, 1300])
def test_pairs_of_what_is_left(items: int, dtype: Any) -> None:
    """As of the samples without the other elements, whatever these hold."""
    rng = np.random.default_rng(items)
    x, t = (rng.normal(size=(8, items)) + 1e5).astype(dtype), rng.normal(size=(8, items))
    x[2] *= 1e32 if dtype is np.float32 else 1e300
    x[3, 0], x[4, 0] = inf, nan
    where = rng.random((8, items)) < 0.6
    where[3:5, 0], where[5], where[6] = True, False, True
    spoiled, t = np.where(where, x, dtype(nan)), np.where(where, t, inf).astype(dtype)
    loss = fl.mean_pairwise_squared_error
    value, grad, hess = loss.value_grad_hess(spoiled, t, where=where, reduction="none")
    for r in range(8):
        kept = where[r]
        assert not grad[r, ~kept].any() and not hess[r, ~kept].any()
        if not kept.any():
            assert value[r] == 0
            continue
        one = x[r : r + 1, kept], t[r : r + 1, kept]
        right = loss.value_grad_hess(*one, reduction="none")
        eps = 1e-6 if dtype is np.float32 else 1e-11
        np.testing.assert_allclose(value[r], right[0][0], rtol=eps)
        np.testing.assert_allclose(grad[r, kept], right[1][0], rtol=eps, atol=eps)
        np.testing.assert_allclose(hess[r, kept], right[2][0], rtol=eps)
    counted = where.any(axis=1).sum()
    finite = np.isfinite(value)
    mean, divisor = loss(spoiled[finite], t[finite], where=where[finite], return_divisor=True)
    assert divisor == counted - (~finite).sum()
    np.testing.assert_allclose(mean * divisor, value[finite].sum(dtype=np.float64), rtol=1e-6)
