"""What the losses mean: reductions, derivatives, special values, ignored rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import lgamma
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    CASES,
    REDUCTIONS,
    Array,
    Call,
    Case,
    call,
    class_weights,
    divisors,
    elementwise,
    rows,
    same,
    truth,
    with_class_weights,
)

nan, inf = np.nan, np.inf
ELEMENTWISE = pytest.mark.parametrize("case", reg.ELEMENTWISE, ids=str)
ROWS = pytest.mark.parametrize("case", reg.ROWS, ids=str)
DROPPING = pytest.mark.parametrize(
    "case", [case for case in reg.ROW_MECHANISMS if case.drops], ids=str
)
CLASS_WEIGHTED = pytest.mark.parametrize(
    "case", [case for case in reg.ROWS if case.target == "class" and case.weights], ids=str
)
ANY = pytest.mark.parametrize("case", CASES, ids=str)
ONE_OF_EACH = pytest.mark.parametrize("case", reg.ONE_OF_EACH, ids=str)
DTYPE = pytest.mark.parametrize("dtype", reg.DTYPES)


def near(got: Any, expected: Any, rtol: float = 1e-13) -> None:
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-300)


# ---- reductions ----------------------------------------------------------------------------------


def check_reductions(call: Call, each: Array, divisors: dict[str, float]) -> None:
    """Values are the sum over the divisor; derivatives those of "none" over it, too."""
    _, grad, hess = call.each()
    for reduction, divisor in divisors.items():
        if divisor == 0 and reduction in ("weighted_mean", "sum_by_nonzero_weights"):
            total, scale = 0.0, 0.0
        elif divisor == 0:
            total, scale = nan, nan
        else:
            total, scale = each.sum() / divisor, 1 / divisor
        got = call.run(2, reduction=reduction)
        assert isinstance(got[0], np.float64)
        near(got[0], total)
        # A slope may be a small difference of larger terms, whose roundings scale otherwise; what
        # has no weight has none, whatever it is divided by.
        idle = divisor == 0 and not np.any(call.arrays.get("weight", 1))
        for part, each_part in zip(got[1:], (grad, hess), strict=True):
            expected = each_part * (0.0 if idle else scale)
            atol = 1e-16 * max(1.0, float(np.max(np.abs(expected), initial=0)))
            np.testing.assert_allclose(part, expected, rtol=1e-13, atol=atol)
        for order in (0, 1):
            assert all(map(same, call.run(order, reduction=reduction), got))


@ONE_OF_EACH
@pytest.mark.parametrize("weights", ["none", "some", "some zero", "all zero"])
def test_reductions_of_elements(case: reg.Elementwise, weights: str) -> None:
    call = elementwise(case, (6, 4))
    each = call.each()[0]
    total = nonzero = n = float(each.size)
    if weights != "none":
        w = np.random.default_rng(1).uniform(0.5, 2, (6, 4))
        if weights != "some":
            w[1:4] = 0
        if weights == "all zero":
            w[:] = 0
        call = call.having(weight=w)
        each = each * w
        total, nonzero = w.sum(), float(np.count_nonzero(w))
    divisors = {
        "mean": total if case.mean_by_weight else n,
        "sum": 1.0,
        "batchmean": 6.0,
        "weighted_mean": total,
        "sum_by_nonzero_weights": nonzero,
    }
    assert set(divisors) | {"none"} == set(REDUCTIONS)
    near(call.each()[0], each)
    check_reductions(call, each, divisors)


def test_divisors_are_torchs() -> None:
    """The registry says which mean divides by the weights; this says it once more, in numbers."""
    x, t, w = np.array([1.0, 3.0]), np.array([0.0, 1.0]), np.array([3.0, 1.0])
    assert fl.mse_loss(x, t, weight=w) == 7 / 4
    assert fl.l1_loss(x, t, weight=w) == 5 / 4
    assert fl.huber_loss(x, t, weight=w) == 3 / 2
    each = fl.binary_cross_entropy_with_logits(x, t, reduction="none")
    near(fl.binary_cross_entropy_with_logits(x, t, w), (each * w).sum() / 2)
    near(
        fl.binary_cross_entropy_with_logits(x, t, w, pos_weight=w), ((each * w) * [1, 1]).sum() / 2
    )


@ROWS
@pytest.mark.parametrize("shape", [(7, 5), (4, 5, 3), (300, 5), (7, 80)])
@pytest.mark.parametrize("weights", ["as is", "some zero"])
def test_reductions_of_rows(case: reg.Rows, shape: tuple[int, ...], weights: str) -> None:
    call = rows(case, shape)
    if weights == "some zero" and case.weights:
        w = class_weights(case, call)
        w[2:4] = 0
        call = with_class_weights(case, call, w)
    if case.drops:
        call.arrays["target"][0] = -100
    each = call.each()[0]
    assert each.shape == (shape[0], *shape[2:])
    check_reductions(call, each, divisors(case, call))


@ANY
def test_nothing_to_reduce(case: Case) -> None:
    """0/0 is nan, as NumPy's mean of nothing; TensorFlow's reductions give 0; a sum is 0."""
    for shape, reduction in itertools.product(((0, 3), (0, 3, 2), (2, 3, 0)), REDUCTIONS):
        if isinstance(case, reg.Rows):
            call = rows(case, shape)
        else:
            call = elementwise(case, shape)
        got = call.run(2, reduction=reduction)
        for part in got[1:]:
            assert part.shape == shape
        if reduction == "none":
            assert got[0].shape == ((shape[0], *shape[2:]) if isinstance(case, reg.Rows) else shape)
        elif reduction == "mean":
            assert same(got[0], np.float64(nan))
        elif reduction == "batchmean" and shape[0] == 0:
            assert np.isnan(got[0])
        else:
            assert got[0] == 0


@ELEMENTWISE
def test_empty_vectors_and_scalars(case: reg.Elementwise) -> None:
    empty = elementwise(case, (0,))
    assert np.isnan(empty.run()[0])
    assert empty.each()[0].shape == (0,)
    one = elementwise(case, ())
    each = one.each()
    assert all(part.shape == () for part in each)
    for reduction in REDUCTIONS:
        got = one.run(2, reduction=reduction)
        assert got[0] == each[0] and all(map(same, got[1:], each[1:]))  # -0 may become 0
    alone = elementwise(case, (1,))
    assert alone.run()[0] == alone.each()[0][0]


@ANY
def test_gradient_of_none_is_that_of_the_sum(case: Case) -> None:
    sample = call(case, 3000)
    each, summed = sample.each(), sample.run(2, reduction="sum")
    assert same(each[1], summed[1])
    assert same(each[2], summed[2])


@DTYPE
def test_sums_do_not_overflow_before_the_division(dtype: Any) -> None:
    huge = np.full(1000, np.finfo(dtype).max / 2, dtype)
    if dtype is np.float32:
        assert fl.l1_loss(huge, 0) == huge[0]
        assert fl.l1_loss(huge, 0, reduction="sum") == inf


@DTYPE
def test_sums_keep_small_terms(dtype: Any) -> None:
    x = np.full(2**20, 1, dtype)
    x[0] = 2**24 if dtype is np.float32 else 2**53
    got, exact = fl.l1_loss(x, 0, reduction="sum"), int(x[0]) + 2**20 - 1
    if dtype is np.float32:
        assert got == np.float32(exact)
    else:
        assert abs(int(got) - exact) <= 4 * np.spacing(float(exact))


# ---- derivatives ---------------------------------------------------------------------------------


@ELEMENTWISE
def test_derivatives_of_elements(case: reg.Elementwise) -> None:
    call, h = elementwise(case, (400,), weighted=True), 1e-6
    low, high = reg.KINDS[case.kinds[case.lead]].moderate
    call = call.having(**{case.lead: np.clip(call.leading, low + h, high - h)})
    value, grad, hess = call.each()
    up, down = (call.moved(d).each() for d in (h, -h))
    smooth = np.ones(400, bool)  # no kink in between
    for k in (1, 2):
        size = 1 + np.abs(up[k]) + np.abs(down[k])
        smooth &= np.abs(up[k] - down[k]) < 1e-5 * size
        smooth &= np.abs(up[k] - (grad, hess)[k - 1]) < 1e-5 * size
    assert smooth.mean() > 0.5
    for k, part in ((0, grad), (1, hess)):
        slope = (up[k] - down[k]) / (2 * h)
        change = np.maximum(np.abs(up[k + 1] - part), np.abs(down[k + 1] - part))
        allowed = 1e-8 * (1 + np.abs(up[k]) + np.abs(part)) + change
        assert np.all(np.abs(part - slope)[smooth] <= allowed[smooth])
    assert same(value, call.each(0)[0])


@ROWS
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_derivatives_of_rows(case: reg.Rows, axis: int) -> None:
    shape = (3, 4, 5)
    call, h = rows(case, shape, axis), 1e-5
    _, grad, hess = call.each()
    for c in range(shape[axis]):
        step = np.zeros(shape)
        at = (slice(None),) * axis + (c,)
        step[at] = h
        up, down = (call.having(input=call.input + d).each() for d in (step, -step))
        smooth = np.ones(grad[at].shape, bool)
        if not case.smooth:  # no kink in between
            for k, part in ((1, grad), (2, hess)):
                low, high = (np.minimum, np.maximum)
                spread = high(high(up[k], down[k]), part) - low(low(up[k], down[k]), part)
                smooth &= spread[at] < 1e-3
            assert smooth.mean() > 0.8
        for k, part in ((0, grad), (1, hess)):
            slope = up[k] - down[k] if k == 0 else (up[k] - down[k])[at]
            np.testing.assert_allclose(
                part[at][smooth], slope[smooth] / (2 * h), rtol=1e-6, atol=1e-8
            )


@pytest.mark.parametrize("function", reg.ACTIVATIONS, ids=lambda c: c.name)
def test_derivatives_of_elementwise_activations(function: reg.ElementwiseActivation) -> None:
    f, h = getattr(fl, function.name), 1e-6
    x, dy = np.random.default_rng(0).normal(size=(2, 5, 6)) * 3
    slope = (f(x + h) - f(x - h)) / (2 * h)
    np.testing.assert_allclose(f.vjp(x, dy), dy * slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_derivatives_of_row_activations(name: str, axis: int) -> None:
    f, h = getattr(fl, name), 1e-6
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4)) * 2
    dy = rng.normal(size=f(x, axis=axis).shape)
    got = f.vjp(x, dy, axis=axis)
    for k in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[k] = h
        slope = ((f(x + step, axis=axis) - f(x - step, axis=axis)) * dy).sum() / (2 * h)
        np.testing.assert_allclose(got[k], slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sigmoid", "logsigmoid"])
def test_vjp_broadcasts_grad_output(name: str) -> None:
    f = getattr(fl, name)
    x = np.random.default_rng(0).normal(size=(3, 4))
    for dy in (np.float64(2), np.array([[1.0], [2], [3]]), np.arange(4.0)):
        assert same(f.vjp(x, dy), f.vjp(x, np.broadcast_to(dy, x.shape).copy()))


def test_subgradients_at_kinks() -> None:
    """Torch's: 0 for l1; at delta huber's slope is delta and its second derivative 0."""
    value, grad, hess = fl.l1_loss.value_grad_hess([0.0, -0.0], [0.0, 0.0], reduction="none")
    assert same(value, np.zeros(2))
    assert np.array_equal(grad, [0, 0]) and np.array_equal(hess, [0, 0])
    d = [1.5, -1.5, np.nextafter(1.5, 0), np.nextafter(1.5, 2)]
    _, grad, hess = fl.huber_loss.value_grad_hess(d, np.zeros(4), delta=1.5, reduction="sum")
    assert np.array_equal(grad, [1.5, -1.5, d[2], 1.5])
    assert np.array_equal(hess, [0, 0, 1, 0])


def at(loss: Any, x: Any, t: Any, **options: Any) -> tuple[list[Any], ...]:
    """Value, gradient and second derivative of each element, as lists."""
    x, t = (np.asarray(a, np.float64) for a in (x, t))
    got = loss.value_grad_hess(x, t, reduction="none", **options)
    return tuple(part.tolist() for part in got)


def test_subgradients_of_regression_losses() -> None:
    """As torch's where torch has the loss; 0 where the slope jumps at equal numbers."""
    zero, ones = [0.0, 0.0], [1.0, 1.0]
    assert at(fl.smooth_l1_loss, [0.5, -0.5], zero, beta=0.5)[1:] == ([1, -1], zero)
    assert at(fl.smooth_l1_loss, [0.25, -0.25], zero, beta=0.5)[1:] == ([0.5, -0.5], [2, 2])
    assert at(fl.smooth_l1_loss, [0.0, -0.0], zero, beta=0) == (zero, zero, zero)
    assert at(fl.smooth_l1_loss, [3.0, -3.0], zero, beta=0) == ([3, 3], [1, -1], zero)
    for q in (0.0, 0.25, 1.0):
        assert at(fl.quantile_loss, [0.0, -0.0], zero, q=q) == (zero, zero, zero)
        assert at(fl.quantile_loss, [2.0, -2.0], zero, q=q)[1] == [1 - q, -q]
        assert at(fl.expectile_loss, [0.0, -0.0], zero, q=q) == (zero, zero, ones)
        assert at(fl.expectile_loss, [2.0, -2.0], zero, q=q)[2] == [2 - 2 * q, 2 * q]
    assert at(fl.mape_loss, [2.0, 0.0], [2.0, 0.0]) == (zero, zero, zero)
    assert at(fl.mape_loss, [1.0, -1.0], [0.0, -0.0], eps=0.5) == ([2, 2], [2, -2], zero)
    for loss in (fl.epsilon_insensitive_loss, fl.squared_epsilon_insensitive_loss):
        assert at(loss, [0.5, -0.5], zero, epsilon=0.5) == (zero, zero, zero)
        assert at(loss, [0.0, -0.0], zero, epsilon=0) == (zero, zero, zero)
    assert at(fl.epsilon_insensitive_loss, [0.75, -0.75], zero, epsilon=0.5)[1] == [1, -1]
    assert at(fl.squared_epsilon_insensitive_loss, [1.0, -1.0], zero, epsilon=0.5)[1:] == (
        [1, -1],
        [2, 2],
    )
    for delta in (0.5, 2.0):
        for loss, name in (
            (fl.pseudo_huber_loss, "delta"),
            (fl.cauchy_loss, "c"),
            (fl.fair_loss, "c"),
        ):
            assert at(loss, zero, zero, **{name: delta}) == (zero, zero, ones)
    assert at(fl.cauchy_loss, [2.0, -2.0], zero, c=2.0)[2] == zero
    assert at(fl.log_cosh_loss, zero, [0.0, -0.0]) == (zero, zero, ones)


