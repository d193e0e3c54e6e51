"""Metrics by their definitions, and wrong arguments; tests/integrations has scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import metrics as ours

rng = np.random.default_rng(0)
TRUE, PREDICTED = rng.gamma(2.0, size=(2, 40)) + 0.1
W = rng.uniform(0.5, 2, 40)
CODES, P = rng.integers(0, 3, 40), rng.dirichlet(np.ones(3), 40)


def average(each: Any) -> Any:
    return np.average(each, weights=W, axis=0)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (ours.mean_squared_error(TRUE, PREDICTED, sample_weight=W), (TRUE - PREDICTED) ** 2),
        (ours.mean_absolute_error(TRUE, PREDICTED, sample_weight=W), abs(TRUE - PREDICTED)),
        (
            ours.mean_pinball_loss(TRUE, PREDICTED, sample_weight=W, alpha=0.8),
            np.maximum(0.8 * (TRUE - PREDICTED), 0.2 * (PREDICTED - TRUE)),
        ),
        (
            ours.mean_squared_log_error(TRUE, PREDICTED, sample_weight=W),
            (np.log1p(TRUE) - np.log1p(PREDICTED)) ** 2,
        ),
        (
            ours.mean_poisson_deviance(TRUE, PREDICTED, sample_weight=W),
            2 * (TRUE * np.log(TRUE / PREDICTED) - TRUE + PREDICTED),
        ),
        (
            ours.mean_gamma_deviance(TRUE, PREDICTED, sample_weight=W),
            2 * (np.log(PREDICTED / TRUE) + TRUE / PREDICTED - 1),
        ),
        (ours.log_loss(CODES, P, sample_weight=W), -np.log(P[np.arange(40), CODES])),
        (
            ours.log_loss(CODES > 0, P[:, 0], sample_weight=W),
            -np.log(np.where(CODES > 0, P[:, 0], 1 - P[:, 0])),
        ),
        (
            ours.brier_score_loss(CODES, P, sample_weight=W),
            ((P - np.eye(3)[CODES]) ** 2).sum(axis=1),
        ),
        (ours.brier_score_loss(CODES > 0, P[:, 0], sample_weight=W), (P[:, 0] - (CODES > 0)) ** 2),
        (
            ours.hinge_loss(CODES > 0, TRUE - 2, sample_weight=W),
            np.maximum(0, 1 - np.where(CODES > 0, 1, -1) * (TRUE - 2)),
        ),
    ],
)
def test_definitions(got: float, expected: Any) -> None:
    assert type(got) is float and got == pytest.approx(average(expected), rel=1e-12)


def test_what_is_explained() -> None:
    """Nothing, of what is constant; all, of what is right."""
    mean = np.full(40, average(TRUE))
    assert ours.d2_tweedie_score(TRUE, mean, sample_weight=W, power=1) == pytest.approx(
        0, abs=1e-12
    )
    shares = np.bincount(CODES, W) / W.sum()
    for score in (ours.d2_log_loss_score, ours.d2_brier_score):
        assert score(CODES, np.tile(shares, (40, 1)), sample_weight=W) == pytest.approx(
            0, abs=1e-12
        )
        assert score(CODES, np.eye(3)[CODES], sample_weight=W) == pytest.approx(1)
    assert ours.d2_pinball_score(TRUE, np.full(40, np.median(TRUE))) == pytest.approx(0, abs=1e-12)
    assert ours.d2_absolute_error_score(TRUE, TRUE) == 1


def test_columns() -> None:
    true, predicted = TRUE.reshape(20, 2), PREDICTED.reshape(20, 2)
    each = ((true - predicted) ** 2).mean(axis=0)
    raw = ours.mean_squared_error(true, predicted, multioutput="raw_values")
    np.testing.assert_allclose(raw, each, rtol=1e-13)
    assert ours.mean_squared_error(true, predicted) == pytest.approx(each.mean())
    assert ours.mean_squared_error(true, predicted, multioutput=[3, 1]) == pytest.approx(
        np.average(each, weights=[3, 1])
    )
    assert ours.root_mean_squared_error(true, predicted) == pytest.approx(np.sqrt(each).mean())


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("the same shape", lambda: ours.mean_squared_error([1.0], [1.0, 2.0])),
        ("y_true: no rows", lambda: ours.mean_squared_error([], [])),
        (
            r"sample_weight: shape \(1,\)",
            lambda: ours.mean_squared_error([1.0], [1.0], sample_weight=[1, 2]),
        ),
        (
            "multioutput: must be one of",
            lambda: ours.mean_squared_error([1.0], [1.0], multioutput="mean"),
        ),
        (
            "multioutput: raw_values or",
            lambda: ours.mean_squared_error([1.0], [1.0], multioutput=[1.0]),
        ),
        (
            "alpha: a finite number from 0 to 1",
            lambda: ours.mean_pinball_loss([1.0], [1.0], alpha=2),
        ),
        ("numbers above -1 are needed", lambda: ours.mean_squared_log_error([1.0], [-1.0])),
        ("y_true: the value at .* is -2", lambda: ours.mean_squared_log_error([-2.0], [1.0])),
        ("power: no Tweedie", lambda: ours.mean_tweedie_deviance([1.0], [1.0], power=0.5)),
        (
            "y_pred: positive numbers are needed for the power 1",
            lambda: ours.mean_poisson_deviance([1.0], [0.0]),
        ),
        ("y_true: the value at .* is -1", lambda: ours.mean_poisson_deviance([-1.0], [1.0])),
        (
            "y_true: positive numbers are needed for the power 2",
            lambda: ours.mean_gamma_deviance([0.0], [1.0]),
        ),
        ("a deviance has one column", lambda: ours.mean_poisson_deviance([[1.0, 2]], [[1.0, 2]])),
        ("y_proba: numbers from 0 to 1", lambda: ours.log_loss([0, 1], [0.5, 1.5])),
        (
            "y_true: 1 different labels for 2 classes; name all",
            lambda: ours.log_loss([1, 1], [0.5, 0.5]),
        ),
        ("y_true: 3 different labels for 2", lambda: ours.log_loss([0, 1, 2], [0.5, 0.5, 0.5])),
        (
            "'c' is none of the labels, 'a', 'b'",
            lambda: ours.log_loss(["a", "c"], [0.5, 0.5], labels=["a", "b"]),
        ),
        (
            "1 is none of the labels, 'a', 'b'",
            lambda: ours.log_loss([1, 0], [0.5, 0.5], labels=["a", "b"]),
        ),
        (
            "labels: 2 different ones are needed",
            lambda: ours.log_loss([0, 1], [0.5, 0.5], labels=[0, 1, 2]),
        ),
        ("as many rows are needed", lambda: ours.log_loss([0, 1, 0], [0.5, 0.5])),
        (
            "pos_label: 7 is none of the labels",
            lambda: ours.brier_score_loss([0, 1], [0.5, 0.5], pos_label=7),
        ),
        (
            "labels of two classes are needed",
            lambda: ours.brier_score_loss([0, 1, 2], [0.5, 0.5, 0.5]),
        ),
        (
            "scale_by_half: True, False or",
            lambda: ours.brier_score_loss([0, 1], [0.5, 0.5], scale_by_half=2),
        ),
        ("pred_decision: the value at", lambda: ours.hinge_loss([0, 1], [np.nan, 1.0])),
        ("pred_decision: the value at", lambda: ours.hinge_loss([0, 1], [[0, 1], [np.inf, 0.0]])),
        (
            "sample_weight: all weights are 0",
            lambda: ours.d2_pinball_score([1.0, 2], [1.0, 2], sample_weight=[0, 0]),
        ),
        (
            "sample_weight: all weights are 0",
            lambda: ours.log_loss([0, 1], [0.5, 0.5], sample_weight=[0, 0]),
        ),
        ("y_proba: shape .* is needed", lambda: ours.d2_log_loss_score(1, 0.5)),
        ("y_proba: shape .* is needed", lambda: ours.d2_brier_score(1, 0.5)),
        (
            r"sample_weight: shape \(2,\)",
            lambda: ours.metric("cross_entropy")([0, 1], np.eye(2), sample_weight=[1]),
        ),
        (
            r"sample_weight: the value at \[1\] is nan",
            lambda: ours.metric("cross_entropy")([0, 1], np.eye(2), sample_weight=[1, np.nan]),
        ),
        ("y_pred: at least one row", lambda: ours.metric("mse_loss")([], [])),
        ("y_pred: at least one row", lambda: ours.metric("mse_loss")(1.0, 1.0, [1.0])),
        ("cannot both be labels", lambda: ours.log_loss(np.array(["a", 1], object), [0.5, 0.5])),
    ],
)
def test_wrong_arguments(text: str, call: Any) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_warnings() -> None:
    with pytest.warns(UserWarning, match="y_proba: the rows do not sum to 1"):
        ours.log_loss([0, 1], [[0.5, 0.4], [0.2, 0.8]])
    for name in ("d2_tweedie_score", "d2_pinball_score", "d2_log_loss_score", "d2_brier_score"):
        with pytest.warns(RuntimeWarning, match="a D2 score needs two rows or more"):
            assert np.isnan(getattr(ours, name)([1.0], [1.0]))


@pytest.mark.parametrize(
    "low_high",
    [
        np.array([-100, 100], np.int8),
        np.array([-20000, 20000], np.int16),
        np.array([2**64 - 2, 2**64 - 1], np.uint64),
        np.array([-(2**63), 2**63 - 1]),
        np.array([False, True]),
    ],
)
def test_labels_of_any_width(low_high: Any) -> None:
    """Their differences do not overflow."""
    y = low_high[[0, 1, 1, 0]]
    p = [0.1, 0.6, 0.7, 0.3]
    assert ours.log_loss(y, p) == ours.log_loss([0, 1, 1, 0], p)
    assert ours.log_loss(y, p, labels=low_high) == ours.log_loss([0, 1, 1, 0], p)


def test_probabilities_of_float16() -> None:
    """They are clipped by their own eps."""
    p = np.array([0.0, 1.0], np.float16)
    assert ours.log_loss([1, 0], p) == pytest.approx(-np.log(np.finfo(np.float16).eps), rel=1e-3)


def test_rows_of_weight_zero() -> None:
    """Their numbers may be anything."""
    true, predicted, weight = [1.0, np.nan, 3.0, 5.0], [1.5, np.nan, 2.0, 5.0], [1, 0, 2, 1]
    rest = [1.0, 3.0, 5.0], [1.5, 2.0, 5.0]
    for name in ("mean_squared_error", "mean_gamma_deviance", "d2_tweedie_score"):
        score = getattr(ours, name)
        expected = score(*rest, sample_weight=[1, 2, 1])
        assert score(true, predicted, sample_weight=weight) == pytest.approx(expected)


def test_nothing_to_explain() -> None:
    for score in (ours.d2_tweedie_score, ours.d2_brier_score):
        assert score([1, 1, 1], [0.2, 0.8, 0.3]) == -np.inf
        assert np.isnan(score([1, 1, 1], [1.0, 1.0, 1.0]))


def test_masked_labels() -> None:
    """Their mask would be lost."""
    with pytest.raises(TypeError, match="y_true: masked arrays are not accepted"):
        ours.log_loss(np.ma.array([0, 1], mask=[0, 1]), [0.5, 0.5])


def test_weights_of_metrics() -> None:
    """A weight in the options would not go together with those of the rows."""
    for loss, options in ((fl.MSELoss(weight=[1.0, 0.0]), {}), ("mse_loss", {"weight": [1.0]})):
        with pytest.raises(TypeError, match=r"weight: is no option .* sample_weight"):
            ours.metric(loss, **options)
    weighted = [ours.metric("cross_entropy", weight=np.array([1.0, w])) for w in (2.0, 2.0, 3.0)]
    assert weighted[0] == weighted[1] != weighted[2]
    images = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    labels = (images[:, 0] > 0).astype(int)
    each = [fl.cross_entropy(images[k : k + 1], labels[k : k + 1]) for k in range(3)]
    assert ours.metric("cross_entropy")(labels, images, [1.0, 2.0, 3.0]) == pytest.approx(
        np.average(each, weights=[1, 2, 3])
    )
