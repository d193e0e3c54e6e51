"""Accelerated failure times beside the packages that are installed, on other numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_aft import FITTERS, derivatives, fitted, log_likelihood, times

Row = tuple[float, float, float]

every = pytest.mark.parametrize("distribution", FITTERS)
scales = pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])


def rows(scale: float) -> Iterator[Row]:
    """Input, lower and upper end of each kind of row, up to 3 scales from the input."""
    rng = np.random.default_rng(7)
    for z in (-3.0, -1.0, -0.1, 0.4, 1.2):
        time = float(np.exp(rng.normal()))
        x = float(np.log(time) - z * scale)
        yield x, time, time
        yield x, time, np.inf
        yield x, 0.0, time
        yield x, time, 1.7 * time


@every
@scales
def test_scipy(distribution: str, scale: float) -> None:
    pytest.importorskip("scipy.stats")
    for row in rows(scale):
        got = fl.aft_loss(*row, scale, distribution=distribution)
        want = -log_likelihood(distribution, *row, scale)
        assert got == pytest.approx(want, rel=1e-10, abs=1e-12)


@every
@pytest.mark.parametrize("kind", ["right", "left", "interval"])
@pytest.mark.parametrize(("n", "seed"), [(40, 11), (300, 12)])
@pytest.mark.filterwarnings("ignore")  # lifelines' own, of the packages that it uses
def test_lifelines(distribution: str, kind: str, n: int, seed: int) -> None:
    """The log-likelihood at the parameters of a fit, which ends where the gradients are small."""
    pytest.importorskip("lifelines")
    fit = fitted(distribution, kind, n, seed)
    x, lower, upper = times(kind, n, seed)
    value, (grad, by_scale) = fl.aft_loss.value_and_grad(
        fit["input"], lower, upper, fit["scale"], distribution=distribution
    )
    assert value == pytest.approx(-fit["log_likelihood"], rel=1e-10)
    assert max(abs(grad.sum()), abs(grad @ x), abs(by_scale)) < 5e-3


@every
@scales
def test_xgboost(distribution: str, scale: float) -> None:
    """Of its objective, which computes in float32, and cuts derivatives at 15."""
    pytest.importorskip("xgboost")
    compared = 0
    for x, lower, upper in rows(scale):
        row = tuple(float(np.float32(number)) for number in (x, lower, upper))
        _, (grad, _), (hess, _) = fl.aft_loss.value_grad_hess(
            *row, scale, distribution=distribution
        )
        theirs = derivatives(distribution, scale, row)
        assert theirs[0] == pytest.approx(np.clip(grad, -15, 15), rel=1e-5, abs=1e-6)
        assert theirs[1] == pytest.approx(np.clip(hess, 1e-16, 15), rel=1e-5, abs=1e-6)
        compared += max(abs(grad), hess) < 15
    assert compared >= 16
