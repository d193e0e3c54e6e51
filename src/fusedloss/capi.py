"""Losses for Cython, C and numba: bound to their options in Python, called without it.

`bind` checks the options and returns what the functions of ``fusedloss.h`` take: for one element
(``value``, ``value_and_grad``, ``value_grad_hess``, ``element``), for arrays (``map``) and, for
losses of class numbers, for rows of classes (``rows``), each for doubles and, with an f at the
end, for floats. Cython takes them from ``fusedloss.capi`` by ``cimport``, C from the header, numba
and ctypes by `function`; what is compiled against the header finds it by `fusedloss.get_include`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from fusedloss._core.criterion import Criterion
from fusedloss._core.kernels import kernels
from fusedloss._core.loss import UNREAD, Loss

__all__ = ["ABI", "OPERAND", "BoundLoss", "bind", "function"]

_call: Final = kernels.modules["call"]

#: The version of the C interface, FUSEDLOSS_ABI in fusedloss.h.
ABI: Final[int] = _call.FUSEDLOSS_ABI
#: Stands for an option that is an array: the third operand of the functions.
OPERAND: Final = UNREAD

#: What the caller of a function gives it, or does.
_OF_THE_CALL: Final = {
    "weight": "the functions take weights as arrays",
    "sample_weight": "the functions take weights as arrays",
    "where": "a weight of 0 leaves an element or a row out",
    "reduction": "the functions add up, and multiply derivatives by `scale`",
    "axis": "the classes are the last axis",
    "return_lse": "the functions return values and derivatives",
}

_C_TYPES: Final[dict[str, Any]] = {
    "double": ctypes.c_double,
    "float": ctypes.c_float,
    "int": ctypes.c_int,
    "Py_ssize_t": ctypes.c_ssize_t,
}


class BoundLoss:
    """A loss with its options, for the functions of ``fusedloss.h``; `bind` makes it.

    C and Cython take a copy of what is in the capsule. An address is good as long as this object.

    Attributes
    ----------
    name : str
        The loss.
    options : dict
        The options that were given.
    level : str
        The instruction-set level of the kernels.
    capsule : PyCapsule
        With the name ``fusedloss.loss``, of a ``fusedloss_loss``.
    """

    __slots__ = ("capsule", "level", "name", "options")

    def __init__(self, name: str, options: dict[str, Any], capsule: Any) -> None:
        self.name = name
        self.options = options
        self.level = kernels.level
        self.capsule = capsule

    @property
    def address(self) -> int:
        """The first argument of the functions, as a number."""
        return _address(self.capsule, b"fusedloss.loss")

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"bind({self.name!r}{options})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _bind, (self.name, self.options)  # an address means nothing elsewhere


def bind(loss: Loss[...] | Criterion | str, /, **options: Any) -> BoundLoss:
    """Bind an elementwise loss, or one of class numbers, for C, Cython and numba.

    Parameters
    ----------
    loss : Loss, Criterion or str
        Such as ``fl.huber_loss``, ``"huber_loss"`` or ``fl.HuberLoss(delta=1.5)``.
    **options
        Those of the loss, but for weights, mask, axis and reduction, which are the caller's. An
        option that is an array, such as ``q`` of `quantile_loss` or ``pos_weight`` of
        `binary_cross_entropy_with_logits`, is one number, or ``fl.capi.OPERAND``: then the
        functions take it as the third operand. With ``target_grad=True`` that of `kl_div` is the
        target.

    Returns
    -------
    BoundLoss
        What ``fusedloss_take`` copies in C; its `address` is what numba passes on.

    Raises
    ------
    TypeError
        If the loss is of another kind, or has no such option.
    ValueError
        If it refuses an option, or that is one that the functions take.

    Examples
    --------
    >>> import fusedloss as fl
    >>> huber = fl.capi.bind(fl.huber_loss, delta=1.5)
    >>> huber
    bind('huber_loss', delta=1.5)
    >>> value = fl.capi.function("value")
    >>> value(huber.address, 3.0, 1.0), fl.huber_loss(3.0, 1.0, delta=1.5)
    (1.875, np.float64(1.875))
    >>> fl.capi.bind(fl.huber_loss, delta=-1)
    Traceback (most recent call last):
        ...
    ValueError: delta: a positive finite number is needed, got -1
    """
    if isinstance(loss, Criterion):
        defaults = loss.loss._options_signature.parameters
        bound = {k: v for k, v in loss._options().items() if v is not defaults[k].default}
        options, loss = {**bound, **options}, loss.loss
    if isinstance(loss, str):
        return _bind(loss, options)
    if not isinstance(loss, Loss):
        raise TypeError(
            f"bind: a loss, its name or a criterion is needed, got {type(loss).__name__}"
        )
    return _bind(loss.__name__, options)


def _bind(name: str, options: dict[str, Any]) -> BoundLoss:
    import fusedloss

    loss = getattr(fusedloss, name, None)
    if not isinstance(loss, Loss):
        raise TypeError(f"bind: there is no loss {name!r}")
    defaults = {name: p.default for name, p in loss._options_signature.parameters.items()}
    for option, value in options.items():
        if option not in defaults:
            names = ", ".join(k for k in defaults if k not in _OF_THE_CALL) or "none"
            raise TypeError(f"bind: {name} has no option {option!r}; its options are: {names}")
        if option in _OF_THE_CALL and value is not defaults[option]:
            raise ValueError(f"{option}: cannot be bound: {_OF_THE_CALL[option]}")
    computation = loss.computation({**defaults, **options})
    if computation is None:
        raise TypeError(
            f"bind: {name} is neither elementwise, of at most three arrays, nor a loss of class "
            "numbers, and fusedloss.h has no function for it"
        )
    module, unknown, *arguments = computation
    if unknown:
        raise ValueError(f"{unknown}: cannot be bound: the functions take it as an array")
    return BoundLoss(name, options, kernels.modules[module].bound(*arguments))


def function(name: str) -> Callable[..., Any]:
    """A function of ``fusedloss.h``, for ctypes and numba.

    Parameters
    ----------
    name : str
        Without the prefix, such as ``"value"``, or ``"valuef"`` for floats.

    Returns
    -------
    ctypes function
        Typed, so that numba calls it from compiled code. Pointers are passed as numbers:
        ``bound.address``, ``array.ctypes.data``, 0 for NULL.

    Examples
    --------
    >>> import fusedloss as fl
    >>> import numpy as np
    >>> gamma = fl.capi.bind("gamma_nll_loss", log_input=False)
    >>> x, t, grad = np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.empty(2)
    >>> places = x.ctypes.data, t.ctypes.data, grad.ctypes.data
    >>> fl.capi.function("map")(
    ...     gamma.address, 2, *places[:2], 0, 0, 1.0, 0, 0, places[2], 0, 0, 0
    ... )
    -1
    >>> grad
    array([ 0.  , -0.25])
    """
    capsules = _capsules()
    if name not in capsules:
        raise ValueError(f"function: one of {', '.join(capsules)} is needed, got {name!r}")
    signature = ctypes.pythonapi.PyCapsule_GetName
    signature.restype, signature.argtypes = ctypes.c_char_p, [ctypes.py_object]
    text = signature(capsules[name])
    result, arguments = text.decode("ascii")[:-1].split(" (")
    # A pointer is a number of its size: so numba takes addresses.
    types = [_C_TYPES.get(kind, ctypes.c_ssize_t) for kind in arguments.split(", ")]
    return ctypes.CFUNCTYPE(_C_TYPES[result], *types)(_address(capsules[name], text))


def _address(capsule: Any, name: bytes) -> int:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address: int = pointer(capsule, name)
    return address


def _capsules() -> dict[str, Any]:
    capsules: dict[str, Any] = _call.functions()
    return capsules


def __getattr__(name: str) -> Any:
    if name == "__pyx_capi__":  # where Cython and numba look; of the level that is in use
        return _capsules()
    raise AttributeError(f"module 'fusedloss.capi' has no attribute {name!r}")
