"""What parts cost: ``python -m bench.partials [--rounds 20]``.

A partial of a million elements against the plain call on them, and one pass of a linear objective
over chunks of 100,000 rows and 100 columns, value and gradient, against the two matrix products
that it contains. In turns, on one thread, in the time of the thread; the minimum of the rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import fusedloss as fl

N = 1 << 20
ROWS, COLUMNS, CHUNKS = 100_000, 100, 4


def fastest(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Seconds of each, in turns."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.thread_time()
            call()
            best[name] = min(best[name], time.thread_time() - start)
    return best


def partials(dtype: Any, rounds: int) -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(2, N)).astype(dtype)
    logits, labels = rng.normal(size=(N // 10, 10)).astype(dtype), rng.integers(0, 10, N // 10)
    for name, operands in (
        ("mse_loss", (x, t)),
        ("huber_loss", (x, t)),
        ("binary_cross_entropy_with_logits", (x, (t > 0).astype(dtype))),
        ("cross_entropy", (logits, labels)),
    ):
        loss = getattr(fl, name)
        times = fastest(
            {
                "plain": lambda loss=loss, given=operands: loss(*given),
                "partial": lambda loss=loss, given=operands: loss.partial(*given, offset=N),
                "ragged": lambda loss=loss, given=operands: loss.partial(*given, offset=1000),
            },
            rounds,
        )
        ratios = (f"{key} {times[key] / times['plain']:.3f}" for key in ("partial", "ragged"))
        print(f"{name:34}{np.dtype(dtype).name}  plain {times['plain'] / N * 1e9:.3f} ns;", *ratios)


def objective(dtype: Any, name: str, outputs: int, rounds: int) -> None:
    rng = np.random.default_rng(0)
    chunks = []
    for _ in range(CHUNKS):
        X = rng.standard_normal((ROWS, COLUMNS), dtype)
        chunks.append((X, rng.integers(0, outputs, ROWS) if outputs > 1 else (X[:, 0] > 0) * 1.0))
    found = fl.linear.Objective(name, chunks)
    coef = rng.normal(size=found.n_coef) / 10
    weights = np.ascontiguousarray(found.split(coef)[0].T.astype(dtype))

    def products() -> None:
        for X, _ in chunks:
            scores = X @ weights
            scores.T @ X

    times = fastest({"pass": lambda: found.value_and_grad(coef), "products": products}, rounds)
    print(
        f"{name}, {outputs} outputs, {np.dtype(dtype).name}: pass {times['pass'] * 1e3:.1f} ms, "
        f"products {times['products'] * 1e3:.1f} ms, ratio {times['pass'] / times['products']:.3f}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    fl.set_num_threads(1)
    with threadpool_limits(1):
        for dtype in (np.float32, np.float64):
            partials(dtype, rounds)
        for dtype in (np.float32, np.float64):
            objective(dtype, "binary_cross_entropy_with_logits", 1, rounds)
            objective(dtype, "cross_entropy", 10, rounds)
