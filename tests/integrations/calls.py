"""A call of every loss and activation, with operands that they accept: those of the smoke test."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

import fusedloss as fl
from tests.smoke import RECORD

#: Differ by what the arrays are as well: class numbers, probabilities, lists.
_CASES: Final = json.loads(RECORD.read_text(encoding="utf-8"))["cases"]


class Call:
    """A function of fusedloss, and arguments by name."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.name: str = case["name"]
        self.arrays = {name: np.array(numbers) for name, numbers in case["arrays"].items()}
        self.options: dict[str, Any] = case["options"]
        self.function = getattr(fl, self.name)

    def __str__(self) -> str:
        return self.name

    def in_dtype(self, dtype: Any) -> dict[str, Any]:
        """The arrays, the floating ones in this dtype."""
        return {k: a.astype(dtype) if a.dtype.kind == "f" else a for k, a in self.arrays.items()}

    @property
    def differentiable(self) -> tuple[str, ...]:
        """The arrays that have gradients without being asked for."""
        if isinstance(self.function, fl.Activation):
            return tuple(self.arrays)
        switched = {n for n in self.arrays if f"{n}_grad" in self.function._options}
        return tuple(n for n in self.function.differentiable if n in {*self.arrays} - switched)

    def gradients(self, dtype: Any, **options: Any) -> dict[str, Any]:
        """Those of the function for NumPy."""
        given = {**self.in_dtype(dtype), **self.options, **options}
        grads = self.function.value_and_grad(**given)[1]
        names = self.differentiable
        return dict(zip(names, grads if len(names) > 1 else (grads,), strict=True))


CALLS: Final = [Call(case) for case in _CASES]
LOSSES: Final = [call for call in CALLS if isinstance(call.function, fl.Loss)]
ACTIVATIONS: Final = [call for call in CALLS if isinstance(call.function, fl.Activation)]
