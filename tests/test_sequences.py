"""Losses of sequences: all alignments one by one, torch's and optax's numbers, what is accepted."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import twins
from tests.losses import sequences as exact
from tests.samples import FLOATS, INTEGERS, Array, same

RECORD = json.loads((Path(__file__).parent / "data" / "sequences_parity.json").read_text())
BOTH = (fl.ctc_loss, fl.ctc_loss_with_logits)
BOTH_LOSSES = pytest.mark.parametrize("loss", BOTH, ids=lambda loss: loss.__name__)
inf, nan = np.inf, np.nan


def log_softmax(x: Any) -> Array:
    return np.asarray(fl.log_softmax(x, axis=-1))


# ---- the numbers ---------------------------------------------------------------------------------


def collapsed(path: Any, blank: int) -> list[int]:
    return [k for k, _ in itertools.groupby(path) if k != blank]


def one_by_one(log_probs: Array, labels: Any, blank: int) -> tuple[float, Array]:
    """The value and its gradient, from all that a sequence of steps can be."""
    steps, classes = log_probs.shape
    total, shares = 0.0, np.zeros(log_probs.shape)
    for path in itertools.product(range(classes), repeat=steps):
        if collapsed(path, blank) == list(labels):
            p = np.exp(log_probs[np.arange(steps), path].sum())
            total += p
            shares[np.arange(steps), path] += p
    if not total:
        return inf, shares
    return -np.log(total), -shares / total


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("length", range(5))
def test_all_alignments(blank: int, length: int) -> None:
    rng = np.random.default_rng(length)
    others = [k for k in range(3) if k != blank]
    for steps, labels in itertools.product((1, 2, 3, 5), itertools.product(others, repeat=length)):
        x = rng.normal(0, 2, (steps, 3))
        log_probs = log_softmax(x)
        value, grad = one_by_one(log_probs, labels, blank)
        got = fl.ctc_loss.value_and_grad(
            log_probs, np.array(labels, int), steps, length, blank=blank, reduction="none"
        )
        np.testing.assert_allclose(got[0], value, rtol=1e-13)
        np.testing.assert_allclose(got[1], grad, rtol=1e-12, atol=1e-300)
        got = fl.ctc_loss_with_logits.value_and_grad(
            x, np.array(labels, int), steps, length, blank=blank, reduction="none"
        )
        np.testing.assert_allclose(got[0], value, rtol=1e-13)
        by_logits = grad + np.exp(log_probs) if np.isfinite(value) else 0 * grad
        np.testing.assert_allclose(got[1], by_logits, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("k", range(len(RECORD["calls"])))
def test_as_torch_and_optax(k: int) -> None:
    call = RECORD["calls"][k]
    arrays = {name: np.array(a) for name, a in call["arrays"].items()}
    options, torch = call["options"], {name: np.array(a) for name, a in call["torch"].items()}
    value, grad = fl.ctc_loss_with_logits.value_and_grad(**arrays, **options)
    np.testing.assert_allclose(value, torch["value"], rtol=1e-9)
    np.testing.assert_allclose(grad, torch["grad"], rtol=1e-9, atol=1e-12)
    x = arrays.pop("input")
    log_probs = log_softmax(x)
    value, by_log_probs = fl.ctc_loss.value_and_grad(log_probs, **arrays, **options)
    np.testing.assert_allclose(value, torch["value"], rtol=1e-9)
    # What torch returns for log-probabilities is the gradient for logits.
    there = (np.arange(len(x))[:, None] < arrays["input_lengths"])[..., None]
    np.testing.assert_allclose(torch["by_log_probs"], torch["grad"], atol=1e-12)
    assert np.abs(torch["by_log_probs"] - by_log_probs).max() > 0.01
    # By the chain rule the two are one.
    total = by_log_probs.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose((by_log_probs - np.exp(log_probs) * total) * there, grad, atol=1e-12)
    if "optax" in call:
        options = options | {"reduction": "none"}
        got = fl.ctc_loss_with_logits.value_and_grad(x, **arrays, **options)
        np.testing.assert_allclose(got[0], call["optax"]["values"], rtol=1e-9)
        np.testing.assert_allclose(got[1], call["optax"]["grad"], rtol=1e-9, atol=1e-12)


def test_of_which_torch() -> None:
    assert RECORD["about"].startswith("torch 2.13") and "optax" in RECORD["about"]


@BOTH_LOSSES
def test_gradients_are_slopes(loss: Any) -> None:
    """By central differences, also of log-probabilities whose exponentials do not sum up to 1."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 2, 4))
    rest = ([[1, 1, 3], [2, 0, 0]], [6, 4], [3, 1])
    _, grad = loss.value_and_grad(x, *rest)
    h = 1e-5
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = h
        up, down = (loss(x + s * step.reshape(x.shape), *rest) for s in (1, -1))
        assert (up - down) / (2 * h) == pytest.approx(grad.flat[k], abs=1e-9)


