"""The losses of fusedloss in plain NumPy: the twins, collected from tests/losses/.

Each loss has two forms, both with mean reduction: ``<name>`` returns the value and
``<name>_and_grad`` returns the value and its gradient with respect to ``input`` (for a paired loss
a tuple of its gradients). They take the arguments of fusedloss but for ``weight`` and
``reduction``.

This is what a competent NumPy user would write: stable, vectorised, with the work shared
between value and gradient and the work done in the floating type of ``input``. Tests compare
with it, benchmarks and the demo race against it, so it is kept plain, and it is kept fair.
"""

from __future__ import annotations

from typing import Any

from tests.losses import (
    activations,
    binary,
    boxes,
    classification,
    contrastive,
    counts,
    distributions,
    ensembles,
    forecasts,
    grouped,
    linear_heads,
    location_scale,
    margins,
    ndcg,
    ordinal,
    ranking,
    regions,
    regression,
    sequences,
    similarity,
    survival,
)

_MODULES = (
    activations,
    regression,
    binary,
    distributions,
    classification,
    margins,
    similarity,
    contrastive,
    linear_heads,
    ranking,
    regions,
    boxes,
    sequences,
    counts,
    location_scale,
    forecasts,
    survival,
    ordinal,
    grouped,
    ndcg,
    ensembles,
)


def __getattr__(name: str) -> Any:
    for module in _MODULES:
        if name in vars(module):
            return vars(module)[name]
    raise AttributeError(f"no twin is named {name}")
