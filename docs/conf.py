"""Sphinx: `make docs` builds the pages into build/docs."""

import sys
from pathlib import Path
from typing import Any

import fusedloss

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

project = "fusedloss"
author = "the fusedloss developers"
copyright = "the fusedloss developers, BSD-3-Clause"
version = release = fusedloss.__version__
extensions = [
    *("sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc", "myst_parser"),
    *("sphinx_design", "sphinx_copybutton"),
]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_title = f"fusedloss {version}"
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_static_path = ["_static"]
html_css_files = ["fusedloss.css"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
numpydoc_show_class_members = False


def _write_pages(_: Any) -> None:
    """The gallery and the pages of the reference, which are made anew for each build."""
    from docs import gallery, tables

    gallery.write()
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    for name, text in tables.api().items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    app.connect("builder-inited", _write_pages)
