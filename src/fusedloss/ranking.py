"""Ranking losses for lists of equal length."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.lists import ListLoss, ranking_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import without_hvp
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "MeanPairwiseSquaredError",
    "PairwiseLogisticLoss",
    "RankingSoftmaxLoss",
    "mean_pairwise_squared_error",
    "pairwise_logistic_loss",
    "ranking_softmax_loss",
]


_MEAN_PAIRWISE_SQUARED: Final = ListLoss("mean_pairwise_squared")


@without_hvp
def mean_pairwise_squared_error(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared error of the differences between the elements of a sample, over all pairs.

    For a sample of n elements, the mean over its pairs of elements of
    :math:`((x_i - x_j) - (t_i - t_j))^2`. With :math:`d_i = x_i - t_i` and their mean m that is
    twice the variance of d:

    .. math:: \frac{2 w}{n - 1} \sum_i (d_i - m)^2

    Derivatives with respect to x: :math:`4 w (d_i - m) / (n - 1)` and :math:`4 w / n`. A sample of
    one element has no pairs, and the value 0.

    The same number added to all of a sample changes nothing; the variance is made of deviations
    from the mean, so that it keeps its digits where that is large.

    Parameters
    ----------
    input : array_like
        Predictions x, of shape (N, …): the samples lie along the first axis; where that is the only
        one, all of the input is one sample.
    target : array_like
        True values t, of input's shape or broadcasting up to it.
    weight : array_like, optional
        Weights w of the samples, of shape (N,) or broadcasting up to it.
    <sample_weight of lists>
    where : array_like, optional
        Which elements there are, of input's shape or broadcasting up to it: booleans, or numbers of
        which 0 leaves an element out of all pairs, whatever stands there. Samples of which nothing
        is left count for nothing, also in what the reduction divides by.
    <reduction of values>

    <returns values>

    <raises>

    Notes
    -----
    tf.losses: ``mean_pairwise_squared_error``, which returns the sum of the values, here
    ``reduction="sum"``.

    References
    ----------
    D. Eigen, C. Puhrsch and R. Fergus, Depth Map Prediction from a Single Image using a Multi-Scale
    Deep Network, NeurIPS 2014.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.mean_pairwise_squared_error.value_and_grad(
    ...     [[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]], [[0.0, 2.0, 4.0], [1.0, 1.0, 1.0]]
    ... )
    >>> value
    np.float64(1.0)
    >>> grad
    array([[ 0., -1.,  1.],
           [ 0.,  0.,  0.]])
    >>> fl.mean_pairwise_squared_error([[1.0, 2.0, 6.0]], [[0.0, 2.0, 4.0]], where=[1, 1, 0])
    np.float64(1.0)
    """
    return ranking_loss(
        request,
        _MEAN_PAIRWISE_SQUARED,
        input,
        target,
        weight=weight,
        axis=None,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_CROSS_ENTROPY: Final = ListLoss("cross_entropy", item_weights=True, relevances=True)


@without_hvp
def ranking_softmax_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Cross entropy of the relevances of a list's items and the softmax of their scores.

    For a list of scores x and relevances t:

    .. math:: -\sum_i w_i t_i \log \frac{e^{x_i}}{\sum_j e^{x_j}}

    Derivatives with respect to x, with the softmax p and :math:`s = \sum_j w_j t_j`:
    :math:`p_i s - w_i t_i` and :math:`p_i (1 - p_i) s`.

    The sums go over the items that count, and a list without any has the value 0. The logarithms
    are those of `cross_entropy`, and keep their digits where an item is far ahead.

    Parameters
    ----------
    <scores of lists, relevances>
    weight : array_like, optional
        Weights w of the items, of input's shape or broadcasting up to it. An item of the weight 0
        has no term of its own.
    <axis of lists>
    <sample_weight of lists>
    <reduction of lists of valid items>

    <returns values>

    <raises rows with probabilities>

    Notes
    -----
    optax: ``ranking_softmax_loss``, whose mean is 0 where no list has an item that counts, here
    ``reduction="weighted_mean"``.

    References
    ----------
    Z. Cao, T. Qin, T.-Y. Liu, M.-F. Tsai and H. Li, Learning to Rank: From Pairwise Approach to
    Listwise Approach, ICML 2007.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores = [[2.0, 1.0, 0.0], [1.0, 0.5, 1.5]]
    >>> relevances = [[1, 0, 0], [0, 0, 1]]
    >>> mask = [[True, True, False], [True, True, True]]
    >>> value, grad = fl.ranking_softmax_loss.value_and_grad(scores, relevances, where=mask)
    >>> value.round(4)
    np.float64(0.4968)
    >>> grad.round(4)
    array([[-0.1345,  0.1345,  0.    ],
           [ 0.1536,  0.0932, -0.2468]])
    """
    return ranking_loss(
        request,
        _CROSS_ENTROPY,
        input,
        target,
        where=where,
        weight=weight,
        axis=axis,
        parameters=(0.0, 0.0),
        sample_weight=sample_weight,
        reduction=reduction,
    )


_PAIRWISE_LOGISTIC: Final = ListLoss("pairwise_logistic")


@without_hvp
def pairwise_logistic_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    where: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""RankNet: logistic loss of the leads that more relevant items have over less relevant ones.

    For a list of scores x and relevances t, over all pairs of items i and j:

    .. math:: w \sum_{t_i > t_j} \log(1 + e^{-(x_i - x_j)})

    Derivatives with respect to x, with :math:`\sigma_{ij} = 1 / (1 + e^{x_i - x_j})`: the sum of
    :math:`w \sigma_{ji}` over the more relevant j, less that of :math:`w \sigma_{ij}` over the less
    relevant ones; the sum of :math:`w \sigma_{ij} (1 - \sigma_{ij})` over both. Pairs of equal
    relevance do not count.

    Each pair keeps its digits where it is all but certain, and where the wrong item leads.

    Parameters
    ----------
    <scores of lists>
    <weight of lists>
    <axis of lists>
    <sample_weight of lists>
    <reduction of values>

    <returns values>

    <raises>

    Notes
    -----
    Keras: ``PairwiseLogisticLoss`` of Keras-RS, whose mean divides by the number of items, and
    which leaves out negative relevances; XGBoost: ``rank:pairwise``, whose gradients, without its
    sampling of pairs and its normalisation, these are.

    The time is that of C² / 2 pairs for each list, and the memory needed does not grow with C; with
    derivatives, in lists of more than 1024 items, that of C² pairs. Relevances are compared in the
    computation's dtype. TF-Ranking and Rax have this loss as ``PairwiseLogisticLoss`` and
    ``pairwise_logistic_loss``; the mean divides by the number of pairs there, and Rax has a weight
    for each item.

    References
    ----------
    C. Burges, T. Shaked, E. Renshaw, A. Lazier, M. Deeds, N. Hamilton and G. Hullender, Learning to
    Rank using Gradient Descent, ICML 2005.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.pairwise_logistic_loss.value_and_grad([2.0, 1.0, 3.0], [1, 0, 0])
    >>> value.round(4)
    np.float64(1.6265)
    >>> grad.round(4)
    array([-1.    ,  0.2689,  0.7311])
    """
    return ranking_loss(
        request,
        _PAIRWISE_LOGISTIC,
        input,
        target,
        where=where,
        weight=weight,
        axis=axis,
        sample_weight=sample_weight,
        reduction=reduction,
    )


class MeanPairwiseSquaredError(Criterion, loss=mean_pairwise_squared_error):
    """`mean_pairwise_squared_error` with its options bound."""


class RankingSoftmaxLoss(Criterion, loss=ranking_softmax_loss):
    """`ranking_softmax_loss` with its options bound."""


class PairwiseLogisticLoss(Criterion, loss=pairwise_logistic_loss):
    """`pairwise_logistic_loss` with its options bound."""
