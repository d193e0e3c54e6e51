"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from tests.losses.case import (
    Arrays,
    Elementwise,
    FloatArray,
    Generator,
    Joint,
    Pair,
    Rows,
    Scalar,
    mp,
)
from tests.losses.ordinal import Truth, by_bits, expit, hard_logits

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []

# ---- discrete_survival_loss ------------------------------------------------------------------

STEPS = 6


def hazards(numbers: dict[str, Any]) -> Truth:
    rows = zip(numbers["time"], numbers["event"], strict=True)
    return by_bits(numbers["input"], [[0] * k + [e] for k, e in rows])


def _there(input: FloatArray, time: Any, event: Any) -> tuple[Any, Any]:
    """Which hazards take part, and which of them came true."""
    steps, last = np.arange(input.shape[1]), time[:, None]
    return steps <= last, (steps == last) & (event[:, None] != 0)


def discrete_survival_loss(input: FloatArray, time: Any, event: Any) -> Scalar:
    """Mean of the sums of ``softplus(x) - t * x`` up to the last step."""
    there, seen = _there(input, time, event)
    costs = np.logaddexp(np.where(seen, -input, input), input.dtype.type(0))
    return np.mean(np.sum(costs, axis=1, where=there))


def discrete_survival_loss_and_grad(
    input: FloatArray, time: Any, event: Any
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `discrete_survival_loss`."""
    there, seen = _there(input, time, event)
    costs = np.logaddexp(np.where(seen, -input, input), input.dtype.type(0))
    slopes = np.where(there, expit(input) - seen, input.dtype.type(0))
    value = np.mean(np.sum(costs, axis=1, where=there))
    return value, slopes / input.dtype.type(len(input))


def steps(rng: Generator, n: int, dtype: Any) -> Arrays:
    return {
        "input": rng.normal(-1, 2, size=(n, STEPS)).astype(dtype),
        "time": rng.integers(0, STEPS, n),
        "event": rng.integers(0, 2, n),
    }


def hard_steps(rng: Generator, dtype: Any) -> Arrays:
    x = np.repeat(hard_logits(rng, dtype)["input"], 2, axis=0)
    return {
        "input": x,
        "time": np.arange(len(x)) // 2 % x.shape[1],
        "event": np.arange(len(x)) % 2,
    }


JOINT += [
    Joint(
        "discrete_survival_loss",
        ("input", "time", "event"),
        ("input",),
        steps,
        hard_steps,
        hazards,
        labels=("time", "event"),
        domains={"time": (-1, 1000), "event": (2, -1)},
        weighted=False,
        in_place=True,
    )
]


LABELS = ("time", "event", "strata", "entry")


# ---- Cox: exact values ---------------------------------------------------------------------------
#
# From the definition: each event's risk sets, and in each the share of every row.


def risk(w: Any, x: Any) -> Any:
    return w * mp.exp(x) if x > -mp.inf else mp.mpf(0)


def cox_event(arrays: Any, rows: list[int], tied: list[int], efron: bool) -> Any:
    """The mean of the logarithms of the risk sets of events at one time, less the largest input,
    and for each row its shares in these sets, each with the rest."""
    x, w = arrays["input"], arrays["weight"]
    top = max(x[j] for j in rows)
    own = set(tied)
    shares: dict[int, list[Pair]] = {j: [] for j in rows}
    logs = []
    d = len(tied)
    for k in range(d):
        theta = 1 - mp.mpf(k) / d if efron else mp.mpf(1)
        parts = {j: (theta if j in own else 1) * risk(w[j], x[j] - top) for j in rows}
        total = mp.fsum(parts.values())
        for j in rows:
            rest = mp.fsum(p for i, p in parts.items() if i != j)
            shares[j].append((parts[j] / total, rest / total))
        logs.append(mp.log(total))
    return top, logs, shares


def cox_exact(arrays: Any, **options: Any) -> Any:
    x, time, event = (arrays[name] for name in ("input", "time", "event"))
    n, efron = len(x), options.get("ties", "efron") == "efron"
    w = arrays.get("weight", np.array([mp.mpf(1)] * n, object))
    strata = arrays.get("strata", np.zeros(n, int))
    entry = arrays.get("entry", np.full(n, -(10**9)))
    arrays = {**arrays, "weight": w}
    zero = mp.mpf(0)
    values = [(zero, zero)] * n
    grads, hesses = [[zero, zero] for _ in range(n)], [zero] * n
    groups = sorted({(strata[i], time[i]) for i in range(n) if event[i] and w[i]})
    for s, t in groups:
        rows = [j for j in range(n) if strata[j] == s and entry[j] < t <= time[j] and w[j]]
        tied = [j for j in rows if time[j] == t and event[j]]
        top, logs, shares = cox_event(arrays, rows, tied, efron)
        d = len(tied)
        mean = mp.fsum(logs) / d
        for i in tied:
            value = (top - x[i]) + mean
            size = max(abs(value), *([abs(a) for a in logs] if d > 1 or w[i] != 1 else [0]))
            if d == 1 or not efron:  # the logarithm of 1 and what the others have
                if w[i] == 1 and top - x[i] < 1e5:
                    value = mp.log1p(shares[i][0][1] / shares[i][0][0])
                size = max(abs(value), abs(mp.log(w[i])))
            else:
                size = max(size, abs(top - x[i]))
            values[i] = (w[i] * value, w[i] * size)
        total = mp.fsum(w[i] for i in tied) / d
        for j in rows:
            own = j in tied
            push = total * mp.fsum(p for p, _ in shares[j])
            if own and d == 1:
                grads[j][1] += w[j] * shares[j][0][1]
            else:
                grads[j][0] += push
                grads[j][1] += w[j] if own else 0
            hesses[j] += total * mp.fsum(p * q for p, q in shares[j])
    gradients = [(a - b, max(a, b)) for a, b in grads]
    return values, {"input": gradients}, {"input": [(h, h) for h in hesses]}


# ---- Cox: twins ----------------------------------------------------------------------------------


def cox_order(time: Any, event: Any) -> Any:
    """The latest first, and of one time those without an event."""
    return np.lexsort((event, -time))


def cox_terms(risks: FloatArray, time: Any, event: Any, efron: bool) -> Any:
    """Of rows in that order: for each event the mean of the logarithms, its group's ΣW/S, and that
    with Efron's parts."""
    last = np.flatnonzero(np.append(np.diff(time) != 0, True))
    sums = np.cumsum(risks)[last]
    group = np.searchsorted(last, np.arange(len(time)))
    tied = np.add.reduceat(np.where(event, risks, 0), np.append(0, last[:-1] + 1))
    counts = np.add.reduceat(event.astype(np.int64), np.append(0, last[:-1] + 1))
    which = np.repeat(np.arange(len(last)), counts)
    k = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    part = k / counts[which] if efron else np.zeros(len(which))
    sets = sums[which] - part * tied[which]
    hazard = np.bincount(which, 1 / sets, len(last))
    own = np.bincount(which, part / sets, len(last))
    logs = np.bincount(which, np.log(sets), len(last))
    return group, hazard, own, logs


def cox_ph_loss(
    input: FloatArray, time: Any, event: Any, ties: str = "efron", order: Any = None
) -> Scalar:
    """Negative log partial likelihood for each event; the sums over risk sets by cumsum."""
    order = cox_order(time, event) if order is None else order
    x, happens = input[order].astype(np.float64), event[order].astype(bool)
    top = x.max(initial=-np.inf)
    *_, logs = cox_terms(np.exp(x - top), time[order], happens, ties == "efron")
    value: Scalar = input.dtype.type(
        (logs.sum() - (x - top)[happens].sum()) / max(happens.sum(), 1)
    )
    return value


def cox_ph_loss_and_grad(
    input: FloatArray, time: Any, event: Any, ties: str = "efron", order: Any = None
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `cox_ph_loss`."""
    order = cox_order(time, event) if order is None else order
    x, happens = input[order].astype(np.float64), event[order].astype(bool)
    top = x.max(initial=-np.inf)
    risks = np.exp(x - top)
    group, hazard, own, logs = cox_terms(risks, time[order], happens, ties == "efron")
    cumulated = np.cumsum(hazard[::-1])[::-1][group]
    slopes = risks * (cumulated - np.where(happens, own[group], 0)) - happens
    count = max(happens.sum(), 1)
    grad = np.empty_like(input)
    grad[order] = slopes / count
    return input.dtype.type((logs.sum() - (x - top)[happens].sum()) / count), grad


# ---- Cox: operands -------------------------------------------------------------------------------


def cox_typical(*extra: str, times: float = 0) -> Any:
    def make(rng: Generator, n: int, dtype: Any) -> Arrays:
        time = rng.exponential(1, n)
        if times:
            time = np.floor(time * times)
        made = {
            "input": rng.normal(0, 1, n).astype(dtype),
            "time": np.argsort(np.argsort(time)) if not times else time.astype(np.int64),
            "event": (rng.random(n) < 0.6).astype(np.int64),
        }
        made["event"][:1] = 1
        return made | cox_extra(rng, made["time"], dtype, extra)

    return make


def cox_extra(rng: Generator, time: Any, dtype: Any, extra: tuple[str, ...]) -> Arrays:
    n, made = len(time), {}
    if "weight" in extra:
        made["weight"] = rng.choice([0.0, 0.5, 1, 1.75, 3], n).astype(dtype)
        made["weight"][:1] = 1
    if "strata" in extra:
        made["strata"] = rng.integers(0, 3, n) * 7 - 2
    if "entry" in extra:
        made["entry"] = time - 1 - rng.integers(0, max(n // 2, 2), n)
    return made


def cox_hard(*extra: str, times: int = 7) -> Any:
    """Inputs of every size, confident ones, equal ones; with all ties there may be."""

    def make(rng: Generator, dtype: Any) -> Arrays:
        n = 60
        sizes = [0, 1e-3, 1, 5, 17, 40, 100, 1000, 1e30] if dtype is np.float64 else [0, 1, 17, 40]
        x = rng.normal(size=n) * rng.choice(sizes, n)
        x[rng.random(n) < 0.2] = rng.choice([0.0, -17.0, 33.25, 100.0])
        time = rng.integers(0, times, n) if times else rng.permutation(n)
        if not extra:  # never all that are at risk
            x[(rng.random(n) < 0.1) & (time < time.max() / 2)] = -np.inf
        event = (rng.random(n) < 0.7).astype(np.int64)
        made = {"input": x.astype(dtype), "time": time, "event": event}
        return made | cox_extra(rng, time, dtype, extra)

    return make


def cox_apart(rng: Generator, dtype: Any) -> Arrays:
    """One row is nearly all of its risk sets, and they change."""
    n = 40
    x = np.linspace(-60, 60, n) * rng.choice([-1, 1]) + rng.normal(0, 8, n)
    event = (rng.random(n) < 0.5).astype(np.int64)
    return {"input": x.astype(dtype), "time": np.arange(n) // 2 * 2, "event": event}


OPERANDS = ("input", "time", "event")
for options, typical, hard, kind, twin in (
    ({}, cox_typical(), cox_hard(times=0), "", True),
    ({}, cox_typical(times=4.0), cox_hard(), "tied", True),
    ({"ties": "breslow"}, cox_typical(times=4.0), cox_hard(), "tied", True),
    ({}, cox_typical(times=2.0), cox_apart, "apart", True),
    ({}, cox_typical("weight", "strata", times=4.0), cox_hard("weight", "strata"), "strata", False),
    ({"ties": "breslow"}, cox_typical("weight"), cox_hard("weight"), "weights", False),
    ({}, cox_typical("entry"), cox_hard("entry", times=0), "entry", False),
    (
        {},
        cox_typical("weight", "entry", times=9),
        cox_hard("weight", "entry", "strata"),
        "all",
        False,
    ),
):
    JOINT.append(
        Joint(
            "cox_ph_loss",
            OPERANDS,
            ("input",),
            typical,
            hard,
            cox_exact,
            options,
            weighted=False,
            labels=LABELS,
            lean=False,
            twin=twin,
            of_none=0.0,
            kind=kind,
        )
    )


# ---- aft_loss: exact values ----------------------------------------------------------------------
#
# From the definition, with so many bits that differences of distribution functions keep enough.

BITS = 3400
#: By distribution, of a finite z: F, 1 - F, f, f'/f and its derivative.
STANDARD = {
    "normal": lambda z: (
        mp.erfc(-z / mp.sqrt(2)) / 2,
        mp.erfc(z / mp.sqrt(2)) / 2,
        raised(-z * z / 2) / mp.sqrt(mp.mpf(8) * mp.atan(mp.mpf(1))),
        -z,
        mp.mpf(-1),
    ),
    "logistic": lambda z: (
        1 / (1 + raised(-z)),
        1 / (1 + raised(z)),
        1 / (2 + raised(z) + raised(-z)),
        (1 - raised(z)) / (1 + raised(z)),
        -2 / (2 + raised(z) + raised(-z)),
    ),
}


def raised(x: Any) -> Any:
    """exp(x), of numbers that need no limit: MPFR's exponents reach to exp(±7e8)."""
    with mp.workprec(BITS):
        return mp.expm1(x) + 1 if abs(x) < 1 else mp.exp(x / 2**12) ** 2**12


def at(distribution: str, z: Any) -> tuple[Any, ...]:
    if mp.isinf(z):
        zero, one = mp.mpf(0), mp.mpf(1)
        return (zero, one, zero, zero, zero) if z < 0 else (one, zero, zero, zero, zero)
    return STANDARD[distribution](z)


def aft_point(distribution: str, x: Any, lower: Any, upper: Any, s: Any) -> list[Any]:
    """Value, both gradients, both second derivatives."""
    a = (mp.log(lower) - x) / s if lower else -mp.inf
    b = (mp.log(upper) - x) / s if mp.isfinite(upper) else mp.inf
    if distribution == "extreme":  # 1 - F(z) = exp(-exp(z)), which may be beyond all exponents
        grown_a, grown_b = (mp.mpf(0) if z == -mp.inf else raised(z) for z in (a, b))
        d, sa, sb, ca = grown_b - grown_a, 1 - grown_a, 1 - grown_b, -grown_a
        log_f = a - grown_a
        inside, left = -mp.expm1(-d), mp.mpf(0) if mp.isinf(d) else raised(-d)
        value = grown_a - (mp.log1p(-left) if d > 1 else mp.log(inside))
        p, q = grown_a / inside, grown_b * left / inside if left else left
    else:
        fa, ga, pa, sa, ca = at(distribution, a)
        fb, gb, pb, sb, _ = at(distribution, b)
        log_f = mp.log(pa)
        inside = ga - gb if a > 0 else fb - fa
        value = -mp.log1p(-(fa + gb)) if inside > 0.5 else -mp.log(inside)
        p, q = pa / inside, pb / inside
    if lower == upper:
        value = mp.log(s * lower) - log_f
        return [value, sa / s, (1 + a * sa) / s, -ca / s**2, -(1 + 2 * a * sa + a * a * ca) / s**2]
    sa, sb = (mp.mpf(0) if mp.isinf(slope) else slope for slope in (sa, sb))
    a, b = (mp.mpf(0) if mp.isinf(z) else z for z in (a, b))
    shift, ray = p - q, a * p - b * q
    curvature = shift**2 + p * sa - q * sb
    curve = ray**2 + a * a * p * sa - b * b * q * sb
    return [value, -shift / s, -ray / s, curvature / s**2, (2 * ray + curve) / s**2]


def aft(
    numbers: dict[str, Any], distribution: str = "normal"
) -> tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]:
    """The size of a result is what the rounding of log(lower) - x or log(upper) - x makes of it,
    and that of the terms of derivatives that are differences: those by the scale, and that by the
    input of the extreme-value distribution."""
    names = ("input", "lower", "upper", "scale")
    results: list[list[Pair]] = [[] for _ in range(5)]
    for x, lower, upper, s in zip(*(numbers[name].ravel() for name in names), strict=True):
        with mp.workprec(BITS):
            x, lower, upper, s = (mp.mpf(0) + n for n in (x, lower, upper, s))
            logs = [mp.log(t) for t in (lower, upper) if t and mp.isfinite(t)]
            far = max(abs(x), *map(abs, logs)) if logs else mp.mpf(0)
            step = mp.mpf(2) ** -200
            here = aft_point(distribution, x, lower, upper, s)
            moved = aft_point(distribution, x + far * step, lower, upper, s)
            sizes = [abs(m - h) / step for m, h in zip(moved, here, strict=True)]
            sizes[2] = max(sizes[2], 1 / s)
            if distribution == "extreme":  # exp(a) - 1, and what becomes of it
                sizes[1] = max(sizes[1], 1 / s)
            sizes[4] = max(sizes[4], abs(2 * here[2] / s), 1 / s**2) if logs else mp.mpf(0)
            for to, result, size in zip(results, here, sizes, strict=True):
                to.append((result, max(abs(result), size)))
    value, by_input, by_scale, curvature, curve = results
    return value, {"input": by_input, "scale": by_scale}, {"input": curvature, "scale": curve}


# ---- aft_loss: inputs ----------------------------------------------------------------------------


def censored(rng: Generator, n: int, dtype: Any) -> Arrays:
    """Times that are known, and times that are censored on the right, on the left and both."""
    lower = rng.uniform(1, 8, n)
    upper = lower + rng.uniform(0.5, 4, n)
    kind = np.resize([0, 1, 2, 3, 1], n)
    upper = np.where(kind == 0, lower, np.where(kind == 1, inf, upper))
    lower = np.where(kind == 2, 0, lower)
    arrays = (np.log(4) + rng.normal(0, 1, n), lower, upper, rng.uniform(0.6, 2, n))
    names = ("input", "lower", "upper", "scale")
    return {name: a.astype(dtype) for name, a in zip(names, arrays, strict=True)}


def hard_times(rng: Generator, dtype: Any) -> Arrays:
    """Each kind in both tails; intervals of one unit, and between them; the ends of the range."""
    info = np.finfo(dtype)

    def after(t: float) -> float:
        return float(np.nextafter(dtype(t), dtype(inf)))

    pairs = [(t, t) for t in (1.0, 3.0, 1e-8, 1e8)]
    pairs += [(1.0, inf), (5.0, inf), (1e-8, inf), (0.0, 1.0), (0.0, 5.0), (0.0, 1e8), (0.0, inf)]
    pairs += [(t, after(t)) for t in (1.0, 3.0, 0.999, 1e-8, 1e8)]
    pairs += [(1.0, 1.001), (1.0, 1.5), (1.0, 2.75), (0.5, 2.0), (1.0, 20.0), (1e-3, 1e3)]
    pairs += [(float(info.tiny), float(info.max)), (1e-30, 1e30)]
    shifts = (0.0, 0.01, -0.01, 0.7, -0.7, 2.0, -2.0, 6.5, -6.5, 30.0, -30.0, 1000.0, -1000.0)
    rows = [
        (np.log(t) - z * s, lower, upper, s)
        for lower, upper in pairs
        for t in ([lower] if lower else [1.0 if upper == inf else upper])
        for z in shifts
        for s in ((1.0,) if abs(z) in (0.01, 0.7, 6.5) else (1e-2, 3.0))
    ]
    picked = rng.choice(len(rows), 130, replace=False)
    arrays = np.array([rows[k] for k in picked]).T.astype(dtype)
    return dict(zip(("input", "lower", "upper", "scale"), arrays, strict=True))


# ---- aft_loss: twins -----------------------------------------------------------------------------


def _ends(
    input: FloatArray, lower: FloatArray, upper: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    with np.errstate(divide="ignore"):
        a, b = (np.log(lower) - input) / scale, (np.log(upper) - input) / scale
    return lower == upper, a, b


def _survival(distribution: str, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """1 - F and f, without warnings at infinity."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(z)
        if distribution == "logistic":
            rest = 1 / (1 + e)
            return rest, rest * (1 - rest)
        rest = np.exp(-e)
        return rest, np.where(rest == 0, 0, e * rest)


def aft_loss(
    input: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    scale: FloatArray,
    distribution: str = "logistic",
) -> Scalar:
    """Mean of ``-log(F(b) - F(a))``, or of ``-log f(a) + log(scale * time)`` for a known time."""
    exact, a, b = _ends(input, lower, upper, scale)
    above_a, f_a = _survival(distribution, a)
    above_b, _ = _survival(distribution, b)
    with np.errstate(divide="ignore"):
        times = np.where(exact, np.log(scale * lower), 0)
    return np.mean(times - np.log(np.where(exact, f_a, above_a - above_b)))


def aft_loss_and_grad(
    input: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    scale: FloatArray,
    distribution: str = "logistic",
) -> tuple[Scalar, tuple[FloatArray, FloatArray]]:
    """Value and gradients of `aft_loss`."""
    exact, a, b = _ends(input, lower, upper, scale)
    above_a, f_a = _survival(distribution, a)
    above_b, f_b = _survival(distribution, b)
    inside = np.where(exact, f_a, above_a - above_b)
    with np.errstate(divide="ignore"):
        times = np.where(exact, np.log(scale * lower), 0)
    value = np.mean(times - np.log(inside))
    a, b = np.where(np.isinf(a), 0, a), np.where(np.isinf(b), 0, b)
    slope = np.exp(a) - 1 if distribution == "extreme" else 1 - 2 * above_a
    n = input.dtype.type(input.size)
    by_input = np.where(exact, -slope, (f_b - f_a) / inside) / (scale * n)
    by_scale = np.where(exact, 1 - a * slope, (b * f_b - a * f_a) / inside) / (scale * n)
    return value, (by_input, by_scale)


JOINT += [
    Joint(
        "aft_loss",
        ("input", "lower", "upper", "scale"),
        ("input", "scale"),
        censored,
        hard_times,
        aft,
        options={"distribution": distribution},
        bounds=bounds,
        ordered=("lower", "upper"),
        domains={"lower": (-1, inf), "upper": (-1, 0), "scale": (0, -1, inf)},
        twin=distribution != "normal",
        spread=("scale",),
        in_place=True,
    )
    for distribution, bounds in (
        ("logistic", (4, 4, 6)),
        ("extreme", (4, 4, 6)),
        ("normal", (4, 4, 6)),
    )
]