@BOTH_LOSSES
@pytest.mark.parametrize(("steps", "count"), [(3000, 300), (10_000, 50)])
def test_thousands_of_steps(loss: Any, steps: int, count: int) -> None:
    """Nothing underflows: neither the product over the steps, nor what differs in size by it."""
    rng = np.random.default_rng(steps)
    x = log_softmax(rng.normal(0, 3, (steps, 1, 30)))
    labels = rng.integers(1, 30, (1, count))
    lengths = np.array([steps]), np.array([count])
    value, grad = loss.value_and_grad(x, labels, *lengths, reduction="sum")
    expected, slope = getattr(twins, f"{loss.__name__}_and_grad")(x, labels, *lengths)
    assert value > 1000
    assert value == pytest.approx(expected * count, rel=1e-12)
    np.testing.assert_allclose(grad, slope * count, atol=1e-8)
    single, single_grad = loss.value_and_grad(
        x.astype(np.float32), labels, *lengths, reduction="sum"
    )
    assert single.dtype == np.float32 and single == pytest.approx(value, rel=2e-7)
    np.testing.assert_allclose(single_grad, grad, atol=1e-4)


@BOTH_LOSSES
@pytest.mark.parametrize("size", [1e3, 1e6, 1e9, 1e30, 1e300])
def test_probabilities_of_any_size(loss: Any, size: float) -> None:
    """All labels must be passed, and all paths are out of the range of exponentials."""
    steps, count = 40, 20
    x = np.full((steps, 3), -size)
    x[:, 0] = 0.0
    labels = np.resize([1, 2], count)
    value, grad = loss.value_and_grad(x, labels, steps, count, reduction="none")
    assert value == pytest.approx(count * size, rel=3e-3)
    share = grad - (loss is fl.ctc_loss_with_logits) * np.exp(log_softmax(x))
    np.testing.assert_allclose(share.sum(axis=1), -1, rtol=1e-12)
    if size < 1e15:  # else their sums are rounded to whole powers of e
        np.testing.assert_allclose(share[:, 1:].sum(), -count, rtol=1e-12)
    assert (share > -1 - 1e-12).all()


def test_all_alignments_are_counted() -> None:
    """Of equal probabilities there are C(T + L, 2 L) alignments of labels that differ."""
    from math import comb, log

    for steps, length in ((1000, 100), (5000, 500)):
        labels = np.resize([1, 2], length)
        value = fl.ctc_loss(np.zeros((steps, 3)), labels, steps, length, reduction="sum")
        assert value == pytest.approx(-log(comb(steps + length, 2 * length)), rel=1e-13)


@BOTH_LOSSES
def test_confident_sequences(loss: Any) -> None:
    """The value of labels that are all but certain keeps digits, as far as float64 has them."""
    x = np.zeros((5, 3), np.float32)
    x[[0, 1, 2, 3, 4], [1, 0, 2, 0, 0]] = 17
    logs = log_softmax(x.astype(np.float64))
    value = loss(x if loss is fl.ctc_loss_with_logits else logs, [1, 2], 5, 2, reduction="sum")
    expected = one_by_one(logs, [1, 2], 0)[0]
    assert 0 < expected < 1e-6 and value == pytest.approx(expected, rel=1e-6)


# ---- what has no alignments, no labels, no steps -------------------------------------------------


@BOTH_LOSSES
def test_impossible_alignments(loss: Any) -> None:
    x = log_softmax(np.random.default_rng(0).normal(size=(4, 5, 3)))
    labels = [[1, 2, 1, 2, 1], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [2, 2, 0, 0, 0]]
    spans, lengths = [4, 4, 3, 0, 2], [5, 3, 2, 1, 2]
    value, grad = loss.value_and_grad(x, labels, spans, lengths, reduction="none")
    assert np.isinf(value).tolist() == [True, True, False, True, True]
    assert (value > 0).all() and not grad[:, [0, 1, 3, 4]].any() and grad[:3, 2].any()
    finite, again = loss.value_and_grad(
        x, labels, spans, lengths, reduction="none", zero_infinity=True
    )
    assert finite.tolist() == np.where(np.isinf(value), 0, value).tolist()
    assert same(grad, again)
    assert loss(x, labels, spans, lengths) == inf
    mean = loss(x, labels, spans, lengths, zero_infinity=True)
    assert mean == pytest.approx(value[2] / 2 / 5)


