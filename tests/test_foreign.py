"""Operands and buffers that are no arrays of numbers, as far as NumPy alone makes them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import fusedloss as fl


class Lent:
    """What another library's array shows of itself: DLPack and nothing else."""

    def __init__(self, array: Any, device: int = 1) -> None:
        self._array, self._device = array, device

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device, 0


def test_dlpack() -> None:
    x, grad = np.array([1.0, 2.0]), np.zeros(2)
    lent = Lent(grad)
    value, got = fl.mse_loss.value_and_grad(Lent(x), 0.0, grad_out=lent)
    assert value == 2.5 and got is lent
    np.testing.assert_array_equal(grad, [1.0, 2.0])
    with pytest.raises(TypeError, match=r"target: .*Lent in the memory of another device"):
        fl.mse_loss(x, Lent(x, 2))
    with pytest.raises(TypeError, match=r"grad_out: .*Lent in the memory of another device"):
        fl.mse_loss.value_and_grad(x, 0.0, grad_out=Lent(grad, 2))


def test_buffers_that_are_lent() -> None:
    """Each comes back as it was given, whichever they are, and is checked as an array is."""
    x = np.linspace(-1.0, 1.0, 6)
    expected = fl.huber_loss.value_grad_hess(x, 0.25, reduction="none")
    for lent in ((0, 1, 2), (0,), (1,), (2,)):
        arrays = [np.zeros(6) for _ in range(3)]
        given = [Lent(a) if k in lent else a for k, a in enumerate(arrays)]
        names = ("out", "grad_out", "hess_out")
        results = fl.huber_loss.value_grad_hess(
            x, 0.25, reduction="none", **dict(zip(names, given, strict=True))
        )
        assert all(r is g for r, g in zip(results, given, strict=True))
        for array, want in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(array, want)
    out = Lent(np.zeros(()))
    assert fl.huber_loss(x, 0.25, out=out) is out
    assert out._array == fl.huber_loss(x, 0.25)
    with pytest.raises(ValueError, match=r"grad_out: shape \(6,\) is needed, got \(5,\)"):
        fl.huber_loss.value_and_grad(x, 0.25, grad_out=Lent(np.zeros(5)))
    with pytest.raises(ValueError, match="hess_out: shares memory"):
        fl.huber_loss.value_grad_hess(x, 0.25, hess_out=Lent(x))
    assert fl.sigmoid(x, out=given[2]) is given[2]


def test_objects_with_nothing_in_them() -> None:
    x = np.array([[1.0, 2.0], [None, 4.0]], dtype=object)
    with pytest.raises(ValueError, match=r"input: holds nulls, the first at \[1, 0\]; fill"):
        fl.mse_loss(x, 0.0)
    kept = [[True, True], [False, True]]
    assert fl.mse_loss(x, 0.0, where=kept) == 7
    with pytest.raises(ValueError, match=r"input: holds nulls, the first at \[1, 0\]"):
        fl.mse_loss(x, 0.0, where=[[True, False]])
    assert fl.mse_loss(x, 0.0, where=[[False, True]]) == 10


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["cat", "dog"], r"target: dtype <U3 .*return_inverse=True"),
        (np.array(["cat", "dog"], dtype=object), "target: dtype object, with strings,"),
        (np.array([1, 2.5], dtype=object), r"target: dtype object, of float, int, .*astype"),
        (None, "target: an array is needed, got None"),
    ],
)
def test_what_is_no_numbers(value: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        fl.mse_loss(np.zeros(2), value)


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_adapters_say_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"fusedloss.{package}", raising=False)
    monkeypatch.delitem(vars(fl), package, raising=False)
    with pytest.raises(ImportError, match=rf"pip install fusedloss\[{package}\]"):
        getattr(fl, package)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_shortest_way_has_the_same_bits(dtype: Any) -> None:
    """Calls of small matrices without options, and the same with options that change nothing."""
    rng = np.random.default_rng(0)
    for rows, classes in ((1, 1), (5, 3), (64, 10), (3, 1000)):
        x = np.log(rng.dirichlet(np.ones(classes), rows)).astype(dtype)
        for t in (rng.integers(0, classes, rows), np.full(rows, -100)):
            for loss in (fl.cross_entropy, fl.nll_loss):
                for y in (x, x[::-1, ::-1], np.asfortranarray(x)):
                    assert loss.short(y, t, True) is None or t[0] >= 0
                    value, grad = loss.value_and_grad(y, t)
                    same = loss.value_and_grad(y, t, reduction="mean")
                    np.testing.assert_array_equal(value, same[0])
                    assert type(value) is type(same[0]) is type(loss(y, t))
                    np.testing.assert_array_equal(grad, same[1])
                    assert grad.dtype == dtype and grad.strides == same[1].strides
                    np.testing.assert_array_equal(loss(y, t), value)
    with pytest.raises(IndexError, match=r"target: .*3"):
        fl.cross_entropy(np.zeros((2, 3), dtype), np.array([0, 3]))
    with pytest.raises(TypeError, match="target: "):
        fl.cross_entropy(np.zeros((2, 3), dtype), np.zeros(2))
