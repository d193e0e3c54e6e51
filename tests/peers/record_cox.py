"""Record what survival packages make of Cox's partial likelihood.

    python -m tests.peers.record_cox      writes tests/data/cox_parity.json

It needs lifelines, scikit-survival, statsmodels and XGBoost, but not fusedloss. With one feature
for each row their gradients and Hessians are those with respect to the rows' log-risks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "cox_parity.json"
Found = tuple[float, Any, Any]  # the sum, its gradient, and the diagonal of its Hessian

X = np.array([0.5, -1.25, 2.0, 0.0, 0.75, -0.5, 1.5, -2.0, 0.25, 3.0, -0.75, 1.0])
APART = np.arange(1.0, 13.0)[[0, 7, 3, 9, 5, 1, 10, 2, 11, 4, 8, 6]]
TIED = np.array([4.0, 4, 4, 2, 2, 5, 7, 7, 3, 4, 2, 6])
EVENT = np.array([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1])
WEIGHT = np.array([1.0, 2, 0.5, 1.5, 3, 1, 1, 0.25, 2, 1, 1, 4])
STRATA = np.array([2, 0, 2, 2, 0, 0, 2, 0, 2, 2, 0, 0])
#: How long each row was under observation: it never entered at the time of an event, at which
#: statsmodels, unlike R, has it at risk already.
STAY = np.array([0.5, 2.5, 3.5, 1.5, 0.5, 4.5, 4.5, 1.5, 2.5, 0.5, 1.5, 2.5])


def lifelines(x: Any, time: Any, event: Any, options: dict[str, Any]) -> Found:
    """The fitter's own steps, which take rows in rising order of time, and one stratum."""
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter
    from lifelines.fitters.coxph_fitter import SemiParametricPHFitter

    fitter: Any = SemiParametricPHFitter
    n = len(x)
    total, grad, hess = 0.0, np.zeros(n), np.zeros(n)
    strata = options.get("strata", np.zeros(n))
    weights, entry = options.get("weight", np.ones(n)), options.get("entry")
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        rows = rows[np.lexsort((event[rows], time[rows]))]
        table = pd.DataFrame(np.eye(n)[rows])
        columns = [pd.Series(a[rows]) for a in (time, event.astype(int), weights)]
        if entry is None:
            h, g, value = fitter._get_efron_values_batch(None, table, *columns, None, x)
        else:
            stop, happens, weight = columns
            h, g, value = CoxTimeVaryingFitter._get_gradients(
                table.values,
                happens.values.astype(bool),
                entry[rows],
                stop.values,
                weight.values,
                x,
            )
        total, grad, hess = total - value, grad - np.ravel(g), hess - np.diag(h)
    return total, grad, hess


def statsmodels(x: Any, time: Any, event: Any, options: dict[str, Any]) -> Found:
    from statsmodels.api import PHReg

    model = PHReg(
        time,
        np.eye(len(x)),
        status=event,
        ties=options.get("ties", "efron"),
        strata=options.get("strata"),
        entry=options.get("entry"),
    )
    return -model.loglike(x), -model.score(x), -np.diag(model.hessian(x))


def sksurv(x: Any, time: Any, event: Any, options: dict[str, Any]) -> Found:
    """Means over all rows."""
    from sksurv.linear_model.coxph import CoxPHOptimizer

    n = len(x)
    ties = options.get("ties", "efron")
    optimizer = CoxPHOptimizer(np.eye(n), event.astype(bool), time, np.zeros(n), ties)
    optimizer.update(x)
    value = optimizer.nlog_likelihood(x)
    return value * n, optimizer.gradient * n, np.diag(optimizer.hessian) * n


def xgboost(x: Any, time: Any, event: Any, options: dict[str, Any]) -> Found:
    """One tree with a leaf for each row, of the value -g / (h + λ). The same tree, refreshed with
    another λ, gives g and h."""
    import xgboost as xgb

    data = xgb.DMatrix(np.arange(len(x))[:, None].astype(float), np.where(event, time, -time))
    data.set_base_margin(x)
    parameters = {
        "objective": "survival:cox",
        "lambda": 0.0,
        "eta": 1.0,
        "max_depth": len(x),
        "verbosity": 0,
        "min_child_weight": 0.0,
        "tree_method": "exact",
    }
    tree = xgb.train(parameters, data, 1)
    parameters |= {"lambda": 1.0, "process_type": "update", "updater": "refresh"}
    again = xgb.train(parameters, data, 1, xgb_model=tree)
    plain, damped = (
        t.predict(data, output_margin=True).astype(np.float64) - x for t in (tree, again)
    )
    hess = damped / (plain - damped)
    return np.nan, -plain * hess, hess


PACKAGES: dict[str, Callable[..., Found]] = {
    "lifelines": lifelines,
    "statsmodels": statsmodels,
    "sksurv": sksurv,
    "xgboost": xgboost,
}


def questions() -> list[tuple[str, Any, dict[str, Any]]]:
    """Package, times and options."""
    asked: list[tuple[str, Any, dict[str, Any]]] = []
    for time in (APART, TIED):
        entry = {"entry": np.maximum(time - STAY, 0)}
        both = {"weight": WEIGHT, "strata": STRATA}
        for options in ({}, {"weight": WEIGHT}, {"strata": STRATA}, entry, both, both | entry):
            asked.append(("lifelines", time, options))
        for ties in ("efron", "breslow"):
            asked.append(("sksurv", time, {"ties": ties}))
            for more in ({}, {"strata": STRATA}, entry, {"strata": STRATA} | entry):
                asked.append(("statsmodels", time, {"ties": ties, **more}))
        asked.append(("xgboost", time, {"ties": "breslow"}))
    return asked


def main() -> None:
    cases = []
    for package, time, options in questions():
        value, grad, hess = PACKAGES[package](X, time, EVENT, options)
        case = {"package": package, "time": time.tolist()}
        case["options"] = {
            k: v if k == "ties" else np.asarray(v).tolist() for k, v in options.items()
        }
        case |= {"value": None if np.isnan(value) else float(value)}
        case |= {"grad": np.asarray(grad).tolist(), "hess": np.asarray(hess).tolist()}
        cases.append(case)
    about = ", ".join(f"{name} {import_module(name).__version__}" for name in PACKAGES)
    head = {"about": f"{about}; written by tests/peers/record_cox.py", "input": X.tolist()}
    head["event"] = EVENT.tolist()
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
    rows = ",\n".join(json.dumps(case) for case in cases)
    DATA.write_text(f'{{{text},\n"cases": [\n{rows}\n]}}\n', encoding="utf-8")
    print(f"{len(cases)} cases: {DATA}")


if __name__ == "__main__":
    main()