def test_subgradients_of_binary_losses() -> None:
    """Losses that torch has are active at the kink, the others not."""
    zero = [0.0, 0.0]
    t = [1.0, -1.0]
    for loss in (fl.hinge_loss, fl.squared_hinge_loss):
        assert at(loss, [2.0, -2.0], t, margin=2.0) == (zero, zero, zero)
        assert at(loss, zero, t, margin=0.0) == (zero, zero, zero)
    assert at(fl.hinge_loss, [0.0, 3.0], t) == ([1, 4], [-1, 1], zero)
    assert at(fl.squared_hinge_loss, [0.0, 3.0], t) == ([1, 16], [-2, 8], [2, 2])
    assert at(fl.hinge_loss, [-2.0], [1.0], margin=-1.0) == ([1], [-1], [0])
    assert at(fl.modified_huber_loss, t, t) == (zero, zero, zero)
    assert at(fl.modified_huber_loss, [-1.0, 1.0], t) == ([4, 4], [-4, 4], [2, 2])
    assert at(fl.modified_huber_loss, [-2.0, 2.0], t) == ([8, 8], [-4, 4], zero)
    assert at(fl.hinge_embedding_loss, [2.0, 2.0], t, margin=2.0) == ([2, 0], [1, -1], zero)
    assert at(fl.hinge_embedding_loss, [3.0, 3.0], t, margin=2.0) == ([3, 0], [1, 0], zero)
    assert at(fl.hinge_embedding_loss, [-3.0, -3.0], t, margin=2.0) == ([-3, 5], [1, -1], zero)
    for margin, x in ((0.0, [1.0, 1.0]), (0.5, [1.5, 0.5])):
        _, grads, hess = fl.margin_ranking_loss.value_grad_hess(
            x, [1.0, 1.0], t, margin=margin, reduction="none"
        )
        assert [g.tolist() for g in grads] == [[-1, 1], [1, -1]]
        assert not np.any(hess)


