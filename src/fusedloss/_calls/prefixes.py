"""From the arguments of a loss of bits that are known from one number to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.kernels import kernels
from fusedloss._core.labels import (
    CLASS,
    NO_LABEL,
    and_ignored,
    grades_of,
    ignored_label,
    label_error,
    outside_error,
)
from fusedloss._core.operands import broadcast, contiguous, operand
from fusedloss._core.reductions import check_reduction
from fusedloss._core.rows import RowKernel, rows_of_classes
from fusedloss._core.tallies import exact, is_tally, new_sums, read_sum
from fusedloss._core.types import Request

_multilabel: Final = kernels.modules["multilabel"]

_NONE: Final = object()  # no events


class PrefixLoss:
    """A loss of logits of bits, along an axis, of which a number says all.

    `levels`: so many bits are 1, the others 0; `conditions`: no bit takes part after the first that
    is 0; `hazards`: the bit of this number may be 1, those before it are 0, and no others take
    part. With `by_bits` the mean divides by the number of bits that take part, else by the rows.
    """

    __slots__ = ("by_bits", "kernel", "kind", "most", "name", "what")

    def __init__(self, kind: str, name: str = "target", by_bits: bool = False) -> None:
        self.kernel = RowKernel("prefix_bits")
        self.kind: int = kernels.number("multilabel", "PREFIXES", kind)
        self.name = name  # of the argument with the numbers
        self.what = "step" if kind == "hazards" else "grade"
        self.most = -1 if kind == "hazards" else 0  # what they may be, less the number of bits
        self.by_bits = by_bits


def prefix_loss(
    request: Request,
    loss: PrefixLoss,
    input: Any,
    target: Any,
    event: Any = _NONE,
    *,
    weight: Any,
    ignore_index: Any = None,
    axis: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of such bits; without `event` all are seen."""
    check_reduction(reduction)
    ignored = NO_LABEL if ignore_index is None else ignored_label(ignore_index)
    rows = rows_of_classes(input, axis)
    x, (place,) = rows.x, rows.axes
    bits, shape = x.shape[place], rows.shape
    accepted = f"whole numbers from 0 to {bits + loss.most}"
    t = grades_of(target, shape, accepted, loss.name)
    rows.inputs = (x, t)
    happened = None
    if event is not _NONE:
        given, _ = operand("event", event)
        rows.inputs += (given,)
        happened = broadcast("event", given, shape, "the rows")
        rows.item_weight = np.broadcast_to(np.expand_dims(happened, place), x.shape)
    rows.weigh(sample_weight, where)
    wide = None
    if weight is not None:
        rows.weigh_classes(loss.kernel, weight, shape)
        wide = contiguous(rows.class_weight, np.float64)  # type: ignore[arg-type]
    sums = new_sums(2) if is_tally(request) else None
    *counted, bad, bad_event = _multilabel.scan_prefixes(
        t, happened, loss.kind, bits, ignored, wide, rows.row_weight, rows.kernel_mask, sums
    )
    if bad >= 0:
        also = "" if ignore_index is None else and_ignored(ignored)
        raise label_error(t, bad, None, bits + loss.most + 1, also, loss.name, loss.what)
    if happened is not None and bad_event >= 0:
        raise outside_error("event", happened, bad_event, "0 and 1, or booleans")
    counts: tuple[Any, ...] = tuple(counted[3:] if loss.by_bits else counted[:3])
    if sums is not None:
        weights = read_sum(sums[1] if loss.by_bits else sums[0])
        counts = exact(float(counts[0])), weights, exact(counts[2])
    return rows.evaluate(
        request,
        loss.kernel,
        reduction,
        counts,
        t,
        CLASS,
        True,
        (float(loss.kind),),
        ignored=ignored,
    )
