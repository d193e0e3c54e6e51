"""What a call returns: arrays for values and derivatives, in the caller's buffers or new ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from fusedloss._core.foreign import buffer_memory, is_masked
from fusedloss._core.kernels import kernels
from fusedloss._core.operands import is_float
from fusedloss._core.tallies import NoTallyError, Tally
from fusedloss._core.types import Array, Request

_arrays: Final = kernels.modules["arrays"]

# How long to look for an element shared by two arrays that interleave.
_MAX_WORK: Any = 10_000


def new_output(like: Array, double: bool) -> Array:
    """An array for the gradient: of the input's shape, and its dtype if that is floating."""
    dtype = like.dtype
    try:
        if dtype.char in "efd" and dtype.isnative:
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
    if _arrays.is_plain_output(buffer, shape, inputs, replaced):
        return buffer  # type: ignore[no-any-return]
    if buffer.__class__ is Tally:
        raise NoTallyError
    buffer = buffer_memory(name, buffer)
    if not isinstance(buffer, np.ndarray) or isinstance(buffer, np.matrix) or is_masked(buffer):
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
        if other is replaced and _arrays.are_same_memory(array, other):
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
    order, out, grad_out, hess_out, _, _ = request
    value = grad = hess = None
    if value_shape is not None or out is not None:
        value = value_output(out, value_shape, double, inputs, x)
    if order > 0:
        if grad_out is None:
            grad = new_output(x, double)
        else:
            replaced = x if in_place else None
            grad = output("grad_out", grad_out, x.shape, (*inputs, out), replaced)
    if order > 1:
        hess = derivative("hess_out", hess_out, x, double, (*inputs, out, grad_out))
    return value, grad, hess


def activation_output(out: Any, x: Array, double: bool) -> Array:
    """The array for an activation's result, which may lie exactly where x lies."""
    if out is not None:
        return output("out", out, x.shape, (x,), x)
    value: Any = value_output(None, x.shape, double, (), x)
    return value  # type: ignore[no-any-return]


def store(array: Array, numbers: Any) -> None:
    """Write numbers into a caller's array; those too large for its dtype are inf, as in kernels,
    without NumPy's warning."""
    with np.errstate(all="ignore"):
        array[...] = numbers


def plain_hessian(request: Request) -> None:
    """Refuse what the kernel of this loss cannot do with second derivatives."""
    if request[5] is not None:
        raise NotImplementedError(
            "hess_scale, hess_floor: of this loss the second derivatives are given as they are; "
            "elementwise losses and those of rows, such as cross entropy, have these options"
        )


def result_tuple(
    request: Request, divisor: float, value: Any, grad: Any, hess: Any, *more: Any
) -> Any:
    """What a call returns: the value, or a tuple with the derivatives that were asked for, and
    with whatever else was. What the caller gave a buffer for is that buffer."""
    order, _, grad_out, hess_out, with_divisor, _ = request
    if with_divisor:
        more = (*more, float(divisor))
    if order == 0:
        return (value, *more) if more else value
    if grad_out is not None:
        grad = grad_out
    if order == 1:
        return (value, grad, *more)
    return (value, grad, hess if hess_out is None else hess_out, *more)


def unwrap_scalar(value: Array | None, out: Any) -> Any:
    """What a caller gets of an array of values: without dimensions a scalar, as from NumPy."""
    if out is not None:
        return out
    return value if value is None or value.ndim else value[()]


# ---- several inputs with derivatives -----------------------------------------------

#: An input, and the view that the kernel has of an array of its shape; None: the array itself.
Differentiated = tuple[Array, Callable[[Array], Array] | None]


class Unwanted:
    """Stands for a buffer of what an adapter has no use for: a derivative in a tuple, or the value
    of an elementwise loss that has such tuples."""

    def __reduce__(self) -> str:
        return "UNWANTED"


UNWANTED: Final = Unwanted()


class Gradients:
    """The derivatives with respect to some inputs, in the caller's buffers or new arrays.

    Where the kernel's view repeats elements, as that of a broadcast input does, its results are
    added up in float64 arrays of the input's own shape, and must be added there by one thread. With
    `in_place` a gradient may lie exactly where its input lies. With `may_lack` the kernel can leave
    out those that are unwanted, which are None then.
    """

    def __init__(
        self,
        request: Request,
        double: bool,
        differentiated: Sequence[Differentiated],
        inputs: tuple[Any, ...],
        in_place: bool = False,
        may_lack: bool = False,
    ) -> None:
        self._request = request
        order, out, *buffers = request[:4]
        self._results: list[list[Any]] = []
        self._sums: list[tuple[Array, Array]] = []
        views: list[tuple[Any, ...]] = []
        others = [*inputs, out]
        for name, given in zip(("grad_out", "hess_out")[:order], buffers, strict=False):
            results: list[Any] = []
            seen: list[Any] = []
            for part, buffer, (like, view) in zip(
                *_parts(name, given, len(differentiated)), differentiated, strict=True
            ):
                if buffer is UNWANTED:
                    buffer = None
                    if may_lack:
                        results.append(None)
                        seen.append(None)
                        continue
                replaced = like if in_place and name == "grad_out" else None
                result = derivative(part, buffer, like, double, tuple(others), replaced)
                others.append(result)
                results.append(result if buffer is None else buffer)
                target = result if view is None else view(result)
                if view is not None and target.size != result.size:
                    sums = np.zeros(like.shape)
                    self._sums.append((result, sums))
                    target = view(sums)
                if target.shape != like.shape:
                    target.flags.writeable = True  # of a broadcast view it is not
                seen.append(target)
            self._results.append(results)
            views.append(tuple(seen))
        #: Arrays for the kernel; none where they are not asked for.
        self.grads, self.hesses = (*views, (), ())[:2]

    def result(self, value: Any, divisor: float = 1.0, *more: Any) -> Any:
        """What the call returns; `more` is what else was asked for."""
        for result, sums in self._sums:
            store(result, sums)
        parts = [tuple(r) if len(r) > 1 else r[0] for r in self._results]
        order, _, _, _, with_divisor, _ = self._request
        request = (order, None, None, None, with_divisor, None)
        return result_tuple(request, divisor, value, *(*parts, None, None)[:2], *more)


def _parts(name: str, buffers: Any, count: int) -> tuple[list[str], tuple[Any, ...]]:
    """The buffers one by one, with names for errors."""
    if count == 1:
        return [name], (buffers,)
    names = [f"{name}[{k}]" for k in range(count)]
    if buffers is None:
        return names, (None,) * count
    if not isinstance(buffers, tuple) or len(buffers) != count:
        raise TypeError(
            f"{name}: a tuple of {count} arrays or None is needed, as this loss has {count} "
            f"gradients; got {type(buffers).__name__}"
        )
    return names, buffers
