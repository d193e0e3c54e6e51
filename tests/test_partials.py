"""Partials: the same bits for any cut, and what they refuse."""

from __future__ import annotations

import itertools
import operator
import pickle
from functools import reduce
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fusedloss as fl
from tests import registry as reg
from tests import samples

REDUCTIONS = ("mean", "sum", "batchmean", "weighted_mean", "sum_by_nonzero_weights")
FLOATS = (np.float32, np.float64)


def elements(rng: Any, n: int, dtype: Any, shape: tuple[int, ...] = ()) -> tuple[Any, ...]:
    """Numbers of many sizes, so that sums in another order have other bits."""
    x = rng.normal(size=(n, *shape)) * np.exp(3 * rng.normal(size=(n, *shape)))
    return x.astype(dtype), rng.normal(size=(n, *shape)).astype(dtype)


def rows(rng: Any, n: int, dtype: Any, classes: int = 5) -> tuple[Any, ...]:
    x = (rng.normal(size=(n, classes)) * np.exp(rng.normal(size=(n, 1)))).astype(dtype)
    t = rng.integers(0, classes, n)
    t[rng.random(n) < 0.1] = -100
    return x, t


def cut_at(cuts: Any, n: int) -> list[tuple[int, int]]:
    ends = sorted({0, n, *(int(c) for c in cuts)})
    return list(itertools.pairwise(ends))


def parts_of(loss: Any, cuts: Any, operands: Any, options: Any, arrays: Any) -> list[fl.Partial]:
    n = len(operands[0])
    return [
        loss.partial(
            *(a[i:j] for a in operands),
            offset=i,
            **options,
            **{name: a[i:j] for name, a in arrays.items()},
        )
        for i, j in cut_at(cuts, n)
    ]


def tree(parts: list[fl.Partial]) -> fl.Partial:
    while len(parts) > 1:
        parts = [reduce(operator.add, parts[k : k + 2]) for k in range(0, len(parts), 2)]
    return parts[0]


