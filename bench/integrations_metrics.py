"""Metrics beside scikit-learn's: their time over ours, and how far the values are apart.

All run in turns on one thread. Needs scikit-learn:

    PYTHONPATH=src:. python -m bench.integrations_metrics [rows]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import sklearn
import sklearn.metrics as theirs

import fusedloss as fl
from bench.interleave import interleave

Array = np.ndarray[Any, Any]
SECONDS = 1.0


def cases(n: int) -> list[tuple[str, str, tuple[Any, ...], dict[str, Any]]]:
    """Name, what is measured, arguments, options."""
    rng = np.random.default_rng(0)
    true, predicted = rng.gamma(2.0, size=(2, n)) + 0.01
    counts = rng.poisson(2.0, n)
    codes = rng.integers(0, 10, n)
    p = rng.dirichlet(np.ones(10), n)
    two, half = codes > 4, rng.uniform(size=n)
    w = rng.uniform(size=n)
    names = np.array([f"class {k}" for k in range(10)])[codes]
    scores = rng.normal(size=(n, 10))
    return [
        ("log_loss", "two classes", (two, half), {}),
        ("log_loss", "10 classes", (codes, p), {}),
        ("log_loss", "10 classes, weights", (codes, p), {"sample_weight": w}),
        ("log_loss", "10 classes, strings", (names, p), {}),
        ("brier_score_loss", "two classes", (two, half), {}),
        ("brier_score_loss", "10 classes", (codes, p), {}),
        ("d2_log_loss_score", "10 classes", (codes, p), {}),
        ("hinge_loss", "two classes", (two, scores[:, 0].copy()), {}),
        ("hinge_loss", "10 classes", (codes, scores), {}),
        ("mean_squared_error", "", (true, predicted), {}),
        ("mean_squared_error", "weights", (true, predicted), {"sample_weight": w}),
        ("root_mean_squared_error", "", (true, predicted), {}),
        ("mean_absolute_error", "", (true, predicted), {}),
        ("mean_squared_log_error", "", (true, predicted), {}),
        ("mean_pinball_loss", "alpha=0.9", (true, predicted), {"alpha": 0.9}),
        ("mean_poisson_deviance", "", (counts, predicted), {}),
        ("mean_gamma_deviance", "", (true, predicted), {}),
        ("mean_tweedie_deviance", "power=1.5", (true, predicted), {"power": 1.5}),
        ("d2_tweedie_score", "power=1", (counts, predicted), {"power": 1}),
        ("d2_pinball_score", "alpha=0.9", (true, predicted), {"alpha": 0.9}),
    ]


def main(rows: int) -> None:
    fl.set_num_threads(1)
    print(f"scikit-learn {sklearn.__version__}, {rows} rows, one thread")
    for name, what, args, options in cases(rows):
        ours, other = getattr(fl.metrics, name), getattr(theirs, name)
        values = ours(*args, **options), other(*args, **options)
        outcome = interleave(
            {
                "ours": lambda f=ours, a=args, o=options: f(*a, **o),  # type: ignore[misc]
                "theirs": lambda f=other, a=args, o=options: f(*a, **o),  # type: ignore[misc]
            },
            SECONDS,
        )
        print(
            f"{name:26} {what:22} {outcome.best('ours') * 1e3:9.3f} ms "
            f"{outcome.ratio('theirs', 'ours'):6.1f} x   difference "
            f"{abs(values[0] - values[1]) / abs(values[1]):.0e}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
