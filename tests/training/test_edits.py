"""A change of a layer after programs were made is seen by all of them."""

from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

pytestmark = pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
Y = np.zeros((6, 3), "float32")


class Scaled(layers.Layer):
    """A layer of a user's own, with a factor and parts in a list."""

    def __init__(self):
        super().__init__()
        self.factor = 2.0
        self.parts = [layers.Lambda(lambda x: x + 1.0), layers.Lambda(lambda x: x * x)]
        self.traced = 0

    def call(self, x):
        self.traced += 1
        self.last = x  # what a layer notes of a call is no change of the layer
        for part in self.parts:
            x = part(x)
        return x * self.factor


def made(*parts):
    net = rv.Sequential([rv.Input((3,)), *parts])
    net.compile(rv.optimizers.SGD(0.0), "mse", metrics=["mae"])
    return net


def nested():
    inner = rv.Sequential([rv.Input((3,)), layers.Dense(3)])
    return made(rv.Sequential([rv.Input((3,)), inner]))


def set_activation(net):
    net.layers[0].activation = rv.activations.sigmoid


def set_nested(net):
    net.layers[0].layers[0].layers[0].activation = rv.activations.tanh


def set_own(net):
    net.layers[0].factor = 5.0


class Late(layers.Layer):
    """It makes its part when it is built, in the first call."""

    def build(self, shape):
        self.part = layers.LayerNormalization()

    def call(self, x):
        return self.part(x)


def late():
    net = rv.Sequential([Late()])
    net.compile(rv.optimizers.SGD(0.0), "mse", metrics=["mae"])
    return net


def set_late(net):
    net.layers[0].part.epsilon = 3.0


EDITS = {
    "activation": (lambda: made(layers.Dense(3)), set_activation),
    "nested": (nested, set_nested),
    "own attribute": (lambda: made(Scaled()), set_own),
    "order of a list": (lambda: made(Scaled()), lambda net: net.layers[0].parts.reverse()),
    "item of a list": (lambda: made(Scaled()), lambda net: net.layers[0].parts.pop()),
    "part made late": (lambda: late(), set_late),
    "epsilon": (lambda: made(layers.LayerNormalization()), lambda net: setattr(net.layers[0], "epsilon", 3)),
}


def loss_of(net):
    return float(np.mean(np.square(np.asarray(net(X)))))


USES = {
    "predict": lambda net: np.mean(np.square(net.predict(X, verbose=0))),
    "predict_on_batch": lambda net: np.mean(np.square(net.predict_on_batch(X))),
    "evaluate": lambda net: net.evaluate(X, Y, verbose=0)[0],
    "test_on_batch": lambda net: net.test_on_batch(X, Y)[0],
    "train_on_batch": lambda net: net.train_on_batch(X, Y)[0],
    "fit": lambda net: net.fit(X, Y, verbose=0).history["loss"][0],
    "call": loss_of,
}


@pytest.mark.parametrize("name", EDITS)
def test_every_use_sees_a_change(name):
    make, edit = EDITS[name]
    net = make()
    for _ in range(2):
        before = {use: run(net) for use, run in USES.items()}
    edit(net)
    expected = loss_of(net)
    assert abs(expected - before["call"]) > 1e-3
    for use, run in USES.items():
        for _ in range(2):
            assert run(net) == pytest.approx(expected, rel=1e-5), use


