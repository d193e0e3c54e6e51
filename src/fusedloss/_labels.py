"""Labels as tables have them, made what losses take: numbers of classes, times and events."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fusedloss._core.foreign import is_masked
from fusedloss._core.operands import operand
from fusedloss._core.types import Array

#: Integers within so wide a range are counted rather than sorted.
_RANGE = 1 << 16
#: The types of labels.
_KINDS = (str, bytes, bool, int, float, np.integer, np.bool_, np.floating)


def _plain(name: str, labels: Any) -> Array:
    """Labels as an array of one dimension without nulls."""
    if is_masked(labels):
        raise TypeError(f"{name}: masked arrays are not accepted; leave these rows out")
    array = np.asarray(labels)
    if array.dtype.kind in "US" and not isinstance(labels, np.ndarray):
        array = np.asarray(labels, dtype=object)  # or a null is a string, too
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: labels of shape (n,) are needed, got shape {array.shape}")
    bad: Any = ()
    if array.dtype.kind == "O":
        kinds = set(map(type, array.tolist()))
        if not all(issubclass(kind, _KINDS) for kind in kinds):
            bad = [k for k, label in enumerate(array.tolist()) if not isinstance(label, _KINDS)]
        elif len({issubclass(kind, (str, bytes)) for kind in kinds}) > 1:
            at = [isinstance(label, (str, bytes)) for label in array.tolist()]
            odd = array[at.index(not at[0])]
            if odd == odd:
                raise ValueError(f"{name}: {array[0]!r} and {odd!r} cannot both be labels")
            bad = [at.index(not at[0])]
        else:
            array = np.array(array.tolist())
    elif array.dtype.kind not in "biufUST":
        raise TypeError(f"{name}: labels are numbers, booleans or strings; got dtype {array.dtype}")
    if array.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise ValueError(
            f"{name}: the label at [{bad[0]}] is {array[bad[0]]}, a null; fill or drop these rows"
        )
    return array


def _found(array: Array) -> tuple[Array, Array]:
    """The different labels, sorted, and the number of each one's place among them."""
    if array.dtype.kind in "biu":
        if array.dtype != np.uint64:  # differences of narrow integers would overflow
            array = array.astype(np.int64, copy=False)
        low = array.min()
        if int(array.max()) - int(low) < _RANGE:
            shifted = (array - low if low else array).astype(np.intp, copy=False)
            found = np.bincount(shifted) > 0
            places = np.cumsum(found) - 1
            classes = np.flatnonzero(found).astype(array.dtype) + low
            return classes, shifted if found.all() else places[shifted]
    if array.dtype.kind in "UST":  # sorting all of them takes long
        labels = array.tolist()
        classes = np.array(sorted(set(labels)))
        return classes, _places(labels, classes)
    return np.unique(array, return_inverse=True)


def _places(labels: list[Any], classes: Array) -> Array:
    """The place of each label among the classes; -1 for none."""
    place = {label: k for k, label in enumerate(classes.tolist())}
    return np.fromiter((place.get(label, -1) for label in labels), np.intp, len(labels))


def codes(
    name: str, y: Any, labels: Any, count: int, *, one_is_enough: bool = False
) -> tuple[Array, Array]:
    """The number of each label's class, and the classes; there must be `count` of them, or all
    labels be named."""
    array = _plain(name, y)
    if labels is None:
        classes, numbers = _found(array)
        if len(classes) != count and not (one_is_enough and len(classes) == 1):
            raise ValueError(
                f"{name}: {len(classes)} different labels for {count} classes; name all of them by "
                f"labels=..., found are {_listed(classes)}"
            )
        return numbers, classes
    classes = np.unique(_plain("labels", labels))
    if len(classes) != count:
        raise ValueError(f"labels: {count} different ones are needed, got {_listed(classes)}")
    if array.dtype.kind in "UST" or classes.dtype.kind in "UST":
        numbers = _places(array.tolist(), classes)
        strange = numbers < 0
    else:
        numbers = np.minimum(np.searchsorted(classes, array), count - 1)
        strange = classes[numbers] != array
    if strange.any():
        label = array[np.argmax(strange)].item()
        raise ValueError(f"{name}: {label!r} is none of the labels, {_listed(classes)}")
    return numbers, classes


