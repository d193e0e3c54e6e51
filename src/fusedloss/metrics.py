"""Losses as metrics: true values first, one number for the rows with their weights.

Names, arguments and values are scikit-learn's. Each function is a call of a loss.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import numpy as np

import fusedloss._labels as _labels
from fusedloss._core.foreign import NullsError
from fusedloss._core.frameworks import family
from fusedloss._core.operands import broadcast, operand
from fusedloss._core.parameters import choice, finite
from fusedloss._core.types import Array, ArrayLike
from fusedloss._named import (
    WEIGHT_OF_ROWS,
    Bound,
    bound,
    check_finite,
    key_of,
    row_weights,
)
from fusedloss._ndcg import ndcg
from fusedloss.binary import binary_cross_entropy
from fusedloss.binary import hinge_loss as _hinge
from fusedloss.distributions import tweedie_loss
from fusedloss.margins import categorical_hinge_loss
from fusedloss.regression import l1_loss, mape_loss, mse_loss, msle_loss, quantile_loss

__all__ = [
    "Metric",
    "brier_score_loss",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "d2_pinball_score",
    "d2_tweedie_score",
    "hinge_loss",
    "log_loss",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_gamma_deviance",
    "mean_pinball_loss",
    "mean_poisson_deviance",
    "mean_squared_error",
    "mean_squared_log_error",
    "mean_tweedie_deviance",
    "metric",
    "ndcg",
    "root_mean_squared_error",
    "root_mean_squared_log_error",
    "scorer",
]

Multioutput: TypeAlias = Literal["raw_values", "uniform_average"] | ArrayLike
_MULTIOUTPUT: Final = ("raw_values", "uniform_average")


# ---- arguments ---------------------------------------------------------------------


def _numbers(name: str, value: Any) -> Array:
    """Real numbers, of a dtype that a loss reads; nulls are nan."""
    try:
        return operand(name, value)[0]
    except NullsError as error:
        return np.where(error.nulls, np.nan, error.filled)


def _weights(sample_weight: Any, rows: int) -> Array | None:
    if sample_weight is None:
        return None
    weight = row_weights(_numbers("sample_weight", sample_weight), rows)
    if not weight.any():
        raise ValueError("sample_weight: all weights are 0; the mean of nothing is no number")
    return weight


def _pair(y_true: Any, y_pred: Any, name: str = "y_pred") -> tuple[Array, Array]:
    """Numbers of one shape, (n,) or (n, K); a column is taken for what has no columns."""
    true, predicted = _numbers("y_true", y_true), _numbers(name, y_pred)
    if true.ndim != predicted.ndim:
        true, predicted = (
            a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a for a in (true, predicted)
        )
    if true.shape != predicted.shape or true.ndim not in (1, 2):
        raise ValueError(
            f"y_true and {name}: the same shape, (n,) or (n, K), is needed; got {true.shape} and "
            f"{predicted.shape}"
        )
    if not true.size:
        raise ValueError(f"y_true: no rows; at least one is needed, got shape {true.shape}")
    return true, predicted


def _finite(result: Any, **operands: Any) -> Any:
    """The result. If that is nan or infinite, and so is an operand, an error names the operand."""
    if not np.all(np.isfinite(result)):
        check_finite(", or give them the weight 0", **operands)
    return result


def _renamed(function: Callable[[], Any], predicted: str = "y_pred") -> Any:
    """The result of a loss. Its errors get the names that a metric's arguments have."""
    names = {"target": "y_true", "input": predicted, "weight": "sample_weight"}
    try:
        return function()
    except (TypeError, ValueError, IndexError) as error:
        name, colon, text = str(error).partition(":")
        if colon and name in names:
            raise type(error)(f"{names[name]}:{text}") from None
        raise


def _mean(
    loss: Any,
    true: Array,
    predicted: Array,
    weight: Array | None,
    name: str = "y_pred",
    **more: Any,
) -> float:
    """The weighted mean of a loss, over all columns."""
    if weight is not None and true.ndim == 2:
        weight = weight[:, np.newaxis]
    result = _renamed(
        lambda: loss(predicted, true, weight=weight, reduction="weighted_mean", **more), name
    )
    return float(_finite(result, y_true=true, **{name: predicted}, sample_weight=weight))


