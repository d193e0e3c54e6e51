"""Calls of every loss in the registry, with random arrays: what the behaviour tests run on.

A test takes a `Call`, changes its arrays (layout, dtype, values), adds options, and runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np

import fusedloss as fl
from fusedloss._core import kernels as _kernels
from tests import registry as reg
from tests.losses.case import mp

Array = np.ndarray[Any, Any]
Case = reg.Elementwise | reg.Rows

CASES: list[Case] = [*reg.ELEMENTWISE, *reg.ROWS]
# For tests that ask much of every call.
ONE_OF_EACH: list[Case] = [*reg.ONE_OF_EACH, *reg.ROWS_ONE_OF_EACH]
MECHANISMS: list[Case] = [*reg.MECHANISMS, *reg.ROW_MECHANISMS]
ORDERS = ("__call__", "value_and_grad", "value_grad_hess")
REDUCTIONS = ("mean", "sum", "none", "batchmean", "weighted_mean", "sum_by_nonzero_weights")

bfloat16 = np.dtype(ml_dtypes.bfloat16)
HALVES = (np.dtype(np.float16), bfloat16)
FLOATS = (*HALVES, np.dtype(np.float32), np.dtype(np.float64))
INTEGERS = tuple(np.dtype(c) for c in "bhilqpBHILQP")


class Side:
    """A loss of several gradients as if it had only one of them."""

    def __init__(self, loss: Any, side: int, count: int) -> None:
        self._loss, self._side, self.__name__ = loss, side, loss.__name__
        self._count = count

    def _pair(self, buffer: Any) -> Any:
        if buffer is None:
            return None
        return tuple(buffer if k == self._side else None for k in range(self._count))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._loss(*args, **kwargs)

    def value_and_grad(self, *args: Any, grad_out: Any = None, **kwargs: Any) -> Any:
        grad_out = self._pair(grad_out)
        value, grads = self._loss.value_and_grad(*args, grad_out=grad_out, **kwargs)
        return value, grads[self._side]

    def value_grad_hess(
        self, *args: Any, grad_out: Any = None, hess_out: Any = None, **kwargs: Any
    ) -> Any:
        value, grads, hesses = self._loss.value_grad_hess(
            *args, grad_out=self._pair(grad_out), hess_out=self._pair(hess_out), **kwargs
        )
        return value, grads[self._side], hesses[self._side]


def loss_of(case: Case) -> Any:
    """What has the row's value and gradient."""
    loss = getattr(fl, case.loss)
    side = getattr(case, "side", None)
    return loss if side is None else Side(loss, side, len(case.leaves))


@dataclass(frozen=True)
class Call:
    """One call of a loss; `arrays` holds input, target and what else goes by name."""

    loss: Any
    arrays: dict[str, Array]
    options: dict[str, Any]
    first: str = "input"  # the operand that has the loss's shape
    lead: str = "input"  # the operand that the gradient is with respect to

    def run(self, order: int = 0, **options: Any) -> tuple[Any, ...]:
        """The value, and with order 1 the gradient, with order 2 the second derivative too."""
        method = getattr(self.loss, ORDERS[order])
        result = method(**self.arrays, **(self.options | options))
        return result if order else (result,)

    def each(self, order: int = 2, **options: Any) -> tuple[Any, ...]:
        return self.run(order, reduction="none", **options)

    def having(self, **arrays: Any) -> Call:
        """With other arrays."""
        return replace(self, arrays=self.arrays | arrays)

    def changed(self, change: Callable[[Array], Any], *names: str) -> Call:
        """With the named arrays, or all, changed."""
        return self.having(**{name: change(self.arrays[name]) for name in names or self.arrays})

    def moved(self, step: Any) -> Call:
        """With something added to the operand that the gradient is with respect to."""
        return self.having(**{self.lead: self.arrays[self.lead] + step})

    @property
    def input(self) -> Array:
        return self.arrays[self.first]

    @property
    def leading(self) -> Array:
        return self.arrays[self.lead]


_pools: dict[tuple[str, Any], dict[str, Array]] = {}


def _pool(case: reg.Elementwise, dtype: Any) -> dict[str, Array]:
    """The inputs that the registry has for this loss, but for the huge ones; made once."""
    key = str(case), dtype
    if key not in _pools:
        pool = dict(zip(case.kinds, reg.elementwise_inputs(case, dtype), strict=False))
        moderate = np.ones(len(pool["target"]), bool)
        for name, kind in case.kinds.items():
            low, high = reg.KINDS[kind].moderate
            x = np.abs(pool[name]) if kind == "scale" else pool[name]
            moderate &= (low <= x) & (x <= high)
        _pools[key] = {name: a[moderate] for name, a in pool.items()}
    return _pools[key]