@DTYPE
def test_probabilities_of_0_and_1(dtype: Any) -> None:
    """Clamped as torch does, or exactly: 0 · inf is 0, and derivatives are one-sided limits."""
    x = np.array([0, 0, 0, 1, 1, 1], dtype)
    t = np.array([0, 1, 0.25, 0, 1, 0.25], dtype)
    value, grad, hess = fl.binary_cross_entropy.value_grad_hess(x, t, reduction="none")
    np.testing.assert_allclose(value, [0, 100, 25, 100, 0, 75])
    np.testing.assert_allclose(grad, np.array([0, -1, -0.25, 1, 0, 0.75]) * 1e12, rtol=1e-6)
    np.testing.assert_allclose(hess, np.array([0, 1, 0.25, 1, 0, 0.75]) * 1e24, rtol=1e-6)
    value = fl.binary_cross_entropy(x, t, log_clamp=-3, reduction="none")
    np.testing.assert_allclose(value, [0, 3, 0.75, 3, 0, 2.25])
    value, grad, hess = fl.binary_cross_entropy.value_grad_hess(
        x, t, log_clamp=None, reduction="none"
    )
    assert np.array_equal(value, [0, inf, inf, inf, 0, inf])
    assert np.array_equal(grad, [1, -inf, -inf, inf, -1, inf])
    assert np.array_equal(hess, [1, inf, inf, inf, 1, inf])


@DTYPE
def test_limits_of_distributions(dtype: Any) -> None:
    """Probabilities of 0, and means of 0 with counts of 0."""
    none = {"reduction": "none"}
    log2 = np.log(dtype(2))

    def each(loss: Any, x: Any, t: Any, **options: Any) -> list[Any]:
        x, t = np.array(x, dtype), np.array(t, dtype)
        return [part.tolist() for part in loss.value_grad_hess(x, t, **none, **options)]

    kl = each(fl.kl_div, [-inf, -inf, 0], [0, 0.5, 0])
    assert kl == [[0, inf, 0], [0, -0.5, 0], [0, 0, 0]]
    kl = each(fl.kl_div, [-inf, -inf, 0], [-inf, 0, -inf], log_target=True)
    assert kl == [[0, inf, 0], [0, -1, 0], [0, 0, 0]]
    value, grad, hess = each(fl.js_div, [-inf, -inf, 0, -1], [-inf, 0, -inf, -1])
    np.testing.assert_allclose(value, [0, log2 / 2, log2 / 2, 0], rtol=1e-6, atol=0)
    np.testing.assert_allclose(grad, [0, 0, log2 / 2, 0], rtol=1e-6, atol=0)
    np.testing.assert_allclose(hess, [0, 0, log2 / 2, np.exp(-1) / 4], rtol=1e-6, atol=0)
    for loss, options in ((fl.poisson_nll_loss, {"eps": 0}), (fl.tweedie_loss, {"power": 1})):
        got = each(loss, [0, 0, 2], [0, 3, 0], log_input=False, **options)
        assert got == [[0, inf, 2], [1, -inf, 1], [0, inf, 0]]
    got = each(fl.poisson_nll_loss, [-inf, -inf], [0, 1])
    assert got == [[0, inf], [0, -1], [0, 0]]
    got = each(fl.gamma_nll_loss, [-800], [0])
    assert got == [[-800], [1], [0]]


def test_variances_are_clamped_without_a_gradient_of_their_own() -> None:
    """As torch's: the gradient with respect to a variance below eps is that at eps."""
    x, t = np.full(3, 2.0), np.zeros(3)
    var, eps = np.array([0.0, 0.25, 1.0]), 0.5
    value, (grad, slope), (hess, curvature) = fl.gaussian_nll_loss.value_grad_hess(
        x, t, var, eps=eps, reduction="none"
    )
    v = np.maximum(var, eps)
    near(value, (np.log(v) + 4 / v) / 2)
    near(grad, 2 / v)
    near(slope, (1 - 4 / v) / (2 * v))
    near(hess, 1 / v)
    near(curvature, (4 / v - 0.5) / v**2)
    full = fl.gaussian_nll_loss(x, t, var, eps=eps, full=True, reduction="none")
    near(full, value + np.log(2 * np.pi) / 2)


