"""A logistic regression of data that do not fit into memory: ``make demo-scale``, or
``python examples/scale.py [--gigabytes 2] [--columns 100] [--folder DIR]``.

Writes random rows to a file in a temporary folder, and fits them with L-BFGS in a process whose
address space may grow by a tenth of the data. Then a second process does the same with a tenth of
the pieces, merged in another order. The coefficients have equal bits.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

import fusedloss as fl

WIDTH = 40


def bar(text: str, share: float, more: str = "") -> None:
    """A line that is written again and again."""
    full = round(WIDTH * share)
    end = "\n" if share >= 1 else ""
    print(f"\r{text:<12} [{'#' * full}{'.' * (WIDTH - full)}] {more}", end=end, flush=True)


def write(folder: Path, rows: int, columns: int) -> None:
    """Rows of float32, and whether each is a success."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=columns).astype(np.float32) / np.sqrt(columns)
    step = max(1, (16 << 20) // (4 * columns))
    with open(folder / "X", "wb") as features, open(folder / "y", "wb") as targets:
        for start in range(0, rows, step):
            count = min(step, rows - start)
            X = rng.standard_normal((count, columns), dtype=np.float32)
            y = rng.random(count, np.float32) < 1 / (1 + np.exp(-(X @ weights)))
            X.tofile(features)
            y.astype(np.int8).tofile(targets)
            done = (start + count) / rows
            bar("writing", done, f"{4e-9 * (start + count) * columns:.2f} GB")


def piece(folder: Path, start: int, count: int, columns: int) -> tuple[Any, Any]:
    """Some rows, mapped into memory: they are read where they are used, and not kept."""
    return (
        np.memmap(folder / "X", np.float32, "r", 4 * start * columns, (count, columns)),
        np.memmap(folder / "y", np.int8, "r", start, (count,)),
    )


def backwards(function: Callable[[Any], Any], pieces: Iterable[Any]) -> Iterator[Any]:
    """The results of the last pieces come first."""
    return map(function, reversed(list(pieces)))


def memory(name: str) -> int:
    """What the kernel says of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))


def fit(folder: Path, rows: int, columns: int, pieces: int, order: str, allowed: int) -> None:
    """Fit in this process, whose address space may grow by so many bytes, and print what came of it
    as JSON."""
    size = 4 * rows * columns
    before = memory("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (before + allowed, before + allowed))
    block = 1 << ((max(256, (1 << 19) // columns)).bit_length() - 1)
    step = -(-rows // (pieces * block)) * block
    starts = range(0, rows, step)
    objective = fl.linear.Objective(
        "binary_cross_entropy_with_logits",
        [partial(piece, folder, k, min(step, rows - k), columns) for k in starts],
        l2=1e-4,
        map=backwards if order == "backwards" else None,
    )
    assert objective.block_rows == block
    passes = 0
    start = time.perf_counter()

    def value_and_grad(coef: Any) -> tuple[float, Any]:
        nonlocal passes
        passes += 1
        value, grad = objective.value_and_grad(coef)
        rate = passes * size / (time.perf_counter() - start)
        print(f"\rpass {passes:3}: {value:.9f}, {rate / 1e9:.2f} GB/s", end="", file=sys.stderr)
        return value, grad

    found = minimize(value_and_grad, objective.start(), jac=True, method="L-BFGS-B")
    seconds = time.perf_counter() - start
    print(file=sys.stderr)
    result = {
        "pieces": len(starts),
        "passes": passes,
        "seconds": seconds,
        "rate": passes * size / seconds,
        "grown": memory("VmPeak") - before,
        "coef": found.x.tobytes().hex(),
        "message": str(found.message),
    }
    print(json.dumps(result))


def run(folder: Path, rows: int, columns: int, pieces: int, order: str, allowed: int) -> Any:
    """`fit` in a process of its own."""
    given = [str(folder), str(rows), str(columns), str(pieces), order, str(allowed)]
    # Buffers and arenas of threads are address space, too.
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "OMP_WAIT_POLICY": "passive",
    }
    command = [sys.executable, __file__, "--fit", *given]
    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    result = json.loads(output)
    print(
        f"{result['pieces']} pieces, {order}: {result['passes']} passes in "
        f"{result['seconds']:.1f} s, {result['rate'] / 1e9:.2f} GB/s; the address space grew by "
        f"{result['grown'] / 1e6:.0f} of {allowed / 1e6:.0f} MB allowed"
    )
    return result


def main(gigabytes: float, columns: int, folder: Path | None = None) -> bool:
    """Whether the coefficients of both fits have equal bits."""
    rows = int(gigabytes * 1e9 / (4 * columns))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        write(place, rows, columns)
        allowed = int(gigabytes * 1e8)
        pieces = max(20, int(40 * gigabytes))
        first = run(place, rows, columns, pieces, "in order", allowed)
        second = run(place, rows, columns, pieces // 10, "backwards", 4 * allowed)
    equal = bool(first["coef"] == second["coef"])
    print("coefficients:", "equal bits" if equal else "DIFFERENT")
    return equal


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fit"]:
        at, *numbers, way, limit = sys.argv[2:]
        fit(Path(at), *map(int, numbers), way, int(limit))
    else:
        parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
        parser.add_argument("--gigabytes", type=float, default=2.0, help="size of the data")
        parser.add_argument("--columns", type=int, default=100)
        parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
        options = parser.parse_args()
        if options.gigabytes < 2 or options.columns < 1:
            parser.error("at least 2 GB are needed, as a fit takes some 130 MB; and a column")
        sys.exit(not main(options.gigabytes, options.columns, options.folder))
