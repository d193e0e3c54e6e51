"""The same as torch, live, but for the deliberate differences, which are stated at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.peers.record import DATA, PAIRED, as_arrays, ask_torch, has_own, questions
from tests.samples import CASES, Call, Case, elementwise, rows

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]

nan, inf = np.nan, np.inf
TORCH_REDUCTIONS = ("mean", "sum", "none")
# With a c of 1e6 the textbook's formula has no digit left.
FIT = [c for c in CASES if not (c.loss == "fair_loss" and c.options["c"] == 1e6)]
ANY = pytest.mark.parametrize("case", FIT, ids=str)
OWN = pytest.mark.parametrize("case", [c for c in CASES if has_own(c.loss, c.options)], ids=str)
REDUCTION = pytest.mark.parametrize("reduction", TORCH_REDUCTIONS)


def asked(call: Call, hessian: bool = True, **options: Any) -> tuple[Any, Any, Any]:
    """Torch's answer to the call: of a paired loss the derivatives that the call has."""
    name = call.loss.__name__
    options = {k: v for k, v in (call.options | options).items() if k != "axis"}
    answer = ask_torch(name, call.arrays, options, hessian)
    if name not in PAIRED:
        return answer
    side = PAIRED[name].index(call.lead)
    return answer[0], answer[1][side], answer[2][side]


def agree(call: Call, hessian: bool = True, **options: Any) -> None:
    """Value, gradient and second derivative to 1e-9."""
    ours = call.run(2, **options)
    theirs = asked(call, hessian, **options)
    for part, expected, what in zip(ours, theirs, ("value", "gradient", "hessian"), strict=True):
        if what != "hessian" or hessian:
            np.testing.assert_allclose(part, expected, rtol=1e-9, atol=1e-12, err_msg=what)


def numbers(case: Case, shape: Any, **options: Any) -> Call:
    """Random elements, without 0 · log 0: see the end."""
    call = elementwise(case, shape, **options)
    if call.options.get("eps") == 0 or (case.loss == "tweedie_loss" and case.input == "rate"):
        call.input[call.input == 0] = 0.5
    return call


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
            agree(numbers(case, (5, 6), weighted=weighted, seed=seed), reduction=reduction)
        agree(numbers(case, (40_000,), seed=seed), hessian=False, reduction=reduction)


@ANY
@REDUCTION
def test_zero_weights(case: Case, reduction: str) -> None:
    if isinstance(case, reg.Rows):
        for w in ([0.0, 1, 0, 2], [0.0] * 4):
            agree(rows(case, (5, 4)).having(weight=np.array(w)), reduction=reduction)
    else:
        for scale in (np.arange(6) % 2, np.zeros(6)):
            call = numbers(case, (5, 6), weighted=True)
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


@pytest.mark.parametrize("case", [c for c in CASES if c.loss == "kl_div"], ids=str)
def test_batchmean(case: reg.Elementwise) -> None:
    for shape in ((5, 6), (3, 2, 4), (7,)):
        agree(elementwise(case, shape), reduction="batchmean")


@pytest.mark.parametrize("case", [c for c in CASES if c.loss == "gaussian_nll_loss"], ids=str)
@REDUCTION
def test_shapes_of_var(case: reg.Elementwise, reduction: str) -> None:
    """One axis repeated, or the last one missing, which comes first where both would fit."""
    for shape, of_var in (
        ((3, 4), (3, 1)),
        ((3, 4), (1, 4)),
        ((3, 4), (3,)),
        ((4, 4), (4,)),
        ((2, 3, 4), (2, 1, 4)),
        ((2, 3, 4), (2, 3)),
        ((5,), ()),
        ((5,), (1,)),
    ):
        var = elementwise(case, of_var, seed=1).arrays["var"]
        agree(elementwise(case, shape).having(var=var), reduction=reduction)


@pytest.mark.parametrize("case", [c for c in CASES if c.loss == "margin_ranking_loss"], ids=str)
@REDUCTION
def test_shapes_of_input2(case: reg.Elementwise, reduction: str) -> None:
    for shape in ((3, 1), (1, 4), (1, 1)):
        other = elementwise(case, shape, seed=1).arrays["input2"]
        agree(elementwise(case, (3, 4)).having(input2=other), reduction=reduction)


