"""Losses of grades beside statsmodels, mord and coral-pytorch, as far as they are installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers import record_ordinal as record
from tests.test_ordinal import compare


def asked(make: Callable[[], Any], *needed: str) -> Any:
    for package in needed:
        pytest.importorskip(package)
    return make()


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_statsmodels(link: str) -> None:
    case = asked(lambda: record.statsmodels_case(link), "statsmodels", "scipy")
    compare(case)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_score_of_the_thresholds(link: str) -> None:
    """statsmodels has it by differences, in exponentials of their increments."""
    pytest.importorskip("statsmodels")
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    case = record.statsmodels_case(link)
    arrays = case["arrays"]
    p = arrays["thresholds"]
    model = OrderedModel(arrays["target"], case["columns"], distr=link)
    params = np.concatenate([case["coef"], p[:1], np.log(np.diff(p))])
    score = -np.asarray(model.score(params))[3:]
    _value, (_dx, dp) = fl.ordinal_loss.value_and_grad(**arrays, link=link, reduction="sum")
    above = np.cumsum(dp[::-1])[::-1]
    expected = above * np.concatenate([[1.0], np.diff(p)])
    np.testing.assert_allclose(expected, score, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("loss", ["all_threshold_loss", "immediate_threshold_loss"])
def test_mord(loss: str) -> None:
    compare(asked(lambda: record.mord_case(loss), "mord"))


def test_coral_pytorch() -> None:
    for case in asked(record.coral_cases, "torch", "coral_pytorch"):
        compare(case)


def test_pycox() -> None:
    compare(asked(record.pycox_case, "torch"))


def test_tails_of_statsmodels() -> None:
    """It adds 1e-20 to the probability, so far tails end at 46."""
    pytest.importorskip("statsmodels")
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    columns, target = np.array([[100.0], [0.0], [1.0]]), np.array([0, 1, 2])
    model = OrderedModel(target, columns, distr="logit")
    theirs = -model.loglikeobs(np.array([1.0, -0.5, np.log(1.0)]))
    ours = fl.ordinal_loss(columns[:, 0], [-0.5, 0.5], target, reduction="none")
    np.testing.assert_allclose(theirs[1:], ours[1:], rtol=1e-12)
    assert theirs[0] == pytest.approx(46.05, abs=0.01)
    assert ours[0] == pytest.approx(100.5)
