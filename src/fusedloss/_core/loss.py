"""What users meet: Loss and Activation, made from one plain function each.

Signatures and docstrings are made when they are asked for, which few processes do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import nan
from typing import (
    Any,
    Concatenate,
    Final,
    Generic,
    NoReturn,
    ParamSpec,
    TypeVar,
    overload,
)

import numpy as np

from fusedloss._core.foreign import NullsError, buffer_memory
from fusedloss._core.groups import ids_of
from fusedloss._core.kernels import kernels
from fusedloss._core.operands import operand
from fusedloss._core.parameters import finite, flag, positive
from fusedloss._core.plans import Planner
from fusedloss._core.types import PRODUCT, Array, Request, Short

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")

_scalar: Final = kernels.modules["arrays"].scalar
#: What buffers are that need no second look.
_PLAIN: Final = frozenset((np.ndarray, type(None)))
_VALUE: Request = (0, None, None, None, False, None)
#: The methods of a loss and of a criterion, with what they take besides the loss's arguments:
#: buffers, what becomes of the second derivative, and whether they also return the divisor.
BUFFERS: Final = {
    "__call__": ("out", "return_divisor"),
    "value_and_grad": ("out", "grad_out", "return_divisor"),
    "value_grad_hess": (
        "out",
        "grad_out",
        "hess_out",
        "hess_scale",
        "hess_floor",
        "return_divisor",
    ),
    "hvp": ("hvp_out",),
    "partial": ("offset",),
}
_ONE: Final = 1.0  # the default: which object it is takes no time to find out
_DEFAULTS: Final = {"return_divisor": False, "hess_scale": _ONE, "offset": 0}


def with_buffers(
    signature: inspect.Signature, method: str, count: int | None = None
) -> inspect.Signature:
    """The signature with what that method takes besides, keyword-only: buffers are None. The vector
    of `hvp` stands after `count` operands."""
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS.get(name))
        for name in BUFFERS[method]
    ]
    parameters = list(signature.parameters.values())
    if method == "hvp":
        v = inspect.Parameter("v", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        if count and parameters[count - 1].default is not v.empty:  # operands that may be left out
            extra.insert(0, v.replace(kind=v.KEYWORD_ONLY))
        else:
            parameters.insert(count or 0, v)
    return signature.replace(parameters=[*parameters, *extra])


def _checked_hess_options(scale: Any, floor: Any) -> tuple[float, float] | None:
    """The options `hess_scale` and `hess_floor` as kernels take them: nan is no floor."""
    scale = positive("hess_scale", scale)
    if floor is None:
        return None if scale == 1.0 else (scale, nan)
    return scale, finite("hess_floor", floor, 0.0)


class Lazy:
    """An attribute of instances that is made when it is first asked for. The class has what is
    given here, or no such attribute."""

    def __init__(self, make: Callable[[Any], Any], of_class: Any = None) -> None:
        self._make, self._of_class = make, of_class

    def __set_name__(self, cls: type, name: str) -> None:
        self._name = name

    def become(self, cls: type, name: str) -> None:
        """Take the place of a method of a class, which stays what the class itself has."""
        self._of_class = vars(cls)[name]
        self.__set_name__(cls, name)
        setattr(cls, name, self)

    def __get__(self, instance: Any, cls: type) -> Any:
        if instance is None:
            if self._of_class is None:
                raise AttributeError(self._name)
            return self._of_class
        made = vars(instance)[self._name] = self._make(instance)
        return made


class _SignatureLater:
    """The `__wrapped__` of a function: inspect finds its signature there, when it looks."""

    def __init__(self, make: Callable[[], inspect.Signature]) -> None:
        self._make = make

    __signature__ = Lazy(lambda self: self._make())


def present(
    function: Any, name: str, qualname: str, doc: str | None, signature: Callable[[], Any]
) -> Any:
    """Give a function the name, docstring and signature that users see."""
    function.__name__, function.__qualname__, function.__doc__ = name, qualname, doc
    function.__wrapped__ = _SignatureLater(signature)
    return function


def filled_doc(function: Any) -> str:
    """The docstring of a loss's or an activation's function, with the common parts put in."""
    from fusedloss._core.doc_fragments import filled

    return filled(function.__doc__)


class OperandsReached(Exception):
    """All options of a call have been checked. `computation` is what they come to, where the call
    says so: a kernel module, the name of an option that its function `bound` does not know (or
    ""), and the arguments of that."""

    computation: tuple[Any, ...] | None = None


class Unread:
    """Stands for an operand where only the options of a call are checked: who reads it is done
    with these."""

    ndim = 1  # as an option it is not one number

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise OperandsReached

    def __repr__(self) -> str:
        return "OPERAND"


UNREAD: Final = Unread()


class Loss(Generic[P]):
    """A loss function: call it for the value, its methods for the derivatives too.

    Like a NumPy ufunc, a loss is an object. Every loss takes, besides its own arguments, the
    buffers `out` (for the value), `grad_out` and `hess_out`: arrays of a floating dtype and the
    right shape that are written to and returned. With ``return_divisor=True`` a call returns one
    number more, at the end: what the sum was divided by, 1 for "sum" and "none". The sum is the
    value times this number; so means of parts can be put together. `hvp` multiplies the Hessian
    with a vector, without making it.

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
    >>> fl.cross_entropy.hvp([[0.0, 0.0]], [1], v=[[1.0, 0.0]])
    array([[ 0.25, -0.25]])
    """

    def __init__(
        self,
        function: Callable[Concatenate[Request, P], Any],
        curved: bool = True,
        has_hvp: bool = True,
        differentiable: tuple[str, ...] = (),
        planner: Planner | None = None,
    ) -> None:
        plain: Any = function
        #: Whether it has second derivatives.
        self.curved = curved
        #: Whether it has products of the Hessian with a vector.
        self.has_hvp = curved and has_hvp
        #: The shortest way to the mean and its gradient, of two operands and no options: see Short.
        self.short: Short | None = None
        self._function = function
        self.__name__ = self.__qualname__ = plain.__name__
        self.__module__ = plain.__module__
        code = plain.__code__
        by_position = code.co_varnames[1 : code.co_argcount]  # after the request
        by_keyword = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        count = len(by_position) - len(plain.__defaults__ or ())
        #: How its plans are made, if it has such. Then operands may be left out of a call.
        self.planner = planner
        if planner is not None:
            count += len(planner.operands)
        self._operands: tuple[str, ...] = by_position[:count]
        self._options: tuple[str, ...] = by_position[count:] + by_keyword
        #: The options that are operands too.
        notes = plain.__annotations__
        self._ids = [name for name in self._options if "Ids" in notes[name]]
        self._arrays = [
            name for name in self._options if "ArrayLike" in notes[name] or name in self._ids
        ]
        #: The options that a criterion's call may have, too.
        self._of_a_call = [*self._arrays, *(["plan"] if planner is not None else [])]
        #: The arguments with derivatives, in the order of the gradients. One that may be left out
        #: has none then; one with an option of its name and "_grad" has them if that is set.
        self.differentiable = differentiable or by_position[:1]

    @Lazy
    def _arguments(self) -> inspect.Signature:
        """The arguments without the request."""
        signature = inspect.signature(self._function)
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    @Lazy
    def _options_signature(self) -> inspect.Signature:
        parameters = self._arguments.parameters
        return inspect.Signature([parameters[name] for name in self._options])

    @Lazy
    def _defaults(self) -> dict[str, Any]:
        """What the arguments are that a call leaves out, in the order of all."""
        return {name: p.default for name, p in self._arguments.parameters.items()}

    @Lazy
    def __signature__(self) -> inspect.Signature:
        return with_buffers(self._arguments, "__call__")

    __doc__ = Lazy(lambda self: filled_doc(self._function), __doc__)

    @Lazy
    def plan(self) -> Any:
        """What makes plans of this loss."""
        if self.planner is None:
            raise AttributeError(f"{self.__name__} has no plans")
        parameters = self._arguments.parameters
        names, options = self.planner.operands, self.planner.options
        signature = inspect.Signature(
            [
                *(parameters[name].replace(default=inspect.Parameter.empty) for name in names),
                *(parameters[name] for name in options),
            ]
        )
        make = self.planner.make

        def method(*args: Any, **kwargs: Any) -> Any:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.__name__}.plan: {error}") from None
            return make(*args, **kwargs)

        doc = f"""What `{self.__name__}` needs of this data, computed once for many calls.

