"""Likelihoods of counts and proportions."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.elementwise import Formula, elementwise
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import Loss, joint
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "BetaBinomialNLLLoss",
    "BetaNLLLoss",
    "BinomialNLLLoss",
    "NegativeBinomialNLLLoss",
    "ZeroInflatedNegativeBinomialNLLLoss",
    "ZeroInflatedPoissonNLLLoss",
    "beta_binomial_nll_loss",
    "beta_nll_loss",
    "binomial_nll_loss",
    "negative_binomial_nll_loss",
    "zero_inflated_negative_binomial_nll_loss",
    "zero_inflated_poisson_nll_loss",
]

_FROM_0_ON = "numbers from 0 on"
_UP_TO_TRIALS = "numbers from 0 to trials"

_NEGATIVE_BINOMIAL: Final = Formula(
    "negative_binomial", {"target": _FROM_0_ON, "dispersion": _FROM_0_ON}, third="dispersion"
)


@joint("input", "dispersion")
def negative_binomial_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    dispersion: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of counts whose variance grows with the square of the mean (NB2).

    With the mean :math:`\mu = e^x`, the dispersion α and :math:`r = 1 / \alpha`, of the negative
    binomial distribution with the variance :math:`\mu + \alpha \mu^2`:

    .. math::
        w \left[ \log \frac{\Gamma(r) \, t!}{\Gamma(r + t)} + r \log(1 + \alpha \mu)
        + t \log \left( 1 + \frac{1}{\alpha \mu} \right) \right]

    Derivatives with respect to x: :math:`w (\mu - t) / (1 + \alpha \mu)` and
    :math:`w \mu (1 + \alpha t) / (1 + \alpha \mu)^2`. With respect to α:
    :math:`w \{ r^2 [\psi(r + t) - \psi(r) - \log(1 + \alpha \mu)] + r (\mu - t) /
    (1 + \alpha \mu) \}` and its derivative. Convex in x, but not in α.

    With α = 0 this is the Poisson distribution: value and derivatives are the limits, such as
    :math:`w (t - (\mu - t)^2) / 2` for the derivative with respect to α, and they are as accurate
    near it.

    Parameters
    ----------
    <log mean>
    <counts>
    dispersion : array_like
        Dispersions α from 0 on, of input's shape or broadcasting up to it.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scipy.stats: ``-nbinom.logpmf(t, n, p)`` with n = 1/α and p = 1 / (1 + α μ), which is infinite
    for a t that is no integer; R: ``dnbinom(t, size = 1/α, mu = μ)``; statsmodels:
    ``NegativeBinomial(loglike_method="nb2")``, whose last parameter is α; scvi-tools:
    ``NegativeBinomial(mu, theta)`` with theta = 1/α; torch.distributions and TensorFlow
    Probability: ``NegativeBinomial(total_count=1/α, logits=x + log α)``.

    The terms with t alone are there too, so that values of different α can be compared.

    The gradient of a broadcast ``dispersion`` is summed over the axes along which it was repeated:
    with one number, the gradient is one number. For a parameter without bounds, pass
    ``np.exp(log_dispersion)``, and multiply the gradient by it.

    References
    ----------
    J. F. Lawless, Negative Binomial and Mixed Poisson Regression, Canad. J. Statist. 15 (1987)
    209-225.

    C. Loader, Fast and Accurate Computation of Binomial Probabilities, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> value, (grad, grad_dispersion) = fl.negative_binomial_nll_loss.value_and_grad(
    ...     np.log([2.0, 5.0]), [1, 9], 0.5, reduction="sum"
    ... )
    >>> value.round(6), grad.round(6), grad_dispersion.round(6)
    (np.float64(4.617485), array([ 0.5     , -1.142857]), np.float64(0.646518))
    >>> fl.negative_binomial_nll_loss(np.log([2.0, 5.0]), [1, 9], 0.0, reduction="none").round(6)
    array([1.306853, 3.316886])
    """
    return elementwise(
        request,
        _NEGATIVE_BINOMIAL,
        input,
        target,
        dispersion,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class NegativeBinomialNLLLoss(Criterion, loss=negative_binomial_nll_loss):
    """`negative_binomial_nll_loss` with its options bound."""


_ZERO_INFLATED_POISSON: Final = Formula(
    "zero_inflated_poisson", {"target": _FROM_0_ON}, third="zero_logit"
)


@joint("input", "zero_logit")
def zero_inflated_poisson_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    zero_logit: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of Poisson counts among which there are additional zeros.

    With the mean :math:`\mu = e^x` and the probability :math:`\pi = 1 / (1 + e^{-z})` of an
    additional zero, for t = 0 and for t > 0:

    .. math::
        -w \log \left( \pi + (1 - \pi) e^{-\mu} \right), \qquad
        w \left[ \mu - t x + \log t! - \log(1 - \pi) \right]

    Derivatives with respect to x: :math:`w s \mu` and :math:`w s \mu (1 - (1 - s) \mu)` for t = 0,
    where :math:`s = 1 / (1 + e^{z + \mu})` is the share of the Poisson distribution in the zeros;
    :math:`w (\mu - t)` and :math:`w \mu` for t > 0. With respect to z:
    :math:`w (\pi - (1 - s) [t = 0])` and :math:`w (\pi (1 - \pi) - s (1 - s) [t = 0])`. Not convex.

    Parameters
    ----------
    <log mean>
    <counts>
    <zero_logit>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    statsmodels: ``ZeroInflatedPoisson(inflation="logit")``, whose inflation model gives z, and
    whose other parameters x; scvi-tools: ``zi_logits``; R: ``pscl::zeroinfl``.

    Without additional zeros, z = -inf, it is ``poisson_nll_loss(full="exact")``. The gradient of a
    broadcast ``zero_logit`` is summed over the axes along which it was repeated.

    References
    ----------
    D. Lambert, Zero-Inflated Poisson Regression, with an Application to Defects in Manufacturing,
    Technometrics 34 (1992) 1-14.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> value, (grad, grad_zero) = fl.zero_inflated_poisson_nll_loss.value_and_grad(
    ...     np.log([2.0, 2.0]), [0, 3], -1.0, reduction="none"
    ... )
    >>> value.round(6), grad.round(6), grad_zero.round(6)
    (array([1.     , 2.02558]), array([ 0.537883, -1.      ]), np.float64(-0.193176))
    """
    return elementwise(
        request,
        _ZERO_INFLATED_POISSON,
        input,
        target,
        zero_logit,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class ZeroInflatedPoissonNLLLoss(Criterion, loss=zero_inflated_poisson_nll_loss):
    """`zero_inflated_poisson_nll_loss` with its options bound."""


_ZERO_INFLATED_NEGATIVE_BINOMIAL: Final = Formula(
    "zero_inflated_negative_binomial",
    {"target": _FROM_0_ON, "dispersion": _FROM_0_ON},
    third="dispersion",
    fourth="zero_logit",
)


@joint("input", "dispersion", "zero_logit")
def zero_inflated_negative_binomial_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    dispersion: ArrayLike,
    zero_logit: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of negative binomial counts among which there are additional zeros.

    With the loss l of `negative_binomial_nll_loss` without a weight, and the probability
    :math:`\pi = 1 / (1 + e^{-z})` of an additional zero, for t = 0 and for t > 0:

    .. math::
        -w \log \left( \pi + (1 - \pi) e^{-l} \right), \qquad
        w \left[ l - \log(1 - \pi) \right]

    Derivatives with respect to x: :math:`w s l'` and :math:`w s (l'' - (1 - s) l'^2)` for t = 0,
    where :math:`s = 1 / (1 + e^{z + l})` is the share of the negative binomial distribution in the
    zeros, and :math:`w l'` and :math:`w l''` for t > 0; those with respect to the dispersion are
    made in the same way. With respect to z: :math:`w (\pi - (1 - s) [t = 0])` and
    :math:`w (\pi (1 - \pi) - s (1 - s) [t = 0])`. Not convex.

    Parameters
    ----------
    <log mean>
    <counts>
    dispersion : array_like
        Dispersions α from 0 on, of input's shape or broadcasting up to it; with 0 it is
        `zero_inflated_poisson_nll_loss`.
    <zero_logit>
    <weight>
    <reduction of triples>

    <returns triples>

    <raises with domain>

    Notes
    -----
    statsmodels: ``ZeroInflatedNegativeBinomialP(p=2)``, whose last parameter is α; scvi-tools:
    ``ZeroInflatedNegativeBinomial(mu, theta, zi_logits)`` with theta = 1/α; R: ``pscl::zeroinfl``
    with ``dist = "negbin"``, whose theta is 1/α.

    The gradients of what was broadcast are summed over the axes along which it was repeated.

    References
    ----------
    W. H. Greene, Accounting for Excess Zeros and Sample Selection in Poisson and Negative Binomial
    Regression Models, NYU Working Paper EC-94-10, 1994.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> value, grads = fl.zero_inflated_negative_binomial_nll_loss.value_and_grad(
    ...     np.log([2.0, 2.0]), [0, 3], 0.5, -1.0, reduction="none"
    ... )
    >>> value.round(6)
    array([0.794724, 2.392703])
    >>> [grad.round(6) for grad in grads]
    [array([ 0.40461, -0.5    ]), np.float64(0.248148), np.float64(-0.057507)]
    """
    return elementwise(
        request,
        _ZERO_INFLATED_NEGATIVE_BINOMIAL,
        input,
        target,
        dispersion,
        zero_logit,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class ZeroInflatedNegativeBinomialNLLLoss(Criterion, loss=zero_inflated_negative_binomial_nll_loss):
    """`zero_inflated_negative_binomial_nll_loss` with its options bound."""


_BINOMIAL: Final = Formula(
    "binomial", {"target": _UP_TO_TRIALS, "trials": _FROM_0_ON}, third="trials"
)


@Loss
def binomial_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    trials: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of successes among a number of trials.

    Of the logit x of the probability :math:`p = 1 / (1 + e^{-x})`, with n trials:

    .. math:: -w \left[ \log \binom{n}{t} + t \log p + (n - t) \log(1 - p) \right]

    Derivatives with respect to x: :math:`w (n p - t)` and :math:`w n p (1 - p)`.

    Parameters
    ----------
    <logit of the mean>
    <successes>
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    scipy.stats: ``-binom.logpmf(t, n, p)``, which is infinite for a t that is no integer;
    statsmodels: ``GLM(family=Binomial())`` of two columns, successes and failures;
    torch.distributions and TensorFlow Probability: ``Binomial(total_count, logits=input)``.

    With one trial it is ``binary_cross_entropy_with_logits``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.binomial_nll_loss([0.0, -1.0], [3, 0], [10, 4], reduction="none").round(6)
    array([2.14398 , 1.253047])
    >>> _, grad = fl.binomial_nll_loss.value_and_grad([0.0, -1.0], [3, 0], [10, 4], reduction="sum")
    >>> grad.round(6)
    array([2.      , 1.075766])
    """
    return elementwise(
        request,
        _BINOMIAL,
        input,
        target,
        trials,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class BinomialNLLLoss(Criterion, loss=binomial_nll_loss):
    """`binomial_nll_loss` with its options bound."""


_BETA: Final = Formula(
    "beta",
    {"target": "numbers between 0 and 1, the ends excluded", "precision": "positive numbers"},
    third="precision",
)


@joint("input", "precision")
def beta_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    precision: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of proportions with a beta distribution.

    Of the logit x of the mean :math:`p = 1 / (1 + e^{-x})` and the precision φ, with
    :math:`a = p \varphi` and :math:`b = (1 - p) \varphi`; the variance is
    :math:`p (1 - p) / (1 + \varphi)`:

    .. math:: w \left[ \log B(a, b) - (a - 1) \log t - (b - 1) \log(1 - t) \right]

    Derivatives with respect to x: :math:`w p (1 - p) \varphi [\psi(a) - \psi(b) - \log t +
    \log(1 - t)]` and its derivative. With respect to φ: :math:`w [p (\psi(a) - \log t) +
    (1 - p) (\psi(b) - \log(1 - t)) - \psi(\varphi)]` and
    :math:`w [p^2 \psi'(a) + (1 - p)^2 \psi'(b) - \psi'(\varphi)]`. Convex in φ, but not in x.

    Parameters
    ----------
    <logit of the mean>
    target : array_like
        Proportions t between 0 and 1, the ends excluded, of input's shape or broadcasting up to it.
    precision : array_like
        Positive precisions φ, of input's shape or broadcasting up to it.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scipy.stats: ``-beta.logpdf(t, a, b)``: so p = a / (a + b) and φ = a + b; statsmodels:
    ``BetaModel``, whose precision model gives log φ by default; R: ``betareg``, likewise, and
    ``gamlss.dist::BE`` with :math:`\sigma^2 = 1 / (1 + \varphi)`.

    The gradient of a broadcast ``precision`` is summed over the axes along which it was repeated.
    Proportions of 0 and 1 have no density: where they occur, they are often moved inwards first.

    References
    ----------
    S. Ferrari, F. Cribari-Neto, Beta Regression for Modelling Rates and Proportions, J. Appl.
    Statist. 31 (2004) 799-815.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_precision) = fl.beta_nll_loss.value_and_grad(
    ...     [0.0, 1.0], [0.4, 0.9], 5.0, reduction="none"
    ... )
    >>> value.round(6), grad.round(6), grad_precision.round(6)
    (array([-0.468014, -0.842993]), array([ 0.506831, -0.908724]), np.float64(-0.088359))
    """
    return elementwise(
        request,
        _BETA,
        input,
        target,
        precision,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class BetaNLLLoss(Criterion, loss=beta_nll_loss):
    """`beta_nll_loss` with its options bound."""


_BETA_BINOMIAL: Final = Formula(
    "beta_binomial",
    {"target": _UP_TO_TRIALS, "trials": _FROM_0_ON, "dispersion": _FROM_0_ON},
    third="trials",
    fourth="dispersion",
)


@joint("input", "dispersion")
def beta_binomial_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    trials: ArrayLike,
    dispersion: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of successes among trials whose probability varies.

    The probability has a beta distribution of the mean :math:`p = 1 / (1 + e^{-x})`, and the
    dispersion σ says how far it spreads: with :math:`a = p / \sigma`,
    :math:`b = (1 - p) / \sigma` and n trials, the variance is :math:`n p (1 - p)
    [1 + (n - 1) \sigma / (1 + \sigma)]`:

    .. math:: -w \left[ \log \binom{n}{t} + \log B(a + t, b + n - t) - \log B(a, b) \right]

    Derivatives with respect to x: :math:`-w p (1 - p) [\psi(a + t) - \psi(a) - \psi(b + n - t) +
    \psi(b)] / \sigma` and its derivative. With respect to σ: :math:`w \{ p [\psi(a + t) -
    \psi(a)] + (1 - p) [\psi(b + n - t) - \psi(b)] - \psi(1/\sigma + n) + \psi(1/\sigma) \} /
    \sigma^2` and its derivative. Not convex.

    With σ = 0 this is the binomial distribution: value and derivatives are the limits, and they are
    as accurate near it.

    Parameters
    ----------
    <logit of the mean>
    <successes>
    dispersion : array_like
        Dispersions σ from 0 on, of input's shape or broadcasting up to it.
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    scipy.stats: ``-betabinom.logpmf(t, n, a, b)``: so p = a / (a + b) and σ = 1 / (a + b); R:
    ``gamlss.dist::BB``, with this σ, and ``VGAM::betabinomial``, whose correlation between two
    trials is ρ = σ / (1 + σ).

    The gradients are those for ``input`` and ``dispersion``; that of a broadcast ``dispersion`` is
    summed over the axes along which it was repeated. Where σ is 0, derivatives with respect to it
    are as if logits were between -64 and 64 in float32, -600 and 600 in float64.

    References
    ----------
    J. G. Skellam, A Probability Distribution Derived from the Binomial Distribution by Regarding
    the Probability of Success as Variable between the Sets of Trials, J. Roy. Statist. Soc. B 10
    (1948) 257-261.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_dispersion) = fl.beta_binomial_nll_loss.value_and_grad(
    ...     [0.0, -1.0], [3, 0], [10, 4], 0.25, reduction="none"
    ... )
    >>> value.round(6), grad.round(6), grad_dispersion.round(6)
    (array([2.190256, 0.919978]), array([0.634524, 0.76181 ]), np.float64(0.038833))
    """
    return elementwise(
        request,
        _BETA_BINOMIAL,
        input,
        target,
        trials,
        dispersion,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class BetaBinomialNLLLoss(Criterion, loss=beta_binomial_nll_loss):
    """`beta_binomial_nll_loss` with its options bound."""