def elementwise(
    case: reg.Elementwise,
    shape: Any,
    dtype: Any = np.float64,
    weighted: bool = False,
    seed: int = 0,
) -> Call:
    """Random elements of the pool."""
    rng = np.random.default_rng(seed)
    pool = _pool(case, np.dtype(dtype).type)
    picked = rng.choice(len(pool["target"]), size=shape)
    arrays = {name: np.array(a[picked]) for name, a in pool.items()}
    if weighted:
        arrays["weight"] = np.asarray(rng.uniform(0.25, 2, shape)).astype(dtype)
    return Call(loss_of(case), arrays, dict(case.options), case.first, case.lead)


def positional(case: Case, call: Call) -> list[Array]:
    """The arrays of the arguments that have no defaults."""
    return [call.arrays[name] for name in case.operands]


def rows(
    case: reg.Rows, shape: tuple[int, ...], axis: int = 1, dtype: Any = np.float64, seed: int = 0
) -> Call:
    """Random logits of the shape, classes along the axis."""
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=shape) * 3).astype(dtype)
    classes = shape[axis]
    if case.target == "class":
        t: Array = rng.integers(0, classes, np.delete(shape, axis))
    elif case.target == "list":
        t = reg.random_lists(rng, shape, axis)
    elif case.target == "multilabel":
        t = reg.random_labels(rng, shape).astype(dtype)
    else:
        t = reg.random_distributions(rng, shape, axis).astype(dtype)
    arrays = {"input": x, "target": t}
    if case.weighted and case.weights:
        arrays[case.weights] = rng.uniform(0.25, 4, classes).astype(dtype)
    return Call(getattr(fl, case.loss), arrays, case.options | {"axis": axis})


def class_weights(case: reg.Rows, call: Call) -> Array:
    """The number for each class that a call has, or that its options come to."""
    classes = call.input.shape[call.options["axis"]]
    w = call.arrays.get(case.weights or "", call.options.get(case.weights or ""))
    return np.broadcast_to(1.0 if w is None else w, classes).astype(np.float64)


def with_class_weights(case: reg.Rows, call: Call, w: Array) -> Call:
    """The call with other numbers for the classes."""
    assert case.weights
    options = {k: v for k, v in call.options.items() if k != case.weights}
    return replace(call.having(**{case.weights: w}), options=options)


