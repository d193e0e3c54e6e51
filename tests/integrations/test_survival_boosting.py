"""Cox's partial likelihood and censored times in XGBoost, LightGBM and CatBoost, on data of
scikit-survival: the trees of survival:cox and survival:aft, and what is learnt."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.integrations.boosters import WEIGHTED, same_tables, weights
from tests.integrations.survival import Array, Survival, gbsg2, untied, whas500

xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")
pytest.importorskip("sksurv")

COMMON = {"max_depth": 4, "eta": 0.3, "nthread": 2}
LGB: dict[str, Any] = {
    "num_leaves": 6,
    "learning_rate": 0.05,
    "num_threads": 2,
    "verbosity": -1,
    "deterministic": True,
}


# ---- Cox ---------------------------------------------------------------------------------------


def as_xgboost(scores: Array, labels: Array) -> tuple[Array, Array]:
    """What survival:cox computes: row by row in the order of time, so that an event counts for the
    rows of the same time that come later in this order, and not for the others."""
    risk = np.exp(scores.astype(float))
    grad, hess = np.zeros(len(labels)), np.zeros(len(labels))
    left, gone, first, second, before = risk.sum(), 0.0, 0.0, 0.0, 0.0
    for i in np.argsort(abs(labels), kind="stable"):
        if abs(labels[i]) > before:
            left, gone = left - gone, 0.0
        gone += risk[i]
        if labels[i] > 0:
            first, second = first + 1 / left, second + 1 / left**2
        grad[i] = risk[i] * first - (labels[i] > 0)
        hess[i] = risk[i] * first - risk[i] ** 2 * second
        before = abs(labels[i])
    return grad, hess


def cox_trees(data: Survival, objective: Any, **params: Any) -> Any:
    """10 trees of a function, or of survival:cox: later ones differ by rounding in float32."""
    own = {} if objective else {"objective": "survival:cox"}
    matrix = xgb.DMatrix(data.X, data.labels)
    return xgb.train(COMMON | own | params, matrix, 10, obj=objective)


def test_trees_of_survival_cox() -> None:
    """Where no two times are alike, XGBoost's second derivative is the exact one, too."""
    data = untied(whas500())
    theirs = cox_trees(data, None, base_score=1.0)
    for ties in ("breslow", "efron"):
        objective = fl.boosting.xgboost("cox_ph_loss", ties=ties)
        start = objective.base_score(data.labels)
        ours = cox_trees(data, objective, base_score=start)
        tables = ours.trees_to_dataframe(), theirs.trees_to_dataframe()
        same_tables(*tables, "Feature", "Split", "Gain")


def test_what_survival_cox_does_at_ties() -> None:
    """Its derivatives are Breslow's for rows with a time of their own, and others at ties."""
    data = whas500()
    theirs = cox_trees(data, None, base_score=1.0)
    copied = cox_trees(data, lambda scores, d: as_xgboost(scores, d.get_label()), base_score=0.0)
    same_tables(
        copied.trees_to_dataframe(), theirs.trees_to_dataframe(), "Feature", "Split", "Gain"
    )

    scores = np.random.default_rng(0).normal(size=len(data.time)).astype(np.float32)
    objective = fl.boosting.xgboost("cox_ph_loss", ties="breslow", hessian="exact", floor=0.0)
    ours = objective(data.labels, scores)
    reference = as_xgboost(scores, data.labels)
    times, counts = np.unique(data.time, return_counts=True)
    alone = counts[np.searchsorted(times, data.time)] == 1
    for a, b in zip(ours, reference, strict=True):
        np.testing.assert_allclose(a[alone], b[alone], rtol=2e-5, atol=2e-6)
        assert np.abs(a - b)[~alone].max() > 1e-3
    # The gradient of a likelihood that only knows differences of scores adds up to 0.
    assert abs(ours[0].sum(dtype=float)) < 1e-3 < abs(reference[0].sum())


