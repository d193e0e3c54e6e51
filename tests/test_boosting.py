"""Objectives of boosters, as far as that needs NumPy alone: conventions, labels, errors, copies."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import boosting

Array = np.ndarray[Any, Any]
MAKERS = (boosting.xgboost, boosting.lightgbm, boosting.catboost)
MAKER = pytest.mark.parametrize("maker", MAKERS, ids=lambda f: f.__name__)
TABLES = pytest.mark.parametrize("maker", MAKERS[:2], ids=lambda f: f.__name__)
RNG = np.random.default_rng(0)
N, K = 300, 4
SCORES = RNG.normal(size=N)
LABELS = (RNG.random(N) < 0.4).astype(np.float32)
ROWS = RNG.normal(size=(N, K))
CLASSES = RNG.integers(0, K, N).astype(np.float32)
WEIGHT = RNG.uniform(0.5, 2, N).astype(np.float32)


@dataclass
class Data:
    """What the objectives ask of a DMatrix or a Dataset."""

    labels: Any
    weight: Any = None

    def get_label(self) -> Any:
        return self.labels

    def get_weight(self) -> Any:
        return self.weight


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# ---- the numbers ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A loss, and its derivatives without weights as NumPy gives them."""

    loss: str
    truth: Callable[[], tuple[Array, Array]]
    booster: str = "xgboost lightgbm catboost"
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.loss}-{self.booster}"


def _softmax(scale: float, floor: float) -> tuple[Array, Array]:
    p = softmax(ROWS)
    return p - np.eye(K)[CLASSES.astype(int)], np.maximum(scale * p * (1 - p), floor)


def _logistic(floor: float) -> tuple[Array, Array]:
    p = sigmoid(SCORES)
    return p - LABELS, np.maximum(p * (1 - p), floor)


def _focal() -> tuple[Array, Array]:
    value = fl.sigmoid_focal_loss.value_grad_hess(SCORES, LABELS, gamma=1.0, reduction="sum")
    return value[1], np.maximum(value[2], 1e-16)


SIGNS = 2 * LABELS - 1
CASES = [
    Case("mse_loss", lambda: (SCORES - LABELS, np.ones(N))),
    Case(
        "msle_loss",
        lambda: (
            (np.log1p(abs(SCORES)) - np.log1p(LABELS)) / (abs(SCORES) + 1),
            np.maximum(
                (1 - np.log1p(abs(SCORES)) + np.log1p(LABELS)) / (abs(SCORES) + 1) ** 2, 1e-6
            ),
        ),
        "xgboost",
    ),
    Case("binary_cross_entropy_with_logits", lambda: _logistic(1e-16)),
    Case("cross_entropy", lambda: _softmax(2, 1e-16), "xgboost"),
    Case("cross_entropy", lambda: _softmax(K / (K - 1), 0), "lightgbm"),
    Case(
        "poisson_nll_loss",
        lambda: (np.exp(SCORES) - LABELS, np.exp(SCORES + 0.7)),
        "xgboost lightgbm",
    ),
    Case("poisson_nll_loss", lambda: (np.exp(SCORES) - LABELS, np.exp(SCORES)), "catboost"),
    Case("l1_loss", lambda: (np.sign(SCORES - LABELS), np.ones(N))),
    Case(
        "quantile_loss",
        lambda: (np.where(SCORES < LABELS, -0.7, 0.3), np.ones(N)),
        options=(("q", 0.7),),
    ),
    Case(
        "huber_loss",
        lambda: (
            np.clip(SCORES - LABELS, -1, 1),
            np.where(abs(SCORES - LABELS) < 1, 1, 1e-16),
        ),
        "xgboost",
    ),
    Case("huber_loss", lambda: (np.clip(SCORES - LABELS, -1, 1), np.ones(N)), "lightgbm"),
    Case(
        "huber_loss",
        lambda: (np.clip(SCORES - LABELS, -1, 1), 1.0 * (abs(SCORES - LABELS) < 1)),
        "catboost",
    ),
    Case(
        "hinge_loss",
        lambda: (
            np.where(SIGNS * SCORES < 1, -SIGNS, 0),
            np.where(SIGNS * SCORES < 1, 1, np.finfo(np.float32).tiny),
        ),
        "xgboost",
    ),
    Case(
        "hinge_loss",
        lambda: (np.where(SIGNS * SCORES < 1, -SIGNS, 0), np.ones(N)),
        "lightgbm catboost",
    ),
    Case("sigmoid_focal_loss", _focal, "xgboost lightgbm", (("gamma", 1.0),)),
]
NUMBERS = [(case, maker) for case in CASES for maker in MAKERS if maker.__name__ in case.booster]


