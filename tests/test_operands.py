"""What an operand may be: any real dtype, any byte order, any layout, anything that broadcasts."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    FLOATS,
    HALVES,
    INTEGERS,
    LAYOUTS,
    class_weights,
    elementwise,
    rows,
    same,
    stepped,
    swapped,
    unaligned,
    with_class_weights,
)

ONE_OF_EACH = pytest.mark.parametrize("case", reg.ONE_OF_EACH, ids=str)
MECHANISMS = pytest.mark.parametrize("case", reg.MECHANISMS, ids=str)
ROWS = pytest.mark.parametrize("case", reg.ROW_MECHANISMS, ids=str)
LAYOUT = pytest.mark.parametrize("layout", LAYOUTS)
#: Both dtypes are read by the same loops, which count steps in bytes.
LAYOUTS_OF: dict[Any, Iterable[str]] = {
    np.float32: LAYOUTS,
    np.float64: ("fortran", "stepped", "unaligned", "swapped"),
}
DTYPES = (np.dtype(bool), *INTEGERS, *FLOATS)
EVERY_DTYPE = (*DTYPES, *(d.newbyteorder() for d in DTYPES if d.itemsize > 1))
ROW_ACTIVATIONS = ("softmax", "log_softmax", "logsumexp")
FLOATING_TARGETS = ("probability", "multilabel")
# Around 16, a lane (64) and a block (1024) of the loops.
SIZES = (1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 129, 1023, 1024, 1025, 1087, 2047, 2048, 2049, 3100)


def computed_in(*dtypes: Any) -> np.dtype[Any]:
    """float64 if an operand is float64 or none is floating, else float32."""
    names = {np.dtype(d).newbyteorder("=").name for d in dtypes}
    floats = names & {f.name for f in FLOATS}
    return np.dtype(np.float64 if "float64" in names or not floats else np.float32)


def is_floating(dtype: np.dtype[Any]) -> bool:
    return dtype.newbyteorder("=") in FLOATS


# ---- dtypes --------------------------------------------------------------------------------------


def whole_numbers(kind: str, dtype: np.dtype[Any], rng: Any, shape: Any) -> Any:
    """Whole numbers of the kind that the dtype holds."""
    whole = reg.KINDS[kind].whole
    if whole is None:
        return np.full(shape, 0.5, dtype)
    x = rng.integers(whole[0], whole[1] + 1, shape)
    if kind == "sign":
        x = np.where(x < 0, -1, 1)
        if dtype.kind == "b":
            return x > 0
        if dtype.kind == "u":
            x = np.abs(x)
    return x.astype(dtype)


def has_whole_numbers(kind: str, dtype: np.dtype[Any]) -> bool:
    """Whether the dtype holds numbers of the kind as they are: there is no integer between 0 and 1,
    and no boolean from 20 on."""
    whole = reg.KINDS[kind].whole
    return is_floating(dtype) or (whole is not None and (dtype.kind != "b" or whole[0] <= 1))


def as_floats(kind: str, a: Any, dtype: np.dtype[Any]) -> Any:
    """The array in the computation's dtype; booleans that stand for signs are -1 and 1."""
    return (np.where(a, 1, -1) if kind == "sign" and a.dtype == bool else a).astype(dtype)


@MECHANISMS
@pytest.mark.parametrize("other", [np.float32, np.float64, np.float16, np.int8], ids=str)
def test_dtypes_of_elements(case: reg.Elementwise, other: Any) -> None:
    """Whole numbers, exact in every dtype, give what they give in the computation's dtype."""
    rng = np.random.default_rng(0)
    kinds = case.kinds | {"weight": "count"}
    call = elementwise(case, (3, 50), weighted=True)
    for dtype, name in itertools.product(EVERY_DTYPE, call.arrays):
        dtypes = {key: np.dtype(dtype if key == name else other) for key in call.arrays}
        if not all(has_whole_numbers(kinds[key], d) for key, d in dtypes.items()):
            continue
        mixed = call.having(
            **{key: whole_numbers(kinds[key], d, rng, (3, 50)) for key, d in dtypes.items()}
        )
        # The dtype of levels does not count.
        real = computed_in(dtype if name in (*case.takes_nan, "weight") else other, other)
        got = mixed.each()
        floats = {key: as_floats(kinds[key], a, real) for key, a in mixed.arrays.items()}
        expected = mixed.having(**floats).each()
        assert same(got[0], expected[0]), (dtype, name)
        own = mixed.leading.dtype.newbyteorder("=")
        own = own if is_floating(own) else real
        with np.errstate(over="ignore"):
            for part, wanted in zip(got[1:], expected[1:], strict=True):
                assert same(part, wanted.astype(own)), (dtype, name)
        reduced = mixed.run(1)
        assert reduced[0].dtype == real and reduced[1].dtype == own


