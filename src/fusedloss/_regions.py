"""From the arguments of a loss between regions to its kernel and back."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    check_reduction,
    divisor,
    finish,
    flag,
    integer,
    operand,
    outputs,
    packed,
    put,
    scale_of,
    shown,
)
from fusedloss._dispatch import get_num_threads, kernels
from fusedloss._rows import (
    NO_LABEL,
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
    asks: int
    mode: str
    axis: int  # of the classes; -1 in mode "binary"
    batch: int  # the axis of the images
    classes: int
    labelled: bool  # whether the target holds class numbers
    ignored: int | None

    def seen(self, array: Array, per_image: bool, labels: bool = False) -> Array:
        """A view with the axes of images, of classes and of pixels; one image of all if not
        `per_image`. Class numbers have no axis of classes."""
        if self.mode == "binary" or labels:
            batch = self.batch - (self.batch > self.axis >= 0)
            array = np.moveaxis(array, batch, 0)
            return array[:, np.newaxis] if per_image else array[np.newaxis, np.newaxis]
        rest = [k for k in range(array.ndim) if k not in (self.axis, self.batch)]
        if per_image:
            return array.transpose([self.batch, self.axis, *rest])
        return array.transpose([self.axis, self.batch, *rest])[np.newaxis]

    def value_shape(self, per_image: bool, joint: bool) -> tuple[int, ...]:
        """The shape of the values: images and classes, or one of them, or none."""
        images = (self.x.shape[self.batch],) if per_image else ()
        return images if joint or self.mode == "binary" else (*images, self.classes)


def images(input: Any, target: Any, mode: str, ignore_index: Any, axis: Any) -> Images:
    """Check the operands. Class numbers are looked at here, before anything is written."""
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
    where = -1 if binary else class_axis(x, axis)
    batch = 1 if where == 0 else 0
    classes = 1 if binary else x.shape[where]
    if classes == 0:
        raise ValueError(f"input: shape {x.shape} has no classes along axis {where}")
    t, more = operand("target", target)
    labelled = False
    if mode == "multiclass":
        row_shape = x.shape[:where] + x.shape[where + 1 :]
        t, kind = class_target(t, x, row_shape, True)
        labelled = kind == kernels.TARGETS["class"]
    if labelled:
        skipped = NO_LABEL if ignored is None else ignored
        rows, _, _, bad = kernels.scan_labels(t, classes, skipped, None)
        if bad < 0 and ignored is None and rows < t.size:
            bad = int(np.argmax(t == NO_LABEL))
        if bad >= 0:
            raise label_error(t, bad, classes, skipped)
    else:
        asks |= more
        if t.shape != x.shape:
            raise ValueError(f"target: input's shape {x.shape} is needed, got {t.shape}")
        if mode == "multiclass" and ignored is not None and ignored >= 0:
            raise ValueError(
                f"ignore_index: {ignored} has no meaning where target holds probabilities"
            )
        if mode == "multiclass":
            ignored = None
    return Images(x, t, asks, mode, where, batch, classes, labelled, ignored)


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
    reduction: str,
) -> Any:
    """Evaluate a loss of the overlap of regions: `parameters` are those of the kernel's Fraction,
    `joint` how the classes of an image are weighted where they are one value."""
    check_reduction(reduction)
    squared = flag("squared", squared)
    each = flag("per_image", per_image)
    logits = flag("from_logits", from_logits)
    seen = images(input, target, mode, ignore_index, axis)
    x, classes = seen.x, seen.classes
    given, w, double = weight_of_classes(weight, classes, seen.asks)
    shape = seen.value_shape(each, joint is not None)
    batch = x.shape[seen.batch]
    groups = batch if each else min(batch, 1)
    count = float(groups * (1 if joint is not None else classes))
    weights = nonzero = count
    if w is not None and joint is None:
        w = np.require(w, np.float64, ["C", "A"])
        total, nonzeros = kernels.scan_weights(w)
        weights, nonzero = groups * total, float(groups * nonzeros)
    elif w is not None:
        w = np.require(w, np.float64, ["C", "A"])
    by = divisor(reduction, count, batch, weights, nonzero)
    reduced = reduction != "none"
    value, grad, hess = outputs(
        request, x, double, None if reduced else shape, (x, seen.target, given)
    )
    kernel = kernels.family("regions")
    softmax = seen.mode == "multiclass" and logits
    total = kernel.overlap(
        parameters,
        squared,
        kernel.JOINT[joint],
        kernel.ACTIVATIONS["softmax" if softmax else "sigmoid" if logits else "identity"],
        seen.labelled,
        seen.ignored,
        request[0],
        double,
        scale_of(*by),
        get_num_threads() if x.size > SMALL else 1,
        None if value is None else _values_seen(value, each, joint is not None or mode == "binary"),
        w,
        (
            seen.seen(x, each),
            seen.seen(seen.target, each, seen.labelled),
            None if grad is None else seen.seen(grad, each),
            None if hess is None else seen.seen(hess, each),
        ),
    )
    total = total if groups else 0.0
    result = finish(total, *by, double, request[1]) if reduced else shown(value, request[1])
    return packed(request, by[0], result, grad, hess)


def _values_seen(value: Array, per_image: bool, single: bool) -> Array:
    """The values with the axes of images and of classes."""
    if not per_image:
        value = value[np.newaxis]
    return value[:, np.newaxis] if single else value


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
    softmax = flag("from_logits", from_logits) and mode == "multiclass"
    everything = choice("classes", classes, ("present", "all")) == "all"
    seen = images(input, target, mode, ignore_index, axis)
    x = seen.x
    if mode == "multiclass" and not seen.labelled:
        raise TypeError(
            "target: class numbers of an integer dtype are needed, got dtype "
            f"{seen.target.dtype}, shape {seen.target.shape}"
        )
    given, w, double = weight_of_classes(weight, seen.classes, seen.asks)
    shape = seen.value_shape(each, joint=False)
    batch = x.shape[seen.batch]
    reduced = reduction != "none"
    order, out = request[0], request[1]
    value, grad, hess = outputs(
        request, x, double, None if reduced else shape, (x, seen.target, given)
    )
    kernel = kernels.family("regions")
    dtype = np.dtype(np.float64 if double else np.float32)
    own = grad is not None and grad.dtype == dtype
    slopes = grad if own or grad is None else np.empty(x.shape, dtype)
    threads = get_num_threads() if x.size > SMALL else 1
    seen_x, seen_t = seen.seen(x, each), seen.seen(seen.target, each, seen.labelled)
    seen_s: Any = None if slopes is None else seen.seen(slopes, each)
    seen_h: Any = None if hess is None else seen.seen(hess, each)
    groups = seen_x.shape[0] if batch else 0
    values = np.zeros((seen_x.shape[0], seen.classes))
    counted = np.ones(values.shape, bool)
    pixels = int(np.prod(seen_x.shape[2:]))
    work = kernel.Lovasz(pixels, dtype, softmax, order > 0)
    for n in range(groups):
        one = slice(n, n + 1)
        part = (seen_x[one], seen_t[one], None if seen_s is None else seen_s[one], None)
        work.start(part, mode == "binary", seen.ignored, threads)
        for c in range(seen.classes):
            values[n, c], present = work.compare(c, 1.0 if w is None else float(w[c]), everything)
            counted[n, c] = everything or present or mode == "binary"
    sums = np.broadcast_to(1.0 if w is None else np.asarray(w, np.float64), values.shape)
    weights, nonzero = float(sums[counted].sum()), float(np.count_nonzero(sums[counted]))
    count = float(np.count_nonzero(counted)) if groups else 0.0
    by = divisor(reduction, count, batch, weights if groups else 0.0, nonzero if groups else 0.0)
    if order:
        scale = scale_of(*by) if by[0] else 0.0  # of nothing the gradient is 0
        for n in range(groups):
            one = slice(n, n + 1)
            part = (seen_x[one], seen_t[one], seen_s[one], seen_h[one] if order > 1 else None)
            work.start(part, mode == "binary", seen.ignored, threads)
            work.carry_back(scale, threads)
        if grad is not None and not own:
            put(grad, slopes)
    if value is None:
        result = finish(float(values.sum()), *by, double, out)
    else:
        put(_values_seen(value, each, mode == "binary"), values)
        result = shown(value, out)
    return packed(request, by[0], result, grad, hess)
