"""One round of an objective, NumPy's and ours: python -m bench.integrations_boosting.

First the objectives alone, on arrays that stay. Then within boosters, where scores, labels and
memory come as they do in training; the boosters' own objectives cannot be called from Python, so
whole rounds are compared, with the smallest trees there are: of one split, of one feature of two
values. The alternatives take turns, and each has its shortest time: that of the CPU, on one thread.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import process_time
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


class Cox:
    """Of times that are all different, sorted once."""

    def __init__(self, labels: Array) -> None:
        self.order = np.argsort(-np.abs(labels))
        self.event = labels[self.order] > 0

    def __call__(self, scores: Array, data: Data) -> tuple[Array, Array]:
        risk = np.exp(scores[self.order].astype(np.float64))
        inverse = np.where(self.event, 1 / np.cumsum(risk), 0.0)
        first = np.cumsum(inverse[::-1])[::-1]
        second = np.cumsum((inverse**2)[::-1])[::-1]
        grad, hess = np.empty_like(risk), np.empty_like(risk)
        grad[self.order] = risk * first - self.event
        hess[self.order] = risk * first - risk**2 * second
        return grad, np.maximum(hess, 1e-16)


def aft(scores: Array, data: Data) -> tuple[Array, Array]:
    """Normal, of the scale 1, censored on the right."""
    from scipy.special import log_ndtr

    labels = data.get_label()
    z = np.log(np.abs(labels)) - scores
    slope = np.exp(-0.5 * z**2 - log_ndtr(-z)) / np.sqrt(2 * np.pi)
    grad = np.where(labels > 0, -z, -slope)
    hess = np.where(labels > 0, 1.0, slope * (slope - z))
    return grad, np.maximum(hess, 1e-16)


def ordinal(scores: Array, data: Data, thresholds: Any = (-1.0, 0.0, 1.0, 2.0)) -> Any:
    ends = np.concatenate([[-np.inf], thresholds, [np.inf]])
    grades = data.get_label().astype(np.int64)
    low = 1 / (1 + np.exp(scores - ends[grades]))
    high = 1 / (1 + np.exp(scores - ends[grades + 1]))
    return 1 - low - high, low * (1 - low) + high * (1 - high)


def counts(scores: Array, data: Data, dispersion: float = 0.5) -> tuple[Array, Array]:
    y, mean = data.get_label(), np.exp(scores)
    below = 1 + dispersion * mean
    return (mean - y) / below, np.maximum(mean * (1 + dispersion * y) / below**2, 1e-16)


# ---- times ------------------------------------------------------------------------------------


def in_turns(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """The shortest time of each, in milliseconds."""
    best = dict.fromkeys(calls, float("inf"))
    gc.disable()
    for k in range(rounds + 1):
        for name, call in calls.items():
            start = process_time()
            call()
            if k:
                best[name] = min(best[name], 1e3 * (process_time() - start))
    gc.enable()
    return best


def line(name: str, times: dict[str, float], ours: str = "fusedloss") -> None:
    cells = [f"{key} {value:7.2f} ms" for key, value in times.items()]
    cells += [
        f"{key} / {ours} {value / times[ours]:5.2f}" for key, value in times.items() if key != ours
    ]
    print(f"{name:<44}", "  ".join(cells), flush=True)


def check(ours: Any, numpys: Any, scores: Array, data: Data) -> None:
    for a, b in zip(ours(scores, data), numpys(scores, data), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5)


def objectives(rounds: int) -> None:
    rng = np.random.default_rng(0)
    many, some, classes = 10_000_000, 1_000_000, 10
    flat = rng.normal(size=many).astype(np.float32)
    labels = (rng.random(many) < 0.4).astype(np.float32)
    weight = rng.uniform(0.5, 2, many).astype(np.float32)
    wide = flat.reshape(some, classes)
    numbers = rng.integers(0, classes, some).astype(np.float32)
    xgb, lgb = fl.boosting.xgboost, fl.boosting.lightgbm
    bce = "binary_cross_entropy_with_logits"
    cases: list[tuple[str, Any, Any, Array, Data]] = []
    for text, n in (("1e6", some), ("1e7", many)):
        x, t, w = flat[:n], labels[:n], weight[:n]
        cases += [
            (f"XGBoost, binary, {text}", xgb(bce), binary, x, Data(t)),
            (f"XGBoost, binary, weights, {text}", xgb(bce), weighted_binary, x, Data(t, w)),
            (f"XGBoost, Huber, {text}", xgb("huber_loss"), huber, x, Data(t)),
            (f"XGBoost, focal, {text}", xgb("sigmoid_focal_loss", alpha=None), focal, x, Data(t)),
            (f"LightGBM, binary, {text}", lgb(bce), binary, x.astype(np.float64), Data(t)),
        ]
    for text, n in (("2e5 x 10", some // 5), ("1e6 x 10", some)):
        x, t, w = wide[:n], numbers[:n], weight[:n]
        cases += [
            (f"XGBoost, softmax, {text}", xgb("cross_entropy"), softmax, x, Data(t)),
            (
                f"XGBoost, softmax, weights, {text}",
                xgb("cross_entropy"),
                weighted_softmax,
                x,
                Data(t, w),
            ),
            (
                f"LightGBM, softmax, {text}",
                lgb("cross_entropy"),
                lambda s, d: softmax(s, d, classes / (classes - 1)),
                np.asfortranarray(x.astype(np.float64)),
                Data(t),
            ),
        ]
    for name, ours, numpys, scores, data in cases:
        check(ours, numpys, scores, data)
        times = in_turns(
            {
                "NumPy": lambda numpys=numpys, s=scores, d=data: numpys(s, d),
                "fusedloss": lambda ours=ours, s=scores, d=data: ours(s, d),
            },
            rounds,
        )
        line(name, times)


class Timed:
    """An objective that keeps its shortest time, but for the first call."""

    def __init__(self, objective: Any) -> None:
        self._objective, self.calls, self.best = objective, 0, float("inf")

    def __call__(self, scores: Array, data: Any) -> Any:
        start = process_time()
        result = self._objective(scores, data)
        self.calls += 1
        if self.calls > 1:
            self.best = min(self.best, 1e3 * (process_time() - start))
        return result


def compare(
    name: str, steps: dict[str, Callable[[Any], Any]], both: list[Any], rounds: int
) -> None:
    """Rounds of boosters by name: one step takes an objective, or None for the booster's own."""
    timed = dict(zip(("NumPy", "fusedloss"), map(Timed, both), strict=True))
    calls = {key: lambda step=step, key=key: step(timed.get(key)) for key, step in steps.items()}
    times = in_turns(calls, rounds)
    line(f"{name}: objectives", {key: one.best for key, one in timed.items()})
    line(f"{name}: whole rounds", times)


