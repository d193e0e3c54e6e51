"""Record what the calls in docs/equivalents.py give in the other libraries.

    python -m tests.peers.record_equivalents [LIBRARY ...]      writes tests/data/equivalents.json

It needs the packages of record_others.py, torchvision, statsmodels, scikit-survival and mord, but
not fusedloss; of some libraries alone, by their names on the page, only these. Then it keeps the
answers of the others.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from docs.equivalents import ROWS, arrays

DATA = Path(__file__).parent.parent / "data" / "equivalents.json"
PACKAGES = {
    "torch.nn.functional": "torch",
    "torch.distributions": "torch",
    "scipy.stats": "scipy",
    "statsmodels": "statsmodels",
    "scikit-survival": "scikit-survival",
    "mord": "mord",
    "scoringrules": "scoringrules",
    "properscoring": "properscoring",
    "coral-pytorch": "coral-pytorch",
    "torchvision.ops": "torchvision",
    "tf.losses (v1)": "tensorflow-cpu",
    "tf.nn": "tensorflow-cpu",
    "Keras": "keras",
    "optax": "optax",
    "XGBoost": "xgboost-cpu",
    "LightGBM": "lightgbm",
}


def survival(objective: str) -> float:
    """The value of one of XGBoost's objectives of times, as its metric gives it."""
    import xgboost as xgb

    given = arrays()
    name, *options = objective.split(", ")
    times, seen = given["times"], given["seen"]
    data = xgb.DMatrix(np.arange(4.0)[:, None], base_margin=given["risk"])
    if name == "survival:cox":
        data.set_label(np.where(seen, times, -times))
    else:
        data.set_float_info("label_lower_bound", times)
        data.set_float_info("label_upper_bound", given["uppers"])
    own = {"objective": name, "eval_metric": {"cox": "cox-nloglik"}.get(name[9:], "aft-nloglik")}
    own |= dict(option.split("=") for option in options)
    # Booster.eval does not know the scale, but the evaluation in training, if the metric is named.
    found: Any = {}
    own["eta"] = 1e-30
    xgb.train(own, data, 1, evals=[(data, "data")], evals_result=found, verbose_eval=False)
    return float(found["data"][own["eval_metric"]][0])


def multiclass(library: str, objective: str) -> float:
    """The objective's value, as its metric gives it."""
    given = arrays()
    x, y = given["scores"], given["classes"]
    feature = np.arange(4.0)[:, None]
    if library == "XGBoost":
        import xgboost as xgb

        data = xgb.DMatrix(feature, label=y, base_margin=x)
        own = {"objective": objective, "num_class": 3, "eval_metric": "mlogloss"}
        return float(xgb.train(own, data, 0).eval(data).rsplit(":", 1)[1])
    import lightgbm as lgb

    # Its metric is the multinomial one, also of one class against all others.
    if objective == "multiclassova":
        return float(np.mean((np.logaddexp(0, x) - x * given["one_hot"]).sum(axis=1)))
    data = lgb.Dataset(feature, y, init_score=x.ravel(order="F"), params={"min_data_in_bin": 1})
    own = {"objective": objective, "num_class": 3, "metric": "multi_logloss", "verbose": -1}
    scores: dict[str, Any] = {}
    lgb.train(
        own | {"learning_rate": 1e-30, "boost_from_average": False},
        data,
        1,
        valid_sets=[data],
        callbacks=[lgb.record_evaluation(scores)],
    )
    return float(scores["training"]["multi_logloss"][0])


def names_for(library: str) -> dict[str, Any]:
    """What the calls of a library name."""
    given = arrays() | {"np": np}
    if library in ("tf.losses (v1)", "tf.nn"):
        import tensorflow as tf

        return given | {"losses": tf.compat.v1.losses, "nn": tf.nn}
    if library == "Keras":
        import keras

        keras.config.set_floatx("float64")
        return given | {"losses": keras.losses}
    if library == "optax":
        import jax
        import optax

        jax.config.update("jax_enable_x64", True)
        return given | {"optax": optax}
    if library == "scipy.stats":
        import scipy.stats

        return given | {"stats": scipy.stats}
    if library == "statsmodels":
        import statsmodels.api as sm
        from statsmodels.api import PHReg
        from statsmodels.miscmodels.ordinal_model import OrderedModel
        from statsmodels.othermod.betareg import BetaModel

        return given | {
            "sm": sm,
            "PHReg": PHReg,
            "OrderedModel": OrderedModel,
            "BetaModel": BetaModel,
        }
    if library == "scikit-survival":
        from sksurv.linear_model.coxph import CoxPHOptimizer

        return given | {"CoxPHOptimizer": CoxPHOptimizer}
    if library == "scoringrules":
        import scoringrules

        return given | {"sr": scoringrules}
    if library == "properscoring":
        import properscoring

        return given | {"ps": properscoring}
    if library == "mord":
        from mord.threshold_based import obj_margin

        return given | {"obj_margin": obj_margin}
    import torch

    as_torch = {k: torch.tensor(a) for k, a in arrays().items()}
    if library == "coral-pytorch":
        from coral_pytorch import losses as coral

        return as_torch | vars(coral)
    if library == "torchvision.ops":
        # A torchvision that was built for another torch lacks its compiled part, which the losses,
        # plain Python, do without; but for these operators it can be imported.
        fragment = torch.library.Library("torchvision", "FRAGMENT")
        with suppress(RuntimeError):
            for name in ("nms", "qnms"):
                fragment.define(
                    f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                )
        import torchvision

        return as_torch | {"ops": torchvision.ops}
    return as_torch | {"F": torch.nn.functional, "torch": torch, "D": torch.distributions}


def answers_of(library: str) -> list[dict[str, Any]]:
    rows = [row for row in ROWS if row.library == library and row.here and not row.record]
    boosts = library in ("XGBoost", "LightGBM")
    names = {} if boosts or not rows else names_for(library)
    found = []
    for row in rows:
        try:
            if row.theirs.startswith("survival:"):
                answer: Any = survival(row.theirs)
            elif boosts:
                answer = multiclass(library, row.theirs)
            else:
                answer = eval(row.theirs, dict(names))
        except Exception as error:
            raise RuntimeError(row.theirs) from error
        numbers = np.asarray(answer, float).tolist()
        found.append({"library": library, "theirs": row.theirs, "value": numbers})
    return found


def main() -> None:
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    warnings.simplefilter("ignore")
    asked = sys.argv[1:] or list(PACKAGES)
    kept = json.loads(DATA.read_text(encoding="utf-8"))
    versions = kept["versions"] | {PACKAGES[name]: version(PACKAGES[name]) for name in asked}
    answers = []
    for library in dict.fromkeys(row.library for row in ROWS):
        if library in asked:
            answers += answers_of(library)
        else:
            answers += [call for call in kept["calls"] if call["library"] == library]
    lines = ",\n".join(json.dumps(a, ensure_ascii=False) for a in answers)
    head = (
        '{"about": "written by tests/peers/record_equivalents.py",\n'
        f'"versions": {json.dumps(versions)},\n'
    )
    DATA.write_text(f'{head}"calls": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(answers)} calls: {DATA}")


if __name__ == "__main__":
    main()
