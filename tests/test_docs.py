"""The pages: what is made from docstrings is up to date, what is copied stands in the sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fusedloss as fl
from docs import gallery, tables
from fusedloss._core import frameworks

ROOT = Path(__file__).parent.parent
FUNCTIONS = [name for name in fl.__all__ if isinstance(getattr(fl, name), (fl.Loss, fl.Activation))]
CLASSES = [n for n in fl.__all__ if isinstance(vars(getattr(fl, n)).get("loss"), fl.Loss)]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", tables.BLOCKS)
def test_tables_are_up_to_date(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == tables.pages()[ROOT / page], (
        "make docs-tables writes it anew"
    )


def test_everything_is_listed() -> None:
    words = set(re.findall(r"\w+", (ROOT / "docs/losses.md").read_text(encoding="utf-8")))
    assert set(FUNCTIONS + CLASSES) <= words
    assert len(CLASSES) == sum(isinstance(getattr(fl, name), fl.Loss) for name in FUNCTIONS)


def test_reference_has_everything_once() -> None:
    pages = [(ROOT / "docs/reference.md").read_text(encoding="utf-8"), *tables.api().values()]
    pattern = r"^\.\. (?:autofunction|autoclass|class):: (\w+)"
    named = [name for text in pages for name in re.findall(pattern, text, re.MULTILINE)]
    assert sorted(named) == fl.__all__


def test_gallery_has_every_elementwise_loss() -> None:
    """Curves can be computed, and none of the losses that could be drawn is missing."""
    drawn = [curves for losses in gallery.GALLERY.values() for curves in losses]
    for curves in drawn:
        x, found = gallery.numbers(curves)
        assert all(len(part) == len(x) for parts in found.values() for part in parts), curves.loss
    modules = [getattr(fl, name) for name in frameworks.ELEMENTWISE]
    losses = {x.__name__ for module in modules for x in tables.members(module)}
    assert losses <= {curves.loss for curves in drawn}


@pytest.mark.parametrize(
    "tex, text",
    [
        (r"w \, \delta^2 (s - 1)", "w δ² (s - 1)"),
        (r"\log(1 + e^{-t x}) + e^x", "log(1 + exp(-t x)) + exp(x)"),
        (r"\frac{w}{2} \left( \frac{d^2}{v} + \sqrt{v} \right)", "w/2 (d²/v + √(v))"),
        (r"t \frac{\mu^{1 - p}}{1 - p}, 10^{-12}", "t μ^(1 - p)/(1 - p), 10⁻¹²"),
        (r"\begin{cases} x & t = 1 \\ 0 & t \le 0 \end{cases}", "{x for t = 1, 0 for t ≤ 0}"),
        (r"\operatorname{sign}(x - t) \sum_j e^{x_j}", "sign(x - t) Σ_j exp(x_j)"),
    ],
)
def test_formulas_in_a_line(tex: str, text: str) -> None:
    assert tables.plain(tex) == text


def test_examples_of_contributing_stand_in_the_sources() -> None:
    folders = ("kernels", "src/fusedloss", "tests/losses")
    files = [f for folder in folders for f in (ROOT / folder).rglob("*.p*") if f.suffix != ".pyc"]
    sources = {line.strip() for f in files for line in f.read_text(encoding="utf-8").splitlines()}
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:cython|python)\n(.*?)```", text, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`((?:elif Formula|register_formula\[|BAD_)[^`]*)`", text)
    assert len(blocks) == 3 and len(inline) == 3
    assert [x for x in lines if "..." not in x and x not in sources] == []
    assert [x for x in inline if not any(x in line for line in sources)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages(page: Path) -> None:
    text = re.sub(r"`[^`]*`", "", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
