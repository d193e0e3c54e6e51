"""From the arguments of a loss of groups of consecutive rows to its kernel and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from fusedloss._core.groups import group_offsets
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import outside_error
from fusedloss._core.operands import broadcast, is_double, is_float, operand
from fusedloss._core.outputs import UNWANTED, derivative, outputs, result_tuple
from fusedloss._core.parameters import check_range, choice
from fusedloss._core.plans import Plan, Planner
from fusedloss._core.reductions import (
    Upstream,
    check_reduction,
    divisor_for,
    scale_of,
    value_result,
)
from fusedloss._core.threads import threads_for
from fusedloss._core.types import PRODUCT, Array, Request

_groups: Final = kernels.modules["groups"]
_cox: Final = kernels.modules["cox"]
_MOST: Final = 2**31 - 1  # rows: places are 32-bit integers
_EXACT: Final = 2**53  # whole numbers below are exact as float64
#: How many elements of other losses a row is worth where work is divided among threads, if a plan
#: does not say.
_EFFORT: Final = 4


class GroupedRows:
    """The rows of groups that count: what a plan of such a loss begins with.

    `label` is what each row has, called so in errors; `refused` says of labels which are not
    accepted. Rows that `where` leaves out, and those of groups without weight, are not there,
    whatever they hold.
    """

    def __init__(
        self,
        name: str,
        label: Any,
        group_sizes: Any,
        group_ids: Any,
        where: Any,
        weight: Any,
        refused: Callable[[Array], Any],
        accepted: str,
    ) -> None:
        labels, _ = operand(name, label)
        if labels.ndim != 1:
            raise ValueError(
                f"{name}: a number for each row is needed, shape (rows,), got {labels.shape}"
            )
        self.size = labels.size
        if self.size > _MOST:
            raise ValueError(f"{name}: at most {_MOST} rows are accepted, got {self.size}")
        self.offsets = group_offsets(self.size, group_sizes, group_ids)
        self.weights: Array | None = None
        self.precision = 0  # that of the weights asks for
        there = None
        if where is not None:
            mask, _ = operand("where", where)
            there = broadcast("where", mask, (self.size,), name) != 0
        if weight is not None:
            groups = (len(self.offsets) - 1,)
            given, self.precision = operand("weight", weight)
            self.weights = broadcast("weight", given, groups, "the groups").astype(np.float64)
            if not self.weights.all():
                counted = np.repeat(self.weights != 0, np.diff(self.offsets))
                there = counted if there is None else there & counted
        #: The rows' numbers, at the place of each; None: all in their own order.
        self.rows: Array | None = None
        if there is not None and not there.all():
            self.rows = np.flatnonzero(there).astype(np.int32)
            self.offsets = np.searchsorted(self.rows, self.offsets).astype(np.int64)
        #: What they have.
        self.labels = labels if self.rows is None else labels[self.rows]
        bad = np.asarray(refused(self.labels))
        if bad.any():
            place = int(np.argmax(bad))
            place = place if self.rows is None else int(self.rows[place])
            raise ValueError(str(outside_error(name, labels, place, accepted)))

    @property
    def sizes(self) -> Array:
        """How many rows each group has."""
        return np.diff(self.offsets)

    def numbers(self) -> Array:
        """The number of each row's group."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.sizes)

    def sort(self) -> None:
        """Put the rows of each group in rising order of their labels; of one label the last comes
        first, so that backwards the order is the one that a stable sort makes."""
        labels, starts = self.labels, self.offsets[:-1]
        numbers = self.numbers()
        low, high = (labels.min(), labels.max()) if labels.size else (0, 0)
        if is_float(labels.dtype) or -_EXACT < int(low) <= int(high) < _EXACT:
            # One pass over what is sorted by groups already.
            key = np.empty(labels.size, np.complex128)
            key.real, key.imag = numbers, labels
            key.imag *= -1
            order = np.argsort(key, kind="stable")
        else:
            order = np.argsort(~labels, kind="stable")
            order = order[np.argsort(numbers[order], kind="stable")]
        turned = np.repeat(starts + self.offsets[1:] - 1, self.sizes) - np.arange(labels.size)
        order = order[turned]
        self.labels = labels[order]
        self.rows = (order if self.rows is None else self.rows[order]).astype(np.int32)

    def plan(self, loss: str, *columns: Array | None, **facts: Any) -> Plan:
        """The plan, with what the loss needs of each place and each group."""
        kept = self.sizes > 0
        weights = self.weights
        counted = kept if weights is None else kept & (weights != 0)
        count = float(np.count_nonzero(counted))
        facts = {"groups": len(kept), **facts, "_count": count, "_weight": count}
        facts["_precision"] = self.precision
        if weights is not None:
            facts["_weight"] = float(weights[counted].sum())
        return Plan(loss, self.size, (self.offsets, self.rows, weights, *columns), facts)


