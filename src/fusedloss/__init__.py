"""Loss functions for NumPy arrays: value, gradient and curvature in one compiled pass."""

from importlib import import_module as _import_module
from typing import Any as _Any

import fusedloss._core.parts  # noqa: F401 (it gives losses a method)
from fusedloss._core.config import get_include as get_include
from fusedloss._core.config import show_config as show_config
from fusedloss._core.criterion import Criterion as Criterion
from fusedloss._core.loss import Activation as Activation
from fusedloss._core.loss import Loss as Loss
from fusedloss._core.plans import Plan as Plan
from fusedloss._core.threads import get_num_threads as get_num_threads
from fusedloss._core.threads import set_num_threads as set_num_threads
from fusedloss._families import FAMILY_OF as _FAMILY_OF

__version__ = "0.1.0"

_CORE = [
    "Activation",
    "Criterion",
    "Loss",
    "Plan",
    "get_include",
    "get_num_threads",
    "set_num_threads",
    "show_config",
]
# What only some need, and the modules that have it.
_LATER = {"Accumulator": "_accumulator", "Partial": "_core.partials"}
# The modules with losses. What is in their `__all__` is found in this package, too; they are
# imported when a name of theirs is first asked for.
_FAMILIES = (
    "activations",
    "binary",
    "boxes",
    "classification",
    "contrastive",
    "counts",
    "distributions",
    "forecasts",
    "grouped",
    "ensembles",
    "linear_heads",
    "location_scale",
    "margins",
    "ndcg",
    "ordinal",
    "ranking",
    "regions",
    "regression",
    "sequences",
    "similarity",
    "survival",
)
# Adapters to other packages, which import the other package when they need it.
_ADAPTERS = ("boosting", "capi", "dask", "jax", "linear", "metrics", "scipy", "torch")


def _module(name: str) -> _Any:
    return _import_module(f"fusedloss.{name}")


def __getattr__(name: str) -> _Any:
    """What is not imported yet. It is kept, so that this is called once for each name."""
    if name in _FAMILIES or name in _ADAPTERS:
        return _module(name)
    if name in _LATER:
        globals()[name] = getattr(_module(_LATER[name]), name)
        return globals()[name]
    if name == "__all__":
        names = {n for family in _FAMILIES for n in _module(family).__all__}
        globals()[name] = sorted(names.union(_CORE, _LATER))
        return globals()[name]
    if name[:1] != "_":
        # A name that the table lacks may be newer than the table, so all families are asked.
        known = _FAMILY_OF.get(name)
        for module in map(_module, (known, *_FAMILIES) if known else _FAMILIES):
            if name in module.__all__:
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module 'fusedloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    names: list[str] = globals().get("__all__") or __getattr__("__all__")
    return sorted({*globals(), *names, *_FAMILIES, *_ADAPTERS})