def divisors(case: reg.Rows, call: Call, ignored: int = -100) -> dict[str, float]:
    """What each reduction of a class-axis loss divides by."""
    x, t, w = call.input, call.arrays["target"], class_weights(case, call)
    rows = weights = nonzero = float(x.size // len(w))
    if case.target == "class":
        hit = w[t[t != ignored]] if case.ignores else w[t]
        rows, weights, nonzero = float(hit.size), float(hit.sum()), float(np.count_nonzero(hit))
    elif case.target == "multilabel":
        weights, nonzero = rows * w.mean(), rows * float(np.mean(w != 0))
    return {
        "mean": weights if case.mean_by_weight else rows,
        "sum": 1.0,
        "batchmean": float(x.shape[0]) if x.ndim > 1 else 1.0,
        "weighted_mean": weights,
        "sum_by_nonzero_weights": nonzero,
    }


def call(case: Case, count: int, dtype: Any = np.float64, classes: int = 10, seed: int = 0) -> Call:
    """A call over about `count` numbers, whatever the kind of the loss; two axes, weighted."""
    shape = (-(-count // classes), classes)
    if isinstance(case, reg.Rows):
        return rows(case, shape, 1, dtype, seed)
    return elementwise(case, shape, dtype, True, seed)


def truth(case: Case, call: Call) -> tuple[Array, Array, Array]:
    """Value, gradient and second derivative of each element or row, exactly, as float64."""
    x, t = call.input, call.arrays["target"]
    weight = call.arrays.get("weight")
    if isinstance(case, reg.Elementwise):
        columns = [mp_numbers(call.arrays[name]) for name in case.kinds]
        points = [case.exact(*c) for c in zip(*columns, strict=True)]
        value, grad, hess = (
            np.array([float(point[k][0]) for point in points]).reshape(x.shape) for k in range(3)
        )
        w: Any = 1.0 if weight is None else weight.astype(np.float64)
        return value * w, grad * w, hess * w
    axis = call.options["axis"]
    last = np.moveaxis(x, axis, -1)
    given = call.arrays.get(case.weights or "")
    w_row = mp_numbers(np.ones(last.shape[-1]) if given is None else given)
    targets: Any = t if case.target == "class" else np.moveaxis(t, axis, -1)
    value = np.empty(last.shape[:-1])
    grad, hess = np.empty(last.shape), np.empty(last.shape)
    for k in np.ndindex(value.shape):
        v, g, h = case.exact(mp_numbers(last[k]), mp_target(case, targets[k]), w_row)
        value[k] = float(v[0])
        grad[k] = [float(pair[0]) for pair in g]
        hess[k] = [float(pair[0]) for pair in h]
    return value, np.moveaxis(grad, -1, axis), np.moveaxis(hess, -1, axis)


def mp_target(case: reg.Rows, target: Any) -> Any:
    """The target of one row, as truths take it."""
    if case.target == "class":
        return int(target)
    return target.tolist() if case.target == "list" else mp_numbers(target)


def mp_numbers(array: Any) -> list[Any]:
    return [mp.mpf(x) for x in np.ravel(array).astype(np.float64).tolist()]


def mp_operands(case: reg.Joint, arrays: dict[str, Array]) -> dict[str, Array]:
    """Operands as truths take them: arrays of mpf, and of int what holds class numbers."""
    made = {}
    for name, a in arrays.items():
        kind = int if name in case.labels else mp.mpf
        made[name] = np.array([kind(x) for x in a.ravel().tolist()] + [None], object)[:-1].reshape(
            a.shape
        )
    return made


def same(a: Any, b: Any) -> bool:
    """Equal bit by bit, also in the sign of zero; nan is nan."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind not in "fV":
        return bool(np.array_equal(a, b))
    with np.errstate(invalid="ignore"):  # signalling nan
        wide_a, wide_b = (c.astype(np.float64) for c in (a, b))
    nan = np.isnan(wide_a)
    return bool(
        np.array_equal(nan, np.isnan(wide_b))
        and np.array_equal(wide_a[~nan], wide_b[~nan])
        and np.array_equal(np.signbit(wide_a[~nan]), np.signbit(wide_b[~nan]))
    )


# ---- the same numbers, lying otherwise in memory -------------------------------------------------


def contiguous(a: Array) -> Array:
    return np.array(a, order="C")


def fortran(a: Array) -> Array:
    return np.array(a, order="F")


def reversed_steps(a: Array) -> Array:
    flip = tuple(slice(None, None, -1) for _ in a.shape)
    return a[flip].copy()[flip] if a.ndim else a.copy()


def stepped(a: Array) -> Array:
    wide = np.zeros([2 * n + 1 for n in a.shape], a.dtype)
    view = wide[(*(slice(1, None, 2) for _ in a.shape), ...)]
    view[...] = a
    return view


def padded(a: Array) -> Array:
    """Rows that are contiguous, but do not follow on each other."""
    if not a.ndim:
        return a.copy()
    view = np.zeros((*a.shape[:-1], a.shape[-1] + 3), a.dtype)[..., 1:-2]
    view[...] = a
    return view


def transposed(a: Array) -> Array:
    """The first axis innermost, the others in order."""
    return np.moveaxis(np.moveaxis(a, 0, -1).copy(), -1, 0) if a.ndim > 1 else a.copy()


def unaligned(a: Array) -> Array:
    raw = b"\0" + np.ascontiguousarray(a).tobytes()
    return np.frombuffer(raw, np.uint8, offset=1).view(a.dtype).reshape(a.shape)


def field(a: Array) -> Array:
    """A field of a packed structured array: unaligned and strided."""
    record = np.zeros(a.shape, [("pad", "u1"), ("x", a.dtype), ("more", "u2")])
    record["x"] = a
    return record["x"]


def read_only(a: Array) -> Array:
    a = a.copy()
    a.flags.writeable = False
    return a


def swapped(a: Array) -> Array:
    return a.astype(a.dtype.newbyteorder())


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    f.__name__: f
    for f in (
        contiguous,
        fortran,
        reversed_steps,
        stepped,
        padded,
        transposed,
        unaligned,
        field,
        read_only,
        swapped,
    )
}


# ---- instruction-set levels ----------------------------------------------------------------------


def use_level(level: str, monkeypatch: Any) -> None:
    """Let the package use the kernels of another level."""
    monkeypatch.setattr(_kernels.kernels, "level", level)
