"""Ordinal regression losses."""

from __future__ import annotations

from typing import Any, Final, Literal

from fusedloss._calls.ordinal import ThresholdLoss, threshold_loss
from fusedloss._calls.prefixes import PrefixLoss, prefix_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint, without_hvp
from fusedloss._core.parameters import choice
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "AllThresholdLoss",
    "CORALLoss",
    "CORNLoss",
    "ImmediateThresholdLoss",
    "OrdinalLoss",
    "all_threshold_loss",
    "coral_loss",
    "corn_loss",
    "immediate_threshold_loss",
    "ordinal_loss",
]


_LINKS: Final = {link: ThresholdLoss(link) for link in ("logit", "probit", "cloglog")}


@joint("input", "thresholds", has_hvp=False)
def ordinal_loss(
    request: Request,
    input: ArrayLike,
    thresholds: ArrayLike,
    target: ArrayLike,
    *,
    link: Literal["logit", "probit", "cloglog"] = "logit",
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of a cumulative link model: grades as intervals of a latent number.

    A grade is at most k with the probability :math:`F(\theta_k - x)`. For a score x and a grade y:

    .. math:: -w \log \Big(F(\theta_y - x) - F(\theta_{y - 1} - x)\Big)

    with :math:`\theta_{-1} = -\infty` and :math:`\theta_{K-1} = \infty`. F is the logistic function
    (`link` "logit": the proportional odds model), the normal distribution function ("probit") or
    :math:`1 - \exp(-e^z)` ("cloglog": proportional hazards of grouped times).

    Derivatives with respect to x: with the ends :math:`a = \theta_{y - 1} - x`,
    :math:`b = \theta_y - x` and the probability P, :math:`(f(b) - f(a)) / P`, where f is the
    derivative of F; with respect to the thresholds :math:`-f(b) / P` and :math:`f(a) / P`, summed
    over the elements. All second derivatives on the diagonal are those of the value, exactly.

    The logarithm is made of the tails and of the width of the interval, so that it keeps its digits
    where a grade is all but impossible or very narrow.

    Parameters
    ----------
    input : array_like
        Scores x, of any shape and real dtype.
    thresholds : array_like
        Thresholds θ between the grades, of shape (K - 1,) for K grades, shared by all scores. They
        must not decrease. Between equal ones is a grade of the probability 0: its value is inf.
    <grades>
    link : {"logit", "probit", "cloglog"}
        The inverse of F.
    <weight>
    <ignored grades>
    <reduction of grades>

    <returns pairs>

    <raises grades>

    Notes
    -----
    statsmodels: ``OrderedModel``, which adds 1e-20 to the probability; R: ``polr``; spacecutter:
    ``CumulativeLinkLoss``.

    The gradient of the thresholds is a sum over all elements, made of fixed parts in a fixed order:
    it has the same bits for any number of threads. The logit link is
    `immediate_threshold_loss` and a term of the thresholds alone, which keeps them apart.

    References
    ----------
    P. McCullagh, Regression Models for Ordinal Data, Journal of the Royal Statistical Society B 42
    (1980).

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, thresholds = [-1.0, 0.5, 2.0], [-0.5, 1.0]
    >>> value, (dx, dthresholds) = fl.ordinal_loss.value_and_grad(scores, thresholds, [0, 1, 2])
    >>> value.round(6)
    np.float64(0.609053)
    >>> dx.round(4)
    array([ 0.1258,  0.0362, -0.0896])
    >>> dthresholds.round(4)
    array([ 0.0595, -0.1319])
    """
    return threshold_loss(
        request,
        _LINKS[choice("link", link, tuple(_LINKS))],
        input,
        thresholds,
        target,
        weight=weight,
        ignore_index=ignore_index,
        where=where,
        reduction=reduction,
    )


_ALL: Final = ThresholdLoss("all")


@joint("input", "thresholds", has_hvp=False)
def all_threshold_loss(
    request: Request,
    input: ArrayLike,
    thresholds: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Logistic loss of each threshold between grades: a score ought to be on its right side.

    For a score x and a grade y, with :math:`s_k = 1` for :math:`k < y` and -1 for the others:

    .. math:: w \sum_{k \le K-2} \log\Big(1 + e^{-s_k (x - \theta_k)}\Big)

    Derivatives with respect to x: with :math:`\sigma_k = 1 / (1 + e^{\theta_k - x})` the sum of
    :math:`\sigma_k` over :math:`k \ge y` less that of :math:`1 - \sigma_k` over the others; the sum
    of :math:`\sigma_k (1 - \sigma_k)`. With respect to a threshold its own terms, the first with a
    minus, summed over the elements.

    It bounds the absolute error of the grade. The thresholds need no order; at the minimum they
    have one.

    Parameters
    ----------
    input : array_like
        Scores x, of any shape and real dtype.
    <thresholds>
    <grades>
    <weight>
    <ignored grades>
    <reduction of grades>

    <returns pairs>

    <raises grades>

    Notes
    -----
    mord: ``LogisticAT``, which adds these up.

    Of logits :math:`x - \theta_k` `coral_loss` is the same.

    References
    ----------
    J. D. M. Rennie and N. Srebro, Loss Functions for Preference Levels: Regression with Discrete
    Ordered Labels, IJCAI Workshop on Advances in Preference Handling, 2005.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, thresholds = [-1.0, 0.5, 2.0], [-0.5, 1.0]
    >>> value, (dx, dthresholds) = fl.all_threshold_loss.value_and_grad(
    ...     scores, thresholds, [0, 1, 2]
    ... )
    >>> value.round(6)
    np.float64(0.593498)
    >>> dx.round(4)
    array([ 0.1656,  0.0362, -0.1149])
    >>> dthresholds.round(4)
    array([-0.0109, -0.0759])
    """
    return threshold_loss(
        request,
        _ALL,
        input,
        thresholds,
        target,
        weight=weight,
        ignore_index=ignore_index,
        where=where,
        reduction=reduction,
    )


_IMMEDIATE: Final = ThresholdLoss("immediate")


@joint("input", "thresholds", has_hvp=False)
def immediate_threshold_loss(
    request: Request,
    input: ArrayLike,
    thresholds: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Logistic loss of the two thresholds around a grade: a score ought to be between them.

    For a score x and a grade y:

    .. math:: w \log(1 + e^{\theta_{y - 1} - x}) + w \log(1 + e^{x - \theta_y})

    where the lowest grade has no first term and the highest no second one.

    Derivatives with respect to x: with :math:`\sigma(z) = 1 / (1 + e^{-z})`,
    :math:`\sigma(x - \theta_y) - \sigma(\theta_{y - 1} - x)`; on the diagonal the sum of
    :math:`\sigma (1 - \sigma)` of both. With respect to the thresholds those of the terms in which
    they are, summed over the elements.

    It bounds the error of a wrong grade, whichever. The thresholds need no order.

    Parameters
    ----------
    input : array_like
        Scores x, of any shape and real dtype.
    <thresholds>
    <grades>
    <weight>
    <ignored grades>
    <reduction of grades>

    <returns pairs>

    <raises grades>

    Notes
    -----
    mord: ``LogisticIT``, which adds these up.

    References
    ----------
    J. D. M. Rennie and N. Srebro, Loss Functions for Preference Levels: Regression with Discrete
    Ordered Labels, IJCAI Workshop on Advances in Preference Handling, 2005.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores, thresholds = [-1.0, 0.5, 2.0], [-0.5, 1.0]
    >>> value, (dx, dthresholds) = fl.immediate_threshold_loss.value_and_grad(
    ...     scores, thresholds, [0, 1, 2]
    ... )
    >>> value.round(6)
    np.float64(0.524892)
    >>> dx.round(4)
    array([ 0.1258,  0.0362, -0.0896])
    >>> dthresholds.round(4)
    array([-0.0362, -0.0362])
    """
    return threshold_loss(
        request,
        _IMMEDIATE,
        input,
        thresholds,
        target,
        weight=weight,
        ignore_index=ignore_index,
        where=where,
        reduction=reduction,
    )


_CORAL: Final = PrefixLoss("levels")


@without_hvp
def coral_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""CORAL: for each grade but the lowest, the logistic loss of whether the target reaches it.

    For a row of K - 1 logits x, of the probabilities that the grade is above k, and a grade y, with
    :math:`t_k = 1` for :math:`k < y` and 0 for the others:

    .. math:: \sum_{k \le K-2} w_k \Big( t_k \log(1 + e^{-x_k}) + (1 - t_k) \log(1 + e^{x_k}) \Big)

    Derivatives with respect to x: with :math:`\sigma_k = 1 / (1 + e^{-x_k})`,
    :math:`w_k (\sigma_k - t_k)` and, on the diagonal, :math:`w_k \sigma_k (1 - \sigma_k)`.

    Both tails keep their digits. The bits t are never made: a row needs its grade alone.

    Parameters
    ----------
    <bits>
    <weight of bits>
    <rows of bits>
    <reduction of bits>

    <returns bits>

    <raises grades>

    Notes
    -----
    coral-pytorch: ``coral_loss``, which takes the bits t as ``levels`` and calls the weights
    ``importance_weights``.

    With logits :math:`x - \theta_k` it is `all_threshold_loss`.

    References
    ----------
    W. Cao, V. Mirjalili and S. Raschka, Rank Consistent Ordinal Regression for Neural Networks with
    Application to Age Estimation, Pattern Recognition Letters 140 (2020).

    Examples
    --------
    >>> import fusedloss as fl
    >>> logits = [[2.1, 1.8, -2.1, -1.8], [1.9, -1.0, -1.5, -1.3], [1.9, 1.8, 1.7, 1.6]]
    >>> value, grad = fl.coral_loss.value_and_grad(logits, [2, 1, 4])
    >>> value.round(4)
    np.float64(0.692)
    >>> grad.round(4)
    array([[-0.0364, -0.0473,  0.0364,  0.0473],
           [-0.0434,  0.0896,  0.0608,  0.0714],
           [-0.0434, -0.0473, -0.0515, -0.056 ]])
    """
    return prefix_loss(
        request,
        _CORAL,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_CORN: Final = PrefixLoss("conditions", by_bits=True)


@without_hvp
def corn_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""CORN: the logistic loss of each step to the next grade, up to the first that is not taken.

    For a row of K - 1 logits x, of the probabilities that the grade is above k where it is above
    k - 1, and a grade y:

    .. math:: \sum_{k < y} w_k \log(1 + e^{-x_k}) + w_y \log(1 + e^{x_y})

    where the highest grade has no last term.

    Derivatives with respect to x: with :math:`\sigma_k = 1 / (1 + e^{-x_k})`,
    :math:`w_k (\sigma_k - 1)` for :math:`k < y` and :math:`w_y \sigma_y`; on the diagonal
    :math:`w_k \sigma_k (1 - \sigma_k)`. 0 for the logits after these, whatever they are.

    Parameters
    ----------
    <bits>
    <weight of bits>
    <rows of bits>
    <reduction of single bits>

    <returns bits>

    <raises grades>

    Notes
    -----
    coral-pytorch: ``corn_loss``, which has no weights.

    The mean is over the logits that take part, not over the rows, as there.

    References
    ----------
    X. Shi, W. Cao and S. Raschka, Deep Neural Networks for Rank-Consistent Ordinal Regression Based
    on Conditional Probabilities, Pattern Analysis and Applications 26 (2023).

    Examples
    --------
    >>> import fusedloss as fl
    >>> logits = [[2.0, -1.0, 0.5], [0.5, 0.0, -1.0], [1.0, 1.0, 1.0]]
    >>> value, grad = fl.corn_loss.value_and_grad(logits, [1, 0, 3])
    >>> value.round(4)
    np.float64(0.3923)
    >>> grad.round(4)
    array([[-0.0199,  0.0448,  0.    ],
           [ 0.1037,  0.    ,  0.    ],
           [-0.0448, -0.0448, -0.0448]])
    """
    return prefix_loss(
        request,
        _CORN,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class OrdinalLoss(Criterion, loss=ordinal_loss):
    """`ordinal_loss` with its options bound."""


class AllThresholdLoss(Criterion, loss=all_threshold_loss):
    """`all_threshold_loss` with its options bound."""


class ImmediateThresholdLoss(Criterion, loss=immediate_threshold_loss):
    """`immediate_threshold_loss` with its options bound."""


class CORALLoss(Criterion, loss=coral_loss):
    """`coral_loss` with its options bound."""


class CORNLoss(Criterion, loss=corn_loss):
    """`corn_loss` with its options bound."""
