"""Losses between regions: published formulas, empty masks, layouts, what is ignored, memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.samples import same

RECORD = json.loads((Path(__file__).parent / "data" / "regions_parity.json").read_text())
OVERLAPS = (
    "dice_loss",
    "generalized_dice_loss",
    "jaccard_loss",
    "tversky_loss",
    "focal_tversky_loss",
)
MULTICLASS = (*OVERLAPS, "lovasz_softmax_loss")
rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4, 6, 7)) * 2
LABELS = rng.integers(0, 4, (3, 6, 7))
MASKS = (rng.uniform(size=X.shape) < 0.4).astype(float)


def call(loss: str, *args: Any, **options: Any) -> Any:
    return getattr(fl, loss).value_grad_hess(*args, **options)


@pytest.mark.parametrize("case", RECORD["cases"], ids=lambda case: case["theirs"])
def test_published_formulas(case: dict[str, Any]) -> None:
    arrays = {name: np.array(a) for name, a in case["arrays"].items()}
    got = call(case["loss"], **arrays, **case["options"])
    for part, what in zip(got, ("value", "grad", "hess"), strict=True):
        np.testing.assert_allclose(part, np.array(case[what]), rtol=1e-9, atol=1e-13, err_msg=what)


# ---- empty and perfect masks ---------------------------------------------------------------------


@pytest.mark.parametrize("loss", OVERLAPS)
@pytest.mark.parametrize("smooth", [0.0, 1e-5])
def test_nothing_to_find_and_nothing_found(loss: str, smooth: float) -> None:
    """Is no loss and has no slope, whatever the smoothing."""
    x, t = np.full((2, 5), -np.inf), np.zeros((2, 5))
    for dtype in (np.float32, np.float64):
        got = call(loss, x.astype(dtype), t, mode="binary", smooth_nr=smooth, smooth_dr=smooth)
        assert not any(np.any(part) for part in got)
    got = call(
        loss, np.zeros((2, 5)), t, mode="binary", from_logits=False, smooth_nr=0, smooth_dr=0
    )
    assert not np.any(got[0]) and not np.any(got[1])


@pytest.mark.parametrize("loss", OVERLAPS)
def test_no_pixels(loss: str) -> None:
    value, grad, hess = call(loss, np.zeros((2, 3, 0)), np.zeros((2, 0), int))
    assert value == 0 and grad.shape == hess.shape == (2, 3, 0)


@pytest.mark.parametrize("gap", [17.0, 30.0, 80.0])
def test_nearly_perfect_masks_keep_their_digits(gap: float) -> None:
    """Where one less the overlap is rounded to 0."""
    labels = LABELS
    x = gap * np.moveaxis(np.eye(4)[labels], -1, 1)
    missed = 3 / (3 + np.exp(gap))
    value = fl.jaccard_loss(x.astype(np.float32), labels, per_image=False)
    assert value > 0
    hits = np.array([np.sum(labels == c) for c in range(4)])
    wrong = missed * hits + (labels.size - hits) * np.exp(-gap) / (1 + 3 * np.exp(-gap))
    np.testing.assert_allclose(value, np.mean(wrong / (hits + wrong)), rtol=2e-5)


# ---- relations -----------------------------------------------------------------------------------


def test_dice_is_a_tversky_loss() -> None:
    dice = call("dice_loss", X, LABELS, smooth_nr=2e-5, smooth_dr=2e-5)
    for a, b in zip(dice, call("tversky_loss", X, LABELS), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-16)
    jaccard = call("jaccard_loss", X, LABELS)
    again = call("tversky_loss", X, LABELS, alpha=1, beta=1)
    assert all(map(same, jaccard, again))
    power = call("focal_tversky_loss", X, LABELS, alpha=1, beta=1, gamma=1)
    assert all(map(same, jaccard, power))


@pytest.mark.parametrize("loss", OVERLAPS)
def test_class_numbers_are_probabilities_of_0_and_1(loss: str) -> None:
    hot = np.moveaxis(np.eye(4)[LABELS], -1, 1)
    for a, b in zip(call(loss, X, LABELS), call(loss, X, hot), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("loss", OVERLAPS)
def test_a_mask_is_a_class_by_itself(loss: str) -> None:
    one = call(loss, X[:, 0], MASKS[:, 0], mode="binary")
    alone = call(loss, X[:, :1], MASKS[:, :1], mode="multilabel")
    assert same(one[0], alone[0])
    assert all(same(a, b[:, 0]) for a, b in zip(one[1:], alone[1:], strict=True))


@pytest.mark.parametrize("loss", MULTICLASS)
@pytest.mark.parametrize("per_image", [True, False])
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1])
def test_axis(loss: str, per_image: bool, axis: int) -> None:
    expected = call(loss, X, LABELS, per_image=per_image)
    x = np.moveaxis(X, 1, axis)
    got = call(loss, x, LABELS, per_image=per_image, axis=axis)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-13)
    for a, b in zip(got[1:], expected[1:], strict=True):
        np.testing.assert_allclose(np.moveaxis(a, axis, 1), b, rtol=1e-11, atol=1e-17)


@pytest.mark.parametrize("loss", MULTICLASS)
@pytest.mark.parametrize("per_image", [True, False])
def test_shape_of_the_values(loss: str, per_image: bool) -> None:
    got = getattr(fl, loss)(X, LABELS, per_image=per_image, reduction="none")
    images = (3,) if per_image else ()
    assert np.shape(got) == (images if "generalized" in loss else (*images, 4))
    out = np.zeros(np.shape(got), np.float32)
    again = getattr(fl, loss)(X, LABELS, per_image=per_image, reduction="none", out=out)
    assert again is out
    np.testing.assert_allclose(out, got, rtol=1e-6)


@pytest.mark.parametrize("loss", MULTICLASS)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64, ">i4"])
def test_class_numbers_of_every_dtype(loss: str, dtype: Any) -> None:
    assert all(map(same, call(loss, X, LABELS.astype(dtype)), call(loss, X, LABELS)))


@pytest.mark.parametrize("loss", MULTICLASS)
def test_many_classes(loss: str) -> None:
    """More than a tile keeps, as the sum over fewer at a time."""
    x, t = rng.normal(size=(2, 1000, 40)), rng.integers(0, 1000, (2, 40))
    got = call(loss, x, t, weight=rng.uniform(0.5, 2, 1000))
    assert all(np.isfinite(part).all() for part in got)
    np.testing.assert_allclose(got[1].sum(axis=1), 0, atol=1e-15)


# ---- weights and what is ignored -----------------------------------------------------------------


@pytest.mark.parametrize("loss", [name for name in MULTICLASS if "generalized" not in name])
def test_class_weights(loss: str) -> None:
    w = np.array([0.0, 1.0, 2.0, 0.5])
    plain = getattr(fl, loss)(X, LABELS, reduction="none", per_image=True)
    for reduction, divisor in (
        ("mean", 12),
        ("sum", 1),
        ("batchmean", 3),
        ("weighted_mean", 10.5),
        ("sum_by_nonzero_weights", 9),
    ):
        got = getattr(fl, loss)(X, LABELS, w, reduction=reduction, per_image=True)
        np.testing.assert_allclose(got, (plain * w).sum() / divisor, rtol=1e-13)


@pytest.mark.parametrize("loss", MULTICLASS)
@pytest.mark.parametrize("ignored", [1, 255, -1])
def test_ignored_pixels_might_not_be_there(loss: str, ignored: int) -> None:
    skip = rng.uniform(size=LABELS.shape) < 0.3
    labels = np.where(skip, ignored, np.where(ignored == LABELS, 2, LABELS))
    x = np.where(skip[:, None], np.nan, X)
    for per_image in (True, False):
        got = call(loss, x, labels, ignore_index=ignored, per_image=per_image, reduction="none")
        for n in range(3) if per_image else range(1):
            one = slice(n, n + 1) if per_image else slice(None)
            rest = np.moveaxis(X[one], 1, -1)[~skip[one]].T[None]
            alone = call(loss, rest, labels[one][~skip[one]][None], reduction="none")
            value = got[0][one] if per_image else got[0]
            np.testing.assert_allclose(value, np.squeeze(alone[0]).reshape(value.shape), rtol=1e-12)
            for a, b in zip(got[1:], alone[1:], strict=True):
                counted = np.moveaxis(a[one], 1, -1)
                np.testing.assert_allclose(counted[~skip[one]].T[None], b, rtol=1e-10, atol=1e-16)
                assert not counted[skip[one]].any()


def test_ignored_pixels_of_masks() -> None:
    skip = rng.uniform(size=MASKS.shape) < 0.3
    x, t = np.where(skip, np.nan, X), np.where(skip, 255, MASKS).astype(np.uint8)
    got = call("dice_loss", x, t, mode="multilabel", ignore_index=255)
    gone = call("dice_loss", np.where(skip, -np.inf, X), MASKS * ~skip, mode="multilabel")
    np.testing.assert_allclose(got[0], gone[0], rtol=1e-13)
    np.testing.assert_allclose(got[1], gone[1], rtol=1e-12, atol=1e-18)
    assert not got[1][skip].any()
    value, grad = fl.lovasz_hinge_loss.value_and_grad(x, t, ignore_index=255)
    alone = fl.lovasz_hinge_loss.value_and_grad(X[~skip], MASKS[~skip])
    np.testing.assert_allclose(value, alone[0], rtol=1e-14)
    assert same(grad[~skip], alone[1]) and not grad[skip].any()


@pytest.mark.parametrize("loss", MULTICLASS)
def test_all_ignored(loss: str) -> None:
    value, grad, _ = call(loss, X, np.full(LABELS.shape, 9), ignore_index=9, reduction="sum")
    assert value == 0 and not grad.any()


# ---- Lovász --------------------------------------------------------------------------------------


def test_lovasz_of_whole_masks_is_the_jaccard_loss() -> None:
    """Where all errors are 0 or 2, or 0 or 1, it is that of the masks, but for the factor."""
    truth, found = MASKS[0, 0], MASKS[1, 0]
    union = np.sum((truth + found) > 0)
    loss = 1 - np.sum(truth * found) / union
    value = fl.lovasz_hinge_loss(2 * found - 1, truth)
    np.testing.assert_allclose(value, 2 * loss, rtol=1e-14)
    p = np.stack([1 - found, found])[None]
    each = fl.lovasz_softmax_loss(p, truth[None].astype(int), from_logits=False, reduction="none")
    np.testing.assert_allclose(each[1], loss, rtol=1e-14)


def test_lovasz_counts_the_classes_that_are_there() -> None:
    labels = np.where(LABELS == 3, 0, LABELS)
    each = fl.lovasz_softmax_loss(X, labels, reduction="none")
    assert each[3] == 0
    np.testing.assert_allclose(fl.lovasz_softmax_loss(X, labels), each.sum() / 3, rtol=1e-15)
    every = fl.lovasz_softmax_loss(X, labels, classes="all", reduction="none")
    assert every[3] > 0 and same(every[:3], each[:3])
    np.testing.assert_allclose(every[3], fl.softmax(X, axis=1)[:, 3].max(), rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lovasz_of_equal_errors_goes_by_position(dtype: Any) -> None:
    x = np.zeros((1, 6), dtype)
    _, grad = fl.lovasz_hinge_loss.value_and_grad(x, [[0, 1, 0, 1, 0, 1]])
    steps = [3 / 12, -1 / 4, 2 / 20, -1 / 5, 1 / 30, -1 / 6]
    np.testing.assert_allclose(grad[0], steps, rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, -np.nan])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lovasz_of_nan(bad: float, dtype: Any) -> None:
    x = X[:, 0].astype(dtype)
    x[1, 2, 3] = bad
    value, grad = fl.lovasz_hinge_loss.value_and_grad(x, MASKS[:, 0])
    assert np.isnan(value) and np.isnan(grad[1, 2, 3]) and np.isnan(grad).sum() == 1


# ---- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "args", "options", "message"),
    [
        ("dice_loss", (X, LABELS), {"mode": "many"}, "mode: must be one of multiclass"),
        ("dice_loss", (X[0, 0, 0], LABELS), {}, "input: the axes of the images and the classes"),
        ("dice_loss", (1.0, 1.0), {"mode": "binary"}, "input: the axes of the images are"),
        ("dice_loss", (X, MASKS), {"mode": "binary", "axis": 1}, "axis: there is no class axis"),
        ("dice_loss", (X, MASKS[0]), {"mode": "multilabel"}, "target: input's shape"),
        ("dice_loss", (X, LABELS[0]), {}, r"target: shape \(3, 6, 7\) of class numbers, or input's"),
        ("dice_loss", (X, MASKS), {"ignore_index": 1}, "ignore_index: 1 has no meaning"),
        ("dice_loss", (X, LABELS, [1.0]), {}, "weight: one number for each of the 4"),
        ("dice_loss", (X, LABELS), {"smooth_nr": -1.0}, "smooth_nr: a finite number"),
        ("dice_loss", (X, LABELS), {"axis": 4}, "axis: 4 is out of range"),
        ("dice_loss", (np.zeros((2, 0, 3)), LABELS), {}, "input: shape"),
        ("tversky_loss", (X, LABELS), {"alpha": np.inf}, "alpha: a finite number"),
        ("focal_tversky_loss", (X, LABELS), {"gamma": 0.0}, "gamma: a positive"),
        ("focal_tversky_loss", (X, LABELS), {"smooth_nr": 1.0}, "smooth_nr: at most smooth_dr"),
        ("generalized_dice_loss", (X, LABELS), {"w_type": "cubic"}, "w_type: must be one of"),
        ("lovasz_softmax_loss", (X, LABELS), {"classes": "some"}, "classes: must be one of"),
    ],
)
def test_errors(loss: str, args: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        getattr(fl, loss)(*args, **options)


@pytest.mark.parametrize("loss", MULTICLASS)
def test_classes_out_of_range_are_found_before_anything_is_written(loss: str) -> None:
    labels = LABELS.copy()
    labels[2, 3, 4] = 7
    grad = np.full(X.shape, 5.0)
    with pytest.raises(IndexError, match=r"^target: the class at \[2, 3, 4\] is 7; accepted"):
        getattr(fl, loss).value_and_grad(X, labels, grad_out=grad)
    assert (grad == 5).all()
    with pytest.raises(TypeError, match=r"^(target|per_image): "):
        getattr(fl, loss)(X, LABELS, per_image="yes")


def test_lovasz_of_ignored_pixels_alone() -> None:
    """The mean over nothing is nan, and its gradient 0."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for per_image in (False, True):
        value, grad = fl.lovasz_softmax_loss.value_and_grad(
            x, np.full((2, 4), 255), ignore_index=255, per_image=per_image
        )
        assert np.isnan(value) and not grad.any()
