"""What must hold of a call: truths, layouts, threads, buffers, reductions, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

import fusedloss as fl
from fusedloss import Activation
from tests import registry as reg
from tests.fuzz.calls import Arrays, Block, Generator, Subject, block
from tests.samples import (
    FLOATS,
    HALVES,
    REDUCTIONS,
    Array,
    bfloat16,
    mp_numbers,
    mp_operands,
    mp_target,
    same,
)

ACCEPTED = (ValueError, TypeError, IndexError, NotImplementedError)


class Fault(Exception):
    """Something that does not hold, with the call where it does not."""

    def __init__(self, what: str, subject: Subject, shown: str = "") -> None:
        super().__init__(what)
        self.what, self.subject, self.shown = what, subject, shown


def describe(a: Any) -> str:
    if not isinstance(a, np.ndarray):
        return repr(a)
    return f"{a.dtype} {a.shape}, strides {a.strides}" + (
        "" if a.flags.writeable else ", read-only"
    )


# ---- what must hold ------------------------------------------------------------------------------


def wide(a: Any) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(a).astype(np.float64)


def agree(got: Any, expected: Any, eps: float) -> bool:
    """Whether all numbers are equal but for eps of the largest; infinite ones, and nan, at all."""
    g, e = wide(got), wide(expected)
    if g.shape != e.shape or not np.array_equal(np.isnan(g), np.isnan(e)):
        return False
    finite = np.isfinite(e)
    scale = float(np.abs(e[finite]).max(initial=0))
    with np.errstate(all="ignore"):
        near = np.abs(g - e) <= eps * np.abs(e) + eps * scale + 1e-45
    return bool(np.all(near | (g == e) | np.isnan(e)))


def rounded(a: Any, dtype: Any) -> Array:
    """The numbers rounded once; ml_dtypes goes from float64 to bfloat16 by way of float32."""
    with np.errstate(all="ignore"):
        if dtype == bfloat16:
            x = wide(a)
            unit = np.maximum(np.frexp(x)[1] - 8, -133)
            a = np.copysign(np.ldexp(np.rint(np.ldexp(x, -unit)), unit), x)
        return np.asarray(a).astype(dtype)


def overflown(a: Array, dtype: Any) -> Array:
    """The numbers, infinite where they lie beyond the dtype's range."""
    with np.errstate(over="ignore"):
        return np.where(np.isinf(a.astype(dtype)), np.copysign(np.inf, a), a)


def eps_of(*dtypes: Any) -> float:
    if any(np.dtype(d) in HALVES for d in dtypes):
        return 2.0**-6 if bfloat16 in dtypes else 2.0**-9
    return 3e-5 if np.dtype(np.float32) in dtypes else 1e-11


def truths(s: Subject, plain: Arrays, rng: Generator) -> Iterator[tuple[int, Any, list[Any]]]:
    """Of some numbers of the results: which result, where in it, and their exact pairs."""
    case = s.case
    if isinstance(case, reg.Elementwise):
        size = plain[case.first].size
        if not size:
            return
        at = np.unique(rng.integers(0, size, 6))
        flat = {k: np.ravel(np.broadcast_to(a, plain[case.first].shape)) for k, a in plain.items()}
        one = np.ones(size)
        w = mp_numbers((flat.get("weight", one) * flat.get("where", one))[at])
        points = [
            case.truth(*x, **case.options)
            for x in zip(*(mp_numbers(flat[k][at]) for k in case.kinds), strict=True)
        ]
        columns = [[p[0] for p in points]]
        for k in (1, 2):
            sides = [[p[k]] if case.side is None else list(p[k]) for p in points]
            columns += [list(c) for c in zip(*sides, strict=True)]
        for k, column in enumerate(columns):
            pairs = zip(column, w, strict=True)
            yield k, at, [(v * wi, z * wi) if wi else (wi, wi) for (v, z), wi in pairs]
    elif isinstance(case, reg.Rows):
        axis, x = s.details["axis"], np.moveaxis(plain["input"], s.details["axis"], -1)
        t = plain["target"]
        t = t if case.target == "class" else np.moveaxis(t, axis, -1)
        if not x.size or x.shape[-1] > 70 or {"where", "sample_weight"} & set(plain):
            return
        weight = plain.get(case.weights or "", np.ones(x.shape[-1]))
        for _ in range(2):
            at = tuple(int(rng.integers(0, n)) for n in x.shape[:-1])
            if case.target == "class" and int(t[at]) == s.details.get("ignored"):
                continue
            v, g, h = case.exact(mp_numbers(x[at]), mp_target(case, t[at]), mp_numbers(weight))
            yield 0, at, [v]
            yield 1, (*at[:axis], slice(None), *at[axis:]), g
            yield 2, (*at[:axis], slice(None), *at[axis:]), h
    elif isinstance(case, reg.Joint) and "weight" not in s.arrays and "where" not in s.arrays:
        if sum(a.size for a in plain.values()) > 100 or not all(a.size for a in plain.values()):
            return
        values, *parts = case.truth(mp_operands(case, plain), **s.options)
        yield 0, slice(None), values
        for k, part in enumerate(parts[: s.highest]):
            for j, leaf in enumerate(case.leaves):
                yield 1 + k * len(case.leaves) + j, slice(None), part[leaf]


