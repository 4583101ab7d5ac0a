"""Recurrent layers against Keras: values, masks, states, gradients, weights after training, configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, jax, keras
from tests.parity.test_layers import config_of, without_names

import ranvier
from ranvier.core.trace import Trace

X = np.random.default_rng(1).normal(size=(3, 5, 4)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
ALL = {"return_sequences": True, "return_state": True}
KINDS = ["SimpleRNN", "LSTM", "GRU"]
ROWS: list[tuple[str, dict[str, Any], bool]] = [
    *((kind, {"units": 3}, masked) for kind in KINDS for masked in (False, True)),
    *(
        (kind, {"units": 3, **ALL, "go_backwards": True}, masked)
        for kind in KINDS
        for masked in (False, True)
    ),
    *((kind, {"units": 3, **ALL, "unroll": True, "use_bias": False}, True) for kind in KINDS),
    *((kind, {"units": 3, "zero_output_for_mask": True, "return_state": True}, True) for kind in KINDS),
    ("LSTM", {"units": 3, "zero_output_for_mask": True, "return_sequences": True}, True),
    ("LSTM", {"units": 2, "recurrent_activation": "hard_sigmoid", "unit_forget_bias": False}, False),
    ("GRU", {"units": 2, "reset_after": False, "activation": "softsign"}, False),
    ("GRU", {"units": 2, "reset_after": False, "use_bias": False, "kernel_regularizer": "l2"}, True),
    ("GRU", {"units": 2, "recurrent_constraint": "max_norm", "activity_regularizer": "l2"}, False),
]


def value(module: Any, v: Any) -> Any:
    if isinstance(v, list):
        return [value(module, item) for item in v]
    if isinstance(v, tuple):
        return getattr(module.layers, v[0])(**{key: value(module, item) for key, item in v[1].items()})
    return v


WRAPPED: list[tuple[str, dict[str, Any], bool]] = [
    ("RNN", {"cell": ("LSTMCell", {"units": 3}), **ALL}, True),
    (
        "RNN",
        {"cell": [("LSTMCell", {"units": 3}), ("GRUCell", {"units": 2})], "return_sequences": True},
        True,
    ),
    ("RNN", {"cell": [("SimpleRNNCell", {"units": 3}), ("LSTMCell", {"units": 2})]}, False),
    *(
        (
            "Bidirectional",
            {"layer": (kind, {"units": 3, "return_sequences": True}), "merge_mode": mode},
            masked,
        )
        for kind, mode, masked in [
            ("LSTM", "concat", True),
            ("GRU", "sum", False),
            ("SimpleRNN", "ave", True),
            ("GRU", "mul", False),
            ("GRU", None, True),
        ]
    ),
    ("Bidirectional", {"layer": ("LSTM", {"units": 3, **ALL})}, False),
    ("Bidirectional", {"layer": ("GRU", {"units": 3})}, True),
]


def make(name: str, args: dict[str, Any]) -> tuple[Any, Any]:
    ours, theirs = (
        getattr(module.layers, name)(**{key: value(module, v) for key, v in args.items()})
        for module in (ranvier, keras)
    )
    for layer in (ours, theirs):
        layer.build(X.shape)
    rng = np.random.default_rng(6)
    weights = [rng.uniform(-0.7, 0.7, w.shape).astype("float32") for w in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(weights)
    return ours, theirs


def leaves(module: Any, nest: Any) -> list[Any]:
    return list(module.tree.flatten(nest))


@pytest.mark.parametrize(("name", "args", "masked"), ROWS + WRAPPED)
def test_values_and_gradients(name: str, args: Any, masked: bool) -> None:
    ours, theirs = make(name, args)
    mine, other = (without_names(config_of(layer)) for layer in (ours, theirs))
    if name == "SimpleRNN":
        mine.pop("seed")  # Keras's config forgets it
    if name not in ("RNN", "Bidirectional"):
        assert mine == other
    assert set(mine) == set(other)
    paths = [[w.path.split("/")[-1] for w in layer.weights] for layer in (ours, theirs)]
    assert paths[0] == paths[1]
    mask = MASK if masked else None
    results, expected = leaves(ranvier, ours(X, mask=mask)), leaves(keras, theirs(X, mask=mask))
    for got, want in zip(results, expected, strict=True):
        assert_agrees(got, np.asarray(want), rtol=1e-5)

    with Trace() as trace:
        x = trace.input(X.shape, "float32")
        y = leaves(ranvier, ours(x, mask=None if mask is None else trace.constant(mask)))
        total = sum(ranvier.ops.sum(ranvier.ops.sin(part)) for part in y)
        program = trace.compile([*y, *trace.gradients(total, [x, *ours.trainable_variables])])
    found = program.run([X])
    for got, want in zip(found, results, strict=False):
        np.testing.assert_array_equal(got, want)

    def loss(x: Any, values: Any) -> Any:
        rest = [v.value for v in theirs.non_trainable_variables]
        y, _ = theirs.stateless_call(values, rest, x, mask=mask)
        return sum(keras.ops.sum(keras.ops.sin(part)) for part in leaves(keras, y))

    values = [v.value for v in theirs.trainable_variables]
    by_input, by_weights = jax.grad(loss, argnums=(0, 1))(jax.numpy.asarray(X), values)
    for got, want in zip(found[len(y) :], [by_input, *by_weights], strict=True):
        assert_agrees(got, np.asarray(want), rtol=3e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_initial_states_and_stateful_layers(kind: str) -> None:
    ours, theirs = make(kind, {"units": 3, "stateful": True, "return_state": True})
    start = [np.full((3, 3), 0.5 * k, "float32") for k in range(1, 3 if kind == "LSTM" else 2)]
    for _ in range(2):
        for got, want in zip(ours(X), theirs(X), strict=True):
            assert_agrees(got, np.asarray(want), rtol=1e-5)
    for got, want in zip(ours(X, initial_state=start), theirs(X, initial_state=start), strict=True):
        assert_agrees(got, np.asarray(want), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_after_training(kind: str) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(24, 5, 4)).astype("float32"), rng.normal(size=(24, 1)).astype("float32")
    found = []
    for module in (ranvier, keras):
        layers = module.layers
        hidden = getattr(layers, kind)(6, return_sequences=True)
        last = layers.Bidirectional(getattr(layers, kind)(3))
        model = module.Sequential([module.Input((5, 4)), hidden, last, layers.Dense(1)])
        rng = np.random.default_rng(8)
        model.set_weights([rng.uniform(-0.5, 0.5, w.shape).astype("float32") for w in model.weights])
        model.compile(module.optimizers.SGD(0.05), "mse")
        model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0)
        found.append((model.get_weights(), model.predict(x, verbose=0)))
    for got, want in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6)
    assert_agrees(found[0][1], found[1][1], rtol=1e-5)
