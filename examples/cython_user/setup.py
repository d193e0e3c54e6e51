"""The modules, and where they find fusedloss.h."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import fusedloss

folders = [fusedloss.get_include()]
setup(
    ext_modules=[
        *cythonize([Extension("robust", ["robust.pyx"], include_dirs=folders)]),
        Extension("robust_c", ["robust_c.c"], include_dirs=folders),
    ]
)
