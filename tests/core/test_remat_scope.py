"""RematScope: the same values, gradients and states with less memory, whatever a layer does in its call."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import ranvier as rv
from ranvier import layers, ops
from ranvier.core.trace import Trace

X = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(32, 2)).astype("float32")


class Noisy(layers.Layer):
    """Counts its calls, draws numbers, adds a loss, and has layers inside that do so too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense = layers.Dense(5, activation="tanh", activity_regularizer="l2")
        self.drop = layers.Dropout(0.4, seed=3)
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any, training: bool = False, scale: float = 1.0) -> Any:
        self.calls.assign_add(1.0)
        x = self.drop(self.dense(inputs), training=training)
        self.add_loss(0.1 * ops.mean(x * x))
        return scale * x


def sequential(*inner: Callable[[], Any]) -> Callable[[], rv.Model]:
    return lambda: rv.Sequential(
        [layers.Dense(8, activation="gelu"), *(make() for make in inner), layers.Dense(2)]
    )


def functional() -> rv.Model:
    x = rv.Input((6,))
    shared = layers.Dense(6, activation="silu")
    return rv.Model(x, layers.Dense(2)(ops.tanh(shared(shared(x)) + x)))


class Subclassed(rv.Model):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Noisy(), layers.Dense(2)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.second(self.first(inputs, training=training, scale=2.0))


MODELS: dict[str, Callable[[], rv.Model]] = {
    "dense": sequential(),
    "state": sequential(layers.BatchNormalization),
    "draws": sequential(lambda: layers.Dropout(0.5, seed=1), lambda: layers.GaussianNoise(0.1, seed=2)),
    "losses": sequential(lambda: layers.ActivityRegularization(l2=0.1), Noisy),
    "functional": functional,
    "subclassed": Subclassed,
}
MODES: list[dict[str, Any]] = [
    {},
    {"mode": "activations"},
    {"mode": "larger_than", "output_size_threshold": 200},
    {"mode": "list_of_layers", "layer_names": ["dense", "noisy", "batch_normalization"]},
    {"mode": None},
]


def trained(make: Callable[[], rv.Model], scope: dict[str, Any] | None, **compile_args: Any) -> Any:
    rv.utils.clear_session()
    rv.utils.set_random_seed(5)
    if scope is None:
        model = make()
    else:
        with rv.RematScope(**scope):
            model = make()
    model.compile("adam", "mse", **compile_args)
    losses = model.fit(X, Y, batch_size=8, epochs=2, verbose=0).history["loss"]
    return losses, [v.numpy() for v in model.variables], model.predict(X, verbose=0)


