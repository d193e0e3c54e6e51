"""Losses as objectives of CatBoost."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fusedloss import Loss
from fusedloss._core.types import Array, ArrayLike
from fusedloss.boosting._objective import OF_COLUMNS, Curvature, Metric, Objective
from fusedloss.boosting._targets import CLASSES, target_of

#: What RMSE, Logloss, Huber and the others do.
_BUILTINS: Final = {
    "mse_loss": Curvature(factor=0.5),
    "binary_cross_entropy_with_logits": Curvature(),
    "cross_entropy": Curvature(),
    "poisson_nll_loss": Curvature(),
    "tweedie_loss": Curvature(),
    "huber_loss": Curvature(),
    "log_cosh_loss": Curvature(),
    "expectile_loss": Curvature(),
    "sigmoid_focal_loss": Curvature(),
}


class CatBoostMetric(Metric):
    """The mean of a loss as a metric of CatBoost: see `catboost`."""

    no_jit = True  # CatBoost would try to compile the methods with numba, and warn that it cannot

    def evaluate(self, approxes: Any, target: Any, weight: Any) -> tuple[float, float]:
        """The sum of the losses of some rows, and of their weights."""
        scores = approxes[0] if len(approxes) == 1 else np.stack(approxes, axis=1)
        value, total = self._objective._mean(scores, target, weight)
        return value * total, total

    def get_final_error(self, error: float, weight: float) -> float:
        """The mean, of the sums over all rows."""
        return error / (weight + (weight == 0))

    def is_max_optimal(self) -> bool:
        """False: less is better."""
        return False


class CatBoostObjective(Objective):
    """A loss as an objective of CatBoost: see `catboost`, which makes it."""

    _maker = "catboost"
    _columns_are = "give classes_count the number of classes"
    _builtins = _BUILTINS
    _by_parts = True

    no_jit = True

    @property
    def metric(self) -> CatBoostMetric:
        """The mean loss, for `eval_metric`."""
        return CatBoostMetric(self)

    def baseline(self, y: ArrayLike, weight: ArrayLike | None = None) -> Array:
        """The best constant score of each row, as the `baseline` of a ``Pool`` or of `fit`.

        CatBoost does not keep it: give it to predictions too.

        Parameters
        ----------
        y : array_like
            The labels of the training data; for `aft_loss` also a tuple of lower and upper bounds.
        weight : array_like, optional
            One weight for each row.

        Returns
        -------
        ndarray
            Of shape (rows,); for losses of classes (rows, classes), the logarithms of their shares,
            with the weights of rows and classes.

        Examples
        --------
        >>> import fusedloss as fl
        >>> fl.boosting.catboost("l1_loss").baseline([1.0, 2.0, 6.0])
        array([2., 2., 2.])
        """
        return self._starts(y, weight)


class CatBoostElementObjective(CatBoostObjective):
    """An elementwise loss as an objective of CatBoost: see `catboost`, which makes it."""

    def calc_ders_range(self, approxes: Any, targets: Any, weights: Any) -> Array:
        """The first and second derivatives of minus the loss.

        Parameters
        ----------
        approxes, targets : array_like of shape (rows,)
            Scores and labels.
        weights : array_like of shape (rows,), or None
            One weight for each row.

        Returns
        -------
        ndarray of float64, of shape (rows, 2)
            Its memory is used again in a later call, once nobody holds it any more.
        """
        scores = np.asarray(approxes)
        result = self._buffers.take((len(scores), 2), np.float64)
        self._differentiate(scores, targets, weights, result[:, 0], result[:, 1], -1.0)
        return result


class CatBoostClassObjective(CatBoostObjective):
    """A loss of class numbers as an objective of CatBoost: see `catboost`, which makes it."""

    _whole: bool  # whether all of the Hessian is given, and not its diagonal alone

    def _find_curvature(self) -> Curvature:
        curvature = super()._find_curvature()
        whole = self.hessian != "constant" and self.floor is None and self.loss.has_hvp
        vars(self)["_whole"] = whole
        return Curvature() if whole else curvature

    def calc_ders_multi(self, approx: Any, target: Any, weight: Any) -> tuple[Array, Array]:
        """The first and second derivatives of minus the loss of one row.

        Parameters
        ----------
        approx : array_like of shape (classes,)
            Scores.
        target : float
            The class.
        weight : float
            The weight of the row.

        Returns
        -------
        der1 : ndarray of shape (classes,)
        der2 : ndarray of shape (classes, classes)
        """
        scores = np.asarray(approx)[np.newaxis]
        grad, diagonal = np.empty(scores.shape), np.empty(scores.shape)
        labels = np.asarray([target])
        self._differentiate(scores, labels, None, grad, diagonal, -1.0)
        der1, der2 = grad[0], np.diag(diagonal[0])
        if self._whole:  # times each unit vector
            units = np.eye(len(der1))
            der2 = self.loss.hvp(
                np.broadcast_to(scores, units.shape),
                np.repeat(target_of(CLASSES, self.__name__, labels, scores.shape), len(units)),
                units,
                reduction="sum",
                **self._arguments({}, -1.0),
            )
        if weight != 1:
            der1 *= weight
            der2 *= weight
        return der1, der2


def catboost(
    loss: str | Loss[...], *, hessian: str = "auto", floor: float | None = None, **options: Any
) -> CatBoostObjective:
    r"""A loss as an objective of CatBoost.

    The object is the `loss_function` of ``CatBoostRegressor``, ``CatBoostClassifier`` and
    ``CatBoost``; its `metric` is their `eval_metric`, which CatBoost wants to be given too. It can
    be pickled and copied.

    Parameters
    ----------
    loss : str or Loss
        An elementwise loss, such as ``"huber_loss"``; one of class numbers, such as
        ``"cross_entropy"``; one of grades, such as ``"ordinal_loss"``; or ``"aft_loss"``.
    hessian : {"auto", "exact", "constant"}, default "auto"
        What CatBoost gets as minus the second derivative h of each row:

        - "auto": what the built-in objective of this loss does, h itself, that is: of
          `binary_cross_entropy_with_logits`, `huber_loss`, `poisson_nll_loss`, `log_cosh_loss`,
          `expectile_loss`, `tweedie_loss` and `sigmoid_focal_loss`, and h / 2 of `mse_loss`, the
          gradient of which is halved too; the whole matrix of `cross_entropy` and the other losses
          of a softmax. Of other losses it is "exact", or "constant" where h is 0 (`l1_loss`,
          `quantile_loss`, `mape_loss`, `hinge_loss`, ...).
        - "exact": max(h, 1e-16); of losses of a softmax the whole matrix.
        - "constant": 1.

        All of these times the weight of the row. Other losses of class numbers have the diagonal.
    floor : float, optional
        The least second derivative, 0 or more, in place of that above; of "constant" it is the
        second derivative. With a floor only the diagonal is given. Smaller ones make longer steps.
    **options
        Options of the loss, such as ``delta=2.0``, and its operands besides scores and labels, such
        as `var` of `gaussian_nll_loss`, `dispersion` or `thresholds`. But for the latter they are
        one number for all rows. `reduction` is none of the options: an objective is a sum.

    Returns
    -------
    CatBoostObjective

    Raises
    ------
    TypeError
        For a loss that cannot be an objective, and an option that it does not have.
    ValueError
        For a name that is no loss, and a value that is not accepted. In training CatBoost makes
        errors its own, with the text of the loss.

    Notes
    -----
    With ``leaf_estimation_method="Newton"``, ``leaf_estimation_iterations=1`` and
    ``boost_from_average=False``, built-in objectives grow the same trees.

    CatBoost asks for the derivatives of losses of class numbers row by row, which takes far longer
    than its own ``MultiClass``. Of other losses it asks for those of some rows at a time, and does
    not say which: so there is no objective of `cox_ph_loss`, and options are no arrays of rows.

    Labels of grades are numbers from 0 on; `thresholds` makes thresholds of them. Labels of
    `aft_loss` are times, negative where they are right-censored; neither 0 nor infinite.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> objective = fl.boosting.catboost("huber_loss", delta=2.0)
    >>> objective
    catboost('huber_loss', delta=2.0)
    >>> objective.calc_ders_range(np.array([1.0, 0.5]), np.array([0.0, 1.0]), None)
    array([[-1. , -1. ],
           [ 0.5, -1. ]])
    """
    made = CatBoostElementObjective(loss, hessian, floor, options)
    if made.kind in OF_COLUMNS:
        return CatBoostClassObjective(loss, hessian, floor, options)
    return made
