"""Two inputs, two outputs: which digit is on a picture, and what is its sum with that of another picture?

Both pictures go through the same layers, which learn from both tasks.
"""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers, ops


def pairs(x: np.ndarray, y: np.ndarray, count: int, seed: int) -> tuple[dict, dict]:
    """Random pairs of pictures, and for each the first digit and the sum."""
    left, right = np.random.default_rng(seed).integers(0, len(x), (2, count))
    return {"left": x[left], "right": x[right]}, {"digit": y[left], "sum": y[left] + y[right]}


def make_model() -> rv.Model:
    left, right = rv.Input((8, 8), name="left"), rv.Input((8, 8), name="right")
    read = rv.Sequential(
        [rv.Input((8, 8)), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(32, "relu")], name="read"
    )
    a, b = read(left), read(right)
    both = layers.Dense(64, "relu")(layers.concatenate([a, b, ops.abs(a - b)]))
    both = both + layers.Dense(64, "relu")(both)  # a residual connection
    digit = layers.Dense(10, activation="softmax", name="digit")(a)
    total = layers.Dense(19, activation="softmax", name="sum")(both)
    return rv.Model({"left": left, "right": right}, {"digit": digit, "sum": total})


def main() -> None:
    rv.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = rv.datasets.digits.load_data()
    x, y = pairs(x_train / 16.0, y_train, 20_000, seed=1)
    x_new, y_new = pairs(x_test / 16.0, y_test, 2_000, seed=2)
    model = make_model()
    model.summary()
    model.compile(
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics={"digit": ["accuracy"], "sum": ["accuracy"]},
    )
    model.fit(x, y, batch_size=64, epochs=10, verbose=0)
    results = model.evaluate(x_new, y_new, verbose=0, return_dict=True)
    print(f"digit: {results['digit_accuracy']:.1%} right, sum: {results['sum_accuracy']:.1%} right")


if __name__ == "__main__":
    main()
