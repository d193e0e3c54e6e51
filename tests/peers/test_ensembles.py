"""Scores of ensembles beside scoringrules, properscoring and torch, as installed."""

from __future__ import annotations

import pytest

from tests.peers import record_ensembles
from tests.test_ensembles import test_recorded as check


def test_scoringrules() -> None:
    pytest.importorskip("scoringrules")
    for case in record_ensembles.of_scoringrules():
        check(case)


def test_properscoring() -> None:
    pytest.importorskip("properscoring")
    for case in record_ensembles.of_properscoring():
        check(case)


def test_torch() -> None:
    pytest.importorskip("scoringrules")
    pytest.importorskip("torch")
    for case in record_ensembles.of_torch():
        check(case)
