"""Losses of NDCG: what boosters compute, orders and ties, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss._core.plans import _restored
from tests.losses import ndcg as twins

DATA = Path(__file__).parent / "data" / "ndcg_parity.json"
RECORD: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
QUERIES = {n: np.array(v) for n, v in RECORD["queries"].items()}
Array = np.ndarray[Any, Any]
LOSSES = pytest.mark.parametrize("name", ["lambdarank_loss", "approx_ndcg_loss"])


def derivatives(**options: Any) -> tuple[Any, Array, Array]:
    result: Any = fl.lambdarank_loss.value_grad_hess(**QUERIES, reduction="sum", **options)
    return result


# ---- what boosters compute -----------------------------------------------------------------------


def read_from_table(scores: Array, sigma: float) -> Array:
    """LightGBM's logistic function: the value at the left end of one of 2^20 pieces."""
    bins, least = 1024 * 1024, -50 / sigma / 2
    piece = np.floor((scores - least) * (bins / (-2 * least))) / (bins / (-2 * least)) + least
    return 1 / (1 + np.exp(piece * sigma))


def by_table(options: dict[str, Any], weight: Any) -> tuple[Array, Array]:
    """LightGBM's derivatives, in float64, with its table."""
    sigma, k = options.get("sigma", 1.0), options.get("truncation", 30)
    normed = options.get("normalization", True)
    x, t = QUERIES["input"], QUERIES["relevance"]
    grad, hess = np.zeros((2, len(x)))
    for part in twins.parts_of(QUERIES["group_sizes"]):
        order = part.start + np.argsort(-x[part], kind="stable")
        s, r, n = x[order], t[order], len(order)
        table = options.get("gain")
        gains = np.exp2(r) - 1.0 if table is None else np.array(table, float)[r]
        discounts = 1 / np.log2(np.arange(2, n + 2))
        there = (np.arange(n)[:, None] < min(k, n)) & np.triu(r[:, None] != r, 1)
        if not there.any():
            continue
        sign = np.sign(r[:, None] - r)
        d = sign * (s[:, None] - s)
        change = np.abs((gains[:, None] - gains) * (discounts[:, None] - discounts))
        change /= twins.best_dcg(gains, k)
        if normed and s[0] != s[-1]:
            change /= np.float64(np.float32(0.01)) + np.abs(d)
        p = read_from_table(d, sigma)
        slope = np.where(there, sigma * change * p, 0)
        curve = np.where(there, sigma**2 * change * p * (1 - p), 0)
        total = 2 * slope.sum()
        factor = np.log2(1 + total) / total if normed else 1.0
        grad[order] = factor * ((sign * slope).sum(axis=0) - (sign * slope).sum(axis=1))
        hess[order] = factor * (curve.sum(axis=0) + curve.sum(axis=1))
    w = 1.0 if weight is None else np.array(weight)
    return grad * w, hess * w


def near(got: Array, expected: Any, rtol: float) -> None:
    expected = np.array(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=rtol * np.abs(expected).max())


def of(booster: str) -> list[Any]:
    cases = [c for c in RECORD["boosters"] if c["booster"] == booster]
    return [pytest.param(c, id=str(k)) for k, c in enumerate(cases)]


@pytest.mark.parametrize("case", of("lightgbm"))
def test_lightgbm(case: dict[str, Any]) -> None:
    """To five digits, as it reads the logistic function from a table; with that table all that
    float32 has."""
    weight = case["weight"]
    _, grad, hess = derivatives(**case["options"], sample_weight=weight)
    near(grad, case["grad"], 1e-5)
    near(hess, case["hess"], 1e-5)
    grad, hess = by_table(case["options"], weight)
    near(grad, case["grad"], 5e-7)
    near(hess, case["hess"], 5e-7)


@pytest.mark.parametrize("case", of("xgboost"))
def test_xgboost(case: dict[str, Any]) -> None:
    """Its second derivatives are twice the exact ones, its weights have the mean 1."""
    weight = case["weight"]
    if weight is not None:
        weight = np.array(weight) / np.mean(weight)
    _, grad, hess = derivatives(**case["options"], weight=weight)
    near(grad, case["grad"], 5e-7)
    near(2 * hess, case["hess"], 5e-7)


