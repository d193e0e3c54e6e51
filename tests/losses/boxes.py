"""Losses between boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.losses.case import (
    Arrays,
    FloatArray,
    Generator,
    Joint,
    Pair,
    Scalar,
    mp,
)

JOINT: list[Joint] = []
Grads = tuple[FloatArray, FloatArray]


# ---- numbers with their derivatives --------------------------------------------------------


class Jet:
    """A number, its first and second derivatives with respect to eight coordinates, one by one, and
    for each of them the size of its largest term."""

    def __init__(self, x: Any, d: list[Any], h: list[Any], s: Any, ds: list[Any], hs: list[Any]):
        self.x, self.d, self.h, self.s, self.ds, self.hs = x, d, h, s, ds, hs

    def __add__(self, other: Jet) -> Jet:
        def both(a: list[Any], b: list[Any]) -> list[Any]:
            return [p + q for p, q in zip(a, b, strict=True)]

        def most(a: list[Any], b: list[Any]) -> list[Any]:
            return [max(p, q) for p, q in zip(a, b, strict=True)]

        return Jet(
            self.x + other.x,
            both(self.d, other.d),
            both(self.h, other.h),
            max(self.s, other.s),
            most(self.ds, other.ds),
            most(self.hs, other.hs),
        )

    def times(self, k: Any) -> Jet:
        a = abs(k)
        return Jet(
            k * self.x,
            [k * y for y in self.d],
            [k * y for y in self.h],
            a * self.s,
            [a * y for y in self.ds],
            [a * y for y in self.hs],
        )

    def __sub__(self, other: Jet) -> Jet:
        return self + other.times(mp.mpf(-1))

    def __mul__(self, other: Jet) -> Jet:
        n = range(8)
        a, b = self, other
        return Jet(
            a.x * b.x,
            [a.d[i] * b.x + a.x * b.d[i] for i in n],
            [a.h[i] * b.x + 2 * a.d[i] * b.d[i] + a.x * b.h[i] for i in n],
            a.s * b.s,
            [max(a.ds[i] * b.s, a.s * b.ds[i]) for i in n],
            [max(a.hs[i] * b.s, 2 * a.ds[i] * b.ds[i], a.s * b.hs[i]) for i in n],
        )

    def of(self, f: Any, f1: Any, f2: Any) -> Jet:
        """A function with these derivatives here."""
        n = range(8)
        return Jet(
            f,
            [f1 * self.d[i] for i in n],
            [f2 * self.d[i] ** 2 + f1 * self.h[i] for i in n],
            abs(f),
            [abs(f1) * self.ds[i] for i in n],
            [max(abs(f2) * self.ds[i] ** 2, abs(f1) * self.hs[i]) for i in n],
        )

    def inverse(self) -> Jet:
        """1 / x, and 0 for 0."""
        r = 1 / self.x if self.x else mp.mpf(0)
        return self.of(r, -r * r, 2 * r**3)


def constant(x: Any) -> Jet:
    zeros = [mp.mpf(0)] * 8
    return Jet(x, zeros, zeros, abs(x), zeros, zeros)


def coordinate(x: Any, k: int) -> Jet:
    one = [mp.mpf(i == k) for i in range(8)]
    return Jet(x, one, [mp.mpf(0)] * 8, abs(x), one, [mp.mpf(0)] * 8)


def larger(a: Jet, b: Jet) -> Jet:
    """At a tie half of each derivative is a's, half b's."""
    if a.x != b.x:
        return a if a.x > b.x else b
    return (a + b).times(mp.mpf(0.5))


def smaller(a: Jet, b: Jet) -> Jet:
    return larger(a.times(mp.mpf(-1)), b.times(mp.mpf(-1))).times(mp.mpf(-1))


# ---- exact values --------------------------------------------------------------------------


def _exact(kind: str, box1: list[Any], box2: list[Any], eps: Any) -> Jet:
    a = [coordinate(x, k) for k, x in enumerate(box1)]
    b = [coordinate(x, k + 4) for k, x in enumerate(box2)]
    eps, one = constant(mp.mpf(eps)), constant(mp.mpf(1))
    w = smaller(a[2], b[2]) - larger(a[0], b[0])
    h = smaller(a[3], b[3]) - larger(a[1], b[1])
    inside = w * h if w.x > 0 and h.x > 0 else constant(mp.mpf(0))
    sides = [(box[2] - box[0], box[3] - box[1]) for box in (a, b)]
    union = sides[0][0] * sides[0][1] + sides[1][0] * sides[1][1] - inside
    iou = inside * (union + eps).inverse()
    width = larger(a[2], b[2]) - smaller(a[0], b[0])
    height = larger(a[3], b[3]) - smaller(a[1], b[1])
    gap = one - iou
    if kind == "giou":
        hull = width * height
        return gap + (hull - union) * (hull + eps).inverse()
    far = [(a[k] + a[k + 2] - b[k] - b[k + 2]).times(mp.mpf(0.5)) for k in (0, 1)]
    diagonal = width * width + height * height + eps
    loss = gap + (far[0] * far[0] + far[1] * far[1]) * diagonal.inverse()
    if kind == "diou":
        return loss
    angles = [_angle(w, h) for w, h in sides]
    points = any(w.x == 0 == h.x for w, h in sides)
    turn = constant(mp.mpf(0)) if points else angles[1] - angles[0]
    v = (turn * turn).times(4 / mp.pi**2)
    below = gap.x + v.x + eps.x
    part, sized = (v.times(x / below if below else mp.mpf(0)) for x in (v.x, v.x + _lost(turn)))
    part.s, part.ds, part.hs = sized.s, sized.ds, sized.hs
    return loss + part


def _lost(turn: Jet) -> Any:
    """What v is sensitive to, where the angles are nearly the same."""
    return (2 * abs(turn.x) * turn.s + mp.mpf(2) ** -53 * turn.s**2) * 4 / mp.pi**2


def _angle(w: Jet, h: Jet) -> Jet:
    """atan(w / h), with its limits for h = 0; for a point anything."""
    n = w.x**2 + h.x**2
    if n == 0:
        return constant(mp.mpf(0))
    angle = mp.atan(w.x / h.x) if h.x else mp.sign(w.x) * mp.pi / 2
    by_w, by_h = h.x / n, -w.x / n
    k = range(8)
    d = [by_w * w.d[i] + by_h * h.d[i] for i in k]
    curvature = -2 * w.x * h.x / n**2
    second = [curvature * (w.d[i] ** 2 - h.d[i] ** 2) for i in k]  # w and h share no coordinate
    return Jet(angle, d, second, abs(angle), [abs(x) for x in d], [abs(x) for x in second])


def truth(kind: str) -> Callable[..., Any]:
    def of(
        numbers: dict[str, Any], eps: float = 1e-7
    ) -> tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]:
        values: list[Pair] = []
        grads: dict[str, list[Pair]] = {"boxes1": [], "boxes2": []}
        hesses: dict[str, list[Pair]] = {"boxes1": [], "boxes2": []}
        first = numbers["boxes1"].reshape(-1, 4)
        second = np.broadcast_to(numbers["boxes2"], numbers["boxes1"].shape).reshape(-1, 4)
        for box1, box2 in zip(first, second, strict=True):
            jet = _exact(kind, list(box1), list(box2), eps)
            values.append((jet.x, jet.s))
            for leaf, part in (("boxes1", slice(4)), ("boxes2", slice(4, 8))):
                grads[leaf] += zip(jet.d[part], jet.ds[part], strict=True)
                hesses[leaf] += zip(jet.h[part], jet.hs[part], strict=True)
        return values, grads, hesses

    return of


# ---- inputs --------------------------------------------------------------------------------


def _boxes(corners: Any, sizes: Any, dtype: Any) -> Any:
    return np.concatenate([corners, corners + sizes], axis=-1).astype(dtype)


def inputs(rng: Generator, n: int, dtype: Any) -> Arrays:
    """Boxes in an image, and others near them."""
    corners, sizes = rng.uniform(0, 10, (n, 2)), rng.uniform(0.5, 6, (n, 2))
    moved = corners + rng.normal(size=(n, 2)), sizes * rng.uniform(0.6, 1.5, (n, 2))
    return {"boxes1": _boxes(corners, sizes, dtype), "boxes2": _boxes(*moved, dtype)}


def hard(rng: Generator, dtype: Any) -> Arrays:
    """The same boxes, ties, boxes that touch, lie within or far apart, large and tiny ones, lines,
    points, boxes upside down."""
    base = [
        ([0, 0, 2, 2], [0, 0, 2, 2]),
        ([0, 0, 2, 2], [0, 0, 3, 1]),
        ([0, 0, 2, 2], [2, 0, 4, 2]),
        ([0, 0, 2, 2], [1, 0, 3, 2]),
        ([0, 0, 4, 4], [1, 1, 2, 3]),
        ([1, 1, 2, 2], [0, 0, 4, 4]),
        ([0, 0, 1, 1], [5, 7, 6, 9]),
        ([0, 0, 1, 1], [5, 0, 6, 1]),
        ([0, 0, 2, 1], [1, 3, 4, 5]),
        ([0, 0, 3, 2], [1, 1, 4, 3]),
        ([0, 0, 2, 0], [1, 0, 3, 2]),
        ([0, 0, 0, 2], [1, 0, 3, 2]),
        ([1, 1, 1, 1], [0, 0, 2, 2]),
        ([2, 0, 1, 1], [0, 0, 3, 2]),
        ([0, 3, 1, 1], [0, 0, 3, 2]),
    ]
    scaled = [(k, pair) for k in (1, 1e-3, 1e-10, 1e-20, 1e6, 1e18, 1e30) for pair in base]
    pairs = [(np.multiply(k, a), np.multiply(k, b)) for k, (a, b) in scaled]
    near = np.array([3.0, 5.0, 11.0, 9.0])
    for step in (np.finfo(dtype).eps * 8, 1e-5, 1e-3):
        pairs += [(near, near * (1 + step * rng.integers(-3, 4, 4))) for _ in range(4)]
    first, second = (np.array(side).astype(dtype) for side in zip(*pairs, strict=True))
    return {"boxes1": first, "boxes2": second}


JOINT += [
    Joint(
        loss,
        ("boxes1", "boxes2"),
        ("boxes1", "boxes2"),
        inputs,
        hard,
        truth(kind),
        options,
        bounds=(4, 8, 12),
        smooth=False,
        held=kind == "ciou",
        twin=not options,
        spread=("boxes2",),
    )
    for kind, loss in (
        ("giou", "generalized_box_iou_loss"),
        ("diou", "distance_box_iou_loss"),
        ("ciou", "complete_box_iou_loss"),
    )
    for options in ({}, {"eps": 1e-3})
]


# ---- twins ---------------------------------------------------------------------------------


class _Overlap:
    """What the three losses share: the intersection and the smallest box around both."""

    def __init__(self, boxes1: FloatArray, boxes2: FloatArray, eps: float) -> None:
        self.a, self.b, self.eps = boxes1, boxes2, eps
        self.size1, self.size2 = boxes1[:, 2:] - boxes1[:, :2], boxes2[:, 2:] - boxes2[:, :2]
        low = np.maximum(boxes1[:, :2], boxes2[:, :2])
        high = np.minimum(boxes1[:, 2:], boxes2[:, 2:])
        self.both = high - low
        self.both[~np.all(self.both > 0, axis=1)] = 0
        self.inside = self.both.prod(axis=1)
        self.union = self.size1.prod(axis=1) + self.size2.prod(axis=1) - self.inside
        self.iou = self.inside / (self.union + eps)
        self.hull = np.maximum(boxes1[:, 2:], boxes2[:, 2:])
        self.hull -= np.minimum(boxes1[:, :2], boxes2[:, :2])

    def shares(self) -> tuple[FloatArray, FloatArray]:
        """How far the ends of boxes1 and of boxes2 are those of the intersection."""
        own = np.empty_like(self.a)
        own[:, :2] = np.heaviside(self.a[:, :2] - self.b[:, :2], 0.5)
        own[:, 2:] = np.heaviside(self.b[:, 2:] - self.a[:, 2:], 0.5)
        return own, 1 - own

    def grads(self, size: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Those of ``1 - iou``, and of the union."""
        inside = _ends(self.both[:, ::-1]) * share
        union = _ends(size[:, ::-1]) - inside
        return (self.iou[:, None] * union - inside) / (self.union + self.eps)[:, None], union


