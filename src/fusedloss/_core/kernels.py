"""The compiled functions, of the level that this process uses."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from fusedloss import _cpu

#: From the most capable.
LEVELS: Final = ("v4", "v3", "v2", "base")
#: The families of kernels: those of elementwise formulas, of losses over class axes, and others.
FORMULAS: Final = ("regression", "binary", "distributions")
ROWS: Final = ("classification", "margins", "ranking")
FAMILIES: Final = ("arrays", *FORMULAS, *ROWS, "boxes", "regions", "vectors")


def family(level: str, name: str) -> ModuleType:
    """The compiled module of a family at a level."""
    return import_module(f"fusedloss._{level}_{name}")


def built_levels() -> list[str]:
    """The levels that this installation has, the most capable first."""
    files = os.listdir(os.path.dirname(os.path.dirname(__file__)))  # the package's folder
    built = {file for file in files if file.endswith(tuple(EXTENSION_SUFFIXES))}
    return [level for level in LEVELS if any(file.startswith(f"_{level}_") for file in built)]


def available_levels() -> list[str]:
    """The built levels that this CPU can run, the most capable first."""
    return [level for level in built_levels() if level == "base" or int(level[1]) <= _cpu.level()]


class Kernels:
    """The compiled functions of one level.

    `families` has a namespace of functions for each family. They are filled anew when `level` is
    set, so they can be kept, and names be looked up in them, when a module is imported: the numbers
    of formulas and losses are the same at every level.
    """

    def __init__(self, level: str) -> None:
        self.families: Final = {name: SimpleNamespace() for name in FAMILIES}
        self.level = level

    @property
    def level(self) -> str:
        return self._level

    @level.setter
    def level(self, level: str) -> None:
        for name, namespace in self.families.items():
            vars(namespace).update(vars(family(level, name)))
        self._level = level

    def numbered(self, families: tuple[str, ...], table: str, name: str) -> tuple[Any, Any]:
        """The family that has a name in its table, and what the table says of it."""
        for namespace in map(self.families.__getitem__, families):
            found = getattr(namespace, table)
            if name in found:
                return namespace, found[name]
        raise ImportError(f"no kernel {name!r} in the tables {table} of {', '.join(families)}")

    def set_bfloat16(self, number: int) -> None:
        """Tell all kernels the dtype number of ml_dtypes' bfloat16."""
        for namespace in self.families.values():
            namespace.set_bfloat16(number)


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
