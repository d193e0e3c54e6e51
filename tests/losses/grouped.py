"""Losses of groups of consecutive rows: the documents of queries, the alternatives of choices."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, Scalar, exactly, mp
from tests.losses.survival import cox_exact

JOINT: list[Joint] = []

# ---- exact values --------------------------------------------------------------------------------
#
# Each of a group alone: from its scores, labels and the noise of its rows.

Group = tuple[Pair, list[Pair], list[Pair]]


def by_groups(
    of_group: Callable[..., Group], label: str
) -> Callable[..., tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]]:
    """The truth of a call: groups one after the other, without what does not count."""

    def truth(numbers: dict[str, Any], **options: Any) -> Any:
        x, zero = numbers["input"], mp.mpf(0)
        n = len(x)
        where = numbers.get("where", np.ones(n, int))
        weight = numbers.get("weight", [mp.mpf(1)] * len(numbers["group_sizes"]))
        values: list[Pair] = []
        grads, hesses = [(zero, zero)] * n, [(zero, zero)] * n
        start = 0
        for size, w in zip(numbers["group_sizes"], weight, strict=True):
            rows = [i for i in range(start, start + size) if where[i]]
            start += size
            if not rows or not w:
                values.append((zero, zero))
                continue
            columns = [x[rows], numbers[label][rows]]
            columns += [numbers["noise"][rows]] if "noise" in numbers else []
            value, g, h = of_group(*columns, **options)
            values.append((w * value[0], w * value[1]))
            for i, slope, curvature in zip(rows, g, h, strict=True):
                grads[i] = (w * slope[0], w * slope[1])
                hesses[i] = (w * curvature[0], w * curvature[1])
        return values, {"input": grads}, {"input": hesses}

    return truth


def exact_xe_ndcg(x: Any, relevance: Any, noise: Any = None, newton_terms: int = 0) -> Group:
    n = len(x)
    noise = [mp.mpf(0)] * n if noise is None else noise
    gains = [mp.mpf(2) ** int(t) - a for t, a in zip(relevance, noise, strict=True)]
    total, top = mp.fsum(gains), max(x)
    if n == 1 or not total:
        nothing = exactly(mp.mpf(0))
        return nothing, [nothing] * n, [nothing] * n
    risks = [mp.exp(a - top) for a in x]
    sums = mp.fsum(risks)
    p, q = [r / sums for r in risks], [gain / total for gain in gains]
    rest = [mp.fsum(risks[:i] + risks[i + 1 :]) / sums for i in range(n)]
    value = mp.fsum(b * (top - a) for a, b in zip(x, q, strict=True)) + mp.log(sums)
    g = [a - b for a, b in zip(p, q, strict=True)]
    sizes = [max(a, b) for a, b in zip(p, q, strict=True)]
    term = list(g)
    for _ in range(newton_terms):
        term = [t / r for t, r in zip(term, rest, strict=True)]
        size = mp.fsum(abs(t) for t in term)
        term = [p[i] * mp.fsum(term[:i] + term[i + 1 :]) for i in range(n)]
        g = [a + t for a, t in zip(g, term, strict=True)]
        sizes = [s + a * size for s, a in zip(sizes, p, strict=True)]
    h = [exactly(a * r) for a, r in zip(p, rest, strict=True)]
    return exactly(value), list(zip(g, sizes, strict=True)), h


def exact_list_mle(x: Any, relevance: Any, ties: str = "order") -> Group:
    """As Cox's likelihood, whose values are those of rows."""
    n = len(x)
    time = -np.asarray(relevance)
    if ties == "order":
        time[np.argsort(time, kind="stable")] = np.arange(n)
    arrays = {"input": x, "time": time, "event": np.ones(n, int)}
    values, g, h = cox_exact(arrays, ties="efron" if ties == "order" else ties)
    value = mp.fsum(v for v, _ in values), mp.fsum(size for _, size in values)
    return value, g["input"], h["input"]


def exact_conditional_logit(x: Any, chosen: Any) -> Group:
    """By all sets of as many rows."""
    n, rows = len(x), tuple(i for i, c in enumerate(chosen) if c)
    top = mp.fsum(sorted(x)[n - len(rows) :])
    sets = {s: mp.exp(mp.fsum(x[i] for i in s) - top) for s in combinations(range(n), len(rows))}
    total = mp.fsum(sets.values())
    rest = mp.fsum(p for s, p in sets.items() if s != rows)
    distance = top - mp.fsum(x[i] for i in rows)
    value = mp.log1p(rest / sets[rows]) if distance < 100 else distance + mp.log(total)
    g, h = [], []
    for i in range(n):
        p = mp.fsum(a for s, a in sets.items() if i in s) / total
        q = mp.fsum(a for s, a in sets.items() if i not in s) / total
        g.append(exactly(-q if i in rows else p))
        h.append(exactly(p * q))
    return exactly(value), g, h


