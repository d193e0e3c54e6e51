"""What is special about single losses over a class axis: options, limits, relations, kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    FLOATS,
    INTEGERS,
    LAYOUTS,
    REDUCTIONS,
    Array,
    rows,
    same,
    truth,
)

nan, inf = np.nan, np.inf
DTYPE = pytest.mark.parametrize("dtype", reg.DTYPES)
ENTROPY = [case for case in reg.ROWS if case.loss == "cross_entropy"]
#: What does not see a class of -inf, though multi_margin_loss counts it.
BLIND = [
    case
    for case in reg.ROWS
    if case.target in ("class", "probability")
    and case.nan == "row"
    and not case.smoothed
    and "softcap" not in case.options
    and case.loss not in ("multi_margin_loss", "ranked_probability_score")
]
LOGITS = np.random.default_rng(0).normal(size=(50, 7)) * 3
LABELS = np.random.default_rng(1).integers(0, 7, 50)
DISTRIBUTIONS = reg.random_distributions(np.random.default_rng(2), (50, 7))
TARGETS = pytest.mark.parametrize("target", [LABELS, DISTRIBUTIONS], ids=["classes", "t"])


def agree(a: Any, b: Any, factor: Any = 1.0, rtol: float = 1e-12) -> None:
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other * factor, rtol=rtol, atol=1e-14)


def each(loss: str, x: Any, t: Any, **options: Any) -> Any:
    """Value, gradient and second derivative of every row."""
    return getattr(fl, loss).value_grad_hess(x, t, reduction="none", **options)


# ---- return_lse ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ENTROPY, ids=str)
@DTYPE
@pytest.mark.parametrize("shape", [(7, 5), (70, 3), (5, 100), (3, 1100), (2, 5, 3), (40, 4, 3)])
def test_logsumexp_of_every_row(case: reg.Rows, dtype: Any, shape: tuple[int, ...]) -> None:
    """Of the capped logits; last in what is returned; and nothing else changes."""
    for axis in range(len(shape)):
        call = rows(case, shape, axis, dtype)
        if case.drops:
            call.arrays["target"].flat[::2] = -100
        x, cap = call.input.astype(np.float64), case.options.get("softcap")
        if cap:
            x = cap * np.tanh(x / cap)
        expected = fl.logsumexp(x, axis=axis)
        for change in (np.ascontiguousarray, np.asfortranarray, LAYOUTS["stepped"]):
            moved = call.changed(change, "input")
            for reduction in ("mean", "none", "weighted_mean"):
                for order in range(3):
                    plain = moved.run(order, reduction=reduction)
                    got = moved.run(order, reduction=reduction, return_lse=True)
                    (*rest, lse) = got if order else got[0]
                    assert len(rest) == order + 1
                    assert all(map(same, rest, plain))
                    assert lse.dtype == dtype and lse.shape == expected.shape
                    rtol = 4 * float(np.finfo(dtype).eps)
                    np.testing.assert_allclose(lse, expected, rtol=rtol, atol=4 * rtol)


def test_types_of_the_logsumexp() -> None:
    """That of the value: a scalar or an array, of the computation's dtype."""
    x, y = LOGITS[0], 3
    value, lse = fl.cross_entropy(x, y, return_lse=True)
    assert type(lse) is type(value) is np.float64
    np.testing.assert_allclose(lse, fl.logsumexp(x), rtol=1e-15)
    for dtype in FLOATS:
        narrow = LOGITS.astype(dtype)
        value, grad, lse = fl.cross_entropy.value_and_grad(narrow, LABELS, return_lse=True)
        assert type(lse) is np.ndarray and lse.dtype == value.dtype
        assert lse.dtype == (np.float64 if dtype == np.float64 else np.float32)
        assert grad.dtype == dtype
        np.testing.assert_allclose(
            lse, fl.logsumexp(narrow, axis=1).astype(np.float64), rtol=1e-6, atol=1e-6
        )
    mixed = fl.cross_entropy(np.float32(LOGITS), LABELS, np.ones(7), return_lse=True)
    assert all(part.dtype == np.float64 for part in mixed)
    capped = fl.cross_entropy(np.float32(LOGITS), LABELS, softcap=3, return_lse=True)
    assert all(part.dtype == np.float32 for part in capped)


