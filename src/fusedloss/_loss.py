"""What users meet: Loss, Criterion and Activation, made from one plain function each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from typing import (
    Any,
    ClassVar,
    Concatenate,
    Final,
    Generic,
    NoReturn,
    ParamSpec,
    Self,
    TypeVar,
    overload,
)

import numpy as np

from fusedloss._arrays import Array, Request, flag, is_bfloat16, operand
from fusedloss._docs import filled

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")

_VALUE: Request = (0, None, None, None, False)
#: The methods of a loss and of a criterion, with what they take besides the loss's arguments:
#: buffers, and whether they also return what the sum is divided by.
_BUFFERS: Final = {
    "__call__": ("out", "return_divisor"),
    "value_and_grad": ("out", "grad_out", "return_divisor"),
    "value_grad_hess": ("out", "grad_out", "hess_out", "return_divisor"),
}


def _with(signature: inspect.Signature, *names: str) -> inspect.Signature:
    """The signature with these added, keyword-only: buffers are None by default."""
    extra = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if name == "return_divisor" else None,
        )
        for name in names
    ]
    return signature.replace(parameters=[*signature.parameters.values(), *extra])


class _OperandsReached(Exception):
    """All options of a call have been checked."""


class _Unread:
    """Stands for an operand where only the options of a call are checked: who reads it is done
    with these."""

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise _OperandsReached


_UNREAD: Final = _Unread()


class Loss(Generic[P]):
    """A loss function: call it for the value, its methods for the derivatives too.

    Like a NumPy ufunc, a loss is an object. Every loss takes, besides its own arguments, the
    buffers `out` (for the value), `grad_out` and `hess_out`: arrays of a floating dtype and the
    right shape that are written to and returned. With ``return_divisor=True`` a call returns one
    number more, at the end: what the sum was divided by, 1 for "sum" and "none". The sum is the
    value times this number; so means of parts can be put together.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.mse_loss([1.0, 2.0], [0.0, 4.0])
    np.float64(2.5)
    >>> value, grad = fl.mse_loss.value_and_grad([1.0, 2.0], [0.0, 4.0])
    >>> grad
    array([ 1., -2.])
    >>> fl.mse_loss([1.0, 2.0], [0.0, 4.0], weight=[1, 3], return_divisor=True)
    (np.float64(3.25), 4.0)
    """

    def __init__(
        self, function: Callable[Concatenate[Request, P], Any], curved: bool = True
    ) -> None:
        #: Whether it has second derivatives.
        self.curved = curved
        self._function = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__module__ = function.__module__
        self.__doc__ = filled(function.__doc__)
        signature = inspect.signature(function)
        self._arguments = signature.replace(parameters=list(signature.parameters.values())[1:])
        self.__signature__ = _with(self._arguments, *_BUFFERS["__call__"])
        parameters = self._arguments.parameters.items()
        self._operands = {name: p for name, p in parameters if p.default is p.empty}
        self._options = {name: p for name, p in parameters if p.default is not p.empty}
        #: The options that are operands too.
        self._arrays = [
            name for name, p in self._options.items() if "ArrayLike" in str(p.annotation)
        ]
        vars(self)["value_and_grad"] = self._method(
            1,
            "value_and_grad",
            f"""Value and gradient of `{self.__name__}` in one pass.

The arguments are those of `{self.__name__}`, the buffers `out` and `grad_out`, and
`return_divisor`.

Returns
-------
value : scalar or ndarray
    As `{self.__name__}` returns it.
grad : ndarray
    The gradient with respect to `input`, of its shape and (if that is floating) dtype; for
    ``reduction="none"`` that of the sum. A tuple where several inputs have gradients.
""",
        )
        vars(self)["value_grad_hess"] = self._method(
            2,
            "value_grad_hess",
            f"""Value, gradient and second derivative of `{self.__name__}` in one pass.

The arguments are those of `{self.__name__}`, the buffers `out`, `grad_out` and `hess_out`,
and `return_divisor`.

Returns
-------
value : scalar or ndarray
    As `{self.__name__}` returns it.
grad : ndarray
    As `value_and_grad` returns it.
hess : ndarray
    The diagonal of the Hessian with respect to `input`, of the gradient's shape and dtype.
