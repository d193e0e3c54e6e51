"""From the arguments of a loss of lists, or of pairs of elements, to its kernel and back."""

from __future__ import annotations

from typing import Any

from fusedloss._arrays import (
    Array,
    Request,
    broadcast,
    check_reduction,
    divisor_of,
    integer,
    is_double,
    operand,
)
from fusedloss._dispatch import kernels
from fusedloss._rows import axes_last, axis_number, reduced_rows, shape_of_rows


def by_list(
    request: Request,
    loss: str,
    input: Any,
    target: Any,
    *,
    where: Any = None,
    weight: Any = None,
    weight_of_items: bool = False,
    valid_alone: bool = False,
    axis: int | None,
    parameters: tuple[float, ...] = (),
    reduction: str,
) -> Any:
    """Evaluate a loss of a number for each list.

    The lists lie along `axis`; None: each item of the first axis is one, or all is where there is
    no other axis. With `weight_of_items` each item has a weight, else each list; with `valid_alone`
    the mean is over the lists of which `where` leaves something.
    """
    check_reduction(reduction)
    if axis is not None:
        axis = integer("axis", axis)
    x, asks = operand("input", input)
    if x.ndim == 0:
        raise ValueError("input: at least one dimension is needed")
    if axis is None:
        axes = tuple(range(1, x.ndim)) or (0,)
    else:
        axes = (axis_number(x, axis),)
    shape = shape_of_rows(x, axes)
    lists = 1.0
    for n in shape:
        lists *= n
    t, more = operand("target", target)
    t = broadcast("target", t, x.shape)
    asks |= more
    given = factor = item_weight = mask = None
    if weight is not None:
        given, more = operand("weight", weight)
        asks |= more
        if weight_of_items:
            item_weight = broadcast("weight", given, x.shape)
        else:
            factor = broadcast("weight", given, shape, "the values")
    if where is not None:
        mask = broadcast("where", operand("where", where)[0], x.shape)
    if valid_alone:
        lists = _valid(mask, axes, lists if x.size else 0.0)
    batch = x.shape[0] if x.ndim > 1 else 1
    return reduced_rows(
        request,
        loss,
        x,
        axes,
        is_double(asks),
        reduction,
        divisor_of(reduction, lists, batch, given if factor is not None else None),
        (x, t, given, mask),
        t,
        kernels.TARGETS["distribution"],
        parameters=parameters,
        factor=factor,
        mask=mask,
        item_weight=item_weight,
    )


def _valid(mask: Array | None, axes: tuple[int, ...], lists: float) -> float:
    """How many lists have an item that counts."""
    if mask is None or not lists:
        return lists
    return float(kernels.family("ranking").count_lists(axes_last(mask, axes)))
