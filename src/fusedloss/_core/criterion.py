"""Losses with their options bound, as in torch.nn: classes derived from the losses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np

from fusedloss._core.loss import BUFFERS, Loss, present, with_buffers
from fusedloss._core.operands import is_bfloat16


class _Bound:
    """What a call has by default for an operand that is an option: the criterion's own."""

    def __repr__(self) -> str:
        return "<as bound>"


_BOUND: Final = _Bound()


class _Signature:
    """The signature of a criterion class, its options; and of a criterion, that of its call."""

    def __get__(self, criterion: Criterion | None, cls: type[Criterion]) -> inspect.Signature:
        return cls._parameters if criterion is None else inspect.signature(criterion.__call__)


class _OptionsOfLoss:
    """The signature of the options of a class's loss."""

    def __get__(self, criterion: Criterion | None, cls: type[Criterion]) -> inspect.Signature:
        loss = getattr(cls, "loss", None)
        return inspect.Signature() if loss is None else loss._options_signature


class _Doc:
    """The docstring of a criterion class: its own, and that of its loss."""

    def __init__(self, own: str | None) -> None:
        self._own = own

    def __get__(self, criterion: Criterion | None, cls: type[Criterion]) -> str:
        loss = cls.loss
        return (
            (self._own or f"`{loss.__name__}` with its options bound.")
            + f"\n\nA criterion is called with ``({', '.join(loss._operands)})`` and has "
            f"the loss's methods; its options are those of `{loss.__name__}`"
            + (f". A call may have its own {_listed(loss._of_a_call)}" if loss._of_a_call else "")
            + f".\n\n{loss.__doc__}"
        )


class _BoundLater:
    """A method of a criterion's class, made when it is first asked for: few are."""

    def __init__(self, cls: type[Criterion], name: str) -> None:
        self._cls, self._name = cls, name

    def __get__(self, criterion: Criterion | None, cls: type[Criterion]) -> Any:
        method = _bound(self._name, self._cls.loss)
        setattr(self._cls, self._name, method)
        return method if criterion is None else method.__get__(criterion, cls)


class _Name:
    """The name of a criterion: that of its class."""

    def __get__(self, criterion: Criterion | None, cls: type[Criterion]) -> str:
        return cls.__name__


