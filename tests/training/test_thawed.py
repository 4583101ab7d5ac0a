"""Layers that are thawed after the optimizer was built: the next `compile` decides on them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
Y = np.zeros((6, 1), "float32")


class OwnStep(rv.Model):
    """A model with a step as Keras's guides write it."""

    def train_step(self, data):
        x, y = data
        with rv.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x, training=True) - y))
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}


def made(own_step=False, **compiled):
    inputs = rv.Input((3,))
    hidden = layers.Dense(4, name="base")(inputs)
    net = (OwnStep if own_step else rv.Model)(inputs, layers.Dense(1, name="head")(hidden))
    net.get_layer("base").trainable = False
    net.compile(compiled.pop("optimizer", "adam"), "mse", **compiled)
    return net


class Thaw(rv.callbacks.Callback):
    def __init__(self, anew=False):
        super().__init__()
        self.anew = anew

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.get_layer("base").trainable = True
            if self.anew:
                self.model.compile("adam", "mse")


WAYS = {
    "as it comes": {},
    "own step": {"own_step": True},
    "eagerly": {"run_eagerly": True},
    "averages": {"optimizer": rv.optimizers.SGD(0.1, use_ema=True)},
    "scaled": {"optimizer": rv.optimizers.LossScaleOptimizer(rv.optimizers.SGD(0.1))},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_layer_thawed_in_fit_waits_for_compile(way):
    net = made(**WAYS[way])
    base, head = (net.get_layer(name).get_weights() for name in ("base", "head"))
    with pytest.warns(UserWarning, match=r"Layers \['base'\] were made trainable .*`compile\(\)`"):
        net.fit(X, Y, epochs=3, batch_size=4, verbose=0, callbacks=[Thaw()])
        net.train_on_batch(X, Y)
    np.testing.assert_array_equal(net.get_layer("base").get_weights()[0], base[0])
    assert (net.get_layer("head").get_weights()[0] != head[0]).any()
    assert len(net.trainable_variables) == 4
    net.compile("adam", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(X, Y, verbose=0)
    assert (net.get_layer("base").get_weights()[0] != base[0]).any()


def test_compile_in_the_callback_that_thaws():
    net = made()
    base = net.get_layer("base").get_weights()
    net.fit(X, Y, epochs=3, verbose=0, callbacks=[Thaw(anew=True)])
    assert (net.get_layer("base").get_weights()[0] != base[0]).any()


def test_a_layer_frozen_in_fit_rests():
    net = made()
    net.get_layer("base").trainable = True
    net.fit(X, Y, verbose=0)
    kept = []

    class Freeze(rv.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.get_layer("base").trainable = epoch == 0
            kept.append(self.model.get_layer("base").get_weights()[0])

    net.fit(X, Y, epochs=3, verbose=0, callbacks=[Freeze()])
    assert (kept[0] != kept[1]).any()
    np.testing.assert_array_equal(kept[1], kept[2])


def test_a_step_with_several_optimizers_shares_variables_out_itself():
    class Pair(rv.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(1), layers.Dense(1)
            self.a.trainable = False

        def compile(self):
            super().compile("sgd", "mse")
            self.other = rv.optimizers.SGD(0.1)

        def call(self, x):
            return self.a(x) + self.b(x)

        def train_step(self, data):
            self.a.trainable = True
            with rv.GradientTape() as tape:
                loss = ops.mean(ops.square(self(data[0])))
            variables = self.a.trainable_variables
            self.other.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    net = Pair()
    net.build((None, 3))
    net.compile()
    before = net.a.get_weights()[0]
    net.fit(X, Y, epochs=2, verbose=0)
    assert (net.a.get_weights()[0] != before).any()
