"""How long ``import fusedloss`` takes on top of NumPy: ``python -m bench.import_time``.

The minimum of some processes, in milliseconds. The first one writes the bytecode and is not
counted.
"""

from __future__ import annotations

import os
import subprocess
import sys

STATEMENT = """
import numpy, time
start = time.perf_counter()
import fusedloss
print(time.perf_counter() - start)
"""
RUNS = 15


def seconds() -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", STATEMENT]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


if __name__ == "__main__":
    seconds()
    times = [seconds() for _ in range(RUNS)]
    print(f"import fusedloss: {1000 * min(times):.1f} ms on top of NumPy, the minimum of {RUNS}")
