"""`hess_scale` and `hess_floor`: the larger of a multiple of the second derivative and a floor."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    FLOATS,
    MECHANISMS,
    ONE_OF_EACH,
    ORDERS,
    Array,
    Call,
    Case,
    call,
    fortran,
    padded,
    read_only,
    same,
    stepped,
    transposed,
    unaligned,
)

ANY = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
MECHANISM = pytest.mark.parametrize("case", MECHANISMS, ids=str)
LAYOUTS = (fortran, padded, read_only, stepped, transposed, unaligned)
#: Pairs of options: what happens to some of the second derivatives, to all, and to none.
PAIRS = ((1.0, 0.0), (1.0, 0.05), (2.0, 1e-16), (0.75, None), (2.0**-100, 1.0), (3.0, 1e4))


def plain(case: Case, count: int, dtype: Any, classes: int = 10) -> Call:
    """A call without weights of elements or of classes."""
    sample = call(case, count, dtype, classes)
    names = {"weight", getattr(case, "weights", None)}
    arrays = {name: a for name, a in sample.arrays.items() if name not in names}
    options = {name: value for name, value in sample.options.items() if name not in names}
    return Call(sample.loss, arrays, options, sample.first, sample.lead)


def weight_name(case: Case) -> str:
    return "weight" if isinstance(case, reg.Elementwise) else "sample_weight"


def weights_of(case: Case, sample: Call, rng: np.random.Generator) -> Array:
    """Positive, negative and zero weights, one for each value."""
    shape = sample.input.shape
    if not isinstance(case, reg.Elementwise):
        shape = tuple(np.delete(shape, sample.options["axis"]))
    w = rng.uniform(0.25, 2, shape) * rng.choice([1, 1, -1, 0], shape)
    return w.astype(sample.input.dtype)


def factors(case: Case, sample: Call, w: Any) -> Array:
    """What each second derivative is multiplied by."""
    if w is None:
        return np.ones(sample.leading.shape)
    w = np.asarray(w, np.float64)
    if not isinstance(case, reg.Elementwise):
        w = np.expand_dims(w, sample.options["axis"])
    return np.broadcast_to(w, sample.leading.shape)


def adjusted_hess(h: Array, factor: Array, scale: float, floor: float | None) -> Array:
    """The truth: of second derivatives that are weighted already."""
    h = h.astype(np.float64) * scale
    if floor is None:
        return h
    least = floor * factor
    with np.errstate(invalid="ignore"):
        raised = np.where(factor < 0, h > least, h < least)
    return np.where(raised, least, h)


def agree(got: Array, expected: Array) -> None:
    """To two rounding errors; what is too small for the dtype may be anything of that size."""
    info = np.finfo(got.dtype)
    np.testing.assert_allclose(
        got, expected, rtol=2 * float(info.eps), atol=float(info.smallest_normal) * 1e6
    )


@ANY
@pytest.mark.parametrize("dtype", reg.DTYPES, ids=lambda d: d.__name__)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_against_numpy(case: Case, dtype: Any, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    for count, classes in ((1, 1), (30, 10), (1500, 10), (3000, 60)):
        if count == 1 and not isinstance(case, reg.Elementwise):
            classes = 3
        sample = plain(case, count, dtype, classes)
        w = weights_of(case, sample, rng) if weighted else None
        options = {} if w is None else {weight_name(case): w}
        for reduction in ("none", "sum", "mean"):
            (_, divisor), *_ = sample.run(reduction=reduction, return_divisor=True, **options)
            *rest, h = sample.run(2, reduction=reduction, **options)
            if not divisor > 0:
                continue
            for scale, floor in PAIRS:
                got = sample.run(
                    2, reduction=reduction, hess_scale=scale, hess_floor=floor, **options
                )
                assert all(same(a, b) for a, b in zip(got[:2], rest, strict=True))
                assert got[2].dtype == h.dtype
                agree(got[2], adjusted_hess(h, factors(case, sample, w) / divisor, scale, floor))


@ANY
def test_without_options_nothing_changes(case: Case) -> None:
    sample = call(case, 1500)
    for a, b in zip(sample.run(2), sample.run(2, hess_scale=1, hess_floor=None), strict=True):
        assert same(a, b)


@MECHANISM
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
def test_layouts(case: Case, layout: Any) -> None:
    """Operands and buffers that lie otherwise in memory: the same bits."""
    for classes in (10, 60, 700):
        sample = plain(case, 1400, np.float32, classes)
        w = weights_of(case, sample, np.random.default_rng(5))
        options = {weight_name(case): w, "reduction": "sum", "hess_scale": 1.5, "hess_floor": 0.05}
        fresh = sample.run(2, **options)
        options[weight_name(case)] = layout(w)
        moved = sample.changed(layout).run(2, **options)
        if isinstance(case, reg.Elementwise):
            assert all(same(a, b) for a, b in zip(fresh, moved, strict=True))
        else:  # rows side by side have their own loops
            np.testing.assert_allclose(moved[2], fresh[2], rtol=1e-4, atol=1e-6)
        if layout is not read_only:
            buffer = layout(np.full(fresh[2].shape, 7, np.float32))
            if buffer.flags.writeable:
                again = sample.run(2, hess_out=buffer, **(options | {weight_name(case): w}))
                assert again[2] is buffer
                np.testing.assert_allclose(buffer, fresh[2], rtol=1e-4, atol=1e-6)


@MECHANISM
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dtypes_of_buffers(case: Case, dtype: Any, order: Any) -> None:
    """Boosters want float32 of float64 scores, in either order."""
    for computed in reg.DTYPES:
        sample = plain(case, 1500, computed)
        options: dict[str, Any] = {"reduction": "sum", "hess_scale": 2.0, "hess_floor": 0.25}
        fresh = sample.run(2, **options)[2]
        buffer = np.full(fresh.shape, 7, dtype, order=order)
        got = sample.run(2, hess_out=buffer, **options)[2]
        assert got is buffer
        wide = buffer.astype(np.float64)
        eps = max(2.0**-7 if dtype.itemsize == 2 else 0, float(np.finfo(np.float32).eps) * 4)
        with np.errstate(over="ignore"):  # what is too large for half precision is infinite
            beyond = np.isinf(fresh.astype(dtype).astype(np.float64))
        expected = np.where(beyond, np.inf, fresh)
        np.testing.assert_allclose(wide, expected, rtol=eps if dtype != np.float64 else 1e-5)


@MECHANISM
def test_threads_change_no_bit(case: Case) -> None:
    sample = plain(case, 300_000, np.float32)
    w = weights_of(case, sample, np.random.default_rng(5))
    results = []
    before = fl.get_num_threads()
    try:
        for threads in (1, 2, 4):
            fl.set_num_threads(threads)
            results.append(
                sample.run(2, hess_scale=2.0, hess_floor=0.1, **{weight_name(case): w})[2]
            )
    finally:
        fl.set_num_threads(before)
    assert same(results[0], results[1]) and same(results[0], results[2])


@ANY
def test_what_does_not_count_stays_zero(case: Case) -> None:
    sample = plain(case, 1500, np.float64)
    where = np.random.default_rng(1).random(sample.leading.shape) < 0.7
    kind = getattr(case, "target", "")
    if kind == "class":  # the row's own class is left
        t = sample.arrays["target"]
        np.put_along_axis(where, t[:, np.newaxis], True, axis=1)
    if kind == "list":
        where = np.broadcast_to(where[:, :1], where.shape)
    got = sample.run(2, where=where, reduction="sum", hess_floor=0.5)[2]
    assert np.all(got[~where] == 0) and np.all(got[where] >= 0.5)
    options: dict[str, Any] = {"reduction": "sum", "hess_floor": 0.5}
    if getattr(case, "ignores", False) and kind == "class":
        t = sample.arrays["target"].copy()
        t[::3] = -100
        got = sample.having(target=t).run(2, **options)[2]
        assert np.all(got[::3] == 0) and np.all(got[1::3] >= 0.5)


def test_nan_stays() -> None:
    x = np.array([np.nan, 0.0, 5.0])
    for weight in (None, [1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]):
        hess = fl.huber_loss.value_grad_hess(x, 0.0, weight=weight, hess_floor=0.5)[2]
        assert np.isnan(hess).tolist() == [True, False, False]
    rows = np.array([[np.nan, 0.0], [1.0, 0.0]])
    hess = fl.cross_entropy.value_grad_hess(rows, [0, 1], hess_floor=0.5)[2]
    assert np.isnan(hess).tolist() == [[True, True], [False, False]]


def test_weights_of_classes() -> None:
    """They multiply the floor where target holds class numbers, else they are the loss's own."""
    rng = np.random.default_rng(2)
    x, t, w = rng.normal(size=(50, 4)), rng.integers(0, 4, 50), np.array([0.5, 0.0, 2.0, 1.0])
    options: dict[str, Any] = {"weight": w, "reduction": "sum", "hess_scale": 2.0}
    hess = fl.cross_entropy.value_grad_hess(x, t, **options, hess_floor=0.4)[2]
    p = fl.softmax(x)
    np.testing.assert_allclose(hess, np.maximum(2 * p * (1 - p), 0.4) * w[t][:, None], rtol=1e-12)
    one_hot = np.eye(4)[t]
    hess = fl.cross_entropy.value_grad_hess(x, one_hot, **options, hess_floor=0.4)[2]
    expected = np.maximum(2 * p * (1 - p) * w[t][:, None], 0.4)
    np.testing.assert_allclose(hess[w[t] > 0], expected[w[t] > 0], rtol=1e-12)


