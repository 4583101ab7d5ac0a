"""`ranvier bench`: the short form of the benchmark, on this machine, next to NumPy.

The rival is the same network written by hand in NumPy: all parameters in one vector, gradients written into
views of another, so that the optimizer is a handful of array operations. The contestants take turns, and
medians are compared, so that a busy machine slows both.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

import ranvier as rv

if TYPE_CHECKING:
    from rich.table import Table

ROUNDS = 7
MEASUREMENT_SECONDS = 0.1  # the work is repeated until a measurement takes about this long

Contestant = Callable[[int], object]  # does its work the given number of times


@dataclass
class Task:
    """One network and its data; `steps` training steps make an epoch, which is followed by a validation."""

    name: str
    what: str
    sizes: tuple[int, ...]
    hidden: str
    loss: str
    optimizer: str
    batch_size: int
    x: np.ndarray
    y: np.ndarray
    validation: int = 0  # the last rows, held out

    @property
    def steps(self) -> int:
        return -(-(len(self.x) - self.validation) // self.batch_size)


def tasks() -> list[Task]:
    """The networks of the short benchmark, with data made from a fixed seed."""
    rng = np.random.default_rng(0)
    return [_tiny_sgd(rng), _mnist_mlp(rng), _simplechains(rng)]


def _tiny_sgd(rng: np.random.Generator) -> Task:
    """Two noisy circles, one row at a time: nothing but overhead."""
    angle, label = rng.uniform(0, 2 * np.pi, 400), np.arange(400) % 2
    circle = np.stack([np.cos(angle), np.sin(angle)], 1) * (1 - 0.5 * label[:, None])
    return Task(
        name="tiny_sgd",
        what="2-10-10-1, batch 1, validated",
        sizes=(2, 10, 10, 1),
        hidden="relu",
        loss="binary_crossentropy",
        optimizer="rmsprop",
        batch_size=1,
        x=(circle + rng.normal(0, 0.08, (400, 2))).astype("float32"),
        y=label.astype("float32").reshape(-1, 1),
        validation=80,
    )


def _mnist_mlp(rng: np.random.Generator) -> Task:
    """The classroom's network for MNIST, on ten noisy points in 784 dimensions."""
    label = rng.integers(0, 10, 5000)
    return Task(
        name="mnist_mlp",
        what="784-128-32-10, batch 32",
        sizes=(784, 128, 32, 10),
        hidden="relu",
        loss="sparse_categorical_crossentropy",
        optimizer="adam",
        batch_size=32,
        x=(rng.normal(0, 1, (10, 784))[label] + rng.normal(0, 1, (5000, 784))).astype("float32"),
        y=label.astype("int32"),
    )


def _simplechains(rng: np.random.Generator) -> Task:
    """Four functions of four numbers: the task that SimpleChains.jl was announced with."""
    x = rng.normal(0, 1, (10000, 4)).astype("float32")
    y = np.stack([np.exp(x[:, 0]), x[:, 1] * x[:, 2], np.sin(x[:, 3]), x.sum(1)], 1)
    return Task(
        name="simplechains",
        what="4-32-16-4 tanh, one batch of 10,000",
        sizes=(4, 32, 16, 4),
        hidden="tanh",
        loss="mse",
        optimizer="adam",
        batch_size=10000,
        x=x,
        y=y.astype("float32"),
    )


PRODUCTS = [(32, 784, 128), (256, 256, 256), (1024, 1024, 1024)]


