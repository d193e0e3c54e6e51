"""Record what scipy.stats, torch.distributions and mpmath say of the losses of two parameters.

    PYTHONPATH=. python tests/peers/record_location_scale.py

writes tests/data/location_scale_parity.json, for tests/test_location_scale.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "location_scale_parity.json"

#: The options of each loss, and whether its targets are positive.
CASES: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("student_t_nll_loss", {"df": 3.0}, False),
    ("student_t_nll_loss", {"df": 1.0}, False),
    ("student_t_nll_loss", {"df": 24.5}, False),
    ("laplace_nll_loss", {}, False),
    ("logistic_nll_loss", {}, False),
    ("gumbel_nll_loss", {}, False),
    ("log_normal_nll_loss", {}, True),
    ("weibull_nll_loss", {}, True),
    ("gamma_shape_nll_loss", {}, True),
)


def operands(positive: bool) -> tuple[Any, Any, Any]:
    """Residuals up to 30 scales, and scales or shapes of every size."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=40)
    u = 10 ** rng.uniform(-1.5, 1.5, 40)
    r = np.where(rng.random(40) < 0.3, rng.uniform(-30, 30, 40), rng.normal(size=40))
    return x, np.exp(x + np.clip(r / np.maximum(u, 1), -6, 6)) if positive else x + r * u, u


def ask_scipy(loss: str, x: Any, t: Any, u: Any, df: float = 0.0) -> Any:
    from scipy import stats

    if loss == "student_t_nll_loss":
        log_p = stats.t.logpdf(t, df, x, u)
    elif loss == "log_normal_nll_loss":
        log_p = stats.lognorm.logpdf(t, s=u, scale=np.exp(x))
    elif loss == "weibull_nll_loss":
        log_p = stats.weibull_min.logpdf(t, c=u, scale=np.exp(x))
    elif loss == "gamma_shape_nll_loss":
        log_p = stats.gamma.logpdf(t, a=u, scale=np.exp(x) / u)
    else:
        own = {"laplace": stats.laplace, "logistic": stats.logistic, "gumbel": stats.gumbel_r}
        log_p = own[loss.removesuffix("_nll_loss")].logpdf(t, x, u)
    return -log_p


def ask_torch(loss: str, x: Any, t: Any, u: Any, df: float = 0.0) -> tuple[Any, Any, Any] | None:
    """Values, gradients and second derivatives; torch has no logistic distribution."""
    import torch
    from torch import distributions as td

    if loss == "logistic_nll_loss":
        return None
    a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, u))
    made: dict[str, Callable[[], Any]] = {
        "student_t_nll_loss": lambda: td.StudentT(df, a, b),
        "laplace_nll_loss": lambda: td.Laplace(a, b),
        "gumbel_nll_loss": lambda: td.Gumbel(a, b),
        "log_normal_nll_loss": lambda: td.LogNormal(a, b),
        "weibull_nll_loss": lambda: td.Weibull(a.exp(), b),
        "gamma_shape_nll_loss": lambda: td.Gamma(b, b * (-a).exp()),
    }
    values = -made[loss]().log_prob(torch.tensor(t, dtype=torch.float64))
    grads = torch.autograd.grad(values.sum(), (a, b), create_graph=True)
    hesses = []
    for grad, by in zip(grads, (a, b), strict=True):
        hess = None
        if grad.requires_grad:
            (hess,) = torch.autograd.grad(grad.sum(), by, retain_graph=True, allow_unused=True)
        hesses.append(np.zeros(np.shape(x)) if hess is None else hess.numpy())
    return values.detach().numpy(), [g.detach().numpy() for g in grads], hesses


def density(loss: str, mp: Any, df: float = 0.0) -> Callable[[Any, Any, Any], Any]:
    """The negative logarithm of the density, as textbooks have it."""
    of: dict[str, Callable[[Any, Any, Any], Any]] = {
        "student_t_nll_loss": lambda x, t, s: (
            -mp.log(
                mp.gamma(mp.mpf(df + 1) / 2)
                / (mp.sqrt(df * mp.pi) * mp.gamma(mp.mpf(df) / 2) * s)
                * (1 + ((t - x) / s) ** 2 / df) ** (-mp.mpf(df + 1) / 2)
            )
        ),
        "laplace_nll_loss": lambda x, t, s: -mp.log(mp.exp(-abs(t - x) / s) / (2 * s)),
        "logistic_nll_loss": lambda x, t, s: -mp.log(mp.sech((t - x) / s / 2) ** 2 / (4 * s)),
        "gumbel_nll_loss": lambda x, t, s: mp.log(s) + (t - x) / s + mp.exp(-(t - x) / s),
        "log_normal_nll_loss": lambda x, t, s: (
            -mp.log(mp.exp(-((mp.log(t) - x) ** 2) / (2 * s * s)) / (t * s * mp.sqrt(2 * mp.pi)))
        ),
        "weibull_nll_loss": lambda x, t, k: (
            -mp.log(k / mp.exp(x) * (t / mp.exp(x)) ** (k - 1)) + (t / mp.exp(x)) ** k
        ),
        "gamma_shape_nll_loss": lambda x, t, k: (
            mp.loggamma(k) + k * (x - mp.log(k)) - (k - 1) * mp.log(t) + t * k / mp.exp(x)
        ),
    }
    return of[loss]


def ask_mpmath(loss: str, x: Any, t: Any, u: Any, df: float = 0.0) -> tuple[Any, Any, Any]:
    """Values, and derivatives as differences of many digits."""
    import mpmath as mp

    nll = density(loss, mp, df)
    value, grads, hesses = [], ([], []), ([], [])  # type: ignore[var-annotated]
    with mp.workdps(60):
        for a, b, c in zip(x, t, u, strict=True):
            a, b, c = mp.mpf(float(a)), mp.mpf(float(b)), mp.mpf(float(c))
            value.append(float(nll(a, b, c)))
            for n, parts in ((1, grads), (2, hesses)):
                parts[0].append(float(mp.diff(lambda y: nll(y, b, c), a, n)))  # noqa: B023
                parts[1].append(float(mp.diff(lambda y: nll(a, b, y), c, n)))  # noqa: B023
    return value, grads, hesses


def plain(part: Any) -> Any:
    if part is None:
        return None
    if isinstance(part, tuple | list) and len(part) == 2:
        return [plain(p) for p in part]
    return [float(a) for a in part]


def main() -> None:
    import mpmath
    import scipy
    import torch

    cases = []
    for loss, options, positive in CASES:
        x, t, u = operands(positive)
        cases.append(
            {
                "loss": loss,
                "options": options,
                "arrays": [a.tolist() for a in (x, t, u)],
                "scipy": plain(ask_scipy(loss, x, t, u, **options)),
                "torch": (lambda seen: seen and [plain(p) for p in seen])(
                    ask_torch(loss, x, t, u, **options)
                ),
                "mpmath": [plain(p) for p in ask_mpmath(loss, x, t, u, **options)],
            }
        )
    about = f"scipy {scipy.__version__}, torch {torch.__version__}, mpmath {mpmath.__version__}"
    DATA.write_text(json.dumps({"about": about, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
