"""Likelihoods and divergences."""

from __future__ import annotations

from math import fsum, log, pi
from typing import Any, Final, Literal

import numpy as np

from fusedloss._calls.elementwise import Formula, elementwise, kind_of
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import Loss, joint
from fusedloss._core.parameters import finite, flag, number
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "GammaNLLLoss",
    "GaussianNLLLoss",
    "JSDivLoss",
    "KLDivLoss",
    "PoissonNLLLoss",
    "TweedieLoss",
    "gamma_nll_loss",
    "gaussian_nll_loss",
    "js_div",
    "kl_div",
    "poisson_nll_loss",
    "tweedie_loss",
]

_TARGET = {"target": "numbers from 0 on"}
_TARGET_AND_RATE = {**_TARGET, "input": "numbers from 0 on"}
_TARGET_AND_MEAN = {**_TARGET, "input": "positive numbers"}
_VAR = {"var": "numbers from 0 on"}
_HALF_LOG_2PI = 0.5 * log(2.0 * pi)


#: By what is added to the value, for a logarithm in the input; and for the mean itself.
_POISSON: Final = {
    full: Formula("poisson" + name, _TARGET)
    for full, name in ((False, ""), (True, "_stirling"), ("exact", "_exact"))
}
_POISSON_RATE: Final = {
    full: Formula("poisson_rate" + name, _TARGET_AND_RATE)
    for full, name in ((False, ""), (True, "_stirling"), ("exact", "_exact"))
}


def _poisson(log_input: bool, full: bool | str) -> Formula:
    formulas = _POISSON if flag("log_input", log_input) else _POISSON_RATE
    if not isinstance(full, (bool, np.bool_)) and not (isinstance(full, str) and full == "exact"):
        raise ValueError(f'full: True, False or "exact" is needed, got {full!r}')
    return formulas["exact" if isinstance(full, str) else bool(full)]


