"""What a call does to its process: signals, threads that cannot be had, no memory, huge sizes."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.test_threads import linux, parallel, printed

posix = pytest.mark.skipif(not hasattr(__import__("signal"), "setitimer"), reason="no timers")

# ---- signals -------------------------------------------------------------------------------------

INTERRUPT = """
import signal, time
import numpy as np
import fusedloss as fl
fl.set_num_threads({threads})
def raise_it(*_):
    global sent
    sent = time.monotonic()
    raise KeyboardInterrupt
{setup}
{call_once}
signal.signal(signal.SIGALRM, raise_it)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted" if time.monotonic() - sent < 5 else "late")
else:
    print("finished")
signal.setitimer(signal.ITIMER_REAL, 0)
{call_once}
"""

#: Calls that take minutes: a large one, and one whose every element of work is.
LONG: dict[str, tuple[str, str]] = {
    "elementwise": (
        "x = np.broadcast_to(np.float32(1), (10**12,))",
        "fl.huber_loss(x, np.float32(0))",
    ),
    "weights": (
        "x = np.broadcast_to(np.float32(1), (10**12,))",
        "fl.mse_loss(x, 0, weight=x, reduction='weighted_mean')",
    ),
    "boxes": (
        "x = np.broadcast_to(np.float32([0, 0, 1, 1]), (10**11, 4))",
        "fl.complete_box_iou_loss(x, x)",
    ),
    "vectors": (
        "x = np.broadcast_to(np.float32(1), (10**9, 128))",
        "fl.cosine_distance(x, x)",
    ),
    "sequences": (
        "x = np.broadcast_to(np.float32(1), (10**9, 4, 30)); y = np.ones((4, 50), int)",
        "fl.ctc_loss_with_logits(x, y, 10**9, 50)",
    ),
    "rows": (
        "x = np.broadcast_to(np.float32(1), (10**9, 100)); y = np.broadcast_to(3, (10**9,))",
        "fl.softmax_focal_loss(x, y)",
    ),
}


@posix
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", LONG)
def test_long_calls_can_be_interrupted(name: str, threads: int) -> None:
    setup, call = LONG[name]
    once = "fl.mse_loss(np.ones(10**5), 0)"
    code = INTERRUPT.format(threads=threads, setup=setup, call=call, call_once=once)
    assert printed(code) == "interrupted"


@posix
def test_handlers_that_raise_nothing() -> None:
    code = """
import signal
import numpy as np
import fusedloss as fl
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
x = np.broadcast_to(np.float32(1), (3 * 10**9,))
print(fl.mse_loss(x, np.float32(0)), len(seen) > 1)
signal.setitimer(signal.ITIMER_REAL, 0)
"""
    assert printed(code) == "1.0 True"


# ---- threads and memory --------------------------------------------------------------------------

LIMIT = """
import resource, threading, warnings
import numpy as np
import fusedloss as fl
{setup}
def used():
    return int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
def limit(more):
    resource.setrlimit(resource.RLIMIT_AS, (used() + more, -1))
"""

NO_THREADS = (
    LIMIT
    + """
limit(4 << 20)          # less than a thread's stack
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    value = fl.mse_loss(x, np.float32(0))
print(value, fl.get_num_threads(), {{str(w.category.__name__) for w in caught}})
limit(1 << 30)
fl.set_num_threads(2)
print(fl.mse_loss(x, np.float32(0)), fl.get_num_threads())
"""
)


@linux
@parallel
def test_threads_that_cannot_be_started() -> None:
    """One is used, and a warning given; OpenMP would end the process."""
    # The first call imports what it needs, for which the limit leaves no room.
    setup = (
        "x = np.ones(10**6, np.float32); fl.mse_loss(x[:1], np.float32(0)); fl.set_num_threads(3)"
    )
    code = NO_THREADS.format(setup=setup)
    assert printed(code) == "1.0 1 {'RuntimeWarning'}\n1.0 2"


NO_MEMORY = (
    LIMIT
    + """
import ctypes
found = []
def work():
    try:
        found.append(fl.cross_entropy(x, y))
    except MemoryError as error:
        found.append(str(error))
thread = threading.Thread(target=work)
block = []
limit(64 << 20)
try:                    # what malloc still has is taken
    while True:
        block.append(ctypes.create_string_buffer(100_000))
except MemoryError:
    pass
work()
del block
work()
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
thread.start()
thread.join()
print(found[0] if isinstance(found[0], str) else "value", *(round(float(f), 4) for f in found[1:]))
"""
)


@linux
def test_no_memory_to_work_in() -> None:
    """A MemoryError, and the next call works."""
    setup = "fl.set_num_threads(1); fl.cross_entropy; x = np.zeros((2, 3)); y = np.zeros(2, int)"
    wanted = "no working memory for the threads of this call 1.0986 1.0986"
    assert printed(NO_MEMORY.format(setup=setup)) == wanted


# ---- huge arrays ---------------------------------------------------------------------------------


@pytest.mark.skipif(sys.maxsize < 2**40, reason="addresses of 32 bits")
@pytest.mark.parametrize("shape", [(2**61, 0), (0, 2**61), (2**40, 0, 2**20), (0, 2**62)])
@pytest.mark.parametrize("dtype", [bool, np.int8])
def test_huge_arrays_of_nothing(shape: tuple[int, ...], dtype: Any) -> None:
    x = np.empty(shape, dtype)
    assert np.isnan(fl.mse_loss(x, x))
    assert np.isnan(fl.mse_loss(x, x, where=x))
    assert fl.huber_loss(x, x, weight=x, reduction="weighted_mean") == 0
    if 2**61 in shape or 2**62 in shape:  # more bytes than can be counted
        with pytest.raises(MemoryError, match=r"no memory for a derivative of shape \("):
            fl.huber_loss.value_and_grad(x, x)
        with pytest.raises(MemoryError, match=r"no memory for values of shape \("):
            fl.huber_loss(x, x, reduction="none")
