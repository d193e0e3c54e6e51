"""Options, what goes into the JSON, and the summary."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

# For `bench` and `tests`, whatever pytest's import mode.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fusedloss as fl
from bench import machine, tables
from bench.comparison import SUITES, Comparison, Suite

_LAST = pytest.StashKey[Comparison | None]()
_RECORDS = pytest.StashKey[list[dict[str, Any]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add = parser.addoption
    add("--suite", choices=SUITES, default="full", help="which questions: bench/README.md")
    add("--threads", type=int, default=1, help="threads that the kernels may use (default: 1)")
    add("--seconds", type=float, help="how long a question is measured at least (by suite)")
    add("--keep-memory", action="store_true", help="let glibc keep large blocks that are freed")


def _suite(config: pytest.Config) -> Suite:
    return SUITES[config.getoption("--suite")]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RECORDS] = []
    # Comparing with a run of another machine is allowed; it is worth a warning, not an end.
    # pytest-benchmark warns already in its own pytest_configure, later in the hook of the summary.
    warnings.filterwarnings("default", category=PytestBenchmarkWarning)
    config.addinivalue_line(
        "filterwarnings", "default::pytest_benchmark.logger.PytestBenchmarkWarning"
    )
    peers = _suite(config).peers
    if peers:  # what they warn about is their own business
        config.addinivalue_line("filterwarnings", "ignore")
    if config.getoption("--keep-memory"):
        machine.keep_memory()
    machine.prepare(peers)
    fl.set_num_threads(config.getoption("--threads"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each question with each who takes part in it, one after the other."""
    suite = _suite(metafunc.config)
    metafunc.parametrize(
        ("comparison", "implementation"),
        [
            pytest.param(question, name, id=f"{question.group} {name}")
            for question in suite.questions()
            for name in suite.who(question)
        ],
        indirect=["comparison"],
    )


@pytest.fixture
def comparison(request: pytest.FixtureRequest) -> Comparison:
    """That of a question, shared by its tests, which come one after the other."""
    config, question = request.config, request.param
    last = config.stash.get(_LAST, None)
    if last is None or last.question.group != question.group:
        config.stash[_LAST] = None  # its arrays go before others are made
        del last
        suite = _suite(config)
        fl.set_num_threads(config.getoption("--threads"))
        seconds = config.getoption("--seconds") or suite.seconds
        last = config.stash[_LAST] = Comparison(question, suite.who(question), seconds)
    return last


@pytest.fixture(autouse=True)
def _record(request: pytest.FixtureRequest, benchmark: Any) -> Any:
    """What a test has measured, for the summary."""
    yield
    if benchmark.extra_info:
        facts = {"group": benchmark.group, **benchmark.extra_info}
        request.config.stash[_RECORDS].append(facts)


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    # The frequency of this moment would make every run look like one of another machine.
    for name in [name for name in machine_info["cpu"] if name.startswith("hz_actual")]:
        del machine_info["cpu"][name]
    machine_info.update(machine.facts(_suite(config).peers))
    for option in ("suite", "threads", "keep_memory"):
        machine_info[option] = config.getoption(option)


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: list[Any], output_json: dict[str, Any]
) -> None:
    """Without the single rounds, of which there are a million."""
    for record in output_json["benchmarks"]:
        record["stats"].pop("data", None)
        record["params"] = {
            "question": record["group"],
            "implementation": record["params"]["implementation"],
        }


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if records := config.stash[_RECORDS]:
        terminalreporter.section("time relative to fusedloss")
        facts = machine.facts(_suite(config).peers)
        for line in tables.summary(tables.frame(records), facts):
            terminalreporter.write_line(line)
