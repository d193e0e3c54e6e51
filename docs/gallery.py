"""Draw every elementwise loss: value, first and second derivative against the prediction.

    python docs/gallery.py            writes docs/gallery/, as `make docs` does
    python docs/gallery.py --readme   writes docs/curves.svg, the picture in README

The numbers come from the losses themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fusedloss as fl

HERE = Path(__file__).parent
FOLDER = HERE / "gallery"
POINTS = 1201  # enough for a kink to look like one


class Curves(NamedTuple):
    """The curves of one loss: a label, what follows the prediction by position, and the options."""

    loss: str
    low: float
    high: float
    curves: tuple[tuple[str, tuple[float, ...], dict[str, Any]], ...]
    what: str = "prediction"


def by_target(*targets: float, **options: Any) -> tuple[Any, ...]:
    return tuple((f"target {t:g}", (t,), options) for t in targets)


def by_option(name: str, *values: float, operands: tuple[float, ...] = (0.0,)) -> tuple[Any, ...]:
    return tuple((f"{name}={v:g}", operands, {name: v}) for v in values)


def by_third(name: str, target: float, *values: float, **options: Any) -> tuple[Any, ...]:
    return tuple((f"{name}={v:g}", (target, v), options) for v in values)


REAL, SCORE, LOG = (-3.0, 3.0), (-5.0, 5.0), (-2.0, 4.0)
SIGNS = by_target(1, -1)

GALLERY: dict[str, tuple[Curves, ...]] = {
    "Regression": (
        Curves("mse_loss", *REAL, by_target(0, 1)),
        Curves("l1_loss", *REAL, by_target(0, 1)),
        Curves("huber_loss", *REAL, by_option("delta", 0.5, 1, 2)),
        Curves("smooth_l1_loss", *REAL, by_option("beta", 0.5, 1, 2)),
        Curves("pseudo_huber_loss", *REAL, by_option("delta", 0.5, 1, 2)),
        Curves("log_cosh_loss", *REAL, by_target(0, 1)),
        Curves("cauchy_loss", *SCORE, by_option("c", 0.5, 1, 2)),
        Curves("fair_loss", *SCORE, by_option("c", 0.5, 1, 2)),
        Curves("quantile_loss", *REAL, by_option("q", 0.1, 0.5, 0.9)),
        Curves("expectile_loss", *REAL, by_option("q", 0.1, 0.5, 0.9)),
        Curves("epsilon_insensitive_loss", *REAL, by_option("epsilon", 0.2, 1)),
        Curves("squared_epsilon_insensitive_loss", *REAL, by_option("epsilon", 0.2, 1)),
        Curves("msle_loss", 0.0, 8.0, by_target(1, 4)),
        Curves("mape_loss", 0.0, 4.0, by_target(1, 2)),
    ),
    "Binary classification": (
        Curves("binary_cross_entropy_with_logits", *SCORE, by_target(1, 0, 0.3), "logit"),
        Curves("binary_cross_entropy", 0.02, 0.98, by_target(1, 0, 0.3), "probability"),
        Curves("sigmoid_focal_loss", *SCORE, by_option("gamma", 0, 2, 5, operands=(1.0,)), "logit"),
        Curves(
            "asymmetric_loss", *SCORE, by_option("gamma_neg", 0, 2, 4, operands=(0.0,)), "logit"
        ),
        Curves("soft_margin_loss", *SCORE, SIGNS, "score"),
        Curves("hinge_loss", *REAL, SIGNS, "score"),
        Curves("squared_hinge_loss", *REAL, SIGNS, "score"),
        Curves("modified_huber_loss", *REAL, SIGNS, "score"),
        Curves("exponential_loss", *REAL, SIGNS, "score"),
        Curves("hinge_embedding_loss", 0.0, 3.0, SIGNS, "distance"),
        Curves(
            "margin_ranking_loss",
            *REAL,
            tuple((f"margin={m:g}", (0.0, 1.0), {"margin": m}) for m in (0.0, 0.5, 1.0)),
            "difference of the scores",
        ),
    ),
    "Counts, amounts and proportions": (
        Curves("poisson_nll_loss", *LOG, by_target(0, 2, 10), "log mean"),
        Curves("gamma_nll_loss", *LOG, by_target(1, 4), "log mean"),
        Curves(
            "tweedie_loss", *LOG, by_option("power", 1.2, 1.5, 1.8, operands=(4.0,)), "log mean"
        ),
        Curves(
            "negative_binomial_nll_loss", *LOG, by_third("dispersion", 10, 0, 0.2, 1), "log mean"
        ),
        Curves(
            "zero_inflated_poisson_nll_loss", *LOG, by_third("zero_logit", 0, -3, 0, 3), "log mean"
        ),
        Curves("beta_nll_loss", *SCORE, by_third("precision", 0.7, 2, 5, 20), "logit of the mean"),
        Curves(
            "zero_inflated_negative_binomial_nll_loss",
            *LOG,
            tuple((f"dispersion={d:g}", (0.0, d, 0.0), {}) for d in (0.0, 0.2, 1.0)),
            "log mean",
        ),
        Curves(
            "beta_binomial_nll_loss",
            *SCORE,
            tuple((f"dispersion={d:g}", (3.0, 10.0, d), {}) for d in (0.0, 0.1, 1.0)),
            "logit of the mean",
        ),
        Curves("binomial_nll_loss", *SCORE, by_third("trials", 1, 1, 2, 4), "logit"),
    ),
    "Distributions with a scale": (
        Curves("gaussian_nll_loss", *REAL, by_third("var", 0, 0.25, 1, 4), "mean"),
        Curves("student_t_nll_loss", *SCORE, by_third("scale", 0, 0.5, 1, 2, df=4.0), "location"),
        Curves("laplace_nll_loss", *REAL, by_third("scale", 0, 0.5, 1, 2), "location"),
        Curves("logistic_nll_loss", *REAL, by_third("scale", 0, 0.5, 1, 2), "location"),
        Curves("gumbel_nll_loss", *REAL, by_third("scale", 0, 0.5, 1, 2), "location"),
        Curves(
            "log_normal_nll_loss", *REAL, by_third("scale", 1, 0.5, 1, 2), "location of the log"
        ),
        Curves("weibull_nll_loss", *REAL, by_third("shape", 1, 0.5, 1, 2), "log scale"),
        Curves("gamma_shape_nll_loss", *REAL, by_third("shape", 1, 0.5, 1, 2), "log mean"),
    ),
    "Forecast scores": (
        Curves("crps_normal", *SCORE, by_third("scale", 0, 0.5, 1, 2), "location"),
        Curves("crps_logistic", *SCORE, by_third("scale", 0, 0.5, 1, 2), "location"),
        Curves("crps_laplace", *SCORE, by_third("scale", 0, 0.5, 1, 2), "location"),
        Curves("crps_student_t", *SCORE, by_third("scale", 0, 0.5, 1, 2, df=3.0), "location"),
        Curves(
            "interval_score",
            *SCORE,
            tuple((f"alpha={a:g}", (1.0, 0.0), {"alpha": a}) for a in (0.2, 0.5, 1.0)),
            "lower end, the upper one at 1",
        ),
    ),
    "Divergences": (
        Curves("kl_div", -4.0, 0.0, by_target(0.2, 0.5, 0.8), "log probability"),
        Curves("js_div", -4.0, 0.0, by_target(-2, -1, -0.25), "log probability"),
    ),
    "Survival": (
        Curves(
            "aft_loss",
            *REAL,
            (
                ("event at 1", (1.0, 1.0, 0.5), {}),
                ("none until 1", (1.0, np.inf, 0.5), {}),
                ("event from 1 to 2", (1.0, 2.0, 0.5), {}),
            ),
            "log time",
        ),
    ),
}
#: Those in README: an outlier, a class, a level, a count.
README = ("huber_loss", "binary_cross_entropy_with_logits", "quantile_loss", "poisson_nll_loss")


def numbers(curves: Curves) -> tuple[Any, dict[str, Any]]:
    """The predictions, and by label the value and both derivatives at each."""
    x = np.linspace(curves.low, curves.high, POINTS)
    loss = getattr(fl, curves.loss)
    found = {}
    for label, operands, options in curves.curves:
        value, grad, hess = loss.value_grad_hess(x, *operands, reduction="none", **options)
        grad, hess = (part[0] if isinstance(part, tuple) else part for part in (grad, hess))
        found[label] = value, grad, hess
    return x, found


def page() -> str:
    """The gallery in Markdown."""
    lines = [
        "# Gallery",
        "",
        "Every elementwise loss: its value, gradient and second derivative (the diagonal of the "
        "Hessian) against the prediction.",
    ]
    for family, losses in GALLERY.items():
        lines += ["", f"## {family}"]
        for curves in losses:
            labels = ", ".join(label for label, _, _ in curves.curves)
            lines += ["", f"### `{curves.loss}`", ""]
            lines += [f"![{curves.loss} for {labels}]({curves.loss}.svg)"]
    return "\n".join(lines) + "\n"


def write() -> None:
    """Draw all of it."""
    from bench import plots

    FOLDER.mkdir(exist_ok=True)
    for losses in GALLERY.values():
        for curves in losses:
            plots.derivatives(
                FOLDER / f"{curves.loss}.svg", [(curves.loss, curves.what, *numbers(curves))]
            )
    (FOLDER / "index.md").write_text(page(), encoding="utf-8")


def write_readme_picture() -> None:
    from bench import plots

    known = {curves.loss: curves for losses in GALLERY.values() for curves in losses}
    rows = [(name, known[name].what, *numbers(known[name])) for name in README]
    plots.derivatives(HERE / "curves.svg", rows)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    if sys.argv[1:] == ["--readme"]:
        write_readme_picture()
    else:
        write()
