"""Sphinx: `make docs` builds the pages into build/docs."""

import fusedloss

project = "fusedloss"
author = "the fusedloss developers"
version = release = fusedloss.__version__
extensions = ["sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc", "myst_parser"]
html_title = f"fusedloss {version}"
html_theme = "alabaster"
numpydoc_show_class_members = False