@BOTH_LOSSES
def test_no_labels_and_no_steps(loss: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, 4))
    logs = log_softmax(x) if loss is fl.ctc_loss_with_logits else x
    value, grad = loss.value_and_grad(x, np.zeros((2, 0), int), [3, 0], 0, reduction="none")
    np.testing.assert_allclose(value, [-logs[:, 0, 0].sum(), 0], rtol=1e-14)
    assert value[1] == 0 and not np.signbit(value[1]) and not grad[:, 1].any()
    assert same(loss.value_and_grad(x, [], [3, 0], [0, 0], reduction="none")[1], grad)
    np.testing.assert_allclose(loss(x, [], [3, 0], 0), value.sum() / 2)
    assert np.isnan(loss(np.zeros((3, 0, 4)), np.zeros((0, 2), int), [], []))
    assert loss(np.zeros((0, 1, 4)), [], 0, 0) == 0


@BOTH_LOSSES
def test_probabilities_of_zero(loss: Any) -> None:
    x = np.zeros((3, 3))
    x[1] = [-inf, 0, -inf]
    value, grad = loss.value_and_grad(x, [1], 3, 1)
    assert np.isfinite(value) and np.isfinite(grad).all()
    x[1] = [0, 0, -inf]
    assert loss(x, [1, 2, 1], 3, 3) == inf
    assert np.isnan(fl.ctc_loss(np.full((2, 3), inf), [1], 2, 1))


def test_infinite_logits() -> None:
    x = np.zeros((3, 3))
    x[1, 2] = inf
    value, grad = fl.ctc_loss_with_logits.value_and_grad(x, [2], 3, 1)
    x[1, 2] = 1e30
    expected, slope = fl.ctc_loss_with_logits.value_and_grad(x, [2], 3, 1)
    assert same(value, expected) and same(grad, slope)
    for bad in ([inf, inf, 0], [-inf, -inf, -inf]):
        x[1] = bad
        value, grad = fl.ctc_loss_with_logits.value_and_grad(x, [2], 3, 1)
        assert np.isnan(value) and np.isnan(grad).all()


@BOTH_LOSSES
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_nan_and_what_is_not_looked_at(loss: Any, dtype: Any) -> None:
    x = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(dtype)
    rest = ([[1, 2], [3, 0], [1, 1]], [4, 5, 5], [2, 1, 2])
    value, grad = loss.value_and_grad(x, *rest, reduction="none")
    spoiled = x.copy()
    spoiled[4, 0] = nan
    got, slope = loss.value_and_grad(spoiled, *rest, reduction="none")
    assert same(got, value) and same(slope, grad) and not grad[4, 0].any()
    spoiled[2, 1, 3] = nan
    got, slope = loss.value_and_grad(spoiled, *rest, reduction="none")
    assert np.isnan(got).tolist() == [False, True, False]
    assert np.isnan(slope[:, 1].astype(float)).all() and same(slope[:, [0, 2]], grad[:, [0, 2]])
    weighed = loss.value_and_grad(spoiled, *rest, sample_weight=[1, 0, 2], reduction="sum")
    np.testing.assert_allclose(weighed[0], value[0] + 2 * value[2], rtol=1e-6)
    assert not weighed[1][:, 1].any()


# ---- reductions and weights ----------------------------------------------------------------------


