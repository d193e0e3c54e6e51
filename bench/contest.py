"""How a question is measured: all agree, then they race; pytest-benchmark records the race."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import numpy as np
import pytest

import fusedloss as fl
from bench import cases, counters, entrants
from bench.cases import Question
from bench.entrants import FUSED, MEMORY, NUMPY, Entrant
from bench.race import Outcome, available_cpus, bind, race

#: The largest difference from ours, relative to the largest number there. Generous: this is to see
#: that all compute the same thing; bench/accuracy.py says how well.
TOLERANCE: Final = {"float32": 1e-5, "float64": 1e-12}
#: Libraries may compute in another precision.
PEERS_TOLERANCE: Final = {"float32": 1e-4, "float64": 1e-9}


# --- suites -------------------------------------------------------------------------------------


def _beside_numpy(question: Question) -> list[str]:
    return [FUSED, NUMPY, *([MEMORY] if entrants.MAKERS[MEMORY].has(question) else [])]


def _the_two(question: Question) -> list[str]:
    return [FUSED, NUMPY]


def _everyone(question: Question) -> list[str]:
    return [
        name
        for name, maker in entrants.MAKERS.items()
        if maker.has(question) and entrants.installed(name)
    ]


def _threads(question: Question) -> list[str]:
    counts = [1]
    while counts[-1] * 2 <= available_cpus():
        counts.append(counts[-1] * 2)
    if counts[-1] < available_cpus():
        counts.append(available_cpus())
    who = [FUSED, *(["torch"] if entrants.installed("torch") else [])]
    return [f"{name}, {n} thread{'s' * (n > 1)}" for name in who for n in counts]


@dataclass(frozen=True)
class Suite:
    """Questions, who takes part in them, and how long a race lasts at least."""

    questions: Callable[[], list[Question]]
    entrants: Callable[[Question], list[str]]
    seconds: float
    peers: bool = False  # whether others than NumPy take part


SUITES: Final[dict[str, Suite]] = {
    "full": Suite(cases.full, _beside_numpy, 0.2),
    "quick": Suite(cases.quick, _the_two, 0.2),
    "peers": Suite(cases.beside_peers, _everyone, 0.6, peers=True),
    "sizes": Suite(cases.by_size, _everyone, 0.6, peers=True),
    "classes": Suite(cases.by_classes, _everyone, 0.6, peers=True),
    "threads": Suite(cases.by_threads, _threads, 0.6, peers=True),
    "outputs": Suite(cases.by_outputs, _everyone, 0.6, peers=True),
}


# --- a question ---------------------------------------------------------------------------------


def parts_of(result: Any) -> list[Any]:
    """Value and gradients, of which there may be several."""
    if not isinstance(result, tuple):
        return [np.asarray(result)]
    return [part for item in result for part in parts_of(item)]


class _Replay:
    """A timer that shows a race again, so that pytest-benchmark records what the race measured.

    Its own runs would be others, without the rivals in between. It reads the timer before and
    after each round; the seconds of a round pass in between.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._rounds: list[float] = []

    def load(self, rounds: Sequence[float]) -> None:
        self._rounds = [step for seconds in reversed(rounds) for step in (seconds, 0.0)]

    def __call__(self) -> float:
        self._now += self._rounds.pop() if self._rounds else 0.0
        return self._now


REPLAY: Final = _Replay()


def _nothing() -> None:
    """What pytest-benchmark calls while the timer shows the race."""


