"""The recipes of docs/scale.md, with joblib and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

import fusedloss as fl

N, D = 40_000, 30


def data() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D))
    return X, (X[:, 0] > rng.logistic(size=N)).astype(float)


def load(start: int) -> tuple[Any, Any]:
    X, y = data()
    return X[start : start + 16384], y[start : start + 16384]


CHUNKS = [partial(load, start) for start in range(0, N, 16384)]


def same_as_at_once(map_: Callable[..., Iterable[Any]]) -> None:
    name = "binary_cross_entropy_with_logits"
    spread = fl.linear.Objective(name, CHUNKS, l2=1e-3, map=map_)
    at_once = fl.linear.Objective(name, *data(), l2=1e-3)
    assert spread.block_rows == at_once.block_rows == 16384
    coef, v = np.random.default_rng(1).normal(size=(2, D + 1))
    value, grad = at_once.value_and_grad(coef)
    found = spread.value_and_grad(coef)
    assert found[0] == value and found[1].tobytes() == grad.tobytes()
    assert spread.hessp(coef, v).tobytes() == at_once.hessp(coef, v).tobytes()


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_joblib(jobs: int) -> None:
    joblib = pytest.importorskip("joblib")
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    x, t = np.random.default_rng(2).normal(size=(2, 50_000)).astype(np.float32)
    parts = parallel(
        joblib.delayed(fl.huber_loss.partial)(x[k : k + 7001], t[k : k + 7001], offset=k)
        for k in range(0, len(x), 7001)
    )
    assert sum(parts, start=fl.Partial()).value() == fl.huber_loss(x, t)

    def in_processes(function: Any, chunks: Any) -> Iterator[Any]:
        found: Iterator[Any] = parallel(joblib.delayed(function)(chunk) for chunk in chunks)
        return found

    same_as_at_once(in_processes)


def test_processes() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        same_as_at_once(pool.map)
