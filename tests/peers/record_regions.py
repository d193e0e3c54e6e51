"""Record the published formulas of losses between regions, for the tests that run without torch.

    PYTHONPATH=. python tests/peers/record_regions.py      writes tests/data/regions_parity.json

MONAI, segmentation_models.pytorch, Keras and optax are not called: what they compute is written
down here in torch, which differentiates it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "regions_parity.json"


def probabilities(x: Any, how: str) -> Any:
    import torch

    return {"softmax": lambda: torch.softmax(x, 1), "sigmoid": x.sigmoid, "": lambda: x}[how]()


def one_hot(target: Any, x: Any) -> Any:
    import torch

    if target.is_floating_point():
        return target
    return torch.nn.functional.one_hot(target, x.shape[1]).movedim(-1, 1).to(x.dtype)


# ---- their formulas ------------------------------------------------------------------------------


def monai_dice(
    x: Any,
    target: Any,
    how: str = "softmax",
    squared: bool = False,
    jaccard: bool = False,
    batch: bool = False,
    background: bool = True,
    nr: float = 1e-5,
    dr: float = 1e-5,
) -> Any:
    p, t = probabilities(x, how), one_hot(target, x)
    if not background:
        p, t = p[:, 1:], t[:, 1:]
    axes = [0] * batch + list(range(2, x.ndim))
    common = (p * t).sum(axes)
    sizes = (p**2).sum(axes) + (t**2).sum(axes) if squared else p.sum(axes) + t.sum(axes)
    if jaccard:
        sizes = 2 * (sizes - common)
    return (1 - (2 * common + nr) / (sizes + dr)).mean()


def monai_generalized(
    x: Any, target: Any, how: str = "softmax", power: int = 2, batch: bool = False
) -> Any:
    import torch

    p, t = probabilities(x, how), one_hot(target, x)
    axes = [0] * batch + list(range(2, x.ndim))
    common, volume = (p * t).sum(axes), t.sum(axes)
    w = torch.where(volume > 0, 1 / volume**power, torch.zeros_like(volume))
    if power == 0:
        w = torch.ones_like(volume)
    w = torch.where(w > 0, w, w.max(dim=-1, keepdim=True).values)
    whole = (w * (p.sum(axes) + volume)).sum(-1) + 1e-5
    return (1 - (2 * (w * common).sum(-1) + 1e-5) / whole).mean()


def monai_tversky(
    x: Any,
    target: Any,
    how: str = "softmax",
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 1.0,
    batch: bool = False,
) -> Any:
    p, t = probabilities(x, how), one_hot(target, x)
    axes = [0] * batch + list(range(2, x.ndim))
    hit = (p * t).sum(axes)
    whole = hit + alpha * (p * (1 - t)).sum(axes) + beta * ((1 - p) * t).sum(axes) + 1e-5
    return ((1 - (hit + 1e-5) / whole) ** gamma).mean()


def keras_dice(p: Any, t: Any) -> Any:
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum() + 1e-7)


def keras_tversky(p: Any, t: Any, alpha: float, beta: float) -> Any:
    """Its alpha weighs false positives, its beta false negatives."""
    hit = (p * t).sum()
    return 1 - hit / (hit + alpha * ((1 - t) * p).sum() + beta * (t * (1 - p)).sum() + 1e-7)


def optax_dice(x: Any, t: Any, smooth: float = 1.0) -> Any:
    """For each image over its last axes, with sigmoid."""
    p = x.sigmoid().flatten(1)
    t = t.flatten(1)
    return (1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


def lovasz_steps(own: Any) -> Any:
    count = own.sum()
    loss = 1 - (count - own.cumsum(0)) / (count + (1 - own).cumsum(0))
    loss[1:] = loss[1:] - loss[:-1]
    return loss


def lovasz_hinge(x: Any, t: Any, per_image: bool = False, ignored: float | None = None) -> Any:
    import torch

    images = list(zip(x, t, strict=True)) if per_image else [(x, t)]
    values = []
    for a, b in images:
        scores, own = a.flatten(), b.flatten()
        if ignored is not None:
            scores, own = scores[own != ignored], own[own != ignored]
        errors, order = torch.sort(1 - scores * (2 * own - 1), descending=True)
        values.append((errors.clamp(min=0) * lovasz_steps(own[order])).sum())
    return torch.stack(values).mean()


def lovasz_softmax(
    x: Any, target: Any, per_image: bool = False, ignored: int | None = None, present: bool = True
) -> Any:
    import torch

    p = torch.softmax(x, 1)
    images = (
        [(p[n : n + 1], target[n : n + 1]) for n in range(len(p))] if per_image else [(p, target)]
    )
    values = []
    for a, labels in images:
        rows, y = a.movedim(1, -1).reshape(-1, a.shape[1]), labels.flatten()
        if ignored is not None:
            rows, y = rows[y != ignored], y[y != ignored]
        classes = []
        for c in range(a.shape[1]):
            own = (y == c).to(x.dtype)
            if present and not own.any():
                continue
            errors, order = torch.sort((own - rows[:, c]).abs(), descending=True)
            classes.append((errors * lovasz_steps(own[order])).sum())
        values.append(torch.stack(classes).mean())
    return torch.stack(values).mean()


# ---- the cases -----------------------------------------------------------------------------------

Case = tuple[str, str, dict[str, Any], dict[str, Any], Callable[..., Any]]


def cases() -> Iterator[Case]:
    """Theirs, the loss here, operands, options here, and the formula."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(2, 3, 3, 4)) * 2
    labels = rng.integers(0, 3, (2, 3, 4))
    some = np.where(labels == 2, 0, labels)  # a class that is not there
    masks = (rng.uniform(size=x.shape) < 0.4).astype(float)
    soft = rng.uniform(size=x.shape)
    holes = np.where(rng.uniform(size=labels.shape) < 0.2, 255, labels)
    flat, mask = x[:, 0], masks[:, 0]
    multi = {"input": x, "target": labels}
    many = {"input": x, "target": masks}
    one = {"input": flat, "target": mask}
    unit = {"input": rng.uniform(0.05, 0.95, flat.shape), "target": mask}
    sigmoid = {"mode": "multilabel"}
    plain: dict[str, Any] = {}

    def bound(f: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return lambda a, b: f(a, b, **options)

    dice = monai_dice
    yield "monai.DiceLoss(softmax)", "dice_loss", multi, plain, bound(dice)
    yield (
        "monai.DiceLoss(absent class)",
        "dice_loss",
        {"input": x, "target": some},
        plain,
        bound(dice),
    )
    yield "monai.DiceLoss(sigmoid)", "dice_loss", many, sigmoid, bound(dice, how="sigmoid")
    yield (
        "monai.DiceLoss(soft, squared_pred)",
        "dice_loss",
        {"input": x, "target": soft},
        sigmoid | {"squared": True},
        bound(dice, how="sigmoid", squared=True),
    )
    yield "monai.DiceLoss(batch)", "dice_loss", multi, {"per_image": False}, bound(dice, batch=True)
    yield (
        "monai.DiceLoss(include_background=False)",
        "dice_loss",
        multi,
        {"weight": [0.0, 1.0, 1.0], "reduction": "sum_by_nonzero_weights"},
        bound(dice, background=False),
    )
    yield (
        "monai.DiceLoss(jaccard)",
        "jaccard_loss",
        multi,
        {"smooth_nr": 5e-6, "smooth_dr": 5e-6},
        bound(dice, jaccard=True),
    )
    yield (
        "monai.DiceLoss(jaccard, squared_pred)",
        "jaccard_loss",
        many,
        sigmoid | {"squared": True, "smooth_nr": 5e-6, "smooth_dr": 5e-6},
        bound(dice, how="sigmoid", jaccard=True, squared=True),
    )
    for name, power in (("square", 2), ("simple", 1), ("uniform", 0)):
        for batch in (False, True):
            yield (
                f"monai.GeneralizedDiceLoss({name}, batch={batch})",
                "generalized_dice_loss",
                {"input": x, "target": some},
                {"w_type": name, "per_image": not batch},
                bound(monai_generalized, power=power, batch=batch),
            )
    weights = {"alpha": 0.3, "beta": 0.7}
    yield (
        "monai.TverskyLoss(softmax)",
        "tversky_loss",
        multi,
        weights,
        bound(monai_tversky, **weights),
    )
    yield (
        "monai.TverskyLoss(sigmoid, batch)",
        "tversky_loss",
        many,
        sigmoid | weights | {"per_image": False},
        bound(monai_tversky, how="sigmoid", batch=True, **weights),
    )
    yield (
        "focal Tversky",
        "focal_tversky_loss",
        multi,
        weights | {"gamma": 0.75},
        bound(monai_tversky, gamma=0.75, **weights),
    )
    keras = {"mode": "binary", "from_logits": False, "per_image": False}
    keras |= {"smooth_nr": 0.0, "smooth_dr": 1e-7}
    yield "keras.losses.Dice", "dice_loss", unit, keras, bound(keras_dice)
    yield (
        "keras.losses.Tversky",
        "tversky_loss",
        unit,
        keras | weights,
        bound(keras_tversky, **weights),
    )
    yield (
        "optax.losses.dice_loss",
        "dice_loss",
        one,
        {"mode": "binary", "smooth_nr": 1.0, "smooth_dr": 1.0},
        bound(optax_dice),
    )
    for per_image in (False, True):
        yield (
            f"smp.LovaszLoss(binary, per_image={per_image})",
            "lovasz_hinge_loss",
            one,
            {"per_image": per_image},
            bound(lovasz_hinge, per_image=per_image),
        )
        yield (
            f"smp.LovaszLoss(multiclass, per_image={per_image})",
            "lovasz_softmax_loss",
            multi,
            {"per_image": per_image},
            bound(lovasz_softmax, per_image=per_image),
        )
    yield (
        "smp.LovaszLoss(multiclass, ignore_index)",
        "lovasz_softmax_loss",
        {"input": x, "target": holes},
        {"ignore_index": 255},
        bound(lovasz_softmax, ignored=255),
    )
    yield (
        "smp.LovaszLoss(binary, ignore_index)",
        "lovasz_hinge_loss",
        {"input": flat, "target": np.where(holes == 255, 255, mask)},
        {"ignore_index": 255},
        bound(lovasz_hinge, ignored=255),
    )
    yield (
        "lovasz_softmax(classes='all')",
        "lovasz_softmax_loss",
        {"input": x, "target": some},
        {"classes": "all"},
        bound(lovasz_softmax, present=False),
    )


def ask(operands: dict[str, Any], formula: Callable[..., Any]) -> tuple[Any, Any, Any]:
    """Value, gradient and diagonal second derivative."""
    import torch

    x = torch.tensor(operands["input"], requires_grad=True)
    value = formula(x, torch.tensor(operands["target"]))
    (grad,) = torch.autograd.grad(value, x, create_graph=True)
    diagonal = torch.zeros(x.numel(), dtype=x.dtype)
    for k, g in enumerate(grad.flatten()):
        if g.requires_grad:
            (row,) = torch.autograd.grad(g, x, retain_graph=True, allow_unused=True)
            diagonal[k] = 0 if row is None else row.flatten()[k]
    return value.detach().numpy(), grad.detach().numpy(), diagonal.reshape(x.shape).numpy()


def main() -> None:
    import torch

    found = []
    for theirs, loss, operands, options, formula in cases():
        parts = (part.tolist() for part in ask(operands, formula))
        arrays = {name: np.asarray(a).tolist() for name, a in operands.items()}
        value, grad, hess = parts
        found.append(
            {
                "theirs": theirs,
                "loss": loss,
                "arrays": arrays,
                "options": options,
                "value": value,
                "grad": grad,
                "hess": hess,
            }
        )
    about = f"the published formulas, in torch {torch.__version__}"
    DATA.write_text(json.dumps({"about": about, "cases": found}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
