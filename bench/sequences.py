"""`ctc_loss` and `ctc_loss_with_logits` beside torch, and optax where it is installed.

    python -m bench.sequences      prints ratios of times, value and gradient in float32

All are asked in turn with one thread, and the best time of each counts.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import fusedloss as fl

#: Steps, sequences, classes, labels.
SHAPES = ((200, 32, 50, 30), (1000, 16, 5000, 100), (50, 256, 30, 10))
Step = Callable[[], tuple[Any, Any]]


def inputs(steps: int, count: int, classes: int, labels: int) -> tuple[np.ndarray[Any, Any], ...]:
    """Logits, labels and lengths."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((steps, count, classes), np.float32)
    lengths = (np.full(count, steps), np.full(count, labels))
    return (x, rng.integers(1, classes, (count, labels)), *lengths)


def with_torch(arrays: Any, logits: bool) -> Step:
    import torch

    torch.set_num_threads(1)
    x, *rest = (torch.from_numpy(a) for a in arrays)
    leaf = (x if logits else x.log_softmax(-1)).requires_grad_()

    def step() -> tuple[Any, Any]:
        log_probs = leaf.log_softmax(-1) if logits else leaf
        value = torch.nn.functional.ctc_loss(log_probs, *rest)
        (grad,) = torch.autograd.grad(value, leaf)
        return value.item(), grad.numpy()

    return step


def with_optax(arrays: Any) -> Step:
    """Compiled, of the sequences first."""
    import jax
    import jax.numpy as jnp
    import optax

    x, labels, _, lengths = arrays
    first = jnp.asarray(np.ascontiguousarray(x.transpose(1, 0, 2)))
    none, nowhere = jnp.zeros(first.shape[:2]), jnp.zeros(labels.shape)

    def mean(logits: Any) -> Any:
        values = optax.losses.ctc_loss(logits, none, labels, nowhere)
        return (values / lengths).mean()

    both = jax.jit(jax.value_and_grad(mean))

    def step() -> tuple[Any, Any]:
        value, grad = jax.block_until_ready(both(first))
        return float(value), np.asarray(grad).transpose(1, 0, 2)

    return step


def ours(arrays: Any, logits: bool) -> Step:
    x, *rest = arrays
    if logits:
        return lambda: fl.ctc_loss_with_logits.value_and_grad(x, *rest)
    log_probs = fl.log_softmax(x, axis=-1)
    return lambda: fl.ctc_loss.value_and_grad(log_probs, *rest)


def best(steps: dict[str, Step], seconds: float) -> dict[str, float]:
    """The least time of each, asked in turn."""
    found = dict.fromkeys(steps, np.inf)
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or np.inf in found.values():
        for name, step in steps.items():
            before = time.perf_counter()
            step()
            found[name] = min(found[name], time.perf_counter() - before)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each line")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):  # the threads of jax, too
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    fl.set_num_threads(1)
    print(f"{'T, N, C, L':>22} {'':22} {'ours, ms':>9} {'torch':>7} {'optax':>7}")
    for shape in SHAPES:
        arrays = inputs(*shape)
        for logits in (False, True):
            steps = {"ours": ours(arrays, logits)}
            if find_spec("torch"):
                steps["torch"] = with_torch(arrays, logits)
            if logits and find_spec("optax") and np.prod(shape[:3]) < 1e7:
                steps["optax"] = with_optax(arrays)
            answers = {name: step() for name, step in steps.items()}
            value, grad = answers["ours"]
            for name, (their_value, their_grad) in answers.items():
                np.testing.assert_allclose(their_value, value, rtol=1e-4)
                if logits:  # of log-probabilities torch's is another one
                    np.testing.assert_allclose(their_grad, grad, atol=1e-5, err_msg=name)
            del answers, grad
            times = best(steps, options.seconds)
            ratios = "".join(
                f" {times[name] / times['ours']:6.1f}x" if name in times else f" {'':>7}"
                for name in ("torch", "optax")
            )
            loss = "ctc_loss_with_logits" if logits else "ctc_loss"
            print(f"{shape!s:>22} {loss:22} {1e3 * times['ours']:9.2f}{ratios}", flush=True)


if __name__ == "__main__":
    main()