def derivatives(objective: Any, scores: Array, labels: Any, weight: Any) -> tuple[Array, Array]:
    """Of any booster, with the signs of a loss."""
    if isinstance(objective, boosting.CatBoostObjective):
        result = -objective.calc_ders_range(scores, labels, weight)  # type: ignore[attr-defined]
        return result[:, 0], result[:, 1]
    grad, hess = objective(scores, Data(labels, weight))
    assert grad.dtype == hess.dtype == np.float32
    return grad, hess


@pytest.mark.parametrize(
    ("case", "maker"), NUMBERS, ids=[f"{case.loss}-{maker.__name__}" for case, maker in NUMBERS]
)
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_derivatives(case: Case, maker: Any, weight: Any) -> None:
    """Sign, sum, scale, floor and weights are those of the booster."""
    scores, labels = (ROWS, CLASSES) if case.loss == "cross_entropy" else (SCORES, LABELS)
    scores = abs(scores) if case.loss == "msle_loss" else scores
    if maker is boosting.xgboost:
        scores = scores.astype(np.float32)
    grad, hess = derivatives(maker(case.loss, **dict(case.options)), scores, labels, weight)
    g, h = case.truth()
    if weight is not None:
        w = weight[:, None] if scores.ndim == 2 else weight
        g, h = g * w, h * w
    np.testing.assert_allclose(grad, g, rtol=2e-5, atol=2e-7)
    np.testing.assert_allclose(hess, h, rtol=2e-5, atol=1e-37)


@TABLES
def test_both_ways_to_call(maker: Any) -> None:
    """The native one, and that of scikit-learn's classes."""
    objective = maker("huber_loss", delta=0.5)
    native = objective(SCORES, Data(LABELS, WEIGHT))
    for a, b in zip(native, objective(LABELS, SCORES, WEIGHT), strict=True):
        np.testing.assert_array_equal(a, b)
    plain = objective(SCORES, Data(LABELS, np.array([], np.float32)))  # XGBoost's: no weights
    for a, b in zip(plain, objective(LABELS, SCORES), strict=True):
        np.testing.assert_array_equal(a, b)


def test_signatures_are_what_boosters_look_for() -> None:
    assert "sample_weight" in inspect.signature(boosting.xgboost("mse_loss")).parameters
    assert len(inspect.signature(boosting.lightgbm("mse_loss")).parameters) == 4
    assert len(inspect.signature(boosting.lightgbm("mse_loss").metric).parameters) == 4
    for maker in MAKERS:
        assert maker("mse_loss").metric.__name__ == "mse_loss"
    assert not hasattr(boosting.catboost("mse_loss"), "calc_ders_multi")
    assert not hasattr(boosting.catboost("cross_entropy"), "calc_ders_range")


def test_orders_of_memory() -> None:
    for part in boosting.lightgbm("cross_entropy")(np.asfortranarray(ROWS), Data(CLASSES)):
        assert part.flags.f_contiguous and part.shape == (N, K)
    for part in boosting.xgboost("cross_entropy")(ROWS.astype(np.float32), Data(CLASSES)):
        assert part.flags.c_contiguous and part.shape == (N, K)