def _ends(x: FloatArray) -> FloatArray:
    """For the higher ends x, for the lower ones -x."""
    return np.concatenate([-x, x], axis=1)


def generalized_box_iou_loss(
    boxes1: FloatArray, boxes2: FloatArray, *, eps: float = 1e-7
) -> Scalar:
    """Mean of ``1 - iou + (hull - union) / hull``."""
    o = _Overlap(boxes1, boxes2, eps)
    hull = o.hull.prod(axis=1)
    return np.mean(1 - o.iou + (hull - o.union) / (hull + eps))


def generalized_box_iou_loss_and_grad(
    boxes1: FloatArray, boxes2: FloatArray, *, eps: float = 1e-7
) -> tuple[Scalar, Grads]:
    """Value and gradients of `generalized_box_iou_loss`."""
    o = _Overlap(boxes1, boxes2, eps)
    hull = o.hull.prod(axis=1)
    empty = (hull - o.union) / (hull + eps)
    grads = []
    for size, share in zip((o.size1, o.size2), o.shares(), strict=True):
        grad, union = o.grads(size, share)
        around = _ends(o.hull[:, ::-1]) * (1 - share)
        grad += ((1 - empty)[:, None] * around - union) / (hull + eps)[:, None]
        grads.append(grad / len(grad))
    return np.mean(1 - o.iou + empty), (grads[0], grads[1])