#: Of a case: its name, the loss, its options, NumPy's form, and the built-in objectives of
#: XGBoost and LightGBM, if they have one.
AFT: dict[str, Any] = {"distribution": "normal", "scale": 1.0}
CASES: list[tuple[str, str, dict[str, Any], Any, str | None, str | None]] = [
    *(
        ("binary", "binary_cross_entropy_with_logits", {}, binary, "binary:logistic", "binary"),
        ("softmax", "cross_entropy", {}, softmax, "multi:softprob", "multiclass"),
        ("Cox", "cox_ph_loss", {"ties": "breslow"}, Cox, "survival:cox", None),
        ("AFT", "aft_loss", AFT, aft, "survival:aft", None),
        ("ordinal", "ordinal_loss", {"thresholds": [-1.0, 0.0, 1.0, 2.0]}, ordinal, None, None),
    ),
    (
        "negative binomial (built-in: Poisson)",
        *("negative_binomial_nll_loss", {"dispersion": 0.5}, counts, "count:poisson", "poisson"),
    ),
]


def labels_for(loss: str, rows: int, classes: int) -> Array:
    rng = np.random.default_rng(0)
    if loss in ("cox_ph_loss", "aft_loss"):
        times = np.linspace(0.5, 8.0, rows)[rng.permutation(rows)]
        return np.where(rng.random(rows) < 0.6, times, -times).astype(np.float32)
    if loss == "ordinal_loss":
        return rng.integers(0, 5, rows).astype(np.float32)
    if loss == "negative_binomial_nll_loss":
        return rng.negative_binomial(2, 0.5, rows).astype(np.float32)
    return rng.integers(0, max(classes, 2), rows).astype(np.float32)


def within_boosters(rounds: int) -> None:
    import lightgbm
    import xgboost

    rng = np.random.default_rng(0)
    for name, loss, options, numpys, of_xgboost, of_lightgbm in CASES:
        classes = 10 if loss == "cross_entropy" else 1
        n = 200_000 if classes > 1 else 1_000_000
        name = f"{name}, {n:,} rows" + (f" x {classes}" if classes > 1 else "")
        feature = rng.integers(0, 2, (n, 1)).astype(np.float32)
        labels = labels_for(loss, n, classes)
        numpys = numpys(labels) if numpys is Cox else numpys
        several = {"num_class": classes} if classes > 1 else {}
        matrix = xgboost.QuantileDMatrix(feature, labels, nthread=1)
        if loss == "aft_loss":
            matrix.set_float_info("label_lower_bound", np.abs(labels))
            matrix.set_float_info("label_upper_bound", np.where(labels > 0, labels, np.inf))

        def xgb_step(objective: str, matrix: Any = matrix, more: Any = several) -> Any:
            params = {"max_depth": 1, "nthread": 1, "base_score": 0.5, "objective": objective}
            booster = xgboost.Booster(params | more, [matrix])
            return lambda function: booster.update(matrix, 0, function)

        steps = {"NumPy": xgb_step("reg:squarederror"), "fusedloss": xgb_step("reg:squarederror")}
        if of_xgboost:
            steps["built-in"] = xgb_step(of_xgboost)
        ours: Any = fl.boosting.xgboost(loss, **options)
        scores = rng.normal(size=(n, classes) if classes > 1 else n).astype(np.float32)
        check(ours, numpys, scores, Data(labels))
        compare(f"XGBoost, {name}", steps, [numpys, ours], rounds)

        def lgb_step(objective: str, X: Any = feature, y: Any = labels, more: Any = several) -> Any:
            params = {"num_leaves": 2, "num_threads": 1, "verbosity": -1, "objective": objective}
            booster = lightgbm.Booster(params | more, lightgbm.Dataset(X, y))
            return lambda function: booster.update(fobj=function)

        steps = {"NumPy": lgb_step("none"), "fusedloss": lgb_step("none")}
        if of_lightgbm:
            steps["built-in"] = lgb_step(of_lightgbm)
        ours = fl.boosting.lightgbm(loss, **options)
        compare(f"LightGBM, {name}", steps, [numpys, ours], rounds)


if __name__ == "__main__":
    fl.set_num_threads(1)
    objectives(10)
    within_boosters(15)
