"""Writes the lists of losses into the pages: `make docs-tables`.

Everything comes from the package: names from its modules, options from signatures; formulas,
derivatives and the names in other libraries from docstrings. In a page it stands between
`<!-- name -->` and `<!-- end -->`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import fusedloss as fl

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))  # when run as a script

from docs import equivalents, gallery  # noqa: E402

LOSSES = (
    fl.regression,
    fl.binary,
    fl.distributions,
    fl.counts,
    fl.location_scale,
    fl.forecasts,
    fl.classification,
    fl.margins,
    fl.similarity,
    fl.contrastive,
    fl.linear_heads,
    fl.ranking,
    fl.regions,
    fl.boxes,
    fl.sequences,
    fl.survival,
    fl.ordinal,
    fl.grouped,
    fl.ndcg,
    fl.ensembles,
)

# ---- what there is -------------------------------------------------------------------------------


def members(module: ModuleType) -> list[Any]:
    """A module's losses or activations, in its order."""
    found = [x for x in vars(module).values() if isinstance(x, (fl.Loss, fl.Activation))]
    assert {x.__name__ for x in found} <= set(module.__all__)
    return found


def criterion(loss: fl.Loss[...]) -> type[fl.Criterion]:
    """The class that binds a loss's options."""
    family = sys.modules[loss.__module__]
    found = [
        x for x in vars(family).values() if isinstance(x, type) and vars(x).get("loss") is loss
    ]
    (cls,) = found
    return cls


def title(module: ModuleType) -> str:
    return (module.__doc__ or "").rstrip(".")


# ---- from reStructuredText and TeX to Markdown ---------------------------------------------------

SYMBOLS = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "mu": "μ",
    "nu": "ν",
    "psi": "ψ",
    "varphi": "φ",
    "Gamma": "Γ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "theta": "θ",
    "sum": "Σ",
    "cdot": "·",
    "ge": "≥",
    "le": "≤",
    "ne": "≠",
    "in": "∈",
    "notin": "∉",
    "cap": "∩",
    "cup": "∪",
    "lVert": "‖",
    "rVert": "‖",
    "Delta": "Δ",
    "dots": "…",
    "infty": "∞",
}
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def raised(exponent: str) -> str:
    if re.fullmatch(r"-?\d+", exponent):
        return exponent.translate(SUPERSCRIPTS)
    return f"^{exponent}" if len(exponent) == 1 else f"^({exponent})"


def over(above: str, below: str) -> str:
    """A fraction in a line."""
    simple = r"\S+|\|[^|]*\||[\w^]+\([^()]*\)"
    parts = [s if re.fullmatch(simple, s) else f"({s})" for s in (above, below)]
    return "/".join(parts)


def cases(match: re.Match[str]) -> str:
    rows = [row.split("&") for row in match[1].split(r"\\")]
    return "⦃" + ", ".join(f"{a.strip()} for {b.strip()}" for a, b in rows) + "⦄"


def plain(tex: str) -> str:
    """A formula in a line of Unicode; for the little TeX that docstrings use."""
    text = re.sub(r"\\begin\{cases\}(.*?)\\end\{cases\}", cases, tex, flags=re.DOTALL)
    text = re.sub(r"\\(left|right|Big|operatorname|mathrm|text)(?![a-z])", "", text).replace(
        r"\,", " "
    )
    text = text.replace(r"\{", "⦃").replace(r"\}", "⦄")
    text = re.sub(r"\\([A-Za-z]+)", lambda m: SYMBOLS.get(m[1], m[1]), text)
    text = re.sub(r"\be\^(\w)", r"exp(\1)", text)
    text = re.sub(r"\^(\w)", lambda m: raised(m[1]), text)
    text = re.sub(r"_\{(\w+) ([^{}]*)\}", r"_(\1 \2)", text)
    before = None
    while text != before:  # braces from the inside out
        before = text
        text = re.sub(r"\be\^\{([^{}]*)\}", r"exp(\1)", text)
        text = re.sub(r"\^\{([^{}]*)\}", lambda m: raised(m[1]), text)
        text = re.sub(r"\bfrac\{([^{}]*)\}\{([^{}]*)\}", lambda m: over(m[1], m[2]), text)
        text = re.sub(r"\bbinom\{([^{}]*)\}\{([^{}]*)\}", r"C(\1, \2)", text)
        text = re.sub(r"\bsqrt\{([^{}]*)\}", r"√(\1)", text)
        text = re.sub(r"(?<!frac)(?<!binom)(?<!\^)\{([^{}]*)\}(?!\{)", r"\1", text)
    assert not re.search(r"[\\{}]|frac|sqrt|binom", text), (
        f"docs/tables.py does not know how to write {tex}"
    )
    text = re.sub(r"([(\[]) +| +([)\]])", r"\1\2", " ".join(text.split()))
    return text.translate({ord("⦃"): "{", ord("⦄"): "}"})


