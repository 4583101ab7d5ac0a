"""Knowledge distillation: a small network learns from a large one's answers, not from labels alone.

Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015.
"""

from __future__ import annotations

import numpy as np

import ranvier as rv
from ranvier import layers, ops


class Distiller(rv.Model):
    """Trains `student` to answer like `teacher`, which stays as it is."""

    def __init__(self, student: rv.Model, teacher: rv.Model, temperature: float = 3.0) -> None:
        super().__init__()
        self.student, self.teacher, self.temperature = student, teacher, temperature
        self.teacher.trainable = False

    def call(self, x, training=False):
        return self.student(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        answers = ops.softmax(self.teacher(x, training=False) / self.temperature)
        spread = ops.categorical_crossentropy(answers, y_pred / self.temperature, from_logits=True)
        # Gradients of softened answers are smaller by the temperature's square.
        return 0.1 * loss + 0.9 * self.temperature**2 * ops.mean(spread)


def network(units: int) -> rv.Sequential:
    return rv.Sequential([rv.Input((64,)), layers.Dense(units, activation="relu"), layers.Dense(10)])


def train(model: rv.Model, x, y, epochs: int) -> None:
    loss = rv.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(rv.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0)


def main() -> None:
    rv.utils.set_random_seed(2)
    (x_train, y_train), (x_test, y_test) = rv.datasets.digits.load_data()
    x_train, x_test = (x.reshape(-1, 64) / np.float32(16) for x in (x_train, x_test))

    teacher = network(256)
    train(teacher, x_train, y_train, epochs=40)
    before = [w.copy() for w in teacher.get_weights()]
    # Labels are dear: the students have 100 of them. Images without labels the teacher can name.
    alone, student = network(12), network(12)
    train(alone, x_train[:100], y_train[:100], epochs=200)
    distiller = Distiller(student, teacher)
    train(distiller, x_train, teacher.predict(x_train, verbose=0).argmax(axis=1), epochs=40)

    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights(), strict=True))
    for name, model in (
        ("teacher", teacher),
        ("student alone", alone),
        ("student of the teacher", distiller),
    ):
        print(f"{name}: test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.1%}")


if __name__ == "__main__":
    main()
