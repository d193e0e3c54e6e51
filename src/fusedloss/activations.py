"""Activations: softmax, sigmoid and their logarithms."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._calls import activations as calls
from fusedloss._calls.elementwise import Formula, activate, activate_vjp
from fusedloss._core.loss import activation
from fusedloss._core.parameters import flag
from fusedloss._core.types import Array, ArrayLike

__all__ = ["log_softmax", "logsigmoid", "logsumexp", "sigmoid", "softmax"]


def _softmax_vjp(
    input: ArrayLike,
    grad_output: ArrayLike,
    axis: int | None = None,
    *,
    where: ArrayLike | None = None,
    grad_out: Array | None = None,
) -> Array:
    """Carry a gradient back through softmax: p (g - Σ p g)."""
    return calls.normalised_vjp(calls.SOFTMAX, input, grad_output, axis, where, grad_out)


@activation(_softmax_vjp)
def softmax(
    input: ArrayLike,
    axis: int | None = None,
    *,
    where: ArrayLike | None = None,
    out: Array | None = None,
) -> Array:
    r"""Softmax :math:`p_j = e^{x_j} / \sum_k e^{x_k}` along an axis.

    A single +inf in a row gives 1 there and 0 elsewhere.

    Parameters
    ----------
    <activation input>
    axis : int, optional
        1 by default, 0 for an input of one dimension or none.
    <activation where>
    <activation out, in place>

    <activation returns>

    Notes
    -----
    torch and scipy.special: ``softmax``.

    `where` is that of ``jax.nn.softmax``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.softmax([[1.0, 1.0], [0.0, 100.0]])
    array([[5.00000000e-01, 5.00000000e-01],
           [3.72007598e-44, 1.00000000e+00]])
    >>> fl.softmax.vjp([1.0, 1.0], [1.0, 0.0])
    array([ 0.25, -0.25])
    """
    return calls.normalised(calls.SOFTMAX, input, axis, where, out)


def _log_softmax_vjp(
    input: ArrayLike,
    grad_output: ArrayLike,
    axis: int | None = None,
    *,
    where: ArrayLike | None = None,
    grad_out: Array | None = None,
) -> Array:
    """Carry a gradient back through log_softmax: g - p Σ g."""
    return calls.normalised_vjp(calls.LOG_SOFTMAX, input, grad_output, axis, where, grad_out)


@activation(_log_softmax_vjp)
def log_softmax(
    input: ArrayLike,
    axis: int | None = None,
    *,
    where: ArrayLike | None = None,
    out: Array | None = None,
) -> Array:
    r"""Logarithm of softmax, :math:`x_j - \log \sum_k e^{x_k}`, along an axis.

    Right to a few ULP also where one class is all but certain.

    Parameters
    ----------
    <activation input>
    axis : int, optional
        1 by default, 0 for an input of one dimension or none.
    <activation where>
    <activation out, in place>

    <activation returns>

    Notes
    -----
    torch and scipy.special: ``log_softmax``.

    `where` is that of ``jax.nn.log_softmax``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.log_softmax([100.0, 0.0])
    array([-3.72007598e-44, -1.00000000e+02])
    """
    return calls.normalised(calls.LOG_SOFTMAX, input, axis, where, out)


def _logsumexp_vjp(
    input: ArrayLike,
    grad_output: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    *,
    b: ArrayLike | None = None,
    where: ArrayLike | None = None,
    grad_out: Array | None = None,
) -> Array:
    """Carry a gradient back through logsumexp: p g, with p the softmax over the same axes; with
    factors b it is :math:`b_j e^{x_j}` over the sum of these."""
    return calls.logsumexp_vjp(input, grad_output, axis, keepdims, b, where, grad_out)


@activation(_logsumexp_vjp)
def logsumexp(
    input: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    *,
    b: ArrayLike | None = None,
    where: ArrayLike | None = None,
    return_sign: bool = False,
    out: Array | None = None,
) -> Any:
    r"""Logarithm of the sum of exponentials, :math:`\log \sum_j e^{x_j}`.

    Over nothing it is -inf.

    Parameters
    ----------
    <activation input>
    axis : int or tuple of int, optional
        The axes to sum over; all of them by default, as in NumPy and SciPy; none with ``()``.
    keepdims : bool
        Whether these axes stay, with length 1.
    b : array_like, optional
        Factors of the exponentials, of input's shape or broadcasting up to it: the result is
        :math:`\log \sum_j b_j e^{x_j}`. They may be negative; the logarithm of a negative sum is
        nan. What has the factor 0 counts for nothing, also where its exponential is infinite.
    <activation where>
    return_sign : bool
        Whether the sign of the sum is returned too, as a second array; the first is then the
        logarithm of the sum's absolute value.
    <activation out>

    <activation returns>

    Notes
    -----
    torch and scipy.special: ``logsumexp``.

    `b` and `return_sign` are those of SciPy; `where` is that of ``jax.nn.logsumexp``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.logsumexp([0.0, -100.0])
    np.float64(3.720075976020836e-44)
    >>> fl.logsumexp([[0.0, 0.0], [1000.0, 1000.0]], axis=1)
    array([6.93147181e-01, 1.00069315e+03])
    """
    sign = flag("return_sign", return_sign)
    return calls.logsumexp(input, axis, keepdims, b, where, sign, out)


_SIGMOID: Final = Formula("sigmoid")
_LOG_SIGMOID: Final = Formula("log_sigmoid")


def _sigmoid_vjp(
    input: ArrayLike, grad_output: ArrayLike, *, grad_out: Array | None = None
) -> Array:
    """Carry a gradient back through sigmoid: g σ (1 - σ)."""
    return activate_vjp(_SIGMOID, input, grad_output, grad_out)


@activation(_sigmoid_vjp)
def sigmoid(input: ArrayLike, *, out: Array | None = None) -> Any:
    r"""The logistic function :math:`\sigma(x) = 1 / (1 + e^{-x})`.

    Parameters
    ----------
    <activation input>
    <activation out>

    <activation returns>

    Notes
    -----
    torch: ``sigmoid``; scipy.special: ``expit``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.sigmoid([-100.0, 0.0, 100.0])
    array([3.72007598e-44, 5.00000000e-01, 1.00000000e+00])
    """
    return activate(_SIGMOID, input, out)


def _logsigmoid_vjp(
    input: ArrayLike, grad_output: ArrayLike, *, grad_out: Array | None = None
) -> Array:
    """Carry a gradient back through logsigmoid: g (1 - σ)."""
    return activate_vjp(_LOG_SIGMOID, input, grad_output, grad_out)


@activation(_logsigmoid_vjp)
def logsigmoid(input: ArrayLike, *, out: Array | None = None) -> Any:
    r"""Logarithm of the logistic function, :math:`-\log(1 + e^{-x})`.

    Parameters
    ----------
    <activation input>
    <activation out>

    <activation returns>

    Notes
    -----
    torch: ``logsigmoid``; scipy.special: ``log_expit``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.logsigmoid([-100.0, 0.0, 100.0])
    array([-1.00000000e+02, -6.93147181e-01, -3.72007598e-44])
    """
    return activate(_LOG_SIGMOID, input, out)
