"""From the arguments of a Lovász loss to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.images import Images
from fusedloss._core.kernels import kernels
from fusedloss._core.operands import contiguous
from fusedloss._core.outputs import outputs, plain_hessian, result_tuple, store
from fusedloss._core.parameters import choice, flag
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    lifted,
    scale_of,
    value_result,
)
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_arrays: Final = kernels.modules["arrays"]
_lovasz: Final = kernels.modules["lovasz"]


def table(rows: int, columns: int, fill: Any, dtype: Any) -> Array:
    """An array of numbers of images and classes, or MemoryError."""
    if rows * columns > 2**59:
        raise MemoryError(f"no memory for the values of {rows} images and {columns} classes")
    return np.full((rows, columns), fill, dtype)


def lovasz(
    request: Request,
    input: Any,
    target: Any,
    *,
    weight: Any = None,
    mode: str,
    from_logits: bool = True,
    classes: str = "present",
    per_image: bool,
    ignore_index: Any,
    axis: Any = None,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate the Lovász hinge ("binary") or the Lovász softmax loss, one class of an image after
    the other.

    Sorting takes memory of the size of a class; derivatives by the probabilities stand in the
    array of the gradient until they are carried back, or where that is of another dtype in one of
    the computation's.
    """
    plain_hessian(request)
    check_reduction(reduction)
    each = flag("per_image", per_image)
    logits = flag("from_logits", from_logits)
    hinge = mode == "binary"
    everything = choice("classes", classes, ("present", "all")) == "all" or hinge
    seen = Images(input, target, mode, ignore_index, axis, sample_weight, where)
    x, batch = seen.x, seen.images
    if not hinge and not seen.labelled:
        raise TypeError(
            "target: class numbers of an integer dtype are needed, got dtype "
            f"{seen.target.dtype}, shape {seen.target.shape}"
        )
    w, double, inputs = seen.class_weights(weight)
    order, out = request[0], request[1]
    value_shape = None if reduction != "none" else seen.value_shape(each)
    value, grad, hess = outputs(request, x, double, value_shape, inputs)
    groups = batch if each else min(batch, 1)
    if w is not None:
        w = contiguous(w, np.float64)
    each_weight = np.ones(1) if w is None else w
    lift = 1.0
    if reduction == "weighted_mean":
        lift = lifted(1.0, _arrays.scan_weights(each_weight)[0])[0]
        each_weight = each_weight * lift
    repeats = seen.classes if w is None else 1
    if x.size == 0:
        # Nothing to sort: all values are 0.
        total = 0.0
        count = float(groups * seen.classes) if everything else 0.0
        sums, nonzeros = _arrays.scan_weights(each_weight)
        share = float(groups * repeats) if everything else 0.0
        weights, nonzero = sums * share, nonzeros * share
        if value is not None:
            value[...] = 0
    else:
        dtype = np.dtype(np.float64 if double else np.float32)
        own = grad is not None and grad.dtype == dtype
        slopes = grad if own or grad is None else np.empty(x.shape, dtype)
        values = table(groups, seen.classes, 0.0, float)
        counted = table(groups, seen.classes, True, bool)
        options = (hinge, logits and not hinge, seen.ignored)
        threads = threads_for(x.size)
        arrays = (*seen.inputs, slopes, hess)
        axes = (seen.batch if each else -1, seen.axis)
        try:
            _lovasz.lovasz(
                *options, everything, double, lift, threads, values, counted, w, arrays, *axes
            )
        except LookupError as error:
            raise seen.error(error, "0 and 1") from None
        with np.errstate(all="ignore"):
            total = float(values.sum())
        count = float(np.count_nonzero(counted))
        weights, nonzero = _arrays.scan_weights(np.broadcast_to(each_weight, values.shape), counted)
        if value is not None:
            seen.store(values, value, each)
    divisor, zero_if_empty = divisor_for(reduction, (batch,), count, weights, nonzero)
    if order and x.size:
        scale = scale_of(divisor, zero_if_empty) if divisor else 0.0  # of nothing the gradient is 0
        _lovasz.carry_back(*options, double, scale, threads, arrays, *axes)
        if grad is not None and not own:
            store(grad, slopes)
    result = value_result(total, value, divisor, zero_if_empty, double, out)
    return result_tuple(request, divisor / lift, result, grad, hess)
