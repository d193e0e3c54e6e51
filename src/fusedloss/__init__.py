"""Loss functions for NumPy arrays: value, gradient and curvature in one compiled pass."""
# ruff: noqa: F403 (what a module offers is its __all__)

import gc as _gc
from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.1.0"

# Nothing that an import makes is garbage, but looking for it takes a sixth of the time.
_collects = _gc.isenabled()
_gc.disable()
try:
    from fusedloss import (
        activations,
        binary,
        boxes,
        classification,
        contrastive,
        counts,
        distributions,
        linear_heads,
        location_scale,
        margins,
        ordinal,
        ranking,
        regions,
        regression,
        sequences,
        similarity,
        survival,
    )
    from fusedloss._core.config import get_include, show_config
    from fusedloss._core.criterion import Criterion
    from fusedloss._core.loss import Activation, Loss
    from fusedloss._core.plans import Plan
    from fusedloss._core.threads import get_num_threads, set_num_threads
    from fusedloss.activations import *
    from fusedloss.binary import *
    from fusedloss.boxes import *
    from fusedloss.classification import *
    from fusedloss.contrastive import *
    from fusedloss.counts import *
    from fusedloss.distributions import *
    from fusedloss.linear_heads import *
    from fusedloss.location_scale import *
    from fusedloss.margins import *
    from fusedloss.ordinal import *
    from fusedloss.ranking import *
    from fusedloss.regions import *
    from fusedloss.regression import *
    from fusedloss.sequences import *
    from fusedloss.similarity import *
    from fusedloss.survival import *
finally:
    if _collects:
        _gc.enable()

__all__ = [
    "Activation",
    "Criterion",
    "Loss",
    "Plan",
    "get_include",
    "get_num_threads",
    "set_num_threads",
    "show_config",
]
__all__ += activations.__all__
__all__ += binary.__all__
__all__ += boxes.__all__
__all__ += classification.__all__
__all__ += contrastive.__all__
__all__ += counts.__all__
__all__ += distributions.__all__
__all__ += linear_heads.__all__
__all__ += location_scale.__all__
__all__ += margins.__all__
__all__ += ordinal.__all__
__all__ += ranking.__all__
__all__ += regions.__all__
__all__ += regression.__all__
__all__ += sequences.__all__
__all__ += similarity.__all__
__all__ += survival.__all__
__all__.sort()

# Adapters to other packages are imported when they are first asked for, and import the other
# package when they need it.
_ADAPTERS = ("boosting", "capi", "jax", "linear", "metrics", "scipy", "torch")


def __getattr__(name: str) -> _Any:
    if name in _ADAPTERS:
        return _import_module(f"fusedloss.{name}")
    raise AttributeError(f"module 'fusedloss' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ADAPTERS})
