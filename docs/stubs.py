"""Writes src/fusedloss/__init__.pyi, which type checkers read, and src/fusedloss/_families.py, by
which names are found: ``make stubs``.

A loss's call depends on its arguments in a way that no annotation of `Loss` can say: buffers,
``reduction="none"``, ``return_divisor=True`` and the like change what it returns. So each kind of
signature has a class of overloads, and each criterion its constructor and attributes. Everything
comes from the package by introspection; how many gradients there are from the recorded calls of
tests/data/smoke.json.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np

import fusedloss as fl
from fusedloss._core.loss import BUFFERS
from fusedloss._core.types import Reduction

ROOT = Path(__file__).parent.parent
STUB = ROOT / "src" / "fusedloss" / "__init__.pyi"
FAMILIES = STUB.with_name("_families.py")

HEAD = '''\
"""Written by docs/stubs.py (make stubs), from the signatures in the modules."""
# mypy: disable-error-code="override, overload-overlap"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportOverlappingOverload=false

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NoReturn, TypeAlias, TypedDict, Unpack, overload

import numpy as np

from fusedloss._core.types import Array, ArrayLike, Ids, Reduction
{imports}

__version__: str
__all__: list[str]

_Number: TypeAlias = np.floating[Any]
_Out: TypeAlias = Array | None
_Summary: TypeAlias = Literal[{summaries}]
_No: TypeAlias = Literal[False]
_Yes: TypeAlias = Literal[True]
'''

#: Names in annotations that the stub has.
KNOWN = {"Any", "Array", "ArrayLike", "Ids", "Literal", "None", "Plan", "Reduction", "Sequence"}
#: What else the methods take; a buffer of several gradients is a tuple.
EXTRAS = {
    "hess_scale": "float",
    "hess_floor": "float | None",
    "v": "ArrayLike",
    "offset": "int",
}


def annotation(parameter: inspect.Parameter, module: str) -> str:
    """As it stands in the source, names of the module's own types written out."""
    text = str(parameter.annotation).replace("'", '"')
    for name in set(re.findall(r"\b[A-Z]\w+", text)) - KNOWN:
        own = str(getattr(sys.modules[module], name)).replace("typing.", "").replace("'", '"')
        text = re.sub(rf"\b{name}\b", own, text)
    return text


def signature(name: str, parameters: Iterable[str], result: str) -> str:
    """A method's line: those of one method are compared more easily if they are not broken."""
    return f"    def {name}({', '.join(['self', *parameters])}) -> {result}: ...\n"


def overloads(name: str, variants: list[tuple[list[str], str]]) -> str:
    mark = "    @overload\n" if len(variants) > 1 else ""
    return "".join(mark + signature(name, *variant) for variant in variants)


def tuple_of(parts: Iterable[str]) -> str:
    first, *more = parts
    return f"tuple[{', '.join([first, *more])}]" if more else first


def gradients() -> dict[str, str]:
    """The type of each loss's gradient."""
    found = {}
    for case in json.loads((ROOT / "tests/data/smoke.json").read_text(encoding="utf-8"))["cases"]:
        loss = getattr(fl, case["name"])
        if isinstance(loss, fl.Loss):
            arrays = {name: np.array(numbers) for name, numbers in case["arrays"].items()}
            grad = loss.value_and_grad(**arrays, **case["options"])[1]
            one = not isinstance(grad, tuple)
            # There may be more, if an option asks for them.
            varies = any(name.endswith(("_grad", "_bias")) for name in loss._options)
            several = "tuple[Array, ...]" if varies else tuple_of(["Array"] * len(grad))
            found[loss.__name__] = "Array" if one else several
    return found


def is_criterion(value: Any) -> bool:
    """Whether this is the class of a loss."""
    return isinstance(value, type) and issubclass(value, fl.Criterion) and hasattr(value, "loss")


