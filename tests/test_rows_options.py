"""Weights of rows, classes left out, weights of 0, checked targets, and gradients in place, of all
losses over a class axis; and the same options of softmax and its relatives."""

from __future__ import annotations

import inspect
import itertools
import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import LAYOUTS, Call, mp_numbers, mp_target, rows, same

CASE = pytest.mark.parametrize("case", reg.ROWS, ids=str)
ONE = pytest.mark.parametrize("case", reg.ROWS_ONE_OF_EACH, ids=str)
CLASSES = pytest.mark.parametrize("classes", (3, 10, 33, 600, 1500))
nan, inf = float("nan"), float("inf")


def masked(case: reg.Rows, count: int, classes: int, seed: int = 0, axis: int = 1) -> Call:
    """A call with a mask that leaves something of every row but the fourth and the last; labels and
    lists name what is left."""
    shape = (count, classes) if axis else (classes, count)
    sample = rows(case, shape, axis, seed=seed)
    rng = np.random.default_rng(seed + 1)
    mask = rng.random((count, classes)) < 0.7
    mask[np.arange(count), rng.integers(0, classes, count)] = True
    mask[[3, -1]] = False
    target = np.moveaxis(sample.arrays["target"], axis, -1) if case.target != "class" else None
    if case.target == "class":
        picked = [rng.choice(np.flatnonzero(m)) if m.any() else 0 for m in mask]
        target = np.array(picked)
    elif case.target == "list":
        target = np.full((count, classes), -1)
        for row, m in zip(target, mask, strict=True):
            some = rng.permutation(np.flatnonzero(m))[: rng.integers(1, 5)]
            row[: len(some)] = some
    assert target is not None
    if target.ndim > 1:
        target = np.moveaxis(target, -1, axis)
    return sample.having(target=target, where=np.moveaxis(mask, -1, axis))


def one_row(case: reg.Rows, sample: Call, r: int) -> Call:
    """The call of one row, of the classes alone that it has; axis 1."""
    x, t, mask = (sample.arrays[name] for name in ("input", "target", "where"))
    left = np.flatnonzero(mask[r])
    number = {int(c): k for k, c in enumerate(left)}
    arrays: dict[str, Any] = {"input": x[r : r + 1, left]}
    if case.target == "class":
        arrays["target"] = np.array([number[int(t[r])]])
    elif case.target == "list":
        listed = [number[int(c)] for c in t[r] if c >= 0]
        arrays["target"] = np.array([listed + [-1] * (len(left) - len(listed))])
    else:
        arrays["target"] = t[r : r + 1, left]
    if case.weights and case.weights in sample.arrays:
        arrays[case.weights] = sample.arrays[case.weights][left]
    options = dict(sample.options)
    if case.weights and np.ndim(options.get(case.weights)) == 1:
        options[case.weights] = np.asarray(options[case.weights])[left]
    return Call(sample.loss, arrays, options)


def close(a: Any, b: Any, rtol: float = 2e-12) -> None:
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-15)


# ---- where ---------------------------------------------------------------------------------------


@CASE
@CLASSES
def test_a_class_left_out_does_not_exist(case: reg.Rows, classes: int) -> None:
    """Each row is what it is without the classes, whose scores and targets do not matter."""
    if classes > 33 and case not in reg.ROWS_ONE_OF_EACH:
        return
    sample = masked(case, 12, classes)
    mask = sample.arrays["where"]
    value, grad, hess = sample.each()
    for r in range(12):
        if not mask[r].any():
            assert value[r] == 0 and not grad[r].any() and not hess[r].any()
            continue
        v, g, h = one_row(case, sample, r).each()
        close(value[r], v[0])
        close(grad[r, mask[r]], g[0])
        close(hess[r, mask[r]], h[0])
        assert not grad[r, ~mask[r]].any() and not hess[r, ~mask[r]].any()
    for bad in (nan, inf, -inf):
        arrays = {"input": np.where(mask, sample.arrays["input"], bad)}
        if sample.arrays["target"].dtype.kind == "f":
            arrays["target"] = np.where(mask, sample.arrays["target"], bad)
        for order in range(3):
            assert all(map(same, sample.having(**arrays).each(order), (value, grad, hess)))


