"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

from typing import Any, Final, Literal

from fusedloss._calls.elementwise import Formula, elementwise
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.parameters import choice
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = ["AFTLoss", "aft_loss"]

_DISTRIBUTIONS: Final = ("normal", "logistic", "extreme")
_AFT: Final = {
    distribution: Formula(
        f"aft_{distribution}",
        {
            "lower": "finite numbers from 0 on",
            "upper": "positive numbers that are not below `lower`, infinity among them",
            "scale": "positive finite numbers",
        },
        target="lower",
        third="upper",
        fourth="scale",
    )
    for distribution in _DISTRIBUTIONS
}


@joint("input", "scale")
def aft_loss(
    request: Request,
    input: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    scale: ArrayLike,
    *,
    distribution: Literal["normal", "logistic", "extreme"] = "normal",
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of an accelerated failure time model, of times maybe censored.

    The logarithm of a time T is the input x plus noise, :math:`\log T = x + s Z`, with the scale s
    and a Z of distribution function F and density f. Of each time it is known that it lies from
    `lower` to `upper`, l and u. With :math:`a = (\log l - x) / s` and :math:`b = (\log u - x) / s`:

    .. math:: -w \log(F(b) - F(a)), \qquad w \left( -\log f(a) + \log(s \, l) \right)
        \text{ where } l = u

    ======================  ================  ===============
    what is known           `lower`           `upper`
    ======================  ================  ===============
    the time (an event)     the time          the time
    right-censored          the last time     infinity
    left-censored           0                 the first time
    interval-censored       the one end       the other end
    ======================  ================  ===============

    A row of 0 and infinity says nothing, and counts with a value of 0.

    Derivatives with respect to x: :math:`-w (f(a) - f(b)) / (s (F(b) - F(a)))`, or
    :math:`w f'(a) / (s f(a))`; the second ones, and both with respect to s, are exact too. Convex
    in x, as each density is log-concave; not in s. Tails and intervals of one unit in the last
    place keep their digits: no two values of F are subtracted.

    Parameters
    ----------
    input : array_like
        Predicted logarithms x of the times, of any shape and real dtype.
    lower : array_like
        The least times l, in the unit of the times, not their logarithms: finite and not negative.
        Of input's shape or broadcasting up to it, as are `upper` and `scale`.
    upper : array_like
        The largest times u: positive, not below `lower`; infinity where there is no limit.
    scale : array_like
        Scales s of the logarithms, positive and finite: a number, or one for each element.
    distribution : str
        That of Z: "normal" (T is log-normal); "logistic" (T is log-logistic); or "extreme", the
        one of the least extreme value, :math:`F(z) = 1 - e^{-e^z}` (T has a Weibull distribution of
        shape 1/s, or for s = 1 an exponential one).
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    XGBoost: ``survival:aft``; lifelines: ``LogNormalAFTFitter``, ``LogLogisticAFTFitter``,
    ``WeibullAFTFitter``; CatBoost: ``SurvivalAft``; Spark: ``AFTSurvivalRegression``, which is
    "extreme".

    The values are XGBoost's ``aft-nloglik``, whose ``aft_loss_distribution_scale`` is `scale`. Its
    gradients are those with respect to x, but cut to at most 15 in size, and its second derivatives
    to 1e-16 … 15.

    The gradient of a broadcast `scale` is summed over the axes along which it was repeated. The
    derivative with respect to :math:`\log s` is s times that with respect to s.

    References
    ----------
    A. Barnwal, H. Cho, T. Hocking, Survival Regression with Accelerated Failure Time Model in
    XGBoost, Journal of Computational and Graphical Statistics 31 (2022), 1292-1302.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> lower, upper = np.array([2.0, 3.0, 0.0, 1.0]), np.array([2.0, np.inf, 4.0, 1.5])
    >>> x = np.array([0.5, 1.0, 1.5, 0.0])
    >>> fl.aft_loss(x, lower, upper, 0.5, reduction="none").round(4)
    array([0.9936, 0.8632, 0.8915, 1.2334])
    >>> value, (grad, grad_scale) = fl.aft_loss.value_and_grad(x, lower, upper, 0.5)
    >>> grad.round(4), grad_scale.round(4)
    (array([-0.1931, -0.4638,  0.474 , -0.1919]), np.float64(0.6258))
    """
    return elementwise(
        request,
        _AFT[choice("distribution", distribution, _DISTRIBUTIONS)],
        input,
        lower,
        upper,
        scale,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class AFTLoss(Criterion, loss=aft_loss):
    """`aft_loss` with its options bound."""