def is_positive(name: str, y: Any, pos_label: Any) -> Array:
    """Which of labels of two classes are the positive one, by scikit-learn's rule."""
    array = _plain(name, y)
    classes, numbers = _found(array)
    if len(classes) > 2:
        raise ValueError(
            f"{name}: labels of two classes are needed, found are {_listed(classes)}; more take "
            "y_proba with a column for each class"
        )
    if pos_label is None:
        if array.dtype.kind in "UST":
            raise ValueError(f"pos_label: needed for labels that are strings, {_listed(classes)}")
        of_signs = {int(c) if c == int(c) else None for c in classes.tolist()}
        usual = any(of_signs <= {low, 1} for low in (0, -1))
        pos_label = 1 if usual else classes[-1]
    elif pos_label not in classes.tolist():
        raise ValueError(f"pos_label: {pos_label!r} is none of the labels, {_listed(classes)}")
    positive: Array = (classes == pos_label)[numbers]
    return positive


def _listed(classes: Array) -> str:
    shown = ", ".join(repr(c) for c in classes.tolist()[:10])
    return shown + (", ..." if len(classes) > 10 else "")


# ---- a label for each score ---------------------------------------------------------------


def in_shape(labels: Array, shape: tuple[int, ...], loss: str) -> Array:
    """Labels in the shape of the scores."""
    if labels.shape == shape:
        return labels
    if labels.size != int(np.prod(shape)):
        raise ValueError(
            f"{loss}: scores of shape {shape} and labels of shape {labels.shape} do not fit; this "
            "loss takes a label for each score, so the number of classes is to be left at its "
            "default, 1"
        )
    return labels.reshape(shape)


def first_bad(bad: Array, labels: Array) -> str:
    """Where the first bad label is, and which."""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"the label at {list(at)} is {labels[at]}"


def whole_numbers(labels: Array, name: str = "labels") -> Array:
    """Class numbers as integers."""
    if labels.dtype.kind in "biu":
        return labels
    with np.errstate(invalid="ignore"):
        whole = labels.astype(np.int32)
    if not np.array_equal(whole, labels):
        raise ValueError(
            f"{name}: class numbers are needed, whole numbers from 0 on; "
            + first_bad(whole != labels, labels)
        )
    return whole


# ---- times ------------------------------------------------------------------------------


class Bounds(NamedTuple):
    """Two times for each row, between which something happened."""

    lower: Any
    upper: Any


def times_of(given: Any, shape: tuple[int, ...], loss: str) -> tuple[Array, Array]:
    """Times, and whether something happened then: of labels that are negative where not."""
    labels = operand("labels", given)[0]
    if len(shape) != 1:
        raise ValueError(f"{loss}: one score for each row is needed, got scores of shape {shape}")
    labels = in_shape(labels, shape, loss)
    if labels.dtype.kind != "f":
        labels = labels.astype(np.float64)
    times = np.abs(labels)
    with np.errstate(invalid="ignore"):
        good = (times > 0) & (times < np.inf)
    if not good.all():
        raise ValueError(
            "labels: times are needed, negative where they are right-censored, neither 0 nor "
            "infinite; " + first_bad(~good, labels)
        )
    return times, labels > 0


def bounds_of(given: Any, shape: tuple[int, ...], loss: str) -> Bounds:
    """Lower and upper bounds of times, of such labels or of bounds."""
    if not isinstance(given, Bounds):
        times, events = times_of(given, shape, loss)
        return Bounds(times, np.where(events, times, np.inf).astype(times.dtype, copy=False))
    lower, upper = (operand(n, v)[0] for n, v in zip(("lower", "upper"), given, strict=True))
    rows = int(np.prod(shape))
    for name, bound in (("lower", lower), ("upper", upper)):
        if bound.size != rows:
            raise ValueError(
                f"{name}: one for each of {rows} rows is needed, got shape {bound.shape}"
            )
    return Bounds(lower.reshape(shape), upper.reshape(shape))


def steps_of(given: Any, rows: int, loss: str, most: int | None = None) -> tuple[Array, Array]:
    """Numbers of steps from 0 on, and whether something happened in them: of labels that count
    from 1, to `most`, and are negative where not."""
    times, events = times_of(given, (rows,), loss)
    steps = whole_numbers(times)
    if most is not None and steps.max(initial=0) > most:
        raise ValueError(
            f"labels: numbers of steps from 1 to {most} are needed, negative where they are "
            f"censored; {first_bad(steps > most, np.where(events, steps, -steps))}"
        )
    return steps - 1, events
