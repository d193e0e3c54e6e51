"""What users' type checkers know: mypy here, pyright in tests/integrations/test_pyright.py."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import fusedloss as fl
from docs import stubs

PROGRAMS = Path(__file__).parent / "data" / "typing"
ROOT = Path(__file__).parent.parent


def mistakes() -> int:
    return (PROGRAMS / "mistakes.py").read_text(encoding="utf-8").count("# type: ignore\n")


def test_stub_is_current() -> None:
    assert stubs.STUB.read_text(encoding="utf-8") == stubs.stub(), "run make stubs"


def test_table_of_names_is_current() -> None:
    assert stubs.FAMILIES.read_text(encoding="utf-8") == stubs.families(), "run make stubs"


def test_what_checkers_believe_is_so() -> None:
    runpy.run_path(str(PROGRAMS / "right.py"))
    fl.set_num_threads(None)


@pytest.fixture(scope="module")
def mypy_says() -> dict[str, list[str]]:
    """What mypy --strict says about each of the programs, in one run: it starts slowly."""
    if not importlib.util.find_spec("mypy"):
        pytest.skip("mypy is not installed")
    names = [path.name for path in sorted(PROGRAMS.glob("*.py"))]
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file="]
    done = subprocess.run(
        [*command, f"--cache-dir={ROOT / '.mypy_cache'}", *names],
        cwd=PROGRAMS,
        env={"MYPYPATH": str(Path(fl.__file__).parent.parent), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1:] == ["Success: no issues found in 2 source files"] or len(lines) > 1
    return {name: [line for line in lines if line.startswith(name)] for name in names}


@pytest.mark.parametrize("program", ["right.py", "mistakes.py"])
def test_mypy(program: str, mypy_says: dict[str, list[str]]) -> None:
    assert mypy_says[program] == []
    assert mistakes() > 30