def test_stirling_where_the_count_is_above_1() -> None:
    t = np.array([0, 0.5, 1, np.nextafter(1, 2), 3, 170])
    plain = fl.poisson_nll_loss(0 * t, t, reduction="none")
    stirling = fl.poisson_nll_loss(0 * t, t, full=True, reduction="none") - plain
    assert not stirling[:3].any()
    above = t[3:]
    expected = above * np.log(above) - above + np.log(2 * np.pi * above) / 2
    np.testing.assert_allclose(stirling[3:], expected, rtol=1e-12)
    exact = fl.poisson_nll_loss(0 * t, t, full="exact", reduction="none") - plain
    np.testing.assert_allclose(exact, [lgamma(x + 1) for x in t], rtol=1e-12, atol=1e-15)


def test_losses_that_are_others() -> None:
    """Options that make one loss of another."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(2, 1000))
    p, y = rng.random(1000), rng.integers(0, 2, 1000)
    sign = np.where(y, 1.0, -1.0)

    def agree(a: Any, b: Any, factor: float = 1) -> None:
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one, other * factor, rtol=1e-12, atol=1e-15)

    agree(
        fl.smooth_l1_loss.value_grad_hess(x, t, beta=0.5),
        fl.huber_loss.value_grad_hess(x, t, delta=0.5),
        2,
    )
    agree(fl.expectile_loss.value_grad_hess(x, t), fl.mse_loss.value_grad_hess(x, t), 0.5)
    agree(fl.quantile_loss.value_grad_hess(x, t), fl.l1_loss.value_grad_hess(x, t), 0.5)
    agree(
        fl.soft_margin_loss.value_grad_hess(x, sign),
        fl.binary_cross_entropy_with_logits.value_grad_hess(x, y),
    )
    for alpha in (None, -1, -1.0):
        agree(
            fl.sigmoid_focal_loss.value_grad_hess(x, p, alpha=alpha, gamma=0),
            fl.binary_cross_entropy_with_logits.value_grad_hess(x, p),
        )
    agree(
        fl.tweedie_loss.value_grad_hess(x, p, power=0, log_input=False),
        fl.mse_loss.value_grad_hess(x, p),
        0.5,
    )
    agree(
        fl.tweedie_loss.value_grad_hess(x, p, power=1),
        fl.poisson_nll_loss.value_grad_hess(x, p),
    )
    agree(fl.tweedie_loss.value_grad_hess(x, p, power=2), fl.gamma_nll_loss.value_grad_hess(x, p))
    agree(
        fl.kl_div.value_grad_hess(x, np.log(p), log_target=True),
        fl.kl_div.value_grad_hess(x, p),
    )
    np.testing.assert_allclose(fl.js_div(x, t), fl.js_div(t, x), rtol=1e-12)


@DTYPE
def test_small_and_large_arguments_keep_their_digits(dtype: Any) -> None:
    """What the textbook formulas round to 0 or to inf."""
    big, small = dtype(1e30), dtype(1e-10)
    assert fl.log_cosh_loss(big, dtype(0)) == big
    assert fl.soft_margin_loss(big, dtype(-1)) == big
    close = {"rtol": 1e-6, "atol": 0}
    for loss in (fl.log_cosh_loss, fl.pseudo_huber_loss, fl.fair_loss, fl.cauchy_loss):
        np.testing.assert_allclose(loss(small, dtype(0)), 5e-21, **close)
    x = np.log(dtype(0.25))
    t = x * (1 + dtype(2) ** -10)
    d = float(x) - float(t)
    np.testing.assert_allclose(fl.js_div(x, t), 0.25 * d**2 / 8, rtol=1e-3)
    for gap in (20, 40, 80):
        tail = np.exp(-float(gap))
        np.testing.assert_allclose(fl.soft_margin_loss(dtype(gap), dtype(1)), tail, **close)
    assert fl.sigmoid_focal_loss(dtype(80), dtype(1), gamma=0.0, alpha=None) > 0
    assert np.isfinite(fl.sigmoid_focal_loss.value_grad_hess(big, dtype(0))[0])


@ELEMENTWISE
@DTYPE
def test_no_nan_out_of_numbers(case: reg.Elementwise, dtype: Any) -> None:
    """Of finite operands within the domain come numbers, or infinities where one is right."""
    operands = dict(zip(case.kinds, reg.elementwise_inputs(case, dtype), strict=False))
    finite = np.all([np.isfinite(a) for a in operands.values()], axis=0)
    finite &= np.all([np.abs(a) < 80 for a in operands.values()], axis=0)
    got = elementwise(case, 3).having(**{k: a[finite] for k, a in operands.items()}).each()
    assert not any(np.isnan(part).any() for part in got)


# ---- special values ------------------------------------------------------------------------------


@ELEMENTWISE
@DTYPE
def test_nan_in_nan_out(case: reg.Elementwise, dtype: Any) -> None:
    for size, name in itertools.product((3, 16, 200, 1500), (*case.takes_nan, "weight")):
        clean = elementwise(case, (size,), dtype, weighted=True)
        value, grad, _ = clean.each()
        for at in (0, size // 2, size - 1):
            bad = clean.arrays[name].copy()
            bad[at] = nan
            dirty = clean.having(**{name: bad})
            got = dirty.each()
            assert np.array_equal(np.flatnonzero(np.isnan(got[0])), [at]), name
            # The slope of the squared or absolute error in weight, say, is of x and t alone.
            assert np.array_equal(np.flatnonzero(np.isnan(got[1])), [at]), name
            others = np.arange(size) != at
            assert same(got[0][others], value[others]) and same(got[1][others], grad[others])
            assert all(np.isnan(dirty.run(reduction=r)[0]) for r in REDUCTIONS if r != "none")


@ROWS
@DTYPE
@pytest.mark.parametrize("fortran", [False, True])
def test_nan_in_a_row(case: reg.Rows, dtype: Any, fortran: bool) -> None:
    """nan anywhere in a row makes its value and gradient nan; the other rows do not notice."""
    for shape in ((5, 3), (70, 3), (5, 80), (3, 1100), (3, 4, 5)):
        clean = rows(case, shape, dtype=dtype)
        check_nan_in_a_row(case, clean.changed(np.asfortranarray, "input") if fortran else clean)


def check_nan_in_a_row(case: reg.Rows, clean: Call) -> None:
    shape = clean.input.shape
    value, grad, hess = clean.each()
    t = clean.arrays["target"]
    row = (1,) + (2,) * (len(shape) - 2)
    here = (1, slice(None)) + (2,) * (len(shape) - 2)
    others = np.ones(value.shape, bool)
    others[row] = False
    for c in {0, shape[1] - 1, shape[1] // 2, int(t[row]) if case.target == "class" else 0}:
        place = (1, c, *row[1:])
        for name in ("input", "target")[: 1 + (case.target in ("probability", "multilabel"))]:
            bad = clean.arrays[name].copy(order="K")
            bad[place] = nan
            got = clean.having(**{name: bad}).each()
            if case.nan == "target":
                assert np.isnan(got[0][row]) == (t[row] == c)
            else:
                assert np.isnan(got[0][row])
                assert np.isnan(got[1][place])
            if case.nan == "row":
                assert np.all(np.isnan(got[1][here])) and np.all(np.isnan(got[2][here]))
            for part, wanted in zip(got[1:], (grad, hess), strict=True):
                hit = np.isnan(part[here])
                assert case.nan == "row" or same(part[here][~hit], wanted[here][~hit])
                assert same(*(np.moveaxis(g, 1, -1)[others] for g in (part, wanted)))
            assert same(got[0][others], value[others])


@CLASS_WEIGHTED
def test_nan_in_the_weight_of_a_class(case: reg.Rows) -> None:
    t = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    w = np.array([1.0, nan, 2, 3])
    sample = with_class_weights(case, rows(case, (8, 4)).having(target=t), w)
    value, grad, _ = sample.each()
    hit = t == 1
    assert np.all(np.isnan(value[hit]))
    assert np.all(np.isnan(value[~hit])) == case.smoothed
    if not case.smoothed:
        assert np.all(np.isfinite(grad[~hit]))
    if case.nan == "row":
        assert np.all(np.isnan(grad[hit]))
    for reduction in ("mean", "sum", "weighted_mean"):
        assert np.isnan(sample.run(reduction=reduction)[0])


@DTYPE
def test_infinite_differences(dtype: Any) -> None:
    x = np.array([inf, -inf, inf, 0, 0], dtype)
    t = np.array([0, 0, inf, inf, -inf], dtype)
    for loss, slope in ((fl.mse_loss, inf), (fl.l1_loss, 1), (fl.huber_loss, 1)):
        value, grad, _ = loss.value_grad_hess(x, t, reduction="none")
        assert same(value, np.array([inf, inf, nan, inf, inf], dtype))
        # inf - inf is nan, and no finite number is made of nan (torch's slope of l1 there: 0).
        assert same(grad, np.array([slope, -slope, nan, -slope, slope], dtype))


@DTYPE
def test_infinite_numbers_of_regression_losses(dtype: Any) -> None:
    """Values are inf; derivatives are the limits, where there are some."""
    x = np.array([inf, -inf, 0, 0], dtype)
    t = np.array([0, 0, inf, -inf], dtype)
    sign = np.array([1, -1, -1, 1], dtype)
    for loss, options, slope in (
        (fl.smooth_l1_loss, {}, 1),
        (fl.smooth_l1_loss, {"beta": 0}, 1),
        (fl.log_cosh_loss, {}, 1),
        (fl.pseudo_huber_loss, {"delta": 2}, 2),
        (fl.cauchy_loss, {}, 0),
        (fl.fair_loss, {"c": 2}, 2),
        (fl.epsilon_insensitive_loss, {}, 1),
        (fl.squared_epsilon_insensitive_loss, {}, inf),
        (fl.expectile_loss, {}, inf),
        (fl.quantile_loss, {}, 0.5),
    ):
        value, grad, hess = loss.value_grad_hess(x, t, reduction="none", **options)
        assert np.all(value == inf), loss
        assert np.array_equal(grad, sign * dtype(slope) if slope else np.zeros(4)), loss
        assert not np.isnan(hess).any(), loss
        same_signs = loss.value_and_grad(x[:2], x[:2], reduction="none", **options)
        assert all(np.isnan(part).all() for part in same_signs), loss  # inf - inf


@DTYPE
def test_infinite_scores(dtype: Any) -> None:
    """The limits: nothing for the right side; nothing becomes nan."""
    x = np.array([inf, -inf, inf, -inf], dtype)
    t = np.array([1, -1, -1, 1], dtype)
    right, wrong = [0, 0, inf, inf], [0, 0, 1, -1]
    for loss, slope, curved in (
        (fl.soft_margin_loss, 1, 0),
        (fl.hinge_loss, 1, 0),
        (fl.squared_hinge_loss, inf, 2),
        (fl.modified_huber_loss, 4, 0),
        (fl.exponential_loss, inf, inf),
    ):
        value, grad, hess = loss.value_grad_hess(x, t, reduction="none")
        assert np.array_equal(value, right), loss
        assert np.array_equal(grad, [0, 0, slope, -slope]), loss
        assert np.array_equal(hess, [0, 0, curved, curved]), loss
    for options in ({}, {"gamma": 0}, {"gamma": 0.5}, {"gamma": 5, "alpha": None}):
        value, grad, hess = fl.sigmoid_focal_loss.value_grad_hess(
            x, t > 0, reduction="none", **options
        )
        assert np.array_equal(value, right), options
        assert np.array_equal(np.sign(grad), wrong) and np.all(np.abs(grad) <= 1), options
        assert not hess.any(), options
    value, grad, hess = fl.hinge_embedding_loss.value_grad_hess(x, t, reduction="none")
    assert np.array_equal(value, [inf, inf, 0, -inf])
    assert np.array_equal(grad, [1, -1, 0, 1]) and not hess.any()


@DTYPE
def test_infinite_logits_of_two_classes(dtype: Any) -> None:
    x = np.array([inf, inf, inf, -inf, -inf, -inf], dtype)
    t = np.array([1, 0, 0.5, 0, 1, 0.25], dtype)
    got = fl.binary_cross_entropy_with_logits.value_grad_hess(x, t, reduction="none")
    assert np.array_equal(got[0], [0, inf, inf, 0, inf, inf])
    assert np.array_equal(got[1], [0, 1, 0.5, 0, -1, -0.25])
    assert np.array_equal(got[2], np.zeros(6))
    p = np.array([2, 2, 2, 2, 0, 2], dtype)
    got = fl.binary_cross_entropy_with_logits.value_grad_hess(x, t, pos_weight=p, reduction="none")
    assert np.array_equal(got[0], [0, inf, inf, 0, 0, inf])
    assert np.array_equal(got[1], [0, 1, 0.5, 0, 0, -0.5])


def layouts_of_rows(x: Any, dtype: Any) -> Iterator[Array]:
    """A small row, alone and among others, and with the row axis innermost; then a long one."""
    x = np.asarray(x, dtype)
    yield x[None]
    yield np.repeat(x[None], 70, axis=0)
    yield np.asfortranarray(np.repeat(x[None], 5, axis=0))


@DTYPE
@pytest.mark.parametrize("long", [False, True])
def test_infinite_logits_of_classes(dtype: Any, long: bool) -> None:
    """-inf is a class that cannot be; a single +inf is one that must be."""

    def ce(x: Any, target: Any, **options: Any) -> tuple[Array, Array]:
        x, target = np.asarray(x), np.asarray(target)
        if long:  # classes without any probability make a row that goes in chunks
            x = np.concatenate([x, np.full(1200, -inf)])
            if target.ndim:
                target = np.concatenate([target, np.zeros(1200)])
            if "weight" in options:
                options["weight"] = np.concatenate([options["weight"], np.ones(1200)])
        first: Any = None
        for block in layouts_of_rows(x, dtype):
            n = len(block)
            t = np.repeat(np.asarray(target, dtype if target.ndim else None)[None], n, axis=0)
            value, grad = fl.cross_entropy.value_and_grad(block, t, reduction="none", **options)
            assert np.array_equal(value, np.repeat(value[:1], n), equal_nan=True)
            assert np.array_equal(grad, np.repeat(grad[:1], n, axis=0), equal_nan=True)
            got = value[0], grad[0, :3]
            if first is not None:
                np.testing.assert_allclose(got[0], first[0], rtol=1e-6)
                np.testing.assert_allclose(got[1], first[1], rtol=1e-5)
            first = got
        return first

    log2, half = np.log(dtype(2)), dtype(0.5)
    value, grad = ce([0, 0, -inf], 0)
    assert np.isclose(value, log2) and np.array_equal(grad, [-half, half, 0])
    value, grad = ce([0, 0, -inf], 2)
    assert value == inf and np.array_equal(grad, [half, half, -1])
    value, grad = ce([0, 0, -inf], [0.5, 0.5, 0])  # 0 · inf is 0
    assert np.isclose(value, log2) and np.array_equal(grad, [0, 0, 0])
    value, grad = ce([0, 0, -inf], [0.5, 0, 0.5])
    assert value == inf and np.allclose(grad, [0, half, -half])
    value, grad = ce([0, 0, -inf], 2, weight=np.array([1.0, 1, 0]))
    assert value == 0 and np.array_equal(grad, [0, 0, 0])
    value, grad = ce([0, 0, -inf], 0, label_smoothing=0.25)
    assert value == inf and np.all(np.isfinite(grad))
    value, grad = ce([0, inf, -inf], 1)
    assert value == 0 and np.array_equal(grad, [0, 0, 0])
    value, grad = ce([0, inf, -inf], 0)
    assert value == inf and np.array_equal(grad, [-1, 1, 0])
    value, grad = ce([0, inf, 1], [0.0, 1, 0])
    assert value == 0 and np.array_equal(grad, [0, 0, 0])
    for x in ([inf, inf, 0], [-inf, -inf, -inf]):
        value, grad = ce(x, 0)
        assert np.isnan(value) and np.all(np.isnan(grad[:2]))
    value, grad = ce([inf, inf, 0], 2)  # which of the two it is does not matter to the value
    assert value == inf and np.all(np.isnan(grad[:2]))
    value, grad = ce([inf, nan, 0], 0)
    assert np.isnan(value) and np.all(np.isnan(grad))


@DTYPE
def test_huge_logits(dtype: Any) -> None:
    """A gap beyond the largest number costs inf, and the gradient is its limit."""
    big = np.finfo(dtype).max
    value, grad = fl.cross_entropy.value_and_grad(
        np.array([[big, -big], [big, -big]], dtype), [0, 1], reduction="none"
    )
    assert np.array_equal(value, [0, inf])
    assert np.array_equal(grad, [[0, 0], [1, -1]])
    for size in (big, dtype(1e30)):
        assert fl.cross_entropy(np.array([size, size], dtype), np.int8(0)) == np.log(dtype(2))
        assert fl.binary_cross_entropy_with_logits(-size, 0) == 0
        assert fl.binary_cross_entropy_with_logits(size, 0) == size
    assert fl.huber_loss(big, dtype(0), delta=1) == big


def test_infinite_activations() -> None:
    x = np.array([[0, inf, -inf], [-inf, 0, -inf], [-inf] * 3, [inf, inf, 0]])
    assert same(fl.softmax(x), np.array([[0, 1, 0], [0, 1, 0], [nan] * 3, [nan] * 3]))
    got = fl.log_softmax(x)
    assert np.array_equal(got[:2], [[-inf, 0, -inf], [-inf, 0, -inf]])
    assert np.all(np.isnan(got[2])) and np.array_equal(got[3], [nan, nan, -inf], equal_nan=True)
    assert np.array_equal(fl.logsumexp(x, axis=1), [inf, 0, -inf, inf])
    assert fl.logsumexp(x) == inf
    assert fl.logsumexp(np.zeros((0, 3))) == -inf
    assert np.array_equal(fl.logsumexp(np.zeros((2, 0)), axis=1), [-inf, -inf])
    assert fl.logsumexp(np.zeros((0, 3)), axis=1).shape == (0,)
    assert np.array_equal(fl.sigmoid([-inf, 0, inf]), [0, 0.5, 1])
    assert np.array_equal(fl.logsigmoid([-inf, inf]), [-inf, 0])
    assert np.array_equal(fl.sigmoid.vjp([-inf, inf], [1, 1]), [0, 0])
    assert np.array_equal(fl.logsigmoid.vjp([-inf, inf], [1, 1]), [1, 0])


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "sigmoid", "logsigmoid"])
def test_nan_in_activations(name: str) -> None:
    f = getattr(fl, name)
    rowwise = name not in ("sigmoid", "logsigmoid")
    options = {"axis": 1} if rowwise else {}
    for shape in ((5, 3), (70, 3), (5, 80), (3, 1100)):
        x = np.random.default_rng(0).normal(size=shape)
        clean = f(x, **options)
        x[1, 2] = nan
        got = f(x, **options)
        hit = np.zeros(got.shape, bool)
        hit[(1,) if rowwise else (1, 2)] = True
        assert np.all(np.isnan(got[hit])) and same(got[~hit], clean[~hit])
        carried = f.vjp(x, np.ones(got.shape), **options)
        hit = np.zeros(shape, bool)
        hit[(1,) if rowwise else (1, 2)] = True
        assert np.array_equal(np.isnan(carried), hit)


@ROWS
def test_one_class(case: reg.Rows) -> None:
    call = rows(case, (4, 1))
    for part, expected in zip(call.each(), truth(case, call), strict=True):
        assert not part[expected == 0].any()
        near(part, expected, 1e-14)


# ---- labels --------------------------------------------------------------------------------------


@DROPPING
@DTYPE
@pytest.mark.parametrize("shape", [(9, 5), (70, 5), (4, 5, 3), (9, 100), (5, 1100)])
def test_ignored_rows(case: reg.Rows, dtype: Any, shape: tuple[int, ...]) -> None:
    """They count for nothing, even where they hold nan, whether the label is a class or not."""
    for ignore in (-100, -1, 0, 2, 4, 5, 300, 2**40):
        check_ignored_rows(case, dtype, shape, ignore)


def check_ignored_rows(case: reg.Rows, dtype: Any, shape: tuple[int, ...], ignore: int) -> None:
    call = rows(case, shape, dtype=dtype)
    x, t = call.input, call.arrays["target"]
    dropped = np.random.default_rng(3).random(t.shape) < 0.4
    t[t == ignore] = 3
    t[dropped] = ignore
    np.moveaxis(x, 1, -1)[dropped] = np.random.default_rng(4).choice([nan, inf, -inf], shape[1])
    got = call.each(ignore_index=ignore)
    x = np.moveaxis(x, 1, -1)[~dropped]
    kept = call.having(input=x, target=t[~dropped])
    expected = kept.each(axis=1, ignore_index=ignore)
    # In other tiles; slopes and bends may be differences of terms of about the weights' size.
    small = 1e-6 if dtype is np.float32 else 1e-14
    assert not got[0][dropped].any()
    np.testing.assert_allclose(got[0][~dropped], expected[0], rtol=4e-6)
    for k in (1, 2):
        part = np.moveaxis(got[k], 1, -1)
        assert not part[dropped].any()
        np.testing.assert_allclose(part[~dropped], expected[k], rtol=1e-5, atol=small)
    for reduction in ("mean", "sum", "weighted_mean", "sum_by_nonzero_weights"):
        a = call.run(1, reduction=reduction, ignore_index=ignore)
        b = kept.run(1, reduction=reduction, axis=1, ignore_index=ignore)
        np.testing.assert_allclose(a[0], b[0], rtol=1e-6)
        part = np.moveaxis(a[1], 1, -1)
        assert not part[dropped].any()
        np.testing.assert_allclose(part[~dropped], b[1], rtol=1e-5, atol=small)


@pytest.mark.parametrize("case", [case for case in reg.ROWS if case.drops], ids=str)
@pytest.mark.parametrize("shape", [(4, 5), (4, 100)])
def test_all_rows_ignored(case: reg.Rows, shape: tuple[int, int]) -> None:
    call = rows(case, shape).having(target=np.full(shape[0], -100))
    for reduction in REDUCTIONS:
        value, grad, hess = call.run(2, reduction=reduction)
        if reduction == "mean":
            assert np.isnan(value)
        else:
            assert np.all(value == 0)
        assert not grad.any() and not hess.any()


@CLASS_WEIGHTED
@pytest.mark.parametrize("shape", [(4, 5), (4, 100)])
def test_all_class_weights_zero(case: reg.Rows, shape: tuple[int, int]) -> None:
    call = with_class_weights(case, rows(case, shape), np.zeros(shape[1]))
    divisor = divisors(case, call)
    term = call.each(0)[0]  # what is not multiplied by the weights
    for reduction in ("mean", "sum", "batchmean", "weighted_mean", "sum_by_nonzero_weights"):
        value, grad = call.run(1, reduction=reduction)
        if divisor[reduction]:
            near(value, term.sum() / divisor[reduction])
            assert term.any() or not grad.any()
        elif reduction == "mean":
            assert np.isnan(value) != term.any()
            picked = grad[np.arange(shape[0]), call.arrays["target"]]
            assert not np.isfinite(picked).any() if term.any() else not grad.any()
        else:
            assert value == 0 and not grad.any()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 1e-3, 0.5, 1.0, 0, 1, np.float32(0.5)])
@pytest.mark.parametrize("classes", [1, 5, 100, 1300])
def test_label_smoothing(smoothing: Any, weighted: bool, classes: int) -> None:
    """Of a class y, torch weighs the class itself with w_y, the even part with each class's w."""
    case = next(c for c in reg.ROWS if c.loss == "cross_entropy" and c.weighted == weighted)
    call = rows(case, (6, classes))
    x, y = call.input, call.arrays["target"]
    w = call.arrays.get("weight", np.ones(classes))
    log_p = fl.log_softmax(x)
    e = float(smoothing)
    even = -(log_p * w).sum(axis=1) * e / classes
    expected = (1 - e) * w[y] * -log_p[np.arange(6), y] + even
    np.testing.assert_allclose(
        call.each(label_smoothing=smoothing)[0], expected, rtol=1e-12, atol=1e-15
    )
    mean = call.run(label_smoothing=smoothing)[0]
    np.testing.assert_allclose(mean, expected.sum() / w[y].sum(), rtol=1e-12, atol=1e-15)
    probabilities = np.eye(classes)[y]
    smoothed = fl.cross_entropy.value_and_grad(
        x, probabilities, w, label_smoothing=smoothing, reduction="sum"
    )
    plain = fl.cross_entropy.value_and_grad(
        x, probabilities * (1 - e) + e / classes, w, reduction="sum"
    )
    for a, b in zip(smoothed, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-14)


