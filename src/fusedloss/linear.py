"""The mean of a loss of linear scores, as optimisers take it: value, gradient, Hessian products."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from fusedloss._core.operands import operand
from fusedloss._core.parameters import finite, flag, integer
from fusedloss._core.types import Array
from fusedloss._linear_blocks import (
    Block,
    Point,
    Room,
    Sums,
    added_up,
    is_sparse,
    rows_of_block,
    split_coef,
)
from fusedloss._linear_rows import (
    Asked,
    Chunks,
    bound_to_scores,
    chunks_of,
    counted,
    features_of,
    rows_of,
    sums_of_chunk,
)

__all__ = ["Objective"]


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
    X : array_like or sparse array of shape (n, D), or chunks
        Dense in C or F order, or scipy.sparse in the format csr or csc. float32 and float64 are
        read in place, other real dtypes are converted to float64 once. With float32 the scores
        are float32, the losses are computed and added up in float64. An array may be memory-mapped,
        or one of Dask. Without `y`: chunks of rows, see below.
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
    map : callable, optional
        For chunks that are worked on apart, such as ``executor.map``: called as ``map(function,
        chunks)``, it returns the results in any order, each once. Each chunk then begins at a
        multiple of `block_rows`; one that other processes get may be a function that makes it
        there.
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
    block_rows : int
        The number of rows in a block: a power of two, which depends on D alone.

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

    Chunks are a list of ``(X, y)`` or ``(X, y, sample_weight)``, any other object that can be
    iterated over as often as it takes, or a function that makes an iterator for each pass. Such a
    tuple may be made by a function of its own, too. Before the first pass they are gone through
    twice, for the shapes, the classes and the weights. Then each call is one pass, which holds a
    block of rows and some vectors of coefficients, but no scores. `hess` and `newton` take one
    array.

    Rows are worked on in blocks, by their number among all rows, and what is added up of the blocks
    does not depend on their order. So a result has the same bits however the rows are cut into
    chunks, in whichever order or process these are worked on, and for any number of threads. Only
    with several scores and more than 1024 coefficients the order of sums is that of NumPy's BLAS,
    which may depend on its threads: then give all processes the same number of these.

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
        y: Any = None,
        *,
        fit_intercept: bool = True,
        l2: float = 0.0,
        sample_weight: Any = None,
        n_outputs: int | None = None,
        map: Callable[..., Iterable[Any]] | None = None,
        **options: Any,
    ) -> None:
        self.fit_intercept = flag("fit_intercept", fit_intercept)
        self.l2 = finite("l2", l2, 0.0)
        found, more = bound_to_scores(loss, options)
        self.loss = found.loss
        self.options = found.options | more
        self._found = found
        if y is not None and hasattr(X, "dask"):
            X, y, sample_weight = chunks_of(X, y, sample_weight), None, None
        if map is not None and not callable(map):
            raise TypeError(f"map: a function is needed, got {type(map).__name__}")
        if y is None:
            if sample_weight is not None:
                raise TypeError("sample_weight: with chunks it is in these, (X, y, sample_weight)")
            self._chunks: Chunks | None = Chunks(X, found, more, n_outputs, map is not None)
            self.n_features, self.n_outputs = self._chunks.n_features, self._chunks.n_outputs
            self._divisor = self._chunks.divisor
            self._count, self._blocks = self._chunks.rows, []
            self.block_rows: int = self._chunks.block_rows
        elif map is not None:
            raise TypeError("map: it is for chunks, without y")
        else:
            self._chunks = None
            rows, self.n_outputs = rows_of(found, more, X, y, sample_weight, n_outputs)
            self.n_features = rows.X.shape[1]
            #: What the mean divides by: the sum of the weights, of rows and of classes.
            self._divisor = float(counted(found, rows, self.n_outputs, 0))
            self._count = rows.X.shape[0]
            self.block_rows = rows_of_block(rows.X)
            parts = _parts(rows.X)
            room = Room(parts[0].stop, self.n_outputs, rows.X.dtype, True)
            self._blocks = [
                Block(
                    found,
                    rows.part(part.start, part.stop) if len(parts) > 1 else rows,
                    self.n_outputs,
                    room.with_scores(part.stop - part.start),
                )
                for part in parts
            ]
        self.n_coef: int = (self.n_outputs or 1) * (self.n_features + self.fit_intercept)
        self._map = map
        self._coef: Array | None = None  # where the scores have been computed
        self._lock = Lock()  # of the scores, and the memory that the blocks share

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
        X = features_of(X)
        if X.shape[1] != self.n_features:
            raise ValueError(f"X: {self.n_features} columns are needed, got {X.shape[1]}")
        weights, intercepts = self.split(coef)
        scores: Array = np.asarray(X @ np.ascontiguousarray(weights.T)) + intercepts
        return scores

    def value(self, coef: Any) -> float:
        """The objective."""
        coef = self._checked("coef", coef)
        return self._mean(self._sums("value", coef).value(), coef)

    def value_and_grad(self, coef: Any) -> tuple[float, Array]:
        """The objective and its gradient, an array like `coef`."""
        coef = self._checked("coef", coef)
        sums = self._sums("grad", coef)
        grad = sums.rounded()
        self._finish(grad, coef)
        return self._mean(sums.value(), coef), grad

    def grad(self, coef: Any) -> Array:
        """The gradient alone."""
        return self.value_and_grad(coef)[1]

    def hessp(self, coef: Any, v: Any) -> Array:
        """The Hessian at `coef` times `v`, without the Hessian.

        Raises NotImplementedError for a loss without `hvp`.
        """
        coef, v = self._checked("coef", coef), self._checked("v", v)
        product = self._sums("hessp", coef, v).rounded()
        self._finish(product, v)
        return product

    def hess(self, coef: Any) -> Array:
        """The Hessian, of shape (n_coef, n_coef), for a dense X with few columns.

        Raises NotImplementedError for a sparse X, or a loss without `hvp`.
        """
        coef = self._checked("coef", coef)
        if self._chunks is not None:
            raise NotImplementedError("chunks: hess takes one array; hessp takes chunks, too")
        if not all(isinstance(block.X, np.ndarray) for block in self._blocks):
            raise NotImplementedError("X: hess takes dense arrays; hessp takes sparse ones, too")
        outputs, features = self.n_outputs or 1, self.n_features
        inner = features + self.fit_intercept
        blocks = np.zeros((outputs, inner, outputs, inner))
        with self._lock:
            for block in self._at(coef):
                block.hess(blocks, self.fit_intercept)
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
        return (
            f"Objective({', '.join([self.loss.__name__, *parts])}; {self._count} rows, "
            f"{self.n_coef} coefficients, l2={self.l2:g})"
        )

    # ---- coefficients and sums -----------------------------------------------------

    def _checked(self, name: str, coef: Any) -> Array:
        array = np.asarray(operand(name, coef)[0], np.float64)
        if array.shape != (self.n_coef,):
            raise ValueError(f"{name}: shape ({self.n_coef},) is needed, got {array.shape}")
        return array

    def _split(self, coef: Array) -> tuple[Array, Any]:
        return split_coef(coef, self.n_outputs, self.n_features, self.fit_intercept)

    def _sums(self, what: str, coef: Array, v: Array | None = None) -> Sums:
        """What is added up over all rows: the values; with "grad" gradients too; with "hessp" the
        products of the Hessian and v alone."""
        if self._chunks is not None:
            given = self._chunks.task(), self.fit_intercept, what, coef, v
            total = self._sums_apart(self._chunks, given)
            if total is not None:
                self._chunks.check_count(total.rows)  # a chunk may be lost, or come twice
                return total
        with self._lock:
            return added_up(self._at(coef), what, self._split, self.n_coef, v)

    def _sums_apart(self, chunks: Chunks, given: Asked) -> Sums | None:
        """The same of chunks that are worked on apart; None if they come in order."""
        if self._map is None:
            return None
        total = Sums()
        for sums in self._map(partial(sums_of_chunk, given), chunks.source()):
            total.merge(sums)
        return total

    def _at(self, coef: Array) -> Iterator[Block]:
        """The blocks, with their scores."""
        point = Point(*self._split(coef))
        if self._chunks is not None:
            for block in self._chunks.blocks():
                block.look_at(point)
                yield block
            return
        known = self._coef is not None and np.array_equal(self._coef, coef)
        if not known:
            self._coef = None  # in case this is interrupted
        for block in self._blocks:
            if not known:
                block.look_at(point)
            yield block
        if not known:
            self._coef = coef.copy()

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


def _parts(X: Any) -> list[slice]:
    """The rows in blocks. Those of a sparse array that is held by columns are one."""
    rows = X.shape[0]
    step = max(1, rows) if is_sparse(X) and X.format != "csr" else rows_of_block(X)
    return [slice(k, min(k + step, rows)) for k in range(0, max(1, rows), step)]
