"""From the arguments of an activation over class axes to its kernel and back."""

from __future__ import annotations

from math import nan
from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axis_number, class_axis
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import NO_LABEL, TIMES_SOFTMAX, UPSTREAM
from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import (
    activation_output,
    derivative,
    output,
    unwrap_scalar,
    value_output,
)
from fusedloss._core.rows import RowKernel, move_axes
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array

_rows: Final = kernels.modules["rows"]
SOFTMAX: Final = RowKernel("softmax")
LOG_SOFTMAX: Final = RowKernel("log_softmax")
_CROSS_ENTROPY: Final = RowKernel("cross_entropy")
_LOGSUMEXP: Final = RowKernel("logsumexp")
_SIGNED_LOGSUMEXP: Final = RowKernel("signed_logsumexp")
_SIGNED_SOFTMAX: Final = RowKernel("signed_softmax")


def _run(
    kernel: RowKernel,
    x: Array,
    axes: tuple[int, ...],
    precision: int,
    *,
    order: int = 0,
    parameters: tuple[float, ...] = (),
    target: Array | None = None,
    kind: int = UPSTREAM,
    scale: float = 1.0,
    grad: Array | None = None,
    value: Array | None = None,
    lse: Array | None = None,
    mask: Array | None = None,
    item_weight: Array | None = None,
    row_weight: Array | None = None,
) -> None:
    """Call a kernel. What has input's shape has its axes, too."""
    arrays: tuple[Any, ...]
    arrays = (x, target, row_weight, value, grad, None, lse, mask, item_weight, None, None)
    if axes != (x.ndim - 1,):
        arrays = move_axes(arrays, axes, True)
    _rows.rows(
        kernel.number,
        parameters,
        kind,
        order,
        is_double(precision),
        1.0,
        0.0,
        NO_LABEL,
        scale,
        False,
        threads_for(x.size),
        len(axes),
        arrays,
        nan,
    )


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
    _run(kernel, _row(x), (axis,), precision, order=1, grad=_row(buffer), mask=_row(mask))
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
    _run(
        _CROSS_ENTROPY,
        _row(x),
        (axis,),
        precision,
        order=1,
        parameters=(0.0, 0.0),
        target=_row(dy),
        kind=TIMES_SOFTMAX if kernel is SOFTMAX else UPSTREAM,
        scale=-1.0,
        grad=_row(grad),
        mask=_row(mask),
    )
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


def _over(axes: tuple[int, ...], *arrays: Any) -> Any:
    """The axes, and what has input's shape. Over no axes each number is a row of its own."""
    if axes:
        return axes, *arrays
    return (arrays[0].ndim,), *(a if a is None else a[..., np.newaxis] for a in arrays)


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
        axes, x, factors, mask = _over(axes, x, factors, mask)
        rows, signs_of_rows = value, signs
        if keepdims and shape != without:
            rows = _dropped(value, axes)
            signs_of_rows = None if signs is None else _dropped(signs, axes)
        if factors is None and not return_sign:
            _run(_LOGSUMEXP, x, axes, precision, lse=rows, mask=mask)
        else:
            if factors is None:
                factors = np.broadcast_to(np.ones((), bool), x.shape)
            _run(
                _SIGNED_LOGSUMEXP,
                x,
                axes,
                precision,
                parameters=(float(return_sign),),
                lse=rows,
                value=signs_of_rows,
                mask=mask,
                item_weight=factors,
            )
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
    row_weight = _dropped(dy, axes) if keepdims else dy
    axes, x, to, factors, mask = _over(axes, x, grad, factors, mask)
    _run(
        kernel,
        x,
        axes,
        precision,
        order=1,
        grad=to,
        mask=mask,
        item_weight=factors,
        row_weight=row_weight,
    )
    return grad if grad_out is None else grad_out
