"""Losses of groups of consecutive rows in boosters that know of groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fusedloss import Loss
from fusedloss._core.operands import operand
from fusedloss._core.types import Array
from fusedloss.boosting._targets import Prepared


class Grouped(NamedTuple):
    """Labels, and the sizes of the groups that the data set has, if any."""

    labels: Any
    sizes: Any


def sizes_of(data: Any) -> Any:
    """The sizes of a data set's groups: of XGBoost's or LightGBM's."""
    if hasattr(data, "get_uint_info"):
        pointers = data.get_uint_info("group_ptr")
        return np.diff(np.asarray(pointers, np.int64)) if np.size(pointers) else None
    return data.get_group() if hasattr(data, "get_group") else None


class GroupPlans:
    """The plans of a loss of groups for the data sets of a booster.

    With `of_groups` the booster's weights are those of groups, of which XGBoost makes numbers of
    the mean 1; else of rows, by which LightGBM multiplies derivatives.
    """

    def __init__(self, loss: Loss[...], options: Mapping[str, Any], of_groups: bool) -> None:
        planner: Any = loss.planner
        self._loss, self._of_groups, self._prepared = loss, of_groups, Prepared()
        self._given = {n: v for n, v in options.items() if n in planner.options and v is not None}
        self._plan = options.get("plan")

    def arguments(self, labels: Grouped, rows: int, weight: Any, means: bool) -> dict[str, Any]:
        """The plan as an argument. With `means` groups have the mean weight of their rows."""
        if self._plan is not None:
            return {"plan": self._plan}
        name = self._loss.__name__
        relevance = operand("labels", labels.labels)[0]
        sizes = labels.sizes
        own = [n for n in ("group_sizes", "group_ids") if n in self._given]
        if sizes is not None and own:
            raise ValueError(f"{own[0]}: the data set has groups of its own; leave it out")
        if sizes is None and not own:
            raise ValueError(
                f"group: {name} is one of groups, but the data set has none; set its group, "
                "the sizes of the groups"
            )
        if relevance.shape != (rows,):
            raise ValueError(
                f"labels: one for each of {rows} scores is needed, got shape {relevance.shape}"
            )
        sizes = None if sizes is None else np.asarray(sizes, np.int64)
        given = dict(self._given) if sizes is None else {**self._given, "group_sizes": sizes}
        if weight is not None and (self._of_groups or means):
            given["weight"] = weight = self._weights(np.asarray(weight), sizes, rows)
        else:
            weight = None
        loss: Any = self._loss
        return {
            "plan": self._prepared.get(
                (relevance, sizes, weight), lambda: loss.plan(relevance, **given)
            )
        }

    def _weights(self, weight: Array, sizes: Any, rows: int) -> Array:
        if self._of_groups:
            total = weight.sum(dtype=np.float64)
            return weight * (weight.size / total) if total else weight  # as rank:ndcg does
        if sizes is None:
            raise ValueError("weight: weights of rows are accepted where the data set has groups")
        numbers = np.repeat(np.arange(sizes.size), sizes)
        means: Array = np.bincount(numbers, weight, sizes.size) / np.maximum(sizes, 1)
        return means

    def weight_rows(self, weight: Any, *derivatives: Array) -> None:
        """Multiply derivatives by the weights of rows."""
        if weight is not None and not self._of_groups:
            for array in derivatives:
                array *= weight
