"""The triplet margin loss of any distance: of a function that the caller gives.

Like `_all_pairs` it calls public losses, so it stands beside their modules.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import numpy as np

from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import Gradients, value_output
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    scale_of,
    value_result,
    value_weights,
)
from fusedloss._core.types import Array, Request
from fusedloss.binary import margin_ranking_loss


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


def triplet_margin_of_distances(
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
    check_reduction(reduction)
    if not callable(function):
        kind = type(function).__name__
        raise TypeError(f"distance_function: a function is needed, got {kind}")
    order, out = min(request[0], 1), request[1]
    given, precisions = zip(*(operand(name, x) for name, x in operands.items()), strict=True)
    first, shape = next(iter(operands)), given[0].shape
    for name, x in zip(operands, given, strict=True):
        broadcast(name, x, shape, first)
    factors = {"weight": weight, "sample_weight": sample_weight}
    more = [operand(name, w)[1] for name, w in factors.items() if w is not None]
    double = is_double(reduce(or_, (*precisions, *more)))
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
    w = value_weights(weight, sample_weight, where, near.shape, "the distances", reduction)
    divisor, zero_if_empty = divisor_for(reduction, near.shape, w.count, w.total, w.nonzero)
    inputs = (*given, *w.given)
    value = value_output(out, None if reduction != "none" else near.shape, double, inputs)
    gradients = Gradients(
        (order, *request[1:]), double, [(x, None) for x in given], (*inputs, value)
    )
    # max(0, m - t (d(a, c) - d(a, b))) with t = 1
    evaluate = margin_ranking_loss.value_and_grad if order else margin_ranking_loss
    results = evaluate(
        np.minimum(far, other) if swap else far,
        near,
        1.0,
        margin=margin,
        weight=w.product,
        reduction="none",
    )
    each, slopes = results if order else (results, [])
    each, idle = np.asarray(each), None if w.product is None else w.product == 0
    with np.errstate(all="ignore"):
        for part in slopes:
            part *= part.dtype.type(scale_of(divisor, zero_if_empty))
        if idle is not None:
            for part in (each, *slopes):
                np.copyto(part, 0, where=idle)
        if order:
            to_far, to_near = slopes
            pairs = [(0, 1, to_near), (0, 2, to_far)]
            if swap:
                share = np.where(far == other, 0.5, far < other).astype(dtype)
                pairs[1:] = [(1, 2, to_far * (1 - share)), (0, 2, to_far * share)]
            _carry_all(d, (a, b, c), pairs, idle, gradients.grads)
        total = 0.0
        if value is None:
            total = float(each.sum(dtype=np.float64))
        else:
            value[...] = each
    return gradients.result(
        value_result(total, value, divisor, zero_if_empty, double, out), divisor
    )


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
