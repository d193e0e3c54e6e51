"""The caller's buffers: what is accepted, what is written, and that nothing else is; and memory."""

from __future__ import annotations

import gc
import itertools
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import FLOATS, HALVES, MECHANISMS, ONE_OF_EACH, Array, Call, Case, call, same

ANY = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
MECHANISM = pytest.mark.parametrize("case", MECHANISMS, ids=str)
BUFFERS = ("out", "grad_out", "hess_out")
SHAPE = (150, 10)


def stepped_buffer(shape: tuple[int, ...], dtype: Any) -> Array:
    return np.full([2 * n for n in shape], 7, dtype)[(*(slice(None, None, 2) for _ in shape), ...)]


def reversed_buffer(shape: tuple[int, ...], dtype: Any) -> Array:
    return np.full(shape, 7, dtype)[(*(slice(None, None, -1) for _ in shape), ...)]


def fortran_buffer(shape: tuple[int, ...], dtype: Any) -> Array:
    return np.full(shape, 7, dtype, order="F")


def plain_buffer(shape: tuple[int, ...], dtype: Any) -> Array:
    return np.full(shape, 7, dtype)


def unaligned_buffer(shape: tuple[int, ...], dtype: Any) -> Array:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.zeros(size + 1, np.uint8)[1:].view(dtype).reshape(shape)
    buffer[...] = 7
    return buffer


MAKERS = (plain_buffer, stepped_buffer, reversed_buffer, fortran_buffer, unaligned_buffer)
MAKER = pytest.mark.parametrize("maker", MAKERS, ids=lambda f: f.__name__)
DTYPE = pytest.mark.parametrize("dtype", FLOATS, ids=str)


def wide_enough(dtype: np.dtype[Any]) -> Any:
    """What to compute in so that the buffer's dtype is rounded to once."""
    return np.float32 if dtype in HALVES else np.float64


def buffers_for(
    results: tuple[Any, ...], maker: Callable[[tuple[int, ...], Any], Array], dtype: Any
) -> dict[str, Array]:
    return {
        name: maker(np.shape(part), dtype) for name, part in zip(BUFFERS, results, strict=False)
    }


# ---- what is written -----------------------------------------------------------------------------


@MECHANISM
@MAKER
def test_buffers_of_losses(case: Case, maker: Any) -> None:
    """The result is the buffer, with what a fresh result would hold, rounded to its dtype."""
    for computed in (np.float32, np.float64):
        sample = call(case, 1500, computed)
        for reduction, order in itertools.product(("none", "mean"), range(3)):
            fresh = sample.run(order, reduction=reduction)
            for dtype in FLOATS if computed is np.float32 else FLOATS[2:]:
                check_buffers(case, sample, order, reduction, fresh, maker, dtype)


def check_buffers(
    case: Case,
    sample: Call,
    order: int,
    reduction: str,
    fresh: tuple[Any, ...],
    maker: Any,
    dtype: np.dtype[Any],
) -> None:
    buffers = buffers_for(fresh, maker, dtype)
    got = sample.run(order, reduction=reduction, **buffers)
    for part, wanted, buffer in zip(got, fresh, buffers.values(), strict=True):
        assert part is buffer
        rounded = np.asarray(wanted).astype(dtype)
        computed = sample.input.dtype
        once = not getattr(case, "in_double", False) or computed == dtype
        if isinstance(case, reg.Elementwise) or (maker is plain_buffer and once):
            assert same(part, rounded), dtype
        else:  # where gradients lie can change the way through a class axis
            close(part, rounded, computed)


def close(got: Array, expected: Array, computed: Any) -> None:
    """Equal but for roundings in the computation's and the buffer's dtype."""
    half, single = got.dtype in HALVES, np.float32 in (got.dtype, np.dtype(computed))
    eps = 2.0**-7 if half else 1e-6 if single else 1e-13
    wide, expected = got.astype(np.float64), np.asarray(expected).astype(np.float64)
    np.testing.assert_allclose(wide, expected, rtol=eps, atol=min(eps, 1e-6))


