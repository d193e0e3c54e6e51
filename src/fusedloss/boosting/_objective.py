"""What the objectives of all boosters share: a loss, its options, labels, weights and Hessian."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sys import getrefcount
from threading import Lock
from typing import Any, ClassVar, Final, NoReturn, Self

import numpy as np

import fusedloss
from fusedloss import Criterion, Loss
from fusedloss._core.operands import operand
from fusedloss._core.parameters import choice, finite, positive
from fusedloss._core.types import Array, ArrayLike
from fusedloss._named import by_name, key_of

HESSIANS: Final = ("auto", "exact", "constant")
#: The floor of second derivatives where no built-in objective says otherwise: that of XGBoost.
FLOOR: Final = 1e-16
#: So small a factor leaves nothing of a second derivative, where a floor takes its place.
_NOTHING: Final = 2.0**-1000

#: Losses whose second derivative is 0 wherever it is defined.
_FLAT: Final = frozenset(
    {
        "l1_loss",
        "quantile_loss",
        "epsilon_insensitive_loss",
        "mape_loss",
        "hinge_loss",
        "hinge_embedding_loss",
        "multi_margin_loss",
        "categorical_hinge_loss",
    }
)
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
#: What the rows of a data set are to a loss: each of their numbers, or all of them.
ELEMENTS: Final = "elements"
CLASSES: Final = "classes"

_OF_THE_DATA: Final = "comes from the data set, not from an option"
#: Options of losses that an objective does not have, and why.
_REFUSED: Final = {
    "reduction": "an objective is the sum over the rows, which no option changes: leave it out",
    "sample_weight": _OF_THE_DATA,
    "where": _OF_THE_DATA,
    "axis": "the classes are the columns of the scores: leave it out",
    "return_lse": "an objective returns derivatives alone: leave it out",
    "target_grad": "an objective has derivatives with respect to the scores alone: leave it out",
}


@dataclass(frozen=True)
class Curvature:
    """What becomes of a loss in a booster.

    The loss is multiplied by `factor`, and its second derivative h becomes ``max(scale * h,
    floor)`` before that; where `of` names another loss, h is that loss's. `scale` may be a function
    of the number of columns.
    """

    factor: float = 1.0
    scale: float | Callable[[int], float] = 1.0
    floor: float | None = None
    of: str | None = None


def constant(value: float = 1.0, factor: float = 1.0) -> Curvature:
    """A second derivative of `value` for each row, times its weight."""
    return Curvature(factor, _NOTHING, value / abs(factor))


def rows_of(first: Any, second: Any, weight: Any) -> tuple[Array, Any, Any]:
    """Scores, labels and weights, of the arguments of a call: labels and scores, or scores and a
    data set."""
    if hasattr(second, "get_label"):
        return np.asarray(first), second.get_label(), second.get_weight()
    return np.asarray(second), first, weight


class Buffers:
    """Arrays for results, used again when nobody holds them any more.

    New memory for each round would cost as much as the derivatives.
    """

    def __init__(self) -> None:
        self._kept: list[Array] = []
        self._lock = Lock()

    def take(self, shape: tuple[int, ...], dtype: Any, order: Any = "C") -> Array:
        """An array of this shape, whose numbers are anything."""
        with self._lock:
            like = np.empty(0, dtype).dtype
            for k in range(len(self._kept)):
                if _references(self._kept, k) == _ALONE:
                    array = self._kept[k]
                    fits = array.flags.f_contiguous if order == "F" else array.flags.c_contiguous
                    if fits and array.shape == shape and array.dtype == like:
                        return array
            self._kept = [array for array in self._kept if array.shape == shape][-3:]
            array = np.empty(shape, dtype, order)
            self._kept.append(array)
            return array


def _references(arrays: list[Array], k: int) -> int:
    return getrefcount(arrays[k])


_ALONE: Final = _references([np.empty(0)], 0)


class Objective:
    """A loss as the objective of a booster: the common part of those of `xgboost`, `lightgbm` and
    `catboost`.

    It cannot be changed, so that models may share it; it can be pickled, and is equal to another of
    the same loss and options.

    Attributes
    ----------
    loss : Loss
    kind : {"elements", "classes"}
        Whether a row has one score, or one for each class.
    hessian : str
    floor : float or None
    options : dict
        As they were given.
    """

    loss: Loss[...]
    kind: str
    hessian: str
    floor: float | None
    options: dict[str, Any]
    _curvature: Curvature
    _buffers: Buffers
    _maker: ClassVar[str]  # the name of the function that makes it
    _columns_are: ClassVar[str]  # how a user sets the number of classes
    #: What the booster's own objectives do, by the name of the loss.
    _builtins: ClassVar[Mapping[str, Curvature]]

    def __init__(
        self,
        loss: str | Loss[...],
        hessian: str = "auto",
        floor: float | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        made = vars(self)  # which is not changed later
        made["loss"] = _loss_of(loss, self._maker)
        made["kind"] = _kind_of(self.loss)
        made["hessian"] = choice("hessian", hessian, HESSIANS)
        made["floor"] = None if floor is None else finite("floor", floor, 0.0)
        made["options"] = _checked_options(self.loss, self.kind, options or {})
        if self.hessian == "constant" and floor is not None:
            positive("floor", floor)
        made["_curvature"] = self._find_curvature()
        made["_buffers"] = Buffers()

    @property
    def __name__(self) -> str:
        name: str = self.loss.__name__
        return name

    def _find_curvature(self) -> Curvature:
        name = self.loss.__name__
        builtin = self._builtins.get(name, Curvature(floor=FLOOR))
        factor, floor = builtin.factor, self.floor
        flat = name in _FLAT and self.options.get("p", 1) == 1
        given = floor if floor is None else floor / abs(factor)
        if self.hessian == "constant" or (
            self.hessian == "auto" and flat and name not in self._builtins
        ):
            return constant(1.0 if floor is None else floor, factor)
        if self.hessian == "exact":
            return Curvature(factor, 1.0, FLOOR / abs(factor) if given is None else given)
        return Curvature(
            factor, builtin.scale, builtin.floor if given is None else given, builtin.of
        )

    # ---- scores, labels and weights ----------------------------------------------------

    def _check_scores(self, scores: Array) -> None:
        if self.kind == CLASSES and (scores.ndim != 2 or scores.shape[1] < 2):
            raise ValueError(
                f"{self.__name__}: a score for each class is needed, got scores of shape "
                f"{scores.shape}; {self._columns_are} (for two classes, too; or take "
                "binary_cross_entropy_with_logits, which needs one score)"
            )

    def _target(self, given: Any, shape: tuple[int, ...]) -> Array:
        """The labels as the loss takes them."""
        labels: Array = operand("labels", given)[0]
        if self.kind == CLASSES:
            if labels.ndim == 2 and labels.shape[1] == 1:
                labels = labels[:, 0]
            if labels.dtype.kind not in "biu":
                with np.errstate(invalid="ignore"):
                    whole = labels.astype(np.int32)
                if not np.array_equal(whole, labels):
                    at = tuple(int(i) for i in np.argwhere(whole != labels)[0])
                    raise ValueError(
                        f"labels: class numbers are needed, whole numbers from 0 on; the label at "
                        f"{list(at)} is {labels[at]}"
                    )
                labels = whole
            return labels
        if labels.shape != shape:
            if labels.size != int(np.prod(shape)):
                raise ValueError(
                    f"{self.__name__}: scores of shape {shape} and labels of shape {labels.shape} "
                    "do not fit; this loss takes a label for each score, so the number of classes "
                    "is to be left at its default, 1"
                )
            labels = labels.reshape(shape)
        if self.loss.__name__ in _SIGNED:
            return self._signs(labels)
        if self.loss.__name__ in _OF_SHARES:
            self._check_shares(labels)
        return labels

    def _check_shares(self, labels: Array) -> None:
        if labels.size and not (labels.min() >= 0 and labels.max() <= 1):
            at = tuple(int(i) for i in np.argwhere(~((labels >= 0) & (labels <= 1)))[0])
            raise ValueError(
                f"labels: 0 and 1, or shares between them, are needed by {self.__name__}; the "
                f"label at {list(at)} is {labels[at]}"
            )

    def _signs(self, labels: Array) -> Array:
        """Labels 0 and 1, or -1 and 1, as booleans, which losses of -1 and 1 take for these."""
        up = labels > 0
        low = labels.min(initial=0)
        if low not in (0, -1) or not np.array_equal(labels, np.where(up, 1, low)):
            wrong = (
                labels[(labels != 1) & (labels != low)] if low in (0, -1) else labels[labels < -1]
            )
            raise ValueError(
                f"labels: 0 and 1, or -1 and 1, are needed by {self.__name__}"
                + (f"; got {wrong[0]}" if wrong.size else "")
            )
        return up

    def _weight(self, weight: Any, factor: float, columns: int = 0) -> Any:
        """The weights of the rows times a factor, to broadcast with the scores of elements."""
        if weight is None or not np.size(weight):
            return None if factor == 1 else factor
        weight = np.asarray(weight)
        if factor != 1:
            weight = weight * factor
        return weight[:, np.newaxis] if columns and self.kind == ELEMENTS else weight

    def _arguments(self, weight: Any) -> dict[str, Any]:
        name = "weight" if self.kind == ELEMENTS else "sample_weight"
        return self.options if weight is None else {**self.options, name: weight}

    # ---- derivatives, means and starts ---------------------------------------------------

    def _differentiate(
        self, scores: Any, labels: Any, weight: Any, grad: Array, hess: Array, sign: float = 1.0
    ) -> None:
        """Write the derivatives of the loss into two arrays of the booster."""
        self._check_scores(scores)
        curvature = self._curvature
        columns = scores.shape[1] if scores.ndim == 2 else 0
        target = self._target(labels, scores.shape)
        scale = curvature.scale
        bent = {
            "hess_scale": scale(columns) if callable(scale) else scale,
            "hess_floor": curvature.floor,
        }
        arguments = self._arguments(self._weight(weight, sign * curvature.factor, columns))
        arguments = {**arguments, "reduction": "sum"}
        if curvature.of is None:
            self.loss.value_grad_hess(
                scores, target, grad_out=grad, hess_out=hess, **bent, **arguments
            )
            return
        self.loss.value_and_grad(scores, target, grad_out=grad, **arguments)
        other = getattr(fusedloss, curvature.of)
        unused = self._buffers.take(grad.shape, grad.dtype)
        other.value_grad_hess(scores, target, grad_out=unused, hess_out=hess, **bent, **arguments)

    def _mean(self, scores: Any, labels: Any, weight: Any) -> tuple[float, float]:
        """The mean of the loss over the rows, and the sum of their weights."""
        scores = np.asarray(scores)
        self._check_scores(scores)
        columns = scores.shape[1] if scores.ndim == 2 else 0
        target = self._target(labels, scores.shape)
        arguments = self._arguments(self._weight(weight, 1.0, columns))
        value, divisor = self.loss(
            scores, target, reduction="weighted_mean", return_divisor=True, **arguments
        )
        return float(value), divisor

    def _start(self, y: ArrayLike, weight: ArrayLike | None = None) -> Any:
        """The constant score of the least loss; of classes, the logarithms of their shares."""
        labels = operand("y", y)[0]
        if labels.ndim == 0 or not labels.size:
            raise ValueError(f"y: at least one label is needed, got shape {labels.shape}")
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise ValueError("y: the labels must be finite numbers")
        if weight is not None:
            weight = operand("weight", weight)[0]
            if weight.shape != labels.shape[:1]:
                raise ValueError(
                    f"weight: one for each of the {len(labels)} labels is needed, got shape "
                    f"{weight.shape}"
                )
            if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.any()):
                raise ValueError("weight: finite numbers, 0 or more, are needed, and not only 0")
        if self.kind == CLASSES:
            target = self._target(labels, labels.shape)
            if target.min() < 0:
                raise ValueError(f"y: class numbers from 0 on are needed, got {target.min()}")
            given = self.options.get("weight")
            of_classes = np.ones(1) if given is None else np.atleast_1d(operand("weight", given)[0])
            counts = np.bincount(
                target.astype(np.intp, copy=False), weight, minlength=len(of_classes)
            )
            if len(of_classes) not in (1, len(counts)):
                raise ValueError(
                    f"weight: one for each of the {len(counts)} classes is needed, got "
                    f"{len(of_classes)}"
                )
            counts = counts * of_classes
            return np.log(np.maximum(counts / counts.sum(), 1e-15))
        target = self._target(labels, labels.shape)
        arguments = self._arguments(self._weight(weight, 1.0, labels.ndim - 1))
        grad = np.empty(labels.shape)

        def slope(score: float) -> tuple[float, float]:
            scores = np.broadcast_to(np.float64(score), labels.shape)
            self.loss.value_and_grad(scores, target, grad_out=grad, reduction="sum", **arguments)
            return float(grad.sum()), float(np.abs(grad).sum())

        low, high = float(labels.min()), float(labels.max())
        size = max(slope(low)[1], slope(high)[1])
        # Less than this is nothing: labels that are all alike have their least loss at infinity.
        least = 1e-15 * size
        return _root(lambda score: _cut(slope(score)[0], least), low, high, self.__name__)

    def _starts(self, y: ArrayLike, weight: ArrayLike | None) -> Array:
        """The same for each row."""
        start = np.asarray(self._start(y, weight))
        return np.tile(start, (len(np.asarray(y)),) + (1,) * start.ndim)

    # ---- copies and comparisons ------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name}: an objective cannot be changed; make another one")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Itself, as CatBoost copies its parameters, which scikit-learn's clone takes for a change.
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_buffers"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _buffers=Buffers())

    def _key(self) -> tuple[Any, ...]:
        return type(self), self.loss.__name__, self.hessian, self.floor, key_of(self.options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Objective) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        parts = [repr(self.loss.__name__)]
        if self.hessian != "auto":
            parts.append(f"hessian={self.hessian!r}")
        if self.floor is not None:
            parts.append(f"floor={self.floor!r}")
        parts += [f"{name}={value!r}" for name, value in self.options.items()]
        return f"{self._maker}({', '.join(parts)})"


class Metric:
    """The mean of an objective's loss over a data set, as a booster's metric: less is better."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.__name__ = objective.__name__

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._objective == vars(other)["_objective"]

    def __hash__(self) -> int:
        return hash((type(self), self._objective))

    def __repr__(self) -> str:
        return f"{self._objective!r}.metric"


