"""What a row says about a loss, and what the exact values of several losses share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[Any, Any]
RowPairs = tuple[Pair, list[Pair], list[Pair]]
Options = dict[str, Any]
FloatArray = NDArray[np.floating[Any]]
Scalar = np.floating[Any]

PRECISION = 160  # bits
FAR = 10**6


class _Mpfr:
    """Numbers of many bits and their functions: MPFR's, by gmpy2. That is imported with the first
    exact value, as the twins need NumPy alone."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        import gmpy2

        gmpy2.set_context(gmpy2.context(precision=PRECISION))
        one, number = gmpy2.mpfr(1), type(gmpy2.mpfr())

        def mpf(x: Any) -> Any:
            return one * (x if isinstance(x, float | int | number) else x.item())

        def exp(x: Any) -> Any:
            """Of numbers beyond all exponents, a power beyond those of all floats."""
            return gmpy2.exp(x if abs(x) < FAR or gmpy2.is_infinite(x) else FAR * gmpy2.sign(x))

        for known in (
            "atan",
            "erf",
            "erfc",
            "expm1",
            "fsum",
            "log",
            "log1p",
            "sinh",
            "sqrt",
            "tanh",
        ):
            vars(self)[known] = getattr(gmpy2, known)
        self.mpf, self.exp = mpf, exp
        self.pi, self.euler = gmpy2.const_pi(), gmpy2.const_euler()
        self.inf, self.nan = gmpy2.inf(), gmpy2.nan()
        self.isfinite, self.isinf, self.isnan = gmpy2.is_finite, gmpy2.is_infinite, gmpy2.is_nan
        self.loggamma, self.sign, self.exponent = gmpy2.lngamma, gmpy2.sign, gmpy2.get_exp
        self.digamma, self.context = gmpy2.digamma, gmpy2.get_context
        return vars(self)[name]

    def workprec(self, bits: int) -> Any:
        """A context of another precision."""
        import gmpy2

        return gmpy2.context(gmpy2.get_context(), precision=bits)


mp: Any = _Mpfr()


# ---- rows --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Elementwise:
    """An elementwise loss with its options.

    `truth(x, t, **options)`, with `third` and `fourth` after t where there are these, gives value,
    gradient and second derivative; of a loss with several gradients it gives tuples of these, and
    each gradient has a row of its own: `side` says which of `leaves` it is with respect to.
    """

    loss: str
    truth: Callable[..., tuple[Any, Any, Any]]
    input: str = "real"  # kinds of operands: see registry.KINDS
    target: str = "real"
    options: Options = field(default_factory=dict)
    third: str | None = None  # the name of one more operand
    third_kind: str = "factor"
    fourth: str | None = None
    fourth_kind: str = "factor"
    positional: bool = False  # whether these have no defaults, though there is one gradient
    first: str = "input"  # the name of the operand that has the shape of the loss
    side: int | None = None
    by: str | None = None  # what the other gradient is with respect to, if not the third operand
    mean_by_weight: bool = False
    kinks: tuple[float, ...] = ()  # differences input - target to try
    convex: bool = True
    negative: bool = False  # whether values below 0 occur
    bounds: tuple[float, float, float] = (4, 4, 6)  # ULP of value, gradient, second derivative

    @property
    def takes_nan(self) -> list[str]:
        """The operands that may hold nan: levels must be numbers."""
        return [name for name, kind in self.kinds.items() if kind not in ("level", "tails")]

    @property
    def leaves(self) -> tuple[str, ...]:
        """The operands with respect to which the loss has derivatives."""
        if self.side is None:
            return (self.first,)
        others = (self.by,) if self.by else (self.third, self.fourth)
        return (self.first, *filter(None, others))

    @property
    def lead(self) -> str:
        """The operand with respect to which the row has the derivatives."""
        return self.leaves[self.side or 0]

    @property
    def kinds(self) -> dict[str, str]:
        """The operands in the order of truth's arguments, with their kinds."""
        kinds = {self.first: self.input, "target": self.target}
        if self.third:
            kinds[self.third] = self.third_kind
        if self.fourth:
            kinds[self.fourth] = self.fourth_kind
        return kinds

    @property
    def operands(self) -> list[str]:
        """The loss's arguments that have no defaults, in their order."""
        if not self.positional and (self.side is None or self.by == "target"):
            return [self.first, "target"]
        if self.first != "input":
            return [*self.leaves, "target"]
        return list(self.kinds)

    def exact(self, *numbers: Any) -> tuple[Pair, Pair, Pair]:
        value, grad, hess = self.truth(*numbers, **self.options)
        return (
            (value, grad, hess) if self.side is None else (value, grad[self.side], hess[self.side])
        )

    def __str__(self) -> str:
        parts = [self.loss, *(f"{k}={v}" for k, v in self.options.items())]
        if self.side is not None:
            return "-".join([*parts, f"by {self.lead}"])
        return "-".join([*parts, self.third or ""])


