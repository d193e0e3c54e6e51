"""The losses and activations for torch, with autograd: ``fusedloss.torch.cross_entropy`` and so on.

The module has every loss and activation of fusedloss under its name, with the same arguments, and
every criterion as a ``torch.nn.Module``. They take tensors in the CPU's memory, of any dtype that
fusedloss reads (bfloat16 too, by the package ml_dtypes), without copying them. Value and gradient
are computed in one pass, when the loss is called.

Examples
--------
>>> import fusedloss as fl, torch
>>> logits = torch.tensor([[2.0, 1.0], [0.0, 3.0]], requires_grad=True)
>>> loss = fl.torch.cross_entropy(logits, torch.tensor([0, 1]))
>>> loss.backward()
>>> logits.grad
tensor([[-0.1345,  0.1345],
        [ 0.0237, -0.0237]])
"""

from __future__ import annotations

import inspect
from typing import Any, Final

import fusedloss
from fusedloss._core.criterion import Criterion
from fusedloss._core.frameworks import ActivationOutline, Outlines, outline_of, public_names
from fusedloss._core.loss import Lazy

try:
    import torch
    from torch import Tensor
except ImportError as error:
    raise ImportError("fusedloss.torch needs PyTorch: pip install fusedloss[torch]") from error

from fusedloss.torch._autograd import (
    as_tensor,
    direct,
    given_by_name,
    memories,
    recorded,
    requiring,
    transforms_active,
)
from fusedloss.torch._operators import operator_name, typed

_is_compiling: Final = torch.compiler.is_compiling
_is_grad_enabled: Final = torch.is_grad_enabled


class Differentiable:
    """A loss or an activation that autograd knows. Called as the one of NumPy is; a loss may be
    given ``grad_out=``, a tensor (or a tuple of tensors) of the input's shape, in which the
    gradient is computed, so that a training loop needs no new memory for it.
    """

    def __init__(self, outline: Outlines) -> None:
        self._outline = outline
        self.__name__ = self.__qualname__ = outline.name
        self.__module__ = __name__

    __doc__ = Lazy(lambda self: self._document(), __doc__)
    __signature__ = Lazy(lambda self: self._sign())

    def _document(self) -> str:
        return (
            f"`fusedloss.{self.__name__}` of tensors, with autograd.\n\n"
            "Results are tensors. Gradients are those of autograd: `out`, `grad_out` and the "
            "methods of the function for NumPy are not used for them.\n\n"
            f"{self._outline.function.__doc__}"
        )

    def _sign(self) -> inspect.Signature:
        signature = self._outline.signature
        if isinstance(self._outline, ActivationOutline):
            return signature
        keyword = inspect.Parameter.KEYWORD_ONLY
        buffer = inspect.Parameter("grad_out", keyword, default=None)
        return signature.replace(parameters=[*signature.parameters.values(), buffer])

    def __call__(self, *args: Any, grad_out: Any = None, **kwargs: Any) -> Any:
        if _is_compiling():
            return self._compiled(grad_out, args, kwargs)
        if transforms_active() or not _is_grad_enabled():
            return self._transformed(grad_out, args, kwargs)
        return direct(self._outline, grad_out, args, kwargs)

    def _transformed(self, grad_out: Any, args: Any, kwargs: Any) -> Any:
        """Within torch.func, where a call cannot know what requires grad; or without grad."""
        outline = self._outline
        names, values = tuple(kwargs), (*args, *kwargs.values())
        given = given_by_name(outline, names, values)
        if not transforms_active():
            value, extra, _ = outline.run(memories(given), ())
            return as_tensor(value) if extra is None else (as_tensor(value), as_tensor(extra))
        if grad_out is not None:
            raise ValueError("grad_out: not within torch.func, which keeps its own gradients")
        requiring(outline, given)
        want = tuple(
            name
            for name in outline.differentiable
            if isinstance(given.get(name), Tensor) and given[name].is_floating_point()
        )
        results = recorded(outline, names, want, *values)
        kept = len(want) if outline.keeps_gradient(given, want) else 0
        results = results[: len(results) - kept]
        return results[0] if len(results) == 1 else results

    def _compiled(self, grad_out: Any, args: Any, kwargs: Any) -> Any:
        """Within torch.compile: by an operator, into which it does not look."""
        outline = self._outline
        if grad_out is not None:
            raise ValueError("grad_out: not within torch.compile, which plans memory itself")
        if len(args) > outline.by_position:
            raise TypeError(f"{outline.name}: too many positional arguments")
        given = dict(zip(outline.names, args))  # noqa: B905 (known to torch.compile without strict)
        for name in kwargs:
            if name in given or name not in outline.names:
                raise TypeError(f"{outline.name}: got an unexpected argument {name!r}")
            given[name] = kwargs[name]
        want = 0
        arrays: list[Any] = []
        literals = {}
        for name in outline.arrays:
            value: Any = given.get(name)
            tensor = isinstance(value, Tensor)
            arrays.append(value if tensor else None)
            if not tensor and value is not None:
                literals[name] = value
            if tensor and value.requires_grad and torch.is_grad_enabled():
                outline.check((name,))
                want |= 1 << outline.differentiable.index(name)
        options = []
        types = typed(outline)
        for name in outline.options:
            if name in types:
                options.append(given.get(name, outline.options[name]))
            elif name == "plan" and given.get(name) is not None:
                raise ValueError("plan: not within torch.compile; give the data, or call outside")
            elif name in given:
                literals[name] = given[name]
        operator = getattr(torch.ops.fusedloss, operator_name(outline.name))
        results = operator(*arrays, *options, repr(literals), want)
        if given.get("return_lse", False) or given.get("return_sign", False):
            return results[0], results[1]
        return results[0]

    def __repr__(self) -> str:
        return f"<fusedloss.torch.{self.__name__}{inspect.signature(self)}>"

    def __reduce__(self) -> str:
        return self.__name__


