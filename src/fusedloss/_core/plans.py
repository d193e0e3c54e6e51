"""What a loss needs of data that stays the same between calls, computed once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from fusedloss._core.types import Array


class Plan:
    """What a loss needs to know of data that stays the same between calls, such as their order.

    A loss that has plans makes them by its method `plan`, and takes them as the option ``plan=`` in
    the place of that data. A plan cannot be changed; threads may share it, and it can be pickled.
    Plans are equal if they are of one loss and hold the same.

    Attributes
    ----------
    loss : str
        The name of the loss.
    rows : int
        How many rows the data has, and so a call's input.

    Examples
    --------
    >>> import fusedloss as fl
    >>> plan = fl.cox_ph_loss.plan(time=[3.0, 1.0, 2.0], event=[1, 1, 0])
    >>> plan
    <plan of cox_ph_loss: 3 rows, 2 events>
    >>> plan.events
    2
    >>> fl.cox_ph_loss([0.5, 0.0, 1.0], plan=plan)
    np.float64(0.8401348353208673)
    """

    __slots__ = ("_arrays", "_facts", "_hash", "loss", "rows")

    loss: str
    rows: int
    _arrays: tuple[Array | None, ...]
    _facts: dict[str, Any]
    _hash: int | None

    def __init__(
        self,
        loss: str,
        rows: int,
        arrays: tuple[Array | None, ...],
        facts: Mapping[str, Any],
    ) -> None:
        for array in arrays:
            if array is not None:
                array.flags.writeable = False
        for name, value in (
            ("loss", loss),
            ("rows", rows),
            ("_arrays", arrays),
            ("_facts", dict(facts)),
            ("_hash", None),
        ):
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_" and name in self._facts:
            return self._facts[name]
        raise AttributeError(f"a plan of {self.loss} has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._facts if name[:1] != "_")]

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"a plan cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a plan cannot be changed: {name}")

    def __repr__(self) -> str:
        facts = {"rows": self.rows, **self._facts}
        counts = ", ".join(
            f"{n} {name if n != 1 else _SINGULAR.get(name, name[:-1])}"
            for name, n in facts.items()
            if name[:1] != "_" and n is not None
        )
        return f"<plan of {self.loss}: {counts}>"

    def _key(self) -> tuple[Any, ...]:
        return self.loss, self.rows, tuple(self._facts.items())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return self is other or (
            self._key() == other._key()
            and all(
                a is b or (a is not None and b is not None and np.array_equal(a, b))
                for a, b in zip(self._arrays, other._arrays, strict=True)
            )
        )

    def __hash__(self) -> int:
        if self._hash is None:
            parts = (b"" if a is None else a.tobytes() for a in self._arrays)
            object.__setattr__(self, "_hash", hash((self._key(), *parts)))
        return self._hash  # type: ignore[return-value]

    def __copy__(self) -> Plan:
        return self

    def __deepcopy__(self, memo: Any) -> Plan:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.loss, self.rows, self._arrays, self._facts)


_SINGULAR = {"strata": "stratum"}


def _restored(
    loss: str, rows: int, arrays: tuple[Array | None, ...], facts: Mapping[str, Any]
) -> Plan:
    """A plan from a pickle, which need not be what it was."""
    planner = getattr(sys.modules["fusedloss"], loss).planner
    planner.check(rows, arrays)
    return Plan(loss, rows, arrays, facts)


class Planner:
    """How the plan of a loss is made, and used in its call.

    `make` is a function of the data that a plan stands for: the loss's arguments of the same names.
    Those that it takes by position are operands, which a call may leave out if it has a plan; the
    others are options. `check` refuses arrays that are none of a plan.
    """

    def __init__(
        self,
        make: Callable[..., Plan],
        check: Callable[[int, tuple[Array | None, ...]], None],
    ) -> None:
        plain: Any = make
        code = plain.__code__
        names = code.co_varnames
        self.make, self.check = make, check
        self.operands: tuple[str, ...] = names[: code.co_argcount]
        self.options: tuple[str, ...] = names[code.co_argcount :][: code.co_kwonlyargcount]

    def refuse(self, loss: str, plan: Any, options: Mapping[str, Any]) -> None:
        """Raise what is wrong with a plan and the options that it stands for, as far as that can be
        said without operands."""
        if plan is None:
            return
        if not isinstance(plan, Plan):
            raise TypeError(
                f"plan: what {loss}.plan(...) returns is needed, got {type(plan).__name__}"
            )
        if plan.loss != loss:
            raise ValueError(f"plan: this is a plan of {plan.loss}; one of {loss} is needed")
        self._refuse_twice(options)

    def _refuse_twice(self, data: Mapping[str, Any]) -> None:
        for name, value in data.items():
            if value is not None:
                raise TypeError(f"{name}: cannot be given together with plan=, which stands for it")

    def plan_for(
        self, plan: Plan | None, rows: int, operands: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Plan:
        """The plan of a call whose input has so many rows: the one given, or one made for it."""
        if plan is None:
            for name, value in operands.items():
                if value is None:
                    raise TypeError(f"{name}: an array is needed, got None; or pass a plan=")
            return self.make(**operands, **options)
        self._refuse_twice(operands)
        if plan.rows != rows:
            raise ValueError(f"plan: it is of {plan.rows} rows, but input has {rows}")
        return plan
