"""From the arguments of a loss of lists, or of pairs of elements, to its kernel and back."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np

from fusedloss._arrays import (
    Request,
    broadcast,
    check_reduction,
    divisor,
    integer,
    is_double,
    operand,
)
from fusedloss._dispatch import kernels
from fusedloss._rows import (
    axes_last,
    axis_number,
    count_rows,
    reduced_rows,
    shape_of_rows,
    weight_of_rows,
)


def by_list(
    request: Request,
    loss: str,
    input: Any,
    target: Any,
    *,
    where: Any = None,
    weight: Any = None,
    weight_of_items: bool = False,
    relevances: bool = False,
    axis: int | None,
    sample_weight: Any = None,
    parameters: tuple[float, ...] = (),
    reduction: str,
) -> Any:
    """Evaluate a loss of a number for each list.

    The lists lie along `axis`; None: each item of the first axis is one, or all is where there is
    no other axis. With `weight_of_items` each item has a weight, else each list, by which that in
    `sample_weight` is multiplied; `relevances` must not be negative.
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
    rows = 1.0
    for n in shape:
        rows *= n
    t, more = operand("target", target)
    t = broadcast("target", t, x.shape)
    asks |= more
    given = factor = item_weight = mask = None
    given_factor = None
    if weight is not None:
        given, more = operand("weight", weight)
        asks |= more
        if weight_of_items:
            item_weight = broadcast("weight", given, x.shape)
        else:
            factor = broadcast("weight", given, shape, "the values")
    if sample_weight is not None:
        given_factor, sample, more = weight_of_rows(sample_weight, shape)
        asks |= more
        if factor is None:
            factor = sample
        else:
            with np.errstate(all="ignore"):
                both = np.multiply(factor, sample, dtype=np.float64)
                factor = np.where((factor == 0) | (sample == 0), 0, both)
    if where is not None:
        mask = broadcast("where", operand("where", where)[0], x.shape)
    left = None if mask is None or not x.size else axes_last(mask, axes)
    if relevances and not x.size:
        rows = 0.0  # a list of nothing
    lists, weights, nonzero = count_rows(rows, factor, left)
    batch = x.shape[0] if x.ndim > 1 else 1
    return reduced_rows(
        request,
        loss,
        x,
        axes,
        is_double(asks),
        reduction,
        divisor(reduction, lists, batch, weights, nonzero),
        (x, t, given, given_factor, mask),
        t,
        kernels.TARGETS["distribution"],
        parameters=parameters,
        factor=factor,
        mask=mask,
        item_weight=item_weight,
        most=inf if relevances else nan,
        accepted="0 or more",
    )
