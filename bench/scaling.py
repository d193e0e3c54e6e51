"""Times of losses against the size of their data, as they are drawn in the documentation.

    python -m bench.scaling list_mle        writes docs/benchmarks/list_mle_scaling.csv
    python -m bench.scaling list_mle --draw     draws list_mle_scaling.svg of that, which needs
                                                matplotlib

Value and gradient in float32, on one thread. All are asked in turn, and the best time counts.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent.parent / "docs" / "benchmarks"
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


class Scaled(NamedTuple):
    """A loss, and the function that makes its steps of a size."""

    loss: str
    steps: str
    sizes: tuple[int, ...] = SIZES
    size: str = "rows"
    unit: str = "milliseconds"
    seconds: float = 1e-3  # of a unit
    what: str = "value and gradient, float32, one thread"
    labels: tuple[str, str] = ("rows", "milliseconds")


MEMBERS = 1 << 20  # of all ensembles of a size
SCALED = {
    "cox": Scaled("cox_ph_loss", "bench.survival:scaled"),
    "list_mle": Scaled("list_mle_loss", "bench.grouped:list_mle"),
    "lambdarank": Scaled("lambdarank_loss", "bench.ranking:scaled"),
    "crps": Scaled(
        *("crps_ensemble", "bench.ensembles:scaled", tuple(4**k for k in range(1, 11))),
        *("members", "nanoseconds", 1e-9 * MEMBERS),
        "float32, one thread, a million members in all",
        ("members of an ensemble", "nanoseconds for each member"),
    ),
}
SLOW = 3.0  # seconds: who takes longer is asked once
Step = Callable[[], Any]


def once(step: Step) -> float:
    before = time.perf_counter()
    step()
    return time.perf_counter() - before


def best(steps: dict[str, Step], seconds: float) -> dict[str, float]:
    """The least time of each, asked in turn."""
    found = {name: once(step) for name, step in steps.items()}
    quick = [name for name in steps if found[name] < SLOW]
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        for name in quick:
            found[name] = min(found[name], once(steps[name]))
    return found


def measure(name: str, seconds: float) -> None:
    scaled = SCALED[name]
    module, _, function = scaled.steps.partition(":")
    lines = []
    for size in scaled.sizes:
        found = best(getattr(import_module(module), function)(size), seconds)
        lines += [(what, size, f"{t / scaled.seconds:.4g}") for what, t in found.items()]
        print(*lines[-len(found) :], flush=True)
    with open(FOLDER / f"{name}_scaling.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("implementation", scaled.size, scaled.unit), *lines])


def draw(name: str) -> None:
    import pandas as pd

    from bench import plots

    scaled = SCALED[name]
    records = pd.read_csv(FOLDER / f"{name}_scaling.csv")
    records = records.rename(columns={scaled.size: "x", scaled.unit: "ns"})
    records["loss"] = scaled.loss
    title = f"{scaled.loss}: {scaled.what}"
    plots.curves(FOLDER / f"{name}_scaling.svg", title, scaled.labels, records)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="+", choices=SCALED)
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number of rows")
    parser.add_argument("--draw", action="store_true", help="the picture of what was measured")
    options = parser.parse_args()
    if not options.draw:
        import fusedloss as fl

        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        fl.set_num_threads(1)
    for name in options.names:
        if options.draw:
            draw(name)
        else:
            measure(name, options.seconds)


if __name__ == "__main__":
    main()
