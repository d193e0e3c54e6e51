"""Binary classification losses."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls.elementwise import Formula, elementwise
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import Loss, joint
from fusedloss._core.parameters import finite, number
from fusedloss._core.types import ArrayLike, Reduction, Request

__all__ = [
    "AsymmetricLoss",
    "BCELoss",
    "BCEWithLogitsLoss",
    "ExponentialLoss",
    "HingeEmbeddingLoss",
    "HingeLoss",
    "MarginRankingLoss",
    "ModifiedHuberLoss",
    "SigmoidFocalLoss",
    "SoftMarginLoss",
    "SquaredHingeLoss",
    "asymmetric_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "exponential_loss",
    "hinge_embedding_loss",
    "hinge_loss",
    "margin_ranking_loss",
    "modified_huber_loss",
    "sigmoid_focal_loss",
    "soft_margin_loss",
    "squared_hinge_loss",
]

_SIGNS = {"target": "-1 and 1, and booleans"}
_PROBABLE_TARGET = {"target": "probabilities from 0 to 1"}
_PROBABLE = {**_PROBABLE_TARGET, "input": "probabilities from 0 to 1"}


_BCE_WITH_LOGITS: Final = Formula("bce_with_logits")
_BCE_WITH_LOGITS_POS_WEIGHT: Final = Formula("bce_with_logits_pos_weight", third="pos_weight")


@Loss
def binary_cross_entropy_with_logits(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    pos_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Binary cross entropy of logits.

    .. math:: w \left[ p\, t \log(1 + e^{-x}) + (1 - t) \log(1 + e^{x}) \right]

    Derivatives with respect to x, with :math:`\sigma = 1 / (1 + e^{-x})`:
    :math:`w [(1 - t) \sigma - p\, t (1 - \sigma)]` and
    :math:`w (p\, t + 1 - t) \sigma (1 - \sigma)`.

    Value and gradient are right to a few ULP in both tails: a logit of -15 with target 0 costs
    3.06e-07 in float32, not 0. Infinite logits give the limits.

    Parameters
    ----------
    input : array_like
        Logits x, of any shape and real dtype.
    target : array_like
        Probabilities t of the positive class, of input's shape or broadcasting up to it; also
        class labels 0 and 1 or booleans. As in torch, the range is not checked.
    <weight>
    pos_weight : array_like, optional
        Weight p of the positive part, of input's shape or broadcasting up to it.
    <reduction>

    <returns>

    <raises>

    Notes
    -----
    torch: ``binary_cross_entropy_with_logits``; tf.losses: ``sigmoid_cross_entropy``; tf.nn:
    ``sigmoid_cross_entropy_with_logits`` and ``weighted_cross_entropy_with_logits``; Keras:
    ``BinaryCrossentropy(from_logits=True)``; optax: ``sigmoid_binary_cross_entropy``;
    scikit-learn: ``HalfBinomialLoss``; XGBoost: ``binary:logistic``; LightGBM: ``binary``.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> fl.binary_cross_entropy_with_logits([0.1679, -0.087, -0.7915], [1, 0, 0]).round(4)
    np.float64(0.5457)
    >>> logits = np.array([-15.0, 40.0, np.inf], dtype=np.float32)
    >>> each = fl.binary_cross_entropy_with_logits(logits, [False, True, True], reduction="none")
    >>> [f"{x:.5g}" for x in each]
    ['3.059e-07', '4.2484e-18', '0']
    """
    return elementwise(
        request,
        _BCE_WITH_LOGITS if pos_weight is None else _BCE_WITH_LOGITS_POS_WEIGHT,
        input,
        target,
        pos_weight,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class BCEWithLogitsLoss(Criterion, loss=binary_cross_entropy_with_logits):
    """`binary_cross_entropy_with_logits` with its options bound."""


_BCE: Final = Formula("binary_cross_entropy", _PROBABLE)
_EXACT_BCE: Final = Formula("exact_binary_cross_entropy", _PROBABLE)


@Loss
def binary_cross_entropy(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    log_clamp: float | None = -100.0,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Binary cross entropy of probabilities.

    .. math:: -w \left[ t \max(\log x, c) + (1 - t) \max(\log(1 - x), c) \right]

    Derivatives with respect to x, as in torch not those of the clamped value but, with
    :math:`v = \max(x (1 - x), 10^{-12})`, :math:`w (x - t) / v` and
    :math:`w [t (1 - x)^2 + (1 - t) x^2] / v^2`.

    With ``log_clamp=None`` nothing is clamped, in value or derivatives: the loss of an input 0
    with a target above 0, or of 1 with a target below 1, is inf, 0 · inf is 0, and the derivatives
    at 0 and 1 are the one-sided limits.

    Where the probabilities come from a sigmoid, `binary_cross_entropy_with_logits` of its input is
    the accurate loss.

    Parameters
    ----------
    input : array_like
        Probabilities x from 0 to 1, of any shape and real dtype.
    target : array_like
        Probabilities t from 0 to 1, or booleans, of input's shape or broadcasting up to it.
    <weight>
    log_clamp : float, optional
        c, the least value of the logarithms: 0 or less, and finite; or None for exact ones.
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    torch: ``binary_cross_entropy``; tf.losses: ``log_loss``, which adds 1e-7 to both arguments of
    the logarithm; Keras: ``BinaryCrossentropy()``, which clips the input to 1e-7 from both ends;
    sklearn.metrics: ``log_loss``, which clips it to the epsilon of its dtype.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.binary_cross_entropy([0.8, 0.3], [1, 0]).round(4)
    np.float64(0.2899)
    >>> fl.binary_cross_entropy([0.0], [1.0]), fl.binary_cross_entropy([0.0], [1.0], log_clamp=None)
    (np.float64(100.0), np.float64(inf))
    """
    return elementwise(
        request,
        _EXACT_BCE if log_clamp is None else _BCE,
        input,
        target,
        parameters=() if log_clamp is None else (finite("log_clamp", log_clamp, high=0.0),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class BCELoss(Criterion, loss=binary_cross_entropy):
    """`binary_cross_entropy` with its options bound."""


_SOFT_MARGIN: Final = Formula("soft_margin", _SIGNS)


@Loss
def soft_margin_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Logistic loss of classes -1 and 1, :math:`w \log(1 + e^{-t x})`.

    Derivatives with respect to x, with :math:`\sigma = 1 / (1 + e^{t x})`: :math:`-w t \sigma` and
    :math:`w \sigma (1 - \sigma)`. No score overflows, and both tails keep their digits.

    Parameters
    ----------
    <scores and signs>
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    torch: ``soft_margin_loss``, which is inf and has a gradient of nan from -t x = 89 on in
    float32; scikit-learn: ``SGDClassifier(loss="log_loss")``.

    It is `binary_cross_entropy_with_logits` with (1 + t) / 2 as target.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.soft_margin_loss([2.0, -1.0], [1, 1], reduction="none").round(6)
    array([0.126928, 1.313262])
    >>> fl.soft_margin_loss([1000.0], [-1])
    np.float64(1000.0)
    >>> value, grad = fl.soft_margin_loss.value_and_grad([2.0, 1.0], [True, False], reduction="sum")
    >>> grad.round(6)
    array([-0.119203,  0.731059])
    """
    return elementwise(
        request,
        _SOFT_MARGIN,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class SoftMarginLoss(Criterion, loss=soft_margin_loss):
    """`soft_margin_loss` with its options bound."""


_HINGE: Final = Formula("hinge", _SIGNS)


@Loss
def hinge_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Hinge loss :math:`w \max(0, m - t x)` with a margin m.

    Derivatives with respect to x: :math:`-w t` where :math:`m - t x > 0`, else 0 (also at the
    kink); 0.

    Parameters
    ----------
    <scores and signs>
    margin : float
        The margin m, finite. With 0 it is the loss of the perceptron.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    tf.losses: ``hinge_loss``, of targets 0 and 1; Keras: ``Hinge``, which converts targets that are
    all 0 or 1; optax: ``hinge_loss``, and ``perceptron_loss`` with a margin of 0; scikit-learn:
    ``SGDClassifier(loss="hinge")``, and ``"perceptron"`` with a margin of 0, whose derivative at
    the kink is -t; XGBoost: ``binary:hinge``, of targets 0 and 1.

    References
    ----------
    C. Cortes, V. Vapnik, Support-Vector Networks, Mach. Learn. 20 (1995) 273-297.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.hinge_loss([0.5, -2.0, 3.0], [1, 1, 1], reduction="none")
    array([0.5, 3. , 0. ])
    >>> value, grad = fl.hinge_loss.value_and_grad([0.5, 0.5], [True, False], reduction="sum")
    >>> value, grad
    (np.float64(2.0), array([-1.,  1.]))
    """
    return elementwise(
        request,
        _HINGE,
        input,
        target,
        parameters=(finite("margin", margin),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class HingeLoss(Criterion, loss=hinge_loss):
    """`hinge_loss` with its options bound."""


_SQUARED_HINGE: Final = Formula("squared_hinge", _SIGNS)


@Loss
def squared_hinge_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared hinge loss :math:`w \max(0, m - t x)^2` with a margin m.

    Derivatives with respect to x: :math:`-2 w t \max(0, m - t x)`; :math:`2 w` where
    :math:`m - t x > 0`, else 0.

    Parameters
    ----------
    <scores and signs>
    margin : float
        The margin m, finite.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    Keras: ``SquaredHinge``, which converts targets that are all 0 or 1; scikit-learn:
    ``SGDClassifier(loss="squared_hinge")``, likewise ``LinearSVC``.

    References
    ----------
    K.-W. Chang, C.-J. Hsieh, C.-J. Lin, Coordinate Descent Method for Large-scale L2-loss Linear
    Support Vector Machines, J. Mach. Learn. Res. 9 (2008) 1369-1398.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.squared_hinge_loss([0.5, -2.0, 3.0], [1, 1, 1], reduction="none")
    array([0.25, 9.  , 0.  ])
    """
    return elementwise(
        request,
        _SQUARED_HINGE,
        input,
        target,
        parameters=(finite("margin", margin),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class SquaredHingeLoss(Criterion, loss=squared_hinge_loss):
    """`squared_hinge_loss` with its options bound."""


_MODIFIED_HUBER: Final = Formula("modified_huber", _SIGNS)


@Loss
def modified_huber_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared hinge loss that goes on as a line.

    With z = t x:

    .. math:: w \cdot \begin{cases} 0 & z \ge 1 \\ (1 - z)^2 & -1 \le z < 1 \\
              -4 z & z < -1 \end{cases}

    Derivatives with respect to x: 0, :math:`-2 w t (1 - z)` and :math:`-4 w t`; 0, :math:`2 w` and
    0.

    Parameters
    ----------
    <scores and signs>
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    scikit-learn: ``SGDClassifier(loss="modified_huber")``.

    References
    ----------
    T. Zhang, Solving Large Scale Linear Prediction Problems Using Stochastic Gradient Descent
    Algorithms, ICML 2004.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.modified_huber_loss.value_and_grad([0.5, -2.0], [1, 1], reduction="none")
    >>> value, grad
    (array([0.25, 8.  ]), array([-1., -4.]))
    """
    return elementwise(
        request,
        _MODIFIED_HUBER,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class ModifiedHuberLoss(Criterion, loss=modified_huber_loss):
    """`modified_huber_loss` with its options bound."""


_EXPONENTIAL: Final = Formula("exponential", _SIGNS)


@Loss
def exponential_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Exponential loss :math:`w e^{-t x}`, that of AdaBoost.

    Derivatives with respect to x: :math:`-w t e^{-t x}` and :math:`w e^{-t x}`.

    Parameters
    ----------
    <scores and signs>
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    scikit-learn: ``ExponentialLoss``, of targets from 0 to 1, the loss of
    ``GradientBoostingClassifier(loss="exponential")``.

    The probability of class 1 that belongs to a score is :math:`1 / (1 + e^{-2 x})`.

    References
    ----------
    Y. Freund, R. E. Schapire, A Decision-Theoretic Generalization of On-Line Learning and an
    Application to Boosting, J. Comput. Syst. Sci. 55 (1997) 119-139.

    J. Friedman, T. Hastie, R. Tibshirani, Additive Logistic Regression: A Statistical View of
    Boosting, Ann. Statist. 28 (2000) 337-407.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.exponential_loss([0.0, 1.0], [1, -1], reduction="none").round(6)
    array([1.      , 2.718282])
    """
    return elementwise(
        request,
        _EXPONENTIAL,
        input,
        target,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class ExponentialLoss(Criterion, loss=exponential_loss):
    """`exponential_loss` with its options bound."""


_HINGE_EMBEDDING: Final = Formula("hinge_embedding", _SIGNS)


@Loss
def hinge_embedding_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    margin: float = 1.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Hinge loss of a distance: that of like things, or the margin's rest for unlike ones.

    .. math:: w \cdot \begin{cases} x & t = 1 \\ \max(0, m - x) & t = -1 \end{cases}

    Derivatives with respect to x: w where t = 1; :math:`-w` where t = -1 and
    :math:`m - x \ge 0`, so also at the kink, as in torch; else 0. The second is 0.

    Parameters
    ----------
    input : array_like
        Distances x, of any shape and real dtype. Their sign is not checked.
    target : array_like
        1 for like and -1 for unlike things, of input's shape or broadcasting up to it; or booleans,
        where False stands for -1.
    margin : float
        The margin m, finite.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    torch: ``hinge_embedding_loss``, which adds up both cases for other targets.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.hinge_embedding_loss([0.25, 0.25, 2.0], [1, -1, -1], reduction="none")
    array([0.25, 0.75, 0.  ])
    """
    return elementwise(
        request,
        _HINGE_EMBEDDING,
        input,
        target,
        parameters=(finite("margin", margin),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class HingeEmbeddingLoss(Criterion, loss=hinge_embedding_loss):
    """`hinge_embedding_loss` with its options bound."""


def _alpha(alpha: float | None) -> tuple[float, float]:
    """Weights of the positive and the negative class."""
    x = -1.0 if alpha is None else number("alpha", alpha)
    if x == -1:
        return 1.0, 1.0
    if not 0 <= x <= 1:
        raise ValueError(f"alpha: a number from 0 to 1, or None or -1, is needed, got {alpha}")
    return x, 1.0 - x


_SIGMOID_FOCAL: Final = Formula("sigmoid_focal", _PROBABLE_TARGET)
_SIGMOID_FOCAL_2: Final = Formula("sigmoid_focal_2", _PROBABLE_TARGET)


@Loss
def sigmoid_focal_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Focal loss: binary cross entropy of logits, less of it where the prediction is right.

    With :math:`\sigma = 1 / (1 + e^{-x})`:

    .. math:: w \, a \, m^\gamma b, \qquad
              a = \alpha t + (1 - \alpha) (1 - t), \qquad m = (1 - \sigma) t + \sigma (1 - t)

    where b is the binary cross entropy
    :math:`b = t \log(1 + e^{-x}) + (1 - t) \log(1 + e^x)`.

    Derivatives with respect to x: :math:`w \, a \, m^{\gamma - 1} [m (\sigma - t) + \gamma m' b]`
    with :math:`m' = (1 - 2 t) \sigma (1 - \sigma)`, and the exact derivative of that. Not convex.
    No finite score overflows.

    Parameters
    ----------
    input : array_like
        Logits x, of any shape and real dtype.
    target : array_like
        Probabilities t of the positive class from 0 to 1, mostly the classes 0 and 1, or booleans;
        of input's shape or broadcasting up to it.
    alpha : float, optional
        α, from 0 to 1: the weight of the positive class, where 1 - α is that of the negative one.
        None or -1 for a = 1.
    gamma : float
        γ, how much the right predictions are put down; from 0 to 1000. With 0 it is
        `binary_cross_entropy_with_logits`, times a.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    torchvision: ``sigmoid_focal_loss``, whose reduction is "none" by default; optax:
    ``sigmoid_focal_loss``, where α is None by default; Keras:
    ``BinaryFocalCrossentropy(from_logits=True)``, where α counts only with
    ``apply_class_balancing=True``, and probabilities are clipped to 1e-7 from both ends.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, Focal Loss for Dense Object Detection, ICCV
    2017.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.sigmoid_focal_loss([2.0, -1.0], [1, 0], reduction="none").round(6)
    array([0.000451, 0.016994])
    >>> fl.sigmoid_focal_loss([2.0, -1.0], [1, 0], alpha=None, reduction="none").round(6)
    array([0.001804, 0.022658])
    """
    focusing = finite("gamma", gamma, 0.0, 1000.0)
    weights = _alpha(alpha)
    return elementwise(
        request,
        _SIGMOID_FOCAL_2 if focusing == 2 else _SIGMOID_FOCAL,
        input,
        target,
        parameters=weights if focusing == 2 else (focusing, *weights),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class SigmoidFocalLoss(Criterion, loss=sigmoid_focal_loss):
    """`sigmoid_focal_loss` with its options bound."""


_ASYMMETRIC: Final = Formula("asymmetric", _PROBABLE_TARGET)
_ASYMMETRIC_WITHOUT_MARGIN: Final = Formula("asymmetric_without_margin", _PROBABLE_TARGET)


@Loss
def asymmetric_loss(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    clip: float = 0.05,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Asymmetric loss of multilabel classification: focal loss that puts easy negatives down more.

    With :math:`\sigma = 1 / (1 + e^{-x})` and :math:`u = \max(\sigma - m, 0)`:

    .. math:: w \, [t \, (1 - \sigma)^{\gamma_+} b_+ + (1 - t) \, u^{\gamma_-} b_-], \qquad
              b_+ = \log(1 + e^{-x}), \qquad b_- = -\log(1 - u)

    Derivatives with respect to x:
    :math:`-(1 - \sigma)^{\gamma_+} (\gamma_+ \sigma b_+ + 1 - \sigma)` for a positive label,
    :math:`u^{\gamma_-} \sigma (1 - \sigma) [\gamma_- b_- / u + 1 / (1 - u)]`, 0 for
    :math:`\sigma \le m`, for a negative one, and the exact derivatives of these. Not convex. No
    finite score overflows. Where u is small, it has the rounding error of :math:`\sigma`.

    Parameters
    ----------
    input : array_like
        Logits x, of any shape and real dtype.
    target : array_like
        Probabilities t of the positive class from 0 to 1, mostly the classes 0 and 1, or booleans;
        of input's shape or broadcasting up to it.
    gamma_neg : float
        γ₋, how much the right predictions of negative labels are put down; from 0 to 1000.
    gamma_pos : float
        γ₊, the same of positive labels.
    clip : float
        m, the margin of probability by which negative labels are moved, at least 0 and below 1:
        those with a probability up to it count for nothing. With 0 and equal γ it is
        `sigmoid_focal_loss` with ``alpha=None`` for classes.
    <weight>
    <reduction>

    <returns>

    <raises with domain>

    Notes
    -----
    timm: ``AsymmetricLossMultiLabel``, whose value is the sum, and whose probabilities are clipped
    to 1e-8 before the logarithm.

    References
    ----------
    T. Ridnik, E. Ben-Baruch, N. Zamir, A. Noy, I. Friedman, M. Protter, L. Zelnik-Manor, Asymmetric
    Loss For Multi-Label Classification, ICCV 2021.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.asymmetric_loss([2.0, -1.0, -4.0], [1, 0, 0], reduction="none").round(6)
    array([0.01513 , 0.000568, 0.      ])
    >>> value, grad = fl.asymmetric_loss.value_and_grad([2.0, -1.0, -4.0], [1, 0, 0], clip=0.0)
    >>> grad.round(6)
    array([-0.009179,  0.002066,  0.      ])
    """
    powers = (
        finite("gamma_neg", gamma_neg, 0.0, 1000.0),
        finite("gamma_pos", gamma_pos, 0.0, 1000.0),
    )
    margin = finite("clip", clip, 0.0, 1.0)
    if margin == 1:
        raise ValueError(f"clip: a number below 1 is needed, got {clip}")
    return elementwise(
        request,
        _ASYMMETRIC if margin else _ASYMMETRIC_WITHOUT_MARGIN,
        input,
        target,
        parameters=(*powers, margin) if margin else powers,
        weight=weight,
        where=where,
        reduction=reduction,
    )


class AsymmetricLoss(Criterion, loss=asymmetric_loss):
    """`asymmetric_loss` with its options bound."""


_MARGIN_RANKING: Final = Formula("margin_ranking", _SIGNS, input="input1", third="input2")


@joint("input1", "input2")
def margin_ranking_loss(
    request: Request,
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    *,
    margin: float = 0.0,
    weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Hinge loss of a pair's order, :math:`w \max(0, m - t (x_1 - x_2))` with a margin m.

    Derivatives with respect to :math:`x_1` and :math:`x_2`: :math:`-w t` and :math:`w t` where
    :math:`m - t (x_1 - x_2) \ge 0`, so also at the kink, as in torch; else 0. The second ones are
    0.

    Parameters
    ----------
    input1 : array_like
        Scores :math:`x_1`, of any shape and real dtype.
    input2 : array_like
        Scores :math:`x_2`, of input1's shape or broadcasting up to it.
    target : array_like
        1 where the first score shall be the higher one and -1 where the second, of input1's shape
        or broadcasting up to it; or booleans, where False stands for -1.
    margin : float
        The margin m, finite.
    weight : array_like, optional
        Weights w of the pairs, of input1's shape or broadcasting up to it. A pair of the weight 0
        counts for nothing, whatever stands there.
    where : array_like, optional
        Which pairs count, of input1's shape or broadcasting up to it: booleans, or numbers of which
        0 leaves a pair out, also of what the reduction divides by.
    <reduction of pairs>

    <returns pairs>

    <raises with domain>

    Notes
    -----
    torch: ``margin_ranking_loss``.

    The gradient of a broadcast ``input2`` is summed over the axes along which it was repeated.

    References
    ----------
    R. Herbrich, T. Graepel, K. Obermayer, Large Margin Rank Boundaries for Ordinal Regression, in
    Advances in Large Margin Classifiers, MIT Press 2000, 115-132.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (grad1, grad2) = fl.margin_ranking_loss.value_and_grad(
    ...     [0.5, 2.0], [1.0, 1.5], [1, -1], reduction="sum"
    ... )
    >>> value, grad1, grad2
    (np.float64(1.0), array([-1.,  1.]), array([ 1., -1.]))
    """
    return elementwise(
        request,
        _MARGIN_RANKING,
        input1,
        target,
        input2,
        parameters=(finite("margin", margin),),
        weight=weight,
        where=where,
        reduction=reduction,
    )


class MarginRankingLoss(Criterion, loss=margin_ranking_loss):
    """`margin_ranking_loss` with its options bound."""
