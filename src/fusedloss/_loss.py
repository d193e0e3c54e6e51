"""What users meet: Loss, Criterion and Activation, made from one plain function each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Concatenate, Final, Generic, ParamSpec, TypeVar, overload

from fusedloss._arrays import Array, Request, flag
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
    (np.float64(6.5), 2.0)
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

    # For type checkers: the loss's own signature, or one with buffers. ParamSpec cannot say both.
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any: ...
    @overload
    def __call__(
        self, *args: Any, out: Array | None = None, return_divisor: bool = False, **kwargs: Any
    ) -> Any: ...
    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        return_divisor = kwargs.pop("return_divisor", False)
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


class Criterion:
    """A loss with its options bound, as in torch.nn.

    The classes derive from the losses: the arguments that have defaults are the options, a
    criterion is called with the others, as with ``(input, target)``, and has the loss's methods.
    """

    loss: ClassVar[Loss[...]]
    _names: ClassVar[tuple[str, ...]] = ()  # of the options
    __signature__: ClassVar[inspect.Signature] = inspect.Signature()

    def __init_subclass__(cls, *, loss: Loss[...] | None = None) -> None:
        if loss is None:  # a user's own subclass
            return
        cls.loss = loss
        parameters = list(loss._arguments.parameters.values())
        operands = [p for p in parameters if p.default is p.empty]
        options = parameters[len(operands) :]
        cls.__signature__ = inspect.Signature(options)
        cls._names = tuple(p.name for p in options)
        for method in _BUFFERS:
            setattr(cls, method, _bound(method, loss, operands))
        cls.__doc__ = cls.__doc__ or f"`{loss.__name__}` with its options bound."
        cls.__doc__ += (
            f"\n\nA criterion is called with ``({', '.join(p.name for p in operands)})`` and has "
            f"the loss's methods; its options are those of `{loss.__name__}`.\n\n{loss.__doc__}"
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        signature = self.__signature__
        try:
            bound = signature.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{type(self).__name__}: {error}") from None
        bound.apply_defaults()
        vars(self).update(bound.arguments)

    def _options(self) -> dict[str, Any]:
        """The options as they are now: they are attributes, and may be set."""
        return {name: getattr(self, name) for name in self._names}

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
        signature = self.__signature__
        options = []
        for name, value in self._options().items():
            default = signature.parameters[name].default
            if not (
                value is default or (isinstance(value, (int, float, str)) and value == default)
            ):
                options.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(options)})"


def _bound(name: str, loss: Loss[...], operands: list[inspect.Parameter]) -> Any:
    """A criterion's method: the loss's, with the options put in."""
    run = loss if name == "__call__" else getattr(loss, name)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = _with(inspect.Signature([me, *operands]), *_BUFFERS[name])
    accepted = {*(p.name for p in operands), *_BUFFERS[name]}

    def method(self: Criterion, *args: Any, **kwargs: Any) -> Any:
        if len(args) > len(operands) or not accepted.issuperset(kwargs):
            try:
                signature.bind(self, *args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{type(self).__name__}: {error}") from None
        return run(*args, **kwargs, **self._options())

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
