"""Losses of groups of consecutive rows: beside other packages, at their edges, with plans."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses.case import mp
from tests.losses.grouped import exact_conditional_logit, exact_list_mle
from tests.samples import same

RECORD = json.loads((Path(__file__).parent / "data" / "grouped_parity.json").read_text())
inf, nan = np.inf, np.nan
LOSSES = {"list_mle_loss": "relevance", "xe_ndcg_loss": "relevance"}
LOSSES["conditional_logit_loss"] = "chosen"
LOSS = pytest.mark.parametrize("name", LOSSES)


def sample(name: str, groups: int = 40, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 9, groups)
    n = sizes.sum()
    top = 2 if name == "conditional_logit_loss" else 5
    return {"x": rng.normal(size=n), "label": rng.integers(0, top, n), "group_sizes": sizes}


def run(name: str, x: Any, label: Any, **options: Any) -> Any:
    return getattr(fl, name).value_grad_hess(x, label, **options)


# ---- other packages ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", RECORD["cases"], ids=lambda c: c["package"])
def test_recorded(case: dict[str, Any]) -> None:
    """Rax and statsmodels in all digits, LightGBM in float32's."""
    got = run(
        case["loss"],
        RECORD["input"],
        case["label"],
        group_sizes=RECORD["group_sizes"],
        reduction="sum",
        **case["options"],
    )
    rtol = 2e-5 if case["package"] == "lightgbm" else 1e-12
    compared = 0
    for name, part in zip(("value", "grad", "hess"), got, strict=True):
        if case[name] is not None:
            known = ~np.isnan(case[name])
            want = np.asarray(case[name])[known]
            np.testing.assert_allclose(np.asarray(part)[known], want, rtol=rtol, atol=rtol)
            compared += np.mean(known) > 0.5
    assert compared >= 2


def test_allrank() -> None:
    """Its formula, on one list without ties; it adds 1e-10 within the logarithm."""
    x, rank = np.array(RECORD["input"][:5]), np.array([2, 4, 0, 3, 1])
    ordered = x[np.argsort(-rank)] - x.max()
    sums = np.cumsum(np.exp(ordered)[::-1])[::-1]
    theirs = (np.log(sums + 1e-10) - ordered).sum()
    np.testing.assert_allclose(fl.list_mle_loss(x, rank, group_sizes=[5]), theirs, rtol=1e-9)


# ---- what it is ----------------------------------------------------------------------------------


def test_one_chosen_is_softmax_cross_entropy() -> None:
    rng = np.random.default_rng(3)
    x, label = rng.normal(size=(50, 6)), rng.integers(0, 6, 50)
    chosen = np.arange(6) == label[:, None]
    sizes = np.full(50, 6)
    want = fl.cross_entropy.value_grad_hess(x, label, reduction="sum")
    for turned in (1, -1):  # all but one are chosen of what is turned
        marks = chosen if turned == 1 else ~chosen
        got = run(
            "conditional_logit_loss",
            turned * x.ravel(),
            marks.ravel(),
            group_sizes=sizes,
            reduction="sum",
        )
        np.testing.assert_allclose(got[0], want[0], rtol=1e-14)
        np.testing.assert_allclose(turned * got[1].reshape(x.shape), want[1], atol=1e-15)
        np.testing.assert_allclose(got[2].reshape(x.shape), want[2], atol=1e-15)


def test_two_rows_are_a_logistic_loss() -> None:
    """The first is more relevant, or chosen."""
    x = np.array([[0.5, 2.0], [-40.0, 40.0], [40.0, -40.0], [3.0, 3.0]])
    lead = x[:, 0] - x[:, 1]
    want = fl.soft_margin_loss.value_and_grad(lead, np.ones(4), reduction="none")
    for name in ("list_mle_loss", "conditional_logit_loss"):
        value, grad, _ = run(name, x.ravel(), [1, 0] * 4, group_sizes=[2] * 4, reduction="none")
        np.testing.assert_allclose(value, want[0], rtol=1e-15)
        np.testing.assert_allclose(grad[::2], want[1], rtol=1e-15)
        np.testing.assert_allclose(grad[1::2], -want[1], rtol=1e-15)