def paired(*args: Any, **fields: Any) -> list[Elementwise]:
    """The rows of a loss with several gradients."""
    first = Elementwise(*args, **fields, side=0)
    return [replace(first, side=side) for side in range(len(first.leaves))]


@dataclass(frozen=True)
class Rows:
    """A loss over a class axis, with its options.

    `truth(x, target, w, **options)` gives value, gradients and second derivatives of one row. x and
    w, a number for each class (ones where the row is not weighted), are lists of mpf. The target is
    what its kind says: "class", an int; "probability" or "multilabel", a list of mpf, of which the
    latter lie from 0 to 1 each; "list", as many ints as classes, that count up to the first -1.
    """

    loss: str
    truth: Callable[..., RowPairs]
    target: str = "class"
    options: Options = field(default_factory=dict)
    weighted: bool = False  # whether it is called with a number for each class
    bounds: tuple[float, float, float] = (4, 4, 6)  # ULP of value, gradient, second derivative
    weights: str | None = "weight"  # the argument with a number for each class
    ignores: bool = True  # whether there is an argument ignore_index
    mean_by_weight: bool = True  # whether "mean" divides by the numbers of the rows' classes
    axis: int = 1  # the default
    invariant: bool = True  # whether the same number added to all of a row changes nothing
    convex: bool = True
    negative: bool = False  # whether values below 0 occur
    smooth: bool = True  # whether there are no kinks
    in_double: bool = False  # whether it computes in float64 whatever the dtypes
    #: What nan at one class makes nan: all of the row; or its value, and the gradient at that class
    #: (and at others, as may be); or the value alone, and only if the class is the target.
    nan: str = "row"  # or "value", or "target"
    operands = ("input", "target")

    @property
    def drops(self) -> bool:
        """Whether rows can be ignored."""
        return self.ignores and self.target == "class"

    @property
    def smoothed(self) -> bool:
        return bool(self.options.get("label_smoothing"))

    def exact(self, x: Sequence[Any], target: Any, w: Sequence[Any]) -> RowPairs:
        return self.truth(x, target, w, **self.options)

    def __str__(self) -> str:
        parts = [self.loss, self.target, *(f"{k}={v}" for k, v in self.options.items())]
        return "-".join([*parts, *(["weighted"] if self.weighted else [])])


Arrays = dict[str, NDArray[Any]]
Generator = np.random.Generator