@ANY
def test_some_buffers_only(case: Case) -> None:
    sample = call(case, 1500)
    fresh = sample.each()
    for wanted in range(8):
        buffers = buffers_for(fresh, plain_buffer, np.float64)
        given = {name: b for k, (name, b) in enumerate(buffers.items()) if wanted >> k & 1}
        got = sample.each(**given)
        for part, expected, name in zip(got, fresh, BUFFERS, strict=True):
            assert same(part, expected)
            assert (part is given.get(name)) == (name in given)


ACTIVATIONS = ["softmax", "log_softmax", "logsumexp", *(c.name for c in reg.ACTIVATIONS)]


@pytest.mark.parametrize("name", ACTIVATIONS)
@MAKER
@DTYPE
def test_buffers_of_activations(name: str, maker: Any, dtype: np.dtype[Any]) -> None:
    f = getattr(fl, name)
    x = np.random.default_rng(0).normal(size=(4, 70, 5)).astype(wide_enough(dtype))
    every: list[dict[str, Any]] = [{}]
    if name in ACTIVATIONS[:3]:
        every += [{"axis": 0}, {"axis": 2}]
    if name == "logsumexp":
        every += [
            {"axis": 1, "keepdims": True},
            {"axis": (0, 2)},
            {"axis": (2, 0), "keepdims": True},
        ]
    for options in every:
        fresh = f(x, **options)
        out = maker(np.shape(fresh), dtype)
        assert f(x, **options, out=out) is out
        close(out, fresh, x.dtype)
        dy = np.random.default_rng(1).normal(size=np.shape(fresh)).astype(x.dtype)
        carried = f.vjp(x, dy, **options)
        grad_out = maker(x.shape, dtype)
        assert f.vjp(x, dy, **options, grad_out=grad_out) is grad_out
        close(grad_out, carried, x.dtype)
        if maker is plain_buffer:
            assert same(out, np.asarray(fresh).astype(dtype))
            assert same(grad_out, carried.astype(dtype))


def test_empty_buffers() -> None:
    empty = np.empty((0, 3))
    out, grad = np.empty((0, 3)), np.empty((0, 3))
    got = fl.mse_loss.value_and_grad(empty, empty, reduction="none", out=out, grad_out=grad)
    assert got[0] is out and got[1] is grad
    assert fl.logsumexp(np.empty((2, 0)), axis=1, out=np.empty(2)).tolist() == [-np.inf, -np.inf]


def test_untouched_between_the_elements() -> None:
    """What lies between the elements of a strided buffer, and around them, stays."""
    for case in ONE_OF_EACH:
        sample = call(case, 1500)
        fresh = sample.each()
        for k, name in enumerate(BUFFERS):
            whole = np.full([2 * n + 1 for n in fresh[k].shape], 7.0)
            view = whole[tuple(slice(1, None, 2) for _ in fresh[k].shape)]
            sample.each(**{name: view})
            view[...] = 7
            assert np.all(whole == 7)


# ---- what is refused -----------------------------------------------------------------------------


def overlapping_itself(shape: tuple[int, ...]) -> Array:
    base = np.full(sum(shape) + 1, 7.0)
    steps = (8,) * len(shape)
    return np.lib.stride_tricks.as_strided(base, shape, steps, writeable=True)


def read_only_buffer(shape: tuple[int, ...]) -> Array:
    buffer = np.full(shape, 7.0)
    buffer.flags.writeable = False
    return buffer


REFUSED: list[tuple[str, Callable[[tuple[int, ...]], Any], type[Exception]]] = [
    ("too long", lambda s: np.full((s[0] + 1, *s[1:]), 7.0), ValueError),
    ("one dimension more", lambda s: np.full((1, *s), 7.0), ValueError),
    ("broadcastable", lambda s: np.full(1, 7.0), ValueError),
    ("integers", lambda s: np.full(s, 7), TypeError),
    ("booleans", lambda s: np.full(s, True), TypeError),
    ("complex", lambda s: np.full(s, 7 + 0j), TypeError),
    ("objects", lambda s: np.full(s, None), TypeError),
    ("longdouble", lambda s: np.full(s, 7, np.longdouble), TypeError),
    ("swapped", lambda s: np.full(s, 7.0).astype(np.dtype(float).newbyteorder()), TypeError),
    ("swapped half", lambda s: np.full(s, 7, np.dtype(np.float16).newbyteorder()), TypeError),
    ("a list", lambda s: np.full(s, 7.0).tolist(), TypeError),
    ("a number", lambda s: 7.0, TypeError),
    ("a tuple", lambda s: (np.full(s, 7.0),), TypeError),
    ("read-only", read_only_buffer, ValueError),
    ("a broadcast view", lambda s: np.broadcast_to(np.full(s[-1:], 7.0), s), ValueError),
    ("overlapping itself", overlapping_itself, ValueError),
]