@REDUCTION
def test_infinities(reduction: str) -> None:
    x, t = np.array([inf, -inf, 0, 0]), np.array([0.0, 0, inf, -inf])
    for loss in (fl.mse_loss, fl.l1_loss, fl.huber_loss, fl.smooth_l1_loss):
        agree(Call(loss, {"input": x, "target": t}, {}), hessian=False, reduction=reduction)
    logits = np.array([[0, 1, -inf], [0, -inf, 2], [-inf, -inf, 1]])
    for y in ([0, 0, 2], [2, 1, 0]):
        call = Call(fl.cross_entropy, {"input": logits, "target": np.array(y)}, {})
        agree(call, hessian=False, reduction=reduction)
        agree(Call(fl.nll_loss, call.arrays, {}), reduction=reduction)


# Whose slope does not depend on the number that is nan, in torch.
FLAT = ("l1_loss", "smooth_l1_loss-beta=0.0", "hinge_embedding", "margin_ranking", "kl_div")


@OWN
@REDUCTION
def test_nan(case: Case, reduction: str) -> None:
    if case.loss == "binary_cross_entropy" or str(case).startswith(FLAT):
        return  # see the end
    call = rows(case, (5, 4)) if isinstance(case, reg.Rows) else elementwise(case, (5, 4))
    call.leading[1, 2] = nan
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


def each(loss: str, *args: Any, **options: Any) -> Any:
    """Value, gradient and second derivative here."""
    return getattr(fl, loss).value_grad_hess(*args, reduction="none", **options)


def is_nan(*parts: Any) -> bool:
    return all(bool(np.isnan(part).all()) for part in parts)


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


def test_differs_in_slopes_at_nan() -> None:
    """NaN in, NaN out, also where it is of inf - inf."""
    for x in (inf, nan):
        assert torchs("l1_loss", [x], [inf])[1] == 0
        assert torchs("smooth_l1_loss", [x], [inf], beta=0.0)[1] == 0
        assert is_nan(*each("l1_loss", [x], [inf]), *each("smooth_l1_loss", [x], [inf], beta=0))
        arrays = as_arrays({"input1": [x], "input2": [inf], "target": [1.0]})
        assert ask_torch("margin_ranking_loss", arrays, {})[1] == (0, 0)
        value, grads, hesses = each("margin_ranking_loss", *arrays.values())
        assert is_nan(value, *grads, *hesses)
    assert torchs("hinge_embedding_loss", [nan, nan], [1.0, -1.0])[1].tolist() == [1, 0]
    assert is_nan(*each("hinge_embedding_loss", [nan, nan], [1.0, -1.0]))
    for t, options in ((0.5, {}), (-0.5, {"log_target": True})):
        assert not is_nan(torchs("kl_div", [nan], [t], **options)[1])
        assert is_nan(*each("kl_div", [nan], [t], **options))
    for loss in ("huber_loss", "smooth_l1_loss"):  # whose slope is nan in torch, too
        assert ask_torch(loss, as_arrays({"input": [nan], "target": [0.0]}), {})[2] == 0
        assert is_nan(each(loss, [nan], [0.0])[2])


def test_differs_in_nan_probabilities() -> None:
    for x, t in ((nan, 0.5), (0.5, nan)):
        with pytest.raises(RuntimeError):
            torchs("binary_cross_entropy", [x], [t])
        assert is_nan(*each("binary_cross_entropy", [x], [t]))


def test_differs_in_the_error_for_probabilities_out_of_range() -> None:
    for x, t in ((1.5, 0.5), (0.5, -0.5)):
        with pytest.raises(RuntimeError, match="between 0 and 1"):
            torchs("binary_cross_entropy", [x], [t])
        with pytest.raises(ValueError, match=r"at \[0\]"):
            fl.binary_cross_entropy([x], [t])


def test_differs_in_the_curvature_of_nearly_certain_probabilities() -> None:
    """Torch adds 1e-12 to x and to 1 - x, but for the slope it clamps their product at 1e-12."""
    x = np.array([[1e-12, 1e-10, 1e-6, 0.01]])
    arrays = {"input": x, "target": np.ones(x.shape)}
    torchs_hess = ask_torch("binary_cross_entropy", arrays, {"reduction": "none"})[2]
    np.testing.assert_allclose(torchs_hess, (x + 1e-12) ** -2, rtol=1e-9)
    hess = each("binary_cross_entropy", x, 1.0)[2]
    np.testing.assert_allclose(hess[:, 1:], x[:, 1:] ** -2, rtol=1e-9)
    assert hess[0, 0] == pytest.approx(1e24)
    assert torchs_hess[0, 0] == pytest.approx(0.25e24)


