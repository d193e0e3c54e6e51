"""Peak extra memory of a call, time to import, installed size: each in processes of their own.

``python -m bench.memory`` writes build/bench/memory.json; bench/README.md says how it is measured.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.metadata
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import fusedloss as fl
from bench import cases, entrants, machine
from bench.cases import GRAD, Question
from bench.entrants import MEMORY

#: What is measured: of every family one that many use, as large as memory counts.
_CHOSEN: Final = {
    "mse_loss": (16_000_000,),
    "binary_cross_entropy_with_logits": (16_000_000,),
    "sigmoid_focal_loss": (16_000_000,),
    "gaussian_nll_loss": (16_000_000,),
    "cross_entropy": (100_000, 100),
    "multi_margin_loss": (100_000, 100),
    "triplet_margin_loss": (100_000, 128),
    "info_nce_loss": (4096, 128),
    "dice_loss": (8, 21, 256, 256),
    "complete_box_iou_loss": (1_000_000, 4),
    "pairwise_logistic_loss": (1000, 100),
}
#: Peers as they are installed: the distribution, and what is imported.
PACKAGES: Final = {
    "numpy": ("numpy", "numpy"),
    "fusedloss": ("fusedloss", "fusedloss"),
    "SciPy": ("scipy", "scipy.special"),
    "scikit-learn": ("scikit-learn", "sklearn._loss.loss"),
    "numexpr": ("numexpr", "numexpr"),
    "numba": ("numba", "numba"),
    "jax": ("jax", "jax"),
    "torch": ("torch", "torch"),
}


def questions() -> list[Question]:
    by_name = {case.loss: case for case in cases.CASES}
    return [Question(by_name[n], "float32", shape, GRAD) for n, shape in _CHOSEN.items()]


# --- peak memory --------------------------------------------------------------------------------


def _status(field: str) -> int:
    """A line of /proc/self/status, in bytes."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"Linux says nothing about {field}")
    return int(found[1]) * 1024


def peak(question: Question, name: str) -> tuple[int, str]:
    """By how many bytes the process grows in a call, at most; and where it writes.

    A first call has compiled what is to be compiled, and has touched all that is given; what it
    left behind is gone.
    """
    entrants.prepare(peers=True)
    arrays = question.inputs()
    entrant = entrants.make(name, question, arrays)
    result = entrant.step()
    del result
    entrant.release()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is found anew
    result = entrant.step()  # which is there until the mark is read
    highest = _status("VmHWM")
    del result
    return max(0, highest - before), entrant.memory


@dataclass(frozen=True)
class Peak:
    """Bytes that a call takes, besides what it is given."""

    loss: str
    shape: tuple[int, ...]
    dtype: str
    entrant: str
    input_bytes: int
    gradient_bytes: int
    extra_bytes: int | None
    outputs: str  # "given" or "fresh"
    failure: str = ""  # why there is no number


def _measure(question: Question, name: str) -> Peak:
    """In a process of its own."""
    command = [sys.executable, "-m", "bench.memory", "--one", question.case.loss, name]
    run = subprocess.run(command, cwd=machine.ROOT, capture_output=True, text=True)
    if run.returncode == 0:
        answer = json.loads(run.stdout.splitlines()[-1])
    else:
        answer = [None, "", run.stderr.strip().splitlines()[-1]]
    arrays = question.inputs()
    named = question.named(arrays)
    return Peak(
        question.case.loss,
        question.shape,
        question.dtype,
        name,
        sum(a.nbytes for a in arrays),
        sum(named[leaf].nbytes for leaf in question.case.leaves),
        *answer,
    )


# --- import and size ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Package:
    """What a package costs before it does anything, with all that it needs."""

    name: str
    version: str
    import_seconds: float  # more than a Python that imports nothing
    installed_bytes: int
    own_bytes: int  # without what it needs
    needs: list[str]


#: Ours is measured as the checkout has it, which may not be installed.
_OURS: Final = "fusedloss"


def _files(name: str, distribution: importlib.metadata.Distribution | None) -> int:
    """Bytes of its files."""
    if distribution is None:
        found = list(Path(fl.__file__).parent.rglob("*"))
    else:
        found = [Path(str(file.locate())) for file in distribution.files or ()]
    return sum(path.stat().st_size for path in found if path.is_file() and path.suffix != ".pyc")


def _needed(name: str, found: dict[str, importlib.metadata.Distribution | None]) -> None:
    """The distribution and all that it requires without extras, as far as that is installed."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return
    if key == _OURS:
        found[key] = None
        _needed("numpy", found)
        return
    try:
        distribution = found[key] = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return
    for requirement in distribution.requires or ():
        wanted, _, condition = requirement.partition(";")
        if "extra" not in condition:
            match = re.match(r"[\w.-]+", wanted)
            assert match
            _needed(match[0], found)


def _seconds(statement: str) -> float:
    """Of a Python that runs it: the least of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd=machine.ROOT)
        times.append(time.perf_counter() - start)
    return min(times)


def packages() -> list[Package]:
    empty = _seconds("pass")
    found = []
    for name, (distribution, module) in PACKAGES.items():
        needs: dict[str, importlib.metadata.Distribution | None] = {}
        _needed(distribution, needs)
        if distribution not in needs:
            continue
        _tell(f"importing {name}")
        sizes = {key: _files(key, value) for key, value in needs.items()}
        own = needs[distribution]
        found.append(
            Package(
                name,
                own.version if own else fl.__version__,
                _seconds(f"import {module}") - empty,
                sum(sizes.values()),
                sizes[distribution],
                sorted(key for key in needs if key != distribution),
            )
        )
    return found


# --- all of it ----------------------------------------------------------------------------------


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _who(question: Question) -> list[str]:
    return [
        name
        for name, maker in entrants.MAKERS.items()
        if name != MEMORY and maker.has(question) and entrants.installed(name)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--json", type=Path, default=machine.RESULTS / "memory.json")
    parser.add_argument("--one", nargs=2, metavar=("LOSS", "ENTRANT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    asked = questions()
    if options.one:
        loss, name = options.one
        (question,) = (q for q in asked if q.case.loss == loss)
        print(json.dumps(peak(question, name)))
        return
    peaks = []
    for question in asked:
        for name in _who(question):
            _tell(f"{question.group}: {name}")
            peaks.append(asdict(_measure(question, name)))
    result = {
        "machine": machine.facts(peers=True),
        "command": "python -m bench.memory",
        "peaks": peaks,
        "packages": [asdict(package) for package in packages()],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    _tell(f"written: {options.json}")


if __name__ == "__main__":
    main()
