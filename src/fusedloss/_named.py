"""What adapters share: a loss, which they take as it is, as a criterion or by name, and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from fusedloss._core.criterion import Criterion
from fusedloss._core.frameworks import ELEMENTWISE
from fusedloss._core.loss import Loss
from fusedloss._core.operands import operand
from fusedloss._core.outputs import UNWANTED
from fusedloss._core.types import Array

#: The families of losses of one score for each label.
OF_SCORES: Final = ELEMENTWISE | {"ordinal"}
#: Of losses whose elements have weights: why an adapter whose rows have weights refuses these.
WEIGHT_OF_ROWS: Final = {"weight": "each row has one weight: pass it as sample_weight"}


class Bound(NamedTuple):
    """A loss and its options, checked as far as that needs no operands."""

    loss: Loss[...]
    options: dict[str, Any]


def bound(
    loss: Any,
    options: dict[str, Any],
    *,
    refused: dict[str, str] | None = None,
    reduces: bool = False,
) -> Bound:
    """The loss and the options that were given. `refused` has options that the caller does not
    take, each with the reason. A criterion's reduction is one of its options if that `reduces`."""
    if isinstance(loss, str):
        loss = by_name(loss)
    if isinstance(loss, Criterion):
        defaults = loss._options_signature.bind()
        defaults.apply_defaults()
        own = {k: v for k, v in loss._options().items() if v is not defaults.arguments[k]}
        if not reduces:
            own.pop("reduction", None)  # that of a call, which the adapter sees to
        options = own | options
        loss = loss.loss
    if not isinstance(loss, Loss):
        hint = f"; make one: {loss.__name__}()" if isinstance(loss, type) else ""
        raise TypeError(
            "loss: a loss such as fl.huber_loss, its name, or a criterion such as fl.HuberLoss() "
            f"is needed, got {loss!r}{hint}"
        )
    for name, reason in (refused or {}).items():
        if options.get(name) is not None and name in loss._options:
            raise TypeError(f"{name}: is no option of this call: {reason}")
    try:
        all_options = loss._options_signature.bind(**options)
    except TypeError as error:
        accepted = [name for name in loss._options if name not in (refused or {})]
        raise TypeError(
            f"{loss.__name__}: {error}; the options are {', '.join(accepted) or 'none'}"
        ) from None
    all_options.apply_defaults()
    loss._check_options(all_options.arguments)
    return Bound(loss, options)


def by_name(name: str) -> Loss[...]:
    """The loss of this name."""
    import fusedloss

    found = getattr(fusedloss, name, None)
    if isinstance(found, Loss):
        return found
    from difflib import get_close_matches  # not at the top: it takes time to import

    names = [n for n in fusedloss.__all__ if isinstance(getattr(fusedloss, n), Loss)]
    close = get_close_matches(name, names, 1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"
    raise ValueError(f"loss: no loss has the name {name!r}{hint}")


def unwanted(loss: Loss[...], options: Mapping[str, Any]) -> tuple[Any, ...]:
    """What stands in a tuple of buffers for the derivatives with respect to what is not the first
    operand, in a call with these options."""
    defaults = loss._options_signature.parameters
    given = {name: p.default for name, p in defaults.items()} | dict(options)
    others = [
        name
        for name in loss.differentiable[1:]
        if f"{name}_grad" not in defaults and (name in loss._operands or given[name] is not None)
    ]
    return (UNWANTED,) * len(others)


def key_of(options: dict[str, Any]) -> tuple[Any, ...]:
    """Options as a value that can be hashed, the same for equal ones."""
    return tuple((name, _hashable(options[name])) for name in sorted(options))


def _hashable(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float, np.generic)):
        return value
    array = np.asarray(value)
    if array.dtype.hasobject and not array.ndim:  # such as a plan
        return value
    return array.dtype.str, array.shape, array.tobytes()


def row_weights(sample_weight: Any, rows: int) -> Array:
    """Weights, one for each row."""
    weight: Array = operand("sample_weight", sample_weight)[0]
    if weight.shape != (rows,):
        raise ValueError(f"sample_weight: shape ({rows},) is needed, got {weight.shape}")
    return weight


def check_finite(more: str = "", **operands: Array | None) -> None:
    """Raise an error that names the operand with a number that is nan or infinite, and what `more`
    can be done about it."""
    for name, array in operands.items():
        if array is None:
            continue
        bad = ~np.isfinite(array)
        if bad.any():
            at = np.argwhere(bad)[0].tolist()
            raise ValueError(
                f"{name}: the value at {at} is {array[bad][0]}; finite numbers are needed, and "
                f"a null is none: fill or drop these rows{more}"
            )
