"""Training for demo.py: a small network, its optimiser, and two runs side by side.

Nothing here knows which library computes the loss. A task brings two of them, and
`train_both` trains the same model once with each: same initial weights, same batches.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float32]
Target: TypeAlias = NDArray[Any]  # class numbers, or floating targets


@dataclass(frozen=True)
class Loss:
    """A loss as one library computes it."""

    value: Callable[[FloatArray, Target], float]
    # (output, target, buffer) -> (value, gradient); the gradient may live in the buffer.
    value_and_grad: Callable[[FloatArray, Target, FloatArray], tuple[float, FloatArray]]


@dataclass(frozen=True)
class Task:
    """What to learn, and how: data, layer sizes, losses and settings of the optimiser."""

    name: str
    inputs: FloatArray
    targets: Target
    held_out_inputs: FloatArray
    held_out_targets: Target
    score: Callable[[FloatArray, Target], float]  # of output and targets, held-out data
    score_format: str
    fused: Loss
    twin: Loss
    layers: tuple[int, ...]
    epochs: int
    batch_size: int
    rate: float
    momentum: float = 0.9
    l2: float = 0.0


class Network:
    """Fully connected layers with tanh between them; with two sizes, a linear model."""

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator) -> None:
        self.parameters: list[FloatArray] = []  # weight, bias, weight, bias, ...
        for fan_in, fan_out in pairwise(sizes):
            weight = rng.standard_normal((fan_in, fan_out), dtype=np.float32)
            self.parameters += [weight / np.float32(fan_in**0.5), np.zeros(fan_out, np.float32)]

    def forward(self, inputs: FloatArray) -> list[FloatArray]:
        """The inputs, the outputs of the hidden layers, and last the output."""
        values = [inputs]
        last = len(self.parameters) - 2
        for layer in range(0, len(self.parameters), 2):
            weight, bias = self.parameters[layer : layer + 2]
            output = values[-1] @ weight + bias
            values.append(output if layer == last else np.tanh(output))
        return values

    def backward(self, values: list[FloatArray], grad: FloatArray) -> list[FloatArray]:
        """The gradient of each parameter, from the gradient of the output."""
        gradients: list[FloatArray] = []
        for layer in reversed(range(len(values) - 1)):
            gradients += [grad.sum(axis=0), values[layer].T @ grad]
            if layer:  # through tanh, whose derivative is 1 - tanh**2
                grad = (grad @ self.parameters[2 * layer].T) * (1 - values[layer] ** 2)
        return gradients[::-1]


class Momentum:
    """Gradient descent with momentum; ``l2`` pulls the weights (not the biases) to 0."""

    def __init__(
        self, parameters: list[FloatArray], rate: float, momentum: float, l2: float
    ) -> None:
        self.parameters = parameters
        self.velocities = [np.zeros_like(parameter) for parameter in parameters]
        self.rate = rate
        self.momentum = momentum
        self.l2 = l2

    def step(self, gradients: list[FloatArray]) -> None:
        """Move the parameters, in place."""
        moves = zip(self.parameters, self.velocities, gradients, strict=True)
        for parameter, velocity, gradient in moves:
            if parameter.ndim == 2:
                gradient = gradient + self.l2 * parameter
            velocity *= self.momentum
            velocity -= self.rate * gradient
            parameter += velocity


@dataclass
class Run:
    """A model in training with one library's loss, and the record of it."""

    network: Network
    optimizer: Momentum
    loss: Loss
    grad_buffer: FloatArray
    step_seconds: list[float] = field(default_factory=list)  # one per loss step
    losses: list[float] = field(default_factory=list)  # on all training data, one per epoch
    scores: list[float] = field(default_factory=list)  # on held-out data, one per epoch

    @property
    def step_microseconds(self) -> float:
        """The median time of one loss step."""
        return median(self.step_seconds) * 1e6


@dataclass(frozen=True)
class Result:
    """The two finished runs of a task."""

    task: Task
    fused: Run
    twin: Run

    @property
    def speedup(self) -> float:
        """How many times as long a loss step takes with NumPy."""
        return self.twin.step_microseconds / self.fused.step_microseconds

    @property
    def weight_difference(self) -> float:
        """The largest difference between a parameter of one run and of the other."""
        pairs = zip(self.fused.network.parameters, self.twin.network.parameters, strict=True)
        return max(float(np.abs(one - other).max()) for one, other in pairs)


def train_both(task: Task, rng: np.random.Generator) -> Result:
    """Train the task's model with both losses, epoch by epoch in turn."""
    network = Network(task.layers, rng)
    fused = start_run(task, network, task.fused)
    twin = start_run(task, deepcopy(network), task.twin)
    progress = Progress(task)
    for epoch in range(1, task.epochs + 1):
        batches = list(shuffled_batches(len(task.inputs), task.batch_size, rng))
        # Taking turns, and taking turns in going first, lets both meet the same machine.
        for run in (fused, twin) if epoch % 2 else (twin, fused):
            train_epoch(run, task, batches)
            record(run, task)
        progress.show(epoch, fused)
    return Result(task, fused, twin)


def start_run(task: Task, network: Network, loss: Loss) -> Run:
    """A run at its beginning."""
    optimizer = Momentum(network.parameters, task.rate, task.momentum, task.l2)
    buffer = np.empty((task.batch_size, task.layers[-1]), np.float32)
    return Run(network, optimizer, loss, buffer)


def shuffled_batches(
    count: int, batch_size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Row numbers of full batches in random order; the rest sits out this epoch."""
    order = rng.permutation(count)
    for start in range(0, count - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def train_epoch(run: Run, task: Task, batches: list[NDArray[np.intp]]) -> None:
    """One pass over the batches; the clock runs around the loss step only."""
    for rows in batches:
        values = run.network.forward(task.inputs[rows])
        targets = task.targets[rows]
        begin = perf_counter()
        _, grad = run.loss.value_and_grad(values[-1], targets, run.grad_buffer)
        run.step_seconds.append(perf_counter() - begin)
        run.optimizer.step(run.network.backward(values, grad))


def record(run: Run, task: Task) -> None:
    """Note the loss on the training data and the score on the held-out data."""
    output = run.network.forward(task.inputs)[-1]
    run.losses.append(float(run.loss.value(output, task.targets)))
    output = run.network.forward(task.held_out_inputs)[-1]
    run.scores.append(task.score(output, task.held_out_targets))


class Progress:
    """A line that updates in place on a terminal, and about six plain lines elsewhere."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.interval = max(1, task.epochs // 6)

    def show(self, epoch: int, run: Run) -> None:
        """Report the state after this epoch, if it is time to."""
        last = epoch == self.task.epochs
        terminal = sys.stdout.isatty()
        if not (terminal or last or epoch % self.interval == 0):
            return
        score = self.task.score_format.format(run.scores[-1])
        width = len(str(self.task.epochs))
        line = (
            f"  {self.task.name:<26} epoch {epoch:>{width}}/{self.task.epochs}"
            f"   loss {run.losses[-1]:<9.4g}   {score}"
        )
        if terminal:  # \r: back to the start; \x1b[K: clear what is left of the old line
            print(f"\r{line}\x1b[K", end="\n" if last else "", flush=True)
        else:
            print(line, flush=True)