def bits(value: Any) -> tuple[Any, bytes]:
    return value.dtype, value.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 9000),
    st.integers(1, 40),
    st.sampled_from(FLOATS),
    st.booleans(),
    st.sampled_from(["flat", "wide", "classes", "boxes", "vectors", "grades"]),
    st.sampled_from([1, 2, 3, 16]),
)
def test_any_cut_any_order(
    seed: int, n: int, count: int, dtype: Any, weighted: bool, kind: str, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    if kind in ("flat", "wide"):
        loss: Any = fl.huber_loss
        operands = elements(rng, n, dtype, () if kind == "flat" else (3,))
        options = {"delta": 0.7}
        if weighted:
            arrays = {
                "weight": rng.random(operands[0].shape).astype(dtype),
                "where": rng.random(operands[0].shape) < 0.8,
            }
    elif kind == "classes":
        loss, operands = fl.cross_entropy, rows(rng, n, dtype)
        options = {"weight": rng.random(5).astype(dtype), "label_smoothing": 0.1}
        if weighted:
            arrays = {"sample_weight": rng.random(n).astype(dtype)}
    elif kind == "boxes":
        loss = fl.complete_box_iou_loss
        low = rng.random((2, n, 2)).astype(dtype)
        boxes = np.concatenate([low, low + rng.random((2, n, 2)).astype(dtype)], axis=2)
        operands = tuple(boxes)
        if weighted:
            arrays = {"weight": rng.random(n).astype(dtype)}
    elif kind == "vectors":
        loss = fl.triplet_margin_loss
        operands = tuple(rng.normal(size=(3, n, 6)).astype(dtype))
        if weighted:
            arrays = {"sample_weight": rng.random(n).astype(dtype)}
    else:
        loss = fl.coral_loss
        operands = rng.normal(size=(n, 4)).astype(dtype), rng.integers(0, 5, n)
        if weighted:
            arrays = {"sample_weight": rng.random(n).astype(dtype)}
    expected = {r: loss(*operands, **options, **arrays, reduction=r) for r in REDUCTIONS}
    cuts = rng.integers(0, n + 1, count)
    before = fl.get_num_threads()
    fl.set_num_threads(threads)
    try:
        parts = parts_of(loss, cuts, operands, options, arrays)
    finally:
        fl.set_num_threads(before)
    ways = [
        sum(parts, start=fl.Partial()),
        sum(reversed(parts)),
        tree([parts[k] for k in rng.permutation(len(parts))]),
        pickle.loads(pickle.dumps(tree(list(parts)))),
    ]
    for reduction, value in expected.items():
        for merged in ways:
            assert bits(merged.value(reduction)) == bits(value), (reduction, merged)
    assert ways[0].rows == [(0, n)]
    assert ways[0] == ways[3]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("count", [1, 7, 1000])
def test_many_chunks(count: int, dtype: Any) -> None:
    rng = np.random.default_rng(count)
    n = 300_000
    x, t = elements(rng, n, dtype)
    w = rng.random(n).astype(dtype)
    cuts = rng.integers(0, n, count - 1)
    parts = parts_of(fl.mse_loss, cuts, (x, t), {}, {"weight": w})
    expected = fl.mse_loss(x, t, weight=w, reduction="weighted_mean")
    assert bits(tree(parts).value("weighted_mean")) == bits(expected)
    assert len(pickle.dumps(tree(parts))) < 35_000


def kinds() -> list[Any]:
    """A call of every loss that the registry has, with rows along the first axis."""
    return [pytest.param(c, samples.call(c, 300), id=str(c)) for c in samples.ONE_OF_EACH]


def of_rows(call: samples.Call, name: str, part: slice) -> Any:
    """The rows of an array of a call, if it has as many as the first operand."""
    array = np.asarray(call.arrays[name])
    lead = call.input
    has = array.ndim > 0 and array.shape[0] == lead.shape[0]
    return array[part] if has and name != "thresholds" else array


@pytest.mark.parametrize(("case", "call"), kinds())
def test_every_loss_of_elements_and_rows(case: Any, call: samples.Call) -> None:
    loss = getattr(fl, case.loss)
    n = len(call.input)
    whole = loss.partial(**call.arrays, **call.options)
    parts = [
        loss.partial(
            **{name: of_rows(call, name, slice(i, j)) for name in call.arrays},
            **call.options,
            offset=i,
        )
        for i, j in cut_at([1, 2, n // 2, n - 3], n)
    ]
    for reduction in REDUCTIONS:
        expected = loss(**call.arrays, **call.options, reduction=reduction)
        assert bits(whole.value(reduction)) == bits(expected)
        assert bits(sum(parts).value(reduction)) == bits(expected)
        value = loss(**call.arrays, **call.options, reduction=reduction, return_divisor=True)[1]
        assert whole.divisor(reduction) == value
    assert whole.value() == loss(**call.arrays, **call.options)


JOINT = {case.loss: case for case in reg.JOINT}


@pytest.mark.parametrize("case", JOINT.values(), ids=str)
def test_joint_losses_have_partials_or_say_why_not(case: Any) -> None:
    """Those whose values are of one row each have them; others raise."""
    loss = getattr(fl, case.loss)
    arrays = case.inputs(np.random.default_rng(0), 9, np.float64)
    try:
        part = loss.partial(**arrays, **case.options)
    except NotImplementedError as error:
        assert "has no partials: it is no sum over elements or rows" in str(error)
        assert loss.__module__.rpartition(".")[2] in (
            *("regions", "contrastive", "linear_heads", "sequences", "survival", "similarity"),
            *("ranking", "grouped", "ndcg"),
        )
        return
    rows = len(next(iter(arrays.values())))
    weighted = dict(arrays)
    if "weight" in loss._options and loss.__module__ == "fusedloss.ensembles":
        weighted["weight"] = np.random.default_rng(1).random(rows)
    if "sample_weight" in loss._options:
        weighted["sample_weight"] = np.random.default_rng(2).random(rows)
    for named in (arrays, weighted):
        parts = [
            loss.partial(
                **{n: a if n == "thresholds" else a[i:j] for n, a in named.items()},
                **case.options,
                offset=i,
            )
            for i, j in cut_at([2, 5], rows)
        ]
        for reduction in REDUCTIONS:
            expected = loss(**named, **case.options, reduction=reduction)
            assert bits(sum(parts).value(reduction)) == bits(expected)
            assert part.rows == sum(parts).rows == [(0, rows)]


@pytest.mark.parametrize("names", [(), ("weight",), ("sample_weight", "where")])
@pytest.mark.parametrize(
    "name",
    [
        *("crps_ensemble", "energy_score", "distillation_loss", "ranking_softmax_loss"),
        "pairwise_logistic_loss",
    ],
)
def test_parts_of_values_of_several_elements(name: str, names: tuple[str, ...]) -> None:
    """The weights of their values come in parts, too."""
    rng = np.random.default_rng(3)
    shape = (300, 5, 3) if name == "energy_score" else (300, 5)
    x, t = rng.random(shape), rng.random(shape)
    t = t[:, 0] if name in ("crps_ensemble", "energy_score") else t
    loss = getattr(fl, name)
    if names == ("weight",) and name == "distillation_loss":
        names = ("sample_weight",)
    of_items = name == "ranking_softmax_loss"
    given = {
        "weight": rng.choice([0, 0.3, 1.0], shape if of_items else 300),
        "sample_weight": rng.choice([0, 0.3, 1.0], 300),
        "where": rng.random((300, 5)) < 0.7,
    }
    given = {option: given[option] for option in names}
    parts = parts_of(loss, [1, 40, 297], (x, t), {}, given)
    for reduction in REDUCTIONS:
        expected = loss(x, t, **given, reduction=reduction)
        assert bits(tree(parts[::-1]).value(reduction)) == bits(expected)


def test_layouts_and_dtypes() -> None:
    """Chunks in other layouts have the bits of arrays in C order."""
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(2, 3000, 7))
    expected = fl.log_cosh_loss(x, t)
    for change in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2]):
        parts = [
            fl.log_cosh_loss.partial(change(x[i:j]), change(t[i:j]), offset=i)
            for i, j in cut_at([77, 1234], 3000)
        ]
        assert bits(sum(parts).value()) == bits(expected)
    wide = fl.log_cosh_loss.partial(x, t.astype(np.float32))
    with pytest.raises(ValueError, match="computed in float32 and in float64 cannot be added"):
        wide + fl.log_cosh_loss.partial(x.astype(np.float32), t.astype(np.float32), offset=3000)
    with pytest.raises(ValueError, match="whose rows have 7 and 1 values cannot be added"):
        wide + fl.log_cosh_loss.partial(x[:, 0], t[:, 0], offset=3000)