# ---- checks of losses and options -------------------------------------------------------


def _loss_of(loss: Any, maker: str) -> Loss[...]:
    if isinstance(loss, str):
        return by_name(loss)
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, Criterion) or (isinstance(loss, type) and issubclass(loss, Criterion)):
        name = loss.loss.__name__
        raise TypeError(
            "loss: a loss or its name is needed, not a criterion, which has a reduction; give "
            f"the options by name: {maker}({name!r}, ...)"
        )
    raise TypeError(f"loss: a loss or its name is needed, got {type(loss).__name__}")


def _kind_of(loss: Loss[...]) -> str:
    """What a loss is computed of; raises for those that are no objectives."""
    name, options = loss.__name__, loss._options
    wants = ""
    if loss._operands != ("input", "target"):
        wants = f"its arguments are {', '.join(loss._operands)}"
    elif name in _OF_PROBABILITIES:
        wants = f"the scores of boosters are any real numbers: take {_OF_PROBABILITIES[name]}"
    elif name.startswith("multilabel"):
        wants = "it is one of sets of labels"
    elif "sample_weight" not in options:
        return ELEMENTS
    elif name == "multi_margin_loss" or ("ignore_index" in options and "per_image" not in options):
        return CLASSES
    if not wants:
        wants = "its rows belong together in groups, images or vectors"
    raise TypeError(
        f"loss: {name} cannot be an objective, as {wants}; elementwise losses and those of class "
        "numbers can"
    )