@ONE_OF_EACH
@pytest.mark.parametrize(
    "dtype", [np.dtype(bool), *HALVES, np.dtype("u2"), np.dtype(">i4")], ids=str
)
def test_some_dtypes_of_every_loss(case: reg.Elementwise, dtype: np.dtype[Any]) -> None:
    """As above, every operand of the same dtype."""
    if not all(has_whole_numbers(kind, dtype) for kind in case.kinds.values()):
        return
    rng = np.random.default_rng(0)
    call = elementwise(case, (3, 50))
    call = call.having(**{k: whole_numbers(v, dtype, rng, (3, 50)) for k, v in case.kinds.items()})
    real = computed_in(dtype)
    got = call.each()
    expected = call.having(
        **{k: as_floats(v, call.arrays[k], real) for k, v in case.kinds.items()}
    ).each()
    own = dtype.newbyteorder("=") if is_floating(dtype) else real
    assert same(got[0], expected[0])
    with np.errstate(over="ignore"):
        assert all(same(a, b.astype(own)) for a, b in zip(got[1:], expected[1:], strict=True))


@ROWS
@pytest.mark.parametrize("classes", [4, 90])
def test_dtypes_of_rows(case: reg.Rows, classes: int) -> None:
    """Each operand in turn; labels and lists have their own tests."""
    rng = np.random.default_rng(0)
    call = rows(case, (50, classes), dtype=np.float32)
    numbers = [n for n in call.arrays if n != "target" or case.target in FLOATING_TARGETS]
    for name in numbers:
        shape = call.arrays[name].shape
        call.arrays[name] = rng.integers(0, 2, shape).astype(np.float32)
    for dtype, name in itertools.product(EVERY_DTYPE, numbers):
        if name == "target" and case.target == "probability" and not is_floating(dtype):
            continue  # these would be labels
        mixed = call.having(**{name: call.arrays[name].astype(dtype)})
        real = computed_in(*(mixed.arrays[n].dtype for n in numbers))
        got = mixed.each()
        plain = {n: mixed.arrays[n].astype(real) for n in numbers}
        expected = mixed.having(**plain).each()
        assert same(got[0], expected[0]), (dtype, name)
        own = mixed.input.dtype.newbyteorder("=")
        own = own if is_floating(own) else real
        for part, wanted in zip(got[1:], expected[1:], strict=True):
            if case.in_double and own in HALVES:  # rounded once, not twice
                assert part.dtype == own
                np.testing.assert_allclose(part.astype(real), wanted, rtol=2.0**-8, atol=1e-7)
            else:
                assert same(part, wanted.astype(own)), (dtype, name)


@pytest.mark.parametrize("dtype", EVERY_DTYPE, ids=str)
@pytest.mark.parametrize("name", [*ROW_ACTIVATIONS, *(c.name for c in reg.ACTIVATIONS)])
def test_dtypes_of_activations(name: str, dtype: np.dtype[Any]) -> None:
    f = getattr(fl, name)
    x = np.random.default_rng(0).integers(0, 2, (40, 5))
    real = computed_in(dtype)
    assert same(f(x.astype(dtype)), f(x.astype(real)))
    dy = np.arange(np.size(f(x))).reshape(np.shape(f(x))).astype(real) % 2
    own = dtype.newbyteorder("=") if is_floating(dtype) else real
    expected = f.vjp(x.astype(real), dy)
    assert same(f.vjp(x.astype(dtype), dy), expected.astype(own))
    mixed = f.vjp(x.astype(real), dy.astype(dtype))
    assert same(mixed, expected)


def test_only_floating_operands_promote() -> None:
    for name in ("input", "target", "weight", "pos_weight"):
        for dtype in FLOATS:
            arrays: dict[str, Any] = {
                n: np.ones(3, np.int64) for n in ("input", "target", "weight")
            }
            arrays |= {"pos_weight": np.ones(3, bool), name: np.ones(3, dtype)}
            value, grad = fl.binary_cross_entropy_with_logits.value_and_grad(**arrays)
            assert value.dtype == (np.float64 if dtype == np.float64 else np.float32)
            assert grad.dtype == (dtype if name == "input" else value.dtype)
    labels = np.zeros(2, np.int64)
    assert fl.cross_entropy(np.zeros((2, 3), np.float32), labels).dtype == np.float32
    mixed = fl.cross_entropy.value_and_grad(
        np.zeros((2, 3), np.float32), labels, np.ones(3, np.float64)
    )
    assert mixed[0].dtype == np.float64 and mixed[1].dtype == np.float32


