"""Objects print as the calls that make them, with what is not the default."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv

schedules = rv.optimizers.schedules


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (rv.optimizers.Adam(), "Adam(learning_rate=0.001)"),
        (rv.optimizers.SGD(0.1, momentum=0.9), "SGD(learning_rate=0.1, momentum=0.9)"),
        (
            rv.optimizers.Adam(schedules.ExponentialDecay(0.1, 100, 0.9), clipnorm=1.0),
            "Adam(learning_rate=ExponentialDecay(initial_learning_rate=0.1, decay_steps=1..., clipnorm=1)",
        ),
        (schedules.CosineDecay(0.1, 50), "CosineDecay(initial_learning_rate=0.1, decay_steps=50)"),
        (rv.initializers.GlorotUniform(), "GlorotUniform()"),
        (rv.initializers.RandomNormal(stddev=0.1, seed=3), "RandomNormal(stddev=0.1, seed=3)"),
        (rv.constraints.MaxNorm(3), "MaxNorm(max_value=3)"),
        (rv.regularizers.L2(1e-4), "L2(l2=0.0001)"),
        (rv.random.SeedGenerator(7), "SeedGenerator(seed=7)"),
        (
            rv.callbacks.EarlyStopping(patience=3, restore_best_weights=True),
            "EarlyStopping(patience=3, restore_best_weights=True)",
        ),
        (rv.callbacks.ModelCheckpoint("a.keras"), "ModelCheckpoint(filepath='a.keras')"),
        (rv.callbacks.TerminateOnNaN(), "TerminateOnNaN()"),
        (rv.callbacks.History(), "<History: 0 epochs>"),
    ],
    ids=lambda value: value.partition("(")[0] if isinstance(value, str) else "",
)
def test_repr(thing, text):
    assert repr(thing) == text


def test_history():
    model = rv.Sequential([rv.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mae"])
    x = np.zeros((4, 2), "float32")
    assert repr(model.fit(x, np.ones((4, 1)), verbose=0)) == "<History: 1 epoch; at the end loss=1, mae=1>"
    assert repr(model.fit(x, x[:, :1], epochs=2, verbose=0)).startswith(
        "<History: 2 epochs; at the end loss="
    )


@pytest.mark.parametrize("base", [rv.Optimizer, rv.Initializer, rv.callbacks.Callback])
def test_what_is_not_finished_can_be_printed(base):
    class Unfinished(base):
        def __init__(self, size):  # no call of the base's constructor
            pass

        def get_config(self):
            raise KeyError("not yet")

    assert repr(Unfinished(3)) in ("<Unfinished>", "Unfinished()")
