"""Regression losses."""

from __future__ import annotations

from math import log
from typing import Any, Final

from fusedloss._calls.elementwise import Formula, elementwise
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import Loss
from fusedloss._core.parameters import finite, positive
from fusedloss._core.types import ArrayLike, Reduction, Request

_TINY = 2.0**-1022

__all__ = [
    "CauchyLoss",
    "EpsilonInsensitiveLoss",
    "ExpectileLoss",
    "FairLoss",
    "HuberLoss",
    "L1Loss",
    "LogCoshLoss",
    "MAPELoss",
    "MSELoss",
    "MSLELoss",
    "PseudoHuberLoss",
    "QuantileLoss",
    "SmoothL1Loss",
    "SquaredEpsilonInsensitiveLoss",
    "cauchy_loss",
    "epsilon_insensitive_loss",
    "expectile_loss",
    "fair_loss",
    "huber_loss",
    "l1_loss",
    "log_cosh_loss",
    "mape_loss",
    "mse_loss",
    "msle_loss",
    "pseudo_huber_loss",
    "quantile_loss",
    "smooth_l1_loss",
    "squared_epsilon_insensitive_loss",
]

_LEVELS = {"q": "numbers from 0 to 1"}
_ABOVE_MINUS_ONE = {"input": "numbers from -1 on", "target": "numbers from -1 on"}


_SQUARED_ERROR: Final = Formula("squared_error", mean_by_weight=True)