def check_truth(s: Subject, plain: Arrays, got: list[Any], rng: Generator) -> None:
    """The exact values, to within a few times the bounds that the tests ask for."""
    dtype = np.float64 if s.double else np.float32
    n = len(s.leaves)
    for k, at, pairs in truths(s, plain, rng):
        order = (k + n - 1) // n
        part = got[k] if isinstance(s.case, reg.Rows) else np.ravel(got[k])
        numbers = np.ravel(part[at])
        exact = reg.Exact(pairs, dtype)
        errors = exact.errors(numbers)
        bad = np.flatnonzero(~(errors <= 4 * s.case.bounds[order] + 4))
        if bad.size:
            i = int(bad[0])
            raise Fault(
                f"{('value', 'gradient', 'second derivative')[order]} is wrong",
                s,
                f"result {k} at {at}[{i}] is {numbers[i]!r}, exactly {exact.shown(i)}: "
                f"{errors[i]:.3g} ULP",
            )


def check_reduction(
    s: Subject, arrays: Arrays, each: list[Any], order: int, reduction: str
) -> None:
    """The value is the sum of all divided by a number, and so are the derivatives."""
    if reduction == "none":
        return
    got = s.run(arrays, order, reduction=reduction)
    with np.errstate(all="ignore"):
        total = float(np.sum(wide(each[0])))
        size = float(np.sum(np.abs(wide(each[0]))))
    out = np.empty((), FLOATS[len(arrays) % 4])
    into = s.run(arrays, order, [out, *[None] * (len(got) - 1)], reduction=reduction)
    if into[0] is not out or not agree(out, rounded(got[0], out.dtype), 1e-3):
        raise Fault("a reduced value in a buffer", s, f"{reduction}: {out!r}, not {got[0]!r}")
    eps = eps_of(*(np.asarray(a).dtype for a in each))
    if np.shape(got[0]) != ():
        raise Fault("a reduced value has dimensions", s, f"reduction={reduction!r}")
    known = divisor(s, reduction)
    if known is not None and np.isfinite(size) and known:
        if not abs(float(got[0]) - total / known) <= eps * size / abs(known) + 1e-44:
            raise Fault("a reduced value", s, f"{reduction}: {got[0]!r}, not {total}/{known}")
        for a, b in zip(got[1:], each[1 : len(got)], strict=True):
            e, a = wide(b), np.asarray(a)
            if a.dtype in HALVES or not np.isfinite(e).all():
                continue
            if not agree(
                a, overflown(e / known, a.dtype), 4 * eps_of(a.dtype, np.asarray(each[0]).dtype)
            ):
                raise Fault(
                    "a derivative of a reduced value", s, f"{reduction}: {a}, not {e}/{known}"
                )


