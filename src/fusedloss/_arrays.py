"""Operands, outputs and reductions: the rules that hold for every loss."""

from __future__ import annotations

from math import copysign, inf, isnan, nan
from operator import index
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from fusedloss._dispatch import kernels

Array: TypeAlias = npt.NDArray[Any]
ArrayLike: TypeAlias = npt.ArrayLike
Reduction: TypeAlias = Literal[
    "mean", "sum", "none", "batchmean", "weighted_mean", "sum_by_nonzero_weights"
]
#: What a caller wants: 0 the value, 1 the gradient too, 2 the second derivative too; buffers for
#: these; and whether the call also returns what the sum is divided by.
Request: TypeAlias = tuple[int, Any, Any, Any, bool]

REDUCTIONS: Final = (
    "mean",
    "sum",
    "none",
    "batchmean",
    "weighted_mean",
    "sum_by_nonzero_weights",
)

#: Up to this size no call is split over threads, so their number need not be looked up.
SMALL: Final = kernels.SMALL

# How long to look for an element shared by two arrays that interleave.
_MAX_WORK: Any = 10_000

_FLOATS: Final = frozenset("efd")
_REALS: Final = frozenset("?bhilqpBHILQPefd")
_ACCEPTED = "boolean, integer, float16, bfloat16, float32 or float64"


def operand(name: str, value: Any) -> tuple[Array, int]:
    """The value as an array, and what its dtype asks of the computation: 2 for float64, 1 for a
    narrower float, 0 for integers and for numbers that are no arrays."""
    asks = kernels.asks(value)
    if asks >= 0:
        return value, asks
    if type(value) is np.ndarray:
        array = value
    elif type(value) is bool:
        return np.asarray(value), 0
    elif type(value) in (int, float):
        try:
            return np.asarray(value, dtype=np.float64), 0
        except OverflowError:
            raise ValueError(f"{name}: {value} is too large for float64") from None
    elif isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: masked arrays are not accepted; pass the mask as a weight")
    else:
        array = _converted(name, value)
    if array.dtype.char in _REALS or is_bfloat16(array.dtype):
        return array, kernels.asks(array)
    raise TypeError(f"{name}: dtype {array.dtype} is not accepted; it must be {_ACCEPTED}")


def _converted(name: str, value: Any) -> Array:
    """The value as an array. What its own conversion raises stays as it is, but for the name."""
    try:
        return np.asarray(value)
    except Exception as error:
        if getattr(value, "requires_grad", False) and hasattr(value, "detach"):
            text = f"{name}: call detach() first, as this tensor requires grad: {name}.detach()"
        else:
            text = f"{name}: cannot be made an array: {error}"
        error.args = (text,)
        if name not in str(error):  # of a type with a text of its own
            error.add_note(text)
        raise


def number(name: str, value: Any) -> float:
    """A parameter that must be a real number."""
    if type(value) is float:
        return value
    try:
        if not isinstance(value, (str, bytes, bytearray)):
            return float(value)
    except OverflowError:
        raise ValueError(f"{name}: {value} is too large for float64") from None
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name}: a number is needed, got {type(value).__name__}")


def positive(name: str, value: Any) -> float:
    """A parameter that must be positive and finite."""
    x = number(name, value)
    if not 0 < x < inf:
        raise ValueError(f"{name}: a positive finite number is needed, got {value}")
    return x


def finite(name: str, value: Any, low: float = -inf, high: float = inf) -> float:
    """A parameter that must be finite, and not lie below `low` or above `high`."""
    x = number(name, value)
    if not (low <= x <= high and -inf < x < inf):
        if low == -inf:
            limits = "" if high == inf else f", {high:g} or less,"
        else:
            limits = f", {low:g} or more," if high == inf else f" from {low:g} to {high:g}"
        raise ValueError(f"{name}: a finite number{limits} is needed, got {value}")
    return x


