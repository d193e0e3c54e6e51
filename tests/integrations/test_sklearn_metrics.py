"""Metrics beside scikit-learn's, and scorers in its searches."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.metrics as theirs
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fusedloss as fl
from fusedloss import metrics as ours

Array = np.ndarray[Any, Any]
REGRESSION: list[tuple[str, dict[str, Any]]] = [
    ("mean_squared_error", {}),
    ("root_mean_squared_error", {}),
    ("mean_absolute_error", {}),
    ("mean_absolute_percentage_error", {}),
    ("mean_squared_log_error", {}),
    ("root_mean_squared_log_error", {}),
    ("mean_pinball_loss", {"alpha": 0.5}),
    ("mean_pinball_loss", {"alpha": 0.9}),
    ("d2_pinball_score", {"alpha": 0.5}),
    ("d2_pinball_score", {"alpha": 0.25}),
    ("d2_absolute_error_score", {}),
]
DEVIANCES: list[tuple[str, dict[str, Any]]] = [
    ("mean_poisson_deviance", {}),
    ("mean_gamma_deviance", {}),
    *(("mean_tweedie_deviance", {"power": p}) for p in (-1.5, 0, 1, 1.5, 2, 2.5, 3)),
    *(("d2_tweedie_score", {"power": p}) for p in (-1.5, 0, 1, 1.5, 2, 3)),
]


def same(name: str, *args: Any, **options: Any) -> None:
    got = getattr(ours, name)(*args, **options)
    expected = getattr(theirs, name)(*args, **options)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
    assert type(got) is type(expected) or isinstance(got, float)


def weights(n: int) -> list[Any]:
    w = np.random.default_rng(9).uniform(0.5, 2, n)
    whole = np.random.default_rng(10).integers(0, 4, n)
    return [None, w, whole, w.astype(np.float32)]


def test_all_of_the_names_are_theirs() -> None:
    own = {"Metric", "metric", "ndcg", "scorer"}  # ndcg_score has no groups
    for name in set(ours.__all__) - own:
        assert callable(getattr(theirs, name)) and getattr(ours, name).__doc__


# ---- regression ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 3), (2,), (3, 2)])
@pytest.mark.parametrize(("name", "options"), REGRESSION, ids=str)
def test_regression(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.gamma(2.0, size=(2, *shape))
    columns = 1 if len(shape) == 1 else shape[1]
    multioutput: list[Any] = ["uniform_average", "raw_values"]
    if columns > 1:
        multioutput.append(rng.uniform(size=columns))
    for weight, of in itertools.product(weights(shape[0]), multioutput):
        if weight is not None and not weight.any():
            continue
        same(name, true, predicted, sample_weight=weight, multioutput=of, **options)
    same(name, true.round(), predicted.round(), **options)
    same(name, true.round().astype(int), predicted.round().astype(int), **options)
    same(name, true, true, **options)
    same(name, true.tolist(), predicted.tolist(), **options)
    if columns > 1:
        same(name, np.asfortranarray(true), predicted, multioutput="raw_values", **options)
    if columns == 1:
        same(name, true.reshape(-1, 1), predicted.ravel(), **options)
        same(name, true * 0 + 1, predicted, **options)  # nothing to explain


@pytest.mark.parametrize(("name", "options"), DEVIANCES, ids=str)
def test_deviances(name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    true, predicted = rng.gamma(2.0, size=(2, 80)) + 0.01
    power = options.get("power", 2 if "gamma" in name else 1)
    if power < 2 and power != 0:
        true[::4] = 0
    if power <= 0:
        true[::3] *= -1
    for weight in weights(80):
        same(name, true, predicted, sample_weight=weight, **options)
    same(name, true[:, np.newaxis], predicted, **options)
    if power < 2:
        counts = rng.poisson(2.0, 80)
        same(name, counts, predicted, **options)


def test_float32() -> None:
    true, predicted = np.random.default_rng(2).gamma(2.0, size=(2, 500)).astype(np.float32)
    for name, options in [*REGRESSION, *DEVIANCES]:
        got = getattr(ours, name)(true, predicted, **options)
        wide = getattr(theirs, name)(true.astype(float), predicted.astype(float), **options)
        assert got == pytest.approx(wide, rel=1e-5, abs=1e-6)


# ---- classification ------------------------------------------------------------------------------


def labelled(classes: int, n: int = 60) -> tuple[Array, Array]:
    rng = np.random.default_rng(classes)
    codes = np.concatenate([np.arange(classes), rng.integers(0, classes, n - classes)])
    p = rng.dirichlet(np.ones(classes), n)
    return codes, p


NAMES = {
    "integers": lambda codes: codes,
    "others": lambda codes: codes * 3 - 4,
    "huge": lambda codes: codes * 10**6 - 5 * 10**5,
    "floats": lambda codes: codes * 2.0 + 1,
    "strings": lambda codes: np.array([f"class {k}" for k in "dacb"])[codes],
    "objects": lambda codes: np.array([f"class {k}" for k in "dacb"], object)[codes],
    "small": lambda codes: codes.astype(np.uint8),
}
KIND = pytest.mark.parametrize("kind", NAMES)
OF_CLASSES = ("log_loss", "d2_log_loss_score", "brier_score_loss", "d2_brier_score")


@KIND
@pytest.mark.parametrize("classes", (2, 3, 4))
@pytest.mark.parametrize("name", OF_CLASSES)
def test_probabilities_of_classes(name: str, classes: int, kind: str) -> None:
    codes, p = labelled(classes)
    y = NAMES[kind](codes)
    for weight in weights(len(y)):
        same(name, y, p, sample_weight=weight)
    same(name, y, np.eye(classes)[codes[::-1]])  # 0 and 1
    labels = np.unique(y)
    same(name, y, p, labels=labels)
    few = codes != classes - 1
    if few.any() and classes > 2:
        same(name, y[few], p[few], labels=labels)
    if name == "brier_score_loss":
        for half in (True, False, "auto"):
            same(name, y, p, scale_by_half=half)


@KIND
@pytest.mark.parametrize("name", OF_CLASSES)
def test_probabilities_of_two(name: str, kind: str) -> None:
    codes, p = labelled(2)
    y, p = NAMES[kind](codes), p[:, 1]
    p[[3, 7]] = [0, 1]
    brier = "brier" in name
    strings = kind in ("strings", "objects")
    options = {"pos_label": np.unique(y)[1]} if brier and strings else {}
    for weight in weights(len(y)):
        same(name, y, p, sample_weight=weight, **options)
    same(name, y, p[:, np.newaxis], **options)
    same(name, y, (p > 0.5).astype(int), **options)
    if brier:
        same(name, y, p, pos_label=np.unique(y)[0])
        if strings:
            with pytest.raises(ValueError, match="pos_label: needed for labels that are strings"):
                getattr(ours, name)(y, p)
    else:
        same(name, y, p, labels=np.unique(y))
        same(
            name, y[codes == 1], p[codes == 1], labels=np.unique(y)
        ) if name == "log_loss" else None


@pytest.mark.parametrize(
    "values", [(0, 1), (-1, 1), (False, True), (1, 2), (-1, 0), (0, 2), (1, 1)]
)
def test_which_label_is_positive(values: tuple[Any, Any]) -> None:
    y, p = np.array(values * 5), np.random.default_rng(0).uniform(size=10)
    same("brier_score_loss", y, p)


def test_confident_and_wrong() -> None:
    for dtype in (np.float64, np.float32):
        p = np.array([0, 1, 0.5, 1e-300, 1e-20], dtype)
        y = [1, 0, 1, 1, 0]
        got = ours.log_loss(y, p)
        assert got == pytest.approx(
            theirs.log_loss(y, p), rel=1e-6 if dtype == np.float32 else 1e-14
        )
        both = np.stack([1 - p, p], axis=1)
        assert ours.log_loss(y, both) == pytest.approx(theirs.log_loss(y, both), rel=1e-6)


@KIND
def test_hinge_loss(kind: str) -> None:
    rng = np.random.default_rng(4)
    for classes in (2, 3, 4):
        codes, _ = labelled(classes)
        y = NAMES[kind](codes)
        scores = rng.normal(size=(60, classes)) * 2
        for weight in weights(60):
            if classes == 2:
                same("hinge_loss", y, scores[:, 0], sample_weight=weight)
            else:
                same("hinge_loss", y, scores, sample_weight=weight)
                same("hinge_loss", y[codes > 0], scores[codes > 0], labels=np.unique(y))
    same("hinge_loss", y[codes == 0], scores[codes == 0, 0])


# ---- nulls and wrong arguments -------------------------------------------------------------------


def test_nulls_are_found() -> None:
    true, good = np.arange(5.0), np.ones(5)
    for hole in (np.nan, np.inf):
        bad = good.copy()
        bad[3] = hole
        for name in ("mean_squared_error", "d2_pinball_score", "mean_tweedie_deviance"):
            with pytest.raises(
                ValueError, match=r"y_pred: the value at \[3\] is (nan|inf); finite"
            ):
                getattr(ours, name)(true, bad)
            with pytest.raises(
                ValueError, match=r"y_true: the value at \[3\] is (nan|inf); finite"
            ):
                getattr(ours, name)(bad, good)
            with pytest.raises(ValueError, match=r"sample_weight: the value at \[3\]"):
                getattr(ours, name)(true, good, sample_weight=bad)
        weight = np.array([1.0, 1, 1, 0, 1])
        kept = weight > 0
        assert ours.mean_squared_error(true, bad, sample_weight=weight) == pytest.approx(
            theirs.mean_squared_error(true[kept], good[kept])
        )
    with pytest.raises(ValueError, match=r"y_proba: the value at \[1\] is nan"):
        ours.log_loss([0, 1], [0.5, np.nan])
    for y in (
        ["a", None, "b"],
        ["a", np.nan, "b"],
        pd.Series(["a", pd.NA, "b"]),
        [0.0, np.nan, 1.0],
    ):
        with pytest.raises(ValueError, match=r"y_true: the label at \[1\] is .*, a null"):
            ours.log_loss(y, [0.5, 0.5, 0.5])
    holed = pl.Series([1.0, None, 2.0])
    with pytest.raises(ValueError, match=r"y_true: the value at \[1\] is nan.* a null is none"):
        ours.mean_squared_error(holed, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"y_true: the value at \[1\] is nan"):
        ours.mean_squared_error(pd.array([1, pd.NA, 3]), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"y_true: the value at \[1\] is nan"):
        ours.mean_squared_error([1.0, None, 2.0], [1.0, 2.0, 3.0])
    assert (
        ours.mean_squared_error([1.0, None, 2.0], [1.0, 2.0, 3.0], sample_weight=[1, 0, 1]) == 0.5
    )
    with pytest.raises(TypeError, match="y_true: dtype <U1 is not accepted"):
        ours.mean_squared_error(["1", "2"], [1.0, 2.0])


def test_tables() -> None:
    codes, p = labelled(3)
    names = np.array(["b", "c", "a"])[codes]
    expected = theirs.log_loss(names, p)
    for y in (
        pd.Series(names),
        pd.Series(names, dtype="category"),
        pl.Series(names),
        names.tolist(),
    ):
        assert ours.log_loss(y, pd.DataFrame(p)) == pytest.approx(expected, rel=1e-13)
    assert ours.mean_squared_error(pd.Series(p[:, 0]), pl.Series(p[:, 1])) == pytest.approx(
        theirs.mean_squared_error(p[:, 0], p[:, 1]), rel=1e-13
    )


# ---- any loss, and scorers -----------------------------------------------------------------------


def test_metric_of_any_loss() -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.normal(size=(2, 30))
    w = rng.uniform(size=30)
    for loss in (fl.huber_loss, "huber_loss", fl.HuberLoss(delta=9.0, reduction="sum")):
        made = ours.metric(loss, delta=2.0)
        expected = fl.huber_loss(predicted, true, delta=2.0, weight=w, reduction="weighted_mean")
        assert made(true, predicted, sample_weight=w) == expected
        assert pickle.loads(pickle.dumps(made)) == made
        assert repr(made) == "fusedloss.metrics.metric('huber_loss', delta=2.0)"
    quantile = ours.metric("quantile_loss", q=0.9)  # the order of the arguments matters
    assert quantile(true, predicted) == pytest.approx(
        theirs.mean_pinball_loss(true, predicted, alpha=0.9)
    )
    two = ours.metric("mse_loss")
    stacked = np.stack([true, predicted])
    assert two(stacked.T, stacked[::-1].T, sample_weight=w) == pytest.approx(
        theirs.mean_squared_error(stacked.T, stacked[::-1].T, sample_weight=w)
    )


def test_metric_of_labels() -> None:
    codes, p = labelled(3)
    logits, names = np.log(p), np.array(["b", "c", "a"])[codes]
    order = np.argsort(["b", "c", "a"])
    by_name = logits[:, order]
    expected = theirs.log_loss(codes, p)
    entropy = ours.metric("cross_entropy")
    assert entropy(codes, logits) == pytest.approx(expected)
    assert entropy(names, by_name) == pytest.approx(expected)
    assert ours.metric("cross_entropy", labels=["a", "b", "c"])(names[:1], by_name[:1]) > 0
    with pytest.raises(
        ValueError, match="y_true: 1 different labels for 3 classes; name all of th"
    ):
        entropy(names[:1], by_name[:1])
    margin = ours.metric("soft_margin_loss", labels=["no", "yes"])
    assert margin(["yes", "no"], [3.0, -3.0]) == pytest.approx(np.log1p(np.exp(-3)))
    with pytest.raises(ValueError, match="labels: mse_loss is no loss of classes"):
        ours.metric("mse_loss", labels=[0, 1])([0, 1], [0.0, 1.0])
    with pytest.raises(IndexError, match="y_true: the class at"):
        entropy(codes + 1, logits)
    with pytest.raises(TypeError, match="reduction: is no option of this call"):
        ours.metric("mse_loss", reduction="sum")
    with pytest.raises(ValueError, match="gaussian_nll_loss has more than an input and a target"):
        ours.metric("gaussian_nll_loss")


def test_scorers_in_searches() -> None:
    X, y = load_diabetes(return_X_y=True)
    mine = ours.scorer("quantile_loss", q=0.9)
    its = theirs.make_scorer(theirs.mean_pinball_loss, alpha=0.9, greater_is_better=False)
    a, b = (cross_val_score(LinearRegression(), X, y, scoring=s) for s in (mine, its))
    np.testing.assert_allclose(a, b, rtol=1e-12)
    search = GridSearchCV(
        QuantileRegressor(quantile=0.9, alpha=0),
        {"quantile": [0.1, 0.9]},
        scoring=clone(mine, safe=False),
        cv=3,
    ).fit(X, y)
    assert search.best_params_ == {"quantile": 0.9}
    assert (
        GridSearchCV(GradientBoostingRegressor(), {}, scoring=mine).get_params()["scoring"] is mine
    )
    assert pickle.loads(pickle.dumps(mine))(search, X, y) == mine(search, X, y)
    w = np.random.default_rng(0).uniform(size=len(y))
    made = ours.scorer(ours.metric("hinge_loss", margin=2.0))  # also the name of a metric
    assert made._score_func == ours.metric("hinge_loss", margin=2.0)
    with pytest.raises(TypeError, match="loss: what `metric` returns has its labels and options"):
        ours.scorer(ours.metric("huber_loss"), delta=2.0)
    for name in ("metric", "scorer", "Metric"):
        with pytest.raises(ValueError, match=f"no loss has the name '{name}'"):
            ours.scorer(name)
    assert mine(search, X, y, sample_weight=w) == pytest.approx(its(search, X, y, sample_weight=w))


def test_scorers_of_classifiers() -> None:
    X, y = load_digits(return_X_y=True)
    names = np.array([f"digit {k}" for k in range(10)])[y]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    scoring = {
        "logits": ours.scorer("cross_entropy", response_method="decision_function"),
        "log": ours.scorer("log_loss", response_method="predict_proba"),
        "theirs": "neg_log_loss",
        "brier": ours.scorer(ours.brier_score_loss, response_method="predict_proba"),
        "their brier": theirs.make_scorer(
            theirs.brier_score_loss, greater_is_better=False, response_method="predict_proba"
        ),
        "d2": ours.scorer("d2_log_loss_score", response_method="predict_proba"),
        "their d2": theirs.make_scorer(theirs.d2_log_loss_score, response_method="predict_proba"),
    }
    with np.errstate(all="ignore"):
        found = cross_validate(
            model, X[:600], names[:600], scoring=scoring, cv=3, error_score="raise"
        )
    np.testing.assert_allclose(found["test_logits"], found["test_theirs"], rtol=1e-6)
    np.testing.assert_allclose(found["test_log"], found["test_theirs"], rtol=1e-12)
    np.testing.assert_allclose(found["test_brier"], found["test_their brier"], rtol=1e-12)
    np.testing.assert_allclose(found["test_d2"], found["test_their d2"], rtol=1e-12)
    X, y = load_breast_cancer(return_X_y=True)
    model.fit(X, y)
    hinge = ours.scorer("hinge_loss", response_method="decision_function", labels=[0, 1])
    assert hinge(model, X, y) == pytest.approx(-theirs.hinge_loss(y, model.decision_function(X)))
    entropy = ours.scorer(
        "binary_cross_entropy_with_logits", response_method=("decision_function",), labels=[0, 1]
    )
    assert entropy(model, X, y) == pytest.approx(-theirs.log_loss(y, model.predict_proba(X)))
