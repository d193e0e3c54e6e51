"""Losses between regions of images."""

from __future__ import annotations

from typing import Any, Literal

from fusedloss import _regions
from fusedloss._arrays import ArrayLike, Reduction, Request, finite, positive
from fusedloss._loss import Criterion, Loss

__all__ = [
    "DiceLoss",
    "FocalTverskyLoss",
    "GeneralizedDiceLoss",
    "JaccardLoss",
    "TverskyLoss",
    "dice_loss",
    "focal_tversky_loss",
    "generalized_dice_loss",
    "jaccard_loss",
    "tversky_loss",
]

Mode = Literal["multiclass", "multilabel", "binary"]


def _parameters(
    kappa: float,
    alpha: Any,
    beta: Any,
    smooth_nr: Any,
    smooth_dr: Any,
    gamma: float = 1.0,
) -> tuple[float, ...]:
    """Of the kernel's formula: 1 - (κ I + nr) / (κ I + α FP + β FN + dr), to the power of γ."""
    return (
        kappa,
        finite("alpha", alpha, 0.0),
        finite("beta", beta, 0.0),
        finite("smooth_nr", smooth_nr, 0.0),
        finite("smooth_dr", smooth_dr, 0.0),
        gamma,
    )


@Loss
def dice_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    mode: Mode = "multiclass",
    from_logits: bool = True,
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    squared: bool = False,
    per_image: bool = True,
    ignore_index: int | None = None,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Dice loss: what two regions do not have in common, as a share of both (1 - F1 score).

    Of each class of each image, with probabilities p and targets t, summed over the pixels:

    .. math:: w \left( 1 - \frac{2 \sum p t + s}{\sum p + \sum t + r} \right)

    with s and r the smoothing of numerator and denominator; `squared` takes :math:`p^2` and
    :math:`t^2` in the denominator. Derivatives with respect to x: those by p,
    :math:`w (D - 2 t) / B + w s / B` with the denominator B and the share D = 1 - loss on average
    of all, carried through softmax or sigmoid; on the diagonal what follows from these.

    The value is computed from the sums of p (1 - t) and (1 - p) t, so it keeps its digits where a
    segmentation is all but perfect: there others print 0. A class that is neither in the target
    nor predicted has loss 0 (smoothing of equal numerator and denominator, or none).

    Parameters
    ----------
    <region input>
    <region target>
    <region weight>
    <region options>
    <region smoothing>
    squared : bool
        Whether the denominator has squares.
    <region images>
    <region reduction>

    <returns regions>

    <raises regions>

    Notes
    -----
    MONAI: ``DiceLoss``; Keras: ``Dice``, which has one value of all numbers; optax: ``dice_loss``.

    These are MONAI's values: ``softmax=True`` is the default here, ``sigmoid=True`` is
    ``mode="multilabel"``, ``squared_pred=True`` is `squared`, ``batch=True`` is
    ``per_image=False`` and ``include_background=False`` a weight of 0 for class 0, with reduction
    "sum_by_nonzero_weights". Keras has ``mode="binary"``, ``from_logits=False``,
    ``per_image=False``, ``smooth_nr=0`` and ``smooth_dr=1e-7``.

    References
    ----------
    F. Milletari, N. Navab and S. Ahmadi, V-Net: Fully Convolutional Neural Networks for Volumetric
    Medical Image Segmentation, 3DV 2016.

    Examples
    --------
    >>> import fusedloss as fl
    >>> p, t = [[0.75, 0.25, 0.5, 0.5]], [[1, 0, 1, 0]]
    >>> options = {"mode": "binary", "from_logits": False, "smooth_nr": 0, "smooth_dr": 0}
    >>> value, grad = fl.dice_loss.value_and_grad(p, t, **options)
    >>> value
    np.float64(0.375)
    >>> grad
    array([[-0.34375,  0.15625, -0.34375,  0.15625]])
    """
    return _regions.overlap(
        request,
        input,
        target,
        parameters=_parameters(2.0, 1.0, 1.0, smooth_nr, smooth_dr),
        squared=squared,
        weight=weight,
        mode=mode,
        from_logits=from_logits,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        reduction=reduction,
    )


@Loss
def generalized_dice_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    w_type: Literal["square", "simple", "uniform"] = "square",
    mode: Mode = "multiclass",
    from_logits: bool = True,
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    per_image: bool = True,
    ignore_index: int | None = None,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Dice loss of all classes together, weighted by the inverse of their volume.

    Of each image, with probabilities p and targets t, summed over pixels, then over classes c:

    .. math:: 1 - \frac{2 \sum_c v_c \sum p t + s}{\sum_c v_c (\sum p + \sum t) + r}

    where :math:`v = w / (\sum t)^2` ("square"), :math:`w / \sum t` ("simple") or :math:`w`
    ("uniform"). A class without target has the largest of the other classes' weights before w; 0
    where there is no target at all. Derivatives with respect to x: those by p, as of `dice_loss`
    with :math:`v_c` and the joint denominator, carried through softmax or sigmoid; on the
    diagonal what follows from these.

    Parameters
    ----------
    <region input>
    <region target>
    weight : array_like of shape (C,), optional
        Further weights w of the classes, which multiply those of their volume.
    w_type : {"square", "simple", "uniform"}
        How a class is weighted.
    <region options>
    <region smoothing>
    <region images>
    reduction : str
        "mean" (divides by the number of values, which are one for each image; nan where there are
        none), "sum", "none", "batchmean" (divides by the number of images), "weighted_mean" or
        "sum_by_nonzero_weights" (both as "mean", but 0 for no images).
    out, grad_out, hess_out : ndarray, optional, keyword only
        Buffers for the value (of shape () unless ``reduction="none"``), the gradient and the second
        derivative; each for the methods that compute it. Of a floating dtype, any strides, sharing
        no memory with an input. They are written to and returned.

    <returns regions>

    <raises regions>

    Notes
    -----
    MONAI: ``GeneralizedDiceLoss``, with ``batch=True`` for ``per_image=False``.

    References
    ----------
    C. Sudre, W. Li, T. Vercauteren, S. Ourselin and M. J. Cardoso, Generalised Dice Overlap as a
    Deep Learning Loss Function for Highly Unbalanced Segmentations, DLMIA 2017.

    Examples
    --------
    >>> import fusedloss as fl
    >>> p, t = [[[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]], [[1, 0, 0, 0]]
    >>> fl.generalized_dice_loss(p, t, from_logits=False, w_type="uniform").round(4)
    np.float64(0.25)
    >>> fl.generalized_dice_loss(p, t, from_logits=False).round(4)
    np.float64(0.4167)
    """
    return _regions.overlap(
        request,
        input,
        target,
        parameters=_parameters(2.0, 1.0, 1.0, smooth_nr, smooth_dr),
        joint=_regions.choice("w_type", w_type, _regions.W_TYPES),
        weight=weight,
        mode=mode,
        from_logits=from_logits,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        reduction=reduction,
    )


