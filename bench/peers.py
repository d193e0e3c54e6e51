"""Value and gradient of every loss beside NumPy, torch eager, jax.jit, scikit-learn and SciPy.

``python -m bench.peers --help`` says what can be chosen, bench/README.md how it is measured. Each
peer takes part where it is installed.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import inspect
import os
import platform
import re
import statistics
import time
import timeit
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

import fusedloss as fl
from bench import cases, formulas
from tests import registry, twins
from tests.losses import binary, distributions, regression

Array: TypeAlias = np.ndarray[Any, Any]
Gradients: TypeAlias = tuple[Any, ...]

ELEMENTS: Final = 1_000_000
SHAPES: Final = ((100_000, 10), (10_000, 1000))
CROSS_ENTROPY_SHAPES: Final = (
    (10_000, 3),
    (100_000, 10),
    (10_000, 100),
    (10_000, 1000),
    (256, 32_000),
    (64, 128_256),
    (8, 21, 256, 256),
    (32, 10),
)
FAMILIES: Final = {"regression": regression, "binary": binary, "distributions": distributions}
CLASS_AXIS: Final = "class axis"
SEVERAL: Final = "several operands"

#: A turn is the best of so many samples, each of as many calls as take this time.
SAMPLES: Final = 3
SAMPLE_SECONDS: Final = 100e-6
MIN_TURNS: Final = 6
#: A ratio is marked that differs by more than this between odd and even turns,
NOISY: Final = 0.2
#: and one of threads if for more than this part of the race there was no CPU for both.
SHARED_CPU: Final = 0.05
THREADS: Final = "2 threads"
#: The largest difference from ours: relative, and of gradients to the largest of them too.
RTOL: Final = 1e-4
#: What the others may be off besides: they take steps of the Jaccard index, which is up to 1, as
#: differences in float32.
OFF: Final = {"lovasz_hinge_loss": 1e-6, "lovasz_softmax_loss": 1e-6}


# --- what is compared ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A loss with its arrays and options, by the names of its arguments."""

    family: str
    loss: str
    remark: str
    arrays: dict[str, Array]
    leaves: tuple[str, ...] = ("input",)  # what the gradients are with respect to
    options: dict[str, Any] = field(default_factory=dict)
    gradient: bool = True  # or the value alone

    @property
    def label(self) -> str:
        return f"{self.loss} {self.remark}".rstrip()

    @property
    def size(self) -> int:
        return self.arrays[self.leaves[0]].size

    @property
    def threaded(self) -> bool:
        """Whether it is measured with two threads, too."""
        return self.loss == "cross_entropy" and self.gradient and self.size >= ELEMENTS


Maker: TypeAlias = Callable[[], Row]


def elementwise(variants: bool) -> Iterator[tuple[str, str, Maker]]:
    """Family, label and row of each loss of the registry with its default options; with variants
    also of those options that are not numbers, which choose another formula."""
    for family, module in FAMILIES.items():
        for case in module.ELEMENTWISE:
            defaults = inspect.signature(getattr(fl, case.loss)).parameters
            changed = {k: v for k, v in case.options.items() if v != defaults[k].default}
            words = [f"{k}={v}" for k, v in changed.items()]
            if case.third and case.side is None:
                words.append(case.third)
            numbers = any(type(v) in (int, float) for v in changed.values())
            if case.side == 1 or numbers or (words and not variants):
                continue
            label = " ".join([case.loss, *words])

            def make(family: str = family, case: Any = case, remark: str = " ".join(words)) -> Row:
                rng = np.random.default_rng(0)
                arrays = {
                    name: registry.KINDS[kind].typical(rng, ELEMENTS).astype(np.float32)
                    for name, kind in case.kinds.items()
                }
                leaves = (case.first,) if case.side is None else (case.first, case.third)
                return Row(family, case.loss, remark, arrays, leaves, case.options)

            yield family, label, make


