"""What docstrings of one family say in the same words: see `doc_fragments`."""

from __future__ import annotations

from typing import Final

OF_FAMILIES: Final[dict[str, str]] = {
    "groups": """\
group_sizes : array_like, optional
    The number of rows of each group, of an integer dtype and shape (groups,), as LightGBM and
    XGBoost take them; the groups lie one after the other. 0 is accepted. One of `group_sizes` and
    `group_ids` is needed; ``group_sizes=[N]`` makes one group of all rows.
group_ids : array_like, optional
    An id for each row, of shape (N,), in rising order: numbers, strings, or what else sorts.
where : array_like, optional
    Which rows there are, of shape (N,) or broadcasting up to it: booleans, or numbers of which 0
    leaves a row out, whatever stands there.
weight : array_like, optional
    Weights w of the groups, of shape (groups,) or broadcasting up to it. A group of the weight 0
    is as if it were not there, whatever it holds.""",
    "reduction of groups": """\
reduction : str
    "mean" (divides by the number of groups that have rows and a weight that is not 0), "sum",
    "none" (a value for each group, 0 where there are no rows), "batchmean" (divides by N, the
    number of all rows), "weighted_mean" (by the sum of the weights of the groups that have rows; 0
    where that is 0) or "sum_by_nonzero_weights" (as "mean", but 0 if there are no such groups).""",
    "returns groups": """\
Returns
-------
value : scalar, or ndarray of shape (groups,) for ``reduction="none"``
    In the computation's dtype: float64 if `input` or `weight` is float64, or neither is floating,
    else float32; what else a plan stands for does not count. Sums within groups are float64 for any
    dtype.
    `value_and_grad` returns (value, gradient), `value_grad_hess` (value, gradient, diagonal of the
    Hessian); rows that do not count have 0 there.""",
    "raises groups": """\
Raises
------
TypeError
    If an argument is no array of numbers; if data is given together with a plan, or neither is.
ValueError
    If neither `group_sizes` nor `group_ids` is given, or both are; if sizes do not add up to the
    number of rows, or ids are not sorted; if shapes do not fit; if a row that counts has a number
    that is not accepted; if `plan` is one of another loss or of another number of rows; if a buffer
    is unfit, or an option unknown.""",
    "products": """\
The products are those of NumPy's BLAS, some rows of similarities at a time: beside copies of
the vectors and of their gradient a call needs 5 to 20 MB. Values and gradients are as accurate as
these products, and do not depend on the number of threads set here; they may on BLAS's.""",
}
