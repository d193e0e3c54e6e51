"""The pictures of the report: SVG that follows the reader's light or dark colours."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

#: Colours that the page decides about: what is drawn in them, in light and in dark.
_INK, _PAPER, _FAINT = "#010203", "#fdfcfb", "#c1c2c3"
_THEMES = {
    _INK: ("--ink", "#1f2328", "#e6edf3"),
    _PAPER: ("--paper", "#ffffff", "#0d1117"),
    _FAINT: ("--faint", "#d0d7de", "#30363d"),
}
#: These show on both; the markers tell them apart without colours.
STYLES = {
    "fused": ("#e8590c", "o"),
    "numpy": ("#868e96", "s"),
    "torch": ("#4c6ef5", "^"),
    "torch.compile": ("#9775fa", "v"),
    "jax.jit": ("#12b886", "D"),
    "numba": ("#c08b1f", "P"),
    "numexpr": ("#a47764", "X"),
    "scikit-learn": ("#e64980", "<"),
    "SciPy": ("#1098ad", ">"),
    "memory": ("#868e96", "_"),
    "fused, rows in order": ("#fab005", "*"),
    "plan": ("#4c6ef5", "^"),
}
_RC: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fusedloss",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Segoe UI", "Helvetica", "Arial", "DejaVu Sans"],
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    **dict.fromkeys(("axes.edgecolor", "grid.color"), _FAINT),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), _PAPER),
}


@contextmanager
def _drawn(path: Path, title: str, height: float) -> Iterator[Any]:
    """A figure; afterwards it is in the file."""
    with mpl.rc_context(_RC):
        figure = plt.figure(figsize=(8.4, height), layout="constrained")
        yield figure
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Title": title, "Date": None})
        plt.close(figure)
    path.write_text(_themed(text.getvalue()), encoding="utf-8")


def _themed(svg: str) -> str:
    """With the page's colours in place of those that stand for them."""
    light = "".join(f"{name}:{colour};" for name, colour, _ in _THEMES.values())
    dark = "".join(f"{name}:{colour};" for name, _, colour in _THEMES.values())
    for stands, (name, colour, _) in _THEMES.items():
        svg = svg.replace(stands, f"var({name}, {colour})")
    style = f"<style>:root{{{light}}}@media (prefers-color-scheme: dark){{:root{{{dark}}}}}</style>"
    head, opening, rest = svg.partition("<metadata>")
    return "\n".join(line.rstrip() for line in (head + style + opening + rest).splitlines()) + "\n"


def _style(name: str) -> dict[str, Any]:
    colour, marker = STYLES.get(name) or STYLES.get(name.partition(",")[0], ("#868e96", "."))
    return {"color": colour, "marker": marker, "label": name}


def rows(
    path: Path,
    title: str,
    label: str,
    values: Mapping[str, Mapping[str, float]],
    mark: float,
    marked: str,
) -> None:
    """A line of points for each row: numbers by who, on a logarithmic axis."""
    known = {who for points in values.values() for who in points}
    with _drawn(path, title, 2.0 + 0.24 * len(values)) as figure:
        axes = figure.subplots()
        for who in (name for name in STYLES if name in known):
            shown = [(p[who], k) for k, p in enumerate(values.values()) if who in p]
            axes.plot(*zip(*shown, strict=True), linestyle="none", **_style(who))
        axes.axvline(mark, color=_INK, linewidth=1)
        place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        axes.annotate(marked, (mark, 1), xytext=(4, 4), fontsize=9, **place)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(mpl.ticker.LogFormatter(minor_thresholds=(2, 0.5)))
        axes.set_yticks(range(len(values)), list(values))
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.set_xlabel(label)
        axes.set_title(title, pad=18)
        figure.legend(loc="outside lower center", ncols=5)


def curves(path: Path, title: str, labels: tuple[str, str], records: Any) -> None:
    """Of a data frame ns against x by who, points joined by lines; a panel for each loss."""
    losses = records.loss.unique()
    count = len(losses)
    with _drawn(path, title, 4.2 if count < 3 else 6.8) as figure:
        grid = figure.subplots((count + 1) // 2, min(count, 2), squeeze=False, sharey=True)
        known: dict[str, Any] = {}
        for axes, loss in zip(grid.flat, losses, strict=False):
            for who, points in records[records.loss == loss].groupby("implementation", sort=False):
                shown = points.sort_values("x")
                (known[who],) = axes.plot(shown.x, shown.ns, **_style(who))
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.minorticks_off()
            axes.set_title(loss if count > 1 else "")
            axes.set_xlabel(labels[0])
        for axes in grid[:, 0]:
            axes.set_ylabel(labels[1])
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=5)


#: Curves of one panel, in this order: these show on light and on dark paper.
_SERIES = (("#e8590c", "-"), ("#4c6ef5", "--"), ("#12b886", "-."))
_PARTS = ("value", "gradient", "second derivative")


def derivatives(path: Path, losses: list[tuple[str, str, Any, Mapping[str, Any]]]) -> None:
    """For each loss a row of panels: value, gradient and second derivative against the prediction.
    A loss is its name, what the prediction is, the predictions, and by label the three curves."""
    with _drawn(path, ", ".join(name for name, *_ in losses), 0.5 + 1.9 * len(losses)) as figure:
        grid = figure.subplots(len(losses), len(_PARTS), squeeze=False)
        for row, (name, what, x, curves) in zip(grid, losses, strict=True):
            for axes, k, part in zip(row, range(len(_PARTS)), _PARTS, strict=True):
                for (label, found), (colour, line) in zip(curves.items(), _SERIES, strict=False):
                    axes.plot(x, found[k], line, color=colour, label=label)
                axes.set_xlabel(what)
                axes.set_title(name if k == 0 else part, fontsize=10 if k else 11)
                if k == 0:
                    axes.set_ylabel(part)
                    axes.legend(fontsize=8)
