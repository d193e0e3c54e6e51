"""Losses of groups in boosters: the trees and the NDCG of their own objectives."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.integrations.boosters import WEIGHTED

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")

Array = np.ndarray[Any, Any]
SIZES = np.tile([20, 1, 35, 8], 30)
ROUNDS = 30
XGB: dict[str, Any] = {"max_depth": 4, "eta": 0.1, "nthread": 2, "base_score": 0.0}
LGB: dict[str, Any] = {
    "num_leaves": 15,
    "learning_rate": 0.1,
    "num_threads": 2,
    "verbosity": -1,
    "deterministic": True,
}


@cache
def queries(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(int(SIZES.sum()), 8))
    merit = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(3 * X[:, 3]) / 2 + rng.normal(0, 0.7, len(X))
    return X, np.digitize(merit, [0, 0.8, 1.6, 2.4])


def of_groups(weighted: bool) -> Array | None:
    return np.random.default_rng(1).uniform(0.5, 2, len(SIZES)) if weighted else None


def matrix(seed: int, weight: Array | None = None) -> Any:
    data = xgb.DMatrix(*queries(seed))
    data.set_group(SIZES)
    if weight is not None:
        data.set_weight(weight)
    return data


def dataset(seed: int, weight: Array | None = None) -> Any:
    rows = None if weight is None else np.repeat(weight, SIZES)
    return lgb.Dataset(*queries(seed), group=SIZES, weight=rows)


def quality(scores: Array, seed: int) -> float:
    return fl.metrics.ndcg(queries(seed)[1], scores, group_sizes=SIZES, k=10)


@WEIGHTED
@pytest.mark.parametrize(
    ("builtin", "options"),
    [
        ({"objective": "rank:ndcg"}, {"truncation": 32}),
        ({"objective": "rank:ndcg", "ndcg_exp_gain": False}, {"truncation": 32, "gain": "linear"}),
        (
            {"objective": "rank:ndcg", "lambdarank_num_pair_per_sample": 8}
            | {"lambdarank_normalization": False},
            {"truncation": 8, "normalization": False},
        ),
        ({"objective": "rank:pairwise"}, {"truncation": 32, "weighting": "pairwise"}),
    ],
)
def test_xgboost(builtin: dict[str, Any], options: dict[str, Any], weighted: bool) -> None:
    weight = of_groups(weighted)
    theirs = xgb.train(XGB | builtin, matrix(0, weight), ROUNDS)
    objective = fl.boosting.xgboost("lambdarank_loss", **options)
    result: dict[str, Any] = {}
    ours = xgb.train(
        XGB | {"disable_default_eval_metric": True},
        matrix(0, weight),
        ROUNDS,
        obj=objective,
        custom_metric=objective.metric,
        evals=[(matrix(1), "test")],
        evals_result=result,
        verbose_eval=False,
    )
    a, b = (m.predict(matrix(1), output_margin=True) for m in (ours, theirs))
    np.testing.assert_allclose(a, b, atol=1e-5)
    assert quality(a, 1) == pytest.approx(quality(b, 1), abs=1e-6)
    losses = result["test"]["lambdarank_loss"]
    assert losses[-1] < losses[0]
    expected = fl.lambdarank_loss(a, queries(1)[1], group_sizes=SIZES, **options)
    assert losses[-1] == pytest.approx(float(expected), rel=1e-5)


@WEIGHTED
@pytest.mark.parametrize(
    ("builtin", "options"),
    [
        ({}, {}),
        ({"lambdarank_truncation_level": 8, "sigmoid": 2.0}, {"truncation": 8, "sigma": 2.0}),
        (
            {"lambdarank_norm": False},
            {"normalization": False, "score_normalization": False},
        ),
        ({"label_gain": [0, 1, 2, 5, 6]}, {"gain": [0, 1, 2, 5, 6]}),
    ],
)
def test_lightgbm(builtin: dict[str, Any], options: dict[str, Any], weighted: bool) -> None:
    """Its table of the logistic function has five digits."""
    weight = of_groups(weighted)
    theirs = lgb.train(LGB | builtin | {"objective": "lambdarank"}, dataset(0, weight), ROUNDS)
    objective = fl.boosting.lightgbm("lambdarank_loss", **options)
    ours = lgb.train(LGB | {"objective": objective}, dataset(0, weight), ROUNDS)
    a, b = (m.predict(queries(1)[0], raw_score=True) for m in (ours, theirs))
    assert abs(quality(a, 1) - quality(b, 1)) < 0.003
    first = [
        lgb.train(LGB | builtin | {"objective": o}, dataset(0, weight), 1).predict(queries(0)[0])
        for o in (objective, "lambdarank")
    ]
    np.testing.assert_allclose(*first, atol=1e-5)


def test_weights_of_rows_in_lightgbm() -> None:
    """They multiply derivatives, in each row its own."""
    X, t = queries(0)
    weight = np.random.default_rng(4).uniform(0.5, 2, len(t))
    first = [
        lgb.train(LGB | {"objective": o}, lgb.Dataset(X, t, group=SIZES, weight=weight), 1).predict(
            X
        )
        for o in (fl.boosting.lightgbm("lambdarank_loss"), "lambdarank")
    ]
    np.testing.assert_allclose(*first, atol=1e-5)


@pytest.mark.filterwarnings("ignore:The argument 'eval_set'")
def test_scikit_learn() -> None:
    X, t = queries(0)
    objective = fl.boosting.lightgbm("lambdarank_loss")
    model = lgb.LGBMRanker(objective=objective, n_estimators=ROUNDS, **LGB)
    model.fit(
        X, t, group=SIZES, eval_set=[(X, t)], eval_group=[SIZES], eval_metric=objective.metric
    )
    ours = lgb.train(LGB | {"objective": objective}, dataset(0), ROUNDS)
    np.testing.assert_array_equal(model.predict(X), ours.predict(X))
    (watched,) = model.evals_result_.values()
    losses = watched["lambdarank_loss"]
    expected = fl.lambdarank_loss(model.predict(X), t, group_sizes=SIZES)
    assert losses[-1] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("xe_ndcg_loss", {}),
        ("xe_ndcg_loss", {"newton_terms": 2}),
        ("list_mle_loss", {}),
        ("approx_ndcg_loss", {"floor": 0.05, "temperature": 0.5}),
    ],
)
def test_other_losses(loss: str, options: dict[str, Any]) -> None:
    """Better than no order by far, in both."""
    before = quality(np.zeros(len(queries(1)[1])), 1)
    ours = xgb.train(
        XGB | {"min_child_weight": 0},
        matrix(0),
        ROUNDS,
        obj=fl.boosting.xgboost(loss, **options),
    )
    assert quality(ours.predict(matrix(1)), 1) > before + 0.15
    few = LGB | {"min_sum_hessian_in_leaf": 0, "objective": fl.boosting.lightgbm(loss, **options)}
    model = lgb.train(few, dataset(0), ROUNDS)
    assert quality(model.predict(queries(1)[0]), 1) > before + 0.15


def test_choices() -> None:
    """Labels of 0 and 1."""
    X, t = queries(0)
    first = np.cumsum(SIZES) - SIZES
    numbers = np.repeat(np.arange(len(SIZES)), SIZES)
    most = np.lexsort((-X[:, 0], numbers))[first]
    chosen = np.zeros(len(t))
    chosen[most] = 1
    data = lgb.Dataset(X, chosen, group=SIZES)
    objective = fl.boosting.lightgbm("conditional_logit_loss")
    few = LGB | {"min_sum_hessian_in_leaf": 0, "objective": objective}
    scores = lgb.train(few, data, ROUNDS).predict(X)
    found = np.lexsort((-scores, numbers))[first]
    assert np.mean(found == most) > 0.8


def test_objectives_of_groups_can_be_kept() -> None:
    objective = fl.boosting.xgboost("lambdarank_loss", truncation=8)
    again = pickle.loads(pickle.dumps(objective))
    assert again == objective != fl.boosting.xgboost("lambdarank_loss")
    scores = np.zeros(int(SIZES.sum()), np.float32)
    for a, b in zip(again(scores, matrix(0)), objective(scores, matrix(0)), strict=True):
        assert np.array_equal(a, b) and a.any()
