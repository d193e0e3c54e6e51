"""Losses between sequences that are not aligned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, Scalar, mp

IntArray = NDArray[np.integer[Any]]
JOINT: list[Joint] = []
OPERANDS = ("targets", "input_lengths", "target_lengths")
STEPS, CLASSES, LABELS = 7, 5, 3


# ---- exact values --------------------------------------------------------------------------------
#
# The states of a sequence are blanks and labels in turn. The value is a logarithm of a sum of
# products, which is as uncertain as 1 is where it is near 0.


def forwards(rows: list[list[Any]], states: list[int], blank: int) -> list[list[Any]]:
    """Of each step the probabilities of all ways to be in a state then."""
    found: list[list[Any]] = []
    for t, row in enumerate(rows):
        here = []
        for s, k in enumerate(states):
            if t == 0:
                total = mp.mpf(s < 2)
            else:
                before = [s]
                before += [s - 1] if s > 0 else []
                before += [s - 2] if s > 1 and k not in (blank, states[s - 2]) else []
                total = mp.fsum(found[-1][b] for b in before)
            here.append(total * row[k])
        found.append(here)
    return found


def one_sequence(rows: list[list[Any]], labels: list[int], blank: int) -> tuple[Any, Any]:
    """The probability of the labels, and the share of their alignments in each class at each
    step: None where there are no alignments."""
    states = [blank]
    for y in labels:
        states += [y, blank]
    if not rows:
        return mp.mpf(not labels), []
    there = forwards(rows, states, blank)
    back = [r[::-1] for r in forwards(rows[::-1], states[::-1], blank)[::-1]]
    total = mp.fsum(there[-1][-2:])
    if not total:
        return total, None
    shares = []
    for t, row in enumerate(rows):
        share = [mp.mpf(0)] * len(row)
        for s, k in enumerate(states):
            if row[k]:
                share[k] += there[t][s] * back[t][s] / row[k] / total
        shares.append(share)
    return total, shares


def ctc(scores: Any, targets: Any, spans: Any, lengths: Any, logits: bool, options: Any) -> Any:
    """Values, and the gradients of their sum."""
    blank, steps = options.get("blank", 0), len(scores)
    values: list[Pair] = []
    grads = np.empty(scores.shape, object)
    for i in np.ndindex(scores.shape):
        grads[i] = (mp.mpf(0), mp.mpf(0))
    for n in range(scores.shape[1]):
        rows = []
        for t in range(spans[n]):
            row = [mp.exp(x) for x in scores[t, n]]
            if logits:
                top = max(scores[t, n])
                row = [mp.exp(x - top) if x > -mp.inf else mp.mpf(0) for x in scores[t, n]]
                total = mp.fsum(row)
                row = [x / total for x in row]
            rows.append(row)
        first = sum(lengths[:n])
        own = targets[n] if targets.ndim == 2 else targets[first:]
        total, shares = one_sequence(rows, list(own[: lengths[n]]), blank)
        if not total:
            none = mp.mpf(0) if options.get("zero_infinity") else mp.inf
            values.append((none, none))
            continue
        values.append((-mp.log(total), max(-mp.log(total), mp.mpf(1))))
        for t in range(min(spans[n], steps)):
            for k, share in enumerate(shares[t]):
                if logits:
                    p = rows[t][k]
                    grads[t, n, k] = (p - share, max(p, share) if share else p)
                else:
                    grads[t, n, k] = (-share, share)
    return values, list(grads.ravel())


def ctc_loss_exact(arrays: Any, **options: Any) -> Any:
    leaf = arrays["log_probs"]
    values, grads = ctc(leaf, *(arrays[name] for name in OPERANDS), False, options)
    return values, {"log_probs": grads}, {}


def ctc_loss_with_logits_exact(arrays: Any, **options: Any) -> Any:
    values, grads = ctc(arrays["input"], *(arrays[k] for k in OPERANDS), True, options)
    return values, {"input": grads}, {}


# ---- twins ---------------------------------------------------------------------------------------


def _log_sum(*terms: FloatArray) -> FloatArray:
    top = np.maximum.reduce(terms)
    safe = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        total: FloatArray = np.log(sum(np.exp(term - safe) for term in terms)) + safe
    return total


def _lattice(
    log_probs: FloatArray, targets: IntArray, blank: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """The class of each state, its log-probability at each step, and 0 where a way skips the blank
    before, else -inf."""
    count, labels = targets.shape
    states = np.full((count, 2 * labels + 1), blank)
    states[:, 1::2] = targets
    emitted = np.take_along_axis(log_probs, states[None], axis=2)
    skips = np.full(states.shape, -np.inf, log_probs.dtype)
    skips[:, 2:][(states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])] = 0
    return states, emitted, skips


def _forwards(emitted: FloatArray, skips: FloatArray) -> FloatArray:
    """Log-probabilities of all ways to be in a state after a step."""
    alpha = np.full_like(emitted, -np.inf)
    alpha[0, :, :2] = emitted[0, :, :2]
    for t in range(1, len(emitted)):
        one, two = np.full_like(alpha[t], -np.inf), np.full_like(alpha[t], -np.inf)
        one[:, 1:], two[:, 2:] = alpha[t - 1, :, :-1], alpha[t - 1, :, :-2]
        alpha[t] = _log_sum(alpha[t - 1], one, two + skips) + emitted[t]
    return alpha


def _totals(alpha: FloatArray, spans: IntArray, lengths: IntArray) -> FloatArray:
    each = np.arange(len(spans))
    last = alpha[spans - 1, each]
    label = np.where(lengths > 0, last[each, 2 * lengths - 1], -np.inf)
    return _log_sum(last[each, 2 * lengths], label.astype(alpha.dtype))


def ctc_loss(
    log_probs: FloatArray,
    targets: IntArray,
    input_lengths: IntArray,
    target_lengths: IntArray,
    blank: int = 0,
    zero_infinity: bool = False,
) -> Scalar:
    """-log of the sum over all alignments, step by step in logarithms, for all sequences at once;
    the targets are padded, and each sequence has a step at least."""
    _, emitted, skips = _lattice(log_probs, targets, blank)
    values = -_totals(_forwards(emitted, skips), input_lengths, target_lengths)
    if zero_infinity:
        values = np.where(np.isinf(values), 0, values)
    mean: Scalar = np.mean(values / np.maximum(target_lengths, 1).astype(values.dtype))
    return mean


def _shares(
    log_probs: FloatArray,
    targets: IntArray,
    input_lengths: IntArray,
    target_lengths: IntArray,
    blank: int,
) -> tuple[FloatArray, FloatArray]:
    """Values, and the shares of the alignments in each class at each step."""
    states, emitted, skips = _lattice(log_probs, targets, blank)
    alpha = _forwards(emitted, skips)
    totals = _totals(alpha, input_lengths, target_lengths)
    # backwards: each sequence from its own last step and label
    beta = np.full_like(alpha, -np.inf)
    skips_back = np.full_like(skips, -np.inf)
    skips_back[:, :-2] = skips[:, 2:]
    each = np.arange(len(states))
    for t in range(len(alpha) - 1, -1, -1):
        if t + 1 < len(alpha):
            later = beta[t + 1] + emitted[t + 1]
            one, two = np.full_like(later, -np.inf), np.full_like(later, -np.inf)
            one[:, :-1], two[:, :-2] = later[:, 1:], later[:, 2:]
            beta[t] = _log_sum(later, one, two + skips_back)
        ends = input_lengths - 1 == t
        beta[t, ends] = -np.inf
        beta[t, each[ends], 2 * target_lengths[ends]] = 0
        some = ends & (target_lengths > 0)
        beta[t, each[some], 2 * target_lengths[some] - 1] = 0
    possible = np.isfinite(totals)
    over = np.where(possible, totals, 0)
    parts = np.where(possible[:, None], np.exp(alpha + beta - over[:, None]), 0)
    shares = np.zeros_like(log_probs)
    step, sequence = np.ogrid[: len(alpha), : len(states)]
    for s in range(states.shape[1]):
        shares[step, sequence, states[None, :, s]] += parts[:, :, s]
    return -totals, shares


def _mean_and_grad(
    values: FloatArray, grad: FloatArray, target_lengths: IntArray, zero_infinity: bool
) -> tuple[Scalar, FloatArray]:
    factors = (1 / (np.maximum(target_lengths, 1) * len(values))).astype(grad.dtype)
    grad *= np.where(np.isfinite(values), factors, 0)[:, None].astype(grad.dtype)
    if zero_infinity:
        values = np.where(np.isinf(values), 0, values)
    mean: Scalar = np.sum(values * factors)
    return mean, grad


def ctc_loss_and_grad(
    log_probs: FloatArray,
    targets: IntArray,
    input_lengths: IntArray,
    target_lengths: IntArray,
    blank: int = 0,
    zero_infinity: bool = False,
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `ctc_loss`."""
    values, shares = _shares(log_probs, targets, input_lengths, target_lengths, blank)
    return _mean_and_grad(values, -shares, target_lengths, zero_infinity)


