"""docs/benchmarks/ from the results in build/bench: a page (report_template.md, filled) and
pictures; all single numbers as CSV beside the results.

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
from bench.interleave import NOISY
from bench.tables import RIVALS, duration, glance, load, markdown, number, relative, size_text, wide

SUITES = ("full", "peers", "sizes", "classes", "threads", "outputs", "kept")
#: What the pictures of losses show.
HEADLINE = (
    *("mse_loss", "huber_loss", "binary_cross_entropy_with_logits", "sigmoid_focal_loss"),
    *("poisson_nll_loss", "gaussian_nll_loss", "kl_div", "cross_entropy", "multi_margin_loss"),
    *("triplet_margin_loss", "info_nce_loss", "dice_loss", "complete_box_iou_loss"),
)
#: What the README shows of the page stands between these.
MARKS = ("<!-- speed -->", "<!-- end of speed -->")

Frame = pd.DataFrame
Text = dict[str, str]  # what the template asks for


# --- speed --------------------------------------------------------------------------------------


def facts(found: dict[str, Any], every: Frame) -> Text:
    ours = found["fusedloss"]
    groups = every.groupby(["commit", "suite"], sort=False).group.nunique()
    commits = [
        f"`{commit}`: " + ", ".join(f"{n} of {suite}" for (_, suite), n in counts.items())
        for commit, counts in groups.groupby("commit", sort=False)
    ]
    caches = ", ".join(f"{name} {size_text(n)}" for name, n in found["caches"].items())
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    lines = {
        "CPU": f"{found['cpu_model']}, {found['cpus_available']} CPUs; {caches}",
        "system": f"{found['platform']}, Python {found['python']}",
        "fusedloss": f"{ours['version']}, {ours['level']} kernels, {ours['compiler']}",
        "peers": versions,
        "commits, and how many questions": "; ".join(commits),
        "date": found["date"],
        "threads": "1 for all, but where it says so; with peers bound to one CPU",
        "environment": ", ".join(f"`{k}={v}`" for k, v in found["environment"].items()) or "none",
    }
    table = markdown(pd.DataFrame({"what made these numbers": lines}), "", left=2)
    used = {"cpu": found["cpu_model"], "level": ours["level"], "versions": versions}
    return used | {"facts": table}


def usual(records: Frame) -> Frame:
    """Of each function its usual shape, which alone has been asked in float64."""
    asked = pd.MultiIndex.from_frame(records[["loss", "shape"]])
    return records[asked.isin(asked[records.dtype == "float64"])]


def gradients(records: Frame, dtype: str = "float32") -> Frame:
    return records[records.result.isin([GRAD, RESULT]) & (records.dtype == dtype)]


def glance_table(records: Frame) -> str:
    table = glance(records).rename(columns={"mean": "mean (geometric)"})
    return markdown(table, "time relative to fusedloss")


def glance_of_others(records: Frame) -> str:
    asked = {
        "the value alone, float32": records[records.result == VALUE],
        "float64": gradients(records, "float64"),
        "one element, float32": gradients(records[records["size"] == 1]),
        "16 million elements, float32": gradients(records[records["size"] == 16_000_000]),
    }
    cells = {
        name: {
            who: f"{number(x['mean'])} ({x.wins:.0f} of {x.functions:.0f})"
            for who, x in glance(some).iterrows()
        }
        for name, some in asked.items()
    }
    return markdown(Frame(cells, index=RIVALS).T.astype(object).fillna(""), "mean (wins)")


def _labelled(table: Frame, records: Frame) -> Frame:
    """With the loss and the shape in place of the question, and the kernel's time."""
    own = records[records.implementation == FUSED].set_index("group").loc[table.index]
    table.insert(0, "ns/element", own.ns)
    return table.set_index("`" + own.loss + "` " + own["shape"])


def functions(records: Frame) -> str:
    table = wide(records, lambda r: relative(r, bold=True), (MEMORY, *RIVALS))
    return markdown(_labelled(table, records), "loss, shape")


def outputs(given: Frame, kept: Frame | None) -> str:
    def cells(records: Frame, prefix: str = "") -> Frame:
        names = (FRESH, "torch", "torch.compile", "jax.jit", NUMPY)
        table = wide(records.assign(composed=False), lambda r: relative(r, bold=True), names)
        return table.add_prefix(prefix)

    tables = [cells(given)] + ([] if kept is None else [cells(kept, "kept: ")])
    return markdown(
        _labelled(pd.concat(tables, axis=1).astype(object).fillna(""), given), "loss, shape"
    )


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
    by_reason: dict[str, list[dict[str, str]]] = {}
    for (loss, name), some in slower.groupby(["loss", "implementation"]):
        places = "; ".join(sorted(set(some.dtype + " " + some["shape"] + " " + some.result)))
        line = {"loss": f"`{loss}`", "who": name, "at worst": number(some.relative_time.min())}
        by_reason.setdefault(known_reason(loss, name), []).append(line | {"where": places})
    return "\n".join(
        f"**{reason[0].upper()}{reason[1:]}:**\n\n"
        + markdown(Frame(lines).set_index("loss"), "loss", left=4)
        for reason, lines in by_reason.items()
    )


