"""Metrics by name, by config, and by the shapes of the data."""

from __future__ import annotations

from typing import Any

import pytest

from ranvier import losses, metrics
from ranvier.core import scope

# Class: default name, further keys of its config.
_ONE_HOT_IOU = {"ignore_class": 1, "sparse_y_pred": True, "axis": 1}
_IOU = {**_ONE_HOT_IOU, "sparse_y_true": False}
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "AUC": (
        "auc",
        {
            "num_thresholds": 4,
            "curve": "PR",
            "summation_method": "minoring",
            "multi_label": True,
            "num_labels": 3,
            "label_weights": [1.0, 2.0, 3.0],
            "from_logits": True,
            "thresholds": [0.25, 0.75],
        },
    ),
    "BinaryIoU": ("binary_io_u", {"target_class_ids": [1], "threshold": 0.25}),
    "ConcordanceCorrelation": ("concordance_correlation", {"axis": 0}),
    "F1Score": ("f1_score", {"average": "macro", "threshold": 0.25}),
    "FBetaScore": ("fbeta_score", {"average": "micro", "beta": 2.0, "threshold": 0.25}),
    "FalseNegatives": ("false_negatives", {"thresholds": [0.25, 0.5]}),
    "FalsePositives": ("false_positives", {"thresholds": 0.25}),
    "IoU": ("io_u", {"num_classes": 3, "target_class_ids": [0, 2], **_IOU}),
    "MeanIoU": ("mean_io_u", {"num_classes": 3, **_IOU}),
    "OneHotIoU": ("one_hot_io_u", {"num_classes": 3, "target_class_ids": [1], **_ONE_HOT_IOU}),
    "OneHotMeanIoU": ("one_hot_mean_io_u", {"num_classes": 3, **_ONE_HOT_IOU}),
    "PearsonCorrelation": ("pearson_correlation", {"axis": 0}),
    "Precision": ("precision", {"thresholds": [0.25, 0.5], "top_k": 2, "class_id": 1}),
    "PrecisionAtRecall": ("precision_at_recall", {"recall": 0.5, "num_thresholds": 3, "class_id": 1}),
    "Recall": ("recall", {"thresholds": None, "top_k": 2, "class_id": None}),
    "RecallAtPrecision": ("recall_at_precision", {"precision": 0.5, "num_thresholds": 3, "class_id": 1}),
    "SensitivityAtSpecificity": (
        "sensitivity_at_specificity",
        {"specificity": 0.5, "num_thresholds": 3, "class_id": 1},
    ),
    "SpecificityAtSensitivity": (
        "specificity_at_sensitivity",
        {"sensitivity": 0.5, "num_thresholds": 3, "class_id": 1},
    ),
    "TrueNegatives": ("true_negatives", {"thresholds": None}),
    "TruePositives": ("true_positives", {"thresholds": [0.5]}),
    "Accuracy": ("accuracy", {}),
    "BinaryAccuracy": ("binary_accuracy", {"threshold": 0.3}),
    "BinaryCrossentropy": ("binary_crossentropy", {"from_logits": True, "label_smoothing": 0.1}),
    "CategoricalAccuracy": ("categorical_accuracy", {}),
    "CategoricalCrossentropy": (
        "categorical_crossentropy",
        {"from_logits": True, "label_smoothing": 0.1, "axis": 1},
    ),
    "CategoricalHinge": ("categorical_hinge", {}),
    "CosineSimilarity": ("cosine_similarity", {"axis": 1}),
    "Hinge": ("hinge", {}),
    "KLDivergence": ("kl_divergence", {}),
    "LogCoshError": ("logcosh", {}),
    "Mean": ("mean", {}),
    "MeanAbsoluteError": ("mean_absolute_error", {}),
    "MeanAbsolutePercentageError": ("mean_absolute_percentage_error", {}),
    "MeanSquaredError": ("mean_squared_error", {}),
    "MeanSquaredLogarithmicError": ("mean_squared_logarithmic_error", {}),
    "Poisson": ("poisson", {}),
    "R2Score": ("r2_score", {"class_aggregation": None, "num_regressors": 2}),
    "RootMeanSquaredError": ("root_mean_squared_error", {}),
    "SparseCategoricalAccuracy": ("sparse_categorical_accuracy", {}),
    "SparseCategoricalCrossentropy": (
        "sparse_categorical_crossentropy",
        {"from_logits": True, "ignore_class": 1, "axis": 1},
    ),
    "SparseTopKCategoricalAccuracy": (
        "sparse_top_k_categorical_accuracy",
        {"k": 3, "from_sorted_ids": True},
    ),
    "SquaredHinge": ("squared_hinge", {}),
    "Sum": ("sum", {}),
    "TopKCategoricalAccuracy": ("top_k_categorical_accuracy", {"k": 3}),
}


