"""One round of an objective: NumPy's, ours, the booster's own: python -m bench.integrations_boosting.

Each line is of one run, the alternatives in turns, each with its shortest time; on one thread. The
booster's own objectives cannot be called from Python, so whole rounds with the smallest trees there
are, of one feature and one split, are compared as well.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import fusedloss as fl

Array = np.ndarray[Any, Any]


class Data:
    """Labels and weights as a booster's data set has them."""

    def __init__(self, labels: Array, weight: Any = None) -> None:
        self._labels, self._weight = labels, weight

    def get_label(self) -> Array:
        return self._labels

    def get_weight(self) -> Any:
        return self._weight


# ---- as users write them ------------------------------------------------------------------


def binary(scores: Array, data: Data) -> tuple[Array, Array]:
    p = 1 / (1 + np.exp(-scores))
    return p - data.get_label(), np.maximum(p * (1 - p), 1e-16)


def weighted_binary(scores: Array, data: Data) -> tuple[Array, Array]:
    grad, hess = binary(scores, data)
    w = data.get_weight()
    return grad * w, hess * w


def huber(scores: Array, data: Data) -> tuple[Array, Array]:
    d = scores - data.get_label()
    return np.clip(d, -1, 1), np.maximum(np.where(np.abs(d) < 1, 1, 0), 1e-16)


def focal(scores: Array, data: Data, gamma: float = 2.0) -> tuple[Array, Array]:
    s = 2 * data.get_label() - 1
    q = 1 / (1 + np.exp(s * scores))  # 1 - p of the row's class
    p = 1 - q
    log = np.log(np.maximum(p, 1e-30))
    grad = s * q**gamma * (gamma * p * log - q)
    hess = p * q**gamma * (q + gamma * (2 * q + (q - gamma * p) * log))
    return grad, np.maximum(hess, 1e-16)


def softmax(scores: Array, data: Data, scale: float = 2.0) -> tuple[Array, Array]:
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    hess = np.maximum(scale * p * (1 - p), 1e-16)
    p[np.arange(len(p)), data.get_label().astype(np.int64)] -= 1
    return p, hess


def weighted_softmax(scores: Array, data: Data) -> tuple[Array, Array]:
    grad, hess = softmax(scores, data)
    w = data.get_weight()[:, np.newaxis]
    return grad * w, hess * w


# ---- times ------------------------------------------------------------------------------------


