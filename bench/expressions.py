"""Formulas of single elements as text, with derivatives by sympy: for numexpr, and as loops that
numba compiles."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy.codegen.cfunctions import log1p
from sympy.core.parameters import distribute
from sympy.printing.pycode import PythonCodePrinter

from bench.formulas import Formulas

Step = Callable[[], Any]


class Where(sympy.Function):  # type: ignore[misc]
    """A choice as these libraries have it: a Piecewise would be folded into what is made of it."""

    is_commutative = is_extended_real = True

    def _eval_derivative(self, x: Any) -> Any:
        condition, *branches = self.args
        a, b = (branch.diff(x) for branch in branches)
        return a if a == b else Where(condition, a, b)


class Magnitude(sympy.Function):  # type: ignore[misc]
    """|x|, with a derivative that numexpr and numba have."""

    def fdiff(self, argindex: int = 1) -> Any:
        return Where(self.args[0] < 0, -1, 1)


class InSympy(Formulas):
    modules = (sympy,)

    abs, where, log1p = staticmethod(Magnitude), staticmethod(Where), staticmethod(log1p)

    def square(np, x):
        return x**2

    def maximum(np, a, b):
        return Where(a < b, b, a)

    def relu(np, x):
        return Where(x > 0, x, 0)

    def clip(np, x, min):
        return Where(x < min, min, x)

    def softplus(np, x):
        return np.relu(x) + log1p(sympy.exp(-Magnitude(x)))

    def sigmoid(np, x):
        e = sympy.exp(-Magnitude(x))
        return Where(x < 0, e, 1) / (1 + e)

    def xlogy(np, x, y):
        return Where(x > 0, x * sympy.log(y), 0)


@dataclass(frozen=True)
class Expressions:
    """The loss of an element, and its derivatives with respect to the leaves."""

    operands: Sequence[str]
    loss: Any
    slopes: list[Any]


@functools.cache
def expressions(loss: str, operands: tuple[str, ...], leaves: tuple[str, ...]) -> Expressions:
    """Of a formula with its default options. Sums are kept as they are written: factors
    multiplied out would cost digits."""
    symbols = {name: sympy.Symbol(name, real=True) for name in operands}

    def whole(x: Any) -> Any:
        floats = (a for a in x.atoms(sympy.Float) if float(a).is_integer())
        return x.xreplace({a: sympy.Integer(a) for a in floats})

    with distribute(False):
        found = whole(getattr(InSympy(), loss)(*symbols.values()))
        return Expressions(operands, found, [whole(found.diff(symbols[n])) for n in leaves])


class _Printer(PythonCodePrinter):  # type: ignore[misc]
    """For a loop in Python, or for numexpr. Constants go by name, as numbers of the arrays' dtype:
    written out, they are doubles."""

    def __init__(self, loop: bool) -> None:
        super().__init__()
        self.loop, self.numbers, self.lines = loop, {}, []

    def assigned(self, x: Any, name: str = "") -> str:
        """The name of a variable that is set in a line of its own; or a name or number itself."""
        text = self._print(x)
        if x.is_Atom:
            return text
        name = name or f"w{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def _print_number(self, number: Any) -> str:
        name = f"c{float(number)}".translate(str.maketrans("-.+", "m_p"))
        self.numbers[name] = float(number)
        return name

    _print_Integer = _print_Float = _print_Rational = _print_number
    _print_One = _print_Zero = _print_Half = _print_NegativeOne = _print_number

    def _print_Pow(self, power: Any, rational: bool = False) -> str:
        base, exponent = power.as_base_exp()
        if exponent == -1:
            return f"{self._print(sympy.S.One)} / {self.parenthesize(base, 100)}"
        if exponent == sympy.Rational(1, 2):
            return self._print(sympy.Function("sqrt")(base))
        shown = str(exponent) if exponent.is_Integer else self._print(exponent)
        return f"{self.parenthesize(base, 100)}**({shown})"

    def _print_Where(self, x: Any) -> str:
        if not self.loop:
            return f"where({', '.join(map(self._print, x.args))})"
        # Both are computed before: a loop with branches is no vector code.
        a, b = map(self.assigned, x.args[1:])
        return f"({a} if {self._print(x.args[0])} else {b})"

    def _print_Function(self, x: Any) -> str:
        name = "abs" if x.func is Magnitude else "math." * self.loop + x.func.__name__
        return f"{name}({self._print(x.args[0])})"

    _print_exp = _print_log = _print_log1p = _print_Function


def with_numexpr(
    text: Expressions, arrays: Mapping[str, Any], gradients: Sequence[Any], each: bool = False
) -> Step:
    """The mean, and into `gradients`, if any, its derivatives; or the losses, and those of each."""
    import numexpr

    numexpr.set_num_threads(1)
    first = next(iter(arrays.values()))
    count = 1 if each else first.size

    def compiled(x: Any) -> tuple[str, dict[str, Any]]:
        printer = _Printer(loop=False)
        shown = printer._print(x)
        numbers = {k: np.asarray(v, first.dtype) for k, v in printer.numbers.items()}
        return shown, {**arrays, **numbers, "scale": np.asarray(1 / count, first.dtype)}

    value, names = compiled(text.loss)
    if not each:
        # It would add up float32 numbers one by one in float32: 16 million of them to three digits.
        value, names["one"] = f"sum(({value}) * one)", np.asarray(1.0)
    slopes = [
        (*compiled(slope * sympy.Symbol("scale")), out)
        for slope, out in zip(text.slopes, gradients, strict=False)
    ]

    def step() -> Any:
        for slope, given, out in slopes:
            numexpr.evaluate(slope, given, {}, out=out)
        found = numexpr.evaluate(value, names, {})
        mean = found if each else found / count
        return (mean, tuple(gradients)) if gradients else mean

    return step


def source(text: Expressions, gradients: int, each: bool) -> str:
    """One loop: the value is summed in double, as ours is, or stored for each."""
    printer = _Printer(loop=True)
    shared, results = sympy.cse([text.loss, *text.slopes[:gradients]], sympy.numbered_symbols("v"))
    for name, x in shared:
        printer.assigned(x, str(name))
    loss, *slopes = (printer._print(x) for x in results)
    lines = printer.lines + [f"g{k}[i] = ({slope}) * scale" for k, slope in enumerate(slopes)]
    lines.append(f"losses[i] = {loss}" if each else f"total += {loss}")
    arguments = [f"{name}s" for name in text.operands] + [f"g{k}" for k in range(gradients)]
    return "\n".join(
        [
            f"def loss({', '.join([*arguments, 'real', 'losses'])}):",
            *(f"    {name} = real({value!r})" for name, value in printer.numbers.items()),
            f"    count, total = {arguments[0]}.size, 0.0",
            f"    scale = real({'1' if each else '1 / count'})",
            "    for i in range(count):",
            *(f"        {name} = {name}s[i]" for name in text.operands),
            *(f"        {line}" for line in lines),
            "    return total / count",
        ]
    )


def with_numba(
    text: Expressions, arrays: Mapping[str, Any], gradients: Sequence[Any], each: bool = False
) -> Step:
    """The mean, and into `gradients`, if any, its derivatives; or the losses, and those of each."""
    import math

    import numba

    made: dict[str, Any] = {"math": math}
    exec(compile(source(text, len(gradients), each), "<a loop for numba>", "exec"), made)
    function = numba.njit(fastmath=True, error_model="numpy")(made["loss"])
    first = next(iter(arrays.values()))
    losses = np.empty_like(first[: first.size if each else 0])
    given = [*arrays.values(), *gradients, getattr(numba, first.dtype.name), losses]

    def step() -> Any:
        mean = function(*given)
        value = losses if each else mean
        return (value, tuple(gradients)) if gradients else value

    return step


def cross_entropy_with_numba(x: Any, target: Any, grad: Any = None) -> Step:
    """The mean, and into `grad`, if any, its gradient, as its users write it."""
    import math

    import numba

    @numba.njit(fastmath=True, error_model="numpy")
    def loss(x, target, grad, wanted):
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
