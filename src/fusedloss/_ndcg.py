"""NDCG of groups of rows, of `fusedloss.metrics`."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusedloss._core.operands import operand
from fusedloss._core.parameters import integer
from fusedloss._core.types import ArrayLike, Ids
from fusedloss.ndcg import approx_ndcg_loss


def ndcg(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    group_sizes: ArrayLike | None = None,
    group_ids: Ids | None = None,
    k: int | None = None,
    gain: Any = None,
    sample_weight: ArrayLike | None = None,
    without_gain: float = 1.0,
) -> float:
    """The mean normalized discounted cumulative gain of groups of consecutive rows.

    Parameters
    ----------
    y_true : array_like
        Relevances, of shape (N,), as of `lambdarank_loss`.
    y_score : array_like
        Scores, of shape (N,), not nan. Of equal ones the first comes first, as in boosters;
        ``sklearn.metrics.ndcg_score`` takes the mean over their orders instead, and a list for each
        row of an array.
    group_sizes, group_ids : array_like, optional
        The groups, as of `lambdarank_loss`; one of the two is needed.
    k : int, optional
        How many places count: all by default.
    gain : str or array_like, optional
        The gains of relevances, as of `lambdarank_loss`: 2^t - 1 by default.
    sample_weight : array_like, optional
        A weight for each group.
    without_gain : float
        The value of a group without any gain: 1 by default, as in LightGBM and XGBoost; 0 in
        scikit-learn.

    Returns
    -------
    float
        1 is best; nan without a group that counts.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.ndcg([2, 0, 1, 0, 1], [0.5, 1.0, 0.0, 2.0, 3.0], group_sizes=[3, 2]), 4)
    0.8295
    """
    depth = np.iinfo(np.int64).max if k is None else integer("k", k)
    if depth < 1:
        raise ValueError(f"k: 1 or more, or None, is needed, got {k}")
    loss: Any = approx_ndcg_loss
    groups = {"group_sizes": group_sizes, "group_ids": group_ids}
    plan = loss.plan(y_true, **groups, weight=sample_weight, gain=gain)
    offsets, rows, weights, gains, best = plan._arrays
    scores = operand("y_score", y_score)[0]
    if scores.shape != (plan.rows,):
        raise ValueError(
            f"y_score: a score for each of {plan.rows} rows is needed, got shape {scores.shape}"
        )
    scores = scores.astype(np.float64) if rows is None else scores[rows].astype(np.float64)
    if np.isnan(scores).any():
        raise ValueError("y_score: nan is no score")
    sizes = np.diff(offsets)
    kept = sizes > 0
    if not kept.any():
        return np.nan
    starts = offsets[:-1][kept]
    numbers = np.repeat(np.arange(sizes.size), sizes)
    first = np.repeat(offsets[:-1], sizes)
    place = np.arange(scores.size) - first
    discount = np.where(place < depth, 1 / np.log2(place + 2.0), 0.0)
    top = np.repeat(np.maximum.reduceat(gains, starts), sizes[kept])
    gains = gains / np.where(top > 0, top, 1)
    found = np.add.reduceat(gains[np.lexsort((-scores, numbers))] * discount, starts)
    ideal = np.add.reduceat(gains[first + best.astype(np.intp)] * discount, starts)
    each = np.where(ideal > 0, found / np.where(ideal > 0, ideal, 1), without_gain)
    return float(np.average(each, weights=None if weights is None else weights[kept]))
