"""A training loop written by hand: `rv.jit` turns the step into a native program."""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers, ops


def main() -> None:
    rv.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = rv.datasets.digits.load_data()
    x_train, x_test = (x.reshape(-1, 64) / np.float32(16) for x in (x_train, x_test))
    y_train = y_train.astype("int32")

    model = rv.Sequential([layers.Dense(128, activation="relu"), layers.Dropout(0.2), layers.Dense(10)])
    optimizer = rv.optimizers.Adam(rv.optimizers.schedules.CosineDecay(5e-3, 900))
    mean_loss = rv.metrics.Mean()

    @rv.jit
    def train_step(x, y):
        with rv.GradientTape() as tape:
            logits = model(x, training=True)
            loss = ops.mean(ops.sparse_categorical_crossentropy(y, logits, from_logits=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        mean_loss.update_state(loss)

    @rv.jit
    def classify(x):
        return ops.argmax(model(x, training=False), axis=1)

    rng = np.random.default_rng(0)
    for epoch in range(20):
        mean_loss.reset_state()
        order = rng.permutation(len(x_train))
        for begin in range(0, len(order) - 31, 32):
            rows = order[begin : begin + 32]
            train_step(x_train[rows], y_train[rows])
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {float(mean_loss.result()):.4f}")
    print(f"test accuracy {np.mean(classify(x_test) == y_test):.1%}")


if __name__ == "__main__":
    main()