def _checked_options(loss: Loss[...], kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, if the loss takes them and an objective can have them."""
    given = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in options.items()}
    for name in given:
        if name in loss._options:
            if name in _REFUSED:
                raise TypeError(f"{name}: {_REFUSED[name]}")
            if name == "weight" and kind == ELEMENTS:
                raise TypeError(f"weight: {_OF_THE_DATA}")
        else:
            _unknown_option(loss, name)
    defaults = {n: p.default for n, p in loss._options_signature.parameters.items()}
    loss._check_options({**defaults, **given})
    return given


def _unknown_option(loss: Loss[...], name: str) -> NoReturn:
    from difflib import get_close_matches

    names = [n for n in loss._options if n not in _REFUSED]
    close = get_close_matches(name, names, 1)
    raise TypeError(
        f"{loss.__name__} has no option {name!r}; "
        + (f"did you mean {close[0]!r}? The" if close else "the")
        + f" options are {', '.join(names)}"
    )


# ---- the best constant ------------------------------------------------------------------


def _cut(x: float, least: float) -> float:
    return 0.0 if abs(x) <= least else x


def _root(slope: Callable[[float], float], low: float, high: float, name: str) -> float:
    """Where a slope changes its sign, by bisection; the middle of where it is 0, or the end of that
    which is not at infinity."""
    step = max(1.0, high - low)
    for _ in range(60):
        if slope(low) < 0:
            break
        low, step = low - step, 3 * step
    step = max(1.0, high - low)
    for _ in range(60):
        if slope(high) > 0:
            break
        high, step = high + step, 3 * step
    rises, falls = slope(high) > 0, slope(low) < 0
    if slope(high) < 0 or slope(low) > 0:
        raise ValueError(f"y: for these labels no finite constant has the least {name}")
    left = _edge(lambda score: slope(score) < 0, low, high)[1] if falls else 0.0
    right = _edge(lambda score: slope(score) <= 0, low, high)[0] if rises else 0.0
    return left + (right - left) / 2 if falls and rises else left + right


def _edge(below: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Two neighbours, between which a condition ends that is true on the left."""
    for _ in range(200):
        middle = low + (high - low) / 2
        if middle in (low, high):
            break
        if below(middle):
            low = middle
        else:
            high = middle
    return low, high
