"""Scores of ensembles and of ordered categories, and distillation: what is not of every loss."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses import ensembles as exact
from tests.losses.case import mp
from tests.registry import Exact

RECORD = json.loads(
    (Path(__file__).parent / "data" / "ensembles_parity.json").read_text(encoding="utf-8")
)
inf, nan = np.inf, np.nan
SIZES = (1, 2, 3, 15, 16, 17, 31, 32, 33, 51, 64, 255, 256, 257, 272, 273, 1000, 1024, 1025, 1041)
SIZES += (2047, 2049, 5000)


@pytest.mark.parametrize(
    "case",
    [c for package in RECORD.values() for c in package["cases"]],
    ids=lambda c: "-".join([c["package"], c["loss"], c["name"]]),
)
def test_recorded(case: dict[str, Any]) -> None:
    """Values and gradients as other packages have them."""
    call = {k: np.asarray(v) if isinstance(v, list) else v for k, v in case["call"].items()}
    value, grad = getattr(fl, case["loss"]).value_and_grad(**call, reduction="none")
    np.testing.assert_allclose(value, case["value"], rtol=1e-10, atol=1e-14)
    if case["grad"] is not None:
        np.testing.assert_allclose(grad, case["grad"], rtol=1e-10, atol=1e-14)


# ---- crps_ensemble -------------------------------------------------------------------------


def plainly(x: Any, t: Any, fair: bool = False) -> tuple[Any, Any]:
    """Values and gradients from a sort by NumPy, in float64."""
    x, t = x.astype(np.float64), t.astype(np.float64)
    n = x.shape[1]
    order = np.sort(x, axis=1)
    below = np.array([np.searchsorted(row, own) for row, own in zip(order, x, strict=True)])
    upto = np.array([np.searchsorted(row, own, "right") for row, own in zip(order, x, strict=True)])
    weight = 2 * np.arange(n) + 1 - n
    value = np.abs(x - t[:, None]).mean(axis=1) - order @ weight / (n * (n - fair))
    return value, (np.sign(x - t[:, None]) * (n - fair) - (below + upto - n)) / (n * (n - fair))


@pytest.mark.parametrize("members", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ties", [False, True])
def test_every_number_of_members(members: int, dtype: Any, ties: bool) -> None:
    """Around a tile, a network, a segment of a long row, and its merges."""
    rng = np.random.default_rng(members)
    rows = 37 if members < 300 else 3
    x = rng.normal(size=(rows, members))
    x = (np.round(x * 3) if ties else x).astype(dtype)
    t = (x[:, 0] if ties else rng.normal(size=rows)).astype(dtype)
    for fair in (False, True):
        if fair and members == 1:
            continue
        value, grad = plainly(x, t, fair)
        got = fl.crps_ensemble.value_grad_hess(x, t, fair=fair, reduction="none")
        rtol = 1e-6 if dtype is np.float32 else 1e-12
        np.testing.assert_allclose(got[0], value, rtol=rtol, atol=rtol / 100)
        np.testing.assert_allclose(got[1], grad, rtol=rtol, atol=1e-15)
        assert not got[2].any()
        assert np.array_equal(fl.crps_ensemble(x, t, fair=fair, reduction="none"), got[0])


@pytest.mark.parametrize("members", [1, 5, 51, 256, 300, 2500])
@pytest.mark.parametrize("fair", [False, True])
def test_missing_members(members: int, fair: bool) -> None:
    """They are as if they were not there, whatever stands in their place."""
    rng = np.random.default_rng(members)
    rows = 19
    x, t = rng.normal(size=(rows, members)), rng.normal(size=rows)
    x[3, rng.random(members) < 0.3] = inf
    there = rng.random((rows, members)) < 0.6
    there[0] = True
    there[1] = False
    there[2] = np.arange(members) == 0
    spoiled = np.where(there, x, rng.choice([nan, inf, -inf, 1e300], x.shape))
    value, grad = fl.crps_ensemble.value_and_grad(
        spoiled, t, fair=fair, where=there, reduction="none"
    )
    for r in range(rows):
        left = x[r, there[r]]
        if left.size == 0:
            assert value[r] == 0 and not grad[r].any()
            continue
        v, g = fl.crps_ensemble.value_and_grad(left, t[r], fair=fair)
        np.testing.assert_allclose(value[r], v, rtol=1e-14)
        np.testing.assert_array_equal(grad[r, there[r]], g)
        assert not np.where(there[r], 0, grad[r]).any()
    mean = fl.crps_ensemble(np.where(np.isinf(x), 0, x)[:3], t[:3], fair=fair, where=there[:3])
    assert np.isnan(mean) if fair else np.isfinite(mean)
    assert fl.crps_ensemble(x, t, where=False, reduction="sum") == 0


def test_single_members() -> None:
    value, grad = fl.crps_ensemble.value_and_grad([[1.0], [3.0], [2.0]], 2.0, reduction="none")
    assert value.tolist() == [1, 1, 0] and grad.tolist() == [[-1], [1], [0]]
    value, grad = fl.crps_ensemble.value_and_grad([[1.0]], 2.0, fair=True)
    assert np.isnan(value) and np.isnan(grad).all()
    value, grad = fl.energy_score.value_and_grad([[[1.0, 1]]], [[1.0, 3]])
    assert value == 2 and grad.tolist() == [[[0, -1]]]
    value, grad = fl.energy_score.value_and_grad([[[1.0, 1]]], [[1.0, 3]], fair=True)
    assert np.isnan(value) and np.isnan(grad).all()


@pytest.mark.parametrize("members", [5, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_members_have_no_spread(members: int, dtype: Any) -> None:
    x = np.full((4, members), 1.1, dtype)
    t = np.array([1.1, 0.3, 7.7, -1e10], dtype)
    for fair in (False, True):
        got = fl.crps_ensemble(x, t, fair=fair, reduction="none")
        assert np.array_equal(got, np.abs(x[:, 0] - t))


@pytest.mark.parametrize("members", [4, 300])
def test_infinite_members(members: int) -> None:
    """The limits, and no nan where there is one."""
    x = np.arange(members, dtype=float) / members
    x[-1] = inf
    got, grad = fl.crps_ensemble.value_and_grad(x, 0.5)
    assert got == inf and np.isfinite(grad).all()
    assert grad[-1] == pytest.approx(1 / members**2)
    far = np.where(x == inf, 1e9, x)
    fair = fl.crps_ensemble(far, 0.5, fair=True)
    assert fl.crps_ensemble(x, 0.5, fair=True) == pytest.approx(fair, rel=1e-6)
    assert fl.crps_ensemble(np.where(x == inf, 0, x), inf) == inf
    x[0] = nan
    got, grad = fl.crps_ensemble.value_and_grad(x, 0.5)
    assert np.isnan(got) and np.isnan(grad).all()


@pytest.mark.parametrize("members", [51, 256, 700])
def test_any_axis_and_any_threads(members: int) -> None:
    """The same bits."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(60, members, 9)), rng.normal(size=(60, 9))
    x[3, 4, 5] = nan
    last = np.ascontiguousarray(np.moveaxis(x, 1, -1))
    expected = fl.crps_ensemble.value_and_grad(last, t, reduction="none")
    first = np.asfortranarray(last)
    for n in (1, 2, 3, 5):
        fl.set_num_threads(n)
        total = fl.crps_ensemble.value_and_grad(last[:, :5], t[:, :5], reduction="sum")[1]
        assert np.array_equal(total, expected[1][:, :5], equal_nan=True)
        for array, axis in ((x, 1), (last, -1), (first, 2), (x[:, ::-1], -2)):
            value, grad = fl.crps_ensemble.value_and_grad(array, t, axis=axis, reduction="none")
            assert np.array_equal(value, expected[0], equal_nan=True)
            back = np.moveaxis(grad, axis, -1)
            back = back[..., ::-1] if axis == -2 else back
            assert np.array_equal(back, expected[1], equal_nan=True)


