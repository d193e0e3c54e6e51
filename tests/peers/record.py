"""Record what torch says, for the tests that run without it.

    PYTHONPATH=. python tests/peers/record.py      writes tests/data/torch_parity.json

Also how the live comparison (test_torch.py) asks torch.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "torch_parity.json"
PAIRED = {"margin_ranking_loss": ("input1", "input2"), "gaussian_nll_loss": ("input", "var")}
MARGINS = ("multi_margin_loss", "multilabel_margin_loss")  # torch has no second derivative of them
ROWS = (
    "cross_entropy",
    "nll_loss",
    "softmax_focal_loss",
    "generalized_cross_entropy_loss",
    "poly_cross_entropy_loss",
    "brier_loss",
    *MARGINS,
    "multilabel_soft_margin_loss",
    "categorical_hinge_loss",
    "sparsemax_loss",
)
inf = float("inf")


def function_of(loss: str, options: dict[str, Any]) -> Callable[..., Any]:
    """Torch's own function, or the textbook's formula where torch has none with these options."""
    from torch.nn import functional

    from tests.peers import textbook

    return getattr(functional if has_own(loss, options) else textbook, loss)  # type: ignore[no-any-return]


def has_own(loss: str, options: dict[str, Any]) -> bool:
    """Whether it is a loss of torch itself."""
    from torch.nn import functional

    not_in_torch = {"log_clamp", "z_loss", "softcap"} & options.keys()
    return hasattr(functional, loss) and not not_in_torch and options.get("full") != "exact"


def ask_torch(
    loss: str, arrays: dict[str, Any], options: dict[str, Any], hessian: bool = True
) -> tuple[Any, Any, Any]:
    """Value, gradient (of the sum, for "none") and diagonal second derivative, as arrays.

    Of a paired loss the last two are tuples, with None where the second input is no array. Where
    torch cannot differentiate twice, the second derivative is that of the textbook's formula; so is
    all of an empty batch there, for which torch's means are not initialised.
    """
    if loss in MARGINS and (hessian or not np.size(arrays["input"])):
        from tests.peers import textbook

        answer = _ask(getattr(textbook, loss), loss, arrays, options, hessian)
        if not np.size(arrays["input"]):
            return answer
        return *ask_torch(loss, arrays, options, hessian=False)[:2], answer[2]
    return _ask(function_of(loss, options), loss, arrays, options, hessian)


def _home(loss: str, dims: int) -> int:
    """The axis of the classes in torch."""
    last = loss in (*MARGINS, "multilabel_soft_margin_loss")
    return dims - 1 if last else min(1, dims - 1)


def _laid_out(
    loss: str, arrays: dict[str, Any], axis: int | None
) -> tuple[dict[str, Any], Callable[[Any], Any]]:
    """The arrays of a loss over a class axis as torch wants them, and how to bring back what it
    answers: classes on its axis, and for the losses of margins in matrices."""
    shape = np.shape(arrays["input"])
    dims = len(shape)
    home = _home(loss, dims)
    at = (min(1, dims - 1) if loss in MARGINS else home) if axis is None else axis % dims
    flat = loss in MARGINS and dims > 2
    if at == home and not flat:
        return arrays, lambda part: part
    moved = {
        k: np.ascontiguousarray(np.moveaxis(a, at, home)) if np.ndim(a) == dims else np.asarray(a)
        for k, a in arrays.items()
    }
    there = moved["input"].shape
    if flat:
        moved["input"] = moved["input"].reshape(-1, there[-1])
        moved["target"] = moved["target"].reshape(-1, *moved["target"].shape[dims - 1 :])

    def back(part: Any) -> Any:
        if part is None or not part.shape:
            return part
        if part.size == np.prod(there) and part.ndim == moved["input"].ndim:
            return np.moveaxis(part.reshape(there), home, at)
        return part.reshape(np.delete(shape, at))

    return moved, back


def _ask(
    function: Callable[..., Any],
    loss: str,
    arrays: dict[str, Any],
    options: dict[str, Any],
    hessian: bool,
) -> tuple[Any, Any, Any]:
    import torch

    options = dict(options)
    if loss in ROWS:
        arrays, back = _laid_out(loss, arrays, options.pop("axis", None))
    tensors = {k: torch.tensor(np.asarray(a)) for k, a in arrays.items()}
    names = PAIRED.get(loss, ("input",))
    inputs = [tensors[k].requires_grad_() if k in tensors else None for k in names]
    known = inspect.signature(function).parameters
    if "reduction" in known and ("weight" in known or "weight" not in arrays):
        value = function(**tensors, **options)
    else:
        weight = tensors.pop("weight", 1.0)
        reduction = options.pop("reduction", "mean")
        if "reduction" in known:
            options["reduction"] = "none"
        value = function(**tensors, **options) * weight
        if reduction != "none":
            value = getattr(value, reduction)()
    classes = _home(loss, tensors["input"].dim()) if loss in ROWS else None
    derivatives = [_derivatives(value, x, classes, hessian) for x in inputs]
    grads, hesses = zip(*derivatives, strict=True)
    if loss in PAIRED:
        return value.detach().numpy(), grads, hesses
    parts = value.detach().numpy(), grads[0], hesses[0]
    if loss not in ROWS:
        return parts
    return back(parts[0]), back(parts[1]), back(parts[2])


def _derivatives(value: Any, x: Any, classes: int | None, hessian: bool) -> tuple[Any, Any]:
    """Gradient and second derivative; those of a row depend on its classes, which this axis has,
    those of an element on no others."""
    import torch

    if x is None:
        return None, None
    if not hessian:
        (grad,) = torch.autograd.grad(value.sum(), x, retain_graph=True)  # paired losses
        return grad.numpy(), None
    (grad,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    hess = torch.zeros_like(x)
    pairs = [(grad, hess)]
    if classes is not None:
        pairs = list(zip(grad.unbind(classes), hess.unbind(classes), strict=True))
    for k, (part, into) in enumerate(pairs):
        if not part.requires_grad:
            continue
        (slope,) = torch.autograd.grad(part.sum(), x, retain_graph=True, allow_unused=True)
        if slope is not None:
            into.copy_(slope if classes is None else slope.select(classes, k))
    return grad.detach().numpy(), hess.detach().numpy()


Question = tuple[str, dict[str, Any], dict[str, Any]]
REDUCTIONS = ("mean", "sum", "none")


def questions() -> Iterator[Question]:
    """Kinks, edges and options of every loss; arrays as lists."""
    yield from of_regression()
    yield from of_logits()
    yield from of_classes()
    yield from of_shares()
    yield from of_margins()
    yield from of_probabilities()
    yield from of_signs()
    yield from of_counts()
    yield from of_variances()
    yield from of_log_probabilities()


X = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -3.0, 1e-9, 40.0, -40.0, 1e6]
ZEROS = [0.0] * len(X)
T = [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.25, 0.75, 1.0, 1.0, 0.0, 0.5]
W = [1.0, 2.0, 0.0, 0.5, 3.0, 1.0, 1.0, 0.25, 1.0, 2.0, 1.0, 1.0]
NONE = {"reduction": "none"}


def of_regression() -> Iterator[Question]:
    edges = {"input": [inf, -inf, 1e200], "target": [0.0] * 3}
    for loss in ("mse_loss", "l1_loss", "huber_loss"):
        for reduction in REDUCTIONS:
            yield loss, {"input": X, "target": ZEROS}, {"reduction": reduction}
            yield loss, {"input": X, "target": T, "weight": W}, {"reduction": reduction}
        yield loss, edges, NONE
        yield loss, {"input": [[]], "target": [[]]}, {}
    for delta in (1e-6, 0.5, 1.5, 40.0, 1e8):
        yield "huber_loss", {"input": X, "target": ZEROS}, {"delta": delta} | NONE
    loss = "smooth_l1_loss"
    for reduction in REDUCTIONS:
        yield loss, {"input": X, "target": T}, {"reduction": reduction}
    for beta in (0.0, 1e-6, 0.5, 1.0, 1.5, 40.0, 1e8):
        yield loss, {"input": X, "target": ZEROS}, {"beta": beta} | NONE
    yield loss, edges, NONE
    yield loss, edges, {"beta": 0.0} | NONE
    yield loss, {"input": [[]], "target": [[]]}, {}


def of_logits() -> Iterator[Question]:
    bce = "binary_cross_entropy_with_logits"
    for reduction in REDUCTIONS:
        yield bce, {"input": X, "target": T}, {"reduction": reduction}
        yield bce, {"input": X, "target": T, "weight": W}, {"reduction": reduction}
    yield bce, {"input": X, "target": T, "pos_weight": W}, NONE
    yield bce, {"input": [X, X], "target": [T, W], "weight": W, "pos_weight": W}, {}
    yield bce, {"input": [[0.5, 1.0]] * 3, "target": [[1.0, 0.0]] * 3, "pos_weight": [2.0, 3.0]}, {}
    yield bce, {"input": [1.0, -2.0], "target": [2.0, -1.0]}, NONE
    focal = "sigmoid_focal_loss"
    x, t = [0.0, 0.5, -0.5, 1.0, 3.0, -3.0, 8.0, -8.0], [1.0, 0.0, 1.0, 0.25, 1.0, 1.0, 0.0, 1.0]
    for reduction in REDUCTIONS:
        yield focal, {"input": x, "target": t}, {"reduction": reduction}
    for options in ({"gamma": 0.0}, {"gamma": 0.5}, {"alpha": 0.75, "gamma": 5.0}, {"alpha": -1}):
        yield focal, {"input": x, "target": t}, options | NONE
    yield focal, {"input": [[]], "target": [[]]}, {}


def of_classes() -> Iterator[Question]:
    logits = [[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [30.0, 0.0, -30.0], [1.0, 1.0, -inf]]
    cw = [0.5, 2.0, 1.0]
    for loss in ("cross_entropy", "nll_loss"):
        for reduction in REDUCTIONS:
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
    for reduction in REDUCTIONS:
        yield ce, {"input": finite, "target": odd}, {"reduction": reduction}
    yield ce, {"input": logits[0], "target": odd[2], "weight": cw}, {}
    yield ce, {"input": logits, "target": [2, 0, 2, 2]}, NONE
    for target in (2, odd[2]):
        for smoothing in (0.0, 0.2):
            options = {"label_smoothing": smoothing}
            yield ce, {"input": logits[0], "target": target, "weight": cw}, options
    yield ce, {"input": [[3.0], [-2.0]], "target": [0, 0]}, {}
    yield ce, {"input": [[3.0], [-2.0]], "target": [[1.0], [0.5]], "weight": [2.0]}, {}
    yield ce, {"input": logits, "target": [2, 0, 1, 0]}, {"label_smoothing": 0.1} | NONE  # inf
    for target in ([2, -7, 1], [-7] * 3):
        for smoothing in (0.0, 0.2):
            options = {"ignore_index": -7, "label_smoothing": smoothing}
            yield ce, {"input": finite, "target": target, "weight": cw}, options
    images = as_images(finite[:2] * 2)
    yield ce, {"input": images, "target": as_images([0, 2, -100, 1]), "weight": cw}, {}
    yield ce, {"input": images, "target": as_images(odd[:2] * 2), "weight": cw}, NONE


FINITE = [[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [30.0, 0.0, -30.0], [-1.5, 0.25, -0.75]]
CLASSES = [2, 0, 1, 1]
CLASS_WEIGHTS = [0.5, 2.0, 1.0]
MASSES = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.75, 0.125], [2.0, 0.0, -1.0]]


def as_images(rows: Any) -> Any:
    """Two images of 2 by 2 from four rows, (2, C, 2, 2) or (2, 2, 2); one has them in reverse."""
    images = np.array([rows, rows[::-1]]).reshape(2, 2, 2, *np.shape(rows)[1:])
    return (np.moveaxis(images, 3, 1) if images.ndim > 3 else images).tolist()


def of_shares() -> Iterator[Question]:
    """What is computed from the shares (softmax) of the classes."""
    ce, focal, gce = "cross_entropy", "softmax_focal_loss", "generalized_cross_entropy_loss"
    poly, brier = "poly_cross_entropy_loss", "brier_loss"
    z, capped = {"z_loss": 0.25}, {"softcap": 3.0}
    smooth = {"label_smoothing": 0.1}
    alpha = {"alpha": [0.25, 1.5, 1.0]}
    for loss, variants in (
        (ce, (z, capped, z | capped, z | smooth, z | capped | smooth)),
        (
            focal,
            (
                {},
                {"gamma": 0.0},
                {"gamma": 0.5},
                {"gamma": 5.0},
                {"alpha": 0.25},
                alpha,
                smooth | alpha,
            ),
        ),
        (gce, ({}, {"q": 0.25}, {"q": 1.0})),
        (poly, ({}, {"epsilon": -1.0}, {"epsilon": 2.5}, smooth, {"epsilon": 0.0})),
        (brier, ({},)),
    ):
        weights = [{}] if loss in (focal, brier) else [{}, {"weight": CLASS_WEIGHTS}]
        for target in (CLASSES, MASSES):
            arrays = {"input": FINITE, "target": target}
            for options in variants:
                for weight in weights:
                    yield loss, arrays | weight, options
            for weight in weights:
                for reduction in ("sum", "none"):
                    yield loss, arrays | weight, options | {"reduction": reduction}
            yield loss, {"input": FINITE[0], "target": target[0]}, variants[0]
        for weight in weights:
            some = {"input": FINITE, "target": [2, -100, 1, 0]} | weight
            yield loss, some, variants[0]
            yield loss, some, variants[0] | NONE
            yield loss, some | {"target": [2, 1, 1, 0]}, variants[0] | {"ignore_index": 1}
        yield loss, {"input": FINITE, "target": [-100] * 4}, variants[0]
        yield loss, {"input": [[1.5], [-2.0]], "target": [0, 0]}, variants[0]
        images = {"input": as_images(FINITE), "target": as_images(CLASSES)}
        yield loss, images, variants[0]
        yield loss, images, variants[0] | NONE
        rows = {"input": np.transpose(FINITE).tolist(), "target": CLASSES}
        yield loss, rows, variants[0] | {"axis": 0}


def of_margins() -> Iterator[Question]:
    """Ties and kinks are exact in these numbers."""
    grid = [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0], [3.0, 2.0, 2.0], [-1.5, 0.25, -0.75]]
    multi, hinge, sparsemax = "multi_margin_loss", "categorical_hinge_loss", "sparsemax_loss"
    arrays = {"input": grid, "target": CLASSES}
    weighted = arrays | {"weight": CLASS_WEIGHTS}
    for loss, variants in (
        (multi, ({}, {"p": 2}, {"margin": 0.5}, {"p": 2, "margin": 2.0})),
        (hinge, ({}, {"margin": 0.0}, {"margin": 0.5})),
        (sparsemax, ({},)),
    ):
        for options in variants:
            for reduction in REDUCTIONS:
                yield loss, arrays, options | {"reduction": reduction}
                yield loss, weighted, options | {"reduction": reduction}
        for y in range(3):
            yield loss, {"input": grid, "target": [y] * 4}, NONE
        yield loss, {"input": grid[0], "target": 1}, {}
        yield loss, {"input": [[1.5], [-2.0]], "target": [0, 0]}, {}
        yield loss, {"input": as_images(grid), "target": as_images(CLASSES)}, NONE
        if loss != multi:
            yield loss, weighted | {"target": [2, -100, 1, 0]}, {}
            yield loss, weighted | {"target": [2, 1, 1, 0]}, {"ignore_index": 1} | NONE
            yield loss, arrays | {"target": [-100] * 4}, {}
    sizes = {"input": [[0.5, 0.0, -0.5], [0.25, 0.125, 0.25], [1.0, 0.5, 0.0], [-1.0, -0.5, -0.25]]}
    for y in range(3):
        yield sparsemax, sizes | {"target": [y] * 4}, NONE
    yield multi, {"input": [[0.0, -inf, inf]] * 2, "target": [0, 2]}, NONE

    lists = [[2, -1, 0], [1, 1, -1], [-1, 2, 2], [0, 2, 1]]  # one, one twice, none, all
    loss = "multilabel_margin_loss"
    for target in (lists, lists[::-1], [[0, 2, -1]] * 4, [[1, 0, 1]] * 4):
        for reduction in REDUCTIONS:
            yield loss, {"input": grid, "target": target}, {"reduction": reduction}
    yield loss, {"input": grid[0], "target": lists[0]}, {}
    yield loss, {"input": as_images(grid), "target": as_images(lists)}, NONE
    yield (
        loss,
        {"input": np.transpose(grid).tolist(), "target": np.transpose(lists).tolist()},
        {"axis": 0},
    )

    loss = "multilabel_soft_margin_loss"
    several = [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.25, 1.0, 0.75], [1.0, 1.0, 1.0]]
    for weight in ({}, {"weight": CLASS_WEIGHTS}):
        for reduction in REDUCTIONS:
            options = {"reduction": reduction}
            yield loss, {"input": FINITE, "target": several} | weight, options
            yield loss, {"input": [FINITE] * 2, "target": [several] * 2} | weight, options
            yield loss, {"input": FINITE[0], "target": several[0]} | weight, options
        yield loss, {"input": FINITE, "target": several[0]} | weight, NONE
        yield loss, {"input": FINITE, "target": several} | weight, {"axis": -1}
    yield (
        loss,
        {"input": np.transpose(FINITE).tolist(), "target": np.transpose(several).tolist()},
        {"axis": 0},
    )
    yield loss, {"input": [[800.0, -800.0]] * 2, "target": [[1.0, 0.0], [0.0, 1.0]]}, NONE


def of_probabilities() -> Iterator[Question]:
    bce = "binary_cross_entropy"
    x = [0.25, 0.5, 0.5, 0.9, 0.9, 0.01, 0.01, 0.99]
    t = [0.25, 0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 0.125]
    for reduction in REDUCTIONS:
        yield bce, {"input": x, "target": t}, {"reduction": reduction}
        yield bce, {"input": x, "target": t, "weight": W[: len(x)]}, {"reduction": reduction}
    yield bce, {"input": [x, x], "target": [t, t[::-1]], "weight": W[: len(x)]}, {}
    yield bce, {"input": [[]], "target": [[]]}, {}
    least = 3.720075976020836e-44  # e^-100, where the logarithms are clamped
    edges = [0.0, 1.0, least / 2, least, 2 * least, 1e-20, 1e-13, 1e-12, 1e-11]
    edges += [1 - 1e-11, 1 - 1e-12, 1 - 2.0**-53]
    for target in (0.0, 1.0, 0.5):
        yield bce, {"input": edges, "target": [target] * len(edges)}, NONE


def has_hessian(loss: str, arrays: dict[str, Any]) -> bool:
    """Whether torch's second derivative is the one that is meant: see the end of test_torch.py."""
    return loss != "binary_cross_entropy" or np.min(arrays["input"], initial=1.0) >= 0.01


