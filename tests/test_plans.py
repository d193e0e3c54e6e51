"""Plans: what a loss needs of data that stays the same, and how it is asked for."""

from __future__ import annotations

import copy
import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss._core.plans import Plan, _restored
from tests.samples import same

RNG = np.random.default_rng(0)
TIME, EVENT, X = RNG.integers(0, 9, 50), RNG.random(50) < 0.5, RNG.normal(size=50)
DATA: dict[str, Any] = {
    "weight": RNG.choice([0, 1.0, 2], 50),
    "strata": RNG.integers(0, 3, 50),
    "entry": TIME - 1.5,
}
SOME = [{}, *({name: DATA[name]} for name in DATA), DATA]


@pytest.mark.parametrize("data", SOME)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_a_call_with_a_plan_needs_no_data(data: Any, ties: Any) -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT, **data)
    assert isinstance(plan, fl.Plan)
    for x in (X, X.astype(np.float32)):
        for name in ("__call__", "value_and_grad", "value_grad_hess", "hvp"):
            method = getattr(fl.cox_ph_loss, name)
            v = {"v": X[::-1].astype(x.dtype)} if name == "hvp" else {}
            got = method(x, plan=plan, ties=ties, **v)
            want = method(x, TIME, EVENT, **data, ties=ties, **v)
            pairs = zip(got, want, strict=True) if type(got) is tuple else [(got, want)]
            assert all(same(a, b) for a, b in pairs)


def test_what_a_plan_says_of_itself() -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT)
    events = int(EVENT.sum())
    assert repr(plan) == f"<plan of cox_ph_loss: 50 rows, {events} events>"
    assert (plan.loss, plan.rows, plan.events) == ("cox_ph_loss", 50, events)
    assert {"loss", "rows", "events", "strata"} <= set(dir(plan))
    strata = fl.cox_ph_loss.plan(TIME, EVENT, strata=DATA["strata"])
    assert repr(strata).endswith(" events, 3 strata>")
    assert repr(fl.cox_ph_loss.plan([1], [1], strata=["a"])).endswith("1 row, 1 event, 1 stratum>")
    with pytest.raises(AttributeError, match="a plan of cox_ph_loss has no attribute 'zzz'"):
        plan.zzz  # noqa: B018


def test_plans_cannot_be_changed() -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT, **DATA)
    for name in ("rows", "loss", "events", "zzz"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(plan, name, 3)
        with pytest.raises(AttributeError, match="cannot be changed"):
            delattr(plan, name)
    for array in plan._arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    time, weight = TIME.copy(), DATA["weight"].copy()
    plan = fl.cox_ph_loss.plan(time, EVENT, weight=weight)
    before = fl.cox_ph_loss(X, plan=plan)
    time[:], weight[:] = 0, 9
    assert same(before, fl.cox_ph_loss(X, plan=plan))


@pytest.mark.parametrize("data", SOME)
def test_copies_and_equality(data: Any) -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT, **data)
    assert copy.copy(plan) is plan and copy.deepcopy(plan) is plan
    again = [pickle.loads(pickle.dumps(plan, k)) for k in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    again.append(fl.cox_ph_loss.plan(TIME * 2.0 - 7, EVENT.astype(int), **_moved(data)))
    for other in again:
        assert other is not plan and other == plan and hash(other) == hash(plan)
        assert same(fl.cox_ph_loss(X, plan=other), fl.cox_ph_loss(X, plan=plan))
        with pytest.raises(ValueError, match="read-only"):
            other._arrays[0][0] = 1
    others = [fl.cox_ph_loss.plan(TIME, EVENT, **more) for more in SOME if more is not data]
    others.append(fl.cox_ph_loss.plan(TIME**2, EVENT[::-1], **data))
    others.append(fl.cox_ph_loss.plan(TIME, ~EVENT, **data))
    assert plan not in others and plan != 3


def _moved(data: dict[str, Any]) -> dict[str, Any]:
    moved = dict(data)
    if "entry" in data:
        moved["entry"] = data["entry"] * 2.0 - 7
    return moved


def test_a_pickle_that_was_changed() -> None:
    """Kernels trust the arrays of a plan, so that these are looked at."""
    plan = fl.cox_ph_loss.plan(TIME, EVENT, **DATA)
    order, kinds, weights, ties, strata, _, until = range(7)
    for k, bad in (
        *((k, plan._arrays[k][:-1]) for k in range(7)),
        *((k, plan._arrays[k].astype(np.float32)) for k in range(7)),
        *((k, None) for k in (order, kinds, ties, strata)),
        (order, plan._arrays[order] + 20),
        (order, plan._arrays[order] - 20),
        (kinds, plan._arrays[kinds] + 1),
        (kinds, plan._arrays[kinds] * 0),
        (ties, plan._arrays[ties] + 1),
        (ties, plan._arrays[ties] * 2),
        (strata, plan._arrays[strata][::-1]),
        (strata, plan._arrays[strata] + 1),
        (until, plan._arrays[until] + 1000),
        (until, plan._arrays[until] - 1000),
        (weights, plan._arrays[weights][:, None]),
    ):
        arrays = list(plan._arrays)
        arrays[k] = None if bad is None else np.ascontiguousarray(bad)
        with pytest.raises((ValueError, TypeError)):
            _restored(plan.loss, plan.rows, tuple(arrays), plan._facts)
    with pytest.raises(ValueError, match="plan: its arrays"):
        _restored(plan.loss, 20, plan._arrays, plan._facts)


def test_what_is_refused() -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT)
    for name, value in {"time": TIME, "event": EVENT, **DATA}.items():
        given = {name: value, "plan": plan}
        with pytest.raises(TypeError, match=rf"^{name}: cannot be given together with plan="):
            fl.cox_ph_loss(X, **given)
    with pytest.raises(ValueError, match=r"^plan: it is of 50 rows, but input has 49"):
        fl.cox_ph_loss(X[1:], plan=plan)
    other = Plan("some_loss", 50, plan._arrays, plan._facts)
    with pytest.raises(ValueError, match=r"^plan: this is a plan of some_loss; one of cox_ph_loss"):
        fl.cox_ph_loss(X, plan=other)
    with pytest.raises(TypeError, match=r"^cox_ph_loss.plan: missing a required argument: 'event'"):
        fl.cox_ph_loss.plan(TIME)
    with pytest.raises(TypeError, match=r"^cox_ph_loss.plan: got an unexpected .*'ties'"):
        fl.cox_ph_loss.plan(TIME, EVENT, ties="efron")
    with pytest.raises(ValueError, match=r"^event: the value at \[0\] is 7"):
        fl.cox_ph_loss.plan([1], [7])
    with pytest.raises(AttributeError, match="mse_loss has no plans"):
        fl.mse_loss.plan  # noqa: B018


