"""fusedloss.boosting with LightGBM: the trees of built-in objectives, other losses, uses."""

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

lgb = pytest.importorskip("lightgbm")
# Of scikit-learn's classes, which give the names of columns to predict.
pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")

BUILTINS = [
    Builtin("regression", "mse_loss"),
    Builtin("huber", "huber_loss", options={"delta": 0.7}, params={"alpha": 0.7}),
    Builtin("fair", "fair_loss", options={"c": 0.7}, params={"fair_c": 0.7}),
    Builtin("poisson", "poisson_nll_loss", "count"),
    Builtin("gamma", "gamma_nll_loss"),
    Builtin("tweedie", "tweedie_loss", "count", {"power": 1.3}, {"tweedie_variance_power": 1.3}),
    Builtin("binary", "binary_cross_entropy_with_logits", "binary"),
    Builtin(
        "binary",
        "binary_cross_entropy_with_logits",
        "binary",
        {"pos_weight": 3.0},
        {"scale_pos_weight": 3.0},
    ),
    Builtin("cross_entropy", "binary_cross_entropy_with_logits", "probability"),
    Builtin("multiclass", "cross_entropy", "digits", both={"num_class": 10}),
]
COMMON: dict[str, Any] = {
    "num_leaves": 8,
    "learning_rate": 0.3,
    "num_threads": 2,
    "verbosity": -1,
    "deterministic": True,
}


def table(booster: Any) -> Any:
    return booster.trees_to_dataframe()


@pytest.mark.parametrize("case", BUILTINS, ids=str)
@WEIGHTED
def test_trees_of_built_in_objectives(case: Builtin, weighted: bool) -> None:
    X, y = data(case.data)
    rounds = 4 if case.data == "digits" else 20

    def train(objective: Any, **params: Any) -> Any:
        rows = lgb.Dataset(X, y, weight=weights(y, weighted))
        return lgb.train(COMMON | case.both | {"objective": objective} | params, rows, rounds)

    theirs = train(case.name, boost_from_average=False, **case.params)
    ours = train(fl.boosting.lightgbm(case.loss, **case.options))
    same_tables(table(ours), table(theirs), "split_feature", "threshold", "value")
    np.testing.assert_allclose(
        ours.predict(X, raw_score=True), theirs.predict(X, raw_score=True), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "loss", "options", "params", "weighted"),
    [
        ("regression_l1", "l1_loss", {}, {}, False),
        ("regression_l1", "l1_loss", {}, {}, True),
        ("quantile", "quantile_loss", {"q": 0.7}, {"alpha": 0.7}, False),
        ("quantile", "quantile_loss", {"q": 0.7}, {"alpha": 0.7}, True),
        ("mape", "mape_loss", {"eps": 1.0}, {}, False),
    ],
)
def test_splits_of_losses_without_curvature(
    name: str, loss: str, options: dict[str, Any], params: dict[str, Any], weighted: bool
) -> None:
    """Of the first tree; its leaves the built-in objectives replace by quantiles."""
    X, y = data("amount")
    y = y - 1.405

    def train(objective: Any, **params: Any) -> Any:
        rows = lgb.Dataset(X, y, weight=weights(y, weighted))
        return table(lgb.train(COMMON | {"objective": objective} | params, rows, 1))

    theirs = train(name, boost_from_average=False, **params)
    ours = train(fl.boosting.lightgbm(loss, **options))
    assert len(ours) == len(theirs) == 15
    assert ours.split_feature.equals(theirs.split_feature)
    assert ours.threshold.equals(theirs.threshold)


@LOSS
def test_other_losses_learn(loss: str, kind: str, options: dict[str, Any]) -> None:
    """On data that was not trained on, the loss is less than that of the best constant."""
    train, y, test, y_test = split(kind)
    objective = fl.boosting.lightgbm(loss, **options)
    start = objective.init_score(y)
    params = {"objective": objective, "num_leaves": 6, "verbosity": -1, "num_threads": 2}
    if kind == "iris":
        params["num_class"] = 3
    rows = lgb.Dataset(train, y, init_score=start)
    booster = lgb.train(params, rows, 60)
    scores = booster.predict(test, raw_score=True) + start[0]
    _, got, higher_is_better = objective.metric(y_test, scores)
    _, least, _ = objective.metric(y_test, np.broadcast_to(start[0], scores.shape))
    assert got < 0.9 * least and not higher_is_better


def test_a_smaller_floor_makes_longer_steps() -> None:
    """So losses without curvature come close to built-in objectives, which refit their leaves."""
    train, y, test, y_test = split("amount")
    common = {"num_leaves": 8, "num_threads": 2, "verbosity": -1}
    theirs = lgb.train(common | {"objective": "l1"}, lgb.Dataset(train, y), 150).predict(test)
    objective = fl.boosting.lightgbm("l1_loss", floor=4.0)
    start = objective.init_score(y)
    ours = lgb.train(
        common | {"objective": objective, "min_sum_hessian_in_leaf": 0},
        lgb.Dataset(train, y, init_score=start),
        150,
    ).predict(test)
    assert np.abs(ours + start[0] - y_test).mean() < 1.03 * np.abs(theirs - y_test).mean()


