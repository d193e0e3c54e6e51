"""Blocks of rows of a linear objective: their scores, and what is added up of them.

Blocks are cut by the number of the row among all rows, and their results are added up without
rounding; so neither the chunks that the rows come in nor the order of these matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from fusedloss._core.frameworks import family
from fusedloss._core.kernels import kernels
from fusedloss._core.tallies import Exact, exact
from fusedloss._core.threads import threads_for
from fusedloss._core.types import Array
from fusedloss._named import Bound, unwanted

_blocks: Final = kernels.modules["blocks"]

#: So many numbers of X are a block: a gradient reads them twice, the second time from the cache.
_ROOM: Final = 1 << 19
#: Rows of a product that BLAS leaves to one thread, with up to so many coefficients: the order of
#: its sums depends on its threads.
_FEW_ROWS: Final = 256
_FEW_COEFFICIENTS: Final = 1024
#: Rows of a block of a sparse array.
_SPARSE_ROWS: Final = 4096
OVER_CLASSES: Final = ("classification", "margins")


def is_sparse(X: Any) -> bool:
    """Whether this is of scipy.sparse, whose classes need not be imported for that."""
    return hasattr(X, "tocsr")


def rows_of_block(X: Any) -> int:
    """So many rows are worked on at once, whatever the number of all: a power of two."""
    if is_sparse(X):
        return _SPARSE_ROWS
    most = max(256, _ROOM // max(1, X.shape[1]))
    return 1 << (int(most).bit_length() - 1)


def options_of(loss: Bound, weight: Array | None, outputs: int | None) -> dict[str, Any]:
    """The options of a call, with the weights of its rows."""
    options = dict(loss.options)
    if family(loss.loss) in OVER_CLASSES:
        options["axis"] = -1
        options["sample_weight"] = weight
    elif weight is not None:
        options["weight"] = weight if outputs is None else weight[:, np.newaxis]
    return options


class Rows(NamedTuple):
    """Some rows: features, the loss's other operands, and weights."""

    X: Any
    operands: dict[str, Array]
    weight: Array | None

    def part(self, start: int, stop: int) -> Rows:
        """Those from `start` up to `stop`, as views."""
        part = slice(start, stop)
        operands = {name: part_of(name, array, part) for name, array in self.operands.items()}
        X = _sparse_rows(self.X, start, stop) if is_sparse(self.X) else self.X[part]
        return Rows(X, operands, None if self.weight is None else self.weight[part])


def part_of(name: str, array: Array, part: slice) -> Array:
    """The rows of an operand, if it has them."""
    return array[part] if array.ndim and name != "thresholds" else array


def _sparse_rows(X: Any, start: int, stop: int) -> Any:
    """Rows of a csr array, without a copy of their numbers."""
    if (start, stop) == (0, X.shape[0]):
        return X
    first, last = X.indptr[start], X.indptr[stop]
    data = X.data[first:last], X.indices[first:last], X.indptr[start : stop + 1] - first
    return type(X)(data, shape=(stop - start, X.shape[1]), copy=False)


class Sums:
    """A sum of values, and one of vectors; the order in which they are added does not matter."""

    def __init__(self, size: int = 0) -> None:
        self.total = Exact()
        self.rows = 0
        self.vector: Array = np.zeros((size, _blocks.ITEMS), np.int64)

    def add(self, rows: int, value: float, vector: Array | None = None) -> None:
        """Add those of a block of so many rows."""
        self.rows += rows
        self.total = self.total.plus(exact(value))
        if vector is not None:
            _blocks.add_vector(self.vector, vector)

    def merge(self, other: Sums) -> Sums:
        """Add those of other rows; returns this one."""
        self.total = self.total.plus(other.total)
        self.rows += other.rows
        if len(self.vector) == 0:
            self.vector = other.vector.copy()
        elif len(other.vector):
            _blocks.merge_vectors(self.vector, other.vector)
        return self

    def value(self) -> float:
        return self.total.rounded()

    def rounded(self) -> Array:
        """The sum of the vectors."""
        vector: Array = _blocks.round_vector(self.vector)
        return vector


class Point(NamedTuple):
    """Coefficients: weights (D,) or (K, D), and the intercept or intercepts, or None."""

    weights: Array
    intercepts: Any


def split_coef(
    coef: Array, outputs: int | None, features: int, fit_intercept: bool
) -> tuple[Array, Any]:
    """Views of the weights and of the intercepts; None where there are none. One intercept is an
    array without dimensions."""
    count = (outputs or 1) * features
    weights, intercepts = coef[:count], coef[count:]
    if outputs is not None:
        weights = weights.reshape(outputs, features)
    elif fit_intercept:
        intercepts = intercepts.reshape(())
    return weights, intercepts if fit_intercept else None