def test_both_hessians_of_a_pair() -> None:
    x, var, t = np.array([0.0, 3.0]), np.array([1.0, 2.0]), np.array([0.5, -2.0])
    _, _, plain_hess = fl.gaussian_nll_loss.value_grad_hess(x, t, var, reduction="sum")
    _, _, hess = fl.gaussian_nll_loss.value_grad_hess(
        x, t, var, reduction="sum", hess_scale=2.0, hess_floor=1.5
    )
    for a, b in zip(plain_hess, hess, strict=True):
        np.testing.assert_allclose(b, np.maximum(2 * a, 1.5), rtol=1e-12)


def test_a_variance_for_all() -> None:
    """Derivatives with respect to an operand that is repeated are sums of those of the elements."""
    x, t = np.arange(4.0), np.zeros(4)
    var = np.array(2.0)
    each = fl.gaussian_nll_loss.value_grad_hess(x, t, np.full(4, 2.0), reduction="sum")[2][1]
    got = fl.gaussian_nll_loss.value_grad_hess(x, t, var, reduction="sum", hess_floor=0.1)[2][1]
    np.testing.assert_allclose(got, np.maximum(each, 0.1).sum(), rtol=1e-12)


def test_criteria_take_them() -> None:
    criterion = pickle.loads(pickle.dumps(fl.HuberLoss(delta=1.0, reduction="sum")))
    hess = criterion.value_grad_hess([0.0, 5.0], [0.0, 0.0], hess_scale=2.0, hess_floor=0.5)[2]
    assert hess.tolist() == [2.0, 0.5]
    with pytest.raises(TypeError, match="hess_floor"):
        criterion.value_and_grad([0.0], [0.0], hess_floor=0.5)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"hess_floor": -0.5}, ValueError, r"^hess_floor: a finite number, 0 or more, .* -0\.5"),
        ({"hess_floor": float("nan")}, ValueError, r"^hess_floor: .* nan"),
        ({"hess_floor": float("inf")}, ValueError, r"^hess_floor: .* inf"),
        ({"hess_floor": "1"}, TypeError, r"^hess_floor: a number is needed, got str"),
        ({"hess_floor": [1.0]}, TypeError, r"^hess_floor: a number is needed, got list"),
        ({"hess_scale": 0.0}, ValueError, r"^hess_scale: a positive finite number .* 0\.0"),
        ({"hess_scale": -1}, ValueError, r"^hess_scale: a positive finite number .* -1"),
        ({"hess_scale": float("nan")}, ValueError, r"^hess_scale: .* nan"),
        ({"hess_scale": "2"}, TypeError, r"^hess_scale: a number is needed, got str"),
        ({"hess_scale": None}, TypeError, r"^hess_scale: a number is needed, got NoneType"),
    ],
)
@pytest.mark.parametrize("loss", [fl.mse_loss, fl.cross_entropy, fl.cosine_distance], ids=str)
def test_errors(loss: Any, options: dict[str, Any], error: type[Exception], match: str) -> None:
    x = np.zeros((2, 3))
    t = np.zeros(2, int) if loss is fl.cross_entropy else x
    with pytest.raises(error, match=match):
        loss.value_grad_hess(x, t, **options)
    for method in ORDERS[:2]:
        with pytest.raises(TypeError, match=next(iter(options))):
            getattr(loss, method)(x, t, **options)