def test_list_mle_is_cox() -> None:
    a = sample("list_mle_loss", 30)
    ids = np.repeat(np.arange(30), a["group_sizes"])
    everyone = np.ones(len(ids), int)
    for ties in ("efron", "breslow"):
        got = run("list_mle_loss", a["x"], a["label"], group_ids=ids, ties=ties, reduction="sum")
        want = fl.cox_ph_loss.value_grad_hess(
            a["x"], -a["label"], everyone, strata=ids, ties=ties, reduction="sum"
        )
        for p, q in zip(got, want, strict=True):
            np.testing.assert_allclose(p, q, rtol=1e-13, atol=1e-15)
        v = np.random.default_rng(1).normal(size=len(ids))
        np.testing.assert_allclose(
            fl.list_mle_loss.hvp(
                a["x"], a["label"], v=v, group_ids=ids, ties=ties, reduction="sum"
            ),
            fl.cox_ph_loss.hvp(
                a["x"], -a["label"], everyone, v=v, strata=ids, ties=ties, reduction="sum"
            ),
            rtol=1e-12,
            atol=1e-15,
        )


def test_equal_relevances_keep_their_order() -> None:
    x = np.array([0.3, -1.0, 2.0, 0.7, 0.1])
    ordered = fl.list_mle_loss(x, [9, 8, 7, 6, 5], group_sizes=[5])
    assert fl.list_mle_loss(x, [1, 1, 1, 1, 1], group_sizes=[5]) == ordered
    assert fl.list_mle_loss(x, [inf, inf, 2**40, 2**40, -inf], group_sizes=[5]) == ordered
    huge = np.array([2**63 + 2, 2**63 + 1, 2**63, 1, 0], np.uint64)  # alike as float64
    assert fl.list_mle_loss(x, huge, group_sizes=[5]) == ordered
    assert fl.list_mle_loss(x, huge[::-1], group_sizes=[5]) != ordered
    far = np.array([2**63 - 1, 2**63 - 2, 0, -(2**63) + 1, -(2**63)])
    assert fl.list_mle_loss(x, far, group_sizes=[5]) == ordered
    bits = np.array([True, True, False, False, False])
    assert fl.list_mle_loss(x, bits, group_sizes=[5]) == ordered


def test_gains_of_any_size() -> None:
    """2^31 and far beyond, where the table of gains of LightGBM ends."""
    x = [0.5, -0.25, 1.0]
    for top in (30, 31, 40, 1000, 5000):
        value, grad, _ = run("xe_ndcg_loss", x, [top, top - 1, top - 2], group_sizes=[3])
        q = np.array([4, 2, 1]) / 7
        p = np.exp(x) / np.exp(x).sum()
        np.testing.assert_allclose(value, -q @ np.log(p), rtol=1e-14)
        np.testing.assert_allclose(grad, p - q, atol=1e-15)
    half = fl.xe_ndcg_loss(x, [0.5, 1.5, 0.25], group_sizes=[3])
    q = 2 ** np.array([0.5, 1.5, 0.25])
    np.testing.assert_allclose(half, -(q / q.sum()) @ np.log(p), rtol=1e-14)
    nothing = run("xe_ndcg_loss", x, [0, 0, 0], group_sizes=[3], noise=1)
    assert nothing[0] == 0 and not nothing[1].any() and not nothing[2].any()


def test_newton_terms() -> None:
    """With many of them the gradient is D H⁻¹ g, where that series converges; the Hessian has no
    inverse, but the step is right but for what is common to all."""
    x, t = np.array([0.1, -0.2, 0.3, 0.0]), [2, 0, 1, 0]
    _, g, h = run("xe_ndcg_loss", x, t, group_sizes=[4])
    p = np.exp(x) / np.exp(x).sum()
    hessian = np.diag(p) - np.outer(p, p)
    want = np.linalg.lstsq(hessian, g, rcond=None)[0]
    errors = []
    for terms in (0, 1, 2, 5, 100):
        step = run("xe_ndcg_loss", x, t, group_sizes=[4], newton_terms=terms)[1] / h
        errors.append(np.abs((step - step.mean()) - (want - want.mean())).max())
    assert errors == sorted(errors, reverse=True) and errors[-1] < 1e-10 < errors[2]


# ---- the recursion -------------------------------------------------------------------------------


def sums_over_sets(x: Any, k: int) -> Any:
    """The sum over all sets of k, in many bits."""
    sums = [mp.mpf(1)] + [mp.mpf(0)] * k
    for u in (mp.exp(mp.mpf(float(a))) for a in x):
        for j in range(k, 0, -1):
            sums[j] += u * sums[j - 1]
    return sums[k]