def test_every_class_has_a_config_row() -> None:
    classes = {n for n in metrics.__all__ if isinstance(getattr(metrics, n), type)}
    assert classes - {"Metric", "MeanMetricWrapper"} == set(CONFIGS)


@pytest.mark.parametrize("cls", CONFIGS)
def test_configs(cls: str) -> None:
    name, more = CONFIGS[cls]
    scope.reset_uids()
    assert getattr(metrics, cls)(**more).name == name
    metric = getattr(metrics, cls)(name="mine", dtype="float64", **more)
    assert metric.get_config() == {"name": "mine", "dtype": "float64", **more}
    assert all(v.dtype == "float64" for v in metric.variables)
    saved = metrics.serialize(metric)
    assert (saved["module"], saved["class_name"]) == ("keras.metrics", cls)
    again = metrics.deserialize(saved)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()


def test_wrapped_functions() -> None:
    metric = metrics.MeanMetricWrapper(losses.huber, name="h", delta=2.0)
    again = metrics.deserialize(metrics.serialize(metric))
    assert again.get_config() == metric.get_config()
    assert again([1.0], [4.0]) == metric([1.0], [4.0]) == 4.0


def test_get() -> None:
    assert metrics.get(None) is None
    for cls, name in (
        ("MeanSquaredError", "mse"),
        ("MeanAbsoluteError", "mae"),
        ("MeanAbsolutePercentageError", "mape"),
        ("MeanSquaredLogarithmicError", "msle"),
        ("BinaryCrossentropy", "bce"),
    ):
        for identifier in (name, name.upper(), cls, getattr(metrics, cls)):
            assert type(metrics.get(identifier)) is getattr(metrics, cls)
    assert metrics.get("mse").name == "mean_squared_error"
    assert isinstance(metrics.get("accuracy"), metrics.Accuracy)
    assert isinstance(metrics.get("log_cosh_error"), metrics.LogCoshError)
    assert metrics.get({"class_name": "Mean", "config": {"name": "x"}}).name == "x"
    assert metrics.get(max) is max
    assert isinstance(metrics.deserialize("mae"), metrics.MeanAbsoluteError)


def test_unknown_names_list_near_ones() -> None:
    with pytest.raises(ValueError, match="Did you mean:.*categorical_accuracy"):
        metrics.get("categorial_accuracy")
    for bad in (3, "ce", "rmse"):
        with pytest.raises(ValueError, match="metric identifier"):
            metrics.get(bad)


SHAPES = [
    ((4, 1), (4, 1), "BinaryAccuracy"),
    ((4,), (4, 1), "BinaryAccuracy"),
    ((4,), (4,), "CategoricalAccuracy"),
    ((4,), (4, 3), "SparseCategoricalAccuracy"),
    ((4, 1), (4, 3), "SparseCategoricalAccuracy"),
    ((4, 3), (4, 3), "CategoricalAccuracy"),
    ((4, 2), (4, 2), "CategoricalAccuracy"),
    ((4, 5), (4, 5, 3), "SparseCategoricalAccuracy"),
]


@pytest.mark.parametrize(("y_true", "y_pred", "cls"), SHAPES)
def test_accuracy_is_chosen_by_shape(y_true: Any, y_pred: Any, cls: str) -> None:
    assert type(metrics.resolve_accuracy(y_true, y_pred)).__name__ == cls
    for name in ("accuracy", "acc", "Accuracy"):
        metric = metrics.resolve(name, y_true, y_pred)
        assert metric is not None
        assert (type(metric).__name__, metric.name) == (cls, name)


def test_other_metrics_keep_the_name_they_were_asked_for() -> None:
    shapes = ((4, 3), (4, 3))

    def mine(y_true: Any, y_pred: Any) -> Any:
        return y_pred

    for identifier, name in (
        ("mse", "mse"),
        ("MSE", "MSE"),
        ("MeanSquaredError", "MeanSquaredError"),
        (metrics.MeanSquaredError(), "mean_squared_error"),
        (metrics.MeanSquaredError(name="x"), "x"),
        (losses.mean_squared_error, "mean_squared_error"),
        (mine, "mine"),
        (lambda y_true, y_pred: y_pred, "lambda"),
    ):
        metric = metrics.resolve(identifier, *shapes)
        assert isinstance(metric, metrics.Metric)
        assert metric.name == name
    assert metrics.resolve(None, *shapes) is None
