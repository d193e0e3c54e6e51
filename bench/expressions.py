"""Formulas of single elements as text: for numexpr, and as loops that numba compiles.

A formula of bench/formulas.py, called with symbols, leaves a graph of operations behind. Its
derivatives are graphs, too, by the chain rule from the operands on; what they share with the value
is the same node, and computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench import formulas

Array: TypeAlias = NDArray[Any]
Number: TypeAlias = "Symbol | float"


@dataclass(eq=False)
class Symbol:
    """What an operation gives: a node of the graph. Operands have a name, constants a value."""

    operation: str
    of: tuple[Symbol, ...] = ()
    name: str = ""
    value: float = 0.0
    slopes: dict[Symbol, Symbol] = field(default_factory=dict)  # by the operands, as asked for

    def __add__(self, other: Number) -> Symbol:
        return _made("+", self, other)

    def __sub__(self, other: Number) -> Symbol:
        return _made("-", self, other)

    def __mul__(self, other: Number) -> Symbol:
        return _made("*", self, other)

    def __truediv__(self, other: Number) -> Symbol:
        return _made("/", self, other)

    def __pow__(self, other: Number) -> Symbol:
        return square(self) if other == 2 else _made("**", self, other)

    def __lt__(self, other: Number) -> Symbol:
        return _made("<", self, other)

    def __gt__(self, other: Number) -> Symbol:
        return _made("<", other, self)

    def __neg__(self) -> Symbol:
        return _made("*", self, -1.0)

    def __radd__(self, other: Number) -> Symbol:
        return _made("+", other, self)

    def __rsub__(self, other: Number) -> Symbol:
        return _made("-", other, self)

    def __rmul__(self, other: Number) -> Symbol:
        return _made("*", other, self)

    def __rtruediv__(self, other: Number) -> Symbol:
        return _made("/", other, self)


def constant(value: float) -> Symbol:
    return Symbol("constant", value=float(value))


def _is(x: Symbol, value: float) -> bool:
    return x.operation == "constant" and x.value == value


def _made(operation: str, *of: Number) -> Symbol:
    """A node, or what it comes to where a factor or a term says nothing."""
    a, *rest = (x if isinstance(x, Symbol) else constant(x) for x in of)
    b = rest[0] if rest else a
    if operation == "*" and (_is(a, 0) or _is(b, 0)):
        return constant(0)
    if (operation == "*" and _is(a, 1)) or (operation == "+" and _is(a, 0)):
        return b
    if (operation in ("*", "/", "**") and _is(b, 1)) or (operation in ("+", "-") and _is(b, 0)):
        return a
    return Symbol(operation, (a, *rest))


def square(x: Symbol) -> Symbol:
    return x * x


def exp(x: Symbol) -> Symbol:
    return _made("exp", x)


def log(x: Symbol) -> Symbol:
    return _made("log", x)


def log1p(x: Symbol) -> Symbol:
    return _made("log1p", x)


def sqrt(x: Symbol) -> Symbol:
    return _made("sqrt", x)


def absolute(x: Symbol) -> Symbol:
    return _made("abs", x)


def where(condition: Symbol, a: Number, b: Number) -> Symbol:
    return _made("where", condition, a, b)


def maximum(a: Number, b: Number) -> Symbol:
    return where(_made("<", a, b), b, a)


def relu(x: Symbol) -> Symbol:
    return where(x > 0, x, 0)


def clip(x: Symbol, min: float) -> Symbol:
    return where(x < min, min, x)


def softplus(x: Symbol) -> Symbol:
    return relu(x) + log1p(exp(-absolute(x)))


def sigmoid(x: Symbol) -> Symbol:
    e = exp(-absolute(x))
    return where(x < 0, e, 1) / (1 + e)


def xlogy(x: Symbol, y: Symbol) -> Symbol:
    return where(x > 0, x * log(y), 0)


_NAMES: Final = formulas.Names(
    square=square,
    exp=exp,
    log=log,
    log1p=log1p,
    sqrt=sqrt,
    abs=absolute,
    where=where,
    maximum=maximum,
    relu=relu,
    clip=clip,
    softplus=softplus,
    sigmoid=sigmoid,
    xlogy=xlogy,
)


def _slope(x: Symbol, of: Symbol) -> Symbol:
    """The derivative of x with respect to an operand."""
    if x is of:
        return constant(1)
    if not x.of or x.operation == "<":
        return constant(0)
    if of not in x.slopes:
        x.slopes[of] = _chain(x, [_slope(part, of) for part in x.of])
    return x.slopes[of]


def _chain(x: Symbol, d: Sequence[Symbol]) -> Symbol:
    a, b = x.of[0], x.of[-1]
    if all(_is(part, 0) for part in d):
        return constant(0)
    if x.operation in ("+", "-"):
        return _made(x.operation, *d)
    if x.operation == "*":
        return d[0] * b + a * d[1] if a is not b else 2 * a * d[0]
    if x.operation == "/":
        return d[0] / b if _is(d[1], 0) else (d[0] - x * d[1]) / b
    if x.operation == "**":
        assert b.operation == "constant", "a power that is not a number"
        return b.value * a ** (b.value - 1) * d[0]
    if x.operation == "where":
        return where(a, d[1], d[2])
    if x.operation == "abs":
        return where(a < 0, -d[0], d[0])
    outer = {
        "exp": lambda: x,
        "log": lambda: 1 / a,
        "log1p": lambda: 1 / (1 + a),
        "sqrt": lambda: 0.5 / x,
    }
    return outer[x.operation]() * d[0]


@dataclass(frozen=True)
class Traced:
    """The losses of elements, and their derivatives with respect to the leaves."""

    operands: list[Symbol]
    loss: Symbol
    slopes: list[Symbol]


def traced(
    loss: str, operands: Sequence[str], leaves: Sequence[str], options: Mapping[str, Any]
) -> Traced | None:
    """None where the formula asks for what these libraries do not have."""
    formula = getattr(formulas, loss, None)
    symbols = {name: Symbol("operand", name=name) for name in operands}
    try:
        result = formula(_NAMES, **symbols, **options) if formula else None
    except AttributeError:
        return None
    if not isinstance(result, Symbol):
        return None
    return Traced(list(symbols.values()), result, [_slope(result, symbols[n]) for n in leaves])


# ---- numexpr -------------------------------------------------------------------------------

_CALLS: Final = ("exp", "log", "log1p", "sqrt", "abs")


def _text(x: Symbol, constants: dict[float, str]) -> str:
    """In numexpr's language. Constants go by name: written out, they are doubles."""
    if x.operation == "operand":
        return x.name
    if x.operation == "constant":
        return constants.setdefault(x.value, f"c{len(constants)}")
    parts = [_text(part, constants) for part in x.of]
    if x.operation == "where" or x.operation in _CALLS:
        return f"{x.operation}({', '.join(parts)})"
    return f"({f' {x.operation} '.join(parts)})"


