"""Cross entropy for JAX, value and gradient under jit: the time of jax.jit divided by ours.

PYTHONPATH=src:. python -m bench.integrations_jax      all in turns; set XLA_FLAGS for one thread
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

import fusedloss as fl
from bench.interleave import interleave


def cross_entropy(x: Any, t: Any) -> Any:
    """As JAX's users write it."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), t[:, None], axis=1))


def main() -> None:
    fl.set_num_threads(1)
    ours = jax.jit(jax.value_and_grad(fl.jax.cross_entropy))
    theirs = jax.jit(jax.value_and_grad(cross_entropy))
    print(f"{'':18} jax.jit µs  jax.jit / fusedloss")
    for rows, classes in ((64, 10), (2048, 1000), (512, 32000)):
        x = jax.random.normal(jax.random.key(0), (rows, classes))
        t = jax.random.randint(jax.random.key(1), (rows,), 0, classes)
        functions = {
            name: lambda f=f, x=x, t=t: jax.block_until_ready(f(x, t))
            for name, f in (("jax", theirs), ("ours", ours))
        }
        outcome = interleave(functions, 5)
        ratio = outcome.ratio("jax", "ours")
        print(f"{f'{rows}x{classes}':18}{outcome.best('jax') * 1e6:12.1f}{ratio:20.2f}")


if __name__ == "__main__":
    main()
