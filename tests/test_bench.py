"""The benchmarks measure what they say: that they run, not how fast anything is."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from bench import accuracy, cases, check, counters, entrants, expressions, machine, race
from bench.light import light
from tests import registry as reg

ROOT = Path(__file__).parents[1]


def test_every_function_is_a_case() -> None:
    public = [n for n in fl.__all__ if isinstance(getattr(fl, n), (fl.Loss, fl.Activation))]
    assert sorted(case.loss for case in cases.CASES) == sorted(public)
    for case in cases.CASES:
        shapes = case.shapes
        assert set(shapes.quick) and shapes.usual in shapes.peers
        assert [math.prod(s) for s in shapes.every] == sorted(math.prod(s) for s in shapes.every)
    for ask in (cases.full, cases.quick, cases.beside_peers, cases.by_size, cases.by_classes):
        groups = [question.group for question in ask()]
        assert len(set(groups)) == len(groups)


def test_inputs_are_the_same_each_time_and_of_the_dtype() -> None:
    for case in cases.CASES:
        question = cases.Question(case, "float32", case.shapes.every[0], case.results[-1])
        first, again = question.inputs(), question.inputs()
        assert len(first) == len(case.operands)
        assert all(map(np.array_equal, first, again))
        assert all(a.dtype == np.float32 or a.dtype.kind == "i" for a in first)


def run_benchmarks(*options: str) -> str:
    """What they print."""
    pytest.importorskip("pytest_benchmark")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "bench/test_speed.py",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    # pytest-benchmark measures nothing where it believes that it is in one of several processes.
    alone = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_XDIST_")}
    run = subprocess.run([*command, *options], cwd=ROOT, env=alone, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
    return run.stdout


def test_the_quick_suite_runs_and_all_agree() -> None:
    printed = run_benchmarks("--suite=quick", "--benchmark-disable")
    assert f"{2 * len(cases.quick())} passed" in printed


# ---- races ---------------------------------------------------------------------------------------


def test_a_race_gives_each_its_turns() -> None:
    calls = {"a": 0, "b": 0}

    def runner(name: str) -> None:
        calls[name] += 1
        sum(range(20_000))

    outcome = race.race({n: lambda n=n: runner(n) for n in calls}, 0.01)  # type: ignore[misc]
    assert all(len(turns) >= race.MIN_TURNS for turns in outcome.turns.values())
    assert outcome.ratio("a", "b") == pytest.approx(1 / outcome.ratio("b", "a"))
    for name, turns in outcome.turns.items():
        assert calls[name] >= sum(turn.calls * len(turn.samples) for turn in turns)
        assert outcome.best(name) == min(turn.best for turn in turns) > 0
    assert outcome.noise("a", "b") >= 0 and outcome.waited >= 0


def test_best_ratio_and_noise_of_known_turns() -> None:
    a = [race.Turn([4.0, 2.0], 2), race.Turn([6.0], 2), race.Turn([2.2], 2), race.Turn([8.0], 2)]
    b = [race.Turn([1.0], 1) for _ in range(4)]
    outcome = race.Outcome({"a": a, "b": b}, 0.0)
    assert outcome.best("a") == 1.0
    assert outcome.ratio("a", "b") == 1.0
    assert outcome.noise("a", "b") == pytest.approx(2.0)  # 1 of even turns, 3 of odd ones


def test_pytest_benchmark_records_the_race(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    asked = "mse_loss and float32 and 1k and grad"
    run_benchmarks("--benchmark-only", f"--benchmark-json={target}", "--seconds=0.01", "-k", asked)
    recorded = json.loads(target.read_text())["benchmarks"]
    records = {r["extra_info"]["implementation"]: r for r in recorded}
    assert set(records) == {"fused", "numpy"}
    for record in records.values():
        info = record["extra_info"]
        assert record["stats"]["min"] == pytest.approx(info["best"])
        assert info["correct"] == "asserted before timing"
        assert info["bytes_moved"] == 3 * 4000
    both = records["numpy"]["extra_info"]["best"] / records["fused"]["extra_info"]["best"]
    assert records["fused"]["extra_info"]["speedup_vs_numpy"] == pytest.approx(both)


def test_light_reads_and_writes_all() -> None:
    a, b = np.arange(10_001, dtype=np.uint8), np.ones(10_001, np.uint8)
    whole = a[: a.size // 256 * 256].view(np.uint64)
    assert light([a])() == int(whole.sum() + a[a.size // 256 * 256 :].sum())
    out = np.zeros((2, 10_001), np.uint8)
    light([a, b], list(out))()
    rest = 10_001 // 8 * 8
    expected = (a[:rest].view(np.uint64) + b[:rest].view(np.uint64)).view(np.uint8)
    assert np.array_equal(out[0, :rest], expected) and np.array_equal(out[0], out[1])
    labels = np.arange(7)
    assert light([a, labels])() == light([a])() + light([labels])()
    with pytest.raises(ValueError, match="one piece"):
        light([a[::2]])
    with pytest.raises(ValueError, match="at most"):
        light([a] * 5)


def test_a_counter_counts() -> None:
    def work() -> None:
        sum(range(200_000))

    try:
        nanoseconds = counters.counted(work, counters.TASK_CLOCK)
    except OSError:
        pytest.skip("this system has no counters")
    assert 100_000 < nanoseconds < 10_000_000_000
    assert isinstance(counters.available(), bool)


# ---- formulas as text ----------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases.ELEMENTWISE, ids=lambda case: case.loss)
def test_traced_formulas_and_derivatives(case: cases.Case) -> None:
    """The loop that numba compiles, run by Python, beside the kernel."""
    graph = expressions.traced(case.loss, case.operands, case.leaves, case.options)
    assert graph is not None
    question = cases.Question(case, "float64", (50,), cases.EACH)
    arrays = question.inputs()
    loss = getattr(fl, case.loss)
    value, grads = loss.value_and_grad(*arrays, **case.options, reduction="none")
    grads = grads if isinstance(grads, tuple) else (grads,)
    for each in (True, False):
        made: dict[str, Any] = {"math": math}
        exec(expressions.source(graph, len(grads), each), made)
        written = [np.zeros(50) for _ in grads]
        losses = np.zeros(50)
        mean = made["loss"](*arrays, *written, float, losses)
        if each:
            np.testing.assert_allclose(losses, value, rtol=1e-9, atol=1e-12)
        else:
            np.testing.assert_allclose(mean, value.mean(), rtol=1e-9)
        for got, expected in zip(written, grads, strict=True):
            scale = 1 if each else 50
            np.testing.assert_allclose(got * scale, expected, rtol=1e-9, atol=1e-12)


def test_what_has_no_text_is_not_traced() -> None:
    for loss in ("cross_entropy", "no_such_loss", "cosine_distance"):
        assert expressions.traced(loss, ["input", "target"], ["input"], {}) is None
    options = {"full": "exact"}  # asks for gammaln
    assert expressions.traced("poisson_nll_loss", ["input", "target"], ["input"], options) is None


# ---- accuracy ------------------------------------------------------------------------------------


def _inputs(loss: str, dtype: Any) -> list[accuracy.Inputs]:
    (case,) = (case for case in cases.CASES if case.loss == loss)
    return list(accuracy.inputs(case, dtype))


def test_errors_of_made_up_results() -> None:
    exact = reg.Exact([reg.exactly(reg.mp.mpf(1))] * 200, np.float32)
    eps = float(np.finfo(np.float32).eps)
    got = np.ones(200)
    got[:2] += 10 * eps
    found = accuracy.errors(got, exact, np.float32)
    assert (found.largest, found.wrong, found.count) == (10, 0, 200)
    assert 0 < found.p99 <= 10
    got[2:5] = np.nan, np.inf, 0.0
    found = accuracy.errors(got, exact, np.float32)
    assert (found.largest, found.wrong) == (10, 3)
    assert accuracy.errors(np.full(200, np.nan), exact, np.float32).wrong == 200


@pytest.mark.parametrize("loss", ["mse_loss", "cross_entropy", "cosine_distance", "logsumexp"])
def test_accuracy_of_kernels_and_twins(loss: str) -> None:
    for given in _inputs(loss, np.float32):
        exact = given.exact()
        ours = accuracy.ask("fused", given, exact)
        assert ours["value"]["wrong"] == 0
        assert ours["value"]["largest"] <= 5
        theirs = accuracy.ask("numpy", given, exact)
        assert theirs["value"]["count"] == ours["value"]["count"]
        assert "absent" in accuracy.ask("SciPy", given, exact) or loss == "logsumexp"


def test_wrong_answers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    given = _inputs("mse_loss", np.float64)[0]
    right = entrants.MAKERS["fused"].make

    def off(question: Any, arrays: Any) -> entrants.Entrant:
        def step() -> Any:
            value, grad = right(question, arrays).step()
            return value * (1 + 2.0**-40), np.where(np.arange(grad.size) == 3, np.nan, grad)

        return entrants.Entrant(step)

    monkeypatch.setitem(entrants.MAKERS, "fused", entrants.Maker(off))
    found = accuracy.ask("fused", given, given.exact())
    assert found["value"]["largest"] > 1000
    assert found["grad"]["wrong"] == 1


def test_inputs_have_a_hash_of_their_own() -> None:
    first, again = (_inputs("huber_loss", np.float32) for _ in range(2))
    assert [i.sha256 for i in first] == [i.sha256 for i in again]
    assert len({i.sha256 for i in first + _inputs("huber_loss", np.float64)}) == 4
    assert [i.kind for i in first] == [accuracy.TYPICAL, accuracy.TAILS]


# ---- the check, the report -----------------------------------------------------------------------


def test_fallen_ratios() -> None:
    recorded = {"a": 4.0, "b": 2.0, "gone": 1.0}
    assert check.fallen({"a": 3.1, "b": 1.4, "new": 0.1}, recorded, check.LEAST) == ["b"]
    here = {"cpu": "x", "level": "v4", "compiler": "c", "numpy": "2"}
    assert check.least(here, here | {"numpy": "1"}) == check.LEAST
    assert check.least(here, here | {"cpu": "y"}) == check.LEAST_ELSEWHERE


def test_the_baseline_is_of_the_quick_suite() -> None:
    recorded = json.loads(check.BASELINE.read_text())["ratios"]
    assert set(recorded) == {question.group for question in cases.quick()}


def test_facts_of_the_machine() -> None:
    facts = machine.facts()
    assert facts["cpu_model"] and facts["fusedloss"]["level"] and facts["commit"]
    json.dumps(facts)


def test_a_report_says_what_was_measured(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from bench import report

    results, folder = tmp_path / "results", tmp_path / "page"
    results.mkdir()
    target, asked = results / "full.json", "huber_loss and float32 and 1k"
    run_benchmarks("--benchmark-only", f"--benchmark-json={target}", "--seconds=0.01", "-k", asked)
    missing = report.write(results, folder)
    assert "peers.json" in missing and "full.json" not in missing
    text = (folder / "index.md").read_text()
    assert "`pseudo_huber_loss`" in text and "Not measured for this page: peers.json" in text
    assert "torch" not in text.partition("## Noise")[0].replace("bench-peers", "")
    lines = (folder / "speed.csv").read_text().splitlines()
    assert len(lines) == 1 + 3 * 2 * 2


def test_what_was_measured_again_replaces_the_same_questions(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from bench import report

    def made(seconds: dict[str, float], commit: str) -> str:
        info = {"family": "f", "loss": "l", "result": "value", "dtype": "float32", "shape": [1]}
        info |= {"implementation": "fused", "threads": 1, "composed": False, "waited_for_cpu": 0.0}
        info |= {"bytes_moved": 8}
        raw = {"machine_info": {}, "datetime": "", "commit_info": {"id": commit, "dirty": False}}
        marks = [{"group": g, "extra_info": info | {"best": s}} for g, s in seconds.items()]
        return json.dumps(raw | {"benchmarks": marks})

    (tmp_path / "full.json").write_text(made({"a": 1.0, "b": 2.0, "c": 3.0}, "old"))
    (tmp_path / "full-again.json").write_text(made({"b": 0.5}, "new"))
    races = report.Races(tmp_path, "full")
    assert {g: who["fused"].seconds for g, who in races.groups.items()} == {
        "a": 1,
        "b": 0.5,
        "c": 3,
    }
    assert races.commits == {"new": 1, "old": 2}
    assert list(races.groups) == ["a", "b", "c"]


def test_pictures_follow_the_page(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from bench import plots

    path = tmp_path / "a.svg"
    plots.rows(path, "title", "label", {"one": {"torch": 2.0}, "two": {"numpy": 0.5}}, 1.0, "here")
    svg = path.read_text()
    assert "prefers-color-scheme: dark" in svg and "var(--ink" in svg
    assert ">title<" in svg and ">label<" in svg and ">torch<" in svg
    assert not any(stands in svg for stands in ("#010203", "#fdfcfb", "#c1c2c3"))
    plots.rows(path, "title", "label", {"one": {"torch": 2.0}, "two": {"numpy": 0.5}}, 1.0, "here")
    assert path.read_text() == svg
    plots.curves(path, "t", ("x", "y"), {"p": {"fused": [(1, 2), (10, 3)]}})
    plots.bars(path, "t", "x", {"p": 2.0, "q": 3.0}, "q")


def test_the_readme_gets_its_block() -> None:
    pytest.importorskip("matplotlib")
    from bench import report

    races: Any = report.Races.__new__(report.Races)
    races.groups = {}
    races.machine = {"cpu_model": "a CPU", "fusedloss": {"level": "v3"}, "versions": {"numpy": "2"}}
    begin, end = report.MARKS
    text = report.readme(f"before\n{begin}\nold\n{end}\nafter\n", races, "docs/benchmarks")
    assert text.startswith("before\n") and text.endswith(f"{end}\nafter\n")
    assert "old" not in text and "a CPU, v3 kernels, numpy 2" in text
    assert report.readme(text, races, "docs/benchmarks") == text
    with pytest.raises(SystemExit, match="README"):
        report.readme("nothing", races, "docs/benchmarks")
    assert begin in (ROOT / "README.md").read_text(encoding="utf-8")