""",
        )

    def _method(self, order: int, name: str, doc: str) -> Any:
        function = self._function
        if order == 1:

            def method(
                *args: Any,
                out: Any = None,
                grad_out: Any = None,
                return_divisor: bool = False,
                **kwargs: Any,
            ) -> Any:
                if return_divisor is not False:
                    return_divisor = flag("return_divisor", return_divisor)
                try:
                    return function((1, out, grad_out, None, return_divisor), *args, **kwargs)
                except TypeError:
                    self._check_call(args, kwargs)
                    raise

        else:

            def method(
                *args: Any,
                out: Any = None,
                grad_out: Any = None,
                hess_out: Any = None,
                return_divisor: bool = False,
                **kwargs: Any,
            ) -> Any:
                if return_divisor is not False:
                    return_divisor = flag("return_divisor", return_divisor)
                if not self.curved:
                    raise NotImplementedError(
                        f"{self.__name__} has no second derivatives; value_and_grad gives the first"
                    )
                try:
                    return function((2, out, grad_out, hess_out, return_divisor), *args, **kwargs)
                except TypeError:
                    self._check_call(args, kwargs)
                    raise

        method.__name__ = name
        method.__qualname__ = f"{self.__name__}.{name}"
        method.__module__ = self.__module__
        method.__doc__ = doc
        vars(method)["__signature__"] = _with(self._arguments, *_BUFFERS[name])
        return method

    def _check_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Python's own complaint would count the request among the arguments."""
        try:
            self._arguments.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.__name__}: {error}") from None

    def _check_options(self, options: dict[str, Any]) -> None:
        """Raise what a call with these options raises, as far as that needs no operands.

        A loss checks its options before it reads an operand, so a call does this, which ends
        where it would go on to the operands.
        """
        for name in self._arrays:
            if options[name] is not None:
                operand(name, options[name])
        function: Any = self._function
        with suppress(_OperandsReached):
            function(_VALUE, *(_UNREAD,) * len(self._operands), **options)

    # For type checkers: the loss's own signature, or one with buffers. ParamSpec cannot say both.
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __call__(self, *args: Any, out: Array | None, **kwargs: Any) -> Any: ...
    @overload
    def __call__(self, *args: Any, return_divisor: bool, **kwargs: Any) -> Any: ...
    def __call__(  # type: ignore[misc]
        self, *args: Any, out: Any = None, return_divisor: bool = False, **kwargs: Any
    ) -> Any:
        request = _VALUE
        if out is not None or return_divisor is not False:
            request = (0, out, None, None, flag("return_divisor", return_divisor))
        try:
            return self._function(request, *args, **kwargs)
        except TypeError:
            self._check_call(args, kwargs)
            raise

    @overload
    def value_and_grad(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(
        self, *args: Any, grad_out: Array | None, out: Array | None = None, **kwargs: Any
    ) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, *args: Any, out: Array | None, **kwargs: Any) -> tuple[Any, Array]: ...
    @overload
    def value_and_grad(self, *args: Any, return_divisor: bool, **kwargs: Any) -> Any: ...
    def value_and_grad(self, *args: Any, **kwargs: Any) -> Any:
        """Value and gradient in one pass."""
        raise NotImplementedError  # every instance has its own

    @overload
    def value_grad_hess(self, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(
        self,
        *args: Any,
        grad_out: Array | None,
        out: Array | None = None,
        hess_out: Array | None = None,
        **kwargs: Any,
    ) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(
        self, *args: Any, hess_out: Array | None, out: Array | None = None, **kwargs: Any
    ) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(
        self, *args: Any, out: Array | None, **kwargs: Any
    ) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, *args: Any, return_divisor: bool, **kwargs: Any) -> Any: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> Any:
        """Value, gradient and diagonal second derivative in one pass."""
        raise NotImplementedError  # every instance has its own

    def __repr__(self) -> str:
        return f"<loss {self.__name__}{self.__signature__}>"

    def __reduce__(self) -> str:
        return self.__name__


def first_order(function: Callable[Concatenate[Request, P], Any]) -> Loss[P]:
    """Make a Loss without second derivatives of the decorated function."""
    return Loss(function, curved=False)


class _Bound:
    """What a call has by default for an operand that is an option: the criterion's own."""

    def __repr__(self) -> str:
        return "<as bound>"


_BOUND: Final = _Bound()


