"""Cox's partial likelihood: beside other packages, at its edges, and by every way through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses.survival import cox_exact
from tests.samples import same

RECORD = json.loads((Path(__file__).parent / "data" / "cox_parity.json").read_text())
inf, nan = np.inf, np.nan
OPERANDS = ("input", "time", "event")


def sample(n: int, seed: int = 0, times: float = 3.0, spread: float = 1.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    time = rng.exponential(1, n)
    return {
        "input": rng.normal(0, spread, n),
        "time": np.floor(time * times) if times else time,
        "event": rng.random(n) < 0.6,
    }


# ---- other packages ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", RECORD["cases"], ids=lambda c: c["package"])
def test_recorded(case: dict[str, Any]) -> None:
    """lifelines, scikit-survival and statsmodels in all digits, XGBoost in float32's."""
    got = fl.cox_ph_loss.value_grad_hess(
        RECORD["input"], case["time"], RECORD["event"], reduction="sum", **case["options"]
    )
    if case["package"] == "xgboost":
        if len(set(case["time"])) == len(case["time"]):
            np.testing.assert_allclose(got[1], case["grad"], atol=2e-6)
            np.testing.assert_allclose(got[2], case["hess"], atol=2e-6)
        return
    np.testing.assert_allclose(got[0], case["value"], rtol=1e-13)
    np.testing.assert_allclose(got[1], case["grad"], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(got[2], case["hess"], rtol=1e-10, atol=1e-14)


def test_xgboost_at_ties() -> None:
    """It has a row of tied ones share in those events alone that come before it in its order, so
    that its gradient is not that of Breslow's likelihood."""
    (case,) = (
        c
        for c in RECORD["cases"]
        if c["package"] == "xgboost" and len(set(c["time"])) < len(c["time"])
    )
    x, time, event = (np.array(a) for a in (RECORD["input"], case["time"], RECORD["event"]))
    risk, grad, hess = np.exp(x), np.zeros(len(x)), np.zeros(len(x))
    first = second = 0.0
    for i in np.argsort(time, kind="stable"):
        total = risk[time >= time[i]].sum()
        first += event[i] / total
        second += event[i] / total**2
        grad[i] = risk[i] * first - event[i]
        hess[i] = risk[i] * first - risk[i] ** 2 * second
    np.testing.assert_allclose(case["grad"], grad, atol=1e-5)
    np.testing.assert_allclose(case["hess"], hess, atol=1e-5)
    right = fl.cox_ph_loss.value_and_grad(x, time, event, ties="breslow", reduction="sum")[1]
    assert np.abs(grad - right).max() > 0.5
    assert abs(grad.sum()) > 0.5 and abs(right.sum()) < 1e-14


# ---- all ways through it -------------------------------------------------------------------------


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 1023, 1024, 1025, 2048, 5000])
@pytest.mark.parametrize("times", [0.0, 0.3, 3.0, 300.0])
def test_rows_that_enter_in_time(n: int, times: float, ties: str) -> None:
    """Who has always been there is at risk as without entries: two ways to the same sums, by
    blocks and by intervals."""
    arrays = sample(n, n, times)
    rng = np.random.default_rng(1)
    for weight in (None, rng.choice([0, 0.5, 1.0, 2.0], n)):
        options: Any = {"weight": weight, "ties": ties, "reduction": "sum"}
        got = fl.cox_ph_loss.value_grad_hess(**arrays, **options)
        early = fl.cox_ph_loss.value_grad_hess(**arrays, **options, entry=np.full(n, -inf))
        v = rng.normal(size=n)
        products = [
            fl.cox_ph_loss.hvp(**arrays, v=v, ties=ties, weight=weight, **more)
            for more in ({}, {"entry": np.full(n, -inf)})
        ]
        for a, b in zip((*got, products[0]), (*early, products[1]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("times", [0.0, 2.0])
@pytest.mark.parametrize("spread", [0.1, 5.0, 400.0])
@pytest.mark.parametrize("extra", [(), ("entry",), ("weight", "strata")])
def test_products(times: float, spread: float, extra: tuple[str, ...]) -> None:
    """The Hessian, column by column: symmetric, with rows that sum up to 0, and the diagonal that
    there is beside the gradient."""
    n = 30
    rng = np.random.default_rng(3)
    arrays = sample(n, 4, times, spread)
    more = {
        "weight": rng.uniform(0, 2, n),
        "strata": rng.integers(0, 3, n),
        "entry": arrays["time"] - rng.uniform(0.1, 3, n),
    }
    arrays |= {name: more[name] for name in extra}
    for ties in ("efron", "breslow"):
        hessian = np.stack([fl.cox_ph_loss.hvp(**arrays, v=v, ties=ties) for v in np.eye(n)])
        np.testing.assert_allclose(hessian, hessian.T, atol=1e-15)
        np.testing.assert_allclose(hessian.sum(axis=1), 0, atol=1e-14)
        diagonal = fl.cox_ph_loss.value_grad_hess(**arrays, ties=ties)[2]
        np.testing.assert_allclose(np.diag(hessian), diagonal, atol=1e-14)
        assert np.linalg.eigvalsh(hessian).min() > -1e-13
        v = rng.normal(size=n)
        np.testing.assert_allclose(
            fl.cox_ph_loss.hvp(**arrays, v=v, ties=ties), hessian @ v, rtol=1e-9, atol=1e-14
        )
        buffer = np.empty(n, np.float32)
        assert fl.cox_ph_loss.hvp(**arrays, v=v, ties=ties, hvp_out=buffer) is buffer


def test_no_sum_is_a_difference() -> None:
    """A row with nearly all of the risk that leaves, and one that has not entered: what is at risk
    then is as exact as without them."""
    time = np.array([1.0, 2, 3, 4, 5, 6])
    x = np.array([40.0, 0.3, -0.2, 0.1, 0.25, 36])
    entry = np.array([0.0, 0, 1, 2, 0, 4.5])
    event = np.ones(6)
    numbers = {"input": x, "time": time, "event": event, "entry": entry}
    value, grad = fl.cox_ph_loss.value_and_grad(**numbers, reduction="none")
    rows = [1, 2, 3, 4]
    few = {name: a[rows] for name, a in numbers.items()}
    one, slope = fl.cox_ph_loss.value_and_grad(**few, reduction="none")
    np.testing.assert_allclose(value[2:4], one[1:3], rtol=1e-15)
    np.testing.assert_allclose(grad[2:4], slope[1:3], rtol=1e-12)


def test_strata_are_losses_of_their_own() -> None:
    arrays = sample(4000, 8) | {"strata": np.random.default_rng(2).integers(-3, 40, 4000)}
    fl.set_num_threads(1)
    value, grad, hess = fl.cox_ph_loss.value_grad_hess(**arrays, reduction="sum")
    total = 0.0
    for stratum in np.unique(arrays["strata"]):
        rows = arrays["strata"] == stratum
        part = {name: arrays[name][rows] for name in OPERANDS}
        v, g, h = fl.cox_ph_loss.value_grad_hess(**part, reduction="sum")
        total += v
        assert same(g, grad[rows]) and same(h, hess[rows])
    np.testing.assert_allclose(total, value, rtol=1e-14)
    names = np.array(["a", "b", "zz"])[arrays["strata"] % 3]
    first = fl.cox_ph_loss(**arrays | {"strata": names})
    for ids in (
        names.tolist(),
        names.astype(object),
        arrays["strata"] % 3 == np.arange(3)[:, None],
    ):
        given = np.argmax(ids, axis=0) if np.ndim(ids) == 2 else ids
        assert same(first, fl.cox_ph_loss(**arrays | {"strata": given}))


def test_threads_share_strata() -> None:
    arrays = sample(200_000, 8, 50.0) | {"strata": np.arange(200_000) % 37}
    plan = fl.cox_ph_loss.plan(arrays["time"], arrays["event"], strata=arrays["strata"])
    found = []
    for n in (1, 2, 5):
        fl.set_num_threads(n)
        found.append(fl.cox_ph_loss.value_grad_hess(arrays["input"], plan=plan))
    assert all(same(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


# ---- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [{}, {"entry": [-1.0, -1, -1]}, {"strata": ["a", "b", "a"]}])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "weighted_mean"])
def test_no_events(extra: Any, reduction: Any) -> None:
    """0, as there is nothing to learn; not nan."""
    x, time = [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]
    value, *parts = fl.cox_ph_loss.value_grad_hess(x, time, [0, 0, 0], reduction=reduction, **extra)
    assert not np.any(value) and not any(a.any() for a in parts)
    none = fl.cox_ph_loss.value_and_grad([], [], [], reduction=reduction)
    assert not np.any(none[0]) and none[1].shape == (0,)


def test_one_row() -> None:
    """No one else is at risk."""
    for x in (0.0, -1e30, 1e30, 300.0, inf):
        got = fl.cox_ph_loss.value_grad_hess([x], [1], [1])
        assert [float(np.ravel(a)[0]) for a in got] == [0, 0, 0]


def test_all_at_one_time() -> None:
    """The gradient of equal rows is 0, and the value log n! / n by Efron's, log n by Breslow's."""
    for n in (2, 3, 1500):
        time, event = np.full(n, 7), np.ones(n)
        efron = fl.cox_ph_loss.value_and_grad(np.full(n, 3.5), time, event)
        logs = np.log(np.arange(1, n + 1)).sum()
        np.testing.assert_allclose(efron[0], logs / n, rtol=1e-13)
        np.testing.assert_allclose(efron[1], 0, atol=1e-15)
        breslow = fl.cox_ph_loss.value_and_grad(np.full(n, 3.5), time, event, ties="breslow")
        np.testing.assert_allclose(breslow[0], np.log(n), rtol=1e-13)


@pytest.mark.parametrize("entry", [None, [-1.0, -1, -1, -1]])
@pytest.mark.parametrize(
    ("x", "event", "value", "grad"),
    [
        ([inf, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]),
        ([0, 0, 0, inf], [1, 0, 0, 0], [inf, 0, 0, 0], [-1, 0, 0, 1]),
        ([-inf, 0, 0, 0], [1, 0, 0, 0], [inf, 0, 0, 0], [-1, 1 / 3, 1 / 3, 1 / 3]),
        ([0, -inf, 0, 0], [1, 0, 1, 0], [np.log(3), 0, np.log(2), 0], [-2 / 3, 0, -1 / 6, 5 / 6]),
        ([0, 0, inf, 0], [0, 1, 0, 1], [0, inf, 0, 0], [0, -1, 1, 0]),
    ],
)
def test_infinite_inputs(x: Any, event: Any, value: Any, grad: Any, entry: Any) -> None:
    """The limit, where there is one."""
    got = fl.cox_ph_loss.value_and_grad(x, [1, 2, 3, 4], event, entry=entry, reduction="none")
    np.testing.assert_allclose(got[0], value, rtol=1e-15)
    np.testing.assert_allclose(got[1], grad, rtol=1e-15, atol=1e-16)


def test_inputs_without_a_limit() -> None:
    for x in ([inf, inf], [-inf, -inf], [nan, 0.0], [0.0, nan]):
        for entry in (None, [0.0, 0.0]):
            value, grad = fl.cox_ph_loss.value_and_grad(x, [1, 2], [1, 0], entry=entry)
            assert np.isnan(value) and np.isnan(grad).any(), x


def test_rows_without_weight() -> None:
    """They are as if they were not there, whatever they hold."""
    arrays = sample(40, 5)
    arrays["strata"] = np.arange(40) % 2
    arrays["entry"] = arrays["time"] - 2.0
    full = {name: np.repeat(a, 2) for name, a in arrays.items()}
    junk = {"input": nan, "time": inf, "event": 5, "entry": nan, "strata": 9}
    full["event"] = full["event"].astype(float)
    for name, bad in junk.items():
        full[name][1::2] = bad
    weight = np.tile([1.0, 0.0], 40)
    want = fl.cox_ph_loss.value_grad_hess(**arrays)
    got = fl.cox_ph_loss.value_grad_hess(**full, weight=weight)
    assert same(got[0], want[0])
    for a, b in zip(got[1:], want[1:], strict=True):
        assert same(a[::2], b) and not a[1::2].any()
    none = fl.cox_ph_loss.value_and_grad(**full, weight=0.0)
    assert none[0] == 0 and not none[1].any()


def test_weights_count_rows() -> None:
    """By Breslow's method a weight of 2 is two rows; by Efron's the rows of a weight are one."""
    arrays = sample(30, 6)
    twice = {name: np.repeat(a, 2) for name, a in arrays.items()}
    two = fl.cox_ph_loss(**arrays, weight=2, ties="breslow", reduction="sum")
    again = fl.cox_ph_loss(**twice, ties="breslow", reduction="sum")
    np.testing.assert_allclose(two, again, rtol=1e-14)
    events = arrays["event"].sum()
    one = fl.cox_ph_loss(**arrays, reduction="sum")
    doubled = fl.cox_ph_loss(**arrays, weight=2, reduction="sum")
    np.testing.assert_allclose(doubled, 2 * one + 2 * events * np.log(2), rtol=1e-13)


def test_divisors() -> None:
    arrays = sample(50, 7)
    weight = np.random.default_rng(0).choice([0, 0.5, 2], 50)
    counted = arrays["event"] & (weight > 0)
    total = fl.cox_ph_loss(**arrays, weight=weight, reduction="sum")
    for reduction, divisor in {
        "mean": counted.sum(),
        "sum_by_nonzero_weights": counted.sum(),
        "weighted_mean": weight[counted].sum(),
        "batchmean": 50,
    }.items():
        value, number = fl.cox_ph_loss(
            **arrays, weight=weight, reduction=reduction, return_divisor=True
        )
        assert number == divisor
        np.testing.assert_allclose(value, total / divisor, rtol=1e-15)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int64, np.uint64, np.float32, ">f8"])
def test_dtypes_of_data(kind: Any) -> None:
    arrays = sample(30, 9)
    want = fl.cox_ph_loss(**arrays)
    event = arrays["event"].astype(kind)
    time = arrays["time"].astype(np.int64 if kind is bool else kind)
    assert same(fl.cox_ph_loss(arrays["input"], time, event), want)


def test_many_bits_of_time() -> None:
    """Whole numbers are not rounded."""
    time = np.array([2**62 + 1, 2**62, 2**62 + 2])
    got = fl.cox_ph_loss([1.0, 0.0, 0.5], time, [1, 1, 1])
    assert got == fl.cox_ph_loss([1.0, 0.0, 0.5], [1, 0, 2], [1, 1, 1])


def test_adapters_weigh_values() -> None:
    """Autograd carries back a number for each value, which is not a weight of risks."""
    from fusedloss._core.frameworks import Outline

    arrays = sample(12, 2)
    upstream = np.random.default_rng(1).normal(size=12)
    for more in ({}, {"weight": np.linspace(0, 2, 12)}, {"entry": arrays["time"] - 1}):
        given = {**arrays, **more, "reduction": "none"}
        grad = Outline(fl.cox_ph_loss).carry_back(given, upstream, ("input",))["input"]
        for k in range(12):
            step = np.zeros(12)
            step[k] = 1e-6
            up, down = (
                (fl.cox_ph_loss(**given | {"input": arrays["input"] + s}) * upstream).sum()
                for s in (step, -step)
            )
            np.testing.assert_allclose((up - down) / 2e-6, grad[k], atol=1e-8)


# ---- what is refused -----------------------------------------------------------------------------

GOOD: dict[str, Any] = {"input": [1.0, 2, 3], "time": [1.0, 2, 3], "event": [1, 0, 1]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"time": [1.0, nan, 3]}, ValueError, r"^time: the value at \[1\] is nan; .*finite"),
        ({"time": [1.0, 2, inf]}, ValueError, r"^time: the value at \[2\] is inf"),
        ({"time": [1.0, 2]}, ValueError, r"^event: .*\(2,\) as of time, got \(3,\)"),
        ({"time": [[1.0], [2], [3]]}, ValueError, r"^time: a number for each row"),
        ({"event": [1, 2, 0]}, ValueError, r"^event: the value at \[1\] is 2; .*0 \(censored\)"),
        ({"event": [1, 0.5, 0]}, ValueError, r"^event: the value at \[1\] is 0\.5"),
        ({"event": [1, nan, 0]}, ValueError, r"^event: the value at \[1\] is nan"),
        ({"input": [1.0, 2]}, ValueError, r"^time: 3 rows, but input has 2"),
        ({"input": [[1.0], [2], [3]]}, ValueError, r"^input: a number for each row"),
        ({"input": 3.0}, ValueError, r"^input: "),
        ({"entry": [0.0, 2, 1]}, ValueError, r"^entry: the value at \[1\] is 2\.0; .*before"),
        ({"entry": [0.0, nan, 1]}, ValueError, r"^entry: the value at \[1\] is nan"),
        ({"entry": [0.0]}, ValueError, r"^entry: a number for each row"),
        ({"weight": [1.0, -1, 1]}, ValueError, r"^weight: the value at \[1\] is -1"),
        ({"weight": [1.0, inf, 1]}, ValueError, r"^weight: the value at \[1\] is inf"),
        ({"weight": [1.0, nan, 1]}, ValueError, r"^weight: the value at \[1\] is nan"),
        ({"weight": [1.0, 2]}, ValueError, r"^weight: shape \(2,\)"),
        ({"strata": [1, 2]}, ValueError, r"^strata: an id for each row"),
        ({"strata": [[1, 2]] * 3}, ValueError, r"^strata: .*of several columns make one"),
        ({"strata": [1, nan, 2]}, ValueError, r"^strata: the id at position 1 is nan"),
        ({"strata": ["a", None, "b"]}, ValueError, r"^strata: the id at position 1 is None"),
        ({"strata": np.array([1, "a", 2], object)}, TypeError, r"^strata: ids must be of one"),
        ({"ties": "exact"}, ValueError, r"^ties: must be one of efron, breslow; got 'exact'"),
        ({"plan": 3}, TypeError, r"^plan: what cox_ph_loss.plan\(...\) returns is needed"),
        ({"time": None}, TypeError, r"^time: an array is needed, got None; or pass a plan="),
        ({"event": None}, TypeError, r"^event: an array is needed, got None; or pass a plan="),
    ],
)
def test_errors(change: dict[str, Any], error: Any, message: str) -> None:
    buffer = np.full(3, 7.0)
    for method in (fl.cox_ph_loss, fl.cox_ph_loss.value_and_grad, fl.cox_ph_loss.value_grad_hess):
        more = {} if method is fl.cox_ph_loss else {"grad_out": buffer}
        with pytest.raises(error, match=message):
            method(**GOOD | change, **more)
    assert (buffer == 7).all()


def test_times_may_be_negative() -> None:
    assert fl.cox_ph_loss([1.0, 2, 3], [-3, -2, -1], [1, 1, 1]) == fl.cox_ph_loss(
        [1.0, 2, 3], [1, 2, 3], [1, 1, 1]
    )


def test_exact_values_by_hand() -> None:
    """The truth that the registry's rows are measured by, for two events of three rows."""
    from tests.losses.case import mp

    numbers = {
        "input": np.array([mp.mpf(0)] * 3, object),
        "time": np.array([1, 1, 2]),
        "event": np.array([1, 1, 0]),
    }
    values, grads, _ = cox_exact(numbers)
    assert abs(values[0][0] - (mp.log(mp.mpf(3)) + mp.log(mp.mpf(2))) / 2) < 1e-40
    assert abs(grads["input"][2][0] - (mp.mpf(1) / 3 + mp.mpf(1) / 2)) < 1e-40
