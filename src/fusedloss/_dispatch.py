"""Which compiled module does the work, and with how many threads."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from operator import index
from typing import Any, Protocol

from fusedloss import _cpu

Arrays = tuple[Any, ...]


class Kernels(Protocol):
    """What each of the modules _v2, _v3, _v4 and _base offers."""

    LEVEL: str
    FLAGS: str
    OPENMP: bool
    SMALL: int
    FORMULA_NUMBERS: dict[str, int]
    COMPUTATIONS: dict[str, int]
    TARGETS: dict[str, int]

    @staticmethod
    def max_threads() -> int: ...
    @staticmethod
    def set_bfloat16(number: int) -> None: ...
    @staticmethod
    def asks(value: Any) -> int: ...
    @staticmethod
    def is_plain_output(buffer: Any, shape: tuple[int, ...], inputs: Arrays) -> bool: ...
    @staticmethod
    def scalar(value: float, double_precision: bool) -> Any: ...
    @staticmethod
    def elementwise(
        formula: int,
        parameters: tuple[float, ...],
        double_precision: bool,
        order: int,
        scale: float,
        summed: bool,
        threads: int,
        arrays: Arrays,
    ) -> float: ...
    @staticmethod
    def rows(
        what: int,
        target: int,
        order: int,
        double_precision: bool,
        keep: float,
        spread: float,
        ignored: int,
        scale: float,
        summed: bool,
        threads: int,
        class_axes: int,
        arrays: Arrays,
    ) -> float: ...
    @staticmethod
    def scan_weights(weights: Any) -> tuple[float, int]: ...
    @staticmethod
    def scan_labels(
        labels: Any, classes: int, ignored: int, weight: Any
    ) -> tuple[int, float, int, int]: ...


def built_levels() -> list[str]:
    """The levels that this installation has, the most capable first."""
    return [level for level in ("v4", "v3", "v2", "base") if find_spec(f"fusedloss._{level}")]


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
    module: Any = import_module(f"fusedloss._{forced or levels[0]}")
    return module  # type: ignore[no-any-return]


kernels: Kernels = _load()


# ---- threads -----------------------------------------------------------------------

_chosen: int | None = None
_forked = False


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
    threads of the parent do not exist there.
    """
    if _forked or not kernels.OPENMP:
        return 1
    return _chosen or kernels.max_threads()


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
