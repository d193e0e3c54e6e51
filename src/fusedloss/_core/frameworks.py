"""What the adapters to frameworks with automatic differentiation share: which arguments of a loss
or an activation are arrays, which have gradients, and how a gradient is carried back."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np

from fusedloss._core.loss import Activation, Loss
from fusedloss._core.operands import operand
from fusedloss._core.reductions import Upstream
from fusedloss._core.types import Array

#: The families of losses of which each value depends on one element of each operand.
ELEMENTWISE: Final = frozenset(
    {"regression", "binary", "distributions", "counts", "location_scale", "forecasts"}
)

Given = Mapping[str, Any]


def family(loss: Loss[...]) -> str:
    """The module that defines a loss."""
    return loss.__module__.rpartition(".")[2]


class _Arguments:
    """What adapters know of a function's arguments."""

    name: str
    parameters: dict[str, inspect.Parameter]
    names: tuple[str, ...]
    by_position: int  # how many arguments a call may give without their names
    differentiable: tuple[str, ...]

    @property
    def signature(self) -> inspect.Signature:
        return inspect.Signature(list(self.parameters.values()))

    def check(self, want: Collection[str]) -> None:
        """Refuse to differentiate with respect to what has no derivative."""
        for name in want:
            if name not in self.differentiable:
                has = " and ".join(self.differentiable)
                raise TypeError(
                    f"{name}: {self.name} has no derivative with respect to it, only to {has}; "
                    "pass it as a constant (in torch by detach(), in JAX by lax.stop_gradient)"
                )


def _by_position(parameters: dict[str, inspect.Parameter]) -> int:
    return sum(p.kind is not p.KEYWORD_ONLY for p in parameters.values())


