"""Losses whose values come from many numbers of several operands: what holds for all of them."""

from __future__ import annotations

import itertools
import re
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss._core import kernels as _kernels
from tests import registry as reg
from tests import twins
from tests.losses.case import mp
from tests.samples import (
    FLOATS,
    HALVES,
    LAYOUTS,
    REDUCTIONS,
    Array,
    mp_operands,
    same,
    use_level,
)
from tests.test_accuracy import WHAT, check

Arrays = dict[str, Array]
Parts = tuple[Array, ...]

ONE_OF_EACH = list({case.loss: case for case in reversed(reg.JOINT)}.values())[::-1]
ANY = pytest.mark.parametrize("case", reg.JOINT, ids=str)
ONE = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
DTYPE = pytest.mark.parametrize("dtype", reg.DTYPES)
METHODS = ("__call__", "value_and_grad", "value_grad_hess")


def orders(case: reg.Joint) -> range:
    return range(3 if case.curved else 2)


def run(case: reg.Joint, arrays: Arrays, order: int | None = None, **options: Any) -> Any:
    """The value and, of order 1 and 2, tuples of derivatives by the leaves; of all orders that
    there are by default."""
    order = orders(case)[-1] if order is None else order
    got = getattr(getattr(fl, case.loss), METHODS[order])(**arrays, **(case.options | options))
    value, *parts = got if order else (got,)
    if len(case.leaves) == 1:
        parts = [(part,) for part in parts]
    return (value, *parts)


def flat(parts: Any) -> list[Array]:
    """The value and all derivatives."""
    value, *rest = parts
    return [value, *(a for part in rest for a in part)]


def typical(case: reg.Joint, n: int, dtype: Any = np.float64, seed: int = 0) -> Arrays:
    return case.inputs(np.random.default_rng(seed), n, dtype)


def with_weights(case: reg.Joint, arrays: Arrays, seed: int = 5) -> Arrays:
    """With a number for each value, where the loss takes such."""
    if not case.weighted or "weight" in arrays:
        return arrays
    shape = np.shape(run(case, arrays, 0, reduction="none")[0])
    dtype = arrays[case.leaves[0]].dtype
    weight = np.random.default_rng(seed).uniform(0.25, 2, shape).astype(dtype)
    return arrays | {"weight": weight}


def close(got: Any, expected: Any, rtol: float) -> None:
    for a, b in zip(flat(got), flat(expected), strict=True):
        a, b = (np.asarray(x).astype(np.float64) for x in (a, b))
        scale = np.abs(b[np.isfinite(b)]).max(initial=0)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale)


# ---- the numbers ---------------------------------------------------------------------------------


@ANY
@DTYPE
@pytest.mark.parametrize("inputs", ["typical", "hard"])
def test_accuracy(case: reg.Joint, dtype: Any, inputs: str, levels: Iterator[str]) -> None:
    """Each value and derivative against exact numbers, at every level."""
    rng = np.random.default_rng(1)
    arrays = case.inputs(rng, 6, dtype) if inputs == "typical" else case.hard(rng, dtype)
    values, *parts = case.truth(mp_operands(case, arrays), **case.options)
    parts = parts[: len(orders(case)) - 1]
    pairs = [values, *(part[leaf] for part in parts for leaf in case.leaves)]
    exact = [reg.Exact(p, dtype) for p in pairs]
    names = ["value", *(f"{what} by {leaf}" for what in WHAT[1:] for leaf in case.leaves)]
    bounds = [case.bounds[0], *(b for b in case.bounds[1:] for _ in case.leaves)]
    for level in levels:
        got = flat(run(case, arrays, reduction="none"))
        for part, true, name, bound in zip(got, exact, names[: len(got)], bounds, strict=False):
            assert part.dtype == dtype
            check(part, true, dtype, f"{name}, {level}", bound)
        assert len(got) == len(exact)


