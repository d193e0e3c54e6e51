"""Numbers outside a loss's domain: found in any layout, and named with their position."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    FLOATS,
    INTEGERS,
    LAYOUTS,
    ORDERS,
    REDUCTIONS,
    Array,
    Call,
    bfloat16,
    elementwise,
    fortran,
    same,
    stepped,
)

nan, inf = np.nan, np.inf


def checked(cases: list[reg.Elementwise]) -> list[Any]:
    """Each operand that has a domain, of each of the rows."""
    return [
        pytest.param(case, name, id=f"{case}-{name}")
        for case in cases
        for name, kind in case.kinds.items()
        if reg.KINDS[kind].bad and case.side in (None, 1)
    ]


#: One row for each set of domains, and for each way of evaluating.
DOMAINS = {(case.loss, *case.kinds.values(), case.third): case for case in reg.ELEMENTWISE}
EVERY = pytest.mark.parametrize(("case", "name"), checked(reg.ELEMENTWISE))
EACH = pytest.mark.parametrize(("case", "name"), checked(list(DOMAINS.values())))
FEW = pytest.mark.parametrize(("case", "name"), checked(reg.MECHANISMS))
SIGNED = [case for case in reg.ONE_OF_EACH if case.target == "sign" and case.side in (None, 1)]
SIGNS = pytest.mark.parametrize("case", SIGNED, ids=str)


def bad_numbers(case: reg.Elementwise, name: str) -> tuple[float, ...]:
    return reg.KINDS[case.kinds[name]].bad


def refused(
    call: Call, name: str, value: Any, at: tuple[int, ...], order: int = 2, **options: Any
) -> None:
    """The call fails, and says where and what."""
    where = rf" at \[{', '.join(map(str, at))}\]" if at else ""
    shown = re.escape(f"{value:g}") + r"(\.0)?"
    with pytest.raises(ValueError, match=rf"^{name}: the value{where} is {shown}; accepted are \S"):
        call.run(order, **options)


@EVERY
def test_every_bad_number(case: reg.Elementwise, name: str) -> None:
    call = elementwise(case, (7, 5))
    for value in bad_numbers(case, name):
        a = call.arrays[name].copy()
        a[3, 2] = a[4, 0] = value
        bad = call.having(**{name: a})
        for order in range(3):
            refused(bad, name, value, (3, 2), order, reduction=REDUCTIONS[order])


@EACH
def test_every_reduction_and_weights(case: reg.Elementwise, name: str) -> None:
    call = elementwise(case, (7, 5), weighted=True)
    value = bad_numbers(case, name)[0]
    call.arrays[name][6, 4] = value
    for reduction in REDUCTIONS:
        for order in range(3):
            refused(call, name, value, (6, 4), order, reduction=reduction)
    call.arrays[name][0, 1] = value
    refused(call, name, value, (0, 1))


@EACH
@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 1023, 1024, 1025, 2049, 5000])
def test_first_of_many(case: reg.Elementwise, name: str, size: int) -> None:
    """Around the lanes and blocks of the loops."""
    clean = elementwise(case, (size,), np.float32)
    value = bad_numbers(case, name)[0]
    for first in {0, size // 2, size - 1, min(size - 1, 1024), min(size - 1, 1023)}:
        a = clean.arrays[name].copy()
        a[first] = value
        a[first + 1 :: 3] = bad_numbers(case, name)[-1]
        refused(clean.having(**{name: a}), name, value, (first,), first % 3)


@FEW
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_first_whatever_the_number_of_threads(
    case: reg.Elementwise, name: str, threads: int
) -> None:
    shape = (1200, 100)
    clean = elementwise(case, shape, np.float32)
    fl.set_num_threads(threads)
    value, later = bad_numbers(case, name)[0], bad_numbers(case, name)[-1]
    for place in ([3], [119_999], [60_001], [60_001, 60_002, 119_000], [1023, 1024, 90_000]):
        for change in (np.ascontiguousarray, fortran):
            a = clean.arrays[name].copy()
            a.flat[place] = later
            a.flat[place[0]] = value
            at = tuple(map(int, np.unravel_index(place[0], shape)))
            refused(clean.having(**{name: change(a)}), name, value, at)
    transposed = clean.changed(fortran)
    a = transposed.arrays[name]
    a[7, 3] = value
    a[8, 0] = later  # earlier in memory, later in the order of the indices
    refused(transposed, name, value, (7, 3), 1)


@EACH
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(case: reg.Elementwise, name: str, layout: str) -> None:
    """The first in the order of input's indices, wherever the elements lie."""
    change: Callable[[Array], Array] = LAYOUTS[layout]
    value, later = bad_numbers(case, name)[0], bad_numbers(case, name)[-1]
    for shape in ((3, 40, 11), (1100,), (1, 1)):
        clean = elementwise(case, shape)
        size = int(np.prod(shape))
        for first in {0, size // 3, size - 1}:
            a = clean.arrays[name].copy()
            a.flat[first:] = later
            a.flat[first] = value
            at = tuple(map(int, np.unravel_index(first, shape)))
            bad = clean.having(**{name: a})
            refused(bad.changed(change, name), name, value, at)
            refused(bad.changed(change), name, value, at, 0, reduction="none")
            others = [other for other in clean.arrays if other != name]
            refused(bad.changed(change, *others), name, value, at, 1, reduction="sum")


@EACH
@pytest.mark.parametrize("dtype", [*FLOATS, np.dtype(">f2"), np.dtype(">f4")], ids=str)
def test_floating_dtypes(case: reg.Elementwise, name: str, dtype: np.dtype[Any]) -> None:
    call = elementwise(case, (4, 50))
    value = bad_numbers(case, name)[0]
    call.arrays[name][2, 49] = value
    bad = call.changed(lambda a: a.astype(dtype), name)
    refused(bad, name, value, (2, 49))
    refused(bad.changed(stepped, name), name, value, (2, 49), 1, reduction="sum")
    if dtype.isnative:
        refused(call.changed(lambda a: a.astype(dtype)), name, value, (2, 49), 0)


@EACH
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_integers(case: reg.Elementwise, name: str, dtype: np.dtype[Any]) -> None:
    kind = reg.KINDS[case.kinds[name]]
    for value in kind.bad if kind.whole else ():
        if not np.isfinite(value) or value % 1 or (value < 0 and dtype.kind == "u"):
            continue
        for swapped in (False, True):
            a = np.full((6, 5), (kind.whole or (0, 0))[1], dtype)
            a[1, 4] = value
            a = a.astype(dtype.newbyteorder()) if swapped else a
            refused(elementwise(case, (6, 5)).having(**{name: a}), name, value, (1, 4))


@EACH
def test_broadcast_operands(case: reg.Elementwise, name: str) -> None:
    """The position is that of the first element of input that meets the number."""
    call = elementwise(case, (4, 3, 600))
    if name == call.first:
        return
    value = bad_numbers(case, name)[0]
    for small, index, at in (
        ((600,), (417,), (0, 0, 417)),
        ((3, 1), (2, 0), (0, 2, 0)),
        ((4, 1, 1), (1, 0, 0), (1, 0, 0)),
        ((1, 3, 600), (0, 1, 5), (0, 1, 5)),
        ((), (), (0, 0, 0)),
    ):
        if not small and name not in case.takes_nan:
            continue  # a single level is a parameter
        a = np.array(elementwise(case, small).arrays[name])
        a[index] = value
        refused(call.having(**{name: a}), name, value, at)
        view = np.broadcast_to(a, (4, 3, 600))
        refused(call.having(**{name: view}), name, value, at, 0)


@EACH
def test_single_numbers(case: reg.Elementwise, name: str) -> None:
    """Without dimensions there is no position."""
    if name not in case.takes_nan:
        return  # a single level is a parameter
    value = bad_numbers(case, name)[0]
    one = elementwise(case, ())
    refused(one.having(**{name: np.array(value)}), name, value, ())
    numbers = {key: float(a) for key, a in one.arrays.items()} | {name: value}
    refused(one.having(**numbers), name, value, (), 0)
    refused(elementwise(case, (1,)).having(**{name: [value]}), name, value, (0,))


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, bfloat16], ids=str)
def test_nan_is_no_domain_error(case: reg.Elementwise, name: str, dtype: Any) -> None:
    """It comes out as nan in value and gradient, and hides no other number."""
    if name not in case.takes_nan:
        return
    call = elementwise(case, (40, 30)).changed(lambda a: a.astype(dtype))
    a = call.arrays[name].copy()
    a[1, ::2] = nan
    for order in range(3):
        value, *rest = call.having(**{name: a}).each(order)
        for part in (value, *rest[:1]):
            assert np.array_equal(np.isnan(part), np.isnan(a))
        assert np.isnan(call.having(**{name: a}).run(order, reduction="mean")[0])
    a[1, 1] = bad_numbers(case, name)[0]
    refused(call.having(**{name: a}), name, bad_numbers(case, name)[0], (1, 1))


