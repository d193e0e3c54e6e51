"""One test for each question and each who takes part; the parameters come from conftest.py."""

import pytest

from bench.comparison import REPLAY


@pytest.mark.benchmark(timer=REPLAY)
def test_speed(benchmark, comparison, implementation):
    comparison.run(benchmark, implementation)
