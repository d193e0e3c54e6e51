"""The C interface, called through ctypes: the bits of the Python calls, for every loss it has."""

from __future__ import annotations

import ctypes
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from fusedloss import capi
from tests import registry as reg
from tests.samples import same

Array = np.ndarray[Any, Any]

OK, BAD_CALL = -1, -2
PACKAGE = Path(fl.__file__).parent
DTYPE = pytest.mark.parametrize("dtype", reg.DTYPES)


def function(name: str, dtype: Any) -> Any:
    return capi.function(name + ("f" if dtype == np.float32 else ""))


def pointer(array: Array | None) -> int:
    return 0 if array is None else array.ctypes.data


def bound_of(case: Any) -> tuple[capi.BoundLoss, str | None]:
    """The loss of a row, and which operand is its third one."""
    loss, options = getattr(fl, case.loss), dict(case.options)
    third = case.third or ("target" if case.by else None)
    if third in loss._options:
        options[third] = capi.OPERAND
    return capi.bind(loss, **options), third


def mapped(
    bound: capi.BoundLoss, x: Array, t: Array, third: Array | None, w: Array | None, scale: float
) -> tuple[float, list[Array]]:
    """The sum and all arrays: value, gradient, second derivative, and those of a third operand."""
    gradients = ctypes.c_int32.from_address(bound.address + 12).value
    outputs = [np.full(x.shape, np.nan, x.dtype) for _ in range(1 + 2 * gradients)]
    places = [*map(pointer, outputs), 0, 0][:5]
    total = ctypes.c_double(np.nan)
    outcome = function("map", x.dtype)(
        *(bound.address, x.size, pointer(x), pointer(t), pointer(third), pointer(w), scale),
        *(ctypes.addressof(total), *places),
    )
    assert outcome == OK
    return total.value, outputs


