"""Survival data that scikit-survival ships, for the tests of boosters and of linear models."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

Array = np.ndarray[Any, Any]


class Survival(NamedTuple):
    """Features, times in days, whether the event was seen, and labels as boosters take them."""

    X: Array
    time: Array
    event: Array

    @property
    def labels(self) -> Array:
        """Times, negative where they are right-censored."""
        return np.where(self.event, self.time, -self.time)

    def take(self, rows: Any) -> Survival:
        return Survival(*(part[rows] for part in self))

    def halves(self) -> tuple[Survival, Survival]:
        """Rows to train on, and to test with."""
        chosen = np.random.default_rng(0).permutation(len(self.time)) < 0.6 * len(self.time)
        return self.take(chosen), self.take(~chosen)

    def concordance(self, risk: Array) -> float:
        from sksurv.metrics import concordance_index_censored

        return float(concordance_index_censored(self.event, self.time, risk)[0])


@cache
def whas500() -> Survival:
    """Heart attacks of the Worcester study: 500 rows, 215 deaths, many ties."""
    sets = pytest.importorskip("sksurv.datasets")
    X, y = sets.load_whas500()
    return Survival(X.to_numpy(float), y["lenfol"].astype(float), y["fstat"].astype(bool))


@cache
def gbsg2() -> Survival:
    """Breast cancer, German study group 2: 686 rows, 299 recurrences."""
    sets = pytest.importorskip("sksurv.datasets")
    X, y = sets.load_gbsg2()
    for name in ("horTh", "menostat", "tgrade"):
        X[name] = X[name].astype(str).rank(method="dense")
    return Survival(X.to_numpy(float), y["time"].astype(float), y["cens"].astype(bool))


def untied(data: Survival) -> Survival:
    """The same with times that are all different, in float32 too, in the order of the rows."""
    rank = np.argsort(np.argsort(data.time, kind="stable"))
    return data._replace(time=data.time + 1e-3 * rank)
