"""Has a kernel become slower? Ratios to NumPy now, compared with those that were recorded.

``python -m bench.check`` runs the quick suite and compares it with bench/baseline.json;
``python -m bench.check --record`` writes that file anew. Never times: ratios of one comparison.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine
from bench.implementations import NUMPY

BASELINE = Path(__file__).with_name("baseline.json")
#: A ratio may fall to this part of the recorded one: noise, and other versions of NumPy.
LEAST = 0.75
#: On another processor, or with kernels of another level, to this part.
LEAST_ELSEWHERE = 0.4
#: What is below is measured again, so often: bad luck is not a slow kernel.
TRIES = 3

Ratios = dict[str, float]


def measure(tests: Sequence[str]) -> tuple[dict[str, Any], Ratios, dict[str, list[str]]]:
    """Machine; by group how many times faster than NumPy; and by group the tests."""
    target = machine.RESULTS / "check.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", "--suite", "quick", "--benchmark-only"]
    command += ["--benchmark-disable-gc", "--benchmark-quiet", "-q", f"--benchmark-json={target}"]
    subprocess.run([*command, *tests], cwd=machine.ROOT, check=True)
    result = json.loads(target.read_text())
    facts = result["machine_info"]
    kind = {"cpu": facts["cpu_model"], "numpy": facts["versions"]["numpy"]}
    kind |= {name: facts["fusedloss"][name] for name in ("level", "compiler")}
    ratios: Ratios = {}
    names: dict[str, list[str]] = {}
    for record in result["benchmarks"]:
        names.setdefault(record["group"], []).append(record["fullname"])
        if record["extra_info"]["implementation"] == NUMPY:
            ratios[record["group"]] = record["extra_info"]["relative_time"]
    return kind, ratios, names


def least(kind: dict[str, Any], recorded: dict[str, Any]) -> float:
    """To which part of the recorded ratio one may fall."""
    alike = all(kind[name] == recorded[name] for name in ("cpu", "level"))
    return LEAST if alike else LEAST_ELSEWHERE


def fallen(ratios: Ratios, recorded: Ratios, part: float) -> list[str]:
    """Groups whose ratio is less than that part of the recorded one."""
    return [g for g, ratio in ratios.items() if g in recorded and ratio < part * recorded[g]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.check", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the baseline anew")
    options = parser.parse_args()
    kind, ratios, tests = measure(["bench/test_speed.py"])
    if options.record:
        rounded = {group: float(f"{ratio:.3g}") for group, ratio in ratios.items()}
        BASELINE.write_text(json.dumps({"machine": kind, "ratios": rounded}, indent=1) + "\n")
        print(f"recorded: {len(ratios)} ratios in {BASELINE}")
        return 0
    baseline = json.loads(BASELINE.read_text())
    recorded, part = baseline["ratios"], least(kind, baseline["machine"])
    if kind != baseline["machine"]:
        print(f"\nThe baseline is of {baseline['machine']}.")
    for _ in range(TRIES - 1):
        if slow := fallen(ratios, recorded, part):
            print(f"measuring again: {', '.join(slow)}", flush=True)
            _, again, _ = measure([test for group in slow for test in tests[group]])
            ratios.update({group: max(ratio, ratios[group]) for group, ratio in again.items()})
    for group in sorted(ratios.keys() ^ recorded.keys()):
        where = "not in the baseline" if group in ratios else "no longer measured"
        print(f"{where}: {group} (python -m bench.check --record)")
    slow = fallen(ratios, recorded, part)
    for group in slow:
        print(f"slower: {group}: {ratios[group]:.2f} × NumPy, recorded were {recorded[group]:.2f}")
    print(f"{len(ratios)} ratios, {len(slow)} below {part:.0%} of the recorded ones")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
