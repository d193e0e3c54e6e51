"""Thresholds between grades."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from fusedloss._core.operands import operand
from fusedloss._core.parameters import choice
from fusedloss._core.types import Array, ArrayLike
from fusedloss._labels import whole_numbers


def thresholds(
    y: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    link: Literal["logit", "probit", "cloglog"] = "logit",
) -> Array:
    r"""Thresholds between grades, of the shares of the grades.

    With these a score of 0 has the shares of the data:
    :math:`\theta_k = F^{-1}(P(y \le k))`. They are the ``thresholds=`` of an objective of
    `ordinal_loss`, `all_threshold_loss` or `immediate_threshold_loss`, which moves the scores and
    leaves the thresholds where they are.

    Parameters
    ----------
    y : array_like of shape (rows,)
        Grades from 0 to K - 1, each of which must occur.
    weight : array_like of shape (rows,), optional
        One weight for each row, 0 or more.
    link : {"logit", "probit", "cloglog"}, default "logit"
        The inverse of F, as of `ordinal_loss`.

    Returns
    -------
    ndarray of float64, of shape (K - 1,)

    Raises
    ------
    ValueError
        If a grade does not occur, `y` has one grade alone, or holds what is none; for weights that
        are negative, or of another shape.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.boosting.thresholds([0, 0, 1, 2]).round(6)
    array([0.      , 1.098612])
    >>> fl.boosting.thresholds([0, 0, 1, 2], link="probit").round(6)
    array([0.     , 0.67449])
    """
    choice("link", link, ("logit", "probit", "cloglog"))
    labels = operand("y", y)[0]
    if labels.ndim != 1 or not labels.size:
        raise ValueError(f"y: grades of shape (rows,) are needed, got shape {labels.shape}")
    grades = whole_numbers(labels, "y").astype(np.intp, copy=False)
    if grades.min() < 0:
        raise ValueError(f"y: grades from 0 on are needed, got {grades.min()}")
    given: Any = None
    if weight is not None:
        given = operand("weight", weight)[0]
        if given.shape != labels.shape or not (np.isfinite(given) & (given >= 0)).all():
            raise ValueError(
                f"weight: one finite number, 0 or more, for each of {labels.size} rows is needed"
            )
    counts = np.bincount(grades, given)
    if len(counts) < 2 or not counts.all():
        missing = int(np.argmin(counts)) if len(counts) > 1 else 1
        raise ValueError(f"y: each of two or more grades must occur, from 0 on; {missing} does not")
    sums = np.cumsum(counts)[:-1]
    below, above = sums / counts.sum(), np.cumsum(counts[::-1])[-2::-1] / counts.sum()
    if link == "logit":
        result: Array = np.log(below / above)
    elif link == "cloglog":
        result = np.log(-np.log(above))
    else:
        from statistics import NormalDist  # not at the top: it takes time to import

        inverse = NormalDist().inv_cdf
        low = below <= above
        result = np.where(low, 1.0, -1.0) * [
            inverse(float(share)) for share in np.where(low, below, above)
        ]
    return result