def divisor(s: Subject, reduction: str) -> float | None:
    """What is divided by, where it is known here."""
    if reduction == "sum":
        return 1.0
    first = s.arrays[s.leaves[0]]
    if reduction == "batchmean":
        axis = s.case.batch if isinstance(s.case, reg.Joint) else 0
        return float(first.shape[axis]) if first.ndim > isinstance(s.case, reg.Rows) else 1.0
    if not isinstance(s.case, reg.Elementwise):
        return None
    where, weight = s.arrays.get("where", np.True_), s.arrays.get("weight", np.ones(()))
    w = np.broadcast_to(wide(weight) * where, first.shape)
    if reduction == "mean" and not s.case.mean_by_weight:
        return float(np.count_nonzero(np.broadcast_to(where, first.shape)))
    return float(np.count_nonzero(w)) if reduction == "sum_by_nonzero_weights" else float(w.sum())


def check_left_out(s: Subject, plain: Arrays, each: list[Any], rng: Generator) -> None:
    """What has weight 0 or is masked counts for nothing, whatever stands there."""
    if isinstance(s.case, reg.Joint) and "labels" in s.labels:
        return  # what is no anchor is still compared with others
    lead, masks = plain[s.leaves[0]], [plain[k] == 0 for k in ("where", "weight") if k in plain]
    if isinstance(s.case, reg.Joint) and not s.case.weighted:  # its weights are those of targets
        masks = [plain["where"] == 0] if "where" in plain else []
    if isinstance(s.case, reg.Rows):  # its weights are those of classes
        masks = [plain["where"] == 0] if "where" in plain else []
        if "sample_weight" in plain:
            masks.append(np.expand_dims(plain["sample_weight"] == 0, s.details["axis"]))
    out = np.zeros(lead.shape, bool)
    pixels = "per_image" in s.parameters and s.options.get("mode", "") != "binary"
    if pixels or ("sample_weight" in plain and not isinstance(s.case, reg.Rows)):
        masks += [plain["sample_weight"] == 0] if "sample_weight" in plain else []
    for mask in masks:
        if pixels and mask.ndim == lead.ndim - 1:  # of pixels, which have no axis of classes
            mask = np.expand_dims(mask, s.options.get("axis", 1))
        inner = mask.ndim == lead.ndim - 1 and mask.shape == lead.shape[:-1]
        mask = mask[..., np.newaxis] if inner else mask
        if any(m not in (1, n) for m, n in zip(mask.shape[::-1], lead.shape[::-1], strict=False)):
            return
        out = out | mask
    if not out.any():
        return
    x = np.where(out, rng.choice([np.nan, np.inf, 7.0]), lead).astype(lead.dtype)
    got = s.run(plain | {s.leaves[0]: x}, s.highest, reduction="none")
    for k, (a, b) in enumerate(zip(got, each, strict=True)):
        if not agree(a, b, 1e-6) or (k == 1 and np.any(wide(a)[out])):
            raise Fault("what is left out counts", s, f"result {k}: {a}, not {b}")


def check_in_place(s: Subject, each: list[Any]) -> None:
    """A gradient in the place of the input: refused, or right."""
    lead = np.array(s.arrays[s.leaves[0]])
    if len(s.leaves) > 1 or lead.dtype not in FLOATS or isinstance(s.case, reg.Joint):
        return
    order = s.highest
    expected = s.run(s.arrays, order, **each_alone(s))
    try:
        got = s.run(
            s.arrays | {s.leaves[0]: lead}, order, [None, lead, None][: 1 + order], **each_alone(s)
        )
    except ValueError as error:
        if not str(error).startswith("grad_out: "):
            raise
    else:
        if not all(agree(a, b, eps_of(lead.dtype)) for a, b in zip(got, expected, strict=True)):
            raise Fault("in place", s, f"{got}, not {expected}")


def each_alone(s: Subject) -> dict[str, Any]:
    return {} if isinstance(getattr(fl, s.name), Activation) else {"reduction": "none"}


