"""From the arguments of a class-axis loss or activation to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    broadcast,
    check_reduction,
    derivative,
    divisor,
    finish,
    integer,
    is_double,
    is_float,
    number,
    operand,
    outputs,
    packed,
    scale_of,
    shown,
    value_output,
)
from fusedloss._dispatch import get_num_threads, kernels
from fusedloss._elementwise import check_range

_CLASS: Final = kernels.TARGETS["class"]
_SMOOTHED_CLASS: Final = kernels.TARGETS["smoothed class"]
_DISTRIBUTION: Final = kernels.TARGETS["distribution"]
_TIMES_SOFTMAX: Final = kernels.TARGETS["times softmax"]
_LIST: Final = kernels.TARGETS["list"]

NO_LABEL: Final = -(2**63)
_NONE: Final = object()  # no ignore_index


def axis_number(x: Array, axis: Any, name: str = "input") -> int:
    """An axis of the input, counted from the front."""
    number = integer("axis", axis)
    if not -x.ndim <= number < x.ndim:
        raise ValueError(
            f"axis: {number} is out of range for {name} with {x.ndim} dimensions"
            + (f"; accepted: {-x.ndim} to {x.ndim - 1}" if x.ndim else "")
        )
    return number % x.ndim


def class_axis(x: Array, axis: Any) -> int:
    """The class axis, counted from the front: as given, or 1, or 0 for one dimension."""
    if x.ndim == 0:
        raise ValueError("input: at least one dimension is needed, the class axis")
    if axis is None:
        return 1 if x.ndim > 1 else 0
    return axis_number(x, axis)


def axes_last(array: Array, axes: tuple[int, ...]) -> Array:
    """A view with those axes at the end."""
    if axes == (array.ndim - 1,):
        return array
    return array.transpose([k for k in range(array.ndim) if k not in axes] + list(axes))


def shape_of_rows(x: Array, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without the class axes."""
    if len(axes) == 1:
        return x.shape[: axes[0]] + x.shape[axes[0] + 1 :]
    return tuple(n for k, n in enumerate(x.shape) if k not in axes)


def run(
    x: Array,
    axes: tuple[int, ...],
    loss: str,
    double: bool,
    parameters: tuple[float, ...] = (),
    target: Array | None = None,
    kind: int = _CLASS,
    order: int = 0,
    keep: float = 1.0,
    spread: float = 0.0,
    ignored: int = NO_LABEL,
    scale: float = 1.0,
    summed: bool = False,
    factor: Array | None = None,
    value: Array | None = None,
    grad: Array | None = None,
    hess: Array | None = None,
    lse: Array | None = None,
    weight: Array | None = None,
    mask: Array | None = None,
    item_weight: Array | None = None,
) -> float:
    """Call the kernel. `axes` are the class axes of what has input's shape."""
    if axes != (x.ndim - 1,):
        if target is not None and kind >= _DISTRIBUTION:
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
    function, number = kernels.ROWS[loss]
    return function(
        number,
        parameters,
        kind,
        order,
        double,
        keep,
        spread,
        ignored,
        scale,
        summed,
        get_num_threads() if x.size > SMALL else 1,
        len(axes),
        (x, target, factor, value, grad, hess, lse, mask, item_weight, weight),
    )


