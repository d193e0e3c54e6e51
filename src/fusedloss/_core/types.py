"""Names for annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array: TypeAlias = npt.NDArray[Any]
    ArrayLike: TypeAlias = npt.ArrayLike
    Ids: TypeAlias = npt.ArrayLike
else:  # numpy.typing takes time to import, and only type checkers need it
    Array = np.ndarray
    ArrayLike = Any
    Ids = Any  # an id for each row: numbers or strings

Reduction: TypeAlias = Literal[
    "mean", "sum", "none", "batchmean", "weighted_mean", "sum_by_nonzero_weights"
]
#: What a caller wants: 0 the value, 1 the gradient too, 2 the second derivative too; buffers for
#: these; whether the call also returns the divisor of the sum; and what becomes of second
#: derivatives, None or a scale and a floor. 3, the product of the Hessian with a vector, goes with
#: a buffer for that, in the place of the gradient's, and the vector, in the place of the second
#: derivative's.
Request: TypeAlias = tuple[int, Any, Any, Any, bool, tuple[float, float] | None]
PRODUCT: Final = 3
#: An elementwise loss of residuals as a function of their squares, with derivatives: an array of
#: three rows.
RHO: Final = 4
#: The natural gradients of a loss with Fisher information, in the place of the gradients.
NATURAL: Final = 5
#: A call of two operands and whether the gradient is wanted: (mean, gradient, whether they are
#: float64), or None where the call is not one of those that it is for.
Short: TypeAlias = Callable[[Any, Any, bool], tuple[float, Any, bool] | None]
