"""Losses of a linear layer's outputs: the same as of logits that are held whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import _linear_head
from fusedloss._core import threads

RECORD = json.loads((Path(__file__).parent / "data" / "linear_head_parity.json").read_text())[
    "cases"
]
N, D, C = 37, 5, 9


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks of rows, and pieces of the weights."""
    monkeypatch.setattr(_linear_head, "MOST_ROWS", 5)
    monkeypatch.setattr(_linear_head, "PIECE", 64)


def operands(dims: tuple[int, ...] = (), dtype: Any = np.float64) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    y = rng.integers(0, C, (N, *dims))
    return {
        "input": rng.normal(size=(N, D)).astype(dtype),
        "linear_weight": rng.normal(size=(C, *dims, D)).astype(dtype),
        "linear_bias": rng.normal(size=(C, *dims)).astype(dtype),
        "target": y,
    }


def whole(
    loss: Any, input: Any, linear_weight: Any, target: Any, linear_bias: Any, **options: Any
) -> tuple[Any, list[Any], Any]:
    """Value, gradients and what else the loss gives of logits that are held."""
    shape = linear_weight.shape[:-1]
    w = linear_weight.reshape(-1, linear_weight.shape[-1])
    logits = (input @ w.T).reshape(-1, *shape) + linear_bias
    value, slopes, *more = loss.value_and_grad(logits, target, **options)
    g = slopes.reshape(len(input), -1)
    return value, [g @ w, (g.T @ input).reshape(linear_weight.shape), slopes.sum(axis=0)], more


def agree(got: Any, expected: Any, rtol: float = 1e-12) -> None:
    value, grads, *more = got
    np.testing.assert_allclose(value, expected[0], rtol=rtol)
    for a, b in zip(grads, expected[1], strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
    for a, b in zip(more, expected[2], strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"label_smoothing": 0.2, "weight": np.linspace(0.5, 2, C)},
    {"z_loss": 0.1, "sample_weight": np.linspace(0, 2, N)},
    {"softcap": 2.0},
    {"ignore_index": 3, "return_divisor": True},
    {"return_lse": True, "ignore_index": 0},
]


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batchmean", "weighted_mean"])
@pytest.mark.parametrize("dims", [(), (2, 3)], ids=str)
def test_classes(dims: Any, reduction: str, options: dict[str, Any]) -> None:
    arrays = operands(dims)
    if "sample_weight" in options and dims:
        options = options | {"sample_weight": options["sample_weight"][:, None, None]}
    options = options | {"reduction": reduction}
    agree(
        fl.linear_cross_entropy.value_and_grad(**arrays, **options),
        whole(fl.cross_entropy, **arrays, **options),
    )
    value = fl.linear_cross_entropy(**arrays, **options)
    expected = fl.linear_cross_entropy.value_and_grad(**arrays, **options)
    first = value[0] if isinstance(value, tuple) else value
    np.testing.assert_array_equal(first, expected[0])


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("dims", [(), (2,)], ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "sum_by_nonzero_weights"])
def test_probabilities(reduction: str, dims: Any) -> None:
    arrays = operands(dims)
    p = np.moveaxis(np.random.default_rng(0).dirichlet(np.ones(C), (N, *dims)), -1, 1)
    arrays["target"] = p
    weight = np.linspace(0, 2, N).reshape(N, *(1,) * len(dims))
    options: dict[str, Any] = {"sample_weight": weight, "reduction": reduction}
    agree(
        fl.linear_cross_entropy.value_and_grad(**arrays, **options),
        whole(fl.cross_entropy, **arrays, **options),
    )


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "weighted_mean"])
def test_labels(reduction: str) -> None:
    arrays = operands()
    arrays["target"] = np.random.default_rng(1).integers(0, 2, (N, C))
    weights = {"weight": np.linspace(0, 2, C), "pos_weight": np.linspace(1, 3, C)}
    for options in ({}, weights):
        options = options | {"reduction": reduction}
        agree(
            fl.linear_binary_cross_entropy_with_logits.value_and_grad(**arrays, **options),
            whole(fl.binary_cross_entropy_with_logits, **arrays, **options),
        )


@pytest.mark.parametrize("k", range(len(RECORD)))
def test_as_torch_does(k: int) -> None:
    """Numbers of torch 2.13 in float64."""
    case = dict(RECORD[k])
    options, value, grads = (case.pop(name) for name in ("options", "value", "grads"))
    arrays = {name: np.array(numbers) for name, numbers in case.items()}
    got = fl.linear_cross_entropy.value_and_grad(**arrays, **options)
    agree(got, (value, [np.array(g) for g in grads], []))