def test_what_survival_cox_does_with_weights() -> None:
    """It multiplies the derivatives of the likelihood without weights; ours are those of the
    weighted one, in which a row of the weight 2 is two rows."""
    data = untied(whas500())
    weight = np.random.default_rng(1).integers(1, 4, len(data.time)).astype(np.float32)
    scores = np.random.default_rng(0).normal(size=len(data.time))
    objective = fl.boosting.xgboost("cox_ph_loss", ties="breslow")
    grad, _ = objective(data.labels, scores, weight)
    rows = np.repeat(np.arange(len(weight)), weight.astype(int))
    repeated, _ = objective(data.labels[rows], scores[rows])
    np.testing.assert_allclose(
        grad, np.bincount(rows, repeated.astype(float)), rtol=1e-4, atol=1e-5
    )
    reference = weight * as_xgboost(scores, data.labels)[0]
    assert np.abs(grad - reference).max() > 0.1


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_learns(ties: str) -> None:
    for data in (whas500(), gbsg2()):
        train, test = data.halves()
        objective = fl.boosting.xgboost("cox_ph_loss", ties=ties)
        record: dict[str, Any] = {}
        matrices = [xgb.DMatrix(part.X, part.labels) for part in (train, test)]
        booster = xgb.train(
            {"max_depth": 2, "eta": 0.05, "nthread": 2, "base_score": 0.0},
            matrices[0],
            100,
            obj=objective,
            custom_metric=objective.metric,
            evals=[(matrices[1], "test")],
            evals_result=record,
            verbose_eval=False,
        )
        losses = record["test"]["cox_ph_loss"]
        assert losses[-1] < losses[0] - 0.02
        risk = booster.predict(matrices[1], output_margin=True)
        assert losses[-1] == pytest.approx(
            float(fl.cox_ph_loss(risk.astype(float), test.time, test.event, ties=ties)), rel=1e-4
        )
        assert test.concordance(risk) > (0.65 if len(data.X) > 600 else 0.72)

        objective = fl.boosting.lightgbm("cox_ph_loss", ties=ties)
        rows = lgb.Dataset(train.X, train.labels)
        booster = lgb.train(LGB | {"objective": objective}, rows, 60)
        risk = booster.predict(test.X)
        assert test.concordance(risk) > (0.65 if len(data.X) > 600 else 0.72)
        assert objective.metric(test.labels, risk)[1] < losses[0] - 0.02


def test_cox_in_classes_of_scikit_learn() -> None:
    train, test = gbsg2().halves()
    objective = fl.boosting.xgboost("cox_ph_loss")
    model = xgb.XGBRegressor(
        objective=objective, n_estimators=60, max_depth=2, learning_rate=0.1, base_score=0.0
    )
    model.fit(train.X, train.labels)
    assert test.concordance(model.predict(test.X)) > 0.65
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(test.X), model.predict(test.X))
    regressor = lgb.LGBMRegressor(
        objective=fl.boosting.lightgbm("cox_ph_loss"), n_estimators=60, num_leaves=4, verbosity=-1
    )
    risk = regressor.fit(train.X, train.labels).predict(np.asarray(test.X))
    assert test.concordance(np.asarray(risk)) > 0.65


def test_cox_with_strata() -> None:
    """Hospitals, years or, as here, a grade that has no hazards in proportion to the others."""
    train, _ = gbsg2().halves()
    grades = train.X[:, -2]
    objective = fl.boosting.xgboost("cox_ph_loss", strata=grades)
    matrix = xgb.DMatrix(train.X, train.labels)
    booster = xgb.train({"max_depth": 2, "base_score": 0.0}, matrix, 20, obj=objective)
    scores = booster.predict(matrix, output_margin=True).astype(float)
    of_data = (train.time, train.event)
    losses = [
        float(fl.cox_ph_loss(x, *of_data, strata=grades)) for x in (scores, np.zeros(len(scores)))
    ]
    assert losses[0] < losses[1] - 0.1
    assert objective.metric(scores, matrix)[1] == pytest.approx(losses[0], rel=1e-6)


# ---- AFT ---------------------------------------------------------------------------------------


def bounds(data: Survival, kind: str) -> tuple[Array, Array]:
    """Lower and upper bounds: as they are, or every third event only known to the month."""
    lower, upper = data.time.copy(), np.where(data.event, data.time, np.inf)
    if kind == "intervals":
        third = data.event & (np.arange(len(data.time)) % 3 == 0)
        lower[third] = np.floor(data.time[third] / 30) * 30 + 1e-3
        upper[third] = lower[third] + 30
        left = data.event & (np.arange(len(data.time)) % 7 == 1)
        lower[left], upper[left] = 0.0, data.time[left]
    return lower, upper