@ONE
def test_a_mask_of_any_dtype_and_layout(case: reg.Rows) -> None:
    for axis in (0, 1):
        sample = masked(case, 60, 10, axis=axis)
        mask = sample.arrays["where"]
        wanted = sample.each()
        for dtype in (np.int8, np.float16, np.float64, ">f4"):
            scaled = mask.astype(dtype) * np.asarray(0.25 if np.dtype(dtype).kind == "f" else 3)
            assert all(map(same, sample.having(where=scaled.astype(dtype)).each(), wanted))
        tiny = mask * 1e-320
        single = sample.having(input=sample.arrays["input"].astype(np.float32))
        for name in ("target", case.weights):
            if name in single.arrays and single.arrays[name].dtype == np.float64:
                single = single.having(**{name: single.arrays[name].astype(np.float32)})
        assert single.each()[0].dtype == np.float32
        assert all(map(same, single.having(where=tiny).each(), single.each()))
        for make in LAYOUTS.values():
            for part, other in zip(sample.having(where=make(mask)).each(), wanted, strict=True):
                close(part, other)
        column = np.arange(10) < 10
        whole = sample.having(where=column if axis else column[:, None])
        given = {k: v for k, v in sample.arrays.items() if k != "where"}
        plain = Call(sample.loss, given, sample.options)
        if case.target in ("probability", "multilabel"):
            for part, other in zip(whole.each(), plain.each(), strict=True):
                close(part, other)


@CASE
def test_what_is_left_out_is_in_no_divisor(case: reg.Rows) -> None:
    sample = masked(case, 30, 10)
    kept = sample.arrays["where"].any(axis=1)
    assert kept.sum() == 28
    few = sample.having(
        **{name: sample.arrays[name][kept] for name in ("input", "target", "where")}
    )
    for reduction in ("mean", "sum", "weighted_mean", "sum_by_nonzero_weights"):
        (value, grad, _), (v, g, _) = (s.run(2, reduction=reduction) for s in (sample, few))
        close(value, v)
        close(grad[kept], g)
        assert not grad[~kept].any()
    nothing = sample.having(where=np.zeros((30, 10), bool))
    value, grad = nothing.run(1)
    assert np.isnan(value) and not grad.any()
    for reduction in ("sum", "weighted_mean", "sum_by_nonzero_weights"):
        assert nothing.run(reduction=reduction)[0] == 0


@pytest.mark.parametrize(
    "case", [c for c in reg.ROWS_ONE_OF_EACH if c.target in ("class", "list")], ids=str
)
def test_a_label_of_a_class_left_out(case: reg.Rows) -> None:
    for count in (12, 2000):
        sample = masked(case, count, 10)
        t, mask = sample.arrays["target"].copy(), sample.arrays["where"].copy()
        row = count - 3
        label = int(t[row] if case.target == "class" else t[row, 0])
        mask[row, label], mask[row, (label + 1) % 10] = False, True
        place = f"{row}" if case.target == "class" else f"{row}, 0"
        with pytest.raises(IndexError, match=rf"^target: .*\[{place}\] is {label}, which `where`"):
            sample.having(where=mask).run()
        mask[row] = False  # nothing is left: it is not looked at
        sample.having(where=mask).run(2)
        t[row] = 77
        assert sample.having(where=mask, target=t).each()[0][row] == 0


# ---- weights of rows -----------------------------------------------------------------------------


@CASE
@pytest.mark.parametrize("classes", (10, 700))
def test_sample_weight_multiplies(case: reg.Rows, classes: int) -> None:
    """Values and derivatives are those without, times the weight."""
    if classes > 33 and case not in reg.ROWS_ONE_OF_EACH:
        return
    sample = rows(case, (40, classes))
    plain = sample.each()
    rng = np.random.default_rng(3)
    for f in (rng.uniform(0.5, 2, 40), rng.integers(0, 3, 40), np.array(2.0), rng.normal(size=40)):
        weighted = sample.having(sample_weight=f)
        wide = np.broadcast_to(f, (40,)).astype(float)
        value, grad, hess = weighted.each()
        close(value, plain[0] * wide)
        close(grad, plain[1] * wide[:, None])
        close(hess, plain[2] * wide[:, None])