@pytest.mark.parametrize("case", [c for c in reg.JOINT if not c.held], ids=str)
def test_exact_values_are_derivatives_of_each_other(case: reg.Joint) -> None:
    """By central differences in 160 bits, where no kink lies within the step."""
    arrays = mp_operands(case, typical(case, 2, seed=3))
    rng, h = np.random.default_rng(0), mp.mpf(2) ** -50
    _values, *parts = case.truth(arrays, **case.options)
    tried = smooth = 0
    for leaf in case.leaves:
        size = arrays[leaf].size
        for k in rng.choice(size, min(size, 8), replace=False):

            def at(step: Any, leaf: str = leaf, k: Any = k) -> Any:
                moved = arrays[leaf].copy()
                moved.flat[k] += step
                values, *parts = case.truth(arrays | {leaf: moved}, **case.options)
                total = mp.fsum(x for x, _ in values)
                return [total, *(part[leaf][k][0] for part in parts[: len(orders(case)) - 1])]

            up, here, down = at(h), at(0), at(-h)
            for order in range(1, len(here)):
                size = max(1, abs(parts[order - 1][leaf][k][1]), abs(here[order]))
                tried += 1
                if not case.smooth and abs(up[order] - down[order]) > 1e-6 * size:
                    continue  # a kink lies between
                smooth += 1
                slope = (up[order - 1] - down[order - 1]) / (2 * h)
                assert abs(slope - here[order]) <= 1e-9 * size, (leaf, k, order)
    assert smooth == tried if case.smooth else smooth > 0.6 * tried


@pytest.mark.parametrize("case", [c for c in reg.JOINT if c.twin], ids=str)
def test_twins(case: reg.Joint) -> None:
    arrays = typical(case, 7)
    value, grad = getattr(twins, f"{case.loss}_and_grad")(**arrays, **case.options)
    close((value, grad if isinstance(grad, tuple) else (grad,)), run(case, arrays, 1), 1e-9)
    alone = getattr(twins, case.loss)(**arrays, **case.options)
    np.testing.assert_allclose(alone, value, rtol=1e-12)
    for dtype in reg.DTYPES:
        arrays = typical(case, 7, dtype)
        before = {name: a.copy() for name, a in arrays.items()}
        value, grad = getattr(twins, f"{case.loss}_and_grad")(**arrays, **case.options)
        grads = grad if isinstance(grad, tuple) else (grad,)
        assert value.dtype == dtype and all(g.dtype == dtype for g in grads)
        assert all(np.array_equal(a, before[name]) for name, a in arrays.items())


@ANY
@DTYPE
def test_every_order_gives_the_same(case: reg.Joint, dtype: Any) -> None:
    arrays = with_weights(case, typical(case, 9, dtype))
    for reduction in ("none", "mean"):
        parts = [run(case, arrays, order, reduction=reduction) for order in orders(case)]
        for less, more in itertools.pairwise(parts):
            for a, b in zip(flat(less), flat(more), strict=False):
                assert same(a, b) or reduction == "mean"
                np.testing.assert_allclose(a, b, rtol=1e-6 if dtype is np.float32 else 1e-14)


def test_losses_without_second_derivatives() -> None:
    for case in ONE_OF_EACH:
        loss = getattr(fl, case.loss)
        assert loss.curved == case.curved
        if not case.curved:
            with pytest.raises(NotImplementedError, match=f"^{case.loss} has no second"):
                loss.value_grad_hess(**typical(case, 3))


# ---- reductions and weights ----------------------------------------------------------------------


@ANY
def test_reductions(case: reg.Joint) -> None:
    """Value and derivatives are those of the sum, divided by one and the same number."""
    plain = typical(case, 7)
    for arrays in [plain, *([with_weights(case, plain)] if case.weighted else [])]:
        each = run(case, arrays, reduction="none")
        total = run(case, arrays, reduction="sum")
        np.testing.assert_allclose(total[0], each[0].sum(), rtol=1e-12)
        close((total[0], *total[1:]), (total[0], *each[1:]), 1e-12)
        known = {"sum": 1.0, "batchmean": float(plain[case.leaves[0]].shape[case.batch])}
        if "weight" in arrays and arrays is not plain:
            known["mean"] = run(case, plain, 0, reduction="sum")[0] / run(case, plain, 0)[0]
            known["weighted_mean"] = arrays["weight"].sum()
            known["sum_by_nonzero_weights"] = float(np.count_nonzero(arrays["weight"]))
        for reduction in REDUCTIONS:
            if reduction == "none" or (case.uneven and reduction == "mean"):
                continue
            got = run(case, arrays, reduction=reduction)
            assert np.ndim(got[0]) == 0 and type(got[0]) is np.float64
            divisor = known.get(reduction, total[0] / got[0])
            assert divisor > 0
            close(got, (total[0] / divisor, *([g / divisor for g in p] for p in total[1:])), 1e-12)


