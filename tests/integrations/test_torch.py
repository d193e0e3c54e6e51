"""fusedloss.torch with torch: autograd, torch.func, torch.compile, and tensors elsewhere."""

from __future__ import annotations

import inspect
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

import fusedloss as fl  # noqa: E402
from tests.integrations.calls import ACTIVATIONS, CALLS, LOSSES, Call  # noqa: E402

EACH = pytest.mark.parametrize("call", CALLS, ids=str)
EACH_LOSS = pytest.mark.parametrize("call", LOSSES, ids=str)
REDUCTION = pytest.mark.parametrize("reduction", ["mean", "none"])


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tensors(call: Call, dtype: Any = np.float64) -> dict[str, Any]:
    """The arrays as tensors; those with gradients require grad."""
    made = {name: torch.from_numpy(array) for name, array in call.in_dtype(dtype).items()}
    for name in call.differentiable:
        made[name].requires_grad_()
    return made


def of(call: Call) -> Any:
    return getattr(fl.torch, call.name)


def logits(n: int = 6, c: int = 4, dtype: Any = torch.float64) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(n * c)
    x = torch.randn(n, c, dtype=torch.float64, generator=generator).to(dtype)
    return x.requires_grad_(), torch.randint(0, c, (n,), generator=generator)


# ---- every function ----------------------------------------------------------------


def test_every_function_is_there() -> None:
    functions = {n for n in fl.__all__ if isinstance(getattr(fl, n), (fl.Loss, fl.Activation))}
    assert functions <= set(dir(fl.torch))
    assert {call.name for call in CALLS} >= functions - {"triplet_margin_with_distance_loss"}


@EACH_LOSS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@REDUCTION
def test_values_and_gradients(call: Call, dtype: Any, reduction: str) -> None:
    """Those of the function for NumPy, to the bit."""
    given = tensors(call, dtype)
    value = of(call)(**given, **call.options, reduction=reduction)
    expected = call.function(**call.in_dtype(dtype), **call.options, reduction=reduction)
    np.testing.assert_array_equal(value.detach().numpy(), expected)
    value.sum().backward()
    for name, grad in call.gradients(dtype, reduction=reduction).items():
        np.testing.assert_allclose(given[name].grad.numpy(), grad, rtol=1e-6)
        assert given[name].grad.dtype == given[name].dtype


def hold_alpha(call: Call) -> None:
    if call.name in ("complete_box_iou_loss", "lambdarank_loss"):
        pytest.skip("its derivatives hold a factor constant, as torchvision's and boosters' do")


@EACH_LOSS
@REDUCTION
def test_gradcheck(call: Call, reduction: str) -> None:
    hold_alpha(call)
    given = tensors(call)
    names = call.differentiable

    def function(*leaves: Any) -> Any:
        named = dict(zip(names, leaves, strict=True))
        return of(call)(**{**given, **named}, **call.options, reduction=reduction)

    assert torch.autograd.gradcheck(function, tuple(given[n] for n in names), atol=1e-4)


@pytest.mark.parametrize("call", ACTIVATIONS, ids=str)
def test_gradcheck_of_activations(call: Call) -> None:
    given = tensors(call)
    assert torch.autograd.gradcheck(of(call), tuple(given.values()))


@EACH_LOSS
def test_weights_of_values_without_reduction(call: Call) -> None:
    """What a value is multiplied by is so beside weights of the caller's too."""
    hold_alpha(call)
    factor = "sample_weight" if "sample_weight" in call.function._options else "weight"
    given = tensors(call)
    plain = of(call)(**given, **call.options, reduction="none")
    if call.function.__module__ == "fusedloss.regions":
        shape = given["target"].shape
    else:
        shape = plain.shape
    given[factor] = torch.linspace(0.0, 2.0, int(np.prod(shape)), dtype=torch.float64)
    given[factor] = given[factor].reshape(shape)
    names = call.differentiable

    def function(*leaves: Any) -> Any:
        named = dict(zip(names, leaves, strict=True))
        return of(call)(**{**given, **named}, **call.options, reduction="none")

    assert torch.autograd.gradcheck(function, tuple(given[n] for n in names), atol=1e-4)


