"""`crps_ensemble` compared with scoringrules, properscoring and NumPy.

    python -m bench.ensembles                prints ratios of times
    python -m bench.scaling crps             its time against members

All are asked in turn with one thread and float32 arrays, and the best time of each counts. The
packages have values alone; where they are installed without this package's other needs, as numba
may want another NumPy, PYTHONPATH=src:. is enough to run this there.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import fusedloss as fl
from bench.scaling import MEMBERS, Step, best
from tests.losses import ensembles as twins

SHAPES = ((100_000, 51), (100_000, 10), (10_000, 500), (100, 100_000))
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


def scaled(members: int) -> dict[str, Step]:
    """As many ensembles as have so many members in all: see bench/scaling.py."""
    arrays = inputs(MEMBERS // members, members)
    return ours(arrays) | theirs(arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each line")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    fl.set_num_threads(1)
    compare(options.seconds)


if __name__ == "__main__":
    main()