@ROWS
def test_unbatched(case: reg.Rows) -> None:
    batch = rows(case, (1, 6))
    x, t = batch.input[0], batch.arrays["target"]
    del batch.options["axis"]
    expected = batch.each()
    for target in (t[0], t, int(t[0]), [int(t[0])]) if case.target == "class" else (t[0],):
        got = batch.having(input=x, target=target).each()
        assert np.ndim(got[0]) == 0 and np.isclose(got[0], expected[0][0], rtol=1e-14)
        np.testing.assert_allclose(got[1], expected[1][0], rtol=1e-13, atol=1e-16)
        for reduction in REDUCTIONS:
            value, grad = batch.having(input=x, target=target).run(1, reduction=reduction)
            whole = batch.run(1, reduction=reduction)
            np.testing.assert_allclose(value, np.squeeze(whole[0]), rtol=1e-14)
            np.testing.assert_allclose(grad, whole[1][0], rtol=1e-13, atol=1e-16)


@ROWS
@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 5, 3, 4), (2, 3, 1, 4, 5), (70, 3, 2), (2, 70)])
def test_every_axis(case: reg.Rows, shape: tuple[int, ...]) -> None:
    """Axis k of any array is axis 1 of the array with the classes moved there."""
    for axis in range(len(shape)):
        call = rows(case, shape, axis)
        x, t = call.input, call.arrays["target"]
        got = call.each()
        from_behind = call.each(axis=axis - len(shape))
        assert all(map(same, got, from_behind))
        flat = np.moveaxis(x, axis, -1)
        target = t if case.target == "class" else np.moveaxis(t, axis, -1)
        plain = call.having(
            input=flat.reshape(-1, shape[axis]),
            target=target.ravel() if case.target == "class" else target.reshape(-1, shape[axis]),
        )
        plain.options["axis"] = 1
        expected = plain.each()
        np.testing.assert_allclose(got[0].ravel(), expected[0], rtol=1e-12, atol=1e-15)
        for a, b in zip(got[1:], expected[1:], strict=True):
            np.testing.assert_allclose(
                np.moveaxis(a, axis, -1).reshape(b.shape), b, rtol=1e-11, atol=1e-14
            )


