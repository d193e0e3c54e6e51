"""Objectives and losses of residuals in SciPy's optimisers, beside scikit-learn's linear models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.optimize import least_squares, minimize
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import (
    HuberRegressor,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    TweedieRegressor,
)

import fusedloss as fl
from fusedloss.linear import Objective

Array = np.ndarray[Any, Any]
TIGHT = {"tol": 1e-10, "max_iter": 10_000}


def digits() -> tuple[Array, Array]:
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def fitted(objective: Objective, method: str = "trust-ncg") -> Array:
    more = {} if method == "L-BFGS-B" else {"hessp": objective.hessp}
    options = {"gtol": 1e-10} | ({"ftol": 0, "maxiter": 5000} if method == "L-BFGS-B" else {})
    result = minimize(
        objective.value_and_grad,
        objective.start(),
        jac=True,
        method=method,
        options=options,
        **more,  # type: ignore[arg-type]
    )
    coef: Array = result.x
    return coef


def near(coef: Array, model: Any, tolerance: float = 1e-6) -> None:
    weights, intercepts = np.ravel(model.coef_), np.ravel(model.intercept_)
    if not model.fit_intercept:
        assert not intercepts.any()
        intercepts = intercepts[:0]
    mine, its = coef[: len(weights)], coef[len(weights) :]
    np.testing.assert_allclose(mine, weights, rtol=0, atol=tolerance)
    if len(intercepts) > 1:  # of a softmax they share a number that nothing determines
        its, intercepts = its - its.mean(), intercepts - intercepts.mean()
    np.testing.assert_allclose(its, intercepts, rtol=0, atol=tolerance)


@pytest.mark.parametrize("weighted", (False, True))
def test_logistic_regression(weighted: bool) -> None:
    X, y = digits()
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y)) if weighted else None
    l2 = 1 / (len(y) if weight is None else weight.sum())
    options = {"sample_weight": weight}
    model = LogisticRegression(solver="newton-cholesky", **TIGHT).fit(X, y < 5, **options)
    objective = Objective("binary_cross_entropy_with_logits", X, y < 5, l2=l2, **options)
    for coef in (fitted(objective), objective.newton()):
        near(coef, model)
    np.testing.assert_allclose(objective.predict(coef, X), model.decision_function(X), atol=1e-5)
    model = LogisticRegression(solver="newton-cg", **TIGHT).fit(X, y, **options)
    near(fitted(Objective("cross_entropy", X, y, l2=l2, **options)), model)


def test_weights_of_classes() -> None:
    X, y = digits()
    weights = dict(enumerate(np.linspace(0.5, 2, 10)))
    model = LogisticRegression(solver="newton-cg", class_weight=weights, **TIGHT).fit(X, y)
    w = np.array(list(weights.values()))
    near(fitted(Objective("cross_entropy", X, y, l2=1 / w[y].sum(), weight=w)), model)


@pytest.mark.parametrize("fit_intercept", (False, True))
def test_regression(fit_intercept: bool) -> None:
    X, y = digits()
    made: dict[str, Any] = {"fit_intercept": fit_intercept}
    newton: dict[str, Any] = {"solver": "newton-cholesky", **TIGHT}
    target = y.astype(float)
    n = len(y)
    for name, model, options in (
        ("poisson_nll_loss", PoissonRegressor(alpha=1e-3, **made, **newton), {"l2": 1e-3}),
        (
            "tweedie_loss",
            TweedieRegressor(power=1.5, alpha=1e-3, **made, **newton),
            {"l2": 1e-3, "power": 1.5},
        ),
        (
            "gamma_nll_loss",
            TweedieRegressor(power=2, link="log", alpha=1e-2, **made, **newton),
            {"l2": 1e-2},
        ),
        ("mse_loss", Ridge(alpha=1.0, **made), {"l2": 2 / n}),
    ):
        of = target + 1 if name == "gamma_nll_loss" else target
        objective = Objective(name, X, of, **made, **options)
        near(objective.newton(), model.fit(X, of))
        near(fitted(objective), model)


def test_huber_regression() -> None:
    """HuberRegressor finds a scale, too; the coefficients are those of the loss at that scale."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 6))
    y = X @ rng.normal(size=6) + rng.standard_t(2, 2000)
    model = HuberRegressor(alpha=1e-3, epsilon=1.35, tol=1e-10, max_iter=10_000).fit(X, y)
    scale = model.scale_
    objective = Objective("huber_loss", X, y, delta=1.35 * scale, l2=1e-3 * scale / len(y))
    near(objective.newton(), model)
    near(fitted(objective, "L-BFGS-B"), model)


# ---- sparse --------------------------------------------------------------------------------------


def in_formats(X: Array) -> list[Any]:
    kinds = (sparse.csr_array, sparse.csc_array, sparse.csr_matrix, sparse.csc_matrix)
    return [kind(X) for kind in kinds]


