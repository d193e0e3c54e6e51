"""Losses as objectives of XGBoost, LightGBM and CatBoost, with their metrics and starts.

An objective gives a booster the gradient and the second derivative of the loss for each row. Each
booster has its own conventions of sign, scale, floor, dtype and order; an objective follows these,
and the kernel does what they ask for.
"""

from fusedloss.boosting._catboost import CatBoostMetric, CatBoostObjective, catboost
from fusedloss.boosting._grades import thresholds
from fusedloss.boosting._lightgbm import LightGBMMetric, LightGBMObjective, lightgbm
from fusedloss.boosting._objective import Objective
from fusedloss.boosting._xgboost import XGBoostMetric, XGBoostObjective, xgboost

__all__ = [
    "CatBoostMetric",
    "CatBoostObjective",
    "LightGBMMetric",
    "LightGBMObjective",
    "Objective",
    "XGBoostMetric",
    "XGBoostObjective",
    "catboost",
    "lightgbm",
    "thresholds",
    "xgboost",
]
