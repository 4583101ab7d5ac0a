"""Layers against Keras: forward values, masks, gradients, weights after training, and configs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.layers.layer_table import IMAGE, ROWS, Row
from tests.parity.oracle import assert_agrees, jax, keras

import ranvier
from ranvier.core.masks import get_mask, set_mask
from ranvier.core.trace import Trace

RANDOM = np.random.default_rng(5)


def one_or_list(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def with_masks(module: Any, row: Row) -> Any:
    tensors = []
    for x, mask in zip(row.inputs(), row.masks(), strict=True):
        value = x.copy() if module is ranvier else jax.numpy.asarray(x)
        if mask is not None and module is ranvier:
            set_mask(value, mask)
        elif mask is not None:
            value._keras_mask = jax.numpy.asarray(mask)
        tensors.append(value)
    return one_or_list(tensors)


def config_of(layer: Any) -> Any:
    config = json.loads(json.dumps(layer.get_config()))
    return {key: value for key, value in config.items() if key not in ("name", "dtype", "trainable")}


def without_names(config: Any) -> Any:
    if isinstance(config, dict):
        return {k: without_names(v) for k, v in config.items() if k not in ("name", "build_config", "dtype")}
    return [without_names(v) for v in config] if isinstance(config, list) else config


STEPS = (4, 5, 3)
# The layers that the table of families leaves out, each as it is and with every argument changed.
PLAIN = [
    Row("Dense", {"units": 3}),
    Row("Dense", {"units": 3, "activation": "softmax", "use_bias": False}, STEPS, masked=(0,)),
    Row("Dense", {"units": 2, "kernel_initializer": "ones", "bias_initializer": "he_normal"}),
    Row("Dense", {"units": 2, "kernel_regularizer": "l2", "bias_regularizer": "l2", "trainable": False}),
    Row("Dense", {"units": 2, "kernel_constraint": "non_neg", "bias_constraint": "max_norm"}),
    Row("Dense", {"units": 2, "activity_regularizer": "l2"}),
    Row("Activation", {"activation": "tanh"}, STEPS, masked=(0,)),
    Row("Activation", {"activation": None}),
    Row("ReLU", {}, STEPS, masked=(0,)),
    Row("ReLU", {"max_value": 0.5, "negative_slope": 0.1, "threshold": 0.2}),
    Row("LeakyReLU", {}, STEPS, masked=(0,)),
    Row("LeakyReLU", {"negative_slope": 0.7}),
    Row("LeakyReLU", {"alpha": 0.6}),
    Row("ELU", {}, STEPS, masked=(0,)),
    Row("ELU", {"alpha": 0.5}),
    Row("PReLU", {}, STEPS, masked=(0,)),
    Row("PReLU", {"shared_axes": [1]}, STEPS),
    Row("PReLU", {"shared_axes": [1, 2], "alpha_initializer": "ones", "alpha_regularizer": "l2"}, STEPS),
    Row("PReLU", {"alpha_constraint": "non_neg"}),
    Row("Flatten", {}, STEPS),
    Row("Flatten", {"data_format": "channels_first"}, IMAGE),
    Row("Reshape", {"target_shape": (3, 5)}, STEPS),
    Row("Reshape", {"target_shape": (-1, 3)}, (4, 2, 6)),
    Row("Permute", {"dims": (2, 1)}, STEPS),
    Row("Permute", {"dims": (3, 1, 2)}, IMAGE),
    Row("RepeatVector", {"n": 3}),
    Row("Identity", {}, STEPS, masked=(0,)),
    Row("Rescaling", {"scale": 2.0, "offset": -1.0}),
    Row("Rescaling", {"scale": [1.0, 2.0, 3.0]}),
    Row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, STEPS, masked=(0,)),
    Row("Dropout", {"rate": 0.4, "seed": 2}, STEPS, masked=(0,), random=True),
    Row("Dropout", {"rate": 0.0}),
    Row("GaussianDropout", {"rate": 0.4, "seed": 2}, STEPS, masked=(0,), random=True),
    Row("GaussianNoise", {"stddev": 0.4, "seed": 2}, STEPS, masked=(0,), random=True),
    Row("Embedding", {"input_dim": 7, "output_dim": 3, "input_length": 5}, (4, 5), high=7),
]
ELSEWHERE = {"Bidirectional", "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell"} | {
    *("GroupQueryAttention", "MultiHeadAttention", "StackedRNNCells"),  # test_rnn.py and test_attention.py
    *("InputLayer", "InputSpec", "Lambda", "Layer", "Pipeline", "Wrapper"),  # models' and layers' own tests
}


def test_every_layer_is_compared() -> None:
    compared = {getattr(keras.layers, row.name) for row in [*ROWS, *PLAIN]}
    for name in dir(keras.layers):
        cls = getattr(keras.layers, name)
        if isinstance(cls, type) and hasattr(ranvier.layers, name):
            assert cls in compared or name in ELSEWHERE, name


def exchanged(config: Any) -> Any:
    """A config without what one of the two leaves out, and tuples as lists."""
    left_out = ("dtype", "trainable", "build_config", "name")
    if isinstance(config, dict):
        return {k: exchanged(v) for k, v in config.items() if k not in left_out}
    return [exchanged(v) for v in config] if isinstance(config, (list, tuple)) else config


@pytest.mark.parametrize("row", [*ROWS, *PLAIN], ids=[row.id for row in [*ROWS, *PLAIN]])
def test_configs_are_exchanged(row: Row) -> None:
    ours, theirs = row.make(ranvier), row.make(keras)
    wanted = exchanged(json.loads(json.dumps(ours.get_config())))
    read = keras.layers.deserialize(ranvier.layers.serialize(ours))
    assert exchanged(json.loads(json.dumps(read.get_config()))) == wanted
    back = ranvier.layers.deserialize(keras.layers.serialize(theirs))
    assert exchanged(json.loads(json.dumps(back.get_config()))) == wanted


MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 1, 0, 0]], bool)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("LSTM", {"units": 2, "return_sequences": True}),
        ("GRU", {"units": 2, "return_sequences": True, "return_state": True}),
        ("SimpleRNN", {"units": 2}),
        ("GlobalAveragePooling1D", {}),
        ("BatchNormalization", {}),
        ("Softmax", {}),
    ],
)
@pytest.mark.parametrize("carried", [False, True])
def test_masks_given_as_arguments(name: str, args: dict[str, Any], carried: bool) -> None:
    """They count in place of what the inputs carry, and go on to the next layer."""
    x = np.random.default_rng(9).normal(size=(4, 5, 3)).astype("float32")
    mask = np.broadcast_to(MASK[..., None], x.shape) if name == "Softmax" else MASK
    results = []
    for module in (ranvier, keras):
        layer = getattr(module.layers, name)(**args)
        layer.build(x.shape)
        rng = np.random.default_rng(6)
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in layer.weights])
        value = x.copy() if module is ranvier else jax.numpy.asarray(x)
        if carried and module is ranvier:
            set_mask(value, ~MASK)
        elif carried:
            value._keras_mask = jax.numpy.asarray(~MASK)
        ys = layer(value, mask=module.ops.convert_to_tensor(mask))
        first = ys[0] if isinstance(ys, (list, tuple)) else ys
        results.append((first, get_mask(first) if module is ranvier else getattr(first, "_keras_mask", None)))
    assert_agrees(results[0][0], results[1][0])
    assert (results[0][1] is None) == (results[1][1] is None)
    if results[0][1] is not None:
        np.testing.assert_array_equal(results[0][1], np.asarray(results[1][1]))


def test_adapted_normalization() -> None:
    x = np.random.default_rng(9).normal(size=(6, 5, 3)).astype("float32") * 3 + 1
    for axis in (-1, None, 1, (1, 2)):
        found = []
        for module in (ranvier, keras):
            layer = module.layers.Normalization(axis=axis)
            layer.adapt(x)
            found.append([layer.mean, layer.variance, layer(x[:2])])
        for a, b in zip(*found, strict=True):
            assert_agrees(a, b)


@pytest.mark.parametrize("row", [*ROWS, *PLAIN], ids=[row.id for row in [*ROWS, *PLAIN]])
def test_layer(row: Row) -> None:
    ours, theirs = row.make(ranvier), row.make(keras)
    assert without_names(config_of(ours)) == without_names(config_of(theirs))
    shapes = one_or_list([x.shape for x in row.inputs()])
    for layer in (ours, theirs):
        layer.build(shapes)
    assert [w.path.split("/")[-1] for w in ours.weights] == [w.path.split("/")[-1] for w in theirs.weights]
    assert [w.trainable for w in ours.weights] == [w.trainable for w in theirs.weights]
    assert ours.supports_masking == theirs.supports_masking
    known = zip(ours.compute_output_shape(shapes), theirs.compute_output_shape(shapes), strict=True)
    assert all(size in (None, mine) for mine, size in known)  # Keras leaves sizes open that it could know
    rng = np.random.default_rng(6)
    weights = [rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)

    for training in (False, True) if not row.random else (False,):
        results = []
        for module, layer in ((ranvier, ours), (keras, theirs)):
            kwargs = {"training": training} if training else {}
            y = layer(with_masks(module, row), **kwargs)
            mask = get_mask(y) if module is ranvier else getattr(y, "_keras_mask", None)
            results.append((y, mask))
        assert_agrees(results[0][0], results[1][0])
        assert (results[0][1] is None) == (results[1][1] is None)
        if results[0][1] is not None:
            np.testing.assert_array_equal(results[0][1], np.asarray(results[1][1]))
        for mine, other in zip(ours.weights, theirs.weights, strict=True):  # moving statistics
            assert_agrees(mine.numpy(), np.asarray(other.value))
        for layer in (ours, theirs):
            layer.set_weights(weights)


CONSTANT = {"Masking", "Discretization"}
GRADIENT_ROWS = [
    row
    for row in [*ROWS, *PLAIN]
    if not (row.random or row.masked or row.name in CONSTANT) and row.high is None
]


@pytest.mark.parametrize("row", GRADIENT_ROWS, ids=[row.id for row in GRADIENT_ROWS])
def test_gradients(row: Row) -> None:
    ours, theirs = row.make(ranvier), row.make(keras)
    inputs = row.inputs()
    shapes = one_or_list([x.shape for x in inputs])
    for layer in (ours, theirs):
        layer.build(shapes)
    rng = np.random.default_rng(6)
    weights = [rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    with Trace() as trace:
        tensors = [trace.input(x.shape, "float32") for x in inputs]
        y = ours(one_or_list(list(tensors)))
        total = ranvier.ops.sum(ranvier.ops.sin(y))
        found = trace.gradients(total, [*tensors, *ours.trainable_variables])
        program = trace.compile(found)
    mine = program.run(inputs)

    def loss(xs: Any, values: Any) -> Any:
        rest = [v.value for v in theirs.non_trainable_variables]
        y, _ = theirs.stateless_call(values, rest, one_or_list(list(xs)))
        return keras.ops.sum(keras.ops.sin(y))

    values = [v.value for v in theirs.trainable_variables]
    by_inputs, by_weights = jax.grad(loss, argnums=(0, 1))([jax.numpy.asarray(x) for x in inputs], values)
    for got, want in zip(mine, [*by_inputs, *by_weights], strict=True):
        assert_agrees(got, np.asarray(want), rtol=3e-5)


TRAINED = "BatchNormalization LayerNormalization GroupNormalization RMSNormalization EinsumDense".split()


@pytest.mark.parametrize("name", TRAINED)
def test_weights_after_training(name: str) -> None:
    row = next(row for row in ROWS if row.name == name)
    rng = np.random.default_rng(7)
    x, y = (rng.normal(size=(40, *row.shape[1:])).astype("float32") for _ in range(2))
    y = y.reshape(40, -1)[:, :1]
    found = []
    for module in (ranvier, keras):
        first, last = module.layers.Dense(row.shape[-1]), module.layers.Dense(1)
        model = module.Sequential([module.Input(row.shape[1:]), first, row.make(module), last])
        rng = np.random.default_rng(8)
        model.set_weights([rng.uniform(0.2, 1.0, w.shape).astype("float32") for w in model.weights])
        model.compile(module.optimizers.SGD(0.05), "mse", run_eagerly=module is keras)
        model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0)
        found.append((model.get_weights(), model.predict(x, verbose=0)))
    for got, want in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6)
    assert_agrees(found[0][1], found[1][1])