@CASE
def test_divisors_with_sample_weight(case: reg.Rows) -> None:
    rng = np.random.default_rng(4)
    f = rng.integers(0, 3, 40).astype(float)
    sample = rows(case, (40, 10))
    x, t = sample.arrays["input"], sample.arrays["target"]
    w = np.asarray(sample.arrays.get(case.weights or "", sample.options.get(case.weights or "")))
    w = np.broadcast_to(np.ones(()) if w.dtype == object else w, (10,)).astype(float)
    if case.target == "class":
        if case.weighted and case.weights:
            w = w.copy()
            w[2] = 0
            sample = sample.having(**{case.weights: w})
        of_rows = w[t]
        if case.ignores:
            sample = Call(sample.loss, sample.arrays, sample.options | {"ignore_index": 1})
            of_rows = np.where(t == 1, 0, of_rows)
        counted = (t != 1) if case.ignores else np.ones(40, bool)
    else:
        of_rows = np.full(40, w.mean() if case.target == "multilabel" else 1.0)
        counted = np.ones(40, bool)
    total = sample.having(sample_weight=f).each()[0].sum()
    mean = of_rows[counted].sum() if case.mean_by_weight else counted.sum()
    nonzero = float(np.count_nonzero(of_rows * f))
    if case.target == "multilabel":
        nonzero = np.count_nonzero(f) * np.mean(w != 0)
    for reduction, by in (
        ("mean", mean),
        ("weighted_mean", (of_rows * f).sum()),
        ("sum_by_nonzero_weights", nonzero),
        ("batchmean", 40.0),
    ):
        value, divided = sample.having(sample_weight=f).run(
            reduction=reduction, return_divisor=True
        )[0]
        close(divided, by)
        close(value, total / by)
    assert x.shape == (40, 10)