class Outline(_Arguments):
    """The arguments of a loss, as an adapter sees them."""

    def __init__(self, loss: Loss[...]) -> None:
        self.function = loss
        self.name = loss.__name__
        parameters = loss._arguments.parameters
        #: Options that ask for the gradient of another argument: adapters know themselves.
        self.switches = {
            name: f"{name}_grad" for name in loss.differentiable if f"{name}_grad" in parameters
        }
        self.parameters = {
            name: p for name, p in parameters.items() if name not in self.switches.values()
        }
        self.names = tuple(self.parameters)
        self.by_position = _by_position(self.parameters)
        self.differentiable = loss.differentiable
        #: Options that are numbers, with gradients.
        self._numbers = {*loss.differentiable} - {*loss._operands, *loss._arrays}
        arrays = {*loss._operands, *loss._arrays, *self._numbers}
        self.arrays = tuple(name for name in self.names if name in arrays)
        self.options = {
            name: p.default for name, p in self.parameters.items() if name not in arrays
        }
        #: By what the values can be multiplied one by one.
        self.factor = "sample_weight" if "sample_weight" in arrays else "weight"
        self.is_single = not set(loss.differentiable[1:]) - set(self.switches)
        self.has_short = loss.short is not None
        self._unusual = frozenset(("reduction", "return_lse", self.names[0]))
        self.of_regions = loss.__module__ == "fusedloss.regions"
        #: Whether each value depends on one element of each operand.
        self.is_elementwise = family(loss) in ELEMENTWISE

    def keeps_gradient(self, given: Given, want: Collection[str]) -> bool:
        """Whether the gradient that the forward pass computes is the one to carry back, but for a
        factor: not where each value has its own gradient with respect to the same elements, as it
        has where an operand other than the first was broadcast."""
        return given.get("reduction") != "none" or (
            self.is_elementwise and tuple(want) == self.differentiable[:1]
        )

    def has_curvature(self, want: Collection[str]) -> bool:
        """Whether `curvature` is all that the second derivatives of a call are."""
        return self.is_elementwise and self.function.curved and len(want) == 1

    def is_short(self, names: Collection[str]) -> bool:
        """Whether the one gradient of a call with these arguments given by name, if that is with
        respect to the first argument, can be had without a look at what they are."""
        return self.is_single and self._unusual.isdisjoint(names)

    def with_gradients(self, given: Given, want: Collection[str]) -> tuple[str, ...]:
        """The arguments whose gradients a call has, in their order."""
        return tuple(
            name
            for name in self.differentiable
            if (name in want if name in self.switches else given.get(name) is not None)
        )

    def run(
        self, given: Given, want: Collection[str], grad_out: Any = None
    ) -> tuple[Any, Any, dict[str, Any]]:
        """The value, the logsumexp if it is asked for, and the gradients by name."""
        lse: Any
        if not want:
            result = self.function(**given)
            value, lse = result if type(result) is tuple else (result, None)
            return value, lse, {}
        switches = {option: True for name, option in self.switches.items() if name in want}
        result = self.function.value_and_grad(**given, **switches, grad_out=grad_out)
        value, grads = result[:2]
        lse = result[2] if len(result) > 2 else None
        names = self.with_gradients(given, want)
        return value, lse, dict(zip(names, grads if len(names) > 1 else (grads,), strict=True))

    def curvature(self, given: Given, name: str) -> Any:
        """The second derivative of an elementwise loss with respect to one argument."""
        given = {k: v for k, v in given.items() if k not in ("return_lse", "fisher")}
        if name in self.switches:
            given[self.switches[name]] = True
        hess = self.function.value_grad_hess(**given)[2]
        names = self.with_gradients(given, (name,))
        return (hess if len(names) > 1 else (hess,))[names.index(name)]

    def carry_back(self, given: Given, upstream: Any, want: Collection[str]) -> dict[str, Any]:
        """The gradients of the sum of the values of ``reduction="none"``, times `upstream`."""
        if self.function.planner is not None:
            return self.run({**given, "reduction": Upstream(np.asarray(upstream))}, want)[2]
        given = {**given, "reduction": "sum"}
        given.pop("return_lse", None)
        if self.of_regions:
            return self._carry_back_regions(given, np.asarray(upstream), want)
        old = given.get(self.factor)
        if old is not None:
            array = operand(self.factor, old)[0]
            with np.errstate(all="ignore"):
                upstream = np.where(array == 0, 0, upstream * array.astype(upstream.dtype))
        return self.run({**given, self.factor: upstream}, want)[2]

    def _carry_back_regions(
        self, given: dict[str, Any], upstream: Array, want: Collection[str]
    ) -> dict[str, Any]:
        """As `sample_weight` is within the values, it is `weight` that they are multiplied by,
        where each class has its own."""
        x = operand("input", given["input"])[0]
        binary = given.get("mode") == "binary" or "axis" not in self.options
        axis = 0 if binary else (1 if given.get("axis") is None else given["axis"]) % x.ndim
        images = int(not binary and axis == 0)
        if upstream.ndim == 0 or (
            upstream.ndim == 1 and given.get("per_image", self.options["per_image"])
        ):
            grads = self.run(given, want)[2]
            shape = [1] * x.ndim
            if upstream.ndim:
                shape[images] = -1
            factor = upstream.reshape(shape)
            return {name: grad * factor.astype(grad.dtype) for name, grad in grads.items()}
        weight = given.get("weight")
        weight = 1.0 if weight is None else operand("weight", weight)[0]
        if upstream.ndim == 1:
            return self.run({**given, "weight": upstream * weight}, want)[2]
        grad = np.empty_like(x)
        pixels = x.shape[:axis] + x.shape[axis + 1 :]
        parts: dict[str, tuple[Array, int]] = {"input": (x, images)}
        t = operand("target", given["target"])[0]
        parts["target"] = (t, images if t.ndim == x.ndim else 0)
        for name in ("sample_weight", "where"):
            if given.get(name) is not None:
                parts[name] = (np.broadcast_to(operand(name, given[name])[0], pixels), 0)
        for k in range(x.shape[images]):
            one = {n: np.take(a, [k], axis=where) for n, (a, where) in parts.items()}
            mine = self.run({**given, **one, "weight": upstream[k] * weight}, want)[2]
            grad[(slice(None),) * images + (slice(k, k + 1),)] = mine["input"]
        return {"input": grad}

    def probe(self, given: Given) -> tuple[Any, Any]:
        """The value, and logsumexp, of a call of which only shapes and dtypes are known: what is
        in their place is left out, whatever it holds."""
        numbers = dict.fromkeys(self._numbers.intersection(given), 1.0)
        known = {**_zeros(given), **numbers}
        if isinstance(sizes := given.get("group_sizes"), Blank) and sizes.shape != (0,):
            known["group_sizes"] = np.zeros(sizes.shape, np.int64)
            known["group_sizes"].flat[0] = known["input"].size
        if "where" in self.parameters:
            known["where"] = False
        elif "target_lengths" in self.parameters:  # sequences without steps and labels
            known.update(targets=(), input_lengths=0, target_lengths=0)
        elif known.get("plan") is None:
            known.setdefault(self.factor, 0.0)
        return self.run(known, ())[:2]


