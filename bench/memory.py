"""Peak extra memory of a call, time to import, installed size: each in processes of their own.

``python -m bench.memory`` writes build/bench/memory.json; bench/README.md says how it is measured.
Only Linux tells the peak; elsewhere that part is left out.
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fusedloss as fl
from bench import implementations, machine
from bench.cases import CASES, GRAD, Question
from bench.implementations import MEMORY, PEERS

#: What is measured: of every family one that many use, as large as memory counts.
_CHOSEN = {
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
QUESTIONS = {name: Question(CASES[name], "float32", s, GRAD) for name, s in _CHOSEN.items()}
#: What is imported, where it is not the package itself.
_MODULES = {"scikit-learn": "sklearn._loss.loss", "SciPy": "scipy.special"}
#: `make bench-peers` installs a default build here: the checkout may have only some levels.
DEFAULT_BUILD = machine.RESULTS / "default-build" / "fusedloss"
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


# --- peak memory --------------------------------------------------------------------------------


def _status(field: str) -> int:
    """A line of /proc/self/status, in bytes."""
    found = re.search(rf"^{field}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"Linux says nothing about {field}")
    return int(found[1]) * 1024


def peak(question: Question, name: str) -> tuple[int, str]:
    """By how many bytes the process grows in a call, at most; and where it writes.

    A first call has compiled what is to be compiled, and has touched all that is given; what it
    left behind is gone.
    """
    machine.prepare(peers=name in PEERS)
    arrays = question.inputs()
    made = implementations.make(name, question, arrays)
    made.step()
    made.release()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    _CLEAR.write_text("5")  # the peak is found anew
    result = made.step()  # which is there until the mark is read
    highest = _status("VmHWM")
    del result
    return max(0, highest - before), made.memory


def peaks() -> Iterator[dict[str, Any]]:
    """Each question with each who takes part, in a process of its own."""
    for loss, question in QUESTIONS.items():
        named = question.named(question.inputs())
        about = {"loss": loss, "shape": question.shape}
        about["input_bytes"] = sum(a.nbytes for a in named.values())
        about["gradient_bytes"] = sum(named[leaf].nbytes for leaf in question.case.leaves)
        for name in implementations.available(question, MEMORY):
            machine.tell(f"{question.group}: {name}")
            command = [sys.executable, "-m", "bench.memory", "--one", loss, name]
            run = subprocess.run(command, cwd=machine.ROOT, capture_output=True, text=True)
            if run.returncode == 0:
                extra, outputs = json.loads(run.stdout.splitlines()[-1])
                found = {"extra_bytes": extra, "outputs": outputs}
            else:
                found = {"extra_bytes": None, "failure": run.stderr.strip().splitlines()[-1]}
            yield {**about, "implementation": name, **found}


# --- import and size ----------------------------------------------------------------------------


def our_size() -> tuple[int, str]:
    """Bytes of our files, and of which instruction-set levels there are kernels among them."""
    folder = DEFAULT_BUILD if DEFAULT_BUILD.exists() else Path(fl.__file__).parent
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    libraries = (re.match(r"_(v\d|base)[._]", path.name) for path in files)
    levels = sorted({found[1] for found in libraries if found})
    build = "a default build" if folder == DEFAULT_BUILD else "this checkout"
    return sum(path.stat().st_size for path in files), f"{build}: {', '.join(levels)}"


def _sizes(name: str, found: dict[str, int]) -> dict[str, int]:
    """Bytes of a distribution and of all that it requires without extras, as far as installed."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in found:
        return found
    if key == "fusedloss":
        found[key] = our_size()[0]
        return _sizes("numpy", found)
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return found
    files = [Path(str(file.locate())) for file in distribution.files or ()]
    found[key] = sum(f.stat().st_size for f in files if f.is_file() and f.suffix != ".pyc")
    for requirement in distribution.requires or ():
        wanted, _, condition = requirement.partition(";")
        if "extra" not in condition:
            _sizes(re.match(r"[\w.-]+", wanted)[0], found)  # type: ignore[index]
    return found


def _seconds(statement: str) -> float:
    """Of a Python that runs it: the least of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, cwd=machine.ROOT)
        times.append(time.perf_counter() - start)
    return min(times)


def packages() -> Iterator[dict[str, Any]]:
    """What each costs before it does anything, with all that it needs."""
    empty = _seconds("pass")
    here = [name for name in machine.PACKAGES if machine.installed(name)]
    for name in ["fusedloss", *here]:
        machine.tell(f"importing {name}")
        key = name.lower()
        module = _MODULES.get(name, machine.PACKAGES.get(name, name))
        sizes = _sizes(key, {})
        ours = name == "fusedloss"
        yield {
            "name": name,
            "version": fl.__version__ if ours else importlib.metadata.version(key),
            "levels": our_size()[1] if ours else "",
            "import_seconds": _seconds(f"import {module}") - empty,
            "own_bytes": sizes[key],
            "installed_bytes": sum(sizes.values()),
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--json", type=Path, default=machine.RESULTS / "memory.json")
    parser.add_argument("--packages", action="store_true", help="only import and size")
    parser.add_argument("--one", nargs=2, metavar=("LOSS", "WHO"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        loss, name = options.one
        print(json.dumps(peak(QUESTIONS[loss], name)))
        return
    linux = _CLEAR.exists()
    if not linux:
        machine.tell("the peak of memory is known on Linux alone")
    results = {"peaks": list(peaks()) if linux and not options.packages else []}
    machine.write(options.json, results | {"packages": list(packages())})


if __name__ == "__main__":
    main()