def threads(records: Frame) -> str:
    records = records.assign(who=records.implementation.str.partition(",")[0])
    best = records.pivot(index="group", columns=["who", "threads"], values="best")
    first = records.drop_duplicates("group").set_index("group")
    best = best.loc[first.index]
    who, counts = records.who.unique(), sorted(records.threads.unique())
    table = Frame({"1 thread": first.best.map(duration)})
    for name in who:
        for n in counts[1:]:
            table[f"{name}: {n} threads, × faster"] = best[name, 1] / best[name, n]
    for name in who[1:]:
        for n in counts:
            table[f"{name}, threads: {n}"] = best[name, n] / best[FUSED, n]
    return markdown(table.set_index("`" + first.loss + "` " + first["shape"]), "loss, shape")


def noise(every: Frame) -> str:
    ratios = every[every.noise > 0].groupby("suite", sort=False)
    table = Frame(
        {
            "ratios": ratios.size(),
            "median": ratios.noise.median().map("{:.1%}".format),
            f"above {NOISY:.0%}": ratios.noise.agg(lambda x: (x > NOISY).sum()).astype(int),
            "waited, mean": ratios.waited_for_cpu.mean().map("{:.1%}".format),
            "max": ratios.waited_for_cpu.max().map("{:.0%}".format),
        }
    )
    return markdown(table, "suite")


# --- accuracy, memory ---------------------------------------------------------------------------


def made_by(data: dict[str, Any]) -> str:
    return f"`{data['command']}`, commit `{data['commit']}`."


def accuracy(rows: Frame) -> str:
    sound = rows[rows.part.notna()].assign(kind=rows.inputs.str.partition(",")[0])
    groups = sound.groupby(["dtype", "kind", "implementation"], sort=False)
    cells = groups.apply(
        lambda x: (
            f"{number(x.p99.median())} / {number(x.p99.max())}, "
            f"{x.wrong.sum() / x['count'].sum():.1%}"
        )
    )
    table = cells.unstack()[[n for n in (FUSED, *RIVALS) if n in sound.implementation.unique()]]
    table.index = table.index.map(", ".join)
    return markdown(table, "median / largest, wrong")


def accuracy_picture(rows: Frame, path: Path) -> None:
    some = rows[(rows.dtype == "float32") & rows.inputs.str.startswith("tails")]
    some = some[some["shape"].map(lambda shape: list(shape[1:]) in ([], [10], [3], [4], [7]))]
    some = some[(some["count"] > some.wrong) & some.loss.isin(HEADLINE)]
    last = some.groupby(["loss", "implementation"], sort=False).tail(1)  # the gradient, if any
    plots.rows(
        path,
        "Gradients in float32, inputs with tails (results that are wrong left out)",
        "99th percentile of the error, in units in the last place",
        {
            loss: {r.implementation: max(r.p99, 0.3) for r in x.itertuples()}
            for loss, x in last.groupby("loss", sort=False)
        },
        0.5,
        "as good as it gets",
    )


def memory(peaks: Frame) -> str:
    label = "`" + peaks.loss + "` (" + peaks["shape"].map(lambda s: ", ".join(map(str, s))) + ")"
    peaks = peaks.assign(
        label=label, text=peaks.extra_bytes.map(size_text, na_action="ignore").fillna("failed")
    )
    table = peaks.pivot(index="label", columns="implementation", values="text").fillna("")
    first = peaks.drop_duplicates("label").set_index("label")
    table = table.loc[first.index, peaks.implementation.unique()]
    for name in ("gradient", "input"):
        table.insert(0, f"{name}s", first[f"{name}_bytes"].map(size_text))
    return markdown(table, "loss, shape")


def packages(found: Frame) -> str:
    table = Frame(
        {
            "import": (found.import_seconds * 1e3).map("{:.0f} ms".format),
            "own size": found.own_bytes.map(size_text),
            "with what it needs": found.installed_bytes.map(size_text),
        }
    )
    levels = found.levels.where(found.levels == "", " (" + found.levels + ")")
    return markdown(table.set_index(found.name + " " + found.version + levels), "package")


# --- all of it ----------------------------------------------------------------------------------


def curves(records: Frame, axis: str, title: str, path: Path) -> None:
    some = records[records.implementation != FRESH]
    x = some["size"] if axis == "elements" else some["shape"].str.partition("x")[2].astype(int)
    title = f"{title}: value and gradient, float32, one thread"
    plots.curves(path, title, (axis, "ns per element"), some.assign(x=x))