@EACH
def test_edges_of_the_domain_are_inside(case: reg.Elementwise, name: str) -> None:
    """What the kind counts among its hard numbers raises nothing."""
    for dtype in reg.DTYPES:
        hard = np.array(list(reg.KINDS[case.kinds[name]].hard(dtype))).astype(dtype)
        call = elementwise(case, hard.shape, dtype)
        for order in range(3):
            call.having(**{name: hard}).each(order)
    with_inf = elementwise(case, (3,))
    if inf not in bad_numbers(case, name):
        with_inf.having(**{name: np.full(3, inf)}).each()


@FEW
def test_a_bad_number_leaves_inputs_and_the_next_call_alone(
    case: reg.Elementwise, name: str
) -> None:
    """What the buffers hold is not specified; everything else is as before."""
    clean = elementwise(case, (3000,), np.float32)
    expected = clean.run(2)
    bad = clean.changed(np.copy, name)
    bad.arrays[name][2000] = bad_numbers(case, name)[0]
    before = {key: a.copy() for key, a in bad.arrays.items()}
    grad = np.zeros(3000)
    for _ in range(20):
        refused(bad, name, bad_numbers(case, name)[0], (2000,), grad_out=grad)
    assert all(np.array_equal(a, before[key]) for key, a in bad.arrays.items())
    assert all(map(same, clean.run(2), expected))


