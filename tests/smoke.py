"""Whether an installed fusedloss works: every loss and activation once, at every level of this CPU.

It needs nothing but NumPy and the package, so it runs where a wheel has just been installed::

    python tests/smoke.py
    python tests/smoke.py --wheel     # also whether it has all levels, and OpenMP where wheels do

The expected numbers stand in data/smoke.json; ``python -m tests.smoke --record``, in a checkout,
writes them anew from the registry of the tests. That they are right is what the other tests say.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

import fusedloss as fl

Array = np.ndarray[Any, Any]
RECORD = Path(__file__).parent / "data" / "smoke.json"
#: How far a result may be off, as a part of the largest one of its array: levels round otherwise.
TOLERANCE = {"float64": 1e-11, "float32": 1e-4}


def flat(results: Any) -> list[Array]:
    """The arrays of a result: of several inputs there are several gradients."""
    if isinstance(results, tuple):
        return [array for part in results for array in flat(part)]
    return [np.asarray(results, np.float64)]


def answer(case: dict[str, Any], dtype: str) -> list[Array]:
    """What a recorded call gives, its floating operands in the dtype."""
    arrays = {name: np.array(numbers) for name, numbers in case["arrays"].items()}
    arrays = {k: a.astype(dtype) if a.dtype.kind == "f" else a for k, a in arrays.items()}
    function = getattr(fl, case["name"])
    if isinstance(function, fl.Activation):
        y = function(**arrays, **case["options"])
        return [*flat(y), *flat(function.vjp(**arrays, grad_output=y + 1, **case["options"]))]
    method = getattr(function, case["method"])
    return flat(method(**arrays, **case["options"]))


def faults(case: dict[str, Any]) -> list[str]:
    """What is wrong with a recorded call."""
    found = []
    for dtype, tolerance in TOLERANCE.items():
        got, want = answer(case, dtype), [np.array(a) for a in case["results"]]
        if [a.shape for a in got] != [a.shape for a in want]:
            found.append(f"{case['name']}, {dtype}: shapes {[a.shape for a in got]}")
            continue
        for k, (a, b) in enumerate(zip(got, want, strict=True)):
            off = np.max(np.abs(a - b), initial=0.0) / max(np.max(np.abs(b), initial=0.0), 1e-9)
            if not off <= tolerance:
                found.append(f"{case['name']}, {dtype}, result {k}: off by {off:.2g}")
    return found


def thread_faults() -> list[str]:
    """Whether any number of threads gives the same bits."""
    x = np.sin(np.arange(1 << 20, dtype=np.float32)).reshape(-1, 16)
    labels = np.arange(len(x)) % 16
    found = []
    for name, target in (("huber_loss", x[::-1]), ("cross_entropy", labels)):
        loss, results = getattr(fl, name), []
        for threads in (1, 4):
            fl.set_num_threads(threads)
            value, grad = loss.value_and_grad(x, target)
            results.append((value.tobytes(), grad.tobytes()))
        fl.set_num_threads(None)
        if results[0] != results[1]:
            found.append(f"{name}: other bits with 4 threads than with one")
    return found


def interface_faults() -> list[str]:
    """Whether C and Cython find what they compile against, and a bound loss has the right value."""
    folder = Path(fl.get_include())
    needed = folder / "fusedloss.h", folder.parent / "capi.pxd"
    found = [f"{path} is missing" for path in needed if not path.exists()]
    bound = fl.capi.bind(fl.huber_loss, delta=1.5)
    if fl.capi.function("value")(bound.address, 3.0, 1.0) != 1.875:
        found.append("capi: a wrong value")
    return found


def run_one() -> list[str]:
    """All checks in this process, at the level that the package has chosen."""
    cases = json.loads(RECORD.read_text(encoding="utf-8"))["cases"]
    return [
        *(fault for case in cases for fault in faults(case)),
        *thread_faults(),
        *interface_faults(),
    ]


def run(wheel: bool) -> list[str]:
    """All checks, at each level that this CPU can run; if there are several, in a process each."""
    facts = fl.show_config(mode="dict")
    assert facts is not None
    found = []
    if wheel:
        x86 = platform.machine().lower() in ("x86_64", "amd64")
        expected = ["v4", "v3", "v2"] if x86 else ["base"], sys.platform == "linux"
        if (facts["levels built"], facts["openmp"]) != expected:
            found.append(f"built: {facts['levels built']}, OpenMP: {facts['openmp']}")
    if len(facts["levels available"]) == 1:
        return found + run_one()
    for level in facts["levels available"]:
        command = [sys.executable, str(Path(__file__).resolve()), "--one"]
        done = subprocess.run(command, env=os.environ | {"FUSEDLOSS_ISA": level}, check=False)
        if done.returncode:
            found.append(f"{level}: exit code {done.returncode}")
    return found


def record() -> None:
    """Write the expected numbers of each loss and activation, with the options of its first row."""
    from tests import registry, samples

    cases: dict[Any, dict[str, Any]] = {}

    def add(name: str, options: Any, arrays: dict[str, Array], method: str, kind: str = "") -> bool:
        """Record the call, unless there is one of its kind already, or it has no numbers."""
        case = {"name": name, "method": method, "options": options}
        case["arrays"] = {
            k: (a.round(3) if a.dtype.kind == "f" else a).tolist() for k, a in arrays.items()
        }
        results = answer(case, "float64")
        if not all(np.isfinite(a).all() for a in results):
            return False
        # Twelve digits are more than is compared.
        case["results"] = [np.vectorize(lambda x: float(f"{x:.12g}"))(a).tolist() for a in results]
        cases.setdefault((name, kind), case)
        return True

    rng = np.random.default_rng(0)
    for row in registry.ELEMENTWISE:
        typical = {k: registry.KINDS[kind].typical(rng, (3, 4)) for k, kind in row.kinds.items()}
        assert add(row.loss, row.options, typical, "value_grad_hess")
    for case in registry.ROWS_ONE_OF_EACH:
        call = samples.rows(case, (3, 5))
        assert add(case.loss, call.options, call.arrays, "value_grad_hess", case.target)
    for joint in registry.JOINT:
        method = "value_grad_hess" if joint.curved else "value_and_grad"
        sizes = range(2, 20)  # a batch of few vectors may have no pairs
        rng = np.random.default_rng([*joint.loss.encode()])  # a new loss changes no other's numbers
        assert any(
            add(joint.loss, joint.options, joint.inputs(rng, n, np.float64), method) for n in sizes
        )
    for name in (*(a.name for a in registry.ACTIVATIONS), *registry.ROW_ACTIVATIONS, "normalize"):
        assert add(name, {}, {"input": rng.normal(size=(3, 5))}, "__call__")
    for name in ("cosine_similarity", "pairwise_distance"):
        assert add(name, {}, {x: rng.normal(size=(3, 5)) for x in ("x1", "x2")}, "__call__")
    lines = ",\n".join(json.dumps(case) for case in cases.values())
    RECORD.write_text(
        '{"about": "written by python -m tests.smoke --record", "cases": [\n' + lines + "\n]}\n",
        encoding="utf-8",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheel", action="store_true", help="all levels must be built")
    parser.add_argument("--record", action="store_true", help="write the expected numbers anew")
    parser.add_argument("--one", action="store_true", help="only the level that is chosen")
    options = parser.parse_args()
    if options.record:
        record()
        return 0
    if options.one:
        found = run_one()
    else:
        print(f"fusedloss of {Path(fl.__file__).parent}")
        fl.show_config()
        found = run(options.wheel)
    for fault in found:
        print(f"FAULT: {fault}")
    facts = fl.show_config(mode="dict") or {}
    where = f"at {facts['level']}" if options.one else "in all"
    print(
        f"smoke test {where}: {len(found)} faults" if found else f"smoke test {where}: all is well"
    )
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
