"""docs/benchmarks/ from the results in build/bench: a page, pictures, and the numbers as CSV.

``python -m bench.report`` says nothing that is not in those files. What is missing there is said to
be missing.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import machine, plots, reasons, words
from bench.cases import GRAD, RESULT, VALUE

FUSED, FRESH, NUMPY, MEMORY = "fused", "fused, fresh", "numpy", "memory"
#: In the order of the tables.
PEERS: Final = ("torch", "torch.compile", "jax.jit", "numba", "numexpr", "scikit-learn", "SciPy")
#: What the first picture shows.
HEADLINE: Final = (
    "mse_loss",
    "huber_loss",
    "binary_cross_entropy_with_logits",
    "sigmoid_focal_loss",
    "poisson_nll_loss",
    "gaussian_nll_loss",
    "kl_div",
    "cross_entropy",
    "multi_margin_loss",
    "triplet_margin_loss",
    "info_nce_loss",
    "dice_loss",
    "complete_box_iou_loss",
)
#: Ratios are marked that two halves of a race do not agree about to this part.
NOISY: Final = 0.2


# --- what was measured --------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """Someone in a race."""

    group: str
    who: str
    family: str
    loss: str
    result: str
    dtype: str
    shape: tuple[int, ...]
    seconds: float
    times: float | None  # theirs by ours
    noise: float
    waited: float
    composed: bool
    threads: int
    bytes_moved: int
    cycles: float | None
    absent: dict[str, str]

    @property
    def size(self) -> int:
        found = 1
        for n in self.shape:
            found *= n
        return found

    @property
    def shape_text(self) -> str:
        if len(self.shape) > 1:
            return f"({', '.join(map(str, self.shape))})"
        n = self.shape[0]
        for unit, name in ((1_000_000, "M"), (1000, "k")):
            if n % unit == 0:
                return f"{n // unit}{name}"
        return str(n)


def _record(raw: dict[str, Any]) -> Record:
    info = raw["extra_info"]
    times = next((v for k, v in info.items() if k.startswith("times_fused")), None)
    return Record(
        raw["group"],
        info["implementation"],
        info["family"],
        info["loss"],
        info["result"],
        info["dtype"],
        tuple(info["shape"]),
        info["best"],
        times,
        info.get("noise", 0.0),
        info["waited_for_cpu"],
        info["composed"],
        info["threads"],
        info["bytes_moved"],
        info.get("cycles"),
        info.get("absent", {}),
    )


class Races:
    """The records of a suite, by question and who.

    They stand in NAME.json. Questions that NAME-again.json has, too, were measured again there.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.groups: dict[str, dict[str, Record]] = {}
        self.commits: dict[str, int] = {}  # and how many questions were measured there
        of_group: dict[str, str] = {}
        for path in (folder / f"{name}.json", folder / f"{name}-again.json"):
            if not path.exists():
                continue
            raw = json.loads(path.read_text())
            self.machine: dict[str, Any] = raw["machine_info"]
            self.datetime: str = raw["datetime"]
            commit = (raw["commit_info"].get("id") or "unknown")[:10]
            commit += " and uncommitted changes" * bool(raw["commit_info"].get("dirty"))
            here: set[str] = set()
            for record in map(_record, raw["benchmarks"]):
                if record.group not in here:
                    self.groups[record.group] = {}
                    here.add(record.group)
                self.groups[record.group][record.who] = record
                of_group[record.group] = commit
        for commit in of_group.values():
            self.commits[commit] = self.commits.get(commit, 0) + 1

    def where(self, **asked: Any) -> Iterator[dict[str, Record]]:
        """Questions with these properties of their records."""
        for who in self.groups.values():
            first = next(iter(who.values()))
            if all(getattr(first, name) == value for name, value in asked.items()):
                yield who

    def first(self, **asked: Any) -> dict[str, Record] | None:
        return next(self.where(**asked), None)


# --- text ---------------------------------------------------------------------------------------


def number(x: float) -> str:
    """Three digits: there is no truth in a fourth."""
    if x >= 1e5:
        return f"{x:.1e}"
    return f"{x:.{2 if x < 9.995 else 1 if x < 99.95 else 0}f}"


