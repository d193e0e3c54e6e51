"""Losses as objectives of XGBoost."""

from __future__ import annotations

from math import exp
from typing import Any, Final

import numpy as np

from fusedloss import Loss
from fusedloss._core.parameters import flag
from fusedloss._core.types import Array, ArrayLike
from fusedloss._labels import Bounds
from fusedloss.boosting._objective import FLOOR, Curvature, Metric, Objective
from fusedloss.boosting._targets import TIMES

#: What reg:squarederror and the others do.
_BUILTINS: Final = {
    "mse_loss": Curvature(factor=0.5),
    "msle_loss": Curvature(factor=0.5, floor=2e-6),
    "binary_cross_entropy_with_logits": Curvature(floor=FLOOR),
    "cross_entropy": Curvature(scale=2.0, floor=FLOOR),
    "poisson_nll_loss": Curvature(scale=exp(0.7)),
    "gamma_nll_loss": Curvature(),
    "tweedie_loss": Curvature(),
    "pseudo_huber_loss": Curvature(),
    "cox_ph_loss": Curvature(),
    "lambdarank_loss": Curvature(scale=2.0),
    # 1 within the margin and next to nothing outside: half of the squared hinge's.
    "hinge_loss": Curvature(
        scale=0.5, floor=float(np.finfo(np.float32).tiny), of="squared_hinge_loss"
    ),
}