Parameters
----------
{", ".join((*names, *options))} : array_like
    As of `{self.__name__}`. Nothing of it is kept but copies.

Returns
-------
plan : Plan
    For the option ``plan=`` of `{self.__name__}` and its methods, in the place of this data. It
    cannot be changed; threads may share it, and it can be pickled.
"""
        return present(method, "plan", f"{self.__name__}.plan", doc, lambda: signature)

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
                if self.short and len(args) == 2 and not kwargs and grad_out is None is out:
                    result = self.short(*args, True) if return_divisor is False else None
                    if result is not None:
                        value, grad, double = result
                        return _scalar(value, double), grad
                if return_divisor is not False:
                    return_divisor = flag("return_divisor", return_divisor)
                request = (1, out, grad_out, None, return_divisor, None)
                if grad_out.__class__ not in _PLAIN or out.__class__ not in _PLAIN:
                    return self._into_foreign(request, args, kwargs)
                try:
                    return function(request, *args, **kwargs)
                except TypeError:
                    self._check_call(args, kwargs)
                    raise
                except NullsError as error:
                    return self._without_nulls(error, request, args, kwargs)

        else:

            def method(  # type: ignore[misc] # it takes more
                *args: Any,
                out: Any = None,
                grad_out: Any = None,
                hess_out: Any = None,
                hess_scale: float = _ONE,
                hess_floor: float | None = None,
                return_divisor: bool = False,
                **kwargs: Any,
            ) -> Any:
                hess_options = None
                if hess_floor is not None or hess_scale is not _ONE:
                    hess_options = _checked_hess_options(hess_scale, hess_floor)
                if return_divisor is not False:
                    return_divisor = flag("return_divisor", return_divisor)
                if not self.curved:
                    raise NotImplementedError(
                        f"{self.__name__} has no second derivatives; value_and_grad gives the first"
                    )
                request = (2, out, grad_out, hess_out, return_divisor, hess_options)
                if not {grad_out.__class__, hess_out.__class__, out.__class__} <= _PLAIN:
                    return self._into_foreign(request, args, kwargs)
                try:
                    return function(request, *args, **kwargs)
                except TypeError:
                    self._check_call(args, kwargs)
                    raise
                except NullsError as error:
                    return self._without_nulls(error, request, args, kwargs)

        method.__module__ = self.__module__
        qualname = f"{self.__name__}.{name}"
        return present(method, name, qualname, doc, lambda: with_buffers(self._arguments, name))

    def _product(self) -> Any:
        function, place = self._function, len(self._operands)

        def method(*args: Any, hvp_out: Any = None, **kwargs: Any) -> Any:
            if not self.has_hvp:
                raise NotImplementedError(
                    f"{self.__name__} has no products of its Hessian with a vector; elementwise "
                    "losses, those of the softmax of class scores and cox_ph_loss have"
                )
            if self.planner is not None and "v" not in kwargs:  # it has no position without data
                raise TypeError(f"{self.__name__}.hvp: v must be given by keyword, as v=")
            options, operands = kwargs, args
            try:
                if "v" in kwargs and len(args) <= place:
                    options = {name: kwargs[name] for name in kwargs if name != "v"}
                    v = kwargs["v"]
                else:
                    v, operands = args[place], args[:place] + args[place + 1 :]
                request: Request = (PRODUCT, None, hvp_out, v, False, None)
                return function(request, *operands, **options)
            except NullsError as error:
                return self._without_nulls(error, request, operands, options)
            except (TypeError, IndexError):
                self._check_call(args, kwargs, signature())
                raise

        def signature() -> inspect.Signature:
            return with_buffers(self._arguments, "hvp", place)

        first = self._operands[0]
        by_keyword = "" if self.planner is None else ", keyword only"
        doc = f"""The Hessian of `{self.__name__}` with respect to `{first}`, times a vector.

