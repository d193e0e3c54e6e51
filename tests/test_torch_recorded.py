"""The same as torch, as recorded by peers/record.py: values, gradients, second derivatives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl

RECORD = json.loads((Path(__file__).parent / "data" / "torch_parity.json").read_text())


def name(case: dict[str, Any]) -> str:
    extra = [k for k in case["arrays"] if k not in ("input", "target")]
    return "-".join([case["loss"], *extra, *(f"{k}={v}" for k, v in case["options"].items())])


@pytest.mark.parametrize("case", RECORD["cases"], ids=name)
def test_recorded(case: dict[str, Any]) -> None:
    arrays = {k: np.array(a) for k, a in case["arrays"].items()}
    got = getattr(fl, case["loss"]).value_grad_hess(**arrays, **case["options"])
    for part, what in zip(got, ("value", "grad", "hess"), strict=True):
        expected = np.array(case[what], float).reshape(np.shape(part))
        # Torch loses the digits of the confident tails, which are all below the atol.
        np.testing.assert_allclose(part, expected, rtol=1e-9, atol=1e-12, err_msg=what)


def test_of_which_torch() -> None:
    assert RECORD["about"].startswith("torch 2.13")
