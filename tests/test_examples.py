"""The examples do what they say, in a short form."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ctc_learns_to_read() -> None:
    """A fifth of its batches; before it learns it reads nothing."""
    ctc = example("ctc")
    assert ctc.train(batches=0, shown=0) == 0
    assert ctc.train(batches=300, shown=0) > 0.25


def test_ctc_reads_the_likeliest_classes() -> None:
    ctc = example("ctc")
    logits = np.eye(11)[[[0], [3], [3], [0], [3], [4], [4], [5]]]
    assert ctc.read(logits, [7]) == [[3, 3, 4]]
    x, labels, steps, counts = ctc.batch(np.random.default_rng(0), 5)
    assert x.shape[:2] == (steps.max(), 5) and labels.min() > 0
    assert (steps >= 5 * counts).all() and (steps <= 11 * counts).all()


def test_a_character_model_learns() -> None:
    """Of some thousand pairs, after a few steps."""
    value, right, _ = example("character_model").train(steps=12, shown=False)
    assert value < 6.5 and 0 <= right <= 1
