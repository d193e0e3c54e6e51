"""From the arguments of a loss between regions to its kernel and back."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    broadcast,
    check_reduction,
    divisor,
    finish,
    flag,
    integer,
    lifted,
    operand,
    outputs,
    outside_error,
    packed,
    put,
    scale_of,
    shown,
)
from fusedloss._dispatch import get_num_threads, kernels
from fusedloss._rows import (
    class_axis,
    class_target,
    ignored_label,
    label_error,
    weight_of_classes,
)

MODES: Final = ("multiclass", "multilabel", "binary")
W_TYPES: Final = ("square", "simple", "uniform")


def choice(name: str, value: Any, accepted: tuple[str, ...]) -> str:
    """A parameter that must be one of some names."""
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name}: must be one of {', '.join(accepted)}; got {value!r}")
    return value


class Images(NamedTuple):
    """The operands of a call."""

    x: Array
    target: Array
    pixel_weight: Array | None  # of the pixels' shape
    where: Array | None
    asks: int
    axis: int  # of the classes; -1 in mode "binary"
    batch: int  # the axis of the images
    classes: int
    labelled: bool  # whether the target holds class numbers
    ignored: int | None
    single: bool  # whether an image has one value

    @property
    def images(self) -> int:
        return int(self.x.shape[self.batch])

    @property
    def inputs(self) -> tuple[Any, ...]:
        return self.x, self.target, self.pixel_weight, self.where

    def value_shape(self, per_image: bool) -> tuple[int, ...]:
        """The shape of the values: images and classes, or one of them, or none."""
        images = (self.images,) if per_image else ()
        return images if self.single else (*images, self.classes)

    def put(self, values: Any, value: Array, per_image: bool) -> None:
        """Values of images and classes into their array."""
        if self.single:
            value = value[..., np.newaxis]
        put(value, values if per_image else values[0])

    def seen(self, value: Array | None, per_image: bool) -> Array | None:
        """The values with the axes of images and of classes."""
        if value is None:
            return None
        if not per_image:
            value = value[np.newaxis]
        return value[:, np.newaxis] if self.single else value

    def error(self, found: LookupError, accepted: str) -> Exception:
        """What is wrong with the element that a kernel found outside of a domain."""
        operand, position = found.args
        if operand == 0:
            return outside_error("input", self.x, position, "probabilities from 0 to 1")
        if self.ignored is not None:
            accepted += f", and ignore_index, which is {self.ignored}"
        if not self.labelled or position < 0:
            return outside_error("target", self.target, position, accepted)
        return label_error(self.target, position, self.classes, self.ignored)


def images(
    input: Any,
    target: Any,
    mode: str,
    ignore_index: Any,
    axis: Any,
    sample_weight: Any,
    where: Any,
    joint: bool = False,
) -> Images:
    """Check the operands, but not what stands in them."""
    choice("mode", mode, MODES)
    ignored = None if ignore_index is None else ignored_label(ignore_index)
    binary = mode == "binary"
    if axis is not None:
        axis = integer("axis", axis)
        if binary:
            raise ValueError(f"axis: there is no class axis in mode 'binary', got {axis}")
    x, asks = operand("input", input)
    if x.ndim < (1 if binary else 2):
        axes = "the images" if binary else "the images and the classes"
        raise ValueError(
            f"input: the axes of {axes} are needed in mode {mode!r}, got shape {x.shape}; for one "
            "image add an axis of length 1"
        )
    along = -1 if binary else class_axis(x, axis)
    batch = 1 if along == 0 else 0
    classes = 1 if binary else x.shape[along]
    if classes == 0:
        raise ValueError(f"input: shape {x.shape} has no classes along axis {along}")
    pixels = x.shape if binary else x.shape[:along] + x.shape[along + 1 :]
    t, more = operand("target", target)
    labelled = False
    if mode != "multiclass":
        if t.shape != x.shape:
            raise ValueError(f"target: input's shape {x.shape} is needed, got {t.shape}")
    elif t.shape not in (pixels, x.shape):
        raise ValueError(
            f"target: shape {pixels} of class numbers, or input's shape {x.shape} of "
            f"probabilities, is needed; got shape {t.shape}"
        )
    else:
        t, kind = class_target(t, x, pixels, True)
        labelled = kind == kernels.TARGETS["class"]
    if not labelled:
        asks |= more
        if mode == "multiclass" and ignored is not None and ignored >= 0:
            raise ValueError(
                f"ignore_index: {ignored} has no meaning where target holds probabilities"
            )
        if mode == "multiclass":
            ignored = None
    if sample_weight is not None:
        sample_weight, more = operand("sample_weight", sample_weight)
        asks |= more
        sample_weight = broadcast("sample_weight", sample_weight, pixels, "the pixels")
    if where is not None:
        where = broadcast("where", operand("where", where)[0], pixels, "the pixels")
    single = joint or binary
    return Images(
        x, t, sample_weight, where, asks, along, batch, classes, labelled, ignored, single
    )


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
    check_reduction(reduction)
    squared = flag("squared", squared)
    each = flag("per_image", per_image)
    logits = flag("from_logits", from_logits)
    seen = images(input, target, mode, ignore_index, axis, sample_weight, where, joint is not None)
    x, classes, batch = seen.x, seen.classes, seen.images
    given, w, double = weight_of_classes(weight, classes, seen.asks)
    groups = batch if each else min(batch, 1)
    count = float(groups * (1 if joint is not None else classes))
    weights = nonzero = count
    if w is not None:
        w = np.require(w, np.float64, ["C", "A"])
        if joint is None:
            total, nonzeros = kernels.scan_weights(w)
            weights, nonzero = groups * total, float(groups * nonzeros)
    by, safe = divisor(reduction, count, batch, weights, nonzero)
    divided = by
    if joint is None and reduction == "weighted_mean":
        w, divided = lifted(w, by)
    reduced = reduction != "none"
    value, grad, hess = outputs(
        request, x, double, None if reduced else seen.value_shape(each), (*seen.inputs, given)
    )
    kernel = kernels.family("overlap")
    softmax = mode == "multiclass" and logits
    options = (
        kernel.ACTIVATIONS["softmax" if softmax else "sigmoid" if logits else "identity"],
        seen.labelled,
        seen.ignored,
        request[0],
        double,
        scale_of(divided, safe),
        get_num_threads() if x.size > SMALL else 1,
    )
    if x.size == 0:
        # Regions without pixels are all alike, so one is enough; there may be more of them than
        # memory has room for.
        few = np.empty((1, classes if w is not None else 1, 0), x.dtype)
        one = np.empty((1, 1 if joint is not None else few.shape[1]))
        options = (*options[:1], False, None, 0, True, *options[5:])
        arrays = (few, few, None, None, None, None)
        total = kernel.overlap(
            parameters, squared, kernel.JOINT[joint], *options, one, w, arrays, 0, 1
        )
        total *= groups * (classes if w is None and joint is None else 1)
        if value is not None:
            seen.put(one, value, each)
    else:
        try:
            total = kernel.overlap(
                parameters,
                squared,
                kernel.JOINT[joint],
                *options,
                seen.seen(value, each),
                w,
                (*seen.inputs, grad, hess),
                seen.batch if each else -1,
                seen.axis,
            )
        except LookupError as error:
            raise seen.error(error, "numbers from 0 to 1") from None
    if reduced:
        result = finish(total, divided, safe, double, request[1])
    else:
        result = shown(value, request[1])
    return packed(request, by, result, grad, hess)


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
    check_reduction(reduction)
    each = flag("per_image", per_image)
    logits = flag("from_logits", from_logits)
    hinge = mode == "binary"
    everything = choice("classes", classes, ("present", "all")) == "all" or hinge
    seen = images(input, target, mode, ignore_index, axis, sample_weight, where)
    x, batch = seen.x, seen.images
    if not hinge and not seen.labelled:
        raise TypeError(
            "target: class numbers of an integer dtype are needed, got dtype "
            f"{seen.target.dtype}, shape {seen.target.shape}"
        )
    given, w, double = weight_of_classes(weight, seen.classes, seen.asks)
    shape = seen.value_shape(each)
    reduced = reduction != "none"
    order, out = request[0], request[1]
    value, grad, hess = outputs(
        request, x, double, None if reduced else shape, (*seen.inputs, given)
    )
    groups = batch if each else min(batch, 1)
    if w is not None:
        w = np.require(w, np.float64, ["C", "A"])
    each_weight = np.ones(1) if w is None else w
    lift = 1.0
    if reduction == "weighted_mean":
        lift = lifted(1.0, kernels.scan_weights(each_weight)[0])[0]
        each_weight = each_weight * lift
    repeats = seen.classes if w is None else 1
    if x.size == 0:
        # Nothing to sort: all values are 0.
        total = 0.0
        count = float(groups * seen.classes) if everything else 0.0
        sums, nonzeros = kernels.scan_weights(each_weight)
        share = float(groups * repeats) if everything else 0.0
        weights, nonzero = sums * share, nonzeros * share
        if value is not None:
            value[...] = 0
    else:
        kernel = kernels.family("lovasz")
        dtype = np.dtype(np.float64 if double else np.float32)
        own = grad is not None and grad.dtype == dtype
        slopes = grad if own or grad is None else np.empty(x.shape, dtype)
        values = table(groups, seen.classes, 0.0, float)
        counted = table(groups, seen.classes, True, bool)
        options = (hinge, logits and not hinge, seen.ignored)
        threads = get_num_threads() if x.size > SMALL else 1
        arrays = (*seen.inputs, slopes, hess)
        axes = (seen.batch if each else -1, seen.axis)
        try:
            kernel.lovasz(
                *options, everything, double, lift, threads, values, counted, w, arrays, *axes
            )
        except LookupError as error:
            raise seen.error(error, "0 and 1") from None
        with np.errstate(all="ignore"):
            total = float(values.sum())
        count = float(np.count_nonzero(counted))
        weights, nonzero = kernels.scan_weights(np.broadcast_to(each_weight, values.shape), counted)
        if value is not None:
            seen.put(values, value, each)
    by, safe = divisor(reduction, count, batch, weights, nonzero)
    if order and x.size:
        scale = scale_of(by, safe) if by else 0.0  # of nothing the gradient is 0
        kernel.carry_back(*options, double, scale, threads, arrays, *axes)
        if grad is not None and not own:
            put(grad, slopes)
    result = finish(total, by, safe, double, out) if reduced else shown(value, out)
    return packed(request, by / lift, result, grad, hess)
