"""fusedloss.jax with JAX: jit, grad, vmap; and JAX arrays and tracers elsewhere."""

from __future__ import annotations

import inspect
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import fusedloss as fl  # noqa: E402
from tests.integrations.calls import ACTIVATIONS, CALLS, LOSSES, Call  # noqa: E402

EACH_LOSS = pytest.mark.parametrize("call", LOSSES, ids=str)
REDUCTION = pytest.mark.parametrize("reduction", ["mean", "none"])


@pytest.fixture(params=[False, True], ids=["x32", "x64"])
def wide(request: Any) -> Any:
    """Whether JAX has float64."""
    with jax.enable_x64(request.param):
        yield request.param


def of(call: Call) -> Any:
    return getattr(fl.jax, call.name)


def arrays(call: Call, dtype: Any) -> dict[str, Any]:
    return {name: jnp.asarray(array) for name, array in call.in_dtype(dtype).items()}


def test_every_function_is_there() -> None:
    functions = {n for n in fl.__all__ if isinstance(getattr(fl, n), (fl.Loss, fl.Activation))}
    assert functions == set(dir(fl.jax))


@EACH_LOSS
@REDUCTION
def test_values_and_gradients(call: Call, reduction: str, wide: bool) -> None:
    dtype = np.float64 if wide else np.float32
    names = call.differentiable
    given = arrays(call, dtype)
    fixed = {name: array for name, array in given.items() if name not in names}
    options = {**call.options, "reduction": reduction}

    def function(*leaves: Any) -> Any:
        return of(call)(**dict(zip(names, leaves, strict=True)), **fixed, **options)

    leaves = [given[name] for name in names]
    value, carry_back = jax.vjp(function, *leaves)
    expected = call.function(**call.in_dtype(dtype), **options)
    tolerance = {"rtol": 1e-10} if wide else {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(value, expected, **tolerance)
    assert value.dtype == dtype
    np.testing.assert_allclose(jax.jit(function)(*leaves), expected, **tolerance)
    grads = carry_back(jnp.ones_like(value))
    for grad, like in zip(grads, leaves, strict=True):
        assert grad.dtype == like.dtype
    for grad, want in zip(grads, call.gradients(dtype, reduction=reduction).values(), strict=True):
        np.testing.assert_allclose(grad, want, **tolerance)


@EACH_LOSS
def test_a_factor_for_each_value(call: Call) -> None:
    """What is carried back has a factor for each value: compared with one value at a time."""
    with jax.enable_x64(True):
        given, names = arrays(call, np.float64), call.differentiable
        fixed = {name: array for name, array in given.items() if name not in names}

        def function(*leaves: Any) -> Any:
            named = dict(zip(names, leaves, strict=True))
            return of(call)(**named, **fixed, **call.options, reduction="none")

        value, carry_back = jax.vjp(function, *(given[name] for name in names))
        upstream = np.linspace(0.5, 2.0, value.size).reshape(value.shape)
        got = carry_back(jnp.asarray(upstream))
        total = [np.zeros(given[name].shape) for name in names]
        for position in np.ndindex(*value.shape):
            one = np.zeros(value.shape)
            one[position] = 1
            for part, grad in zip(total, carry_back(jnp.asarray(one)), strict=True):
                part += upstream[position] * np.asarray(grad)
        for grad, want in zip(got, total, strict=True):
            np.testing.assert_allclose(grad, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("call", ACTIVATIONS, ids=str)
def test_activations(call: Call) -> None:
    with jax.enable_x64(True):
        given = arrays(call, np.float64)
        value, carry_back = jax.vjp(lambda *a: of(call)(*a), *given.values())
        np.testing.assert_allclose(value, call.function(**call.arrays))
        expected = call.function.vjp(**call.arrays, grad_output=np.asarray(value))
        expected = expected if isinstance(expected, tuple) else (expected,)
        for grad, want in zip(jax.jit(carry_back)(value), expected, strict=True):
            np.testing.assert_allclose(grad, want)


@pytest.mark.parametrize("call", CALLS[::4], ids=str)
@REDUCTION
def test_vmap(call: Call, reduction: str) -> None:
    """Under vmap, twice too, and with what is not stacked: what each part gives by itself."""
    options = {**call.options, **({"reduction": reduction} if call in LOSSES else {})}
    given, lead = arrays(call, np.float32), call.differentiable[0]
    stacked = jnp.stack([jnp.stack([given[lead] * f for f in (1.0, 0.75)])] * 3)

    def function(x: Any) -> Any:
        return of(call)(**{**given, lead: x}, **options).sum()

    got = jax.jit(jax.vmap(jax.vmap(jax.value_and_grad(function))))(stacked)
    for i in range(3):
        for j in range(2):
            value, grad = jax.value_and_grad(function)(stacked[i, j])
            np.testing.assert_allclose(got[0][i, j], value, rtol=1e-6)
            np.testing.assert_allclose(got[1][i, j], grad, rtol=1e-6)


def logits() -> tuple[Any, Any]:
    x = jnp.asarray(np.random.default_rng(0).normal(size=(6, 4)), jnp.float32)
    return x, jnp.arange(6) % 4


def of_jax(x: Any, t: Any) -> Any:
    return -jnp.mean(jax.nn.log_softmax(x)[jnp.arange(len(x)), t])


def test_as_jax() -> None:
    x, t = logits()
    value, grad = jax.jit(jax.value_and_grad(fl.jax.cross_entropy))(x, t)
    expected = jax.value_and_grad(of_jax)(x, t)
    np.testing.assert_allclose(value, expected[0], rtol=1e-6)
    np.testing.assert_allclose(grad, expected[1], atol=1e-7)


def test_values_and_more() -> None:
    x, t = logits()

    @jax.jit
    def function(x: Any) -> Any:
        value, lse = fl.jax.cross_entropy(x, t, return_lse=True, reduction="none")
        return value.sum(), lse

    (_, lse), grad = jax.value_and_grad(function, has_aux=True)(x)
    np.testing.assert_allclose(lse, jax.nn.logsumexp(x, axis=1), rtol=1e-6)
    np.testing.assert_allclose(grad, 6 * jax.grad(of_jax)(x, t), atol=1e-6)


def test_several_gradients_and_those_asked_for() -> None:
    x, _ = logits()
    var = x**2 + 1
    both = jax.grad(fl.jax.gaussian_nll_loss, argnums=(0, 2))(x, 0.5, var)
    expected = fl.gaussian_nll_loss.value_and_grad(x, 0.5, var)[1]
    for got, want in zip(both, expected, strict=True):
        np.testing.assert_allclose(got, want)
    p = jax.nn.softmax(x)
    for argnums in (0, 1):
        got = jax.grad(fl.jax.kl_div, argnums=argnums)(jnp.log(p), p[::-1])
        want = fl.kl_div.value_and_grad(jnp.log(p), p[::-1], target_grad=True)[1][argnums]
        np.testing.assert_allclose(got, want)
    tau = jax.grad(lambda tau: fl.jax.info_nce_loss(x, x + 1, temperature=tau))(0.5)
    _, (_, _, want) = fl.info_nce_loss.value_and_grad(
        x, x + 1, temperature=0.5, temperature_grad=True
    )
    np.testing.assert_allclose(tau, want, rtol=1e-5)


def test_bfloat16() -> None:
    x, t = logits()
    value, grad = jax.jit(jax.value_and_grad(fl.jax.cross_entropy))(x.astype(jnp.bfloat16), t)
    assert value.dtype == jnp.float32 and grad.dtype == jnp.bfloat16
    np.testing.assert_allclose(value, of_jax(x, t), rtol=1e-2)


def test_functions_are_documented_and_pickled() -> None:
    assert "delta : float" in fl.jax.huber_loss.__doc__
    assert "target_grad" not in inspect.signature(fl.jax.kl_div).parameters
    assert pickle.loads(pickle.dumps(fl.jax.mse_loss)) is fl.jax.mse_loss
    with pytest.raises(AttributeError, match=r"fusedloss\.jax"):
        fl.jax.no_such_loss  # noqa: B018


def twice(x: Any, t: Any) -> Any:
    once = jax.grad(partial(fl.jax.cross_entropy, target=t))
    return jax.grad(lambda x: once(x).sum())(x)


TRACER = r"a JAX tracer.*fusedloss\.jax"
NO_MORE = NotImplementedError
BAD = [
    (lambda x, t: jax.jit(fl.cross_entropy)(x, t), TypeError, f"input: {TRACER}"),
    (lambda x, t: jax.grad(fl.mse_loss)(x, 0.0), TypeError, f"input: {TRACER}"),
    (lambda x, t: jax.vmap(lambda t: fl.mse_loss(1.0, t))(x), TypeError, f"target: {TRACER}"),
    (lambda x, t: jax.jit(lambda x: fl.softmax(x))(x), TypeError, f"input: {TRACER}"),
    (lambda x, t: jax.jit(fl.jax.mse_loss)(x, x[:5]), ValueError, "target: shape"),
    (lambda x, t: fl.jax.huber_loss(x, x, delta=-1), ValueError, "delta: "),
    (lambda x, t: fl.jax.huber_loss(x), TypeError, "huber_loss: missing .* 'target'"),
    (lambda x, t: jax.grad(fl.jax.mse_loss, 1)(x, x), TypeError, "target: mse_loss has no"),
    (lambda x, t: jax.hessian(fl.jax.mse_loss)(x, 0.0), NO_MORE, "mse_loss: no further"),
    (twice, NO_MORE, "cross_entropy: no further"),
    (
        lambda x, t: jax.grad(lambda x: fl.jax.cross_entropy(x, t, return_lse=True)[1].sum())(x),
        NO_MORE,
        "cross_entropy: the logsumexp",
    ),
    (
        lambda x, t: jax.jit(lambda delta: fl.jax.huber_loss(x, x, delta=delta))(1.0),
        TypeError,
        "delta: .*static_argnames",
    ),
    (lambda x, t: fl.mse_loss.value_and_grad(x, 0.0, grad_out=x), TypeError, "grad_out: JAX"),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_errors(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(*logits())


def test_a_bad_label_in_compiled_code() -> None:
    x, t = logits()
    with pytest.raises(Exception, match=r"target: .*is out of range|IndexError"):
        jax.block_until_ready(jax.jit(fl.jax.cross_entropy)(x, t + 9))


def test_arrays_elsewhere() -> None:
    x, t = logits()
    value, grad = fl.cross_entropy.value_and_grad(x, t)
    np.testing.assert_allclose(value, of_jax(x, t), rtol=1e-6)
    assert isinstance(grad, np.ndarray)
