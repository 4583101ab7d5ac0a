"""The rival that needs nothing but NumPy: a task's network by hand, as one would write it for speed.

All parameters stand in one vector and gradients are written into views of another, so that the optimizer is a
handful of array operations; these run block by block and in place, so that their operands stay in cache. Like
`tasks`, this file needs nothing of ranvier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task

BLOCK = 1 << 15  # parameters that the optimizer updates at once: with its state and gradient, half a megabyte


class NumpyNet:
    """A network with its optimizer and training data.

    Args:
        task: what to train.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.rng = np.random.default_rng(0)
        count = sum(weight.size for weight in task.weights)
        self.parameters, self.gradients = np.empty(count, "float32"), np.empty(count, "float32")
        self.first, self.second = np.empty(count, "float32"), np.empty(count, "float32")
        self.scratch = np.empty((2, min(count, BLOCK)), "float32")
        self.weights, self.biases = self._views(self.parameters)
        self.weight_gradients, self.bias_gradients = self._views(self.gradients)
        # Class labels become rows of one-hot targets once, not in every step.
        one_hot = task.loss == "sparse_categorical_crossentropy"
        self.targets = np.eye(task.sizes[-1], dtype="float32")[task.y] if one_hot else task.y
        rows = task.rows
        self.x, self.y = task.x[:rows], self.targets[:rows]
        self.outputs = np.empty((rows, task.sizes[-1]), "float32")  # of an epoch, for its loss
        self.reset()

    def _views(self, vector: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        views, at = [], 0
        for weight in self.task.weights:
            views.append(vector[at : at + weight.size].reshape(weight.shape))
            at += weight.size
        return views[::2], views[1::2]

    def reset(self) -> None:
        """Back to the task's initial weights and a fresh optimizer."""
        self.parameters[...] = np.concatenate([weight.ravel() for weight in self.task.weights])
        self.first[...] = self.second[...] = 0
        self.step = 0

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """The input and every layer's output.

        Args:
            x: (rows, inputs), float32.
        """
        values = [x]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = values[-1] @ weight
            z += bias
            values.append(np.tanh(z, out=z) if self.task.hidden == "tanh" else np.maximum(z, 0, out=z))
        z = values[-1] @ self.weights[-1]
        z += self.biases[-1]
        if self.task.loss == "binary_crossentropy":
            z = 1 / (1 + np.exp(-z))
        elif self.task.loss == "sparse_categorical_crossentropy":
            z -= z.max(1, keepdims=True)
            np.exp(z, out=z)
            z /= z.sum(1, keepdims=True)
        values.append(z)
        return values

    def backward(self, values: list[np.ndarray], targets: np.ndarray) -> None:
        """Fills `gradients`, and overwrites the hidden values.

        For each of the three losses, the gradient at the last layer before its activation is the same short
        difference.
        """
        scale = 2 / targets.size if self.task.loss == "mse" else 1 / len(targets)
        g = (values[-1] - targets) * np.float32(scale)
        for layer in range(len(self.weights) - 1, -1, -1):
            value = values[layer]
            np.matmul(value.T, g, out=self.weight_gradients[layer])
            g.sum(0, out=self.bias_gradients[layer])
            if layer:
                g = g @ self.weights[layer].T
                if self.task.hidden == "tanh":
                    value *= value
                    g *= np.subtract(1, value, out=value)
                else:
                    g *= value > 0

    def update(self) -> None:
        """One step of RMSprop or Adam with Keras's defaults."""
        self.step += 1
        rate = np.float32(1e-3 * (1 - 0.999**self.step) ** 0.5 / (1 - 0.9**self.step))
        rmsprop = self.task.optimizer == "rmsprop"
        for start in range(0, len(self.parameters), BLOCK):
            block = slice(start, start + BLOCK)
            p, g, second = self.parameters[block], self.gradients[block], self.second[block]
            a, b = self.scratch[:, : len(p)]
            np.multiply(g, g, out=a)
            a -= second
            a *= np.float32(0.1 if rmsprop else 0.001)
            second += a
            if rmsprop:
                np.add(second, np.float32(1e-7), out=a)
                np.sqrt(a, out=a)
                np.multiply(g, np.float32(1e-3), out=b)
            else:
                first = self.first[block]
                np.subtract(g, first, out=b)
                b *= np.float32(0.1)
                first += b
                np.sqrt(second, out=a)
                a += np.float32(1e-7)
                np.multiply(first, rate, out=b)
            b /= a
            p -= b

    def loss(self, outputs: np.ndarray, targets: np.ndarray) -> float:
        """The mean loss of rows.

        Args:
            outputs: the last of `forward`'s values.
            targets: their rows of `targets`.
        """
        if self.task.loss == "mse":
            return float(np.square(outputs - targets).mean())
        p = np.clip(outputs, 1e-7, 1 - 1e-7)
        if self.task.loss == "binary_crossentropy":
            return float(-(targets * np.log(p) + (1 - targets) * np.log(1 - p)).mean())
        return float(-(targets * np.log(p)).sum(1).mean())

    def fit(self, epochs: int) -> float:
        """Trains. Returns the last epoch's training loss."""
        task, rows, loss = self.task, self.task.rows, 0.0
        shuffles = task.batch_size < rows  # the order within one batch changes nothing
        x, y = (np.empty_like(self.x), np.empty_like(self.y)) if shuffles else (self.x, self.y)
        for _ in range(epochs):
            if shuffles:
                order = self.rng.permutation(rows)
                # Without "clip", take() would fill a buffer of its own first.
                np.take(self.x, order, axis=0, out=x, mode="clip")
                np.take(self.y, order, axis=0, out=y, mode="clip")
            for start in range(0, rows, task.batch_size):
                batch = slice(start, start + task.batch_size)
                values = self.forward(x[batch])
                self.outputs[batch] = values[-1]
                self.backward(values, y[batch])
                self.update()
            loss = self.loss(self.outputs, y)
            if task.held_out:
                self.loss(self.forward(task.x[rows:])[-1], self.targets[rows:])
        return loss
