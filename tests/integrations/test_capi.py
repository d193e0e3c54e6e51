"""The C interface from Cython and C, by both build systems, and from numba."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "cython_user"


@pytest.fixture(scope="module", params=["setuptools", "meson"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Both modules of the example, built without a network as a user's package."""
    pytest.importorskip("Cython")
    folder = tmp_path_factory.mktemp(request.param)
    source, target = folder / "source", folder / "installed"
    shutil.copytree(EXAMPLE, source)
    if request.param == "meson":
        pytest.importorskip("mesonpy")
        (source / "pyproject.meson.toml").replace(source / "pyproject.toml")
    package = str(Path(fl.__file__).parent.parent)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    command += ["--no-build-isolation", "--no-deps", "--no-index", "--target", str(target)]
    outcome = subprocess.run(
        [*command, str(source)],
        env={**os.environ, "PYTHONPATH": package, "PATH": path, "CFLAGS": "-O2 -Wall -Werror"},
        capture_output=True,
        text=True,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    sys.path.insert(0, str(target))
    try:
        modules = import_module("robust"), import_module("robust_c")
        assert all(str(target) in str(module.__file__) for module in modules)
        yield modules
    finally:
        sys.path.remove(str(target))
        sys.modules.pop("robust", None)
        sys.modules.pop("robust_c", None)


def test_cython(built: Any, level: str) -> None:
    robust, _ = built
    x = np.random.default_rng(0).standard_t(2, 501)
    assert robust.location(x, "mse_loss") == pytest.approx(x.mean(), abs=1e-9)
    assert robust.location(x, fl.l1_loss) == pytest.approx(np.median(x), abs=1e-9)
    assert robust.location(x, fl.HuberLoss(delta=1e-9)) == pytest.approx(np.median(x), abs=1e-6)
    low = robust.location(x, "quantile_loss", q=0.1)
    assert np.mean(x <= low) == pytest.approx(0.1, abs=0.005)
    t, grad = np.abs(x), np.empty_like(x)
    value = robust.total(x, t, grad, "poisson_nll_loss", full=True)
    want = fl.poisson_nll_loss.value_and_grad(x, t, full=True, reduction="sum")
    assert value == want[0] and np.array_equal(grad, want[1])
    with pytest.raises(ValueError, match="t: the number at 3 is not accepted"):
        t[3] = -1
        robust.total(x, t, grad, "poisson_nll_loss")
    logits = np.random.default_rng(1).normal(size=(40, 7)).astype(np.float32)
    labels, grads = np.arange(40) % 7, np.empty_like(logits)
    value = robust.total_of_rows(logits, labels, grads, "cross_entropy", label_smoothing=0.1)
    total, slope = fl.cross_entropy.value_and_grad(
        logits, labels, label_smoothing=0.1, reduction="sum"
    )
    assert np.float32(value) == total and np.array_equal(grads, slope)
    labels[5] = 7
    with pytest.raises(ValueError, match="labels: the one at 5 is not accepted"):
        robust.total_of_rows(logits, labels, grads, "cross_entropy")
    with pytest.raises(ValueError, match="delta: a positive finite number is needed"):
        robust.location(x, "huber_loss", delta=-1.0)


def test_c(built: Any, level: str) -> None:
    _, robust_c = built
    x, t = np.linspace(-2, 2, 77), np.linspace(0, 1, 77)
    want = fl.huber_loss(x, t, delta=0.3)
    assert robust_c.mean("huber_loss", {"delta": 0.3}, x, t) == want
    with pytest.raises(TypeError, match="huber_loss has no option 'dleta'"):
        robust_c.mean("huber_loss", {"dleta": 1}, x, t)
    with pytest.raises(TypeError, match="cross_entropy is not a loss of two operands"):
        robust_c.mean("cross_entropy", {}, x, t)
    with pytest.raises(ValueError, match="element 76 is not accepted by kl_div"):
        t[76] = -1
        robust_c.mean("kl_div", {}, x, t)


@pytest.mark.parametrize(
    ("place", "number", "text"),
    [
        (0, 2, r"whose C ABI is 1 .* installed has 2 .*: compile the module again"),
        (0, 0, "installed has 0 .*: install a newer fusedloss"),
        (4, 8, r"installed has 1 \(8 bytes\): install a newer fusedloss"),
    ],
)
def test_other_abi(
    built: Any, monkeypatch: pytest.MonkeyPatch, place: int, number: int, text: str
) -> None:
    """A module compiled against another version says so before it reads what may lie elsewhere."""
    robust, robust_c = built
    bind = fl.capi.bind

    def other(*args: Any, **options: Any) -> Any:
        bound = bind(*args, **options)
        ctypes.c_int32.from_address(bound.address + place).value = number
        return bound

    monkeypatch.setattr(fl.capi, "bind", other)
    with pytest.raises(ImportError, match=text):
        robust_c.mean("huber_loss", {}, np.ones(1), np.ones(1))
    with pytest.raises(ImportError, match=text):
        robust.location(np.ones(1), "huber_loss")


def test_numba(level: str) -> None:
    numba = pytest.importorskip("numba")
    value_and_grad, whole = fl.capi.function("value_and_grad"), fl.capi.function("map")
    bound = fl.capi.bind(fl.huber_loss, delta=1.5)

    @numba.njit
    def fit(loss: int, x: Any, t: Any, rounds: int) -> float:
        """Gradient descent for the slope of a line through 0."""
        slope, grad = 0.0, np.empty(1)
        for _ in range(rounds):
            step = 0.0
            for i in range(x.size):
                value_and_grad(loss, slope * x[i], t[i], grad.ctypes.data)
                step += grad[0] * x[i]
            slope -= 0.5 * step / x.size
        return slope

    @numba.njit
    def gradient(loss: int, x: Any, t: Any, grad: Any) -> int:
        return whole(
            *(loss, x.size, x.ctypes.data, t.ctypes.data, 0, 0, 1.0, 0),
            *(0, grad.ctypes.data, 0, 0, 0),
        )

    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    t = 3 * x + rng.standard_t(2, 400)
    slope = fit(bound.address, x, t, 200)
    assert abs(slope - 3) < 0.2
    assert abs(fl.huber_loss.value_and_grad(slope * x, t, delta=1.5)[1] @ x) < 1e-9
    grad = np.empty_like(x)
    assert gradient(bound.address, x, t, grad) == -1
    want = fl.huber_loss.value_and_grad(x, t, delta=1.5, reduction="sum")[1]
    assert np.array_equal(grad, want)


def test_numba_finds_capsules(level: str) -> None:
    """By numba's own look-up, as for scipy.special.cython_special."""
    extending = pytest.importorskip("numba.extending")
    address = extending.get_cython_function_address("fusedloss.capi", "valuef")
    value = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_void_p, ctypes.c_float, ctypes.c_float)
    bound = fl.capi.bind("log_cosh_loss")
    want = fl.log_cosh_loss(np.float32(0.7), np.float32(0.2))
    assert value(address)(bound.address, 0.7, 0.2) == want