def duration(seconds: float) -> str:
    units = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
    unit, name = next((pair for pair in units if seconds >= pair[0]), units[-1])
    return f"{number(seconds / unit)} {name}"


def size_text(count: float) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{number(count / unit)} {name}"
    return f"{count:.0f} B"


def ratio(record: Record | None) -> str:
    """Theirs by ours: bold where it is below 1, so that what loses is seen."""
    if record is None or record.times is None:
        return ""
    text = number(record.times)
    # Of others than torch it goes without saying.
    composed = record.composed and record.who.startswith("torch")
    marks = "c" * composed + "?" * (record.noise > NOISY or record.waited > 0.05)
    text = f"**{text}**" if record.times < 1 else text
    return f"{text} {marks}".strip()


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Markdown; the first column to the left."""
    rows = [" | ".join(line) for line in lines]
    rule = " | ".join([":---", *["---:"] * (len(heads) - 1)])
    return "\n".join(f"| {row} |" for row in [" | ".join(heads), rule, *rows]) + "\n"


def share(who: dict[str, Record]) -> str:
    """What part of the speed of light is reached."""
    if MEMORY not in who:
        return ""
    return f"{100 * who[MEMORY].seconds / who[FUSED].seconds:.0f} %"


def _cycles(record: Record) -> str:
    return "" if record.cycles is None else number(record.cycles / record.size)


# --- the parts of the page ----------------------------------------------------------------------


class Report:
    """The page, as it grows."""

    def __init__(self, results: Path, folder: Path) -> None:
        self.results, self.folder = results, folder
        self.parts: list[str] = []
        self.missing: list[str] = []

    def say(self, *lines: str) -> None:
        self.parts.append("\n".join(lines) + "\n")

    def races(self, name: str) -> Races | None:
        if (self.results / f"{name}.json").exists():
            return Races(self.results, name)
        self.missing.append(f"{name}.json")
        return None

    def data(self, name: str) -> dict[str, Any] | None:
        path = self.results / f"{name}.json"
        if path.exists():
            return json.loads(path.read_text())  # type: ignore[no-any-return]
        self.missing.append(path.name)
        return None

    def picture(self, name: str, words: str) -> Path:
        """Where a picture goes, of which the page says so much."""
        self.say(f"![{words}]({name})")
        return self.folder / name


def introduction(report: Report, races: Races, files: dict[str, Races]) -> None:
    facts = races.machine
    ours = facts["fusedloss"]
    caches = ", ".join(f"{name} {size_text(n)}" for name, n in facts["caches"].items())
    versions = ", ".join(f"{name} {v}" for name, v in facts["versions"].items())
    commits: dict[str, list[str]] = {}
    for name, suite in files.items():
        for commit, n in suite.commits.items():
            commits.setdefault(commit, []).append(f"{n} of {name}")
    commit_text = "; ".join(f"`{commit}`: {', '.join(n)}" for commit, n in commits.items())
    environment = ", ".join(f"`{k}={v}`" for k, v in facts["environment"].items()) or "none"
    report.say(
        "# Benchmarks",
        "",
        words.INTRODUCTION,
        "",
        table(
            ["", "what made these numbers"],
            [
                ["CPU", f"{facts['cpu_model']}, {facts['cpus_available']} CPUs; {caches}"],
                ["system", f"{facts['system']}, Python {facts['python']}"],
                ["fusedloss", f"{ours['version']}, {ours['level']} kernels, {ours['compiler']}"],
                ["peers", versions],
                ["commits, and how many questions", commit_text],
                ["date", races.datetime[:10]],
                ["threads", "1 for all, but where it says so; beside peers bound to one CPU"],
                ["environment", environment],
                [
                    "cycle counters",
                    "counted" if facts["cycle_counters"] else "none on this machine: only times",
                ],
            ],
        ).replace("| ---: |", "| :--- |"),
    )


def _usual(races: Races, result: str, dtype: str = "float32") -> list[dict[str, Record]]:
    """Of each function the question in its usual shape, which alone has been asked in float64."""
    usual = {(r.loss, r.shape) for who in races.where(dtype="float64") for r in who.values()}
    found = []
    for who in races.where(dtype=dtype, result=result):
        record = who[FUSED]
        if (record.loss, record.shape) in usual:
            found.append(who)
    return found


def at_a_glance(races: Races) -> str:
    """By whom how many functions are beaten, and by how much."""
    lines = []
    both = [*_usual(races, GRAD), *_usual(races, RESULT)]
    for name in (NUMPY, *PEERS):
        found = [who[name].times or 0.0 for who in both if name in who]
        if found:
            figures = [statistics.geometric_mean(found), min(found), max(found)]
            slower = str(sum(x < 1 for x in found))
            lines.append([name, str(len(found)), *map(number, figures), slower])
    heads = ["times as long as fusedloss", "functions", "mean (geometric)", "least", "most"]
    return table([*heads, "faster in"], lines)


SPEED: Final = "speed.svg"
SPEED_WORDS: Final = "How many times as long NumPy, torch, jax and others take, by loss"


def headline(report: Report, races: Races) -> None:
    chosen = {who[FUSED].loss: who for who in _usual(races, GRAD) if who[FUSED].loss in HEADLINE}
    values = {
        f"{loss} {chosen[loss][FUSED].shape_text}": {
            name: record.times
            for name in (NUMPY, *PEERS)
            if (record := chosen[loss].get(name)) and record.times
        }
        for loss in HEADLINE
        if loss in chosen
    }
    report.say("## At a glance", "")
    plots.rows(
        report.picture(SPEED, SPEED_WORDS),
        "Value and gradient, float32, one thread",
        "time of others divided by that of fusedloss",
        values,
        1.0,
        "right of this line fusedloss is faster",
    )
    report.say("", words.GLANCE, "", at_a_glance(races))


#: What the README shows of the page stands between these.
MARKS: Final = ("<!-- speed -->", "<!-- end of speed -->")


def readme(text: str, races: Races, folder: str) -> str:
    """The README with the first picture and table in place of those that are there."""
    facts = races.machine
    who = ", ".join(f"{k} {v}" for k, v in facts["versions"].items() if k != "torch.compile")
    begin, end = MARKS
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    if not tail:
        raise SystemExit(f"README.md has no {begin} and {end}")
    shown = [
        begin,
        "",
        f"[![{SPEED_WORDS}]({folder}/{SPEED})]({folder}/index.md)",
        "",
        f"{words.README} Measured on {facts['cpu_model']}, "
        f"{facts['fusedloss']['level']} kernels, {who}.",
        "",
        at_a_glance(races),
        end,
    ]
    return head + "\n".join(shown) + tail


def against_peers(report: Report, races: Races) -> None:
    report.say(
        "## Speed beside other libraries",
        "",
        words.PEERS,
    )
    cycles = any(r.cycles for who in races.groups.values() for r in who.values())
    for title, result, dtype, small in (
        ("Value and gradient, float32", GRAD, "float32", False),
        ("The value alone, float32", VALUE, "float32", False),
        ("Activations, float32", RESULT, "float32", False),
        ("Value and gradient, float64", GRAD, "float64", False),
        ("One element, value and gradient, float32", GRAD, "float32", True),
    ):
        asked = [
            who
            for who in races.where(result=result, dtype=dtype)
            if FUSED in who and (who[FUSED].size == 1) == small
        ]
        names = [name for name in (NUMPY, *PEERS) if any(name in who for who in asked)]
        heads = ["loss, shape", "time" if small else "ns/element"]
        heads += ["cycles/element"] * cycles + ["light"] * (not small)
        lines = []
        for who in asked:
            ours = who[FUSED]
            label = f"`{ours.loss}`" if small else f"`{ours.loss}` {ours.shape_text}"
            time = duration(ours.seconds) if small else number(ours.seconds * 1e9 / ours.size)
            cells = [label, time, *[_cycles(ours)] * cycles, *[share(who)] * (not small)]
            lines.append(cells + [ratio(who.get(name)) for name in names])
        if lines:
            report.say(f"### {title}", "", table(heads + [f"× {n}" for n in names], lines))
    absent = {
        f"{name} ({r.loss}): {reason}"
        for who in races.groups.values()
        for r in who.values()
        for name, reason in r.absent.items()
    }
    if absent:
        report.say(
            "Did not take part, as they failed or computed something else:",
            "",
            *(f"- {line}" for line in sorted(absent)),
        )


def losing(report: Report, files: Sequence[Races]) -> None:
    found: dict[tuple[str, str], list[tuple[float, Record]]] = {}
    for races in files:
        for who in races.groups.values():
            for name in (NUMPY, *PEERS):
                if name in who and (who[name].times or 1.0) < 1:
                    record = who[name]
                    found.setdefault((record.loss, name), []).append((record.times or 0, record))
    report.say("## Where others are faster", "")
    if not found:
        report.say("Nowhere in what was measured.")
        return
    report.say(words.LOSING, "")
    by_reason: dict[str, list[list[str]]] = {}
    for (loss, name), records in sorted(found.items()):
        least = min(times for times, _ in records)
        places = sorted({f"{r.dtype} {r.shape_text} {r.result}" for _, r in records})
        line = [f"`{loss}`", name, number(least), "; ".join(places)]
        by_reason.setdefault(reasons.reason(loss, name), []).append(line)
    for reason, lines in by_reason.items():
        rows = table(["loss", "who", "× at worst", "where"], lines).replace("---:", ":---")
        report.say(f"**{reason[0].upper()}{reason[1:]}:**", "", rows)


def against_numpy(report: Report, races: Races) -> None:
    lines = []
    for loss in dict.fromkeys(r.loss for who in races.groups.values() for r in who.values()):
        asked = [who for who in races.where(loss=loss) if NUMPY in who]
        best = [who[NUMPY].times or 0.0 for who in asked]
        shapes = dict.fromkeys(who[FUSED].shape for who in asked)
        last = GRAD if any(who[FUSED].result == GRAD for who in asked) else RESULT
        cells = []
        for shape in shapes:
            who = races.first(loss=loss, shape=shape, dtype="float32", result=last)
            assert who
            cells.append(f"{who[FUSED].shape_text}: {ratio(who[NUMPY]).strip()}")
        lines.append(
            [
                f"`{loss}`",
                ", ".join(cells),
                number(statistics.geometric_mean(best)),
                number(min(best)),
                number(max(best)),
            ]
        )
    ratios = [who[NUMPY].times or 0.0 for who in races.groups.values() if NUMPY in who]
    report.say(
        "## Every function beside NumPy",
        "",
        f"`make bench`: {len(ratios)} questions. {words.NUMPY} Over all: "
        f"{number(statistics.geometric_mean(ratios))} in the geometric mean, {number(min(ratios))} "
        f"to {number(max(ratios))}; NumPy is faster in {sum(x < 1 for x in ratios)}.",
        "",
        table(["function", "float32, value+grad", "mean", "least", "most"], lines),
    )


def light(report: Report, races: Races) -> None:
    lines = []
    for who in races.where(result=GRAD, dtype="float32"):
        if MEMORY in who and who[FUSED].size >= 1_000_000 and len(who[FUSED].shape) == 1:
            ours, memory = who[FUSED], who[MEMORY]
            if memory.seconds / ours.seconds > 0.4:
                rate = memory.bytes_moved / memory.seconds
                cells = [f"`{ours.loss}`", ours.shape_text, number(ours.seconds * 1e9 / ours.size)]
                cells += [number(memory.seconds * 1e9 / ours.size), size_text(rate) + "/s"]
                lines.append([*cells, share(who)])
    report.say(
        "## The speed of light",
        "",
        words.LIGHT,
        "",
        table(["loss", "shape", "ns/element", "only memory", "at", "light"], lines),
    )


def outputs(report: Report, given: Races, kept: Races | None) -> None:
    lines = []
    names = ["torch", "torch.compile", "jax.jit", NUMPY]
    for group, who in given.groups.items():
        ours = who[FUSED]
        again = kept.groups.get(group, {}) if kept else {}
        cells = [f"`{ours.loss}` {ours.shape_text}", number(ours.seconds * 1e9 / ours.size)]
        for side in (who, again):
            cells.append(ratio(side.get(FRESH)))
            cells += [ratio(side.get(name)).replace(" c", "") for name in names]
        lines.append(cells)
    heads = [f"× {n}" for n in ("fused, fresh", *names)]
    report.say(
        "## Fresh and given memory",
        "",
        words.OUTPUTS,
        "",
        table(["loss, shape", "ns/element", *heads, *(f"kept: {h}" for h in heads)], lines),
    )


def scaling(report: Report) -> None:
    report.say("## Scaling", "")
    if sizes := report.races("sizes"):
        panels: dict[str, dict[str, list[tuple[float, float]]]] = {}
        for who in sizes.groups.values():
            for name, r in who.items():
                if name != FRESH:
                    panel = panels.setdefault(r.loss, {})
                    panel.setdefault(name, []).append((r.size, r.seconds * 1e9 / r.size))
        path = report.picture("sizes.svg", "Time per element against the number of elements")
        plots.curves(
            path,
            "Time against size: value and gradient, float32, one thread",
            ("elements", "ns per element"),
            panels,
        )
    if classes := report.races("classes"):
        points: dict[str, list[tuple[float, float]]] = {}
        for who in classes.groups.values():
            for name, r in who.items():
                if name != FRESH:
                    point = (r.shape[1], r.seconds * 1e9 / r.size)
                    points.setdefault(name, []).append(point)
        path = report.picture("classes.svg", "Time per logit against the number of classes")
        plots.curves(
            path,
            "cross_entropy of a million logits: value and gradient, float32, one thread",
            ("classes", "ns per logit"),
            {"": points},
        )
    if threads := report.races("threads"):
        lines, counts = [], sorted({r.threads for w in threads.groups.values() for r in w.values()})
        for who in threads.groups.values():
            first = next(iter(who.values()))
            cells = [f"`{first.loss}` {first.shape_text}", duration(first.seconds)]
            for name in (FUSED, "torch"):
                own = {r.threads: r for n, r in who.items() if n.partition(",")[0] == name}
                for n in counts[1:]:
                    cells.append(number(own[1].seconds / own[n].seconds) if n in own else "")
            one = next((r for n, r in who.items() if n == "torch, 1 thread"), None)
            most = [r for n, r in who.items() if n.startswith("torch") and r.threads == counts[-1]]
            ours = [r for n, r in who.items() if n.startswith(FUSED) and r.threads == counts[-1]]
            cells.append(number(one.seconds / first.seconds) if one else "")
            cells.append(number(most[0].seconds / ours[0].seconds) if most and ours else "")
            lines.append(cells)
        heads = ["loss, shape", "1 thread"]
        heads += [
            f"{name}: {n} threads, × faster" for name in ("fused", "torch") for n in counts[1:]
        ]
        report.say(
            "### Threads",
            "",
            words.THREADS,
            "",
            table([*heads, "× torch, 1 thread", f"× torch, {counts[-1]} threads"], lines),
        )


def _made_by(data: dict[str, Any]) -> str:
    return f"`{data['command']}`, commit `{data['machine']['commit']}`."


def _errors(answer: dict[str, Any] | None, part: str) -> str:
    if answer is None or part not in answer:
        return ""
    found = answer[part]
    text = f"{number(found['p99'])} / {number(found['largest'])}"
    return text + (f" **({found['wrong']} of {found['count']} wrong)**" if found["wrong"] else "")


def accuracy(report: Report, data: dict[str, Any]) -> None:
    rows = data["rows"]
    names = list(dict.fromkeys(n for row in rows for n in row["results"]))
    report.say(
        "## Accuracy",
        "",
        f"{_made_by(data)} {words.ACCURACY}",
    )
    shown: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["dtype"] == "float32" and row["inputs"].startswith("tails") and row["shape"][1:] in (
            [], [10], [3], [4], [7],
        ):  # fmt: skip
            points = {}
            for name, answer in row["results"].items():
                part = answer.get("grad") or answer.get("value")
                if part and part["count"] > part["wrong"]:
                    points[name] = max(part["p99"], 0.3)
            if row["loss"] in HEADLINE:
                shown[row["loss"]] = points
    if shown:
        path = report.picture(
            "accuracy.svg", "Errors of gradients in the tails, by loss and library"
        )
        plots.rows(
            path,
            "Gradients in float32, inputs with tails (results that are wrong left out)",
            "99th percentile of the error, in units in the last place",
            shown,
            0.5,
            "as good as it gets",
        )
    for dtype in ("float32", "float64"):
        for kind in ("tails", "typical"):
            lines = []
            for row in rows:
                if row["dtype"] != dtype or not row["inputs"].startswith(kind):
                    continue
                classes = row["inputs"].partition(", ")[2]
                for part in ("value", "grad"):
                    cells = [_errors(row["results"].get(n), part) for n in names]
                    if any(cells):
                        label = f"`{row['loss']}` {classes}".strip()
                        lines.append([f"{label}: {part}", *cells])
            report.say(
                f"<details><summary>{dtype}, {kind}</summary>",
                "",
                table(["", *names], lines),
                "</details>",
                "",
            )
    write_errors(report.folder, rows)


def replaced(rows: list[dict[str, Any]], again: Path) -> list[dict[str, Any]]:
    """With those that were measured again in place of the same ones."""

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["loss"], row["dtype"], row["inputs"]

    newer = json.loads(again.read_text())["rows"] if again.exists() else []
    known = {key(row): row for row in newer}
    return [known.get(key(row), row) for row in rows]


def write_errors(folder: Path, rows: list[dict[str, Any]]) -> None:
    """The errors, and the hashes of what was put in."""

    def about(row: dict[str, Any]) -> list[str]:
        return [row["loss"], row["dtype"], row["inputs"], "x".join(map(str, row["shape"]))]

    with (folder / "inputs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["loss", "dtype", "inputs", "shape", "sha256"])
        writer.writerows([*about(row), row["sha256"]] for row in rows)
    with (folder / "accuracy.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        head = ["loss", "dtype", "inputs", "shape", "who", "part"]
        writer.writerow([*head, "p99", "largest", "wrong", "count", "absent"])
        for row in rows:
            for name, answer in row["results"].items():
                if answer.get("absent", "").startswith("has no such"):
                    continue
                if "absent" in answer:
                    writer.writerow([*about(row), name, *[""] * 5, answer["absent"]])
                for part in ("value", "grad"):
                    if found := answer.get(part):
                        errors = [f"{found['p99']:.3g}", f"{found['largest']:.3g}"]
                        counts = [found["wrong"], found["count"], ""]
                        writer.writerow([*about(row), name, part, *errors, *counts])


def memory(report: Report, data: dict[str, Any]) -> None:
    by_loss: dict[str, dict[str, dict[str, Any]]] = {}
    for peak in data["peaks"]:
        key = f"`{peak['loss']}` ({', '.join(map(str, peak['shape']))})"
        by_loss.setdefault(key, {})[peak["entrant"]] = peak
    names = list(dict.fromkeys(peak["entrant"] for peak in data["peaks"]))
    lines = []
    for key, peaks in by_loss.items():
        first = next(iter(peaks.values()))
        cells = [key, size_text(first["input_bytes"]), size_text(first["gradient_bytes"])]
        for name in names:
            peak = peaks.get(name)
            cells.append("" if peak is None else
                         "failed" if peak["extra_bytes"] is None else
                         size_text(peak["extra_bytes"]))  # fmt: skip
        lines.append(cells)
    report.say(
        "## Memory",
        "",
        f"{_made_by(data)} {words.MEMORY}",
        "",
        table(["loss, shape", "inputs", "gradients", *names], lines),
    )
    packages = data["packages"]
    report.say(
        "## Import and size",
        "",
        words.PACKAGES,
        "",
        table(
            ["package", "import", "own size", "with what it needs"],
            [
                [
                    f"{p['name']} {p['version']}",
                    f"{p['import_seconds'] * 1e3:.0f} ms",
                    size_text(p["own_bytes"]),
                    size_text(p["installed_bytes"]),
                ]
                for p in packages
            ],
        ),
    )
    path = report.picture("import.svg", "Time to import, by package")
    times = {p["name"]: p["import_seconds"] * 1e3 for p in packages}
    plots.bars(path, "Time to import", "milliseconds", times, "fusedloss")


def noise(report: Report, files: dict[str, Races]) -> None:
    lines = []
    for name, races in files.items():
        records = [r for who in races.groups.values() for r in who.values() if r.times]
        moved = [r.noise for r in records]
        lines.append(
            [
                name,
                str(len(records)),
                f"{statistics.median(moved):.1%}",
                f"{statistics.quantiles(moved, n=20)[-1]:.1%}",
                str(sum(m > NOISY for m in moved)),
                f"{statistics.mean(r.waited for r in records):.1%}",
                f"{max(r.waited for r in records):.0%}",
            ]
        )
    report.say(
        "## Noise",
        "",
        words.NOISE,
        "",
        table(
            ["suite", "ratios", "median", "95th percentile", "above 20 %", "waited, mean", "most"],
            lines,
        ),
    )


def write_csv(folder: Path, files: dict[str, Races]) -> None:
    """All that was timed: one line for each who took part in a question."""
    with (folder / "speed.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        head = ["suite", "loss", "dtype", "shape", "result", "who", "threads"]
        writer.writerow([*head, "seconds", "times_fused", "noise", "bytes_moved"])
        for name, races in files.items():
            for who in races.groups.values():
                for r in who.values():
                    about = [name, r.loss, r.dtype, "x".join(map(str, r.shape)), r.result, r.who]
                    times = "" if r.times is None else f"{r.times:.4g}"
                    figures = [f"{r.seconds:.4g}", times, f"{r.noise:.2g}", r.bytes_moved]
                    writer.writerow([*about, r.threads, *figures])


# --- all of it ----------------------------------------------------------------------------------


def write(results: Path, folder: Path, page: Path | None = None) -> list[str]:
    """The report, and what the README shows of it; returns the names of results that it lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(results, folder)
    peers, full = report.races("peers"), report.races("full")
    first = peers or full
    if first is None:
        raise SystemExit(f"nothing to report: neither peers.json nor full.json is in {results}")
    files = {
        name: Races(results, name)
        for name in ("full", "peers", "sizes", "classes", "threads", "outputs", "kept")
        if (results / f"{name}.json").exists()
    }
    introduction(report, first, files)
    if peers:
        headline(report, peers)
        against_peers(report, peers)
        if page is not None:
            text = readme(
                page.read_text(encoding="utf-8"), peers, folder.relative_to(page.parent).as_posix()
            )
            page.write_text(text, encoding="utf-8")
    losing(report, [races for name, races in files.items() if name != "threads"])
    if full:
        light(report, full)
        against_numpy(report, full)
    scaling(report)
    given = report.races("outputs")
    if given:
        outputs(report, given, report.races("kept"))
    if errors := report.data("accuracy"):
        again = results / "accuracy-again.json"
        errors["rows"] = replaced(errors["rows"], again)
        accuracy(report, errors)
    if peaks := report.data("memory"):
        memory(report, peaks)
    noise(report, files)
    write_csv(folder, files)
    if report.missing:
        report.say("Not measured for this page: " + ", ".join(report.missing) + ".")
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(report.parts))
    (folder / "index.md").write_text(text, encoding="utf-8")
    return report.missing


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--results", type=Path, default=machine.RESULTS)
    parser.add_argument("--out", type=Path, default=machine.ROOT / "docs" / "benchmarks")
    options = parser.parse_args()
    kept = options.out == parser.get_default("out")
    missing = write(options.results, options.out, machine.ROOT / "README.md" if kept else None)
    print(f"written: {options.out / 'index.md'}")
    for name in missing:
        print(f"missing: {options.results / name}")


if __name__ == "__main__":
    main()