def labelled(
    request: Request,
    loss: str,
    input: Any,
    target: Any,
    *,
    weight: Any = None,
    weight_name: str = "weight",
    one_for_all: bool = False,
    ignore_index: Any = _NONE,
    label_smoothing: Any = 0.0,
    axis: int | None,
    reduction: str,
    parameters: tuple[float, ...] = (),
    probabilities: bool = True,
    by_distribution: bool = False,
    mean_by_weight: bool = True,
    in_double: bool = False,
    return_lse: bool = False,
) -> Any:
    """Evaluate a loss of class numbers, or also of probabilities, along a class axis.

    With `by_distribution` the kernel is told class numbers as distributions; with `in_double` it
    computes in float64 whatever the dtypes. The "mean" goes by the weights of the classes, or by
    the number of rows.
    """
    check_reduction(reduction)
    smoothing = number("label_smoothing", label_smoothing)
    if not 0 <= smoothing <= 1:
        raise ValueError(f"label_smoothing: a number from 0 to 1 is needed, got {smoothing}")
    ignored = NO_LABEL if ignore_index is _NONE else ignored_label(ignore_index)
    x, asks, axis, classes = scores(input, axis)
    row_shape = x.shape[:axis] + x.shape[axis + 1 :]
    t, more = operand("target", np.asarray(target) if type(target) in (int, bool) else target)
    t, kind = class_target(t, x, row_shape, probabilities)
    if kind == _DISTRIBUTION:
        asks |= more
        if ignored >= 0:
            raise ValueError(
                f"ignore_index: {ignored} has no meaning where target holds probabilities"
            )
    elif smoothing or by_distribution:
        kind = _SMOOTHED_CLASS
    given, w, double = weight_of_classes(weight, classes, asks, weight_name, one_for_all, in_double)
    if not (double or in_double):
        check_range(loss, parameters)
    if kind == _DISTRIBUTION:
        rows = weights = nonzero = float(x.size // classes)
    else:
        rows, weights, nonzero, bad = kernels.scan_labels(t, classes, ignored, w)
        if bad < 0 and ignore_index is _NONE and rows < t.size:
            bad = int(np.argmax(t == NO_LABEL))
        if bad >= 0:
            raise label_error(t, bad, classes, ignored)
    batch = x.shape[0] if x.ndim > 1 else 1
    mean = weights if mean_by_weight else rows
    return reduced_rows(
        request,
        loss,
        x,
        (axis,),
        double,
        reduction,
        divisor(reduction, mean, batch, weights, nonzero),
        (x, t, given),
        t,
        kind,
        w,
        parameters,
        1.0 - smoothing,
        smoothing / classes,
        ignored,
        in_double,
        return_lse,
    )


def class_target(
    t: Array, x: Array, row_shape: tuple[int, ...], probabilities: bool
) -> tuple[Array, int]:
    """The target, and whether it holds class numbers or probabilities."""
    if t.size == 0 and t.shape == row_shape:  # an empty list is an array of floats
        return t.astype(np.int64), _CLASS
    if is_float(t.dtype):
        if probabilities and t.shape == x.shape:
            return t, _DISTRIBUTION
    elif t.shape == row_shape:
        return t, _CLASS
    elif x.ndim == 1 and t.shape == (1,):
        return t.reshape(()), _CLASS
    accepted = f"class numbers of an integer dtype and shape {row_shape}"
    if probabilities:
        accepted += f", or probabilities of a floating dtype and input's shape, {x.shape}"
    error = ValueError if t.shape not in (row_shape, x.shape) else TypeError
    raise error(f"target: {accepted} are needed; got dtype {t.dtype}, shape {t.shape}")


def ignored_label(ignore_index: Any) -> int:
    ignored = integer("ignore_index", ignore_index)
    if not -(2**63) <= ignored < 2**63:
        raise ValueError(f"ignore_index: a 64-bit integer is needed, got {ignored}")
    return ignored


def label_error(t: Array, bad: int, classes: int, ignored: int) -> IndexError:
    position = np.unravel_index(bad, t.shape)
    where = ", ".join(str(int(i)) for i in position)
    return IndexError(
        f"target: the class at [{where}] is {int(t[position])}; accepted are 0 to {classes - 1}"
        + (f", and ignore_index, which is {ignored}" if ignored != NO_LABEL else "")
    )


def scores(input: Any, axis: Any) -> tuple[Array, int, int, int]:
    """The input, what its dtype asks for, its class axis, and the number of classes."""
    if axis is not None:
        axis = integer("axis", axis)
    x, asks = operand("input", input)
    axis = class_axis(x, axis)
    classes = x.shape[axis]
    if classes == 0:
        raise ValueError(f"input: shape {x.shape} has no classes along axis {axis}")
    return x, asks, axis, classes


def weight_of_classes(
    weight: Any,
    classes: int,
    asks: int,
    name: str = "weight",
    one_for_all: bool = False,
    in_double: bool = False,
) -> tuple[Array | None, Array | None, bool]:
    """The weight as given, as the kernel takes it, and whether the results are float64."""
    if weight is None:
        return None, None, is_double(asks)
    given, more = operand(name, weight)
    if one_for_all and given.ndim == 0:
        given = np.broadcast_to(given, (classes,))
    if given.shape != (classes,):
        either = "a number, or one" if one_for_all else "one number"
        raise ValueError(
            f"{name}: {either} for each of the {classes} classes is needed, shape ({classes},), "
            f"got shape {given.shape}"
        )
    double = is_double(asks | more)
    dtype = np.float64 if double or in_double else np.float32
    return given, np.require(given, dtype, ["C", "A"]), double


def reduced_rows(
    request: Request,
    loss: str,
    x: Array,
    axes: tuple[int, ...],
    double: bool,
    reduction: str,
    by: tuple[float, bool],
    inputs: tuple[Any, ...],
    target: Array,
    kind: int,
    weight: Array | None = None,
    parameters: tuple[float, ...] = (),
    keep: float = 1.0,
    spread: float = 0.0,
    ignored: int = NO_LABEL,
    in_double: bool = False,
    return_lse: bool = False,
    factor: Array | None = None,
    mask: Array | None = None,
    item_weight: Array | None = None,
) -> Any:
    """Outputs, kernel and reduction of a loss over class axes; `by` is what divides.

    It and `run` are called with many arguments by position: by keyword they take a microsecond.
    """
    order, out = request[0], request[1]
    reduced = reduction != "none"
    value = grad = hess = lse = None
    if order or return_lse or out is not None or not reduced:
        row_shape = shape_of_rows(x, axes)
        value, grad, hess = outputs(request, x, double, None if reduced else row_shape, inputs)
        if return_lse:
            lse = np.empty(row_shape, np.float64 if double else np.float32)
    total = run(
        x,
        axes,
        loss,
        double or in_double,
        parameters,
        target,
        kind,
        order,
        keep,
        spread,
        ignored,
        scale_of(*by),
        reduced,
        factor,
        value,
        grad,
        hess,
        lse,
        weight,
        mask,
        item_weight,
    )
    if value is not None and not x.size:
        value[...] = 0
    result = finish(total, *by, double, out) if reduced else shown(value, out)
    if return_lse:
        return packed(request, by[0], result, grad, hess, shown(lse, None))
    return packed(request, by[0], result, grad, hess)


def listed(
    request: Request, loss: str, input: Any, target: Any, *, axis: int | None, reduction: str
) -> Any:
    """Evaluate a loss of lists of class numbers along the class axis."""
    check_reduction(reduction)
    x, asks, axis, classes = scores(input, axis)
    t, _ = operand("target", target)
    if t.size == 0 and t.shape == x.shape:
        t = t.astype(np.int64)
    if t.shape != x.shape or is_float(t.dtype):
        raise (ValueError if t.shape != x.shape else TypeError)(
            "target: lists of class numbers of an integer dtype and input's shape, "
            f"{x.shape}, are needed; got dtype {t.dtype}, shape {t.shape}"
        )
    lists = axes_last(t, (axis,))
    bad = kernels.scan_lists(lists)
    if bad >= 0:
        place = list(map(int, np.unravel_index(bad, lists.shape)))
        label = int(lists[tuple(place)])
        place.insert(axis, place.pop())
        raise IndexError(
            f"target: the class at [{', '.join(map(str, place))}] is {label}; accepted are 0 to "
            f"{classes - 1}, and -1, which ends a list"
        )
    rows = float(x.size // classes)
    batch = x.shape[0] if x.ndim > 1 else 1
    return reduced_rows(
        request,
        loss,
        x,
        (axis,),
        is_double(asks),
        reduction,
        divisor(reduction, rows, batch, rows, rows),
        (x, t),
        target=t,
        kind=_LIST,
    )


def of_all_classes(
    request: Request,
    loss: str,
    input: Any,
    target: Any,
    *,
    weight: Any,
    axis: int,
    reduction: str,
) -> Any:
    """Evaluate a loss of a number for each class."""
    check_reduction(reduction)
    x, asks, axis, classes = scores(input, -1 if axis is None else axis)
    t, more = operand("target", target)
    t = broadcast("target", t, x.shape)
    class_weight, w, double = weight_of_classes(weight, classes, asks | more)
    rows = float(x.size // classes)
    weights = nonzero = rows
    if w is not None and reduction in ("weighted_mean", "sum_by_nonzero_weights"):
        total, count = kernels.scan_weights(w)
        weights, nonzero = rows * (total / classes), rows * (count / classes)
    batch = x.shape[0] if x.ndim > 1 else 1
    return reduced_rows(
        request,
        loss,
        x,
        (axis,),
        double,
        reduction,
        divisor(reduction, rows, batch, weights, nonzero),
        (x, t, class_weight),
        target=t,
        kind=_DISTRIBUTION,
        weight=w,
    )


# ---- activations -------------------------------------------------------------------


def normalised(name: str, input: Any, axis: int | None, out: Any) -> Array:
    """softmax or log_softmax."""
    x, asks = operand("input", input)
    axis = class_axis(x, axis)
    double = is_double(asks)
    buffer = value_output(out, x.shape, double, (x,), x)
    run(x, (axis,), name, double, order=1, grad=buffer)
    return shown(buffer, out)  # type: ignore[no-any-return]


def carry_back(name: str, input: Any, grad_output: Any, axis: int | None, grad_out: Any) -> Array:
    """The gradient through softmax or log_softmax.

    Cross entropy is -Σ τ log_softmax(x), so its gradient with τ = grad_output is what log_softmax
    carries back, but for the sign; with τ = softmax(x) · grad_output it is what softmax does.
    """
    x, asks = operand("input", input)
    axis = class_axis(x, axis)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    double = is_double(asks | more)
    grad = derivative("grad_out", grad_out, x, double, (x, dy))
    kind = _TIMES_SOFTMAX if name == "softmax" else _DISTRIBUTION
    run(
        x,
        (axis,),
        "cross_entropy",
        double,
        parameters=(0.0, 0.0),
        target=dy,
        kind=kind,
        order=1,
        scale=-1.0,
        grad=grad,
    )
    return grad if grad_out is None else grad_out


def _reduced(x: Array, axis: Any) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """The axes that logsumexp goes over, and the result's shape without and with them."""
    if axis is None:
        axes = tuple(range(x.ndim))
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


def logsumexp(input: Any, axis: Any, keepdims: bool, out: Any) -> Any:
    x, asks = operand("input", input)
    axes, without, kept = _reduced(x, axis)
    double = is_double(asks)
    shape = kept if keepdims else without
    value: Any = value_output(out, shape, double, (x,))
    if x.size:
        rows = _dropped(value, axes) if keepdims else value
        run(x, axes, "logsumexp", double, lse=rows)
    else:
        value[...] = -np.inf
    return shown(value, out)


def logsumexp_carry_back(
    input: Any, grad_output: Any, axis: Any, keepdims: bool, grad_out: Any
) -> Array:
    """softmax over the same axes, times the row's number in `grad_output`."""
    x, asks = operand("input", input)
    axes, without, kept = _reduced(x, axis)
    dy, more = operand("grad_output", grad_output)
    shape = kept if keepdims else without
    dy = broadcast("grad_output", dy, shape, "the result")
    double = is_double(asks | more)
    grad = derivative("grad_out", grad_out, x, double, (x, dy))
    factor = _dropped(dy, axes) if keepdims else dy
    run(x, axes, "softmax", double, order=1, factor=factor, grad=grad)
    return grad if grad_out is None else grad_out
