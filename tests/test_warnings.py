"""No call warns: not at numbers that overflow, not at nan, not at narrow buffers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fusedloss as fl
from tests import registry as reg
from tests import test_joint as joint
from tests.samples import FLOATS, ONE_OF_EACH, ORDERS, Array, Case, call

HARD = (np.nan, np.inf, -np.inf, 3e38, -1.5e38, 65000.0, 1e-40, -0.0)


@pytest.fixture(autouse=True)
def _everything_raises() -> Iterator[None]:
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def spoilt(a: Array, dtype: Any) -> Array:
    """Numbers that overflow, or are none, among the others; of another dtype."""
    with np.errstate(all="ignore"):
        a = np.array(a, dtype)
        some = slice(None, None, max(1, a.size // 9))
        a.reshape(-1)[some] = np.resize(HARD, a.reshape(-1)[some].size)
    return a


def allowed(loss: Any, *args: Any, **kwargs: Any) -> Any:
    """The call; a number outside of a domain is an error, but no warning."""
    try:
        return loss(*args, **kwargs)
    except (ValueError, NotImplementedError):
        return None


@pytest.mark.parametrize("case", [*ONE_OF_EACH, *joint.ONE_OF_EACH], ids=str)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_losses(case: Case | reg.Joint, dtype: Any) -> None:
    loss = getattr(fl, case.loss)
    if isinstance(case, reg.Joint):
        arrays, options, lead = joint.typical(case, 6), dict(case.options), case.leaves
    else:
        with np.errstate(all="ignore"):
            sample = call(case, 60)
        arrays, options = dict(sample.arrays), dict(sample.options)
        lead = (sample.lead,)
    for names in ((), lead, tuple(arrays)):
        made = {
            name: spoilt(a, dtype) if name in names and a.dtype.kind == "f" else a
            for name, a in arrays.items()
        }
        for order, method in enumerate(ORDERS[: 3 if loss.curved else 2]):
            for reduction in ("none", "mean", "weighted_mean"):
                run = getattr(loss, method)
                got = allowed(run, **made, **options, reduction=reduction)
                if got is None:
                    continue
                value, *parts = got if order else (got,)
                buffers = {"out": np.empty(np.shape(value), np.float16)}
                for name, part in zip(("grad_out", "hess_out"), parts, strict=False):
                    buffers[name] = (
                        tuple(np.empty(p.shape, np.float16) for p in part)
                        if isinstance(part, tuple)
                        else np.empty(part.shape, np.float16)
                    )
                allowed(run, **made, **options, reduction=reduction, **buffers)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_activations(dtype: Any) -> None:
    x = spoilt(np.random.default_rng(0).normal(size=(12, 5)), dtype)
    y = spoilt(np.random.default_rng(1).normal(size=(12, 5)), dtype)
    for name in ("softmax", "log_softmax", "logsumexp", "sigmoid", "logsigmoid", "normalize"):
        f = getattr(fl, name)
        out = f(x)
        dy = spoilt(np.ones(np.shape(out)), dtype)
        f(x, out=np.empty(np.shape(out), np.float16))
        f.vjp(x, dy)
        f.vjp(x, dy, grad_out=np.empty(x.shape, np.float16))
    for name in ("cosine_similarity", "pairwise_distance"):
        f = getattr(fl, name)
        out = f(x, y)
        f(x, y, out=np.empty(np.shape(out), np.float16))
        dy = spoilt(np.ones(np.shape(out)), dtype)
        f.vjp(x, y, dy, grad_out=(np.empty(x.shape, np.float16), np.empty(y.shape, np.float16)))