class _Signature:
    """The signature of a criterion class, its options; and of a criterion, that of its call."""

    def __get__(self, criterion: Criterion | None, cls: type[Criterion]) -> inspect.Signature:
        return cls._parameters if criterion is None else inspect.signature(criterion.__call__)


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
    _options_signature: ClassVar[inspect.Signature] = inspect.Signature()
    _parameters: ClassVar[inspect.Signature] = inspect.Signature()  # of the constructor
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
        cls._names = tuple(loss._options)
        cls._options_signature = inspect.Signature(list(loss._options.values()))
        cls._parameters = cls._options_signature
        for method in _BUFFERS:
            setattr(cls, method, _bound(method, loss))
        cls.__doc__ = cls.__doc__ or f"`{loss.__name__}` with its options bound."
        cls.__doc__ += (
            f"\n\nA criterion is called with ``({', '.join(loss._operands)})`` and has "
            f"the loss's methods; its options are those of `{loss.__name__}`"
            + (f". A call may have its own {_listed(loss._arrays)}" if loss._arrays else "")
            + f".\n\n{loss.__doc__}"
        )

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

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._names:
            self.loss._check_options({**self._options(), name: value})
        elif not self._is_own(name):
            raise AttributeError(self._unknown(name, self._names))
        object.__setattr__(self, name, value)

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
        return tuple((name, _value_key(value, name in arrays)) for name, value in options.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Criterion) or type(self) is not type(other):
            return NotImplemented
        return self is other or self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    # Each subclass has its own three, which know the names of the loss's operands.
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
        **named: Any,
    ) -> tuple[Any, Any, Any]:
        """Value, gradient and diagonal second derivative in one pass."""
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
    if is_array and value is not None:
        value = operand("", value)[0]
    elif isinstance(value, np.ndarray) and not value.ndim:
        value = value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf" or is_bfloat16(value.dtype):
            value = np.asarray(value.astype(np.float64) + 0.0)  # -0.0 is 0.0
            value[np.isnan(value)] = np.nan
        return value.shape, value.tobytes()
    return "nan" if isinstance(value, (float, np.floating)) and np.isnan(value) else value


def _bound(name: str, loss: Loss[...]) -> Any:
    """A criterion's method: the loss's, with the options put in."""
    run = loss if name == "__call__" else getattr(loss, name)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    operands, arrays = list(loss._operands.values()), loss._arrays
    of_a_call = [
        loss._options[array].replace(kind=me.KEYWORD_ONLY, default=_BOUND) for array in arrays
    ]
    signature = _with(inspect.Signature([me, *operands, *of_a_call]), *_BUFFERS[name])
    accepted = {p for p in signature.parameters if p != "self"}

    def method(self: Criterion, *args: Any, **kwargs: Any) -> Any:
        options = self._options()
        if len(args) > len(operands) or not accepted.issuperset(kwargs):
            for key in kwargs:
                if key in options and key not in accepted:
                    raise TypeError(
                        f"{type(self).__name__}: the option {key} cannot be given in a call; set "
                        f"it when the criterion is made, or by criterion.{key} = ...; a call takes "
                        f"{', '.join(p for p in signature.parameters if p != 'self')}"
                    )
            try:
                signature.bind(self, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}: {error}") from None
        if kwargs:
            for array in arrays:
                given = kwargs.pop(array, _BOUND)
                if given is not _BOUND:
                    options[array] = given
        return run(*args, **kwargs, **options)

    method.__name__ = name
    method.__qualname__ = f"{Criterion.__name__}.{name}"
    method.__doc__ = getattr(Criterion, name).__doc__
    vars(method)["__signature__"] = signature
    return method


class Activation(Generic[P, Q, R]):
    """A function of arrays; its method `vjp` carries a gradient back through it."""

    def __init__(self, function: Callable[P, Any], vjp: Callable[Q, R]) -> None:
        self._function = function
        self.__name__ = self.__qualname__ = function.__name__
        self.__module__ = function.__module__
        self.__doc__ = filled(function.__doc__)
        self.__signature__ = inspect.signature(function)
        vjp.__name__ = "vjp"
        vjp.__qualname__ = f"{self.__name__}.vjp"
        self.vjp = vjp

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<activation {self.__name__}{self.__signature__}>"

    def __reduce__(self) -> str:
        return self.__name__


def activation(
    vjp: Callable[Q, R],
) -> Callable[[Callable[P, Any]], Activation[P, Q, R]]:
    """Make an Activation of the decorated function."""
    return lambda function: Activation(function, vjp)
