"""Objectives of losses with more operands than scores and labels, and of labels that are times."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import boosting
from fusedloss.boosting._targets import Prepared
from tests.test_boosting import MAKER, MAKERS, TABLES, WEIGHT, Array, Data, N, derivatives

RNG = np.random.default_rng(3)
SCORES = RNG.normal(size=N)
COUNTS = RNG.poisson(2.0, N).astype(np.float32)
VAR = RNG.uniform(0.5, 3.0, N)
WEIGHTS = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


# ---- operands that are options ---------------------------------------------------------------


@MAKER
@WEIGHTS
@pytest.mark.parametrize("var", [1.5, np.float32(0.25), VAR], ids=["number", "float32", "rows"])
def test_a_bound_operand(maker: Any, weight: Any, var: Any) -> None:
    if maker is boosting.catboost and np.ndim(var):
        pytest.skip("takes numbers alone")
    objective = maker("gaussian_nll_loss", var=var)
    grad, hess = derivatives(objective, SCORES, COUNTS, weight)
    w = 1 if weight is None else weight
    np.testing.assert_allclose(grad, w * (SCORES - COUNTS) / var, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hess, w * np.ones(N) / var, rtol=1e-6)
    expected = fl.gaussian_nll_loss(
        SCORES, COUNTS, var, weight=weight, reduction="mean" if weight is None else "weighted_mean"
    )
    value, _ = objective._mean(SCORES, COUNTS, weight)
    assert value == pytest.approx(float(expected), rel=1e-12)


def test_columns_of_scores_with_a_bound_operand() -> None:
    """A number for each row, or for each score."""
    scores, labels = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2))
    for var in (2.0, VAR, np.stack([VAR, 2 * VAR], axis=1)):
        objective = boosting.xgboost("gaussian_nll_loss", var=var)
        grad, hess = objective(scores, Data(labels, WEIGHT))
        each = np.broadcast_to(np.asarray(var).T, (2, N)).T
        np.testing.assert_allclose(grad, WEIGHT[:, None] * (scores - labels) / each, rtol=1e-5)
        np.testing.assert_allclose(hess, WEIGHT[:, None] / each, rtol=1e-6)


def test_starts_with_a_bound_operand() -> None:
    for var in (0.7, VAR):
        objective = boosting.xgboost("gaussian_nll_loss", var=var)
        expected = np.average(COUNTS, weights=WEIGHT / var)
        assert objective.base_score(COUNTS, WEIGHT) == pytest.approx(expected, rel=1e-6)
        each = boosting.lightgbm("gaussian_nll_loss", var=var).init_score(COUNTS, WEIGHT)
        np.testing.assert_allclose(each, np.full(N, expected), rtol=1e-6)


@TABLES
def test_rows_that_do_not_fit_a_bound_operand(maker: Any) -> None:
    objective = maker("gaussian_nll_loss", var=VAR)
    with pytest.raises(ValueError, match=r"^var: a number, or one for each of 7 rows, .*\(300,\)"):
        objective(SCORES[:7], Data(COUNTS[:7]))
    with pytest.raises(ValueError, match=r"^var: .* take an objective of their own"):
        objective.metric(SCORES[:7], Data(COUNTS[:7]))
    with pytest.raises(
        ValueError, match=r"^var: the value at \[0\] is -1\.0; accepted are numbers"
    ):
        maker("gaussian_nll_loss", var=-1.0)(SCORES, Data(COUNTS))


@MAKER
@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (
            {},
            TypeError,
            r"^var: gaussian_nll_loss needs it .* \w+\('gaussian_nll_loss', var=\.\.\.\)",
        ),
        ({"var": 1.0, "target": 2.0}, TypeError, "^target: comes from the data set"),
        ({"var": 1.0, "input": 2.0}, TypeError, "no option 'input'.* the options are var, full"),
        ({"vra": 1.0, "var": 1.0}, TypeError, "no option 'vra'; did you mean 'var'"),
        ({"var": "much"}, TypeError, "^var: "),
        ({"var": 1.0, "full": 3}, TypeError, "^full: "),
    ],
)
def test_errors_of_bound_operands(
    maker: Any, options: dict[str, Any], error: Any, match: str
) -> None:
    with pytest.raises(error, match=match):
        maker("gaussian_nll_loss", **options)


def test_catboost_takes_no_rows() -> None:
    with pytest.raises(TypeError, match=r"^var: a number is needed, as catboost asks for .*some"):
        boosting.catboost("gaussian_nll_loss", var=VAR)


@MAKER
def test_copies_with_a_bound_operand(maker: Any) -> None:
    var: Any = 1.5 if maker is boosting.catboost else VAR.copy()
    objective = maker("gaussian_nll_loss", var=var)
    expected = [part.copy() for part in derivatives(objective, SCORES, COUNTS, None)]
    twin = pickle.loads(pickle.dumps(objective))
    assert twin == objective and hash(twin) == hash(objective)
    assert objective != maker("gaussian_nll_loss", var=2.5)
    if np.ndim(var):
        var[:] = 9.0  # the objective has its own
    for one in (objective, twin):
        for a, b in zip(expected, derivatives(one, SCORES, COUNTS, None), strict=True):
            np.testing.assert_array_equal(a, b)
    if not np.ndim(var):
        assert repr(objective) == f"{maker.__name__}('gaussian_nll_loss', var=1.5)"


def test_other_derivatives_take_no_memory() -> None:
    """Those with respect to the operands that are options: a round allocates next to nothing."""
    n = 200_000
    scores, labels = np.zeros(n, np.float32), Data(np.ones(n, np.float32))
    for var in (2.0, np.full(n, 2.0, np.float32)):
        objective = boosting.xgboost("gaussian_nll_loss", var=var)
        objective(scores, labels)
        tracemalloc.start()
        objective(scores, labels)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < n


#: A number for each operand that can be an option.
OPERANDS: dict[str, Any] = {
    "var": 1.5,
    "dispersion": 0.3,
    "zero_logit": -1.0,
    "trials": 8.0,
    "precision": 5.0,
    "scale": 1.2,
    "shape": 1.5,
    "thresholds": (-1.0, 0.0, 1.0),
}


def test_every_loss_with_operands_is_an_objective() -> None:
    """Whose gradient is that of the loss: those with respect to the operands are left out."""
    made = set()
    for name in fl.__all__:
        loss = getattr(fl, name)
        if not isinstance(loss, fl.Loss) or not set(loss._operands[1:]) - {"target"}:
            continue
        given = {n: OPERANDS[n] for n in loss._operands if n in OPERANDS}
        if set(loss._operands) - {*given} != {"input", "target"}:
            continue
        made.add(name)
        labels = COUNTS % 8 + 1
        if name == "beta_nll_loss":
            labels = (labels / 10).astype(np.float32)
        if "thresholds" in given:
            labels = labels % 4
        target = labels.astype(int) if "thresholds" in given else labels
        _, expected = loss.value_and_grad(
            SCORES, target=target, weight=WEIGHT, reduction="sum", **given
        )
        for maker in MAKERS:
            grad, hess = derivatives(maker(loss, **given), SCORES, labels, WEIGHT)
            slope = expected[0] if isinstance(expected, tuple) else expected
            np.testing.assert_allclose(grad, slope, rtol=1e-5, atol=1e-6)
            assert np.all(hess >= 0) and np.any(hess > 1e-3)
    assert "gaussian_nll_loss" in made


# ---- labels that are times -------------------------------------------------------------------

TIMES = RNG.exponential(5.0, N).round(1) + 0.1
EVENTS = RNG.random(N) < 0.6
SIGNED = np.where(EVENTS, TIMES, -TIMES)
UPPER = np.where(EVENTS, TIMES, np.inf)


@dataclass
class BoundedData(Data):
    """A DMatrix with bounds."""

    lower: Any = ()
    upper: Any = ()

    def get_float_info(self, name: str) -> Array:
        return np.asarray({"label_lower_bound": self.lower, "label_upper_bound": self.upper}[name])


def of_aft(weight: Any, **options: Any) -> tuple[Array, Array]:
    w = np.ones(N) if weight is None else weight
    call = fl.aft_loss.value_grad_hess(
        SCORES, TIMES, UPPER, weight=w, reduction="sum", **{"scale": 1.2, **options}
    )
    grad, hess = (part[0] if isinstance(part, tuple) else part for part in call[1:])
    return grad, np.maximum(hess, 1e-16 * w)


@MAKER
@WEIGHTS
@pytest.mark.parametrize("distribution", ["normal", "logistic", "extreme"])
def test_times_and_their_bounds(maker: Any, weight: Any, distribution: str) -> None:
    """Labels with signs, bounds of a data set, and bounds that are options are the same."""
    expected = of_aft(weight, distribution=distribution)
    options: dict[str, Any] = {"distribution": distribution, "scale": 1.2}
    objective = maker("aft_loss", **options)
    results = [derivatives(objective, SCORES, SIGNED, weight)]
    if maker is boosting.xgboost:
        results.append(objective(SCORES, BoundedData((), weight, TIMES, UPPER)))
        results.append(objective(SCORES, BoundedData(SIGNED, weight)))
    if maker is not boosting.catboost:
        given = maker("aft_loss", lower=TIMES, upper=UPPER, **options)
        results.append(derivatives(given, SCORES, np.zeros(N), weight))
        rows = maker("aft_loss", distribution=distribution, scale=np.full(N, 1.2))
        results.append(derivatives(rows, SCORES, SIGNED, weight))
    for result in results:
        for a, b in zip(result, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-9)
    value, total = objective._mean(SCORES, SIGNED, weight)
    mean = fl.aft_loss(SCORES, TIMES, UPPER, weight=weight, reduction="weighted_mean", **options)
    assert value == pytest.approx(float(mean), rel=1e-6)
    assert total == pytest.approx(N if weight is None else weight.sum(dtype=float))


def test_starts_of_times() -> None:
    objective = boosting.xgboost("aft_loss", scale=1.2)
    start = objective.base_score(SIGNED, WEIGHT)
    flat = np.full(N, start)
    _, grads = fl.aft_loss.value_and_grad(flat, TIMES, UPPER, scale=1.2, weight=WEIGHT)
    grad = grads[0] if isinstance(grads, tuple) else grads
    assert abs(grad.sum()) < 1e-12
    for y in ((TIMES, UPPER), BoundedData((), None, TIMES, UPPER)):
        again = objective.base_score(y, WEIGHT if isinstance(y, tuple) else None)
        assert again == pytest.approx(
            start if isinstance(y, tuple) else objective.base_score(SIGNED)
        )
    assert boosting.lightgbm("aft_loss", scale=1.2).init_score((TIMES, UPPER)).shape == (N,)
    cox = boosting.xgboost("cox_ph_loss")
    assert (
        cox.base_score(SIGNED) == 0
        and not boosting.lightgbm("cox_ph_loss").init_score(SIGNED).any()
    )


@TABLES
@WEIGHTS
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_all_rows_together(maker: Any, weight: Any, ties: str) -> None:
    objective = maker("cox_ph_loss", ties=ties)
    grad, hess = derivatives(objective, SCORES, SIGNED, weight)
    value, slope, curvature = fl.cox_ph_loss.value_grad_hess(
        SCORES, TIMES, EVENTS, ties=ties, weight=weight, reduction="sum"
    )
    np.testing.assert_allclose(grad, slope, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(hess, curvature, rtol=1e-5, atol=1e-7)
    mean, events = objective._mean(SCORES, SIGNED, weight)
    counted = EVENTS if weight is None else EVENTS * weight.astype(float)
    assert events == pytest.approx(counted.sum()) and mean * events == pytest.approx(float(value))
    for part, floor in (("exact", 1e-16), ("auto", 0.01)):
        least = maker("cox_ph_loss", ties=ties, hessian=part, floor=floor)
        w = 1 if weight is None else weight
        _, got = derivatives(least, SCORES, SIGNED, weight)
        np.testing.assert_allclose(got, np.maximum(curvature, floor * w), rtol=1e-5)
    flat = derivatives(maker("cox_ph_loss", ties=ties, hessian="constant"), SCORES, SIGNED, weight)
    np.testing.assert_array_equal(flat[1], np.ones(N) if weight is None else weight)


@TABLES
def test_strata_and_late_entries(maker: Any) -> None:
    strata = np.array(["a", "b", "c"])[RNG.integers(0, 3, N)]
    entry = TIMES * RNG.uniform(0, 0.5, N)
    objective = maker("cox_ph_loss", strata=strata, entry=entry)
    grad, _ = derivatives(objective, SCORES, SIGNED, WEIGHT)
    _, slope = fl.cox_ph_loss.value_and_grad(
        SCORES, TIMES, EVENTS, weight=WEIGHT, strata=strata, entry=entry, reduction="sum"
    )
    np.testing.assert_allclose(grad, slope, rtol=1e-5, atol=1e-6)
    assert pickle.loads(pickle.dumps(objective)) == objective != maker("cox_ph_loss", entry=entry)
    with pytest.raises(ValueError, match=r"^(strata|entry): .* one for each of 7 rows, is needed"):
        objective(SCORES[:7], Data(SIGNED[:7]))


@TABLES
def test_plans_are_made_once_for_each_data_set(maker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    plan = fl.cox_ph_loss.plan

    def counted(*args: Any, **options: Any) -> Any:
        made.append(len(args[0]))
        return plan(*args, **options)

    monkeypatch.setitem(vars(fl.cox_ph_loss), "plan", counted)
    objective = maker("cox_ph_loss")
    sets = [
        Data(SIGNED[:k].astype(np.float32), w) for k, w in ((N, None), (N, WEIGHT), (200, None))
    ]

    def round_of(k: int) -> Any:
        rows = len(sets[k].labels)
        return [part.copy() for part in objective(SCORES[:rows], Data(*vars(sets[k]).values()))]

    first = [round_of(k) for k in range(3)]
    assert sorted(made) == [200, N, N]
    for _ in range(3):
        for k in range(3):
            objective.metric(SCORES[: len(sets[k].labels)], sets[k])
            for a, b in zip(round_of(k), first[k], strict=True):
                np.testing.assert_array_equal(a, b)
    assert len(made) == 3
    with ThreadPoolExecutor(8) as pool:
        for k, result in enumerate(pool.map(round_of, [0, 1, 2] * 20)):
            np.testing.assert_array_equal(result[0], first[k % 3][0])
    assert len(made) == 3
    sets[0].labels[0] *= -1  # in the same memory: these are others
    changed = round_of(0)
    assert len(made) == 4 and np.any(changed[0] != first[0][0])
    assert len(pickle.dumps(objective)) < 1000
    own = maker("cox_ph_loss", plan=plan(TIMES, EVENTS))
    np.testing.assert_allclose(
        own(SCORES, Data(np.zeros(N)))[0], maker("cox_ph_loss")(SCORES, Data(SIGNED))[0]
    )
    assert pickle.loads(pickle.dumps(own)) == own != maker("cox_ph_loss")
    assert hash(own) == hash(maker("cox_ph_loss", plan=plan(TIMES, EVENTS)))
    with pytest.raises(ValueError, match=r"^plan: it is of 300 rows, but input has 7"):
        own(SCORES[:7], Data(SIGNED[:7]))


def test_few_plans_are_kept() -> None:
    prepared = Prepared()
    for k in range(50):
        assert prepared.get((np.full(3, k), None), lambda k=k: k) == k
    assert len(prepared._kept) == Prepared._MOST
    assert prepared.get((np.full(3, 49), None), lambda: -1) == 49
    assert prepared.get((np.full(3, 0), None), lambda: -1) == -1
    assert prepared.get((np.full(3, 49), np.ones(3)), lambda: -2) == -2


@TABLES
@pytest.mark.parametrize("loss", ["cox_ph_loss", "aft_loss"])
@pytest.mark.parametrize(
    ("wrong", "text"), [(0.0, r"0\.0"), (np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")]
)
def test_labels_that_are_no_times(maker: Any, loss: str, wrong: float, text: str) -> None:
    labels = SIGNED.copy()
    labels[7] = wrong
    objective = maker(loss, **({"scale": 1.0} if loss == "aft_loss" else {}))
    match = rf"^labels: times are needed, negative where .*; the label at \[7\] is {text}"
    for call in (objective, objective.metric):
        with pytest.raises(ValueError, match=match):
            call(SCORES, Data(labels))
    start = "base_score" if maker is boosting.xgboost else "init_score"
    with pytest.raises(ValueError, match=r"^(y|labels): "):
        getattr(objective, start)(labels)
    with pytest.raises(ValueError, match=r"scores of shape \(7,\) and labels of shape \(300,\)"):
        objective(SCORES[:7], Data(SIGNED))
    with pytest.raises(ValueError, match="one score for each row is needed"):
        objective(SCORES.reshape(-1, 2), Data(SIGNED))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        ("aft_loss", {}, TypeError, r"^scale: aft_loss needs it .*, scale=\.\.\.\)"),
        ("aft_loss", {"lower": TIMES, "scale": 1.0}, TypeError, "^lower, upper: both are needed"),
        ("aft_loss", {"target": TIMES, "scale": 1.0}, TypeError, "no option 'target'"),
        ("cox_ph_loss", {"time": TIMES}, TypeError, "^time: comes from the data set"),
        ("cox_ph_loss", {"event": TIMES}, TypeError, "^event: comes from the data set"),
        ("cox_ph_loss", {"weight": TIMES}, TypeError, "^weight: comes from the data set"),
        ("cox_ph_loss", {"ties": "exact"}, ValueError, "^ties: "),
        ("cox_ph_loss", {"plan": 3}, TypeError, "^plan: "),
        ("ordinal_loss", {}, TypeError, "^thresholds: ordinal_loss needs it"),
        ("ordinal_loss", {"thresholds": "x"}, TypeError, "^thresholds: "),
    ],
)
def test_errors_of_losses_of_times(
    arguments: str, options: dict[str, Any], error: Any, match: str
) -> None:
    for maker in MAKERS[:2]:
        with pytest.raises(error, match=match):
            maker(arguments, **options)


def test_bounds_that_do_not_fit() -> None:
    given = boosting.lightgbm("aft_loss", lower=TIMES, upper=UPPER, scale=1.0)
    with pytest.raises(ValueError, match=r"^lower: a number, or one for each of 7 rows"):
        given(SCORES[:7], Data(SIGNED[:7]))
    objective = boosting.xgboost("aft_loss", scale=1.0)
    with pytest.raises(ValueError, match=r"^upper: one for each of 300 rows is needed"):
        objective(SCORES, BoundedData((), None, TIMES, ()))
    with pytest.raises(ValueError, match=r"^lower|^upper"):
        objective(SCORES, BoundedData((), None, UPPER, TIMES))


# ---- grades and steps --------------------------------------------------------------------------

GRADES = RNG.integers(0, 4, N)


@MAKER
@WEIGHTS
@pytest.mark.parametrize("loss", ["ordinal_loss", "all_threshold_loss", "immediate_threshold_loss"])
def test_grades(maker: Any, weight: Any, loss: str) -> None:
    thresholds = boosting.thresholds(GRADES, weight)
    objective = maker(loss, thresholds=thresholds)
    _, (grad, _), (hess, _) = getattr(fl, loss).value_grad_hess(
        SCORES, thresholds, GRADES, weight=weight, reduction="sum"
    )
    for labels in (GRADES, GRADES.astype(np.float32)):
        got = derivatives(objective, SCORES, labels, weight)
        np.testing.assert_allclose(got[0], grad, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(got[1], hess, rtol=1e-5, atol=1e-7)
    far = derivatives(maker(loss, thresholds=thresholds, floor=0.5), SCORES, GRADES, weight)[1]
    np.testing.assert_allclose(
        far, np.maximum(hess, 0.5 * (1 if weight is None else weight)), rtol=1e-5
    )
    if loss == "ordinal_loss":
        assert objective._start(GRADES, weight) == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(ValueError, match=r"^labels: class numbers are needed, .* is \d\.5"):
        derivatives(objective, SCORES, GRADES + 0.5, weight)


@MAKER
def test_steps_of_time(maker: Any) -> None:
    steps, scores = RNG.integers(1, 5, N), RNG.normal(size=(N, 4))
    signed = np.where(EVENTS, steps, -steps).astype(np.float32)
    objective = maker("discrete_survival_loss")
    _, grad, hess = fl.discrete_survival_loss.value_grad_hess(
        scores, steps - 1, EVENTS, sample_weight=WEIGHT, reduction="sum"
    )
    if maker is boosting.catboost:
        der1, der2 = objective.calc_ders_multi(scores[3], signed[3], float(WEIGHT[3]))
        np.testing.assert_allclose(-der1, grad[3], rtol=1e-6)
        np.testing.assert_allclose(
            -np.diag(der2), np.maximum(hess[3], 1e-16 * WEIGHT[3]), rtol=1e-6
        )
        return
    got = objective(scores, Data(signed, WEIGHT))
    np.testing.assert_allclose(got[0], grad, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(got[1], np.maximum(hess, 1e-16), rtol=1e-5, atol=1e-15)
    start = objective._start(signed, WEIGHT)
    flat = np.tile(start, (N, 1))
    _, slope = fl.discrete_survival_loss.value_and_grad(
        flat, steps - 1, EVENTS, sample_weight=WEIGHT, reduction="sum"
    )
    np.testing.assert_allclose(slope.sum(0), 0, atol=1e-10)
    for wrong, text in ((0.0, r"0\.0"), (1.5, r"1\.5"), (5.0, "5"), (-6.0, "-6")):
        signed[3] = wrong
        with pytest.raises(ValueError, match=rf"^labels: .* at \[3\] is {text}"):
            objective(scores, Data(signed))


@pytest.mark.parametrize("loss", ["coral_loss", "corn_loss"])
def test_starts_of_bits(loss: str) -> None:
    start = boosting.xgboost(loss).base_score(GRADES, WEIGHT)
    flat = np.tile(start, (N, 1))
    _, slope = getattr(fl, loss).value_and_grad(flat, GRADES, sample_weight=WEIGHT, reduction="sum")
    np.testing.assert_allclose(slope.sum(0), 0, atol=1e-4)


def test_thresholds() -> None:
    counts = np.array([3.0, 5.0, 1.0, 9.0])
    y = np.repeat(np.arange(4), counts.astype(int))
    shares = np.cumsum(counts)[:-1] / counts.sum()
    for given in ((y,), (np.arange(4), counts), (y.astype(np.float32),)):
        logits = boosting.thresholds(*given)
        np.testing.assert_allclose(logits, np.log(shares / (1 - shares)), rtol=1e-12)
        bends = boosting.thresholds(*given, link="cloglog")
        np.testing.assert_allclose(1 - np.exp(-np.exp(bends)), shares, rtol=1e-12)
        normal = boosting.thresholds(*given, link="probit")
        expected = [erfc(-z / sqrt(2)) / 2 for z in normal]
        np.testing.assert_allclose(expected, shares, rtol=1e-12)
    for wrong, match in (
        ([0, 2], r"^y: each of two or more grades must occur, from 0 on; 1 does not"),
        ([0, 0], r"^y: .*; 1 does not"),
        ([1, 2], r"^y: .*; 0 does not"),
        ([0.5, 1], r"^y: class numbers are needed.* is 0\.5"),
        ([-1, 0], r"^y: grades from 0 on are needed, got -1"),
        ([], r"^y: grades of shape"),
        ([np.nan, 0], r"^y: .* is nan"),
    ):
        with pytest.raises(ValueError, match=match):
            boosting.thresholds(wrong)
    for weight in ([1.0], [1.0, -1.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match=r"^weight: one finite number"):
            boosting.thresholds([0, 1], weight)
    with pytest.raises(ValueError, match=r"^link: "):
        boosting.thresholds([0, 1], link="cauchit")  # type: ignore[arg-type]
