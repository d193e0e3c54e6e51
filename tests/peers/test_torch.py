"""The same as torch, live, but for the deliberate differences, which are stated at the end."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests.peers.record import (
    DATA,
    MARGINS,
    PAIRED,
    as_arrays,
    as_images,
    ask_torch,
    has_own,
    questions,
)
from tests.samples import CASES, Call, Case, elementwise, rows

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("default")]

nan, inf = np.nan, np.inf
TORCH_REDUCTIONS = ("mean", "sum", "none")
# Torch has nothing like these: SciPy, statsmodels and scoringrules have, in files of their own.
ELSEWHERE = {
    *(*fl.counts.__all__, *fl.location_scale.__all__, *fl.forecasts.__all__),
    "ranked_probability_score",
}
ROWS = [c for c in reg.ROWS if c.loss not in ELSEWHERE]
ROWS_ONE_OF_EACH = [c for c in reg.ROWS_ONE_OF_EACH if c.loss not in ELSEWHERE]
# The gradient of a target has a test of its own.
KNOWN = [c for c in CASES if not c.options.get("target_grad") and c.loss not in ELSEWHERE]
# With a c of 1e6 the textbook's formula has no digit left.
FIT = [c for c in KNOWN if not (c.loss == "fair_loss" and c.options["c"] == 1e6)]
ANY = pytest.mark.parametrize("case", FIT, ids=str)
OWN = pytest.mark.parametrize("case", [c for c in KNOWN if has_own(c.loss, c.options)], ids=str)
REDUCTION = pytest.mark.parametrize("reduction", TORCH_REDUCTIONS)


def takes(case: Case, option: str) -> bool:
    return option in inspect.signature(getattr(fl, case.loss)).parameters


def rows_that_take(option: str) -> list[reg.Rows]:
    """Of each loss, and each kind of its targets."""
    return [c for c in ROWS_ONE_OF_EACH if takes(c, option)]


def asked(call: Call, hessian: bool = True, **options: Any) -> tuple[Any, Any, Any]:
    """Torch's answer to the call: of a paired loss the derivatives that the call has."""
    name = call.loss.__name__
    options = call.options | options
    if name == "multilabel_margin_loss":  # torch wants classes behind the end of a list, too
        ended = np.cumsum(call.arrays["target"] == -1, axis=options.get("axis", -1)) > 0
        call = call.having(target=np.where(ended, -1, call.arrays["target"]))
    answer = ask_torch(name, call.arrays, options, hessian)
    if name not in PAIRED:
        return answer
    side = PAIRED[name].index(call.lead)
    return answer[0], answer[1][side], answer[2][side]


def agree(call: Call, hessian: bool = True, idle: bool = False, **options: Any) -> None:
    """Value, gradient and second derivative to 1e-9. `idle` says that nothing has a weight: then
    derivatives are 0, and torch's may be 0 · inf."""
    ours = call.run(2, **options)
    theirs = asked(call, hessian, **options)
    for part, expected, what in zip(ours, theirs, ("value", "gradient", "hessian"), strict=True):
        if idle and what != "value":
            assert not np.any(part), what
        elif what != "hessian" or hessian:
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
        for w in ([0.0, 1, 0, 2], [0.0] * 4) if takes(case, "weight") else ():
            call = rows(case, (5, 4)).having(weight=np.array(w))
            if any(w) or "z_loss" not in case.options:  # else of a number by 0
                agree(call, idle=not any(w), reduction=reduction)
    else:
        for scale in (np.arange(6) % 2, np.zeros(6)):
            call = numbers(case, (5, 6), weighted=True)
            call.arrays["weight"] *= scale
            agree(call, idle=not scale.any(), reduction=reduction)


@pytest.mark.parametrize("case", [c for c in ROWS if c.drops], ids=str)
@REDUCTION
@pytest.mark.parametrize("ignore", [-100, -1, 2, 9])
def test_ignored_rows(case: reg.Rows, reduction: str, ignore: int) -> None:
    for shape in ((8, 4), (3, 4, 5)):
        call = rows(case, shape)
        call.arrays["target"][::2] = ignore
        agree(call, reduction=reduction, ignore_index=ignore)
        call.arrays["target"][...] = ignore
        agree(call, reduction=reduction, ignore_index=ignore)