@BOTH_LOSSES
def test_reductions(loss: Any) -> None:
    x = log_softmax(np.random.default_rng(0).normal(size=(6, 3, 4)))
    rest = ([1, 2, 3, 1], [6, 5, 6], [3, 1, 0])
    w = np.array([0.5, 0.0, 3.0])
    each, slopes = loss.value_and_grad(x, *rest, reduction="none")
    weighed, by_weight = loss.value_and_grad(x, *rest, sample_weight=w, reduction="none")
    np.testing.assert_allclose(weighed, w * each)
    np.testing.assert_allclose(by_weight, w[:, None] * slopes)
    factors = 1 / np.array([3, 1, 1])
    for weight, kept in ((None, np.ones(3)), (w, w)):
        for reduction, parts, divisor in (
            ("mean", factors, 3.0),
            ("sum", np.ones(3), 1.0),
            ("batchmean", np.ones(3), 3.0),
            ("weighted_mean", np.ones(3), kept.sum()),
            ("sum_by_nonzero_weights", np.ones(3), float(np.count_nonzero(kept))),
        ):
            value, grad, by = loss.value_and_grad(
                x, *rest, sample_weight=weight, reduction=reduction, return_divisor=True
            )
            assert by == divisor
            np.testing.assert_allclose(value, (each * parts * kept).sum() / divisor)
            np.testing.assert_allclose(grad, (parts * kept)[:, None] * slopes / divisor)
    assert loss(x, *rest, sample_weight=0, reduction="weighted_mean") == 0
    with pytest.raises(ValueError, match=r"^sample_weight: shape \(2,\) cannot be broadcast"):
        loss(x, *rest, sample_weight=[1, 2])


@BOTH_LOSSES
def test_one_sequence_alone(loss: Any) -> None:
    x = log_softmax(np.random.default_rng(0).normal(size=(6, 4)))
    value, grad = loss.value_and_grad(x, [1, 2, 2], 6, 3)
    expected, slope = loss.value_and_grad(x[:, None], [[1, 2, 2]], [6], [3])
    assert same(value, expected) and same(grad, slope[:, 0])
    each = loss(x, [[1, 2, 2]], (6,), (3,), reduction="none")
    assert np.shape(each) == () and each == pytest.approx(3 * value)
    out = np.zeros((), np.float32)
    assert loss(x, [1, 2, 2], 6, 3, reduction="none", out=out) is out
    assert out == pytest.approx(each, rel=1e-6)
    assert loss(x, [1, 2, 2], 6, 3, sample_weight=2) == pytest.approx(2 * value)


@BOTH_LOSSES
def test_threads_give_the_same_bits(loss: Any) -> None:
    """Of sequences that take very different times."""
    rng = np.random.default_rng(0)
    x = log_softmax(rng.normal(size=(300, 37, 20)).astype(np.float32))
    rest = (rng.integers(1, 20, (37, 50)), rng.integers(0, 301, 37), rng.integers(0, 51, 37))
    found = []
    for threads in (1, 2, 5):
        fl.set_num_threads(threads)
        found.append(loss.value_and_grad(x, *rest, zero_infinity=True))
    fl.set_num_threads(None)
    for value, grad in found[1:]:
        assert same(value, found[0][0]) and same(grad, found[0][1])


# ---- what is accepted ----------------------------------------------------------------------------


@BOTH_LOSSES
@pytest.mark.parametrize("dtype", [*INTEGERS, np.dtype(">i4")], ids=str)
def test_integers_of_any_dtype(loss: Any, dtype: Any) -> None:
    x = log_softmax(np.random.default_rng(0).normal(size=(6, 2, 4)))
    labels, spans, lengths = [[1, 2, 2], [3, 3, 0]], [6, 5], [3, 2]
    expected = loss(x, labels, spans, lengths)
    got = loss(x, *(np.array(a).astype(dtype) for a in (labels, spans, lengths)))
    assert same(got, expected)
    assert same(loss(x, [1, 2, 2, 3, 3], tuple(spans), tuple(lengths)), expected)


@BOTH_LOSSES
def test_one_length_for_all(loss: Any) -> None:
    x = log_softmax(np.random.default_rng(0).normal(size=(6, 2, 4)))
    labels = [[1, 2, 2], [3, 3, 1]]
    assert same(loss(x, labels, 6, 3), loss(x, labels, [6, 6], [3, 3]))


