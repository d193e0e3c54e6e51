"""Losses and functions of single elements."""

from __future__ import annotations

from typing import Any

from bench.cases import ELEMENTWISE
from bench.contest import Contest, entries


@entries(ELEMENTWISE)
def test_elementwise(benchmark: Any, contest: Contest, entrant: str) -> None:
    contest.run(benchmark, entrant)