def _distance(o: _Overlap) -> tuple[FloatArray, FloatArray, FloatArray]:
    """From centre to centre, the squared diagonal, and the quotient of the squares."""
    apart = (o.a[:, :2] + o.a[:, 2:] - o.b[:, :2] - o.b[:, 2:]) / 2
    diagonal = np.sum(o.hull**2, axis=1) + o.eps
    return apart, diagonal, np.sum(apart**2, axis=1) / diagonal


def distance_box_iou_loss(boxes1: FloatArray, boxes2: FloatArray, *, eps: float = 1e-7) -> Scalar:
    """Mean of ``1 - iou + distance**2 / diagonal**2``."""
    o = _Overlap(boxes1, boxes2, eps)
    return np.mean(1 - o.iou + _distance(o)[2])


def _distance_and_grad(o: _Overlap) -> tuple[FloatArray, list[FloatArray]]:
    apart, diagonal, far = _distance(o)
    grads = []
    for sign, size, share in zip((1, -1), (o.size1, o.size2), o.shares(), strict=True):
        grad, _ = o.grads(size, share)
        around = 2 * _ends(o.hull) * (1 - share)
        grad += (np.tile(sign * apart, 2) - far[:, None] * around) / diagonal[:, None]
        grads.append(grad)
    return 1 - o.iou + far, grads