@Loss
def jaccard_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    mode: Mode = "multiclass",
    from_logits: bool = True,
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    squared: bool = False,
    per_image: bool = True,
    ignore_index: int | None = None,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Jaccard loss: what two regions do not have in common, as a share of their union (1 - IoU).

    Of each class of each image, with probabilities p and targets t, summed over the pixels:

    .. math:: w \left( 1 - \frac{\sum p t + s}{\sum p + \sum t - \sum p t + r} \right)

    with s and r the smoothing of numerator and denominator; `squared` takes :math:`p^2` and
    :math:`t^2` in the denominator. Derivatives with respect to x: those by p, carried through
    softmax or sigmoid; on the diagonal what follows from these.

    The value keeps its digits where a segmentation is all but perfect, as that of `dice_loss`.

    Parameters
    ----------
    <region input>
    <region target>
    <region weight>
    <region options>
    <region smoothing>
    squared : bool
        Whether the denominator has squares.
    <region images>
    <region reduction>

    <returns regions>

    <raises regions>

    Notes
    -----
    MONAI: ``DiceLoss(jaccard=True)``, with half the smoothing here, as its fraction is of twice
    the numbers.

    Examples
    --------
    >>> import fusedloss as fl
    >>> p, t = [[0.75, 0.25, 0.5, 0.5]], [[1, 0, 1, 0]]
    >>> options = {"mode": "binary", "from_logits": False, "smooth_nr": 0, "smooth_dr": 0}
    >>> fl.jaccard_loss(p, t, **options).round(4)
    np.float64(0.5455)
    """
    return _regions.overlap(
        request,
        input,
        target,
        parameters=_parameters(1.0, 1.0, 1.0, smooth_nr, smooth_dr),
        squared=squared,
        weight=weight,
        mode=mode,
        from_logits=from_logits,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        reduction=reduction,
    )


@Loss
def tversky_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    mode: Mode = "multiclass",
    from_logits: bool = True,
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    per_image: bool = True,
    ignore_index: int | None = None,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Tversky loss: Dice or Jaccard loss with weights for false alarms and for misses.

    Of each class of each image, with probabilities p and targets t, summed over the pixels:

    .. math:: w \left( 1 - \frac{\sum p t + s}
              {\sum p t + \alpha \sum p (1 - t) + \beta \sum (1 - p) t + r} \right)

    with s and r the smoothing of numerator and denominator. Derivatives with respect to x: those by
    p, carried through softmax or sigmoid; on the diagonal what follows from these.

    With α = β = 1/2 it is the Dice loss with twice the smoothing, with α = β = 1 the Jaccard loss.

    Parameters
    ----------
    <region input>
    <region target>
    <region weight>
    alpha : float
        α, the weight of false positives, finite, 0 or more.
    beta : float
        β, the weight of false negatives, finite, 0 or more.
    <region options>
    <region smoothing>
    <region images>
    <region reduction>

    <returns regions>

    <raises regions>

    Notes
    -----
    MONAI: ``TverskyLoss``; Keras: ``Tversky``, which has one value of all numbers.

    Keras has ``mode="binary"``, ``from_logits=False``, ``per_image=False``, ``smooth_nr=0`` and
    ``smooth_dr=1e-7``, and calls its weight of false negatives alpha.

    References
    ----------
    S. S. M. Salehi, D. Erdogmus and A. Gholipour, Tversky Loss Function for Image Segmentation
    Using 3D Fully Convolutional Deep Networks, MLMI 2017.

    Examples
    --------
    >>> import fusedloss as fl
    >>> p, t = [[0.75, 0.25, 0.5, 0.5]], [[1, 0, 1, 0]]
    >>> options = {"mode": "binary", "from_logits": False, "smooth_nr": 0, "smooth_dr": 0}
    >>> fl.tversky_loss(p, t, alpha=0.25, beta=0.75, **options).round(4)
    np.float64(0.375)
    """
    return _regions.overlap(
        request,
        input,
        target,
        parameters=_parameters(1.0, alpha, beta, smooth_nr, smooth_dr),
        weight=weight,
        mode=mode,
        from_logits=from_logits,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        reduction=reduction,
    )