In one pass, without the Hessian. The Hessian is that of what a call returns, with its reduction,
weights and mask; for ``reduction="none"`` that of the sum.

Parameters
----------
{", ".join(self._operands)} : array_like
    As of `{self.__name__}`; so are the options.
v : array_like{by_keyword}
    The vector, of the shape of `{first}` or broadcasting up to it.
hvp_out : ndarray, optional, keyword only
    Buffer for the result: of a floating dtype, any strides, sharing no memory with an operand. It
    is written to and returned.

Returns
-------
product : ndarray
    Of the shape of `{first}` and (if that is floating) its dtype.

Raises
------
NotImplementedError
    If the loss has no such products: elementwise losses, those of the softmax of class scores and
    `cox_ph_loss` have.
"""
        return present(method, "hvp", f"{self.__name__}.hvp", doc, signature)

    def _check_call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        signature: inspect.Signature | None = None,
    ) -> None:
        """Python's own complaint would count the request among the arguments."""
        try:
            (signature or self._arguments).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.__name__}: {error}") from None

    def _into_foreign(self, request: Request, args: Any, kwargs: Any) -> Any:
        """A call into buffers of which some are no NumPy arrays, but lend their memory."""
        order, *given = request[: 2 + request[0]]
        seen = [
            buffer_memory(*pair) for pair in zip(BUFFERS["value_grad_hess"], given, strict=False)
        ]
        plain: Any = (order, *seen, *(None,) * (3 - len(seen)), *request[4:])
        try:
            result = self._function(plain, *args, **kwargs)
        except TypeError:
            self._check_call(args, kwargs)
            raise
        except NullsError as error:
            result = self._without_nulls(error, plain, args, kwargs)
        if not isinstance(result, tuple):
            return result if given[0] is None else given[0]
        parts = list(result)
        for k, (buffer, view) in enumerate(zip(given, seen, strict=True)):
            if buffer is not view:
                parts[k] = _put_back(buffer, parts[k])
        return tuple(parts)

    def _without_nulls(self, error: NullsError, request: Request, args: Any, kwargs: Any) -> Any:
        """The call again with numbers in the place of nulls, if `where` leaves all of them out."""
        bound = self._arguments.bind(*args, **kwargs)
        given = bound.arguments
        if given.get("where") is None:
            by_where = "" if "where" in self._options else NullsError.BY_WHERE
            raise ValueError(str(error).removesuffix(by_where)) from None
        if error.name == "where":
            raise ValueError("where: holds nulls; fill them by False or True") from None
        mask: Any = operand("where", given["where"])[0] != 0
        for name in (*self._operands, *self._arrays):
            if given.get(name) is None or name == "where" or name in self._ids:
                continue
            try:
                operand(name, given[name])
            except NullsError as found:
                left_out = self._left_out(mask, found.nulls.shape, given)
                kept = found.nulls if left_out is None else found.nulls & ~left_out
                if kept.any():
                    raise ValueError(str(NullsError(name, found.filled, kept))) from None
                given[name] = found.filled
        return self._function(request, *bound.args, **bound.kwargs)

    def _left_out(self, mask: Any, shape: tuple[int, ...], given: Any) -> Array | None:
        """What a mask leaves out of an operand of this shape, if they go together: the operand may
        be without the axis of the classes, over which the mask must leave all out."""
        if len(shape) < mask.ndim and "axis" in self._options:
            axis = given.get("axis")
            mask = np.any(mask, axis=min(1, mask.ndim - 1) if axis is None else axis)
        try:
            return ~np.broadcast_to(mask, shape)
        except ValueError:
            return None

    def _check_options(self, options: dict[str, Any]) -> None:
        """Raise what a call with these options raises, as far as that needs no operands.

        A loss checks its options before it reads an operand, so a call does this, which ends
        where it would go on to the operands.
        """
        for name in self._arrays:
            if options[name] is not None:
                self._read(name, options[name])
        self.computation(options)

    def _read(self, name: str, value: Any) -> Array:
        """An option that is an array."""
        return ids_of(name, value) if name in self._ids else operand(name, value)[0]

    def computation(self, options: dict[str, Any]) -> tuple[Any, ...] | None:
        """Check these options, and find what they come to: see `OperandsReached`."""
        function: Any = self._function
        try:
            function(_VALUE, *(UNREAD,) * len(self._operands), **options)
        except OperandsReached as reached:
            return reached.computation
        return None

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
        if self.short and len(args) == 2 and not kwargs and out is None:
            result = self.short(*args, False) if return_divisor is False else None
            if result is not None:
                return _scalar(result[0], result[2])
        request = _VALUE
        if out is not None or return_divisor is not False:
            request = (0, out, None, None, flag("return_divisor", return_divisor), None)
            if out.__class__ not in _PLAIN:
                return self._into_foreign(request, args, kwargs)
        try:
            return self._function(request, *args, **kwargs)
        except TypeError:
            self._check_call(args, kwargs)
            raise
        except NullsError as error:
            return self._without_nulls(error, request, args, kwargs)

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
    def value_grad_hess(
        self, *args: Any, hess_scale: float, hess_floor: float | None = None, **kwargs: Any
    ) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(
        self, *args: Any, hess_floor: float | None, **kwargs: Any
    ) -> tuple[Any, Array, Array]: ...
    @overload
    def value_grad_hess(self, *args: Any, return_divisor: bool, **kwargs: Any) -> Any: ...
    def value_grad_hess(self, *args: Any, **kwargs: Any) -> Any:
        """Value, gradient and diagonal second derivative in one pass."""
        raise NotImplementedError  # every instance has its own

    def hvp(self, *args: Any, hvp_out: Array | None = None, **kwargs: Any) -> Array:
        """The Hessian times a vector, in one pass."""
        raise NotImplementedError  # every instance has its own

    def partial(self, *args: Any, offset: int = 0, **kwargs: Any) -> Any:
        """What the loss comes to on a part of the data: a `Partial`."""
        raise NotImplementedError  # every instance has its own

    def __repr__(self) -> str:
        return f"<loss {self.__name__}{self.__signature__}>"

    def __reduce__(self) -> str:
        name: str = self.__name__
        return name


