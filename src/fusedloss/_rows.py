"""From the arguments of a class-axis loss or activation to its kernel and back."""

from __future__ import annotations

from math import nan
from typing import Any, Final

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    activation_output,
    broadcast,
    check_reduction,
    derivative,
    divisor,
    finish,
    integer,
    is_double,
    is_float,
    lifted,
    number,
    operand,
    output,
    outputs,
    outside_error,
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
_UPSTREAM: Final = kernels.TARGETS["upstream"]
_TIMES_SOFTMAX: Final = kernels.TARGETS["times softmax"]
_LIST: Final = kernels.TARGETS["list"]

NO_LABEL: Final = -(2**63)
_NONE: Final = object()  # no ignore_index

#: Probabilities may be so large: 1, and a rounding error of bfloat16.
_MOST: Final = 1 + 2.0**-7
#: Multilabel margins of so many classes can be computed in place.
_IN_ONE_PIECE: Final = 512


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
    most: float = nan,
) -> float:
    """Call the kernel. `axes` are the class axes of what has input's shape. Targets must lie
    between 0 and `most`, unless that is nan: LookupError(1, position) says which does not."""
    function, number = kernels.ROWS[loss]
    threads = get_num_threads() if x.size > SMALL else 1
    given = target
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
    arrays = (x, target, factor, value, grad, hess, lse, mask, item_weight, weight)
    try:
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
            threads,
            len(axes),
            arrays,
            most,
        )
    except LookupError:
        assert given is not None
        others = []
        for array, own in ((mask, axes), (item_weight, axes), (factor, ()), (weight, None)):
            if array is not None:
                others.append(_at_shape(array, given, axes, own))
        raise LookupError(1, kernels.find_outside(given, most, tuple(others))) from None


def _at_shape(
    array: Array, like: Array, axes: tuple[int, ...], own: tuple[int, ...] | None
) -> Array:
    """An operand of the kernel at the shape of the target as it was given: one of that shape with
    the class axes last, one number for each row, or (None) for each class."""
    if own == axes:
        return array.transpose(_order_of(like.ndim, axes)) if len(axes) else array
    if own is not None:
        return np.broadcast_to(np.expand_dims(array, axes), like.shape)
    axis = axes[0]
    return np.broadcast_to(array.reshape((-1,) + (1,) * (like.ndim - 1 - axis)), like.shape)


def _order_of(ndim: int, axes: tuple[int, ...]) -> list[int]:
    """Undo axes_last."""
    last = [k for k in range(ndim) if k not in axes] + list(axes)
    return [last.index(k) for k in range(ndim)]


