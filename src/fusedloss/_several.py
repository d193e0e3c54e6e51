"""Outputs of losses that have derivatives with respect to several inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fusedloss._arrays import Array, Request, derivative, packed, put

#: An input, and the view that the kernel has of an array of its shape.
Leaf = tuple[Array, Callable[[Array], Array]]


class Leaves:
    """The derivatives with respect to some inputs, in the caller's buffers or new arrays.

    Where the kernel's view repeats elements, as that of a broadcast input does, its results are
    added up in float64 arrays of the input's own shape, and must be added there by one thread. With
    `in_place` a gradient may lie exactly where its input lies.
    """

    def __init__(
        self,
        request: Request,
        double: bool,
        leaves: Sequence[Leaf],
        inputs: tuple[Any, ...],
        in_place: bool = False,
    ) -> None:
        self._request = request
        order, out, *buffers = request[:4]
        self._results: list[list[Array]] = []
        self._sums: list[tuple[Array, Array]] = []
        views: list[tuple[Array, ...]] = []
        others = [*inputs, out]
        for name, given in zip(("grad_out", "hess_out")[:order], buffers, strict=False):
            results, seen = [], []
            for part, buffer, (like, view) in zip(
                *_parts(name, given, len(leaves)), leaves, strict=True
            ):
                replaced = like if in_place and name == "grad_out" else None
                result = derivative(part, buffer, like, double, tuple(others), replaced)
                others.append(result)
                results.append(result if buffer is None else buffer)
                target = view(result)
                if target.size != result.size:
                    sums = np.zeros(like.shape)
                    self._sums.append((result, sums))
                    target = view(sums)
                if target.shape != like.shape:
                    target.flags.writeable = True  # of a broadcast view it is not
                seen.append(target)
            self._results.append(results)
            views.append(tuple(seen))
        #: Arrays for the kernel; none where they are not asked for.
        self.grads, self.hesses = (*views, (), ())[:2]

    def packed(self, value: Any, by: float = 1.0, *more: Any) -> Any:
        """What the call returns."""
        for result, sums in self._sums:
            put(result, sums)
        parts = [tuple(r) if len(r) > 1 else r[0] for r in self._results]
        order, _, _, _, with_divisor = self._request
        request = (order, None, None, None, with_divisor)
        return packed(request, by, value, *(*parts, None, None)[:2], *more)


def _parts(name: str, buffers: Any, count: int) -> tuple[list[str], tuple[Any, ...]]:
    """The buffers one by one, with names for errors."""
    if count == 1:
        return [name], (buffers,)
    names = [f"{name}[{k}]" for k in range(count)]
    if buffers is None:
        return names, (None,) * count
    if not isinstance(buffers, tuple) or len(buffers) != count:
        raise TypeError(
            f"{name}: a tuple of {count} arrays or None is needed, as this loss has {count} "
            f"gradients; got {type(buffers).__name__}"
        )
    return names, buffers
