"""Cycles, counted by the processor, where Linux lets a process read its counters.

Virtual machines mostly have none: then there are none in the reports either.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import os
import platform
import struct
from collections.abc import Callable
from typing import Any, Final

HARDWARE_CYCLES: Final = (0, 0)
#: Nanoseconds that this thread ran: a counter of the kernel's, which is there without the hardware.
TASK_CLOCK: Final = (1, 1)

_SYSCALL: Final = {"x86_64": 298, "aarch64": 241}
_ENABLE, _DISABLE, _RESET = 0x2400, 0x2401, 0x2403
# disabled at first; neither the kernel nor a hypervisor counts
_FLAGS: Final = 1 | 1 << 5 | 1 << 6
_SIZE: Final = 112


@functools.cache
def _open(event: tuple[int, int]) -> int | None:
    """A descriptor of a counter of this thread."""
    number = _SYSCALL.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        return None
    kind, config = event
    attributes = struct.pack("=IIQQQQQ", kind, _SIZE, config, 0, 0, 0, _FLAGS).ljust(_SIZE, b"\0")
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(number, attributes, 0, -1, -1, 0)
    return int(descriptor) if descriptor >= 0 else None


def available() -> bool:
    return _open(HARDWARE_CYCLES) is not None


def counted(function: Callable[[], Any], event: tuple[int, int]) -> int:
    """What an event counts in a call of a function."""
    descriptor = _open(event)
    if descriptor is None:
        raise OSError("this machine has no such counter, or does not let it be read")
    fcntl.ioctl(descriptor, _RESET, 0)
    fcntl.ioctl(descriptor, _ENABLE, 0)
    try:
        function()
    finally:
        fcntl.ioctl(descriptor, _DISABLE, 0)
    return int.from_bytes(os.read(descriptor, 8), "little")


def cycles(function: Callable[[], Any], calls: int) -> float:
    """Cycles of a call: the fewest of five samples of so many calls."""

    def sample() -> None:
        for _ in range(calls):
            function()

    return min(counted(sample, HARDWARE_CYCLES) for _ in range(5)) / calls