def test_signatures() -> None:
    assert not hasattr(fl.mse_loss, "plan") and fl.mse_loss.planner is None
    method = fl.cox_ph_loss.plan
    assert method.__qualname__ == "cox_ph_loss.plan" and "cox_ph_loss" in method.__doc__
    parameters = inspect.signature(method).parameters
    assert list(parameters) == ["time", "event", "weight", "strata", "entry"]
    assert [p.default is p.empty for p in parameters.values()] == [True] * 2 + [False] * 3
    of_loss = inspect.signature(fl.cox_ph_loss).parameters
    assert (
        of_loss["time"].default is None and of_loss["plan"].kind is inspect.Parameter.KEYWORD_ONLY
    )
    product = inspect.signature(fl.cox_ph_loss.hvp).parameters["v"]
    assert product.kind is product.KEYWORD_ONLY and product.default is product.empty
    by_keyword = "v : array_like, keyword only"
    assert by_keyword in fl.cox_ph_loss.hvp.__doc__ and by_keyword not in fl.mse_loss.hvp.__doc__
    bound = fl.CoxPHLoss(plan=fl.cox_ph_loss.plan(TIME, EVENT))
    for hvp, args in (
        (fl.cox_ph_loss.hvp, (X, TIME, EVENT)),
        (fl.cox_ph_loss.hvp, (X, TIME, EVENT, X)),
        (bound.hvp, (X, X)),
    ):
        with pytest.raises(TypeError, match=r"^cox_ph_loss.hvp: v must be given by keyword"):
            hvp(*args)
    with pytest.raises(TypeError, match=r"^cox_ph_loss: too many positional"):
        fl.cox_ph_loss.hvp(X, TIME, EVENT, X, v=X)


def test_criteria() -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT)
    criterion = fl.CoxPHLoss(ties="breslow")
    assert repr(criterion) == "CoxPHLoss(ties='breslow')"
    want = fl.cox_ph_loss.value_and_grad(X, TIME, EVENT, ties="breslow")
    for got in (criterion.value_and_grad(X, TIME, EVENT), criterion.value_and_grad(X, plan=plan)):
        assert all(map(same, got, want))
    bound = fl.CoxPHLoss(ties="breslow", plan=plan)
    assert all(map(same, bound.value_and_grad(X), want))
    assert same(bound.hvp(X, v=X), fl.cox_ph_loss.hvp(X, v=X, plan=plan, ties="breslow"))
    assert same(bound(X, TIME, EVENT, plan=None), want[0])
    with pytest.raises(TypeError, match=r"^time: cannot be given together"):
        bound(X, TIME, EVENT)
    alike = fl.CoxPHLoss(ties="breslow", plan=fl.cox_ph_loss.plan(TIME, EVENT))
    assert bound == alike and hash(bound) == hash(alike) and bound != criterion
    assert pickle.loads(pickle.dumps(bound)) == bound
    with pytest.raises(TypeError, match=r"^strata: cannot be given together"):
        fl.CoxPHLoss(plan=plan, strata=DATA["strata"])
    with pytest.raises(TypeError, match=r"^plan: "):
        bound.plan = TIME
    ids = fl.CoxPHLoss(strata=["a", "b"] * 25)
    assert ids == fl.CoxPHLoss(strata=np.array(["a", "b"] * 25)) != fl.CoxPHLoss(strata=["a"] * 50)
    assert hash(ids) == hash(copy.deepcopy(ids))


def test_threads_share_a_plan() -> None:
    plan = fl.cox_ph_loss.plan(TIME, EVENT, **DATA)
    inputs = [RNG.normal(size=50) for _ in range(40)]
    want = [fl.cox_ph_loss.value_and_grad(x, plan=plan) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda x: fl.cox_ph_loss.value_and_grad(x, plan=plan), inputs * 3))
    for k, parts in enumerate(got):
        assert all(map(same, parts, want[k % 40]))