@TABLES
def test_buffers_are_kept_but_never_taken_from_their_holder(maker: Any) -> None:
    objective = maker("mse_loss")
    first = objective(SCORES, Data(LABELS))
    copies = [part.copy() for part in first]
    second = objective(2 * SCORES, Data(LABELS))
    for part, before in zip(first, copies, strict=True):
        np.testing.assert_array_equal(part, before)
    addresses = {part.ctypes.data for part in (*first, *second)}
    assert len(addresses) == 4
    view = first[0][::2]  # holds it, too
    del first, second, part
    third = objective(SCORES, Data(LABELS))
    assert {part.ctypes.data for part in third} < addresses
    np.testing.assert_array_equal(view, copies[0][::2])
    assert objective(SCORES[:7], Data(LABELS[:7]))[0].shape == (7,)


def test_threads_share_an_objective() -> None:
    """Nobody gets an array that another one holds."""
    objective = boosting.xgboost("mse_loss")

    def work(k: int) -> bool:
        right = True
        for n in range(200):
            size = 50 + n % 3
            grad, hess = objective(np.full(size, k, np.float32), Data(np.zeros(size)))
            right &= bool(np.all(grad == k) and np.all(hess == 1) and len(grad) == size)
        return right

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(1, 17)))


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("cross_entropy", {}),
        ("cross_entropy", {"label_smoothing": 0.2, "weight": np.arange(1.0, K + 1)}),
        ("cross_entropy", {"softcap": 3.0, "z_loss": 0.1}),
        ("softmax_focal_loss", {}),
        ("softmax_focal_loss", {"label_smoothing": 0.2}),
        ("brier_loss", {}),
    ],
)
def test_matrices_for_catboost(loss: str, options: dict[str, Any]) -> None:
    """The whole Hessian of losses of a softmax, by differences; of others its diagonal."""
    objective: Any = boosting.catboost(loss, **options)
    assert not np.any(objective.calc_ders_multi(ROWS[0], -100.0, 1.0)[1])  # an ignored label
    for row, label in zip(ROWS[:20], CLASSES, strict=False):
        der1, der2 = objective.calc_ders_multi(row, float(label), 1.0)
        step = 1e-5
        for k in range(K):
            up, down = row.copy(), row.copy()
            up[k] += step
            down[k] -= step
            change = objective.calc_ders_multi(up, float(label), 1.0)[0]
            change = (change - objective.calc_ders_multi(down, float(label), 1.0)[0]) / (2 * step)
            if loss == "brier_loss":
                assert np.count_nonzero(der2[k]) == 1
                if change[k] < -1e-6:  # else the floor is taken
                    np.testing.assert_allclose(der2[k, k], change[k], atol=1e-8)
            else:
                np.testing.assert_allclose(der2[k], change, atol=1e-8)
        weighted = objective.calc_ders_multi(row, float(label), 2.5)
        np.testing.assert_allclose(weighted[0], 2.5 * der1, rtol=1e-12)
        np.testing.assert_allclose(weighted[1], 2.5 * der2, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("generalized_cross_entropy_loss", {"q": 0.7}),
        ("poly_cross_entropy_loss", {"epsilon": 2.0}),
        ("cross_entropy", {"label_smoothing": 0.2}),
        ("cross_entropy", {"weight": [1.0, 2.0, 0.5, 3.0]}),
        ("softmax_focal_loss", {"alpha": [1.0, 2.0, 0.5, 3.0]}),
    ],
)
def test_matrices_with_options(loss: str, options: dict[str, Any]) -> None:
    objective: Any = boosting.catboost(loss, **options)
    row, step = ROWS[3], 1e-5
    for label in range(K):
        _, der2 = objective.calc_ders_multi(row, float(label), 1.0)
        for k in range(K):
            unit = step * (np.arange(K) == k)
            up = objective.calc_ders_multi(row + unit, float(label), 1.0)[0]
            down = objective.calc_ders_multi(row - unit, float(label), 1.0)[0]
            np.testing.assert_allclose(der2[k], (up - down) / (2 * step), atol=1e-7)