@pytest.mark.parametrize("case", [c for c in reg.JOINT if c.curved], ids=str)
def test_other_losses_refuse_them(case: reg.Joint) -> None:
    """All but losses of rows (of lists, of bits, of members), of groups, and elementwise ones."""
    arrays = case.inputs(np.random.default_rng(0), 4, np.float64)
    run = getattr(fl, case.loss).value_grad_hess
    of_rows = ("distillation_loss", "crps_ensemble", "energy_score")
    if case.loss in (*fl.ranking.__all__, *of_rows):
        hess = run(**arrays, **case.options, reduction="sum", hess_floor=9.0)[2]
        there = np.array(case.options.get("where", True))
        if case.loss == "energy_score":  # whose members are vectors
            there = there[..., np.newaxis]
        left = np.broadcast_to(there, hess.shape) != 0
        assert np.all(hess[left] >= 9.0) and np.all(hess[~left] == 0)
    elif case.loss in ("coral_loss", "corn_loss", "discrete_survival_loss"):
        plain = run(**arrays, **case.options, reduction="sum")[2]
        hess = run(**arrays, **case.options, reduction="sum", hess_scale=2.0, hess_floor=0.25)[2]
        left = plain != 0  # what takes no part stays 0
        np.testing.assert_array_equal(hess, np.where(left, np.maximum(2 * plain, 0.25), 0))
    elif getattr(fl, case.loss).planner is not None:
        options = case.options | {"reduction": "sum"}
        plain = run(**arrays, **options)[2]
        hess = run(**arrays, **options, hess_scale=2.0, hess_floor=9.0)[2]
        floor = np.full(len(plain), 9.0)
        if "weight" in arrays:
            sizes = arrays.get("group_sizes", np.ones(len(plain), int))
            floor *= np.repeat(arrays["weight"], sizes)
        floor *= arrays.get("where", 1) * arrays.get("sample_weight", 1)
        np.testing.assert_allclose(hess, np.maximum(2 * plain, floor), rtol=1e-15)
        assert (hess > 2 * plain).any()
    elif case.in_place:
        plain = run(**arrays, **case.options, reduction="sum")[2]
        changed = run(**arrays, **case.options, reduction="sum", hess_scale=2.0, hess_floor=9.0)[2]
        for before, after in zip(plain, changed, strict=True):
            np.testing.assert_array_equal(after, np.maximum(2 * before, 9))
    else:
        with pytest.raises(NotImplementedError, match="hess_floor"):
            run(**arrays, **case.options, hess_floor=0.5)
        with pytest.raises(NotImplementedError, match="hess_scale"):
            run(**arrays, **case.options, hess_scale=2.0)
