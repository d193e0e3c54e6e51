"""Names for annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[Any]
    ArrayLike: TypeAlias = npt.ArrayLike
else:  # numpy.typing takes time to import, and only type checkers need it
    Array = np.ndarray
    ArrayLike = Any

Reduction: TypeAlias = Literal[
    "mean", "sum", "none", "batchmean", "weighted_mean", "sum_by_nonzero_weights"
]
#: What a caller wants: 0 the value, 1 the gradient too, 2 the second derivative too; buffers for
#: these; and whether the call also returns the divisor of the sum.
Request: TypeAlias = tuple[int, Any, Any, Any, bool]
#: A call of two operands and whether the gradient is wanted: (mean, gradient, whether they are
#: float64), or None where the call is not one of those that it is for.
Short: TypeAlias = Callable[[Any, Any, bool], tuple[float, Any, bool] | None]
