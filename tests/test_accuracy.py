"""Value, gradient and second derivative against exact values: at most 4 ULP, at every level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, compress
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.losses.case import mp
from tests.samples import loss_of, mp_target
from tests.samples import mp_numbers as numbers

BOUND = 4.0  # value and gradient; second derivatives 6
WHAT = ("value", "gradient", "hessian")


def flat(rows: Any) -> list[reg.Pair]:
    return list(chain.from_iterable(rows))


def check(
    got: Any,
    exact: reg.Exact | list[reg.Pair],
    dtype: Any,
    what: str,
    bound: float = BOUND,
    operands: dict[str, Any] | None = None,
) -> None:
    if isinstance(exact, list):
        exact = reg.Exact(exact, dtype)
    assert np.asarray(got).dtype == dtype
    errors = exact.errors(got)
    worst = int(np.argmax(errors))
    assert errors[worst] <= bound, (
        f"{what}: {errors[worst]:.2f} ULP at [{worst}]: {np.ravel(got)[worst]!r}, "
        f"not {exact.shown(worst)}; of { ({k: a[worst] for k, a in (operands or {}).items()}) }"
    )


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
def test_elementwise(case: reg.Elementwise, dtype: Any, levels: Iterator[str]) -> None:
    operands = dict(zip(case.kinds, reg.elementwise_inputs(case, dtype), strict=False))
    points = zip(*map(numbers, operands.values()), strict=True)
    exact = [
        reg.Exact(part, dtype)
        for part in zip(*(case.exact(*point) for point in points), strict=True)
    ]
    loss, options = loss_of(case), case.options
    for level in levels:
        got = loss.value_grad_hess(**operands, reduction="none", **options)
        for part, true, what, bound in zip(got, exact, WHAT, case.bounds, strict=True):
            check(part, true, dtype, f"{what}, {level}", bound, operands)
        assert np.array_equal(loss(**operands, reduction="none", **options), got[0])
        once_more = loss.value_and_grad(**operands, reduction="none", **options)
        assert all(map(np.array_equal, once_more, got))


@pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
def test_many_random_inputs(case: reg.Elementwise) -> None:
    """The worst of 100 000 inputs in float32, as float64 finds them, against exact values."""
    rng = np.random.default_rng(11)
    operands = {
        name: reg.KINDS[kind].random(rng, 100_000).astype(np.float32)
        for name, kind in case.kinds.items()
    }
    loss, options = loss_of(case), case.options
    got = loss.value_grad_hess(**operands, reduction="none", **options)
    wide = {name: a.astype(np.float64) for name, a in operands.items()}
    near = loss.value_grad_hess(**wide, reduction="none", **options)
    for k, what in enumerate(WHAT):
        with np.errstate(all="ignore"):
            unit = np.spacing(np.abs(near[k]).astype(np.float32)).astype(np.float64)
            errors = np.nan_to_num(np.abs(got[k] - near[k]) / unit, nan=0.0, posinf=0.0)
        worst = np.argsort(errors)[-20:]
        points = zip(*(numbers(a[worst]) for a in operands.values()), strict=True)
        exact = reg.Exact([case.exact(*point)[k] for point in points], np.float32)
        picked = {name: a[worst] for name, a in operands.items()}
        check(got[k][worst], exact, np.float32, what, case.bounds[k], picked)


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize(
    ("case", "classes"),
    [
        pytest.param(case, classes, id=f"{case}-{classes}")
        for classes in reg.CLASSES
        for case in (reg.ROWS if classes <= reg.MANY else reg.ROWS_ONE_OF_EACH)
    ],
)
def test_rows(case: reg.Rows, classes: int, dtype: Any, levels: Iterator[str]) -> None:
    x, t, w = reg.rows_inputs(case, dtype, classes)
    options = dict(case.options)
    if case.weighted and case.weights:
        options[case.weights] = w
    else:
        w = np.ones_like(w)
    seen = np.ones(x.shape, bool)
    seen[...] = reg.to_look_at(x, t)
    rows = [
        case.exact(numbers(row), mp_target(case, target), numbers(w))
        for row, target in zip(x, t, strict=True)
    ]
    true, gradient, hessian = zip(*rows, strict=True)
    picked = [list(compress(flat(part), seen.ravel())) for part in (gradient, hessian)]
    exact = [reg.Exact(p, dtype) for p in (true, *picked)]
    loss = getattr(fl, case.loss)
    for level in levels:
        for layout in (np.ascontiguousarray, np.asfortranarray):
            value, *rest = loss.value_grad_hess(layout(x), t, axis=1, reduction="none", **options)
            got = value, *(part[seen] for part in rest)
            for part, right, what, bound in zip(got, exact, WHAT, case.bounds, strict=True):
                check(part, right, dtype, f"{what}, {level}", bound)


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("case", reg.ACTIVATIONS, ids=lambda c: c.name)
def test_elementwise_activations(
    case: reg.ElementwiseActivation, dtype: Any, levels: Iterator[str]
) -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([reg.hard_numbers(dtype), (rng.normal(size=500) * 20).astype(dtype)])
    value, slope = (reg.Exact(p, dtype) for p in zip(*map(case.truth, numbers(x)), strict=True))
    function = getattr(fl, case.name)
    for level in levels:
        check(function(x), value, dtype, f"value, {level}")
        check(function.vjp(x, np.ones_like(x)), slope, dtype, f"derivative, {level}")


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("classes", reg.CLASSES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_row_activations(name: str, classes: int, dtype: Any, levels: Iterator[str]) -> None:
    x, _, _ = reg.rows_inputs(reg.ROWS[0], dtype, classes)
    exact = reg.Exact(flat(reg.row_activation_truth(name, numbers(row)) for row in x), dtype)
    for level in levels:
        for layout in (np.ascontiguousarray, np.asfortranarray):
            check(getattr(fl, name)(layout(x), axis=1), exact, dtype, level)


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("classes", [2, 10, 100, 1500])
def test_carrying_back(classes: int, dtype: Any, levels: Iterator[str]) -> None:
    """The vjp of the row activations, as Σ_j dy_j ∂y_j/∂x_k; sizes are those of the terms."""
    x, _, _ = reg.rows_inputs(reg.ROWS[0], dtype, classes)
    dy = np.random.default_rng(5).normal(size=x.shape).astype(dtype)
    carried: dict[str, list[reg.Pair]] = {"softmax": [], "log_softmax": [], "logsumexp": []}
    for row, g in zip(x, dy, strict=True):
        g = numbers(g)
        p = [pair[0] for pair in reg.row_activation_truth("softmax", numbers(row))]
        sum_g = mp.fsum(g)
        mean_g = mp.fsum(a * b for a, b in zip(p, g, strict=True))
        size = mp.fsum(a * abs(b) for a, b in zip(p, g, strict=True))
        size_g = mp.fsum(map(abs, g))
        for pj, gj in zip(p, g, strict=True):
            carried["softmax"].append((pj * (gj - mean_g), pj * (abs(gj) + size)))
            carried["log_softmax"].append((gj - pj * sum_g, abs(gj) + pj * size_g))
            carried["logsumexp"].append(reg.exactly(pj * g[0]))
    exact = {name: reg.Exact(part, dtype) for name, part in carried.items()}
    for level in levels:
        for name in ("softmax", "log_softmax"):  # differences by nature, so of the larger term
            check(getattr(fl, name).vjp(x, dy, axis=1), exact[name], dtype, f"{name}, {level}", 6)
        got = fl.logsumexp.vjp(x, dy[:, 0], axis=1)
        check(got, exact["logsumexp"], dtype, f"logsumexp, {level}")


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("size", [1, 63, 1024, 1025, 50_000])
def test_sums(size: int, dtype: Any, level: str) -> None:
    """Reduced values: the sum of the rounded elements, to the last place of the result."""
    rng = np.random.default_rng(size)
    x, t = rng.normal(size=(2, size)).astype(dtype)
    each = fl.huber_loss(x, t, reduction="none")
    total = mp.fsum(numbers(each))
    for reduction, by in (("sum", 1), ("mean", size), ("batchmean", size)):
        got = fl.huber_loss(x, t, reduction=reduction)
        check(got, [reg.exactly(total / by)], dtype, reduction)


@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_a_large_vocabulary(dtype: Any, levels: Iterator[str]) -> None:
    """128256 classes; few different logits, so that the exact sums are short."""
    classes, rng = 128_256, np.random.default_rng(0)
    few = (rng.normal(size=400) * 6).astype(dtype)
    kind = rng.integers(0, few.size, (3, classes))
    x, y = few[kind], np.array([0, 77_777, classes - 1])
    e = [mp.exp(v) for v in numbers(few)]
    exact = []
    for r, target in enumerate(y):
        total = mp.fsum(n * v for n, v in zip(np.bincount(kind[r]).tolist(), e, strict=False))
        lse, own = mp.log(total), mp.mpf(float(x[r, target]))
        p = [v / total for v in e]
        slopes = reg.Exact([reg.exactly(v) for v in p], dtype)
        bends = reg.Exact([reg.exactly(v * (1 - v)) for v in p], dtype)
        exact.append((lse, lse - own, p[kind[r, target]] - 1, slopes, bends))
    for level in levels:
        got = fl.cross_entropy.value_grad_hess(x, y, return_lse=True, reduction="none")
        for r, (target, (lse, value, own, slopes, bends)) in enumerate(zip(y, exact, strict=True)):
            check(got[0][r : r + 1], [reg.exactly(value)], dtype, f"value, {level}")
            check(got[3][r : r + 1], [reg.exactly(lse)], dtype, f"logsumexp, {level}")
            for part, of, bound in ((got[1][r], slopes, 4), (got[2][r], bends, 6)):
                others = np.arange(classes) != target
                for k in range(few.size):  # the same number wherever the logit is the same
                    same = part[others & (kind[r] == k)]
                    worst = same[np.argmax(np.abs(same - of.high[k]))]
                    error = abs((float(worst) - of.high[k]) - of.low[k]) / of.unit[k]
                    assert error <= bound, (k, worst, level)
            slope = got[1][r, target : target + 1]
            check(slope, [reg.exactly(own)], dtype, f"gradient, {level}")


def test_confident_tails_of_half_a_row(level: str) -> None:
    """The loss of a class that is ahead by a gap is log1p(exp(-gap)), not 0."""
    for g in (17, 40, 80, 700):
        dtype: Any = np.float32 if g <= 80 else np.float64
        true = [reg.exactly(mp.log1p(mp.exp(-g)))]
        for x, t in ((-g, 0), (g, 1)):
            got = fl.binary_cross_entropy_with_logits(np.array(x, dtype), t)
            check(got, true, dtype, f"logit {x}")
    value = fl.cross_entropy(np.array([[17, 0]], np.float32), [0])
    assert f"{value:.3g}" == "4.14e-08"


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("case", reg.ROWS, ids=str)
def test_confident_tails(case: reg.Rows, dtype: Any, levels: Iterator[str]) -> None:
    """Of a class that is ahead by a gap, and is the target or is not."""
    gaps = (17, 40, 80) if dtype is np.float32 else (17, 40, 100, 200, 700)
    one: dict[str, Any] = {"class": 0, "list": [0, -1], "probability": [1, 0], "multilabel": [1, 0]}
    t = np.array([one[case.target]], None if case.target in ("class", "list") else dtype)
    w = np.array([0.75, 1.5], dtype)
    options = dict(case.options)
    if case.weighted and case.weights:
        options[case.weights] = w
    else:
        w = np.ones(2, dtype)
    rows = [np.array([[gap, 0]], dtype) for gap in (*gaps, *(-g for g in gaps))]
    exact = [case.exact(numbers(x), mp_target(case, t[0]), numbers(w)) for x in rows]
    loss = getattr(fl, case.loss)
    for level in levels:
        for x, (value, *rest) in zip(rows, exact, strict=True):
            got = loss.value_grad_hess(x, t, axis=1, reduction="none", **options)
            for part, true, bound in zip(got, ([value], *rest), case.bounds, strict=True):
                check(part, true, dtype, f"{x[0].tolist()}, {level}", bound)
