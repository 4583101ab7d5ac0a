"""Constraints against their formulas, and their names in configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tracing import run_traced

from ranvier import constraints

W = np.array([[3.0, -4.0, 0.1], [1.0, 0.2, -0.3]])


def norms(axis: Any) -> np.ndarray:
    return np.sqrt((W * W).sum(axis=axis, keepdims=True))


ROWS = [
    ("MaxNorm", {"max_value": 2, "axis": 0}, W * np.minimum(norms(0), 2) / norms(0)),
    ("MaxNorm", {"max_value": 0.5, "axis": [0, 1]}, W * 0.5 / norms((0, 1))),
    ("NonNeg", {}, np.maximum(W, 0)),
    ("UnitNorm", {"axis": 0}, W / norms(0)),
    ("UnitNorm", {"axis": 1}, W / norms(1)),
    (
        "MinMaxNorm",
        {"min_value": 0.5, "max_value": 1.0, "rate": 1.0, "axis": 0},
        W * np.clip(norms(0), 0.5, 1) / norms(0),
    ),
    (
        "MinMaxNorm",
        {"min_value": 0.5, "max_value": 1.0, "rate": 0.25, "axis": 1},
        W * (0.25 * np.clip(norms(1), 0.5, 1) + 0.75 * norms(1)) / norms(1),
    ),
]


@pytest.mark.parametrize(("name", "config", "expected"), ROWS)
def test_values_and_configs(name: str, config: dict[str, Any], expected: np.ndarray) -> None:
    one = getattr(constraints, name)(**config)
    w = W.astype("float32")
    np.testing.assert_allclose(one(w), expected, rtol=2e-6)
    np.testing.assert_array_equal(run_traced(one, w), one(w))
    assert one.get_config() == config
    saved = constraints.serialize(one)
    assert (saved["module"], saved["class_name"]) == ("keras.constraints", name)
    assert constraints.deserialize(saved).get_config() == config


def test_every_constraint_has_a_row() -> None:
    classes = {name for name in constraints.__all__ if isinstance(getattr(constraints, name), type)}
    assert {getattr(constraints, n).__name__ for n in classes} - {"Constraint"} == {
        name for name, _, _ in ROWS
    }


def test_zeros_stay_finite() -> None:
    for name in ("MaxNorm", "MinMaxNorm", "UnitNorm", "NonNeg"):
        assert np.isfinite(getattr(constraints, name)()(np.zeros((2, 2), "float32"))).all()


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("max_norm", "MaxNorm"),
        ("NonNeg", "NonNeg"),
        ("unit_norm", "UnitNorm"),
        ("min_max_norm", "MinMaxNorm"),
    ],
)
def test_get(identifier: str, cls: str) -> None:
    assert isinstance(constraints.get(identifier), getattr(constraints, cls))


def test_get_others() -> None:
    assert constraints.get(None) is None
    assert constraints.get(abs) is abs
    with pytest.raises(ValueError, match="Did you mean: "):
        constraints.get("nonneg")
    with pytest.raises(ValueError, match="constraint identifier"):
        constraints.get(3)
