"""The smoke test of wheels: it has every loss, passes here, and sees what is wrong."""

from __future__ import annotations

import copy
import json

import pytest

import fusedloss as fl
from tests import smoke

CASES = json.loads(smoke.RECORD.read_text(encoding="utf-8"))["cases"]


def test_every_loss_and_activation_is_there() -> None:
    public = [name for name in fl.__all__ if isinstance(getattr(fl, name), fl.Loss | fl.Activation)]
    assert sorted(public) == sorted({case["name"] for case in CASES})


def test_it_passes(level: str) -> None:
    assert smoke.run_one() == []


@pytest.mark.parametrize("name", ["huber_loss", "triplet_margin_loss", "softmax"])
def test_it_sees_another_number(name: str) -> None:
    case = copy.deepcopy(next(case for case in CASES if case["name"] == name))
    assert smoke.faults(case) == []
    last = case["results"][-1]
    last[-1][-1] += 0.01
    assert [f.split(":")[0] for f in smoke.faults(case)] == [
        f"{name}, {dtype}, result {len(case['results']) - 1}" for dtype in smoke.TOLERANCE
    ]


def test_it_asks_what_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"levels built": ["v1"], "levels available": ["v1"], "openmp": False}
    monkeypatch.setattr(fl, "show_config", lambda mode: facts)
    assert smoke.run(wheel=False) == []
    assert smoke.run(wheel=True) == ["built: ['v1'], OpenMP: False"]
