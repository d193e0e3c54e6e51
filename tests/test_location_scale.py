"""Losses of two parameters: other packages, Fisher information, natural gradients, extremes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.losses import location_scale as truth
from tests.losses.case import mp
from tests.samples import FLOATS, REDUCTIONS

RECORD = json.loads(
    (Path(__file__).parent / "data" / "location_scale_parity.json").read_text(encoding="utf-8")
)
LOSSES = (
    "student_t_nll_loss",
    "laplace_nll_loss",
    "logistic_nll_loss",
    "log_normal_nll_loss",
    "gumbel_nll_loss",
    "weibull_nll_loss",
    "gamma_shape_nll_loss",
)
LOSS = pytest.mark.parametrize("name", LOSSES)
OF_LOG = ("log_normal_nll_loss", "weibull_nll_loss", "gamma_shape_nll_loss")
OF_SHAPE = OF_LOG[1:]


def operands(name: str, n: int = 400, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    x, r = rng.normal(size=(2, n))
    u = 10 ** rng.uniform(-0.7, 0.7, n)
    return x, np.exp(x + r) if name in OF_LOG else x + r * u, u


# ---- other packages ----------------------------------------------------------------------------


def label(case: dict[str, Any]) -> str:
    return "-".join([case["loss"], *(f"{k}={v}" for k, v in case["options"].items())])


def compare(got: Any, expected: Any, what: str, rtol: float = 1e-10) -> None:
    """To 1e-10 of the number, or of the terms of order 1 that it is the difference of."""
    if isinstance(got, tuple):
        for part, right in zip(got, expected, strict=True):
            compare(part, right, what, rtol)
    else:
        np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-10, err_msg=what)


@pytest.mark.parametrize("case", RECORD["cases"], ids=label)
@pytest.mark.parametrize("theirs", ["scipy", "torch", "mpmath"])
def test_recorded(case: dict[str, Any], theirs: str) -> None:
    expected = case[theirs]
    if expected is None:
        assert (case["loss"], theirs) == ("logistic_nll_loss", "torch")  # it has none
        return
    loss = getattr(fl, case["loss"])
    got = loss.value_grad_hess(*map(np.array, case["arrays"]), reduction="none", **case["options"])
    if theirs == "scipy":
        compare(got[0], expected, "value")
        return
    for part, right, what in zip(got, expected, ("value", "gradient", "hessian"), strict=True):
        # torch's trigamma function has nine digits.
        rough = (case["loss"], theirs, what) == ("gamma_shape_nll_loss", "torch", "hessian")
        compare(part, right, what, 5e-9 if rough else 1e-10)


def test_every_loss_is_recorded() -> None:
    assert {case["loss"] for case in RECORD["cases"]} == set(LOSSES)


# ---- Fisher information ------------------------------------------------------------------------


def drawn(name: str, x: float, u: float, n: int) -> Any:
    """Targets with the distribution of the loss, by its quantiles at the middles of n shares."""
    stats = pytest.importorskip("scipy.stats")
    made = {
        "student_t_nll_loss": lambda: stats.t(3.0, x, u),
        "laplace_nll_loss": lambda: stats.laplace(x, u),
        "logistic_nll_loss": lambda: stats.logistic(x, u),
        "log_normal_nll_loss": lambda: stats.lognorm(s=u, scale=np.exp(x)),
        "gumbel_nll_loss": lambda: stats.gumbel_r(x, u),
        "weibull_nll_loss": lambda: stats.weibull_min(c=u, scale=np.exp(x)),
        "gamma_shape_nll_loss": lambda: stats.gamma(a=u, scale=np.exp(x) / u),
        "gaussian_nll_loss": lambda: stats.norm(x, np.sqrt(u)),
    }
    return made[name]().ppf((np.arange(n) + 0.5) / n)


@pytest.mark.parametrize("name", [*LOSSES, "gaussian_nll_loss"])
@pytest.mark.parametrize(("x", "u"), [(0.3, 0.6), (-1.0, 2.5)])
def test_information_is_the_mean_of_squares(name: str, x: float, u: float) -> None:
    """The matrix of the mean products of the gradient, and its inverse in the natural gradient."""
    loss = getattr(fl, name)
    t = drawn(name, x, u, 200_001)
    xs, us = np.full(t.size, x), np.full(t.size, u)
    _, grads, info = loss.value_grad_hess(xs, t, us, fisher=True, reduction="none")
    assert all(np.ptp(part) == 0 for part in info)
    matrix = np.array(grads) @ np.array(grads).T / t.size
    np.testing.assert_allclose(np.diag(matrix), [part[0] for part in info], rtol=2e-3)
    natural = np.array(fl.natural_gradient(loss, xs, t, us))
    scale = np.sqrt(np.diag(matrix))
    error = (matrix @ natural - grads) * 1 / scale[:, None]
    size = np.abs(np.array(grads)).max(axis=0) / scale.min()
    assert np.max(np.abs(error) / (1 + size)) < 5e-3


@LOSS
def test_exact_information(name: str) -> None:
    loss, exact = getattr(fl, name), getattr(truth, name.removesuffix("_nll_loss"))
    x, t, u = operands(name)
    value, grads, hesses = loss.value_grad_hess(x, t, u, fisher=True, reduction="none")
    plain = loss.value_grad_hess(x, t, u, reduction="none")
    assert np.array_equal(value, plain[0])
    assert all(map(np.array_equal, grads, plain[1]))
    for k in range(0, x.size, 20):
        numbers = [mp.mpf(float(a[k])) for a in (x, t, u)]
        for part, (right, _) in zip(hesses, exact(*numbers, fisher=True)[2], strict=True):
            assert part[k] == pytest.approx(float(right), rel=3e-15)


@LOSS
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_information_is_reduced_and_weighted_as_hessians(name: str, reduction: str) -> None:
    loss = getattr(fl, name)
    x, t, u = operands(name, 60)
    w = np.arange(60) % 3.0
    each = loss.value_grad_hess(x, t, u, fisher=True, reduction="none")[2]
    *_, got, divisor = loss.value_grad_hess(
        x, t, u, fisher=True, reduction=reduction, weight=w, return_divisor=True
    )
    for part, right in zip(got, each, strict=True):
        np.testing.assert_allclose(part, right * w / divisor, rtol=1e-14)
    v = np.linspace(-1, 1, 60)
    product = loss.hvp(x, t, u, v, fisher=True, reduction="sum")
    np.testing.assert_allclose(product, each[0] * v, rtol=1e-14)


def test_fisher_is_a_flag() -> None:
    with pytest.raises(TypeError, match="fisher: True or False is needed, got 1"):
        fl.laplace_nll_loss([0.0], [0.0], [1.0], fisher=1)


# ---- natural gradients -------------------------------------------------------------------------


@LOSS
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_natural_gradient(name: str, dtype: Any) -> None:
    """Against NumPy's inverse of the matrix."""
    loss = getattr(fl, name)
    x, t, u = (a.astype(dtype) for a in operands(name))
    got = fl.natural_gradient(loss, x, t, u)
    assert all(a.dtype == dtype and a.shape == x.shape for a in got)
    wide = [a.astype(np.float64) for a in (x, t, u)]
    _, grads, info = loss.value_grad_hess(*wide, fisher=True, reduction="none")
    between = {"gumbel_nll_loss": -(1 - np.euler_gamma) / wide[2] ** 2}.get(name, 0 * wide[2])
    if name == "weibull_nll_loss":
        between = np.full(x.shape, -(1 - np.euler_gamma))
    matrix = np.moveaxis(np.array([[info[0], between], [between, info[1]]]), 2, 0)
    right = np.linalg.solve(matrix, np.array(grads).T[..., None])[..., 0].T
    eps = {2: 1e-2, 4: 1e-5, 8: 1e-12}[dtype.itemsize]
    size = np.abs(right) + np.abs(np.array(grads)).max(axis=0)
    assert np.max(np.abs(np.array(got, float) - right) / (1 + size)) < eps


