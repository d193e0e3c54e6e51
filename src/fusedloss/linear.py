"""The mean of a loss of linear scores, as optimisers take it: value, gradient, Hessian products."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from threading import Lock
from typing import Any, Final

import numpy as np

from fusedloss._core.frameworks import family
from fusedloss._core.loss import Loss
from fusedloss._core.operands import operand
from fusedloss._core.parameters import finite, flag, integer
from fusedloss._core.types import Array
from fusedloss._labels import Bounds, bounds_of
from fusedloss._named import (
    OF_SCORES,
    WEIGHT_OF_ROWS,
    Bound,
    bound,
    by_name,
    check_finite,
    row_weights,
    unwanted,
)

__all__ = ["Objective"]

#: Those of one score for each number of y, some of which have more operands.
_ELEMENTWISE: Final = OF_SCORES | {"survival"}
_OVER_CLASSES: Final = ("classification", "margins")
_REFUSED: Final = {
    "axis": "the classes are the last axis",
    "where": "leave these rows out, or give them the sample_weight 0",
    "reduction": "the objective is the mean; weights go into sample_weight",
    "return_lse": "an objective is one number",
}
#: So many numbers of X are worked on at once: a gradient reads them twice, the second time from the
#: cache.
_ROOM: Final = 1 << 18


def _options(loss: Bound, weight: Array | None, outputs: int | None) -> dict[str, Any]:
    """The options of a call, with the weights of its rows."""
    options = dict(loss.options)
    if family(loss.loss) in _OVER_CLASSES:
        options["axis"] = -1
        options["sample_weight"] = weight
    elif weight is not None:
        options["weight"] = weight if outputs is None else weight[:, np.newaxis]
    return options


class _Piece:
    """A part of the rows, with its scores at one point. `room` is for what is made of them."""

    def __init__(
        self,
        loss: Bound,
        X: Any,
        operands: dict[str, Array],
        weight: Array | None,
        outputs: int | None,
        room: tuple[Array, Array],
    ) -> None:
        self.X, self.operands, self.loss = X, operands, loss.loss
        self.others = unwanted(loss.loss, loss.options)
        self.options = _options(loss, weight, outputs)
        rows = X.shape[0]
        self.scores: Array = np.zeros((rows,) if outputs is None else (rows, outputs), X.dtype)
        self.slopes, self.directions = (array[:rows] for array in room)

    def _call(self, method: Callable[..., Any], **more: Any) -> Any:
        return method(self.scores, reduction="sum", **self.operands, **self.options, **more)

    def look_at(self, weights: Array, intercepts: Any) -> None:
        """Compute the scores at a point."""
        self._product(weights, intercepts, self.scores)

    def value(self) -> float:
        return float(self._call(self.loss))

    def value_and_grad(self, to: Array, to_intercepts: Any) -> float:
        """Add the gradient of the sum to `to`; returns the sum."""
        to_scores = (self.slopes, *self.others) if self.others else self.slopes
        value, _ = self._call(self.loss.value_and_grad, grad_out=to_scores)
        self._add_gradient(to, to_intercepts)
        return float(value)

    def hessp(self, weights: Array, intercepts: Any, to: Array, to_intercepts: Any) -> None:
        """Add the product of the Hessian and a direction, given as weights and intercepts."""
        self._product(weights, intercepts, self.directions)
        self._call(self.loss.hvp, v=self.directions, hvp_out=self.slopes)
        self._add_gradient(to, to_intercepts)

    def _product(self, weights: Array, intercepts: Any, out: Array) -> None:
        """X times the weights, and the intercepts."""
        turned = weights.astype(self.X.dtype, copy=False).T
        if isinstance(self.X, np.ndarray):
            np.matmul(self.X, turned, out=out)
        else:
            np.copyto(out, self.X @ np.ascontiguousarray(turned))
        if intercepts is not None:
            out += intercepts.astype(out.dtype, copy=False)

    def _add_gradient(self, to: Array, to_intercepts: Any) -> None:
        if isinstance(self.X, np.ndarray):
            to += self.slopes.T @ self.X
        else:
            to += (self.X.T @ self.slopes).T
        if to_intercepts is not None:
            to_intercepts += self.slopes.sum(0, dtype=np.float64)

    def hess(self, to: Array, fit_intercept: bool) -> None:
        """Add the Hessian of the sum to `to`: [k, i, l, j] is for weight i of output k and weight j
        of output l, and the last weight of each is the intercept, if there are any. Only what has k
        up to l is computed."""
        outputs = to.shape[0]
        for k in range(outputs):
            unit: Any = 1.0
            if self.scores.ndim > 1:
                unit = np.zeros(outputs)
                unit[k] = 1
            self._call(self.loss.hvp, v=unit, hvp_out=self.slopes)
            column = self.slopes.reshape(len(self.slopes), outputs)
            for other in range(k, outputs):
                curvatures = np.ascontiguousarray(column[:, other])
                if curvatures.any():
                    self._add_gram(curvatures, to[k, :, other], fit_intercept)

    def _add_gram(self, curvatures: Array, to: Array, fit_intercept: bool) -> None:
        features = self.X.shape[1]
        if curvatures.min() >= 0:  # of one array, which BLAS computes at half the cost
            scaled = self.X * np.sqrt(curvatures)[:, np.newaxis]
            to[:features, :features] += scaled.T @ scaled
        else:
            to[:features, :features] += self.X.T @ (self.X * curvatures[:, np.newaxis])
        if fit_intercept:
            sums = curvatures @ self.X
            to[features, :features] += sums
            to[:features, features] += sums
            to[features, features] += curvatures.sum(dtype=np.float64)


class Objective:
    r"""The mean of a loss of linear scores, with an L2 penalty: what linear models minimise.

    With the weights :math:`w_i` of the rows, the scores :math:`\eta = X W^T + b` and a loss l:

    .. math:: \frac{\sum_i w_i\, l(\eta_i, y_i)}{\sum_i w_i} + \frac{\lambda}{2} \lVert W \rVert^2

    An optimiser gets it as `value_and_grad` with ``jac=True``, and `hessp` or `hess`; with few
    columns `newton` minimises it without one. Scores are kept from one call to the next with the
    same coefficients: a trust-region method asks for many Hessian products at one point. Threads
    may share an objective; their calls wait for each other.

    Parameters
    ----------
    loss : Loss, Criterion or str
        An elementwise loss, which gets a score for each row (with a two-dimensional `y`, a score
        for each of its columns), a loss of grades, `aft_loss`, or a loss over a class axis, which
        gets a score for each class. Losses of means, such as `poisson_nll_loss`, take their
        logarithms by default.
    X : array_like or sparse array of shape (n, D)
        Dense in C or F order, or scipy.sparse in the format csr or csc. float32 and float64 are
        read in place, other real dtypes are converted to float64 once. With float32 the scores
        are float32, the losses are computed and added up in float64.
    y : array_like of shape (n,) or (n, K)
        The loss's target. Class numbers from 0 on; -1 and 1, or booleans, for margin losses. For
        `aft_loss` times, negative where they are right-censored, or a tuple of lower and upper
        bounds.
    fit_intercept : bool
        Whether the scores have intercepts b, which `l2` leaves out.
    l2 : float
        λ, 0 or more.
    sample_weight : array_like of shape (n,), optional
        Weights of the rows.
    n_outputs : int, optional
        The number of classes, where `y` does not name the last one.
    **options
        Those of the loss, but for `axis`, `where`, `reduction` and, of an elementwise loss,
        `weight`; and its operands besides scores and targets, such as `var` of `gaussian_nll_loss`,
        `dispersion` or `thresholds`, which are held fixed: a number, or one for each row.

    Attributes
    ----------
    n_coef : int
        The length of `coef`.
    n_features, n_outputs : int
        D and K; K is None for one score for each row.

    Raises
    ------
    TypeError, ValueError, IndexError
        If the shapes do not fit, a dtype or format is not accepted, `y` is out of the loss's
        domain, nan or infinite, or the loss has an option of another name or range.

    Notes
    -----
    The coefficients `coef` are one flat array: W of shape (D,), or (K, D) in C order, and after it
    the intercepts, one or K. `split` takes it apart.

    The mean is that of ``reduction="weighted_mean"``: weights of classes count in its divisor, rows
    with `ignore_index` do not, and several columns of `y` do.

    scikit-learn's ``LogisticRegression(C=C)`` has ``l2 = 1 / (C * sum of the weights)``, with
    `cross_entropy`, or for two classes `binary_cross_entropy_with_logits`; ``PoissonRegressor`` and
    ``TweedieRegressor(alpha)`` have ``l2 = alpha``; ``Ridge(alpha)`` has `mse_loss` with
    ``l2 = 2 * alpha / n``.

    Examples
    --------
    >>> import numpy as np
    >>> import fusedloss as fl
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> objective = fl.linear.Objective("huber_loss", X, [1.0, 3.0, 5.0, 70.0], delta=1.0)
    >>> value, grad = objective.value_and_grad(np.array([2.0, 1.0]))
    >>> float(value), grad
    (15.625, array([-0.75, -0.25]))
    >>> objective.hessp([2.0, 1.0], [1.0, 0.0])
    array([1.25, 0.75])
    >>> objective.predict([2.0, 1.0], X)
    array([1., 3., 5., 7.])
    """

    def __init__(
        self,
        loss: Any,
        X: Any,
        y: Any,
        *,
        fit_intercept: bool = True,
        l2: float = 0.0,
        sample_weight: Any = None,
        n_outputs: int | None = None,
        **options: Any,
    ) -> None:
        self.fit_intercept = flag("fit_intercept", fit_intercept)
        self.l2 = finite("l2", l2, 0.0)
        found, more = _bound(loss, options)
        X = _features(X)
        targets, outputs = _targets(found, y, X.shape[0], n_outputs)
        operands = targets | _of_rows(more, next(iter(targets.values())).shape)
        weight = None if sample_weight is None else row_weights(sample_weight, X.shape[0])
        self.loss = found.loss
        self.options = found.options | more
        self.n_features: int = X.shape[1]
        self.n_outputs = outputs
        self.n_coef: int = (outputs or 1) * (self.n_features + self.fit_intercept)
        if X.dtype == np.float32:  # the losses are computed in float64 then
            weight = np.ones(1) if weight is None else weight.astype(np.float64, copy=False)
            weight = np.broadcast_to(weight, (X.shape[0],))
        #: What the mean divides by: the sum of the weights, of rows and of classes.
        self._divisor = _divisor(found, X, operands, weight, outputs)
        parts = _parts(X)
        shape = (parts[0].stop, *(() if outputs is None else (outputs,)))
        room = np.empty(shape, X.dtype), np.empty(shape, X.dtype)
        self._pieces = [
            _Piece(
                found,
                X if len(parts) == 1 else X[part],
                {name: _part(name, array, part) for name, array in operands.items()},
                None if weight is None else weight[part],
                outputs,
                room,
            )
            for part in parts
        ]
        self._coef: Array | None = None  # where the scores have been computed
        self._lock = Lock()  # of the scores, and the memory that the pieces share

    def start(self) -> Array:
        """Coefficients to start from: zeros."""
        return np.zeros(self.n_coef)

    def split(self, coef: Any) -> tuple[Array, Any]:
        """The weights, of shape (D,) or (K, D), and the intercept, or intercepts of shape (K,);
        without intercepts 0. Views of `coef`, where that is an array of float64."""
        weights, intercepts = self._split(self._checked("coef", coef))
        if intercepts is None:
            return weights, 0.0 if self.n_outputs is None else np.zeros(self.n_outputs)
        return weights, intercepts

    def predict(self, coef: Any, X: Any) -> Array:
        """The scores of other rows: of shape (m,), or (m, K). They are what the loss takes: logits,
        logarithms of means."""
        X = _features(X)
        if X.shape[1] != self.n_features:
            raise ValueError(f"X: {self.n_features} columns are needed, got {X.shape[1]}")
        weights, intercepts = self.split(coef)
        scores: Array = np.asarray(X @ np.ascontiguousarray(weights.T)) + intercepts
        return scores

    def value(self, coef: Any) -> float:
        """The objective."""
        coef = self._checked("coef", coef)
        total = self._sum(coef, _Piece.value)
        return self._mean(total, coef)

    def value_and_grad(self, coef: Any) -> tuple[float, Array]:
        """The objective and its gradient, an array like `coef`."""
        coef = self._checked("coef", coef)
        grad = np.zeros(self.n_coef)
        to = self._split(grad)
        total = self._sum(coef, lambda piece: piece.value_and_grad(*to))
        self._finish(grad, coef)
        return self._mean(total, coef), grad

    def grad(self, coef: Any) -> Array:
        """The gradient alone."""
        return self.value_and_grad(coef)[1]

    def hessp(self, coef: Any, v: Any) -> Array:
        """The Hessian at `coef` times `v`, without the Hessian.

        Raises NotImplementedError for a loss without `hvp`.
        """
        coef, v = self._checked("coef", coef), self._checked("v", v)
        product = np.zeros(self.n_coef)
        parts = *self._split(v), *self._split(product)
        self._sum(coef, lambda piece: piece.hessp(*parts))
        self._finish(product, v)
        return product

    def hess(self, coef: Any) -> Array:
        """The Hessian, of shape (n_coef, n_coef), for a dense X with few columns.

        Raises NotImplementedError for a sparse X, or a loss without `hvp`.
        """
        coef = self._checked("coef", coef)
        if not all(isinstance(piece.X, np.ndarray) for piece in self._pieces):
            raise NotImplementedError("X: hess takes dense arrays; hessp takes sparse ones, too")
        outputs, features = self.n_outputs or 1, self.n_features
        inner = features + self.fit_intercept
        blocks = np.zeros((outputs, inner, outputs, inner))
        self._sum(coef, lambda piece: piece.hess(blocks, self.fit_intercept))
        for k in range(outputs):
            for other in range(k):
                blocks[k, :, other] = blocks[other, :, k].T
        hess: Array = blocks.reshape(self.n_coef, self.n_coef)
        if outputs > 1:  # the intercepts go behind all weights
            order = np.arange(outputs * inner).reshape(outputs, inner)
            order = np.concatenate([order[:, :features].ravel(), order[:, features:].ravel()])
            hess = hess[np.ix_(order, order)]
        hess *= 1 / self._divisor if self._divisor else 0.0
        hess[np.arange(outputs * features), np.arange(outputs * features)] += self.l2
        return hess

    def newton(self, coef: Any = None, *, gtol: float = 1e-8, maxiter: int = 100) -> Array:
        """Minimise by Newton's method: the coefficients.

        The method for a dense X of few columns: each step takes `hess`, solves its equations, and
        is halved until the objective falls as it should. For many columns or classes, or a sparse
        X, `scipy.optimize.minimize` with `hessp` is better.

        Parameters
        ----------
        coef : array_like, optional
            Where to start; `start` by default.
        gtol : float
            The largest component of the gradient to end with.
        maxiter : int
            So many steps at most. If that is not enough, or no step helps, a RuntimeWarning says
            so, and the coefficients are those of the last step.
        """
        gtol, maxiter = finite("gtol", gtol, 0.0), integer("maxiter", maxiter)
        at: Array = self.start() if coef is None else self._checked("coef", coef)
        value, grad = self.value_and_grad(at)
        for _ in range(maxiter):
            if np.abs(grad).max(initial=0.0) <= gtol:
                return at
            step = _newton_step(self.hess(at), grad)
            slope, share = grad @ step, 1.0
            while share > 1e-10:
                tried = at + share * step
                with np.errstate(all="ignore"):  # a step may go too far
                    new_value, new_grad = self.value_and_grad(tried)
                # At the optimum a fall is less than a rounding error.
                if new_value <= value + 1e-4 * share * slope + 1e-15 * abs(value):
                    break
                share /= 2
            else:
                break
            at, value, grad = tried, new_value, new_grad
        if not np.abs(grad).max(initial=0.0) <= gtol:
            warnings.warn(
                f"newton: the largest component of the gradient is {np.abs(grad).max():.3g}, "
                f"above gtol, {gtol:g}",
                RuntimeWarning,
                stacklevel=2,
            )
        return at

    def __repr__(self) -> str:
        parts = [f"{name}={value!r}" for name, value in self.options.items()]
        rows = sum(piece.X.shape[0] for piece in self._pieces)
        return (
            f"Objective({', '.join([self.loss.__name__, *parts])}; {rows} rows, "
            f"{self.n_coef} coefficients, l2={self.l2:g})"
        )

    # ---- coefficients and sums -----------------------------------------------------

    def _checked(self, name: str, coef: Any) -> Array:
        array = np.asarray(operand(name, coef)[0], np.float64)
        if array.shape != (self.n_coef,):
            raise ValueError(f"{name}: shape ({self.n_coef},) is needed, got {array.shape}")
        return array

    def _split(self, coef: Array) -> tuple[Array, Any]:
        """Views of the weights and of the intercepts; None where there are none. One intercept is
        an array without dimensions."""
        count = (self.n_outputs or 1) * self.n_features
        weights, intercepts = coef[:count], coef[count:]
        if self.n_outputs is not None:
            weights = weights.reshape(self.n_outputs, self.n_features)
        elif self.fit_intercept:
            intercepts = intercepts.reshape(())
        return weights, intercepts if self.fit_intercept else None

    def _sum(self, coef: Array, function: Callable[[_Piece], float | None]) -> float:
        """The sum of what a function makes of each piece, whose scores are those of `coef`."""
        with self._lock:
            known = self._coef is not None and np.array_equal(self._coef, coef)
            if not known:
                self._coef = None  # in case this is interrupted
            weights, intercepts = self._split(coef)
            total = 0.0
            for piece in self._pieces:
                if not known:
                    piece.look_at(weights, intercepts)
                total += function(piece) or 0.0
            if not known:
                self._coef = coef.copy()
            return total

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=Lock())

    def _penalised(self, array: Array) -> Array:
        """The part that the penalty is on."""
        return array[: (self.n_outputs or 1) * self.n_features]

    def _mean(self, total: float, coef: Array) -> float:
        weights = self._penalised(coef)
        mean = total / self._divisor if self._divisor else 0.0
        return float(mean + 0.5 * self.l2 * (weights @ weights))

    def _finish(self, sums: Array, of: Array) -> None:
        """Make a derivative of a sum that of the objective."""
        sums *= 1 / self._divisor if self._divisor else 0.0
        if self.l2:
            weights = self._penalised(sums)
            weights += self.l2 * self._penalised(of)


def _newton_step(hess: Array, grad: Array) -> Array:
    """The step to the least of a parabola; of one that bends down, with as much added to its
    diagonal as it takes. The shared intercept of a softmax does not bend at all."""
    size = float(np.abs(np.diagonal(hess)).max(initial=0.0)) or 1.0
    diagonal = np.arange(len(hess))
    added, more = 0.0, 1e-12 * size
    while True:
        hess[diagonal, diagonal] += more - added
        added = more
        try:
            np.linalg.cholesky(hess)
            break
        except np.linalg.LinAlgError:
            if not np.isfinite(hess).all():
                return -grad / size
            more *= 100
    step: Array = np.linalg.solve(hess, -grad)
    return step


def _bound(loss: Any, options: dict[str, Any]) -> tuple[Bound, dict[str, Array]]:
    """The loss, if it is one of linear scores, and its operands besides scores and targets."""
    plain = by_name(loss) if isinstance(loss, str) else getattr(loss, "loss", loss)
    names = plain._operands[1:] if isinstance(plain, Loss) else ()
    names = tuple(name for name in names if name not in ("target", "lower", "upper"))
    more = {name: operand(name, options[name])[0] for name in names if name in options}
    found = bound(loss, {n: v for n, v in options.items() if n not in more}, refused=_REFUSED)
    kind, operands = family(found.loss), found.loss._operands
    fits = operands[:1] == ("input",) and "sample_weight" not in found.loss._options
    fits = fits and ("upper" in operands or "target" in operands)
    if not (kind in _ELEMENTWISE and fits) and not (kind in _OVER_CLASSES and len(operands) == 2):
        raise ValueError(
            f"loss: {found.loss.__name__} is no loss of scores; accepted are elementwise losses, "
            "and those over a class axis of classification and margins"
        )
    for name in names:
        if name not in more:
            raise TypeError(
                f"{name}: {found.loss.__name__} needs it besides scores and targets; give it as an "
                f"option, {name}=..."
            )
    if kind in _ELEMENTWISE:
        bound(found.loss, found.options, refused=WEIGHT_OF_ROWS)
    return found, more


def _of_rows(operands: dict[str, Array], shape: tuple[int, ...]) -> dict[str, Array]:
    """Operands that are options, for targets of this shape."""
    result = {}
    for name, array in operands.items():
        if array.ndim and array.shape != shape and name != "thresholds":
            if array.shape != shape[:1]:
                raise ValueError(
                    f"{name}: a number, or one for each of {shape[0]} rows, is needed, got shape "
                    f"{array.shape}"
                )
            array = array[:, np.newaxis]
        result[name] = array
    return result


def _part(name: str, array: Array, part: slice) -> Array:
    """The rows of an operand, if it has them."""
    return array[part] if array.ndim and name != "thresholds" else array


def _features(X: Any) -> Any:
    """X as it can be multiplied with float32 or float64."""
    if hasattr(X, "tocsr"):  # of scipy.sparse, whose classes need not be imported for that
        if X.format not in ("csr", "csc"):
            raise TypeError(
                f"X: the sparse format {X.format} is not accepted; it must be csr or csc: X.tocsr()"
            )
        if X.dtype.kind not in "biuf":
            raise TypeError(f"X: dtype {X.dtype} is not accepted; it must be real")
    else:
        X = operand("X", X)[0]
    if X.ndim != 2:
        raise ValueError(f"X: two dimensions are needed, rows and columns; got shape {X.shape}")
    if X.dtype not in (np.float32, np.float64) or not X.dtype.isnative:
        X = X.astype(np.float64)
    return X


def _targets(
    found: Bound, y: Any, rows: int, outputs: int | None
) -> tuple[dict[str, Array], int | None]:
    """What y is to the loss, and the number of scores of a row; None for one."""
    if outputs is not None:
        outputs = integer("n_outputs", outputs)
    if "lower" in found.loss._operands:
        y = Bounds(*y) if isinstance(y, tuple) and len(y) == 2 else y
        bounds: Bounds = _said_of_y(lambda: bounds_of(y, (rows,), found.loss.__name__))
        return bounds._asdict(), None
    array: Array = operand("y", y)[0]
    if array.ndim not in (1, 2) or array.shape[0] != rows:
        raise ValueError(
            f"y: shape ({rows},) or ({rows}, K) is needed, as X has {rows} rows; got {array.shape}"
        )
    if array.ndim == 2:
        columns = array.shape[1]
    elif family(found.loss) in _ELEMENTWISE:
        if outputs is not None:
            raise ValueError("n_outputs: a y of one dimension has one score for each row")
        return {"target": array}, None
    elif array.dtype.kind not in "biu":
        raise TypeError(
            f"y: class numbers of an integer dtype are needed for {found.loss.__name__}, or a "
            f"column for each class; got dtype {array.dtype}"
        )
    else:
        columns = max(2, int(array.max(initial=0)) + 1) if outputs is None else outputs
    if outputs is not None and (outputs != columns or outputs < 1):
        raise ValueError(f"n_outputs: {columns} is needed for this y, got {outputs}")
    return {"target": array}, columns


def _parts(X: Any) -> list[slice]:
    """The rows in parts. A sparse array is one."""
    rows, columns = X.shape
    step = max(1, rows) if hasattr(X, "tocsr") else max(256, _ROOM // max(1, columns))
    return [slice(k, min(k + step, rows)) for k in range(0, max(1, rows), step)]


def _said_of_y(function: Callable[[], Any]) -> Any:
    """The result of a function, whose errors about targets are about y."""
    try:
        return function()
    except (TypeError, ValueError, IndexError) as error:
        name, colon, text = str(error).partition(":")
        if not colon or name not in ("target", "labels"):
            raise
        raise type(error)(f"y:{text}") from None


def _divisor(
    found: Bound, X: Any, operands: dict[str, Array], weight: Array | None, outputs: int | None
) -> float:
    """What the mean divides by. The call checks y, and the options with the operands."""
    shape = (X.shape[0],) if outputs is None else (X.shape[0], outputs)
    scores = np.broadcast_to(np.zeros((), X.dtype), shape)
    options = {**operands, **_options(found, weight, outputs)}
    value, divisor = _said_of_y(
        lambda: found.loss(scores, reduction="weighted_mean", return_divisor=True, **options)
    )
    if not np.isfinite(value):
        more = ", or give them the weight 0"
        check_finite(more, y=operands.get("target"), sample_weight=weight)
    return float(divisor)
