"""Regularizers against their formulas, with gradients; and their names in configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tracing import numeric_gradient, run_traced, traced_gradient

from ranvier import regularizers

W = np.array([[3.0, -4.0, 0.5], [1.0, 0.2, -2.0]])


def cosines(w: np.ndarray) -> np.ndarray:
    unit = w / np.sqrt((w * w).sum(1, keepdims=True))
    return unit @ unit.T


def orthogonal(w: np.ndarray) -> float:
    product = np.abs(cosines(w))
    np.fill_diagonal(product, 0)
    return 0.1 * 0.5 * product.sum() / (len(w) * (len(w) - 1) / 2)


ROWS = [
    ("L1", {"l1": 0.1}, 0.1 * np.abs(W).sum()),
    ("L2", {"l2": 0.1}, 0.1 * (W * W).sum()),
    ("L1L2", {"l1": 0.1, "l2": 0.2}, 0.1 * np.abs(W).sum() + 0.2 * (W * W).sum()),
    ("OrthogonalRegularizer", {"factor": 0.1, "mode": "rows"}, orthogonal(W)),
    ("OrthogonalRegularizer", {"factor": 0.1, "mode": "columns"}, orthogonal(W.T)),
]


@pytest.mark.parametrize(("name", "config", "expected"), ROWS)
def test_values_gradients_and_configs(name: str, config: dict[str, Any], expected: float) -> None:
    one = getattr(regularizers, name)(**config)
    w = W.astype("float32")
    assert one(w).shape == ()
    np.testing.assert_allclose(one(w), expected, rtol=1e-6)
    np.testing.assert_array_equal(run_traced(one, w), one(w))
    np.testing.assert_allclose(traced_gradient(one, [W]), numeric_gradient(one, [W]), rtol=1e-6, atol=1e-9)
    assert one.get_config() == config
    saved = regularizers.serialize(one)
    assert (saved["module"], saved["class_name"]) == ("keras.regularizers", name)
    assert regularizers.deserialize(saved).get_config() == config


def test_defaults() -> None:
    assert regularizers.L1().l1 == regularizers.L2().l2 == 0.01
    assert regularizers.l1_l2().get_config() == {"l1": 0.0, "l2": 0.0}
    assert regularizers.L1(None).l1 == 0.01


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("l1", "L1"),
        ("L2", "L2"),
        ("l1_l2", "L1L2"),
        ("l1l2", "L1L2"),
        ("orthogonal_regularizer", "OrthogonalRegularizer"),
    ],
)
def test_get(identifier: str, cls: str) -> None:
    assert isinstance(regularizers.get(identifier), getattr(regularizers, cls))


def test_get_others() -> None:
    assert regularizers.get(None) is None
    assert regularizers.get(abs) is abs
    for bad in ("l3", 0.1):
        with pytest.raises(ValueError, match="regularizer identifier"):
            regularizers.get(bad)


@pytest.mark.parametrize("bad", ["x", -1.0, float("nan"), float("inf")])
def test_bad_factors(bad: Any) -> None:
    with pytest.raises(ValueError, match="non-negative float"):
        regularizers.L1(bad)


def test_orthogonal_refuses() -> None:
    with pytest.raises(ValueError, match="mode"):
        regularizers.OrthogonalRegularizer(mode="diagonals")
    with pytest.raises(ValueError, match="rank 2"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
