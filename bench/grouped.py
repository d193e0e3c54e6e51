"""Losses of groups of rows against the number of their rows: see bench/scaling.py."""

from __future__ import annotations

import numpy as np

import fusedloss as fl
from bench.scaling import Step
from tests.losses import grouped as twins

MOST = 1_000_000  # rows for which NumPy is asked: its tables are several times as large


def list_mle(rows: int) -> dict[str, Step]:
    """Groups of a hundred rows, and all of them as one; with a plan, but for NumPy."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(rows, np.float32)
    relevance, sizes = rng.permutation(rows), np.full(rows // 100, 100)
    plan = fl.list_mle_loss.plan(relevance, group_sizes=sizes)
    whole = fl.list_mle_loss.plan(relevance, group_sizes=[rows])
    steps: dict[str, Step] = {
        "fused, groups of 100 rows": lambda: fl.list_mle_loss.value_and_grad(x, plan=plan),
        "fused, one group": lambda: fl.list_mle_loss.value_and_grad(x, plan=whole),
        "plan": lambda: fl.list_mle_loss.plan(relevance, group_sizes=sizes),
    }
    if rows <= MOST:
        steps["numpy, groups of 100 rows"] = lambda: twins.list_mle_loss_and_grad(
            x, relevance, group_sizes=sizes
        )
    return steps
