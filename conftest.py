"""Examples that need a package which is not installed are left out."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent
#: Programs that are read, not imported.
collect_ignore = ["tests/data"]
#: What the examples in a module or on a page import.
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "docs/counts.md": ("scipy", "statsmodels"),
    "docs/distributions.md": ("sklearn", "xgboost"),
    "docs/ensembles.md": ("scipy",),
    "docs/forecasts.md": ("scipy", "sklearn", "xgboost"),
    "docs/ordinal.md": ("scipy", "statsmodels"),
    "docs/ranking.md": ("xgboost", "lightgbm"),
    "docs/survival.md": ("scipy",),
    "docs/integrations/boosting.md": (
        "xgboost",
        "lightgbm",
        "catboost",
        "sklearn",
        "sksurv",
        "statsmodels",
    ),
    "docs/integrations/cython.md": ("numba", "sklearn"),
    "docs/integrations/jax.md": ("jax", "sklearn"),
    "docs/integrations/scikit-learn.md": ("sklearn",),
    "docs/integrations/scipy.md": ("scipy", "sklearn", "sksurv"),
    "docs/integrations/tables.md": ("pandas", "sklearn"),
    "docs/integrations/torch.md": ("torch", "sklearn", "ml_dtypes"),
    "src/fusedloss/dask.py": ("dask",),
    "src/fusedloss/jax.py": ("jax",),
    "src/fusedloss/metrics.py": ("sklearn",),
    "src/fusedloss/torch/__init__.py": ("torch",),
    "src/fusedloss/torch/_autograd.py": ("torch",),
    "src/fusedloss/torch/_operators.py": ("torch",),
}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    for path, packages in NEEDED.items():
        if collection_path == ROOT / path:
            return any(find_spec(name) is None for name in packages) or None
    return None