class Module(torch.nn.Module):
    """A loss with its options bound, as in torch.nn: the base of the criteria for torch.

    Options that are tensors are buffers, which move and are saved with the module, or parameters.
    """

    _function: Differentiable
    _names: tuple[str, ...]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()
        try:
            bound = type(self).__signature__.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        bound.apply_defaults()
        chosen = bound.arguments
        outline: Any = self._function._outline
        defaults = dict.fromkeys(outline.switches.values(), False)
        plain = {name: _detached(value) for name, value in chosen.items()}
        outline.function._check_options({**plain, **defaults})
        for name, value in chosen.items():
            if isinstance(value, Tensor) and not isinstance(value, torch.nn.Parameter):
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *operands: Any, **arrays: Any) -> Any:
        """The loss; array options given by name take the place of the bound ones."""
        options = {name: getattr(self, name) for name in self._names}
        options.update(arrays)
        return self._function(*operands, **options)

    def extra_repr(self) -> str:
        parameters = type(self).__signature__.parameters
        shown = []
        for name in self._names:
            value = getattr(self, name)
            if isinstance(value, Tensor):
                shown.append(f"{name}=<tensor of shape {tuple(value.shape)}>")
            elif (type(value), value) != (type(default := parameters[name].default), default):
                shown.append(f"{name}={value!r}")
        return ", ".join(shown)


def _detached(value: Any) -> Any:
    return value.detach() if isinstance(value, Tensor) else value


def _module(criterion: type[Criterion]) -> type[Module]:
    name = criterion.loss.__name__
    function = globals().get(name) or __getattr__(name)
    outline = function._outline
    names = tuple(name for name in criterion._names if name in outline.parameters)
    return type(
        criterion.__name__,
        (Module,),
        {
            "__doc__": f"`fusedloss.{criterion.__name__}` as a torch.nn.Module: "
            f"`fusedloss.torch.{outline.name}` with its options bound.",
            "__module__": __name__,
            "__signature__": inspect.Signature([outline.parameters[name] for name in names]),
            "_function": function,
            "_names": names,
        },
    )


_PUBLIC: Final = public_names(fusedloss)
_CRITERIA: Final = tuple(
    name
    for name in public_names(fusedloss, type)
    if issubclass(getattr(fusedloss, name), Criterion) and hasattr(getattr(fusedloss, name), "loss")
)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        made: Any = Differentiable(outline_of(getattr(fusedloss, name)))
    elif name in _CRITERIA:
        made = _module(getattr(fusedloss, name))
    else:
        raise AttributeError(f"module 'fusedloss.torch' has no attribute {name!r}")
    globals()[name] = made
    return made


def __dir__() -> list[str]:
    return sorted((*_PUBLIC, *_CRITERIA))