class Criterion:
    """A loss with its options bound, as in torch.nn.

    The classes derive from the losses: the arguments that have defaults are the options, a
    criterion is called with the others, as with ``(input, target)``, and has the loss's methods.

    The options are attributes. They are checked when the criterion is made and when they are set,
    with the errors of the loss; those that must fit to each other are set together, by
    `set_params`. What depends on the operands, as the shape of a weight does, is checked in the
    call.

    Options that are arrays, such as `weight`, may also be given in a call, by name: they take the
    place of the bound ones for that call, and None stands for none.

    Criteria are equal if their classes and all options are, arrays by their shape and numbers. The
    hash goes by the same, so an option must not be set, nor its array be changed, while the
    criterion is in a set or the key of a dict.

    `get_params` and `set_params` are those of scikit-learn, whose ``clone`` copies criteria.

    A class derived from a criterion's class may have attributes of its own: those that it defines,
    those that its ``__init__`` sets, and all with an underscore in front.

    Examples
    --------
    >>> import fusedloss as fl
    >>> criterion = fl.HuberLoss(delta=2.0, weight=[1.0, 3.0])
    >>> criterion([3.0, 0.0], [0.0, 1.0])
    np.float64(2.75)
    >>> criterion([3.0, 0.0], [0.0, 1.0], weight=[1.0, 0.0])
    np.float64(2.0)
    >>> criterion.delta = -1
    Traceback (most recent call last):
        ...
    ValueError: delta: a positive finite number is needed, got -1
    >>> criterion.dleta = 3
    Traceback (most recent call last):
        ...
    AttributeError: HuberLoss: no option 'dleta'; did you mean 'delta'? The options are ...
    >>> criterion == fl.HuberLoss(delta=2, weight=[1, 3])
    True
    >>> criterion.set_params(weight=None)
    HuberLoss(delta=2.0)
    """

    loss: ClassVar[Loss[...]]
    _names: ClassVar[tuple[str, ...]] = ()  # of the options
    _options_signature = _OptionsOfLoss()
    _parameters: Any = _OptionsOfLoss()  # of the constructor
    __signature__ = _Signature()
    __name__ = _Name()

    def __init_subclass__(cls, *, loss: Loss[...] | None = None) -> None:
        if loss is not None:
            cls._bind(loss)
        if "__init__" in vars(cls):  # a user's own
            cls._parameters = _constructor(cls)
            setattr(cls, "__init__", _opened(cls.__init__))  # noqa: B010 (mypy forbids the other)

    @classmethod
    def _bind(cls, loss: Loss[...]) -> None:
        """Make the class that of a loss."""
        cls.loss = loss
        cls._names = loss._options
        for method in BUFFERS:
            setattr(cls, method, _BoundLater(cls, method))
        setattr(cls, "__doc__", _Doc(cls.__doc__))  # noqa: B010 (mypy forbids the other)

    def __init__(self, *args: Any, **options: Any) -> None:
        if type(self) is Criterion:
            raise TypeError("Criterion: the class of a loss is needed, such as HuberLoss")
        try:
            bound = self._options_signature.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        bound.apply_defaults()
        self.loss._check_options(bound.arguments)
        vars(self).update(bound.arguments)

    def _options(self) -> dict[str, Any]:
        """The options as they are now: they are attributes, and may be set."""
        return {name: getattr(self, name) for name in self._names}

    def _set(self, name: str, value: Any) -> None:
        if name in self._names:
            self.loss._check_options({**self._options(), name: value})
        elif not self._is_own(name):
            raise AttributeError(self._unknown(name, self._names))
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:  # or checkers would think that any attribute can be set
        __setattr__ = _set

    def __delattr__(self, name: str) -> None:
        if name in self._names:
            raise AttributeError(f"{type(self).__name__}: the option {name!r} cannot be deleted")
        object.__delattr__(self, name)

    def _is_own(self, name: str) -> bool:
        """Whether a user's own subclass has this attribute."""
        if hasattr(Criterion, name) or name == "loss":
            return False
        mine = vars(self)
        if name[:1] == "_" or name in mine or "_making" in mine:
            return True
        return hasattr(type(self), name)

    def _unknown(self, name: str, names: Iterable[str]) -> str:
        """What to say of a name that is none of the options."""
        from difflib import get_close_matches  # only here: it takes time to import

        close = get_close_matches(name, names, 1)
        return (
            f"{type(self).__name__}: no option {name!r}; "
            + (f"did you mean {close[0]!r}? The" if close else "the")
            + f" options are {', '.join(names)}"
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The options by name, as scikit-learn asks for them; `deep` changes nothing."""
        return {name: getattr(self, name) for name in self._parameters.parameters}

    def set_params(self, **params: Any) -> Self:
        """Set options, all together or, if they are not accepted, none; returns the criterion."""
        names = self._parameters.parameters
        for name in params:
            if name not in names:
                raise ValueError(self._unknown(name, names))
        options = self._options()
        self.loss._check_options({name: params.get(name, options[name]) for name in options})
        for name, value in params.items():
            object.__setattr__(self, name, value)
        return self

    def _key(self) -> tuple[Any, ...]:
        """What criteria are compared and hashed by."""
        arrays = self.loss._arrays
        options = {**self._options(), **self.get_params()}
        for name in arrays:
            if options[name] is not None:
                options[name] = self.loss._read(name, options[name])
        return tuple((name, _value_key(value, name in arrays)) for name, value in options.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Criterion) or type(self) is not type(other):
            return NotImplemented
        return self is other or self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    # Each subclass has its own five, which know the names of the loss's operands.
    def __call__(self, *operands: Any, out: Any = None, **named: Any) -> Any:
        raise NotImplementedError

    def value_and_grad(
        self, *operands: Any, out: Any = None, grad_out: Any = None, **named: Any
    ) -> tuple[Any, Any]:
        """Value and gradient in one pass."""
        raise NotImplementedError

    def value_grad_hess(
        self,
        *operands: Any,
        out: Any = None,
        grad_out: Any = None,
        hess_out: Any = None,
        hess_scale: float = 1.0,
        hess_floor: float | None = None,
        **named: Any,
    ) -> tuple[Any, Any, Any]:
        """Value, gradient and diagonal second derivative in one pass; each second derivative h is
        ``max(hess_scale * h, hess_floor)``."""
        raise NotImplementedError

    def hvp(self, *operands: Any, hvp_out: Any = None, **named: Any) -> Any:
        """The Hessian times a vector, in one pass: ``hvp(input, target, v)``."""
        raise NotImplementedError

    def partial(self, *operands: Any, offset: int = 0, **named: Any) -> Any:
        """What the loss comes to on a part of the data, whose first row is number `offset`: a
        `Partial`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        options = []
        for name, value in self.get_params().items():
            default = self._parameters.parameters[name].default
            if not (
                value is default or (isinstance(value, (int, float, str)) and value == default)
            ):
                options.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(options)})"


