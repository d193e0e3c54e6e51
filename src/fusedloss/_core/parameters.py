"""Checks of options that are no arrays."""

from __future__ import annotations

from math import inf
from operator import index
from typing import Any, Final

import numpy as np

_TINY: Final = float(np.finfo(np.float32).tiny)
_HUGE: Final = float(np.finfo(np.float32).max)


def number(name: str, value: Any) -> float:
    """A parameter that must be a real number."""
    if type(value) is float:
        return value
    try:
        if isinstance(value, np.ndarray) and not value.dtype.isnative and value.dtype.kind != "U":
            value = value.astype(np.float64)  # ml_dtypes takes swapped bytes for native ones
        if not isinstance(value, (str, bytes, bytearray)):
            return float(value)
    except OverflowError:
        raise ValueError(f"{name}: {value} is too large for float64") from None
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name}: a number is needed, got {type(value).__name__}")


def positive(name: str, value: Any) -> float:
    """A parameter that must be positive and finite."""
    x = value if type(value) is float else number(name, value)
    if not 0 < x < inf:
        raise ValueError(f"{name}: a positive finite number is needed, got {value}")
    return x


def finite(name: str, value: Any, low: float = -inf, high: float = inf) -> float:
    """A parameter that must be finite, and not lie below `low` or above `high`."""
    x = value if type(value) is float else number(name, value)
    if not (low <= x <= high and -inf < x < inf):
        if low == -inf:
            limits = "" if high == inf else f", {high:g} or less,"
        else:
            limits = f", {low:g} or more," if high == inf else f" from {low:g} to {high:g}"
        raise ValueError(f"{name}: a finite number{limits} is needed, got {value}")
    return x


def integer(name: str, value: Any) -> int:
    """A parameter that must be an integer."""
    try:
        return index(None if type(value) is bool else value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: an integer is needed, got {type(value).__name__}") from None


def flag(name: str, value: Any) -> bool:
    """A parameter that must be true or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: True or False is needed, got {value!r}")
    return bool(value)


def choice(name: str, value: Any, accepted: tuple[str, ...]) -> str:
    """A parameter that must be one of some names."""
    if not isinstance(value, str) or value not in accepted:
        raise ValueError(f"{name}: must be one of {', '.join(accepted)}; got {value!r}")
    return value


def check_range(loss: str, parameters: tuple[float, ...]) -> None:
    """Parameters of a call that is computed in float32."""
    for x in parameters:
        if x and not _TINY <= abs(x) <= _HUGE:
            raise ValueError(
                f"{loss}: the parameter {x} is out of the range of float32, in which this call "
                "is computed; pass float64 arrays"
            )


def are_in_range(parameters: tuple[float, ...]) -> bool:
    """Whether a call with these parameters can be computed in float32."""
    try:
        check_range("", parameters)
    except ValueError:
        return False
    return True