@pytest.mark.parametrize("case", [c for c in reg.JOINT if c.weighted], ids=str)
def test_weights(case: reg.Joint) -> None:
    arrays = typical(case, 7)
    plain = run(case, arrays, reduction="none")[0]
    weighted = with_weights(case, arrays)
    got = run(case, weighted, reduction="none")
    np.testing.assert_allclose(got[0], plain * weighted["weight"], rtol=1e-14)
    # The gradient is linear in the weights.
    twice = run(case, weighted | {"weight": weighted["weight"] + 1}, reduction="none")
    ones = run(case, arrays, reduction="none")
    close(
        twice,
        (
            got[0] + plain,
            *(
                [a + b for a, b in zip(p, q, strict=True)]
                for p, q in zip(got[1:], ones[1:], strict=True)
            ),
        ),
        1e-10,
    )
    # One number for all, and a shape that does not fit.
    one = run(case, arrays | {"weight": np.array(0.5)}, reduction="sum")
    close(one, (0.5 * plain.sum(), *([0.5 * g for g in p] for p in ones[1:])), 1e-12)
    with pytest.raises(ValueError, match=r"^weight: "):
        run(case, arrays | {"weight": np.ones((3, *plain.shape))})
    none = run(case, arrays | {"weight": np.zeros(plain.shape)}, reduction="weighted_mean")
    assert none[0] == 0 and not any(g.any() for p in none[1:] for g in p)
    none = run(case, arrays | {"weight": np.zeros(plain.shape)}, reduction="sum_by_nonzero_weights")
    assert none[0] == 0


@ANY
def test_nothing(case: reg.Joint) -> None:
    """Of no rows the mean is nan, but for some losses, and the sum 0."""
    arrays = typical(case, 0)
    mean, *parts = run(case, arrays)
    np.testing.assert_array_equal(mean, case.of_none)
    for part in parts:
        for grad, leaf in zip(part, case.leaves, strict=True):
            assert grad.shape == arrays[leaf].shape
    assert run(case, arrays, reduction="sum")[0] == 0
    for reduction in ("weighted_mean", "sum_by_nonzero_weights"):
        assert run(case, arrays, reduction=reduction)[0] == 0
    one = typical(case, 1)
    assert np.isfinite(run(case, one, reduction="sum")[0])


# ---- operands ------------------------------------------------------------------------------------


@ANY
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dtypes(case: reg.Joint, dtype: np.dtype[Any]) -> None:
    """The result is that of the same numbers in the computation's dtype; each gradient is rounded
    to its input's."""
    wide = np.float32 if dtype in HALVES else dtype
    arrays = {
        name: a if name in case.labels else a.astype(dtype)
        for name, a in typical(case, 6, np.float32).items()
    }
    again = {name: a if name in case.labels else a.astype(wide) for name, a in arrays.items()}
    got, expected = (run(case, a, reduction="none") for a in (arrays, again))
    assert got[0].dtype == wide
    for a, b in zip(flat(got)[1:], flat(expected)[1:], strict=True):
        assert a.dtype == dtype
        with np.errstate(over="ignore"):
            rounded = b.astype(dtype)
        if case.exact_dtypes:
            assert same(a, rounded)
    if case.exact_dtypes:
        assert same(got[0], expected[0])
    rtol = 1e-2 if dtype in HALVES else 1e-6
    close(got, expected, rtol)


@ONE
def test_mixed_dtypes(case: reg.Joint) -> None:
    """One float64 operand makes all of the computation float64."""
    arrays = typical(case, 6, np.float32)
    wide = {n: a if n in case.labels else a.astype(np.float64) for n, a in arrays.items()}
    expected = run(case, wide, reduction="none")
    for name in arrays:
        if name in case.labels:
            continue
        got = run(case, arrays | {name: wide[name]}, reduction="none")
        assert got[0].dtype == np.float64
        for leaf, grad, right in zip(case.leaves, got[1], expected[1], strict=True):
            assert grad.dtype == (np.float64 if leaf == name else np.float32)
            scale = float(np.abs(right).max())
            np.testing.assert_allclose(grad, right, rtol=2e-7, atol=1e-9 * scale)
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-12)


