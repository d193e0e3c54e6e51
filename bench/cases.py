"""What is measured: every loss of tests/registry.py and every activation, and in which shapes.

A loss needs nothing here, but for one of several operands that are not made as those of its family
are (`FAMILIES`, `OTHERS`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fusedloss as fl
from tests import registry as reg
from tests.losses import (
    binary,
    boxes,
    classification,
    contrastive,
    counts,
    distributions,
    ensembles,
    forecasts,
    grouped,
    linear_heads,
    location_scale,
    margins,
    ndcg,
    ordinal,
    ranking,
    regions,
    regression,
    sequences,
    similarity,
    survival,
)

Array = NDArray[Any]
Shape = tuple[int, ...]
Arrays = tuple[Array, ...]
#: From a generator, a shape and a floating dtype, the arguments of a loss.
Inputs = Callable[[np.random.Generator, Shape, str], Arrays]

VALUE, GRAD = "value", "value+grad"
#: An activation has no gradient of its own to ask for.
RESULT = "result"
#: The losses one by one, and the gradients of their sum: for accuracy, not for speed.
EACH = "each"


# --- inputs: spread so widely that every branch of a formula is met -----------------------------

#: So many numbers are drawn; more are these again, since drawing would take longer than measuring.
DRAWN = 1_000_000
#: So many classes a list of them has at most.
LISTED = 4


def _repeated(draw: Callable[[int], Array], shape: Shape) -> Array:
    return np.resize(draw(min(prod(shape), DRAWN)), shape)


def _normal(rng: np.random.Generator, shape: Shape, scale: float = 1.0) -> Array:
    return _repeated(lambda n: rng.normal(0, scale, n), shape)


def elements(row: reg.Elementwise) -> Inputs:
    """What tests/registry.py takes for typical of each operand, in the order of the arguments."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        def draw(kind: str) -> Array:
            return _repeated(lambda n: reg.KINDS[kind].typical(rng, n).astype(dtype), shape)

        made = {name: draw(kind) for name, kind in row.kinds.items()}
        return tuple(made[name] for name in row.operands)

    return make


def _classes(rng: np.random.Generator, shape: Shape) -> Array:
    return rng.integers(0, shape[1], (shape[0], *shape[2:]))


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


#: Targets of rows, by the kinds in tests/registry.py.
TARGETS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "class": _classes,
    "probability": lambda rng, shape: reg.random_distributions(rng, shape, 1),
    "list": _lists,
    "multilabel": lambda rng, shape: (rng.random(shape) < 0.25).astype(np.float64),
    "pixel": lambda rng, shape: rng.integers(0, 2, shape).astype(np.float64),
    "relevance": lambda rng, shape: rng.integers(0, 5, shape).astype(np.float64),
    "number": lambda rng, shape: rng.normal(size=shape),
}


def with_target(kind: str, scale: float = 3) -> Inputs:
    """Scores, with the classes on axis 1 if there are any, and targets of a kind."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        x, target = _normal(rng, shape, scale).astype(dtype), TARGETS[kind](rng, shape)
        return x, target.astype(dtype) if target.dtype.kind == "f" else target

    return make


def logits(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    return (_normal(rng, shape, 3).astype(dtype),)


def two_scores(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Those of a student and of its teacher."""
    return logits(rng, shape, dtype) + logits(rng, shape, dtype)


def vectors(count: int, classes: Sequence[float] = ()) -> Inputs:
    """So many arrays of vectors, on axis 1, of which each is near the first, or not; and, if there
    are classes, in which each pair is."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        first = _normal(rng, shape)
        far = rng.uniform(0.1, 2, (count - 1, shape[0], 1))
        made = [first, *(first + scale * _normal(rng, shape) for scale in far)]
        made += [rng.choice(classes, shape[0])] if classes else []
        return tuple(a.astype(dtype) for a in made)

    return make


def labelled_vectors(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    return _normal(rng, shape).astype(dtype), rng.integers(0, 10, shape[0])


def layer(labels: bool) -> Inputs:
    """Rows, a layer of ten times as many classes as a row has numbers, and targets."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        rows, size = shape
        classes = 10 * size
        x, w = _normal(rng, shape), _normal(rng, (classes, size)) / np.sqrt(size)
        t = rng.integers(0, classes, rows) if labels else rng.integers(0, 2, (rows, classes))
        return x.astype(dtype), w.astype(dtype), t if labels else t.astype(dtype)

    return make


