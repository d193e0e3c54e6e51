"""Losses that compare each vector with all others of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.losses.case import Arrays, FloatArray, Generator, Joint, Pair, Scalar, mp, softplus

IntArray = NDArray[np.integer[Any]]
JOINT: list[Joint] = []
DIM = 48


# ---- exact values --------------------------------------------------------------------------------
#
# Sizes go along: a similarity has that of its products, a slope is as uncertain as the exponents
# that it is made of, and what is summed up over the vectors has the sum of the sizes.


class Vectors:
    """Vectors as they are multiplied, and the way back of a gradient."""

    def __init__(self, x: Any, normalize: bool) -> None:
        self.normalize, self.given, self.short = normalize, x, mp.mpf(1) / 10**12
        self.lengths = [mp.sqrt(mp.fsum(a * a for a in row)) for row in x]
        divisors = [max(n, self.short) if normalize else mp.mpf(1) for n in self.lengths]
        self.divisors = divisors
        self.rows = [[a / n for a in row] for row, n in zip(x, divisors, strict=True)]
        zero = [[mp.mpf(0)] * len(row) for row in x]
        self.grad, self.sizes = zero, [list(row) for row in zero]

    def add(self, i: int, other: list[Any], slope: Any, size: Any) -> None:
        for d, a in enumerate(other):
            self.grad[i][d] += slope * a
            self.sizes[i][d] += size * abs(a)

    def back(self) -> list[Pair]:
        pairs = []
        for i, row in enumerate(self.rows):
            grad, sizes = self.grad[i], self.sizes[i]
            along = along_size = mp.mpf(0)
            if self.normalize and self.lengths[i] > self.short:
                along = mp.fsum(a * g for a, g in zip(row, grad, strict=True))
                along_size = mp.fsum(abs(a) * s for a, s in zip(row, sizes, strict=True))
            for a, g, s in zip(row, grad, sizes, strict=True):
                pair = g - a * along, s + abs(a) * along_size
                pairs.append((pair[0] / self.divisors[i], pair[1] / self.divisors[i]))
        return pairs


def dot(a: list[Any], b: list[Any]) -> Pair:
    return (
        mp.fsum(x * y for x, y in zip(a, b, strict=True)),
        mp.fsum(abs(x * y) for x, y in zip(a, b, strict=True)),
    )


def softmax(s: list[Any]) -> tuple[Any, list[Any]]:
    """The logsumexp and the shares."""
    top = max(s)
    parts = [mp.exp(x - top) for x in s]
    total = mp.fsum(parts)
    return top + mp.log(total), [p / total for p in parts]


def cross_entropy(s: list[Pair], t: list[Any]) -> tuple[Pair, list[Pair]]:
    """Of shares t; the value has the size of the similarities."""
    logits = [x for x, _ in s]
    lse, p = softmax(logits)
    # As much as the similarities that count are wrong, so are the shares.
    size = max(z for (_, z), w, share in zip(s, t, p, strict=True) if w or share > 1e-9)
    value = mp.fsum(w * (lse - x) for w, x in zip(t, logits, strict=True))
    # 1 - p of the class itself is what the others have, however little.
    rest = {j: mp.fsum(a for k, a in enumerate(p) if k != j) for j, w in enumerate(t) if w == 1}
    slopes = []
    for j, (a, w) in enumerate(zip(p, t, strict=True)):
        slope = -rest[j] if j in rest else a - w
        slopes.append((slope, abs(slope) + min(a, rest.get(j, a)) * size))
    return (value, max(value, size)), slopes


def info_nce(
    numbers: dict[str, Any], temperature: Any = 0.07, normalize: bool = True
) -> tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]:
    tau = mp.mpf(temperature)
    q, k = (Vectors(numbers[name], normalize) for name in ("query", "positive"))
    given = numbers.get("negatives")
    n = None
    if given is not None:
        n = Vectors(given.reshape(-1, given.shape[-1]), normalize)
    values = []
    for i, row in enumerate(q.rows):
        if n is None:
            others = [(k, j) for j in range(len(k.rows))]
        else:
            each = given.shape[1] if given.ndim == 3 else 0
            own = range(i * each, (i + 1) * each) if each else range(len(n.rows))
            others = [(k, i), *((n, j) for j in own)]
        s = [dot(row, v.rows[j]) for v, j in others]
        hot = [mp.mpf((v is k) and j == i) for v, j in others]
        value, slopes = cross_entropy([(x / tau, z / tau) for x, z in s], hot)
        values.append(value)
        for (v, j), (slope, size) in zip(others, slopes, strict=True):
            q.add(i, v.rows[j], slope / tau, size / tau)
            v.add(j, row, slope / tau, size / tau)
    grads = {"query": q.back(), "positive": k.back()}
    if n is not None:
        grads["negatives"] = n.back()
    return values, grads, {}


def among_labelled(
    numbers: dict[str, Any], normalize: bool, negatives: bool, of_row: Any
) -> tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]:
    x, labels = Vectors(numbers["embeddings"], normalize), list(numbers["labels"])
    values = []
    for i, row in enumerate(x.rows):
        others = [j for j in range(len(labels)) if j != i]
        alike = [labels[j] == labels[i] for j in others]
        if not any(alike) or (negatives and all(alike)):
            values.append((mp.mpf(0), mp.mpf(0)))
            continue
        value, slopes = of_row([dot(row, x.rows[j]) for j in others], alike)
        values.append(value)
        for j, (slope, size) in zip(others, slopes, strict=True):
            x.add(i, x.rows[j], slope, size)
            x.add(j, row, slope, size)
    return values, {"embeddings": x.back()}, {}


def supervised_contrastive(
    numbers: dict[str, Any], temperature: Any = 0.07, normalize: bool = True
) -> Any:
    tau = mp.mpf(temperature)

    def of_row(s: list[Pair], alike: list[bool]) -> Any:
        shares = [mp.mpf(a) / sum(alike) for a in alike]
        value, slopes = cross_entropy([(x / tau, z / tau) for x, z in s], shares)
        return value, [(x / tau, z / tau) for x, z in slopes]

    return among_labelled(numbers, normalize, False, of_row)


def circle(
    numbers: dict[str, Any], gamma: Any = 80, margin: Any = 0.4, normalize: bool = True
) -> Any:
    gamma, m = mp.mpf(gamma), mp.mpf(margin)

    def of_row(s: list[Pair], alike: list[bool]) -> Any:
        terms = []  # exponent, its size, its slope
        for (x, z), a in zip(s, alike, strict=True):
            x, z = min(x, mp.mpf(1)), 2 * max(z, 1) * (1 + abs(x))
            if a:
                terms.append((gamma * ((1 - x) ** 2 - m * m), gamma * z, -2 * gamma * (1 - x)))
            else:
                inside = -m < x < 1
                e = gamma * max(0, x + m) * (x - m)
                terms.append((e, gamma * z, 2 * gamma * x if inside else mp.mpf(0)))
        near, far = (
            [t for t, a in zip(terms, alike, strict=True) if a is b] for b in (True, False)
        )
        (a, p), (b, q) = (softmax([t[0] for t in part]) for part in (near, far))
        size, sigma = 2 * gamma, 1 / (1 + mp.exp(-a - b))
        for part, each in ((near, p), (far, q)):
            size += max(t[1] for t, share in zip(part, each, strict=True) if share > 1e-9)
        value = softplus(a + b), max(softplus(a + b), sigma * size)
        shares = {True: iter(p), False: iter(q)}
        slopes = []
        for t, a in zip(terms, alike, strict=True):
            share = sigma * next(shares[a])
            slopes.append((share * t[2], share * (size * abs(t[2]) + 2 * gamma)))
        return value, slopes

    return among_labelled(numbers, normalize, True, of_row)


# ---- twins ---------------------------------------------------------------------------------------


def _unit(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    norm = np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), x.dtype.type(1e-12))
    return x / norm, norm


def _back(y: FloatArray, norm: FloatArray, grad: FloatArray) -> FloatArray:
    grad -= y * np.sum(y * grad, axis=-1, keepdims=True)
    grad /= norm
    return grad


def _shares(s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Softmax of the rows, and the logarithms of it."""
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    s -= np.log(total)
    return p, s


