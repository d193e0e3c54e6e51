"""The measurement: all run in turns, so that what disturbs the machine for a while disturbs all."""

from __future__ import annotations

import os
import time
import timeit
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Each has at least so many turns,
MIN_TURNS = 4
#: of so many samples (the first one finds the caches as the one before has left them),
SAMPLES = 3
#: each of as many calls as take this time. Short, so that some are not interrupted.
SAMPLE_SECONDS = 100e-6
#: Of calls that take longer than this a turn has one sample.
LONG_SECONDS = 20e-3
#: A ratio is doubtful that moves by more than this between the two halves of its comparison.
NOISY = 0.2
#: So is any if for more than this part of the time there was no CPU for the process.
SHARED_CPU = 0.05


@dataclass(frozen=True)
class Turn:
    """Seconds that each sample took, and how many calls it was."""

    samples: list[float]
    calls: int

    @property
    def best(self) -> float:
        return min(self.samples) / self.calls


@dataclass(frozen=True)
class Outcome:
    """The turns of each who took part."""

    turns: dict[str, list[Turn]]
    waited: float  # what part of the time this thread was ready, but had no CPU

    def best(self, name: str) -> float:
        """Seconds per call."""
        return min(turn.best for turn in self.turns[name])

    def ratio(self, slow: str, fast: str) -> float:
        return self.best(slow) / self.best(fast)

    def noise(self, slow: str, fast: str) -> float:
        """By what part the ratios of odd and of even turns differ: two comparisons, as it were."""
        odd, even = (
            Outcome({name: self.turns[name][k::2] for name in (slow, fast)}, self.waited)
            for k in (0, 1)
        )
        ratios = odd.ratio(slow, fast), even.ratio(slow, fast)
        return max(ratios) / min(ratios) - 1


def waiting() -> float:
    """Seconds that this thread has waited for a CPU so far; Linux says it, elsewhere it is 0."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return 0.0


def interleave(functions: Mapping[str, Callable[[], Any]], seconds: float) -> Outcome:
    """Let all run in turns for so long, and longer if that is not turns enough."""
    timers = {name: timeit.Timer(function) for name, function in functions.items()}
    plan = {name: _plan(timer) for name, timer in timers.items()}
    turns: dict[str, list[Turn]] = {name: [] for name in timers}
    order = list(timers)
    start, before = time.perf_counter(), waiting()
    while time.perf_counter() < start + seconds or len(turns[order[0]]) < MIN_TURNS:
        for name in order:
            calls, samples = plan[name]
            turns[name].append(Turn(timers[name].repeat(samples, calls), calls))
        order.append(order.pop(0))  # nobody shall always run after the same other
    elapsed = time.perf_counter() - start
    return Outcome(turns, (waiting() - before) / elapsed)


def _plan(timer: timeit.Timer) -> tuple[int, int]:
    """How many calls make a sample, and how many samples a turn."""
    calls = 1
    once = timer.timeit(1)  # the first call of all has more to do
    # The best of three: an interruption must not pass for a slow function.
    tries = 1 if once > LONG_SECONDS else 3
    while (took := min(timer.repeat(tries, calls))) < SAMPLE_SECONDS:
        calls *= 2
    return calls, SAMPLES if took < LONG_SECONDS else 1


#: Those that this process may use.
CPUS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def available_cpus() -> int:
    """How many CPUs this process may use."""
    return len(CPUS) or os.cpu_count() or 1


def bind(count: int) -> None:
    """Let this thread, and those that it starts, run on so many CPUs; where Linux can do that."""
    if CPUS:
        os.sched_setaffinity(0, CPUS[-count:])