def test_the_confident_tail() -> None:
    eye = np.eye(2, dtype=np.float32)
    value, (dx, _) = fl.linear_cross_entropy.value_and_grad(np.float32([[17, 0]]), eye, [0])
    np.testing.assert_allclose([value, -dx[0, 0]], 4.13993755e-8, rtol=1e-6)


def test_rows_that_are_left_out() -> None:
    """They may hold anything, and get the gradient 0; a buffer has no old numbers in it."""
    arrays = operands()
    kept = np.arange(N) % 3 > 0
    few = {k: v[kept] if len(v) == N else v for k, v in arrays.items()}
    arrays["input"][~kept] = np.nan
    ignored = arrays | {"target": np.where(kept, arrays["target"], -100)}
    buffers = tuple(np.full_like(arrays[k], 7) for k in ("input", "linear_weight", "linear_bias"))
    no_weight = {"target": np.where(kept, 1, 0), "weight": np.arange(C) == 1}
    for options in (
        ignored,
        arrays | {"sample_weight": kept},
        ignored | {"return_lse": True},
        arrays | no_weight,
    ):
        few |= {"target": options["target"][kept]}
        value, grads = fl.linear_cross_entropy.value_and_grad(
            **options, reduction="sum", grad_out=buffers
        )[:2]
        expected = fl.linear_cross_entropy.value_and_grad(**few, reduction="sum")
        np.testing.assert_allclose(value, expected[0])
        np.testing.assert_allclose(grads[0][kept], expected[1][0])
        assert not grads[0][~kept].any()
        np.testing.assert_allclose(grads[1], expected[1][1], atol=1e-14)
    each = fl.linear_cross_entropy(**ignored, reduction="none", out=np.full(N, 7.0))
    assert not each[~kept].any() and each[kept].all()


def test_rows_of_labels_without_weight() -> None:
    arrays = {k: v for k, v in operands().items() if k != "target"}
    kept = np.arange(N) % 3 > 0
    arrays["target"] = np.random.default_rng(3).random((N, C))
    few = {k: v[kept] if len(v) == N else v for k, v in arrays.items()}
    arrays["input"][~kept] = np.nan
    loss = fl.linear_binary_cross_entropy_with_logits.value_and_grad
    value, grads = loss(**arrays, weight=kept[:, None], reduction="sum")
    expected = loss(**few, reduction="sum")
    np.testing.assert_allclose(value, expected[0])
    np.testing.assert_allclose(grads[0][kept], expected[1][0])
    assert not grads[0][~kept].any()
    np.testing.assert_allclose(grads[1], expected[1][1], atol=1e-13)
    np.testing.assert_allclose(grads[2], expected[1][2], atol=1e-13)


def test_rows_without_numbers() -> None:
    """Then the logits are the bias."""
    bias = np.arange(5.0)
    x, w = np.empty((3, 0)), np.empty((5, 0))
    value, grads = fl.linear_cross_entropy.value_and_grad(x, w, [0, 1, 4], linear_bias=bias)
    expected = fl.cross_entropy.value_and_grad(np.tile(bias, (3, 1)), [0, 1, 4])
    np.testing.assert_allclose(value, expected[0])
    np.testing.assert_allclose(grads[2], expected[1].sum(axis=0))
    assert grads[0].shape == x.shape and grads[1].shape == w.shape