def is_nan(labels: Array) -> Any:
    """Which labels are refused where any number is accepted."""
    return np.isnan(labels) if is_float(labels.dtype) else False


def is_negative(labels: Array) -> Any:
    """Which labels are refused where finite numbers from 0 on are accepted."""
    return ~((labels >= 0) & (labels < np.inf)) if is_float(labels.dtype) else labels < 0


class GroupLoss:
    """A kernel of groups, and how its plans are made."""

    def __init__(
        self,
        name: str,
        plan: Callable[..., Plan],
        check: Callable[[tuple[Any, ...]], None] | None = None,
    ) -> None:
        self.number: int = kernels.number("groups", "GROUPS", name)

        def check_all(rows: int, arrays: tuple[Array | None, ...]) -> None:
            _groups.check_plan(self.number, rows, arrays)
            if check is not None:
                check(arrays)

        self.planner = Planner(plan, check_all)


class GroupCall:
    """The operands of a call of a loss with a plan of groups, and what it returns."""

    def __init__(
        self,
        request: Request,
        loss: str,
        planner: Planner,
        input: Any,
        operands: Mapping[str, Any],
        options: Mapping[str, Any],
        reduction: Any,
        plan: Plan | None,
        extra: tuple[str, Any] | None = None,
    ) -> None:
        if not isinstance(reduction, Upstream):
            check_reduction(reduction)
        planner.refuse(loss, plan, options)
        self.request = request
        x, precision = operand("input", input)
        if x.ndim != 1:
            raise ValueError(
                f"input: a number for each row is needed, shape (rows,), got {x.shape}"
            )
        self.x = x
        self.extra: Array | None = None
        given = [a for a in (*operands.values(), *options.values()) if isinstance(a, np.ndarray)]
        if extra is not None and extra[1] is not None:
            column, more = operand(*extra)
            precision |= more
            self.extra = broadcast(extra[0], column, x.shape)
            given.append(column)
        self.plan = planner.plan_for(plan, x.size, operands, options)
        if self.plan.rows != x.size:
            raise ValueError(
                f"{next(iter(operands))}: {self.plan.rows} rows, but input has {x.size}"
            )
        facts = self.plan._facts
        precision |= facts["_precision"]
        shape = (facts["groups"],)
        self.direction: Array | None = None
        if request[0] == PRODUCT:
            v, more = operand("v", request[3])
            precision |= more
            self.direction = broadcast("v", v, x.shape)
            given.append(v)
        self.double = is_double(precision)
        self.divisor, self.zero_if_empty = divisor_for(
            reduction, x.shape, facts["_count"], facts["_weight"], facts["_count"]
        )
        self.summed = reduction != "none"
        if request[1] is UNWANTED:
            self.summed = False
            self.request = request = (request[0], None, *request[2:])
        self.value: Array | None = None
        self.grad: Array | None = None
        self.hess: Array | None = None
        if self.direction is not None:
            self.summed = True
            self.grad = derivative("hvp_out", request[2], x, self.double, (x, *given))
        else:
            self.value, self.grad, self.hess = outputs(
                request, x, self.double, None if self.summed else shape, (x, *given)
            )
        #: What the values are multiplied by, if not the weights.
        self.rates: Array | None = None
        arrays = self.plan._arrays
        if isinstance(reduction, Upstream):
            self.rates = np.broadcast_to(reduction.numbers, shape).astype(np.float64)
            if arrays[2] is not None:
                self.rates = self.rates * arrays[2]
        rows = arrays[1]
        for made in (self.grad, self.hess):
            if made is not None and rows is not None and len(rows) < x.size:
                made[...] = 0
        if self.value is not None:
            self.value[...] = 0

    @property
    def scale(self) -> float:
        """The factor of the derivatives."""
        return scale_of(self.divisor, self.zero_if_empty) if self.request[0] else 1.0

    def result(self, total: float) -> Any:
        """What the call returns, from the sum of the values."""
        if self.direction is not None:
            return self.grad if self.request[2] is None else self.request[2]
        value = value_result(
            total, self.value, self.divisor, self.zero_if_empty, self.double, self.request[1]
        )
        return result_tuple(self.request, self.divisor, value, self.grad, self.hess)


