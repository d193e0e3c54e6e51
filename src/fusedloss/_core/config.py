"""How this installation was built."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from fusedloss import _cpu
from fusedloss._core.kernels import available_levels, built_levels, kernels
from fusedloss._core.threads import get_num_threads


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Print how this installation was built and what it uses.

    Parameters
    ----------
    mode : {"stdout", "dict"}
        "dict" returns the facts instead of printing them.
    """
    from fusedloss import __version__

    arrays = kernels.modules["arrays"]
    facts = {
        "version": __version__,
        "level": kernels.level,
        "levels available": available_levels(),
        "levels built": built_levels(),
        "compiler": _cpu.compiler(),
        "flags": arrays.FLAGS,
        "openmp": arrays.OPENMP,
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


def get_include() -> str:
    """The folder of ``fusedloss.h``, for compilers.

    Cython modules that take something from ``fusedloss.capi`` by ``cimport`` need it too.

    Returns
    -------
    str
        To be added to ``include_dirs`` of a setuptools ``Extension``, or to be passed with ``-I``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> from pathlib import Path
    >>> Path(fl.get_include(), "fusedloss.h").exists()
    True
    """
    return os.path.join(os.path.dirname(os.path.dirname(__file__)), "include")
