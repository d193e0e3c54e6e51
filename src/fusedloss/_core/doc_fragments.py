"""What many docstrings say in the same words. A line ``<name>`` in a docstring stands for it."""

from __future__ import annotations

import inspect
from typing import Final

from fusedloss._core.family_fragments import OF_FAMILIES

_RETURN_DIVISOR = """\
return_divisor : bool, optional, keyword only
    Whether the call also returns, as its last result, the number that the sum is divided by: 1 for
    "sum" and "none"."""

_FIT = "Of a floating dtype, any strides, sharing no memory with an operand."
_FIT_IN_PLACE = """\
Of a floating dtype, any strides, sharing no memory with an operand; but `grad_out` may be the
    input itself."""
_WRITTEN = """
    They are written to and returned. A call that raises may have written to them.
"""

_FIT_BUFFERS = """\
out, grad_out, hess_out : ndarray, optional, keyword only
    Buffers for the value (of shape () unless ``reduction="none"``), the gradient and the second
    derivative; each for the methods that compute it.
    """
_BUFFERS = _FIT_BUFFERS + _FIT + _WRITTEN + _RETURN_DIVISOR
_BUFFERS_IN_PLACE = _FIT_BUFFERS + _FIT_IN_PLACE + _WRITTEN + _RETURN_DIVISOR

_FIT_PAIR_BUFFERS = """\
out, grad_out, hess_out : ndarray or tuple of ndarray, optional, keyword only
    Buffers for the value (of shape () unless ``reduction="none"``), the gradients and the second
    derivatives, the last two each a tuple of two, of which one may be None.
    """
_PAIR_BUFFERS = _FIT_PAIR_BUFFERS + _FIT + _WRITTEN + _RETURN_DIVISOR
_PAIR_BUFFERS_IN_PLACE = (
    _FIT_PAIR_BUFFERS
    + _FIT_IN_PLACE.replace("the\n    input itself", "a tuple of\n    the inputs themselves")
    + _WRITTEN
    + _RETURN_DIVISOR
)

_REDUCTION = """\
reduction : str
    "mean" (divides by the number of elements, also with a weight), "sum", "none", "batchmean"
    (divides by the length of the first axis), "weighted_mean" (by the sum of the weights; 0 where
    that is 0) or "sum_by_nonzero_weights" (by the number of non-zero weights; 0 where there are
    none).
"""

_REDUCTION_OF_VALUES = """\
reduction : str
    "mean" (divides by the number of values, also with a weight, but for those of which `where`
    leaves nothing; nan where there are none), "sum", "none", "batchmean" (divides by
    ``input.shape[0]``, or 1 for one dimension), "weighted_mean" (by the sum of the weights; 0 where
    that is 0) or "sum_by_nonzero_weights" (by the number of non-zero weights; 0 where there are
    none).
"""

_RETURNS = """\
Returns
-------
value : scalar, or ndarray of {shape} for ``reduction="none"``
    In the computation's dtype: float64 if an operand is float64 or none is floating, else
    float32 (also for half precision). `value_and_grad` returns (value, gradient),
    `value_grad_hess` (value, gradient, diagonal of the Hessian)."""

_RETURNS_TUPLES = """\
Returns
-------
value : scalar, or ndarray for ``reduction="none"``
    In the computation's dtype: float64 if an operand is float64 or none is floating, else
    float32 (also for half precision). `value_and_grad` returns (value, gradients),
    `value_grad_hess` (value, gradients, diagonals of the Hessians); the last two are tuples of
    {number} arrays, each of its own input's shape and (if that is floating) dtype."""

_REDUCTION_OF_VECTORS = """\
reduction : str
    "mean" (divides by the number of values that are not left out, also with a weight), "sum",
    "none", "batchmean" (divides by the length of the first axis, or 1 for one dimension),
    "weighted_mean" (by the sum of the products of the weights; 0 where that is 0) or
    "sum_by_nonzero_weights" (by the number of products that are not zero; 0 where there are none).
"""