@pytest.mark.parametrize(
    ("n", "k", "spread"),
    [(12, 5, 1), (65, 2, 3), (64, 62, 3), (200, 70, 1), (150, 75, 20), (90, 30, 200)],
)
def test_many_chosen_of_many(n: int, k: int, spread: float) -> None:
    """Beside the sums in 160 bits."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=n) * spread
    chosen = np.zeros(n, int)
    chosen[rng.permutation(n)[:k]] = 1
    value, grad, hess = run("conditional_logit_loss", x, chosen, group_sizes=[n])
    total = sums_over_sets(x, k)
    want = mp.log(total) - mp.fsum(mp.mpf(float(a)) for a in x[chosen == 1])
    np.testing.assert_allclose(value, float(want), rtol=1e-15)
    for i in rng.choice(n, 5, replace=False):
        others = np.delete(x, i)
        p = mp.exp(mp.mpf(float(x[i]))) * sums_over_sets(others, k - 1) / total
        q = sums_over_sets(others, k) / total
        np.testing.assert_allclose(grad[i], float(-q if chosen[i] else p), rtol=2e-14)
        np.testing.assert_allclose(hess[i], float(p * q), rtol=4e-14)
    np.testing.assert_allclose(grad.sum(), 0, atol=1e-13)


def test_thousands_of_rows() -> None:
    """Where binomials overflow: a half of equal rows is chosen."""
    n = 5000
    x, chosen = np.full(n, 700.0), np.arange(n) % 2
    value, grad, hess = run("conditional_logit_loss", x, chosen, group_sizes=[n])
    gamma = mp.loggamma
    one, half = mp.mpf(n + 1), mp.mpf(n // 2 + 1)
    np.testing.assert_allclose(value, float(gamma(one) - 2 * gamma(half)), rtol=1e-13)
    np.testing.assert_allclose(grad, 0.5 - chosen, rtol=1e-12)
    np.testing.assert_allclose(hess, 0.25, rtol=1e-12)


@pytest.mark.parametrize("gap", [17.0, 40.0, 100.0, 340.0])
def test_confident_sets(gap: float) -> None:
    """Nothing is taken from 1."""
    x = np.array([gap, gap + 1, 0, 0.5, gap - 1, -0.25])
    chosen = np.array([1, 1, 0, 0, 1, 0])
    numbers = np.array([mp.mpf(a) for a in x.tolist()], object)
    value, g, h = exact_conditional_logit(numbers, chosen)
    got = run("conditional_logit_loss", x, chosen, group_sizes=[6])
    np.testing.assert_allclose(got[0], float(value[0]), rtol=2e-15)
    np.testing.assert_allclose(got[1], [float(a) for a, _ in g], rtol=2e-15)
    np.testing.assert_allclose(got[2], [float(a) for a, _ in h], rtol=4e-15)
    value, *_ = exact_list_mle(numbers[[1, 0, 3]], np.array([2, 1, 0]))
    np.testing.assert_allclose(
        fl.list_mle_loss(x[[1, 0, 3]], [2, 1, 0], group_sizes=[3]), float(value[0]), rtol=2e-15
    )


@pytest.mark.parametrize(
    ("x", "chosen", "value", "grad"),
    [
        ([inf, inf, 1, 2], [1, 1, 0, 0], 0, [0, 0, 0, 0]),
        ([inf, inf, 1, 2], [1, 0, 1, 0], inf, [0, 1, -1, 0]),
        ([-inf, -inf, 1, 2], [0, 0, 1, 1], 0, [0, 0, 0, 0]),
        ([-inf, 0, 0, 0], [0, 1, 1, 0], np.log(3), [0, -1 / 3, -1 / 3, 2 / 3]),
        ([inf, 0, 0, 0], [1, 1, 0, 0], np.log(3), [0, -2 / 3, 1 / 3, 1 / 3]),
        ([inf, inf, inf, 2], [1, 1, 0, 0], nan, [nan] * 4),
        ([-inf, -inf, -inf, 2], [1, 1, 0, 0], nan, [nan] * 4),
        ([1e30, 1e30, 1e30, 1e30, 0], [1, 1, 0, 0, 0], np.log(6), [-0.5, -0.5, 0.5, 0.5, 0]),
        ([1e30, -1e30, 0, 50], [0, 1, 1, 0], 2e30, [1, -1, -1, 1]),
        ([5, 5, 5], [0, 0, 0], 0, [0, 0, 0]),
        ([5, inf, nan][:2], [1, 1], 0, [0, 0]),
    ],
)
def test_limits_of_sets(x: Any, chosen: Any, value: float, grad: Any) -> None:
    got = run("conditional_logit_loss", x, chosen, group_sizes=[len(x)])
    np.testing.assert_allclose(got[0], value, rtol=1e-15)
    np.testing.assert_allclose(got[1], grad, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "x", "label", "value", "grad"),
    [
        ("list_mle_loss", [inf, 0, 0], [2, 1, 0], np.log(2), [0, -0.5, 0.5]),
        ("list_mle_loss", [inf, 0, 0], [0, 1, 2], inf, [2, -1, -1]),
        ("list_mle_loss", [-inf, 0, 0], [0, 1, 2], np.log(2), [0, 0.5, -0.5]),
        ("list_mle_loss", [-inf], [0], 0, [0]),
        ("list_mle_loss", [1e30, -1e30], [0, 1], 2e30, [1, -1]),
        ("xe_ndcg_loss", [0, -inf, 0], [0, 0, 0], inf, [1 / 6, -1 / 3, 1 / 6]),
        ("xe_ndcg_loss", [inf, 0], [60, 0], inf, [2**-60, -(2**-60)]),
        ("xe_ndcg_loss", [inf, inf], [1, 0], nan, [nan, nan]),
        ("xe_ndcg_loss", [-inf, -inf], [1, 0], nan, [nan, nan]),
        ("xe_ndcg_loss", [inf], [1], 0, [0]),
        ("xe_ndcg_loss", [-30.0, 30.0], [1, 0], 40 + 2 / 3 * 0, [-2 / 3, 2 / 3]),
    ],
)
def test_limits(name: str, x: Any, label: Any, value: float, grad: Any) -> None:
    got = run(name, x, label, group_sizes=[len(x)])
    np.testing.assert_allclose(got[0], value, rtol=1e-15)
    np.testing.assert_allclose(got[1], grad, rtol=1e-15, atol=1e-25)


# ---- groups --------------------------------------------------------------------------------------


@LOSS
def test_groups_are_losses_of_their_own(name: str) -> None:
    a = sample(name)
    sizes = a["group_sizes"]
    assert (sizes == 0).any() and (sizes == 1).any()
    value, grad, hess = run(name, a["x"], a["label"], group_sizes=sizes, reduction="none")
    for k, stop in enumerate(np.cumsum(sizes)):
        rows = slice(stop - sizes[k], stop)
        alone = run(name, a["x"][rows], a["label"][rows], group_sizes=[sizes[k]], reduction="sum")
        assert value[k] == alone[0]
        assert same(grad[rows], alone[1]) and same(hess[rows], alone[2])
    ids = np.repeat(np.arange(len(sizes)), sizes)
    again = run(name, a["x"], a["label"], group_ids=ids * 3 - 7, reduction="none")
    assert same(again[0], value[sizes > 0]) and same(again[1], grad)
    names = np.char.add("query ", np.char.zfill(ids.astype(str), 3))
    assert same(run(name, a["x"], a["label"], group_ids=names)[1], grad / np.count_nonzero(sizes))


@LOSS
def test_what_does_not_count(name: str) -> None:
    """Rows that are masked, and groups without weight, whatever they hold; the mean is over the
    other groups."""
    a = sample(name, seed=2)
    sizes = a["group_sizes"]
    rng = np.random.default_rng(1)
    where = rng.random(len(a["x"])) < 0.7
    weight = rng.choice([0, 0.5, 2], len(sizes))
    there = where & np.repeat(weight != 0, sizes)
    left = np.add.reduceat(np.append(there, 0), np.cumsum(sizes) - sizes) * (sizes > 0)
    kept = left > 0
    assert not kept.all()
    spoiled, label = np.where(there, a["x"], nan), np.where(there, a["label"], 7.5).astype(float)
    label[np.flatnonzero(~there)[::2]] = nan
    for reduction in ("mean", "sum", "weighted_mean", "sum_by_nonzero_weights"):
        value, grad, hess = run(
            name,
            spoiled,
            label,
            group_sizes=sizes,
            where=where,
            weight=weight,
            reduction=reduction,
        )
        want = run(
            name,
            a["x"][there],
            a["label"][there],
            group_sizes=left[kept],
            weight=weight[kept],
            reduction=reduction,
        )
        np.testing.assert_allclose(value, want[0], rtol=1e-14)
        for got, right in ((grad, want[1]), (hess, want[2])):
            np.testing.assert_allclose(got[there], right, rtol=1e-14, atol=1e-17)
            assert not got[~there].any()
    each = run(
        name, spoiled, label, group_sizes=sizes, where=where, weight=weight, reduction="none"
    )
    assert not each[0][~kept].any()
    for reduction, found in (("mean", nan), ("sum", 0), ("weighted_mean", 0)):
        nothing = run(name, a["x"], a["label"], group_sizes=sizes, where=False, reduction=reduction)
        np.testing.assert_array_equal(nothing[0], found)
        assert not nothing[1].any()


@LOSS
def test_nan_stays_in_its_group(name: str) -> None:
    a = sample(name, seed=4)
    sizes = a["group_sizes"]
    plain = run(name, a["x"], a["label"], group_sizes=sizes, reduction="none")
    ids = np.repeat(np.arange(len(sizes)), sizes)
    group = int(np.argmax(sizes))
    for row in np.flatnonzero(ids == group):
        x = a["x"].copy()
        x[row] = nan
        got = run(name, x, a["label"], group_sizes=sizes, reduction="none")
        assert np.isnan(got[0][group]) and np.isnan(got[1][ids == group]).all()
        for p, q, where in zip(got, plain, (np.arange(len(sizes)), ids, ids), strict=True):
            assert same(p[where != group], q[where != group])


@LOSS
@pytest.mark.parametrize("groups", [1, 7, 30_000])
def test_threads(name: str, groups: int) -> None:
    """One long group, a few, and many of all sizes: the same bits."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 9, groups) if groups > 9 else np.full(groups, 42_000 // groups)
    n = sizes.sum()
    x, label = rng.normal(size=n), (rng.random(n) < 0.001).astype(int)
    plan = getattr(fl, name).plan(label, group_sizes=sizes)
    found = []
    for threads in (1, 2, 5):
        fl.set_num_threads(threads)
        found.append(getattr(fl, name).value_grad_hess(x, plan=plan))
    assert all(same(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


# ---- plans ---------------------------------------------------------------------------------------


@LOSS
def test_plans(name: str) -> None:
    a = sample(name, seed=5)
    loss, sizes = getattr(fl, name), a["group_sizes"]
    rng = np.random.default_rng(0)
    for more in ({}, {"where": rng.random(len(a["x"])) < 0.6, "weight": rng.random(len(sizes))}):
        plan = loss.plan(a["label"], group_sizes=sizes, **more)
        assert (plan.rows, plan.groups) == (len(a["x"]), len(sizes))
        want = loss.value_grad_hess(a["x"], a["label"], group_sizes=sizes, **more)
        for given in (plan, pickle.loads(pickle.dumps(plan))):
            assert given == plan
            got = loss.value_grad_hess(a["x"], plan=given)
            assert all(map(same, got, want))
    with pytest.raises(TypeError, match=r"^group_sizes: cannot be given together with plan="):
        loss(a["x"], plan=plan, group_sizes=sizes)
    with pytest.raises(ValueError, match=r"^plan: it is of"):
        loss(a["x"][1:], plan=plan)
    with pytest.raises(ValueError, match=r"^plan: this is a plan of"):
        loss(a["x"], plan=fl.cox_ph_loss.plan([1], [1]))


@LOSS
def test_plans_that_were_changed(name: str) -> None:
    """A pickle may hold anything: no address outside of the arrays is used."""
    a = sample(name, seed=5)
    where = np.arange(len(a["x"])) % 3 > 0
    plan = getattr(fl, name).plan(a["label"], group_sizes=a["group_sizes"], where=where)
    restore, (_, rows, arrays, facts) = plan.__reduce__()
    changed = 0
    for k, array in enumerate(arrays):
        if array is None or array.dtype.kind == "f" or not array.size:
            continue
        for number in (-1, 10**6) if array.dtype != np.uint8 else (7,):
            bad = array.copy()
            bad[array.size // 2] = number
            with pytest.raises(ValueError, match=r"^plan: its arrays"):
                restore(name, rows, (*arrays[:k], bad, *arrays[k + 1 :]), facts)
            changed += 1
        with pytest.raises(ValueError, match=r"^(plan|kernel): "):
            restore(name, rows, (*arrays[:k], array[: array.size // 2], *arrays[k + 1 :]), facts)
    assert changed >= 4


@LOSS
def test_memory(name: str) -> None:
    """With a plan and buffers a call allocates what grows with the longest group alone; ListMLE a
    number for each row."""
    rng = np.random.default_rng(0)
    sizes = np.full(40_000, 10)
    x, label = rng.normal(size=400_000), rng.integers(0, 2, 400_000)
    loss = getattr(fl, name)
    plan = loss.plan(label, group_sizes=sizes)
    buffers = {"grad_out": np.empty_like(x), "hess_out": np.empty_like(x)}
    loss.value_grad_hess(x, plan=plan, **buffers)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        loss.value_grad_hess(x, plan=plan, **buffers)
        used = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert used < 20_000, used


# ---- errors --------------------------------------------------------------------------------------


@LOSS
@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, ValueError, "^group_sizes, group_ids: one of the two is needed"),
        (
            {"group_sizes": [3], "group_ids": [1, 1, 1]},
            ValueError,
            "^group_sizes, group_ids: only one of them",
        ),
        ({"group_sizes": [1, 1]}, ValueError, "^group_sizes: they sum up to 2, but there are 3"),
        ({"group_sizes": [4, -1]}, ValueError, r"^group_sizes: the value at \[0\] is 4"),
        ({"group_sizes": [1.5, 1.5]}, TypeError, "^group_sizes: an integer dtype"),
        ({"group_sizes": [[3]]}, ValueError, r"^group_sizes: shape \(groups,\)"),
        ({"group_ids": [2, 1, 1]}, ValueError, "^group_ids: they must be sorted"),
        ({"group_ids": [1, 1]}, ValueError, "^group_ids: an id for each row"),
        ({"group_sizes": [3], "where": [1, 0]}, ValueError, "^where: shape"),
        ({"group_sizes": [3], "weight": [1, 2]}, ValueError, "^weight: shape .* the groups"),
        ({"group_sizes": [3], "reduction": "max"}, ValueError, "^reduction: must be one of"),
        ({"group_sizes": [3], "plan": 3}, TypeError, "^plan: what"),
    ],
)
def test_errors(name: str, options: Any, error: type[Exception], match: str) -> None:
    for method in ("__call__", "value_and_grad", "value_grad_hess"):
        with pytest.raises(error, match=match):
            getattr(getattr(fl, name), method)([0.5, 1.0, 0.0], [1, 0, 0], **options)


@pytest.mark.parametrize(
    ("name", "label", "options", "match"),
    [
        ("list_mle_loss", [1, nan, 0], {}, r"^relevance: the value at \[1\] is nan"),
        ("list_mle_loss", [1, 0, 0], {"ties": "random"}, "^ties: must be one of order, efron"),
        ("xe_ndcg_loss", [1, -1, 0], {}, r"^relevance: the value at \[1\] is -1"),
        ("xe_ndcg_loss", [1.0, inf, 0], {}, r"^relevance: the value at \[1\] is inf"),
        ("xe_ndcg_loss", [1, 0, 0], {"noise": 1.5}, r"^noise: the value at \[0\] is 1.5"),
        ("xe_ndcg_loss", [1, 0, 0], {"noise": [0, 0, -0.25]}, r"^noise: the value at \[2\]"),
        ("xe_ndcg_loss", [1, 0, 0], {"noise": [0, 0]}, "^noise: shape"),
        ("xe_ndcg_loss", [1, 0, 0], {"newton_terms": -1}, "^newton_terms: a number from 0 to 100"),
        ("conditional_logit_loss", [1, 2, 0], {}, r"^chosen: the value at \[1\] is 2"),
        ("conditional_logit_loss", [1, 0.5, 0], {}, r"^chosen: the value at \[1\] is 0.5"),
    ],
)
def test_numbers_that_are_not_accepted(name: str, label: Any, options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        run(name, [0.5, 1.0, 0.0], label, group_sizes=[3], **options)


def test_noise_of_rows_that_do_not_count() -> None:
    x, t, where = [1.0, 2.0, 0.5], [1, 0, 2], [1, 0, 1]
    for noise in (nan, inf, -3.0):
        got = run("xe_ndcg_loss", x, t, group_sizes=[3], where=where, noise=[0.5, noise, 0.25])
        want = run("xe_ndcg_loss", [1.0, 0.5], [1, 2], group_sizes=[2], noise=[0.5, 0.25])
        assert same(got[0], want[0]) and same(got[1][[0, 2]], want[1])
    with pytest.raises(ValueError, match=r"^noise: the value at \[2\] is 7"):
        fl.xe_ndcg_loss(x, t, group_sizes=[3], where=where, noise=[0.5, 9, 7])
    assert np.isnan(fl.xe_ndcg_loss(x, t, group_sizes=[3], noise=[0.5, nan, 0.25]))
