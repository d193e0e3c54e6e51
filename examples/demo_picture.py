"""The picture of demo.py: learning curves, and the time of a loss step."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws to a file, needs no display

import matplotlib.pyplot as plt
import numpy as np
from demo_training import Result
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

COLOURS = ("#0072b2", "#d55e00", "#009e73")  # told apart by colour-blind readers, too
GREY = "#b0b0b0"


def draw(digits: list[Result], regressions: list[Result], path: Path) -> None:
    """Draw all four panels and save them."""
    layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.15)  # inches
    figure, panels = plt.subplots(2, 2, figsize=(12.5, 9), layout=layout)
    draw_losses(panels[0, 0], digits)
    draw_accuracies(panels[0, 1], digits)
    draw_regressions(panels[1, 0], regressions)
    draw_times(panels[1, 1], digits + regressions[1:])  # the first two do the same steps
    for panel in panels.flat:
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_losses(panel: Axes, results: list[Result]) -> None:
    """Training loss over epochs."""
    for result, colour in zip(results, COLOURS, strict=True):
        draw_curve(panel, result.task.name, result.fused.losses, result.twin.losses, colour)
    panel.set(
        title="Digits: training loss",
        xlabel="epoch",
        ylabel="mean loss on the training data (log scale)",
        yscale="log",
    )
    add_legend(panel)


def draw_accuracies(panel: Axes, results: list[Result]) -> None:
    """Held-out accuracy over epochs."""
    for result, colour in zip(results, COLOURS, strict=True):
        draw_curve(panel, result.task.name, result.fused.scores, result.twin.scores, colour)
    panel.set(
        title="Digits: accuracy on held-out images",
        xlabel="epoch",
        ylabel="held-out accuracy (%)",
        ylim=(85, 100),
    )
    panel.axhline(95, color="black", linewidth=0.8, linestyle=":")
    panel.annotate(
        "required: 95 %",
        (1, 95),
        (0, -3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize="small",
    )
    add_legend(panel)


def draw_regressions(panel: Axes, results: list[Result]) -> None:
    """Held-out error over iterations; training on clean data is the broad grey reference."""
    styles = ((GREY, 5.0), (COLOURS[1], 1.6), (COLOURS[0], 1.6))
    for result, (colour, width) in zip(results, styles, strict=True):
        draw_curve(panel, result.task.name, result.fused.scores, result.twin.scores, colour, width)
    panel.set(
        title="Diabetes: a tenth of the training targets spoilt (x 10)",
        xlabel="iteration",
        ylabel="held-out mean absolute error (points of progression)",
        ylim=(0, None),
    )
    add_legend(panel)


def draw_curve(
    panel: Axes,
    name: str,
    fused: list[float],
    twin: list[float],
    colour: str,
    width: float = 1.6,
) -> None:
    """fusedloss as a line, and the NumPy twin as rings, which should lie on that line."""
    steps = np.arange(1, len(fused) + 1)
    panel.plot(steps, fused, color=colour, linewidth=width, label=name)
    some = slice(None, None, max(1, len(twin) // 20))
    panel.plot(steps[some], twin[some], "o", color=colour, markersize=6, markerfacecolor="none")


def add_legend(panel: Axes) -> None:
    """Names of the models by colour; names of the libraries by line and ring."""
    handles, _ = panel.get_legend_handles_labels()
    line = Line2D([], [], color="black", linewidth=1.6, label="fusedloss")
    rings = Line2D([], [], color="black", marker="o", markerfacecolor="none", linestyle="")
    rings.set_label("NumPy twin")
    panel.legend(handles=[*handles, line, rings], frameon=False)


def draw_times(panel: Axes, results: list[Result]) -> None:
    """Bars: the median time of one loss step."""
    rows = np.arange(len(results))
    fused = [result.fused.step_microseconds for result in results]
    twin = [result.twin.step_microseconds for result in results]
    panel.barh(rows - 0.2, fused, height=0.38, color=COLOURS[0], label="fusedloss")
    panel.barh(rows + 0.2, twin, height=0.38, color=GREY, label="NumPy twin")
    for row, result in zip(rows, results, strict=True):
        longest = max(result.fused.step_microseconds, result.twin.step_microseconds)
        panel.annotate(
            f"{result.speedup:.1f} x as fast",
            (longest, row),
            (6, 0),
            textcoords="offset points",
            va="center",
        )
    panel.set(
        title="Time of one loss step: value and gradient",
        xlabel="median time of a step (µs)",
        yticks=rows,
        yticklabels=[f"{result.task.name}\n{shape_of(result)}" for result in results],
    )
    panel.invert_yaxis()
    panel.margins(x=0.25)
    panel.legend(frameon=False, loc="lower right")


def shape_of(result: Result) -> str:
    """The shape of the array that the loss sees."""
    return f"{result.task.batch_size} x {result.task.layers[-1]}"
