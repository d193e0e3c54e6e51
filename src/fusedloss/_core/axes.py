"""Axes of classes and of vectors."""

from __future__ import annotations

from typing import Any

from fusedloss._core.parameters import integer
from fusedloss._core.types import Array


def axis_number(x: Array, axis: Any, name: str = "input", option: str = "axis") -> int:
    """An axis of the input, counted from the front."""
    number = integer(option, axis)
    if not -x.ndim <= number < x.ndim:
        raise ValueError(
            f"{option}: {number} is out of range for {name} with {x.ndim} dimensions"
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


def without_axes(x: Array, axes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without those axes."""
    if len(axes) == 1:
        return x.shape[: axes[0]] + x.shape[axes[0] + 1 :]
    return tuple(n for k, n in enumerate(x.shape) if k not in axes)
