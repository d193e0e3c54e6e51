"""Record the derivatives that LightGBM's and XGBoost's ranking objectives compute, and Rax's loss.

    PYTHONPATH=. python tests/peers/record_ndcg.py      writes tests/data/ndcg_parity.json

Needs lightgbm, xgboost, and rax with jax. The boosters do not say what their objectives compute. A
tree with a leaf for each document is grown, and its leaves are computed again by the objective
under test: each is -g / (h + lambda). LightGBM does so with two values of lambda, and XGBoost says
h itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "ndcg_parity.json"
Arrays = dict[str, Any]

#: Parameters of the booster, and the options that they are.
LIGHTGBM: list[tuple[Arrays, Arrays]] = [
    ({}, {}),
    ({"lambdarank_truncation_level": 5}, {"truncation": 5}),
    (
        {"lambdarank_norm": False, "sigmoid": 2.0},
        {"normalization": False, "score_normalization": False, "sigma": 2.0},
    ),
    ({"label_gain": [0, 1, 2, 5, 6]}, {"gain": [0, 1, 2, 5, 6]}),
]
XGBOOST: list[tuple[Arrays, Arrays]] = [
    ({}, {"truncation": 32}),
    ({"lambdarank_num_pair_per_sample": 5}, {"truncation": 5}),
    ({"lambdarank_normalization": False}, {"truncation": 32, "normalization": False}),
    ({"lambdarank_score_normalization": False}, {"truncation": 32, "score_normalization": False}),
    ({"ndcg_exp_gain": False}, {"truncation": 32, "gain": "linear"}),
    ({"objective": "rank:pairwise"}, {"truncation": 32, "weighting": "pairwise"}),
    (
        {"objective": "rank:pairwise", "lambdarank_score_normalization": False},
        {"truncation": 32, "weighting": "pairwise", "score_normalization": False},
    ),
]


def queries() -> Arrays:
    """One of one document, one of equal relevances, and scores that are equal."""
    rng = np.random.default_rng(1)
    sizes = np.array([5, 1, 12, 40, 3, 7])
    n = int(sizes.sum())
    relevance = rng.integers(0, 5, n)
    relevance[-7:] = 2
    scores = rng.normal(size=n).astype(np.float32)
    scores[3] = scores[1]
    scores[20:30] = 0.5
    return {"input": scores, "relevance": relevance, "group_sizes": sizes}


def of_lightgbm(arrays: Arrays, weight: Any, **parameters: Any) -> tuple[Any, Any]:
    """Gradient and second derivative; `weight` is one for each row."""
    import lightgbm

    scores, relevance, sizes = arrays["input"], arrays["relevance"], arrays["group_sizes"]
    n = len(scores)
    X = np.arange(n, dtype=float)[:, None]
    bins = {"max_bin": n + 10, "min_data_in_bin": 1}
    base = {
        "num_leaves": n,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0,
        "verbose": -1,
        "num_threads": 1,
        "learning_rate": 1,
        "boost_from_average": False,
        **bins,
    }
    labels = np.random.default_rng(0).permutation(n).astype(float)
    grown = lightgbm.train(
        {**base, "objective": "regression", "lambda_l2": 0.0},
        lightgbm.Dataset(X, labels, params=bins),
        1,
    )
    assert len(set(grown.predict(X, pred_leaf=True).ravel())) == n
    leaves = []
    for penalty in (0.0, 1.0):
        booster = lightgbm.Booster(model_str=grown.model_to_string())
        booster.params = {**base, "objective": "lambdarank", "lambda_l2": penalty, **parameters}
        again = booster.refit(
            X,
            relevance,
            decay_rate=0.0,
            group=sizes,
            init_score=scores.astype(float),
            weight=weight,
            dataset_params=bins,
        )
        leaves.append(again.predict(X, raw_score=True))
    free, bound = leaves
    moves = free != bound
    h = np.where(moves, bound / np.where(moves, free - bound, 1), 0.0)
    return -bound * (h + 1), h


def of_xgboost(arrays: Arrays, weight: Any, **parameters: Any) -> tuple[Any, Any]:
    """Gradient and second derivative; `weight` is one for each group."""
    import xgboost

    scores, relevance, sizes = arrays["input"], arrays["relevance"], arrays["group_sizes"]
    n = len(scores)
    X = np.arange(n, dtype=np.float32)[:, None]
    base = {"tree_method": "exact", "max_depth": 30, "min_child_weight": 0, "eta": 1, "nthread": 1}
    labels = np.random.default_rng(0).permutation(n).astype(np.float32)
    data = xgboost.DMatrix(X, labels)
    grown = xgboost.train({**base, "objective": "reg:squarederror", "reg_lambda": 0}, data, 1)
    assert len(set(grown.predict(data, pred_leaf=True).ravel())) == n
    data = xgboost.DMatrix(X, relevance, base_margin=scores)
    data.set_group(sizes)
    if weight is not None:
        data.set_weight(weight)
    update = {"process_type": "update", "updater": "refresh", "refresh_leaf": True}
    options = {"objective": "rank:ndcg", "reg_lambda": 1.0, **base, **update, **parameters}
    again = xgboost.train(options, data, 1, xgb_model=grown)
    table = again.trees_to_dataframe().set_index("Node")
    rows = table.loc[again.predict(data, pred_leaf=True).ravel().astype(int)]
    h = rows["Cover"].to_numpy()
    return -rows["Gain"].to_numpy() * (h + 1), h


def boosters() -> list[Arrays]:
    arrays = queries()
    rng = np.random.default_rng(2)
    of_groups = rng.uniform(0.5, 2, len(arrays["group_sizes"]))
    of_rows = rng.uniform(0.5, 2, len(arrays["input"]))
    cases = []
    for name, asked, rows, weights in (
        ("lightgbm", of_lightgbm, LIGHTGBM, of_rows),
        ("xgboost", of_xgboost, XGBOOST, of_groups),
    ):
        for k, (parameters, options) in enumerate(rows):
            for weight in (None, weights)[: 2 if k == 0 else 1]:
                g, h = asked(arrays, weight, **parameters)
                found = {"grad": g, "hess": h, "weight": weight, "options": options}
                cases.append({"booster": name, **found})
    return cases


def approximations() -> list[Arrays]:
    """Rax in float64."""
    import jax
    from jax._src import util

    if not hasattr(jax, "util"):  # which rax 0.4 asks for, and newer releases of JAX lack
        jax.util = util  # type: ignore[attr-defined]
    import rax

    jax.config.update("jax_enable_x64", True)
    arrays = queries()
    x = arrays["input"].astype(np.float64)
    numbers = np.repeat(np.arange(len(arrays["group_sizes"])), arrays["group_sizes"])
    cases = []
    for temperature in (1.0, 0.25):
        loss = rax.approx_t12n(rax.ndcg_metric, temperature)

        def total(scores: Any, loss: Any = loss) -> Any:
            return sum(
                loss(scores[numbers == k], arrays["relevance"][numbers == k].astype(float))
                for k in range(numbers[-1] + 1)
            )

        value, grad = jax.value_and_grad(total)(x)
        cases.append({"temperature": temperature, "value": float(value), "grad": np.asarray(grad)})
    return cases


def plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def main() -> None:
    recorded = {
        "queries": queries(),
        "boosters": boosters(),
        "approximations": approximations(),
    }
    DATA.write_text(json.dumps(plain(recorded)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
