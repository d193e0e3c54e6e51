"""Losses of NDCG beside LightGBM, XGBoost and rax, as installed."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from tests import test_ndcg
from tests.peers import record_ndcg


def usable(*packages: str) -> None:
    for package in packages:
        pytest.importorskip(package)


@pytest.mark.parametrize("booster", ["lightgbm", "xgboost"])
def test_boosters(booster: str, monkeypatch: Any) -> None:
    usable(booster)
    rows = {"lightgbm": "LIGHTGBM", "xgboost": "XGBOOST"}
    for name in rows.values():
        kept = getattr(record_ndcg, name) if name == rows[booster] else []
        monkeypatch.setattr(record_ndcg, name, kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = record_ndcg.plain(record_ndcg.boosters())
    recorded = [c for c in test_ndcg.RECORD["boosters"] if c["booster"] == booster]
    check = getattr(test_ndcg, f"test_{booster}")
    for case, before in zip(cases, recorded, strict=True):
        check(case)
        np.testing.assert_allclose(case["grad"], before["grad"], rtol=1e-4, atol=1e-6)


def test_rax() -> None:
    usable("jax")
    if not hasattr(import_module("jax"), "util"):
        usable("jax._src.util")
    usable("rax")
    for case in record_ndcg.plain(record_ndcg.approximations()):
        test_ndcg.test_rax(case)
