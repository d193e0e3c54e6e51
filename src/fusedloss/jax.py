"""The losses and activations for JAX: ``fusedloss.jax.cross_entropy`` and so on.

The module has every loss and activation of fusedloss under its name, with the same arguments, for
use within ``jax.jit``, ``jax.grad``, ``jax.value_and_grad`` and ``jax.vmap``, on the CPU. Compiled
code calls the kernels (``jax.pure_callback``); value and gradient are computed in one pass.

Examples
--------
>>> import fusedloss as fl, jax, jax.numpy as jnp
>>> logits, labels = jnp.array([[2.0, 1.0], [0.0, 3.0]]), jnp.array([0, 1])
>>> value, grad = jax.jit(jax.value_and_grad(fl.jax.cross_entropy))(logits, labels)
>>> grad.round(4)
Array([[-0.1345,  0.1345],
       [ 0.0237, -0.0237]], dtype=float32)
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

import fusedloss
from fusedloss._core.foreign import plain_array
from fusedloss._core.frameworks import (
    Blank,
    Outline,
    Outlines,
    outline_of,
    public_names,
)
from fusedloss._core.loss import Lazy

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise ImportError("fusedloss.jax needs JAX: pip install fusedloss[jax]") from error


class _Call(NamedTuple):
    """What of a call is known when it is traced."""

    outline: Outlines
    names: tuple[str, ...]  # of the arguments that are arrays
    options: tuple[tuple[str, Any], ...]  # the others

    def given(self, arrays: Any) -> dict[str, Any]:
        return {**dict(self.options), **dict(zip(self.names, arrays, strict=True))}


def _results(call: _Call, want: tuple[str, ...], arrays: list[Any]) -> list[Any]:
    """Value, gradients, and what else was asked for, of NumPy arrays."""
    value, extra, grads = call.outline.run(call.given(arrays), want)
    return [value, *(grads[name] for name in want), *(() if extra is None else (extra,))]


def _carried(call: _Call, want: tuple[str, ...], arrays: list[Any]) -> list[Any]:
    """Gradients times what is carried back, which is the last of the arrays."""
    *arrays, upstream = arrays
    grads = call.outline.carry_back(call.given(arrays), upstream, want)
    return [grads[name] for name in want]


@partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2, 3))
def _call_back(
    function: Any, call: _Call, want: tuple[str, ...], shapes: tuple[Any, ...], arrays: Any
) -> Any:
    """A call of NumPy from compiled code. If vmap has stacked the arrays, one for each part."""
    dimensions = [x.ndim for x in arrays]

    def host(*stacked: Any) -> list[Any]:
        plain = [plain_array("an operand", x) for x in stacked]
        more = [x.ndim - n for x, n in zip(plain, dimensions, strict=True)]
        batch = np.broadcast_shapes(*(x.shape[:k] for x, k in zip(plain, more, strict=True)))
        if batch:
            plain = [
                np.broadcast_to(x, batch + x.shape[k:]) for x, k in zip(plain, more, strict=True)
            ]
        results = [np.empty(batch + s.shape, s.dtype) for s in shapes]
        for part in np.ndindex(*batch):
            found = function(call, want, [x[part] for x in plain] if batch else plain)
            for result, one in zip(results, found, strict=True):
                result[part] = one
        return results

    return jax.pure_callback(host, list(shapes), *arrays, vmap_method="expand_dims")


@_call_back.defjvp
def _no_more(_: Any, call: _Call, *unused: Any) -> NoReturn:
    raise NotImplementedError(
        f"{call.outline.name}: no further derivatives in JAX, and no forward mode; "
        f"fusedloss.{call.outline.name} has what second derivatives there are"
    )


def _shapes(call: _Call, arrays: Any) -> list[Any]:
    """Shape and dtype of the value, and of what else was asked for."""
    blanks = [Blank(x.shape, np.dtype(x.dtype)) for x in arrays]
    return [
        jax.ShapeDtypeStruct(np.shape(r), jax.dtypes.canonicalize_dtype(r.dtype))
        for r in call.outline.probe(call.given(blanks))
        if r is not None
    ]


def _split(shapes: list[Any], results: Any) -> Any:
    """The value, or a tuple with what else was asked for."""
    return results[0] if len(shapes) == 1 else (results[0], results[-1])


def _like(call: _Call, arrays: Any, want: tuple[str, ...]) -> list[Any]:
    """Shape and dtype of gradients."""
    by_name = dict(zip(call.names, arrays, strict=True))
    return [jax.ShapeDtypeStruct(by_name[name].shape, by_name[name].dtype) for name in want]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _evaluate(call: _Call, arrays: Any) -> Any:
    shapes = _shapes(call, arrays)
    return _split(shapes, _call_back(_results, call, (), tuple(shapes), arrays))


def _forward(call: _Call, primals: Any) -> Any:
    arrays = tuple(primal.value for primal in primals)
    asked = tuple(name for name, p in zip(call.names, primals, strict=True) if p.perturbed)
    call.outline.check(asked)
    want = tuple(name for name in call.outline.differentiable if name in asked)
    shapes = _shapes(call, arrays)
    kept = want if call.outline.keeps_gradient(dict(call.options), want) else ()
    wanted = (shapes[0], *_like(call, arrays, kept), *shapes[1:])
    results = _call_back(_results, call, kept, wanted, arrays)
    grads = dict(zip(kept, results[1:], strict=False)) if kept else None
    flags = dict.fromkeys(want)
    return _split(shapes, results), (arrays, grads, flags)


def _backward(call: _Call, kept: Any, upstreams: Any) -> Any:
    arrays, grads, want = kept
    upstream, *more = upstreams if isinstance(upstreams, (tuple, list)) else (upstreams,)
    zero = jax.custom_derivatives.SymbolicZero
    if isinstance(call.outline, Outline) and not all(isinstance(u, zero) for u in more):
        raise NotImplementedError(
            f"{call.outline.name}: the logsumexp of return_lse has no derivative in JAX; take it "
            "through jax.lax.stop_gradient"
        )
    if isinstance(upstream, zero):
        grads = {}
    elif grads is None:
        names = tuple(name for name in call.outline.differentiable if name in want)
        shapes = tuple(_like(call, arrays, names))
        results = _call_back(_carried, call, names, shapes, (*arrays, upstream))
        grads = dict(zip(names, results, strict=True))
    else:
        grads = {name: (g * upstream).astype(g.dtype) for name, g in grads.items()}
    return (tuple(grads.get(name) for name in call.names),)


_evaluate.defvjp(_forward, _backward, symbolic_zeros=True)


class Differentiable:
    """A loss or an activation that JAX knows. Called as the one of NumPy is."""

    def __init__(self, outline: Outlines) -> None:
        self._outline = outline
        self.__name__ = self.__qualname__ = outline.name
        self.__module__ = __name__

    __doc__ = Lazy(
        lambda self: (
            f"`fusedloss.{self.__name__}` of JAX arrays, under jit, grad and vmap.\n\n"
            "Options are fixed when a function is traced. There are no second derivatives.\n\n"
            f"{self._outline.function.__doc__}"
        ),
        __doc__,
    )
    __signature__ = Lazy(lambda self: self._outline.signature)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outline = self._outline
        try:
            given = outline.signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{outline.name}: {error}") from None
        names, arrays, options = [], [], {}
        for name, value in given.items():
            if name not in outline.arrays or value is None or isinstance(value, (bool, int, float)):
                if isinstance(value, jax.core.Tracer):
                    raise TypeError(
                        f"{name}: an option, which is fixed when a function is traced, got a "
                        f"tracer; in jax.jit name it among static_argnames"
                    )
                options[name] = value
            else:
                names.append(name)
                arrays.append(jnp.asarray(_checked(name, value)))
        return _evaluate(_Call(outline, tuple(names), tuple(options.items())), tuple(arrays))

    def __repr__(self) -> str:
        return f"<fusedloss.jax.{self.__name__}{inspect.signature(self)}>"

    def __reduce__(self) -> str:
        return self.__name__


def _checked(name: str, value: Any) -> Any:
    return value if isinstance(value, jax.Array) else plain_array(name, value)


_PUBLIC: Final = public_names(fusedloss)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'fusedloss.jax' has no attribute {name!r}")
    made = globals()[name] = Differentiable(outline_of(getattr(fusedloss, name)))
    return made


def __dir__() -> list[str]:
    return sorted(_PUBLIC)
