"""Cross entropy and others for torch, forward and backward: torch's time divided by ours.

PYTHONPATH=src:. python -m bench.integrations_torch      one thread each, all in turns
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

import fusedloss as fl
from bench.interleave import interleave


def step(function: Callable[..., Any], x: Any, *others: Any, **options: Any) -> Callable[[], None]:
    """A forward and a backward pass to the leaf x."""

    def run() -> None:
        x.grad = None
        function(x, *others, **options).backward()

    return run


def inner(function: Callable[..., Any], x: Any, *others: Any, **options: Any) -> Callable[[], None]:
    """The same where x is a result of other layers, whose gradient goes on to them."""

    def run() -> None:
        torch.autograd.grad(function(x, *others, **options), x)

    return run


def comparisons() -> dict[str, dict[str, Callable[[], None]]]:
    """By what is compared: who takes part."""
    found: dict[str, dict[str, Callable[[], None]]] = {}
    for rows, classes in ((64, 10), (256, 1000), (2048, 1000), (512, 32000)):
        x = torch.randn(rows, classes, requires_grad=True)
        t = torch.randint(0, classes, (rows,))
        kept = torch.empty(rows, classes)
        found[f"cross_entropy {rows}x{classes}"] = {
            "torch": step(F.cross_entropy, x, t),
            "fusedloss": step(fl.torch.cross_entropy, x, t),
            "kept": inner(fl.torch.cross_entropy, x, t, grad_out=kept),
        }
    for size in (1000, 1_000_000):
        x, t = torch.randn(size, requires_grad=True), torch.randn(size)
        found[f"huber_loss {size}"] = {
            "torch": step(F.huber_loss, x, t),
            "fusedloss": step(fl.torch.huber_loss, x, t),
            "kept": inner(fl.torch.huber_loss, x, t, grad_out=torch.empty(size)),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="for each comparison")
    seconds = parser.parse_args().seconds
    torch.manual_seed(0)
    torch.set_num_threads(1)
    fl.set_num_threads(1)
    print(f"{'':28} torch µs  torch / fusedloss  with a kept buffer")
    for name, functions in comparisons().items():
        outcome = interleave(functions, seconds)
        ratios = [outcome.ratio("torch", who) for who in ("fusedloss", "kept")]
        print(f"{name:28}{outcome.best('torch') * 1e6:9.1f}{ratios[0]:19.2f}{ratios[1]:20.2f}")


if __name__ == "__main__":
    main()