def speed_picture(records: Frame, path: Path) -> None:
    some = records[records.implementation.isin(RIVALS) & records.loss.isin(HEADLINE)]
    order = sorted(some.loss.unique(), key=HEADLINE.index)
    values = {}
    for loss in order:
        own = some[some.loss == loss]
        label = f"{loss} {own['shape'].iloc[0]}"
        values[label] = dict(zip(own.implementation, own.relative_time, strict=True))
    plots.rows(
        path,
        "Value and gradient, float32, one thread",
        "time of others divided by that of fusedloss",
        values,
        1.0,
        "right of this line fusedloss is faster",
    )


def _results(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None


def page(results: Path, folder: Path) -> tuple[Text, list[str]]:
    """The texts of the page, with its pictures and the CSV files written; and what is missing."""
    found = {suite: load(results, suite) for suite in SUITES}
    files = {suite: pair[0] for suite, pair in found.items() if pair}
    main = found["peers"] or found["full"]
    if main is None:
        raise SystemExit(f"nothing to report: neither peers.json nor full.json is in {results}")
    every = pd.concat(files.values())
    every.drop(columns="absent").to_csv(results / "speed.csv", index=False, float_format="%.4g")
    slower = losing(every[every.suite != "threads"]) or "Nowhere in what was measured."
    text = facts(main[1], every) | {"losing": slower, "noise": noise(every)}
    if "peers" in files:
        chosen = gradients(usual(files["peers"]))
        speed_picture(chosen, folder / "speed.svg")
        text |= {"glance": glance_table(chosen), "functions": functions(chosen)}
        text["glance_of_others"] = glance_of_others(files["peers"])
        text["absent"] = absent(files["peers"])
    if "full" in files:
        text |= {"full": glance_table(files["full"]), "count": str(files["full"].group.nunique())}
    if "sizes" in files:
        curves(files["sizes"], "elements", "Time against size", folder / "sizes.svg")
    if "classes" in files:
        title = "cross_entropy of a million logits"
        curves(files["classes"], "classes", title, folder / "classes.svg")
    if "threads" in files:
        text["threads"] = threads(files["threads"])
    if "outputs" in files:
        text["outputs"] = outputs(files["outputs"], files.get("kept"))
    missing = [f"{suite}.json" for suite in SUITES if suite not in files]
    if data := _results(results / "accuracy.json"):
        again = _results(results / "accuracy-again.json") or {"rows": []}
        key = ["loss", "dtype", "inputs", "implementation", "part"]
        rows = Frame(data["rows"] + again["rows"]).drop_duplicates(key, keep="last")
        accuracy_picture(rows, folder / "accuracy.svg")
        rows.to_csv(results / "accuracy.csv", index=False, float_format="%.3g")
        text |= {"accuracy": accuracy(rows), "accuracy_made": made_by(data)}
    if sizes := _results(results / "memory.json"):
        text |= {"packages": packages(Frame(sizes["packages"])), "memory_made": made_by(sizes)}
        if sizes["peaks"]:
            text["memory"] = memory(Frame(sizes["peaks"]))
    missing += ["accuracy.json"] * (data is None) + ["memory.json"] * (sizes is None)
    return text, missing


def filled(template: str, text: Text, folder: Path) -> Iterator[str]:
    """A template, without the sections that there is no result or picture for."""
    for section in re.split(r"(?m)^(?=## )", template):
        pictures = re.findall(r"\]\((\w+\.svg)\)", section)
        known = set(Template(section).get_identifiers()) <= text.keys()
        if known and all((folder / name).exists() for name in pictures):
            yield Template(section).substitute(text)


def readme(shown: str, text: Text, folder: str) -> str:
    """The README with the first picture and table in place of those that are there."""
    begin, end = MARKS
    head, _, rest = shown.partition(begin)
    _, _, tail = rest.partition(end)
    if not tail:
        raise SystemExit(f"README.md has no {begin} and {end}")
    template = Path(__file__).with_name("readme_template.md").read_text(encoding="utf-8")
    block = Template(template).substitute(text | {"folder": folder})
    return f"{head}{begin}\n\n{block}{end}{tail}"


def write(results: Path, folder: Path, front: Path | None = None) -> list[str]:
    """The report, and what the README shows of it; returns the names of results that it lacks."""
    folder.mkdir(parents=True, exist_ok=True)
    text, missing = page(results, folder)
    template = Path(__file__).with_name("report_template.md").read_text(encoding="utf-8")
    parts = [*filled(template, text, folder)]
    if missing:
        parts.append(f"Not measured for this page: {', '.join(missing)}.\n")
    shown = re.sub(r"\n{3,}", "\n\n", "".join(parts))
    (folder / "index.md").write_text(shown, encoding="utf-8")
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
