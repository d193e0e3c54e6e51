"""Criteria: their options, how they are checked, set, compared and copied; operands of a call."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import subprocess
import sys
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.samples import CASES, Case, call, positional, same

Options = dict[str, Any]
CRITERIA: list[Any] = [
    c
    for c in (getattr(fl, name) for name in fl.__all__)
    if inspect.isclass(c) and issubclass(c, fl.Criterion) and c is not fl.Criterion
]
CLASS = pytest.mark.parametrize("cls", CRITERIA, ids=lambda cls: cls.__name__)
OF_LOSS = {cls.loss.__name__: cls for cls in CRITERIA}
ROW = pytest.mark.parametrize("case", [*CASES, *reg.JOINT], ids=str)


def options_of(cls: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(cls).parameters)


def arrays_of(cls: Any) -> list[str]:
    """The options that are operands, by what the signature says of their type."""
    return [n for n, p in options_of(cls).items() if re.search("ArrayLike|Ids", str(p.annotation))]


def free_arrays_of(cls: Any) -> list[str]:
    """Those that may be left out and hold numbers."""
    ids = [name for name, p in options_of(cls).items() if "Ids" in str(p.annotation)]
    return [n for n in arrays_of(cls) if options_of(cls)[n].default is None and n not in ids]


def sample(case: Case | reg.Joint) -> tuple[Any, list[Any], Options]:
    """The class of a row, operands, and options."""
    if isinstance(case, reg.Joint):
        arrays = case.inputs(np.random.default_rng(0), 6, np.float64)
        operands = [arrays[name] for name in case.operands]
        options = dict(case.options)
    else:
        made = call(case, 24)
        arrays, operands, options = made.arrays, positional(case, made), dict(made.options)
    more = {name: a for name, a in arrays.items() if name not in case.operands}
    return OF_LOSS[case.loss], operands, {**options, **more}


def error_of(function: Any) -> tuple[type[BaseException], str] | None:
    try:
        function()
    except Exception as error:
        return type(error), str(error)
    return None


def test_the_options_that_are_operands() -> None:
    names = {name for cls in CRITERIA for name in arrays_of(cls)}
    assert {"weight", "pos_weight", "where", "alpha", "negatives"} <= names
    for cls in CRITERIA:
        named = {"weight", "sample_weight", "pos_weight", "where"} & set(options_of(cls))
        assert named <= set(arrays_of(cls)), cls


# ---- options are checked -------------------------------------------------------------------------

BAD: list[Any] = [
    *("avg", b"mean", None, [1.0, 2.0], 1j, 10**400, nan, inf, -inf, -1, -2.5, 0, 0.5, 1, 2, 3),
    *(1e6, True, "binary", 2**64, np.float64(-1), np.array([0.5, 0.5, 0.5]), object()),
]
OF_OPERANDS = {
    "axis",
    "blank",
    "ignore_index",
    "vector_axis",
}  # integers are checked when the operands are known


@ROW
def test_bad_options_are_errors_when_made_and_set(case: Case | reg.Joint) -> None:
    """The same error as the call's, for each option beside the row's own options."""
    cls, operands, options = sample(case)
    whole = cls(**options)
    of_loss = set(inspect.signature(cls.loss).parameters) - set(options_of(cls))
    found = 0
    for name in options_of(cls):
        if name in arrays_of(cls):
            continue
        for bad in BAD:
            changed = {**options, name: bad}

            def run(changed: Options = changed) -> Any:
                return cls.loss(*operands, **changed)

            expected, made = error_of(run), error_of(lambda c=changed: cls(**c))
            if made is None and expected is not None:
                if expected[1].partition(":")[0] not in of_loss | set(arrays_of(cls)):
                    assert name in OF_OPERANDS, (name, bad, expected)
                    assert isinstance(bad, int) or bad is None, (name, bad, expected)
                continue
            assert made == expected, (name, bad)
            if made is None:
                continue
            found += 1
            assert name in made[1], (name, bad, made)
            kept = dict(vars(whole))
            assert error_of(lambda n=name, b=bad: setattr(whole, n, b)) == made
            assert error_of(lambda n=name, b=bad: whole.set_params(**{n: b})) == made
            assert vars(whole) == kept or all(vars(whole)[k] is kept[k] for k in kept)
    assert found > 10  # the reduction alone has more


@CLASS
def test_bad_arrays_are_errors_when_made_and_set(cls: Any) -> None:
    criterion = cls()
    for name in arrays_of(cls):
        for bad in ("a", [[1.0], [1.0, 2.0]], 1j, 10**400, object(), np.ma.masked_array([1.0])):
            error = error_of(lambda n=name, b=bad: cls(**{n: b}))
            assert error is not None and error[1].startswith(f"{name}: "), (name, bad, error)
            assert error_of(lambda n=name, b=bad: setattr(criterion, n, b)) == error
            assert error_of(lambda n=name, b=bad: criterion.set_params(**{n: b})) == error
            assert getattr(criterion, name) is options_of(cls)[name].default


def test_errors_of_weights_are_those_of_the_call() -> None:
    for bad in ("a", 1j, np.ma.masked_array([1.0])):
        made = error_of(lambda b=bad: fl.MSELoss(weight=b))
        assert made == error_of(lambda b=bad: fl.mse_loss([1.0], [2.0], weight=b))


JOINTLY: list[tuple[str, Options, str]] = [
    ("FocalTverskyLoss", {"smooth_nr": 1.0}, "smooth_nr: at most smooth_dr, 1e-05, is needed"),
    ("DiceLoss", {"mode": "binary", "axis": 1}, "axis: there is no class axis in mode 'binary'"),
    ("TverskyLoss", {"alpha": -1.0}, "alpha: a finite number, 0 or more, is needed"),
    ("GeneralizedDiceLoss", {"w_type": "cubed"}, "w_type: must be one of square, simple, uniform"),
    ("TweedieLoss", {"power": 0.5}, "power: no Tweedie distribution"),
    ("PoissonNLLLoss", {"full": "Exact"}, "full: True, False or"),
    ("PoissonNLLLoss", {"eps": -1.0}, "eps: a finite number"),
    ("CrossEntropyLoss", {"label_smoothing": 1.5}, "label_smoothing: a number from 0 to 1"),
    ("SigmoidFocalLoss", {"alpha": 1.5}, "alpha: a number from 0 to 1, or None or -1"),
    ("MultiMarginLoss", {"p": 3}, "p: 1 or 2 is needed"),
    ("TripletMarginWithDistanceLoss", {"distance_function": 3}, "distance_function: a function"),
    ("HuberLoss", {"delta": -1}, "delta: a positive finite number is needed, got -1"),
    ("HuberLoss", {"reduction": "avg"}, "reduction: must be one of mean, sum, none"),
]


@pytest.mark.parametrize(("name", "options", "message"), JOINTLY)
def test_examples_of_bad_options(name: str, options: Options, message: str) -> None:
    cls = getattr(fl, name)
    error = error_of(lambda: cls(**options))
    assert error is not None and error[1].startswith(message)
    assert error_of(lambda: cls().set_params(**options)) == error


def test_options_that_must_fit_are_set_together() -> None:
    criterion: Any = fl.FocalTverskyLoss()
    with pytest.raises(ValueError, match="smooth_nr: at most smooth_dr"):
        criterion.smooth_nr = 1.0
    assert criterion.set_params(smooth_nr=1.0, smooth_dr=2.0) is criterion
    with pytest.raises(ValueError, match=r"smooth_nr: at most smooth_dr, 0\.5, is needed"):
        criterion.smooth_dr = 0.5
    assert (criterion.smooth_nr, criterion.smooth_dr) == (1.0, 2.0)


# ---- attributes ----------------------------------------------------------------------------------


@CLASS
def test_attributes_that_are_no_options(cls: Any) -> None:
    criterion = cls()
    for name in options_of(cls):
        with pytest.raises(AttributeError, match=f"no option '{name}s'; did you mean") as error:
            setattr(criterion, name + "s", 3)
        assert all(option in str(error.value) for option in options_of(cls))
        with pytest.raises(AttributeError, match=f"the option '{name}' cannot be deleted"):
            delattr(criterion, name)
    for name in ("loss", "get_params", "__call__", "value_and_grad", "zzz"):
        with pytest.raises(AttributeError, match=f"{cls.__name__}: no option '{name}'"):
            setattr(criterion, name, None)
    criterion._mine = 3
    assert criterion._mine == 3


def test_a_close_name_is_suggested() -> None:
    criterion: Any = fl.HuberLoss()
    text = "HuberLoss: no option 'dleta'; did you mean 'delta'? The options are delta, weight"
    with pytest.raises(AttributeError) as error:
        criterion.dleta = 3
    assert str(error.value).startswith(text)


class Tracked(fl.HuberLoss):
    """As users write it: attributes of the class, and some that its constructor makes."""

    unit = "m"

    def __init__(self, factor: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor
        self.calls = 0

    def __call__(self, input: Any, target: Any, **more: Any) -> Any:
        self.calls += 1
        return self.factor * super().__call__(input, target, **more)


def test_attributes_of_subclasses() -> None:
    criterion: Any = Tracked(3.0, delta=2.0, reduction="sum")
    assert criterion([1.0], [0.0]) == 1.5 and criterion.calls == 1
    assert criterion([1.0], [0.0], weight=[2.0]) == 3.0
    criterion.unit = "km"
    assert (criterion.unit, Tracked.unit) == ("km", "m")
    with pytest.raises(AttributeError, match="Tracked: no option 'dleta'; did you mean 'delta'"):
        criterion.dleta = 2
    with pytest.raises(ValueError, match="delta: a positive"):
        criterion.delta = 0
    with pytest.raises(TypeError, match=r"Tracked: .*alpha"):
        Tracked(alpha=3)
    assert list(inspect.signature(Tracked).parameters) == [
        "factor",
        "delta",
        "weight",
        "where",
        "reduction",
    ]
    assert criterion.get_params()["factor"] == 3.0
    assert repr(criterion) == "Tracked(factor=3.0, delta=2.0, reduction='sum')"
    assert criterion == Tracked(3.0, delta=2.0, reduction="sum")
    assert criterion != Tracked(2.0, delta=2.0, reduction="sum")
    assert criterion != fl.HuberLoss(delta=2.0, reduction="sum")
    for other in (copy.deepcopy(criterion), pickle.loads(pickle.dumps(criterion))):
        assert other == criterion and vars(other) == vars(criterion)


def test_a_class_of_a_loss_with_its_own_constructor() -> None:
    class Robust(fl.Criterion, loss=fl.huber_loss):
        def __init__(self, *, scale: float, **options: Any) -> None:
            super().__init__(**options)
            self.scale = scale

    criterion = Robust(scale=2.0, delta=3.0)
    assert list(criterion.get_params()) == ["scale", "delta", "weight", "where", "reduction"]
    assert criterion.set_params(scale=4.0) == Robust(scale=4.0, delta=3.0)
    assert criterion([1.0], [0.0]) == 0.5


def test_the_base_class_has_no_loss() -> None:
    with pytest.raises(TypeError, match="Criterion: the class of a loss is needed"):
        fl.Criterion()


# ---- operands of a call --------------------------------------------------------------------------


def parts(result: Any) -> list[Any]:
    return [p for part in result for p in parts(part)] if isinstance(result, tuple) else [result]


def weights_of(case: Case | reg.Joint, cls: Any, operands: list[Any], options: Options) -> Options:
    """An array for each option that is one."""
    names = set(free_arrays_of(cls)).difference(getattr(case, "keywords", ()))
    given = {name: options[name] for name in options if name in names}
    if "weight" in arrays_of(cls) and "weight" not in given:
        given["weight"] = 2.0
        if isinstance(case, reg.Rows) or error_of(
            lambda: cls.loss(*operands, **options, weight=2.0)
        ):
            axis = options.get("axis")
            shape = np.shape(operands[0])
            if "linear_weight" in inspect.signature(cls.loss).parameters:
                axis, shape = 0, np.shape(operands[1])
            classes = 1 if options.get("mode") == "binary" else shape[1 if axis is None else axis]
            given["weight"] = np.linspace(0.5, 2.0, classes)
    return given


@ROW
def test_operands_given_in_a_call(case: Case | reg.Joint) -> None:
    """They take the place of the bound ones, for that call."""
    cls, operands, options = sample(case)
    given = weights_of(case, cls, operands, options)
    plain = {name: value for name, value in options.items() if name not in given}
    methods = ["__call__", "value_and_grad"] + ["value_grad_hess"] * cls.loss.curved
    for method in methods:

        def loss(method: str = method, **more: Any) -> list[Any]:
            run = cls.loss if method == "__call__" else getattr(cls.loss, method)
            return parts(run(*operands, **more))

        def of(criterion: Any, method: str = method, **more: Any) -> list[Any]:
            return parts(getattr(criterion, method)(*operands, **more))

        unbound, bound = cls(**plain), cls(**plain, **given)
        expected = loss(**plain, **given)
        assert all(map(same, of(unbound, **given), expected))
        assert all(map(same, of(bound), expected))
        assert all(map(same, of(bound, **given), expected))
        none = dict.fromkeys(given)
        assert all(map(same, of(bound, **none), loss(**plain)))
        assert all(map(same, of(bound), expected))  # the bound ones are still there
        defaults = {n: p.default for n, p in inspect.signature(bound).parameters.items()}
        for name in given:
            assert all(map(same, of(bound, **{name: defaults[name]}), expected))


@CLASS
def test_other_options_are_not_given_in_a_call(cls: Any) -> None:
    criterion = cls()
    operands = [None] * len(inspect.signature(cls.loss).parameters)
    count = len(cls.loss._operands)
    for method in (criterion, criterion.value_and_grad, criterion.value_grad_hess):
        for name, parameter in options_of(cls).items():
            if name not in cls.loss._of_a_call:
                text = f"{cls.__name__}: the option {name} cannot be given in a call; set it when"
                with pytest.raises(TypeError, match=text):
                    method(*operands[:count], **{name: parameter.default})
        with pytest.raises(TypeError, match=f"{cls.__name__}: .*unexpected.*'zzz'"):
            method(*operands[:count], zzz=3)
        with pytest.raises(TypeError, match=f"{cls.__name__}: too many positional"):
            method(*operands[: count + 1])


def test_a_bad_weight_of_a_call() -> None:
    criterion = fl.MSELoss()
    made = error_of(lambda: criterion([1.0, 2.0], [0.0, 0.0], weight=[1.0, 2.0, 3.0]))
    assert made == error_of(lambda: fl.mse_loss([1.0, 2.0], [0.0, 0.0], weight=[1.0, 2.0, 3.0]))


@CLASS
def test_signatures(cls: Any) -> None:
    criterion = cls()
    of_a_call = arrays_of(cls) + (["plan"] if cls.loss.planner else [])
    found = inspect.signature(criterion).parameters
    assert list(found) == [*cls.loss._operands, *of_a_call, "out", "return_divisor"]
    assert "self" not in found and "self" not in inspect.signature(cls).parameters
    for name in of_a_call:
        assert found[name].kind is found[name].KEYWORD_ONLY
        assert repr(found[name].default) == "<as bound>"
    assert criterion.__name__ == cls.__name__ == type(criterion).__name__
    more = inspect.signature(criterion.value_and_grad).parameters
    assert set(more) == {*found, "grad_out"}


# ---- comparing, copying, parameters --------------------------------------------------------------


@CLASS
def test_equality_and_hash(cls: Any) -> None:
    assert cls() == cls() and hash(cls()) == hash(cls())
    assert cls(reduction="sum") != cls() and cls() != cls.loss and cls() != 3
    assert all(cls() != other() for other in CRITERIA if other is not cls)
    for name in free_arrays_of(cls):

        def of(value: Any, name: str = name) -> Any:
            return cls(**{name: value})

        alike = [
            of([0.0, nan, 2.0]),
            of((-0.0, -nan, 2)),
            of(np.array([0, nan, 2], np.float32)),
            of(np.array([0, 9, nan, 9, 2, 9])[::2]),
        ]
        assert all(a == b and hash(a) == hash(b) for a in alike for b in alike)
        assert len(set(alike)) == 1
        others = [[0.0, nan, 3.0], [0.0, nan], [[0.0, nan, 2.0]], [0.0, 1.0, 2.0], 2.0, None]
        assert all(of(other) != alike[0] for other in others)
        assert of(2) == of(np.float32(2)) != of(3)


def test_levels_are_compared_as_arrays() -> None:
    assert fl.QuantileLoss(q=[0.1, 0.5]) == fl.QuantileLoss(q=np.array([0.1, 0.5]))
    assert fl.QuantileLoss(q=[0.1, 0.5]) != fl.QuantileLoss(q=[0.1, 0.6]) != fl.QuantileLoss()
    criterion = fl.QuantileLoss(q=0.5)
    assert criterion([1.0], [3.0], q=0.9) == fl.quantile_loss([1.0], [3.0], q=0.9)


def test_numbers_are_equal_whatever_their_type() -> None:
    numbers = [2, 2.0, np.float32(2), np.array(2.0)]
    assert len({fl.HuberLoss(delta=d) for d in numbers}) == 1
    assert fl.HuberLoss(delta=2) != fl.HuberLoss(delta=np.nextafter(2, 3))


@CLASS
def test_parameters(cls: Any) -> None:
    criterion = cls()
    expected = {name: p.default for name, p in options_of(cls).items()}
    assert criterion.get_params() == criterion.get_params(deep=False) == expected
    weight = {name: np.array([1.0, 2.0]) for name in arrays_of(cls)}
    made = cls(**weight, reduction="none")
    assert all(made.get_params()[name] is w for name, w in weight.items())
    assert criterion.set_params(**made.get_params()) is criterion and criterion == made
    assert criterion.set_params() is criterion
    with pytest.raises(ValueError, match=f"{cls.__name__}: no option 'reductions'; did you mean"):
        criterion.set_params(reductions="sum", reduction="sum")
    assert criterion == made
    again = cls(**made.get_params())
    assert all(a is made.get_params()[name] for name, a in again.get_params().items())


@CLASS
def test_copies_are_equal(cls: Any) -> None:
    weight = {name: np.array([1.0, 3.0]) for name in arrays_of(cls)}
    weight |= {name: np.array([1.0, nan]) for name in free_arrays_of(cls)}
    criterion = cls(**weight, reduction="sum")
    copies = [copy.copy(criterion), copy.deepcopy(criterion)]
    copies += [
        pickle.loads(pickle.dumps(criterion, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ]
    for other in copies:
        assert other == criterion and hash(other) == hash(criterion)
        other.reduction = "none"
        assert other != criterion and criterion.reduction == "sum"


@ROW
def test_repr_can_be_evaluated(case: Case | reg.Joint) -> None:
    cls, _, options = sample(case)
    plain = {n: x for n, x in options.items() if isinstance(x, (bool, int, float, str, tuple))}
    criterion = cls(**{**plain, **{name: [1.0, 2.0] for name in arrays_of(cls)}})
    assert eval(repr(criterion), {cls.__name__: cls, "inf": inf}) == criterion


CLONES = """
import numpy as np
from sklearn.base import BaseEstimator, clone
import fusedloss as fl

for name in fl.__all__:
    cls = getattr(fl, name)
    if isinstance(cls, type) and issubclass(cls, fl.Criterion) and cls is not fl.Criterion:
        criterion = cls(**dict.fromkeys(cls.loss._arrays, np.ones(3)), reduction="sum")
        assert clone(criterion) == criterion and clone(criterion) is not criterion


class Model(BaseEstimator):
    def __init__(self, criterion=None):
        self.criterion = criterion


model = Model(fl.HuberLoss(delta=2.0))
other = clone(model).set_params(criterion__delta=3.0)
assert model.criterion.delta == 2.0 and other.criterion == fl.HuberLoss(delta=3.0)
assert other.get_params()["criterion__delta"] == 3.0
"""


def test_scikit_learn_clones_criteria() -> None:
    pytest.importorskip("sklearn")
    subprocess.run([sys.executable, "-c", CLONES], check=True, timeout=300)
