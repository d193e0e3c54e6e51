"""What made a measurement: machine, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np

import fusedloss as fl
from bench import counters, entrants
from bench.race import available_cpus

ROOT: Final = Path(__file__).resolve().parents[1]
#: Where results go that are not kept.
RESULTS: Final = ROOT / "build" / "bench"
#: Environment variables that change what is measured.
_ENVIRONMENT: Final = (
    *("FUSEDLOSS_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "NPY_", "GLIBC_", "XLA_"),
)


def cpu() -> str:
    """The model's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def caches() -> dict[str, int]:
    """Bytes of the caches of the first CPU, by level and kind."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction":
            units = {"K": 1 << 10, "M": 1 << 20}
            found[f"L{level}"] = int(size.rstrip("KM")) * units.get(size[-1], 1)
    return found


def commit() -> str:
    """The commit, with a + where files differ from it; "unknown" outside of git."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        dirty = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
        return git("rev-parse", "--short=10", "HEAD") + ("+" if dirty else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def facts(peers: bool = False) -> dict[str, Any]:
    """What a report has to say about the machine and the software."""
    ours = fl.show_config("dict") or {}
    return {
        "cpu_model": cpu(),
        "cpus_available": available_cpus(),
        "caches": caches(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "cycle_counters": counters.available(),
        "fusedloss": dict(ours),
        "numpy": {
            "version": np.__version__,
            "simd": np.show_config("dicts").get("SIMD Extensions", {}).get("found"),
        },
        "versions": entrants.versions() if peers else {"numpy": np.__version__},
        "commit": commit(),
        "environment": {
            name: value
            for name, value in sorted(os.environ.items())
            if name.startswith(_ENVIRONMENT)
        },
    }
