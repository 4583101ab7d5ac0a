"""Warnings point at the user's line, however deep inside of the package they arise."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

X = np.ones((4, 3), "float32")
Y = np.ones((4, 1), "float32")


class OneIdle(rv.Model):
    """The loss does not depend on `idle`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.used = layers.Dense(1)
        self.idle = layers.Dense(1)

    def call(self, x):
        self.idle(x)
        return self.used(x)


class Single(rv.Sequential):
    def __init__(self):
        super().__init__([layers.Dense(1)])


class OwnStep(OneIdle):
    def train_step(self, data):
        x, y = data
        with rv.GradientTape() as tape:
            loss = rv.ops.mean((self(x) - y) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class CallsSuper(OneIdle):
    def train_step(self, data):
        return super().train_step(data)


def compiled(cls, **options):
    net = cls()
    net.compile("sgd", "mse", **options)
    return net


def by_hand(net):
    with rv.GradientTape() as tape:
        loss = rv.ops.mean((net(X) - Y) ** 2)
    net.optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)


WAYS = {
    "fit": lambda net: net.fit(X, Y, verbose=0),
    "train_on_batch": lambda net: net.train_on_batch(X, Y),
    "a loop of one's own": by_hand,
    "batches": lambda net: net.fit(iter([(X, Y)]), verbose=0),
}


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("cls", [OneIdle, OwnStep, CallsSuper])
@pytest.mark.parametrize("way", WAYS)
def test_missing_gradients(way, cls, eager) -> None:
    net = compiled(cls, run_eagerly=eager)
    with pytest.warns(UserWarning, match="Gradients do not exist") as caught:
        WAYS[way](net)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    "run",
    [
        lambda: compiled(Single).fit(X, Y, epochs=3, batch_size=3, steps_per_epoch=3),
        lambda: layers.Dense(1, input_shape=(3,)),
        lambda: rv.Sequential([layers.Dense(1)]).save("nowhere/a.keras"),
        lambda: rv.callbacks.EarlyStopping(mode="wrong"),
        lambda: rv.optimizers.SGD(decay=0.1),
        lambda: rv.Sequential([layers.Masking(), layers.Flatten()])(np.ones((2, 3, 4), "float32")),
    ],
)
def test_other_warnings(run) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            run()
        except (ValueError, OSError):
            pass
    assert {warning.filename for warning in caught} == {__file__}
