"""Linear objectives, of dense arrays."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import Loss, _linear_blocks
from fusedloss.linear import Objective

Array = np.ndarray[Any, Any]
rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
CLASSES = rng.integers(0, 3, 60)
COUNTS = rng.poisson(2.0, 60).astype(float)
SIGNS = np.where(rng.random(60) < 0.5, -1, 1)
WEIGHTS = rng.uniform(0.5, 2, 60)

CASES: list[tuple[str, Array, dict[str, Any]]] = [
    ("mse_loss", COUNTS, {}),
    ("huber_loss", COUNTS, {"delta": 1.5}),
    ("quantile_loss", COUNTS, {"q": 0.7}),
    ("log_cosh_loss", np.stack([COUNTS, -COUNTS], axis=1), {}),
    ("poisson_nll_loss", COUNTS, {}),
    ("tweedie_loss", COUNTS, {"power": 1.3}),
    ("binary_cross_entropy_with_logits", CLASSES > 1, {}),
    ("binary_cross_entropy_with_logits", CLASSES > 1, {"pos_weight": 2.5}),
    ("binary_cross_entropy_with_logits", np.eye(3)[CLASSES], {"pos_weight": [1.0, 2.0, 0.5]}),
    ("squared_hinge_loss", SIGNS, {}),
    ("cross_entropy", CLASSES, {}),
    ("cross_entropy", CLASSES, {"weight": [1.0, 2.0, 0.5], "label_smoothing": 0.1}),
    ("cross_entropy", np.full((60, 3), 1 / 3), {"z_loss": 0.1}),
    ("softmax_focal_loss", CLASSES, {"gamma": 1.5, "alpha": [1.0, 2.0, 0.5]}),
    ("multi_margin_loss", CLASSES, {}),
    ("multilabel_soft_margin_loss", np.eye(3)[CLASSES], {}),
]
CASE = pytest.mark.parametrize(("name", "y", "options"), CASES, ids=lambda x: str(x)[:30])


def weights_of(name: str, y: Array, weight: Any) -> dict[str, Any]:
    """The weights of rows as the loss itself takes them."""
    if "sample_weight" in getattr(fl, name)._options:
        return {"sample_weight": weight}
    return {"weight": weight if y.ndim == 1 or weight is None else weight[:, np.newaxis]}


def by_hand(name: str, y: Array, options: dict[str, Any], objective: Objective, coef: Array) -> Any:
    """The loss of the scores, and the penalty."""
    features, outputs = X.shape[1], objective.n_outputs
    if outputs is None:
        scores, w = X @ coef[:features], coef[:features]
        if objective.fit_intercept:
            scores = scores + coef[features]
    else:
        w = coef[: outputs * features]
        scores = X @ w.reshape(outputs, features).T
        if objective.fit_intercept:
            scores = scores + coef[outputs * features :]
    given = options | weights_of(name, y, WEIGHTS)
    value = getattr(fl, name)(scores, y, reduction="weighted_mean", **given)
    return value + 0.5 * objective.l2 * w @ w


@pytest.mark.parametrize("fit_intercept", (True, False))
@CASE
def test_value_gradient_and_products(
    name: str, y: Array, options: dict[str, Any], fit_intercept: bool
) -> None:
    objective = Objective(
        name, X, y, fit_intercept=fit_intercept, l2=0.3, sample_weight=WEIGHTS, **options
    )
    outputs = objective.n_outputs or 1
    assert objective.n_coef == outputs * (4 + fit_intercept) and objective.n_features == 4
    assert objective.start().shape == (objective.n_coef,)
    generator = np.random.default_rng(1)
    coef, v = 0.4 * generator.normal(size=(2, objective.n_coef))
    value, grad = objective.value_and_grad(coef)
    assert type(value) is float and grad.shape == coef.shape and grad.dtype == np.float64
    np.testing.assert_allclose(value, by_hand(name, y, options, objective, coef), rtol=1e-13)
    assert objective.value(coef) == value
    np.testing.assert_array_equal(objective.grad(coef), grad)
    step = 1e-6
    slopes = [
        (objective.value(coef + step * e) - objective.value(coef - step * e)) / (2 * step)
        for e in np.eye(objective.n_coef)
    ]
    np.testing.assert_allclose(grad, slopes, rtol=1e-6, atol=1e-8)
    if not getattr(fl, name).has_hvp:
        for method in (lambda: objective.hessp(coef, v), lambda: objective.hess(coef)):
            with pytest.raises(NotImplementedError, match=f"{name} has no products of its Hess"):
                method()
        return
    product = objective.hessp(coef, v)
    if name not in ("huber_loss", "quantile_loss", "squared_hinge_loss"):  # no second kinks
        turned = objective.grad(coef + step * v) - objective.grad(coef - step * v)
        np.testing.assert_allclose(product, turned / (2 * step), rtol=1e-5, atol=1e-7)
    hess = objective.hess(coef)
    np.testing.assert_allclose(hess, hess.T, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(hess @ v, product, rtol=1e-11, atol=1e-14)


@CASE
def test_parts_and_predictions(name: str, y: Array, options: dict[str, Any]) -> None:
    for fit_intercept in (True, False):
        objective = Objective(name, X, y, fit_intercept=fit_intercept, **options)
        coef = np.random.default_rng(2).normal(size=objective.n_coef)
        w, b = objective.split(coef)
        outputs = objective.n_outputs
        assert w.shape == ((4,) if outputs is None else (outputs, 4))
        assert np.shape(b) == (() if outputs is None else (outputs,))
        assert np.shares_memory(w, coef)
        scores = objective.predict(coef, X[:7])
        assert scores.shape == ((7,) if outputs is None else (7, outputs))
        np.testing.assert_allclose(scores, X[:7] @ w.T + b, rtol=1e-14)
        value = getattr(fl, name)(
            objective.predict(coef, X), y, reduction="weighted_mean", **options
        )
        np.testing.assert_allclose(objective.value(coef), value, rtol=1e-13)


def test_scores_are_kept() -> None:
    """A change of the array in place is seen; the same coefficients are not multiplied again."""
    objective = Objective("log_cosh_loss", X, COUNTS)
    coef = np.ones(5)
    before = objective.value(coef)
    kept = objective._blocks[0].scores
    kept += 1  # as only a product of X would undo it
    assert objective.value(coef.copy()) != before
    coef[0] = 2
    other = objective.value(coef)
    coef[0] = 1
    assert objective.value(coef) == before != other
    fresh = Objective("log_cosh_loss", X, COUNTS)
    np.testing.assert_array_equal(objective.hessp(coef, coef), fresh.hessp(coef, coef))


@pytest.mark.parametrize("name", ("poisson_nll_loss", "cross_entropy"))
@pytest.mark.parametrize("order", ("C", "F"))
def test_more_rows_than_are_worked_on_at_once(name: str, order: Any) -> None:
    many = np.repeat(X, 2500, 0)
    y = np.repeat(COUNTS if name == "poisson_nll_loss" else CLASSES, 2500)
    w = np.repeat(WEIGHTS, 2500)
    objective = Objective(name, np.asarray(many, order=order), y, sample_weight=w, l2=0.2)
    few = Objective(name, X, y[::2500], sample_weight=WEIGHTS, l2=0.2)
    assert len(objective._blocks) == 2 and len(few._blocks) == 1
    generator = np.random.default_rng(7)
    coef, other, v = generator.normal(size=(3, few.n_coef)) / 2
    for at in (coef, other, coef):
        value, grad = objective.value_and_grad(at)
        assert value == pytest.approx(few.value(at), rel=1e-12) == objective.value(at)
        np.testing.assert_allclose(grad, few.grad(at), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(objective.hessp(at, v), few.hessp(at, v), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(objective.hess(at), few.hess(at), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        objective.hessp(other, v), few.hessp(other, v), rtol=1e-9, atol=1e-12
    )
    y = y.astype(float) if name == "poisson_nll_loss" else y
    y[100_000] = -1  # which row it is, not which of a part
    with pytest.raises((ValueError, IndexError), match=r"y: the (value|class) at \[100000\] is -1"):
        Objective(name, many, y)


def test_the_optimum_is_that_of_least_squares() -> None:
    A = np.column_stack([X, np.ones(60)])
    objective = Objective("mse_loss", X, COUNTS)
    coef = np.linalg.solve(objective.hess(objective.start()), -objective.grad(objective.start()))
    np.testing.assert_allclose(coef, np.linalg.lstsq(A, COUNTS)[0], rtol=1e-10)
    assert np.abs(objective.grad(coef)).max() < 1e-14


@pytest.mark.parametrize("name", ("binary_cross_entropy_with_logits", "cross_entropy"))
def test_dtypes_and_layouts(name: str) -> None:
    y = (CLASSES > 1).astype(int)
    expected = Objective(name, X, y, l2=0.1)
    coef = np.random.default_rng(3).normal(size=expected.n_coef)
    v = coef[::-1].copy()

    def results(objective: Objective) -> list[Any]:
        value, grad = objective.value_and_grad(coef)
        return [value, grad, objective.hessp(coef, v), objective.hess(coef)]

    wide = results(expected)
    for other in (np.asfortranarray(X), np.repeat(X, 2, 0)[::2], X.astype(">f8"), X.tolist()):
        for got, truth in zip(results(Objective(name, other, y, l2=0.1)), wide, strict=True):
            np.testing.assert_allclose(got, truth, rtol=1e-12, atol=1e-15)
    narrow = Objective(name, X.astype(np.float32), y, l2=0.1)
    assert narrow._blocks[0].scores.dtype == np.float32
    for got, truth in zip(results(narrow), wide, strict=True):
        np.testing.assert_allclose(got, truth, rtol=1e-5, atol=1e-6)
    whole = (X * 10).astype(np.int16)
    for dtype in (np.int16, np.float16):
        for got, truth in zip(
            results(Objective(name, whole.astype(dtype), y)),
            results(Objective(name, whole.astype(float), y)),
            strict=True,
        ):
            np.testing.assert_array_equal(got, truth)


def test_float32_is_added_up_in_float64() -> None:
    many = np.repeat(X, 500, 0).astype(np.float32)
    y = np.repeat(COUNTS, 500)
    coef = np.zeros(5)
    narrow, wide = (Objective("poisson_nll_loss", x, y) for x in (many, many.astype(float)))
    assert narrow.value(coef) == pytest.approx(wide.value(coef), rel=1e-14)


def test_weights() -> None:
    """A weight counts a row; the weight 0 leaves it out, whatever it holds."""
    counts = np.random.default_rng(4).integers(0, 4, 60)
    for name, y in (("cross_entropy", CLASSES), ("poisson_nll_loss", COUNTS)):
        options = {"n_outputs": 3} if name == "cross_entropy" else {}
        weighted = Objective(name, X, y, sample_weight=counts, l2=0.2, **options)
        repeated = Objective(name, np.repeat(X, counts, 0), np.repeat(y, counts), l2=0.2, **options)
        coef = np.random.default_rng(5).normal(size=weighted.n_coef)
        for got, truth in zip(
            weighted.value_and_grad(coef), repeated.value_and_grad(coef), strict=True
        ):
            np.testing.assert_allclose(got, truth, rtol=1e-12)
        nothing = Objective(name, X, y, sample_weight=np.zeros(60), l2=0.2, **options)
        assert nothing.value(0 * coef) == 0 and not nothing.grad(0 * coef).any()
    y = COUNTS.copy()
    y[counts == 0] = np.nan
    holed = Objective("poisson_nll_loss", X, y, sample_weight=counts, l2=0.2)
    assert holed.value(coef[:5]) == pytest.approx(
        Objective("poisson_nll_loss", X, COUNTS, sample_weight=counts, l2=0.2).value(coef[:5])
    )


def test_rows_with_ignored_labels_do_not_count() -> None:
    y = CLASSES.copy()
    y[::3] = -100
    kept = y >= 0
    ignoring = Objective("cross_entropy", X, y)
    coef = np.random.default_rng(6).normal(size=15)
    assert ignoring.value(coef) == pytest.approx(
        Objective("cross_entropy", X[kept], y[kept]).value(coef), rel=1e-13
    )


def test_losses_criteria_and_names() -> None:
    expected = Objective("huber_loss", X, COUNTS, delta=2.0).value(np.ones(5))
    for loss, options in (
        (fl.huber_loss, {"delta": 2.0}),
        (fl.HuberLoss(delta=2.0), {}),
        (fl.HuberLoss(delta=3.0), {"delta": 2.0}),
    ):
        assert Objective(loss, X, COUNTS, **options).value(np.ones(5)) == expected  # type: ignore[arg-type]
    objective = Objective(fl.HuberLoss(delta=2.0), X, COUNTS, l2=0.5)
    assert repr(objective) == "Objective(huber_loss, delta=2.0; 60 rows, 5 coefficients, l2=0.5)"
    copy = pickle.loads(pickle.dumps(objective))
    assert copy.value(np.ones(5)) == objective.value(np.ones(5))


def test_which_losses() -> None:
    found = set()
    for name in fl.__all__:
        loss = getattr(fl, name)
        if isinstance(loss, Loss):
            try:
                Objective(name, np.zeros((0, 2)), np.zeros(0, int))
            except (TypeError, ValueError) as error:
                if "is no loss of scores; accepted are" not in str(error):
                    found.add(name)
            else:
                found.add(name)
    families = {"regression", "binary", "distributions", "classification", "margins"}
    families |= {"counts", "location_scale", "forecasts"}
    families_in_part = {
        *("aft_loss", "ordinal_loss", "all_threshold_loss", "immediate_threshold_loss")
    }
    found -= families_in_part
    two = {n for n in found if getattr(fl, n).__module__.rpartition(".")[2] in families}
    assert found == two and {"cross_entropy", "huber_loss", "sparsemax_loss"} <= found
    assert not found & {"margin_ranking_loss", "dice_loss", "info_nce_loss", "cox_ph_loss"}
    assert "gaussian_nll_loss" in found


VAR = rng.uniform(0.5, 2.0, 60)


@pytest.mark.parametrize("var", [2.0, VAR], ids=["number", "rows"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("room", [_linear_blocks._ROOM, 256])
def test_operands_that_are_options(
    var: Any, dtype: Any, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weighted least squares, the rows in one piece and in several."""
    monkeypatch.setattr(_linear_blocks, "_ROOM", room)
    rows, each = np.repeat(X, 10, axis=0), np.repeat(np.broadcast_to(var, 60), 10)
    y = rows @ np.arange(1.0, X.shape[1] + 1) + 3 + rng.normal(size=600)
    given = each if np.ndim(var) else var
    objective = Objective("gaussian_nll_loss", rows.astype(dtype), y, var=given)
    coef = objective.newton(gtol=1e-5 if dtype is np.float32 else 1e-10)
    design = np.column_stack([rows, np.ones(600)])
    expected = np.linalg.solve(design.T @ (design / each[:, None]), design.T @ (y / each))
    np.testing.assert_allclose(coef, expected, rtol=1e-4 if dtype is np.float32 else 1e-9)
    scores = objective.predict(coef, rows)
    assert objective.value(coef) == pytest.approx(fl.gaussian_nll_loss(scores, y, each), rel=1e-5)
    twice = Objective("gaussian_nll_loss", rows, np.stack([y, -y], axis=1), var=given)
    weights, intercepts = twice.split(twice.newton())
    np.testing.assert_allclose(weights[0], -weights[1], rtol=1e-7)
    np.testing.assert_allclose(np.append(weights[0], intercepts[0]), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("error", "text", "changes"),
    [
        (ValueError, r"X: two dimensions are needed, .* got shape \(4,\)", {"X": X[0]}),
        (TypeError, "X: dtype complex128 is not accepted", {"X": X + 1j}),
        (ValueError, r"y: shape \(60,\) or \(60, K\) is needed, .* got \(59,\)", {"y": COUNTS[1:]}),
        (ValueError, r"y: shape .* got \(60, 1, 1\)", {"y": COUNTS.reshape(60, 1, 1)}),
        (ValueError, r"y: the value at \[0\] is -1", {"y": -1 - COUNTS * 0}),
        (ValueError, r"y: the value at \[0\] is nan; finite", {"y": np.full(60, np.nan)}),
        (
            ValueError,
            r"sample_weight: the value at \[0\] is inf; finite",
            {"sample_weight": [np.inf] * 60},
        ),
        (
            ValueError,
            r"sample_weight: shape \(60,\) is needed, got \(4,\)",
            {"sample_weight": [1] * 4},
        ),
        (ValueError, "l2: a finite number, 0 or more, is needed, got -1", {"l2": -1}),
        (TypeError, "fit_intercept: True or False is needed", {"fit_intercept": 2}),
        (TypeError, "weight: is no option of this call: .* sample_weight", {"weight": WEIGHTS}),
        (TypeError, "reduction: is no option of this call", {"reduction": "sum"}),
        (TypeError, "where: is no option of this call", {"where": COUNTS > 1}),
        (
            TypeError,
            "poisson_nll_loss: got an unexpected keyword .*; the options are",
            {"dleta": 1},
        ),
        (ValueError, "n_outputs: a y of one dimension has one score", {"n_outputs": 2}),
        (TypeError, "n_outputs: an integer is needed", {"n_outputs": 2.5}),
        (ValueError, "margin_ranking_loss is no loss of", {"loss": "margin_ranking_loss"}),
        (TypeError, r"^var: gaussian_nll_loss needs it .* var=", {"loss": "gaussian_nll_loss"}),
        (
            ValueError,
            r"^var: a number, or one for each of 60 rows, is needed, got shape \(7,\)",
            {"loss": "gaussian_nll_loss", "var": np.ones(7)},
        ),
        (ValueError, "no loss has the name 'poisson'", {"loss": "poisson"}),
        (TypeError, "y: class numbers of an integer dtype are needed", {"loss": "cross_entropy"}),
        (TypeError, "axis: is no option", {"loss": "cross_entropy", "y": CLASSES, "axis": 1}),
        (
            IndexError,
            "y: the class at .* is 2; accepted are 0 to 1",
            {"loss": "cross_entropy", "y": np.sort(CLASSES)[::-1], "n_outputs": 2},
        ),
        (
            ValueError,
            "n_outputs: 3 is needed for this y, got 2",
            {"loss": "cross_entropy", "y": np.eye(3)[CLASSES], "n_outputs": 2},
        ),
    ],
)
def test_wrong_arguments(error: Any, text: str, changes: dict[str, Any]) -> None:
    given = {"loss": "poisson_nll_loss", "X": X, "y": COUNTS} | changes
    with pytest.raises(error, match=text):
        Objective(given.pop("loss"), given.pop("X"), given.pop("y"), **given)


def test_wrong_coefficients() -> None:
    objective = Objective("mse_loss", X, COUNTS)
    for method in (objective.value, objective.value_and_grad, objective.hess, objective.split):
        with pytest.raises(ValueError, match=r"coef: shape \(5,\) is needed, got \(4,\)"):
            method(np.zeros(4))
    with pytest.raises(ValueError, match=r"v: shape \(5,\) is needed, got \(5, 1\)"):
        objective.hessp(np.zeros(5), np.zeros((5, 1)))
    with pytest.raises(ValueError, match="X: 4 columns are needed, got 3"):
        objective.predict(np.zeros(5), X[:, :3])


def test_threads_share_an_objective() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(4000, 20))
    objective = Objective("cross_entropy", wide, (wide[:, 0] > 0).astype(int))
    points = rng.normal(size=(4, objective.n_coef))
    expected = [objective.value_and_grad(point) for point in points]

    def agrees(k: int) -> bool:
        value, grad = objective.value_and_grad(points[k % 4])
        return value == expected[k % 4][0] and np.array_equal(grad, expected[k % 4][1])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(agrees, range(200)))
    twin = pickle.loads(pickle.dumps(objective))
    assert twin.value(points[0]) == expected[0][0]