def test_sample_weight_of_images() -> None:
    """One weight for each pixel, or for each image."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 5, 4, 6)), rng.integers(0, 5, (3, 4, 6))
    f = rng.uniform(0.5, 2, (3, 4, 6))
    value, grad = fl.cross_entropy.value_and_grad(x, y, sample_weight=f, reduction="none")
    plain, slope = fl.cross_entropy.value_and_grad(x, y, reduction="none")
    close(value, plain * f)
    close(grad, slope * f[:, None])
    image = rng.uniform(0.5, 2, (3, 1, 1))
    close(fl.cross_entropy(x, y, sample_weight=image, reduction="none"), plain * image)
    with pytest.raises(ValueError, match=r"^sample_weight: shape \(3, 5\)"):
        fl.cross_entropy(x, y, sample_weight=np.ones((3, 5)))


def test_a_weight_of_the_rows_given_as_that_of_classes() -> None:
    for name in ("cross_entropy", "nll_loss", "multi_margin_loss", "sparsemax_loss"):
        with pytest.raises(ValueError, match=r"^weight: .*sample_weight="):
            getattr(fl, name)(np.zeros((5, 3)), [0, 1, 2, 0, 1], weight=np.ones(5))
    with pytest.raises(ValueError, match=r"^weight: .*got shape \(4,\)$"):
        fl.cross_entropy(np.zeros((5, 3)), [0, 1, 2, 0, 1], weight=np.ones(4))


# ---- weights of 0 --------------------------------------------------------------------------------


SPOILED = (nan, inf, -inf)


@CASE
@pytest.mark.parametrize("classes", (3, 10, 100, 700, 1500))
def test_a_row_of_weight_0_counts_for_nothing(case: reg.Rows, classes: int) -> None:
    if classes > 33 and case not in reg.ROWS_ONE_OF_EACH:
        return
    for axis in (0, 1):
        sample = rows(case, (20, classes) if axis else (classes, 20), axis)
        f = np.ones(20)
        f[[2, 7]] = 0
        x = np.moveaxis(sample.arrays["input"].copy(), axis, -1)
        for bad in SPOILED:
            x[2], x[7, 0] = bad, bad
            arrays: dict[str, Any] = {"input": np.moveaxis(x, -1, axis), "sample_weight": f}
            if case.target in ("probability", "multilabel"):
                t = np.moveaxis(sample.arrays["target"].copy(), axis, -1)
                t[7] = bad
                arrays["target"] = np.moveaxis(t, -1, axis)
            value, grad, hess = sample.having(**arrays).each()
            plain = sample.each()
            assert value[2] == 0 and value[7] == 0 and np.isfinite(value).all()
            for part, other in ((grad, plain[1]), (hess, plain[2])):
                part, other = np.moveaxis(part, axis, -1), np.moveaxis(other, axis, -1)
                assert not part[[2, 7]].any()
                kept = f != 0
                close(part[kept], other[kept])
        f[0] = nan
        value, grad = sample.having(sample_weight=f).each(1)
        assert np.isnan(value[0])


@pytest.mark.parametrize(
    "case", [c for c in reg.ROWS_ONE_OF_EACH if c.weights and c.target == "class"], ids=str
)
@pytest.mark.parametrize("classes", (3, 10, 100, 1500))
def test_a_class_of_weight_0_takes_its_rows_out(case: reg.Rows, classes: int) -> None:
    assert case.weights
    sample = rows(case, (20, classes))
    y = np.arange(20) % 3
    x, w = sample.arrays["input"].copy(), np.ones(classes)
    w[1] = 0
    clean = sample.having(**{"target": y, case.weights: w}).each()
    for bad in SPOILED:
        x[y == 1] = bad
        got = sample.having(**{"input": x, "target": y, case.weights: w}).each()
        assert not any(part[y == 1].any() for part in got)
        assert all(same(a[y != 1], b[y != 1]) for a, b in zip(got, clean, strict=True))
        value = sample.having(**{"input": x, "target": y, case.weights: w}).run(reduction="sum")[0]
        assert np.isfinite(value)


def test_a_class_of_weight_0_has_no_term() -> None:
    """With probabilities, of its own; its score is in the sum of all."""
    x = np.array([[1.0, 2.0, -inf]])
    t = np.array([[0.25, 0.5, nan]])
    value, grad, hess = fl.cross_entropy.value_grad_hess(x, t, [1, 1, 0])
    assert np.isfinite([value, *grad[0], *hess[0]]).all()
    one_hot = np.array([[0.0, 1.0, 0.0]])
    spoiled = np.array([[nan, 1.0, 2.0]])
    value, grad, hess = fl.cross_entropy.value_grad_hess(spoiled, one_hot, [1, 0, 1])
    assert value == 0 and not grad.any() and not hess.any()
    assert np.isnan(fl.cross_entropy(spoiled, one_hot))
    assert np.isnan(fl.cross_entropy(spoiled, 0 * one_hot))
    assert np.isnan(fl.cross_entropy(spoiled, [1], [1, 0, 1], label_smoothing=0.1))


RANKING = ("ranking_softmax_loss", "pairwise_logistic_loss", "mean_pairwise_squared_error")


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize("items", (7, 600, 1100))
def test_lists_of_weight_0(name: str, items: int) -> None:
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(6, items)), rng.integers(0, 3, (6, items)).astype(float)
    f = np.array([1.0, 0, 2, 0, 0.5, 3])
    loss = getattr(fl, name)
    clean = loss.value_grad_hess(x, t, reduction="none")
    x[1], x[3, 2] = nan, inf
    t[3] = nan
    got = loss.value_grad_hess(x, t, sample_weight=f, reduction="none")
    for part, other in zip(got, clean, strict=True):
        wide = f.reshape((-1,) + (1,) * (other.ndim - 1))
        close(part[f != 0], (other * wide)[f != 0])
        assert not part[f == 0].any()
    close(loss(x, t, sample_weight=f, reduction="weighted_mean"), got[0].sum() / f.sum())
    close(loss(x, t, sample_weight=f, reduction="sum_by_nonzero_weights"), got[0].sum() / 4)
    close(loss(x, t, sample_weight=f), got[0].sum() / 6)
    if name != "ranking_softmax_loss":
        w = np.array([2.0, 1, 1, 1, 1, 0])
        both = loss(x, t, weight=w, sample_weight=f, reduction="none")
        close(both, got[0] * w)


def test_items_of_weight_0() -> None:
    x, t = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, -5.0, 2.0]])
    value, grad = fl.ranking_softmax_loss.value_and_grad(x, t, weight=[1, 0, 1])
    wanted = fl.ranking_softmax_loss.value_and_grad(x, [[1.0, 0.0, 2.0]])
    assert value == wanted[0] and same(grad, wanted[1])
    value, grad = fl.ranking_softmax_loss.value_and_grad(x * nan, t, weight=0)
    assert value == 0 and not grad.any()


# ---- targets are checked -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", [c for c in reg.ROWS if c.target in ("probability", "multilabel")], ids=str
)
def test_probabilities_are_checked(case: reg.Rows) -> None:
    for count, classes in ((6, 3), (40, 10), (300, 33), (5, 1500)):
        for axis in (0, 1):
            shape = (count, classes) if axis else (classes, count)
            sample = rows(case, shape, axis)
            for bad in (-1e-3, -1.0, 1.02, 2.0, 100.0, inf, -inf):
                t = sample.arrays["target"].copy()
                first, second = (shape[0] // 2, 1), (shape[0] - 1, shape[1] - 1)
                t[first] = t[second] = bad
                place = f"{first[0]}, 1"
                for order in range(3):
                    with pytest.raises(ValueError, match=rf"^target: the value at \[{place}\] is"):
                        sample.having(target=t).run(order)
                row, column = (first, second) if axis else (first[::-1], second[::-1])
                f, mask = np.ones(count), np.ones(shape, bool)
                f[[row[0], column[0]]] = 0
                sample.having(target=t, sample_weight=f).run(2)
                mask[first] = mask[second] = False
                sample.having(target=t, where=mask).run(2)
                f[row[0]] = 1
                with pytest.raises(ValueError, match=rf"\[{place}\]"):
                    sample.having(target=t, sample_weight=f).run()
                if case.weights:
                    w = np.ones(classes)
                    w[[row[1], column[1]]] = 0
                    got = Call(
                        sample.loss,
                        sample.arrays | {"target": t, case.weights: w},
                        {k: v for k, v in sample.options.items() if k != case.weights},
                    )
                    got.run(2)
            t = sample.arrays["target"].copy()
            t[first] = nan
            assert np.isnan(sample.having(target=t).run()[0])
            t[first] = 1.004
            sample.having(target=t).run()


def test_relevances_are_checked() -> None:
    x = np.random.default_rng(0).normal(size=(50, 20))
    t = np.ones((50, 20))
    t[30, 4] = -1
    with pytest.raises(ValueError, match=r"^target: the value at \[30, 4\] is -1.0"):
        fl.ranking_softmax_loss(x, t)
    with pytest.raises(ValueError, match=r"^target: the value at \[4, 30\] is -1.0"):
        fl.ranking_softmax_loss(x.T, t.T, axis=0)
    fl.ranking_softmax_loss(x, t, where=t >= 0)
    fl.ranking_softmax_loss(x, 5 * np.ones((50, 20)))
    fl.pairwise_logistic_loss(x, t)
    fl.mean_pairwise_squared_error(x, t)


def test_gradients_that_are_carried_back_are_not_checked() -> None:
    x = np.random.default_rng(0).normal(size=(50, 20))
    for f in (fl.softmax, fl.log_softmax):
        assert np.isfinite(f.vjp(x, 100 * x)).all()


# ---- in place ------------------------------------------------------------------------------------


WAYS: dict[str, Any] = {
    "rows": lambda s: np.empty(s),
    "Fortran": lambda s: np.empty(s, order="F"),
    "stepped": lambda s: np.empty([2 * n for n in s])[(*(slice(None, None, 2) for _ in s), ...)],
    "half": lambda s: np.empty(s, np.float16),
    "single": lambda s: np.empty(s, np.float32),
}


@CASE
@pytest.mark.parametrize("classes", (1, 3, 10, 33, 100, 600, 1500))
def test_in_place(case: reg.Rows, classes: int) -> None:
    """The gradient in the input's memory has the bits that it has in other memory that lies so."""
    for axis, shape in ((1, (17, classes)), (0, (classes, 17)), (1, (2, classes, 9))):
        sample = rows(case, shape, axis)
        extras = ({}, {"sample_weight": np.array(2.0)}, {"where": np.ones((), bool)})
        for extra, way in itertools.product(extras, WAYS):
            made, beside = WAYS[way](shape), WAYS[way](shape)
            made[...] = sample.arrays["input"]
            moved = sample.having(input=made, **extra)
            for order in (1, 2):
                made[...] = sample.arrays["input"]
                wanted = moved.each(order, grad_out=beside)
                if case.target == "list" and classes > 512:
                    with pytest.raises(ValueError, match=r"^grad_out: shares memory"):
                        moved.each(order, grad_out=made)
                    continue
                got = moved.each(order, grad_out=made)
                assert got[1] is made
                assert all(map(same, got, wanted)), (way, shape, order, extra)