def code(text: str) -> str:
    return f"`{text}`"


def markdown(text: str) -> str:
    """A paragraph of reStructuredText."""
    if text.startswith(".. math::"):
        return ""

    def put(match: re.Match[str]) -> str:
        formula, literal, name = match.groups()
        return code(plain(formula)) if formula else code(literal or name)

    return re.sub(r":math:`([^`]*)`|``([^`]*)``|`([^`]*)`", put, " ".join(text.split()))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0])]
    lines += [[cell.replace("|", r"\|") for cell in row] for row in rows]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in row) for row in lines)


#: Options that nearly every loss has.
COMMON = ("weight", "sample_weight", "where", "reduction", "out", "return_divisor")


# ---- what a docstring says -----------------------------------------------------------------------


def introduction(thing: Any) -> list[str]:
    """The paragraphs before the parameters."""
    paragraphs: list[str] = thing.__doc__.split("\n\nParameters\n")[0].split("\n\n")
    return paragraphs


def call(thing: Any) -> str:
    """How it is called: operands where they are not (input, target), and its own options."""
    shown, operands = [], []
    for p in inspect.signature(thing).parameters.values():
        if p.default is p.empty:
            operands.append(p.name)
        elif p.name not in COMMON:
            number = isinstance(p.default, float) and len(repr(p.default)) > 8
            shown.append(f"{p.name}={f'{p.default:.2g}' if number else repr(p.default)}")
    if operands != ["input", "target"]:
        shown = operands + shown
    return code(f"{thing.__name__}({', '.join(shown)})" if shown else thing.__name__)


def formula(thing: Any) -> str:
    """The displayed formula with what defines its letters, or the one in the first line."""
    paragraphs = ["", *introduction(thing), ""]
    displayed = [i for i, text in enumerate(paragraphs) if text.startswith(".. math::")]
    if not displayed:
        (first, *_) = re.findall(r":math:`([^`]*)`", paragraphs[1])
        return code(plain(first))
    before, block, after = paragraphs[displayed[0] - 1 : displayed[0] + 2]
    main, *more = (plain(x.strip(" ,\n")) for x in block[len(".. math::") :].split(r"\qquad"))
    text = code(main)
    for x in more:  # another definition, or another form of the loss
        text += f", {code(x)}" if " = " in x else f" or {code(x)}"
    if before.startswith("With "):
        letters = re.sub(r"^With (d = x - t( and |$))?", "", before.rstrip(":"))
        text += f"; {markdown(letters)}" if letters else ""
    if after.startswith("where "):
        text += f", {markdown(after).rstrip('.')}"
    return text


def derivatives(loss: fl.Loss[...]) -> str:
    """The sentences that give them."""
    sentences = [
        sentence
        for paragraph in introduction(loss)
        for sentence in re.split(r"(?<=\.) (?=[A-Z])", markdown(paragraph))
        if re.search(
            "derivatives with respect to|^With respect to|^The second", sentence, re.IGNORECASE
        )
    ]
    text = " ".join(sentences).rstrip(".")
    text = re.sub(r"^Derivatives with respect to x[:,] ", "", text)
    text = re.sub(r"^Derivatives ", "", text)
    text = text.replace(" the derivatives with respect to x are ", ": ")
    return re.sub(r"^W", "w", text)


COLUMNS = {
    "torch": r"torch|torch\.distributions|torchvision|timm|MONAI|segmentation_models\.pytorch"
    r"|allRank",
    "TensorFlow, Keras": r"tf\.losses|tf\.nn|tfa\.losses|Keras|TensorFlow Probability"
    r"|TF-Ranking",
    "optax": "optax|Rax",
    "scikit-learn, SciPy": r"scikit-learn|sklearn\.\w+|scipy(?:\.\w+)+|ngboost",
    "XGBoost, LightGBM": "XGBoost|LightGBM|CatBoost|XGBoostLSS",
    "statistics": "statsmodels|lifelines|scikit-survival|pycox|mord|coral-pytorch|spacecutter|R"
    "|Spark|scvi-tools|scoringrules|properscoring",
}


