"""From the arguments of a loss between boxes to its kernel and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    broadcast,
    check_reduction,
    divisor_of,
    finish,
    finite,
    integer,
    is_double,
    lifted,
    operand,
    scale_of,
    shown,
    value_output,
)
from fusedloss._dispatch import get_num_threads, kernels
from fusedloss._rows import axis_number
from fusedloss._several import Leaves


def boxes(
    request: Request,
    loss: str,
    boxes1: Any,
    boxes2: Any,
    *,
    eps: float,
    axis: int,
    weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of kernels/boxes.pyx."""
    eps = finite("eps", eps, 0.0)
    axis = integer("axis", axis)
    check_reduction(reduction)
    first, asks = operand("boxes1", boxes1)
    second, more = operand("boxes2", boxes2)
    asks |= more
    place = _axis(first, second, axis)
    spread = broadcast("boxes2", second, first.shape, "boxes1")

    def ends_last(array: Array) -> Array:
        return array if place == -1 else np.moveaxis(array, place, -1)

    def as_first(array: Array) -> Array:
        if array.shape != first.shape:
            array = np.broadcast_to(array, first.shape)
        return ends_last(array)

    pairs = ends_last(first)[..., 0]
    given = w = mask = None
    if weight is not None:
        given, more = operand("weight", weight)
        asks |= more
        w = broadcast("weight", given, pairs.shape, "the values")
    if where is not None:
        where = operand("where", where)[0]
        mask = broadcast("where", where, pairs.shape, "the values")
    double = is_double(asks)
    batch = pairs.shape[0] if pairs.ndim else 1
    by, safe = divisor_of(reduction, float(pairs.size), batch, given, where=where)
    heavy, divided = lifted(w, by)
    reduced = reduction != "none"
    inputs = (first, second, w, mask)
    out = request[1]
    value = value_output(out, None if reduced else pairs.shape, double, inputs)
    leaves = Leaves(request, double, [(first, ends_last), (second, as_first)], (*inputs, value))
    kernel = kernels.family("boxes")
    total = kernel.boxes(
        kernel.LOSSES[loss],
        eps,
        request[0],
        scale_of(divided, safe),
        reduced,
        get_num_threads() if first.size > SMALL else 1,
        (
            ends_last(first),
            ends_last(spread),
            heavy,
            mask,
            value,
            *(leaves.grads or (None, None)),
            *(leaves.hesses or (None, None)),
        ),
    )
    result = finish(total, divided, safe, double, out) if reduced else shown(value, out)
    return leaves.packed(result, by)


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