@Loss
def mse_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared error :math:`w (x - t)^2`.

    Derivatives with respect to x: :math:`2 w (x - t)` and :math:`2 w`.

    Parameters
    ----------
    <input and target>
    <weight>
    <reduction, mean over weights>

    <returns>

    <raises>

    Notes
    -----
    torch: ``mse_loss``; tf.losses: ``mean_squared_error``; Keras: ``MeanSquaredError``; optax:
    ``squared_error``, and ``l2_loss``, which is half of it; scikit-learn: ``HalfSquaredError``,
    half of it; XGBoost: ``reg:squarederror``, half of it; LightGBM: ``regression``, half of it.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.mse_loss([1.6, 0.5, -2.0], [0.6, 0.0, -1.5])
    np.float64(0.5)
    >>> value, grad = fl.mse_loss.value_and_grad([1.0, 2.0], [0.0, 4.0], reduction="sum")
    >>> grad
    array([ 2., -4.])
    """
    return elementwise(
        request,
        _SQUARED_ERROR,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class MSELoss(Criterion, loss=mse_loss):
    """`mse_loss` with its options bound."""


_ABSOLUTE_ERROR: Final = Formula("absolute_error", mean_by_weight=True)


@Loss
def l1_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Absolute error :math:`w |x - t|`.

    Derivatives with respect to x: :math:`w \operatorname{sign}(x - t)`, which is 0 where x = t, and
    0.

    Parameters
    ----------
    <input and target>
    <weight>
    <reduction, mean over weights>

    <returns>

    <raises>

    Notes
    -----
    torch: ``l1_loss``; tf.losses: ``absolute_difference``; Keras: ``MeanAbsoluteError``;
    scikit-learn: ``AbsoluteError``, whose derivative at 0 is -1; LightGBM: ``regression_l1``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.l1_loss([1.5, 0.5, -2.0], [0.5, 0.0, -1.5], reduction="none")
    array([1. , 0.5, 0.5])
    """
    return elementwise(
        request,
        _ABSOLUTE_ERROR,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class L1Loss(Criterion, loss=l1_loss):
    """`l1_loss` with its options bound."""


_SMOOTH_L1: Final = Formula("smooth_l1")
_SMOOTH_L1_OF_0: Final = Formula("absolute_error")


@Loss
def smooth_l1_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    beta: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Absolute error with a squared middle.

    With d = x - t:

    .. math:: w \cdot \begin{cases} d^2 / (2 \beta) & |d| < \beta \\
              |d| - \beta / 2 & |d| \ge \beta \end{cases}

    Derivatives with respect to x: w times :math:`d / \beta` clipped to ±1; :math:`w / \beta` where
    :math:`|d| < \beta`, else 0. With β = 0 it is the absolute error, whose derivative at 0 is 0.

    Parameters
    ----------
    <input and target>
    beta : float
        Where the loss changes from squared to absolute; not negative, and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    torch: ``smooth_l1_loss``, which takes no weight.

    `huber_loss` with δ = β is β times it.

    References
    ----------
    R. Girshick, Fast R-CNN, ICCV 2015.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.smooth_l1_loss([0.5, 3.0], [0.0, 0.0], reduction="none")
    array([0.125, 2.5  ])
    >>> value, grad = fl.smooth_l1_loss.value_and_grad([0.25, 2], [0, 0], beta=0.5, reduction="sum")
    >>> value, grad
    (np.float64(1.8125), array([0.5, 1. ]))
    """
    beta = finite("beta", beta, 0.0)
    return elementwise(
        request,
        _SMOOTH_L1 if beta else _SMOOTH_L1_OF_0,
        input,
        target,
        parameters=(max(beta, _TINY),) if beta else (),  # whose inverse is finite
        weight=weight,
        where=where,
        reduction=reduction,
    )


class SmoothL1Loss(Criterion, loss=smooth_l1_loss):
    """`smooth_l1_loss` with its options bound."""


_HUBER: Final = Formula("huber")


@Loss
def huber_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    delta: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Huber's loss: squared near the target, absolute far from it.

    With d = x - t:

    .. math:: w \cdot \begin{cases} d^2 / 2 & |d| < \delta \\
              \delta (|d| - \delta / 2) & |d| \ge \delta \end{cases}

    Derivatives with respect to x: w times d clipped to ±δ; w where :math:`|d| < \delta`, else 0.

    Parameters
    ----------
    <input and target>
    delta : float
        Where the loss changes from squared to absolute; positive and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    torch: ``huber_loss``, whose mean with a weight divides by the number of elements too;
    tf.losses: ``huber_loss``; Keras: ``Huber``; optax: ``huber_loss``; scikit-learn: ``HuberLoss``,
    whose second derivative at :math:`|d| = \delta` is 1; scipy.special: ``huber(delta, d)``;
    scipy.optimize: ``least_squares(loss="huber", f_scale=delta)``, whose cost is the sum of it;
    LightGBM: ``huber`` with ``alpha`` = δ, whose second derivative is 1 everywhere.

    References
    ----------
    P. J. Huber, Robust Estimation of a Location Parameter, Ann. Math. Statist. 35 (1964) 73-101.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad, hess = fl.huber_loss.value_grad_hess([0.5, 3.0], [0.0, 0.0], reduction="sum")
    >>> value
    np.float64(2.625)
    >>> grad, hess
    (array([0.5, 1. ]), array([1., 0.]))
    """
    return elementwise(
        request,
        _HUBER,
        input,
        target,
        parameters=(positive("delta", delta),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class HuberLoss(Criterion, loss=huber_loss):
    """`huber_loss` with its options bound."""


_PSEUDO_HUBER: Final = Formula("pseudo_huber")


@Loss
def pseudo_huber_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    delta: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""A smooth form of Huber's loss.

    With d = x - t:

    .. math:: w \, \delta^2 (s - 1), \qquad s = \sqrt{1 + (d / \delta)^2}

    Derivatives with respect to x: :math:`w d / s` and :math:`w / s^3`.

    Parameters
    ----------
    <input and target>
    delta : float
        The loss is about :math:`d^2 / 2` well inside of ±δ, and a line of slope ±δ far outside;
        positive and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scipy.special: ``pseudo_huber(delta, d)``; scipy.optimize:
    ``least_squares(loss="soft_l1", f_scale=delta)``, whose cost is the sum of it; XGBoost:
    ``reg:pseudohubererror`` with ``huber_slope`` = δ.

    Charbonnier's :math:`\sqrt{d^2 + \delta^2}` is this loss divided by δ, plus δ.

    References
    ----------
    P. Charbonnier, L. Blanc-Féraud, G. Aubert, M. Barlaud, Deterministic Edge-Preserving
    Regularization in Computed Imaging, IEEE Trans. Image Process. 6 (1997) 298-311.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.pseudo_huber_loss([0.75, 2.4], [0.0, 0.0], reduction="none").round(6)
    array([0.25, 1.6 ])
    >>> value, grad = fl.pseudo_huber_loss.value_and_grad([0.75, 2.4], [0, 0], reduction="sum")
    >>> grad.round(6)
    array([0.6     , 0.923077])
    """
    return elementwise(
        request,
        _PSEUDO_HUBER,
        input,
        target,
        parameters=(positive("delta", delta),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class PseudoHuberLoss(Criterion, loss=pseudo_huber_loss):
    """`pseudo_huber_loss` with its options bound."""


_LOG_COSH: Final = Formula("log_cosh")


@Loss
def log_cosh_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Logarithm of the hyperbolic cosine, :math:`w \log \cosh (x - t)`.

    About :math:`d^2 / 2` for a small d = x - t and :math:`|d| - \log 2` for a large one; no d is
    too large or too small for it. Derivatives with respect to x: :math:`w \tanh d` and
    :math:`w / \cosh^2 d`.

    Parameters
    ----------
    <input and target>
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    Keras: ``LogCosh``; optax: ``log_cosh``.

    References
    ----------
    P. W. Holland, R. E. Welsch, Robust Regression Using Iteratively Reweighted Least-Squares,
    Comm. Statist. Theory Methods 6 (1977) 813-827 (the logistic weight).

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.log_cosh_loss([1.0, 100.0], [0.0, 0.0], reduction="none").round(6)
    array([ 0.433781, 99.306853])
    >>> f"{fl.log_cosh_loss(1e-12, 0.0):.6g}"
    '5e-25'
    """
    return elementwise(
        request, _LOG_COSH, input, target, weight=weight, where=where, reduction=reduction
    )


class LogCoshLoss(Criterion, loss=log_cosh_loss):
    """`log_cosh_loss` with its options bound."""


class _Levels:
    """The formula for one level, and that for an array of them."""

    def __init__(self, name: str) -> None:
        self.one = Formula(name)
        self.many = Formula(name + "_levels", _LEVELS, third="q", third_has_precision=False)

    def choose(self, q: ArrayLike) -> tuple[Formula, tuple[float, ...], ArrayLike | None]:
        """The formula, its parameters and its third operand."""
        if isinstance(q, (list, tuple)) or getattr(q, "ndim", 0) > 0:
            return self.many, (), q
        level = finite("q", q, 0.0, 1.0)
        return self.one, (level, 1.0 - level), None


_QUANTILE: Final = _Levels("quantile")


@Loss
def quantile_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    q: ArrayLike = 0.5,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Quantile (pinball, check) loss.

    With d = x - t:

    .. math:: w \max(-q d, (1 - q) d)

    Derivatives with respect to x: :math:`-q w` where x < t, :math:`(1 - q) w` where x > t, and 0
    where x = t; 0. The constant that minimises the sum is a q-quantile of the targets.

    Parameters
    ----------
    <input and target>
    q : float or array_like
        The quantile, from 0 to 1. With 0.5 the loss is half the absolute error. An array, which
        broadcasts up to input's shape, has a quantile for each element: for predictions of shape
        (N, Q) Q of them, with a target of shape (N, 1). Its dtype does not count for that of the
        computation, and it has no gradient.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scikit-learn: ``PinballLoss(quantile=q)``, whose derivative where x = t is -q and whose second
    derivative is 1; sklearn.metrics: ``mean_pinball_loss(alpha=q)``; XGBoost: ``reg:quantileerror``
    with ``quantile_alpha`` = q, whose derivative where x = t is 1 - q and whose second derivative
    is 1; LightGBM: ``quantile`` with ``alpha`` = q, likewise.

    Several levels at once, as an array q has them, are XGBoost's ``quantile_alpha`` with a list and
    CatBoost's ``MultiQuantile``. They are rounded to the dtype of the computation.

    References
    ----------
    R. Koenker, G. Bassett, Regression Quantiles, Econometrica 46 (1978) 33-50.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.quantile_loss([1.0, 3.0], [2.0, 2.0], q=0.75, reduction="none")
    array([0.75, 0.25])
    >>> value, grad = fl.quantile_loss.value_and_grad([1, 3], [2, 2], q=0.75, reduction="sum")
    >>> grad
    array([-0.75,  0.25])
    >>> fl.quantile_loss([[1.0, 2.0, 4.0]], [[2.0]], q=[0.1, 0.5, 0.9], reduction="none")
    array([[0.1, 0. , 0.2]])
    """
    formula, parameters, levels = _QUANTILE.choose(q)
    return elementwise(
        request,
        formula,
        input,
        target,
        levels,
        parameters=parameters,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class QuantileLoss(Criterion, loss=quantile_loss):
    """`quantile_loss` with its options bound."""


_EXPECTILE: Final = _Levels("expectile")


@Loss
def expectile_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    q: ArrayLike = 0.5,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Expectile loss: a squared error with a factor for each sign.

    With d = x - t:

    .. math:: w \cdot \begin{cases} q \, d^2 & d < 0 \\ (1 - q) \, d^2 & d \ge 0 \end{cases}

    Derivatives with respect to x: :math:`2 w q d` and :math:`2 w q` where d < 0,
    :math:`2 w (1 - q) d` and :math:`2 w (1 - q)` where d > 0. Where d = 0 the second derivative is
    w, the mean of both sides. The constant that minimises the sum is the q-expectile of the
    targets.

    Parameters
    ----------
    <input and target>
    q : float or array_like
        The expectile, from 0 to 1. With 0.5 the loss is half the squared error. An array has an
        expectile for each element, as that of `quantile_loss`.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    XGBoost: ``reg:expectileerror`` with ``expectile_alpha`` = q, half of it, from 3.3 on;
    scipy.stats: ``expectile(targets, alpha=q)``, the constant that minimises it.

    References
    ----------
    W. K. Newey, J. L. Powell, Asymmetric Least Squares Estimation and Testing, Econometrica 55
    (1987) 819-847.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.expectile_loss([1.0, 4.0], [2.0, 2.0], q=0.75, reduction="none")
    array([0.75, 1.  ])
    >>> value, grad = fl.expectile_loss.value_and_grad([1, 4], [2, 2], q=0.75, reduction="sum")
    >>> grad
    array([-1.5,  1. ])
    """
    formula, parameters, levels = _EXPECTILE.choose(q)
    if 0.0 in parameters:  # the formula for any level
        formula, levels, parameters = _EXPECTILE.many, parameters[0], ()
    return elementwise(
        request,
        formula,
        input,
        target,
        levels,
        parameters=parameters,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class ExpectileLoss(Criterion, loss=expectile_loss):
    """`expectile_loss` with its options bound."""


_EPSILON_INSENSITIVE: Final = Formula("epsilon_insensitive")


@Loss
def epsilon_insensitive_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    epsilon: float = 0.1,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Absolute error beyond a tolerance, :math:`w \max(0, |x - t| - \epsilon)`.

    Derivatives with respect to x: :math:`w \operatorname{sign}(x - t)` where
    :math:`|x - t| > \epsilon`, else 0 (also where both are equal); 0.

    Parameters
    ----------
    <input and target>
    epsilon : float
        The tolerance; not negative, and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scikit-learn: ``SGDRegressor(loss="epsilon_insensitive")``, likewise ``LinearSVR``, and the loss
    of ``SVR``.

    References
    ----------
    H. Drucker, C. J. C. Burges, L. Kaufman, A. Smola, V. Vapnik, Support Vector Regression
    Machines, NIPS 1996.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.epsilon_insensitive_loss([1.0, 3.5], [1.25, 2.0], epsilon=0.5, reduction="none")
    array([0., 1.])
    """
    return elementwise(
        request,
        _EPSILON_INSENSITIVE,
        input,
        target,
        parameters=(finite("epsilon", epsilon, 0.0),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class EpsilonInsensitiveLoss(Criterion, loss=epsilon_insensitive_loss):
    """`epsilon_insensitive_loss` with its options bound."""


_SQUARED_EPSILON_INSENSITIVE: Final = Formula("squared_epsilon_insensitive")


@Loss
def squared_epsilon_insensitive_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    epsilon: float = 0.1,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared error beyond a tolerance, :math:`w \max(0, |x - t| - \epsilon)^2`.

    Derivatives with respect to x, with :math:`m = \max(0, |x - t| - \epsilon)`:
    :math:`2 w m \operatorname{sign}(x - t)`; :math:`2 w` where :math:`|x - t| > \epsilon`, else 0.

    Parameters
    ----------
    <input and target>
    epsilon : float
        The tolerance; not negative, and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scikit-learn: ``SGDRegressor(loss="squared_epsilon_insensitive")``, likewise ``LinearSVR``.

    References
    ----------
    C.-H. Ho, C.-J. Lin, Large-scale Linear Support Vector Regression, J. Mach. Learn. Res. 13
    (2012) 3323-3348.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.squared_epsilon_insensitive_loss([1.0, 4.0], [1.25, 2.0], epsilon=0.5, reduction="none")
    array([0.  , 2.25])
    """
    return elementwise(
        request,
        _SQUARED_EPSILON_INSENSITIVE,
        input,
        target,
        parameters=(finite("epsilon", epsilon, 0.0),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class SquaredEpsilonInsensitiveLoss(Criterion, loss=squared_epsilon_insensitive_loss):
    """`squared_epsilon_insensitive_loss` with its options bound."""


_CAUCHY: Final = Formula("cauchy")


@Loss
def cauchy_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    c: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Cauchy's (Lorentzian) loss, which outliers hardly move.

    With d = x - t and z = (d / c)²:

    .. math:: w \frac{c^2}{2} \log(1 + z)

    Derivatives with respect to x: :math:`w d / (1 + z)` and :math:`w (1 - z) / (1 + z)^2`. Not
    convex: the second derivative is negative where :math:`|d| > c`.

    Parameters
    ----------
    <input and target>
    c : float
        The scale, where the derivative is largest; positive and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scipy.optimize: ``least_squares(loss="cauchy", f_scale=c)``, whose cost is the sum of it, and
    whose ρ(z) = ln(1 + z) is 2/c² times it.

    References
    ----------
    P. W. Holland, R. E. Welsch, Robust Regression Using Iteratively Reweighted Least-Squares,
    Comm. Statist. Theory Methods 6 (1977) 813-827.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.cauchy_loss([1.0, 3.0], [0.0, 0.0], reduction="none").round(6)
    array([0.346574, 1.151293])
    >>> value, grad = fl.cauchy_loss.value_and_grad([1.0, 3.0], [0.0, 0.0], reduction="sum")
    >>> grad
    array([0.5, 0.3])
    """
    c = positive("c", c)
    return elementwise(
        request,
        _CAUCHY,
        input,
        target,
        parameters=(c, log(c)),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class CauchyLoss(Criterion, loss=cauchy_loss):
    """`cauchy_loss` with its options bound."""


_FAIR: Final = Formula("fair")


@Loss
def fair_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    c: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Fair's loss: squared near the target, almost absolute far from it.

    With d = x - t and a = :math:`|d| / c`:

    .. math:: w \, c^2 (a - \log(1 + a))

    Derivatives with respect to x: :math:`w d / (1 + a)` and :math:`w / (1 + a)^2`.

    Parameters
    ----------
    <input and target>
    c : float
        The scale, and the slope that the loss approaches; positive and finite.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    LightGBM: ``fair`` with ``fair_c`` = c, both derivatives.

    References
    ----------
    R. C. Fair, On the Robust Estimation of Econometric Models, Ann. Econ. Soc. Meas. 3 (1974)
    667-677.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.fair_loss([1.0, 3.0], [0.0, 0.0], reduction="none").round(6)
    array([0.306853, 1.613706])
    >>> value, grad = fl.fair_loss.value_and_grad([1.0, 3.0], [0.0, 0.0], reduction="sum")
    >>> grad
    array([0.5 , 0.75])
    """
    return elementwise(
        request,
        _FAIR,
        input,
        target,
        parameters=(positive("c", c),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class FairLoss(Criterion, loss=fair_loss):
    """`fair_loss` with its options bound."""


_SQUARED_LOG_ERROR: Final = Formula("squared_log_error", _ABOVE_MINUS_ONE)


@Loss
def msle_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared logarithmic error, for a ratio rather than a difference.

    .. math:: w \, l^2, \qquad l = \log(1 + x) - \log(1 + t)

    Derivatives with respect to x: :math:`2 w l / (1 + x)` and :math:`2 w (1 - l) / (1 + x)^2`. Not
    convex: the second derivative is negative where l > 1.

    Parameters
    ----------
    input : array_like
        Predictions x from -1 on, of any shape and real dtype.
    target : array_like
        True values t from -1 on, of input's shape or broadcasting up to it.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    scikit-learn: ``mean_squared_log_error``, which refuses -1 too, where the logarithm is infinite;
    Keras: ``MeanSquaredLogarithmicError``, which raises smaller inputs and targets to 1e-7;
    XGBoost: ``reg:squaredlogerror``, half of it.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.msle_loss([2.5, 5, 4, 8], [3, 5, 2.5, 7]).round(6)
    np.float64(0.03973)
    """
    return elementwise(
        request,
        _SQUARED_LOG_ERROR,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class MSLELoss(Criterion, loss=msle_loss):
    """`msle_loss` with its options bound."""


_PERCENTAGE_ERROR: Final = Formula("percentage_error")


@Loss
def mape_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    eps: float = 2.0**-52,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Absolute error relative to the target, as a fraction.

    .. math:: w \frac{|x - t|}{\max(|t|, \epsilon)}

    Derivatives with respect to x: :math:`w \operatorname{sign}(x - t) / \max(|t|, \epsilon)`, which
    is 0 where x = t; 0.

    Parameters
    ----------
    <input and target>
    eps : float
        ε, the smallest divisor; positive and finite. The default is scikit-learn's, for which a
        target of 0 costs 4.5e15 times the error.
    <weight>
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    scikit-learn: ``mean_absolute_percentage_error``; Keras: ``MeanAbsolutePercentageError``, which
    is 100 times it with ε = 1e-7; LightGBM: ``mape``, which has ε = 1 and the second derivative 1.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.mape_loss([1.5, 5.0], [1.0, 4.0], reduction="none")
    array([0.5 , 0.25])
    >>> fl.mape_loss([0.25], [0.0], eps=1.0)
    np.float64(0.25)
    """
    return elementwise(
        request,
        _PERCENTAGE_ERROR,
        input,
        target,
        parameters=(positive("eps", eps),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class MAPELoss(Criterion, loss=mape_loss):
    """`mape_loss` with its options bound."""
