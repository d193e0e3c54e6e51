"""That the fuzzer finds no fault here, and finds each kind of fault that is put in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.fuzz.calls import functions
from tests.fuzz.checks import ACCEPTED
from tests.fuzz.run import fuzz, main, report
from tests.samples import ORDERS


class Broken:
    """A loss whose results, and whatever else, a function changes."""

    def __init__(self, loss: Any, spoil: Callable[..., Any], swallow: bool = False) -> None:
        self.__signature__, self.curved = loss.__signature__, loss.curved
        for order, name in enumerate(ORDERS):
            vars(self)[name] = self._method(getattr(loss, name), order, spoil, swallow)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return vars(self)["__call__"](*args, **kwargs)

    def _method(self, method: Any, order: int, spoil: Any, swallow: bool) -> Any:
        def broken(**given: Any) -> Any:
            try:
                got = method(**given)
            except ACCEPTED:
                if swallow:
                    return None
                raise
            parts = list(got) if order else [got]
            spoil(parts, given)
            return tuple(parts) if order else parts[0]

        return broken


def value(parts: list[Any], given: Any) -> None:
    parts[0] = parts[0] * parts[0].dtype.type(1.001)


def gradient(parts: list[Any], given: Any) -> None:
    if len(parts) > 1 and "grad_out" not in given:
        parts[1] = -parts[1]


def curvature(parts: list[Any], given: Any) -> None:
    if len(parts) > 2 and "hess_out" not in given:
        parts[2] = parts[2] + parts[2].dtype.type(1)


def threads(parts: list[Any], given: Any) -> None:
    if fl.get_num_threads() == 7:
        parts[0] = np.nextafter(parts[0], parts[0].dtype.type(np.inf))


def outside(parts: list[Any], given: Any) -> None:
    if isinstance(getattr(given.get("grad_out"), "base", None), np.ndarray):
        given["grad_out"].base.flat[3] = 0


def other(parts: list[Any], given: Any) -> None:
    if len(parts) > 1:
        parts[1] = np.array(parts[1])


def inputs(parts: list[Any], given: Any) -> None:
    if given["target"].flags.writeable and given["target"].size:
        given["target"].flat[0] = 1 - given["target"].flat[0]


def layout(parts: list[Any], given: Any) -> None:
    if given["input"].strides and given["input"].strides[0] < 0:
        parts[0] = parts[0] * parts[0].dtype.type(1.001)


def reduction(parts: list[Any], given: Any) -> None:
    if given["reduction"] == "batchmean":
        parts[0] = parts[0] * parts[0].dtype.type(2)


def wide(parts: list[Any], given: Any) -> None:
    if "out" not in given:
        parts[0] = np.asarray(parts[0]).astype(np.longdouble)


def numbers_of_nan(parts: list[Any], given: Any) -> None:
    if "out" not in given and np.isnan(given["input"].astype(float)).any():
        parts[0] = np.nan_to_num(parts[0])


FAULTS: dict[Callable[..., Any], str] = {
    value: "value is wrong",
    gradient: "gradient is wrong",
    curvature: "second derivative is wrong",
    threads: "number of threads",
    outside: "a buffer",
    other: "a buffer",
    inputs: "input is written to",
    layout: "dtype, layout or order",
    reduction: "a reduced value",
    wide: "dtype or shape",
    numbers_of_nan: "made of nan",
}


def run(calls: int, **options: Any) -> list[Any]:
    return fuzz(1, 120, calls=calls, say=lambda text: None, **options)


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda f: f.__name__)
def test_faults_are_found(spoil: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """And the call that is named shows it again."""
    monkeypatch.setattr(fl, "mse_loss", Broken(fl.mse_loss, spoil))
    table = {"mse_loss": functions()["mse_loss"]}
    found = run(200, table=table, keep_going=True)
    assert any(FAULTS[spoil] in fault.what for _, fault in found), found
    number, fault = found[0]
    assert run(1, first=number, table=table)[0][1].what == fault.what
    text = report(fault, 1, number)
    assert f"SEED=1 CALL={number}" in text and "fl.mse_loss.value_grad_hess(input=input" in text


def test_bad_calls_must_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fl, "mse_loss", Broken(fl.mse_loss, lambda *_: None, swallow=True))
    found = run(50, table={"mse_loss": functions()["mse_loss"]}, keep_going=True)
    assert any(fault.what == "a bad call is accepted" for _, fault in found)


def test_every_loss_and_activation_takes_part() -> None:
    names = {n for n in fl.__all__ if isinstance(getattr(fl, n), fl.Loss | fl.Activation)}
    assert set(functions()) == {n for n in names if n == n.lower()}


def test_no_fault(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warnings.simplefilter", lambda *_: None)  # pytest has its own
    monkeypatch.setattr("sys.argv", ["fuzz", "--seconds", "2", "--seed", "1"])
    code = main()
    text = capsys.readouterr().out
    assert not code, text
    assert text.startswith("seed 1\n") and "mse_loss" in text