@pytest.mark.parametrize("case", RECORD["approximations"], ids=lambda c: str(c["temperature"]))
def test_rax(case: dict[str, Any]) -> None:
    value, grad = fl.approx_ndcg_loss.value_and_grad(
        **QUERIES, temperature=case["temperature"], reduction="sum"
    )
    assert value == pytest.approx(case["value"], rel=1e-12)
    near(grad, case["grad"], 1e-12)


# ---- orders --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [2, 15, 16, 17, 256, 257, 272, 273, 600])
@pytest.mark.parametrize("ties", [False, True])
def test_sizes(n: int, dtype: Any, ties: bool) -> None:
    """Around the sizes of lanes and pieces, and where scores are sorted in another way."""
    rng = np.random.default_rng(n)
    x = rng.normal(0, 2, n)
    x = (np.round(x) if ties else x).astype(dtype)
    x[rng.integers(0, n, 2)] = [0.0, -0.0]
    arrays = {"input": x, "relevance": rng.integers(0, 5, n), "group_sizes": [n]}
    for options in ({}, {"truncation": None}, {"weighting": "pairwise", "truncation": 7}):
        value, grad = twins.lambdarank_loss_and_grad(**arrays, **options)
        got = fl.lambdarank_loss.value_and_grad(**arrays, **options)
        np.testing.assert_allclose(got[0], value, rtol=1e-5 if dtype is np.float32 else 1e-12)
        near(got[1], grad, 1e-6 if dtype is np.float32 else 1e-12)
    value, grad = twins.approx_ndcg_loss_and_grad(**arrays)
    got = fl.approx_ndcg_loss.value_and_grad(**arrays)
    np.testing.assert_allclose(got[0], value, rtol=1e-5 if dtype is np.float32 else 1e-12)
    near(got[1], grad, 2e-6 if dtype is np.float32 else 1e-12)


@pytest.mark.parametrize("n", [9, 400])
def test_equal_scores_keep_their_order(n: int) -> None:
    """The first of them comes first: as if it had a little more."""
    relevance = np.arange(n) % 3
    options: dict[str, Any] = {"group_sizes": [n], "score_normalization": False}
    equal = fl.lambdarank_loss.value_and_grad(np.zeros(n), relevance, **options)
    falling = fl.lambdarank_loss.value_and_grad(-1e-12 * np.arange(n), relevance, **options)
    np.testing.assert_allclose(equal[0], falling[0], rtol=1e-9)
    np.testing.assert_allclose(equal[1], falling[1], rtol=1e-7, atol=1e-12)


def test_all_scores_equal() -> None:
    """Then pairs are not divided by 0.01."""
    rows: dict[str, Any] = {"relevance": [0, 2, 1], "group_sizes": [3]}
    ours = [
        fl.lambdarank_loss.value_and_grad(np.full(3, x), **rows, score_normalization=divided)
        for x in (0.5, np.inf, -np.inf)
        for divided in (True, False)
    ]
    for value, grad in ours:
        assert value == ours[0][0] and np.array_equal(grad, ours[0][1])


@LOSSES
def test_no_pairs(name: str) -> None:
    """One document, none at all, equal relevances, and no gain."""
    loss = getattr(fl, name)
    sizes = [1, 0, 3, 2]
    value, grad, hess = loss.value_grad_hess(
        [2.0, 1, np.inf, 3, 4, -np.inf], [3, 0, 0, 0, 0, 0], group_sizes=sizes, reduction="none"
    )
    assert not value[1:].any() and not grad.any() and not hess.any()
    assert value[0] == (0 if name == "lambdarank_loss" else -1)
    assert fl.lambdarank_loss([1.0, 2.0], [4, 4], group_sizes=[2]) == 0


@LOSSES
def test_nan_spoils_its_query_only(name: str) -> None:
    x = np.array([1.0, np.nan, 0.5, 2.0, 1.0])
    parts = getattr(fl, name).value_grad_hess(
        x, [0, 1, 2, 1, 0], group_sizes=[3, 2], reduction="none"
    )
    for part, first in zip(parts, (1, 3, 3), strict=True):
        assert np.isnan(part[:first]).all() and np.isfinite(part[first:]).all()


