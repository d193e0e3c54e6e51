"""From the arguments of a loss of groups of consecutive rows to its kernel and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from fusedloss._core.groups import group_offsets
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import outside_error
from fusedloss._core.operands import broadcast, is_double, is_float, operand
from fusedloss._core.outputs import outputs, result_tuple
from fusedloss._core.plans import Plan, Planner
from fusedloss._core.reductions import (
    Upstream,
    check_reduction,
    divisor_for,
    scale_of,
    value_result,
)
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array, Request

_groups: Final = kernels.modules["groups"]
_MOST: Final = 2**31 - 1  # rows: places are 32-bit integers


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
        there = None
        if where is not None:
            mask, _ = operand("where", where)
            there = broadcast("where", mask, (self.size,), name) != 0
        if weight is not None:
            groups = (len(self.offsets) - 1,)
            given = broadcast("weight", operand("weight", weight)[0], groups, "the groups")
            self.weights = given.astype(np.float64)
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

    def sort(self, key: Array) -> None:
        """Put the rows of each group in rising order of a key, of one key in their own order."""
        order = np.argsort(key, kind="stable")
        if len(self.offsets) > 2:
            order = order[np.argsort(self.numbers()[order], kind="stable")]
        self.labels = self.labels[order]
        self.rows = (order if self.rows is None else self.rows[order]).astype(np.int32)

    def plan(self, loss: str, *columns: Array, **facts: Any) -> Plan:
        """The plan, with what the loss needs of each place and each group."""
        kept = self.sizes > 0
        weights = self.weights
        counted = kept if weights is None else kept & (weights != 0)
        count = float(np.count_nonzero(counted))
        facts = {"groups": len(kept), **facts, "_count": count, "_weight": count}
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
    """A kernel of groups, and how its plans are made. A row is worth so many elements of other
    losses, where the work is divided among threads."""

    def __init__(self, name: str, plan: Callable[..., Plan], effort: int = 4) -> None:
        self.effort = effort
        self.number: int = kernels.number("groups", "GROUPS", name)
        self.planner = Planner(
            plan, lambda rows, arrays: _groups.check_plan(self.number, rows, arrays)
        )


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
            more, _ = operand(*extra)
            self.extra = broadcast(extra[0], more, x.shape)
            given.append(more)
        self.plan = planner.plan_for(plan, x.size, operands, options)
        if self.plan.rows != x.size:
            raise ValueError(
                f"{next(iter(operands))}: {self.plan.rows} rows, but input has {x.size}"
            )
        facts = self.plan._facts
        shape = (facts["groups"],)
        self.double = is_double(precision)
        self.divisor, self.zero_if_empty = divisor_for(
            reduction, shape, facts["_count"], facts["_weight"], facts["_count"]
        )
        self.summed = reduction != "none"
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
        for array in (self.grad, self.hess):
            if array is not None and rows is not None and len(rows) < x.size:
                array[...] = 0
        if self.value is not None:
            self.value[...] = 0

    @property
    def scale(self) -> float:
        """The factor of the derivatives."""
        return scale_of(self.divisor, self.zero_if_empty) if self.request[0] else 1.0

    def result(self, total: float) -> Any:
        """What the call returns, from the sum of the values."""
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
    try:
        total = _groups.groups(
            loss.number,
            parameters,
            request[0],
            call.double,
            call.scale,
            call.summed,
            loss.effort,
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
