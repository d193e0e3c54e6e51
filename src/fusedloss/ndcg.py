"""Ranking losses for NDCG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from fusedloss._calls.groups import APPROX_NDCG, LAMBDARANK, check_gain, group_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.parameters import choice, finite, flag, integer
from fusedloss._core.plans import Plan
from fusedloss._core.types import Array, ArrayLike, Ids, Reduction, Request

__all__ = [
    "ApproxNDCGLoss",
    "LambdaRankLoss",
    "approx_ndcg_loss",
    "lambdarank_loss",
]


_MOST_PLACES: Final = 2**31  # more than a group can have
_LEAST: Final = 1e-150  # its inverse and its square are numbers, too
_WEIGHTINGS: Final = ("ndcg", "pairwise")


@joint("input", has_hvp=False, planner=LAMBDARANK.planner)
def lambdarank_loss(
    request: Request,
    input: ArrayLike,
    relevance: ArrayLike | None = None,
    *,
    group_sizes: ArrayLike | None = None,
    group_ids: Ids | None = None,
    truncation: int | None = 30,
    sigma: float = 1.0,
    weighting: Literal["ndcg", "pairwise"] = "ndcg",
    gain: Literal["exponential", "linear"] | Sequence[float] | Array | None = None,
    normalization: bool = True,
    score_normalization: bool = True,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    plan: Plan | None = None,
) -> Any:
    r"""LambdaRank: the logistic loss of pairs, weighted by how much exchanging them changes NDCG.

    The documents of a query take the places 1, 2, … in falling order of their scores x; of equal
    scores the first comes first. Two documents with different relevances are a pair if one of them
    is among the first k places, k the `truncation`. With the one of the larger relevance called i,
    and the difference of the scores :math:`d = x_i - x_j`:

    .. math:: w \, n \sum_{(i, j)} \Delta_{ij} \log(1 + e^{-\sigma d}), \qquad
        \Delta_{ij} = \frac{|G_i - G_j| \, |D_i - D_j|}{\mathrm{IDCG}_k \, (0.01 + |d|)}

    where G is the gain of a document, by default :math:`2^t - 1` of its relevance t, D the discount
    :math:`1 / \log_2(1 + r)` of its place r, and IDCG the best possible sum of G D over the first k
    places. The last factor is left out without `score_normalization`, and where all scores of a
    query are equal. With `normalization` :math:`n = \log_2(1 + S) / S`, S the sum of the sizes of
    the derivatives of all pairs, else 1.

    Derivatives with respect to x are those with :math:`\Delta` and n held constant, as for all
    boosters: for each pair :math:`-w n \Delta \sigma / (1 + e^{\sigma d})` at i, the opposite at j;
    and :math:`w n \Delta \sigma^2 p (1 - p)` with :math:`p = 1 / (1 + e^{-\sigma d})` at both.
    They are not those of the value, which is a measure of how far training has come; only without
    both normalizations they are, between two changes of the order. The second derivative is the
    exact diagonal of that convex sum.

    Parameters
    ----------
    input : array_like
        Scores x, of shape (N,): a number for each row. Infinite ones have the limit; equal ones,
        infinite too, have the difference 0.
    relevance : array_like
        Relevances t, from 0 to 1023, of shape (N,); they need not be whole numbers.
    <groups>
    truncation : int or None
        How many places k matter: at least 1; None: all.
    sigma : float
        The factor σ of differences of scores, from 1e-150 to 1e150.
    weighting : str
        "ndcg", as above; or "pairwise": all pairs have the weight 1 in place of the change of NDCG,
        which is RankNet's loss. The other options hold.
    gain : str or array_like, optional
        "exponential" (as by default), "linear" (:math:`G = t`, of any finite size), or an array of
        the gains of the relevances 0, 1, …: finite, not negative, in rising order.
    normalization : bool
        Whether the derivatives of a query grow with the logarithm of their sum only.
    score_normalization : bool
        Whether pairs are divided by 0.01 and the difference of their scores.
    sample_weight : array_like, optional
        A weight for each row, 0 or more, of shape (N,) or broadcasting up to it: its derivatives
        are multiplied by it, and the value of a pair by the mean of its two. A row of the weight 0
        is as if it were not there, whatever it holds.
    <reduction of groups>
    plan : Plan, optional
        What ``lambdarank_loss.plan(relevance, group_sizes=…, where=…, weight=…, sample_weight=…,
        gain=…)`` has returned: these are left out then.
    <buffers of a call>

    <returns groups>

    <raises groups>

    Notes
    -----
    LightGBM: ``lambdarank``; XGBoost: ``rank:ndcg`` and ``rank:pairwise``.

    LightGBM has `truncation` as ``lambdarank_truncation_level``, `sigma` as
    ``sigmoid``, `gain` as ``label_gain``, and both normalizations as ``lambdarank_norm``. It reads
    the logistic function from a table, so its derivatives are right to five digits, and leaves
    documents with the score -inf out. It has no gain of relevances above 30.

    XGBoost's ``rank:pairwise`` is ``weighting="pairwise"``. With ``lambdarank_pair_method="topk"``
    it has `truncation` as ``lambdarank_num_pair_per_sample`` (32 by
    default), ``gain="linear"`` for ``ndcg_exp_gain=False``, and the normalizations named so. Its
    second derivatives are twice these. With "mean" it draws pairs at random, which has no
    counterpart; nor have ``lambdarank_unbiased`` and ``rank:map``.

    A call takes O(k N) for the pairs; the scores of a query of more than 256 documents are sorted
    by radix. A query of one document, and one of which all relevances are equal, has the value 0,
    and counts in the mean.

    References
    ----------
    C. J. C. Burges, From RankNet to LambdaRank to LambdaMART: An Overview, Microsoft Research
    2010.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, relevance = [2.0, 1.0, 0.0, 1.0, 0.5], [0, 2, 1, 0, 1]
    >>> value, grad = fl.lambdarank_loss.value_and_grad(scores, relevance, group_sizes=[3, 2])
    >>> value.round(4)
    np.float64(0.6815)
    >>> grad.round(4)
    array([ 0.1588, -0.1355, -0.0232,  0.2317, -0.2317])
    >>> plan = fl.lambdarank_loss.plan(relevance, group_sizes=[3, 2])
    >>> fl.lambdarank_loss(scores, plan=plan) == value
    np.True_
    """
    if truncation is not None:
        truncation = integer("truncation", truncation)
        if truncation < 1:
            raise ValueError(f"truncation: 1 or more, or None, is needed, got {truncation}")
    check_gain(gain)
    parameters = (
        finite("sigma", sigma, _LEAST, 1 / _LEAST),
        float(min(truncation or 0, _MOST_PLACES)),
        float(choice("weighting", weighting, _WEIGHTINGS) == "pairwise"),
        float(flag("normalization", normalization)),
        float(flag("score_normalization", score_normalization)),
    )
    return group_loss(
        request,
        LAMBDARANK,
        "lambdarank_loss",
        input,
        {"relevance": relevance},
        {
            "group_sizes": group_sizes,
            "group_ids": group_ids,
            "where": where,
            "weight": weight,
            "sample_weight": sample_weight,
            "gain": gain,
        },
        parameters=parameters,
        reduction=reduction,
        plan=plan,
    )


class LambdaRankLoss(Criterion, loss=lambdarank_loss):
    """`lambdarank_loss` with its options bound."""


@joint("input", has_hvp=False, planner=APPROX_NDCG.planner)
def approx_ndcg_loss(
    request: Request,
    input: ArrayLike,
    relevance: ArrayLike | None = None,
    *,
    group_sizes: ArrayLike | None = None,
    group_ids: Ids | None = None,
    temperature: float = 0.1,
    gain: Literal["exponential", "linear"] | Sequence[float] | Array | None = None,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    plan: Plan | None = None,
) -> Any:
    r"""Negative NDCG of smooth places: ApproxNDCG.

    The place of a document of a query with the scores x is approximated by

    .. math:: r_i = 1 + \sum_{j \ne i} \frac{1}{1 + e^{(x_i - x_j) / T}}

    and the value is, with the gains G, by default :math:`2^t - 1` of relevances t, and the best DCG
    that there can be, IDCG:

    .. math:: -\frac{w}{\mathrm{IDCG}} \sum_i \frac{G_i}{\log_2(1 + r_i)}

    Derivatives with respect to x: :math:`w / T \sum_j (c_i - c_j) \, q_{ij}`, where
    :math:`q = p (1 - p)` for the logistic function p above, and :math:`c_i` is the derivative of
    the i-th term by its place; the exact diagonal, too. The loss is not convex: second derivatives
    may be negative.

    Parameters
    ----------
    input : array_like
        Scores x, of shape (N,): a number for each row. Infinite ones have the limit; equal ones,
        infinite too, have the difference 0.
    relevance : array_like
        Relevances t, from 0 to 1023, of shape (N,); they need not be whole numbers.
    <groups>
    temperature : float
        The temperature T, from 1e-150 to 1e150: the smaller, the nearer to the places, and the
        flatter.
    gain : str or array_like, optional
        "exponential" (as by default), "linear" (:math:`G = t`, of any finite size), or an array of
        the gains of the relevances 0, 1, …: finite, not negative, in rising order.
    <reduction of groups>
    plan : Plan, optional
        What ``approx_ndcg_loss.plan(relevance, group_sizes=…, where=…, weight=…, gain=…)`` has
        returned: these are left out then.
    <buffers of a call>

    <returns groups>

    <raises groups>

    Notes
    -----
    TF-Ranking: ``ApproxNDCGLoss``; Rax: ``approx_t12n(ndcg_metric, temperature)``; allRank:
    ``approxNDCGLoss``, whose alpha is 1 / T.

    A call compares all documents of a query with each other, and takes memory for each document of
    the longest query only. A query without any gain has the value 0, and counts in the mean.

    References
    ----------
    T. Qin, T.-Y. Liu and H. Li, A General Approximation Framework for Direct Optimization of
    Information Retrieval Measures, Information Retrieval 13 (2010).

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, relevance = [2.0, 1.0, 0.0, 1.0, 0.5], [0, 2, 1, 0, 1]
    >>> value, grad = fl.approx_ndcg_loss.value_and_grad(
    ...     scores, relevance, group_sizes=[3, 2], temperature=1.0
    ... )
    >>> value.round(4)
    np.float64(-0.6944)
    >>> grad.round(4)
    array([ 0.0172, -0.0279,  0.0107,  0.0334, -0.0334])
    """
    check_gain(gain)
    temperature = finite("temperature", temperature, _LEAST, 1 / _LEAST)
    return group_loss(
        request,
        APPROX_NDCG,
        "approx_ndcg_loss",
        input,
        {"relevance": relevance},
        {
            "group_sizes": group_sizes,
            "group_ids": group_ids,
            "where": where,
            "weight": weight,
            "gain": gain,
        },
        parameters=(temperature,),
        reduction=reduction,
        plan=plan,
    )


class ApproxNDCGLoss(Criterion, loss=approx_ndcg_loss):
    """`approx_ndcg_loss` with its options bound."""
