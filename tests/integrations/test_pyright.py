"""What pyright finds in the programs of tests/test_typing.py."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fusedloss as fl
from tests.test_typing import PROGRAMS


def test_pyright(tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    for path in PROGRAMS.glob("*.py"):
        shutil.copy(path, tmp_path)
    settings = {
        "extraPaths": [str(Path(fl.__file__).parent.parent)],
        "reportUnnecessaryTypeIgnoreComment": "error",
        "reportAttributeAccessIssue": "error",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    report = json.loads(done.stdout)
    found = [
        f"{Path(d['file']).name}:{d['range']['start']['line'] + 1}: {d['message']}"
        for d in report["generalDiagnostics"]
    ]
    assert found == []
    assert report["summary"]["filesAnalyzed"] == 2