@pytest.mark.parametrize("case", rows_that_take("label_smoothing"), ids=str)
@REDUCTION
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
def test_label_smoothing(case: reg.Rows, reduction: str, smoothing: float) -> None:
    agree(rows(case, (6, 4)), reduction=reduction, label_smoothing=smoothing)


@ANY
@REDUCTION
def test_empty(case: Case, reduction: str) -> None:
    call = rows(case, (0, 4)) if isinstance(case, reg.Rows) else elementwise(case, (0, 3))
    agree(call, reduction=reduction)


@pytest.mark.parametrize("case", ROWS, ids=str)
@REDUCTION
def test_unbatched(case: reg.Rows, reduction: str) -> None:
    call = rows(case, (5,), axis=0)
    agree(call, reduction=reduction)
    if case.target == "class":  # torch takes that for the value, but fails in the backward pass
        single = call.changed(np.atleast_1d, "target")
        for part, same in zip(single.run(2), call.run(2), strict=True):
            np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("case", ROWS, ids=str)
@REDUCTION
def test_one_class(case: reg.Rows, reduction: str) -> None:
    agree(rows(case, (4, 1)), reduction=reduction)
    agree(rows(case, (1,), axis=0), reduction=reduction)


@pytest.mark.parametrize("case", ROWS_ONE_OF_EACH, ids=str)
@REDUCTION
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_any_axis(case: reg.Rows, reduction: str, axis: int) -> None:
    agree(rows(case, (3, 4, 2), axis), reduction=reduction)


@pytest.mark.parametrize("case", ROWS, ids=str)
@REDUCTION
def test_ties_and_kinks(case: reg.Rows, reduction: str) -> None:
    """In halves, which margins of 1 and 0.5 bring to the kinks exactly."""
    for seed in range(2):
        call = rows(case, (24, 4), seed=seed).changed(lambda x: np.round(x) / 2, "input")
        agree(call, reduction=reduction)


@pytest.mark.parametrize("case", [c for c in KNOWN if c.loss == "kl_div"], ids=str)
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
    if case.loss == "binary_cross_entropy" or str(case).startswith((*FLAT, *MARGINS)):
        return  # see the end
    call = rows(case, (5, 4)) if isinstance(case, reg.Rows) else elementwise(case, (5, 4))
    call.leading[1, 2] = nan
    agree(call, hessian=False, reduction=reduction)


# ---- over a class axis: what the rows of the registry leave out ----------------------------------


def over_classes(loss: str, x: Any, t: Any, weight: Any = None, **options: Any) -> Call:
    arrays = {"input": x, "target": t} | ({} if weight is None else {"weight": weight})
    return Call(getattr(fl, loss), as_arrays(arrays), options)


def some(kind: str, shape: tuple[int, ...], seed: int = 0) -> tuple[Any, Any, Any]:
    """Logits with the classes on axis 1, targets of that kind, class weights."""
    rng = np.random.default_rng(seed)
    x, w = 2 * rng.normal(size=shape), rng.uniform(0.25, 4, shape[1])
    if kind == "class":
        return x, rng.integers(0, shape[1], (shape[0], *shape[2:])), w
    t = rng.random(shape) ** 3
    return x, t / t.sum(axis=1, keepdims=True), w


KIND = pytest.mark.parametrize("kind", ["class", "probability"])
PER_CLASS = [0.25, 2.0, 1.0, 0.0, 0.5]


