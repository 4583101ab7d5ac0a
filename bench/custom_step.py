"""What training code of one's own costs: an overridden train_step, a loop under rv.jit, eager steps.

usage: custom_step.py [ROUNDS]

Each way trains the same network on the same batches; they take turns. The overridden step is to take at most
1.1 times as long as the default one: it becomes the same program.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

import ranvier as rv
from ranvier import layers

BATCH = 32
NETWORKS = {"2-16-1": (2, 16, 1, 2000), "784-128-10": (784, 128, 10, 300)}  # inputs, hidden, outputs, steps


class Own(rv.Sequential):
    """What the default step does."""

    def train_step(self, data):
        x, y = data
        with rv.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.metrics[0].update_state(loss, sample_weight=x.shape[0])
        return self.compute_metrics(x, y, y_pred)


def ways(inputs: int, hidden: int, outputs: int, steps: int) -> dict[str, Callable[[], float]]:
    """By name: a function that trains for an epoch and returns the seconds of a step."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * steps, inputs)).astype("float32")
    y = rng.integers(0, outputs, BATCH * steps) if outputs > 1 else x[:, :1] * x[:, 1:2]

    def model(cls: type = rv.Sequential, run_eagerly: bool = False) -> rv.Model:
        rv.utils.set_random_seed(0)
        net = cls([rv.Input((inputs,)), layers.Dense(hidden, activation="relu"), layers.Dense(outputs)])
        loss = rv.losses.SparseCategoricalCrossentropy(from_logits=True) if outputs > 1 else "mse"
        net.compile(rv.optimizers.SGD(0.01), loss, run_eagerly=run_eagerly)
        return net

    def fitting(net: rv.Model, count: int) -> Callable[[], float]:
        part = slice(0, BATCH * count)
        net.fit(x[part], y[part], batch_size=BATCH, shuffle=False, verbose=0)

        def run() -> float:
            began = time.perf_counter()
            net.fit(x[part], y[part], batch_size=BATCH, shuffle=False, verbose=0)
            return (time.perf_counter() - began) / count

        return run

    net = model()
    loss_fn = rv.losses.get(net.loss)

    @rv.jit
    def step(x, y):
        with rv.GradientTape() as tape:
            loss = loss_fn(y, net(x, training=True))
        net.optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)
        return loss

    def by_hand() -> float:
        began = time.perf_counter()
        for i in range(0, len(x), BATCH):
            step(x[i : i + BATCH], y[i : i + BATCH])
        return (time.perf_counter() - began) / steps

    by_hand()
    return {
        "fit, default step": fitting(model(), steps),
        "fit, own train_step": fitting(model(Own), steps),
        "loop by hand, rv.jit": by_hand,
        "fit, run_eagerly": fitting(model(run_eagerly=True), 10),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    for name, sizes in NETWORKS.items():
        runs = ways(*sizes)
        seconds: dict[str, list[float]] = {way: [] for way in runs}
        for _ in range(rounds):
            for way, run in runs.items():
                seconds[way].append(run())
        first = next(iter(seconds))
        print(f"{name}, batches of {BATCH}; median of {rounds} rounds")
        for way, values in seconds.items():
            ratio = statistics.median(a / b for a, b in zip(values, seconds[first], strict=True))
            print(
                f"  {way:22s} {1e6 * statistics.median(values):10.2f} us a step, {ratio:8.2f} x the default"
            )


if __name__ == "__main__":
    main()
