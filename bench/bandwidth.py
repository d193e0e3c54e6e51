"""The bandwidth of a machine for the arrays of a loss: bandwidth.c, compiled for it."""

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
from typing import Any

from bench.machine import RESULTS

_SOURCE = Path(__file__).with_name("bandwidth.c")


@functools.cache
def _function(inputs: int, outputs: int) -> Any:
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    command = [*shlex.split(compiler), "-O3", "-march=native", "-shared", "-fPIC"]
    command += [f"-DINPUTS={inputs}", f"-DOUTPUTS={outputs}"]
    key = hashlib.sha256(_SOURCE.read_bytes() + repr(command).encode()).hexdigest()[:12]
    target = RESULTS / f"bandwidth-{key}.so"
    if not target.exists():
        RESULTS.mkdir(parents=True, exist_ok=True)
        made = target.with_suffix(f".{os.getpid()}")  # others may be compiling it, too
        subprocess.run([*command, "-o", str(made), str(_SOURCE)], check=True)
        made.replace(target)
    function = ctypes.CDLL(str(target)).pass_over
    function.argtypes = [*[ctypes.POINTER(ctypes.c_void_p)] * 2, ctypes.c_size_t]
    function.restype = ctypes.c_uint64
    return function


def read_and_write(inputs: Sequence[Any], outputs: Sequence[Any] = ()) -> Callable[[], int]:
    """A function that reads all inputs once, and overwrites all outputs once.

    Arrays of one size go together. The result is the sum of what was read, in no useful sense.
    """
    calls = []
    for nbytes in dict.fromkeys(a.nbytes for a in (*inputs, *outputs)):
        sides = [[a for a in arrays if a.nbytes == nbytes] for arrays in (inputs, outputs)]
        if not all(a.flags.c_contiguous for side in sides for a in side):
            raise ValueError("arrays must lie in one piece of memory")
        addresses = [(ctypes.c_void_p * len(s))(*(a.ctypes.data for a in s)) for s in sides]
        calls.append((_function(*map(len, sides)), *addresses, nbytes))
    kept = inputs, outputs

    def once() -> int:
        assert kept  # the arrays must live as long as this function
        return sum(function(*call) for function, *call in calls)

    return once