@KIND
@REDUCTION
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("loss", "options"),
    [
        *(
            ("cross_entropy", {"label_smoothing": eps, "z_loss": z, "softcap": cap})
            for eps in (0.0, 0.2)
            for z in (0.0, 1e-4, 0.5)
            for cap in (None, 1.0, 30.0)
        ),
        *(
            ("softmax_focal_loss", {"gamma": g, "alpha": a, "label_smoothing": eps})
            for g in (0.0, 0.5, 1.0, 1.5, 2.0, 5.0)
            for a in (None, 0.25, PER_CLASS)
            for eps in (0.0, 0.2)
        ),
        *(("generalized_cross_entropy_loss", {"q": q}) for q in (1e-3, 0.25, 0.7, 1.0)),
        *(
            ("poly_cross_entropy_loss", {"epsilon": e, "label_smoothing": eps})
            for e in (-1.0, 0.0, 2.0, 100.0)
            for eps in (0.0, 0.2)
        ),
        ("brier_loss", {}),
    ],
    ids=str,
)
def test_of_shares(
    loss: str, options: dict[str, Any], kind: str, weighted: bool, reduction: str
) -> None:
    if weighted and loss in ("softmax_focal_loss", "brier_loss"):
        return
    for shape in ((6, 5), (2, 5, 2, 1)):
        x, t, w = some(kind, shape)
        call = over_classes(loss, x, t, w if weighted else None, **options)
        agree(call, reduction=reduction)
        if kind == "class":
            call.arrays["target"][0] = -100
            agree(call, reduction=reduction)


@KIND
@pytest.mark.parametrize("options", [{}, {"softcap": 2.0}, {"z_loss": 0.1}], ids=str)
def test_lse(kind: str, options: dict[str, Any]) -> None:
    for shape in ((6, 5), (2, 5, 3)):
        x, t, _ = some(kind, shape)
        if kind == "class":
            t[0] = -100
        cap = options.get("softcap")
        logits = torch.tensor(x) if cap is None else cap * torch.tanh(torch.tensor(x) / cap)
        expected = torch.logsumexp(logits, 1).numpy()
        call = over_classes("cross_entropy", x, t, **options)
        for order in range(3):
            *parts, lse = (
                call.run(order, return_lse=True) if order else call.run(return_lse=True)[0]
            )
            np.testing.assert_allclose(lse, expected, rtol=1e-12)
            for part, alone in zip(parts, call.run(order), strict=True):
                np.testing.assert_allclose(part, alone, rtol=1e-14, atol=1e-16)


@REDUCTION
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0, 2.0])
def test_margins(margin: float, weighted: bool, reduction: str) -> None:
    for shape in ((40, 5), (3, 5, 4), (9, 2)):
        x, t, w = some("class", shape)
        for logits in (x, np.round(x), np.round(2 * x) / 2):
            weight = w if weighted else None
            for p in (1, 2):
                call = over_classes("multi_margin_loss", logits, t, weight, p=p, margin=margin)
                agree(call, reduction=reduction)
            call = over_classes("categorical_hinge_loss", logits, t, weight, margin=margin)
            agree(call, reduction=reduction)
            agree(over_classes("sparsemax_loss", logits, t, weight), reduction=reduction)
    call = over_classes("multi_margin_loss", np.round(x)[0], t[0], weight, margin=margin)
    agree(call, reduction=reduction)


LISTS = {
    "one": [[2, -1, 0, 0], [0, -1, -1, -1], [3, -1, 3, 1]],
    "twice": [[1, 1, -1, 0], [3, 0, 3, -1], [2, 2, 2, 2]],
    "none": [[-1, 0, 1, 2], [-1, -1, -1, -1], [-1, 3, 3, 3]],
    "all": [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]],
    "several": [[0, 2, -1, 3], [3, 2, 1, -1], [1, 0, -1, -1]],
}


@REDUCTION
@pytest.mark.parametrize("lists", LISTS.values(), ids=LISTS)
def test_lists_of_classes(lists: Any, reduction: str) -> None:
    t = np.array(lists)
    x = some("class", t.shape)[0]
    for logits in (x, np.round(x), x * 0, np.round(x) / 2):
        agree(over_classes("multilabel_margin_loss", logits, t), reduction=reduction)
        for row, list_of_row in zip(logits, t, strict=True):
            agree(over_classes("multilabel_margin_loss", row, list_of_row), reduction=reduction)
        pair, pair_of_t = (np.stack([a.T, a.T + 0], axis=-1) for a in (logits, t))
        call = over_classes("multilabel_margin_loss", pair, pair_of_t, axis=0)
        agree(call, reduction=reduction)