@WEIGHTED
@pytest.mark.parametrize("kind", ["events", "intervals"])
@pytest.mark.parametrize(
    ("distribution", "scale"), [("normal", 1.2), ("logistic", 0.8), ("extreme", 1.1)]
)
def test_trees_of_survival_aft(distribution: str, scale: float, kind: str, weighted: bool) -> None:
    data = gbsg2()
    lower, upper = bounds(data, kind)
    w = weights(data.time, weighted)
    ends = {"label_lower_bound": lower, "label_upper_bound": upper}
    matrix = xgb.DMatrix(data.X, weight=w, **ends)
    own = {
        "objective": "survival:aft",
        "aft_loss_distribution": distribution,
        "aft_loss_distribution_scale": scale,
    }
    theirs = xgb.train(COMMON | own | {"base_score": float(np.exp(7.0))}, matrix, 20)
    objective = fl.boosting.xgboost("aft_loss", distribution=distribution, scale=scale)
    ours = xgb.train(COMMON | {"base_score": 7.0}, matrix, 20, obj=objective)
    tables = ours.trees_to_dataframe(), theirs.trees_to_dataframe()
    same_tables(*tables, "Feature", "Split", "Gain")

    # The same data as labels with signs, and as options.
    if kind == "events":
        signed = xgb.DMatrix(data.X, data.labels, weight=w)
        again = xgb.train(COMMON | {"base_score": 7.0}, signed, 20, obj=objective)
        assert again.trees_to_dataframe().equals(tables[0])
    labelled = xgb.DMatrix(data.X, data.time, weight=w)
    given = fl.boosting.xgboost(
        "aft_loss", distribution=distribution, scale=scale, lower=lower, upper=upper
    )
    again = xgb.train(COMMON | {"base_score": 7.0}, labelled, 20, obj=given)
    same_tables(again.trees_to_dataframe(), tables[0], "Feature", "Split", "Gain")


def test_where_survival_aft_clips() -> None:
    """With so small a scale the second derivative of an event is above 15, at which it is cut."""
    y = np.exp(np.random.default_rng(0).normal(size=50))
    matrix = xgb.DMatrix(np.zeros((50, 1)), label_lower_bound=y, label_upper_bound=y)
    objective = fl.boosting.xgboost("aft_loss", scale=0.2)
    grad, hess = objective(np.zeros(50, np.float32), matrix)
    np.testing.assert_allclose(grad, -np.log(y) / 0.04, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(hess, 25.0, rtol=1e-6)
    own = {"objective": "survival:aft", "aft_loss_distribution_scale": 0.2}
    flat = {"max_depth": 1, "eta": 1.0, "lambda": 0.0, "base_score": 1.0}
    theirs = xgb.train(flat | own, matrix, 1).predict(matrix, output_margin=True)[0]
    clipped = -np.clip(grad.astype(float), -15, 15).mean() / 15
    assert theirs == pytest.approx(clipped, rel=1e-5)
    ours = xgb.train(flat | {"base_score": 0.0}, matrix, 1, obj=objective)
    assert ours.predict(matrix, output_margin=True)[0] == pytest.approx(np.log(y).mean(), rel=1e-5)


@pytest.mark.parametrize("distribution", ["normal", "logistic", "extreme"])
def test_aft_learns(distribution: str) -> None:
    train, test = gbsg2().halves()
    options: dict[str, Any] = {"distribution": distribution, "scale": 1.0}
    objective = fl.boosting.xgboost("aft_loss", **options)
    matrix = xgb.DMatrix(train.X, train.labels)
    start = objective.base_score(matrix)
    assert start == pytest.approx(objective.base_score(train.labels), rel=1e-6)
    assert np.log(train.time.min()) < start < 10
    params = {"max_depth": 2, "eta": 0.1, "nthread": 2, "base_score": start}
    held = xgb.DMatrix(test.X, test.labels)
    booster = xgb.train(params, matrix, 60, obj=objective)
    scores = booster.predict(held, output_margin=True)
    of_start = np.full(len(scores), start)
    assert objective.metric(scores, held)[1] < objective.metric(of_start, held)[1] - 0.02
    assert test.concordance(-scores) > 0.64

    objective = fl.boosting.lightgbm("aft_loss", **options)
    each = objective.init_score(train.labels)
    assert each[0] == pytest.approx(start, rel=1e-6)
    rows = lgb.Dataset(train.X, train.labels, init_score=each)
    booster = lgb.train(LGB | {"objective": objective}, rows, 60)
    scores = booster.predict(test.X) + each[0]
    assert objective.metric(test.labels, scores)[1] < objective.metric(test.labels, of_start)[1]
    assert test.concordance(-scores) > 0.64


def test_aft_in_catboost() -> None:
    cat = pytest.importorskip("catboost")
    train, test = gbsg2().halves()
    objective = fl.boosting.catboost("aft_loss", scale=1.0)
    model = cat.CatBoostRegressor(
        loss_function=objective,
        eval_metric=objective.metric,
        iterations=60,
        depth=3,
        verbose=0,
        allow_writing_files=False,
    )
    start = objective.baseline(train.labels)
    model.fit(cat.Pool(train.X, train.labels, baseline=start))
    assert test.concordance(-model.predict(test.X)) > 0.64
    with pytest.raises(TypeError, match=r"^loss: cox_ph_loss is one of all rows together"):
        fl.boosting.catboost("cox_ph_loss")