def integer(name: str, value: Any) -> int:
    """A parameter that must be an integer."""
    try:
        return index(None if type(value) is bool else value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: an integer is needed, got {type(value).__name__}") from None


def flag(name: str, value: Any) -> bool:
    """A parameter that must be true or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: True or False is needed, got {value!r}")
    return bool(value)


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    """Whether this is the bfloat16 of ml_dtypes; if so the kernels learn its number."""
    if dtype.name != "bfloat16" or dtype.itemsize != 2:
        return False
    kernels.set_bfloat16(dtype.num)
    return True


def is_float(dtype: np.dtype[Any]) -> bool:
    char = dtype.char
    return char in _FLOATS or (char not in _REALS and is_bfloat16(dtype))


def is_double(asks: int) -> bool:
    """Whether the operands, whose demands are or-ed together, are computed in float64: where one
    of them is float64, or none is floating."""
    return asks != 1


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


def common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """What both broadcast to, if anything; np.broadcast_shapes takes no more than 32 axes."""
    axes = max(len(a), len(b))
    a, b = (1,) * (axes - len(a)) + a, (1,) * (axes - len(b)) + b
    if any(m != n and 1 not in (m, n) for m, n in zip(a, b, strict=True)):
        return None
    return tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))


def new_output(like: Array, double: bool) -> Array:
    """An array for the gradient: of the input's shape, and its dtype if that is floating."""
    dtype = like.dtype
    try:
        if dtype.char in _FLOATS and dtype.isnative:
            return np.empty_like(like)
        if not is_float(dtype):
            return np.empty_like(like, np.float64 if double else np.float32)
        return np.empty_like(like, dtype.newbyteorder("="))
    except ValueError as error:  # so NumPy calls arrays of more bytes than can be counted
        raise MemoryError(f"no memory for a derivative of shape {like.shape}: {error}") from None


def output(
    name: str,
    buffer: Any,
    shape: tuple[int, ...],
    inputs: tuple[Any, ...],
    replaced: Array | None = None,
) -> Array:
    """The caller's buffer as a plain array, if it can be written to without harm.

    It must share no memory with the inputs, but may lie exactly where `replaced` lies, which is one
    of them. A subclass may claim anything of itself, so it is its plain array that is looked at.
    """
    if kernels.is_plain_output(buffer, shape, inputs, replaced):
        return buffer  # type: ignore[no-any-return]
    if not isinstance(buffer, np.ndarray) or isinstance(buffer, (np.ma.MaskedArray, np.matrix)):
        raise TypeError(f"{name}: a NumPy array is needed, got {type(buffer).__name__}")
    array = np.asarray(buffer)
    if not is_float(array.dtype) or not array.dtype.isnative:
        raise TypeError(
            f"{name}: dtype {array.dtype} is not accepted; it must be float16, bfloat16, float32 "
            "or float64 in native byte order"
        )
    if array.shape != shape:
        raise ValueError(f"{name}: shape {shape} is needed, got {array.shape}")
    if not array.flags.writeable:
        raise ValueError(f"{name}: the array is read-only")
    if not array.flags.c_contiguous and _overlaps_itself(array):
        raise ValueError(f"{name}: its elements share memory with each other")
    for other in inputs:
        if other is None or not np.may_share_memory(array, other):
            continue
        if other is replaced and kernels.are_same_memory(array, other):
            replaced = None  # no other input must lie there
        elif _shares(array, np.asarray(other)):
            raise ValueError(f"{name}: shares memory with an input or another output")
    return array


def _shares(a: Array, b: Array) -> bool:
    try:
        return np.shares_memory(a, b, max_work=_MAX_WORK)
    except np.exceptions.TooHardError:
        return True


def _overlaps_itself(array: Array) -> bool:
    """Whether two elements may share memory: a step that does not clear what lies inside it."""
    reach = array.itemsize
    for step, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1:
            if step < reach:
                return True
            reach += step * (length - 1)
    return False


def derivative(
    name: str,
    buffer: Any,
    like: Array,
    double: bool,
    others: tuple[Any, ...],
    replaced: Array | None = None,
) -> Array:
    """The array for a derivative with respect to `like`: the caller's buffer or a new one."""
    if buffer is None:
        return new_output(like, double)
    return output(name, buffer, like.shape, others, replaced)


def value_output(
    out: Any,
    shape: tuple[int, ...] | None,
    double: bool,
    inputs: tuple[Any, ...],
    like: Array | None = None,
) -> Array | None:
    """The array for values of this shape: the caller's or a new one, in memory like another of the
    same shape; None where they are reduced, and a buffer without dimensions is only checked."""
    if shape is None:
        if out is not None:
            output("out", out, (), inputs)
        return None
    if out is not None:
        return output("out", out, shape, inputs)
    dtype = np.float64 if double else np.float32
    try:
        if like is not None and like.shape == shape:
            return np.empty_like(like, dtype, subok=False)
        return np.empty(shape, dtype)
    except ValueError as error:
        raise MemoryError(f"no memory for values of shape {shape}: {error}") from None


def outputs(
    request: Request,
    x: Array,
    double: bool,
    value_shape: tuple[int, ...] | None,
    inputs: tuple[Any, ...],
    in_place: bool = False,
) -> tuple[Array | None, Array | None, Array | None]:
    """Arrays for value (None where it is reduced), gradient and second derivative. With `in_place`
    the gradient may lie exactly where x lies."""
    order, out, grad_out, hess_out, _ = request
    grad = hess = None
    value = value_output(out, value_shape, double, inputs, x)
    if order > 0:
        replaced = x if in_place else None
        grad = derivative("grad_out", grad_out, x, double, (*inputs, out), replaced)
    if order > 1:
        hess = derivative("hess_out", hess_out, x, double, (*inputs, out, grad_out))
    return value, grad, hess


def activation_output(out: Any, x: Array, double: bool) -> Array:
    """The array for an activation's result, which may lie exactly where x lies."""
    if out is not None:
        return output("out", out, x.shape, (x,), x)
    value: Any = value_output(None, x.shape, double, (), x)
    return value  # type: ignore[no-any-return]


def check_reduction(reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(f"reduction: must be one of {', '.join(REDUCTIONS)}; got {reduction!r}")


def divisor(
    reduction: str, mean: float, batch: float, weights: float, nonzero: float
) -> tuple[float, bool]:
    """What the sum is divided by, and whether 0/0 is 0 (TensorFlow's rule) rather than nan."""
    if reduction == "mean":
        return mean, False
    if reduction == "batchmean":
        return batch, False
    if reduction == "weighted_mean":
        return weights, True
    if reduction == "sum_by_nonzero_weights":
        return nonzero, True
    return 1.0, False


def divisor_of(
    reduction: str,
    count: float,
    batch: float,
    weight: Array | None,
    mean_by_weight: bool = False,
    where: Array | None = None,
) -> tuple[float, bool]:
    """`divisor` for `count` values with a weight each, of those that `where` does not leave out.

    Weight and mask are those given, which are not broadcast yet. `mean_by_weight` says that "mean"
    divides by the weights, too.
    """
    counted = count if where is None else _repeated(count, where)[1]
    weights = nonzero = counted
    if weight is not None and (
        mean_by_weight or reduction in ("weighted_mean", "sum_by_nonzero_weights")
    ):
        weights, nonzero = _repeated(count, weight, where)
    return divisor(reduction, weights if mean_by_weight else counted, batch, weights, nonzero)


def _repeated(count: float, weight: Array, where: Array | None = None) -> tuple[float, float]:
    """The sum of the weights of `count` values, and how many are not 0."""
    if where is not None:
        shape = common_shape(weight.shape, where.shape) or ()  # both broadcast up to the input's
        weight, where = np.broadcast_to(weight, shape), np.broadcast_to(where, shape)
    repeats = count / weight.size if weight.size else 0.0
    total, items = kernels.scan_weights(weight, where)
    return total * repeats, items * repeats


def lifted(weight: Any, by: float) -> tuple[Any, float]:
    """Weights and their sum, times a power of two where the sum's inverse would overflow."""
    if weight is None or not 0 < abs(by) < 2.0**-1020:
        return weight, by
    return weight * 2.0**200, by * 2.0**200


def scale_of(divisor: float, safe: bool) -> float:
    """What derivatives are multiplied by."""
    if divisor:
        return 1.0 / divisor
    return 0.0 if safe else inf


def put(array: Array, numbers: Any) -> None:
    """Write numbers into a caller's array; those too large for its dtype are inf, as in kernels,
    without NumPy's warning."""
    with np.errstate(all="ignore"):
        array[...] = numbers


def finish(total: float, divisor: float, safe: bool, double: bool, out: Array | None) -> Any:
    """The reduced value as a scalar of the computation's dtype, or in the caller's 0-d array."""
    if divisor:
        total /= divisor
    elif safe:
        total = 0.0
    else:
        total = nan if total == 0 or isnan(total) else copysign(inf, total)
    if out is None:
        return kernels.scalar(total, double)
    kernels.store_scalar(np.asarray(out), total, double)
    return out


def packed(request: Request, by: float, value: Any, grad: Any, hess: Any, *more: Any) -> Any:
    """What a call returns: the value, or a tuple with the derivatives that were asked for, and
    with whatever else was. What the caller gave a buffer for is that buffer."""
    order, _, grad_out, hess_out, with_divisor = request
    if with_divisor:
        more = (*more, float(by))
    if order == 0:
        return (value, *more) if more else value
    if grad_out is not None:
        grad = grad_out
    if order == 1:
        return (value, grad, *more)
    return (value, grad, hess if hess_out is None else hess_out, *more)


def shown(value: Array | None, out: Any) -> Any:
    """What a caller gets of an array of values: without dimensions a scalar, as from NumPy."""
    if out is not None:
        return out
    return value if value is None or value.ndim else value[()]


def outside_error(name: str, array: Array, position: int, accepted: str | None) -> ValueError:
    """What is wrong with the element that a kernel found outside of a domain; its position counts
    the elements in C order, and is below 0 where none was found once more."""
    if position < 0:
        return ValueError(f"{name}: the values changed during the call; accepted are {accepted}")
    index = tuple(map(int, np.unravel_index(position, array.shape)))
    where = f" at [{', '.join(map(str, index))}]" if index else ""
    return ValueError(f"{name}: the value{where} is {array[index]}; accepted are {accepted}")
