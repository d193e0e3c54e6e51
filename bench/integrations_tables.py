"""A loss of columns of pandas, polars and Arrow: its time divided by that of the same arrays.

PYTHONPATH=src:. python -m bench.integrations_tables      one thread, all in turns
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import fusedloss as fl
from bench.interleave import interleave

COLUMNS: dict[str, Any] = {
    "NumPy": np.asarray,
    "pandas": pd.Series,
    "pandas Float64": lambda x: pd.Series(x, dtype="Float64"),
    "polars": pl.Series,
    "pyarrow": pa.array,
}


def main() -> None:
    fl.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, t, grad = rng.normal(size=1_000_000), rng.normal(size=1_000_000), np.empty(1_000_000)
    columns = {name: (make(x), make(t)) for name, make in COLUMNS.items()}
    functions = {
        name: partial(fl.huber_loss.value_and_grad, *pair, grad_out=grad)
        for name, pair in columns.items()
    }
    outcome = interleave(functions, 5)
    for name in functions:
        print(f"{name:16}{outcome.ratio(name, 'NumPy'):6.2f}")


if __name__ == "__main__":
    main()
