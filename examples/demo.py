"""Train small models on real data with fusedloss, and again with plain NumPy.

    python examples/demo.py [--seed 0] [--epochs 60] [--out build/demo]

Three classifiers learn handwritten digits, and a linear regression learns diabetes data of
which a tenth of the targets is spoilt. Every model is trained twice, from the same initial
weights and on the same batches: once with the losses of fusedloss, once with their NumPy twins
from tests/twins.py. Both must arrive at the same model; what differs is the time per loss step.

Exits with status 1 if a result is not what it should be. Needs NumPy and fusedloss, and
matplotlib for the picture. The same seed gives the same losses and accuracies on the same
machine; only times vary.

The parts: demo_tasks.py has the data and the losses, demo_training.py the network and its
training, demo_picture.py the picture.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np
from demo_tasks import digit_tasks, regression_tasks, root_mean_square_error
from demo_training import Result, Run, Task, train_both

import fusedloss as fl

ROOT = Path(__file__).resolve().parents[1]
MINIMUM_ACCURACY = 95.0  # per cent
LARGEST_DIFFERENCE = 1e-3  # between the weights of the two runs, relative to the largest weight


def main() -> int:
    """Run everything; the return value is the exit status."""
    options = parse_arguments()
    begin = perf_counter()
    print(describe_library())

    tasks = digit_tasks(options.epochs)
    print(f"\nHandwritten digits: {describe_split(tasks[0])}")
    digits = [train_both(task, np.random.default_rng(options.seed)) for task in tasks]

    tasks = regression_tasks(5 * options.epochs, np.random.default_rng(options.seed))
    print(f"\nDiabetes progression: {describe_split(tasks[0])}, the latter with clean targets")
    regressions = [train_both(task, np.random.default_rng(options.seed)) for task in tasks]

    print_table(("digits", "accuracy", "final loss"), digits, classifier_figures)
    print_table(("diabetes", "MAE", "RMSE"), regressions, regression_figures)
    print(
        "\n  Accuracy, MAE and RMSE: on held-out data. Loss step: value and gradient, median of"
        "\n  all steps in training. Ratio: NumPy's time / fusedloss's. Weights: the largest"
        "\n  difference between the two trained models."
    )
    save_picture(digits, regressions, options.out)
    print(f"\nDone in {perf_counter() - begin:.1f} s.")
    complaints = find_faults(digits, regressions)
    for complaint in complaints:
        print(f"FAILED: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="for weights, batches and spoiling")
    parser.add_argument("--epochs", type=int, default=60, help="on the digits (diabetes: 5 x)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", help="for the picture")
    options = parser.parse_args()
    if options.seed < 0 or options.epochs < 1:
        parser.error("--seed must be at least 0 and --epochs at least 1")
    return options


def describe_library() -> str:
    """One line: version, instruction-set level, threads."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        fl.show_config()
    level = re.search(r"\blevel\b(?:[^:=\n]*[:=])?\s*(\S+)", printed.getvalue(), re.IGNORECASE)
    return (
        f"fusedloss {getattr(fl, '__version__', '(unknown version)')}"
        f", level {level[1] if level else 'unknown'}"
        f", {fl.get_num_threads()} thread(s); NumPy {np.__version__}, float32"
    )


def describe_split(task: Task) -> str:
    """How many rows are there to learn from, and to measure by."""
    return f"{len(task.inputs)} to learn from, {len(task.held_out_inputs)} held out"


# --- report --------------------------------------------------------------------------------


def print_table(
    columns: tuple[str, str, str],
    results: list[Result],
    figures: Callable[[Result, Run], tuple[str, str]],
) -> None:
    """Two lines for each model: what it reached, and the median time of a loss step."""
    model, *others = columns
    print(f"\n  {model:<24}{'losses by':<10}{others[0]:>10}{others[1]:>11}", end="")
    print(f"{'loss step':>12}{'ratio':>9}{'weights':>11}")
    for result in results:
        for library, run in (("fusedloss", result.fused), ("NumPy", result.twin)):
            name = result.task.name if run is result.fused else ""
            first, second = figures(result, run)
            print(f"  {name:<24}{library:<10}{first:>10}{second:>11}", end="")
            print(f"{run.step_microseconds:9.2f} us", end="")
            print("" if name else f"{result.speedup:7.1f} x{result.weight_difference:11.0e}")


def classifier_figures(result: Result, run: Run) -> tuple[str, str]:
    """Held-out accuracy and final training loss."""
    return f"{run.scores[-1]:.2f} %", f"{run.losses[-1]:.6f}"


def regression_figures(result: Result, run: Run) -> tuple[str, str]:
    """Held-out mean absolute error and root mean square error."""
    return f"{run.scores[-1]:.2f}", f"{held_out_rmse(result, run):.2f}"


def held_out_rmse(result: Result, run: Run) -> float:
    """The RMSE of the finished model on the held-out data."""
    output = run.network.forward(result.task.held_out_inputs)[-1]
    return root_mean_square_error(output, result.task.held_out_targets)


def save_picture(digits: list[Result], regressions: list[Result], folder: Path) -> None:
    """Draw training.png, if matplotlib is there."""
    if find_spec("matplotlib") is None:
        print("\nNo picture: matplotlib is not installed (pip install matplotlib).")
        return
    from demo_picture import draw

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "training.png"
    draw(digits, regressions, path)
    print(f"\nPicture: {path}")


# --- checks --------------------------------------------------------------------------------


def find_faults(digits: list[Result], regressions: list[Result]) -> list[str]:
    """What is not as it should be, in words."""
    faults = []
    for result in digits:
        for library, run in (("fusedloss", result.fused), ("NumPy", result.twin)):
            if not run.scores[-1] >= MINIMUM_ACCURACY:
                faults.append(
                    f"{result.task.name} with {library}: held-out accuracy"
                    f" {run.scores[-1]:.2f} %, expected at least {MINIMUM_ACCURACY} %"
                )
    for result in digits + regressions:
        largest = max(float(np.abs(p).max()) for p in result.twin.network.parameters)
        if not result.weight_difference <= LARGEST_DIFFERENCE * largest:
            faults.append(
                f"{result.task.name}: fusedloss and NumPy arrived at different weights"
                f" (largest difference {result.weight_difference:.1e})"
            )
    _, squared, huber = regressions
    if not huber.fused.scores[-1] < squared.fused.scores[-1]:
        faults.append("huber_loss did not beat mse_loss on spoilt data")
    return faults


if __name__ == "__main__":
    sys.exit(main())
