"""Calls on arrays as programs: the bits of the call in Python, and Python whenever something needs it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops
from ranvier.layers import compiled_call

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 6)).astype("float32")


def dense_net(**kwargs: Any) -> rv.Sequential:
    return rv.Sequential(
        [rv.Input((6,)), layers.Dense(5, activation="gelu", **kwargs), layers.Dense(2, activation="softmax")]
    )


def one_input_net() -> rv.Model:
    a = rv.Input((6,))
    hidden = layers.Dense(4, activation="tanh")(ops.abs(a) * 2.0)
    return rv.Model(a, {"hidden": hidden, "last": layers.Dense(1)(hidden)})


def programs(layer: Any) -> int:
    """How many calls of a layer have become programs."""
    calls = layer.__dict__.get("_rv_compiled_calls")
    return len(calls.programs) if calls else 0


def in_python(monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr("ranvier.layers.layer.call_compiled", lambda *args: NotImplemented)
        return call()


@pytest.mark.parametrize("training", [None, False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("make", [dense_net, one_input_net, lambda: layers.Dense(3, activation="relu")])
def test_the_same_bits(
    make: Callable[[], Any], dtype: str, training: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = make(), (X * 3).astype(dtype)
    expected = in_python(monkeypatch, lambda: model(x, training=training))
    for call in range(3):
        result = model(x, training=training)
        assert programs(model) == (call > 0)
        for a, b in zip(_leaves(result), _leaves(expected), strict=True):
            assert type(a) is np.ndarray and (a.dtype, a.shape, a.tobytes()) == (
                b.dtype,
                b.shape,
                b.tobytes(),
            )
        assert type(result) is type(expected)


def _leaves(result: Any) -> list[np.ndarray]:
    return list(result.values()) if isinstance(result, dict) else [result]


@pytest.mark.parametrize("true", [np.bool_(True), np.array(True), 1])
def test_training_as_a_flag_of_another_type(true: Any) -> None:
    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.Dropout(0.5, seed=1)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    layer, x = Outer(), np.ones(64, "float32")
    for _ in range(3):
        assert layer(x, training=true).min() == 0 and layer.inner(x, training=true).min() == 0


def test_integers_become_floats_of_the_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = layers.GroupNormalization(2), np.arange(24, dtype="int32").reshape(2, 3, 4)
    expected = in_python(monkeypatch, lambda: layer(x))
    assert expected.dtype == "float32"
    for _ in range(3):
        np.testing.assert_array_equal(layer(x), expected, strict=True)


def test_any_layout() -> None:
    model = dense_net()
    expected = model(X)
    for x in (np.asfortranarray(X), np.repeat(X, 2, 1)[:, ::2], X.astype(">f4")):
        for _ in range(3):
            np.testing.assert_array_equal(model(x), expected)


def test_state_is_written_as_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout's seeds and the moving averages of a normalization go on from call to call."""

    def run() -> list[np.ndarray]:
        rv.utils.set_random_seed(1)
        net = rv.Sequential([rv.Input((6,)), layers.Dropout(0.5, seed=3), layers.Dense(3)])
        if hasattr(layers, "BatchNormalization"):
            net.add(layers.BatchNormalization())
        results = [net(X, training=True) for _ in range(5)]
        return [*results, net(X), net(X), net(X), *(v.numpy() for v in net.variables)]

    expected = in_python(monkeypatch, run)
    for a, b in zip(run(), expected, strict=True):
        assert a.tobytes() == b.tobytes()
    assert expected[0].tobytes() != expected[1].tobytes()


def test_new_weights_are_seen() -> None:
    model = dense_net()
    for _ in range(3):
        model(X)
    model.set_weights([w * 0 for w in model.get_weights()])
    np.testing.assert_array_equal(model(X), np.full((3, 2), 0.5, "float32"))
    assert programs(model) == 1


def test_a_changed_layer_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dense_net()
    changes: list[Callable[[], Any]] = [
        lambda: setattr(model.layers[0], "activation", ops.relu),
        lambda: setattr(model.layers[1], "activation", rv.activations.get("linear")),
        lambda: model.add(layers.Activation("exponential")),
        lambda: model.pop(),
    ]
    for change in changes:
        for _ in range(3):
            model(X)
        before = model(X)
        assert programs(model) == 1
        change()
        expected = in_python(monkeypatch, lambda: model(X))
        assert expected.shape != before.shape or not np.array_equal(expected, before)
        np.testing.assert_array_equal(model(X), expected)