def _logits(q: FloatArray, k: FloatArray, negatives: FloatArray | None) -> FloatArray:
    if negatives is None:
        return q @ k.T
    others = q @ negatives.T if negatives.ndim == 2 else (negatives @ q[:, :, None])[:, :, 0]
    return np.concatenate([np.sum(q * k, axis=1, keepdims=True), others], axis=1)


def info_nce_loss(
    query: FloatArray,
    positive: FloatArray,
    negatives: FloatArray | None = None,
    temperature: float = 0.07,
) -> Scalar:
    """Mean of the cross entropy of the cosines, divided by the temperature."""
    n = None if negatives is None else _unit(negatives)[0]
    s = _logits(_unit(query)[0], _unit(positive)[0], n)
    rows = np.arange(len(s))
    own = rows if n is None else rows * 0
    return -np.mean(_shares(s / query.dtype.type(temperature))[1][rows, own])


def info_nce_loss_and_grad(
    query: FloatArray,
    positive: FloatArray,
    negatives: FloatArray | None = None,
    temperature: float = 0.07,
) -> tuple[Scalar, tuple[FloatArray, ...]]:
    """Value and gradients of `info_nce_loss`."""
    (q, q_norm), (k, k_norm) = _unit(query), _unit(positive)
    n, n_norm = (None, None) if negatives is None else _unit(negatives)
    rows = np.arange(len(q))
    own = rows if n is None else rows * 0
    grad, logs = _shares(_logits(q, k, n) / q.dtype.type(temperature))
    value = -np.mean(logs[rows, own])
    grad[rows, own] -= 1
    grad /= q.dtype.type(temperature) * len(q)
    if n is None or n_norm is None:
        return value, (_back(q, q_norm, grad @ k), _back(k, k_norm, grad.T @ q))
    first, others = grad[:, :1], grad[:, 1:]
    if n.ndim == 2:
        dq, dn = others @ n, others.T @ q
    else:
        dq, dn = (others[:, None] @ n)[:, 0], others[:, :, None] * q[:, None]
    dq += first * k
    return value, (_back(q, q_norm, dq), _back(k, k_norm, first * q), _back(n, n_norm, dn))


