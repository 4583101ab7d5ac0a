"""JAX: a whole epoch, validation included, as one compiled program around a lax.scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from contestants.contestant import Contestant, Product

if TYPE_CHECKING:
    from ranvier._bench.tasks import Task


class JaxScan(Contestant):
    def versions(self) -> dict[str, str]:
        return {"jax": jax.__version__}

    def prepare(self, task: Task) -> None:
        self.task = task
        self.rng = np.random.default_rng(0)
        self.x, self.y = (jnp.asarray(part[: task.rows]) for part in (task.x, task.y))
        self.held_out = tuple(jnp.asarray(part[task.rows :]) for part in (task.x, task.y))
        self.epoch = jax.jit(self._epoch, donate_argnums=0)
        self.loss_of = jax.jit(self._loss)
        self.outputs = jax.jit(lambda p, x: jax.nn.softmax(self._forward(p, x)))
        self.reset()

    def reset(self) -> None:
        parameters = [jnp.array(weight) for weight in self.task.weights]
        moments = [[jnp.zeros_like(p) for p in parameters] for _ in range(2)]
        self.state = (parameters, *moments, jnp.zeros((), "float32"))

    def _forward(self, parameters: list[Any], x: Any) -> Any:
        """The outputs before the last activation."""
        activation = jnp.tanh if self.task.hidden == "tanh" else jax.nn.relu
        for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
            x = activation(x @ weight + bias)
        return x @ parameters[-2] + parameters[-1]

    def _loss(self, parameters: list[Any], x: Any, y: Any) -> Any:
        z = self._forward(parameters, x)
        if self.task.loss == "mse":
            return jnp.square(z - y).mean()
        if self.task.loss == "binary_crossentropy":
            return (jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))).mean()
        return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1).mean()

    def _update(self, state: tuple[Any, ...], batch: tuple[Any, Any]) -> tuple[Any, Any]:
        """One step of RMSprop or Adam with Keras's defaults."""
        parameters, first, second, step = state
        loss, gradients = jax.value_and_grad(self._loss)(parameters, *batch)
        step = step + 1
        each = range(len(parameters))
        if self.task.optimizer == "rmsprop":
            second = [0.9 * second[i] + 0.1 * gradients[i] ** 2 for i in each]
            moves = [1e-3 * gradients[i] / jnp.sqrt(second[i] + 1e-7) for i in each]
        else:
            first = [first[i] + 0.1 * (gradients[i] - first[i]) for i in each]
            second = [second[i] + 0.001 * (gradients[i] ** 2 - second[i]) for i in each]
            rate = 1e-3 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            moves = [rate * first[i] / (jnp.sqrt(second[i]) + 1e-7) for i in each]
        return ([parameters[i] - moves[i] for i in each], first, second, step), loss

    def _epoch(self, state: tuple[Any, ...], order: Any, x: Any, y: Any, held_out: Any) -> tuple[Any, ...]:
        task = self.task
        if task.steps == 1:
            state, mean = self._update(state, (x, y))
        else:
            full = task.rows // task.batch_size
            cut = full * task.batch_size

            def step(state: tuple[Any, ...], rows: Any) -> tuple[Any, Any]:
                return self._update(state, (x[rows], y[rows]))

            state, losses = jax.lax.scan(step, state, order[:cut].reshape(full, task.batch_size))
            mean = losses.mean()
            if cut < task.rows:
                state, last = step(state, order[cut:])
                mean = (mean * cut + last * (task.rows - cut)) / task.rows
        return state, mean, self._loss(state[0], *held_out) if task.held_out else mean

    def fit(self, epochs: int) -> None:
        report: list[Any] = []
        order = None  # within one batch it changes nothing
        for _ in range(epochs):
            if self.task.steps > 1:
                order = self.rng.permutation(self.task.rows)  # quicker on the host than jax.random's
            self.state, *report = self.epoch(self.state, order, self.x, self.y, self.held_out)
        jax.block_until_ready((self.state, report))

    def loss(self) -> float:
        return float(self.loss_of(self.state[0], self.x, self.y))

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.outputs(self.state[0], x))

    def product(self, a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool) -> Product:
        left, right = jnp.asarray(a), jnp.asarray(b)
        multiply = jax.jit(lambda a, b: (a.T if transpose_a else a) @ (b.T if transpose_b else b))

        def run(repeats: int) -> None:
            for _ in range(repeats):
                multiply(left, right).block_until_ready()

        return Product(run, lambda: np.asarray(multiply(left, right)))
