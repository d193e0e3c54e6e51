"""From the arguments of a loss of pairs or triplets of vectors to its kernel and back."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, Final

import numpy as np

from fusedloss._core.axes import axes_last, axis_number
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import outside_error
from fusedloss._core.operands import broadcast, common_shape, is_double, operand
from fusedloss._core.outputs import Gradients, plain_hessian, unwrap_scalar, value_output
from fusedloss._core.parameters import integer, number
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    lifted,
    scale_of,
    value_result,
    value_weights,
)
from fusedloss._core.tallies import Tally, take_tally
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_vectors: Final = kernels.modules["vectors"]

Parameters = tuple[float, ...]
#: A function of two vectors: its number in kernels/, and its parameters.
Score = tuple[int, Parameters]

_NONE: Final = object()  # no target


def named_score(name: str) -> Callable[..., Score]:
    """A score of kernels/, as a function of its parameters."""
    number: int = kernels.number("vectors", "SCORES", name)
    return lambda *parameters: (number, parameters)


class VectorLoss:
    """A loss of scores of kernels/. It has derivatives with respect to so many operands, from the
    first; `accepted` says what a target may be."""

    __slots__ = ("accepted", "differentiated", "number")

    def __init__(self, name: str, differentiated: int = 2, accepted: str = "") -> None:
        self.differentiated = differentiated
        self.accepted = accepted
        self.number: int = kernels.number("vectors", "LOSSES", name)


_NORM: Final = named_score("p")
_NORMS: Final = {1.0: named_score("1"), 2.0: named_score("2"), inf: named_score("inf")}
_PROJECTION: Final = named_score("projection")
_IDENTITY: Final = VectorLoss("identity")


def distance(p: Any, eps: float) -> Score:
    """The score that is the p-norm of a difference."""
    power = number("p", p)
    if not power > 0:
        raise ValueError(f"p: a number above 0 or inf is needed, got {p}")
    norm = _NORMS.get(power)
    return norm(eps) if norm else _NORM(eps, power)


def _run(
    score: Score,
    vectors: tuple[Array, ...],
    double: bool,
    grads: tuple[Array | None, ...] = (),
    hesses: tuple[Array | None, ...] = (),
    order: int = 0,
    scale: float = 1.0,
    value: Array | None = None,
    weight: Array | None = None,
    loss: VectorLoss = _IDENTITY,
    parameters: Parameters = (),
    target: Array | None = None,
    tally: Tally | None = None,
) -> float:
    """Call the kernel; the vectors lie along the last axis. Returns the sum of the values."""
    kind, numbers = score
    more = (None,) * 3
    total: float = _vectors.vectors(
        kind,
        numbers,
        loss.number,
        parameters,
        double,
        order,
        scale,
        threads_for(vectors[0].size),
        (
            *(*vectors, None)[:3],
            target,
            weight,
            value,
            *(*grads, *more)[:3],
            *(*hesses, *more)[:3],
        ),
        None if tally is None else tally.sum,
    )
    return total


def _kernel_view(shape: tuple[int, ...], axis: int) -> Callable[[Array], Array]:
    """What the kernel sees of an array that broadcasts up to a shape: the vectors along the end."""

    def view(array: Array) -> Array:
        if array.shape != shape:
            array = np.broadcast_to(array, shape)
        return axes_last(array, (axis,))

    return view


def vector_loss(
    request: Request,
    loss: VectorLoss,
    score: Score,
    operands: dict[str, Any],
    *,
    target: Any = _NONE,
    parameters: Parameters = (),
    axis: Any = -1,
    weight: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """Evaluate a loss of scores of vectors: the operands, which broadcast up to the first one."""
    plain_hessian(request)
    axis = integer("axis", axis)
    check_reduction(reduction)
    request, tally = take_tally(request)
    order, out = request[0], request[1]
    arrays = []
    precision = 0
    for name, given in operands.items():
        array, more = operand(name, given)
        precision |= more
        arrays.append(array)
    first, x = next(iter(operands)), arrays[0]
    if x.ndim == 0:
        raise ValueError(f"{first}: at least one dimension is needed, that of the vectors")
    axis = axis_number(x, axis, first)
    shape, rows = x.shape, x.shape[:axis] + x.shape[axis + 1 :]
    for name, array in zip(operands, arrays, strict=True):
        broadcast(name, array, shape, first)
    t: Any = None
    values = f"{first} without the axis of the vectors"
    if target is not _NONE:
        t, more = operand("target", target)
        precision |= more
        t = broadcast("target", t, rows, values)
    weights = value_weights(
        weight, sample_weight, where, rows, values, reduction, tally is not None
    )
    inputs = (*arrays, t, *weights.given)
    double = is_double(precision | weights.precision)
    counts = weights.count, weights.total, weights.nonzero
    if tally is None:
        divisor, zero_if_empty = divisor_for(reduction, shape if rows else (), *counts)
        w, scaled = lifted(weights.product, divisor)
    else:
        tally.begin(counts, double, shape, (axis,), of_values=1)
        divisor, zero_if_empty = tally.divisor
        w, scaled, reduction = weights.product, divisor, "sum"
    value = value_output(out, None if reduction != "none" else rows, double, inputs)
    view = _kernel_view(shape, axis)
    gradients = Gradients(
        request, double, [(a, view) for a in arrays[: loss.differentiated]], (*inputs, value)
    )
    try:
        total = _run(
            score,
            tuple(map(view, arrays)),
            double,
            gradients.grads,
            gradients.hesses,
            order,
            scale_of(scaled, zero_if_empty),
            value,
            w,
            loss,
            parameters,
            t,
            tally,
        )
    except LookupError as error:  # of the target: no other operand has a domain
        raise outside_error("target", t, error.args[1], loss.accepted) from None
    if tally is not None:
        return gradients.result(tally, divisor)
    result = value_result(total, value, scaled, zero_if_empty, double, out)
    return gradients.result(result, divisor)


# ---- activations ---------------------------------------------------------------------------


def _two(x1: Any, x2: Any, axis: Any) -> tuple[Array, Array, int, tuple[int, ...], int]:
    """Two arrays that broadcast to each other: with the precision of both, the shape and the
    axis in it."""
    a, precision = operand("x1", x1)
    b, more = operand("x2", x2)
    shape = common_shape(a.shape, b.shape)
    if shape is None:
        raise ValueError(
            f"x2: shape {b.shape} and the shape of x1, {a.shape}, cannot be broadcast to each other"
        )
    if not shape:
        raise ValueError("x1: at least one dimension is needed, that of the vectors")
    return a, b, precision | more, shape, axis_number(np.broadcast_to(a, shape), axis, "x1 and x2")


def similarity(score: Score, x1: Any, x2: Any, axis: Any, keepdims: bool, out: Any) -> Any:
    """A score of pairs of vectors."""
    a, b, precision, shape, axis = _two(x1, x2, axis)
    double = is_double(precision)
    kept = shape[:axis] + (1,) * keepdims + shape[axis + 1 :]
    value: Any = value_output(out, kept, double, (a, b))
    rows = np.squeeze(value, axis) if keepdims else value
    view = _kernel_view(shape, axis)
    _run(score, (view(a), view(b)), double, value=rows)
    return unwrap_scalar(value, out)


def similarity_vjp(
    score: Score, x1: Any, x2: Any, grad_output: Any, axis: Any, keepdims: bool, grad_out: Any
) -> tuple[Array, Array]:
    """The gradient through a score of pairs of vectors."""
    a, b, precision, shape, axis = _two(x1, x2, axis)
    kept = shape[:axis] + (1,) * keepdims + shape[axis + 1 :]
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, kept, "the result")
    double = is_double(precision | more)
    view = _kernel_view(shape, axis)
    gradients = Gradients(
        (1, None, grad_out, None, False, None), double, [(a, view), (b, view)], (a, b, dy)
    )
    weight = np.squeeze(dy, axis) if keepdims else dy
    _run(score, (view(a), view(b)), double, gradients.grads, weight=weight, order=1)
    return gradients.result(None)[1]  # type: ignore[no-any-return]


def normalize(input: Any, axis: Any, eps: float, out: Any) -> Any:
    """x / max(|x|, eps): the derivative of a vector's projection, with respect to that vector."""
    x, precision = operand("input", input)
    axis = _axis(x, axis)
    double = is_double(precision)
    y: Any = value_output(out, x.shape, double, (x,), x)
    view = _kernel_view(x.shape, axis)
    _run(_PROJECTION(eps), (view(x), view(x)), double, (None, view(y)), order=1)
    return unwrap_scalar(y, out)


def normalize_vjp(input: Any, grad_output: Any, axis: Any, eps: float, grad_out: Any) -> Array:
    """The gradient through `normalize`: that of the projection of `grad_output`."""
    x, precision = operand("input", input)
    axis = _axis(x, axis)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    double = is_double(precision | more)
    view = _kernel_view(x.shape, axis)
    gradients = Gradients((1, None, grad_out, None, False, None), double, [(x, view)], (x, dy))
    _run(_PROJECTION(eps), (view(x), view(dy)), double, gradients.grads, order=1)
    return gradients.result(None)[1]  # type: ignore[no-any-return]


def _axis(x: Array, axis: Any) -> int:
    if x.ndim == 0:
        raise ValueError("input: at least one dimension is needed, that of the vectors")
    return axis_number(x, axis)