def test_half_precision_is_summed_in_float32_or_wider() -> None:
    for dtype in HALVES:
        x = np.full(100_000, 1.0, dtype)
        assert same(fl.l1_loss(x, 0, reduction="sum"), np.float32(100_000))
        assert same(fl.mse_loss(x * 200, 0), np.float32(40_000))
        assert same(fl.mse_loss(np.full(4, 3e4, dtype), 0), np.float32(float(dtype.type(3e4))) ** 2)


def test_integers_beyond_float64_round_like_numpy() -> None:
    for x in (np.array([2**63 - 1, -(2**63), 2**53 + 1]), np.array([2**64 - 1, 2**53 + 1], "u8")):
        assert same(fl.l1_loss(x, 0, reduction="none"), np.abs(x.astype(np.float64)))
        single = fl.l1_loss(x, np.zeros(x.shape, np.float32), reduction="none")
        assert same(single, np.abs(x.astype(np.float32)))


# ---- half precision, every number ----------------------------------------------------------------

BITS = np.arange(2**16, dtype=np.uint16)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_reading_every_half(dtype: np.dtype[Any], level: str) -> None:
    x = BITS.view(dtype)
    for real in (np.float32, np.float64):
        got = fl.l1_loss(x, np.zeros(1, real), reduction="none")
        with np.errstate(invalid="ignore"):  # of signalling nan
            assert same(got, np.abs(x.astype(real)))
        assert same(fl.l1_loss(swapped(x), np.zeros(1, real), reduction="none"), got)
        assert same(fl.l1_loss(stepped(x), np.zeros(1, real), reduction="none"), got)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_writing_every_half(dtype: np.dtype[Any], level: str) -> None:
    """Every half, the points midway between neighbours, and their float32 neighbours."""
    halves = BITS[: 2**15].view(dtype).astype(np.float32)
    halves = halves[np.isfinite(halves)]
    top = np.finfo(dtype) if dtype == np.float16 else ml_dtypes.finfo(dtype)
    beyond = np.float32(float(top.max) * (1 + 2.0 ** -(top.nmant + 2)))
    middles = np.append((halves[:-1] + (halves[1:] - halves[:-1]) / 2), beyond)
    x = np.concatenate([halves, middles, np.nextafter(middles, 0), np.nextafter(middles, np.inf)])
    x = np.concatenate([x, np.array([np.inf, np.nan, 3e38, 1e-45], np.float32)]).astype(np.float32)
    with np.errstate(over="ignore"):
        expected = x.astype(dtype)
    for out in (np.empty(x.shape, dtype), np.empty(2 * x.size, dtype)[::-2]):
        fl.l1_loss(x, 0, reduction="none", out=out)
        assert same(out, expected)
    # Through the gradient with the sign: a squared error has slope 2 (x - t).
    signed = np.concatenate([x, -x]) / 2
    exact = np.abs(signed) >= np.finfo(np.float32).tiny  # halving a subnormal may round
    grad = np.empty(signed.shape, dtype)
    with np.errstate(over="ignore"):
        fl.mse_loss.value_and_grad(signed, 0, reduction="sum", grad_out=grad)
        assert same(grad[exact], (signed * 2).astype(dtype)[exact])


def test_halves_of_float64_are_rounded_once(level: str) -> None:
    """By way of float32, what lies a little beside the middle of two halves would go wrong."""
    halves = BITS[: 2**15].view(np.float16).astype(np.float64)
    halves = halves[np.isfinite(halves)]
    middles = (halves[:-1] + halves[1:]) / 2
    x = np.concatenate([middles, middles * (1 - 1e-12), middles * (1 + 1e-12)])
    out = np.empty(x.shape, np.float16)
    fl.l1_loss(x, 0, reduction="none", out=out)
    assert same(out, x.astype(np.float16))


# ---- layouts -------------------------------------------------------------------------------------


