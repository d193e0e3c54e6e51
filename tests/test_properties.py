"""What must hold for any arrays: hypothesis looks for some where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    FLOATS,
    HALVES,
    LAYOUTS,
    ONE_OF_EACH,
    REDUCTIONS,
    Array,
    Case,
    class_weights,
    elementwise,
    rows,
    same,
    truth,
    with_class_weights,
)

ANY = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
few = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

shapes = st.lists(st.integers(1, 5), min_size=0, max_size=3).map(tuple)
seeds = st.integers(0, 2**32 - 1)
layouts = st.sampled_from(list(LAYOUTS))
dtypes = st.sampled_from(FLOATS)
# Finite numbers of every size that no formula overflows with; hypothesis likes the odd ones.
numbers = st.floats(-1e3, 1e3, width=32)


def drawn(case: Case, data: Any, dtype: Any = np.float64) -> Any:
    """A call of a random shape (and axis), with random numbers and arrays lying anyhow."""
    seed = data.draw(seeds, "seed")
    if isinstance(case, reg.Rows):
        shape = (*data.draw(shapes, "rows"), data.draw(st.integers(1, 6), "classes"))
        axis = data.draw(st.integers(0, len(shape) - 1), "axis")
        shape = (*shape[:axis], shape[-1], *shape[axis:-1])
        sample = rows(case, shape, axis, dtype, seed)
    else:
        sample = elementwise(
            case, data.draw(shapes, "shape"), dtype, data.draw(st.booleans()), seed
        )
    return sample


def per_element(case: Case, sample: Any) -> set[str]:
    """The arrays that have the axes of the batch."""
    return set(sample.arrays) - ({case.weights} if isinstance(case, reg.Rows) else set())


@ANY
@given(data=st.data())
@few
def test_truth(case: Case, data: Any) -> None:
    """In any dtypes and layouts, the exact results of the numbers that the arrays hold."""
    sample = drawn(case, data)
    for name, a in sample.arrays.items():
        if a.dtype.kind == "f":
            a = a.astype(data.draw(dtypes, name))
        sample.arrays[name] = LAYOUTS[data.draw(layouts, name)](a)
    floats = [
        a.dtype.newbyteorder("=")
        for name, a in sample.arrays.items()
        if a.dtype.kind != "i" and name not in ("q", "alpha")  # levels do not count for the dtype
    ]
    single = np.float64 not in floats
    got = sample.each()
    exact = truth(case, sample)
    size = max(1.0, *(float(np.max(np.abs(a), initial=0)) for a in exact))
    for k, (part, expected) in enumerate(zip(got, exact, strict=True)):
        eps = 3e-6 if single else 1e-13
        if k and sample.leading.dtype.newbyteorder("=") in HALVES:
            eps = 2.0**-7
        elif k and sample.leading.dtype.itemsize == 4:
            eps = 3e-6
        near = float(np.finfo(np.float16).smallest_subnormal) if k else 0  # a half gradient
        kink = np.zeros(part.shape, bool)
        if k == 2:  # a difference that is rounded to a kink may be on either side of it
            largest = max(1.0, float(np.max(np.abs(expected), initial=0)))
            kink = np.asarray(np.abs(part.astype(float) - expected) >= 0.25 * largest)
            assert single or kink.sum() <= 0.25 * kink.size + 1  # float64 rarely rounds to a kink
            kink |= (part == 0) != (expected == 0)
        np.testing.assert_allclose(
            part.astype(np.float64)[~kink],
            expected[~kink],
            rtol=eps,
            atol=eps * size + near,
        )


@ANY
@given(data=st.data())
@few
def test_reduction_is_of_the_elements(case: Case, data: Any) -> None:
    sample = drawn(case, data)
    reduction = data.draw(st.sampled_from(REDUCTIONS))
    each, value = sample.each(0)[0], sample.run(0, reduction="sum")[0]
    np.testing.assert_allclose(value, np.sum(each), rtol=1e-12, atol=1e-300)
    orders = [sample.run(order, reduction=reduction) for order in range(3)]
    assert all(map(same, orders[0], orders[2])) and all(map(same, orders[1], orders[2]))


@ANY
@given(data=st.data())
@few
def test_batches_add_up(case: Case, data: Any) -> None:
    """The sum over two batches is the sum of their sums; so is the gradient, piece by piece."""
    seed, n, m = data.draw(seeds), data.draw(st.integers(0, 200)), data.draw(st.integers(0, 200))
    if isinstance(case, reg.Rows):
        whole = rows(case, (n + m, 3), seed=seed)
    else:
        whole = elementwise(case, (n + m, 3), weighted=True, seed=seed)

    def part(where: slice) -> Any:
        names = per_element(case, whole)
        return whole.changed(lambda a: a[where], *names).run(1, reduction="sum")

    value, grad = whole.run(1, reduction="sum")
    first, second = part(slice(None, n)), part(slice(n, None))
    np.testing.assert_allclose(value, first[0] + second[0], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(grad, np.concatenate([first[1], second[1]]), rtol=1e-11, atol=1e-15)


@ANY
@given(data=st.data())
@few
def test_order_of_the_batch_does_not_matter(case: Case, data: Any) -> None:
    seed, n = data.draw(seeds), data.draw(st.integers(1, 200))
    if isinstance(case, reg.Rows):
        sample = rows(case, (n, 4), seed=seed)
    else:
        sample = elementwise(case, (n, 4), weighted=True, seed=seed)
    order = np.random.default_rng(seed).permutation(n)
    shuffled = sample.changed(lambda a: a[order], *per_element(case, sample)).each()
    for a, b in zip(shuffled, sample.each(), strict=True):
        np.testing.assert_allclose(a, b[order], rtol=1e-11, atol=1e-15)


@ANY
@given(data=st.data())
@few
def test_weights_are_factors(case: Case, data: Any) -> None:
    sample = drawn(case, data)
    name = "weight"
    if isinstance(case, reg.Rows):
        if not case.weights or case.options.get("z_loss"):
            return  # that term is not weighed
        name = case.weights
        sample = with_class_weights(case, sample, class_weights(case, sample))
    if name not in sample.arrays:
        return
    double = sample.changed(lambda w: w * 2, name)
    for a, b in zip(double.each(), sample.each(), strict=True):
        np.testing.assert_allclose(a, b * 2, rtol=0, atol=1e-300)  # but for subnormal numbers
    if isinstance(case, reg.Rows) and case.target == "probability":
        return  # torch divides by the number of rows
    np.testing.assert_allclose(
        double.run(reduction="weighted_mean")[0],
        sample.run(reduction="weighted_mean")[0],
        rtol=1e-12,
    )


@ANY
@given(data=st.data())
@few
def test_convex_losses_lie_above_their_tangents(case: Case, data: Any) -> None:
    """And losses are not negative, but for those that may be."""
    sample = drawn(case, data)
    each, grad, hess = sample.each()
    by_row = isinstance(case, reg.Rows)
    if not case.negative:
        assert np.all(each >= 0)
    if not case.convex:
        return
    assert np.all(hess >= 0)
    step = np.random.default_rng(data.draw(seeds)).normal(size=sample.input.shape)
    if not by_row:  # not out of the domain
        step = np.clip(sample.leading + step, *reg.KINDS[case.input].moderate) - sample.leading
    moved = sample.moved(step).each(0)[0]
    rise = grad * step
    if by_row:
        rise = rise.sum(axis=sample.options["axis"])
    assert np.all(moved >= each + rise - 1e-12 * (1 + np.abs(each) + np.abs(rise)))


@pytest.mark.parametrize("case", [c for c in reg.ROWS if c.invariant], ids=str)
@given(shift=numbers, data=st.data())
@few
def test_what_does_not_see_a_common_shift(case: reg.Rows, shift: float, data: Any) -> None:
    sample = drawn(case, data)
    expected = sample.each()
    got = sample.having(input=sample.input + shift).each()
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    axis = sample.options["axis"]
    size = 1e-14 * (1 + np.abs(expected[1]).sum())
    np.testing.assert_allclose(expected[1].sum(axis=axis), 0, atol=size)


@given(values=st.lists(st.floats(allow_nan=True, width=32), min_size=1, max_size=40))
@few
def test_any_float32_at_all(values: list[float]) -> None:
    """Infinities, nan, subnormals: nan comes of nan alone, or of inf - inf, and signs are right."""
    x = np.array(values, np.float32)
    nan = np.isnan(x)
    for t in (0.0, 1.0):
        loss = fl.binary_cross_entropy_with_logits
        value, grad, hess = loss.value_grad_hess(x, t, reduction="none")
        for part in (value, grad, hess):
            assert np.array_equal(np.isnan(part), nan)
        assert np.all(value[~nan] >= 0) and np.all(np.abs(grad[~nan]) <= 1)
        assert np.all(hess[~nan] >= 0) and np.all(hess[~nan] <= 0.25 + 2.0**-25)  # one ULP
    for huber in (fl.huber_loss, fl.l1_loss):
        value, grad = huber.value_and_grad(x, 0, reduction="none")
        assert np.array_equal(np.isnan(value), nan) and np.array_equal(np.isnan(grad), nan)
        assert np.array_equal(np.sign(grad[~nan]), np.sign(x[~nan]))
    p = fl.softmax(x)
    if nan.any() or (np.max(x) == -np.inf and len(x) > 1) or np.sum(x == np.inf) > 1:
        assert np.isnan(p).any()
    else:
        assert np.all(p >= 0) and np.isclose(p.sum(), 1, rtol=1e-5)
        logs = fl.log_softmax(x)
        assert np.all(logs <= 0) and np.allclose(np.exp(logs), p, rtol=1e-4, atol=1e-37)
        value, grad = fl.cross_entropy.value_and_grad(x, np.argmax(x))
        assert 0 <= value <= np.log(len(x)) * 1.001 and np.all(np.isfinite(grad))


@given(data=st.data())
@few
def test_logsumexp_lies_above_the_maximum(data: Any) -> None:
    shape = data.draw(shapes)
    count = int(np.prod(shape))
    x: Array = np.array(data.draw(st.lists(numbers, min_size=count, max_size=count))).reshape(shape)
    axes = data.draw(st.sets(st.integers(0, x.ndim - 1)) if x.ndim else st.just(set()))
    axis = tuple(sorted(axes))
    got = fl.logsumexp(x, axis=axis, keepdims=True)
    top = np.max(x, axis=axis, keepdims=True)
    n = np.prod([shape[k] for k in axis])
    assert np.all(got >= top) and np.all(got <= (top + np.log(n)) + 1e-12 * np.abs(top) + 1e-12)
    shift = data.draw(numbers)
    np.testing.assert_allclose(
        fl.logsumexp(x + shift, axis=axis, keepdims=True), got + shift, atol=1e-9
    )
