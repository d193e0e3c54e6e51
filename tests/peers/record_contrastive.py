"""Record what the published formulas of the losses of all pairs give in torch, and optax and Keras.

    python -m tests.peers.record_contrastive      writes tests/data/contrastive_parity.json

It needs torch, and for the values of the libraries optax and keras, but not fusedloss.
"""

from __future__ import annotations

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "contrastive_parity.json"
X = np.array([[1.0, 0.5, -0.25], [0.0, 2.0, 1.0], [-1.0, 0.25, 0.5], [0.5, 0.5, -1.5]])
MORE = np.concatenate([X, np.roll(X, 1, axis=0)[:, ::-1] + 0.125, -X[:2]])
PAIRS, MANY = [0, 1, 0, 1, 2, 3, 3, 2, 4, 4], [7, 7, 7, -1, -1, 3, 7, 0, 0, -1]


def info_nce(query: Any, positive: Any, negatives: Any = None, **own: Any) -> Any:
    """As van den Oord et al. and the well-known implementations have it."""
    from torch import arange, cat, zeros
    from torch.nn.functional import cross_entropy, normalize

    q, k = normalize(query, dim=-1), normalize(positive, dim=-1)
    if negatives is None:
        logits, labels = q @ k.T, arange(len(q))
    else:
        n = normalize(negatives, dim=-1)
        others = q @ n.T if n.ndim == 2 else (q[:, None] @ n.transpose(1, 2))[:, 0]
        logits = cat([(q * k).sum(dim=1, keepdim=True), others], dim=1)
        labels = zeros(len(q), dtype=int)
    return cross_entropy(logits / own.get("temperature", 0.07), labels, reduction="none")


def supervised(embeddings: Any, labels: Any, temperature: float = 0.07) -> Any:
    """L_out of Khosla et al., of the rows that have positives."""
    import torch

    z = torch.nn.functional.normalize(embeddings, dim=1)
    own = torch.eye(len(z), dtype=torch.bool)
    s = (z @ z.T / temperature).masked_fill(own, -torch.inf)
    positive = (labels[:, None] == labels) & ~own
    logs = (s - s.logsumexp(dim=1, keepdim=True)).masked_fill(~positive, 0)
    count = positive.sum(dim=1)
    return -logs.sum(dim=1) / count.clamp(min=1)


def circle(embeddings: Any, labels: Any, gamma: float = 80.0, margin: float = 0.4) -> Any:
    """As Keras has it, of vectors that are normalised before."""
    import torch

    z = torch.nn.functional.normalize(embeddings, dim=1)
    d = (1 - z @ z.T).clamp(min=0)
    alike = labels[:, None] == labels
    positive = alike & ~torch.eye(len(z), dtype=torch.bool)
    near = gamma * (margin + d) * (d - margin)
    far = gamma * (1 + margin - d).clamp(min=0) * (1 - margin - d)
    near, far = near.masked_fill(~positive, -torch.inf), far.masked_fill(alike, -torch.inf)
    keep = positive.any(dim=1) & ~alike.all(dim=1)
    total = near[keep].logsumexp(dim=1) + far[keep].logsumexp(dim=1)
    values = torch.zeros(len(z), dtype=z.dtype)
    values[keep] = torch.logaddexp(total, torch.zeros_like(total))
    return values


FORMULAS = {
    "info_nce_loss": info_nce,
    "supervised_contrastive_loss": supervised,
    "circle_loss": circle,
}


def questions() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    pair = {"query": X, "positive": 0.5 * X + X[::-1]}
    negatives = (MORE, np.stack([MORE[k : k + 3] for k in range(4)]))
    asked: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for options in ({}, {"temperature": 0.5}):
        asked.append(("info_nce_loss", pair, options))
        asked += [("info_nce_loss", pair | {"negatives": n}, options) for n in negatives]
        for labels in (PAIRS, MANY):
            arrays = {"embeddings": MORE, "labels": np.array(labels)}
            asked.append(("supervised_contrastive_loss", arrays, options))
    for options in ({}, {"gamma": 8.0, "margin": 0.25}):
        for labels in (PAIRS, MANY):
            arrays = {"embeddings": MORE, "labels": np.array(labels)}
            asked.append(("circle_loss", arrays, options))
    return asked


def ask(loss: str, arrays: dict[str, Any], options: dict[str, Any]) -> tuple[Any, list[Any]]:
    """Values, and gradients of their sum."""
    import torch

    given = {k: torch.tensor(a, requires_grad=k != "labels") for k, a in arrays.items()}
    value = FORMULAS[loss](**given, **options)
    value.sum().backward()
    return value.detach().numpy(), [t.grad.numpy() for k, t in given.items() if k != "labels"]


def libraries() -> list[dict[str, Any]]:
    """Means of optax and of Keras."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import jax
    import keras
    import optax

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    unit = MORE / np.linalg.norm(MORE, axis=1, keepdims=True)
    return [
        {
            "theirs": f"optax {version('optax')} ntxent",
            "loss": "supervised_contrastive_loss",
            "labels": PAIRS,
            "mean": float(optax.losses.ntxent(MORE, np.array(PAIRS))),
        },
        *(
            {
                "theirs": f"keras {version('keras')} Circle",
                "loss": "circle_loss",
                "labels": labels,
                "mean": float(keras.losses.Circle()(np.array(labels), unit)),
            }
            for labels in (PAIRS, MANY)
        ),
    ]


def main() -> None:
    cases = []
    for loss, arrays, options in questions():
        value, grads = ask(loss, arrays, options)
        case = {"loss": loss, "arrays": {k: np.asarray(a).tolist() for k, a in arrays.items()}}
        case |= {"options": options, "value": value.tolist(), "grads": [g.tolist() for g in grads]}
        cases.append(case)
    about = f"torch {version('torch')}, float64; written by tests/peers/record_contrastive.py"
    parts = [",\n".join(json.dumps(c) for c in part) for part in (cases, libraries())]
    text = '{{"about": {},\n"embeddings": {},\n"cases": [\n{}\n],\n"libraries": [\n{}\n]}}\n'
    DATA.write_text(text.format(json.dumps(about), json.dumps(MORE.tolist()), *parts))
    print(f"{len(cases)} cases: {DATA}")


if __name__ == "__main__":
    main()
