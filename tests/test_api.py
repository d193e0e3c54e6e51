"""What the package offers and how it presents itself: signatures, docstrings, criteria, types."""

from __future__ import annotations

import copy
import doctest
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss._core import kernels as _kernels
from tests import registry as reg
from tests.samples import (
    CASES,
    ONE_OF_EACH,
    REDUCTIONS,
    Case,
    call,
    positional,
    same,
)

PUBLIC = [name for name in fl.__all__ if not name.startswith("_")]
LOSSES = [name for name in PUBLIC if isinstance(getattr(fl, name), fl.Loss)]
ACTIVATIONS = [name for name in PUBLIC if isinstance(getattr(fl, name), fl.Activation)]
CRITERIA = [
    name
    for name in PUBLIC
    if inspect.isclass(getattr(fl, name))
    and issubclass(getattr(fl, name), fl.Criterion)
    and name != "Criterion"
]
OPERANDS = {case.loss: list(case.operands) for case in (*CASES, *reg.JOINT)}
LOSS = pytest.mark.parametrize("name", LOSSES)
CRITERION = pytest.mark.parametrize("name", CRITERIA)
METHODS = {
    "__call__": ["out", "return_divisor"],
    "value_and_grad": ["out", "grad_out", "return_divisor"],
    "value_grad_hess": [
        *("out", "grad_out", "hess_out", "hess_scale", "hess_floor", "return_divisor"),
    ],
}

# ---- the namespace -------------------------------------------------------------------------------


def test_all_is_complete() -> None:
    families = [name for family in fl._FAMILIES for name in getattr(fl, family).__all__]
    assert fl.__all__ == sorted([*families, *fl._CORE, *fl._LATER]) == sorted(set(fl.__all__))
    names = [n for n in vars(fl) if not n.startswith("_")]
    public = {n for n in names if not inspect.ismodule(getattr(fl, n))}
    assert public == set(PUBLIC)
    assert {*PUBLIC, *fl._FAMILIES, *fl._ADAPTERS, "__version__"} <= set(dir(fl))


def test_the_registry_is_complete() -> None:
    assert set(OPERANDS) == set(LOSSES)
    rowwise = {"softmax", "log_softmax", "logsumexp"}
    rowwise |= {"cosine_similarity", "pairwise_distance", "normalize"}  # in test_similarity.py
    assert {case.name for case in reg.ACTIVATIONS} | rowwise == set(ACTIVATIONS)


def test_everything_is_something() -> None:
    assert LOSSES and ACTIVATIONS and CRITERIA
    for name in PUBLIC:
        assert getattr(fl, name).__doc__
        if name in LOSSES + ACTIVATIONS:
            assert getattr(fl, name).__name__ == name
            assert getattr(fl, name).__module__.startswith("fusedloss.")
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", fl.__version__)


# ---- losses are objects that look like functions -------------------------------------------------


@LOSS
def test_signatures(name: str) -> None:
    loss = getattr(fl, name)
    own = list(inspect.signature(loss).parameters.values())
    planned = loss.planner.operands if loss.planner else ()  # a plan stands for them
    needed = [p.name for p in own if p.default is p.empty or p.name in planned]
    assert needed == OPERANDS[name]
    assert [p.name for p in own[-2:]] == METHODS["__call__"]
    reduction = inspect.signature(loss).parameters["reduction"]
    assert reduction.default == "mean" and reduction.kind is reduction.KEYWORD_ONLY
    for method, buffers in METHODS.items():
        function = loss if method == "__call__" else getattr(loss, method)
        parameters = list(inspect.signature(function).parameters.values())
        assert parameters[: len(own) - 2] == own[:-2]
        extra = parameters[len(own) - 2 :]
        assert [p.name for p in extra] == buffers
        assert all(p.kind is p.KEYWORD_ONLY for p in extra)
        assert {p.default for p in extra} <= {None, False, 1.0}


@LOSS
def test_methods_present_themselves(name: str) -> None:
    loss = getattr(fl, name)
    for method in ("value_and_grad", "value_grad_hess"):
        function = getattr(loss, method)
        assert function.__name__ == method and function.__qualname__ == f"{name}.{method}"
        assert function.__doc__.startswith("Value") and name in function.__doc__
        assert "Returns" in function.__doc__
    assert {"value_and_grad", "value_grad_hess"} <= set(dir(loss))