def test_weights_that_all_rows_share() -> None:
    """Weights of columns count once for each row; the number of rows need not be a power of two."""
    rng = np.random.default_rng(4)
    x, t = rng.normal(size=(2, 1001, 3))
    w = np.array([0.1, 0.2, 0.7])
    for weight in (w, np.float64(0.3)):
        parts = [
            fl.mse_loss.partial(x[i:j], t[i:j], weight=weight, offset=i)
            for i, j in cut_at([10, 333], 1001)
        ]
        for reduction in REDUCTIONS:
            expected = fl.mse_loss(x, t, weight=weight, reduction=reduction)
            assert bits(sum(parts).value(reduction)) == bits(expected)


def test_nan_infinity_and_nothing() -> None:
    x = np.array([1.0, np.inf, 2.0, np.nan])
    zeros = np.zeros(4)
    with np.errstate(all="raise"):
        first = fl.mse_loss.partial(x[:3], zeros[:3])
        last = fl.mse_loss.partial(x[3:], zeros[3:], offset=3)
        assert np.isposinf(first.value()) and np.isnan((last + first).value())
        assert np.isnan(fl.mse_loss.partial(x[:0], zeros[:0]).value())
        assert fl.mse_loss.partial(x[:0], zeros[:0]).value("sum") == 0
    again = fl.Partial.from_bytes((first + last).to_bytes())
    assert np.isnan(again.value()) and again.rows == [(0, 4)]
    weighted = fl.mse_loss.partial(x, zeros, weight=[1, 0, 1, 0])
    assert weighted.value("weighted_mean") == 2.5
    assert fl.Partial().value("sum") == 0 and fl.Partial().loss is None
    assert repr(fl.Partial()) == "Partial()" and fl.Partial() + first == first


