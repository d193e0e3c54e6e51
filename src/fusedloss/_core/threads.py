"""With how many threads a call works."""

from __future__ import annotations

import os
import warnings
from _thread import _local  # of threading, which takes a millisecond to import
from operator import index
from typing import Final

from fusedloss._core.kernels import kernels

_arrays: Final = kernels.modules["arrays"]
_SMALL: Final[int] = _arrays.SMALL

_chosen: int | None = None
_forked = False


class _Startable(_local):
    """How many threads a calling thread is known to be able to have, itself included; and whether
    its calls are to do without others for now."""

    count = 1
    alone = False


_startable: Final = _Startable()


class Alone:
    """Within it, calls of this thread use one thread, if `asked`. OpenMP's threads look for work
    for a while after a call, on CPUs that BLAS's threads want."""

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    def __enter__(self) -> None:
        self._before = _startable.alone
        _startable.alone |= self._asked

    def __exit__(self, *raised: object) -> None:
        _startable.alone = self._before


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
    if _forked or not _arrays.OPENMP:
        return 1
    n: int = _chosen or _arrays.max_threads()
    if n > _startable.count:
        # Each calling thread has threads of its own. OpenMP ends the process where it cannot have
        # them, so they are tried before they are first used.
        if not _arrays.can_start(n - 1):
            warnings.warn(
                f"{n} threads cannot be started; this call uses one. set_num_threads sets their "
                "number",
                RuntimeWarning,
                stacklevel=2,
            )
            return 1
        _startable.count = n
    return n


def threads_for(size: int) -> int:
    """How many threads a call on so many elements uses; a small one is never split."""
    return get_num_threads() if size > _SMALL and not _startable.alone else 1


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
