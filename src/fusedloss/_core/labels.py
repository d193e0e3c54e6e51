"""Targets over a class axis, and what is wrong with elements of operands."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axes_last
from fusedloss._core.kernels import kernels
from fusedloss._core.operands import broadcast, is_float, operand
from fusedloss._core.parameters import integer
from fusedloss._core.types import Array

_TARGETS: Final[dict[str, int]] = kernels.modules["rows"].TARGETS
#: What a target holds.
CLASS: Final = _TARGETS["class"]
SMOOTHED_CLASS: Final = _TARGETS["smoothed class"]
DISTRIBUTION: Final = _TARGETS["distribution"]
UPSTREAM: Final = _TARGETS["upstream"]
TIMES_SOFTMAX: Final = _TARGETS["times softmax"]
LIST: Final = _TARGETS["list"]

NO_LABEL: Final = -(2**63)


def class_target(
    t: Array,
    x: Array,
    row_shape: tuple[int, ...],
    probabilities: bool,
    ignored: int | None = None,
) -> tuple[Array, int]:
    """The target, and whether it holds class numbers or, where they are accepted, probabilities."""
    if t.size == 0 and t.shape == row_shape:  # an empty list is an array of floats
        return t.astype(np.int64), CLASS
    if is_float(t.dtype):
        if probabilities and t.shape == x.shape:
            if ignored is not None and ignored >= 0:
                raise ValueError(
                    f"ignore_index: {ignored} has no meaning where target holds probabilities"
                )
            return t, DISTRIBUTION
    elif t.shape == row_shape:
        return t, CLASS
    elif x.ndim == 1 and t.shape == (1,):
        return t.reshape(()), CLASS
    accepted = f"class numbers of an integer dtype and shape {row_shape}"
    if probabilities:
        accepted += f", or probabilities of a floating dtype and input's shape, {x.shape}"
    error = ValueError if t.shape not in (row_shape, x.shape) else TypeError
    raise error(f"target: {accepted} are needed; got dtype {t.dtype}, shape {t.shape}")


def grades_of(target: Any, shape: tuple[int, ...], accepted: str, name: str = "target") -> Array:
    """Whole numbers that broadcast up to a shape."""
    t, _ = operand(name, np.asarray(target) if type(target) is int else target)
    if t.size == 0:  # an empty list is an array of floats
        t = t.astype(np.int64)
    if is_float(t.dtype):
        raise TypeError(f"{name}: {accepted} of an integer dtype are needed; got dtype {t.dtype}")
    return broadcast(name, t, shape)


def ignored_label(ignore_index: Any) -> int:
    if type(ignore_index) is bool:  # labels may be booleans, and so may this
        ignore_index = int(ignore_index)
    ignored = ignore_index if type(ignore_index) is int else integer("ignore_index", ignore_index)
    if not -(2**63) <= ignored < 2**63:
        raise ValueError(f"ignore_index: a 64-bit integer is needed, got {ignored}")
    return ignored


def and_ignored(ignored: int | None) -> str:
    """What errors add to the accepted labels."""
    return "" if ignored is None else f", and ignore_index, which is {ignored}"


def label_error(
    t: Array,
    position: int,
    axis: int | None,
    classes: int,
    also: str = "",
    name: str = "target",
    what: str = "class",
) -> IndexError:
    """What is wrong with the label that a kernel found; its position counts the labels in C order,
    with those along `axis` last. `also` completes what is accepted; labels are numbers of
    `what`."""
    if axis is None:
        index = [int(i) for i in np.unravel_index(position, t.shape)]
    else:
        index = [int(i) for i in np.unravel_index(position, axes_last(t, (axis,)).shape)]
        index.insert(axis, index.pop())
    label = int(t[tuple(index)])
    if 0 <= label < classes:
        wrong, accepted = ", which `where` leaves out", "the classes that it does not leave out"
    else:
        wrong, accepted = "", f"0 to {classes - 1}"
    return IndexError(
        f"{name}: the {what} at [{', '.join(map(str, index))}] is {label}{wrong}; accepted are "
        f"{accepted}{also}"
    )


def outside_error(name: str, array: Array, position: int, accepted: str | None) -> ValueError:
    """What is wrong with the element that a kernel found outside of a domain; its position counts
    the elements in C order, and is below 0 where none was found once more."""
    if position < 0:
        return ValueError(f"{name}: the values changed during the call; accepted are {accepted}")
    index = tuple(map(int, np.unravel_index(position, array.shape)))
    where = f" at [{', '.join(map(str, index))}]" if index else ""
    return ValueError(f"{name}: the value{where} is {array[index]}; accepted are {accepted}")