def in_turns(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The shortest time of each, in milliseconds."""
    best = dict.fromkeys(calls, float("inf"))
    gc.disable()
    for k in range(rounds + 1):
        for name, call in calls.items():
            start = perf_counter()
            call()
            if k:
                best[name] = min(best[name], 1e3 * (perf_counter() - start))
    gc.enable()
    return best


def line(name: str, times: dict[str, float], ours: str = "fusedloss") -> None:
    cells = [f"{key} {value:7.2f} ms" for key, value in times.items()]
    cells += [
        f"{key} / {ours} {value / times[ours]:5.2f}" for key, value in times.items() if key != ours
    ]
    print(f"{name:<44}", "  ".join(cells), flush=True)


def objectives(rounds: int) -> None:
    rng = np.random.default_rng(0)
    n, rows, classes = 1_000_000, 200_000, 10
    flat = rng.normal(size=n).astype(np.float32)
    labels = (rng.random(n) < 0.4).astype(np.float32)
    weight = rng.uniform(0.5, 2, n).astype(np.float32)
    wide = rng.normal(size=(rows, classes)).astype(np.float32)
    numbers = rng.integers(0, classes, rows).astype(np.float32)
    plain, weighted = Data(labels), Data(labels, weight)
    of_rows, of_weighted_rows = Data(numbers), Data(numbers, weight[:rows])
    fortran = np.asfortranarray(wide.astype(np.float64))
    xgb, lgb = fl.boosting.xgboost, fl.boosting.lightgbm
    bce = "binary_cross_entropy_with_logits"
    cases: list[tuple[str, Any, Any, Array, Data]] = [
        ("XGBoost, binary, 1e6 rows", xgb(bce), binary, flat, plain),
        ("XGBoost, binary, weights", xgb(bce), weighted_binary, flat, weighted),
        ("XGBoost, Huber, 1e6 rows", xgb("huber_loss"), huber, flat, plain),
        (
            "XGBoost, focal, 1e6 rows",
            xgb("sigmoid_focal_loss", alpha=None),
            focal,
            flat,
            plain,
        ),
        ("XGBoost, softmax, 200,000 x 10", xgb("cross_entropy"), softmax, wide, of_rows),
        (
            "XGBoost, softmax, weights",
            xgb("cross_entropy"),
            weighted_softmax,
            wide,
            of_weighted_rows,
        ),
        ("LightGBM, binary, 1e6 rows", lgb(bce), binary, flat.astype(np.float64), plain),
        (
            "LightGBM, softmax, 200,000 x 10",
            lgb("cross_entropy"),
            lambda s, d: softmax(s, d, classes / (classes - 1)),
            fortran,
            of_rows,
        ),
    ]
    for name, ours, numpys, scores, data in cases:
        for a, b in zip(ours(scores, data), numpys(scores, data), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5)
        times = in_turns(
            {
                "NumPy": lambda numpys=numpys, s=scores, d=data: numpys(s, d),
                "fusedloss": lambda ours=ours, s=scores, d=data: ours(s, d),
            },
            rounds,
        )
        line(name, times)


def whole_rounds(rounds: int) -> None:
    """With trees of one split, of one feature of two values."""
    import lightgbm
    import xgboost

    rng = np.random.default_rng(0)
    for name, loss, builtin, n, classes in (
        ("binary, 1e6 rows", "binary_cross_entropy_with_logits", "binary", 1_000_000, 1),
        ("softmax, 200,000 x 10", "cross_entropy", "multiclass", 200_000, 10),
    ):
        feature = rng.integers(0, 2, (n, 1)).astype(np.float32)
        labels = rng.integers(0, max(classes, 2), n).astype(np.float32)
        params: dict[str, Any] = {"max_depth": 1, "nthread": 1, "base_score": 0.0, "eta": 0.01}
        lean: dict[str, Any] = {"num_leaves": 2, "num_threads": 1, "verbosity": -1}
        if classes > 1:
            params["num_class"] = lean["num_class"] = classes
        of_xgboost = "binary:logistic" if classes == 1 else "multi:softprob"
        matrix = xgboost.QuantileDMatrix(feature, labels, nthread=1)
        start = {"base_score": 0.5}
        theirs = xgboost.Booster(params | start | {"objective": of_xgboost}, [matrix])
        ours = xgboost.Booster(params, [matrix])
        objective = fl.boosting.xgboost(loss)
        numpys = binary if classes == 1 else softmax
        third = xgboost.Booster(params, [matrix])
        counts = {"theirs": 0, "ours": 0, "third": 0}

        def step(
            booster: Any, key: str, counts: Any = counts, matrix: Any = matrix, **more: Any
        ) -> None:
            booster.update(matrix, counts[key], **more)
            counts[key] += 1

        times = in_turns(
            {
                "NumPy": lambda: step(third, "third", fobj=numpys),  # noqa: B023
                "built-in": lambda: step(theirs, "theirs"),  # noqa: B023
                "fusedloss": lambda: step(ours, "ours", fobj=objective),  # noqa: B023
            },
            rounds,
        )
        line(f"XGBoost, a whole round, {name}", times)
        sets = [lightgbm.Dataset(feature, labels, free_raw_data=False) for _ in range(3)]
        mine = fl.boosting.lightgbm(loss)
        boosters = [
            lightgbm.Booster(lean | {"objective": what}, data)
            for what, data in zip((builtin, "none", "none"), sets, strict=True)
        ]
        times = in_turns(
            {
                "NumPy": lambda: boosters[2].update(fobj=numpys),  # noqa: B023
                "built-in": lambda: boosters[0].update(),  # noqa: B023
                "fusedloss": lambda: boosters[1].update(fobj=mine),  # noqa: B023
            },
            rounds,
        )
        line(f"LightGBM, a whole round, {name}", times)


if __name__ == "__main__":
    fl.set_num_threads(1)
    objectives(20)
    whole_rounds(20)
