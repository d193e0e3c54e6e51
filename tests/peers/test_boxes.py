"""The losses between boxes as torchvision's formulas give them, live."""

from __future__ import annotations

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_boxes import LOSSES, ask, samples

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers


@pytest.mark.parametrize("eps", [1e-7, 0.1])
@pytest.mark.parametrize("loss", LOSSES)
def test_same(loss: str, eps: float) -> None:
    for name, first, second in samples():
        got = getattr(fl, loss).value_grad_hess(first, second, eps=eps, reduction="none")
        for part, right in zip(got, ask(loss, first, second, eps), strict=True):
            np.testing.assert_allclose(part, right, rtol=1e-9, atol=1e-9, err_msg=name)
