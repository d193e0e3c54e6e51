"""From the arguments of a loss of pairs or triplets of vectors to its kernel and back."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    broadcast,
    check_reduction,
    divisor_of,
    finish,
    is_double,
    number,
    operand,
    outside_error,
    scale_of,
    shown,
    value_output,
)
from fusedloss._dispatch import get_num_threads, kernels
from fusedloss._rows import axes_last, axis_number
from fusedloss._several import Leaves

Parameters = tuple[float, ...]
Score = tuple[str, Parameters]  # its name in kernels/vectors.pyx, and its parameters

_NONE: Final = object()  # no target


def distance(p: Any, eps: float) -> Score:
    """The score that is the p-norm of a difference."""
    power = number("p", p)
    if not power > 0:
        raise ValueError(f"p: a number above 0 or inf is needed, got {p}")
    name = {1.0: "1", 2.0: "2", inf: "inf"}.get(power)
    return (name, (eps,)) if name else ("p", (eps, power))


def run(
    score: Score,
    loss: str,
    parameters: Parameters,
    vectors: tuple[Array, ...],
    target: Array | None,
    weight: Array | None,
    value: Array | None,
    order: int,
    scale: float,
    grads: tuple[Array | None, ...],
    hesses: tuple[Array | None, ...],
    double: bool,
) -> float:
    """Call the kernel; the vectors lie along the last axis. Returns the sum of the values."""
    kernel = kernels.family("vectors")
    name, numbers = score
    more = (None,) * 3
    total: float = kernel.vectors(
        kernel.SCORES[name],
        numbers,
        kernel.LOSSES[loss],
        parameters,
        double,
        order,
        scale,
        get_num_threads() if vectors[0].size > SMALL else 1,
        (
            *(*vectors, None)[:3],
            target,
            weight,
            value,
            *(*grads, *more)[:3],
            *(*hesses, *more)[:3],
        ),
    )
    return total


def view(shape: tuple[int, ...], axis: int) -> Callable[[Array], Array]:
    """What the kernel sees of an array that broadcasts up to a shape: the vectors along the end."""

    def seen(array: Array) -> Array:
        if array.shape != shape:
            array = np.broadcast_to(array, shape)
        return axes_last(array, (axis,))

    return seen


def loss(
    request: Request,
    score: Score,
    loss: str,
    operands: dict[str, Any],
    *,
    leaves: int,
    target: Any = _NONE,
    parameters: Parameters = (),
    axis: Any = -1,
    weight: Any = None,
    reduction: str = "mean",
    accepted: str = "",
) -> Any:
    """Evaluate a loss of scores of vectors, the operands, which broadcast up to the first of them.

    The first `leaves` operands have derivatives; `accepted` says what a target may be.
    """
    order, out, _, _ = request
    arrays = []
    asks = 0
    for name, given in operands.items():
        array, more = operand(name, given)
        asks |= more
        arrays.append(array)
    first, x = next(iter(operands)), arrays[0]
    if x.ndim == 0:
        raise ValueError(f"{first}: at least one dimension is needed, that of the vectors")
    axis = axis_number(x, axis, first)
    shape, rows = x.shape, x.shape[:axis] + x.shape[axis + 1 :]
    for name, array in zip(operands, arrays, strict=True):
        broadcast(name, array, shape, first)
    t = w = given = None
    values = f"{first} without the axis of the vectors"
    if target is not _NONE:
        t, more = operand("target", target)
        asks |= more
        t = broadcast("target", t, rows, values)
    if weight is not None:
        given, more = operand("weight", weight)
        asks |= more
        w = broadcast("weight", given, rows, values)
    double = is_double(asks)
    check_reduction(reduction)
    count = x.size // shape[axis] if shape[axis] else int(np.prod(rows))
    batch = shape[0] if x.ndim > 1 else 1
    by, safe = divisor_of(reduction, float(count), batch, given)
    reduced = reduction != "none"
    inputs = (*arrays, t, w)
    value = value_output(out, None if reduced else rows, double, inputs)
    seen = view(shape, axis)
    made = Leaves(request, double, [(a, seen) for a in arrays[:leaves]], (*inputs, value))
    try:
        total = run(
            score,
            loss,
            parameters,
            tuple(map(seen, arrays)),
            t,
            w,
            value,
            order,
            scale_of(by, safe),
            made.grads,
            made.hesses,
            double,
        )
    except LookupError as error:  # of the target: no other operand has a domain
        raise outside_error("target", t, error.args[1], accepted) from None
    return made.packed(finish(total, by, safe, double, out) if reduced else shown(value, out))


# ---- activations ---------------------------------------------------------------------------


def _common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    """What both broadcast to, if anything; np.broadcast_shapes takes no more than 32 axes."""
    axes = max(len(a), len(b))
    a, b = (1,) * (axes - len(a)) + a, (1,) * (axes - len(b)) + b
    if any(m != n and 1 not in (m, n) for m, n in zip(a, b, strict=True)):
        return None
    return tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))


def _two(x1: Any, x2: Any, axis: Any) -> tuple[Array, Array, int, tuple[int, ...], int]:
    """Two arrays that broadcast to each other: with the demands of their dtypes, the shape and the
    axis in it."""
    a, asks = operand("x1", x1)
    b, more = operand("x2", x2)
    shape = _common_shape(a.shape, b.shape)
    if shape is None:
        raise ValueError(
            f"x2: shape {b.shape} and the shape of x1, {a.shape}, cannot be broadcast to each other"
        )
    if not shape:
        raise ValueError("x1: at least one dimension is needed, that of the vectors")
    return a, b, asks | more, shape, axis_number(np.broadcast_to(a, shape), axis, "x1 and x2")


def similarity(score: Score, x1: Any, x2: Any, axis: Any, keepdims: bool, out: Any) -> Any:
    """A score of pairs of vectors."""
    a, b, asks, shape, axis = _two(x1, x2, axis)
    double = is_double(asks)
    kept = shape[:axis] + (1,) * keepdims + shape[axis + 1 :]
    value: Any = value_output(out, kept, double, (a, b))
    rows = np.squeeze(value, axis) if keepdims else value
    seen = view(shape, axis)
    run(score, "identity", (), (seen(a), seen(b)), None, None, rows, 0, 1.0, (), (), double)
    return shown(value, out)


def similarity_carry_back(
    score: Score, x1: Any, x2: Any, grad_output: Any, axis: Any, keepdims: bool, grad_out: Any
) -> tuple[Array, Array]:
    """The gradient through a score of pairs of vectors."""
    a, b, asks, shape, axis = _two(x1, x2, axis)
    kept = shape[:axis] + (1,) * keepdims + shape[axis + 1 :]
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, kept, "the result")
    double = is_double(asks | more)
    seen = view(shape, axis)
    made = Leaves((1, None, grad_out, None), double, [(a, seen), (b, seen)], (a, b, dy))
    weight = np.squeeze(dy, axis) if keepdims else dy
    vectors = (seen(a), seen(b))
    run(score, "identity", (), vectors, None, weight, None, 1, 1.0, made.grads, (), double)
    return made.packed(None)[1]  # type: ignore[no-any-return]


def normalize(input: Any, axis: Any, eps: float, out: Any) -> Any:
    """x / max(|x|, eps): the derivative of a vector's projection, with respect to that vector."""
    x, asks = operand("input", input)
    axis = _axis(x, axis)
    double = is_double(asks)
    y: Any = value_output(out, x.shape, double, (x,), x)
    seen = view(x.shape, axis)
    both = (seen(x), seen(x))
    grads = (None, seen(y))
    run(("projection", (eps,)), "identity", (), both, None, None, None, 1, 1.0, grads, (), double)
    return shown(y, out)


def normalize_carry_back(
    input: Any, grad_output: Any, axis: Any, eps: float, grad_out: Any
) -> Array:
    """The gradient through `normalize`: that of the projection of `grad_output`."""
    x, asks = operand("input", input)
    axis = _axis(x, axis)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    double = is_double(asks | more)
    seen = view(x.shape, axis)
    made = Leaves((1, None, grad_out, None), double, [(x, seen)], (x, dy))
    both = (seen(x), seen(dy))
    score = ("projection", (eps,))
    run(score, "identity", (), both, None, None, None, 1, 1.0, made.grads, (), double)
    return made.packed(None)[1]  # type: ignore[no-any-return]


def _axis(x: Array, axis: Any) -> int:
    if x.ndim == 0:
        raise ValueError("input: at least one dimension is needed, that of the vectors")
    return axis_number(x, axis)
