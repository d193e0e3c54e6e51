"""Calls of the kernels that go over class axes."""

from __future__ import annotations

from math import nan
from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axes_last, class_axis
from fusedloss._core.kernels import ROWS, kernels
from fusedloss._core.labels import CLASS, DISTRIBUTION, NO_LABEL, outside_error
from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import outputs, result_tuple, unwrap_scalar
from fusedloss._core.parameters import integer
from fusedloss._core.reductions import class_weights, divisor_for, lifted, scale_of, value_result
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_classification: Final = kernels.families["classification"]


def class_scores(input: Any, axis: Any) -> tuple[Array, int, int, int]:
    """The input, its precision, its class axis, and the number of classes."""
    if axis is not None:
        axis = integer("axis", axis)
    x, precision = operand("input", input)
    axis = class_axis(x, axis)
    classes = x.shape[axis]
    if classes == 0:
        raise ValueError(f"input: shape {x.shape} has no classes along axis {axis}")
    return x, precision, axis, classes


class RowKernel:
    """A kernel over class axes; `in_double` says that it computes in float64 for any dtype."""

    __slots__ = ("family", "in_double", "name", "number")

    def __init__(self, name: str, in_double: bool = False) -> None:
        self.name = name
        self.in_double = in_double
        self.family, self.number = kernels.numbered(ROWS, "ROWS", name)


