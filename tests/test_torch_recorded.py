"""The same as torch, as recorded by peers/record.py: values, gradients, second derivatives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg

RECORD = json.loads((Path(__file__).parent / "data" / "torch_parity.json").read_text())


def name(case: dict[str, Any]) -> str:
    extra = [k for k in case["arrays"] if k not in ("input", "target")]
    return "-".join([case["loss"], *extra, *(f"{k}={v}" for k, v in case["options"].items())])


#: Losses whose targets torch does not check.
OF_PROBABILITIES = {case.loss for case in reg.ROWS if case.target == "probability"}


def is_inside(target: Any) -> bool:
    """Whether a target holds class numbers or probabilities."""
    return target.dtype.kind != "f" or bool(np.all((target >= 0) & (target <= 1)))


def compare(got: Any, expected: Any, what: str, rtol: float) -> None:
    """Losses with two gradients have pairs; null says that torch has nothing to compare with."""
    if isinstance(got, tuple):
        for k, (part, right) in enumerate(zip(got, expected, strict=True)):
            compare(part, right, f"{what}[{k}]", rtol)
    elif expected is not None:
        right = np.array(expected, float).reshape(np.shape(got))
        # Torch loses the digits of the confident tails, which are all below the atol.
        np.testing.assert_allclose(got, right, rtol=rtol, atol=1e-12, err_msg=what)


@pytest.mark.parametrize("case", RECORD["cases"], ids=name)
def test_recorded(case: dict[str, Any]) -> None:
    arrays = {k: np.array(a) for k, a in case["arrays"].items()}
    if case["loss"] in OF_PROBABILITIES and not is_inside(arrays["target"]):
        with pytest.raises(ValueError, match=r"^target: the value at "):  # torch takes any number
            getattr(fl, case["loss"])(**arrays, **case["options"])
        return
    got = getattr(fl, case["loss"]).value_grad_hess(**arrays, **case["options"])
    # Torch's 1e-12, from which on it clamps that loss's slope, is a float32.
    rtol = 1e-8 if case["loss"] == "binary_cross_entropy" else 1e-9
    for part, what in zip(got, ("value", "grad", "hess"), strict=True):
        compare(part, case[what], what, rtol)


def test_of_which_torch() -> None:
    assert RECORD["about"].startswith("torch 2.13")