@pytest.mark.parametrize("case", reg.ROWS_ONE_OF_EACH, ids=str)
def test_axis_defaults_of_losses(case: reg.Rows) -> None:
    shape = (4, 4, 4)
    call = rows(case, shape, case.axis)
    expected = call.run(2)
    del call.options["axis"]
    assert all(map(same, call.run(2), expected))


def test_axis_defaults() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 4))
    y = np.ones((3, 4), int)
    assert fl.cross_entropy(x, y) == fl.cross_entropy(x, y, axis=1)
    assert same(fl.softmax(x), fl.softmax(x, axis=1))
    assert same(fl.log_softmax(x[0, 0]), fl.log_softmax(x[0, 0], axis=0))


# ---- scalars -------------------------------------------------------------------------------------


@ELEMENTWISE
def test_python_numbers_are_weak(case: reg.Elementwise) -> None:
    call = elementwise(case, (5,), np.float32)
    t = float(call.arrays["target"][0])
    expected = call.having(target=np.full(5, t, np.float32)).each()
    weak = call.having(target=t, weight=1).each()
    of_input = case.lead != "target"  # else the derivatives are sums, of the target's own shape
    assert all(map(same, weak, expected) if of_input else [same(weak[0], expected[0])])
    assert call.having(target=t, weight=True).run()[0].dtype == np.float32
    strong = call.having(target=np.float64(t)).each()
    assert strong[0].dtype == np.float64  # NumPy's scalars are not weak, as in NumPy 2
    # The gradient has all the same the dtype of what it is with respect to.
    assert strong[1].dtype == (np.float64 if case.lead == "target" else np.float32)


