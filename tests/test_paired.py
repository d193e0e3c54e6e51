"""What is special about losses with two gradients: tuples, and sums over broadcast axes."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    FLOATS,
    HALVES,
    LAYOUTS,
    ORDERS,
    REDUCTIONS,
    Array,
    elementwise,
    same,
    swapped,
)

GAUSSIAN, RANKING = (
    next(c for c in reg.ELEMENTWISE if c.loss == name)
    for name in ("gaussian_nll_loss", "margin_ranking_loss")
)
PAIRED = [c for c in reg.ELEMENTWISE if c.side == 0 and len(c.leaves) == 2]
CASE = pytest.mark.parametrize("case", PAIRED, ids=str)
METHODS = ORDERS[1:]
BUFFERS = ("grad_out", "hess_out")


def operands(case: reg.Elementwise, shape: Any, dtype: Any = np.float64, **options: Any) -> Any:
    """The loss and its arrays by name: the first operand, the target, the second operand."""
    sample = elementwise(case, shape, dtype, **options)
    return getattr(fl, case.loss), sample.arrays | sample.options


def second(case: reg.Elementwise) -> str:
    return case.leaves[1]


def test_which_losses_are_paired() -> None:
    assert {case.loss for case in PAIRED} == {
        *("gaussian_nll_loss", "kl_div", "margin_ranking_loss"),
        *("student_t_nll_loss", "laplace_nll_loss", "logistic_nll_loss", "gumbel_nll_loss"),
        *("log_normal_nll_loss", "weibull_nll_loss", "gamma_shape_nll_loss"),
        *("negative_binomial_nll_loss", "zero_inflated_poisson_nll_loss", "beta_nll_loss"),
        *("beta_binomial_nll_loss", "interval_score", "crps_normal", "crps_logistic"),
        *("crps_laplace", "crps_student_t"),
    }


# ---- tuples --------------------------------------------------------------------------------------


@CASE
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_derivatives_are_tuples(case: reg.Elementwise, reduction: str) -> None:
    loss, arrays = operands(case, (6, 4), weighted=True)
    value, grads = loss.value_and_grad(**arrays, reduction=reduction)
    again, same_grads, hesses = loss.value_grad_hess(**arrays, reduction=reduction)
    assert same(value, again) and same(value, loss(**arrays, reduction=reduction))
    for pair in (grads, same_grads, hesses):
        assert type(pair) is tuple and len(pair) == 2
        assert all(type(a) is np.ndarray and a.shape == (6, 4) for a in pair)
    assert all(map(same, grads, same_grads))


def test_order_of_the_gradients() -> None:
    """That of the arguments, target left out."""
    _, (by_input, by_var), (hess, curvature) = fl.gaussian_nll_loss.value_grad_hess(
        [3.0], [1.0], [2.0], reduction="sum"
    )
    assert by_input == 1 and by_var == -0.25 and hess == 0.5 and curvature == 0.375
    _, (by_1, by_2), hess = fl.margin_ranking_loss.value_grad_hess(
        [3.0], [1.0], [-1], reduction="sum"
    )
    assert by_1 == 1 and by_2 == -1 and not np.any(hess)
    assert fl.margin_ranking_loss([3.0, 1.0], [1.0, 1.5], [-1, 1], reduction="sum") == 2.5
    positional = fl.gaussian_nll_loss([3.0], [1.0], [2.0])
    assert positional == fl.gaussian_nll_loss(target=[1.0], var=[2.0], input=[3.0])


def test_margin_ranking_is_of_the_difference() -> None:
    rng = np.random.default_rng(0)
    x1, x2 = rng.normal(size=(2, 500))
    t = rng.choice([-1, 1], 500)
    value, (a, b) = fl.margin_ranking_loss.value_and_grad(x1, x2, t, margin=0.5)
    hinge, grad = fl.hinge_loss.value_and_grad(x1 - x2, t, margin=0.5)
    np.testing.assert_allclose(value, hinge, rtol=1e-14)
    assert same(a, grad) and np.array_equal(b, -a)


@CASE
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("other", FLOATS, ids=str)
def test_each_gradient_has_its_own_dtype(
    case: reg.Elementwise, dtype: np.dtype[Any], other: np.dtype[Any]
) -> None:
    loss, arrays = operands(case, (30, 5))
    for integers in (False, True):
        name = case.first
        a = arrays[name].astype(np.int16 if integers else dtype)
        mixed = arrays | {name: a, second(case): arrays[second(case)].astype(other)}
        for other_name, kind in case.kinds.items():
            if other_name not in case.leaves:
                numbers = arrays[other_name]
                whole = reg.KINDS[kind].whole
                small = np.ceil(numbers).astype(np.int8) if whole else numbers.astype(np.float16)
                mixed[other_name] = small
        floats = [other] if integers else [dtype, other]
        real = np.dtype(np.float64 if np.float64 in floats else np.float32)
        value, grads, hesses = loss.value_grad_hess(**mixed, reduction="none")
        wide = {k: x.astype(real) if isinstance(x, np.ndarray) else x for k, x in mixed.items()}
        expected = loss.value_grad_hess(**wide, reduction="none")
        assert same(value, expected[0])
        for got, right in zip((grads, hesses), expected[1:], strict=True):
            for part, whole, own in zip(
                got, right, (real if integers else dtype, other), strict=True
            ):
                assert part.dtype == own
                if own in HALVES:  # NumPy's way from float64 there may go by float32
                    with np.errstate(over="ignore"):
                        rounded = whole.astype(own).astype(np.float64)
                    np.testing.assert_allclose(part.astype(np.float64), rounded, rtol=2.0**-7)
                else:
                    assert same(part, whole.astype(own))


# ---- buffers -------------------------------------------------------------------------------------


@CASE
@pytest.mark.parametrize("given", range(16))
def test_buffers(case: reg.Elementwise, given: int) -> None:
    """Each of the four may be given or not; None stands for one that is not, or for the tuple."""
    loss, arrays = operands(case, (50, 30), weighted=True)
    fresh = loss.value_grad_hess(**arrays)
    four = [np.full((50, 30), 7.0) if given >> k & 1 else None for k in range(4)]
    pairs = {name: tuple(four[2 * k : 2 * k + 2]) for k, name in enumerate(BUFFERS)}
    for name, pair in list(pairs.items()):
        if all(buffer is None for buffer in pair):
            pairs[name] = None  # type: ignore[assignment]
    got = loss.value_grad_hess(**arrays, **pairs)
    assert same(got[0], fresh[0])
    flat = [*got[1], *got[2]]
    for part, expected, buffer in zip(flat, [*fresh[1], *fresh[2]], four, strict=True):
        assert same(part, expected) and (buffer is None or part is buffer)
    both = (None, None)
    assert all(map(same, loss.value_and_grad(**arrays, grad_out=both)[1], fresh[1]))


@CASE
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_buffers_of_every_dtype_and_layout(case: reg.Elementwise, dtype: np.dtype[Any]) -> None:
    computed = np.float32 if dtype in HALVES else np.float64
    loss, arrays = operands(case, (50, 30), computed)
    fresh = loss.value_grad_hess(**arrays)
    for layout, change in LAYOUTS.items():
        if layout in ("read_only", "swapped"):
            continue
        a, b, c, d = (change(np.zeros((50, 30), dtype)) for _ in range(4))
        if not all(x.flags.writeable for x in (a, b, c, d)):
            continue
        got = loss.value_grad_hess(**arrays, grad_out=(a, b), hess_out=(c, d))
        assert got[1][0] is a and got[1][1] is b and got[2][0] is c and got[2][1] is d
        for part, expected in zip((a, b, c, d), [*fresh[1], *fresh[2]], strict=True):
            assert same(part, expected.astype(dtype))


@CASE
@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_pair_of_buffers(case: reg.Elementwise, method: str) -> None:
    loss, arrays = operands(case, (4, 3))
    grad = np.zeros((4, 3))
    bad: list[Any] = [grad, [grad, grad.copy()], (grad,), (grad, grad.copy(), None), (), "ab", 1.0]
    for name in BUFFERS[: METHODS.index(method) + 1]:
        for buffers in bad:
            with pytest.raises((TypeError, ValueError), match=rf"^{name}: "):
                getattr(loss, method)(**arrays, **{name: buffers})
    assert not grad.any()


@CASE
def test_refused_buffers(case: reg.Elementwise) -> None:
    loss, arrays = operands(case, (4, 3))
    for name in BUFFERS:
        for bad, error in (
            (np.zeros((3, 4)), ValueError),
            (np.zeros((4, 3), int), TypeError),
            (swapped(np.zeros((4, 3))), TypeError),
            (np.broadcast_to(np.zeros(3), (4, 3)), ValueError),
            ([0.0], TypeError),
        ):
            for pair in ((bad, None), (None, bad), (np.zeros((4, 3)), bad)):
                with pytest.raises(error, match=rf"^{name}(\[[01]\])?: "):
                    loss.value_grad_hess(**arrays, **{name: pair})
            with pytest.raises(error, match=rf"^{name}\[1\]: "):
                loss.value_grad_hess(**arrays, **{name: (None, bad)})


@CASE
def test_buffers_must_not_overlap(case: reg.Elementwise) -> None:
    """Neither an operand nor each other."""
    loss, arrays = operands(case, (40, 3))
    space = np.full(200, 7.0)
    first = space[:120].reshape(40, 3)
    for shift in (0, 1, 80):
        other = space[shift : shift + 120].reshape(40, 3)
        for options in (
            {"grad_out": (first, other)},
            {"hess_out": (first, other)},
            {"grad_out": (first, None), "hess_out": (other, None)},
            {"grad_out": (first, None), "hess_out": (None, other)},
            {"grad_out": (None, first), "hess_out": (other, None)},
            {"grad_out": (None, first), "hess_out": (None, other)},
            {"out": first, "grad_out": (None, other)},
            {"out": first, "hess_out": (None, other)},
        ):
            with pytest.raises(ValueError, match=r"^(grad|hess)_out(\[[01]\])?: shares memory"):
                loss.value_grad_hess(**arrays, reduction="none", **options)
            assert np.all(space == 7)
    for name in (*case.kinds, "weight"):
        a = np.array(arrays.get(name, np.ones((40, 3))))
        # A gradient may lie over its own input.
        own = case.leaves.index(name) if name in case.leaves else None
        for k, pair in enumerate([(a, None), (None, a), (a[::-1], None), (None, a[::-1])]):
            for buffer in BUFFERS:
                if k == own and buffer == "grad_out":
                    continue
                with pytest.raises(ValueError, match=rf"^{buffer}(\[[01]\])?: shares memory"):
                    loss.value_grad_hess(**(arrays | {name: a}), **{buffer: pair})


# ---- a second operand that is broadcast ----------------------------------------------------------


def summed(a: Array, shape: tuple[int, ...]) -> Array:
    """The sum over the axes along which an array of this shape is broadcast."""
    a = a.sum(axis=tuple(range(a.ndim - len(shape))))
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and a.shape[k] != 1)
    return np.asarray(a.sum(axis=axes, keepdims=True))


SMALL = [(), (1,), (7,), (1, 7), (40, 1), (40, 7), (1, 1, 1), (3, 1, 1), (3, 40, 1), (3, 1, 7)]


@CASE
@pytest.mark.parametrize("small", SMALL, ids=str)
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_gradients_of_a_broadcast_operand(
    case: reg.Elementwise, small: tuple[int, ...], dtype: Any
) -> None:
    """Have its shape, and are summed."""
    shape = (3, 40, 7)
    loss, arrays = operands(case, shape, dtype, weighted=True)
    name = second(case)
    little = operands(case, small, dtype, seed=1)[1][name]
    full = np.broadcast_to(little, shape).copy()
    rtol = 1e-5 if dtype is np.float32 else 1e-12
    for reduction in REDUCTIONS:
        options = {"reduction": reduction}
        got = loss.value_grad_hess(**(arrays | {name: little}), **options)
        wide = loss.value_grad_hess(**(arrays | {name: full}), **options)
        assert same(got[0], wide[0])
        for part, whole in zip(got[1:], wide[1:], strict=True):
            assert same(part[0], whole[0])
            assert part[1].shape == small and part[1].dtype == dtype
            expected = summed(whole[1].astype(np.float64), small)
            size = summed(np.abs(whole[1]).astype(np.float64), small)
            assert np.all(np.abs(part[1] - expected) <= rtol * size + 1e-30)
        alone = loss.value_and_grad(**(arrays | {name: little}), **options)
        assert all(map(same, alone[1], got[1]))


@CASE
@pytest.mark.parametrize("small", [(), (1,), (11,), (1500, 1), (1, 11)], ids=str)
def test_sums_of_many(case: reg.Elementwise, small: tuple[int, ...]) -> None:
    """Many blocks, any number of threads and any layout: the sums agree, and bit by bit where
    only the number of threads differs."""
    shape = (1500, 11)
    loss, arrays = operands(case, shape, np.float32, weighted=True)
    name = second(case)
    little = operands(case, small, np.float32, seed=1)[1][name]
    arrays |= {name: little}
    fl.set_num_threads(1)
    first = loss.value_grad_hess(**arrays, reduction="sum")
    wide = loss.value_grad_hess(
        **(arrays | {name: np.broadcast_to(little, shape).copy()}), reduction="sum"
    )
    for k in (1, 2):
        exact = summed(wide[k][1].astype(np.float64), small)
        size = summed(np.abs(wide[k][1]).astype(np.float64), small)
        assert np.all(np.abs(first[k][1] - exact) <= 1e-6 * size + 1e-30)
    for threads in (2, 3, 16):
        fl.set_num_threads(threads)
        got = loss.value_grad_hess(**arrays, reduction="sum")
        for k in (1, 2):
            assert all(map(same, got[k], first[k])), threads
    for change in LAYOUTS.values():
        moved = {k: change(a) if isinstance(a, np.ndarray) else a for k, a in arrays.items()}
        got = loss.value_grad_hess(**moved, reduction="sum")
        np.testing.assert_allclose(got[0], first[0], rtol=1e-6)
        for k in (1, 2):
            assert same(got[k][0], first[k][0])
            np.testing.assert_allclose(got[k][1], first[k][1], rtol=1e-5, atol=1e-4)


@CASE
def test_a_view_and_a_broadcast_operand(case: reg.Elementwise) -> None:
    """A view that repeats elements is an array like others: its gradient has every element."""
    loss, arrays = operands(case, (40, 7))
    name = second(case)
    view = np.broadcast_to(arrays[name][0], (40, 7))
    value, grads = loss.value_and_grad(**(arrays | {name: view}))
    expected = loss.value_and_grad(**(arrays | {name: view.copy()}))
    assert same(value, expected[0]) and all(map(same, grads, expected[1]))
    assert grads[1].shape == (40, 7) and grads[1].flags.writeable


@CASE
def test_buffers_for_a_broadcast_operand(case: reg.Elementwise) -> None:
    loss, arrays = operands(case, (40, 7))
    name = second(case)
    arrays |= {name: arrays[name][0]}
    fresh = loss.value_grad_hess(**arrays)
    for dtype in (np.float32, np.float64, np.float16):
        grad, hess = np.full(7, 7, dtype), np.full((14,), 7, dtype)[::-2]
        got = loss.value_grad_hess(**arrays, grad_out=(None, grad), hess_out=(None, hess))
        assert got[1][1] is grad and got[2][1] is hess
        assert same(grad, fresh[1][1].astype(dtype)) and same(hess, fresh[2][1].astype(dtype))
    for shape in ((40, 7), (1, 7), (), (1,)):
        for buffer in BUFFERS:
            with pytest.raises(ValueError, match=rf"^{buffer}\[1\]: shape \(7,\) is needed"):
                loss.value_grad_hess(**arrays, **{buffer: (None, np.zeros(shape))})


@CASE
def test_numbers_as_second_operand(case: reg.Elementwise) -> None:
    """A Python number is weak; its gradient is a 0-d array."""
    for dtype in reg.DTYPES:
        loss, arrays = operands(case, (40, 7), dtype)
        name = second(case)
        for number in (2.5, 1, True):
            value, (grad, slope) = loss.value_and_grad(**(arrays | {name: number}))
            assert value.dtype == dtype and grad.dtype == dtype
            assert type(slope) is np.ndarray and slope.shape == () and slope.dtype.kind == "f"
            full = np.full((40, 7), number, dtype)
            wide, (other, slopes) = loss.value_and_grad(**(arrays | {name: full}))
            assert same(value, wide) and same(grad, other)
            size = np.abs(slopes).sum()
            assert abs(slope - slopes.sum(dtype=np.float64)) <= 1e-6 * size
        strong = loss(**(arrays | {name: np.float64(2.5)}))
        assert strong.dtype == np.float64
        assert loss.value_and_grad(**(arrays | {name: np.float32(2.5)}))[1][1].dtype == np.float32


@CASE
def test_empty_arrays(case: reg.Elementwise) -> None:
    loss, arrays = operands(case, (0, 3))
    name = second(case)
    for small in ((0, 3), (3,), (1, 3), ()):
        little = operands(case, small)[1][name]
        for reduction in REDUCTIONS:
            value, grads, hesses = loss.value_grad_hess(
                **(arrays | {name: little}), reduction=reduction
            )
            assert grads[0].shape == (0, 3) and grads[1].shape == small == hesses[1].shape
            if reduction == "sum":
                assert value == 0 and not grads[1].any() and not hesses[1].any()


# ---- variances that lack the last axis -----------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 7), (3, 4, 7), (2, 1), (300, 50), (5,)], ids=str)
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_variances_of_the_shape_without_the_last_axis(shape: Any, dtype: Any) -> None:
    """Torch's rule: one variance for each row."""
    loss, arrays = operands(GAUSSIAN, shape, dtype, weighted=True)
    var = operands(GAUSSIAN, shape[:-1], dtype, seed=1)[1]["var"]
    wide = arrays | {"var": np.asarray(var)[..., None]}
    for reduction in ("none", "mean"):
        got = loss.value_grad_hess(**(arrays | {"var": var}), reduction=reduction)
        expected = loss.value_grad_hess(**wide, reduction=reduction)
        assert same(got[0], expected[0])
        for part, right in zip(got[1:], expected[1:], strict=True):
            assert part[1].shape == shape[:-1]
            assert same(part[0], right[0]) and same(part[1], right[1].reshape(shape[:-1]))
    buffer = np.zeros(shape[:-1], dtype)
    _, (_, slope) = loss.value_and_grad(**(arrays | {"var": var}), grad_out=(None, buffer))
    assert slope is buffer and same(buffer, got[1][1])


