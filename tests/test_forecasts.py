"""Scores of forecasts: other packages, limits, degrees of freedom, intervals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses import forecasts as truth
from tests.losses.case import mp
from tests.peers.record_forecasts import ALPHAS, CASES, quantiles
from tests.samples import FLOATS

RECORD = json.loads(
    (Path(__file__).parent / "data" / "forecasts_parity.json").read_text(encoding="utf-8")
)
SCORES = ("crps_normal", "crps_logistic", "crps_laplace", "crps_student_t")
SCORE = pytest.mark.parametrize("name", SCORES)
inf, nan = np.inf, np.nan


def exact_of(name: str, *numbers: float, **options: Any) -> Any:
    """Value, gradients and second derivatives in 160 bits."""
    exact = getattr(truth, name.removeprefix("crps_"))
    value, grads, hesses = exact(*(mp.mpf(a) for a in numbers), **options)
    return float(value[0]), [float(g[0]) for g in grads], [float(h[0]) for h in hesses]


# ---- other packages ----------------------------------------------------------------------------


def label(case: dict[str, Any]) -> str:
    return "-".join([case["loss"], *(f"{k}={v}" for k, v in case["options"].items())])


@pytest.mark.parametrize("case", RECORD["cases"], ids=label)
def test_recorded(case: dict[str, Any]) -> None:
    given = map(np.array, case["arrays"])
    got = getattr(fl, case["loss"])(*given, reduction="none", **case["options"])
    np.testing.assert_allclose(got, case["scoringrules"], rtol=1e-10)


def test_every_case_is_recorded() -> None:
    assert [(case["loss"], case["options"]) for case in RECORD["cases"]] == list(CASES)


def test_gradients_of_properscoring() -> None:
    given = [np.array(a) for a in RECORD["cases"][0]["arrays"]]
    value, grads = fl.crps_normal.value_and_grad(*given, reduction="none")
    values, theirs = RECORD["properscoring"]
    np.testing.assert_allclose(value, values, rtol=1e-10)
    np.testing.assert_allclose(grads, theirs, rtol=1e-10, atol=1e-12)


def test_weighted_interval_score_is_twice_the_mean_of_quantile_losses() -> None:
    t, ends = quantiles()
    lower = np.array(ALPHAS) / 2
    levels = np.concatenate([lower, [0.5], 1 - lower[::-1]])
    got = 2 * fl.quantile_loss(ends, t[:, None], q=levels, reduction="none").mean(axis=1)
    np.testing.assert_allclose(got, RECORD["weighted"], rtol=1e-12)


# ---- limits ------------------------------------------------------------------------------------


@SCORE
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_scale_of_0(name: str, dtype: Any) -> None:
    """The absolute error, and the limits of the derivatives."""
    score = getattr(fl, name)
    x, t = np.array([3, -1, 0.5, 0, -7], dtype), np.array([1, 2, 0.5, 0, -7], dtype)
    for zero in (0.0, -0.0):
        s = np.full(5, zero, dtype)
        value, grads, hesses = score.value_grad_hess(x, t, s, reduction="none")
        assert value.tolist() == [2, 3, 0, 0, 0]
        assert grads[0].tolist() == [1, -1, 0, 0, 0]
        least, limit = (exact_of(name, a, 0.0, 0.0)[1][1] for a in (0.0, 1.0))
        rtol = {2: 2.0**-7, 4: 2.0**-22, 8: 2.0**-51}[dtype.itemsize]
        np.testing.assert_allclose(grads[1], [limit, limit, *[least] * 3], rtol=rtol)
        assert hesses[0].tolist() == [0, 0, inf, inf, inf]
        assert hesses[1].tolist() == [0] * 5
    near = score.value_grad_hess([3.0], [1.0], [1e-250], reduction="none")
    assert near[0] == 2 and near[1][0] == 1
    np.testing.assert_allclose(near[1][1], limit, rtol=1e-15)


@SCORE
def test_far_from_the_target(name: str) -> None:
    """The absolute error less a part of the scale, all digits of the difference."""
    for a in (1e3, 1e8, 1e100, 1e300):
        value, grads = getattr(fl, name).value_and_grad(
            [a, -a], [0, 0], [1.0, 1e-3], reduction="none"
        )
        assert value[0] == pytest.approx(exact_of(name, a, 0.0, 1.0)[0], rel=1e-15)
        assert grads[0].tolist() == pytest.approx([1, -1], abs=1e-8)


@SCORE
def test_infinite_and_nan(name: str) -> None:
    score = getattr(fl, name)
    value, grads = score.value_and_grad(
        [inf, -inf, 0.0], [0.0, 0.0, inf], [1.0, 0.0, 2.0], reduction="none"
    )
    assert value.tolist() == [inf] * 3 and grads[0].tolist() == [1, -1, -1]
    assert np.all(np.isfinite(grads[1]))
    for numbers in (
        (nan, 0.0, 1.0),
        (0.0, nan, 1.0),
        (0.0, 0.0, nan),
        (1.0, 0.0, nan),
        (inf, inf, 1),
    ):
        value, grads = score.value_and_grad(*([a] for a in numbers), reduction="none")
        assert np.isnan(value) and np.isnan(grads[0]) and np.isnan(grads[1])


@SCORE
def test_negative_scales_are_named(name: str) -> None:
    s = np.ones((3, 2))
    s[1, 1] = -0.5
    for method in ("__call__", "value_and_grad", "value_grad_hess"):
        with pytest.raises(
            ValueError, match=r"^scale: the value at \[1, 1\] is -0.5; accepted are"
        ):
            getattr(getattr(fl, name), method)(np.zeros((3, 2)), np.zeros((3, 2)), s)


# ---- degrees of freedom ------------------------------------------------------------------------

R = np.array([0, 1e-300, 1e-9, 0.01, 0.3, 0.7, 1, 1.7, 2.3, 3.5, 6, 11, 40, 1e3, 1e9])
DF = (1 + 1e-15, 1 + 1e-9, 1.001, 1.5, 2, 2.999, 3, 3.001, 4, 5.5, 9, 16.3, 19, 20.9)
DF += (np.nextafter(21.0, 0), 21.0, 25.5, 30, 47, 100, 1e3, 1e6, 1e12)


@pytest.mark.parametrize("df", DF)
def test_student_t_of_any_degrees_of_freedom(df: float) -> None:
    got = fl.crps_student_t.value_grad_hess(R, 0 * R, 1 + 0 * R, df=df, reduction="none")
    value, grads, hesses = got
    for k, r in enumerate(R):
        exact = exact_of("crps_student_t", float(r), 0.0, 1.0, df=df)
        assert value[k] == pytest.approx(exact[0], rel=2e-15), r
        assert grads[0][k] == pytest.approx(exact[1][0], rel=1e-15), r
        # The gradient for the scale is a difference of two terms of order 1.
        assert grads[1][k] == pytest.approx(exact[1][1], rel=1e-15, abs=1e-15), r
        assert [h[k] for h in hesses] == pytest.approx(exact[2], rel=2e-15, abs=1e-300), r


def test_many_degrees_of_freedom_are_a_normal_distribution() -> None:
    x, t, s = np.random.default_rng(0).normal(size=(3, 200))
    given = x, t, np.abs(s)
    expected = fl.crps_normal.value_grad_hess(*given, reduction="none")
    for df in (1e18, 1e30, 1e300):
        got = fl.crps_student_t.value_grad_hess(*given, df=df, reduction="none")
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-14)
        for parts, right in zip(got[1:], expected[1:], strict=True):
            np.testing.assert_allclose(parts, right, rtol=1e-13, atol=1e-15)


def test_degrees_of_freedom_that_have_no_score() -> None:
    for bad in (1, 0.5, -3.0, inf, nan):
        with pytest.raises(ValueError, match=r"^df: a finite number above 1 is needed, got"):
            fl.crps_student_t([0.0], [0.0], [1.0], df=bad)
    with pytest.raises(TypeError, match=r"^df: a number is needed"):
        fl.CRPSStudentTLoss(df="3")


# ---- intervals ---------------------------------------------------------------------------------


def ends(n: int = 60) -> tuple[Any, Any, Any]:
    """Of which some cross, and some are the target."""
    rng = np.random.default_rng(1)
    lower, upper, t = rng.integers(-4, 5, (3, n)) / 2
    return lower, upper, t


@pytest.mark.parametrize("alpha", [0.01, 0.2, 0.5, 1.0])
def test_interval_score_is_that_of_its_definition(alpha: float) -> None:
    lower, upper, t = ends()
    outside = np.maximum(0, lower - t) + np.maximum(0, t - upper)
    value, grads, hesses = fl.interval_score.value_grad_hess(
        lower, upper, t, alpha=alpha, reduction="none"
    )
    np.testing.assert_allclose(value, upper - lower + 2 / alpha * outside, rtol=1e-13, atol=1e-13)
    for end, grad, level in ((lower, grads[0], alpha / 2), (upper, grads[1], 1 - alpha / 2)):
        by = fl.quantile_loss.value_and_grad(end, t, q=level, reduction="sum")[1]
        np.testing.assert_allclose(grad, 2 / alpha * by, rtol=1e-12)
        assert np.all(grad[end == t] == 0)
    assert not np.any(hesses)
    assert np.all(value >= 0) and np.any(lower > upper)


def test_an_alpha_for_each_column() -> None:
    rng = np.random.default_rng(2)
    lower = rng.normal(size=(30, 3)).astype(np.float32)
    upper = lower + rng.uniform(-0.1, 1, (30, 3)).astype(np.float32)
    t = rng.normal(size=(30, 1)).astype(np.float32)
    alphas = [0.05, 0.5, 1.0]
    got = fl.interval_score.value_and_grad(lower, upper, t, alpha=alphas, reduction="none")
    assert got[0].dtype == np.float32  # that of the levels does not count
    for k, alpha in enumerate(alphas):
        one = fl.interval_score.value_and_grad(
            lower[:, k], upper[:, k], t[:, 0], alpha=alpha, reduction="none"
        )
        np.testing.assert_allclose(got[0][:, k], one[0], rtol=1e-6)
        for grad, right in zip(got[1], one[1], strict=True):
            np.testing.assert_allclose(grad[:, k], right, rtol=1e-6)
    criterion = fl.IntervalScoreLoss(alpha=alphas, reduction="none")
    assert np.array_equal(criterion(lower, upper, t), got[0])


def test_alphas_are_checked() -> None:
    x = np.zeros((3, 2))
    for bad in (nan, 0.0, -0.1, 1.5, inf):
        with pytest.raises(
            ValueError, match=r"^alpha: the value at \[0, 1\] is .*; accepted are num"
        ):
            fl.interval_score(x, x, x, alpha=[0.5, bad])
        with pytest.raises(ValueError, match=r"^alpha: a number above 0 and up to 1 is needed"):
            fl.interval_score(x, x, x, alpha=bad)
    with pytest.raises(ValueError, match=r"^alpha: shape \(3,\) cannot be broadcast"):
        fl.interval_score(x, x, x, alpha=[0.5, 0.25, 0.75])


def test_one_upper_end_for_all() -> None:
    """Its gradient is the sum."""
    lower, _, t = ends()
    one = fl.interval_score.value_and_grad(lower, 1.5, t, reduction="sum")
    many = fl.interval_score.value_and_grad(lower, np.full(60, 1.5), t, reduction="sum")
    assert one[0] == many[0] and one[1][1] == pytest.approx(many[1][1].sum(), rel=1e-14)


# ---- quantiles ---------------------------------------------------------------------------------


def test_quantiles_that_cross_and_extreme_levels() -> None:
    """Each column counts by itself; level 0 asks for a lower bound, level 1 for an upper one."""
    ends, t = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 2.0]]), np.array([[2.0], [2.0]])
    value, grad = fl.quantile_loss.value_and_grad(ends, t, q=[0.0, 0.5, 1.0], reduction="sum")
    assert value == 1 + 0.5 + 1.5
    assert grad.tolist() == [[1, -0.5, 0], [0, 0.5, 0]]
    below = fl.quantile_loss.value_and_grad([[1.0, 1.0]], [[2.0]], q=[0.0, 1.0], reduction="none")
    assert below[0].tolist() == [[0, 1]] and below[1].tolist() == [[0, -1]]
    far = fl.quantile_loss([[-inf, inf]], [[0.0]], q=[0.0, 1.0], reduction="none")
    assert far.tolist() == [[0, 0]]
    q = [0.1, 0.5, 0.9]
    assert fl.quantile_loss(np.sort(ends, axis=1), t, q=q) < fl.quantile_loss(ends, t, q=q)
