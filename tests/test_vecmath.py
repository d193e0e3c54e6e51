"""Elementary functions of kernels/core/vecmath, compiled in loops, against exact values.

The bounds are read from the comments above the functions.
"""

from __future__ import annotations

import ctypes
import re
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import inf, log, log2, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fusedloss._core import kernels as _kernels
from tests import registry as reg
from tests.losses.case import mp, trigamma

VECMATH = Path(__file__).parent.parent / "kernels" / "core" / "vecmath"
FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
MANY = 300  # points in each region

Array = NDArray[np.float64]


# ---- exact values ------------------------------------------------------------------------


def mills(t: Any) -> Any:
    """The normal distribution function at -t over its density."""
    import gmpy2

    root = mp.sqrt(2 * mp.pi)
    if t < 60:
        return gmpy2.erfc(t / mp.sqrt(mp.mpf(2.0))) / 2 * root * mp.exp(t * t / 2)
    total, term, k = mp.mpf(0.0), 1 / t, 1
    while abs(term) > abs(total) * mp.mpf(2.0) ** -170:
        total += term
        term *= -(2 * k - 1) / (t * t)
        k += 1
    return total


def log1mexp(x: Any) -> Any:
    return mp.log(-mp.expm1(x)) if x > -0.7 else mp.log1p(-mp.exp(x))


def log_ndtr(x: Any) -> Any:
    t = abs(x)
    part = mills(t) / mp.sqrt(2 * mp.pi)
    return mp.log(part) - t * t / 2 if x < 0 else mp.log1p(-mp.exp(-t * t / 2) * part)


def log_ndtr_slope(x: Any) -> Any:
    t = abs(x)
    density = mp.exp(-t * t / 2) / mp.sqrt(2 * mp.pi)
    return 1 / mills(t) if x < 0 else density / (1 - density * mills(t))


def log_factorial(t: Any) -> Any:
    with mp.workprec(1300):
        return mp.loggamma(t + 1)


def enough_bits(x: Any) -> int:
    """For a remainder of the order of 1/x³ of what is of the order of x log x."""
    return int(250 + 5 * max(0.0, log2(float(x)))) // 64 * 64


def stirling_error(x: Any) -> Any:
    with mp.workprec(enough_bits(x)):
        half = mp.mpf(0.5)
        log_root = mp.loggamma(half) + half * mp.log(mp.mpf(2.0))  # log(2π)/2, to all digits
        return mp.loggamma(x + 1) - (x + half) * mp.log(x) + x - log_root


def stirling_slope(x: Any) -> Any:
    with mp.workprec(enough_bits(x)):
        return x * (mp.log(x) - mp.digamma(x)) - mp.mpf(0.5)


def stirling_bend(x: Any) -> Any:
    with mp.workprec(enough_bits(x)):
        return 2 * x * (mp.log(x) - mp.digamma(x)) + x - x * x * trigamma(x) - mp.mpf(0.5)


def one_if_small(x: Any) -> Any:
    """Where the absolute error counts."""
    return 1 if x < 0.5 else 0


# ---- the functions -----------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """Exact values, arguments, limits; what errors are relative to if that is larger."""

    exact: Callable[..., Any]
    points: Callable[[np.random.Generator, Any], list[Array]]
    limits: dict[tuple[float, ...], float]
    size: Callable[..., Any] | None = None


def logspace(rng: np.random.Generator, low: float, high: float, n: int = MANY) -> Array:
    return np.exp(rng.uniform(log(low), log(high), n))


def below_zero(rng: np.random.Generator, dtype: Any) -> list[Array]:
    tiny = float(np.finfo(dtype).smallest_subnormal)
    lowest = -103.0 if dtype == np.float32 else -744.0
    parts = -rng.uniform(0.001, 2, MANY), rng.uniform(lowest, 0, MANY), -logspace(rng, 4 * tiny, 1)
    return [np.concatenate([*parts, [-tiny]])]


def whole_line(rng: np.random.Generator, dtype: Any) -> list[Array]:
    largest, far = (1e18, 12.0) if dtype == np.float32 else (1e150, 37.0)
    near, wide = rng.uniform(-2, 2, MANY), rng.uniform(-40, far, MANY)
    return [np.concatenate([near, wide, -logspace(rng, 1, largest), [0.0, -0.0, 0.875, 1.0, -1e9]])]


def positive(rng: np.random.Generator, dtype: Any) -> list[Array]:
    info = np.finfo(dtype)
    zero = 1.4616321449683623
    parts = rng.uniform(0.01, 4, MANY), rng.uniform(1.4, 1.5, 100), logspace(rng, 4e-45, 1e4)
    ends = [float(np.nextafter(dtype(k), dtype(to))) for k in (1, 2, 3, zero) for to in (0, 9)]
    whole = np.arange(1.0, 30.0)
    far = logspace(rng, 1, 1e37, 300), [1e30, float(info.tiny), float(info.smallest_subnormal)]
    return [np.concatenate([*parts, ends, whole, *far])]