@MECHANISMS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layouts_of_elements(case: reg.Elementwise, dtype: Any) -> None:
    """The same bits for each element, wherever it lies; each operand in turn, then all."""
    shapes = [(n,) for n in SIZES] + [(), (5, 7, 11), (3, 1, 1025), (1, 1), (2, 600, 1), (33, 32)]
    for shape in shapes:
        call = elementwise(case, shape, dtype, weighted=True)
        expected = call.each()
        total = call.run()[0]
        turns = (*((name,) for name in call.arrays), tuple(call.arrays))
        for layout, names in itertools.product(LAYOUTS_OF[dtype], turns):
            moved = call.changed(LAYOUTS[layout], *names)
            assert all(map(same, moved.each(), expected)), (layout, shape, names)
            np.testing.assert_allclose(moved.run()[0], total, rtol=4 * np.finfo(dtype).eps)


@ROWS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layouts_of_rows(case: reg.Rows, dtype: Any) -> None:
    """A layout may change the way through the data, and with it the last places."""
    eps = float(np.finfo(dtype).eps)
    # Around 64 rows of a tile, 64 classes of a tile and 1024 of a chunk.
    shapes = [(1, 3), (63, 3), (64, 4), (65, 5), (130, 10), (9, 63), (9, 64), (9, 65), (3, 1023)]
    shapes += [(3, 1024), (3, 1025), (2, 2100), (6, 4, 5), (3, 70, 4), (2, 3, 1, 4), (70, 2, 3)]
    for shape in shapes:
        for axis in range(len(shape)):
            call = rows(case, shape, axis, dtype)
            expected = call.each()
            # Of terms as large as the weights, so that is what roundings are relative to.
            size = eps * max(1.0, float(np.max(class_weights(case, call))))
            turns = (*((name,) for name in call.arrays), tuple(call.arrays))
            for layout, names in itertools.product(LAYOUTS_OF[dtype], turns):
                got = call.changed(LAYOUTS[layout], *names).each()
                if layout in ("contiguous", "read_only"):
                    assert all(map(same, got, expected))
                np.testing.assert_allclose(got[0], expected[0], rtol=16 * eps, atol=4 * size)
                for a, b in zip(got[1:], expected[1:], strict=True):
                    np.testing.assert_allclose(a, b, rtol=16 * eps, atol=4 * size)


@LAYOUT
@pytest.mark.parametrize("name", [*ROW_ACTIVATIONS, *(c.name for c in reg.ACTIVATIONS)])
def test_layouts_of_activations(name: str, layout: str) -> None:
    f, change = getattr(fl, name), LAYOUTS[layout]
    for shape in ((70, 3), (5, 7, 11), (3, 1100), (1030,)):
        x = np.random.default_rng(0).normal(size=shape)
        expected = f(x)
        dy = np.random.default_rng(1).normal(size=expected.shape)
        tolerance = {"rtol": 1e-14, "atol": 1e-15} if name in ROW_ACTIVATIONS else {"rtol": 0}
        np.testing.assert_allclose(f(change(x)), expected, **tolerance)
        carried = f.vjp(x, dy)
        np.testing.assert_allclose(f.vjp(change(x), change(dy)), carried, **tolerance)
        np.testing.assert_allclose(f.vjp(x, change(dy)), carried, **tolerance)


def test_layouts_mixed() -> None:
    """Different strides in every operand, so that no two axes can be joined."""
    rng = np.random.default_rng(0)
    for case in reg.ONE_OF_EACH:
        for _ in range(20):
            shape = tuple(rng.integers(1, 40, rng.integers(1, 4)))
            call = elementwise(case, shape, rng.choice([np.float32, np.float64]), weighted=True)
            moved = call.having(
                **{k: LAYOUTS[rng.choice(list(LAYOUTS))](a) for k, a in call.arrays.items()}
            )
            assert all(map(same, moved.each(), call.each()))


def test_subclasses_and_sequences() -> None:
    x, t = [[1.0, 2.5], [3.0, 4.0]], ((0.5, 1), (0, 1))
    expected = fl.mse_loss(np.array(x), np.array(t))
    assert fl.mse_loss(x, t) == expected
    assert fl.mse_loss(np.array(x).view(Odd), t) == expected
    value, grad = fl.mse_loss.value_and_grad(memoryview(np.array(x)), t, reduction="none")
    assert type(value) is np.ndarray and type(grad) is np.ndarray


class Odd(np.ndarray[Any, Any]):
    """A subclass that minds its own arithmetic, which must not be used."""

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError


