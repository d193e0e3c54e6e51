"""The same as torch, live, but for the deliberate differences, which are stated at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.peers.record import DATA, as_arrays, ask_torch, questions
from tests.samples import CASES, Call, Case, elementwise, rows

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]

nan, inf = np.nan, np.inf
TORCH_REDUCTIONS = ("mean", "sum", "none")
ANY = pytest.mark.parametrize("case", CASES, ids=str)
REDUCTION = pytest.mark.parametrize("reduction", TORCH_REDUCTIONS)


def agree(call: Call, hessian: bool = True, **options: Any) -> None:
    """Value, gradient and second derivative to 1e-9."""
    if not hasattr(torch.nn.functional, call.loss.__name__):
        pytest.skip("torch has no such loss")
    ours = call.run(2, **options)
    options = {k: v for k, v in (call.options | options).items() if k != "axis"}
    theirs = ask_torch(call.loss.__name__, call.arrays, options, hessian)
    for part, expected, what in zip(ours, theirs, ("value", "gradient", "hessian"), strict=True):
        if what != "hessian" or hessian:
            np.testing.assert_allclose(part, expected, rtol=1e-9, atol=1e-12, err_msg=what)


@ANY
@REDUCTION
@pytest.mark.parametrize("seed", [0, 1])
def test_random(case: Case, reduction: str, seed: int) -> None:
    if isinstance(case, reg.Rows):
        agree(rows(case, (6, 4), seed=seed), reduction=reduction)
        agree(rows(case, (300, 70), seed=seed), hessian=False, reduction=reduction)
        agree(rows(case, (2, 4, 3), seed=seed), reduction=reduction)
        agree(rows(case, (2, 3, 2, 2, 2), seed=seed), reduction=reduction)
    else:
        for weighted in (False, True):
            agree(elementwise(case, (5, 6), weighted=weighted, seed=seed), reduction=reduction)
            agree(elementwise(case, (40_000,), seed=seed), hessian=False, reduction=reduction)


@ANY
@REDUCTION
def test_zero_weights(case: Case, reduction: str) -> None:
    if isinstance(case, reg.Rows):
        for w in ([0.0, 1, 0, 2], [0.0] * 4):
            agree(rows(case, (5, 4)).having(weight=np.array(w)), reduction=reduction)
    else:
        for scale in (np.arange(6) % 2, np.zeros(6)):
            call = elementwise(case, (5, 6), weighted=True)
            call.arrays["weight"] *= scale
            agree(call, hessian=bool(scale.any()), reduction=reduction)  # 0/0: see the end


@pytest.mark.parametrize("case", [c for c in reg.ROWS if c.target == "class"], ids=str)
@REDUCTION
@pytest.mark.parametrize("ignore", [-100, -1, 2, 9])
def test_ignored_rows(case: reg.Rows, reduction: str, ignore: int) -> None:
    for shape in ((8, 4), (3, 4, 5)):
        call = rows(case, shape)
        call.arrays["target"][::2] = ignore
        agree(call, reduction=reduction, ignore_index=ignore)
        call.arrays["target"][...] = ignore
        agree(call, reduction=reduction, ignore_index=ignore)


@pytest.mark.parametrize("case", [c for c in reg.ROWS if c.loss == "cross_entropy"], ids=str)
@REDUCTION
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_label_smoothing(case: reg.Rows, reduction: str, smoothing: float) -> None:
    agree(rows(case, (6, 4)), reduction=reduction, label_smoothing=smoothing)


@ANY
@REDUCTION
def test_empty(case: Case, reduction: str) -> None:
    call = rows(case, (0, 4)) if isinstance(case, reg.Rows) else elementwise(case, (0, 3))
    agree(call, reduction=reduction)


@pytest.mark.parametrize("case", reg.ROWS, ids=str)
@REDUCTION
def test_unbatched(case: reg.Rows, reduction: str) -> None:
    call = rows(case, (5,), axis=0)
    agree(call, reduction=reduction)


@REDUCTION
def test_infinities(reduction: str) -> None:
    x, t = np.array([inf, -inf, 0, 0]), np.array([0.0, 0, inf, -inf])
    for loss in (fl.mse_loss, fl.l1_loss, fl.huber_loss):
        agree(Call(loss, {"input": x, "target": t}, {}), hessian=False, reduction=reduction)
    logits = np.array([[0, 1, -inf], [0, -inf, 2], [-inf, -inf, 1]])
    for y in ([0, 0, 2], [2, 1, 0]):
        call = Call(fl.cross_entropy, {"input": logits, "target": np.array(y)}, {})
        agree(call, hessian=False, reduction=reduction)
        agree(Call(fl.nll_loss, call.arrays, {}), reduction=reduction)


@ANY
@REDUCTION
def test_nan(case: Case, reduction: str) -> None:
    call = rows(case, (5, 4)) if isinstance(case, reg.Rows) else elementwise(case, (5, 4))
    call.input[1, 2] = nan
    if case.loss == "l1_loss":
        return  # see the end
    agree(call, hessian=False, reduction=reduction)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "sigmoid", "logsigmoid"])
def test_activations(name: str) -> None:
    rng = np.random.default_rng(0)
    f = getattr(fl, name)
    g = torch.logsumexp if name == "logsumexp" else getattr(torch.nn.functional, name)
    rowwise = name not in ("sigmoid", "logsigmoid")
    for axis in (0, 1, 2, -1) if rowwise else (None,):
        x = rng.normal(size=(3, 4, 5)) * 5
        leaf = torch.tensor(x, requires_grad=True)
        expected = g(leaf, dim=axis) if rowwise else g(leaf)
        dy = rng.normal(size=tuple(expected.shape))
        expected.backward(torch.tensor(dy))
        options = {"axis": axis} if rowwise else {}
        np.testing.assert_allclose(f(x, **options), expected.detach(), rtol=1e-9)
        np.testing.assert_allclose(f.vjp(x, dy, **options), leaf.grad, rtol=1e-9, atol=1e-12)


def test_record_is_up_to_date() -> None:
    """peers/record.py asked the questions that it asks now."""
    import json

    recorded = json.loads(DATA.read_text())["cases"]
    asked = [
        {"loss": loss, "arrays": arrays, "options": options}
        for loss, arrays, options in questions()
    ]
    kept = [{k: case[k] for k in ("loss", "arrays", "options")} for case in recorded]
    assert json.dumps(kept) == json.dumps(asked)


# ---- deliberate differences ----------------------------------------------------------------------
# If torch changes here, so must the table in the docs.


def torchs(loss: str, x: Any, t: Any, **options: Any) -> tuple[Any, Any]:
    arrays = as_arrays({"input": x, "target": t})
    return ask_torch(loss, arrays, {"reduction": "none"} | options, hessian=False)[:2]


def test_differs_in_confident_tails() -> None:
    x = np.array([[20, 0]], np.float32)
    assert torchs("cross_entropy", x, [0])[0] == 0 < fl.cross_entropy(x, [0])


def test_differs_at_infinite_logits() -> None:
    assert np.isnan(torchs("binary_cross_entropy_with_logits", [inf], [1.0])[0])
    assert fl.binary_cross_entropy_with_logits([inf], [1.0]) == 0
    assert np.isnan(torchs("cross_entropy", [[inf, 0.0]], [0])[0])
    assert fl.cross_entropy([[inf, 0.0]], [0]) == 0
    assert np.isnan(torchs("cross_entropy", [[0.0, -inf]], [[1.0, 0.0]])[0])
    assert fl.cross_entropy([[0.0, -inf]], [[1.0, 0.0]]) == 0


def test_differs_in_ignored_rows_of_nan() -> None:
    x = [[nan, 0.0], [0.0, 0.0]]
    assert np.isnan(torchs("cross_entropy", x, [-100, 0])[1][0]).all()
    assert not fl.cross_entropy.value_and_grad(x, [-100, 0])[1][0].any()


def test_differs_in_the_slope_of_l1_at_nan() -> None:
    """NaN in, NaN out, also where it is of inf - inf."""
    for x in (inf, nan):
        assert torchs("l1_loss", [x], [inf])[1] == 0
        assert np.isnan(fl.l1_loss.value_and_grad([x], [inf])[1])


def test_differs_in_second_derivatives_of_means_over_nothing() -> None:
    """With all weights 0 the mean is 0/0, and so are its derivatives; torch's constant 0 is not."""
    arrays = as_arrays({"input": [1.0], "target": [0.0], "weight": [0.0]})
    assert ask_torch("l1_loss", arrays, {})[2] == 0
    assert np.isnan(fl.l1_loss.value_grad_hess(**arrays)[2])
