"""Loss functions for NumPy arrays: value, gradient and curvature in one compiled pass."""

__version__ = "0.1.0"

from fusedloss._dispatch import get_num_threads, set_num_threads, show_config
from fusedloss._loss import Activation, Criterion, Loss
from fusedloss.activations import log_softmax, logsigmoid, logsumexp, sigmoid, softmax
from fusedloss.classification import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    NLLLoss,
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)
from fusedloss.regression import HuberLoss, L1Loss, MSELoss, huber_loss, l1_loss, mse_loss

__all__ = [
    "Activation",
    "BCEWithLogitsLoss",
    "Criterion",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "get_num_threads",
    "huber_loss",
    "l1_loss",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "mse_loss",
    "nll_loss",
    "set_num_threads",
    "show_config",
    "sigmoid",
    "softmax",
]