def refuse(function: Callable[..., Any], buffers: dict[str, Any], error: Any, name: str) -> None:
    """The call fails, names the buffer, and has written to none of them."""
    before = {key: np.array(b) for key, b in buffers.items() if isinstance(b, np.ndarray)}
    with pytest.raises(error, match=rf"^{name}(\[[0-2]\])?: "):
        function(**buffers)
    for key, copy in before.items():
        assert np.array_equal(buffers[key], copy), key


@pytest.mark.parametrize(("what", "make", "error"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refused_buffers_of_losses(what: str, make: Any, error: Any) -> None:
    for case in MECHANISMS:
        sample = call(case, 1500)
        fresh = sample.each()
        for k, name in enumerate(BUFFERS):
            buffers: dict[str, Any] = buffers_for(fresh, plain_buffer, np.float64)
            if what == "overlapping itself" and fresh[k].ndim < 2:
                continue
            if what == "a broadcast view" and fresh[k].ndim < 2:
                buffers[name] = np.broadcast_to(np.float64(7), fresh[k].shape)
            else:
                buffers[name] = make(fresh[k].shape)
            refuse(sample.each, buffers, error, name)
            for order in range(k, 3):
                given = {n: buffers[n] for n in BUFFERS[: order + 1]}
                refuse(partial(sample.each, order), given, error, name)


@pytest.mark.parametrize(("what", "make", "error"), REFUSED, ids=[r[0] for r in REFUSED])
def test_refused_buffers_of_activations(what: str, make: Any, error: Any) -> None:
    x = np.random.default_rng(0).normal(size=(30, 4))
    for name in ACTIVATIONS:
        f = getattr(fl, name)
        if name != "logsumexp":
            refuse(partial(f, x), {"out": make(x.shape)}, error, "out")
        dy = np.ones(np.shape(f(x)))
        given = {"grad_out": make(x.shape)}
        refuse(partial(f.vjp, x, dy), given, error, "grad_out")


@ANY
def test_out_of_a_reduced_value(case: Case) -> None:
    sample = call(case, 100)
    for out in (np.empty(1), np.empty((1, 1)), np.empty(sample.input.shape)):
        with pytest.raises(ValueError, match=r"^out: shape \(\) is needed"):
            sample.run(out=out)
    with pytest.raises(TypeError, match=r"^out: "):
        sample.run(out=1.0)
    out = np.array(7.0)
    assert sample.run(out=out)[0] is out and out == sample.run()[0]


def is_in_place(case: Case, operand: str, buffer: str) -> bool:
    """Whether the buffer may be the operand itself."""
    lead = case.lead if isinstance(case, reg.Elementwise) else "input"
    return operand == lead and buffer == "grad_out"


@pytest.mark.parametrize("name", BUFFERS)
@MECHANISM
def test_overlap_with_an_input(case: Case, name: str) -> None:
    """Refused, whether a buffer is the input, a part of it or a view that begins inside it."""
    k = BUFFERS.index(name)
    sample = call(case, 1500)
    shape = sample.each()[k].shape
    for operand, a in sample.arrays.items():
        if a.dtype.kind != "f" or a.ndim < 2:
            continue
        space = np.full(3 * a.size, 7.0)
        for shift in (0, 1, a.size // 2, a.size - 1):
            place = space[: a.size].reshape(a.shape)
            place[...] = a
            buffer = space[shift : shift + int(np.prod(shape))].reshape(shape)
            moved = sample.having(**{operand: place})
            if is_in_place(case, operand, name) and shift == 0:
                continue
            refuse(moved.each, {name: buffer}, ValueError, name)
            assert np.array_equal(place, a)
        beside = space[a.size : a.size + int(np.prod(shape))].reshape(shape)
        moved.each(**{name: beside})


@ANY
def test_overlap_with_another_buffer(case: Case) -> None:
    sample = call(case, 1500)
    shapes = [part.shape for part in sample.each()]
    for a in range(3):
        for b in range(a + 1, 3):
            space = np.full(4000, 7.0)
            first = space[: int(np.prod(shapes[a]))].reshape(shapes[a])
            for shift in (0, first.size - 1):
                second = space[shift : shift + int(np.prod(shapes[b]))].reshape(shapes[b])
                given = {BUFFERS[a]: first, BUFFERS[b]: second}
                refuse(sample.each, given, ValueError, BUFFERS[b])
                assert np.all(space == 7)


def test_overlap_of_an_activation() -> None:
    x = np.ones((30, 4))
    for name in ACTIVATIONS:
        f = getattr(fl, name)
        dy = np.ones(np.shape(f(x)))
        if name != "logsumexp":
            refuse(partial(f, x), {"out": x[::-1]}, ValueError, "out")
            refuse(partial(f.vjp, x, dy), {"grad_out": dy}, ValueError, "grad_out")
        refuse(
            partial(f.vjp, x, dy),
            {"grad_out": x[::-1]},
            ValueError,
            "grad_out",
        )


def test_overlap_with_class_weights_and_labels() -> None:
    space = np.zeros(60)
    x, w = np.ones((5, 4)), space[10:14]
    with pytest.raises(ValueError, match=r"^grad_out: shares"):
        fl.cross_entropy.value_and_grad(x, [0] * 5, w, grad_out=space[:20].reshape(5, 4))
    labels = space.view(np.int64)[18:23]
    with pytest.raises(ValueError, match=r"^grad_out: shares"):
        fl.cross_entropy.value_and_grad(x, labels, grad_out=space[:20].reshape(5, 4))
    assert not space.any()


def test_interleaved_views_do_not_overlap() -> None:
    """Input and buffers may be columns of one array."""
    whole = np.random.default_rng(0).normal(size=(600, 8))
    x, t, out, grad, hess = whole[:, 0], whole[:, 1], whole[:, 2], whole[:, 5], whole[::-1, 7]
    fresh = fl.huber_loss.value_grad_hess(x.copy(), t.copy(), reduction="none")
    rest = whole[:, [0, 1, 3, 4, 6]].copy()
    got = fl.huber_loss.value_grad_hess(
        x, t, reduction="none", out=out, grad_out=grad, hess_out=hess
    )
    assert got[0] is out and all(map(same, got, fresh))
    assert np.array_equal(whole[:, [0, 1, 3, 4, 6]], rest)
    pairs = np.zeros((40, 6))
    fl.cross_entropy.value_and_grad(pairs[:, ::2], np.zeros(40, int), grad_out=pairs[:, 1::2])
    assert pairs[:, 1::2].any() and not pairs[:, ::2].any()


@pytest.mark.parametrize(
    "case", [c for c in reg.ROWS_ONE_OF_EACH if c.target in ("class", "list")], ids=str
)
def test_a_bad_label_leaves_the_buffers_alone(case: reg.Rows) -> None:
    for count in (100, 50_000):
        sample = call(case, count)
        buffers = buffers_for(sample.each(), plain_buffer, float)
        sample.arrays["target"][-1] = 10
        refuse(sample.each, buffers, IndexError, "target")


@ANY
def test_other_bad_arguments_leave_the_buffers_alone(case: Case) -> None:
    sample = call(case, 100)
    for change in ({"reduction": "max"}, {"target": np.zeros((3, 77))}):
        buffers = buffers_for(sample.each(), plain_buffer, float)
        with pytest.raises((ValueError, TypeError)):
            sample.having(**{k: v for k, v in change.items() if k == "target"}).run(
                2,
                **{"reduction": "none"} | {k: v for k, v in change.items() if k != "target"},
                **buffers,
            )
        assert all(np.all(b == 7) for b in buffers.values())


# ---- inputs are only read ------------------------------------------------------------------------


@ANY
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16], ids=str)
def test_inputs_are_never_written(case: Case, dtype: Any) -> None:
    for count in (50, 40_000):
        sample = call(case, count, np.float32).changed(
            lambda a: a if a.dtype.kind == "i" else a.astype(dtype)
        )
        before = {name: a.tobytes() for name, a in sample.arrays.items()}
        for order in range(3):
            for reduction in ("none", "mean", "weighted_mean", "sum_by_nonzero_weights"):
                sample.run(order, reduction=reduction)
        assert {name: a.tobytes() for name, a in sample.arrays.items()} == before


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_only_read(name: str) -> None:
    f = getattr(fl, name)
    x = np.random.default_rng(0).normal(size=(3000, 10))
    dy = np.random.default_rng(1).normal(size=np.shape(f(x)))
    before = x.tobytes(), dy.tobytes()
    f.vjp(x, dy)
    assert (x.tobytes(), dy.tobytes()) == before


# ---- memory --------------------------------------------------------------------------------------


def hard_operands(case: Case, dtype: Any) -> Call:
    """A large call whose operands cannot be read where they lie: strided, swapped, broadcast."""
    sample = call(case, 200_000, np.float32)

    def stepped(a: Array) -> Array:
        wide = np.empty((*a.shape[:-1], 2 * a.shape[-1]), a.dtype)
        wide[..., ::2] = a
        return wide[..., ::2]

    return sample.changed(
        lambda a: stepped(a if a.dtype.kind == "i" else a.astype(dtype)), *sample.arrays
    )


@pytest.mark.parametrize(
    "case", [case for case in MECHANISMS if getattr(case, "side", None) is None], ids=str
)
@pytest.mark.parametrize("dtype", [np.float16, ">f4", np.float64], ids=str)
def test_numpy_allocates_nothing_of_size(case: Case, dtype: Any) -> None:
    """With buffers given, what NumPy allocates in a call does not grow with the arrays."""
    sample = hard_operands(case, dtype)
    sample.run(2)  # what a first call leaves behind is not counted
    for reduction in ("none", "weighted_mean", "sum_by_nonzero_weights"):
        buffers = buffers_for(sample.run(2, reduction=reduction), plain_buffer, np.float32)
        gc.disable()
        tracemalloc.start()
        sample.run(2, reduction=reduction, **buffers)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        gc.enable()
        assert peak < 100_000, f"{reduction}: {peak} bytes"  # an array would be 400 000 or more


PEAK = """
import sys
import numpy as np
import fusedloss as fl

def status(name):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(name))

def grown(f, *args, **kwargs):
    f(*args, **kwargs)          # so that stacks and threads are there
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")        # VmHWM is VmRSS from here on
    before = status("VmRSS")
    f(*args, **kwargs)
    return status("VmHWM") - before

MB = 2**20
size = 32 * MB
fl.set_num_threads(2)
half = np.ones(size // 2, np.float16)
grad = np.ones(size // 2, np.float16)
def bce(x, t, **k): fl.binary_cross_entropy_with_logits.value_and_grad(x, t, **k)
def ce(x, t, **k): fl.cross_entropy.value_and_grad(x, t, **k)
found = {}
found["half"] = grown(bce, half, half, grad_out=grad)
found["steps"] = grown(bce, half[::2], half[1::2], weight=half[::-2], grad_out=grad[::2])
found["weighted mean"] = grown(bce, half, 1, weight=half, reduction="weighted_mean", grad_out=grad)
nonzero = {"reduction": "sum_by_nonzero_weights", "grad_out": grad}
found["non-zero weights"] = grown(bce, half, 1, weight=half, **nonzero)
table, slopes = half.reshape(-1, 16), grad.reshape(-1, 16)
found["broadcast"] = grown(bce, table, table[0], weight=table[:, :1], grad_out=slopes)
labels = np.zeros(len(table), np.int8)
found["classes"] = grown(ce, table, labels, grad_out=slopes)
first, long = half.reshape(16, -1), half.reshape(1024, -1)
found["classes first"] = grown(ce, first, labels, axis=0, grad_out=grad.reshape(first.shape))
found["long rows"] = grown(ce, long, labels[:1024], grad_out=grad.reshape(long.shape))
found["probabilities"] = grown(ce, table, table[::-1], weight=table[0], grad_out=slopes)
found["softmax"] = grown(fl.softmax, table, out=slopes)
found["carried back"] = grown(fl.softmax.vjp, table, table, grad_out=slopes)
found["logsumexp"] = grown(fl.logsumexp, half)
swapped = half.view(">f2")
found["swapped"] = grown(bce, swapped, swapped, grad_out=grad)
del swapped, table, first, long, slopes, half, grad
single = np.ones(size // 4, np.float32)
grad = np.ones(size // 4, np.float32)
found["transposed"] = grown(bce, single.reshape(-1, 64).T, 1, grad_out=grad.reshape(64, -1))
found["mixed"] = grown(bce, single, single.view(">i4"), grad_out=grad)
view = np.broadcast_to(np.float64(1), single.shape)
found["a broadcast input"] = grown(bce, view, single, grad_out=grad)
worst = max(found, key=found.get)
print(found)
sys.exit(found[worst] > 2048 and f"{worst}: {found[worst]} kB more")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_of_large_calls() -> None:
    """Arrays of 32 MB, buffers given: the process grows by less than 2 MB in any call."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, timeout=120)
    if "clear_refs" in done.stderr:
        pytest.skip("the peak cannot be reset here")
    assert done.returncode == 0, done.stdout + done.stderr


LEAK = """
import re
import sys
import numpy as np
import fusedloss as fl

def resident():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

x = np.random.default_rng(0).normal(size=(30, 4))
y, w, half = np.zeros(30, int), np.ones(4), x.astype(np.float16)
bad = np.full(30, 9)

def refused(f, *args, **kwargs):
    try:
        f(*args, **kwargs)
    except (ValueError, TypeError, IndexError):
        return
    raise AssertionError

def round():
    fl.mse_loss.value_grad_hess(x, 0, weight=1)
    fl.huber_loss(half[::2], half[1::2], reduction="none")
    fl.cross_entropy.value_and_grad(x, y, w)
    fl.cross_entropy.value_and_grad(x.T, y, axis=0)
    fl.cross_entropy(x, fl.softmax(x))
    refused(fl.cross_entropy, x, x)
    fl.softmax.vjp(x, x)
    fl.logsumexp(x, axis=(0, 1), keepdims=True)
    fl.sigmoid(x, out=np.empty_like(x))
    refused(fl.mse_loss, x, y)
    refused(fl.cross_entropy, x, bad)
    refused(fl.cross_entropy, x, y, w[1:])
    refused(fl.mse_loss.value_and_grad, x, 0, grad_out=x[::-1])
    refused(fl.mse_loss, "a", 0)

for _ in range(2500):  # Python keeps 2000 tuples of a size that are free
    round()
blocks, before = sys.getallocatedblocks(), resident()
for _ in range(3000):
    round()
more = sys.getallocatedblocks() - blocks
assert more < 500, f"{more} blocks more"
assert resident() - before < 1024, f"{resident() - before} kB more"
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_leak() -> None:
    done = subprocess.run([sys.executable, "-c", LEAK], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, re.sub(r"\s+", " ", done.stderr)


def test_values_too_large_for_a_buffer() -> None:
    """They are infinite there, without a warning of NumPy's."""
    x, t = np.array([[-1e5, 2.0]]), np.array([[1.0, 0.0]])
    out, one = np.empty((), np.float16), np.empty(1, np.float16)
    assert fl.mse_loss(x, t, reduction="sum", out=out) == np.inf
    assert fl.triplet_margin_loss(x, t, t + 3, margin=1e6, reduction="sum", out=out) == np.inf
    assert fl.lovasz_hinge_loss(x, t, reduction="none", per_image=True, out=one) == np.inf
    x, t, var = np.full((3, 2), 1e3), np.zeros((3, 2)), np.full((1, 2), 1e-2)
    given = np.empty((1, 2), np.float16)
    _, (_, grad) = fl.gaussian_nll_loss.value_and_grad(
        x, t, var, reduction="sum", grad_out=(None, given)
    )
    assert grad is given and np.all(grad == -np.inf)