class Block:
    """A part of the rows, with its scores at one point. `room` is for what is made of them."""

    def __init__(
        self, loss: Bound, rows: Rows, outputs: int | None, room: tuple[Array, ...]
    ) -> None:
        self.X, self.operands, self.loss = rows.X, rows.operands, loss.loss
        self.others = unwanted(loss.loss, loss.options)
        self.options = options_of(loss, rows.weight, outputs)
        self.scores: Array = room[0]
        self.slopes, self.directions = (array[: rows.X.shape[0]] for array in room[1:])
        #: Whether it is work for our kernels, whose sums do not depend on the number of threads.
        self.in_rows = outputs in (None, 1) and isinstance(rows.X, np.ndarray) and _has_rows(rows.X)

    def _call(self, method: Callable[..., Any], **more: Any) -> Any:
        return method(self.scores, reduction="sum", **self.operands, **self.options, **more)

    def look_at(self, point: Point) -> None:
        """Compute the scores at a point."""
        self._product(point, self.scores)

    def value(self) -> float:
        return float(self._call(self.loss))

    def value_and_grad(self, to: Array, to_intercepts: Any) -> float:
        """Write the gradient of the sum to `to`; returns the sum."""
        to_scores = (self.slopes, *self.others) if self.others else self.slopes
        value, _ = self._call(self.loss.value_and_grad, grad_out=to_scores)
        self._gradient(to, to_intercepts)
        return float(value)

    def hessp(self, direction: Point, to: Array, to_intercepts: Any) -> None:
        """Write the product of the Hessian and a direction."""
        self._product(direction, self.directions)
        self._call(self.loss.hvp, v=self.directions, hvp_out=self.slopes)
        self._gradient(to, to_intercepts)

    def _product(self, point: Point, out: Array) -> None:
        """X times the weights, and the intercepts."""
        weights, intercepts = point
        turned = weights.astype(self.X.dtype, copy=False).T
        if self.in_rows:
            added = 0.0 if intercepts is None else float(intercepts.item())
            turned, out = turned.reshape(-1), out.reshape(-1)
            _blocks.multiply_rows(self.X, turned, added, out, threads_for(self.X.size))
            return
        if isinstance(self.X, np.ndarray):
            for part in self._parts():
                np.matmul(self.X[part], turned, out=out[part])
        else:
            np.copyto(out, self.X @ np.ascontiguousarray(turned))
        if intercepts is not None:
            out += intercepts.astype(out.dtype, copy=False)

    def _parts(self) -> list[slice]:
        """The rows in parts for BLAS."""
        rows, columns = self.X.shape
        few = columns * self.scores[:1].size <= _FEW_COEFFICIENTS
        step = _FEW_ROWS if few else max(1, rows)
        return [slice(k, k + step) for k in range(0, rows, step)]

    def _gradient(self, to: Array, to_intercepts: Any) -> None:
        if self.in_rows:
            slopes, to = self.slopes.reshape(-1), to.reshape(-1)
            _blocks.add_rows(self.X, slopes, to, threads_for(self.X.size))
        elif isinstance(self.X, np.ndarray):
            to[...] = 0
            for part in self._parts():
                to += self.slopes[part].T @ self.X[part]
        else:
            to[...] = (self.X.T @ self.slopes).T
        if to_intercepts is not None:
            columns = self.slopes.reshape(len(self.slopes), -1)
            ones = np.ones(len(columns), columns.dtype)
            _blocks.add_rows(columns, ones, to_intercepts.reshape(-1), 1)

    def hess(self, to: Array, fit_intercept: bool) -> None:
        """Add the Hessian of the sum to `to`: [k, i, l, j] is for weight i of output k and weight j
        of output l, and the last weight of each is the intercept, if there are any. Only what has k
        up to l is computed."""
        outputs = to.shape[0]
        for k in range(outputs):
            unit: Any = 1.0
            if self.scores.ndim > 1:
                unit = np.zeros(outputs)
                unit[k] = 1
            self._call(self.loss.hvp, v=unit, hvp_out=self.slopes)
            column = self.slopes.reshape(len(self.slopes), outputs)
            for other in range(k, outputs):
                curvatures = np.ascontiguousarray(column[:, other])
                if curvatures.any():
                    self._add_gram(curvatures, to[k, :, other], fit_intercept)

    def _add_gram(self, curvatures: Array, to: Array, fit_intercept: bool) -> None:
        features = self.X.shape[1]
        if curvatures.min() >= 0:  # of one array, which BLAS computes at half the cost
            scaled = self.X * np.sqrt(curvatures)[:, np.newaxis]
            to[:features, :features] += scaled.T @ scaled
        else:
            to[:features, :features] += self.X.T @ (self.X * curvatures[:, np.newaxis])
        if fit_intercept:
            sums = curvatures @ self.X
            to[features, :features] += sums
            to[:features, features] += sums
            to[features, features] += curvatures.sum(dtype=np.float64)


