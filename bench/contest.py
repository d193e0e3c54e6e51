"""How it is measured: who takes part in a question, whether they agree, and who is faster."""

from __future__ import annotations

import os
import time
import timeit
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pytest

import fusedloss as fl
from bench.cases import GRAD, RESULT, Arrays, Case, Question, questions
from tests import twins

Function: TypeAlias = Callable[[], Any]

#: So long a race lasts, however many take part. The questions are many: see README.md.
RACE_SECONDS: Final = 0.75
#: But each has at least so many turns,
MIN_TURNS: Final = 5
#: of so many samples (its first one finds the caches as the one before has left them),
SAMPLES: Final = 3
#: each of as many calls as take this time. Short, so that some are not interrupted.
SAMPLE_SECONDS: Final = 100e-6
#: A ratio is marked that moves by more than this between the two halves of its race,
NOISY: Final = 0.2
#: and one of threads if for more than this part of the race there was no CPU for both.
SHARED_CPU: Final = 0.05
#: What pytest-benchmark records after the race.
RECORD_SECONDS: Final = 0.15

#: The largest difference from the twin, relative to its largest number. Generous: this is to see
#: that both compute the same thing, not how well.
TOLERANCE: Final = {"float32": 1e-5, "float64": 1e-12}


# --- who takes part -----------------------------------------------------------------------------


def _fused(question: Question, arrays: Arrays) -> Function:
    """The kernel. It writes into arrays that are there already, as in a training loop."""
    case = question.case
    loss = getattr(fl, case.loss)
    if question.result == GRAD:
        _, grad = loss.value_and_grad(*arrays, **case.options)
        buffers = tuple(map(np.zeros_like, grad)) if type(grad) is tuple else np.zeros_like(grad)
        return partial(loss.value_and_grad, *arrays, **case.options, grad_out=buffers)
    call = partial(loss, *arrays, **case.options)
    if question.result == RESULT:
        return partial(call, out=np.zeros_like(call()))
    return call


def _numpy(question: Question, arrays: Arrays) -> Function:
    """The twin."""
    case = question.case
    name = f"{case.loss}_and_grad" if question.result == GRAD else case.loss
    return partial(getattr(twins, name), *arrays, **case.options)


def _pass(question: Question, arrays: Arrays) -> Function:
    """Reads two arrays and writes a third: what memory asks of a loss with its gradient."""
    a, b = arrays
    return partial(np.add, a, b, out=np.zeros_like(a))


def _threads(count: int, question: Question, arrays: Arrays) -> Function:
    """The kernel with so many threads. Setting their number takes a fraction of a microsecond."""
    fused = _fused(question, arrays)

    def call() -> Any:
        fl.set_num_threads(count)
        return fused()

    return call


_MAKERS: Final[dict[str, Callable[[Question, Arrays], Function]]] = {
    "fused": _fused,
    "numpy": _numpy,
    "pass": _pass,
    "1 thread": partial(_threads, 1),
    "2 threads": partial(_threads, 2),
}


def settle_allocator() -> None:
    """Bring glibc to where it is in a process that has run for a while.

    It returns large freed blocks to the system, at first already small ones, and learns from the
    blocks freed. NumPy's temporaries of some megabytes would cost page faults or not, several times
    the work itself, depending on what ran before. Freeing the largest block that it learns from
    (less than 32 MB) spares NumPy them in all questions but those with larger arrays.
    """
    block = np.empty(31 << 20, dtype=np.uint8)
    del block