def check_nan(s: Subject, plain: Arrays, each: list[Any], rng: Generator) -> None:
    """nan in one element makes that element's value and gradient nan, and changes no other."""
    lead = plain[s.leaves[0]]
    if not isinstance(s.case, reg.Elementwise) or not lead.size:
        return
    at = int(rng.integers(0, lead.size))
    if any(np.ravel(plain[k])[at] == 0 for k in ("weight", "where") if k in plain):
        return
    x = lead.copy()
    x.flat[at] = np.nan
    for a, b in zip(s.run(plain | {s.leaves[0]: x}, 1, reduction="none")[:2], each, strict=False):
        a, b = np.array(a), np.array(b)
        if not np.isnan(a.flat[at]):
            raise Fault("a number was made of nan", s, f"{s.leaves[0]}.flat[{at}] = nan")
        a.flat[at] = b.flat[at] = 0
        if not same(a, b):
            raise Fault("nan spreads", s, f"{s.leaves[0]}.flat[{at}] = nan")


# ---- bad calls -----------------------------------------------------------------------------------


def bad_calls(
    s: Subject, laid: Arrays, each: list[Any], pick: Generator
) -> Iterator[tuple[str, Arrays, dict[str, Any], list[Any] | None]]:
    """Calls that must be refused: the argument that the error names, and what is passed."""
    name = list(laid)[int(pick.random() * len(laid))]
    yield name, laid | {name: laid[name].astype(complex)}, {}, None
    none = each_alone(s)
    if none:
        yield "reduction", laid, {"reduction": "average"}, None
    if "axis" in s.parameters:
        yield "axis", laid, {"axis": 99}, None
    for option, p in s.parameters.items():
        if isinstance(p.default, float) and option in s.options:
            yield option, laid, {option: float("nan")}, None
    wrong = int(pick.integers(0, len(each)))
    what = "out" if wrong == 0 else "grad_out" if wrong <= len(s.leaves) else "hess_out"
    shape = np.shape(each[wrong])
    read_only = np.zeros(shape)
    read_only.flags.writeable = False
    choices = [
        np.zeros((*shape, 2)),
        np.zeros(shape, np.int32),
        np.zeros(shape, ">f8"),
        read_only,
        [1.0],
    ]
    if shape and shape[0] > 1 and 0 not in shape:
        choices.append(np.broadcast_to(np.zeros(shape[1:]), shape))
        choices[-1].flags.writeable = True
        lead = laid[s.leaves[0]]
        if lead.shape == shape and lead.dtype in FLOATS and 0 not in lead.strides:
            choices.append(lead[::-1])
    for buffer in choices:
        buffers: list[Any] = [None] * len(each)
        buffers[wrong] = buffer
        yield what, laid, none, buffers
    bad: tuple[float, ...] = ()
    target = "target"
    if isinstance(s.case, reg.Elementwise):
        target = list(s.case.kinds)[int(pick.random() * len(s.case.kinds))]
        bad = reg.KINDS[s.case.kinds[target]].bad
    elif isinstance(s.case, reg.Rows) and s.case.target == "class":
        bad = (laid["input"].shape[s.details["axis"]] + 5, -3)
    elif isinstance(s.case, reg.Joint) and s.case.domains:
        target = next(iter(s.case.domains))
        bad = s.case.domains[target]
    factors = [laid[k] for k in ("weight", "sample_weight", "where") if k in laid]
    if bad and laid[target].size and all(np.all(f != 0) for f in factors):
        a = np.array(laid[target], np.int64 if target in s.labels else np.float64)
        a.flat[int(pick.random() * a.size)] = bad[int(pick.random() * len(bad))]
        yield target, laid | {target: a}, none, None


