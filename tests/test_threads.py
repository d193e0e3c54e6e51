"""The same bits for any number of threads; as many as told; forks; instruction-set levels."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import fusedloss as fl
from fusedloss._core import kernels as _kernels
from tests import registry as reg
from tests.samples import (
    MECHANISMS,
    ONE_OF_EACH,
    Array,
    Case,
    call,
    class_weights,
    elementwise,
    rows,
    same,
    use_level,
)

ANY = pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
DTYPE = pytest.mark.parametrize("dtype", reg.DTYPES)
LEVELS = _kernels.available_levels()
parallel = pytest.mark.skipif(
    not _kernels.kernels.modules["arrays"].OPENMP, reason="a serial build"
)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new process, without what this one's environment says about threads."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "FUSEDLOSS_"))}
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=kept | environment,
    )


def printed(code: str, **environment: str) -> str:
    done = python(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# ---- the same bits -------------------------------------------------------------------------------


def for_threads(function: Any, numbers: Iterable[int]) -> None:
    fl.set_num_threads(1)
    expected = function()
    for n in numbers:
        fl.set_num_threads(n)
        got = function()
        assert all(map(same, got, expected)), f"{n} threads"


@pytest.mark.parametrize("case", [*reg.MECHANISMS, *reg.ROWS_ONE_OF_EACH], ids=str)
@DTYPE
def test_number_of_threads_changes_nothing(case: Case, dtype: Any) -> None:
    """How elements are cut does not depend on the formula; the loops over rows are their own."""
    sample = call(case, 280_001, dtype)
    all_numbers = case in (reg.MECHANISMS[0], reg.ROWS_ONE_OF_EACH[0])
    for_threads(
        lambda: sample.run(2, reduction="sum"), range(2, 17) if all_numbers else (2, 3, 7, 16)
    )
    for_threads(lambda: sample.each(), (2, 3, 16))
    for_threads(lambda: sample.changed(np.asfortranarray).run(1), (2, 3, 16))


@pytest.mark.parametrize("case", reg.ROW_MECHANISMS, ids=str)
@pytest.mark.parametrize("shape", [(90, 1500), (3, 50_000), (40, 7, 500), (2000, 100)])
def test_threads_over_rows(case: reg.Rows, shape: tuple[int, ...]) -> None:
    for axis in range(len(shape)):
        sample = rows(case, shape, axis, np.float32)
        for_threads(lambda s=sample: s.run(1), (2, 3, 5, 16))  # type: ignore[misc]


@pytest.mark.parametrize("case", reg.ROWS_ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("shape", [(3, 200_000), (70, 33), (5000, 10), (300, 100), (4, 21, 40, 50)])
def test_threads_over_rows_of_every_loss(case: reg.Rows, shape: tuple[int, ...]) -> None:
    sample = rows(case, shape, 1, np.float32)
    for_threads(lambda: [*sample.run(2), *sample.each()], (2, 3, 16))


@pytest.mark.parametrize(
    "name", ["softmax", "log_softmax", "logsumexp", *(c.name for c in reg.ACTIVATIONS)]
)
def test_threads_of_activations(name: str) -> None:
    f = getattr(fl, name)
    x = np.random.default_rng(0).normal(size=(28_001, 10))
    dy = np.random.default_rng(1).normal(size=np.shape(f(x)))
    for_threads(lambda: (f(x), f.vjp(x, dy)), (2, 3, 7, 16))


@pytest.mark.parametrize("size", [16_384, 16_385, 32_767, 32_768, 1_048_577, 1_050_000])
def test_threads_around_thresholds(size: int) -> None:
    sample = elementwise(reg.ELEMENTWISE[0], (size,), np.float32)
    for_threads(lambda: sample.run(1), (2, 3, 16))


@pytest.mark.skipif(not {"v3", "v4"} <= set(LEVELS), reason="this CPU has not both levels")
@ANY
@DTYPE
def test_v3_and_v4_have_the_same_bits(
    case: Case, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for count, classes in ((3000, 10), (4500, 1500)):
        sample = call(case, count, dtype, classes)
        other = sample.changed(np.asfortranarray)
        found = [
            [*at_level(level, s.run, monkeypatch), *at_level(level, s.each, monkeypatch)]
            for level in ("v3", "v4")
            for s in (sample, other)
        ]
        for a, b in ((0, 2), (1, 3)):
            assert all(map(same, found[a], found[b]))


@pytest.mark.skipif(len(LEVELS) < 2, reason="one level only")
@ANY
@DTYPE
def test_levels_agree(case: Case, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without fused multiply-add the last places differ, not more."""
    eps = float(np.finfo(dtype).eps)
    sample = call(case, 3000, dtype)
    first, *others = (at_level(level, sample.each, monkeypatch) for level in LEVELS)
    scale = 1.0
    if isinstance(case, reg.Rows):
        scale = max(1.0, float(np.max(class_weights(case, sample))))
    elif "weight" in sample.arrays:
        scale = np.max(np.abs(sample.arrays["weight"]))
    of_terms = isinstance(case, reg.Rows)  # their results are differences of larger ones
    if isinstance(case, reg.Elementwise) and case.third:
        of_terms = True
        scale *= max(1, *(np.max(np.abs(sample.arrays[name])) for name in case.kinds))
    for other in others:
        atol = 4 * eps * scale * of_terms
        np.testing.assert_allclose(other[0], first[0], rtol=2 * case.bounds[0] * eps, atol=atol)
        for a, b in zip(first[1:], other[1:], strict=True):
            np.testing.assert_allclose(a, b, rtol=8 * eps, atol=4 * eps * scale)


