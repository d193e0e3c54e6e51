"""From the arguments of an elementwise loss to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._arrays import (
    SMALL,
    Array,
    Request,
    activation_output,
    broadcast,
    check_reduction,
    derivative,
    divisor_of,
    finish,
    is_double,
    lifted,
    operand,
    outputs,
    outside_error,
    packed,
    scale_of,
    shown,
    value_output,
)
from fusedloss._dispatch import Arrays, get_num_threads, kernels
from fusedloss._several import Leaf, Leaves

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
    third_axis: bool = False,
    third_asks: bool = True,
    input_name: str = "input",
    accepted: dict[str, str] | None = None,
    where: Any = None,
    reduction: str = "mean",
    mean_by_weight: bool = False,
) -> Any:
    """Evaluate a formula of kernels/.

    `target`, `weight`, `where` and the third operand broadcast up to `input`; `third_axis` says
    that the last may lack the last axis, `third_asks` whether its dtype counts for that of the
    computation. A paired formula has derivatives with respect to the third operand too, of that
    one's shape. `accepted` completes "accepted are" for the operands that have a domain;
    `mean_by_weight` says that torch's mean of this loss divides by the sum of the weights.
    """
    if type(reduction) is not str or reduction != "mean":
        check_reduction(reduction)
    x, asks = operand(input_name, input)
    t, more = operand("target", target)
    asks |= more
    shape = x.shape
    if t.shape != shape:
        t = broadcast("target", t, shape, input_name)
    u = w = given = mask = None
    run, number, paired = kernels.FORMULAS[formula]
    if third is not None or paired:
        u, more = operand(third_name, third)
        asks |= more if third_asks else 0
    if weight is not None:
        given, more = operand("weight", weight)
        w = broadcast("weight", given, shape, input_name)
        asks |= more
    if where is not None:
        where = operand("where", where)[0]
        mask = broadcast("where", where, shape, input_name)
    double = is_double(asks)
    order, out = request[0], request[1]
    size = x.size
    if parameters and not double:
        check_range(formula, parameters)
    if reduction == "mean" and mask is None and not (w is not None and mean_by_weight):
        by, safe = float(size), False
    else:
        batch = shape[0] if shape else 1
        by, safe = divisor_of(reduction, float(size), batch, given, mean_by_weight, where)
    heavy, divided = w, by
    if w is not None:
        heavy, divided = lifted(w, by)
    reduced = reduction != "none"
    value = grad = hess = gu = hu = leaves = None
    own: Any = u
    if u is not None:
        lacks_axis = third_axis and u.shape == shape[:-1] != shape
        u = broadcast(third_name, u[..., np.newaxis] if lacks_axis else u, shape, input_name)
    if paired and order:

        def spread(array: Array) -> Array:
            if array.shape == shape:
                return array
            return np.broadcast_to(array[..., np.newaxis] if lacks_axis else array, shape)

        both: list[Leaf] = [(x, lambda array: array), (own, spread)]
        value = value_output(out, None if reduced else shape, double, (x, t, u, w, mask), x)
        others = (x, None if t is own else t, own, w, mask, value)
        leaves = Leaves(request, double, both, others, in_place=True)
        (grad, gu), (hess, hu) = leaves.grads, leaves.hesses or (None, None)
    elif order or out is not None or not reduced:
        value, grad, hess = outputs(
            request, x, double, None if reduced else shape, (x, t, u, w, mask), in_place=True
        )
    arrays: Arrays = (x, t, u, heavy, mask, value, grad, hess, gu, hu)
    try:
        total = run(
            number,
            parameters,
            double,
            order,
            scale_of(divided, safe),
            reduced,
            get_num_threads() if size > SMALL else 1,
            arrays,
        )
    except LookupError as error:
        which, position = error.args
        name = (input_name, "target", third_name)[which]
        raise outside_error(name, arrays[which], position, (accepted or {}).get(name)) from None
    result = finish(total, divided, safe, double, out) if reduced else shown(value, out)
    if leaves is not None:
        return leaves.packed(result, by)
    return packed(request, by, result, grad, hess)


def check_range(formula: str, parameters: tuple[float, ...]) -> None:
    """Parameters of a call that is computed in float32."""
    for x in parameters:
        if x and not _TINY <= abs(x) <= _HUGE:
            raise ValueError(
                f"{formula}: the parameter {x} is out of the range of float32, in which this call "
                "is computed; pass float64 arrays"
            )


def _map(formula: str, double: bool, order: int, *arrays: Array | None) -> None:
    """Run a formula without parameters, scale or sum: on x, weight, value, gradient."""
    run, number, _ = kernels.FORMULAS[formula]
    x, weight, value, grad = arrays
    operands = (x, None, None, weight, None, value, grad, None, None, None)
    run(number, (), double, order, 1.0, False, get_num_threads(), operands)


def carry_back(formula: str, input: Any, grad_output: Any, grad_out: Any) -> Array:
    """The gradient through an elementwise function: its derivative times `grad_output`."""
    x, asks = operand("input", input)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    double = is_double(asks | more)
    grad = derivative("grad_out", grad_out, x, double, (x, dy), x)
    _map(formula, double, 1, x, dy, None, grad)
    return grad if grad_out is None else grad_out


def apply(formula: str, input: Any, out: Any) -> Any:
    """An elementwise function of one array."""
    x, asks = operand("input", input)
    double = is_double(asks)
    value = activation_output(out, x, double)
    _map(formula, double, 0, x, None, value, None)
    return shown(value, out)
