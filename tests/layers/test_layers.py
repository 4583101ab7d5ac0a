"""Every layer: forward against NumPy, output shape, config round trip, traced against eager. One row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from tests.layers import layer_table
from tests.layers.weightless_table import WEIGHTLESS

import ranvier as rv
from ranvier import layers
from ranvier.core.trace import Trace


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@dataclass
class Row:
    """A layer, its arguments, the shape it is tried on, and what it gives for inputs and weights."""

    cls: type
    args: dict[str, Any]
    shape: tuple[int, ...]
    expected: Callable[..., np.ndarray]
    config: dict[str, Any] = field(default_factory=dict)  # keys to find in the config

    @property
    def id(self) -> str:
        return f"{self.cls.__name__}-{'-'.join(f'{k}={v}' for k, v in self.args.items())}-{self.shape}"


def same(x):
    return x


ROWS = [
    Row(layers.Dense, {"units": 3}, (4, 5), lambda x, k, b: x @ k + b, {"units": 3, "activation": "linear"}),
    Row(layers.Dense, {"units": 3, "use_bias": False}, (2, 4, 5), lambda x, k: x @ k, {"use_bias": False}),
    Row(
        layers.Dense,
        {"units": 2, "activation": "relu", "bias_initializer": "ones"},
        (1, 5),
        lambda x, k, b: np.maximum(x @ k + b, 0),
        {"activation": "relu"},
    ),
    Row(layers.Activation, {"activation": "tanh"}, (3, 2), np.tanh, {"activation": "tanh"}),
    Row(layers.ELU, {"alpha": 0.5}, (3, 4), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)), {"alpha": 0.5}),
    Row(layers.LeakyReLU, {}, (3, 4), lambda x: np.where(x > 0, x, 0.3 * x), {"negative_slope": 0.3}),
    Row(layers.ReLU, {}, (3, 4), lambda x: np.maximum(x, 0), {"max_value": None, "threshold": 0.0}),
    Row(
        layers.ReLU,
        {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2},
        (3, 4),
        lambda x: np.where(x >= 1, 1, np.where(x >= 0.2, x, 0.1 * (x - 0.2))),
    ),
    Row(layers.Softmax, {}, (3, 4), softmax, {"axis": -1}),
    Row(layers.Softmax, {"axis": 1}, (2, 3, 4), lambda x: softmax(x, 1), {"axis": 1}),
    Row(layers.Softmax, {"axis": (1, 2)}, (2, 3, 4), lambda x: softmax(x, (1, 2)), {"axis": (1, 2)}),
    Row(
        layers.PReLU,
        {"alpha_initializer": "ones", "shared_axes": [1]},
        (2, 3, 4),
        lambda x, a: np.where(x > 0, x, a * x),
        {"shared_axes": [1]},
    ),
    Row(layers.Identity, {}, (3, 4), same),
    Row(layers.Flatten, {}, (2, 3, 4), lambda x: x.reshape(2, 12), {"data_format": "channels_last"}),
    Row(layers.Flatten, {}, (3,), lambda x: x.reshape(3, 1)),
    Row(
        layers.Flatten,
        {"data_format": "channels_first"},
        (2, 3, 4, 5),
        lambda x: x.transpose(0, 2, 3, 1).reshape(2, 60),
    ),
    Row(
        layers.Reshape,
        {"target_shape": (2, -1)},
        (3, 8),
        lambda x: x.reshape(3, 2, 4),
        {"target_shape": (2, -1)},
    ),
    Row(layers.Permute, {"dims": (2, 1)}, (2, 3, 4), lambda x: x.transpose(0, 2, 1), {"dims": (2, 1)}),
    Row(layers.RepeatVector, {"n": 3}, (2, 4), lambda x: np.repeat(x[:, None], 3, 1), {"n": 3}),
    Row(
        layers.Rescaling,
        {"scale": 0.5, "offset": 1.0},
        (2, 3),
        lambda x: x * 0.5 + 1,
        {"scale": 0.5, "offset": 1.0},
    ),
    Row(
        layers.Dropout, {"rate": 0.5, "seed": 3}, (3, 4), same, {"rate": 0.5, "seed": 3, "noise_shape": None}
    ),
    Row(layers.GaussianNoise, {"stddev": 0.5}, (3, 4), same, {"stddev": 0.5, "seed": None}),
    Row(layers.GaussianDropout, {"rate": 0.5}, (3, 4), same, {"rate": 0.5, "seed": None}),
    Row(layers.ActivityRegularization, {"l1": 0.1}, (3, 4), same, {"l1": 0.1, "l2": 0.0}),
]
BASES = {"InputLayer", "InputSpec", "Layer"}


@pytest.fixture(params=ROWS, ids=[row.id for row in ROWS])
def row(request):
    return request.param


def inputs(row: Row) -> np.ndarray:
    # Values on both sides of every kink (0, 0.2, 1), none of them on one.
    return np.random.default_rng(0).normal(size=row.shape).astype("float32")


def test_forward(row):
    layer, x = row.cls(**row.args), inputs(row)
    out = layer(x)
    expected = row.expected(x, *layer.get_weights())
    assert out.dtype == np.float32 and out.shape == expected.shape
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_output_shape(row):
    layer, x = row.cls(**row.args), inputs(row)
    shape = layer(x).shape
    assert layer.compute_output_shape((None, *row.shape[1:])) == (None, *shape[1:])
    assert row.cls(**row.args)(rv.Input(row.shape[1:])).shape == (None, *shape[1:])


def test_traced_is_eager(row):
    layer, x = row.cls(**row.args), inputs(row)
    eager = layer(x)
    with Trace() as trace:
        program = trace.compile([layer(trace.input(x.shape, "float32"))])
    np.testing.assert_array_equal(program.run([x])[0], eager)


def test_config(row):
    layer = row.cls(**row.args, name="some_name")
    config = layer.get_config()
    assert config["name"] == "some_name" and config["trainable"] is True
    assert {key: config[key] for key in row.config} == row.config
    assert row.cls.from_config(config).get_config() == config
    again = layers.deserialize(layers.serialize(layer))
    assert type(again) is row.cls and again.get_config() == config


def test_float64(row):
    layer, x = row.cls(**row.args, dtype="float64"), inputs(row).astype("float64")
    out = layer(x)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out, row.expected(x, *layer.get_weights()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(0), "positive integer"),
        (lambda: layers.Dense(2.5), "positive integer"),
        (lambda: layers.Dense("3"), "positive integer"),
        (lambda: layers.Dense(3, activation="rellu"), "Did you mean: relu"),
        (lambda: layers.Dense(3, kernel_initializer="glorot"), "initializer identifier: glorot"),
        (lambda: layers.Dense(3, lora_rank=2), "lora_rank"),
        (lambda: layers.Dense(3, lora_alpha=2), "lora_alpha"),
        (lambda: layers.Dense(3, quantization_config="int8"), "quantization_config"),
        (lambda: layers.Dropout(1.5), "between 0 and 1"),
        (lambda: layers.Dropout("a"), "between 0 and 1"),
        (lambda: layers.Dropout(0.5, noise_shape=3), "noise_shape"),
        (lambda: layers.GaussianDropout(1.0), "from 0 up to"),
        (lambda: layers.GaussianNoise(-1.0), "between 0 and 1"),
        (lambda: layers.LeakyReLU(-0.1), "negative_slope"),
        (lambda: layers.ReLU(max_value=-1.0), "max_value"),
        (lambda: layers.Softmax(axis="last"), "axis='last'"),
        (lambda: layers.Reshape((-1, -1)), "at most one -1"),
        (lambda: layers.Permute((0, 1)), "start from 1"),
        (lambda: layers.RepeatVector(1.5), "integer"),
        (lambda: layers.RepeatVector(0), "positive integer"),
        (lambda: layers.Cropping1D((1,)), "cropping"),
        (lambda: layers.Cropping1D(data_format="channels_first"), "Unrecognized.*data_format"),
        (lambda: layers.UpSampling1D(data_format="channels_last"), "Unrecognized.*data_format"),
        (lambda: layers.SpatialDropout1D(0.5, noise_shape=(None, 1)), "noise_shape"),
        (lambda: layers.LayerNormalization(axis="a"), "axis"),
        (lambda: layers.InputLayer(), "must pass a `shape`"),
        (lambda: rv.Input((3,), batch_shape=(2, 3)), "both `shape` and `batch_shape`"),
        (lambda: rv.Input((3,), sparse=True), "sparse"),
        (lambda: rv.Input(3), "Cannot convert '3' to a shape"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.Dense(2), (4,), "min_ndim=2, found ndim=1"),
        (layers.Permute((2, 1)), (2, 3), "ndim=3, found ndim=2"),
        (layers.RepeatVector(2), (2, 3, 4), "ndim=2, found ndim=3"),
        (layers.Reshape((5,)), (2, 3), "do not fit"),
        (layers.Dropout(0.5, noise_shape=(1,)), (2, 3), "another rank"),
    ],
)
def test_inputs_that_do_not_fit(layer, shape, message):
    with pytest.raises(ValueError, match=message) as caught:
        layer(np.ones(shape, "float32"), training=True)
    assert layer.name in str(caught.value)


def test_dense_refuses_another_width():
    layer = layers.Dense(2, name="narrow")
    layer(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r'layer "narrow".*size 3, found 4.*\(1, 4\)'):
        layer(np.ones((1, 4)))


class TestRandomLayers:
    x = np.ones((200, 50), "float32")

    def test_dropout_keeps_the_mean(self):
        y = layers.Dropout(0.25, seed=1)(self.x, training=True)
        dropped = y == 0
        assert abs(dropped.mean() - 0.25) < 0.02
        np.testing.assert_allclose(y[~dropped], 1 / 0.75, rtol=1e-6)

    def test_dropout_noise_shape(self):
        y = layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(self.x, training=True)
        assert (y == y[:, :1]).all() and 0 < (y[:, 0] == 0).sum() < 200

    def test_dropout_of_everything(self):
        assert not layers.Dropout(1.0)(self.x, training=True).any()

    def test_masks_change_and_seeds_repeat_them(self):
        a, b = layers.Dropout(0.5, seed=1), layers.Dropout(0.5, seed=1)
        first, second = a(self.x, training=True), a(self.x, training=True)
        assert (first != second).any()
        np.testing.assert_array_equal(first, b(self.x, training=True))

    def test_gaussian_noise(self):
        y = layers.GaussianNoise(0.5, seed=1)(self.x, training=True)
        assert abs(y.mean() - 1) < 0.03 and abs(y.std() - 0.5) < 0.03

    def test_gaussian_dropout(self):
        y = layers.GaussianDropout(0.2, seed=1)(self.x, training=True)
        assert abs(y.mean() - 1) < 0.03 and abs(y.std() - 0.5) < 0.03


def test_a_layer_takes_whatever_offers_an_array() -> None:
    class Foreign:
        def __array__(self, dtype=None, copy=None):
            return np.ones((2, 3), "float32" if dtype is None else dtype)

    layer = layers.Dense(2)
    np.testing.assert_array_equal(layer(Foreign()), layer(np.ones((2, 3), "float32")))


def test_every_layer_has_a_row():
    values = {name: getattr(layers, name) for name in dir(layers)}
    classes = {name: value for name, value in values.items() if isinstance(value, type)}
    public = {name for name, cls in classes.items() if issubclass(cls, layers.Layer) and cls.__name__ == name}
    rows = {row.cls.__name__ for row in ROWS} | {row.name for row in layer_table.ROWS} | set(WEIGHTLESS)
    assert public - rows - layer_table.OTHER == {"Layer", "InputLayer"}
