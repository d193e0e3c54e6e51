"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

from typing import Any, Literal

from fusedloss._calls.survival import COX, cox_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.plans import Plan
from fusedloss._core.types import ArrayLike, Ids, Reduction, Request

__all__ = ["CoxPHLoss", "cox_ph_loss"]


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
        d logarithms, as in R's survival and in lifelines.
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
