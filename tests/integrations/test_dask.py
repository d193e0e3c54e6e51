"""Losses of Dask arrays: the bits of one call, on every scheduler, and with a worker that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss.linear import Objective

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

rng = np.random.default_rng(0)
N = 20_000
X = rng.normal(size=(N, 12))
T = rng.normal(size=(N, 12))
W = rng.random((N, 12))
LOGITS = rng.normal(size=(N, 5))
LABELS = np.where(rng.random(N) < 0.1, -100, rng.integers(0, 5, N))
REDUCTIONS = ("mean", "sum", "batchmean", "weighted_mean", "sum_by_nonzero_weights")


def cut(array: Any, chunks: Any) -> Any:
    return da.from_array(array, chunks=chunks)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bits_of_one_call(scheduler: str, dtype: Any) -> None:
    x, t, w = (a.astype(dtype) for a in (X, T, W))
    with dask.config.set(scheduler=scheduler, num_workers=2):
        for reduction in REDUCTIONS if scheduler == "threads" else REDUCTIONS[:1]:
            value, grad = fl.dask.value_and_grad(
                fl.HuberLoss(delta=0.3),
                cut(x, (3001, 5)),
                cut(t, (N, 12)),
                weight=cut(w, (7000, 12)),
                where=T > -1,
                reduction=reduction,
            )
            assert value.shape == () and grad.chunks == cut(x, (3001, 5)).chunks
            value, grad = dask.compute(value, grad)
            options = {"delta": 0.3, "weight": w, "where": T > -1, "reduction": reduction}
            expected = fl.huber_loss.value_and_grad(x, t, **options)
            assert value.dtype == expected[0].dtype == dtype
            assert value == expected[0] and grad.tobytes() == expected[1].tobytes()


@pytest.mark.parametrize("rows", [1, 7, 1000, 6007, N])
def test_classes(rows: int) -> None:
    chunks = max(rows, 200)
    options = {"weight": [0.2, 1.0, 0.5, 0.7, 3.0], "sample_weight": W[:, 0]}
    value, grad = fl.dask.value_and_grad(
        "cross_entropy", cut(LOGITS, (chunks, 3)), cut(LABELS, chunks), **options
    )
    value, grad = dask.compute(value, grad)
    expected = fl.cross_entropy.value_and_grad(LOGITS, LABELS, **options)
    assert value == expected[0] and grad.tobytes() == expected[1].tobytes()
    part = fl.dask.value(fl.CrossEntropyLoss(reduction="sum"), cut(LOGITS, chunks), LABELS)
    assert part.compute() == fl.cross_entropy(LOGITS, LABELS, reduction="sum")


def test_several_gradients() -> None:
    var = W + 0.5
    value, grads = fl.dask.value_and_grad(
        "gaussian_nll_loss", cut(X, (999, 12)), cut(T, (999, 12)), cut(var, (5000, 4))
    )
    expected = fl.gaussian_nll_loss.value_and_grad(X, T, var)
    assert value.compute() == expected[0]
    for grad, other in zip(grads, expected[1], strict=True):
        assert grad.compute().tobytes() == other.tobytes()
    assert grads[1].chunks == cut(var, (5000, 4)).chunks


def square() -> list[Any]:
    """Losses, operands and options, some of which have as many numbers as there are rows, but along
    another axis."""
    x, t, w = X[:5, :5], T[:5, :5], W[0, :5]
    labels = np.arange(5)
    return [
        ("mse_loss", (x, t[0]), {}),
        ("mse_loss", (x, t), {"weight": w}),
        ("mse_loss", (x, t), {"where": w > 0.4}),
        ("gaussian_nll_loss", (x, t, w + 0.1), {}),
        ("gaussian_nll_loss", (X[:8, :2], T[:8, :2], w[:2]), {}),
        ("quantile_loss", (x, t[:, :1]), {"q": [0.1, 0.3, 0.5, 0.7, 0.9]}),
        ("cross_entropy", (x, labels), {"weight": w, "sample_weight": w}),
        ("cross_entropy", (x, labels), {"where": w > 0}),
        ("cross_entropy", (X[:60].reshape(5, 4, 36)[..., :5], labels % 4), {"sample_weight": w}),
        ("ordinal_loss", (x[:3, 0], np.arange(3.0), np.arange(3)), {}),
        ("crps_ensemble", (x, t[0]), {"weight": w}),
        ("energy_score", (X[:60].reshape(5, 12, 12), T[:5]), {"weight": w, "where": W[:5] > 0.4}),
        ("generalized_box_iou_loss", (W[:9, :4], W[9:18, :4]), {"weight": W[:9, 5]}),
        ("triplet_margin_loss", (x, t, -t), {"sample_weight": w}),
        ("mean_pairwise_squared_error", (x, t), {"sample_weight": w}),
    ]


@pytest.mark.parametrize(("name", "operands", "options"), square())
@pytest.mark.parametrize("chunk", [1, 2, 9])
def test_what_has_rows(name: str, operands: Any, options: Any, chunk: int) -> None:
    loss = getattr(fl, name)
    if name == "cross_entropy" and operands[0].ndim == 3:
        operands = operands[0], np.stack([operands[1]] * 5)
    options = options | {"reduction": "weighted_mean"}
    first = cut(operands[0], (chunk, *operands[0].shape[1:]))
    value = fl.dask.value(name, first, *operands[1:], **options).compute()
    assert value == loss(*operands, **options)


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    looked_at: list[int] = []

    def look(block: Any) -> Any:
        looked_at.append(1)
        return block

    x = cut(X, (5000, 12)).map_blocks(look, meta=X[:0])
    fl.dask.value("mse_loss", x, T)
    fl.dask.value_and_grad("mse_loss", x, T)
    assert not looked_at
    assert fl.dask.value("mse_loss", x, T).compute(scheduler="synchronous") == fl.mse_loss(X, T)
    assert looked_at


def test_wrong_arguments() -> None:
    x = cut(X, (5000, 12))
    with pytest.raises(TypeError, match="input: a Dask array with rows is needed, got ndarray"):
        fl.dask.value("mse_loss", X, T)
    with pytest.raises(TypeError, match="mse_loss: 2 operands are needed, input, target; got 1"):
        fl.dask.value("mse_loss", x)
    with pytest.raises(ValueError, match="reduction: values of their own are not merged"):
        fl.dask.value("mse_loss", x, T, reduction="none")
    with pytest.raises(ValueError, match="input: the sizes of its chunks are not known"):
        fl.dask.value("mse_loss", x[x[:, 0] > 0], T)
    with pytest.raises(NotImplementedError, match="var: it has no rows of its own"):
        fl.dask.value_and_grad("gaussian_nll_loss", x, T, np.ones(12))
    with pytest.raises(NotImplementedError, match="dice_loss has no partials"):
        fl.dask.value("dice_loss", x, T).compute()
    with pytest.raises(TypeError, match="map: Dask's scheduler works on the chunks"):
        fl.dask.objective("mse_loss", x, T[:, 0], map=map)
    with pytest.raises(TypeError, match="X: a Dask array is needed, got ndarray"):
        fl.dask.objective("mse_loss", X, T[:, 0])
    with pytest.raises(ValueError, match="y: 20000 rows are needed, as X has them"):
        fl.dask.objective("mse_loss", x, T[1:, 0])
    with pytest.raises(IndexError, match="chunk 0: y: the class at"):
        fl.dask.objective("cross_entropy", x, np.full(N, 7), n_outputs=3)


@pytest.mark.parametrize("name", ["binary_cross_entropy_with_logits", "cross_entropy"])
@pytest.mark.parametrize("chunks", [(N, 12), (6001, 5), (700, 12)])
def test_objectives(name: str, chunks: Any) -> None:
    y = (T[:, 0] > 0) if name[0] == "b" else np.abs(LABELS) % 5
    w = W[:, 0]
    whole = Objective(name, X, y, l2=0.1, sample_weight=w)
    spread = fl.dask.objective(name, cut(X, chunks), cut(y, 3000), l2=0.1, sample_weight=w)
    local = Objective(name, cut(X, chunks), y, l2=0.1, sample_weight=w)
    coef, v = np.random.default_rng(1).normal(size=(2, whole.n_coef))
    value, grad = whole.value_and_grad(coef)
    for other in (spread, local):
        found = other.value_and_grad(coef)
        assert found[0] == value == other.value(coef)
        assert found[1].tobytes() == grad.tobytes()
        assert other.hessp(coef, v).tobytes() == whole.hessp(coef, v).tobytes()


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster(client: Any) -> None:
    value, grad = fl.dask.value_and_grad("mse_loss", cut(X, (1111, 12)), cut(T, (4000, 12)))
    found = client.gather(client.compute([value, grad]))
    expected = fl.mse_loss.value_and_grad(X, T)
    assert found[0] == expected[0] and found[1].tobytes() == expected[1].tobytes()


def test_a_fit_during_which_a_worker_dies(client: Any) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    y = T[:, 0] + X[:, 1] > 0
    whole = Objective("binary_cross_entropy_with_logits", X, y, l2=1e-3)
    spread = fl.dask.objective(
        "binary_cross_entropy_with_logits", cut(X, (2500, 12)), cut(y, 2500), l2=1e-3
    )
    calls = 0

    def value_and_grad(coef: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            workers = client.scheduler_info()["workers"]
            pids = client.run(os.getpid, workers=[next(iter(workers))])
            os.kill(next(iter(pids.values())), signal.SIGKILL)
        return spread.value_and_grad(coef)

    def fit(function: Any) -> Any:
        return optimize.minimize(function, spread.start(), jac=True, method="L-BFGS-B")

    found, expected = fit(value_and_grad), fit(whole.value_and_grad)
    assert calls > 3 and found.success
    assert found.x.tobytes() == expected.x.tobytes() and found.fun == expected.fun
