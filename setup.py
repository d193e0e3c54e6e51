"""Builds the compiled modules. Everything else about the package is in pyproject.toml.

Each family of kernels (kernels/*.pyx) is translated to C once, and compiled once for each
instruction-set level into a module of its own. The levels are settled here, by asking the compiler:

- for x86-64: v2, v3 and v4, as fusedloss._v2_regression and so on;
- for another CPU, or by a compiler too old for these levels: base, without -march.

Environment variables:

FUSEDLOSS_LEVELS       the levels to build, such as "v3,v4" or "base"; one level builds fastest
FUSEDLOSS_OPENMP       0: a serial library; else OpenMP, if a small program with it builds and runs
FUSEDLOSS_BUILD_JOBS   how many C compilers run at once; else one per usable CPU, at most 4
FUSEDLOSS_SANITIZE     what the compiler's -fsanitize= accepts, such as "address,undefined": a slow
                       build that stops at a wrong address or at undefined behaviour, for tests
CC, CFLAGS, LDFLAGS    as usual
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import Cython
import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, SetupError

X86_LEVELS = ("v2", "v3", "v4")
LEVELS = ("base", *X86_LEVELS)
FAMILIES = sorted({path.stem for path in Path("kernels").glob("*.pyx")} - {"_cpu"})

# Never -ffast-math: it breaks NaN and infinity. No contraction: a * b + c is rounded twice at every
# level, whether or not the level has a fused instruction.
FLAGS = ["-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
# Used where the compiler knows them. Loops that fill short arrays stay loops (a call or `rep stos`
# costs more); a loop over many arrays is vectorised although it needs more checks for overlaps.
OPTIONAL_FLAGS = [
    "-fno-tree-loop-distribute-patterns",
    "--param=vect-max-version-for-alias-checks=32",
    "-fopenmp-simd",  # for hints to the vectoriser; needs no OpenMP library
    "-Wno-unused-function",  # no family needs all that they share
    "-Wno-maybe-uninitialized",
]
MARCH = {
    "base": [],
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    # GCC uses 512-bit registers without being told; clang would stop at 256 bits.
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
ALWAYS_INLINE = "__inline__ __attribute__((always_inline))"
# Checks make the code several times longer, so it is neither inlined everywhere nor vectorised.
SANITIZE_FLAGS = [
    *("-O1", "-g1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"),
    "-fno-wrapv",  # Python's own flags may define what is to be found
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"),
]
# Best effort: nobody has tried MSVC yet.
MSVC_FLAGS = ["/O2", "/fp:precise"]
MSVC_ARCH = {"base": [], "v2": [], "v3": ["/arch:AVX2"], "v4": ["/arch:AVX512"]}

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "freethreading_compatible": True,
    "embedsignature": False,
}

EMPTY_PROGRAM = "int main(void) { return 0; }"
X86_PROGRAM = """
#if !defined(__x86_64__) && !defined(_M_X64)
#error "not x86-64"
#endif
int main(void) { return 0; }
"""
OPENMP_PROGRAM = """
#include <omp.h>
int main(void)
{
    int i, n = 0;
    #pragma omp parallel for num_threads(2) reduction(+:n)
    for (i = 0; i < 100; i++) n += i;
    return n == 4950 && omp_get_max_threads() > 0 ? 0 : 1;
}
"""


def usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def level_of(ext: Extension) -> str:
    """The level of fusedloss._v3_regression is v3; fusedloss._cpu is for all."""
    return ext.name.rpartition("._")[2].partition("_")[0]


def warn(message: str) -> None:
    print(f"fusedloss: WARNING: {message}", file=sys.stderr, flush=True)


class BuildKernels(build_ext):
    """build_ext that asks the compiler what it can do, and then settles modules and flags."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.inplace:  # also `pip install -e`, which would compile into a new folder each time
            self.build_lib = self.build_temp = f"build/inplace-{sys.implementation.cache_tag}"
        self.parallel = int(os.environ.get("FUSEDLOSS_BUILD_JOBS") or min(usable_cpus(), 4))

    def run(self) -> None:
        super().run()
        self.remove_other_levels()

    def build_extensions(self) -> None:
        msvc = self.compiler.compiler_type == "msvc"
        flags, arch = (MSVC_FLAGS, MSVC_ARCH) if msvc else (FLAGS, MARCH)
        inline = "__forceinline" if msvc else ALWAYS_INLINE
        sanitize = []
        if checks := os.environ.get("FUSEDLOSS_SANITIZE"):
            sanitize = [f"-fsanitize={checks}"]
            flags, inline = SANITIZE_FLAGS + sanitize, "__inline__"
        levels = self.levels(arch)
        omp_compile, omp_link = self.openmp(msvc)
        if not msvc:
            flags = flags + [f for f in OPTIONAL_FLAGS if self.works(EMPTY_PROGRAM, [f])]
        headers = [str(p) for p in sorted(Path("kernels").iterdir()) if p.suffix in (".h", ".pxi")]

        self.extensions[:] = [e for e in self.extensions if level_of(e) in ("cpu", *levels)]
        for ext in self.extensions:
            level = level_of(ext)
            if level == "cpu":  # it decides which of the others to load, so it must run everywhere
                ext.extra_compile_args, ext.extra_link_args = flags, sanitize
                continue
            ext.extra_compile_args = flags + arch[level] + omp_compile
            ext.extra_link_args = omp_link + sanitize
            ext.include_dirs = ["kernels", np.get_include()]
            ext.depends = headers
            ext.define_macros = [
                # For every `cdef inline`: a call in a loop keeps it from being vectorised.
                ("CYTHON_INLINE", inline),
                ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
                ("FUSEDLOSS_LEVEL", f'"{level}"'),
                ("FUSEDLOSS_FLAGS", f'"{" ".join(ext.extra_compile_args)}"'),
            ]

        # What is not a file but decides what comes out. When it changes, all is built anew.
        versions = (sys.version, Cython.__version__, np.__version__)
        commands = [getattr(self.compiler, name, "") for name in ("compiler_so", "linker_so")]
        settings = repr((versions, commands, flags, arch, omp_compile, omp_link, DIRECTIVES))
        settings_file = Path(self.build_temp, "settings.txt")
        if not settings_file.exists() or settings_file.read_text(encoding="utf-8") != settings:
            settings_file.unlink(missing_ok=True)
            self.force = True

        # The C code is shared by builds with other flags, and not written anew for each.
        translation = repr((versions, DIRECTIVES))
        translation_file = Path("build/cython/settings.txt")
        known = translation_file.exists() and translation_file.read_text(encoding="utf-8")

        # Here rather than in setup(), so that making an sdist, say, does not translate anything.
        translated = {
            Path(ext.sources[0]).stem: ext.sources[0]
            for ext in cythonize(
                [Extension(f"fusedloss._kernels_{f}", [f"kernels/{f}.pyx"]) for f in FAMILIES]
                + [Extension("fusedloss._cpu", ["kernels/_cpu.pyx"])],
                build_dir="build/cython",
                compiler_directives=DIRECTIVES,
                force=known != translation,
            )
        }
        translation_file.write_text(translation, encoding="utf-8")
        for ext in self.extensions:
            self.take_translated(ext, translated)

        names = ", ".join(ext.name for ext in self.extensions)
        openmp = "with OpenMP" if omp_compile else "without OpenMP"
        print(f"fusedloss: {names}, {openmp}, {self.parallel} at once", flush=True)
        super().build_extensions()
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(settings, encoding="utf-8")

    def take_translated(self, ext: Extension, translated: dict[str, str]) -> None:
        """Make the extension of C code that it shares with those of the other levels."""
        module = ext.name.rpartition(".")[2]
        family = Path(ext.sources[0]).stem
        if level_of(ext) == "cpu":
            ext.sources = [translated[family]]
            return
        # A file of its own, as object files are named after sources; and a name of its own for
        # the function that Python looks for.
        source = Path("build/cython", f"{module}.c")
        text = (
            f"#define PyInit__kernels_{family} PyInit_{module}\n"
            f'#include "{Path(translated[family]).relative_to("build/cython").as_posix()}"\n'
        )
        if not source.exists() or source.read_text(encoding="utf-8") != text:
            source.write_text(text, encoding="utf-8")
        ext.sources = [str(source)]
        ext.depends = [*ext.depends, translated[family]]

    def levels(self, arch: dict[str, list[str]]) -> list[str]:
        """The levels asked for, or else those that fit the target."""
        asked = os.environ.get("FUSEDLOSS_LEVELS", "").replace(",", " ").split()
        if unknown := sorted(set(asked) - set(LEVELS)):
            raise SetupError(f"FUSEDLOSS_LEVELS: {unknown} not among {', '.join(LEVELS)}")
        wanted = [level for level in LEVELS if level in (asked or X86_LEVELS)]
        possible = [e for e in wanted if e == "base" or self.works(X86_PROGRAM, arch[e])]
        if possible == wanted:
            return wanted
        if asked:
            raise SetupError(f"FUSEDLOSS_LEVELS: this compiler refuses one of {', '.join(wanted)}")
        return ["base"]

    def openmp(self, msvc: bool) -> tuple[list[str], list[str]]:
        """The compiler's and the linker's flags for OpenMP; none if it does not work."""
        if os.environ.get("FUSEDLOSS_OPENMP") == "0":
            warn("FUSEDLOSS_OPENMP=0: building a serial library")
            return [], []
        choices: list[tuple[list[str], list[str]]] = [(["-fopenmp"], ["-fopenmp"])]
        if msvc:
            choices = [(["/openmp"], [])]
        elif sys.platform == "darwin":  # Apple's clang. CPPFLAGS and LDFLAGS lead to libomp.
            choices.append((["-Xpreprocessor", "-fopenmp"], ["-lomp"]))
        for compile_args, link_args in choices:
            if self.works(OPENMP_PROGRAM, compile_args, link_args):
                return compile_args, link_args
        warn("OpenMP does not work with this compiler: building a serial library")
        return [], []

    def works(self, program: str, flags: list[str], link_flags: list[str] | None = None) -> bool:
        """Whether the program compiles and, given link_flags, also links and runs."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program, encoding="utf-8")
            stderr = os.dup(2)  # a refusal is an answer, not an error to be shown
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 2)
            try:
                objects = self.compiler.compile(
                    [str(source)], output_dir=folder, extra_postargs=flags
                )
                if link_flags is None:
                    return True
                self.compiler.link_executable(
                    objects, "probe", output_dir=folder, extra_postargs=link_flags
                )
                path = self.compiler.executable_filename("probe", output_dir=folder)
                return subprocess.run([path], timeout=60).returncode == 0
            except (CCompilerError, ExecError, OSError, subprocess.SubprocessError):
                return False
            finally:
                os.dup2(stderr, 2)
                os.close(stderr)
                os.close(devnull)

    def remove_other_levels(self) -> None:
        """Remove the modules that an earlier build with other levels left behind."""
        others = set(LEVELS) - {level_of(ext) for ext in self.extensions}
        folders = [Path(self.build_lib, "fusedloss")]
        if self.inplace:
            folders.append(Path("src/fusedloss"))
        for folder in folders:
            for level in others:
                for suffix in EXTENSION_SUFFIXES:
                    for file in folder.glob(f"_{level}_*{suffix}"):
                        file.unlink()


if __name__ == "__main__":
    setup(
        ext_modules=[
            Extension("fusedloss._cpu", ["kernels/_cpu.pyx"]),
            *(
                Extension(f"fusedloss._{level}_{family}", [f"kernels/{family}.pyx"])
                for level in LEVELS
                for family in FAMILIES
            ),
        ],
        cmdclass={"build_ext": BuildKernels},
    )
