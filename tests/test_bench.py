# ruff: noqa: E402
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

for needed in ("pytest_benchmark", "pandas", "sympy"):
    pytest.importorskip(needed)

import fusedloss as fl
from bench import (
    accuracy,
    cases,
    check,
    expressions,
    implementations,
    interleave,
    machine,
    memory,
    tables,
)
from bench.bandwidth import read_and_write
from tests import registry as reg

ROOT = Path(__file__).parents[1]


def test_every_function_is_a_case() -> None:
    public = [n for n in fl.__all__ if isinstance(getattr(fl, n), (fl.Loss, fl.Activation))]
    assert sorted(cases.CASES) == sorted(public)
    for case in cases.CASES.values():
        shapes = case.shapes
        assert set(shapes.quick) and shapes.usual in shapes.peers
        assert [math.prod(s) for s in shapes.every] == sorted(math.prod(s) for s in shapes.every)
    for ask in (cases.full, cases.quick, cases.peers, cases.sizes, cases.classes):
        groups = [question.group for question in ask()]
        assert len(set(groups)) == len(groups)


def test_inputs_are_the_same_each_time_and_of_the_dtype() -> None:
    for case in cases.CASES.values():
        question = cases.Question(case, "float32", case.shapes.every[0], case.results[-1])
        first, again = question.inputs(), question.inputs()
        assert len(first) == len(case.operands)
        assert all(map(np.array_equal, first, again))
        assert all(a.dtype == np.float32 or a.dtype.kind == "i" for a in first)


def run_benchmarks(*options: str) -> str:
    """What they print."""
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


# ---- what is measured ----------------------------------------------------------------------------


def test_each_has_its_turns() -> None:
    calls = {"a": 0, "b": 0}

    def runner(name: str) -> None:
        calls[name] += 1
        sum(range(20_000))

    functions = {n: lambda n=n: runner(n) for n in calls}  # type: ignore[misc]
    outcome = interleave.interleave(functions, 0.01)
    assert all(len(turns) >= interleave.MIN_TURNS for turns in outcome.turns.values())
    assert outcome.ratio("a", "b") == pytest.approx(1 / outcome.ratio("b", "a"))
    for name, turns in outcome.turns.items():
        assert calls[name] >= sum(turn.calls * len(turn.samples) for turn in turns)
        assert outcome.best(name) == min(turn.best for turn in turns) > 0
    assert outcome.noise("a", "b") >= 0 and outcome.waited >= 0


