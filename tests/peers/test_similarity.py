"""The losses between vectors beside the torch that is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.peers.record_similarity import ask_torch, cases
from tests.test_similarity import CLOSE, ask_us

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case["name"])
def test_as_torch(case: dict[str, Any]) -> None:
    value, grads = ask_torch(
        case["name"], case["arrays"], case["options"], case["leaves"], case["grad_output"]
    )
    mine, own = ask_us(case)
    np.testing.assert_allclose(mine, value, rtol=CLOSE, atol=CLOSE)
    for got, expected in zip(own, grads, strict=True):
        np.testing.assert_allclose(got, expected, rtol=CLOSE, atol=CLOSE)