ERRORS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"targets": [[1, 4], [1, 1]]}, IndexError, r"targets: the class at \[0, 1\] is 4; .* 0 to 3"),
    ({"targets": [[1, 1], [-1, 1]]}, IndexError, r"targets: the class at \[1, 0\] is -1"),
    ({"targets": [[1, 1], [0, 1]]}, ValueError, r"targets: the class at \[1, 0\] is 0, .* blank"),
    ({"targets": [1, 2, 1, 9]}, IndexError, r"targets: the class at \[3\] is 9"),
    ({"targets": np.full((2, 2), 2**64 - 1, np.uint64)}, IndexError, r"targets: .* 1844674407370"),
    ({"targets": [1, 2, 1]}, ValueError, "target_lengths: they sum up to 4, .* 3 targets"),
    (
        {"targets": [1, 2], "target_lengths": np.array([2**63 - 1] * 2)},
        ValueError,
        r"target_lengths: the value at \[0\] is 9223372036854775807; .* 0 to 2",
    ),
    ({"targets": [[1.0, 1], [1, 1]]}, TypeError, "targets: an integer dtype is needed"),
    ({"targets": 1}, ValueError, r"targets: shape \(2, S\), or one axis"),
    ({"targets": [[1, 1]] * 3}, ValueError, r"targets: shape \(2, S\), or one axis"),
    ({"input_lengths": [5, 3]}, ValueError, r"input_lengths: the value at \[0\] is 5; .* 0 to 4"),
    ({"input_lengths": [4, -1]}, ValueError, r"input_lengths: the value at \[1\] is -1"),
    ({"input_lengths": 9}, ValueError, "input_lengths: the value is 9"),
    ({"input_lengths": [4, 4, 4]}, ValueError, r"input_lengths: a number for each of the 2 seq"),
    ({"input_lengths": [4.0, 4]}, TypeError, "input_lengths: an integer dtype is needed"),
    ({"target_lengths": [2, 3]}, ValueError, r"target_lengths: the value at \[1\] is 3; .* 0 to 2"),
    ({"target_lengths": [-1, 2]}, ValueError, r"target_lengths: the value at \[0\] is -1"),
    ({"blank": 4}, ValueError, "blank: 4 is no class; accepted are 0 to 3"),
    ({"blank": -1}, ValueError, "blank: -1 is no class"),
    ({"blank": 1.0}, TypeError, "blank: an integer is needed"),
    ({"zero_infinity": 1}, TypeError, "zero_infinity: True or False"),
    ({"reduction": "average"}, ValueError, "reduction: must be one of"),
]


@BOTH_LOSSES
@pytest.mark.parametrize(("changed", "error", "message"), ERRORS, ids=str)
def test_errors(loss: Any, changed: Any, error: Any, message: str) -> None:
    given = {"targets": [[1, 2], [3, 3]], "input_lengths": [4, 4], "target_lengths": [2, 2]}
    x = np.zeros((4, 2, 4))
    grad = np.full(x.shape, 7.0)
    with pytest.raises(error, match=f"^{message}"):
        loss.value_and_grad(x, **(given | changed), grad_out=grad)
    assert (grad == 7).all()


@BOTH_LOSSES
@pytest.mark.parametrize("shape", [(), (4,), (4, 2, 0), (2, 2, 2, 2)])
def test_scores_of_another_shape(loss: Any, shape: Any) -> None:
    name = "log_probs" if loss is fl.ctc_loss else "input"
    with pytest.raises(ValueError, match=rf"^{name}: shape \(T, N, C\), or \(T, C\)"):
        loss(np.zeros(shape), [[1]], [1], [1])


def test_padding_may_hold_anything() -> None:
    x = np.random.default_rng(0).normal(size=(6, 2, 4))
    padded = np.array([[1, 2, -100], [3, 77, 2**40]])
    expected = fl.ctc_loss_with_logits(x, [[1, 2, 0], [3, 0, 0]], 6, [2, 1])
    assert same(fl.ctc_loss_with_logits(x, padded, 6, [2, 1]), expected)


def test_criteria_have_torchs_options() -> None:
    x = log_softmax(np.random.default_rng(0).normal(size=(6, 2, 4)))
    rest = ([[1, 2], [3, 0]], [6, 5], [2, 1])
    for cls, loss in ((fl.CTCLoss, fl.ctc_loss), (fl.CTCWithLogitsLoss, fl.ctc_loss_with_logits)):
        criterion = cls(blank=0, reduction="sum", zero_infinity=True)
        expected = loss.value_and_grad(x, *rest, reduction="sum", zero_infinity=True)
        assert all(map(same, criterion.value_and_grad(x, *rest), expected))


def test_the_exact_values_are_those_of_all_alignments() -> None:
    x = log_softmax(np.random.default_rng(5).normal(size=(5, 3)))
    value, grad = one_by_one(x, [2, 2], 0)
    numbers = np.vectorize(exact.mp.mpf, otypes=[object])(x)[:, None]
    values, grads = exact.ctc(numbers, np.array([[2, 2]]), [5], [2], False, {})
    assert float(values[0][0]) == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose([float(g) for g, _ in grads], grad.ravel(), rtol=1e-13, atol=1e-300)
