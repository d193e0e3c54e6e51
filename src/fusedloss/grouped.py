"""Losses of groups of consecutive rows: the documents of queries, the alternatives of choices."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.groups import XE_NDCG, group_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.parameters import integer
from fusedloss._core.plans import Plan
from fusedloss._core.types import ArrayLike, Ids, Reduction, Request

__all__ = [
    "XENDCGLoss",
    "xe_ndcg_loss",
]


_MOST_TERMS: Final = 100


@joint("input", has_hvp=False, planner=XE_NDCG.planner)
def xe_ndcg_loss(
    request: Request,
    input: ArrayLike,
    relevance: ArrayLike | None = None,
    *,
    group_sizes: ArrayLike | None = None,
    group_ids: Ids | None = None,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    noise: ArrayLike | None = None,
    newton_terms: int = 0,
    reduction: Reduction = "mean",
    plan: Plan | None = None,
) -> Any:
    r"""Cross entropy of the gains of a query's documents and the softmax of their scores: XE-NDCG.

    For a group of scores x with relevances t and noise :math:`\gamma`, with the softmax p of the
    scores and :math:`q_i = (2^{t_i} - \gamma_i) / \sum_j (2^{t_j} - \gamma_j)`:

    .. math:: -w \sum_i q_i \log p_i

    Derivatives with respect to x: :math:`w (p_i - q_i)` and :math:`w p_i (1 - p_i)`, the exact
    diagonal. The loss is convex, and with :math:`\gamma = 1` a bound of the negative logarithm of
    the mean NDCG.

    `newton_terms` adds terms to the gradient, so that a booster's step :math:`-g_i / h_i` comes
    nearer to Newton's, which knows all of the Hessian H: those of the series of
    :math:`D H^{-1} g`, where D is the diagonal of H. With 2 of them, and uniform noise, gradients
    and second derivatives are those of LightGBM's ``rank_xendcg``.

    Parameters
    ----------
    input : array_like
        Scores x, of shape (N,): a number for each row.
    relevance : array_like
        Relevances t, finite and not negative, of shape (N,). They need not be whole numbers, and
        may be of any size.
    <groups>
    noise : array_like, optional
        What is taken from each gain, from 0 to 1, of shape (N,) or broadcasting up to it: 0 by
        default. Drawn anew for each call, as ``rng.uniform(size=N)``, it makes training robust;
        1 gives the gains of NDCG.
    newton_terms : int
        How many terms are added to the gradient, 0 to 100.
    <reduction of groups>
    plan : Plan, optional
        What ``xe_ndcg_loss.plan(relevance, group_sizes=…, where=…, weight=…)`` has returned: these
        are left out then.
    <buffers of a call>

    <returns groups>

    <raises groups>

    Notes
    -----
    LightGBM: ``rank_xendcg``, which takes the integer part of relevances, and adds two terms to the
    gradient.

    A group of one row, and one without any gain, have the value 0, and count in the mean.

    References
    ----------
    S. Bruch, An Alternative Cross Entropy Loss for Learning-to-Rank, WWW 2021.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, relevance = [2.0, 1.0, 0.0, 1.0, 0.5], [2, 0, 1, 0, 1]
    >>> value, grad = fl.xe_ndcg_loss.value_and_grad(scores, relevance, group_sizes=[3, 2])
    >>> value.round(4)
    np.float64(0.9987)
    >>> grad.round(4)
    array([ 0.0469,  0.0509, -0.0978,  0.1446, -0.1446])
    >>> plan = fl.xe_ndcg_loss.plan(relevance, group_sizes=[3, 2])
    >>> fl.xe_ndcg_loss(scores, plan=plan) == value
    np.True_
    """
    newton_terms = integer("newton_terms", newton_terms)
    if not 0 <= newton_terms <= _MOST_TERMS:
        raise ValueError(
            f"newton_terms: a number from 0 to {_MOST_TERMS} is needed, got {newton_terms}"
        )
    return group_loss(
        request,
        XE_NDCG,
        "xe_ndcg_loss",
        input,
        {"relevance": relevance},
        {"group_sizes": group_sizes, "group_ids": group_ids, "where": where, "weight": weight},
        parameters=(float(newton_terms),),
        extra=("noise", noise, "numbers from 0 to 1"),
        reduction=reduction,
        plan=plan,
    )


class XENDCGLoss(Criterion, loss=xe_ndcg_loss):
    """`xe_ndcg_loss` with its options bound."""
