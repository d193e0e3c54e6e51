"""Losses of a linear layer's outputs: products by NumPy's BLAS, and a public loss on some rows of
logits at a time, which writes their gradient in their place.

The logits are never held whole. Three products are all there is, of the same rows: the logits; the
gradient of the inputs; and what is added to that of the weights, in pieces that fit into a cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, isfinite, prod
from typing import Any, Final, Protocol

import numpy as np

from fusedloss._all_pairs import selections
from fusedloss._core.operands import contiguous, is_double, operand
from fusedloss._core.outputs import Gradients, store, unwrap_scalar, value_output
from fusedloss._core.reductions import divisor_for, scale_of, value_result
from fusedloss._core.threads import Alone
from fusedloss._core.types import Array, Request

#: Bytes of logits that are held at a time, and rows: as many as the products need to be fast.
LOGITS: Final = 48 << 20
MOST_ROWS: Final = 384
#: So many logits take long enough for threads besides BLAS's, between whose products they run.
WORTH_THREADS: Final = 1 << 22
#: Bytes of the weights' gradient that are computed at a time, to be added.
PIECE: Final = 2 << 20

#: Some rows: all of a range, or those with these numbers; Ellipsis: the only one.
Rows = Any


class Terms(Protocol):
    """A loss of logits, (N, C, d1 … dK) with the classes along axis 1, and all else that it is
    given: what it needs to know of all rows, and its call for some of them."""

    precision: int  # of the operands, or-ed together
    inputs: tuple[Any, ...]  # no buffer may share their memory
    counts: tuple[float, float, float]  # as in `divisor_for`
    active: Array | None  # which rows are to be computed, if not all
    value_shape: tuple[int, ...]  # of the values that are not reduced

    def evaluate(
        self, logits: Array, rows: Rows, with_grad: bool, out: Array, lse: Array | None
    ) -> None:
        """Write the values of these rows, or their sum, into `out`, their logsumexp, and with
        `with_grad` the gradient of the sum of the values over the logits."""


class Layer:
    """The operands of the linear layer."""

    def __init__(self, input: Any, linear_weight: Any, linear_bias: Any) -> None:
        x, precision = operand("input", input)
        w, more = operand("linear_weight", linear_weight)
        self.precision = precision | more
        if x.ndim not in (1, 2):
            raise ValueError(f"input: shape (D,) or (N, D) is needed, got {x.shape}")
        if w.ndim < 2 or w.shape[-1] != x.shape[-1]:
            raise ValueError(
                f"linear_weight: shape (C, {x.shape[-1]}) or (C, d1, …, {x.shape[-1]}) is needed, "
                f"as input has shape {x.shape}; got {w.shape}"
            )
        if w.shape[0] == 0:
            raise ValueError(f"linear_weight: shape {w.shape} has no classes")
        if x.ndim == 1 and w.ndim > 2:
            raise ValueError(
                f"input: shape (N, {x.shape[0]}) is needed for a linear_weight of {w.ndim} "
                f"dimensions; got {x.shape}"
            )
        self.differentiated = [x, w]
        if linear_bias is not None:
            b, more = operand("linear_bias", linear_bias)
            self.precision |= more
            if b.shape != w.shape[:-1]:
                raise ValueError(
                    f"linear_bias: shape {w.shape[:-1]}, that of linear_weight without its last "
                    f"axis, is needed; got {b.shape}"
                )
            self.differentiated.append(b)
        #: An array of the logits' shape, without memory.
        self.logits = np.broadcast_to(np.False_, x.shape[:-1] + w.shape[:-1])


def linear_head(
    request: Request, layer: Layer, terms: Terms, reduction: str, return_lse: bool = False
) -> Any:
    """Evaluate a loss of the layer's outputs, with gradients with respect to its operands."""
    order, out = request[:2]
    double = is_double(layer.precision | terms.precision)
    dtype: Any = np.float64 if double else np.float32
    reduced = reduction != "none"
    inputs = (*layer.differentiated, *terms.inputs)
    values = value_output(out, None if reduced else terms.value_shape, double, inputs)
    gradients = Gradients(
        request, double, [(x, None) for x in layer.differentiated], (*inputs, values)
    )
    lse = np.empty(terms.value_shape, dtype) if return_lse else None
    shape = layer.logits.shape
    divisor, zero_if_empty = divisor_for(reduction, shape if len(shape) > 1 else (), *terms.counts)
    x, w, *b = (contiguous(a, dtype) for a in layer.differentiated)
    x, w = (a.reshape(prod(a.shape[:-1]), a.shape[-1]) for a in (x, w))
    bias = b[0].reshape(-1) if b else None
    single = len(shape) == 1  # a row without an axis of rows
    blocks = _Blocks(w, dtype, (1, *shape) if single else shape)
    sums = _Sums(gradients.grads, x, w, scale_of(divisor, zero_if_empty)) if order else None
    total = []
    active = terms.active
    left_out = None  # of the gradient of the weights alone: all rows have a logsumexp
    if return_lse and active is not None:
        left_out = ~active
        active = None
    with np.errstate(all="ignore"):
        for rows, logits, part in blocks.of(x, bias, active):
            given: Rows = ... if single else rows
            sum_ = np.empty(()) if values is None else np.empty(values[given].shape, values.dtype)
            own = None if lse is None else lse[given]
            with Alone(logits.size < WORTH_THREADS):
                terms.evaluate(logits[0] if single else logits, given, order > 0, sum_, own)
            if values is None:
                total.append(float(sum_))
            else:
                values[given] = sum_
            if sums is not None:
                sums.add(rows, part, logits.reshape(len(part), len(w)), left_out)
        if values is not None:
            _clear(values, active)
        if sums is not None:
            sums.finish(active)
    value = value_result(_exact_sum(total), values, divisor, zero_if_empty, double, out)
    more = () if lse is None else (unwrap_scalar(lse, None),)
    return gradients.result(value, divisor, *more)


