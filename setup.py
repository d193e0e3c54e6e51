"""Builds the compiled modules. Everything else about the package is in pyproject.toml.

All of kernels/ is translated to C once, and compiled and linked once for each instruction-set
level into one library that holds a module for each *.pyx. The levels are settled here, by asking
the compiler:

- for x86-64: v2, v3 and v4, as fusedloss._v2 and so on;
- for another CPU, or by a compiler too old for these levels: base, without -march.

Environment variables:

FUSEDLOSS_LEVELS       the levels to build, such as "v3,v4" or "base"; "native": that of this
                       CPU alone, which builds fastest; "all": as if it were not set
FUSEDLOSS_OPENMP       0: a serial library; else OpenMP, if a small program with it builds and runs
FUSEDLOSS_BUILD_JOBS   how many compilers run at once; else one per usable CPU, at most 4
FUSEDLOSS_SANITIZE     what the compiler's -fsanitize= accepts, such as "address,undefined": a slow
                       build that stops at a wrong address or at undefined behaviour, for tests
FUSEDLOSS_EMULATOR     the command that runs programs for the CPU that is compiled for, such as
                       "qemu-aarch64 -L /path": setup.py runs some to see what works
FUSEDLOSS_CFLAGS       what comes after this file's flags for the compiler, such as "-O1" for a
                       build that is soon there and slow to run
CC, CFLAGS, LDFLAGS    as usual
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import Cython
import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, SetupError

X86_LEVELS = ("v2", "v3", "v4")
LEVELS = ("base", *X86_LEVELS)
KERNELS = Path("kernels")
HEADERS = Path("src/fusedloss/include")  # what users compile against
SOURCES = sorted(KERNELS.glob("*/*.pyx"))  # the modules of a level
FOLDERS = {path.stem: path.parent for path in SOURCES}
assert len(FOLDERS) == len(SOURCES), "two modules of kernels/ have the same name"

# Never -ffast-math: it breaks NaN and infinity. No contraction: a * b + c is rounded twice at every
# level, whether or not the level has a fused instruction.
FLAGS = ["-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
# Used where the compiler knows them.
OPTIONAL_FLAGS = [
    # Loops that fill short arrays stay loops: a call or `rep stos` costs more.
    "-fno-tree-loop-distribute-patterns",
    # A loop over many arrays is vectorised although it needs more checks for overlaps.
    "--param=vect-max-version-for-alias-checks=32",
    # Copies of loops for special cases cost time of compiling, and gain nothing that was measured.
    *("-fno-unswitch-loops", "-fno-split-loops", "-fno-peel-loops", "-fno-ipa-cp-clone"),
    *("-fno-version-loops-for-strides", "-fno-tree-slp-vectorize"),
    "-fopenmp-simd",  # for hints to the vectoriser; needs no OpenMP library
    "-Wno-unused-function",
    "-Wno-maybe-uninitialized",
]
MARCH = {
    "base": [],
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    # GCC uses 512-bit registers without being told; clang would stop at 256 bits.
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}
# Checks make the code several times longer, so it is neither inlined everywhere nor vectorised.
SANITIZE_FLAGS = [
    *("-O1", "-g1", "-DFL_CHECKED", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"),
    "-fno-wrapv",  # Python's own flags may define what is to be found
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"),
]
# On Windows clang-cl, if it is there: it takes the flags above, while cl.exe vectorises few of
# these loops. Best effort: nobody has tried either yet.
CLANG_CL_FLAGS = ["/O2", *(f"/clang:{flag}" for flag in (*FLAGS, "-fopenmp-simd"))]
CLANG_CL_ARCH = {level: [f"/clang:{flag}" for flag in flags] for level, flags in MARCH.items()}
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
NATIVE_PROGRAM = """
#include <stdio.h>
#include "cpu.h"
int main(void) { printf("v%d", fl_cpu_level()); return 0; }
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
    """The level of fusedloss._v3 is v3; fusedloss._cpu is for all."""
    return ext.name.rpartition("._")[2]


def warn(message: str) -> None:
    print(f"fusedloss: WARNING: {message}", file=sys.stderr, flush=True)