def elsewhere(thing: Any) -> list[str]:
    """The first paragraph of the notes, by library: its names, up to the first comma."""
    notes = thing.__doc__.split("\nNotes\n-----\n")[1].split("\n\n")[0]
    cells: dict[str, list[str]] = {column: [] for column in COLUMNS}
    for entry in " ".join(notes.split()).rstrip(".").split("; "):
        libraries, _, text = entry.partition(": ")
        for library in libraries.split(" and "):
            matching = [c for c, names in COLUMNS.items() if re.fullmatch(names, library)]
            assert len(matching) == 1, f"{thing.__name__}: no column for {library!r}"
            column = matching[0]
            names = re.match(r"(?:``[^`]*``|[^,`])*", text)
            assert names and "`" in names[0], f"{thing.__name__}: no name in {entry!r}"
            prefix = "" if library == column else f"{library} "
            more = " …" if names[0] != text else ""
            cells[column].append(prefix + markdown(names[0]) + more)
    return ["; ".join(cell) for cell in cells.values()]


# ---- the blocks ----------------------------------------------------------------------------------


def formulas() -> str:
    parts = []
    for module in LOSSES:
        rows = [
            [call(loss), code(criterion(loss).__name__), formula(loss), derivatives(loss)]
            for loss in members(module)
            if isinstance(loss, fl.Loss)
        ]
        head = ["function", "class", "loss", "derivatives: first; second"]
        parts.append(f"## {title(module)}\n\n{table(head, rows)}")
    rows = [
        [call(f), formula(f), markdown(f.vjp.__doc__.split(": ")[1]).rstrip(".")]
        for module in (fl.activations, *LOSSES)
        for f in members(module)
        if isinstance(f, fl.Activation)
    ]
    head = ["function", "result", "`.vjp`, of a gradient g with respect to the result"]
    parts.append(f"## Functions of arrays, which carry gradients back\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def names() -> str:
    rows = [
        [code(thing.__name__), *elsewhere(thing)]
        for module in (*LOSSES, fl.activations)
        for thing in members(module)
    ]
    return table(("here", *COLUMNS), rows)


def api() -> dict[str, str]:
    """The pages of the reference by their names: one for each loss with its class, one for each
    activation or other function, and the list of all. `make docs` writes them into docs/api."""
    drawn = {curves.loss for losses in gallery.GALLERY.values() for curves in losses}
    written, parts = {}, ["# Losses and activations"]
    for module in (*LOSSES, fl.activations):
        things = members(module)
        named = {x.__name__ for x in things}
        functions = [
            n for n in module.__all__ if n not in named and inspect.isfunction(getattr(module, n))
        ]
        lines = []
        for name in (*(x.__name__ for x in things), *functions):
            written[name] = api_page(name, getattr(module, name), name in drawn)
            first = (inspect.getdoc(getattr(module, name)) or "").partition("\n")[0]
            lines.append(f"| {{doc}}`{name}` | {markdown(first)} |")
        contents = "\n".join(("```{toctree}", ":hidden:", "", *(*named, *functions), "```"))
        rows = "\n".join(lines)
        parts.append(f"## {title(module)}\n\n| function | |\n| --- | --- |\n{rows}\n\n{contents}")
    written["index"] = "\n\n".join(parts) + "\n"
    return written


def api_page(name: str, thing: Any, drawn: bool) -> str:
    """A function's page: its docstring, the class that binds its options, its curves."""
    lines = [".. currentmodule:: fusedloss", "", f".. autofunction:: {name}"]
    if isinstance(thing, fl.Loss):
        cls = criterion(thing)
        options = inspect.signature(cls).parameters.values()
        bare = [p.replace(annotation=p.empty) for p in options]
        lines += ["", f".. class:: {cls.__name__}{inspect.Signature(bare)}", ""]
        lines += [f"   :obj:`{name}` with its options bound: see :class:`Criterion`."]
    directives = "\n".join(lines)
    picture = f"\n![{name}: value and derivatives](../gallery/{name}.svg)\n" if drawn else ""
    return f"# {name}\n{picture}\n```{{eval-rst}}\n{directives}\n```\n"


BLOCKS = {
    "docs/losses.md": {"formulas": formulas, "names": names},
    "docs/equivalents.md": {"equivalents": equivalents.page},
}


def pages() -> dict[Path, str]:
    """Each page as it should be."""
    written = {}
    for page, blocks in BLOCKS.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        for name, block in blocks.items():
            start, end = f"<!-- {name} -->\n", "\n<!-- end -->"
            before, _, rest = text.partition(start)
            _, found, after = rest.partition(end)
            assert found, f"{page}: no block {name}"
            text = f"{before}{start}\n{block()}\n{end}{after}"
        written[ROOT / page] = text
    return written


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
