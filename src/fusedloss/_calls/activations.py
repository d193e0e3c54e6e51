"""From the arguments of an activation over class axes to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axis_number, class_axis
from fusedloss._core.labels import TIMES_SOFTMAX, UPSTREAM
from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import (
    activation_output,
    derivative,
    output,
    unwrap_scalar,
    value_output,
)
from fusedloss._core.rows import RowKernel, Rows
from fusedloss._core.types import Array

SOFTMAX: Final = RowKernel("softmax")
LOG_SOFTMAX: Final = RowKernel("log_softmax")
_CROSS_ENTROPY: Final = RowKernel("cross_entropy")
_LOGSUMEXP: Final = RowKernel("logsumexp")
_SIGNED_LOGSUMEXP: Final = RowKernel("signed_logsumexp")
_SIGNED_SOFTMAX: Final = RowKernel("signed_softmax")


def _class_axis_of(x: Array, axis: Any) -> int:
    """The class axis of an activation. What has no dimensions is a row of one class."""
    if x.ndim:
        return class_axis(x, axis)
    return 0 if axis is None or axis == () else axis_number(x.reshape(1), axis)


def _row(array: Array | None) -> Any:
    """What has no dimensions as a row of one class."""
    return array if array is None or array.ndim else array.reshape(1)


def _mask_of(where: Any, shape: tuple[int, ...]) -> Array | None:
    return None if where is None else broadcast("where", operand("where", where)[0], shape)


def normalised(kernel: RowKernel, input: Any, axis: int | None, where: Any, out: Any) -> Array:
    """softmax or log_softmax."""
    x, precision = operand("input", input)
    axis = _class_axis_of(x, axis)
    mask = _mask_of(where, x.shape)
    if out is None:
        buffer = activation_output(None, x, is_double(precision))
    else:
        buffer = output("out", out, x.shape, (x, mask), x)
    rows = Rows(kernel, _row(x), (axis,), precision)
    rows.order, rows.grad, rows.mask = 1, _row(buffer), _row(mask)
    rows.run()
    return unwrap_scalar(buffer, out)  # type: ignore[no-any-return]


def normalised_vjp(
    kernel: RowKernel, input: Any, grad_output: Any, axis: int | None, where: Any, grad_out: Any
) -> Array:
    """The gradient through softmax or log_softmax.

    Cross entropy is -Σ τ log_softmax(x), so its gradient with τ = grad_output is what log_softmax
    carries back, but for the sign; with τ = softmax(x) · grad_output it is what softmax does.
    """
    x, precision = operand("input", input)
    axis = _class_axis_of(x, axis)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    precision |= more
    mask = _mask_of(where, x.shape)
    grad = derivative("grad_out", grad_out, x, is_double(precision), (x, dy, mask), x)
    rows = Rows(_CROSS_ENTROPY, _row(x), (axis,), precision)
    rows.parameters = (0.0, 0.0)
    rows.target, rows.kind = _row(dy), TIMES_SOFTMAX if kernel is SOFTMAX else UPSTREAM
    rows.order, rows.scale = 1, -1.0
    rows.grad, rows.mask = _row(grad), _row(mask)
    rows.run()
    return grad if grad_out is None else grad_out


# ---- logsumexp ---------------------------------------------------------------------


def _reduced(x: Array, axis: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The axes that logsumexp goes over, and the result's shape without and with them."""
    if axis is None:
        axes = tuple(range(x.ndim))
    elif x.ndim == 0:
        axes = ()
        if axis != ():
            axis_number(x.reshape(1), axis)
    else:
        axes = tuple(axis_number(x, a) for a in (axis if isinstance(axis, tuple) else (axis,)))
    if len(set(axes)) != len(axes):
        raise ValueError(f"axis: {axis} names an axis twice")
    without = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    kept = tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    return axes, without, kept


def _dropped(array: Array, axes: tuple[int, ...]) -> Array:
    """A view without those axes of length 1."""
    return array[(*(0 if k in axes else slice(None) for k in range(array.ndim)), ...)]


def _rows_over(
    kernel: RowKernel,
    axes: tuple[int, ...],
    precision: int,
    x: Array,
    factors: Array | None,
    mask: Array | None,
    grad: Array | None = None,
) -> Rows:
    """Over no axes each number is a row of its own."""
    if not axes:
        axes, x = (x.ndim,), x[..., np.newaxis]
        factors, mask, grad = (
            a if a is None else a[..., np.newaxis] for a in (factors, mask, grad)
        )
    rows = Rows(kernel, x, axes, precision)
    rows.item_weight, rows.mask, rows.grad = factors, mask, grad
    return rows


def _factors_of(b: Any, shape: tuple[int, ...]) -> tuple[Array | None, int]:
    """The factors of the exponentials, and their precision."""
    if b is None:
        return None, 0
    factors, precision = operand("b", b)
    return broadcast("b", factors, shape), precision


def logsumexp(
    input: Any, axis: Any, keepdims: bool, b: Any, where: Any, return_sign: bool, out: Any
) -> Any:
    x, precision = operand("input", input)
    axes, without, kept = _reduced(x, axis)
    mask = _mask_of(where, x.shape)
    factors, more = _factors_of(b, x.shape)
    precision |= more
    double = is_double(precision)
    shape = kept if keepdims else without
    value: Any = value_output(out, shape, double, (x, factors, mask))
    signs: Any = np.empty(shape, np.float64 if double else np.float32) if return_sign else None
    if x.size:
        signed = factors is not None or return_sign
        if signed and factors is None:
            factors = np.broadcast_to(np.ones((), bool), x.shape)
        kernel = _SIGNED_LOGSUMEXP if signed else _LOGSUMEXP
        rows = _rows_over(kernel, axes, precision, x, factors, mask)
        rows.lse, rows.value = value, signs
        if keepdims and shape != without:
            rows.lse = _dropped(value, rows.axes)
            rows.value = None if signs is None else _dropped(signs, rows.axes)
        if signed:
            rows.parameters = (float(return_sign),)
        rows.run()
    else:
        value[...] = -np.inf
        if return_sign:
            signs[...] = 0
    result = unwrap_scalar(value, out)
    return (result, unwrap_scalar(signs, None)) if return_sign else result


def logsumexp_vjp(
    input: Any, grad_output: Any, axis: Any, keepdims: bool, b: Any, where: Any, grad_out: Any
) -> Array:
    """softmax over the same axes, times the row's number in `grad_output`."""
    x, precision = operand("input", input)
    axes, without, kept = _reduced(x, axis)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, kept if keepdims else without, "the result")
    precision |= more
    mask = _mask_of(where, x.shape)
    factors, more = _factors_of(b, x.shape)
    precision |= more
    double = is_double(precision)
    grad = derivative("grad_out", grad_out, x, double, (x, dy, factors, mask), x)
    kernel = SOFTMAX if factors is None else _SIGNED_SOFTMAX
    rows = _rows_over(kernel, axes, precision, x, factors, mask, grad)
    rows.order = 1
    rows.row_weight = _dropped(dy, axes) if keepdims else dy
    rows.run()
    return grad if grad_out is None else grad_out