def over_classes() -> Iterator[tuple[str, str, Maker]]:
    """The same of the losses over a class axis, and of cross_entropy the value alone, too."""
    for row in cases.FIRST_ROWS.values():
        entropy = row.loss == "cross_entropy"
        for gradient in (True, False) if entropy else (True,):
            for shape in CROSS_ENTROPY_SHAPES if entropy else SHAPES:
                remark = f"{shape}" if gradient else f"{shape}, value alone"

                def make(
                    row: Any = row,
                    shape: tuple[int, ...] = shape,
                    remark: str = remark,
                    gradient: bool = gradient,
                ) -> Row:
                    rng = np.random.default_rng(0)
                    x, target = cases.rows_of(row.target)(rng, shape, "float32")
                    arrays = {"input": x, "target": target}
                    return Row(
                        CLASS_AXIS, row.loss, remark, arrays, options=row.options, gradient=gradient
                    )

                yield CLASS_AXIS, f"{row.loss} {remark}", make


def of_several() -> Iterator[tuple[str, str, Maker]]:
    """The same of the losses of several operands."""
    rows = {row.loss: row for row in registry.JOINT}
    for case in cases.JOINT:
        for shape in case.shapes["float32"]:

            def make(case: Any = case, shape: tuple[int, ...] = shape) -> Row:
                row = rows[case.loss]
                made = case.inputs(np.random.default_rng(0), shape, "float32")
                arrays = dict(zip(row.operands, made, strict=True))
                return Row(SEVERAL, case.loss, f"{shape}", arrays, row.leaves)

            yield SEVERAL, f"{case.loss} {shape}", make


# --- who takes part -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Entrant:
    """A step, and value and gradients from what it returns."""

    step: Callable[[], Any]
    results: Callable[[Any], tuple[Any, Gradients]] | None = None
    composed: bool = False


def _tuple(result: Any) -> tuple[Any, Gradients]:
    """Of a value, or of a value and its gradients."""
    if not isinstance(result, tuple):
        return result, ()
    value, grads = result
    return value, grads if isinstance(grads, tuple) else (grads,)


def fused(row: Row) -> Entrant:
    loss = getattr(fl, row.loss)
    if not row.gradient:
        return Entrant(lambda: loss(**row.arrays, **row.options), _tuple)
    buffers = tuple(np.empty_like(row.arrays[name]) for name in row.leaves)
    grad_out = buffers if len(buffers) > 1 else buffers[0]
    method = loss.value_and_grad
    return Entrant(lambda: method(**row.arrays, **row.options, grad_out=grad_out), _tuple)


def with_two_threads(row: Row) -> Entrant:
    """Ours. Setting the number of threads takes a fraction of a microsecond."""
    step = fused(row).step

    def threaded() -> Any:
        fl.set_num_threads(2)
        try:
            return step()
        finally:
            fl.set_num_threads(1)

    return Entrant(threaded, _tuple)


def with_numpy(row: Row) -> Entrant:
    name = f"{row.loss}_and_grad" if row.gradient else row.loss
    if row.family == CLASS_AXIS and row.arrays["input"].ndim > 2:
        twin = getattr(formulas, f"images_{name}")
    else:
        twin = getattr(twins, name)
    return Entrant(lambda: twin(**row.arrays, **row.options), _tuple)


def plain_pass(row: Row) -> Entrant | None:
    """Reads two arrays and writes a third."""
    if row.family in (CLASS_AXIS, SEVERAL):
        return None
    a, b = row.arrays[row.leaves[0]], row.arrays["target"]
    out = np.empty_like(a)
    return Entrant(lambda: np.add(a, b, out=out))


def with_torch(row: Row) -> Entrant:
    import torch

    native = getattr(torch.nn.functional, row.loss, None)
    if {"log_clamp": None}.items() <= row.options.items() or row.options.get("full") == "exact":
        native = None
    formula = formulas.IN_TORCH.get(row.loss) or getattr(formulas, row.loss)
    names = formulas.torch_names()
    arrays = {name: torch.from_numpy(a) for name, a in row.arrays.items()}
    leaves = [arrays[name].requires_grad_() for name in row.leaves]

    def forward() -> Any:
        if native is None:
            return formula(names, **arrays, **row.options).mean()
        return native(**arrays, **row.options)

    def alone() -> Any:
        with torch.inference_mode():
            return forward()

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        value = forward()
        value.backward()
        return value

    def results(value: Any) -> tuple[Any, Gradients]:
        grads = tuple(leaf.grad.numpy() for leaf in leaves) if row.gradient else ()
        return value.detach().numpy(), grads

    return Entrant(step if row.gradient else alone, results, composed=native is None)


