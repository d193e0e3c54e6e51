"""Multiclass classification losses."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.classes import ClassLoss, class_loss, mean_of_rows, score_pair_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import Loss, without_hvp
from fusedloss._core.parameters import finite, flag, number, positive
from fusedloss._core.rows import RowKernel
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "BrierLoss",
    "CrossEntropyLoss",
    "DistillationLoss",
    "GeneralizedCrossEntropyLoss",
    "NLLLoss",
    "PolyCrossEntropyLoss",
    "SoftmaxFocalLoss",
    "brier_loss",
    "cross_entropy",
    "distillation_loss",
    "generalized_cross_entropy_loss",
    "nll_loss",
    "poly_cross_entropy_loss",
    "softmax_focal_loss",
]


_CROSS_ENTROPY: Final = ClassLoss("cross_entropy")
_SOFTCAPPED: Final = ClassLoss("cross_entropy", by_distribution=True, in_double=True)


@Loss
def cross_entropy(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    return_lse: bool = False,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
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

    For training with large vocabularies, `z_loss` keeps the logsumexp near 0, and `softcap` the
    logits within bounds. Both are part of the gradient and of the second derivative.

    Parameters
    ----------
    <class input>
    <class target>
    <class weight>
    <ignore_index>
    label_smoothing : float
        ε, from 0 to 1.
    z_loss : float
        Every row that counts has z_loss · logsumexp(x)² added to its value, times `sample_weight`
        but not times `weight`. 0 or more.
    softcap : float, optional
        Every logit x is replaced by softcap · tanh(x / softcap); positive. Such a call computes in
        float64 whatever the dtypes.
    return_lse : bool
        Whether the logsumexp of every row (after `softcap`), which is computed in any case, is
        returned too, as the last item.
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows>

    <returns rows>
    lse : ndarray of input's shape without the class axis
        With `return_lse` only.

    <raises rows>

    Notes
    -----
    torch: ``cross_entropy``; tf.losses: ``softmax_cross_entropy`` and
    ``sparse_softmax_cross_entropy``; Keras: ``CategoricalCrossentropy(from_logits=True)`` and the
    sparse one; optax: ``softmax_cross_entropy`` and ``softmax_cross_entropy_with_integer_labels``;
    scikit-learn: ``HalfMultinomialLoss``; XGBoost: ``multi:softprob``; LightGBM: ``multiclass``.

    With probabilities "mean" divides by the number of rows, as in torch. scikit-learn's
    ``log_loss(sample_weight=...)`` is ``reduction="weighted_mean"`` here.

    Liger-Kernel calls `z_loss` ``lse_square_scale``.

    References
    ----------
    C. Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016 (label
    smoothing). A. Chowdhery et al., PaLM: Scaling Language Modeling with Pathways, 2022 (z-loss).
    Gemma Team, Gemma 2, 2024 (soft cap).

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
    >>> value, grad, lse = fl.cross_entropy.value_and_grad(logits, [1, 0, 3], return_lse=True)
    >>> lse.round(4)
    array([ 2.3096, 10.0002,  5.7055])
    """
    z = finite("z_loss", z_loss, 0)
    cap = 0.0 if softcap is None else positive("softcap", softcap)
    return class_loss(
        request,
        _SOFTCAPPED if cap else _CROSS_ENTROPY,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
        parameters=(z, cap),
        return_lse=flag("return_lse", return_lse),
    )


cross_entropy.short = mean_of_rows(_CROSS_ENTROPY, (0.0, 0.0))

_NLL: Final = ClassLoss("nll", probabilities=False)


