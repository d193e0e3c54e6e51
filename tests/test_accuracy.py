"""Value, gradient and second derivative against mpmath: at most 4 ULP, at every level."""

from __future__ import annotations

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


def flat(rows: Any) -> list[reg.Pair]:
    return list(chain.from_iterable(rows))


_known: dict[Any, Any] = {}


def once(key: Any, make: Any) -> Any:
    """The truth takes longer than the kernels: compute it once for all levels."""
    if key not in _known:
        _known[key] = make()
    return _known[key]


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
def test_elementwise(case: reg.Elementwise, dtype: Any, level: str) -> None:
    operands = dict(zip(case.kinds, reg.elementwise_inputs(case, dtype), strict=False))

    def truth() -> Any:
        points = zip(*map(numbers, operands.values()), strict=True)
        return [
            reg.Exact(part, dtype)
            for part in zip(*(case.exact(*point) for point in points), strict=True)
        ]

    exact = once((str(case), dtype), truth)
    loss, options = loss_of(case), case.options
    got = loss.value_grad_hess(**operands, reduction="none", **options)
    bounds = dict(zip(("value", "gradient", "hessian"), case.bounds, strict=True))
    for part, true, (what, bound) in zip(got, exact, bounds.items(), strict=True):
        check(part, true, dtype, what, bound, operands)
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
    for k, what in enumerate(("value", "gradient", "hessian")):
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
def test_rows(case: reg.Rows, classes: int, dtype: Any, level: str) -> None:
    x, t, w = reg.rows_inputs(case, dtype, classes)
    options = dict(case.options)
    if case.weighted and case.weights:
        options[case.weights] = w
    else:
        w = np.ones_like(w)
    seen = np.ones(x.shape, bool)
    seen[...] = reg.to_look_at(x, t)

    def truth() -> Any:
        rows = [
            case.exact(numbers(row), mp_target(case, target), numbers(w))
            for row, target in zip(x, t, strict=True)
        ]
        value, gradient, hessian = zip(*rows, strict=True)
        picked = [list(compress(flat(part), seen.ravel())) for part in (gradient, hessian)]
        return [reg.Exact(p, dtype) for p in (value, *picked)]

    exact = once((str(case), classes, dtype), truth)
    loss = getattr(fl, case.loss)
    for layout in (np.ascontiguousarray, np.asfortranarray):
        value, *rest = loss.value_grad_hess(layout(x), t, axis=1, reduction="none", **options)
        got = value, *(part[seen] for part in rest)
        bounds = dict(zip(("value", "gradient", "hessian"), case.bounds, strict=True))
        for part, true, (what, bound) in zip(got, exact, bounds.items(), strict=True):
            check(part, true, dtype, what, bound)


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("case", reg.ACTIVATIONS, ids=lambda c: c.name)
def test_elementwise_activations(case: reg.ElementwiseActivation, dtype: Any, level: str) -> None:
    rng = np.random.default_rng(3)
    x = np.concatenate([reg.hard_numbers(dtype), (rng.normal(size=500) * 20).astype(dtype)])
    value, slope = once(
        (case.name, dtype),
        lambda: [reg.Exact(p, dtype) for p in zip(*map(case.truth, numbers(x)), strict=True)],
    )
    function = getattr(fl, case.name)
    check(function(x), value, dtype, "value")
    check(function.vjp(x, np.ones_like(x)), slope, dtype, "derivative")


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("classes", reg.CLASSES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_row_activations(name: str, classes: int, dtype: Any, level: str) -> None:
    x, _, _ = reg.rows_inputs(reg.ROWS[0], dtype, classes)
    exact = once(
        (name, classes, dtype),
        lambda: reg.Exact(flat(reg.row_activation_truth(name, numbers(row)) for row in x), dtype),
    )
    for layout in (np.ascontiguousarray, np.asfortranarray):
        check(getattr(fl, name)(layout(x), axis=1), exact, dtype, name)


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("classes", [2, 10, 100, 1500])
def test_carrying_back(classes: int, dtype: Any, level: str) -> None:
    """The vjp of the row activations, as Σ_j dy_j ∂y_j/∂x_k; sizes are those of the terms."""
    x, _, _ = reg.rows_inputs(reg.ROWS[0], dtype, classes)
    dy = np.random.default_rng(5).normal(size=x.shape).astype(dtype)

    def truth() -> dict[str, reg.Exact]:
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
        return {name: reg.Exact(part, dtype) for name, part in carried.items()}

    exact = once(("vjp", classes, dtype), truth)
    for name in ("softmax", "log_softmax"):  # differences by nature, so of the larger term
        check(getattr(fl, name).vjp(x, dy, axis=1), exact[name], dtype, name, bound=6)
    got = fl.logsumexp.vjp(x, dy[:, 0], axis=1)
    check(got, exact["logsumexp"], dtype, "logsumexp")


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
def test_a_large_vocabulary(dtype: Any, level: str) -> None:
    """128256 classes; few different logits, so that the exact sums are short."""
    classes, rng = 128_256, np.random.default_rng(0)
    few = (rng.normal(size=400) * 6).astype(dtype)
    kind = rng.integers(0, few.size, (3, classes))
    x, y = few[kind], np.array([0, 77_777, classes - 1])
    got = fl.cross_entropy.value_grad_hess(x, y, return_lse=True, reduction="none")
    for r, target in enumerate(y):
        e = [mp.exp(v) for v in numbers(few)]
        total = mp.fsum(n * v for n, v in zip(np.bincount(kind[r]).tolist(), e, strict=False))
        lse, own = mp.log(total), mp.mpf(float(x[r, target]))
        check(got[0][r : r + 1], [reg.exactly(lse - own)], dtype, "value")
        check(got[3][r : r + 1], [reg.exactly(lse)], dtype, "logsumexp")
        p = [v / total for v in e]
        for part, of, bound in (
            (got[1][r], reg.Exact([reg.exactly(v) for v in p], dtype), 4),
            (got[2][r], reg.Exact([reg.exactly(v * (1 - v)) for v in p], dtype), 6),
        ):
            others = np.arange(classes) != target
            for k in range(few.size):  # the same number wherever the logit is the same
                same = part[others & (kind[r] == k)]
                worst = same[np.argmax(np.abs(same - of.high[k]))]
                error = abs((float(worst) - of.high[k]) - of.low[k]) / of.unit[k]
                assert error <= bound, (k, worst)
        own = p[kind[r, target]] - 1
        check(got[1][r, target : target + 1], [reg.exactly(own)], dtype, "gradient")


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
def test_confident_tails(case: reg.Rows, dtype: Any, level: str) -> None:
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
    for gap in (*gaps, *(-g for g in gaps)):
        x = np.array([[gap, 0]], dtype)
        exact = case.exact(numbers(x), mp_target(case, t[0]), numbers(w))
        got = getattr(fl, case.loss).value_grad_hess(x, t, axis=1, reduction="none", **options)
        for part, true, bound in zip(got, ([exact[0]], *exact[1:]), case.bounds, strict=True):
            check(part, true, dtype, f"gap {gap}", bound)