class XGBoostMetric(Metric):
    """The mean of a loss as a metric of XGBoost: see `xgboost`."""

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The mean loss of ``(y_true, y_pred)``; its name too for ``(y_pred, data)``."""
        value, _ = self._objective._mean(*self._objective._rows(y_true, y_pred, sample_weight))
        return (self.__name__, value) if hasattr(y_pred, "get_label") else value


class XGBoostObjective(Objective):
    """A loss as an objective of XGBoost: see `xgboost`, which makes it."""

    _maker = "xgboost"
    _columns_are = "set num_class to the number of classes"
    _builtins = _BUILTINS
    _weighs_groups = True

    def _rows(
        self, first: Any, second: Any, weight: Any, group: Any = None
    ) -> tuple[Array, Any, Any]:
        scores, labels, weight = super()._rows(first, second, weight, group)
        if self.kind == TIMES and hasattr(second, "get_float_info"):
            bounds = Bounds(*(second.get_float_info(f"label_{n}_bound") for n in Bounds._fields))
            if bounds.lower.size or bounds.upper.size:
                labels = bounds
        return scores, labels, weight

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> tuple[Array, Array]:
        """Gradient and second derivative of each score, in float32.

        Parameters
        ----------
        y_true, y_pred : array_like
            Labels and raw scores, as scikit-learn's classes of XGBoost give them; or scores and a
            ``DMatrix``, as ``xgboost.train`` does.
        sample_weight : array_like, optional
            One weight for each row.

        Returns
        -------
        grad, hess : ndarray of float32
            Of the scores' shape. Their memory is used again in a later call, once nobody holds
            them any more.
        """
        scores, labels, weight = self._rows(y_true, y_pred, sample_weight)
        grad = self._buffers.take(scores.shape, np.float32)
        hess = self._buffers.take(scores.shape, np.float32)
        self._differentiate(scores, labels, weight, grad, hess)
        return grad, hess

    @property
    def metric(self) -> XGBoostMetric:
        """The mean loss, for ``custom_metric`` of ``xgboost.train`` and ``eval_metric`` of the
        scikit-learn classes. It takes raw scores, which XGBoost gives if it trains with such an
        objective."""
        return XGBoostMetric(self)

    def base_score(
        self, y: ArrayLike, weight: ArrayLike | None = None, *, probability: bool = False
    ) -> Any:
        """The best constant score, to start from.

        Parameters
        ----------
        y : array_like or DMatrix
            The labels of the training data; or the data itself, with its weights. For `aft_loss`
            also a tuple of lower and upper bounds.
        weight : array_like, optional
            One weight for each row.
        probability : bool, default False
            Whether to give the probability of this score instead, as ``XGBClassifier`` of two
            classes reads its `base_score`.

        Returns
        -------
        float or ndarray
            The score; for losses of classes one for each, the logarithms of their shares, with
            the weights of rows and classes.

        Examples
        --------
        >>> import fusedloss as fl
        >>> fl.boosting.xgboost("l1_loss").base_score([1.0, 2.0, 6.0])
        2.0
        """
        if hasattr(y, "get_label"):
            _, y, weight = self._rows((), y, weight)
        start = self._start(y, weight)
        if flag("probability", probability):
            if np.ndim(start):
                raise ValueError("probability: only for scores of two classes in one column")
            return 1.0 / (1.0 + exp(-start))
        return start


def xgboost(
    loss: str | Loss[...], *, hessian: str = "auto", floor: float | None = None, **options: Any
) -> XGBoostObjective:
    r"""A loss as an objective of XGBoost.

    The object is the `obj` of ``xgboost.train`` and the `objective` of ``XGBRegressor`` and
    ``XGBClassifier``; its `metric` is their `custom_metric` and `eval_metric`, and its
    ``base_score(y)`` the constant to start from. It can be pickled and copied, so that models with
    it can be, and searched over by ``GridSearchCV``.

    Parameters
    ----------
    loss : str or Loss
        An elementwise loss, such as ``"huber_loss"``; one of class numbers, such as
        ``"cross_entropy"``, which needs `num_class`; one of grades, such as ``"ordinal_loss"``; one
        of times, such as ``"cox_ph_loss"`` and ``"aft_loss"``; or one of groups, such as
        ``"lambdarank_loss"``.
    hessian : {"auto", "exact", "constant"}, default "auto"
        What XGBoost gets as the second derivative h of each row:

        - "auto": what the built-in objective of this loss does. That is h itself of
          `gamma_nll_loss`, `tweedie_loss` and `pseudo_huber_loss`; max(h, 1e-16) of
          `binary_cross_entropy_with_logits`; max(2 h, 1e-16) of `cross_entropy`;
          :math:`e^{0.7} h` of `poisson_nll_loss`; h / 2 of `mse_loss`, and of `msle_loss`
          max(h / 2, 1e-6), the gradients of which are halved too; 1 within the margin of
          `hinge_loss`, and 1e-38 outside; h of `cox_ph_loss`; 2 h of `lambdarank_loss`. Of other
          losses it is "exact", or "constant" where h is 0 (`l1_loss`, `quantile_loss`,
          `mape_loss`, `epsilon_insensitive_loss`, ...).
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
    XGBoostObjective

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
    With the same parameters and the same start, built-in objectives grow the same trees. Three
    parameters are not the objective's to set: ``count:poisson`` also sets `max_delta_step` to 0.7,
    ``reg:tweedie`` and others start from the logarithm of their base score, and
    ``reg:absoluteerror`` and ``reg:quantileerror`` replace each leaf by the quantile of its
    residuals once its tree is grown, which custom objectives cannot.

    Labels of grades are numbers from 0 on; `thresholds` makes thresholds of them. Labels of times
    are the times, negative where they are right-censored, as of ``survival:cox``; neither 0 nor
    infinite; or for `aft_loss` bounds, `label_lower_bound` and `label_upper_bound` of the
    ``DMatrix``, or the options `lower` and `upper`. Labels of `discrete_survival_loss` are the
    numbers of steps from 1 on, negative where censored.

    `cox_ph_loss` is one of all rows together, whose order is found out once for each data set, and
    kept (but not pickled); ``plan=`` gives it. `strata` and `entry` are options with a number for
    each row. ``survival:cox`` grows the same trees where no two times are alike; at ties
    and with weights its derivatives are those of no likelihood. ``survival:aft`` does where neither
    gradient nor second derivative is above 15, at which it cuts them.

    Losses of groups need those of the data set, or the option `group_sizes`. Weights are
    those of groups there, which are divided by their mean, as ``rank:ndcg`` does.
    ``rank:ndcg`` grows the same trees as `lambdarank_loss` with ``truncation=32``, and
    ``rank:pairwise`` with ``weighting="pairwise"`` besides. `approx_ndcg_loss` is not convex: its
    second derivative is a constant.

    A loss itself cannot be `obj`, as it returns a value, and takes the scores first.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> objective = fl.boosting.xgboost("huber_loss", delta=2.0)
    >>> objective
    xgboost('huber_loss', delta=2.0)
    >>> objective(np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.5, 9.0], np.float32))
    (array([ 1. , -0.5,  2. ], dtype=float32), array([1.e+00, 1.e+00, 1.e-16], dtype=float32))
    """
    return XGBoostObjective(loss, hessian, floor, options)