@pytest.mark.parametrize("classes", (1, 3, 10, 33, 100, 600, 1500, 9000))
@pytest.mark.parametrize("way", WAYS)
def test_activations_in_place(classes: int, way: str) -> None:
    for axis, shape in ((1, (17, classes)), (0, (classes, 17)), (1, (2, classes, 9))):
        x = np.random.default_rng(0).normal(size=shape) * 3
        made, beside = WAYS[way](shape), WAYS[way](shape)
        for f in (fl.softmax, fl.log_softmax):
            made[...] = x
            wanted = f(made, axis, out=beside)
            assert f(made, axis, out=made) is made and same(made, wanted)
            made[...] = x
            dy = np.random.default_rng(1).normal(size=shape).astype(made.dtype)
            wanted = f.vjp(made, dy, axis, grad_out=beside)
            assert f.vjp(made, dy, axis, grad_out=made) is made and same(made, wanted)
            with pytest.raises(ValueError, match=r"^grad_out: shares"):
                f.vjp(made, dy, axis, grad_out=dy)
        made[...] = x
        dy = np.ones(np.delete(shape, axis))
        wanted = fl.logsumexp.vjp(made, dy, axis, grad_out=beside)
        fl.logsumexp.vjp(made, dy, axis, grad_out=made)
        assert same(made, wanted)