def test_a_changed_other_layer_is_no_matter() -> None:
    model, other = dense_net(), dense_net()
    for _ in range(3):
        model(X)
        other.name = "another"
    assert programs(model) == 1


class Loud(layers.Layer):
    """A user's layer."""

    calls = 0

    def call(self, inputs: Any) -> Any:
        type(self).calls += 1
        return inputs * 2.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: Loud(),
        lambda: rv.Sequential([rv.Input((6,)), Loud(), layers.Dense(2)]),
        lambda: rv.Sequential([rv.Input((6,)), layers.Dense(2, activation=lambda x: x * 2.0)]),
        lambda: rv.Sequential([rv.Input((6,)), layers.Dense(2, activity_regularizer="l2")]),
        lambda: type("Mine", (rv.Sequential,), {})([rv.Input((6,)), layers.Dense(2)]),
    ],
    ids=["layer", "inside", "function", "losses", "subclass"],
)
def test_users_code_runs_each_time(make: Callable[[], Any]) -> None:
    model = make()
    for _ in range(4):
        model(X)
    assert programs(model) == 0


def test_a_users_model_runs_with_compiled_layers() -> None:
    seen = []

    class Net(rv.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = layers.Dense(4, activation="relu"), layers.Dense(2)

        def call(self, inputs: Any) -> Any:
            seen.append(inputs.shape)
            return self.second(self.first(inputs))

    net = Net()
    net(X)  # builds it, which calls it once more
    seen.clear()
    results = [net(X) for _ in range(4)]
    assert len(seen) == 4 and programs(net) == 0 and programs(net.first) == programs(net.second) == 1
    for result in results[1:]:
        assert result.tobytes() == results[0].tobytes()


def test_a_call_replaced_for_the_whole_class_runs_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, original = [], layers.Dense.call
    monkeypatch.setattr(layers.Dense, "call", lambda self, x: (calls.append(1), original(self, x))[1])
    model = dense_net()
    calls.clear()
    for _ in range(4):
        model(X)
    assert len(calls) == 8


def test_a_replaced_call_is_used() -> None:
    layer = layers.Dense(2)
    for _ in range(3):
        layer(X)
    layer.call = lambda inputs: np.zeros((1,), "float32")
    assert layer(X).shape == (1,)


def test_a_compiled_loss_of_ones_own_does_not_matter() -> None:
    model = dense_net()
    model.compile("sgd", loss=lambda y, p: ops.mean(ops.abs(y - p)), metrics=["mae"])
    for _ in range(3):
        model(X)
    assert programs(model) == 1


def test_errors_name_the_layer_as_ever() -> None:
    model = dense_net()
    for _ in range(3):
        model(X)
    for _ in range(3):
        with pytest.raises(ValueError, match="dense"):
            model(X[:, :5])
        with pytest.raises(ValueError, match="must be tensors|input tensors"):
            model("text")


def test_copies_begin_anew() -> None:
    model = dense_net()
    for _ in range(3):
        model(X)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert programs(other) == 0
        other.set_weights([w * 0 for w in other.get_weights()])
        for _ in range(3):
            np.testing.assert_array_equal(other(X), np.full((3, 2), 0.5, "float32"))
    assert programs(model) == 1


def test_signatures_are_bounded() -> None:
    layer = layers.Dense(2)
    for rows in range(1, 200):
        x = np.ones((rows, 6), "float32")
        assert layer(x).shape == layer(x).shape == (rows, 2)
    calls = layer.__dict__["_rv_compiled_calls"]
    assert len(calls.programs) <= compiled_call._MOST_SIGNATURES
    assert len(calls.others) <= compiled_call._MOST_SIGNATURES


def test_inside_a_trace_it_is_a_part() -> None:
    model = dense_net()
    for _ in range(3):
        model(X)
    f = rv.jit(lambda scale: model(X) * scale)
    np.testing.assert_array_equal(f(np.float32(2.0)), model(X) * np.float32(2.0))


def test_values_of_a_stateless_scope_are_used() -> None:
    model = dense_net()
    for _ in range(3):
        model(X)
    for _ in range(3):
        with rv.StatelessScope([(v, v.numpy() * 0) for v in model.variables]):
            np.testing.assert_array_equal(model(X), np.full((3, 2), 0.5, "float32"))
    assert programs(model) == 1
