"""The compiled functions, of the level that this process uses."""

from __future__ import annotations

import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from fusedloss import _cpu

#: From the most capable.
LEVELS: Final = ("v4", "v3", "v2", "base")
#: The modules of a level's library, each after those whose functions it calls.
MODULES: Final = (
    *("core.operands", "core.sums", "core.call", "core.arrays", "core.places"),
    *("elementwise.elementwise", "elementwise.regression", "elementwise.rho"),
    *("elementwise.binary", "elementwise.focal", "elementwise.signs"),
    *("elementwise.distributions", "elementwise.divergences", "elementwise.location_scale"),
    *("elementwise.censored", "elementwise.counts", "elementwise.forecasts"),
    *("classes.rows", "classes.softmax", "classes.products", "classes.softmax_losses"),
    "classes.labels",
    *("classes.brier", "classes.activations", "classes.margins", "classes.sparsemax"),
    *("classes.multilabel", "classes.lists", "classes.distillation"),
    *("classes.ensembles", "classes.energy"),
    *("vectors.pieces", "vectors.tiles", "vectors.vectors"),
    *("regions.pixels", "regions.probabilities", "regions.overlap", "regions.lovasz"),
    *("boxes.boxes", "sequences.sequences", "ordinal.ordinal"),
    *("survival.risk", "survival.intervals", "survival.cox"),
    *("ranking.groups", "ranking.softmaxes", "ranking.choices", "ranking.order", "ranking.pairs"),
    *("ranking.lambdarank", "ranking.approx_ndcg"),
    "linear.blocks",
)


def _library(level: str) -> str | None:
    """The file of a level; None if it is not built."""
    folder = os.path.dirname(os.path.dirname(__file__))  # the package's
    paths = [os.path.join(folder, f"_{level}{suffix}") for suffix in EXTENSION_SUFFIXES]
    return next(filter(os.path.exists, paths), None)


def _load(level: str) -> dict[str, ModuleType]:
    """All modules of a level. They call each other's functions, which they look up by name when
    they are loaded: under this name there must be the module of the same level."""
    path = _library(level)
    if path is None:
        raise ImportError(f"no kernels of level {level}: built are {', '.join(built_levels())}")
    modules = {}
    try:
        for name in MODULES:
            short = name.rpartition(".")[2]
            loader = ExtensionFileLoader(f"fusedloss._{level}.{short}", path)
            module = loader.create_module(ModuleSpec(loader.name, loader, origin=path))
            sys.modules[f"fusedloss._kernels.{name}"] = modules[short] = module
            loader.exec_module(module)
    finally:
        for name in MODULES:
            sys.modules.pop(f"fusedloss._kernels.{name}", None)
    return modules


def built_levels() -> list[str]:
    """The levels that this installation has, the most capable first."""
    return [level for level in LEVELS if _library(level)]


def available_levels() -> list[str]:
    """The built levels that this CPU can run, the most capable first."""
    return [level for level in built_levels() if level == "base" or int(level[1]) <= _cpu.level()]


class Kernels:
    """The compiled functions of one level.

    `modules` has a namespace of functions for each module. They are filled anew when `level` is
    set, so they can be kept, and names be looked up in them, when a module is imported: the numbers
    of formulas and losses are the same at every level.
    """

    _loaded: Final[dict[str, dict[str, ModuleType]]] = {}

    def __init__(self, level: str) -> None:
        self._bfloat16: int | None = None
        shorts = (name.rpartition(".")[2] for name in MODULES)
        self.modules: Final = {short: SimpleNamespace() for short in shorts}
        self.level = level

    @property
    def level(self) -> str:
        return self._level

    @level.setter
    def level(self, level: str) -> None:
        if level not in self._loaded:
            self._loaded[level] = _load(level)
            self._tell_bfloat16(level)
        for name, module in self._loaded[level].items():
            vars(self.modules[name]).update(vars(module))
        self._level = level

    def set_bfloat16(self, number: int) -> None:
        """Tell all kernels the dtype number of ml_dtypes' bfloat16."""
        self._bfloat16 = number
        for level in self._loaded:
            self._tell_bfloat16(level)

    def _tell_bfloat16(self, level: str) -> None:
        if self._bfloat16 is not None:
            self._loaded[level]["arrays"].set_bfloat16(self._bfloat16)

    def number(self, module: str, table: str, name: str) -> Any:
        """What a module's table says of a name."""
        found = getattr(self.modules[module], table)
        if name not in found:
            raise ImportError(f"no kernel {name!r} in the table {table} of {module}")
        return found[name]


def _best_level() -> str:
    """The level that FUSEDLOSS_ISA asks for, or the most capable one."""
    forced = os.environ.get("FUSEDLOSS_ISA")
    levels = available_levels()
    if forced and forced not in levels:
        cpu = f"x86-64-v{_cpu.level()}" if _cpu.level() else "not x86-64"
        raise ImportError(
            f"FUSEDLOSS_ISA={forced} cannot be used: this CPU is {cpu}, the levels built are "
            f"{', '.join(built_levels())}; accepted here: {', '.join(levels) or 'none'}"
        )
    if not levels:
        raise ImportError(
            "no kernels for this CPU: built are " + (", ".join(built_levels()) or "none") + "; "
            "install from source with FUSEDLOSS_LEVELS=base"
        )
    return forced or levels[0]


kernels: Final = Kernels(_best_level())