# ---- softmax and its relatives -------------------------------------------------------------------


def test_softmax_where() -> None:
    rng = np.random.default_rng(0)
    for shape, axis in (((40, 10), 1), ((10, 40), 0), ((4, 700), 1), ((3, 5, 6), 1)):
        x, mask = rng.normal(size=shape), rng.random(shape) < 0.6
        line = [0] * x.ndim
        line[axis] = slice(None)  # type: ignore[call-overload]
        mask[tuple(line)] = False
        spoiled = np.where(mask, x, rng.choice([nan, inf, -inf], shape))
        e = np.where(mask, np.exp(x), 0)
        total = e.sum(axis=axis, keepdims=True)
        with np.errstate(all="ignore"):
            p = np.where(total > 0, e / total, 0)
            logs = np.where(mask, x - np.log(total), -inf)
        for given in (x, spoiled):
            close(fl.softmax(given, axis, where=mask), p)
            close(fl.log_softmax(given, axis, where=mask), logs)
            with np.errstate(divide="ignore"):
                close(fl.logsumexp(given, axis, where=mask), np.log(total.squeeze(axis)))
            dy = rng.normal(size=shape)
            rows_dy = (p * dy).sum(axis=axis, keepdims=True)
            close(fl.softmax.vjp(given, dy, axis, where=mask), p * (dy - rows_dy), 1e-10)
            kept = np.where(mask, dy, 0).sum(axis=axis, keepdims=True)
            carried = np.where(mask, dy, 0) - p * kept
            close(fl.log_softmax.vjp(given, dy, axis, where=mask), carried, 1e-10)
            of_rows = rng.normal(size=total.shape)
            got = fl.logsumexp.vjp(given, of_rows, axis, True, where=mask)
            close(got, p * of_rows)
    assert fl.logsumexp(x, where=mask).shape == ()
    close(fl.logsumexp(x, (0, 2), where=mask), np.log(np.where(mask, np.exp(x), 0).sum((0, 2))))


@pytest.mark.parametrize("dtype", (np.float32, np.float64), ids=str)
def test_logsumexp_with_factors(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    eps = float(np.finfo(dtype).eps)
    for shape in ((30, 7), (3, 1500)):
        x, b = rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)
        wide = b.astype(np.longdouble) * np.exp(x.astype(np.longdouble))
        total, size = wide.sum(axis=1), np.abs(wide).sum(axis=1)
        value, sign = fl.logsumexp(x, 1, b=b, return_sign=True)
        assert value.dtype == dtype and np.array_equal(sign, np.sign(total))
        error = np.abs(value - np.log(np.abs(total)))
        assert np.all(error <= 4 * eps * (np.abs(value) + size / np.abs(total)))
        plain = fl.logsumexp(x, 1, b=b)
        assert np.array_equal(np.isnan(plain), total < 0)
        dy = rng.normal(size=shape[0]).astype(dtype)
        got = fl.logsumexp.vjp(x, dy, 1, b=b)
        slope = wide / total[:, None] * dy[:, None]
        allowed = 8 * eps * np.abs(slope) * (size / np.abs(total))[:, None]
        assert np.all(np.abs(got - slope) <= allowed)
    close(fl.logsumexp(x.T, 0, b=b.T), fl.logsumexp(x, 1, b=b))
    close(fl.logsumexp(x, 1, b=2), fl.logsumexp(x, 1) + np.log(2), 1e-6)
    close(fl.logsumexp(x, 1, b=np.abs(b)), np.log((np.abs(b) * np.exp(x)).sum(1)), 1e-5)


def test_hard_factors_of_logsumexp() -> None:
    f = fl.logsumexp
    assert f([0.0, -100.0], b=[1, 1]) == f([0.0, -100.0]) == np.exp(-100.0)
    assert f([0.0, inf], b=[1, 0]) == 0 and f([0.0, nan], b=[2, 0]) == np.log(2.0)
    assert f([1.0, inf], b=[-1, 1]) == inf and np.isnan(f([1.0, inf], b=[1, -1]))
    assert np.isnan(f([inf, inf], b=[1, -1])) and np.isnan(f([0.0, nan], b=[1, 1]))
    assert np.isnan(f([0.0, 0.0], b=[1, nan]))
    assert f([-inf, -inf], b=[1, -1]) == -inf and f([1.0, 2.0], b=0) == -inf
    assert f([5.0, 5.0], b=[1, -1], return_sign=True) == (-inf, 0)
    value, sign = f([0.0, 1.0], b=[1, -1], return_sign=True)
    assert sign == -1 and abs(value - np.log(np.e - 1)) < 1e-15
    near = f([0.0, -1e-10], b=[1, -1])
    assert abs(near - np.log(-np.expm1(-1e-10))) < 1e-6
    assert f([1000.0, 999.0], b=[1, -1]) == 1000 + np.log1p(-np.exp(-1.0))
    assert f.vjp([0.0, inf], 1.0, b=[1, 0]).tolist() == [1, 0]
    assert f.vjp([nan, 1.0], 0.0, b=[1, 1]).tolist() == [0, 0]
    assert f.vjp([0.0, 0.0], 1.0, b=[2, -1]).tolist() == [2, -1]
    assert f([[0.0, 5.0], [1.0, 2.0]], b=[1, 1], where=[1, 0], axis=1).tolist() == [0, 1]


