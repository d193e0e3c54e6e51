"""Likelihoods of counts and proportions: limits, special cases, other packages' numbers, a fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.losses.case import mp
from tests.losses.counts import (
    beta_binomial,
    binomial,
    negative_binomial,
    zero_inflated_negative_binomial,
)
from tests.samples import same

RECORD = json.loads(
    (Path(__file__).parent / "data" / "counts_parity.json").read_text(encoding="utf-8")
)
inf = np.inf
Array = np.ndarray[Any, Any]


# ---- other packages ------------------------------------------------------------------------------


@pytest.mark.parametrize("case", RECORD["distributions"], ids=lambda case: str(case["name"]))
def test_scipy(case: dict[str, Any]) -> None:
    arrays = {name: np.array(a) for name, a in case["arrays"].items()}
    value = getattr(fl, case["loss"])(**arrays, reduction="none")
    # The terms of scipy's values are so large.
    scale = np.maximum(1, arrays["target"])
    np.testing.assert_allclose(value, case["value"], rtol=1e-10, atol=1e-15 * scale.max())


def log_likelihood(name: str, case: dict[str, Any]) -> tuple[float, Array]:
    """Value and gradient of the sum, with respect to the parameters of statsmodels' model."""
    y, X, Z, params = (np.array(case[key]) for key in ("target", "design", "zeros", "params"))
    coefs, others = X.shape[1], Z.shape[1]
    if name == "NegativeBinomial":
        value, (by, by_alpha) = fl.negative_binomial_nll_loss.value_and_grad(
            X @ params[:-1], y, params[-1], reduction="sum"
        )
        return value, np.append(by @ X, by_alpha)
    if name == "ZeroInflatedPoisson":
        value, (by, by_zero) = fl.zero_inflated_poisson_nll_loss.value_and_grad(
            X @ params[others:], y, Z @ params[:others], reduction="sum"
        )
        return value, np.append(by_zero @ Z, by @ X)
    if name == "ZeroInflatedNegativeBinomialP":
        value, (by, by_alpha, by_zero) = fl.zero_inflated_negative_binomial_nll_loss.value_and_grad(
            X @ params[others:-1], y, params[-1], Z @ params[:others], reduction="sum"
        )
        return value, np.concatenate([by_zero @ Z, by @ X, [by_alpha]])
    precision = np.exp(Z @ params[coefs:])
    value, (by, by_precision) = fl.beta_nll_loss.value_and_grad(
        X @ params[:coefs], y, precision, reduction="sum"
    )
    return value, np.append(by @ X, (by_precision * precision) @ Z)


@pytest.mark.parametrize("case", RECORD["models"], ids=lambda case: str(case["name"]))
def test_statsmodels(case: dict[str, Any]) -> None:
    value, grad = log_likelihood(case["name"], case)
    np.testing.assert_allclose(value, case["value"], rtol=1e-10)
    np.testing.assert_allclose(grad, case["grad"], rtol=1e-10, atol=1e-10)


def test_where_they_differ() -> None:
    """What scipy's nbinom and statsmodels' score lose as the dispersion becomes small; counts that
    are no integers; and large means."""
    theirs = RECORD["differences"]
    t, x = np.array([1.0, 4.0, 2.0]), np.log(3.0)
    exact = [float(negative_binomial(mp.mpf(float(x)), mp.mpf(k), mp.mpf(1e-13))[0][0]) for k in t]
    ours = fl.negative_binomial_nll_loss(np.full(3, x), t, 1e-13, reduction="none")
    np.testing.assert_allclose(ours, exact, rtol=1e-14)
    assert np.max(np.abs(theirs["nbinom at a dispersion of 1e-13"] - ours)) > 1e-3
    assert theirs["nbinom of 2.5"] == inf
    assert np.isfinite(fl.negative_binomial_nll_loss(0.0, 2.5, 0.5))
    points = [negative_binomial(mp.mpf(float(x)), mp.mpf(k), mp.mpf(1e-7)) for k in t]
    slope = sum(float(point[1][1][0]) for point in points)
    _, (_, by) = fl.negative_binomial_nll_loss.value_and_grad(
        np.full(3, x), t, 1e-7, reduction="sum"
    )
    assert by == pytest.approx(slope, rel=1e-14)
    assert abs(theirs["score of NegativeBinomial at a dispersion of 1e-7"][1] - slope) > 1e-3
    assert not np.isfinite(theirs["NegativeBinomial at a log mean of 1000"])
    assert fl.negative_binomial_nll_loss(1000.0, 4, 0.5) == pytest.approx(2000 + 0, rel=0.01)