def group_loss(
    request: Request,
    loss: GroupLoss,
    name: str,
    input: Any,
    operands: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    parameters: tuple[float, ...] = (),
    extra: tuple[str, Any, str] | None = None,
    reduction: Any,
    plan: Plan | None,
) -> Any:
    """Evaluate a loss of a number for each group.

    `operands` and `options` are those that a plan stands for. `extra` is what each row has besides
    in this call: its name, itself, and which numbers are accepted.
    """
    call = GroupCall(
        request,
        name,
        loss.planner,
        input,
        operands,
        options,
        reduction,
        plan,
        None if extra is None else extra[:2],
    )
    if not call.double:
        check_range(name, parameters)
    try:
        total = _groups.groups(
            loss.number,
            parameters,
            request[0],
            call.double,
            call.scale,
            call.summed,
            call.plan._facts.get("_effort", _EFFORT),
            threads_for(call.x.size),
            (call.x, call.extra, call.value, call.grad, call.hess),
            call.plan._arrays,
            call.rates,
            request[5],
        )
    except LookupError:
        assert extra is not None and call.extra is not None
        rows = call.plan._arrays[1]
        there = call.extra if rows is None else call.extra[rows]
        place = int(np.argmax(is_outside_unit(there)))
        place = place if rows is None else int(rows[place])
        raise ValueError(str(outside_error(extra[0], call.extra, place, extra[2]))) from None
    return call.result(total)


def is_outside_unit(numbers: Array) -> Any:
    """Which numbers are less than 0 or more than 1."""
    return (numbers < 0) | (numbers > 1)


# ---- XE-NDCG -----------------------------------------------------------------------


def _xe_ndcg_plan(
    relevance: Any,
    *,
    group_sizes: Any = None,
    group_ids: Any = None,
    where: Any = None,
    weight: Any = None,
) -> Plan:
    """2 to the power of each relevance, in the scale of the largest one of its group."""
    rows = GroupedRows(
        *("relevance", relevance, group_sizes, group_ids, where, weight),
        is_negative,
        "finite numbers from 0 on",
    )
    levels = rows.labels.astype(np.float64)
    most = np.zeros(len(rows.offsets) - 1)
    kept = rows.sizes > 0
    if kept.any():
        most[kept] = np.maximum.reduceat(levels, rows.offsets[:-1][kept])
    levels -= np.repeat(most, rows.sizes)
    return rows.plan("xe_ndcg_loss", np.exp2(levels), np.exp2(-most))


XE_NDCG: Final = GroupLoss("xe_ndcg", _xe_ndcg_plan)


# ---- conditional logit ---------------------------------------------------------------


def _conditional_logit_plan(
    chosen: Any,
    *,
    group_sizes: Any = None,
    group_ids: Any = None,
    where: Any = None,
    weight: Any = None,
) -> Plan:
    """Which rows are chosen."""
    rows = GroupedRows(
        *("chosen", chosen, group_sizes, group_ids, where, weight),
        lambda labels: (labels != 0) & (labels != 1),
        "0 and 1 (chosen)",
    )
    of_rows = rows.labels.astype(np.float64)
    counts = np.diff(np.append(0.0, np.cumsum(of_rows))[rows.offsets])
    steps = np.minimum(counts, rows.sizes - counts)
    steps = steps * rows.sizes  # of the recursion
    effort = _EFFORT + int(steps.sum() / max(len(of_rows), 1))
    return rows.plan("conditional_logit_loss", of_rows, chosen=int(counts.sum()), _effort=effort)


CONDITIONAL_LOGIT: Final = GroupLoss("conditional_logit", _conditional_logit_plan)


# ---- ListMLE -------------------------------------------------------------------------
#
# The Plackett-Luce likelihood of an order is Cox's partial likelihood: a group is a stratum, whose
# rows have their events one after the other, the most relevant one first.


