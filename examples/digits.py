"""Handwritten digits, 8x8, with early stopping and a look at what is confused with what."""

from __future__ import annotations

import numpy as np

import ranvier as rv


def main() -> None:
    rv.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = rv.datasets.digits.load_data()
    x_train, x_test = x_train / np.float32(16), x_test / np.float32(16)

    model = rv.Sequential(
        [
            rv.Input((8, 8)),
            rv.layers.Flatten(),
            rv.layers.Dense(128, activation="relu", kernel_initializer="he_normal"),
            rv.layers.Dropout(0.2),
            rv.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer=rv.optimizers.Adam(2e-3),
        loss=rv.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stop = rv.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    model.fit(x_train, y_train, batch_size=32, epochs=60, validation_split=0.15, callbacks=[stop], verbose=2)

    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.1%}")
    answers = model.predict(x_test, verbose=0).argmax(axis=1)
    confusion = np.zeros((10, 10), dtype=int)
    np.add.at(confusion, (y_test, answers), 1)
    print("rows: the digit; columns: the answer")
    print(confusion)


if __name__ == "__main__":
    main()
