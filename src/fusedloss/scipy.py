"""Losses as SciPy takes them."""

from __future__ import annotations

from typing import Any, Final

from fusedloss._core.types import RHO, Array
from fusedloss._named import bound, key_of

__all__ = ["rho"]

#: The losses of residuals that are functions of their squares.
RESIDUAL_LOSSES: Final = (
    "cauchy_loss",
    "epsilon_insensitive_loss",
    "fair_loss",
    "huber_loss",
    "log_cosh_loss",
    "mse_loss",
    "pseudo_huber_loss",
    "smooth_l1_loss",
    "squared_epsilon_insensitive_loss",
)
_REFUSED: Final = {
    "weight": "multiply the residuals by the square roots of the weights",
    "where": "leave these residuals out",
    "reduction": "least_squares adds the losses up",
}


class Rho:
    """What `rho` returns: a function of squared residuals. It can be pickled and compared."""

    def __init__(self, loss: Any, options: dict[str, Any]) -> None:
        self.loss, self.options = loss, options

    def __call__(self, z: Any, out: Array | None = None) -> Array:
        """ρ, ρ' and ρ'' of squared residuals z, along a new first axis. `out` is a buffer."""
        request = (RHO, out, None, None, False, None)
        result: Array = self.loss._function(request, z, 0.0, **self.options)
        return result

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rho):
            return NotImplemented
        return self.loss is other.loss and self.options == other.options

    def __hash__(self) -> int:
        return hash((self.loss.__name__, key_of(self.options)))

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"fusedloss.scipy.rho({self.loss.__name__!r}{options})"


def rho(loss: Any, **options: Any) -> Rho:
    r"""A loss of residuals for `scipy.optimize.least_squares`.

    With z = r² for a residual r, and the loss l of one residual:

    .. math:: \rho(z) = 2\, l(\sqrt z), \qquad \rho'(z) = \frac{l'(r)}{r}, \qquad
              \rho''(z) = \frac{l''(r) - l'(r) / r}{2 z}

    So that the cost that `least_squares` minimises, half the sum of ρ, is the sum of the losses.
    Each is computed in closed form, right to a few ULP also at 0 and near it, where the difference
    in ρ'' would leave nothing.

    Parameters
    ----------
    loss : Loss, Criterion or str
        One of `cauchy_loss`, `epsilon_insensitive_loss`, `fair_loss`, `huber_loss`,
        `log_cosh_loss`, `mse_loss`, `pseudo_huber_loss`, `smooth_l1_loss` (beta above 0) and
        `squared_epsilon_insensitive_loss`. Losses with another slope on each side of 0, or with a
        slope at 0, are no such functions.
    **options
        Those of the loss, but for `weight`, `where` and `reduction`.

    Returns
    -------
    Rho
        A function of an array z, of any shape, to an array of shape (3, \*z.shape) in float64, or
        float32 for a z of a narrower float. It takes a buffer for that as `out`.

    Raises
    ------
    TypeError
        If `loss` is none, or has no such option.
    ValueError
        If it is another loss, or an option is out of range.

    Notes
    -----
    SciPy: ``loss="huber"`` is `huber_loss`, ``"cauchy"`` is `cauchy_loss` with c = 1, and
    ``"soft_l1"`` `pseudo_huber_loss` with delta = 1; their ``f_scale`` divides the residuals, as
    `delta` or `c` does.

    ρ'' of `fair_loss` goes to -∞ as :math:`-1 / 2 c \sqrt z`; at 0 it is its value at the smallest
    normal number, so that z ρ'' is 0.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.scipy.rho("log_cosh_loss")([0.0, 1e-20, 4.0]).round(4)
    array([[ 0.    ,  0.    ,  2.65  ],
           [ 1.    ,  1.    ,  0.482 ],
           [-0.3333, -0.3333, -0.0514]])
    >>> fl.scipy.rho(fl.huber_loss, delta=1.5)
    fusedloss.scipy.rho('huber_loss', delta=1.5)
    """
    found = bound(loss, options, refused=_REFUSED)
    name = found.loss.__name__
    accepted = f"accepted are {', '.join(RESIDUAL_LOSSES)}"
    if name not in RESIDUAL_LOSSES:
        raise ValueError(f"loss: {name} is no function of a squared residual; {accepted}")
    made = Rho(found.loss, found.options)
    try:
        made(0.0)
    except NotImplementedError:
        raise ValueError(
            f"beta: 0 makes {name} the absolute error, which has a slope at 0"
        ) from None
    return made
