"""From the arguments of a loss of scores and thresholds to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.kernels import kernels
from fusedloss._core.labels import and_ignored, grades_of, ignored_label, label_error
from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import Gradients, plain_hessian, value_output
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    lifted,
    scale_of,
    value_result,
)
from fusedloss._core.tallies import exact, new_sums, read_sum, take_tally
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Request

_ordinal: Final = kernels.modules["ordinal"]
_labels: Final = kernels.modules["labels"]


class ThresholdLoss:
    """A loss of kernels/ of a score and thresholds."""

    __slots__ = ("number", "of_all")

    def __init__(self, name: str) -> None:
        self.number: int = kernels.number("ordinal", "NAMES", name)
        self.of_all = name == "all"  # whether all thresholds are looked at


def threshold_loss(
    request: Request,
    loss: ThresholdLoss,
    input: Any,
    thresholds: Any,
    target: Any,
    *,
    weight: Any,
    ignore_index: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of scores and the thresholds that they share."""
    plain_hessian(request)
    check_reduction(reduction)
    ignored = ignored_label(ignore_index)
    x, precision = operand("input", input)
    p, more = operand("thresholds", thresholds)
    precision |= more
    if p.ndim != 1:
        raise ValueError(
            "thresholds: one number between each two grades is needed, of shape (K - 1,) for K "
            f"grades; got shape {p.shape}"
        )
    grades, shape = len(p) + 1, x.shape
    t = grades_of(target, shape, f"grades from 0 to {grades - 1}")
    w = mask = mask_of_grades = None
    given: tuple[Any, ...] = ()
    if weight is not None:
        array, more = operand("weight", weight)
        precision |= more
        given += (array,)
        w = broadcast("weight", array, shape)
    if where is not None:
        mask = broadcast("where", operand("where", where)[0], shape)
        given += (mask,)
        mask_of_grades = np.broadcast_to(mask[..., np.newaxis], (*shape, grades))
    request, tally = take_tally(request)
    sums = None if tally is None else new_sums(2)
    rows, _, weights, nonzero, bad = _labels.scan_rows(
        t, grades, ignored, None, w, mask_of_grades, True, sums
    )
    if bad >= 0:
        raise label_error(t, bad, None, grades, and_ignored(ignored), what="grade")
    double = is_double(precision)
    if tally is None:
        divisor, zero_if_empty = divisor_for(reduction, shape, rows, weights, nonzero)
        w, scaled = lifted(w, divisor)
    else:
        counts = exact(float(rows)), read_sum(sums[1]), exact(float(nonzero))  # type: ignore[index]
        tally.begin(counts, double, shape)
        divisor, zero_if_empty = tally.divisor
        scaled, reduction = divisor, "sum"
    order, out = request[0], request[1]
    reduced = reduction != "none"
    inputs = (x, p, t, *given)
    value = value_output(out, None if reduced else shape, double, inputs, x)
    gradients = Gradients(request, double, [(x, None), (p, None)], (*inputs, value))
    grads, hesses = gradients.grads or (None, None), gradients.hesses or (None, None)
    try:
        total = _ordinal.ordinal(
            loss.number,
            order,
            double,
            ignored,
            scale_of(scaled, zero_if_empty) if order else 1.0,
            reduced,
            threads_for(x.size * (grades if loss.of_all else 1)),
            (x, t, w, mask, value, grads[0], hesses[0], p, grads[1], hesses[1]),
            None if tally is None else tally.sum,
        )
    except LookupError as error:
        (place,) = error.args
        raise ValueError(
            f"thresholds: the number at [{place}] is {p[place]}, below that at [{place - 1}], "
            f"{p[place - 1]}; they must not decrease"
        ) from None
    if tally is not None:
        return gradients.result(tally, divisor)
    result = value_result(total, value, scaled, zero_if_empty, double, out)
    return gradients.result(result, divisor)
