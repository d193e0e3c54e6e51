"""Record what optax says of ranking losses, and the published formulas of tf.losses and Rax.

    PYTHONPATH=. python tests/peers/record_ranking.py      writes tests/data/ranking_parity.json

Needs jax and optax.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "ranking_parity.json"


def tf_mean_pairwise(x: Any, t: Any) -> Any:
    """tf.losses.mean_pairwise_squared_error: from the sums of d² and of d of each sample."""
    d = x - t
    n = d.shape[1]
    first = (d**2).sum(1) / (n - 1)
    second = d.sum(1) ** 2 / (n * (n - 1))
    return (2 * (first - second)).sum()


def rax_pairwise(x: Any, t: Any, where: Any) -> Any:
    """rax.pairwise_logistic_loss with ``reduce_fn=jnp.sum``."""
    import jax.numpy as jnp

    z = x[:, :, None] - x[:, None, :]
    counts = (t[:, :, None] > t[:, None, :]) & where[:, :, None] & where[:, None, :]
    return jnp.sum((jnp.maximum(-z, 0) + jnp.log1p(jnp.exp(-jnp.abs(z)))) * counts)


def main() -> None:
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    x, t = rng.normal(scale=3, size=(5, 6)), rng.integers(0, 4, (5, 6)).astype(np.float64)
    where, weight = rng.random((5, 6)) < 0.7, rng.uniform(0.5, 2, (5, 6))
    where[:, 0] = True
    softmax = optax.losses.ranking_softmax_loss
    cases = []

    def record(name: str, loss: str, reduction: str, function: Any, **more: Any) -> None:
        value, grad = jax.value_and_grad(function)(x)
        arrays = {"input": x, "target": t, **more}
        cases.append(
            {
                "name": name,
                "loss": loss,
                "reduction": reduction,
                "arrays": {k: a.tolist() for k, a in arrays.items()},
                "value": float(value),
                "grad": np.asarray(grad).tolist(),
            }
        )

    def of_optax(**given: Any) -> Any:
        named = {"weights" if k == "weight" else k: a for k, a in given.items()}
        return lambda scores: softmax(scores, t, **named)

    for given in ({}, {"where": where}, {"weight": weight}, {"where": where, "weight": weight}):
        name = "-".join(["optax", *given])
        record(name, "ranking_softmax_loss", "mean", of_optax(**given), **given)
    record("tf", "mean_pairwise_squared_error", "sum", lambda scores: tf_mean_pairwise(scores, t))
    for valid, given in ((np.ones_like(where), {}), (where, {"where": where})):
        record(
            "-".join(["rax", *given]),
            "pairwise_logistic_loss",
            "sum",
            lambda scores, valid=valid: rax_pairwise(scores, t, valid),
            **given,
        )
    DATA.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