# ---- twins ---------------------------------------------------------------------------------------
#
# Groups padded to the longest, one on each row of a table.


def _table(numbers: Any, sizes: Any, fill: float) -> tuple[Any, Any]:
    """The table, and where the numbers are in it."""
    there = np.arange(max(sizes, default=0)) < np.asarray(sizes)[:, None]
    table = np.full(there.shape, fill, np.asarray(numbers).dtype)
    table[there] = numbers
    return table, there


def xe_ndcg_loss(
    input: FloatArray, relevance: Any, *, group_sizes: Any, noise: Any = 0, newton_terms: int = 0
) -> Scalar:
    """Mean over the groups of the cross entropies with ``2**t - noise``."""
    return xe_ndcg_loss_and_grad(input, relevance, group_sizes=group_sizes, noise=noise)[0]


def xe_ndcg_loss_and_grad(
    input: FloatArray, relevance: Any, *, group_sizes: Any, noise: Any = 0, newton_terms: int = 0
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `xe_ndcg_loss`."""
    gains = (np.exp2(relevance) - noise).astype(input.dtype)
    x, there = _table(input, group_sizes, -np.inf)
    gains, _ = _table(gains, group_sizes, 0)
    x = x - x.max(axis=1, keepdims=True)
    risks = np.exp(x)
    total = risks.sum(axis=1, keepdims=True)
    p, q = risks / total, gains / gains.sum(axis=1, keepdims=True)
    logs = np.where(there, x, 0) - np.log(total)
    term = slope = p - q
    alone = there.sum(axis=1, keepdims=True) == 1
    for _ in range(newton_terms):
        term = np.where(alone, 0, term / np.where(alone, 1, 1 - p))
        term = p * (term.sum(axis=1, keepdims=True) - term)
        slope = slope + term
    count = input.dtype.type(len(x))
    return -np.sum(q * logs) / count, slope[there] / count


def list_mle_loss(
    input: FloatArray, relevance: Any, *, group_sizes: Any, ties: str = "order"
) -> Scalar:
    """Mean over the groups; the sums by ``logaddexp.accumulate``."""
    return list_mle_loss_and_grad(input, relevance, group_sizes=group_sizes)[0]


def list_mle_loss_and_grad(
    input: FloatArray, relevance: Any, *, group_sizes: Any, ties: str = "order"
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `list_mle_loss`."""
    x, there = _table(input, group_sizes, -np.inf)
    keys, _ = _table(-np.asarray(relevance), group_sizes, 0)
    keys = np.where(there, keys, keys.max(initial=0) + 1)
    order = np.argsort(keys, axis=1, kind="stable")
    x = np.take_along_axis(x, order, axis=1)
    taken = np.sort(~there, axis=1) == 0
    low = input.min(initial=0) - 200  # as good as -inf, of which logaddexp warns
    logs = np.logaddexp.accumulate(np.where(taken, x, low)[:, ::-1], axis=1)[:, ::-1]
    shares = np.exp(np.where(taken, x.max(axis=1, keepdims=True) - logs, -np.inf))
    slopes = np.exp(x - x.max(axis=1, keepdims=True)) * np.cumsum(shares, axis=1) - taken
    grad = np.empty_like(slopes)
    np.put_along_axis(grad, order, slopes, axis=1)
    count = input.dtype.type(len(x))
    return np.sum(logs - x, where=taken) / count, grad[there] / count


def _sums_over_sets(risks: Any, chosen: Any) -> tuple[Any, Any]:
    """Before each row, the sums over the sets of so many of the rows so far; and how many are
    chosen."""
    counts = chosen.sum(axis=1).astype(int)
    sums = [np.zeros((len(risks), counts.max(initial=0) + 1), risks.dtype)]
    sums[0][:, 0] = 1
    for u in risks.T:
        more = sums[-1].copy()
        more[:, 1:] += u[:, None] * sums[-1][:, :-1]
        sums.append(more)
    return sums, counts


def conditional_logit_loss(input: FloatArray, chosen: Any, *, group_sizes: Any) -> Scalar:
    """Mean over the groups of ``log(e_K(exp(x))) - sum(x[chosen])``."""
    x, _ = _table(input, group_sizes, -np.inf)
    c, _ = _table(chosen, group_sizes, 0)
    top = x.max(axis=1, keepdims=True, initial=-np.inf)
    sums, counts = _sums_over_sets(np.exp(x - top), c)
    total = sums[-1][np.arange(len(x)), counts]
    value: Scalar = np.mean(np.log(total) - np.sum(x - top, axis=1, where=c > 0))
    return value


def conditional_logit_loss_and_grad(
    input: FloatArray, chosen: Any, *, group_sizes: Any
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `conditional_logit_loss`."""
    x, there = _table(input, group_sizes, -np.inf)
    c, _ = _table(chosen, group_sizes, 0)
    top = x.max(axis=1, keepdims=True, initial=-np.inf)
    risks = np.exp(x - top)
    sums, counts = _sums_over_sets(risks, c)
    rows = np.arange(len(x))
    total = sums[-1][rows, counts]
    value = np.mean(np.log(total) - np.sum(x - top, axis=1, where=c > 0))
    back = np.zeros_like(sums[0])
    back[rows, counts] = 1 / total
    shares = np.zeros_like(x)
    for j in range(x.shape[1] - 1, -1, -1):
        u = risks[:, j]
        shares[:, j] = u * np.sum(back[:, 1:] * sums[j][:, :-1], axis=1)
        back[:, :-1] += u[:, None] * back[:, 1:]
    return value, (shares - c)[there].astype(input.dtype) / input.dtype.type(len(x))


# ---- inputs --------------------------------------------------------------------------------------


def grouped(label: str, *extra: str, top: int = 5) -> Callable[[Generator, int, Any], Arrays]:
    """Groups of 1 to 7 rows."""

    def make(rng: Generator, n: int, dtype: Any) -> Arrays:
        return _arrays(rng, rng.integers(1, 8, n), dtype, label, extra, 1.0, top)

    return make


def hard_groups(
    label: str, *extra: str, top: int = 40, sizes: tuple[float, ...] = ()
) -> Callable[[Generator, Any], Arrays]:
    """Scores of every size, confident ones, equal ones; groups without rows and with one."""

    def make(rng: Generator, dtype: Any) -> Arrays:
        counts = np.array([3, 0, 1, 9, 5, 0, 2, 8, 4, 6, 7, 9, 9, 0])
        spread = sizes or ((0, 1e-3, 1, 5, 17, 40, 100, 600) if dtype is np.float64 else (0, 1, 17))
        made = _arrays(rng, counts, dtype, label, extra, 1.0, top)
        scale = np.repeat(rng.choice(spread, len(counts)), counts)
        x = rng.normal(size=counts.sum()) * scale
        x[rng.random(x.size) < 0.1] = rng.choice([0.0, -30.0, 30.0])
        led = np.repeat(rng.random(len(counts)) < 0.4, counts)  # the labels' own order
        x = np.where(led, np.abs(x) * np.sign(made[label] - np.median(made[label]) + 0.5), x)
        return made | {"input": x.astype(dtype)}

    return make


def _arrays(
    rng: Generator,
    sizes: Any,
    dtype: Any,
    label: str,
    extra: tuple[str, ...],
    scale: float,
    top: int,
) -> Arrays:
    n = int(sizes.sum())
    made = {
        "input": rng.normal(0, scale, n).astype(dtype),
        label: rng.integers(0, top, n),
        "group_sizes": sizes.astype(np.int64),
    }
    if "where" in extra:
        made["where"] = (rng.random(n) < 0.8).astype(np.int64)
        made["where"][:1] = 1
    if "weight" in extra:
        made["weight"] = rng.choice([0.0, 0.5, 1, 1.75, 1, 3], len(sizes)).astype(dtype)
        made["weight"][:1] = 1
    if "noise" in extra:
        made["noise"] = rng.random(n).astype(dtype)
        made["noise"][made[label] == 0] *= dtype(0.5)
    return made


for loss, label, of_group, options, extra, top in (
    ("list_mle_loss", "relevance", exact_list_mle, {}, (), 5),
    ("list_mle_loss", "relevance", exact_list_mle, {"ties": "efron"}, (), 3),
    ("list_mle_loss", "relevance", exact_list_mle, {"ties": "breslow"}, (), 3),
    ("list_mle_loss", "relevance", exact_list_mle, {}, ("where", "weight"), 3),
    ("xe_ndcg_loss", "relevance", exact_xe_ndcg, {}, (), 5),
    ("xe_ndcg_loss", "relevance", exact_xe_ndcg, {}, ("noise",), 5),
    ("xe_ndcg_loss", "relevance", exact_xe_ndcg, {"newton_terms": 2}, ("noise",), 5),
    ("xe_ndcg_loss", "relevance", exact_xe_ndcg, {}, ("noise", "where", "weight"), 5),
    ("conditional_logit_loss", "chosen", exact_conditional_logit, {}, (), 2),
    ("conditional_logit_loss", "chosen", exact_conditional_logit, {}, ("where", "weight"), 2),
):
    JOINT.append(
        Joint(
            loss,
            ("input", label),
            ("input",),
            grouped(label, *extra, top=top),
            hard_groups(label, *extra, top=2 if label == "chosen" else 7),
            by_groups(of_group, label),
            options,
            weighted="weight" not in extra,
            held="newton_terms" in options,
            labels=(label, "group_sizes", "where"),
            keywords=("group_sizes",),
            domains={} if loss == "list_mle_loss" else {label: (-1, 2) if top == 2 else (-1,)},
            lean=False,
            twin=not {"where", "weight"} & set(extra) and "ties" not in options,
            kind="-".join(extra),
        )
    )