class ActivationOutline(_Arguments):
    """The arguments of an activation, as an adapter sees them: as those of a loss of which every
    value has a gradient of its own."""

    has_short = False
    switches: Final[dict[str, str]] = {}

    def __init__(self, activation: Activation[..., Any, ..., Any]) -> None:
        self.function = activation
        self.name = activation.__name__
        signature = inspect.signature(activation._function)
        self.parameters = {name: p for name, p in signature.parameters.items() if name != "out"}
        self.names = tuple(self.parameters)
        self.by_position = _by_position(self.parameters)
        self.differentiable = tuple(
            name for name, p in self.parameters.items() if p.default is p.empty
        )
        self.arrays = tuple(
            name for name, p in self.parameters.items() if "ArrayLike" in str(p.annotation)
        )
        self.options = {
            name: p.default for name, p in self.parameters.items() if name not in self.arrays
        }

    def is_short(self, names: Collection[str]) -> bool:
        return False

    def keeps_gradient(self, given: Given, want: Collection[str]) -> bool:
        return False

    def has_curvature(self, want: Collection[str]) -> bool:
        return False

    def run(
        self, given: Given, want: Collection[str] = (), grad_out: Any = None
    ) -> tuple[Any, Any, dict[str, Any]]:
        """The result, and its sign if that is asked for."""
        result = self.function(**given)
        return (*result, {}) if isinstance(result, tuple) else (result, None, {})

    def carry_back(self, given: Given, upstream: Any, want: Collection[str]) -> dict[str, Any]:
        """The gradients, times `upstream`."""
        options = {name: value for name, value in given.items() if name != "return_sign"}
        grads = self.function.vjp(**options, grad_output=upstream)
        several = len(self.differentiable) > 1
        return dict(zip(self.differentiable, grads if several else (grads,), strict=True))

    def probe(self, given: Given) -> tuple[Any, Any]:
        """The result of a call of which only shapes and dtypes are known."""
        return self.run(_zeros(given))[:2]


class Blank:
    """An array of which only shape and dtype are known."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype


def _zeros(given: Given) -> dict[str, Any]:
    """The arguments with an array of zeros, which takes no memory, for each of which no more is
    known."""
    return {
        name: np.broadcast_to(np.zeros((), x.dtype), x.shape) if isinstance(x, Blank) else x
        for name, x in given.items()
    }


Outlines = Outline | ActivationOutline


def outline_of(function: Any) -> Outlines:
    """What adapters know of a loss or an activation."""
    return Outline(function) if isinstance(function, Loss) else ActivationOutline(function)


def public_names(package: Any, kinds: Any = (Loss, Activation)) -> tuple[str, ...]:
    """The names of a package's losses and activations."""
    return tuple(n for n in package.__all__ if isinstance(getattr(package, n), kinds))
