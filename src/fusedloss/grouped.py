"""Ranking and choice losses over groups of rows."""

from __future__ import annotations

from typing import Any, Final, Literal

from fusedloss._calls.groups import CONDITIONAL_LOGIT, LIST_MLE, XE_NDCG, group_loss, list_mle
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.parameters import integer
from fusedloss._core.plans import Plan
from fusedloss._core.types import ArrayLike, Ids, Reduction, Request

__all__ = [
    "ConditionalLogitLoss",
    "ListMLELoss",
    "XENDCGLoss",
    "conditional_logit_loss",
    "list_mle_loss",
    "xe_ndcg_loss",
]


@joint("input", planner=LIST_MLE)
def list_mle_loss(
    request: Request,
    input: ArrayLike,
    relevance: ArrayLike | None = None,
    *,
    group_sizes: ArrayLike | None = None,
    group_ids: Ids | None = None,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    ties: Literal["order", "efron", "breslow"] = "order",
    reduction: Reduction = "mean",
    plan: Plan | None = None,
) -> Any:
    r"""ListMLE: negative log-likelihood of the order of relevances by the Plackett-Luce model.

    The rows of a group, in falling order of their relevances, have the scores
    :math:`x_1, \dots, x_n`. The model takes one row after the other, each with the probability
    :math:`e^{x_i}` among those that are left:

    .. math:: w \sum_i \Big( \log \sum_{j \ge i} e^{x_j} - x_i \Big)

    Derivatives with respect to x: :math:`w (\sum_{i \le j} p_{ij} - 1)` and
    :math:`w \sum_{i \le j} p_{ij} (1 - p_{ij})`, the exact diagonal, with the probability
    :math:`p_{ij}` that j is taken when i is; `hvp` has all of the Hessian. The loss is convex.

    It is Cox's partial likelihood, with a group as a stratum and an event of each row, the most
    relevant first: sums are those of `cox_ph_loss`, and keep their digits in both tails.

    Parameters
    ----------
    input : array_like
        Scores x, of shape (N,): a number for each row.
    relevance : array_like
        Relevances, of shape (N,): any numbers but nan, of which only the order matters.
    <groups>
    ties : str
        What is done with rows of equal relevance: "order" takes them in the order in which they are
        given; "breslow" has all of them still there when one of them is taken; "efron" has the part
        k / d of all of them gone when one has been taken k times of d: at least the mean over all
        orders, and equal to it where the scores are equal.
    <reduction of groups>
    plan : Plan, optional
        What ``list_mle_loss.plan(relevance, group_sizes=…, where=…, weight=…)`` has returned: these
        are left out then. It sorts the rows, which takes longer than all else.
    <buffers of a call>

    <returns groups>

    <raises groups>

    Notes
    -----
    Rax: ``listmle_loss``, which ranks equal relevances by chance; allRank: ``listMLE``, which
    shuffles the rows first; TF-Ranking: ``ListMLELoss``.

    With the rows of a group in random order ``ties="order"`` does what these do. A call takes O(N)
    with a plan, O(N log N) where scores of a group lie more than 300 apart. A group of one row has
    the value 0, and counts in the mean. An infinite score has the limit where there is one.

    References
    ----------
    F. Xia, T.-Y. Liu, J. Wang, W. Zhang and H. Li, Listwise Approach to Learning to Rank: Theory
    and Algorithm, ICML 2008. R. L. Plackett, The Analysis of Permutations, Applied Statistics 24
    (1975).

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, relevance = [2.0, 1.0, 0.0, 1.0, 0.5], [2, 0, 1, 0, 1]
    >>> value, grad = fl.list_mle_loss.value_and_grad(scores, relevance, group_sizes=[3, 2])
    >>> value.round(4)
    np.float64(1.3475)
    >>> plan = fl.list_mle_loss.plan(relevance, group_sizes=[3, 2])
    >>> fl.list_mle_loss(scores, plan=plan) == value
    np.True_
    """
    return list_mle(
        request,
        input,
        relevance,
        {"group_sizes": group_sizes, "group_ids": group_ids, "where": where, "weight": weight},
        ties=ties,
        reduction=reduction,
        plan=plan,
    )