@ONE
def test_integers(case: reg.Joint) -> None:
    """Computed in float64, as are their numbers."""
    arrays = typical(case, 6)
    whole = {n: a if n in case.labels else np.round(a * 2) for n, a in arrays.items()}
    for name, bad in case.domains.items():
        if np.isin(whole[name], bad).any() or name not in case.leaves:
            whole[name] = np.round(arrays[name])
    narrow = {n: a.astype(np.int16) if np.isfinite(a).all() else a for n, a in whole.items()}
    got, expected = (run(case, a, reduction="none") for a in (narrow, whole))
    assert all(part.dtype == np.float64 for part in flat(got))
    close(got, expected, 1e-12)


@ANY
@DTYPE
def test_layouts(case: reg.Joint, dtype: Any) -> None:
    """The same numbers lying otherwise in memory, all operands and one alone."""
    arrays = typical(case, 11, dtype)
    expected = run(case, arrays, reduction="none")
    rtol = 2e-5 if dtype is np.float32 else 1e-12
    for change in LAYOUTS.values():
        moved = {n: change(a) for n, a in arrays.items()}
        close(run(case, moved, reduction="none"), expected, rtol)
        for name in arrays:
            one = arrays | {name: moved[name]}
            close(run(case, one, reduction="none"), expected, rtol)


@pytest.mark.parametrize(
    ("case", "name"),
    [pytest.param(c, n, id=f"{c}-{n}") for c in ONE_OF_EACH for n in c.spread],
)
def test_broadcast_operands(case: reg.Joint, name: str) -> None:
    """One row for all: its gradient is the sum of theirs."""
    arrays = typical(case, 40)
    few = arrays | {name: arrays[name][:1].copy()}
    full = arrays | {name: np.repeat(few[name], 40, axis=0)}
    for n in (1, 4):
        fl.set_num_threads(n)
        got, expected = (run(case, a, reduction="sum") for a in (few, full))
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-13)
        for p, q in zip(got[1:], expected[1:], strict=True):
            for leaf, a, b in zip(case.leaves, p, q, strict=True):
                right = b.sum(axis=0, keepdims=True) if leaf == name else b
                np.testing.assert_allclose(a, right, rtol=1e-11, atol=1e-13 * np.abs(b).max())


@pytest.mark.parametrize(
    ("case", "name"), [pytest.param(c, n, id=f"{c}-{n}") for c in reg.JOINT for n in c.along]
)
@DTYPE
def test_one_number_for_a_vector(case: reg.Joint, name: str, dtype: Any) -> None:
    """Its derivatives are those with respect to this number: mixed second ones are in the sum."""
    arrays = typical(case, 5, dtype)
    few = arrays | {name: arrays[name][:, :1].copy()}
    full = arrays | {name: np.broadcast_to(few[name], arrays[name].shape).copy()}
    got, same_numbers = (run(case, a, reduction="none") for a in (few, full))
    for a, b, leaf in zip(
        flat(got), flat(same_numbers), ["", *case.leaves * (len(got) - 1)], strict=True
    ):
        if leaf != name:
            np.testing.assert_allclose(a, b, rtol=1e-6 if dtype is np.float32 else 1e-14)
    if name not in case.leaves:
        return
    rows, step = len(arrays[name]), mp.mpf(2) ** -80
    numbers = mp_operands(case, full)
    values, *parts = case.truth(numbers, **case.options)
    pairs: list[list[Any]] = [[], []]
    with mp.workprec(400):
        for r in range(rows):
            moved = numbers | {name: numbers[name].copy()}
            f = [values[r][0]]
            for sign in (1, -1):
                moved[name][r] = numbers[name][r] + sign * step
                f.append(case.truth(moved, **case.options)[0][r][0])
            f[0] = case.truth(numbers, **case.options)[0][r][0]
            exact = ((f[1] - f[2]) / (2 * step), (f[1] - 2 * f[0] + f[2]) / step**2)
            for to, x, part in zip(pairs, exact, parts, strict=False):
                each = part[name][r * numbers[name].shape[1] : (r + 1) * numbers[name].shape[1]]
                x = x if abs(x) > mp.mpf(2) ** -200 else 0  # but rounding
                to.append((x, mp.fsum(abs(size) for _, size in each)))
    k = case.leaves.index(name)
    for part, true, what, bound in zip(got[1:], pairs, WHAT[1:], case.bounds[1:], strict=False):
        assert part[k].shape == (rows, 1) and part[k].dtype == dtype
        check(part[k], reg.Exact(true, dtype), dtype, f"{what} by {name}", bound)
    if case.curved:  # in the smallest batch, and for all rows one number
        one = {n: a[:1] for n, a in few.items()}
        np.testing.assert_array_equal(run(case, one, reduction="none")[2][k], got[2][k][:1])
        all_rows = run(case, few | {name: few[name][:1, :1]}, reduction="none")[2][k]
        each = run(case, few | {name: np.repeat(few[name][:1], rows, 0)}, reduction="none")[2][k]
        np.testing.assert_allclose(all_rows[0, 0], each.sum(), rtol=1e-6, atol=1e-12)


