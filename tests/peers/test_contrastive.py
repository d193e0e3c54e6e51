"""The losses of all pairs beside their published formulas in torch, on other numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_contrastive import ask

pytest.importorskip("torch")


@pytest.mark.parametrize("n", [1, 2, 7, 150])
@pytest.mark.parametrize("kind", ["in batch", "shared", "own"])
def test_info_nce(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    arrays = {"query": rng.normal(size=(n, 5)), "positive": rng.normal(size=(n, 5))}
    if kind != "in batch":
        arrays["negatives"] = rng.normal(size=(6, 5) if kind == "shared" else (n, 4, 5))
    compare("info_nce_loss", arrays)


@pytest.mark.parametrize("n", [2, 9, 150])
@pytest.mark.parametrize("loss", ["supervised_contrastive_loss", "circle_loss"])
def test_labelled(n: int, loss: str) -> None:
    rng = np.random.default_rng(n)
    compare(loss, {"embeddings": rng.normal(size=(n, 5)), "labels": rng.integers(0, n // 2, n)})


def compare(loss: str, arrays: dict[str, Any]) -> None:
    value, grads = ask(loss, arrays, {})
    got, grad = getattr(fl, loss).value_and_grad(**arrays, reduction="none")
    np.testing.assert_allclose(got, value, rtol=1e-9, atol=1e-12)
    for a, b in zip(grad if isinstance(grad, tuple) else (grad,), grads, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)
