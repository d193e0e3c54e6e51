"""What the labels of a data set are to a loss: its operands besides the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Final

import numpy as np

from fusedloss import Loss
from fusedloss._core.frameworks import family
from fusedloss._core.operands import operand
from fusedloss._core.types import Array
from fusedloss._labels import first_bad, in_shape, whole_numbers
from fusedloss._named import OF_SCORES

#: What the rows of a data set are to a loss. Each of their numbers by itself;
ELEMENTS: Final = "elements"
#: a row of scores and the number of its class;
CLASSES: Final = "classes"
#: a score and the number of a grade, with thresholds between the grades;
GRADES: Final = "grades"
#: a score and a time, or two between which it is;
TIMES: Final = "times"
#: a score for each step of time, and the number of a step;
STEPS: Final = "steps"
#: all rows together, each with a time;
COHORT: Final = "cohort"
#: rows that follow each other in groups.
GROUPS: Final = "groups"

#: The operands that are made of the labels.
OF_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    ELEMENTS: ("target",),
    CLASSES: ("target",),
    GRADES: ("target",),
    TIMES: ("lower", "upper"),
    STEPS: ("time", "event"),
    COHORT: ("time", "event"),
}


def labels_of(kind: str, loss: Loss[...]) -> tuple[str, ...]:
    """The operands of a loss that are made of the labels."""
    return loss._operands[1:] if kind == GROUPS else OF_LABELS[kind]


#: Losses of times, with negative ones where they are censored.
_OF_TIMES: Final = {"aft_loss": TIMES, "discrete_survival_loss": STEPS, "cox_ph_loss": COHORT}
#: Losses of targets -1 and 1, for which the labels of classifiers, 0 and 1, are read as these.
_SIGNED: Final = frozenset(
    {
        "soft_margin_loss",
        "hinge_loss",
        "squared_hinge_loss",
        "modified_huber_loss",
        "exponential_loss",
        "hinge_embedding_loss",
    }
)
#: Losses of targets from 0 to 1 that take any number. Boosters refuse labels outside.
_OF_SHARES: Final = frozenset(
    {"binary_cross_entropy_with_logits", "sigmoid_focal_loss", "asymmetric_loss"}
)
#: Losses of probabilities or their logarithms, and those of scores to take instead.
_OF_PROBABILITIES: Final = {
    "binary_cross_entropy": "binary_cross_entropy_with_logits",
    "nll_loss": "cross_entropy",
    "kl_div": "cross_entropy",
    "js_div": "cross_entropy",
}


def kind_of(loss: Loss[...]) -> str:
    """What a loss is computed of; raises for those that are no objectives."""
    name, operands, options = loss.__name__, loss._operands, loss._options
    if name in _OF_TIMES:
        return _OF_TIMES[name]
    if "group_sizes" in options:
        return GROUPS
    has_more = len(operands) > 2 and family(loss) in OF_SCORES
    wants = ""
    if operands[0] != "input" or "target" not in operands or not (has_more or len(operands) == 2):
        wants = f"its arguments are {', '.join(operands)}"
    elif name in _OF_PROBABILITIES:
        wants = f"the scores of boosters are any real numbers: take {_OF_PROBABILITIES[name]}"
    elif name.startswith("multilabel"):
        wants = "it is one of sets of labels"
    elif "thresholds" in operands:
        return GRADES
    elif "sample_weight" not in options:
        return ELEMENTS
    elif name == "multi_margin_loss" or ("ignore_index" in options and "per_image" not in options):
        return CLASSES
    if not wants:
        wants = "its rows belong together in images or vectors"
    raise TypeError(
        f"loss: {name} cannot be an objective, as {wants}; elementwise losses and those of class "
        "numbers, grades, times and groups can"
    )


# ---- labels -----------------------------------------------------------------------------


def target_of(kind: str, loss: str, given: Any, shape: tuple[int, ...]) -> Array:
    """The labels of elements, classes or grades as the loss takes them."""
    labels: Array = operand("labels", given)[0]
    if kind in (CLASSES, GRADES):
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        if kind == GRADES:
            labels = in_shape(labels, shape, loss)
        return whole_numbers(labels)
    labels = in_shape(labels, shape, loss)
    if loss in _SIGNED:
        return _signs(labels, loss)
    if loss in _OF_SHARES:
        _check_shares(labels, loss)
    return labels


def _check_shares(labels: Array, loss: str) -> None:
    if labels.size and not (labels.min() >= 0 and labels.max() <= 1):
        raise ValueError(
            f"labels: 0 and 1, or shares between them, are needed by {loss}; "
            + first_bad(~((labels >= 0) & (labels <= 1)), labels)
        )


def _signs(labels: Array, loss: str) -> Array:
    """Labels 0 and 1, or -1 and 1, as booleans, which losses of -1 and 1 take for these."""
    up = labels > 0
    low = labels.min(initial=0)
    if low not in (0, -1) or not np.array_equal(labels, np.where(up, 1, low)):
        wrong = labels[(labels != 1) & (labels != low)] if low in (0, -1) else labels[labels < -1]
        raise ValueError(
            f"labels: 0 and 1, or -1 and 1, are needed by {loss}"
            + (f"; got {wrong[0]}" if wrong.size else "")
        )
    return up


# ---- what is kept of them -----------------------------------------------------------------


class Prepared:
    """What was made of the labels of the data sets last seen.

    A booster hands over the same labels in each round. They are compared, as it may hand over
    others in the same memory.
    """

    _MOST = 8

    def __init__(self) -> None:
        self._kept: list[tuple[tuple[Any, ...], Any]] = []
        self._lock = Lock()

    def get(self, given: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What `make` makes of these arrays, or made."""
        with self._lock:
            kept = list(self._kept)
        for entry in reversed(kept):
            if _all_alike(entry[0], given):
                with self._lock:
                    self._kept = [*(e for e in self._kept if e is not entry), entry]
                return entry[1]
        made = make()
        copies = tuple(None if a is None else np.array(a) for a in given)
        with self._lock:
            self._kept = [*self._kept, (copies, made)][-self._MOST :]
        return made


def _all_alike(kept: tuple[Any, ...], given: tuple[Any, ...]) -> bool:
    return all(
        a is b if a is None or b is None else np.array_equal(a, b)
        for a, b in zip(kept, given, strict=True)
    )
