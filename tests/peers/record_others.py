"""Record what TensorFlow, Keras, optax, MONAI, scikit-learn, SciPy, XGBoost and LightGBM say.

    python tests/peers/record_others.py      writes tests/data/others.json

It needs these packages (tensorflow-cpu, keras, jax, optax, torch, monai, scikit-learn, scipy,
xgboost-cpu and lightgbm), but not fusedloss. A case holds their numbers and the call here that has
to reproduce them; a difference holds numbers of both sides.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from importlib.metadata import version
from math import e
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent.parent / "data" / "others.json"
SINGLE = 2e-6  # where they compute in float32
PACKAGES = (
    "tensorflow-cpu",
    "keras",
    "optax",
    "monai",
    "scikit-learn",
    "scipy",
    "xgboost-cpu",
    "lightgbm",
)
Arrays = dict[str, Any]

cases: list[dict[str, Any]] = []
differences: list[dict[str, Any]] = []


def plain(part: Any) -> Any:
    """Lists of floats, but of class numbers, which are an array of integers."""
    if isinstance(part, np.ndarray) and part.dtype.kind == "i":
        return part.tolist()
    return None if part is None else np.asarray(part).astype(float).tolist()


def case(
    theirs: str,
    loss: str,
    arrays: Arrays,
    options: dict[str, Any] | None = None,
    *,
    value: Any = None,
    grad: Any = None,
    hess: Any = None,
    times: Any = 1.0,
    rtol: float = 1e-9,
    **more: Any,
) -> None:
    """Their numbers are `times` those of the call here (one factor, or one of each part).

    With `deviance` the value here is less that of a perfect input, the target.
    """
    parts = {"value": plain(value), "grad": plain(grad), "hess": plain(hess)}
    what = {"theirs": theirs, "loss": loss, "arrays": {k: plain(a) for k, a in arrays.items()}}
    more = {"times": times, "rtol": rtol} | more
    cases.append(what | {"options": options or {}} | more | parts)


def difference(
    theirs: str, loss: str, arrays: Arrays, options: dict[str, Any], part: str, them: Any, here: Any
) -> None:
    what = {"theirs": theirs, "loss": loss, "arrays": {k: plain(a) for k, a in arrays.items()}}
    what |= {"options": options, "part": part, "them": plain(them), "here": plain(here)}
    differences.append(what)


# ---- numbers to try ------------------------------------------------------------------------

X = np.array([[0.5, -1.25, 3.0], [2.0, 0.125, -0.75]])
Y = np.array([[0.0, -1.0, 0.5], [2.0, 1.0, -3.0]])
LABELS = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
SIGNS = 2 * LABELS - 1
PROBABILITIES = np.array([[0.75, 0.125, 0.5], [0.9, 0.0625, 0.25]])
RATES = np.array([[0.5, 1.25, 3.0], [2.0, 0.125, 0.75]])
COUNTS = np.array([[0.0, 1.0, 2.5], [2.0, 0.5, 7.0]])
POSITIVE = COUNTS + 0.5
MASSES = np.array([[0.5, 0.25, 0.25], [0.125, 0.625, 0.25]])
OTHERS = np.array([[0.25, 0.25, 0.5], [0.5, 0.375, 0.125]])
# Rows of classes: at first far from certain, for some clip at 1e-7.
LOGITS = np.array([[0.5, -1.25, 2.0], [1.5, 0.125, -0.75], [0.0, 0.75, 0.25], [-2.0, 1.0, 2.5]])
CLASSES = np.array([2, 0, 0, 1])
HOT = np.eye(3)[CLASSES]
MIXED = np.array([[0.5, 0.25, 0.25], [0.125, 0.625, 0.25], [0.0, 1.0, 0.0], [0.75, 0.0, 0.25]])
PER_CLASS = np.array([0.5, 2.0, 1.25])
TIES = np.array([[1.0, 0.0, 2.0], [1.0, 1.0, 0.5], [0.0, 0.0, 0.0], [1.0, 0.5, 2.0]])
WEIGHTS = {
    "full": np.array([[1.0, 0.0, 2.0], [0.5, 3.0, 0.0]]),
    "rows": np.array([[2.0], [0.0]]),
    "zeros": np.zeros((2, 3)),
}


def of(x: Any, t: Any, weight: Any = None) -> Arrays:
    arrays = {"input": x, "target": t}
    return arrays if weight is None else arrays | {"weight": weight}


# ---- TensorFlow and Keras ------------------------------------------------------------------


def tensorflow() -> None:
    import tensorflow as tf

    def ask(function: Callable[..., Any], x: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            tensor = tf.constant(x)
            tape.watch(tensor)
            value = function(tensor)
        return {"value": value.numpy(), "grad": tape.gradient(value, tensor).numpy()}

    losses = tf.compat.v1.losses
    by_mean = ("absolute_difference", "mean_squared_error")  # where mean here is of the weights
    kinds = {
        "SUM": "sum",
        "NONE": "none",
        "MEAN": "weighted_mean",
        "SUM_OVER_BATCH_SIZE": "mean",
        "SUM_BY_NONZERO_WEIGHTS": "sum_by_nonzero_weights",
    }
    for theirs, loss, x, labels, target, own, options in (
        ("absolute_difference", "l1_loss", X, Y, Y, {}, {}),
        ("mean_squared_error", "mse_loss", X, Y, Y, {}, {}),
        ("huber_loss", "huber_loss", X, Y, Y, {"delta": 1.5}, {"delta": 1.5}),
        ("hinge_loss", "hinge_loss", X, LABELS, SIGNS, {}, {}),
        (
            "log_loss",
            "binary_cross_entropy",
            PROBABILITIES,
            LABELS,
            LABELS,
            {"epsilon": 0.0},
            {"log_clamp": None},
        ),
        (
            "sigmoid_cross_entropy",
            "binary_cross_entropy_with_logits",
            X,
            LABELS,
            LABELS,
            {},
            {},
        ),
    ):
        function = getattr(losses, theirs)
        for kind, reduction in kinds.items():
            for name, weight in WEIGHTS.items():
                if name != "full" and kind in ("SUM", "NONE"):
                    continue
                times = 1.0
                if kind == "SUM_OVER_BATCH_SIZE" and theirs in by_mean:
                    reduction, times = "sum", 1 / X.size
                own_kind = getattr(losses.Reduction, kind)
                answer = ask(
                    lambda x, f=function, y=labels, w=weight, k=own_kind, own=own: f(
                        y, x, weights=w, reduction=k, **own
                    ),
                    x,
                )
                case(
                    f"tf.compat.v1.losses.{theirs}, Reduction.{kind}, weights: {name}",
                    loss,
                    of(x, target, weight),
                    options | {"reduction": reduction},
                    times=times,
                    rtol=SINGLE,
                    **answer,
                )
    nonzero = {"reduction": "sum_by_nonzero_weights"}
    answer = ask(lambda x: losses.log_loss(LABELS, x), PROBABILITIES)
    arrays = of(PROBABILITIES, LABELS)
    case(
        "tf.compat.v1.losses.log_loss", "binary_cross_entropy", arrays, nonzero, rtol=1e-5, **answer
    )
    sure = ask(lambda x: losses.log_loss([1.0], x), np.array([0.0]))
    difference(
        "tf.compat.v1.losses.log_loss of 0, which is -log(1e-7)",
        "binary_cross_entropy",
        of([0.0], [1.0]),
        {},
        "value",
        sure["value"],
        100.0,
    )
    kink = ask(lambda x: losses.hinge_loss([1.0], x), np.array([1.0]))
    case("tf.compat.v1.losses.hinge_loss, kink", "hinge_loss", of([1.0], [1.0]), **kink)
    edge = ask(lambda x: losses.huber_loss([0.0, 0.0], x), np.array([1.0, -1.0]))
    case("tf.compat.v1.losses.huber_loss, |d| = δ", "huber_loss", of([1.0, -1.0], [0, 0]), **edge)

    none = {"reduction": "none"}
    for full in (False, True):
        answer = ask(lambda x, f=full: tf.nn.log_poisson_loss(COUNTS, x, compute_full_loss=f), X)
        theirs = f"tf.nn.log_poisson_loss, compute_full_loss={full}"
        case(theirs, "poisson_nll_loss", of(X, COUNTS), {"full": full} | none, **answer)
    bce = "binary_cross_entropy_with_logits"
    answer = ask(lambda x: tf.nn.sigmoid_cross_entropy_with_logits(LABELS, x), X)
    case("tf.nn.sigmoid_cross_entropy_with_logits", bce, of(X, LABELS), none, **answer)
    answer = ask(lambda x: tf.nn.weighted_cross_entropy_with_logits(LABELS, x, RATES), X)
    arrays = of(X, LABELS) | {"pos_weight": RATES}
    case("tf.nn.weighted_cross_entropy_with_logits", bce, arrays, none, **answer)
    half = ask(tf.nn.l2_loss, X)
    case("tf.nn.l2_loss", "mse_loss", of(X, X * 0), {"reduction": "sum"}, times=0.5, **half)

    ce, by_rows = "cross_entropy", of(LOGITS, CLASSES)
    answer = ask(lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(CLASSES, x), LOGITS)
    case("tf.nn.sparse_softmax_cross_entropy_with_logits", ce, by_rows, none, **answer)
    answer = ask(lambda x: tf.nn.softmax_cross_entropy_with_logits(MIXED, x), LOGITS)
    case("tf.nn.softmax_cross_entropy_with_logits", ce, of(LOGITS, MIXED), none, **answer)
    answer = ask(lambda x: tf.nn.softmax_cross_entropy_with_logits(MIXED.T, x, axis=0), LOGITS.T)
    case(
        "tf.nn.softmax_cross_entropy_with_logits(axis=0)",
        ce,
        of(LOGITS.T, MIXED.T),
        none | {"axis": 0},
        **answer,
    )
    for kind, reduction in kinds.items():
        if kind == "MEAN":
            continue  # their weights are of rows
        own_kind = getattr(losses.Reduction, kind)
        answer = ask(
            lambda x, k=own_kind: losses.softmax_cross_entropy(
                HOT, x, label_smoothing=0.1, reduction=k
            ),
            LOGITS,
        )
        theirs = f"tf.compat.v1.losses.softmax_cross_entropy, label_smoothing=0.1, Reduction.{kind}"
        options = {"label_smoothing": 0.1, "reduction": reduction}
        case(theirs, ce, by_rows, options, rtol=SINGLE, **answer)
        answer = ask(
            lambda x, k=own_kind: losses.sparse_softmax_cross_entropy(
                CLASSES, x, weights=PER_CLASS[CLASSES], reduction=k
            ),
            LOGITS,
        )
        theirs = f"tf.compat.v1.losses.sparse_softmax_cross_entropy, weights, Reduction.{kind}"
        arrays = by_rows | {"weight": PER_CLASS}
        if kind == "SUM_OVER_BATCH_SIZE":  # where mean here is of the weights
            case(theirs, ce, arrays, {"reduction": "sum"}, times=0.25, rtol=SINGLE, **answer)
        else:
            case(theirs, ce, arrays, {"reduction": reduction}, rtol=SINGLE, **answer)
    keras(ask)
    keras_rows(ask)


def keras(ask: Callable[..., Any]) -> None:
    import keras

    keras.config.set_floatx("float64")
    losses = keras.losses
    small = {"eps": 1e-7}
    smooth = {"alpha": None, "gamma": 1.5}
    batch = {"reduction": "batchmean"}
    focal = "sigmoid_focal_loss"
    for theirs, loss, x, y, target, own, options, more in (
        ("MeanSquaredError", "mse_loss", X, Y, Y, {}, {}, {}),
        ("MeanAbsoluteError", "l1_loss", X, Y, Y, {}, {}, {}),
        ("MeanAbsolutePercentageError", "mape_loss", X, Y, Y, {}, small, {"times": 100}),
        ("MeanSquaredLogarithmicError", "msle_loss", RATES, COUNTS, COUNTS, {}, {}, {"rtol": 1e-6}),
        ("Huber", "huber_loss", X, Y, Y, {"delta": 1.5}, {"delta": 1.5}, {}),
        ("LogCosh", "log_cosh_loss", X, Y, Y, {}, {}, {"rtol": 1e-8}),
        ("Hinge", "hinge_loss", X, LABELS, SIGNS, {}, {}, {}),
        ("Hinge", "hinge_loss", X, SIGNS, SIGNS, {}, {}, {}),
        ("SquaredHinge", "squared_hinge_loss", X, LABELS, SIGNS, {}, {}, {}),
        (
            "Poisson",
            "poisson_nll_loss",
            RATES,
            COUNTS,
            COUNTS,
            {},
            {"log_input": False} | small,
            {},
        ),
        ("BinaryCrossentropy", "binary_cross_entropy", PROBABILITIES, LABELS, LABELS, {}, {}, {}),
        (
            "BinaryCrossentropy",
            "binary_cross_entropy_with_logits",
            X,
            LABELS,
            LABELS,
            {"from_logits": True},
            {},
            {},
        ),
        (
            "BinaryFocalCrossentropy",
            focal,
            X,
            LABELS,
            LABELS,
            {"from_logits": True, "gamma": 1.5},
            smooth,
            {"rtol": 1e-6},
        ),
        (
            "BinaryFocalCrossentropy",
            focal,
            X,
            LABELS,
            LABELS,
            {"from_logits": True, "apply_class_balancing": True},
            {},
            {"rtol": 1e-6},
        ),
        ("KLDivergence", "kl_div", OTHERS, MASSES, MASSES, {}, batch, {}),
    ):
        answer = ask(lambda x, f=theirs, y=y, own=own: getattr(losses, f)(**own)(y, x), x)
        if loss == "kl_div":  # of probabilities; here of their logarithms
            answer["grad"] *= x
            x = np.log(x)
        called = ", ".join(f"{k}={v}" for k, v in own.items())
        case(f"keras.losses.{theirs}({called})", loss, of(x, target), options, **answer, **more)
    weighted = WEIGHTS["rows"]
    for kind, reduction in (
        ("sum_over_batch_size", "mean"),
        ("mean_with_sample_weight", "weighted_mean"),
        ("sum", None),
    ):
        loss = losses.Huber(reduction=kind)
        answer = ask(lambda x, f=loss: f(Y, x, sample_weight=weighted[:, 0]), X)
        # Keras has averaged over the last axis before.
        options, times = (
            ({"reduction": reduction}, 1.0) if reduction else ({"reduction": "sum"}, 1 / 3)
        )
        theirs = f"keras.losses.Huber(reduction={kind!r}), sample_weight"
        case(theirs, "huber_loss", of(X, Y, weighted), options, times=times, **answer)

    def value(loss: str, x: Any, y: Any, **own: Any) -> Any:
        return getattr(losses, loss)(**own)(np.array(y), np.array(x)).numpy()

    def differ(
        theirs: str, loss: str, x: Any, t: Any, them: Any, here: Any, **options: Any
    ) -> None:
        difference(f"keras.losses.{theirs}", loss, of(x, t), options, "value", them, here)

    least = 1e-7
    them = value("BinaryCrossentropy", [0.0], [1.0])
    differ("BinaryCrossentropy, clipped to 1e-7", "binary_cross_entropy", [0], [1], them, 100.0)
    them = value("MeanSquaredLogarithmicError", [-0.5], [0.0])
    here = np.log(0.5) ** 2
    differ("MeanSquaredLogarithmicError, raised to 1e-7", "msle_loss", [-0.5], [0.0], them, here)
    them = value("KLDivergence", [0.0, 1.0], [1.0, 0.0])
    case(
        "keras.losses.KLDivergence, clipped to 1e-7",
        "kl_div",
        of(np.log(least), 1.0),
        value=them,
        rtol=1e-6,
    )
    them = value("BinaryFocalCrossentropy", [40.0], [1.0], from_logits=True)
    here = np.exp(-120.0)
    options = {"alpha": None}
    differ("BinaryFocalCrossentropy, clipped to 1e-7", focal, [40.0], [1.0], them, here, **options)


def keras_rows(ask: Callable[..., Any]) -> None:
    """Losses over a class axis. Focal cross entropy clips the probabilities to 1e-7."""
    import keras

    losses, softmax = keras.losses, keras.ops.softmax
    logits, smooth = {"from_logits": True}, {"label_smoothing": 0.1}
    focal, gce = "softmax_focal_loss", "generalized_cross_entropy_loss"
    per_class = {"alpha": PER_CLASS.tolist()}
    plain_focal, some_focal = {"alpha": 1.0, "gamma": 2.0}, {"alpha": 0.25, "gamma": 1.5}
    for theirs, loss, y, target, own, options in (
        ("CategoricalCrossentropy", "cross_entropy", MIXED, MIXED, logits, {}),
        ("CategoricalCrossentropy", "cross_entropy", HOT, CLASSES, logits | smooth, smooth),
        ("CategoricalCrossentropy", "cross_entropy", MIXED, MIXED, logits | smooth, smooth),
        ("SparseCategoricalCrossentropy", "cross_entropy", CLASSES, CLASSES, logits, {}),
        (
            "SparseCategoricalCrossentropy",
            "cross_entropy",
            CLASSES,
            CLASSES,
            logits | {"ignore_class": 0},
            {"ignore_index": 0},
        ),
        ("CategoricalFocalCrossentropy", focal, HOT, CLASSES, logits, {"alpha": 0.25}),
        ("CategoricalFocalCrossentropy", focal, HOT, CLASSES, logits | plain_focal, {}),
        ("CategoricalFocalCrossentropy", focal, MIXED, MIXED, logits | some_focal, some_focal),
        ("CategoricalFocalCrossentropy", focal, MIXED, MIXED, logits | per_class, per_class),
        (
            "CategoricalFocalCrossentropy",
            focal,
            HOT,
            CLASSES,
            logits | some_focal | smooth,
            some_focal | smooth,
        ),
        ("CategoricalGeneralizedCrossEntropy", gce, CLASSES, CLASSES, {}, {}),
        ("CategoricalGeneralizedCrossEntropy", gce, CLASSES, CLASSES, {"q": 0.7}, {"q": 0.7}),
    ):
        before = softmax if loss == gce else keras.ops.convert_to_tensor
        answer = ask(
            lambda x, f=theirs, y=y, own=own, g=before: getattr(losses, f)(**own)(y, g(x)), LOGITS
        )
        called = ", ".join(f"{k}={v}" for k, v in own.items())
        of_x = " of the softmax" if loss == gce else ""
        name = f"keras.losses.{theirs}({called}){of_x}"
        case(name, loss, of(LOGITS, target), options, rtol=1e-6, **answer)
    hinge = "categorical_hinge_loss"
    positive = LOGITS + 3  # no largest wrong score is below 0
    answer = ask(lambda x: losses.CategoricalHinge()(HOT, x), positive)
    theirs = "keras.losses.CategoricalHinge, scores above 0"
    case(theirs, hinge, of(positive, CLASSES), **answer)
    x, y = np.array([[0.25, -2.0, -1.0]]), np.array([0])
    them = losses.CategoricalHinge()(np.array([[1.0, 0.0, 0.0]]), x).numpy()
    theirs = "keras.losses.CategoricalHinge, which counts 0 among the wrong scores"
    difference(theirs, hinge, of(x, y), {}, "value", them, 0.0)
    sure = np.array([[40.0, 0.0]])
    them = losses.CategoricalFocalCrossentropy(from_logits=True, alpha=1.0)(
        np.array([[1.0, 0.0]]), sure
    ).numpy()
    theirs = "keras.losses.CategoricalFocalCrossentropy, clipped to 1e-7"
    difference(theirs, focal, of(sure, y), {}, "value", them, np.exp(-120.0))
    them = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)(
        np.array([0, 0]), LOGITS[:2]
    ).numpy()
    theirs = "keras.losses.SparseCategoricalCrossentropy, all ignored: 0 for the mean of nothing"
    options = {"ignore_index": 0}
    arrays = of(LOGITS[:2], np.array([0, 0]))
    difference(theirs, "cross_entropy", arrays, options, "value", them, np.nan)


# ---- optax ---------------------------------------------------------------------------------


def optax() -> None:
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    log_masses, log_others = np.log(MASSES), np.log(OTHERS)
    small = np.array([0.5, -1.25, 3.0, 0.125])
    y, labels = np.array([0.0, -1.0, 0.5, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
    signs = 2 * labels - 1
    focal = {"alpha": 0.25, "gamma": 1.5}
    plain_focal = {"alpha": None, "gamma": 2.0}
    none = {"reduction": "none"}
    for theirs, loss, x, t, target, own, options, times in (
        ("squared_error", "mse_loss", small, y, y, {}, {}, 1.0),
        ("l2_loss", "mse_loss", small, y, y, {}, {}, 0.5),
        ("huber_loss", "huber_loss", small, y, y, {"delta": 1.5}, {"delta": 1.5}, 1.0),
        ("log_cosh", "log_cosh_loss", small, y, y, {}, {}, 1.0),
        (
            "sigmoid_binary_cross_entropy",
            "binary_cross_entropy_with_logits",
            small,
            labels,
            labels,
            {},
            {},
            1.0,
        ),
        ("sigmoid_focal_loss", "sigmoid_focal_loss", small, labels, labels, focal, focal, 1.0),
        ("sigmoid_focal_loss", "sigmoid_focal_loss", small, labels, labels, {}, plain_focal, 1.0),
        ("hinge_loss", "hinge_loss", small, signs, signs, {}, {}, 1.0),
        ("perceptron_loss", "hinge_loss", small, signs, signs, {}, {"margin": 0.0}, 1.0),
    ):
        function = getattr(optax.losses, theirs)
        slopes = jax.grad(lambda x, f=function, t=t, own=own: f(x, t, **own).sum())
        curves = jax.grad(lambda x, g=slopes: g(x).sum())
        answer = {"value": function(x, t, **own)}
        answer |= {"grad": slopes(x), "hess": curves(x)}
        called = ", ".join(f"{k}={v}" for k, v in own.items())
        name = f"optax.losses.{theirs}({called})"
        case(name, loss, of(x, target), options | none, times=times, **answer)
    value = optax.losses.kl_divergence(log_others, MASSES)
    batch = {"reduction": "batchmean"}
    arrays = of(log_others, MASSES)
    case("optax.losses.kl_divergence, mean of rows", "kl_div", arrays, batch, value=value.mean())
    value = optax.losses.kl_divergence_with_log_targets(log_others, log_masses)
    case(
        "optax.losses.kl_divergence_with_log_targets, mean of rows",
        "kl_div",
        of(log_others, log_masses),
        batch | {"log_target": True},
        value=value.mean(),
    )

    def ask(function: Callable[..., Any], x: Any, *args: Any, **own: Any) -> dict[str, Any]:
        """Of rows: the second derivatives are the diagonal of a matrix."""

        def total(flat: Any) -> Any:
            return function(flat.reshape(x.shape), *args, **own).sum()

        hess = jax.numpy.diagonal(jax.hessian(total)(x.ravel())).reshape(x.shape)
        grad = jax.grad(total)(x.ravel()).reshape(x.shape)
        return {"value": function(x, *args, **own), "grad": grad, "hess": hess}

    axis_0 = {"axis": 0}
    ce, poly, hinge = "cross_entropy", "poly_cross_entropy_loss", "categorical_hinge_loss"
    sparsemax = "sparsemax_loss"
    smoothed = optax.losses.smooth_labels(HOT, 0.1)
    for theirs, loss, x, given, target, own, options in (
        ("softmax_cross_entropy_with_integer_labels", ce, LOGITS, CLASSES, CLASSES, {}, {}),
        ("softmax_cross_entropy", ce, LOGITS, MIXED, MIXED, {}, {}),
        ("safe_softmax_cross_entropy", ce, LOGITS, MIXED, MIXED, {}, {}),
        ("softmax_cross_entropy", ce, LOGITS.T, MIXED.T, MIXED.T, axis_0, axis_0),
        ("softmax_cross_entropy", ce, LOGITS, smoothed, CLASSES, {}, {"label_smoothing": 0.1}),
        ("poly_loss_cross_entropy", poly, LOGITS, MIXED, MIXED, {}, {"epsilon": 2.0}),
        ("poly_loss_cross_entropy", poly, LOGITS, HOT, CLASSES, {"epsilon": 1.0}, {}),
        (
            "poly_loss_cross_entropy",
            poly,
            LOGITS.T,
            MIXED.T,
            MIXED.T,
            {"epsilon": -1.0, "axis": 0},
            {"epsilon": -1.0, "axis": 0},
        ),
        ("multiclass_hinge_loss", hinge, LOGITS, CLASSES, CLASSES, {}, {}),
        ("multiclass_perceptron_loss", hinge, LOGITS, CLASSES, CLASSES, {}, {"margin": 0.0}),
        ("multiclass_sparsemax_loss", sparsemax, LOGITS, CLASSES, CLASSES, {}, {}),
        ("multiclass_sparsemax_loss", sparsemax, LOGITS / 4, CLASSES, CLASSES, {}, {}),
        ("multiclass_sparsemax_loss", sparsemax, 8 * LOGITS, CLASSES, CLASSES, {}, {}),
    ):
        answer = ask(getattr(optax.losses, theirs), x, given, **own)
        called = ", ".join(f"{k}={v}" for k, v in own.items())
        of_t = " of smooth_labels(alpha=0.1)" if given is smoothed else ""
        name = f"optax.losses.{theirs}({called}){of_t}"
        case(name, loss, of(x, target), options | none, **answer)
    for theirs, options in (
        ("multiclass_hinge_loss", {}),
        ("multiclass_perceptron_loss", {"margin": 0.0}),
    ):
        value = getattr(optax.losses, theirs)(TIES, CLASSES)
        name = f"optax.losses.{theirs}, ties"
        case(name, hinge, of(TIES, CLASSES), options | none, value=value)
    at = of(np.array([[1.0, 0.0]]), np.array([0]))
    them = ask(optax.losses.multiclass_hinge_loss, at["input"], at["target"])["grad"]
    theirs = "optax.losses.multiclass_hinge_loss, half the slope at the kink"
    difference(theirs, hinge, at, none, "grad", them, [[0, 0]])


# ---- MONAI ---------------------------------------------------------------------------------


def monai() -> None:
    """It computes in float32, and divides the mean by the number of classes, too."""
    import torch
    from monai.losses import FocalLoss

    focal = "softmax_focal_loss"
    images = np.stack([LOGITS.T.reshape(3, 2, 2), LOGITS[::-1].T.reshape(3, 2, 2) / 2])
    numbers = np.stack([CLASSES, CLASSES[::-1]]).reshape(2, 2, 2)
    masses = np.stack([MIXED.T.reshape(3, 2, 2), MIXED[::-1].T.reshape(3, 2, 2)])
    alpha = PER_CLASS.tolist()
    for x, given, target, own, options in (
        (LOGITS, CLASSES[:, None], CLASSES, {"to_onehot_y": True}, {}),
        (LOGITS, MIXED, MIXED, {"gamma": 1.5}, {"gamma": 1.5}),
        (LOGITS, MIXED, MIXED, {"gamma": 0.0, "alpha": alpha}, {"gamma": 0.0, "alpha": alpha}),
        (LOGITS, HOT, CLASSES, {"alpha": alpha}, {"alpha": alpha}),
        (LOGITS, HOT, CLASSES, {"weight": alpha}, {"alpha": alpha}),
        (LOGITS, HOT, CLASSES, {"alpha": 0.25}, {"alpha": [0.75, 0.25, 0.25]}),
        (images, numbers[:, None], numbers, {"to_onehot_y": True, "gamma": 3.0}, {"gamma": 3.0}),
        (images, masses, masses, {"alpha": alpha}, {"alpha": alpha}),
    ):
        called = ", ".join(f"{k}={v}" for k, v in own.items())
        # Its sum is a mean over the places first, and without any it is a mean over all.
        sums = [("sum", 1 / 4)] if x.ndim > 2 else []
        for reduction, times in (("mean", 1 / 3), *sums):
            leaf = torch.tensor(x, requires_grad=True)
            given_t = torch.tensor(given)
            value = FocalLoss(use_softmax=True, reduction=reduction, **own)(leaf, given_t)
            value.backward()
            assert leaf.grad is not None
            answer = {"value": value.item(), "grad": leaf.grad.numpy()}
            theirs = f"monai.losses.FocalLoss(use_softmax=True, {called}, reduction={reduction!r})"
            arrays = of(x, target)
            more = options | {"reduction": reduction}
            case(theirs, focal, arrays, more, times=times, rtol=SINGLE, **answer)
    one = of(LOGITS[1:2], CLASSES[1:2])
    loss = FocalLoss(use_softmax=True, alpha=0.25, to_onehot_y=True)
    them = 3 * loss(torch.tensor(one["input"]), torch.tensor(one["target"][:, None])).item()
    p = np.exp(LOGITS[1, 0]) / np.exp(LOGITS[1]).sum()
    here = -0.25 * (1 - p) ** 2 * np.log(p)
    theirs = "monai.losses.FocalLoss, alpha=0.25, which is 0.75 for class 0"
    difference(theirs, focal, one, {"alpha": 0.25}, "value", them, here)


# ---- scikit-learn --------------------------------------------------------------------------


def sklearn() -> None:
    from sklearn import metrics
    from sklearn._loss import loss as private
    from sklearn.linear_model import _sgd_fast

    none = {"reduction": "none"}
    x, y, w = X.ravel(), Y.ravel(), WEIGHTS["full"].ravel()
    labels, signs, counts, positive = (a.ravel() for a in (LABELS, SIGNS, COUNTS, POSITIVE))
    rates = RATES.ravel()
    q, one, three = {"quantile": 0.75}, {"power": 1.0}, {"power": 3.0}
    identity = {"log_input": False}

    def ask(name: str, own: dict[str, Any], t: Any, x: Any, w: Any = None) -> dict[str, Any]:
        loss = getattr(private, name)(**own)
        value = loss.loss(y_true=t, raw_prediction=x, sample_weight=w)
        grad, hess = loss.gradient_hessian(y_true=t, raw_prediction=x, sample_weight=w)
        return {"value": value, "grad": grad, "hess": hess}

    for name, own, loss, a, t, target, options, more in (
        ("HalfSquaredError", {}, "mse_loss", x, y, y, {}, {"times": 0.5}),
        ("AbsoluteError", {}, "l1_loss", x + 0.01, y, y, {}, {"hess": None}),
        ("PinballLoss", q, "quantile_loss", x + 0.01, y, y, {"q": 0.75}, {"hess": None}),
        ("HuberLoss", {"delta": 1.5}, "huber_loss", x, y, y, {"delta": 1.5}, {}),
        ("HalfPoissonLoss", {}, "poisson_nll_loss", x, counts, counts, {}, {}),
        ("HalfGammaLoss", {}, "gamma_nll_loss", x, positive, positive, {}, {}),
        (
            "HalfTweedieLoss",
            {"power": 0.0},
            "tweedie_loss",
            x,
            y,
            y,
            {"power": 0.0},
            {},
        ),
        ("HalfTweedieLoss", one, "tweedie_loss", x, counts, counts, one, {}),
        ("HalfTweedieLoss", {"power": 1.5}, "tweedie_loss", x, counts, counts, {}, {}),
        (
            "HalfTweedieLoss",
            {"power": 2.0},
            "tweedie_loss",
            x,
            positive,
            positive,
            {"power": 2.0},
            {},
        ),
        ("HalfTweedieLoss", three, "tweedie_loss", x, positive, positive, three, {}),
        ("HalfBinomialLoss", {}, "binary_cross_entropy_with_logits", x, labels, labels, {}, {}),
        ("ExponentialLoss", {}, "exponential_loss", x, labels, signs, {}, {}),
    ):
        for weight in (None, w):
            answer = ask(name, own, t, a, weight) | more
            called = ", ".join(f"{k}={v}" for k, v in own.items())
            theirs = f"sklearn._loss.loss.{name}({called})"
            case(theirs, loss, of(a, target, weight), options | none, **answer)
    for power in (0.0, 1.0, 1.5, 2.0, 3.0):
        t = counts if power == 1 else positive
        answer = ask("HalfTweedieLossIdentity", {"power": power}, t, rates)
        case(
            f"sklearn._loss.loss.HalfTweedieLossIdentity(power={power})",
            "tweedie_loss",
            of(rates, t),
            {"power": power} | identity | none,
            deviance=True,
            **answer,
        )
    at = of([1.0, 1.0], [1.0, 2.0])
    for name, own, loss, arrays, options, part, here in (
        ("AbsoluteError", {}, "l1_loss", at, {}, "grad", [0, -1]),
        ("AbsoluteError", {}, "l1_loss", at, {}, "hess", [0, 0]),
        ("PinballLoss", q, "quantile_loss", at, {"q": 0.75}, "grad", [0, -0.75]),
        ("PinballLoss", q, "quantile_loss", at, {"q": 0.75}, "hess", [0, 0]),
        ("HuberLoss", {"delta": 1.0}, "huber_loss", at, {}, "hess", [1, 0]),
    ):
        them = ask(name, own, np.array(arrays["target"]), np.array(arrays["input"]))[part]
        theirs = f"sklearn._loss.loss.{name}, {part} at the kink"
        difference(theirs, loss, arrays, options | none, part, them, here)

    for name, args, loss, t, options in (
        ("Hinge", (1.0,), "hinge_loss", signs, {}),
        ("Hinge", (0.0,), "hinge_loss", signs, {"margin": 0.0}),
        ("SquaredHinge", (), "squared_hinge_loss", signs, {}),
        ("ModifiedHuber", (), "modified_huber_loss", signs, {}),
        ("EpsilonInsensitive", (0.5,), "epsilon_insensitive_loss", y, {"epsilon": 0.5}),
        (
            "SquaredEpsilonInsensitive",
            (0.5,),
            "squared_epsilon_insensitive_loss",
            y,
            {"epsilon": 0.5},
        ),
    ):
        each = getattr(_sgd_fast, name)(*args)
        edges = np.array([*x, -1.0, -2.0, 2.0])
        targets = np.array([*t, 1.0, 1.0, -1.0])
        value, grad = (
            [f(a, b) for a, b in zip(edges, targets, strict=True)]
            for f in (each.py_loss, each.py_dloss)
        )
        theirs = f"sklearn.linear_model._sgd_fast.{name}{args}"
        case(theirs, loss, of(edges, targets), options | none, value=value, grad=grad)
    slope = _sgd_fast.Hinge(1.0).py_dloss(1.0, 1.0)
    theirs = "sklearn.linear_model._sgd_fast.Hinge, slope at the kink"
    difference(theirs, "hinge_loss", of([1.0], [1.0]), none, "grad", [slope], [0])

    p, weighted = PROBABILITIES.ravel(), {"sample_weight": w}
    mean = {"reduction": "weighted_mean"}
    for name, loss, a, t, target, own, options, more in (
        ("mean_squared_error", "mse_loss", x, y, y, {}, {}, {}),
        ("mean_absolute_error", "l1_loss", x, y, y, {}, {}, {}),
        ("mean_absolute_percentage_error", "mape_loss", x, y, y, {}, {}, {}),
        ("mean_squared_log_error", "msle_loss", rates, counts, counts, {}, {}, {}),
        ("mean_pinball_loss", "quantile_loss", x, y, y, {"alpha": 0.75}, {"q": 0.75}, {}),
        ("log_loss", "binary_cross_entropy", p, labels, labels, {}, {}, {}),
        ("hinge_loss", "hinge_loss", x, signs, signs, {}, {}, {}),
        (
            "mean_poisson_deviance",
            "poisson_nll_loss",
            rates,
            counts,
            counts,
            {},
            identity | {"eps": 0.0},
            {"times": 2.0, "deviance": True},
        ),
        (
            "mean_gamma_deviance",
            "gamma_nll_loss",
            rates,
            positive,
            positive,
            {},
            identity,
            {"times": 2.0, "deviance": True},
        ),
        (
            "mean_tweedie_deviance",
            "tweedie_loss",
            rates,
            positive,
            positive,
            {"power": 1.5},
            identity,
            {"times": 2.0, "deviance": True},
        ),
    ):
        for more_own in ({}, weighted):
            called = ", ".join([*(f"{k}={v}" for k, v in own.items()), *more_own])
            value = getattr(metrics, name)(t, a, **own, **more_own)
            arrays = of(a, target, w if more_own else None)
            theirs = f"sklearn.metrics.{name}({called})"
            case(theirs, loss, arrays, options | mean, value=value, **more)
    multinomial = private.HalfMultinomialLoss(n_classes=3)
    y_float = CLASSES.astype(float)
    value = multinomial.loss(y_true=y_float, raw_prediction=LOGITS)
    grad, hess = multinomial.gradient_hessian(y_true=y_float, raw_prediction=LOGITS)
    answer = {"value": value, "grad": grad, "hess": hess}
    by_rows = of(LOGITS, CLASSES)
    theirs = "sklearn._loss.loss.HalfMultinomialLoss(n_classes=3)"
    case(theirs, "cross_entropy", by_rows, none, **answer)
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    rows_of = PER_CLASS[CLASSES]
    for own, arrays in (
        ({}, by_rows),
        ({"sample_weight": rows_of}, by_rows | {"weight": PER_CLASS}),
    ):
        called = ", ".join(own)
        value = metrics.log_loss(CLASSES, shares, **own)
        theirs = f"sklearn.metrics.log_loss({called}) of the softmax"
        case(theirs, "cross_entropy", arrays, mean, value=value)
        # The largest wrong score, of Crammer and Singer.
        value = metrics.hinge_loss(CLASSES, LOGITS, **own)
        theirs = f"sklearn.metrics.hinge_loss({called}), three classes"
        case(theirs, "categorical_hinge_loss", arrays, mean, value=value)
    brier = metrics.brier_score_loss
    value = brier(CLASSES, shares)
    theirs = "sklearn.metrics.brier_score_loss of the softmax, three classes"
    case(theirs, "brier_loss", by_rows, value=value)
    pair, labels_of = LOGITS[:, :2], np.array([1, 0, 0, 1])
    shares = np.exp(pair) / np.exp(pair).sum(axis=1, keepdims=True)
    arrays = of(pair, labels_of)
    value = brier(labels_of, shares[:, 1], scale_by_half=False)
    theirs = "sklearn.metrics.brier_score_loss(scale_by_half=False), two classes"
    case(theirs, "brier_loss", arrays, value=value)
    value = brier(labels_of, shares[:, 1])
    theirs = "sklearn.metrics.brier_score_loss, two classes: halved"
    case(theirs, "brier_loss", arrays, value=value, times=0.5)
    theirs = "sklearn.metrics.log_loss, clipped to the epsilon of float64"
    them = metrics.log_loss([1.0], [0.0], labels=[0, 1])
    difference(theirs, "binary_cross_entropy", of([0.0], [1.0]), {}, "value", them, 100.0)


# ---- SciPy ---------------------------------------------------------------------------------


def scipy() -> None:
    from scipy import optimize, special, stats
    from scipy.spatial import distance

    x, y = X.ravel(), Y.ravel()
    d, none, each = x - y, {"reduction": "none"}, {"reduction": "sum"}
    k = {"delta": 1.5}
    case("scipy.special.huber", "huber_loss", of(x, y), k | none, value=special.huber(1.5, d))
    value = special.pseudo_huber(1.5, d)
    case("scipy.special.pseudo_huber", "pseudo_huber_loss", of(x, y), k | none, value=value)
    log_others = np.log(OTHERS)
    value = special.rel_entr(MASSES, OTHERS)
    case("scipy.special.rel_entr", "kl_div", of(log_others, MASSES), none, value=value)
    value = special.kl_div(MASSES, OTHERS) + MASSES - OTHERS
    case("scipy.special.kl_div + t - p", "kl_div", of(log_others, MASSES), none, value=value)
    for name, loss, options in (
        ("linear", "mse_loss", {}),
        ("huber", "huber_loss", k),
        ("soft_l1", "pseudo_huber_loss", k),
        ("cauchy", "cauchy_loss", {"c": 1.5}),
    ):
        # Stopped at the start, where the Jacobian is the identity.
        found = optimize.least_squares(
            lambda z: z - y, x, loss=name, f_scale=1.5, max_nfev=1, jac=lambda z: np.eye(z.size)
        )
        assert (found.x == x).all()
        times = 0.5 if name == "linear" else 1.0
        answer = {"value": found.cost, "grad": found.grad}
        theirs = f"scipy.optimize.least_squares(loss={name!r}, f_scale=1.5): cost, grad"
        case(theirs, loss, of(x, y), options | each, times=times, **answer)
    value = sum(distance.jensenshannon(p, t) ** 2 for p, t in zip(OTHERS, MASSES, strict=True))
    theirs = "scipy.spatial.distance.jensenshannon, squares of two rows"
    case(theirs, "js_div", of(log_others, np.log(MASSES)), each, value=value)
    value = (
        special.logsumexp(LOGITS, axis=1) - np.take_along_axis(LOGITS, CLASSES[:, None], 1)[:, 0]
    )
    theirs = "scipy.special.logsumexp less the score of the class"
    case(theirs, "cross_entropy", of(LOGITS, CLASSES), none, value=value)
    value = -special.log_softmax(LOGITS, axis=1).ravel()[np.arange(4) * 3 + CLASSES]
    case("scipy.special.log_softmax", "cross_entropy", of(LOGITS, CLASSES), none, value=value)
    for q in (0.25, 0.9):
        theirs = f"scipy.stats.expectile(alpha={q}), where the slopes cancel"
        arrays = of(np.full(y.size, stats.expectile(y, alpha=q)), y)
        case(theirs, "expectile_loss", arrays, {"q": q} | each, sum_of_grad=0.0)


# ---- XGBoost -------------------------------------------------------------------------------


def xgboost() -> None:
    import xgboost as xgb

    def fitted(objective: str, x: Any, t: Any, rounds: int, **own: Any) -> Any:
        data = xgb.DMatrix(np.zeros((len(x), 1)), label=t, base_margin=x)
        own = {"objective": objective, "reg_lambda": 0, "learning_rate": 1, "base_score": 0.5} | own
        return xgb.train(own | {"min_child_weight": 0}, data, rounds), data

    def derivatives(objective: str, x: Any, t: Any, **own: Any) -> dict[str, Any]:
        """From a tree of one leaf for each: its weight is -gradient / hessian."""
        answers = []
        for a, b in zip(x, t, strict=True):
            model = json.loads(fitted(objective, [a], [b], 1, **own)[0].save_raw("json"))
            tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
            weight, hess = tree["base_weights"][0], tree["sum_hessian"][0]
            answers.append((-weight * hess, hess))
        grad, hess = zip(*answers, strict=True)
        return {"grad": grad, "hess": hess}

    def metric(objective: str, x: Any, t: Any, name: str, **own: Any) -> float:
        model, data = fitted(objective, x, t, 0, eval_metric=name, **own)
        return float(model.eval(data).rsplit(":", 1)[1])

    x, y = X.ravel(), Y.ravel()
    rates, counts, positive = (a.ravel() for a in (RATES, COUNTS, POSITIVE))
    labels, signs = LABELS.ravel(), SIGNS.ravel()
    near = np.log(counts + 0.5)  # whose steps are not clipped
    power = {"tweedie_variance_power": 1.3}
    slope = {"huber_slope": 1.5}
    bce = "binary_cross_entropy_with_logits"
    none = {"reduction": "none"}
    for objective, loss, a, t, target, own, options, more in (
        ("reg:squarederror", "mse_loss", x, y, y, {}, {}, {"times": 0.5}),
        ("reg:squaredlogerror", "msle_loss", rates, counts, counts, {}, {}, {"times": 0.5}),
        ("reg:pseudohubererror", "pseudo_huber_loss", x, y, y, slope, {"delta": 1.5}, {}),
        ("reg:gamma", "gamma_nll_loss", x, positive, positive, {}, {}, {}),
        ("reg:tweedie", "tweedie_loss", x, counts, counts, power, {"power": 1.3}, {}),
        ("count:poisson", "poisson_nll_loss", near, counts, counts, {}, {}, {"hess": None}),
        ("binary:logistic", bce, x, labels, labels, {}, {}, {}),
        (
            "binary:hinge",
            "hinge_loss",
            [*x, 1.0],
            [*labels, 1.0],
            [*signs, 1.0],
            {},
            {},
            {"hess": None},
        ),
        (
            "reg:quantileerror",
            "quantile_loss",
            x + 0.01,
            y,
            y,
            {"quantile_alpha": 0.75},
            {"q": 0.75},
            {"hess": None},
        ),
    ):
        answer = derivatives(objective, a, t, **own) | more
        if objective == "reg:squaredlogerror":  # whose curvature has a floor of 1e-6
            assert min(answer["hess"]) > 1e-5
        called = "".join(f", {k}={v}" for k, v in own.items())
        theirs = f"xgboost {objective}{called}"
        case(theirs, loss, of(a, target), options | none, rtol=SINGLE, **answer)
    identity = {"log_input": False}
    for objective, name, loss, a, t, here, own, options, more in (
        ("reg:squarederror", "mae", "l1_loss", x, y, x, {}, {}, {}),
        ("reg:pseudohubererror", "mphe", "pseudo_huber_loss", x, y, x, slope, {"delta": 1.5}, {}),
        ("reg:squarederror", "mape", "mape_loss", rates, positive, rates, {}, {}, {}),
        ("binary:logistic", "logloss", bce, x, labels, x, {}, {}, {}),
        (
            "count:poisson",
            "poisson-nloglik",
            "poisson_nll_loss",
            x,
            counts,
            x,
            {},
            {"full": "exact"},
            {},
        ),
        ("reg:gamma", "gamma-nloglik", "gamma_nll_loss", x, positive, x, {}, {}, {}),
        (
            "reg:gamma",
            "gamma-deviance",
            "gamma_nll_loss",
            x,
            positive,
            np.exp(x),
            {},
            identity,
            {"times": 2.0, "deviance": True, "rtol": 1e-5},
        ),
        (
            "reg:tweedie",
            "tweedie-nloglik@1.3",
            "tweedie_loss",
            x,
            counts,
            x,
            {},
            {"power": 1.3},
            {},
        ),
        (
            "reg:quantileerror",
            "quantile",
            "quantile_loss",
            x,
            y,
            x,
            {"quantile_alpha": 0.75},
            {"q": 0.75},
            {},
        ),
    ):
        value = metric(objective, a, t, name, **own)
        case(
            f"xgboost metric {name}",
            loss,
            of(here, t),
            options,
            value=value,
            **({"rtol": SINGLE} | more),
        )
    hess = derivatives("count:poisson", near, counts)["hess"]
    theirs = "xgboost 3.2 count:poisson: e^max_delta_step times the curvature"
    arrays = of(near, counts)
    times = [1, 1, e**0.7]
    case(theirs, "poisson_nll_loss", arrays, none, hess=hess, times=times, rtol=SINGLE)
    d, least = x - y, 0.75
    share = np.where(d < 0, least, 1 - least)  # where d is 0 the slope is 0, whatever the share
    theirs = "xgboost 3.3 reg:expectileerror, expectile_alpha=0.75: hand-evaluated from its source"
    options = {"q": least} | none
    case(theirs, "expectile_loss", of(x, y), options, grad=share * d, times=0.5)
    kink = derivatives("reg:quantileerror", [1.0], [1.0], quantile_alpha=0.75)
    for part in ("grad", "hess"):
        theirs = f"xgboost 3.2 reg:quantileerror, {part} at the kink"
        arrays = of([1.0], [1.0])
        difference(theirs, "quantile_loss", arrays, {"q": 0.75} | none, part, kink[part], [0])


# ---- LightGBM ------------------------------------------------------------------------------


def lightgbm() -> None:
    import lightgbm as lgb

    equal = 64

    def fitted(x: Any, t: Any, rate: float, **own: Any) -> Any:
        """One tree, with a leaf of equal rows for each number; LightGBM estimates their counts."""
        feature = np.repeat(np.arange(len(x)), equal).astype(float)[:, None]
        least = {"min_data_in_leaf": 1, "min_data_in_bin": 1}
        data = lgb.Dataset(
            feature, np.repeat(t, equal), init_score=np.repeat(x, equal), params=least
        )
        own = least | {"learning_rate": rate, "min_sum_hessian_in_leaf": 0} | own
        own |= {"boost_from_average": False, "verbose": -1, "num_threads": 1}
        scores: dict[str, Any] = {}
        record = [lgb.record_evaluation(scores)]
        model = lgb.train(own, data, 1, valid_sets=[data], callbacks=record)
        return model, scores["training"]

    def derivatives(x: Any, t: Any, **own: Any) -> dict[str, Any]:
        """From a tree of two leaves for each: a leaf's value is -gradient / hessian."""
        answers = []
        for a, b in zip(x, t, strict=True):
            other = 1 - b if own["objective"] == "binary" else b  # which needs both classes
            model, _ = fitted([a, a - 1.5], [b, other], 1.0, **own)
            leaf = model.dump_model()["tree_info"][0]["tree_structure"]["left_child"]
            assert leaf["leaf_count"] == equal
            hess = leaf["leaf_weight"] / equal
            answers.append((-leaf["leaf_value"] * hess, hess))
        grad, hess = zip(*answers, strict=True)
        return {"grad": grad, "hess": hess}

    x, y, none = X.ravel(), Y.ravel(), {"reduction": "none"}
    counts, positive, labels = (a.ravel() for a in (COUNTS, POSITIVE, LABELS))
    bce = "binary_cross_entropy_with_logits"
    power = {"tweedie_variance_power": 1.3}
    soft = np.array([0.25, 0.75, 0.5, 0.0, 1.0, 0.125])
    for name, loss, a, t, own, options, more in (
        ("regression", "mse_loss", x, y, {}, {}, {"times": 0.5}),
        ("huber", "huber_loss", x, y, {"alpha": 1.5}, {"delta": 1.5}, {"hess": None}),
        ("fair", "fair_loss", x, y, {"fair_c": 1.5}, {"c": 1.5}, {}),
        ("poisson", "poisson_nll_loss", x, positive, {}, {}, {"times": [1, 1, e**0.7]}),
        ("gamma", "gamma_nll_loss", x, positive, {}, {}, {}),
        ("tweedie", "tweedie_loss", x, positive, power, {"power": 1.3}, {}),
        ("binary", bce, x, labels, {}, {}, {}),
        ("cross_entropy", bce, x, soft, {}, {}, {}),
    ):
        answer = derivatives(a, t, objective=name, **own) | more
        called = "".join(f", {k}={v}" for k, v in own.items())
        case(f"lightgbm {name}{called}", loss, of(a, t), options | none, rtol=SINGLE, **answer)
    for name, loss, a, t, own, options, more in (
        ("l2", "mse_loss", x, y, {}, {}, {}),
        ("l1", "l1_loss", x, y, {}, {}, {}),
        ("huber", "huber_loss", x, y, {"alpha": 1.5}, {"delta": 1.5}, {}),
        ("fair", "fair_loss", x, y, {"fair_c": 1.5}, {"c": 1.5}, {}),
        ("quantile", "quantile_loss", x, y, {"alpha": 0.75}, {"q": 0.75}, {}),
        ("mape", "mape_loss", x, y, {}, {"eps": 1.0}, {}),
        ("poisson", "poisson_nll_loss", x, counts, {}, {}, {}),
        ("gamma", "gamma_nll_loss", x, positive, {}, {}, {}),
        ("tweedie", "tweedie_loss", x, counts, power, {"power": 1.3}, {}),
        ("binary_logloss", bce, x, labels, {}, {}, {}),
    ):
        objective = {"binary_logloss": "binary", "l2": "regression"}.get(name, name)
        _, scores = fitted(a, t, 1e-30, objective=objective, metric=name, **own)
        arrays = of(a, t)
        case(
            f"lightgbm metric {name}",
            loss,
            arrays,
            options,
            value=scores[name][0],
            rtol=SINGLE,
            **more,
        )
    hess = derivatives(x, y, objective="huber", alpha=1.5)["hess"]
    arrays = of(x, y)
    here = (abs(x - y) < 1.5).astype(float)
    options = {"delta": 1.5} | none
    difference("lightgbm huber: hess", "huber_loss", arrays, options, "hess", hess, here)

    def sums(objective: str, x: Any, t: Any, **own: Any) -> float:
        """The mean of the gradients of two rows that are the left branch of the tree, before the
        leaves are renewed, and of two curvatures."""
        tree = fitted(x, t, 1.0, objective=objective, **own)[0].dump_model()["tree_info"][0]
        pair = tree["tree_structure"]["left_child"]
        assert pair["internal_count"] == 2 * equal
        assert pair["internal_weight"] == 2 * equal  # curvatures of 1, also at the kink
        return float(-pair["internal_value"])

    at, to, grad = np.array([3.0, 5.0, 9.0]), np.array([3.0, 7.0, -9.0]), "grad"
    kink, here = of([3.0], [3.0]), [0.0]
    slope = 2 * sums("quantile", at, to, alpha=0.75) + 0.75
    options = {"q": 0.75} | none
    difference(
        "lightgbm quantile, slope at the kink", "quantile_loss", kink, options, grad, [slope], here
    )
    slope = 2 * sums("regression_l1", at, to) + 1
    case("lightgbm regression_l1, slope at the kink", "l1_loss", kink, none, grad=[slope])
    # The curvature of mape is 1, as that of the absolute error whose weight is 1 / max(1, |t|).
    slope = 2 * sums("mape", at, to)
    arrays = of(at[:2], to[:2])
    options = {"eps": 1.0, "reduction": "sum"}
    case("lightgbm mape, slopes", "mape_loss", arrays, options, sum_of_grad=slope, rtol=1e-5)


def main() -> None:
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    warnings.simplefilter("ignore")
    for ask in (tensorflow, optax, monai, sklearn, scipy, xgboost, lightgbm):
        ask()
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    about = (
        f"{versions}; written by tests/peers/record_others.py. The numbers of a case are `times` "
        "those of the call here (one factor, or one of each part), those of a difference are not. "
        "Gradients of XGBoost and LightGBM are read off the leaves of one tree."
    )
    parts = (",\n".join(json.dumps(c, ensure_ascii=False) for c in a) for a in (cases, differences))
    text = '{{"about": {},\n"cases": [\n{}\n],\n"differences": [\n{}\n]}}\n'
    DATA.write_text(text.format(json.dumps(about), *parts), encoding="utf-8")
    print(
        f"{len(cases)} cases, {len(differences)} differences, {DATA.stat().st_size} bytes: {DATA}"
    )


if __name__ == "__main__":
    main()
