"""Linear models of survival data: those of statsmodels, scikit-survival and lifelines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.integrations.survival import Array, Survival, gbsg2, whas500

scipy_optimize = pytest.importorskip("scipy.optimize")
pytest.importorskip("sksurv")


def scaled(data: Survival) -> Survival:
    return data._replace(X=(data.X - data.X.mean(0)) / data.X.std(0))


def cox(data: Survival, ties: str, **options: Any) -> Array:
    """Coefficients: Newton's method of SciPy, with products of the Hessian."""
    plan = fl.cox_ph_loss.plan(data.time, data.event, **options)

    def value_and_grad(coef: Array) -> tuple[float, Array]:
        value, grad = fl.cox_ph_loss.value_and_grad(data.X @ coef, plan=plan, ties=ties)
        return float(value), data.X.T @ grad

    def hessp(coef: Array, v: Array) -> Array:
        product = fl.cox_ph_loss.hvp(data.X @ coef, v=data.X @ v, plan=plan, ties=ties)
        return np.asarray(data.X.T @ product)

    found = scipy_optimize.minimize(
        value_and_grad,
        np.zeros(data.X.shape[1]),
        jac=True,
        hessp=hessp,
        method="trust-ncg",
        options={"gtol": 1e-10},
    )
    coef: Array = found.x
    return coef


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("load", [whas500, gbsg2])
def test_cox(ties: str, load: Any) -> None:
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    data = scaled(load())
    coef = cox(data, ties)
    model = CoxPHSurvivalAnalysis(ties=ties, tol=1e-13, n_iter=200)
    model.fit(data.X, Surv.from_arrays(data.event, data.time))
    np.testing.assert_allclose(coef, model.coef_, rtol=1e-7, atol=1e-8)
    assert data.concordance(data.X @ coef) > 0.68


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_of_statsmodels(ties: str) -> None:
    duration = pytest.importorskip("statsmodels.duration.hazard_regression")
    data = scaled(gbsg2())
    strata = gbsg2().X[:, -2]
    columns = [k for k in range(data.X.shape[1]) if k != data.X.shape[1] - 2]
    data = data._replace(X=data.X[:, columns])
    # At a time that is another row's entry, PHReg has that row at risk, and we have not.
    for more in ({}, {"strata": strata}, {"entry": 0.3 * data.time - 0.01}):
        model = duration.PHReg(data.time, data.X, status=data.event, ties=ties, **more)
        fitted = model.fit(method="newton", tol=1e-13, maxiter=100)
        coef = cox(data, ties, **more)
        np.testing.assert_allclose(coef, fitted.params, rtol=1e-6, atol=1e-8)
        value = fl.cox_ph_loss(
            data.X @ coef, data.time, data.event, ties=ties, reduction="sum", **more
        )
        assert float(value) == pytest.approx(-fitted.llf, rel=1e-10)


#: lifelines 0.30.3 of gbsg2, scaled, with ``fit_options={"ftol": 1e-15}``: WeibullAFTFitter,
#: LogNormalAFTFitter (whose search ends early), LogLogisticAFTFitter. Coefficients, the intercept,
#: and the logarithm of the scale.
LIFELINES = {
    "extreme": [
        *(0.068756351, -0.023346751, 0.125102634, 0.099824980, -0.212098616, 0.333868980),
        *(-0.122881326, -0.081110897, 7.715151973, -0.330808602),
    ],
    "normal": [
        *(0.126593780, -0.007403496, 0.148233905, 0.128359341, -0.276138275, 0.300059875),
        *(-0.149174276, -0.087581275, 7.421430167, -0.019482507),
    ],
    "logistic": [
        *(0.131908393, -0.009291181, 0.154026317, 0.142804575, -0.282440090, 0.329620785),
        *(-0.133964641, -0.095545292, 7.406947325, -0.561817659),
    ],
}


def aft(data: Survival, distribution: str) -> Array:
    """Coefficients, intercept and logarithm of the scale."""
    upper = np.where(data.event, data.time, np.inf)
    design = np.column_stack([data.X, np.ones(len(data.time))])

    def value_and_grad(coef: Array) -> tuple[float, Array]:
        scale = np.exp(coef[-1])
        value, (grad, of_scale) = fl.aft_loss.value_and_grad(
            design @ coef[:-1], data.time, upper, scale=scale, distribution=distribution
        )
        return float(value), np.append(design.T @ grad, of_scale * scale)

    start = np.append(np.zeros(design.shape[1] - 1), [np.log(data.time).mean(), 0.0])
    found = scipy_optimize.minimize(value_and_grad, start, jac=True, options={"gtol": 1e-10})
    coef: Array = found.x
    return coef


@pytest.mark.parametrize("distribution", LIFELINES)
def test_accelerated_failure_times(distribution: str) -> None:
    data = scaled(gbsg2())
    coef = aft(data, distribution)
    np.testing.assert_allclose(
        coef, LIFELINES[distribution], rtol=0, atol=1e-5 if distribution == "normal" else 1e-7
    )
    # With the scale known, as fl.linear has it: of times with signs, and of bounds.
    upper = np.where(data.event, data.time, np.inf)
    for y in (data.labels, (data.time, upper)):
        objective = fl.linear.Objective(
            "aft_loss", data.X, y, distribution=distribution, scale=np.exp(coef[-1])
        )
        found = scipy_optimize.minimize(
            objective.value_and_grad, objective.start(), jac=True, options={"gtol": 1e-9}
        )
        np.testing.assert_allclose(found.x, coef[:-1], rtol=1e-5, atol=1e-7)
