"""Options, what goes into the JSON, and the summary."""

from __future__ import annotations

import statistics
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning

# For `bench` and `tests`, whatever pytest's import mode.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fusedloss as fl
from bench import entrants, machine
from bench.cases import Question
from bench.contest import SUITES, Contest, Suite
from bench.entrants import FRESH, FUSED, MEMORY, NUMPY
from bench.race import NOISY, SHARED_CPU, Outcome

_LAST = pytest.StashKey[Contest | None]()
_RACES = pytest.StashKey[list[tuple[Question, Outcome]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--suite",
        choices=SUITES,
        default="full",
        help="which questions, and who takes part: bench/README.md (default: full)",
    )
    parser.addoption(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="threads that the fused kernels may use (default: 1, as NumPy)",
    )
    parser.addoption(
        "--seconds",
        type=float,
        metavar="S",
        help="how long a race lasts at least (default: 0.2 or 0.6, by suite)",
    )
    parser.addoption(
        "--keep-memory",
        action="store_true",
        help="let glibc keep large blocks that are freed: new ones cost no page faults",
    )


def _suite(config: pytest.Config) -> Suite:
    return SUITES[config.getoption("--suite")]


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.stash[_RACES] = []
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
        entrants.keep_memory()
    entrants.prepare(peers)
    fl.set_num_threads(config.getoption("--threads"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each question with each who takes part in it, one after the other."""
    suite = _suite(metafunc.config)
    metafunc.parametrize(
        ("contest", "entrant"),
        [
            pytest.param(question, name, id=f"{question.group} {name}")
            for question in suite.questions()
            for name in suite.entrants(question)
        ],
        indirect=["contest"],
    )


@pytest.fixture
def contest(request: pytest.FixtureRequest) -> Contest:
    """The contest of a question, shared by its tests, which come one after the other."""
    config = request.config
    last = config.stash.get(_LAST, None)
    if last is None or last.question.group != request.param.group:
        config.stash[_LAST] = None  # its arrays go before others are made
        del last
        suite = _suite(config)
        fl.set_num_threads(config.getoption("--threads"))
        seconds = config.getoption("--seconds") or suite.seconds
        last = Contest(request.param, suite.entrants(request.param), seconds)
        last.on_race = lambda outcome: config.stash[_RACES].append((request.param, outcome))
        config.stash[_LAST] = last
    return last


# --- the JSON -----------------------------------------------------------------------------------


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    # The frequency of this moment would make every run look like one of another machine.
    for name in [name for name in machine_info["cpu"] if name.startswith("hz_actual")]:
        del machine_info["cpu"][name]
    machine_info.update(machine.facts(_suite(config).peers))
    machine_info["suite"] = config.getoption("--suite")
    machine_info["threads"] = config.getoption("--threads")
    machine_info["keep_memory"] = config.getoption("--keep-memory")
    del machine_info["commit"]  # commit_info has it


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: list[Any], output_json: dict[str, Any]
) -> None:
    """Without the single rounds, of which there are a million."""
    for record in output_json["benchmarks"]:
        record["stats"].pop("data", None)
        record["params"] = {"question": record["group"], "entrant": record["params"]["entrant"]}


# --- the summary --------------------------------------------------------------------------------


def time_text(seconds: float) -> str:
    units = ((1.0, "s "), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
    unit, name = next((pair for pair in units if seconds >= pair[0]), units[-1])
    return f"{number_text(seconds / unit)} {name}"


def number_text(number: float) -> str:
    """Three digits: there is no truth in a fourth."""
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def _line(label: str, cells: list[str], widths: list[int]) -> str:
    texts = (f"{text:>{width}}" for text, width in zip(cells, widths, strict=True))
    return f"{label:42}{''.join(texts)}".rstrip()


def _cells(question: Question, outcome: Outcome, rivals: list[str]) -> list[str]:
    """The kernel's time, then what the others take times that."""
    first = next(iter(outcome.turns))
    best = outcome.best(first)
    cells = [time_text(best), number_text(best * 1e9 / question.size)]
    for name in rivals:
        if name not in outcome.turns:
            cells.append("")
        elif name == MEMORY:
            cells.append(f"{100 / outcome.ratio(first, name):.0f} %")
        else:
            doubtful = outcome.noise(name, first) > NOISY or outcome.waited > SHARED_CPU
            cells.append(number_text(outcome.ratio(name, first)) + ("?" if doubtful else " "))
    return cells


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    races = config.stash[_RACES]
    if not races:
        return
    write = terminalreporter.write_line
    facts = machine.facts(_suite(config).peers)
    ours, threads = facts["fusedloss"], config.getoption("--threads")
    terminalreporter.section("fused kernels beside others")
    write(f"{facts['cpu_model']}, {facts['cpus_available']} CPUs; Python {facts['python']}")
    others = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    write(
        f"fusedloss {ours['version']}: {ours['level']} kernels, {ours['compiler']}, "
        f"{threads} thread{'s' if threads > 1 else ''}; {others}"
    )
    write("fused: best time of interleaved runs. × others: theirs by it. memory: what part of the")
    write("speed of only reading and writing the same arrays it reaches.")
    loss, rivals, widths = "", [""], [0]
    for question, outcome in races:
        first, *names = outcome.turns
        if question.case.loss != loss or not set(names) <= set(rivals):
            loss = question.case.loss
            alike = [o.turns for q, o in races if q.case.loss == loss]
            rivals = list(dict.fromkeys(n for turns in alike for n in turns if n != first))
            heads = [first, "ns/element"]
            heads += [name if name == MEMORY else f"× {name} " for name in rivals]
            widths = [max(11, len(head) + 2) for head in heads]
            write("")
            write(_line(loss, heads, widths), bold=True)
        label = f"  {question.dtype}  {question.shape_name:15} {question.result}"
        write(_line(label, _cells(question, outcome, rivals), widths))
    _remarks(terminalreporter, races)


def _remarks(
    terminalreporter: pytest.TerminalReporter, races: list[tuple[Question, Outcome]]
) -> None:
    """Where others are faster, and the noise."""
    write = terminalreporter.write_line
    write("")
    noises = [0.0]
    names = dict.fromkeys(name for _, outcome in races for name in outcome.turns)
    for rival in names:
        if rival in (FUSED, FRESH, MEMORY) or "thread" in rival:
            continue
        against = [(q, o) for q, o in races if rival in o.turns and FUSED in o.turns]
        ratios = [outcome.ratio(rival, FUSED) for _, outcome in against]
        noises += [outcome.noise(rival, FUSED) for _, outcome in against]
        slower = [q.group for (q, _), ratio in zip(against, ratios, strict=True) if ratio < 1]
        write(
            f"× {rival}: {number_text(statistics.geometric_mean(ratios))} in the geometric mean of "
            f"{len(ratios)}, {number_text(min(ratios))} to {number_text(max(ratios))}; "
            f"faster than the kernels: {len(slower) or 'nowhere'}"
        )
        for group in slower:
            write(f"  {group}", red=rival == NUMPY)
    waits = [outcome.waited for _, outcome in races]
    write(
        f"Noise: half of the turns and the other half give ratios that differ by "
        f"{statistics.median(noises):.0%} in the median, {max(noises):.0%} at most; above "
        f"{NOISY:.0%} they are marked ?."
    )
    write(
        f"Busy machine: this process had to wait for a CPU for {max(waits):.0%} of a race at most, "
        f"{statistics.mean(waits):.0%} in the mean."
    )
