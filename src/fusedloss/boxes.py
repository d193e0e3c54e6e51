"""Losses for bounding boxes."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.boxes import box_formula, box_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import joint
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "CompleteBoxIoULoss",
    "DistanceBoxIoULoss",
    "GeneralizedBoxIoULoss",
    "complete_box_iou_loss",
    "distance_box_iou_loss",
    "generalized_box_iou_loss",
]


_GIOU: Final = box_formula("giou")


@joint("boxes1", "boxes2", has_hvp=False)
def generalized_box_iou_loss(
    request: Request,
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    *,
    eps: float = 1e-7,
    axis: int = -1,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""One less the share that two boxes have in common, plus the empty share of their hull.

    With the areas I of the intersection, U of the union and C of the smallest box around both:

    .. math:: w \left[ 1 - \frac{I}{U + \epsilon} + \frac{C - U}{C + \epsilon} \right]

    Derivatives with respect to x, any coordinate, with :math:`J = I / (U + \epsilon)` and
    :math:`K = (C - U) / (C + \epsilon)`:
    :math:`w [(J U' - I') / (U + \epsilon) + (C' - U' - K C') / (C + \epsilon)]`;
    :math:`2 w [U' J' / (U + \epsilon) - C' K' / (C + \epsilon)]`.

    Parameters
    ----------
    <boxes>
    <reduction of boxes>

    <returns boxes>

    <raises>

    Notes
    -----
    torchvision: ``generalized_box_iou_loss``.

    <notes on boxes>

    References
    ----------
    H. Rezatofighi et al., Generalized Intersection over Union: A Metric and A Loss for Bounding
    Box Regression, CVPR 2019.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad1, grad2) = fl.generalized_box_iou_loss.value_and_grad(
    ...     [[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0]]
    ... )
    >>> value.round(4)
    np.float64(0.6667)
    >>> grad1.round(4) + 0.0
    array([[-0.1111,  0.    , -0.3333,  0.    ]])
    """
    return box_loss(
        request,
        _GIOU,
        boxes1,
        boxes2,
        eps=eps,
        axis=axis,
        weight=weight,
        where=where,
        reduction=reduction,
    )


_DIOU: Final = box_formula("diou")


@joint("boxes1", "boxes2", has_hvp=False)
def distance_box_iou_loss(
    request: Request,
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    *,
    eps: float = 1e-7,
    axis: int = -1,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""One less the share that two boxes have in common, plus the distance of their centres.

    With the areas I of the intersection and U of the union, the distance d of the centres and the
    diagonal c of the smallest box around both:

    .. math:: w \left[ 1 - \frac{I}{U + \epsilon} + \frac{d^2}{c^2 + \epsilon} \right]

    Derivatives with respect to x, any coordinate, with :math:`J = I / (U + \epsilon)`,
    :math:`D = d^2`, :math:`K = c^2` and :math:`Q = D / (K + \epsilon)`:
    :math:`w [(J U' - I') / (U + \epsilon) + (D' - Q K') / (K + \epsilon)]`;
    :math:`w [2 U' J' / (U + \epsilon) + (D'' - 2 K' Q' - Q K'') / (K + \epsilon)]`.

    Parameters
    ----------
    <boxes>
    <reduction of boxes>

    <returns boxes>

    <raises>

    Notes
    -----
    torchvision: ``distance_box_iou_loss``.

    <notes on boxes>

    References
    ----------
    Z. Zheng et al., Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression,
    AAAI 2020.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad1, grad2) = fl.distance_box_iou_loss.value_and_grad(
    ...     [[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0]]
    ... )
    >>> value.round(4)
    np.float64(0.7436)
    >>> grad1.round(4) + 0.0
    array([[-0.1525,  0.0118, -0.4103, -0.0118]])
    """
    return box_loss(
        request,
        _DIOU,
        boxes1,
        boxes2,
        eps=eps,
        axis=axis,
        weight=weight,
        where=where,
        reduction=reduction,
    )


_CIOU: Final = box_formula("ciou")


@joint("boxes1", "boxes2", has_hvp=False)
def complete_box_iou_loss(
    request: Request,
    boxes1: ArrayLike,
    boxes2: ArrayLike,
    *,
    eps: float = 1e-7,
    axis: int = -1,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""`distance_box_iou_loss` with a part for the difference of the aspect ratios.

    With L, that loss without a weight, :math:`J = I / (U + \epsilon)`, the difference a of the two
    arctangents of width by height and :math:`v = 4 a^2 / \pi^2`:

    .. math:: w \left[ L + \frac{v^2}{1 - J + v + \epsilon} \right]

    Derivatives with respect to x, any coordinate, with
    :math:`\alpha = v / (1 - J + v + \epsilon)` held constant: :math:`w [L' + \alpha v']`;
    :math:`w [L'' + \alpha v'']`.

    Parameters
    ----------
    <boxes>
    <reduction of boxes>

    <returns boxes>

    <raises>

    Notes
    -----
    torchvision: ``complete_box_iou_loss``, which takes 1e-7 for ``eps`` in L whatever is given.

    The derivatives of the arctangent are those of the angle, finite also for a height of 0. With a
    point, which has no aspect ratio, the last part is 0.

    <notes on boxes>

    References
    ----------
    Z. Zheng et al., Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression,
    AAAI 2020.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad1, grad2) = fl.complete_box_iou_loss.value_and_grad(
    ...     [[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 1.0]]
    ... )
    >>> value.round(4)
    np.float64(0.8982)
    """
    return box_loss(
        request,
        _CIOU,
        boxes1,
        boxes2,
        eps=eps,
        axis=axis,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class GeneralizedBoxIoULoss(Criterion, loss=generalized_box_iou_loss):
    """`generalized_box_iou_loss` with its options bound."""


class DistanceBoxIoULoss(Criterion, loss=distance_box_iou_loss):
    """`distance_box_iou_loss` with its options bound."""


class CompleteBoxIoULoss(Criterion, loss=complete_box_iou_loss):
    """`complete_box_iou_loss` with its options bound."""
