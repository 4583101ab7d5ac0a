"""What the benchmarks train: each network, its data and its schedule, defined once for every contestant.

This file needs NumPy alone and nothing of ranvier, because bench/ also loads it in interpreters that have
other libraries and not this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

Rows = tuple[np.ndarray, np.ndarray]  # inputs and targets


@dataclass(frozen=True)
class Task:
    """One network and its data.

    An epoch visits the training rows once, in a new order, in batches of `batch_size` (the last may be
    shorter), and gives the mean loss of its rows; where rows are held out, it ends with the loss on those.

    Attributes:
        name: the name on the command line.
        what: a few words for tables.
        sizes: the numbers of inputs, of each layer's units, and of outputs.
        hidden: activation of the hidden layers: "relu" or "tanh".
        loss: Keras's name of the loss; it decides the output's activation too.
        optimizer: "adam" or "rmsprop", with Keras's defaults.
        batch_size: rows in a step.
        epochs: how long a contestant trains in one measurement, always from the same initial weights.
        x: float32 inputs, one row for each sample.
        y: targets: float32, or int32 class labels.
        held_out: how many of the last rows are for validation.
    """

    name: str
    what: str
    sizes: tuple[int, ...]
    hidden: str
    loss: str
    optimizer: str
    batch_size: int
    epochs: int
    x: np.ndarray
    y: np.ndarray
    held_out: int = 0

    @property
    def rows(self) -> int:
        """How many rows are trained on."""
        return len(self.x) - self.held_out

    @property
    def steps(self) -> int:
        """Training steps in an epoch."""
        return -(-self.rows // self.batch_size)

    @property
    def training(self) -> Rows:
        return self.x[: self.rows], self.y[: self.rows]

    @property
    def validation(self) -> Rows | None:
        return (self.x[self.rows :], self.y[self.rows :]) if self.held_out else None

    @property
    def layers(self) -> list[tuple[int, int]]:
        """(inputs, units) of each layer."""
        return list(zip(self.sizes[:-1], self.sizes[1:], strict=True))

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """The initial weights: kernel (inputs, units) and bias (units,) of each layer; Glorot's uniform."""
        rng = np.random.default_rng(1)
        weights = []
        for fan_in, fan_out in self.layers:
            limit = (6 / (fan_in + fan_out)) ** 0.5
            weights.append(rng.uniform(-limit, limit, (fan_in, fan_out)).astype("float32"))
            weights.append(np.zeros(fan_out, "float32"))
        return weights

    @property
    def flops(self) -> float:
        """Floating-point operations of the products of an average training step; a multiply-add is two.

        Each layer has three products, forward, of the kernel's gradient and of the input's gradient; the
        first layer does not need the last.
        """
        cells = [fan_in * fan_out for fan_in, fan_out in self.layers]
        return 2 * self.rows / self.steps * (3 * sum(cells) - cells[0])


def task(name: str) -> Task:
    """The task of a name, with data made from a fixed seed.

    Raises:
        KeyError: for an unknown name.
    """
    return _TASKS[name](np.random.default_rng(0))


def _circles(rng: np.random.Generator) -> Rows:
    """400 points on two noisy circles, one within the other."""
    angle, label = rng.uniform(0, 2 * np.pi, 400), np.arange(400) % 2
    circle = np.stack([np.cos(angle), np.sin(angle)], 1) * (1 - 0.5 * label[:, None])
    return (circle + rng.normal(0, 0.08, (400, 2))).astype("float32"), label.astype("float32").reshape(-1, 1)


def _blobs(rng: np.random.Generator, rows: int, width: int) -> Rows:
    """Noise around ten points."""
    label = rng.integers(0, 10, rows)
    x = rng.normal(0, 1, (10, width))[label] + rng.normal(0, 1, (rows, width))
    return x.astype("float32"), label.astype("int32")


def _tiny_sgd(rng: np.random.Generator) -> Task:
    """One row at a time: nothing but overhead."""
    x, y = _circles(rng)
    what = "2-10-10-1, batch 1, 320 rows, 80 held out"
    loss, sizes = "binary_crossentropy", (2, 10, 10, 1)
    return Task("tiny_sgd", what, sizes, "relu", loss, "rmsprop", 1, 15, x, y, held_out=80)


def _tiny_batch(rng: np.random.Generator) -> Task:
    """An epoch is one step: the fixed cost of an epoch."""
    x, y = _circles(rng)
    what = "2-10-10-1, one batch of 320, 80 held out"
    loss, sizes = "binary_crossentropy", (2, 10, 10, 1)
    return Task("tiny_batch", what, sizes, "relu", loss, "rmsprop", 320, 200, x, y, held_out=80)


def _simplechains(rng: np.random.Generator) -> Task:
    """Four functions of four numbers: the task that SimpleChains.jl was announced with."""
    x = rng.normal(0, 1, (10000, 4)).astype("float32")
    y = np.stack([np.exp(x[:, 0]), x[:, 1] * x[:, 2], np.sin(x[:, 3]), x.sum(1)], 1).astype("float32")
    what = "4-32-16-4 tanh, one batch of 10,000"
    return Task("simplechains", what, (4, 32, 16, 4), "tanh", "mse", "adam", 10000, 100, x, y)


def _classifier(name: str, sizes: tuple[int, ...], rows: int, batch: int, epochs: int) -> Callable[..., Task]:
    def make(rng: np.random.Generator) -> Task:
        x, y = _blobs(rng, rows, sizes[0])
        what = f"{'-'.join(map(str, sizes))}, batch {batch}"
        loss = "sparse_categorical_crossentropy"
        return Task(name, what, sizes, "relu", loss, "adam", batch, epochs, x, y)

    return make


def classifier(
    sizes: Sequence[int], rows: int, batch_size: int, epochs: int = 1, hidden: str = "relu"
) -> Task:
    """A dense network of any shape that tells ten kinds of rows apart, for sweeps over one of its sizes.

    Args:
        sizes: the numbers of inputs, of each layer's units, and of outputs, which are ten at least.
        rows: rows of an epoch.
        batch_size: rows in a step.
        epochs: how long it is trained in one measurement.
        hidden: activation of the hidden layers: "relu" or "tanh".
    """
    made = _classifier("classifier", tuple(sizes), rows, batch_size, epochs)(np.random.default_rng(0))
    return replace(made, hidden=hidden)


_TASKS: dict[str, Callable[[np.random.Generator], Task]] = {
    "tiny_sgd": _tiny_sgd,
    "tiny_batch": _tiny_batch,
    "simplechains": _simplechains,
    "mnist_mlp": _classifier("mnist_mlp", (784, 128, 32, 10), rows=10000, batch=32, epochs=3),
    "mnist_mlp_512": _classifier("mnist_mlp_512", (784, 128, 32, 10), rows=10000, batch=512, epochs=5),
    "wide_mlp": _classifier("wide_mlp", (1024, 2048, 2048, 10), rows=4096, batch=512, epochs=2),
    "predict_one": _classifier("predict_one", (784, 128, 10), rows=64, batch=32, epochs=1),
}
TRAINING = tuple(name for name in _TASKS if name != "predict_one")