def at_level(level: str, function: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Array, ...]:
    with monkeypatch.context() as patch:
        use_level(level, patch)
        result: tuple[Array, ...] = function()
    return result


# ---- how many ------------------------------------------------------------------------------------


@parallel
def test_set_num_threads() -> None:
    default = fl.get_num_threads()
    for n in (1, 2, 7, 4096):
        fl.set_num_threads(n)
        assert fl.get_num_threads() == n
    fl.set_num_threads(None)
    assert fl.get_num_threads() == default >= 1


@pytest.mark.parametrize("n", [0, -1, 4097, 10**20])
def test_numbers_of_threads_that_cannot_be(n: int) -> None:
    with pytest.raises(ValueError, match=r"^n: "):
        fl.set_num_threads(n)
    assert fl.get_num_threads() >= 1


@pytest.mark.parametrize("n", [1.0, "2", True, [1], 2 + 0j, np.float64(2)])
def test_what_is_no_number_of_threads(n: Any) -> None:
    with pytest.raises(TypeError, match=r"^n: "):
        fl.set_num_threads(n)


@parallel
def test_numpy_integers_are_numbers_of_threads() -> None:
    fl.set_num_threads(np.int64(2))  # type: ignore[arg-type]
    assert fl.get_num_threads() == 2


@parallel
def test_environment_is_honoured() -> None:
    code = "import fusedloss as fl; print(fl.get_num_threads(), fl.show_config('dict')['threads'])"
    assert printed(code, OMP_NUM_THREADS="3") == "3 3"
    assert printed(code, OMP_NUM_THREADS="1") == "1 1"


@parallel
def test_threadpoolctl_is_honoured() -> None:
    before = fl.get_num_threads()
    for n in (1, 3):
        with threadpool_limits(n):
            assert fl.get_num_threads() == n
            fl.set_num_threads(2)  # what is said here takes precedence
            assert fl.get_num_threads() == 2
            fl.set_num_threads(None)
    assert fl.get_num_threads() == before


COUNT = """
import os
import numpy as np
import fusedloss as fl
before = len(os.listdir("/proc/self/task"))
x = np.zeros({size}, np.float32)
fl.set_num_threads({chosen})
fl.mse_loss(x, 0)
print(len(os.listdir("/proc/self/task")) - before)
"""


@linux
@parallel
@pytest.mark.parametrize(
    ("size", "chosen", "more"), [(10**6, None, 3), (10**6, 1, 0), (10**6, 3, 2), (10_000, None, 0)]
)
def test_threads_that_run(size: int, chosen: int | None, more: int) -> None:
    """Small arrays never enter a parallel region; large ones use what was asked for."""
    assert printed(COUNT.format(size=size, chosen=chosen), OMP_NUM_THREADS="4") == str(more)


# ---- forks and Python's threads ------------------------------------------------------------------

