"""From the sum of the values to what a call returns, and the weights that this depends on."""

from __future__ import annotations

from math import copysign, inf, isnan, nan, prod
from typing import Any, Final

import numpy as np

from fusedloss._core.kernels import kernels
from fusedloss._core.operands import broadcast, common_shape, contiguous, operand
from fusedloss._core.outputs import unwrap_scalar
from fusedloss._core.tallies import Exact, exact, new_sums, read_sum
from fusedloss._core.types import Array

_arrays: Final = kernels.modules["arrays"]
_lists: Final = kernels.modules["lists"]

REDUCTIONS: Final = (
    "mean",
    "sum",
    "none",
    "batchmean",
    "weighted_mean",
    "sum_by_nonzero_weights",
)


def check_reduction(reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise ValueError(f"reduction: must be one of {', '.join(REDUCTIONS)}; got {reduction!r}")


class Upstream:
    """In the place of a reduction, from adapters: a number for each value, with which the sum is
    weighed. For losses whose weights are more than factors of the values."""

    def __init__(self, numbers: Array) -> None:
        self.numbers = numbers


def divisor_for(
    reduction: str, shape: tuple[int, ...], count: float, weights: float, nonzero: float
) -> tuple[float, bool]:
    """The divisor of the sum, and whether 0/0 is 0 (TensorFlow's rule) rather than nan.

    `shape` begins with the axis of the batch; `count` is what "mean" divides by, the others are the
    sum of the weights and the number of those that are not 0.
    """
    if reduction == "mean":
        return count, False
    if reduction == "batchmean":
        return shape[0] if shape else 1, False
    if reduction == "weighted_mean":
        return weights, True
    if reduction == "sum_by_nonzero_weights":
        return nonzero, True
    return 1.0, False


def weighted_divisor(
    reduction: str,
    shape: tuple[int, ...],
    weight: Array | None,
    where: Array | None,
    mean_by_weight: bool = False,
) -> tuple[float, bool]:
    """`divisor_for` values of this shape with a weight each, of those that `where` does not leave
    out. Weight and mask need not be broadcast to it; `mean_by_weight` says that "mean" divides by
    the weights, too.
    """
    size = float(prod(shape))
    count = size if where is None else _totals(size, where)[1]
    weights = nonzero = count
    if weight is not None and (
        mean_by_weight or reduction in ("weighted_mean", "sum_by_nonzero_weights")
    ):
        weights, nonzero = _totals(size, weight, where)
    return divisor_for(reduction, shape, weights if mean_by_weight else count, weights, nonzero)


def exact_counts(
    shape: tuple[int, ...],
    weight: Array | None,
    where: Array | None,
    mean_by_weight: bool = False,
) -> tuple[Exact, Exact, Exact]:
    """What `weighted_divisor` makes divisors of, without rounding: what "mean" divides by, the sum
    of the weights, and the number of those that are not 0."""
    size = float(prod(shape))
    count = exact(size if where is None else _totals(size, where)[1])
    weights = nonzero = count
    if weight is not None:
        weights, nonzero = _exact_totals(size, weight, where)
    return weights if mean_by_weight else count, weights, nonzero


def lifted(weight: Any, divisor: float) -> tuple[Any, float]:
    """Weights and their sum, times a power of two where the sum's inverse would overflow."""
    if weight is None or not 0 < abs(divisor) < 2.0**-1020:
        return weight, divisor
    return weight * 2.0**200, divisor * 2.0**200


def scale_of(divisor: float, zero_if_empty: bool) -> float:
    """The factor of the derivatives."""
    if divisor:
        return 1.0 / divisor
    return 0.0 if zero_if_empty else inf


def value_result(
    total: float,
    values: Array | None,
    divisor: float,
    zero_if_empty: bool,
    double: bool,
    out: Array | None,
) -> Any:
    """The value that a call returns: the array of values or, without one, the reduced total as a
    scalar of the computation's dtype; what the caller gave a buffer for is that buffer."""
    if values is not None:
        return unwrap_scalar(values, out)
    if divisor:
        total /= divisor
    elif zero_if_empty:
        total = 0.0
    else:
        total = nan if total == 0 or isnan(total) else copysign(inf, total)
    if out is None:
        return _arrays.scalar(total, double)
    _arrays.store_scalar(np.asarray(out), total, double)
    return out


# ---- weights -----------------------------------------------------------------------


def _totals(count: float, weight: Array, where: Array | None = None) -> tuple[float, float]:
    """The sum of the weights of `count` values, and the number of those that are not 0. The arrays
    broadcast up to the shape of the values."""
    if where is None and weight.size == count:
        total, nonzero = _arrays.scan_weights(weight, None)
        return total, float(nonzero)
    totals = _exact_totals(count, weight, where)
    return float(totals[0]), float(totals[1])


def _exact_totals(count: float, weight: Array, where: Array | None = None) -> tuple[Exact, Exact]:
    """`_totals` without rounding."""
    if where is not None:
        shape = common_shape(weight.shape, where.shape) or ()
        weight, where = np.broadcast_to(weight, shape), np.broadcast_to(where, shape)
    repeats = int(count) // weight.size if weight.size else 0
    (total,) = new_sums(1)
    nonzero = _arrays.scan_weights(weight, where, total)[1]
    return read_sum(total).times(repeats), exact(nonzero * repeats)


def product_of(shape: tuple[int, ...], weights: list[Array], there: Array | None = None) -> Array:
    """The product of weights in float64; 0 where one of them is 0, also times nan, or where
    `there` is False."""
    product = np.ones(shape)
    with np.errstate(all="ignore"):
        for weight in weights:
            product *= weight
    for weight in weights:
        np.copyto(product, 0, where=weight == 0)
    if there is not None:
        np.copyto(product, 0, where=~there)
    return product


class ValueWeights:
    """The factors of the values, and what reductions need to know of them."""

    def __init__(
        self,
        product: Array | None,
        given: tuple[Array, ...],
        precision: int,
        count: Any,
        total: Any,
        nonzero: Any,
        there: Array | None,
    ) -> None:
        self.product = product  # of the shape of the values
        self.given = given  # the arguments, as arrays: no buffer may share their memory
        self.precision = precision  # of their dtypes
        self.count = count  # of the values that `where` does not leave out
        self.total = total  # of the weights
        self.nonzero = nonzero  # the number of those that are not 0
        self.there = there  # which values are not left out, if some may be


def value_weights(
    weight: Any,
    sample_weight: Any,
    where: Any,
    shape: tuple[int, ...],
    what: str,
    reduction: str,
    exactly: bool = False,
) -> ValueWeights:
    """Weights and mask broadcast up to this shape, that of the values; errors call it `what`. With
    `exactly` what is counted is so."""
    count = float(prod(shape))
    whole: Any = exact if exactly else float
    totals_of: Any = _exact_totals if exactly else _totals
    if weight is None and sample_weight is None and where is None:
        number = whole(count)
        return ValueWeights(None, (), 0, number, number, number, None)
    given, weights, precision = [], [], 0
    for name, value in (("weight", weight), ("sample_weight", sample_weight)):
        if value is not None:
            array, more = operand(name, value)
            precision |= more
            given.append(array)
            weights.append(broadcast(name, array, shape, what))
    if where is None and len(weights) < 2:
        totals: tuple[Any, Any] = count, count
        if exactly or reduction in ("weighted_mean", "sum_by_nonzero_weights"):
            totals = totals_of(count, given[0])
        return ValueWeights(weights[0], tuple(given), precision, whole(count), *totals, None)
    there = None
    if where is not None:
        mask, _ = operand("where", where)  # whose precision does not matter
        given.append(mask)
        there = broadcast("where", mask, shape, what) != 0
        count = float(np.count_nonzero(there))
    product = product_of(shape, weights, there)
    totals = totals_of(product.size, product)
    return ValueWeights(product, tuple(given), precision, whole(count), *totals, there)


def class_weights(
    name: str,
    weight: Any,
    classes: int,
    one_for_all: bool = False,
    row_shape: tuple[int, ...] | None = None,
) -> tuple[Array, int]:
    """Weights of the classes, or with `one_for_all` perhaps one number, and their precision."""
    given, precision = operand(name, weight)
    if one_for_all and given.ndim == 0:
        given = np.broadcast_to(given, (classes,))
    if given.shape != (classes,):
        either = "a number, or one" if one_for_all else "one number"
        raise ValueError(
            f"{name}: {either} for each of the {classes} classes is needed, shape ({classes},), "
            f"got shape {given.shape}"
            + ("; weights of the rows are sample_weight=" if given.shape == row_shape else "")
        )
    return given, precision


def count_rows(
    rows: float,
    row_weight: Array | None,
    mask: Array | None,
    class_weight: Array | None = None,
    exactly: bool = False,
) -> tuple[Any, Any, Any]:
    """Of rows without class numbers: how many count, the sum of their weights, and the number of
    those that are not 0.

    A row of which the mask, with the classes last, leaves nothing does not count. With weights of
    the classes a row has the mean of those that are left. With `exactly` all three are so.
    """
    if mask is not None:
        wide = None if class_weight is None else contiguous(class_weight, np.float64)
        sums = new_sums(2) if exactly else None
        counts: tuple[Any, Any, Any] = _lists.scan_lists_left(mask, row_weight, wide, sums)
        if sums is not None:
            counts = exact(float(counts[0])), read_sum(sums[0]), read_sum(sums[1])
        return counts
    number: Any = exact(rows) if exactly else rows
    weights = nonzero = number
    if row_weight is not None:
        of_rows = _exact_totals if exactly else _totals
        weights, nonzero = of_rows(row_weight.size, row_weight)
    if class_weight is not None:
        total, count = _totals(class_weight.size, class_weight)
        shares = total / class_weight.size, count / class_weight.size
        if exactly:
            return number, weights._replace(factor=shares[0]), nonzero._replace(factor=shares[1])
        weights, nonzero = weights * shares[0], nonzero * shares[1]
    return number, weights, nonzero


def count_rows_of_items(
    rows: Any,
    item_weight: Array,
    row_weight: Array | None,
    mask: Array | None,
    exactly: bool = False,
) -> tuple[Any, Any, Any]:
    """`count_rows` where each item has a weight: each row has the mean of those of its items that
    are left. Arrays of items have these last; so many rows count."""
    there = np.broadcast_to(True, item_weight.shape) if mask is None else mask != 0
    left = np.maximum(np.count_nonzero(there, axis=-1), 1)
    factor = np.ones(left.shape) if row_weight is None else row_weight.astype(np.float64)
    items = np.where(there, item_weight, 0).astype(np.float64)
    with np.errstate(all="ignore"):
        means = items.sum(axis=-1) / left
        weights = np.where(factor == 0, 0, factor * means)
    nonzero = np.where(factor == 0, 0, np.count_nonzero(items, axis=-1) / left)
    of_rows: Any = _exact_totals if exactly else _totals
    return rows, of_rows(weights.size, weights)[0], of_rows(nonzero.size, nonzero)[0]
