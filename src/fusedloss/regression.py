"""Losses between numbers."""

from __future__ import annotations

from typing import Any

from fusedloss._arrays import ArrayLike, Reduction, Request, positive
from fusedloss._elementwise import elementwise
from fusedloss._loss import Criterion, Loss


@Loss
def mse_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
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
    ``squared_error``; scikit-learn: ``HalfSquaredError`` is half of it.

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
        "squared_error",
        input,
        target,
        weight=weight,
        reduction=reduction,
        mean_by_weight=True,
    )


@Loss
def l1_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
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
        "absolute_error",
        input,
        target,
        weight=weight,
        reduction=reduction,
        mean_by_weight=True,
    )


@Loss
def huber_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    delta: float = 1.0,
    weight: ArrayLike | None = None,
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
    <reduction, mean over elements>

    <returns>

    <raises>

    Notes
    -----
    torch: ``huber_loss``; tf.losses: ``huber_loss``; Keras: ``Huber``; optax: ``huber_loss``;
    scipy.special: ``huber(delta, d)``; scikit-learn: ``HuberLoss``, whose second derivative at
    :math:`|d| = \delta` is 1.

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
        "huber",
        input,
        target,
        parameters=(positive("delta", delta),),
        weight=weight,
        reduction=reduction,
    )


class MSELoss(Criterion, loss=mse_loss):
    """`mse_loss` with its options bound."""


class L1Loss(Criterion, loss=l1_loss):
    """`l1_loss` with its options bound."""


class HuberLoss(Criterion, loss=huber_loss):
    """`huber_loss` with its options bound."""