def test_messages_say_what_is_accepted() -> None:
    with pytest.raises(
        ValueError,
        match=r"^target: the value at \[0, 1\] is 0.5; accepted are -1 "
        r"and 1, and booleans$",
    ):
        fl.hinge_loss([[0.0, 1.0]], [[1.0, 0.5]])
    with pytest.raises(ValueError, match=r"^target: the value is 2; accepted are -1 and 1"):
        fl.soft_margin_loss(0.5, np.int8(2))
    with pytest.raises(ValueError, match=r"^input: the value at \[1\] is 1.25; accepted are .*0 "):
        fl.binary_cross_entropy([0.5, 1.25], [0, 1])
    with pytest.raises(ValueError, match=r"^input: the value at \[1\] is 0.0; accepted are pos"):
        fl.gamma_nll_loss([0.5, 0.0], [0, 1], log_input=False)


def test_which_options_have_which_domain() -> None:
    """Losses that check nothing accept anything."""
    x, t = np.array([-3.0, 2.0]), np.array([-1.0, 2.0])
    for power in (-1, 0):
        fl.tweedie_loss(x, t, power=power)
    fl.tweedie_loss(x, t, power=0, log_input=False)
    fl.tweedie_loss(np.zeros(2), np.ones(2), power=1, log_input=False)
    fl.binary_cross_entropy_with_logits(x, t)
    fl.kl_div(x, t, log_target=True)
    fl.js_div(x, t)
    for power in (-1, 1.5, 2, 3):
        with pytest.raises(ValueError, match=r"^input: the value at \[0\] is 0.0"):
            fl.tweedie_loss(np.zeros(2), np.ones(2), power=power, log_input=False)
    for power in (1, 1.5, 2, 3):
        with pytest.raises(ValueError, match=r"^target: the value at \[0\] is -1.0"):
            fl.tweedie_loss(x, t, power=power)


# ---- signs -----------------------------------------------------------------------------------


def layouts_of(a: Array) -> Iterator[Array]:
    yield from (change(a) for change in LAYOUTS.values())


@SIGNS
def test_booleans_are_signs(case: reg.Elementwise) -> None:
    """False is -1, in any layout."""
    for shape in ((7, 5), (3000,), (3, 40, 11), ()):
        call = elementwise(case, shape)
        signs = call.arrays["target"]
        expected = call.each()
        for flags in layouts_of(np.asarray(signs > 0)):
            assert flags.dtype == bool
            assert all(map(same, call.having(target=flags).each(), expected))
    few = np.array([True, False, True])
    call = elementwise(case, (40, 3))
    expected = call.having(target=np.broadcast_to([1, -1, 1], (40, 3)).copy()).each()
    assert all(map(same, call.having(target=few).each(), expected))
    assert all(map(same, call.having(target=few.tolist()).each(), expected))
    assert all(map(same, call.having(target=np.broadcast_to(few, (40, 3))).each(), expected))
    for flag, sign in ((True, 1), (False, -1), (np.True_, 1), (np.False_, -1)):
        got = call.having(target=flag).each()
        assert all(map(same, got, call.having(target=np.full((40, 3), sign)).each()))


@SIGNS
@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS], ids=str)
def test_signs_of_every_dtype(case: reg.Elementwise, dtype: np.dtype[Any]) -> None:
    call = elementwise(case, (30, 40))
    signs = np.ones((30, 40)) if dtype.kind == "u" else call.arrays["target"]
    expected = call.having(target=signs).each()
    for swapped in (False, True)[: dtype.itemsize]:
        a = signs.astype(dtype)
        a = a.astype(dtype.newbyteorder()) if swapped else a
        assert all(map(same, call.having(target=a).each(), expected))
        assert all(map(same, call.having(target=stepped(a)).each(), expected))
    assert call.having(target=1).each()[0].dtype == call.input.dtype


@SIGNS
def test_booleans_do_not_promote(case: reg.Elementwise) -> None:
    call = elementwise(case, (30,), np.float32)
    got = call.having(target=call.arrays["target"] > 0).each()
    assert all(part.dtype == np.float32 for part in got)


def test_other_booleans_are_0_and_1() -> None:
    flags = np.array([True, False])
    x = np.array([0.25, 0.5])
    for loss in (fl.binary_cross_entropy, fl.sigmoid_focal_loss, fl.mse_loss, fl.kl_div):
        assert loss(x, flags) == loss(x, flags.astype(float))


def test_every_order_has_the_check() -> None:
    for order in ORDERS:
        with pytest.raises(ValueError, match=r"^target: "):
            getattr(fl.hinge_loss, order)([1.0], [0.0])
        with pytest.raises(ValueError, match=r"^target: "):
            getattr(fl.HingeLoss(), order)([1.0], [0.0])