def of_signs() -> Iterator[Question]:
    x = [*X[:-1], 700.0]
    t = [1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0]
    for loss in ("soft_margin_loss", "hinge_embedding_loss"):
        for reduction in REDUCTIONS:
            yield loss, {"input": x, "target": t}, {"reduction": reduction}
        yield loss, {"input": [[]], "target": [[]]}, {}
    yield "soft_margin_loss", {"input": [inf, -inf], "target": [1.0, -1.0]}, NONE
    unlike = {"input": x, "target": [-1.0] * len(x)}
    for margin in (0.0, 0.5, 1.0, 1.5, -0.5):
        yield "hinge_embedding_loss", unlike, {"margin": margin} | NONE
    edges = {"input": [inf, -inf, inf, -inf], "target": [1.0, 1.0, -1.0, -1.0]}
    yield "hinge_embedding_loss", edges, NONE

    ranking = "margin_ranking_loss"
    arrays = {"input1": x, "input2": T, "target": t}
    for reduction in REDUCTIONS:
        yield ranking, arrays, {"reduction": reduction}
    pairs = {"input1": x, "input2": ZEROS, "target": t}
    for margin in (0.5, 1.0, -0.5):
        yield ranking, pairs, {"margin": margin} | NONE
    grid = {"input1": [[0.5, 1.0], [-1.0, 2.0], [0.0, 0.25]], "target": [[1.0, -1.0]] * 3}
    for other in ([[0.5], [1.0], [0.25]], [[0.5, 1.0]], [[0.5]]):
        for reduction in REDUCTIONS:
            options = {"margin": 0.25, "reduction": reduction}
            yield ranking, grid | {"input2": other}, options
    edges = {"input1": [inf, -inf, 0.0, 0.0], "input2": [0.0, 0.0, inf, -inf], "target": [1.0] * 4}
    yield ranking, edges, NONE
    yield ranking, {"input1": [[]], "input2": [[]], "target": [[]]}, {}


