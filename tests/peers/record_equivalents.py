"""Record what the calls in docs/equivalents.py give in the other libraries.

    python -m tests.peers.record_equivalents      writes tests/data/equivalents.json

It needs the packages of record_others.py and torchvision, but not fusedloss.
"""

from __future__ import annotations

import json
import os
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from docs.equivalents import ROWS, arrays

DATA = Path(__file__).parent.parent / "data" / "equivalents.json"
PACKAGES = (
    *("torch", "scipy", "coral-pytorch", "torchvision", "tensorflow-cpu", "keras", "optax"),
    *("xgboost-cpu", "lightgbm", "scoringrules", "properscoring"),
)


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


def main() -> None:
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    warnings.simplefilter("ignore")
    import jax
    import keras
    import optax
    import properscoring
    import scipy.stats
    import scoringrules
    import tensorflow as tf
    import torch
    from coral_pytorch import losses as coral

    # A torchvision that was built for another torch lacks its compiled part, which the losses,
    # plain Python, do without; but for these operators it can be imported.
    library = torch.library.Library("torchvision", "FRAGMENT")
    with suppress(RuntimeError):
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    as_torch = {k: torch.tensor(a) for k, a in arrays().items()}
    names = {
        "torch.nn.functional": as_torch | {"F": torch.nn.functional, "torch": torch},
        "torch.distributions": as_torch | {"D": torch.distributions},
        "scoringrules": arrays() | {"sr": scoringrules},
        "properscoring": arrays() | {"ps": properscoring},
        "scipy.stats": arrays() | {"stats": scipy.stats, "np": np},
        "coral-pytorch": as_torch | vars(coral),
        "torchvision.ops": as_torch | {"ops": torchvision.ops},
        "tf.losses (v1)": arrays() | {"losses": tf.compat.v1.losses, "np": np},
        "tf.nn": arrays() | {"nn": tf.nn},
        "Keras": arrays() | {"losses": keras.losses},
        "optax": arrays() | {"optax": optax, "np": np},
    }
    answers = []
    for row in ROWS:
        if not row.here or row.record:
            continue
        if row.library in names:
            try:
                answer = eval(row.theirs, dict(names[row.library]))
            except Exception as error:
                raise RuntimeError(row.theirs) from error
        else:
            answer = multiclass(row.library, row.theirs)
        numbers = np.asarray(answer, float).tolist()
        answers.append({"library": row.library, "theirs": row.theirs, "value": numbers})
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    about = f"{versions}; written by tests/peers/record_equivalents.py"
    lines = ",\n".join(json.dumps(a, ensure_ascii=False) for a in answers)
    DATA.write_text(
        f'{{"about": {json.dumps(about)},\n"calls": [\n{lines}\n]}}\n', encoding="utf-8"
    )
    print(f"{len(answers)} calls: {DATA}")


if __name__ == "__main__":
    main()
