"""Losses and activations as operators of torch, into which torch.compile does not look."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

import fusedloss
from fusedloss._core.foreign import bfloat16
from fusedloss._core.frameworks import Blank, Outlines, outline_of
from fusedloss.torch._autograd import as_tensor, carried_back, memories


def _unflatten(outline: Outlines, flat: Sequence[Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The arguments by name, and those whose gradients are wanted, of those of an operator."""
    *values, literals, bits = flat
    names = (*outline.arrays, *typed(outline))
    given = {
        name: value
        for name, value in zip(names, values, strict=True)
        if value is not None or name not in outline.arrays
    }
    given.update(ast.literal_eval(literals))
    want = tuple(name for k, name in enumerate(outline.differentiable) if bits >> k & 1)
    return given, want


#: What the schema of an operator calls the types of options; others are passed as text.
_TYPES: Final = {
    "int": "int",
    "int | None": "int?",
    "float": "float",
    "float | None": "float?",
    "bool": "bool",
    "Reduction": "str",
    "Mode": "str",
}


def typed(outline: Outlines) -> dict[str, str]:
    """The options that the operator has by name, and their types."""
    kinds = {name: str(outline.parameters[name].annotation) for name in outline.options}
    return {name: _TYPES[kind] for name, kind in kinds.items() if kind in _TYPES}


def _blank(value: Any, fixed: bool) -> Any:
    """Shape and dtype of a tensor that has no numbers. A size that may vary is one by that only if
    the shape of the result depends on it."""
    if not isinstance(value, Tensor):
        return value
    dtype = str(value.dtype).removeprefix("torch.")
    shape = tuple(
        int(n) if fixed or not isinstance(n, torch.SymInt) else n.node.hint for n in value.shape
    )
    return Blank(shape, bfloat16() if dtype == "bfloat16" else np.dtype(dtype))


@torch.compiler.assume_constant_result
def operator_name(name: str) -> str:
    """The name of a loss or an activation as an operator of torch, which is defined now if it was
    not before."""
    if name not in _operators:
        _define(outline_of(getattr(fusedloss, name)))
        _operators.add(name)
    return name


_operators: Final[set[str]] = set()


def _define(outline: Outlines) -> None:
    arguments = [f"Tensor? {name}" for name in outline.arrays]
    arguments += [f"{kind} {name}" for name, kind in typed(outline).items()]
    schema = f"({', '.join(arguments)}, str literals, int want) -> Tensor[]"

    def forward(*flat: Any) -> list[Tensor]:
        given, want = _unflatten(outline, flat)
        kept = want if outline.keeps_gradient(given, want) else ()
        value, extra, grads = outline.run(memories(given), kept)
        more = [] if extra is None else [as_tensor(extra)]
        return [as_tensor(value), *more, *(as_tensor(grads[name]) for name in kept)]

    def fake(*flat: Any) -> list[Tensor]:
        given, want = _unflatten(outline, flat)
        reduced = "reduction" in outline.options and given["reduction"] != "none"
        fixed = not reduced or bool(given.get("return_lse"))
        results = outline.probe({name: _blank(v, fixed) for name, v in given.items()})
        tensors = [
            torch.empty(r.shape, dtype=torch.float64 if r.dtype == np.float64 else torch.float32)
            for r in results
            if r is not None
        ]
        kept = want if outline.keeps_gradient(given, want) else ()
        return [*tensors, *(torch.empty_like(given[name]) for name in kept)]

    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        given, want = _unflatten(outline, inputs)
        kept = want if outline.keeps_gradient(given, want) else ()
        ctx.set_materialize_grads(False)
        ctx.keeps, ctx.want, ctx.count = bool(kept), want, len(outline.arrays)
        ctx.options = inputs[ctx.count :]
        ctx.save_for_backward(*inputs[: ctx.count], *output[len(output) - len(kept) :])

    def backward(ctx: Any, upstreams: Any) -> Any:
        upstream = upstreams[0]
        arrays, grads = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        if upstream is None:
            grads = ()
        elif ctx.keeps:
            grads = [(g * upstream).to(g.dtype) for g in grads]
        else:
            carry_back = getattr(torch.ops.fusedloss, f"{outline.name}_backward")
            grads = carry_back(upstream, *arrays, *ctx.options)
        found = dict(zip(ctx.want, grads, strict=False))
        return (*(found.get(name) for name in outline.arrays), *(None,) * len(ctx.options))

    def carry_back(upstream: Tensor, *flat: Any) -> list[Tensor]:
        given, want = _unflatten(outline, flat)
        return list(carried_back(outline, given, want, upstream))

    def fake_back(upstream: Tensor, *flat: Any) -> list[Tensor]:
        given, want = _unflatten(outline, flat)
        return [torch.empty_like(given[n], memory_format=torch.contiguous_format) for n in want]

    name = f"fusedloss::{outline.name}"
    operator = torch.library.custom_op(name, forward, mutates_args=(), schema=schema)
    operator.register_fake(fake)
    operator.register_autograd(backward, setup_context=setup_context)
    back = torch.library.custom_op(
        f"{name}_backward", carry_back, mutates_args=(), schema=f"(Tensor upstream, {schema[1:]}"
    )
    back.register_fake(fake_back)