@EACH
@REDUCTION
def test_compiled_without_a_break(call: Call, reduction: str) -> None:
    if "distance_function" in call.options:
        pytest.skip("a function is no argument of an operator")
    options = call.options | ({"reduction": reduction} if call in LOSSES else {})
    results = []
    for compiled in (False, True):
        torch._dynamo.reset()
        given = tensors(call)

        def function(given: dict[str, Any]) -> Any:
            return of(call)(**given, **options) * 2.0

        if compiled:
            function = torch.compile(function, fullgraph=True, backend="aot_eager")
        value = function(given)
        (
            value * torch.linspace(1, 2, value.numel(), dtype=value.dtype).reshape(value.shape)
        ).sum().backward()
        results.append([value.detach(), *(given[name].grad for name in call.differentiable)])
    for plain, traced in zip(*results, strict=True):
        torch.testing.assert_close(traced, plain, rtol=1e-12, atol=1e-14)


@EACH_LOSS
@REDUCTION
def test_grad_and_vmap(call: Call, reduction: str) -> None:
    """Gradients of the parts of a batch are those of one call each."""
    arrays = {name: torch.from_numpy(a) for name, a in call.in_dtype(np.float64).items()}
    names = call.differentiable
    batch = {name: torch.stack([arrays[name], arrays[name] * 0.75]) for name in names}
    fixed = {name: a for name, a in arrays.items() if name not in names}

    def function(*leaves: Any) -> Any:
        named = dict(zip(names, leaves, strict=True))
        return of(call)(**fixed, **named, **call.options, reduction=reduction).sum()

    argnums = tuple(range(len(names)))
    got = torch.func.vmap(torch.func.grad(function, argnums))(*batch.values())
    for k in range(2):
        mine = torch.func.grad(function, argnums)(*(x[k] for x in batch.values()))
        leaves = [x[k].clone().requires_grad_() for x in batch.values()]
        function(*leaves).backward()
        for g, one, leaf in zip(got, mine, leaves, strict=True):
            torch.testing.assert_close(g[k], leaf.grad)
            torch.testing.assert_close(one, leaf.grad)


# ---- one by one --------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"reduction": "none"}], ids=str)
def test_several_gradients_carried_back_at_once(options: dict[str, Any]) -> None:
    x, t = logits()
    value = fl.torch.cross_entropy(x, t, **options)
    upstream = torch.rand(3, *value.shape)

    def carry_back(one: Any) -> Any:
        return torch.autograd.grad(value, x, one, retain_graph=True)[0]

    got = torch.func.vmap(carry_back)(upstream)
    torch.testing.assert_close(got, torch.stack([carry_back(one) for one in upstream]))


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"reduction": "none"}])
def test_as_torch(options: dict[str, Any]) -> None:
    x, t = logits()
    results = []
    for function in (fl.torch.cross_entropy, F.cross_entropy):
        x.grad = None
        value = function(x, t, **options)
        (
            3 * value * torch.arange(value.numel(), dtype=x.dtype).reshape(value.shape)
        ).sum().backward()
        results.append((value.detach(), x.grad))
    torch.testing.assert_close(*results)


def test_options_and_arguments_by_position() -> None:
    x, t = logits()
    weight = torch.arange(1.0, 5.0, dtype=torch.float64)
    value = fl.torch.cross_entropy(x, t, weight)
    torch.testing.assert_close(value, F.cross_entropy(x, t, weight))
    value.backward()
    assert x.grad is not None


def test_logsumexp_of_the_rows() -> None:
    x, t = logits()
    value, lse = fl.torch.cross_entropy(x, t, return_lse=True)
    torch.testing.assert_close(lse, torch.logsumexp(x, 1).detach())
    assert not lse.requires_grad
    value.backward()
    torch.testing.assert_close(
        x.grad.sum(1), torch.zeros(6, dtype=torch.float64), atol=1e-15, rtol=0
    )


def test_temperature_that_is_learned() -> None:
    q, k = logits()[0], logits(5, 4)[0].detach().repeat(2, 1)[:6]
    tau = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda q, tau: fl.torch.info_nce_loss(q, k, temperature=tau), (q, tau)
    )


