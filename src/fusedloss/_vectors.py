"""From the arguments of a loss of pairs or triplets of vectors to its kernel and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import inf, prod
from operator import or_
from typing import Any, Final, NamedTuple

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    broadcast,
    check_reduction,
    common_shape,
    divisor,
    finish,
    integer,
    is_double,
    lifted,
    number,
    operand,
    outside_error,
    scale_of,
    shown,
    value_output,
)
from fusedloss._dispatch import get_num_threads, kernels
from fusedloss._elementwise import elementwise
from fusedloss._rows import axes_last, axis_number
from fusedloss._several import Leaf, Leaves

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


class Weights(NamedTuple):
    """What values are multiplied by, and what reductions make of that."""

    each: Array | None  # of the shape of the values; 0 takes a value out
    given: tuple[Array, ...]  # the arguments, as arrays: no buffer may share their memory
    asks: int  # of their dtypes
    counted: float  # how many values are not left out by `where`
    total: float  # of the weights
    nonzero: float  # how many of these are not 0
    there: Array | None = None  # which values are not left out, if some may be


def weights(
    weight: Any,
    sample_weight: Any,
    where: Any,
    shape: tuple[int, ...],
    what: str,
    reduction: str,
) -> Weights:
    """The product of the weights, 0 where a value is left out; all broadcast up to `shape`."""
    count = float(prod(shape))
    given, factors, asks = [], [], 0
    for name, value in (("weight", weight), ("sample_weight", sample_weight)):
        if value is not None:
            array, more = operand(name, value)
            asks |= more
            given.append(array)
            factors.append(broadcast(name, array, shape, what))
    if where is None and len(factors) < 2:
        each, total, nonzero = (*factors, None)[0], count, count
        if each is not None and reduction in ("weighted_mean", "sum_by_nonzero_weights"):
            repeats = count / given[0].size if given[0].size else 0.0
            total, nonzero = (x * repeats for x in kernels.scan_weights(given[0]))
        return Weights(each, tuple(given), asks, count, total, nonzero)
    each, there = np.ones(shape), None
    with np.errstate(all="ignore"):
        for factor in factors:
            each *= factor
    for factor in factors:
        np.copyto(each, 0, where=factor == 0)  # also 0 times nan
    if where is not None:
        mask, _ = operand("where", where)  # whose dtype asks for nothing
        given.append(mask)
        there = broadcast("where", mask, shape, what) != 0
        np.copyto(each, 0, where=~there)
        count = float(np.count_nonzero(there))
    with np.errstate(all="ignore"):
        total = float(each.sum())
    nonzero = float(np.count_nonzero(each))
    return Weights(each, tuple(given), asks, count, total, nonzero, there)


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
    sample_weight: Any = None,
    where: Any = None,
    reduction: str = "mean",
    accepted: str = "",
) -> Any:
    """Evaluate a loss of scores of vectors, the operands, which broadcast up to the first of them.

    The first `leaves` operands have derivatives; `accepted` says what a target may be.
    """
    axis = integer("axis", axis)
    check_reduction(reduction)
    order, out = request[0], request[1]
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
    t: Any = None
    values = f"{first} without the axis of the vectors"
    if target is not _NONE:
        t, more = operand("target", target)
        asks |= more
        t = broadcast("target", t, rows, values)
    batch = shape[0] if rows else 1
    w = None
    inputs = (*arrays, t)
    if weight is None and sample_weight is None and where is None:
        count = prod(rows)
        by, safe = divisor(reduction, count, batch, count, count)
    else:
        given = weights(weight, sample_weight, where, rows, values, reduction)
        w, inputs = given.each, (*inputs, *given.given)
        asks |= given.asks
        by, safe = divisor(reduction, given.counted, batch, given.total, given.nonzero)
    double = is_double(asks)
    w, divided = lifted(w, by)
    reduced = reduction != "none"
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
            scale_of(divided, safe),
            made.grads,
            made.hesses,
            double,
        )
    except LookupError as error:  # of the target: no other operand has a domain
        raise outside_error("target", t, error.args[1], accepted) from None
    result = finish(total, divided, safe, double, out) if reduced else shown(value, out)
    return made.packed(result, by)


# ---- any distance --------------------------------------------------------------------------


class _Distance:
    """A function of two arrays that gives distances, and whose vjp carries gradients back."""

    def __init__(self, function: Any, order: int, dtype: Any) -> None:
        if order and not callable(getattr(function, "vjp", None)):
            raise TypeError(
                "distance_function: a method vjp(x1, x2, grad_output) is needed for gradients, as "
                f"pairwise_distance has; {type(function).__name__} has none"
            )
        self._function, self._dtype = function, dtype

    def __call__(self, x: Array, y: Array) -> Array:
        distances, _ = operand("distance_function: its distances", self._function(x, y))
        with np.errstate(all="ignore"):
            return distances.astype(self._dtype, copy=False)

    def carry_back(self, x: Array, y: Array, grad_output: Array) -> list[Array]:
        result = self._function.vjp(x, y, grad_output)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            got = type(result).__name__
            if isinstance(result, (tuple, list)):
                got += f" of {len(result)}"
            raise TypeError(
                f"distance_function: a tuple of two arrays is needed from its vjp, got {got}"
            )
        grads = [operand("distance_function: a gradient of its vjp", g)[0] for g in result]
        for g, like in zip(grads, (x, y), strict=True):
            if g.shape != like.shape:
                raise ValueError(
                    "distance_function: gradients of the shape of its operands, "
                    f"{like.shape}, are needed from its vjp, got shape {g.shape}"
                )
        return grads


def of_distances(
    request: Request,
    function: Any,
    operands: dict[str, Any],
    *,
    margin: float,
    swap: bool,
    weight: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """The triplet margin loss of distances that a function gives."""
    check_reduction(reduction)
    if not callable(function):
        kind = type(function).__name__
        raise TypeError(f"distance_function: a function is needed, got {kind}")
    order, out = min(request[0], 1), request[1]
    given, asks = zip(*(operand(name, x) for name, x in operands.items()), strict=True)
    first, shape = next(iter(operands)), given[0].shape
    for name, x in zip(operands, given, strict=True):
        broadcast(name, x, shape, first)
    factors = {"weight": weight, "sample_weight": sample_weight}
    more = [operand(name, w)[1] for name, w in factors.items() if w is not None]
    double = is_double(reduce(or_, (*asks, *more)))
    dtype = np.float64 if double else np.float32
    d = _Distance(function, order, dtype)
    with np.errstate(all="ignore"):
        a, b, c = (broadcast("", x.astype(dtype, copy=False), shape) for x in given)
    near, far = d(a, b), d(a, c)
    other = d(b, c) if swap else far
    if not near.shape == far.shape == other.shape:
        raise ValueError(
            "distance_function: distances of one shape are needed, got "
            + ", ".join(str(x.shape) for x in (near, far, other)[: 3 if swap else 2])
        )
    values = "the distances"
    w = weights(weight, sample_weight, where, near.shape, values, reduction)
    batch = near.shape[0] if near.ndim else 1
    by, safe = divisor(reduction, w.counted, batch, w.total, w.nonzero)
    inputs = (*given, *w.given)
    reduced = reduction != "none"
    value = value_output(out, None if reduced else near.shape, double, inputs)
    leaves: list[Leaf] = [(x, lambda array: array) for x in given]
    made = Leaves((order, *request[1:]), double, leaves, (*inputs, value))
    # max(0, m - t (d(a, c) - d(a, b))) with t = 1
    results = elementwise(
        (order, None, None, None, False),
        "margin_ranking",
        np.minimum(far, other) if swap else far,
        1.0,
        parameters=(margin,),
        third=near,
        third_name="distance_function",
        weight=w.each,
        reduction="none",
        input_name="distance_function",
    )
    each, slopes = results if order else (results, [])
    each, idle = np.asarray(each), None if w.each is None else w.each == 0
    with np.errstate(all="ignore"):
        for part in slopes:
            part *= part.dtype.type(scale_of(by, safe))
        if idle is not None:
            for part in (each, *slopes):
                np.copyto(part, 0, where=idle)
        if order:
            to_far, to_near = slopes
            pairs = [(0, 1, to_near), (0, 2, to_far)]
            if swap:
                share = np.where(far == other, 0.5, far < other).astype(dtype)
                pairs[1:] = [(1, 2, to_far * (1 - share)), (0, 2, to_far * share)]
            _carry_all(d, (a, b, c), pairs, idle, made.grads)
        if reduced:
            total = float(each.sum(dtype=np.float64))
            return made.packed(finish(total, by, safe, double, out), by)
        value[...] = each  # type: ignore[index]
    return made.packed(shown(value, out), by)


def _carry_all(
    d: _Distance,
    vectors: tuple[Array, ...],
    pairs: list[tuple[int, int, Array]],
    idle: Array | None,
    results: tuple[Array, ...],
) -> None:
    """Add up the gradients of distances, each of two of the vectors, and write them."""
    totals: list[Any] = [0, 0, 0]
    for i, j, grad_output in pairs:
        for k, g in zip((i, j), d.carry_back(vectors[i], vectors[j], grad_output), strict=True):
            if idle is not None and g.shape[: idle.ndim] == idle.shape:
                g = np.where(idle.reshape(idle.shape + (1,) * (g.ndim - idle.ndim)), 0, g)
            totals[k] = totals[k] + g
    for total, result in zip(totals, results, strict=True):
        more = total.ndim - result.ndim
        repeated = [k for k, n in enumerate(total.shape) if k < more or n != result.shape[k - more]]
        if repeated:
            total = total.sum(axis=tuple(repeated), dtype=np.float64)
        result[...] = total.reshape(result.shape)


# ---- activations ---------------------------------------------------------------------------


def _two(x1: Any, x2: Any, axis: Any) -> tuple[Array, Array, int, tuple[int, ...], int]:
    """Two arrays that broadcast to each other: with the demands of their dtypes, the shape and the
    axis in it."""
    a, asks = operand("x1", x1)
    b, more = operand("x2", x2)
    shape = common_shape(a.shape, b.shape)
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
    made = Leaves((1, None, grad_out, None, False), double, [(a, seen), (b, seen)], (a, b, dy))
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
    made = Leaves((1, None, grad_out, None, False), double, [(x, seen)], (x, dy))
    both = (seen(x), seen(dy))
    score = ("projection", (eps,))
    run(score, "identity", (), both, None, None, None, 1, 1.0, made.grads, (), double)
    return made.packed(None)[1]  # type: ignore[no-any-return]


def _axis(x: Array, axis: Any) -> int:
    if x.ndim == 0:
        raise ValueError("input: at least one dimension is needed, that of the vectors")
    return axis_number(x, axis)