def test_nothing_counts() -> None:
    arrays = operands() | {"target": np.full(N, -100)}
    value, grads = fl.linear_cross_entropy.value_and_grad(**arrays)
    assert np.isnan(value) and not any(g.any() for g in grads)
    value, grads = fl.linear_cross_entropy.value_and_grad(**operands(), weight=np.zeros(C))
    assert np.isnan(value) and not any(g.any() for g in grads)
    empty = operands()
    empty["input"], empty["target"] = empty["input"][:0], empty["target"][:0]
    value, grads = fl.linear_cross_entropy.value_and_grad(**empty, reduction="sum")
    assert value == 0 and not any(g.any() for g in grads)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_layouts_and_dtypes(dtype: Any) -> None:
    arrays = operands(dtype=dtype)
    wide = {k: v if k == "target" else v.astype(np.float64) for k, v in arrays.items()}
    expected = fl.linear_cross_entropy.value_and_grad(**wide)
    odd = {
        "input": np.repeat(arrays["input"], 2, axis=1)[:, ::2],
        "linear_weight": np.asfortranarray(arrays["linear_weight"]),
        "linear_bias": arrays["linear_bias"][::-1].copy()[::-1],
        "target": arrays["target"].astype(np.int8),
    }
    got = fl.linear_cross_entropy.value_and_grad(**odd)
    assert [g.dtype for g in got[1]] == [dtype] * 3 and got[0].dtype == np.float32
    buffers = (
        np.empty((D, N)).T,
        np.empty((C, D + 1), np.float32)[:, 1:],
        np.empty(2 * C, np.float32)[::2],
    )
    into = fl.linear_cross_entropy.value_and_grad(**odd, grad_out=buffers)
    assert all(a is b for a, b in zip(into[1], buffers, strict=True))
    for result in (got, into):
        np.testing.assert_allclose(result[0], expected[0], rtol=1e-5)
        for a, b in zip(result[1], expected[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-2 if dtype == np.float16 else 1e-4, atol=1e-4)


def test_numbers_of_threads() -> None:
    arrays = operands(dtype=np.float32)
    results = []
    before = fl.get_num_threads()
    try:
        for threads in (1, 2, 3):
            fl.set_num_threads(threads)
            results.append(fl.linear_cross_entropy.value_and_grad(**arrays))
    finally:
        fl.set_num_threads(before)
    for value, grads in results[1:]:
        assert value == results[0][0]
        for a, b in zip(grads, results[0][1], strict=True):
            np.testing.assert_array_equal(a, b)


def test_blocks_that_are_small_use_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenMP's threads would be in the way of BLAS's. Calls after it are as before."""
    asked: list[int] = []
    real = fl.CrossEntropyLoss.value_and_grad

    def spy(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(threads.threads_for(1 << 40))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(fl.CrossEntropyLoss, "value_and_grad", spy)
    before = threads.threads_for(1 << 40)
    for least in (1 << 22, 0):
        monkeypatch.setattr(_linear_head, "WORTH_THREADS", least)
        fl.linear_cross_entropy.value_and_grad(**operands())
    assert asked == [1, 1, before, before] and threads.threads_for(1 << 40) == before


X, W = np.ones((4, 3)), np.ones((6, 3))
UNFIT: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"input": np.ones((2, 4, 3))}, ValueError, r"input: shape \(D,\) or \(N, D\) is needed"),
    ({"linear_weight": W.T}, ValueError, r"linear_weight: shape \(C, 3\) or .* got \(3, 6\)"),
    ({"linear_weight": W[:0]}, ValueError, r"linear_weight: shape \(0, 3\) has no classes"),
    ({"linear_bias": np.ones(3)}, ValueError, r"linear_bias: shape \(6,\).* got \(3,\)"),
    ({"target": [0, 1, 6, 0]}, IndexError, r"target: the class at \[2\] is 6; accepted are 0 to 5"),
    ({"target": [0, 1, 2]}, ValueError, r"target: .*shape \(4,\)"),
    ({"target": [0.0, 1, 2, 3]}, TypeError, r"target: class numbers of an integer dtype"),
    ({"target": np.full((4, 6), 1.5)}, ValueError, r"target: the value at \[0, 0\] is 1.5"),
    ({"input": X[0], "linear_weight": np.ones((6, 2, 3))}, ValueError, r"input: shape \(N, 3\)"),
    ({"z_loss": -1.0}, ValueError, "z_loss: "),
    ({"label_smoothing": 2}, ValueError, "label_smoothing: "),
    ({"weight": np.ones(4)}, ValueError, r"weight: .*6 classes"),
    ({"sample_weight": np.ones(3)}, ValueError, r"sample_weight: shape \(3,\)"),
    ({"grad_out": (None, None, None)}, TypeError, "grad_out: a tuple of 2 arrays"),
    ({"grad_out": (X, None)}, ValueError, r"grad_out\[0\]: shares memory with an input"),
    ({"reduction": "avg"}, ValueError, "reduction: must be one of"),
]


@pytest.mark.parametrize(("given", "error", "message"), UNFIT, ids=[m for _, _, m in UNFIT])
def test_unfit_arguments(given: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"input": X, "linear_weight": W, "target": [0, 1, 2, 3]} | given
    with pytest.raises(error, match=f"^{message}"):
        fl.linear_cross_entropy.value_and_grad(**arguments)


def test_a_bad_probability_in_a_later_block_writes_nothing() -> None:
    t = np.full((1000, 6), 1 / 6)
    t[999, 5] = 2
    buffers = np.full((1000, 3), 7.0), np.full((6, 3), 7.0)
    with pytest.raises(ValueError, match=r"target: the value at \[999, 5\] is 2.0"):
        fl.linear_cross_entropy.value_and_grad(np.ones((1000, 3)), W, t, grad_out=buffers)
    assert all((b == 7).all() for b in buffers)


MEMORY = """
import resource
import numpy as np
import fusedloss as fl
x, w = np.ones((6000, 16), np.float32), np.ones((30000, 16), np.float32)
t = np.zeros(6000, int)
buffers = np.zeros_like(x), np.zeros_like(w)
fl.linear_cross_entropy.value_and_grad(x[:2], w[:9], t[:2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fl.linear_cross_entropy.value_and_grad(x, w, t, grad_out=buffers)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux")
def test_memory() -> None:
    """The logits would be 720 MB."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 64 << 10
