"""How a question is measured: all agree, then interleave.py times them in turns.

pytest-benchmark serves for selection, JSON, statistics and comparison with other runs; as it cannot
interleave, its timer is a clock (`REPLAY`) that shows it the samples that were taken in turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from bench import cases, implementations
from bench.cases import Question
from bench.implementations import FUSED, MAKERS, MEMORY, NUMPY, PEERS, Implementation
from bench.interleave import Outcome, available_cpus, bind, interleave
from bench.machine import installed

#: The largest difference from ours, relative to the largest number there. Generous: this is to see
#: that all compute the same thing; bench/accuracy.py says how well.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
#: Libraries may compute in another precision.
PEERS_TOLERANCE = {"float32": 1e-4, "float64": 1e-9}


# --- suites -------------------------------------------------------------------------------------


def _numpy_and_memory(question: Question) -> list[str]:
    return [FUSED, NUMPY, *([MEMORY] if MAKERS[MEMORY].has(question) else [])]


def _threads(question: Question) -> list[str]:
    last = available_cpus()
    counts = [*(2**k for k in range(last.bit_length()) if 2**k < last), last]
    who = [FUSED, *(["torch"] if installed("torch") else [])]
    return [f"{name}, {n} thread{'s' * (n > 1)}" for name in who for n in counts]


@dataclass(frozen=True)
class Suite:
    """Questions, who takes part in them, and how long each is measured at least."""

    questions: Callable[[], list[Question]]
    who: Callable[[Question], list[str]] = implementations.available
    seconds: float = 0.6
    peers: bool = True  # whether others than NumPy take part


SUITES = {
    "full": Suite(cases.full, _numpy_and_memory, 0.2, peers=False),
    "quick": Suite(cases.quick, lambda question: [FUSED, NUMPY], 0.2, peers=False),
    "peers": Suite(cases.peers),
    "sizes": Suite(cases.sizes),
    "classes": Suite(cases.classes),
    "threads": Suite(cases.threads, _threads),
    "outputs": Suite(cases.outputs),
}


# --- a question ---------------------------------------------------------------------------------


def parts_of(result: Any) -> list[Any]:
    """Value and gradients, of which there may be several."""
    if not isinstance(result, tuple):
        return [np.asarray(result)]
    return [part for item in result for part in parts_of(item)]


class Replay:
    """A clock that pytest-benchmark reads before and after each round."""

    def __init__(self) -> None:
        self._now = 0.0
        self._steps: Iterator[float] = iter(())

    def load(self, rounds: Sequence[float]) -> None:
        self._steps = iter([step for seconds in rounds for step in (0.0, seconds)])

    def __call__(self) -> float:
        self._now += next(self._steps, 0.0)
        return self._now


REPLAY = Replay()


class Comparison:
    """A question with its arrays, for as long as its tests run."""

    def __init__(self, question: Question, names: Sequence[str], seconds: float) -> None:
        self.question, self.names = question, names
        self._outcome: Outcome | None = None
        self._seconds = seconds
        self._arrays = question.inputs()
        self._made: dict[str, Implementation] = {}
        self._absent: dict[str, str] = {}  # peers that fail, or compute something else, and why
        self._differences: dict[str, float] = {}
        self._bytes_written = 0

    def run(self, benchmark: Any, name: str) -> None:
        """What every test does: check and measure (the first test of a question only), record."""
        benchmark.group = self.question.group
        if not self._made:
            self._check()
        if name in self._absent:
            pytest.skip(f"{name}: {self._absent[name]}")
        if benchmark.disabled:
            benchmark(self._made[name].step)
            return
        turns = self._measure().turns[name]
        samples = [sample for turn in turns for sample in turn.samples]
        REPLAY.load(samples)
        benchmark.pedantic(lambda: None, rounds=len(samples), iterations=turns[0].calls)
        benchmark.extra_info.update(self._facts(name))

    def _check(self) -> None:
        """Assert that those who compute the function agree. This touches all arrays, too."""
        expected: list[Any] = []
        for name in self.names:
            try:
                made = implementations.make(name, self.question, self._arrays)
                result = made.step()
                if made.results is not None:
                    found = parts_of(made.results(result))
                    if not expected:  # the kernel is the first
                        expected = [a.copy() for a in found]
                    self._differences[name] = self._difference(name, found, expected)
            except Exception as error:
                if name not in PEERS:
                    raise
                self._absent[name] = f"{type(error).__name__}: {error}".partition("\n")[0]
            else:
                self._made[name] = made
        if self.question.result != cases.VALUE:
            written = expected[self.question.result == cases.GRAD :]
            self._bytes_written = sum(a.nbytes for a in written)

    def _difference(self, name: str, found: list[Any], expected: list[Any]) -> float:
        usual = PEERS_TOLERANCE if name in PEERS else TOLERANCE
        tolerance = self.question.case.tolerance or usual[self.question.dtype]
        largest = 0.0
        for a, b in zip(found, expected, strict=True):
            assert a.shape == b.shape, f"{name}: another shape"
            if name not in PEERS or a.ndim:
                assert a.dtype == b.dtype == self.question.dtype, f"{name}: another precision"
            scale = np.max(np.abs(b))
            assert 0 < scale < inf, "a result that says nothing"
            difference = float(np.max(np.abs(a - b)) / scale)
            alike = difference <= tolerance  # nan is not
            assert alike, f"{name}: not the same result, {difference:.1e}"
            largest = max(largest, difference)
        return largest

    def _measure(self) -> Outcome:
        if self._outcome is None:
            if any(made.threads > 1 for made in self._made.values()):
                bind(available_cpus())  # all may have been bound to one CPU
            steps = {name: made.step for name, made in self._made.items()}
            self._outcome = interleave(steps, self._seconds)
        return self._outcome

    def _facts(self, name: str) -> dict[str, Any]:
        """What the JSON says about one of them besides its times."""
        question, outcome, made = self.question, self._measure(), self._made[name]
        first = self.names[0]
        return {
            "implementation": name,
            "family": question.case.family,
            "loss": question.case.loss,
            "result": question.result,
            "dtype": question.dtype,
            "shape": list(question.shape),
            "level": (fl.show_config("dict") or {})["level"] if name.startswith(FUSED) else None,
            "threads": made.threads,
            "outputs": made.memory,
            "composed": made.composed,
            "bytes_moved": sum(a.nbytes for a in self._arrays) + self._bytes_written,
            "largest_difference": self._differences.get(name),
            "best": outcome.best(name),
            "relative_time": outcome.ratio(name, first),  # to the kernel's
            "noise": outcome.noise(name, first),
            "waited_for_cpu": outcome.waited,
            "absent": self._absent if name == first else {},
        }