def test_gradient_of_the_target() -> None:
    x = logits()[0]
    t = torch.softmax(logits(7)[0][:6], 1).detach().requires_grad_()
    for reduction in ("sum", "none"):
        assert torch.autograd.gradcheck(
            lambda x, t, reduction=reduction: fl.torch.kl_div(x, t, reduction=reduction), (x, t)
        )


def test_no_memory_is_copied() -> None:
    """The gradient is handed over; a kept buffer is the gradient."""
    x, t = logits(8, 5, torch.float32)
    buffer = torch.empty(8, 5)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.data_ptr()))
    fl.torch.cross_entropy(y, t, grad_out=buffer).backward()
    assert seen == [buffer.data_ptr()]
    torch.testing.assert_close(x.grad, 2 * buffer)


def test_kept_buffers() -> None:
    x, t = logits()
    buffer = torch.empty(6, 4, dtype=torch.float64)
    expected = torch.autograd.grad(F.cross_entropy(x, t), x)[0]
    for factor in (1.0, 3.0):
        (got,) = torch.autograd.grad(fl.torch.cross_entropy(x, t, grad_out=buffer) * factor, x)
        torch.testing.assert_close(got, factor * expected)
    value = fl.torch.cross_entropy(x, t, grad_out=buffer)
    fl.torch.cross_entropy(x * 2, t, grad_out=buffer)
    with pytest.raises(RuntimeError, match="grad_out: has been written to"):
        value.backward()
    with pytest.raises(ValueError, match=r"grad_out: shape \(6, 4\) is needed"):
        fl.torch.cross_entropy(x, t, grad_out=buffer[:3])
    with pytest.raises(ValueError, match=r"grad_out: not with this reduction: cross_entropy"):
        fl.torch.cross_entropy(x, t, grad_out=buffer, reduction="none")


def test_backward_twice() -> None:
    x, t = logits()
    value = fl.torch.cross_entropy(x, t) * 2
    value.backward(retain_graph=True)
    first = x.grad.clone()
    value.backward(retain_graph=True)
    torch.testing.assert_close(x.grad, 2 * first)
    value.backward()
    torch.testing.assert_close(x.grad, 3 * first)
    with pytest.raises(RuntimeError, match="second time"):
        value.backward()


@REDUCTION
def test_second_derivatives(reduction: str) -> None:
    x = logits()[0]
    t = logits(5)[0].detach()[:1]
    for function in (fl.torch.mse_loss, fl.torch.log_cosh_loss):
        loss = partial(function, target=t, reduction=reduction)
        assert torch.autograd.gradgradcheck(loss, x)
    twice = torch.func.jacrev(torch.func.grad(lambda x: fl.torch.mse_loss(x, 0.0)))
    torch.testing.assert_close(twice(torch.ones(3)), 2 / 3 * torch.eye(3))


def _of_likelihoods() -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    """Operands of losses with more than one, and options."""
    x = torch.tensor([[0.3, -1.0, 0.7], [1.2, 0.1, -0.4]], dtype=torch.float64)
    counts, some = torch.tensor([2.0, 0.0, 5.0]), torch.tensor([0.5, 1.5, 0.7]).double()
    return {
        "binomial_nll_loss": ((x, counts, 6), {}),
        "negative_binomial_nll_loss": ((x, counts, some), {}),
        "zero_inflated_negative_binomial_nll_loss": ((x, counts, some, x[0]), {}),
        "beta_binomial_nll_loss": ((x, counts, 6, some), {}),
        "gaussian_nll_loss": ((x, counts, some), {}),
        "student_t_nll_loss": ((x, counts, some), {"df": 4.0}),
        "gumbel_nll_loss": ((x, counts, some), {"fisher": True}),
        "gamma_shape_nll_loss": ((x, counts + 1, some), {}),
        "kl_div": ((x, some / 4), {}),
    }


