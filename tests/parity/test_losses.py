"""Losses against Keras: values, gradients, weights, reductions, probabilities from activations, configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.losses import test_values as table
from tests.losses.test_loss import CONFIGS
from tests.parity.oracle import assert_agrees, keras, value_and_gradient
from tests.tracing import run_traced, traced_gradient

import ranvier
from ranvier.core import masks

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight"]
WEIGHTS = [None, np.float32([1, 0, 2, 0.5, 1, 3]), np.float32([[1], [0], [2], [0.5], [1], [3]])]
# Keras refuses another class axis than the last for class numbers, and broadcasts a column of them wrongly.
FUNCTIONS = [
    row[:4]
    for row in table.ROWS
    if not (row[0] == "sparse_categorical_crossentropy" and row[1].get("axis", -1) != -1)
    and not (row[0] == "categorical_generalized_cross_entropy" and row[2].ndim == 2)
]


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), FUNCTIONS)
def test_functions(name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray) -> None:
    y_true, y_pred = table.single(y_true), table.single(y_pred)

    def total(module: Any) -> Any:
        fn = getattr(module.losses, name)
        return lambda p: module.ops.sum(fn(y_true, p, **kwargs))

    value, gradient = value_and_gradient(total(keras), y_pred)
    assert_agrees(run_traced(total(ranvier), y_pred), value)
    assert_agrees(traced_gradient(total(ranvier), [y_pred]), gradient)


# Class, arguments, targets, predictions.
R, P, B, ONE = table.single(table.REAL), table.single(table.PROBS), table.single(table.BINARY), table.ONE_HOT
CLASSES: list[tuple[str, dict[str, Any], np.ndarray, np.ndarray]] = [
    ("MeanSquaredError", {}, R, P),
    ("MeanAbsoluteError", {}, R, P),
    ("MeanAbsolutePercentageError", {}, R, P),
    ("MeanSquaredLogarithmicError", {}, np.abs(R), P),
    ("Huber", {"delta": 0.5}, R, P),
    ("LogCosh", {}, R, P),
    ("CosineSimilarity", {}, R, P),
    ("Hinge", {}, B, R),
    ("SquaredHinge", {}, B, R),
    ("CategoricalHinge", {}, ONE, R),
    ("KLDivergence", {}, P[::-1].copy(), P),
    ("Poisson", {}, P[::-1].copy(), P),
    ("BinaryCrossentropy", {}, B, P),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, B, R),
    ("CategoricalCrossentropy", {}, ONE, P),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE, R),
    ("SparseCategoricalCrossentropy", {}, table.CLASSES, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, table.CLASSES, R),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, table.CLASSES, P),
    ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "gamma": 1.5}, B, P),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, table.CLASSES, P),
    ("Circle", {}, table.CLASSES, table.single(table.UNITS)),
    (
        "Circle",
        {"gamma": 2.0, "margin": 0.2, "remove_diagonal": False},
        table.CLASSES,
        table.single(table.UNITS),
    ),
    ("CTC", {}, np.tile(table.LABELS, (2, 1)), np.tile(table.single(table.FRAMES), (2, 1, 1))),
    ("Dice", {}, B, P),
    ("Dice", {"axis": 1}, 0 * B, P / 1e5),
    ("Tversky", {}, 0 * B, 0 * P),
    ("Dice", {"axis": 1}, B, P),
    ("Tversky", {"alpha": 0.3, "beta": 0.6}, B, P),
    ("Tversky", {"alpha": 0.3, "beta": 0.6, "axis": -1}, B, P),
    ("CategoricalFocalCrossentropy", {"alpha": [0.1, 0.2, 0.3, 0.4]}, ONE, P),
]


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), CLASSES)
def test_classes(name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray) -> None:
    def loss(module: Any, reduction: str, weight: Any) -> Any:
        one = getattr(module.losses, name)(reduction=reduction, **kwargs)
        return lambda p: one(y_true, p, sample_weight=weight)

    for reduction in REDUCTIONS:
        for weight in WEIGHTS:
            value = loss(keras, reduction, weight)(y_pred)
            assert_agrees(loss(ranvier, reduction, weight)(y_pred), value)
            assert_agrees(run_traced(loss(ranvier, reduction, weight), y_pred), value)
    weighted = ("sum_over_batch_size", WEIGHTS[1])
    _, gradient = value_and_gradient(loss(keras, *weighted), y_pred)
    assert_agrees(traced_gradient(loss(ranvier, *weighted), [y_pred]), gradient)


MASK = np.array([True, False, True, True, False, True])


@pytest.mark.parametrize(
    ("name", "kwargs", "y_true", "y_pred"),
    [row for row in CLASSES if row[0] not in ("Dice", "Tversky") and "ignore_class" not in row[1]],
)
def test_masks(name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray) -> None:
    """The mask that a layer left on the predictions, alone and with weights."""

    def total(module: Any, reduction: str, weight: Any) -> Any:
        p = module.ops.convert_to_tensor(y_pred.copy())
        (keras_mask if module is keras else masks).set_mask(p, module.ops.convert_to_tensor(MASK))
        loss = getattr(module.losses, name)(reduction=reduction, **kwargs)
        return np.asarray(loss(y_true, p, sample_weight=weight))

    for reduction in REDUCTIONS:
        for weight in WEIGHTS[:2]:
            assert_agrees(total(ranvier, reduction, weight), total(keras, reduction, weight))


class keras_mask:
    """Keras's tensors carry their mask in an attribute."""

    @staticmethod
    def set_mask(x: Any, mask: Any) -> None:
        x._keras_mask = mask


