"""Scores for ensemble and categorical forecasts."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.classes import ClassLoss, class_loss
from fusedloss._calls.ensembles import ensemble_score
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import without_hvp
from fusedloss._core.rows import RowKernel
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "CRPSEnsembleLoss",
    "EnergyScoreLoss",
    "RankedProbabilityScoreLoss",
    "crps_ensemble",
    "energy_score",
    "ranked_probability_score",
]


_CRPS: Final = RowKernel("crps_ensemble")


@without_hvp
def crps_ensemble(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    fair: bool = False,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Continuous ranked probability score (CRPS) of an ensemble forecast.

    For an ensemble of M members x, a target t and a weight w:

    .. math:: \frac{w}{M} \sum_i |x_i - t| - \frac{w}{2 M^2} \sum_i \sum_j |x_i - x_j|

    This is the integral of the squared difference between the distribution function of the ensemble
    and that of the target, in the unit of the target. With ``fair=True`` the double sum is
    divided by :math:`2 M (M - 1)`: then the score's expectation does not depend on the number of
    members.

    Derivatives with respect to :math:`x_i`, of which a members are less and b are more:
    :math:`w (M \operatorname{sign}(x_i - t) - a + b) / M^2`; 0. Where members are equal to each
    other or to the target, they have the same subgradient, with sign(0) = 0.

    The members of an ensemble are sorted, in a time that grows as M log M, and the score is summed
    up over the gaps between them: no term is negative, so that nothing cancels. Where all members
    are equal it is exactly :math:`w |x - t|`.

    Parameters
    ----------
    input : array_like
        Members x of the ensembles, of shape (…, M), or with the members on any other `axis`.
    target : array_like
        True values t, of input's shape without `axis` or broadcasting up to it.
    axis : int
        The axis of the members: the last by default. Any works, without a copy.
    fair : bool
        Whether the mean difference is that of pairs of different members. The fair score of a
        single member is nan. It may be below 0 for an ensemble of few members.
    weight : array_like, optional
        Weights w of the values, of target's shape or broadcasting up to it.
    <sample_weight of lists>
    where : array_like, optional
        Which members there are, of input's shape or broadcasting up to it: booleans, or numbers of
        which 0 leaves a member out, whatever stands there; M is the number of the others. Ensembles
        of which nothing is left count for nothing, also in what the reduction divides by.
    <reduction of values, in place>

    <returns values>

    <raises>

    Notes
    -----
    scoringrules: ``crps_ensemble``, whose ``estimator="nrg"`` and ``"fair"`` these are, with the
    target first, and no gradient; properscoring: ``crps_ensemble``, with the target first.

    The second derivative is 0 wherever there is one. Boosters need `hess_floor`.

    A member that is infinite makes the score infinite, but for the fair score of an ensemble with
    one such member at either end, which is the limit. Ensembles of more than 256 members are sorted
    one by one, for which each thread takes 4 M numbers of memory (2 M without derivatives).

    References
    ----------
    T. Gneiting and A. E. Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation,
    Journal of the American Statistical Association, 2007. C. A. T. Ferro, Fair scores for ensemble
    forecasts, Quarterly Journal of the Royal Meteorological Society, 2014.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.crps_ensemble.value_and_grad([[1.0, 4.0, 2.0, 3.0]], [2.5])
    >>> value
    np.float64(0.375)
    >>> grad
    array([[-0.0625,  0.0625, -0.1875,  0.1875]])
    >>> fl.crps_ensemble([1.0, 4.0, 2.0, 3.0], 2.5, fair=True).round(4)
    np.float64(0.1667)
    """
    return ensemble_score(
        request,
        _CRPS,
        input,
        target,
        fair=fair,
        axis=axis,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_ENERGY: Final = RowKernel("energy_score")


@without_hvp
def energy_score(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -2,
    vector_axis: int = -1,
    fair: bool = False,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Energy score of an ensemble of vectors: the CRPS of several dimensions.

    For an ensemble of M vectors x, a vector t and a weight w, with Euclidean norms:

    .. math:: \frac{w}{M} \sum_i |x_i - t| - \frac{w}{2 M^2} \sum_i \sum_j |x_i - x_j|

    With ``fair=True`` the double sum is divided by :math:`2 M (M - 1)`.

    Derivatives with respect to :math:`x_i`, with unit vectors :math:`u = (x_i - t) / |x_i - t|`
    and :math:`u_j = (x_i - x_j) / |x_i - x_j|`: :math:`w u / M - w \sum_j u_j / M^2`;
    :math:`w (1 - u^2) / (M |x_i - t|) - w \sum_j (1 - u_j^2) / (M^2 |x_i - x_j|)`, element by
    element. Vectors that are equal give nothing to either.

    Parameters
    ----------
    input : array_like
        Ensembles of vectors x, of shape (…, M, d), or with members and coordinates on any other
        axes.
    target : array_like
        True vectors t, of input's shape without `axis` or broadcasting up to it.
    axis : int
        The axis of the members: the last but one by default. Any works, without a copy.
    vector_axis : int
        The axis of the coordinates: the last by default.
    fair : bool
        Whether the mean distance is that of pairs of different members. The fair score of a single
        member is nan. It may be below 0 for an ensemble of few members.
    weight : array_like, optional
        Weights w of the values, of input's shape without both axes or broadcasting up to it.
    <sample_weight of lists>
    where : array_like, optional
        Which members there are, of input's shape without the axis of the coordinates or
        broadcasting up to it: booleans, or numbers of which 0 leaves a member out, whatever stands
        there; M is the number of the others. Ensembles of which nothing is left count for nothing,
        also in what the reduction divides by.
    <reduction of values>

    <returns values>

    <raises>

    Notes
    -----
    scoringrules: ``es_ensemble``, whose ``estimator="nrg"`` and ``"fair"`` these are, with the
    target first, and no gradient.

    The time is that of M² d / 2 differences for each ensemble, with derivatives of some more;
    everything is computed in float64. Ensembles of more than 256 members take 256 M bytes of memory
    in each thread.

    References
    ----------
    T. Gneiting and A. E. Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation,
    Journal of the American Statistical Association, 2007.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.energy_score.value_and_grad([[3.0, 4.0], [0.0, 0.0]], [0.0, 0.0])
    >>> value
    np.float64(1.25)
    >>> grad
    array([[0.15, 0.2 ],
           [0.15, 0.2 ]])
    """
    return ensemble_score(
        request,
        _ENERGY,
        input,
        target,
        fair=fair,
        axis=axis,
        vectors=True,
        vector_axis=vector_axis,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_RANKED: Final = ClassLoss("ranked_probability", mean_by_weight=False)


@without_hvp
def ranked_probability_score(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Ranked probability score (RPS) of probabilities of ordered categories.

    For probabilities p and t of the categories (a category y is t = 1 at y and 0 elsewhere):

    .. math:: \sum_k D_k^2 \qquad D_k = \sum_{i \le k} (p_i - t_i)

    Derivatives with respect to :math:`p_i`: :math:`2 \sum_{k \ge i} D_k`; twice the number of
    :math:`k \ge i`.

    The sums are compensated, so that cumulative probabilities keep their digits.

    Parameters
    ----------
    input : array_like
        Probabilities p of the categories in their order, of shape (C,), (N, C) or (N, C, d1, …), or
        with the categories on any other `axis`. Neither their range nor their sum is checked.
    <class target>
    <ignore_index>
    <axis>
    <sample_weight>
    where : array_like, optional
        Which categories there are in each row, of input's shape or broadcasting up to it: booleans,
        or numbers of which 0 leaves a category out, which then has no probabilities and no term.
        A row of which nothing is left counts for nothing. A mask of the rows needs the class axis:
        ``where=mask[:, None]``.
    <reduction of rows, mean over rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    scoringrules: ``rps_score``, with the target first, whose categories are counted from 1.

    Some divide the score by C - 1, so that it lies between 0 and 1. The term of the last category
    is 0 where both distributions add up to 1. Rows of more than 256 categories, and rows with a
    mask, take 8 C bytes of memory in each thread.

    References
    ----------
    E. S. Epstein, A Scoring System for Probability Forecasts of Ranked Categories, Journal of
    Applied Meteorology, 1969.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.ranked_probability_score.value_and_grad([[0.25, 0.25, 0.5]], [2])
    >>> value
    np.float64(0.3125)
    >>> grad
    array([[1.5, 1. , 0. ]])
    """
    return class_loss(
        request,
        _RANKED,
        input,
        target,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class CRPSEnsembleLoss(Criterion, loss=crps_ensemble):
    """`crps_ensemble` with its options bound."""


class EnergyScoreLoss(Criterion, loss=energy_score):
    """`energy_score` with its options bound."""


class RankedProbabilityScoreLoss(Criterion, loss=ranked_probability_score):
    """`ranked_probability_score` with its options bound."""
