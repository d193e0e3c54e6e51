"""Call after call, until one shows a fault; and what is printed of it."""

from __future__ import annotations

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import fusedloss as fl
from tests.fuzz.calls import Table, functions, make
from tests.fuzz.checks import Fault, check, describe
from tests.samples import ORDERS, Array, bfloat16


def attempt(seed: int, number: int, table: Table, limit: int = 10**6) -> tuple[str, Fault | None]:
    subject, pick, rng = make(seed, number, limit, table)
    try:
        check(subject, pick, rng)
    except Fault as fault:
        return subject.name, fault
    except Exception as error:  # of a good call
        fault = Fault(f"{type(error).__name__} of a good call", subject, str(error))
        return subject.name, fault
    return subject.name, None


def literal(a: Array) -> str:
    name = "bfloat16" if a.dtype == bfloat16 else repr(str(a.dtype))
    if a.size <= 64:
        return f"np.array({a.astype(object).tolist()!r}, {name}).reshape({a.shape})"
    return f"...  # {describe(a)}"


def report(fault: Fault, seed: int, number: int) -> str:
    s = fault.subject
    lines = [
        f"FAULT  {s.name}: {fault.what}",
        *(f"    {line}" for line in fault.shown.splitlines()[:12]),
        f"repeat with: make fuzz SEED={seed} CALL={number}",
        "the call, its operands lying plainly:",
        "    import numpy as np, fusedloss as fl",
        "    from ml_dtypes import bfloat16; from numpy import inf, nan",
        *(f"    {name} = {literal(a)}" for name, a in s.arrays.items()),
    ]
    options = "".join(f", {k}={v!r}" for k, v in s.options.items())
    method = "" if s.case is None else f".{ORDERS[s.highest]}"
    end = "" if s.case is None else ', reduction="none"'
    given = ", ".join(f"{name}={name}" for name in s.arrays if s.case or name != "grad_output")
    return "\n".join([*lines, f"    print(fl.{s.name}{method}({given}{options}{end}))"])


def smallest(seed: int, number: int, table: Table, fault: Fault) -> Fault:
    """The fault with the fewest numbers that the same choices have."""
    for limit in (1, 2, 3, 5, 9, 17, 33, 65, 200, 600):
        found = attempt(seed, number, table, limit)[1]
        if found is not None and found.what == fault.what:
            return found
    return fault


def fuzz(
    seed: int,
    seconds: float,
    first: int = 0,
    calls: int | None = None,
    table: Table | None = None,
    keep_going: bool = False,
    say: Callable[[str], Any] = print,
) -> list[tuple[int, Fault]]:
    """The calls from the first on, until time is up or something is wrong."""
    table = functions() if table is None else table
    counts: Counter[str] = Counter(dict.fromkeys(table, 0))
    faults: dict[tuple[str, str], tuple[int, Fault]] = {}
    start = told = time.monotonic()
    number = first
    try:
        while time.monotonic() - start < seconds and (calls is None or number - first < calls):
            name, fault = attempt(seed, number, table)
            counts[name] += 1
            if fault and (name, fault.what) not in faults:
                fault = smallest(seed, number, table, fault)
                faults[name, fault.what] = number, fault
                say(report(fault, seed, number))
                if not keep_going:
                    break
            number += 1
            if time.monotonic() - told > 5:
                told = time.monotonic()
                low, high = min(counts.values()), max(counts.values())
                say(
                    f"{told - start:4.0f} s  {counts.total()} calls of {len(table)} functions, "
                    f"of each {low} to {high}"
                )
    finally:
        fl.set_num_threads(None)
    say(
        f"{counts.total()} calls with seed {seed}: "
        + ", ".join(f"{k} {n}" for k, n in sorted(counts.items()))
    )
    return list(faults.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, help="a random one by default; it is printed")
    parser.add_argument("--calls", type=int, help="how many calls, if there is time")
    parser.add_argument("--call", type=int, help="only the call of this number")
    parser.add_argument("--only", help="only functions whose name contains this")
    parser.add_argument("--keep-going", action="store_true", help="each kind of fault once")
    given = parser.parse_args()
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    table = functions()
    if given.only:
        table = {k: v for k, v in table.items() if given.only in k}
    first, calls = (0, given.calls) if given.call is None else (given.call, 1)
    warnings.simplefilter("error")
    faults = fuzz(
        seed, given.seconds, first, calls, table, given.keep_going, lambda t: print(t, flush=True)
    )
    print(f"kinds of faults: {len(faults)}" if faults else "no fault")
    return 1 if faults else 0