def test_variances_of_a_square_input() -> None:
    """(n,) against (n, n) is both: torch takes it for the shape without the last axis."""
    x, t = np.random.default_rng(0).normal(size=(2, 4, 4))
    var = np.array([0.5, 1.0, 2.0, 4.0])
    by_row = fl.gaussian_nll_loss(x, t, var[:, None])
    assert fl.gaussian_nll_loss(x, t, var) == by_row
    assert fl.gaussian_nll_loss(x, t, var[None]) != by_row


def test_variances_that_do_not_fit() -> None:
    x = np.zeros((3, 4))
    for shape in ((2,), (4, 3), (3, 4, 1), (0,), (5, 3, 4)):
        for method in ORDERS:
            with pytest.raises(ValueError, match=r"^var: shape .* \(3, 4\)"):
                getattr(fl.gaussian_nll_loss, method)(x, x, np.ones(shape))
    with pytest.raises(ValueError, match=r"^input2: shape \(3,\) cannot"):
        fl.margin_ranking_loss(x, np.ones(3), 1)


def test_bad_variances_of_rows_are_named() -> None:
    x = np.zeros((300, 70))
    var = np.ones(300)
    var[[123, 200]] = -1
    for method in ORDERS:
        with pytest.raises(ValueError, match=r"^var: the value at \[123, 0\] is -1.0; accepted"):
            getattr(fl.gaussian_nll_loss, method)(x, x, var)
    with pytest.raises(ValueError, match=r"^var: the value at \[0, 0\] is -2.0; accepted"):
        fl.gaussian_nll_loss(x, x, -2.0)


# ---- memory --------------------------------------------------------------------------------------


@CASE
@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.float64], ids=str)
@pytest.mark.parametrize("small", [(20_000, 10), (1, 10), ()], ids=str)
def test_numpy_allocates_nothing_of_size(case: reg.Elementwise, dtype: Any, small: Any) -> None:
    loss, arrays = operands(case, (20_000, 10), np.float32, weighted=True)
    arrays[second(case)] = operands(case, small, np.float32)[1][second(case)]
    arrays = {k: a.astype(dtype) if isinstance(a, np.ndarray) else a for k, a in arrays.items()}
    buffers = {
        name: (np.zeros((20_000, 10), np.float32), np.zeros(small, np.float32)) for name in BUFFERS
    }
    loss.value_grad_hess(**arrays, **buffers)
    tracemalloc.start()
    loss.value_grad_hess(**arrays, **buffers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
