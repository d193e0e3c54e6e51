"""Losses whose values come from many numbers of several operands."""

from __future__ import annotations

from typing import Any

from bench.cases import JOINT
from bench.contest import Contest, entries


@entries(JOINT)
def test_joint(benchmark: Any, contest: Contest, entrant: str) -> None:
    contest.run(benchmark, entrant)
