"""Losses within functions that numba compiles: ``python -m bench.integrations_numba``.

Value and gradient of binary cross-entropy with logits in float64, summed: the formula as it is
written for numba, a Python call from compiled code (``objmode``), and the C interface, for one
element at a time and for the array. Ratios of one thread, interleaved, the best of several.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

import fusedloss as fl
from bench.interleave import interleave

value_and_grad, whole = fl.capi.function("value_and_grad"), fl.capi.function("map")
BOUND = fl.capi.bind(fl.binary_cross_entropy_with_logits)
LOSS = BOUND.address


@numba.njit
def written_out(x: Any, t: Any, grad: Any) -> float:
    total = 0.0
    for i in range(x.size):
        z = math.exp(-abs(x[i]))
        total += max(x[i], 0.0) - x[i] * t[i] + math.log1p(z)
        grad[i] = (1.0 if x[i] >= 0 else z) / (1.0 + z) - t[i]
    return total


def python_call(x: Any, t: Any, grad: Any) -> float:
    loss = fl.binary_cross_entropy_with_logits
    return float(loss.value_and_grad(x, t, reduction="sum", grad_out=grad)[0])


@numba.njit
def from_objmode(x: Any, t: Any, grad: Any) -> float:
    with numba.objmode(total="float64"):
        total = python_call(x, t, grad)
    return total  # noqa: RET504 (compiled code cannot return from within)


@numba.njit
def element_by_element(loss: int, x: Any, t: Any, grad: Any) -> float:
    total, place = 0.0, grad.ctypes.data
    for i in range(x.size):
        total += value_and_grad(loss, x[i], t[i], place + 8 * i)
    return total


@numba.njit
def as_array(loss: int, x: Any, t: Any, grad: Any, total: Any) -> float:
    whole(
        *(loss, x.size, x.ctypes.data, t.ctypes.data, 0, 0, 1.0, total.ctypes.data),
        *(0, grad.ctypes.data, 0, 0, 0),
    )
    return float(total[0])


def main() -> None:
    rng = np.random.default_rng(0)
    total = np.empty(1)
    fl.set_num_threads(1)
    print("            written out   objmode   element   array    (times faster than written out)")
    for n in (1, 10, 1000, 100_000):
        x, t, grad = rng.normal(size=n) * 3, rng.integers(0, 2, n) * 1.0, np.empty(n)
        calls: dict[str, Callable[[], Any]] = {
            "written out": lambda x=x, t=t, g=grad: written_out(x, t, g),
            "objmode": lambda x=x, t=t, g=grad: from_objmode(x, t, g),
            "element": lambda x=x, t=t, g=grad: element_by_element(LOSS, x, t, g),
            "array": lambda x=x, t=t, g=grad: as_array(LOSS, x, t, g, total),
        }
        results = {name: call() for name, call in calls.items()}
        assert np.allclose(list(results.values()), results["array"])
        outcome = interleave(calls, 2.0)
        first = f"{outcome.best('written out') * 1e9 / n:8.1f} ns"
        ratios = [outcome.ratio("written out", name) for name in ("objmode", "element", "array")]
        print(f"n = {n:7,} {first} " + "".join(f"{ratio:10.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