def _columns(array: Array) -> list[Array]:
    return [array] if array.ndim == 1 else list(array.T)


def _regression(
    loss: Any,
    y_true: Any,
    y_pred: Any,
    sample_weight: Any,
    multioutput: Any,
    finish: Callable[[Any], Any] | None = None,
    **options: Any,
) -> Any:
    """A metric of numbers; `finish` is of each column's mean."""
    true, predicted = _pair(y_true, y_pred)
    weight = _weights(sample_weight, len(true))
    shares = _shares(multioutput, true)
    if finish is None and shares is None and not _is_raw(multioutput):
        return _mean(loss, true, predicted, weight, **options)
    pairs = zip(_columns(true), _columns(predicted), strict=True)
    each = np.array([_mean(loss, t, p, weight, **options) for t, p in pairs])
    return _over_columns(each if finish is None else finish(each), multioutput, shares)


def _is_raw(multioutput: Any) -> bool:
    return isinstance(multioutput, str) and multioutput == "raw_values"


def _shares(multioutput: Any, true: Array) -> Array | None:
    """The weights of the columns, if there are any."""
    if isinstance(multioutput, str):
        choice("multioutput", multioutput, _MULTIOUTPUT)
        return None
    columns = true.shape[1] if true.ndim == 2 else 1
    shares = _numbers("multioutput", multioutput)
    if shares.shape != (columns,) or columns == 1:
        raise ValueError(
            f"multioutput: {' or '.join(_MULTIOUTPUT)}, or a weight for each of two or more "
            f"columns is needed; there are {columns}, got shape {shares.shape}"
        )
    return shares


def _over_columns(each: Array, multioutput: Any, shares: Array | None) -> Any:
    return each if _is_raw(multioutput) else float(np.average(each, weights=shares))


# ---- regression --------------------------------------------------------------------


def mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Weighted mean of `mse_loss`, as ``sklearn.metrics.mean_squared_error``.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,) or (n, K)
        True values and predictions.
    sample_weight : array_like of shape (n,), optional
        Weights of the rows.
    multioutput : str or array_like of shape (K,)
        "uniform_average" (the mean over the columns), "raw_values" (a number for each), or weights
        of the columns.

    Returns
    -------
    float, or ndarray of shape (K,) for "raw_values"

    Raises
    ------
    ValueError
        If shapes do not fit, or a number is nan or infinite.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.mean_squared_error([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0])
    0.375
    """
    return _regression(mse_loss, y_true, y_pred, sample_weight, multioutput)


def root_mean_squared_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Square root of `mean_squared_error` of each column, as in scikit-learn.

    Parameters, results and errors are those of `mean_squared_error`.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.root_mean_squared_error([1.0, 2.0], [3.0, 4.0])
    2.0
    """
    return _regression(mse_loss, y_true, y_pred, sample_weight, multioutput, np.sqrt)


def mean_absolute_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Weighted mean of `l1_loss`, as ``sklearn.metrics.mean_absolute_error``.

    Parameters, results and errors are those of `mean_squared_error`.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.mean_absolute_error([[0.5, 1], [-1, 1]], [[0, 2], [-1, 2]])
    0.625
    """
    return _regression(l1_loss, y_true, y_pred, sample_weight, multioutput)


def mean_absolute_percentage_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Weighted mean of `mape_loss`, as ``sklearn.metrics.mean_absolute_percentage_error``.

    Parameters, results and errors are those of `mean_squared_error`.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.mean_absolute_percentage_error([4.0, 2.0], [3.0, 3.0])
    0.375
    """
    return _regression(mape_loss, y_true, y_pred, sample_weight, multioutput)


