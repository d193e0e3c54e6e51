"""Elementwise losses of the largest and the smallest numbers: what is a number comes out as one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.losses.case import mp
from tests.samples import HALVES, ORDERS, elementwise, loss_of

nan, inf = np.nan, np.inf
Array = np.ndarray[Any, Any]

#: One row for each loss and formula.
CASES = [
    case
    for case in reg.ELEMENTWISE
    if case in reg.ONE_OF_EACH or case.loss == "tweedie_loss" or 0.0 in case.options.values()
]
CASE = pytest.mark.parametrize("case", CASES, ids=str)
DTYPE = pytest.mark.parametrize("dtype", reg.DTYPES)

#: Which numbers are inside of a kind's domain. A factor is a moderate number, and a label none that
#: underflows: the product of two of them is another matter.
INSIDE = {
    "positive": lambda x: x > 0,
    "wide scale": lambda x: x > 0,
    "power": lambda x: x > 0,
    "positive mass": lambda x: x > 0,
    "mean": lambda x: x > 0,
    "factor": lambda x: (x > 1e-3) & (x < 1e3),
    "rate": lambda x: x >= 0,
    "variance": lambda x: x >= 0,
    "scale from 0 on": lambda x: (x == 0) | (x >= 1e-37),
    "tails": lambda x: (x > 0) & (x <= 1),
    "count": lambda x: x >= 0,
    # Of counts up to 1 derivatives with respect to the dispersion are differences that run into 0.
    "dispersed count": lambda x: (x == 0) | (x > 1) & (x < 1e7),
    "dispersion": lambda x: (x == 0) | (x > 1e-3) & (x < 1e7),
    "spread": lambda x: (x > 1e-3) & (x < 1e7),
    "precision": lambda x: (x > 1e-3) & (x < 1e7),
    "successes": lambda x: (x == 0) | (x > 1e-3) & (x <= 20),
    "trials": lambda x: (x >= 20) & (x < 1e7),
    "share": lambda x: (x > 1e-20) & (x < 1),
    "mass": lambda x: x >= 0,
    "probability": lambda x: (x >= 0) & (x <= 1),
    "level": lambda x: (x >= 0) & (x <= 1),
    "label": lambda x: (x == 0) | (x > 1e-3) & (x <= 1),
    "free label": lambda x: (x == 0) | (x > 1e-3) & (x <= 1),
    "above -1": lambda x: x > -1,
    "sign": lambda x: abs(x) == 1,
    "log-probability": lambda x: x <= 0,
}


def extremes(case: reg.Elementwise, dtype: Any) -> list[list[float]]:
    """Of each operand the numbers to try."""
    info = np.finfo(dtype)
    huge = 1e30 if dtype is np.float32 else 1e300
    sizes = [0, info.smallest_subnormal, info.tiny, 0.5, 1, 17, 80, huge, info.max / 2, info.max]
    x = np.array([sign * float(size) for size in (*sizes, inf) for sign in (1, -1)][1:])
    x = x.astype(dtype).astype(np.float64)
    return [
        x[INSIDE[kind](x)].tolist() if kind in INSIDE else x.tolist()
        for kind in case.kinds.values()
    ]


def evaluated(case: reg.Elementwise, dtype: Any, points: list[tuple[float, ...]]) -> Any:
    columns = np.array(points).T.astype(dtype)
    operands = dict(zip(case.kinds, columns, strict=True))
    got = loss_of(case).value_grad_hess(**operands, **case.options, reduction="none")
    return [part.astype(np.float64) for part in got]


def limits(case: reg.Elementwise, point: tuple[float, ...]) -> list[reg.Pair]:
    """The exact results; where the first number is infinite, what they approach."""
    if abs(point[0]) != inf:
        return list(case.exact(*map(mp.mpf, point)))
    near, far = (
        case.exact(np.sign(point[0]) * mp.mpf(10) ** size, *map(mp.mpf, point[1:]))
        for size in (2000, 4000)
    )
    results = []
    for (a, _), (b, _) in zip(near, far, strict=True):
        grows, falls = abs(b) > 1.2 * abs(a) > 120, abs(b) < 0.9 * abs(a)
        results.append((b * mp.inf if grows else mp.mpf(0) if falls else b,) * 2)
    return results


@DTYPE
@CASE
def test_numbers_come_out_as_numbers(case: reg.Elementwise, dtype: Any) -> None:
    """Not nan, not 0 and not infinite where the exact result is an ordinary number."""
    largest = float(np.finfo(dtype).max)
    numbers = extremes(case, dtype)
    if case.options.get("alpha") == 0:  # times an infinite loss: nan
        numbers[0] = [x for x in numbers[0] if abs(x) != inf]
    if len(numbers) > 2:
        numbers[0] = numbers[0][::2]
    if len(numbers) > 3:
        numbers[3] = numbers[3][::3]
    finite = [[x for x in column if abs(x) != inf] for column in numbers[1:]]
    points = list(itertools.product(numbers[0], *finite))
    exact = [limits(case, point) for point in points]
    for k, (part, name) in enumerate(
        zip(evaluated(case, dtype, points), ("value", "gradient", "hessian"), strict=True)
    ):
        pairs = [results[k] for results in exact]
        known = np.array([not mp.isnan(pair[0]) for pair in pairs])
        true = reg.Exact(
            [p if k else reg.exactly(mp.mpf(0)) for p, k in zip(pairs, known, strict=True)], dtype
        )
        wrong = known & (true.errors(part) > 64)
        lost = true.lost | (np.abs(true.high) > largest) & (np.abs(part) == largest)
        # A difference beyond the largest number is infinite to all that is made of it.
        beyond = np.array([abs(p[0] - p[1]) > largest and abs(p[0]) < inf for p in points])
        wrong &= np.isnan(part) | ~(lost | beyond)
        bad = np.flatnonzero(wrong)
        assert not bad.size, [(points[j], part[j], true.shown(j)) for j in bad[:4]] + [name]


@DTYPE
@CASE
def test_nothing_is_made_of_nan(case: reg.Elementwise, dtype: Any) -> None:
    """Whatever the other operands are, value and gradient are nan."""
    numbers = extremes(case, dtype)
    for k, name in enumerate(case.kinds):
        if name not in case.takes_nan:
            continue
        points = list(itertools.product(*numbers[:k], [nan], *numbers[k + 1 :]))
        value, grad, _ = evaluated(case, dtype, points)
        bad = np.flatnonzero(~np.isnan(value) | ~np.isnan(grad))
        assert not bad.size, (points[bad[0]], value[bad[0]], grad[bad[0]])


def test_results_that_were_nan_or_infinite() -> None:
    f = np.float32
    assert fl.tweedie_loss(f([1e-20]), [0], power=3, log_input=False) == f(-1e20)
    assert fl.tweedie_loss(f([1e-20]), [0], power=2.5, log_input=False) == f(-2e10)
    assert fl.expectile_loss(1.7e308, -1.7e308, q=1.0) == 0
    assert fl.expectile_loss.value_and_grad([inf, 1.0], [0, 0], q=1.0)[1].tolist() == [0, 0]
    assert np.isnan(fl.expectile_loss(nan, 0.0, q=0.0))
    assert fl.poisson_nll_loss(f([1.7e38]), f([3])) == inf
    assert fl.poisson_nll_loss(f([17]), f([1.7e38]), log_input=False, full=True) == inf
    value, grad = fl.msle_loss.value_and_grad([inf], [nan])
    assert np.isnan(value) and np.isnan(grad[0])
    value, grad, hess = fl.msle_loss.value_grad_hess([inf], [0.0])
    assert value == inf and grad == 0 and hess == 0
    assert fl.tweedie_loss(f([inf]), f([1]), power=1.5, log_input=False) == inf
    hess = fl.gamma_nll_loss.value_grad_hess(f([17]), f([3.4e38]), log_input=False)[2]
    np.testing.assert_allclose(hess, 2 * 3.4e38 / 17**3, rtol=1e-6)
    assert fl.kl_div(f([-inf]), f([-1e30]), log_target=True) == 0


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize(
    ("loss", "name"),
    [
        ("smooth_l1_loss", "beta"),
        ("huber_loss", "delta"),
        ("pseudo_huber_loss", "delta"),
        ("cauchy_loss", "c"),
        ("fair_loss", "c"),
        ("mape_loss", "eps"),
        ("epsilon_insensitive_loss", "epsilon"),
        ("squared_epsilon_insensitive_loss", "epsilon"),
        ("hinge_loss", "margin"),
        ("squared_hinge_loss", "margin"),
        ("hinge_embedding_loss", "margin"),
    ],
)
def test_extreme_options(loss: str, name: str, dtype: Any) -> None:
    """Give a result that is no nan, or an error that says why not."""
    x, t = np.array([0, 1, -1, 0.5, 3], dtype), np.array([1, 1, 1, -1, 1], dtype)
    for size in (1e-323, 1e-310, 1e-45, 1e-39, 1e-38, 1e38, 1e39, 1e308):
        try:
            got = getattr(fl, loss).value_grad_hess(x, t, **{name: size}, reduction="none")
        except ValueError as error:
            assert dtype is np.float32 and "out of the range of float32" in str(error)
            continue
        assert not any(np.isnan(part).any() for part in got), size
        assert np.isfinite(got[1]).all() or loss == "mape_loss" or size > 1e300, size


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@CASE
def test_no_warnings(case: reg.Elementwise, dtype: Any) -> None:
    """Kernels raise none of NumPy's, whatever overflows on the way to half precision."""
    free = case.input in ("real", "logit", "exponent")
    call = elementwise(case, (40,), np.float32).changed(lambda a: a.astype(dtype))
    large = call.changed(lambda a: (a * 200).astype(dtype), case.first) if free else call
    with np.errstate(all="raise"):
        for order in range(len(ORDERS)):
            for sample in (call, large):
                sample.each(order)
                if order:
                    sample.run(order, reduction="mean", grad_out=np.zeros(40, dtype))
