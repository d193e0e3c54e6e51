"""Record what lifelines and XGBoost say of accelerated failure time models.

    PYTHONPATH=. python tests/peers/record_aft.py      writes tests/data/aft_parity.json

Also how tests/peers/test_aft.py asks them, and SciPy.
Needs lifelines and xgboost. lifelines fits each of its three models to data with each kind of
censoring; its mean log-likelihood at the parameters that it found is what is kept. XGBoost grows a
tree for each row.
"""

from __future__ import annotations

import json
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "aft_parity.json"
FITTERS = {
    "normal": ("LogNormalAFTFitter", "mu_", "sigma_"),
    "logistic": ("LogLogisticAFTFitter", "alpha_", "beta_"),
    "extreme": ("WeibullAFTFitter", "lambda_", "rho_"),
}


def times(kind: str, n: int = 80, seed: int = 3) -> tuple[np.ndarray[Any, Any], ...]:
    """A feature, and lower and upper ends."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    t = np.exp(1 + 0.5 * x + 0.6 * rng.normal(size=n)).round(3) + 0.01
    censored = rng.random(n) < 0.4
    if kind == "right":
        return x, t, np.where(censored, np.inf, t)
    if kind == "left":
        return x, np.where(censored, 0, t), t
    return x, t, np.where(censored, t + rng.uniform(0.2, 3, n).round(2), t)


def fitted(distribution: str, kind: str, n: int = 80, seed: int = 3) -> dict[str, Any]:
    import lifelines
    import pandas as pd

    name, location, shape = FITTERS[distribution]
    x, lower, upper = times(kind, n, seed)
    fitter = getattr(lifelines, name)()
    frame = pd.DataFrame({"x": x, "event": lower == upper})
    if kind == "interval":
        frame["lower"], frame["upper"] = lower, upper
        fitter.fit_interval_censoring(frame, "lower", "upper", event_col="event")
    else:
        frame["time"] = lower if kind == "right" else upper
        fit = fitter.fit if kind == "right" else fitter.fit_left_censoring
        fit(frame, duration_col="time", event_col="event")
    of = fitter.params_
    log_shape = of[shape].iloc[0]
    scale = np.exp(log_shape if distribution == "normal" else -log_shape)
    return {
        "name": name,
        "kind": kind,
        "distribution": distribution,
        "input": (of[location]["x"] * x + of[location]["Intercept"]).tolist(),
        "scale": float(scale),
        "log_likelihood": float(fitter.log_likelihood_ / len(x)),
    }


def log_likelihood(distribution: str, x: float, lower: float, upper: float, scale: float) -> float:
    """SciPy's, of the distribution of the time itself. What lies between two times is a difference
    of two probabilities."""
    from scipy import stats

    of = {
        "normal": stats.lognorm(scale, scale=np.exp(x)),
        "logistic": stats.fisk(1 / scale, scale=np.exp(x)),
        "extreme": stats.weibull_min(1 / scale, scale=np.exp(x)),
    }[distribution]
    if lower == upper:
        return float(of.logpdf(lower))
    if upper == np.inf:
        return float(of.logsf(lower))
    return float(of.logcdf(upper) if lower == 0 else np.log(of.cdf(upper) - of.cdf(lower)))


ROWS = {  # margin, lower, upper
    "exact": (0.3, 2.0, 2.0),
    "exact, early": (2.5, 1.0, 1.0),
    "right": (0.5, 2.0, np.inf),
    "right, late": (-0.5, 3.0, np.inf),
    "left": (1.0, 0.0, 2.0),
    "interval": (0.5, 1.0, 2.5),
}


def derivatives(distribution: str, scale: float, row: Any) -> tuple[float, float]:
    """Of one row, from the cover and the weight of a tree's only leaf."""
    import xgboost as xgb

    margin, lower, upper = row
    data = xgb.DMatrix(np.zeros((1, 1)), base_margin=[margin])
    data.set_float_info("label_lower_bound", [lower])
    data.set_float_info("label_upper_bound", [upper])
    own = {
        "objective": "survival:aft",
        "aft_loss_distribution": distribution,
        "aft_loss_distribution_scale": scale,
        "lambda": 0.0,
        "min_child_weight": 0.0,
        "eta": 1.0,
        "base_score": 0.5,
    }
    tree = xgb.train(own, data, 1).trees_to_dataframe()
    cover, weight = float(tree["Cover"][0]), float(tree["Gain"][0])
    return -cover * weight, cover


def main() -> None:
    warnings.simplefilter("ignore")
    record = {
        "versions": {name: import_module(name).__version__ for name in ("lifelines", "xgboost")},
        "lifelines": [
            fitted(distribution, kind)
            for distribution in FITTERS
            for kind in ("right", "left", "interval")
        ],
        "xgboost": [
            {
                "distribution": distribution,
                "scale": scale,
                "derivatives": {
                    name: derivatives(distribution, scale, row) for name, row in ROWS.items()
                },
            }
            for distribution in FITTERS
            for scale in (1.0, 0.5)
        ],
    }
    DATA.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
