"""What is special about the losses that compare each vector with all others."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import _contrastive

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
    whole = [getattr(loss, order)(*args) for loss, args in calls]
    monkeypatch.setattr(_contrastive, "CHUNK", 500)
    for (loss, args), expected in zip(calls, whole, strict=True):
        got = getattr(loss, order)(*args)
        if order == "__call__":
            np.testing.assert_allclose(got, expected, rtol=1e-13)
            continue
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-13)
        for a, b in zip(as_tuple(got[1]), as_tuple(expected[1]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


def test_no_matrix_of_all_similarities() -> None:
    x, labels = sample(6000, 8).astype(np.float32), np.arange(6000) % 50
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
