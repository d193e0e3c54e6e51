"""Results that public tutorials print must come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl

GOLDEN = json.loads((Path(__file__).parent / "golden_cases.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda c: c["loss"])
def test_values(case: dict[str, Any]) -> None:
    value, grad = getattr(fl, case["loss"]).value_and_grad(*case["args"], **case["kwargs"])
    atol = case.get("atol", 6e-5)
    np.testing.assert_allclose(value, case["value"], rtol=0, atol=atol)
    if "grad" in case:
        np.testing.assert_allclose(grad, case["grad"], rtol=0, atol=atol)


@pytest.mark.parametrize("case", GOLDEN["errors"], ids=lambda c: c["loss"])
def test_errors(case: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match="target"):
        getattr(fl, case["loss"])(*case["args"])


def test_mse_of_softmax() -> None:
    chain, _ = GOLDEN["chains"]
    x = np.array(chain["input"])
    p = fl.softmax(x, axis=1)
    value, dp = fl.mse_loss.value_and_grad(p, chain["target"])
    np.testing.assert_allclose(p, chain["softmax"], rtol=0, atol=6e-5)
    np.testing.assert_allclose(value, chain["value"], rtol=0, atol=6e-5)
    # Printed from float32, where the second row is a difference of numbers that differ in 1e-4.
    np.testing.assert_allclose(fl.softmax.vjp(x, dp, axis=1), chain["grad"], rtol=1e-3)


def test_log_softmax_then_nll_is_cross_entropy() -> None:
    _, chain = GOLDEN["chains"]
    x = np.array(chain["input"])
    log_p = fl.log_softmax(x, axis=1)
    np.testing.assert_allclose(log_p, chain["log_softmax"], rtol=0, atol=6e-5)
    value, d_log_p = fl.nll_loss.value_and_grad(log_p, [1, 0, 3])
    whole, grad = fl.cross_entropy.value_and_grad(x, [1, 0, 3])
    np.testing.assert_allclose(value, whole, rtol=1e-14)
    np.testing.assert_allclose(fl.log_softmax.vjp(x, d_log_p, axis=1), grad, rtol=1e-10, atol=1e-17)