def test_what_cannot_be_added() -> None:
    x, t = np.arange(8.0), np.zeros(8)
    part = fl.huber_loss.partial(x, t, delta=2.0)
    assert part.loss is fl.huber_loss and part.options == {"delta": 2.0, "weight": None}
    for other, text in (
        (fl.mse_loss.partial(x, t, offset=8), "partials of huber_loss and of mse_loss"),
        (fl.huber_loss.partial(x, t, offset=8), r"with delta=2.0 and delta=1.0 cannot be added"),
        (
            fl.huber_loss.partial(x, t, delta=2),
            "rows 0 to 8 are in both; give each part the number",
        ),
        (fl.huber_loss.partial(x, t, delta=2, offset=7), "rows 7 to 8 are in both"),
        (
            fl.huber_loss.partial(x, t, delta=2, offset=8, reduction="sum"),
            "reduction='mean' and 'sum' cannot be added",
        ),
    ):
        with pytest.raises(ValueError, match=text):
            part + other
    with pytest.raises(TypeError):
        part + 1
    gap = part + fl.huber_loss.partial(x, t, delta=2, offset=100)
    assert gap.rows == [(0, 8), (100, 108)] and "in 2 ranges" in repr(gap)
    weighted = fl.cross_entropy.partial(np.eye(3), [0, 1, 2], weight=[1.0, 2.0, 3.0])
    with pytest.raises(
        ValueError, match=r"weight=<array of shape \(3,\), float64, hash \w+> and weight=None"
    ):
        weighted + fl.cross_entropy.partial(np.eye(3), [0, 1, 2], offset=3)
    other = fl.cross_entropy.partial(np.eye(3), [0, 1, 2], weight=[1.0, 2.0, 4.0], offset=3)
    with pytest.raises(ValueError, match=r"hash \w+> and weight=<array of shape \(3,\), float64"):
        weighted + other
    each = fl.huber_loss.partial(x, t, weight=t + 1, offset=8, delta=2.0)
    with pytest.raises(ValueError, match="weight=None and weight=<numbers of the rows> cannot"):
        part + each
    yes, one = (fl.huber_loss.partial(x, t, delta=d, offset=8 * k) for k, d in enumerate((True, 1)))
    with pytest.raises(ValueError, match=r"delta=True and delta=1.0 cannot be added"):
        yes + one


def test_wrong_arguments() -> None:
    x = np.arange(4.0)
    for offset, error in ((-1, ValueError), (1.5, TypeError), ("a", TypeError)):
        with pytest.raises(error, match="offset"):
            fl.mse_loss.partial(x, x, offset=offset)
    with pytest.raises(
        ValueError, match='reduction: a partial has no single values, so not "none"'
    ):
        fl.mse_loss.partial(x, x, reduction="none")
    with pytest.raises(ValueError, match="reduction: a partial has no single values"):
        fl.mse_loss.partial(x, x).value("none")
    with pytest.raises(ValueError, match="reduction: must be one of mean"):
        fl.mse_loss.partial(x, x).value("median")
    with pytest.raises(TypeError, match="mse_loss: missing a required argument: 'target'"):
        fl.mse_loss.partial(x)
    with pytest.raises(IndexError, match="target: the class at"):
        fl.cross_entropy.partial(np.eye(3), [0, 1, 3])
    with pytest.raises(NotImplementedError, match="dice_loss has no partials: it is no sum"):
        fl.dice_loss.partial(np.ones((2, 1, 4)), np.ones((2, 1, 4)))
    sideways = fl.cross_entropy.partial(np.eye(3), [0, 1, 2], axis=0)
    with pytest.raises(ValueError, match='"batchmean" needs the batch as the first axis'):
        sideways.value("batchmean")


