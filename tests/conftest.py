"""Fixtures: every instruction-set level of this machine, and the number of threads put back."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import fusedloss as fl
from fusedloss import _dispatch


@pytest.fixture(params=_dispatch.available_levels())
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test once for each level that was built and that this CPU has."""
    kernels: Any = import_module(f"fusedloss._{request.param}")
    for name in ("_dispatch", "_arrays", "_elementwise", "_rows"):
        monkeypatch.setattr(f"fusedloss.{name}.kernels", kernels)
    return str(request.param)


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    yield
    fl.set_num_threads(None)