def test_logsumexp_with_buffers_and_in_a_criterion() -> None:
    out, grad_out = np.empty(()), np.empty(LOGITS.shape, np.float32)
    value, grad, lse = fl.cross_entropy.value_and_grad(
        LOGITS, LABELS, return_lse=True, out=out, grad_out=grad_out
    )
    assert value is out and grad is grad_out and lse.shape == (50,)
    plain, expected = fl.cross_entropy.value_and_grad(LOGITS, LABELS)
    assert out == plain and same(grad, expected.astype(np.float32))
    assert fl.CrossEntropyLoss(return_lse=True)(LOGITS, LABELS)[0] == plain
    *_, more = fl.CrossEntropyLoss(return_lse=True).value_grad_hess(LOGITS, LABELS)
    assert same(more, lse)
    value, lse = fl.cross_entropy(LOGITS, LABELS, return_lse=np.bool_(True))
    assert same(lse, more)
    assert isinstance(fl.cross_entropy(LOGITS, LABELS, return_lse=False), np.float64)


def test_logsumexp_of_special_rows() -> None:
    x = np.array([[nan, 0, 0], [-inf] * 3, [inf, 0, 0], [0, -inf, -inf], [0, 0, -inf]])
    for y in (np.zeros(5, int), np.full(5, -100)):
        value, grad, lse = fl.cross_entropy.value_and_grad(x, y, reduction="none", return_lse=True)
        assert np.array_equal(lse, [nan, -inf, inf, 0, np.log(2)], equal_nan=True)
        if y[0]:
            assert not value.any() and not grad.any()
    for shape, rest in (((0, 3), (0,)), ((2, 3, 0), (2, 0))):
        value, lse = fl.cross_entropy(np.zeros(shape), np.zeros(rest, int), return_lse=True)
        assert np.isnan(value) and lse.shape == rest


# ---- z_loss and softcap --------------------------------------------------------------------------


@TARGETS
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_z_loss_is_added_to_each_row(target: Array, reduction: str) -> None:
    """Not weighed, nothing for ignored rows, and the divisor is the same."""
    w, y = np.linspace(0.5, 2, 7), target.copy()
    by_class = y.ndim == 1
    if by_class:
        y[::5] = -100
    options: dict[str, Any] = {"weight": w, "reduction": reduction, "label_smoothing": 0.1}
    plain = fl.cross_entropy.value_grad_hess(LOGITS, y, **options)
    got = fl.cross_entropy.value_grad_hess(LOGITS, y, **options, z_loss=0.25)
    lse, p = fl.logsumexp(LOGITS, axis=1), fl.softmax(LOGITS, axis=1)
    kept = (y != -100) if by_class else np.ones(50, bool)
    total, hit = 50.0, w[y[kept]] if by_class else np.ones(50)
    divisor = {
        "mean": hit.sum(),
        "batchmean": total,
        "weighted_mean": hit.sum(),
        "sum_by_nonzero_weights": float(hit.size),
    }.get(reduction, 1.0)
    more = 0.25 * lse**2 * kept / divisor
    np.testing.assert_allclose(
        got[0], plain[0] + (more if reduction == "none" else more.sum()), rtol=1e-13
    )
    slope = (0.5 * lse * kept / divisor)[:, None]
    np.testing.assert_allclose(got[1], plain[1] + slope * p, rtol=1e-12, atol=1e-15)
    curvature = slope * p * (1 - p) + (0.5 * kept / divisor)[:, None] * p**2
    np.testing.assert_allclose(got[2], plain[2] + curvature, rtol=1e-12, atol=1e-15)


@TARGETS
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("z_loss", [0.0, 0.1])
def test_softcap_is_a_change_of_logits(target: Array, smoothing: float, z_loss: float) -> None:
    w, cap = np.linspace(0.5, 2, 7), 4.0
    options: dict[str, Any] = {"weight": w, "label_smoothing": smoothing, "z_loss": z_loss}
    tanh = np.tanh(LOGITS / cap)
    value, grad, hess = each("cross_entropy", cap * tanh, target, **options)
    got = each("cross_entropy", LOGITS, target, softcap=cap, **options)
    slope = 1 - tanh**2
    curvature = -2 / cap * tanh * slope
    agree(got, (value, grad * slope, hess * slope**2 + grad * curvature))


