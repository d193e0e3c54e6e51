"""The house: which module may import which, and how long files may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import fusedloss

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "fusedloss"
FILES = sorted(PACKAGE.rglob("*.py"))
FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))

#: What calls public losses instead of a kernel, and stands beside their modules for that.
ON_LOSSES = {
    "fusedloss._all_pairs",
    "fusedloss._distances",
    "fusedloss._linear_blocks",
    "fusedloss._linear_head",
    "fusedloss._linear_rows",
    "fusedloss._named",
    "fusedloss._ndcg",
    "fusedloss.linear_heads",
}

#: The public families.
FAMILIES = set(fusedloss._FAMILIES)

#: Adapters to other packages: each a module or a folder.
ADAPTERS = set(fusedloss._ADAPTERS)

MOST_LINES = 650


def name_of(path: Path) -> str:
    """The module's name."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in FILES}


def imported(path: Path) -> Iterator[str]:
    """What a file imports from the package, also within functions: modules, or names of them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] == "fusedloss")
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            module = node.module or ""
            if module.partition(".")[0] == "fusedloss":
                for alias in node.names:
                    inner = f"{module}.{alias.name}"
                    one_of_us = inner in MODULES or module == "fusedloss"
                    yield inner if one_of_us else module


def layer(module: str) -> str:
    """The folder, "adapters", or "losses" for a public family."""
    folder = module.split(".")[1] if module.count(".") else ""
    if folder in ADAPTERS:
        return "adapters"
    return folder if folder in ("_core", "_calls") else "losses"


def allowed(module: str, other: str) -> bool:
    """Whether the module may import the other."""
    if module == "fusedloss" or other == "fusedloss.__version__":
        return True
    if other == "fusedloss._cpu":
        return layer(module) == "_core"
    if layer(module) == "adapters":
        # They stand on what users have; of the core they take what checks arguments.
        if layer(other) in ("losses", "_core") or module.split(".")[1] == other.split(".")[1]:
            return True
        return (module, other) == ("fusedloss.dask", "fusedloss.linear")  # which it spreads out
    if layer(module) != "losses":
        return layer(other) == "_core"
    if layer(other) == "adapters":
        return False
    # Families do not know each other.
    return layer(other) != "losses" or module in ON_LOSSES or other in ON_LOSSES


def test_every_public_module_is_named() -> None:
    parts = {name.split(".")[1] for name in MODULES if name != "fusedloss"}
    assert {part for part in parts if not part.startswith("_")} == FAMILIES | ADAPTERS


@FILE
def test_imports_go_downwards(path: Path) -> None:
    """Public families, then _calls, then _core, then what is compiled."""
    module = name_of(path)
    assert [other for other in imported(path) if not allowed(module, other)] == []


def test_imports_run_in_no_circle() -> None:
    graph = {
        module: {other for other in imported(path) if other in MODULES} - {module}
        for module, path in MODULES.items()
    }
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


def test_only_one_module_loads_kernels() -> None:
    found = [
        name for name, path in MODULES.items() if "ExtensionFileLoader(" in path.read_text("utf-8")
    ]
    assert found == ["fusedloss._core.kernels"]


def lines_of_code(path: Path) -> int:
    """The lines of a Python file without docstrings, which help() prints and must be whole."""
    text = path.read_text(encoding="utf-8")
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = 0
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            first = node.body[0]
            docs += (first.end_lineno or 0) - first.lineno + 1
    return len(text.splitlines()) - docs


@FILE
def test_python_files_are_short(path: Path) -> None:
    assert lines_of_code(path) <= MOST_LINES


def test_files_of_kernels_are_short() -> None:
    sources = [
        p for p in (ROOT / "kernels").rglob("*") if p.suffix in (".pyx", ".pxd", ".pxi", ".h")
    ]
    assert sources
    lines = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in sources}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_arrows_between_kernels() -> None:
    """The core knows no family; families share one formula, that of the logistic loss."""
    for path in (ROOT / "kernels").rglob("*.p[yx]*"):
        found = re.findall(r"^from kernels\.(\w+)\.(\w+) cimport", path.read_text("utf-8"), re.M)
        for folder, module in found:
            assert folder in ("core", path.parent.name) or module == "logistic", path


def test_only_a_template_is_included() -> None:
    sources = {p.name: p.read_text("utf-8") for p in (ROOT / "kernels").rglob("*.p[yx]*")}
    including = {name for name, text in sources.items() if re.search(r"^include ", text, re.M)}
    families = {"regression", "rho", "binary", "focal", "signs", "distributions", "divergences"}
    families |= {"location_scale", "counts", "censored", "forecasts"}
    assert including == {f"{family}.pyx" for family in families}
