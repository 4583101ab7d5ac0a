"""Rarer forms of the interface against Keras: the same result, or an error of the same type."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.parity.oracle import assert_agrees, keras

import ranvier

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(4, 1)).astype("float32")
Pair = namedtuple("Pair", ["u", "v"])


def outcome(run: Callable[[Any], Any], module: Any) -> Any:
    """What a program gives, or the type of its error."""
    try:
        return run(module)
    except Exception as error:
        return type(error)


def functional(k: Any, structure: Callable[..., Any]) -> Any:
    x = k.Input((3,), name="x")
    a, b = (k.layers.Dense(1, name=name, kernel_initializer="ones")(x) for name in "ab")
    return k.Model(x, structure(a, b))


def two_inputs(k: Any, names: str | None = None) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    return k.Model([a, b] if names is None else {"a": a, "b": b}, k.layers.Subtract()([a, b]))


def trained(k: Any, model: Any, y: Any, **compiled: Any) -> Any:
    model.compile("sgd", run_eagerly=k is keras, **compiled)
    return model.fit(X, y, batch_size=2, epochs=2, shuffle=False, verbose=0).history


def context(k: Any, registers: bool, **given: Any) -> Any:
    class Inner(k.layers.Layer):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self._register_call_context_args("by")

        def call(self, x: Any, by: float = 1.0) -> Any:
            return x + by

    class Outer(k.layers.Layer):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()
            if registers:
                self._register_call_context_args("by")

        def call(self, x: Any) -> Any:
            return self.inner(x)

    return Outer()(X, **given)


DICT = {"p": Y, "q": Y}
PROGRAMS: dict[str, Callable[[Any], Any]] = {
    # losses and metrics in the structure of the outputs
    "tuple": lambda k: trained(k, functional(k, lambda a, b: (a, b)), (Y, Y), loss=("mse", "mae")),
    "named": lambda k: trained(k, functional(k, Pair), Pair(Y, Y), loss=Pair("mse", "mae")),
    "nested": lambda k: trained(
        k,
        functional(k, lambda a, b: {"p": {"q": a}, "r": b}),
        {"p": {"q": Y}, "r": Y},
        loss={"p": {"q": lambda y, p: k.ops.mean(k.ops.abs(y - p))}, "r": "mse"},
    ),
    "key of a loss": lambda k: trained(
        k, functional(k, lambda a, b: {"p": a, "q": b}), DICT, loss={"p": "mse", "other": "mae"}
    ),
    "key of a loss by name": lambda k: trained(
        k, functional(k, lambda a, b: [a, b]), [Y, Y], loss={"a": "mse", "other": "mae"}
    ),
    "key of a nested loss": lambda k: trained(
        k,
        functional(k, lambda a, b: {"p": {"q": a}, "r": b}),
        {"p": {"q": Y}, "r": Y},
        loss={"p": {"s": "mse"}},
    ),
    "key of metrics": lambda k: trained(
        k, functional(k, lambda a, b: {"p": a, "q": b}), DICT, loss="mse", metrics={"other": "mae"}
    ),
    "key of weights": lambda k: trained(
        k,
        functional(k, lambda a, b: [a, b]),
        [Y, Y],
        loss={"a": "mse", "b": "mse"},
        loss_weights={"a": 1.0, "other": 1.0},
    ),
    "weights of any kind": lambda k: trained(
        k, functional(k, lambda a, b: [a, b]), [Y, Y], loss=["mse", "mse"], loss_weights=[np.float32(2), True]
    ),
    # inputs
    "more keys": lambda k: two_inputs(k, "ab")({"a": X, "b": X + 1, "c": X}),
    "a key that is missing": lambda k: two_inputs(k, "ab")({"a": X, "c": X}),
    "None for an input": lambda k: two_inputs(k)([X, None]),
    "a nest into Sequential": lambda k: k.Sequential([two_inputs(k), k.layers.ReLU()])([X, X + 1]),
    "a dict into Sequential": lambda k: k.Sequential([two_inputs(k, "ab")])({"a": X, "b": X + 1}),
    "an input's tensor": lambda k: k.layers.InputLayer(input_tensor=k.Input((3,), dtype="int32")).dtype,
    "another dtype than the tensor's": lambda k: k.layers.InputLayer(
        input_tensor=k.Input((3,)), dtype="int32"
    ),
    # arguments of calls that are handed down
    "context": lambda k: context(k, True, by=3.0),
    "context's default": lambda k: context(k, True),
    "context of others": lambda k: context(k, False, by=3.0),
    # arguments that are refused
    "trainable": lambda k: k.layers.Dense(1, trainable="yes"),
    "trainable None": lambda k: k.layers.Dense(1, trainable=None),
    "no integers": lambda k: k.layers.Embedding(0, 2),
    "empty vectors": lambda k: k.layers.Embedding(2, 0),
    "noise of 2": lambda k: k.layers.GaussianNoise(2.0),
    "mask of another time": lambda k: k.layers.TimeDistributed(k.layers.Dense(1))(
        X[:, :, None], mask=np.ones((4, 2), bool)
    ),
    "shapes": lambda k: k.layers.Normalization(mean=[1.0], variance=2.0),
    "dynamic": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.SGD(), dynamic=False),
    "lr": lambda k: k.optimizers.Adam(lr=0.1),
    "limits": lambda k: k.layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": 2.0, "rmax": 1.0}),
    # merging layers when they are built
    **{
        f"{name} of {shapes}": lambda k, name=name, args=args, shapes=shapes: getattr(k.layers, name)(
            **args
        ).build(shapes)
        for name, args, shapes in (
            ("Add", {}, [(None, 2), (None, 3)]),
            ("Add", {}, [(None, 2, 3), (None, 3)]),
            ("Add", {}, [(2, 3), (4, 3)]),
            ("Multiply", {}, (None, 2)),
            ("Subtract", {}, [(None, 2)] * 3),
            ("Concatenate", {}, [(None, 2), (None, 2, 3)]),
            ("Concatenate", {"axis": 1}, [(None, 2, 4), (None, 2, 3)]),
            ("Dot", {"axes": 1}, [(None, 2), (None, 3)]),
        )
    },
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_same_outcome(program: Any) -> None:
    ours, theirs = outcome(program, ranvier), outcome(program, keras)
    if isinstance(theirs, type) or theirs is None or isinstance(theirs, str):
        assert ours == theirs
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key, values in theirs.items():
            assert_agrees(ours[key], values)
    else:
        assert_agrees(ours, theirs)


@pytest.mark.parametrize("callback", ["LearningRateScheduler", "ReduceLROnPlateau"])
def test_rates_of_several_optimizers(callback: str) -> None:
    found = []
    for k in (ranvier, keras):
        model = k.Sequential([k.Input((3,)), k.layers.Dense(1, kernel_initializer="ones")])
        one, two = k.optimizers.SGD(0.1, name="one"), k.optimizers.Adam(0.2, name="two")
        several = k.optimizers.MultiOptimizer(k.optimizers.OptimizerMap(one, {".*kernel": two}))
        model.compile(several, "mse", run_eagerly=k is keras)
        args = {"schedule": lambda epoch, rate: rate / (epoch + 1.0)}
        if callback == "ReduceLROnPlateau":
            args = {"monitor": "loss", "patience": 1, "min_delta": 9.0, "min_lr": 0.015}
        made = getattr(k.callbacks, callback)(**args)
        found.append(model.fit(X, Y, epochs=4, shuffle=False, verbose=0, callbacks=[made]).history)
    ours, theirs = found
    assert set(ours) == set(theirs)
    for key, values in theirs.items():
        assert_agrees(ours[key], values)
