"""Models inside of models, a hundred deep."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers

DEPTH = 100
X = np.ones((4, 3), "float32")


@rv.saving.register_keras_serializable("tests")
class Box(rv.Model):
    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, x):
        return self.inner(x)

    def get_config(self):
        return {"inner": rv.saving.serialize_keras_object(self.inner), "name": self.name}


def functional():
    model = layers.Dense(3)
    for _ in range(DEPTH):
        x = rv.Input((3,))
        model = rv.Model(x, model(x))
    return model


def sequential():
    model = rv.Sequential([rv.Input((3,)), layers.Dense(3)])
    for _ in range(DEPTH):
        model = rv.Sequential([rv.Input((3,)), model])
    return model


def unbuilt():
    model = layers.Dense(3)
    for _ in range(DEPTH):
        model = rv.Sequential([model])
    return model


def boxes():
    model = layers.Dense(3)
    for _ in range(DEPTH):
        model = Box(model)
    return model


@pytest.mark.parametrize("make", [functional, sequential, unbuilt, boxes])
def test_a_hundred_deep(make, tmp_path):
    limit = sys.getrecursionlimit()
    model = make()
    expected = model(X)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(expected, X @ kernel + bias, rtol=1e-5)
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(X, X, verbose=0).history["loss"]).all()
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X), rtol=1e-5)
    lines = []
    model.summary(print_fn=lines.append, expand_nested=True)
    assert "Trainable params: 12" in "\n".join(lines)
    pytest.importorskip("h5py")
    model.save(tmp_path / "deep.keras")
    again = rv.saving.load_model(tmp_path / "deep.keras")
    np.testing.assert_allclose(again(X), model(X), rtol=1e-6)
    assert sys.getrecursionlimit() == limit


def test_a_layer_that_calls_itself_is_stopped():
    class Endless(layers.Layer):
        def build(self, shape):
            self.build_again(shape)

        def build_again(self, shape):
            self.build_again(shape)

    with pytest.raises(RecursionError):
        Endless()(X)
