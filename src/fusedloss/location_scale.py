"""Likelihoods with a location and a scale."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, fsum, log, log1p, pi, sqrt
from typing import Any, Final

from fusedloss._calls.elementwise import Formula, elementwise, kind_of
from fusedloss._core.criterion import Criterion
from fusedloss._core.foreign import NullsError
from fusedloss._core.loss import Loss, joint
from fusedloss._core.operands import broadcast, operand
from fusedloss._core.parameters import positive
from fusedloss._core.types import NATURAL, Array, ArrayLike, Reduction, Request

__all__ = [
    "GammaShapeNLLLoss",
    "GumbelNLLLoss",
    "LaplaceNLLLoss",
    "LogNormalNLLLoss",
    "LogisticNLLLoss",
    "StudentTNLLLoss",
    "WeibullNLLLoss",
    "gamma_shape_nll_loss",
    "gumbel_nll_loss",
    "laplace_nll_loss",
    "log_normal_nll_loss",
    "logistic_nll_loss",
    "natural_gradient",
    "student_t_nll_loss",
    "weibull_nll_loss",
]

_SCALE: Final = {"scale": "positive numbers"}
_SCALE_OF_LOG: Final = {"target": "positive numbers", **_SCALE}
_SHAPE: Final = {"target": "positive numbers", "shape": "positive numbers"}


@lru_cache(maxsize=32)
def _student_t(df: float) -> tuple[float, float, float]:
    """ν, its inverse root, and the constant, without the difference of two logarithms of gamma
    functions: the quotient of these at a = ν/2 from that at 32 or more, which is a series."""
    half = 0.5 * df
    steps = max(0, ceil(32.0 - half))
    i = 1.0 / (8.0 * (half + steps))
    w = i * i
    series = i * (1.0 - w * (8.0 / 3.0 - w * (51.2 - w * (17.0 * 8.0**7 / 14336.0))))
    terms = [0.5 * log(2.0 * pi), series, *(log1p(0.5 / (half + k)) for k in range(steps))]
    return df, 1.0 / sqrt(df), fsum((*terms, 0.5 * log(half / (half + steps))))


_STUDENT_T: Final = Formula("student_t", _SCALE, third="scale")


@joint("input", "scale")
def student_t_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    df: float = 3.0,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with Student's t-distribution, location and scale predicted.

    With r = (x - t) / s, ν degrees of freedom, and
    :math:`c = \log \Gamma(\nu / 2) - \log \Gamma((\nu + 1) / 2) + \log(\pi \nu) / 2`:

    .. math:: w \left( \log s + \frac{\nu + 1}{2} \log(1 + r^2 / \nu) + c \right)

    Derivatives with respect to x: :math:`w (\nu + 1) r / ((\nu + r^2) s)` and
    :math:`w (\nu + 1) (\nu - r^2) / ((\nu + r^2)^2 s^2)`. With respect to the scale:
    :math:`w \nu (1 - r^2) / ((\nu + r^2) s)` and
    :math:`w [(\nu + 1) r^2 (3 \nu + r^2) / (\nu + r^2)^2 - 1] / s^2`. Not convex in either.

    Parameters
    ----------
    <location>
    <scale>
    df : float
        ν, the degrees of freedom; positive and finite. 1 is the Cauchy distribution; the normal
        distribution is the limit of large ones. The default is that of ngboost's ``TFixedDf``.
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``-torch.distributions.StudentT(df, loc, scale).log_prob(target)``, whose square of r
    overflows; TensorFlow Probability: ``tfd.StudentT(df, loc, scale)``; scipy.stats:
    ``-t.logpdf(target, df, loc, scale)``; ngboost: ``T``, ``TFixedDf``.

    The scale is no standard deviation: that is :math:`s \sqrt{\nu / (\nu - 2)}` for ν > 2. The
    Fisher information is :math:`(\nu + 1) / ((\nu + 3) s^2)` for x and
    :math:`2 \nu / ((\nu + 3) s^2)` for s, and 0 between them.

    References
    ----------
    K. L. Lange, R. J. A. Little, J. M. G. Taylor, Robust Statistical Modeling Using the t
    Distribution, J. Am. Stat. Assoc. 84 (1989) 881-896.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.student_t_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], df=4.0, reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(10.581972), array([ 1.      , -0.278689]))
    """
    return elementwise(
        request,
        _STUDENT_T,
        input,
        target,
        scale,
        parameters=(kind_of(fisher), *_student_t(positive("df", df))),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class StudentTNLLLoss(Criterion, loss=student_t_nll_loss):
    """`student_t_nll_loss` with its options bound."""


_LAPLACE: Final = Formula("laplace", _SCALE, third="scale")


@joint("input", "scale")
def laplace_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a Laplace distribution, location and scale predicted.

    With r = (x - t) / s:

    .. math:: w (\log(2 s) + |r|)

    Derivatives with respect to x: :math:`w \mathrm{sign}(r) / s` and 0. With respect to the scale:
    :math:`w (1 - |r|) / s` and :math:`w (2 |r| - 1) / s^2`. At x = t the first is 0, as that of
    `l1_loss`. Not convex in the scale.

    Parameters
    ----------
    <location>
    <scale>
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``-torch.distributions.Laplace(loc, scale).log_prob(target)``; TensorFlow Probability:
    ``tfd.Laplace(loc, scale)``; scipy.stats: ``-laplace.logpdf(target, loc, scale)``; ngboost:
    ``Laplace``.

    The standard deviation is :math:`\sqrt{2} s`. The Fisher information is :math:`1 / s^2` for
    both, and 0 between them.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.laplace_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad, grad_scale
    (np.float64(11.579442), array([ 1. , -0.5]), array([ 0.  , -3.75]))
    """
    return elementwise(
        request,
        _LAPLACE,
        input,
        target,
        scale,
        parameters=(kind_of(fisher),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class LaplaceNLLLoss(Criterion, loss=laplace_nll_loss):
    """`laplace_nll_loss` with its options bound."""


_LOGISTIC: Final = Formula("logistic", _SCALE, third="scale")


@joint("input", "scale")
def logistic_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a logistic distribution, location and scale predicted.

    With r = (x - t) / s:

    .. math:: w (\log s + |r| + 2 \log(1 + e^{-|r|}))

    Derivatives with respect to x, with :math:`T = \tanh(r / 2)`: :math:`w T / s` and
    :math:`w (1 - T^2) / (2 s^2)`. With respect to the scale: :math:`w (1 - r T) / s` and
    :math:`w [r^2 (1 - T^2) / 2 + 2 r T - 1] / s^2`. Not convex in the scale.

    Parameters
    ----------
    <location>
    <scale>
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    TensorFlow Probability: ``tfd.Logistic(loc, scale)``; scipy.stats:
    ``-logistic.logpdf(target, loc, scale)``; XGBoost: ``survival:aft`` with
    ``aft_loss_distribution="logistic"``, of uncensored times' logarithms.

    The standard deviation is :math:`\pi s / \sqrt{3}`. The Fisher information is
    :math:`1 / (3 s^2)` for x and :math:`(3 + \pi^2) / (9 s^2)` for s, and 0 between them.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.logistic_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(10.820077), array([ 0.462117, -0.499797]))
    """
    return elementwise(
        request,
        _LOGISTIC,
        input,
        target,
        scale,
        parameters=(kind_of(fisher),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class LogisticNLLLoss(Criterion, loss=logistic_nll_loss):
    """`logistic_nll_loss` with its options bound."""


_LOG_NORMAL: Final = Formula("log_normal", _SCALE_OF_LOG, third="scale")


@joint("input", "scale")
def log_normal_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a log-normal distribution, both parameters predicted.

    With r = (x - log t) / s:

    .. math:: w (\log t + \log s + r^2 / 2 + \log(2 \pi) / 2)

    Derivatives with respect to x: :math:`w r / s` and :math:`w / s^2`. With respect to the scale:
    :math:`w (1 - r^2) / s` and :math:`w (3 r^2 - 1) / s^2`. Not convex in the scale.

    Parameters
    ----------
    input : array_like
        Means x of the logarithm of the target, of any shape and real dtype.
    target : array_like
        True values t, positive, of input's shape or broadcasting up to it.
    scale : array_like
        Positive standard deviations s of the logarithm of the target: of input's shape or
        broadcasting up to it, or a number.
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``-torch.distributions.LogNormal(loc, scale).log_prob(target)``; TensorFlow Probability:
    ``tfd.LogNormal(loc, scale)``; scipy.stats:
    ``-lognorm.logpdf(target, s=scale, scale=exp(loc))``; ngboost: ``LogNormal``.

    The median is :math:`e^x`, the mean :math:`e^{x + s^2 / 2}`. The Fisher information is
    :math:`1 / s^2` for x and :math:`2 / s^2` for s, and 0 between them.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.log_normal_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [1.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(6.026759), array([1.      , 0.001067]))
    """
    return elementwise(
        request,
        _LOG_NORMAL,
        input,
        target,
        scale,
        parameters=(kind_of(fisher),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class LogNormalNLLLoss(Criterion, loss=log_normal_nll_loss):
    """`log_normal_nll_loss` with its options bound."""


_GUMBEL: Final = Formula("gumbel", _SCALE, third="scale")


@joint("input", "scale")
def gumbel_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    scale: ArrayLike,
    *,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a Gumbel distribution, location and scale predicted.

    Of maxima. With r = (x - t) / s:

    .. math:: w (\log s - r + e^r)

    Derivatives with respect to x: :math:`w (e^r - 1) / s` and :math:`w e^r / s^2`. With respect to
    the scale: :math:`w [1 - r (e^r - 1)] / s` and :math:`w [r^2 e^r + 2 r (e^r - 1) - 1] / s^2`.
    Not convex in the scale.

    Parameters
    ----------
    <location>
    <scale>
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``-torch.distributions.Gumbel(loc, scale).log_prob(target)``; TensorFlow Probability:
    ``tfd.Gumbel(loc, scale)``; scipy.stats: ``-gumbel_r.logpdf(target, loc, scale)``.

    For minima (``gumbel_l``), the signs of input and target are changed. The location is the mode;
    the mean is x + 0.5772 s, the standard deviation :math:`\pi s / \sqrt{6}`. The Fisher
    information is :math:`1 / s^2` for x, :math:`1.82368 / s^2` for s and :math:`-0.42278 / s^2`
    between them, so that `natural_gradient` is more than a division by the diagonal.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_scale) = fl.gumbel_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [0.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(10.911632), array([ 1.718282, -0.499898]))
    """
    return elementwise(
        request,
        _GUMBEL,
        input,
        target,
        scale,
        parameters=(kind_of(fisher),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class GumbelNLLLoss(Criterion, loss=gumbel_nll_loss):
    """`gumbel_nll_loss` with its options bound."""


_WEIBULL: Final = Formula("weibull", _SHAPE, third="shape")


@joint("input", "shape")
def weibull_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    shape: ArrayLike,
    *,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a Weibull distribution, scale and shape predicted.

    Of the logarithm x of the scale. With z = k (log t - x):

    .. math:: w (\log t - \log k - z + e^z)

    Derivatives with respect to x: :math:`w k (1 - e^z)` and :math:`w k^2 e^z`. With respect to the
    shape: :math:`w [z (e^z - 1) - 1] / k` and :math:`w (z^2 e^z + 1) / k^2`. Convex in each.

    Parameters
    ----------
    input : array_like
        Logarithms x of the scale, of any shape and real dtype.
    target : array_like
        True values t, positive, of input's shape or broadcasting up to it.
    shape : array_like
        Positive shape parameters k: of input's shape or broadcasting up to it, or a number. 1 is
        the exponential distribution.
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``-torch.distributions.Weibull(exp(input), shape).log_prob(target)``; TensorFlow
    Probability: ``tfd.Weibull(concentration=shape, scale=exp(input))``; scipy.stats:
    ``-weibull_min.logpdf(target, c=shape, scale=exp(input))``; ngboost: ``Weibull``.

    The logarithm of the target has location x and scale 1 / k, with the distribution of minima:
    scipy's ``gumbel_l(loc=input, scale=1 / shape)``, XGBoost's
    ``aft_loss_distribution="extreme"``. The Fisher information is :math:`k^2` for x,
    :math:`1.82368 / k^2` for k and -0.42278 between them, so that `natural_gradient` is more than
    a division by the diagonal.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_shape) = fl.weibull_nll_loss.value_and_grad(
    ...     [1.0, 3.0], [1.0, 20.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(4.670501), array([0.632121, 0.016998]))
    """
    return elementwise(
        request,
        _WEIBULL,
        input,
        target,
        shape,
        parameters=(kind_of(fisher),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class WeibullNLLLoss(Criterion, loss=weibull_nll_loss):
    """`weibull_nll_loss` with its options bound."""


_GAMMA_SHAPE: Final = Formula("gamma_shape", _SHAPE, third="shape")


@joint("input", "shape")
def gamma_shape_nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    shape: ArrayLike,
    *,
    fisher: bool = False,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood with a gamma distribution, mean and shape predicted.

    Of the logarithm x of the mean, with y = log t - x:

    .. math:: w [\log t + k (e^y - 1 - y) + \log \Gamma(k) - k \log k + k]

    Derivatives with respect to x: :math:`w k (1 - e^y)` and :math:`w k e^y`. With respect to the
    shape: :math:`w [\psi(k) - \log k + e^y - 1 - y]` and :math:`w (\psi'(k) - 1 / k)`, where ψ is
    the digamma function. Convex in each.

    Parameters
    ----------
    input : array_like
        Logarithms x of the mean, of any shape and real dtype.
    target : array_like
        True values t, positive, of input's shape or broadcasting up to it.
    shape : array_like
        Positive shape parameters k: of input's shape or broadcasting up to it, or a number. The
        variance is the square of the mean over k; 1 is the exponential distribution.
    <fisher>
    <weight>
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``-torch.distributions.Gamma(shape, shape * exp(-input)).log_prob(target)``; TensorFlow
    Probability: ``tfd.Gamma(concentration=shape, rate=shape * exp(-input))``; scipy.stats:
    ``-gamma.logpdf(target, a=shape, scale=exp(input) / shape)``; statsmodels: the family ``Gamma``
    of ``GLM``, whose scale is 1 / k; XGBoostLSS: ``Gamma``, of concentration and rate.

    `gamma_nll_loss` is for a shape that is known, or of no interest. The derivatives with respect
    to the mean are k times that one's. Mean and shape are orthogonal, which shape and rate are not:
    the Fisher information is k for x and :math:`\psi'(k) - 1 / k` for k, and 0 between them.

    References
    ----------
    P. McCullagh, J. A. Nelder, Generalized Linear Models, 2nd ed., Chapman & Hall 1989.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad, grad_shape) = fl.gamma_shape_nll_loss.value_and_grad(
    ...     [0.0, 1.0], [2.0, 1.0], [1.0, 2.0], reduction="sum"
    ... )
    >>> value.round(6), grad.round(6)
    (np.float64(3.349465), array([-1.      ,  1.264241]))
    """
    return elementwise(
        request,
        _GAMMA_SHAPE,
        input,
        target,
        shape,
        parameters=(kind_of(fisher),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class GammaShapeNLLLoss(Criterion, loss=gamma_shape_nll_loss):
    """`gamma_shape_nll_loss` with its options bound."""


def natural_gradient(
    loss: Loss[...], input: ArrayLike, target: ArrayLike, third: ArrayLike, **options: Any
) -> tuple[Array, Array]:
    r"""The natural gradient of a loss of two parameters, element by element.

    The gradient, multiplied by the inverse of the Fisher information, a 2 x 2 matrix for each
    element. A step along it changes the distribution by the same amount whatever the size of the
    parameters, and does not depend on how they are written. ngboost fits trees to it.

    Parameters
    ----------
    loss : Loss
        One of `gaussian_nll_loss` and the losses of location and scale: those that have an option
        `fisher`.
    input, target : array_like
        As of the loss.
    third : array_like
        The loss's third operand, `scale`, `shape` or `var`, of input's shape or broadcasting up to
        it.
    **options
        Other options of the loss, `where` and `df` say; and `grad_out`, a tuple of two buffers. A
        weight would multiply the gradient and the information, hence changes nothing, and is not
        accepted.

    Returns
    -------
    tuple of ndarray
        The natural gradients with respect to `input` and to the third operand, of input's shape.

    Raises
    ------
    NotImplementedError
        If the loss has no option `fisher`.
    TypeError
        For the options `weight`, `reduction` and `fisher`, and others that the loss lacks.
    ValueError
        As the loss does.

    Notes
    -----
    With respect to the logarithm of the third operand it is the second array over the third
    operand. For boosted trees that take a second derivative, the option ``fisher=True`` of
    ``loss.value_grad_hess`` is the better way: a leaf then gets the step of Fisher's scoring for
    all its rows.

    References
    ----------
    S. Amari, Natural Gradient Works Efficiently in Learning, Neural Comput. 10 (1998) 251-276.

    T. Duan et al., NGBoost: Natural Gradient Boosting for Probabilistic Prediction, ICML 2020.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.natural_gradient(fl.laplace_nll_loss, [1.0, 3.0], [0.0, 20.0], [1.0, 2.0])
    (array([ 1., -2.]), array([  0., -15.]))
    """
    if not isinstance(loss, Loss) or "fisher" not in loss._options:
        raise NotImplementedError(
            f"natural_gradient: {getattr(loss, '__name__', loss)!s} has no Fisher information; "
            "losses with an option fisher have"
        )
    for name in ("weight", "reduction", "fisher"):
        if name in options:
            raise TypeError(f"natural_gradient: {name} is no option, as it would change nothing")
    request: Request = (NATURAL, None, options.pop("grad_out", None), None, False, None)
    options["reduction"] = "sum"
    try:
        x, u = operand("input", input)[0], operand(loss._operands[2], third)[0]
        if u.shape != x.shape:  # one number for many: not the sum over them
            u = broadcast(loss._operands[2], u, x.shape)
        loss._check_call((x, target, u), options)
        result = loss._function(request, input, target, u, **options)
    except NullsError as error:
        result = loss._without_nulls(error, request, (input, target, third), options)
    gradients: tuple[Array, Array] = result[1]
    return gradients