@ANY
def test_inputs_are_left_alone(case: reg.Joint) -> None:
    arrays = with_weights(case, typical(case, 9))
    before = {name: a.copy() for name, a in arrays.items()}
    for a in arrays.values():
        a.flags.writeable = False
    for reduction in REDUCTIONS:
        run(case, arrays, reduction=reduction)
    assert all(same(a, before[name]) for name, a in arrays.items())


@ANY
@DTYPE
def test_nan(case: reg.Joint, dtype: Any) -> None:
    """Comes out, unless what it stands in counts for nothing."""
    arrays = typical(case, 5, dtype)
    plain = run(case, arrays, 1, reduction="none")
    rng, seen = np.random.default_rng(0), 0
    for leaf in case.leaves:
        for k in rng.choice(arrays[leaf].size, 4):
            spoiled = arrays[leaf].copy()
            spoiled.flat[k] = np.nan
            value, grads = run(case, arrays | {leaf: spoiled}, 1, reduction="none")
            if np.isnan(value).any():
                seen += 1
                assert any(np.isnan(g).any() for g in grads)
                assert np.isnan(run(case, arrays | {leaf: spoiled}, 0)[0])
            else:
                np.testing.assert_allclose(value, plain[0], rtol=1e-5)
    assert seen


# ---- threads and levels --------------------------------------------------------------------------


