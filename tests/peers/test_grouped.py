"""Losses of groups beside the packages that are installed, on other numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests.peers.record_grouped import lightgbm, lightgbm_noise, rax_list_mle, rax_softmax
from tests.peers.record_grouped import statsmodels as conditional_logit


def sample(seed: int, top: int) -> tuple[Any, Any, Any]:
    """Scores, labels, sizes of groups; with `top` 0 the labels of a group are all different."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 12, 7)
    n = int(sizes.sum())
    x = rng.normal(size=n) * 2
    return x, rng.integers(0, top, n) if top else rng.permutation(n), sizes


def check(loss: Any, sample: Any, want: Any, rtol: float, **options: Any) -> None:
    x, label, sizes = sample
    got = loss.value_grad_hess(x, label, group_sizes=sizes, reduction="sum", **options)
    for a, b in zip(got, want, strict=True):
        if b is not None:
            known = ~np.isnan(b)
            assert np.mean(known) > 0.5
            np.testing.assert_allclose(np.asarray(a)[known], np.asarray(b)[known], rtol, rtol)


@pytest.mark.parametrize("seed", range(4))
def test_rax(seed: int) -> None:
    pytest.importorskip("rax")
    ranks, grades = sample(seed, 0), sample(seed, 5)
    check(fl.list_mle_loss, ranks, rax_list_mle(*ranks), 1e-12)
    noise = np.random.default_rng(1).random(len(grades[0]))
    check(fl.xe_ndcg_loss, grades, rax_softmax(*grades, noise=noise), 1e-12, noise=noise)


@pytest.mark.filterwarnings("ignore:Dropped")  # groups that say nothing
@pytest.mark.parametrize("seed", range(4))
def test_statsmodels(seed: int) -> None:
    pytest.importorskip("statsmodels")
    choices = sample(seed, 2)
    check(fl.conditional_logit_loss, choices, conditional_logit(*choices), 1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_lightgbm(seed: int) -> None:
    """It computes gradients in float32."""
    pytest.importorskip("lightgbm")
    grades = sample(seed, 5)
    want = lightgbm(*grades, seed=seed)
    noise = lightgbm_noise(grades[2], seed)
    check(fl.xe_ndcg_loss, grades, want, 1e-4, noise=noise, newton_terms=2)
