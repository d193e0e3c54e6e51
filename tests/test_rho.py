"""Losses as functions of squared residuals, against exact values."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import Loss
from fusedloss.scipy import RESIDUAL_LOSSES
from tests.losses.case import exactly, mp
from tests.registry import Exact

Triple = tuple[Any, Any, Any]  # each a number, or a pair with the size of its largest term
inf, nan = float("inf"), float("nan")


def quadratic(z: Any) -> Triple:
    return 2 * z, mp.mpf(2), mp.mpf(0)


def huber(z: Any, delta: float) -> Triple:
    d = mp.mpf(delta)
    if z <= d * d:
        return z, mp.mpf(1), mp.mpf(0)
    r = mp.sqrt(z)
    return 2 * d * r - d * d, d / r, -d / (2 * z * r)


def smooth_l1(z: Any, beta: float) -> Triple:
    value, slope, curvature = huber(z, beta)
    return value / mp.mpf(beta), slope / mp.mpf(beta), curvature / mp.mpf(beta)


def pseudo_huber(z: Any, delta: float) -> Triple:
    d2 = mp.mpf(delta) ** 2
    s = mp.sqrt(1 + z / d2)
    return 2 * z / (1 + s), 1 / s, -1 / (2 * d2 * s**3)


def cauchy(z: Any, c: float) -> Triple:
    c2 = mp.mpf(c) ** 2
    s = 1 + z / c2
    return c2 * mp.log1p(z / c2), 1 / s, -1 / (c2 * s * s)


def fair(z: Any, c: float) -> Triple:
    r, size = mp.sqrt(z), mp.mpf(c)
    a = r / size
    gap = a - mp.log1p(a) if a > 1e-10 else a * a / 2 - a**3 / 3 + a**4 / 4
    return 2 * size**2 * gap, 1 / (1 + a), -1 / (2 * size * r * (1 + a) ** 2)


def log_cosh(z: Any) -> Triple:
    r = mp.sqrt(z)
    if z < 1e-20:
        return z - z * z / 6, 1 - z / 3, -mp.mpf(1) / 3 + 4 * z / 15
    t = mp.tanh(r)
    sech2 = 1 / (1 + mp.sinh(r) ** 2) if r < 1000 else mp.mpf(0)
    value = 2 * (r + mp.log1p(mp.exp(-2 * r)) - mp.log(mp.mpf(2))) if r > 1e-5 else None
    if value is None:
        value = z - z * z / 6 + 2 * z**3 / 90
    return value, t / r, (sech2 - t / r) / (2 * z)


def insensitive(z: Any, epsilon: float) -> Triple:
    r = mp.sqrt(z)
    if r <= mp.mpf(epsilon):
        return mp.mpf(0), mp.mpf(0), mp.mpf(0)
    return (2 * (r - mp.mpf(epsilon)), 2 * r), 1 / r, -1 / (2 * z * r)


def squared_insensitive(z: Any, epsilon: float) -> Triple:
    r, e = mp.sqrt(z), mp.mpf(epsilon)
    if r <= e and e > 0:
        return mp.mpf(0), mp.mpf(0), mp.mpf(0)
    return (2 * (r - e) ** 2, 4 * r * (r - e)), (2 * (r - e) / r, mp.mpf(2)), e / (z * r)


CASES: list[tuple[str, Any, dict[str, float]]] = [
    ("mse_loss", quadratic, {}),
    ("huber_loss", huber, {"delta": 1.0}),
    ("huber_loss", huber, {"delta": 0.37}),
    ("smooth_l1_loss", smooth_l1, {"beta": 1.0}),
    ("smooth_l1_loss", smooth_l1, {"beta": 2.7}),
    ("pseudo_huber_loss", pseudo_huber, {"delta": 1.0}),
    ("pseudo_huber_loss", pseudo_huber, {"delta": 3.1}),
    ("log_cosh_loss", log_cosh, {}),
    ("cauchy_loss", cauchy, {"c": 1.0}),
    ("cauchy_loss", cauchy, {"c": 0.3}),
    ("fair_loss", fair, {"c": 1.0}),
    ("fair_loss", fair, {"c": 1.4}),
    ("epsilon_insensitive_loss", insensitive, {"epsilon": 0.1}),
    ("squared_epsilon_insensitive_loss", squared_insensitive, {"epsilon": 0.1}),
    ("squared_epsilon_insensitive_loss", squared_insensitive, {"epsilon": 0.0}),
]
CASE = pytest.mark.parametrize(
    ("name", "truth", "options"), CASES, ids=lambda x: str(x) if isinstance(x, (str, dict)) else ""
)


def test_every_accepted_loss_has_its_exact_values() -> None:
    assert {name for name, _, _ in CASES} == set(RESIDUAL_LOSSES)
    accepted = set()
    for name in fl.__all__:
        if isinstance(getattr(fl, name), Loss):
            try:
                fl.scipy.rho(name)
            except ValueError as error:
                assert str(error).startswith(f"loss: {name} is no function of a squared residual")
            else:
                accepted.add(name)
    assert accepted == set(RESIDUAL_LOSSES)


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@CASE
def test_accuracy(
    name: str, truth: Any, options: dict[str, float], dtype: Any, levels: Any
) -> None:
    rng = np.random.default_rng(0)
    low, high = (-30, 25) if dtype == np.float32 else (-280, 200)
    z = [10.0**k for k in range(low, high, 3)]
    z += [1e-14, 1e-15, 1e-16, 1e-17, 0.999, 1.0, 1.001, 7.29, 0.1369]
    z += list(10 ** rng.uniform(-6, 4, 300)) + list(rng.uniform(0, 4, 300))
    numbers = np.array(z, dtype)
    # Parameters are rounded to the dtype of the computation.
    rounded = {k: float(dtype(v)) for k, v in options.items()}
    exact = [truth(mp.mpf(float(x)), **rounded) for x in numbers]
    function = fl.scipy.rho(name, **options)
    for _ in levels:
        got = function(numbers)
        assert got.dtype == dtype and got.shape == (3, len(numbers))
        for k, bound in enumerate((4, 4, 8)):
            pairs = [row[k] if isinstance(row[k], tuple) else exactly(row[k]) for row in exact]
            errors = Exact(pairs, dtype).errors(got[k])
            worst = int(np.argmax(errors))
            assert errors[worst] <= bound, (k, numbers[worst], got[k, worst], pairs[worst])


@CASE
def test_at_0_at_infinity_and_nan(name: str, truth: Any, options: dict[str, float]) -> None:
    function = fl.scipy.rho(name, **options)
    at_0, near, far, hole = function([0.0, 1e-300, inf, nan]).T
    if name == "fair_loss":
        assert at_0[2] < -1e150 and np.isfinite(2 * at_0[2])
        np.testing.assert_array_equal(at_0[:2], [0, 1])
    else:
        found = truth(mp.mpf(1e-300), **options)
        exact = [float(x[0] if isinstance(x, tuple) else x) for x in found]
        np.testing.assert_allclose(near, exact, rtol=1e-15)
        np.testing.assert_allclose(at_0, exact, rtol=1e-15, atol=1e-290)
    assert at_0[0] == 0 and np.isfinite(at_0).all()
    assert far[0] == inf and not np.isnan(far).any()
    assert np.isnan(hole[0]) and (np.isnan(hole[1]) or name == "mse_loss")


def test_it_is_twice_the_loss() -> None:
    r = np.linspace(-5, 5, 101)
    for name in RESIDUAL_LOSSES:
        each = getattr(fl, name)(r, 0.0, reduction="none")
        np.testing.assert_allclose(fl.scipy.rho(name)(r * r)[0], 2 * each, rtol=1e-14, atol=1e-15)


def test_shapes_dtypes_and_buffers() -> None:
    function = fl.scipy.rho("huber_loss")
    assert function(2.0).shape == (3,)
    assert function(np.ones((2, 5))).shape == (3, 2, 5)
    assert function(np.ones(3, int)).dtype == np.float64
    z = np.arange(12.0)
    buffer = np.empty((3, 6))
    assert function(z[::2], out=buffer) is buffer
    np.testing.assert_array_equal(buffer, function(z[::2].copy()))
    with pytest.raises(ValueError, match=r"out: shape \(3, 12\) is needed, got \(12,\)"):
        function(z, out=np.empty(12))
    with pytest.raises(TypeError, match="dtype complex128 is not accepted"):
        function(z + 1j)


def test_losses_criteria_and_names() -> None:
    expected = fl.scipy.rho("huber_loss", delta=2.0)
    for loss in (fl.huber_loss, "huber_loss", fl.HuberLoss()):
        assert fl.scipy.rho(loss, delta=2.0) == expected
    assert fl.scipy.rho(fl.HuberLoss(delta=2.0, reduction="sum")) == expected
    assert fl.scipy.rho(fl.HuberLoss(delta=3.0)) != expected
    assert hash(fl.scipy.rho(fl.HuberLoss(delta=2.0))) == hash(expected)
    copy = pickle.loads(pickle.dumps(expected))
    assert copy == expected and repr(copy) == "fusedloss.scipy.rho('huber_loss', delta=2.0)"


def test_wrong_arguments() -> None:
    rho = fl.scipy.rho
    with pytest.raises(ValueError, match="no loss has the name 'hubber_loss'; did you mean 'hube"):
        rho("hubber_loss")
    with pytest.raises(ValueError, match="loss: no loss has the name 'x'; there are "):
        rho("x")
    with pytest.raises(TypeError, match=r"loss: a loss .* got <class .*; make one: HuberLoss\(\)"):
        rho(fl.HuberLoss)
    with pytest.raises(TypeError, match=r"loss: a loss such as fl.huber_loss, .* is needed, got 3"):
        rho(3)
    with pytest.raises(
        ValueError, match="l1_loss is no function of a squared residual; accepted a"
    ):
        rho("l1_loss")
    with pytest.raises(ValueError, match="beta: 0 makes smooth_l1_loss the absolute error"):
        rho("smooth_l1_loss", beta=0)
    with pytest.raises(ValueError, match="delta: a positive finite number is needed, got -1"):
        rho("huber_loss", delta=-1)
    with pytest.raises(
        TypeError, match="huber_loss: got an unexpected keyword argument 'dleta'; t"
    ):
        rho("huber_loss", dleta=1)
    with pytest.raises(
        TypeError, match="weight: is no option of this call: multiply the residuals"
    ):
        rho("huber_loss", weight=[1.0])
    with pytest.raises(TypeError, match="reduction: is no option of this call"):
        rho("huber_loss", reduction="sum")
