"""From the arguments of a loss over a class axis to its kernel and back."""

from __future__ import annotations

from math import nan
from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axes_last
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import (
    DISTRIBUTION,
    LIST,
    NO_LABEL,
    SMOOTHED_CLASS,
    and_ignored,
    class_target,
    ignored_label,
    label_error,
)
from fusedloss._core.loss import OperandsReached
from fusedloss._core.operands import broadcast, is_double, is_float, operand
from fusedloss._core.parameters import are_in_range, check_range, number
from fusedloss._core.reductions import check_reduction, count_rows, count_rows_of_items
from fusedloss._core.rows import RowKernel, rows_of_classes
from fusedloss._core.tallies import exact, is_tally, new_sums, read_sum
from fusedloss._core.types import PRODUCT, Request, Short

_rows: Final = kernels.modules["rows"]
_labels: Final = kernels.modules["labels"]
_multilabel: Final = kernels.modules["multilabel"]

_NONE: Final = object()  # no ignore_index

#: Probabilities may be so large: 1, and a rounding error of bfloat16.
_MOST: Final = 1 + 2.0**-7
#: Multilabel margins of so many classes can be computed in place.
_IN_ONE_PIECE: Final = 512
#: What a target may be.
PROBABILITIES: Final = "probabilities from 0 to 1"


class ClassLoss(RowKernel):
    """A loss of class numbers, or also of probabilities.

    Its `weight_name` is that of the class weights, which with `one_for_all` may be one number. With
    `by_distribution` the kernel is told class numbers as distributions. The "mean" divides by the
    weights of the classes, or by the number of rows. With `one_number` the input may be that, of
    one class, without an axis.
    """

    __slots__ = (
        "by_distribution",
        "mean_by_weight",
        "one_for_all",
        "one_number",
        "probabilities",
        "weight_name",
    )

    def __init__(
        self,
        name: str,
        *,
        weight_name: str = "weight",
        one_for_all: bool = False,
        probabilities: bool = True,
        by_distribution: bool = False,
        mean_by_weight: bool = True,
        in_double: bool = False,
        one_number: bool = False,
    ) -> None:
        super().__init__(name, PROBABILITIES, in_double)
        self.weight_name = weight_name
        self.one_for_all = one_for_all
        self.probabilities = probabilities
        self.by_distribution = by_distribution
        self.mean_by_weight = mean_by_weight
        self.one_number = one_number


