"""Exclusive or: what a single perceptron cannot learn, and a hidden layer can.

A perceptron draws one straight line between the two classes. No line separates (0,1) and (1,0) from (0,0) and
(1,1), so at most three of the four points can be right. Eight hidden units bend the line.
"""

from __future__ import annotations

import numpy as np

import ranvier as rv

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
Y = np.array([[0], [1], [1], [0]], dtype="float32")


def train(hidden_units: int) -> rv.Sequential:
    """A net with that many hidden units (0: a perceptron), trained on the four points."""
    model = rv.Sequential([rv.Input((2,))])
    if hidden_units:
        model.add(rv.layers.Dense(hidden_units, activation="tanh"))
    model.add(rv.layers.Dense(1, activation="sigmoid"))
    model.compile(optimizer=rv.optimizers.Adam(0.05), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(X, Y, batch_size=4, epochs=500, verbose=0)
    return model


def main() -> None:
    rv.utils.set_random_seed(0)
    for name, hidden_units in (("perceptron", 0), ("with 8 hidden units", 8)):
        model = train(hidden_units)
        _, accuracy = model.evaluate(X, Y, verbose=0)
        print(f"{name}: {accuracy:.0%} right")
        for (a, b), p in zip(X, model.predict(X, verbose=0)[:, 0], strict=True):
            print(f"  {a:.0f} xor {b:.0f} = {p:.3f}")


if __name__ == "__main__":
    main()