@pytest.mark.parametrize("fair", [False, True])
def test_large_ensembles_are_accurate(fair: bool) -> None:
    """Nothing cancels: a few units in the last place, far from 0 too."""
    rng = np.random.default_rng(3)
    for dtype in (np.float32, np.float64):
        x = (1e4 + rng.normal(size=(2, 80))).astype(dtype)
        t = (1e4 + rng.normal(size=2)).astype(dtype)
        numbers = {
            k: np.vectorize(mp.mpf, otypes=[object])(a) for k, a in (("input", x), ("target", t))
        }
        values, grads, _ = exact.crps(numbers, fair=fair)
        value, grad = fl.crps_ensemble.value_and_grad(x, t, fair=fair, reduction="none")
        assert Exact(values, dtype).errors(value).max() <= 4
        assert Exact(grads["input"], dtype).errors(grad).max() <= 2


# ---- energy_score --------------------------------------------------------------------------


@pytest.mark.parametrize("fair", [False, True])
def test_one_coordinate_is_crps(fair: bool) -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(4, 300)), rng.normal(size=4)
    got = fl.energy_score.value_and_grad(x[..., None], t[:, None], fair=fair, reduction="none")
    expected = fl.crps_ensemble.value_and_grad(x, t, fair=fair, reduction="none")
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(got[1][..., 0], expected[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(("members", "size"), [(3, 1000), (35, 129), (300, 5), (33, 128)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_vectors_and_long_ones(members: int, size: int, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(2, members, size)), rng.normal(size=(2, size))
    x, t = x.astype(dtype), t.astype(dtype)
    value, grad = exact.energy_score_and_grad(x.astype(float), t.astype(float))
    rtol = 1e-5 if dtype is np.float32 else 1e-12
    expected = fl.energy_score.value_and_grad(x, t)
    np.testing.assert_allclose(expected[0], value, rtol=rtol)
    np.testing.assert_allclose(expected[1], grad, rtol=rtol, atol=rtol * np.abs(grad).max())
    turned = np.ascontiguousarray(x.transpose(2, 0, 1))
    got = fl.energy_score.value_and_grad(turned, t.T, axis=2, vector_axis=0)
    np.testing.assert_array_equal(got[1], expected[1].transpose(2, 0, 1))
    assert got[0] == expected[0]


def test_missing_vectors() -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(3, 40, 4)), rng.normal(size=(3, 4))
    there = rng.random((3, 40)) < 0.6
    there[2] = False
    spoiled = np.where(there[..., None], x, nan)
    value, grad, hess = fl.energy_score.value_grad_hess(spoiled, t, where=there, reduction="none")
    for r in range(2):
        v, g, h = fl.energy_score.value_grad_hess(x[r, there[r]], t[r])
        np.testing.assert_allclose(value[r], v, rtol=1e-13)
        np.testing.assert_allclose(grad[r, there[r]], g, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(hess[r, there[r]], h, rtol=1e-12, atol=1e-15)
    assert value[2] == 0 and not grad[~there].any() and not hess[~there].any()


def test_vectors_whose_squares_overflow() -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(6, 3)), rng.normal(size=3)
    value, grad = fl.energy_score.value_and_grad(x, t)
    for scale in (2.0**700, 2.0**-700):
        v, g = fl.energy_score.value_and_grad(x * scale, t * scale)
        np.testing.assert_allclose(v / scale, value, rtol=1e-13)
        np.testing.assert_allclose(g, grad, rtol=1e-13)


# ---- ranked_probability_score ----------------------------------------------------------------


@pytest.mark.parametrize("classes", [1, 2, 5, 256, 257, 1500])
def test_classes_are_their_indicators(classes: int) -> None:
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.ones(classes), 35)
    y = rng.integers(0, classes, 35)
    t = np.eye(classes)[y]
    got = fl.ranked_probability_score.value_grad_hess(p, y, reduction="none")
    for a, b in zip(
        got, fl.ranked_probability_score.value_grad_hess(p, t, reduction="none"), strict=True
    ):
        np.testing.assert_array_equal(a, b)
    d = np.cumsum(p, axis=1) - np.cumsum(t, axis=1)
    np.testing.assert_allclose(got[0], (d * d).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(
        got[1], 2 * np.cumsum(d[:, ::-1], axis=1)[:, ::-1], rtol=1e-9, atol=1e-12
    )
    assert np.array_equal(got[2][0], 2 * np.arange(classes, 0, -1))


@pytest.mark.parametrize("classes", [5, 700])
def test_categories_that_are_not_there(classes: int) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(classes), 9)
    there = rng.random((9, classes)) < 0.7
    there[:, 2] = True
    y = np.full(9, 2)
    got = fl.ranked_probability_score.value_grad_hess(
        np.where(there, p, nan), y, where=there, reduction="none"
    )
    for r in range(9):
        label = np.flatnonzero(there[r]).tolist().index(2)
        one = fl.ranked_probability_score.value_grad_hess(p[r, there[r]], label)
        for a, b in zip(got, one, strict=True):
            np.testing.assert_allclose(a[r] if a.ndim == 1 else a[r, there[r]], b, rtol=1e-13)
    assert not got[1][~there].any() and not got[2][~there].any()


def test_targets_are_probabilities() -> None:
    t = np.array([[0.5, 0.5, 0.0], [0.5, -0.5, 1.0]])
    for x in (np.ones((2, 3)) / 3, np.ones((2, 300)) / 300):
        wide = np.zeros(x.shape)
        wide[:, :3] = t
        with pytest.raises(ValueError, match=r"^target: the value at \[1, 1\] is -0.5"):
            fl.ranked_probability_score(x, wide)
        got = fl.ranked_probability_score(x, wide, sample_weight=[1, 0], reduction="sum")
        assert got == fl.ranked_probability_score(x[:1], wide[:1], reduction="sum")


# ---- distillation_loss -----------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("classes", [3, 40, 2000, 20_000])
def test_a_student_close_to_its_teacher(reverse: bool, classes: int) -> None:
    """The divergence of x and x + d is half of the variance of d, to the first order: in float32
    1e-9 of what the logarithms are, which are lost in their rounding."""
    rng = np.random.default_rng(0)
    x = np.round(rng.normal(size=(3, classes)) * 1024) / 1024
    d = np.round(rng.normal(size=(3, classes)) * 4) / 2**14
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    half = ((p * d**2).sum(1) - (p * d).sum(1) ** 2) / 2
    for dtype in (np.float32, np.float64):
        got = fl.distillation_loss(
            (x + d).astype(dtype), x.astype(dtype), reverse=reverse, reduction="none"
        )
        np.testing.assert_allclose(got, half, rtol=2e-3)
        same = fl.distillation_loss(x.astype(dtype), x.astype(dtype), reverse=reverse)
        assert same == 0


@pytest.mark.parametrize("shape", [(64, 10), (64, 100), (5, 3000), (3, 12, 40), (2, 9000)])
@pytest.mark.parametrize("temperature", [1.0, 2.0, 3.0])
def test_layouts_of_two_scores(shape: tuple[int, ...], temperature: float) -> None:
    """The classes innermost or not, in either of the two."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, *shape))
    a, b = (np.exp(v / temperature) / np.exp(v / temperature).sum(1, keepdims=True) for v in (x, z))
    value = temperature**2 * (b * np.log(b / a)).sum(1)
    grad = temperature * (a - b)
    for left in (x, np.asfortranarray(x)):
        for right in (z, np.asfortranarray(z), z.astype(np.longdouble).astype(">f8")):
            got = fl.distillation_loss.value_grad_hess(
                left, right, temperature=temperature, reduction="none"
            )
            np.testing.assert_allclose(got[0], value, rtol=1e-12)
            np.testing.assert_allclose(got[1], grad, rtol=1e-11, atol=1e-15)
            np.testing.assert_allclose(got[2], a * (1 - a), rtol=1e-11, atol=1e-15)


def test_the_teacher_has_a_gradient_too() -> None:
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 4, 6))
    there, back = fl.distillation_loss(x, z), fl.distillation_loss(z, x, reverse=True)
    np.testing.assert_allclose(there, back, rtol=1e-14)
    _, grad = fl.distillation_loss.value_and_grad(z, x, reverse=True, reduction="none")
    step = np.zeros_like(z)
    step[1, 2] = 1e-6
    up, down = (fl.distillation_loss(x, z + s * step, reduction="sum") for s in (1, -1))
    assert grad[1, 2] == pytest.approx((up - down) / 2e-6, rel=1e-7)


# ---- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "input: at least one dimension", lambda: fl.crps_ensemble(1.0, 1.0)),
        (
            ValueError,
            "input: shape .* has no members",
            lambda: fl.crps_ensemble(np.ones((2, 0)), 0),
        ),
        (ValueError, "target: shape", lambda: fl.crps_ensemble(np.ones((2, 3)), np.ones(3))),
        (ValueError, "axis: 2 is out", lambda: fl.crps_ensemble(np.ones((2, 3)), 0, axis=2)),
        (TypeError, "fair: True or False", lambda: fl.crps_ensemble([1.0], 0, fair=1)),
        (
            ValueError,
            "weight: shape",
            lambda: fl.crps_ensemble(np.ones((2, 3)), 0, weight=[1, 2, 3]),
        ),
        (ValueError, "input: at least two", lambda: fl.energy_score([1.0], 1.0)),
        (ValueError, "vector_axis: 3 is out", lambda: fl.energy_score([[1.0]], 1, vector_axis=3)),
        (ValueError, "vector_axis: -2 is the", lambda: fl.energy_score([[1.0]], 1, vector_axis=-2)),
        (ValueError, "input: shape .* has no coord", lambda: fl.energy_score(np.ones((2, 0)), 1)),
        (ValueError, "input: shape .* has no memb", lambda: fl.energy_score(np.ones((0, 2)), 1)),
        (ValueError, "where: shape", lambda: fl.energy_score([[1.0]], 1, where=[1, 1, 1])),
        (ValueError, "temperature: ", lambda: fl.distillation_loss([1.0], [1.0], temperature=0)),
        (TypeError, "temperature: ", lambda: fl.distillation_loss([1.0], [1.0], temperature="2")),
        (ValueError, "temperature: ", lambda: fl.distillation_loss([1.0], [1.0], temperature=inf)),
        (ValueError, "temperature: ", lambda: fl.distillation_loss([1.0], [1.0], temperature=1e7)),
        (ValueError, "temperature: ", lambda: fl.distillation_loss([1.0], [1], temperature=1e-39)),
        (ValueError, "teacher_logits: ", lambda: fl.distillation_loss([1.0], [1.0, 2.0])),
        (TypeError, "reverse: ", lambda: fl.distillation_loss([1.0], [1.0], reverse=1)),
        (IndexError, "target: ", lambda: fl.ranked_probability_score([[0.5, 0.5]], [2])),
    ],
)
def test_errors(error: type[Exception], message: str, call: Any) -> None:
    with pytest.raises(error, match=f"^{message}"):
        call()
