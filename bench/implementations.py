"""Who is compared: kernels, NumPy twins, other libraries in their best form, plain memory.

Each is made from a question and its arrays, and gives a step to be timed, and from what the step
returns the value and the gradients, so that all can be compared before anyone is timed.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import fusedloss as fl
from bench import formulas
from bench.bandwidth import read_and_write
from bench.cases import EACH, GRAD, RESULT, VALUE, WRITTEN, Array, Arrays, Question
from bench.machine import installed
from tests import twins

FUSED, FRESH, NUMPY, MEMORY = "fused", "fused, fresh", "numpy", "memory"


@dataclass(frozen=True)
class Implementation:
    """A step, and value and gradients from what it returns."""

    step: Callable[[], Any]
    results: Callable[[Any], Any] | None = lambda result: result  # None: it computes nothing
    composed: bool = False  # of a library's operations, which has no such function
    memory: str = "fresh"  # or "given": where it writes gradients and results
    release: Callable[[], None] = lambda: None  # drops what the last step has left behind
    threads: int = 1


# --- ours, and NumPy's --------------------------------------------------------------------------


def _buffers(question: Question, arrays: Arrays) -> tuple[Array, ...]:
    """Memory for what is written besides a value: gradients, or the result."""
    case, named = question.case, question.named(arrays)
    if question.result == RESULT:
        return (np.zeros_like(getattr(fl, case.loss)(**named, **case.options)),)
    wanted = question.result in (GRAD, EACH)
    return tuple(np.zeros_like(named[name]) for name in case.leaves if wanted)


def fused(question: Question, arrays: Arrays, fresh: bool = False) -> Implementation:
    """The kernel. It writes into arrays that are there already, as in a training loop; or not."""
    loss, options = getattr(fl, question.case.loss), dict(question.case.options)
    method = loss.value_and_grad if question.result in (GRAD, EACH) else loss
    if question.result == EACH:
        fresh, options["reduction"] = True, "none"
    if not fresh and (buffers := _buffers(question, arrays)):
        name = "grad_out" if question.result == GRAD else "out"
        options[name] = buffers if len(buffers) > 1 else buffers[0]
    by_position, by_name = question.case.given(arrays)
    step = functools.partial(method, *by_position, **by_name, **options)
    return Implementation(step, memory="fresh" if fresh else "given")


def with_numpy(question: Question, arrays: Arrays) -> Implementation:
    """The twin, which returns new arrays."""
    case, suffix = question.case, "_and_grad" * (question.result in (GRAD, EACH))
    images = case.loss == "cross_entropy" and len(question.shape) > 2
    module, prefix = (formulas, "images_") if images else (twins, "")
    twin = functools.partial(getattr(module, f"{prefix}{case.loss}{suffix}"), **case.options)

    def one_by_one() -> Any:
        """A mean of one loss is that loss, and its gradient is that of the sum."""
        found = [twin(*(a[k : k + 1] for a in arrays)) for k in range(len(arrays[0]))]
        values = np.array([value for value, _ in found], arrays[0].dtype)
        if isinstance(found[0][1], tuple):
            grads = zip(*(grad for _, grad in found), strict=True)
            return values, tuple(map(np.concatenate, grads))
        return values, np.concatenate([grad for _, grad in found])

    if question.result == EACH:
        return Implementation(one_by_one)
    by_position, by_name = case.given(arrays)
    return Implementation(functools.partial(twin, *by_position, **by_name))


def of_memory(question: Question, arrays: Arrays) -> Implementation:
    """Reads what is given, and writes what is asked for, and does nothing else."""
    step = read_and_write(arrays, _buffers(question, arrays))
    return Implementation(step, None, memory="given")


# --- torch and jax ------------------------------------------------------------------------------


def with_torch(question: Question, arrays: Arrays, compiled: bool = False) -> Implementation:
    """Eager or compiled for these shapes (in the first step), forward and backward; without a
    gradient in inference mode."""
    import torch

    case, result = question.case, question.result
    native = getattr(torch.nn.functional, case.loss, None) if result != RESULT else None
    formula = native or getattr(formulas.torch_formulas(), case.loss)
    named = {name: torch.from_numpy(a) for name, a in question.named(arrays).items()}
    leaves = [named[name] for name in case.leaves if result in (GRAD, EACH)]
    for leaf in leaves:
        leaf.requires_grad_()
    options = dict(case.options)
    if native and result == EACH:
        options["reduction"] = "none"

    def forward() -> Any:
        found = formula(*named.values(), **options)
        return found if native or result in (RESULT, EACH) else found.mean()

    if compiled:
        torch.compiler.reset()  # else it would give up after some functions
        forward = torch.compile(forward, dynamic=False)

    def release() -> None:
        for leaf in leaves:
            leaf.grad = None

    def step() -> Any:
        if not leaves:
            with torch.inference_mode():
                return forward()
        release()
        value = forward()
        (value.sum() if value.ndim else value).backward()
        return value

    def results(value: Any) -> Any:
        value = value.detach().numpy()
        return (value, tuple(leaf.grad.numpy() for leaf in leaves)) if leaves else value

    composed = native is None and result != RESULT
    return Implementation(step, results, composed=composed, release=release)


def with_jax(question: Question, arrays: Arrays) -> Implementation:
    """Compiled in the first step, and waited for."""
    import jax

    jax.config.update("jax_enable_x64", question.dtype == "float64")
    case, names = question.case, question.case.operands
    formula = getattr(formulas.jax_formulas(), case.loss)
    given = [jax.numpy.asarray(a.astype(np.int32) if a.dtype.kind == "i" else a) for a in arrays]
    each = question.result == EACH

    def function(*given: Any) -> Any:
        found = formula(*given, **case.options)
        if each:
            return found.sum(), found
        return found if question.result == RESULT else found.mean()

    if question.result in (GRAD, EACH):
        leaves = tuple(names.index(name) for name in case.leaves)
        function = jax.value_and_grad(function, leaves, has_aux=each)
    run = jax.jit(function)
    if each:
        return Implementation(lambda: run(*given), lambda found: (found[0][1], found[1]))
    return Implementation(lambda: jax.block_until_ready(run(*given)))


# --- numexpr, numba -----------------------------------------------------------------------------


def _is_elementwise(question: Question) -> bool:
    """A formula that expressions.py can write as text."""
    return question.case.family in WRITTEN and hasattr(formulas.Formulas, question.case.loss)


def with_text(question: Question, arrays: Arrays, how: str) -> Implementation:
    """numexpr: value and each gradient are expressions of their own; numba: a loop as its users
    write it, all of an element at once, with fastmath."""
    from bench import expressions

    case, buffers = question.case, _buffers(question, arrays)
    if case.loss == "cross_entropy":
        step = expressions.cross_entropy_with_numba(*arrays, *buffers)
    else:
        text = expressions.expressions(case.loss, tuple(case.operands), tuple(case.leaves))
        make = getattr(expressions, how)
        step = make(text, question.named(arrays), buffers, each=question.result == EACH)
    return Implementation(step, composed=True, memory="given")


# --- scikit-learn, SciPy ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Private:
    """A private loss of scikit-learn."""

    name: str
    times: float = 1.0  # what times theirs is ours
    names: Mapping[str, str] = field(default_factory=dict)  # of options, where they are others
    fixed: Mapping[str, float] = field(default_factory=dict)  # options that are our defaults


_IN_SKLEARN = {
    "mse_loss": _Private("CyHalfSquaredError", 2.0),
    "l1_loss": _Private("CyAbsoluteError"),
    "huber_loss": _Private("CyHuberLoss"),
    "quantile_loss": _Private("CyPinballLoss", names={"q": "quantile"}),
    "poisson_nll_loss": _Private("CyHalfPoissonLoss"),
    "gamma_nll_loss": _Private("CyHalfGammaLoss"),
    "tweedie_loss": _Private("CyHalfTweedieLoss", fixed={"power": 1.5}),
    "binary_cross_entropy_with_logits": _Private("CyHalfBinomialLoss"),
    "cross_entropy": _Private("CyHalfMultinomialLoss"),
}


def with_sklearn(question: Question, arrays: Arrays) -> Implementation:
    """The losses of all elements, and the gradients of their sum, in memory that is given."""
    from sklearn._loss import _loss

    case = question.case
    private = _IN_SKLEARN[case.loss]
    options = {private.names.get(k, k): v for k, v in case.options.items()}
    loss = getattr(_loss, private.name)(**options, **private.fixed)
    x, target = arrays
    values, grad, times = np.empty(len(x), x.dtype), np.empty_like(x), x.dtype.type(private.times)
    given = {"y_true": target.astype(x.dtype), "raw_prediction": x, "sample_weight": None}
    given |= {"loss_out": values, "n_threads": 1}
    method = loss.loss
    if question.result != VALUE:
        method, given["gradient_out"] = loss.loss_gradient, grad

    def results(_: Any) -> Any:
        if question.result == EACH:
            return times * values, times * grad
        value = private.times * values.mean()
        return value if question.result == VALUE else (value, times / len(x) * grad)

    return Implementation(functools.partial(method, **given), results, memory="given")


#: Functions of elements and rows of scipy.special, and what NumPy has to add; it has no gradients.
_IN_SCIPY: dict[str, Callable[..., Any]] = {
    "huber_loss": lambda sp, x, t, delta: np.mean(sp.huber(delta, x - t)),
    "pseudo_huber_loss": lambda sp, x, t, delta: np.mean(sp.pseudo_huber(delta, x - t)),
    "binary_cross_entropy_with_logits": lambda sp, x, t: np.mean((1 - t) * x - sp.log_expit(x)),
    "soft_margin_loss": lambda sp, x, t: -np.mean(sp.log_expit(t * x)),
    "kl_div": lambda sp, x, t: np.mean(sp.xlogy(t, t) - t * x),
    "negative_binomial_nll_loss": lambda sp, x, t, u: np.mean(
        sp.gammaln(t + 1)
        + sp.gammaln(1 / u)
        - sp.gammaln(1 / u + t)
        + (1 / u + t) * np.log1p(u * np.exp(x))
        - t * (x + np.log(u))
    ),
    "binomial_nll_loss": lambda sp, x, t, n: np.mean(
        sp.gammaln(t + 1) + sp.gammaln(n - t + 1) - sp.gammaln(n + 1) - t * x - n * sp.log_expit(-x)
    ),
    "cross_entropy": lambda sp, x, t: (
        -np.mean(np.take_along_axis(sp.log_softmax(x, axis=1), t[:, None], axis=1))
    ),
    "sigmoid": lambda sp, x: sp.expit(x),
    "logsigmoid": lambda sp, x: sp.log_expit(x),
    "softmax": lambda sp, x, axis: sp.softmax(x, axis=axis),
    "log_softmax": lambda sp, x, axis: sp.log_softmax(x, axis=axis),
    "logsumexp": lambda sp, x, axis: sp.logsumexp(x, axis=axis),
}


def with_scipy(question: Question, arrays: Arrays) -> Implementation:
    from scipy import special

    case = question.case
    step = functools.partial(_IN_SCIPY[case.loss], special, *arrays, **case.options)
    return Implementation(step, composed=question.result != RESULT)


# --- the list -----------------------------------------------------------------------------------


def _is_large(question: Question) -> bool:
    """Below this a call costs more than memory does."""
    return question.size >= 1_000_000


def _has_formula(question: Question) -> bool:
    loss = question.case.loss
    return hasattr(formulas.Formulas, loss) or loss in formulas.OWN


def _in_numba(question: Question) -> bool:
    rows = question.case.loss == "cross_entropy" and len(question.shape) == 2
    return (rows and question.result != EACH) or _is_elementwise(question)


@dataclass(frozen=True)
class Maker:
    """Makes an implementation, for those questions that it has an answer to."""

    make: Callable[[Question, Arrays], Implementation]
    has: Callable[[Question], bool] = lambda question: True
    package: str = "numpy"  # what must be installed


PEERS = {
    "torch": Maker(with_torch, _has_formula, "torch"),
    "torch.compile": Maker(functools.partial(with_torch, compiled=True), _has_formula, "torch"),
    "jax.jit": Maker(with_jax, _has_formula, "jax"),
    "numba": Maker(functools.partial(with_text, how="with_numba"), _in_numba, "numba"),
    "numexpr": Maker(functools.partial(with_text, how="with_numexpr"), _is_elementwise, "numexpr"),
    "scikit-learn": Maker(
        with_sklearn,
        lambda q: q.case.loss in _IN_SKLEARN and len(q.shape) <= 2 and q.result != RESULT,
        "scikit-learn",
    ),
    "SciPy": Maker(
        with_scipy,
        lambda q: q.case.loss in _IN_SCIPY and q.result not in (GRAD, EACH) and len(q.shape) <= 2,
        "SciPy",
    ),
}
#: Families whose losses of one row are not its part of the mean.
_NOT_ALONE = ("sequences", "survival", "grouped", "ndcg")
MAKERS = {
    FUSED: Maker(fused),
    FRESH: Maker(
        functools.partial(fused, fresh=True), lambda q: q.result != VALUE and _is_large(q)
    ),
    NUMPY: Maker(with_numpy, lambda q: q.result != EACH or q.case.family not in _NOT_ALONE),
    MEMORY: Maker(of_memory, _is_large),
    **PEERS,
}


def available(question: Question, *but: str) -> list[str]:
    """All who are installed and have an answer, but for some."""
    return [
        name
        for name, maker in MAKERS.items()
        if name not in but and maker.has(question) and installed(maker.package)
    ]


def make(name: str, question: Question, arrays: Arrays) -> Implementation:
    """One of the list, or "fused, 2 threads" and the like."""
    base, _, words = name.partition(", ")
    if not words.endswith(("thread", "threads")):
        return MAKERS[name].make(question, arrays)
    count, inner = int(words.split()[0]), MAKERS[base].make(question, arrays)
    library: Any = fl if base == FUSED else importlib.import_module(base)

    def step() -> Any:
        library.set_num_threads(count)  # takes a fraction of a microsecond
        return inner.step()

    return replace(inner, step=step, threads=count)
