"""Linear objectives over chunks: the same bits for any cut, and what they refuse."""

from __future__ import annotations

import gc
import itertools
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fusedloss as fl
from fusedloss._linear_blocks import Sums, rows_of_block
from fusedloss.linear import Objective

Array = np.ndarray[Any, Any]
N, D = 9000, 40
rng = np.random.default_rng(0)
X = rng.normal(size=(N, D)) * np.exp(rng.normal(size=D))
SCORES = X @ rng.normal(size=D) / 40
CASES: dict[str, tuple[Array, dict[str, Any]]] = {
    "binary_cross_entropy_with_logits": (rng.logistic(size=N) < SCORES, {}),
    "poisson_nll_loss": (rng.poisson(np.exp(np.clip(SCORES, -3, 2))), {}),
    "huber_loss": (SCORES + rng.normal(size=N), {"delta": 0.7}),
    "cross_entropy": (rng.integers(0, 4, N), {"label_smoothing": 0.1}),
    "mse_loss": (np.stack([SCORES, -SCORES], axis=1), {}),
}
WEIGHTS = rng.random(N)


def chunks_at(ends: Any, X: Any, y: Array, w: Array | None = None) -> list[tuple[Any, ...]]:
    stops = sorted({0, len(y), *(int(e) for e in ends)})
    return [
        (X[i:j], y[i:j], *(() if w is None else (w[i:j],))) for i, j in itertools.pairwise(stops)
    ]


def same_results(one: Objective, other: Objective) -> None:
    generator = np.random.default_rng(3)
    coef, v = generator.normal(size=(2, one.n_coef)) / 10
    first, second = one.value_and_grad(coef), other.value_and_grad(coef)
    assert first[0] == second[0] == other.value(coef)
    assert first[1].tobytes() == second[1].tobytes()
    assert one.hessp(coef, v).tobytes() == other.hessp(coef, v).tobytes()


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(CASES)),
    st.sampled_from([np.float32, np.float64]),
    st.lists(st.integers(0, N), max_size=12),
    st.booleans(),
    st.sampled_from([1, 2, 16]),
    st.booleans(),
)
def test_any_cut(
    name: str, dtype: Any, ends: list[int], weighted: bool, threads: int, sparse: bool
) -> None:
    y, options = CASES[name]
    features: Any = X.astype(dtype)
    if sparse:
        scipy_sparse = pytest.importorskip("scipy.sparse")
        features = scipy_sparse.csr_array(np.where(np.abs(features) > 1, features, 0))
    w = WEIGHTS if weighted else None
    whole = Objective(name, features, y, l2=0.1, sample_weight=w, **options)
    before = fl.get_num_threads()
    fl.set_num_threads(threads)
    try:
        cut = Objective(name, chunks_at(ends, features, y, w), l2=0.1, **options)
        assert (cut.n_coef, cut.n_outputs) == (whole.n_coef, whole.n_outputs)
        same_results(whole, cut)
    finally:
        fl.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_many_chunks(count: int) -> None:
    y, _ = CASES["poisson_nll_loss"]
    ends = np.linspace(0, N, count + 1)
    whole = Objective("poisson_nll_loss", X, y)
    same_results(whole, Objective("poisson_nll_loss", lambda: iter(chunks_at(ends, X, y))))


def test_sums_in_any_order() -> None:
    """Of vectors with components of all sizes, infinite and nan ones among them."""
    vectors = rng.normal(size=(60, 50)) * np.exp(30 * rng.normal(size=(60, 50)))
    vectors[:, 0] = 0
    vectors[3, 1], vectors[5, 2], vectors[6, 2], vectors[9, 3] = np.inf, np.inf, -np.inf, np.nan
    found = []
    for order in (range(60), reversed(range(60)), rng.permutation(60), rng.permutation(60)):
        parts = [Sums(50) for _ in range(7)]
        for k, j in enumerate(order):
            parts[k % 7].add(2, float(vectors[j, 7]), vectors[j])
        total = Sums()
        for part in parts:
            total.merge(part)
        assert total.rows == 120
        found.append((total.value(), total.rounded()))
    for value, vector in found:
        assert value == found[0][0] and vector.tobytes() == found[0][1].tobytes()
    vector = found[0][1]
    assert vector[0] == 0 and np.isposinf(vector[1]) and np.isnan(vector[2:4]).all()
    largest = np.abs(vectors).max(axis=0)[4:]
    exact = np.array([float(sum(map(to_fraction, column))) for column in vectors.T[4:]])
    assert (np.abs(vector[4:] - exact) <= np.spacing(np.abs(exact)) + largest * 2.0**-85).all()


