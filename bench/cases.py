"""What is measured: the losses of tests/registry.py, and what else works on rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tests import registry as reg

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
Arrays: TypeAlias = tuple[Array, ...]
#: From a generator, a shape and a floating dtype, the arguments of a loss.
Inputs: TypeAlias = Callable[[np.random.Generator, Shape, str], Arrays]

VALUE = "value"
GRAD = "value+grad"
#: An activation has no gradient of its own to ask for.
RESULT = "result"


# --- inputs: spread so widely that every branch of a formula is met -----------------------------


def operands(row: reg.Elementwise) -> Inputs:
    """What tests/registry.py takes for typical of each operand, in the order of the arguments."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        made = {name: reg.KINDS[kind].typical(rng, shape) for name, kind in row.kinds.items()}
        return tuple(made[name].astype(dtype) for name in row.operands)

    return make


#: So many classes a list of them has at most.
LISTED = 4


def _classes(rng: np.random.Generator, shape: Shape) -> Array:
    return rng.integers(0, shape[1], (shape[0], *shape[2:]))


def _probabilities(rng: np.random.Generator, shape: Shape) -> Array:
    return reg.random_distributions(rng, shape, 1)


def _lists(rng: np.random.Generator, shape: Shape) -> Array:
    """One class to LISTED different ones, then -1."""
    rows, classes = shape
    first = rng.integers(0, classes, (rows, 1))
    steps = rng.integers(1, classes // LISTED + 1, (rows, LISTED - 1))
    chosen = np.hstack([first, first + steps.cumsum(axis=1)]) % classes
    chosen[np.arange(LISTED) >= rng.integers(1, LISTED + 1, (rows, 1))] = -1
    lists = np.full(shape, -1)
    lists[:, :LISTED] = chosen
    return lists


def _labels(rng: np.random.Generator, shape: Shape) -> Array:
    return (rng.random(shape) < 0.25).astype(np.float64)


#: Targets of rows, by the kinds in tests/registry.py.
TARGETS: Final[dict[str, Callable[[np.random.Generator, Shape], Array]]] = {
    "class": _classes,
    "probability": _probabilities,
    "list": _lists,
    "multilabel": _labels,
}


def rows_of(kind: str) -> Inputs:
    """Logits with the classes on axis 1, and targets of a kind."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        x, target = rng.normal(0, 3, shape).astype(dtype), TARGETS[kind](rng, shape)
        return x, target.astype(dtype) if target.dtype.kind == "f" else target

    return make


def logits(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits alone."""
    return (rng.normal(0, 3, shape).astype(dtype),)


# --- the list -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A row: a loss, its inputs, and with which shapes of which dtype it is measured."""

    loss: str  # the name in fusedloss, and of its twin in tests/losses/
    inputs: Inputs
    shapes: Mapping[str, Sequence[Shape]]
    results: Sequence[str] = (VALUE, GRAD)
    entrants: Sequence[str] = ("fused", "numpy")
    options: Mapping[str, Any] = field(default_factory=dict)


_1M = (1_000_000,)
_ELEMENTS = {"float32": [(1,), (100,), (10_000,), _1M], "float64": [_1M]}
_SOME_ELEMENTS = {"float32": [(100,), _1M], "float64": [_1M]}
_WIDE = (10_000, 1000)
_ROWS = {"float32": [(1, 10), (32, 10), (100_000, 10), _WIDE, (256, 32_000)], "float64": [_WIDE]}
_SOME_ROWS = {"float32": [(100_000, 10), _WIDE]}
# These losses do so little with an element that memory sets the pace: how near do they come?
_BY_MEMORY = ("fused", "numpy", "pass")

# These are measured at more sizes, and with threads.
_OF_OLD = {"mse_loss": _BY_MEMORY, "l1_loss": _BY_MEMORY, "huber_loss": _BY_MEMORY}
_OF_OLD["binary_cross_entropy_with_logits"] = ("fused", "numpy")


def _first_rows(rows: Iterable[Any]) -> dict[str, Any]:
    """The first row of each loss, with its options."""
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(row.loss, row)
    return found


_LOSSES: dict[str, reg.Elementwise] = _first_rows(reg.ELEMENTWISE)

ELEMENTWISE = [
    *(
        Case(
            row.loss,
            operands(row),
            _ELEMENTS if row.loss in _OF_OLD else _SOME_ELEMENTS,
            entrants=_OF_OLD.get(row.loss, ("fused", "numpy")),
            options=row.options,
        )
        for row in _LOSSES.values()
    ),
    Case("sigmoid", logits, {"float32": [(100,), _1M]}, [RESULT]),
    Case("logsigmoid", logits, {"float32": [(100,), _1M]}, [RESULT]),
    Case(
        "binary_cross_entropy_with_logits",
        operands(_LOSSES["binary_cross_entropy_with_logits"]),
        {"float32": [(10_000_000,)]},
        [GRAD],
        entrants=("1 thread", "2 threads"),
    ),
]

FIRST_ROWS: Final[dict[str, reg.Rows]] = _first_rows(reg.ROWS)

ROWS = [
    *(
        Case(
            row.loss,
            rows_of(row.target),
            _ROWS if row.loss == "cross_entropy" else _SOME_ROWS,
            options=row.options,
        )
        for row in FIRST_ROWS.values()
    ),
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
