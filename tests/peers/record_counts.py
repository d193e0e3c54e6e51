"""Record what scipy.stats and statsmodels say of counts and proportions.

    PYTHONPATH=. python tests/peers/record_counts.py      writes tests/data/counts_parity.json

Needs scipy and statsmodels.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "counts_parity.json"
Arrays = dict[str, Any]


def distributions() -> list[dict[str, Any]]:
    """Values of scipy.stats, in its parameters, and the operands that these are here."""
    from scipy import special, stats

    rng = np.random.default_rng(0)
    t = np.concatenate([np.arange(8.0), [20, 170, 1000, 1e6]])
    mean = np.exp(rng.normal(1, 1.5, t.size))
    mean[-2:] = [900, 1.01e6]
    alpha = 10 ** rng.uniform(-1, 1, t.size)
    n = np.floor(t * rng.uniform(1, 3, t.size)) + 1
    p = rng.uniform(0.05, 0.95, t.size)
    a, b = 10 ** rng.uniform(-0.5, 1.5, (2, t.size))
    y = rng.uniform(0.02, 0.98, t.size)
    logit = special.logit
    cases: list[tuple[str, str, Any, Arrays]] = [
        (
            "poisson",
            "negative_binomial_nll_loss",
            -stats.poisson.logpmf(t, mean),
            {"input": np.log(mean), "target": t, "dispersion": 0 * t},
        ),
        (
            "nbinom",
            "negative_binomial_nll_loss",
            -stats.nbinom.logpmf(t, 1 / alpha, 1 / (1 + alpha * mean)),
            {"input": np.log(mean), "target": t, "dispersion": alpha},
        ),
        (
            "binom",
            "binomial_nll_loss",
            -stats.binom.logpmf(t, n, p),
            {"input": logit(p), "target": t, "trials": n},
        ),
        (
            "beta",
            "beta_nll_loss",
            -stats.beta.logpdf(y, a, b),
            {"input": logit(a / (a + b)), "target": y, "precision": a + b},
        ),
        (
            "betabinom",
            "beta_binomial_nll_loss",
            -stats.betabinom.logpmf(t, n, a, b),
            {"input": logit(a / (a + b)), "target": t, "trials": n, "dispersion": 1 / (a + b)},
        ),
    ]
    return [
        {"name": name, "loss": loss, "value": value, "arrays": arrays}
        for name, loss, value, arrays in cases
    ]


def models() -> list[dict[str, Any]]:
    """Log-likelihood and score of statsmodels' models, at given parameters."""
    from statsmodels.discrete.count_model import (
        ZeroInflatedNegativeBinomialP,
        ZeroInflatedPoisson,
    )
    from statsmodels.discrete.discrete_model import NegativeBinomial
    from statsmodels.othermod.betareg import BetaModel

    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    zeros = np.column_stack([np.ones(40), rng.normal(size=40)])
    coef, logits = np.array([0.7, 0.4, -0.3]), np.array([-0.5, 0.8])
    counts = rng.negative_binomial(2, 2 / (2 + np.exp(design @ coef))).astype(float)
    counts[::4] = 0
    shares = rng.beta(2, 3, 40)
    cases: list[tuple[str, Any, list[Any]]] = [
        ("NegativeBinomial", NegativeBinomial(counts, design), [*coef, 0.6]),
        (
            "ZeroInflatedPoisson",
            ZeroInflatedPoisson(counts, design, exog_infl=zeros),
            [*logits, *coef],
        ),
        (
            "ZeroInflatedNegativeBinomialP",
            ZeroInflatedNegativeBinomialP(counts, design, exog_infl=zeros, p=2),
            [*logits, *coef, 0.6],
        ),
        ("BetaModel", BetaModel(shares, design, exog_precision=zeros), [*coef, 1.2, 0.3]),
    ]
    found = []
    for name, model, params in cases:
        model._transparams = False  # the dispersion itself, not its logarithm
        given = np.array(params)
        found.append(
            {
                "name": name,
                "target": shares if name == "BetaModel" else counts,
                "design": design,
                "zeros": zeros,
                "params": given,
                "value": -float(model.loglike(given)),
                "grad": -np.asarray(model.score(given)),
            }
        )
    return found


def differences() -> dict[str, Any]:
    """Where these packages lose digits, are infinite, or nan."""
    from scipy import stats
    from statsmodels.discrete.discrete_model import NegativeBinomial

    ones, t = np.ones((3, 1)), np.array([1.0, 4.0, 2.0])
    model = NegativeBinomial(t, ones)
    model._transparams = False
    mean, small = 3.0, 1e-13
    far = np.array([1000.0, 0.5])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "nbinom at a dispersion of 1e-13": -stats.nbinom.logpmf(
                t, 1 / small, 1 / (1 + small * mean)
            ),
            "nbinom of 2.5": -float(stats.nbinom.logpmf(2.5, 2, 0.5)),
            "score of NegativeBinomial at a dispersion of 1e-7": -model.score(
                np.array([np.log(mean), 1e-7])
            ),
            "NegativeBinomial at a log mean of 1000": -float(model.loglike(far)),
        }


def record() -> dict[str, Any]:
    return {"distributions": distributions(), "models": models(), "differences": differences()}


def plain(x: Any) -> Any:
    """As JSON has it."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, list):
        return [plain(v) for v in x]
    return np.asarray(x).tolist() if isinstance(x, np.ndarray | np.generic) else x


if __name__ == "__main__":
    DATA.write_text(json.dumps(plain(record()), indent=1) + "\n")