def test_scalars() -> None:
    for one in (1.0, 1, True, np.float64(1), np.array(1.0), np.int8(1)):
        value, grad, hess = fl.mse_loss.value_grad_hess(one, 3)
        assert isinstance(value, np.float64) and value == 4
        assert isinstance(grad, np.ndarray) and grad.shape == () and grad == -4 and hess == 2
        assert grad.dtype == np.float64
    for single in (np.float32(1), np.float16(1), np.array(1, np.float32)):
        for reduction in REDUCTIONS:
            value = fl.mse_loss(single, 3.0, reduction=reduction)
            assert isinstance(value, np.float32) and value == 4
        assert isinstance(fl.mse_loss(1.0, single), np.float32)
    assert fl.sigmoid(0).dtype == np.float64
    assert isinstance(fl.sigmoid(np.float32(0)), np.float32)
    assert isinstance(fl.logsumexp([0.0, 0.0]), np.float64)
    assert fl.logsumexp(1.5) == 1.5


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weights_that_are_python_numbers(reduction: str) -> None:
    x = np.arange(6, dtype=np.float32)
    expected = fl.huber_loss(x, 1, weight=np.full(6, 2, np.float32), reduction=reduction)
    assert same(fl.huber_loss(x, 1, weight=2, reduction=reduction), expected)


