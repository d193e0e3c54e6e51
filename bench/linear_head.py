"""The fused linear cross entropy against its three bare products and torch:
``python -m bench.linear_head [--threads 1,2] [--rounds 3]``.

Everything in one run on the same float32 arrays, in turns; the minimum of the rounds. "bare": the
three matrix products, on the same blocks of rows and into kept memory, with nothing else. "plain":
`cross_entropy` of logits that are held whole, and NumPy's products. torch, where it is installed:
its plain form, its default options for chunks, and the best of some chunk sizes. Errors are those
of the value and the gradients, relative to the largest number of each, in float64's terms.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import fusedloss as fl
from fusedloss._linear_head import LOGITS, MOST_ROWS

SHAPES = ((2048, 256, 32000), (512, 768, 50257), (4096, 64, 1000))
Result = tuple[float, tuple[Any, Any]]


def bare(x: Any, w: Any, rows: int) -> Callable[[], None]:
    dx, dw = np.empty_like(x), np.empty_like(w)
    memory = np.ones((rows, len(w)), x.dtype)

    def run() -> None:
        for start in range(0, len(x), rows):
            part = x[start : start + rows]
            logits = memory[: len(part)]
            np.matmul(part, w.T, out=logits)
            np.matmul(logits, w, out=dx[start : start + rows])
            np.matmul(logits.T, part, out=dw)

    return run


def plain(x: Any, w: Any, t: Any) -> Result:
    logits = x @ w.T
    value, grad = fl.cross_entropy.value_and_grad(logits, t, grad_out=logits)
    return float(value), (grad @ w, grad.T @ x)


def torch_calls(x: Any, w: Any, t: Any) -> dict[str, Callable[[], Result]]:
    try:
        import torch
        from torch.nn import LinearCrossEntropyOptions as Options
        from torch.nn.functional import linear_cross_entropy
    except ImportError:
        return {}
    tx, tw = (torch.from_numpy(a).requires_grad_() for a in (x, w))
    labels = torch.from_numpy(t)

    def call(options: Any) -> Callable[[], Result]:
        def run() -> Result:
            tx.grad = tw.grad = None
            value = linear_cross_entropy(tx, tw, labels, options=options)
            value.backward()
            return value.item(), (tx.grad.numpy(), tw.grad.numpy())

        return run

    calls = {"torch": call(None), "torch, chunks": call(Options())}
    for size in (64, 128, 256, 512):
        if size <= len(x):
            calls[f"torch, chunks of {size}"] = call(Options(batch_chunk_size=size))
    return calls


def error(result: Result, exact: Result) -> float:
    """The largest, of the value and the gradients."""
    errors = [abs(result[0] - exact[0]) / abs(exact[0])]
    for a, b in zip(result[1], exact[1], strict=True):
        errors.append(float(np.abs(a - b).max() / np.abs(b).max()))
    return max(errors)


def measure(shape: tuple[int, int, int], threads: int, rounds: int) -> None:
    n, d, c = shape
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d), dtype=np.float32)
    w = rng.standard_normal((c, d), dtype=np.float32) / np.float32(np.sqrt(d))
    t = rng.integers(0, c, n)
    rows = min(MOST_ROWS, LOGITS // (c * x.itemsize)) // 16 * 16
    buffers = (np.empty_like(x), np.empty_like(w))
    calls: dict[str, Callable[[], Any]] = {
        "bare products": bare(x, w, rows),
        "linear_cross_entropy": lambda: fl.linear_cross_entropy.value_and_grad(x, w, t),
        "the same into kept memory": lambda: fl.linear_cross_entropy.value_and_grad(
            x, w, t, grad_out=buffers
        ),
        "plain": lambda: plain(x, w, t),
        **torch_calls(x, w, t),
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
    ours = best["linear_cross_entropy"]
    exact = plain(x.astype(float), w.astype(float), t)
    print(f"N, D, C = {shape}, {threads} thread{'s' * (threads > 1)}, blocks of {rows} rows")
    for name, seconds in best.items():
        wrong = "" if name == "bare products" else f"  error {error(calls[name](), exact):.1e}"
        ratio = f"{seconds / ours:6.2f} x ours"
        print(f"  {name:28} {1000 * seconds:8.1f} ms {ratio}{wrong}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for threads in map(int, options.threads.split(",")):
        fl.set_num_threads(threads)
        try:
            import torch

            torch.set_num_threads(threads)
        except ImportError:
            pass
        with threadpool_limits(threads, user_api="blas"):
            for shape in SHAPES:
                measure(shape, threads, options.rounds)


if __name__ == "__main__":
    main()
