"""From the arguments of a loss of times to its kernel and back."""

from __future__ import annotations

from math import log
from typing import Any, Final

import numpy as np

from fusedloss._core.groups import stratum_numbers
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import outside_error
from fusedloss._core.operands import broadcast, is_double, is_float, operand
from fusedloss._core.outputs import derivative, outputs, result_tuple
from fusedloss._core.parameters import choice
from fusedloss._core.plans import Plan, Planner
from fusedloss._core.reductions import (
    Upstream,
    check_reduction,
    divisor_for,
    scale_of,
    value_result,
)
from fusedloss._core.threads import threads_for
from fusedloss._core.types import PRODUCT, Array, ArrayLike, Ids, Request

_cox: Final = kernels.modules["cox"]
_MOST: Final = 2**31 - 1  # rows: places are 32-bit integers


# ---- plans -------------------------------------------------------------------------


def _cox_plan(
    time: ArrayLike,
    event: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    strata: Ids | None = None,
    entry: ArrayLike | None = None,
) -> Plan:
    """The order of the rows, and what happens in it: see risk.pxd."""
    t = _column("time", time)
    rows = t.size
    if rows > _MOST:
        raise ValueError(f"time: at most {_MOST} rows are accepted, got {rows}")
    e = _column("event", event, rows)
    w = None if weight is None else _weights(weight, rows)
    numbers, count = (None, 1) if strata is None else stratum_numbers("strata", strata, rows)
    counted = slice(None) if w is None else w != 0
    _refuse("time", t, ~_finite(t), counted, "finite numbers")
    _refuse("event", e, (e != 0) & (e != 1), counted, "0 (censored) and 1 (an event)")
    late = None if entry is None else _entries(entry, t, counted)

    chosen = None if w is None or w.all() else np.flatnonzero(w)
    key = -t.astype(np.float64) if is_float(t.dtype) else ~t.astype(_wide(t.dtype))
    order = _sorted(key, chosen)
    if numbers is not None:
        order = order[np.argsort(numbers[order], kind="stable")]
    happens = e[order] != 0
    new = np.ones(order.size, bool)  # at each place a time that is not the one before
    times = t[order]
    np.not_equal(times[1:], times[:-1], out=new[1:])
    if numbers is not None:
        strata_of = numbers[order]
        new[1:] |= strata_of[1:] != strata_of[:-1]
    if not new.all():  # of one time those without an event first
        again = np.argsort(2 * np.cumsum(new) + happens, kind="stable")
        order, happens = order[again], happens[again]
    places = np.flatnonzero(happens)
    run = np.cumsum(new)[places]
    first = np.ones(places.size, bool)
    np.not_equal(run[1:], run[:-1], out=first[1:])
    starts = places[first]
    sizes = np.diff(np.flatnonzero(first), append=places.size)
    several = sizes > 1
    kinds = happens.astype(np.uint8)
    kinds[places[np.repeat(several, sizes)]] = 2
    ties = np.stack((starts[several], starts[several] + sizes[several]), axis=1)
    bounds = np.array([0, order.size])
    if numbers is not None:
        bounds = np.searchsorted(numbers[order], np.arange(count + 1))
    until = None
    if late is not None:
        until = _last_times(t[order], late[order], starts, bounds)
    weights = None if w is None else w[order].astype(np.float64)
    if weights is not None and (weights == 1).all():
        weights = None
    facts: dict[str, Any] = {"events": places.size}
    facts["strata"] = None if numbers is None else count
    facts["_weight"] = float(places.size if weights is None else weights[places].sum())
    facts["_reach"] = 0.0
    if weights is not None and weights.size:
        facts["_reach"] = 2 * max(-log(weights.min()), log(weights.max()))
    arrays = (
        order.astype(np.int32),
        kinds,
        weights,
        ties.ravel().astype(np.int32),
        bounds.astype(np.int64),
        np.searchsorted(ties[:, 0], bounds).astype(np.int64),
        until,
    )
    return Plan("cox_ph_loss", rows, arrays, facts)


def _column(name: str, value: Any, rows: int | None = None) -> Array:
    array, _ = operand(name, value)
    if array.ndim != 1 or rows not in (None, array.size):
        shape = "(rows,)" if rows is None else f"({rows},) as of time"
        raise ValueError(
            f"{name}: a number for each row is needed, shape {shape}, got {array.shape}"
        )
    return array


def _weights(weight: Any, rows: int) -> Array:
    w = broadcast("weight", operand("weight", weight)[0], (rows,), "time")
    _refuse("weight", w, ~_finite(w) | (w < 0), slice(None), "finite numbers from 0 on")
    return w


