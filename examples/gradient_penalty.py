"""A gradient penalty, which needs second derivatives: how far apart are two clouds of points?

The Wasserstein distance is the largest difference between the means of a function over the two clouds,
among all functions whose slope is nowhere above 1. A network is trained to be that function; the penalty on
its slope (Gulrajani et al., "Improved training of Wasserstein GANs", 2017) is a loss made of a gradient, so
its own gradient takes a tape within a tape. Two equal clouds, one of them moved: the distance is how far.
"""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers, ops

SHIFT = 2.0
PENALTY = 100.0  # lets slopes be 1 + SHIFT / (2 * PENALTY)


class Critic(rv.Sequential):
    def train_step(self, data):
        here, there = data
        with rv.GradientTape() as tape:
            gap = ops.mean(self(there)) - ops.mean(self(here))
            share = rv.random.uniform((here.shape[0], 1), seed=self.seed)
            between = share * here + (1.0 - share) * there
            with rv.GradientTape() as inner:
                between = inner.watch(between)
                values = self(between)
            slopes = inner.gradient(values, between)
            norm = ops.sqrt(ops.sum(slopes**2, axis=1) + 1e-12)
            loss = -gap + PENALTY * ops.mean((norm - 1.0) ** 2)
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"distance": gap, "slope": ops.mean(norm)}


def main() -> None:
    rv.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    here = rng.normal(size=(4096, 2)).astype("float32")
    there = rng.normal(size=(4096, 2)).astype("float32") + np.float32([SHIFT, 0])

    critic = Critic(
        [layers.Dense(64, activation="tanh"), layers.Dense(64, activation="tanh"), layers.Dense(1)]
    )
    critic.seed = rv.random.SeedGenerator(3)
    critic.compile(rv.optimizers.Adam(1e-3, beta_1=0.5))
    critic.fit(here, there, batch_size=256, epochs=60, verbose=0)

    distance = float(np.mean(critic.predict(there, verbose=0)) - np.mean(critic.predict(here, verbose=0)))
    print(f"distance {distance:.3f}, moved by {SHIFT:.3f}")


if __name__ == "__main__":
    main()
