"""A loss as adapters take it: itself, with its options, a criterion, or its name."""

from __future__ import annotations

from typing import Any, NamedTuple

from fusedloss._core.criterion import Criterion
from fusedloss._core.loss import Loss


class Bound(NamedTuple):
    """A loss and its options, checked as far as that needs no operands."""

    loss: Loss[...]
    options: dict[str, Any]


def bound(loss: Any, options: dict[str, Any], *, refused: dict[str, str] | None = None) -> Bound:
    """The loss and the options that were given. `refused` has options that the caller does not
    take, each with the reason."""
    if isinstance(loss, str):
        loss = _by_name(loss)
    if isinstance(loss, Criterion):
        defaults = loss._options_signature.bind()
        defaults.apply_defaults()
        own = {k: v for k, v in loss._options().items() if v is not defaults.arguments[k]}
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


def _by_name(name: str) -> Any:
    import fusedloss

    found = getattr(fusedloss, name, None)
    if isinstance(found, Loss):
        return found
    from difflib import get_close_matches  # only here: it takes time to import

    names = [n for n in fusedloss.__all__ if isinstance(getattr(fusedloss, n), Loss)]
    close = get_close_matches(name, names, 1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"
    raise ValueError(f"loss: no loss has the name {name!r}{hint}")


def family(loss: Loss[...]) -> str:
    """The module that a loss stands in."""
    return loss.__module__.rpartition(".")[2]