def with_jax(row: Row) -> Entrant:
    import jax

    formula, names = getattr(formulas, row.loss), formulas.jax_names()
    arrays = {name: jax.numpy.asarray(a) for name, a in row.arrays.items()}
    leaves = tuple(arrays.pop(name) for name in row.leaves)

    def mean(leaves: Gradients, others: dict[str, Any]) -> Any:
        named = dict(zip(row.leaves, leaves, strict=True))
        return formula(names, **named, **others, **row.options).mean()

    function = jax.jit(jax.value_and_grad(mean) if row.gradient else mean)
    return Entrant(lambda: jax.block_until_ready(function(leaves, arrays)), _tuple)


def with_sklearn(row: Row) -> Entrant | None:
    """Its private kernel, which writes the losses of the rows, and gradients of their sum."""
    from sklearn._loss.loss import HalfMultinomialLoss

    x = row.arrays[row.leaves[0]]
    if row.loss != "cross_entropy" or x.ndim > 2:
        return None
    loss, labels = HalfMultinomialLoss(n_classes=x.shape[1]), row.arrays["target"].astype(x.dtype)
    values, grad = np.empty(len(x), x.dtype), np.empty_like(x)
    named = {"y_true": labels, "raw_prediction": x, "loss_out": values, "n_threads": 1}
    if not row.gradient:
        return Entrant(lambda: loss.loss(**named), lambda _: (values.mean(), ()))
    return Entrant(
        lambda: loss.loss_gradient(**named, gradient_out=grad),
        lambda _: (values.mean(), (grad / len(x),)),
    )


def with_scipy(row: Row) -> Entrant | None:
    """Less the score of the class. It has no gradient."""
    if row.loss != "cross_entropy" or row.gradient:
        return None
    return Entrant(lambda: formulas.scipy_cross_entropy(**row.arrays), _tuple)


#: By the heads of their columns.
ENTRANTS: Final[dict[str, Callable[[Row], Entrant | None]]] = {
    "fused": fused,
    "NumPy": with_numpy,
    "torch": with_torch,
    "jax": with_jax,
    "pass": plain_pass,
    "scikit-learn": with_sklearn,
    "SciPy": with_scipy,
}
MODULES: Final = {"torch": "torch", "jax": "jax", "scikit-learn": "sklearn", "SciPy": "scipy"}
#: Those that know cross_entropy alone.
OF_CLASSES: Final = ("scikit-learn", "SciPy")


#: Those that this process may use.
CPUS: Final = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def bind(cpus: list[int]) -> None:
    """Let this thread, and those that it starts, run on these alone."""
    if cpus:
        os.sched_setaffinity(0, cpus)


def prepare(wanted: list[str]) -> dict[str, str]:
    """One thread for all; the versions of the peers that are there."""
    # jax takes as many threads as there are CPUs for it, whatever XLA_FLAGS say.
    bind(CPUS[-1:])
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    versions = {"NumPy": np.__version__}
    for name in wanted:
        try:
            versions[name] = importlib.import_module(MODULES[name]).__version__
        except ImportError:
            continue
        if name == "torch":
            importlib.import_module("torch").set_num_threads(1)
    # torch warns that the mean of kl_div, over all elements, will become another one.
    warnings.filterwarnings("ignore", message="reduction: 'mean' divides")
    fl.set_num_threads(1)
    # Brings glibc to keep freed arrays, as in a process that has run for a while.
    block = np.empty(31 << 20, dtype=np.uint8)
    del block
    return versions


def keep_memory() -> None:
    """From now on glibc takes all blocks from its heap, which never shrinks."""
    libc, trim_threshold, mmap_max = ctypes.CDLL(None), -1, -4
    if not (libc.mallopt(mmap_max, 0) and libc.mallopt(trim_threshold, -1)):
        raise OSError("mallopt does not take these settings")


