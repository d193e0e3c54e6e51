"""Survival losses."""

from __future__ import annotations

from typing import Any, Final, Literal

from fusedloss._calls.elementwise import Formula, elementwise
from fusedloss._calls.prefixes import PrefixLoss, prefix_loss
from fusedloss._calls.survival import COX, cox_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint, without_hvp
from fusedloss._core.parameters import choice
from fusedloss._core.plans import Plan
from fusedloss._core.types import ArrayLike, Ids, Reduction, Request

__all__ = [
    "AFTLoss",
    "CoxPHLoss",
    "DiscreteSurvivalLoss",
    "aft_loss",
    "cox_ph_loss",
    "discrete_survival_loss",
]


_HAZARDS: Final = PrefixLoss("hazards", "time")


@without_hvp
def discrete_survival_loss(
    request: Request,
    input: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of times in steps, from the logits of the hazard of each step.

    The hazard :math:`h_j = 1 / (1 + e^{-x_j})` is the probability of the event in step j if it has
    not been before. For a row of T logits x, the step k of the event or, where it was not seen
    (:math:`e = 0`), the last one that was survived:

    .. math:: \sum_{j \le k} w_j \log(1 + e^{x_j}) - e\, w_k x_k

    which is :math:`-\log h_k - \sum_{j < k} \log(1 - h_j)` for an event, and
    :math:`-\sum_{j \le k} \log(1 - h_j)` for a censored row.

    Derivatives with respect to x: :math:`w_j h_j` for :math:`j < k`, :math:`w_k (h_k - e)`, and 0
    for the steps after k, whatever they are; on the diagonal :math:`w_j h_j (1 - h_j)`.

    Both tails keep their digits, as those of `binary_cross_entropy_with_logits`.

    Parameters
    ----------
    input : array_like
        Logits x of the hazards, of shape (T,), (N, T) or (N, T, d1, …), or with the steps on any
        other `axis`.
    time : array_like
        Steps k from 0 to T - 1 of any integer dtype, of input's shape without the axis or
        broadcasting up to that. A censored row counts as having survived its step: one that was
        censored within it, and should not, has the step before as its last one.
    event : array_like
        Whether the event was seen: booleans, or 0 and 1, of time's shape or broadcasting up to that
        of the rows.
    weight : array_like of shape (T,), optional
        Weights w of the steps. A step of the weight 0 counts for nothing, whatever stands there.
    axis : int, optional
        The axis of the steps: 1 by default, 0 for an input of one dimension. Any works, without a
        copy.
    <rows of bits>
    <reduction of bits>

    <returns bits>

    Raises
    ------
    ValueError
        For shapes that do not fit, an event that is neither 0 nor 1, an unknown reduction, an unfit
        buffer.
    TypeError
        For a dtype that is not accepted.
    IndexError
        For a step out of range, with its position. Nothing has been written then.

    Notes
    -----
    pycox: ``NLLLogistiHazardLoss``, the model ``LogisticHazard``, also known as nnet-survival.

    References
    ----------
    M. F. Gensheimer and B. Narasimhan, A Scalable Discrete-Time Survival Model for Neural Networks,
    PeerJ 7 (2019). H. Kvamme and Ø. Borgan, Continuous and Discrete-Time Survival Prediction with
    Neural Networks, Lifetime Data Analysis 27 (2021).

    Examples
    --------
    >>> import fusedloss as fl
    >>> logits = [[-2.0, -1.0, 0.0], [-1.0, 0.5, 1.0]]
    >>> value, grad = fl.discrete_survival_loss.value_and_grad(logits, [1, 0], [True, False])
    >>> value.round(4)
    np.float64(0.8767)
    >>> grad.round(4)
    array([[ 0.0596, -0.3655,  0.    ],
           [ 0.1345,  0.    ,  0.    ]])
    """
    return prefix_loss(
        request,
        _HAZARDS,
        input,
        time,
        event,
        weight=weight,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class DiscreteSurvivalLoss(Criterion, loss=discrete_survival_loss):
    """`discrete_survival_loss` with its options bound."""


@joint("input", planner=COX)
def cox_ph_loss(
    request: Request,
    input: ArrayLike,
    time: ArrayLike | None = None,
    event: ArrayLike | None = None,
    *,
    ties: Literal["efron", "breslow"] = "efron",
    weight: ArrayLike | None = None,
    strata: Ids | None = None,
    entry: ArrayLike | None = None,
    reduction: Reduction = "mean",
    plan: Plan | None = None,
) -> Any:
    r"""Cox's negative log partial likelihood of logarithms of risks.

    At risk when an event happens at the time t are the rows R(t) of its stratum that have entered
    before t and have a time of t or later. With their risks :math:`w_j e^{x_j}`, the event i has
    the value

    .. math:: w_i \Big( \log \sum_{j \in R(t_i)} w_j e^{x_j} - x_i \Big)

    if it is the only one at that time, or by Breslow's method. By Efron's, of d events at one time
    with the set D, the k-th of them, k from 0 to d - 1, has the part
    :math:`\theta_k = 1 - k / d` of their risks in its risk set, and each of them the mean of the d
    logarithms of :math:`\sum_{R \setminus D} w_j e^{x_j} + \theta_k \sum_D w_j e^{x_j}`. A censored
    row has the value 0.

    Derivatives with respect to x: :math:`w_j e^{x_j} A_j - w_j [j \text{ is an event}]` and
    :math:`\sum W p_{jk} (1 - p_{jk})`, where :math:`A_j` is the sum of W / S over the events at
    which j is at risk, S the sum of a risk set, and p the share of j in it. The second one is the
    exact diagonal; `hvp` has all of the Hessian.

    Parameters
    ----------
    input : array_like
        Logarithms of risks x, such as :math:`X \beta`, of shape (N,): a number for each row. The
        same number added to all rows of a stratum changes nothing.
    time : array_like
        When the event happened, or the observation ended, of shape (N,). Any finite numbers; only
        their order matters.
    event : array_like
        1 or True where the event happened, 0 or False where the row is censored, of shape (N,).
        Who is censored at the time of an event was at risk then.
    ties : str, default "efron"
        What is done with several events at one time: "efron" or "breslow".
    weight : array_like, optional
        Case weights w, 0 or more, of shape (N,) or one number. A row with the weight 0 is as if it
        were not there, whatever it holds. d counts rows; their mean weight multiplies each of the
        d logarithms, as in R's survival and in lifelines. Others than 0 are best from 1e-100 to
        1e100: beyond, second derivatives and products of the Hessian lose digits.
    strata : array_like, optional
        Ids of the strata, of shape (N,), in any order: numbers, strings, or what else sorts. Rows
        of one stratum are never at risk with those of another.
    entry : array_like, optional
        When the row came under observation, before its `time` (left truncation), of shape (N,): at
        risk at t is who has entry < t. -inf stands for ever.
    reduction : str
        "mean" (divides by the number of events, also with a weight; rows with the weight 0 have
        none), "sum", "none" (a value for each row, 0 where it is censored), "batchmean" (divides
        by N), "weighted_mean" (by the sum of the weights of the events) or
        "sum_by_nonzero_weights" (as "mean"). Without any events value and derivatives are 0, for
        each of these.
    plan : Plan, optional
        What ``cox_ph_loss.plan(time, event, weight=…, strata=…, entry=…)`` has returned: these are
        left out then. It sorts the rows, which takes longer than all else.
    <buffers of a call>

    Returns
    -------
    value : scalar, or ndarray of input's shape for ``reduction="none"``
        float32 where `input` is float32 or of half precision, else float64. Risks are summed in
        float64. `value_and_grad` returns (value, gradient), `value_grad_hess` (value, gradient,
        diagonal of the Hessian).

    Raises
    ------
    TypeError
        If an argument is no array of numbers; if data is given together with a plan; if `event`
        or `time` is missing without one.
    ValueError
        If shapes do not fit; if a row that counts has a time that is not finite, an event that is
        not 0 or 1, or an entry that is not before its time; if a weight is negative, inf or nan; if
        `plan` is one of another loss or of another number of rows; if a buffer is unfit, or
        `reduction` or `ties` unknown.

    Notes
    -----
    XGBoost: ``survival:cox``, with Breslow's method, and labels that are negative where a row is
    censored.

    lifelines: ``CoxPHFitter``; statsmodels: ``PHReg``; scikit-survival: ``CoxPHSurvivalAnalysis``;
    R's survival: ``coxph``; pycox: ``CoxPHLoss``, which does without ties; torchsurv:
    ``neg_partial_log_likelihood``. These return the log-likelihood, or its mean over all rows.

    A call takes O(N) with a plan. With `entry`, and where inputs of a stratum lie more than 300
    apart, it takes O(N log N): no sum is found by taking one from another, so no digits are lost.
    Working memory is a number for each row, with `entry` some tens of numbers. A stratum is worked
    on by one thread, so threads share the work only if there are strata.

    An infinite input has the limit where there is one.

    References
    ----------
    D. R. Cox, Regression Models and Life-Tables, J. R. Stat. Soc. B 34 (1972); B. Efron, The
    Efficiency of Cox's Likelihood Function for Censored Data, JASA 72 (1977); T. M. Therneau and P.
    M. Grambsch, Modeling Survival Data, Springer 2000.

    Examples
    --------
    >>> import fusedloss as fl
    >>> time, event = [5.0, 3.0, 3.0, 1.0], [0, 1, 1, 1]
    >>> value, grad = fl.cox_ph_loss.value_and_grad([0.2, 1.0, -0.5, 0.1], time, event)
    >>> value.round(4)
    np.float64(1.2351)
    >>> plan = fl.cox_ph_loss.plan(time, event)
    >>> fl.cox_ph_loss([0.2, 1.0, -0.5, 0.1], plan=plan) == value
    np.True_
    """
    return cox_loss(
        request,
        input,
        time,
        event,
        ties=ties,
        weight=weight,
        strata=strata,
        entry=entry,
        reduction=reduction,
        plan=plan,
    )


class CoxPHLoss(Criterion, loss=cox_ph_loss):
    """`cox_ph_loss` with its options bound."""


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
