"""Errors of value and gradient, here and in other libraries, against mpmath.

``python -m bench.accuracy`` writes build/bench/accuracy.json; ``--inputs DIR`` writes the numbers
that were put in. bench/README.md says what is counted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import cases, entrants, machine
from bench.cases import EACH, RESULT, Array, Arrays, Case, Question
from bench.contest import parts_of
from bench.entrants import FRESH, FUSED, MEMORY
from tests import registry as reg
from tests import samples

#: Inputs as in practice, and with the tails: numbers where digits are lost, if anywhere.
TYPICAL, TAILS = "typical", "tails"
#: So many typical elements, and rows, images or lists.
ELEMENTS: Final = 1000
FEW: Final = 40
CLASSES: Final = (2, 10, 100)
#: Nobody who is off by this part of a number has it right.
WRONG: Final = 1e-3


@dataclass(frozen=True)
class Inputs:
    """Arrays, by the names of the operands, and the exact losses and gradients for them."""

    case: Case
    kind: str
    arrays: Arrays
    exact: Callable[[], list[reg.Exact]]

    @property
    def sha256(self) -> str:
        """Of the bytes of all arrays: with it anyone can see that theirs are the same."""
        found = hashlib.sha256()
        for a in self.arrays:
            found.update(repr((a.dtype.str, a.shape)).encode() + np.ascontiguousarray(a).tobytes())
        return found.hexdigest()


# --- what is put in -----------------------------------------------------------------------------


def _exact(dtype: Any, *parts: list[reg.Pair]) -> list[reg.Exact]:
    return [reg.Exact(part, dtype) for part in parts]


def of_elements(case: Case, dtype: Any) -> Iterator[Inputs]:
    rows = [row for row in reg.ELEMENTWISE if row.loss == case.loss]
    first = rows[0]
    rows = [row for row in rows if (row.options, row.third) == (first.options, first.third)]
    rng = np.random.default_rng(5)
    hard = dict(zip(first.kinds, reg.elementwise_inputs(first, dtype), strict=False))
    typical = {
        name: reg.KINDS[kind].typical(rng, ELEMENTS).astype(dtype)
        for name, kind in first.kinds.items()
    }
    for kind, named in ((TYPICAL, typical), (TAILS, hard)):
        ordered = tuple(named[name] for name in first.operands)

        def exact(named: dict[str, Array] = named) -> list[reg.Exact]:
            points = list(zip(*(samples.mp_numbers(named[k]) for k in first.kinds), strict=True))
            found = [[row.exact(*point) for point in points] for row in rows]
            values = [value for value, _, _ in found[0]]
            return _exact(dtype, values, *([grad for _, grad, _ in each] for each in found))

        yield Inputs(case, kind, ordered, exact)


def of_rows(case: Case, dtype: Any) -> Iterator[Inputs]:
    row = next(row for row in reg.ROWS if row.loss == case.loss)
    rng = np.random.default_rng(5)
    for classes in CLASSES:
        typical = case.inputs(rng, (FEW, max(classes, cases.LISTED)), np.dtype(dtype).name)
        hard = reg.rows_inputs(row, dtype, classes)[:2]
        for kind, (x, t) in ((TYPICAL, typical), (TAILS, hard)):

            def exact(x: Array = x, t: Array = t) -> list[reg.Exact]:
                ones = samples.mp_numbers(np.ones(x.shape[1]))
                found = [
                    row.exact(samples.mp_numbers(a), samples.mp_target(row, b), ones)
                    for a, b in zip(x, t, strict=True)
                ]
                grads = [pair for _, grad, _ in found for pair in grad]
                return _exact(dtype, [value for value, _, _ in found], grads)

            yield Inputs(case, f"{kind}, {x.shape[1]} classes", (x, t), exact)


def of_several(case: Case, dtype: Any) -> Iterator[Inputs]:
    row = next(row for row in reg.JOINT if row.loss == case.loss)
    rng = np.random.default_rng(5)
    for kind, named in ((TYPICAL, row.inputs(rng, FEW // 4, dtype)), (TAILS, row.hard(rng, dtype))):
        ordered = tuple(named[name] for name in row.operands)

        def exact(named: dict[str, Array] = named) -> list[reg.Exact]:
            value, grads, _ = row.truth(samples.mp_operands(row, named), **row.options)
            return _exact(dtype, value, *(grads[leaf] for leaf in row.leaves))

        yield Inputs(case, kind, ordered, exact)


def of_activations(case: Case, dtype: Any) -> Iterator[Inputs]:
    rng = np.random.default_rng(5)
    for row in reg.ACTIVATIONS:
        if row.name == case.loss:
            typical = rng.normal(0, 3, ELEMENTS).astype(dtype)
            for kind, x in ((TYPICAL, typical), (TAILS, reg.hard_numbers(dtype))):

                def of_numbers(x: Array = x, row: Any = row) -> list[reg.Exact]:
                    return _exact(dtype, [row.truth(v)[0] for v in samples.mp_numbers(x)])

                yield Inputs(case, kind, (x,), of_numbers)
    for classes in CLASSES if case.loss in reg.ROW_ACTIVATIONS else ():
        typical = rng.normal(0, 3, (FEW, classes)).astype(dtype)
        hard, _, _ = reg.rows_inputs(reg.ROWS[0], dtype, classes)
        for kind, x in ((TYPICAL, typical), (TAILS, hard)):

            def of_numbers_in_rows(x: Array = x) -> list[reg.Exact]:
                truth = reg.row_activation_truth
                rows = [truth(case.loss, samples.mp_numbers(row)) for row in x]
                return _exact(dtype, [pair for row in rows for pair in row])

            yield Inputs(case, f"{kind}, {classes} classes", (x,), of_numbers_in_rows)


def inputs(case: Case, dtype: Any) -> Iterator[Inputs]:
    """All that a case is asked."""
    if case in cases.ELEMENTWISE:
        return of_elements(case, dtype)
    if case in cases.ROWS:
        return of_rows(case, dtype)
    return of_several(case, dtype) if case in cases.JOINT else of_activations(case, dtype)


# --- what comes out -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Errors:
    """In units in the last place, of all results that are not wrong."""

    largest: float
    p99: float
    #: Results without a right digit: nan, infinite, or off by more than a thousandth, where the
    #: true number is finite.
    wrong: int
    count: int


def errors(got: Any, exact: reg.Exact, dtype: Any) -> Errors:
    """How far results are off."""
    found = exact.errors(got)
    sound = found[found <= WRONG * 2.0 ** np.finfo(dtype).nmant]
    largest, p99 = (np.max(sound), np.percentile(sound, 99)) if sound.size else (0, 0)
    return Errors(float(largest), float(p99), found.size - sound.size, found.size)


def ask(name: str, given: Inputs, exact: list[reg.Exact]) -> dict[str, Any]:
    """The errors of someone, by value and gradient (the worst, if there are several); or why there
    are none."""
    case, dtype = given.case, given.arrays[0].dtype
    result = RESULT if case.results[-1] == RESULT else EACH
    question = Question(case, dtype.name, given.arrays[0].shape, result)
    if not entrants.MAKERS[name].has(question):
        return {"absent": "has no such function"}
    try:
        with np.errstate(all="ignore"):
            entrant = entrants.make(name, question, tuple(a.copy() for a in given.arrays))
            assert entrant.results
            found = parts_of(entrant.results(entrant.step()))
        if [part.size for part in found] != [len(part.high) for part in exact]:
            raise ValueError("has no values of single rows")
    except Exception as error:  # others may refuse an input, a dtype, or all
        if name == FUSED:
            raise
        return {"absent": f"{type(error).__name__}: {error}".partition("\n")[0]}
    value, *grads = (errors(a, b, dtype) for a, b in zip(found, exact, strict=True))
    answer = {"value": asdict(value), "composed": entrant.composed}
    if grads:
        answer["grad"] = asdict(max(grads, key=lambda e: (e.wrong, e.largest)))
    return answer


# --- all of it ----------------------------------------------------------------------------------


def measure(chosen: list[Case], tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """All rows. torch.compile, which takes seconds for each shape, is asked for elements alone."""
    who = [
        name for name in entrants.MAKERS if name not in (FRESH, MEMORY) and entrants.installed(name)
    ]
    rows = []
    for case in chosen:
        for dtype in (np.float32, np.float64):
            tell(f"{case.loss} {np.dtype(dtype).name}")
            for given in inputs(case, dtype):
                exact = given.exact()
                rows.append(
                    {
                        "family": case.family,
                        "loss": case.loss,
                        "options": dict(case.options),
                        "dtype": np.dtype(dtype).name,
                        "inputs": given.kind,
                        "shape": list(given.arrays[0].shape),
                        "sha256": given.sha256,
                        "results": {
                            name: ask(name, given, exact)
                            for name in who
                            if name != "torch.compile" or case in cases.ELEMENTWISE
                        },
                    }
                )
    return rows


def write_inputs(chosen: list[Case], folder: Path) -> None:
    """An .npz file for each loss, dtype and kind of inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in chosen:
        for dtype in (np.float32, np.float64):
            for given in inputs(case, dtype):
                name = f"{case.loss} {np.dtype(dtype).name} {given.kind}".replace(", ", " ")
                arrays: dict[str, Any] = dict(zip(case.operands, given.arrays, strict=True))
                np.savez(folder / f"{name.replace(' ', '_')}.npz", **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of losses; without, all")
    parser.add_argument("--json", type=Path, default=machine.RESULTS / "accuracy.json")
    parser.add_argument("--inputs", type=Path, metavar="DIR", help="only write the inputs, there")
    options = parser.parse_args()
    chosen = [
        case
        for case in cases.CASES
        if not options.names or any(name in case.loss for name in options.names)
    ]
    if not chosen:
        parser.error("no loss has such a name")
    if options.inputs:
        write_inputs(chosen, options.inputs)
        return
    entrants.prepare(peers=True)

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    result = {
        "machine": machine.facts(peers=True),
        "command": " ".join(["python -m bench.accuracy", *options.names]),
        "rows": measure(chosen, tell),
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    tell(f"written: {options.json}")


if __name__ == "__main__":
    main()
