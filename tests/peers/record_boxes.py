"""Record what torchvision's formulas of the losses between boxes give.

    PYTHONPATH=. python tests/peers/record_boxes.py      writes tests/data/boxes_parity.json

The formulas are those of torchvision 0.28, in torch's operations: torchvision itself need not be
there.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "boxes_parity.json"
LOSSES = ("generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss")


def values(loss: str, a: Any, b: Any, eps: float) -> Any:
    """The losses of the pairs, as tensors."""
    import torch

    size1, size2 = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    both = torch.min(a[:, 2:], b[:, 2:]) - torch.max(a[:, :2], b[:, :2])
    hull = torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])
    inside = torch.where((both > 0).all(1), both.prod(1), 0.0)
    union = size1.prod(1) + size2.prod(1) - inside
    iou = inside / (union + eps)
    if loss == "generalized_box_iou_loss":
        area = hull[:, 0] * hull[:, 1]
        return 1 - iou + (area - union) / (area + eps)
    apart = (a[:, :2] + a[:, 2:]) / 2 - (b[:, :2] + b[:, 2:]) / 2
    result = 1 - iou + (apart**2).sum(1) / ((hull**2).sum(1) + eps)
    if loss == "complete_box_iou_loss":
        turn = torch.atan(size2[:, 0] / size2[:, 1]) - torch.atan(size1[:, 0] / size1[:, 1])
        v = 4 / math.pi**2 * turn**2
        result = result + (v / (1 - iou + v + eps)).detach() * v
    return result


def ask(loss: str, boxes1: Any, boxes2: Any, eps: float = 1e-7) -> tuple[Any, Any, Any]:
    """Values, gradients of their sum, and the diagonals of the Hessian."""
    import torch

    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (boxes1, boxes2)]
    result = values(loss, *leaves, eps)
    grads = torch.autograd.grad(result.sum(), leaves, create_graph=True)
    hesses = []
    for grad, leaf in zip(grads, leaves, strict=True):
        columns = [torch.autograd.grad(g.sum(), leaf, retain_graph=True)[0] for g in grad.T]
        hesses.append(torch.stack([c[:, k] for k, c in enumerate(columns)], 1).numpy())
    return result.detach().numpy(), tuple(g.detach().numpy() for g in grads), tuple(hesses)


def samples() -> list[tuple[str, Any, Any]]:
    """Boxes anywhere, boxes on a grid (with ties), and boxes upside down."""
    rng = np.random.default_rng(5)
    anywhere = [np.sort(rng.uniform(0, 9, (20, 2, 2)), axis=1).reshape(-1, 4) for _ in range(2)]
    grid = [rng.integers(0, 4, (60, 4)).astype(float) for _ in range(2)]
    for boxes in grid:
        boxes[:, 2:] = boxes[:, :2] + 1 + boxes[:, 2:] % 3
    grid[1][:10] = grid[0][:10]
    upside = [rng.normal(size=(20, 4)) for _ in range(2)]
    named = (("anywhere", anywhere), ("grid", grid), ("upside down", upside))
    return [(name, first, second) for name, (first, second) in named]


def main() -> None:
    import torch

    cases = []
    for name, first, second in samples():
        for loss in LOSSES:
            value, grads, hesses = ask(loss, first, second)
            case = {"loss": loss, "boxes": name, "boxes1": first, "boxes2": second}
            case |= {"value": value, "grad": grads, "hess": hesses}
            cases.append(case)
    about = f"formulas of torchvision 0.28, torch {torch.__version__}"
    text = json.dumps({"about": about, "cases": cases}, default=lambda a: a.tolist())
    DATA.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
