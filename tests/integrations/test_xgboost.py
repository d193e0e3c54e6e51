"""fusedloss.boosting with XGBoost: the trees of built-in objectives, other losses, uses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.integrations.boosters import (
    LOSS,
    WEIGHTED,
    Array,
    Builtin,
    data,
    same_tables,
    split,
    weights,
)

xgb = pytest.importorskip("xgboost")

HALF = float(np.log(0.5))
BUILTINS = [
    Builtin("reg:squarederror", "mse_loss"),
    Builtin("reg:squaredlogerror", "msle_loss"),
    Builtin(
        "reg:pseudohubererror",
        "pseudo_huber_loss",
        options={"delta": 0.7},
        params={"huber_slope": 0.7},
    ),
    Builtin("binary:logistic", "binary_cross_entropy_with_logits", "binary", start=0.0),
    Builtin("binary:logitraw", "binary_cross_entropy_with_logits", "binary", start=0.5),
    Builtin("reg:logistic", "binary_cross_entropy_with_logits", "probability", start=0.0),
    Builtin(
        "binary:logistic",
        "binary_cross_entropy_with_logits",
        "binary",
        {"pos_weight": 3.0},
        {"scale_pos_weight": 3.0},
        start=0.0,
    ),
    Builtin("binary:hinge", "hinge_loss", "binary"),
    Builtin("count:poisson", "poisson_nll_loss", "count", both={"max_delta_step": 0.7}, start=HALF),
    Builtin("reg:gamma", "gamma_nll_loss", start=HALF),
    Builtin(
        "reg:tweedie",
        "tweedie_loss",
        "count",
        {"power": 1.3},
        {"tweedie_variance_power": 1.3},
        start=HALF,
    ),
    Builtin("multi:softprob", "cross_entropy", "digits", both={"num_class": 10}),
    Builtin("multi:softmax", "cross_entropy", "digits", both={"num_class": 10}),
]
COMMON = {"max_depth": 4, "eta": 0.3, "nthread": 2}


@pytest.mark.parametrize("case", BUILTINS, ids=str)
@WEIGHTED
def test_trees_of_built_in_objectives(case: Builtin, weighted: bool) -> None:
    X, y = data(case.data)
    matrix = xgb.DMatrix(X, y, weight=weights(y, weighted))
    rounds = 4 if case.data == "digits" else 20
    params = COMMON | case.both | {"base_score": 0.5}
    theirs = xgb.train(params | case.params | {"objective": case.name}, matrix, rounds)
    start = 0.5 if case.start is None else case.start
    objective = fl.boosting.xgboost(case.loss, **case.options)
    ours = xgb.train(params | {"base_score": start}, matrix, rounds, obj=objective)
    same_tables(ours.trees_to_dataframe(), theirs.trees_to_dataframe(), "Feature", "Split", "Gain")
    np.testing.assert_allclose(
        ours.predict(matrix, output_margin=True),
        theirs.predict(matrix, output_margin=True),
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("name", "loss", "options", "params"),
    [
        ("reg:absoluteerror", "l1_loss", {}, {}),
        ("reg:quantileerror", "quantile_loss", {"q": 0.7}, {"quantile_alpha": 0.7}),
    ],
)
@WEIGHTED
def test_splits_of_losses_without_curvature(
    name: str, loss: str, options: dict[str, Any], params: dict[str, Any], weighted: bool
) -> None:
    """Of the first tree; its leaves the built-in objectives replace by quantiles."""
    X, y = data("amount")
    matrix = xgb.DMatrix(X, y, weight=weights(y, weighted))
    both = COMMON | {"base_score": 1.405}  # which is no label: at one the subgradients differ
    theirs = xgb.train(both | params | {"objective": name}, matrix, 1).trees_to_dataframe()
    objective = fl.boosting.xgboost(loss, **options)
    ours = xgb.train(both, matrix, 1, obj=objective).trees_to_dataframe()
    assert len(ours) > 10
    assert (ours.Feature == theirs.Feature).all() and ours.Split.equals(theirs.Split)


@LOSS
def test_other_losses_learn(loss: str, kind: str, options: dict[str, Any]) -> None:
    """On data that was not trained on, the loss is less than that of the best constant."""
    train, y, test, y_test = split(kind)
    objective = fl.boosting.xgboost(loss, **options)
    classes = {"num_class": 3} if kind == "iris" else {}
    start = 0.0 if classes else objective.base_score(y)
    params = {"max_depth": 3, "eta": 0.1, "nthread": 2, "base_score": start} | classes
    matrix = xgb.DMatrix(test, y_test)
    booster = xgb.train(params, xgb.DMatrix(train, y), 60, obj=objective)
    _, got = objective.metric(booster.predict(matrix, output_margin=True), matrix)
    constant = np.tile(objective.base_score(y), (len(y_test), 1))
    constant = constant if classes else constant[:, 0]
    _, least = objective.metric(constant, matrix)
    assert got < 0.9 * least


def test_a_smaller_floor_makes_longer_steps() -> None:
    """So losses without curvature come close to built-in objectives, which refit their leaves."""
    train, y, test, y_test = split("amount")

    def error(params: dict[str, Any], **more: Any) -> float:
        booster = xgb.train(
            {"max_depth": 3, "eta": 0.1, "nthread": 2} | params, xgb.DMatrix(train, y), 150, **more
        )
        return float(np.abs(booster.predict(xgb.DMatrix(test)) - y_test).mean())

    theirs = error({"objective": "reg:absoluteerror"})
    objective = fl.boosting.xgboost("l1_loss", floor=4.0)
    ours = error({"base_score": objective.base_score(y), "min_child_weight": 0}, obj=objective)
    assert ours < 1.03 * theirs


# ---- scikit-learn's classes --------------------------------------------------------------------


@WEIGHTED
def test_regressor(weighted: bool) -> None:
    X, y = data("amount")
    w = weights(y, weighted)
    objective = fl.boosting.xgboost("mse_loss")
    common: dict[str, Any] = {"n_estimators": 10, "base_score": 0.5, "n_jobs": 2}
    ours = xgb.XGBRegressor(objective=objective, eval_metric=objective.metric, **common)
    ours.fit(X, y, sample_weight=w, eval_set=[(X, y)], verbose=False)
    theirs = xgb.XGBRegressor(**common).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    recorded = ours.evals_result()["validation_0"]["mse_loss"][-1]
    assert recorded == pytest.approx(float(np.mean((ours.predict(X) - y) ** 2)), rel=1e-5)


@WEIGHTED
def test_classifiers(weighted: bool) -> None:
    for kind, loss in (
        ("binary", "binary_cross_entropy_with_logits"),
        ("iris", "cross_entropy"),
    ):
        X, y = data(kind)
        w = weights(y, weighted)
        objective = fl.boosting.xgboost(loss)
        common: dict[str, Any] = {"n_estimators": 10, "base_score": 0.5, "n_jobs": 2}
        ours = xgb.XGBClassifier(objective=objective, eval_metric=objective.metric, **common)
        ours.fit(X, y, sample_weight=w, eval_set=[(X, y)], verbose=False)
        theirs = xgb.XGBClassifier(**common).fit(X, y, sample_weight=w)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
        assert np.array_equal(ours.predict(X), theirs.predict(X))
        losses = ours.evals_result()["validation_0"][loss]
        assert losses == sorted(losses, reverse=True) and losses[-1] < 0.2


def test_base_score_of_a_classifier() -> None:
    """It reads a probability."""
    X, y = data("binary")
    objective = fl.boosting.xgboost("binary_cross_entropy_with_logits")
    start = objective.base_score(y, probability=True)
    model = xgb.XGBClassifier(objective=objective, base_score=start, n_estimators=1, eta=1e-6)
    np.testing.assert_allclose(model.fit(X, y).predict_proba(X)[:, 1], y.mean(), rtol=1e-5)


def test_copies_and_searches() -> None:
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    X, y = data("amount")
    objectives = [fl.boosting.xgboost("huber_loss", delta=delta) for delta in (0.05, 0.5)]
    model = xgb.XGBRegressor(objective=objectives[0], n_estimators=20, n_jobs=1)
    twin = clone(model)
    assert twin.objective == objectives[0]
    search = GridSearchCV(twin, {"objective": objectives, "max_depth": [1, 2]}, cv=2, n_jobs=2)
    search.fit(X, y)
    assert search.best_params_["objective"] in objectives and search.best_score_ > 0.2
    expected: Array = search.predict(X)
    for again in (pickle.loads(pickle.dumps(search)), copy.deepcopy(search)):
        np.testing.assert_array_equal(again.predict(X), expected)


def test_early_stopping_by_the_metric() -> None:
    train, y, test, y_test = split("amount")
    objective = fl.boosting.xgboost("quantile_loss", q=0.9)
    record: dict[str, Any] = {}
    booster = xgb.train(
        {"base_score": objective.base_score(y), "nthread": 2},
        xgb.DMatrix(train, y),
        200,
        obj=objective,
        custom_metric=objective.metric,
        evals=[(xgb.DMatrix(test, y_test), "test")],
        evals_result=record,
        early_stopping_rounds=5,
        verbose_eval=False,
    )
    losses = record["test"]["quantile_loss"]
    assert booster.best_iteration == int(np.argmin(losses)) < 199


# ---- what goes wrong -----------------------------------------------------------------------------


def run(loss: Any, y: Array, **params: Any) -> None:
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    xgb.train({"nthread": 1} | params, xgb.DMatrix(X, y), 1, obj=loss)


def test_errors() -> None:
    y = np.arange(12) % 3
    with pytest.raises(ValueError, match=r"a score for each class is needed.* num_class"):
        run(fl.boosting.xgboost("cross_entropy"), y)
    with pytest.raises(IndexError, match=r"the class at \[2\] is 2; accepted are 0 to 1"):
        run(fl.boosting.xgboost("cross_entropy"), y, num_class=2)
    with pytest.raises(ValueError, match=r"^labels: class numbers are needed"):
        run(fl.boosting.xgboost("cross_entropy"), y / 2, num_class=3)
    with pytest.raises(ValueError, match="this loss takes a label for each score"):
        run(fl.boosting.xgboost("mse_loss"), y, num_class=3)
    with pytest.raises(ValueError, match=r"^labels: 0 and 1, or -1 and 1"):
        run(fl.boosting.xgboost("hinge_loss"), y)
    with pytest.raises(ValueError, match=r"^target: the value at \[0\] is -1"):
        run(fl.boosting.xgboost("poisson_nll_loss"), y - 1)
    with pytest.raises(TypeError, match=r"data set of a booster, DMatrix; .*boosting\.xgboost"):
        run(fl.huber_loss, y)
