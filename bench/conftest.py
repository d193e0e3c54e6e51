"""Options, what goes into the JSON, and the summary."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

# For `bench` and `tests`, whatever pytest's import mode.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fusedloss as fl
from bench.cases import QUESTIONS
from bench.contest import NOISY, Contest, Outcome, available_cpus, settle_allocator

_OUTCOMES = pytest.StashKey[dict[str, Outcome]]()
_ENVIRONMENT = ("FUSEDLOSS_", "OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "NPY_", "GLIBC_")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="threads that the fused kernels may use (default: 1, as NumPy)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[_OUTCOMES] = {}
    # Comparing with a run of another machine is allowed; it is worth a warning, not an end.
    # pytest-benchmark warns already in its own pytest_configure, later in the hook of the summary.
    warnings.filterwarnings("default", category=PytestBenchmarkWarning)
    config.addinivalue_line(
        "filterwarnings", "default::pytest_benchmark.logger.PytestBenchmarkWarning"
    )


@pytest.fixture(scope="module")
def contest(request: pytest.FixtureRequest) -> Iterator[Contest]:
    """The contest of a question, shared by its tests; its arrays go when they are done."""
    fl.set_num_threads(request.config.getoption("--threads"))
    settle_allocator()
    contest = Contest(QUESTIONS[request.param])
    yield contest
    if contest.outcome is not None:
        request.config.stash[_OUTCOMES][contest.question.group] = contest.outcome
    fl.set_num_threads(None)


# --- the JSON -----------------------------------------------------------------------------------


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    # The frequency of this moment would make every run look like one of another machine.
    for name in [name for name in machine_info["cpu"] if name.startswith("hz_actual")]:
        del machine_info["cpu"][name]
    machine_info["cpu_model"] = _cpu()
    machine_info["cpus_available"] = available_cpus()
    facts = fl.show_config("dict") or {}
    machine_info["fusedloss"] = {**facts, "threads": config.getoption("--threads")}
    machine_info["numpy"] = {
        "version": np.__version__,
        "simd": np.show_config("dicts").get("SIMD Extensions", {}).get("found"),
    }
    machine_info["environment"] = {
        name: value for name, value in sorted(os.environ.items()) if name.startswith(_ENVIRONMENT)
    }


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: list[Any], output_json: dict[str, Any]
) -> None:
    for record in output_json["benchmarks"]:
        outcome = config.stash[_OUTCOMES].get(record["group"])
        if outcome is None:
            continue
        for rival, fast, name in (
            ("numpy", "fused", "speedup_vs_numpy"),
            ("1 thread", "2 threads", "speedup_vs_1_thread"),
            ("fused", "pass", "times_a_plain_pass"),
        ):
            subject = "fused" if fast == "pass" else fast
            ratio = outcome.ratio(rival, fast)
            if ratio is not None and record["extra_info"]["implementation"] == subject:
                record["extra_info"][name] = ratio
                record["extra_info"][f"{name}_noise"] = outcome.noise(rival, fast)


# --- the summary --------------------------------------------------------------------------------


def _time(seconds: float) -> str:
    units = ((1.0, "s "), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
    unit, name = next((pair for pair in units if seconds >= pair[0]), units[-1])
    return f"{_number(seconds / unit)} {name}"


def _number(number: float) -> str:
    """Three digits: there is no truth in a fourth."""
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def _ratio(outcome: Outcome, slow: str, fast: str) -> str:
    ratio = outcome.ratio(slow, fast)
    if ratio is None:
        return ""
    return _number(ratio) + ("?" if outcome.doubtful(slow, fast) else " ")


def _line(label: str, *columns: str) -> str:
    widths = (11, 11, 11, 12, 9)
    cells = zip(columns, widths, strict=False)
    return f"{label:36}" + "".join(f"{text:>{width}}" for text, width in cells).rstrip()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    outcomes = list(config.stash[_OUTCOMES].values())
    if not outcomes:
        return
    write = terminalreporter.write_line
    facts = fl.show_config("dict") or {}
    threads = config.getoption("--threads")
    terminalreporter.section("fused kernels beside NumPy")
    write(f"{_cpu()}, {available_cpus()} CPUs; Python {platform.python_version()}")
    write(
        f"fusedloss {facts['version']}: {facts['level']} kernels, {facts['compiler']}, "
        f"{threads} thread{'s' if threads > 1 else ''}; NumPy {np.__version__}"
    )
    write("Best times of interleaved runs; bench/README.md says what the columns are.")
    loss = ""
    against_numpy = [outcome for outcome in outcomes if "numpy" in outcome.turns]
    for outcome in against_numpy:
        question = outcome.question
        if question.case.loss != loss:
            loss = question.case.loss
            write("")
            paced = any(o.question.case.loss == loss and "pass" in o.turns for o in outcomes)
            passes = "× pass " if paced else ""
            head = _line(loss, "fused", "NumPy", "× NumPy ", "ns/element", passes)
            write(head, bold=True)
        label = f"  {question.dtype}  {question.shape_name:11} {question.result}"
        best = outcome.best
        write(
            _line(
                label,
                _time(best["fused"]),
                _time(best["numpy"]),
                _ratio(outcome, "numpy", "fused"),
                _number(best["fused"] * 1e9 / question.size),
                _ratio(outcome, "fused", "pass"),
            )
        )
    for outcome in outcomes:
        if "2 threads" in outcome.turns:
            question = outcome.question
            write("")
            write(_line(question.case.loss, "1 thread", "2 threads", "× faster "), bold=True)
            write(
                _line(
                    f"  {question.dtype}  {question.shape_name:11} {question.result}",
                    _time(outcome.best["1 thread"]),
                    _time(outcome.best["2 threads"]),
                    _ratio(outcome, "1 thread", "2 threads"),
                )
            )
    _remarks(terminalreporter, against_numpy)


def _remarks(terminalreporter: pytest.TerminalReporter, outcomes: list[Outcome]) -> None:
    if not outcomes:
        return
    write = terminalreporter.write_line
    ratios = [outcome.ratio("numpy", "fused") or 0.0 for outcome in outcomes]
    waits = [outcome.waited for outcome in outcomes]
    noises = [outcome.noise("numpy", "fused") or 0.0 for outcome in outcomes]
    slower = [
        outcome.question.group for outcome, ratio in zip(outcomes, ratios, strict=True) if ratio < 1
    ]
    write("")
    write(
        f"× NumPy: {_number(statistics.geometric_mean(ratios))} in the geometric mean of "
        f"{len(ratios)} questions, {_number(min(ratios))} at least, {_number(max(ratios))} at most."
    )
    write("Slower than NumPy:" + ("" if slower else " none"), red=bool(slower))
    for group in slower:
        write(f"  {group}")
    write(
        f"Noise: half of the turns and the other half give ratios that differ by "
        f"{statistics.median(noises):.0%} in the median, {max(noises):.0%} at most; above "
        f"{NOISY:.0%} they are marked ?."
    )
    write(
        f"Busy machine: this process had to wait for a CPU for {max(waits):.0%} of a race at most, "
        f"{statistics.mean(waits):.0%} in the mean."
    )