def test_matrices_of_confident_rows() -> None:
    for gap in (0.0, 40.0, 800.0):
        for loss in ("cross_entropy", "softmax_focal_loss", "generalized_cross_entropy_loss"):
            objective: Any = boosting.catboost(loss)
            for label in (0.0, 1.0):
                der1, der2 = objective.calc_ders_multi(np.array([gap, 0.0, -gap]), label, 1.0)
                assert np.all(np.isfinite(der1)) and np.all(np.isfinite(der2))


# ---- choices of the second derivative --------------------------------------------------------


@MAKER
def test_hessians(maker: Any) -> None:
    def of(**options: Any) -> Array:
        return derivatives(maker("huber_loss", **options), SCORES * 3, LABELS, WEIGHT)[1]

    inside = abs(SCORES * 3 - LABELS) < 1
    for got, expected in (
        (of(hessian="exact"), np.where(inside, 1, 1e-16)),
        (of(hessian="exact", floor=0.5), np.where(inside, 1, 0.5)),
        (of(hessian="constant"), np.ones(N)),
        (of(hessian="constant", floor=0.25), np.full(N, 0.25)),
    ):
        np.testing.assert_allclose(got, WEIGHT * expected, rtol=1e-6)


@MAKER
def test_floors_are_those_of_the_booster_not_of_the_loss(maker: Any) -> None:
    """Where the loss is halved, so that its gradient is that of the built-in objective."""
    hess = derivatives(maker("mse_loss", floor=3.0), SCORES, LABELS, WEIGHT)[1]
    np.testing.assert_allclose(hess, 3 * WEIGHT, rtol=1e-6)
    steep = np.array([71.0, 300.0])  # their second derivatives are about 1e31 and 1e130
    hess = derivatives(maker("poisson_nll_loss", hessian="constant"), steep, np.ones(2), None)[1]
    np.testing.assert_array_equal(hess, 1.0)
    hess = derivatives(maker("mse_loss", hessian="constant"), SCORES, LABELS, None)[1]
    np.testing.assert_allclose(hess, 1.0)


def test_weight_zero_counts_for_nothing() -> None:
    weight = WEIGHT * (np.arange(N) % 3 > 0)
    scores = SCORES.copy()
    scores[::3] = np.nan
    for maker in MAKERS:
        grad, hess = derivatives(maker("l1_loss"), scores, LABELS, weight)
        assert not np.any(grad[::3]) and not np.any(hess[::3]) and np.all(hess[1::3] > 0)


# ---- metrics and starts ------------------------------------------------------------------------


def test_metrics() -> None:
    expected = float(np.average(abs(SCORES - LABELS), weights=WEIGHT))
    xgb = boosting.xgboost("l1_loss").metric
    name, value = xgb(SCORES, Data(LABELS, WEIGHT))
    assert name == "l1_loss" and value == pytest.approx(expected)
    assert xgb(LABELS, SCORES, sample_weight=WEIGHT) == pytest.approx(expected)
    lgb = boosting.lightgbm("l1_loss").metric
    for result in (lgb(SCORES, Data(LABELS, WEIGHT)), lgb(LABELS, SCORES, WEIGHT)):
        assert result == ("l1_loss", pytest.approx(expected), False)
    cat = boosting.catboost("l1_loss").metric
    parts = [
        cat.evaluate((SCORES[s],), LABELS[s], WEIGHT[s]) for s in (slice(0, 100), slice(100, N))
    ]
    error, total = (sum(p) for p in zip(*parts, strict=True))
    assert cat.get_final_error(error, total) == pytest.approx(expected)
    assert not cat.is_max_optimal() and cat.get_final_error(0.0, 0.0) == 0
    of_classes = boosting.catboost("cross_entropy").metric
    error, total = of_classes.evaluate(tuple(ROWS.T), CLASSES, None)
    assert error / total == pytest.approx(float(fl.cross_entropy(ROWS, CLASSES.astype(int))))