def _list_mle_plan(
    relevance: Any,
    *,
    group_sizes: Any = None,
    group_ids: Any = None,
    where: Any = None,
    weight: Any = None,
) -> Plan:
    """The order of the rows, the least relevant first, and where relevances are equal."""
    rows = GroupedRows(
        *("relevance", relevance, group_sizes, group_ids, where, weight), is_nan, "numbers"
    )
    rows.sort()
    labels, offsets = rows.labels, rows.offsets
    new = np.ones(labels.size + 1, bool)
    np.not_equal(labels[1:], labels[:-1], out=new[1:-1])
    new[offsets] = True
    starts = np.flatnonzero(new)
    several = np.diff(starts) > 1
    ties = np.stack((starts[:-1][several], starts[1:][several]), axis=1)
    kinds = np.ones(labels.size, np.uint8)
    kinds[~(new[1:] & new[:-1])] = 2
    single = np.ones(labels.size, np.uint8)
    last = offsets[:-1][rows.sizes > 0]  # of those that are left one alone is taken for sure
    single[last] = 0
    kinds[last] &= 2
    rates = None
    if rows.weights is not None and (rows.weights != 1).any():
        rates = np.repeat(rows.weights, rows.sizes)
    return rows.plan(
        "list_mle_loss",
        single,
        np.zeros(offsets.size, np.int64),
        kinds,
        ties.ravel().astype(np.int32),
        np.searchsorted(ties[:, 0], offsets).astype(np.int64),
        rates,
    )


def _as_cox(arrays: Any, in_order: bool) -> tuple[Any, ...]:
    """The plan of Cox's loss: one row after the other, or those of equal relevance at a time."""
    offsets, rows, _, single, zeros, kinds, ties, tie_strata, _ = arrays
    if in_order:
        return rows, single, None, ties[:0], offsets, zeros, None
    return rows, kinds, None, ties, offsets, tie_strata, None


def _check_list_mle_plan(rows: int, arrays: tuple[Array | None, ...]) -> None:
    for in_order in (True, False):
        _cox.check_plan(rows, _as_cox(arrays, in_order))
    of_rows: Any = arrays[1]
    if arrays[8] is not None and len(arrays[8]) != len(of_rows):
        raise ValueError("plan: its arrays do not fit together")


LIST_MLE: Final = Planner(_list_mle_plan, _check_list_mle_plan)


def list_mle(
    request: Request,
    input: Any,
    relevance: Any,
    options: Mapping[str, Any],
    *,
    ties: str,
    reduction: Any,
    plan: Plan | None,
) -> Any:
    """Evaluate the Plackett-Luce likelihood. `options` are those that a plan stands for."""
    ties = choice("ties", ties, ("order", "efron", "breslow"))
    operands = {"relevance": relevance}
    call = GroupCall(request, "list_mle_loss", LIST_MLE, input, operands, options, reduction, plan)
    arrays: Any = call.plan._arrays
    rates = arrays[8]
    if call.rates is not None:
        rates = np.repeat(call.rates, np.diff(arrays[0]))
    total = _cox.cox(
        request[0],
        ties == "efron",
        call.double,
        call.scale,
        True,
        0.0,
        threads_for(call.x.size),
        (call.x, None, call.grad, call.hess, call.direction),
        _as_cox(arrays, ties == "order"),
        rates,
        None if request[0] == PRODUCT else request[5],
        call.value,
    )
    return call.result(total)


# ---- losses of NDCG ----------------------------------------------------------------

_MOST_LEVEL: Final = 1023  # of which a power of two is a number


def check_gain(gain: Any) -> Array | None:
    """Gains of relevances 0, 1, … as an array; None where they follow from a name."""
    if gain is None or isinstance(gain, str):
        if gain not in (None, "exponential", "linear"):
            raise ValueError(
                f"gain: 'exponential', 'linear' or an array of gains is needed, got {gain!r}"
            )
        return None
    gains, _ = operand("gain", gain)
    if gains.ndim != 1 or not gains.size:
        raise ValueError(f"gain: gains of shape (relevances,) are needed, got {gains.shape}")
    gains = gains.astype(np.float64)
    if not (np.isfinite(gains).all() and gains[0] >= 0 and (np.diff(gains) >= 0).all()):
        raise ValueError("gain: finite gains from 0 on are needed, none below the one before")
    return gains