@REDUCTION
@pytest.mark.parametrize("weighted", [False, True])
def test_several_labels(weighted: bool, reduction: str) -> None:
    loss, rng = "multilabel_soft_margin_loss", np.random.default_rng(0)
    for shape in ((5,), (7, 5), (2, 3, 5), (0, 5)):
        x, w = 4 * rng.normal(size=shape), rng.uniform(0.25, 4, shape[-1]) if weighted else None
        labels = (rng.random(shape) < 0.5).astype(float)
        for t in (labels, rng.random(shape), rng.random(5)):
            agree(over_classes(loss, x, t, w), reduction=reduction)
        agree(over_classes(loss, x, labels.astype(int), w), reduction=reduction)
    tails = [[800.0, -800.0, 40.0, -40.0]] * 2
    call = over_classes(loss, tails, [[1.0, 0, 1, 0], [0, 1, 0, 1]])
    agree(call, reduction=reduction)


@REDUCTION
def test_infinite_scores(reduction: str) -> None:
    """A masked class never counts in a margin."""
    x = [[0.5, -inf, 1.0], [-inf, -inf, 0.0], [0.0, 1.0, inf]]
    for p in (1, 2):
        call = over_classes("multi_margin_loss", x, [0, 2, 2], p=p)
        agree(call, hessian=False, reduction=reduction)
    call = over_classes("multilabel_margin_loss", x, [[0, -1, 0], [2, -1, 0], [2, -1, 0]])
    agree(call, hessian=False, reduction=reduction)


@REDUCTION
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_edges_of_cross_entropy(smoothing: float, reduction: str) -> None:
    ce, options = "cross_entropy", {"label_smoothing": smoothing}
    x, t, w = some("class", (4, 3))
    _, masses, _ = some("probability", (4, 3))
    unlikely = masses * [[0.5], [1.0], [0.0], [0.25]]  # not all of them distributions
    for target in (masses, unlikely):
        for weight in (None, w):
            agree(over_classes(ce, x, target, weight, **options), reduction=reduction)
            agree(over_classes(ce, x[0], target[0], weight, **options), reduction=reduction)
    for target in (np.uint8(t), np.float32(masses)) if not smoothing else ():  # in float32, too
        for weight in (None, w):
            arrays = {"input": x, "target": target} | ({} if weight is None else {"weight": weight})
            agree(Call(fl.cross_entropy, arrays, {}), reduction=reduction)
    images, images_of_t = as_images(x), as_images(t)
    for ignore in (-100, -1, 1, 2**40, -(2**40)):
        for target in (np.array(images_of_t), np.full((2, 2, 2), ignore)):
            target[0, 0] = ignore
            call = over_classes(ce, images, target, w, ignore_index=ignore, **options)
            agree(call, reduction=reduction)
    for target in (np.zeros((0, 2, 2), int), np.zeros((0, 3, 2, 2))):
        call = over_classes(ce, np.zeros((0, 3, 2, 2)), target, w, **options)
        agree(call, reduction=reduction)
    for target in ([0, 0], [[1.0], [0.5]]):
        call = over_classes(ce, [[3.0], [-2.0]], target, [2.0], **options)
        agree(call, reduction=reduction)
    for logits, y in (([0.0, -inf, 1.0], 1), ([0.0, -inf, 1.0], 0), ([1e308, -1e308, 0.0], 1)):
        call = over_classes(ce, [logits], [y], **options)
        agree(call, hessian=False, reduction=reduction)


def test_refused_by_both() -> None:
    """By torch with other words, and often as another kind of error."""
    x, t, w = some("class", (4, 3))
    for loss, target, weight, options in (
        ("cross_entropy", t, None, {"label_smoothing": 1.5}),
        ("cross_entropy", t, None, {"reduction": "men"}),
        ("cross_entropy", t + 3, None, {}),
        ("cross_entropy", t, w[:2], {}),
        ("cross_entropy", t[:, None], None, {}),
        ("cross_entropy", t[:3], None, {}),
        ("cross_entropy", np.full((4, 3), 0.5), None, {"ignore_index": 1}),
        ("multi_margin_loss", t + 3, None, {}),
        ("multi_margin_loss", t - 100, None, {}),
        ("multi_margin_loss", t, w[:2], {}),
        ("multi_margin_loss", t, None, {"p": 3}),
        ("multi_margin_loss", t[:3], None, {}),
        ("multilabel_margin_loss", np.full((4, 3), 3), None, {}),
        ("multilabel_margin_loss", np.full((4, 3), -2), None, {}),
        ("multilabel_margin_loss", np.zeros((4, 2), int), None, {}),
        ("multilabel_soft_margin_loss", np.zeros((4, 2)), None, {}),
        ("multilabel_soft_margin_loss", np.zeros((4, 3)), w[:2], {}),
    ):
        call = over_classes(loss, x, target, weight, **options)
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            ask_torch(loss, call.arrays, options, hessian=False)
        with pytest.raises((IndexError, ValueError)):
            call.run()


