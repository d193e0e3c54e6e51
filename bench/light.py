"""The speed of light of a machine: light.c, compiled for it."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import shlex
import subprocess
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

_SOURCE: Final = Path(__file__).with_name("light.c")
_BUILD: Final = Path(__file__).resolve().parents[1] / "build" / "bench"
_FLAGS: Final = ("-O3", "-march=native", "-shared", "-fPIC")
_MOST: Final = 4


@functools.cache
def _function() -> Any:
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    command = [*shlex.split(compiler), *_FLAGS]
    key = hashlib.sha256(_SOURCE.read_bytes() + repr(command).encode()).hexdigest()[:12]
    target = _BUILD / f"light-{key}.so"
    if not target.exists():
        _BUILD.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(f".{os.getpid()}")  # others may be compiling it, too
        subprocess.run([*command, "-o", str(made), str(_SOURCE)], check=True)
        made.replace(target)
    function = ctypes.CDLL(str(target)).light
    arrays = [ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)]
    function.argtypes = [*arrays, *arrays, ctypes.c_size_t]
    function.restype = ctypes.c_uint64
    return function


def light(
    inputs: Sequence[NDArray[Any]], outputs: Sequence[NDArray[Any]] = ()
) -> Callable[[], int]:
    """A function that reads all inputs once, and overwrites all outputs once.

    Arrays of one size go together. The result is the sum of what was read, in no useful sense.
    """
    together: dict[int, tuple[list[NDArray[Any]], list[NDArray[Any]]]] = {}
    for which, arrays in enumerate((inputs, outputs)):
        for a in arrays:
            if not a.flags.c_contiguous or (which and not a.flags.writeable):
                raise ValueError("arrays must lie in one piece of memory, outputs be writeable")
            together.setdefault(a.nbytes, ([], []))[which].append(a)
    calls = []
    for nbytes, (read, written) in together.items():
        if len(read) > _MOST or len(written) > _MOST:
            raise ValueError(f"at most {_MOST} inputs and as many outputs of one size")
        calls.append((*_addresses(read), *_addresses(written), nbytes))
    function, kept = _function(), (inputs, outputs)

    def once() -> int:
        assert kept  # the arrays must live as long as this function
        return sum(function(*call) for call in calls)

    return once


def _addresses(arrays: list[NDArray[Any]]) -> tuple[int, Any]:
    return len(arrays), (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))
