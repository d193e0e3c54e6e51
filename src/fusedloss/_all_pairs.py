"""Losses of all pairs of vectors: products by NumPy's BLAS, and the row kernels on chunks of them.

The similarities of N vectors with M others are never held at once, but those of some rows at a
time. Of the vectors that all rows are compared with there are copies: as they are multiplied
(in the computation's dtype, normalised) and of their gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from fusedloss._core.operands import broadcast, is_double, is_float, operand
from fusedloss._core.outputs import Gradients, store, value_output
from fusedloss._core.parameters import positive as positive_number
from fusedloss._core.reductions import (
    check_reduction,
    divisor_for,
    lifted,
    scale_of,
    value_result,
    value_weights,
)
from fusedloss._core.types import Array, Request
from fusedloss.activations import logsigmoid, logsumexp, sigmoid
from fusedloss.classification import cross_entropy
from fusedloss.similarity import normalize

#: How many similarities are held at a time: few enough for a cache, enough rows for the products.
CHUNK: Final = 1 << 19
_ROWS: Final = 64  # but not fewer rows than these
EPS: Final = 1e-12  # vectors shorter than this are divided by it
_SINGLE: Final = np.finfo(np.float32)

#: Some rows: all of a range, or those with these numbers.
Selection = slice | Array


# ---- vectors -------------------------------------------------------------------------------------


def vectors(name: str, value: Any, ndim: int = 2) -> tuple[Array, int]:
    """An operand of vectors along the last axis, and its precision."""
    x, precision = operand(name, value)
    if x.ndim != ndim:
        raise ValueError(
            f"{name}: vectors in an array of {ndim} dimensions are needed, got shape {x.shape}"
        )
    return x, precision


def prepared(x: Array, dtype: Any, normalized: bool) -> Array:
    """The vectors as they are multiplied."""
    x = np.ascontiguousarray(x, dtype)
    return normalize(x, axis=-1, eps=EPS) if normalized else x


def carried_back(
    x: Array,
    grad: Array,
    normalized: bool,
    out: Array,
    rows: Selection = slice(None),
    kept: Array | None = None,
) -> None:
    """Write the gradient of some of the given vectors, through `prepared`; 0 for those not kept."""
    part = out[rows]
    if normalized:
        normalize.vjp(x[rows], grad, axis=-1, eps=EPS, grad_out=part)
    else:
        store(part, grad)
    if kept is not None:
        part[~kept] = 0
    if not isinstance(rows, slice):  # then the part is a copy
        out[rows] = part


def finite_rows(x: Array) -> Array:
    """The vectors, and 0 for those that are not finite: for products with slopes that are nan where
    such a vector counts, and 0 where it is left out."""
    good = np.isfinite(x).all(axis=-1, keepdims=True)
    return x if good.all() else np.where(good, x, x.dtype.type(0))


def chunk_of(width: int, least: int = _ROWS) -> int:
    """How many rows of so many similarities are held at a time."""
    return max(least, CHUNK // max(width, 1))


def rows_at_a_time(count: int, step: int) -> Iterator[slice]:
    """Slices of so many rows."""
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def selections(active: Array | None, count: int, step: int) -> Iterator[Selection]:
    """So many rows at a time of those that are active."""
    chosen = None if active is None or active.all() else np.flatnonzero(active)
    for part in rows_at_a_time(count if chosen is None else len(chosen), step):
        yield part if chosen is None else chosen[part]


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


class Call:
    """What happens around the loops: weights of the values, outputs, reduction.

    The `differentiated` operands are those with gradients, `parameters` those that similarities
    are multiplied by; `counted` says which values have a part in the divisor, of those that are
    there.
    """

    def __init__(
        self,
        request: Request,
        differentiated: Sequence[Array],
        inputs: Sequence[Any],
        precision: int,
        *,
        weight: Any,
        sample_weight: Any,
        where: Any,
        reduction: str,
        parameters: dict[str, float],
        counted: Callable[[Array | None], Array] | None = None,
    ) -> None:
        self.order, self._out = request[:2]
        self._count = count = len(differentiated[0])
        w = value_weights(weight, sample_weight, where, (count,), "the values", reduction)
        each = None if w.product is None else w.product.astype(np.float64, copy=False)
        number, total, nonzero = w.count, w.total, w.nonzero
        active = None if each is None else each != 0
        if counted is not None:
            part = counted(w.there)
            number = total = nonzero = float(np.count_nonzero(part))
            if each is not None:
                total, nonzero = float(each[part].sum()), float(np.count_nonzero(each[part]))
            active = part if active is None else active & part
        #: Which values are computed; the others are 0, as are their derivatives.
        self.active = active
        self.there = w.there  # which values are not left out
        self._double = is_double(precision | w.precision)
        everything = (*inputs, *w.given)
        values = (count,) if reduction == "none" else None
        self._value = value_output(self._out, values, self._double, everything)
        self._divisor, zero_if_empty = divisor_for(reduction, (count,), number, total, nonzero)
        self._weight, scaled = lifted(each, self._divisor)
        self._scaled = scaled, zero_if_empty
        self.dtype = _dtype_for(self._double, parameters)  # of the products
        self._gradients = Gradients(
            request, self._double, [(x, None) for x in differentiated], (*everything, self._value)
        )
        self.grads = self._gradients.grads

    @property
    def scales(self) -> Array:
        """What the derivatives of each value are multiplied by, in float64."""
        scale = scale_of(*self._scaled)
        return np.full(self._count, scale) if self._weight is None else self._weight * scale

    @property
    def factors(self) -> Array:
        """The same in a column."""
        return self.scales.astype(self.dtype)[:, np.newaxis]

    def result(self, values: Array) -> Any:
        """What the call returns, of the values without weights."""
        wide = values.astype(np.float64)
        if self._weight is not None:
            active = True if self.active is None else self.active
            np.multiply(wide, self._weight, out=wide, where=active)
        total = 0.0
        if self._value is None:
            total = float(np.sum(wide))
        else:
            store(self._value, wide)
        value = value_result(total, self._value, *self._scaled, self._double, self._out)
        return self._gradients.result(value, self._divisor)


def _dtype_for(double: bool, parameters: dict[str, float]) -> Any:
    """That of the products: float64 also for parameters that float32 does not hold."""
    for name, x in parameters.items():
        if np.isinf(x):
            raise ValueError(f"{name}: out of the range in which float64 can compute with it")
        if x and not _SINGLE.tiny <= abs(x) <= _SINGLE.max:
            double = True
    return np.float64 if double else np.float32


# ---- InfoNCE -------------------------------------------------------------------------------------


def info_nce(
    request: Request,
    query: Any,
    positive: Any,
    negatives: Any,
    temperature: Any,
    *,
    normalized: bool,
    negatives_where: Any,
    temperature_grad: bool,
    weight: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """The logits of a query are those with vectors of its own, then those with the shared ones."""
    check_reduction(reduction)
    tau = positive_number("temperature", temperature)
    q, precision = vectors("query", query)
    k, more = vectors("positive", positive)
    if k.shape != q.shape:
        raise ValueError(
            f"positive: a vector for each query, shape {q.shape}, is needed; got shape {k.shape}"
        )
    operands, precision, dim = [q, k], precision | more, q.shape[1]
    own = [k[:, np.newaxis]]  # for each query
    shared = None
    others = len(q)  # negatives of a query
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
        operands, precision, others = [q, k, n], precision | more, n.shape[-2]
    inputs: list[Any] = [*operands]
    mask = None
    if negatives_where is not None:
        given, _ = operand("negatives_where", negatives_where)
        mask = broadcast("negatives_where", given, (len(q), others), "the similarities")
        inputs.append(given)
    if temperature_grad:
        operands.append(np.asarray(tau))
        inputs.append(temperature if isinstance(temperature, np.ndarray) else None)
    with np.errstate(all="ignore"):
        call = Call(
            request,
            operands,
            inputs,
            precision,
            weight=weight,
            sample_weight=sample_weight,
            where=where,
            reduction=reduction,
            parameters={"temperature": 1 / tau},
        )
        dtype, grads = call.dtype, call.grads
        factors, scales, active = call.factors, call.scales, call.active
        pairs_there = call.there if negatives is None else None
        masked = mask is not None or pairs_there is not None

        def kept(rows: Selection) -> Array:
            """Which similarities of some queries with negatives count."""
            keep = np.ones((number_of(rows), others), bool) if mask is None else mask[rows] != 0
            if pairs_there is not None:
                keep = keep & pairs_there
            if not own:
                keep[np.arange(len(keep)), labels[rows]] = True  # the positives
            return keep

        downs = [grads[1][:, np.newaxis], *grads[2:3]][: len(own)] if grads else []
        ends = list(np.cumsum([0, *(o.shape[1] for o in own)]))
        width, vectors_held = ends[-1], ends[-1] * dim
        values, labels = np.zeros(len(q), dtype), np.arange(len(q)) * (not own)
        first = len(own) and 1  # column of the first negative
        dtau = 0.0
        if grads and active is not None:
            for grad in (grads[0], *downs):
                grad[~active] = 0
        if shared is not None:
            keys = prepared(shared, dtype, normalized)
            width += len(keys)
            dkeys = np.zeros_like(keys)
            used = np.zeros(len(keys), bool)
            clean = finite_rows(keys) if masked else keys
        buffers = Buffers(2, width, dtype)
        least = 1 if own else _ROWS
        for rows in selections(active, len(q), chunk_of(max(width, vectors_held), least)):
            count = number_of(rows)
            logits, slopes = buffers(count)
            x = prepared(q[rows], dtype, normalized) * dtype(1 / tau)
            theirs = [prepared(o[rows], dtype, normalized) for o in own]
            for o, at, to in zip(theirs, ends, ends[1:], strict=False):
                logits[:, at:to] = (o @ x[:, :, np.newaxis])[:, :, 0]
            if shared is not None:
                np.matmul(x, keys.T, out=logits[:, ends[-1] :])
            keep = None
            if masked:
                keep = kept(rows)
                np.copyto(logits[:, first:], -np.inf, where=~keep)
                theirs[1:] = [np.where(keep[:, :, np.newaxis], o, dtype(0)) for o in theirs[1:]]
            out = np.empty(count, dtype)
            if not grads:
                cross_entropy(logits, labels[rows], ignore_index=-1, reduction="none", out=out)
                values[rows] = out
                continue
            cross_entropy.value_and_grad(
                logits, labels[rows], ignore_index=-1, reduction="none", out=out, grad_out=slopes
            )
            values[rows] = out
            if keep is not None:
                np.copyto(slopes[:, first:], 0, where=~keep)
            if temperature_grad:
                # The slopes add up to 0: what counts is how much the others are above the positive.
                logits -= logits[np.arange(count), labels[rows]][:, np.newaxis]
                logits *= slopes
                np.copyto(logits, 0, where=slopes == 0)
                dtau -= float(scales[rows] @ logits.sum(axis=1, dtype=np.float64)) / tau
            x *= factors[rows]
            back = finite_rows(x) if masked else x
            dx = np.zeros_like(x)
            for j, o in enumerate(theirs):
                part = slopes[:, np.newaxis, ends[j] : ends[j + 1]]
                dx += (part @ o)[:, 0]
                down = part[:, 0, :, np.newaxis] * back[:, np.newaxis]
                carried_back(own[j], down, normalized, downs[j], rows, keep if j else None)
            if shared is not None:
                part = slopes[:, ends[-1] :]
                dx += part @ clean
                dkeys += part.T @ back
                used |= True if keep is None else keep.any(axis=0)
            dx *= factors[rows] * dtype(1 / tau)
            carried_back(q, dx, normalized, grads[0], rows)
        if grads and shared is not None:
            carried_back(shared, dkeys, normalized, grads[2 if own else 1], kept=used)
        if grads and temperature_grad:
            grads[-1][...] = dtau
        return call.result(values)


def number_of(rows: Selection) -> int:
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)


# ---- labelled vectors ----------------------------------------------------------------------------

#: From similarities of some vectors with all (overwritten), their values (written) and, where asked
#: for, the slopes.
RowLoss = Callable[[Array, Sequence[Array], Array, Array, Array, int], Array]


def anchor_loss(
    request: Request,
    embeddings: Any,
    labels: Any,
    row_loss: RowLoss,
    spare: int,
    scale: float,
    needs_negatives: bool,
    *,
    normalized: bool,
    parameters: dict[str, float],
    weight: Any,
    sample_weight: Any,
    where: Any,
    reduction: str,
) -> Any:
    """A loss of the similarities, times `scale`, of each vector with all others.

    `row_loss(similarities, spare, rows, groups, values, order)` is given `spare` arrays of the
    similarities' shape, and the numbers of their rows among all `groups`, which say what belongs
    together. Vectors without positives (or without negatives, where these are needed) are left out.
    """
    check_reduction(reduction)
    x, precision = vectors("embeddings", embeddings)
    t, _ = operand("labels", labels)
    if t.shape != x.shape[:1]:
        raise ValueError(
            f"labels: one for each vector, shape ({len(x)},), is needed; got shape {t.shape}"
        )
    if t.size and is_float(t.dtype):
        raise TypeError(f"labels: an integer dtype is needed, got {t.dtype}")
    groups: Array = np.empty(0, np.int32)

    def counted(there: Array | None) -> Array:
        """Which vectors have a loss."""
        nonlocal groups
        members = t if there is None else t[there]
        _, groups, sizes = np.unique(members, return_inverse=True, return_counts=True)
        groups = groups.astype(np.int32)
        some: Array = sizes[groups] > 1
        if needs_negatives:
            some &= sizes[groups] < len(members)
        if there is None:
            return some
        found = np.zeros(len(t), bool)
        found[there] = some
        return found

    with np.errstate(all="ignore"):
        call = Call(
            request,
            [x],
            (x, t),
            precision,
            weight=weight,
            sample_weight=sample_weight,
            where=where,
            reduction=reduction,
            parameters=parameters,
            counted=counted,
        )
        dtype, grads, values = call.dtype, call.grads, np.zeros(len(x), call.dtype)
        active: Any = call.active
        members: Selection = slice(None) if call.there is None else np.flatnonzero(call.there)
        factors, anchors = call.factors[members], np.flatnonzero(active[members])
        found = np.zeros(len(factors), dtype)
        keys = prepared(x[members], dtype, normalized)
        dkeys = np.zeros_like(keys)
        buffers = Buffers(1 + spare, len(keys), dtype)
        for part in rows_at_a_time(len(anchors), chunk_of(len(keys))):
            rows = anchors[part]
            similarities, *others = list(buffers(len(rows)))
            y = keys[rows] * dtype(scale)
            np.matmul(y, keys.T, out=similarities)
            out = np.empty(len(rows), dtype)
            slopes = row_loss(similarities, others, rows, groups, out, call.order)
            found[rows] = out
            if grads:
                dkeys[rows] += (slopes @ keys) * (factors[rows] * dtype(scale))
                y *= factors[rows]
                dkeys += slopes.T @ y
        values[members] = found
        if grads:
            if call.there is not None:
                grads[0][~call.there] = 0
            if len(anchors):
                carried_back(x, dkeys, normalized, grads[0], members)
            else:
                grads[0][...] = 0
        return call.result(values)


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
        near, far, slopes, curvatures = spare
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
        np.subtract(1, s, out=curvatures)
        np.add(curvatures, real(margin), out=slopes)
        np.subtract(curvatures, real(margin), out=near)
        near *= slopes
        near *= real(gamma)
        alike[np.arange(len(rows)), rows] = False
        np.copyto(near, -np.inf, where=~alike)
        total = logsumexp(near, axis=1) + logsumexp(far, axis=1)
        np.negative(logsigmoid(-total), out=values)
        if order:
            slope = sigmoid(total)
            logsumexp.vjp(near, slope, axis=1, grad_out=slopes)
            slopes *= curvatures
            slopes *= real(-2 * gamma)
            logsumexp.vjp(far, slope, axis=1, grad_out=near)
            far[...] = s
            np.copyto(far, 0, where=(s <= -margin) | (s >= 1))
            near *= far
            near *= real(2 * gamma)
            slopes += near
        return slopes

    return row_loss