class ListMLELoss(Criterion, loss=list_mle_loss):
    """`list_mle_loss` with its options bound."""


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
        default. In float64 it makes the computation so. Drawn anew for each call, as
        ``rng.random(N)``, it makes training robust; 1 gives the gains of NDCG.
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
    np.float64(0.9647)
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


@joint("input", has_hvp=False, planner=CONDITIONAL_LOGIT.planner)
def conditional_logit_loss(
    request: Request,
    input: ArrayLike,
    chosen: ArrayLike | None = None,
    *,
    group_sizes: ArrayLike | None = None,
    group_ids: Ids | None = None,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    plan: Plan | None = None,
) -> Any:
    r"""Conditional logit: negative log-likelihood of what is chosen of each group, given how many.

    Of a group of n rows with the utilities x the set C of K rows is chosen. With the sums over all
    sets S of K of its rows:

    .. math:: -w \log \frac{\exp \sum_{i \in C} x_i}{\sum_S \exp \sum_{i \in S} x_i}

    With one row chosen that is the cross entropy of the softmax of the group, as in McFadden's
    model of discrete choice; with several it is the conditional likelihood of matched studies and
    of panels with fixed effects, from which what all rows of a group have in common drops out.

    Derivatives with respect to x, with the probability :math:`\pi_i` of the sets that i belongs to:
    :math:`w (\pi_i - [i \in C])` and :math:`w \pi_i (1 - \pi_i)`, the exact diagonal. The loss is
    convex.

    Sums over sets are found by a recursion over the rows in O(n min(K, n - K)); they consist of
    probabilities, which neither overflow nor cancel.

    Parameters
    ----------
    input : array_like
        Utilities x, such as :math:`X \beta`, of shape (N,): a number for each row, an alternative
        of a choice or a member of a matched set.
    chosen : array_like
        Which rows are chosen: booleans, or 0 and 1, of shape (N,); in each group as many as there
        are. A group of which none or all are chosen says nothing, and has the value 0.
    <groups>
    <reduction of groups>
    plan : Plan, optional
        What ``conditional_logit_loss.plan(chosen, group_sizes=…, where=…, weight=…)`` has returned:
        these are left out then.
    <buffers of a call>

    <returns groups>

    <raises groups>

    Notes
    -----
    statsmodels: ``ConditionalLogit``, which returns the log-likelihood of all groups but those that
    say nothing.

    R's survival and Stata have it as ``clogit``. Groups that say nothing count in the mean. Working
    memory is some :math:`\sqrt n \min(K, n - K)` numbers for the longest group. An infinite utility
    has the limit where there is one.

    References
    ----------
    D. McFadden, Conditional Logit Analysis of Qualitative Choice Behavior, Frontiers in
    Econometrics, 1974. M. H. Gail, J. H. Lubin and L. V. Rubinstein, Likelihood Calculations for
    Matched Case-Control Studies and Survival Studies with Tied Death Times, Biometrika 68 (1981).

    Examples
    --------
    >>> import fusedloss as fl
    >>> utilities, chosen = [1.0, 0.5, 0.0, 2.0, 1.0, 0.0], [1, 0, 0, 1, 0, 1]
    >>> value, grad = fl.conditional_logit_loss.value_and_grad(
    ...     utilities, chosen, group_sizes=[3, 3]
    ... )
    >>> value.round(4)
    np.float64(1.0439)
    """
    return group_loss(
        request,
        CONDITIONAL_LOGIT,
        "conditional_logit_loss",
        input,
        {"chosen": chosen},
        {"group_sizes": group_sizes, "group_ids": group_ids, "where": where, "weight": weight},
        reduction=reduction,
        plan=plan,
    )


class ConditionalLogitLoss(Criterion, loss=conditional_logit_loss):
    """`conditional_logit_loss` with its options bound."""
