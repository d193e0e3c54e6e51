"""Losses of Dask arrays: values, gradients, and linear objectives.

Each chunk of rows makes a `Partial`, and these are merged in a tree; so results have the bits of
one call on all rows, whatever the chunks, the scheduler, and the workers that are lost on the way.
Arrays are cut along their first axis: other axes are put together first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from operator import add
from typing import Any, Final

import dask.array as da
import numpy as np
from dask.delayed import delayed

from fusedloss._core.frameworks import family
from fusedloss._core.operands import is_double, is_float, operand
from fusedloss._core.partials import Partial, tallied_and_grad
from fusedloss._core.reductions import check_reduction
from fusedloss._core.tallies import Tally
from fusedloss._core.types import Array
from fusedloss._linear_blocks import Sums
from fusedloss._linear_rows import Asked, Chunks, aligned_chunks, sums_of_arrays
from fusedloss._named import Bound, bound
from fusedloss.linear import Objective

__all__ = ["objective", "value", "value_and_grad"]

#: So many results are merged at once.
_SPLIT: Final = 8
#: The families whose option `weight` has a number for each value, which has axes of its own.
_VALUES_HAVE_WEIGHTS: Final = ("boxes", "similarity", "ensembles", "ranking")


def value(loss: Any, *operands: Any, **options: Any) -> Any:
    """The value of a loss of Dask arrays.

    Parameters
    ----------
    loss : Loss, Criterion or str
        A loss that is a sum over elements or rows, or its name.
    *operands : dask.array.Array or array_like
        What the loss takes, such as input and target. The first one is a Dask array; the chunks of
        its rows are those of the work. Others may be NumPy arrays, which are cut likewise.
    **options
        Those of the loss. Weights and masks may be Dask arrays, too. ``reduction="none"`` is none
        of them: ``da.map_blocks`` does that.

    Returns
    -------
    value : dask.array.Array
        Without dimensions, and not computed yet.

    Raises
    ------
    ValueError
        If the sizes of the chunks are not known, or shapes do not fit.

    Examples
    --------
    >>> import dask.array as da
    >>> import fusedloss as fl
    >>> x, t = da.arange(6.0, chunks=4), da.zeros(6, chunks=3)
    >>> fl.dask.value("mse_loss", x, t).compute()
    np.float64(9.166666666666666)
    """
    call = _Call(loss, operands, options)
    return call.value(call.partial())


def value_and_grad(loss: Any, *operands: Any, **options: Any) -> tuple[Any, Any]:
    """The value and the gradient of a loss of Dask arrays.

    The parameters are those of `value`. What the sum is divided by is known when all chunks have
    been looked at; then the gradients are made, so chunks are needed twice: ``persist`` those that
    take long to make.

    Returns
    -------
    value : dask.array.Array
        Without dimensions.
    grad : dask.array.Array or tuple of them
        With the chunks of the input. Neither is computed yet: ``dask.compute(value, grad)``.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> import fusedloss as fl
    >>> x, t = da.arange(4.0, chunks=3), da.zeros(4, chunks=3)
    >>> value, grad = fl.dask.value_and_grad(fl.HuberLoss(delta=2.0), x, t)
    >>> dask.compute(value, grad)
    (np.float64(1.625), array([0.  , 0.25, 0.5 , 0.5 ]))
    """
    call = _Call(loss, operands, options)
    whole = call.partial()
    return call.value(whole), call.gradients(whole)


class _Call:
    """A loss of arrays of which some are Dask's."""

    def __init__(self, loss: Any, operands: tuple[Any, ...], options: dict[str, Any]) -> None:
        lazy = {name: a for name, a in options.items() if isinstance(a, da.Array)}
        plain = {name: a for name, a in options.items() if name not in lazy}
        found: Bound = bound(loss, plain, reduces=True)
        self.loss = found.loss
        for name in lazy:
            if name not in self.loss._arrays:
                raise TypeError(f"{name}: is no option of {self.loss.__name__} that is an array")
        names = self.loss._operands
        if len(operands) != len(names):
            raise TypeError(
                f"{self.loss.__name__}: {len(names)} operands are needed, {', '.join(names)}; got "
                f"{len(operands)}"
            )
        given = found.options | lazy
        self.reduction: str = given.pop("reduction", "mean")
        check_reduction(self.reduction)
        if self.reduction == "none":
            raise ValueError('reduction: values of their own are not merged, so not "none"')
        if not isinstance(operands[0], da.Array) or operands[0].ndim == 0:
            raise TypeError(
                f"{names[0]}: a Dask array with rows is needed, got {type(operands[0]).__name__}"
            )
        self.given = operands
        self.x = _in_rows(names[0], operands[0])
        self.sizes: tuple[int, ...] = self.x.chunks[0]
        self.starts = np.cumsum((0, *self.sizes[:-1])).tolist()
        named = dict(zip(names, operands, strict=True)) | {
            name: given.pop(name) for name in self.loss._arrays if given.get(name) is not None
        }
        self.names, self.options = names, given
        self.arrays = {name: self._cut(name, array) for name, array in named.items()}
        self.double = is_double(self._precision(named))

    def _cut(self, name: str, array: Any) -> Callable[[int], Any]:
        """What gives the part of an operand that goes with a chunk."""
        if not isinstance(array, da.Array):
            array = operand(name, array)[0]
        if not self._has_rows(name, array.shape):
            if name == "var" and array.ndim:  # in a square chunk it would be taken for one of rows
                array = array.reshape((1,) * (self.x.ndim - array.ndim) + array.shape)
            whole = array if isinstance(array, np.ndarray) else delayed(array)
            return lambda k: whole
        if isinstance(array, da.Array):
            array = _in_rows(name, array).rechunk({0: self.sizes})
            blocks = array.to_delayed().ravel()
            return lambda k: blocks[k]
        return lambda k: array[self.starts[k] : self.starts[k] + self.sizes[k]]

    def _has_rows(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether the first axis of an operand is that of the rows, and not one that all share."""
        options: tuple[str, ...] = self.loss._options
        axes: int = self.x.ndim
        if shape[:1] != self.x.shape[:1] or name == "thresholds":
            return False
        if name == "var" and shape == self.x.shape[:-1]:
            return True  # as of a call
        if name == "where":
            axes -= int("vector_axis" in options)
        elif (
            name not in options
            or name == "sample_weight"
            or (name == "weight" and family(self.loss) in _VALUES_HAVE_WEIGHTS)
        ):
            if "sample_weight" in options and "axis" not in options:
                axes = 1  # all others are of one value
            axes -= ("axis" in options) + ("vector_axis" in options)
        return len(shape) >= axes

    def _precision(self, named: dict[str, Any]) -> int:
        precision = 0
        for name, array in named.items():
            if name != "where":
                like = np.empty(0, array.dtype) if isinstance(array, da.Array) else array
                precision |= operand(name, like)[1]
        return precision

    def _arguments(self, k: int) -> tuple[list[Any], dict[str, Any]]:
        named = {name: part(k) for name, part in self.arrays.items()}
        return [named.pop(name) for name in self.names], named

    def partial(self) -> Any:
        """The partial of all rows, not computed yet."""
        part = delayed(_partial, pure=True)
        return _merged(
            [
                part(self.loss, start, *self._arguments(k), self.options)
                for k, start in enumerate(self.starts)
            ],
            _sum,
        )

    def value(self, whole: Any) -> Any:
        dtype = np.float64 if self.double else np.float32
        return da.from_delayed(delayed(_value)(whole, self.reduction), (), dtype)

    def gradients(self, whole: Any) -> Any:
        """Those of all operands that have some."""
        count = len(self.loss.differentiable)
        part = delayed(_gradients, pure=True, nout=count)
        found = [
            part(self.loss, start, *self._arguments(k), self.options, whole, self.reduction)
            for k, start in enumerate(self.starts)
        ]
        names = enumerate(self.loss.differentiable)
        grads = tuple(self._gradient(name, found, j) for j, name in names)
        return grads if count > 1 else grads[0]

    def _gradient(self, name: str, found: list[Any], j: int) -> Any:
        place = self.names.index(name) if name in self.names else -1
        like: Any = self.given[place] if place >= 0 else None
        shape = getattr(like, "shape", ())
        if not self._has_rows(name, shape):
            raise NotImplementedError(
                f"{name}: it has no rows of its own, so its gradient is no array with the chunks "
                f"of {self.names[0]}"
            )
        dtype = like.dtype if is_float(like.dtype) else np.dtype("f8" if self.double else "f4")
        parts = [
            da.from_delayed(grads[j], (size, *shape[1:]), dtype)
            for grads, size in zip(found, self.sizes, strict=True)
        ]
        grad = da.concatenate(parts, axis=0)
        return grad.rechunk(like.chunks) if isinstance(like, da.Array) else grad


def _in_rows(name: str, array: Any) -> Any:
    """A Dask array of which only the first axis is cut."""
    if any(np.isnan(size) for sizes in array.chunks for size in sizes):
        raise ValueError(
            f"{name}: the sizes of its chunks are not known; call its compute_chunk_sizes() first"
        )
    return array.rechunk(dict.fromkeys(range(1, array.ndim), -1))


def _merged(parts: list[Any], merge: Callable[[list[Any]], Any]) -> Any:
    """One of many, in a tree."""
    join = delayed(merge, pure=True)
    while len(parts) > 1:
        parts = [join(parts[k : k + _SPLIT]) for k in range(0, len(parts), _SPLIT)]
    return parts[0]


# ---- what workers do -----------------------------------------------------------------------------


def _partial(
    loss: Any, start: int, operands: list[Any], arrays: dict[str, Any], options: dict[str, Any]
) -> Partial:
    result: Partial = loss.partial(*operands, offset=start, **arrays, **options)
    return result


def _sum(parts: list[Partial]) -> Partial:
    return reduce(add, parts)


def _value(whole: Partial, reduction: str) -> Any:
    return whole.value(reduction)


def _gradients(
    loss: Any,
    start: int,
    operands: list[Any],
    arrays: dict[str, Any],
    options: dict[str, Any],
    whole: Partial,
    reduction: str,
) -> tuple[Array, ...]:
    tally = Tally(start, whole.divisor_of(reduction))
    grads = tallied_and_grad(loss, tally, None, tuple(operands), arrays | options)
    return grads if isinstance(grads, tuple) else (grads,)


# ---- linear models -------------------------------------------------------------------------------


def objective(
    loss: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: Any = None,
    **options: Any,
) -> Objective:
    """A linear model's objective over Dask arrays: see `fusedloss.linear.Objective`.

    Each of its calls is one pass over X, of which the scheduler in use, or the cluster of the
    client, works on the chunks. So X should be there: ``persist`` it, or let it be read from disk.

    Parameters
    ----------
    loss, **options
        As of `fusedloss.linear.Objective`.
    X : dask.array.Array of shape (n, D)
        float32 or float64. Chunks should begin at multiples of ``objective.block_rows``,
        else rows at their ends move to their neighbours in each pass.
    y, sample_weight : dask.array.Array or array_like
        Targets and weights of the rows.

    Returns
    -------
    objective : Objective
        With the bits of one over chunks in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> import fusedloss as fl
    >>> X = da.from_array([[0.0], [1.0], [2.0], [3.0]], chunks=(2, 1))
    >>> objective = fl.dask.objective("mse_loss", X, da.from_array([1.0, 3.0, 5.0, 7.0]))
    >>> objective.value_and_grad([2.0, 0.0])
    (1.0, array([-3., -2.]))
    """
    if options.get("map") is not None:
        raise TypeError("map: Dask's scheduler works on the chunks")
    if not isinstance(X, da.Array):
        raise TypeError(f"X: a Dask array is needed, got {type(X).__name__}")
    if X.ndim != 2:
        raise ValueError(f"X: two dimensions are needed, rows and columns; got shape {X.shape}")
    return _Distributed(loss, aligned_chunks(_in_rows("X", X), y, sample_weight), **options)


class _Distributed(Objective):
    """An objective whose sums the workers of Dask make."""

    def _sums_apart(self, chunks: Chunks, given: Asked) -> Sums:
        part = delayed(sums_of_arrays, pure=True)
        task = delayed(given)
        parts = [part(task, *chunk) for chunk in chunks.listed]
        sums: Sums = _merged(parts, _merged_sums).compute()
        return sums


def _merged_sums(parts: Iterable[Sums]) -> Sums:
    return reduce(Sums.merge, parts, Sums())