def available_cpus() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def entries(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Parametrize a test function with all questions, and with those who take part in them."""
    needs_two = pytest.mark.skipif(
        available_cpus() < 2 or not (fl.show_config("dict") or {})["openmp"],
        reason="needs two CPUs, and kernels built with OpenMP",
    )
    return pytest.mark.parametrize(
        ("contest", "entrant"),
        [
            pytest.param(
                question.group,  # its name, as pytest-benchmark puts the parameters into the JSON
                entrant,
                id=f"{question.group} {entrant}",
                marks=[needs_two] if "thread" in entrant else [],
            )
            for question in questions(cases)
            for entrant in question.entrants
        ],
        indirect=["contest"],
    )


# --- the race -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """Seconds per call: for each who took part the best of every turn."""

    question: Question
    turns: dict[str, list[float]]
    waited: float  # what part of the race this thread was ready, but had no CPU

    @property
    def best(self) -> dict[str, float]:
        return {name: min(times) for name, times in self.turns.items()}

    def ratio(self, slow: str, fast: str, part: slice = slice(None)) -> float | None:
        """Best time by best time; None where one did not take part."""
        if slow not in self.turns or fast not in self.turns:
            return None
        return min(self.turns[slow][part]) / min(self.turns[fast][part])

    def noise(self, slow: str, fast: str) -> float | None:
        """By what part the ratios of odd and of even turns differ: two races, as it were."""
        odd, even = (self.ratio(slow, fast, slice(start, None, 2)) for start in (0, 1))
        if odd is None or even is None:
            return None
        return max(odd, even) / min(odd, even) - 1

    def doubtful(self, slow: str, fast: str) -> bool:
        """Whether the ratio should not be trusted. Two threads that had to share a CPU, because
        others used the second one, say nothing about threads, and may say it steadily."""
        return (self.noise(slow, fast) or 0.0) > NOISY or (
            "thread" in fast and self.waited > SHARED_CPU
        )


def _waiting() -> float:
    """Seconds that this thread has waited for a CPU so far; Linux says it, elsewhere it is 0."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return 0.0


def _calls(timer: timeit.Timer) -> int:
    """How many calls make a sample."""
    calls = 1
    timer.timeit(1)  # the first call of all has more to do
    # The best of three: an interruption must not pass for a slow function.
    while min(timer.repeat(3, calls)) < SAMPLE_SECONDS:
        calls *= 2
    return calls


def _parts(result: Any) -> list[Any]:
    """Value and gradients, of which there may be several."""
    if not isinstance(result, tuple):
        return [result]
    return [part for item in result for part in _parts(item)]


class Contest:
    """A question with its arrays, for as long as its tests run."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.arrays = question.case.inputs(np.random.default_rng(0), question.shape, question.dtype)
        self._functions = {name: _MAKERS[name](question, self.arrays) for name in question.entrants}
        self._calls: dict[str, int] = {}
        self._difference: float | None = None
        self.outcome: Outcome | None = None

    def run(self, benchmark: Any, entrant: str) -> None:
        """What every test does: check, race (the first test of a question only), record."""
        benchmark.group = self.question.group
        self.check()
        if benchmark.disabled:
            benchmark(self._functions[entrant])
            return
        outcome = self.race()
        benchmark.extra_info.update(
            self.facts(entrant), best_in_race=outcome.best[entrant], waited_for_cpu=outcome.waited
        )
        calls = self._calls[entrant]
        rounds = int(RECORD_SECONDS / (outcome.best[entrant] * calls))
        # pytest-benchmark's statistics are those of a run of its own, without the others.
        benchmark.pedantic(
            self._functions[entrant],
            rounds=max(5, min(rounds, 500)),
            iterations=calls,
            warmup_rounds=1,
        )

    def check(self) -> float:
        """Assert that those who compute the loss agree; return how far they differ.

        This touches all arrays, too.
        """
        if self._difference is None:
            one, other = (name for name in self.question.entrants if name != "pass")
            self._difference = self._compare(self._functions[one](), self._functions[other]())
        return self._difference

    @property
    def tolerance(self) -> float:
        return self.question.case.tolerance or TOLERANCE[self.question.dtype]

    def _compare(self, result: Any, expected: Any) -> float:
        largest, tolerance = 0.0, self.tolerance
        for a, b in zip(_parts(result), _parts(expected), strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype == self.question.dtype, "one computes with another precision"
            scale = np.max(np.abs(b))
            assert 0 < scale < inf
            difference = float(np.max(np.abs(a - b)) / scale)
            assert difference <= tolerance, "not the same result"
            largest = max(largest, difference)
        return largest

    def race(self) -> Outcome:
        """Let all run in turns. What disturbs the machine for a while then disturbs all alike."""
        if self.outcome is not None:
            return self.outcome
        timers = {name: timeit.Timer(function) for name, function in self._functions.items()}
        self._calls = {name: _calls(timer) for name, timer in timers.items()}
        turns: dict[str, list[float]] = {name: [] for name in timers}
        order = list(timers)
        start, waiting = time.perf_counter(), _waiting()
        while time.perf_counter() < start + RACE_SECONDS or len(turns[order[0]]) < MIN_TURNS:
            for name in order:
                calls = self._calls[name]
                turns[name].append(min(timers[name].repeat(SAMPLES, calls)) / calls)
            order.append(order.pop(0))  # nobody shall always run after the same other
        waited = (_waiting() - waiting) / (time.perf_counter() - start)
        self.outcome = Outcome(self.question, turns, waited)
        return self.outcome

    def facts(self, entrant: str) -> dict[str, Any]:
        """What the JSON says about one of them besides its times."""
        question = self.question
        written = question.size if question.result != "value" else 0
        if question.result == RESULT:
            written = np.size(self._functions["fused"]())
        elif written and entrant != "pass":
            written *= len(_parts(self._functions[entrant]())) - 1
        facts: dict[str, Any] = {
            "implementation": entrant,
            "level": (fl.show_config("dict") or {})["level"],
            "threads": int(entrant[0]) if "thread" in entrant else fl.get_num_threads(),
            "loss": question.case.loss,
            "result": question.result,
            "dtype": question.dtype,
            "shape": list(question.shape),
            "bytes_moved": sum(a.nbytes for a in self.arrays)
            + int(written) * np.dtype(question.dtype).itemsize,
            "correct": "not a loss" if entrant == "pass" else "asserted before timing",
            "largest_difference": self.check(),
            "tolerance": self.tolerance,
        }
        if entrant in ("numpy", "pass"):
            facts["level"] = "NumPy's own"
            facts["threads"] = 1
        return facts