def _put_back(buffer: Any, result: Any) -> Any:
    """What the caller gave as a buffer, or as a tuple of buffers, instead of what was written."""
    if type(buffer) is not tuple:
        return buffer
    return tuple(r if b is None else b for b, r in zip(buffer, result, strict=True))


def joint(
    *differentiable: str,
    curved: bool = True,
    has_hvp: bool = True,
    planner: Planner | None = None,
) -> Callable[[Callable[Concatenate[Request, P], Any]], Loss[P]]:
    """Make a Loss with derivatives with respect to these arguments of the decorated function, and
    perhaps with plans: see `Planner`."""
    return lambda function: Loss(function, curved, has_hvp, differentiable, planner)


def _with_gradient(loss: Loss[...]) -> Any:
    return loss._method(
        1,
        "value_and_grad",
        f"""Value and gradient of `{loss.__name__}` in one pass.

The arguments are those of `{loss.__name__}`, the buffers `out` and `grad_out`, and
`return_divisor`.

Returns
-------
value : scalar or ndarray
    As `{loss.__name__}` returns it.
grad : ndarray
    The gradient with respect to `input`, of its shape and (if that is floating) dtype; for
    ``reduction="none"`` that of the sum. A tuple where several inputs have gradients.
""",
    )


def _with_hessian(loss: Loss[...]) -> Any:
    return loss._method(
        2,
        "value_grad_hess",
        f"""Value, gradient and second derivative of `{loss.__name__}` in one pass.

The arguments are those of `{loss.__name__}`, the buffers `out`, `grad_out` and `hess_out`,
`return_divisor`, and two that change the second derivative h of each element to
``max(hess_scale * h, hess_floor)``, as Newton's method and boosted trees need it positive.

Parameters
----------
hess_scale : float, default 1.0
    A positive factor.
hess_floor : float or None, default None
    The least that a second derivative may be, 0 or more. It is taken before weights and the
    reduction: those of elements and of rows and, where `target` holds class numbers and is not
    smoothed, those of the classes. What counts for nothing stays 0, and nan stays nan. Elementwise
    losses, those of rows and those with plans have both options; others raise NotImplementedError.

Returns
-------
value : scalar or ndarray
    As `{loss.__name__}` returns it.
grad : ndarray
    As `value_and_grad` returns it.
hess : ndarray
    The diagonal of the Hessian with respect to `input`, of the gradient's shape and dtype. A
    tuple where there is one of gradients.
""",
    )


