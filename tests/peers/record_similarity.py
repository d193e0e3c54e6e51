"""Record what torch says of vectors: PYTHONPATH=. python tests/peers/record_similarity.py

Writes tests/data/similarity_parity.json. Also how the live comparison asks torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "similarity_parity.json"
inf = float("inf")


def textbook(name: str) -> Any:
    """What torch has no function for, or under another name."""
    import torch
    from torch.nn import functional

    def cosine_distance(input: Any, target: Any, eps: float = 1e-8) -> Any:
        return (1 - functional.cosine_similarity(input, target, dim=-1, eps=eps)).mean()

    def contrastive_loss(input1: Any, input2: Any, target: Any, margin: float = 1.0) -> Any:
        d = torch.linalg.vector_norm(input1 - input2, dim=-1)
        return (target * d**2 + (1 - target) * (margin - d).clamp_min(0) ** 2).mean()

    own = {"cosine_distance": cosine_distance, "contrastive_loss": contrastive_loss}
    return own[name] if name in own else getattr(functional, name)


def ask_torch(
    name: str, arrays: list[Any], options: dict[str, Any], leaves: int, grad_output: Any = None
) -> tuple[Any, list[Any]]:
    """The value, and the gradients of its sum or of its product with `grad_output`."""
    import torch

    tensors = [torch.tensor(a, dtype=torch.float64) for a in arrays]
    for x in tensors[:leaves]:
        x.requires_grad_()
    options = {"dim" if key == "axis" else key: x for key, x in options.items()}
    value = textbook(name)(*tensors, **options)
    along = torch.ones_like(value) if grad_output is None else value.new_tensor(grad_output)
    grads = torch.autograd.grad((value * along).sum(), tensors[:leaves])
    return value.detach().numpy(), [g.numpy() for g in grads]


def cases() -> Iterator[dict[str, Any]]:
    """Calls: name, arrays, options, how many have gradients, and the gradient to carry back."""
    rng = np.random.default_rng(20)
    a, b, c = (rng.normal(size=(4, 3)).round(3) for _ in range(3))
    a[1] = b[1]  # equal vectors
    a[2] = 0
    signs, shares = [1, -1, 1, -1], [1.0, 0.0, 0.25, 0.0]
    carried = rng.normal(size=4).round(3)

    def case(name: str, arrays: list[Any], leaves: int, dy: Any = None, **options: Any) -> Any:
        rows = [np.asarray(x).tolist() for x in arrays]
        return {
            "name": name,
            "arrays": rows,
            "leaves": leaves,
            "grad_output": None if dy is None else np.asarray(dy).tolist(),
            "options": options,
        }

    for eps in (1e-8, 2.0):
        yield case("cosine_similarity", [a, b], 2, carried, axis=1, eps=eps)
        yield case("cosine_distance", [a, b], 1, eps=eps)
    wide = rng.normal(size=(4, 4)).round(3)
    yield case("cosine_similarity", [a[:, None], b[None]], 2, wide, axis=2)
    for p in (0.5, 1.0, 1.5, 2.0, 3.0, inf):
        yield case("pairwise_distance", [a, b], 2, carried, p=p)
        yield case("triplet_margin_loss", [a, b, c], 3, p=p)
        yield case("triplet_margin_loss", [a, b, c], 3, p=p, swap=True, margin=0.5)
    yield case("pairwise_distance", [a, b], 2, carried, p=2.0, eps=0.0)
    yield case("pairwise_distance", [[1.0, -1.0], [0.0, 0.0]], 2, 2.0, p=inf, eps=0.0)
    tie = [[[0.0, 0.0]], [[2.0, 0.0]], [[1.0, 1.0]]]
    yield case("triplet_margin_loss", tie, 3, swap=True, eps=0.0)
    for eps in (1e-12, 2.0):
        yield case("normalize", [a], 1, b, eps=eps)
    yield case("normalize", [[[3.0, 4.0]]], 1, [[1.0, 2.0]], eps=5.0)
    for margin in (0.0, 0.3):
        yield case("cosine_embedding_loss", [a, b, signs], 2, margin=margin)
    yield case("cosine_embedding_loss", [[[1.0, 0.0]], [[0.0, 1.0]], [-1]], 2)
    for swap in (False, True):
        yield case("triplet_margin_with_distance_loss", [a, b, c], 3, swap=swap)
    a[1] = a[1] + 0.125  # torch's slope of a norm times itself is nan at 0
    yield case("contrastive_loss", [a, b, shares], 2, margin=2.0)


def record() -> None:
    """Ask torch, and write."""
    answers = []
    for case in cases():
        value, grads = ask_torch(
            case["name"], case["arrays"], case["options"], case["leaves"], case["grad_output"]
        )
        answers.append({**case, "value": value.tolist(), "grads": [g.tolist() for g in grads]})
    DATA.write_text("[\n" + ",\n".join(map(json.dumps, answers)) + "\n]\n")


if __name__ == "__main__":
    record()
