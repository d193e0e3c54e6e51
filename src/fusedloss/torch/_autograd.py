"""Losses and activations as functions of torch's autograd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import numpy as np
import torch
from torch import Tensor

from fusedloss._core.foreign import tensor_memory
from fusedloss._core.frameworks import Outline, Outlines

_is_grad_enabled: Final = torch.is_grad_enabled
_from_numpy: Final = torch.from_numpy
_scalar_tensor: Final = torch.scalar_tensor

#: Of torch's own code, not documented; without it nothing is wrong, but some calls take longer.
transforms_active: Final[Callable[[], bool]] = getattr(
    torch._C, "_are_functorch_transforms_active", lambda: True
)
_keeps_graph: Final[Callable[[], bool]] = getattr(
    torch._C._autograd, "_get_current_graph_task_keep_graph", lambda: True
)


# ---- tensors and arrays ------------------------------------------------------------


def as_tensor(result: Any) -> Tensor:
    """A result as a tensor of the same memory."""
    if isinstance(result, np.ndarray):
        if result.dtype.char in "efd":
            return _from_numpy(result)
        return _from_numpy(result.view(np.uint16)).view(torch.bfloat16)
    if isinstance(result, Tensor):
        return result
    return _scalar_tensor(
        result, dtype=torch.float64 if type(result) is np.float64 else torch.float32
    )


def given_by_name(
    outline: Outlines, names: tuple[str, ...], values: Sequence[Any]
) -> dict[str, Any]:
    """The arguments of a call by name: those of `names` are the last ones."""
    count = len(values) - len(names)
    if count > outline.by_position or not set(names) <= set(outline.names[count:]):
        try:
            outline.signature.bind(*values[:count], **dict.fromkeys(names))
        except TypeError as error:
            raise TypeError(f"{outline.name}: {error}") from None
    return dict(zip((*outline.names[:count], *names), values, strict=True))


def memories(given: dict[str, Any]) -> dict[str, Any]:
    """The memory of tensors; anything else as it is."""
    return {
        name: tensor_memory(name, value) if isinstance(value, Tensor) else value
        for name, value in given.items()
    }


def requiring(outline: Outlines, given: dict[str, Any]) -> tuple[str, ...]:
    """The arguments that require grad."""
    want = tuple(
        name for name, value in given.items() if isinstance(value, Tensor) and value.requires_grad
    )
    outline.check(want)
    return want


def _at(given: dict[str, Any], grads: dict[str, Any], before: int) -> tuple[Any, ...]:
    """Gradients for all arguments of a Function: None for what has none, and for the first."""
    return (None,) * before + tuple(grads.get(name) for name in given)


# ---- outside of torch.func and torch.compile ---------------------------------------


class _Shortest(torch.autograd.Function):
    """A loss of two operands and no options, with as few steps as there can be."""

    @staticmethod
    def forward(ctx: Any, outline: Outlines, input: Any, target: Any) -> Any:
        if not ctx.needs_input_grad[1] or ctx.needs_input_grad[2]:
            raise _Unusual
        loss: Any = outline.function
        try:
            result = loss.short(input.numpy(), target.numpy(), True)
        except (AttributeError, RuntimeError, TypeError):  # no tensors of the CPU that NumPy knows
            raise _Unusual from None
        if result is None:
            raise _Unusual
        value, grad, double = result
        ctx.kept = outline, _from_numpy(grad), input, target, (input._version, target._version)
        return _scalar_tensor(value, dtype=torch.float64 if double else torch.float32)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> Any:
        if ctx.kept is None:
            raise _handed_over(ctx.name)
        outline, grad, input, target, versions = ctx.kept
        if _is_grad_enabled() or transforms_active():
            _check_versions(outline, (input, target), versions)
            values = input, target
            return (
                None,
                *_differentiable(outline, (), (outline.names[0],), upstream, values),
                None,
            )
        if _keeps_graph():
            return None, grad * upstream, None
        ctx.kept, ctx.name = None, outline.name
        if upstream.item() != 1:
            grad.mul_(upstream)
        return None, grad, None


class _Unusual(Exception):
    """A call that `_Shortest` is not for."""


class _Direct(torch.autograd.Function):
    """The gradient is computed in the forward pass, and handed over as it is, or multiplied where
    it lies."""

    @staticmethod
    def forward(
        ctx: Any, outline: Outlines, names: tuple[str, ...], grad_out: Any, *values: Any
    ) -> Any:
        needs = ctx.needs_input_grad
        ctx.outline, ctx.names = outline, names
        if needs[3] and needs.count(True) == 1 and grad_out is None and outline.is_short(names):
            result = _short(outline, names, values)
            if result is not None:
                value, grad = result
                ctx.want, ctx.grads, ctx.version = outline.differentiable[:1], (grad,), None
                ctx.is_short = True
                _save(ctx, values)
                return value
        ctx.is_short = False
        given = given_by_name(outline, names, values)
        want = requiring(outline, given)
        keeps = outline.keeps_gradient(given, want)
        if grad_out is not None and want and not keeps:
            raise ValueError(
                f"grad_out: not with this reduction: {outline.name} has one gradient for each "
                "value, and they are added up in backward"
            )
        kept = want if keeps else ()
        value, extra, grads = outline.run(memories(given), kept, grad_out if kept else None)
        ctx.want, ctx.grads, ctx.version = want, None, None
        if kept:
            ctx.grads = tuple(as_tensor(grads[name]) for name in want)
            if grad_out is not None:
                torch.autograd.graph.increment_version(ctx.grads)
                ctx.version = [gradient._version for gradient in ctx.grads]
        if want:
            _save(ctx, values)
        if extra is None:
            return as_tensor(value)
        results = as_tensor(value), as_tensor(extra)
        ctx.mark_non_differentiable(results[1])
        return results

    @staticmethod
    def backward(ctx: Any, upstream: Tensor, *unused: Any) -> Any:
        grads = ctx.grads
        if grads is None or _is_grad_enabled() or transforms_active():
            return _other_backward(ctx, upstream)
        if ctx.version is not None and ctx.version != [gradient._version for gradient in grads]:
            raise RuntimeError(
                "grad_out: has been written to after the loss was computed and before backward"
            )
        keep = _keeps_graph()
        if upstream.ndim or upstream.item() != 1:
            if keep:
                grads = tuple((g * upstream).to(g.dtype) for g in grads)
            else:
                for gradient in grads:
                    gradient.mul_(upstream)
        if ctx.is_short:
            results = (None, None, None, *grads, *(None,) * (len(ctx.values) - 1))
        else:
            given = given_by_name(ctx.outline, ctx.names, ctx.values)
            results = _at(given, dict(zip(ctx.want, grads, strict=True)), 3)
        if not keep:
            ctx.grads = ctx.values = None
        return results


def _other_backward(ctx: Any, upstream: Tensor) -> Any:
    """Where the gradient is to be differentiated, or is not the one of the forward pass."""
    outline: Outlines = ctx.outline
    if ctx.values is None:
        raise _handed_over(outline.name)
    values = _saved(ctx)
    given = given_by_name(outline, ctx.names, values)
    if _is_grad_enabled() or transforms_active():
        results = _differentiable(outline, ctx.names, ctx.want, upstream, values)
    else:
        results = carried_back(outline, given, ctx.want, upstream)
        if not _keeps_graph():
            ctx.values = None
    return _at(given, dict(zip(ctx.want, results, strict=True)), 3)


def _short(outline: Outlines, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """Value and gradient where only the first argument requires grad and is to be differentiated;
    None for tensors whose memory NumPy does not see by itself."""
    try:
        arrays = [value.numpy() if isinstance(value, Tensor) else value for value in values]
    except (RuntimeError, TypeError):  # of bfloat16, or on another device
        return None
    loss: Any = outline.function
    count = len(values) - len(names)
    options = dict(zip(names, arrays[count:], strict=True))
    value, grad = loss.value_and_grad(*arrays[:count], **options)
    return as_tensor(value), _from_numpy(grad)


def _save(ctx: Any, values: tuple[Any, ...]) -> None:
    """Keep the arguments, and what shows whether they have been written to since. torch's own way
    takes longer, and they are hardly ever looked at again."""
    ctx.values = values
    ctx.versions = [v._version if isinstance(v, Tensor) else 0 for v in values]


def _saved(ctx: Any) -> tuple[Any, ...]:
    _check_versions(ctx.outline, ctx.values, ctx.versions)
    values: tuple[Any, ...] = ctx.values
    return values


def _check_versions(outline: Outlines, values: Sequence[Any], versions: Sequence[int]) -> None:
    for value, version in zip(values, versions, strict=True):
        if isinstance(value, Tensor) and value._version != version:
            raise RuntimeError(
                f"{outline.name}: an argument has been modified by an inplace operation after the "
                "call and before backward"
            )


def _handed_over(name: str) -> RuntimeError:
    return RuntimeError(
        f"{name}: backward a second time, but what it needs has been handed over; specify "
        "retain_graph=True the first time"
    )


def carried_back(
    outline: Outlines, given: dict[str, Any], want: tuple[str, ...], upstream: Tensor
) -> tuple[Tensor, ...]:
    """Gradients times a factor for each value, by the kernel."""
    memory = tensor_memory("the gradient that is carried back", upstream)
    grads = outline.carry_back(memories(given), memory, want)
    return tuple(as_tensor(np.ascontiguousarray(grads[name])) for name in want)


# ---- within torch.func, and of gradients -------------------------------------------


def _no_more(outline: Outlines) -> NoReturn:
    raise NotImplementedError(
        f"{outline.name}: no further derivatives through autograd: elementwise losses have second "
        "ones with respect to one argument, if the others are detached; others first ones alone"
    )


def _each(function: Any, batch: int, in_dims: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
    """vmap: one call for each part of the batch."""
    if batch == 0:
        raise ValueError(f"{args[0].name}: vmap over an axis of length 0")
    parts = [
        function.apply(
            *(
                a.select(d, k) if isinstance(a, Tensor) and d is not None else a
                for a, d in zip(args, in_dims, strict=True)
            )
        )
        for k in range(batch)
    ]
    if isinstance(parts[0], Tensor):
        return torch.stack(parts), 0
    results = tuple(torch.stack(tensors) for tensors in zip(*parts, strict=True))
    return results, (0,) * len(results)


class _Recorded(torch.autograd.Function):
    """The gradients are results too, and what they depend on is recorded."""

    @staticmethod
    def forward(
        outline: Outlines, names: tuple[str, ...], want: tuple[str, ...], *values: Any
    ) -> Any:
        given = given_by_name(outline, names, values)
        kept = want if outline.keeps_gradient(given, want) else ()
        value, extra, grads = outline.run(memories(given), kept)
        more = () if extra is None else (as_tensor(extra),)
        return (as_tensor(value), *more, *(as_tensor(grads[name]) for name in kept))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.outline, ctx.names, ctx.want, *values = inputs
        given = given_by_name(ctx.outline, ctx.names, values)
        ctx.keeps = ctx.outline.keeps_gradient(given, ctx.want)
        grads = output[len(output) - len(ctx.want) * ctx.keeps :]
        if len(output) - len(grads) > 1:
            ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.others = [None if isinstance(v, Tensor) else v for v in values]
        tensors = [v if isinstance(v, Tensor) else None for v in values]
        ctx.save_for_backward(*tensors, *grads)

    @staticmethod
    def backward(ctx: Any, upstream: Any, *more: Any) -> Any:
        outline, want = ctx.outline, ctx.want
        tensors = ctx.saved_tensors
        values = [v if t is None else t for t, v in zip(tensors, ctx.others, strict=False)]
        given = given_by_name(outline, ctx.names, values)
        if not ctx.keeps:
            if upstream is None:
                return _at(given, {}, 3)
            carried = _CarriedBack.apply(outline, ctx.names, want, upstream, *values)
            return _at(given, dict(zip(want, carried, strict=True)), 3)
        results: dict[str, Any] = {}
        if upstream is not None:
            for name, gradient in zip(want, tensors[len(values) :], strict=True):
                results[name] = (gradient * upstream).to(gradient.dtype)
        of_gradients = more[len(more) - len(want) :]
        if any(part is not None for part in of_gradients):
            if not outline.has_curvature(want):
                _no_more(outline)
            curvature = _Curvature.apply(outline, ctx.names, want[0], *values) * of_gradients[0]
            results[want[0]] = results[want[0]] + curvature if results else curvature
        return _at(given, results, 3)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        return _each(_Recorded, info.batch_size, in_dims, args)


class _Last(torch.autograd.Function):
    """What has no further derivatives."""

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.outline = inputs[0]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> NoReturn:
        _no_more(ctx.outline)


class _CarriedBack(_Last):
    """Gradients times those from upstream, recorded so that they can be carried back too."""

    @staticmethod
    def forward(
        outline: Outlines,
        names: tuple[str, ...],
        want: tuple[str, ...],
        upstream: Any,
        *values: Any,
    ) -> Any:
        return carried_back(outline, given_by_name(outline, names, values), want, upstream)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        return _each(_CarriedBack, info.batch_size, in_dims, args)


class _Curvature(_Last):
    """The second derivative of an elementwise loss with respect to one argument."""

    @staticmethod
    def forward(outline: Outline, names: tuple[str, ...], name: str, *values: Any) -> Any:
        given = memories(given_by_name(outline, names, values))
        return as_tensor(outline.curvature(given, name))

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        return _each(_Curvature, info.batch_size, in_dims, args)


def _differentiable(
    outline: Outlines,
    names: tuple[str, ...],
    want: tuple[str, ...],
    upstream: Tensor,
    values: Sequence[Any],
) -> tuple[Tensor, ...]:
    """The gradients times `upstream`, such that they can be differentiated once more."""
    if not outline.keeps_gradient(given_by_name(outline, names, values), want):
        return _CarriedBack.apply(outline, names, want, upstream, *values)
    results = _Recorded.apply(outline, names, want, *values)
    return tuple((g * upstream).to(g.dtype) for g in results[len(results) - len(want) :])


# Of the base class: torch's own `apply` looks at signatures, and takes longer for that.
_direct: Final = super(torch.autograd.Function, _Direct).apply
_shortest: Final = super(torch.autograd.Function, _Shortest).apply


def direct(outline: Outlines, grad_out: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """A call outside of torch.func and torch.compile."""
    if len(args) == 2 and not kwargs and grad_out is None and outline.has_short:
        try:
            return _shortest(outline, *args)
        except _Unusual:
            pass
    return _direct(outline, tuple(kwargs), grad_out, *args, *kwargs.values())


recorded: Final = _Recorded.apply
