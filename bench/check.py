"""Has a kernel become slower? Ratios to NumPy now, beside those that were recorded.

``python -m bench.check`` runs the quick suite and compares it with bench/baseline.json;
``python -m bench.check --record`` writes that file anew. Never times: ratios of one race.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import machine

BASELINE: Final = Path(__file__).with_name("baseline.json")
#: A ratio may fall to this part of the recorded one: noise, and other versions of NumPy.
LEAST: Final = 0.75
#: On another processor, or with kernels of another level, to this part.
LEAST_ELSEWHERE: Final = 0.4
#: What is below is measured again, so often: an unlucky race is not a slow kernel.
TRIES: Final = 3

Ratios = dict[str, float]


def measure(tests: Sequence[str]) -> tuple[dict[str, Any], Ratios, dict[str, str]]:
    """Machine; by group how many times faster than NumPy; and by group the kernel's test."""
    target = machine.RESULTS / "check.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", "--suite", "quick", "--benchmark-only"]
    command += ["--benchmark-disable-gc", "--benchmark-quiet", "-q", f"--benchmark-json={target}"]
    subprocess.run([*command, *tests], cwd=machine.ROOT, check=True)
    result = json.loads(target.read_text())
    facts = result["machine_info"]
    kind = {
        "cpu": facts["cpu_model"],
        "level": facts["fusedloss"]["level"],
        "compiler": facts["fusedloss"]["compiler"],
        "numpy": facts["numpy"]["version"],
    }
    records = [r for r in result["benchmarks"] if "speedup_vs_numpy" in r["extra_info"]]
    ratios = {r["group"]: r["extra_info"]["speedup_vs_numpy"] for r in records}
    return kind, ratios, {r["group"]: r["fullname"] for r in records}


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
    recorded = baseline["ratios"]
    part = least(kind, baseline["machine"])
    print()
    if kind != baseline["machine"]:
        print(f"The baseline is of {baseline['machine']}.")
    for _ in range(TRIES - 1):
        slow = fallen(ratios, recorded, part)
        if not slow:
            break
        print(f"measuring again: {', '.join(slow)}", flush=True)
        _, again, _ = measure([tests[group] for group in slow])
        ratios.update({group: max(ratio, ratios[group]) for group, ratio in again.items()})
    for name, groups in (
        ("not in the baseline", ratios.keys() - recorded.keys()),
        ("no longer measured", recorded.keys() - ratios.keys()),
    ):
        for group in sorted(groups):
            print(f"{name}: {group} (python -m bench.check --record)")
    slow = fallen(ratios, recorded, part)
    for group in slow:
        print(f"slower: {group}: {ratios[group]:.2f} × NumPy, recorded were {recorded[group]:.2f}")
    print(f"{len(ratios)} ratios, {len(slow)} below {part:.0%} of the recorded ones")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
