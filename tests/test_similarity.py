"""Vectors: what torch says, kinks, and the functions that carry gradients back."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss._core import kernels as _kernels
from tests import registry as reg

RECORDED = json.loads((Path(__file__).parent / "data" / "similarity_parity.json").read_text())

#: Of zero vectors 2e-9 off: the 1e-12 that torch adds to squared lengths is a float32.
CLOSE = 3e-9


def ask_us(case: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Value and gradients of a recorded call."""
    function = getattr(fl, case["name"])
    arrays = [np.asarray(a) for a in case["arrays"]]
    if isinstance(function, fl.Activation):
        value = function(*arrays, **case["options"])
        grads: Any = function.vjp(*arrays, case["grad_output"], **case["options"])
    else:
        value, grads = function.value_and_grad(*arrays, **case["options"])
    return value, list(grads) if isinstance(grads, tuple) else [grads]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_as_recorded(case: dict[str, Any]) -> None:
    value, grads = ask_us(case)
    np.testing.assert_allclose(value, case["value"], rtol=CLOSE, atol=CLOSE)
    for got, expected in zip(grads, case["grads"], strict=True):
        np.testing.assert_allclose(got, expected, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearly_parallel_vectors_hold_their_digits(dtype: Any) -> None:
    tiny = dtype(2.0**-20)
    value = fl.cosine_distance(np.array([1, 0], dtype), np.array([1, tiny], dtype))
    assert abs(value / (2.0**-41 * (1 - 0.75 * 2.0**-40)) - 1) <= 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e150, 1e300])
def test_lengths_of_any_size(size: float) -> None:
    a, b = np.array([3.0, 4.0]) * size, np.array([4.0, 3.0]) * size
    assert abs(fl.cosine_similarity(a, b, axis=0, eps=0.0) - 0.96) < 1e-15
    np.testing.assert_allclose(fl.normalize(a, axis=0, eps=0.0), [0.6, 0.8], rtol=1e-15)
    d = fl.pairwise_distance(a, np.zeros(2), eps=0.0)
    np.testing.assert_allclose(d, 5 * size, rtol=1e-15)


def test_infinitely_distant_negatives_cost_nothing() -> None:
    value, grads = fl.triplet_margin_loss.value_and_grad([0.0], [1.0], [np.inf])
    assert value == 0 and all(np.all(g == 0) for g in grads)


def test_equal_vectors_have_no_direction() -> None:
    value, (g1, g2), (h1, h2) = fl.contrastive_loss.value_grad_hess([1.0, 2.0], [1.0, 2.0], 0)
    assert value == 1 and not np.any([g1, g2, h1, h2])
    _, _, (h1, h2) = fl.contrastive_loss.value_grad_hess([1.0, 2.0], [1.0, 2.0], 1)
    assert np.all(h1 == 2) and np.all(h2 == 2)


def test_booleans_are_signs() -> None:
    a, b = np.eye(2), np.ones((2, 2))
    one = fl.cosine_embedding_loss(a, b, [True, False], reduction="none")
    two = fl.cosine_embedding_loss(a, b, [1, -1], reduction="none")
    assert np.array_equal(one, two)


@pytest.mark.parametrize("loss", ["cosine_embedding_loss", "contrastive_loss"])
def test_targets_are_checked(loss: str) -> None:
    with pytest.raises(ValueError, match=r"target: the value at \[1\] is 3"):
        getattr(fl, loss)(np.eye(2), np.eye(2), [1, 3])


def test_the_first_bad_target_is_named() -> None:
    """In C order, whatever the order in memory; not in a row of weight 0."""
    a = np.ones((3, 4, 2))
    t = np.ones((3, 4))
    t[0, 3], t[2, 0] = 7, 5
    for loss in (fl.cosine_embedding_loss, fl.contrastive_loss):
        for order in ("C", "F"):
            x = np.array(a, order=order)
            with pytest.raises(ValueError, match=r"^target: the value at \[0, 3\] is 7.0; accept"):
                loss(x, x, np.array(t, order=order))
            w = np.ones((3, 4), order=order)
            w[0, 3] = 0
            with pytest.raises(ValueError, match=r"^target: the value at \[2, 0\] is 5.0; accept"):
                loss(x, x, t, weight=w)
            w[2, 0] = 0
            assert np.isfinite(loss(x, x, t, weight=w))


