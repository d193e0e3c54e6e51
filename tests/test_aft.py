"""Accelerated failure time: other packages, limits, bad operands, narrow intervals, far tails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_aft import ROWS, log_likelihood, times

RECORD = json.loads((Path(__file__).parent / "data" / "aft_parity.json").read_text("utf-8"))
DISTRIBUTIONS = ("normal", "logistic", "extreme")
inf, nan = np.inf, np.nan
every = pytest.mark.parametrize("distribution", DISTRIBUTIONS)


def parts(*operands: Any, **options: Any) -> list[float]:
    """Value, gradients and second derivatives of one row."""
    value, grads, hesses = fl.aft_loss.value_grad_hess(*operands, **options)
    return [float(x) for x in (value, *grads, *hesses)]


@pytest.mark.parametrize("case", RECORD["lifelines"], ids=lambda c: f"{c['name']}-{c['kind']}")
def test_lifelines(case: dict[str, Any]) -> None:
    """The log-likelihood at the parameters of a fit, where the gradients are 0, too."""
    x, lower, upper = times(case["kind"])
    options = {"distribution": case["distribution"]}
    value, (grad, by_scale) = fl.aft_loss.value_and_grad(
        case["input"], lower, upper, case["scale"], **options
    )
    assert value == pytest.approx(-case["log_likelihood"], rel=1e-12)
    assert max(abs(grad.sum()), abs(grad @ x), abs(by_scale)) < 1e-3


@pytest.mark.parametrize(
    "case", RECORD["xgboost"], ids=lambda c: f"{c['distribution']}-{c['scale']}"
)
def test_xgboost(case: dict[str, Any]) -> None:
    """Of its objective, which cuts gradients at 15 and second derivatives at 15."""
    cut = 0
    for name, (grad, hess) in case["derivatives"].items():
        _, g, _, h, _ = parts(*ROWS[name], case["scale"], distribution=case["distribution"])
        cut += abs(g) > 15
        assert grad == pytest.approx(np.clip(g, -15, 15), rel=2e-7)
        assert hess == pytest.approx(np.clip(h, 1e-16, 15), rel=2e-7)
    assert cut == (case["distribution"] == "extreme" and case["scale"] == 0.5)


@every
def test_scipy(distribution: str) -> None:
    """Density, distribution function and what is above, of the times themselves."""
    pytest.importorskip("scipy.stats")
    for t in (0.2, 1.0, 2.5, 9.0):
        for lower, upper in ((t, t), (t, inf), (0.0, t), (t, 2 * t)):
            row = 0.7, lower, upper, 0.6
            got = fl.aft_loss(*row, distribution=distribution)
            assert got == pytest.approx(-log_likelihood(distribution, *row), rel=1e-10)


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_limits_at_all_say_nothing(distribution: str, dtype: Any) -> None:
    x = np.array([0.0, 3.0, -1e4, 1e30], dtype)
    got = fl.aft_loss.value_grad_hess(x, 0, inf, dtype(0.5), distribution=distribution)
    assert got[0] == 0 and not got[1][0].any() and not got[2][0].any()
    assert got[1][1] == 0 and got[2][1] == 0


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("z", [0.0, 0.3, -2.0, 30.0, -30.0, 1e4, -1e4])
def test_one_unit_apart_is_the_density(distribution: str, dtype: Any, z: float) -> None:
    """-log(F(b) - F(a)) = -log f - log(width), with the derivatives of the first."""
    if distribution == "extreme" and z > 30:
        return
    t = np.array([1.0, 3.0, 1e-6, 1e6], dtype)
    above = np.nextafter(t, dtype(inf))
    x = (np.log(t) - 2 * dtype(z)).astype(dtype)
    options = {"distribution": distribution, "reduction": "none"}
    exact = fl.aft_loss.value_grad_hess(x, t, t, dtype(2), **options)
    narrow = fl.aft_loss.value_grad_hess(x, t, above, dtype(2), **options)
    width = np.log(above.astype(float) - t)
    size = max(1.0, z * z, np.exp(z) if distribution == "extreme" else 1)
    eps = np.finfo(dtype).eps
    near = {"rtol": 40 * eps, "atol": 400 * size * eps}
    np.testing.assert_allclose(narrow[0], exact[0] - width, **near)
    np.testing.assert_allclose(narrow[1][0], exact[1][0], **near)
    np.testing.assert_allclose(narrow[2][0], exact[2][0], **near)
    np.testing.assert_allclose(narrow[1][1], exact[1][1], **near)


@pytest.mark.parametrize("z", [1e4, 1e8, 1e15])
def test_far_beyond_the_censoring(z: float) -> None:
    """The hazard of the normal distribution is z + 1/z there, its slope 1 - 1/z²."""
    for sign in (1, -1):
        value, grad, by_scale, hess, curve = parts(
            -sign * z, *((1, inf) if sign > 0 else (0, 1)), 1
        )
        log_tail = z * z / 2 + np.log(z) + np.log(2 * np.pi) / 2
        assert value == pytest.approx(log_tail, rel=1e-15)
        assert grad == pytest.approx(-sign * (z + 1 / z), rel=1e-15)
        assert hess == pytest.approx(1 - 1 / z**2, rel=1e-15)
        assert by_scale == pytest.approx(-(z * z + 1), rel=1e-15)
        assert curve == pytest.approx(3 * z * z, rel=1e-7)


@every
def test_small_scales(distribution: str) -> None:
    """The smaller the scale, the surer the times: the right side costs 0, the wrong one much."""
    for s in (1e-4, 1e-30, 1e-300):
        right = parts(0.0, 0.5, 2.0, s, distribution=distribution)
        assert right[:4] == [0, 0, 0, 0] and right[4] == 0
        wrong = fl.aft_loss(0.0, 2.0, 3.0, s, distribution=distribution)
        assert wrong > 600
        at = parts(0.0, 1.0, 1.0, s, distribution=distribution)
        assert at[0] == pytest.approx(
            np.log(s) + fl.aft_loss(0, 1, 1, 1, distribution=distribution)
        )
        assert at[2] == pytest.approx(1 / s)


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scale_that_puts_both_ends_at_infinity(distribution: str, dtype: Any) -> None:
    """An interval of less than twice its lower end, whose width is infinite as well."""
    scale = np.finfo(dtype).smallest_subnormal
    operands = dtype(1), dtype(2), dtype(3), scale
    got = fl.aft_loss.value_grad_hess(*operands, distribution=distribution)
    assert got == (0, (0, 0), (0, 0))


@every
@pytest.mark.parametrize("order", ["__call__", "value_and_grad", "value_grad_hess"])
def test_what_is_refused(distribution: str, order: str) -> None:
    call = getattr(fl.aft_loss, order)
    good = np.ones(3), np.ones(3), np.full(3, 2.0), np.ones(3)
    for k, name, bad in (
        (1, "lower", -0.5),
        (1, "lower", inf),
        (2, "upper", 0.5),
        (2, "upper", -inf),
        (3, "scale", 0.0),
        (3, "scale", -1.0),
        (3, "scale", inf),
    ):
        operands = [a.copy() for a in good]
        operands[k][2] = bad
        with pytest.raises(ValueError, match=rf"^{name}: the value at \[2\] is {bad}; accepted"):
            call(*operands, distribution=distribution)
        # What does not count may be anything.
        weight = np.array([1.0, 1.0, 0.0])
        for options in ({"weight": weight}, {"where": weight}):
            got = fl.aft_loss(*operands, distribution=distribution, reduction="sum", **options)
            assert got == fl.aft_loss(
                *(a[:2] for a in good), distribution=distribution, reduction="sum"
            )
    with pytest.raises(ValueError, match=r"^upper: the value is 0.0; accepted"):
        call(0.0, 0.0, 0.0, 1.0, distribution=distribution)
    with pytest.raises(
        ValueError, match=r"^distribution: must be one of normal, logistic, extreme"
    ):
        call(*good, distribution="weibull")


@every
def test_nan_of_each_operand(distribution: str) -> None:
    for lower, upper in ((1.0, 1.0), (1.0, inf), (0.0, 1.0), (1.0, 2.0), (0.0, inf)):
        for k in range(4):
            operands = [0.3, lower, upper, 0.7]
            operands[k] = nan
            value_and_grads = parts(*operands, distribution=distribution)[:3]
            assert np.isnan(value_and_grads).all(), (operands, k)


def test_gradient_of_one_scale_is_a_sum() -> None:
    x, lower, upper = times("interval")
    every_row = fl.aft_loss.value_grad_hess(x, lower, upper, np.full(80, 0.7), reduction="sum")
    one = fl.aft_loss.value_grad_hess(x, lower, upper, 0.7, reduction="sum")
    assert one[0] == every_row[0] and one[1][1].shape == ()
    assert one[1][1] == pytest.approx(every_row[1][1].sum(), rel=1e-14)
    assert one[2][1] == pytest.approx(every_row[2][1].sum(), rel=1e-14)