def run(rounds: int = ROUNDS) -> int:
    """Measures everything and prints the table. Returns 0."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="ranvier next to NumPy", caption="medians; faster: NumPy's time / ranvier's time")
    table.add_column("what")
    for column in ("ranvier", "NumPy", "faster"):
        table.add_column(column, justify="right")
    console = Console()
    with console.status("measuring"):
        for task in tasks():
            ours, theirs = compare(_fit(task), NumpyNet(task).fit, rounds)
            _add_row(table, f"{task.name}: {task.what}", "us/step", ours / task.steps, theirs / task.steps)
        for m, k, n in PRODUCTS:
            ours, theirs = compare(*_products(m, k, n), rounds)
            _add_row(table, f"product {m}x{k} by {k}x{n}", "us", ours, theirs)
    console.print(table)
    return 0


def compare(ours: Contestant, theirs: Contestant, rounds: int) -> tuple[float, float]:
    """Median seconds each needs to do its work once, measured in turns."""
    contestants = [(function, _repeats(function)) for function in (ours, theirs)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for (function, repeats), times in zip(contestants, seconds, strict=True):
            times.append(_seconds(function, repeats) / repeats)
    return float(np.median(seconds[0])), float(np.median(seconds[1]))


def _seconds(function: Contestant, repeats: int) -> float:
    start = time.perf_counter()
    function(repeats)
    return time.perf_counter() - start


def _repeats(function: Contestant) -> int:
    """How often the work is done in one measurement. What is prepared at the first call is not measured."""
    function(1)
    repeats = 1
    while (seconds := _seconds(function, repeats)) < MEASUREMENT_SECONDS / 2:
        repeats = math.ceil(repeats * min(100.0, MEASUREMENT_SECONDS / seconds))
    return repeats


def _add_row(table: Table, what: str, unit: str, ours: float, theirs: float) -> None:
    table.add_row(what, f"{ours * 1e6:,.1f} {unit}", f"{theirs * 1e6:,.1f} {unit}", f"{theirs / ours:.2f}x")


def _fit(task: Task) -> Contestant:
    """Our contestant: as many epochs of `fit` as asked for."""
    model = rv.Sequential([rv.Input((task.sizes[0],))])
    last = {"binary_crossentropy": "sigmoid", "sparse_categorical_crossentropy": "softmax"}.get(task.loss)
    for size in task.sizes[1:-1]:
        model.add(rv.layers.Dense(size, activation=task.hidden))
    model.add(rv.layers.Dense(task.sizes[-1], activation=last))
    model.compile(
        optimizer=task.optimizer, loss=task.loss, metrics=None if task.loss == "mse" else ["accuracy"]
    )
    split = len(task.x) - task.validation
    x, y = task.x[:split], task.y[:split]
    held_out = (task.x[split:], task.y[split:]) if task.validation else None

    def fit(epochs: int) -> object:
        return model.fit(x, y, batch_size=task.batch_size, epochs=epochs, validation_data=held_out, verbose=0)

    return fit


def _products(m: int, k: int, n: int) -> tuple[Contestant, Contestant]:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)).astype("float32"), rng.normal(size=(k, n)).astype("float32")

    def ours(repeats: int) -> None:
        for _ in range(repeats):
            rv.ops.matmul(a, b)

    def theirs(repeats: int) -> None:
        for _ in range(repeats):
            np.matmul(a, b)

    return ours, theirs


class NumpyNet:
    """A task's network by hand: forward, backward and update, as one would write them in NumPy."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.rng = np.random.default_rng(0)
        shapes = list(zip(task.sizes[:-1], task.sizes[1:], strict=True))
        count = sum((fan_in + 1) * fan_out for fan_in, fan_out in shapes)
        self.parameters, self.gradients = np.zeros(count, "float32"), np.zeros(count, "float32")
        self.first, self.second = np.zeros(count, "float32"), np.zeros(count, "float32")
        self.step = 0
        self.weights, self.biases = self._views(self.parameters, shapes)
        self.weight_gradients, self.bias_gradients = self._views(self.gradients, shapes)
        for weight in self.weights:
            weight[...] = self.rng.normal(0, (2 / sum(weight.shape)) ** 0.5, weight.shape)
        # Class labels become rows of one-hot targets once, not in every step.
        one_hot = task.loss == "sparse_categorical_crossentropy"
        self.targets = np.eye(task.sizes[-1], dtype="float32")[task.y] if one_hot else task.y

    @staticmethod
    def _views(
        vector: np.ndarray, shapes: list[tuple[int, int]]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        weights, biases, at = [], [], 0
        for fan_in, fan_out in shapes:
            weights.append(vector[at : at + fan_in * fan_out].reshape(fan_in, fan_out))
            biases.append(vector[at + fan_in * fan_out : at + (fan_in + 1) * fan_out])
            at += (fan_in + 1) * fan_out
        return weights, biases

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """The input and every layer's output."""
        values = [x]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = values[-1] @ weight + bias
            values.append(np.tanh(z) if self.task.hidden == "tanh" else np.maximum(z, 0))
        z = values[-1] @ self.weights[-1] + self.biases[-1]
        if self.task.loss == "binary_crossentropy":
            z = 1 / (1 + np.exp(-z))
        elif self.task.loss == "sparse_categorical_crossentropy":
            z = np.exp(z - z.max(1, keepdims=True))
            z /= z.sum(1, keepdims=True)
        return [*values, z]

    def backward(self, values: list[np.ndarray], targets: np.ndarray) -> None:
        """Fills `gradients`. For each of the three losses, the last layer's is the same short difference."""
        scale = 2 / targets.size if self.task.loss == "mse" else 1 / len(targets)
        g = (values[-1] - targets) * np.float32(scale)
        for layer in range(len(self.weights) - 1, -1, -1):
            np.matmul(values[layer].T, g, out=self.weight_gradients[layer])
            g.sum(0, out=self.bias_gradients[layer])
            if layer:
                value = values[layer]
                slope = 1 - value * value if self.task.hidden == "tanh" else value > 0
                g = (g @ self.weights[layer].T) * slope

    def update(self) -> None:
        """One step of RMSprop or Adam with Keras's defaults."""
        g = self.gradients
        if self.task.optimizer == "rmsprop":
            self.second += np.float32(0.1) * (g * g - self.second)
            self.parameters -= np.float32(1e-3) * g / np.sqrt(self.second + np.float32(1e-7))
            return
        self.step += 1
        rate = np.float32(1e-3 * (1 - 0.999**self.step) ** 0.5 / (1 - 0.9**self.step))
        self.first += np.float32(0.1) * (g - self.first)
        self.second += np.float32(0.001) * (g * g - self.second)
        self.parameters -= rate * self.first / (np.sqrt(self.second) + np.float32(1e-7))

    def loss(self, values: list[np.ndarray], targets: np.ndarray) -> float:
        """The mean loss of a batch."""
        out = values[-1]
        if self.task.loss == "mse":
            return float(np.square(out - targets).mean())
        p = np.clip(out, 1e-7, 1 - 1e-7)
        if self.task.loss == "binary_crossentropy":
            return float(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())
        return float(-(targets * np.log(p)).sum(1).mean())

    def fit(self, epochs: int) -> float:
        """Trains with shuffling, the loss of every batch, and validation. Returns the last training loss."""
        task, loss = self.task, 0.0
        split = len(task.x) - task.validation
        for _ in range(epochs):
            order = self.rng.permutation(split)
            for start in range(0, split, task.batch_size):
                rows = order[start : start + task.batch_size]
                values, targets = self.forward(task.x[rows]), self.targets[rows]
                loss = self.loss(values, targets)
                self.backward(values, targets)
                self.update()
            for start in range(split, len(task.x), task.batch_size):
                batch = slice(start, start + task.batch_size)
                self.loss(self.forward(task.x[batch]), self.targets[batch])
        return loss
