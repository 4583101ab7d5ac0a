"""A subclass may call its own attributes and methods what it likes: nothing private is in the way."""

from __future__ import annotations

import functools
import inspect

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers
from ranvier.core.names import OWN, Alias, is_own

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")

# Keras's private names that programs call, on classes that must have them.
CALLED = {"_register_call_context_args"}

# What people call things, besides the names below.
PLAUSIBLE = (
    "_graph _edits _scope _call _results _assigned _trained _functions _initial_epoch _nodes _layers "
    "_metrics _losses _state _steps _step _cache _config _loss _name _names _path _built _build _fit "
    "_model _data _inputs _outputs _mask _epoch _history _lock _trainable _dtype _optimizer _parts "
    "_blocks _weights _variables _values _shape _training"
).split()


def compiled(net, **options):
    net.compile(rv.optimizers.Adam(0.1), "mse", metrics=["mae"], **options)
    return net


def used(net):
    """The model after it was trained, tested and called."""
    compiled(net)
    net.fit(X, X, epochs=2, validation_data=(X, X), verbose=0)
    net.predict(X, verbose=0)
    net.predict(X, verbose=0)
    for _ in range(3):
        net(X)
    net.save_own_variables({})
    return net


class Net(rv.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def sequential():
    return rv.Sequential([rv.Input((3,)), layers.Dropout(0.1), layers.Dense(3)])


def functional():
    x = rv.Input((3,))
    return rv.Model(x, layers.Dense(3)(x))


@functools.cache
def objects():
    """Objects of all base classes, as they are after use."""
    net = used(Net())
    metric = rv.metrics.Mean()
    metric.update_state(X)
    loss = rv.losses.MeanSquaredError()
    loss(X, X)
    history = net.history
    return {
        "layer": net.dense,
        "model": net,
        "fresh model": Net(),
        "sequential": used(sequential()),
        "functional": used(functional()),
        "metric": metric,
        "compiled metrics": net.metrics[0],
        "loss": loss,
        "optimizer": net.optimizer,
        "callback": history,
        "schedule": rv.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5),
        "regularizer": rv.regularizers.L2(0.1),
        "constraint": rv.constraints.MaxNorm(1.0),
        "initializer": rv.initializers.Zeros(),
        "dataset": rv.utils.PyDataset(),
        "operation": rv.Operation(),
    }


# The classes whose subclasses users write; a built-in one in between may have names as Keras's has.
BASES = {
    "layer": rv.Layer,
    "model": rv.Model,
    "fresh model": rv.Model,
    "sequential": rv.Sequential,
    "functional": rv.Model,
    "metric": rv.metrics.Metric,
    "compiled metrics": rv.metrics.Metric,
    "loss": rv.losses.Loss,
    "optimizer": rv.optimizers.Optimizer,
    "callback": rv.callbacks.Callback,
    "schedule": rv.optimizers.schedules.LearningRateSchedule,
    "regularizer": rv.regularizers.Regularizer,
    "constraint": rv.constraints.Constraint,
    "initializer": rv.initializers.Initializer,
    "dataset": rv.utils.PyDataset,
    "operation": rv.Operation,
}


def private(names):
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


@pytest.mark.parametrize("kind", BASES)
def test_private_names_are_marked(kind):
    base = BASES[kind]
    unmarked = {
        name
        for name in private(dir(base)) - CALLED
        if not is_own(name) and not isinstance(inspect.getattr_static(base, name), Alias)
    }
    assert not unmarked, f"private names of {base.__name__} that do not begin with {OWN}: {sorted(unmarked)}"


@pytest.mark.parametrize("kind", ["layer", "model", "fresh model", "sequential", "functional", "callback"])
def test_private_attributes_are_marked(kind):
    value = objects()[kind]
    built_in = {"_kernel"} if kind == "layer" else set()  # of Dense, as in Keras
    assert not {name for name in private(vars(value)) - built_in if not is_own(name)}


@functools.cache
def names():
    """Everything private that the base classes have, without the mark, and Keras's names for it."""
    found = set(PLAUSIBLE)
    for kind, value in objects().items():
        for name in private(dir(BASES[kind])) | private(vars(value)):
            found.add("_" + name.removeprefix(OWN) if is_own(name) else name)
    return sorted(found - CALLED - {"_kernel"})


def refuse(*args, **kwargs):
    raise AssertionError("the engine called a method of the user's own")


def shadowing(base, **members):
    """A subclass with methods of its own under all those names."""
    return type("Own", (base,), dict.fromkeys(names(), refuse) | members)


