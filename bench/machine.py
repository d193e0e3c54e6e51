"""What made a measurement, and the state it is made in: machine, versions, threads, allocator."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import platform
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from pytest_benchmark.plugin import pytest_benchmark_generate_machine_info
from pytest_benchmark.utils import get_commit_info
from threadpoolctl import threadpool_limits

import fusedloss as fl
from bench.interleave import available_cpus, bind

ROOT = Path(__file__).resolve().parents[1]
#: Where results go that are not in git.
RESULTS = ROOT / "build" / "bench"
#: Other libraries: as they are named here, and as they are imported.
PACKAGES = {
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax",
    "numba": "numba",
    "numexpr": "numexpr",
    "scikit-learn": "sklearn",
    "SciPy": "scipy",
}
#: Beginnings of environment variables that change what is measured.
_ENVIRONMENT = (
    "FUSEDLOSS_",
    "OMP_",
    "GOMP_",
    "KMP_",
    "OPENBLAS_",
    "MKL_",
    "NPY_",
    "GLIBC_",
    "XLA_",
)


def installed(package: str) -> bool:
    return importlib.util.find_spec(PACKAGES[package]) is not None


def caches() -> dict[str, int]:
    """Bytes of the data caches of the first CPU, where Linux says so (cpuinfo is wrong there)."""
    found = {}
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / n).read_text().strip() for n in ("level", "type", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = int(size.rstrip("KM")) << {"K": 10, "M": 20}.get(size[-1], 0)
    return found


def facts(peers: bool = False) -> dict[str, Any]:
    """What the results of the benchmarks say besides pytest-benchmark's own `machine_info`."""
    versions = {
        name: importlib.import_module(module).__version__
        for name, module in PACKAGES.items()
        if name == "numpy" or (peers and installed(name))
    }
    return {
        "cpu_model": pytest_benchmark_generate_machine_info()["cpu"].get("brand_raw", "unknown"),
        "cpus_available": available_cpus(),
        "caches": caches(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "fusedloss": dict(fl.show_config("dict") or {}),
        "versions": versions,
        "environment": {k: v for k, v in sorted(os.environ.items()) if k.startswith(_ENVIRONMENT)},
    }


def commit() -> str:
    """The commit, with a + where files differ from it."""
    found = get_commit_info()
    return (found["id"] or "unknown")[:10] + "+" * bool(found["dirty"])


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def write(path: Path, results: dict[str, Any]) -> None:
    """Results that pytest-benchmark has no part in, with what made them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {"machine": facts(peers=True), "commit": commit(), "command": " ".join(sys.argv)}
    path.write_text(json.dumps(made | results, indent=1) + "\n")
    tell(f"written: {path}")


# --- the state ----------------------------------------------------------------------------------


def prepare(peers: bool) -> None:
    """One thread for all, and the allocator as in a process that has run for a while."""
    if peers:
        # jax takes as many threads as there are CPUs for it, whatever XLA_FLAGS say.
        bind(1)
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        # Compiled loops are kept from run to run, within the checkout.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(RESULTS / "inductor"))
        warnings.simplefilter("ignore")  # theirs, about themselves
        if installed("torch"):
            importlib.import_module("torch").set_num_threads(1)
    # Products of matrices, NumPy's and ours: two threads on one CPU would wait for each other.
    threadpool_limits(1, user_api="blas")
    # glibc returns large freed blocks to the system, at first already small ones, and learns from
    # the blocks freed. NumPy's temporaries of some megabytes would cost page faults or not, several
    # times the work itself, depending on what ran before. Freeing the largest block that it learns
    # from (less than 32 MB) spares NumPy them in all questions but those with larger arrays.
    block = np.empty(31 << 20, dtype=np.uint8)
    del block


def keep_memory() -> None:
    """From now on glibc takes all blocks from its heap, which never shrinks."""
    import ctypes

    libc, trim_threshold, mmap_max = ctypes.CDLL(None), -1, -4
    if not (libc.mallopt(mmap_max, 0) and libc.mallopt(trim_threshold, -1)):
        raise OSError("mallopt does not take these settings")
