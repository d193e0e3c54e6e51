"""Bad arguments: each is refused with the right exception, whose message names the argument."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import (
    INTEGERS,
    ONE_OF_EACH,
    ORDERS,
    Call,
    Case,
    call,
    class_weights,
    elementwise,
    fortran,
    rows,
    stepped,
    with_class_weights,
)

nan, inf = np.nan, np.inf
X = np.zeros((3, 4))
Y = np.zeros(3, int)
#: A row for each class-axis loss, and the losses by what they take.
FIRST = {case.loss: case for case in reversed(reg.ROWS)}
WITH_CLASSES = [name for name, case in FIRST.items() if case.target == "class"]
WITH_PROBABILITIES = list(dict.fromkeys(c.loss for c in reg.ROWS if c.target == "probability"))
IGNORING = [name for name, case in FIRST.items() if case.ignores]
SMOOTHING = list(dict.fromkeys(case.loss for case in reg.ROWS if case.smoothed))
ROW_LOSS = pytest.mark.parametrize("loss", FIRST)


def row_call(loss: str) -> Call:
    """A call of a class-axis loss with three rows of four classes."""
    return rows(FIRST[loss], (3, 4), seed=1)


# ---- arrays --------------------------------------------------------------------------------------

UNFIT: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "complex": (lambda a: a.astype(complex), TypeError),
    "complex64": (lambda a: a.astype(np.complex64), TypeError),
    "object": (lambda a: a.astype(object), TypeError),
    "strings": (lambda a: a.astype(str), TypeError),
    "bytes": (lambda a: a.astype("S4"), TypeError),
    "datetime": (lambda a: a.astype("i8").astype("M8[s]"), TypeError),
    "timedelta": (lambda a: a.astype("i8").astype("m8[s]"), TypeError),
    "longdouble": (lambda a: a.astype(np.longdouble), TypeError),
    "records": (lambda a: np.zeros(a.shape, [("x", "f8")]), TypeError),
    "masked": (lambda a: np.ma.masked_array(a, a == 0), TypeError),
    "nothing": (lambda a: None, TypeError),
    "a dict": (lambda a: {"a": 1}, TypeError),
    "a word": (lambda a: "word", TypeError),
    "ragged": (lambda a: [[1.0, 2.0], [3.0]], ValueError),
    "decimals": (lambda a: [Decimal(1)] * 3, TypeError),
}


@pytest.mark.parametrize("unfit", UNFIT)
def test_arrays_that_are_none(unfit: str) -> None:
    change, error = UNFIT[unfit]
    for case in ONE_OF_EACH:
        sample = call(case, 30)
        for name in sample.arrays:
            if unfit == "nothing" and name not in case.operands:
                continue  # None is "no weights"
            for order in range(3):
                with pytest.raises(error, match=rf"^{name}: "):
                    sample.changed(change, name).run(order)


@pytest.mark.parametrize("unfit", UNFIT)
def test_arrays_for_activations_that_are_none(unfit: str) -> None:
    change, error = UNFIT[unfit]
    x = np.ones((3, 4))
    for name in ["softmax", "log_softmax", "logsumexp", *(c.name for c in reg.ACTIVATIONS)]:
        f = getattr(fl, name)
        with pytest.raises(error, match=r"^input: "):
            f(change(x))
        with pytest.raises(error, match=r"^input: "):
            f.vjp(change(x), x)
        with pytest.raises(error, match=r"^grad_output: "):
            f.vjp(x, change(x))
        with pytest.raises(ValueError, match=r"^grad_output: shape \(5,\)"):
            f.vjp(x, np.zeros(5))


def test_dtype_errors_name_what_is_accepted() -> None:
    with pytest.raises(
        TypeError, match=r"dtype complex128 .* float16, bfloat16, float32 or float64"
    ):
        fl.mse_loss(X + 0j, X)
    with pytest.raises(TypeError, match=r"masked arrays .* weight"):
        fl.mse_loss(X, np.ma.masked_array(X))


@pytest.mark.parametrize("case", reg.ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("shape", [(4, 3), (2,), (3, 4, 1), (0,), (2, 3, 4)])
def test_shapes_that_do_not_broadcast(case: reg.Elementwise, shape: tuple[int, ...]) -> None:
    sample = elementwise(case, (3, 4), weighted=True)
    for name in set(sample.arrays) - {sample.first}:
        message = rf"^{name}: shape {re.escape(str(shape))} cannot .* \(3, 4\)"
        with pytest.raises(ValueError, match=message):
            sample.having(**{name: np.ones(shape)}).run(1)


# ---- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
@pytest.mark.parametrize("reduction", ["average", "MEAN", "", None, 0, ["mean"], b"mean"])
def test_reduction(case: Case, reduction: Any) -> None:
    for order in range(3):
        with pytest.raises(ValueError, match=r"^reduction: must be one of mean, sum, none"):
            call(case, 30).run(order, reduction=reduction)


# For each option of a loss numbers that it accepts, and that it does not.
NO_NUMBERS = [nan, inf, -inf]
POSITIVE = [1e-3, 2, np.float32(0.5), np.array(3), True], [0, -1.0, -0.0, np.array(-2), *NO_NUMBERS]
FROM_0_ON = [0, 0.0, -0.0, 1e-3, np.int8(7)], [-1, -1e-9, *NO_NUMBERS]
UNIT = [0, 1, 0.25, np.float64(0.5)], [-1e-9, 1.0000001, 2, *NO_NUMBERS]
FINITE = [0, -1, 2.5, np.float32(0.5)], NO_NUMBERS
OPTIONS = {
    ("huber_loss", "delta"): POSITIVE,
    ("smooth_l1_loss", "beta"): FROM_0_ON,
    ("pseudo_huber_loss", "delta"): POSITIVE,
    ("quantile_loss", "q"): UNIT,
    ("expectile_loss", "q"): UNIT,
    ("mape_loss", "eps"): POSITIVE,
    ("cauchy_loss", "c"): POSITIVE,
    ("fair_loss", "c"): POSITIVE,
    ("epsilon_insensitive_loss", "epsilon"): FROM_0_ON,
    ("squared_epsilon_insensitive_loss", "epsilon"): FROM_0_ON,
    ("binary_cross_entropy", "log_clamp"): ([0, -1, -100.0, None], [1e-9, 1, *NO_NUMBERS]),
    ("hinge_loss", "margin"): FINITE,
    ("squared_hinge_loss", "margin"): FINITE,
    ("hinge_embedding_loss", "margin"): FINITE,
    ("margin_ranking_loss", "margin"): FINITE,
    ("asymmetric_loss", "gamma_neg"): FROM_0_ON,
    ("asymmetric_loss", "gamma_pos"): FROM_0_ON,
    ("asymmetric_loss", "clip"): ([0.0, 0.05, 0.99], [-0.1, 1.0, 1.5, *NO_NUMBERS]),
    ("sigmoid_focal_loss", "gamma"): FROM_0_ON,
    ("sigmoid_focal_loss", "alpha"): ([*UNIT[0], None, -1, -1.0], [-0.5, 1.5, *NO_NUMBERS]),
    ("poisson_nll_loss", "eps"): FROM_0_ON,
    ("tweedie_loss", "power"): ([-1, 0, 1, 1.5, 2, 3], [0.5, 1e-9, 1 - 1e-9, *NO_NUMBERS]),
    ("gaussian_nll_loss", "eps"): FROM_0_ON,
    ("student_t_nll_loss", "df"): POSITIVE,
    ("crps_student_t", "df"): (
        [1 + 1e-9, 2, np.float32(20.5), np.array(1e300)],
        [1, 1.0, 0.5, -2, *NO_NUMBERS],
    ),
    ("interval_score", "alpha"): ([1, True, 0.05, np.float32(0.5)], [0, -0.1, 1.5, *NO_NUMBERS]),
    ("js_div", "beta"): ([0.5, 0.25, np.float32(0.75)], [0, 1, -0.5, 1.5, *NO_NUMBERS]),
    ("cross_entropy", "z_loss"): FROM_0_ON,
    ("cross_entropy", "softcap"): ([None, 1, 30.0, np.float32(0.5)], [0, -1.0, -0.0, nan, -inf]),
    ("softmax_focal_loss", "gamma"): FROM_0_ON,
    ("softmax_focal_loss", "alpha"): ([None, 0.25, 1, np.float32(0.5), np.array(2.0)], []),
    ("generalized_cross_entropy_loss", "q"): (
        [1, 0.5, 1e-3, np.float32(0.25), True],
        [0, -0.5, -0.0, 1.0000001, 2, *NO_NUMBERS],
    ),
    ("poly_cross_entropy_loss", "epsilon"): (
        [-1, 0, 1.5, np.float64(-0.5)],
        [-1.0000001, -2, *NO_NUMBERS],
    ),
    ("multi_margin_loss", "margin"): FINITE,
    ("multi_margin_loss", "p"): ([1, 2], [0, 3, 1.5, -1, *NO_NUMBERS]),
    ("categorical_hinge_loss", "margin"): FINITE,
    **{(loss, "label_smoothing"): UNIT for loss in SMOOTHING},
}
OPTION = pytest.mark.parametrize(("loss", "option"), OPTIONS)
FISHER = [
    name
    for name, loss in vars(fl).items()
    if isinstance(loss, fl.Loss) and "fisher" in loss._options
]


def sample_of(loss: str) -> Any:
    """A call of the loss that every value of its options fits."""
    if loss in FIRST:
        return row_call(loss)
    case = next(case for case in reg.ONE_OF_EACH if case.loss == loss)
    sample = elementwise(case, (3, 4))
    return replace(sample, options={})


@OPTION
@pytest.mark.parametrize("order", range(3))
def test_numbers_that_an_option_may_be(loss: str, option: str, order: int) -> None:
    good, bad = OPTIONS[loss, option]
    sample = sample_of(loss)
    for x in good:
        assert np.isfinite(sample.run(order, **{option: x})[0])
    for x in bad:
        with pytest.raises(ValueError, match=rf"^{option}: "):
            sample.run(order, **{option: x})


@OPTION
def test_options_that_are_no_numbers(loss: str, option: str) -> None:
    sample = sample_of(loss)
    levels = loss in ("quantile_loss", "expectile_loss", "interval_score")
    arrays = levels or (loss in FIRST and FIRST[loss].weights == option)  # which are accepted
    for x in ("a", "1.5", b"2", [1.0, 2.0], np.ones(2), 1j, {}, None):
        if x is None and None in OPTIONS[loss, option][0]:
            continue
        error = ValueError if arrays and isinstance(x, (list, np.ndarray)) else TypeError
        with pytest.raises(error, match=rf"^{option}: "):
            sample.run(**{option: x})


def test_every_number_among_the_options_is_tested() -> None:
    for case in ONE_OF_EACH:
        for name, parameter in inspect.signature(getattr(fl, case.loss)).parameters.items():
            default = parameter.default
            if isinstance(default, float):
                assert (case.loss, name) in OPTIONS


@pytest.mark.parametrize(
    ("loss", "option"),
    [
        ("poisson_nll_loss", "log_input"),
        ("gamma_nll_loss", "log_input"),
        ("tweedie_loss", "log_input"),
        ("kl_div", "log_target"),
        ("kl_div", "target_grad"),
        ("gaussian_nll_loss", "full"),
        *((loss, "fisher") for loss in FISHER),
        ("poisson_nll_loss", "full"),
        ("cross_entropy", "return_lse"),
    ],
)
def test_options_that_are_true_or_false(loss: str, option: str) -> None:
    sample = sample_of(loss)
    for x in (False, True, np.bool_(False)):
        positive = sample.changed(lambda a: a if a.dtype.kind == "i" else np.abs(a) + 0.5)
        positive.run(**{option: x})
    for x in (None, 2, 0.0, "yes", "false", [True]):
        with pytest.raises((TypeError, ValueError), match=rf"^{option}: "):
            sample.run(**{option: x})


@pytest.mark.parametrize("smoothing", [-1e-9, 1.0000001, 2, -1, nan, inf, -inf])
@pytest.mark.parametrize("target", [Y, X], ids=["classes", "probabilities"])
@pytest.mark.parametrize("loss", SMOOTHING)
def test_label_smoothing_out_of_range(loss: str, smoothing: Any, target: Any) -> None:
    for order in ORDERS:
        with pytest.raises(ValueError, match=r"^label_smoothing: "):
            getattr(getattr(fl, loss), order)(X, target, label_smoothing=smoothing)


@pytest.mark.parametrize("ignore", [1.0, "a", None, [1], np.ones(2), np.float64(2)])
@pytest.mark.parametrize("loss", IGNORING)
def test_ignore_index_that_is_no_integer(loss: str, ignore: Any) -> None:
    with pytest.raises(TypeError, match=r"^ignore_index: "):
        getattr(fl, loss)(X, Y, ignore_index=ignore)


def test_ignore_index_out_of_range() -> None:
    for ignore in (2**63, -(2**63) - 1, 10**30):
        with pytest.raises(ValueError, match=r"^ignore_index: "):
            fl.cross_entropy(X, Y, ignore_index=ignore)
    for ignore in (2**63 - 1, -(2**63), np.int8(-3), True):
        fl.cross_entropy(X, np.full(3, 2), ignore_index=ignore)  # type: ignore[arg-type]


@pytest.mark.parametrize("ignore", [0, 3, 100])
@pytest.mark.parametrize("loss", WITH_PROBABILITIES)
def test_ignore_index_with_probabilities(loss: str, ignore: int) -> None:
    with pytest.raises(ValueError, match=rf"^ignore_index: {ignore} .* probabilities"):
        getattr(fl, loss)(X, X, ignore_index=ignore)
    getattr(fl, loss)(X, X, ignore_index=-1)


@ROW_LOSS
def test_only_some_losses_ignore(loss: str) -> None:
    if not FIRST[loss].ignores:
        with pytest.raises(TypeError, match="ignore_index"):
            row_call(loss).run(ignore_index=-1)


ALONG_AXES = pytest.mark.parametrize("name", [*FIRST, "softmax", "log_softmax", "logsumexp"])


@pytest.mark.parametrize("axis", [2, -3, 100, 10**20])
@ALONG_AXES
def test_axis_out_of_range(name: str, axis: int) -> None:
    for run in axis_calls(name):
        with pytest.raises(ValueError, match=rf"^axis: {axis} is out of range .* 2 dimensions"):
            run(axis=axis)


@pytest.mark.parametrize("axis", [1.0, "1", [0], np.array([0]), 1j, True, np.False_])
@ALONG_AXES
def test_axis_that_is_no_integer(name: str, axis: Any) -> None:
    for run in axis_calls(name):
        with pytest.raises(TypeError, match=r"^axis: "):
            run(axis=axis)


def axis_calls(name: str) -> list[Callable[..., Any]]:
    f = getattr(fl, name)
    if name in FIRST:
        return [partial(row_call(name).run, order) for order in (0, 1)]
    return [lambda **k: f(X, **k), lambda **k: f.vjp(X, X[:, 0] if "sum" in name else X, **k)]


def test_repeated_axes() -> None:
    for axis in ((0, 0), (0, 1, -1), (-2, 0)):
        with pytest.raises(ValueError, match=r"^axis: .* twice"):
            fl.logsumexp(X, axis=axis)
    with pytest.raises(TypeError, match=r"^axis: "):
        fl.logsumexp(X, axis=(0, 1.0))  # type: ignore[arg-type]
    for axis in ((0, 2), (-3,)):
        with pytest.raises(ValueError, match=r"^axis: "):
            fl.logsumexp(X, axis=axis)


@pytest.mark.parametrize("name", FIRST)
def test_no_class_axis(name: str) -> None:
    f = getattr(fl, name)
    if name in ("multi_margin_loss", "multilabel_margin_loss"):  # one class, as in torch
        assert f(1.0, 0) == f(1.0, 0, axis=0) == f(1.0, 0, axis=-1) == 0
        with pytest.raises(ValueError, match=r"^axis: 1 is out of range"):
            f(1.0, 0, axis=1)
        return
    with pytest.raises(ValueError, match=r"^input: at least one dimension"):
        f(1.0, 0)
    with pytest.raises(ValueError, match=r"^axis: 0 is out of range|^input: at least"):
        f(1.0, 0, axis=0)


@pytest.mark.parametrize("case", reg.ROWS_ONE_OF_EACH, ids=str)
def test_no_classes(case: reg.Rows) -> None:
    for order in range(3):
        with pytest.raises(ValueError, match=r"^input: shape \(3, 0\) has no classes"):
            no_classes = {"class": np.zeros(3, int), "list": np.zeros((3, 0), int)}
            target = no_classes.get(case.target, np.zeros((3, 0)))
            getattr(getattr(fl, case.loss), ORDERS[order])(np.zeros((3, 0)), target, axis=1)


# ---- class weights and classes -------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (3,), (5,), (1, 4), (4, 1), (3, 4), (0,)])
@pytest.mark.parametrize("case", [c for c in reg.ROWS if c.weights], ids=str)
def test_class_weights(case: reg.Rows, shape: tuple[int, ...]) -> None:
    sample = with_class_weights(case, rows(case, (3, 4)), np.ones(shape))
    if case.loss == "multilabel_soft_margin_loss" and shape in ((), (1,), (1, 4), (3, 4)):
        sample.run()  # they may be those of elements
        return
    if shape == () and isinstance(OPTIONS.get((case.loss, str(case.weights))), tuple):
        sample.run()  # where one number for all is an option
        return
    for order in range(3):
        message = rf"^{case.weights}: .* 4 classes .* {re.escape(str(shape))}"
        with pytest.raises(ValueError, match=message):
            sample.run(order)


@pytest.mark.parametrize("case", [c for c in reg.ROWS_ONE_OF_EACH if c.weights], ids=str)
def test_class_weights_that_are_no_numbers(case: reg.Rows) -> None:
    sample = rows(case, (3, 4))
    good = class_weights(case, sample)
    for bad in ("a", {}, ["a"] * 4, good + 0j, good.astype(object)):
        with pytest.raises(TypeError, match=rf"^{case.weights}: "):
            with_class_weights(case, sample, bad).run()  # type: ignore[arg-type]


BY_CLASS = pytest.mark.parametrize("loss", WITH_CLASSES)


@BY_CLASS
@pytest.mark.parametrize("bad", [4, -1, -2, 127, -101])
@pytest.mark.parametrize("count", [3, 1500, 40_000])
def test_class_out_of_range(loss: str, bad: int, count: int) -> None:
    """Position, value and range are named; the first bad class is the one that is."""
    x = np.zeros((count, 4))
    for at in (0, count // 2, count - 1):
        t = np.zeros(count, int)
        t[at:] = bad
        message = rf"^target: the class at \[{at}\] is {bad}; accepted are 0 to 3"
        for order in ORDERS:
            with pytest.raises(IndexError, match=message):
                getattr(getattr(fl, loss), order)(x, t)
        weights = {FIRST[loss].weights: np.ones(4)} if FIRST[loss].weights else {}
        with pytest.raises(IndexError, match=message):
            getattr(fl, loss)(x, t, **weights, reduction="none")


@BY_CLASS
def test_class_out_of_range_in_any_layout(loss: str) -> None:
    shape = (30, 7, 11)
    x = np.zeros((30, 4, 7, 11))
    for at in ((0, 0, 0), (3, 6, 10), (29, 0, 1), (29, 6, 10)):
        t = np.zeros(shape, int)
        t[at] = 9
        t[-1, -1, -1] = 9
        where = ", ".join(map(str, at))
        for change in (fortran, stepped, lambda a: a.astype(">i2"), lambda a: a.astype(np.uint8)):
            with pytest.raises(IndexError, match=rf"^target: the class at \[{where}\] is 9"):
                getattr(fl, loss)(x, change(t))
    with pytest.raises(IndexError, match=r"^target: the class at \[2\] is 5; accepted are 0 to 3"):
        getattr(fl, loss)(np.zeros((4, 3)), [0, 0, 5], axis=0)
    for one in (np.array(5), np.int8(5), [5], 5):
        with pytest.raises(IndexError, match=r"^target: the class at \[0?\] is 5; accepted are"):
            getattr(fl, loss)(np.zeros(4), one)


@BY_CLASS
@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_class_out_of_range_of_any_dtype(loss: str, dtype: np.dtype[Any]) -> None:
    info = np.iinfo(dtype)
    for bad in {info.max, info.min} - {0}:
        t = np.zeros(3, dtype)
        t[1] = bad
        with pytest.raises(IndexError, match=rf"^target: the class at \[1\] is {bad};"):
            getattr(fl, loss)(X, t)


@pytest.mark.parametrize("loss", IGNORING)
@pytest.mark.parametrize("ignore", [-100, -1, -(2**63)])
def test_huge_unsigned_class_is_not_the_ignored_one(loss: str, ignore: int) -> None:
    """2^64 - 100 has the bits of -100, but it is another number."""
    t = np.array([0, 2**64 + ignore, 1], np.uint64)
    with pytest.raises(IndexError, match=rf"^target: the class at \[1\] is {2**64 + ignore};"):
        getattr(fl, loss)(X, t, ignore_index=ignore)


@pytest.mark.parametrize("loss", IGNORING)
def test_class_error_names_ignore_index(loss: str) -> None:
    with pytest.raises(IndexError, match=r"ignore_index, which is -7$"):
        getattr(fl, loss)(X, [0, -100, 1], ignore_index=-7)


@BY_CLASS
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_labels_must_be_integers(loss: str, dtype: Any) -> None:
    with pytest.raises(TypeError, match=r"^target: class numbers of an integer dtype .*got dtype"):
        getattr(fl, loss)(X, Y.astype(dtype))


@BY_CLASS
def test_probabilities_are_for_some_losses(loss: str) -> None:
    if loss in WITH_PROBABILITIES:
        error, message = (TypeError, ValueError), r"^target: .* probabilities of a floating"
        with pytest.raises(error, match=message):
            getattr(fl, loss)(X, X.astype(int))
    else:
        with pytest.raises(TypeError, match=r"^target: class numbers of an integer dtype"):
            getattr(fl, loss)(X, X)


LISTS = pytest.mark.parametrize("loss", [n for n, case in FIRST.items() if case.target == "list"])


@LISTS
@pytest.mark.parametrize("bad", [4, -2, 127, -100])
def test_listed_class_out_of_range(loss: str, bad: int) -> None:
    """The first that is, in the order of the indices; what follows -1 is not looked at."""
    f = getattr(fl, loss)
    for dtype in (np.int64, np.int8, ">i4"):
        t = np.array([[0, -1, bad, 9], [3, 1, bad, -1], [bad, 0, 0, 0]], dtype)
        for order in ORDERS:
            with pytest.raises(IndexError, match=rf"^target: .*\[1, 2\] is {bad}\b.*3"):
                getattr(f, order)(X, t)
        with pytest.raises(IndexError, match=rf"^target: .*\[2, 1\] is {bad}\b"):
            f(X.T, t.T, axis=0)
        t[1, 2] = t[2, 0] = -1
        assert np.isfinite(f(X, t))


@LISTS
def test_lists_must_be_integers_of_the_shape_of_input(loss: str) -> None:
    f = getattr(fl, loss)
    with pytest.raises(TypeError, match=r"^target: .*float64"):
        f(X, X)
    for shape in ((3,), (4,), (3, 1), (1, 4), (4, 3), (3, 5), (3, 4, 1), ()):
        with pytest.raises(ValueError, match=rf"^target: .*\(3, 4\).*{re.escape(str(shape))}"):
            f(X, np.zeros(shape, int))


@BY_CLASS
@pytest.mark.parametrize("shape", [(4,), (3, 1), (1, 3), (3, 3), (2,), (), (3, 4, 1)])
def test_shape_of_labels(loss: str, shape: tuple[int, ...]) -> None:
    for dtype in (int, float):
        with pytest.raises(ValueError, match=rf"^target: .*\(3,\).*got .*{re.escape(str(shape))}"):
            getattr(fl, loss)(X, np.zeros(shape, dtype))


# ---- how a loss is called ------------------------------------------------------------------------


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_unknown_and_missing_arguments(case: Case) -> None:
    sample = call(case, 30)
    names = case.operands
    x, *rest = (sample.arrays[name] for name in names)
    name = sample.loss.__name__
    for order in ORDERS:
        function = getattr(sample.loss, order)
        with pytest.raises(TypeError, match="size_average"):
            function(x, *rest, size_average=True)
        with pytest.raises(TypeError, match=name):
            function(x, *rest, None, None, None, None)
        with pytest.raises(TypeError, match=names[-1]):
            function(x, *rest[:-1])
        with pytest.raises(TypeError, match=names[0]):
            function(**dict(zip(names[1:], rest, strict=True)))
        with pytest.raises(TypeError, match=names[0]):
            function(x, *rest, **{names[0]: x})
    with pytest.raises(TypeError, match="grad_out"):
        getattr(fl, name)(x, *rest, grad_out=np.zeros(x.shape))
    with pytest.raises(TypeError, match="hess_out"):
        getattr(fl, name).value_and_grad(x, *rest, hess_out=np.zeros(x.shape))


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_weight_and_reduction_go_by_name(case: Case) -> None:
    """As in torch, where the third argument was once size_average; but for the weights there."""
    sample = call(case, 30)
    arrays: list[Any] = [sample.arrays[name] for name in case.operands]
    if isinstance(case, reg.Rows):
        arrays += [None] * (case.weights == "weight")
    else:
        arrays += [None] * case.loss.startswith("binary_cross_entropy")
    for extra in (arrays[0], "sum", 1.0):
        with pytest.raises(TypeError, match="positional"):
            getattr(fl, case.loss)(*arrays, extra)


def test_arguments_of_activations() -> None:
    for name in ("softmax", "log_softmax", "logsumexp", "sigmoid", "logsigmoid"):
        f = getattr(fl, name)
        with pytest.raises(TypeError, match="dim"):
            f(X, dim=1)
        with pytest.raises(TypeError, match="input"):
            f()
        with pytest.raises(TypeError, match="grad_output"):
            f.vjp(X)
        with pytest.raises(TypeError, match="positional"):
            f(X, 1, False, None)


def test_numbers_too_large_for_float64() -> None:
    with pytest.raises(ValueError, match="input"):
        fl.mse_loss(10**400, 0)
    with pytest.raises(ValueError, match="delta"):
        fl.huber_loss(1.0, 0.0, delta=10**400)


@pytest.mark.parametrize("delta", [1e39, 1e-50])
def test_delta_out_of_the_range_of_the_computation(delta: float) -> None:
    with pytest.raises(ValueError, match="float32"):
        fl.huber_loss(np.float32(1), np.float32(0), delta=delta)
    assert fl.huber_loss(1.0, 0.0, delta=delta) == min(0.5, delta)


def test_arguments_are_counted_as_the_user_sees_them() -> None:
    loss: Any = fl.mse_loss
    for method in (loss, loss.value_and_grad, loss.value_grad_hess):
        with pytest.raises(TypeError, match="mse_loss: too many positional arguments"):
            method(1.0, 2.0, 3.0)
        with pytest.raises(TypeError, match="unexpected keyword argument 'request'"):
            method(1.0, 2.0, request=3)
        with pytest.raises(TypeError, match="missing a required argument: 'target'"):
            method(1.0)


def test_buffers_that_are_no_plain_arrays() -> None:
    x = np.ones((2, 3))
    with pytest.raises(TypeError, match="out"):
        fl.softmax(x, out=np.ma.masked_array(np.empty((2, 3)), mask=True))
    with pytest.raises(TypeError, match="grad_out"), pytest.warns(PendingDeprecationWarning):
        fl.mse_loss.value_and_grad(x, x, grad_out=np.matrix(np.empty((2, 3))))
