"""A variational autoencoder of handwritten digits: a sampling layer, and a loss that a layer adds."""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers, ops

LATENT = 8


class Sampling(layers.Layer):
    """A draw from the normal distribution (mean, log variance); adds its distance from the standard one.

    Kingma and Welling, "Auto-encoding variational Bayes", 2013.
    """

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.seed = rv.random.SeedGenerator(1337)

    def call(self, inputs, training=False):
        mean, log_variance = inputs[:, :LATENT], inputs[:, LATENT:]
        divergence = -0.5 * ops.sum(1.0 + log_variance - mean**2 - ops.exp(log_variance), axis=1)
        self.add_loss(ops.mean(divergence))
        if not training:
            return mean
        return mean + ops.exp(0.5 * log_variance) * rv.random.normal(ops.shape(mean), seed=self.seed)


class VAE(rv.Model):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = rv.Sequential([layers.Dense(128, activation="relu"), layers.Dense(2 * LATENT)])
        self.sampling = Sampling()
        self.decoder = rv.Sequential(
            [layers.Dense(128, activation="relu"), layers.Dense(64, activation="sigmoid")]
        )

    def call(self, x):
        return self.decoder(self.sampling(self.encoder(x)))


def pixel_loss(x, reconstruction):
    return ops.sum(ops.binary_crossentropy(x, reconstruction), axis=1)


def main() -> None:
    rv.utils.set_random_seed(1)
    (x_train, _), (x_test, _) = rv.datasets.digits.load_data()
    x_train, x_test = (x.reshape(-1, 64) / np.float32(16) for x in (x_train, x_test))

    vae = VAE()
    vae.compile(rv.optimizers.Adam(2e-3), loss=pixel_loss)
    history = vae.fit(x_train, x_train, batch_size=64, epochs=80, verbose=0, validation_data=(x_test, x_test))
    print(f"loss: first epoch {history.history['loss'][0]:.2f}, last {history.history['loss'][-1]:.2f}")

    error = np.mean((vae.predict(x_test, verbose=0) - x_test) ** 2)
    print(f"squared error of reconstructions: {error / np.var(x_test, axis=0).mean():.1%} of the variance")
    drawn = vae.decoder(np.random.default_rng(0).normal(size=(1, LATENT)).astype("float32"))
    for row in drawn.reshape(8, 8):
        print("".join(" .:*#@"[int(pixel * 5.99)] for pixel in row))


if __name__ == "__main__":
    main()