def _exact_sum(numbers: list[float]) -> float:
    return fsum(numbers) if all(map(isfinite, numbers)) else sum(numbers)


def _clear(array: Array, active: Array | None) -> None:
    """0 for the rows that are not computed."""
    if active is not None:
        array[~active] = 0


class _Blocks:
    """The logits of some rows at a time, in memory that all of them share."""

    def __init__(self, w: Array, dtype: Any, shape: tuple[int, ...]) -> None:
        self._w, self._shape = w, shape[1:]
        width = prod(self._shape)
        rows = min(LOGITS // max(1, width * w.itemsize), MOST_ROWS, max(1, shape[0]))
        self._rows = max(1, rows - rows % 16 if rows > 16 else rows)
        self._memory = np.empty((self._rows, width), dtype)

    def of(
        self, x: Array, bias: Array | None, active: Array | None
    ) -> Iterator[tuple[Rows, Array, Array]]:
        """Which rows, their logits, and their part of x."""
        for rows in selections(active, len(x), self._rows):
            part = x[rows]
            logits = self._memory[: len(part)]
            np.matmul(part, self._w.T, out=logits)
            if bias is not None:
                logits += bias
            yield rows, logits.reshape(len(part), *self._shape), part


class _Sums:
    """The gradients of input, weight and bias. What is added up over the rows is so in the
    computation's dtype (of the bias in float64)."""

    def __init__(self, grads: tuple[Array, ...], x: Array, w: Array, scale: float) -> None:
        self._grads, self._x, self._w, self._scale = grads, x, w, scale
        given = grads[1]
        fits = given.dtype == w.dtype and given.flags.c_contiguous
        self._dw = given.reshape(w.shape) if fits else np.empty_like(w)
        self._db = np.zeros(len(w)) if len(grads) > 2 else None
        step = max(64, PIECE // max(1, w.shape[1] * w.itemsize))
        self._pieces = [slice(k, k + step) for k in range(0, len(w), step)]
        self._piece = np.empty((min(step, len(w)), w.shape[1]), w.dtype)
        self._empty = True

    def add(self, rows: Rows, part: Array, slopes: Array, left_out: Array | None) -> None:
        """`part` is that of x, `slopes` the gradient of the sum over its logits. Rows that are left
        out have slopes of 0, and may hold what is not finite."""
        scale = part.dtype.type(self._scale)
        if not np.isfinite(scale):  # where the weights add up to 0: what they leave out is 0, still
            np.multiply(slopes, scale, out=slopes, where=slopes != 0)
            scale = part.dtype.type(1)
        dx = slopes @ self._w
        dx *= scale
        self._grads[0].reshape(self._x.shape)[rows] = dx
        part = part * scale
        if left_out is not None:
            part[left_out[rows]] = 0
        for piece in self._pieces:
            to = self._dw[piece]
            if self._empty:
                np.matmul(slopes[:, piece].T, part, out=to)
            else:
                to += np.matmul(slopes[:, piece].T, part, out=self._piece[: len(to)])
        if self._db is not None:
            self._db += slopes.sum(axis=0) * float(scale)
        self._empty = False

    def finish(self, active: Array | None) -> None:
        if self._empty:
            self._dw[...] = 0
        _clear(self._grads[0].reshape(self._x.shape), active)
        if not np.may_share_memory(self._dw, self._grads[1]):
            store(self._grads[1], self._dw.reshape(self._grads[1].shape))
        if self._db is not None:
            store(self._grads[2], self._db.reshape(self._grads[2].shape))