# A loss's own methods, with its signature: made when they are first asked for.
for _name, _make in (
    ("value_and_grad", _with_gradient),
    ("value_grad_hess", _with_hessian),
    ("hvp", Loss._product),
):
    Lazy(_make).become(Loss, _name)


def first_order(function: Callable[Concatenate[Request, P], Any]) -> Loss[P]:
    """Make a Loss without second derivatives of the decorated function."""
    return Loss(function, curved=False)


def without_hvp(function: Callable[Concatenate[Request, P], Any]) -> Loss[P]:
    """Make a Loss without products of its Hessian of the decorated function."""
    return Loss(function, has_hvp=False)


class Activation(Generic[P, S, Q, R]):
    """A function of arrays; its method `vjp` carries a gradient back through it."""

    def __init__(self, function: Callable[P, S], vjp: Callable[Q, R]) -> None:
        plain: Any = function
        self._function = function
        self.__name__ = self.__qualname__ = plain.__name__
        self.__module__ = plain.__module__
        carry_back: Any = vjp
        carry_back.__name__ = "vjp"
        carry_back.__qualname__ = f"{self.__name__}.vjp"
        self.vjp = vjp

    __doc__ = Lazy(lambda self: filled_doc(self._function), __doc__)
    __signature__ = Lazy(lambda self: inspect.signature(self._function))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> S:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<activation {self.__name__}{self.__signature__}>"

    def __reduce__(self) -> str:
        name: str = self.__name__
        return name


def activation(
    vjp: Callable[Q, R],
) -> Callable[[Callable[P, S]], Activation[P, S, Q, R]]:
    """Make an Activation of the decorated function."""
    return lambda function: Activation(function, vjp)
