"""Functional models against Keras: order of layers and weights, configs in both directions, values."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, keras

import ranvier
from ranvier.core import tree


def two_by_two(m: Any) -> Any:
    a, b = m.Input((4,), name="a"), m.Input((3,), name="b")
    h = m.layers.Dense(5, activation="relu", name="h")(a)
    g = m.layers.Dense(5, name="g")(b)
    return m.Model([a, b], {"p": m.layers.Dense(1, name="p")(h + g), "q": [m.layers.Dense(2, name="q")(h)]})


def shared(m: Any) -> Any:
    a, b = m.Input((4,), name="a"), m.Input((4,), name="b")
    d = m.layers.Dense(4, name="d")
    inner_in = m.Input((4,), name="i")
    inner = m.Model(inner_in, m.layers.Dense(2, name="e")(inner_in), name="inner")
    return m.Model((a, b), inner(d(d(a))) - inner(b), name="outer")


def of_ops(m: Any) -> Any:
    ops = m.ops
    a, b = m.Input((4,), name="a"), m.Input((4,), name="b")
    x = ops.relu(1.0 - m.layers.Dense(4, name="d")(a) / 2.0) ** 2
    x = ops.concatenate([x[:, 1:], -abs(b), ops.sum(x, axis=1, keepdims=True)], axis=-1)
    x = ops.where(x > 0.1, ops.softmax(x), ops.exp(ops.clip(x, -1.0, 1.0)))
    x = ops.reshape(x, (-1, 2, 4)) @ np.ones((4, 2), "float32")
    y = ops.transpose(ops.einsum("abc,abd->acd", x, x), (0, 2, 1))
    return m.Model([a, b], [ops.mean(y, axis=(1, 2)), ops.expand_dims(x, 1), ops.gelu(ops.maximum(y, 0.5))])


def in_sequence(m: Any) -> Any:
    x = m.Input((6,), name="x")
    stack = m.Sequential([m.Input((6,)), m.layers.Dense(3, name="s"), m.layers.Dropout(0.5)], name="stack")
    y = m.layers.Reshape((3, 1), name="r")(stack(x))
    y = m.layers.Flatten(name="f")(m.layers.Permute((2, 1), name="t")(y))
    return m.Model(x, m.layers.Softmax(name="o")(y))


def ends_in_inner_models(m: Any) -> Any:
    a, b = m.Input((4,), name="a"), m.Input((4,), name="b")
    i = m.Input((4,), name="i")
    inner = m.Model(i, m.layers.Dense(2, name="e")(i), name="inner")
    stack = m.Sequential([m.Input((4,)), m.layers.Dense(2, name="f")], name="stack")
    return m.Model([a, b], [inner(a), stack(b), inner(b), stack(a), m.ops.relu(inner(a + b))], name="outer")


def random_graph(seed: int) -> Any:
    def make(m: Any) -> Any:
        rng = np.random.default_rng(seed)
        inputs = [m.Input((3,), name=f"in{i}") for i in range(rng.integers(1, 4))]
        layers = [m.layers.Dense(3, name=f"d{i}") for i in range(6)]
        tensors = list(inputs)
        for _ in range(10):
            if rng.random() < 0.5:
                tensors.append(layers[rng.integers(len(layers))](tensors[rng.integers(len(tensors))]))
            else:
                tensors.append(tensors[rng.integers(len(tensors))] + tensors[rng.integers(len(tensors))])
        outputs = [tensors[-1], *(tensors[i] for i in rng.integers(len(inputs), len(tensors), 2))]
        return m.Model(inputs, outputs)

    return make


MAKERS = {"two by two": two_by_two, "shared": shared, "ops": of_ops, "sequence": in_sequence}
MAKERS |= {"ends in inner models": ends_in_inner_models}
MAKERS |= {f"random {seed}": random_graph(seed) for seed in range(12)}


def strict(config: Any) -> Any:
    """A config without what need not be the same: build configs, made-up names of models, absent masks."""
    if isinstance(config, (list, tuple)):
        return [strict(item) for item in config]
    if not isinstance(config, dict):
        return config
    dropped = {"build_config", "compile_config"}
    if config.get("class_name") in ("Functional", "Sequential"):
        dropped |= {"name"}
        inner = {k: v for k, v in config["config"].items() if k not in ("name", "dtype")}
        config = config | {"config": inner}
    return {k: strict(v) for k, v in config.items() if k not in dropped and (k != "mask" or v is not None)}


def fresh(m: Any, make: Any) -> Any:
    (keras if m is keras else ranvier).utils.clear_session()
    return make(m)


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_model(name: str) -> None:
    ours, theirs = (fresh(m, MAKERS[name]) for m in (ranvier, keras))
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert [op.name for op in ours.operations] == [op.name for op in theirs.operations]
    assert [w.path for w in ours.weights] == [w.path for w in theirs.weights]
    assert ours.output_names == theirs.output_names
    assert tree.flatten(ours.output_shape) == keras.tree.flatten(theirs.output_shape)
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=w.shape).astype("float32") for w in theirs.get_weights()]
    inputs = [rng.normal(size=(5, *x.shape[1:])).astype("float32") for x in theirs.inputs]
    inputs = tuple(inputs) if isinstance(ours.input, tuple) else inputs
    inputs = inputs[0] if ours.input is ours.inputs[0] else inputs

    # Each side's config makes the other side's model, and the configs are the same.
    our_config, their_config = (
        json.loads(json.dumps(m.saving.serialize_keras_object(model)))
        for m, model in ((ranvier, ours), (keras, theirs))
    )
    assert strict(our_config) == strict(their_config)
    read_by_us = ranvier.saving.deserialize_keras_object(their_config)
    read_by_them = keras.saving.deserialize_keras_object(our_config)
    results = []
    for model in (ours, theirs, read_by_us, read_by_them):
        model.set_weights(weights)
        results.append(model.predict(inputs, verbose=0))
    reference = keras.tree.flatten(results[1])
    for result in results:
        for got, want in zip(keras.tree.flatten(result), reference, strict=True):
            assert_agrees(got, want)
