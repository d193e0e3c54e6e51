"""Scores of forecasts beside scoringrules and properscoring, as installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_forecasts import (
    ALPHAS,
    CASES,
    ask_properscoring,
    ask_scoringrules,
    ask_weighted,
    operands,
    quantiles,
)


@pytest.mark.parametrize(("loss", "options"), CASES)
def test_scoringrules(loss: str, options: dict[str, Any]) -> None:
    pytest.importorskip("scoringrules")
    given = operands(loss)
    got = getattr(fl, loss)(*given, reduction="none", **options)
    np.testing.assert_allclose(got, ask_scoringrules(loss, *given, **options), rtol=1e-10)


def test_weighted_interval_score() -> None:
    """It is twice the mean of quantile losses; so scoringrules has it with numba, and other numbers
    without."""
    pytest.importorskip("scoringrules")
    pytest.importorskip("numba")
    t, ends = quantiles()
    lower = np.array(ALPHAS) / 2
    levels = np.concatenate([lower, [0.5], 1 - lower[::-1]])
    got = 2 * fl.quantile_loss(ends, t[:, None], q=levels, reduction="none").mean(axis=1)
    np.testing.assert_allclose(got, ask_weighted(), rtol=1e-12)


def test_properscoring() -> None:
    pytest.importorskip("properscoring")
    given = operands("crps_normal")
    value, grads = fl.crps_normal.value_and_grad(*given, reduction="none")
    values, theirs = ask_properscoring(*given)
    np.testing.assert_allclose(value, values, rtol=1e-10)
    for got, right in zip(grads, theirs, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-10, atol=1e-12)