def of_counts() -> Iterator[Question]:
    loss = "poisson_nll_loss"
    x, t = [0.0, -0.0, 1.0, -2.5, 3.0, 5.0, -40.0, 0.5], [0.0, 1.0, 2.0, 0.5, 1.5, 170.0, 3.0, 2.5]
    rates = [0.0, 0.0, 1.0, 0.25, 3.0, 170.0, 1e-9, 1e6]
    for full in (False, True):
        for reduction in REDUCTIONS:
            options = {"full": full, "reduction": reduction}
            yield loss, {"input": x, "target": t}, options
            yield loss, {"input": rates, "target": t}, {"log_input": False} | options
    for eps in (1e-3, 0.5):
        yield loss, {"input": rates, "target": t}, {"log_input": False, "eps": eps} | NONE
    no_eps = {"log_input": False, "eps": 0.0}
    yield loss, {"input": [0.0, *rates[2:]], "target": [3.0, *t[2:]]}, no_eps | NONE
    yield loss, {"input": [-inf, 800.0, 800.0], "target": [1.0, 0.0, 3.0]}, NONE
    yield loss, {"input": [[]], "target": [[]]}, {}


def of_variances() -> Iterator[Question]:
    loss = "gaussian_nll_loss"
    x, t = [[0.5, 1.0, -1.0], [0.0, 2.0, 40.0]], [[0.0, 1.0, 1.5], [-0.5, 2.5, 0.0]]
    both = {"input": x, "target": t}
    shapes: list[Any] = [[[1.0, 0.5, 2.0], [4.0, 0.01, 100.0]], [[1.0], [0.5]], [1.0, 0.5]]
    shapes.append([[1.0, 0.5, 2.0]])
    for var in shapes:
        for reduction in REDUCTIONS:
            yield loss, both | {"var": var}, {"reduction": reduction}
    yield loss, both | {"var": [[0.0, 1e-7, 1e-6], [2e-6, 0.1, inf]]}, NONE
    yield loss, both | {"var": shapes[0]}, {"full": True, "eps": 0.75}
    yield loss, both | {"var": [0.0, 0.5]}, {"full": True} | NONE
    yield loss, {"input": x[0], "target": t[0], "var": 2.0}, NONE
    yield loss, both, {"var": 2.0}
    yield loss, {"input": [[]], "target": [[]], "var": [[]]}, {}