def test_gradient_lies_like_input() -> None:
    """As numpy.empty_like: in the memory order of input."""
    x = np.asfortranarray(np.ones((3, 4)))
    assert fl.mse_loss.value_and_grad(x, 0)[1].flags.f_contiguous
    assert fl.mse_loss(x, 0, reduction="none").flags.f_contiguous


# ---- broadcasting --------------------------------------------------------------------------------


@ONE_OF_EACH
@pytest.mark.parametrize("small", [(), (1,), (1, 1), (7,), (1, 7), (40, 1), (1, 1, 1), (3, 1, 1)])
def test_broadcasting_up_to_input(case: reg.Elementwise, small: tuple[int, ...]) -> None:
    shape = (3, 40, 7)
    call = elementwise(case, shape, weighted=True)
    little = elementwise(case, small, weighted=True, seed=1)
    for name in call.arrays:
        if name in (call.first, call.lead):
            continue
        a = np.asarray(little.arrays[name])
        got = call.having(**{name: a}).each()
        expected = call.having(**{name: np.broadcast_to(a, shape).copy()}).each()
        assert all(map(same, got, expected)), name
    view = np.broadcast_to(little.arrays["target"], shape)
    assert all(map(same, call.having(target=view).each(), call.having(target=view.copy()).each()))


@ONE_OF_EACH
def test_input_that_is_a_broadcast_view(case: reg.Elementwise) -> None:
    """Its elements share memory, those of its gradient do not."""
    for small, shape in (((1,), (1100,)), ((40, 1), (40, 30)), ((30,), (40, 30))):
        call = elementwise(case, shape)
        view = np.broadcast_to(elementwise(case, small, seed=1).input, shape)
        got = call.having(**{call.first: view}).each()
        assert all(map(same, got, call.having(**{call.first: view.copy()}).each()))
        assert got[1].flags.writeable and all(got[1].strides)


@ONE_OF_EACH
@pytest.mark.parametrize(
    ("small", "big"), [((3,), (3, 1)), ((1,), (3,)), ((), (3,)), ((2, 3), (3, 2)), ((0,), (2, 0))]
)
def test_input_is_not_broadcast(case: reg.Elementwise, small: Any, big: Any) -> None:
    """(N,) against (N, 1) is a mistake that other libraries answer with an (N, N) result."""
    call = elementwise(case, small, weighted=True)
    for name, a in elementwise(case, big, weighted=True).arrays.items():
        if name != call.first:
            with pytest.raises(ValueError, match=rf"^{name}: shape .* of {case.first}"):
                call.having(**{name: a}).run(2)


# ---- labels --------------------------------------------------------------------------------------