def test_infinite_scores() -> None:
    """A pair in the wrong order by an infinite difference costs what there is: all, or the limit
    where it is divided by that difference."""
    rows: dict[str, Any] = {"relevance": [0, 1], "group_sizes": [2], "normalization": False}
    x = [np.inf, 0.0]
    value, grad, hess = fl.lambdarank_loss.value_grad_hess(x, **rows, score_normalization=False)
    change = 1 - 1 / np.log2(3)
    assert value == np.inf and not hess.any()
    np.testing.assert_allclose(grad, [change, -change], rtol=1e-15)
    value, grad, _ = fl.lambdarank_loss.value_grad_hess(x, **rows)
    assert value == pytest.approx(change) and not grad.any()
    value, grad, _ = fl.lambdarank_loss.value_grad_hess(x[::-1], **rows, score_normalization=False)
    assert value == 0 and not grad.any()


def test_relevances_beyond_31() -> None:
    """A pair weighs as much as its gains beside the best: up to the largest power of two."""
    for top in (31, 53, 200, 1023):
        for dtype in (np.float32, np.float64):
            x = np.array([0.5, 1.0, 0.0], dtype)
            parts = [
                fl.lambdarank_loss.value_grad_hess(x, [top, top - 1, t], group_sizes=[3])
                for t in (0, 1)
            ]
            assert all(np.isfinite(part).all() and np.any(part) for part in parts[0])
            gains = np.array([1, 0.5, 0.0])
            like = fl.lambdarank_loss.value_grad_hess(
                x.astype(float), [2, 1, 0], group_sizes=[3], gain=[*gains[::-1]]
            )
            for part, expected in zip(parts[0], like, strict=True):
                np.testing.assert_allclose(part, expected, rtol=3e-7 if top == 31 else 1e-6)
    assert np.isfinite(fl.approx_ndcg_loss([0.5, 1.0], [1023, 1023], group_sizes=[2]))
    fl.lambdarank_loss([0.5, 1.0], [1e300, 5], group_sizes=[2], gain="linear")


def test_gains() -> None:
    x, sizes = QUERIES["input"], QUERIES["group_sizes"]
    t = QUERIES["relevance"]
    run = fl.lambdarank_loss.value_and_grad
    for a, b in (
        ({"gain": "exponential"}, {}),
        ({"gain": [0, 1, 3, 7, 15]}, {}),
        ({"gain": np.arange(5)}, {"gain": "linear"}),
    ):
        one, two = run(x, t, group_sizes=sizes, **a), run(x, t, group_sizes=sizes, **b)
        assert one[0] == two[0] and np.array_equal(one[1], two[1])
    halves = run(x, t / 2, group_sizes=sizes)
    table = run(x, t, group_sizes=sizes, gain=2.0 ** (np.arange(5) / 2) - 1)
    np.testing.assert_allclose(halves[1], table[1], rtol=1e-9, atol=1e-15)


# ---- weights and plans ---------------------------------------------------------------------------


def test_rows_without_weight_are_not_there() -> None:
    rng = np.random.default_rng(5)
    weight = rng.choice([0, 1.0], len(QUERIES["input"]))
    x = np.where(weight == 0, np.nan, QUERIES["input"])
    there = weight != 0
    sizes = np.add.reduceat(there, np.cumsum(QUERIES["group_sizes"]) - QUERIES["group_sizes"])
    rows = {"relevance": QUERIES["relevance"], "group_sizes": QUERIES["group_sizes"]}
    got = fl.lambdarank_loss.value_grad_hess(x, **rows, sample_weight=weight, reduction="none")
    masked = fl.lambdarank_loss.value_grad_hess(x, **rows, where=there, reduction="none")
    alone = fl.lambdarank_loss.value_grad_hess(
        x[there], rows["relevance"][there], group_sizes=sizes, reduction="none"
    )
    for a, b, c in zip(got, masked, alone, strict=True):
        assert np.array_equal(a, b) and np.array_equal(a if len(a) == len(c) else a[there], c)
        assert len(a) == len(c) or not a[~there].any()


