"""Loss functions for NumPy arrays: value, gradient and curvature in one compiled pass."""
# ruff: noqa: F403 (what a module offers is its __all__)

__version__ = "0.1.0"

from fusedloss import activations, binary, classification, distributions, margins, regression
from fusedloss._dispatch import get_num_threads, set_num_threads, show_config
from fusedloss._loss import Activation, Criterion, Loss
from fusedloss.activations import *
from fusedloss.binary import *
from fusedloss.classification import *
from fusedloss.distributions import *
from fusedloss.margins import *
from fusedloss.regression import *

__all__ = [
    "Activation",
    "Criterion",
    "Loss",
    "get_num_threads",
    "set_num_threads",
    "show_config",
]
__all__ += activations.__all__
__all__ += binary.__all__
__all__ += classification.__all__
__all__ += distributions.__all__
__all__ += margins.__all__
__all__ += regression.__all__
__all__.sort()