@LAYOUT
@pytest.mark.parametrize("case", [c for c in reg.ROW_MECHANISMS if c.target == "class"], ids=str)
def test_labels(case: reg.Rows, layout: str) -> None:
    """Any integer dtype; axes of rows that join or not make other tiles, and other roundings."""
    change = LAYOUTS[layout]
    for shape in ((70, 4), (3, 100), (6, 4, 5), (6, 4, 5, 3), (1100, 3)):
        call = rows(case, shape)
        t, options = call.arrays["target"], {}
        if case.drops:
            t[0] = options["ignore_index"] = 100
        expected = call.run(2, **options)
        first = call.changed(change, "target").run(2, **options)
        for a, b in zip(first, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
        for dtype in (*INTEGERS, *(d.newbyteorder() for d in INTEGERS)):
            got = call.having(target=change(t.astype(dtype))).run(2, **options)
            assert all(map(same, got, first)), dtype


def test_labels_that_are_broadcast() -> None:
    x = np.random.default_rng(0).normal(size=(1200, 4))
    t = np.broadcast_to(np.int16(2), (1200,))
    assert fl.cross_entropy(x, t) == fl.cross_entropy(x, t.copy())


def test_labels_do_not_broadcast() -> None:
    for shape in ((), (1,), (3, 1), (1, 3), (4,)):
        with pytest.raises(ValueError, match=r"^target: .* shape"):
            fl.cross_entropy(np.zeros((3, 4)), np.zeros(shape, int))


@pytest.mark.parametrize("case", [c for c in reg.ROW_MECHANISMS if c.target == "list"], ids=str)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_lists(case: reg.Rows, dtype: np.dtype[Any]) -> None:
    """Of any integer dtype; those without -1 hold lists of all classes, some of them twice."""
    for shape in ((30, 4), (3, 40, 5), (3, 100)):
        call = rows(case, shape)
        t = call.arrays["target"]
        if dtype.kind == "u":
            t[...] = np.random.default_rng(0).integers(0, shape[1], shape)
        expected = call.run(2)
        for changed in (t.astype(dtype), swapped(t.astype(dtype)), stepped(t.astype(dtype))):
            for a, b in zip(call.having(target=changed).run(2), expected, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    "case", [c for c in reg.ROW_MECHANISMS if c.target == "multilabel"], ids=str
)
def test_labels_of_many_classes_broadcast(case: reg.Rows) -> None:
    call = rows(case, (6, 5, 4))
    for small in ((), (1,), (4,), (5, 1), (1, 4), (6, 1, 1), (1, 1, 1)):
        t = rows(case, (6, 5, 4)).arrays["target"].ravel()[: int(np.prod(small))].reshape(small)
        expected = call.having(target=np.broadcast_to(t, (6, 5, 4)).copy()).each()
        assert all(map(same, call.having(target=t).each(), expected))
    for shape in ((6, 5), (4, 1), (2, 6, 5, 4), (0,)):
        with pytest.raises(ValueError, match=r"^target: shape"):
            call.having(target=np.zeros(shape)).run()


@pytest.mark.parametrize(
    "case", [c for c in reg.ROW_MECHANISMS if c.weighted and c.target == "class"], ids=str
)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_class_weights(case: reg.Rows, dtype: np.dtype[Any]) -> None:
    for classes in (5, 200):
        call = rows(case, (20, classes), dtype=np.float32)
        w = class_weights(case, call).astype(dtype)
        expected = with_class_weights(case, call, w).run(2)
        for change in (stepped, swapped, unaligned, np.ndarray.tolist):
            if change is np.ndarray.tolist and dtype != np.float64:
                continue
            got = with_class_weights(case, call, change(w)).run(2)
            assert all(map(same, got, expected))


# ---- logsumexp -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    "axis",
    [None, 0, 1, 2, 3, -1, -2, -4, (0,), (0, 2), (1, -1), (2, 0, 3), (0, 1, 2, 3), (-3, 0), ()],
)
def test_logsumexp(axis: Any, keepdims: bool) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6)) * 4
    where = tuple(range(4)) if axis is None else axis
    expected = x if where == () else np.log(np.exp(x).sum(axis=where, keepdims=keepdims))
    dy = np.random.default_rng(1).normal(size=np.shape(expected))
    wide = dy if keepdims or axis == () else np.expand_dims(dy, where)
    total = x if where == () else np.log(np.exp(x).sum(axis=where, keepdims=True))
    slope = np.exp(x - total) * wide
    for layout in LAYOUTS.values():
        got = fl.logsumexp(layout(x), axis=axis, keepdims=keepdims)
        assert np.shape(got) == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-13)
        carried = fl.logsumexp.vjp(layout(x), layout(dy), axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(carried, slope, rtol=1e-12)


def test_logsumexp_of_scalars_and_one_axis() -> None:
    assert fl.logsumexp(2.5, axis=()) == 2.5
    assert fl.logsumexp(np.float32(2.5)).dtype == np.float32
    for n in (1, 63, 64, 65, 1023, 1024, 1025, 5000):
        x = np.random.default_rng(n).normal(size=n)
        np.testing.assert_allclose(fl.logsumexp(x), np.log(np.exp(x).sum()), rtol=1e-13)


# ---- many dimensions -----------------------------------------------------------------------------


def test_as_many_dimensions_as_numpy_has() -> None:
    shape = (2,) * 10 + (1,) * 22
    call = elementwise(reg.ELEMENTWISE[0], shape, weighted=True)
    for change in (np.transpose, lambda a: a[..., ::-1, :], lambda a: a[::-1]):
        turned = call.changed(change)
        expected = turned.changed(np.ascontiguousarray)
        assert all(map(same, turned.each(), expected.each()))
    x = call.input
    axes = tuple(range(0, 32, 2))
    np.testing.assert_allclose(
        fl.logsumexp(x, axis=axes), np.log(np.exp(x).sum(axis=axes)), rtol=1e-13
    )


def test_numbers_in_other_orders_of_bytes() -> None:
    """An option that is a number is read right from an array of one number, whatever its dtype."""
    for real in FLOATS:
        level = np.array(0.25).astype(real)
        level = level.astype(level.dtype.newbyteorder())
        assert fl.quantile_loss([0.0], [1.0], q=level) == 0.25, real