def test_bytes() -> None:
    part = fl.huber_loss.partial(np.arange(5000.0), np.zeros(5000), offset=10**15)
    data = part.to_bytes()
    assert fl.Partial.from_bytes(data) == part and hash(fl.Partial.from_bytes(data)) == hash(part)
    assert fl.Partial.from_bytes(memoryview(data)).to_bytes() == data
    for wrong, text in (
        (b"", "these are not the bytes of a Partial"),
        (data[:40], "are damaged"),
        (data[:-3], "are damaged"),
        (data + b"12345678", "are damaged"),
        (data[:-3] + b"abc", "are damaged: their checksum is another one"),
        (data.replace(b'"batch":5000', b'"batch":6000'), "checksum"),
        (data[:18] + b"\x02" + data[19:], "a Partial of version 2; this fusedloss reads version 1"),
    ):
        with pytest.raises(ValueError, match=text):
            fl.Partial.from_bytes(wrong)
    with pytest.raises(TypeError, match="data: bytes are needed, got int"):
        fl.Partial.from_bytes(10**12)  # type: ignore[arg-type]
    aligned = fl.huber_loss.partial(np.ones(8192), np.zeros(8192), offset=4096)
    assert len(pickle.dumps(aligned)) < 600
    cloudpickle = pytest.importorskip("cloudpickle")
    assert len(cloudpickle.dumps(aligned)) < 600


def test_criteria() -> None:
    x, t = np.random.default_rng(0).normal(size=(2, 100))
    criterion = fl.HuberLoss(delta=0.5, reduction="sum")
    part = criterion.partial(x[:30], t[:30]) + criterion.partial(x[30:], target=t[30:], offset=30)
    assert bits(part.value()) == bits(criterion(x, t))
    weighted = fl.CrossEntropyLoss(weight=[1.0, 2.0])
    logits, labels = np.random.default_rng(1).normal(size=(50, 2)), np.arange(50) % 2
    halves = [weighted.partial(logits[i : i + 25], labels[i : i + 25], offset=i) for i in (0, 25)]
    assert bits(sum(halves).value()) == bits(weighted(logits, labels))


def test_accumulator() -> None:
    rng = np.random.default_rng(5)
    x, t = rng.normal(size=(2, 20_000)).astype(np.float32)
    w = rng.random(20_000).astype(np.float32)
    whole = fl.Accumulator("huber_loss", delta=0.3)
    for i, j in cut_at(rng.integers(0, 20_000, 50), 20_000):
        whole.update(x[i:j], t[i:j], weight=w[i:j])
    assert whole.offset == 20_000 and "20000 rows" in repr(whole)
    for reduction in REDUCTIONS:
        expected = fl.huber_loss(x, t, delta=0.3, weight=w, reduction=reduction)
        assert bits(whole.value(reduction)) == bits(expected)
    first = fl.Accumulator(fl.HuberLoss(delta=0.3, reduction="sum"))
    second = fl.Accumulator(fl.HuberLoss(delta=0.3, reduction="sum"), offset=7777)
    first.update(x[:7777], t[:7777])
    second.update(x[7777:], target=t[7777:])
    assert bits(second.merge(first).value()) == bits(fl.HuberLoss(delta=0.3, reduction="sum")(x, t))
    with pytest.raises(TypeError, match="other: an Accumulator or a Partial is needed, got float"):
        first.merge(1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="delta: a positive finite number"):
        fl.Accumulator("huber_loss", delta=-1)
    with pytest.raises(ValueError, match="rows 0 to 7777 are in both"):
        first.merge(first)


def test_memory_does_not_grow() -> None:
    """An accumulator of many chunks is as large as one of a few."""
    accumulator = fl.Accumulator("mse_loss")
    sizes = []
    for k in range(400):
        accumulator.update(np.full(777, k / 7), np.zeros(777))
        sizes.append(len(accumulator.partial.to_bytes()))
    assert max(sizes) < 34_000