def update(file: Path, text: str) -> None:
    """Write a file unless it says so already, so that what is made of it is not made anew."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


# A function of ours in generated C, with its return type; Cython's own are called __Pyx_...
OURS = r"\b__pyx_(?:fuse_\w*?__pyx_)?f_"
FUNCTION = re.compile(rf"^static (CYTHON_INLINE )?(?=[^;={{}}()]*{OURS})", re.M)
# The heads of loops over a block or a line, whose arrays never overlap.
LOOPS = "(?:map_block|transform_classes)"
LOOP = re.compile(rf"^static [^;()]*{LOOPS}\([^;{{]*\{{", re.M)
# Where a module looks for another of its level, and puts itself.
LOOKED_UP = re.compile(r'(?<=PyImport_ImportModule\()"(?=kernels\.)|(?<=modules, )"(?=kernels\.)')
# What would be left of these if a Cython wrote them in another way.
MISSED = re.compile(
    rf"^(?!static FL_)\w[^\n;={{}}()]*{OURS}\w*\(.*|^static FL_NOINLINE .*(?i:inline).*{OURS}.*"
    rf"|^[^ /#].*{LOOPS}\([^\n;{{]*\* *__pyx_v_.*\{{"
    r'|^.*(?:Import\w*\(|[Mm]odules?, *)"kernels\..*',
    re.M,
)


def retouch(code: str) -> str:
    """What Cython cannot say: `cdef inline` functions are always inlined, as a call in a loop keeps
    it from being vectorised; the others never, as they work on blocks, and copies cost time of
    compiling; arrays of `LOOPS` do not overlap; modules look for each other inside of our
    package."""
    level = '"kernels.' in code  # a module of a level: it has functions, and puts itself somewhere
    inlined = {True: "static FL_INLINE ", False: "static FL_NOINLINE "}
    code, functions = FUNCTION.subn(lambda m: inlined[bool(m[1])], code)
    code = LOOP.sub(lambda m: m[0].replace("*__pyx_v_", "*FL_RESTRICT __pyx_v_"), code)
    code, names = LOOKED_UP.subn('"fusedloss._', code)
    missed = MISSED.search(code)
    if missed or (level and not (functions and names)):
        what = missed[0][:200] if missed else f"{functions} functions, {names} names of modules"
        raise SetupError(f"retouch: Cython {Cython.__version__} writes C in another way: {what}")
    return f'#include "core/compiler.h"\n{code}'


class Build(build):
    """build that does not pack modules which the sources no longer have."""

    def run(self) -> None:
        shutil.rmtree(Path(self.build_lib, "fusedloss"), ignore_errors=True)
        super().run()


class BuildKernels(build_ext):
    """build_ext that asks the compiler what it can do, and links a level into one library."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.inplace:  # also `pip install -e`, which would compile into a new folder each time
            self.build_lib = self.build_temp = f"build/inplace-{sys.implementation.cache_tag}"
        self.jobs = int(os.environ.get("FUSEDLOSS_BUILD_JOBS") or min(usable_cpus(), 4))
        self.parallel = None

    def run(self) -> None:
        super().run()
        self.remove_other_levels()

    def build_extensions(self) -> None:
        msvc = self.compiler.compiler_type == "msvc"
        flags, arch = (MSVC_FLAGS, MSVC_ARCH) if msvc else (FLAGS, MARCH)
        if msvc and (clang_cl := shutil.which("clang-cl")):
            self.compiler.initialize()
            self.compiler.cc = clang_cl
            flags, arch = CLANG_CL_FLAGS, CLANG_CL_ARCH
        sanitize = []
        if checks := os.environ.get("FUSEDLOSS_SANITIZE"):
            sanitize = [f"-fsanitize={checks}"]
            flags = SANITIZE_FLAGS + sanitize
        levels = self.levels(arch)
        omp_compile, omp_link = self.openmp(msvc)
        if not msvc:
            flags = flags + [f for f in OPTIONAL_FLAGS if self.works(EMPTY_PROGRAM, [f])]
        flags = flags + os.environ.get("FUSEDLOSS_CFLAGS", "").split()

        self.extensions[:] = [e for e in self.extensions if level_of(e) in ("cpu", *levels)]
        for ext in self.extensions:
            level = level_of(ext)
            ext.include_dirs = [str(KERNELS), str(HEADERS), np.get_include()]
            if level == "cpu":  # it decides which of the others to load, so it must run everywhere
                ext.extra_compile_args, ext.extra_link_args = flags, sanitize
                continue
            ext.extra_compile_args = flags + arch[level] + omp_compile
            ext.extra_link_args = omp_link + sanitize
            ext.define_macros = [
                ("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"),
                ("FUSEDLOSS_LEVEL", f'"{level}"'),
                ("FUSEDLOSS_FLAGS", f'"{" ".join(ext.extra_compile_args)}"'),
            ]

        # What is not a file but decides what comes out. When it changes, all is built anew.
        versions = (sys.version, Cython.__version__, np.__version__)
        commands = [getattr(self.compiler, k, "") for k in ("compiler_so", "linker_so", "cc")]
        settings = repr((versions, commands, flags, arch, omp_compile, omp_link, DIRECTIVES))
        settings_file = Path(self.build_temp, "settings.txt")
        if not settings_file.exists() or settings_file.read_text(encoding="utf-8") != settings:
            settings_file.unlink(missing_ok=True)
            for level in ("cpu", *LEVELS):  # those of another call, too
                shutil.rmtree(Path(self.build_temp, level), ignore_errors=True)
            self.force = True

        names = ", ".join(ext.name for ext in self.extensions)
        openmp = "with OpenMP" if omp_compile else "without OpenMP"
        print(f"fusedloss: {names}, {openmp}, {self.jobs} at once", flush=True)
        self.compile_all(self.translate((versions, DIRECTIVES)))
        for ext in self.extensions:
            self.link(ext)
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(settings, encoding="utf-8")

    def translate(self, settings: object) -> dict[str, list[Path]]:
        """The C files of a level, and that of _cpu. Builds with other flags share them."""
        folder = Path("build/cython")
        settings_file = folder / "settings.txt"
        known = settings_file.exists() and settings_file.read_text(encoding="utf-8")
        # Syntax trees live long: to look for garbage as often as Python does takes a fifth of the
        # time.
        gc.set_threshold(100_000, *gc.get_threshold()[1:])
        # Here rather than in setup(), so that making an sdist, say, does not translate anything.
        extensions = cythonize(
            [Extension(".".join(p.with_suffix("").parts), [str(p)]) for p in SOURCES]
            + [Extension("fusedloss._cpu", [str(KERNELS / "_cpu.pyx")])],
            build_dir=str(folder),
            compiler_directives=DIRECTIVES,
            include_path=["src"],
            nthreads=self.jobs,
            force=known != repr(settings),
        )
        update(settings_file, repr(settings))
        files: dict[str, list[Path]] = {"cpu": [], "kernels": []}
        for ext in extensions:
            generated = Path(ext.sources[0])
            file = Path("build/c", generated.name)
            newest = max(path.stat().st_mtime for path in (generated, Path(__file__)))
            if not file.exists() or file.stat().st_mtime < newest:
                update(file, retouch(generated.read_text(encoding="utf-8")))
            files["cpu" if file.stem == "_cpu" else "kernels"].append(file)
        return files

    def compile_all(self, files: dict[str, list[Path]]) -> None:
        """Compile what has changed, several files at once, those that take longest first."""
        headers = (*(KERNELS / "core").rglob("*.h"), *HEADERS.glob("*.h"))
        shared = max(path.stat().st_mtime for path in headers)
        jobs = []
        for ext in self.extensions:
            ext.objects = []
            for source in files["cpu" if level_of(ext) == "cpu" else "kernels"]:
                folder = Path(self.build_temp, level_of(ext))
                target = Path(
                    *self.compiler.object_filenames([str(source)], output_dir=str(folder))
                )
                ext.objects.append(str(target))
                own = FOLDERS.get(source.stem, KERNELS).glob("*.h")
                changed = max(shared, *(path.stat().st_mtime for path in (source, *own)))
                if self.force or not target.exists() or target.stat().st_mtime < changed:
                    jobs.append((source.stat().st_size, ext, source, folder))
        jobs.sort(key=lambda job: -job[0])
        start = time.monotonic()
        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = [pool.submit(self.compile, *job[1:]) for job in jobs]
            try:
                for done, job in enumerate(waiting, 1):
                    job.result()
                    seconds = time.monotonic() - start
                    print(f"fusedloss: {done} of {len(jobs)} files, {seconds:.0f} s", flush=True)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def compile(self, ext: Extension, source: Path, folder: Path) -> None:
        self.compiler.compile(
            [str(source)],
            output_dir=str(folder),
            macros=ext.define_macros,
            include_dirs=ext.include_dirs,
            extra_postargs=ext.extra_compile_args,
        )

    def link(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        newest = max(Path(file).stat().st_mtime for file in ext.objects)
        if self.force or not target.exists() or target.stat().st_mtime < newest:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.compiler.link_shared_object(
                ext.objects,
                str(target),
                libraries=self.get_libraries(ext),
                extra_postargs=ext.extra_link_args,
                export_symbols=[f"PyInit_{Path(file).stem}" for file in ext.objects],
                build_temp=self.build_temp,
            )

    def levels(self, arch: dict[str, list[str]]) -> list[str]:
        """The levels asked for, or else those that fit the target."""
        asked = os.environ.get("FUSEDLOSS_LEVELS", "").replace(",", " ").split()
        if asked in (["all"], ["native"]):
            asked = [] if asked == ["all"] else [self.native_level(arch)]
        if unknown := sorted(set(asked) - set(LEVELS)):
            raise SetupError(
                f"FUSEDLOSS_LEVELS: {unknown} not among {', '.join(LEVELS)}; "
                "all and native stand alone"
            )
        wanted = [level for level in LEVELS if level in (asked or X86_LEVELS)]
        possible = [e for e in wanted if e == "base" or self.works(X86_PROGRAM, arch[e])]
        if possible == wanted:
            return wanted
        if asked:
            raise SetupError(f"FUSEDLOSS_LEVELS: this compiler refuses one of {', '.join(wanted)}")
        return ["base"]

    def native_level(self, arch: dict[str, list[str]]) -> str:
        """The best level of this CPU, if the compiler knows it."""
        level = self.output(NATIVE_PROGRAM, [], []) or "base"
        if level not in X86_LEVELS:
            return "base"
        if not self.works(X86_PROGRAM, arch[level]):
            warn(f"this compiler does not know {level}, the level of this CPU: building base")
            return "base"
        return level

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
        return self.output(program, flags, link_flags) is not None

    def output(
        self, program: str, flags: list[str], link_flags: list[str] | None = None
    ) -> str | None:
        """What the program prints if it compiles, links and runs without an error, else None;
        without link_flags it is only compiled."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program, encoding="utf-8")
            stderr = os.dup(2)  # a refusal is an answer, not an error to be shown
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, 2)
            try:
                objects = self.compiler.compile(
                    [str(source)],
                    output_dir=folder,
                    include_dirs=[str(KERNELS)],
                    extra_postargs=flags,
                )
                if link_flags is None:
                    return ""
                self.compiler.link_executable(
                    objects, "probe", output_dir=folder, extra_postargs=link_flags
                )
                path = self.compiler.executable_filename("probe", output_dir=folder)
                command = [*os.environ.get("FUSEDLOSS_EMULATOR", "").split(), path]
                return subprocess.run(
                    command, timeout=60, check=True, capture_output=True, text=True
                ).stdout
            except (CCompilerError, ExecError, OSError, subprocess.SubprocessError):
                return None
            finally:
                os.dup2(stderr, 2)
                os.close(stderr)
                os.close(devnull)

    def remove_other_levels(self) -> None:
        """Remove the modules that an earlier build with other levels left behind."""
        kept = {level_of(ext) for ext in self.extensions}
        folders = [Path(self.build_lib, "fusedloss")]
        if self.inplace:
            folders.append(Path("src/fusedloss"))
        for folder in folders:
            for suffix in EXTENSION_SUFFIXES:
                for level in {*LEVELS, "cpu"} - kept:
                    Path(folder, f"_{level}{suffix}").unlink(missing_ok=True)


if __name__ == "__main__":
    setup(
        ext_modules=[
            Extension("fusedloss._cpu", [str(KERNELS / "_cpu.pyx")]),
            *(Extension(f"fusedloss._{level}", [str(p) for p in SOURCES]) for level in LEVELS),
        ],
        cmdclass={"build": Build, "build_ext": BuildKernels},
    )
