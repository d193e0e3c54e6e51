"""From the arguments of a loss of the overlap of regions to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.images import Images
from fusedloss._core.kernels import kernels
from fusedloss._core.outputs import outputs, plain_hessian, result_tuple
from fusedloss._core.parameters import flag
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    lifted,
    scale_of,
    value_result,
)
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Request

_arrays: Final = kernels.modules["arrays"]
_overlap: Final = kernels.modules["overlap"]

_ACTIVATIONS: Final[dict[str, int]] = _overlap.ACTIVATIONS
_JOINT: Final[dict[str | None, int]] = _overlap.JOINT
#: How the classes of an image are weighted where they are one value.
W_TYPES: Final = ("square", "simple", "uniform")


def overlap(
    request: Request,
    input: Any,
    target: Any,
    *,
    parameters: tuple[float, ...],
    squared: bool = False,
    joint: str | None = None,
    weight: Any,
    mode: str,
    from_logits: bool,
    per_image: bool,
    ignore_index: Any,
    axis: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of the overlap of regions: `parameters` are those of the kernel's Fraction,
    `joint` how the classes of an image are weighted where they are one value."""
    plain_hessian(request)
    check_reduction(reduction)
    squared = flag("squared", squared)
    each = flag("per_image", per_image)
    logits = flag("from_logits", from_logits)
    seen = Images(input, target, mode, ignore_index, axis, sample_weight, where, joint is not None)
    x, classes, batch = seen.x, seen.classes, seen.images
    w, double, inputs = seen.class_weights(weight)
    groups = batch if each else min(batch, 1)
    count = float(groups * (1 if joint is not None else classes))
    weights = nonzero = count
    if w is not None and joint is None:
        total, nonzeros = _arrays.scan_weights(w)
        weights, nonzero = groups * total, float(groups * nonzeros)
    divisor, zero_if_empty = divisor_for(reduction, (batch,), count, weights, nonzero)
    scaled = divisor
    if joint is None and reduction == "weighted_mean":
        w, scaled = lifted(w, divisor)
    value_shape = None if reduction != "none" else seen.value_shape(each)
    value, grad, hess = outputs(request, x, double, value_shape, inputs)
    softmax = mode == "multiclass" and logits
    options = (
        _ACTIVATIONS["softmax" if softmax else "sigmoid" if logits else "identity"],
        seen.labelled,
        seen.ignored,
        request[0],
        double,
        scale_of(scaled, zero_if_empty),
        threads_for(x.size),
    )
    if x.size == 0:
        # Regions without pixels are all alike, so one is enough; there may be more of them than
        # memory has room for.
        few = np.empty((1, classes if w is not None else 1, 0), x.dtype)
        one = np.empty((1, 1 if joint is not None else few.shape[1]))
        options = (*options[:1], False, None, 0, True, *options[5:])
        arrays = (few, few, None, None, None, None)
        total = _overlap.overlap(parameters, squared, _JOINT[joint], *options, one, w, arrays, 0, 1)
        total *= groups * (classes if w is None and joint is None else 1)
        if value is not None:
            seen.store(one, value, each)
    else:
        try:
            total = _overlap.overlap(
                parameters,
                squared,
                _JOINT[joint],
                *options,
                seen.kernel_view(value, each),
                w,
                (*seen.inputs, grad, hess),
                seen.batch if each else -1,
                seen.axis,
            )
        except LookupError as error:
            raise seen.error(error, "numbers from 0 to 1") from None
    result = value_result(total, value, scaled, zero_if_empty, double, request[1])
    return result_tuple(request, divisor, result, grad, hess)