def _entries(entry: Any, t: Array, counted: Any) -> Array:
    late = _column("entry", entry, t.size)
    _refuse("entry", late, np.isnan(late), counted, "numbers, and -inf")
    _refuse("entry", late, late >= t, counted, "times before the row's own time")
    return late


def _finite(array: Array) -> Array:
    return np.isfinite(array) if is_float(array.dtype) else np.ones(array.shape, bool)


def _wide(dtype: Any) -> Any:
    return np.uint64 if dtype.kind == "u" else np.int64


def _refuse(name: str, array: Array, bad: Array, counted: Any, accepted: str) -> None:
    """Refuse rows that count and are bad."""
    kept = np.zeros(bad.shape, bool)
    kept[counted] = bad[counted]
    if kept.any():
        error = outside_error(name, array, int(np.argmax(kept)), accepted)
        raise ValueError(str(error))


def _sorted(key: Array, chosen: Array | None) -> Array:
    """Places in rising order of the key, of one key in their own order."""
    if chosen is None:
        return np.argsort(key, kind="stable")
    return chosen[np.argsort(key[chosen], kind="stable")]


def _last_times(times: Array, late: Array, starts: Array, bounds: Array) -> Array:
    """Of each row the last time of events, counted within its stratum from the latest, at which it
    has entered: by bisection, of all rows at once."""
    of_events = times[starts]
    at = np.searchsorted(starts, bounds)  # the events of each stratum
    sizes = np.diff(bounds)
    low, high = np.repeat(at[:-1], sizes), np.repeat(at[1:], sizes)
    base = low
    while np.any(low < high):
        middle = (low + high) // 2
        open_ = low < high
        entered = np.zeros(low.shape, bool)
        entered[open_] = of_events[middle[open_]] > late[open_]
        low = np.where(entered, middle + 1, low)
        high = np.where(open_ & ~entered, middle, high)
    return (low - base - 1).astype(np.int32)


def _check_cox_plan(rows: int, arrays: tuple[Array | None, ...]) -> None:
    _cox.check_plan(rows, arrays)


COX: Final = Planner(_cox_plan, _check_cox_plan)


# ---- the call ----------------------------------------------------------------------


def cox_loss(
    request: Request,
    input: Any,
    time: Any,
    event: Any,
    *,
    ties: str,
    weight: Any,
    strata: Any,
    entry: Any,
    reduction: Any,
    plan: Plan | None,
) -> Any:
    """Evaluate Cox's partial likelihood."""
    order, out = request[0], request[1]
    efron = choice("ties", ties, ("efron", "breslow")) == "efron"
    if not isinstance(reduction, Upstream):
        check_reduction(reduction)
    options = {"weight": weight, "strata": strata, "entry": entry}
    COX.refuse("cox_ph_loss", plan, options)
    x, precision = operand("input", input)
    if x.ndim != 1:
        raise ValueError(f"input: a number for each row is needed, shape (rows,), got {x.shape}")
    rows = x.size
    operands = {"time": time, "event": event}
    found = COX.plan_for(plan, rows, operands, options)
    if found.rows != rows:
        raise ValueError(f"time: {found.rows} rows, but input has {rows}")
    facts = found._facts
    events = float(found.events)
    divisor, _ = divisor_for(reduction, (rows,), events, facts["_weight"], events)
    double = is_double(precision)
    reduced = reduction != "none"
    given = [a for a in (*operands.values(), *options.values()) if isinstance(a, np.ndarray)]
    inputs: tuple[Any, ...] = (x, *given)
    value = grad = hess = direction = None
    if order == PRODUCT:
        direction, more = operand("v", request[3])
        double = is_double(precision | more)
        direction = broadcast("v", direction, x.shape)
        grad = derivative("hvp_out", request[2], x, double, (*inputs, direction))
        reduced = False
    else:
        value, grad, hess = outputs(request, x, double, None if reduced else x.shape, inputs)
    arrays: Any = found._arrays
    rates = None
    if isinstance(reduction, Upstream):
        rates = np.broadcast_to(reduction.numbers, x.shape)[arrays[0]].astype(np.float64)
        if arrays[2] is not None:
            rates *= arrays[2]
    for array in (grad, hess):
        if array is not None and len(arrays[0]) < rows:  # rows without weight
            array[...] = 0
    if value is not None:
        value[...] = 0
    total = _cox.cox(
        order,
        efron,
        double,
        scale_of(divisor, True) if order else 1.0,
        reduced,
        facts["_reach"],
        threads_for(rows),
        (x, value, grad, hess, direction),
        arrays,
        rates,
        None if order == PRODUCT else request[5],
    )
    if order == PRODUCT:
        return grad if request[2] is None else request[2]
    result = value_result(total, value, divisor, True, double, out)
    return result_tuple(request, divisor, result, grad, hess)
