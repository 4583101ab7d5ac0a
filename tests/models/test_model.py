from __future__ import annotations

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers


class Residual(rv.Model):
    def __init__(self, width=8, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(width, activation="relu")
        self.second = layers.Dense(width)
        self.drop = layers.Dropout(0.1, seed=1)
        self.out = layers.Dense(1)

    def call(self, inputs, training=None):
        h = self.first(inputs)
        return self.out(h + self.second(self.drop(h, training=training)))


def data(n=64):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, x.sum(1, keepdims=True)


def test_a_subclassed_model_trains():
    rv.utils.set_random_seed(0)
    model = Residual(name="residual")
    model.compile("adam", "mse", metrics=["mae"])
    x, y = data()
    history = model.fit(x, y, epochs=20, verbose=0, validation_split=0.25).history
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert [w.path for w in model.weights][:2] == [
        "residual/dense/kernel",
        "residual/dense/bias",
    ] or model.built
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x), rtol=1e-5, atol=1e-6)


def test_layers_and_summary():
    model = Residual()
    assert [layer.name.split("_")[0] for layer in model.layers] == ["dense", "dense", "dropout", "dense"]
    model.build((None, 4))
    lines = []
    model.summary(print_fn=lines.append)
    assert "(None, 8)" in lines[0] and "Total params: 121 (484.00 B)" in lines[0]


def test_config_by_constructor_arguments():
    model = Residual(width=3, name="r")
    assert model.get_config()["width"] == 3
    assert Residual.from_config(model.get_config()).first.units == 3
    clone = rv.models.clone_model(model)
    assert clone.first.units == 3 and clone.name == "r"


def test_a_model_without_call():
    class Empty(rv.Model):
        pass

    with pytest.raises(NotImplementedError, match="call"):
        Empty()(np.ones((1, 2)))


def test_several_outputs_of_predict():
    class Two(rv.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(2), layers.Dense(3)

        def call(self, inputs):
            return {"a": self.a(inputs), "b": [self.b(inputs)]}

    out = Two().predict(np.ones((5, 4), "float32"), verbose=0)
    assert out["a"].shape == (5, 2) and out["b"][0].shape == (5, 3)


def test_several_inputs():
    class Sum(rv.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(1), layers.Dense(1)

        def call(self, inputs):
            left, right = inputs
            return self.a(left) + self.b(right)

    rng = np.random.default_rng(0)
    x = [rng.normal(size=(32, 2)).astype("float32"), rng.normal(size=(32, 3)).astype("float32")]
    y = x[0].sum(1, keepdims=True) - x[1].sum(1, keepdims=True)
    model = Sum()
    model.compile(rv.optimizers.SGD(0.1), "mse")
    losses = model.fit(x, y, epochs=100, verbose=0).history["loss"]
    assert losses[-1] < 1e-3 < losses[0]


def test_a_train_step_of_ones_own():
    class Custom(Residual):
        def train_step(self, data):
            logs = super().train_step(data)
            return {**logs, "twice": logs["loss"] * 2}

    x, y = data()
    model = Custom()
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["twice"], 2 * np.array(history["loss"]), rtol=1e-6)


def test_compute_loss_of_ones_own():
    class Custom(Residual):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return rv.ops.mean(rv.ops.square(y - y_pred)) * 3.0

    x, y = data()
    model = Custom()
    model.compile(rv.optimizers.SGD(0.0), "mse")
    expected = 3 * np.mean((y - model(x)) ** 2)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected, rtol=1e-5)