@pytest.mark.parametrize("name", LOSSES + ACTIVATIONS)
def test_help_shows_the_docstring(name: str) -> None:
    """What help() prints of an object; and no placeholder of the common parts is left."""
    import pydoc

    text = pydoc.render_doc(getattr(fl, name), renderer=pydoc.plaintext)
    doc = getattr(fl, name).__doc__
    assert doc.splitlines()[0] in text
    assert "Parameters\n" in doc and "Returns\n" in doc and "Examples\n" in doc
    assert not re.search(r"^\s*<[a-z, ]+>$", doc, re.MULTILINE)


@LOSS
def test_docstrings_of_losses(name: str) -> None:
    """The formula, its derivatives, and what others call it."""
    doc = getattr(fl, name).__doc__
    assert ":math:" in doc or ".. math::" in doc
    assert "Derivatives" in doc or "derivatives" in doc
    for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert f"\n{section}\n{'-' * len(section)}\n" in doc
    assert "fl." + name in doc


def documented(doc: str) -> set[str]:
    """The names in the Parameters section."""
    section = doc.split("\nParameters\n----------\n")[1]
    section = re.split(r"\n\n\w+\n-+\n", section)[0]
    heads = re.findall(r"^(\w[\w, ]*?) : ", section, re.MULTILINE)
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("name", [*LOSSES, *ACTIVATIONS, "set_num_threads", "show_config"])
def test_every_parameter_is_documented(name: str) -> None:
    thing = getattr(fl, name)
    names = set(inspect.signature(thing).parameters)
    found = documented(inspect.cleandoc(thing.__doc__))
    extra = set()
    if name in LOSSES:
        extra = {"grad_out", "hess_out"} if thing.curved else {"grad_out"}
    assert found == names | extra


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_vjps_present_themselves(name: str) -> None:
    f = getattr(fl, name)
    parameters = list(inspect.signature(f.vjp).parameters)
    own = inspect.signature(f).parameters
    inputs = [name for name, p in own.items() if p.default is p.empty]
    assert parameters[: len(inputs) + 1] == [*inputs, "grad_output"]
    assert parameters[-1] == "grad_out" and list(own)[-1] == "out"
    options = [name for name in list(own)[len(inputs) : -1] if name != "return_sign"]
    assert parameters[len(inputs) + 1 : -1] == options
    assert f.vjp.__qualname__ == f"{name}.vjp" and f.vjp.__doc__


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_in_docstrings(name: str) -> None:
    """pytest does not find the docstrings of objects that are neither functions nor classes."""
    thing = getattr(fl, name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    examples = doctest.DocTestParser().get_doctest(thing.__doc__, {}, name, None, 0)
    if name in LOSSES + ACTIVATIONS:
        assert examples.examples
    runner = doctest.DocTestRunner(optionflags=flags)
    printed: list[str] = []
    runner.run(examples, out=printed.append)
    assert not runner.failures, "".join(printed)


@pytest.mark.parametrize("name", LOSSES + ACTIVATIONS)
def test_copies_are_the_same_object(name: str) -> None:
    thing = getattr(fl, name)
    assert copy.copy(thing) is thing and copy.deepcopy(thing) is thing
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(thing, protocol)) is thing


@pytest.mark.parametrize("name", LOSSES + ACTIVATIONS)
def test_repr(name: str) -> None:
    kind = "loss" if name in LOSSES else "activation"
    assert re.fullmatch(rf"<{kind} {name}\(\w+.*\).*>", repr(getattr(fl, name)))


# ---- criteria ------------------------------------------------------------------------------------


def criterion_of(case: Case) -> Any:
    (cls,) = (getattr(fl, n) for n in CRITERIA if getattr(fl, n).loss is getattr(fl, case.loss))
    return cls


def test_every_loss_has_one_criterion() -> None:
    assert sorted(getattr(fl, name).loss.__name__ for name in CRITERIA) == sorted(LOSSES)