@DTYPE
@pytest.mark.parametrize(
    "case", [c for c in reg.ELEMENTWISE if not c.side and not c.fourth], ids=str
)
def test_elementwise(case: reg.Elementwise, dtype: Any, level: str) -> None:
    operands = dict(zip(case.kinds, reg.elementwise_inputs(case, dtype), strict=False))
    operands = {name: np.ascontiguousarray(a) for name, a in operands.items()}
    bound, third_name = bound_of(case)
    x, t = operands[case.first], operands["target"]
    third = None if third_name is None else operands[third_name]
    assert bound.level == level and x.dtype == dtype

    def called(**options: Any) -> list[Any]:
        value, grad, hess = getattr(fl, case.loss).value_grad_hess(
            **operands, **case.options, **options
        )
        if isinstance(grad, tuple):
            return [value, grad[0], hess[0], grad[1], hess[1]]
        return [value, grad, hess]

    weight = np.random.default_rng(5).integers(0, 3, x.size).astype(dtype)
    for w, factor in (None, 1.0), (weight, 0.25):
        expected = called(reduction="none", weight=w)
        total, got = mapped(bound, x, t, third, w, factor)
        assert len(got) == len(expected)
        assert same(got[0], expected[0])
        if factor == 1:
            assert all(map(same, got, expected))
            assert same(dtype(total), called(reduction="sum")[0])
        else:
            for part, wanted in zip(got[1:], expected[1:], strict=True):
                size = np.abs(wanted)
                fine = (size > 1e-30) & (size < 1e30)  # a quarter of it is as exact
                assert same(part[fine], (wanted * dtype(factor))[fine])
    plain = called(reduction="none")
    element = function("element", dtype)
    row = (ctypes.c_double if dtype == np.float64 else ctypes.c_float) * 5
    for i in range(0, x.size, max(1, x.size // 200)):
        out = row()
        u = float(third[i]) if third is not None else 0.0
        assert element(bound.address, 2, float(x[i]), float(t[i]), u, ctypes.addressof(out)) == 0
        assert same(np.array(out, dtype)[: len(plain)], np.array([a[i] for a in plain], dtype))
        out = row()
        element(bound.address, 0, float(x[i]), float(t[i]), u, ctypes.addressof(out))
        assert same(dtype(out[0]), plain[0][i])


@DTYPE
@pytest.mark.parametrize("classes", [3, 40, 700])
@pytest.mark.parametrize("case", [c for c in reg.ROWS if c.target == "class"], ids=str)
def test_rows(case: reg.Rows, classes: int, dtype: Any, level: str) -> None:
    loss = getattr(fl, case.loss)
    if case.weights in case.options:  # of all classes alike
        with pytest.raises(ValueError, match=f"{case.weights}: cannot be bound"):
            capi.bind(loss, **case.options)
        return
    bound = capi.bind(loss, **case.options)
    rng = np.random.default_rng(9)
    x = rng.normal(size=(33, classes)).astype(dtype)
    x -= np.logaddexp.reduce(x, axis=1, keepdims=True)
    t = rng.integers(0, classes, 33)
    if "ignore_index" in loss._options:
        t[::5] = case.options.get("ignore_index", -100)
    row_weight = rng.uniform(0.0, 2.0, 33).astype(dtype)
    row_weight[7], t[7] = 0, classes  # what has no weight may have any label
    class_weight = rng.uniform(0.5, 2.0, classes).astype(dtype) if case.weights else None
    weights = {case.weights: class_weight} if case.weights else {}
    value, grad, hess = loss.value_grad_hess(
        x, t, **case.options, **weights, sample_weight=row_weight, reduction="none"
    )
    got = [np.full(33, np.nan, dtype), np.full_like(x, np.nan), np.full_like(x, np.nan)]
    total = ctypes.c_double()

    def call(*outputs: int) -> int:
        outcome: int = function("rows", dtype)(
            *(bound.address, 33, classes, pointer(x), pointer(t), pointer(class_weight)),
            *(pointer(row_weight), 1.0, ctypes.addressof(total), *outputs),
        )
        return outcome

    if dtype == np.float32 and "softcap" in case.options:
        assert call(0, 0, 0) == BAD_CALL  # it computes in double
        return
    assert call(*map(pointer, got)) == OK
    assert all(map(same, got, (value, grad, hess)))
    options = {**case.options, **weights, "sample_weight": row_weight}
    assert same(dtype(total.value), loss(x, t, **options, reduction="sum"))
    t[11], row_weight[11] = classes, 1
    assert call(*map(pointer, got)) == 11
    assert call(0, 0, pointer(got[2])) == BAD_CALL  # no gradient


@pytest.mark.parametrize("name", sorted({case.loss for case in reg.JOINT}))
def test_other_losses_cannot_be_bound(name: str) -> None:
    with pytest.raises(TypeError, match=f"bind: {name} "):
        capi.bind(name)


def test_what_bind_accepts() -> None:
    value = capi.function("value")
    for bound in (
        capi.bind(fl.huber_loss, delta=2),
        capi.bind("huber_loss", delta=2.0),
        capi.bind(fl.HuberLoss(delta=2.0)),
        pickle.loads(pickle.dumps(capi.bind(fl.huber_loss, delta=2))),
    ):
        assert value(bound.address, 5.0, 0.0) == 8.0
    assert capi.bind(fl.HuberLoss(delta=2.0), delta=1.0).options == {"delta": 1.0}
    bound = capi.bind(fl.binary_cross_entropy_with_logits, pos_weight=3.0)
    want = fl.binary_cross_entropy_with_logits(0.3, 1.0, pos_weight=3.0)
    assert value(bound.address, 0.3, 1.0) == want
    third = capi.bind(fl.quantile_loss, q=capi.OPERAND)
    assert np.isnan(value(third.address, 0.3, 1.0))  # it is nowhere
    assert capi.bind(fl.quantile_loss, q=0.0) and capi.bind(fl.expectile_loss, q=0.0)


@pytest.mark.parametrize(
    ("loss", "options", "error", "text"),
    [
        ("huber_loss", {"dleta": 1}, TypeError, "huber_loss has no option 'dleta'; .*: delta"),
        ("huber_loss", {"delta": -1}, ValueError, "delta: a positive finite number"),
        ("huber_loss", {"weight": [1.0]}, ValueError, "weight: cannot be bound: the functions"),
        ("huber_loss", {"reduction": "sum"}, ValueError, "reduction: cannot be bound"),
        ("cross_entropy", {"axis": 0}, ValueError, "axis: cannot be bound: the classes are"),
        ("cross_entropy", {"label_smoothing": 2}, ValueError, "label_smoothing: a number from 0"),
        ("quantile_loss", {"q": [0.1, 0.2]}, ValueError, "q: cannot be bound: the functions take"),
        ("hubble_loss", {}, TypeError, "there is no loss 'hubble_loss'"),
        (fl.sigmoid, {}, TypeError, "a loss, its name or a criterion is needed, got Activation"),
        (fl.HuberLoss(weight=[1.0, 2.0]), {}, ValueError, "weight: cannot be bound"),
    ],
)
def test_what_bind_refuses(loss: Any, options: dict[str, Any], error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        capi.bind(loss, **options)
    with pytest.raises(ValueError, match=r"one of value, valuef, .* is needed, got 'values'"):
        capi.function("values")


def test_domains() -> None:
    """The position of the first bad element, also where the output lies on the input."""
    bound = capi.bind(fl.poisson_nll_loss)
    x, t, w = np.linspace(0, 1, 5000), np.ones(5000), np.ones(5000)
    t[[3000, 4000]], w[3000] = -1, 0
    for out in (np.empty(5000), x):
        call = capi.function("map")
        arguments = bound.address, 5000, pointer(x), pointer(t), 0
        places = 1.0, 0, 0, pointer(out), 0, 0, 0
        assert call(*arguments, pointer(w), *places) == 4000
        assert call(*arguments, 0, *places) == 3000
    grad = ctypes.c_double()
    assert np.isnan(capi.function("value")(bound.address, 1.0, -1.0))
    assert np.isnan(
        capi.function("value_and_grad")(bound.address, 1.0, -1.0, ctypes.addressof(grad))
    )
    assert np.isnan(grad.value)
    out5 = (ctypes.c_double * 5)()
    element = capi.function("element")
    assert element(bound.address, 0, 1.0, -1.0, 0.0, ctypes.addressof(out5)) == 2  # the target


def test_in_place_and_calls_of_the_wrong_kind() -> None:
    huber, softmax = capi.bind(fl.huber_loss), capi.bind(fl.cross_entropy)
    x, t = np.linspace(-3, 3, 2000), np.zeros(2000)
    want = fl.huber_loss.value_and_grad(x, t, reduction="sum")[1]
    call, rows = capi.function("map"), capi.function("rows")
    a, b = pointer(x), pointer(t)
    assert call(huber.address, 2000, a, b, b, 0, 1.0, 0, 0, 0, 0, 0, 0) == BAD_CALL  # a third one
    assert call(huber.address, 2000, a, 0, 0, 0, 1.0, 0, 0, 0, 0, 0, 0) == BAD_CALL
    assert call(huber.address, 2000, a, b, 0, 0, 1.0, 0, 0, 0, 0, a, 0) == BAD_CALL
    assert call(huber.address, -1, a, b, 0, 0, 1.0, 0, 0, 0, 0, 0, 0) == BAD_CALL
    assert call(softmax.address, 2000, a, b, 0, 0, 1.0, 0, 0, 0, 0, 0, 0) == BAD_CALL
    assert rows(huber.address, 2000, 1, a, b, 0, 0, 1.0, 0, 0, 0, 0) == BAD_CALL
    assert np.isnan(capi.function("value")(softmax.address, 1.0, 1.0))
    assert call(huber.address, 0, a, b, 0, 0, 1.0, 0, 0, 0, 0, 0, 0) == OK
    assert call(huber.address, 2000, a, b, 0, 0, 1.0, 0, 0, a, 0, 0, 0) == OK
    assert same(x, want)
    narrow = capi.bind(fl.huber_loss, delta=1e300)  # no float
    assert np.isnan(capi.function("valuef")(narrow.address, 1.0, 0.0))
    assert capi.function("value")(narrow.address, 1.0, 0.0) == 0.5
    assert capi.function("mapf")(narrow.address, 1, a, b, 0, 0, 1.0, 0, 0, 0, 0, 0, 0) == BAD_CALL


def test_header_and_declarations() -> None:
    """What capi.pxd declares and what the kernels export is what the header has."""
    header = Path(fl.get_include(), "fusedloss.h").read_text(encoding="utf-8")
    declared = (PACKAGE / "capi.pxd").read_text(encoding="utf-8")
    assert f"#define FUSEDLOSS_ABI {capi.ABI}\n" in header
    macros = set(re.findall(r"static inline \w+ fusedloss_(\w+)##f\(", header)) - {"third"}
    names = {name + f for name in macros for f in ("", "f")}
    found = dict(re.findall(r'(\w+) "fusedloss_(\w+)"\(const Loss', declared))
    assert found == {name: name for name in names} and set(capi._capsules()) == names
    assert set(capi.__pyx_capi__) == names
