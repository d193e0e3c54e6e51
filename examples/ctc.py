"""A network learns to read symbols from a stream of measurements, without being told where each is.

    python examples/ctc.py

Ten symbols are written, one after the other, as pairs of five signals: the same two in the other
order are another symbol, signals last 2 to 4 steps, pauses 1 to 3, and the noise is a third of the
signals. A network of one hidden layer sees nine steps at a time. It is told the symbols of each
stream alone: `ctc_loss_with_logits` sums over all the places where they may be, and gives the
gradient that the network needs. After 1500 batches, some 15 seconds, it reads 98 % of new streams
without any error.

Everything but the loss is plain NumPy.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import fusedloss as fl

Array = NDArray[Any]
SIGNALS, SYMBOLS, WIDTH, HIDDEN = 5, 10, 9, 64
#: The two signals of each symbol and the pause after it; no symbol is 0, the blank.
PARTS = np.array(
    [
        (a, b, SIGNALS)
        for a in range(SIGNALS)
        for b in range(SIGNALS)
        if (b - a) % SIGNALS in (1, SIGNALS - 1)
    ]
)
#: What they look like: patterns on six channels, and nothing.
PATTERNS = np.random.default_rng(7).choice([-1.0, 1.0], (SIGNALS + 1, 6))
PATTERNS[SIGNALS] = 0


def stream(rng: np.random.Generator, labels: Array) -> Array:
    """The measurements, step by step, while these symbols are written."""
    steps = rng.integers((2, 2, 1), (5, 5, 4), (len(labels), 3))
    clean = PATTERNS[np.repeat(PARTS[labels - 1], steps.ravel())]
    return clean + rng.normal(0, 1 / 3, clean.shape)


def batch(rng: np.random.Generator, count: int) -> tuple[Array, Array, Array, Array]:
    """Windows of (steps, streams, numbers), padded labels, and the lengths of both."""
    label_counts = rng.integers(2, 9, count)
    labels = rng.integers(1, SYMBOLS + 1, (count, 8))
    streams = [stream(rng, own[:n]) for own, n in zip(labels, label_counts, strict=True)]
    step_counts = np.array([len(s) for s in streams])
    padded = np.zeros((step_counts.max() + WIDTH - 1, count, PATTERNS.shape[1]), np.float32)
    for k, s in enumerate(streams):
        padded[WIDTH // 2 : WIDTH // 2 + len(s), k] = s
    windows = sliding_window_view(padded, WIDTH, axis=0)
    return windows.reshape(*windows.shape[:2], -1), labels, step_counts, label_counts


class Network:
    """One hidden layer, and Adam."""

    def __init__(self, rng: np.random.Generator) -> None:
        inputs, outputs = WIDTH * PATTERNS.shape[1], SYMBOLS + 1
        shapes = [(inputs, HIDDEN), (HIDDEN,), (HIDDEN, outputs), (outputs,)]
        self.weights = [
            (rng.normal(0, s[0] ** -0.5, s) if len(s) > 1 else np.zeros(s)).astype(np.float32)
            for s in shapes
        ]
        self.means = [np.zeros_like(w) for w in self.weights]
        self.squares = [np.zeros_like(w) for w in self.weights]
        self.steps = 0

    def logits(self, x: Array) -> tuple[Array, Array]:
        """Of each step and stream, and the hidden layer that they come from."""
        w1, b1, w2, b2 = self.weights
        hidden = np.tanh(x @ w1 + b1)
        return hidden @ w2 + b2, hidden

    def learn(self, x: Array, hidden: Array, slope: Array, rate: float = 3e-3) -> None:
        """One step against the gradient, given with respect to the logits."""
        before = (slope @ self.weights[2].T) * (1 - hidden**2)
        axes = ([0, 1], [0, 1])
        grads = [np.tensordot(x, before, axes), before.sum((0, 1))]
        grads += [np.tensordot(hidden, slope, axes), slope.sum((0, 1))]
        self.steps += 1
        scale = rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for w, m, s, g in zip(self.weights, self.means, self.squares, grads, strict=True):
            m += 0.1 * (g - m)
            s += 0.001 * (g * g - s)
            w -= scale * m / (np.sqrt(s) + 1e-8)


def read(logits: Array, step_counts: Array) -> list[list[int]]:
    """The likeliest class of each step, written once where it is repeated, without blanks."""
    best = logits.argmax(axis=-1)
    found = []
    for k, steps in enumerate(step_counts):
        own = best[:steps, k]
        fresh = own[np.insert(own[1:] != own[:-1], 0, True)]
        found.append([int(c) for c in fresh if c])
    return found


def accuracy(network: Network, rng: np.random.Generator, count: int = 500) -> float:
    """The share of new streams that are read without any error."""
    x, labels, step_counts, label_counts = batch(rng, count)
    answers = read(network.logits(x)[0], step_counts)
    right = [own[:n].tolist() for own, n in zip(labels, label_counts, strict=True)]
    return float(np.mean([a == b for a, b in zip(answers, right, strict=True)]))


def train(batches: int = 1500, shown: int = 250) -> float:
    """Learn from so many batches of 32 streams; the accuracy on others."""
    rng = np.random.default_rng(0)
    network, start, waited = Network(rng), time.perf_counter(), 0.0
    for k in range(1, batches + 1):
        x, labels, step_counts, label_counts = batch(rng, 32)
        logits, hidden = network.logits(x)
        before = time.perf_counter()
        value, slope = fl.ctc_loss_with_logits.value_and_grad(
            logits, labels, step_counts, label_counts
        )
        waited += time.perf_counter() - before
        network.learn(x, hidden, slope)
        if shown and k % shown == 0:
            seconds = time.perf_counter() - start
            print(
                f"{k:5} batches, {seconds:4.1f} s, of which {waited:3.1f} in the loss: "
                f"value {value:.3f}, {accuracy(network, np.random.default_rng(1)):.1%} read right"
            )
    return accuracy(network, np.random.default_rng(2))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batches", type=int, default=1500)
    options = parser.parse_args()
    print(f"{train(options.batches):.1%} of new streams are read without any error")


if __name__ == "__main__":
    main()
