"""Likelihoods of counts beside scipy.stats and statsmodels, as installed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.peers import record_counts
from tests.test_counts import RECORD, log_likelihood
from tests.test_counts import test_scipy as check_distribution
from tests.test_counts import test_statsmodels as check_model

pytest.importorskip("scipy")


def test_distributions() -> None:
    for case in record_counts.plain(record_counts.distributions()):
        check_distribution(case)


def test_models() -> None:
    pytest.importorskip("statsmodels")
    for case in record_counts.plain(record_counts.models()):
        check_model(case)


def test_the_record() -> None:
    """What is recorded is what the installed packages say."""
    pytest.importorskip("statsmodels")
    now = json.loads(json.dumps(record_counts.plain(record_counts.models())))
    for case, recorded in zip(now, RECORD["models"], strict=True):
        assert case["name"] == recorded["name"]
        np.testing.assert_allclose(case["grad"], recorded["grad"], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("zeros", [False, True])
def test_a_fit_of_real_counts(zeros: bool) -> None:
    """Visits to a doctor, of the RAND experiment: where statsmodels ends, the gradient is 0."""
    sm = pytest.importorskip("statsmodels.api")
    data = sm.datasets.randhie.load_pandas()
    y, X = data.endog.to_numpy()[:4000], sm.add_constant(data.exog).to_numpy()[:4000]
    options = {"disp": 0, "method": "bfgs", "maxiter": 1000, "gtol": 1e-8}
    name = "ZeroInflatedPoisson" if zeros else "NegativeBinomial"
    fit = getattr(sm, name)(y, X).fit(**options)
    case = {"target": y, "design": X, "zeros": np.ones((len(y), 1)), "params": fit.params}
    value, grad = log_likelihood(name, case)
    assert value == pytest.approx(-fit.llf, rel=1e-12)
    assert np.abs(grad).max() < 1e-2 < np.abs(grad[0] - len(y))
