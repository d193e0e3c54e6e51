"""Every call in docs/equivalents.md gives the number of the other library."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from docs.equivalents import ROWS, Row, arrays

DATA = Path(__file__).parent / "data"
CALLS = {
    (c["library"], c["theirs"]): c["value"]
    for c in json.loads((DATA / "equivalents.json").read_text(encoding="utf-8"))["calls"]
}
RECORDS: dict[str, list[dict[str, Any]]] = {}
for case in json.loads((DATA / "others.json").read_text(encoding="utf-8"))["cases"]:
    RECORDS.setdefault(case["theirs"], []).append(case)

THERE = [row for row in ROWS if row.here and row.exists]
# Where they clip at 1e-7, add that, or compute in float32.
ROUGH = {"tf.losses (v1)": 2e-6, "Keras": 2e-6, "XGBoost": 2e-6, "LightGBM": 2e-6}


def name(row: Row) -> str:
    return f"{row.library}: {row.theirs}"


@pytest.mark.parametrize("row", [row for row in THERE if not row.record], ids=name)
def test_calls(row: Row) -> None:
    got = eval(row.here, {"fl": fl, "np": np} | arrays())
    expected = np.array(CALLS[row.library, row.theirs])
    assert np.shape(got) == expected.shape or np.size(got) == expected.size == 1
    rtol = ROUGH.get(row.library, 1e-9)
    np.testing.assert_allclose(got, expected.reshape(np.shape(got)), rtol=rtol, atol=rtol / 10)


class Parts:
    """Value, gradient and second derivative, which may be multiplied by a number."""

    def __init__(self, parts: Any) -> None:
        self.parts = parts

    def __rmul__(self, factor: float) -> Parts:
        return Parts([factor * part for part in self.parts])


@pytest.mark.parametrize("row", [row for row in THERE if row.record], ids=name)
def test_records(row: Row) -> None:
    """What others.json proves is what the page says."""
    for case in RECORDS[row.record]:
        given = {k: np.array(a) for k, a in case["arrays"].items()}
        more = {"weight": given["weight"]} if "weight" in given else {}
        more["reduction"] = case["options"].get("reduction", "mean")

        def of(loss: str, more: Any = more) -> Any:
            return lambda *args, **own: Parts(
                getattr(fl, loss).value_grad_hess(*args, **own, **more)
            )

        losses = SimpleNamespace(**{case["loss"]: of(case["loss"])})
        got = eval(row.here, {"fl": losses} | given).parts
        asked = 0
        # A list of factors is there for second derivatives that are others.
        parts = ("value", "grad") if isinstance(case["times"], list) else ("value", "grad", "hess")
        for part, right in zip(got, map(case.get, parts), strict=False):
            if right is not None:
                asked += 1
                rtol = case["rtol"]
                np.testing.assert_allclose(
                    part, np.reshape(right, np.shape(part)), rtol=rtol, atol=rtol / 1e3
                )
        assert asked


def test_every_row_has_a_call_or_a_reason() -> None:
    assert len({(row.library, row.theirs) for row in ROWS}) == len(ROWS)
    assert all(row.here or row.remark for row in ROWS)


def test_every_loss_of_torch_is_there() -> None:
    """By the names of its classes; the functions have those of ours."""
    theirs = {row.theirs.split("(")[0].removeprefix("F.") for row in ROWS if "F." in row.theirs[:2]}
    here = [x for x in (getattr(fl, name) for name in fl.__all__) if isinstance(x, fl.Loss)]
    torch_names = {
        x.__name__ for x in here if re.search(rf"(?<!-py)torch: ``{x.__name__}``", x.__doc__)
    }
    assert torch_names - theirs - {"sigmoid_focal_loss"} == set()