def to_fraction(x: float) -> Any:
    from fractions import Fraction

    return Fraction(float(x))


def test_results_are_those_of_the_loss() -> None:
    for name, (y, options) in CASES.items():
        objective = Objective(name, chunks_at([100, 5000], X, y, WEIGHTS), l2=0.3, **options)
        coef = np.random.default_rng(1).normal(size=objective.n_coef) / 20
        W, b = objective.split(coef)
        scores = X @ W.T + b
        w = WEIGHTS if name == "cross_entropy" or y.ndim == 1 else WEIGHTS[:, np.newaxis]
        key = "sample_weight" if name == "cross_entropy" else "weight"
        given = options | {key: w, "reduction": "weighted_mean"}
        expected = getattr(fl, name)(scores, y, **given) + 0.15 * (W * W).sum()
        value, grad = objective.value_and_grad(coef)
        assert value == pytest.approx(expected, rel=1e-13)
        v = np.random.default_rng(2).normal(size=objective.n_coef)
        step = 1e-6
        ahead, behind = (objective.value_and_grad(coef + s * step * v) for s in (1, -1))
        assert (ahead[0] - behind[0]) / (2 * step) == pytest.approx(grad @ v, rel=1e-6, abs=1e-8)
        if name != "huber_loss":
            slope = (ahead[1] - behind[1]) / (2 * step)
            np.testing.assert_allclose(objective.hessp(coef, v), slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "columns"),
    [("binary_cross_entropy_with_logits", 700), ("cross_entropy", 60), ("cross_entropy", 170)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bits_do_not_depend_on_the_threads_of_blas(name: str, dtype: str, columns: int) -> None:
    code = (
        "import numpy as np, fusedloss as fl\n"
        f"rng = np.random.default_rng(0); X = rng.normal(size=(9000, {columns}))\n"
        f"X = X.astype({dtype!r})\n"
        f"y = rng.integers(0, {2 if name[0] == 'b' else 6}, 9000)\n"
        f"o = fl.linear.Objective({name!r}, [(X[:5000], y[:5000]), (X[5000:], y[5000:])])\n"
        "v, g = o.value_and_grad(rng.normal(size=o.n_coef)); print(v.hex(), hash(g.tobytes()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "OPENBLAS_NUM_THREADS": n,
                "OMP_NUM_THREADS": n,
                "PYTHONHASHSEED": "0",
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in ("1", "2", "4")
    }
    assert len(found) == 1


def test_layouts_of_chunks() -> None:
    """Chunks whose rows are not one piece of memory, or not aligned, have the same bits."""
    y, _ = CASES["huber_loss"]
    whole = Objective("huber_loss", X, y)
    wide = np.repeat(X, 2, axis=1)[:, ::2]
    raw = np.empty(X.nbytes + 1, np.uint8)[1:].view(np.float64).reshape(X.shape)
    raw[...] = X
    for features in (np.asfortranarray(X), wide, raw):
        same_results(whole, Objective("huber_loss", chunks_at([11, 6000], features, y)))


def test_memory_mapped(tmp_path: Path) -> None:
    """Chunks that are mapped when they are asked for, and a file that is mapped as a whole."""
    y = CASES["binary_cross_entropy_with_logits"][0].astype(np.int8)
    X.astype(np.float32).tofile(tmp_path / "X")
    y.tofile(tmp_path / "y")

    def chunks() -> Iterator[tuple[Array, Array]]:
        for start in range(0, N, 2000):
            rows = min(2000, N - start)
            yield (
                np.memmap(tmp_path / "X", np.float32, "r", 4 * start * D, (rows, D)),
                np.memmap(tmp_path / "y", np.int8, "r", start, (rows,)),
            )

    in_memory = Objective("binary_cross_entropy_with_logits", X.astype(np.float32), y)
    same_results(in_memory, Objective("binary_cross_entropy_with_logits", chunks))
    mapped = np.memmap(tmp_path / "X", np.float32, "r", 0, (N, D))
    same_results(in_memory, Objective("binary_cross_entropy_with_logits", mapped, y))


def test_extra_memory_is_a_block() -> None:
    """No pass makes anything of the size of the data."""
    import tracemalloc

    chunk = np.random.default_rng(0).normal(size=(40_000, 50)).astype(np.float32)
    target = (chunk[:, 0] > 0).astype(np.float32)

    def chunks() -> Iterator[tuple[Array, Array]]:
        for _ in range(5):
            yield chunk, target

    objective = Objective("binary_cross_entropy_with_logits", chunks)
    gc.collect()
    tracemalloc.start()
    objective.value_and_grad(np.ones(51))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * rows_of_block(chunk) * 50 * 4 < 5 * chunk.nbytes / 4


@pytest.mark.parametrize("sparse", [False, True])
def test_fits_reach_other_packages(sparse: bool) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    scipy_sparse = pytest.importorskip("scipy.sparse")
    linear_model = pytest.importorskip("sklearn.linear_model")
    features = X / np.abs(X).max(axis=0)
    if sparse:
        features = scipy_sparse.csr_array(np.where(np.abs(features) > 0.2, features, 0))

    def fit(name: str, y: Array, l2: float) -> Array:
        objective = Objective(name, chunks_at([1000, 1500, 7000], features, y), l2=l2)
        found: Array = optimize.minimize(
            objective.value_and_grad,
            objective.start(),
            jac=True,
            hessp=objective.hessp,
            method="trust-ncg",
            options={"gtol": 1e-11},
        ).x
        return found

    y = CASES["binary_cross_entropy_with_logits"][0]
    model = linear_model.LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(features, y)
    ours = fit("binary_cross_entropy_with_logits", y, 1 / N)
    np.testing.assert_allclose(ours[:D], model.coef_[0], rtol=1e-6, atol=1e-6)
    y = CASES["cross_entropy"][0]
    model = linear_model.LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(features, y)
    ours = fit("cross_entropy", y, 1 / N)
    np.testing.assert_allclose(ours[: 4 * D], model.coef_.ravel(), rtol=1e-6, atol=1e-6)
    y = CASES["poisson_nll_loss"][0]
    poisson = linear_model.PoissonRegressor(alpha=0.1, tol=1e-12, max_iter=10_000).fit(features, y)
    np.testing.assert_allclose(
        fit("poisson_nll_loss", y, 0.1)[:D], poisson.coef_, rtol=1e-6, atol=1e-6
    )


def test_huber_fit_reaches_statsmodels() -> None:
    """RLM's threshold is in units of its scale, which is held fixed."""
    optimize = pytest.importorskip("scipy.optimize")
    api = pytest.importorskip("statsmodels.api")
    features = X / np.abs(X).max(axis=0)
    y = CASES["huber_loss"][0]
    model = api.RLM(
        y, api.add_constant(features, prepend=False), M=api.robust.norms.HuberT(1.345)
    ).fit(tol=1e-12, maxiter=500, conv="coefs")
    chunks = chunks_at([1000, 1500, 7000], features, y)
    objective = Objective("huber_loss", chunks, delta=1.345 * model.scale)
    found = optimize.minimize(
        objective.value_and_grad,
        objective.start(),
        jac=True,
        hessp=objective.hessp,
        method="trust-ncg",
        options={"gtol": 1e-11},
    ).x
    beyond = np.abs(y - objective.predict(found, features)) > 1.345 * model.scale
    assert 0.1 < beyond.mean() < 0.3
    np.testing.assert_allclose(found, model.params, rtol=1e-6, atol=1e-8)


def test_a_map_must_give_each_chunk_once() -> None:
    for lossy in (lambda f, chunks: [], lambda f, chunks: 2 * [f(chunk) for chunk in chunks]):
        objective = Objective("mse_loss", [(X, SCORES)], map=lossy)
        with pytest.raises(ValueError, match=r"chunks: 9000 rows came at first, (0|18000) now"):
            objective.value(np.zeros(D + 1))


def test_pickles_of_objectives_over_chunks() -> None:
    objective = Objective("mse_loss", [(X, SCORES)], l2=0.1)
    again = pickle.loads(pickle.dumps(objective))
    same_results(objective, again)


@pytest.mark.parametrize(
    ("chunks", "error", "text"),
    [
        ([], ValueError, r"chunks: there is none; at least one \(X, y\) is needed"),
        (list, ValueError, "chunks: there is none"),
        (iter([(X, SCORES)]), TypeError, "chunks: an iterator can be read once, but each pass"),
        (X, TypeError, "y: it is missing; without it, chunks"),
        (3, TypeError, "y: it is missing"),
        (lambda: None, TypeError, "chunks: the function must return an iterator .* got NoneType"),
        ([X], TypeError, r"chunk 0: \(X, y\) or \(X, y, sample_weight\) is needed, got ndarray"),
        ([(X,)], TypeError, "chunk 0: .* is needed, got tuple"),
        ([(X, SCORES), (X[:, 1:], SCORES)], ValueError, "chunk 1: X has 39 columns, .* 0 has 40"),
        ([(X, SCORES), (X, SCORES[1:])], ValueError, r"chunk 1: y: shape \(9000,\) or"),
        ([(X, SCORES), (X[0], SCORES)], ValueError, "chunk 1: X: two dimensions are needed"),
        ([(X, SCORES), (X.astype("f4"), SCORES)], TypeError, "chunk 1: X is dense float32, that"),
        ([(X, SCORES), (X, SCORES > 0)], TypeError, "chunk 1: y has dtype bool"),
        ([(X, SCORES, SCORES[1:])], ValueError, r"chunk 0: sample_weight: shape \(9000,\)"),
        ([(X, SCORES), (X, SCORES * np.nan)], ValueError, r"chunk 1: y: the value at \[0\] is nan"),
    ],
)
def test_wrong_chunks(chunks: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        Objective("mse_loss", chunks)


def test_wrong_chunks_of_classes() -> None:
    y = CASES["cross_entropy"][0]
    with pytest.raises(IndexError, match=r"chunk 1: y: the class at \[2\] is 9"):
        bad = y[:10].copy()
        bad[2] = 9
        Objective("cross_entropy", [(X, y), (X[:10], bad)], n_outputs=4)
    assert Objective("cross_entropy", [(X, y), (X[:10], bad)]).n_outputs == 10
    with pytest.raises(ValueError, match="var: with chunks a number is needed"):
        Objective("gaussian_nll_loss", [(X, SCORES)], var=WEIGHTS)
    with pytest.raises(TypeError, match="sample_weight: with chunks it is in these"):
        Objective("mse_loss", [(X, SCORES)], sample_weight=WEIGHTS)
    with pytest.raises(ValueError, match="loss: distillation_loss is no loss of scores"):
        Objective("distillation_loss", [(X, y)], teacher_logits=np.ones((N, 4)))
    with pytest.raises(TypeError, match="map: a function is needed, got int"):
        Objective("mse_loss", [(X, SCORES)], map=3)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="chunks: hess takes one array"):
        Objective("mse_loss", [(X, SCORES)]).hess(np.zeros(D + 1))


def test_a_function_must_make_a_new_iterator() -> None:
    once = iter([(X, SCORES)])
    with pytest.raises(ValueError, match="chunks: 9000 rows came at first, 0 now; each pass needs"):
        Objective("mse_loss", lambda: once)
    given = [(X, SCORES)]
    objective = Objective("mse_loss", given)
    given.append((X, SCORES))
    with pytest.raises(ValueError, match="chunks: 9000 rows came at first, 18000 now"):
        objective.value(np.zeros(D + 1))


def test_nan_in_features_is_nan() -> None:
    spoiled = X.copy()
    spoiled[5000, 3] = np.nan
    objective = Objective("huber_loss", chunks_at([4000], spoiled, SCORES))
    value, grad = objective.value_and_grad(np.ones(D + 1))
    assert np.isnan(value) and np.isnan(grad[3])
    ignored = Objective("huber_loss", chunks_at([4000], spoiled, SCORES, np.arange(N) != 5000))
    assert np.isfinite(ignored.value(np.ones(D + 1)))
