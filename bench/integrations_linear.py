"""Linear models: SciPy's optimisers on `fusedloss.linear.Objective` beside scikit-learn's solvers.

Prints, for each problem, the CPU time of the fastest optimiser here and of the fastest solver
there, all run in turns on one thread, and how far both are from the optimum. Needs scikit-learn
and SciPy:

    PYTHONPATH=src:. python -m bench.integrations_linear [digits dense sparse]
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sparse
from scipy.optimize import minimize
from sklearn.datasets import load_digits
from sklearn.linear_model import (
    HuberRegressor,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from threadpoolctl import threadpool_limits

import fusedloss as fl

Array = np.ndarray[Any, Any]
TURNS = 3
SLOW = 20.0  # seconds after which a solver has no more turns
RIGHT = 1e-6  # distance of coefficients from the optimum
#: Of scikit-learn's solvers, tightened until the coefficients are right.
TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)


class Problem(NamedTuple):
    name: str
    objective: Callable[[], Any]
    #: By solver, a function of a tolerance to coefficients.
    solvers: dict[str, Callable[[float], Array]]


def lbfgs(objective: Any, tolerance: float) -> Array:
    result = minimize(
        objective.value_and_grad,
        objective.start(),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": tolerance, "ftol": 0, "maxiter": 3000},
    )
    return result.x


def trust_region(objective: Any, tolerance: float) -> Array:
    result = minimize(
        objective.value_and_grad,
        objective.start(),
        jac=True,
        hessp=objective.hessp,
        method="trust-ncg",
        options={"gtol": tolerance, "initial_trust_radius": 10.0, "max_trust_radius": 1e4},
    )
    return result.x


OPTIMISERS = {
    "L-BFGS-B": lbfgs,
    "trust-ncg": trust_region,
    "newton": lambda objective, tolerance: objective.newton(gtol=tolerance),
}


def flat(model: Any, centred: bool = False) -> Array:
    """Coefficients of a fitted model as one array."""
    return np.concatenate([np.ravel(model.coef_), np.ravel(model.intercept_)])


def centred(coef: Array, objective: Any) -> Array:
    """The intercepts of a softmax are determined but for a number that they share."""
    if objective.n_outputs is None:
        return coef
    coef = coef.copy()
    coef[-objective.n_outputs :] -= coef[-objective.n_outputs :].mean()
    return coef


def solvers(make: Callable[..., Any], names: tuple[str, ...], X: Any, y: Any) -> Any:
    def solver(name: str) -> Callable[[float], Array]:
        return lambda tol: flat(make(solver=name, tol=tol, max_iter=5000).fit(X, y))

    return {name: solver(name) for name in names}


def huber(X: Any, y: Any) -> Any:
    return {"": lambda tol: flat(HuberRegressor(alpha=1e-3, tol=tol, max_iter=5000).fit(X, y))}


def problems(which: str, X: Any, targets: dict[str, Array]) -> Iterator[Problem]:
    n = X.shape[0]
    objective = fl.linear.Objective
    second = (
        ("lbfgs", "newton-cg") if sparse.issparse(X) else ("lbfgs", "newton-cholesky", "newton-cg")
    )
    glm = ("lbfgs",) if sparse.issparse(X) else ("lbfgs", "newton-cholesky")
    logistic: Any = LogisticRegression
    y = targets["two"]
    yield Problem(
        f"{which}: logistic",
        lambda y=y: objective("binary_cross_entropy_with_logits", X, y, l2=1 / n),
        solvers(logistic, second, X, y),
    )
    y = targets["classes"]
    yield Problem(
        f"{which}: softmax, {int(y.max()) + 1} classes",
        lambda y=y: objective("cross_entropy", X, y, l2=1 / n),
        solvers(logistic, second, X, y),
    )
    y = targets["counts"]
    yield Problem(
        f"{which}: Poisson",
        lambda y=y: objective("poisson_nll_loss", X, y, l2=1e-3),
        solvers(lambda **k: PoissonRegressor(alpha=1e-3, **k), glm, X, y),
    )
    yield Problem(
        f"{which}: Tweedie, power 1.5",
        lambda y=y: objective("tweedie_loss", X, y, l2=1e-3, power=1.5),
        solvers(lambda **k: TweedieRegressor(power=1.5, alpha=1e-3, **k), glm, X, y),
    )
    y = targets["numbers"]
    # HuberRegressor fits the scale, too. It is found once, and given to the objective.
    scale = HuberRegressor(alpha=1e-3, tol=1e-10, max_iter=5000).fit(X, y).scale_
    yield Problem(
        f"{which}: Huber, its scale given",
        lambda y=y: objective("huber_loss", X, y, l2=1e-3 * scale / n, delta=1.35 * scale),
        huber(X, y),
    )


def data(which: str) -> tuple[Any, dict[str, Array]]:
    rng = np.random.default_rng(0)
    if which == "digits":
        X, y = load_digits(return_X_y=True)
        noisy = y + rng.standard_t(2, len(y))
        return X / 16, {"two": y < 5, "classes": y, "counts": y.astype(float), "numbers": noisy}
    n = 100_000
    X: Any
    if which == "dense":
        X = rng.normal(size=(n, 50))
        scores = X @ rng.normal(size=(50, 5)) * 0.2
    else:
        X = sparse.random_array((n, 10_000), density=2e-3, format="csr", rng=rng)
        scores = X @ rng.normal(size=(10_000, 5))
    noise = rng.gumbel(size=scores.shape)
    return X, {
        "two": rng.random(n) < 1 / (1 + np.exp(-scores[:, 0])),
        "classes": np.argmax(scores + noise, axis=1),
        "counts": rng.poisson(np.exp(0.5 * scores[:, 0])).astype(float),
        "numbers": scores[:, 0] + rng.standard_t(2, n),
    }


def timed(function: Callable[[], Array]) -> tuple[float, Array]:
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def first_right(
    solve: Callable[[float], Array], tolerances: tuple[float, ...], error: Callable[[Array], float]
) -> float:
    """The loosest tolerance with coefficients as near to the optimum as asked, or the tightest."""
    for tolerance in tolerances:
        seconds, coef = timed(lambda t=tolerance: solve(t))  # type: ignore[misc]
        if error(coef) <= RIGHT or seconds > SLOW:
            break
    return tolerance


def compare(problem: Problem) -> None:
    made = problem.objective()
    optimum = centred(trust_region(made, 1e-12), made)

    def error(coef: Array) -> float:
        return float(np.abs(centred(coef, made) - optimum).max())

    runs: dict[tuple[str, str], Callable[[], Array]] = {}
    for name, optimise in OPTIMISERS.items():
        if name == "newton" and made.n_coef > 1000:
            continue
        tolerance = first_right(
            lambda t, f=optimise: f(problem.objective(), t),  # type: ignore[misc]
            (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9),
            error,
        )
        runs["here", name] = lambda f=optimise, t=tolerance: f(problem.objective(), t)  # type: ignore[misc]
    for name, solve in problem.solvers.items():
        tolerance = first_right(solve, TOLERANCES, error)
        runs["there", name] = lambda f=solve, t=tolerance: f(t)  # type: ignore[misc]
    best = dict.fromkeys(runs, np.inf)
    errors = dict.fromkeys(runs, 0.0)
    for _ in range(TURNS):
        for key, run in runs.items():
            if best[key] == np.inf or best[key] < SLOW:
                seconds, coef = timed(run)
                best[key], errors[key] = min(best[key], seconds), error(coef)
    line = [f"{problem.name:32}"]
    fastest = {}
    for side in ("here", "there"):
        right = [k for k in runs if k[0] == side and errors[k] <= RIGHT]
        key = min(right or [k for k in runs if k[0] == side], key=lambda k: best[k])
        fastest[side] = best[key]
        line.append(f"{best[key] * 1e3:9.1f} ms {key[1]:16} {errors[key]:8.1e}")
    print(*line, f"{fastest['there'] / fastest['here']:6.2f} x", sep="  ", flush=True)


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")  # of solvers that stop at their last digit
    print(f"{'problem':32}  {'Objective, error of coefficients':40}  {'scikit-learn, error':40}")
    with threadpool_limits(1):
        fl.set_num_threads(1)
        for which in names or ["digits", "dense", "sparse"]:
            for problem in problems(which, *data(which)):
                compare(problem)


if __name__ == "__main__":
    main(sys.argv[1:])