def test_natural_gradient_of_one_scale_for_many() -> None:
    """It is that of each element, not summed."""
    x, t, _ = operands("gumbel_nll_loss", 12)
    one = fl.natural_gradient(fl.gumbel_nll_loss, x, t, 2.0)
    many = fl.natural_gradient(fl.gumbel_nll_loss, x, t, np.full(12, 2.0))
    assert all(map(np.array_equal, one, many))
    rows = fl.natural_gradient(fl.gumbel_nll_loss, x.reshape(3, 4), t.reshape(3, 4), [1, 2, 3, 4])
    assert [a.shape for a in rows] == [(3, 4), (3, 4)]


def test_natural_gradient_into_buffers_and_where() -> None:
    x, t, s = operands("weibull_nll_loss", 30)
    grads = np.empty(30), np.empty(30, np.float32)
    where = np.arange(30) % 2 == 0
    got = fl.natural_gradient(fl.weibull_nll_loss, x, t, s, where=where, grad_out=grads)
    assert got[0] is grads[0] and got[1] is grads[1]
    assert not np.any(grads[0][~where]) and np.all(grads[0][where])


def test_natural_gradient_of_a_student_t_with_df() -> None:
    x, t, s = operands("student_t_nll_loss", 30)
    by = fl.student_t_nll_loss.value_grad_hess(x, t, s, df=7.0, fisher=True, reduction="none")
    got = fl.natural_gradient(fl.student_t_nll_loss, x, t, s, df=7.0)
    for natural, grad, info in zip(got, *by[1:], strict=True):
        np.testing.assert_allclose(natural, grad / info, rtol=1e-14)


