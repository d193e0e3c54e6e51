"""Losses of times until an event, some of which are censored."""

from __future__ import annotations

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

ELEMENTWISE: list[Elementwise] = []
ROWS: list[Rows] = []
JOINT: list[Joint] = []

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