@dataclass(frozen=True)
class Joint:
    """A loss whose every value comes from many numbers, of several operands, with its options.

    `inputs(rng, n, dtype)` makes typical operands of n values (rows, images, lists), `hard(rng,
    dtype)` extreme ones. `truth(numbers, **options)` gives the values of a call with
    ``reduction="none"`` as a flat list, and for each leaf a flat list of the gradient of their sum,
    and of the diagonal of its Hessian; the numbers are arrays of mpf by the names of the operands.
    """

    loss: str
    operands: tuple[str, ...]  # the arguments without defaults, in their order
    leaves: tuple[str, ...]  # those with derivatives
    inputs: Callable[[Generator, int, Any], Arrays]
    hard: Callable[[Generator, Any], Arrays]
    truth: Callable[..., tuple[list[Pair], dict[str, list[Pair]], dict[str, list[Pair]]]]
    options: Options = field(default_factory=dict)
    bounds: tuple[float, float, float] = (4, 4, 6)  # ULP of value, gradient, second derivative
    curved: bool = True  # whether it has second derivatives
    smooth: bool = True  # whether there are no kinks
    held: bool = False  # whether the gradient holds a part of the value constant
    weighted: bool = True  # whether there is an argument weight with a number for each value
    labels: tuple[str, ...] = ()  # operands that hold class numbers
    keywords: tuple[str, ...] = ()  # operands that every call has, but by name alone
    domains: dict[str, tuple[float, ...]] = field(default_factory=dict)  # numbers not accepted
    twin: bool = True  # whether the twin has these options
    ordered: tuple[str, ...] = ()  # operands of which each is at least the one before
    spread: tuple[str, ...] = ()  # operands that broadcast up along axis 0
    along: tuple[str, ...] = ()  # those that broadcast up along the last axis, that of vectors
    pairs: bool = False  # whether all vectors are compared with all
    lean: bool = True  # whether a call with buffers allocates nothing of the operands' size
    exact_dtypes: bool = True  # whether half precision is computed as its numbers in float32 are
    batch: int = 0  # the axis of the first leaf along which the values lie
    in_place: bool = False  # whether a gradient may lie exactly where its operand does
    uneven: bool = False  # whether "mean" first divides each value by a number of its own
    of_none: float = np.nan  # the mean of no rows
    kind: str = ""  # what tells the row from another one with these options

    def __str__(self) -> str:
        options = (f"{k}={v}" for k, v in self.options.items())
        return "-".join([self.loss, *options, *([self.kind] if self.kind else [])])


@dataclass(frozen=True)
class ElementwiseActivation:
    """truth(x) -> value, derivative."""

    name: str
    truth: Callable[[Any], tuple[Pair, Pair]]


# ---- exact values --------------------------------------------------------------------------
#
# An exact value is a pair (value, size). The size is that of the terms where the result is by
# nature a difference of larger ones, else the value itself; errors are counted in units in the
# last place of the larger of the two.


def exactly(x: Any) -> Pair:
    return x, x


ANYTHING = 2.0**60  # a size for results of which nothing is asked


def close(a: Any, b: Any) -> bool:
    """Whether a may be rounded to the kink b, or past it."""
    return bool(a != b and abs(a - b) <= mp.mpf(b) * mp.mpf(2) ** -22)


def jump(x: Any, near: bool) -> Pair:
    """A result that jumps at a kink: near it, both sides are right."""
    return x, ANYTHING if near else x


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


@cache
def _bernoulli(n: int) -> Fraction:
    if n < 2:
        return Fraction(1 - n) if not n else Fraction(-1, 2)
    return -sum((comb(n + 1, k) * _bernoulli(k) for k in range(n)), Fraction(0)) / (n + 1)


def trigamma(x: Any) -> Any:
    """The second derivative of log Γ, which MPFR lacks, to the precision of the context: from the
    asymptotic series further out."""
    bits = mp.context().precision
    total = mp.mpf(0)
    while x < bits / 6:
        total += 1 / x**2
        x += 1
    square = 1 / x**2
    series, power, k = 1 / x + square / 2, 1 / x, 2
    while True:
        power *= square
        b = _bernoulli(k)
        term = power * b.numerator / b.denominator
        series += term
        if abs(term) <= abs(series) * mp.mpf(2) ** -bits:
            return total + series
        k += 2


def product(x: Any, y: Any) -> Any:
    """x y, and 0 for x = 0 whatever y is."""
    return x * y if x else mp.mpf(0)


def xlogy(x: Any, y: Any) -> Any:
    """x log y, and 0 for x = 0 whatever y is."""
    return product(x, mp.log(y) if y else -mp.inf)