@REDUCTION
@pytest.mark.parametrize("name", _of_likelihoods())
def test_second_derivatives_by_one_argument(name: str, reduction: str) -> None:
    """Also by one that is repeated. Those by two at once are not there, nor, for losses that are
    not reduced, by what is repeated."""
    function, (operands, options) = getattr(fl.torch, name), _of_likelihoods()[name]
    loss = getattr(fl, name)
    for k, argument in enumerate(loss._operands):
        if argument not in loss.differentiable:
            continue

        def of(part: Any, k: int = k) -> Any:
            arguments = (*operands[:k], part, *operands[k + 1 :])
            return function(*arguments, reduction=reduction, **options)

        part = operands[k].clone().requires_grad_()
        assert torch.autograd.gradcheck(of, part)
        if k == 0 or reduction != "none":
            assert torch.autograd.gradgradcheck(of, part)
        else:
            (g,) = torch.autograd.grad(of(part).sum(), part, create_graph=True)
            with pytest.raises(NotImplementedError, match=f"{name}: no further derivatives"):
                g.sum().backward()


def test_second_derivatives_by_two_arguments() -> None:
    (x, t, s), _ = _of_likelihoods()["gumbel_nll_loss"]
    x, s = x.requires_grad_(), s.requires_grad_()
    (g,) = torch.autograd.grad(fl.torch.gumbel_nll_loss(x, t, s), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="if the others are detached"):
        g.sum().backward()


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_derivatives_that_are_not_there(reduction: str) -> None:
    x, t = logits()
    value = fl.torch.cross_entropy(x, t, reduction=reduction).sum()
    (g,) = torch.autograd.grad(value, x, create_graph=True)
    with pytest.raises(NotImplementedError, match="cross_entropy: no further derivatives"):
        (g**2).sum().backward()
    third = fl.torch.huber_loss(x, 0.0)
    for _ in range(2):
        (third,) = torch.autograd.grad(third.sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="huber_loss: no further derivatives"):
        third.sum().backward()


def test_inputs_changed_before_backward() -> None:
    x, t = logits()
    y = x * 2
    value = fl.torch.cross_entropy(y, t, reduction="none").sum()
    with torch.no_grad():
        y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        value.backward()


