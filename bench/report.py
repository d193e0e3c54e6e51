"""docs/benchmarks/ from the results in build/bench: a page and pictures; all numbers as CSV beside
the results.

``python -m bench.report`` says nothing that is not in those files. What is missing there is said to
be missing.
"""

from __future__ import annotations

import argparse
import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from bench import machine, plots
from bench.cases import GRAD, RESULT, VALUE
from bench.implementations import FRESH, FUSED, MEMORY, NUMPY
from bench.tables import (
    RIVALS,
    duration,
    glance,
    load,
    markdown,
    number,
    relative,
    size_text,
    wide,
)

SUITES = ("full", "peers", "sizes", "classes", "threads", "outputs", "kept")
#: What the pictures of losses show.
HEADLINE = (
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
SPEED_WORDS = "How many times as long NumPy, torch, jax and others take, by loss"
#: What the README shows of the page stands between these.
MARKS = ("<!-- speed -->", "<!-- end of speed -->")
README = """{begin}

[![{words}]({folder}/speed.svg)]({folder}/index.md)

Value and gradient (activations: the result) of each function in its usual shape (0.1 to 13 million \
numbers), float32, one thread, interleaved on the same arrays. fusedloss writes gradients into memory \
that it is given; NumPy, torch and jax allocate them, which above 32 MB costs new pages and makes up \
much of their time. The report has both ways, and the shapes in which others lead, among them most \
losses of short vectors. Measured on {cpu}, {level} kernels, {versions}.

{glance}
{end}"""

Frame = pd.DataFrame
Text = dict[str, str]  # what the template asks for


# --- speed --------------------------------------------------------------------------------------


def facts(found: dict[str, Any], files: dict[str, Frame]) -> str:
    ours = found["fusedloss"]
    groups = pd.concat(files.values()).groupby(["commit", "suite"], sort=False).group.nunique()
    commits = [
        f"`{commit}`: " + ", ".join(f"{n} of {suite}" for (_, suite), n in counts.items())
        for commit, counts in groups.groupby("commit", sort=False)
    ]
    caches = ", ".join(f"{name} {size_text(n)}" for name, n in found["caches"].items())
    lines = {
        "CPU": f"{found['cpu_model']}, {found['cpus_available']} CPUs; {caches}",
        "system": f"{found['platform']}, Python {found['python']}",
        "fusedloss": f"{ours['version']}, {ours['level']} kernels, {ours['compiler']}",
        "peers": ", ".join(f"{name} {version}" for name, version in found["versions"].items()),
        "commits, and how many questions": "; ".join(commits),
        "date": found["date"],
        "threads": "1 for all, but where it says so; beside peers bound to one CPU",
        "environment": ", ".join(f"`{k}={v}`" for k, v in found["environment"].items()) or "none",
    }
    return markdown(["", "what made these numbers"], lines.items(), left=2)


def usual(records: Frame) -> Frame:
    """Of each function its usual shape, which alone has been asked in float64."""
    asked = records[records.dtype == "float64"].group.str.replace(" float64 ", " float32 ")
    shapes = set(zip(*asked.str.split(" ", n=4).str[1:4:2], strict=False)) if len(asked) else set()
    double = records[records.dtype == "float64"]
    shapes = set(zip(double.loss, double["shape"], strict=True))
    return records[[pair in shapes for pair in zip(records.loss, records["shape"], strict=True)]]


def gradients(records: Frame, dtype: str = "float32") -> Frame:
    return records[records.result.isin([GRAD, RESULT]) & (records.dtype == dtype)]


def glance_table(records: Frame) -> str:
    lines = [
        [name, f"{x.functions:.0f}", *map(number, (x["mean"], x["min"], x["max"])), f"{x.wins:.0f}"]
        for name, x in glance(records).iterrows()
    ]
    heads = ["time relative to fusedloss", "functions", "mean (geometric)", "min", "max", "wins"]
    return markdown(heads, lines)


def glance_of_others(records: Frame) -> str:
    one = records["size"] == 1
    asked = {
        "the value alone, float32": records[
            (records.result == VALUE) & (records.dtype == "float32")
        ],
        "float64": gradients(records, "float64"),
        "one element, float32": gradients(records[one]),
        "16 million elements, float32": gradients(records[records["size"] == 16_000_000]),
    }
    lines = []
    for name, some in asked.items():
        found = glance(some)
        cells = {
            who: f"{number(x['mean'])} ({x.wins:.0f} of {x.functions:.0f})"
            for who, x in found.iterrows()
        }
        lines.append([name, *(cells.get(who, "") for who in RIVALS)])
    return markdown(["mean (wins)", *RIVALS], lines)


def functions(records: Frame) -> str:
    own = records[records.implementation == FUSED].set_index("group")
    shown = records[records.implementation.isin([MEMORY, *RIVALS])]
    table = wide(shown, lambda record: relative(record, bold=True))
    table = table[[name for name in (MEMORY, *RIVALS) if name in table]]
    lines = [
        [f"`{own.loss[group]}` {own['shape'][group]}", number(own.ns[group]), *cells]
        for group, *cells in table.itertuples()
    ]
    return markdown(["loss, shape", "ns/element", *table.columns], lines)


def absent(records: Frame) -> str:
    found = {
        f"- {name} ({record.loss}): {why}"
        for record in records.itertuples()
        for name, why in record.absent.items()
    }
    return "\n".join(sorted(found)) or "- none"


def known_reason(loss: str, who: str) -> str:
    parser = configparser.ConfigParser(delimiters="=")
    parser.read_string(Path(__file__).with_name("known_slower.ini").read_text())
    for patterns, why in parser["reasons"].items():
        losses, names = patterns.split(" @ ")
        if re.fullmatch(losses, loss) and re.fullmatch(names, who.lower()):
            return " ".join(why.split())
    return "not yet found out"


def losing(records: Frame) -> str:
    """Where others are faster: by the reason a table of losses and peers."""
    slower = records[records.implementation.isin(RIVALS) & (records.relative_time < 1)]
    by_reason: dict[str, list[list[str]]] = {}
    for (loss, name), some in slower.groupby(["loss", "implementation"]):
        places = sorted(set(some.dtype + " " + some["shape"] + " " + some.result))
        line = [f"`{loss}`", name, number(some.relative_time.min()), "; ".join(places)]
        by_reason.setdefault(known_reason(loss, name), []).append(line)
    heads = ["loss", "who", "at worst", "where"]
    return "\n".join(
        f"**{reason[0].upper()}{reason[1:]}:**\n\n{markdown(heads, lines, left=4)}"
        for reason, lines in by_reason.items()
    )


def threads(records: Frame) -> str:
    records = records.assign(who=records.implementation.str.partition(",")[0])
    who = list(records.who.unique())
    counts = sorted(records.threads.unique())
    lines = []
    for _, some in records.groupby("group", sort=False):
        first, best = some.iloc[0], some.set_index(["who", "threads"]).best
        lines.append(
            [
                f"`{first.loss}` {first['shape']}",
                duration(first.best),
                *(number(best[name, 1] / best[name, n]) for name in who for n in counts[1:]),
                *(number(best[name, n] / best[FUSED, n]) for name in who[1:] for n in counts),
            ]
        )
    heads = [f"{name}: {n} threads, × faster" for name in who for n in counts[1:]]
    heads += [f"{name}, {n} thread{'s' * int(n > 1)}" for name in who[1:] for n in counts]
    return markdown(["loss, shape", "1 thread", *heads], lines)


def outputs(given: Frame, kept: Frame | None) -> str:
    own = given[given.implementation == FUSED].set_index("group")
    names = [FRESH, "torch", "torch.compile", "jax.jit", NUMPY]
    tables = [wide(f, lambda r: relative(r, bold=True)) for f in (given, kept) if f is not None]
    lines = [
        [f"`{own.loss[group]}` {own['shape'][group]}", number(own.ns[group])]
        + [t[n].get(group, "").replace(" c", "") if n in t else "" for t in tables for n in names]
        for group in own.index
    ]
    heads = [prefix + name for prefix in ("", "kept: ")[: len(tables)] for name in names]
    return markdown(["loss, shape", "ns/element", *heads], lines)


def noise(files: dict[str, Frame]) -> str:
    lines = []
    for name, records in files.items():
        some = records[records.noise > 0]
        parts = [some.noise.median(), some.noise.quantile(0.95)]
        counts = [f"{len(some)}", *(f"{x:.1%}" for x in parts), f"{(some.noise > 0.2).sum()}"]
        waited = some.waited_for_cpu
        lines.append([name, *counts, f"{waited.mean():.1%}", f"{waited.max():.0%}"])
    heads = ["suite", "ratios", "median", "95th percentile", "above 20 %", "waited, mean", "max"]
    return markdown(heads, lines)


# --- accuracy, memory ---------------------------------------------------------------------------


def made_by(data: dict[str, Any]) -> str:
    return f"`{data['command']}`, commit `{data['commit']}`."


def accuracy(rows: Frame) -> str:
    lines = []
    sound = rows[rows.part.notna()].assign(kind=rows.inputs.str.partition(",")[0])
    for (dtype, kind), some in sound.groupby(["dtype", "kind"], sort=False):
        cells = {
            name: f"{number(x.p99.median())} / {number(x.p99.max())}, "
            f"{x.wrong.sum() / x['count'].sum():.1%}"
            for name, x in some.groupby("implementation")
        }
        lines.append([f"{dtype}, {kind}", *(cells.get(name, "") for name in (FUSED, *RIVALS))])
    return markdown(["median / largest, wrong", FUSED, *RIVALS], lines)


def accuracy_picture(rows: Frame, path: Path) -> None:
    some = rows[(rows.dtype == "float32") & rows.inputs.str.startswith("tails")]
    some = some[some["shape"].map(lambda shape: list(shape[1:]) in ([], [10], [3], [4], [7]))]
    some = some[(some["count"] > some.wrong) & some.loss.isin(HEADLINE)]
    last = some.groupby(["loss", "implementation"], sort=False).tail(1)  # the gradient, if any
    shown = {
        loss: {r.implementation: max(r.p99, 0.3) for r in x.itertuples()}
        for loss, x in last.groupby("loss", sort=False)
    }
    plots.rows(
        path,
        "Gradients in float32, inputs with tails (results that are wrong left out)",
        "99th percentile of the error, in units in the last place",
        shown,
        0.5,
        "as good as it gets",
    )


def memory(peaks: Frame) -> str:
    names = list(peaks.implementation.unique())
    lines = []
    for (loss, shape), some in peaks.groupby(["loss", peaks["shape"].map(tuple)], sort=False):
        first, extra = some.iloc[0], some.set_index("implementation").extra_bytes
        cells = [f"`{loss}` ({', '.join(map(str, shape))})"]
        cells += [size_text(first.input_bytes), size_text(first.gradient_bytes)]
        for name in names:
            failed = name in extra and pd.isna(extra[name])
            cells.append("failed" if failed else size_text(extra[name]) if name in extra else "")
        lines.append(cells)
    return markdown(["loss, shape", "inputs", "gradients", *names], lines)


def packages(found: list[dict[str, Any]]) -> str:
    lines = [
        [
            f"{p['name']} {p['version']}",
            f"{p['import_seconds'] * 1e3:.0f} ms",
            size_text(p["own_bytes"]),
            size_text(p["installed_bytes"]),
        ]
        for p in found
    ]
    return markdown(["package", "import", "own size", "with what it needs"], lines)


# --- all of it ----------------------------------------------------------------------------------


def curves(files: dict[str, Frame], folder: Path) -> None:
    for suite, x, title, axis in (
        ("sizes", lambda r: r["size"], "Time against size", "elements"),
        (
            "classes",
            lambda r: r["shape"].str.partition("x")[2].astype(int),
            "cross_entropy of a million logits",
            "classes",
        ),
    ):
        if suite in files:
            some = files[suite][files[suite].implementation != FRESH]
            plots.curves(
                folder / f"{suite}.svg",
                f"{title}: value and gradient, float32, one thread",
                (axis, "ns per element"),
                some.assign(x=x(some)),
            )


def speed_picture(records: Frame, path: Path) -> None:
    some = records[records.implementation.isin(RIVALS) & records.loss.isin(HEADLINE)]
    table = some.pivot(index=["loss", "shape"], columns="implementation", values="relative_time")
    values = {
        f"{loss} {shape}": table.loc[(loss, shape)].dropna()[lambda x: x.index].to_dict()
        for loss, shape in sorted(table.index, key=lambda key: HEADLINE.index(key[0]))
    }
    plots.rows(
        path,
        "Value and gradient, float32, one thread",
        "time of others divided by that of fusedloss",
        values,
        1.0,
        "right of this line fusedloss is faster",
    )


def page(results: Path, folder: Path) -> tuple[Text, list[str]]:
    """The texts of the page, with its pictures and the CSV files written; and what is missing."""
    found = {suite: load(results, suite) for suite in SUITES}
    files = {suite: pair[0] for suite, pair in found.items() if pair}
    missing = [f"{suite}.json" for suite in SUITES if suite not in files]
    main = found["peers"] or found["full"]
    if main is None:
        raise SystemExit(f"nothing to report: neither peers.json nor full.json is in {results}")
    every = pd.concat(files.values())
    every.drop(columns="absent").to_csv(results / "speed.csv", index=False, float_format="%.4g")
    text = {
        "facts": facts(main[1], files),
        "losing": losing(every[every.suite != "threads"]) or "Nowhere in what was measured.",
        "noise": noise(files),
    }
    if "peers" in files:
        peers = files["peers"]
        chosen = gradients(usual(peers))
        speed_picture(chosen, folder / "speed.svg")
        versions = (f"{k} {v}" for k, v in main[1]["versions"].items() if k != "torch.compile")
        text |= {
            "speed_words": SPEED_WORDS,
            "cpu": main[1]["cpu_model"],
            "level": main[1]["fusedloss"]["level"],
            "versions": ", ".join(versions),
            "glance": glance_table(chosen),
            "glance_of_others": glance_of_others(peers),
            "functions": functions(chosen),
            "absent": absent(peers),
        }
    if "full" in files:
        against = files["full"][files["full"].implementation == NUMPY]
        text |= {"full": glance_table(against), "full_count": str(len(against))}
    curves(files, folder)
    if "threads" in files:
        text["threads"] = threads(files["threads"])
    if "outputs" in files:
        text["outputs"] = outputs(files["outputs"], files.get("kept"))
    for name in ("accuracy", "memory"):
        if not (results / f"{name}.json").exists():
            missing.append(f"{name}.json")
    if "accuracy.json" not in missing:
        data = json.loads((results / "accuracy.json").read_text())
        rows = pd.DataFrame(data["rows"])
        again = results / "accuracy-again.json"
        if again.exists():
            newer = pd.DataFrame(json.loads(again.read_text())["rows"])
            key = ["loss", "dtype", "inputs"]
            old = rows.set_index(key).index.isin(newer.set_index(key).index)
            rows = pd.concat([rows[~old], newer])
        accuracy_picture(rows, folder / "accuracy.svg")
        rows.drop(columns="sha256").to_csv(
            results / "accuracy.csv", index=False, float_format="%.3g"
        )
        inputs = rows[["loss", "dtype", "inputs", "shape", "sha256"]]
        inputs.loc[~inputs.sha256.duplicated()].to_csv(results / "inputs.csv", index=False)
        text |= {"accuracy": accuracy(rows), "accuracy_made": made_by(data)}
    if "memory.json" not in missing:
        data = json.loads((results / "memory.json").read_text())
        own = next(p for p in data["packages"] if p["name"] == "fusedloss")
        text |= {"packages": packages(data["packages"]), "levels": own["levels"]}
        if data["peaks"]:
            text |= {"memory": memory(pd.DataFrame(data["peaks"])), "memory_made": made_by(data)}
    return text, missing


def filled(text: Text, missing: list[str], pictures: set[str]) -> str:
    """The template, without the sections that there is no result for."""

    def parts() -> Iterator[str]:
        template = Path(__file__).with_name("report_template.md").read_text(encoding="utf-8")
        for section in re.split(r"(?m)^(?=## )", template):
            shown = set(re.findall(r"\]\((\w+\.svg)\)", section))
            if set(Template(section).get_identifiers()) <= text.keys() and shown <= pictures:
                yield Template(section).substitute(text)
        if missing:
            yield f"\nNot measured for this page: {', '.join(missing)}.\n"

    return re.sub(r"\n{3,}", "\n\n", "".join(parts()))


def readme(shown: str, text: Text, folder: str) -> str:
    """The README with the first picture and table in place of those that are there."""
    begin, end = MARKS
    head, _, rest = shown.partition(begin)
    _, _, tail = rest.partition(end)
    if not tail:
        raise SystemExit(f"README.md has no {begin} and {end}")
    words = {"begin": begin, "end": end, "words": SPEED_WORDS, "folder": folder}
    return head + README.format_map(text | words) + tail


def write(results: Path, folder: Path, front: Path | None = None) -> list[str]:
    """The report, and what the README shows of it; returns the names of results that it lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    text, missing = page(results, folder)
    pictures = {path.name for path in folder.glob("*.svg")}
    (folder / "index.md").write_text(filled(text, missing, pictures), encoding="utf-8")
    if front and "glance" in text:
        shown = readme(front.read_text("utf-8"), text, folder.relative_to(front.parent).as_posix())
        front.write_text(shown, encoding="utf-8")
    return missing


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
