"""Metrics against Keras: results over batches, with and without weights; configs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.metrics import test_metrics as table
from tests.metrics.test_names import CONFIGS
from tests.parity.oracle import assert_agrees, keras

import ranvier
from ranvier.core.masks import set_mask


@pytest.mark.parametrize(
    "weights", [None, table.WEIGHTS, table.WEIGHTS[:, None]], ids=["plain", "vector", "column"]
)
@pytest.mark.parametrize(
    ("name", "kwargs", "y_true", "y_pred"), [row[:4] for row in table.ROWS], ids=table.IDS
)
def test_results(
    name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray, weights: Any
) -> None:
    if weights is not None and weights.ndim == 2 and "Score" in name and name != "R2Score":
        pytest.skip("Keras takes one axis of weights for these")
    if "IoU" in name and kwargs.get("axis", -1) != -1:
        pytest.skip("Keras uses the class axis for another sum too, and fails")
    results = []
    for module in (ranvier, keras):
        given = {**kwargs, "fn": module.losses.huber} if "fn" in kwargs else kwargs
        metric = getattr(module.metrics, name)(**given)
        values = []
        for rows in (slice(0, 5), slice(5, 10)):
            metric.update_state(y_true[rows], y_pred[rows], None if weights is None else weights[rows])
            values.append(np.asarray(metric.result()))
        metric.reset_state()
        metric.update_state(y_true[:5], y_pred[:5])
        results.append([*values, np.asarray(metric.result())])
    for ours, theirs in zip(*results, strict=True):
        assert_agrees(ours, theirs)


@pytest.mark.parametrize(
    "name", ["MeanSquaredError", "BinaryAccuracy", "CategoricalAccuracy", "RootMeanSquaredError"]
)
@pytest.mark.parametrize("weights", [None, [1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]]])
def test_further_axes(name: str, weights: Any) -> None:
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=(2, 2, 3, 4)).astype("float32")
    weights = None if weights is None else np.float32(weights)
    ours, theirs = (getattr(m.metrics, name)()(y_true, y_pred, weights) for m in (ranvier, keras))
    assert_agrees(ours, theirs)


ODD = np.float32([0, 0.3, 1, 2, -1])
THRESHOLDS: list[tuple[str, dict[str, Any]]] = [
    ("AUC", {}),
    ("AUC", {"num_thresholds": 11, "curve": "PR"}),
    ("AUC", {"thresholds": [0.2, 0.3]}),
    ("PrecisionAtRecall", {"recall": 0.5}),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 11}),
    ("SensitivityAtSpecificity", {"specificity": 0.5}),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, "num_thresholds": 3}),
    ("Precision", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}),
    ("Recall", {"thresholds": [0.1, 0.5, 0.8]}),
    ("TruePositives", {"thresholds": [0.0, 0.5, 1.0]}),
    ("FalsePositives", {"thresholds": [1.0, 0.5, 0.0]}),
    ("TrueNegatives", {"thresholds": [i / 20 for i in range(21)]}),
    ("FalseNegatives", {"thresholds": [0.0, 1.0]}),
]


@pytest.mark.parametrize(("name", "kwargs"), THRESHOLDS)
@pytest.mark.parametrize("targets", [np.float32([0, 1]), ODD], ids=["binary", "odd"])
@pytest.mark.parametrize("weighted", [False, True])
def test_predictions_on_thresholds_and_beyond(
    name: str, kwargs: dict[str, Any], targets: np.ndarray, weighted: bool
) -> None:
    rng = np.random.default_rng(4)
    y_true = rng.choice(targets, 90)
    y_pred = np.float32([*rng.choice(np.arange(200) / 199, 60), *rng.normal(size=25) * 2, 0, 0, 1, 1, 0.5])
    weights = np.float32(rng.uniform(0, 2, 90)) if weighted else None
    ours, theirs = (getattr(m.metrics, name)(**kwargs) for m in (ranvier, keras))
    assert_agrees(ours(y_true, y_pred, weights), theirs(y_true, y_pred, weights))
    for a, b in zip(ours.variables, theirs.variables, strict=True):
        assert_agrees(a, b)


@pytest.mark.parametrize("name", ["IoU", "MeanIoU", "BinaryIoU"])
@pytest.mark.parametrize("dtype", [None, "int32", "float32"])
def test_weights_of_a_confusion_matrix(name: str, dtype: str | None) -> None:
    kwargs: dict[str, Any] = {
        "IoU": {"num_classes": 4, "target_class_ids": [0, 3]},
        "MeanIoU": {"num_classes": 4},
        "BinaryIoU": {},
    }[name]
    weights = np.float32(np.random.default_rng(6).uniform(0, 3, 10))
    y_true, y_pred = table.CLASSES, table.GUESSES
    if name == "BinaryIoU":
        y_true, y_pred = y_true % 2, table.PROBS[:, 0]
    matrices = []
    for module in (ranvier, keras):
        metric = getattr(module.metrics, name)(dtype=dtype, **kwargs)
        for _ in range(2):
            metric.update_state(y_true, y_pred, weights)
        matrices.append((np.asarray(metric.total_cm), np.asarray(metric.result())))
    for a, b in zip(*matrices, strict=True):
        assert_agrees(a, b)


@pytest.mark.parametrize(
    "name", ["Accuracy", "BinaryAccuracy", "MeanSquaredError", "Hinge", "AUC", "Precision"]
)
@pytest.mark.parametrize("shapes", [((8,), (8,)), ((8, 1), (8,)), ((8,), (8, 1)), ((8, 1), (8, 1))])
@pytest.mark.parametrize("weights", [None, (8,), ()])
def test_one_output(name: str, shapes: Any, weights: Any) -> None:
    """Targets and predictions of one number each, with and without a last axis."""
    if weights == (8,) and shapes == ((8,), (8,)) and name in ("MeanSquaredError", "Hinge"):
        for module in (ranvier, keras):
            with pytest.raises(ValueError, match="shape"):
                getattr(module.metrics, name)()(np.ones(8), np.ones(8), np.ones(8))
        return
    rng = np.random.default_rng(7)
    y_true = np.float32(rng.integers(0, 2, shapes[0]))
    y_pred = np.float32(rng.integers(0, 2, shapes[1]) if name == "Accuracy" else rng.uniform(size=shapes[1]))
    given = None if weights is None else np.float32(rng.uniform(0, 2, weights))
    results = []
    for module in (ranvier, keras):
        metric = getattr(module.metrics, name)()
        for rows in (slice(0, 5), slice(5, 8)):
            metric.update_state(y_true[rows], y_pred[rows], given if weights in (None, ()) else given[rows])
        results.append([*(np.asarray(v) for v in metric.variables), np.asarray(metric.result())])
    for a, b in zip(*results, strict=True):
        assert_agrees(a, b)


# Function, arguments, targets, predictions; the others are the losses' functions.
FUNCTIONS: list[tuple[str, dict[str, Any], np.ndarray, np.ndarray]] = [
    ("binary_accuracy", {}, table.BINARY, table.PROBS),
    ("binary_accuracy", {"threshold": 0.3}, table.BINARY, table.PROBS),
    ("categorical_accuracy", {}, table.ONE_HOT, table.PROBS),
    ("sparse_categorical_accuracy", {}, table.CLASSES, table.PROBS),
    ("sparse_categorical_accuracy", {}, table.CLASSES[:, None], table.PROBS),
    ("top_k_categorical_accuracy", {"k": 2}, table.ONE_HOT, table.PROBS),
    ("sparse_top_k_categorical_accuracy", {"k": 2}, table.CLASSES, table.PROBS),
    ("pearson_correlation", {}, table.REAL, table.OTHER),
    ("pearson_correlation", {"axis": 0}, table.REAL, table.OTHER),
    ("concordance_correlation", {}, table.REAL, table.OTHER),
    ("concordance_correlation", {"axis": 0}, table.REAL, table.OTHER),
]


@pytest.mark.parametrize(("name", "kwargs", "y_true", "y_pred"), FUNCTIONS)
def test_functions(name: str, kwargs: dict[str, Any], y_true: np.ndarray, y_pred: np.ndarray) -> None:
    ours, theirs = (getattr(m.metrics, name)(y_true, y_pred, **kwargs) for m in (ranvier, keras))
    assert_agrees(ours, theirs)


def test_every_function_is_compared() -> None:
    others = {"get", "serialize", "deserialize"}
    for name in dir(keras.metrics):
        fn = getattr(keras.metrics, name)
        if not name.startswith("_") and not isinstance(fn, type) and callable(fn) and name not in others:
            is_loss = getattr(ranvier.metrics, name) is getattr(ranvier.losses, name, None)
            assert is_loss or name in {row[0] for row in FUNCTIONS}, name


@pytest.mark.parametrize("name", ["MeanSquaredError", "CosineSimilarity", "Hinge", "CategoricalAccuracy"])
@pytest.mark.parametrize("weights", [None, table.WEIGHTS], ids=["plain", "weighted"])
def test_masks(name: str, weights: Any) -> None:
    mask = np.arange(10) % 3 > 0
    results = []
    for module in (ranvier, keras):
        y_pred = module.ops.convert_to_tensor(table.OTHER.copy())
        if module is ranvier:
            set_mask(y_pred, mask)
        else:
            y_pred._keras_mask = keras.ops.convert_to_tensor(mask)
        metric = getattr(module.metrics, name)()
        metric.update_state(table.ONE_HOT, y_pred, weights)
        results.append(np.asarray(metric.result()))
    assert_agrees(*results)


@pytest.mark.parametrize("cls", CONFIGS)
def test_configs_are_exchanged(cls: str) -> None:
    name, more = CONFIGS[cls]
    ours = getattr(ranvier.metrics, cls)(name="mine", **more)
    theirs = keras.metrics.deserialize(ranvier.metrics.serialize(ours))
    assert (type(theirs).__name__, theirs.name) == (cls, "mine")
    back = ranvier.metrics.deserialize(keras.metrics.serialize(theirs))
    lost = {"CosineSimilarity": {"axis"}, "SparseTopKCategoricalAccuracy": {"from_sorted_ids"}}
    kept = more.keys() - lost.get(cls, set())  # Keras leaves these arguments out of its configs
    assert {k: back.get_config()[k] for k in kept} == {k: more[k] for k in kept}


@pytest.mark.parametrize(
    "identifier", ["accuracy", "acc", "mse", "MSE", "MeanSquaredError", "cosine_similarity"]
)
@pytest.mark.parametrize(
    ("outputs", "shape"), [(1, (4, 1)), (1, (4,)), (3, (4,)), (3, (4, 1)), (3, (4, 3)), (2, (4, 2))]
)
def test_names_in_compile(identifier: str, outputs: int, shape: tuple[int, ...]) -> None:
    if identifier not in ("accuracy", "acc") and shape != (4, outputs):
        pytest.skip("an error metric needs targets of the predictions' shape")
    x, y = np.ones((4, 2), "float32"), np.zeros(shape, "float32")
    histories = []
    for module in (ranvier, keras):
        model = module.Sequential(
            [module.Input((2,)), module.layers.Dense(outputs, kernel_initializer="ones")]
        )
        model.compile(
            "sgd", "crossentropy" if identifier in ("accuracy", "acc") else "mse", metrics=[identifier]
        )
        histories.append(model.fit(x, y, verbose=0).history)
    ours, theirs = histories
    assert set(ours) == set(theirs)
    assert_agrees(ours[identifier], theirs[identifier])