def test_without_dimensions() -> None:
    for axis in (None, 0, -1, ()):
        options: dict[str, Any] = {"axis": axis}
        assert fl.softmax(3.0, **options) == 1 and np.ndim(fl.softmax(3.0, **options)) == 0
        assert fl.log_softmax(3.0, **options) == 0
        assert fl.logsumexp(3.0, **options) == 3
        assert fl.softmax.vjp(3.0, 2.0, **options) == 0
        assert fl.log_softmax.vjp(3.0, 2.0, **options) == 0
        assert fl.logsumexp.vjp(3.0, 2.0, **options) == 2
    assert np.isnan(fl.softmax(nan)) and fl.softmax(3.0, where=False) == 0
    out = np.array(3.0)
    assert fl.softmax(out, out=out) is out and out == 1
    for axis in (1, -2):
        with pytest.raises(ValueError, match=r"^axis: "):
            fl.softmax(3.0, axis)
        with pytest.raises(ValueError, match=r"^axis: "):
            fl.logsumexp(3.0, axis)
    x = np.random.default_rng(0).normal(size=(3, 4, 50)).astype(np.float32)
    assert same(fl.logsumexp(x, axis=()), x) and same(fl.logsumexp(x.T, (), True), x.T)
    assert same(fl.logsumexp.vjp(x, x, ()), x)
    assert same(fl.logsumexp(x, (), where=x > 0), np.where(x > 0, x, np.float32(-inf)))


@pytest.mark.parametrize("axis", (True, False, np.True_, 1.0, "1"))
def test_an_axis_is_an_integer(axis: Any) -> None:
    x = np.ones((2, 3))
    for f in (
        lambda: fl.softmax(x, axis),
        lambda: fl.logsumexp(x, axis),
        lambda: fl.cross_entropy(x, [0, 1], axis=axis),
        lambda: fl.ranking_softmax_loss(x, x, axis=axis),
    ):
        with pytest.raises(TypeError, match=r"^axis: an integer is needed"):
            f()


def test_no_gradient_through_a_row_without_a_limit() -> None:
    """0 · nan is 0 where the upstream gradient has the weight 0."""
    for rows_ in (1, 20):
        for classes in (2, 50, 2000):
            x = np.full((rows_, classes), -inf)
            for f in (fl.softmax, fl.log_softmax):
                assert not f.vjp(x, np.zeros_like(x)).any()
                assert np.isnan(f.vjp(x, np.ones_like(x))).all()
            assert not fl.logsumexp.vjp(x, np.zeros(rows_), 1).any()


# ---- counts, labels, signals ---------------------------------------------------------------------


def test_the_least_integer_is_no_class() -> None:
    """Where no label is ignored, none counts as ignored."""
    least = -(2**63)
    for name in ("multi_margin_loss",):
        with pytest.raises(IndexError, match=rf"^target: the class at \[1\] is {least}; "):
            getattr(fl, name)(np.zeros((3, 2)), [0, least, 5])
    assert fl.cross_entropy(np.zeros((3, 2)), [0, least, 1], ignore_index=least) == np.log(2.0)


def test_counts_beyond_float32() -> None:
    """A class that is listed so often that the pairs are more than 2^24."""
    classes, times = 6000, 5000
    x = np.zeros((1, classes), np.float32)
    t = np.full((1, classes), -1)
    t[0, :times] = 7
    grad = fl.multilabel_margin_loss.value_and_grad(x, t, reduction="sum")[1]
    assert grad[0, 7] == -np.float32(times * (classes - 1) / classes)
    assert np.all(np.delete(grad[0], 7) == np.float32(times / classes))


