"""The value of a loss over chunks that come one after the other."""

from __future__ import annotations

from typing import Any, Self

from fusedloss._core.partials import Partial, offset_of
from fusedloss._named import bound

__all__ = ["Accumulator"]


class Accumulator:
    """The value of a loss over chunks of the data, in order.

    The chunks may be of any sizes: the value is that of one call on all of their rows, bit for bit.
    Nothing grows with their number.

    Parameters
    ----------
    loss : Loss, Criterion or str
        A loss that is a sum over elements or rows, or its name.
    offset : int, default 0
        The number of the first row. Accumulators of several parts of the data are merged; each has
        the number of its first row among all.
    **options
        Those of the loss, the same for all chunks.

    Attributes
    ----------
    partial : Partial
        What has been added up so far.
    offset : int
        The number of the next row.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> x, t = np.arange(5000.0), np.zeros(5000)
    >>> accumulator = fl.Accumulator(fl.HuberLoss(delta=2.0))
    >>> for start in range(0, 5000, 1700):
    ...     accumulator.update(x[start : start + 1700], t[start : start + 1700])
    >>> accumulator.value() == fl.huber_loss(x, t, delta=2.0)
    np.True_
    >>> accumulator.value("sum")
    np.float64(24985002.5)
    """

    def __init__(self, loss: Any, *, offset: int = 0, **options: Any) -> None:
        self._bound = bound(loss, options, reduces=True)
        self.offset = offset_of(offset)
        self.partial = Partial()

    def update(self, *operands: Any, **arrays: Any) -> None:
        """Add a chunk: what the loss is called with, its operands and the weights of their rows."""
        part = self._bound.loss.partial(
            *operands, offset=self.offset, **(self._bound.options | arrays)
        )
        self.partial += part
        self.offset += sum(stop - start for start, stop in part.rows)

    def merge(self, other: Accumulator | Partial) -> Self:
        """Add what another one has added up, of other rows; returns this one."""
        if not isinstance(other, (Accumulator, Partial)):
            raise TypeError(
                f"other: an Accumulator or a Partial is needed, got {type(other).__name__}"
            )
        self.partial += other if isinstance(other, Partial) else other.partial
        return self

    def value(self, reduction: str | None = None) -> Any:
        """The loss of the rows added so far; by default with the loss's own reduction."""
        return self.partial.value(reduction)

    def __repr__(self) -> str:
        return f"<Accumulator of {self._bound.loss.__name__}: {self.partial!r}>"