@Loss
def poisson_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    log_input: bool = True,
    full: bool | Literal["exact"] = False,
    eps: float = 1e-8,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood of counts with a Poisson distribution.

    Of the logarithm x of the mean, or (``log_input=False``) of the mean x itself:

    .. math:: w (e^x - t x), \qquad w (x - t \log(x + \epsilon))

    Derivatives with respect to x: :math:`w (e^x - t)` and :math:`w e^x`; or
    :math:`w (1 - t / (x + \epsilon))` and :math:`w t / (x + \epsilon)^2`. A target of 0 costs
    :math:`e^x` or x, also where the mean is 0.

    Parameters
    ----------
    input : array_like
        Logarithms x of the mean, or means x from 0 on; of any shape and real dtype.
    target : array_like
        Counts t, or other numbers from 0 on, of input's shape or broadcasting up to it.
    <log_input>
    full : bool or "exact"
        Whether the value contains the part that depends on the target alone, which changes no
        derivative: with True by Stirling's formula, :math:`t \log t - t + \log(2 \pi t) / 2` where
        t > 1 and 0 elsewhere, as in torch and TensorFlow; with "exact" :math:`\log t!`.
    eps : float
        ε, for ``log_input=False``; not negative, and finite. With 0 the logarithm is that of x.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    torch: ``poisson_nll_loss``, which accepts negative targets too; tf.nn: ``log_poisson_loss``;
    Keras: ``Poisson``, which is ``log_input=False`` with ε = 1e-7; scikit-learn:
    ``HalfPoissonLoss``; XGBoost: ``count:poisson``, whose second derivative is e^0.7 times this
    one by default; LightGBM: ``poisson``, likewise.

    ``mean_poisson_deviance`` of scikit-learn is twice this loss of the mean with ε = 0, but for
    terms in t alone.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.poisson_nll_loss([0.0, 1.0], [2, 3], reduction="none").round(6)
    array([ 1.      , -0.281718])
    >>> fl.poisson_nll_loss([0.0, 1.0], [2, 3], full=True, reduction="none").round(6)
    array([1.651806, 1.482363])
    >>> fl.poisson_nll_loss([0.0, 1.0], [2, 3], full="exact", reduction="none").round(6)
    array([1.693147, 1.510041])
    """
    eps = finite("eps", eps, 0.0)
    formula = _poisson(log_input, full)
    return elementwise(
        request,
        formula,
        input,
        target,
        parameters=() if log_input else (eps,),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class PoissonNLLLoss(Criterion, loss=poisson_nll_loss):
    """`poisson_nll_loss` with its options bound."""


_GAMMA: Final = Formula("gamma", _TARGET)
_GAMMA_MEAN: Final = Formula("gamma_mean", _TARGET_AND_MEAN)


@Loss
def gamma_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    log_input: bool = True,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a gamma distribution, but for its shape parameter.

    Of the logarithm x of the mean, or (``log_input=False``) of the mean x itself:

    .. math:: w (x + t e^{-x}), \qquad w (\log x + t / x)

    Derivatives with respect to x: :math:`w (1 - t e^{-x})` and :math:`w t e^{-x}`; or
    :math:`w (x - t) / x^2` and :math:`w (2 t - x) / x^3`. Convex in the logarithm, not in the
    mean, where the second derivative is negative from 2 t on.

    Parameters
    ----------
    input : array_like
        Logarithms x of the mean, or positive means x; of any shape and real dtype.
    target : array_like
        True values t from 0 on, of input's shape or broadcasting up to it.
    <log_input>
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    scikit-learn: ``HalfGammaLoss``, which refuses a target of 0; XGBoost: ``reg:gamma``; LightGBM:
    ``gamma``.

    ``mean_gamma_deviance`` of scikit-learn is twice this loss of the mean, but for terms in t
    alone. The negative log-likelihood with a known shape parameter is that many times this loss,
    but for terms without x.

    References
    ----------
    P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed., Chapman & Hall 1989.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.gamma_nll_loss([0.0, 1.0], [2.0, 1.0], reduction="none").round(6)
    array([2.      , 1.367879])
    >>> value, grad = fl.gamma_nll_loss.value_and_grad([0.0, 1.0], [2.0, 1.0], reduction="sum")
    >>> grad.round(6)
    array([-1.      ,  0.632121])
    """
    log_input = flag("log_input", log_input)
    return elementwise(
        request,
        _GAMMA if log_input else _GAMMA_MEAN,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class GammaNLLLoss(Criterion, loss=gamma_nll_loss):
    """`gamma_nll_loss` with its options bound."""


def _tweedie(power: float, log_input: bool) -> tuple[Formula, tuple[float, ...]]:
    """Formula and parameters: powers 0, 1 and 2 are limits, with formulas of their own."""
    if 0 < power < 1:
        raise ValueError(
            f"power: no Tweedie distribution has a power between 0 and 1, got {power}; accepted "
            "are 0 and less, and 1 and more"
        )
    if power == 0:  # (μ - t)²/2, which is the 0.5-expectile's loss
        return (_HALF_SQUARED_LOG_LINK, ()) if log_input else (_EXPECTILE, (0.5, 0.5))
    if power == 1:
        return (_POISSON[False], ()) if log_input else (_POISSON_RATE[False], (0.0,))
    if power == 2:
        return (_GAMMA if log_input else _GAMMA_MEAN), ()
    one, two = 1.0 - power, 2.0 - power
    one_low = fsum((1.0, -power, -one))  # what rounding took from the exponents
    two_low = fsum((2.0, -power, -two))
    if log_input:
        return _TWEEDIE, (one, one_low, two, two_low)
    exponent = (two, two_low) if power > 0 else (-power, 0.0)
    return _TWEEDIE_MEAN, (one, power, *exponent)


_TWEEDIE: Final = Formula("tweedie", _TARGET)
_TWEEDIE_MEAN: Final = Formula("tweedie_mean", _TARGET_AND_MEAN)
_HALF_SQUARED_LOG_LINK: Final = Formula("half_squared_log_link")
_EXPECTILE: Final = Formula("expectile")


@Loss
def tweedie_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    power: float = 1.5,
    log_input: bool = True,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Half the Tweedie deviance, but for terms in the target alone.

    With the mean :math:`\mu = e^x`, or (``log_input=False``) :math:`\mu = x`, and the power p:

    .. math:: w \left( \frac{\mu^{2 - p}}{2 - p} - t \frac{\mu^{1 - p}}{1 - p} \right)

    Of the limits, p = 1 is `poisson_nll_loss` (with ε = 0 for the mean), p = 2 `gamma_nll_loss`;
    for p = 0 the loss is :math:`w (\mu - t)^2 / 2`.

    Derivatives with respect to x, of the logarithm: :math:`w (\mu^{2 - p} - t \mu^{1 - p})` and
    :math:`w [(2 - p) \mu^{2 - p} - (1 - p) t \mu^{1 - p}]`; of the mean:
    :math:`w \mu^{-p} (\mu - t)` and :math:`w \mu^{-p - 1} [(1 - p) \mu + p t]`. Convex in the
    logarithm for p from 1 to 2, and in the mean for p = 0 and 1.

    Parameters
    ----------
    input : array_like
        Logarithms x of the mean, or means x: positive, with p = 1 from 0 on, with p = 0 any. Of any
        shape and real dtype.
    target : array_like
        True values t, of input's shape or broadcasting up to it: from 0 on, or any where p is not
        positive.
    power : float
        p: the variance is proportional to :math:`\mu^p`. 0 is the normal distribution, 1 Poisson's,
        from 1 to 2 a compound of Poisson and gamma, 2 gamma, 3 the inverse Gaussian. Finite, not
        between 0 and 1.
    <log_input>
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    scikit-learn: ``HalfTweedieLoss(power)``, and of the mean ``HalfTweedieLossIdentity(power)``,
    which has the terms in t and so a least value of 0; XGBoost: ``reg:tweedie`` with
    ``tweedie_variance_power`` = p, of the logarithm, for p from 1 to 2; LightGBM: ``tweedie`` with
    ``tweedie_variance_power`` = p, likewise.

    ``mean_tweedie_deviance`` of scikit-learn is twice ``HalfTweedieLossIdentity``.

    References
    ----------
    B. Jørgensen, Exponential Dispersion Models, J. R. Stat. Soc. B 49 (1987) 127-162.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.tweedie_loss([0.0, 1.0], [0.0, 3.0], reduction="none").round(6)
    array([2.      , 6.936626])
    >>> value, grad = fl.tweedie_loss.value_and_grad([0.0, 1.0], [0.0, 3.0], reduction="sum")
    >>> grad.round(6)
    array([ 1.      , -0.170871])
    """
    formula, parameters = _tweedie(finite("power", power), flag("log_input", log_input))
    return elementwise(
        request,
        formula,
        input,
        target,
        parameters=parameters,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class TweedieLoss(Criterion, loss=tweedie_loss):
    """`tweedie_loss` with its options bound."""


_GAUSSIAN: Final = Formula("gaussian", _VAR, third="var", third_may_lack_axis=True)


@joint("input", "var")
def gaussian_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    var: ArrayLike,
    *,
    full: bool = False,
    eps: float = 1e-6,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a normal distribution, whose variance is predicted too.

    With d = x - t and :math:`v = \max(\mathrm{var}, \epsilon)`:

    .. math:: \frac{w}{2} \left( \log v + \frac{d^2}{v} \right)

    Derivatives with respect to x: :math:`w d / v` and :math:`w / v`. With respect to var, as in
    torch as if nothing were clamped: :math:`w (1 - d^2 / v) / (2 v)` and
    :math:`w (d^2 / v - 1 / 2) / v^2`. Not convex in var: the second one is negative where
    :math:`v > 2 d^2`.

    Parameters
    ----------
    input : array_like
        Means x, of any shape and real dtype.
    target : array_like
        True values t, of input's shape or broadcasting up to it.
    var : array_like
        Variances from 0 on: of input's shape or broadcasting up to it, a number, or, as in torch,
        one for each row along the last axis, of shape ``input.shape[:-1]``; a shape that fits
        both ways is read as the latter.
    full : bool
        Whether the value contains the constant :math:`\log(2 \pi) / 2`.
    eps : float
        ε, the least variance; not negative, and finite.
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``gaussian_nll_loss``, whose ``var`` broadcasts along one axis only.

    The gradient of a broadcast ``var`` is summed over the axes along which it was repeated.

    The Fisher information is 1 / v for x and :math:`1 / (2 v^2)` for var, and 0 between them; with
    it, `natural_gradient` is that of ngboost's ``Normal``, but for the parameter.

    References
    ----------
    D. A. Nix, A. S. Weigend, Estimating the Mean and Variance of the Target Probability
    Distribution, ICNN 1994, 55-60.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_var) = fl.gaussian_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [0.0, 1.0], [1.0, 4.0], reduction="sum"
    ... )
    >>> value.round(6), grad
    (np.float64(1.693147), array([1. , 0.5]))
    >>> fl.gaussian_nll_loss([1.0, 3.0], [0.0, 1.0], 2.0, full=True).round(6)
    np.float64(1.890512)
    """
    return elementwise(
        request,
        _GAUSSIAN,
        input,
        target,
        var,
        parameters=(
            kind_of(fisher),
            finite("eps", eps, 0.0),
            _HALF_LOG_2PI if flag("full", full) else 0.0,
        ),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class GaussianNLLLoss(Criterion, loss=gaussian_nll_loss):
    """`gaussian_nll_loss` with its options bound."""


_KL: Final = Formula("kl", _TARGET)
_KL_BOTH: Final = Formula("kl_both", _TARGET, third="target")
_KL_LOG_TARGET: Final = Formula("kl_log_target")
_KL_LOG_TARGET_BOTH: Final = Formula("kl_log_target_both", third="target")


@joint("input", "target")
def kl_div(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    log_target: bool = False,
    target_grad: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Kullback-Leibler divergence of the input from the target, element by element.

    Of log-probabilities x and probabilities t, or (``log_target=True``) log-probabilities t:

    .. math:: w \, t (\log t - x), \qquad w \, e^t (t - x)

    Derivatives with respect to x: :math:`-w t`, or :math:`-w e^t`; 0. What has probability 0 in the
    target costs 0, also where x is -inf.

    With ``target_grad=True`` those with respect to t are computed, too: :math:`w (\log t + 1 - x)`
    and :math:`w / t`; or :math:`w \, e^t (1 + t - x)` and :math:`w \, e^t (2 + t - x)`. At a
    probability of 0 they are the limits, so that the first is -inf; it is inf where x is -inf.

    The mathematical divergence is a sum over the classes: for rows of classes it is "batchmean"
    that is its mean over the rows, while "mean" divides by the number of classes besides.

    Parameters
    ----------
    <log-probabilities>
    target : array_like
        Probabilities t from 0 on, or their logarithms, of input's shape or broadcasting up to it.
    log_target : bool
        Whether the target is given as logarithms.
    target_grad : bool
        Whether gradient and second derivative are tuples, of those with respect to `input` and to
        `target`; so are then the buffers for them.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    torch: ``kl_div``, which is nan for probability 0 and x = -inf, and for a negative target;
    optax: ``kl_divergence`` and ``kl_divergence_with_log_targets``, summed over an axis; Keras:
    ``KLDivergence``, of probabilities that are clipped to 1e-7 from below, summed over the last
    axis; scipy.special: ``rel_entr(target, exp(input))``, where ``kl_div`` is
    ``rel_entr(t, p) - t + p``.

    The gradient of a broadcast target is summed over the axes along which it was repeated.

    References
    ----------
    S. Kullback, R. A. Leibler, On Information and Sufficiency, Ann. Math. Statist. 22 (1951) 79-86.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> fl.kl_div(np.log([0.25, 0.75]), [0.5, 0.5], reduction="none").round(6)
    array([ 0.346574, -0.202733])
    >>> fl.kl_div(np.log([[0.25, 0.75]]), [[0.5, 0.5]], reduction="batchmean").round(6)
    np.float64(0.143841)
    >>> value, (grad, grad_target) = fl.kl_div.value_and_grad(
    ...     np.log([0.25, 0.75]), [0.5, 0.5], target_grad=True, reduction="sum"
    ... )
    >>> grad, grad_target.round(6)
    (array([-0.5, -0.5]), array([1.693147, 0.594535]))
    """
    log_target = flag("log_target", log_target)
    if flag("target_grad", target_grad):  # it is the third operand that has derivatives, too
        formula, third = _KL_LOG_TARGET_BOTH if log_target else _KL_BOTH, target
    else:
        formula, third = _KL_LOG_TARGET if log_target else _KL, None
    return elementwise(
        request,
        formula,
        input,
        target,
        third,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class KLDivLoss(Criterion, loss=kl_div):
    """`kl_div` with its options bound."""


_JS: Final = Formula("js")
_JS_MIXED: Final = Formula("js_mixed")


@Loss
def js_div(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    beta: float = 0.5,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Jensen-Shannon divergence of two log-probabilities, element by element.

    With :math:`p = e^x`, :math:`q = e^t` and :math:`M = \log((1 - \beta) p + \beta q)`:

    .. math:: w \left[ (1 - \beta) \, p (x - M) + \beta \, q (t - M) \right]

    Derivatives with respect to x: :math:`w (1 - \beta) p (x - M)` and
    :math:`w (1 - \beta) p [x - M + \beta q / ((1 - \beta) p + \beta q)]`. For the gradient with
    respect to the other one, swap the arguments, and take 1 - β for β. Logarithms of -inf give the
    limits.

    As with `kl_div` the mathematical divergence is a sum over the classes: its mean over rows of
    classes is "batchmean". It is at most log 2, and with another β at most the entropy of
    (β, 1 - β).

    Parameters
    ----------
    <log-probabilities>
    target : array_like
        Log-probabilities t, of input's shape or broadcasting up to it. Not checked.
    beta : float
        β, the target's share of the mixture, between 0 and 1: in distillation, where the student
        is the input, that of the teacher. For the divergences from one of both, `kl_div`.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scipy.spatial.distance: ``jensenshannon(p, q)``, which is the square root of the sum, after it
    has made each sum to 1.

    TRL's ``generalized_jsd_loss(beta=β)``, of GKD, is of logits, and Liger Kernel's
    ``LigerJSD(beta=β)`` of log-probabilities. With β = 0 and 1 both are `kl_div`, which is not the
    limit: that is 0.

    References
    ----------
    J. Lin, Divergence Measures Based on the Shannon Entropy, IEEE Trans. Inf. Theory 37 (1991)
    145-151.

    R. Agarwal et al., On-Policy Distillation of Language Models: Learning from Self-Generated
    Mistakes, ICLR 2024.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> fl.js_div(np.log([0.5, 0.5]), np.log([0.9, 0.1]), reduction="sum").round(6)
    np.float64(0.101749)
    >>> fl.js_div(np.log([0.5, 0.5]), np.log([0.9, 0.1]), beta=0.9, reduction="sum").round(6)
    np.float64(0.043074)
    """
    share = number("beta", beta)
    if not 0 < share < 1:
        raise ValueError(
            f"beta: a number between 0 and 1, the ends excluded, is needed, got {beta}; the "
            "divergences from input or target alone are those of kl_div"
        )
    return elementwise(
        request,
        _JS if share == 0.5 else _JS_MIXED,
        input,
        target,
        parameters=() if share == 0.5 else (1.0 - share, share),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class JSDivLoss(Criterion, loss=js_div):
    """`js_div` with its options bound."""