@pytest.mark.parametrize("dtype", (np.float64, np.float32, np.int8))
def test_sparse_is_as_dense(dtype: Any) -> None:
    X, y = load_digits(return_X_y=True)
    X = X.astype(dtype)
    rng = np.random.default_rng(1)
    rtol = 1e-3 if dtype == np.float32 else 1e-10
    for name, target in (("cross_entropy", y), ("poisson_nll_loss", y.astype(float))):
        for fit_intercept in (True, False):
            dense = Objective(name, X, target, fit_intercept=fit_intercept, l2=0.1)
            coef, v = 0.01 * rng.normal(size=(2, dense.n_coef))
            value, grad = dense.value_and_grad(coef)
            product = dense.hessp(coef, v)
            for Z in in_formats(X):
                other = Objective(name, Z, target, fit_intercept=fit_intercept, l2=0.1)
                assert other.value(coef) == pytest.approx(value, rel=rtol)
                np.testing.assert_allclose(other.grad(coef), grad, rtol, rtol * abs(grad).max())
                np.testing.assert_allclose(
                    other.hessp(coef, v), product, rtol, rtol * abs(product).max()
                )
                scores = other.predict(coef, Z[:5])
                assert type(scores) is np.ndarray
                np.testing.assert_allclose(scores, dense.predict(coef, X[:5]), rtol=rtol)


def test_sparse_logistic_regression() -> None:
    X, y = digits()
    Z = sparse.csr_array(X)
    model = LogisticRegression(solver="newton-cg", **TIGHT).fit(Z, y < 5)
    objective = Objective("binary_cross_entropy_with_logits", Z, y < 5, l2=1 / len(y))
    near(fitted(objective), model)


def test_wrong_sparse_arrays() -> None:
    X, y = digits()
    with pytest.raises(
        TypeError, match=r"X: the sparse format coo is not accepted; .* X.tocsr\(\)"
    ):
        Objective("mse_loss", sparse.coo_array(X), y)
    with pytest.raises(TypeError, match="X: dtype complex128 is not accepted; it must be real"):
        Objective("mse_loss", sparse.csr_array(X + 1j), y)
    objective = Objective("mse_loss", sparse.csr_array(X), y)
    with pytest.raises(NotImplementedError, match="X: hess takes dense arrays; hessp takes sparse"):
        objective.hess(objective.start())


@pytest.mark.parametrize("method", ("L-BFGS-B", "trust-ncg", "Newton-CG"))
def test_optimisers(method: str) -> None:
    X, y = digits()
    objective = Objective("log_cosh_loss", X, y.astype(float), l2=1e-3)
    options = {"xtol": 1e-10} if method == "Newton-CG" else {"gtol": 1e-9}
    if method == "L-BFGS-B":
        options |= {"ftol": 0, "maxiter": 5000}
    hessp = None if method == "L-BFGS-B" else objective.hessp
    result = minimize(
        objective.value_and_grad,
        objective.start(),
        jac=True,
        hessp=hessp,
        method=method,
        options=options,
    )
    np.testing.assert_allclose(result.x, objective.newton(), rtol=0, atol=2e-4)


# ---- least_squares -------------------------------------------------------------------------------

RESIDUALS = ("huber_loss", "pseudo_huber_loss", "log_cosh_loss", "cauchy_loss", "fair_loss")


@pytest.mark.parametrize("name", (*RESIDUALS, "smooth_l1_loss", "mse_loss"))
def test_least_squares_finds_the_least_loss(name: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    X, y = np.column_stack([X, np.ones(len(y))]), y / 50
    found = least_squares(
        lambda w: X @ w - y,
        np.zeros(11),
        jac=lambda w: X,
        loss=fl.scipy.rho(name),
        gtol=1e-12,
        xtol=1e-14,
        ftol=1e-14,
    )
    loss = getattr(fl, name)
    assert found.cost == pytest.approx(float(loss(X @ found.x, y, reduction="sum")), rel=1e-12)
    grad = X.T @ loss.value_and_grad(X @ found.x, y, reduction="sum")[1]
    assert np.abs(grad).max() < 1e-5


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("huber_loss", "huber"), ("pseudo_huber_loss", "soft_l1"), ("cauchy_loss", "cauchy")],
)
def test_the_losses_that_scipy_has(ours: str, theirs: str) -> None:
    X, y = load_diabetes(return_X_y=True)
    y = y / 50
    results = [
        least_squares(
            lambda w: X @ w[:10] + w[10] - y, np.zeros(11), loss=loss, xtol=1e-12, ftol=1e-12
        )
        for loss in (fl.scipy.rho(ours), theirs)
    ]
    np.testing.assert_allclose(results[0].x, results[1].x, rtol=1e-5, atol=1e-6)
    assert results[0].cost == pytest.approx(results[1].cost, rel=1e-10)


def test_residuals_of_0() -> None:
    """What is exact from the start stays so: no nan comes of ρ'' at 0."""
    X = np.arange(12.0).reshape(6, 2)
    for name in RESIDUALS:
        found = least_squares(lambda w: X @ (w - 1), np.ones(2), loss=fl.scipy.rho(name))
        np.testing.assert_allclose(found.x, 1, atol=1e-12)
