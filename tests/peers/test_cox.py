"""Cox's partial likelihood beside the packages that are installed, on other numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_cox import PACKAGES


def sample(n: int, times: float) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(n)
    time = rng.exponential(10, n) + 100  # statsmodels has no entries before 0
    time = np.ceil(time * times) if times else time
    event = rng.random(n) < 0.6
    event[np.argmin(time)] = True
    return rng.normal(size=n), time, event.astype(int)


@pytest.mark.parametrize("n", [5, 40, 150])
@pytest.mark.parametrize("times", [0.0, 0.3])
@pytest.mark.parametrize("extra", [(), ("strata",), ("entry",), ("weight",)])
@pytest.mark.parametrize("package", ["lifelines", "statsmodels", "sksurv"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_packages(package: str, extra: tuple[str, ...], times: float, n: int, ties: str) -> None:
    pytest.importorskip(package)
    unknown = {"statsmodels": {"weight"}, "sksurv": {"weight", "strata", "entry"}}
    if unknown.get(package, set()) & set(extra) or (package == "lifelines" and ties == "breslow"):
        pytest.skip("not there")
    x, time, event = sample(n, times)
    rng = np.random.default_rng(1)
    more = {
        "strata": rng.integers(0, 3, n),
        # Never the time of an event, at which statsmodels, unlike R, has it at risk already.
        "entry": np.maximum(time - np.ceil(rng.exponential(5, n)) - 0.5, 0),
        "weight": rng.choice([0.5, 1.0, 2.0], n),
    }
    options: dict[str, Any] = {name: more[name] for name in extra} | {"ties": ties}
    want = PACKAGES[package](x, time, event, options)
    got = fl.cox_ph_loss.value_grad_hess(x, time, event, reduction="sum", **options)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [5, 8, 12])
def test_xgboost(n: int) -> None:
    """Of times that are all different; it computes in float32."""
    pytest.importorskip("xgboost")
    x, time, event = sample(n, 0.0)
    _, grad, hess = PACKAGES["xgboost"](x, time, event, {})
    got = fl.cox_ph_loss.value_grad_hess(x, time, event, ties="breslow", reduction="sum")
    np.testing.assert_allclose(got[1], grad, atol=1e-4)
    np.testing.assert_allclose(got[2], hess, atol=1e-4)