class Kind:
    """The methods of losses that have one signature."""

    def __init__(self, loss: Any, grad: str) -> None:
        self.losses = [loss.__name__]
        self.loss, self.grad = loss, grad
        title = "".join(part.capitalize() for part in loss.__name__.split("_"))
        self.name, self.options = f"_{title}", f"_{title}Options"
        self.module = loss.__module__
        self.parameters = dict(loss._arguments.parameters)
        #: Options that change what is returned.
        self.flags = [
            name
            for name, p in self.parameters.items()
            if p.default is False and (name == "return_lse" or name.endswith("_grad"))
        ]
        self.bound = [  # what a TypedDict has
            name
            for name, p in self.parameters.items()
            if p.kind is p.KEYWORD_ONLY and name != "reduction" and name not in self.flags
        ]
        self.key = str(loss._arguments), grad, tuple(map(self.has, BUFFERS))

    def has(self, method: str) -> bool:
        by_name = {"value_grad_hess": "curved", "hvp": "has_hvp"}
        return method not in by_name or bool(getattr(self.loss, by_name[method], True))

    def typed(self, name: str) -> str:
        return annotation(self.parameters[name], self.module)

    def positional(self) -> list[str]:
        return [
            f"{name}: {self.typed(name)}" + ("" if p.default is p.empty else " = ...")
            for name, p in self.parameters.items()
            if p.kind is not p.KEYWORD_ONLY
        ]

    def extra(self, name: str, grad: str) -> str:
        """The type of a buffer, or of what else a method takes."""
        if name.endswith("_out"):
            return "_Out" if grad == "Array" else f"{grad.replace('Array', '_Out')} | None"
        return EXTRAS[name]

    def variants(
        self, method: str, before: list[str], after: list[str], of_criterion: bool
    ) -> Iterator[tuple[list[str], str]]:
        """Parameters and result of each overload."""
        extras = BUFFERS[method]
        calls = [
            ("reduction: _Summary = ...", "out: None = ...", "_No = ...", "_Number"),
            ('reduction: Literal["none"]', "out: _Out = ...", "_No = ...", "Array"),
            ("reduction: _Summary = ...", "out: Array", "_No = ...", "Array"),
            ("reduction: Reduction = ...", "out: _Out = ...", "_Yes", "Any"),
        ]
        if of_criterion:
            calls = [("", "out: _Out = ...", d, "Any") for d in ("_No = ...", "_Yes")]
        if "out" not in extras:  # no value
            calls = [("" if of_criterion else "reduction: Reduction = ...", "", "", "")]
        # A criterion has its flags already, and what they make of its results is not known.
        flags = [] if of_criterion else self.flags
        for (reduction, out, divisor, value), on in product(
            calls, product((False, True), repeat=len(flags))
        ):
            more = dict(zip(flags, on, strict=True))
            lse = more.get("return_lse", False)
            several = self.grad == "Array" and any(v for k, v in more.items() if k != "return_lse")
            unknown = of_criterion and any(k != "return_lse" for k in self.flags)
            grad = "Any" if unknown else "tuple[Array, ...]" if several else self.grad
            given = [reduction] if reduction else []
            given += [f"{flag}: {'_Yes' if more[flag] else '_No = ...'}" for flag in flags]
            first = list(before)
            for name in extras:
                if name == "out":
                    given.append(out)
                elif name == "return_divisor":
                    given.append(f"{name}: {divisor}")
                else:
                    given.append(f"{name}: {self.extra(name, grad)} = ...")
            if method == "hvp":
                vector = f"v: {self.extra('v', grad)}"
                if self.loss.planner is not None:  # after operands that may be left out
                    given.insert(0, vector)
                else:
                    first.insert(len(self.loss._operands), vector)
            if "out" not in extras:
                result = "Partial" if method == "partial" else grad
                yield [*first, "*", *given, *after], result
                continue
            parts = [value, *[grad] * list(BUFFERS).index(method)]
            parts += ["Array"] * lse + ["float"] * (divisor == "_Yes")
            longer = of_criterion and "return_lse" in self.flags
            yield [*first, "*", *given, *after], "Any" if longer else tuple_of(parts)

    def methods(self, of_criterion: bool = False) -> str:
        if of_criterion:
            before = self.positional()[: len(self.loss._operands)]
            after = [f"{name}: {self.typed(name)} = ..." for name in self.loss._of_a_call]
        else:
            before = self.positional()
            after = [f"**options: Unpack[{self.options}]"]
        text = ""
        for method in BUFFERS:
            if not self.has(method):
                text += signature(method, ["*args: Any", "**kwargs: Any"], "NoReturn")
            else:
                text += overloads(method, list(self.variants(method, before, after, of_criterion)))
        return text

    def text(self) -> str:
        fields = "".join(f"    {name}: {self.typed(name)}\n" for name in self.bound)
        return (
            f"\nclass {self.options}(TypedDict, total=False):\n{fields}\n"
            f"class {self.name}(Loss[...]):  # {', '.join(self.losses)}\n{self.methods()}"
            + self.maker()
        )

    def maker(self) -> str:
        """The method that makes plans."""
        if self.loss.planner is None:
            return ""
        needed = [
            f"{n}: {self.typed(n).removesuffix(' | None')}" for n in self.loss.planner.operands
        ]
        free = [f"{name}: {self.typed(name)} = ..." for name in self.loss.planner.options]
        return signature("plan", [*needed, "*", *free], "Plan")

    def criterion(self, cls: type[fl.Criterion], base: str) -> str:
        parameters, star = [], False
        for name in cls.loss._options:
            p = self.parameters[name]
            if p.kind is p.KEYWORD_ONLY and not star:
                parameters.append("*")
                star = True
            parameters.append(f"{name}: {self.typed(name)} = {p.default!r}".replace("'", '"'))
        attributes = "".join(f"    {name}: {self.typed(name)}\n" for name in cls.loss._options)
        return (
            f"\nclass {cls.__name__}({base}):\n"
            f"    loss: ClassVar[{self.name}]\n{attributes}"
            + signature("__init__", parameters, "None")
        )


