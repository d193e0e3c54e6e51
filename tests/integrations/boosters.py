"""What the tests of the three boosters share: data that scikit-learn ships, and trees compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

Array = np.ndarray[Any, Any]
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
#: Leaves of built-in objectives and of ours may differ by this.
LEAF = 1e-5


@cache
def data(kind: str) -> tuple[Array, Array]:
    """Features and labels: amounts, counts, two classes, their probabilities, ten or three."""
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris

    if kind in ("amount", "count"):
        X, y = load_diabetes(return_X_y=True)
        return X, y / 100 if kind == "amount" else np.round(y / 10)
    if kind in ("binary", "probability"):
        X, y = load_breast_cancer(return_X_y=True)
        return X, y.astype(float) if kind == "binary" else 0.1 + 0.8 * y
    load = load_digits if kind == "digits" else load_iris
    X, y = load(return_X_y=True)
    return X, y.astype(float)


def weights(y: Array, weighted: bool) -> Array | None:
    return np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None


@dataclass(frozen=True)
class Builtin:
    """A built-in objective, and the loss that it is."""

    name: str
    loss: str
    data: str = "amount"
    options: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)  # of the built-in objective
    both: dict[str, Any] = field(default_factory=dict)  # of both
    start: float | None = None  # what ours starts from

    def __str__(self) -> str:
        return self.name


#: Losses that boosters lack, or have in another form, as they are used: data, options.
MORE: list[tuple[str, str, dict[str, Any]]] = [
    ("huber_loss", "amount", {"delta": 0.5}),
    ("expectile_loss", "amount", {"q": 0.8}),
    ("pseudo_huber_loss", "amount", {"delta": 0.5}),
    ("log_cosh_loss", "amount", {}),
    ("cauchy_loss", "amount", {"c": 0.5}),
    ("l1_loss", "amount", {}),
    ("quantile_loss", "amount", {"q": 0.9}),
    ("sigmoid_focal_loss", "binary", {"alpha": None, "gamma": 2.0}),
    ("squared_hinge_loss", "binary", {}),
    ("exponential_loss", "binary", {}),
    ("softmax_focal_loss", "iris", {"gamma": 1.0}),
    ("generalized_cross_entropy_loss", "iris", {"q": 0.4}),
    ("cross_entropy", "iris", {"label_smoothing": 0.05}),
    ("brier_loss", "iris", {}),
]
LOSS = pytest.mark.parametrize(
    ("loss", "kind", "options"), MORE, ids=[f"{loss}" for loss, _, _ in MORE]
)


def split(kind: str) -> tuple[Array, Array, Array, Array]:
    """Features and labels to train on, and to test with."""
    from sklearn.model_selection import train_test_split

    X, y = data(kind)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    return train, y_train, test, y_test


def same_tables(ours: Any, theirs: Any, feature: str, threshold: str, leaf: str) -> None:
    """Tables of trees: structure and splits alike, and leaves up to `LEAF`."""
    assert len(ours) == len(theirs) > 40
    assert (ours[feature].fillna("") == theirs[feature].fillna("")).all()
    np.testing.assert_allclose(ours[threshold].fillna(0), theirs[threshold].fillna(0), rtol=1e-9)
    at_leaf = theirs[threshold].isna()
    np.testing.assert_allclose(ours[leaf][at_leaf], theirs[leaf][at_leaf], rtol=LEAF, atol=LEAF)
