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


# Of losses of several operands: vectors, boxes, lists of items, images.


def _vectors(*names: str) -> Inputs:
    """So many arrays of vectors, on axis 1, of which each is near the one before, or not."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        first = rng.normal(size=shape)
        noise = (rng.normal(size=shape) * rng.uniform(0.1, 2, (shape[0], 1)) for _ in names[1:])
        made = [first, *(first + more for more in noise)]
        return tuple(a.astype(dtype) for a in made)

    return make


def _pairs(*classes: float) -> Inputs:
    """Two arrays of vectors, and which of the classes each pair is in."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        target = rng.choice(classes, shape[0]).astype(dtype)
        return (*_vectors("input1", "input2")(rng, shape, dtype), target)

    return make


def _labelled_vectors(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    return rng.normal(size=shape).astype(dtype), rng.integers(0, 10, shape[0])


def _boxes(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Two arrays of boxes, most of which overlap."""
    corners = rng.uniform(0, 1, (shape[0], 2))
    sides = rng.uniform(0.2, 1, (shape[0], 2))
    first = np.hstack([corners, corners + sides])
    return first.astype(dtype), (first + rng.uniform(-0.1, 0.1, shape)).astype(dtype)


def _lists_of_items(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Scores and relevances."""
    return rng.normal(size=shape).astype(dtype), rng.integers(0, 5, shape).astype(dtype)


def _numbers(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    return rng.normal(size=shape).astype(dtype), rng.normal(size=shape).astype(dtype)


def _images(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits with the classes on axis 1, and the class of each pixel."""
    x, target = rng.normal(0, 3, shape).astype(dtype), _classes(rng, shape)
    return x, target


def _masks(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits of pixels, and which of them are inside."""
    return rng.normal(0, 3, shape).astype(dtype), rng.integers(0, 2, shape).astype(dtype)


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
    #: The largest difference from the twin, where more than usual is in the nature of the loss.
    tolerance: float | None = None


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


_VECTORS = {"float32": [(100_000, 128)]}
_IMAGES = {"float32": [(8, 21, 256, 256)]}
_BOXES = {"float32": [(1_000_000, 4)]}

JOINT = [
    Case("cosine_embedding_loss", _pairs(-1, 1), _VECTORS),
    Case("cosine_distance", _vectors("input", "target"), _VECTORS),
    Case("triplet_margin_loss", _vectors("anchor", "positive", "negative"), _VECTORS),
    Case("contrastive_loss", _pairs(0, 1), _VECTORS),
    Case("info_nce_loss", _vectors("query", "positive"), {"float32": [(4096, 128)]}),
    Case("supervised_contrastive_loss", _labelled_vectors, {"float32": [(4096, 128)]}),
    Case("circle_loss", _labelled_vectors, {"float32": [(4096, 128)]}),
    Case("mean_pairwise_squared_error", _numbers, {"float32": [(10_000, 100)]}),
    Case("ranking_softmax_loss", _lists_of_items, {"float32": [(10_000, 100)]}),
    Case("pairwise_logistic_loss", _lists_of_items, {"float32": [(1000, 100)]}),
    Case("dice_loss", _images, _IMAGES),
    Case("generalized_dice_loss", _images, _IMAGES),
    Case("jaccard_loss", _images, _IMAGES),
    Case("tversky_loss", _images, _IMAGES),
    Case("focal_tversky_loss", _images, _IMAGES),
    Case("lovasz_hinge_loss", _masks, {"float32": [(8, 256, 256)]}),
    # Errors that are equal but for their last digits may be sorted otherwise.
    Case("lovasz_softmax_loss", _images, {"float32": [(1, 21, 256, 256)]}, tolerance=1e-3),
    Case("generalized_box_iou_loss", _boxes, _BOXES),
    Case("distance_box_iou_loss", _boxes, _BOXES),
    Case("complete_box_iou_loss", _boxes, _BOXES),
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
QUESTIONS = {question.group: question for question in questions([*ELEMENTWISE, *ROWS, *JOINT])}