_SCORES_OF_LISTS = """\
input : array_like
    Scores x, of shape (C,) for one list of C items, (N, C) or (N, …, C), or with the items on any
    other `axis`.
target : array_like
    Relevances t of the items, of input's shape or broadcasting up to it. {accepted}.
where : array_like, optional
    Which items count, of input's shape or broadcasting up to it: booleans, or numbers of which 0
    leaves an item out. Its gradient is 0 then, whatever `input` and `target` hold there."""

COMMON: Final = {
    "input and target": """\
input : array_like
    Predictions x, of any shape and real dtype.
target : array_like
    True values t, of input's shape or broadcasting up to it.""",
    "scores and signs": """\
input : array_like
    Scores x, of any shape and real dtype.
target : array_like
    Classes t, each -1 or 1, of input's shape or broadcasting up to it; or booleans, where False
    stands for -1. Classes 0 and 1 in numbers are an error: pass ``2 * target - 1`` or booleans.""",
    "log-probabilities": """\
input : array_like
    Log-probabilities x, of any shape and real dtype; as from `log_softmax`. Not checked.""",
    "log_input": """\
log_input : bool
    Whether the input is the logarithm of the mean, or the mean itself.""",
    "location": """\
input : array_like
    Locations x, in the unit of the target; of any shape and real dtype.
target : array_like
    True values t, of input's shape or broadcasting up to it.""",
    "scale": """\
scale : array_like
    Positive scales s, in the unit of the target (not its square, as the ``var`` of
    `gaussian_nll_loss`): of input's shape or broadcasting up to it, or a number.""",
    "fisher": """\
fisher : bool
    Whether `value_grad_hess` gives the diagonal of the Fisher information, which is the expected
    second derivative and always positive, in the place of the second derivative; `hvp` goes by
    that too.""",
    "weight": """\
weight : array_like, optional
    Weights w of the elements, of input's shape or broadcasting up to it. What has the weight 0
    counts for nothing, whatever stands there.
where : array_like, optional
    Which elements count, of input's shape or broadcasting up to it: booleans, or numbers of which 0
    leaves an element out, also of what the reduction divides by.""",
    "reduction": _REDUCTION + _BUFFERS_IN_PLACE,
    "buffers of a call": _BUFFERS,
    "reduction of pairs": _REDUCTION + _PAIR_BUFFERS_IN_PLACE,
    "reduction of triples": (_REDUCTION + _PAIR_BUFFERS_IN_PLACE).replace(
        "each a tuple of two", "each a tuple of three"
    ),
    "reduction, mean over weights": """\
reduction : str
    "mean" (divides by the number of elements; with a weight by the sum of the weights, as torch
    does for this loss), "sum", "none", "batchmean" (divides by ``input.shape[0]``),
    "weighted_mean" (by the sum of the weights; 0 where that is 0) or "sum_by_nonzero_weights" (by
    the number of non-zero weights; 0 where there are none).
"""
    + _BUFFERS_IN_PLACE,
    "returns": _RETURNS.format(shape="input's shape"),
    "returns pairs": _RETURNS_TUPLES.format(number="two"),
    "returns triples": _RETURNS_TUPLES.format(number="three"),
    "log mean": """\
input : array_like
    Logarithms x of the mean, of any shape and real dtype.""",
    "counts": """\
target : array_like
    Counts t from 0 on, of input's shape or broadcasting up to it. Numbers that are no integers are
    accepted: the gamma function continues the factorial.""",
    "zero_logit": """\
zero_logit : array_like
    Logits z of the probability of an additional zero, of input's shape or broadcasting up to
    it.""",
    "logit of the mean": """\
input : array_like
    Logits x of the mean, of any shape and real dtype.""",
    "successes": """\
target : array_like
    Successes t from 0 to `trials`, of input's shape or broadcasting up to it.
trials : array_like
    Trials n from 0 on, of input's shape or broadcasting up to it. Numbers that are no integers are
    accepted, here and in `target`: the gamma function continues the factorial.""",
    "raises": """\
Raises
------
ValueError
    For shapes that do not broadcast, a value out of its range, an unknown reduction, an unfit
    buffer.
TypeError
    For complex, object and other dtypes that are not real numbers.""",
    "raises with domain": """\
Raises
------
ValueError
    For shapes that do not broadcast, a parameter out of its range, an unknown reduction, an unfit
    buffer. Also for an element that is not accepted, with its position; such a one is found in
    the pass over the data, so the contents of the buffers are unspecified then. NaN is accepted.
TypeError
    For complex, object and other dtypes that are not real numbers.""",
    "class input": """\
input : array_like
    Scores, of shape (C,), (N, C) or (N, C, d1, …), or with the classes on any other `axis`.""",
    "class target": """\
target : array_like
    Class numbers from 0 to C - 1 of any integer dtype, of input's shape without the class axis; or
    probabilities t of a floating dtype and input's shape. These must lie between 0 and 1, but for a
    rounding error; their sum is not checked.""",
    "ignore_index": """\
ignore_index : int
    Rows with this class number count for nothing: value 0, gradient 0, and no part in the
    mean's divisor. May lie inside or outside the range of classes.""",
    "sample_weight": """\
sample_weight : array_like, optional
    Weights of the rows, of input's shape without the class axis or broadcasting up to it. Each
    multiplies the value of its row, beside the weight of the class. A row of the weight 0 counts
    for nothing, whatever stands there.""",
    "sample_weight of lists": """\
sample_weight : array_like, optional
    Weights of the values, one for each, or broadcasting up to their shape. Each multiplies its
    value, beside `weight`. What has the weight 0 counts for nothing, whatever stands there.""",
    "class where": """\
where : array_like, optional
    Which classes there are in each row, of input's shape or broadcasting up to it: booleans, or
    numbers of which 0 leaves a class out. Such a class has the probability 0 and no term, its
    derivative is 0, and its score does not matter; C is the number of the others, in label
    smoothing too. A row of which nothing is left counts for nothing. A mask of the rows needs the
    class axis: ``where=mask[:, None]``.""",
    "axis": """\
axis : int, optional
    The class axis: 1 by default, 0 for an input of one dimension. Any works, without a copy.""",
    "reduction of rows": """\
reduction : str
    "mean" (divides by the sum of the class weights of the rows that count, so without these by
    their number; nan where that is 0), "sum", "none", "batchmean" (divides by
    ``input.shape[0]``, or 1 for one dimension), "weighted_mean" (by the sum of class weight times
    `sample_weight` of those rows; 0 where that is 0) or "sum_by_nonzero_weights" (by the number of
    rows for which that product is not 0; 0 where there are none).
"""
    + _BUFFERS_IN_PLACE,
    "reduction of rows, mean over rows": """\
reduction : str
    "mean" (divides by the number of rows that count; nan where that is 0), "sum", "none",
    "batchmean" (divides by ``input.shape[0]``, or 1 for one dimension), "weighted_mean" (by the sum
    of class weight times `sample_weight` of those rows; 0 where that is 0) or
    "sum_by_nonzero_weights" (by the number of rows for which that product is not 0; 0 where there
    are none).
"""
    + _BUFFERS_IN_PLACE,
    "returns rows": _RETURNS.format(shape="input's shape without the class axis"),
    "raises rows": """\
Raises
------
ValueError
    For a wrong shape, a value out of its range, an unknown reduction, an unfit buffer. Also for a
    probability in the target that is not accepted, with its position; such a one is found in the
    pass over the data, so the contents of the buffers are unspecified then. NaN is accepted.
TypeError
    For a dtype that is not accepted.
IndexError
    For a class out of range or one that `where` leaves out, with its position; nothing has been
    written then.""",
    "class numbers": """\
target : array_like
    Class numbers from 0 to C - 1 of any integer dtype, of input's shape without the class axis.""",
    "class weight": """\
weight : array_like of shape (C,), optional
    Weights w of the classes, one for each class. What has the weight 0 counts for nothing, whatever
    stands there. Weights of the rows are `sample_weight`: where there are as many rows as classes,
    nobody can tell that they were given here by mistake.""",
    "reduction of rows, mean over rows, weights within": """\
reduction : str
    "mean" (divides by the number of rows, also with a weight; nan where there are none), "sum",
    "none", "batchmean" (divides by ``input.shape[0]``, or 1 for one dimension), "weighted_mean"
    (by the sum over the rows of `sample_weight` times the mean of the row's weights; 0 where that
    is 0) or "sum_by_nonzero_weights" (by the sum, over the rows whose `sample_weight` is not 0, of
    the share of the row's weights that are not 0; 0 where there are none).
"""
    + _BUFFERS_IN_PLACE,
    "reduction of lists": """\
reduction : str
    "mean" (divides by the number of rows), "sum", "none", "batchmean" (divides by
    ``input.shape[0]``, or 1 for one dimension), "weighted_mean" (by the sum of `sample_weight`; 0
    where that is 0) or "sum_by_nonzero_weights" (by the number of rows whose `sample_weight` is not
    0; 0 where there are none).
"""
    + _FIT_BUFFERS
    + """\
Of a floating dtype, any strides, sharing no memory with an operand; but `grad_out` may be the
    input itself where there are no more than 512 classes."""
    + _WRITTEN
    + _RETURN_DIVISOR,
    "raises rows with probabilities": """\
Raises
------
ValueError
    For a wrong shape, an unknown reduction, an unfit buffer; for a target that is not accepted,
    with its position. NaN is accepted. The contents of the buffers are unspecified then.
TypeError
    For a dtype that is not accepted.""",
    "scores of lists": _SCORES_OF_LISTS.format(accepted="Any real numbers"),
    "scores of lists, relevances": _SCORES_OF_LISTS.format(accepted="0 or more"),
    "axis of lists": """\
axis : int
    The axis of the items: the last by default. Any works, without a copy.""",
    "weight of lists": """\
weight : array_like, optional
    Weights w of the lists, of the shape of the values (input's without `axis`) or broadcasting up
    to it.""",
    "reduction of values": _REDUCTION_OF_VALUES + _BUFFERS,
    "reduction of values, in place": _REDUCTION_OF_VALUES + _BUFFERS_IN_PLACE,
    "reduction of lists of valid items": """\
reduction : str
    "mean" (divides by the number of lists with an item that counts, also with a weight; nan where
    there are none), "sum", "none", "batchmean" (divides by ``input.shape[0]``, or 1 for one
    dimension), "weighted_mean" (by the sum of `sample_weight` of those lists; 0 where that is 0) or
    "sum_by_nonzero_weights" (by the number of those whose `sample_weight` is not 0; 0 where there
    are none).
"""
    + _BUFFERS,
    "returns values": _RETURNS.format(shape="a number for each sample, list or ensemble"),
    "thresholds": """\
thresholds : array_like
    Thresholds θ between the grades, of shape (K - 1,) for K grades, shared by all scores.""",
    "grades": """\
target : array_like
    Grades y from 0 to K - 1 of any integer dtype, of input's shape or broadcasting up to it.""",
    "ignored grades": """\
ignore_index : int
    Elements with this grade count for nothing: value 0, gradient 0, and no part in the mean's
    divisor. May lie inside or outside the range of grades.""",
    "reduction of grades": """\
reduction : str
    "mean" (divides by the number of elements that count, also with a weight; nan where that is 0),
    "sum", "none", "batchmean" (divides by the length of the first axis), "weighted_mean" (by the
    sum of the weights of those elements; 0 where that is 0) or "sum_by_nonzero_weights" (by the
    number of those whose weight is not 0; 0 where there are none).
"""
    + _PAIR_BUFFERS,
    "raises grades": """\
Raises
------
ValueError
    For shapes that do not fit, an unknown option, an unfit buffer.
TypeError
    For a dtype that is not accepted.
IndexError
    For a grade out of range, with its position. Nothing has been written then.""",
    "bits": """\
input : array_like
    Logits x, of shape (K - 1,), (N, K - 1) or (N, K - 1, d1, …) for K grades, or with those of a
    row on any other `axis`.
target : array_like
    Grades y from 0 to K - 1 of any integer dtype, of input's shape without the axis or broadcasting
    up to that.""",
    "weight of bits": """\
weight : array_like of shape (K - 1,), optional
    Weights w of the logits of a row. A logit of the weight 0 counts for nothing, whatever stands
    there.
ignore_index : int
    Rows with this grade count for nothing: value 0, gradient 0, and no part in the mean's divisor.
    May lie inside or outside the range of grades.
axis : int, optional
    The axis of the logits of a row: 1 by default, 0 for an input of one dimension. Any works,
    without a copy.""",
    "rows of bits": """\
sample_weight : array_like, optional
    Weights of the rows, of input's shape without the axis or broadcasting up to it. Each multiplies
    the value of its row. A row of the weight 0 counts for nothing, whatever stands there.
where : array_like, optional
    Which logits there are in each row, of input's shape or broadcasting up to it: booleans, or
    numbers of which 0 leaves a logit out; its derivative is 0 then. A row of which nothing is left
    counts for nothing.""",
    "reduction of bits": """\
reduction : str
    "mean" (divides by the number of rows that count, also with weights; nan where that is 0),
    "sum", "none", "batchmean" (divides by ``input.shape[0]``, or 1 for one dimension),
    "weighted_mean" (by the sum of `sample_weight` of those rows; 0 where that is 0) or
    "sum_by_nonzero_weights" (by the number of those whose `sample_weight` is not 0; 0 where there
    are none).
"""
    + _BUFFERS_IN_PLACE,
    "reduction of single bits": """\
reduction : str
    "mean" (divides by the number of logits that take part, also with weights; nan where that is 0),
    "sum", "none" (one value for each row), "batchmean" (divides by ``input.shape[0]``, or 1 for one
    dimension), "weighted_mean" (by the sum over these logits of `weight` times `sample_weight`; 0
    where that is 0) or "sum_by_nonzero_weights" (by the number of these for which that product is
    not 0; 0 where there are none).
"""
    + _BUFFERS_IN_PLACE,
    "returns bits": _RETURNS.format(shape="input's shape without the axis"),
    "activation input": """\
input : array_like
    Of any shape and real dtype.""",
    "activation out": """\
out : ndarray, optional, keyword only
    A buffer of the result's shape and a floating dtype; it is written to and returned.""",
    "activation out, in place": """\
out : ndarray, optional, keyword only
    A buffer of the result's shape and a floating dtype, which may be the input itself; it is
    written to and returned.""",
    "activation where": """\
where : array_like, optional
    Which elements there are, of input's shape or broadcasting up to it: booleans, or numbers of
    which 0 leaves an element out. Such an element is none of the x, and does not matter: it has the
    probability 0, also where nothing is left of a row.""",
    "activation returns": """\
Returns
-------
ndarray
    In the computation's dtype: float64 for float64 and integers, else float32 (also for half
    precision). ``.vjp(input, grad_output, …, *, grad_out=None)`` carries a gradient with respect
    to the result back to the input; it has input's shape and dtype.""",
    "vectors": """\
axis : int
    The axis along which the vectors lie. Any works, without a copy.""",
    "vector weight": """\
weight : array_like, optional
    Weights w of the values, of their shape or broadcasting up to it. What has weight 0 counts for
    nothing, whatever it holds: value and derivatives are 0.
sample_weight : array_like, optional
    More weights of the values, by which the others are multiplied.
where : array_like, optional
    Which values count, of their shape or broadcasting up to it: booleans, or numbers of which 0
    leaves a value out. It is 0 then, as are its derivatives, whatever the vectors hold there, and
    no reduction counts it.""",
    "reduction of vectors": """\
reduction : str
    "mean" (divides by the number of values, also with a weight), "sum", "none", "batchmean"
    (divides by the length of the first axis, or 1 for one dimension), "weighted_mean" (by the sum
    of the weights; 0 where that is 0) or "sum_by_nonzero_weights" (by the number of non-zero
    weights; 0 where there are none).
"""
    + _BUFFERS,
    "reduction of several vectors": _REDUCTION_OF_VECTORS
    + """\
out, grad_out, hess_out : ndarray or tuple of ndarray, optional, keyword only
    Buffers for the value (of shape () unless ``reduction="none"``), the gradients and the second
    derivatives, the last two each a tuple with an array or None for each gradient.
    """
    + _FIT
    + _WRITTEN
    + _RETURN_DIVISOR,
    "reduction of several vectors, first order": _REDUCTION_OF_VECTORS
    + """\
out, grad_out : ndarray or tuple of ndarray, optional, keyword only
    Buffers for the value (of shape () unless ``reduction="none"``) and the gradients, the latter a
    tuple with an array or None for each.
    """
    + _FIT
    + _WRITTEN
    + _RETURN_DIVISOR,
    "returns vectors": _RETURNS.format(shape="input's shape without the axis of the vectors"),
    "returns several vectors": """\
Returns
-------
value : scalar, or ndarray of the vectors' shape without their axis for ``reduction="none"``
    In the computation's dtype: float64 if an operand is float64 or none is floating, else
    float32 (also for half precision). `value_and_grad` returns (value, gradients),
    `value_grad_hess` (value, gradients, diagonals of the Hessians); the last two are tuples of
    arrays, each of its own operand's shape and (if that is floating) dtype. The gradient of a
    broadcast operand is summed over the axes along which it was repeated; where that is the axis of
    the vectors, its second derivative has the mixed ones in the sum.""",
    "pair returns": """\
Returns
-------
ndarray
    In the computation's dtype: float64 if an operand is float64 or none is floating, else float32
    (also for half precision). ``.vjp(x1, x2, grad_output, …, *, grad_out=None)`` carries a gradient
    with respect to the result back to both: a tuple of two arrays, each of its own operand's shape
    and dtype; that of a broadcast one is summed over the axes along which it was repeated.""",
    "boxes": """\
boxes1 : array_like
    Boxes (x1, y1, x2, y2), of shape (…, 4) or with these on any other `axis`.
boxes2 : array_like
    Boxes of boxes1's shape or broadcasting up to it.
eps : float
    Added to every divisor; finite, 0 or more. With 0, nothing by nothing is 0.
axis : int
    The axis of the four coordinates: the last by default. Any works, without a copy.
weight : array_like, optional
    Weights w of the pairs, of boxes1's shape without the axis or broadcasting up to that. A pair of
    the weight 0 counts for nothing, whatever stands there.
where : array_like, optional
    Which pairs count, of boxes1's shape without the axis or broadcasting up to that: booleans, or
    numbers of which 0 leaves a pair out, also of what the reduction divides by.""",
    "reduction of boxes": """\
reduction : str
    "mean" (divides by the number of pairs, also with a weight), "sum", "none", "batchmean"
    (divides by the length of the first axis of the pairs, or 1 for a single pair),
    "weighted_mean" (by the sum of the weights; 0 where that is 0) or "sum_by_nonzero_weights" (by
    the number of non-zero weights; 0 where there are none).
"""
    + _PAIR_BUFFERS,
    "returns boxes": """\
Returns
-------
value : scalar, or ndarray of boxes1's shape without the axis for ``reduction="none"``
    In the computation's dtype: float64 if an operand is float64 or none is floating, else
    float32 (also for half precision). `value_and_grad` returns (value, gradients),
    `value_grad_hess` (value, gradients, diagonals of the Hessians); the last two are tuples of
    two arrays, each of its own input's shape and (if that is floating) dtype.""",
    "notes on boxes": """\
Boxes share area only where both lengths of the intersection are above 0. Where two coordinates
are equal each has half of the derivative, as in torch. Boxes with x2 < x1 or y2 < y1 are taken as
they are. The areas are computed in float64 also for float32; coordinates of float64 may have sizes
up to 1e150.""",
    "region input": """\
input : array_like
    Logits x (or probabilities, without `from_logits`), of shape (N, C, d1, …) for N images of C
    classes, or with the classes on any other `axis`; (N, d1, …) in mode "binary".""",
    "region target": """\
target : array_like
    In mode "multiclass" class numbers from 0 to C - 1 of any integer dtype, of input's shape
    without the class axis; or probabilities t of a floating dtype and input's shape. In the other
    modes masks t of input's shape, of any real dtype. Masks and probabilities must be from 0 to 1:
    of a mask of 0 and 255 pass ``mask > 0``.""",
    "region weight": """\
weight : array_like of shape (C,), optional
    Weights w of the classes, by which their values are multiplied. A class of the weight 0, such as
    the background, counts for nothing, whatever stands there.""",
    "region options": """\
mode : {"multiclass", "multilabel", "binary"}
    One class for each pixel (softmax over the classes), any number of classes (sigmoid), or a
    single mask without a class axis (sigmoid).
from_logits : bool
    Whether the input holds logits; else it holds the probabilities p themselves, from 0 to 1, which
    is checked.""",
    "region smoothing": """\
smooth_nr, smooth_dr : float
    Added to numerator and denominator; finite, 0 or more.""",
    "region images": """\
per_image : bool
    Whether each image has its own sums and so its own value, or all of the batch have one.
ignore_index : int, optional
    Pixels with this class number, or this number in a mask, count for nothing: they are in no sum,
    and their gradient is 0.
axis : int, optional
    The class axis, 1 by default. The images are on axis 0, or on 1 if the classes are on 0.""",
    "region pixels": """\
sample_weight : array_like, optional
    Weights of the pixels, of their shape (input's without the class axis) or broadcasting up to it:
    each pixel enters all sums with its weight. That is within the values, so the mean's divisor
    stays. A pixel of the weight 0 counts for nothing, whatever stands there.
where : array_like, optional
    Which pixels count, of their shape or broadcasting up to it: booleans, or numbers of which 0
    leaves a pixel out.""",
    "region reduction": """\
reduction : str
    "mean" (divides by the number of values, also with a weight; nan where there are none), "sum",
    "none", "batchmean" (divides by the number of images), "weighted_mean" (by the sum of the
    weights of the values; 0 where that is 0) or "sum_by_nonzero_weights" (by the number of values
    whose weight is not zero; 0 where there are none).
"""
    + _BUFFERS,
    "returns regions": _RETURNS.format(shape="shape (N, C), (C,), (N,) or ()"),
    "raises regions": """\
Raises
------
ValueError
    For a wrong shape, a value out of its range, an unknown option, an unfit buffer. Also for a mask
    or a probability that is not accepted, with its position; NaN is accepted.
TypeError
    For a dtype that is not accepted.
IndexError
    For a class out of range, with its position. Nothing has been written then, nor for a mask.""",
    "return_divisor": _RETURN_DIVISOR,
    "weight of all pairs": """\
weight : array_like, optional
    Weights w of the values, of shape (N,) or broadcasting up to it. With weight 0 a vector has no
    loss of its own, whatever its similarities are: value 0, and no gradient from it. It still is
    among the negatives of the others.
sample_weight : array_like, optional
    More weights of the values, by which the others are multiplied.""",
    "where of labelled pairs": """\
where : array_like, optional
    Which vectors are there, of shape (N,) or broadcasting up to it: booleans, or numbers of which 0
    leaves a vector out. It has no loss then, is no other's positive or negative, and has gradient
    0, whatever it holds; no reduction counts it.""",
    "reduction of all pairs": """\
reduction : str
    "mean" (divides by the number of queries that are not left out, also with a weight), "sum",
    "none", "batchmean" (by the same number), "weighted_mean" (by the sum of the products of the
    weights; 0 where that is 0) or "sum_by_nonzero_weights" (by the number of products that are not
    zero; 0 where there are none).""",
    "reduction of labelled pairs": """\
reduction : str
    "mean" (divides by the number of vectors that have a loss, also with a weight; nan where there
    are none), "sum", "none", "batchmean" (divides by the number that are there), "weighted_mean"
    (by the sum of the products of the weights of the vectors with a loss; 0 where that is 0) or
    "sum_by_nonzero_weights" (by the number of those products that are not zero; 0 where there are
    none).""",
    "buffers of all pairs": """\
out, grad_out : ndarray, optional, keyword only
    Buffers for the value (of shape () unless ``reduction="none"``) and the gradient.
    """
    + _FIT
    + _WRITTEN
    + _RETURN_DIVISOR,
    "returns all pairs": """\
Returns
-------
value : scalar, or ndarray of shape (N,) for ``reduction="none"``
    In the computation's dtype: float64 if an operand is float64 or none is floating, else
    float32 (also for half precision). `value_and_grad` returns (value, gradient), or a tuple of
    gradients where several arrays have one.""",
    "labels of sequences": """\
targets : array_like
    Labels y of any integer dtype, from 0 to C - 1 but not the blank: of shape (N, S), padded at the
    end with anything; or of one axis, those of all sequences one after the other.
input_lengths : array_like
    How many of the steps each sequence has, from 0 to T: N integers, or one for all. What follows
    does not matter and has the gradient 0.
target_lengths : array_like
    How many labels each sequence has: N integers, or one for all.
blank : int
    The class of the blank, from 0 to C - 1.
sample_weight : array_like, optional
    Weights w of the sequences, of shape (N,) or broadcasting up to it. A sequence of the weight 0
    counts for nothing, whatever stands there.
zero_infinity : bool
    Whether labels that no alignment has have the value 0 rather than inf.""",
    "reduction of sequences": """\
reduction : str
    "mean" (divides each value by the number of its labels, at least 1, and then their sum by N, as
    torch does), "sum", "none", "batchmean" (divides the sum of the values by N), "weighted_mean"
    (by the sum of the weights; 0 where that is 0) or "sum_by_nonzero_weights" (by the number of
    non-zero weights; 0 where there are none).
out, grad_out : ndarray, optional, keyword only
    Buffers for the value (of shape () unless ``reduction="none"``) and the gradient.
    """
    + _FIT
    + _WRITTEN
    + _RETURN_DIVISOR,
    "returns sequences": """\
Returns
-------
value : scalar, or ndarray of shape (N,) for ``reduction="none"``, () of one sequence alone
    In the computation's dtype: float64 if an operand is float64 or none is floating, else
    float32 (also for half precision). `value_and_grad` returns (value, gradient).""",
    "raises sequences": """\
Raises
------
ValueError
    For a wrong shape, a length or a value out of its range, a label that is the blank, an unknown
    reduction, an unfit buffer.
TypeError
    For a dtype that is not accepted.
IndexError
    For a label out of range, with its position. Nothing has been written then.""",
    "notes on sequences": """\
The sums over alignments are products of scaled numbers with exponents of their own, in float64 for
any dtype: they do not underflow, and no step needs a logarithm. A thread works on one sequence at a
time, with about 48 T S bytes of memory for the gradient, S its labels, and some for each class.""",
    **OF_FAMILIES,
}


def filled(doc: str | None) -> str:
    """The docstring with the common parts put in."""
    lines = inspect.cleandoc(doc or "").split("\n")
    return "\n".join(COMMON.get(line[1:-1], line) for line in lines)