def rows_that_count(
    x: Array, axis: int, sample_weight: Any, where: Any
) -> tuple[Array | None, Array | None, int, Array | None, Array | None]:
    """The weights of rows as given and as broadcast, what their dtype asks for, and the mask of
    classes as broadcast and with the classes last; None for what is not given."""
    given = factor = mask = left = None
    asks = 0
    if sample_weight is not None:
        given, factor, asks = weight_of_rows(sample_weight, shape_of_rows(x, (axis,)))
    if where is not None:
        mask = broadcast("where", operand("where", where)[0], x.shape)
        left = axes_last(mask, (axis,))
    return given, factor, asks, mask, left


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
    sample_weight: Any = None,
    where: Any = None,
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
    some_ignored = ignore_index is not _NONE
    ignored = ignored_label(ignore_index) if some_ignored else NO_LABEL
    x, asks, axis, classes = scores(input, axis)
    row_shape = shape_of_rows(x, (axis,))
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
    given_factor, factor, more, mask, left = rows_that_count(x, axis, sample_weight, where)
    asks |= more
    given, w, double = weight_of_classes(
        weight, classes, asks, weight_name, one_for_all, in_double, row_shape
    )
    if not (double or in_double):
        check_range(loss, parameters)
    if kind == _DISTRIBUTION:
        rows, products, nonzero = count_rows(float(x.size // classes), factor, left)
        weights = rows
    else:
        rows, weights, products, nonzero, bad = kernels.scan_rows(
            t, classes, ignored, w, factor, left, some_ignored
        )
        if bad >= 0:
            raise label_error(t, bad, classes, ignored if some_ignored else None)
    batch = x.shape[0] if x.ndim > 1 else 1
    mean = weights if mean_by_weight else rows
    return reduced_rows(
        request,
        loss,
        x,
        (axis,),
        double,
        reduction,
        divisor(reduction, mean, batch, products, nonzero),
        (x, t, given, given_factor, where if mask is None else mask),
        t,
        kind,
        w,
        parameters,
        1.0 - smoothing,
        smoothing / classes,
        ignored,
        in_double,
        return_lse,
        factor,
        mask,
        None,
        _MOST if kind == _DISTRIBUTION else nan,
        "probabilities from 0 to 1",
        True,
    )


def weight_of_rows(sample_weight: Any, shape: tuple[int, ...]) -> tuple[Array, Array, int]:
    """Weights of the rows as given and as the kernel takes them, and what their dtype asks for."""
    given, asks = operand("sample_weight", sample_weight)
    return given, broadcast("sample_weight", given, shape, "the rows"), asks


def count_rows(
    rows: float, factor: Array | None, lists: Array | None, weight: Array | None = None
) -> tuple[float, float, float]:
    """Of rows that have no class numbers: how many count, the sum of their weights, how many of
    these are not 0. A row of which the mask leaves nothing does not count. With weights of the
    classes a row has the mean of those that are left."""
    if lists is not None:
        wide = None if weight is None else np.require(weight, np.float64, ["C", "A"])
        scan = kernels.family("ranking").scan_lists_left
        return scan(lists, factor, wide)  # type: ignore[no-any-return]
    weights = nonzero = rows
    if factor is not None:
        weights, nonzero = kernels.scan_weights(factor)
    if weight is not None:
        total, count = kernels.scan_weights(weight)
        weights, nonzero = weights * (total / weight.size), nonzero * (count / weight.size)
    return rows, weights, nonzero


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
    # Labels may be booleans, and so may this.
    ignored = integer(
        "ignore_index", int(ignore_index) if type(ignore_index) is bool else ignore_index
    )
    if not -(2**63) <= ignored < 2**63:
        raise ValueError(f"ignore_index: a 64-bit integer is needed, got {ignored}")
    return ignored


def label_error(t: Array, bad: int, classes: int, ignored: int | None) -> IndexError:
    position = np.unravel_index(bad, t.shape)
    place = ", ".join(str(int(i)) for i in position)
    label = int(t[position])
    if 0 <= label < classes:
        return IndexError(
            f"target: the class at [{place}] is {label}, which `where` leaves out; accepted are "
            "the classes that it does not leave out"
        )
    return IndexError(
        f"target: the class at [{place}] is {label}; accepted are 0 to {classes - 1}"
        + (f", and ignore_index, which is {ignored}" if ignored is not None else "")
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
    row_shape: tuple[int, ...] | None = None,
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
            + ("; weights of the rows are sample_weight=" if given.shape == row_shape else "")
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
    most: float = nan,
    accepted: str | None = None,
    in_place: bool = False,
) -> Any:
    """Outputs, kernel and reduction of a loss over class axes; `by` is what divides.

    It and `run` are called with many arguments by position: by keyword they take a microsecond.
    """
    order, out = request[0], request[1]
    reduced = reduction != "none"
    value = grad = hess = lse = None
    if order or return_lse or out is not None or not reduced:
        row_shape = shape_of_rows(x, axes)
        value, grad, hess = outputs(
            request, x, double, None if reduced else row_shape, inputs, in_place
        )
        if return_lse:
            lse = np.empty(row_shape, np.float64 if double else np.float32)
    divided = by[0]
    if factor is not None:
        factor, divided = lifted(factor, divided)
    elif weight is not None:
        weight, divided = lifted(weight, divided)
    try:
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
            scale_of(divided, by[1]),
            reduced,
            factor,
            value,
            grad,
            hess,
            lse,
            weight,
            mask,
            item_weight,
            most,
        )
    except LookupError as error:
        raise outside_error("target", target, error.args[1], accepted) from None
    if value is not None and not x.size:
        value[...] = 0
    result = finish(total, divided, by[1], double, out) if reduced else shown(value, out)
    if return_lse:
        return packed(request, by[0], result, grad, hess, shown(lse, None))
    return packed(request, by[0], result, grad, hess)


def listed(
    request: Request,
    loss: str,
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
    x, asks, axis, classes = scores(input, axis)
    t, _ = operand("target", target)
    if t.size == 0 and t.shape == x.shape:
        t = t.astype(np.int64)
    if t.shape != x.shape or is_float(t.dtype):
        raise (ValueError if t.shape != x.shape else TypeError)(
            "target: lists of class numbers of an integer dtype and input's shape, "
            f"{x.shape}, are needed; got dtype {t.dtype}, shape {t.shape}"
        )
    given_factor, factor, more, mask, left = rows_that_count(x, axis, sample_weight, where)
    asks |= more
    lists = axes_last(t, (axis,))
    bad = kernels.scan_lists(lists, left, factor)
    if bad >= 0:
        place = list(map(int, np.unravel_index(bad, lists.shape)))
        label = int(lists[tuple(place)])
        place.insert(axis, place.pop())
        masked = ", which `where` leaves out" if 0 <= label < classes else ""
        raise IndexError(
            f"target: the class at [{', '.join(map(str, place))}] is {label}{masked}; accepted are "
            f"0 to {classes - 1}, and -1, which ends a list"
        )
    rows, weights, nonzero = count_rows(float(x.size // classes), factor, left)
    batch = x.shape[0] if x.ndim > 1 else 1
    return reduced_rows(
        request,
        loss,
        x,
        (axis,),
        is_double(asks),
        reduction,
        divisor(reduction, rows, batch, weights, nonzero),
        (x, t, given_factor, mask),
        target=t,
        kind=_LIST,
        factor=factor,
        mask=mask,
        in_place=classes <= _IN_ONE_PIECE,
    )


def of_all_classes(
    request: Request,
    loss: str,
    input: Any,
    target: Any,
    *,
    weight: Any,
    axis: int,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of a number for each class."""
    check_reduction(reduction)
    x, asks, axis, classes = scores(input, -1 if axis is None else axis)
    row_shape = shape_of_rows(x, (axis,))
    t, more = operand("target", target)
    t = broadcast("target", t, x.shape)
    asks |= more
    given_factor, factor, more, mask, left = rows_that_count(x, axis, sample_weight, where)
    asks |= more
    class_weight, w, double = weight_of_classes(weight, classes, asks, row_shape=row_shape)
    rows, weights, nonzero = count_rows(float(x.size // classes), factor, left, w)
    batch = x.shape[0] if x.ndim > 1 else 1
    return reduced_rows(
        request,
        loss,
        x,
        (axis,),
        double,
        reduction,
        divisor(reduction, rows, batch, weights, nonzero),
        (x, t, class_weight, given_factor, mask),
        target=t,
        kind=_DISTRIBUTION,
        weight=w,
        factor=factor,
        mask=mask,
        most=_MOST,
        accepted="probabilities from 0 to 1",
        in_place=True,
    )


# ---- activations -------------------------------------------------------------------


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


def normalised(name: str, input: Any, axis: int | None, where: Any, out: Any) -> Array:
    """softmax or log_softmax."""
    x, asks = operand("input", input)
    axis = _class_axis_of(x, axis)
    mask = _mask_of(where, x.shape)
    if out is None:
        buffer = activation_output(None, x, is_double(asks))
    else:
        buffer = output("out", out, x.shape, (x, mask), x)
    run(_row(x), (axis,), name, is_double(asks), order=1, grad=_row(buffer), mask=_row(mask))
    return shown(buffer, out)  # type: ignore[no-any-return]


def carry_back(
    name: str, input: Any, grad_output: Any, axis: int | None, where: Any, grad_out: Any
) -> Array:
    """The gradient through softmax or log_softmax.

    Cross entropy is -Σ τ log_softmax(x), so its gradient with τ = grad_output is what log_softmax
    carries back, but for the sign; with τ = softmax(x) · grad_output it is what softmax does.
    """
    x, asks = operand("input", input)
    axis = _class_axis_of(x, axis)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    mask = _mask_of(where, x.shape)
    double = is_double(asks | more)
    grad = derivative("grad_out", grad_out, x, double, (x, dy, mask), x)
    run(
        _row(x),
        (axis,),
        "cross_entropy",
        double,
        parameters=(0.0, 0.0),
        target=_row(dy),
        kind=_TIMES_SOFTMAX if name == "softmax" else _UPSTREAM,
        order=1,
        scale=-1.0,
        grad=_row(grad),
        mask=_row(mask),
    )
    return grad if grad_out is None else grad_out


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
    """The class axes, and what has input's shape. Over no axes each number is a row of its own."""
    if axes:
        return axes, *arrays
    return (arrays[0].ndim,), *(a if a is None else a[..., np.newaxis] for a in arrays)


def logsumexp(
    input: Any, axis: Any, keepdims: bool, b: Any, where: Any, return_sign: bool, out: Any
) -> Any:
    x, asks = operand("input", input)
    axes, without, kept = _reduced(x, axis)
    mask, factors = _mask_of(where, x.shape), None
    if b is not None:
        factors, more = operand("b", b)
        factors = broadcast("b", factors, x.shape)
        asks |= more
    double = is_double(asks)
    shape = kept if keepdims else without
    value: Any = value_output(out, shape, double, (x, factors, mask))
    signs: Any = np.empty(shape, np.float64 if double else np.float32) if return_sign else None
    if x.size:
        axes, x, factors, mask = _over(axes, x, factors, mask)
        rows, of_rows = value, signs
        if keepdims and shape != without:
            rows = _dropped(value, axes)
            of_rows = None if signs is None else _dropped(signs, axes)
        if factors is None and not return_sign:
            run(x, axes, "logsumexp", double, lse=rows, mask=mask)
        else:
            if factors is None:
                factors = np.broadcast_to(np.ones((), bool), x.shape)
            run(
                x,
                axes,
                "signed_logsumexp",
                double,
                parameters=(float(return_sign),),
                lse=rows,
                value=of_rows,
                mask=mask,
                item_weight=factors,
            )
    else:
        value[...] = -np.inf
        if return_sign:
            signs[...] = 0
    return (shown(value, out), shown(signs, None)) if return_sign else shown(value, out)


def logsumexp_carry_back(
    input: Any, grad_output: Any, axis: Any, keepdims: bool, b: Any, where: Any, grad_out: Any
) -> Array:
    """softmax over the same axes, times the row's number in `grad_output`."""
    x, asks = operand("input", input)
    axes, without, kept = _reduced(x, axis)
    dy, more = operand("grad_output", grad_output)
    shape = kept if keepdims else without
    dy = broadcast("grad_output", dy, shape, "the result")
    asks |= more
    mask, factors = _mask_of(where, x.shape), None
    if b is not None:
        factors, more = operand("b", b)
        factors = broadcast("b", factors, x.shape)
        asks |= more
    double = is_double(asks)
    grad = derivative("grad_out", grad_out, x, double, (x, dy, factors, mask), x)
    factor = _dropped(dy, axes) if keepdims else dy
    axes, x, to, factors, mask = _over(axes, x, grad, factors, mask)
    run(
        x,
        axes,
        "softmax" if factors is None else "signed_softmax",
        double,
        order=1,
        factor=factor,
        grad=to,
        mask=mask,
        item_weight=factors,
    )
    return grad if grad_out is None else grad_out