# ---- limits and special cases --------------------------------------------------------------------

T = np.array([0.0, 1, 2, 3, 17, 1000, 1e6])
X = np.array([-2.0, 0.3, 1.0, 1.1, 3.0, 6.9, 13.8])


@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_no_dispersion_is_poisson(dtype: Any) -> None:
    x, t = X.astype(dtype), T.astype(dtype)
    value, (by, by_dispersion), (curvature, _) = fl.negative_binomial_nll_loss.value_grad_hess(
        x, t, dtype(0), reduction="none"
    )
    wide = x.astype(np.float64)
    poisson = fl.poisson_nll_loss.value_grad_hess(wide, T, full="exact", reduction="none")
    rtol = 4 * np.finfo(dtype).eps
    np.testing.assert_allclose(value, poisson[0], rtol=4 * rtol, atol=1e-8)  # its terms are large
    np.testing.assert_allclose(by, poisson[1], atol=rtol * T.max(), rtol=rtol)
    np.testing.assert_allclose(curvature, poisson[2], rtol=rtol)
    mean = np.exp(wide)
    limit = np.sum((T - (mean - T) ** 2) / 2)
    assert by_dispersion == pytest.approx(limit, rel=1e-4 if dtype is np.float32 else 1e-9)


@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_small_dispersions_run_into_none(dtype: Any) -> None:
    """Nothing is lost on the way: no step is seen between 1e-30 and 0."""
    x, t = X[:5].astype(dtype), T[:5].astype(dtype)
    last = fl.negative_binomial_nll_loss.value_grad_hess(x, t, t * 0, reduction="none")
    for dispersion in (1e-30, 1e-18, 1e-12, 1e-9):
        parts = fl.negative_binomial_nll_loss.value_grad_hess(
            x, t, np.full_like(t, dispersion), reduction="none"
        )
        scale = 1e5 * dispersion + 16 * np.finfo(dtype).eps
        np.testing.assert_allclose(parts[0], last[0], rtol=scale)
        for got, limit in zip((*parts[1], *parts[2]), (*last[1], *last[2]), strict=True):
            np.testing.assert_allclose(got, limit, rtol=scale, atol=scale * 300)


def test_counts_of_a_million() -> None:
    """The value keeps its digits, though log Γ has seven in front of the point."""
    t = np.array([1e6, 1e6, 999_000.0, 123_456.0])
    for dispersion in (0.0, 1e-6, 0.5, 3.0):
        x = np.log(np.array([1e6, 1.001e6, 1e6, 5.0]))
        got = fl.negative_binomial_nll_loss(x, t, dispersion, reduction="none")
        exact = [
            float(negative_binomial(*map(mp.mpf, point), mp.mpf(dispersion))[0][0])
            for point in zip(x.tolist(), t.tolist(), strict=True)
        ]
        slopes = fl.negative_binomial_nll_loss.value_and_grad(x, t, dispersion, reduction="none")
        rounding = 4e-16 * np.abs(slopes[1][0])  # that of the logarithms
        assert np.all(np.abs(got - exact) <= 1e-15 * np.abs(exact) + 4 * rounding)


def test_no_dispersion_is_binomial() -> None:
    t, n = np.array([0.0, 3, 10, 10, 0]), np.array([10.0, 10, 10, 1000, 0])
    x = np.array([-1.0, 0.2, 3.0, -4.0, 0.5])
    plain = fl.binomial_nll_loss.value_grad_hess(x, t, n, reduction="none")
    value, (by, _), (curvature, _) = fl.beta_binomial_nll_loss.value_grad_hess(
        x, t, n, 0.0, reduction="none"
    )
    np.testing.assert_allclose(value, plain[0], rtol=1e-14)
    np.testing.assert_allclose(by, plain[1], rtol=1e-13)
    np.testing.assert_allclose(curvature, plain[2], rtol=1e-12)


