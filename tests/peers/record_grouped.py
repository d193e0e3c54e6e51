"""Record what packages make of losses of groups of rows.

    python -m tests.peers.record_grouped      writes tests/data/grouped_parity.json

It needs LightGBM, Rax (with JAX) and statsmodels, but not fusedloss.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "grouped_parity.json"
#: The sum, its gradient, and the diagonal of its Hessian; None: the package does not say.
Found = tuple[float | None, Any, Any]

X = np.array([0.5, -1.25, 2.0, 0.0, 0.75, -0.5, 1.5, -2.0, 0.25, 3.0, -0.75, 1.0, 0.125])
SIZES = [4, 1, 5, 3]
RANKS = np.array([2, 0, 3, 1, 0, 1, 4, 0, 2, 3, 1, 2, 0])
RELEVANCE = np.array([2, 0, 3, 0, 0, 1, 4, 0, 1, 1, 0, 0, 0])
NOISE = np.array([0.5, 0.25, 0.125, 0.75, 0, 0.5, 0.875, 0.25, 0.0625, 1, 0.5, 0.25, 0.75])
CHOSEN = np.array([1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1])


def lightgbm_noise(sizes: Any, seed: int) -> Any:
    """LightGBM's: for each query the numbers of a linear congruential generator."""
    found = []
    for query, size in enumerate(sizes):
        state = seed + query
        for _ in range(size):
            state = (214013 * state + 2531011) % 2**32
            found.append((state >> 16 & 0x7FFF) / 32768)
    return np.array(found)


def lightgbm(x: Any, label: Any, sizes: Any, seed: int = 5) -> Found:
    """For each row one tree that splits it off, with a leaf of the value -g / (h + λ), for two λ.
    A row of little weight may not be split off, and has nan then. It has gradients in float32, and
    guesses numbers of rows from second derivatives: queries of one row, which have none, let it
    find enough."""
    import lightgbm as lgb

    n, more = len(x), 50 * len(x)
    sizes = [*sizes, *[1] * more]
    x, label = (np.append(a, np.zeros(more, a.dtype)) for a in (x, label))
    options = {
        "objective": "rank_xendcg",
        "objective_seed": seed,
        "num_leaves": 2,
        "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 0.0,
        "min_data_in_bin": 1,
        "feature_pre_filter": False,
        "learning_rate": 1.0,
        "verbosity": -1,
        "num_threads": 1,
    }
    grad, hess = np.full(n, np.nan), np.full(n, np.nan)
    for row in range(n):
        column = (np.arange(n + more) == row)[:, None].astype(float)
        leaves = []
        for damping in (0.0, 1.0):
            data = lgb.Dataset(column, label, group=sizes, init_score=x)
            tree = lgb.train(options | {"lambda_l2": damping}, data, 1)
            leaves.append(tree.predict(column, raw_score=True))
        plain, damped = leaves
        if np.ptp(plain) > 0:
            hess[row] = damped[row] / (plain[row] - damped[row])
            grad[row] = -plain[row] * hess[row]
    return None, grad, hess


def rax(x: Any, label: Any, sizes: Any, loss: str) -> Found:
    """In float64, group by group."""
    import jax
    import rax as package

    jax.config.update("jax_enable_x64", True)
    function = getattr(package, loss)
    total, grads, hesses = 0.0, [], []
    for stop, size in zip(np.cumsum(sizes), sizes, strict=True):
        rows = slice(stop - size, stop)

        def of(scores: Any, rows: Any = rows) -> Any:
            return function(scores, jax.numpy.asarray(label[rows], float), reduce_fn=None)

        scores = jax.numpy.asarray(x[rows])
        total += float(of(scores))
        grads.append(jax.grad(of)(scores))
        hesses.append(np.diag(jax.hessian(of)(scores)))
    return total, np.concatenate(grads), np.concatenate(hesses)


def rax_list_mle(x: Any, label: Any, sizes: Any) -> Found:
    return rax(x, label, sizes, "listmle_loss")


def rax_softmax(x: Any, label: Any, sizes: Any, noise: Any) -> Found:
    """Its cross entropy of the softmax, of labels that are made the distributions of XE-NDCG."""
    gains = 2.0**label - np.asarray(noise)
    sums = np.add.reduceat(gains, np.cumsum(sizes) - sizes)
    return rax(x, gains / np.repeat(sums, sizes), sizes, "softmax_loss")


def statsmodels(x: Any, label: Any, sizes: Any) -> Found:
    """With one feature for each row. It drops groups of which none or all are chosen; and makes its
    Hessian by differences."""
    from statsmodels.api import ConditionalLogit

    ids = np.repeat(np.arange(len(sizes)), sizes)
    model = ConditionalLogit(label, np.eye(len(x)), groups=ids)
    return -model.loglike(x), -model.score(x), None


PACKAGES: dict[str, Callable[..., Found]] = {
    "lightgbm": lightgbm,
    "rax": rax_list_mle,
    "rax softmax": rax_softmax,
    "statsmodels": statsmodels,
}


def questions() -> list[tuple[str, str, Any, dict[str, Any], dict[str, Any]]]:
    """Package, loss, labels, and the options of the package and of the loss."""
    noise = lightgbm_noise(SIZES, 5)
    return [
        ("rax", "list_mle_loss", RANKS, {}, {}),
        ("rax softmax", "xe_ndcg_loss", RELEVANCE, {"noise": NOISE}, {"noise": NOISE}),
        ("lightgbm", "xe_ndcg_loss", RELEVANCE, {}, {"noise": noise, "newton_terms": 2}),
        ("statsmodels", "conditional_logit_loss", CHOSEN, {}, {}),
    ]


def main() -> None:
    cases = []
    for package, loss, label, theirs, ours in questions():
        value, grad, hess = PACKAGES[package](X, label, SIZES, **theirs)
        case = {"package": package, "loss": loss, "label": label.tolist()}
        case["options"] = {k: np.asarray(v).tolist() for k, v in ours.items()}
        case |= {"value": None if value is None else float(value)}
        for name, part in (("grad", grad), ("hess", hess)):
            case[name] = None if part is None else np.asarray(part).tolist()
        cases.append(case)
    modules = ("lightgbm", "rax", "statsmodels")
    about = ", ".join(
        f"{name} {getattr(import_module(name), '__version__', '')}" for name in modules
    )
    head = {"about": f"{about}; written by tests/peers/record_grouped.py", "input": X.tolist()}
    head["group_sizes"] = SIZES
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
    rows = ",\n".join(json.dumps(case) for case in cases)
    DATA.write_text(f'{{{text},\n"cases": [\n{rows}\n]}}\n', encoding="utf-8")
    print(f"{len(cases)} cases: {DATA}")


if __name__ == "__main__":
    main()