@Loss
def nll_loss(
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
    r"""Negative log-likelihood :math:`-w_y x_y` of a class y along a class axis.

    Derivatives with respect to x: :math:`-w_y` at the class y and 0 elsewhere; 0.

    Parameters
    ----------
    input : array_like
        Log-probabilities, of shape (C,), (N, C) or (N, C, d1, …), or with the classes on any other
        `axis`; as from `log_softmax`.
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
    torch: ``nll_loss``, and the old ``NLLLoss2d``, which is the case (N, C, H, W) with (N, H, W).

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.nll_loss([[-0.5, -1.5], [-2.0, -0.25]], [0, 1])
    np.float64(0.375)
    """
    return class_loss(
        request,
        _NLL,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


nll_loss.short = mean_of_rows(_NLL)

_SOFTMAX_FOCAL: Final = ClassLoss(
    "softmax_focal", weight_name="alpha", one_for_all=True, mean_by_weight=False
)


@Loss
def softmax_focal_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    gamma: float = 2.0,
    alpha: float | ArrayLike | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Focal loss of logits along a class axis: cross entropy that plays down what is easy.

    With :math:`p = \operatorname{softmax}(x)`, for probabilities t of the classes (a class y is
    t = 1 at y and 0 elsewhere):

    .. math:: - \sum_c \alpha_c t_c (1 - p_c)^\gamma \log p_c

    Label smoothing ε replaces t by (1 - ε) t + ε / C. With the slope of a term with respect to
    :math:`-\log p`, :math:`f = (1 - p)^\gamma - \gamma (1 - p)^{\gamma - 1} p \log p`, its own
    derivative :math:`f'`, :math:`a = \alpha t f` and :math:`b = \alpha t f'` the derivatives with
    respect to x are :math:`p \sum a - a` and, on the diagonal,
    :math:`p (1 - p) \sum a + \sum_c b_c (p - \delta_c)^2`.

    Parameters
    ----------
    <class input>
    <class target>
    gamma : float
        γ, from 0 to 1000. 0 is cross entropy.
    alpha : float or array_like of shape (C,), optional
        Weights α of the classes, or one number for all.
    <ignore_index>
    label_smoothing : float
        ε, from 0 to 1.
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows, mean over rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    Keras: ``CategoricalFocalCrossentropy(from_logits=True)``, whose alpha is 0.25 by default;
    MONAI: ``FocalLoss(use_softmax=True)``, whose value is this divided by C under "mean".

    References
    ----------
    T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.

    Examples
    --------
    >>> import fusedloss as fl
    >>> logits = [[1.5, 1.0, 0.5], [4.0, 0.0, 1.0]]
    >>> value, grad = fl.softmax_focal_loss.value_and_grad(logits, [1, 0])
    >>> value.round(4)
    np.float64(0.2834)
    >>> grad[0].round(4)
    array([ 0.2488, -0.3403,  0.0915])
    """
    exponent = finite("gamma", gamma, 0, 1000)
    return class_loss(
        request,
        _SOFTMAX_FOCAL,
        input,
        target,
        weight=alpha,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
        parameters=(exponent,),
    )


_GENERALIZED_CROSS_ENTROPY: Final = ClassLoss("generalized_cross_entropy")


@Loss
def generalized_cross_entropy_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    q: float = 0.5,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Generalised cross entropy of logits along a class axis: robust to wrong labels.

    With :math:`p = \operatorname{softmax}(x)`, for a class y, or probabilities t of the classes:

    .. math:: w_y \frac{1 - p_y^q}{q}, \qquad \sum_c w_c t_c \frac{1 - p_c^q}{q}

    Between cross entropy (q towards 0) and the mean absolute error of p, by half (q = 1). With
    :math:`a = w t p^q` the derivatives with respect to x are :math:`p \sum a - a` and, on the
    diagonal, :math:`p (1 - p) \sum a - q \sum_c a_c (p - \delta_c)^2`.

    Parameters
    ----------
    <class input>
    <class target>
    <class weight>
    q : float
        Above 0, at most 1.
    <ignore_index>
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    Keras: ``CategoricalGeneralizedCrossEntropy``, which takes probabilities p.

    References
    ----------
    Z. Zhang and M. Sabuncu, Generalized Cross Entropy Loss for Training Deep Neural Networks with
    Noisy Labels, NeurIPS 2018.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.generalized_cross_entropy_loss([[1.5, 1.0, 0.5], [4.0, 0.0, 1.0]], [1, 0]).round(4)
    np.float64(0.4782)
    """
    exponent = number("q", q)
    if not 0 < exponent <= 1:
        raise ValueError(f"q: a number above 0 and at most 1 is needed, got {q}")
    return class_loss(
        request,
        _GENERALIZED_CROSS_ENTROPY,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
        parameters=(exponent,),
    )


_POLY_CROSS_ENTROPY: Final = ClassLoss("poly_cross_entropy")


@Loss
def poly_cross_entropy_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    epsilon: float = 1.0,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Poly-1 cross entropy of logits along a class axis.

    Cross entropy with a changed first coefficient of its expansion in powers of 1 - p. With
    :math:`p = \operatorname{softmax}(x)`, for probabilities t of the classes (a class y is t = 1
    at y and 0 elsewhere):

    .. math:: \sum_c w_c t_c ( -\log p_c + \epsilon (1 - p_c) )

    With :math:`a = w t (1 + \epsilon p)` the derivatives with respect to x are :math:`p \sum a - a`
    and, on the diagonal, :math:`p (1 - p) \sum a - \epsilon \sum_c w_c t_c p_c (p - \delta_c)^2`.

    Parameters
    ----------
    <class input>
    <class target>
    <class weight>
    epsilon : float
        -1 or more; 0 is cross entropy.
    <ignore_index>
    label_smoothing : float
        t becomes (1 - s) t + s / C with this number s, from 0 to 1.
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    optax: ``poly_loss_cross_entropy``, whose epsilon is 2 by default.

    References
    ----------
    Z. Leng et al., PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions,
    ICLR 2022.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.poly_cross_entropy_loss([[1.5, 1.0, 0.5], [4.0, 0.0, 1.0]], [1, 0]).round(4)
    np.float64(1.0014)
    """
    coefficient = finite("epsilon", epsilon, -1)
    return class_loss(
        request,
        _POLY_CROSS_ENTROPY,
        input,
        target,
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
        parameters=(coefficient,),
    )


_BRIER: Final = ClassLoss("brier", by_distribution=True)


@without_hvp
def brier_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    ignore_index: int = -100,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Brier score of logits along a class axis: the squared distance of softmax to the target.

    With :math:`p = \operatorname{softmax}(x)`, for probabilities t of the classes (a class y is
    t = 1 at y and 0 elsewhere):

    .. math:: \sum_c (p_c - t_c)^2

    From 0 to 2. With :math:`r = p - t`, :math:`b = \sum_c p_c r_c` and :math:`s = \sum_c p_c^2` the
    derivatives with respect to x are :math:`2 p (r - b)` and, on the diagonal,
    :math:`2 p ( (1 - p) (r - b) + p (1 - p) - p (2 p - t - b - s) )`.

    Parameters
    ----------
    <class input>
    <class target>
    <ignore_index>
    <axis>
    <sample_weight>
    <class where>
    <reduction of rows, mean over rows>

    <returns rows>

    <raises rows>

    Notes
    -----
    scikit-learn: ``brier_score_loss``, of probabilities.

    scikit-learn halves the score of two classes by default.

    References
    ----------
    G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather
    Review, 1950.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.brier_loss.value_and_grad([[1.5, 1.0, 0.5], [4.0, 0.0, 1.0]], [1, 0])
    >>> value.round(4)
    np.float64(0.3889)
    >>> grad[0].round(4)
    array([ 0.2168, -0.2369,  0.0201])
    """
    return class_loss(
        request,
        _BRIER,
        input,
        target,
        ignore_index=ignore_index,
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_DISTILLATION: Final = RowKernel("distillation")


@without_hvp
def distillation_loss(
    request: Request,
    input: ArrayLike,
    teacher_logits: ArrayLike,
    *,
    temperature: float = 1.0,
    scale_by_square: bool = True,
    reverse: bool = False,
    axis: int | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Knowledge distillation: divergence of a student's softmax from a teacher's.

    With the student's :math:`p = \operatorname{softmax}(x / T)` and the teacher's
    :math:`\tau = \operatorname{softmax}(z / T)`, of a temperature T:

    .. math:: T^2 \sum_c \tau_c \log (\tau_c / p_c)

    Derivatives with respect to x: :math:`T (p - \tau)` and :math:`p (1 - p)`. The factor
    :math:`T^2` keeps the size of gradients for any T, as Hinton et al. do.

    With ``reverse=True`` it is :math:`T^2 \sum_c p_c \log (p_c / \tau_c) =: T^2 K`, the divergence
    of the teacher from the student, which is small where the student leaves out what the teacher
    thinks possible. Its derivatives are :math:`T p (\ell - K)` and
    :math:`p ((\ell - K) (1 - 2 p) + 1 - p)` with :math:`\ell = \log(p / \tau)`.

    Both are made in one pass of logits, of :math:`\tau (e^{-\ell} - 1 + \ell)` with
    :math:`\ell = \log(\tau / p)`, which is not negative: a student close to its teacher has the
    digits of a small divergence, and classes that are all but certain or impossible keep theirs.

    Parameters
    ----------
    <class input>
    teacher_logits : array_like
        Scores z of the teacher, of input's shape or broadcasting up to it.
    temperature : float
        T, from 1e-30 to 1e6.
    scale_by_square : bool
        Whether the divergence is multiplied by T².
    reverse : bool
        Whether it is that of the teacher from the student. As only the input has a gradient, this
        gives that of the teacher, too: ``distillation_loss(teacher, student, reverse=True)`` is
        ``distillation_loss(student, teacher)``.
    <axis>
    <sample_weight>
    where : array_like, optional
        Which classes there are in each row, of input's shape or broadcasting up to it: booleans, or
        numbers of which 0 leaves a class out of both distributions. A row of which nothing is left
        counts for nothing. A mask of the rows needs the class axis: ``where=mask[:, None]``.
    <reduction of rows, mean over rows>

    <returns rows>

    <raises>

    Notes
    -----
    torch: ``kl_div`` of ``log_softmax(x / T, 1)`` and ``log_softmax(z / T, 1)``, with
    ``reduction="batchmean"`` and ``log_target=True``, times T * T.

    torch loses the digits of a divergence much smaller than the logarithms. A loss of the labels is
    added: ``(1 - alpha) * cross_entropy(input, y) + alpha * distillation_loss(input, z,
    temperature=T)``.

    Where T is no power of two, the rounding of x / T and z / T to the computation's dtype is felt.
    Gradients are T times differences of probabilities that come close as T grows: where T is a
    thousand times the differences of the scores, they have some three digits less.

    References
    ----------
    G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, 2015. Y. Gu,
    L. Dong, F. Wei and M. Huang, MiniLLM: Knowledge Distillation of Large Language Models, ICLR
    2024, for the reverse.

    Examples
    --------
    >>> import fusedloss as fl
    >>> student, teacher = [[2.0, 1.0, -1.0]], [[3.0, 0.0, 0.0]]
    >>> value, grad = fl.distillation_loss.value_and_grad(student, teacher, temperature=2.0)
    >>> value.round(4)
    np.float64(0.3235)
    >>> grad.round(4)
    array([[-0.2898,  0.3544, -0.0647]])
    """
    t = finite("temperature", temperature, 1e-30, 1e6)
    factor = t * t if flag("scale_by_square", scale_by_square) else 1.0
    return score_pair_loss(
        request,
        _DISTILLATION,
        input,
        "teacher_logits",
        teacher_logits,
        parameters=(1.0 / t, factor, float(flag("reverse", reverse))),
        axis=axis,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class CrossEntropyLoss(Criterion, loss=cross_entropy):
    """`cross_entropy` with its options bound."""


class NLLLoss(Criterion, loss=nll_loss):
    """`nll_loss` with its options bound."""


class SoftmaxFocalLoss(Criterion, loss=softmax_focal_loss):
    """`softmax_focal_loss` with its options bound."""


class GeneralizedCrossEntropyLoss(Criterion, loss=generalized_cross_entropy_loss):
    """`generalized_cross_entropy_loss` with its options bound."""


class PolyCrossEntropyLoss(Criterion, loss=poly_cross_entropy_loss):
    """`poly_cross_entropy_loss` with its options bound."""


class BrierLoss(Criterion, loss=brier_loss):
    """`brier_loss` with its options bound."""


class DistillationLoss(Criterion, loss=distillation_loss):
    """`distillation_loss` with its options bound."""