def test_the_rate_of_dropout_in_a_callback():
    net = made(layers.Dropout(1e-9, seed=1))

    class Raise(rv.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                net.layers[0].rate = 0.999999

    losses = net.fit(X, Y, epochs=4, verbose=0, callbacks=[Raise()]).history["loss"]
    assert losses[0] == losses[1] > 0 and losses[2] == losses[3] == 0.0


def clip(optimizer):
    optimizer.clipvalue = 1e-12


@pytest.mark.parametrize(
    ("make", "edit"),
    [
        (lambda: rv.optimizers.SGD(0.1), clip),
        (lambda: rv.optimizers.LossScaleOptimizer(rv.optimizers.SGD(0.1)), lambda o: clip(o.inner_optimizer)),
        (lambda: rv.optimizers.SGD(0.1, momentum=0.5), clip),
    ],
)
@pytest.mark.parametrize("use", ["fit", "train_on_batch"])
def test_a_change_of_the_optimizer(make, edit, use):
    net = rv.Sequential([rv.Input((3,)), layers.Dense(3)])
    net.compile(make(), "mse")

    def moved():
        before = net.get_weights()
        net.fit(X, Y, verbose=0) if use == "fit" else net.train_on_batch(X, Y)
        return max(np.abs(a - b).max() for a, b in zip(before, net.get_weights(), strict=True))

    assert moved() > 1e-4 and moved() > 1e-4
    for variable in net.optimizer.variables:  # momentum goes on
        if "momentum" in variable.name:
            variable.assign(np.zeros(variable.shape))
    edit(net.optimizer)
    assert moved() < 1e-6


def test_a_new_learning_rate_is_no_change_of_the_program():
    net = made(Scaled(), layers.Dense(3))
    schedule = rv.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    net.fit(X, Y, verbose=0)
    traced = net.layers[0].traced
    net.fit(X, Y, epochs=3, callbacks=[schedule], verbose=0)
    assert net.layers[0].traced == traced


def test_batch_normalization_that_is_frozen_and_thawed():
    net = made(layers.BatchNormalization(), layers.Dense(3))
    averages = net.layers[0].moving_mean
    net.fit(X, Y, verbose=0)
    moved = averages.numpy()
    assert moved.any()
    net.layers[0].trainable = False
    net.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(averages.numpy(), moved)
    net.layers[0].trainable = True
    net.fit(X, Y, verbose=0)
    assert (averages.numpy() != moved).any()


def test_what_calls_note_and_equal_values_are_no_changes():
    net = made(Scaled(), layers.Dense(3))
    for _ in range(2):
        net.train_on_batch(X, Y)
        net.predict(X, verbose=0)
    inner, calls = net.layers[0], 0
    traced = inner.traced
    for _ in range(4):
        net(X)
        calls += 1
        inner.factor = 1.0 + 1.0
        net.optimizer.clipvalue = None
        net.train_on_batch(X, Y)
        net.predict(X, verbose=0)
    assert inner.traced == traced + calls


@pytest.mark.parametrize("name", ["trainable", "factor"])
def test_a_value_that_is_turned_and_turned_back(name):
    """The training of a GAN, whose judge is frozen for one step and thawed for the next."""
    judge = rv.Sequential([rv.Input((3,)), Scaled(), layers.Dense(3)])
    judge.compile("sgd", "mse")
    maker = rv.Sequential([rv.Input((3,)), layers.Dense(3)])
    both = rv.Sequential([rv.Input((3,)), maker, judge])
    turned = judge if name == "trainable" else judge.layers[0]
    values = (True, False) if name == "trainable" else (2.0, 3.0)
    setattr(turned, name, values[1])
    both.compile("sgd", "mse")
    traced, weights = [], []
    for _ in range(4):
        setattr(turned, name, values[0])
        judge.train_on_batch(X, Y)
        weights.append(judge.get_weights()[0])
        setattr(turned, name, values[1])
        both.train_on_batch(X, Y)
        traced.append(judge.layers[0].traced)
    assert traced[1] == traced[-1]
    if name == "trainable":
        np.testing.assert_array_equal(judge.get_weights()[0], weights[-1])
        assert (weights[0] != weights[1]).any()


class Noted(rv.Model):
    """A model with attributes that its step reads, and others that only callbacks use."""

    def __init__(self):
        super().__init__()
        self.first, self.parts = layers.Dense(3), [layers.Dense(3)]
        self.traced = self.step = 0
        self.seen, self.logs, self.weight = [], {"loss": []}, np.zeros(3)
        self.settings = {"factors": [1.0, 2.0]}

    def call(self, x):
        self.traced += 1
        for part in (self.first, *self.parts):
            x = part(x)
        return x * factor_of(self) * getattr(self, "late", 1.0)


def factor_of(model):
    return sum(model.settings["factors"])


class Batches(rv.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


class After(rv.callbacks.Callback):
    """Changes something after each batch."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def on_train_batch_end(self, batch, logs=None):
        self.change(self.model, batch)


def count(net, batch):
    net.step += 1


NOTES = {
    "a counter": count,
    "a new attribute": lambda net, batch: setattr(net, "batch", batch),
    "a new list": lambda net, batch: setattr(net, "batch", [batch]),
    "an array": lambda net, batch: setattr(net, "weight", np.full(3, batch)),
    "a list that grows": lambda net, batch: net.seen.append(batch),
    "a list in a dict": lambda net, batch: net.logs["loss"].append(batch),
    "an attribute of a layer": lambda net, batch: setattr(net.parts[0], "note", batch),
    "an attribute that goes": lambda net, batch: net.__dict__.pop("batch", setattr(net, "batch", batch)),
    "an attribute of the optimizer": lambda net, batch: setattr(net.optimizer, "note", batch),
}


@pytest.mark.parametrize("name", NOTES)
def test_what_callbacks_note_in_a_model_is_no_change_of_its_step(name):
    net = Noted()
    net.compile("sgd", "mse")
    net.fit(Batches(), verbose=0)
    traced = net.traced
    net.fit(Batches(), epochs=3, verbose=0, callbacks=[After(NOTES[name])])
    net.fit(Batches(), epochs=2, verbose=0)
    assert net.traced == traced


READ = {
    "in a list of a dict": lambda net, i: net.settings["factors"].__setitem__(0, float(i)),
    "a list": lambda net, i: net.settings.update(factors=[float(i)]),
    "not there before": lambda net, i: setattr(net, "late", float(i)),
    "a part": lambda net, i: setattr(net.parts[0], "activation", lambda x: x + i),
    "a part more": lambda net, i: setattr(net, "parts", [*net.parts, net.parts[0]]),
    "a method": lambda net, i: setattr(net.first, "call", lambda x, training=None: x + i),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_step_reads_is_compared(name):
    net = Noted()
    net.compile(rv.optimizers.SGD(0.0), "mse")
    for i in range(2, 5):
        assert net.predict(X, verbose=0) == pytest.approx(np.asarray(net(X)), rel=1e-5)
        assert net.evaluate(X, Y, verbose=0) == pytest.approx(np.mean(np.square(net(X))), rel=1e-5)
        before = net(X)
        READ[name](net, i)
        assert np.abs(net(X) - before).max() > 1e-4


def test_changes_after_each_batch_are_warned_of_by_name():
    net = Noted()
    net.compile("sgd", "mse")
    slowly = After(lambda net, batch: setattr(net, "late", 1.0 + batch))
    with pytest.warns(UserWarning, match="`late` of 'noted.*' changes often.*compiled anew") as seen:
        net.fit(Batches(), epochs=8, verbose=0, callbacks=[slowly])
    assert len(seen) == 1


def test_without_a_change_nothing_is_traced_anew():
    net = made(Scaled())
    for _ in range(3):
        net.fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0)
        net.evaluate(X, Y, verbose=0)
        net.predict(X, verbose=0)
    traced = net.layers[0].traced
    other = made(layers.Dense(3))
    for _ in range(3):
        net.fit(X, Y, epochs=3, validation_data=(X, Y), verbose=0)
        net.evaluate(X, Y, verbose=0)
        net.predict(X, verbose=0)
        other.layers[0].activation = rv.activations.relu
    assert net.layers[0].traced == traced
