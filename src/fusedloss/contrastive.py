"""Contrastive losses over a batch."""

from __future__ import annotations

from typing import Any

from fusedloss import _all_pairs
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import first_order, joint
from fusedloss._core.parameters import finite, flag, positive
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "CircleLoss",
    "InfoNCELoss",
    "SupervisedContrastiveLoss",
    "circle_loss",
    "info_nce_loss",
    "supervised_contrastive_loss",
]


@joint("query", "positive", "negatives", "temperature", curved=False)
def info_nce_loss(
    request: Request,
    query: ArrayLike,
    positive: ArrayLike,
    negatives: ArrayLike | None = None,
    temperature: float = 0.07,
    *,
    normalize: bool = True,
    negatives_where: ArrayLike | None = None,
    temperature_grad: bool = False,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""InfoNCE: the cross entropy of finding each query's positive among its negatives.

    For a query q, its positive k and negatives n, with s(a, b) = a · b / (‖a‖ ‖b‖ τ), or
    a · b / τ without `normalize`:

    .. math:: - w \log \frac{e^{s(q, k)}}{e^{s(q, k)} + \sum_n e^{s(q, n)}}

    Derivatives with respect to the s: w times their softmax p, less w for the positive; with
    respect to the vectors by the chain rule, through the lengths too. There are no second
    derivatives.

    Parameters
    ----------
    query : array_like of shape (N, D)
        The queries.
    positive : array_like of shape (N, D)
        The positive of each.
    negatives : array_like of shape (M, D) or (N, M, D), optional
        Negatives for all queries, or for each its own. By default those of a query are the
        positives of all others.
    temperature : float
        τ, positive. Where float32 does not hold 1 / τ the products are computed in float64.
    normalize : bool
        Whether similarity is the cosine of the angle. A vector shorter than 1e-12 is divided by
        that.
    negatives_where : array_like, optional
        Which negatives count, of shape (N, M) or broadcasting up to it, as (M,) for the same ones
        of every query: booleans, or numbers of which 0 leaves a negative out, whatever it holds.
        Without `negatives` M is N; a query's own positive is never left out.
    temperature_grad : bool
        Whether the gradients end with that with respect to τ, an array of shape () and dtype
        float64 (or the buffer for it).
    <weight of all pairs>
    where : array_like, optional
        Which queries count, of shape (N,) or broadcasting up to it: booleans, or numbers of which 0
        leaves a query out, whatever it and its positive hold. Its value and gradients are 0 then,
        no reduction counts it, and its positive is no negative of the others.
    <reduction of all pairs>
    out, grad_out : ndarray, or tuple of ndarray, optional, keyword only
        Buffers for the value (of shape () unless ``reduction="none"``), and for the gradients: a
        tuple of one for each of the arrays given, query, positive and negatives (and one for the
        temperature with `temperature_grad`), or None. Of a floating dtype, any strides, sharing no
        memory with an input.
    <return_divisor>

    <returns all pairs>

    <raises>

    Notes
    -----
    optax: ``ntxent``, which is `supervised_contrastive_loss` of labels that occur twice each.

    For the loss of SimCLR (NT-Xent, with the other vectors of both views as negatives) stack the
    views, with the same labels twice, in `supervised_contrastive_loss`. NTXentLoss of
    pytorch-metric-learning is that too; this here is its form with queries and references.

    <products>

    References
    ----------
    A. van den Oord, Y. Li and O. Vinyals, Representation Learning with Contrastive Predictive
    Coding, 2018. T. Chen et al., A Simple Framework for Contrastive Learning of Visual
    Representations, ICML 2020.

    Examples
    --------
    >>> import fusedloss as fl
    >>> query, positive = [[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 1.0]]
    >>> value, grads = fl.info_nce_loss.value_and_grad(query, positive, temperature=0.5)
    >>> value.round(4)
    np.float64(0.3301)
    >>> grads[0].round(4)
    array([[0.    , 0.2529],
           [0.0286, 0.    ]])
    >>> fl.info_nce_loss(query, positive, [[-1.0, 0.0], [0.0, -1.0]], reduction="none")
    array([6.24875146e-07, 4.10161228e-05])

    Negatives that fill an array up, a query that does not count, a temperature that is learned:

    >>> padded, kept = [[0.6, 0.8], [float("nan")] * 2], [True, False]
    >>> fl.info_nce_loss(query, positive, padded, 0.5, negatives_where=kept).round(4)
    np.float64(0.5807)
    >>> fl.info_nce_loss(query, positive, padded, 0.5, negatives_where=kept, where=[1, 0]).round(4)
    np.float64(0.3711)
    >>> value, (dq, dk, dtau) = fl.info_nce_loss.value_and_grad(
    ...     query, positive, temperature=0.5, sample_weight=[1.0, 3.0], temperature_grad=True
    ... )
    >>> value.round(4), dtau.round(4)
    (np.float64(0.5477), np.float64(1.0392))
    """
    return _all_pairs.info_nce(
        request,
        query,
        positive,
        negatives,
        temperature,
        normalized=flag("normalize", normalize),
        negatives_where=negatives_where,
        temperature_grad=flag("temperature_grad", temperature_grad),
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@first_order
def supervised_contrastive_loss(
    request: Request,
    embeddings: ArrayLike,
    labels: ArrayLike,
    temperature: float = 0.07,
    *,
    normalize: bool = True,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Supervised contrastive loss: cross entropy among all others, mean over those alike.

    For a vector i, with P the others of the same label, A all others, and :math:`s_j` the cosine
    of the angle between i and j, divided by τ:

    .. math:: - \frac{w_i}{|P|} \sum_{p \in P} \log \frac{e^{s_p}}{\sum_{a \in A} e^{s_a}}

    Derivatives with respect to the :math:`s_j`: w times their softmax over A, less
    :math:`w / |P|` for those in P; with respect to the vectors by the chain rule, through the
    lengths too. There are no second derivatives.

    A vector that is the only one of its label has no loss: value 0, gradient 0, and no part in what
    the mean divides by.

    Parameters
    ----------
    embeddings : array_like of shape (N, D)
        The vectors.
    labels : array_like of shape (N,)
        Integers, the same for vectors that belong together.
    temperature : float
        τ, positive.
    normalize : bool
        Whether similarity is the cosine of the angle, or else the product of the vectors. A vector
        shorter than 1e-12 is divided by that.
    <weight of all pairs>
    <where of labelled pairs>
    <reduction of labelled pairs>
    <buffers of all pairs>

    <returns all pairs>

    <raises>

    Notes
    -----
    MONAI: ``ContrastiveLoss``, of two views; optax: ``ntxent`` for labels that occur twice each.

    This is the paper's L_out. In pytorch-metric-learning it is SupConLoss, and with labels that
    occur twice each NTXentLoss, which has the other positives of a pair not in its sum.

    <products>

    References
    ----------
    P. Khosla et al., Supervised Contrastive Learning, NeurIPS 2020.

    Examples
    --------
    >>> import fusedloss as fl
    >>> embeddings = [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]]
    >>> fl.supervised_contrastive_loss(embeddings, [0, 0, 1, 1], 0.5).round(4)
    np.float64(0.2395)
    >>> value, grad = fl.supervised_contrastive_loss.value_and_grad(embeddings, [0, 0, 0, 1], 0.5)
    >>> value.round(4)
    np.float64(1.5729)
    >>> padded = [*embeddings, [float("nan")] * 2]
    >>> fl.supervised_contrastive_loss(padded, [0, 0, 1, 1, 0], 0.5, where=[1, 1, 1, 1, 0]).round(4)
    np.float64(0.2395)
    """
    scale = 1 / positive("temperature", temperature)
    return _all_pairs.anchor_loss(
        request,
        embeddings,
        labels,
        _all_pairs.among_positives,
        2,
        scale,
        False,
        normalized=flag("normalize", normalize),
        parameters={"temperature": scale},
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@first_order
def circle_loss(
    request: Request,
    embeddings: ArrayLike,
    labels: ArrayLike,
    *,
    gamma: float = 80.0,
    margin: float = 0.4,
    normalize: bool = True,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Circle loss: similarities weighted by how far each is from where it should be.

    For a vector i, with P the others of the same label, N those of other labels, and :math:`s_j`
    the cosine of the angle between i and j, at most 1:

    .. math:: w_i \log \Big( 1 + \sum_{p \in P} e^{\gamma ((1 - s_p)^2 - m^2)}
              \sum_{n \in N} e^{\gamma \max(0, s_n + m) (s_n - m)} \Big)

    Derivatives with respect to the :math:`s_j`, with σ the logistic function of the logarithm of
    the product of the sums and :math:`\pi_j` the share of a term in its own sum:
    :math:`-2 w \gamma \sigma \pi_p (1 - s_p)` in P, and :math:`2 w \gamma \sigma \pi_n s_n` in N,
    where :math:`-m < s_n < 1`, else 0; with respect to the vectors by the chain rule, through the
    lengths too. There are no second derivatives.

    A vector without others of its label, or without those of another, has no loss: value 0,
    gradient 0, and no part in what the mean divides by.

    Parameters
    ----------
    embeddings : array_like of shape (N, D)
        The vectors.
    labels : array_like of shape (N,)
        Integers, the same for vectors that belong together.
    gamma : float
        γ, positive.
    margin : float
        m, 0 or more.
    normalize : bool
        Whether the vectors are divided by their lengths. A vector shorter than 1e-12 is divided by
        that.
    <weight of all pairs>
    <where of labelled pairs>
    <reduction of labelled pairs>
    <buffers of all pairs>

    <returns all pairs>

    <raises>

    Notes
    -----
    Keras: ``Circle``, which expects vectors of length 1 and whose mean is over the values above 0.

    As in Keras the weights of the similarities have a part in the derivatives; in the paper they
    count as constants there. Keras' mean is the same, unless a value is too small for the dtype.

    <products>

    References
    ----------
    Y. Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, CVPR 2020.

    Examples
    --------
    >>> import fusedloss as fl
    >>> embeddings = [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]]
    >>> fl.circle_loss(embeddings, [0, 0, 1, 1], gamma=4.0).round(4)
    np.float64(0.8299)
    >>> fl.circle_loss(embeddings, [0, 0, 1, 1], gamma=4.0, sample_weight=[1, 0, 0, 0]).round(4)
    np.float64(0.1663)
    """
    gamma, margin = positive("gamma", gamma), finite("margin", margin, 0)
    return _all_pairs.anchor_loss(
        request,
        embeddings,
        labels,
        _all_pairs.circle(gamma, margin),
        4,
        1.0,
        True,
        normalized=flag("normalize", normalize),
        parameters={"gamma": 2 * gamma, "margin": margin},
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class InfoNCELoss(Criterion, loss=info_nce_loss):
    """`info_nce_loss` with its options bound."""


class SupervisedContrastiveLoss(Criterion, loss=supervised_contrastive_loss):
    """`supervised_contrastive_loss` with its options bound."""


class CircleLoss(Criterion, loss=circle_loss):
    """`circle_loss` with its options bound."""