# ---- scikit-learn's classes --------------------------------------------------------------------


@WEIGHTED
def test_regressor(weighted: bool) -> None:
    X, y = data("amount")
    w = weights(y, weighted)
    objective = fl.boosting.lightgbm("mse_loss")
    common: dict[str, Any] = {"n_estimators": 10, "verbosity": -1, "n_jobs": 2}
    ours = lgb.LGBMRegressor(objective=objective, **common)
    ours.fit(X, y, sample_weight=w, eval_X=X, eval_y=y, eval_metric=objective.metric)
    theirs = lgb.LGBMRegressor(boost_from_average=False, **common).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    (record,) = ours.evals_result_.values()
    recorded = record["mse_loss"][-1]
    mean = np.average((ours.predict(X) - y) ** 2, weights=w)  # the set that was trained on has them
    assert recorded == pytest.approx(float(mean), rel=1e-5)


@WEIGHTED
def test_classifiers(weighted: bool) -> None:
    for kind, loss in (("binary", "binary_cross_entropy_with_logits"), ("iris", "cross_entropy")):
        X, y = data(kind)
        w = weights(y, weighted)
        objective = fl.boosting.lightgbm(loss)
        common: dict[str, Any] = {"n_estimators": 10, "verbosity": -1, "n_jobs": 2}
        more = {"num_class": 3} if kind == "iris" else {}
        ours = lgb.LGBMClassifier(objective=objective, **common, **more)
        ours.fit(X, y, sample_weight=w, eval_X=X, eval_y=y, eval_metric=objective.metric)
        theirs = lgb.LGBMClassifier(boost_from_average=False, **common).fit(X, y, sample_weight=w)
        np.testing.assert_allclose(
            ours.predict(X, raw_score=True), theirs.predict(X, raw_score=True), atol=1e-5
        )
        losses = ours.evals_result_["valid_0"][loss]
        assert losses == sorted(losses, reverse=True)


def test_copies_and_searches() -> None:
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    X, y = data("amount")
    objectives = [fl.boosting.lightgbm("huber_loss", delta=delta) for delta in (0.05, 0.5)]
    model = lgb.LGBMRegressor(objective=objectives[0], n_estimators=60, verbosity=-1, n_jobs=1)
    twin = clone(model)
    assert twin.objective == objectives[0]
    search = GridSearchCV(twin, {"objective": objectives, "num_leaves": [2, 4]}, cv=2, n_jobs=2)
    search.fit(X, y)
    assert search.best_params_["objective"] in objectives and search.best_score_ > 0.2
    expected: Array = search.predict(X)
    for again in (pickle.loads(pickle.dumps(search)), copy.deepcopy(search)):
        np.testing.assert_array_equal(again.predict(X), expected)


def test_native_metric_and_early_stopping() -> None:
    train, y, test, y_test = split("amount")
    objective = fl.boosting.lightgbm("quantile_loss", q=0.9)
    start = objective.init_score(y)
    rows = lgb.Dataset(train, y, init_score=start)
    held = lgb.Dataset(test, y_test, reference=rows, init_score=np.full(len(y_test), start[0]))
    record: dict[str, Any] = {}
    booster = lgb.train(
        {"objective": objective, "verbosity": -1, "num_threads": 2},
        rows,
        400,
        valid_sets=[held],
        feval=objective.metric,
        callbacks=[lgb.early_stopping(5, verbose=False), lgb.record_evaluation(record)],
    )
    losses = record["valid_0"]["quantile_loss"]
    assert booster.best_iteration == int(np.argmin(losses)) + 1 < 400


# ---- what goes wrong -----------------------------------------------------------------------------


def run(objective: Any, y: Array, **params: Any) -> None:
    X = np.random.default_rng(0).normal(size=(len(y), 2))
    params |= {"objective": objective, "num_threads": 1, "verbosity": -1}
    lgb.train(params, lgb.Dataset(X, y), 1)


def test_errors() -> None:
    y = np.arange(300) % 3
    with pytest.raises(ValueError, match=r"a score for each class is needed.* num_class"):
        run(fl.boosting.lightgbm("cross_entropy"), y)
    with pytest.raises(IndexError, match=r"the class at \[2\] is 2; accepted are 0 to 1"):
        run(fl.boosting.lightgbm("cross_entropy"), y, num_class=2)
    with pytest.raises(ValueError, match=r"^labels: class numbers are needed"):
        run(fl.boosting.lightgbm("cross_entropy"), y / 2, num_class=3)
    with pytest.raises(ValueError, match="this loss takes a label for each score"):
        run(fl.boosting.lightgbm("mse_loss"), y, num_class=3)
    with pytest.raises(ValueError, match=r"^target: the value at \[0\] is -1"):
        run(fl.boosting.lightgbm("poisson_nll_loss"), y - 1)
    with pytest.raises(TypeError, match=r"data set of a booster, Dataset; .*boosting\.xgboost"):
        run(fl.huber_loss, y)
