"""Gradients that are written where the input stands, and activations in place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import FLOATS, Array, Call, elementwise, same

EVERY = pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
LAYOUTS = {
    "plain": lambda a: a.copy(),
    "fortran": lambda a: np.array(a, order="F"),
    "reversed": lambda a: np.array(a[::-1, ::-1])[::-1, ::-1],
    "stepped": lambda a: np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2],
    "offset": lambda a: np.concatenate([a.ravel()[:1], a.ravel()])[1:].reshape(a.shape),
}


def in_place(call: Call, order: int, **options: Any) -> tuple[Any, ...]:
    """The call with its gradient over a copy of its input that lies likewise."""
    return call.run(order, grad_out=call.leading, **options)


@EVERY
def test_gradients_over_inputs(case: reg.Elementwise) -> None:
    for dtype in FLOATS:
        for shape in ((3, 7), (40, 60)):
            wide = np.float64 if dtype == np.float64 else np.float32
            sample = elementwise(case, shape, wide, weighted=True)
            sample = sample.changed(lambda a, dtype=dtype: a.astype(dtype), case.lead)
            where = np.random.default_rng(0).random(shape) < 0.7
            for order in (1, 2):
                for options in ({}, {"where": where, "reduction": "none"}):
                    expected = sample.run(order, **options)
                    for layout, change in LAYOUTS.items():
                        moved = sample.changed(change, case.lead)
                        got = in_place(moved, order, **options)
                        assert got[1] is moved.leading
                        assert all(map(same, got, expected)), (layout, dtype, shape)


@pytest.mark.parametrize("name", ["margin_ranking_loss", "gaussian_nll_loss"])
def test_both_gradients_of_a_pair(name: str) -> None:
    rng = np.random.default_rng(0)
    loss = getattr(fl, name)
    a, b, c = (rng.uniform(0.5, 2, (50, 40)) for _ in range(3))
    if name == "margin_ranking_loss":
        c = np.where(c > 1, 1.0, -1.0)
        operands, inputs = (a, b, c), (a, b)
    else:
        operands, inputs = (a, b, c), (a, c)
    expected = loss.value_and_grad(*operands)
    value, grads = loss.value_and_grad(*operands, grad_out=inputs)
    assert value == expected[0]
    for got, own, wanted in zip(grads, inputs, expected[1], strict=True):
        assert got is own and same(own, wanted)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads(threads: int) -> None:
    x, t = np.random.default_rng(0).normal(size=(2, 300_000)).astype(np.float32)
    expected = fl.huber_loss.value_and_grad(x, t)
    fl.set_num_threads(threads)
    got = fl.huber_loss.value_and_grad(x, t, grad_out=x)
    assert got[1] is x and all(map(same, got, expected))


def test_positions_outside_of_a_domain() -> None:
    """The first one is named, although what was before it may have been overwritten."""
    for position in (0, 700, 2999):
        x = np.full(3000, 0.25)
        x[position:] = 2
        with pytest.raises(ValueError, match=rf"^input: the value at \[{position}\] is 2\.0"):
            fl.binary_cross_entropy.value_and_grad(x, 1.0, grad_out=x)


def test_what_is_not_exactly_the_input() -> None:
    """Refused: another dtype, step, part or order; the target, weight or mask; other buffers."""
    space = np.ones(200)
    x = space[:36].reshape(6, 6)
    wrong: list[Array] = [
        space[1:37].reshape(6, 6),
        x[::-1],
        x.T,
        space.view(np.float32)[:36].reshape(6, 6),
        space.view(np.float16)[:36].reshape(6, 6),
    ]
    for buffer in wrong:
        with pytest.raises(ValueError, match=r"^grad_out: shares memory"):
            fl.mse_loss.value_and_grad(x, 0.0, grad_out=buffer)
    for operand in ({"target": x}, {"target": 0.0, "weight": x}, {"target": 0.0, "where": x}):
        with pytest.raises(ValueError, match=r"^grad_out: shares memory"):
            fl.mse_loss.value_and_grad(x, **operand, grad_out=x)
    for name in ("out", "hess_out"):
        with pytest.raises(ValueError, match=rf"^{name}: shares memory"):
            fl.mse_loss.value_grad_hess(x, 0.0, reduction="none", **{name: x})
    with pytest.raises(ValueError, match=r"^hess_out: shares memory"):
        fl.mse_loss.value_grad_hess(x, 0.0, grad_out=x, hess_out=x)
    with pytest.raises(ValueError, match=r"^grad_out\[1\]: shares memory"):
        fl.margin_ranking_loss.value_and_grad(x, np.ones((6, 6)), 1.0, grad_out=(None, x))
    assert np.all(space == 1)


@pytest.mark.parametrize("name", [c.name for c in reg.ACTIVATIONS])
def test_activations(name: str) -> None:
    f = getattr(fl, name)
    for dtype in FLOATS:
        x = np.random.default_rng(0).normal(size=(30, 50)).astype(dtype)
        dy = np.random.default_rng(1).normal(size=(30, 50)).astype(dtype)
        expected, carried = f(x), f.vjp(x, dy)
        y = x.copy()
        assert f.vjp(y, dy, grad_out=y) is y and same(y, carried)
        y = x.copy()
        assert f(y, out=y) is y and same(y, expected.astype(dtype))