def _pairs(labels: IntArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which vectors are alike, and which of them others."""
    alike = labels[:, None] == labels
    return alike, alike & ~np.eye(len(labels), dtype=bool)


def _supervised(
    embeddings: FloatArray, labels: IntArray, temperature: float
) -> tuple[Scalar, FloatArray, FloatArray, FloatArray]:
    z, norm = _unit(embeddings)
    s = z @ z.T / z.dtype.type(temperature)
    np.fill_diagonal(s, -np.inf)
    _, positive = _pairs(labels)
    count = positive.sum(axis=1, keepdims=True)
    p, logs = _shares(s)
    shares = (positive / np.maximum(count, 1)).astype(z.dtype)
    terms = np.multiply(logs, shares, where=positive, out=np.zeros_like(logs))
    p -= shares
    p *= (count > 0) / (z.dtype.type(temperature) * (count > 0).sum()).astype(z.dtype)
    return -terms.sum(axis=1)[count[:, 0] > 0].mean(), p, z, norm


def supervised_contrastive_loss(
    embeddings: FloatArray, labels: IntArray, temperature: float = 0.07
) -> Scalar:
    """Mean cross entropy among all others of equal shares of those alike."""
    return _supervised(embeddings, labels, temperature)[0]


def supervised_contrastive_loss_and_grad(
    embeddings: FloatArray, labels: IntArray, temperature: float = 0.07
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `supervised_contrastive_loss`."""
    value, grad, z, norm = _supervised(embeddings, labels, temperature)
    return value, _back(z, norm, grad @ z + grad.T @ z)


def _circle(
    embeddings: FloatArray, labels: IntArray, gamma: float, margin: float
) -> tuple[Scalar, FloatArray, FloatArray, FloatArray]:
    z, norm = _unit(embeddings)
    real = z.dtype.type
    gamma, margin = real(gamma), real(margin)
    s = np.minimum(z @ z.T, 1)
    alike, positive = _pairs(labels)
    keep = positive.any(axis=1) & ~alike.all(axis=1)
    s, alike, positive = s[keep], alike[keep], positive[keep]
    near = np.where(positive, gamma * ((1 - s) ** 2 - margin**2), -np.inf)
    far = np.where(alike, -np.inf, gamma * np.maximum(s + margin, 0) * (s - margin))
    parts, sums = [], []
    for part in (near, far):
        top = part.max(axis=1, keepdims=True)
        e = np.exp(part - top)
        total = e.sum(axis=1, keepdims=True)
        parts.append(e / total)
        sums.append(top + np.log(total))
    both = sums[0] + sums[1]
    value = np.mean(np.maximum(both, 0) + np.log1p(np.exp(-np.abs(both))))
    slope = 1 / (1 + np.exp(-both)) / real(len(s))
    grad = np.zeros_like(z, shape=(len(z), len(z)))
    inside = (s > -margin) & (s < 1)
    grad[keep] = slope * 2 * gamma * (parts[1] * s * inside - parts[0] * (1 - s))
    return value, grad, z, norm


def circle_loss(
    embeddings: FloatArray, labels: IntArray, gamma: float = 80.0, margin: float = 0.4
) -> Scalar:
    """Mean of ``log1p(sum(exp(near)) * sum(exp(far)))``."""
    return _circle(embeddings, labels, gamma, margin)[0]


def circle_loss_and_grad(
    embeddings: FloatArray, labels: IntArray, gamma: float = 80.0, margin: float = 0.4
) -> tuple[Scalar, FloatArray]:
    """Value and gradient of `circle_loss`."""
    value, grad, z, norm = _circle(embeddings, labels, gamma, margin)
    return value, _back(z, norm, grad @ z + grad.T @ z)


# ---- rows ----------------------------------------------------------------------------------------


def _queries(kind: str) -> Any:
    def inputs(rng: Generator, n: int, dtype: Any) -> Arrays:
        query = rng.normal(size=(n, DIM))
        positive = query + 0.5 * rng.normal(size=(n, DIM))
        arrays = {"query": query, "positive": positive}
        if kind != "in batch":
            shape = (5, DIM) if kind == "shared" else (n, 3, DIM)
            arrays["negatives"] = rng.normal(size=shape)
        return {name: a.astype(dtype) for name, a in arrays.items()}

    return inputs


def _hard(kind: str) -> Any:
    """Of length 0, very short and very long, the same, opposite, and right-angled ones."""

    def hard(rng: Generator, dtype: Any) -> Arrays:
        some = [np.zeros(DIM), np.full(DIM, 1e-3), *np.eye(DIM)[:3], -np.eye(DIM)[0]]
        long = 1e15 if kind != "plain" else 8.0
        some += [long * rng.normal(size=DIM), np.arange(DIM) / 4.0]
        query = np.array(some)
        positive = query[[0, 1, 3, 3, 0, 2, 6, 2]] * 2
        arrays = {"query": query, "positive": positive}
        if kind == "shared":
            arrays["negatives"] = query[[0, 2, 5, 6]] / 2
        elif kind == "own":
            arrays["negatives"] = np.stack([query, -query, np.roll(query, 1, axis=0)], axis=1)
        return {name: a.astype(dtype) for name, a in arrays.items()}

    return hard


def _labelled(rng: Generator, n: int, dtype: Any) -> Arrays:
    """Every vector has another one of its label, if there are two."""
    labels = np.arange(n) % max(1, n // 3 if n > 5 else n // 2)
    return {"embeddings": rng.normal(size=(n, DIM)).astype(dtype), "labels": labels}


def _hard_labelled(rng: Generator, dtype: Any) -> Arrays:
    embeddings = _hard("in batch")(rng, dtype)["query"]
    return {"embeddings": embeddings, "labels": np.array([0, -7, 9, 9, 0, 9, -7, 3])}


for kind, options in (
    ("in batch", {}),
    ("shared", {"temperature": 0.1}),
    ("own", {"temperature": 0.5}),
    ("plain", {"normalize": False, "temperature": 16.0}),
):
    leaves = ("query", "positive") + (("negatives",) if kind in ("shared", "own") else ())
    JOINT.append(
        Joint(
            "info_nce_loss",
            ("query", "positive"),
            leaves,
            _queries("in batch" if kind == "plain" else kind),
            _hard(kind),
            info_nce,
            options=options,
            curved=False,
            pairs=True,
            lean=False,
            twin=kind != "plain",
        )
    )
for loss, truth, variants in (
    (
        "supervised_contrastive_loss",
        supervised_contrastive,
        ({}, {"temperature": 1.0}, {"normalize": False, "temperature": 0.5}),
    ),
    ("circle_loss", circle, ({}, {"gamma": 8.0, "margin": 0.25}, {"normalize": False})),
):
    for options in variants:
        JOINT.append(
            Joint(
                loss,
                ("embeddings", "labels"),
                ("embeddings",),
                _labelled,
                _hard_labelled,
                truth,
                options=options,
                curved=False,
                smooth=loss != "circle_loss",
                labels=("labels",),
                pairs=True,
                lean=False,
                twin="normalize" not in options,
            )
        )