# --- the race -----------------------------------------------------------------------------------


def check(row: Row, entrants: dict[str, Entrant]) -> None:
    """All compute the same, but for the plain pass."""
    expected: tuple[Any, Gradients] | None = None
    for name, entrant in entrants.items():
        if entrant.results is None:
            continue
        value, grads = entrant.results(entrant.step())
        if expected is None:
            expected = float(value), tuple(np.array(grad) for grad in grads)
            continue
        pairs = [(value, expected[0]), *zip(grads, expected[1], strict=True)]
        for got, ours in pairs:
            atol = RTOL * float(np.max(np.abs(ours))) if np.ndim(ours) else 0
            atol += OFF.get(row.loss, 0)
            np.testing.assert_allclose(
                got, ours, rtol=RTOL, atol=atol, err_msg=f"{row.label}: {name}"
            )


Turns: TypeAlias = dict[str, list[float]]


def race(entrants: dict[str, Entrant], seconds: float) -> Turns:
    """The best time of every turn of each, in seconds; a turn of each after the other."""
    timers = {name: timeit.Timer(entrant.step) for name, entrant in entrants.items()}
    calls = {}
    for name, timer in timers.items():
        calls[name] = 1
        while min(timer.repeat(SAMPLES, calls[name])) < SAMPLE_SECONDS:
            calls[name] *= 2
    turns: Turns = {name: [] for name in timers}
    order, end = list(timers), time.perf_counter() + seconds
    while time.perf_counter() < end or len(turns[order[0]]) < MIN_TURNS:
        for name in order:
            turns[name].append(min(timers[name].repeat(SAMPLES, calls[name])) / calls[name])
        order.append(order.pop(0))  # nobody shall always run after the same other
    return turns


def speedup(row: Row, entrant: Entrant, seconds: float) -> tuple[float, bool]:
    """One thread by two: a race of their own, on all CPUs."""
    bind(CPUS)
    waiting, start = _waiting(), time.perf_counter()
    turns = race({"fused": entrant, THREADS: with_two_threads(row)}, seconds)
    waited = (_waiting() - waiting) / (time.perf_counter() - start)
    bind(CPUS[-1:])
    number, noisy = ratio(turns, "fused", THREADS)
    return number, noisy or waited > SHARED_CPU


