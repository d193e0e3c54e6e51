"""From the arguments of a loss of lists of numbers to its kernel and back."""

from __future__ import annotations

from math import inf, nan, prod
from typing import Any

from fusedloss._core.axes import axis_number
from fusedloss._core.labels import DISTRIBUTION
from fusedloss._core.operands import broadcast, operand
from fusedloss._core.parameters import integer
from fusedloss._core.reductions import check_reduction, count_rows
from fusedloss._core.rows import RowKernel, Rows
from fusedloss._core.tallies import is_tally
from fusedloss._core.types import Request


class ListLoss(RowKernel):
    """A loss of lists. With `item_weights` each item has a weight, else each list; `relevances`
    must not be negative."""

    __slots__ = ("item_weights", "relevances")

    def __init__(self, name: str, *, item_weights: bool = False, relevances: bool = False) -> None:
        super().__init__(name, "0 or more")
        self.item_weights = item_weights
        self.relevances = relevances


def ranking_loss(
    request: Request,
    loss: ListLoss,
    input: Any,
    target: Any,
    *,
    parameters: tuple[float, ...] = (),
    weight: Any,
    axis: int | None,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of a number for each list.

    The lists lie along `axis`; None: each item of the first axis is one, or all is where there is
    no other axis. The weights of lists are multiplied by `sample_weight`.
    """
    check_reduction(reduction)
    if axis is not None:
        axis = integer("axis", axis)
    x, precision = operand("input", input)
    if x.ndim == 0:
        raise ValueError("input: at least one dimension is needed")
    if axis is None:
        axes = tuple(range(1, x.ndim)) or (0,)
    else:
        axes = (axis_number(x, axis),)
    rows = Rows(x, axes, precision)
    t, more = operand("target", target)
    t = broadcast("target", t, x.shape)
    rows.precision |= more
    rows.inputs = (x, t)
    if weight is not None and loss.item_weights:
        given, more = operand("weight", weight)
        rows.precision |= more
        rows.inputs += (given,)
        rows.item_weight = broadcast("weight", given, x.shape)
    elif weight is not None:
        rows.weigh_values(weight)
    rows.weigh(sample_weight, where)
    count = float(prod(rows.shape))
    if loss.relevances and not x.size:
        count = 0.0  # a list of nothing
    mask = rows.kernel_mask if x.size else None
    counts = count_rows(count, rows.row_weight, mask, exactly=is_tally(request))
    most = inf if loss.relevances else nan
    return rows.evaluate(request, loss, reduction, counts, t, DISTRIBUTION, False, parameters, most)
