"""Losses of rows: what lies along one or more axes of the input, such as the classes."""

from __future__ import annotations

from math import nan
from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axes_last, class_axis, without_axes
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import CLASS, DISTRIBUTION, NO_LABEL, SMOOTHED_CLASS, outside_error
from fusedloss._core.operands import broadcast, common_shape, contiguous, is_double, operand
from fusedloss._core.outputs import derivative, outputs, result_tuple, unwrap_scalar
from fusedloss._core.parameters import integer
from fusedloss._core.reductions import (
    class_weights,
    divisor_for,
    lifted,
    product_of,
    scale_of,
    value_result,
)
from fusedloss._core.tallies import take_tally
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_rows: Final = kernels.modules["rows"]
_labels: Final = kernels.modules["labels"]


class RowKernel:
    """A kernel over rows. `accepted` says what a target may be that is not a class number;
    `in_double` that it computes in float64 for any dtype."""

    __slots__ = ("accepted", "in_double", "linear", "name", "number")

    def __init__(self, name: str, accepted: str = "", in_double: bool = False) -> None:
        self.name = name
        self.accepted = accepted
        self.in_double = in_double
        self.linear = name == "nll"  # so its Hessian is 0, and has no kernel
        self.number: int = kernels.number("rows", "ROWS", name)


