"""From the arguments of an elementwise loss to its kernel and back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._core.kernels import kernels
from fusedloss._core.labels import outside_error
from fusedloss._core.loss import OperandsReached, Unread
from fusedloss._core.operands import broadcast, is_double, operand
from fusedloss._core.outputs import (
    UNWANTED,
    Differentiated,
    Gradients,
    activation_output,
    derivative,
    outputs,
    result_tuple,
    unwrap_scalar,
    value_output,
)
from fusedloss._core.parameters import are_in_range, check_range, flag, number
from fusedloss._core.reductions import (
    check_reduction,
    exact_counts,
    lifted,
    scale_of,
    value_result,
    weighted_divisor,
)
from fusedloss._core.tallies import take_tally
from fusedloss._core.threads import threads_for
from fusedloss._core.types import NATURAL, PRODUCT, RHO, Array, Request

_elementwise: Final = kernels.modules["elementwise"]


class Formula:
    """A formula of kernels/, and what a call needs to know of it.

    `input`, `target`, `third` and `fourth` are the names of its operands. With
    `third_may_lack_axis` the third may be without the last axis; `third_has_precision` and
    `fourth_has_precision` say whether its dtype counts for that of the computation. `accepted`
    completes "accepted are" for the operands that have a domain; `mean_by_weight` says that torch's
    mean of this loss divides by the sum of the weights. One that knows its Fisher information has
    `kind_of` what is asked for as its first parameter.
    """

    __slots__ = (
        "accepted",
        "by_fourth",
        "by_third",
        "fourth",
        "fourth_has_precision",
        "input",
        "mean_by_weight",
        "name",
        "number",
        "rho",
        "target",
        "third",
        "third_has_precision",
        "third_may_lack_axis",
    )

    def __init__(
        self,
        name: str,
        accepted: dict[str, str] | None = None,
        *,
        input: str = "input",
        target: str = "target",
        third: str = "",
        fourth: str = "",
        third_may_lack_axis: bool = False,
        third_has_precision: bool = True,
        fourth_has_precision: bool = True,
        mean_by_weight: bool = False,
    ) -> None:
        self.name = name
        self.accepted = accepted or {}
        self.input = input
        self.target = target
        self.third = third
        self.fourth = fourth
        self.third_may_lack_axis = third_may_lack_axis
        self.third_has_precision = third_has_precision
        self.fourth_has_precision = fourth_has_precision
        self.mean_by_weight = mean_by_weight
        #: Whether there are derivatives with respect to the third and the fourth operand too.
        self.by_third: bool
        self.by_fourth: bool
        self.number, self.by_third, self.by_fourth = kernels.number("elementwise", "FORMULAS", name)
        #: The same as a function of a squared residual, if there is that.
        self.rho: int | None = _elementwise.FORMULAS.get(f"{name}_rho", (None,))[0]


def kind_of(fisher: bool) -> float:
    """The first parameter of a formula with Fisher information: as the kernels number it."""
    return 1.0 if flag("fisher", fisher) else 0.0


_NATURAL: Final = 2.0


def elementwise(
    request: Request,
    formula: Formula,
    input: Any,
    target: Any,
    third: Any = None,
    fourth: Any = None,
    *,
    parameters: tuple[float, ...] = (),
    weight: Any = None,
    where: Any = None,
    reduction: str = "mean",
) -> Any:
    """Evaluate a formula. All other operands broadcast up to `input`."""
    if type(reduction) is not str or reduction != "mean":
        check_reduction(reduction)
    try:
        x, precision = operand(formula.input, input)
    except OperandsReached as reached:
        reached.computation = _bound(formula, parameters, third, fourth)
        raise
    t, more = operand(formula.target, target)
    precision |= more
    shape = x.shape
    if t.shape != shape:
        t = broadcast(formula.target, t, shape, formula.input)
    u = s = w = weight_given = mask = direction = None
    if third is not None or formula.third:
        u, more = operand(formula.third, third)
        if formula.third_has_precision:
            precision |= more
    if formula.fourth:
        s, more = operand(formula.fourth, fourth)
        if formula.fourth_has_precision:
            precision |= more
    if weight is not None:
        weight_given, more = operand("weight", weight)
        w = broadcast("weight", weight_given, shape, formula.input)
        precision |= more
    if where is not None:
        where = operand("where", where)[0]
        mask = broadcast("where", where, shape, formula.input)
    request, tally = take_tally(request)
    order, out = request[0], request[1]
    if order == NATURAL:
        parameters, order = (_NATURAL, *parameters[1:]), 1
        request = (order, *request[1:])
    valued = out is not UNWANTED
    if not valued:
        out = None
        request = (order, None, *request[2:])
    if order == RHO:
        return _rho(formula, x, precision, parameters, out)
    if order == PRODUCT:
        direction, more = operand("v", request[3])
        direction = broadcast("v", direction, shape, formula.input)
        precision |= more
    double = is_double(precision)
    size = x.size
    if parameters and not double:
        check_range(formula.name, parameters)
    divisor: float
    if tally is not None:
        counts = exact_counts(shape, weight_given, where, formula.mean_by_weight)
        tally.begin(counts, double, shape)
        divisor, zero_if_empty = tally.divisor
        reduction = "sum"
    elif reduction == "mean" and mask is None and not (w is not None and formula.mean_by_weight):
        divisor, zero_if_empty = size, False
    else:
        divisor, zero_if_empty = weighted_divisor(
            reduction, shape, weight_given, where, formula.mean_by_weight
        )
    scaled_weight, scaled = w, divisor
    if w is not None and tally is None:
        scaled_weight, scaled = lifted(w, divisor)
    reduced = reduction != "none"
    value = grad = hess = gradients = None
    others: tuple[Any, ...] = (None, None, None, None)
    third_given: Any = u
    fourth_given: Any = s
    given: tuple[Any, ...] = (x, t, u, s, w, mask)
    if s is not None:
        s = broadcast(formula.fourth, s, shape, formula.input)
    if u is not None:
        lacks_axis = formula.third_may_lack_axis and u.shape == shape[:-1] != shape
        u = broadcast(formula.third, u[..., np.newaxis] if lacks_axis else u, shape, formula.input)
    if direction is not None:
        hess = derivative("hvp_out", request[2], x, double, (*given, direction))
    elif order and (formula.by_third or formula.by_fourth):

        def view(array: Array) -> Array:
            return array if array.shape == shape else np.broadcast_to(array, shape)

        def view_of_third(array: Array) -> Array:
            return view(array[..., np.newaxis] if lacks_axis else array)

        differentiated: list[Differentiated] = [(x, None)]
        if formula.by_third:
            differentiated.append((third_given, view_of_third))
        if formula.by_fourth:
            differentiated.append((fourth_given, view))
        if t is third_given:
            given = (x, *given[2:])
        value = value_output(out, None if reduced else shape, double, given, x)
        gradients = Gradients(
            request, double, differentiated, (*given, value), in_place=True, may_lack=True
        )
        pairs = zip(gradients.grads, gradients.hesses or (None,) * 3, strict=False)
        grad, hess = next(pairs)
        others = (
            *(next(pairs) if formula.by_third else (None, None)),
            *(next(pairs) if formula.by_fourth else (None, None)),
        )
    elif order or out is not None or not reduced:
        value, grad, hess = outputs(request, x, double, None if reduced else shape, given, True)
    operands = (x, t, u, s, scaled_weight, mask, direction)
    arrays: tuple[Any, ...] = (*operands, value, grad, hess, *others)
    try:
        total = _elementwise.elementwise(
            formula.number,
            parameters,
            double,
            order if direction is None else 2,
            scale_of(scaled, zero_if_empty) if order else 1.0,
            reduced and valued and direction is None,
            threads_for(size),
            arrays,
            request[5],
            None if tally is None else tally.part(),
        )
    except LookupError as error:
        which, position = error.args
        name = (formula.input, formula.target, formula.third, formula.fourth)[which]
        raise outside_error(name, arrays[which], position, formula.accepted.get(name)) from None
    if direction is not None:
        return hess if request[2] is None else request[2]
    if tally is not None:
        return tally if order == 0 else (tally, grad if gradients is None else gradients.grads)
    result = value_result(total, value, scaled, zero_if_empty, double, out)
    if gradients is not None:
        return gradients.result(result, divisor)
    return result_tuple(request, divisor, result, grad, hess)


def _bound(
    formula: Formula, parameters: tuple[float, ...], third: Any, fourth: Any
) -> tuple[Any, ...] | None:
    """What `OperandsReached` says of a formula. A third operand that is an option may be a number;
    a fourth one must be, as C's functions have no place for it."""
    if formula.fourth and type(fourth) is Unread:
        return None
    has_third = third is not None or bool(formula.third)
    given, unknown = None, ""
    if third is not None and type(third) is not Unread:
        if np.ndim(third):
            unknown = formula.third
        else:
            given = number(formula.third, third)
    if formula.fourth:
        if np.ndim(fourth):
            unknown = formula.fourth
        else:
            fourth = number(formula.fourth, fourth)
    floats = are_in_range(parameters)
    return "elementwise", unknown, formula.number, parameters, has_third, given, fourth, floats