def test_formulas_of_margins_are_torchs() -> None:
    """Of the textbook's formulas only the second derivatives are used: here is the rest."""
    from tests.peers import textbook

    for loss in MARGINS:
        for seed in range(5):
            x, t, _ = some("class", (6, 4), seed)
            if loss == "multilabel_margin_loss":
                t = np.random.default_rng(seed).integers(-1, 4, x.shape)
            answers = []
            for function in (getattr(textbook, loss), getattr(torch.nn.functional, loss)):
                leaf = torch.tensor(np.round(2 * x) / 2, requires_grad=True)
                losses = function(leaf, torch.tensor(t), reduction="none")
                losses.sum().backward()
                answers.append((losses.detach(), leaf.grad))
            for ours, theirs in zip(*answers, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


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


def test_differs_at_masked_classes_without_weight() -> None:
    arrays = as_arrays({"input": [[0.0, -inf, 1.0]], "target": [1], "weight": [1.0, 0.0, 1.0]})
    assert np.isnan(ask_torch("cross_entropy", arrays, {"reduction": "sum"}, hessian=False)[0])
    assert fl.cross_entropy(**arrays, reduction="sum") == 0


def test_differs_in_nan_of_margins() -> None:
    """nan > 0 does not hold: torch leaves it out. NaN in, NaN out here."""
    for x in (nan, inf):
        for scores in ([[0.0, x, 1.0]], [[x, 0.0, 1.0]]) if x is nan else ([[x, 0.0, x]],):
            for p in (1, 2):
                assert np.isfinite(torchs("multi_margin_loss", scores, [0], p=p)[0])
                assert is_nan(each("multi_margin_loss", scores, [0], p=p)[0])
            lists = [[0, -1, -1]]
            assert np.isfinite(torchs("multilabel_margin_loss", scores, lists)[0])
            assert is_nan(each("multilabel_margin_loss", scores, lists)[0])


def test_differs_in_empty_batches_of_margins() -> None:
    """What torch's mean is there was in memory before: ask_torch does not ask for it."""
    none = np.zeros((0, 3))
    assert is_nan(fl.multi_margin_loss(none, np.zeros(0, int)))
    assert is_nan(fl.multilabel_margin_loss(none, np.zeros((0, 3), int)))


def test_differs_behind_the_end_of_a_list() -> None:
    """Torch refuses what it does not use."""
    x, lists = [0.0, 0.5, 1.0], [1, -1, 7]
    with pytest.raises(RuntimeError, match="out of range"):
        torchs("multilabel_margin_loss", x, lists)
    ended = torchs("multilabel_margin_loss", x, [1, -1, 0])[0]
    assert fl.multilabel_margin_loss(x, lists) == pytest.approx(ended)


def test_differs_in_classes_of_margins_out_of_range() -> None:
    for loss, t in (("multi_margin_loss", [0, 3]), ("multilabel_margin_loss", [[0, -1, 0]] * 2)):
        target = np.array(t)
        target[1, ...] = 3
        with pytest.raises(RuntimeError, match="out of range"):
            torchs(loss, np.zeros((2, 3)), target)
        with pytest.raises(IndexError, match="3"):
            getattr(fl, loss)(np.zeros((2, 3)), target)


def test_differs_in_axes_of_margins() -> None:
    """Torch has rows alone, of classes."""
    for loss, t in (
        ("multi_margin_loss", torch.zeros(2, 4, dtype=torch.int64)),
        ("multilabel_margin_loss", torch.zeros(2, 3, 4, dtype=torch.int64)),
    ):
        x = torch.zeros(2, 3, 4)
        with pytest.raises(RuntimeError, match="Expected"):
            getattr(torch.nn.functional, loss)(x, t)
        assert getattr(fl, loss)(x.numpy(), t.numpy()) > 0


def test_differs_in_integers_and_booleans_over_classes() -> None:
    functional, x = torch.nn.functional, torch.tensor([[0.5, -1.0, 2.0]] * 2)
    short = torch.tensor([0, 2], dtype=torch.int32)
    with pytest.raises(RuntimeError, match="Long"):
        functional.multi_margin_loss(x, short)
    expected = functional.multi_margin_loss(x, short.long()).item()
    assert fl.multi_margin_loss(x.numpy(), short.numpy()) == pytest.approx(expected)
    lists = torch.tensor([[0, -1, 0], [1, 2, -1]], dtype=torch.int32)
    with pytest.raises(RuntimeError, match="Long"):
        functional.multilabel_margin_loss(x, lists)
    expected = functional.multilabel_margin_loss(x, lists.long()).item()
    assert fl.multilabel_margin_loss(x.numpy(), lists.numpy()) == pytest.approx(expected)
    labels = torch.tensor([[True, False, True], [False, False, True]])
    with pytest.raises(RuntimeError, match="bool"):
        functional.multilabel_soft_margin_loss(x, labels)
    expected = functional.multilabel_soft_margin_loss(x, labels.float()).item()
    assert fl.multilabel_soft_margin_loss(x.numpy(), labels.numpy()) == pytest.approx(expected)


def test_differs_in_several_labels_at_infinity() -> None:
    x, t = [[inf, -inf]], [[1.0, 0.0]]
    assert is_nan(*torchs("multilabel_soft_margin_loss", x, t)[:1])
    assert fl.multilabel_soft_margin_loss(x, t) == 0


def test_differs_without_classes() -> None:
    functional, x = torch.nn.functional, torch.zeros(2, 0)
    none = np.zeros((2, 0))
    with pytest.raises(RuntimeError):
        functional.multi_margin_loss(x, torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match="no classes"):
        fl.multi_margin_loss(none, [0, 0])
    with pytest.raises(ValueError, match="no classes"):
        fl.multilabel_margin_loss(none, none.astype(int))
    assert functional.multilabel_soft_margin_loss(x, x).isnan()
    with pytest.raises(ValueError, match="no classes"):
        fl.multilabel_soft_margin_loss(none, none)


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


def test_differs_in_targets_that_are_no_probabilities() -> None:
    """Torch takes any number."""
    for loss, t in (
        ("cross_entropy", [[1.5, -0.5]]),
        ("multilabel_soft_margin_loss", [[2.0, -1.0]]),
    ):
        assert np.isfinite(torchs(loss, [[0.0, 1.0]], t)[0])
        with pytest.raises(ValueError, match=r"^target: the value at \[0, 0\]"):
            getattr(fl, loss)([[0.0, 1.0]], t)


@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean", "batchmean"])
def test_targets_gradient_of_kl_div(log_target: bool, reduction: str) -> None:
    rng = np.random.default_rng(0)
    x, t = np.log(rng.uniform(0.1, 1, (5, 6))), rng.uniform(0.1, 1, (5, 6))
    t = np.log(t) if log_target else t
    a, b = (torch.tensor(v, requires_grad=True) for v in (x, t))
    value = torch.nn.functional.kl_div(a, b, reduction=reduction, log_target=log_target)
    value.backward()
    own, grads = fl.kl_div.value_and_grad(
        x, t, target_grad=True, log_target=log_target, reduction=reduction
    )
    np.testing.assert_allclose(own, value.item(), rtol=1e-12)
    for got, theirs in zip(grads, (a.grad, b.grad), strict=True):
        np.testing.assert_allclose(got, theirs.numpy(), rtol=1e-10)


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


def test_differs_in_derivatives_of_means_over_nothing() -> None:
    """With all weights 0 the mean is 0/0; torch's gradient is too, but nothing counts."""
    arrays = as_arrays({"input": [1.0], "target": [0.0], "weight": [0.0]})
    assert is_nan(ask_torch("l1_loss", arrays, {})[1])
    value, grad, hess = fl.l1_loss.value_grad_hess(**arrays)
    assert is_nan(value) and grad == 0 and hess == 0
