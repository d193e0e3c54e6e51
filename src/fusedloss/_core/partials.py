"""Results of parts of the data, which merge to that of all of it."""

from __future__ import annotations

import json
import struct
import sys
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from fusedloss._core.foreign import NullsError
from fusedloss._core.parameters import integer
from fusedloss._core.reductions import check_reduction, divisor_for, value_result
from fusedloss._core.tallies import Exact, NoTallyError, Tally, exact, leaf_size, sum_of_leaf
from fusedloss._core.types import Array

Ranges = tuple[tuple[int, int], ...]
Pieces = tuple[tuple[int, Array], ...]

_MAGIC: Final = b"fusedloss.Partial\0"
_VERSION: Final = 1
#: After the magic bytes: the version, the length of the text, and a checksum of all that follows.
_HEAD: Final = struct.Struct("<HI8s")
#: These options belong to the rows of a part, whatever their shape.
_OF_ROWS: Final = ("sample_weight", "where")


class Partial:
    """What a loss comes to on a part of the data, before it is divided.

    Partials are made by the method `partial` of a loss or a criterion, and added: the sum of those
    of all parts has the value of one call on all of the data, bit for bit, however that is cut and
    in whichever order they are added. ``Partial()`` is a part without rows, to start a sum with.

    A partial holds the sum of the values, without rounding, what the reductions divide by, the loss
    with its options, and which rows it stands for. Sums are made in leaves of 4096 values, counted
    from row 0 of all data, as in a call; the values of a leaf that lacks others are kept until
    these come. So a partial has a few hundred bytes if its part begins and ends with a leaf, such
    as at multiples of 4096 rows, and up to 32 kB (64 kB in float64) otherwise. Losses of rows, such
    as those of classes, have no leaves.

    Attributes
    ----------
    loss : Loss or None
        What it is a part of; None for ``Partial()``.
    options : dict
        The options of the loss; arrays as their shape, dtype and hash.
    rows : list of tuple of int
        The rows that it stands for: where they begin and end.

    Raises
    ------
    ValueError
        If partials of different losses, options or dtypes are added, or of the same rows.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> x, t = np.arange(6.0), np.zeros(6)
    >>> first = fl.mse_loss.partial(x[:2], t[:2])
    >>> rest = fl.mse_loss.partial(x[2:], t[2:], offset=2)
    >>> parts = rest + first
    >>> parts.value(), fl.mse_loss(x, t)
    (np.float64(9.166666666666666), np.float64(9.166666666666666))
    >>> parts.value("sum")
    np.float64(55.0)
    >>> sum([first, rest], start=fl.Partial()).rows
    [(0, 6)]
    >>> fl.Partial.from_bytes(rest.to_bytes()).value()
    np.float64(13.5)
    """

    __slots__ = (
        "_batch",
        "_counts",
        "_double",
        "_key",
        "_name",
        "_pieces",
        "_ranges",
        "_reduction",
        "_total",
        "_width",
    )

    _name: str  # of the loss; "" for a part without rows
    _key: str  # its options
    _reduction: str  # that of `value`, unless it is given another
    _double: bool
    _width: int  # values of a row
    _total: Exact
    _counts: tuple[Exact, Exact, Exact]
    _batch: int | None
    _ranges: Ranges
    _pieces: Pieces

    def __init__(self) -> None:
        self._set("", "{}", "mean", True, 1, Exact(), (Exact(),) * 3, 0, (), ())

    @classmethod
    def _of(cls, *values: Any) -> Partial:
        return cls.__new__(cls)._set(*values)

    def _set(
        self,
        name: str,
        key: str,
        reduction: str,
        double: bool,
        width: int,
        total: Exact,
        counts: Any,
        batch: int | None,
        ranges: Ranges,
        pieces: Pieces,
    ) -> Partial:
        self._name, self._key, self._reduction = name, key, reduction
        self._double, self._width, self._batch = double, width, batch
        self._total, self._counts, self._ranges, self._pieces = total, counts, ranges, pieces
        return self

    # ---- what it says of itself ------------------------------------------------------------------

    @property
    def loss(self) -> Any:
        return _loss_of(self._name) if self._name else None

    @property
    def options(self) -> dict[str, Any]:
        return dict(json.loads(self._key))

    @property
    def rows(self) -> list[tuple[int, int]]:
        return list(self._ranges)

    def value(self, reduction: str | None = None) -> Any:
        """The loss of the rows added so far, as one call on them returns it.

        Parameters
        ----------
        reduction : str, optional
            Any of the loss but ``"none"``; by default the one that the partials were made with.

        Returns
        -------
        value : scalar
            Of the dtype of the computation.
        """
        reduction = self._reduction if reduction is None else reduction
        check_reduction(reduction)
        if reduction == "none":
            raise ValueError('reduction: a partial has no single values, so not "none"')
        if reduction == "batchmean" and self._batch is None:
            raise ValueError('reduction: "batchmean" needs the batch as the first axis')
        return value_result(self._sum(), None, *self.divisor_of(reduction), self._double, None)

    def divisor(self, reduction: str | None = None) -> float:
        """What the sum is divided by, as a call with ``return_divisor=True`` returns it."""
        return float(self.divisor_of(self._reduction if reduction is None else reduction)[0])

    def divisor_of(self, reduction: str) -> tuple[float, bool]:
        """The same, and whether 0/0 is 0."""
        return divisor_for(reduction, (self._batch or 0,), *map(float, self._counts))

    def _sum(self) -> float:
        total = self._total
        for _, values in self._pieces:
            total = total.plus(exact(sum_of_leaf(values)))
        return total.rounded()

    def __repr__(self) -> str:
        if not self._name:
            return "Partial()"
        count = sum(stop - start for start, stop in self._ranges)
        gaps = f", in {len(self._ranges)} ranges" if len(self._ranges) > 1 else ""
        return f"<Partial of {self._name}: {count} rows{gaps}, sum {self._sum():.6g}>"

    def __eq__(self, other: object) -> bool:
        return self.to_bytes() == other.to_bytes() if isinstance(other, Partial) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    # ---- sums ------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Partial:
        if not isinstance(other, Partial):
            return NotImplemented
        if not self._name or not other._name:
            return other if not self._name else self
        self._check_fit(other)
        batch = None if self._batch is None or other._batch is None else self._batch + other._batch
        pieces, whole = _joined(self._pieces, other._pieces)
        total = self._total.plus(other._total)
        for values in whole:
            total = total.plus(exact(sum_of_leaf(values)))
        counts = tuple(a.plus(b) for a, b in zip(self._counts, other._counts, strict=True))
        same = self._name, self._key, self._reduction, self._double, self._width
        ranges = _united(self._ranges, other._ranges)
        return Partial._of(*same, total, counts, batch, ranges, pieces)

    def __radd__(self, other: Any) -> Partial:
        """``sum(parts)`` starts with 0."""
        return self if other.__class__ is int and other == 0 else NotImplemented

    def _check_fit(self, other: Partial) -> None:
        if self._name != other._name:
            raise ValueError(
                f"partials of {self._name} and of {other._name} cannot be added: parts of one loss "
                "are needed"
            )
        if self._key != other._key:
            ours, theirs = _shown_options(self._key), _shown_options(other._key)
            name = next(n for n in (ours | theirs) if ours.get(n) != theirs.get(n))
            one, two = (shown.get(name, "<numbers of the rows>") for shown in (ours, theirs))
            raise ValueError(
                f"partials of {self._name} with {name}={one} and {name}={two} cannot be added: all "
                "parts need the same options"
            )
        if self._reduction != other._reduction:
            raise ValueError(
                f"partials with reduction={self._reduction!r} and {other._reduction!r} cannot be "
                "added: make them without one, and give it to value()"
            )
        if self._double != other._double:
            raise ValueError(
                f"partials of {self._name} computed in float32 and in float64 cannot be added: all "
                "parts need operands of the same dtypes"
            )
        if self._width != other._width:
            raise ValueError(
                f"partials of {self._name} whose rows have {self._width} and {other._width} values "
                "cannot be added: parts are cut along the first axis"
            )

    # ---- bytes -----------------------------------------------------------------------------------

    def to_bytes(self) -> bytes:
        """It in a form that does not depend on the machine. `from_bytes` reads it."""
        head = {
            "leaf": leaf_size(),
            "name": self._name,
            "key": self._key,
            "reduction": self._reduction,
            "double": self._double,
            "width": self._width,
            "batch": self._batch,
            "sums": [_written(s) for s in (self._total, *self._counts)],
            "ranges": self._ranges,
            "pieces": [(start, values.size) for start, values in self._pieces],
        }
        text = json.dumps(head, separators=(",", ":")).encode()
        data = b"".join(
            values.astype(values.dtype.newbyteorder("<")).tobytes() for _, values in self._pieces
        )
        body = text + data
        return _MAGIC + _HEAD.pack(_VERSION, len(text), _check_of(body)) + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Partial:
        """The partial that `to_bytes` has written.

        Raises
        ------
        ValueError
            If these are no such bytes, or those of a later version.
        """
        try:
            data = bytes(memoryview(data))
        except TypeError:
            raise TypeError(f"data: bytes are needed, got {type(data).__name__}") from None
        place = len(_MAGIC) + _HEAD.size
        if data[: len(_MAGIC)] != _MAGIC or len(data) < place:
            raise ValueError("data: these are not the bytes of a Partial")
        version, length, check = _HEAD.unpack(data[len(_MAGIC) : place])
        if version != _VERSION:
            raise ValueError(
                f"data: a Partial of version {version}; this fusedloss reads version {_VERSION}"
            )
        try:
            if check != _check_of(data[place:]):
                raise ValueError("their checksum is another one")
            head = json.loads(data[place : place + length])
            if head["leaf"] != leaf_size():
                raise ValueError("its leaves have another size")
            sums = [_read(*numbers) for numbers in head["sums"]]
            dtype = np.dtype("<f8" if head["double"] else "<f4")
            values = np.frombuffer(data[place + length :], dtype).astype(dtype.newbyteorder("="))
            sizes = [size for _, size in head["pieces"]]
            if len(sums) != 4 or values.size != sum(sizes):
                raise ValueError("its values have another size")
            arrays = np.split(values, np.cumsum(sizes)[:-1]) if sizes else []
            starts = [start for start, _ in head["pieces"]]
            return Partial._of(
                *(head[name] for name in ("name", "key", "reduction", "double", "width")),
                sums[0],
                tuple(sums[1:]),
                head["batch"],
                tuple((start, stop) for start, stop in head["ranges"]),
                tuple(zip(starts, arrays, strict=True)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"data: the bytes of a Partial are damaged: {error}") from None

    def __reduce__(self) -> Any:
        # A function, as cloudpickle would send the code of a class method along.
        return _unpickled, (self.to_bytes(),)


def _unpickled(data: bytes) -> Partial:
    return Partial.from_bytes(data)


def _check_of(body: bytes) -> bytes:
    """A checksum: a wrong bit in a sum would be a wrong value, and nobody would see it."""
    return blake2b(body, digest_size=8).digest()


def _written(s: Exact) -> tuple[str, int, float, float]:
    zeros = max(0, (s.units & -s.units).bit_length() - 1)
    return f"{s.units >> zeros:x}", zeros, s.special, s.factor


def _read(units: str, zeros: int, special: float, factor: float) -> Exact:
    return Exact(int(units, 16) << zeros, special, factor)


def _shown_options(key: str) -> dict[str, str]:
    """Options as messages show them; without those that have a number for each row."""
    return {name: _shown(value) for name, value in json.loads(key).items()}


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return repr(value)
    shape, dtype, digest = value
    return f"<array of shape {tuple(shape)}, {np.dtype(dtype)}, hash {digest[:6]}>"


def _loss_of(name: str) -> Any:
    return getattr(sys.modules["fusedloss"], name)


def _united(one: Ranges, other: Ranges) -> Ranges:
    """The rows of both, of which none is in both."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted((*one, *other)):
        if found and start < found[-1][1]:
            raise ValueError(
                f"partials: rows {start} to {min(stop, found[-1][1])} are in both; give each part "
                "the number of its first row among all rows, offset="
            )
        if found and start == found[-1][1]:
            found[-1] = found[-1][0], stop
        else:
            found.append((start, stop))
    return tuple(found)


def _joined(one: Pieces, other: Pieces) -> tuple[Pieces, list[Array]]:
    """Values of both; and those that are whole leaves now."""
    leaf = leaf_size()
    found: list[tuple[int, list[Array], int]] = []
    for start, values in sorted((*one, *other), key=lambda piece: piece[0]):
        if found and start == found[-1][2] and start % leaf:
            found[-1][1].append(values)
            found[-1] = (*found[-1][:2], start + values.size)
        else:
            found.append((start, [values], start + values.size))
    pieces, whole = [], []
    for start, arrays, stop in found:
        values = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        if stop - start == leaf:
            whole.append(values)
        else:
            pieces.append((start, values))
    return tuple(pieces), whole


# ---- the method of losses ------------------------------------------------------------------------


def offset_of(offset: Any) -> int:
    """The number of the first row of a part."""
    number = integer("offset", offset)
    if number < 0:
        raise ValueError(f"offset: a row's number is 0 or more, got {number}")
    return number


def tallied(loss: Any, tally: Tally, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a call of order 0 returns with a tally in the place of `out`: the tally, filled."""
    return _tallied(loss, 0, tally, None, args, kwargs)


def tallied_and_grad(
    loss: Any, tally: Tally, grad_out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The gradient, or gradients, of such a call."""
    return _tallied(loss, 1, tally, grad_out, args, kwargs)[1]


def _tallied(loss: Any, order: int, tally: Tally, grad_out: Any, args: Any, kwargs: Any) -> Any:
    request: Any = (order, tally, grad_out, None, False, None)
    try:
        result = loss._function(request, *args, **kwargs)
    except TypeError:
        loss._check_call(args, kwargs)
        raise
    except NoTallyError:
        result = None
    except NullsError as error:
        result = loss._without_nulls(error, request, args, kwargs)
    if tally.counts is None:
        raise NotImplementedError(
            f"{loss.__name__} has no partials: it is no sum over elements or rows, but a loss of a "
            "whole batch, region or sequence; call it with the whole"
        )
    return result


def partial_of(loss: Any, offset: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Partial:
    """The partial of a loss, of a part that begins with row number `offset`."""
    tally = Tally(offset_of(offset))
    tallied(loss, tally, args, kwargs)
    given = loss._defaults | dict(zip(loss._defaults, args, strict=False)) | kwargs
    options = {name: given[name] for name in loss._options}
    reduction = options.pop("reduction", "mean")
    if reduction == "none":
        raise ValueError('reduction: a partial has no single values, so not "none"')
    described = []
    for name, value in options.items():
        if name in _OF_ROWS:
            continue
        if value is not None and name in loss._arrays:
            array = loss._read(name, value)
            if 0 < array.ndim == tally.axes and array.shape[0] == tally.rows:
                continue  # a number, or more, for each row
            value = array.item() if array.ndim == 0 else _digest(array)
        described.append((name, value.__class__, value))
    ranges = ((tally.offset, tally.offset + tally.rows),) if tally.rows else ()
    return Partial._of(
        *(loss.__name__, _key_of(tuple(described)), reduction, tally.double, tally.width),
        *(tally.total, tally.counts, tally.batch, ranges, tuple(tally.kept)),
    )


@lru_cache
def _key_of(options: tuple[tuple[str, type, Any], ...]) -> str:
    """Options as JSON, the same for equal ones."""
    return json.dumps({name: _described(name, value) for name, _, value in options}, sort_keys=True)


def _digest(array: Array) -> tuple[tuple[int, ...], str, str]:
    """The shape, dtype and hash of an array."""
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return array.shape, plain.dtype.str, blake2b(plain.tobytes(), digest_size=16).hexdigest()


def _described(name: str, value: Any) -> Any:
    """An option as JSON has it."""
    if value is None or isinstance(value, (bool, str, tuple)):
        return value
    if isinstance(value, (int, float, np.number)):
        number = value.item() if isinstance(value, np.number) else value
        return float(number) if float(number) == number or number != number else int(number)
    raise TypeError(f"{name}: a partial cannot carry {value!r}; numbers, names and arrays can be")
