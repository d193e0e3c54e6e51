"""Losses of a linear layer, without storing its outputs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss._calls.classes import ClassCall, ClassLoss
from fusedloss._core.criterion import Criterion
from fusedloss._core.kernels import kernels
from fusedloss._core.labels import DISTRIBUTION, outside_error
from fusedloss._core.loss import joint
from fusedloss._core.operands import broadcast, operand
from fusedloss._core.parameters import flag
from fusedloss._core.reductions import check_reduction, count_rows
from fusedloss._core.types import Array, ArrayLike, Reduction, Request
from fusedloss._linear_head import Layer, Rows, linear_head
from fusedloss.binary import BCEWithLogitsLoss
from fusedloss.classification import CrossEntropyLoss

__all__ = [
    "LinearBCEWithLogitsLoss",
    "LinearCrossEntropyLoss",
    "linear_binary_cross_entropy_with_logits",
    "linear_cross_entropy",
]

_labels: Final = kernels.modules["labels"]
_CROSS_ENTROPY: Final = ClassLoss("cross_entropy")


class _ClassTerms:
    """Cross entropy of the logits."""

    def __init__(
        self, criterion: CrossEntropyLoss, logits: Array, target: Any, sample_weight: Any
    ) -> None:
        loss: Any = criterion
        call = ClassCall(
            _CROSS_ENTROPY,
            (),
            logits,
            target,
            loss.weight,
            loss.ignore_index,
            loss.label_smoothing,
            None,
            sample_weight,
        )
        rows, t = call.rows, call.target
        self._criterion: Any = criterion
        self._target, self._row_weight = t, rows.row_weight
        self.precision = rows.precision
        self.inputs = rows.inputs[1:]
        self.value_shape = rows.shape
        self.counts = call.counts()
        counted: Any = True if rows.row_weight is None else rows.row_weight != 0
        if call.kind == DISTRIBUTION:
            position = rows.find_outside(t, call.most)
            if position >= 0:
                raise outside_error("target", t, position, _CROSS_ENTROPY.accepted)
        else:
            counted = counted & (t != call.ignored)
            if rows.class_weight is not None and not (loss.label_smoothing or loss.z_loss):
                known = np.where(counted, t, 0)  # those that are left out may be no class
                counted = counted & (rows.class_weight[known] != 0)
        self.active = None
        if logits.ndim > 1 and counted is not True:
            self.active = counted.any(axis=tuple(range(1, counted.ndim)))

    def evaluate(
        self, logits: Array, rows: Rows, with_grad: bool, out: Array, lse: Array | None
    ) -> None:
        criterion = self._criterion
        more: dict[str, Any] = {"out": out}
        if self._row_weight is not None:
            more["sample_weight"] = self._row_weight[rows]
        if with_grad:
            result = criterion.value_and_grad(logits, self._target[rows], grad_out=logits, **more)
        else:
            result = criterion(logits, self._target[rows], **more)
        if lse is not None:
            lse[...] = result[-1]


class _ElementTerms:
    """Binary cross entropy of each logit."""

    def __init__(
        self, logits: Array, target: Any, weight: Any, pos_weight: Any, reduction: str
    ) -> None:
        self._criterion: Any = BCEWithLogitsLoss(reduction=reduction)
        self.precision = 0
        self.inputs: tuple[Any, ...] = ()
        shape = self.value_shape = logits.shape
        self._operands: dict[str, Array] = {}
        for name, value in (("target", target), ("weight", weight), ("pos_weight", pos_weight)):
            if value is not None or name == "target":
                array, more = operand(name, value)
                self.precision |= more
                self.inputs += (array,)
                self._operands[name] = broadcast(name, array, shape, "the logits")
        each = self._operands.get("weight")
        self.counts = count_rows(float(logits.size), each, None)
        self.active = None
        if each is not None and logits.ndim > 1:
            given = self.inputs[1]
            counted = given.reshape((1,) * (logits.ndim - given.ndim) + given.shape) != 0
            some = counted.any(axis=tuple(range(1, logits.ndim)))
            self.active = np.broadcast_to(some, shape[:1])

    def evaluate(
        self, logits: Array, rows: Rows, with_grad: bool, out: Array, lse: Array | None
    ) -> None:
        given = {name: array[rows] for name, array in self._operands.items()}
        if with_grad:
            self._criterion.value_and_grad(logits, out=out, grad_out=logits, **given)
        else:
            self._criterion(logits, out=out, **given)


@joint("input", "linear_weight", "linear_bias", curved=False)
def linear_cross_entropy(
    request: Request,
    input: ArrayLike,
    linear_weight: ArrayLike,
    target: ArrayLike,
    *,
    linear_bias: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    return_lse: bool = False,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Cross entropy of a linear layer's outputs, without holding them.

    For a row h of the input, the weights V and the bias b of the layer, a class y or
    probabilities t of the classes:

    .. math:: x = V h + b, \qquad
              w_y \Big( \log \sum_j e^{x_j} - x_y \Big), \qquad
              \sum_c w_c t_c \Big( \log \sum_j e^{x_j} - x_c \Big)

    The value is that of `cross_entropy` of the logits x, with all of its options. Derivatives with
    respect to x: :math:`g = p \sum \tau - \tau` with :math:`p = \operatorname{softmax}(x)` and
    :math:`\tau = w t`; with respect to h, V and b they are :math:`V^\top g`, :math:`g h^\top` and
    g. There are no second derivatives.

    The logits of N rows and C classes take more memory than all else where C is large. A call
    holds those of some rows at a time, 48 MB or one row, and writes their gradient in their place;
    so it needs 6 N C D operations, as the plain way does, and less than 64 MB besides its outputs
    (and besides copies of operands in another dtype than that of the computation).

    Parameters
    ----------
    input : array_like of shape (D,) or (N, D)
        Rows h.
    linear_weight : array_like of shape (C, D) or (C, d1, …, dK, D)
        Weights V of the layer; with more axes there are d1 · … · dK targets for each row.
    target : array_like
        Class numbers of an integer dtype, of shape (), (N,) or (N, d1, …, dK); or probabilities, of
        shape (C,), (N, C) or (N, C, d1, …, dK) and a floating dtype.
    linear_bias : array_like, optional
        Bias b of the layer, of linear_weight's shape without its last axis.
    weight : array_like of shape (C,), optional
        Weights w of the classes, as in `cross_entropy`.
    ignore_index : int
        Rows of this class count for nothing, whatever they hold, and are left out of the products.
    label_smoothing : float
        ε, from 0 to 1, as in `cross_entropy`.
    z_loss, softcap : float, optional
        As in `cross_entropy`.
    return_lse : bool
        Whether the logsumexp of every row is returned too, as the last item. Then no row is left
        out of the products.
    sample_weight : array_like, optional
        Weights of the values, of the shape of the class numbers or broadcasting up to it.
    reduction : str
        "mean" (divides by the sum of the weights of the classes, as torch's, or by the number of
        rows for probabilities), "sum", "none", "batchmean" (divides by N), "weighted_mean" (by the
        sum of the products of the weights; 0 where that is 0) or "sum_by_nonzero_weights" (by the
        number of products that are not zero; 0 where there are none).
    out, grad_out : ndarray, or tuple of ndarray, optional, keyword only
        Buffers for the value (of shape () unless ``reduction="none"``), and for the gradients: a
        tuple of one for the input, the weights and, if there is one, the bias, or None. Of a
        floating dtype, any strides, sharing no memory with an input.
    <return_divisor>

    Returns
    -------
    value : scalar, or ndarray of the shape of the class numbers for ``reduction="none"``
        In the computation's dtype: float64 if an operand is float64 or none is floating, else
        float32 (also for half precision). `value_and_grad` returns (value, gradients), the latter a
        tuple: with respect to input, linear_weight and, if there is one, linear_bias.

    <raises>

    Notes
    -----
    torch: ``linear_cross_entropy``.

    torch's holds all logits, or with ``options`` some rows of them. Liger-Kernel calls it
    ``LigerFusedLinearCrossEntropyLoss``.

    The products are those of NumPy's BLAS, with its own threads. Value and gradients are as
    accurate as these products, and do not depend on the number of this package's threads; they may
    on that of BLAS's. For float16 and bfloat16 the weights are copied to float32.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> hidden = np.array([[1.0, -0.5], [0.25, 2.0], [0.0, 1.0]])
    >>> vocabulary = np.array([[0.5, 1.0], [-1.0, 0.5], [2.0, 0.0], [0.0, -0.75]])
    >>> value, (dh, dv) = fl.linear_cross_entropy.value_and_grad(hidden, vocabulary, [2, 0, -100])
    >>> value.round(4)
    np.float64(0.3526)
    >>> dh.round(4)
    array([[-0.2601,  0.0026],
           [-0.0329, -0.1253],
           [ 0.    ,  0.    ]])
    >>> value == fl.cross_entropy(hidden @ vocabulary.T, [2, 0, -100])
    np.True_
    """
    check_reduction(reduction)
    lse = flag("return_lse", return_lse)
    criterion = CrossEntropyLoss(
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        z_loss=z_loss,
        softcap=softcap,
        return_lse=lse,
        reduction="none" if reduction == "none" else "sum",
    )
    layer = Layer(input, linear_weight, linear_bias)
    terms = _ClassTerms(criterion, layer.logits, target, sample_weight)
    return linear_head(request, layer, terms, reduction, lse)


