"""The registry itself: exact values are each other's derivatives, and the twins compute them."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests import twins
from tests.losses.case import mp
from tests.samples import Call, elementwise, mp_numbers, mp_target, positional, rows, truth

ELEMENTWISE = pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
ONE_OF_EACH = pytest.mark.parametrize("case", reg.ONE_OF_EACH, ids=str)


def named(sample: Call) -> dict[str, Any]:
    """What a twin takes by name."""
    return sample.options | {
        k: a for k, a in sample.arrays.items() if k in ("pos_weight", "q", "alpha")
    }


@ELEMENTWISE
def test_exact_values_are_derivatives_of_each_other(case: reg.Elementwise) -> None:
    """By central differences in 160 bits, where no kink lies within the step."""
    sample = elementwise(case, (60,))
    h, smooth = mp.mpf(2) ** -50, 0
    lead = list(case.kinds).index(case.lead)
    for numbers in zip(*(mp_numbers(sample.arrays[name]) for name in case.kinds), strict=True):
        up, here, down = (
            case.exact(*(x + step * (k == lead) for k, x in enumerate(numbers)))
            for step in (h, 0, -h)
        )
        for order in (1, 2):
            (a, _), (b, _), (g, size) = up[order - 1], down[order - 1], here[order]
            scale = max(1, abs(size), abs(here[order - 1][1]))
            steady = [abs(up[k][0] - down[k][0]) <= 1e-6 * scale for k in (order - 1, order)]
            steady.append(abs(up[order][0] - g) <= 1e-6 * scale)
            if all(steady) and scale < reg.ANYTHING:  # else a kink lies between
                smooth += 1
                assert abs((a - b) / (2 * h) - g) <= 1e-9 * scale, (numbers, order)
    assert smooth >= 60


@pytest.mark.parametrize("case", reg.ROWS, ids=str)
def test_exact_values_of_rows_are_derivatives_of_each_other(case: reg.Rows) -> None:
    """As above, of usual rows and of confident ones, and no size is too small."""
    sample = rows(case, (6, 4))
    sample.input[1] = [40, 0.5, -1, 0]
    sample.input[2] = [-1, 60, 0, 0.25]
    if case.target == "class":
        sample.arrays["target"][1:3] = 0
    w = mp_numbers(sample.arrays[case.weights] if case.weighted and case.weights else np.ones(4))
    h, smooth, tried = mp.mpf(2) ** -50, 0, 0
    for x, t in zip(sample.input, sample.arrays["target"], strict=True):
        numbers, target = mp_numbers(x), mp_target(case, t)

        def at(k: int, step: Any, numbers: Any = numbers, target: Any = target) -> Any:
            moved = [v + step * (j == k) for j, v in enumerate(numbers)]
            value, grad, hess = case.exact(moved, target, w)
            return value, grad[k], hess[k]

        for k in range(4):
            up, here, down = (at(k, step) for step in (h, 0, -h))
            assert all(abs(size) * (1 + h) >= abs(x) for x, size in here)
            for order in (1, 2):
                tried += 1
                (a, _), (b, _), (g, size) = up[order - 1], down[order - 1], here[order]
                scale = max(abs(size), abs(g))
                jump = max(abs(side[order][0] - g) for side in (up, down))
                if not case.smooth and jump > 1e-6 * max(1, scale):
                    continue  # a kink lies between
                smooth += 1
                last = abs(here[order - 1][1]) * mp.mpf(2) ** -100
                assert abs((a - b) / (2 * h) - g) <= 1e-9 * scale + last, (numbers, k, order)
    assert smooth == tried if case.smooth else smooth > 0.8 * tried


@pytest.mark.parametrize("case", reg.ROWS_ONE_OF_EACH, ids=str)
def test_twins_of_rows(case: reg.Rows) -> None:
    if case.target == "probability" or case.options:
        return  # twins take class numbers
    sample = rows(case, (15, 4))
    arrays = positional(case, sample)
    value, grad, _ = truth(case, sample)
    got, slope = getattr(twins, f"{case.loss}_and_grad")(*arrays)
    np.testing.assert_allclose(got, value.mean(), rtol=1e-12)
    np.testing.assert_allclose(slope, grad / len(grad), rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(getattr(twins, case.loss)(*arrays), got, rtol=1e-12)
    for dtype in reg.DTYPES:
        sample = rows(case, (40, 7), dtype=dtype)
        before = {name: a.copy() for name, a in sample.arrays.items()}
        arrays = positional(case, sample)
        value, grad = getattr(twins, f"{case.loss}_and_grad")(*arrays)
        assert value.dtype == dtype and grad.dtype == dtype
        assert getattr(twins, case.loss)(*arrays).dtype == dtype
        assert all(np.array_equal(a, before[name]) for name, a in sample.arrays.items())


@ELEMENTWISE
def test_twins(case: reg.Elementwise) -> None:
    sample = elementwise(case, (15, 4))
    arrays, options = positional(case, sample), named(sample)
    value, grad, _ = truth(case, sample)
    got, slope = getattr(twins, f"{case.loss}_and_grad")(*arrays, **options)
    slope = slope if case.side is None else slope[case.side]
    scale = np.max(np.abs(value))
    np.testing.assert_allclose(got, value.mean(), rtol=1e-12, atol=1e-12 * scale)
    np.testing.assert_allclose(slope, grad / grad.size, rtol=1e-8, atol=1e-12 * abs(grad).max())
    alone = getattr(twins, case.loss)(*arrays, **options)
    np.testing.assert_allclose(alone, got, rtol=1e-12, atol=1e-12 * scale)


@ONE_OF_EACH
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_twins_compute_in_the_dtype_of_input(case: reg.Elementwise, dtype: Any) -> None:
    sample = elementwise(case, (40,), dtype)
    before = {name: a.copy() for name, a in sample.arrays.items()}
    arrays, options = positional(case, sample), named(sample)
    value, grad = getattr(twins, f"{case.loss}_and_grad")(*arrays, **options)
    grads = grad if isinstance(grad, tuple) else (grad,)
    assert value.dtype == dtype and all(g.dtype == dtype for g in grads)
    assert getattr(twins, case.loss)(*arrays, **options).dtype == dtype
    assert all(np.array_equal(a, before[name]) for name, a in sample.arrays.items())


@pytest.mark.parametrize("name", reg.KINDS)
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_kinds(name: str, dtype: Any) -> None:
    """The numbers of a kind lie in its domain, and the bad ones outside."""
    kind, rng = reg.KINDS[name], np.random.default_rng(0)
    good = np.concatenate([list(kind.hard(dtype)), kind.few, kind.random(rng, 1000)])
    typical = kind.typical(rng, 1000)
    assert typical.any() and np.isfinite(typical).all()
    for x in good, typical, np.array(kind.moderate), np.array(kind.whole or ()):
        assert not np.isin(x, kind.bad).any() and not np.isnan(x).any()


def test_a_row_for_each_kind_of_call() -> None:
    assert {case.loss for case in reg.ONE_OF_EACH} == {case.loss for case in reg.ELEMENTWISE}
    assert len({str(case) for case in reg.ELEMENTWISE}) == len(reg.ELEMENTWISE)
    assert len(reg.MECHANISMS) < len(reg.ONE_OF_EACH) < len(reg.ELEMENTWISE)
    assert len({str(case) for case in reg.ROWS}) == len(reg.ROWS)


def test_the_first_row_of_each_loss_has_its_defaults() -> None:
    for case in {case.loss: case for case in reversed(reg.ROWS)}.values():
        assert not case.options and not case.weighted


@pytest.mark.parametrize("case", reg.ROWS, ids=str)
def test_rows_have_the_arguments_that_they_say(case: reg.Rows) -> None:
    names = inspect.signature(getattr(fl, case.loss)).parameters
    assert ("ignore_index" in names) == case.ignores
    assert {"weight", "alpha"} & set(names) == {case.weights} - {None}
    assert set(case.options) <= set(names)
    assert not case.weighted or case.weights


@pytest.mark.parametrize("shape", [(5, 4), (3, 1), (0, 4), (4, 0), (2, 40), (3, 5, 4)])
def test_random_lists(shape: tuple[int, ...]) -> None:
    """Classes, then -1 or the end."""
    for axis in range(len(shape)):
        lists = np.moveaxis(reg.random_lists(np.random.default_rng(0), shape, axis), axis, -1)
        classes = shape[axis]
        assert lists.shape == (*np.delete(shape, axis), classes)
        for row in lists.reshape(-1, classes) if lists.size else ():
            listed = row[: np.argmax(row == -1)] if -1 in row else row
            assert len(listed) and np.all((listed >= 0) & (listed < classes))
            assert classes == 1 or len(set(listed)) < classes
