"""Record what torch and optax say of losses of sequences.

    python -m tests.peers.record_sequences      writes tests/data/sequences_parity.json

It needs torch and optax, but not fusedloss.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "sequences_parity.json"


def calls() -> list[dict[str, Any]]:
    """Logits, labels and lengths, and the options."""
    rng = np.random.default_rng(0)

    def call(steps: int, classes: int, labels: Any, lengths: Any, spans: Any, **own: Any) -> Any:
        count = len(lengths)
        x = rng.normal(0, 2, (steps, count, classes)).round(3)
        arrays = {"input": x, "targets": labels, "input_lengths": spans, "target_lengths": lengths}
        return {"arrays": {k: np.asarray(a).tolist() for k, a in arrays.items()}, "options": own}

    padded = [[1, 2, 2], [3, 1, 0], [4, 0, 0], [2, 3, 2]]
    found = [
        call(6, 5, padded, [3, 2, 1, 3], [6, 5, 6, 4], reduction=reduction)
        for reduction in ("mean", "sum", "none")
    ]
    found.append(call(6, 5, [1, 2, 2, 3, 1, 4], [3, 2, 1], [6, 4, 3]))
    found.append(call(7, 4, [[0, 1, 1], [2, 0, 2]], [3, 2], [7, 6], blank=3))
    found.append(call(5, 3, [[2, 2], [0, 2], [0, 0]], [2, 2, 1], [4, 5, 1], blank=1))
    found.append(call(4, 3, [[1, 1], [2, 1], [1, 1]], [2, 2, 2], [2, 4, 3], zero_infinity=True))
    found.append(call(3, 3, [[1, 2], [2, 1]], [0, 0], [3, 2]))
    found.append(call(1, 2, [[1]], [1], [1]))
    long = rng.integers(1, 6, (2, 8))
    found.append(call(40, 6, long.tolist(), [8, 5], [40, 33]))
    return found


def ask_torch(arrays: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The value, its gradient with respect to the logits, and what is returned as that with respect
    to their `log_softmax`."""
    import torch

    given = {k: torch.tensor(np.array(a)) for k, a in arrays.items()}
    logits = given.pop("input").requires_grad_()
    value = torch.nn.functional.ctc_loss(logits.log_softmax(-1), *given.values(), **options)
    (grad,) = torch.autograd.grad(value.sum(), logits)
    leaf = logits.detach().log_softmax(-1).requires_grad_()
    again = torch.nn.functional.ctc_loss(leaf, *given.values(), **options)
    (by_log_probs,) = torch.autograd.grad(again.sum(), leaf)
    parts = {"value": value, "grad": grad, "by_log_probs": by_log_probs}
    return {k: v.detach().numpy().tolist() for k, v in parts.items()}


def ask_optax(arrays: dict[str, Any], options: dict[str, Any]) -> dict[str, Any] | None:
    """The values and the gradient of their sum, if all sequences have alignments and the labels are
    padded."""
    import jax
    import jax.numpy as jnp
    import optax

    x, labels, spans, lengths = (np.array(a) for a in arrays.values())
    if labels.ndim == 1 or "zero_infinity" in options:
        return None
    x_left = np.arange(len(x)) >= spans[:, None]
    labels_left = np.arange(labels.shape[1]) >= lengths[:, None]
    blank = options.get("blank", 0)

    def total(logits: Any) -> Any:
        values = optax.losses.ctc_loss(
            jnp.moveaxis(logits, 0, 1),
            x_left.astype(float),
            labels,
            labels_left.astype(float),
            blank_id=blank,
        )
        return values.sum(), values

    grad, values = jax.grad(total, has_aux=True)(jnp.asarray(x))
    return {"values": np.asarray(values).tolist(), "grad": np.asarray(grad).tolist()}


def main() -> None:
    import jax

    jax.config.update("jax_enable_x64", True)
    found = calls()
    for call in found:
        call["torch"] = ask_torch(call["arrays"], call["options"])
        if answer := ask_optax(call["arrays"], call["options"]):
            call["optax"] = answer
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "optax"))
    lines = ",\n".join(json.dumps(call) for call in found)
    DATA.write_text(f'{{"about": "{versions}", "calls": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(found)} calls: {DATA}")


if __name__ == "__main__":
    main()
