"""From the arguments of a score of ensembles to its kernel and back."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fusedloss._core.axes import axis_number
from fusedloss._core.labels import DISTRIBUTION
from fusedloss._core.operands import broadcast, operand
from fusedloss._core.parameters import flag, integer
from fusedloss._core.reductions import check_reduction, count_rows
from fusedloss._core.rows import RowKernel, Rows
from fusedloss._core.tallies import is_tally
from fusedloss._core.types import Array, Request


def ensemble_score(
    request: Request,
    loss: RowKernel,
    input: Any,
    target: Any,
    *,
    fair: Any,
    axis: Any,
    vectors: bool = False,
    vector_axis: Any = None,
    weight: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a score of ensembles whose members lie along `axis`.

    If the members are `vectors`, they are along the `vector_axis`. The target has input's shape
    without the axis of the members, and `where` without that of the vectors.
    """
    check_reduction(reduction)
    parameters: tuple[float, ...] = (float(flag("fair", fair)),)
    axis = integer("axis", axis)
    if vectors:
        vector_axis = integer("vector_axis", vector_axis)
    x, precision = operand("input", input)
    axes = _axes(x, axis, vector_axis)
    rows = Rows(x, axes, precision)
    shape = x.shape
    t, more = operand("target", target)
    precision |= more
    members = shape[axes[0]]
    of_target = shape[: axes[0]] + shape[axes[0] + 1 :]
    t = broadcast("target", t, of_target, "input without the axis of the members")
    rows.inputs = (x, t)
    t = np.broadcast_to(np.expand_dims(t, axes[0]), shape)
    rows.precision = precision
    if weight is not None:
        rows.weigh_values(weight)
    mask = None
    if where is not None:
        of_members, what = shape, "input"
        if vectors:
            of_members = shape[: axes[1]] + shape[axes[1] + 1 :]
            what = "input without the axis of the coordinates"
        where = mask = broadcast("where", operand("where", where)[0], of_members, what)
        mask = np.moveaxis(mask, axes[0] - (axes[-1] < axes[0]), -1)
        if vectors:
            where = np.expand_dims(where, axes[1])
    rows.weigh(sample_weight, where)
    count = float(prod(rows.shape))
    counts = count_rows(count, rows.row_weight, mask, exactly=is_tally(request))
    if vectors:
        parameters += (float(members),)
    return rows.evaluate(request, loss, reduction, counts, t, DISTRIBUTION, not vectors, parameters)


def _axes(x: Array, axis: int, vector_axis: int | None) -> tuple[int, ...]:
    """The axis of the members, and that of the vectors if there are such; both have something."""
    least = 1 if vector_axis is None else 2
    if x.ndim < least:
        what = "one dimension is" if least == 1 else "two dimensions are"
        of_what = "the members" if least == 1 else "the members and that of the vectors"
        raise ValueError(f"input: at least {what} needed, that of {of_what}; got shape {x.shape}")
    first = axis_number(x, axis)
    if x.shape[first] == 0:
        raise ValueError(f"input: shape {x.shape} has no members along axis {first}")
    if vector_axis is None:
        return (first,)
    second = axis_number(x, vector_axis, option="vector_axis")
    if first == second:
        raise ValueError(f"vector_axis: {vector_axis} is the axis of the members, axis={axis}, too")
    if x.shape[second] == 0:
        raise ValueError(f"input: shape {x.shape} has no coordinates along axis {second}")
    return first, second
