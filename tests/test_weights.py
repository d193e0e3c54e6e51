"""Elements of the weight 0, and elements that a mask leaves out: they count for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import FLOATS, LAYOUTS, ORDERS, REDUCTIONS, Array, Call, elementwise, same

nan, inf = np.nan, np.inf
EVERY = pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
SOME = pytest.mark.parametrize("case", reg.MECHANISMS, ids=str)
SIZES = (1, 5, 1025, 2500)  # with and without whole blocks


def spoiled(case: reg.Elementwise, sample: Call, out: Array) -> list[Call]:
    """The call with every number that does harm, in every operand, where `out` is true."""
    calls = []
    for name, kind in case.kinds.items():
        for harm in (nan, inf, -inf, *reg.KINDS[kind].bad):
            a = sample.arrays[name].copy()
            a[out] = harm
            calls.append(sample.having(**{name: a}))
    return calls


def left_out(size: int) -> Array:
    """Some of so many elements, the last one among them."""
    out = np.random.default_rng(size).random(size) < 0.3
    out[-1] = True
    return out


@EVERY
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_weight_0(case: reg.Elementwise, dtype: Any) -> None:
    """Value and derivatives are 0, the others what they are without such numbers."""
    for size in SIZES:
        out = left_out(size)
        sample = elementwise(case, (size,), dtype, weighted=True)
        sample.arrays["weight"][out] = 0
        expected = sample.each()
        for call in spoiled(case, sample, out):
            for part, wanted in zip(call.each(), expected, strict=True):
                assert np.all(part[out] == 0)
                assert same(part[~out], wanted[~out])
            for reduction in REDUCTIONS:
                for got, wanted in zip(
                    call.run(2, reduction=reduction),
                    sample.run(2, reduction=reduction),
                    strict=True,
                ):
                    assert np.array_equal(got, wanted, equal_nan=True)


@EVERY
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_where(case: reg.Elementwise, dtype: Any) -> None:
    """As if the elements were not there, in every reduction."""
    for size in SIZES[1:]:
        out = left_out(size)
        sample = elementwise(case, (size,), dtype, weighted=True)
        inside = sample.changed(lambda a, kept=~out: a[kept])
        for call in (sample, *spoiled(case, sample, out)):
            for reduction in REDUCTIONS:
                value, grad, hess = call.run(2, reduction=reduction, where=~out)
                if reduction == "batchmean":  # by the length of the axis, whatever counts
                    continue
                wanted = inside.run(2, reduction=reduction)
                if reduction == "none":
                    assert np.all(value[out] == 0)
                    value = value[~out]
                np.testing.assert_allclose(
                    value, wanted[0], rtol=1e-6 if dtype is np.float32 else 1e-13
                )
                for part, w in zip((grad, hess), wanted[1:], strict=True):
                    assert np.all(part[out] == 0)
                    assert same(part[~out], w)


@SOME
def test_where_is_a_weight_of_0_and_1(case: reg.Elementwise) -> None:
    sample = elementwise(case, (40, 50), np.float32)
    rng = np.random.default_rng(0)
    for shape in ((40, 50), (50,), (40, 1), (1, 1), ()):
        where = np.asarray(rng.random(shape) < 0.6)
        weight = where.astype(np.float32)
        for reduction in ("sum", "none", "batchmean", "sum_by_nonzero_weights"):
            got = sample.run(2, where=where, reduction=reduction)
            wanted = sample.run(2, weight=weight, reduction=reduction)
            assert all(map(same, got, wanted))


@SOME
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_and_dtypes_of_masks(case: reg.Elementwise, layout: str) -> None:
    sample = elementwise(case, (40, 50), np.float32)
    where = np.random.default_rng(0).random((40, 50)) < 0.6
    expected = sample.run(2, where=where)
    for dtype in (bool, np.int8, np.uint64, *FLOATS):
        mask = LAYOUTS[layout](where.astype(dtype))
        assert all(map(same, sample.run(2, where=mask), expected)), dtype
    tiny = LAYOUTS[layout](np.where(where, 5e-324, 0))  # which is no float32
    assert all(map(same, sample.run(2, where=tiny), expected))


@EVERY
def test_nan_as_a_weight(case: reg.Elementwise) -> None:
    sample = elementwise(case, (5,), weighted=True)
    sample.arrays["weight"][2] = nan
    for part in sample.each():
        assert np.isnan(part[2]) and not np.any(np.isnan(np.delete(part, 2)))


@SOME
def test_nothing_is_left(case: reg.Elementwise) -> None:
    sample = elementwise(case, (6,))
    for where in (False, np.zeros(6, bool)):
        assert np.isnan(sample.run(where=where)[0])
        for reduction in ("weighted_mean", "sum_by_nonzero_weights", "sum", "batchmean"):
            assert [
                np.count_nonzero(p) for p in sample.run(2, where=where, reduction=reduction)
            ] == [0] * 3


@pytest.mark.parametrize("where", [np.ones(4, bool), np.ones((2, 3), bool)])
def test_masks_that_do_not_broadcast(where: Array) -> None:
    with pytest.raises(ValueError, match=r"^where: shape .* cannot be broadcast"):
        fl.mse_loss([1.0, 2.0, 3.0], 0.0, where=where)


@pytest.mark.parametrize("where", ["yes", [None], 1j, np.array(["a", "b", "c"])])
def test_what_is_no_mask(where: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^where: "):
        fl.mse_loss([1.0, 2.0, 3.0], 0.0, where=where)


def test_missing_targets() -> None:
    value, grad = fl.mse_loss.value_and_grad(
        [1.0, 2.0, 3.0], [2.0, nan, 5.0], weight=[1, 0, 1], reduction="weighted_mean"
    )
    assert value == 2.5 and grad.tolist() == [-1, 0, -2]
    padded = fl.binary_cross_entropy([0.5, 0.5, 0.5], [1, -1, 0], where=[True, False, True])
    assert padded == pytest.approx(np.log(2), rel=1e-15)
    with pytest.raises(ValueError, match=r"^target: the value at \[1\] is -1"):
        fl.binary_cross_entropy([0.5, 0.5, 0.5], [1, -1, 0], weight=[1, 1e-30, 1])


def test_tiny_sums_of_weights() -> None:
    """Finite where the result is, although the inverse of the sum is not."""
    x, t = np.array([1.0, 5.0]), np.array([2.0, 3.0])
    for size in (1e-310, 5e-324, 1e-308, 1e-300):
        value, grad = fl.mse_loss.value_and_grad(
            x, t, weight=[size, size], reduction="weighted_mean"
        )
        assert value == 2.5 and grad == pytest.approx([-1, 2], rel=1e-15)


# ---- what the sum is divided by ------------------------------------------------------------------


@SOME
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_divisors(case: reg.Elementwise, reduction: str) -> None:
    sample = elementwise(case, (30, 4), weighted=True)
    sample.arrays["weight"][3:7] = 0
    where = np.random.default_rng(0).random((30, 4)) < 0.6
    kept = sample.arrays["weight"][where]
    by = {
        "mean": kept.sum() if case.mean_by_weight else kept.size,
        "batchmean": 30,
        "weighted_mean": kept.sum(),
        "sum_by_nonzero_weights": np.count_nonzero(kept),
    }
    total = sample.run(reduction="sum", where=where)[0]
    for order in range(3):
        method = getattr(getattr(fl, case.loss), ORDERS[order])
        options = sample.options | {"reduction": reduction, "where": where}
        plain = method(**sample.arrays, **options)
        *results, divisor = method(**sample.arrays, **options, return_divisor=True)
        assert type(divisor) is float
        assert divisor == pytest.approx(by.get(reduction, 1.0), rel=1e-14)
        assert all(map(np.array_equal, results, plain if order else (plain,)))
        if reduction != "none":
            assert results[0] * divisor == pytest.approx(total, rel=1e-14)


@SOME
@pytest.mark.parametrize("shape", [(), (4,), (30, 1)], ids=str)
def test_divisors_of_weights_that_broadcast(case: reg.Elementwise, shape: tuple[int, ...]) -> None:
    sample = elementwise(case, (30, 4))
    weight = np.random.default_rng(0).integers(0, 3, shape) + 0.25
    where = np.random.default_rng(1).random((30, 1)) < 0.6
    for reduction in REDUCTIONS:
        for mask in ({}, {"where": where}):
            options = {"reduction": reduction, "return_divisor": True, **mask}
            got = sample.having(weight=weight).run(**options)[0]
            full = np.broadcast_to(weight, (30, 4)).copy()
            wanted = sample.having(weight=full).run(**options)[0]
            np.testing.assert_allclose(got[1], wanted[1], rtol=1e-14)
            np.testing.assert_allclose(got[0], wanted[0], rtol=1e-14)


@pytest.mark.parametrize("method", ["__call__", "value_and_grad", "value_grad_hess"])
def test_return_divisor_is_true_or_false(method: str) -> None:
    for wrong in (1, None, "yes", 0):
        with pytest.raises(TypeError, match=r"^return_divisor: True or False is needed"):
            getattr(fl.mse_loss, method)([1.0], [2.0], return_divisor=wrong)


def test_means_of_parts() -> None:
    """What return_divisor is for."""
    rng = np.random.default_rng(0)
    x, t, w = rng.normal(size=(3, 1000))
    parts = [
        fl.huber_loss(x[k], t[k], weight=w[k], reduction="weighted_mean", return_divisor=True)
        for k in np.array_split(np.arange(1000), 7)
    ]
    mean = sum(v * n for v, n in parts) / sum(n for _, n in parts)
    assert mean == pytest.approx(fl.huber_loss(x, t, weight=w, reduction="weighted_mean"))


@pytest.mark.parametrize(
    ("loss", "operands", "name"),
    [
        ("cross_entropy", ([[0.0, 1.0], [2.0, 0.5]], [0, 1]), "sample_weight"),
        ("cross_entropy", ([[0.0, 1.0], [2.0, 0.5]], [0, 1]), "weight"),
        ("brier_loss", ([[0.0, 1.0], [2.0, 0.5]], [0, 1]), "sample_weight"),
        ("multi_margin_loss", ([[0.0, 1.0], [2.0, 0.5]], [0, 1]), "sample_weight"),
        ("multilabel_margin_loss", ([[0.0, 1.0], [2.0, 0.5]], [[0, -1]] * 2), "sample_weight"),
        ("multilabel_soft_margin_loss", ([[0.0, 1.0], [2.0, 0.5]], [[0, 1]] * 2), "sample_weight"),
        ("multilabel_soft_margin_loss", ([[0.0, 1.0], [2.0, 0.5]], [[0, 1]] * 2), "weight"),
        ("ranking_softmax_loss", ([[0.0, 1.0], [2.0, 0.5]], [[0, 1]] * 2), "sample_weight"),
        ("pairwise_logistic_loss", ([[0.0, 1.0], [2.0, 0.5]], [[0, 1]] * 2), "weight"),
        ("mean_pairwise_squared_error", ([[0.0, 1.0], [2.0, 0.5]], [[0, 1]] * 2), "weight"),
        ("info_nce_loss", ([[0.0, 1.0], [2.0, 0.5]], [[1.0, 1.0], [0.0, 1.0]]), "weight"),
        ("supervised_contrastive_loss", ([[0.0, 1.0], [2.0, 0.5]], [1, 1]), "weight"),
        ("circle_loss", ([[0.0, 1.0], [2.0, 0.5], [1.0, 1.0]], [1, 1, 0]), "weight"),
        ("cosine_distance", ([[0.0, 1.0], [2.0, 0.5]], [[1.0, 1.0], [0.0, 1.0]]), "weight"),
        ("generalized_box_iou_loss", ([[0, 0, 1, 1.0]] * 2, [[0, 0, 2, 2.0]] * 2), "weight"),
    ],
)
def test_weights_whose_sum_has_no_inverse(loss: str, operands: Any, name: str) -> None:
    """Tiny weights of rows, classes and items give the weighted mean that the others give."""
    function, w = getattr(fl, loss), np.ones(len(operands[0]))
    w[1:] = 0.5
    results = [
        function.value_and_grad(
            *operands, **{name: w * size}, reduction="weighted_mean", return_divisor=True
        )
        for size in (1.0, 2.0**-1040)
    ]
    (value, grads, by), (got, slopes, tiny) = results
    assert tiny == by * 2.0**-1040
    np.testing.assert_allclose(got, value, rtol=1e-9)
    np.testing.assert_allclose(np.stack(slopes), np.stack(grads), rtol=1e-9, atol=1e-12)


def test_tiny_weights_are_not_written_to() -> None:
    w = np.array([1e-310, 1e-310])
    with pytest.raises(ValueError, match="grad_out: shares memory"):
        fl.mse_loss.value_and_grad(
            [1.0, 2.0], [0.0, 0.0], weight=w, reduction="weighted_mean", grad_out=w
        )
    assert np.all(w == 1e-310)


def test_mask_and_weight_of_many_axes() -> None:
    x = np.full((1,) * 64, 2.0)
    options: dict[str, Any] = {"weight": x, "where": x != 0, "reduction": "weighted_mean"}
    assert fl.mse_loss(x, 0.0, **options, return_divisor=True) == (4.0, 2.0)
