"""Segmentation losses."""

from __future__ import annotations

from typing import Any, Literal

from fusedloss._calls.lovasz import lovasz
from fusedloss._calls.regions import W_TYPES, overlap
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import without_hvp
from fusedloss._core.parameters import choice, finite, positive
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "DiceLoss",
    "FocalTverskyLoss",
    "GeneralizedDiceLoss",
    "JaccardLoss",
    "LovaszHingeLoss",
    "LovaszSoftmaxLoss",
    "TverskyLoss",
    "dice_loss",
    "focal_tversky_loss",
    "generalized_dice_loss",
    "jaccard_loss",
    "lovasz_hinge_loss",
    "lovasz_softmax_loss",
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


@without_hvp
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
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Dice loss: what two regions do not have in common, as a share of both (1 - F1 score).

    Of each class of each image, with probabilities p and targets t, summed over the pixels:

    .. math:: w \left( 1 - \frac{2 \sum p t + s}{\sum p + \sum t + r} \right)

    with s and r the smoothing of numerator and denominator; `squared` takes :math:`p^2` and
    :math:`t^2` in the denominator. Derivatives with respect to x: those by p,
    :math:`w (F - 2 t) / B` with the fraction F and its denominator B, carried through softmax or
    sigmoid; on the diagonal what follows from these.

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
    <region pixels>
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

    Pixels that weigh more than others, and one that is left out:

    >>> fl.dice_loss(p, t, sample_weight=[1, 1, 2, 1], **options).round(6)
    np.float64(0.363636)
    >>> fl.dice_loss(p, t, where=[True, True, True, False], **options).round(6)
    np.float64(0.285714)
    """
    return overlap(
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
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@without_hvp
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
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Dice loss of all classes together, weighted by the inverse of their volume.

    Of each image, with probabilities p and targets t, summed over pixels, then over classes c:

    .. math:: 1 - \frac{2 \sum_c v_c \sum p t + s}{\sum_c v_c (\sum p + \sum t) + r}

    where :math:`v = w / (\sum t)^2` ("square"), :math:`w / \sum t` ("simple") or :math:`w`
    ("uniform"). A class without target has the largest of the other classes' weights before w; 0
    where there is no target at all; a class of w = 0 has no part in that. Derivatives with respect
    to x: those by p, as of `dice_loss` with :math:`v_c` and the joint denominator, carried through
    softmax or sigmoid; on the diagonal what follows from these.

    With `sample_weight` the volumes are weighted, too.

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
    <region pixels>
    reduction : str
        "mean" (divides by the number of values, which are one for each image; nan where there are
        none), "sum", "none", "batchmean" (divides by the number of images), "weighted_mean" or
        "sum_by_nonzero_weights" (both as "mean", but 0 for no images).
    out, grad_out, hess_out : ndarray, optional, keyword only
        Buffers for the value (of shape () unless ``reduction="none"``), the gradient and the second
        derivative; each for the methods that compute it. Of a floating dtype, any strides, sharing
        no memory with an input. They are written to and returned.
    <return_divisor>

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
    return overlap(
        request,
        input,
        target,
        parameters=_parameters(2.0, 1.0, 1.0, smooth_nr, smooth_dr),
        joint=choice("w_type", w_type, W_TYPES),
        weight=weight,
        mode=mode,
        from_logits=from_logits,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@without_hvp
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
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
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
    <region pixels>
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
    return overlap(
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
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@without_hvp
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
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Tversky loss: Dice or Jaccard loss with weights for false alarms and for misses.

    Of each class of each image, with probabilities p and targets t, summed over the pixels:

    .. math:: w \left( 1 - \frac{I + s}{I + \alpha P + \beta N + r} \right)

    where :math:`I = \sum p t`, :math:`P = \sum p (1 - t)` and :math:`N = \sum (1 - p) t`.

    s and r are the smoothing of numerator and denominator. Derivatives with respect to x: those by
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
    <region pixels>
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
    return overlap(
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
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@without_hvp
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
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
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
    <region pixels>
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
    return overlap(
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
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@without_hvp
def lovasz_hinge_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    per_image: bool = False,
    ignore_index: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Lovász hinge: the convex extension of the Jaccard loss of a mask, over hinge errors.

    With the errors :math:`e = 1 - x (2 t - 1)` of the pixels in descending order, and J(k) the
    Jaccard loss of a mask in which the first k of these pixels are wrong:

    .. math:: \sum_k \max(0, e_k) (J(k) - J(k - 1))

    Derivatives with respect to x, where e is above 0: :math:`-(2 t - 1) (J(k) - J(k - 1))`; 0.
    Elsewhere 0, also at the kink. Pixels of equal errors are taken in the order of their positions.

    Parameters
    ----------
    input : array_like
        Scores x, of shape (N, d1, …) for N images.
    target : array_like
        Masks t of input's shape and any real dtype, or booleans: 0 outside and 1 inside. This is
        checked: of a mask of 0 and 255 pass ``mask > 0``.
    per_image : bool
        Whether each image has its own value, or all pixels of the batch are sorted together.
    ignore_index : int, optional
        Pixels with this number in the mask count for nothing.
    <region pixels>
    <region reduction>

    <returns regions>

    <raises regions>

    Notes
    -----
    segmentation_models.pytorch: ``LovaszLoss(mode="binary")``.

    As in the paper's own code: ``per_image=True`` is its default, and smp's is False. An image
    without pixels that count has loss 0. Sorting takes memory of 16 bytes (float32) or 32 bytes
    (float64) a pixel, and of one number more for the gradient and for `sample_weight`, each.

    With `sample_weight` J is the Jaccard loss of the weights: that of the pixels that are wrong, as
    a share of that of the union.

    References
    ----------
    M. Berman, A. Rannen Triki and M. B. Blaschko, The Lovász-Softmax Loss: A Tractable Surrogate
    for the Optimization of the Intersection-over-Union Measure in Neural Networks, CVPR 2018.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.lovasz_hinge_loss.value_and_grad([[2.0, -1.0, 0.5]], [[1, 0, 0]])
    >>> value
    np.float64(0.75)
    >>> grad
    array([[0. , 0. , 0.5]])

    With weights of the pixels:

    >>> fl.lovasz_hinge_loss([[2.0, -1.0, 0.5]], [[1, 0, 0]], sample_weight=[1, 1, 3])
    np.float64(1.125)
    """
    return lovasz(
        request,
        input,
        target,
        mode="binary",
        per_image=per_image,
        ignore_index=ignore_index,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@without_hvp
def lovasz_softmax_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    from_logits: bool = True,
    classes: Literal["present", "all"] = "present",
    per_image: bool = False,
    ignore_index: int | None = None,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Lovász softmax: the extension of the Jaccard loss of each class, over errors of p.

    Of each class, with the errors :math:`e = 1 - p` of its own pixels and :math:`e = p` of the
    others in descending order, and J(k) the Jaccard loss where the first k of them are wrong:

    .. math:: w \sum_k e_k (J(k) - J(k - 1))

    Derivatives with respect to x: those by p, :math:`w (J(k) - J(k - 1))` with a minus for the
    class's own pixels, carried through softmax; on the diagonal :math:`(1 - 2 p)` times the first.
    Pixels of equal errors are taken in the order of their positions.

    Parameters
    ----------
    input : array_like
        Logits x (or probabilities, without `from_logits`), of shape (N, C, d1, …) for N images of C
        classes, or with the classes on any other `axis`.
    target : array_like
        Class numbers from 0 to C - 1 of any integer dtype, of input's shape without the class axis.
    <region weight>
    from_logits : bool
        Whether the input holds logits; else it holds the probabilities p themselves, from 0 to 1,
        which is checked.
    classes : {"present", "all"}
        Whether a class without pixels has the value 0, and no part in the mean's divisor, or its
        loss counts too.
    <region images>
    <region pixels>
    <region reduction>

    <returns regions>

    <raises regions>

    Notes
    -----
    segmentation_models.pytorch: ``LovaszLoss(mode="multiclass")``.

    These have probabilities in the paper's own code, and logits in smp. "mean" with ``per_image``
    divides by the number of values of all images, theirs takes the mean of the means of images,
    which is another number where these have different numbers of classes. Where no class is
    present, as where all pixels are left out, the mean is one over nothing: nan, with gradient 0.

    With `sample_weight` J is the Jaccard loss of the weights: that of the pixels that are wrong, as
    a share of that of the union. Sorting takes memory of 32 bytes (float32) to 56 bytes (float64)
    for each pixel that is sorted together with others, and of one number more with `sample_weight`;
    a gradient that goes to a buffer of another dtype that of one array more.

    References
    ----------
    M. Berman, A. Rannen Triki and M. B. Blaschko, The Lovász-Softmax Loss: A Tractable Surrogate
    for the Optimization of the Intersection-over-Union Measure in Neural Networks, CVPR 2018.

    Examples
    --------
    >>> import fusedloss as fl
    >>> p = [[[0.75, 0.5], [0.25, 0.5]]]
    >>> value, grad = fl.lovasz_softmax_loss.value_and_grad(p, [[0, 1]], from_logits=False)
    >>> value
    np.float64(0.4375)
    >>> grad
    array([[[-0.25,  0.25],
            [ 0.  , -0.5 ]]])
    """
    return lovasz(
        request,
        input,
        target,
        weight=weight,
        mode="multiclass",
        from_logits=from_logits,
        classes=classes,
        per_image=per_image,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
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


class LovaszHingeLoss(Criterion, loss=lovasz_hinge_loss):
    """`lovasz_hinge_loss` with its options bound."""


class LovaszSoftmaxLoss(Criterion, loss=lovasz_softmax_loss):
    """`lovasz_softmax_loss` with its options bound."""