@DTYPE
def test_softcap_of_infinite_and_huge_logits(dtype: Any) -> None:
    """What is capped is finite, and its slope is 0."""
    x = np.array([[inf, 0, -inf], [1e30, 0, -1e30], [nan, 0, 0]], dtype)
    value, grad, hess = each("cross_entropy", x, [0, 2, 1], softcap=2.0)
    lse = np.log(np.exp(2) + 1 + np.exp(-2))
    np.testing.assert_allclose(value, [lse - 2, lse + 2, nan], rtol=1e-6)
    for part in (grad, hess):
        assert np.array_equal(part[:2, ::2], np.zeros((2, 2))) and np.all(part[:2, 1])
        assert np.isnan(part[2]).all()
    loose = each("cross_entropy", LOGITS.astype(dtype), LABELS, softcap=1e8)
    agree(loose, each("cross_entropy", LOGITS.astype(dtype), LABELS), rtol=1e-5)


@DTYPE
def test_limits_of_poly_and_focal(dtype: Any) -> None:
    """Where a product of 0 and inf is near: inf stays inf, finite logits stay finite."""
    x = np.array([[np.inf, 0.0], [0.0, -np.inf]], dtype)
    assert (fl.poly_cross_entropy_loss(x, [1, 1], epsilon=-1.0, reduction="none") == np.inf).all()
    for gap in (95, 103, 740):
        x = np.array([[gap, 0, -1]], dtype)
        for part in fl.softmax_focal_loss.value_grad_hess(x, [0], gamma=0.01):
            assert np.isfinite(part).all()
    tiny = fl.generalized_cross_entropy_loss(np.array([[700.0, 0.0]]), [0], q=1e-6)
    np.testing.assert_allclose(tiny, np.exp(-700.0), rtol=1e-13)


@DTYPE
@pytest.mark.parametrize("classes", [3, 33, 70, 150, 1500])
@pytest.mark.parametrize("loss", ["cross_entropy", "softmax_focal_loss", "brier_loss"])
def test_classes_that_lie_apart(loss: str, classes: int, dtype: Any) -> None:
    """Rows side by side in memory are worked on in another way, for many classes in a third."""
    rng = np.random.default_rng(classes)
    x = rng.normal(0, 20, (300, classes)).astype(dtype)
    x[5, 1] = np.nan
    x[7, 2] = -np.inf
    labels = rng.integers(0, classes, 300)
    options = {"softcap": 7.0, "z_loss": 0.1} if loss == "cross_entropy" else {}
    expected = each(loss, x, labels, **options)
    rtol = 64 * float(np.finfo(dtype).eps)
    for got in (
        each(loss, np.asfortranarray(x), labels, **options),
        each(loss, np.ascontiguousarray(x.T), labels, axis=0, **options),
    ):
        for part, true in zip(got, expected, strict=True):
            part = part if part.shape == true.shape else part.T
            np.testing.assert_allclose(part, true, rtol=rtol, atol=float(np.finfo(dtype).tiny))


@pytest.mark.parametrize("options", [{"z_loss": 0.0}, {"softcap": None}, {"z_loss": -0.0}])
def test_options_that_change_nothing(options: dict[str, Any]) -> None:
    for target in (LABELS, DISTRIBUTIONS):
        got, plain = (each("cross_entropy", LOGITS, target, **o) for o in (options, {}))
        assert all(map(same, got, plain))


def test_z_loss_of_an_infinite_logit() -> None:
    """The term is inf, not nan."""
    value, lse = fl.cross_entropy([[0.0, inf]], [1], z_loss=0.5, return_lse=True)
    assert value == inf and lse[0] == inf
    value = fl.cross_entropy([[0.0, -inf]], [0], z_loss=0.5)
    assert value == 0


# ---- relations -----------------------------------------------------------------------------------


@TARGETS
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.5])
def test_one_alpha_for_all_classes(target: Array, gamma: float) -> None:
    for reduction in REDUCTIONS:
        for alpha in (0.25, 1, np.float32(3), np.array(0.5)):
            one, many = (
                fl.softmax_focal_loss.value_grad_hess(
                    LOGITS, target, gamma=gamma, alpha=a, reduction=reduction
                )
                for a in (alpha, np.full(7, float(alpha)))
            )
            agree(one, many, rtol=1e-14)
        plain = fl.softmax_focal_loss.value_grad_hess(
            LOGITS, target, gamma=gamma, reduction=reduction
        )
        factor = 0.5
        if target.ndim == 1 and reduction == "weighted_mean":
            factor = 1.0  # it divides by the sum of alpha
        scaled = fl.softmax_focal_loss.value_grad_hess(
            LOGITS, target, gamma=gamma, alpha=0.5, reduction=reduction
        )
        agree(scaled, plain, factor)


