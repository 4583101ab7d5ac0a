"""Copies by `pickle` and `copy`: independent objects with the same state, which can go on."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers


def pickled(value):
    return pickle.loads(pickle.dumps(value))


copiers = pytest.mark.parametrize("copied", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])

x = np.random.default_rng(0).random((64, 5), "float32")
y = (x.sum(axis=1) > 2.5).astype("int32")


def net(optimizer="adam"):
    model = rv.Sequential(
        [
            rv.Input((5,)),
            layers.Dense(7, activation="relu", kernel_regularizer="l2"),
            layers.Dropout(0.1, seed=3),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def weights_differ(a, b):
    return any((v != w).any() for v, w in zip(a.get_weights(), b.get_weights(), strict=True))


class Nested(rv.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [layers.Dense(4), {"last": layers.Dense(2)}]
        self.pair = ([layers.Dense(3)], 1)

    def call(self, inputs):
        return self.blocks[1]["last"](self.pair[0][0](self.blocks[0](inputs)))


@copiers
def test_a_variable(copied):
    variable = rv.Variable(np.arange(6.0).reshape(2, 3), name="v", trainable=False)
    other = copied(variable)
    assert (other.name, other.path, other.dtype, other.trainable) == ("v", "v", variable.dtype, False)
    np.testing.assert_array_equal(other.numpy(), variable.numpy())
    other.assign(np.zeros((2, 3)))
    assert variable.numpy()[1, 2] == 5


def test_a_shallow_copy_of_a_variable_has_its_own_storage():
    variable = rv.Variable([1.0])
    copy.copy(variable).assign([2.0])
    assert variable.numpy() == 1


@copiers
def test_a_built_layer(copied):
    layer = layers.Dense(3)
    expected = layer(x)
    other = copied(layer)
    np.testing.assert_array_equal(other(x), expected)
    other.kernel.assign(np.zeros((5, 3)))
    assert other.trainable_variables[0] is other.kernel
    np.testing.assert_array_equal(layer(x), expected)
    with pytest.raises(ValueError, match="already"):
        other.add_weight((2,))


@copiers
def test_an_unbuilt_layer(copied):
    assert copied(layers.Dense(3, name="d"))(x).shape == (64, 3)


@copiers
def test_a_model_that_goes_on_training(copied):
    model = net()
    model.fit(x, y, epochs=2, verbose=0)
    expected = model.predict(x, verbose=0)
    other = copied(model)
    np.testing.assert_array_equal(other.predict(x, verbose=0), expected)
    assert other.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    history = other.fit(x, y, epochs=2, verbose=0, shuffle=False).history
    assert weights_differ(model, other)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    assert model.fit(x, y, epochs=2, verbose=0, shuffle=False).history == history
    assert not weights_differ(model, other)


@copiers
def test_compiled_but_not_trained(copied):
    model = net()
    other = copied(model)
    assert len(other.fit(x, y, epochs=1, verbose=0).history["loss"]) == 1


@copiers
def test_nested_lists_of_a_model_stay_tracked(copied):
    model = Nested()
    other = copied(model)
    other.blocks.append(layers.Dense(1))
    assert (len(other.layers), len(model.layers)) == (4, 3)
    expected = model(x)
    built = copied(model)
    np.testing.assert_array_equal(built(x), expected)
    assert len(built.trainable_variables) == 6
    assert built.blocks[1]["last"] is built.layers[1]


@copiers
def test_exclusion_from_weight_decay(copied):
    optimizer = rv.optimizers.AdamW(learning_rate=0.0, weight_decay=0.1)
    model = net(optimizer)
    optimizer.exclude_from_weight_decay(var_list=[model.layers[0].kernel])
    model.fit(x, y, verbose=0)
    other = copied(model)
    assert not other.optimizer._rv_use_weight_decay(other.layers[0].kernel)
    assert other.optimizer._rv_use_weight_decay(other.layers[0].bias)


@copiers
@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "adamw", "adagrad", "adadelta", "ftrl", "lion"])
def test_with_every_kind_of_optimizer(copied, name):
    model = net(name)
    model.fit(x, y, verbose=0)
    other = copied(model)
    assert other.optimizer.iterations.numpy() == model.optimizer.iterations.numpy()
    history = other.fit(x, y, verbose=0, shuffle=False).history
    assert model.fit(x, y, verbose=0, shuffle=False).history == history


@copiers
def test_a_history(copied):
    history = net().fit(x, y, epochs=2, verbose=0)
    other = copied(history)
    assert other.history == history.history and other.epoch == [0, 1]
    assert other.model.history is other


@copiers
def test_a_metric(copied):
    metric = rv.metrics.Mean()
    metric.update_state([1.0, 3.0])
    other = copied(metric)
    other.update_state([8.0])
    assert (float(metric.result()), float(other.result())) == (2, 4)


@copiers
@pytest.mark.parametrize(
    "value",
    [
        rv.losses.SparseCategoricalCrossentropy(from_logits=True),
        rv.metrics.SparseCategoricalAccuracy(),
        rv.metrics.MeanSquaredError(),
        rv.initializers.GlorotUniform(seed=1),
        rv.regularizers.L2(0.1),
        rv.constraints.NonNeg(),
        rv.optimizers.Adam(rv.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_other_objects(copied, value):
    assert copied(value).get_config() == value.get_config()


@copiers
def test_a_seed_generator_goes_on_by_itself(copied):
    generator = rv.random.SeedGenerator(4)
    generator.next()
    other = copied(generator)
    np.testing.assert_array_equal(rv.random.normal((3,), seed=other), rv.random.normal((3,), seed=generator))


@copiers
def test_a_model_that_nobody_built(copied):
    model = rv.Sequential([layers.Dense(2)])
    assert copied(model)(x).shape == (64, 2)
    assert not model.built
