"""An autoencoder that removes noise from pictures of digits: encoder and decoder, models used as layers."""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers


def make_models(code: int = 24) -> tuple[rv.Model, rv.Model, rv.Model]:
    """The encoder, the decoder, and both in a row."""
    picture = rv.Input((8, 8), name="picture")
    h = layers.Dense(128, activation="relu")(layers.Flatten()(picture))
    encoder = rv.Model(picture, layers.Dense(code)(h), name="encoder")
    numbers = rv.Input((code,), name="code")
    h = layers.Dense(128, activation="relu")(numbers)
    pixels = layers.Dense(64, activation="sigmoid")(h)
    decoder = rv.Model(numbers, layers.Reshape((8, 8))(pixels), name="decoder")
    return encoder, decoder, rv.Model(picture, decoder(encoder(picture)), name="autoencoder")


def main() -> None:
    rv.utils.set_random_seed(0)
    (x_train, _), (x_test, _) = rv.datasets.digits.load_data()
    x_train, x_test = (x.astype("float32") / 16.0 for x in (x_train, x_test))
    rng = np.random.default_rng(0)
    noisy_train, noisy_test = (
        x + rng.normal(scale=0.3, size=x.shape).astype("float32") for x in (x_train, x_test)
    )
    encoder, decoder, autoencoder = make_models()
    autoencoder.compile("adam", "mse")
    autoencoder.fit(noisy_train, x_train, batch_size=32, epochs=40, verbose=0)
    before = np.mean((noisy_test - x_test) ** 2)
    after = autoencoder.evaluate(noisy_test, x_test, verbose=0)
    print(f"error with noise {before:.4f}, without {after:.4f}")
    codes = encoder.predict(noisy_test[:3], verbose=0)
    print(f"a picture of 64 pixels in {codes.shape[1]} numbers, and back: {decoder(codes).shape[1:]}")


if __name__ == "__main__":
    main()
