"""Losses of grades, and of steps until an event: other packages' numbers, tails, masks, shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses import ordinal as exact
from tests.losses.case import mp
from tests.samples import LAYOUTS, same
from tests.test_accuracy import check

DATA = Path(__file__).parent / "data" / "ordinal_parity.json"
RECORD = json.loads(DATA.read_text())
OF_THRESHOLDS = (fl.ordinal_loss, fl.all_threshold_loss, fl.immediate_threshold_loss)
OF_BITS = (fl.coral_loss, fl.corn_loss, fl.discrete_survival_loss)
LINKS = ("logit", "probit", "cloglog")
thresholds_losses = pytest.mark.parametrize("loss", OF_THRESHOLDS, ids=lambda loss: loss.__name__)
bits_losses = pytest.mark.parametrize("loss", OF_BITS, ids=lambda loss: loss.__name__)
inf, nan = np.inf, np.nan


# ---- other packages ------------------------------------------------------------------------------


def compare(case: dict[str, Any]) -> None:
    """Value and derivatives in float64, to 1e-10."""
    arrays = {name: np.array(a) for name, a in case["arrays"].items()}
    loss = getattr(fl, case["loss"])
    value, grad = loss.value_and_grad(**arrays, **case["options"])
    np.testing.assert_allclose(value, case["value"], rtol=1e-12)
    if "grad" in case:
        np.testing.assert_allclose(grad, case["grad"], rtol=1e-10, atol=1e-15)
    if "by_coef" in case:
        by_coef = np.array(case["columns"]).T @ grad[0]
        np.testing.assert_allclose(by_coef, case["by_coef"], rtol=1e-10, atol=1e-12)
    if "by_thresholds" in case:
        np.testing.assert_allclose(grad[1], case["by_thresholds"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", RECORD, ids=[case["name"] for case in RECORD])
def test_as_other_packages(case: dict[str, Any]) -> None:
    compare(case)


def test_what_is_one_loss_by_two_ways() -> None:
    """All thresholds are CORAL of the differences; the logit link is the thresholds around a grade
    and their distance; CORN of hazards is survival."""
    rng = np.random.default_rng(0)
    x, p, y = rng.normal(0, 3, 200), np.array([-2.0, -0.5, 0.25, 3.0]), rng.integers(0, 5, 200)
    value, (dx, dp) = fl.all_threshold_loss.value_and_grad(x, p, y)
    bits, dz = fl.coral_loss.value_and_grad(x[:, None] - p, y)
    np.testing.assert_allclose(value, bits, rtol=1e-14)
    np.testing.assert_allclose(dx, dz.sum(axis=1), rtol=1e-12, atol=1e-17)
    np.testing.assert_allclose(dp, -dz.sum(axis=0), rtol=1e-12)
    apart = np.concatenate([[0.0], -np.log(-np.expm1(-np.diff(p))), [0.0]])
    np.testing.assert_allclose(
        fl.ordinal_loss(x, p, y, reduction="none"),
        fl.immediate_threshold_loss(x, p, y, reduction="none") + apart[y],
        rtol=1e-14,
    )
    z, event = rng.normal(size=(200, 4)), y < 4
    survival = fl.discrete_survival_loss(z, np.minimum(y, 3), event, reduction="none")
    np.testing.assert_allclose(survival, fl.corn_loss(-z, y, reduction="none"), rtol=1e-14)


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", LINKS)
def test_probabilities_add_up_to_1(link: Any) -> None:
    """And the gradients of them all to 0."""
    x, p = np.linspace(-6, 5, 45), np.array([-3.0, -0.5, 0.0, 2.5])
    total, slope = 0.0, 0.0
    for y in range(5):
        value, (dx, _) = fl.ordinal_loss.value_and_grad(
            x, p, np.full(45, y), link=link, reduction="none"
        )
        total = total + np.exp(-value)
        slope = slope + dx * np.exp(-value)
    np.testing.assert_allclose(total, 1, rtol=1e-14)
    np.testing.assert_allclose(slope, 0, atol=1e-14)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [30.0, 1e4])
def test_tails(link: Any, dtype: Any, far: float) -> None:
    """Each grade from both sides: finite where the number is, and exact."""
    p = np.array([-1.0, -0.25, 1.5], dtype)
    x = np.repeat(np.array([far, -far], dtype), 4)
    y = np.tile(np.arange(4), 2)
    value, (dx, _) = fl.ordinal_loss.value_and_grad(x, p, y, link=link, reduction="none")
    numbers = {"input": x, "thresholds": p}
    numbers = {k: np.array([mp.mpf(z) for z in a], object) for k, a in numbers.items()}
    values, grads, _ = exact.cumulative(numbers | {"target": y}, link)
    for got, pairs in ((value, values), (dx, grads["input"])):
        assert not np.isnan(got).any()
        check(got, pairs, dtype, f"{link}, {far}")


@pytest.mark.parametrize("link", LINKS)
def test_narrow_grades(link: Any) -> None:
    """Down to one unit in the last place, and to nothing."""
    p = np.array([-1.0, 0.5, np.nextafter(0.5, 1), 2.0, 2.0])
    x, y = np.full(6, 0.75), np.arange(6)
    value, (dx, dp), (hx, hp) = fl.ordinal_loss.value_grad_hess(
        x, p, y, link=link, reduction="none"
    )
    density = {"logit": 0.2460, "probit": 0.3867, "cloglog": 0.3572}[link]
    assert value[2] == pytest.approx(-np.log(density * 2.0**-53), rel=1e-4)
    assert np.isfinite(dx[[0, 1, 2, 3, 5]]).all() and np.isfinite(hx[[0, 1, 2, 3, 5]]).all()
    assert value[4] == inf and np.isfinite(np.delete(value, 4)).all()
    assert dp[3] == inf and dp[4] == -inf and hp[3] == hp[4] == inf and np.isfinite(dp[:3]).all()


@pytest.mark.parametrize("link", LINKS)
def test_infinite_scores_and_thresholds(link: Any) -> None:
    for x, y, true in ((inf, 2, 0.0), (inf, 0, inf), (-inf, 0, 0.0), (-inf, 2, inf)):
        value = fl.ordinal_loss(x, [-1.0, 1.0], y, link=link)
        assert value == true, (x, y)
    value, (dx, dp) = fl.ordinal_loss.value_and_grad(0.25, [-inf, 1.0, inf], 2, link=link)
    plain, (slope, by) = fl.ordinal_loss.value_and_grad(0.25, [1.0], 1, link=link)
    assert value == plain and dx == slope
    assert dp.tolist() == [0, by[0], 0]


@thresholds_losses
def test_nan(loss: Any) -> None:
    p, y = np.array([-1.0, 0.0, 1.0]), np.array([0, 1, 2, 3])
    value, (dx, dp) = loss.value_and_grad([0.5, nan, 0.5, 0.5], p, y, reduction="none")
    assert np.isnan(value).tolist() == [False, True, False, False]
    assert np.isnan(dx).tolist() == [False, True, False, False]
    assert np.isnan(dp[0]) and np.isnan(dp[1])
    value = loss(np.zeros(4), [-1.0, nan, 1.0], y, reduction="none")
    assert np.isnan(value[1]) and np.isnan(value[2])
    _value, (dx, dp) = loss.value_and_grad([0.5, nan, 0.5, 0.5], p, y, weight=[1, 0, 1, 1])
    kept = loss.value_and_grad([0.5, 0.5, 0.5], p, y[[0, 2, 3]], reduction="sum")
    np.testing.assert_allclose(dp, kept[1][1] / 4, rtol=1e-14)
    assert dx[1] == 0 and np.isfinite(dx).all()
    for spoiled in (0, 3):
        x = np.zeros(4)
        x[spoiled] = nan
        assert np.isnan(loss(x, p, y, reduction="none")).tolist() == [
            k == spoiled for k in range(4)
        ]


@thresholds_losses
def test_one_grade(loss: Any) -> None:
    """Of which all targets are: no thresholds, no loss."""
    value, (dx, dp), (hx, hp) = loss.value_grad_hess([0.5, inf, -3.0], [], [0, 0, 0])
    assert value == 0 and not dx.any() and not hx.any() and dp.shape == hp.shape == (0,)


@thresholds_losses
def test_many_grades(loss: Any) -> None:
    """More than have sums side by side."""
    rng = np.random.default_rng(3)
    p, x = np.sort(rng.normal(0, 3, 999)), rng.normal(0, 3, 3000)
    y = np.searchsorted(p, x + rng.logistic(size=3000))
    value, (dx, dp), (hx, hp) = loss.value_grad_hess(x, p, y, reduction="sum")
    parts = [
        loss.value_grad_hess(x[k : k + 1], p, y[k : k + 1], reduction="sum") for k in range(300)
    ]
    rest = loss.value_grad_hess(x[300:], p, y[300:], reduction="sum")
    np.testing.assert_allclose(value, sum(q[0] for q in parts) + rest[0], rtol=1e-12)
    for got, k in ((dp, 1), (hp, 2)):
        expected = sum(q[k][1] for q in parts) + rest[k][1]
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(dx[:300], [q[1][0][0] for q in parts], rtol=1e-13)
    np.testing.assert_allclose(hx[:300], [q[2][0][0] for q in parts], rtol=1e-13)


@thresholds_losses
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_add_up_the_same(loss: Any, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    x, p = rng.normal(0, 2, 200_001).astype(dtype), np.array([-2, -1, 0.5, 2], dtype)
    y, w = rng.integers(0, 5, x.size), rng.uniform(0, 2, x.size).astype(dtype)
    fl.set_num_threads(1)
    one = loss.value_grad_hess(x, p, y, weight=w)
    for n in (2, 3, 8):
        fl.set_num_threads(n)
        got = loss.value_grad_hess(x, p, y, weight=w)
        assert same(got[0], one[0])
        for a, b in zip(got[1] + got[2], one[1] + one[2], strict=True):
            assert same(a, b)


# ---- what counts ---------------------------------------------------------------------------------


@thresholds_losses
@pytest.mark.parametrize("reduction", ["mean", "sum", "weighted_mean", "sum_by_nonzero_weights"])
def test_left_out(loss: Any, reduction: Any) -> None:
    """By a mask, as an ignored grade, or, in the sums, by the weight 0."""
    rng = np.random.default_rng(2)
    x, p, y = rng.normal(0, 2, (6, 50)), np.array([-1.0, 0.5, 1.0]), rng.integers(0, 4, (6, 50))
    w, where = rng.uniform(0.5, 2, (6, 50)), rng.random((6, 50)) < 0.6
    value, (dx, dp), (hx, hp) = loss.value_grad_hess(
        x[where], p, y[where], weight=w[where], reduction=reduction
    )
    spoiled, labels = np.where(where, x, nan), np.where(where, y, -100)
    calls = [
        loss.value_grad_hess(spoiled, p, y, weight=w, where=where, reduction=reduction),
        loss.value_grad_hess(spoiled, p, labels, weight=w, where=where, reduction=reduction),
        loss.value_grad_hess(spoiled, p, labels, weight=w, reduction=reduction),
        loss.value_grad_hess(
            spoiled, p, np.where(where, y, 77), weight=w, reduction=reduction, ignore_index=77
        ),
    ]
    if reduction != "mean":
        zero = np.where(where, w, 0)
        calls.append(loss.value_grad_hess(spoiled, p, labels, weight=zero, reduction=reduction))
        calls.append(
            loss.value_grad_hess(
                spoiled, p, np.where(where, y, 9), weight=zero, reduction=reduction
            )
        )
    for got, (ex, ep), (bx, bp) in calls:
        np.testing.assert_allclose(got, value, rtol=1e-13)
        np.testing.assert_allclose(ex[where], dx, rtol=1e-12)
        np.testing.assert_allclose(bx[where], hx, rtol=1e-12)
        assert not ex[~where].any() and not bx[~where].any()
        np.testing.assert_allclose(ep, dp, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(bp, hp, rtol=1e-11)


@thresholds_losses
@pytest.mark.parametrize("options", [{"ignore_index": 1}, {"where": False}])
def test_where_no_score_counts(loss: Any, options: dict[str, Any]) -> None:
    """The mean of nothing is nan; its derivatives are 0, as those of other losses."""
    value, grads, hesses = loss.value_grad_hess([0.5, np.nan], [0.0, 1.0], [1, 1], **options)
    assert np.isnan(value)
    assert not any(np.any(part) for part in (*grads, *hesses))


@thresholds_losses
def test_any_shape_and_layout(loss: Any) -> None:
    rng = np.random.default_rng(4)
    x, p = rng.normal(0, 2, (5, 7, 3)), np.array([-1.0, 0.5, 1.0])
    y = rng.integers(0, 4, (5, 7, 3))
    value, (dx, dp) = loss.value_and_grad(x, p, y)
    flat, (slopes, by) = loss.value_and_grad(x.ravel(), p, y.ravel())
    np.testing.assert_allclose(value, flat, rtol=1e-14)
    np.testing.assert_allclose(dx.ravel(), slopes, rtol=1e-14)
    np.testing.assert_allclose(dp, by, rtol=1e-12)
    for name, change in LAYOUTS.items():
        got, (ex, ep) = loss.value_and_grad(change(x), change(p), change(y))
        np.testing.assert_allclose(got, value, rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(np.asarray(ex, np.float64), dx, rtol=1e-12)
        np.testing.assert_allclose(np.asarray(ep, np.float64), dp, rtol=1e-12)
    one = loss.value_and_grad(x, p, np.array([[0], [1], [2], [3], [0], [1], [2]]))  # broadcast
    all_of_them = np.broadcast_to(np.arange(7)[:, None] % 4, x.shape)
    assert same(one[0], loss(x, p, all_of_them))
    scalar, (dx0, _) = loss.value_and_grad(0.5, p, 2)
    assert scalar == loss([0.5], p, [2]) and dx0.shape == ()


@thresholds_losses
def test_errors(loss: Any) -> None:
    for bad in (0.5, np.zeros((2, 1)), [[0.0, 1.0]]):
        with pytest.raises(ValueError, match=r"^thresholds: one number between each two grades"):
            loss([0.5], bad, [0])
    with pytest.raises(TypeError, match=r"^target: grades from 0 to 2 of an integer dtype"):
        loss([0.5], [0.0, 1.0], [0.0])
    with pytest.raises(
        IndexError, match=r"^target: the grade at \[1, 0\] is 3; accepted are 0 to 2"
    ):
        loss([[0.5], [0.5]], [0.0, 1.0], [[2], [3]])
    with pytest.raises(ValueError, match=r"^target: shape \(2,\) cannot be broadcast"):
        loss([0.5], [0.0, 1.0], [0, 1])
    with pytest.raises(TypeError, match=r"^ignore_index: an integer"):
        loss([0.5], [0.0, 1.0], [0], ignore_index=0.5)
    with pytest.raises(NotImplementedError, match="hess_scale"):
        loss.value_grad_hess([0.5], [0.0], [0], hess_floor=1.0)


def test_thresholds_must_not_decrease() -> None:
    message = r"^thresholds: the number at \[2\] is -0.5, below that at \[1\], 1.0; they must not"
    for link in LINKS:
        buffer = np.full(1, 7.0)
        with pytest.raises(ValueError, match=message):
            fl.ordinal_loss.value_and_grad(
                [0.5], [0.0, 1.0, -0.5], [0], link=link, grad_out=(buffer, None)
            )
        assert buffer[0] == 7
    for loss in (fl.all_threshold_loss, fl.immediate_threshold_loss):
        assert np.isfinite(loss([0.5], [0.0, 1.0, -0.5], [0]))


@pytest.mark.parametrize("link", ["logistic", "", None, 1, "loglog", ["logit"]])
def test_link_must_be_known(link: Any) -> None:
    with pytest.raises(ValueError, match=r"^link: must be one of logit, probit, cloglog"):
        fl.ordinal_loss([0.5], [0.0], [0], link=link)
    with pytest.raises(ValueError, match=r"^link: must be one of"):
        fl.OrdinalLoss(link=link)


# ---- bits ----------------------------------------------------------------------------------------


def bits(loss: Any, n: int, k: int, dtype: Any = np.float64, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 3, (n, k)).astype(dtype)
    if loss is fl.discrete_survival_loss:
        return {"input": x, "time": rng.integers(0, k, n), "event": rng.random(n) < 0.5}
    return {"input": x, "target": rng.integers(0, k + 1, n)}


def taken(loss: Any, arrays: dict[str, Any]) -> tuple[Any, Any]:
    """Which bits are 1, and which take part."""
    columns = np.arange(arrays["input"].shape[1])
    if loss is fl.discrete_survival_loss:
        k, event = arrays["time"][:, None], np.asarray(arrays["event"])[:, None] != 0
        return (columns == k) & event, columns <= k
    y = arrays["target"][:, None]
    return columns < y, (columns <= y) | (loss is fl.coral_loss)


@bits_losses
@pytest.mark.parametrize("k", [1, 2, 4, 9, 33, 511, 512, 513, 1300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_bits(loss: Any, k: int, dtype: Any) -> None:
    """Against the loss of the bits themselves, with weights, and a mask."""
    arrays = bits(loss, 40, k, dtype)
    rng = np.random.default_rng(k)
    x = arrays["input"]
    ones, there = taken(loss, arrays)
    w, s = rng.uniform(0.5, 2, k).astype(dtype), rng.uniform(0.5, 2, 40).astype(dtype)
    w[0], s[3] = (0 if k > 1 else 1), 0
    where = rng.random(x.shape) < 0.8
    where[5] = False
    each = fl.binary_cross_entropy_with_logits.value_grad_hess
    for weight, sample_weight, mask in (
        (None, None, None),
        (w, None, None),
        (None, s, None),
        (w, s, where),
        (None, None, where),
    ):
        left = there if mask is None else there & mask
        factor = np.ones_like(x) if weight is None else np.broadcast_to(weight, x.shape)
        factor = factor * (1 if sample_weight is None else sample_weight[:, None])
        v, g, h = each(x, ones, weight=np.where(left, factor, 0), reduction="none")
        spoiled = np.where(there, x, nan).astype(dtype)  # what takes no part does not matter
        got = loss.value_grad_hess(
            **(arrays | {"input": spoiled}),
            weight=weight,
            sample_weight=sample_weight,
            where=mask,
            reduction="none",
        )
        tol = 1e-5 if dtype is np.float32 else 1e-13
        np.testing.assert_allclose(got[0], v.astype(np.float64).sum(axis=1), rtol=tol)
        np.testing.assert_allclose(got[1], g, rtol=tol, atol=0)
        np.testing.assert_allclose(got[2], h, rtol=tol, atol=0)
        for order, result in enumerate((loss, loss.value_and_grad)):
            options = {"weight": weight, "sample_weight": sample_weight, "where": mask}
            less = result(**arrays, **options, reduction="none")
            assert all(map(same, (less,) if order == 0 else less, got))
        rows = np.ones(40, bool) if mask is None else mask.any(axis=1)
        by_row = np.ones(40) if sample_weight is None else sample_weight.astype(np.float64)
        if loss is fl.corn_loss:
            of_bits = np.where(left, factor, 0).astype(np.float64)
            divisors = left.sum(), of_bits.sum(), np.count_nonzero(of_bits)
        else:
            divisors = rows.sum(), by_row[rows].sum(), np.count_nonzero(by_row[rows])
        names = ("mean", "weighted_mean", "sum_by_nonzero_weights")
        options = {"weight": weight, "sample_weight": sample_weight, "where": mask}
        for name, divisor in zip(names, divisors, strict=True):
            found = loss(**arrays, **options, reduction=name, return_divisor=True)
            assert found[1] == pytest.approx(divisor, rel=1e-6), name
            assert found[0] == pytest.approx(got[0].astype(np.float64).sum() / divisor, rel=1e-5)


@bits_losses
def test_any_axis(loss: Any) -> None:
    arrays = bits(loss, 60, 5)
    value, grad, hess = loss.value_grad_hess(**arrays)
    shaped = {n: a.reshape(3, 4, 5, *a.shape[1:]) for n, a in arrays.items()}
    for axis in (0, 1, 2, 3, -1):
        moved = shaped | {"input": np.ascontiguousarray(np.moveaxis(shaped["input"], -1, axis))}
        got = loss.value_grad_hess(**moved, axis=axis)
        np.testing.assert_allclose(got[0], value, rtol=1e-13)
        for a, b in zip(got[1:], (grad, hess), strict=True):
            np.testing.assert_allclose(np.moveaxis(a, axis, -1).reshape(b.shape), b, rtol=1e-13)
    one = loss(**{n: a[0] for n, a in arrays.items()})
    assert one == loss(**{n: a[:1] for n, a in arrays.items()})


@bits_losses
def test_in_place(loss: Any) -> None:
    for k in (4, 700):
        arrays = bits(loss, 50, k)
        value, grad = loss.value_and_grad(**arrays)
        x = arrays["input"].copy()
        got = loss.value_and_grad(**(arrays | {"input": x}), grad_out=x)
        assert got[1] is x and same(x, grad) and got[0] == value


@bits_losses
def test_scale_and_floor_of_second_derivatives(loss: Any) -> None:
    """What takes no part stays 0."""
    arrays = bits(loss, 50, 4)
    weight, sample_weight = np.array([0.5, 1.0, 2.0, 0.25]), np.linspace(0.1, 2, 50)
    factor = sample_weight[:, None] * weight
    _ones, there = taken(loss, arrays)
    plain = loss.value_grad_hess(**arrays, reduction="none")[2]
    got = loss.value_grad_hess(
        **arrays,
        weight=weight,
        sample_weight=sample_weight,
        reduction="none",
        hess_scale=2.0,
        hess_floor=0.125,
    )[2]
    expected = np.where(there, np.maximum(2 * plain, 0.125) * factor, 0)
    np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_ignored_grades() -> None:
    for loss in (fl.coral_loss, fl.corn_loss):
        arrays = bits(loss, 30, 4)
        kept = np.arange(30) % 3 > 0
        for ignored in (-100, 2**40, 4):
            y = np.where(kept, np.minimum(arrays["target"], 3), ignored)
            x = np.where(kept[:, None], arrays["input"], nan)
            got = loss.value_grad_hess(x, y, ignore_index=ignored, weight=np.arange(1, 5))
            few = loss.value_grad_hess(x[kept], y[kept], weight=np.arange(1, 5))
            assert got[0] == pytest.approx(few[0], rel=1e-14)
            for a, b in zip(got[1:], few[1:], strict=True):
                np.testing.assert_allclose(a[kept], b, rtol=1e-14)
                assert not a[~kept].any()


@bits_losses
def test_bits_that_are_refused(loss: Any) -> None:
    arrays = bits(loss, 6, 4)
    name = "time" if loss is fl.discrete_survival_loss else "target"
    most, what = (3, "step") if name == "time" else (4, "grade")
    for bad in (-1, most + 1, 2**40):
        wrong = arrays[name].copy()
        wrong[2] = bad
        with pytest.raises(
            IndexError, match=rf"^{name}: the {what} at \[2\] is {bad}; accepted are 0 to {most}"
        ):
            loss(**(arrays | {name: wrong}))
        weight = np.where(np.arange(6) == 2, 0.0, 1.0)
        assert np.isfinite(loss(**(arrays | {name: wrong}), sample_weight=weight))
    with pytest.raises(TypeError, match=rf"^{name}: whole numbers from 0 to {most} of an integer"):
        loss(**(arrays | {name: arrays[name].astype(float)}))
    with pytest.raises(ValueError, match=r"^weight: one number for each of the 4"):
        loss(**arrays, weight=np.ones(5))
    with pytest.raises(ValueError, match=r"^input: shape \(6, 0\) has no classes"):
        loss(**(arrays | {"input": np.zeros((6, 0))}))


def test_events() -> None:
    arrays = bits(fl.discrete_survival_loss, 12, 3)
    value = fl.discrete_survival_loss(**arrays)
    for dtype in (np.int8, np.float32, np.float64, ">i4"):
        event = arrays["event"].astype(dtype)
        assert fl.discrete_survival_loss(**(arrays | {"event": event})) == value
    seen = fl.discrete_survival_loss(**(arrays | {"event": True}))
    assert seen == fl.discrete_survival_loss(**(arrays | {"event": np.ones(12)}))
    for bad in (0.5, 2, -1, nan):
        event = arrays["event"].astype(float)
        event[4] = bad
        with pytest.raises(
            ValueError, match=r"^event: the value at \[4\] is .*; accepted are 0 and 1"
        ):
            fl.discrete_survival_loss(**(arrays | {"event": event}))
    with pytest.raises(ValueError, match=r"^event: shape \(5,\) cannot be broadcast"):
        fl.discrete_survival_loss(**(arrays | {"event": np.ones(5)}))
