"""Value and gradient beside torch eager (forward and backward) and scikit-learn's private kernels.

Run `make test-peers` first, which installs torch into .venv, then
``.venv/bin/python -m bench.peers``. scikit-learn is compared where it is installed. The same
arrays for all, one thread, float32, interleaved rounds, the best of each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fusedloss as fl
from tests import twins

ROUNDS, SECONDS = 9, 0.03
ELEMENTWISE = ("binary_cross_entropy_with_logits", "huber_loss", "mse_loss", "l1_loss")
SHAPES = ((10_000, 3), (100_000, 10), (10_000, 100), (10_000, 1000), (256, 32_000))


def race(runners: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """The best time of each, in seconds; a turn of each after the other."""
    turns, best = {}, dict.fromkeys(runners, float("inf"))
    for name, run in runners.items():
        run()
        start = time.perf_counter()
        run()
        turns[name] = max(1, int(SECONDS / max(time.perf_counter() - start, 1e-7)))
    for _ in range(ROUNDS):
        for name, run in runners.items():
            start = time.perf_counter()
            for _ in range(turns[name]):
                run()
            best[name] = min(best[name], (time.perf_counter() - start) / turns[name])
    return best


def torch_step(name: str, x: Any, t: Any) -> Callable[[], Any]:
    import torch

    loss = getattr(torch.nn.functional, name)
    input, target = torch.from_numpy(x.copy()).requires_grad_(), torch.from_numpy(t)

    def step() -> None:
        input.grad = None
        loss(input, target).backward()

    return step


def compare(name: str, x: Any, t: Any, extra: dict[str, Callable[[], Any]]) -> None:
    loss, twin = getattr(fl, name), getattr(twins, f"{name}_and_grad")
    grad = np.empty_like(x)
    runners = {
        "fused": lambda: loss.value_and_grad(x, t, grad_out=grad),
        "NumPy": lambda: twin(x, t),
        "torch": torch_step(name, x, t),
    }
    times = race(runners | extra)
    fused = times.pop("fused")
    ratios = "  ".join(f"x {other} {seconds / fused:5.2f}" for other, seconds in times.items())
    shape = "x".join(map(str, x.shape))
    print(f"{name:34s} {shape:>10s} {fused * 1e6:9.1f} us  {ratios}", flush=True)


def sklearn_step(x: Any, labels: Any) -> dict[str, Callable[[], Any]]:
    try:
        from sklearn._loss.loss import HalfMultinomialLoss
    except ImportError:
        return {}
    loss, y = HalfMultinomialLoss(n_classes=x.shape[1]), labels.astype(x.dtype)
    value, grad = np.empty(len(x), x.dtype), np.empty_like(x)

    def step() -> Any:
        return loss.loss_gradient(
            y_true=y, raw_prediction=x, loss_out=value, gradient_out=grad, n_threads=1
        )

    return {"scikit-learn": step}


def main() -> None:
    import torch

    torch.set_num_threads(1)
    fl.set_num_threads(1)
    facts = fl.show_config("dict") or {}
    versions = f"fusedloss {facts['version']} {facts['level']}, torch {torch.__version__}"
    print(f"{versions}, NumPy {np.__version__}; x: how many times slower than fused")
    rng = np.random.default_rng(0)
    x = (3 * rng.normal(size=1_000_000)).astype(np.float32)
    t = (rng.random(x.size) < 0.5).astype(np.float32)
    out = np.empty_like(x)
    for name in ELEMENTWISE:
        compare(name, x, t, {"plain pass": lambda: np.add(x, t, out=out)})
    for rows, classes in (*SHAPES, (32, 10)):
        logits = (3 * rng.normal(size=(rows, classes))).astype(np.float32)
        labels = rng.integers(0, classes, rows)
        extra = sklearn_step(logits, labels) if rows == 32 else {}
        compare("cross_entropy", logits, labels, extra)


if __name__ == "__main__":
    main()