STARTS: list[tuple[str, dict[str, Any], Array, float]] = [
    ("mse_loss", {}, SCORES, float(np.average(SCORES, weights=WEIGHT))),
    ("l1_loss", {}, np.arange(N) ** 1.5, -1.0),
    ("binary_cross_entropy_with_logits", {}, LABELS, float("nan")),
    ("poisson_nll_loss", {}, LABELS, float(np.log(np.average(LABELS, weights=WEIGHT)))),
    ("gamma_nll_loss", {}, LABELS + 1, float(np.log(np.average(LABELS + 1, weights=WEIGHT)))),
    ("tweedie_loss", {}, LABELS, float(np.log(np.average(LABELS, weights=WEIGHT)))),
    ("hinge_loss", {}, LABELS, -1.0),
    ("msle_loss", {}, LABELS, float(np.expm1(np.average(np.log1p(LABELS), weights=WEIGHT)))),
]


@pytest.mark.parametrize(
    ("loss", "options", "labels", "expected"), STARTS, ids=lambda x: str(x)[:9]
)
def test_starts(loss: str, options: dict[str, Any], labels: Array, expected: float) -> None:
    if loss == "l1_loss":  # where half of the weight lies below
        order = np.cumsum(WEIGHT.astype(float))
        expected = float(labels[np.searchsorted(order, order[-1] / 2)])
    if loss == "binary_cross_entropy_with_logits":
        mean = np.average(labels, weights=WEIGHT)
        expected = float(np.log(mean / (1 - mean)))
    objective = boosting.xgboost(loss, **options)
    assert objective.base_score(labels, WEIGHT) == pytest.approx(expected, rel=1e-6)
    each = boosting.lightgbm(loss, **options).init_score(labels, WEIGHT)
    assert each.shape == labels.shape and np.all(each == objective.base_score(labels, WEIGHT))
    assert np.array_equal(each, boosting.catboost(loss, **options).baseline(labels, WEIGHT))


def test_starts_of_classes() -> None:
    shares = np.bincount(CLASSES.astype(int), weights=WEIGHT) / WEIGHT.sum()
    start = boosting.xgboost("softmax_focal_loss").base_score(CLASSES, WEIGHT)
    np.testing.assert_allclose(start, np.log(shares), rtol=1e-6)
    assert boosting.lightgbm("cross_entropy").init_score(CLASSES).shape == (N, K)
    assert boosting.lightgbm("cross_entropy").init_score(CLASSES[:, None]).shape == (N, K)
    # The weights of classes count, and name classes without a row.
    weighted = boosting.xgboost("cross_entropy", weight=[1.0, 4.0, 5.0])
    start = weighted.base_score(np.array([0, 0, 1, 1], np.uint64))
    np.testing.assert_allclose(np.exp(start), [0.2, 0.8, 1e-15], rtol=1e-12)
    with pytest.raises(
        ValueError, match=r"^weight: one for each of the 4 classes is needed, got 3"
    ):
        weighted.base_score([0, 3])