def test_weights_of_rows_and_groups() -> None:
    """A query whose rows have one weight is a query with that weight."""
    sizes = QUERIES["group_sizes"]
    weight = np.linspace(0.5, 2, len(sizes))
    rows = derivatives(sample_weight=np.repeat(weight, sizes))
    for a, b in zip(rows, derivatives(weight=weight), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-16)


@LOSSES
def test_plans(name: str) -> None:
    loss = getattr(fl, name)
    x, rows = QUERIES["input"], {n: v for n, v in QUERIES.items() if n != "input"}
    plan = loss.plan(**rows, gain="linear")
    for options in ({}, {"truncation": 3} if name == "lambdarank_loss" else {"temperature": 2.0}):
        got = loss.value_grad_hess(x, plan=plan, **options)
        for a, b in zip(
            got, loss.value_grad_hess(x, **rows, gain="linear", **options), strict=True
        ):
            assert np.array_equal(a, b)
    with pytest.raises(TypeError, match=r"^gain: cannot be given together with plan="):
        loss(x, plan=plan, gain="linear")


def test_value_alone_is_that_of_a_call_for_derivatives() -> None:
    for options in ({}, {"normalization": False}, {"weighting": "pairwise"}):
        value = fl.lambdarank_loss(**QUERIES, reduction="none", **options)
        more = fl.lambdarank_loss.value_grad_hess(**QUERIES, reduction="none", **options)
        assert np.array_equal(value, more[0])