def test_few_trials() -> None:
    """None and one: nothing, and the cross entropy, whatever the dispersion."""
    x, labels = np.array([-3.0, 0.5, 40.0]), np.array([0, 1, 0])
    for dispersion in (None, 0.0, 0.7):
        loss, more = fl.binomial_nll_loss, ()
        if dispersion is not None:
            loss, more = fl.beta_binomial_nll_loss, (dispersion,)
        assert not np.any(loss(x, 0, 0, *more, reduction="none"))
        value, grad = loss.value_and_grad(x, labels, 1, *more, reduction="none")
        grad = grad if dispersion is None else grad[0]
        one = fl.binary_cross_entropy_with_logits.value_and_grad(x, labels, reduction="none")
        np.testing.assert_allclose(value, one[0], rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(grad, one[1], rtol=1e-14, atol=1e-15)


def test_beta_binomial_is_uniform_where_beta_is() -> None:
    value = fl.beta_binomial_nll_loss(np.zeros(8), np.arange(8), 7, 0.5, reduction="none")
    np.testing.assert_allclose(value, np.log(8), rtol=1e-14)


def test_beta_at_known_points() -> None:
    """The uniform, the arcsine and a power distribution."""
    t = np.array([1e-8, 0.3, 0.5, 0.999])
    np.testing.assert_allclose(fl.beta_nll_loss(t * 0, t, 2.0, reduction="none"), 0, atol=1e-14)
    arcsine = np.log(np.pi) + (np.log(t) + np.log1p(-t)) / 2
    np.testing.assert_allclose(
        fl.beta_nll_loss(t * 0, t, 1.0, reduction="none"), arcsine, rtol=1e-13
    )
    power = -np.log(3) - 2 * np.log(t)
    got = fl.beta_nll_loss(np.full(4, np.log(3)), t, 4.0, reduction="none")
    np.testing.assert_allclose(got, power, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", reg.DTYPES)
def test_probabilities_that_underflow(dtype: Any) -> None:
    """The loss goes on as a straight line."""
    x = np.array([-1e30, -800, -100, 100, 800, 1e30], dtype)
    size = np.abs(x)
    got = fl.binomial_nll_loss(x, dtype(2), 5, reduction="none")
    np.testing.assert_allclose(got, np.where(x < 0, 2, 3) * size, rtol=0.05)
    got, (grad, _) = fl.beta_nll_loss.value_and_grad(x, dtype(0.5), dtype(3), reduction="none")
    np.testing.assert_allclose(got, size, rtol=0.05)
    np.testing.assert_allclose(grad, np.sign(x), rtol=1e-6)
    got = fl.beta_binomial_nll_loss(x, dtype(2), 5, dtype(0.5), reduction="none")
    np.testing.assert_allclose(got, size, rtol=0.05)


def test_no_additional_zeros() -> None:
    t, x = T[:5], X[:5]
    plain = fl.negative_binomial_nll_loss.value_grad_hess(x, t, 0.5, reduction="none")
    got = fl.zero_inflated_negative_binomial_nll_loss.value_grad_hess(
        x, t, 0.5, -inf, reduction="none"
    )
    np.testing.assert_allclose(got[0], plain[0], rtol=1e-14)
    for k in (0, 1):
        np.testing.assert_allclose(got[1][k], plain[1][k], rtol=1e-13)
        np.testing.assert_allclose(got[2][k], plain[2][k], rtol=1e-13)
    assert got[1][2] == 0 and got[2][2] == 0
    poisson = fl.zero_inflated_poisson_nll_loss.value_and_grad(x, t, -inf, reduction="none")
    exact = fl.poisson_nll_loss.value_and_grad(x, t, full="exact", reduction="none")
    np.testing.assert_allclose(poisson[0], exact[0], rtol=1e-13)
    np.testing.assert_allclose(poisson[1][0], exact[1], rtol=1e-13)


def test_confident_tails_of_zeros() -> None:
    """All but certain zeros cost next to nothing, not 0; all but impossible ones their logit."""
    for z, x in ((40.0, 3.0), (-2.0, -40.0), (-100.0, 6.0), (-600.0, 7.0)):
        point = [mp.mpf(a) for a in (x, 0, 0.25, z)]
        (value, _), grads, _ = zero_inflated_negative_binomial(*point)
        got, slopes = fl.zero_inflated_negative_binomial_nll_loss.value_and_grad(
            x, 0, 0.25, z, reduction="none"
        )
        np.testing.assert_allclose(got, float(value), rtol=1e-13)
        for slope, (true, size) in zip(slopes, grads, strict=True):
            assert abs(slope - float(true)) <= 1e-13 * max(abs(float(true)), float(size))


def test_three_gradients() -> None:
    """In the order of the arguments, each of its own shape, into buffers or not."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(5, 7)), rng.poisson(1.5, (5, 7))
    alpha, z = rng.uniform(0.2, 2, (7,)), rng.normal(size=(5, 1))
    loss = fl.zero_inflated_negative_binomial_nll_loss
    value, grads, hesses = loss.value_grad_hess(x, t, alpha, z, reduction="sum")
    assert [g.shape for g in grads] == [h.shape for h in hesses] == [(5, 7), (7,), (5, 1)]
    full = loss.value_grad_hess(
        x,
        t,
        np.broadcast_to(alpha, (5, 7)).copy(),
        np.broadcast_to(z, (5, 7)).copy(),
        reduction="sum",
    )
    assert full[0] == value
    for parts, wide in ((grads, full[1]), (hesses, full[2])):
        assert same(parts[0], wide[0])
        np.testing.assert_allclose(parts[1], wide[1].sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(parts[2], wide[2].sum(axis=1, keepdims=True), rtol=1e-12)
    buffers = (np.empty((5, 7)), None, np.empty((5, 1), np.float32))
    got = loss.value_and_grad(x, t, alpha, z, reduction="sum", grad_out=buffers)[1]
    assert got[0] is buffers[0] and got[2] is buffers[2] and same(got[1], grads[1])
    assert same(got[2], grads[2].astype(np.float32))
    with pytest.raises(TypeError, match=r"^grad_out: "):
        loss.value_and_grad(x, t, alpha, z, grad_out=buffers[:2])
    h = 1e-6
    for k, operand in enumerate((x, alpha, z)):
        step = np.zeros_like(operand)
        step.flat[2] = h
        sides = []
        for sign in (1, -1):
            moved = [x, alpha, z]
            moved[k] = operand + sign * step
            sides.append(loss(moved[0], t, moved[1], moved[2], reduction="sum"))
        assert (sides[0] - sides[1]) / (2 * h) == pytest.approx(grads[k].flat[2], rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "operands", "name", "shown"),
    [
        ("negative_binomial_nll_loss", (0.0, [1, -1], 1.0), "target", "numbers from 0 on"),
        ("negative_binomial_nll_loss", (0.0, 1, -0.5), "dispersion", "numbers from 0 on"),
        ("zero_inflated_poisson_nll_loss", (0.0, -1, 1.0), "target", "numbers from 0 on"),
        (
            "zero_inflated_negative_binomial_nll_loss",
            (0.0, 1, -1, 0.0),
            "dispersion",
            "numbers from 0 on",
        ),
        ("binomial_nll_loss", (0.0, 5, 4), "target", "numbers from 0 to trials"),
        ("binomial_nll_loss", (0.0, 0, -4), "trials", "numbers from 0 on"),
        ("beta_nll_loss", (0.0, 1.0, 4.0), "target", "numbers between 0 and 1"),
        ("beta_nll_loss", (0.0, 0.5, 0.0), "precision", "positive numbers"),
        ("beta_binomial_nll_loss", (0.0, 5, 4, 0.5), "target", "numbers from 0 to trials"),
        ("beta_binomial_nll_loss", (0.0, 3, 4, -0.5), "dispersion", "numbers from 0 on"),
    ],
)
def test_what_is_not_accepted(loss: str, operands: Any, name: str, shown: str) -> None:
    x = np.zeros(np.broadcast_shapes(*map(np.shape, operands)))
    with pytest.raises(ValueError, match=rf"^{name}: .*{shown}"):
        getattr(fl, loss)(x, *operands[1:])
    weight = np.zeros_like(x)
    assert getattr(fl, loss)(x, *operands[1:], weight=weight) == 0


def test_trials_of_each_row() -> None:
    """Exact values with trials of every size, in both dtypes."""
    rng = np.random.default_rng(4)
    n = np.repeat([0, 1, 2, 5, 1000], 12).astype(np.float64)
    t, x = np.floor(rng.random(n.size) * (n + 1)), rng.normal(0, 3, n.size)
    for dtype in reg.DTYPES:
        arrays = [a.astype(dtype) for a in (x, t, n)]
        points = list(zip(*(map(mp.mpf, a.tolist()) for a in arrays), strict=True))
        got = fl.binomial_nll_loss.value_grad_hess(*arrays, reduction="none")
        for k, part in enumerate(got):
            exact = reg.Exact([binomial(*point)[k] for point in points], dtype)
            assert exact.errors(part).max() <= (4, 4, 6)[k]
        for u in (0.0, 0.3):
            parts = fl.beta_binomial_nll_loss.value_grad_hess(
                *arrays, np.full_like(arrays[0], u), reduction="none"
            )
            true = [beta_binomial(*point, mp.mpf(dtype(u).item())) for point in points]
            flat = [
                [p[0] for p in true],
                *([p[k][s] for p in true] for k in (1, 2) for s in (0, 1)),
            ]
            got = [parts[0], *parts[1], *parts[2]]
            for part, pairs in zip(got, flat, strict=True):
                assert reg.Exact(pairs, dtype).errors(part).max() <= 8
