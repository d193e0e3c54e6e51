"""Labels of classes, as tables have them: numbers, booleans or strings, as numbers from 0 on."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusedloss._core.types import Array

#: Integers within so wide a range are counted rather than sorted.
_RANGE = 1 << 16
#: The types of labels.
_KINDS = (str, bytes, bool, int, float, np.integer, np.bool_, np.floating)


def _plain(name: str, labels: Any) -> Array:
    """Labels as an array of one dimension without nulls."""
    if isinstance(labels, np.ma.MaskedArray):
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
