"""Rows that belong together: queries, choice sets, strata."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusedloss._core.foreign import is_masked
from fusedloss._core.operands import is_float, operand
from fusedloss._core.types import Array


def group_offsets(rows: int, group_sizes: Any, group_ids: Any) -> Array:
    """Where each group of consecutive rows begins, and at the end the number of rows.

    `group_sizes` has the number of rows of each group, as LightGBM and XGBoost take them; 0 is
    accepted. `group_ids` has an id for each row, in rising order. One of the two is needed.
    """
    if (group_sizes is None) == (group_ids is None):
        raise ValueError(
            "group_sizes, group_ids: "
            + ("one of the two is needed" if group_ids is None else "only one of them is accepted")
        )
    if group_ids is not None:
        ids = ids_of("group_ids", group_ids, rows)
        try:
            falls = ids[1:] < ids[:-1]
        except TypeError as error:
            raise TypeError(
                f"group_ids: ids must be of one type, so that they sort: {error}"
            ) from None
        if falls.any():
            at = int(np.argmax(falls)) + 1
            raise ValueError(
                f"group_ids: they must be sorted, but {ids[at]!s} at position {at} follows "
                f"{ids[at - 1]!s}; sort all rows by them first"
            )
        starts = np.flatnonzero(ids[1:] != ids[:-1]) + 1
        ends = [0, rows] if rows else [0]
        return np.concatenate((ends[:1], starts, ends[1:])).astype(np.int64)
    if isinstance(group_sizes, (int, np.integer)):
        raise ValueError("group_sizes: shape (groups,) is needed, got a number")
    sizes = whole_numbers("group_sizes", group_sizes)
    if sizes.ndim != 1:
        raise ValueError(f"group_sizes: shape (groups,) is needed, got {sizes.shape}")
    bad = (sizes < 0) | (sizes > rows)
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(
            f"group_sizes: the value at [{at}] is {sizes[at]}; accepted are 0 to {rows}, the "
            "number of rows"
        )
    total = int(sizes.sum(dtype=np.int64))
    if total != rows:
        raise ValueError(f"group_sizes: they sum up to {total}, but there are {rows} rows")
    return np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))


def whole_numbers(name: str, value: Any) -> Array:
    """Numbers of an integer dtype; an empty list may be of any."""
    array, _ = operand(name, value)
    if is_float(array.dtype) or array.dtype.kind == "b":
        if array.size:
            raise TypeError(f"{name}: an integer dtype is needed, got {array.dtype}")
        array = array.astype(np.int64)
    return array


def ids_of(name: str, value: Any, rows: int | None = None) -> Array:
    """An id for each row: numbers, or what else sorts, such as strings."""
    if is_masked(value):
        raise TypeError(f"{name}: masked arrays are not accepted")
    try:
        array = value if type(value) is np.ndarray else np.asarray(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: cannot be made an array: {error}") from None
    if array.dtype.kind not in "biufUSOM":
        array = operand(name, array)[0]  # half precision of other packages, or an error
    if array.ndim != 1 or rows not in (None, array.size):
        shape = "(rows,)" if rows is None else f"({rows},)"
        raise ValueError(
            f"{name}: an id for each row is needed, shape {shape}, got {array.shape}"
            + ("; of several columns make one" if array.ndim == 2 else "")
        )
    if array.dtype.kind == "O":
        missing: Any = np.array([_is_missing(x) for x in array], bool)
    else:
        missing = array != array
    if missing.any():
        at = int(np.argmax(missing))
        raise ValueError(f"{name}: the id at position {at} is {array[at]!s}, which is none")
    return array


def _is_missing(item: Any) -> bool:
    """Whether an object is None, nan, or what is as unknown as pandas.NA, which is equal to nothing
    that could be told."""
    try:
        return item is None or bool(item != item)
    except TypeError:
        return True


def stratum_numbers(name: str, value: Any, rows: int) -> tuple[Array, int]:
    """Of each row the number of its stratum, counted from 0 in the order of the ids, which may
    come in any order; and how many there are."""
    ids = ids_of(name, value, rows)
    try:
        found, numbers = np.unique(ids, return_inverse=True)
    except TypeError as error:
        raise TypeError(f"{name}: ids must be of one type, so that they sort: {error}") from None
    return numbers, found.size