def same_parts(a: Any, b: Any) -> bool:
    """Equal bit by bit, tuple by tuple."""
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same_parts, a, b))
    return same(a, b)


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_criteria_compute_what_losses_do(case: Case) -> None:
    sample = call(case, 60)
    loss, arrays = getattr(fl, case.loss), positional(case, sample)
    bound = {k: a for k, a in sample.arrays.items() if k not in case.operands}
    bound |= sample.options
    for reduction in REDUCTIONS:
        criterion = criterion_of(case)(**bound, reduction=reduction)
        assert criterion.reduction == reduction
        for key, option in bound.items():
            assert getattr(criterion, key) is option
        expected = loss.value_grad_hess(*arrays, **bound, reduction=reduction)
        assert same(criterion(*arrays), expected[0])
        assert same_parts(criterion.value_and_grad(*arrays), expected[:2])
        assert same_parts(criterion.value_grad_hess(*arrays), expected)
        named = dict(zip(case.operands, arrays, strict=True))
        assert same_parts(criterion.value_and_grad(**named), expected[:2])
        out, grad, hess = buffers = [
            tuple(np.empty(np.shape(x)) for x in part)
            if isinstance(part, tuple)
            else np.empty(np.shape(part))
            for part in expected
        ]
        got = criterion.value_grad_hess(*arrays, out=out, grad_out=grad, hess_out=hess)
        assert same_parts(got, tuple(buffers)) and got[0] is out
        paired = isinstance(grad, tuple)
        assert all(a is b for a, b in zip(got[1], grad, strict=True)) if paired else got[1] is grad
        assert criterion(*arrays, out=out) is out


@CRITERION
def test_options_of_criteria(name: str) -> None:
    cls = getattr(fl, name)
    parameters = inspect.signature(cls).parameters
    operands = OPERANDS[cls.loss.__name__]
    options = list(inspect.signature(cls.loss).parameters.values())[len(operands) :]
    assert list(parameters.values()) == options[:-2]  # but for out and return_divisor
    criterion = cls()
    for key, parameter in parameters.items():
        assert getattr(criterion, key) is parameter.default
    with pytest.raises(TypeError, match=rf"{name}: .*size_average"):
        cls(size_average=True)
    with pytest.raises(TypeError, match=name):
        cls(out=np.zeros(()))
    with pytest.raises(TypeError, match=name):
        cls(*[None] * 9)
    assert documented(inspect.cleandoc(cls.__doc__)) >= set(parameters)


@CRITERION
def test_criteria_present_themselves(name: str) -> None:
    cls = getattr(fl, name)
    assert repr(cls()) == f"{name}()"
    assert repr(cls(reduction="sum")) == f"{name}(reduction='sum')"
    assert cls.__doc__.startswith(f"`{cls.loss.__name__}` with its options bound.")


def test_options_of_a_criterion_can_be_set() -> None:
    criterion: Any = fl.HuberLoss(delta=2.0)
    criterion.delta, criterion.reduction = 0.5, "sum"
    expected = fl.huber_loss([3.0, 4.0], [0.0, 0.0], delta=0.5, reduction="sum")
    assert criterion([3.0, 4.0], [0.0, 0.0]) == expected
    assert repr(criterion) == "HuberLoss(delta=0.5, reduction='sum')"


def test_criteria_can_be_derived_from() -> None:
    class Tripled(fl.MSELoss):
        def __call__(self, input: Any, target: Any, *, out: Any = None) -> Any:
            return 3 * super().__call__(input, target, out=out)

    assert Tripled(reduction="sum")([2.0], [0.0]) == 12.0


def test_methods_can_be_pickled() -> None:
    for method in (fl.huber_loss.value_and_grad, fl.cross_entropy.value_grad_hess):
        assert pickle.loads(pickle.dumps(method)) is method


@CRITERION
def test_criteria_can_be_copied(name: str) -> None:
    criterion = getattr(fl, name)(reduction="sum")
    for other in (
        copy.deepcopy(criterion),
        copy.copy(criterion),
        pickle.loads(pickle.dumps(criterion)),
    ):
        assert repr(other) == repr(criterion) and type(other) is type(criterion)
        assert other.loss is criterion.loss


