"""Counts and grades of statsmodels' data in boosters and as linear models."""

from __future__ import annotations

from functools import cache
from math import exp
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.integrations.boosters import WEIGHTED, same_tables, weights

sm = pytest.importorskip("statsmodels.api")
xgb = pytest.importorskip("xgboost")
lgb = pytest.importorskip("lightgbm")

Array = np.ndarray[Any, Any]
LGB: dict[str, Any] = {
    "num_leaves": 8,
    "learning_rate": 0.1,
    "num_threads": 2,
    "verbosity": -1,
    "deterministic": True,
}


@cache
def visits() -> tuple[Array, Array]:
    """Visits to doctors in the RAND health insurance experiment: 20,190 rows, variance 7 means."""
    data = sm.datasets.randhie.load_pandas().data
    return data.drop(columns="mdvis").to_numpy(float), data["mdvis"].to_numpy(float)


@cache
def marriages() -> tuple[Array, Array]:
    """How happy marriages are, from 0 to 4, in Fair's survey: 6,366 rows."""
    data = sm.datasets.fair.load_pandas().data
    return data.drop(columns="rate_marriage").to_numpy(float), data["rate_marriage"].to_numpy() - 1


def halves(X: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    chosen = np.random.default_rng(0).permutation(len(y)) < len(y) // 2
    return X[chosen], y[chosen], X[~chosen], y[~chosen]


# ---- counts ------------------------------------------------------------------------------------


@WEIGHTED
def test_trees_without_dispersion_are_those_of_poisson(weighted: bool) -> None:
    """But for a factor of the second derivative, exp(0.7), which can be given back to XGBoost by
    its other parameters, and taken from LightGBM."""
    X, y = visits()
    w = weights(y, weighted)
    matrix = xgb.DMatrix(X, y, weight=w)
    lift = exp(0.7)
    theirs = xgb.train(
        {"max_depth": 4, "nthread": 2, "base_score": 0.5, "objective": "count:poisson"}
        | {"eta": 0.3, "lambda": 1.0, "min_child_weight": 1.0, "max_delta_step": 0.7},
        matrix,
        20,
    )
    ours = xgb.train(
        {"max_depth": 4, "nthread": 2, "base_score": float(np.log(0.5))}
        | {"eta": 0.3 / lift, "lambda": 1 / lift, "min_child_weight": 1 / lift}
        | {"max_delta_step": 0.7 * lift},
        matrix,
        20,
        obj=fl.boosting.xgboost("negative_binomial_nll_loss", dispersion=0.0),
    )
    same_tables(ours.trees_to_dataframe(), theirs.trees_to_dataframe(), "Feature", "Split", "Gain")

    def train(objective: Any, **params: Any) -> Any:
        rows = lgb.Dataset(X, y, weight=w)
        booster = lgb.train(LGB | {"objective": objective} | params, rows, 20)
        return booster.trees_to_dataframe()

    same_tables(
        train(fl.boosting.lightgbm("negative_binomial_nll_loss", dispersion=0.0)),
        train("poisson", boost_from_average=False, poisson_max_delta_step=1e-12),
        *("split_feature", "threshold", "value"),
    )


def log_likelihood(scores: Array, y: Array, dispersion: float) -> float:
    return -float(fl.negative_binomial_nll_loss(scores, y, dispersion))


def test_counts_are_more_likely_with_a_dispersion() -> None:
    """Of rows that were not trained on, with the same dispersion for both models."""
    train, y, test, y_test = halves(*visits())
    dispersion = 1.0
    objective = fl.boosting.xgboost("negative_binomial_nll_loss", dispersion=dispersion)
    start = objective.base_score(y)
    assert start == pytest.approx(np.log(y.mean()), rel=1e-6)  # the mean, whatever the dispersion
    params = {"max_depth": 4, "eta": 0.1, "nthread": 2, "base_score": start}
    matrix, held = xgb.DMatrix(train, y), xgb.DMatrix(test, y_test)
    of_mean = log_likelihood(np.full(len(y_test), start), y_test, dispersion)
    ours = xgb.train(params, matrix, 60, obj=objective)
    scores = ours.predict(held, output_margin=True)
    assert objective.metric(scores, held)[1] == pytest.approx(
        -log_likelihood(scores, y_test, dispersion), rel=1e-4
    )
    poisson = xgb.train(
        params | {"base_score": float(y.mean()), "objective": "count:poisson"}, matrix, 60
    )
    theirs = poisson.predict(held, output_margin=True)
    likely = [log_likelihood(x, y_test, dispersion) for x in (scores, theirs)]
    assert likely[0] > likely[1] > of_mean and likely[0] > of_mean + 0.02

    objective = fl.boosting.lightgbm("negative_binomial_nll_loss", dispersion=dispersion)
    each = objective.init_score(y)
    rows = lgb.Dataset(train, y, init_score=each)
    booster = lgb.train(LGB | {"objective": objective}, rows, 60)
    scores = booster.predict(test) + each[0]
    assert log_likelihood(scores, y_test, dispersion) > of_mean + 0.02


def test_counts_in_catboost() -> None:
    cat = pytest.importorskip("catboost")
    train, y, test, y_test = halves(*visits())
    objective = fl.boosting.catboost("negative_binomial_nll_loss", dispersion=1.0)
    model = cat.CatBoostRegressor(
        loss_function=objective,
        eval_metric=objective.metric,
        iterations=60,
        learning_rate=0.1,
        depth=4,
        verbose=0,
        allow_writing_files=False,
    )
    start = objective.baseline(y)
    model.fit(cat.Pool(train, y, baseline=start))
    scores = model.predict(test, prediction_type="RawFormulaVal") + start[0]
    of_mean = log_likelihood(np.full(len(y_test), start[0]), y_test, 1.0)
    assert log_likelihood(scores, y_test, 1.0) > of_mean + 0.02


def test_a_linear_model_of_counts() -> None:
    """Coefficients, and the dispersion too, are those of statsmodels."""
    X, y = visits()
    X = (X - X.mean(0)) / X.std(0)
    fitted = sm.NegativeBinomial(y, sm.add_constant(X)).fit(disp=0, gtol=1e-8, maxiter=200)
    *theirs, dispersion = fitted.params
    objective = fl.linear.Objective("negative_binomial_nll_loss", X, y, dispersion=dispersion)
    coef = objective.newton(gtol=1e-10)
    weights, intercept = objective.split(coef)
    np.testing.assert_allclose([intercept, *weights], theirs, rtol=1e-5, atol=1e-6)
    assert len(y) * objective.value(coef) == pytest.approx(-fitted.llf, rel=1e-10)
    # At the estimate the derivative with respect to the dispersion is 0, too.
    scores = objective.predict(coef, X)
    _, (_, slope) = fl.negative_binomial_nll_loss.value_and_grad(scores, y, dispersion)
    assert abs(slope) < 1e-5


# ---- grades ------------------------------------------------------------------------------------


def rank_probability_score(shares: Array, y: Array) -> float:
    """Of rows of shares of the grades: the squared error of their sums."""
    at_most = np.cumsum(shares, axis=1)[:, :-1]
    return float(((at_most - (y[:, None] <= np.arange(at_most.shape[1]))) ** 2).sum(1).mean())


def shares_of(scores: Array, thresholds: Array) -> Array:
    """Those of a cumulative logit model."""
    at_most = fl.sigmoid(thresholds - scores[:, None])
    return np.diff(at_most, axis=1, prepend=0.0, append=1.0)


def normal_shares(means: Array, spread: float, grades: int) -> Array:
    """Those of a regression with normal errors, cut between the grades."""
    from scipy.stats import norm

    at_most = norm.cdf((np.arange(grades - 1) + 0.5 - means[:, None]) / spread)
    return np.diff(at_most, axis=1, prepend=0.0, append=1.0)


def test_grades_in_boosters() -> None:
    """Better than a regression of the grades, and than their shares."""
    train, y, test, y_test = halves(*marriages())
    thresholds = fl.boosting.thresholds(y)
    np.testing.assert_allclose(fl.sigmoid(thresholds), [np.mean(y <= k) for k in range(4)])
    shares = np.tile(np.bincount(y.astype(int)) / len(y), (len(y_test), 1))
    least = rank_probability_score(shares, y_test)

    def regression(means: Array, of_train: Array) -> float:
        spread = float(np.std(of_train - y))
        return rank_probability_score(normal_shares(means, spread, 5), y_test)

    objective = fl.boosting.xgboost("ordinal_loss", thresholds=thresholds)
    assert abs(objective.base_score(y)) < 1e-6  # the thresholds have the shares
    params = {"max_depth": 3, "eta": 0.1, "nthread": 2}
    matrix, held = xgb.DMatrix(train, y), xgb.DMatrix(test, y_test)
    booster = xgb.train(params | {"base_score": 0.0}, matrix, 60, obj=objective)
    scores = booster.predict(held, output_margin=True)
    ours = rank_probability_score(shares_of(scores, thresholds), y_test)
    squared = xgb.train(params, matrix, 60)
    theirs = regression(squared.predict(held), squared.predict(matrix))
    assert ours < theirs < least

    objective = fl.boosting.lightgbm("ordinal_loss", thresholds=thresholds)
    booster = lgb.train(LGB | {"objective": objective}, lgb.Dataset(train, y), 60)
    ours = rank_probability_score(shares_of(booster.predict(test), thresholds), y_test)
    squared = lgb.train(LGB | {"objective": "regression"}, lgb.Dataset(train, y), 60)
    theirs = regression(squared.predict(test), squared.predict(train))
    assert ours < theirs < least


@pytest.mark.parametrize("loss", ["all_threshold_loss", "immediate_threshold_loss"])
def test_other_losses_of_grades_learn(loss: str) -> None:
    train, y, test, y_test = halves(*marriages())
    objective = fl.boosting.xgboost(loss, thresholds=fl.boosting.thresholds(y))
    start = objective.base_score(y)
    params = {"max_depth": 3, "eta": 0.1, "nthread": 2, "base_score": start}
    held = xgb.DMatrix(test, y_test)
    booster = xgb.train(params, xgb.DMatrix(train, y), 60, obj=objective)
    scores = booster.predict(held, output_margin=True)
    _, got = objective.metric(scores, held)
    assert got < 0.97 * objective.metric(np.full(len(y_test), start), held)[1]


@pytest.mark.parametrize("loss", ["coral_loss", "corn_loss"])
def test_losses_of_a_score_for_each_step_between_grades(loss: str) -> None:
    train, y, test, y_test = halves(*marriages())
    objective = fl.boosting.xgboost(loss)
    start = objective.base_score(y)
    shares = [np.mean(y > k) for k in range(4)]
    if loss == "corn_loss":
        shares = [np.mean(y[y >= k] > k) for k in range(4)]
    np.testing.assert_allclose(fl.sigmoid(start), shares)
    params = {"max_depth": 3, "eta": 0.2, "nthread": 2, "num_class": 4, "base_score": 0.0}
    matrix, held = xgb.DMatrix(train, y), xgb.DMatrix(test, y_test)
    matrix.set_base_margin(np.tile(start, (len(y), 1)))
    held.set_base_margin(np.tile(start, (len(y_test), 1)))
    booster = xgb.train(params, matrix, 30, obj=objective)
    scores = booster.predict(held, output_margin=True)
    assert scores.shape == (len(y_test), 4)
    _, got = objective.metric(scores, held)
    assert got < 0.97 * objective.metric(np.tile(start, (len(y_test), 1)), held)[1]


def test_a_linear_model_of_grades() -> None:
    """Coefficients and thresholds are those of statsmodels' OrderedModel."""
    from scipy.optimize import minimize
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    X, y = marriages()
    X = (X - X.mean(0)) / X.std(0)
    model = OrderedModel(y.astype(int), X, distr="logit")
    fitted = model.fit(method="bfgs", disp=0, gtol=1e-7, maxiter=500)
    columns = X.shape[1]

    def objective(coef: Array) -> tuple[float, Array]:
        """Thresholds as the first one and the logarithms of the steps between them."""
        steps = np.exp(coef[columns + 1 :])
        thresholds = coef[columns] + np.append(0.0, np.cumsum(steps))
        value, (grad, of_thresholds) = fl.ordinal_loss.value_and_grad(
            X @ coef[:columns], thresholds, y.astype(int)
        )
        tails = np.cumsum(of_thresholds[::-1])[::-1]
        return float(value), np.concatenate([X.T @ grad, tails[:1], tails[1:] * steps])

    start = fl.boosting.thresholds(y)
    first = np.concatenate([np.zeros(columns), start[:1], np.log(np.diff(start))])
    found = minimize(objective, first, jac=True, method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(found.x, fitted.params, rtol=1e-4, atol=1e-5)
    assert len(y) * found.fun == pytest.approx(-fitted.llf, rel=1e-9)
    # With the thresholds known, as fl.linear has it.
    thresholds = found.x[columns] + np.append(0.0, np.cumsum(np.exp(found.x[columns + 1 :])))
    linear = fl.linear.Objective(
        "ordinal_loss", X, y.astype(int), thresholds=thresholds, fit_intercept=False
    )
    again = minimize(linear.value_and_grad, linear.start(), jac=True, options={"gtol": 1e-9})
    np.testing.assert_allclose(again.x, found.x[:columns], rtol=1e-5, atol=1e-6)