def distance_box_iou_loss_and_grad(
    boxes1: FloatArray, boxes2: FloatArray, *, eps: float = 1e-7
) -> tuple[Scalar, Grads]:
    """Value and gradients of `distance_box_iou_loss`."""
    values, grads = _distance_and_grad(_Overlap(boxes1, boxes2, eps))
    return np.mean(values), (grads[0] / len(values), grads[1] / len(values))


def _aspect(o: _Overlap) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The difference of the angles, v and alpha."""
    turn = np.arctan2(*o.size2.T) - np.arctan2(*o.size1.T)
    v = o.a.dtype.type(4 / np.pi**2) * turn**2
    return turn, v, v / (1 - o.iou + v + o.eps)


def complete_box_iou_loss(boxes1: FloatArray, boxes2: FloatArray, *, eps: float = 1e-7) -> Scalar:
    """Mean of the distance loss plus ``alpha * v``."""
    o = _Overlap(boxes1, boxes2, eps)
    _, v, alpha = _aspect(o)
    return np.mean(1 - o.iou + _distance(o)[2] + alpha * v)


def complete_box_iou_loss_and_grad(
    boxes1: FloatArray, boxes2: FloatArray, *, eps: float = 1e-7
) -> tuple[Scalar, Grads]:
    """Value and gradients of `complete_box_iou_loss`, alpha held constant."""
    o = _Overlap(boxes1, boxes2, eps)
    values, grads = _distance_and_grad(o)
    turn, v, alpha = _aspect(o)
    factor = o.a.dtype.type(8 / np.pi**2) * alpha * turn
    for sign, size, grad in zip((-1, 1), (o.size1, o.size2), grads, strict=True):
        slope = size[:, ::-1] * np.array([sign, -sign], size.dtype)
        grad += _ends(slope * (factor / np.sum(size**2, axis=1))[:, None])
    return np.mean(values + alpha * v), (grads[0] / len(values), grads[1] / len(values))
