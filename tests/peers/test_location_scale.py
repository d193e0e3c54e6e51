"""Losses of two parameters beside scipy.stats and torch.distributions, as installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_location_scale import CASES, ask_scipy, ask_torch, operands

CASE = pytest.mark.parametrize(("loss", "options", "positive"), CASES)


@CASE
def test_scipy(loss: str, options: dict[str, Any], positive: bool) -> None:
    pytest.importorskip("scipy.stats")
    given = operands(positive)
    got = getattr(fl, loss)(*given, reduction="none", **options)
    np.testing.assert_allclose(got, ask_scipy(loss, *given, **options), rtol=1e-10, atol=1e-10)


@CASE
def test_torch(loss: str, options: dict[str, Any], positive: bool) -> None:
    pytest.importorskip("torch")
    given = operands(positive)
    theirs = ask_torch(loss, *given, **options)
    if theirs is None:
        pytest.skip("torch has no logistic distribution")
    value, grads, hesses = getattr(fl, loss).value_grad_hess(*given, reduction="none", **options)
    np.testing.assert_allclose(value, theirs[0], rtol=1e-10, atol=1e-10)
    for got, right in zip(grads, theirs[1], strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-10, atol=1e-10)
    rtol = 5e-9 if loss == "gamma_shape_nll_loss" else 1e-10  # its trigamma function
    for got, right in zip(hesses, theirs[2], strict=True):
        np.testing.assert_allclose(got, right, rtol=rtol, atol=1e-10)
