"""MNIST with the classroom's network: 784-128-32-10.

usage: mnist.py [--epochs N] [--data FILE]

FILE: an .npz with x_train, y_train, x_test, y_test; by default the data set is downloaded (11 MB) into
~/.keras/datasets.
"""

from __future__ import annotations

import argparse

import numpy as np

import ranvier as rv


def load(path: str | None) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The data set from a file, or from the cache."""
    if path is None:
        return rv.datasets.mnist.load_data()
    with np.load(path) as data:
        return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a 784-128-32-10 network on MNIST.")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data", metavar="FILE", help="an .npz with x_train, y_train, x_test, y_test")
    arguments = parser.parse_args()

    rv.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = load(arguments.data)
    x_train, x_test = x_train / np.float32(255), x_test / np.float32(255)
    model = rv.Sequential(
        [
            rv.Input((28, 28)),
            rv.layers.Flatten(),
            rv.layers.Dense(128, activation="relu"),
            rv.layers.Dense(32, activation="relu"),
            rv.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.summary()
    model.fit(x_train, y_train, batch_size=32, epochs=arguments.epochs, validation_split=0.1)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.1%}")


if __name__ == "__main__":
    main()