def test_no_grad() -> None:
    x, t = logits()
    with torch.no_grad():
        value = fl.torch.cross_entropy(x, t)
    assert not value.requires_grad
    assert not fl.torch.cross_entropy(x.detach(), t).requires_grad
    assert fl.torch.softmax(x.detach()).shape == (6, 4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(dtype: Any) -> None:
    x, t = logits(16, 8, dtype)
    value = fl.torch.cross_entropy(x, t)
    assert value.dtype == torch.float32
    (2 * value).backward()
    wide = x.detach().float().requires_grad_()
    (2 * F.cross_entropy(wide, t)).backward()
    torch.testing.assert_close(x.grad, wide.grad.to(dtype), rtol=1e-2, atol=1e-4)
    each = fl.torch.softmax(x)
    each.sum().backward()
    assert each.dtype == torch.float32 and x.grad.dtype == dtype


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_compiled_bfloat16_and_changing_sizes(reduction: str) -> None:
    torch._dynamo.reset()

    @torch.compile(fullgraph=True, backend="aot_eager", dynamic=True)
    def function(x: Any, t: Any) -> Any:
        return fl.torch.cross_entropy(x, t, reduction=reduction).sum()

    for n in (5, 7, 9):
        x, t = logits(n, 8, torch.bfloat16)
        function(x, t).backward()
        wide = x.detach().float().requires_grad_()
        F.cross_entropy(wide, t, reduction=reduction).sum().backward()
        torch.testing.assert_close(x.grad, wide.grad.bfloat16(), rtol=1e-2, atol=1e-3)


def test_compiled_with_numbers_and_text_as_options() -> None:
    torch._dynamo.reset()
    x = logits()[0]

    @torch.compile(fullgraph=True, backend="aot_eager")
    def function(x: Any, q: float) -> Any:
        each = fl.torch.quantile_loss(x, torch.zeros(4), q=[0.1, 0.5, 0.9, 0.3])
        return (
            each
            + fl.torch.huber_loss(x, 0.0, delta=q)
            + fl.torch.poisson_nll_loss(x, 1.0, full="exact")
        )

    value = function(x, 0.3)
    plain = x.detach().numpy()
    expected = fl.quantile_loss(plain, np.zeros(4), q=[0.1, 0.5, 0.9, 0.3])
    expected += fl.huber_loss(plain, 0.0, delta=0.3) + fl.poisson_nll_loss(plain, 1.0, full="exact")
    np.testing.assert_allclose(value.item(), expected, rtol=1e-12)
    with pytest.raises(Exception, match="unexpected argument 'dleta'"):
        torch.compile(partial(fl.torch.huber_loss, target=0.0, dleta=1.0), fullgraph=True)(x)
    with pytest.raises(Exception, match="huber_loss: too many positional arguments"):
        torch.compile(lambda x: fl.torch.huber_loss(x, x, x), fullgraph=True)(x)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch about torch
def test_compiled_by_inductor() -> None:
    torch._dynamo.reset()
    x, t = logits()
    value = torch.compile(lambda x: fl.torch.cross_entropy(x * 2, t) + 1, fullgraph=True)(x)
    value.backward()
    expected = torch.autograd.grad(F.cross_entropy(x * 2, t), x)[0]
    torch.testing.assert_close(x.grad, expected)


def test_operators_pass_the_checks_of_torch() -> None:
    x, t = logits()
    torch.compile(lambda: fl.torch.cross_entropy(x, t), backend="eager", fullgraph=True)()
    torch.library.opcheck(
        torch.ops.fusedloss.cross_entropy.default,
        (x, t, None, None, None, -100, 0.0, 0.0, None, False, None, "mean", "{}", 1),
    )


def test_a_training_loop() -> None:
    """The same steps as with torch's own loss."""
    ends = []
    for package in (fl.torch, torch.nn):
        criterion = package.CrossEntropyLoss(label_smoothing=0.1)
        torch.manual_seed(0)
        model = torch.nn.Linear(8, 3)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        x, t = torch.randn(64, 8), torch.randint(0, 3, (64,))
        for _ in range(20):
            optimizer.zero_grad()
            criterion(model(x), t).backward()
            optimizer.step()
        ends.append(model.weight.detach())
    torch.testing.assert_close(*ends)


def test_modules() -> None:
    x, t = logits()
    weight = torch.arange(1.0, 5.0, dtype=torch.float64)
    module = fl.torch.CrossEntropyLoss(weight, label_smoothing=0.2)
    assert isinstance(module, torch.nn.Module)
    assert list(module.state_dict()) == ["weight"]
    assert repr(module) == "CrossEntropyLoss(weight=<tensor of shape (4,)>, label_smoothing=0.2)"
    expected = F.cross_entropy(x, t, weight, label_smoothing=0.2)
    torch.testing.assert_close(module(x, t), expected)
    torch.testing.assert_close(
        module(x, t, weight=None), F.cross_entropy(x, t, label_smoothing=0.2)
    )
    copy = pickle.loads(pickle.dumps(module))
    torch.testing.assert_close(copy(x, t), expected)
    compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, t), expected)
    learned = fl.torch.InfoNCELoss(temperature=torch.nn.Parameter(torch.tensor(0.2)))
    assert [name for name, _ in learned.named_parameters()] == ["temperature"]
    with pytest.raises(ValueError, match="label_smoothing: a number from 0 to 1"):
        fl.torch.CrossEntropyLoss(label_smoothing=2.0)
    with pytest.raises(TypeError, match=r"CrossEntropyLoss: .*'smoothing'"):
        fl.torch.CrossEntropyLoss(smoothing=0.1)


def test_functions_are_documented_and_pickled() -> None:
    function = fl.torch.huber_loss
    assert "delta : float" in function.__doc__
    assert list(inspect.signature(function).parameters)[-1] == "grad_out"
    assert "target_grad" not in inspect.signature(fl.torch.kl_div).parameters
    assert pickle.loads(pickle.dumps(function)) is function
    with pytest.raises(AttributeError, match=r"fusedloss\.torch"):
        fl.torch.no_such_loss  # noqa: B018


