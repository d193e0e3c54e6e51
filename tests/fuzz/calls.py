"""Random calls: which function, with which numbers, dtypes, options, and where they lie."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import fusedloss as fl
from fusedloss import Activation
from tests import registry as reg
from tests.samples import FLOATS, HALVES, INTEGERS, ORDERS, Array, rows

Arrays = dict[str, Array]
Generator = np.random.Generator
#: A function's rows of the registry, each with what makes a call of it.
Table = dict[str, list[tuple[Any, Any]]]
SIZES = (0, 1, 2, 3, 5, 15, 16, 17, 31, 33, 63, 64, 65, 129, 511, 512, 513, 1023, 1024, 1025, 2500)
LARGE = 40_000  # more than one thread takes part
BUFFERS = ("out", "grad_out", "hess_out")


# ---- memory --------------------------------------------------------------------------------------


@dataclass
class Block:
    """An array anywhere in a block of memory, and the block as it must stay around it."""

    array: Array
    memory: Array
    before: Array

    def touched(self, but_array: bool) -> bool:
        """Whether something has changed: at all, or outside of the array."""
        if but_array:
            now = self.array.copy()
            kept, self.memory[...] = self.memory.copy(), self.before
            self.array[...] = now
            self.before, self.memory[...] = self.memory.copy(), kept
        return not np.array_equal(self.before, self.memory)


def block(pick: Generator, shape: tuple[int, ...], dtype: Any, like: Array | None = None) -> Block:
    """An array with its axes in any order, steps of any sign, gaps, and any alignment; one for
    input, made of the numbers of `like`, also repeats what is repeated there."""
    dtype = np.dtype(dtype)
    plain, odd = pick.random() < 0.3, pick.random() < 0.2
    order = [int(k) for k in pick.permutation(len(shape))]
    gaps, signs = pick.integers(1, 4, len(shape)), pick.random(len(shape)) < 0.3
    tight = pick.random() < 0.5
    strides, step, start = [0] * len(shape), dtype.itemsize, 32 + (1 if odd else 0)
    for k in range(len(shape) - 1, -1, -1) if plain else order:
        if like is not None and like.strides[k] == 0:
            continue  # broadcast
        if not plain:
            step *= 1 if tight else int(gaps[k])
        back = bool(signs[k]) and not plain
        strides[k] = -step if back else step
        start += step * max(shape[k] - 1, 0) if back else 0
        step *= max(shape[k], 1)
    memory = np.full(start + step + 64, 0xA5, np.uint8)
    array: Array = np.ndarray(shape, dtype, memory, start, strides)
    if like is not None:
        array[...] = like
    return Block(array, memory, memory.copy())


# ---- what is called ------------------------------------------------------------------------------


@dataclass
class Subject:
    """A call: a function, its operands as plain arrays of their dtypes, and its options."""

    name: str
    case: Any  # the registry's row; None for an activation
    arrays: Arrays
    options: dict[str, Any]
    leaves: tuple[str, ...]
    highest: int = 2
    labels: tuple[str, ...] = ()
    exact: bool = False  # whether layouts change no bit of an element
    hard: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def double(self) -> bool:
        """Whether the computation is in float64."""
        floats = [
            a.dtype
            for k, a in self.arrays.items()
            if a.dtype in FLOATS and k not in ("where", "q", "alpha")
        ]
        return np.dtype(np.float64) in floats or not floats

    @property
    def parameters(self) -> Any:
        return inspect.signature(getattr(fl, self.name)).parameters

    def run(
        self, arrays: Arrays, order: int, buffers: list[Any] | None = None, **options: Any
    ) -> list[Any]:
        """The value, the gradients by leaf, the second derivatives; the buffers lie so, too."""
        function, options = getattr(fl, self.name), self.options | options
        n = len(self.leaves)
        given = [None] * (1 + order * n) if buffers is None else buffers
        parts = [given[0], *(tuple(given[1 + k * n : 1 + k * n + n]) for k in range(order))]
        outs = {
            name: (b if k == 0 or n > 1 else b[0])
            for k, (name, b) in enumerate(zip(BUFFERS, parts, strict=False))
            if any(g is not None for g in (b if k else (b,)))
        }
        if isinstance(function, Activation):
            forward = {k: a for k, a in arrays.items() if k != "grad_output"}
            got = [function(**forward, **options, out=outs.get("out"))]
            if order:
                got.append(function.vjp(**arrays, **options, grad_out=outs.get("grad_out")))
        else:
            got = getattr(function, ORDERS[order])(**arrays, **options, **outs)
            got = list(got) if order else [got]
        return [got[0], *(g for part in got[1:] for g in (part if n > 1 else (part,)))]

    def plainly(self, arrays: Arrays | None = None) -> Arrays:
        """The operands in the dtype of the computation, side by side in memory."""
        dtype = np.float64 if self.double else np.float32
        return {
            k: np.array(
                a, bool if k == "where" else np.int64 if k in self.labels else dtype, order="C"
            )
            for k, a in (arrays or self.arrays).items()
        }


def shape_of(pick: Generator, size: int) -> tuple[int, ...]:
    """A shape of about this size, of up to three dimensions."""
    inner, middle = int(pick.choice([1, 3, 7, 16, 33])), int(pick.choice([1, 2, 5]))
    kind = pick.integers(0, 5)
    if kind == 0 and size == 1:
        return ()
    if kind < 3:
        return (size,)
    return (-(-size // inner), inner) if kind == 3 else (-(-size // inner), middle, inner)


def size_of(pick: Generator, limit: int) -> int:
    size = LARGE if pick.random() < 0.02 else int(pick.choice(SIZES))
    return min(size, limit)


POOLS: dict[Any, tuple[Arrays, Array]] = {}


def pool(case: reg.Elementwise, dtype: Any) -> tuple[Arrays, Array]:
    """Hard and random numbers for an elementwise loss, and which of them are moderate."""
    if (str(case), dtype) in POOLS:
        return POOLS[str(case), dtype]
    numbers = dict(zip(case.kinds, reg.elementwise_inputs(case, dtype), strict=False))
    moderate = np.ones(len(numbers["target"]), bool)
    for name, kind in case.kinds.items():
        low, high = reg.KINDS[kind].moderate
        x = np.abs(numbers[name]) if kind == "scale" else numbers[name]
        moderate &= (low <= x) & (x <= high)
    POOLS[str(case), dtype] = numbers, moderate
    return numbers, moderate


def floats(pick: Generator, names: Any) -> dict[str, Any]:
    """A dtype for each name; mostly the same for all."""
    one = FLOATS[pick.integers(0, 4)]
    mixed = pick.random() < 0.3
    some = {name: FLOATS[pick.integers(0, 4)] for name in names}
    return {name: some[name] if mixed else one for name in names}


def integer(pick: Generator, numbers: Array) -> Array:
    """Whole numbers in any integer dtype that has them, or as booleans."""
    low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
    fit = [d for d in INTEGERS if np.iinfo(d).min <= low and high <= np.iinfo(d).max]
    dtype = fit[int(pick.random() * len(fit))]
    boolean = pick.random() < 0.2 and low >= 0 and high <= 1
    return numbers.astype(np.bool_ if boolean else dtype)


def weights(pick: Generator, rng: Generator, shape: Any, dtype: Any) -> Array:
    w = np.asarray(rng.uniform(0.25, 2, shape))
    return np.where(rng.random(shape) < (0.3 if pick.random() < 0.5 else 0), 0, w).astype(dtype)


def repeated(pick: Generator, a: Array) -> Array:
    """The array, or one with some axes of step 0."""
    axes, now = pick.random(a.ndim) < 0.5, pick.random() < 0.15
    if not now or not a.size:
        return a
    return np.broadcast_to(a[tuple(slice(1) if k else slice(None) for k in axes)], a.shape)


def elementwise(case: reg.Elementwise, pick: Generator, rng: Generator, limit: int) -> Subject:
    names = [*case.kinds, "weight"]
    dtypes, hard, whole = floats(pick, names), pick.random() < 0.4, pick.random(len(names)) < 0.15
    weighted = pick.random() < 0.5
    shape = shape_of(pick, size_of(pick, limit))
    single = any(dtypes[k] != np.float64 for k in names)
    hard = hard and not any(dtypes[k] in HALVES for k in names) and not whole.any()
    numbers, moderate = pool(case, np.float32 if single else np.float64)
    chosen = rng.choice(np.arange(len(moderate)) if hard else np.flatnonzero(moderate), shape)
    arrays: Arrays = {}
    for (name, kind), integral in zip(case.kinds.items(), whole, strict=False):
        span = reg.KINDS[kind].whole
        if integral and span:
            whole_numbers = rng.integers(span[0], span[1] + 1, shape)
            sign = case.target == "sign" and name == "target"
            arrays[name] = np.where(whole_numbers > 0, 1, -1) if sign else whole_numbers
            arrays[name] = integer(pick, np.asarray(arrays[name]))
        else:
            arrays[name] = np.asarray(numbers[name][chosen]).astype(dtypes[name])
            if name != case.lead or case.side is None:
                arrays[name] = repeated(pick, arrays[name])
    if weighted:
        arrays["weight"] = weights(pick, rng, shape, dtypes["weight"])
    if pick.random() < 0.2 and "where" in inspect.signature(getattr(fl, case.loss)).parameters:
        arrays["where"] = np.asarray(rng.random(shape) < 0.7)
    return Subject(case.loss, case, arrays, dict(case.options), case.leaves, exact=True, hard=hard)


def over_classes(case: reg.Rows, pick: Generator, rng: Generator, limit: int) -> Subject:
    classes = min(int(pick.choice([1, 2, 3, 5, 10, 16, 17, 33, 64, 65, 129, 513, 1100])), limit)
    batch = shape_of(pick, min(size_of(pick, limit), 60_000 // classes))
    axis = int(pick.integers(0, 9)) % (len(batch) + 1)
    shape = (*batch[:axis], max(classes, 1), *batch[axis:])
    dtypes = floats(pick, ("input", "target", "weights"))
    made = rows(case, shape, axis, np.float64, int(rng.integers(2**32)))
    arrays, labels = dict(made.arrays), ("target",) if case.target in ("class", "list") else ()
    hard = pick.random() < 0.25 and dtypes["input"] not in HALVES
    if hard:
        arrays["input"] = rng.choice(reg.hard_numbers(np.float32), shape).astype(np.float64)
    arrays["input"] = repeated(pick, arrays["input"].astype(dtypes["input"]))
    if labels:
        arrays["target"] = integer(pick, arrays["target"])
    else:
        arrays["target"] = arrays["target"].astype(dtypes["target"])
    if case.weighted and case.weights:
        arrays[case.weights] = weights(pick, rng, shape[axis], dtypes["weights"])
    parameters = inspect.signature(getattr(fl, case.loss)).parameters
    if pick.random() < 0.2 and "where" in parameters:  # rows as a whole
        arrays["where"] = np.broadcast_to(np.expand_dims(rng.random(batch) < 0.7, axis), shape)
    if pick.random() < 0.2 and "sample_weight" in parameters:
        arrays["sample_weight"] = weights(pick, rng, batch, dtypes["weights"])
    options = dict(made.options)
    details: dict[str, Any] = {"axis": axis}
    if pick.random() < 0.3:
        options["axis"] = axis - len(shape)
    ignoring, ignored = pick.random() < 0.3, int(pick.integers(0, 4))
    if case.drops and ignoring:
        options["ignore_index"] = details["ignored"] = ignored
    return Subject(
        case.loss, case, arrays, options, ("input",), 2, labels, hard=hard, details=details
    )


def joint(case: reg.Joint, pick: Generator, rng: Generator, limit: int) -> Subject:
    n = min(int(pick.choice([0, 1, 2, 3, 5, 9, 17, 33, 65, 130, 400])), limit)
    hard = pick.random() < 0.2
    arrays = case.hard(rng, np.float32) if hard else case.inputs(rng, n, np.float64)
    more = {k: np.asarray(v) for k, v in case.options.items() if isinstance(v, (list, np.ndarray))}
    options = {k: v for k, v in case.options.items() if k not in more}
    dtypes = floats(pick, [*arrays, *more])
    if hard:
        dtypes = {k: np.dtype(np.float32 if d in HALVES else d) for k, d in dtypes.items()}
    for name in case.ordered:  # rounded alike, they keep their order
        dtypes[name] = dtypes[case.ordered[0]]
    arrays = {
        k: a
        if a.dtype == bool or k in case.keywords  # sizes, which are no booleans
        else integer(pick, a)
        if k in case.labels
        else a.astype(dtypes[k])
        for k, a in (arrays | more).items()
    }
    for name in case.operands:  # those without derivatives may be whole numbers
        a = arrays[name]
        if (
            name not in case.leaves
            and a.size
            and np.array_equal(a, np.round(a))
            and pick.random() < 0.3
        ):
            signs = np.array_equal(np.abs(a), np.ones(a.shape))
            arrays[name] = a.astype(np.int16) if signs else integer(pick, a)
    subject = Subject(
        case.loss, case, arrays, options, case.leaves, 1 + case.curved, case.labels, hard=hard
    )
    if case.weighted and pick.random() < 0.4:
        shape = np.shape(subject.run(subject.plainly(), 0, reduction="none")[0])
        dtype = dtypes[case.leaves[0]]
        extra = {"weight": weights(pick, rng, shape, dtype)}
        if "where" in subject.parameters and "where" not in arrays and pick.random() < 0.5:
            elements = arrays[case.leaves[0]].shape
            # It is one of elements, or of vectors, or of values.
            for of in (elements, elements[:-1], shape):
                extra = {"where": np.asarray(rng.random(of) < 0.7)}
                with suppress(ValueError):
                    subject.run(subject.plainly(arrays | extra), 0)
                    break
        subject = replace(subject, arrays=arrays | extra)
    return subject


def activation(name: str, pick: Generator, rng: Generator, limit: int) -> Subject:
    function: Any = getattr(fl, name)
    operands = [
        k
        for k, p in inspect.signature(function.vjp).parameters.items()
        if p.default is p.empty and k != "grad_output"
    ]
    parameters = inspect.signature(function).parameters
    shape = shape_of(pick, max(size_of(pick, limit), 1))
    if "axis" in parameters and not shape:
        shape = (1,)
    dtypes = floats(pick, [*operands, "grad_output"])
    arrays = {k: (rng.normal(size=shape) * 3).astype(dtypes[k]) for k in operands}
    arrays = {k: repeated(pick, a) for k, a in arrays.items()}
    axis = int(pick.integers(0, 9))
    options: dict[str, Any] = {"axis": axis % len(shape)} if "axis" in parameters else {}
    if "keepdims" in parameters and pick.random() < 0.5:
        options["keepdims"] = True
    subject = Subject(name, None, arrays, options, tuple(operands), 1, exact=not options)
    if not subject.double and dtypes["grad_output"] == np.float64:
        dtypes["grad_output"] = np.dtype(np.float32)  # the value's dtype does not depend on it
    dy = np.asarray(rng.normal(size=np.shape(subject.run(arrays, 0)[0]))).astype(
        dtypes["grad_output"]
    )
    return replace(subject, arrays=arrays | {"grad_output": dy})


Maker = Callable[[Any, Generator, Generator, int], Subject]


def functions() -> dict[str, list[tuple[Maker, Any]]]:
    """What makes calls of each loss and activation."""
    found: dict[str, list[tuple[Maker, Any]]] = {}
    for cases, maker in (
        (reg.ELEMENTWISE, elementwise),
        (reg.ROWS, over_classes),
        (reg.JOINT, joint),
    ):
        for case in cases:
            found.setdefault(case.loss, []).append((maker, case))
    for name in fl.__all__:
        if isinstance(getattr(fl, name), Activation):
            found[name] = [(activation, name)]
    return found


def make(seed: int, number: int, limit: int, table: Table) -> tuple[Subject, Generator, Generator]:
    """The call of this number, with sizes up to the limit."""
    pick, rng = (np.random.default_rng([seed, number, k]) for k in (0, 1))
    names = list(table)
    rows_of = table[names[int(pick.random() * len(names))]]
    maker, case = rows_of[int(pick.random() * len(rows_of))]
    return maker(case, pick, rng, limit), *(
        np.random.default_rng([seed, number, k]) for k in (2, 3)
    )