@pytest.mark.parametrize("name", MODELS)
def test_training_is_the_same(name: str) -> None:
    losses, weights, outputs = trained(MODELS[name], None)
    for scope in MODES:
        other = trained(MODELS[name], scope)
        # The same sums, of which the compiler may fuse others: a last digit.
        np.testing.assert_allclose(other[0], losses, rtol=1e-6)
        for a, b in zip(other[1], weights, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(other[2], outputs, rtol=2e-5, atol=1e-6)


class Block(layers.Layer):
    """Several layers in one: what is worth computing twice."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = [layers.Dense(64, activation="tanh") for _ in range(6)]

    def call(self, x: Any) -> Any:
        for layer in self.inner:
            x = layer(x)
        return x


def program(scope: dict[str, Any]) -> tuple[int, int, list[np.ndarray]]:
    """The bytes and branches of a program of gradients, and what it computes."""
    rv.utils.clear_session()
    rv.utils.set_random_seed(0)
    with rv.RematScope(**scope):
        model = rv.Sequential([Block() for _ in range(4)])
    model.build((None, 64))
    with Trace() as trace:
        x = trace.input((512, 64))
        loss = ops.sum(model(x, training=True) ** 2)
        found = trace.compile([loss, *trace.gradients(loss, model.trainable_variables)])
    branches = trace.graph.text().count(" = branch ")
    return found.arena_bytes, branches, found.run([np.ones((512, 64), "float32")])


@pytest.mark.parametrize(
    ("scope", "branches"),
    [
        ({}, 8),  # four blocks, forward and backward; the layers in them are part of them
        ({"mode": "larger_than", "output_size_threshold": 512 * 64 - 1}, 8),
        ({"mode": "larger_than", "output_size_threshold": 512 * 64}, 0),
        ({"mode": "list_of_layers", "layer_names": ["block", "block_3", "dense_7"]}, 6),
        ({"mode": "list_of_layers"}, 0),
        ({"mode": "activations"}, 48),
    ],
)
def test_what_is_computed_twice(scope: dict[str, Any], branches: int) -> None:
    plain, none, wanted = program({"mode": None})
    size, found, results = program(scope)
    assert (none, found) == (0, branches)
    for a, b in zip(results, wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    if branches == 8:
        assert size < 0.7 * plain


def test_the_scope_of_its_making_counts() -> None:
    with rv.RematScope("larger_than", 7) as outer:
        first = layers.Dense(2)
        with rv.RematScope("list_of_layers", layer_names=["a"]):
            second = layers.Dense(2, name="a")
            with rv.RematScope(None):
                third = layers.Dense(2)
        with outer:  # once more
            fourth = layers.Dense(2)
        fifth = layers.Dense(2)
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.append(layers.Dense(2)))
        thread.start()
        thread.join()
    modes = [
        layer._rv_remat_mode and layer._rv_remat_mode.mode for layer in (first, second, third, fourth, fifth)
    ]
    assert modes == ["larger_than", "list_of_layers", None, "larger_than", "larger_than"]
    assert seen[0]._rv_remat_mode is None and layers.Dense(2)._rv_remat_mode is None
    with pytest.raises(KeyError), rv.RematScope():
        raise KeyError
    assert layers.Dense(2)._rv_remat_mode is None
    for clone in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert clone._rv_remat_mode == first._rv_remat_mode
    assert "remat" not in str(first.get_config())


def test_masks_come_out() -> None:
    class Inner(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.mask = layers.Masking(0.0)
            self.dense = layers.TimeDistributed(layers.Dense(3))

        def call(self, x: Any) -> Any:
            return self.dense(self.mask(x))

    def loss(layer: layers.Layer) -> Any:
        x = np.ones((2, 4, 3), "float32")
        x[:, 2:] = 0.0

        @rv.jit
        def value(x: Any) -> Any:
            y = layer(x)
            return y, y._keras_mask

        return value(x)

    rv.utils.set_random_seed(0)
    with rv.RematScope():
        layer = Inner()
    y, mask = loss(layer)
    assert mask.tolist() == [[True, True, False, False]] * 2 and y.shape == (2, 4, 3)


def test_outputs_that_are_no_tensors_stay() -> None:
    @rv.remat
    def f(x: Any) -> Any:
        return {"y": ops.exp(x), "n": 3, "name": "f", "none": None, "array": np.float32([1])}

    @rv.jit
    def run(x: Any) -> Any:
        found = f(x)
        assert found["n"] == 3 and found["name"] == "f" and found["none"] is None
        assert isinstance(found["array"], np.ndarray)
        return found["y"]

    np.testing.assert_allclose(run(np.float32([0, 1])), np.exp([0, 1]), rtol=1e-6)


def test_second_derivatives_and_tapes() -> None:
    def twice(scope: str | None) -> Any:
        rv.utils.set_random_seed(0)
        with rv.RematScope(scope):
            layer = layers.Dense(4, activation="tanh")
        layer.build((None, 3))

        @rv.jit
        def penalty(x: Any) -> Any:
            with rv.GradientTape() as outer:
                with rv.GradientTape() as tape:
                    tape.watch(x)
                    y = ops.sum(layer(x) ** 2)
                loss = ops.sum(tape.gradient(y, x) ** 2)
            return [loss, *outer.gradient(loss, layer.trainable_variables)]

        return penalty(X[:, :3])

    for a, b in zip(twice(None), twice("full"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_an_error_leaves_the_layer_usable() -> None:
    class Bad(layers.Dense):
        fails = True

        def call(self, inputs: Any, training: Any = None) -> Any:
            if self.fails:
                raise ValueError("not today")
            return super().call(inputs)

    def act(x: Any) -> Any:
        return ops.tanh(x)

    for mode in ("full", "activations"):
        with rv.RematScope(mode):
            layer = Bad(2, activation=act)
            model = rv.Sequential([layer])
        model.build((None, 6))
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match="not today"):
            model.fit(X, Y, verbose=0)
        assert layer.activation is act
        layer.fails = False
        assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"][0])
        assert layer.activation is act


@pytest.mark.parametrize("mode", ["FULL", "", 3])
def test_unknown_modes_are_refused(mode: Any) -> None:
    with pytest.raises(ValueError, match=f"Invalid mode '{mode}'"):
        rv.RematScope(mode)