def test_every_class_is_compared() -> None:
    assert {name for name, *_ in CLASSES} == {name for name, _ in CONFIGS}


@pytest.mark.parametrize(
    ("name", "activation", "y_true"),
    [
        ("SparseCategoricalCrossentropy", "softmax", table.CLASSES),
        ("CategoricalCrossentropy", "softmax", ONE),
        ("BinaryCrossentropy", "sigmoid", B),
        ("BinaryFocalCrossentropy", "sigmoid", B),
    ],
)
@pytest.mark.parametrize("scale", [1, 3, 60])
def test_probabilities_from_activations(name: str, activation: str, y_true: np.ndarray, scale: float) -> None:
    # At 60 most probabilities meet the limits 1e-7 and 1 - 1e-7. In between, float32 has few digits left of
    # 1 - p, which Keras takes the logarithm of: losses are compared where it has them, and at the limits.
    logits = R * scale
    logits = np.where(np.abs(logits) < 18, np.clip(logits, -7, 7), logits).astype("float32")

    def loss(module: Any) -> Any:
        one = getattr(module.losses, name)()
        return lambda x: one(y_true, getattr(module.activations, activation)(x))

    value, gradient = value_and_gradient(loss(keras), logits)
    assert_agrees(run_traced(loss(ranvier), logits), value, rtol=3e-5)
    assert_agrees(traced_gradient(loss(ranvier), [logits]), gradient, rtol=3e-5)


# Keras's own `deserialize` does not know the generalized cross-entropy.
@pytest.mark.parametrize(
    ("name", "config"), [row for row in CONFIGS if row[0] != "CategoricalGeneralizedCrossEntropy"]
)
def test_configs_are_exchanged(name: str, config: dict[str, Any]) -> None:
    ours = getattr(ranvier.losses, name)(**config, reduction="sum")
    theirs = keras.losses.deserialize(ranvier.losses.serialize(ours))
    assert type(theirs).__name__ == name
    back = ranvier.losses.deserialize(keras.losses.serialize(theirs))
    lost = {"Huber": {"delta"}, "CosineSimilarity": {"axis"}, "SparseCategoricalCrossentropy": {"axis"}}
    kept = config.keys() - lost.get(name, set())  # Keras leaves these arguments out of its configs
    assert {k: back.get_config()[k] for k in kept} == {k: config[k] for k in kept}
