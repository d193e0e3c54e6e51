"""Errors of value and gradient, here and in other libraries, against MPFR.

``python -m bench.accuracy`` writes build/bench/accuracy.json; ``--inputs DIR`` writes the numbers
that were put in. bench/README.md says what is counted.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import cases, implementations, machine
from bench.cases import EACH, RESULT, Array, Arrays, Case, Question
from bench.comparison import parts_of
from bench.implementations import FRESH, FUSED, MEMORY
from tests import registry as reg
from tests import samples

#: Inputs as in practice, and with the tails: numbers where digits are lost, if anywhere.
TYPICAL, TAILS = "typical", "tails"
#: So many typical elements, and rows, images or lists.
ELEMENTS, FEW = 1000, 40
CLASSES = (2, 10, 100)
#: Nobody who is off by this part of a number has it right.
WRONG = 1e-3


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


# --- what is put in: kind, arrays, and a function that gives the true numbers for them ----------

Made = Iterator[tuple[str, Arrays, Callable[..., Iterable[list[reg.Pair]]]]]


def _elements(case: Case, dtype: Any, rng: np.random.Generator) -> Made:
    rows = [row for row in reg.ELEMENTWISE if row.loss == case.loss]
    first = rows[0]
    rows = [row for row in rows if (row.options, row.third) == (first.options, first.third)]
    hard = dict(zip(first.kinds, reg.elementwise_inputs(first, dtype), strict=False))
    typical = {
        name: reg.KINDS[kind].typical(rng, ELEMENTS).astype(dtype)
        for name, kind in first.kinds.items()
    }

    def truth(*arrays: Array) -> Iterable[list[reg.Pair]]:
        named = dict(zip(first.operands, arrays, strict=True))
        points = list(zip(*(samples.mp_numbers(named[k]) for k in first.kinds), strict=True))
        found = [[row.exact(*point) for point in points] for row in rows]
        return [[value for value, _, _ in found[0]], *([grad for _, grad, _ in f] for f in found)]

    for kind, named in ((TYPICAL, typical), (TAILS, hard)):
        yield kind, tuple(named[name] for name in first.operands), truth


def _rows(case: Case, dtype: Any, rng: np.random.Generator) -> Made:
    row = next(row for row in reg.ROWS if row.loss == case.loss)

    def truth(x: Array, target: Array) -> Iterable[list[reg.Pair]]:
        ones = samples.mp_numbers(np.ones(x.shape[1]))
        found = [
            row.exact(samples.mp_numbers(a), samples.mp_target(row, b), ones)
            for a, b in zip(x, target, strict=True)
        ]
        return [[value for value, _, _ in found], [pair for _, grad, _ in found for pair in grad]]

    for classes in CLASSES:
        typical = case.inputs(rng, (FEW, max(classes, cases.LISTED)), np.dtype(dtype).name)
        hard = reg.rows_inputs(row, dtype, classes)[:2]
        for kind, arrays in ((TYPICAL, typical), (TAILS, hard)):
            yield f"{kind}, {arrays[0].shape[1]} classes", arrays, truth


def _several(case: Case, dtype: Any, rng: np.random.Generator) -> Made:
    row = next(row for row in reg.JOINT if row.loss == case.loss)
    names = (*row.operands, *row.keywords)

    def truth(*arrays: Array) -> Iterable[list[reg.Pair]]:
        named = dict(zip(names, arrays, strict=True))
        value, grads, _ = row.truth(samples.mp_operands(row, named), **row.options)
        return [value, *(grads[leaf] for leaf in row.leaves)]

    for kind, named in ((TYPICAL, row.inputs(rng, FEW // 4, dtype)), (TAILS, row.hard(rng, dtype))):
        yield kind, tuple(named[name] for name in names), truth


def _activations(case: Case, dtype: Any, rng: np.random.Generator) -> Made:
    for row in reg.ACTIVATIONS:
        if row.name == case.loss:

            def truth(x: Array, row: Any = row) -> Iterable[list[reg.Pair]]:
                return [[row.truth(v)[0] for v in samples.mp_numbers(x)]]

            yield TYPICAL, (rng.normal(0, 3, ELEMENTS).astype(dtype),), truth
            yield TAILS, (reg.hard_numbers(dtype),), truth

    def of_rows(x: Array) -> Iterable[list[reg.Pair]]:
        found = [reg.row_activation_truth(case.loss, samples.mp_numbers(row)) for row in x]
        return [[pair for row in found for pair in row]]

    for classes in CLASSES if case.loss in reg.ROW_ACTIVATIONS else ():
        typical = rng.normal(0, 3, (FEW, classes)).astype(dtype)
        hard, _, _ = reg.rows_inputs(reg.ROWS[0], dtype, classes)
        yield f"{TYPICAL}, {classes} classes", (typical,), of_rows
        yield f"{TAILS}, {classes} classes", (hard,), of_rows


def inputs(case: Case, dtype: Any) -> Iterator[Inputs]:
    """All that a case is asked."""
    makers = ((cases.ELEMENTWISE, _elements), (cases.ROWS, _rows), (cases.JOINT, _several))
    make = next((maker for chosen, maker in makers if case in chosen), _activations)
    for kind, arrays, truth in make(case, dtype, np.random.default_rng(5)):

        def exact(arrays: Arrays = arrays, truth: Any = truth) -> list[reg.Exact]:
            return [reg.Exact(part, dtype) for part in truth(*arrays)]

        yield Inputs(case, kind, arrays, exact)


# --- what comes out -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Errors:
    """In units in the last place, of all results that are not wrong."""

    p99: float
    largest: float
    #: Results without a right digit: nan, infinite, or off by more than a thousandth, where the
    #: true number is finite.
    wrong: int
    count: int


def errors(got: Any, exact: reg.Exact, dtype: Any) -> Errors:
    """How far results are off."""
    found = exact.errors(got)
    sound = found[found <= WRONG * 2.0 ** np.finfo(dtype).nmant]
    p99, largest = (np.percentile(sound, 99), np.max(sound)) if sound.size else (0, 0)
    return Errors(float(p99), float(largest), found.size - sound.size, found.size)


def ask(name: str, given: Inputs, exact: list[reg.Exact]) -> Iterator[dict[str, Any]]:
    """The errors of someone in the value, and in the gradient (the worst, if there are several); or
    why there are none."""
    case, dtype = given.case, given.arrays[0].dtype
    result = RESULT if case.results[-1] == RESULT else EACH
    question = Question(case, dtype.name, given.arrays[0].shape, result)
    if not implementations.MAKERS[name].has(question):
        return
    try:
        with np.errstate(all="ignore"):
            made = implementations.make(name, question, tuple(a.copy() for a in given.arrays))
            assert made.results
            found = parts_of(made.results(made.step()))
        if [part.size for part in found] != [len(part.high) for part in exact]:
            raise ValueError("has no values of single rows")
    except Exception as error:  # others may refuse an input, a dtype, or all
        if name == FUSED:
            raise
        yield {"absent": f"{type(error).__name__}: {error}".partition("\n")[0]}
        return
    value, *grads = (errors(a, b, dtype) for a, b in zip(found, exact, strict=True))
    yield {"part": "value", **asdict(value)}
    if grads:
        yield {"part": "grad", **asdict(max(grads, key=lambda e: (e.wrong, e.largest)))}


def measure(chosen: Iterable[Case]) -> Iterator[dict[str, Any]]:
    """All rows. torch.compile, which takes seconds for each shape, is asked for elements alone."""
    for case in chosen:
        for dtype in ("float32", "float64"):
            machine.tell(f"{case.loss} {dtype}")
            for given in inputs(case, np.dtype(dtype).type):
                exact = given.exact()
                about = {"loss": case.loss, "dtype": dtype, "inputs": given.kind}
                about |= {"shape": given.arrays[0].shape, "sha256": given.sha256}
                for name, maker in implementations.MAKERS.items():
                    slow = name == "torch.compile" and case not in cases.ELEMENTWISE
                    if slow or name in (FRESH, MEMORY) or not machine.installed(maker.package):
                        continue
                    for found in ask(name, given, exact):
                        yield {**about, "implementation": name, **found}


def write_inputs(chosen: Iterable[Case], folder: Path) -> None:
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
    names = options.names or [""]
    chosen = [case for loss, case in cases.CASES.items() if any(name in loss for name in names)]
    if not chosen:
        parser.error("no loss has such a name")
    if options.inputs:
        write_inputs(chosen, options.inputs)
        return
    machine.prepare(peers=True)
    machine.write(options.json, {"rows": list(measure(chosen))})


if __name__ == "__main__":
    main()