LONG = """
import signal, sys, time
import numpy as np
import fusedloss as fl

x = np.random.default_rng(0).normal(size=(1, 300_000)).astype(np.float32)
call = {
    "pairs": lambda: fl.pairwise_logistic_loss.value_and_grad(x, x),
    "margins": lambda: fl.multilabel_margin_loss.value_and_grad(x, np.arange(300_000)[None]),
}[sys.argv[1]]
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.3)
began = time.perf_counter()
try:
    call()
except KeyboardInterrupt:
    sys.exit(time.perf_counter() - began > 1.3)
sys.exit("not interrupted")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs setitimer")
@pytest.mark.parametrize("which", ("pairs", "margins"))
def test_one_long_row_can_be_interrupted(which: str) -> None:
    done = subprocess.run([sys.executable, "-c", LONG, which], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


@CASE
@pytest.mark.filterwarnings("error")
def test_no_warnings(case: reg.Rows) -> None:
    for dtype in (np.float16, np.float32):
        sample = masked(case, 12, 10).changed(
            lambda a, d=dtype: a.astype(d) if a.dtype == np.float64 else a
        )
        with np.errstate(all="ignore"):
            huge = sample.having(input=sample.arrays["input"] * dtype(1e4))
        with np.errstate(all="raise"):
            for reduction in ("none", "mean", "weighted_mean", "sum_by_nonzero_weights"):
                sample.having(sample_weight=np.zeros(12, dtype)).run(2, reduction=reduction)
                huge.run(2, reduction=reduction)


# ---- exact values --------------------------------------------------------------------------------


@CASE
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_exact_values_with_weights_and_masks(case: reg.Rows, dtype: Any) -> None:
    """Against exact values: the loss of the classes that are left, times the weight of the row."""
    classes, count = 12, 14
    sample = masked(case, count, classes).changed(
        lambda a: a.astype(dtype) if a.dtype == np.float64 else a
    )
    f = np.random.default_rng(5).uniform(0.25, 4, count).astype(dtype)
    mask = sample.arrays["where"]
    got = sample.having(sample_weight=f).each()
    bounds = dict(zip(range(3), case.bounds, strict=True))
    for r in range(count):
        if not mask[r].any():
            continue
        alone = one_row(case, sample, r)
        x, t = alone.arrays["input"][0], alone.arrays["target"][0]
        w = alone.arrays.get(case.weights or "", np.ones(len(x)))
        exact = case.exact(mp_numbers(x), mp_target(case, t), mp_numbers(w))
        factor = mp_numbers(f)[r]
        for k, part in enumerate(exact):
            pairs = [part] if k == 0 else part
            scaled = [(a * factor, b * factor) for a, b in pairs]
            numbers = got[k][r] if k == 0 else got[k][r, mask[r]]
            errors = reg.Exact(scaled, dtype).errors(numbers)
            assert errors.max() <= bounds[k] + 1, (r, k, errors)


# ---- labels of rows that count for nothing -------------------------------------------------------


@pytest.mark.parametrize(
    "name", list(dict.fromkeys(c.loss for c in reg.ROWS if c.target in ("class", "list")))
)
def test_labels_of_rows_of_weight_0(name: str) -> None:
    """They may be anything: padding is often -1."""
    loss = getattr(fl, name)
    x = np.random.default_rng(0).normal(size=(5, 4))
    labels = np.array([0, 3, 1, 2, 0])
    if name == "multilabel_margin_loss":
        labels = np.stack([labels, *np.full((3, 5), -1)], axis=1)
    padded = labels.copy()
    padded[[1, 3]] = -1 if labels.ndim == 1 else 99
    padded[4] = 99
    w = np.array([2.0, 0, 1, 0, 0])
    kept = w != 0
    for reduction in ("none", "sum", "mean", "weighted_mean", "sum_by_nonzero_weights"):
        got = loss.value_grad_hess(x, padded, sample_weight=w, reduction=reduction)
        right = loss.value_grad_hess(x, labels, sample_weight=w, reduction=reduction)
        for a, b in zip(got, right, strict=True):
            np.testing.assert_array_equal(a, b)
    value, grad = loss.value_and_grad(x, padded, sample_weight=w, reduction="none")
    assert not value[~kept].any() and not grad[~kept].any() and value[kept].all()
    with pytest.raises(IndexError, match=r"^target: the class at \[1"):
        loss(x, padded, sample_weight=w + 1e-300)
    classes = np.array([1.0, 2.0, 3.0, 4.0])
    if "weight" in inspect.signature(loss).parameters:
        total, by = loss(x, padded, weight=classes, sample_weight=w, return_divisor=True)
        assert np.isfinite(total) and by in (5.0, classes[0] + classes[1])
