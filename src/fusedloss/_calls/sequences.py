"""From the arguments of a loss of sequences to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.kernels import kernels
from fusedloss._core.labels import outside_error
from fusedloss._core.operands import broadcast, contiguous, is_double, is_float, operand
from fusedloss._core.outputs import outputs, result_tuple
from fusedloss._core.parameters import flag, integer
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    lifted,
    product_of,
    scale_of,
    value_result,
)
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_arrays: Final = kernels.modules["arrays"]
_sequences: Final = kernels.modules["sequences"]


def alignment_loss(
    request: Request,
    name: str,
    scores: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    *,
    logits: bool,
    blank: Any,
    sample_weight: Any,
    reduction: str,
    zero_infinity: Any,
) -> Any:
    """Evaluate the loss of all alignments of sequences of labels with sequences of scores, which
    errors call `name`; with `logits` they become log-probabilities on the way."""
    order, out = request[0], request[1]
    blank = integer("blank", blank)
    zero_infinity = flag("zero_infinity", zero_infinity)
    check_reduction(reduction)
    x, precision = operand(name, scores)
    if x.ndim not in (2, 3) or x.shape[-1] == 0:
        raise ValueError(
            f"{name}: shape (T, N, C), or (T, C) for one sequence, is needed, with at least one "
            f"class; got {x.shape}"
        )
    steps, classes = x.shape[0], x.shape[-1]
    shape = x.shape[1:-1]
    count = shape[0] if shape else 1
    if not 0 <= blank < classes:
        raise ValueError(f"blank: {blank} is no class; accepted are 0 to {classes - 1}")
    t = _whole("targets", targets)
    spans = _lengths("input_lengths", input_lengths, count, steps, "the steps of " + name)
    lengths, starts = _label_places(t, target_lengths, count)
    labels = contiguous(t, np.int64).ravel()
    bad = _sequences.find_bad(labels, starts, lengths, classes, blank)
    if bad is not None:
        raise _label_error(t, bad, starts, classes, blank)
    weight = None
    given_lengths = [a for a in (input_lengths, target_lengths) if isinstance(a, np.ndarray)]
    inputs: tuple[Any, ...] = (x, t, *given_lengths)
    divisor, zero_if_empty = divisor_for(reduction, (count,), count, count, count)
    if sample_weight is not None:
        given, more = operand("sample_weight", sample_weight)
        precision |= more
        inputs += (given,)
        weight = broadcast("sample_weight", given, shape, "the values").reshape(count)
        if reduction in ("weighted_mean", "sum_by_nonzero_weights"):
            totals = _arrays.scan_weights(weight)
            divisor, zero_if_empty = divisor_for(reduction, (count,), count, *totals)
    factors = [] if weight is None else [weight]
    if reduction == "mean":
        factors.append(1.0 / np.maximum(lengths, 1))
    double = is_double(precision)
    reduced = reduction != "none"
    value, grad, _ = outputs(request, x, double, None if reduced else shape, inputs)
    product, scaled = lifted(product_of((count,), factors) if factors else None, divisor)
    total = _sequences.sequences(
        logits,
        blank,
        order,
        double,
        scale_of(scaled, zero_if_empty) if order else 1.0,
        reduced,
        zero_infinity,
        threads_for(x.size),
        (
            x if shape else x[:, None],
            grad if grad is None or shape else grad[:, None],
            None if value is None else value.reshape(count),
            labels,
            starts,
            lengths,
            spans,
            product,
        ),
    )
    result = value_result(total, value, scaled, zero_if_empty, double, out)
    return result_tuple(request, divisor, result, grad, None)


def _whole(name: str, value: Any) -> Array:
    """Whole numbers, of any integer dtype; nothing at all may be of any."""
    array, _ = operand(name, np.asarray(value) if type(value) in (int, bool) else value)
    if is_float(array.dtype):
        if array.size:
            raise TypeError(f"{name}: an integer dtype is needed, got {array.dtype}")
        array = array.astype(np.int64)
    return array


def _lengths(name: str, value: Any, count: int, most: int, what: str) -> Array:
    """How long each sequence is, at most `most`, which is that of `what`."""
    array = _whole(name, value)
    if array.shape not in ((count,), ()):
        raise ValueError(
            f"{name}: a number for each of the {count} sequences is needed, shape ({count},), or "
            f"one for all; got shape {array.shape}"
        )
    bad = (array < 0) | (array > most)
    if bad.any():
        raise outside_error(name, array, int(np.argmax(bad)), f"0 to {most}, {what}")
    return np.array(np.broadcast_to(array, (count,)), np.int64)


def _label_places(t: Array, target_lengths: Any, count: int) -> tuple[Array, Array]:
    """How many labels each sequence has, and where they begin among all."""
    if t.ndim == 2 and len(t) == count:
        width = t.shape[1]
        lengths = _lengths("target_lengths", target_lengths, count, width, "the columns of targets")
        return lengths, np.arange(count, dtype=np.int64) * width
    if t.ndim != 1:
        raise ValueError(
            f"targets: shape ({count}, S), or one axis of the labels of all sequences one after "
            f"the other, is needed; got {t.shape}"
        )
    lengths = _lengths("target_lengths", target_lengths, count, t.size, "the number of targets")
    if lengths.sum() != t.size:
        raise ValueError(
            f"target_lengths: they sum up to {lengths.sum()}, but there are {t.size} targets"
        )
    return lengths, np.cumsum(lengths) - lengths


def _label_error(
    t: Array, bad: tuple[int, int], starts: Array, classes: int, blank: int
) -> Exception:
    """What is wrong with a label, of which the sequence and the place within that are given."""
    sequence, place = bad
    index = (sequence, place) if t.ndim == 2 else (int(starts[sequence]) + place,)
    text = f"targets: the class at [{', '.join(map(str, index))}] is {t[index]}"
    if t[index] == blank:
        return ValueError(f"{text}, which is the blank; no label may be that")
    return IndexError(f"{text}; accepted are 0 to {classes - 1}, but for the blank, {blank}")
