"""What a linear objective is given: a loss, rows of features and targets, or chunks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from fusedloss._core.frameworks import family
from fusedloss._core.loss import Loss
from fusedloss._core.operands import operand
from fusedloss._core.parameters import integer
from fusedloss._core.partials import tallied
from fusedloss._core.tallies import Exact, Tally
from fusedloss._core.types import Array
from fusedloss._labels import Bounds, bounds_of
from fusedloss._linear_blocks import (
    OVER_CLASSES,
    Block,
    Point,
    Room,
    Rows,
    Sums,
    added_up,
    cut,
    is_sparse,
    options_of,
    rows_of_block,
    split_coef,
)
from fusedloss._named import (
    OF_SCORES,
    WEIGHT_OF_ROWS,
    Bound,
    bound,
    by_name,
    check_finite,
    row_weights,
)

#: Those of one score for each number of y, some of which have more operands.
_ELEMENTWISE: Final = OF_SCORES | {"survival"}
_REFUSED: Final = {
    "axis": "the classes are the last axis",
    "where": "leave these rows out, or give them the sample_weight 0",
    "reduction": "the objective is the mean; weights go into sample_weight",
    "return_lse": "an objective is one number",
}


def bound_to_scores(loss: Any, options: dict[str, Any]) -> tuple[Bound, dict[str, Array]]:
    """The loss, if it is one of linear scores, and its operands besides scores and targets."""
    plain = by_name(loss) if isinstance(loss, str) else getattr(loss, "loss", loss)
    names = plain._operands[1:] if isinstance(plain, Loss) else ()
    names = tuple(name for name in names if name not in ("target", "lower", "upper"))
    more = {name: operand(name, options[name])[0] for name in names if name in options}
    found = bound(loss, {n: v for n, v in options.items() if n not in more}, refused=_REFUSED)
    kind, operands = family(found.loss), found.loss._operands
    fits = operands[:1] == ("input",) and "sample_weight" not in found.loss._options
    fits = fits and ("upper" in operands or "target" in operands)
    over_classes = kind in OVER_CLASSES and operands == ("input", "target")
    if not (kind in _ELEMENTWISE and fits) and not over_classes:
        raise ValueError(
            f"loss: {found.loss.__name__} is no loss of scores; accepted are elementwise losses, "
            "and those over a class axis of classification and margins"
        )
    for name in names:
        if name not in more:
            raise TypeError(
                f"{name}: {found.loss.__name__} needs it besides scores and targets; give it as an "
                f"option, {name}=..."
            )
    if kind in _ELEMENTWISE:
        bound(found.loss, found.options, refused=WEIGHT_OF_ROWS)
    return found, more


def _of_rows(operands: dict[str, Array], shape: tuple[int, ...]) -> dict[str, Array]:
    """Operands that are options, for targets of this shape."""
    result = {}
    for name, array in operands.items():
        if array.ndim and array.shape != shape and name != "thresholds":
            if array.shape != shape[:1]:
                raise ValueError(
                    f"{name}: a number, or one for each of {shape[0]} rows, is needed, got shape "
                    f"{array.shape}"
                )
            array = array[:, np.newaxis]
        result[name] = array
    return result


def features_of(X: Any) -> Any:
    """X as it can be multiplied with float32 or float64."""
    if is_sparse(X):
        if X.format not in ("csr", "csc"):
            raise TypeError(
                f"X: the sparse format {X.format} is not accepted; it must be csr or csc: X.tocsr()"
            )
        if X.dtype.kind not in "biuf":
            raise TypeError(f"X: dtype {X.dtype} is not accepted; it must be real")
    else:
        X = operand("X", X)[0]
    if X.ndim != 2:
        raise ValueError(f"X: two dimensions are needed, rows and columns; got shape {X.shape}")
    if X.dtype not in (np.float32, np.float64) or not X.dtype.isnative:
        X = X.astype(np.float64)
    return X


def _targets(
    found: Bound, y: Any, rows: int, outputs: int | None
) -> tuple[dict[str, Array], int | None]:
    """What y is to the loss, and the number of scores of a row; None for one."""
    if outputs is not None:
        outputs = integer("n_outputs", outputs)
    if "lower" in found.loss._operands:
        y = Bounds(*y) if isinstance(y, tuple) and len(y) == 2 else y
        bounds: Bounds = _said_of_y(lambda: bounds_of(y, (rows,), found.loss.__name__))
        return bounds._asdict(), None
    array: Array = operand("y", y)[0]
    if array.ndim not in (1, 2) or array.shape[0] != rows:
        raise ValueError(
            f"y: shape ({rows},) or ({rows}, K) is needed, as X has {rows} rows; got {array.shape}"
        )
    if array.ndim == 2:
        columns = array.shape[1]
    elif family(found.loss) in _ELEMENTWISE:
        if outputs is not None:
            raise ValueError("n_outputs: a y of one dimension has one score for each row")
        return {"target": array}, None
    elif array.dtype.kind not in "biu":
        raise TypeError(
            f"y: class numbers of an integer dtype are needed for {found.loss.__name__}, or a "
            f"column for each class; got dtype {array.dtype}"
        )
    else:
        columns = max(2, int(array.max(initial=0)) + 1) if outputs is None else outputs
    if outputs is not None and (outputs != columns or outputs < 1):
        raise ValueError(f"n_outputs: {columns} is needed for this y, got {outputs}")
    return {"target": array}, columns


def _said_of_y(function: Callable[[], Any]) -> Any:
    """The result of a function, whose errors about targets are about y."""
    try:
        return function()
    except (TypeError, ValueError, IndexError) as error:
        name, colon, text = str(error).partition(":")
        if not colon or name not in ("target", "labels"):
            raise
        raise type(error)(f"y:{text}") from None


def rows_of(
    found: Bound,
    more: dict[str, Array],
    X: Any,
    y: Any,
    sample_weight: Any,
    n_outputs: int | None,
) -> tuple[Rows, int | None]:
    """Rows as blocks take them, and the number of their scores."""
    X = features_of(X)
    count = X.shape[0]
    targets, outputs = _targets(found, y, count, n_outputs)
    operands = targets | _of_rows(more, next(iter(targets.values())).shape)
    weight = None if sample_weight is None else row_weights(sample_weight, count)
    if X.dtype == np.float32:  # the losses are computed in float64 then
        weight = np.ones(1) if weight is None else weight.astype(np.float64, copy=False)
        weight = np.broadcast_to(weight, (count,))
    return Rows(X, operands, weight), outputs


def counted(found: Bound, rows: Rows, outputs: int | None, first: int) -> Exact:
    """What the mean divides by, of rows whose first one is number `first`. The call checks y, and
    the options with the operands."""
    shape = (rows.X.shape[0],) if outputs is None else (rows.X.shape[0], outputs)
    scores = np.broadcast_to(np.zeros((), rows.X.dtype), shape)
    options = {**rows.operands, **options_of(found, rows.weight, outputs)}
    tally = Tally(first)
    _said_of_y(lambda: tallied(found.loss, tally, (scores,), options))
    if not np.isfinite(tally.value()):
        more = ", or give them the weight 0"
        check_finite(more, y=rows.operands.get("target"), sample_weight=rows.weight)
    assert tally.counts is not None
    return tally.counts[1]


# ---- chunks --------------------------------------------------------------------------------------


class Chunks:
    """Rows that come in chunks, (X, y) or (X, y, sample_weight), as often as they are asked for.

    Before the first pass they are looked at twice, but for the features: how many rows, columns and
    classes there are, and what the mean divides by. With `apart` each must begin with a block.
    """

    def __init__(
        self,
        chunks: Any,
        found: Bound,
        more: dict[str, Array],
        n_outputs: int | None,
        apart: bool = False,
    ) -> None:
        for name, array in more.items():
            if array.ndim and name != "thresholds":
                raise ValueError(f"{name}: with chunks a number is needed, got shape {array.shape}")
        #: The chunks, if they are a list.
        self.listed: list[Any] = chunks if isinstance(chunks, list) else []
        self.source = _source_of(chunks)
        self._found, self._more, self._asked = found, more, n_outputs
        self.n_outputs = n_outputs
        self.rows = 0
        self._weighted = False
        self._like: Rows | None = None
        for name, rows, outputs in self._read(light=True):
            if self._like is None:
                self._like, self.n_outputs = rows, outputs
            self._check(name, rows, outputs)
            if apart and self.rows % rows_of_block(rows.X):
                raise ValueError(
                    f"{name}: it begins with row {self.rows}; with map, chunks begin at multiples "
                    f"of {rows_of_block(rows.X)} rows for {rows.X.shape[1]} columns: see block_rows"
                )
            self._weighted |= rows.weight is not None
            self.rows += rows.X.shape[0]
        if self._like is None:
            raise ValueError("chunks: there is none; at least one (X, y) is needed")
        self._asked = self.n_outputs if _has_numbers(found, self._like) else n_outputs
        self.n_features: int = self._like.X.shape[1]
        self.block_rows = rows_of_block(self._like.X)
        sums = Exact()
        first = 0
        for name, rows, outputs in self._read(light=True):
            counts = _of_chunk(name, partial(counted, found, rows, outputs, first))
            sums = sums.plus(counts)
            first += rows.X.shape[0]
        self.check_count(first)
        self.divisor = float(sums)

    def task(self) -> Task:
        """What is needed to work on a chunk elsewhere."""
        return Task(
            self._found, self._more, self.n_outputs, self._asked, self.n_features, self._weighted
        )

    def blocks(self) -> Iterator[Block]:
        """All rows in blocks, each in memory that the next one uses again."""
        assert self._like is not None
        room = Room(rows_of_block(self._like.X), self.n_outputs, self._like.X.dtype, kept=False)
        for rows in cut(self._checked()):
            yield Block(self._found, rows, self.n_outputs, room.of(rows.X.shape[0]))

    def _checked(self) -> Iterator[Rows]:
        count = 0
        for name, rows, outputs in self._read(light=False):
            self._check(name, rows, outputs)
            count += rows.X.shape[0]
            if self._weighted and rows.weight is None:
                rows = rows._replace(weight=np.broadcast_to(np.ones(1), rows.X.shape[:1]))
            yield rows
        self.check_count(count)

    def _read(self, light: bool) -> Iterator[tuple[str, Rows, int | None]]:
        """The chunks by name; with `light` without those features that would have to be made."""
        for k, chunk in enumerate(self.source()):
            name = f"chunk {k}"
            chunk = _of_chunk(name, partial(_opened, chunk))
            X, y = chunk[0], _made(chunk[1])
            weight = _made(chunk[2]) if len(chunk) == 3 else None
            if not light:
                X = _made(X)
            elif hasattr(X, "dask"):
                X = np.broadcast_to(np.zeros((), X.dtype), X.shape)
            given = self._found, self._more, X, y, weight, self._asked
            rows, outputs = _of_chunk(name, partial(rows_of, *given))
            yield (name, *_plain(rows, outputs))

    def _check(self, name: str, rows: Rows, outputs: int | None) -> None:
        """Whether a chunk goes with the first one."""
        like = self._like
        assert like is not None
        if rows.X.shape[1] != like.X.shape[1]:
            raise ValueError(
                f"{name}: X has {rows.X.shape[1]} columns, that of chunk 0 has {like.X.shape[1]}"
            )
        if rows.X.dtype != like.X.dtype or is_sparse(rows.X) != is_sparse(like.X):
            kinds = [f"{'sparse' if is_sparse(r.X) else 'dense'} {r.X.dtype}" for r in (rows, like)]
            raise TypeError(f"{name}: X is {kinds[0]}, that of chunk 0 is {kinds[1]}")
        for operand_name, array in rows.operands.items():
            first = like.operands[operand_name]
            if array.dtype != first.dtype or array.shape[1:] != first.shape[1:]:
                raise TypeError(
                    f"{name}: y has dtype {array.dtype} and rows of shape {array.shape[1:]}, that "
                    f"of chunk 0 {first.dtype} and {first.shape[1:]}"
                )
        if outputs is not None:
            self.n_outputs = max(outputs, self.n_outputs or 0)

    def check_count(self, count: int) -> None:
        """Whether a pass has got all rows."""
        if count != self.rows:
            raise ValueError(
                f"chunks: {self.rows} rows came at first, {count} now; each pass needs all, so "
                "give a list, or a function that makes a new iterator each time"
            )


class Task(NamedTuple):
    """What is needed to work on a chunk elsewhere."""

    found: Bound
    more: dict[str, Array]
    outputs: int | None
    asked: int | None
    features: int
    weighted: bool


#: What is asked of a chunk: the task, whether there are intercepts, what `added_up` is to add up,
#: the coefficients and the direction.
Asked = tuple[Task, bool, str, Array, Array | None]


def sums_of_chunk(given: Asked, chunk: Any) -> Sums:
    """The sums over a chunk that begins with a block."""
    return sums_of_arrays(given, *map(_made, _opened(chunk)))


def sums_of_arrays(given: Asked, X: Any, y: Any, weight: Any = None) -> Sums:
    """The same of its arrays."""
    task, fit_intercept, what, *vectors = given
    # What comes from another process need not be aligned.
    coef, v = (None if x is None else np.array(x) for x in vectors)
    assert coef is not None
    rows = _plain(*rows_of(task.found, task.more, X, y, weight, task.asked))[0]
    if rows.weight is None and task.weighted:
        rows = rows._replace(weight=np.broadcast_to(np.ones(1), rows.X.shape[:1]))

    def split(vector: Array) -> tuple[Array, Any]:
        return split_coef(vector, task.outputs, task.features, fit_intercept)

    def blocks() -> Iterator[Block]:
        room = Room(rows_of_block(rows.X), task.outputs, rows.X.dtype, kept=False)
        point = Point(*split(coef))
        for part in cut([rows]):
            block = Block(task.found, part, task.outputs, room.of(part.X.shape[0]))
            block.look_at(point)
            yield block

    return added_up(blocks(), what, split, coef.size, v)


def chunks_of(X: Any, y: Any, sample_weight: Any) -> list[tuple[Any, ...]]:
    """The chunks of rows of a Dask array, with what goes with them of arrays of any kind."""
    stops = np.cumsum(X.chunks[0]).tolist()
    if not all(isinstance(stop, int) for stop in stops):
        raise ValueError(
            "X: the sizes of its chunks are not known; call X.compute_chunk_sizes() first"
        )
    others = [array for array in (y, sample_weight) if array is not None]
    for k, array in enumerate(others):
        if not hasattr(array, "shape"):
            array = others[k] = np.asarray(array)
        if array.shape[:1] != X.shape[:1]:
            name = "sample_weight" if k else "y"
            raise ValueError(
                f"{name}: {X.shape[0]} rows are needed, as X has them; got shape {array.shape}"
            )
    parts = zip([0, *stops[:-1]], stops, strict=True)
    return [(X[i:j], *(array[i:j] for array in others)) for i, j in parts]


def aligned_chunks(X: Any, y: Any, sample_weight: Any) -> list[tuple[Any, ...]]:
    """`chunks_of`, each of which begins with a block."""
    size = rows_of_block(X)
    stops = {round(int(stop) / size) * size for stop in np.cumsum(X.chunks[0][:-1])}
    ends = sorted({0, X.shape[0], *(stop for stop in stops if stop < X.shape[0])})
    sizes = tuple(j - i for i, j in pairwise(ends)) or (0,)
    return chunks_of(X.rechunk({0: sizes}), y, sample_weight)


def _source_of(chunks: Any) -> Callable[[], Iterable[Any]]:
    """What makes an iterator of the chunks."""
    if callable(chunks):
        return partial(_iterator_of, chunks)
    if isinstance(chunks, Iterator):
        raise TypeError(
            "chunks: an iterator can be read once, but each pass reads all; give a list, or a "
            "function that makes a new iterator each time"
        )
    if not isinstance(chunks, Iterable) or isinstance(chunks, np.ndarray):
        raise TypeError(
            f"y: it is missing; without it, chunks (X, y) are needed, got {type(chunks).__name__}"
        )
    return partial(iter, chunks)


def _iterator_of(function: Callable[[], Any]) -> Iterator[Any]:
    """What a function makes for a pass."""
    made = function()
    if not isinstance(made, Iterable):
        raise TypeError(
            f"chunks: the function must return an iterator of (X, y), got {type(made).__name__}"
        )
    return iter(made)


def _opened(chunk: Any) -> Any:
    """The arrays of a chunk, which may be a function that makes them."""
    if callable(chunk):
        chunk = chunk()
    if not isinstance(chunk, (tuple, list)) or len(chunk) not in (2, 3):
        raise TypeError(f"(X, y) or (X, y, sample_weight) is needed, got {type(chunk).__name__}")
    return chunk


def _made(value: Any) -> Any:
    """An array that may be one of Dask."""
    return value.compute() if hasattr(value, "dask") else value


def _of_chunk(name: str, function: Callable[[], Any]) -> Any:
    """The result of a function, whose errors say which chunk it was."""
    try:
        return function()
    except (TypeError, ValueError, IndexError) as error:
        kind = next(k for k in (TypeError, ValueError, IndexError) if isinstance(error, k))
        raise kind(f"{name}: {error}") from error


def _plain(rows: Rows, outputs: int | None) -> tuple[Rows, int | None]:
    """Rows whose dtypes are the same in all chunks; sparse ones by rows."""
    X = rows.X.tocsr() if is_sparse(rows.X) else rows.X
    operands = {}
    for name, array in rows.operands.items():
        wide = {"i": np.int64, "u": np.int64, "f": np.float64}.get(array.dtype.kind, array.dtype)
        operands[name] = array.astype(wide, copy=False)
    weight = None if rows.weight is None else rows.weight.astype(np.float64, copy=False)
    return Rows(X, operands, weight), outputs


def _has_numbers(found: Bound, rows: Rows) -> bool:
    """Whether the targets are class numbers."""
    target = rows.operands.get("target")
    return family(found.loss) in OVER_CLASSES and target is not None and target.ndim == 1
