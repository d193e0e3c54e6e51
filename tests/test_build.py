"""What setup.py makes of the C that the installed Cython writes."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]

FIRST_PXD = """
ctypedef fused real:
    float
    double

cdef inline real twice(real x) noexcept nogil:
    return x + x

cdef void fill(float *out, Py_ssize_t n) noexcept nogil
cdef void copy(const real *x, real *out, Py_ssize_t n) noexcept nogil
"""

FIRST = """
cdef void fill(float *out, Py_ssize_t n) noexcept nogil:
    for i in range(n):
        out[i] = 1

cdef void copy(const real *x, real *out, Py_ssize_t n) noexcept nogil:
    for i in range(n):
        out[i] = x[i]

def use(int n):
    cdef double a[2]
    copy[double](a, a, n)
"""

SECOND = """
from kernels.core.first cimport copy, fill, real, twice

cdef void map_block(const real *x, real *out, Py_ssize_t n) noexcept nogil:
    for i in range(n):
        out[i] = twice(x[i])

def use(int n):
    cdef float a[2]
    cdef double b[2]
    fill(a, n)
    copy[float](a, a, n)
    map_block[float](a, a, n)
    map_block[double](b, b, n)
"""


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    pytest.importorskip("Cython")
    spec = spec_from_file_location("fusedloss_setup", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def translated(setup: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The C of two modules, of which the second cimports from the first."""
    root = tmp_path_factory.mktemp("translated")
    core = root / "kernels" / "core"
    core.mkdir(parents=True)
    for file in (core.parent / "__init__.pxd", core / "__init__.pxd"):
        file.touch()
    (core / "first.pxd").write_text(FIRST_PXD)
    (core / "first.pyx").write_text(FIRST)
    (core / "second.pyx").write_text(SECOND)
    options = [f"-X{key}={value}" for key, value in setup.DIRECTIVES.items()]
    files = ["kernels/core/first.pyx", "kernels/core/second.pyx"]
    command = [sys.executable, "-m", "cython", *options, *files]
    subprocess.run(command, check=True, cwd=root, timeout=300)
    return {name: (core / f"{name}.c").read_text("utf-8") for name in ("first", "second")}


def declarations(code: str, name: str) -> list[str]:
    """The lines that declare or define a function."""
    return re.findall(rf"^static .*__pyx_f_\w+_{name}\(.*", code, re.M)


def test_element_functions_are_inlined_and_block_functions_are_not(
    setup: ModuleType, translated: dict[str, str]
) -> None:
    first, second = (setup.retouch(translated[name]) for name in ("first", "second"))
    for code, name, kind in (
        (second, "twice", "FL_INLINE"),
        (second, "map_block", "FL_NOINLINE"),
        (first, "fill", "FL_NOINLINE"),
        (first, "copy", "FL_NOINLINE"),
    ):
        lines = declarations(code, name)
        assert lines
        assert all(line.startswith(f"static {kind} ") for line in lines), lines
    assert len(declarations(second, "twice")) >= 4  # of two dtypes, declared and defined


def test_arrays_of_map_block_do_not_overlap(setup: ModuleType, translated: dict[str, str]) -> None:
    heads = [
        line
        for line in declarations(setup.retouch(translated["second"]), "map_block")
        if line.endswith("{")
    ]
    assert [head.count("*FL_RESTRICT __pyx_v_") for head in heads] == [2, 2]


def test_modules_of_a_level_look_for_each_other_in_the_package(
    setup: ModuleType, translated: dict[str, str]
) -> None:
    code = setup.retouch(translated["second"])
    assert 'PyImport_ImportModule("fusedloss._kernels.core.first")' in code
    assert 'modules, "fusedloss._kernels.core.second"' in code
    assert 'PyImport_ImportModule("kernels.' not in code


@pytest.mark.parametrize(
    ("written", "otherwise"),
    [
        ("static CYTHON_INLINE", "CYTHON_INLINE static"),
        ("static CYTHON_INLINE", "static __Pyx_INLINE"),
        ("__pyx_f_", "__pyx_function_"),
        ("*__pyx_v_out", "* __pyx_v_out"),
        ("PyImport_ImportModule(", "__Pyx_ImportModule("),
        ('modules, "', 'modules,"'),
    ],
)
def test_what_is_not_known_stops_the_build(
    setup: ModuleType, translated: dict[str, str], written: str, otherwise: str
) -> None:
    assert written in translated["second"]
    with pytest.raises(setup.SetupError, match="in another way"):
        setup.retouch(translated["second"].replace(written, otherwise))
