"""Transfer learning: layers that have learnt one task, frozen, serve another with few examples.

A network learns to tell the ten digits from many pictures. Its hidden layers are then frozen, and a new
output layer learns from 30 pictures whether a digit's line closes on itself (0, 6, 8 and 9 do). The same
network from scratch has the same 30 pictures.
"""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers

LOOPS = (0, 6, 8, 9)
FEW = 30


def with_output(hidden: rv.Model, classes: int, name: str) -> rv.Model:
    outputs = layers.Dense(classes, activation="softmax")(hidden.output)
    model = rv.Model(hidden.input, outputs, name=name)
    model.compile(rv.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def hidden_layers() -> rv.Model:
    x = rv.Input((8, 8))
    h = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return rv.Model(x, layers.Dense(64, activation="relu")(h), name="hidden")


def main() -> None:
    rv.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = rv.datasets.digits.load_data()
    x_train, x_test = x_train / 16.0, x_test / 16.0
    hidden = hidden_layers()
    with_output(hidden, 10, "digits").fit(x_train, y_train, epochs=30, verbose=0)

    few, test = (np.isin(y, LOOPS).astype("int32") for y in (y_train[:FEW], y_test))
    for name, base in (("from scratch", hidden_layers()), ("transferred", hidden)):
        if name == "transferred":
            base.trainable = False  # before `compile`: what is frozen then is not trained
        model = with_output(base, 2, name.replace(" ", "_"))
        before = base.get_weights()
        model.fit(x_train[:FEW], few, batch_size=10, epochs=100, verbose=0)
        moved = any((a != b).any() for a, b in zip(before, base.get_weights(), strict=True))
        _, accuracy = model.evaluate(x_test, test, verbose=0)
        trained = sum(v.size for v in model.trainable_variables)
        print(f"{name}: {trained} weights trained, hidden layers moved: {moved}, {accuracy:.1%} right")


if __name__ == "__main__":
    main()