def test_differs_in_probabilities_without_a_clamp() -> None:
    assert torchs("binary_cross_entropy", [0.0], [1.0])[0] == 100
    assert fl.binary_cross_entropy([0.0], [1.0], log_clamp=None) == inf
    value, grad = fl.binary_cross_entropy.value_and_grad([1e-50], [1.0], log_clamp=None)
    assert value == pytest.approx(-np.log(1e-50))
    assert grad == pytest.approx(-1e50)


def test_differs_in_wrong_margins() -> None:
    """soft_margin_loss overflows in torch."""
    value, grad = torchs("soft_margin_loss", [-1000.0], [1.0])
    assert value == inf
    assert is_nan(grad)
    assert [part.item() for part in each("soft_margin_loss", [-1000.0], [1.0])] == [1000, -1, 0]
    single = np.array([-88, -89], np.float32)
    assert torchs("soft_margin_loss", single, [1, 1])[0].tolist() == [88, inf]
    assert fl.soft_margin_loss(single, [1, 1], reduction="none").tolist() == [88, 89]


def test_differs_in_targets_that_are_no_signs() -> None:
    assert torchs("soft_margin_loss", [0.5], [0.0])[0] == pytest.approx(np.log(2))
    assert torchs("hinge_embedding_loss", [0.25], [0.0])[0] == 0.25 + 0.75  # both cases
    arrays = as_arrays({"input1": [3.0], "input2": [0.0], "target": [0.0]})
    assert ask_torch("margin_ranking_loss", arrays, {"margin": 1.0})[0] == 1
    for loss in ("soft_margin_loss", "hinge_embedding_loss"):
        with pytest.raises(ValueError, match="accepted are -1 and 1, and booleans"):
            getattr(fl, loss)([0.5], [0.0])
    with pytest.raises(ValueError, match="accepted are -1 and 1, and booleans"):
        fl.margin_ranking_loss(*arrays.values())


def test_differs_in_boolean_signs() -> None:
    """Torch reads False as 0, and so neither as -1 nor as an error."""
    unlike = torch.tensor([False])
    embedding = torch.nn.functional.hinge_embedding_loss(torch.tensor([0.25]), unlike)
    assert embedding == 0.25 + 0.75
    assert fl.hinge_embedding_loss([0.25], [False]) == 0.75
    margin = torch.nn.functional.soft_margin_loss(torch.tensor([0.5]), unlike)
    assert margin.item() == pytest.approx(np.log(2))
    assert fl.soft_margin_loss([0.5], [False]) == fl.soft_margin_loss([0.5], [-1])


def test_differs_in_pairs_of_other_dimensions() -> None:
    arrays = as_arrays(
        {"input1": [[0.5, 1.0]] * 2, "input2": [0.0, 2.0], "target": [[1.0] * 2] * 2}
    )
    with pytest.raises(RuntimeError, match="same dimension"):
        ask_torch("margin_ranking_loss", arrays, {})
    _, grads = fl.margin_ranking_loss.value_and_grad(**arrays, reduction="sum")
    assert grads[1].tolist() == [0, 2]
    arrays = as_arrays({"input1": [[0.5]], "input2": [[0.0, 2.0]], "target": [[1.0, 1.0]]})
    assert ask_torch("margin_ranking_loss", arrays, {"reduction": "none"})[0].shape == (1, 2)
    with pytest.raises(ValueError, match="cannot be broadcast to the shape of input"):
        fl.margin_ranking_loss(**arrays)


def test_differs_in_negative_counts() -> None:
    assert torchs("poisson_nll_loss", [0.0], [-1.0])[0] == 1
    assert is_nan(torchs("poisson_nll_loss", [-1.0], [1.0], log_input=False)[0])
    for args, options in ((([0.0], [-1.0]), {}), (([-1.0], [1.0]), {"log_input": False})):
        with pytest.raises(ValueError, match="accepted are numbers from 0 on"):
            fl.poisson_nll_loss(*args, **options)


def test_differs_in_limits_of_poisson() -> None:
    assert is_nan(torchs("poisson_nll_loss", [-inf, inf], [0.0, 0.0])[0])
    assert each("poisson_nll_loss", [-inf, inf], [0.0, 0.0])[0].tolist() == [0, inf]
    assert is_nan(torchs("poisson_nll_loss", [inf], [3.0])[0])
    assert each("poisson_nll_loss", [inf], [3.0])[0] == inf
    options = {"log_input": False, "eps": 0.0}
    assert is_nan(*torchs("poisson_nll_loss", [0.0], [0.0], **options))
    parts = each("poisson_nll_loss", [0.0], [0.0], **options)
    assert [part.item() for part in parts] == [0, 1, 0]