# ---- levels, shares, the target's gradient -----------------------------------------------------


LEVELS = pytest.mark.parametrize("loss", [fl.quantile_loss, fl.expectile_loss], ids=str)


@LEVELS
@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_a_level_for_each_column(loss: Any, dtype: Any) -> None:
    """As one call for each of them; their dtype does not count."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 4)).astype(dtype), rng.normal(size=(50, 1)).astype(dtype)
    levels = [0.0, 0.25, 0.5, 1.0]
    each = [loss.value_grad_hess(x[:, [k]], t, q=q, reduction="none") for k, q in enumerate(levels)]
    for q in (levels, tuple(levels), np.array(levels), np.array([levels], np.float16)):
        got = loss.value_grad_hess(x, t, q=q, reduction="none")
        for part, columns in zip(got, zip(*each, strict=True), strict=True):
            assert same(part, np.concatenate(columns, axis=1))
        assert loss(x, t, q=q).dtype == dtype
    criterion = (
        fl.QuantileLoss(q=levels) if loss is fl.quantile_loss else fl.ExpectileLoss(q=levels)
    )
    assert same(criterion(x, t), loss(x, t, q=levels))


@LEVELS
def test_levels_are_checked(loss: Any) -> None:
    x = np.zeros((3, 2))
    for bad in (nan, -0.1, 1.5, inf):
        with pytest.raises(ValueError, match=r"^q: the value at \[0, 1\] is .*; accepted are num"):
            loss(x, x, q=[0.5, bad])
        with pytest.raises(ValueError, match=r"^q: a finite number from 0 to 1 is needed"):
            loss(x, x, q=bad)
    with pytest.raises(ValueError, match=r"^q: shape \(3,\) cannot be broadcast"):
        loss(x, x, q=[0.5, 0.25, 0.75])


def test_js_div_with_other_shares() -> None:
    """Of mixtures: β KL(target | M) + (1 - β) KL(input | M)."""
    rng = np.random.default_rng(0)
    x, t = (fl.log_softmax(rng.normal(size=(20, 7)) * 3) for _ in range(2))
    for beta in (0.1, 0.5, 0.75):
        m = np.logaddexp(x + np.log1p(-beta), t + np.log(beta))
        expected = beta * fl.kl_div(m, t, log_target=True, reduction="sum")
        expected += (1 - beta) * fl.kl_div(m, x, log_target=True, reduction="sum")
        np.testing.assert_allclose(fl.js_div(x, t, beta=beta, reduction="sum"), expected, 1e-13)
        swapped = fl.js_div(t, x, beta=1 - beta, reduction="sum")
        np.testing.assert_allclose(swapped, expected, 1e-13)
    assert same(fl.js_div(x, t), fl.js_div(x, t, beta=0.5))
    for bad in (0, 1, -0.5, nan, inf):
        with pytest.raises(ValueError, match=r"^beta: a number between 0 and 1, .* kl_div"):
            fl.js_div(x, t, beta=bad)


def test_kl_div_with_the_gradient_of_the_target() -> None:
    x, t = np.log([0.25, 0.75]), np.array([0.5, 0.5])
    value, (a, b), (c, d) = fl.kl_div.value_grad_hess(x, t, target_grad=True, reduction="sum")
    plain = fl.kl_div.value_grad_hess(x, t, reduction="sum")
    assert same(value, plain[0]) and same(a, plain[1]) and same(c, plain[2])
    np.testing.assert_allclose(b, np.log(t) + 1 - x, 1e-15)
    np.testing.assert_allclose(d, 1 / t, 1e-15)
    assert same(fl.kl_div(x, t, target_grad=True), fl.kl_div(x, t))
    limits = fl.kl_div.value_and_grad([-1, -inf, -inf], [0, 0, 0.5], target_grad=True)[1][1]
    assert limits.tolist() == [-inf, inf, inf]
    with pytest.raises(ValueError, match=r"^target: the value at \[1\] is -1.0; accepted are num"):
        fl.kl_div(x, [0.5, -1.0], target_grad=True)
