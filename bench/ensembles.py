"""`crps_ensemble` beside scoringrules, properscoring and NumPy, and its time against members.

    python -m bench.ensembles                prints ratios of times
    python -m bench.ensembles --scaling      writes docs/benchmarks/crps_scaling.csv
    python -m bench.ensembles --draw         draws crps_scaling.svg of that, which needs matplotlib

All are asked in turn with one thread and float32 arrays, and the best time of each counts. The
packages have values alone; where they are installed without this package's other needs, as numba
may want another NumPy, PYTHONPATH=src:. is enough to run this there.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import fusedloss as fl
from bench.scaling import FOLDER, Step, best
from tests.losses import ensembles as twins

SHAPES = ((100_000, 51), (100_000, 10), (10_000, 500), (100, 100_000))
MEMBERS = (4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576)
NUMBERS = 1 << 20  # of all ensembles of a size
Arrays = tuple[Any, Any]


def inputs(rows: int, members: int) -> Arrays:
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, members), np.float32), rng.standard_normal(rows, np.float32)


def ours(arrays: Arrays) -> dict[str, Step]:
    x, t = arrays
    return {
        "fused, value and gradient": lambda: fl.crps_ensemble.value_and_grad(x, t),
        "fused": lambda: fl.crps_ensemble(x, t),
    }


def theirs(arrays: Arrays) -> dict[str, Step]:
    x, t = arrays
    found: dict[str, Callable[[], Any]] = {
        "numpy": lambda: twins.crps_ensemble(x, t),
        "numpy, value and gradient": lambda: twins.crps_ensemble_and_grad(x, t),
    }
    if find_spec("scoringrules"):
        import scoringrules as sr

        for estimator in ("qd", "pwm"):
            found[f"scoringrules, {estimator}"] = lambda e=estimator: sr.crps_ensemble(
                t, x, estimator=e
            )
    if find_spec("properscoring"):
        import properscoring as ps

        found["properscoring"] = lambda: ps.crps_ensemble(t, x)
    return found


def compare(seconds: float) -> None:
    """Each by the time of our value and gradient."""
    for shape in SHAPES:
        arrays = inputs(*shape)
        steps = ours(arrays) | theirs(arrays)
        x, t = arrays
        for name, step in steps.items():
            if "gradient" not in name:
                value = fl.crps_ensemble(x, t, fair="pwm" in name)  # which is the fair score
                np.testing.assert_allclose(np.mean(step()), value, rtol=1e-3, err_msg=name)
        found = best(steps, seconds)
        unit = found["fused, value and gradient"]
        print(f"{shape}: value and gradient {1e3 * unit:.2f} ms; by that", flush=True)
        for name, t in found.items():
            print(f"    {name:28} {t / unit:7.2f}", flush=True)


def scaling(seconds: float) -> None:
    """Nanoseconds for each member."""
    lines = []
    for members in MEMBERS:
        arrays = inputs(NUMBERS // members, members)
        found = best(ours(arrays) | theirs(arrays), seconds)
        lines += [(name, members, f"{1e9 * t / NUMBERS:.4g}") for name, t in found.items()]
        print(*lines[-len(found) :], flush=True)
    with open(FOLDER / "crps_scaling.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("implementation", "members", "nanoseconds"), *lines])


def draw() -> None:
    import pandas as pd

    from bench import plots

    records = pd.read_csv(FOLDER / "crps_scaling.csv")
    records = records.rename(columns={"members": "x", "nanoseconds": "ns"})
    records["loss"] = "crps_ensemble"
    title = "crps_ensemble: float32, one thread, a million members in all"
    labels = ("members of an ensemble", "nanoseconds for each member")
    plots.curves(FOLDER / "crps_scaling.svg", title, labels, records)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each line")
    parser.add_argument("--scaling", action="store_true", help="time against members")
    parser.add_argument("--draw", action="store_true", help="the picture of that")
    options = parser.parse_args()
    if options.draw:
        draw()
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    fl.set_num_threads(1)
    if options.scaling:
        scaling(options.seconds)
    else:
        compare(options.seconds)


if __name__ == "__main__":
    main()