def test_differs_in_the_normalisation_of_poisson() -> None:
    """Stirling's formula, which counts from 2 on, is off by 0.08 / t; "exact" is log t!."""
    t = np.array([0.5, 1, 1.5, 2, 3, 170])
    rest = fl.poisson_nll_loss(t * 0, t, reduction="none")
    stirling = torchs("poisson_nll_loss", t * 0, t, full=True)[0] - rest
    exact = fl.poisson_nll_loss(t * 0, t, full="exact", reduction="none") - rest
    assert stirling[:2].tolist() == [0, 0]
    factorial = torch.lgamma(torch.tensor(t + 1)).numpy()
    np.testing.assert_allclose(exact, factorial, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose((exact - stirling)[2:] * t[2:], 1 / 12, rtol=0.02)


def test_differs_in_zero_times_infinity_in_kl_div() -> None:
    value, grad = torchs("kl_div", [-inf], [0.0])
    assert is_nan(value)
    assert grad == 0
    assert fl.kl_div([-inf], [0.0]) == 0
    for x in (-inf, -1.0):
        assert is_nan(torchs("kl_div", [x], [-inf], log_target=True)[0])
        assert fl.kl_div([x], [-inf], log_target=True) == 0


def test_differs_in_negative_masses() -> None:
    value, grad = torchs("kl_div", [-1.0], [-0.5])
    assert is_nan(value)
    assert grad == 0.5
    with pytest.raises(ValueError, match="accepted are numbers from 0 on"):
        fl.kl_div([-1.0], [-0.5])


def test_differs_in_warning_of_means_of_kl_div() -> None:
    with pytest.warns(UserWarning, match="batchmean"):
        torch.nn.functional.kl_div(torch.tensor([-1.0]), torch.tensor([0.5]))


def test_differs_in_more_shapes_of_var() -> None:
    x = np.ones((2, 3, 4))
    for shape in ((1, 1, 4), (3, 4), (4,), ()):
        arrays = {"input": x, "target": x * 0, "var": np.full(shape, 2.0)}
        with pytest.raises(ValueError, match="incorrect size"):
            ask_torch("gaussian_nll_loss", arrays, {})
        (_, grad) = fl.gaussian_nll_loss.value_and_grad(**arrays)[1]
        assert grad.shape == shape
        assert grad.sum() == pytest.approx((1 - 1 / 2) / 4)
    number = ask_torch("gaussian_nll_loss", {"input": x, "target": x * 0}, {"var": 2.0})
    assert number[1][1] is None
    assert fl.gaussian_nll_loss.value_and_grad(x, x * 0, 2.0)[1][1] == pytest.approx(1 / 8)


def test_differs_in_the_error_for_a_negative_var() -> None:
    arrays = as_arrays({"input": [0.0, 0.0], "target": [0.0, 0.0], "var": [1.0, -1.0]})
    with pytest.raises(ValueError, match="var has negative entry/entries"):
        ask_torch("gaussian_nll_loss", arrays, {})
    with pytest.raises(ValueError, match=r"var: the value at \[1\] is -1.0"):
        fl.gaussian_nll_loss(**arrays)


def test_differs_in_confident_tails_of_focal() -> None:
    """Where torchvision's 1 - p_t rounds to 0, its slope is nan for γ < 1."""
    x, t = [40.0, -40.0], [1.0, 0.0]
    value, grad = torchs("sigmoid_focal_loss", x, t, gamma=0.5)
    assert value.tolist() == [0, 0]
    assert is_nan(grad)
    parts = each("sigmoid_focal_loss", x, t, gamma=0.5)
    assert all(np.isfinite(part).all() and part.all() for part in parts)


def test_differs_in_negative_eps() -> None:
    assert torchs("poisson_nll_loss", [3.0], [0.0], log_input=False, eps=-1.0)[0] == 3
    with pytest.raises(ValueError, match="eps"):
        fl.poisson_nll_loss([3.0], [0.0], log_input=False, eps=-1.0)
    with pytest.raises(ValueError, match="eps"):
        fl.gaussian_nll_loss([3.0], [0.0], 1.0, eps=-1.0)


def test_differs_in_second_derivatives_of_means_over_nothing() -> None:
    """With all weights 0 the mean is 0/0, and so are its derivatives; torch's constant 0 is not."""
    arrays = as_arrays({"input": [1.0], "target": [0.0], "weight": [0.0]})
    assert ask_torch("l1_loss", arrays, {})[2] == 0
    assert np.isnan(fl.l1_loss.value_grad_hess(**arrays)[2])
