"""A generative adversarial network: two networks and two optimizers in one train_step, run natively by fit.

The generator learns to throw points onto a circle, the discriminator to tell them from real ones.
"""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers, ops

NOISE = 4


def network(outputs: int) -> rv.Sequential:
    hidden = [layers.Dense(64, activation="leaky_relu") for _ in range(2)]
    return rv.Sequential([*hidden, layers.Dense(outputs)])


class GAN(rv.Model):
    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator = network(2), network(1)
        self.seed = rv.random.SeedGenerator(7)
        self.d_loss, self.g_loss = rv.metrics.Mean(name="d_loss"), rv.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer) -> None:
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer
        self.loss_fn = rv.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def generate(self, count: int):
        return self.generator(rv.random.normal((count, NOISE), seed=self.seed))

    def train_step(self, data):
        real = data
        count = real.shape[0]
        ones, zeros = ops.ones((count, 1)), ops.zeros((count, 1))

        fake = ops.stop_gradient(self.generate(count))
        with rv.GradientTape() as tape:
            d_loss = self.loss_fn(ones, self.discriminator(real)) + self.loss_fn(
                zeros, self.discriminator(fake)
            )
        weights = self.discriminator.trainable_variables
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)

        with rv.GradientTape() as tape:
            g_loss = self.loss_fn(ones, self.discriminator(self.generate(count)))
        weights = self.generator.trainable_variables
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {metric.name: metric.result() for metric in self.metrics}


def main() -> None:
    rv.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 4096)
    radius = 1 + 0.05 * rng.normal(size=4096)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype("float32")

    gan = GAN()
    gan.compile(rv.optimizers.Adam(1e-3, beta_1=0.5), rv.optimizers.Adam(1e-3, beta_1=0.5))
    gan.fit(points, batch_size=128, epochs=100, verbose=0)

    made = gan.generate(2000)
    radius = np.hypot(made[:, 0], made[:, 1])
    octants = np.bincount(((np.arctan2(made[:, 1], made[:, 0]) + np.pi) / (np.pi / 4)).astype(int) % 8)
    print(f"generated points within 0.2 of the circle: {np.mean(np.abs(radius - 1) < 0.2):.1%}")
    print(f"share in the emptiest eighth of it: {octants.min() / len(made):.1%}")


if __name__ == "__main__":
    main()