FUNCTIONS = {
    "log1mexp": Function(
        log1mexp, below_zero, {(0.0,): -inf, (-inf,): 0.0, (1.0,): nan, (nan,): nan}
    ),
    "log_ndtr": Function(log_ndtr, whole_line, {(inf,): 0.0, (-inf,): -inf, (nan,): nan}),
    "log_ndtr_slope": Function(
        log_ndtr_slope, whole_line, {(inf,): 0.0, (-inf,): inf, (-1e37,): 1e37, (nan,): nan}
    ),
    "log_factorial": Function(log_factorial, positive, {(0.0,): 0.0, (inf,): inf, (nan,): nan}),
    "log_gamma": Function(
        mp.loggamma, positive, {(0.0,): inf, (1.0,): 0.0, (2.0,): 0.0, (inf,): inf, (nan,): nan}
    ),
    "digamma": Function(mp.digamma, positive, {(0.0,): -inf, (inf,): inf, (nan,): nan}),
    "stirling_error": Function(
        stirling_error,
        positive,
        {(inf,): 0.0, (nan,): nan},
        lambda x: max(one_if_small(x), -mp.log(x) / 2),
    ),
    "stirling_slope": Function(
        stirling_slope, positive, {(0.0,): 0.5, (inf,): 0.0, (nan,): nan}, one_if_small
    ),
    "stirling_bend": Function(
        stirling_bend, positive, {(0.0,): 0.5, (inf,): 0.0, (nan,): nan}, lambda x: 1
    ),
    "trigamma": Function(trigamma, positive, {(0.0,): inf, (inf,): 0.0, (nan,): nan}),
}
HEADERS = {path.name: path.read_text("utf-8") for path in sorted(VECMATH.glob("*.h"))}


def bounds(name: str) -> tuple[float, float]:
    """The largest errors that the comment above a function states, with FMA and without."""
    for text in HEADERS.values():
        found = re.search(
            rf"max ([\d.]+) ULP at [^()]*\(FMA\),\s*\*?\s*([\d.]+) ULP at [^()]*\(no FMA\)\. \*/\n"
            rf"VM_INLINE \w+ vm_{name}\(",
            text,
        )
        if found:
            return float(found[1]), float(found[2])
    raise AssertionError(f"no bound of vm_{name}")


def source() -> str:
    """C of a loop for each function and dtype."""
    code = [f'#include "{name}"' for name in HEADERS]
    code.append("int has_fma(void) { return VM_HAVE_FMA; }")
    for name, function in FUNCTIONS.items():
        for kind, suffix in (("float", "f"), ("double", "")):
            count = len(function.points(np.random.default_rng(0), np.float64))
            arguments = ", ".join(f"const {kind} *restrict x{k}" for k in range(count))
            numbers = ", ".join(f"x{k}[i]" for k in range(count))
            code.append(
                f"void {name}{suffix}_loop(long n, {arguments}, {kind} *restrict y)\n"
                f"{{ for (long i = 0; i < n; i++) y[i] = vm_{name}{suffix}({numbers}); }}"
            )
    return "\n".join(code)


@pytest.fixture(scope="module", params=sorted({"base", *_kernels.available_levels()}))
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The loops, compiled for a level; what the compiler says about loops."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    if not shutil.which(compiler):
        pytest.skip("no compiler")
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "loops.c").write_text(source(), "utf-8")
    level = [] if request.param == "base" else [f"-march=x86-64-{request.param}"]
    command = [compiler, *FLAGS, *level, f"-I{VECMATH}", "-shared", "-fPIC", "-o", "loops.so"]
    gnu = (
        "Free Software"
        in subprocess.run(
            [compiler, "--version"], capture_output=True, text=True, check=True
        ).stdout
    )
    command += ["-fopt-info-vec-optimized"] if gnu else []
    done = subprocess.run(
        [*command, "loops.c", "-lm"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert not done.returncode, done.stderr
    loaded = ctypes.CDLL(str(folder / "loops.so"))
    loaded.said = done.stderr if gnu and request.param != "base" else ""
    return loaded


def computed(library: Any, name: str, dtype: Any, arguments: list[Any]) -> Any:
    result = np.empty(len(arguments[0]), dtype)
    pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (*arguments, result)]
    suffix = "f" if dtype == np.float32 else ""
    library[f"{name}{suffix}_loop"](ctypes.c_long(result.size), *pointers)
    return result


@cache
def truth(name: str, dtype: Any) -> tuple[list[Any], reg.Exact]:
    """Arguments, and the exact values for them."""
    function = FUNCTIONS[name]
    arguments = [a.astype(dtype) for a in function.points(np.random.default_rng(5), dtype)]
    exact = []
    for point in zip(*(a.tolist() for a in arguments), strict=True):
        numbers = [mp.mpf(x) for x in point]
        exact.append((function.exact(*numbers), function.size(*numbers) if function.size else 0))
    return arguments, reg.Exact(exact, dtype)


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_error(library: Any, name: str, dtype: Any) -> None:
    arguments, exact = truth(name, dtype)
    errors = exact.errors(computed(library, name, dtype, arguments))
    worst = int(np.argmax(errors))
    bound = bounds(name + ("f" if dtype == np.float32 else ""))[not library.has_fma()]
    at = [float(a[worst]) for a in arguments]
    assert errors[worst] <= 1.1 * bound, f"{errors[worst]:.3f} ULP at {at}: {exact.shown(worst)}"


@pytest.mark.parametrize("dtype", reg.DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_limits(library: Any, name: str, dtype: Any) -> None:
    limits = FUNCTIONS[name].limits
    arguments = [np.array(a, dtype) for a in zip(*limits, strict=True)]
    got = computed(library, name, dtype, arguments)
    np.testing.assert_allclose(got, np.array([*limits.values()], dtype), rtol=1e-6)


def test_loops_are_vectorised(library: Any) -> None:
    if not library.said:
        pytest.skip("another compiler than GCC, or a CPU of which little is known")
    lines = source().splitlines()
    found = {
        lines[int(k) - 1]
        for k in re.findall(r"^loops\.c:(\d+):.* loop vectorized", library.said, re.M)
    }
    loops = {line for line in lines if line.startswith("{ for")}
    assert loops <= found