def of_log_probabilities() -> Iterator[Question]:
    loss = "kl_div"
    x = [[-0.5, -1.5, -2.5, -0.125], [-40.0, -1.0, 0.0, -1e-9]]
    p = [[0.5, 0.25, 0.25, 0.0], [0.125, 1.0, 0.0, 2.5]]
    logs = [[-0.5, -1.0, -3.0, -40.0], [0.0, -1.0, -1e-9, 0.5]]
    for reduction in (*REDUCTIONS, "batchmean"):
        yield loss, {"input": x, "target": p}, {"reduction": reduction}
        yield loss, {"input": x, "target": logs}, {"reduction": reduction, "log_target": True}
        yield loss, {"input": [[]], "target": [[]]}, {"reduction": reduction}
    yield loss, {"input": [-inf, -inf], "target": [0.5, 1.0]}, NONE
    yield loss, {"input": [-inf, -1.0], "target": [-1.0, inf]}, {"log_target": True} | NONE


def as_arrays(arrays: dict[str, Any]) -> dict[str, Any]:
    """Numbers as float64, class numbers as int64."""
    return {k: np.array(a) for k, a in arrays.items()}


def as_lists(part: Any) -> Any:
    if isinstance(part, tuple):
        return [as_lists(p) for p in part]
    return part if part is None else part.tolist()


def main() -> None:
    import torch

    cases = []
    for loss, arrays, options in questions():
        answers = ask_torch(loss, as_arrays(arrays), options, has_hessian(loss, arrays))
        named = zip(("value", "grad", "hess"), map(as_lists, answers), strict=True)
        cases.append({"loss": loss, "arrays": arrays, "options": options} | dict(named))
    about = (
        f"torch {torch.__version__}, torch.nn.functional, float64, CPU; written by "
        "tests/peers/record.py. grad and hess (the diagonal) are those of the sum of value; each a "
        "pair where two inputs have them, and null where torch has none that is meant. What "
        "torch.nn.functional lacks is a formula in torch (tests/peers/textbook.py): torchvision's "
        "sigmoid_focal_loss, some losses over a class axis, and the hess of two margin losses."
    )
    lines = ",\n".join(json.dumps(case) for case in cases)
    DATA.write_text(f'{{"about": {json.dumps(about)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} cases, {DATA.stat().st_size} bytes: {DATA}")


if __name__ == "__main__":
    main()
