"""Which compiled module does the work, and with how many threads."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from operator import index
from typing import Any, Final

from fusedloss import _cpu

Arrays = tuple[Any, ...]


#: The families of kernels. Each is a compiled module for each instruction-set level.
FORMULAS: Final = ("regression", "binary", "distributions")
ROWS: Final = ("classification", "margins", "ranking")
#: These have entries of their own.
OTHERS: Final = ("boxes", "regions", "vectors")
FAMILIES: Final = ("arrays", *FORMULAS, *ROWS, *OTHERS)


class Kernels:
    """The compiled functions of one level."""

    def __init__(self, level: str) -> None:
        families = {name: import_module(f"fusedloss._{level}_{name}") for name in FAMILIES}
        arrays = families["arrays"]
        self.LEVEL: str = arrays.LEVEL
        self.FLAGS: str = arrays.FLAGS
        self.OPENMP: bool = arrays.OPENMP
        self.SMALL: int = arrays.SMALL
        self.max_threads: Callable[[], int] = arrays.max_threads
        self.asks: Callable[[Any], int] = arrays.asks
        self.is_plain_output: Callable[[Any, tuple[int, ...], Arrays, Any], bool]
        self.is_plain_output = arrays.is_plain_output
        self.are_same_memory: Callable[[Any, Any], bool] = arrays.are_same_memory
        self.store_scalar: Callable[[Any, float, bool], None] = arrays.store_scalar
        self.can_start: Callable[[int], bool] = arrays.can_start
        self.scalar: Callable[[float, bool], Any] = arrays.scalar
        self.scan_weights: Callable[..., tuple[float, int]] = arrays.scan_weights
        self.scan_rows: Callable[..., tuple[int, float, float, int, int]]
        self.scan_rows = families["classification"].scan_rows
        self.find_outside: Callable[[Any, float, Arrays], int]
        self.find_outside = families["classification"].find_outside
        self.scan_lists: Callable[[Any, Any, Any], int] = families["margins"].scan_lists
        self.TARGETS: dict[str, int] = families["classification"].TARGETS
        #: The function of each loss over a class axis, and its number there.
        self.ROWS: dict[str, tuple[Callable[..., float], int]] = {
            loss: (families[name].rows, number)
            for name in ROWS
            for loss, number in families[name].ROWS.items()
        }
        #: Each formula's function, its number there, and whether it is paired.
        self.FORMULAS: dict[str, tuple[Callable[..., float], int, bool]] = {
            formula: (families[name].elementwise, *facts)
            for name in FORMULAS
            for formula, facts in families[name].FORMULAS.items()
        }
        assert len(self.FORMULAS) == sum(len(families[name].FORMULAS) for name in FORMULAS)
        self._families = families

    def family(self, name: str) -> Any:
        """The compiled module of a family."""
        return self._families[name]

    def set_bfloat16(self, number: int) -> None:
        """Tell all loops the dtype number of ml_dtypes' bfloat16."""
        for family in self._families.values():
            family.set_bfloat16(number)


def built_levels() -> list[str]:
    """The levels that this installation has, the most capable first."""
    return [
        level for level in ("v4", "v3", "v2", "base") if find_spec(f"fusedloss._{level}_arrays")
    ]


def available_levels() -> list[str]:
    """The built levels that this CPU can run, the most capable first."""
    return [level for level in built_levels() if level == "base" or int(level[1]) <= _cpu.level()]


def _load() -> Kernels:
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
    return Kernels(forced or levels[0])


kernels: Final = _load()


# ---- threads -----------------------------------------------------------------------

_chosen: int | None = None
_forked = False


class _Startable(threading.local):
    """How many threads a calling thread is known to be able to have, itself included."""

    count = 1


_startable: Final = _Startable()


def set_num_threads(n: int | None) -> None:
    """Set how many threads a call may use.

    Small arrays are always computed by one thread; results have the same bits for every number.

    Parameters
    ----------
    n : int or None
        At least 1. None follows OpenMP again: ``OMP_NUM_THREADS``, the number of CPUs, or
        what threadpoolctl sets. A number given here takes precedence over those.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.set_num_threads(1)
    >>> fl.get_num_threads()
    1
    >>> fl.set_num_threads(None)
    """
    global _chosen
    if n is not None:
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(f"n: a number of threads or None is needed, got {type(n).__name__}")
        n = index(n)
    if n is not None and not 1 <= n <= 4096:
        raise ValueError(f"n: a number of threads from 1 to 4096 is needed, got {n}")
    _chosen = n


def get_num_threads() -> int:
    """How many threads a call on large arrays uses now.

    Always 1 in a build without OpenMP, and in a child process made by ``fork``: the OpenMP
    threads of the parent do not exist there. Also 1, with a RuntimeWarning, where the system does
    not let so many threads start.
    """
    if _forked or not kernels.OPENMP:
        return 1
    n = _chosen or kernels.max_threads()
    if n > _startable.count:
        # Each calling thread has threads of its own. OpenMP ends the process where it cannot have
        # them, so they are tried before they are first used.
        if not kernels.can_start(n - 1):
            warnings.warn(
                f"{n} threads cannot be started; this call uses one. set_num_threads sets their "
                "number",
                RuntimeWarning,
                stacklevel=2,
            )
            return 1
        _startable.count = n
    return n


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Print how this installation was built and what it uses.

    Parameters
    ----------
    mode : {"stdout", "dict"}
        "dict" returns the facts instead of printing them.
    """
    import numpy as np

    from fusedloss import __version__

    facts = {
        "version": __version__,
        "level": kernels.LEVEL,
        "levels available": available_levels(),
        "levels built": built_levels(),
        "compiler": _cpu.compiler(),
        "flags": kernels.FLAGS,
        "openmp": kernels.OPENMP,
        "threads": get_num_threads(),
        "numpy": np.__version__,
    }
    if mode == "dict":
        return facts
    if mode != "stdout":
        raise ValueError(f"mode: 'stdout' or 'dict' is accepted, got {mode!r}")
    width = max(map(len, facts))
    for name, fact in facts.items():
        text = ", ".join(fact) if isinstance(fact, list) else fact
        print(f"{name:{width}}  {text}")
    return None