@pytest.mark.parametrize("axes", [32, 33, 63, 64])
def test_many_axes(axes: int) -> None:
    if axes > 32 and np.lib.NumpyVersion(np.__version__) < "2.0.0":
        pytest.skip("NumPy 1 has 32 axes")
    a, b = np.full((1,) * axes, 3.0), np.full((1,) * axes, 5.0)
    for axis in (0, axes // 2, -1):
        assert fl.cosine_similarity(a, b, axis=axis).shape == (1,) * (axes - 1)
        assert fl.pairwise_distance(a, b[0], axis=axis, keepdims=True).shape == a.shape
        g1, g2 = fl.pairwise_distance.vjp(a, b[0, 0], 1.0, axis=axis)
        assert g1.shape == a.shape and g2.shape == b[0, 0].shape
        assert fl.normalize(a, axis=axis).item() == 1 and fl.normalize.vjp(a, b).shape == a.shape
        each = fl.contrastive_loss.value_grad_hess(a, b, 1, axis=axis, reduction="none")
        assert each[0].shape == a.shape[1:] and each[0].item() == 4
        assert fl.cosine_embedding_loss(a, b, np.ones(a.shape[1:]), axis=axis) < 1e-12
        assert abs(fl.cosine_distance(a, b, axis=axis)) < 1e-15
        value, _, hess = fl.triplet_margin_loss.value_grad_hess(a, b, b, axis=axis)
        assert value == 1 and hess[2].shape == a.shape
    loss = fl.triplet_margin_with_distance_loss
    for function in (None, fl.pairwise_distance):
        assert loss.value_and_grad(a, b, b[0], distance_function=function, swap=True)[0] > 2


def test_lists_of_scores_and_losses_know_their_length() -> None:
    kernel = _kernels.kernels.modules["vectors"]
    for k in (-1, len(kernel.SCORES), len(kernel.LOSSES), 99):
        for score, loss in ((k, 0), (0, k)):
            if k in (score, loss) and not (0 <= score < 7 and 0 <= loss < 6):
                with pytest.raises(ValueError, match="no such score"):
                    kernel.vectors(score, (), loss, (), True, 0, 1.0, 1, (None,) * 12)


def test_the_second_is_not_broadcast_to_more_rows() -> None:
    with pytest.raises(ValueError, match="positive"):
        fl.triplet_margin_loss(np.zeros((3, 2)), np.zeros((3, 1, 2)), np.zeros((3, 2)))


def test_any_axis_and_keepdims() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4, 5))
    for axis in (0, 1, 2, -1):
        moved = np.moveaxis(a, axis, -1).copy(), np.moveaxis(b, axis, -1).copy()
        d = fl.pairwise_distance(a, b, axis=axis, keepdims=True)
        assert np.array_equal(np.squeeze(d, axis), fl.pairwise_distance(*moved))
        dy = rng.normal(size=d.shape)
        got = fl.pairwise_distance.vjp(a, b, dy, keepdims=True, axis=axis)
        expected = fl.pairwise_distance.vjp(*moved, np.squeeze(dy, axis))
        for g, e in zip(got, expected, strict=True):
            assert np.array_equal(np.moveaxis(g, axis, -1), e)


def test_buffers_of_vjp() -> None:
    a, b = np.eye(3), np.ones((3, 3))
    buffer = np.empty((3, 3))
    g1, g2 = fl.cosine_similarity.vjp(a, b, 1.0, grad_out=(None, buffer))
    assert g2 is buffer and np.array_equal(g1, fl.cosine_similarity.vjp(a, b, 1.0)[0])