def assert_works(make, tmp_path):
    x = np.array(X)
    net = compiled(make())
    first = net.fit(x, x, epochs=2, validation_data=(x, x), verbose=0).history
    assert len(first["loss"]) == 2 and np.isfinite(first["val_mae"]).all()
    assert set(net.evaluate(x, x, verbose=0, return_dict=True)) == {"loss", "mae"}
    for _ in range(2):
        np.testing.assert_allclose(net.predict(x, verbose=0), net(x), rtol=1e-5)
        net.train_on_batch(x, x)
    net.trainable = False
    net.trainable = True
    net.fit(x, x, verbose=0)
    net.summary(print_fn=lambda text: None)
    net.save_weights(tmp_path / "w.weights.h5")
    again = make()
    again.build((None, 3))
    again.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(again(x), net(x))
    assert len(again.weights) == len(net.weights)
    return net


@pytest.mark.parametrize("base", [Net, rv.Sequential])
@pytest.mark.parametrize("as_methods", [False, True])
def test_models(base, as_methods, tmp_path):
    pytest.importorskip("h5py")
    mine = names()

    def make():
        cls = shadowing(base) if as_methods else base
        net = cls() if base is Net else cls([rv.Input((3,)), layers.Dropout(0.1), layers.Dense(3)])
        if not as_methods:
            for name in mine:
                setattr(net, name, "mine")
        return net

    net = assert_works(make, tmp_path)
    assert as_methods or all(getattr(net, name) == "mine" for name in mine)


def test_functional_models(tmp_path):
    pytest.importorskip("h5py")
    mine = names()

    def make():
        net = functional()
        for name in mine:
            setattr(net, name, "mine")
        return net

    net = assert_works(make, tmp_path)
    assert all(getattr(net, name) == "mine" for name in mine)


class Keeping(layers.Layer):
    """A layer, and below a model, whose parts are in lists under all the names."""

    def keep(self):
        self.kept = names()
        for name in self.kept:
            setattr(self, name, [layers.Dense(3)])

    def run(self, x):
        total = x
        for name in self.kept:
            total = total + 0.01 * getattr(self, name)[0](x)
        return total


class KeepingLayer(Keeping):
    def __init__(self):
        super().__init__()
        self.keep()

    def call(self, x):
        return self.run(x)


class KeepingModel(rv.Model):
    def __init__(self):
        super().__init__()
        Keeping.keep(self)

    def call(self, x):
        return Keeping.run(self, x)


@pytest.mark.parametrize("make", [KeepingModel, lambda: rv.Sequential([rv.Input((3,)), KeepingLayer()])])
def test_lists_of_layers_are_trained_and_saved(make, tmp_path):
    pytest.importorskip("h5py")
    net = make()
    net.build((None, 3))
    before = net.get_weights()
    assert len(before) == 2 * len(names())
    compiled(net).fit(X, X, verbose=0)
    assert all((a != b).any() for a, b in zip(before, net.get_weights(), strict=True))
    net.save_weights(tmp_path / "w.weights.h5")
    again = make()
    again.build((None, 3))
    again.load_weights(tmp_path / "w.weights.h5")
    for ours, theirs in zip(net.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


class Counting(rv.metrics.Metric):
    def __init__(self):
        super().__init__(name="counted")
        self.total = self.add_variable((), "zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(rv.ops.sum(rv.ops.ones_like(y_true)))

    def result(self):
        return rv.ops.convert_to_tensor(self.total)


class Squared(rv.losses.Loss):
    def call(self, y_true, y_pred):
        return rv.ops.mean(rv.ops.square(y_true - y_pred), axis=-1)


class Descent(rv.optimizers.Optimizer):
    def __init__(self, **kwargs):
        super().__init__(learning_rate=0.1, **kwargs)

    def build(self, variables):
        super().build(variables)
        self.moments = [self.add_variable_from_reference(v, "moment") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, learning_rate * gradient)


class Seeing(rv.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.seen = (epoch, self.model)


@pytest.mark.parametrize("as_methods", [False, True])
def test_metrics_losses_optimizers_and_callbacks(as_methods):
    def own(cls):
        if as_methods:
            return shadowing(cls)()
        made = cls()
        for name in names():
            setattr(made, name, "mine")
        return made

    net, seeing = Net(), own(Seeing)
    net.compile(own(Descent), own(Squared), metrics=[own(Counting)])
    history = net.fit(
        X, X, epochs=3, batch_size=2, validation_data=(X, X), callbacks=[seeing], verbose=0
    ).history
    assert history["counted"] == history["val_counted"] == [12.0] * 3
    assert history["loss"][2] < history["loss"][0] and seeing.seen == (2, net)
    assert len(net.optimizer.variables) == 4