def test_best_ratio_and_noise_of_known_turns() -> None:
    turn = interleave.Turn
    a = [turn([4.0, 2.0], 2), turn([6.0], 2), turn([2.2], 2), turn([8.0], 2)]
    outcome = interleave.Outcome({"a": a, "b": [turn([1.0], 1) for _ in range(4)]}, 0.0)
    assert outcome.best("a") == 1.0
    assert outcome.ratio("a", "b") == 1.0
    assert outcome.noise("a", "b") == pytest.approx(2.0)  # 1 of even turns, 3 of odd ones


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of some questions of `make bench`."""
    target = tmp_path_factory.mktemp("results") / "full.json"
    asked = "huber_loss and float32 and 1k"
    run_benchmarks("--benchmark-only", f"--benchmark-json={target}", "--seconds=0.01", "-k", asked)
    return target.parent


def test_pytest_benchmark_records_what_was_interleaved(results: Path) -> None:
    recorded = json.loads((results / "full.json").read_text())["benchmarks"]
    group = "regression huber_loss float32 1k value+grad"
    records = {r["extra_info"]["implementation"]: r for r in recorded if r["group"] == group}
    assert set(records) == {"fused", "numpy"}
    for record in records.values():
        assert record["stats"]["min"] == pytest.approx(record["extra_info"]["best"])
        assert record["extra_info"]["bytes_moved"] == 3 * 4000
    both = records["numpy"]["extra_info"]["best"] / records["fused"]["extra_info"]["best"]
    assert records["numpy"]["extra_info"]["relative_time"] == pytest.approx(both)


@pytest.mark.skipif(sys.platform == "win32", reason="compiled by cc")
def test_bandwidth_reads_and_writes_all() -> None:
    a, b = np.arange(10_001, dtype=np.uint8), np.ones(10_001, np.uint8)
    assert read_and_write([a])() == int(a[: a.size // 256 * 256].view(np.uint64).sum())
    out = np.zeros((2, 10_001), np.uint8)
    read_and_write([a, b], list(out))()
    whole = 10_001 // 8 * 8
    expected = (a[:whole].view(np.uint64) + b[:whole].view(np.uint64)).view(np.uint8)
    assert np.array_equal(out[0, :whole], expected) and np.array_equal(out[0], out[1])
    labels = np.arange(64)
    both = read_and_write([a])() + read_and_write([labels])()
    assert read_and_write([a, labels])() == both
    with pytest.raises(ValueError, match="one piece"):
        read_and_write([a[::2]])


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak")
def test_peak_of_memory() -> None:
    found = {}
    for name in ("fused", "fused, fresh"):
        code = (
            "from bench import cases, memory; q = cases.Question(cases.CASES['mse_loss'], "
            f"'float32', (4_000_000,), cases.GRAD); print(memory.peak(q, {name!r})[0])"
        )
        run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
        found[name] = int(run.stdout)
    assert found["fused"] < 1e6
    assert found["fused, fresh"] == pytest.approx(16e6, rel=0.1)


def test_the_size_names_its_levels() -> None:
    size, levels = memory.our_size()
    built = (fl.show_config("dict") or {})["levels built"]
    assert size > 1e6
    assert all(level in levels for level in built)


# ---- formulas as text ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", [c for c in cases.ELEMENTWISE if c.family in cases.WRITTEN], ids=lambda case: case.loss
)
def test_formulas_as_text_and_their_derivatives(case: cases.Case) -> None:
    """The loop that numba compiles, run by Python, compared with the kernel."""
    text = expressions.expressions(case.loss, tuple(case.operands), tuple(case.leaves))
    arrays = cases.Question(case, "float64", (50,), cases.EACH).inputs()
    loss = getattr(fl, case.loss)
    value, grads = loss.value_and_grad(*arrays, **case.options, reduction="none")
    grads = grads if isinstance(grads, tuple) else (grads,)
    for each in (True, False):
        made: dict[str, Any] = {"math": math}
        exec(expressions.source(text, len(grads), each), made)
        written, losses = [np.zeros(50) for _ in grads], np.zeros(50)
        mean = made["loss"](*arrays, *written, float, losses)
        if each:
            np.testing.assert_allclose(losses, value, rtol=1e-9, atol=1e-12)
        else:
            np.testing.assert_allclose(mean, value.mean(), rtol=1e-9)
        for got, expected in zip(written, grads, strict=True):
            scale = 1 if each else 50
            np.testing.assert_allclose(got * scale, expected, rtol=1e-9, atol=1e-12)


# ---- accuracy ------------------------------------------------------------------------------------


def _inputs(loss: str, dtype: Any) -> list[accuracy.Inputs]:
    return list(accuracy.inputs(cases.CASES[loss], dtype))


def _ask(name: str, given: accuracy.Inputs, exact: list[reg.Exact]) -> dict[str, Any]:
    return {found.get("part", "absent"): found for found in accuracy.ask(name, given, exact)}


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
        ours = _ask("fused", given, exact)
        assert ours["value"]["wrong"] == 0
        assert ours["value"]["largest"] <= 5
        assert _ask("numpy", given, exact)["value"]["count"] == ours["value"]["count"]
        assert "value" not in _ask("SciPy", given, exact) or loss == "logsumexp"


def test_wrong_answers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    given = _inputs("mse_loss", np.float64)[0]
    right = implementations.MAKERS["fused"].make

    def off(question: Any, arrays: Any) -> implementations.Implementation:
        def step() -> Any:
            value, grad = right(question, arrays).step()
            return value * (1 + 2.0**-40), np.where(np.arange(grad.size) == 3, np.nan, grad)

        return implementations.Implementation(step)

    monkeypatch.setitem(implementations.MAKERS, "fused", implementations.Maker(off))
    found = _ask("fused", given, given.exact())
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
    assert facts["cpu_model"] and facts["fusedloss"]["level"] and machine.commit()
    json.dumps(facts)


def test_a_report_says_what_was_measured(results: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from bench import report

    folder = tmp_path / "page"
    missing = report.write(results, folder)
    assert "peers.json" in missing and "full.json" not in missing
    text = (folder / "index.md").read_text(encoding="utf-8")
    assert "in 6 questions" in text and "Not measured for this page: peers.json" in text
    assert "## Scaling" not in text and "torch" not in text.replace("bench-peers", "")
    lines = (results / "speed.csv").read_text().splitlines()
    assert len(lines) == 1 + 3 * 2 * 2


def _records(*who: tuple[str, float], group: str = "a", **info: Any) -> list[dict[str, Any]]:
    """As in a JSON file: the first is the kernel."""
    usual = {
        "family": "f",
        "loss": "l",
        "result": "value+grad",
        "dtype": "float32",
        "shape": [1000],
    }
    usual |= {"threads": 1, "composed": False, "waited_for_cpu": 0.0, "noise": 0.0, "absent": {}}
    return [
        {"group": group, "implementation": name, "best": best, "relative_time": best / who[0][1]}
        | usual | info
        for name, best in who
    ]  # fmt: skip


def test_what_was_measured_again_replaces_the_same_questions(tmp_path: Path) -> None:
    def made(seconds: dict[str, float], commit: str) -> str:
        records = [r for g, s in seconds.items() for r in _records(("fused", s), group=g)]
        raw = {"machine_info": {}, "datetime": "", "commit_info": {"id": commit, "dirty": False}}
        marks = [{"group": r.pop("group"), "extra_info": r} for r in records]
        return json.dumps(raw | {"benchmarks": marks})

    (tmp_path / "full.json").write_text(made({"a": 1.0, "b": 2.0, "c": 3.0}, "old"))
    (tmp_path / "full-again.json").write_text(made({"b": 0.5}, "new"))
    found = tables.load(tmp_path, "full")
    assert found is not None
    rows = found[0]
    assert list(rows.group) == ["a", "b", "c"]
    assert list(rows.best) == [1.0, 0.5, 3.0]
    assert list(rows.commit) == ["old", "new", "old"]


def test_tables_of_known_times() -> None:
    records = _records(("fused", 1.0), ("numpy", 4.0), ("torch", 0.5))
    records += _records(("fused", 1.0), ("numpy", 9.0), group="b", loss="m", noise=0.3)
    rows = tables.frame(records)
    glance = tables.glance(rows)
    assert list(glance.index) == ["numpy", "torch"]
    assert list(glance.loc["numpy"]) == pytest.approx([2, 6, 4, 9, 0])
    assert list(glance.loc["torch"]) == [1, 0.5, 0.5, 0.5, 1]
    cells = tables.wide(rows, lambda record: tables.relative(record, bold=True))
    assert list(cells.loc["a", ["numpy", "torch"]]) == ["4.00", "**0.50**"]
    assert list(cells.loc["b", ["numpy", "torch"]]) == ["9.00 ?", ""]
    printed = "\n".join(tables.summary(rows, machine.facts()))
    assert "torch: 0.50 in the geometric mean of 1" in printed and "9.00 ?" in printed


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


def test_the_readme_gets_its_block() -> None:
    pytest.importorskip("matplotlib")
    from bench import report

    begin, end = report.MARKS
    made = {"cpu": "a CPU", "level": "v3", "versions": "numpy 2", "glance": "a table"}
    text = report.readme(f"before\n{begin}\nold\n{end}\nafter\n", made, "docs/benchmarks")
    assert text.startswith("before\n") and text.endswith(f"{end}\nafter\n")
    assert "old" not in text and "a CPU, v3 kernels, numpy 2" in text
    assert report.readme(text, made, "docs/benchmarks") == text
    with pytest.raises(SystemExit, match="README"):
        report.readme("nothing", made, "docs/benchmarks")
    assert begin in (ROOT / "README.md").read_text(encoding="utf-8")