def test_distance_functions() -> None:
    a, b, c = np.random.default_rng(1).normal(size=(3, 4, 5))
    with pytest.raises(TypeError, match="distance_function: a method vjp"):
        fl.triplet_margin_with_distance_loss.value_and_grad(
            a, b, c, distance_function=lambda x, y: np.abs(x - y).sum(-1)
        )
    with pytest.raises(TypeError, match="distance_function: a function is needed"):
        fl.triplet_margin_with_distance_loss(a, b, c, distance_function=3)
    for swap in (False, True):
        one = fl.triplet_margin_loss.value_and_grad(a, b, c, swap=swap)
        loss = fl.triplet_margin_with_distance_loss
        two = loss.value_and_grad(a, b, c, distance_function=fl.pairwise_distance, swap=swap)
        np.testing.assert_allclose(one[0], two[0], rtol=1e-14)
        for g, h in zip(one[1], two[1], strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-12, atol=1e-15)
        same = loss.value_and_grad(a, b, c, swap=swap)
        assert one[0] == same[0] and all(map(np.array_equal, one[1], same[1]))


def test_empty_vectors() -> None:
    none = np.zeros((3, 0))
    assert np.array_equal(fl.pairwise_distance(none, none), np.zeros(3))
    assert np.isnan(fl.triplet_margin_loss(*np.zeros((3, 0, 2))))


# ---- weights, masks ------------------------------------------------------------------------

ALL = [c for c in reg.JOINT if c.along]


def ask(case: reg.Joint, arrays: Any, **options: Any) -> tuple[Any, list[Any]]:
    """Value and all derivatives, in one list."""
    loss = getattr(fl, case.loss)
    method = loss.value_grad_hess if case.curved else loss.value_and_grad
    value, *parts = method(**arrays, **case.options, **options)
    return value, [g for p in parts for g in (p if isinstance(p, tuple) else (p,))]


