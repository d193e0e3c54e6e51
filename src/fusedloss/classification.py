"""Losses between scores and classes."""

from __future__ import annotations

from typing import Any

from fusedloss import _rows
from fusedloss._arrays import ArrayLike, Reduction, Request
from fusedloss._loss import Criterion, Loss

__all__ = ["CrossEntropyLoss", "NLLLoss", "cross_entropy", "nll_loss"]


@Loss
def cross_entropy(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Cross entropy of logits along a class axis (softmax, then negative log-likelihood).

    For a row of logits x and a class y, or probabilities t of the classes:

    .. math:: w_y \Big( \log \sum_j e^{x_j} - x_y \Big), \qquad
              \sum_c w_c t_c \Big( \log \sum_j e^{x_j} - x_c \Big)

    Label smoothing ε replaces t by (1 - ε) t + ε / C; a class y is t = 1 at y and 0 elsewhere.
    With :math:`p = \operatorname{softmax}(x)` and :math:`\tau = w t` the derivatives with respect
    to x are :math:`p \sum \tau - \tau` and, on the diagonal, :math:`p (1 - p) \sum \tau`.

    Value and gradient are right to a few ULP also where one class is all but certain: for logits
    (17, 0) and class 0 the loss is 4.14e-08 in float32, not 0. Logits of -inf and a single +inf
    give the limits; 0 · inf is 0.

    Parameters
    ----------
    <class input>
    target : array_like
        Class numbers from 0 to C - 1 of any integer dtype, of input's shape without the class
        axis; or probabilities of a floating dtype and input's shape. Probabilities are not checked.
    weight : array_like of shape (C,), optional
        Weights w of the classes.
    <ignore_index>
    label_smoothing : float
        ε, from 0 to 1.
    <axis>
    <reduction of rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    torch: ``cross_entropy``; tf.losses: ``softmax_cross_entropy`` and
    ``sparse_softmax_cross_entropy``; Keras: ``CategoricalCrossentropy(from_logits=True)`` and the
    sparse one; optax: ``softmax_cross_entropy`` and ``softmax_cross_entropy_with_integer_labels``;
    scikit-learn: ``HalfMultinomialLoss``; XGBoost: ``multi:softprob``; LightGBM: ``multiclass``.

    With probabilities "mean" divides by the number of rows, as in torch.

    References
    ----------
    C. Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016 (label
    smoothing).

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> logits = np.array([[1.5, 1.0, 0.5, 0.2], [10.0, -0.3, 0.4, 0.7], [1.2, 5.0, -1.0, 5.0]])
    >>> value, grad = fl.cross_entropy.value_and_grad(logits, [1, 0, 3])
    >>> value.round(4)
    np.float64(0.6718)
    >>> grad[2].round(4)
    array([ 0.0037,  0.1646,  0.0004, -0.1687])
    >>> f"{fl.cross_entropy(np.float32([[17, 0]]), [0]):.5g}"
    '4.1399e-08'
    """
    return _rows.labelled(
        request,
        _rows.CROSS_ENTROPY,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        axis=axis,
        reduction=reduction,
    )


@Loss
def nll_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Negative log-likelihood :math:`-w_y x_y` of a class y along a class axis.

    Derivatives with respect to x: :math:`-w_y` at the class y and 0 elsewhere; 0.

    Parameters
    ----------
    input : array_like
        Log-probabilities, of shape (C,), (N, C) or (N, C, d1, …), or with the classes on any other
        `axis`; as from `log_softmax`.
    target : array_like
        Class numbers from 0 to C - 1 of any integer dtype, of input's shape without the class axis.
    weight : array_like of shape (C,), optional
        Weights w of the classes.
    <ignore_index>
    <axis>
    <reduction of rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    torch: ``nll_loss``, and the old ``NLLLoss2d``, which is the case (N, C, H, W) with (N, H, W).

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.nll_loss([[-0.5, -1.5], [-2.0, -0.25]], [0, 1])
    np.float64(0.375)
    """
    return _rows.labelled(
        request,
        _rows.NLL,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        reduction=reduction,
    )


class CrossEntropyLoss(Criterion, loss=cross_entropy):
    """`cross_entropy` with its options bound."""


class NLLLoss(Criterion, loss=nll_loss):
    """`nll_loss` with its options bound."""
