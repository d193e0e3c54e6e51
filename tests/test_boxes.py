"""What is special about losses between boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl

RECORD = json.loads((Path(__file__).parent / "data" / "boxes_parity.json").read_text())
LOSSES = (fl.generalized_box_iou_loss, fl.distance_box_iou_loss, fl.complete_box_iou_loss)
ANY = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)


def some(n: int, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(1)
    return [np.sort(rng.random((n, 2, 2)), axis=1).reshape(n, 4).astype(dtype) for _ in range(2)]


@pytest.mark.parametrize("case", RECORD["cases"], ids=lambda c: f"{c['loss']}-{c['boxes']}")
def test_as_torchvision(case: dict[str, Any]) -> None:
    boxes = [np.array(case[k]) for k in ("boxes1", "boxes2")]
    got = getattr(fl, case["loss"]).value_grad_hess(*boxes, reduction="none")
    for part, what in zip(got, ("value", "grad", "hess"), strict=True):
        np.testing.assert_allclose(part, case[what], rtol=1e-9, atol=1e-9, err_msg=what)


@ANY
def test_any_axis(loss: Any) -> None:
    first, second = some(300)
    value, grads, hesses = loss.value_grad_hess(first, second, reduction="none")
    turned = loss.value_grad_hess(first.T, second.T, axis=0, reduction="none")
    assert np.array_equal(turned[0], value)
    for got, right in zip((*turned[1], *turned[2]), (*grads, *hesses), strict=True):
        assert np.array_equal(got.T, right)


@ANY
def test_broadcast_boxes_get_the_sum(loss: Any) -> None:
    first, second = some(300)
    spread = np.repeat(second[:1], 300, axis=0)
    _, one = loss.value_and_grad(first, second[0])
    _, each = loss.value_and_grad(first, spread)
    assert np.array_equal(one[0], each[0])
    np.testing.assert_allclose(one[1], each[1].sum(axis=0), rtol=1e-12, atol=1e-15)


@ANY
def test_the_same_boxes(loss: Any) -> None:
    first, _ = some(50)
    value, grads = loss.value_and_grad(first, first, eps=0.0, reduction="none")
    assert not value.any() and not any(g.any() for g in grads)


@ANY
def test_points_without_eps(loss: Any) -> None:
    value, grads, hesses = loss.value_grad_hess([1.0] * 4, [2.0] * 4, eps=0.0)
    assert np.isfinite([value, *np.ravel(grads), *np.ravel(hesses)]).all()
    assert loss([1.0] * 4, [1.0] * 4, eps=0.0) == 1


@ANY
def test_nearly_the_same_boxes(loss: Any) -> None:
    """1 - IoU keeps its digits."""
    step = 2.0**-40
    value = loss([0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0 + step], eps=0.0)
    assert value == pytest.approx(step, rel=1e-9)


@ANY
@pytest.mark.parametrize("size", [1e-18, 1e15, 1e30])
def test_large_and_tiny_float32(loss: Any, size: float) -> None:
    first, second = some(50, np.float32)
    near = loss(first, second, eps=0.0)
    factor = np.float32(2.0 ** round(np.log2(size)))
    assert loss(first * factor, second * factor, eps=0.0) == near


@ANY
def test_nan_touches_its_pair(loss: Any) -> None:
    first, second = some(20)
    for k in range(4):
        first[3 * k, k] = second[3 * k + 1, k] = np.nan
    value, grads, hesses = loss.value_grad_hess(first, second, reduction="none")
    bad = np.isnan(value)
    assert np.flatnonzero(bad).tolist() == [0, 1, 3, 4, 6, 7, 9, 10]
    for part in (*grads, *hesses):
        assert np.isnan(part[bad]).all() and not np.isnan(part[~bad]).any()


@ANY
def test_errors(loss: Any) -> None:
    first, second = some(3)
    for args, options, start in (
        ((first[:, :3], second), {}, "boxes1: length 4"),
        ((first, second[:, :3]), {}, "boxes2: length 4"),
        ((first, second[:2]), {}, "boxes2: shape"),
        ((first[:1], second), {}, "boxes2: shape"),
        ((1.0, second), {}, "boxes1: at least one"),
        ((first, second), {"axis": 2}, "axis: 2"),
        ((first, second), {"eps": -1.0}, "eps: "),
        ((first, second), {"weight": np.ones(2)}, "weight: shape"),
    ):
        with pytest.raises(ValueError, match=f"^{start}"):
            loss(*args, **options)
    with pytest.raises(TypeError, match=r"^axis: "):
        loss(first, second, axis=0.5)
    assert np.isnan(loss(first[:0], second[:0]))


@ANY
def test_no_pair_counts(loss: Any) -> None:
    """The mean over nothing is nan, the derivatives are 0, whatever the boxes hold."""
    first, second = some(3)
    first[1] = np.nan
    value, grads, hesses = loss.value_grad_hess(first, second, where=False)
    assert np.isnan(value)
    assert not any(part.any() for part in (*grads, *hesses))
