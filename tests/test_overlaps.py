"""No loss writes over an operand or another buffer: every pair that overlaps is refused.

What may overlap, a gradient that is exactly its input, is in test_in_place.py.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests import test_joint as joint
from tests.samples import ONE_OF_EACH, Array, Case, call

Arrays = dict[str, Array]
METHODS = ("__call__", "value_and_grad", "value_grad_hess")


def arguments(case: Case | reg.Joint) -> tuple[Any, Arrays, dict[str, Any]]:
    """The loss, its arrays, and its other options; all that can be a weight or a mask is there."""
    loss = getattr(fl, case.loss)
    if isinstance(case, reg.Joint):
        arrays, options = joint.typical(case, 5), dict(case.options)
    else:
        sample = call(case, 40)
        arrays, options = dict(sample.arrays), dict(sample.options)
    shape = np.shape(loss(**arrays, **options, reduction="none"))
    values = np.ones(shape)
    for name in ("weight", "sample_weight", "where"):
        if name in inspect.signature(loss).parameters and name not in arrays | options:
            try:
                loss(**arrays, **options, **{name: values})
            except (ValueError, TypeError):
                continue  # a weight of each class, say
            arrays[name] = values.copy()
    return loss, arrays, options


def buffers(
    loss: Any, arrays: Arrays, options: dict[str, Any]
) -> Iterator[tuple[str, str, tuple[int, ...], Any]]:
    """Each buffer of the loss: its method, its name in errors, its shape, and how it is passed."""
    order = 2 if loss.curved else 1
    value, *parts = getattr(loss, METHODS[order])(**arrays, **options, reduction="none")
    yield "__call__", "out", np.shape(value), lambda b: {"out": b, "reduction": "none"}
    yield "value_and_grad", "out", (), lambda b: {"out": b}
    for method, argument, part in zip(METHODS[1:], ("grad_out", "hess_out"), parts, strict=False):
        if not isinstance(part, tuple):
            yield method, argument, part.shape, lambda b, a=argument: {a: b}
            continue
        for k, one in enumerate(part):

            def given(b: Any, a: str = argument, k: int = k, n: int = len(part)) -> Any:
                return {a: tuple(b if j == k else None for j in range(n))}

            yield method, f"{argument}[{k}]", one.shape, given


@pytest.mark.parametrize("case", [*ONE_OF_EACH, *joint.ONE_OF_EACH], ids=str)
def test_buffers_over_operands(case: Case | reg.Joint) -> None:
    """Each buffer with each operand of the same memory, at its last item."""
    loss, arrays, options = arguments(case)
    for method, name, shape, given in buffers(loss, arrays, options):
        for operand, a in arrays.items():
            if a.size == 0:
                continue
            size = int(np.prod(shape))
            memory = np.zeros(a.nbytes + 8 * size + 16, np.uint8)
            place = memory[: a.nbytes].view(a.dtype).reshape(a.shape)
            place[...] = a
            first = max(0, (a.nbytes - 1) // 8 * 8)
            buffer = memory[first : first + 8 * size].view(np.float64).reshape(shape)
            before = memory.copy()
            with pytest.raises(
                ValueError, match=rf"^{name.replace('[', '.')[:-1]}.*: shares memory"
            ):
                getattr(loss, method)(**(arrays | {operand: place}), **(options | given(buffer)))
            assert np.array_equal(memory, before), operand


@pytest.mark.parametrize("case", [*ONE_OF_EACH, *joint.ONE_OF_EACH], ids=str)
def test_buffers_over_buffers(case: Case | reg.Joint) -> None:
    loss, arrays, options = arguments(case)
    order = 2 if loss.curved else 1
    method = getattr(loss, METHODS[order])
    value, *parts = method(**arrays, **options, reduction="none")
    shapes = [np.shape(value)]
    shapes += [p.shape for part in parts for p in (part if isinstance(part, tuple) else (part,))]
    for a in range(len(shapes)):
        for b in range(a + 1, len(shapes)):
            sizes = [int(np.prod(s)) for s in shapes]
            memory = np.full(sizes[a] + sizes[b], 7.0)
            flat: list[Any] = [None] * len(shapes)
            flat[a] = memory[: sizes[a]].reshape(shapes[a])
            flat[b] = memory[sizes[a] - 1 :][: sizes[b]].reshape(shapes[b])
            given: dict[str, Any] = {"out": flat.pop(0)}
            for name, part in zip(("grad_out", "hess_out"), parts, strict=False):
                n = len(part) if isinstance(part, tuple) else 1
                own, flat = tuple(flat[:n]), flat[n:]
                given[name] = own if isinstance(part, tuple) else own[0]
            with pytest.raises(ValueError, match=r"_out.*: shares memory"):
                method(**arrays, **options, reduction="none", **given)
            assert np.all(memory == 7)


class Liar(np.ndarray[Any, Any]):
    """An array that says of itself what is not so."""

    dtype = property(lambda self: np.dtype(np.float64))  # type: ignore[assignment]
    flags = property(lambda self: np.empty(0).flags)  # type: ignore[assignment]
    shape = property(lambda self: (3,))  # type: ignore[assignment]


@pytest.mark.parametrize("case", [*ONE_OF_EACH, *joint.ONE_OF_EACH], ids=str)
def test_buffers_that_lie(case: Case | reg.Joint) -> None:
    """Dtype and writeability are those of the memory."""
    loss, arrays, options = arguments(case)
    for method, name, shape, given in buffers(loss, arrays, options):
        read_only = np.zeros(shape)
        read_only.flags.writeable = False
        for wrong in (np.zeros(shape, np.int64), read_only):
            with pytest.raises((TypeError, ValueError), match=rf"^{name.split('[')[0]}"):
                getattr(loss, method)(**arrays, **(options | given(wrong.view(Liar))))
            assert not np.any(np.asarray(wrong))


class Memory(np.ndarray[Any, Any]):
    """A subclass, as memmap is."""


@pytest.mark.parametrize("case", [*ONE_OF_EACH, *joint.ONE_OF_EACH], ids=str)
def test_buffers_of_a_subclass_are_returned(case: Case | reg.Joint) -> None:
    loss, arrays, options = arguments(case)
    for method, name, shape, given in buffers(loss, arrays, options):
        buffer = np.zeros(shape).view(Memory)
        got = getattr(loss, method)(**arrays, **(options | given(buffer)))
        parts = got if isinstance(got, tuple) else (got,)
        flat = [p for part in parts for p in (part if isinstance(part, tuple) else (part,))]
        assert any(p is buffer for p in flat), name
