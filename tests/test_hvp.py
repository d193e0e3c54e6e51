"""Products of a Hessian with a vector, of all losses that have them."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import Loss
from tests import registry as reg
from tests.samples import (
    CASES,
    FLOATS,
    LAYOUTS,
    ONE_OF_EACH,
    REDUCTIONS,
    Call,
    Case,
    elementwise,
    rows,
    same,
)

nan, inf = float("nan"), float("inf")
LOSSES: list[Any] = [x for x in (getattr(fl, n) for n in fl.__all__) if isinstance(x, Loss)]
#: Rows with derivatives to the first operand, of losses that have products.
HAVING: list[Case] = [c for c in CASES if getattr(fl, c.loss).has_hvp and not getattr(c, "side", 0)]
HAVING_ONE: list[Case] = [c for c in HAVING if c in ONE_OF_EACH]
ROWS: list[reg.Rows] = [c for c in HAVING if isinstance(c, reg.Rows)]
ELEMENT = pytest.mark.parametrize(
    "case", [c for c in HAVING if isinstance(c, reg.Elementwise)], ids=str
)
ONE = pytest.mark.parametrize("case", HAVING_ONE, ids=str)
ROW = pytest.mark.parametrize("case", ROWS, ids=str)


def sample_of(case: Case, shape: tuple[int, ...] = (6, 5), dtype: Any = np.float64) -> Call:
    if isinstance(case, reg.Rows):
        return rows(case, shape, dtype=dtype)
    return elementwise(case, shape, dtype, weighted=True)


def product(sample: Call, v: Any, **options: Any) -> Any:
    loss = getattr(fl, sample.loss.__name__)
    return loss.hvp(**sample.arrays, **(sample.options | options), v=v)


def direction(sample: Call, seed: int = 5) -> Any:
    return np.random.default_rng(seed).normal(size=sample.input.shape)


def test_which_losses_have_them() -> None:
    elementwise_families = {"regression", "binary", "distributions", "counts", "location_scale"}
    elementwise_families |= {"forecasts"}
    others = {"aft_loss", "cox_ph_loss", "list_mle_loss"}
    for loss in LOSSES:
        family = loss.__module__.rpartition(".")[2]
        without = ("brier_loss", "distillation_loss")
        softmax_one = family == "classification" and loss.__name__ not in without
        expected = family in elementwise_families or softmax_one or loss.__name__ in others
        assert loss.has_hvp is expected, loss
        if not loss.has_hvp:
            with pytest.raises(NotImplementedError, match=f"{loss.__name__} has no products"):
                loss.hvp()
    assert ROWS and len(HAVING) > 60


# ---- numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@ELEMENT
def test_elementwise_it_is_the_diagonal(case: reg.Elementwise, reduction: str) -> None:
    sample = sample_of(case)
    v = direction(sample)
    v[2, 3] = 0
    hess = sample.run(2, reduction=reduction)[2]
    got = product(sample, v, reduction=reduction)
    np.testing.assert_allclose(got, hess * v, rtol=1e-14, atol=5e-324)
    mask = np.arange(30).reshape(6, 5) % 3 > 0
    hess = sample.run(2, reduction=reduction, where=mask)[2]
    got = product(sample, v, reduction=reduction, where=mask)
    np.testing.assert_allclose(got, hess * v, rtol=1e-14, atol=5e-324)
    assert np.all(got[~mask] == 0)


@pytest.mark.parametrize("classes", (2, 5, 40, 700))
@ROW
def test_of_the_softmax_it_is_the_derivative_of_the_gradient(case: reg.Rows, classes: int) -> None:
    sample = rows(case, (9, classes))
    v = direction(sample)
    weights = np.random.default_rng(3).uniform(0.5, 2, 9)
    step = 1e-5
    for reduction in REDUCTIONS:
        options = {"reduction": reduction, "sample_weight": weights}
        up, down = (sample.moved(s * v).run(1, **options)[1] for s in (step, -step))
        got = product(sample, v, **options)
        size = np.abs(sample.run(2, **options)[2]).max() + np.abs(up).max()
        np.testing.assert_allclose(got, (up - down) / (2 * step), rtol=3e-7, atol=3e-9 * size)


@ROW
def test_the_diagonal_of_the_softmax_is_that_of_value_grad_hess(case: reg.Rows) -> None:
    sample = rows(case, (20, 7))
    hess = sample.run(2)[2]
    for j in range(7):
        e = np.zeros((20, 7))
        e[:, j] = 1
        got = product(sample, e)[:, j]
        np.testing.assert_allclose(got, hess[:, j], rtol=1e-9, atol=1e-13 * np.abs(hess).max())


@pytest.mark.parametrize(
    "options",
    [
        {"label_smoothing": 0.2},
        {"z_loss": 0.3},
        {"softcap": 4.0},
        {"softcap": 2.0, "z_loss": 0.1, "label_smoothing": 0.1},
        {"ignore_index": 1},
        {"weight": [0.5, 0.0, 2.0, 1.5]},
        {"weight": [0.5, 1.0, 2.0, 1.5], "label_smoothing": 0.3, "z_loss": 0.2},
    ],
)
@pytest.mark.parametrize("masked", (False, True))
@pytest.mark.parametrize("axis", (0, 1, 2))
def test_options_of_cross_entropy(options: dict[str, Any], masked: bool, axis: int) -> None:
    rng = np.random.default_rng(1)
    shape = (4, 10, 3) if axis == 0 else (10, 4, 3) if axis == 1 else (10, 3, 4)
    x, v = rng.normal(size=(2, *shape)) * 2
    target = rng.integers(0, 4, np.delete(shape, axis))
    where = np.ones(shape, bool)
    if masked:
        where = rng.random(shape) < 0.7
        np.put_along_axis(where, np.expand_dims(target, axis), True, axis)
    weights = rng.uniform(0.5, 2, target.shape)
    given = options | {"where": where, "sample_weight": weights, "axis": axis}
    if options.get("softcap"):
        assert np.abs(x).max() > 4
    loss, step = fl.cross_entropy, 1e-5
    up = loss.value_and_grad(x + step * v, target, **given)[1]
    down = loss.value_and_grad(x - step * v, target, **given)[1]
    got = loss.hvp(x, target, v, **given)
    np.testing.assert_allclose(got, (up - down) / (2 * step), rtol=1e-6, atol=1e-11)
    assert np.all(got[~where] == 0)


def test_where_one_class_is_all_but_certain() -> None:
    """Row 0 of H v is p_0 Σ p_j (v_0 - v_j): no difference of nearly equal numbers."""
    x = np.array([[50.0, 0.0, -5.0]])
    v = np.array([[0.7, -0.4, 0.25]])
    p = np.exp(x - 50) / np.exp(x - 50).sum()
    first = p[0, 0] * (p[0, 1] * (v[0, 0] - v[0, 1]) + p[0, 2] * (v[0, 0] - v[0, 2]))
    for classes in (3, 100):
        wide = np.pad(x, ((0, 0), (0, classes - 3)), constant_values=-inf)
        along = np.pad(v, ((0, 0), (0, classes - 3)))
        for rows_ in (1, 40):
            logits, d = np.repeat(wide, rows_, 0), np.repeat(along, rows_, 0)
            got = fl.cross_entropy.hvp(logits, np.zeros(rows_, int), d, reduction="sum")
            np.testing.assert_allclose(got[:, 0], first, rtol=1e-14)
            np.testing.assert_allclose(got[:, 1], p[0, 1] * (v[0, 1] - v[0, 0]), rtol=1e-14)
            assert not got[:, 3:].any()


def test_nll_is_linear() -> None:
    got = fl.nll_loss.hvp([[-0.5, -1.5], [nan, -0.25]], [0, 1], [[1.0, 2.0], [3.0, 4.0]])
    assert not got.any() and got.shape == (2, 2)
    with pytest.raises(IndexError, match="target: the class at"):
        fl.nll_loss.hvp([[-0.5, -1.5]], [2], [[1.0, 2.0]])


@ONE
def test_nan_stays_and_weights_of_0_count_for_nothing(case: Case) -> None:
    sample = sample_of(case)
    v = direction(sample)
    holed = v.copy()
    holed[2, 1] = nan
    got = product(sample, holed)
    assert (
        np.isnan(got[2, 1]) is np.bool_(case.loss != "nll_loss")
        and not np.isnan(np.delete(got, 2, 0)).any()
    )
    if isinstance(case, reg.Rows):
        weights = np.ones(6)
        weights[2] = 0
        left_out = {"sample_weight": weights}
    else:
        weights = np.ones((6, 5))
        weights[2] = 0
        sample = sample.having(weight=weights)
        left_out = {}
    got = product(sample, v, **left_out)
    x = sample.input.copy()
    x[2] = nan
    assert same(product(sample.having(**{sample.first: x}), v, **left_out), got)
    assert not got[2].any() and got[[0, 1, 3]].any() == (case.loss != "l1_loss" and got.any())


# ---- dtypes, layouts, buffers, threads, levels ---------------------------------------------------


@ONE
def test_dtypes(case: Case) -> None:
    exact = sample_of(case, dtype=np.float32)
    v = direction(exact).astype(np.float32)
    truth = product(exact.changed(lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a), v)
    for dtype in FLOATS:
        sample = exact.changed(lambda a, d=dtype: a.astype(d) if a.dtype.kind == "f" else a)
        got = product(sample, v.astype(dtype))
        assert got.dtype == dtype and got.shape == sample.input.shape
        if dtype.itemsize > 2:
            size = np.abs(truth).max()
            np.testing.assert_allclose(got, truth, rtol=2e-5, atol=2e-6 * size)
    wide = product(exact, v.astype(np.float64))
    assert wide.dtype == np.float32
    np.testing.assert_allclose(wide, truth, rtol=2e-7, atol=1e-38)
    counted = product(exact, np.ones(v.shape, np.int8))
    np.testing.assert_array_equal(counted, product(exact, np.ones(v.shape, np.float32)))


@ONE
def test_layouts(case: Case, levels: Any) -> None:
    for _ in levels:
        for shape in ((9, 5), (70, 33)):
            sample = sample_of(case, shape)
            v = direction(sample)
            expected = product(sample, v)
            for layout in LAYOUTS.values():
                other = sample.changed(lambda a, f=layout: f(a) if a.ndim == 2 else a)
                np.testing.assert_allclose(product(other, layout(v)), expected, rtol=1e-12)
            row = v[:1]
            got = product(sample, row)
            np.testing.assert_array_equal(got, product(sample, np.broadcast_to(row, shape).copy()))


@ONE
def test_buffers(case: Case) -> None:
    sample = sample_of(case)
    v = direction(sample)
    expected = product(sample, v)
    for order, dtype in itertools.product("CF", (np.float64, np.float32)):
        buffer = np.full(v.shape, nan, dtype, order=order)  # type: ignore[call-overload]
        assert product(sample, v, hvp_out=buffer) is buffer
        rtol, atol = (1e-6, 1e-36) if dtype == np.float32 else (1e-12, 0)
        np.testing.assert_allclose(buffer, expected, rtol=rtol, atol=atol)
    with pytest.raises(ValueError, match="hvp_out: shares memory"):
        product(sample, v, hvp_out=v)
    with pytest.raises(ValueError, match="hvp_out: shares memory"):
        product(sample, v, hvp_out=sample.input)
    with pytest.raises(ValueError, match=r"hvp_out: shape \(6, 5\) is needed, got \(5,\)"):
        product(sample, v, hvp_out=np.empty(5))
    with pytest.raises(TypeError, match="hvp_out: a NumPy array is needed"):
        product(sample, v, hvp_out=[1.0])


@ONE
def test_threads_and_levels(case: Case, levels: Any) -> None:
    sample = sample_of(case, (3000, 40))
    v = direction(sample)
    found = []
    for _ in levels:
        of_level = []
        for threads in (1, 3):
            fl.set_num_threads(threads)
            of_level.append(product(sample, v))
        assert same(*of_level)
        found.append(of_level[0])
    for other in found[1:]:
        size = np.abs(found[0]).max()
        np.testing.assert_allclose(other, found[0], rtol=1e-9, atol=1e-14 * size)


# ---- calls ---------------------------------------------------------------------------------------


def test_arguments() -> None:
    x, t, v = [[1.0, 2.0, 0.5]], [[0.5, 0.0, 0.75]], [[1.0, -1.0, 2.0]]
    expected = fl.huber_loss.hvp(x, t, v, delta=1.0)
    for got in (
        fl.huber_loss.hvp(x, t, v),
        fl.huber_loss.hvp(x, t, v=v),
        fl.huber_loss.hvp(input=x, target=t, v=v),
        fl.HuberLoss().hvp(x, t, v),
        fl.HuberLoss().hvp(x, t, v=v),
        fl.HuberLoss(delta=9.0).set_params(delta=1.0).hvp(x, target=t, v=v),
    ):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_allclose(expected, [[1 / 3, 0, 2 / 3]])
    np.testing.assert_array_equal(
        fl.HuberLoss(weight=[1, 1, 5]).hvp(x, t, v, weight=[1, 1, 0]), [[1 / 3, 0, 0]]
    )
    weighted = fl.binary_cross_entropy_with_logits.hvp([0.0], [1.0], [1.0], [2.0])
    np.testing.assert_allclose(weighted, [0.5])  # the weight stands after v
    assert list(inspect.signature(fl.huber_loss.hvp).parameters)[:3] == ["input", "target", "v"]
    assert list(inspect.signature(fl.HuberLoss().hvp).parameters) == [
        *("input", "target", "v", "weight", "where", "hvp_out")
    ]
    assert fl.huber_loss.hvp.__doc__.startswith("The Hessian of `huber_loss`")
    assert "hvp" in dir(fl.huber_loss) and fl.huber_loss.hvp.__qualname__ == "huber_loss.hvp"
    paired = fl.gaussian_nll_loss.hvp([1.0], [0.0], [2.0], [3.0])
    np.testing.assert_allclose(paired, [1.5])


def test_wrong_arguments() -> None:
    x = np.zeros((3, 2))
    with pytest.raises(ValueError, match=r"v: shape \(3,\) cannot be broadcast to the shape of in"):
        fl.huber_loss.hvp(x, x, np.zeros(3))
    with pytest.raises(ValueError, match=r"v: shape \(3,\) cannot be broadcast to the shape of in"):
        fl.cross_entropy.hvp(x, [0, 1, 0], np.zeros(3))
    for args in ((), (x,), (x, x)):
        with pytest.raises(TypeError, match="huber_loss: missing a required argument"):
            fl.huber_loss.hvp(*args)
    with pytest.raises(TypeError, match="huber_loss: missing a required argument: 'v'"):
        fl.huber_loss.hvp(x, target=x)
    with pytest.raises(TypeError, match="huber_loss: missing a required argument: 'v'"):
        fl.HuberLoss().hvp(x, x)
    with pytest.raises(TypeError, match="huber_loss: got an unexpected keyword argument 'dleta'"):
        fl.huber_loss.hvp(x, x, x, dleta=2)
    with pytest.raises(TypeError, match="v: dtype complex128 is not accepted"):
        fl.huber_loss.hvp(x, x, x + 1j)
    with pytest.raises(ValueError, match="return_lse: hvp returns nothing but the product"):
        fl.cross_entropy.hvp(x, [0, 1, 0], x, return_lse=True)
    with pytest.raises(ValueError, match="target: the value at"):
        fl.poisson_nll_loss.hvp(x, x - 1, x)
    with pytest.raises(IndexError, match="target: the class at"):
        fl.cross_entropy.hvp(x, [0, 2, 0], x)
    with pytest.raises(NotImplementedError, match="dice_loss has no products of its Hessian"):
        fl.DiceLoss().hvp(x, x, x)


def test_nothing() -> None:
    for shape in ((0,), (0, 3), (2, 0)):
        assert fl.mse_loss.hvp(np.zeros(shape), np.zeros(shape), np.zeros(shape)).shape == shape
    empty = fl.cross_entropy.hvp(np.zeros((0, 3)), np.zeros(0, int), np.zeros((0, 3)))
    assert empty.shape == (0, 3)


def test_nulls_that_a_mask_leaves_out() -> None:
    holed, mask = [1.0, None, 3.0], [True, False, True]
    np.testing.assert_array_equal(
        fl.mse_loss.hvp(holed, [0.0, 1.0, 2.0], 1.0, where=mask, reduction="sum"), [2.0, 0.0, 2.0]
    )
    with pytest.raises(ValueError, match="input: holds nulls, the first at position 1"):
        fl.mse_loss.hvp(holed, [0.0, 1.0, 2.0], v=1.0, where=[True, True, False])
    with pytest.raises((TypeError, ValueError), match="v: "):
        fl.mse_loss.hvp([1.0, 2.0, 3.0], [0.0, 1.0, 2.0], holed, where=mask)
