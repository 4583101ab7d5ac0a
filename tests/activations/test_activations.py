"""Every activation against its formula, eagerly and traced, with gradients; and their names in configs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.tracing import numeric_gradient, run_traced, traced_gradient

from ranvier import activations
from ranvier.core import registry

erf = np.vectorize(math.erf)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray, axis: Any = -1) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sparsemax(x: np.ndarray) -> np.ndarray:
    """By sorting (Martins & Astudillo, 2016, algorithm 1)."""
    order = np.sort(x, axis=-1)[..., ::-1]
    sums, k = np.cumsum(order, axis=-1), np.arange(1, x.shape[-1] + 1)
    size = (1 + k * order > sums).sum(-1, keepdims=True)
    tau = (np.take_along_axis(sums, size - 1, -1) - 1) / size
    return np.maximum(x - tau, 0)


def elu(x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(x))


def glu(x: np.ndarray) -> np.ndarray:
    a, b = np.split(x, 2, axis=-1)
    return a * sigmoid(b)


def relu_with_all(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 1.5, 1.5, np.where(x > 0.5, x, 0.1 * (x - 0.5)))


Row = tuple[str, dict[str, Any], Callable[[np.ndarray], np.ndarray]]
ROWS: list[Row] = [
    ("linear", {}, lambda x: x),
    ("relu", {}, lambda x: np.maximum(x, 0)),
    ("relu", {"negative_slope": 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
    ("relu", {"max_value": 1.5}, lambda x: np.clip(x, 0, 1.5)),
    ("relu", {"threshold": 0.5}, lambda x: np.where(x > 0.5, x, 0)),
    ("relu", {"negative_slope": 0.1, "max_value": 1.5, "threshold": 0.5}, relu_with_all),
    ("relu6", {}, lambda x: np.clip(x, 0, 6)),
    ("leaky_relu", {}, lambda x: np.where(x > 0, x, 0.2 * x)),
    ("leaky_relu", {"negative_slope": 0.4}, lambda x: np.where(x > 0, x, 0.4 * x)),
    ("elu", {}, elu),
    ("elu", {"alpha": 0.5}, lambda x: elu(x, 0.5)),
    ("selu", {}, lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    ("celu", {}, elu),
    ("celu", {"alpha": 2.0}, lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2))),
    ("glu", {}, glu),
    ("gelu", {}, lambda x: x * 0.5 * (1 + erf(x / math.sqrt(2)))),
    (
        "gelu",
        {"approximate": True},
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    ("silu", {}, lambda x: x * sigmoid(x)),
    ("mish", {}, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    ("sigmoid", {}, sigmoid),
    ("log_sigmoid", {}, lambda x: np.log(sigmoid(x))),
    ("hard_sigmoid", {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ("hard_silu", {}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("tanh", {}, np.tanh),
    ("hard_tanh", {}, lambda x: np.clip(x, -1, 1)),
    ("tanh_shrink", {}, lambda x: x - np.tanh(x)),
    ("softmax", {}, softmax),
    ("softmax", {"axis": 0}, lambda x: softmax(x, 0)),
    ("softmax", {"axis": (0, 1)}, lambda x: softmax(x, (0, 1))),
    ("log_softmax", {}, lambda x: np.log(softmax(x))),
    ("softplus", {}, lambda x: np.log1p(np.exp(x))),
    ("softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("squareplus", {}, lambda x: (x + np.sqrt(x * x + 4)) / 2),
    ("squareplus", {"b": 1.0}, lambda x: (x + np.sqrt(x * x + 1)) / 2),
    ("exponential", {}, np.exp),
    ("hard_shrink", {}, lambda x: np.where(np.abs(x) > 0.5, x, 0)),
    ("hard_shrink", {"threshold": 1.1}, lambda x: np.where(np.abs(x) > 1.1, x, 0)),
    ("soft_shrink", {}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
    ("soft_shrink", {"threshold": 1.1}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 1.1, 0)),
    ("sparsemax", {}, sparsemax),
    ("sparsemax", {"axis": 0}, lambda x: sparsemax(x.T).T),
    ("sparse_plus", {}, lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4))),
    ("sparse_sigmoid", {}, lambda x: np.clip((x + 1) / 2, 0, 1)),
    ("threshold", {"threshold": 0.3, "default_value": 9.0}, lambda x: np.where(x > 0.3, x, 9.0)),
    ("binary_step", {}, lambda x: np.where(x >= 0, 1.0, 0.0)),
]
IDS = [f"{name}-{kwargs}" for name, kwargs, _ in ROWS]

# Both sides of every kink of the table, none within 0.03 of one: finite differences must not step over it.
X = np.array(
    [
        [-7.3, -3.45, -2.1, -1.05, -0.87, -0.53],
        [-0.31, -0.04, 0.05, 0.27, 0.61, 0.93],
        [1.04, 1.2, 1.7, 2.9, 4.4, 6.8],
    ]
)


def test_every_activation_has_a_row() -> None:
    functions = {name for name in activations.__all__ if name not in ("get", "serialize", "deserialize")}
    assert functions == {name for name, _, _ in ROWS} | {"swish", "hard_swish"}


@pytest.mark.parametrize(("name", "kwargs", "formula"), ROWS, ids=IDS)
def test_values(name: str, kwargs: dict[str, Any], formula: Callable[..., np.ndarray]) -> None:
    def fn(x: Any) -> Any:
        return getattr(activations, name)(x, **kwargs)

    x = X.astype("float32")
    expected = formula(x.astype("float64"))
    eager, traced = fn(x), run_traced(fn, x)
    assert eager.dtype == traced.dtype == np.float32
    np.testing.assert_allclose(eager, expected, rtol=2e-6, atol=2e-7)
    np.testing.assert_array_equal(traced, eager)


@pytest.mark.parametrize(("name", "kwargs", "formula"), ROWS, ids=IDS)
def test_gradients(name: str, kwargs: dict[str, Any], formula: Callable[..., np.ndarray]) -> None:
    # Weights of their own: the sum of a softmax would have no derivative.
    weights = np.cos(np.arange(formula(X).size)).reshape(formula(X).shape)

    def fn(x: Any) -> Any:
        return getattr(activations, name)(x, **kwargs) * weights

    # One score of X is just the threshold below which sparsemax is 0: a kink.
    x = 0.9 * X if name == "sparsemax" else X
    gradient = traced_gradient(fn, [x])
    np.testing.assert_allclose(gradient, numeric_gradient(fn, [x]), rtol=1e-6, atol=1e-8)


def test_binary_step_has_a_zero_gradient() -> None:
    assert traced_gradient(activations.binary_step, [X]).tolist() == np.zeros_like(X).tolist()


def test_large_values_do_not_overflow() -> None:
    x = np.float32([-1e4, 1e4])
    for name in (
        "softmax",
        "log_softmax",
        "sigmoid",
        "softplus",
        "log_sigmoid",
        "elu",
        "selu",
        "mish",
        "silu",
    ):
        assert np.isfinite(getattr(activations, name)(x)).all(), name


def test_get() -> None:
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.get(np.tanh) is np.tanh
    config = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
    assert activations.get(config) is activations.relu


@pytest.mark.parametrize("bad", ["rellu", "", 3, "Relu"])
def test_unknown_activations_are_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="activation function identifier"):
        activations.get(bad)


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(ValueError, match="Did you mean: relu, "):
        activations.get("rellu")


@pytest.mark.parametrize("name", sorted({name for name, _, _ in ROWS}))
def test_round_trip(name: str) -> None:
    assert activations.serialize(getattr(activations, name)) == name
    assert activations.deserialize(name) is getattr(activations, name)


def test_custom_functions() -> None:
    def twice(x: Any) -> Any:
        return 2 * x

    config = activations.serialize(twice)
    assert config["config"] == "twice"
    assert activations.deserialize(config, custom_objects={"twice": twice}) is twice
    with registry.custom_object_scope({"twice": twice}):
        assert activations.get("twice") is twice
    with pytest.raises(ValueError, match="lambda"):
        activations.serialize(lambda x: x)