def _rho(
    formula: Formula, z: Array, precision: int, parameters: tuple[float, ...], out: Any
) -> Any:
    """ρ(z) = 2 l(√z) and its first two derivatives, along a new first axis."""
    if formula.rho is None:
        raise NotImplementedError(formula.name)
    double = is_double(precision)
    if parameters and not double:
        check_range(formula.name, parameters)
    result = value_output(out, (3, *z.shape), double, (z,))
    assert result is not None
    rows = (result[k, ...] for k in range(3))
    arrays = (z, *(None,) * 6, *rows, *(None,) * 4)
    threads = threads_for(z.size)
    _elementwise.elementwise(formula.rho, parameters, double, 2, 1.0, False, threads, arrays)
    return result if out is None else out


# ---- activations -------------------------------------------------------------------


def _map(formula: Formula, double: bool, order: int, *arrays: Array | None) -> None:
    """Run a formula without parameters, scale or sum: on x, weight, value, gradient."""
    x, weight, value, grad = arrays
    assert x is not None
    operands = (x, None, None, None, weight, None, None, value, grad, *(None,) * 5)
    _elementwise.elementwise(
        formula.number, (), double, order, 1.0, False, threads_for(x.size), operands
    )


def activate(formula: Formula, input: Any, out: Any) -> Any:
    """An elementwise function of one array."""
    x, precision = operand("input", input)
    double = is_double(precision)
    value = activation_output(out, x, double)
    _map(formula, double, 0, x, None, value, None)
    return unwrap_scalar(value, out)


def activate_vjp(formula: Formula, input: Any, grad_output: Any, grad_out: Any) -> Array:
    """The gradient through an elementwise function: its derivative times `grad_output`."""
    x, precision = operand("input", input)
    dy, more = operand("grad_output", grad_output)
    dy = broadcast("grad_output", dy, x.shape)
    double = is_double(precision | more)
    grad = derivative("grad_out", grad_out, x, double, (x, dy), x)
    _map(formula, double, 1, x, dy, None, grad)
    return grad if grad_out is None else grad_out
