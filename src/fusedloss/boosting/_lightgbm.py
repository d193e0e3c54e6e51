"""Losses as objectives of LightGBM."""

from __future__ import annotations

from math import exp
from typing import Any, Final

import numpy as np

from fusedloss import Loss
from fusedloss._core.types import Array, ArrayLike
from fusedloss.boosting._objective import Curvature, Metric, Objective, constant

#: What regression, binary, multiclass and the others do.
_BUILTINS: Final = {
    "mse_loss": Curvature(factor=0.5),
    "huber_loss": constant(),
    "fair_loss": Curvature(),
    "binary_cross_entropy_with_logits": Curvature(),
    "cross_entropy": Curvature(scale=lambda classes: classes / (classes - 1)),
    "poisson_nll_loss": Curvature(scale=exp(0.7)),
    "gamma_nll_loss": Curvature(),
    "tweedie_loss": Curvature(),
    "lambdarank_loss": Curvature(),
    "xe_ndcg_loss": Curvature(),
}


class LightGBMMetric(Metric):
    """The mean of a loss as a metric of LightGBM: see `lightgbm`."""

    def __call__(
        self, y_true: Any, y_pred: Any, weight: Any = None, group: Any = None
    ) -> tuple[str, float, bool]:
        """Name, mean loss, and that less is better, of ``(y_true, y_pred)`` or of ``(y_pred,
        data)``."""
        value, _ = self._objective._mean(*self._objective._rows(y_true, y_pred, weight, group))
        return self.__name__, value, False


class LightGBMObjective(Objective):
    """A loss as an objective of LightGBM: see `lightgbm`, which makes it."""

    _maker = "lightgbm"
    _columns_are = "set num_class to the number of classes"
    _builtins = _BUILTINS

    # LightGBM counts the parameters to find out what to give.
    def __call__(
        self, y_true: Any, y_pred: Any, weight: Any = None, group: Any = None
    ) -> tuple[Array, Array]:
        """Gradient and second derivative of each score, in float32 and in Fortran's order.

        Parameters
        ----------
        y_true, y_pred : array_like
            Labels and raw scores, as scikit-learn's classes of LightGBM give them; or scores and a
            ``Dataset``, as ``lightgbm.train`` does.
        weight : array_like, optional
            One weight for each row.
        group : array_like, optional
            The sizes of groups, which losses of groups need; the others know nothing of them.

        Returns
        -------
        grad, hess : ndarray of float32
            Of the scores' shape. Their memory is used again in a later call, once nobody holds
            them any more.
        """
        scores, labels, weight = self._rows(y_true, y_pred, weight, group)
        grad = self._buffers.take(scores.shape, np.float32, "F")
        hess = self._buffers.take(scores.shape, np.float32, "F")
        self._differentiate(scores, labels, weight, grad, hess)
        return grad, hess

    @property
    def metric(self) -> LightGBMMetric:
        """The mean loss, for `feval` of ``lightgbm.train`` and `eval_metric` of the scikit-learn
        classes. It takes raw scores, which LightGBM gives if it trains with such an objective."""
        return LightGBMMetric(self)

    def init_score(self, y: ArrayLike, weight: ArrayLike | None = None) -> Array:
        """The best constant score of each row, as the `init_score` of a ``Dataset`` or of `fit`.

        LightGBM does not keep it: add ``init_score(y)[0]`` to raw predictions.

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
        >>> fl.boosting.lightgbm("l1_loss").init_score([1.0, 2.0, 6.0])
        array([2., 2., 2.])
        """
        return self._starts(y, weight)


