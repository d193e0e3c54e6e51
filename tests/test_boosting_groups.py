"""Objectives of losses of groups: groups, weights and plans of data sets, without a booster."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import boosting

SIZES = np.array([3, 1, 4])
LABELS = np.array([0, 2, 1, 1, 3, 0, 0, 1])
SCORES = np.array([0.5, 0.0, 1.0, 2.0, -1.0, 0.25, 0.5, 0.0], np.float32)
MAKERS = pytest.mark.parametrize("maker", [boosting.xgboost, boosting.lightgbm])


class Rows:
    """A data set as LightGBM's."""

    def __init__(self, labels: Any, group: Any = SIZES, weight: Any = None) -> None:
        self.labels, self.group, self.weight = labels, group, weight

    def get_label(self) -> Any:
        return self.labels

    def get_group(self) -> Any:
        return self.group

    def get_weight(self) -> Any:
        return self.weight


class Pointers(Rows):
    """One as XGBoost's."""

    def get_uint_info(self, name: str) -> Any:
        assert name == "group_ptr"
        return (
            np.array([], np.uint32) if self.group is None else np.append(0, np.cumsum(self.group))
        )


DATA = {boosting.xgboost: Pointers, boosting.lightgbm: Rows}


@MAKERS
def test_derivatives(maker: Any) -> None:
    objective = maker("lambdarank_loss")
    assert objective.kind == "groups" and objective.loss is fl.lambdarank_loss
    for data in (Rows(LABELS), Pointers(LABELS)):
        grad, hess = objective(SCORES, data)
        scale = 2 if maker is boosting.xgboost else 1
        _, slope, curve = fl.lambdarank_loss.value_grad_hess(
            SCORES, LABELS, group_sizes=SIZES, reduction="sum"
        )
        assert grad.dtype == hess.dtype == np.float32
        assert np.array_equal(grad, slope) and np.array_equal(hess, scale * curve)
    value = objective.metric(SCORES, DATA[maker](LABELS))[1]
    assert value == pytest.approx(float(fl.lambdarank_loss(SCORES, LABELS, group_sizes=SIZES)))
    floor = maker("lambdarank_loss", hessian="constant", floor=0.5)
    assert np.array_equal(floor(SCORES, Rows(LABELS))[1], np.full(8, 0.5, np.float32))
    exact = maker("lambdarank_loss", hessian="exact", floor=0.0)
    assert np.array_equal(exact(SCORES, Rows(LABELS))[1], curve)


def test_weights() -> None:
    weight = np.array([0.5, 1.0, 3.0])
    run = fl.lambdarank_loss.value_grad_hess
    rows: dict[str, Any] = {"group_sizes": SIZES, "reduction": "sum"}
    of_groups = boosting.xgboost("lambdarank_loss")(SCORES, Pointers(LABELS, SIZES, weight))
    _, grad, hess = run(SCORES, LABELS, weight=weight / 1.5, **rows)
    np.testing.assert_allclose(of_groups, (grad, 2 * hess), rtol=1e-6)
    each = np.linspace(0.5, 2, 8)
    objective = boosting.lightgbm("lambdarank_loss")
    _, grad, hess = run(SCORES, LABELS, **rows)
    for got in (
        objective(SCORES, Rows(LABELS, SIZES, each)),
        objective(LABELS, SCORES, each, SIZES),
    ):
        np.testing.assert_allclose(got, (grad * each, hess * each), rtol=1e-6)
    means = [part.mean() for part in np.split(each, np.cumsum(SIZES)[:-1])]
    _, value, _ = objective.metric(SCORES, Rows(LABELS, SIZES, each))
    expected = fl.lambdarank_loss(
        SCORES, LABELS, group_sizes=SIZES, weight=means, reduction="weighted_mean"
    )
    assert value == pytest.approx(float(expected), rel=1e-6)


def test_one_plan_for_each_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    plan = fl.xe_ndcg_loss.plan

    def counted(*args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return plan(*args, **kwargs)

    monkeypatch.setitem(vars(fl.xe_ndcg_loss), "plan", counted)
    objective = boosting.lightgbm("xe_ndcg_loss")
    for _ in range(3):
        for group in (SIZES, SIZES[::-1]):
            objective(LABELS, SCORES, None, group)
    assert len(made) == 2
    own = boosting.lightgbm("xe_ndcg_loss", plan=plan(LABELS, group_sizes=SIZES))
    assert np.array_equal(own(LABELS * 0, SCORES)[0], objective(LABELS, SCORES, None, SIZES)[0])
    assert len(made) == 2


@MAKERS
def test_groups_as_an_option(maker: Any) -> None:
    objective = maker("lambdarank_loss", group_sizes=SIZES)
    alone = objective(SCORES, Rows(LABELS, None))
    assert np.array_equal(alone, maker("lambdarank_loss")(SCORES, Rows(LABELS)))
    ids = maker("lambdarank_loss", group_ids=np.repeat(["a", "b", "c"], SIZES))
    assert np.array_equal(alone, ids(SCORES, Rows(LABELS, None)))
    with pytest.raises(ValueError, match=r"^group_sizes: the data set has groups of its own"):
        objective(SCORES, Rows(LABELS))
    with pytest.raises(ValueError, match=r"^group: lambdarank_loss is one of groups, but"):
        maker("lambdarank_loss")(SCORES, Rows(LABELS, None))


@MAKERS
def test_what_is_refused(maker: Any) -> None:
    for options, match in (
        ({"relevance": LABELS}, "^relevance: comes from the data set"),
        ({"weight": SIZES}, "^weight: comes from the data set"),
        ({"sample_weight": SIZES}, "^sample_weight: comes from the data set"),
        ({"truncations": 3}, "did you mean 'truncation'"),
    ):
        with pytest.raises(TypeError, match=match):
            maker("lambdarank_loss", **options)
    with pytest.raises(ValueError, match=r"^truncation: "):
        maker("lambdarank_loss", truncation=0)
    objective = maker("lambdarank_loss")
    with pytest.raises(ValueError, match=r"^labels: one for each of 7 scores"):
        objective(SCORES[:7], Rows(LABELS))
    with pytest.raises(ValueError, match=r"^group_sizes: they sum up to 8"):
        objective(SCORES[:7], Rows(LABELS[:7]))
    with pytest.raises(ValueError, match=r"^relevance: "):
        objective(SCORES, Rows(-LABELS))
    with pytest.raises(TypeError, match=r"^loss: lambdarank_loss is one of groups of rows, and"):
        boosting.catboost("lambdarank_loss")


def test_starts() -> None:
    """Any constant is as good."""
    assert boosting.xgboost("lambdarank_loss").base_score(Pointers(LABELS)) == 0.0
    assert not boosting.lightgbm("list_mle_loss").init_score(LABELS).any()


def test_a_loss_that_is_not_convex() -> None:
    _, hess = boosting.lightgbm("approx_ndcg_loss", floor=0.25)(LABELS, SCORES, None, SIZES)
    assert np.array_equal(hess, np.full(8, 0.25, np.float32))
