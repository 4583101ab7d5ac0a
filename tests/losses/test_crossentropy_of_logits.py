"""Cross-entropies of probabilities that are a traced softmax or sigmoid, which are computed from the logits.

Keras limits probabilities to [1e-7, 1 - 1e-7] before the logarithm. So a loss is at most 16.118 (for the
class 0 of a sigmoid 15.942: 1 - 1e-7 is rounded), at least 1.19e-7 (that rounding again), and flat
beyond. The limits are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.tracing import run_traced, traced_gradient

from ranvier import activations, losses

RNG = np.random.default_rng(3)
# Moderate, and far on both sides of where float32 probabilities meet the limits.
MODERATE = (RNG.normal(size=(6, 4)) * 2).astype("float32")
EXTREME = np.float32(
    [[40, 0, -40, 1], [0, 40, 0, 0], [-40, 0, 40, 40], [17, 0, 0, 0], [0, 15, 0, 0], [0, 0, 0, -60]]
)
CLASSES = np.array([0, 3, 1, 2, 2, 0])
ONE_HOT = np.eye(4, dtype="float32")[CLASSES]

LOW, HIGH = np.float32(1e-7), np.float32(1 - 1e-7)


def limited(p: np.ndarray) -> np.ndarray:
    return np.clip(p, float(LOW), float(HIGH))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(-1, keepdims=True))
    return limited(e / e.sum(-1, keepdims=True))


def bce(t: np.ndarray, x: np.ndarray) -> np.ndarray:
    p = limited(1 / (1 + np.exp(-x)))
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def focal(t: np.ndarray, x: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-x))
    return (1 - t * p - (1 - t) * (1 - p)) ** 2 * bce(t, x)


# Loss, activation, targets, arguments, formula of targets and float64 logits.
ROWS: list[tuple[str, Any, np.ndarray, dict[str, Any], Any]] = [
    (
        "sparse_categorical_crossentropy",
        activations.softmax,
        CLASSES,
        {},
        lambda t, x: -np.log(softmax(x))[np.arange(6), t],
    ),
    (
        "sparse_categorical_crossentropy",
        activations.softmax,
        CLASSES,
        {"ignore_class": 2},
        lambda t, x: np.where(t == 2, 0, -np.log(softmax(x))[np.arange(6), t]),
    ),
    (
        "categorical_crossentropy",
        activations.softmax,
        ONE_HOT,
        {},
        lambda t, x: -(t * np.log(softmax(x))).sum(-1),
    ),
    (
        "categorical_crossentropy",
        activations.softmax,
        ONE_HOT,
        {"label_smoothing": 0.1},
        lambda t, x: -((0.9 * t + 0.025) * np.log(softmax(x))).sum(-1),
    ),
    ("binary_crossentropy", activations.sigmoid, ONE_HOT, {}, lambda t, x: bce(t, x).mean(-1)),
    (
        "binary_crossentropy",
        activations.sigmoid,
        ONE_HOT,
        {"label_smoothing": 0.1},
        lambda t, x: bce(0.9 * t + 0.05, x).mean(-1),
    ),
    ("binary_focal_crossentropy", activations.sigmoid, ONE_HOT, {}, lambda t, x: focal(t, x).mean(-1)),
]


@pytest.mark.parametrize(("name", "activation", "targets", "kwargs", "formula"), ROWS)
@pytest.mark.parametrize("logits", [MODERATE, EXTREME], ids=["moderate", "extreme"])
def test_values(
    name: str, activation: Any, targets: np.ndarray, kwargs: dict[str, Any], formula: Any, logits: np.ndarray
) -> None:
    def fused(x: Any) -> Any:
        return getattr(losses, name)(targets, activation(x), **kwargs)

    expected = formula(targets, logits.astype("float64"))
    np.testing.assert_allclose(run_traced(fused, logits), expected, rtol=5e-6, atol=3e-7)


@pytest.mark.parametrize(("name", "activation", "targets", "kwargs"), [ROWS[i][:4] for i in (0, 2, 4)])
def test_gradients_vanish_beyond_the_limits_only(
    name: str, activation: Any, targets: np.ndarray, kwargs: dict[str, Any]
) -> None:
    def fused(x: Any) -> Any:
        return getattr(losses, name)(targets, activation(x), **kwargs)

    def from_logits(x: Any) -> Any:
        return getattr(losses, name)(targets, x, from_logits=True, **kwargs)

    np.testing.assert_allclose(
        traced_gradient(fused, [MODERATE]), traced_gradient(from_logits, [MODERATE]), rtol=1e-5, atol=1e-7
    )
    beyond = np.float32(60) * (2 * ONE_HOT - 1)  # certain and right
    for x in (beyond, -beyond):  # and certain and wrong
        assert not traced_gradient(fused, [x]).any()


def test_limits() -> None:
    def loss(x: Any) -> Any:
        return losses.binary_crossentropy(np.float32([[1], [0], [1], [0]]), activations.sigmoid(x))

    values = run_traced(loss, np.float32([[-50], [50], [50], [-50]]))
    np.testing.assert_allclose(values, [16.118095, 15.942385, 1.1920929e-7, 1.1920929e-7], rtol=1e-6)
