"""Who takes part: the kernels, their NumPy twins, other libraries in their best form, plain memory.

Each is made from a question and its arrays, and gives a step to be timed, and from what the step
returns the value and the gradients, so that all can be compared before anyone is timed.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

import fusedloss as fl
from bench import expressions, formulas
from bench.cases import EACH, GRAD, RESULT, VALUE, Arrays, Question
from bench.light import light
from bench.race import bind
from tests import twins

Step: TypeAlias = Callable[[], Any]
Named: TypeAlias = dict[str, np.ndarray[Any, Any]]


def _as_it_is(result: Any) -> Any:
    return result


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Entrant:
    """A step, and value and gradients from what it returns."""

    step: Step
    results: Callable[[Any], Any] | None = _as_it_is  # None: it computes nothing
    composed: bool = False  # of a library's operations, which has no such function
    memory: str = "fresh"  # or "given": where it writes gradients and results
    release: Callable[[], None] = _nothing  # what the last step has left behind
    threads: int = 1


# --- ours, and NumPy's --------------------------------------------------------------------------


def _buffers(question: Question, named: Named) -> Any:
    """Memory for what is written besides a value: gradients, or the result."""
    loss, options = getattr(fl, question.case.loss), question.case.options
    if question.result in (GRAD, EACH):
        buffers = tuple(np.zeros_like(named[name]) for name in question.case.leaves)
        return buffers if len(buffers) > 1 else buffers[0]
    return np.zeros_like(loss(**named, **options)) if question.result == RESULT else None


def _written(question: Question, named: Named) -> tuple[Any, ...]:
    buffers = _buffers(question, named)
    return buffers if isinstance(buffers, tuple) else () if buffers is None else (buffers,)


def fused(question: Question, arrays: Arrays) -> Entrant:
    """The kernel. It writes into arrays that are there already, as in a training loop."""
    case, named = question.case, question.named(arrays)
    loss = getattr(fl, case.loss)
    if question.result == EACH:
        options = {**case.options, "reduction": "none"}
        return Entrant(functools.partial(loss.value_and_grad, *arrays, **options))
    if question.result == VALUE:
        return Entrant(functools.partial(loss, *arrays, **case.options), memory="given")
    names = {GRAD: "grad_out", RESULT: "out"}
    given = {names[question.result]: _buffers(question, named)}
    method = loss.value_and_grad if question.result == GRAD else loss
    return Entrant(functools.partial(method, *arrays, **case.options, **given), memory="given")


def fused_fresh(question: Question, arrays: Arrays) -> Entrant:
    """The kernel, returning new arrays."""
    loss = getattr(fl, question.case.loss)
    method = loss.value_and_grad if question.result == GRAD else loss
    return Entrant(functools.partial(method, *arrays, **question.case.options))


def _with_threads(count: int, set_threads: Callable[[int], None], entrant: Entrant) -> Entrant:
    """Setting the number of threads takes a fraction of a microsecond."""

    def step() -> Any:
        set_threads(count)
        return entrant.step()

    return replace(entrant, step=step, threads=count)


def with_numpy(question: Question, arrays: Arrays) -> Entrant:
    """The twin, which returns new arrays."""
    case = question.case
    name = f"{case.loss}_and_grad" if question.result == GRAD else case.loss
    if question.result == EACH:
        return Entrant(functools.partial(_one_by_one, question, arrays))
    images = case.loss == "cross_entropy" and len(question.shape) > 2
    twin = getattr(formulas, f"images_{name}") if images else getattr(twins, name)
    return Entrant(functools.partial(twin, *arrays, **case.options))


def _one_by_one(question: Question, arrays: Arrays) -> Any:
    """A mean of one loss is that loss, and its gradient is that of the sum."""
    twin = getattr(twins, f"{question.case.loss}_and_grad")
    values, grads = [], []
    for k in range(len(arrays[0])):
        value, grad = twin(*(a[k : k + 1] for a in arrays), **question.case.options)
        values.append(value)
        grads.append(grad if isinstance(grad, tuple) else (grad,))
    found = tuple(np.concatenate(parts) for parts in zip(*grads, strict=True))
    return np.array(values, arrays[0].dtype), found if len(found) > 1 else found[0]


def of_memory(question: Question, arrays: Arrays) -> Entrant:
    """Reads what is given, and writes what is asked for, and does nothing else."""
    outputs = _written(question, question.named(arrays))
    return Entrant(light(arrays, outputs), None, memory="given")


# --- torch --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _InTorch:
    forward: Step
    leaves: list[Any]
    native: bool


def _in_torch(question: Question, arrays: Arrays) -> _InTorch:
    import torch

    case = question.case
    native = getattr(torch.nn.functional, case.loss, None) if question.result != RESULT else None
    formula = formulas.IN_TORCH.get(case.loss) or getattr(formulas, case.loss)
    names = formulas.torch_names()
    named = {name: torch.from_numpy(a) for name, a in question.named(arrays).items()}
    wanted = question.result in (GRAD, EACH)
    leaves = [named[name] for name in case.leaves] if wanted else []
    for leaf in leaves:
        leaf.requires_grad_()

    each = {"reduction": "none"} if question.result == EACH else {}

    def forward() -> Any:
        if native is not None:
            return native(**named, **case.options, **each)
        result = formula(names, **named, **case.options)
        return result if question.result in (RESULT, EACH) else result.mean()

    return _InTorch(forward, leaves, native is not None or question.result == RESULT)


def _torch_step(inner: _InTorch, forward: Step) -> Entrant:
    import torch

    def alone() -> Any:
        with torch.inference_mode():
            return forward()

    def release() -> None:
        for leaf in inner.leaves:
            leaf.grad = None

    def both() -> Any:
        release()
        value = forward()
        (value.sum() if value.ndim else value).backward()
        return value

    def results(value: Any) -> Any:
        if not inner.leaves:
            return value.detach().numpy()
        return value.detach().numpy(), tuple(leaf.grad.numpy() for leaf in inner.leaves)

    step = both if inner.leaves else alone
    return Entrant(step, results, composed=not inner.native, release=release)


def with_torch(question: Question, arrays: Arrays) -> Entrant:
    """Eager, forward and backward; without a gradient in inference mode."""
    inner = _in_torch(question, arrays)
    return _torch_step(inner, inner.forward)


def with_torch_compile(question: Question, arrays: Arrays) -> Entrant:
    """The same compiled for these shapes, which happens in the first step."""
    import torch

    torch.compiler.reset()  # else it would give up after some functions
    inner = _in_torch(question, arrays)
    return _torch_step(inner, torch.compile(inner.forward, dynamic=False))


# --- jax, numexpr, numba ------------------------------------------------------------------------


def with_jax(question: Question, arrays: Arrays) -> Entrant:
    """Compiled in the first step, and waited for."""
    import jax

    jax.config.update("jax_enable_x64", question.dtype == "float64")
    case = question.case
    formula, names = getattr(formulas, case.loss), formulas.jax_names()
    named: dict[str, Any] = {}
    for name, a in question.named(arrays).items():
        named[name] = jax.numpy.asarray(a.astype(np.int32) if a.dtype.kind == "i" else a)
    leaves = tuple(named.pop(name) for name in case.leaves if name in named)

    def result(leaves: tuple[Any, ...], others: dict[str, Any]) -> Any:
        given = dict(zip(case.leaves, leaves, strict=False))
        found = formula(names, **given, **others, **case.options)
        return found if question.result in (RESULT, EACH) else found.mean()

    def summed(leaves: tuple[Any, ...], others: dict[str, Any]) -> Any:
        losses = result(leaves, others)
        return losses.sum(), losses

    if question.result == EACH:
        both = jax.jit(jax.value_and_grad(summed, has_aux=True))
        return Entrant(lambda: both(leaves, named), lambda found: (found[0][1], found[1]))
    function = jax.jit(jax.value_and_grad(result) if question.result == GRAD else result)
    return Entrant(lambda: jax.block_until_ready(function(leaves, named)))


def _graph(question: Question) -> expressions.Traced | None:
    case = question.case
    if case.family not in ("regression", "binary", "distributions"):
        return None
    return expressions.traced(case.loss, case.operands, case.leaves, case.options)


def with_numexpr(question: Question, arrays: Arrays) -> Entrant:
    """Value and each gradient are expressions of their own; the latter go where they belong."""
    named, graph = question.named(arrays), _graph(question)
    assert graph
    step = expressions.with_numexpr(
        graph, named, _written(question, named), each=question.result == EACH
    )
    return Entrant(step, composed=True, memory="given")


def with_numba(question: Question, arrays: Arrays) -> Entrant:
    """A loop as its users write it: all of an element at once, with fastmath."""
    named, graph = question.named(arrays), _graph(question)
    written = _written(question, named)
    if graph is None:
        step = expressions.cross_entropy_with_numba(*arrays, *written)
    else:
        step = expressions.with_numba(graph, named, written, each=question.result == EACH)
    return Entrant(step, composed=True, memory="given")


# --- scikit-learn, SciPy ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Private:
    """A private loss of scikit-learn."""

    name: str
    times: float = 1.0  # what times theirs is ours
    names: Mapping[str, str] = field(default_factory=dict)  # of options, where they are others
    fixed: Mapping[str, float] = field(default_factory=dict)  # options that are our defaults


_IN_SKLEARN: Final = {
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


def with_sklearn(question: Question, arrays: Arrays) -> Entrant:
    """The losses of all elements, and the gradients of their sum, in memory that is given."""
    from sklearn._loss import _loss

    case = question.case
    private = _IN_SKLEARN[case.loss]
    options = {private.names.get(k, k): v for k, v in case.options.items()}
    loss, times = getattr(_loss, private.name)(**options, **private.fixed), private.times
    x, target = arrays
    values, grad = np.empty(len(x), x.dtype), np.empty_like(x)
    named = {
        "y_true": target.astype(x.dtype),
        "raw_prediction": x,
        "sample_weight": None,
        "loss_out": values,
        "n_threads": 1,
    }
    if question.result == VALUE:
        return Entrant(lambda: loss.loss(**named), lambda _: times * values.mean(), memory="given")
    if question.result == EACH:
        return Entrant(
            lambda: loss.loss_gradient(**named, gradient_out=grad),
            lambda _: (x.dtype.type(times) * values, x.dtype.type(times) * grad),
        )
    return Entrant(
        lambda: loss.loss_gradient(**named, gradient_out=grad),
        lambda _: (times * values.mean(), times / len(x) * grad),
        memory="given",
    )


def _in_scipy() -> dict[str, Callable[..., Any]]:
    from scipy import special

    def bce(x: Any, t: Any) -> Any:
        return np.mean((1 - t) * x - special.log_expit(x))

    def picked(log_p: Any, target: Any) -> Any:
        return -np.mean(np.take_along_axis(log_p, target[:, None], axis=1))

    return {
        "huber_loss": lambda x, t, delta: np.mean(special.huber(delta, x - t)),
        "pseudo_huber_loss": lambda x, t, delta: np.mean(special.pseudo_huber(delta, x - t)),
        "binary_cross_entropy_with_logits": lambda x, t: np.mean(
            (1 - t) * x - special.log_expit(x)
        ),
        "soft_margin_loss": lambda x, t: -np.mean(special.log_expit(t * x)),
        "kl_div": lambda x, t: np.mean(special.xlogy(t, t) - t * x),
        "cross_entropy": lambda x, t: picked(special.log_softmax(x, axis=1), t),
        "sigmoid": special.expit,
        "logsigmoid": special.log_expit,
        "softmax": special.softmax,
        "log_softmax": special.log_softmax,
        "logsumexp": special.logsumexp,
    }


#: The keys of these, which are known before SciPy is imported.
_OF_SCIPY: Final = (
    *("huber_loss", "pseudo_huber_loss", "binary_cross_entropy_with_logits", "soft_margin_loss"),
    *("kl_div", "cross_entropy", "sigmoid", "logsigmoid", "softmax", "log_softmax", "logsumexp"),
)


def with_scipy(question: Question, arrays: Arrays) -> Entrant:
    """Its functions of elements and rows, and what NumPy has to add; it has no gradients."""
    function = functools.partial(_in_scipy()[question.case.loss], *arrays, **question.case.options)
    return Entrant(function, composed=question.result != RESULT)


# --- the list -----------------------------------------------------------------------------------


def _always(question: Question) -> bool:
    return True


def _is_large(question: Question) -> bool:
    """Below this a call costs more than memory does."""
    return question.size >= 1_000_000


def _has_formula(question: Question) -> bool:
    return hasattr(formulas, question.case.loss)


def _in_numba(question: Question) -> bool:
    rows = question.case.loss == "cross_entropy" and len(question.shape) == 2
    return (rows and question.result != EACH) or _graph(question) is not None


@dataclass(frozen=True)
class Maker:
    """Makes an entrant, for those questions that it has an answer to."""

    make: Callable[[Question, Arrays], Entrant]
    has: Callable[[Question], bool] = _always
    module: str | None = None  # what must be installed


FUSED: Final = "fused"
NUMPY: Final = "numpy"
MEMORY: Final = "memory"
FRESH: Final = "fused, fresh"

PEERS: Final[dict[str, Maker]] = {
    "torch": Maker(with_torch, _has_formula, "torch"),
    "torch.compile": Maker(with_torch_compile, _has_formula, "torch"),
    "jax.jit": Maker(with_jax, _has_formula, "jax"),
    "numba": Maker(with_numba, _in_numba, "numba"),
    "numexpr": Maker(with_numexpr, lambda q: _graph(q) is not None, "numexpr"),
    "scikit-learn": Maker(
        with_sklearn,
        lambda q: q.case.loss in _IN_SKLEARN and len(q.shape) <= 2 and q.result != RESULT,
        "sklearn",
    ),
    "SciPy": Maker(
        with_scipy,
        lambda q: q.case.loss in _OF_SCIPY and q.result not in (GRAD, EACH) and len(q.shape) <= 2,
        "scipy",
    ),
}

MAKERS: Final[dict[str, Maker]] = {
    FUSED: Maker(fused),
    FRESH: Maker(fused_fresh, lambda q: q.result != VALUE and _is_large(q)),
    NUMPY: Maker(with_numpy),
    MEMORY: Maker(of_memory, _is_large),
    **PEERS,
}


def installed(name: str) -> bool:
    module = MAKERS[name].module
    return module is None or importlib.util.find_spec(module) is not None


def make(name: str, question: Question, arrays: Arrays) -> Entrant:
    """An entrant of the list, or "fused, 2 threads" and the like."""
    base, _, words = name.partition(", ")
    if words.endswith(("thread", "threads")):
        count = int(words.split()[0])
        set_threads: Callable[[int], None] = fl.set_num_threads
        if base == "torch":
            set_threads = importlib.import_module("torch").set_num_threads
        return _with_threads(count, set_threads, MAKERS[base].make(question, arrays))
    return MAKERS[name].make(question, arrays)


def versions() -> dict[str, str]:
    """Of NumPy, and of the peers that are there."""
    found = {NUMPY: np.__version__}
    for name in PEERS:
        if installed(name):
            module = importlib.import_module(MAKERS[name].module or "")
            found[name] = module.__version__
    return found


def prepare(peers: bool) -> None:
    """One thread for all, and the allocator as in a process that has run for a while."""
    if peers:
        # jax takes as many threads as there are CPUs for it, whatever XLA_FLAGS say.
        bind(1)
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        # Compiled loops are kept from run to run, within the checkout.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.abspath("build/bench/inductor"))
        warnings.simplefilter("ignore")  # theirs, about themselves
        if installed("torch"):
            importlib.import_module("torch").set_num_threads(1)
    # Products of matrices, NumPy's and ours: two threads on one CPU would wait for each other.
    threadpool_limits(1, user_api="blas")
    settle_allocator()


def settle_allocator() -> None:
    """Bring glibc to where it is in a process that has run for a while.

    It returns large freed blocks to the system, at first already small ones, and learns from the
    blocks freed. NumPy's temporaries of some megabytes would cost page faults or not, several times
    the work itself, depending on what ran before. Freeing the largest block that it learns from
    (less than 32 MB) spares NumPy them in all questions but those with larger arrays.
    """
    block = np.empty(31 << 20, dtype=np.uint8)
    del block


def keep_memory() -> None:
    """From now on glibc takes all blocks from its heap, which never shrinks."""
    import ctypes

    libc, trim_threshold, mmap_max = ctypes.CDLL(None), -1, -4
    if not (libc.mallopt(mmap_max, 0) and libc.mallopt(trim_threshold, -1)):
        raise OSError("mallopt does not take these settings")