class Contest:
    """A question with its arrays, for as long as its tests run."""

    def __init__(self, question: Question, names: Sequence[str], seconds: float) -> None:
        self.question = question
        self.names = names
        self.on_race: Callable[[Outcome], None] = lambda outcome: None
        self._outcome: Outcome | None = None
        self._seconds = seconds
        self._arrays = question.inputs()
        self._entrants: dict[str, Entrant] = {}
        self._absent: dict[str, str] = {}  # peers that fail, or compute something else, and why
        self._differences: dict[str, float] | None = None
        self._bytes_written = 0
        self._cycles: dict[str, float] = {}

    def run(self, benchmark: Any, name: str) -> None:
        """What every test does: check, race (the first test of a question only), record."""
        benchmark.group = self.question.group
        self._check()
        if name in self._absent:
            pytest.skip(f"{name}: {self._absent[name]}")
        if benchmark.disabled:
            benchmark(self._entrants[name].step)
            return
        outcome = self._race()
        turns = outcome.turns[name]
        REPLAY.load([sample for turn in turns for sample in turn.samples])
        benchmark.pedantic(
            _nothing,
            rounds=sum(len(turn.samples) for turn in turns),
            iterations=turns[0].calls,
        )
        benchmark.extra_info.update(self._facts(name))

    def _check(self) -> None:
        """Assert that those who compute the function agree. This touches all arrays, too."""
        if self._differences is not None:
            return
        expected: list[Any] = []
        differences: dict[str, float] = {}
        for name in self.names:
            try:
                entrant = entrants.make(name, self.question, self._arrays)
                result = entrant.step()
                if entrant.results is not None:
                    found = parts_of(entrant.results(result))
                    if not expected:  # the kernel is the first
                        expected = [a.copy() for a in found]
                    differences[name] = self._difference(name, found, expected)
            except Exception as error:
                if name not in entrants.PEERS:
                    raise
                self._absent[name] = f"{type(error).__name__}: {error}".partition("\n")[0]
            else:
                self._entrants[name] = entrant
        written = expected[self.question.result == cases.GRAD :]
        if self.question.result != cases.VALUE:
            self._bytes_written = sum(a.nbytes for a in written)
        self._differences = differences

    def _tolerance(self, name: str) -> float:
        usual = PEERS_TOLERANCE if name in entrants.PEERS else TOLERANCE
        return self.question.case.tolerance or usual[self.question.dtype]

    def _difference(self, name: str, found: list[Any], expected: list[Any]) -> float:
        largest = 0.0
        for a, b in zip(found, expected, strict=True):
            assert a.shape == b.shape, f"{name}: another shape"
            if name not in entrants.PEERS or a.ndim:
                assert a.dtype == b.dtype == self.question.dtype, f"{name}: another precision"
            scale = np.max(np.abs(b))
            assert 0 < scale < inf, "a result that says nothing"
            difference = float(np.max(np.abs(a - b)) / scale)
            alike = difference <= self._tolerance(name)  # nan is not
            assert alike, f"{name}: not the same result, {difference:.1e}"
            largest = max(largest, difference)
        return largest

    def _race(self) -> Outcome:
        if self._outcome is None:
            functions = {name: entrant.step for name, entrant in self._entrants.items()}
            wide = max(entrant.threads for entrant in self._entrants.values())
            if wide > 1:  # all may have been bound to one CPU
                bind(available_cpus())
            self._outcome = race(functions, self._seconds)
            self.on_race(self._outcome)
            self._cycles = {
                name: counters.cycles(step, self._outcome.turns[name][0].calls)
                for name, step in functions.items()
                if counters.available()
            }
        return self._outcome

    def _facts(self, name: str) -> dict[str, Any]:
        """What the JSON says about one of them besides its times."""
        question, outcome, entrant = self.question, self._race(), self._entrants[name]
        differences = self._differences or {}
        facts: dict[str, Any] = {
            "implementation": name,
            "family": question.case.family,
            "loss": question.case.loss,
            "result": question.result,
            "dtype": question.dtype,
            "shape": list(question.shape),
            "level": level(name),
            "threads": entrant.threads,
            "outputs": entrant.memory,
            "composed": entrant.composed,
            "bytes_read": sum(a.nbytes for a in self._arrays),
            "bytes_written": self._bytes_written,
            "correct": "asserted before timing" if name in differences else "computes nothing",
            "largest_difference": differences.get(name),
            "tolerance": self._tolerance(name) if name in differences else None,
            "best": outcome.best(name),
            "waited_for_cpu": outcome.waited,
        }
        facts["bytes_moved"] = facts["bytes_read"] + facts["bytes_written"]
        if name in self._cycles:
            facts["cycles"] = self._cycles[name]
        first = self.names[0]
        if name != first:
            facts[f"times_{first}"] = outcome.ratio(name, first)
            facts["noise"] = outcome.noise(name, first)
        else:
            facts["absent"] = self._absent
        if name == FUSED and NUMPY in self.names:
            facts["speedup_vs_numpy"] = outcome.ratio(NUMPY, name)
            facts["speedup_vs_numpy_noise"] = outcome.noise(NUMPY, name)
        return facts


def level(name: str) -> str:
    """Of which instruction set the code is."""
    if name.startswith(FUSED):
        return str((fl.show_config("dict") or {})["level"])
    return "this machine's" if name == MEMORY else "its own"
