"""Record what scoringrules and properscoring say of scores of forecasts.

    PYTHONPATH=. python tests/peers/record_forecasts.py

writes tests/data/forecasts_parity.json, for tests/test_forecasts.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "forecasts_parity.json"

#: The options of each loss.
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("crps_normal", {}),
    ("crps_logistic", {}),
    ("crps_laplace", {}),
    *(("crps_student_t", {"df": df}) for df in (1.5, 2.0, 3.0, 7.25, 20.0, 30.0, 150.0)),
    *(("interval_score", {"alpha": alpha}) for alpha in (0.05, 0.5, 0.9)),
)
#: Levels of the weighted interval score.
ALPHAS = (0.02, 0.1, 0.5, 0.8)


def operands(loss: str) -> tuple[Any, Any, Any]:
    """Targets up to 30 scales off, and scales of every size; or ends, of which some cross."""
    rng = np.random.default_rng(18)
    x, far = rng.normal(size=40), rng.uniform(-30, 30, 40)
    scale = 10 ** rng.uniform(-1.5, 1.5, 40)
    r = np.where(rng.random(40) < 0.3, far, rng.normal(size=40))
    if loss == "interval_score":
        return x, x + rng.uniform(-0.2, 2, 40), x + r
    return x, x + r * scale, scale


def ask_scoringrules(loss: str, a: Any, b: Any, c: Any, **options: Any) -> Any:
    import scoringrules as sr

    if loss == "interval_score":
        return sr.interval_score(c, a, b, options["alpha"])
    if loss == "crps_student_t":
        return sr.crps_t(b, options["df"], a, c)
    return getattr(sr, loss)(b, a, c)


def ask_properscoring(x: Any, t: Any, scale: Any) -> tuple[Any, Any]:
    """The score of a normal distribution, and its gradients for location and scale."""
    import properscoring as ps

    values, grads = ps.crps_gaussian(t, x, scale, grad=True)
    return values, grads


def quantiles() -> tuple[Any, Any]:
    """Targets, and predictions of all ends and the median, in the order of their levels."""
    rng = np.random.default_rng(3)
    return rng.normal(size=40), np.sort(rng.normal(size=(40, 2 * len(ALPHAS) + 1)), axis=1)


def ask_weighted() -> Any:
    """The weighted interval score of them."""
    import scoringrules as sr

    t, ends = quantiles()
    k = len(ALPHAS)
    lower, upper = ends[:, :k], ends[:, : -k - 1 : -1]
    return sr.weighted_interval_score(t, ends[:, k], lower, upper, np.array(ALPHAS))


def main() -> None:
    from importlib.metadata import version

    cases = [
        {
            "loss": loss,
            "options": options,
            "arrays": [a.tolist() for a in operands(loss)],
            "scoringrules": np.asarray(ask_scoringrules(loss, *operands(loss), **options)).tolist(),
        }
        for loss, options in CASES
    ]
    values, grads = ask_properscoring(*operands("crps_normal"))
    recorded = {
        "about": ", ".join(f"{name} {version(name)}" for name in ("scoringrules", "properscoring")),
        "cases": cases,
        "properscoring": [values.tolist(), np.asarray(grads).tolist()],
        "weighted": np.asarray(ask_weighted()).tolist(),
    }
    DATA.write_text(json.dumps(recorded) + "\n")


if __name__ == "__main__":
    main()