def lightgbm(
    loss: str | Loss[...], *, hessian: str = "auto", floor: float | None = None, **options: Any
) -> LightGBMObjective:
    r"""A loss as an objective of LightGBM.

    The object is ``params["objective"]`` of ``lightgbm.train`` and the `objective` of
    ``LGBMRegressor`` and ``LGBMClassifier``; its `metric` is their `feval` and `eval_metric`, and
    its ``init_score(y)`` the constant to start from. It can be pickled and copied, so that models
    with it can be, and searched over by ``GridSearchCV``.

    Parameters
    ----------
    loss : str or Loss
        An elementwise loss, such as ``"huber_loss"``; one of class numbers, such as
        ``"cross_entropy"``, which needs `num_class`; one of grades, such as ``"ordinal_loss"``; one
        of times, such as ``"cox_ph_loss"`` and ``"aft_loss"``; or one of groups, such as
        ``"lambdarank_loss"``.
    hessian : {"auto", "exact", "constant"}, default "auto"
        What LightGBM gets as the second derivative h of each row:

        - "auto": what the built-in objective of this loss does. That is h itself of
          `binary_cross_entropy_with_logits`, `fair_loss`, `gamma_nll_loss` and `tweedie_loss`;
          h K / (K - 1) of `cross_entropy` of K classes; :math:`e^{0.7} h` of `poisson_nll_loss`;
          h / 2 of `mse_loss`, the gradient of which is halved too; 1 of `huber_loss`. Of other
          losses it is "exact", or "constant" where h is 0 (`l1_loss`, `quantile_loss`, `mape_loss`,
          `hinge_loss`, ...).
        - "exact": max(h, 1e-16).
        - "constant": 1.

        All of these times the weight of the row.
    floor : float, optional
        The least second derivative, 0 or more, in place of that above; of "constant" it is the
        second derivative. Smaller ones make longer steps.
    **options
        Options of the loss, such as ``delta=2.0``, and its operands besides scores and labels, such
        as `var` of `gaussian_nll_loss`, `dispersion` or `thresholds`. What is not one number for
        all rows is an array with one for each, and data sets of other rows raise an error.
        `reduction` is none of the options: an objective is a sum.

    Returns
    -------
    LightGBMObjective

    Raises
    ------
    TypeError
        For a loss that cannot be an objective, and an option that it does not have.
    ValueError
        For a name that is no loss, and a value that is not accepted; and in training for labels
        outside of the domain, scores of a wrong number of columns, or an option that is an array
        of another number of rows.
    IndexError
        In training, for labels that are none of the classes.

    Notes
    -----
    With the same parameters and the same start, built-in objectives grow the same trees. Those of
    l1, quantile and mape also replace each leaf by the quantile of its residuals once its tree is
    grown, which custom objectives cannot.

    LightGBM adds no start of its own to custom objectives: see `LightGBMObjective.init_score`.

    Labels of grades are numbers from 0 on; `thresholds` makes thresholds of them. Labels of times
    are the times, negative where they are right-censored, as of ``survival:cox``; neither 0 nor
    infinite; or for `aft_loss` bounds, as the options `lower` and `upper`. Labels of
    `discrete_survival_loss` are the numbers of steps from 1 on, negative where censored.

    `cox_ph_loss` is one of all rows together, whose order is found out once for each data set, and
    kept (but not pickled); ``plan=`` gives it. `strata` and `entry` are options with a number for
    each row.

    Losses of groups need those of the data set, or the option `group_sizes`. Weights are those of
    rows there too, by which derivatives are multiplied. ``lambdarank`` grows the same trees as
    `lambdarank_loss`, but for its table of the logistic function, which has five digits.
    `approx_ndcg_loss` is not convex: its second derivative is a constant.

    A loss itself cannot be an objective, as it returns a value, and takes the scores first.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> objective = fl.boosting.lightgbm("quantile_loss", q=0.9)
    >>> objective
    lightgbm('quantile_loss', q=0.9)
    >>> objective(np.array([0.0, 1.0]), np.array([1.0, 0.5]), np.array([1.0, 2.0]))
    (array([ 0.1, -1.8], dtype=float32), array([1., 2.], dtype=float32))
    """
    return LightGBMObjective(loss, hessian, floor, options)
