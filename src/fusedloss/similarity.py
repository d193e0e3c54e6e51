"""Similarity, distance and triplet losses."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls import vectors as calls
from fusedloss._calls.vectors import VectorLoss, distance, named_score, vector_loss
from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import activation, joint, without_hvp
from fusedloss._core.parameters import finite, flag
from fusedloss._core.parameters import positive as positive_number
from fusedloss._core.types import Array, ArrayLike, Reduction, Request
from fusedloss._distances import triplet_margin_of_distances

__all__ = [
    "ContrastiveLoss",
    "CosineDistanceLoss",
    "CosineEmbeddingLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "contrastive_loss",
    "cosine_distance",
    "cosine_embedding_loss",
    "cosine_similarity",
    "normalize",
    "pairwise_distance",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


_COSINE: Final = named_score("cosine")


def _cosine_similarity_vjp(
    x1: ArrayLike,
    x2: ArrayLike,
    grad_output: ArrayLike,
    axis: int = 1,
    eps: float = 1e-8,
    *,
    grad_out: tuple[Array | None, Array | None] | None = None,
) -> tuple[Array, Array]:
    r"""Carry back through cosine_similarity: :math:`g (x_2 / |x_2| - s x_1 / |x_1|) / |x_1|` …"""
    score = _COSINE(finite("eps", eps, 0.0))
    return calls.similarity_vjp(score, x1, x2, grad_output, axis, False, grad_out)


@activation(_cosine_similarity_vjp)
def cosine_similarity(
    x1: ArrayLike,
    x2: ArrayLike,
    axis: int = 1,
    eps: float = 1e-8,
    *,
    out: Array | None = None,
) -> Any:
    r"""Cosine of the angle between vectors, :math:`x_1 \cdot x_2 / (|x_1| |x_2|)`.

    Each norm counts as eps where it is smaller. As in torch, the gradient is then still that of
    the norm, with :math:`x / |x|` (0 for a zero vector).

    Parameters
    ----------
    x1, x2 : array_like
        Of any real dtype, and shapes that broadcast to each other: (N, 1, D) and (1, M, D) give
        the cosines of all pairs, of shape (N, M) for ``axis=2``.
    axis : int
        The axis along which the vectors lie, in the shape to which both broadcast.
    eps : float
        What a norm is at least; 0 or more.
    <activation out>

    <pair returns>

    Notes
    -----
    torch: ``cosine_similarity``; optax: ``cosine_similarity``.

    Norms of any representable size count: vectors of 1e200 and of 1e-200 have cosines too.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.cosine_similarity([[3.0, 4.0], [0.0, 2.0]], [[4.0, 3.0], [0.0, 1.0]])
    array([0.96, 1.  ])
    >>> g1, g2 = fl.cosine_similarity.vjp([1.0, 0.0], [0.0, 1.0], 1.0, axis=0)
    >>> g1, g2
    (array([0., 1.]), array([1., 0.]))
    """
    score = _COSINE(finite("eps", eps, 0.0))
    return calls.similarity(score, x1, x2, axis, False, out)


def _pairwise_distance_vjp(
    x1: ArrayLike,
    x2: ArrayLike,
    grad_output: ArrayLike,
    p: float = 2.0,
    eps: float = 1e-6,
    keepdims: bool = False,
    *,
    axis: int = -1,
    grad_out: tuple[Array | None, Array | None] | None = None,
) -> tuple[Array, Array]:
    r"""Carry back through pairwise_distance: :math:`g (|u| / d)^{p - 1}`, with the signs of ±u."""
    score = distance(p, finite("eps", eps))
    keepdims = flag("keepdims", keepdims)
    return calls.similarity_vjp(score, x1, x2, grad_output, axis, keepdims, grad_out)


@activation(_pairwise_distance_vjp)
def pairwise_distance(
    x1: ArrayLike,
    x2: ArrayLike,
    p: float = 2.0,
    eps: float = 1e-6,
    keepdims: bool = False,
    *,
    axis: int = -1,
    out: Array | None = None,
) -> Any:
    r"""Distance of vectors, :math:`d = (\sum_i |u_i|^p)^{1 / p}`.

    Here :math:`u = x_1 - x_2 + \epsilon`. For p = ∞ it is the largest :math:`|u_i|`. Where
    :math:`u_i` is 0 the slope is 0; for p = ∞ those that are largest share it.

    Parameters
    ----------
    x1, x2 : array_like
        Of any real dtype, and shapes that broadcast to each other: (N, 1, D) and (1, M, D) give
        the distances of all pairs, of shape (N, M).
    p : float
        The power: any number above 0, or inf.
    eps : float
        Added to each difference; finite.
    keepdims : bool
        Whether the axis stays, with length 1.
    axis : int
        The axis along which the vectors lie, in the shape to which both broadcast.
    <activation out>

    <pair returns>

    Notes
    -----
    torch: ``pairwise_distance``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.pairwise_distance([[3.0, 4.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 0.0]], eps=0.0)
    array([5., 1.])
    >>> fl.pairwise_distance.vjp([3.0, 4.0], [0.0, 0.0], 5.0, eps=0.0)
    (array([3., 4.]), array([-3., -4.]))
    """
    score = distance(p, finite("eps", eps))
    return calls.similarity(score, x1, x2, axis, flag("keepdims", keepdims), out)


def _normalize_vjp(
    input: ArrayLike,
    grad_output: ArrayLike,
    axis: int = 1,
    eps: float = 1e-12,
    *,
    grad_out: Array | None = None,
) -> Array:
    r"""Carry a gradient back through normalize: :math:`(g - y \sum y g) / |x|`."""
    eps = finite("eps", eps, 0.0)
    return calls.normalize_vjp(input, grad_output, axis, eps, grad_out)


@activation(_normalize_vjp)
def normalize(
    input: ArrayLike, axis: int = 1, eps: float = 1e-12, *, out: Array | None = None
) -> Array:
    r"""Vectors of length 1, :math:`y = x / |x|`.

    A norm below eps counts as eps, and its gradient is then that of :math:`x / \epsilon`.

    Parameters
    ----------
    <activation input>
    axis : int
        The axis along which the vectors lie.
    eps : float
        What a norm is at least; 0 or more.
    <activation out>

    <activation returns>

    Notes
    -----
    torch: ``normalize``, with p = 2.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.normalize([[3.0, 4.0], [0.0, 0.0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    >>> fl.normalize.vjp([[4.0, 0.0]], [[1.0, 1.0]])
    array([[0.  , 0.25]])
    """
    y: Array = calls.normalize(input, axis, finite("eps", eps, 0.0), out)
    return y


_SMOOTH_COSINE: Final = named_score("smooth cosine")
_EMBEDDING: Final = VectorLoss("embedding", accepted="-1 and 1, and booleans")


@joint("input1", "input2", has_hvp=False)
def cosine_embedding_loss(
    request: Request,
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    *,
    margin: float = 0.0,
    axis: int = -1,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""One less the cosine of like vectors, the cosine above a margin of unlike ones.

    With :math:`s = a \cdot b / \sqrt{(|a|^2 + 10^{-12}) (|b|^2 + 10^{-12})}`:

    .. math:: w \cdot \begin{cases} 1 - s & t = 1 \\ \max(0, s - m) & t = -1 \end{cases}

    Derivatives with respect to a, and to b likewise: those of the cosine,
    :math:`b / (|a| |b|) - s a / |a|^2` and
    :math:`-2 a b / (|a|^3 |b|) - s / |a|^2 + 3 s a^2 / |a|^4`, times :math:`-w` where t = 1 and w
    where t = -1 and :math:`s \ge m`, so also at the kink, as in torch; else 0.

    The value holds its digits where like vectors are nearly parallel, and does not overflow.

    Parameters
    ----------
    input1 : array_like
        Vectors a, of any real dtype: (N, D), (D,) or, with any other `axis`, more dimensions.
    input2 : array_like
        Vectors b, of input1's shape or broadcasting up to it.
    target : array_like
        1 for like and -1 for unlike vectors, of input1's shape without the axis of the vectors or
        broadcasting up to it; or booleans, where False stands for -1.
    margin : float
        The margin m, finite.
    <vectors>
    <vector weight>
    <reduction of several vectors>

    <returns several vectors>

    <raises with domain>

    Notes
    -----
    torch: ``cosine_embedding_loss``, which gives 0 for other targets.

    Examples
    --------
    >>> import fusedloss as fl
    >>> a, b = [[3.0, 4.0], [3.0, 4.0]], [[4.0, 3.0], [4.0, 3.0]]
    >>> fl.cosine_embedding_loss(a, b, [1, -1], margin=0.5, reduction="none").round(4)
    array([0.04, 0.46])
    >>> value, (g1, g2) = fl.cosine_embedding_loss.value_and_grad([1.0, 0.0], [0.0, 1.0], 1)
    >>> g1.round(4) + 0, g2.round(4) + 0
    (array([ 0., -1.]), array([-1.,  0.]))
    >>> fl.cosine_embedding_loss(a, b, [1, 0], where=[True, False]).round(4)
    np.float64(0.04)
    """
    return vector_loss(
        request,
        _EMBEDDING,
        _SMOOTH_COSINE(1e-6),
        {"input1": input1, "input2": input2},
        target=target,
        parameters=(finite("margin", margin),),
        axis=axis,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_COMPLEMENT: Final = VectorLoss("complement", differentiated=1)


@without_hvp
def cosine_distance(
    request: Request,
    input: ArrayLike,
    target: ArrayLike,
    *,
    axis: int = -1,
    eps: float = 1e-8,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""One less the cosine of the angle between vectors, as `cosine_similarity` has it.

    .. math:: w \left[ 1 - x \cdot t / (|x| |t|) \right]

    Derivatives with respect to x, with the cosine s: :math:`-w [t / (|x| |t|) - s x / |x|^2]` and
    :math:`w [2 x t / (|x|^3 |t|) + s / |x|^2 - 3 s x^2 / |x|^4]`, where x and t are elements.

    The value holds its digits where the vectors are nearly parallel. Each norm counts as eps where
    it is smaller; the gradient is then still that of the norm, and that of a zero vector is
    :math:`-w t / (\epsilon |t|)`.

    Parameters
    ----------
    input : array_like
        Vectors x, of any real dtype: (N, D), (D,) or, with any other `axis`, more dimensions.
    target : array_like
        Vectors t, of input's shape or broadcasting up to it.
    <vectors>
    eps : float
        What a norm is at least; 0 or more.
    <vector weight>
    <reduction of vectors>

    <returns vectors>

    <raises>

    Notes
    -----
    tf.losses: ``cosine_distance``, which takes the vectors to have length 1; Keras:
    ``CosineSimilarity``, which is the cosine with a minus; optax: ``cosine_distance``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, grad = fl.cosine_distance.value_and_grad([[3.0, 4.0]], [[4.0, 3.0]])
    >>> value.round(4), grad.round(4)
    (np.float64(0.04), array([[-0.0448,  0.0336]]))
    >>> f"{fl.cosine_distance([1.0, 0.0], [1.0, 1e-10]):.4g}"
    '5e-21'
    >>> x, t = [[3.0, 4.0], [float("nan"), 1.0]], [[4.0, 3.0], [1.0, 0.0]]
    >>> fl.cosine_distance(x, t, sample_weight=[2.0, 0.0], reduction="weighted_mean").round(4)
    np.float64(0.04)
    """
    return vector_loss(
        request,
        _COMPLEMENT,
        _COSINE(finite("eps", eps, 0.0)),
        {"input": input, "target": target},
        axis=axis,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_TRIPLET: Final = VectorLoss("triplet", differentiated=3)
_SWAPPED_TRIPLET: Final = VectorLoss("swapped triplet", differentiated=3)


@joint("anchor", "positive", "negative", has_hvp=False)
def triplet_margin_loss(
    request: Request,
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    axis: int = -1,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""A margin between the distances of an anchor to a like and to an unlike vector.

    With the distance :math:`d(x, y)`, which is the p-norm of :math:`x - y + \epsilon`:

    .. math:: w \max(0, d(a, b) - d(a, c) + m)

    Derivatives with respect to the anchor a, the positive b and the negative c: those of the
    distances, where the sum is 0 or more, so also at the kink, as in torch; else 0. With
    :math:`u = x - y + \epsilon` they are :math:`\operatorname{sign}(u) (|u| / d)^{p - 1}` with
    respect to x, with a minus for y, and
    :math:`(p - 1) (|u|^{p - 2} d^{1 - p} - |u|^{2 p - 2} d^{1 - 2 p})`; 0 where u or d is 0.

    With `swap`, :math:`d(b, c)` stands for :math:`d(a, c)` where it is smaller.

    Parameters
    ----------
    anchor : array_like
        Vectors a, of any real dtype: (N, D), (D,) or, with any other `axis`, more dimensions.
    positive, negative : array_like
        Vectors b and c, of anchor's shape or broadcasting up to it.
    margin : float
        The margin m, positive and finite.
    p : float
        The power: any number above 0, or inf.
    eps : float
        Added to each difference; finite.
    swap : bool
        Whether the distance of the negative is that to the nearer of anchor and positive. Where
        both are the same, each has half of the gradient, as in torch.
    <vectors>
    <vector weight>
    <reduction of several vectors>

    <returns several vectors>

    <raises>

    Notes
    -----
    torch: ``triplet_margin_loss``.

    Nothing is lost where float32 vectors are so large or small that their squares are not float32
    numbers; and infinitely distant negatives cost nothing.

    References
    ----------
    V. Balntas, E. Riba, D. Ponsa, K. Mikolajczyk, Learning Local Feature Descriptors with Triplets
    and Shallow Convolutional Neural Networks, BMVC 2016.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (a, b, c) = fl.triplet_margin_loss.value_and_grad(
    ...     [[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.0]], eps=0.0
    ... )
    >>> value, a
    (np.float64(1.0), array([[-0.6,  0.2]]))
    >>> b, c + 0
    (array([[0.6, 0.8]]), array([[ 0., -1.]]))
    >>> a, b, c = [[0.0, 0.0], [1.0, 1.0]], [[3.0, 4.0]] * 2, [[0.0, 5.0]] * 2
    >>> fl.triplet_margin_loss(a, b, c, eps=0.0, where=[True, False])
    np.float64(1.0)
    """
    return vector_loss(
        request,
        _SWAPPED_TRIPLET if flag("swap", swap) else _TRIPLET,
        distance(p, finite("eps", eps)),
        {"anchor": anchor, "positive": positive, "negative": negative},
        parameters=(positive_number("margin", margin),),
        axis=axis,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


@joint("anchor", "positive", "negative", curved=False)
def triplet_margin_with_distance_loss(
    request: Request,
    anchor: ArrayLike,
    positive: ArrayLike,
    negative: ArrayLike,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""`triplet_margin_loss` of any distance.

    .. math:: w \max(0, d(a, b) - d(a, c) + m)

    Derivatives with respect to the anchor a, the positive b and the negative c: those of the
    distances, as the function's ``vjp`` gives them, where the sum is 0 or more; else 0. There are
    no second ones.

    With `swap`, :math:`d(b, c)` stands for :math:`d(a, c)` where it is smaller.

    Parameters
    ----------
    anchor : array_like
        Vectors a, or whatever else `distance_function` takes.
    positive, negative : array_like
        Vectors b and c, of anchor's shape or broadcasting up to it.
    distance_function : object, optional
        By default the Euclidean distance of `pairwise_distance`. Called as ``f(x1, x2)`` it gives
        an array of distances; where gradients are asked for, ``f.vjp(x1, x2, grad_output)`` gives a
        tuple of two arrays, of the shapes of x1 and x2. It gets arrays of the computation's dtype
        and of anchor's shape, which it must not write to.
    margin : float
        The margin m, positive and finite.
    swap : bool
        Whether the distance of the negative is that to the nearer of anchor and positive. Where
        both are the same, each has half of the gradient.
    weight : array_like, optional
        Weights w, of the shape of the distances or broadcasting up to it. What has weight 0 counts
        for nothing, whatever it holds; in the gradients too, if the distances have the first axes
        of the vectors.
    sample_weight : array_like, optional
        More weights, by which the others are multiplied.
    where : array_like, optional
        Which distances count, of their shape or broadcasting up to it; the others have weight 0,
        and no reduction counts them.
    <reduction of several vectors, first order>

    <returns several vectors>

    Raises
    ------
    ValueError
        For distances of different shapes, gradients of other shapes than the operands', and as
        `triplet_margin_loss`.
    TypeError
        For a `distance_function` that cannot be called, or has no ``vjp`` where a gradient is asked
        for; for distances and gradients that are not real numbers.

    Notes
    -----
    torch: ``triplet_margin_with_distance_loss``, which takes any function, as it differentiates.

    The gradients of a function's distances are arrays of the operands' shapes, that are added up:
    this takes the memory of five of these. Without a function the loss is one pass.

    Examples
    --------
    >>> import fusedloss as fl
    >>> class Manhattan:
    ...     def __call__(self, x1, x2):
    ...         return fl.pairwise_distance(x1, x2, p=1, eps=0.0)
    ...
    ...     def vjp(self, x1, x2, grad_output):
    ...         return fl.pairwise_distance.vjp(x1, x2, grad_output, p=1, eps=0.0)
    >>> value, (a, b, c) = fl.triplet_margin_with_distance_loss.value_and_grad(
    ...     [[0.0, 0.0]], [[1.0, 0.5]], [[0.5, 1.0]], distance_function=Manhattan()
    ... )
    >>> value, a, b
    (np.float64(1.0), array([[0., 0.]]), array([[1., 1.]]))
    >>> fl.triplet_margin_with_distance_loss(
    ...     [[0.0, 0.0], [9.0, 9.0]], [[1.0, 0.5]], [[0.5, 1.0]], where=[True, False]
    ... )
    np.float64(1.0)
    """
    margin, swap = positive_number("margin", margin), flag("swap", swap)
    if distance_function is None:
        return vector_loss(
            request,
            _SWAPPED_TRIPLET if swap else _TRIPLET,
            distance(2.0, 1e-6),
            {"anchor": anchor, "positive": positive, "negative": negative},
            parameters=(margin,),
            weight=weight,
            sample_weight=sample_weight,
            where=where,
            reduction=reduction,
        )
    return triplet_margin_of_distances(
        request,
        distance_function,
        {"anchor": anchor, "positive": positive, "negative": negative},
        margin=margin,
        swap=swap,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


_CONTRASTIVE: Final = VectorLoss("contrastive", accepted="numbers from 0 to 1, and booleans")


@joint("input1", "input2", has_hvp=False)
def contrastive_loss(
    request: Request,
    input1: ArrayLike,
    input2: ArrayLike,
    target: ArrayLike,
    *,
    margin: float = 1.0,
    axis: int = -1,
    weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    r"""Squared distance of like vectors, squared rest of a margin for unlike ones.

    With the distance :math:`d = |a - b|`:

    .. math:: w \left[ t d^2 + (1 - t) \max(0, m - d)^2 \right]

    Derivatives with respect to a, with :math:`u = a - b` and :math:`r = \max(0, m - d)`:
    :math:`2 w u [t - (1 - t) r / d]` and
    :math:`2 w [t + (1 - t) (u^2 / d^2 - r (1 - u^2 / d^2) / d)]`, the second part 0 where
    :math:`d \ge m`. With respect to b the first with a minus and the same second ones. At d = 0,
    where no direction leads apart, the second part is 0.

    Parameters
    ----------
    input1 : array_like
        Vectors a, of any real dtype: (N, D), (D,) or, with any other `axis`, more dimensions.
    input2 : array_like
        Vectors b, of input1's shape or broadcasting up to it.
    target : array_like
        1 or True for like and 0 or False for unlike vectors, or a number t between, of input1's
        shape without the axis of the vectors or broadcasting up to it.
    margin : float
        The margin m, finite.
    <vectors>
    <vector weight>
    <reduction of several vectors>

    <returns several vectors>

    <raises with domain>

    Notes
    -----
    tfa.losses: ``contrastive_loss``, of a distance (TensorFlow Addons).

    It is twice that of the paper, whose Y is 1 - t.

    References
    ----------
    R. Hadsell, S. Chopra, Y. LeCun, Dimensionality Reduction by Learning an Invariant Mapping,
    CVPR 2006.

    Examples
    --------
    >>> import fusedloss as fl
    >>> value, (g1, g2) = fl.contrastive_loss.value_and_grad(
    ...     [[0.0, 0.5], [0.0, 0.5]], [[0.0, 0.0], [0.0, 0.0]], [1, 0], margin=2.0, reduction="sum"
    ... )
    >>> value, g1 + 0
    (np.float64(2.5), array([[ 0.,  1.],
           [ 0., -3.]]))
    >>> fl.contrastive_loss(
    ...     [[0.0, 0.5], [float("nan")] * 2], [[0.0, 0.0]], [1, 0], where=[True, False]
    ... )
    np.float64(0.25)
    """
    return vector_loss(
        request,
        _CONTRASTIVE,
        distance(2.0, 0.0),
        {"input1": input1, "input2": input2},
        target=target,
        parameters=(finite("margin", margin),),
        axis=axis,
        weight=weight,
        sample_weight=sample_weight,
        where=where,
        reduction=reduction,
    )


class CosineEmbeddingLoss(Criterion, loss=cosine_embedding_loss):
    """`cosine_embedding_loss` with its options bound."""


class CosineDistanceLoss(Criterion, loss=cosine_distance):
    """`cosine_distance` with its options bound."""


class TripletMarginLoss(Criterion, loss=triplet_margin_loss):
    """`triplet_margin_loss` with its options bound."""


class TripletMarginWithDistanceLoss(Criterion, loss=triplet_margin_with_distance_loss):
    """`triplet_margin_with_distance_loss` with its options bound."""


class ContrastiveLoss(Criterion, loss=contrastive_loss):
    """`contrastive_loss` with its options bound."""