@Loss
def focal_tversky_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 0.75,
    mode: Mode = "multiclass",
    from_logits: bool = True,
    smooth_nr: float = 1e-5,
    smooth_dr: float = 1e-5,
    per_image: bool = True,
    ignore_index: int | None = None,
    axis: int | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Power of the Tversky loss, which turns attention to regions that are small or hard.

    With the Tversky loss L of a class of an image, and without its weight:

    .. math:: w L^\gamma

    Derivatives with respect to x: :math:`w \gamma L^{\gamma - 1} L'` and, on the diagonal,
    :math:`w \gamma L^{\gamma - 1} ( L'' + (\gamma - 1) L'^2 / L )`. Both are 0 where L is 0.

    Parameters
    ----------
    <region input>
    <region target>
    <region weight>
    alpha : float
        α, the weight of false positives, finite, 0 or more.
    beta : float
        β, the weight of false negatives, finite, 0 or more.
    gamma : float
        γ, positive and finite. Below 1 regions that are nearly right count for more.
    <region options>
    smooth_nr, smooth_dr : float
        Added to numerator and denominator; finite, 0 or more, and the first not above the second,
        as L would be negative.
    <region images>
    <region reduction>

    <returns regions>

    <raises regions>

    Notes
    -----
    MONAI: ``TverskyLoss``, to the power of γ.

    The paper calls the power 1/γ, and α the weight of false negatives.

    References
    ----------
    N. Abraham and N. M. Khan, A Novel Focal Tversky Loss Function with Improved Attention U-Net for
    Lesion Segmentation, ISBI 2019.

    Examples
    --------
    >>> import fusedloss as fl
    >>> p, t = [[0.75, 0.25, 0.5, 0.5]], [[1, 0, 1, 0]]
    >>> options = {"mode": "binary", "from_logits": False, "smooth_nr": 0, "smooth_dr": 0}
    >>> fl.focal_tversky_loss(p, t, gamma=2, **options).round(6)
    np.float64(0.140625)
    """
    parameters = _parameters(1.0, alpha, beta, smooth_nr, smooth_dr, positive("gamma", gamma))
    if parameters[3] > parameters[4]:
        raise ValueError(f"smooth_nr: at most smooth_dr, {smooth_dr}, is needed; got {smooth_nr}")
    return _regions.overlap(
        request,
        input,
        target,
        parameters=parameters,
        weight=weight,
        mode=mode,
        from_logits=from_logits,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        reduction=reduction,
    )


class DiceLoss(Criterion, loss=dice_loss):
    """`dice_loss` with its options bound."""


class GeneralizedDiceLoss(Criterion, loss=generalized_dice_loss):
    """`generalized_dice_loss` with its options bound."""


class JaccardLoss(Criterion, loss=jaccard_loss):
    """`jaccard_loss` with its options bound."""


class TverskyLoss(Criterion, loss=tversky_loss):
    """`tversky_loss` with its options bound."""


class FocalTverskyLoss(Criterion, loss=focal_tversky_loss):
    """`focal_tversky_loss` with its options bound."""
