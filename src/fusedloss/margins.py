"""Multiclass and multilabel margin losses."""

from __future__ import annotations

from typing import Any, Final, Literal

from fusedloss._calls.classes import (
    PROBABILITIES,
    ClassLoss,
    class_loss,
    label_list_loss,
    multilabel_loss,
)
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import without_hvp
from fusedloss._core.parameters import finite, number
from fusedloss._core.rows import RowKernel
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "CategoricalHingeLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SparsemaxLoss",
    "categorical_hinge_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "sparsemax_loss",
]


_MULTI_MARGIN: Final = ClassLoss(
    "multi_margin", probabilities=False, mean_by_weight=False, one_number=True
)


@without_hvp
def multi_margin_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    p: Literal[1, 2] = 1,
    margin: float = 1.0,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Margins between the score of a class and all others, each of them counted.

    For a row of C scores x and a class y:

    .. math:: \frac{w_y}{C} \sum_{j \ne y} \max(0, m - x_y + x_j)^p

    Derivatives with respect to x, where :math:`d_j = m - x_y + x_j` is above 0:
    :math:`p\, w_y d_j^{p - 1} / C` for j, and for y the sum of these with a minus; on the diagonal
    0 for p = 1, and for p = 2 :math:`2 w_y / C` for j, and for y the sum of these. 0 elsewhere,
    also where :math:`d_j` is 0.

    Parameters
    ----------
    input : array_like
        Scores, of shape (C,), (N, C) or (N, C, d1, …), or with the classes on any other `axis`; or
        one number, the score of the only class.
    <class numbers>
    <class weight>
    p : int
        The power, 1 or 2.
    margin : float
        m, finite.
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows, mean over rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    torch: ``multi_margin_loss``.

    As in torch, "mean" does not divide by the weights. `categorical_hinge_loss` counts the largest
    of the other scores alone.

    References
    ----------
    J. Weston and C. Watkins, Support Vector Machines for Multi-Class Pattern Recognition, ESANN
    1999.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores = [[0.25, 2.0, 1.5, 0.0], [3.0, 0.5, 1.0, 0.0]]
    >>> value, grad = fl.multi_margin_loss.value_and_grad(scores, [1, 2])
    >>> value
    np.float64(0.5)
    >>> grad
    array([[ 0.   , -0.125,  0.125,  0.   ],
           [ 0.125,  0.125, -0.25 ,  0.   ]])
    >>> fl.multi_margin_loss(scores, [1, 2], p=2)
    np.float64(1.1875)
    """
    power = number("p", p)
    if power not in (1, 2):
        raise ValueError(f"p: 1 or 2 is needed, got {p}")
    return class_loss(
        request,
        _MULTI_MARGIN,
        input,
        target,
        parameters=(power, finite("margin", margin)),
        weight=weight,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_MULTILABEL_MARGIN: Final = RowKernel("multilabel_margin")


@without_hvp
def multilabel_margin_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Margins between the scores of several classes and those of all others.

    For a row of C scores x and a list y of classes:

    .. math:: \frac{1}{C} \sum_{i \in y} \sum_{j \notin y} \max(0, 1 - x_i + x_j)

    Derivatives with respect to x: the number of terms above 0 where the score is :math:`x_j`, less
    the number of those where it is :math:`x_i`, divided by C; 0. A term that is 0 counts for
    nothing, a class that is listed twice counts twice.

    Parameters
    ----------
    input : array_like
        Scores, of shape (C,), (N, C) or (N, C, d1, …), or with the classes on any other `axis`; or
        one number, the score of the only class.
    target : array_like
        Lists of class numbers of any integer dtype, of input's shape: along the class axis, from 0
        to C - 1, in any order, up to the first -1. What follows that is not looked at.
    <axis>
    <sample_weight>
    <class where>
    <reduction of lists>

    <returns rows>

    <raises rows>

    Notes
    -----
    torch: ``multilabel_margin_loss``.

    The time is that of (classes in the list) · C for each row, as in torch.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.multilabel_margin_loss.value_and_grad(
    ...     [[0.125, 0.25, 0.5, 1.0]], [[3, 0, -1, 1]]
    ... )
    >>> value
    np.float64(0.8125)
    >>> grad
    array([[-0.5,  0.5,  0.5, -0.5]])
    """
    return label_list_loss(
        request,
        _MULTILABEL_MARGIN,
        input,
        target,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_MULTILABEL_SOFT_MARGIN: Final = RowKernel("multilabel_soft_margin", PROBABILITIES)


@without_hvp
def multilabel_soft_margin_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    axis: int = -1,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Binary cross entropy of the logits of several classes, each of which may be true.

    For a row of C logits x, and t from 0 to 1 for each class:

    .. math:: \frac{1}{C} \sum_c w_c \left[ t_c \log(1 + e^{-x_c}) + (1 - t_c) \log(1 + e^{x_c})
              \right]

    Derivatives with respect to x, with :math:`\sigma = 1 / (1 + e^{-x})`:
    :math:`w (\sigma - t) / C` and :math:`w \sigma (1 - \sigma) / C`.

    The terms are those of `binary_cross_entropy_with_logits`, and as accurate.

    Parameters
    ----------
    input : array_like
        Logits, of shape (C,), (N, C) or (N, …, C), or with the classes on any other `axis`.
    target : array_like
        Probabilities t of the classes, of input's shape or broadcasting up to it; also 0 and 1 or
        booleans. Others are an error.
    weight : array_like, optional
        Weights w: of shape (C,) one for each class, or of the elements, of input's shape or
        broadcasting up to it. What has the weight 0 counts for nothing, whatever stands there.
    axis : int
        The class axis: the last by default, as in torch. Any works, without a copy.
    <sample_weight>
    <class where>
    <reduction of rows, mean over rows, weights within>

    <returns rows>

    <raises rows with probabilities>

    Notes
    -----
    torch: ``multilabel_soft_margin_loss``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.multilabel_soft_margin_loss.value_and_grad(
    ...     [[2.0, -1.0, 0.0], [0.5, 0.0, -3.0]], [[1, 0, 0], [1, 1, 0]]
    ... )
    >>> value.round(4)
    np.float64(0.3915)
    >>> grad.round(4)
    array([[-0.0199,  0.0448,  0.0833],
           [-0.0629, -0.0833,  0.0079]])
    """
    return multilabel_loss(
        request,
        _MULTILABEL_SOFT_MARGIN,
        input,
        target,
        weight=weight,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_CATEGORICAL_HINGE: Final = ClassLoss("categorical_hinge", probabilities=False)


@without_hvp
def categorical_hinge_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    margin: float = 1.0,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Margin between the score of a class and the largest of the others.

    For a row of scores x and a class y:

    .. math:: w_y \max(0, m + \max_{j \ne y} x_j - x_y)

    Derivatives with respect to x, where the loss is above 0: :math:`-w_y` for y and :math:`w_y` for
    the largest of the others, in equal shares where several are the largest; 0 elsewhere; 0.

    Parameters
    ----------
    <class input>
    <class numbers>
    <class weight>
    margin : float
        m, finite. 0 gives the perceptron's loss.
    <ignore_index>
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    Keras: ``CategoricalHinge``, which takes the largest of the other scores to be at least 0;
    optax: ``multiclass_hinge_loss``, and ``multiclass_perceptron_loss`` for margin 0.

    With a single class the loss is 0.

    References
    ----------
    K. Crammer and Y. Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector
    Machines, JMLR 2001.

    Examples
    --------
    >>> import fusedloss as fl
    >>> scores = [[0.25, 2.0, 1.5, 0.0], [3.0, 0.5, 1.0, 3.0]]
    >>> value, grad = fl.categorical_hinge_loss.value_and_grad(scores, [1, 2])
    >>> value
    np.float64(1.75)
    >>> grad
    array([[ 0.  , -0.5 ,  0.5 ,  0.  ],
           [ 0.25,  0.  , -0.5 ,  0.25]])
    """
    return class_loss(
        request,
        _CATEGORICAL_HINGE,
        input,
        target,
        parameters=(finite("margin", margin),),
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_SPARSEMAX: Final = ClassLoss("sparsemax", probabilities=False)


@without_hvp
def sparsemax_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""The loss of sparsemax, a softmax that gives most classes a probability of exactly 0.

    For a row of scores x, the threshold τ with :math:`\sum_j p_j = 1` for
    :math:`p_j = \max(0, x_j - \tau)`, and a class y:

    .. math:: w_y \Big[ \frac{1}{2} (1 - p_y)^2 + \frac{1}{2} \sum_{j \ne y} p_j^2
              + \max(0, \tau - x_y) \Big]

    Derivatives with respect to x: :math:`w_y p_j`, less :math:`w_y` for y; on the diagonal
    :math:`w_y (1 - 1 / k)` where :math:`p_j` is one of k above 0, else 0.

    The loss is 0 where the class is ahead by 1 or more. Close to that, :math:`1 - p_y` keeps its
    digits, as the sum of the others. Of infinite scores a single +inf has a limit.

    Parameters
    ----------
    <class input>
    <class numbers>
    <class weight>
    <ignore_index>
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    optax: ``multiclass_sparsemax_loss``.

    References
    ----------
    A. Martins and R. Astudillo, From Softmax to Sparsemax: A Sparse Model of Attention and
    Multi-Label Classification, ICML 2016.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.sparsemax_loss.value_and_grad([1.0, 0.75, 0.25, -2.0], 0)
    >>> value
    np.float64(0.140625)
    >>> grad
    array([-0.375,  0.375,  0.   ,  0.   ])
    """
    return class_loss(
        request,
        _SPARSEMAX,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class MultiMarginLoss(Criterion, loss=multi_margin_loss):
    """`multi_margin_loss` with its options bound."""


class MultiLabelMarginLoss(Criterion, loss=multilabel_margin_loss):
    """`multilabel_margin_loss` with its options bound."""


class MultiLabelSoftMarginLoss(Criterion, loss=multilabel_soft_margin_loss):
    """`multilabel_soft_margin_loss` with its options bound."""


class CategoricalHingeLoss(Criterion, loss=categorical_hinge_loss):
    """`categorical_hinge_loss` with its options bound."""


class SparsemaxLoss(Criterion, loss=sparsemax_loss):
    """`sparsemax_loss` with its options bound."""
