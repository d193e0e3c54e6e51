"""Fixtures: every instruction-set level of this machine, and the number of threads put back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import fusedloss as fl
from fusedloss._core import kernels as _kernels
from tests.samples import use_level


@pytest.fixture(params=_kernels.available_levels())
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test once for each level that was built and that this CPU has."""
    use_level(request.param, monkeypatch)
    return str(request.param)


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each of these levels in turn: the exact results, which take longer, are computed once."""

    def in_turn() -> Iterator[str]:
        for level in _kernels.available_levels():
            use_level(level, monkeypatch)
            yield level

    return in_turn()


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    yield
    fl.set_num_threads(None)
