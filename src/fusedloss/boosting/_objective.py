"""What the objectives of all boosters share: a loss, its options, labels, weights and Hessian."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from sys import getrefcount
from threading import Lock
from typing import Any, ClassVar, Final, NoReturn, Self

import numpy as np

import fusedloss
from fusedloss import Criterion, Loss
from fusedloss._core.operands import operand
from fusedloss._core.outputs import UNWANTED
from fusedloss._core.parameters import choice, finite, positive
from fusedloss._core.types import Array, ArrayLike
from fusedloss._labels import Bounds, bounds_of, steps_of, times_of
from fusedloss._named import by_name, key_of, unwanted
from fusedloss.boosting._groups import Grouped, GroupPlans, sizes_of
from fusedloss.boosting._starts import above, above_if_reached, cut, hazards, log_shares, root
from fusedloss.boosting._targets import (
    CLASSES,
    COHORT,
    ELEMENTS,
    GRADES,
    GROUPS,
    STEPS,
    TIMES,
    Prepared,
    kind_of,
    labels_of,
    target_of,
)

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
        "laplace_nll_loss",
        "hinge_loss",
        "hinge_embedding_loss",
        "multi_margin_loss",
        "categorical_hinge_loss",
    }
)

#: Losses whose second derivative is negative somewhere, beyond what a floor can mend.
_NOT_CONVEX: Final = frozenset({"approx_ndcg_loss"})

_OF_THE_DATA: Final = "comes from the data set, not from an option"
#: Options of losses that an objective does not have, and why.
_REFUSED: Final = {
    "reduction": "an objective is the sum over the rows, which no option changes: leave it out",
    "sample_weight": _OF_THE_DATA,
    "where": _OF_THE_DATA,
    "axis": "the classes are the columns of the scores: leave it out",
    "return_lse": "an objective returns derivatives alone: leave it out",
}
#: What has more than one score.
OF_COLUMNS: Final = (CLASSES, STEPS)
#: What has kernels without scale and floor of second derivatives.
_UNBENT: Final = (GRADES, COHORT)
#: The best constants of losses of classes; of the others the logarithms of their shares.
_STARTS: Final = {"coral_loss": above, "corn_loss": above_if_reached}
#: Options of losses of times that may be arrays with a number for each row.
_OF_ROWS: Final = {TIMES: ("scale",), COHORT: ("strata", "entry")}
_GRADIENT: Final = "an objective has derivatives with respect to the scores alone: leave it out"


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


def _bend(hess: Array, weight: Any, scale: float, floor: float | None) -> None:
    """Scale and floor in place, where a kernel does not have these options."""
    if scale != 1:
        hess *= scale
    if floor is not None:
        np.maximum(hess, floor if weight is None else floor * weight, out=hess)


def rows_of(first: Any, second: Any, weight: Any) -> tuple[Array, Any, Any]:
    """Scores, labels and weights, of the arguments of a call: labels and scores, or scores and a
    data set. What has no weights may have an array of none."""
    labels = first
    if hasattr(second, "get_label"):
        first, second, weight = second, first, second.get_weight()
        labels = first.get_label()
    return np.asarray(second), labels, weight if np.size(weight) and weight is not None else None


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
    kind : {"elements", "classes", "grades", "times", "steps", "cohort", "groups"}
        What a row has: one score and a number; a score for each class and the number of its own; a
        score and the number of a grade; a score and a time; a score for each step of time and the
        number of a step; a score and a time, of which the loss needs all together; or a score and
        a relevance or choice, and the loss needs those of a group together.
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
    _prepared: Prepared
    _groups: Any  # the plans of a loss of groups
    _bound: dict[str, Array]  # the options that are operands
    _options: dict[str, Any]  # the others
    _weight_name: str  # of the rows
    _others: tuple[Any, ...]  # what stands for the derivatives with respect to other operands
    _maker: ClassVar[str]  # the name of the function that makes it
    _columns_are: ClassVar[str]  # how a user sets the number of classes
    _by_parts: ClassVar[bool] = False  # whether a call may have some of the rows alone
    _weighs_groups: ClassVar[bool] = False  # whether data sets with groups have weights of these
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
        made["kind"] = kind_of(self.loss)
        made["hessian"] = choice("hessian", hessian, HESSIANS)
        made["floor"] = None if floor is None else finite("floor", floor, 0.0)
        made["options"] = _checked_options(self.loss, self.kind, self._maker, options or {})
        self._sort_options()
        if self.hessian == "constant" and floor is not None:
            positive("floor", floor)
        made["_curvature"] = self._find_curvature()
        self._forget()

    def _forget(self) -> None:
        """Start without what is kept between calls."""
        made = vars(self)
        made["_buffers"], made["_prepared"] = Buffers(), Prepared()
        made["_groups"] = None
        if self.kind == GROUPS:
            made["_groups"] = GroupPlans(self.loss, self.options, self._weighs_groups)

    def _sort_options(self) -> None:
        """The options by what becomes of them in a call."""
        made, loss = vars(self), self.loss
        names = {*loss._operands, *labels_of(self.kind, loss), *_OF_ROWS.get(self.kind, ())}
        given = {name: v for name, v in self.options.items() if v is not None}
        made["_bound"] = {
            name: np.asarray(v) if name == "strata" else operand(name, v)[0]
            for name, v in given.items()
            if name in names
        }
        made["_options"] = {name: v for name, v in self.options.items() if name not in names}
        if self._by_parts:
            self._check_parts()
        of_rows = "sample_weight" in loss._options
        made["_weight_name"] = "sample_weight" if of_rows else "weight"
        made["_others"] = unwanted(loss, self.options)

    def _check_parts(self) -> None:
        """Refuse what needs all rows at once."""
        name = self.__name__
        if self.kind in (COHORT, GROUPS):
            rows = "all rows together" if self.kind == COHORT else "groups of rows"
            raise TypeError(
                f"loss: {name} is one of {rows}, and {self._maker} asks for the "
                "derivatives of some rows at a time; take XGBoost or LightGBM"
            )
        for operand_name, array in self._bound.items():
            if array.ndim and operand_name != "thresholds":
                raise TypeError(
                    f"{operand_name}: a number is needed, as {self._maker} asks for the "
                    "derivatives of some rows at a time, and does not say which"
                )

    @property
    def __name__(self) -> str:
        name: str = self.loss.__name__
        return name

    def _find_curvature(self) -> Curvature:
        name = self.loss.__name__
        builtin = self._builtins.get(name, Curvature(floor=FLOOR))
        factor, floor = builtin.factor, self.floor
        flat = name in _NOT_CONVEX or (name in _FLAT and self.options.get("p", 1) == 1)
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

    def _rows(
        self, first: Any, second: Any, weight: Any, group: Any = None
    ) -> tuple[Array, Any, Any]:
        """Scores, labels and weights of the arguments of a call."""
        scores, labels, weight = rows_of(first, second, weight)
        if self.kind == GROUPS:
            labels = Grouped(labels, sizes_of(second) if hasattr(second, "get_label") else group)
        return scores, labels, weight

    def _check_scores(self, scores: Array) -> None:
        if self.kind in OF_COLUMNS and (scores.ndim != 2 or scores.shape[1] < 2):
            raise ValueError(
                f"{self.__name__}: a score for each class is needed, got scores of shape "
                f"{scores.shape}; {self._columns_are} (for two classes, too; or take "
                "binary_cross_entropy_with_logits, which needs one score)"
            )

    def _operands(self, labels: Any, shape: tuple[int, ...], weight: Any) -> dict[str, Any]:
        """The arguments of a call besides scores and weights. The latter are for what is computed
        of all rows together."""
        given = {name: self._bound_to(name, shape) for name in self._bound}
        name = self.__name__
        if self.kind == COHORT:
            return {"plan": self._plan(labels, shape, weight, given)}
        if self.kind == STEPS:
            time, event = steps_of(labels, shape[0], name, shape[1])
            return {"time": time, "event": event}
        if self.kind != TIMES:
            return given | {"target": target_of(self.kind, name, labels, shape)}
        if "lower" in given:
            labels = Bounds(given.pop("lower"), given.pop("upper"))
        make = partial(bounds_of, labels, shape, name)
        if isinstance(labels, Bounds):
            return given | make()._asdict()
        bounds: Bounds = self._prepared.get((operand("labels", labels)[0],), make)
        return given | bounds._asdict()

    def _plan(self, labels: Any, shape: tuple[int, ...], weight: Any, given: Any) -> Any:
        """What the loss has found out of times, events and weights, once for each data set."""
        if self.options.get("plan") is not None:
            return self.options["plan"]
        labels = operand("labels", labels)[0]

        def make() -> Any:
            time, event = times_of(labels, shape, self.__name__)
            loss: Any = self.loss
            more = given if weight is None else {**given, "weight": weight}
            return loss.plan(time, event, **more)

        return self._prepared.get((labels, weight), make)

    def _bound_to(self, name: str, shape: tuple[int, ...]) -> Any:
        """An operand that is an option, for scores of this shape: a number, or one for each row."""
        value = self._bound[name]
        if not value.ndim or name == "thresholds" or value.shape == shape:
            return value
        if value.shape != shape[:1]:
            raise ValueError(
                f"{name}: a number, or one for each of {shape[0]} rows, is needed, got shape "
                f"{value.shape}; data sets of other rows, as those to evaluate with, take an "
                "objective of their own"
            )
        return value.reshape(-1, *(1,) * (len(shape) - 1))

    def _weight(self, weight: Any, factor: float, columns: int = 0) -> Any:
        """The weights of the rows times a factor, to broadcast with the scores of elements."""
        if weight is None:
            return None if factor == 1 else factor
        weight = np.asarray(weight)
        if factor != 1:
            weight = weight * factor
        return weight[:, np.newaxis] if columns and self.kind not in OF_COLUMNS else weight

    def _arguments(self, operands: Mapping[str, Any], weight: Any) -> dict[str, Any]:
        """All arguments of a call but the scores."""
        arguments = {**self._options, **operands}
        if self.kind == GROUPS:
            planner: Any = self.loss.planner
            arguments = {n: v for n, v in arguments.items() if n not in planner.options}
        if weight is not None:
            arguments[self._weight_name] = weight
        return arguments

    def _to_grad(self, grad: Array) -> Any:
        """The buffer for the gradient, and for what else the loss has of that kind."""
        return (grad, *self._others) if self._others else grad

    # ---- derivatives, means and starts ---------------------------------------------------

    def _differentiate(
        self, scores: Any, labels: Any, weight: Any, grad: Array, hess: Array, sign: float = 1.0
    ) -> None:
        """Write the derivatives of the loss into two arrays of the booster."""
        self._check_scores(scores)
        curvature = self._curvature
        columns = scores.shape[1] if scores.ndim == 2 else 0
        operands = {}
        if self.kind != GROUPS:
            operands = self._operands(labels, scores.shape, weight)
        scale: Any = curvature.scale
        scale = scale(columns) if callable(scale) else scale
        into: dict[str, Any] = {"grad_out": self._to_grad(grad), "hess_out": self._to_grad(hess)}
        if self._others and self.kind in (ELEMENTS, TIMES):
            into["out"] = UNWANTED
        if self.kind in _UNBENT:
            weight = self._weight(weight, 1.0, columns)
            arguments = self._arguments(operands, None if self.kind == COHORT else weight)
            self.loss.value_grad_hess(scores, reduction="sum", **into, **arguments)
            _bend(hess, weight, scale, curvature.floor)
            if sign * curvature.factor != 1:
                grad *= sign * curvature.factor
                hess *= sign * curvature.factor
            return
        hess_options = {"hess_scale": scale, "hess_floor": curvature.floor}
        if self.kind == GROUPS:
            operands = self._groups.arguments(labels, len(scores), weight, False)
            arguments = self._arguments(operands, None)
            into["out"] = UNWANTED
            self.loss.value_grad_hess(scores, reduction="sum", **into, **hess_options, **arguments)
            self._groups.weight_rows(weight, grad, hess)
            return
        weight = self._weight(weight, sign * curvature.factor, columns)
        arguments = {**self._arguments(operands, weight), "reduction": "sum"}
        if curvature.of is None:
            self.loss.value_grad_hess(scores, **into, **hess_options, **arguments)
            return
        self.loss.value_and_grad(scores, grad_out=grad, **arguments)
        other = getattr(fusedloss, curvature.of)
        unused = self._buffers.take(grad.shape, grad.dtype)
        other.value_grad_hess(scores, grad_out=unused, hess_out=hess, **hess_options, **arguments)

    def _mean(self, scores: Any, labels: Any, weight: Any) -> tuple[float, float]:
        """The mean of the loss over the rows, and the sum of their weights."""
        scores = np.asarray(scores)
        self._check_scores(scores)
        columns = scores.shape[1] if scores.ndim == 2 else 0
        if self.kind == GROUPS:
            operands = self._groups.arguments(labels, len(scores), weight, True)
        else:
            operands = self._operands(labels, scores.shape, weight)
        weight = None if self.kind in (COHORT, GROUPS) else self._weight(weight, 1.0, columns)
        arguments = self._arguments(operands, weight)
        value, divisor = self.loss(
            scores, reduction="weighted_mean", return_divisor=True, **arguments
        )
        return float(value), divisor

    def _start(self, y: Any, weight: ArrayLike | None = None) -> Any:
        """The constant score of the least loss; of classes, the logarithms of their shares."""
        if self.kind == GROUPS:  # any is as good
            return 0.0
        labels: Any
        if self.kind == TIMES and isinstance(y, tuple) and len(y) == 2:
            labels = Bounds(*(operand(n, v)[0] for n, v in zip(Bounds._fields, y, strict=True)))
            shape = labels.lower.shape
        else:
            labels = operand("y", y)[0]
            shape = labels.shape
            if labels.dtype.kind == "f" and not np.isfinite(labels).all():
                raise ValueError("y: the labels must be finite numbers")
        if not shape or not shape[0]:
            raise ValueError(f"y: at least one label is needed, got shape {shape}")
        if weight is not None:
            weight = operand("weight", weight)[0]
            if weight.shape != shape[:1]:
                raise ValueError(
                    f"weight: one for each of the {shape[0]} labels is needed, got shape "
                    f"{weight.shape}"
                )
            if not (np.isfinite(weight).all() and weight.min() >= 0 and weight.any()):
                raise ValueError("weight: finite numbers, 0 or more, are needed, and not only 0")
        if self.kind in OF_COLUMNS:
            return self._start_of_columns(labels, weight)
        operands = self._operands(labels, shape, weight)
        if self.kind == COHORT:  # any constant is as good
            return 0.0
        arguments = self._arguments(operands, self._weight(weight, 1.0, len(shape) - 1))
        grad = np.empty(shape)

        def slope(score: float) -> tuple[float, float]:
            scores = np.broadcast_to(np.float64(score), shape)
            self.loss.value_and_grad(
                scores, grad_out=self._to_grad(grad), reduction="sum", **arguments
            )
            return float(grad.sum()), float(np.abs(grad).sum())

        low, high = self._reach(labels, operands)
        size = max(slope(low)[1], slope(high)[1])
        # Less than this is nothing: labels that are all alike have their least loss at infinity.
        least = 1e-15 * size
        return root(lambda score: cut(slope(score)[0], least), low, high, self.__name__)

    def _start_of_columns(self, labels: Array, weight: Any) -> Array:
        """The best constants by shares of the rows, with the weights of rows and classes."""
        if self.kind == STEPS:
            time, event = steps_of(labels, len(labels), self.__name__)
            weight = np.ones(len(time)) if weight is None else weight
            steps = int(time.max()) + 1
            parts = (np.bincount(time[e], weight[e], steps) for e in (event, ~event))
            return hazards(*parts)
        target = target_of(CLASSES, self.__name__, labels, labels.shape)
        if target.min() < 0:
            raise ValueError(f"y: class numbers from 0 on are needed, got {target.min()}")
        target = target.astype(np.intp, copy=False)
        if self.__name__ in _STARTS:  # the weights are those of columns, which have their own best
            return _STARTS[self.__name__](np.bincount(target, weight))
        given = self.options.get("weight")
        of_classes = np.ones(1) if given is None else np.atleast_1d(operand("weight", given)[0])
        counts = np.bincount(target, weight, minlength=len(of_classes))
        if len(of_classes) not in (1, len(counts)):
            raise ValueError(
                f"weight: one for each of the {len(counts)} classes is needed, got "
                f"{len(of_classes)}"
            )
        return log_shares(counts * of_classes)

    def _reach(self, labels: Any, operands: Mapping[str, Any]) -> tuple[float, float]:
        """Between which scores to look for the best constant first."""
        if self.kind == GRADES:
            labels = operands["thresholds"]
        elif self.kind == TIMES:
            bounds = np.concatenate([operands["lower"], operands["upper"]])
            bounds = bounds[(bounds > 0) & (bounds < np.inf)]
            labels = np.log(bounds) if bounds.size else np.zeros(1)
        return float(labels.min()), float(labels.max())

    def _starts(self, y: Any, weight: ArrayLike | None) -> Array:
        """The same for each row."""
        start = np.asarray(self._start(y, weight))
        rows = len(y[0]) if self.kind == TIMES and isinstance(y, tuple) else len(np.asarray(y))
        return np.tile(start, (rows,) + (1,) * start.ndim)

    # ---- copies and comparisons ------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name}: an objective cannot be changed; make another one")

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Itself, as CatBoost copies its parameters, which scikit-learn's clone takes for a change.
        return self

    def __getstate__(self) -> dict[str, Any]:
        kept = ("_buffers", "_prepared", "_groups")
        return {name: v for name, v in vars(self).items() if name not in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._forget()

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


def _checked_options(
    loss: Loss[...], kind: str, maker: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options, if the loss takes them and an objective can have them: those of the loss, and
    its operands besides scores and labels."""
    given = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in options.items()}
    of_labels = labels_of(kind, loss)
    bound = [name for name in loss._operands[1:] if name not in of_labels]
    may_be_bound = [*bound, *(of_labels if kind == TIMES else ())]
    for name in given:
        if name in _REFUSED:
            raise TypeError(f"{name}: {_REFUSED[name]}")
        if name.endswith("_grad"):
            raise TypeError(f"{name}: {_GRADIENT}")
        is_label = name in of_labels and name not in may_be_bound
        if is_label or (name == "weight" and kind not in OF_COLUMNS):
            raise TypeError(f"{name}: {_OF_THE_DATA}")
        if name not in loss._options and name not in may_be_bound:
            _unknown_option(loss, name)
    for name in bound:
        if name not in given:
            raise TypeError(
                f"{name}: {loss.__name__} needs it besides scores and labels; give it as an "
                f"option: {maker}({loss.__name__!r}, {name}=...)"
            )
    if kind == TIMES and ("lower" in given) != ("upper" in given):
        raise TypeError("lower, upper: both are needed, or none of them")
    defaults = {n: p.default for n, p in loss._options_signature.parameters.items()}
    loss._check_options({**defaults, **{n: v for n, v in given.items() if n in loss._options}})
    return given


def _unknown_option(loss: Loss[...], name: str) -> NoReturn:
    from difflib import get_close_matches

    names = [n for n in (*loss._operands[2:], *loss._options) if n not in _REFUSED]
    close = get_close_matches(name, names, 1)
    raise TypeError(
        f"{loss.__name__} has no option {name!r}; "
        + (f"did you mean {close[0]!r}? The" if close else "the")
        + f" options are {', '.join(names)}"
    )