class Rows:
    """The operands of a loss of rows. What has input's shape has its axes, too."""

    __slots__ = (
        "axes",
        "class_weight",
        "direction",
        "inputs",
        "item_weight",
        "kernel_mask",
        "like",
        "mask",
        "precision",
        "row_weight",
        "value_axes",
        "x",
    )

    def __init__(
        self, x: Array, axes: tuple[int, ...], precision: int, like: Array | None = None
    ) -> None:
        self.x = x
        self.like = x if like is None else like  # as given: of one number perhaps without axes
        self.axes = axes
        self.precision = precision  # of the operands, or-ed together
        self.inputs: tuple[Any, ...]  # no buffer may share their memory
        self.mask: Array | None = None  # which elements there are
        self.kernel_mask: Array | None = None  # the same with the axes of the rows as the last ones
        self.item_weight: Array | None = None
        self.row_weight: Array | None = None
        self.class_weight: Array | None = None
        self.value_axes = 0  # of the elements that an option with a number for each value lacks
        self.direction: Array | None = None  # what the Hessian is multiplied by

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the values: a number for each row."""
        return without_axes(self.x, self.axes)

    def weigh(self, sample_weight: Any, where: Any) -> None:
        """Take the weights of the rows, and the mask of the elements."""
        if sample_weight is not None:
            given, precision = operand("sample_weight", sample_weight)
            self.precision |= precision
            self.inputs += (given,)
            of_rows = broadcast("sample_weight", given, self.shape, "the rows")
            of_values = self.row_weight
            if of_values is not None:
                of_rows = product_of(self.shape, [of_values, of_rows])
            self.row_weight = of_rows
        if where is not None:
            self.mask = broadcast("where", operand("where", where)[0], self.x.shape)
            self.kernel_mask = axes_last(self.mask, self.axes)
            self.inputs += (self.mask,)

    def direct(self, v: Any) -> None:
        """Take what the Hessian is multiplied by."""
        given, precision = operand("v", v)
        self.precision |= precision
        self.inputs += (given,)
        self.direction = broadcast("v", given, self.x.shape)

    def weigh_values(self, weight: Any) -> None:
        """Take weights of the values, before those of the rows."""
        given, precision = operand("weight", weight)
        self.precision |= precision
        self.inputs += (given,)
        self.row_weight = broadcast("weight", given, self.shape, "the values")
        self.value_axes = len(self.axes)

    def weigh_items(self, weight: Any) -> bool:
        """Take weights of all elements that broadcast up to them; whether it is such, rather than a
        number for each class."""
        given, precision = operand("weight", weight)
        shape = self.x.shape
        if given.shape == (shape[self.axes[0]],) or common_shape(given.shape, shape) != shape:
            return False
        self.precision |= precision
        self.inputs += (given,)
        self.item_weight = np.broadcast_to(given, shape)
        return True

    def weigh_classes(
        self,
        loss: RowKernel,
        weight: Any,
        shape: tuple[int, ...],
        name: str = "weight",
        one_for_all: bool = False,
    ) -> None:
        """Take the weights of the classes, after all other operands: their precision decides in
        which dtype the kernel has them."""
        classes = self.x.shape[self.axes[0]]
        given, precision = class_weights(name, weight, classes, one_for_all, shape)
        self.precision |= precision
        self.inputs += (given,)
        double = loss.in_double or is_double(self.precision)
        self.class_weight = contiguous(given, np.float64 if double else np.float32)

    def evaluate(
        self,
        request: Request,
        loss: RowKernel,
        reduction: str,
        counts: tuple[Any, Any, Any],
        target: Array,
        kind: int,
        in_place: bool,
        parameters: tuple[float, ...] = (),
        most: float = nan,
        ignored: int = NO_LABEL,
        target_scale: float = 1.0,
        target_offset: float = 0.0,
        return_lse: bool = False,
    ) -> Any:
        """Outputs, kernel and reduction.

        The counts are what "mean" divides by, the sum of the weights, and the number of those that
        are not 0; for a tally exact ones. Targets must lie between 0 and `most`, unless that is
        nan.
        """
        request, tally = take_tally(request)
        order, out = request[0], request[1]
        x, axes = self.x, self.axes
        double = is_double(self.precision)
        reduced = reduction != "none"
        batch = x.shape if x.ndim > 1 else ()
        if tally is None:
            divisor, zero_if_empty = divisor_for(reduction, batch, *counts)
        else:
            tally.begin(counts, double, x.shape, axes, self.value_axes)
            divisor, zero_if_empty = tally.divisor
            reduced = True
        value = grad = hess = lse = None
        direction = self.direction
        if direction is not None:
            if return_lse:
                raise ValueError("return_lse: hvp returns nothing but the product")
            grad = derivative("hvp_out", request[2], x, double, self.inputs)
            order, reduced = (0 if loss.linear else 1), False
            if kind == CLASS:
                kind = SMOOTHED_CLASS
        elif order or return_lse or out is not None or not reduced:
            shape = self.shape
            value, grad, hess = outputs(
                request, self.like, double, None if reduced else shape, self.inputs, in_place
            )
            if return_lse:
                lse = np.empty(shape, np.float64 if double else np.float32)
        row_weight, class_weight, scaled = self.row_weight, self.class_weight, divisor
        mask, item_weight = self.mask, self.item_weight
        if tally is not None:
            pass
        elif row_weight is not None:
            row_weight, scaled = lifted(row_weight, divisor)
        elif class_weight is not None:
            class_weight, scaled = lifted(class_weight, divisor)
        elif item_weight is not None:
            item_weight, scaled = lifted(item_weight, divisor)
        slope, curvature = grad, hess
        if self.like is not x:
            slope, curvature = (a if a is None else a.reshape(x.shape) for a in (grad, hess))
        arrays: tuple[Any, ...]
        arrays = (x, target, row_weight, value, slope, curvature, lse, mask, item_weight, direction)
        if loss.linear and direction is not None:
            arrays = (x, target, row_weight, *(None,) * 4, mask, item_weight, None)
        arrays = (*arrays, class_weight)
        if axes != (x.ndim - 1,):
            arrays = move_axes(arrays, axes, kind >= DISTRIBUTION)
        try:
            total = _rows.rows(
                loss.number,
                parameters,
                kind,
                order,
                double or loss.in_double,
                target_scale,
                target_offset,
                ignored,
                scale_of(scaled, zero_if_empty) if order else 1.0,
                reduced,
                threads_for(x.size),
                len(axes),
                arrays,
                most,
                request[5],
                None if tally is None else tally.sum,
            )
        except LookupError:
            position = self.find_outside(target, most)
            raise outside_error("target", target, position, loss.accepted) from None
        if direction is not None:
            product: Any = grad
            if loss.linear:
                product[...] = 0
            return product if request[2] is None else request[2]
        if tally is not None:
            return (tally, grad) if order else tally
        if value is not None and not x.size:
            value[...] = 0
        result = value_result(total, value, scaled, zero_if_empty, double, out)
        if return_lse:
            return result_tuple(request, divisor, result, grad, hess, unwrap_scalar(lse, None))
        return result_tuple(request, divisor, result, grad, hess)

    def find_outside(self, target: Array, most: float) -> int:
        """Where the first target is that is outside of the domain and not left out; -1: none."""
        shape = target.shape
        others = [x for x in (self.mask, self.item_weight) if x is not None]
        if self.row_weight is not None:
            others.append(np.broadcast_to(np.expand_dims(self.row_weight, self.axes), shape))
        if self.class_weight is not None:
            (axis,) = self.axes
            column = self.class_weight.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
            others.append(np.broadcast_to(column, shape))
        position: int = _labels.find_outside(target, most, tuple(others))
        return position


def rows_of_classes(input: Any, axis: Any, one_number: bool = False) -> Rows:
    """The rows along the class axis: 1 by default, or 0 for one dimension. With `one_number` that
    may be one class without an axis."""
    if axis is not None:
        axis = integer("axis", axis)
    x, precision = operand("input", input)
    if one_number and x.ndim == 0:
        row = x.reshape(1)
        return Rows(row, (class_axis(row, axis),), precision, x)
    axis = class_axis(x, axis)
    if x.shape[axis] == 0:
        raise ValueError(f"input: shape {x.shape} has no classes along axis {axis}")
    return Rows(x, (axis,), precision)


def move_axes(arrays: tuple[Any, ...], axes: tuple[int, ...], target_too: bool) -> tuple[Any, ...]:
    """The kernel's arrays, those of input's shape with the axes of the rows as the last ones. Class
    numbers have no such axis."""
    x, target, row_weight, value, grad, hess, lse, mask, item_weight, direction, class_weight = (
        arrays
    )
    if target is not None and target_too:
        target = axes_last(target, axes)
    if grad is not None:
        grad = axes_last(grad, axes)
    if hess is not None:
        hess = axes_last(hess, axes)
    if mask is not None:
        mask = axes_last(mask, axes)
    if item_weight is not None:
        item_weight = axes_last(item_weight, axes)
    if direction is not None:
        direction = axes_last(direction, axes)
    x = axes_last(x, axes)
    return x, target, row_weight, value, grad, hess, lse, mask, item_weight, direction, class_weight
