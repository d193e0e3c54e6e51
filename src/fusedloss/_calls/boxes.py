"""From the arguments of a loss between boxes to its kernel and back."""

from __future__ import annotations

from typing import Any, Final, NewType

import numpy as np

from fusedloss._core.axes import axis_number
from fusedloss._core.kernels import kernels
from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import Gradients, plain_hessian, value_output
from fusedloss._core.parameters import finite, integer
from fusedloss._core.reductions import (
    check_reduction,
    exact_counts,
    lifted,
    scale_of,
    value_result,
    weighted_divisor,
)
from fusedloss._core.tallies import take_tally
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_boxes: Final = kernels.modules["boxes"]

BoxFormula = NewType("BoxFormula", int)


def box_formula(name: str) -> BoxFormula:
    """A formula of kernels/."""
    return BoxFormula(kernels.number("boxes", "LOSSES", name))


def box_loss(
    request: Request,
    formula: BoxFormula,
    boxes1: Any,
    boxes2: Any,
    *,
    eps: float,
    axis: int,
    weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of pairs of boxes."""
    plain_hessian(request)
    eps = finite("eps", eps, 0.0)
    axis = integer("axis", axis)
    check_reduction(reduction)
    first, precision = operand("boxes1", boxes1)
    second, more = operand("boxes2", boxes2)
    precision |= more
    ends = _axis(first, second, axis)
    spread = broadcast("boxes2", second, first.shape, "boxes1")

    def ends_last(array: Array) -> Array:
        return array if ends == -1 else np.moveaxis(array, ends, -1)

    def as_first(array: Array) -> Array:
        if array.shape != first.shape:
            array = np.broadcast_to(array, first.shape)
        return ends_last(array)

    shape = ends_last(first).shape[:-1]
    weight_given = w = mask = None
    if weight is not None:
        weight_given, more = operand("weight", weight)
        precision |= more
        w = broadcast("weight", weight_given, shape, "the values")
    if where is not None:
        where = operand("where", where)[0]
        mask = broadcast("where", where, shape, "the values")
    double = is_double(precision)
    request, tally = take_tally(request)
    if tally is None:
        divisor, zero_if_empty = weighted_divisor(reduction, shape, weight_given, where)
        scaled_weight, scaled = lifted(w, divisor)
    else:
        counts = exact_counts(shape, weight_given, where)
        tally.begin(counts, double, first.shape, (first.ndim + ends,), of_values=1)
        divisor, zero_if_empty = tally.divisor
        scaled_weight, scaled, reduction = w, divisor, "sum"
    reduced = reduction != "none"
    inputs = (first, second, w, mask)
    out = request[1]
    value = value_output(out, None if reduced else shape, double, inputs)
    gradients = Gradients(
        request, double, [(first, ends_last), (second, as_first)], (*inputs, value)
    )
    total = _boxes.boxes(
        formula,
        eps,
        request[0],
        scale_of(scaled, zero_if_empty),
        reduced,
        threads_for(first.size),
        (
            ends_last(first),
            ends_last(spread),
            scaled_weight,
            mask,
            value,
            *(gradients.grads or (None, None)),
            *(gradients.hesses or (None, None)),
        ),
        None if tally is None else tally.sum,
    )
    if tally is not None:
        return gradients.result(tally, divisor)
    result = value_result(total, value, scaled, zero_if_empty, double, out)
    return gradients.result(result, divisor)


def _axis(first: Array, second: Array, axis: Any) -> int:
    """The axis of the four ends, counted from the back."""
    if first.ndim == 0:
        raise ValueError("boxes1: at least one dimension is needed, of length 4")
    number = axis_number(first, axis, "boxes1") - first.ndim
    for name, array in (("boxes1", first), ("boxes2", second)):
        if array.ndim < -number or array.shape[number] != 4:
            raise ValueError(
                f"{name}: length 4 (x1, y1, x2, y2) is needed along axis {number}, got shape "
                f"{array.shape}"
            )
    return number
