"""The conventions of TensorFlow, Keras, optax, MONAI, scikit-learn, SciPy, XGBoost and LightGBM.

Their numbers were recorded by peers/record_others.py; each case says which call here gives them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl

RECORD = json.loads((Path(__file__).parent / "data" / "others.json").read_text(encoding="utf-8"))
PARTS = ("value", "grad", "hess")


def name(case: dict[str, Any]) -> str:
    return str(case["theirs"])


def answer(case: dict[str, Any]) -> dict[str, Any]:
    arrays = {k: np.array(a) for k, a in case["arrays"].items()}
    parts = getattr(fl, case["loss"]).value_grad_hess(**arrays, **case["options"])
    return dict(zip(PARTS, parts, strict=True))


@pytest.mark.parametrize("case", RECORD["cases"], ids=name)
def test_cases(case: dict[str, Any]) -> None:
    got = answer(case)
    if case.get("deviance"):
        perfect = case["arrays"] | {"input": case["arrays"]["target"]}
        got["value"] = got["value"] - answer(case | {"arrays": perfect})["value"]
    times = np.broadcast_to(case["times"], 3)
    rtol, asked = case["rtol"], 0
    for part, factor in zip(PARTS, times, strict=True):
        if case[part] is not None:
            asked += 1
            expected = np.array(case[part]).reshape(np.shape(got[part]))
            np.testing.assert_allclose(
                factor * got[part], expected, rtol=rtol, atol=rtol / 1e3, err_msg=part
            )
    if "sum_of_grad" in case:
        asked += 1
        assert got["grad"].sum() == pytest.approx(case["sum_of_grad"], rel=rtol, abs=rtol)
    assert asked


@pytest.mark.parametrize("case", RECORD["differences"], ids=name)
def test_differences(case: dict[str, Any]) -> None:
    """What the docstrings tell apart."""
    got = answer(case)[case["part"]]
    np.testing.assert_allclose(got, case["here"], rtol=1e-9)
    assert not np.allclose(np.array(case["them"]), case["here"], rtol=1e-3, atol=0)


def test_every_system_is_there() -> None:
    systems = ("tf.", "keras.", "optax.", "monai.", "sklearn.", "scipy.", "xgboost ", "lightgbm ")
    for system in systems:
        assert any(case["theirs"].startswith(system) for case in RECORD["cases"])
