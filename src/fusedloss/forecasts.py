"""Scores for distribution and interval forecasts."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any, Final

from fusedloss._calls.elementwise import Formula, elementwise
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.parameters import number
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "CRPSLaplaceLoss",
    "CRPSLogisticLoss",
    "CRPSNormalLoss",
    "CRPSStudentTLoss",
    "IntervalScoreLoss",
    "crps_laplace",
    "crps_logistic",
    "crps_normal",
    "crps_student_t",
    "interval_score",
]

_SCALE: Final = {"scale": "numbers from 0 on"}
_NORMAL: Final = Formula("crps_normal", _SCALE, third="scale")


@joint("input", "scale")
def crps_normal(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Continuous ranked probability score (CRPS) of a normal distribution.

    With r = \|x - t\| / s, and φ and Φ the standard normal density and distribution function:

    .. math:: w s [r (2 \Phi(r) - 1) + 2 \varphi(r) - 1 / \sqrt{\pi}]

    Derivatives with respect to x, but for the sign of x - t: :math:`w (2 \Phi(r) - 1)` and
    :math:`2 w \varphi(r) / s`. With respect to the scale:
    :math:`w (2 \varphi(r) - 1 / \sqrt{\pi})` and :math:`2 w r^2 \varphi(r) / s`. Convex in both.

    Parameters
    ----------
    <location>
    scale : array_like
        Scales s from 0 on, in the unit of the target: of input's shape or broadcasting up to it, or
        a number. 0 stands for the limit, a forecast of x alone, with the score \|x - t\|.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scoringrules: ``crps_normal(target, input, scale)``; properscoring: ``crps_gaussian(target,
    input, scale)``, whose ``grad=True`` gives both gradients; ngboost: ``Normal`` with
    ``CRPScore``.

    The score is in the unit of the target. An outlier counts as far as it lies off, where the
    likelihood has its square.

    References
    ----------
    T. Gneiting, A. E. Raftery, A. H. Westveld, T. Goldman, Calibrated Probabilistic Forecasting
    Using Ensemble Model Output Statistics and Minimum CRPS Estimation, Mon. Weather Rev. 133
    (2005) 1098-1118.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.crps_normal.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6), grad_scale.round(6)
    (np.float64(16.474062), array([ 0.682689, -1.      ]), array([-0.080248, -0.56419 ]))
    """
    return elementwise(
        request,
        _NORMAL,
        input,
        target,
        scale,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class CRPSNormalLoss(Criterion, loss=crps_normal):
    """`crps_normal` with its options bound."""


_LOGISTIC: Final = Formula("crps_logistic", _SCALE, third="scale")


@joint("input", "scale")
def crps_logistic(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Continuous ranked probability score (CRPS) of a logistic distribution.

    With r = \|x - t\| / s, :math:`T = \tanh(r / 2)` and H the entropy of the probability
    :math:`1 / (1 + e^{-r})`:

    .. math:: w s [r + 2 \log(1 + e^{-r}) - 1]

    Derivatives with respect to x, but for the sign of x - t: :math:`w T` and
    :math:`w (1 - T^2) / (2 s)`. With respect to the scale: :math:`w (2 H - 1)` and
    :math:`w r^2 (1 - T^2) / (2 s)`. Convex in both.

    Parameters
    ----------
    <location>
    scale : array_like
        Scales s from 0 on, in the unit of the target: of input's shape or broadcasting up to it, or
        a number. 0 stands for the limit, a forecast of x alone, with the score \|x - t\|.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scoringrules: ``crps_logistic(target, input, scale)``; R: ``scoringRules::crps_logis``.

    References
    ----------
    A. Jordan, F. Krüger, S. Lerch, Evaluating Probabilistic Forecasts with scoringRules, J. Stat.
    Softw. 90 (2019) 12.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.crps_logistic.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6), grad_scale.round(6)
    (np.float64(15.627337), array([ 0.462117, -0.999593]), array([ 0.164406, -0.996135]))
    """
    return elementwise(
        request,
        _LOGISTIC,
        input,
        target,
        scale,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class CRPSLogisticLoss(Criterion, loss=crps_logistic):
    """`crps_logistic` with its options bound."""


_LAPLACE: Final = Formula("crps_laplace", _SCALE, third="scale")


@joint("input", "scale")
def crps_laplace(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Continuous ranked probability score (CRPS) of a Laplace distribution.

    With r = \|x - t\| / s:

    .. math:: w s (r + e^{-r} - 3 / 4)

    Derivatives with respect to x, but for the sign of x - t: :math:`w (1 - e^{-r})` and
    :math:`w e^{-r} / s`. With respect to the scale: :math:`w [(1 + r) e^{-r} - 3 / 4]` and
    :math:`w r^2 e^{-r} / s`. Convex in both.

    Parameters
    ----------
    <location>
    scale : array_like
        Scales s from 0 on, in the unit of the target: of input's shape or broadcasting up to it, or
        a number. 0 stands for the limit, a forecast of x alone, with the score \|x - t\|.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scoringrules: ``crps_laplace(target, input, scale)``; R: ``scoringRules::crps_lapl``.

    References
    ----------
    A. Jordan, F. Krüger, S. Lerch, Evaluating Probabilistic Forecasts with scoringRules, J. Stat.
    Softw. 90 (2019) 12.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.crps_laplace.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6), grad_scale.round(6)
    (np.float64(16.118286), array([ 0.632121, -0.999797]), array([-0.014241, -0.748067]))
    """
    return elementwise(
        request,
        _LAPLACE,
        input,
        target,
        scale,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class CRPSLaplaceLoss(Criterion, loss=crps_laplace):
    """`crps_laplace` with its options bound."""


_STUDENT_T: Final = Formula("crps_student_t", _SCALE, third="scale")
_STUDENT_T_LARGE: Final = Formula("crps_student_t_large", _SCALE, third="scale")


@lru_cache(maxsize=1)
def _series() -> list[Fraction]:
    """The coefficients of 1/b, 1/b³, … in log(Γ(b + 1/2) / Γ(b)) - log(b) / 2."""
    bernoulli = [Fraction(1)]
    for n in range(1, 29):
        lower = sum((comb(n + 1, k) * b for k, b in enumerate(bernoulli)), Fraction(0))
        bernoulli.append(-lower / (n + 1))
    return [(Fraction(1, 4**k) - 1) * bernoulli[2 * k] / (k * (2 * k - 1)) for k in range(1, 15)]


def _log_half_step(b: Decimal) -> Decimal:
    """log(Γ(b + 1/2) / Γ(b)): from that at 64 or more, which is a series."""
    half, steps = Decimal("0.5"), Decimal(1)
    while b < 64:
        steps *= b / (b + half)
        b += 1
    inverse = 1 / b
    power, total = inverse, (steps * b.sqrt()).ln()
    for coefficient in _series():
        total += power * coefficient.numerator / coefficient.denominator
        power *= inverse * inverse
    return total


@lru_cache(maxsize=32)
def _student_t(df: float) -> tuple[Formula, tuple[float, ...]]:
    """The formula and its parameters, in so many digits that the score at x = t, which near one
    degree of freedom is a small difference of large numbers, has all."""
    df = min(df, 1e30)  # a normal distribution long before
    with localcontext() as context:
        context.prec = 60
        nu, half = Decimal(df), Decimal("0.5")
        to_beta = _log_half_step(half).exp()  # 1 / sqrt(π)
        rise = _log_half_step(nu / 2)
        beta = rise.exp() * to_beta  # 1 / B(1/2, ν/2)
        ratio = (rise - _log_half_step(nu - half)).exp()
        least = 2 * nu.sqrt() / (nu - 1) * beta * (1 - ratio)
        if df >= 21:
            return _STUDENT_T_LARGE, (df, float(beta), float(least))
        base = nu / 2 - (nu - 1) // 2
        return _STUDENT_T, (
            df,
            float(beta),
            float(least),
            float(_log_half_step(base).exp() * to_beta),
        )


@joint("input", "scale")
def crps_student_t(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    df: float = 3.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Continuous ranked probability score (CRPS) of Student's t-distribution.

    With r = \|x - t\| / s, and f and F the density and the distribution function of ν degrees of
    freedom, and :math:`c = 2 \sqrt{\nu} B(1/2, \nu - 1/2) / [(\nu - 1) B(1/2, \nu / 2)^2]`:

    .. math:: w s [r (2 F(r) - 1) + 2 f(r) (\nu + r^2) / (\nu - 1) - c]

    Derivatives with respect to x, but for the sign of x - t: :math:`w (2 F(r) - 1)` and
    :math:`2 w f(r) / s`. With respect to the scale:
    :math:`w [2 f(r) (\nu + r^2) / (\nu - 1) - c]` and :math:`2 w r^2 f(r) / s`. Convex in both.

    Parameters
    ----------
    <location>
    scale : array_like
        Scales s from 0 on, in the unit of the target: of input's shape or broadcasting up to it, or
        a number. 0 stands for the limit, a forecast of x alone, with the score \|x - t\|.
    df : float
        ν, the degrees of freedom, a finite number above 1; of 1 and less the score is infinite. The
        normal distribution is the limit of large ones.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scoringrules: ``crps_t(target, df, input, scale)``; R: ``scoringRules::crps_t``.

    The distribution function is computed in float64, by sums of a fixed number of terms for any
    number of degrees of freedom, whole or not. The scale is no standard deviation: that is
    :math:`s \sqrt{\nu / (\nu - 2)}` for ν > 2.

    References
    ----------
    A. Jordan, F. Krüger, S. Lerch, Evaluating Probabilistic Forecasts with scoringRules, J. Stat.
    Softw. 90 (2019) 12.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.crps_student_t.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], df=4.0, reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(16.138879), array([ 0.626099, -0.998949]))
    """
    degrees = number("df", df)
    if not 1 < degrees < float("inf"):
        raise ValueError(f"df: a finite number above 1 is needed, got {df}")
    formula, parameters = _student_t(degrees)
    return elementwise(
        request,
        formula,
        input,
        target,
        scale,
        parameters=parameters,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class CRPSStudentTLoss(Criterion, loss=crps_student_t):
    """`crps_student_t` with its options bound."""


_ENDS: Final[Any] = {"input": "lower", "third": "upper"}
_INTERVAL: Final = Formula("interval_score", **_ENDS)
_INTERVAL_LEVELS: Final = Formula(
    "interval_score_levels",
    {"alpha": "numbers above 0 and up to 1"},
    **_ENDS,
    fourth="alpha",
    fourth_has_precision=False,
)


@joint("lower", "upper")
def interval_score(
    request: Request,
    lower: ArrayLike,
    upper: ArrayLike,
    target: ArrayLike,
    *,
    alpha: ArrayLike = 0.1,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Interval score (Winkler score) of central prediction intervals.

    Of an interval from l to u that shall hold the target t with the probability 1 - α:

    .. math:: w [u - l + (2 / \alpha) \max(0, l - t) + (2 / \alpha) \max(0, t - u)]

    Derivatives with respect to l: -w where l < t, :math:`w (2 / \alpha - 1)` where l > t, and 0
    where l = t; with respect to u the same with the other sign, w where u > t. The second ones
    are 0. The ends that minimise the sum are quantiles of the targets, of the levels α / 2 and
    1 - α / 2.

    Parameters
    ----------
    lower : array_like
        Lower ends l of the intervals, of any shape and real dtype.
    upper : array_like
        Upper ends u, of lower's shape or broadcasting up to it.
    target : array_like
        True values t, of lower's shape or broadcasting up to it.
    alpha : float or array_like
        α, the probability outside of the interval, half of it on each side: above 0 and up to 1.
        An array, which broadcasts up to lower's shape, has one for each element: for ends of shape
        (N, K) K of them, with a target of shape (N, 1). Its dtype does not count for that of the
        computation, and it has no gradient.
    weight : array_like, optional
        Weights w of the elements, of lower's shape or broadcasting up to it. What has the weight 0
        counts for nothing, whatever stands there.
    where : array_like, optional
        Which elements count, of lower's shape or broadcasting up to it: booleans, or numbers of
        which 0 leaves an element out, also of what the reduction divides by.
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scoringrules: ``interval_score(target, lower, upper, alpha)``; sklearn.metrics: 2 / α times the
    sum of ``mean_pinball_loss`` of both ends.

    It is computed as such a sum, 2 / α times `quantile_loss` of both ends, whose terms are not
    below 0. So nothing cancels, and it is the right score, with gradients that part them, where
    ends cross. The weighted interval score of several levels, with the median, is twice the mean of
    the quantile losses of all ends and the median.

    References
    ----------
    T. Gneiting, A. E. Raftery, Strictly Proper Scoring Rules, Prediction, and Estimation, J. Am.
    Stat. Assoc. 102 (2007) 359-378.

    J. Bracher, E. L. Ray, T. Gneiting, N. G. Reich, Evaluating Epidemic Forecasts in an Interval
    Format, PLoS Comput. Biol. 17 (2021) e1008618 (the weighted one).

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.interval_score([0.0, 0.0], [2.0, 2.0], [1.0, 3.0], alpha=0.5, reduction="none")
    array([2., 6.])
    >>> value, (grad, grad_upper) = fl.interval_score.value_and_grad(
    ...     [0.0, 0.0], [2.0, 2.0], [1.0, 3.0], alpha=0.5, reduction="sum"
    ... )
    >>> grad, grad_upper
    (array([-1., -1.]), array([ 1., -3.]))
    """
    formula, parameters = _INTERVAL_LEVELS, tuple[float, ...]()
    levels: ArrayLike | None = alpha
    if not (isinstance(alpha, (list, tuple)) or getattr(alpha, "ndim", 0) > 0):
        level = number("alpha", alpha)
        if not 0 < level <= 1:
            raise ValueError(f"alpha: a number above 0 and up to 1 is needed, got {alpha}")
        formula, levels, parameters = _INTERVAL, None, ((2.0 - level) / level,)
    return elementwise(
        request,
        formula,
        lower,
        target,
        upper,
        levels,
        parameters=parameters,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class IntervalScoreLoss(Criterion, loss=interval_score):
    """`interval_score` with its options bound."""
