"""From the arguments of an elementwise loss to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    broadcast,
    check_reduction,
    divisor,
    finish,
    is_double,
    operand,
    outputs,
    packed,
    scale_of,
    shown,
)
from fusedloss._dispatch import Arrays, get_num_threads, kernels

_TINY: Final = float(np.finfo(np.float32).tiny)
_HUGE: Final = float(np.finfo(np.float32).max)


def elementwise(
    request: Request,
    formula: str,
    input: Any,
    target: Any,
    *,
    parameters: tuple[float, ...] = (),
    weight: Any = None,
    third: Any = None,
    third_name: str = "",
    reduction: str = "mean",
    mean_by_weight: bool = False,
) -> Any:
    """Evaluate a formula of kernels/formulas.pxi.

    `target`, `weight` and the third operand broadcast up to `input`. `mean_by_weight` says that
    torch's mean of this loss divides by the sum of the weights.
    """
    x, asks = operand("input", input)
    t, more = operand("target", target)
    asks |= more
    shape = x.shape
    if t.shape != shape:
        t = broadcast("target", t, shape)
    u = w = given = None
    if third is not None:
        u, more = operand(third_name, third)
        u = broadcast(third_name, u, shape)
        asks |= more
    if weight is not None:
        given, more = operand("weight", weight)
        w = broadcast("weight", given, shape)
        asks |= more
    double = is_double(asks)
    order, out, _, _ = request
    size = x.size
    if type(reduction) is not str:
        check_reduction(reduction)
    if parameters and not double:
        _check_range(formula, parameters)
    if reduction == "mean" and not (w is not None and mean_by_weight):
        by, safe = float(size), False
    else:
        check_reduction(reduction)
        by, safe = _divisor(reduction, x, given)
    reduced = reduction != "none"
    value = grad = hess = None
    if order or out is not None or not reduced:
        value, grad, hess = outputs(request, x, double, None if reduced else shape, (x, t, u, w))
    total = kernels.elementwise(
        kernels.FORMULA_NUMBERS[formula],
        parameters,
        double,
        order,
        scale_of(by, safe),
        reduced,
        get_num_threads() if size > SMALL else 1,
        (x, t, u, w, value, grad, hess),
    )
    result = finish(total, by, safe, double, out) if reduced else shown(value, out)
    return packed(order, result, grad, hess)


def _divisor(reduction: str, x: Array, weight: Array | None) -> tuple[float, bool]:
    """The weight is the one given, which is not broadcast yet."""
    weights = nonzero = float(x.size)
    if weight is not None and reduction in ("mean", "weighted_mean", "sum_by_nonzero_weights"):
        repeats = x.size / weight.size if weight.size else 0.0
        total, count = kernels.scan_weights(weight)
        weights, nonzero = total * repeats, count * repeats
    return divisor(reduction, weights, x.shape[0] if x.ndim else 1, weights, nonzero)


def _check_range(formula: str, parameters: tuple[float, ...]) -> None:
    for x in parameters:
        if x and not _TINY <= abs(x) <= _HUGE:
            raise ValueError(
                f"{formula}: the parameter {x} is out of the range of float32, in which this call "
                "is computed; pass float64 arrays"
            )


def _map(formula: str, double: bool, order: int, arrays: Arrays) -> None:
    """Run a formula without parameters, scale or sum."""
    number, threads = kernels.FORMULA_NUMBERS[formula], get_num_threads()
    kernels.elementwise(number, (), double, order, 1.0, False, threads, arrays)


def carry_back(formula: str, input: Any, grad_output: Any, grad_out: Any) -> Array:
    """The gradient through an elementwise function: its derivative times `grad_output`."""
    x, asks = operand("input", input)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    double = is_double(asks | more)
    grad: Any = outputs((1, None, grad_out, None), x, double, None, (x, dy))[1]
    _map(formula, double, 1, (x, None, None, dy, None, grad, None))
    return grad  # type: ignore[no-any-return]


def apply(formula: str, input: Any, out: Any) -> Any:
    """An elementwise function of one array."""
    x, asks = operand("input", input)
    double = is_double(asks)
    value: Any = outputs((0, out, None, None), x, double, x.shape, (x,))[0]
    _map(formula, double, 0, (x, None, None, None, value, None, None))
    return shown(value, out)