@ANY
@DTYPE
def test_number_of_threads_changes_nothing(case: reg.Joint, dtype: Any) -> None:
    one = sum(a.size for a in typical(case, 1).values())
    count = max(3, min(200_000 // max(one, 1), 60_000))
    if case.pairs:  # their number is what is worked on
        count = 1200
    arrays = typical(case, count, dtype)
    for reduction in ("sum", "none"):
        fl.set_num_threads(1)
        expected = flat(run(case, arrays, reduction=reduction))
        for n in (2, 7, 16) if reduction == "sum" else (3,):
            fl.set_num_threads(n)
            got = flat(run(case, arrays, reduction=reduction))
            assert all(map(same, got, expected)), f"{n} threads, {reduction}"


@ANY
def test_levels_agree(case: reg.Joint, monkeypatch: pytest.MonkeyPatch) -> None:
    """v3 and v4 bit by bit, v2 nearly."""
    found: dict[tuple[str, Any], Any] = {}
    for level in _kernels.available_levels():
        use_level(level, monkeypatch)
        for dtype in reg.DTYPES:
            found[level, dtype] = run(case, typical(case, 30, dtype), reduction="none")
    for dtype in reg.DTYPES:
        results = {lv: parts for (lv, d), parts in found.items() if d is dtype}
        if {"v3", "v4"} <= set(results):
            assert all(map(same, flat(results["v3"]), flat(results["v4"])))
        if {"v2", "v4"} <= set(results):
            close(results["v2"], results["v4"], 1e-5 if dtype is np.float32 else 1e-11)


def test_calls_from_many_threads() -> None:
    """Each call computes in buffers of its own."""
    samples = [(case, typical(case, 20, seed=k)) for k, case in enumerate(ONE_OF_EACH)]
    expected = [flat(run(case, arrays)) for case, arrays in samples]

    def work(k: int) -> bool:
        return all(map(same, flat(run(*samples[k])), expected[k]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, [k for _ in range(6) for k in range(len(samples))]))


# ---- buffers -------------------------------------------------------------------------------------


def as_given(case: reg.Joint, parts: list[Any]) -> Any:
    return tuple(parts) if len(case.leaves) > 1 else parts[0]


@ANY
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_buffers(case: reg.Joint, reduction: str) -> None:
    arrays = with_weights(case, typical(case, 9))
    fresh = run(case, arrays, reduction=reduction)
    names = ("grad_out", "hess_out")[: len(fresh) - 1]
    for pattern in range(2 ** len(case.leaves)):
        given: dict[str, Any] = {"out": np.full(np.shape(fresh[0]), 7.0)}
        for name, part in zip(names, fresh[1:], strict=True):
            buffers = [
                np.full(g.shape, 7.0) if pattern >> k & 1 else None for k, g in enumerate(part)
            ]
            given[name] = as_given(case, buffers)
        got = run(case, arrays, reduction=reduction, **given)
        assert got[0] is given["out"]
        assert all(map(same, map(np.asarray, flat(got)), map(np.asarray, flat(fresh))))
        for name, part in zip(names, got[1:], strict=True):
            buffers = list(given[name]) if len(case.leaves) > 1 else [given[name]]
            assert all(b is None or a is b for a, b in zip(part, buffers, strict=True))


@ONE
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_buffers_of_every_dtype_and_layout(case: reg.Joint, dtype: np.dtype[Any]) -> None:
    arrays = typical(case, 9, np.float32 if dtype in HALVES else np.float64)
    fresh = run(case, arrays, 1)
    rtol = {1: 2e-2, 2: 2e-2, 4: 1e-5, 8: 1e-11}[dtype.itemsize]
    for layout in LAYOUTS:
        buffers = [LAYOUTS[layout](np.zeros(g.shape, dtype)) for g in fresh[1]]
        if layout == "swapped" or not all(b.flags.writeable for b in buffers):
            continue
        got = run(case, arrays, 1, grad_out=as_given(case, buffers))
        assert all(a is b for a, b in zip(got[1], buffers, strict=True)), layout
        close(got, fresh, rtol)


@ONE
def test_refused_buffers(case: reg.Joint) -> None:
    """Nothing is written where one of them is refused."""
    arrays = typical(case, 9)
    fresh = run(case, arrays, 1)
    many = len(case.leaves) > 1
    for k, leaf in enumerate(case.leaves):
        shape = fresh[1][k].shape
        shared = arrays[leaf]
        for bad, error in (
            (np.zeros((*shape, 2)), ValueError),
            (np.zeros(shape, int), TypeError),
            (np.zeros(shape).astype(">f8"), TypeError),
            (np.broadcast_to(np.zeros(shape[-1:]), shape), ValueError),
            *([] if case.in_place else [(shared, ValueError)]),
            ([0.0], TypeError),
        ):
            buffers: list[Any] = [np.full(g.shape, 7.0) for g in fresh[1]]
            buffers[k] = bad
            with pytest.raises(error, match=r"^grad_out(\[\d\])?: "):
                run(case, arrays, 1, grad_out=as_given(case, buffers))
            others = [b for j, b in enumerate(buffers) if j != k]
            assert all((b == 7).all() for b in others)
    if many:
        whole = np.full(fresh[1][0].shape, 7.0)
        for given in (whole, [whole], (whole,), ()):
            with pytest.raises(TypeError, match=r"^grad_out: a tuple of"):
                run(case, arrays, 1, grad_out=given)
        if fresh[1][0].shape == fresh[1][1].shape:
            with pytest.raises(ValueError, match=r"^grad_out\[1\]: shares memory"):
                run(case, arrays, 1, grad_out=(whole, whole, *[None] * (len(case.leaves) - 2)))
        assert (whole == 7).all()
    with pytest.raises(ValueError, match=r"^out: "):
        run(case, arrays, 0, out=np.zeros(3))


@pytest.mark.parametrize("case", [c for c in ONE_OF_EACH if c.lean], ids=str)
def test_memory(case: reg.Joint) -> None:
    """With buffers a call allocates nothing that grows with its operands."""
    one = sum(a.nbytes for a in typical(case, 1).values())
    arrays = typical(case, max(4, 3_000_000 // one))
    fresh = run(case, arrays)
    given = {
        name: as_given(case, [np.empty_like(g) for g in part])
        for name, part in zip(("grad_out", "hess_out"), fresh[1:], strict=False)
    }
    run(case, arrays, **given)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        run(case, arrays, **given)
        used = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert used < 60_000 + 0.02 * sum(a.nbytes for a in arrays.values()), used


# ---- how a loss is called ------------------------------------------------------------------------


@ANY
def test_criteria(case: reg.Joint) -> None:
    loss, arrays = getattr(fl, case.loss), typical(case, 6)
    (cls,) = (
        c
        for c in (getattr(fl, name) for name in fl.__all__)
        if isinstance(c, type) and vars(c).get("loss") is loss
    )
    bound = {k: a for k, a in arrays.items() if k not in case.operands}
    operands = [arrays[name] for name in case.operands]
    for reduction in ("mean", "sum", "none"):
        criterion = cls(**bound, **case.options, reduction=reduction)
        value, grad = criterion.value_and_grad(*operands)
        grads = grad if len(case.leaves) > 1 else (grad,)
        expected = run(case, arrays, 1, reduction=reduction)
        assert all(map(same, flat((value, grads)), flat(expected)))
        assert same(criterion(*operands), run(case, arrays, 0, reduction=reduction)[0])


@ONE
def test_arrays_that_are_none(case: reg.Joint) -> None:
    arrays = typical(case, 6)
    for name in case.operands:
        unfit: list[tuple[Any, Any]] = [
            (arrays[name] + 0j, TypeError),
            (arrays[name].astype(str), TypeError),
            (arrays[name].astype(object), TypeError),
            (np.ma.masked_array(arrays[name]), TypeError),
            (None, TypeError),
            ([[1.0, 2.0], [3.0]], ValueError),
        ]
        for bad, error in unfit:
            for order in orders(case):
                with pytest.raises(error, match=rf"^{name}: "):
                    run(case, arrays | {name: bad}, order)


@ONE
def test_shapes_that_do_not_fit(case: reg.Joint) -> None:
    arrays = typical(case, 6)
    for name in case.operands[1:]:
        for bad in (np.ones((2, *arrays[name].shape)), np.ones((5, 3, 7, 2))):
            bad = bad.astype(arrays[name].dtype)
            with pytest.raises(ValueError, match=rf"^({'|'.join(case.operands)}): "):
                run(case, arrays | {name: bad}, 1)


@ONE
def test_numbers_outside_of_the_domain(case: reg.Joint) -> None:
    arrays = typical(case, 6)
    for name, bad in case.domains.items():
        for x in bad:
            for place in (0, arrays[name].size - 1):
                wrong = arrays[name].copy()
                wrong.flat[place] = x
                index = ", ".join(str(int(i)) for i in np.unravel_index(place, wrong.shape))
                number = re.escape(f"{x:g}")
                message = rf"^{name}: the (value|class|grade|step) at \[{index}\] is {number}"
                for order in orders(case):
                    with pytest.raises((ValueError, IndexError), match=message):
                        run(case, arrays | {name: wrong}, order)


@ONE
def test_reduction_must_be_known(case: reg.Joint) -> None:
    arrays = typical(case, 6)
    for reduction in ("average", "MEAN", "", None, 0, ["mean"], b"mean"):
        for order in orders(case):
            with pytest.raises(ValueError, match=r"^reduction: must be one of mean, sum, none"):
                run(case, arrays, order, reduction=reduction)


@ONE
def test_unknown_and_missing_arguments(case: reg.Joint) -> None:
    loss: Any = getattr(fl, case.loss)
    arrays = [typical(case, 6)[name] for name in case.operands]
    for method in METHODS[: len(orders(case))]:
        function = getattr(loss, method)
        with pytest.raises(TypeError, match="size_average"):
            function(*arrays, size_average=True)
        with pytest.raises(TypeError, match=case.loss):
            function(*arrays, *[None] * 8)
        with pytest.raises(TypeError, match=case.operands[-1]):
            function(*arrays[:-1])
        with pytest.raises(TypeError, match=case.operands[0]):
            function(*arrays, **{case.operands[0]: arrays[0]})
