"""What is measured: one list, a row per loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Arrays: TypeAlias = tuple[Array, ...]
#: From a generator, a shape and a floating dtype, the arguments of a loss.
Inputs: TypeAlias = Callable[[np.random.Generator, Shape, str], Arrays]

VALUE = "value"
GRAD = "value+grad"
#: An activation has no gradient of its own to ask for.
RESULT = "result"


# --- inputs: never zeros, and spread so widely that every branch of a formula is met ------------


def numbers(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Predictions and targets, on both sides of Huber's delta of 1."""
    return rng.normal(0, 1, shape).astype(dtype), rng.normal(0, 1, shape).astype(dtype)


def binary(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits, and 0 or 1 in the same dtype, as torch wants them."""
    return rng.normal(0, 3, shape).astype(dtype), rng.integers(0, 2, shape).astype(dtype)


def labelled(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits and class numbers."""
    return rng.normal(0, 3, shape).astype(dtype), rng.integers(0, shape[1], shape[0])


def logits(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits alone."""
    return (rng.normal(0, 3, shape).astype(dtype),)


# --- the list -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A row: a loss, its inputs, and with which shapes of which dtype it is measured."""

    loss: str  # the name in fusedloss, and in tests/twins.py or bench/contest.py
    inputs: Inputs
    shapes: Mapping[str, Sequence[Shape]]
    results: Sequence[str] = (VALUE, GRAD)
    entrants: Sequence[str] = ("fused", "numpy")
    options: Mapping[str, Any] = field(default_factory=dict)


_1M = (1_000_000,)
_ELEMENTS = {"float32": [(1,), (100,), (10_000,), _1M], "float64": [_1M]}
_WIDE = (10_000, 1000)
_ROWS = {"float32": [(1, 10), (32, 10), (100_000, 10), _WIDE, (256, 32_000)], "float64": [_WIDE]}
_SOME_ROWS = {"float32": [(100_000, 10), _WIDE]}
# These losses do so little with an element that memory sets the pace: how near do they come?
_BY_MEMORY = ("fused", "numpy", "pass")

ELEMENTWISE = [
    Case("mse_loss", numbers, _ELEMENTS, entrants=_BY_MEMORY),
    Case("l1_loss", numbers, _ELEMENTS, entrants=_BY_MEMORY),
    Case("huber_loss", numbers, _ELEMENTS, entrants=_BY_MEMORY),
    Case("binary_cross_entropy_with_logits", binary, _ELEMENTS),
    Case("sigmoid", logits, {"float32": [(100,), _1M]}, [RESULT]),
    Case("logsigmoid", logits, {"float32": [(100,), _1M]}, [RESULT]),
    Case(
        "binary_cross_entropy_with_logits",
        binary,
        {"float32": [(10_000_000,)]},
        [GRAD],
        entrants=("1 thread", "2 threads"),
    ),
]

ROWS = [
    Case("cross_entropy", labelled, _ROWS),
    Case("nll_loss", labelled, _SOME_ROWS),
    Case("softmax", logits, _SOME_ROWS, [RESULT], options={"axis": -1}),
    Case("log_softmax", logits, _SOME_ROWS, [RESULT], options={"axis": -1}),
    Case("logsumexp", logits, _SOME_ROWS, [RESULT], options={"axis": -1}),
]


# --- from rows to questions ---------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One line of the summary: a loss with one dtype and one shape, asked for one result."""

    case: Case
    dtype: str
    shape: Shape
    result: str

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def shape_name(self) -> str:
        if len(self.shape) > 1:
            return "x".join(map(str, self.shape))
        (n,) = self.shape
        for unit, name in ((1_000_000, "M"), (1000, "k")):
            if n % unit == 0:
                return f"{n // unit}{name}"
        return str(n)

    @property
    def group(self) -> str:
        """What pytest-benchmark groups by."""
        name = f"{self.case.loss} {self.dtype} {self.shape_name} {self.result}"
        return name if "fused" in self.entrants else f"{name} threads"

    @property
    def entrants(self) -> list[str]:
        """Who takes part. A plain pass says nothing where the call itself takes most of the time,
        and it writes an array, which a loss does that is asked for its gradient."""
        memory_sets_the_pace = self.size >= 1_000_000 and self.result == GRAD
        return [name for name in self.case.entrants if name != "pass" or memory_sets_the_pace]


def questions(cases: Iterable[Case]) -> list[Question]:
    """All questions of these rows, in the order of the summary."""
    return [
        Question(case, dtype, shape, result)
        for case in cases
        for dtype, shapes in case.shapes.items()
        for shape in shapes
        for result in case.results
    ]


#: All questions by the names of their groups.
QUESTIONS = {question.group: question for question in questions([*ELEMENTWISE, *ROWS])}