def _exponential(levels: Array) -> Array:
    """2^t - 1, without the loss of digits near t = 0."""
    with np.errstate(over="ignore"):
        return np.where(levels < 1, np.expm1(levels * np.log(2.0)), np.exp2(levels) - 1)


def _gains(
    relevance: Any, group_sizes: Any, group_ids: Any, where: Any, weight: Any, gain: Any
) -> tuple[GroupedRows, Array, Array]:
    """The rows that count, the gain of each, and the best order: at each place the number of a row
    in its group."""
    table = check_gain(gain)
    accepted = "finite numbers from 0 on"

    def refused(labels: Array) -> Any:
        bad = is_negative(labels)
        if table is not None:
            return bad | (labels != np.floor(labels)) | (labels >= table.size)
        return bad if gain == "linear" else bad | (labels > _MOST_LEVEL)

    if table is not None:
        accepted = f"whole numbers from 0 to {table.size - 1}, as many as there are gains"
    elif gain != "linear":
        accepted = f"numbers from 0 to {_MOST_LEVEL}"
    rows = GroupedRows(
        "relevance", relevance, group_sizes, group_ids, where, weight, refused, accepted
    )
    if table is not None:
        gains = table[rows.labels.astype(np.intp)]
    else:
        levels = rows.labels.astype(np.float64)
        gains = levels if gain == "linear" else _exponential(levels)
    numbers = rows.numbers()
    order = np.lexsort((-gains, numbers))
    return rows, gains, (order - rows.offsets[:-1][numbers]).astype(np.float64)


def _pairs(rows: GroupedRows) -> int:
    """How many others a row is paired with, about."""
    sizes = rows.sizes.astype(np.float64)
    return int((sizes @ sizes) / max(sizes.sum(), 1.0))


def _lambdarank_plan(
    relevance: Any,
    *,
    group_sizes: Any = None,
    group_ids: Any = None,
    where: Any = None,
    weight: Any = None,
    sample_weight: Any = None,
    gain: Any = None,
) -> Plan:
    """Gains, the best order, and the weights of derivatives."""
    given = None
    if sample_weight is not None:
        size = np.shape(relevance)[:1]
        given = broadcast("sample_weight", operand("sample_weight", sample_weight)[0], size)
        bad = is_negative(given)
        if np.any(bad):
            error = outside_error(
                "sample_weight", given, int(np.argmax(bad)), "finite numbers from 0 on"
            )
            raise ValueError(str(error))
        if not given.all():
            there = given != 0
            if where is not None:
                there = there & (broadcast("where", operand("where", where)[0], size) != 0)
            where = there
    rows, gains, best = _gains(relevance, group_sizes, group_ids, where, weight, gain)
    of_rows = np.ones(gains.size)
    varied = np.zeros(len(rows.offsets) - 1)
    if given is not None:
        of_rows = given.astype(np.float64) if rows.rows is None else given[rows.rows].astype(float)
        kept = rows.sizes > 0
        if kept.any():
            varied[kept] = np.logical_or.reduceat(of_rows != 1, rows.offsets[:-1][kept])
    effort = _EFFORT + 2 * min(_pairs(rows), 64)  # of the default truncation
    return rows.plan("lambdarank_loss", gains, best, of_rows, varied, _effort=effort)


def _approx_ndcg_plan(
    relevance: Any,
    *,
    group_sizes: Any = None,
    group_ids: Any = None,
    where: Any = None,
    weight: Any = None,
    gain: Any = None,
) -> Plan:
    """Gains and the best order."""
    rows, gains, best = _gains(relevance, group_sizes, group_ids, where, weight, gain)
    return rows.plan("approx_ndcg_loss", gains, best, _effort=_EFFORT + 4 * _pairs(rows))


def _check_best_order(arrays: tuple[Any, ...]) -> None:
    """Refuse a best order with numbers of rows that a group does not have."""
    offsets, best = arrays[0], arrays[4]
    sizes = np.diff(offsets)
    if not ((best >= 0) & (best < np.repeat(sizes, sizes))).all():
        raise ValueError("plan: its arrays do not fit together")


LAMBDARANK: Final = GroupLoss("lambdarank", _lambdarank_plan, _check_best_order)
APPROX_NDCG: Final = GroupLoss("approx_ndcg", _approx_ndcg_plan, _check_best_order)