def _has_rows(X: Array) -> bool:
    """Whether each row is one piece of memory."""
    flags, item = X.flags, X.itemsize
    return flags.aligned and (X.shape[1] < 2 or X.strides[1] == item) and X.strides[0] % item == 0


def cut(chunks: Iterable[Rows]) -> Iterator[Rows]:
    """The rows of chunks in blocks, as if they were one. A block of several chunks is put together
    in memory that the next such block uses again; so is one whose rows are not one piece each."""
    carry: _Carry | None = None
    for rows in chunks:
        count, start = rows.X.shape[0], 0
        if carry is None:
            carry = _Carry(rows)
        size = carry.size
        direct = is_sparse(rows.X) or _has_rows(rows.X)
        while start < count:
            if carry.filled == 0 and count - start >= size and direct:
                yield rows.part(start, start + size)
                start += size
                continue
            stop = min(count, start + size - carry.filled)
            carry.add(rows.part(start, stop))
            start = stop
            if carry.filled == size:
                yield carry.take()
    if carry is not None and carry.filled:
        yield carry.take()


class _Carry:
    """Rows that wait for others of their block."""

    def __init__(self, like: Rows) -> None:
        self.size = rows_of_block(like.X)
        self.filled = 0
        self._parts: list[Any] = []  # of sparse ones
        if not is_sparse(like.X):
            self._X: Array = np.empty((self.size, like.X.shape[1]), like.X.dtype)
        self._operands = {
            name: np.empty((self.size, *array.shape[1:]), array.dtype)
            if part_of(name, array, slice(0)) is not array
            else array
            for name, array in like.operands.items()
        }
        self._weight = None if like.weight is None else np.empty(self.size, like.weight.dtype)

    def add(self, rows: Rows) -> None:
        part = slice(self.filled, self.filled + rows.X.shape[0])
        if is_sparse(rows.X):
            self._parts.append(rows.X)
        else:
            self._X[part] = rows.X
        for name, array in rows.operands.items():
            kept = self._operands[name]
            if part_of(name, kept, slice(0)) is not kept:
                kept[part] = array
        if self._weight is not None:
            self._weight[part] = rows.weight
        self.filled = part.stop

    def take(self) -> Rows:
        """All that is there."""
        stop, self.filled = self.filled, 0
        if self._parts:
            from scipy.sparse import vstack

            X, self._parts = vstack(self._parts, format="csr"), []
        else:
            X = self._X[:stop]
        operands = {n: part_of(n, a, slice(stop)) for n, a in self._operands.items()}
        return Rows(X, operands, None if self._weight is None else self._weight[:stop])


class Room:
    """Memory that all blocks share, but for the scores where these are kept."""

    def __init__(self, rows: int, outputs: int | None, dtype: Any, kept: bool) -> None:
        shape = (rows,) if outputs is None else (rows, outputs)
        self._arrays = [np.empty(shape, dtype) for _ in range(2 if kept else 3)]

    def of(self, rows: int) -> tuple[Array, ...]:
        """For a block whose scores need not be kept."""
        return tuple(array[:rows] for array in self._arrays)

    def with_scores(self, rows: int) -> tuple[Array, ...]:
        """For one whose scores are kept."""
        like = self._arrays[0]
        return np.zeros((rows, *like.shape[1:]), like.dtype), *self._arrays


def added_up(
    blocks: Iterable[Block],
    what: str,
    split: Callable[[Array], tuple[Array, Any]],
    size: int,
    v: Array | None,
) -> Sums:
    """The sum over blocks of the values; with "grad" also of the gradients, which have so many
    components; with "hessp" of the products of the Hessians and v alone."""
    sums = Sums(0 if what == "value" else size)
    vector = np.empty(size)
    to = split(vector)
    direction = None if v is None else Point(*split(v))
    for block in blocks:
        rows = block.X.shape[0]
        if direction is not None:
            block.hessp(direction, *to)
            sums.add(rows, 0.0, vector)
        elif what == "grad":
            sums.add(rows, block.value_and_grad(*to), vector)
        else:
            sums.add(rows, block.value())
    return sums