def class_loss(
    request: Request,
    loss: ClassLoss,
    input: Any,
    target: Any,
    *,
    parameters: tuple[float, ...] = (),
    weight: Any = None,
    ignore_index: Any = _NONE,
    label_smoothing: Any = 0.0,
    return_lse: bool = False,
    axis: int | None,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of class numbers, or also of probabilities, along a class axis."""
    check_reduction(reduction)
    direction = request[3] if request[0] == PRODUCT else None
    call = ClassCall(
        loss,
        parameters,
        input,
        target,
        weight,
        ignore_index,
        label_smoothing,
        axis,
        sample_weight,
        where,
        direction,
    )
    rows = call.rows
    if parameters and not (loss.in_double or is_double(rows.precision)):
        check_range(loss.name, parameters)
    return rows.evaluate(
        request,
        loss,
        reduction,
        call.counts(is_tally(request)),
        call.target,
        call.kind,
        True,
        parameters,
        call.most,
        call.ignored,
        1.0 - call.smoothing,
        call.smoothing / call.classes,
        return_lse,
    )


class ClassCall:
    """The operands of a loss of class numbers, or also of probabilities, along a class axis."""

    def __init__(
        self,
        loss: ClassLoss,
        parameters: tuple[float, ...],
        input: Any,
        target: Any,
        weight: Any,
        ignore_index: Any,
        label_smoothing: Any,
        axis: int | None,
        sample_weight: Any,
        where: Any = None,
        direction: Any = None,
    ) -> None:
        smoothing: float = label_smoothing
        if type(smoothing) is not float:
            smoothing = number("label_smoothing", smoothing)
        if not 0 <= smoothing <= 1:
            raise ValueError(f"label_smoothing: a number from 0 to 1 is needed, got {smoothing}")
        self.loss = loss
        self.smoothing = smoothing
        self.some_ignored = ignore_index is not _NONE
        self.ignored = ignored_label(ignore_index) if self.some_ignored else NO_LABEL
        try:
            self.rows = rows = rows_of_classes(input, axis, loss.one_number)
        except OperandsReached as reached:
            floats = not loss.in_double and are_in_range(parameters)
            reached.computation = (
                *("rows", "" if weight is None else loss.weight_name, loss.number, parameters),
                *(smoothing, self.ignored, loss.by_distribution, floats),
            )
            raise
        x = rows.x
        self.classes = x.shape[rows.axes[0]]
        shape = rows.shape
        t, more = operand("target", np.asarray(target) if type(target) in (int, bool) else target)
        self.target, self.kind = class_target(t, x, shape, loss.probabilities, self.ignored)
        rows.inputs = (rows.like, self.target)
        #: What targets may be at most; nan for class numbers, which `counts` looks at.
        self.most = nan
        if self.kind == DISTRIBUTION:
            rows.precision |= more
            self.most = _MOST
        elif smoothing or loss.by_distribution:
            self.kind = SMOOTHED_CLASS
        if sample_weight is not None or where is not None:
            rows.weigh(sample_weight, where)
        if direction is not None:
            rows.direct(direction)
        if weight is not None:
            rows.weigh_classes(loss, weight, shape, loss.weight_name, loss.one_for_all)

    def counts(self, exactly: bool = False) -> tuple[Any, Any, Any]:
        """What "mean" divides by, the sum of the weights, and how many are not 0; with `exactly`
        without rounding. A class number that there is not raises."""
        rows, t, classes = self.rows, self.target, self.classes
        row_weight, mask = rows.row_weight, rows.kernel_mask
        if self.kind == DISTRIBUTION:
            return count_rows(float(rows.x.size // classes), row_weight, mask, exactly=exactly)
        weighted = rows.class_weight is not None or row_weight is not None
        sums = new_sums(2) if exactly and weighted else None
        number_of_rows, weights, products, nonzero, bad = _labels.scan_rows(
            t, classes, self.ignored, rows.class_weight, row_weight, mask, self.some_ignored, sums
        )
        if bad >= 0:
            also = and_ignored(self.ignored if self.some_ignored else None)
            raise label_error(t, bad, None, classes, also)
        if exactly:
            number_of_rows, nonzero = exact(float(number_of_rows)), exact(float(nonzero))
            weights = products = number_of_rows
        if sums is not None:
            weights, products = map(read_sum, sums)
        return (weights if self.loss.mean_by_weight else number_of_rows), products, nonzero


def mean_of_rows(loss: ClassLoss, parameters: tuple[float, ...] = (), ignored: int = -100) -> Short:
    """The call of a loss of a class number for each row with all options at their defaults: what
    most training loops do, with as few steps as there can be."""
    run, number, in_double = _labels.mean_of_rows, loss.number, loss.in_double

    def short(input: Any, target: Any, with_gradient: bool) -> Any:
        return run(_rows.rows, number, parameters, ignored, in_double, input, target, with_gradient)

    return short


def label_list_loss(
    request: Request,
    loss: RowKernel,
    input: Any,
    target: Any,
    *,
    axis: int | None,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of lists of class numbers along the class axis."""
    check_reduction(reduction)
    rows = rows_of_classes(input, axis, one_number=True)
    x, (axis,) = rows.x, rows.axes
    classes = x.shape[axis]
    t, _ = operand("target", np.asarray(target) if type(target) in (int, bool) else target)
    if t.ndim == 0 and x.shape == (1,):
        t = t.reshape(1)
    if t.size == 0 and t.shape == x.shape:
        t = t.astype(np.int64)
    if t.shape != x.shape or is_float(t.dtype):
        raise (ValueError if t.shape != x.shape else TypeError)(
            "target: lists of class numbers of an integer dtype and input's shape, "
            f"{x.shape}, are needed; got dtype {t.dtype}, shape {t.shape}"
        )
    rows.inputs = (rows.like, t)
    rows.weigh(sample_weight, where)
    mask = rows.kernel_mask
    bad = _multilabel.scan_lists(axes_last(t, (axis,)), mask, rows.row_weight)
    if bad >= 0:
        raise label_error(t, bad, axis, classes, ", and -1, which ends a list")
    counts = count_rows(float(x.size // classes), rows.row_weight, mask, exactly=is_tally(request))
    return rows.evaluate(request, loss, reduction, counts, t, LIST, classes <= _IN_ONE_PIECE)


def multilabel_loss(
    request: Request,
    loss: RowKernel,
    input: Any,
    target: Any,
    *,
    weight: Any,
    axis: int,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of a probability for each class."""
    check_reduction(reduction)
    rows = rows_of_classes(input, -1 if axis is None else axis)
    x = rows.x
    t, more = operand("target", target)
    t = broadcast("target", t, x.shape)
    rows.precision |= more
    rows.inputs = (x, t)
    rows.weigh(sample_weight, where)
    if weight is not None and not rows.weigh_items(weight):
        rows.weigh_classes(loss, weight, rows.shape)
    number_of_rows = float(x.size // x.shape[rows.axes[0]])
    exactly = is_tally(request)
    by_weights = reduction in ("weighted_mean", "sum_by_nonzero_weights")
    counts = count_rows(
        number_of_rows, rows.row_weight, rows.kernel_mask, rows.class_weight, exactly
    )
    if rows.item_weight is not None and (exactly or by_weights):
        items = axes_last(rows.item_weight, rows.axes)
        counts = count_rows_of_items(counts[0], items, rows.row_weight, rows.kernel_mask, exactly)
    return rows.evaluate(
        request, loss, reduction, counts, t, DISTRIBUTION, in_place=True, most=_MOST
    )


def score_pair_loss(
    request: Request,
    loss: RowKernel,
    input: Any,
    name: str,
    others: Any,
    *,
    parameters: tuple[float, ...],
    axis: int | None,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of scores and other scores, the argument `name`, along a class axis."""
    check_reduction(reduction)
    rows = rows_of_classes(input, axis)
    x = rows.x
    given, more = operand(name, others)
    rows.precision |= more
    y = broadcast(name, given, x.shape)
    rows.inputs = (x, y)
    rows.weigh(sample_weight, where)
    number_of_rows = float(x.size // x.shape[rows.axes[0]])
    exactly = is_tally(request)
    counts = count_rows(number_of_rows, rows.row_weight, rows.kernel_mask, exactly=exactly)
    return rows.evaluate(request, loss, reduction, counts, y, DISTRIBUTION, True, parameters)