def mean_squared_log_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Weighted mean of `msle_loss`, as ``sklearn.metrics.mean_squared_log_error``.

    Parameters, results and errors are those of `mean_squared_error`; all numbers are above -1.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.mean_squared_log_error([3.0, 5.0], [2.5, 5.0]), 6)
    0.008915
    """
    return _regression(msle_loss, y_true, y_pred, sample_weight, multioutput, _above_minus_1)


def root_mean_squared_log_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Square root of `mean_squared_log_error` of each column, as in scikit-learn.

    Parameters, results and errors are those of `mean_squared_log_error`.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.root_mean_squared_log_error([3.0, 5.0], [2.5, 5.0]), 6)
    0.094421
    """
    return _regression(
        msle_loss,
        y_true,
        y_pred,
        sample_weight,
        multioutput,
        lambda each: np.sqrt(_above_minus_1(each)),
    )


def _above_minus_1(each: Any) -> Any:
    if np.isinf(each).any():
        raise ValueError("y_true and y_pred: numbers above -1 are needed; there is a -1")
    return each


def mean_pinball_loss(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.5,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """Weighted mean of `quantile_loss`, as ``sklearn.metrics.mean_pinball_loss``.

    Parameters, results and errors are those of `mean_squared_error`; `alpha`, from 0 to 1, is the
    level of the quantile.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.mean_pinball_loss([1.0, 2.0, 4.0], [0.0, 2.0, 4.0], alpha=0.75)
    0.25
    """
    alpha = finite("alpha", alpha, 0.0, 1.0)
    return _regression(quantile_loss, y_true, y_pred, sample_weight, multioutput, q=alpha)


def mean_tweedie_deviance(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    power: float = 0.0,
) -> float:
    """Weighted mean of the Tweedie deviance, as ``sklearn.metrics.mean_tweedie_deviance``.

    Twice what `tweedie_loss` of the predicted means is above its least value, that of a perfect
    prediction.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)
        True values and predicted means. The means are positive, but for ``power=0``; true values
        are 0 or more for powers from 1 on, and positive from 2 on.
    sample_weight : array_like of shape (n,), optional
        Weights of the rows.
    power : float
        0 (normal) or less, or 1 (Poisson) or more; 2 is the gamma distribution.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes do not fit, a number is out of range, nan or infinite.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.mean_tweedie_deviance([2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0], power=1), 4)
    1.426
    """
    true, predicted = _pair(y_true, y_pred)
    power = finite("power", power)
    return _deviance(true, predicted, _weights(sample_weight, len(true)), power)


def _deviance(true: Array, predicted: Array, weight: Array | None, power: float) -> float:
    if true.ndim > 1 and true.shape[1] == 1:
        true, predicted = true[:, 0], predicted[:, 0]
    if true.ndim > 1:
        raise ValueError(f"y_true: a deviance has one column, got shape {true.shape}")
    if power == 0:
        return _mean(mse_loss, true, predicted, weight)
    for name, array in (("y_pred", predicted), ("y_true", true))[: 1 + (power >= 2)]:
        # nan is not positive either; what has the weight 0 may be anything.
        if not array.min() > 0 and not np.all((array > 0) | (weight is not None and weight == 0)):
            _finite(np.nan, y_true=true, y_pred=predicted, sample_weight=weight)
            raise ValueError(f"{name}: positive numbers are needed for the power {power:g}")
    options: dict[str, Any] = {"power": power, "log_input": False, "weight": weight}
    value, divisor = _renamed(
        lambda: tweedie_loss(
            predicted, true, reduction="weighted_mean", return_divisor=True, **options
        )
    )
    # At 0 and below, the least value is 0.
    positive = None if true.min() > 0 else true > 0
    least = tweedie_loss(true, true, where=positive, reduction="sum", **options)
    value = 2.0 * (float(value) - float(least) / divisor) if divisor else 0.0
    return float(_finite(value, y_true=true, y_pred=predicted, sample_weight=weight))


def mean_poisson_deviance(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """`mean_tweedie_deviance` of the power 1, as ``sklearn.metrics.mean_poisson_deviance``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.mean_poisson_deviance([2, 0, 1, 4], [0.5, 0.5, 2.0, 2.0]), 4)
    1.426
    """
    return mean_tweedie_deviance(y_true, y_pred, sample_weight=sample_weight, power=1.0)


def mean_gamma_deviance(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """`mean_tweedie_deviance` of the power 2, as ``sklearn.metrics.mean_gamma_deviance``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.mean_gamma_deviance([2, 0.5, 1, 4], [0.5, 0.5, 2.0, 2.0]), 4)
    1.0569
    """
    return mean_tweedie_deviance(y_true, y_pred, sample_weight=sample_weight, power=2.0)


# ---- D2 scores -----------------------------------------------------------------------


def _part(value: float, least: float) -> float:
    """A D2 score: 1 - value / least, where least may be 0."""
    return 1 - value / least if least else np.nan if value == least else -np.inf


def _has_two_rows(rows: int) -> bool:
    if rows < 2:
        warnings.warn("a D2 score needs two rows or more", RuntimeWarning, stacklevel=3)
    return rows >= 2


def d2_tweedie_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    power: float = 0.0,
) -> float:
    """The part of `mean_tweedie_deviance` that is explained, as in scikit-learn.

    1 less its quotient by that of the weighted mean of `y_true`; 1 is best. Parameters and errors
    are those of `mean_tweedie_deviance`. Of fewer than two rows it is nan, with a warning.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.d2_tweedie_score([0.5, 1, 2.5, 7], [1, 1, 5, 3.5], power=1), 4)
    0.4879
    """
    true, predicted = _pair(y_true, y_pred)
    power = finite("power", power)
    weight = _weights(sample_weight, len(true))
    if not _has_two_rows(len(true)):
        return np.nan
    value = _deviance(true, predicted, weight, power)
    kept = slice(None) if weight is None else weight != 0  # the others may be anything
    mean = np.average(true[kept], weights=None if weight is None else weight[kept])
    constant = broadcast("y_true", np.asarray(mean), true.shape)
    return _part(value, _deviance(true, constant, weight, power))


def d2_pinball_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    alpha: float = 0.5,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """The part of `mean_pinball_loss` that is explained, as in scikit-learn.

    1 less its quotient by that of the weighted quantile of `y_true`; 1 is best, and 0 where only
    the quotient's divisor is 0. Parameters and errors are those of `mean_pinball_loss`. Of fewer
    than two rows it is nan, with a warning.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.d2_pinball_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    true, predicted = _pair(y_true, y_pred)
    alpha = finite("alpha", alpha, 0.0, 1.0)
    weight = _weights(sample_weight, len(true))
    shares = _shares(multioutput, true)
    if not _has_two_rows(len(true)):
        return np.nan
    each = []
    for t, p in zip(_columns(true), _columns(predicted), strict=True):
        value = _mean(quantile_loss, t, p, weight, q=alpha)
        constant = np.broadcast_to(_quantile(t, weight, alpha), t.shape)
        least = _mean(quantile_loss, t, constant, weight, q=alpha)
        each.append(1 - value / least if least else 0.0 if value else 1.0)
    return _over_columns(np.array(each), multioutput, shares)


def d2_absolute_error_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: Multioutput = "uniform_average",
) -> Any:
    """`d2_pinball_score` of the median, as ``sklearn.metrics.d2_absolute_error_score``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> fl.metrics.d2_absolute_error_score([1.0, 2.0, 3.0], [1.0, 3.0, 3.0])
    0.5
    """
    return d2_pinball_score(
        y_true, y_pred, sample_weight=sample_weight, alpha=0.5, multioutput=multioutput
    )


def _quantile(numbers: Array, weight: Array | None, alpha: float) -> Any:
    """The weighted quantile: the mean of both numbers where the level falls between two."""
    if weight is None:
        return np.quantile(numbers, alpha, method="averaged_inverted_cdf")
    kept = weight > 0
    order = np.argsort(numbers[kept])
    numbers, total = numbers[kept][order], np.cumsum(weight[kept][order], dtype=np.float64)
    level = alpha * total[-1]
    first = min(int(np.searchsorted(total, level)), len(total) - 1)
    last = first
    if np.isclose(total[first], level, rtol=1e-15, atol=0.0) and first + 1 < len(total):
        last = first + 1
    return (numbers[first] + numbers[last]) / 2


# ---- classification ------------------------------------------------------------------


def _probabilities(y_proba: Any) -> tuple[Array, float]:
    """Probabilities, and how near to 0 and 1 scikit-learn lets those of their dtype."""
    p = _numbers("y_proba", y_proba)
    eps = float(np.finfo(p.dtype if p.dtype.kind == "f" else np.float64).eps)
    if p.dtype.kind not in "f" or p.dtype.itemsize < 4:
        p = p.astype(np.float64)
    if p.ndim not in (1, 2) or not p.size:
        raise ValueError(f"y_proba: shape (n,) or (n, K) is needed, got {p.shape}")
    low, high = p.min(), p.max()
    if not (low >= 0 and high <= 1):
        check_finite(y_proba=p)
        raise ValueError(f"y_proba: numbers from 0 to 1 are needed, got {low} to {high}")
    return p[:, 0] if p.ndim == 2 and p.shape[1] == 1 else p, eps


def _has_rows(y_proba: Any) -> bool:
    """Whether there are enough for a score, or what is no rows, which is left to other checks."""
    shape = np.shape(y_proba)
    return not shape or _has_two_rows(shape[0])


class _Classes:
    """Labels and their probabilities: as numbers of classes, of all `classes`."""

    def __init__(self, y_true: Any, y_proba: Any, sample_weight: Any, labels: Any) -> None:
        self.p, self.eps = _probabilities(y_proba)
        rows, count = len(self.p), self.p.shape[1] if self.p.ndim == 2 else 2
        self.codes, self.classes = _labels.codes("y_true", y_true, labels, count)
        if len(self.codes) != rows:
            raise ValueError(
                f"y_true and y_proba: as many rows are needed, got {len(self.codes)} and {rows}"
            )
        self.weight = _weights(sample_weight, rows)
        if self.p.ndim == 2:
            sums = self.p @ np.ones(self.p.shape[1], self.p.dtype)
            if np.abs(sums - 1).max() > np.sqrt(np.finfo(self.p.dtype).eps):
                warnings.warn("y_proba: the rows do not sum to 1", UserWarning, stacklevel=4)

    def _clipped(self, p: Array) -> Array:
        return np.clip(p, self.eps, 1 - self.eps)

    def log_loss(self) -> float:
        """Of two classes by the second one's probability; of more by that of the true class."""
        if self.p.ndim == 1:
            return _mean(
                binary_cross_entropy, self.codes, self._clipped(self.p), self.weight, name="y_proba"
            )
        own = np.take_along_axis(self.p, self.codes[:, np.newaxis], 1)[:, 0]
        return _of_own(self._clipped(own), self.weight)

    def brier(self) -> float:
        """Σ (p - t)² over the classes."""
        if self.p.ndim == 1:
            return 2 * _mean(mse_loss, self.codes, self.p, self.weight, name="y_proba")
        classes = int(self.p.shape[1])
        t = self.codes[:, np.newaxis] == np.arange(classes)
        return classes * _mean(mse_loss, t, self.p, self.weight, name="y_proba")

    def shares(self) -> Array:
        """The weight of each class."""
        counts = np.bincount(self.codes, self.weight, minlength=len(self.classes))
        shares: Array = counts / counts.sum()
        return shares


def _of_own(p: Array, weight: Array | None) -> float:
    """The mean of -log p of the true class's probability."""
    return _mean(binary_cross_entropy, np.ones(p.shape, bool), p, weight, name="y_proba")


def log_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> float:
    """Weighted mean of -log of the true class's probability, as ``sklearn.metrics.log_loss``.

    Probabilities are clipped to what lies between eps and 1 - eps, with the eps of their dtype.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels: numbers, booleans or strings.
    y_proba : array_like of shape (n,) or (n, K)
        Probabilities: of the second of two classes, or of each class. Columns are in the order of
        the sorted labels.
    sample_weight : array_like of shape (n,), optional
        Weights of the rows.
    labels : array_like, optional
        All classes, where `y_true` has not all of them.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes do not fit, there are not as many labels as classes, a label is a null, or a
        probability is not from 0 to 1.

    Notes
    -----
    A loss of logits, such as `cross_entropy`, needs no clipping: ``metric(fl.cross_entropy)``.

    Examples
    --------
    >>> import fusedloss as fl
    >>> y = ["spam", "ham", "ham", "spam"]
    >>> round(fl.metrics.log_loss(y, [[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]), 5)
    0.21616
    """
    return _Classes(y_true, y_proba, sample_weight, labels).log_loss()


def d2_log_loss_score(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    labels: ArrayLike | None = None,
) -> float:
    """The part of `log_loss` that is explained, as ``sklearn.metrics.d2_log_loss_score``.

    1 less its quotient by that of the classes' weighted shares; 1 is best. Parameters and errors
    are those of `log_loss`. Of fewer than two rows it is nan, with a warning.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.d2_log_loss_score([0, 1, 1, 0], [0.1, 0.8, 0.7, 0.4]), 4)
    0.5686
    """
    if not _has_rows(y_proba):
        return np.nan
    found = _Classes(y_true, y_proba, sample_weight, labels)
    shares = found.shares()
    return _part(found.log_loss(), _of_own(found._clipped(shares), shares))


def brier_score_loss(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    scale_by_half: bool | Literal["auto"] = "auto",
) -> float:
    """Weighted mean of Σ (p - t)² over the classes, as ``sklearn.metrics.brier_score_loss``.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels: numbers, booleans or strings.
    y_proba : array_like of shape (n,) or (n, K)
        Probabilities: of `pos_label`, or of each class, in the order of the sorted labels.
    sample_weight : array_like of shape (n,), optional
        Weights of the rows.
    pos_label : object, optional
        The label that a `y_proba` of one dimension is of. By default 1, where the labels are -1, 0
        or 1, else the greater one; needed for strings.
    labels : array_like, optional
        All classes of a `y_proba` of two dimensions, where `y_true` has not all of them.
    scale_by_half : bool or "auto"
        Whether half of it is returned; "auto": for fewer than three classes.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As `log_loss`, or if strings have no `pos_label`.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.brier_score_loss([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 6)
    0.0375
    """
    if scale_by_half not in (True, False, "auto"):
        raise ValueError(f"scale_by_half: True, False or 'auto' is needed, got {scale_by_half!r}")
    found = _brier(y_true, y_proba, sample_weight, pos_label, labels)
    half = len(found.classes) < 3 if scale_by_half == "auto" else scale_by_half
    return found.brier() * (0.5 if half else 1.0)


def _brier(y_true: Any, y_proba: Any, sample_weight: Any, pos_label: Any, labels: Any) -> _Classes:
    shape = np.shape(y_proba)
    if len(shape) == 1 or shape[1:] == (1,):
        y_true, labels = _labels.is_positive("y_true", y_true, pos_label), [False, True]
    return _Classes(y_true, y_proba, sample_weight, labels)


def d2_brier_score(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
) -> float:
    """The part of `brier_score_loss` that is explained, as ``sklearn.metrics.d2_brier_score``.

    1 less its quotient by that of the classes' weighted shares; 1 is best. Parameters and errors
    are those of `brier_score_loss`. Of fewer than two rows it is nan, with a warning.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.d2_brier_score([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]), 4)
    0.85
    """
    if not _has_rows(y_proba):
        return np.nan
    found = _brier(y_true, y_proba, sample_weight, pos_label, labels)
    shares = found.shares()
    constant = np.broadcast_to(shares, (len(shares), len(shares)))
    least = len(shares) * _mean(mse_loss, np.eye(len(shares)), constant, shares)
    return _part(found.brier(), least)


def hinge_loss(
    y_true: ArrayLike,
    pred_decision: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Weighted mean of the hinge loss of decision values, as ``sklearn.metrics.hinge_loss``.

    Of two classes `hinge_loss` of this package, of more `categorical_hinge_loss`.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        Labels: numbers, booleans or strings.
    pred_decision : array_like of shape (n,) or (n, K)
        Scores: of the second of two classes, or of each class, in the order of the sorted labels.
    labels : array_like, optional
        All classes, where `y_true` has not all of them.
    sample_weight : array_like of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If shapes do not fit, there are not as many labels as classes, a label is a null, or a
        score is nan or infinite.

    Examples
    --------
    >>> import fusedloss as fl
    >>> round(fl.metrics.hinge_loss([-1, 1, 1], [-2.18, 2.36, 0.09]), 4)
    0.3033
    """
    scores = _numbers("pred_decision", pred_decision)
    if scores.ndim == 2 and scores.shape[1] == 1:
        scores = scores[:, 0]
    if scores.ndim not in (1, 2) or not scores.size:
        raise ValueError(f"pred_decision: shape (n,) or (n, K) is needed, got {scores.shape}")
    count = scores.shape[1] if scores.ndim == 2 else 2
    codes, _ = _labels.codes("y_true", y_true, labels, count, one_is_enough=scores.ndim == 1)
    if len(codes) != len(scores):
        raise ValueError(
            f"y_true and pred_decision: as many rows are needed, got {len(codes)} and {len(scores)}"
        )
    weight = _weights(sample_weight, len(scores))
    if scores.ndim == 1:
        return _mean(_hinge, codes != 0, scores, weight, name="pred_decision")
    value = categorical_hinge_loss(
        scores, codes, axis=1, sample_weight=weight, reduction="weighted_mean"
    )
    return float(_finite(value, pred_decision=scores, sample_weight=weight))


# ---- any loss --------------------------------------------------------------------------


class Metric:
    """A loss as a function of (y_true, y_pred); what `metric` returns."""

    def __init__(self, loss: Bound, labels: Any) -> None:
        self.loss, self.options = loss
        self.labels = labels
        self.__name__ = self.loss.__name__

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """The weighted mean of the loss."""
        x = _numbers("y_pred", y_pred)
        if not x.ndim or not x.size:
            raise ValueError(f"y_pred: at least one row is needed, got shape {x.shape}")
        target = self._target(y_true, x)
        weight = _weights(sample_weight, len(x))
        options = dict(self.options)
        if weight is not None:
            of_rows = "sample_weight" in self.loss._options
            axes = max(0, x.ndim - 1 - of_rows)  # besides that of the rows
            options["sample_weight" if of_rows else "weight"] = weight.reshape(-1, *(1,) * axes)
        value = _renamed(lambda: self.loss(x, target, reduction="weighted_mean", **options))
        return float(_finite(value, y_pred=x, y_true=target, sample_weight=weight))

    def _target(self, y_true: Any, x: Array) -> Array:
        """Labels as what the loss takes: numbers of classes, or booleans."""
        given = np.asarray(y_true)
        if self.labels is None and given.dtype.kind not in "OUST":
            return _numbers("y_true", y_true)
        kind = family(self.loss)
        over_classes = kind in ("classification", "margins") and x.ndim == 2
        if not over_classes and kind != "binary":
            if self.labels is not None:
                raise ValueError(f"labels: {self.loss.__name__} is no loss of classes")
            return _numbers("y_true", y_true)
        count = x.shape[1] if over_classes else 2
        codes, _ = _labels.codes("y_true", given, self.labels, count)
        return codes if over_classes else codes != 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Metric):
            return NotImplemented
        return (
            self.loss is other.loss
            and self.labels == other.labels
            and key_of(self.options) == key_of(other.options)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        given = self.options if self.labels is None else {"labels": self.labels, **self.options}
        options = "".join(f", {name}={value!r}" for name, value in given.items())
        return f"fusedloss.metrics.metric({self.__name__!r}{options})"


#: The metrics that are functions of this module.
_METRICS: Final = tuple(name for name in __all__ if name not in ("Metric", "metric", "scorer"))
_REFUSED: Final = {
    "reduction": "a metric is the weighted mean",
    "where": "leave these rows out, or give them the sample_weight 0",
    "sample_weight": "it goes into the call",
    "return_lse": "a metric is one number",
}


def metric(loss: Any, *, labels: ArrayLike | None = None, **options: Any) -> Metric:
    """Any loss of an input and a target as a function ``(y_true, y_pred, sample_weight=None)``.

    Parameters
    ----------
    loss : Loss, Criterion or str
        The loss; its input is `y_pred`, its target `y_true`.
    labels : array_like, optional
        All classes, for a `y_true` of labels: strings, or numbers that do not count from 0. The
        columns of `y_pred` are in the order of the sorted labels. Strings that are as many
        different ones as there are columns need no `labels`.
    **options
        Those of the loss, but for `reduction`, `where`, `sample_weight` and, of an elementwise
        loss, `weight`.

    Returns
    -------
    Metric
        A function that gives the loss with ``reduction="weighted_mean"``. It can be pickled.

    Raises
    ------
    TypeError, ValueError
        If there is no such loss or option; in the call, if `y_true` or `y_pred` do not fit.

    Examples
    --------
    >>> import fusedloss as fl
    >>> huber = fl.metrics.metric("huber_loss", delta=2.0)
    >>> huber([1.0, 5.0], [1.0, 2.0], sample_weight=[3.0, 1.0])
    1.0
    >>> fl.metrics.metric(fl.cross_entropy)(["a", "b"], [[9.0, 9.0], [0.0, 0.0]])
    0.6931471805599453
    """
    found = bound(loss, options, refused=_REFUSED)
    if "sample_weight" not in found.loss._options:
        found = bound(loss, options, refused=WEIGHT_OF_ROWS)
    if len(found.loss._operands) != 2:
        raise ValueError(f"loss: {found.loss.__name__} has more than an input and a target")
    return Metric(found, None if labels is None else list(np.asarray(labels)))


def scorer(
    loss: Any,
    *,
    response_method: str | tuple[str, ...] = "predict",
    labels: ArrayLike | None = None,
    **options: Any,
) -> Any:
    """A scorer for scikit-learn: of a loss or of a metric of this module, greater is better.

    Parameters
    ----------
    loss : Loss, Criterion, function of this module, what `metric` returns, or str
        A loss, whose mean gets a minus sign, or a metric such as `log_loss`, whose sign depends on
        whether it is a score. Where both have the name, a string means the metric.
    response_method : str or tuple of str
        The estimator's method whose result is `y_pred`: "predict", "predict_proba",
        "decision_function", or several in the order in which they are tried. Losses of logits want
        "decision_function".
    labels : array_like, optional
        All classes, where the labels do not count from 0, or a fold may lack one.
    **options
        Those of the loss or metric.

    Returns
    -------
    callable
        ``scorer(estimator, X, y, sample_weight=None)``, made by ``sklearn.metrics.make_scorer``.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> import fusedloss as fl
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import LinearRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = LinearRegression().fit(X, y)
    >>> round(fl.metrics.scorer("quantile_loss", q=0.5)(model, X, y), 3)
    -21.639
    """
    try:
        from sklearn.metrics import make_scorer
    except ImportError as error:
        raise ImportError(
            "fusedloss.metrics.scorer needs scikit-learn: pip install fusedloss[scikit-learn]"
        ) from error
    if isinstance(loss, str) and loss in _METRICS:
        loss = globals()[loss]
    if not isinstance(loss, Metric) and any(loss is globals()[name] for name in _METRICS):
        if labels is not None:
            options["labels"] = labels
        better = loss.__name__.endswith("_score")
        return make_scorer(
            loss, greater_is_better=better, response_method=response_method, **options
        )
    if not isinstance(loss, Metric):
        loss = metric(loss, labels=labels, **options)
    elif options or labels is not None:
        raise TypeError("loss: what `metric` returns has its labels and options; give them to it")
    return make_scorer(loss, greater_is_better=False, response_method=response_method)