def test_other_starts() -> None:
    bce = boosting.xgboost("binary_cross_entropy_with_logits")
    assert bce.base_score(LABELS, probability=True) == pytest.approx(float(LABELS.mean()))
    for labels, sign in (([1, 1, 1], 1), ([0, 0], -1)):
        assert 30 < sign * bce.base_score(labels) < 40  # as far as one can tell it from infinity
    assert -40 < boosting.xgboost("poisson_nll_loss").base_score([0.0, 0.0]) < -30
    assert boosting.xgboost("l1_loss").base_score([1.0, 2.0, 4.0, 9.0]) == 3.0
    assert boosting.xgboost("mse_loss").base_score([7.5, 7.5]) == 7.5
    assert boosting.xgboost("mse_loss").base_score([0.0, 0.0]) == pytest.approx(0.0, abs=1e-12)
    assert boosting.xgboost("quantile_loss", q=0.9).base_score(np.arange(101.0)) == 90.0
    for wrong in ([-1.0, -1.0], [0.0, 0.0], [1.0, np.nan]):
        for loss in ("mse_loss", "cross_entropy"):
            with pytest.raises(ValueError, match=r"^weight: finite numbers, 0 or more"):
                boosting.xgboost(loss).base_score([0, 1], wrong)
    with pytest.raises(ValueError, match=r"^y: the labels must be finite"):
        boosting.xgboost("mse_loss").base_score([0.0, np.nan])
    with pytest.raises(ValueError, match=r"^probability: "):
        boosting.xgboost("cross_entropy").base_score(CLASSES, probability=True)
    with pytest.raises(ValueError, match=r"^y: at least one label"):
        bce.base_score([])
    with pytest.raises(ValueError, match=r"^weight: one for each of the 3 labels"):
        bce.base_score([0, 1, 1], [1.0])


# ---- labels --------------------------------------------------------------------------------------


def test_labels_of_two_classes() -> None:
    for loss in ("hinge_loss", "soft_margin_loss", "exponential_loss"):
        objective = boosting.xgboost(loss)
        expected = [part.copy() for part in objective(SCORES, Data(SIGNS))]
        for labels in (LABELS, LABELS.astype(int), LABELS > 0):
            for a, b in zip(expected, objective(SCORES, Data(labels)), strict=True):
                np.testing.assert_array_equal(a, b)
        for wrong in (np.full(N, 2.0), np.full(N, 0.5), SCORES, np.full(N, np.nan), -2 * LABELS):
            with pytest.raises(ValueError, match=r"^labels: 0 and 1, or -1 and 1, are needed"):
                objective(SCORES, Data(wrong))
        mixed = LABELS.copy()
        mixed[:3] = [-1, 0, 1]
        with pytest.raises(ValueError, match=r"^labels: "):
            objective(SCORES, Data(mixed))


@TABLES
def test_labels_of_classes(maker: Any) -> None:
    objective = maker("cross_entropy")
    expected = [part.copy() for part in objective(ROWS, Data(CLASSES))]
    for a, b in zip(expected, objective(ROWS, Data(CLASSES.astype(np.int16))), strict=True):
        np.testing.assert_array_equal(a, b)
    for wrong, text in ((0.5, r"^labels: class numbers .* \[7\] is 0\.5"), (np.nan, "is nan")):
        labels = CLASSES.copy()
        labels[7] = wrong
        with pytest.raises(ValueError, match=text):
            objective(ROWS, Data(labels))
    for outside in (K, -1):
        labels = CLASSES.copy()
        labels[7] = outside
        with pytest.raises(
            IndexError, match=rf"the class at \[7\] is {outside}; accepted are 0 to"
        ):
            objective(ROWS, Data(labels))
    ignoring = maker("cross_entropy", ignore_index=-1)
    labels[7] = -1
    grad, hess = ignoring(ROWS, Data(labels))
    assert not np.any(grad[7]) and not np.any(hess[7])


@pytest.mark.parametrize("loss", ["mse_loss", "cross_entropy", "hinge_loss"])
def test_labels_that_are_no_numbers(loss: str) -> None:
    objective = boosting.xgboost(loss)
    scores = np.zeros((2, 3) if loss == "cross_entropy" else 2)
    for wrong in (["a", "b"], [1, None], None):
        with pytest.raises((TypeError, ValueError), match=r"^labels: "):
            objective(wrong, scores)
        with pytest.raises((TypeError, ValueError), match=r"^y: "):
            objective.base_score(wrong)


