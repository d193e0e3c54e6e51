"""Record what torch says, for the tests that run without it.

    PYTHONPATH=. python tests/peers/record.py      writes tests/data/torch_parity.json

Also how the live comparison (test_torch.py) asks torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "torch_parity.json"
CONSTANT = {"weight", "pos_weight"}
inf = float("inf")


def ask_torch(
    loss: str, arrays: dict[str, Any], options: dict[str, Any], hessian: bool = True
) -> tuple[Any, Any, Any]:
    """Value, gradient (of the sum, for "none") and diagonal second derivative, as arrays."""
    import torch

    function = getattr(torch.nn.functional, loss)
    tensors = {k: torch.tensor(np.asarray(a)) for k, a in arrays.items()}
    x = tensors.pop("input").requires_grad_()
    target = tensors.pop("target")
    value = function(x, target, **tensors, **options)
    (grad,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    hess = torch.zeros_like(x)
    if hessian and grad.requires_grad:
        flat = grad.flatten()
        for k in range(flat.numel()):
            (row,) = torch.autograd.grad(flat[k], x, retain_graph=True, allow_unused=True)
            if row is not None:
                hess.view(-1)[k] = row.flatten()[k]
    return value.detach().numpy(), grad.detach().numpy(), hess.numpy()


Question = tuple[str, dict[str, Any], dict[str, Any]]


def questions() -> Iterator[Question]:
    """Kinks, edges and options of every loss; arrays as lists."""
    x = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -3.0, 1e-9, 40.0, -40.0, 1e6]
    zeros = [0.0] * len(x)
    t = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.25, 0.75, 1.0, 1.0, 0.0, 0.5]
    w = [1.0, 2.0, 0.0, 0.5, 3.0, 1.0, 1.0, 0.25, 1.0, 2.0, 1.0, 1.0]
    for loss in ("mse_loss", "l1_loss", "huber_loss"):
        for reduction in ("mean", "sum", "none"):
            yield loss, {"input": x, "target": zeros}, {"reduction": reduction}
            yield loss, {"input": x, "target": t, "weight": w}, {"reduction": reduction}
        yield loss, {"input": [inf, -inf, 1e200], "target": [0.0] * 3}, {"reduction": "none"}
        yield loss, {"input": [[]], "target": [[]]}, {}
    for delta in (1e-6, 0.5, 1.5, 40.0, 1e8):
        yield "huber_loss", {"input": x, "target": zeros}, {"delta": delta, "reduction": "none"}
    bce = "binary_cross_entropy_with_logits"
    for reduction in ("mean", "sum", "none"):
        yield bce, {"input": x, "target": t}, {"reduction": reduction}
        yield bce, {"input": x, "target": t, "weight": w}, {"reduction": reduction}
    yield bce, {"input": x, "target": t, "pos_weight": w}, {"reduction": "none"}
    yield bce, {"input": [x, x], "target": [t, w], "weight": w, "pos_weight": w}, {}
    yield bce, {"input": [[0.5, 1.0]] * 3, "target": [[1.0, 0.0]] * 3, "pos_weight": [2.0, 3.0]}, {}
    yield bce, {"input": [1.0, -2.0], "target": [2.0, -1.0]}, {"reduction": "none"}

    logits = [[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [30.0, 0.0, -30.0], [1.0, 1.0, -inf]]
    cw = [0.5, 2.0, 1.0]
    both = ("cross_entropy", "nll_loss")
    for loss in both:
        for reduction in ("mean", "sum", "none"):
            arrays = {"input": logits, "target": [2, 0, 1, 0]}
            yield loss, arrays, {"reduction": reduction}
            yield loss, arrays | {"weight": cw}, {"reduction": reduction}
        yield loss, {"input": logits, "target": [2, -100, 1, -100], "weight": cw}, {}
        yield loss, {"input": logits, "target": [2, 0, 1, 0], "weight": cw}, {"ignore_index": 0}
        yield loss, {"input": logits, "target": [7, 0, 1, 0], "weight": cw}, {"ignore_index": 7}
        yield loss, {"input": logits, "target": [-100] * 4}, {}
        yield loss, {"input": logits[0], "target": 1}, {}
        yield loss, {"input": [[logits[0]] * 3] * 2, "target": [[0, 1, 2], [2, -100, 0]]}, {}
    ce = "cross_entropy"
    finite = logits[:3]
    for smoothing in (0.1, 1.0):
        options = {"label_smoothing": smoothing}
        yield ce, {"input": finite, "target": [2, 0, 1]}, options
        yield ce, {"input": finite, "target": [2, -100, 1], "weight": cw}, options
        yield ce, {"input": finite, "target": [[0.5, 0.25, 0.25]] * 3, "weight": cw}, options
    odd = [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0], [2.0, 0.0, -1.0]]  # not all of them distributions
    for reduction in ("mean", "sum", "none"):
        yield ce, {"input": finite, "target": odd}, {"reduction": reduction}
    yield ce, {"input": logits[0], "target": odd[2], "weight": cw}, {}
    yield ce, {"input": logits, "target": [2, 0, 2, 2]}, {"reduction": "none"}


def as_arrays(arrays: dict[str, Any]) -> dict[str, Any]:
    """Numbers as float64, class numbers as int64."""
    return {k: np.array(a) for k, a in arrays.items()}


def main() -> None:
    import torch

    cases = []
    for loss, arrays, options in questions():
        value, grad, hess = ask_torch(loss, as_arrays(arrays), options)
        answer = {"value": value.tolist(), "grad": grad.tolist(), "hess": hess.tolist()}
        cases.append({"loss": loss, "arrays": arrays, "options": options} | answer)
    about = (
        f"torch {torch.__version__}, torch.nn.functional, float64, CPU; written by "
        "tests/peers/record.py. grad and hess (the diagonal) are those of the sum of value."
    )
    lines = ",\n".join(json.dumps(case) for case in cases)
    DATA.write_text(f'{{"about": {json.dumps(about)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} cases, {DATA.stat().st_size} bytes: {DATA}")


if __name__ == "__main__":
    main()