# ---- imports ---------------------------------------------------------------------------

IMPORTS = """
import sys
import numpy
before = set(sys.modules)
import fusedloss
fusedloss.__all__  # all families
# Cython's modules share their types through these two.
own = ("fusedloss", "_cython_", "cython_runtime")
more = {m for m in set(sys.modules) - before if not m.startswith(own)}
print(*sorted(more))
"""


#: Modules that take long to import, and that an import of NumPy alone does not need.
SLOW = {"dataclasses", "importlib.util", "inspect", "numpy.typing", "threading"}


def test_imports_nothing_but_numpy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    more = set(done.stdout.split())
    others = {m for m in more if m.partition(".")[0] not in sys.stdlib_module_names}
    assert {m for m in others if not m.startswith(("numpy", "__editable__"))} == set()
    editable = any(m.startswith("__editable__") for m in more)  # its finder imports what it needs
    assert editable or not more & SLOW


LATER = """
import sys, pickle
import fusedloss as fl

def imported():
    return {name for name in fl._FAMILIES if f"fusedloss.{name}" in sys.modules}

assert not imported() and "huber_loss" not in vars(fl)
loss = fl.huber_loss
assert imported() == {"regression"} and vars(fl)["huber_loss"] is loss is fl.regression.huber_loss
pickled = b"cfusedloss.boxes\\ngeneralized_box_iou_loss\\n."
assert pickle.loads(pickled) is fl.generalized_box_iou_loss
assert imported() == {"regression", "boxes"}
from fusedloss import *
assert imported() == set(fl._FAMILIES) and huber_loss is loss and CrossEntropyLoss
"""


def test_families_are_imported_when_a_name_is_asked_for() -> None:
    subprocess.run([sys.executable, "-c", LATER], check=True, timeout=60)


AT_ONCE = """
import sys, threading
import fusedloss as fl
from fusedloss._families import FAMILY_OF

sys.setswitchinterval(1e-5)
start = threading.Barrier(8)
found = []

def ask(k):
    start.wait()
    names = sorted(FAMILY_OF)
    names = names[k * len(names) // 8 :] + names[: k * len(names) // 8]
    found.append({name: id(getattr(fl, name)) for name in names})

threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 8 and all(each == found[0] for each in found)
"""


def test_threads_may_ask_for_first_names_at_once() -> None:
    subprocess.run([sys.executable, "-c", AT_ONCE], check=True, timeout=60)


@pytest.mark.parametrize("table", [{}, {"huber_loss": "boxes"}], ids=["newer", "moved"])
def test_names_that_the_table_lacks(table: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that was added or moved is found before `make stubs` writes the table."""
    loss = fl.huber_loss
    monkeypatch.setattr(fl, "_FAMILY_OF", table)
    monkeypatch.delitem(vars(fl), "huber_loss")
    assert fl.huber_loss is loss


@pytest.mark.parametrize("name", ["hubert_loss", "_hidden", "np"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'fusedloss' has no attribute '{name}'"):
        getattr(fl, name)


def test_docstrings_are_filled_when_asked_for() -> None:
    code = """
import sys, fusedloss as fl
assert "fusedloss._core.doc_fragments" not in sys.modules
assert "reduction : str" in fl.huber_loss.__doc__ and "reduction : str" in fl.HuberLoss.__doc__
assert "fusedloss._core.doc_fragments" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_only_one_level_is_loaded() -> None:
    code = (
        "import sys, fusedloss; from fusedloss._core.kernels import Kernels;"
        "print(*Kernels._loaded);"
        "assert not [name for name in sys.modules if name.startswith('fusedloss._kernels')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == [_kernels.kernels.level]


def test_every_module_of_kernels_is_loaded() -> None:
    folder = Path(__file__).parents[1] / "kernels"
    names = {f"{path.parent.name}.{path.stem}" for path in folder.glob("*/*.pyx")}
    assert names == set(_kernels.MODULES)


def test_package_is_typed() -> None:
    assert (Path(fl.__file__).parent / "py.typed").exists()
