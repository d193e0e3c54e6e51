"""Operands of losses between regions of images."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.axes import class_axis
from fusedloss._core.labels import (
    CLASS,
    and_ignored,
    class_target,
    ignored_label,
    label_error,
    outside_error,
)
from fusedloss._core.operands import broadcast, contiguous, is_double, operand
from fusedloss._core.outputs import store
from fusedloss._core.parameters import choice, integer
from fusedloss._core.reductions import class_weights
from fusedloss._core.types import Array

MODES: Final = ("multiclass", "multilabel", "binary")


class Images:
    """The operands of a call. They are checked, but not what stands in them."""

    def __init__(
        self,
        input: Any,
        target: Any,
        mode: str,
        ignore_index: Any,
        axis: Any,
        sample_weight: Any,
        where: Any,
        joint: bool = False,
    ) -> None:
        choice("mode", mode, MODES)
        ignored = None if ignore_index is None else ignored_label(ignore_index)
        binary = mode == "binary"
        if axis is not None:
            axis = integer("axis", axis)
            if binary:
                raise ValueError(f"axis: there is no class axis in mode 'binary', got {axis}")
        x, precision = operand("input", input)
        if x.ndim < (1 if binary else 2):
            axes = "the images" if binary else "the images and the classes"
            raise ValueError(
                f"input: the axes of {axes} are needed in mode {mode!r}, got shape {x.shape}; for "
                "one image add an axis of length 1"
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
            t, kind = class_target(t, x, pixels, True, ignored)
            labelled = kind == CLASS
        if not labelled:
            precision |= more
            if mode == "multiclass":
                ignored = None
        if sample_weight is not None:
            sample_weight, more = operand("sample_weight", sample_weight)
            precision |= more
            sample_weight = broadcast("sample_weight", sample_weight, pixels, "the pixels")
        if where is not None:
            where = broadcast("where", operand("where", where)[0], pixels, "the pixels")
        self.x: Array = x
        self.target: Array = t
        self.pixel_weight: Array | None = sample_weight  # of the pixels' shape
        self.where: Array | None = where
        self.precision = precision
        self.axis = along  # of the classes; -1 in mode "binary"
        self.batch = batch  # the axis of the images
        self.classes: int = classes
        self.labelled = labelled  # whether the target holds class numbers
        self.ignored = ignored
        self.single = joint or binary  # whether an image has one value

    @property
    def images(self) -> int:
        return int(self.x.shape[self.batch])

    @property
    def inputs(self) -> tuple[Any, ...]:
        return self.x, self.target, self.pixel_weight, self.where

    def class_weights(self, weight: Any) -> tuple[Array | None, bool, tuple[Any, ...]]:
        """Weights of the classes in float64, whether the call is computed in float64, and the
        arrays whose memory no buffer may share."""
        if weight is None:
            return None, is_double(self.precision), self.inputs
        given, precision = class_weights("weight", weight, self.classes)
        double = is_double(self.precision | precision)
        rounded = np.asarray(given, np.float64 if double else np.float32)
        return contiguous(rounded, np.float64), double, (*self.inputs, given)

    def value_shape(self, per_image: bool) -> tuple[int, ...]:
        """The shape of the values: images and classes, or one of them, or none."""
        images = (self.images,) if per_image else ()
        return images if self.single else (*images, self.classes)

    def store(self, values: Any, value: Array, per_image: bool) -> None:
        """Values of images and classes into their array."""
        if self.single:
            value = value[..., np.newaxis]
        store(value, values if per_image else values[0])

    def kernel_view(self, value: Array | None, per_image: bool) -> Array | None:
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
        also = and_ignored(self.ignored)
        if not self.labelled or position < 0:
            return outside_error("target", self.target, position, accepted + also)
        return label_error(self.target, position, None, self.classes, also)
