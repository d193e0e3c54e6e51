"""The method `partial` of losses."""

from __future__ import annotations

from typing import Any

from fusedloss._core.loss import Lazy, Loss, present, with_buffers


def _partial(loss: Loss[...]) -> Any:
    def method(*args: Any, offset: Any = 0, **kwargs: Any) -> Any:
        from fusedloss._core.partials import partial_of  # only who has parts needs it

        return partial_of(loss, offset, args, kwargs)

    doc = f"""What `{loss.__name__}` comes to on a part of the data.

The arguments are those of `{loss.__name__}`, of rows that follow each other along the first axis,
and the number of the first of them.

Parameters
----------
offset : int, default 0
    How many rows come before these. It decides where the sums of the part are cut, so that the
    merged value has the bits of one call on all rows in C order.

Returns
-------
partial : Partial
    To be added to those of the other parts: see `Partial`.

Raises
------
NotImplementedError
    If the loss is no sum over elements or rows.
"""
    qualname = f"{loss.__name__}.partial"
    return present(
        method, "partial", qualname, doc, lambda: with_buffers(loss._arguments, "partial")
    )


Lazy(_partial).become(Loss, "partial")
