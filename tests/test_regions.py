"""Losses between regions: published formulas, empty masks, layouts, what is ignored, memory."""

from __future__ import annotations

import itertools
import json
import signal
import time
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
        (
            "dice_loss",
            (X, LABELS[0]),
            {},
            r"target: shape \(3, 6, 7\) of class numbers, or input's",
        ),
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
    """The mean over no class is nan, and its gradient 0."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for per_image in (False, True):
        value, grad = fl.lovasz_softmax_loss.value_and_grad(
            x, np.full((2, 4), 255), ignore_index=255, per_image=per_image
        )
        assert np.isnan(value) and not grad.any()


# ---- weights and masks of pixels -----------------------------------------------------------------

LOSSES = (*MULTICLASS, "lovasz_hinge_loss")
PIXELS = X[:, 0].shape
ANY = pytest.mark.parametrize("loss", LOSSES)
REAL = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def typical(loss: str, dtype: Any = np.float64) -> tuple[Any, Any]:
    if loss == "lovasz_hinge_loss":
        return X[:, 0].astype(dtype), MASKS[:, 0].astype(np.int8)
    return X.astype(dtype), LABELS


def by_pixel(part: Any) -> Any:
    """With the axis of the classes, if there is one, at the end."""
    return np.moveaxis(part, 1, -1) if part.ndim == 4 else part


def close(got: Any, expected: Any, rtol: float = 1e-11) -> None:
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max(initial=0))


@ANY
@REAL
@pytest.mark.parametrize("per_image", [True, False])
def test_weights_of_one_change_no_bit(loss: str, dtype: Any, per_image: bool) -> None:
    x, t = typical(loss, dtype)
    plain = call(loss, x, t, per_image=per_image)
    for options in (
        {"sample_weight": np.ones((1, 1, 7), dtype)},
        {"where": True},
        {"where": np.full(PIXELS, 0.5), "sample_weight": 1.0},
    ):
        got = call(loss, x, t, per_image=per_image, **options)
        if "sample_weight" not in options or "lovasz" in loss:
            assert all(map(same, got, plain))
        close(got, plain, 1e-6 if dtype is np.float32 else 1e-13)


@ANY
@REAL
@pytest.mark.parametrize("how", ["where", "sample_weight", "ignore_index"])
@pytest.mark.parametrize("per_image", [True, False])
def test_what_is_left_out_counts_for_nothing(
    loss: str, dtype: Any, how: str, per_image: bool
) -> None:
    """Whatever stands there; the three ways have the same bits."""
    x, t = typical(loss, dtype)
    skip = np.random.default_rng(1).uniform(size=PIXELS) < 0.3
    spoiled = np.where(skip[:, None] if x.ndim == 4 else skip, np.nan, x)
    labels = np.where(skip, 77, t)
    options: dict[str, Any] = {
        "where": {"where": ~skip},
        "sample_weight": {"sample_weight": (~skip).astype(dtype)},
        "ignore_index": {"ignore_index": 77},
    }[how]
    got = call(loss, spoiled, labels, per_image=per_image, **options)
    again = call(loss, spoiled, labels, per_image=per_image, ignore_index=77)
    close(got, again, 1e-6 if dtype is np.float32 else 1e-13)
    if how == "where":
        assert all(map(same, got, again))
    for part in got[1:]:
        assert np.isfinite(part).all() and not by_pixel(part)[skip].any()


@ANY
@pytest.mark.parametrize("per_image", [True, False])
def test_a_whole_weight_is_a_pixel_so_many_times(loss: str, per_image: bool) -> None:
    x, t = typical(loss)
    x, t = by_pixel(x)[:, 0], t[:, 0]  # images of one row
    times = np.random.default_rng(2).integers(0, 4, t.shape[-1])
    options: dict[str, Any] = {"per_image": per_image}
    if x.ndim == 3:
        options["axis"] = -1
    if "softmax" in loss:
        options["classes"] = "all"
    got = call(loss, x, t, sample_weight=times, **options)
    many = call(loss, np.repeat(x, times, axis=1), np.repeat(t, times, axis=1), **options)
    np.testing.assert_allclose(got[0], many[0], rtol=1e-12)
    one = np.zeros_like(got[1])
    place = np.repeat(np.arange(len(times)), times)
    for k, j in enumerate(place):
        one[:, j] += many[1][:, k]
    np.testing.assert_allclose(got[1], one, rtol=1e-9, atol=1e-15)


def test_lovasz_with_weights_is_the_extension_of_the_weighted_jaccard_loss() -> None:
    """For all masks of few pixels: errors of 0 and 2 of the hinge, 0 and 1 of probabilities."""
    generator = np.random.default_rng(0)
    for case in range(200):
        n = int(generator.integers(1, 9))
        w = generator.uniform(0, 2, n) * (generator.uniform(size=n) < 0.8)
        truth, found = generator.integers(0, 2, (2, n))
        union = np.sum(w * ((truth + found) > 0))
        loss = np.sum(w * (truth != found)) / union if union else 0.0
        value = fl.lovasz_hinge_loss([2 * found - 1.0], [truth], sample_weight=w)
        np.testing.assert_allclose(value, 2 * loss, rtol=1e-12, err_msg=str(case))
        p = np.stack([1.0 - found, found])[None]
        each = fl.lovasz_softmax_loss(
            p,
            truth[None],
            from_logits=False,
            classes="all",
            sample_weight=w,
            reduction="none",
        )
        np.testing.assert_allclose(each[1], loss, rtol=1e-12)


def test_lovasz_with_weights_is_convex_in_the_errors_and_joins_the_sets() -> None:
    """Its value is the integral of the set function over the levels of the errors."""
    generator = np.random.default_rng(4)
    for _ in range(50):
        n = int(generator.integers(1, 8))
        w, errors = generator.uniform(0.1, 2, n), generator.uniform(0, 3, n)
        t = generator.integers(0, 2, n)
        x = (1 - errors) * (2 * t - 1)
        levels = np.sort(np.append(errors, 0.0))
        expected = 0.0
        for low, high in itertools.pairwise(levels):
            wrong = errors > low
            union = np.sum(w * (wrong | (t == 1)))
            expected += (high - low) * (np.sum(w * wrong) / union if union else 0.0)
        value = fl.lovasz_hinge_loss([x], [t], sample_weight=w)
        np.testing.assert_allclose(value, expected, rtol=1e-12)


@ANY
@REAL
def test_weights_of_pixels_of_every_layout(loss: str, dtype: Any) -> None:
    x, t = typical(loss, dtype)
    generator = np.random.default_rng(3)
    w = generator.uniform(0, 2, PIXELS).astype(dtype)
    counts = generator.uniform(size=PIXELS) < 0.8
    expected = call(loss, x, t, sample_weight=w, where=counts)
    rtol = 1e-5 if dtype is np.float32 else 1e-12
    for change in (np.asfortranarray, lambda a: np.flip(np.flip(a, 1).copy(), 1)):
        close(
            call(loss, change(x), t, sample_weight=change(w), where=change(counts)), expected, rtol
        )
    tiny = np.where(counts, 1e-300, 0)  # that is 0 in float32
    got = call(loss, x, t, sample_weight=w, where=tiny)
    assert got[0].dtype == dtype and all(map(same, got, expected))
    if x.ndim == 4:
        got = call(loss, np.moveaxis(x, 1, -1), t, axis=-1, sample_weight=w, where=counts)
        close((got[0], *(np.moveaxis(p, -1, 1) for p in got[1:])), expected, rtol)
    row = call(loss, x, t, sample_weight=w[0, 0])
    full = call(loss, x, t, sample_weight=np.broadcast_to(w[0, 0], PIXELS).copy())
    close(row, full, rtol)


@ANY
def test_weights_and_masks_of_another_shape(loss: str) -> None:
    x, t = typical(loss)
    for name in ("sample_weight", "where"):
        for bad in (np.ones((2, *PIXELS)), np.ones(5)):
            with pytest.raises(ValueError, match=rf"^{name}: shape .* the pixels"):
                getattr(fl, loss)(x, t, **{name: bad})
        with pytest.raises(TypeError, match=rf"^{name}: "):
            getattr(fl, loss)(x, t, **{name: "all"})
    assert np.isnan(getattr(fl, loss)(x, t, sample_weight=np.nan))


@ANY
def test_nothing_is_left(loss: str) -> None:
    x, t = typical(loss)
    for options in ({"where": False}, {"sample_weight": 0.0}, {"ignore_index": 5}):
        labels = np.full_like(t, 5) if "ignore_index" in options else t
        for reduction in ("mean", "sum", "weighted_mean", "none"):
            value, grad, hess = call(loss, x, labels, reduction=reduction, **options)
            nothing = loss == "lovasz_softmax_loss" and reduction == "mean"
            assert np.isnan(value) if nothing else not np.any(value)
            assert not grad.any() and not hess.any()


@pytest.mark.parametrize("loss", MULTICLASS)
def test_a_class_of_weight_0_counts_for_nothing(loss: str) -> None:
    w = np.array([1.0, 0, 2, 1])
    if "lovasz" not in loss:
        for mode in ("multiclass", "multilabel"):
            t = MASKS / np.maximum(MASKS.sum(axis=1, keepdims=True), 1)
            spoiled = t.copy()
            spoiled[:, 1] = np.where(MASKS[:, 0] > 0, np.nan, 255)
            x = X.copy()
            if mode == "multilabel":
                x[:, 1] = np.nan
            got = call(loss, x, spoiled, w, mode=mode)
            assert all(np.isfinite(part).all() for part in got)
            assert mode == "multiclass" or not got[1][:, 1].any()
            close(got, call(loss, np.nan_to_num(x), t, w, mode=mode))
    p = fl.softmax(X, axis=1)
    p[0, 1, 2, 3] = np.nan
    got = call(loss, p, LABELS, w, from_logits=False)
    assert all(np.isfinite(part).all() for part in got) and not got[1][:, 1].any()


@pytest.mark.parametrize("loss", [name for name in MULTICLASS if "generalized" not in name])
@REAL
def test_tiny_class_weights(loss: str, dtype: Any) -> None:
    """Their mean, though 1 by their sum is too large a number."""
    w = np.array([1.0, 2, 0, 1])
    expected = call(loss, X.astype(dtype), LABELS, w, reduction="weighted_mean")
    got = call(loss, X.astype(dtype), LABELS, w * 1e-310, reduction="weighted_mean")
    close(got, expected, 1e-6 if dtype is np.float32 else 1e-10)


# ---- masks and probabilities ---------------------------------------------------------------------


@pytest.mark.parametrize("loss", OVERLAPS)
@REAL
@pytest.mark.parametrize("bad", [255, -0.25, 1.5, np.inf])
@pytest.mark.parametrize("name", ["input", "target"])
def test_masks_and_probabilities_are_from_0_to_1(
    loss: str, dtype: Any, bad: float, name: str
) -> None:
    """The first that is not is named, nothing is written, and what counts for nothing is not looked
    at."""
    p, t = fl.sigmoid(X).astype(dtype), MASKS.astype(dtype)
    for mode, axis in (("multilabel", 1), ("multilabel", 3), ("multiclass", 1), ("multiclass", 0)):
        arrays = {"input": np.moveaxis(p, 1, axis), "target": np.moveaxis(t, 1, axis).copy()}
        wrong = {k: np.asfortranarray(a) for k, a in arrays.items()}
        place = (1, 2, 1, 3)
        wrong[name][place] = bad
        wrong[name][2, 2, 2, 1] = 7
        options: dict[str, Any] = {"mode": mode, "axis": axis, "from_logits": False}
        grad = np.full(wrong["input"].shape, 5.0)
        with pytest.raises(ValueError, match=rf"^{name}: the value at \[1, 2, 1, 3\] is {bad}"):
            call(loss, **wrong, **options, grad_out=grad)
        assert (grad == 5).all()
        counts = np.ones(wrong[name].shape)
        counts[place] = counts[2, 2, 2, 1] = 0
        counts = counts.min(axis=axis)
        for k in ("where", "sample_weight"):
            got = call(loss, **wrong, **options, **{k: counts})
            close(got, call(loss, **arrays, **options, **{k: counts}), 1e-5)
        wrong[name][place] = wrong[name][2, 2, 2, 1] = np.nan
        assert np.isnan(getattr(fl, loss)(**wrong, **options))
    masks = np.where(MASKS[:, 0] > 0, 255, 0).astype(np.uint8)
    with pytest.raises(ValueError, match=r"^target: the value at .* is 255; accepted are numbers"):
        getattr(fl, loss)(X[:, 0], masks, mode="binary")
    assert np.isfinite(getattr(fl, loss)(X[:, 0], masks, mode="binary", ignore_index=255))
    assert np.isfinite(getattr(fl, loss)(X, -0.0 * MASKS, mode="multilabel"))
    with pytest.raises(ValueError, match=r"^input: the value at \[0, 0, 0, 0\] is"):
        getattr(fl, loss)(X - 9, LABELS, from_logits=False)


def test_lovasz_masks_are_0_or_1_and_probabilities_from_0_to_1() -> None:
    t = MASKS[:, 0].copy()
    x = X[:, 0].copy()
    expected = fl.lovasz_hinge_loss.value_and_grad(x, t)
    for dtype in (bool, np.uint8, np.float16, np.float32):
        assert all(map(same, fl.lovasz_hinge_loss.value_and_grad(x, t.astype(dtype)), expected))
    grad = np.full(x.shape, 5.0)
    for bad in (0.5, 255, -1, 2, np.inf):
        t[1, 2, 3] = bad
        for per_image in (True, False):
            with pytest.raises(
                ValueError, match=r"^target: the value at \[1, 2, 3\] is .* 0 and 1"
            ):
                fl.lovasz_hinge_loss.value_and_grad(x, t, per_image=per_image, grad_out=grad)
    assert (grad == 5).all()
    t[1, 2, 3] = np.nan
    assert np.isnan(fl.lovasz_hinge_loss(x, t))
    p = fl.softmax(X, axis=1)
    p[2, 1, 3, 4] = 1.25
    with pytest.raises(ValueError, match=r"^input: the value at \[2, 1, 3, 4\] is 1.25; accepted"):
        fl.lovasz_softmax_loss(p, LABELS, from_logits=False)
    counts = np.ones(PIXELS)
    counts[2, 3, 4] = 0
    assert np.isfinite(fl.lovasz_softmax_loss(p, LABELS, from_logits=False, where=counts))


@pytest.mark.parametrize("loss", MULTICLASS)
def test_classes_out_of_range_where_nothing_counts(loss: str) -> None:
    labels = LABELS.astype(np.uint64)
    labels[1, 2, 3] = 2**64 - 1
    with pytest.raises(
        IndexError, match=r"^target: the class at \[1, 2, 3\] is 18446744073709551615"
    ):
        getattr(fl, loss)(X, labels, ignore_index=-1)
    counts = labels < 4
    assert np.isfinite(getattr(fl, loss)(X, labels, where=counts))
    assert np.isfinite(getattr(fl, loss)(X, labels, sample_weight=counts.astype(np.float32)))
    with pytest.raises(IndexError, match=r"is -9223372036854775808"):
        getattr(fl, loss)(X, np.where(counts, LABELS, -(2**63)))
    for bad in (LABELS[:, None], LABELS[..., None], LABELS[0]):
        with pytest.raises(ValueError, match=r"^target: shape \(3, 6, 7\) of class numbers, or"):
            getattr(fl, loss)(X, bad)


# ---- sizes ---------------------------------------------------------------------------------------

HUGE = 2**61


@ANY
@pytest.mark.parametrize("per_image", [True, False])
def test_more_regions_without_pixels_than_memory_has_room_for(loss: str, per_image: bool) -> None:
    mode: Any = {} if "lovasz" in loss else {"mode": "binary"}
    few: Any = {} if "lovasz" in loss else {"smooth_nr": 1, "smooth_dr": 4}
    if loss != "lovasz_softmax_loss":
        x = np.empty((HUGE, 0), bool)
        assert getattr(fl, loss)(x, x, per_image=per_image, **mode) == 0
        value = getattr(fl, loss)(x, x, per_image=per_image, **mode, **few)
        one = getattr(fl, loss)(x[:1], x[:1], per_image=per_image, **mode, **few)
        assert value == one and (value > 0 or "lovasz" in loss)
        several = getattr(fl, loss)(
            np.empty((3, 0)), np.empty((3, 0)), per_image=per_image, reduction="none", **mode, **few
        )
        assert np.shape(several) == ((3,) if per_image else ()) and (several == one).all()
    if loss != "lovasz_hinge_loss":
        for shape in ((HUGE // 4, 3, 0), (3, HUGE // 4, 0)):
            x, t = np.empty(shape, np.int8), np.empty(shape[::2], int)
            value = getattr(fl, loss)(x, t, per_image=per_image, **few)
            one = getattr(fl, loss)(x[:1, :1], t[:1], per_image=per_image, **few)
            assert same(value, one)


@ANY
def test_sums_that_memory_has_no_room_for(loss: str) -> None:
    zero = np.int8(0)
    shapes = [(HUGE, 1), (2**44, 4)]
    if loss != "lovasz_softmax_loss":
        mode: Any = {} if "lovasz" in loss else {"mode": "binary"}
        for shape in shapes:
            x = np.broadcast_to(zero, shape)
            with pytest.raises(MemoryError):
                getattr(fl, loss)(x, x, per_image=True, **mode)
    if loss != "lovasz_hinge_loss":
        for shape in ((1, HUGE, 1), (HUGE, 1, 1)):
            x = np.broadcast_to(zero, shape)
            with pytest.raises(MemoryError):
                getattr(fl, loss)(x, np.broadcast_to(zero, shape[::2]), per_image=True)
            if "lovasz" not in loss:
                with pytest.raises(MemoryError):
                    getattr(fl, loss)(x, x, mode="multilabel")


@pytest.mark.parametrize("ndim", [32, 33, 63, 64])
@ANY
def test_many_axes(loss: str, ndim: int) -> None:
    """As many as NumPy has."""
    try:
        np.empty((1,) * ndim)
    except ValueError:
        pytest.skip("this NumPy has no arrays of so many axes")
    x, t = typical(loss)
    shape = (*x.shape, *(1,) * (ndim - x.ndim))
    labels = t.reshape(*t.shape, *(1,) * (ndim - x.ndim))
    w = np.random.default_rng(0).uniform(size=PIXELS)
    for per_image in (True, False):
        expected = call(loss, x, t, sample_weight=w, per_image=per_image)
        got = call(
            loss,
            x.reshape(shape),
            labels,
            sample_weight=w.reshape(labels.shape),
            per_image=per_image,
        )
        assert same(got[0], expected[0])
        assert all(same(a.reshape(x.shape), b) for a, b in zip(got[1:], expected[1:], strict=True))


def test_more_classes_than_a_float32_counts() -> None:
    """Of 2^24 + 4 classes of equal logits the last but one is not taken for its neighbour."""
    classes = 2**24 + 4
    x = np.broadcast_to(np.float16(0), (1, classes, 1))
    each = fl.tversky_loss(x, [[classes - 2]], smooth_nr=0, smooth_dr=0, reduction="none")
    assert each[0, -2] < 1 and each[0, -1] == each[0, -3] == 1
    np.testing.assert_allclose(each[0, -2], 1 - 2 / (classes + 1), rtol=1e-7)


# ---- signals, warnings ---------------------------------------------------------------------------


@ANY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_call_can_be_interrupted(loss: str, dtype: Any) -> None:
    """Soon, whatever it is doing. Operands are broadcast, so that they take no memory."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("no timer on this system")
    rows = 8000 if "lovasz" in loss else 400_000
    x = np.random.default_rng(0).normal(size=(1, 1, 1000)).astype(dtype)
    x = np.broadcast_to(x, (1, rows, 1000))
    t = np.broadcast_to(np.int8([[[0, 1] * 500]]), x.shape)
    options: Any = {} if "lovasz" in loss else {"mode": "binary"}
    if loss == "lovasz_softmax_loss":
        x = np.broadcast_to(x[:, None], (1, 2, rows, 1000))
    started = time.perf_counter()
    old = signal.signal(signal.SIGALRM, signal.default_int_handler)
    late = []
    try:
        for delay in (0.03, 0.1, 0.2):
            signal.setitimer(signal.ITIMER_REAL, delay)
            started = time.perf_counter()
            try:
                getattr(fl, loss)(x, t, **options)
            except KeyboardInterrupt:
                late.append(time.perf_counter() - started - delay)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, old)
    assert late and min(late) < 0.5, late
    assert np.isfinite(getattr(fl, loss)(*typical(loss)))


@ANY
def test_no_warnings_of_numpy(loss: str) -> None:
    x, t = typical(loss)
    w = {} if loss == "lovasz_hinge_loss" else {"weight": np.array([1e30, 1, 1e-30, 0])}
    with np.errstate(all="raise"):
        for reduction in ("mean", "sum", "none"):
            shape = np.shape(getattr(fl, loss)(x, t, reduction=reduction))
            call(
                loss,
                x * 1e30,
                t,
                reduction=reduction,
                sample_weight=np.float64(1e-30),
                out=np.empty(shape, np.float16),
                grad_out=np.empty(x.shape, np.float16),
                hess_out=np.empty(x.shape, np.float16),
                **w,
            )
