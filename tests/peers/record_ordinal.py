"""Record what statsmodels, mord and coral-pytorch say of losses of grades, and pycox's formula.

    PYTHONPATH=. python tests/peers/record_ordinal.py      writes tests/data/ordinal_parity.json

Also how tests/peers/test_ordinal.py asks them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "ordinal_parity.json"


def statsmodels_case(link: str) -> dict[str, Any]:
    """The log-likelihood and the score of OrderedModel at given parameters. It has exponentials of
    the increments of the thresholds as parameters. To probabilities, which are differences of two
    distribution functions, it adds 1e-20: they must not be small here."""
    from scipy import stats
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    rng = np.random.default_rng(4)
    columns, target = rng.normal(0, 0.2, size=(60, 3)), np.arange(60) % 5
    coef, thresholds = np.array([0.5, -1.0, 0.25]), np.array([-1.5, -0.25, 0.5, 2.0])
    distr = {"logit": "logit", "probit": "probit", "cloglog": stats.gumbel_l}[link]
    model = OrderedModel(target, columns, distr=distr)
    steps = np.log(np.diff(thresholds))
    params = np.concatenate([coef, thresholds[:1], steps])
    value = -model.loglike(params)
    # Of the coefficients alone; and scipy has no density of gumbel_l at infinity.
    score = {}
    if link != "cloglog":
        score["by_coef"] = -np.asarray(model.score_obs_(params)).sum(axis=0)[:3]
    return {
        "name": f"statsmodels-{link}",
        "loss": "ordinal_loss",
        "options": {"link": link, "reduction": "sum"},
        "columns": columns,
        "coef": coef,
        "arrays": {"input": columns @ coef, "thresholds": thresholds, "target": target},
        "value": value,
        **score,
    }


def mord_case(loss: str) -> dict[str, Any]:
    """The objective of LogisticAT or LogisticIT without its penalty; its thresholds are sums."""
    from mord import threshold_based as mord

    rng = np.random.default_rng(5)
    columns, target = rng.normal(size=(50, 3)), np.arange(50) % 4
    coef, thresholds = np.array([0.5, -1.0, 2.0]), np.array([-1.5, -0.25, 2.0])
    weights = np.ones((4, 3))
    if loss == "immediate_threshold_loss":
        weights = np.array([[1.0, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]])
    identity = np.eye(3)  # so that they are not
    sample_weight = rng.uniform(0.5, 2, 50)
    args = (columns, target, 0.0, 4, weights, identity, sample_weight)
    params = np.concatenate([coef, thresholds])
    grad = mord.grad_margin(params, *args)
    return {
        "name": f"mord-{loss}",
        "loss": loss,
        "options": {"reduction": "sum"},
        "columns": columns,
        "coef": coef,
        "arrays": {
            "input": columns @ coef,
            "thresholds": thresholds,
            "target": target,
            "weight": sample_weight,
        },
        "value": mord.obj_margin(params, *args),
        "by_coef": grad[:3],
        "by_thresholds": grad[3:],
    }


def coral_cases() -> list[dict[str, Any]]:
    import torch
    from coral_pytorch.dataset import levels_from_labelbatch
    from coral_pytorch.losses import coral_loss, corn_loss

    rng = np.random.default_rng(6)
    x, target, weight = rng.normal(0, 3, (40, 4)), np.arange(40) % 5, rng.uniform(0.5, 2, 4)
    # It makes the bits one by one; they are numbers of float32, which hold 0 and 1.
    levels = levels_from_labelbatch(torch.tensor(target), 5).double()
    found = []

    def add(name: str, loss: str, function: Any, options: dict[str, Any], **arrays: Any) -> None:
        logits = torch.tensor(x, requires_grad=True)
        value = function(logits)
        value.backward()
        found.append(
            {
                "name": name,
                "loss": loss,
                "options": options,
                "arrays": {"input": x, "target": target, **arrays},
                "value": value.item(),
                "grad": logits.grad.numpy(),  # type: ignore[union-attr]
            }
        )

    for reduction in ("mean", "sum"):
        options = {"reduction": reduction}
        add(
            f"coral-{reduction}",
            "coral_loss",
            lambda logits, r=reduction: coral_loss(logits, levels, reduction=r),
            options,
        )
        add(
            f"coral-{reduction}-weights",
            "coral_loss",
            lambda logits, r=reduction: coral_loss(
                logits, levels, importance_weights=torch.tensor(weight), reduction=r
            ),
            options,
            weight=weight,
        )
    labels = torch.tensor(target)
    add("corn", "corn_loss", lambda logits: corn_loss(logits, labels, 5), {"reduction": "mean"})
    return found


def pycox(phi: Any, idx_durations: Any, events: Any) -> Any:
    """pycox.models.loss.nll_logistic_hazard (BSD 2-Clause), with ``reduction="mean"``."""
    import torch
    from torch.nn import functional as F

    events = events.view(-1, 1)
    idx_durations = idx_durations.view(-1, 1)
    y_bce = torch.zeros_like(phi).scatter(1, idx_durations, events)
    bce = F.binary_cross_entropy_with_logits(phi, y_bce, reduction="none")
    return bce.cumsum(1).gather(1, idx_durations).view(-1).mean()


def pycox_case() -> dict[str, Any]:
    import torch

    rng = np.random.default_rng(7)
    x, time, event = rng.normal(-1, 2, (40, 6)), np.arange(40) % 6, rng.integers(0, 2, 40)
    phi = torch.tensor(x, requires_grad=True)
    value = pycox(phi, torch.tensor(time), torch.tensor(event).double())
    value.backward()
    return {
        "name": "pycox",
        "loss": "discrete_survival_loss",
        "options": {"reduction": "mean"},
        "arrays": {"input": x, "time": time, "event": event},
        "value": value.item(),
        "grad": phi.grad.numpy(),  # type: ignore[union-attr]
    }


def cases() -> list[dict[str, Any]]:
    return [
        *(statsmodels_case(link) for link in ("logit", "probit", "cloglog")),
        *(mord_case(loss) for loss in ("all_threshold_loss", "immediate_threshold_loss")),
        *coral_cases(),
        pycox_case(),
    ]


def plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    return x.tolist() if isinstance(x, np.ndarray | np.generic) else x


def main() -> None:
    DATA.write_text(json.dumps([plain(case) for case in cases()], indent=1) + "\n")


if __name__ == "__main__":
    main()