def _waiting() -> float:
    """Seconds that this thread has waited for a CPU so far; Linux says it, elsewhere it is 0."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return 0.0


def ratio(turns: Turns, slow: str, fast: str) -> tuple[float, bool]:
    """Best time by best time, and whether odd and even turns disagree about it."""
    odd, even = (min(turns[slow][k::2]) / min(turns[fast][k::2]) for k in (0, 1))
    noisy = max(odd, even) > (1 + NOISY) * min(odd, even)
    return min(turns[slow]) / min(turns[fast]), noisy


# --- the table ----------------------------------------------------------------------------------


class Table:
    """Lines of text, or of Markdown, as they come."""

    def __init__(self, columns: list[str], markdown: bool) -> None:
        self._markdown = markdown
        self._columns, self._family = columns, ""
        heads = ["ns/element", *(name if name == THREADS else f"× {name}" for name in columns)]
        self._widths = [len(head) + 4 for head in heads]
        self._line("loss", [head if markdown else head + "  " for head in heads])
        if markdown:
            self._line("---", ["---:"] * len(heads))

    def _line(self, label: str, cells: list[str]) -> None:
        if self._markdown:
            print(f"| {' | '.join([label, *cells])} |", flush=True)
        else:
            pairs = zip(cells, self._widths, strict=True)
            texts = "".join(f"{cell:>{width}}" for cell, width in pairs)
            print(f"{label:46}{texts}".rstrip(), flush=True)

    def add(
        self, row: Row, turns: Turns, composed: bool, threads: tuple[float, bool] | None
    ) -> None:
        if row.family != self._family:
            self._family = row.family
            label = f"**{row.family}**" if self._markdown else row.family
            self._line(label, [""] * len(self._widths))
        cells = [(_number(min(turns["fused"]) * 1e9 / row.size), "")]
        for name in self._columns:
            if name in turns:
                pair = ("fused", "pass") if name == "pass" else (name, "fused")
                number, noisy = ratio(turns, *pair)
                cells.append((_number(number), "c" * (composed and name == "torch") + "?" * noisy))
            elif name == THREADS and threads:
                cells.append((_number(threads[0]), "?" * threads[1]))
            else:
                cells.append(("", ""))
        if self._markdown:
            label = f"`{row.loss}` {row.remark}".rstrip()
            self._line(label, [f"{number} {marks}".rstrip() for number, marks in cells])
        else:
            self._line(f"  {row.label}", [f"{number}{marks:2}" for number, marks in cells])


def _number(number: float) -> str:
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f}"


def _cpu() -> str:
    try:
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="parts of the names of losses or families; without, all"
    )
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    parser.add_argument(
        "--variants", action="store_true", help="also the options that choose another formula"
    )
    parser.add_argument(
        "--seconds", type=float, default=1.5, help="how long a race lasts (default: 1.5)"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=MODULES,
        help="leave this peer out; may be repeated",
    )
    parser.add_argument(
        "--keep-memory",
        action="store_true",
        help="let glibc keep large blocks that are freed: new ones cost no page faults",
    )
    options = parser.parse_args()
    chosen = [
        (family, make)
        for family, label, make in (*elementwise(options.variants), *over_classes(), *of_several())
        if not options.names or any(name in f"{label} ({family})" for name in options.names)
    ]
    if not chosen:
        parser.error("no loss has such a name")
    if options.keep_memory:
        keep_memory()
    versions = prepare([name for name in MODULES if name not in options.without])
    families = {family for family, _ in chosen}
    columns = [name for name in ENTRANTS if name in versions or name == "pass"]
    if CLASS_AXIS not in families:
        columns = [name for name in columns if name not in OF_CLASSES]
    if families <= {CLASS_AXIS, SEVERAL}:
        columns.remove("pass")
    facts = fl.show_config("dict") or {}
    threaded = CLASS_AXIS in families and facts["openmp"] and len(CPUS) > 1
    if threaded:
        columns.append(THREADS)

    print(f"{_cpu()}; Python {platform.python_version()}, one thread")
    ours = f"fusedloss {facts['version']} ({facts['level']}, {facts['compiler']})"
    print(", ".join([ours, *(f"{name} {version}" for name, version in versions.items())]))
    print(f"Value and gradient, float32, {ELEMENTS:,} elements or (rows, classes), or as said.")
    print(
        "× NumPy, × torch, ...: their time by ours; × pass: our time by that of np.add(x, t, out)"
    )
    if threaded:
        print(f"{THREADS}: the time of one thread by that of two, both ours, on {len(CPUS)} CPUs")
    print("c: composed of torch's operations, where it has no such loss; ?: not to be trusted")
    print()
    table = Table(columns, options.markdown)
    found: dict[str, list[tuple[float, str]]] = {
        name: [] for name in columns if name not in ("pass", THREADS)
    }
    for _, make in chosen:
        row = make()
        made = {name: ENTRANTS[name](row) for name in ("fused", *columns) if name != THREADS}
        entrants = {name: entrant for name, entrant in made.items() if entrant}
        check(row, entrants)
        turns = race(entrants, options.seconds)
        threads = None
        if threaded and row.threaded:
            threads = speedup(row, entrants["fused"], options.seconds)
        table.add(row, turns, "torch" in entrants and entrants["torch"].composed, threads)
        for name, ratios in found.items():
            if name in turns:
                ratios.append((ratio(turns, name, "fused")[0], row.label))
    print()
    for name, ratios in found.items():
        numbers = [number for number, _ in ratios]
        if not numbers:
            continue
        faster = [label for number, label in sorted(ratios) if number < 1]
        print(
            f"× {name}: {_number(statistics.geometric_mean(numbers))} in the geometric mean of "
            f"{len(numbers)}; faster than ours: {', '.join(faster) or 'nowhere'}"
        )


if __name__ == "__main__":
    main()