class Rows:
    """What a kernel is told: rows along some axes, which it has as the last ones.

    It begins with defaults, and a call sets what differs. What has input's shape has its axes.
    """

    __slots__ = (
        "axes",
        "class_weight",
        "grad",
        "hess",
        "ignored",
        "inputs",
        "item_weight",
        "kernel",
        "kind",
        "lse",
        "mask",
        "most",
        "order",
        "parameters",
        "precision",
        "row_weight",
        "scale",
        "summed",
        "target",
        "target_offset",
        "target_scale",
        "value",
        "x",
    )

    def __init__(self, kernel: RowKernel, x: Array, axes: tuple[int, ...], precision: int) -> None:
        self.kernel = kernel
        self.x = x
        self.axes = axes
        self.precision = precision  # of the operands, or-ed together
        self.inputs: tuple[Any, ...] = (x,)  # no buffer may share their memory
        self.parameters: tuple[float, ...] = ()
        self.target: Array | None = None
        self.kind: int = CLASS
        self.target_scale = 1.0  # of label smoothing
        self.target_offset = 0.0
        self.ignored = NO_LABEL
        self.most = nan  # targets must lie between 0 and this, unless it is nan
        self.mask: Array | None = None  # which elements there are
        self.item_weight: Array | None = None
        self.row_weight: Array | None = None
        self.class_weight: Array | None = None
        self.order = 0
        self.scale = 1.0  # of the derivatives
        self.summed = False
        self.value: Array | None = None
        self.grad: Array | None = None
        self.hess: Array | None = None
        self.lse: Array | None = None

    def weigh(self, sample_weight: Any, where: Any, shape: tuple[int, ...]) -> None:
        """Take the weights of the rows, which are of this shape, and the mask of the elements."""
        if sample_weight is not None:
            given, precision = operand("sample_weight", sample_weight)
            self.precision |= precision
            self.inputs += (given,)
            self.row_weight = broadcast("sample_weight", given, shape, "the rows")
        if where is not None:
            self.mask = broadcast("where", operand("where", where)[0], self.x.shape)
            self.inputs += (self.mask,)

    def weigh_classes(
        self,
        weight: Any,
        classes: int,
        shape: tuple[int, ...],
        name: str = "weight",
        one_for_all: bool = False,
    ) -> None:
        """Take the weights of the classes, after all other operands: their precision decides in
        which dtype the kernel has them."""
        given, precision = class_weights(name, weight, classes, one_for_all, shape)
        self.precision |= precision
        self.inputs += (given,)
        double = self.kernel.in_double or is_double(self.precision)
        self.class_weight = np.require(given, np.float64 if double else np.float32, ["C", "A"])

    @property
    def mask_of_rows(self) -> Array | None:
        """The mask with the class axes last."""
        return None if self.mask is None else axes_last(self.mask, self.axes)

    def run(self) -> float:
        """Call the kernel, which returns the sum of the values."""
        kernel, axes = self.kernel, self.axes
        x, target, mask, item_weight = self.x, self.target, self.mask, self.item_weight
        grad, hess = self.grad, self.hess
        threads = threads_for(x.size)
        if axes != (x.ndim - 1,):
            if target is not None and self.kind >= DISTRIBUTION:
                target = axes_last(target, axes)
            if grad is not None:
                grad = axes_last(grad, axes)
            if hess is not None:
                hess = axes_last(hess, axes)
            if mask is not None:
                mask = axes_last(mask, axes)
            if item_weight is not None:
                item_weight = axes_last(item_weight, axes)
            x = axes_last(x, axes)
        return kernel.family.rows(  # type: ignore[no-any-return]
            kernel.number,
            self.parameters,
            self.kind,
            self.order,
            kernel.in_double or is_double(self.precision),
            self.target_scale,
            self.target_offset,
            self.ignored,
            self.scale,
            self.summed,
            threads,
            len(axes),
            (
                x,
                target,
                self.row_weight,
                self.value,
                grad,
                hess,
                self.lse,
                mask,
                item_weight,
                self.class_weight,
            ),
            self.most,
        )

    def evaluate(
        self,
        request: Request,
        shape: tuple[int, ...],
        reduction: str,
        counts: tuple[float, float, float],
        *,
        accepted: str = "",
        in_place: bool = False,
        return_lse: bool = False,
    ) -> Any:
        """Outputs, kernel and reduction of a loss of rows of this shape.

        The counts are what "mean" divides by, the sum of the weights, and the number of those that
        are not 0.
        """
        order, out = request[0], request[1]
        reduced = reduction != "none"
        batch = self.x.shape if self.x.ndim > 1 else ()
        divisor, zero_if_empty = divisor_for(reduction, batch, *counts)
        double = is_double(self.precision)
        if order or return_lse or out is not None or not reduced:
            self.value, self.grad, self.hess = outputs(
                request, self.x, double, None if reduced else shape, self.inputs, in_place
            )
            if return_lse:
                self.lse = np.empty(shape, np.float64 if double else np.float32)
        scaled = divisor
        if self.row_weight is not None:
            self.row_weight, scaled = lifted(self.row_weight, divisor)
        elif self.class_weight is not None:
            self.class_weight, scaled = lifted(self.class_weight, divisor)
        self.order, self.summed = order, reduced
        self.scale = scale_of(scaled, zero_if_empty)
        try:
            total = self.run()
        except LookupError:
            raise self._outside_error(accepted) from None
        if self.value is not None and not self.x.size:
            self.value[...] = 0
        value = value_result(total, self.value, scaled, zero_if_empty, double, out)
        if return_lse:
            lse = unwrap_scalar(self.lse, None)
            return result_tuple(request, divisor, value, self.grad, self.hess, lse)
        return result_tuple(request, divisor, value, self.grad, self.hess)

    def _outside_error(self, accepted: str) -> ValueError:
        """What is wrong with a target that is outside of the domain and not left out."""
        assert self.target is not None
        shape = self.target.shape
        others = [x for x in (self.mask, self.item_weight) if x is not None]
        if self.row_weight is not None:
            others.append(np.broadcast_to(np.expand_dims(self.row_weight, self.axes), shape))
        if self.class_weight is not None:
            (axis,) = self.axes
            column = self.class_weight.reshape((-1,) + (1,) * (len(shape) - 1 - axis))
            others.append(np.broadcast_to(column, shape))
        position = _classification.find_outside(self.target, self.most, tuple(others))
        return outside_error("target", self.target, position, accepted)