FORK = """
import os, signal, sys
import numpy as np
import fusedloss as fl
signal.alarm(20)        # a child that hangs must not hang the tests
fl.set_num_threads({chosen})
x = np.random.default_rng(0).normal(size=(100_000, 10))
y = np.zeros(100_000, int)
def work():
    value, grad = fl.cross_entropy.value_and_grad(x, y)
    return value, grad.tobytes(), fl.mse_loss(x, 0), fl.softmax(x).tobytes()
expected = work()
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        same = work() == expected and fl.get_num_threads() == 1
        if os.fork() == 0:
            os._exit(work() != expected)
        os._exit(not same or os.wait()[1] != 0)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, status
    assert work() == expected and fl.get_num_threads() == {threads}
print("done")
"""

POOL = """
import multiprocessing, signal
import numpy as np
import fusedloss as fl
x = np.random.default_rng(0).normal(size=500_000)
def work(_):
    signal.alarm(20)
    return fl.huber_loss.value_and_grad(x, 0)[0], fl.get_num_threads()
if __name__ == "__main__":
    fl.set_num_threads(3)
    value, _ = work(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(work, range(6)) == [(value, 1)] * 6
    print("done")
"""

fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")


@fork
@parallel
@pytest.mark.parametrize(("chosen", "threads"), [(None, 4), (3, 3)])
def test_fork(chosen: int | None, threads: int) -> None:
    code = FORK.format(chosen=chosen, threads=threads)
    assert printed(code, OMP_NUM_THREADS="4") == "done"


@fork
def test_multiprocessing_by_fork() -> None:
    assert printed(POOL) == "done"


def test_calls_from_many_threads() -> None:
    """Each call computes in buffers of its own."""
    samples = [
        call(case, count, seed=k) for k, case in enumerate(MECHANISMS) for count in (500, 40_000)
    ]
    expected = [sample.run(2) for sample in samples]

    def work(k: int) -> bool:
        return all(map(same, samples[k].run(2), expected[k]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, [k for _ in range(4) for k in range(len(samples))]))


def test_buffers_from_many_threads() -> None:
    x = np.random.default_rng(0).normal(size=(8, 100_000))

    def work(k: int) -> Any:
        grad = np.empty(100_000)
        for _ in range(5):
            fl.huber_loss.value_and_grad(x[k], 0, reduction="sum", grad_out=grad)
        return np.array_equal(grad, np.clip(x[k], -1, 1))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


# ---- instruction-set levels ----------------------------------------------------------------------

LEVEL = "import fusedloss as fl; print(fl.show_config('dict')['level'], fl.mse_loss([3.0], [1.0]))"
# _cpu is put in place before the package is there, so that the package finds this CPU.
PRETEND = """
import sys, types
cpu = types.ModuleType("fusedloss._cpu")
cpu.level, cpu.compiler = lambda: {level}, lambda: "none"
sys.modules["fusedloss._cpu"] = cpu
"""


@pytest.mark.parametrize("level", LEVELS)
def test_forced_level(level: str) -> None:
    assert printed(LEVEL, FUSEDLOSS_ISA=level) == f"{level} 4.0"


def test_best_level_by_default() -> None:
    assert printed(LEVEL) == f"{LEVELS[0]} 4.0"
    assert printed(LEVEL, FUSEDLOSS_ISA="") == f"{LEVELS[0]} 4.0"


@pytest.mark.parametrize("level", ["v9", "V3", "avx2", "3", " "])
def test_unknown_level(level: str) -> None:
    done = python(LEVEL, FUSEDLOSS_ISA=level)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(f"ImportError: FUSEDLOSS_ISA={level} cannot be used")
    assert f"accepted here: {', '.join(LEVELS)}" in last


@pytest.mark.parametrize("cpu", [2, 3])
def test_lesser_cpu(cpu: int) -> None:
    """A CPU without the best level gets the next; asking for the best is an error."""
    within = [x for x in _kernels.built_levels() if x[1:].isdigit() and int(x[1:]) <= cpu]
    if not within:
        pytest.skip("no such level was built")
    pretend = PRETEND.format(level=cpu)
    assert printed(pretend + LEVEL) == f"{within[0]} 4.0"
    for level in set(_kernels.built_levels()) - set(within) - {"base"}:
        done = python(pretend + LEVEL, FUSEDLOSS_ISA=level)
        last = done.stderr.strip().splitlines()[-1]
        assert (
            f"ImportError: FUSEDLOSS_ISA={level} cannot be used: this CPU is x86-64-v{cpu}" in last
        )