def _listed(names: Iterable[str]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} or {last}" if others else last


def _constructor(cls: type[Criterion]) -> inspect.Signature:
    """The signature of a subclass's own constructor; ``**options`` are those of its base."""
    own = list(inspect.signature(cls.__init__).parameters.values())[1:]
    named = [p for p in own if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if any(p.kind is p.VAR_KEYWORD for p in own):
        names = {p.name for p in named}
        named += [
            p.replace(kind=p.KEYWORD_ONLY)
            for p in cls._parameters.parameters.values()
            if p.name not in names
        ]
    return inspect.Signature(named)


def _opened(init: Callable[..., None]) -> Callable[..., None]:
    """A subclass's own constructor, within which any attribute may be set."""

    @wraps(init)
    def method(self: Criterion, *args: Any, **kwargs: Any) -> None:
        outermost = "_making" not in vars(self)
        vars(self)["_making"] = True
        try:
            init(self, *args, **kwargs)
        finally:
            if outermost:
                del vars(self)["_making"]

    return method


def _value_key(value: Any, is_array: bool) -> Any:
    """The same for values that are the same, whatever their dtype; nan is the same as nan."""
    if isinstance(value, np.ndarray) and not is_array and not value.ndim:
        value = value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "USOM":  # ids
        return value.shape, tuple(value.tolist())
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf" or is_bfloat16(value.dtype):
            value = np.asarray(value.astype(np.float64) + 0.0)  # -0.0 is 0.0
            value[np.isnan(value)] = np.nan
        return value.shape, value.tobytes()
    return "nan" if isinstance(value, (float, np.floating)) and np.isnan(value) else value


def _bound(name: str, loss: Loss[...]) -> Any:
    """A criterion's method: the loss's, with the options put in."""
    run = loss if name == "__call__" else getattr(loss, name)
    vector = ("v",) if name == "hvp" else ()
    arrays, count = loss._of_a_call, len(loss._operands)
    most = count + len(vector)
    accepted = {*loss._operands, *vector, *arrays, *BUFFERS[name]}

    def signature() -> inspect.Signature:
        parameters = loss._arguments.parameters
        me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        operands = [parameters[operand] for operand in loss._operands]
        of_a_call = [
            parameters[array].replace(kind=me.KEYWORD_ONLY, default=_BOUND) for array in arrays
        ]
        return with_buffers(inspect.Signature([me, *operands, *of_a_call]), name, 1 + count)

    def method(self: Criterion, *args: Any, **kwargs: Any) -> Any:
        options = self._options()
        if len(args) > most or not accepted.issuperset(kwargs):
            for key in kwargs:
                if key in options and key not in accepted:
                    raise TypeError(
                        f"{type(self).__name__}: the option {key} cannot be given in a call; set "
                        f"it when the criterion is made, or by criterion.{key} = ...; a call takes "
                        f"{', '.join(p for p in signature().parameters if p != 'self')}"
                    )
            try:
                signature().bind(self, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}: {error}") from None
        if kwargs:
            for array in arrays:
                given = kwargs.pop(array, _BOUND)
                if given is not _BOUND:
                    options[array] = given
        return run(*args, **kwargs, **options)

    doc = getattr(Criterion, name).__doc__
    return present(method, name, f"{Criterion.__name__}.{name}", doc, signature)
