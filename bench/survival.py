"""`cox_ph_loss` beside lifelines, scikit-survival and NumPy.

    python -m bench.survival        prints ratios of times, value and gradient in float32

Its time against rows is in bench/scaling.py.

All are asked in turn with one thread, and the best time of each counts. The packages' steps are
their own, of one feature, so that they have the gradient with respect to its coefficient; they make
its second derivative in the same pass. Data is sorted beforehand for each of them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import fusedloss as fl
from bench.scaling import Step, best
from tests.losses import survival as twins

#: Rows, and how many different times there are; None: all are different.
CASES = ((1_000_000, None), (1_000_000, 1000), (100_000, None), (100_000, 100))
Arrays = tuple[Any, Any, Any]


def inputs(rows: int, times: int | None) -> Arrays:
    """Log-risks, times and events; half of the rows are censored."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(rows, np.float32)
    when = rng.permutation(rows) if times is None else rng.integers(0, times, rows)
    return x, when.astype(np.float64), rng.random(rows) < 0.5


def ours(arrays: Arrays) -> Step:
    x, when, event = arrays
    plan = fl.cox_ph_loss.plan(when, event)
    return lambda: fl.cox_ph_loss.value_and_grad(x, plan=plan)


def with_numpy(arrays: Arrays) -> Step:
    x, when, event = arrays
    order = twins.cox_order(when, event)
    return lambda: twins.cox_ph_loss_and_grad(x, when, event, order=order)


def with_lifelines(arrays: Arrays) -> Step:
    import pandas as pd
    from lifelines.fitters.coxph_fitter import SemiParametricPHFitter, _BatchVsSingle

    x, when, event = arrays
    order = np.lexsort((event, when))
    table = pd.DataFrame({"x": x[order]})
    columns = [pd.Series(a[order]) for a in (when, event.astype(int), np.ones(len(x)))]
    fitter: Any = SemiParametricPHFitter
    kind = _BatchVsSingle().decide(None, len(np.unique(when)), *table.shape)
    step = getattr(fitter, f"_get_efron_values_{kind}")
    return lambda: step(None, table, *columns, None, np.ones(1))


def with_sksurv(arrays: Arrays) -> Step:
    from sksurv.linear_model.coxph import CoxPHOptimizer

    x, when, event = arrays
    optimizer = CoxPHOptimizer(x[:, None].astype(float), event, when, np.zeros(1), "efron")
    one = np.ones(1)
    return lambda: (optimizer.nlog_likelihood(one), optimizer.update(one), optimizer.gradient)


def makers() -> dict[str, Callable[[Arrays], Step]]:
    found: dict[str, Any] = {"fused": ours, "numpy": with_numpy}
    if find_spec("lifelines"):
        found["lifelines"] = with_lifelines
    if find_spec("sksurv"):
        found["scikit-survival"] = with_sksurv
    return found


def check(arrays: Arrays, steps: dict[str, Step]) -> None:
    """All compute the same."""
    x, _, event = arrays
    value, grad = steps["fused"]()
    for name, step in steps.items():
        found = step()
        if name == "numpy":
            np.testing.assert_allclose(found[0], value, rtol=1e-5)
            np.testing.assert_allclose(found[1], grad, rtol=1e-3, atol=1e-3 / len(x))
        elif name != "fused" and len(x) <= 100_000:
            slope = float(x.astype(np.float64) @ grad) * event.sum()
            theirs = -found[1] if name == "lifelines" else found[2] * len(x)
            np.testing.assert_allclose(theirs, slope, rtol=1e-2, atol=1e-3 * len(x) ** 0.5)


def compare(seconds: float, names: list[str]) -> None:
    print(f"{'rows':>10} {'times':>10} {'ours, ms':>9}" + "".join(f" {n:>16}" for n in names))
    for rows, times in CASES:
        arrays = inputs(rows, times)
        steps = {name: makers()[name](arrays) for name in ("fused", *names)}
        check(
            arrays, {k: s for k, s in steps.items() if rows <= 100_000 or k in ("fused", "numpy")}
        )
        found = best(steps, seconds)
        ratios = "".join(f" {found[name] / found['fused']:15.1f}x" for name in names)
        print(f"{rows:>10} {times or rows:>10} {1e3 * found['fused']:9.2f}{ratios}", flush=True)


def scaled(rows: int) -> dict[str, Step]:
    """A call with a plan, the plan, and NumPy's."""
    arrays = inputs(rows, None)
    x, when, event = arrays
    order = np.argsort(-when)
    in_order = x, when[order], event[order]
    steps = {"fused": ours(arrays), "fused, rows in order": ours(in_order)}
    steps["numpy"] = with_numpy(arrays)
    return steps | {"plan": lambda: fl.cox_ph_loss.plan(when, event)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each line")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    fl.set_num_threads(1)
    compare(options.seconds, [name for name in makers() if name != "fused"])


if __name__ == "__main__":
    main()