def stub() -> str:
    public = {name: getattr(fl, name) for name in fl.__all__}
    grads = gradients()
    kinds: dict[Any, Kind] = {}
    of_loss: dict[str, Kind] = {}
    imports: dict[str, list[str]] = {"fusedloss": []}
    adapters = {name for name in fl._ADAPTERS if find_spec(f"fusedloss.{name}")}
    imports["fusedloss"] = sorted(adapters.union(fl._FAMILIES))
    for name, value in public.items():
        if isinstance(value, fl.Loss):
            kind = Kind(value, grads[name])
            of_loss[name] = kinds.setdefault(kind.key, kind)
            if of_loss[name] is not kind:
                of_loss[name].losses.append(name)
        elif (
            not (isinstance(value, type) and issubclass(value, fl.Criterion)) or name == "Criterion"
        ):
            imports.setdefault(value.__module__, []).append(name)
    lines = "\n".join(
        f"from {module} import {name} as {name}"
        for module, names in sorted(imports.items())
        for name in names
    )
    summaries = ", ".join(f'"{name}"' for name in get_args(Reduction) if name != "none")
    text = HEAD.format(imports=lines, summaries=summaries)
    text += "".join(kind.text() for kind in kinds.values()) + "\n"
    text += "".join(f"{name}: {kind.name}\n" for name, kind in of_loss.items())
    calls: dict[str, str] = {}
    for value in public.values():
        if is_criterion(value):
            kind = of_loss[value.loss.__name__]
            methods = kind.methods(of_criterion=True)
            if methods not in calls:
                calls[methods] = f"_Calls{len(calls) + 1}"
                text += f"\nclass {calls[methods]}(Criterion):\n{methods}"
            text += kind.criterion(value, calls[methods])
    return text


def families() -> str:
    """The module with the table of names."""
    pairs = sorted(
        (name, family) for family in fl._FAMILIES for name in getattr(fl, family).__all__
    )
    lines = "".join(f'    "{name}": "{family}",\n' for name, family in pairs)
    return f'''"""Written by docs/stubs.py (make stubs), from the `__all__` of the families."""

#: The family of each public name: what to import when it is asked for.
FAMILY_OF = {{
{lines}}}
'''


if __name__ == "__main__":
    FAMILIES.write_text(families(), encoding="utf-8")
    STUB.write_text(stub(), encoding="utf-8")
