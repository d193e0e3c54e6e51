"""What is special about the losses that compare each vector with all others."""

from __future__ import annotations

import json
import tracemalloc
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import _all_pairs

RECORD = json.loads((Path(__file__).parent / "data" / "contrastive_parity.json").read_text())
LABELLED = (fl.supervised_contrastive_loss, fl.circle_loss)


def name(case: dict[str, Any]) -> str:
    return "-".join([case["loss"], *case["arrays"], *map(str, case["options"].values())])


@pytest.mark.parametrize("case", RECORD["cases"], ids=name)
def test_recorded(case: dict[str, Any]) -> None:
    arrays = {k: np.array(a) for k, a in case["arrays"].items()}
    loss = getattr(fl, case["loss"])
    value, grads = loss.value_and_grad(**arrays, **case["options"], reduction="none")
    np.testing.assert_allclose(value, case["value"], rtol=1e-9, atol=1e-12)
    for got, right in zip(as_tuple(grads), case["grads"], strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("case", RECORD["libraries"], ids=lambda c: str(c["theirs"]))
def test_means_of_libraries(case: dict[str, Any]) -> None:
    """Also of Keras, which leaves out the values of 0."""
    got = getattr(fl, case["loss"])(np.array(RECORD["embeddings"]), case["labels"])
    np.testing.assert_allclose(got, case["mean"], rtol=1e-6)


def as_tuple(grads: Any) -> tuple[Any, ...]:
    return grads if isinstance(grads, tuple) else (grads,)


def sample(n: int, dim: int = 4, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(n, dim))


@pytest.mark.parametrize("order", ["__call__", "value_and_grad"])
def test_chunks_give_the_same(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, n = sample(300), sample(300, seed=1), sample(80, seed=2)
    own, labels = np.random.default_rng(3).normal(size=(300, 7, 4)), np.arange(300) % 90
    calls = [
        (fl.info_nce_loss, (q, k)),
        (fl.info_nce_loss, (q, k, n)),
        (fl.info_nce_loss, (q, k, own)),
        *((loss, (q, labels)) for loss in LABELLED),
    ]
    rng = np.random.default_rng(4)
    some: list[dict[str, Any]] = [{}, {"where": rng.random(300) < 0.8, "weight": rng.random(300)}]
    mask = {"negatives_where": rng.random((300, 1)) < 0.7, "temperature_grad": True}
    plain = [(loss, args, options) for loss, args in calls for options in some]
    plain += [(loss, args, some[1] | mask) for loss, args in calls[:3]]
    calls = [(partial(getattr(loss, order), **options), args) for loss, args, options in plain]
    whole = [call(*args) for call, args in calls]
    monkeypatch.setattr(_all_pairs, "CHUNK", 500)
    for (call, args), expected in zip(calls, whole, strict=True):
        got = call(*args)
        if order == "__call__":
            np.testing.assert_allclose(got, expected, rtol=1e-13)
            continue
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-13)
        for a, b in zip(as_tuple(got[1]), as_tuple(expected[1]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_no_matrix_of_all_similarities() -> None:
    x, labels = sample(3000, 8).astype(np.float32), np.arange(3000) % 50
    tracemalloc.start()
    try:
        fl.supervised_contrastive_loss.value_and_grad(x, labels)
        fl.circle_loss.value_and_grad(x, labels)
        fl.info_nce_loss.value_and_grad(x, x)
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert used < 25e6 < x.shape[0] ** 2 * 4


@pytest.mark.parametrize("loss", LABELLED, ids=lambda f: f.__name__)
def test_vectors_without_a_loss(loss: Any) -> None:
    """They are among the others' negatives, but have no value and no part in the mean."""
    x, labels = sample(5), np.array([4, 4, 4, 9, -2])
    value, grad = loss.value_and_grad(x, labels, reduction="none")
    assert (value[:3] > 0).all() and not value[3:].any() and grad[3:].any()
    np.testing.assert_allclose(loss(x, labels), value.sum() / 3)
    w = np.array([1.0, 2.0, 0.0, 5.0, 6.0])
    np.testing.assert_allclose(loss(x, labels, weight=w, reduction="weighted_mean"), w @ value / 3)
    np.testing.assert_allclose(
        loss(x, labels, weight=w, reduction="sum_by_nonzero_weights"), w @ value / 2
    )
    value, grad = loss.value_and_grad(x, np.arange(5))
    assert np.isnan(value) and not grad.any()
    assert loss(x, np.arange(5), reduction="weighted_mean") == 0


def test_all_of_one_label() -> None:
    x, labels = sample(4), np.zeros(4, int)
    assert np.isnan(fl.circle_loss(x, labels))
    assert fl.circle_loss(x, labels, reduction="sum") == 0
    assert fl.supervised_contrastive_loss(x, labels) > 0


def test_a_single_query() -> None:
    x = sample(1)
    value, grads = fl.info_nce_loss.value_and_grad(x, 2 * x)
    assert value == 0 and not any(g.any() for g in grads)
    assert fl.info_nce_loss(x, 2 * x, np.empty((0, 4))) == 0


def test_relations() -> None:
    """Two views stacked are SimCLR; the same negatives for each query are those for all."""
    q, k, n = sample(6), sample(6, seed=1), sample(5, seed=2)
    shared = fl.info_nce_loss.value_and_grad(q, k, n)
    own = fl.info_nce_loss.value_and_grad(q, k, np.repeat(n[None], 6, axis=0))
    np.testing.assert_allclose(shared[0], own[0])
    np.testing.assert_allclose(shared[1][2], own[1][2].sum(axis=0))
    views = np.concatenate([q, k])
    z = views / np.linalg.norm(views, axis=1, keepdims=True)
    s = z @ z.T / 0.07
    np.fill_diagonal(s, -np.inf)
    ntxent = fl.cross_entropy(s, np.roll(np.arange(12), 6))
    labels = np.tile(np.arange(6), 2)
    np.testing.assert_allclose(fl.supervised_contrastive_loss(views, labels), ntxent)
    plain = fl.supervised_contrastive_loss(z, labels, normalize=False)
    np.testing.assert_allclose(plain, ntxent)


def test_zero_vectors() -> None:
    """They are as far from all others as what is at right angles to them."""
    x, labels = sample(4), np.array([0, 0, 1, 1])
    x[1] = 0
    for loss in LABELLED:
        value, grad = loss.value_and_grad(x, labels)
        assert np.isfinite(value) and np.isfinite(grad).all()
    value, grads = fl.info_nce_loss.value_and_grad(x, x)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in grads)


def test_confident_tail() -> None:
    """Where the positive is all but certain the loss is not rounded to 0."""
    x = np.eye(2, dtype=np.float32)
    value = fl.info_nce_loss(x, x, temperature=1 / 17)
    np.testing.assert_allclose(value, np.log1p(np.exp(-17.0)), rtol=1e-6)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_options(bad: float) -> None:
    x, labels = sample(4), [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"^temperature: a positive"):
        fl.info_nce_loss(x, x, temperature=bad)
    with pytest.raises(ValueError, match=r"^temperature: a positive"):
        fl.supervised_contrastive_loss(x, labels, bad)
    with pytest.raises(ValueError, match=r"^gamma: a positive"):
        fl.circle_loss(x, labels, gamma=bad)


def test_operands() -> None:
    x = sample(4)
    with pytest.raises(ValueError, match=r"^margin: "):
        fl.circle_loss(x, [0, 0, 1, 1], margin=-0.1)
    with pytest.raises(TypeError, match=r"^normalize: "):
        fl.info_nce_loss(x, x, normalize=1)
    with pytest.raises(ValueError, match=r"^query: vectors in an array of 2"):
        fl.info_nce_loss(x[0], x[0])
    for bad in (x[:, :3], x[0], np.empty((3, 2, 4)), np.empty((1, 4, 2, 4))):
        with pytest.raises(ValueError, match=r"^negatives: vectors for all"):
            fl.info_nce_loss(x, x, bad)
    for loss in LABELLED:
        with pytest.raises(TypeError, match=r"^labels: an integer dtype"):
            loss(x, [0.0, 0.0, 1.0, 1.0])
        with pytest.raises(ValueError, match=r"^labels: one for each vector"):
            loss(x, [0, 1])
        for dtype in (bool, np.int8, np.uint64, ">i4"):
            assert loss(x, np.array([0, 0, 1, 1], dtype)) == loss(x, [0, 0, 1, 1])


# ---- weights, masks, temperature -----------------------------------------------------------------


def negatives(kind: str, n: int = 6) -> tuple[Any, ...]:
    """More arguments of info_nce_loss, for each kind of negatives."""
    return {
        "in batch": (),
        "shared": (sample(5, seed=2),),
        "own": (sample(n * 3).reshape(n, 3, 4),),
    }[kind]


KINDS = pytest.mark.parametrize("kind", ["in batch", "shared", "own"])
NONE = np.array([1, 0, 1, 1, 0, 1], bool)


@KINDS
@pytest.mark.parametrize("how", ["where", "weight", "sample_weight"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_queries_that_do_not_count(kind: str, how: str, bad: float) -> None:
    q, k, more = sample(6), sample(6, seed=1), negatives(kind)
    spoiled = q.copy()
    spoiled[~NONE] = bad
    few = tuple(n[NONE] if n.ndim == 3 else n for n in more)
    loss = fl.info_nce_loss
    if how == "where" or kind != "in batch":
        k = np.where(NONE[:, None], k, bad)
        expected = loss.value_and_grad(q[NONE], k[NONE], *few, reduction="none")
    else:  # the positives of the others still are negatives
        value, (dq, *grads) = loss.value_and_grad(q, k, weight=NONE * 1.0, reduction="none")
        expected = value[NONE], (dq[NONE], *(g[NONE] for g in grads))
        plain = loss(q, k, reduction="none")
        np.testing.assert_allclose(value, plain * NONE, rtol=1e-14)
    value, grads = loss.value_and_grad(spoiled, k, *more, **{how: NONE}, reduction="none")
    np.testing.assert_allclose(value[NONE], expected[0], rtol=1e-12)
    assert not value[~NONE].any() and not grads[0][~NONE].any()
    for g, e in zip(grads, expected[1], strict=True):
        g = g[NONE] if len(g) == 6 else g
        np.testing.assert_allclose(g, e, rtol=1e-10, atol=1e-13)
    if how == "where":
        for reduction in ("mean", "weighted_mean", "sum_by_nonzero_weights"):
            got = loss(spoiled, k, *more, where=NONE, reduction=reduction)
            np.testing.assert_allclose(got, expected[0].mean(), rtol=1e-12)
        assert np.isnan(loss(spoiled, k, *more, where=NONE & False))
    else:
        weight = np.array([1.0, 0, np.nan, 1, 0, 1])
        assert np.isnan(loss(q, sample(6, seed=1), *more, **{how: weight}, reduction="none")[2])


@KINDS
def test_masked_negatives(kind: str) -> None:
    """Each query has those that are left to it."""
    q, k, more = sample(6), sample(6, seed=1), negatives(kind)
    width = more[0].shape[-2] if more else 6
    mask = np.random.default_rng(5).random((6, width)) < 0.6
    mask[0], mask[:, 0] = False, False
    loss, options = fl.info_nce_loss, {"temperature_grad": True, "temperature": 0.5}
    n = more[0].copy() if more else k
    if kind == "shared":
        n[0] = np.nan
    elif kind == "own":
        n[~mask] = np.inf
    args = (q, k, n) if more else (q, k)
    value, grads = loss.value_and_grad(*args, negatives_where=mask, **options, reduction="none")
    total = [np.zeros_like(g) for g in grads]
    for i in range(6):
        if kind == "in batch":
            others = [j for j in range(6) if mask[i, j] and j != i]
            rest = k[others]
        else:
            others = np.flatnonzero(mask[i])
            rest = (n[i] if n.ndim == 3 else n)[others]
        one, each = loss.value_and_grad(q[i : i + 1], k[i : i + 1], rest, **options)
        np.testing.assert_allclose(value[i], one, rtol=1e-12, atol=1e-15)
        total[0][i] += each[0][0]
        total[1][i] += each[1][0]
        to = total[1] if kind == "in batch" else total[2][i] if n.ndim == 3 else total[2]
        to[others] += each[2]
        total[-1] += each[3]
    for g, e in zip(grads, total, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-10, atol=1e-13)
    with pytest.raises(ValueError, match=r"^negatives_where: shape"):
        loss(*args, negatives_where=np.ones((6, width + 1)))


def test_padding_is_not_seen() -> None:
    """A mask of the negatives, for all queries, and of the pairs."""
    q, k, n = sample(6), sample(6, seed=1), sample(5, seed=2)
    padded = np.concatenate([n, np.full((3, 4), np.nan)])
    plain = fl.info_nce_loss.value_and_grad(q, k, n)
    got = fl.info_nce_loss.value_and_grad(q, k, padded, negatives_where=np.arange(8) < 5)
    assert plain[0] == got[0] and not got[1][2][5:].any()
    for g, e in zip(got[1], (*plain[1][:2], np.pad(plain[1][2], ((0, 3), (0, 0)))), strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-12)


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_by_the_temperature(kind: str, dtype: Any) -> None:
    q, k, more = sample(6), sample(6, seed=1), negatives(kind)
    w, h, tau = np.array([1.0, 2, 0, 3, 1, 1]), 1e-5, 0.3
    loss = fl.info_nce_loss
    some: list[Any] = [{}, {"reduction": "sum", "weight": w, "normalize": False}]
    for options in some:
        up, down = (loss(q, k, *more, temperature=tau + s, **options) for s in (h, -h))
        single = [a.astype(dtype) for a in (q, k, *more)]
        value, grads = loss.value_and_grad(
            *single, temperature=tau, temperature_grad=True, **options
        )
        plain = loss.value_and_grad(*single, temperature=tau, **options)
        assert value == plain[0] and len(grads) == len(plain[1]) + 1
        assert all(map(np.array_equal, grads, plain[1]))
        assert type(grads[-1]) is np.ndarray and grads[-1].shape == ()
        assert grads[-1].dtype == np.float64
        rtol = 1e-7 if dtype is np.float64 else 1e-5
        np.testing.assert_allclose(grads[-1], (up - down) / (2 * h), rtol=rtol)
        buffer = np.zeros((), np.float32)
        buffers = (None,) * len(plain[1]) + (buffer,)
        _, again = loss.value_and_grad(
            *single, temperature=tau, temperature_grad=True, grad_out=buffers, **options
        )
        assert again[-1] is buffer and buffer == np.float32(grads[-1])
        with pytest.raises(TypeError, match=r"^grad_out: a tuple of"):
            loss.value_and_grad(*single, grad_out=buffers)
    tau_array = np.array(tau)
    with pytest.raises(ValueError, match=r"^grad_out\[\d\]: shares memory"):
        loss.value_and_grad(
            q,
            k,
            *more,
            temperature=tau_array,
            temperature_grad=True,
            grad_out=(None,) * (2 + len(more)) + (tau_array,),
        )
    with pytest.raises(TypeError, match=r"^temperature_grad: True or False"):
        loss(q, k, temperature_grad=1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_extreme_temperatures(dtype: Any) -> None:
    """The reciprocal of 1e-39 is no float32."""
    x, labels = np.eye(4, dtype=dtype), [0, 0, 1, 1]
    for tau in (1e-300, 1e-39, 1e-38, 1e38, 1e39, 1e300):
        value, grads = fl.info_nce_loss.value_and_grad(x, x, temperature=tau)
        assert value == (0 if tau < 1 else pytest.approx(np.log(4)))
        assert all(np.isfinite(g).all() for g in grads)
        assert fl.supervised_contrastive_loss(x, labels, tau) == pytest.approx(np.log(3))
        if tau < 1 or dtype is np.float64:  # else the value itself is too large
            assert np.isfinite(fl.circle_loss(x, labels, gamma=tau, margin=0.0))
    for loss, args in ((fl.info_nce_loss, (x, x)), (fl.supervised_contrastive_loss, (x, labels))):
        with pytest.raises(ValueError, match=r"^temperature: out of the range"):
            loss(*args, temperature=5e-324)


@pytest.mark.parametrize("loss", LABELLED, ids=lambda f: f.__name__)
def test_vectors_that_are_not_there(loss: Any) -> None:
    x, labels = sample(8), np.array([0, 0, 1, 1, 1, 0, 2, 1])
    there = np.array([1, 1, 0, 1, 1, 1, 1, 0], bool)
    spoiled = x.copy()
    spoiled[~there] = np.nan
    w, v = np.arange(8.0), np.full(8, 2.0)
    for reduction in ("none", "mean", "sum", "weighted_mean"):
        got = loss.value_and_grad(
            spoiled, labels, where=there, weight=w, sample_weight=v, reduction=reduction
        )
        few = (a[there] for a in (x, labels, w * v))
        right = loss.value_and_grad(*(f := list(few))[:2], weight=f[2], reduction=reduction)
        value = got[0][there] if reduction == "none" else got[0]
        np.testing.assert_allclose(value, right[0], rtol=1e-13)
        np.testing.assert_allclose(got[1][there], right[1], rtol=1e-13)
        assert not got[1][~there].any()
    assert got[0] != 0
    with pytest.raises(ValueError, match=r"^where: shape"):
        loss(x, labels, where=np.ones(7))


@pytest.mark.parametrize("loss", LABELLED, ids=lambda f: f.__name__)
def test_weight_0_of_labelled_vectors(loss: Any) -> None:
    """No loss of its own, but it is among the others."""
    x, labels = sample(6), np.array([0, 0, 1, 1, 1, 0])
    plain = loss(x, labels, reduction="none")
    w = np.array([0.0, 1, 1, 1, 1, 1])
    value, grad = loss.value_and_grad(x, labels, weight=w, reduction="none")
    np.testing.assert_allclose(value, plain * w, rtol=1e-14)
    assert grad[0].any()
    own = loss.value_and_grad(x, labels, weight=1 - w, reduction="none")[1]
    whole = loss.value_and_grad(x, labels, reduction="none")[1]
    np.testing.assert_allclose(grad + own, whole, rtol=1e-10, atol=1e-13)
    lonely = np.append(x, np.full((1, 4), np.inf), axis=0)
    value, grad = loss.value_and_grad(
        lonely, [*labels, 7], weight=[*np.zeros(6), 1.0], reduction="none"
    )
    assert not value.any() and not grad.any()
    assert np.isnan(loss(x, labels, weight=[np.nan, 1, 1, 1, 1, 1], reduction="none")[0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("extreme", [np.inf, np.nan, 6e4, 1e30, 6e-8, 1e-40])
def test_no_warnings(dtype: Any, extreme: float) -> None:
    with np.errstate(all="ignore"):
        x, labels = sample(8).astype(dtype), np.arange(8) % 3
        x[[1, 3], [0, 2]] = dtype(extreme)
        n = x[:, None] * dtype(extreme)
    w, half = np.full(8, 1e30), np.float16
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for normalize in (True, False):
            for reduction in ("mean", "none"):
                for tau in (0.07, 1e-39, 1e39):
                    some: Any = {"normalize": normalize, "reduction": reduction}
                    for weighing in ({}, {"weight": w, "sample_weight": w, "where": w > 0}):
                        for args in ((x, x), (x, x, x), (x, x, n)):
                            mask = {"negatives_where": x[:, :1] > 0, "temperature_grad": True}
                            for more in ({}, mask):
                                fl.info_nce_loss.value_and_grad(
                                    *args, temperature=tau, **some, **weighing, **more
                                )
                        for margin in (0.0, 0.4, 1e-46, 1e39):
                            fl.circle_loss.value_and_grad(
                                x, labels, gamma=1 / tau, margin=margin, **some, **weighing
                            )
                        loss = fl.supervised_contrastive_loss
                        value = loss(x, labels, tau, **some, **weighing)
                        loss.value_and_grad(
                            x,
                            labels,
                            tau,
                            **some,
                            **weighing,
                            out=np.empty(np.shape(value), half),
                            grad_out=np.empty(x.shape, half),
                        )
