"""fusedloss.boosting with CatBoost: the trees of built-in objectives, other losses, uses."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.integrations.boosters import LEAF, LOSS, WEIGHTED, Array, Builtin, data, split, weights

cb = pytest.importorskip("catboost")

BUILTINS = [
    Builtin("RMSE", "mse_loss"),
    Builtin("Huber:delta=0.7", "huber_loss", options={"delta": 0.7}),
    Builtin("Expectile:alpha=0.7", "expectile_loss", options={"q": 0.7}),
    Builtin("LogCosh", "log_cosh_loss"),
    Builtin("Poisson", "poisson_nll_loss", "count"),
    Builtin("Tweedie:variance_power=1.3", "tweedie_loss", "count", {"power": 1.3}),
    Builtin("Logloss", "binary_cross_entropy_with_logits", "binary"),
    Builtin("CrossEntropy", "binary_cross_entropy_with_logits", "probability"),
    Builtin(
        "Focal:focal_alpha=0.3;focal_gamma=2.0",
        "sigmoid_focal_loss",
        "binary",
        {"alpha": 0.3, "gamma": 2.0},
    ),
    Builtin("MultiClass", "cross_entropy", "iris", both={"classes_count": 3}),
]
COMMON: dict[str, Any] = {
    "depth": 4,
    "learning_rate": 0.3,
    "thread_count": 2,
    "verbose": 0,
    "allow_writing_files": False,
    "boost_from_average": False,
    "leaf_estimation_method": "Newton",
    "leaf_estimation_iterations": 1,
    "bootstrap_type": "No",
    "random_strength": 0,
}


@pytest.mark.parametrize("case", BUILTINS, ids=str)
@WEIGHTED
def test_trees_of_built_in_objectives(case: Builtin, weighted: bool) -> None:
    """Which rows share which leaves: splits that part them alike may differ by rounding errors."""
    X, y = data(case.data)
    w = weights(y, weighted)
    rounds = 8 if case.data == "iris" else 20
    # Splits are scored by gradients and weights alone.
    params = COMMON | {"iterations": rounds, "score_function": "L2"}
    theirs = cb.CatBoost(params | {"loss_function": case.name}).fit(X, y, sample_weight=w)
    objective = fl.boosting.catboost(case.loss, **case.options)
    ours = cb.CatBoost(
        params | case.both | {"loss_function": objective, "eval_metric": objective.metric}
    ).fit(X, y, sample_weight=w)
    assert ours.tree_count_ == theirs.tree_count_ == rounds
    ours_at, theirs_at = ours.calc_leaf_indexes(X), theirs.calc_leaf_indexes(X)
    for k in range(rounds):
        pairs = set(zip(ours_at[:, k].tolist(), theirs_at[:, k].tolist(), strict=True))
        assert len(pairs) == len(set(ours_at[:, k])) == len(set(theirs_at[:, k]))
    np.testing.assert_allclose(
        np.sort(ours.get_leaf_values()), np.sort(theirs.get_leaf_values()), rtol=LEAF, atol=LEAF
    )
    np.testing.assert_allclose(
        ours.predict(X, prediction_type="RawFormulaVal"),
        theirs.predict(X, prediction_type="RawFormulaVal"),
        rtol=1e-6,
        atol=1e-6,
    )


@LOSS
def test_other_losses_learn(loss: str, kind: str, options: dict[str, Any]) -> None:
    """On data that was not trained on, the loss is less than that of the best constant."""
    train, y, test, y_test = split(kind)
    objective = fl.boosting.catboost(loss, **options)
    start = objective.baseline(y)
    params = COMMON | {
        "learning_rate": 0.1,
        "iterations": 60,
        "loss_function": objective,
        "eval_metric": objective.metric,
    }
    if kind == "iris":
        params["classes_count"] = 3
    model = cb.CatBoost(params).fit(cb.Pool(train, y, baseline=start))
    at_start = np.broadcast_to(start[0], (len(y_test), *start.shape[1:]))
    scores = model.predict(cb.Pool(test, baseline=at_start), prediction_type="RawFormulaVal")

    def mean(scores: Array) -> float:
        columns = tuple(scores.T) if scores.ndim == 2 else (scores,)
        return objective.metric.get_final_error(*objective.metric.evaluate(columns, y_test, None))

    assert mean(scores) < 0.9 * mean(at_start)


def test_scikit_learn_classes() -> None:
    X, y = data("amount")
    objective = fl.boosting.catboost("mse_loss")
    common = COMMON | {"iterations": 10}
    ours = cb.CatBoostRegressor(loss_function=objective, eval_metric=objective.metric, **common)
    ours.fit(X, y, eval_set=(X, y))
    theirs = cb.CatBoostRegressor(**common).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9)
    (recorded,) = ours.evals_result_["validation"].values()
    assert recorded[-1] == pytest.approx(float(np.mean((ours.predict(X) - y) ** 2)))
    X, y = data("binary")
    objective = fl.boosting.catboost("binary_cross_entropy_with_logits")
    ours = cb.CatBoostClassifier(loss_function=objective, eval_metric=objective.metric, **common)
    theirs = cb.CatBoostClassifier(**common).fit(X, y)
    raw = ours.fit(X, y).predict(X, prediction_type="RawFormulaVal")
    np.testing.assert_allclose(raw, theirs.predict(X, prediction_type="RawFormulaVal"), rtol=1e-9)


def test_copies_and_searches() -> None:
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    X, y = data("amount")
    objectives = [fl.boosting.catboost("huber_loss", delta=delta) for delta in (0.05, 0.5)]
    params = COMMON | {"iterations": 30, "thread_count": 1}
    metric = objectives[0].metric
    model = cb.CatBoostRegressor(loss_function=objectives[0], eval_metric=metric, **params)
    twin = clone(model)
    assert twin.get_params()["loss_function"] == objectives[0]
    search = GridSearchCV(twin, {"loss_function": objectives, "depth": [1, 2]}, cv=2)
    search.fit(X, y)
    assert search.best_params_["loss_function"] in objectives
    expected: Array = search.predict(X)
    for again in (pickle.loads(pickle.dumps(model.fit(X, y))), copy.deepcopy(model)):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert expected.shape == y.shape


def test_errors() -> None:
    X, y = data("amount")

    def run(loss: str) -> None:
        objective = fl.boosting.catboost(loss)
        params = COMMON | {"iterations": 1, "loss_function": objective}
        cb.CatBoost(params | {"eval_metric": objective.metric}).fit(X, -y)

    with pytest.raises(cb.CatBoostError, match=r"target: the value at \[0\] is -1\.5"):
        run("poisson_nll_loss")
    with pytest.raises(cb.CatBoostError, match="labels: 0 and 1, or -1 and 1"):
        run("hinge_loss")