BAD = [
    (lambda x, t: fl.torch.mse_loss(x, x), TypeError, "target: mse_loss has no derivative"),
    (lambda x, t: fl.torch.cross_entropy(x), TypeError, "cross_entropy: missing .* 'target'"),
    (lambda x, t: fl.torch.cross_entropy(x, t, a=1), TypeError, "cross_entropy: .*'a'"),
    (lambda x, t: fl.torch.cross_entropy(x, t, target=t), TypeError, "multiple values"),
    (lambda x, t: fl.torch.cross_entropy(x, t + 9), IndexError, "target"),
    (lambda x, t: fl.torch.huber_loss(x.detach(), 0.0, 1.0), TypeError, "huber_loss: too many"),
    (
        lambda x, t: torch.func.vmap(lambda x: fl.torch.mse_loss(x, 0.0))(x.detach()[:0]),
        ValueError,
        "mse_loss: vmap over an axis of length 0",
    ),
    (lambda x, t: fl.torch.mse_loss(x.detach().to("meta"), 1.0), TypeError, "input: .* meta"),
    (lambda x, t: fl.cross_entropy(x, t), TypeError, r"input: .* requires grad.*fusedloss.torch"),
    (lambda x, t: fl.cross_entropy(x.detach().to("meta"), t), TypeError, "input: .* meta"),
    (lambda x, t: fl.mse_loss.value_and_grad(x.detach(), 0.0, grad_out=x), TypeError, "grad_out: "),
    (
        lambda x, t: torch.func.grad(lambda x: torch.tensor(fl.mse_loss(x, 0.0)))(x.detach()),
        TypeError,
        "input: .*torch",
    ),
    (
        lambda x, t: torch.func.vmap(lambda x: fl.mse_loss(x, 0.0))(x.detach()),
        TypeError,
        "input: .*torch",
    ),
    (lambda x, t: fl.torch.mse_loss(x.detach().to_sparse(), 0.0), TypeError, "input: "),
]


@pytest.mark.parametrize(("call", "error", "text"), BAD)
def test_errors(call: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        call(*logits())


# ---- tensors given to the functions for NumPy --------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_tensors_as_operands_and_buffers(dtype: Any) -> None:
    x, t = logits(5, 4, dtype)
    x = x.detach()
    grad, hess, out = (
        torch.zeros(5, 4, dtype=dtype),
        torch.zeros(5, 4, dtype=dtype),
        torch.zeros(()),
    )
    results = fl.cross_entropy.value_grad_hess(x, t, out=out, grad_out=grad, hess_out=hess)
    assert results[0] is out and results[1] is grad and results[2] is hess
    wide = x.float().numpy()
    expected = fl.cross_entropy.value_grad_hess(wide, t.numpy())
    for got, want in zip(results, expected, strict=True):
        torch.testing.assert_close(
            got.float(), torch.tensor(np.float32(want)), rtol=1e-2, atol=1e-3
        )
    value, same, divisor = fl.CrossEntropyLoss().value_and_grad(
        x, t, grad_out=grad, return_divisor=True
    )
    assert isinstance(value, np.floating) and same is grad and divisor == 5
    assert fl.softmax(x, out=hess) is hess
    torch.testing.assert_close(hess.sum(1), torch.ones(5, dtype=dtype), rtol=1e-2, atol=0)
    assert fl.softmax.vjp(x, x, grad_out=grad) is grad


def test_tuples_of_buffers() -> None:
    a, b = logits()[0].detach(), logits(5)[0].detach()[:1]
    first, second = torch.zeros_like(a), np.zeros((1, 4))
    _, grads = fl.margin_ranking_loss.value_and_grad(a, b, 1.0, grad_out=(first, second))
    assert grads[0] is first and grads[1] is second
    _, expected = fl.margin_ranking_loss.value_and_grad(a.numpy(), b.numpy(), 1.0)
    np.testing.assert_array_equal(first.numpy(), expected[0])
    _, grads = fl.margin_ranking_loss.value_and_grad(a, b, 1.0, grad_out=(first, None))
    assert grads[0] is first and isinstance(grads[1], np.ndarray)


def test_a_buffer_on_an_input_is_refused() -> None:
    x, t = logits()
    x = x.detach()
    with pytest.raises(ValueError, match="hess_out: shares memory"):
        fl.cross_entropy.value_grad_hess(x, t, hess_out=x)
    with pytest.raises(ValueError, match="out: shares memory"):
        fl.mse_loss(x, 0.0, reduction="none", out=x)