@TABLES
def test_columns_that_do_not_fit(maker: Any) -> None:
    with pytest.raises(ValueError, match=r"a score for each class is needed.* num_class"):
        maker("cross_entropy")(SCORES, Data(LABELS))
    with pytest.raises(
        ValueError, match=r"scores of shape \(300, 4\) and labels of shape \(300,\)"
    ):
        maker("mse_loss")(ROWS, Data(LABELS))
    targets = RNG.normal(size=(N, K))
    grad, _ = maker("mse_loss")(ROWS, Data(targets.ravel(), WEIGHT))
    np.testing.assert_allclose(grad, (ROWS - targets) * WEIGHT[:, None], rtol=1e-5, atol=1e-6)


@MAKER
def test_labels_outside_of_a_domain(maker: Any) -> None:
    for loss in ("binary_cross_entropy_with_logits", "sigmoid_focal_loss", "asymmetric_loss"):
        for wrong in (2.0, -1.0, np.nan):
            labels = LABELS.copy()
            labels[7] = wrong
            with pytest.raises(ValueError, match=rf"^labels: 0 and 1, .* at \[7\] is {wrong}"):
                derivatives(maker(loss), SCORES, labels, None)
    with pytest.raises(ValueError, match=r"^target: the value at \[0\] is -1"):
        derivatives(maker("poisson_nll_loss"), SCORES, np.full(N, -1.0), None)


# ---- what is refused ---------------------------------------------------------------------------


@MAKER
@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        (["huber"], {}, ValueError, "no loss has the name 'huber'; did you mean 'huber_loss'"),
        (["HuberLoss"], {}, ValueError, "no loss has the name 'HuberLoss'"),
        ([fl.HuberLoss(delta=2.0)], {}, TypeError, "not a criterion.*'huber_loss'"),
        ([fl.HuberLoss], {}, TypeError, "not a criterion.*'huber_loss'"),
        ([3], {}, TypeError, "^loss: a loss or its name is needed, got int"),
        (["huber_loss"], {"reduction": "mean"}, TypeError, "^reduction: an objective is the sum"),
        (["huber_loss"], {"reduction": "sum"}, TypeError, "^reduction: an objective is the sum"),
        (["huber_loss"], {"weight": [1.0]}, TypeError, "^weight: comes from the data set"),
        (["cross_entropy"], {"sample_weight": [1.0]}, TypeError, "^sample_weight: comes from"),
        (["cross_entropy"], {"axis": 1}, TypeError, "^axis: "),
        (["cross_entropy"], {"return_lse": True}, TypeError, "^return_lse: "),
        (["huber_loss"], {"dleta": 2.0}, TypeError, "no option 'dleta'; did you mean 'delta'"),
        (["huber_loss"], {"delta": -2.0}, ValueError, "^delta: a positive finite number"),
        (["huber_loss"], {"hessian": "true"}, ValueError, "^hessian: must be one of auto"),
        (["huber_loss"], {"floor": -1.0}, ValueError, "^floor: "),
        (["huber_loss"], {"floor": "small"}, TypeError, "^floor: "),
        (["huber_loss"], {"hessian": "constant", "floor": 0.0}, ValueError, "^floor: a positive"),
        (["dice_loss"], {}, TypeError, "dice_loss cannot be an objective"),
        (["triplet_margin_loss"], {}, TypeError, "its arguments are anchor, positive, negative"),
        (
            ["gaussian_nll_loss"],
            {},
            TypeError,
            r"^var: gaussian_nll_loss needs it .*, var=\.\.\.\)",
        ),
        (["margin_ranking_loss"], {}, TypeError, "its arguments are input1, input2, target"),
        (["info_nce_loss"], {}, TypeError, "cannot be an objective"),
        (["ranking_softmax_loss"], {}, TypeError, "cannot be an objective"),
        (["multilabel_margin_loss"], {}, TypeError, "cannot be an objective"),
        (["lovasz_softmax_loss"], {}, TypeError, "cannot be an objective"),
        (["binary_cross_entropy"], {}, TypeError, "take binary_cross_entropy_with_logits"),
        (["nll_loss"], {}, TypeError, "take cross_entropy"),
    ],
)
def test_errors(
    maker: Any, arguments: list[Any], options: dict[str, Any], error: Any, match: str
) -> None:
    with pytest.raises(error, match=match):
        maker(*arguments, **options)


