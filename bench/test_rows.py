"""Losses and functions of rows of classes."""

from __future__ import annotations

from typing import Any

from bench.cases import ROWS
from bench.contest import Contest, entries


@entries(ROWS)
def test_rows(benchmark: Any, contest: Contest, entrant: str) -> None:
    contest.run(benchmark, entrant)