# ---- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"truncation": 0}, ValueError, "^truncation: 1 or more, or None, is needed, got 0"),
        ({"truncation": 2.5}, TypeError, "^truncation: an integer"),
        ({"sigma": 0.0}, ValueError, "^sigma: a finite number from 1e-150 to 1e"),
        ({"sigma": np.inf}, ValueError, "^sigma: a finite number from 1e-150 to 1e"),
        ({"weighting": "map"}, ValueError, "^weighting: must be one of ndcg, pairwise"),
        ({"normalization": 1}, TypeError, "^normalization: True or False"),
        ({"score_normalization": None}, TypeError, "^score_normalization: True or False"),
        ({"gain": "square"}, ValueError, "^gain: 'exponential', 'linear' or an array"),
        ({"gain": [[1.0]]}, ValueError, r"^gain: gains of shape \(relevances,\)"),
        ({"gain": []}, ValueError, r"^gain: gains of shape"),
        ({"gain": [0, 2, 1, 3, 4]}, ValueError, "^gain: finite gains from 0 on"),
        ({"gain": [-1, 2]}, ValueError, "^gain: finite gains from 0 on"),
        ({"gain": [0, np.nan]}, ValueError, "^gain: finite gains from 0 on"),
        ({"gain": [0, 1, 2]}, ValueError, "^relevance: .*whole numbers from 0 to 2"),
        ({"sample_weight": -1.0}, ValueError, "^sample_weight: .*finite numbers from 0 on"),
        ({"sample_weight": [1.0, 2.0]}, ValueError, r"^sample_weight: shape \(2,\)"),
        ({"group_sizes": None}, ValueError, "^group_sizes, group_ids: one of the two"),
    ],
)
def test_bad_options(options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        fl.lambdarank_loss(**(QUERIES | options))


@LOSSES
@pytest.mark.parametrize(
    ("relevance", "options", "match"),
    [
        ([0, -1], {}, r"^relevance: .*numbers from 0 to 1023"),
        ([0, np.nan], {}, r"^relevance: .*numbers from 0 to 1023"),
        ([0, 1024], {}, r"^relevance: .*1024.*numbers from 0 to 1023"),
        ([0.0, np.inf], {"gain": "linear"}, r"^relevance: .*finite numbers from 0 on"),
        ([0, 1.5], {"gain": [0, 1]}, r"^relevance: .*whole numbers from 0 to 1"),
        ([0, 1, 2], {}, r"^(relevance|group_sizes): "),
    ],
)
def test_bad_relevances(name: str, relevance: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        getattr(fl, name)([0.5, 1.0], relevance, group_sizes=[2], **options)
    for value in (0.0, -1.0, 1e-320, 1e-160, np.nan):
        with pytest.raises(ValueError, match=r"^temperature: a finite number from 1e-150 to 1e"):
            fl.approx_ndcg_loss([0.5, 1.0], [1, 0], group_sizes=[2], temperature=value)


def test_parameters_out_of_the_range_of_float32() -> None:
    """They would become 0 or infinite, and equal scores nan or far apart."""
    x = np.float32([1.0, 1, 0, 2])
    rows = {"relevance": [1, 0, 2, 0], "group_sizes": [4]}
    for loss, options in (
        (fl.approx_ndcg_loss, {"temperature": 1e-40}),
        (fl.lambdarank_loss, {"sigma": 1e40}),
    ):
        with pytest.raises(ValueError, match=r"1e[+-]40 is out of the range of float32"):
            loss(x, **rows, **options)
        assert np.isfinite(loss.value_grad_hess(x.astype(float), **rows, **options)[2]).all()


@LOSSES
@pytest.mark.parametrize("number", [-1, 4, 1e9, np.nan])
def test_a_pickle_whose_best_order_is_none(name: str, number: float) -> None:
    plan = getattr(fl, name).plan(**{n: v for n, v in QUERIES.items() if n != "input"})
    arrays = list(plan._arrays)
    best = arrays[4] = arrays[4].copy()
    start = int(plan._arrays[0][np.argmax(np.diff(plan._arrays[0]) > 0)])
    best[start] = number if number != 4 else np.diff(plan._arrays[0]).max()
    with pytest.raises(ValueError, match=r"^plan: its arrays do not fit together"):
        _restored(name, plan.rows, tuple(arrays), plan._facts)


# ---- the metric ----------------------------------------------------------------------------------


def test_ndcg() -> None:
    """By its definition, and by scikit-learn's where no scores are equal."""
    t, x, sizes = (QUERIES[n] for n in ("relevance", "input", "group_sizes"))
    rng = np.random.default_rng(0)
    weight = rng.choice([0, 0.5, 2.0], len(sizes))
    weight[0] = 1
    for k, gain in ((None, None), (3, None), (5, "linear"), (2, [0, 1, 1, 5, 6])):
        each = []
        for part in twins.parts_of(sizes):
            gains = np.array(gain)[t[part]] if isinstance(gain, list) else None
            gains = twins.gains_of(t[part], gain or "exponential") if gains is None else gains
            found = gains[np.argsort(-x[part], kind="stable")][:k]
            best = twins.best_dcg(gains, k)
            value = found @ (1 / np.log2(np.arange(2, len(found) + 2)))
            each.append(value / best if best else 0.25)
        options: dict[str, Any] = {"k": k, "gain": gain, "without_gain": 0.25}
        got = fl.metrics.ndcg(t, x, group_sizes=sizes, **options)
        assert got == pytest.approx(np.mean(each), rel=1e-12)
        got = fl.metrics.ndcg(t, x, group_sizes=sizes, sample_weight=weight, **options)
        assert got == pytest.approx(np.average(each, weights=weight), rel=1e-12)
    assert fl.metrics.ndcg([0, 0], [1.0, 2.0], group_ids=["a", "a"]) == 1
    assert np.isnan(fl.metrics.ndcg([], [], group_sizes=[]))
    metrics = pytest.importorskip("sklearn.metrics")
    t, x = rng.integers(0, 3, (6, 9)), rng.normal(size=(6, 9))
    theirs = metrics.ndcg_score(t, x, k=4)
    ours = fl.metrics.ndcg(
        t.ravel(), x.ravel(), group_sizes=[9] * 6, k=4, gain="linear", without_gain=0.0
    )
    assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("scores", "options", "match"),
    [
        ([1.0], {}, r"^y_score: a score for each of 2 rows"),
        ([1.0, np.nan], {}, r"^y_score: nan is no score"),
        ([1.0, 2.0], {"k": 0}, r"^k: 1 or more, or None"),
        ([1.0, 2.0], {"gain": "cubic"}, r"^gain: "),
    ],
)
def test_ndcg_refuses(scores: Any, options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        fl.metrics.ndcg([0, 1], scores, group_sizes=[2], **options)