def pairs_of_boxes(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Two arrays of boxes, most of which overlap."""
    corners = rng.uniform(0, 1, (shape[0], 2))
    first = np.hstack([corners, corners + rng.uniform(0.2, 1, (shape[0], 2))])
    return first.astype(dtype), (first + rng.uniform(-0.1, 0.1, shape)).astype(dtype)


def aligned(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Scores of (steps, sequences, classes), and a fifth as many labels as steps."""
    steps, count, classes = shape
    x = rng.normal(size=shape)
    x -= np.log(np.exp(x).sum(axis=-1, keepdims=True))
    length = max(1, steps // 5)
    labels = rng.integers(1, classes, (count, length))
    return x.astype(dtype), labels, np.full(count, steps), np.full(count, length)


def times(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Log-risks, times and events; half of the rows are censored."""
    x = _normal(rng, shape).astype(dtype)
    return x, rng.exponential(1, shape).astype(dtype), rng.integers(0, 2, shape)


def censored_times(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Predictions, both ends of times of each kind, and scales."""
    made = survival.censored(rng, min(prod(shape), DRAWN), dtype)
    return tuple(np.resize(a, shape) for a in made.values())


def groups(labels: int) -> Inputs:
    """Scores, labels, and groups of 1 to 40 rows."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        (rows,) = shape
        ends = np.minimum(np.cumsum(rng.integers(1, 41, rows // 10 + 1)), rows)
        sizes = np.diff(np.append(0, ends[: np.argmax(ends == rows) + 1]))
        return _normal(rng, shape).astype(dtype), rng.integers(0, labels, rows), sizes

    return make


def ensembles_of(*coordinates: int) -> Inputs:
    """Ensembles, with their members on axis 1, of numbers or vectors, and targets."""

    def make(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
        x = _normal(rng, shape + coordinates)
        return x.astype(dtype), _normal(rng, shape[:1] + coordinates).astype(dtype)

    return make


def graded(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Scores, thresholds between five grades, and grades."""
    thresholds = np.array([-2.0, -0.75, 0.5, 2.25])
    grades = np.resize(rng.integers(0, 5, min(shape[0], DRAWN)), shape)
    return _normal(rng, shape, 2).astype(dtype), thresholds.astype(dtype), grades


def steps(rng: np.random.Generator, shape: Shape, dtype: str) -> Arrays:
    """Logits, for each row one of them, and whether the event was seen."""
    rows, count = shape
    x, seen = _normal(rng, shape, 3).astype(dtype), rng.integers(0, 2, rows)
    return x, rng.integers(0, count, rows), seen


# --- the list -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shapes:
    """In which shapes a function is measured, from small to large."""

    every: Sequence[Shape]
    quick: Sequence[Shape]  # by `make bench-quick`
    peers: Sequence[Shape]  # compared with other libraries

    @property
    def usual(self) -> Shape:
        """The one that stands for the function in plots, and where peers show more."""
        return self.peers[-1]


@dataclass(frozen=True)
class Case:
    """A function with its inputs, and in which shapes it is measured."""

    family: str
    loss: str  # the name in fusedloss, and of its twin in tests/losses/
    inputs: Inputs
    shapes: Shapes
    leaves: Sequence[str] = ("input",)  # what the gradients are with respect to
    options: Mapping[str, Any] = field(default_factory=dict)
    #: The largest difference from the others, where more than usual is in the nature of the loss.
    tolerance: float | None = None
    keywords: Sequence[str] = ()  # the last inputs, which are given by name

    @property
    def operands(self) -> list[str]:
        """The names of the inputs."""
        thing = getattr(fl, self.loss)
        if isinstance(thing, fl.Loss):
            return [*thing._operands, *self.keywords]
        parameters = inspect.signature(thing).parameters.values()
        return [p.name for p in parameters if p.default is p.empty]

    def given(self, arrays: Arrays) -> tuple[Arrays, dict[str, Array]]:
        """The inputs that are given by position, and those by name."""
        count = len(arrays) - len(self.keywords)
        return arrays[:count], dict(zip(self.keywords, arrays[count:], strict=True))

    @property
    def results(self) -> Sequence[str]:
        """What can be asked for."""
        return (VALUE, GRAD) if isinstance(getattr(fl, self.loss), fl.Loss) else (RESULT,)


_1M, _16M = (1_000_000,), (16_000_000,)
_ELEMENTS = Shapes([(1,), (1000,), _1M, _16M], [(1,), _1M], [(1,), _16M, _1M])
_SHORT, _WIDE = (100_000, 10), (10_000, 1000)
_ROWS = Shapes([(32, 10), _SHORT, _WIDE], [_SHORT, (1000, 1000)], [_SHORT, _WIDE])
_LOGITS = [(32, 10), (10_000, 3), _SHORT, (10_000, 100)]
_LOGITS += [(8, 21, 256, 256), (256, 32_000), (64, 128_256), _WIDE]
#: cross_entropy is what people ask for first: in more shapes.
_MANY_ROWS = Shapes([s for s in _LOGITS if len(s) == 2], _ROWS.quick, _LOGITS)
_LONG = (100_000, 128)
_VECTORS = Shapes([(100, 128), (100_000, 4), _LONG], [(10_000, 128)], [(100_000, 16), _LONG])
_BATCH = Shapes([(64, 128), (1024, 128)], [(256, 128)], [(2048, 128)])
_HEADS = Shapes([(64, 64), (1024, 256)], [(256, 64)], [(1024, 256)])
_LISTS = Shapes([(32, 10), (10_000, 100)], [(1000, 100)], [(10_000, 100)])
_FEW_LISTS = Shapes([(32, 10), (1000, 100)], [(100, 100)], [(1000, 100)])
_IMAGES = Shapes([(1, 3, 32, 32), (8, 21, 256, 256)], [(1, 21, 128, 128)], [(8, 21, 256, 256)])
_ONE_IMAGE = Shapes([(1, 3, 32, 32), (1, 21, 256, 256)], [(1, 21, 64, 64)], [(1, 21, 256, 256)])
_MASKS = Shapes([(1, 32, 32), (8, 256, 256)], [(1, 128, 128)], [(8, 256, 256)])
_ENSEMBLES = Shapes([(32, 10), (100, 10_000), (100_000, 51)], [(10_000, 51)], [(100_000, 51)])
_OF_VECTORS = Shapes([(32, 10), (1000, 51)], [(100, 51)], [(1000, 51)])
_SEQUENCES = Shapes([(50, 8, 30), (200, 32, 50)], [(100, 8, 30)], [(200, 32, 50)])
_TIMES = Shapes([(1000,), _1M], [(10_000,)], [_1M])
_BOXES = Shapes([(100, 4), (1_000_000, 4)], [(10_000, 4)], [(1_000_000, 4)])


#: The families of which numba and numexpr get the formulas that expressions.py writes.
WRITTEN = ("regression", "binary", "distributions")


def _first_rows(attribute: str, *modules: Any) -> Iterable[tuple[str, Any]]:
    """The first row of each loss, with its options, and the name of its module."""
    for module in modules:
        found: dict[str, Any] = {}
        for row in getattr(module, attribute):
            found.setdefault(row.loss, row)
        for row in found.values():
            yield module.__name__.rpartition(".")[2], row


ELEMENTWISE = [
    Case(
        family,
        row.loss,
        elements(row),
        _ELEMENTS,
        row.leaves,
        row.options,
    )
    for family, row in _first_rows(
        "ELEMENTWISE", regression, binary, distributions, location_scale, counts, forecasts
    )
]

ROWS = [
    Case(
        family,
        row.loss,
        with_target(row.target),
        _MANY_ROWS if row.loss == "cross_entropy" else _ROWS,
        options=row.options,
    )
    for family, row in _first_rows("ROWS", classification, margins, ensembles)
]

#: Of losses whose values come from many numbers of several operands: what makes them, in which
#: shapes, by family,
FAMILIES: dict[str, tuple[Inputs, Shapes]] = {
    "similarity": (vectors(2), _VECTORS),
    "contrastive": (labelled_vectors, _BATCH),
    "linear_heads": (layer(labels=True), _HEADS),
    "ranking": (with_target("relevance", 1), _LISTS),
    "regions": (with_target("class"), _IMAGES),
    "boxes": (pairs_of_boxes, _BOXES),
    "sequences": (aligned, _SEQUENCES),
    "survival": (times, _TIMES),
    "ordinal": (graded, _ELEMENTS),
    "grouped": (groups(5), _TIMES),
    "ndcg": (groups(5), _TIMES),
    "classification": (two_scores, _ROWS),
    "ensembles": (ensembles_of(), _ENSEMBLES),
}
#: but for these.
OTHERS: dict[str, tuple[Inputs, Shapes]] = {
    "cosine_embedding_loss": (vectors(2, (-1, 1)), _VECTORS),
    "triplet_margin_loss": (vectors(3), _VECTORS),
    "triplet_margin_with_distance_loss": (vectors(3), _VECTORS),
    "contrastive_loss": (vectors(2, (0, 1)), _VECTORS),
    "info_nce_loss": (vectors(2), _BATCH),
    "linear_binary_cross_entropy_with_logits": (layer(labels=False), _HEADS),
    "mean_pairwise_squared_error": (with_target("number", 1), _LISTS),
    "pairwise_logistic_loss": (with_target("relevance", 1), _FEW_LISTS),
    "aft_loss": (censored_times, _ELEMENTS),
    "energy_score": (ensembles_of(10), _OF_VECTORS),
    "lovasz_hinge_loss": (with_target("pixel"), _MASKS),
    "lovasz_softmax_loss": (with_target("class"), _ONE_IMAGE),
    "coral_loss": (with_target("class"), _ROWS),
    "corn_loss": (with_target("class"), _ROWS),
    "discrete_survival_loss": (steps, _ROWS),
    "conditional_logit_loss": (groups(2), _TIMES),
}
#: Errors that are equal but for their last digits may be sorted otherwise; and others take steps of
#: the Jaccard index, which is up to 1, as differences of float32 numbers: 1e-7 off, where the
#: largest gradient is some millionths.
#: Sums of logarithms over a hundred steps lose digits in float32, in which the twin computes.
_TOLERANCE = {
    "lovasz_softmax_loss": 1e-3,
    "lovasz_hinge_loss": 5e-2,
    "ctc_loss": 1e-3,
    "ctc_loss_with_logits": 1e-3,
}

JOINT = [
    Case(
        family,
        row.loss,
        *(OTHERS.get(row.loss) or FAMILIES[family]),
        row.leaves,
        row.options,
        _TOLERANCE.get(row.loss),
        row.keywords,
    )
    for family, row in _first_rows(
        "JOINT",
        *(similarity, contrastive, linear_heads, ranking, regions, boxes, sequences),
        *(survival, ordinal, grouped, ndcg, classification, ensembles),
    )
]

_RESULTS = Shapes([(1,), (1000,), _1M, _16M], [_1M], [_1M])
ACTIVATIONS = [
    *(Case("activations", name, logits, _RESULTS) for name in ("sigmoid", "logsigmoid")),
    *(
        Case("activations", name, logits, _ROWS, options={"axis": 1})
        for name in ("softmax", "log_softmax", "logsumexp")
    ),
    Case("activations", "normalize", vectors(1), _VECTORS),
    Case("activations", "cosine_similarity", vectors(2), _VECTORS),
    Case("activations", "pairwise_distance", vectors(2), _VECTORS),
]

CASES = {case.loss: case for case in (*ELEMENTWISE, *ROWS, *JOINT, *ACTIVATIONS)}


# --- from rows to questions ---------------------------------------------------------------------


def shape_text(shape: Shape) -> str:
    if len(shape) > 1:
        return "x".join(map(str, shape))
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if shape[0] % unit == 0:
            return f"{shape[0] // unit}{name}"
    return str(shape[0])


@dataclass(frozen=True)
class Question:
    """A function with one dtype and one shape, asked for one result."""

    case: Case
    dtype: str
    shape: Shape
    result: str

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def group(self) -> str:
        """What pytest-benchmark groups by."""
        case = self.case
        return f"{case.family} {case.loss} {self.dtype} {shape_text(self.shape)} {self.result}"

    def inputs(self) -> Arrays:
        """The same for every process that asks."""
        return self.case.inputs(np.random.default_rng(0), self.shape, self.dtype)

    def named(self, arrays: Arrays) -> dict[str, Array]:
        """By the names of the operands."""
        return dict(zip(self.case.operands, arrays, strict=True))


def full() -> list[Question]:
    """Every function in all shapes, both dtypes, all results."""
    return [
        Question(case, dtype, shape, result)
        for case in CASES.values()
        for dtype in ("float32", "float64")
        for shape in case.shapes.every
        for result in case.results
    ]


def _gradients(chosen: Iterable[tuple[str, Shape]]) -> list[Question]:
    return [Question(CASES[name], "float32", shape, GRAD) for name, shape in chosen]


def quick() -> list[Question]:
    """Every function once or twice."""
    return [
        Question(case, "float32", shape, case.results[-1])
        for case in CASES.values()
        for shape in case.shapes.quick
    ]


def peers() -> list[Question]:
    """Value and gradient in float32; of the usual shape also the value alone, and float64.

    cross_entropy has all of that in all shapes, but for the float64 ones.
    """
    found = []
    for case in CASES.values():
        for shape in case.shapes.peers:
            usual = shape == case.shapes.usual
            alone = usual or case.loss == "cross_entropy"
            results = case.results if alone else case.results[-1:]
            found += [Question(case, "float32", shape, result) for result in results]
            if usual:
                found.append(Question(case, "float64", shape, case.results[-1]))
    return found


#: Losses whose times are drawn against sizes: one that memory paces, one with a branch, two that
#: compute.
BY_SIZE = ("mse_loss", "huber_loss", "binary_cross_entropy_with_logits", "sigmoid_focal_loss")


def _by_size(*shapes: Shape) -> list[tuple[str, Shape]]:
    return [(name, shape) for name in BY_SIZE for shape in shapes]


def sizes() -> list[Question]:
    return _gradients(_by_size(*((10**k,) for k in range(8)), _16M))


def classes() -> list[Question]:
    """A million logits, or as near as may be, in rows of 2 classes to a million."""
    counts = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000)
    return _gradients(("cross_entropy", (1_000_000 // c, c)) for c in counts)


def threads() -> list[Question]:
    """Loss and shape where memory sets the pace, and where arithmetic does; large and middling."""
    rows = [("cross_entropy", shape) for shape in (_SHORT, _WIDE)]
    others = [("triplet_margin_loss", _LONG), ("dice_loss", (8, 21, 256, 256))]
    return _gradients(_by_size((100_000,), _1M, _16M) + rows + others)


def outputs() -> list[Question]:
    """Gradients small enough to be kept by the allocator, and so large that they are not."""
    rows = [("cross_entropy", shape) for shape in (_SHORT, _WIDE)]
    return _gradients(_by_size(_1M, _16M) + rows)
