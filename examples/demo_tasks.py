"""The data and the learning tasks of demo.py."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from demo_training import FloatArray, Loss, Target, Task
from numpy.typing import NDArray

import fusedloss as fl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests import twins

DATA = Path(__file__).resolve().parent / "data"
SPLIT_SEED = 0  # which rows are held out does not depend on --seed
HELD_OUT = 0.25
HUBER_DELTA = 50.0  # in units of the target; beyond it, an error counts linearly
SPOILT = 0.10


# --- the same loss from two libraries ------------------------------------------------------


def with_fusedloss(loss: Any, **options: float) -> Loss:
    """A loss of fusedloss with its options; the gradient goes to the caller's buffer."""
    return Loss(
        value=partial(loss, **options),
        value_and_grad=lambda output, target, buffer: loss.value_and_grad(
            output, target, grad_out=buffer, **options
        ),
    )


def with_numpy(
    value: Callable[..., Any], value_and_grad: Callable[..., Any], **options: float
) -> Loss:
    """The NumPy twin of a loss with its options; it makes a new array for the gradient."""
    return Loss(
        value=partial(value, **options),
        value_and_grad=lambda output, target, buffer: value_and_grad(output, target, **options),
    )


# --- handwritten digits --------------------------------------------------------------------


def digit_tasks(epochs: int) -> list[Task]:
    """Three ways to learn the digits: 8x8 pixels in, scores of ten classes out."""
    table = np.loadtxt(DATA / "digits.csv.gz", delimiter=",", dtype=np.float32)
    pixels, labels = table[:, :64] / np.float32(16), table[:, 64].astype(np.intp)
    train, held_out = split(len(table))
    digits = partial(
        Task,
        inputs=pixels[train],
        held_out_inputs=pixels[held_out],
        held_out_targets=labels[held_out],
        score=accuracy,
        score_format="held-out accuracy {:.2f} %",
        epochs=epochs,
        batch_size=128,
    )
    one_of_ten = partial(
        digits,
        targets=labels[train],
        fused=with_fusedloss(fl.cross_entropy),
        twin=with_numpy(twins.cross_entropy, twins.cross_entropy_and_grad),
    )
    ten_times_yes_or_no = partial(  # is it a 0? is it a 1? ...
        digits,
        targets=np.eye(10, dtype=np.float32)[labels[train]],
        fused=with_fusedloss(fl.binary_cross_entropy_with_logits),
        twin=with_numpy(
            twins.binary_cross_entropy_with_logits,
            twins.binary_cross_entropy_with_logits_and_grad,
        ),
    )
    return [
        one_of_ten("softmax regression", layers=(64, 10), rate=0.2, l2=1e-4),
        one_of_ten("two-layer network", layers=(64, 64, 10), rate=0.1, l2=1e-4),
        # The mean is over ten times as many losses, hence the larger rate and the smaller l2.
        ten_times_yes_or_no("one-vs-rest logistic", layers=(64, 10), rate=3.0, l2=1e-5),
    ]


def split(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Shuffled row numbers: for training, and to hold out."""
    order = np.random.default_rng(SPLIT_SEED).permutation(count)
    held_out = round(HELD_OUT * count)
    return order[held_out:], order[:held_out]


def accuracy(output: FloatArray, labels: Target) -> float:
    """Per cent of the rows whose largest output is that of the right class."""
    return 100 * float(np.mean(output.argmax(axis=1) == labels))


# --- diabetes ------------------------------------------------------------------------------


def regression_tasks(epochs: int, rng: np.random.Generator) -> list[Task]:
    """Linear regression from clean targets, and with two losses from spoilt ones."""
    table = np.loadtxt(DATA / "diabetes.csv", delimiter=",", dtype=np.float32)
    features, targets = table[:, :10], table[:, 10:]
    train, held_out = split(len(table))
    features = (features - features[train].mean(axis=0)) / features[train].std(axis=0)
    regression = partial(
        Task,
        inputs=features[train],
        held_out_inputs=features[held_out],
        held_out_targets=targets[held_out],
        score=mean_absolute_error,
        score_format="held-out MAE {:.2f}",
        layers=(10, 1),
        epochs=epochs,
        batch_size=len(train),
        rate=0.1,
        momentum=0.0,
    )
    squared = partial(
        regression,
        fused=with_fusedloss(fl.mse_loss),
        twin=with_numpy(twins.mse_loss, twins.mse_loss_and_grad),
    )
    huber = partial(
        regression,
        fused=with_fusedloss(fl.huber_loss, delta=HUBER_DELTA),
        twin=with_numpy(twins.huber_loss, twins.huber_loss_and_grad, delta=HUBER_DELTA),
    )
    spoilt = spoil(targets[train], rng)
    return [
        squared("mse_loss, clean data", targets=targets[train]),
        squared("mse_loss, spoilt data", targets=spoilt),
        huber("huber_loss, spoilt data", targets=spoilt),
    ]


def spoil(targets: FloatArray, rng: np.random.Generator) -> FloatArray:
    """The targets, with the decimal point of some of them slipped by one place."""
    spoilt = targets.copy()
    rows = rng.choice(len(targets), size=round(SPOILT * len(targets)), replace=False)
    spoilt[rows] *= 10
    return spoilt


def mean_absolute_error(output: FloatArray, targets: Target) -> float:
    """MAE in units of the target."""
    return float(fl.l1_loss(output, targets))


def root_mean_square_error(output: FloatArray, targets: Target) -> float:
    """RMSE in units of the target."""
    return math.sqrt(fl.mse_loss(output, targets))