@pytest.mark.parametrize("case", ALL, ids=str)
@pytest.mark.parametrize("length", [5, 40])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("how", ["weight", "sample_weight", "where"])
def test_what_is_left_out_counts_for_nothing(
    case: reg.Joint, length: int, dtype: Any, how: str
) -> None:
    """Whatever it holds, and whether short vectors in tiles or long ones."""
    rng = np.random.default_rng(1)
    arrays = case.inputs(rng, 41, dtype)
    for name in {*case.along, case.operands[0]}:
        arrays[name] = np.tile(arrays[name], (1, length // 5))
    keep = rng.random(41) < 0.6
    spoiled = {n: a.copy() for n, a in arrays.items()}
    for name, a in spoiled.items():
        if name == "target" and a.ndim == 1:
            a[~keep] = 77
        else:
            a[np.flatnonzero(~keep)] = rng.choice([np.nan, np.inf, 1e30], (~keep).sum())[:, None]
    option = keep if how == "where" else keep.astype(dtype)
    expected = ask(case, {n: a[keep] for n, a in arrays.items()}, reduction="none")
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        value, parts = ask(case, spoiled, **{how: option}, reduction="none")
    np.testing.assert_allclose(value[keep], expected[0], rtol=1e-5)
    assert not value[~keep].any()
    for part, right in zip(parts, expected[1], strict=True):
        scale = np.abs(right).max()
        np.testing.assert_allclose(part[keep], right, rtol=1e-5, atol=1e-6 * scale)
        assert not part[~keep].any()
    for reduction in ("mean", "weighted_mean", "sum_by_nonzero_weights", "batchmean", "sum"):
        few, _ = ask(case, {n: a[keep] for n, a in arrays.items()}, reduction=reduction)
        all_, grads = ask(case, spoiled, **{how: option}, reduction=reduction)
        if reduction == "batchmean" or (how != "where" and reduction == "mean"):
            few *= keep.sum() / 41
        np.testing.assert_allclose(all_, few, rtol=1e-5)
        assert all(np.isfinite(g).all() for g in grads)
    if how != "where":
        bad = keep.astype(dtype)
        bad[0] = np.nan
        assert np.isnan(ask(case, arrays, **{how: bad}, reduction="none")[0][0])
    none, grads = ask(case, spoiled, **{how: option * 0})
    assert (np.isnan(none) if how == "where" else none == 0) and not any(g.any() for g in grads)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_weights_multiply(case: reg.Joint) -> None:
    rng = np.random.default_rng(2)
    arrays = case.inputs(rng, 9, np.float64)
    u, v, keep = rng.uniform(0.5, 2, 9), rng.integers(0, 3, 9), rng.random(9) < 0.7
    for reduction in ("none", "mean", "sum", "weighted_mean", "sum_by_nonzero_weights"):
        got = ask(case, arrays, weight=u, sample_weight=v, reduction=reduction)
        one = ask(case, arrays, weight=u * v, reduction=reduction)
        np.testing.assert_allclose(got[0], one[0], rtol=1e-14)
        for g, h in zip(got[1], one[1], strict=True):
            np.testing.assert_allclose(g, h, rtol=1e-12, atol=1e-15)
        masked = ask(case, arrays, weight=u, sample_weight=v, where=keep, reduction=reduction)
        few = {n: a[keep] for n, a in arrays.items()}
        right = ask(case, few, weight=u[keep], sample_weight=v[keep], reduction=reduction)
        part = masked[0][keep] if reduction == "none" else masked[0]
        np.testing.assert_allclose(part, right[0], rtol=1e-13)
    single = {n: a.astype(np.float32) for n, a in arrays.items()}
    assert ask(case, single, where=keep.astype(np.float64))[0].dtype == np.float32
    for bad, name in (({"where": np.ones((2, 9))}, "where"), ({"sample_weight": [1, 2]}, "sample")):
        with pytest.raises(ValueError, match=f"^{name}"):
            ask(case, arrays, **bad)
    with pytest.raises(TypeError, match=r"^where: "):
        ask(case, arrays, where=np.ones(9, complex))
    with pytest.raises(ValueError, match=r"^out: shares memory"):
        ask(case, arrays, sample_weight=u, out=u, reduction="none")


@pytest.mark.parametrize("case", ALL, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("finite", [False, True])
def test_no_warnings(case: reg.Joint, dtype: Any, finite: bool) -> None:
    """Of extreme numbers, in whatever dtype the buffers are."""
    rng, info = np.random.default_rng(3), np.finfo(dtype)
    pool = np.array([0, 1, -1, info.max, info.tiny, info.tiny / 8])
    pool = np.append(pool, [] if finite else [np.inf, -np.inf, np.nan])
    arrays = case.inputs(rng, 60, np.float64)
    for name, a in arrays.items():
        if name != "target" or a.ndim > 1:
            a[...] = rng.choice(pool, a.shape)
            a[::3][rng.random((20, 1))[:, 0] < 0.5] = 1
    with np.errstate(all="ignore"):
        arrays = {n: a.astype(dtype) for n, a in arrays.items()}
    few = {n: a[:1, :1] if n in case.along else a for n, a in arrays.items()}
    w, half = np.full(60, 1e30), np.float16
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for given in (arrays, few):
            for reduction in ("mean", "none"):
                value, grads = ask(case, given, reduction=reduction)
                ask(case, given, reduction=reduction, sample_weight=w, where=w > 0, weight=w)
                out = np.empty(np.shape(value), half)
                first = [np.empty(g.shape, half) for g in grads[: len(case.leaves)]]
                buffers = tuple(first) if len(first) > 1 else first[0]
                loss = getattr(fl, case.loss)
                loss.value_and_grad(
                    **given, **case.options, out=out, grad_out=buffers, reduction=reduction
                )
        if case is ALL[0]:
            x, y = arrays["input1"], arrays["input2"]
            for f in (fl.cosine_similarity, fl.pairwise_distance):
                f(x, y)
                f(x, y, out=np.empty(60, half))
                f.vjp(x, y[:1], w, grad_out=(np.empty(x.shape, half), None))
            fl.normalize.vjp(fl.normalize(x), y)


# ---- distance functions --------------------------------------------------------------------


class Squared:
    """The square of the distance."""

    def __call__(self, x1: Any, x2: Any) -> Any:
        return ((x1 - x2) ** 2).sum(-1)

    def vjp(self, x1: Any, x2: Any, grad_output: Any) -> Any:
        g = 2 * (x1 - x2) * grad_output[..., None]
        return g, -g


def test_overlaps_with_a_distance_function() -> None:
    """Nothing is written over."""
    base = np.random.default_rng(0).normal(size=(3, 6, 4))
    loss = fl.triplet_margin_with_distance_loss
    w = np.ones(6)
    for k in range(3):
        a, b, c = base.copy()
        given = (a, b, c)
        with pytest.raises(ValueError, match=r"^out: shares memory"):
            loss(a, b, c, distance_function=Squared(), out=given[k][:, 0], reduction="none")
        for j in range(3):
            grad_out = tuple(given[k] if i == j else None for i in range(3))
            with pytest.raises(ValueError, match=rf"^grad_out\[{j}\]: shares memory"):
                loss.value_and_grad(a, b, c, distance_function=Squared(), grad_out=grad_out)
            buffer = np.zeros((6, 4))
            grad_out = tuple(buffer if i == j else None for i in range(3))
            with pytest.raises(ValueError, match="shares memory"):
                loss.value_and_grad(
                    a,
                    b,
                    c,
                    distance_function=Squared(),
                    grad_out=grad_out,
                    out=buffer[:, 0],
                    reduction="none",
                )
        assert np.array_equal(given, base)
    a, b, c = base
    wide = np.ones((6, 4))
    for option in ("weight", "sample_weight", "where"):
        with pytest.raises(ValueError, match=r"^grad_out\[1\]: shares memory"):
            loss.value_and_grad(
                a,
                b,
                c,
                distance_function=Squared(),
                grad_out=(None, wide, None),
                **{option: wide[:, 0]},
            )
    assert (wide == 1).all() and (w == 1).all()


def test_results_of_distance_functions() -> None:
    a, b, c = np.random.default_rng(1).normal(size=(3, 4, 5))
    loss = fl.triplet_margin_with_distance_loss

    def function(distances: Any, grads: Any = None) -> Any:
        class Given:
            def __call__(self, x1: Any, x2: Any) -> Any:
                return distances(x1, x2) if callable(distances) else distances

            def vjp(self, x1: Any, x2: Any, grad_output: Any) -> Any:
                return grads

        return Given()

    for bad, error in (
        (None, TypeError),
        ("far", TypeError),
        (np.ones(4) + 1j, TypeError),
        (np.array([object()] * 4), TypeError),
        ([[1.0], [1.0, 2.0]], ValueError),
        (lambda x, y: np.ones(3 + bool((y == c).all())), ValueError),
    ):
        with pytest.raises(error, match=r"^distance_function: "):
            loss(a, b, c, distance_function=function(bad))
    g = np.ones((4, 5))
    for bad, error in (
        (None, TypeError),
        (g, TypeError),
        ((g,), TypeError),
        ((g, g, g), TypeError),
        ((g, None), TypeError),
        ((g, g + 1j), TypeError),
        ((g, g[0]), ValueError),
        ((g[:, :1], g), ValueError),
        ((g, 1.0), ValueError),
    ):
        with pytest.raises(error, match=r"^distance_function: "):
            loss.value_and_grad(a, b, c, distance_function=function(np.ones(4), bad))


@pytest.mark.parametrize("swap", [False, True])
def test_broadcast_operands_of_distance_functions(swap: bool) -> None:
    """Each gradient is summed to its operand's own shape."""
    rng = np.random.default_rng(2)
    loss, a = fl.triplet_margin_with_distance_loss, rng.normal(size=(2, 3, 4))
    for one, two in (((3, 4), (1, 4)), ((1, 4), (1, 1, 4)), ((4,), (1,)), ((), (2, 1, 1))):
        b, c = rng.normal(size=one), rng.normal(size=two)
        for function in (Squared(), fl.pairwise_distance):
            full = tuple(np.broadcast_to(x, a.shape).copy() for x in (a, b, c))
            options: Any = {"distance_function": function, "swap": swap, "margin": 5.0}
            value, grads = loss.value_and_grad(a, b, c, **options)
            right, each = loss.value_and_grad(*full, **options)
            np.testing.assert_allclose(value, right, rtol=1e-14)
            for x, g, e in zip((a, b, c), grads, each, strict=True):
                assert g.shape == x.shape
                e = e.sum(axis=tuple(range(3 - x.ndim)))
                kept = tuple(k for k, n in enumerate(x.shape) if n != e.shape[k])
                np.testing.assert_allclose(g, e.sum(axis=kept, keepdims=True), rtol=1e-12)
