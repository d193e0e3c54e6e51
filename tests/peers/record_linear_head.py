"""Records what torch's linear_cross_entropy gives:

python -m tests.peers.record_linear_head      writes tests/data/linear_head_parity.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import linear_cross_entropy

N, D, C = 5, 3, 4


def cases() -> list[tuple[tuple[Any, Any, Any], dict[str, Any]]]:
    """Input, weights of the layer and target; options."""
    x = 2 * np.sin(np.arange(N * D) + 1.0).reshape(N, D)
    w = np.cos(np.arange(C * D) * 2.0).reshape(C, D)
    deep = np.sin(np.arange(C * 2 * D) * 3.0).reshape(C, 2, D)
    y = np.array([3, 0, -100, 1, 2])
    pairs = np.array([[3, 1], [0, 0], [-100, 2], [1, -100], [2, 3]])
    p = np.exp(np.cos(np.arange(N * C)).reshape(N, C))
    p /= p.sum(axis=1, keepdims=True)
    weight, bias = [0.5, 1.0, 2.0, 1.5], np.linspace(-1, 1, C).tolist()
    return [
        ((x, w, y), {}),
        ((x, w, y), {"linear_bias": bias, "weight": weight, "label_smoothing": 0.1}),
        ((x, w, np.array([3, 0, 2, 1, 2])), {"reduction": "sum", "ignore_index": 2}),
        ((x, w, p), {"weight": weight}),
        ((x, deep, pairs), {"label_smoothing": 0.2}),
        ((x, w, y), {"reduction": "none"}),
        ((x[0], w, np.array(3)), {}),
    ]


def record(arrays: tuple[Any, Any, Any], options: dict[str, Any]) -> dict[str, Any]:
    x, w = (torch.tensor(a, requires_grad=True) for a in arrays[:2])
    given = {
        name: torch.tensor(a, dtype=torch.float64) if isinstance(a, list) else a
        for name, a in options.items()
    }
    leaves = [x, w]
    if "linear_bias" in given:
        leaves.append(given["linear_bias"].requires_grad_())
    value = linear_cross_entropy(x, w, torch.tensor(arrays[2]), **given)
    value.sum().backward()
    names = ("input", "linear_weight", "target")
    return {
        **{name: a.tolist() for name, a in zip(names, arrays, strict=True)},
        "options": options,
        "value": value.tolist(),
        "grads": [leaf.grad.tolist() for leaf in leaves if leaf.grad is not None],
    }


if __name__ == "__main__":
    path = Path(__file__).parent.parent / "data" / "linear_head_parity.json"
    about = f"torch {torch.__version__}, float64; written by tests/peers/record_linear_head.py"
    recorded = {"about": about, "cases": [record(*case) for case in cases()]}
    path.write_text(json.dumps(recorded) + "\n", encoding="utf-8")
