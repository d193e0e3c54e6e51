"""The pictures of the report: SVG that follows the reader's light or dark colours."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

#: Colours that the page decides about: what is drawn in them, in light and in dark.
_INK, _PAPER, _FAINT = "#010203", "#fdfcfb", "#c1c2c3"
_THEMES: Final = {
    _INK: ("--ink", "#1f2328", "#e6edf3"),
    _PAPER: ("--paper", "#ffffff", "#0d1117"),
    _FAINT: ("--faint", "#d0d7de", "#30363d"),
}
#: These show on both; the markers tell them apart without colours.
STYLES: Final[dict[str, tuple[str, str]]] = {
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
}
_RC: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fusedloss",
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Segoe UI", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "figure.facecolor": _PAPER,
    "axes.facecolor": _PAPER,
    "savefig.facecolor": _PAPER,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


@contextmanager
def _drawn(path: Path, title: str, width: float, height: float, columns: int = 1) -> Iterator[Any]:
    """A figure with so many axes; afterwards it is in the file."""
    with mpl.rc_context(_RC):
        figure, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained")
        yield axes
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
    colour, marker = STYLES.get(name.partition(",")[0], ("#868e96", "."))
    return {"color": colour, "marker": marker, "label": name}


def rows(
    path: Path,
    title: str,
    label: str,
    values: Mapping[str, Mapping[str, float]],
    mark: float | None = None,
    marked: str = "",
) -> None:
    """A line of points for each row: numbers by who, on a logarithmic axis."""
    names = list(dict.fromkeys(who for points in values.values() for who in points))
    with _drawn(path, title, 8.4, 2.0 + 0.24 * len(values)) as axes:
        places = range(len(values))
        for who in names:
            shown = [(p[who], k) for k, p in zip(places, values.values(), strict=True) if who in p]
            x, y = zip(*shown, strict=True)
            axes.plot(x, y, linestyle="none", **_style(who))
        if mark is not None:
            axes.axvline(mark, color=_INK, linewidth=1)
            axes.annotate(
                marked,
                (mark, 1),
                xycoords=("data", "axes fraction"),
                xytext=(4, 4),
                textcoords="offset points",
                fontsize=9,
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(mpl.ticker.LogFormatter(minor_thresholds=(2, 0.5)))
        axes.set_yticks(list(places), list(values))
        axes.invert_yaxis()
        axes.set_ylim(len(values) - 0.5, -0.5)
        axes.set_xlabel(label)
        axes.set_title(title, pad=18)
        axes.figure.legend(loc="outside lower center", ncols=5)


def curves(
    path: Path,
    title: str,
    labels: tuple[str, str],
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]],
    log_y: bool = True,
) -> None:
    """Points joined by lines, by who; panels side by side, with one legend."""
    count = len(panels)
    with _drawn(path, title, 8.4, 4.2 if count < 3 else 6.8) as axes:
        figure = axes.figure
        axes.remove()
        grid = figure.subplots((count + 1) // 2, min(count, 2), squeeze=False, sharey=log_y)
        known: dict[str, Any] = {}
        for ax, (name, lines) in zip(grid.flat, panels.items(), strict=False):
            for who, points in lines.items():
                x, y = zip(*sorted(points), strict=True)
                (line,) = ax.plot(x, y, **_style(who))
                if who.endswith("threads") and not who.startswith("fused"):
                    line.set_linestyle("--")
                known[who] = line
            ax.set_xscale("log")
            if log_y:
                ax.set_yscale("log")
            ax.minorticks_off()
            ax.set_title(name)
            ax.set_xlabel(labels[0])
        for ax in list(grid.flat)[count:]:
            ax.remove()
        for ax in grid[:, 0]:
            ax.set_ylabel(labels[1])
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=5)


def bars(path: Path, title: str, label: str, values: Mapping[str, float], ours: str) -> None:
    """Horizontal bars; ours in its colour."""
    with _drawn(path, title, 8.4, 1.2 + 0.34 * len(values)) as axes:
        colours = [STYLES["fused" if name == ours else "numpy"][0] for name in values]
        drawn = axes.barh(list(values), list(values.values()), 0.7, color=colours)
        axes.bar_label(drawn, fmt="%.0f", padding=3, fontsize=9)
        axes.margins(x=0.08)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(label)
        axes.set_title(title)
