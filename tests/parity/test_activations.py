"""Activations, regularizers and constraints against Keras: values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.activations import test_activations as table
from tests.constraints import test_constraints
from tests.parity.oracle import assert_agrees, keras, value_and_gradient
from tests.regularizers import test_regularizers
from tests.tracing import run_traced, traced_gradient

from ranvier import activations, constraints, regularizers

X = np.random.default_rng(0).normal(size=(7, 6)).astype("float32") * 3
# Keras's sparsemax does not sum to 1 where more than one element is larger than 0: see docs/numerics.md.
ROWS = [(name, kwargs) for name, kwargs, _ in table.ROWS if name not in ("binary_step", "sparsemax")]


def test_sparsemax_where_one_element_is_left() -> None:
    x = 2 * np.arange(42, dtype="float32").reshape(6, 7)
    for axis in (-1, 0):
        assert_agrees(activations.sparsemax(x, axis), keras.activations.sparsemax(x, axis))


@pytest.mark.parametrize(("name", "kwargs"), ROWS)
def test_activations(name: str, kwargs: dict[str, Any]) -> None:
    weights = np.cos(np.arange(42, dtype="float32")).reshape(7, 6)
    weights = weights[:, :3] if name == "glu" else weights

    def fn(module: Any) -> Any:
        return lambda x: module.ops.sum(getattr(module.activations, name)(x, **kwargs) * weights)

    import ranvier

    value, gradient = value_and_gradient(fn(keras), X)
    assert_agrees(run_traced(fn(ranvier), X), value)
    assert_agrees(traced_gradient(fn(ranvier), [X]), gradient)
    assert_agrees(getattr(activations, name)(X, **kwargs), getattr(keras.activations, name)(X, **kwargs))


@pytest.mark.parametrize(("name", "config"), [(name, config) for name, config, _ in test_regularizers.ROWS])
def test_regularizers_agree(name: str, config: dict[str, Any]) -> None:
    ours, theirs = (getattr(m, name)(**config) for m in (regularizers, keras.regularizers))
    value, gradient = value_and_gradient(theirs, X)
    assert_agrees(ours(X), value)
    assert_agrees(traced_gradient(ours, [X]), gradient)
    again = keras.regularizers.deserialize(regularizers.serialize(ours))
    assert_agrees(regularizers.deserialize(keras.regularizers.serialize(again))(X), value)


@pytest.mark.parametrize(("name", "config"), [(name, config) for name, config, _ in test_constraints.ROWS])
def test_constraints_agree(name: str, config: dict[str, Any]) -> None:
    ours, theirs = (getattr(m, name)(**config) for m in (constraints, keras.constraints))
    assert_agrees(ours(X), theirs(X))
    assert keras.constraints.deserialize(constraints.serialize(ours)).get_config() == ours.get_config()