@DTYPE
def test_one_alpha_does_not_promote(dtype: Any) -> None:
    x = LOGITS.astype(dtype)
    for alpha in (0.25, 1, True):
        value, grad = fl.softmax_focal_loss.value_and_grad(x, LABELS, alpha=alpha)
        assert value.dtype == dtype and grad.dtype == dtype


@TARGETS
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_focal_loss_without_focus_is_cross_entropy(target: Array, smoothing: float) -> None:
    alpha = np.linspace(0.25, 3, 7)
    options: dict[str, Any] = {"label_smoothing": smoothing}
    for reduction in ("none", "sum", "batchmean", "weighted_mean", "sum_by_nonzero_weights"):
        focal = fl.softmax_focal_loss.value_grad_hess(
            LOGITS, target, gamma=0, alpha=alpha, reduction=reduction, **options
        )
        plain = fl.cross_entropy.value_grad_hess(
            LOGITS, target, alpha, reduction=reduction, **options
        )
        agree(focal, plain)
    y = target.copy()
    if y.ndim == 1:
        y[:7] = -100
    focal = fl.softmax_focal_loss.value_grad_hess(LOGITS, y, gamma=0, alpha=alpha, **options)
    plain = fl.cross_entropy.value_grad_hess(LOGITS, y, alpha, reduction="sum", **options)
    agree(focal, plain, 1 / (43 if y.ndim == 1 else 50))  # rows, not weights


def test_focal_loss_of_two_classes_is_the_sigmoids() -> None:
    """Of logits (x, 0), for which p = sigmoid(x)."""
    x = np.linspace(-12, 12, 49)
    y = np.arange(49) % 2
    pairs = np.stack([x, 0 * x], axis=1)
    for gamma in (0.0, 0.5, 2.0, 3.5):
        value, grad, hess = each("softmax_focal_loss", pairs, 1 - y, gamma=gamma)
        expected = each("sigmoid_focal_loss", x, y, gamma=gamma, alpha=None)
        agree((value, grad[:, 0], hess[:, 0]), expected, rtol=1e-10)


