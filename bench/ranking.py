"""`lambdarank_loss` beside LightGBM's objective.

    python -m bench.ranking        prints ratios of times, with both derivatives, in float32

Its time against rows is in bench/scaling.py.

All are asked in turn with one thread, and the best time of each counts. LightGBM's objective cannot
be called alone: its time is that of a round with a tree of two leaves, less that of such a round
with the objective "regression", which takes a thousandth of it. Its scores are float64, as they
are in LightGBM, ours float32.
"""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec
from typing import Any

import numpy as np

import fusedloss as fl
from bench.scaling import Step, best
from fusedloss._core.outputs import UNWANTED
from tests.losses import ndcg as twins

#: Queries and documents of each.
CASES = ((10_000, 100), (100_000, 10), (1_000, 1_000), (100, 10_000))
MANY = 1_000_000  # rows that are the most of one query
Arrays = tuple[Any, Any, Any]


def inputs(queries: int, documents: int) -> Arrays:
    """Scores, relevances from 0 to 4, and the sizes of the queries."""
    rng = np.random.default_rng(0)
    n = queries * documents
    relevance = rng.choice(5, n, p=[0.5, 0.25, 0.15, 0.07, 0.03])
    return rng.standard_normal(n, np.float32), relevance, np.full(queries, documents)


def ours(arrays: Arrays, with_value: bool, **options: Any) -> Step:
    x, relevance, sizes = arrays
    plan = fl.lambdarank_loss.plan(relevance, group_sizes=sizes)
    into: dict[str, Any] = {"grad_out": np.empty_like(x), "hess_out": np.empty_like(x)}
    if not with_value:
        into["out"] = UNWANTED
    run: Any = fl.lambdarank_loss.value_grad_hess
    return lambda: run(x, plan=plan, reduction="sum", **into, **options)


def with_lightgbm(arrays: Arrays, objective: str) -> Step:
    import lightgbm

    x, relevance, sizes = arrays
    feature = (np.arange(len(x)) % 2).astype(np.float32)[:, None]
    data = lightgbm.Dataset(
        feature,
        relevance,
        group=sizes,
        init_score=x.astype(np.float64),
        params={"verbose": -1},
    )
    params = {
        "objective": objective,
        "num_leaves": 2,
        "learning_rate": 1e-9,
        "num_threads": 1,
        "boost_from_average": False,
        "verbose": -1,
    }
    step: Step = lightgbm.Booster(params, data).update
    return step


def compare(seconds: float) -> None:
    found_lightgbm = find_spec("lightgbm") is not None
    print(f"{'queries':>10} {'documents':>10} {'ours, ms':>9} {'with value':>11} {'LightGBM':>9}")
    for queries, documents in CASES:
        arrays = inputs(queries, documents)
        steps = {"fused": ours(arrays, False), "with value": ours(arrays, True)}
        if found_lightgbm:
            steps |= {name: with_lightgbm(arrays, name) for name in ("lambdarank", "regression")}
        found = best(steps, seconds)
        ratios = [found["with value"] / found["fused"]]
        if found_lightgbm:
            ratios.append((found["lambdarank"] - found["regression"]) / found["fused"])
        shown = "".join(f" {ratio:{9 + 2 * (k == 0)}.2f}" for k, ratio in enumerate(ratios))
        print(f"{queries:>10} {documents:>10} {1e3 * found['fused']:9.1f}{shown}", flush=True)


def scaled(rows: int) -> dict[str, Step]:
    """One query of so many documents, at some truncations, and of all pairs."""
    arrays = inputs(1, min(rows, MANY))
    if rows > MANY:  # several of them
        arrays = inputs(rows // MANY, MANY)
    x, relevance, sizes = arrays
    steps = {f"truncation {k}": ours(arrays, True, truncation=k) for k in (10, 30, 100)}
    if rows <= 10_000:
        steps["all pairs"] = ours(arrays, True, truncation=None)
    if rows <= 1_000:
        steps["numpy, truncation 30"] = lambda: twins.lambdarank_loss_and_grad(x, relevance, sizes)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each line")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    fl.set_num_threads(1)
    compare(options.seconds)


if __name__ == "__main__":
    main()
