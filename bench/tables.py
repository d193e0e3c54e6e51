"""Records of comparisons as a data frame, and what the summary and the report make of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.cases import shape_text
from bench.implementations import MEMORY, NUMPY, PEERS
from bench.interleave import NOISY, SHARED_CPU

#: In the order of the tables.
RIVALS = (NUMPY, *PEERS)


def frame(records: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """A line for each implementation in each question (`group`), the kernel's first."""
    found = pd.DataFrame(records)
    found["size"] = found["shape"].map(prod)
    found["shape"] = found["shape"].map(lambda shape: shape_text(tuple(shape)))
    found["ns"] = found.best * 1e9 / found["size"]  # per element
    found["doubtful"] = (found.noise > NOISY) | (found.waited_for_cpu > SHARED_CPU)
    return found


def load(folder: Path, suite: str) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """The records in SUITE.json, and its machine. Questions that SUITE-again.json has, too, were
    measured again there."""
    by_group: dict[str, list[dict[str, Any]]] = {}
    facts: dict[str, Any] = {}
    for path in (folder / f"{suite}.json", folder / f"{suite}-again.json"):
        if path.exists():
            raw = json.loads(path.read_text())
            commit = (raw["commit_info"].get("id") or "unknown")[:10]
            about = {"suite": suite, "commit": commit + "+" * bool(raw["commit_info"].get("dirty"))}
            newer: dict[str, list[dict[str, Any]]] = {}
            for b in raw["benchmarks"]:
                record = {"group": b["group"], **about, **b["extra_info"]}
                newer.setdefault(b["group"], []).append(record)
            by_group |= newer
            facts = raw["machine_info"] | {"date": raw["datetime"][:10]}
    records = [record for group in by_group.values() for record in group]
    return (frame(records), facts) if records else None


# --- text ---------------------------------------------------------------------------------------


def number(x: float) -> str:
    """Three digits: there is no truth in a fourth."""
    if isinstance(x, int | np.integer):
        return str(x)
    return f"{x:.1e}" if x >= 1e5 else f"{x:.{2 if x < 9.995 else 1 if x < 99.95 else 0}f}"


def _with_unit(x: float, *units: tuple[float, str]) -> str:
    size, name = next((unit for unit in units if x >= unit[0]), units[-1])
    return f"{number(x / size)} {name}"


def duration(seconds: float) -> str:
    return _with_unit(seconds, (1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def size_text(count: float) -> str:
    if count < 1e3:
        return f"{count:.0f} B"
    return _with_unit(count, (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def relative(record: Any, bold: bool = False) -> str:
    """Time relative to the kernel's; of plain memory what part of its speed the kernel reaches."""
    if record.implementation == MEMORY:
        return f"{100 * record.relative_time:.0f} %"
    text = number(record.relative_time)
    # Of others than torch it goes without saying.
    composed = record.composed and record.implementation.startswith("torch")
    marks = "c" * bool(composed) + "?" * bool(record.doubtful)
    return f"{f'**{text}**' if bold and record.relative_time < 1 else text} {marks}".strip()


def wide(
    records: pd.DataFrame, cell: Callable[[Any], str], columns: Iterable[str] | None = None
) -> pd.DataFrame:
    """A line for each question, a column for each implementation, or for those that are listed."""
    texts = records.assign(text=[cell(record) for record in records.itertuples()])
    found = texts.pivot(index="group", columns="implementation", values="text").fillna("")
    names = records.implementation.unique() if columns is None else columns
    return found.loc[records.group.unique(), [name for name in names if name in found]]


def markdown(table: pd.DataFrame, head: str, left: int = 1) -> str:
    """The index under a head, and all columns; the first ones to the left."""
    texts = table.map(lambda x: x if isinstance(x, str) else number(x))
    lines = [[head, *map(str, texts.columns)]]
    lines.append([":---"] * left + ["---:"] * (len(lines[0]) - left))
    lines += [[str(cell) for cell in line] for line in texts.itertuples()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


# --- who wins -----------------------------------------------------------------------------------


def glance(records: pd.DataFrame) -> pd.DataFrame:
    """By whom how many questions were answered, with which times relative to the kernels'."""
    times = records[records.implementation.isin(RIVALS)].groupby("implementation").relative_time
    found = times.agg(
        functions="size",
        mean=lambda x: np.exp(np.log(x).mean()),
        min="min",
        max="max",
        wins=lambda x: int((x < 1).sum()),
    )
    return found.reindex([name for name in RIVALS if name in found.index]).astype({"wins": int})


def summary(records: pd.DataFrame, facts: dict[str, Any]) -> Iterator[str]:
    """What is printed at the end of a run."""
    ours = facts["fusedloss"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    yield f"{facts['cpu_model']}, {facts['cpus_available']} CPUs; Python {facts['python']}"
    yield f"fusedloss {ours['version']}: {ours['level']} kernels, {ours['compiler']}; {versions}"
    yield "fused: best time of interleaved runs; others: their time by it; memory: what part of the"
    yield "speed of only reading and writing the same arrays is reached; ?: not to be trusted"
    for loss, some in records.groupby("loss", sort=False):
        own = some[~some.duplicated("group")].set_index("group")
        table = wide(some.drop(some.index[~some.duplicated("group")]), relative)
        table = table.reindex(own.index).fillna("")
        table.insert(0, "ns/element", own.ns.map(number))
        table.insert(0, own.implementation.iloc[0], own.best.map(duration))
        table.index = own.dtype.str.cat([own["shape"], own.result], sep="  ").rename(None)
        yield from ("", *table.rename_axis(loss, axis=1).to_string().splitlines())
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