@pytest.mark.parametrize(
    ("error", "text", "loss", "options"),
    [
        (NotImplementedError, "huber_loss has no Fisher information", "huber_loss", {}),
        (NotImplementedError, "losses with an option fisher have", "kl_div", {}),
        (TypeError, "weight is no option", "laplace_nll_loss", {"weight": [1.0]}),
        (TypeError, "reduction is no option", "laplace_nll_loss", {"reduction": "sum"}),
        (TypeError, "fisher is no option", "laplace_nll_loss", {"fisher": True}),
        (TypeError, "laplace_nll_loss: got an unexpected.*'df'", "laplace_nll_loss", {"df": 3.0}),
        (ValueError, "df: a positive finite number", "student_t_nll_loss", {"df": 0.0}),
        (TypeError, "grad_out: a tuple of 2", "laplace_nll_loss", {"grad_out": np.empty(1)}),
    ],
)
def test_what_natural_gradient_refuses(
    error: type[Exception], text: str, loss: str, options: dict[str, Any]
) -> None:
    with pytest.raises(error, match=text):
        fl.natural_gradient(getattr(fl, loss), [1.0], [1.0], [1.0], **options)


def test_natural_gradient_names_its_operands() -> None:
    with pytest.raises(ValueError, match=r"^shape: "):
        fl.natural_gradient(fl.weibull_nll_loss, [1.0, 2.0], [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"^shape: the value at \[1\] is -1"):
        fl.natural_gradient(fl.weibull_nll_loss, [1.0, 2.0], [1.0, 2.0], [1.0, -1.0])


# ---- extremes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_targets_at_the_location(dtype: Any) -> None:
    """Whatever the scale is, down to the smallest number."""
    info = np.finfo(dtype)
    s = np.array([info.smallest_subnormal, info.tiny, 1e-30, 1, 1e30], dtype)
    x = np.array([0, 1, -17, 1e30, info.max], dtype)
    for name in (*LOSSES[:3], "gumbel_nll_loss"):
        value, (by_x, by_s) = getattr(fl, name).value_and_grad(x, x, s, reduction="none")
        assert np.all(np.isfinite(value)) and not np.any(by_x), name
        with np.errstate(over="ignore"):
            assert np.array_equal(by_s, 1 / s), name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_residuals_beyond_all_scales(dtype: Any) -> None:
    """Student's t is finite where the residual in scales, or its square, is not."""
    info = np.finfo(dtype)
    s = np.array([info.smallest_subnormal, info.tiny, 1e-30, 1.0, 1.0], dtype)
    x = np.array([1e30, -1.0, 1e30, 1e30, -1e30], dtype)
    value, (by_x, by_s), (hess, curvature) = fl.student_t_nll_loss.value_grad_hess(
        x, 0, s, df=4.0, reduction="none"
    )
    wide = [mp.mpf(float(a)) for a in x], [mp.mpf(float(a)) for a in s]
    right = [truth.student_t(a, mp.mpf(0), b, 4.0) for a, b in zip(*wide, strict=True)]
    eps = 4 * info.eps
    np.testing.assert_allclose(value, [float(r[0][0]) for r in right], rtol=eps)
    np.testing.assert_allclose(by_x, [float(r[1][0][0]) for r in right], rtol=eps)
    with np.errstate(over="ignore"):
        expected = np.array([float(r[1][1][0]) for r in right]).astype(dtype)
    np.testing.assert_allclose(by_s, expected, rtol=eps)
    assert np.all(np.isfinite(hess)) and not np.any(np.isnan(curvature))


def test_large_df_is_normal() -> None:
    """To the last digits: the constant is no difference of two large ones."""
    x, t, s = operands("student_t_nll_loss")
    normal = fl.gaussian_nll_loss(x, t, s * s, full=True, eps=0.0, reduction="none")
    for df, error in ((1e12, 1e-11), (1e18, 2e-15), (1e300, 2e-15)):
        got = fl.student_t_nll_loss(x, t, s, df=df, reduction="none")
        np.testing.assert_allclose(got, normal, rtol=error, atol=error)


@pytest.mark.parametrize("df", [1e-300, 1e-3, 0.5, 1.0, 3.0, 99.0, 101.0, 1e4, 1e8])
def test_constant_of_student_t(df: float) -> None:
    n = mp.mpf(df)
    right = mp.loggamma(n / 2) - mp.loggamma((n + 1) / 2) + mp.log(mp.pi * n) / 2
    got = fl.student_t_nll_loss([0.0], [0.0], [1.0], df=df)
    assert got == pytest.approx(float(right), rel=4e-15)


def test_a_known_shape_is_gamma_nll_loss() -> None:
    x, t, k = operands("gamma_shape_nll_loss")
    grad = fl.gamma_shape_nll_loss.value_and_grad(x, t, k, reduction="none")[1][0]
    known = fl.gamma_nll_loss.value_and_grad(x, t, reduction="none", weight=k)[1]
    np.testing.assert_allclose(grad, known, rtol=1e-13, atol=1e-13)


def test_families_that_are_the_same() -> None:
    """The exponential distribution twice, and logarithms of the target."""
    x, t, s = operands("weibull_nll_loss")
    one = np.ones_like(x)
    for a, b in zip(
        fl.weibull_nll_loss.value_and_grad(x, t, one, reduction="none")[1][:1],
        fl.gamma_shape_nll_loss.value_and_grad(x, t, one, reduction="none")[1][:1],
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)
    log_t = np.log(t)
    mirrored = fl.gumbel_nll_loss(-x, -log_t, 1 / s, reduction="none")
    direct = fl.weibull_nll_loss(x, t, s, reduction="none")
    np.testing.assert_allclose(direct, mirrored + log_t, rtol=1e-12, atol=1e-12)
    normal = fl.gaussian_nll_loss(x, log_t, s * s, full=True, eps=0.0, reduction="none")
    got = fl.log_normal_nll_loss(x, t, s, reduction="none")
    np.testing.assert_allclose(got, normal + log_t, rtol=1e-12, atol=1e-12)
