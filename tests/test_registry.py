"""The registry itself: exact values are each other's derivatives, and the twins compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import registry as reg
from tests import twins
from tests.losses.case import mp
from tests.samples import Call, elementwise, mp_numbers, positional, truth

ELEMENTWISE = pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
ONE_OF_EACH = pytest.mark.parametrize("case", reg.ONE_OF_EACH, ids=str)


def named(sample: Call) -> dict[str, Any]:
    """What a twin takes by name."""
    return sample.options | {k: a for k, a in sample.arrays.items() if k == "pos_weight"}


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
    for x in good, typical, np.array(kind.moderate), np.array(kind.whole):
        assert not np.isin(x, kind.bad).any() and not np.isnan(x).any()


def test_a_row_for_each_kind_of_call() -> None:
    assert {case.loss for case in reg.ONE_OF_EACH} == {case.loss for case in reg.ELEMENTWISE}
    assert len({str(case) for case in reg.ELEMENTWISE}) == len(reg.ELEMENTWISE)
    assert len(reg.MECHANISMS) < len(reg.ONE_OF_EACH) < len(reg.ELEMENTWISE)
