"""What a caller gives as arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.foreign import check_object, is_masked, plain_array
from fusedloss._core.kernels import kernels
from fusedloss._core.types import Array

_arrays: Final = kernels.modules["arrays"]

_FLOATS: Final = frozenset("efd")
_REALS: Final = frozenset("?bhilqpBHILQPefd")
_ACCEPTED: Final = "boolean, integer, float16, bfloat16, float32 or float64"


def operand(name: str, value: Any) -> tuple[Array, int]:
    """The value as an array, and the precision that its dtype asks for: 2 for float64, 1 for a
    narrower float, 0 for integers and for numbers that are no arrays."""
    precision = _arrays.precision(value)
    if precision >= 0:
        return value, precision
    if type(value) is np.ndarray:
        array = value
    elif type(value) is bool:
        return np.asarray(value), 0
    elif type(value) in (int, float):
        try:
            return np.asarray(value, dtype=np.float64), 0
        except OverflowError:
            raise ValueError(f"{name}: {value} is too large for float64") from None
    elif is_masked(value):
        raise TypeError(f"{name}: masked arrays are not accepted; pass the mask as a weight")
    else:
        array = plain_array(name, value)
    if array.dtype.char in _REALS or is_bfloat16(array.dtype):
        return array, _arrays.precision(array)
    if hasattr(value, "get_label"):
        raise TypeError(
            f"{name}: this is a data set of a booster, {type(value).__name__}; a loss is made its "
            "objective by fusedloss.boosting.xgboost(...) or lightgbm(...)"
        )
    if array.dtype.kind in "OSU":
        check_object(name, array)
    raise TypeError(f"{name}: dtype {array.dtype} is not accepted; it must be {_ACCEPTED}")


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Whether this is the bfloat16 of ml_dtypes; if so the kernels learn its number."""
    if dtype.name != "bfloat16" or dtype.itemsize != 2:
        return False
    kernels.set_bfloat16(dtype.num)
    return True


def is_float(dtype: np.dtype[Any]) -> bool:
    char = dtype.char
    return char in _FLOATS or (char not in _REALS and is_bfloat16(dtype))


def is_double(precision: int) -> bool:
    """Whether a call is computed in float64, of the precisions of its operands or-ed together: it
    is if one of them is float64, or none is floating."""
    return precision != 1


def broadcast(name: str, array: Array, shape: tuple[int, ...], what: str = "input") -> Array:
    """The array at `shape`, without a copy."""
    if array.shape == shape:
        return array
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ValueError(
            f"{name}: shape {array.shape} cannot be broadcast to the shape of {what}, {shape}"
        ) from None


def contiguous(array: Array, dtype: Any) -> Array:
    """The numbers of an array in this dtype, in C order and aligned; np.require takes longer."""
    array = np.asarray(array, dtype, order="C")
    return array if array.flags.aligned else array.copy()


def common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """What both broadcast to, if anything; np.broadcast_shapes takes no more than 32 axes."""
    axes = max(len(a), len(b))
    a, b = (1,) * (axes - len(a)) + a, (1,) * (axes - len(b)) + b
    if any(m != n and 1 not in (m, n) for m, n in zip(a, b, strict=True)):
        return None
    return tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
