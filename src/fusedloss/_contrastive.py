"""Losses of all pairs of vectors: products by NumPy's BLAS, and the row kernels on chunks of them.

The similarities of N vectors with M others are never held at once, but those of some rows at a
time. Of the vectors that all rows are compared with there are copies: as they are multiplied
(in the computation's dtype, normalised) and of their gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from fusedloss._arrays import (
    Array,
    Request,
    broadcast,
    check_reduction,
    divisor,
    finish,
    is_double,
    is_float,
    operand,
    put,
    scale_of,
    shown,
    value_output,
)
from fusedloss._several import Leaf, Leaves
from fusedloss.activations import logsigmoid, logsumexp, sigmoid
from fusedloss.classification import cross_entropy
from fusedloss.similarity import normalize

#: How many similarities are held at a time: few enough for a cache, enough rows for the products.
CHUNK: Final = 1 << 19
_ROWS: Final = 64  # but not fewer rows than these
EPS: Final = 1e-12  # vectors shorter than this are divided by it


# ---- vectors -------------------------------------------------------------------------------------


def vectors(name: str, value: Any, ndim: int = 2) -> tuple[Array, int]:
    """An operand of vectors along the last axis, and what its dtype asks for."""
    x, asks = operand(name, value)
    if x.ndim != ndim:
        raise ValueError(
            f"{name}: vectors in an array of {ndim} dimensions are needed, got shape {x.shape}"
        )
    return x, asks


def prepared(x: Array, dtype: Any, normalized: bool) -> Array:
    """The vectors as they are multiplied."""
    x = np.ascontiguousarray(x, dtype)
    return normalize(x, axis=-1, eps=EPS) if normalized else x


def carried_back(x: Array, grad: Array, normalized: bool, out: Array) -> None:
    """Write the gradient of the given vectors: through `prepared`."""
    if normalized:
        normalize.vjp(x, grad, axis=-1, eps=EPS, grad_out=out)
    else:
        put(out, grad)


def rows_at_a_time(count: int, width: int, least: int = _ROWS) -> Iterator[slice]:
    """Slices of some rows of so many similarities."""
    step = max(least, CHUNK // max(width, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


class Buffers:
    """Arrays for the similarities of some rows, the same for all slices."""

    def __init__(self, count: int, width: int, dtype: Any) -> None:
        self._arrays: Array | None = None
        self._shape, self._dtype = (count, width), dtype

    def __call__(self, rows: int) -> Array:
        if self._arrays is None:  # the first slice is the longest
            self._arrays = np.empty((self._shape[0], rows, self._shape[1]), self._dtype)
        return self._arrays[:, :rows]


# ---- values, weights, reduction ------------------------------------------------------------------


@dataclass
class Call:
    """What happens around the loops: weights of the values, outputs, reduction."""

    order: int
    double: bool
    dtype: Any
    count: int
    leaves: Leaves
    value: Array | None
    weight: Array | None  # of the values, float64
    by: tuple[float, bool]
    out: Any

    @property
    def factors(self) -> Array:
        """What the derivatives of each value are multiplied by, in a column."""
        scale = scale_of(*self.by)
        each = np.full(self.count, scale) if self.weight is None else self.weight * scale
        return each.astype(self.dtype)[:, np.newaxis]

    def finished(self, values: Array) -> Any:
        """What the call returns, of the values without weights."""
        wide = values if self.weight is None else values * self.weight
        if self.value is None:
            total = float(np.sum(wide, dtype=np.float64))
            result = finish(total, *self.by, self.double, self.out)
            return self.leaves.packed(result, self.by[0])
        put(self.value, wide)
        return self.leaves.packed(shown(self.value, self.out), self.by[0])


def begun(
    request: Request,
    operands: Sequence[Array],
    inputs: Sequence[Array],
    asks: int,
    weight: Any,
    reduction: str,
    counted: Array | None = None,
) -> Call:
    """Check weights and buffers. The operands are those with gradients; `counted` says
    which values have a part in what the reduction divides by."""
    count = len(operands[0])
    w = given = None
    if weight is not None:
        given, more = operand("weight", weight)
        asks |= more
        w = broadcast("weight", given, (count,), "the values").astype(np.float64)
    number = float(count if counted is None else np.count_nonzero(counted))
    weights = nonzero = number
    if w is not None:
        part = w if counted is None else w[counted]
        weights, nonzero = float(part.sum()), float(np.count_nonzero(part))
    double = is_double(asks)
    order, out = request[0], request[1]
    everything = (*inputs, given)
    value = value_output(out, (count,) if reduction == "none" else None, double, everything)
    views: list[Leaf] = [(x, lambda array: array) for x in operands]
    return Call(
        order,
        double,
        np.float64 if double else np.float32,
        count,
        Leaves(request, double, views, (*everything, value)),
        value,
        w,
        divisor(reduction, number, count, weights, nonzero),
        out,
    )


# ---- InfoNCE -------------------------------------------------------------------------------------


def info_nce(
    request: Request,
    query: Any,
    positive: Any,
    negatives: Any,
    temperature: float,
    normalized: bool,
    weight: Any,
    reduction: str,
) -> Any:
    """The logits of a query are those with vectors of its own, then those with the shared ones."""
    check_reduction(reduction)
    q, asks = vectors("query", query)
    k, more = vectors("positive", positive)
    if k.shape != q.shape:
        raise ValueError(
            f"positive: a vector for each query, shape {q.shape}, is needed; got shape {k.shape}"
        )
    operands, asks, dim = [q, k], asks | more, q.shape[1]
    own = [k[:, np.newaxis]]  # for each query
    shared = None
    if negatives is None:
        own, shared = [], k
    else:
        n, more = operand("negatives", negatives)
        if n.ndim == 2 and n.shape[1] == dim:
            shared = n
        elif n.ndim == 3 and n.shape[::2] == q.shape:
            own.append(n)
        else:
            raise ValueError(
                f"negatives: vectors for all queries, shape (M, {dim}), or for each of them, shape "
                f"({len(q)}, M, {dim}), are needed; got shape {n.shape}"
            )
        operands, asks = [q, k, n], asks | more
    call = begun(request, operands, operands, asks, weight, reduction)
    dtype, grads, factors = call.dtype, call.leaves.grads, call.factors
    downs = [grads[1][:, np.newaxis], *grads[2:]] if grads else []
    ends = list(np.cumsum([0, *(o.shape[1] for o in own)]))
    width, vectors_held = ends[-1], ends[-1] * dim
    values, labels = np.empty(len(q), dtype), np.arange(len(q)) * (not own)
    with np.errstate(all="ignore"):
        if shared is not None:
            keys = prepared(shared, dtype, normalized)
            width += len(keys)
            dkeys = np.zeros_like(keys)
        buffers = Buffers(2, width, dtype)
        for rows in rows_at_a_time(len(q), max(width, vectors_held), 1 if own else _ROWS):
            logits, slopes = buffers(rows.stop - rows.start)
            x = prepared(q[rows], dtype, normalized) * dtype(1 / temperature)
            theirs = [prepared(o[rows], dtype, normalized) for o in own]
            for o, at, to in zip(theirs, ends, ends[1:], strict=False):
                logits[:, at:to] = (o @ x[:, :, np.newaxis])[:, :, 0]
            if shared is not None:
                np.matmul(x, keys.T, out=logits[:, ends[-1] :])
            out = values[rows]
            if not grads:
                cross_entropy(logits, labels[rows], ignore_index=-1, reduction="none", out=out)
                continue
            cross_entropy.value_and_grad(
                logits, labels[rows], ignore_index=-1, reduction="none", out=out, grad_out=slopes
            )
            x *= factors[rows]
            dx = np.zeros_like(x)
            for j, o in enumerate(theirs):
                part = slopes[:, np.newaxis, ends[j] : ends[j + 1]]
                dx += (part @ o)[:, 0]
                down = part[:, 0, :, np.newaxis] * x[:, np.newaxis]
                carried_back(own[j][rows], down, normalized, downs[j][rows])
            if shared is not None:
                part = slopes[:, ends[-1] :]
                dx += part @ keys
                dkeys += part.T @ x
            dx *= factors[rows] * dtype(1 / temperature)
            carried_back(q[rows], dx, normalized, grads[0][rows])
        if grads and shared is not None:
            carried_back(shared, dkeys, normalized, grads[-1])
    return call.finished(values)


# ---- labelled vectors ----------------------------------------------------------------------------

#: From similarities of some vectors with all (overwritten), their values (written) and, where asked
#: for, the slopes.
RowLoss = Callable[[Array, Sequence[Array], Array, Array, Array, int], Array]


def labelled(
    request: Request,
    embeddings: Any,
    labels: Any,
    row_loss: RowLoss,
    spare: int,
    scale: float,
    needs_negatives: bool,
    normalized: bool,
    weight: Any,
    reduction: str,
) -> Any:
    """A loss of the similarities, times `scale`, of each vector with all others.

    `row_loss(similarities, spare, rows, groups, values, order)` is given `spare` arrays of the
    similarities' shape, and the numbers of their rows among all `groups`, which say what belongs
    together. Vectors without positives (or without negatives, where these are needed) are left out.
    """
    check_reduction(reduction)
    x, asks = vectors("embeddings", embeddings)
    t, _ = operand("labels", labels)
    if t.shape != x.shape[:1]:
        raise ValueError(
            f"labels: one for each vector, shape ({len(x)},), is needed; got shape {t.shape}"
        )
    if t.size and is_float(t.dtype):
        raise TypeError(f"labels: an integer dtype is needed, got {t.dtype}")
    _, groups, sizes = np.unique(t, return_inverse=True, return_counts=True)
    groups = groups.astype(np.int32)
    counted = sizes[groups] > 1
    if needs_negatives:
        counted &= sizes[groups] < len(x)
    call = begun(request, [x], (x, t), asks, weight, reduction, counted)
    dtype, grads, factors = call.dtype, call.leaves.grads, call.factors
    values, anchors = np.zeros(len(x), dtype), np.flatnonzero(counted)
    with np.errstate(all="ignore"):
        keys = prepared(x, dtype, normalized)
        dkeys = np.zeros_like(keys)
        buffers = Buffers(1 + spare, len(x), dtype)
        for part in rows_at_a_time(len(anchors), len(x)):
            rows = anchors[part]
            similarities, *others = list(buffers(len(rows)))
            y = keys[rows] * dtype(scale)
            np.matmul(y, keys.T, out=similarities)
            out = np.empty(len(rows), dtype)
            slopes = row_loss(similarities, others, rows, groups, out, call.order)
            values[rows] = out
            if grads:
                dkeys[rows] += (slopes @ keys) * (factors[rows] * dtype(scale))
                y *= factors[rows]
                dkeys += slopes.T @ y
        if grads:
            carried_back(x, dkeys, normalized, grads[0])
    return call.finished(values)


def among_positives(
    logits: Array, spare: Sequence[Array], rows: Array, groups: Array, values: Array, order: int
) -> Array:
    """Cross entropy of shares that are equal for all positives, without the vector itself."""
    slopes, shares = spare
    own = np.arange(len(rows)), rows
    logits[own] = -np.inf
    np.equal(groups[rows, np.newaxis], groups, out=shares, casting="unsafe")
    shares[own] = 0
    count = shares.sum(axis=1, dtype=np.float64).astype(shares.dtype)
    if order:
        cross_entropy.value_and_grad(logits, shares, reduction="none", out=values, grad_out=slopes)
        slopes /= count[:, np.newaxis]
    else:
        cross_entropy(logits, shares, reduction="none", out=values)
    values /= count
    return slopes


def circle(gamma: float, margin: float) -> RowLoss:
    """Softplus of the logsumexp of the positives plus that of the negatives."""

    def row_loss(
        s: Array, spare: Sequence[Array], rows: Array, groups: Array, values: Array, order: int
    ) -> Array:
        near, far, slopes, bends = spare
        real = s.dtype.type
        alike = groups[rows, np.newaxis] == groups
        np.minimum(s, 1, out=s)
        # Of the negatives: γ (s + m) (s - m), and 0 where s + m < 0.
        np.add(s, real(margin), out=slopes)
        np.maximum(slopes, 0, out=slopes)
        np.subtract(s, real(margin), out=far)
        far *= slopes
        far *= real(gamma)
        np.copyto(far, -np.inf, where=alike)
        # Of the positives, with d = 1 - s: γ (d + m) (d - m).
        np.subtract(1, s, out=bends)
        np.add(bends, real(margin), out=slopes)
        np.subtract(bends, real(margin), out=near)
        near *= slopes
        near *= real(gamma)
        alike[np.arange(len(rows)), rows] = False
        np.copyto(near, -np.inf, where=~alike)
        total = logsumexp(near, axis=1) + logsumexp(far, axis=1)
        np.negative(logsigmoid(-total), out=values)
        if order:
            slope = sigmoid(total)
            logsumexp.vjp(near, slope, axis=1, grad_out=slopes)
            slopes *= bends
            slopes *= real(-2 * gamma)
            logsumexp.vjp(far, slope, axis=1, grad_out=near)
            far[...] = s
            np.copyto(far, 0, where=(s <= -margin) | (s >= 1))
            near *= far
            near *= real(2 * gamma)
            slopes += near
        return slopes

    return row_loss