Step: TypeAlias = Callable[[], Any]


def with_numexpr(
    graph: Traced, arrays: Mapping[str, Array], gradients: Sequence[Array], each: bool = False
) -> Step:
    """The mean, and into `gradients`, if any, its derivatives; or the losses, and those of each."""
    import numexpr

    numexpr.set_num_threads(1)
    dtype = next(iter(arrays.values())).dtype

    def compiled(x: Symbol) -> tuple[str, dict[str, Any]]:
        constants: dict[float, str] = {}
        text = _text(x, constants)
        return text, dict(arrays) | {k: np.asarray(v, dtype) for v, k in constants.items()}

    count = 1 if each else next(iter(arrays.values())).size
    text, names = compiled(graph.loss)
    # It would add up float32 numbers one by one in float32: 16 million of them to three digits.
    value, names["one"] = f"sum({text} * one)", np.asarray(1.0)
    if each:
        value = text
        del names["one"]
    slopes = [
        (*compiled(slope * (1 / count)), out)
        for slope, out in zip(graph.slopes, gradients, strict=False)
    ]

    def step() -> Any:
        for slope, given, out in slopes:
            numexpr.evaluate(slope, given, {}, out=out)
        found = numexpr.evaluate(value, names, {})
        mean = found if each else found / count
        return (mean, tuple(gradients)) if gradients else mean

    return step


