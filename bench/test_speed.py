"""One test for each question and each who takes part; the parameters come from conftest.py."""

from __future__ import annotations

from typing import Any

import pytest

from bench.contest import REPLAY, Contest


@pytest.mark.benchmark(timer=REPLAY)
def test_speed(benchmark: Any, contest: Contest, entrant: str) -> None:
    contest.run(benchmark, entrant)