@pytest.mark.parametrize(("cpu", "name"), [(1, "x86-64-v1"), (0, "not x86-64")])
def test_cpu_without_any_level(cpu: int, name: str) -> None:
    if "base" in LEVELS:
        pytest.skip("the baseline runs anywhere")
    done = python(PRETEND.format(level=cpu) + LEVEL)
    assert done.stderr.strip().splitlines()[-1].startswith("ImportError: no kernels for this CPU")
    done = python(PRETEND.format(level=cpu) + LEVEL, FUSEDLOSS_ISA="v2")
    assert name in done.stderr.strip().splitlines()[-1]


def test_show_config(capsys: pytest.CaptureFixture[str]) -> None:
    facts = fl.show_config("dict")
    assert facts is not None
    assert facts["level"] in facts["levels available"]
    assert set(facts["levels available"]) <= set(facts["levels built"])
    assert facts["version"] == fl.__version__ and facts["numpy"] == np.__version__
    assert facts["threads"] == fl.get_num_threads()
    assert fl.show_config() is None
    shown = capsys.readouterr().out
    assert all(name in shown for name in facts) and str(facts["compiler"]) in shown
    with pytest.raises(ValueError, match=r"^mode: "):
        fl.show_config("json")


@linux
def test_small_thread_stacks() -> None:
    """Small stacks, such as musl gives to threads, are enough for every kernel."""
    code = """
import threading, numpy as np, fusedloss as fl
threading.stack_size(192 * 1024)  # Python itself takes the rest
def work():
    for classes in (10, 64, 129, 3000):
        for order in "CF":
            x = np.ones((70, classes), order=order)
            fl.cross_entropy.value_grad_hess(x, np.zeros(70, int), label_smoothing=0.1, softcap=5)
            fl.softmax_focal_loss.value_grad_hess(x, np.zeros(70, int), label_smoothing=0.1)
            fl.brier_loss.value_grad_hess(x, np.zeros(70, int))
            fl.sparsemax_loss.value_grad_hess(x, np.zeros(70, int))
            fl.multi_margin_loss.value_grad_hess(x, np.zeros(70, int))
            fl.multilabel_margin_loss.value_grad_hess(x, np.zeros(x.shape, int))
            fl.multilabel_soft_margin_loss.value_grad_hess(x, x)
            fl.logsumexp(x.astype(np.float16), axis=1)
    x = np.ones((3000, 3))
    fl.binary_cross_entropy_with_logits.value_grad_hess(x[::2], x[0], x[::2], pos_weight=x[0])
thread = threading.Thread(target=work)
thread.start()
thread.join()
fl.set_num_threads(2)
x = np.ones((4096, 100))
fl.softmax_focal_loss.value_grad_hess(x, np.zeros(4096, int), label_smoothing=0.1)
fl.sparsemax_loss.value_grad_hess(x, np.zeros(4096, int))
fl.cross_entropy.value_grad_hess(x, x, softcap=5.0)
print(fl.cross_entropy.value_grad_hess(x, np.zeros(4096, int))[0].round(3))
"""
    assert printed(code, OMP_STACKSIZE="128k") == "4.605"


def test_labels_that_change_during_a_call() -> None:
    """Another thread may write to the labels: any result, or an IndexError, but no crash."""
    code = """
import threading, time, numpy as np, fusedloss as fl
x = np.zeros((20000, 7))
y = np.zeros(20000, np.int64)
grad = np.empty_like(x)
until = time.monotonic() + 1.0
def toggle():
    while time.monotonic() < until:
        y[-1] = 10**9
        y[-1] = 0
thread = threading.Thread(target=toggle)
thread.start()
while time.monotonic() < until:
    for loss in (fl.cross_entropy, fl.nll_loss):
        for options in ({}, {"axis": 0}) if loss is fl.nll_loss else ({}, {"label_smoothing": 0.5}):
            try:
                if "axis" in options:
                    loss.value_and_grad(x.T, y, axis=0, grad_out=grad.T)
                else:
                    loss.value_and_grad(x, y, grad_out=grad, **options)
            except IndexError:
                pass
thread.join()
print("alive")
"""
    assert printed(code) == "alive"