# ---- numba ---------------------------------------------------------------------------------


def source(graph: Traced, gradients: int, each: bool) -> str:
    """One loop: the value is summed in double, as ours is, or stored for each."""
    lines: list[str] = []
    known: dict[int, str] = {}
    numbers: dict[float, str] = {}

    def name(x: Symbol) -> str:
        if id(x) in known:
            return known[id(x)]
        if x.operation == "constant":
            return numbers.setdefault(x.value, f"c{len(numbers)}")
        if x.operation == "operand":
            text = f"{x.name}[i]"
        else:
            a, *rest = map(name, x.of)
            if x.operation == "where":
                text = f"{rest[0]} if {a} else {rest[1]}"
            elif x.operation in _CALLS:
                text = f"abs({a})" if x.operation == "abs" else f"math.{x.operation}({a})"
            else:
                text = f"{a} {x.operation} {rest[0]}"
        known[id(x)] = f"v{len(known)}"
        lines.append(f"        {known[id(x)]} = {text}")
        return known[id(x)]

    loss = name(graph.loss)
    grads = [f"g{k}" for k in range(gradients)]
    scaled = [
        f"        {g}[i] = {name(slope)} * scale"
        for g, slope in zip(grads, graph.slopes, strict=False)
    ]
    arrays = [x.name for x in graph.operands]
    return "\n".join(
        [
            f"def loss({', '.join([*arrays, *grads, 'real', 'losses'])}):",
            *(f"    {name} = real({value!r})" for value, name in numbers.items()),
            f"    count, total = {arrays[0]}.size, 0.0",
            f"    scale = real({'1' if each else '1 / count'})",
            "    for i in range(count):",
            *lines,
            *scaled,
            f"        losses[i] = {loss}" if each else f"        total += {loss}",
            "    return total / count",
        ]
    )


def with_numba(
    graph: Traced, arrays: Mapping[str, Array], gradients: Sequence[Array], each: bool = False
) -> Step:
    """The mean, and into `gradients`, if any, its derivatives; or the losses, and those of each."""
    import math

    import numba

    made: dict[str, Any] = {"math": math}
    exec(compile(source(graph, len(gradients), each), "<a loop for numba>", "exec"), made)
    function = numba.njit(fastmath=True, error_model="numpy")(made["loss"])
    real = {np.dtype(np.float32): numba.float32, np.dtype(np.float64): numba.float64}
    first = next(iter(arrays.values()))
    losses = np.empty_like(first[: first.size if each else 0])
    given = [*arrays.values(), *gradients, real[first.dtype], losses]

    def step() -> Any:
        mean = function(*given)
        value = losses if each else mean
        return (value, tuple(gradients)) if gradients else value

    return step


def cross_entropy_with_numba(x: Array, target: Array, grad: Array | None = None) -> Step:
    """The mean, and into `grad`, if any, its gradient, as its users write it."""
    import math

    import numba

    @numba.njit(fastmath=True, error_model="numpy")
    def loss(x: Any, target: Any, grad: Any, wanted: bool) -> Any:
        rows, classes = x.shape
        total = 0.0
        for r in range(rows):
            largest = x[r, 0]
            for k in range(1, classes):
                largest = max(largest, x[r, k])
            summed = x.dtype.type(0)
            for k in range(classes):
                e = math.exp(x[r, k] - largest)
                summed += e
                if wanted:
                    grad[r, k] = e
            total += math.log(summed) + (largest - x[r, target[r]])
            if wanted:
                scale = x.dtype.type(1 / rows) / summed
                for k in range(classes):
                    grad[r, k] *= scale
                grad[r, target[r]] -= x.dtype.type(1 / rows)
        return total / rows

    out = np.empty((0, 0), x.dtype) if grad is None else grad

    def step() -> Any:
        mean = loss(x, target, out, grad is not None)
        return mean if grad is None else (mean, grad)

    return step