@TARGETS
def test_losses_that_are_others(target: Array) -> None:
    w = np.linspace(0.25, 3, 7)
    for reduction in REDUCTIONS:
        for smoothing in (0.0, 0.2):
            options: dict[str, Any] = {"label_smoothing": smoothing, "reduction": reduction}
            agree(
                fl.poly_cross_entropy_loss.value_grad_hess(LOGITS, target, w, epsilon=0, **options),
                fl.cross_entropy.value_grad_hess(LOGITS, target, w, **options),
            )
        p = fl.softmax(LOGITS, axis=1)
        t = np.eye(7)[target] if target.ndim == 1 else target
        got = fl.generalized_cross_entropy_loss.value_grad_hess(
            LOGITS, target, w, q=1, reduction="none"
        )
        value = (w * t * (1 - p)).sum(axis=1)
        mean = (w * t * p).sum(axis=1, keepdims=True)
        slope = -p * (w * t - mean)
        curvature = -p * (1 - 2 * p) * (w * t - mean)
        agree(got, (value, slope, curvature))
    small = each("generalized_cross_entropy_loss", LOGITS, target, q=1e-9)
    for part, limit in zip(small, each("cross_entropy", LOGITS, target), strict=True):
        np.testing.assert_allclose(part, limit, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_brier_of_classes_is_that_of_their_indicators(reduction: str) -> None:
    """And of two classes it is twice the squared error of the probability."""
    got, by_class = (
        fl.brier_loss.value_grad_hess(LOGITS, t, reduction=reduction)
        for t in (np.eye(7)[LABELS], LABELS)
    )
    agree(got, by_class)
    p, y = fl.sigmoid(LOGITS[:, 0]), LABELS % 2
    pairs = np.stack([0 * LOGITS[:, 0], LOGITS[:, 0]], axis=1)
    twice = 2 * fl.mse_loss(p, y, reduction=reduction)
    agree([fl.brier_loss(pairs, y, reduction=reduction)], [twice])
    assert fl.brier_loss([[0.0, 800.0]], [0]) == 2 and fl.brier_loss([[0.0, 800.0]], [1]) == 0


def test_bounded_losses_are_bounded() -> None:
    x = np.array([[800.0, 0, -800], [0, 0, 0], [1e300, -1e300, 0]])
    for y in ([0, 0, 0], [2, 2, 1]):
        for q in (0.1, 0.5, 1.0):
            value, grad, hess = each("generalized_cross_entropy_loss", x, y, q=q)
            assert np.all((value >= 0) & (value <= 1 / q)) and np.isfinite(grad + hess).all()
        value, grad, hess = each("brier_loss", x, y)
        assert np.all((value >= 0) & (value <= 2)) and np.isfinite(grad + hess).all()


# ---- infinite logits -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", BLIND, ids=str)
@DTYPE
@pytest.mark.parametrize("shape", [(6, 4), (70, 3), (5, 90), (3, 1000)])
def test_classes_that_cannot_be(case: reg.Rows, dtype: Any, shape: tuple[int, int]) -> None:
    """-inf: as if the class was not there, and its own derivatives are 0."""
    n, classes = shape
    call = rows(case, shape, dtype=dtype)
    expected = call.each()
    # Before, between and behind, and enough for one chunk of nothing else.
    place = np.flatnonzero(np.arange(2 * classes + 1200) % 3 == 1)[:classes]
    wide = place[-1] + 1100
    x = np.full((n, wide), -inf, dtype)
    x[:, place] = call.input
    arrays: dict[str, Any] = {"input": x}
    if case.target == "class":
        arrays["target"] = place[call.arrays["target"]]
    else:
        arrays["target"] = np.zeros((n, wide), dtype)
        arrays["target"][:, place] = call.arrays["target"]
    if case.weighted and case.weights:
        w = np.ones(wide, dtype)
        w[place] = call.arrays[case.weights]
        arrays[case.weights] = w
    eps = float(np.finfo(dtype).eps)
    for change in (np.ascontiguousarray, np.asfortranarray):
        value, *rest = call.having(**arrays).changed(change, "input").each()
        np.testing.assert_allclose(value, expected[0], rtol=32 * eps)
        for part, wanted in zip(rest, expected[1:], strict=True):
            np.testing.assert_allclose(part[:, place], wanted, rtol=64 * eps, atol=32 * eps)
            part[:, place] = 0
            assert not part.any()


#: Of a target that is a class of -inf, and of one beside a class of +inf: value and slope at it.
LIMITS = {
    "cross_entropy": (inf, 1.0, inf, 1.0),
    "softmax_focal_loss": (inf, 1.0, inf, 1.0),
    "generalized_cross_entropy_loss": (2.0, 0.0, 2.0, 0.0),
    "poly_cross_entropy_loss": (inf, 1.0, inf, 1.0),
    "brier_loss": (1.5, 0.0, 2.0, 0.0),
}


@DTYPE
@pytest.mark.parametrize("loss", LIMITS)
@pytest.mark.parametrize("long", [False, True])
def test_infinite_logits(loss: str, dtype: Any, long: bool) -> None:
    masked, slope, beaten, steep = LIMITS[loss]
    for count in (1, 70):
        for order in "CF":

            def at(
                row: Any, y: int, by_class: bool, count: int = count, order: Any = order
            ) -> tuple[Array, Array, Array]:
                x = np.array([[*row, *[-inf] * 1200 * long]] * count, dtype, order=order)
                t: Any = np.full(count, y)
                if not by_class:
                    t = np.zeros(x.shape, dtype)
                    t[:, y] = 1
                got = each(loss, x, t)
                assert all(same(part, np.repeat(part[:1], count, axis=0)) for part in got)
                return got[0][0], got[1][0], got[2][0]

            for by_class in (True, False):
                value, grad, hess = at([0, 0, -inf], 2, by_class)
                assert np.isclose(value, masked)
                assert np.allclose(grad[:3], [slope / 2, slope / 2, -slope]) and not grad[3:].any()
                assert np.allclose(hess[:3], [0.25, 0.25, 0] if loss != GCE else 0)
                value, grad, hess = at([0, inf, 0.5], 1, by_class)
                assert value == 0 and not grad.any() and not hess.any()
                value, grad, hess = at([0, inf, 0.5], 0, by_class)
                assert np.isclose(value, beaten)
                assert np.allclose(grad[:3], [-steep, steep, 0]) and not hess.any()
                for row in ([inf, inf, 0], [-inf, -inf, -inf], [nan, 0, inf], [0, 0, nan]):
                    value, grad, hess = at(row, 0, by_class)
                    assert np.isnan(value) and np.isnan(grad[:2]).all()


GCE = "generalized_cross_entropy_loss"


@pytest.mark.parametrize("case", reg.ROWS_ONE_OF_EACH, ids=str)
@DTYPE
def test_huge_gaps(case: reg.Rows, dtype: Any) -> None:
    """Of finite logits come numbers, or inf where one is right; the slopes are bounded."""
    big = np.finfo(dtype).max
    x = np.array([[big, -big, 0], [-big, big, big], [big, big, big], [1e30, -1e30, 0]], dtype)
    call = rows(case, (4, 3), dtype=dtype).having(input=x)
    for change in (np.ascontiguousarray, np.asfortranarray):
        value, grad, hess = call.changed(change, "input").each()
        assert not np.isnan(value).any() and not np.isnan(grad).any() and not np.isnan(hess).any()


# ---- labels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [c for c in reg.ROWS_ONE_OF_EACH if c.target == "class"], ids=str)
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_labels_of_every_dtype(case: reg.Rows, dtype: np.dtype[Any]) -> None:
    for shape in ((70, 4), (3, 100), (6, 4, 5)):
        call = rows(case, shape)
        expected = call.run(2)
        t = call.arrays["target"].astype(dtype)
        for target in (t, t.astype(dtype.newbyteorder())):
            assert all(map(same, call.having(target=target).run(2), expected))


# ---- margins -------------------------------------------------------------------------------------


def lists(got: Any) -> list[Any]:
    return [part.tolist() for part in got]


def test_multi_margin() -> None:
    """By hand: the kink is not active, in the second derivative neither."""
    x, w = [[1.0, 0.0, 0.5, -3.0]], [2.0, 1.0, 1.0, 1.0]
    assert lists(each("multi_margin_loss", x, [0])) == [[0.125], [[-0.25, 0, 0.25, 0]], [[0] * 4]]
    assert lists(each("multi_margin_loss", x, [0], p=2, weight=w)) == [
        [0.125],
        [[-0.5, 0, 0.5, 0]],
        [[1.0, 0, 1.0, 0]],
    ]
    assert lists(each("multi_margin_loss", x, [0], margin=2.0)) == [
        [(1 + 1.5) / 4],
        [[-0.5, 0.25, 0.25, 0]],
        [[0] * 4],
    ]
    assert fl.multi_margin_loss(np.zeros((2, 3)), [0, 1], [1.0, 0.0, 0.0]) == pytest.approx(1 / 3)
    assert fl.multi_margin_loss(
        np.zeros((2, 3)), [0, 1], [1.0, 0.0, 0.0], reduction="weighted_mean"
    ) == pytest.approx(2 / 3)


def test_multilabel_margin() -> None:
    x = np.array([[0.1, 0.2, 0.4, 0.8]])
    value, grad, hess = each("multilabel_margin_loss", x, [[3, 0, -1, 77]])
    np.testing.assert_allclose(value, [0.85])  # torch's example
    np.testing.assert_allclose(grad, [[-0.5, 0.5, 0.5, -0.5]])
    assert not hess.any()
    twice = each("multilabel_margin_loss", x, [[3, 3, -1, 0]])
    once = each("multilabel_margin_loss", x, [[3, -1, 3, 3]])
    agree(twice, once, 2)
    for empty in ([[-1, 0, 1, 2]], [[-1, -1, -1, -1]], [[0, 1, 2, 3]]):
        assert not any(part.any() for part in each("multilabel_margin_loss", x, empty))
    assert lists(each("multilabel_margin_loss", [[1.0, 0.0]], [[0, -1]])) == [
        [0],
        [[0, 0]],
        [[0, 0]],
    ]


def test_multilabel_soft_margin() -> None:
    """The mean of binary cross entropies over the classes."""
    t, w = DISTRIBUTIONS > 0.1, np.linspace(0, 3, 7)
    parts = fl.binary_cross_entropy_with_logits.value_grad_hess(LOGITS, t, w, reduction="none")
    value, grad, hess = each("multilabel_soft_margin_loss", LOGITS, t, weight=w)
    agree((value, grad, hess), (parts[0].mean(axis=1), parts[1] / 7, parts[2] / 7))
    got = fl.multilabel_soft_margin_loss(LOGITS, t, w, reduction="weighted_mean")
    np.testing.assert_allclose(got, parts[0].sum() / (50 * w.sum()))
    got = fl.multilabel_soft_margin_loss(LOGITS, t, w, reduction="sum_by_nonzero_weights")
    np.testing.assert_allclose(got, parts[0].sum() / (50 * 6))
    whole = LOGITS[:48].reshape(2, 4, 6, 7)
    assert fl.multilabel_soft_margin_loss(whole, 1.0, reduction="none").shape == (2, 4, 6)


def test_categorical_hinge() -> None:
    x, w = [[1.0, 0.5, 0.5, -3.0]], [2.0, 1.0, 1.0, 1.0]
    got = each("categorical_hinge_loss", x, [0], weight=w)
    assert lists(got) == [[1.0], [[-2, 1, 1, 0]], [[0] * 4]]  # equal ones share
    got = each("categorical_hinge_loss", x, [0], margin=0.5)
    assert lists(got) == [[0.0], [[0] * 4], [[0] * 4]]  # the kink
    assert lists(each("categorical_hinge_loss", x, [1], margin=0))[:2] == [[0.5], [[1, -1, 0, 0]]]
    assert lists(each("categorical_hinge_loss", [[3.0]], [0])) == [[0], [[0]], [[0]]]
    many = np.zeros((3, 300))
    value, grad, _ = each("categorical_hinge_loss", many, [0, 7, 299])
    assert np.array_equal(value, np.ones(3))
    np.testing.assert_allclose(np.sort(grad, axis=1), [[-1] + [1 / 299] * 299] * 3)


def test_sparsemax() -> None:
    x = np.array([[0.5, 0.25, -2.0], [5.0, 0.0, 0.0], [0.0, 5.0, 0.0], [1.0, 1.0, 1.0]])
    value, grad, hess = each("sparsemax_loss", x, [0, 0, 0, 2])
    p = np.array([[0.625, 0.375, 0], [1, 0, 0], [0, 1, 0], [1 / 3] * 3])
    target = np.eye(3)[[0, 0, 0, 2]]
    np.testing.assert_allclose(grad, p - target, atol=1e-15)
    np.testing.assert_allclose(hess, [[0.5, 0.5, 0], [0] * 3, [0] * 3, [2 / 3] * 3], atol=1e-15)
    np.testing.assert_allclose(value, [0.140625, 0, 5, 1 / 3], atol=1e-15)
    heavy = each("sparsemax_loss", x, [0, 0, 0, 2], weight=np.full(3, 2.0))
    agree(heavy, (value, grad, hess), 2)
    assert not each("sparsemax_loss", [[7.0]], [0])[1].any()
    bad = np.array([[0.0, nan, 1.0], [0.0, 0.0, 0.0]])
    got = each("sparsemax_loss", bad, [0, 0])
    assert all(np.isnan(part[0]).all() and not np.isnan(part[1]).any() for part in got)


@pytest.mark.parametrize("case", [c for c in reg.ROWS if not c.smooth], ids=str)
def test_kinks_and_ties(case: reg.Rows) -> None:
    """Of small whole numbers, where every kink is met exactly."""
    for shape in ((60, 3), (9, 40), (70, 5), (3, 4, 5)):
        call = rows(case, shape)
        whole = np.random.default_rng(3).integers(-2, 3, shape).astype(float)
        for step in (1.0, 0.5):
            moved = call.having(input=whole * step)
            for change in (np.ascontiguousarray, np.asfortranarray):
                got, exact = moved.changed(change, "input").each(), truth(case, moved)
                for part, expected in zip(got, exact, strict=True):
                    np.testing.assert_allclose(part, expected, rtol=1e-12, atol=1e-14)