def test_a_loss_given_as_it_is() -> None:
    with pytest.raises(
        TypeError, match=r"^target: this is a data set of a booster, Data; .*boosting"
    ):
        fl.huber_loss(SCORES, Data(LABELS))  # type: ignore[arg-type]


def test_every_loss_is_an_objective_or_refused() -> None:
    """And those that are work: what a table of names says of them is true."""
    made = 0
    for name in fl.__all__:
        loss = getattr(fl, name)
        if not isinstance(loss, fl.Loss):
            continue
        for maker in MAKERS[:2]:
            try:
                objective = maker(loss)
            except TypeError as error:
                assert "cannot be an objective" in str(error) or "needs it besides" in str(error)
                continue
            made += 1
            if objective.kind == "groups":  # see test_boosting_groups.py
                continue
            by_columns = objective.kind in ("classes", "steps")
            scores, labels = (ROWS, CLASSES) if by_columns else (SCORES, LABELS)
            if objective.kind in ("steps", "cohort"):
                labels = np.where(LABELS > 0, 1, -1) * (CLASSES + 1)
            if name == "msle_loss":
                scores = abs(scores)
            if name == "gamma_nll_loss":
                labels = LABELS + 1
            grad, hess = objective(scores, Data(labels, WEIGHT))
            assert np.all(np.isfinite(grad)) and np.any(grad) and np.all(np.isfinite(hess))
            assert np.any(hess > 1e-3)
    assert made > 60


# ---- objects -----------------------------------------------------------------------------------


@MAKER
def test_copies(maker: Any) -> None:
    objective = maker("huber_loss", delta=0.5, hessian="exact", floor=0.1)
    derivatives(objective, SCORES, LABELS, None)
    for twin in (
        copy.copy(objective),
        copy.deepcopy(objective),
        pickle.loads(pickle.dumps(objective)),
        maker(fl.huber_loss, delta=0.5, hessian="exact", floor=0.1),
    ):
        assert twin == objective and hash(twin) == hash(objective) and repr(twin) == repr(objective)
        for a, b in zip(
            derivatives(twin, SCORES, LABELS, None),
            derivatives(objective, SCORES, LABELS, None),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
    assert len(pickle.dumps(objective)) < 1000  # without buffers
    assert copy.deepcopy(objective) is objective
    with pytest.raises(AttributeError, match=r"^floor: an objective cannot be changed"):
        objective.floor = 1.0
    assert objective.metric == pickle.loads(pickle.dumps(objective.metric)) != objective
    assert hash(objective.metric) == hash(objective.metric)
    weights = np.ones((2, 5000))  # whose repr leaves most of them out
    weights[1, 2500] = 2
    twins = [boosting.xgboost("cross_entropy", weight=w) for w in (weights[0], weights[1])]
    assert twins[0] != twins[1] and twins[0] == boosting.xgboost("cross_entropy", weight=weights[0])
    assert objective != maker("huber_loss", delta=0.6) and objective != "huber_loss"
    text = f"{maker.__name__}('huber_loss', hessian='exact', floor=0.1, delta=0.5)"
    assert repr(objective) == text and eval(text, vars(boosting)) == objective
    assert pickle.loads(pickle.dumps(objective.metric)).__name__ == "huber_loss"
    assert "huber_loss" in repr(objective.metric)