def _log_softmax(x: FloatArray) -> FloatArray:
    x = x - x.max(axis=-1, keepdims=True)
    logs: FloatArray = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return logs


def ctc_loss_with_logits(
    input: FloatArray,
    targets: IntArray,
    input_lengths: IntArray,
    target_lengths: IntArray,
    blank: int = 0,
    zero_infinity: bool = False,
) -> Scalar:
    """`ctc_loss` of the logarithms of the softmax."""
    logs = _log_softmax(input)
    return ctc_loss(logs, targets, input_lengths, target_lengths, blank, zero_infinity)


def ctc_loss_with_logits_and_grad(
    input: FloatArray,
    targets: IntArray,
    input_lengths: IntArray,
    target_lengths: IntArray,
    blank: int = 0,
    zero_infinity: bool = False,
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `ctc_loss_with_logits`."""
    logs = _log_softmax(input)
    values, shares = _shares(logs, targets, input_lengths, target_lengths, blank)
    shares = np.exp(logs) - shares
    shares[np.arange(len(logs))[:, None] >= input_lengths] = 0
    return _mean_and_grad(values, shares, target_lengths, zero_infinity)


# ---- operands ------------------------------------------------------------------------------------


def labels_of(rng: Generator, shape: Any, classes: int, blank: int) -> IntArray:
    """Labels that are not the blank, often one twice in turn."""
    labels = rng.integers(0, classes - 1, shape)
    repeats = rng.random(shape) < 0.3
    labels[..., 1:] = np.where(repeats, labels, np.roll(labels, 1, axis=-1))[..., 1:]
    moved: IntArray = labels + (labels >= blank)
    return moved


def typical(leaf: str, logits: bool, blank: int = 0) -> Any:
    def make(rng: Generator, n: int, dtype: Any) -> Arrays:
        x = rng.normal(0, 2, (STEPS, n, CLASSES))
        if not logits:
            x = _log_softmax(x)
        return {
            leaf: x.astype(dtype),
            "targets": labels_of(rng, (n, LABELS), CLASSES, blank),
            "input_lengths": rng.integers(STEPS - 2, STEPS + 1, n),
            "target_lengths": rng.integers(0, LABELS + 1, n),
        }

    return make


def hard(leaf: str, logits: bool, blank: int = 0) -> Any:
    """Probabilities of every size, and of 0; labels that do not fit, and none; no steps."""

    def make(rng: Generator, dtype: Any) -> Arrays:
        n, steps = 16, 12
        sizes = [0, 1e-3, 1, 30, 800, 1e4]
        x = rng.normal(size=(steps, n, CLASSES)) * np.resize(sizes, n)[:, None]
        x[rng.random(x.shape) < 0.05] = -np.inf
        x[..., blank] = np.where(rng.random((steps, n)) < 0.9, 0.5, x[..., blank])
        if not logits:
            x = -np.abs(x)
        spans = rng.integers(0, steps + 1, n)
        lengths = rng.integers(0, 6, n)
        spans[:3], lengths[:3] = (0, 0, steps), (0, 2, 0)
        return {
            leaf: x.astype(dtype),
            "targets": labels_of(rng, (n, 6), CLASSES, blank),
            "input_lengths": spans,
            "target_lengths": lengths,
        }

    return make


for loss, leaf, exact in (
    ("ctc_loss", "log_probs", ctc_loss_exact),
    ("ctc_loss_with_logits", "input", ctc_loss_with_logits_exact),
):
    for options in ({}, {"blank": 2, "zero_infinity": True}):
        given = (leaf, leaf == "input", options.get("blank", 0))
        JOINT.append(
            Joint(
                loss,
                (leaf, *OPERANDS),
                (leaf,),
                typical(*given),
                hard(*given),
                exact,
                options,
                bounds=(4, 12, 6),
                curved=False,
                weighted=False,
                labels=OPERANDS,
                domains={"input_lengths": (-1, 99)},
                lean=False,
                batch=1,
                uneven=True,
            )
        )