def check_bad(s: Subject, laid: Arrays, each: list[Any], pick: Generator) -> None:
    calls = list(bad_calls(s, laid, each, pick))
    name, arrays, options, buffers = calls[int(pick.random() * len(calls))]
    order = (len(each) - 1) // len(s.leaves) if buffers else int(pick.integers(0, s.highest + 1))
    if isinstance(getattr(fl, s.name), Activation) and name == "grad_output":
        order = 1
    shown = f"a bad {name}: order {order}, {options}, {describe(arrays.get(name))}"
    if buffers:
        shown = f"a bad {name}: order {order}, {[describe(b) for b in buffers if b is not None]}"
    try:
        s.run(arrays, order, buffers, **options)
    except ACCEPTED as error:
        if not re.match(rf"{name}(\[\d\])?: ", str(error)):
            raise Fault(
                "an error that does not name its argument", s, f"{shown}: {error}"
            ) from None
    except Exception as error:
        raise Fault("an error of a wrong type", s, f"{shown}: {error!r}") from None
    else:
        raise Fault("a bad call is accepted", s, shown)


# ---- one call ------------------------------------------------------------------------------------


def check(s: Subject, pick: Generator, rng: Generator) -> None:
    """Call it in many ways; Fault says what does not hold."""
    activates = isinstance(getattr(fl, s.name), Activation)
    none = each_alone(s)
    plain = s.plainly()
    fl.set_num_threads(1)
    each = s.run(plain, s.highest, **none)
    if not activates and pick.random() < 0.25:  # exact values take their time
        check_truth(s, plain, each, rng)
    # The same numbers of any dtypes and layouts, threads and buffers.
    blocks = {}
    for name, a in s.arrays.items():
        dtype = a.dtype.newbyteorder() if pick.random() < 0.15 and a.dtype != bfloat16 else a.dtype
        blocks[name] = block(pick, a.shape, dtype, a)
    laid = {name: b.array for name, b in blocks.items()}
    if pick.random() < 0.5:
        for a in laid.values():
            a.flags.writeable = False
    order = int(pick.integers(0, s.highest + 1))
    got = s.run(laid, order, **none)
    computed = np.dtype(np.float64 if s.double else np.float32)
    for k, (a, b) in enumerate(zip(got, each, strict=False)):
        a = np.asarray(a)
        right = computed if k == 0 else s.arrays[s.leaves[(k - 1) % len(s.leaves)]].dtype
        right = right if right in FLOATS else computed
        if a.dtype != right or a.shape != np.shape(b):
            raise Fault("dtype or shape", s, f"result {k}: {a.dtype} {a.shape}, not {right}")
        expected = rounded(b, right)
        if not (same(a, expected) if s.exact else agree(a, expected, eps_of(right, computed))):
            raise Fault(
                "dtype, layout or order changes numbers",
                s,
                f"order {order}, result {k}: {a}, not {b}",
            )
    threads = int(pick.choice([2, 3, 7]))
    fl.set_num_threads(threads)
    if not all(map(same, s.run(laid, order, **none), got)):
        raise Fault("the number of threads changes bits", s, f"{threads} threads, order {order}")
    outs: list[Block | None] = []
    for a in got:
        dtype, wanted = FLOATS[pick.integers(0, 4)], pick.random() < 0.7
        own = block(pick, np.shape(a), np.asarray(a).dtype if pick.random() < 0.3 else dtype)
        outs.append(own if wanted else None)
    into = s.run(laid, order, [b and b.array for b in outs], **none)
    for k, (a, b, o) in enumerate(zip(into, got, outs, strict=True)):
        shown = f"order {order}, result {k}, {describe(o and o.array)}"
        if o and (a is not o.array or o.touched(but_array=True)):
            raise Fault("a buffer", s, f"{shown}: not returned, or something beside it is written")
        a = np.asarray(a)
        expected = rounded(each[k] if o else b, a.dtype)
        if not (same(a, expected) if s.exact else agree(a, expected, eps_of(a.dtype, computed))):
            raise Fault("numbers in a buffer", s, f"{shown}: {a}, not {b}")
    if not activates:
        reduction = REDUCTIONS[int(pick.integers(0, len(REDUCTIONS)))]
        check_reduction(s, laid, each, min(order, s.highest), reduction)
        check_left_out(s, plain, each, rng)
        check_nan(s, plain, each, rng)
    check_in_place(s, each)
    check_bad(s, laid, got, pick)
    for name, b in blocks.items():
        if b.touched(but_array=False):
            raise Fault("an input is written to", s, name)
