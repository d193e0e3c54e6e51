"""What calls on parts of the data count, so that the parts can be put together."""

from __future__ import annotations

from math import inf, prod
from typing import Final, NamedTuple

import numpy as np

from fusedloss._core.kernels import kernels
from fusedloss._core.types import Array, Request

_sums: Final = kernels.modules["sums"]
_elementwise: Final = kernels.modules["elementwise"]

#: The weight of a unit of an exact sum is 2 to the power of minus this.
_SHIFT: Final = 1074


class Exact(NamedTuple):
    """A sum without rounding: so many units, the sum of what was infinite or nan, and a factor that
    is the same in all parts."""

    units: int = 0
    special: float = 0.0
    factor: float = 1.0

    def plus(self, other: Exact) -> Exact:
        factor = self.factor if self.units or self.special else other.factor
        return Exact(self.units + other.units, self.special + other.special, factor)

    def times(self, count: int) -> Exact:
        return Exact(self.units * count, self.special * count if self.special else 0.0, self.factor)

    def __float__(self) -> float:
        return self.rounded() * self.factor

    def rounded(self) -> float:
        """The sum with one rounding, without the factor."""
        if self.special:
            return self.special
        try:
            return self.units / (1 << _SHIFT)
        except OverflowError:
            return inf if self.units > 0 else -inf


def exact(number: float) -> Exact:
    """A number."""
    if number != number or number in (inf, -inf):
        return Exact(0, number)
    if number == int(number):
        return Exact(int(number) << _SHIFT)
    numerator, denominator = number.as_integer_ratio()
    return Exact((numerator << _SHIFT) // denominator)


def new_sums(count: int) -> tuple[Array, ...]:
    """Exact sums of nothing, for kernels to add to."""
    return tuple(_sums.new_exact() for _ in range(count))


def read_sum(array: Array, factor: float = 1.0) -> Exact:
    units, special = _sums.read_exact(array)
    return Exact(units, special, factor)


class Tally:
    """What a call counts for a `Partial`. It comes in the place of the request's `out`.

    The first row of the call is number `offset` of all rows. Where derivatives are asked for, too,
    they are divided by `divisor`, that of all rows, with what 0/0 is.
    """

    def __init__(self, offset: int, divisor: tuple[float, bool] = (1.0, False)) -> None:
        self.offset = offset
        self.divisor = divisor
        self.sum: Array = _sums.new_exact()
        self.counts: tuple[Exact, Exact, Exact] | None = None
        self.double = False
        self.axes = 0  # of an option with a number, or more, for each row
        self.rows = 0  # along the first axis of values
        self.batch: int | None = 1  # what "batchmean" divides by, if there is that
        self.width = 1  # values of a row
        self.kept: list[tuple[int, Array]] = []  # values whose leaves lack others, and their number

    def begin(
        self,
        counts: tuple[Exact, Exact, Exact],
        double: bool,
        shape: tuple[int, ...],
        own: tuple[int, ...] = (),
        of_values: int = 0,
    ) -> None:
        """Take what was counted of operands of this shape, of which these axes belong to one value
        each. Options with a number for each row have so many axes less."""
        self.counts, self.double = counts, double
        axes = [axis for axis in range(len(shape)) if axis not in own]
        self.rows = shape[axes[0]] if axes else 1
        self.width = prod(shape[axis] for axis in axes[1:])
        self.axes = len(shape) - of_values
        self.batch = None if axes and axes[0] else shape[0] if axes else 1

    @property
    def total(self) -> Exact:
        return read_sum(self.sum)

    def value(self) -> float:
        """The sum of the values of the call."""
        return float(self.total) + sum(sum_of_leaf(values) for _, values in self.kept)

    def part(self) -> tuple[Array, int, Array]:
        """What the elementwise kernel takes of a part: the sum, the number of its first element in
        its leaf, and room for the values that it keeps."""
        leaf: int = _elementwise.LEAF_SIZE
        start = self.offset * self.width
        count = self.rows * self.width
        first = start % leaf
        head = min(count, leaf - first) if first else 0
        tail = max(head, count - (first + count) % leaf)
        room = np.empty(head + count - tail, np.float64 if self.double else np.float32)
        if head:
            self.kept.append((start, room[:head]))
        if tail < count:
            self.kept.append((start + tail, room[head:]))
        return self.sum, first, room


def take_tally(request: Request) -> tuple[Request, Tally | None]:
    """The request of a call, and the tally that it has, if it has one."""
    tally = request[1]
    if tally.__class__ is not Tally:
        return request, None
    return (request[0], None, *request[2:]), tally


def is_tally(request: Request) -> bool:
    """Whether a call is asked to count exactly."""
    return request[1].__class__ is Tally


class NoTallyError(Exception):
    """A loss whose values cannot be counted in parts was asked to do so."""


def sum_of_leaf(values: Array) -> float:
    """The sum of values that follow each other in a leaf, as a call adds them up."""
    total: float = _elementwise.sum_of_leaf(values)
    return total


def leaf_size() -> int:
    size: int = _elementwise.LEAF_SIZE
    return size