@joint("input", "linear_weight", "linear_bias", curved=False)
def linear_binary_cross_entropy_with_logits(
    request: Request,
    input: ArrayLike,
    linear_weight: ArrayLike,
    target: ArrayLike,
    *,
    linear_bias: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Binary cross entropy of a linear layer's outputs, without holding them: many labels a row.

    For a row h of the input, the weights V and the bias b of the layer, and targets t:

    .. math:: x = V h + b, \qquad
              w \left[ p\, t \log(1 + e^{-x}) + (1 - t) \log(1 + e^{x}) \right]

    The value is that of `binary_cross_entropy_with_logits` of the logits x. Derivatives with
    respect to x, with :math:`\sigma = 1 / (1 + e^{-x})`:
    :math:`g = w [(1 - t) \sigma - p\, t (1 - \sigma)]`; with respect to h, V and b they are
    :math:`V^\top g`, :math:`g h^\top` and g. There are no second derivatives.

    Of the logits, those of some rows are held at a time, as in `linear_cross_entropy`.

    Parameters
    ----------
    input : array_like of shape (D,) or (N, D)
        Rows h.
    linear_weight : array_like of shape (C, D) or (C, d1, …, dK, D)
        Weights V of the layer: those of C labels, or C · d1 · … · dK.
    target : array_like
        Probabilities t of the labels, of shape (C,), (N, C) or (N, C, d1, …, dK), or broadcasting
        up to it; also 0 and 1 or booleans. As in torch, the range is not checked.
    linear_bias : array_like, optional
        Bias b of the layer, of linear_weight's shape without its last axis.
    weight, pos_weight : array_like, optional
        Weights w of the values, and p of the positive part, of the logits' shape or broadcasting up
        to it.
    reduction : str
        "mean" (divides by the number of logits, also with a weight), "sum", "none", "batchmean"
        (divides by N), "weighted_mean" (by the sum of the weights; 0 where that is 0) or
        "sum_by_nonzero_weights" (by the number of weights that are not zero; 0 where there are
        none).
    out, grad_out : ndarray, or tuple of ndarray, optional, keyword only
        Buffers for the value (of shape () unless ``reduction="none"``), and for the gradients: a
        tuple of one for the input, the weights and, if there is one, the bias, or None. Of a
        floating dtype, any strides, sharing no memory with an input.
    <return_divisor>

    Returns
    -------
    value : scalar, or ndarray of the logits' shape for ``reduction="none"``
        In the computation's dtype: float64 if an operand is float64 or none is floating, else
        float32 (also for half precision). `value_and_grad` returns (value, gradients), the latter a
        tuple: with respect to input, linear_weight and, if there is one, linear_bias.

    <raises>

    Notes
    -----
    torch: ``binary_cross_entropy_with_logits`` of ``linear``, which holds all logits.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> hidden, labels = np.array([[1.0, -0.5], [0.25, 2.0]]), np.array([[1, 0, 1], [0, 0, 1]])
    >>> weights = np.array([[0.5, 1.0], [-1.0, 0.5], [2.0, 0.0]])
    >>> value, (dh, dw) = fl.linear_binary_cross_entropy_with_logits.value_and_grad(
    ...     hidden, weights, labels
    ... )
    >>> value.round(4)
    np.float64(0.8201)
    >>> value == fl.binary_cross_entropy_with_logits(hidden @ weights.T, labels)
    np.True_
    """
    check_reduction(reduction)
    layer = Layer(input, linear_weight, linear_bias)
    each = "none" if reduction == "none" else "sum"
    terms = _ElementTerms(layer.logits, target, weight, pos_weight, each)
    return linear_head(request, layer, terms, reduction)


class LinearCrossEntropyLoss(Criterion, loss=linear_cross_entropy):
    """`linear_cross_entropy` with its options bound. The layer's weights are given in the call."""


class LinearBCEWithLogitsLoss(Criterion, loss=linear_binary_cross_entropy_with_logits):
    """`linear_binary_cross_entropy_with_logits` with its options bound. The layer's weights are
    given in the call."""
