"""Records of comparisons as a data frame, and what the summary and the report make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.cases import shape_text
from bench.implementations import FRESH, FUSED, MEMORY, NUMPY, PEERS
from bench.interleave import NOISY, SHARED_CPU

#: In the order of the tables.
RIVALS = (NUMPY, *PEERS)


def frame(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A line for each implementation in each question (`group`)."""
    found = pd.DataFrame(records)
    found["size"] = [prod(shape) for shape in found["shape"]]
    found["shape"] = [shape_text(tuple(shape)) for shape in found["shape"]]
    found["ns"] = found.best * 1e9 / found["size"]  # per element
    found["doubtful"] = (found.noise > NOISY) | (found.waited_for_cpu > SHARED_CPU)
    return found


def load(folder: Path, suite: str) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """The records in SUITE.json, and its machine. Questions that SUITE-again.json has, too, were
    measured again there."""
    frames, facts = [], {}
    for path in (folder / f"{suite}.json", folder / f"{suite}-again.json"):
        if path.exists():
            raw = json.loads(path.read_text())
            commit = (raw["commit_info"].get("id") or "unknown")[:10]
            commit += "+" * bool(raw["commit_info"].get("dirty"))
            records = [{"group": b["group"], **b["extra_info"]} for b in raw["benchmarks"]]
            frames.append(frame(records).assign(suite=suite, commit=commit))
            facts = raw["machine_info"] | {"date": raw["datetime"][:10]}
    if not frames:
        return None
    order = frames[0].group.unique()
    again = pd.concat(frames[1:]) if frames[1:] else frames[0][:0]
    kept = frames[0][~frames[0].group.isin(again.group)]
    both = pd.concat([kept, again]) if len(again) else kept
    rank = {group: k for k, group in enumerate(order)}
    both = both.sort_values("group", key=lambda g: g.map(rank), kind="stable")
    return both.reset_index(drop=True), facts


# --- text ---------------------------------------------------------------------------------------


def number(x: float) -> str:
    """Three digits: there is no truth in a fourth."""
    if x >= 1e5:
        return f"{x:.1e}"
    return f"{x:.{2 if x < 9.995 else 1 if x < 99.95 else 0}f}"


def with_unit(x: float, units: dict[str, float], smallest: str = "") -> str:
    found = next(((x / size, name) for name, size in units.items() if x >= size), None)
    return f"{number(found[0])} {found[1]}" if found else f"{x:.0f} {smallest}"


def duration(seconds: float) -> str:
    return with_unit(seconds * 1e9, {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1}, "ns")


def size_text(count: float) -> str:
    return with_unit(count, {"GB": 1e9, "MB": 1e6, "kB": 1e3}, "B")


def relative(record: Any, bold: bool = False) -> str:
    """Time relative to the kernel's; of plain memory what part of its speed the kernel reaches."""
    if record.implementation == MEMORY:
        return f"{100 * record.relative_time:.0f} %"
    text = number(record.relative_time)
    # Of others than torch it goes without saying.
    composed = record.composed and record.implementation.startswith("torch")
    marks = "c" * bool(composed) + "?" * bool(record.doubtful)
    return f"{f'**{text}**' if bold and record.relative_time < 1 else text} {marks}".strip()


def wide(records: pd.DataFrame, cell: Callable[[Any], str]) -> pd.DataFrame:
    """A line for each question, a column for each implementation."""
    texts = records.assign(text=[cell(record) for record in records.itertuples()])
    found = texts.pivot(index="group", columns="implementation", values="text").fillna("")
    return found.loc[records.group.unique(), records.implementation.unique()]


def markdown(heads: Sequence[str], lines: Iterable[Sequence[str]], left: int = 1) -> str:
    """A table; its first columns to the left."""
    rule = [":---"] * left + ["---:"] * (len(heads) - left)
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, rule, *lines]) + "\n"


# --- who wins -----------------------------------------------------------------------------------


def geometric_mean(x: Any) -> float:
    return float(np.exp(np.log(x).mean()))


def glance(records: pd.DataFrame) -> pd.DataFrame:
    """By whom how many questions were answered, with which times relative to the kernels'."""
    times = records.groupby("implementation").relative_time
    found = pd.DataFrame(
        {
            "functions": times.size(),
            "mean": times.agg(geometric_mean),
            "min": times.min(),
            "max": times.max(),
            "wins": times.agg(lambda x: (x < 1).sum()),
        }
    )
    return found.loc[[name for name in RIVALS if name in found.index]]


def summary(records: pd.DataFrame, facts: dict[str, Any]) -> Iterator[str]:
    """What is printed at the end of a run."""
    ours = facts["fusedloss"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    yield f"{facts['cpu_model']}, {facts['cpus_available']} CPUs; Python {facts['python']}"
    yield f"fusedloss {ours['version']}: {ours['level']} kernels, {ours['compiler']}; {versions}"
    yield "fused: best time of interleaved runs; others: their time by it; memory: what part of the"
    yield "speed of only reading and writing the same arrays is reached; ?: not to be trusted"
    first = records.groupby("group", sort=False).first()
    for loss, some in records.groupby("loss", sort=False):
        rivals = some[some.implementation != some.group.map(first.implementation)]
        table = wide(rivals, relative)
        own = first.loc[some.group.unique()]
        labels = own.dtype.str.cat([own["shape"], own.result], sep="  ")
        table.insert(0, "ns/element", own.ns.map(number))
        table.insert(0, "fused", own.best.map(duration))
        table.index = pd.Index(labels.loc[table.index], name=None)
        yield ""
        yield from table.rename_axis(loss, axis=1).to_string().splitlines()
    yield ""
    for name, line in glance(records).iterrows():
        yield (
            f"{name}: {number(line['mean'])} in the geometric mean of {line.functions:.0f}, "
            f"{number(line['min'])} to {number(line['max'])}; faster than the kernels in "
            f"{line.wins:.0f}"
        )
        wins = records[(records.implementation == name) & (records.relative_time < 1)]
        yield from (f"  {group}" for group in wins.group)
    noise, waited = records.noise[records.noise > 0], records.waited_for_cpu
    yield (
        f"Noise: two halves of a comparison differ by {noise.median():.1%} in the median, "
        f"{noise.max():.0%} at most; the process waited for a CPU for {waited.mean():.1%} of the "
        f"time, {waited.max():.0%} at most."
    )
