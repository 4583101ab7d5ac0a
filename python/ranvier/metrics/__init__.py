"""Metrics: measures that accumulate over batches, functions of one batch, and their names in configs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ranvier.core import identifiers, registry, scope
from ranvier.core.user_code import short_traceback
from ranvier.losses.crossentropy import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from ranvier.losses.hinge import categorical_hinge, hinge, squared_hinge
from ranvier.losses.regression import (
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from ranvier.metrics import by_shape
from ranvier.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from ranvier.metrics.auc import AUC
from ranvier.metrics.by_shape import resolve_accuracy as resolve_accuracy
from ranvier.metrics.classification import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from ranvier.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from ranvier.metrics.decisions import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from ranvier.metrics.f_score import F1Score, FBetaScore
from ranvier.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from ranvier.metrics.metric import Metric
from ranvier.metrics.reduction import Mean, MeanMetricWrapper, Sum
from ranvier.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)

# fmt: off
_CLASSES: tuple[type[Metric], ...] = (
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy,
    CategoricalCrossentropy, CategoricalHinge, ConcordanceCorrelation, CosineSimilarity, F1Score,
    FBetaScore, FalseNegatives, FalsePositives, Hinge, IoU, KLDivergence, LogCoshError, Mean,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanIoU, MeanMetricWrapper, MeanSquaredError,
    MeanSquaredLogarithmicError, OneHotIoU, OneHotMeanIoU, PearsonCorrelation, Poisson, Precision,
    PrecisionAtRecall, R2Score, Recall, RecallAtPrecision, RootMeanSquaredError,
    SensitivityAtSpecificity, SparseCategoricalAccuracy, SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy, SpecificityAtSensitivity, SquaredHinge, Sum, TopKCategoricalAccuracy,
    TrueNegatives, TruePositives,
)
__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity",
    "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence",
    "LogCoshError", "Mean", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU",
    "MeanMetricWrapper", "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric", "OneHotIoU",
    "OneHotMeanIoU", "PearsonCorrelation", "Poisson", "Precision", "PrecisionAtRecall", "R2Score",
    "Recall", "RecallAtPrecision", "RootMeanSquaredError", "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy", "TrueNegatives",
    "TruePositives", "binary_accuracy", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_accuracy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_hinge", "concordance_correlation", "deserialize", "get", "hinge", "huber",
    "kl_divergence", "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_error", "mean_squared_logarithmic_error", "pearson_correlation", "poisson",
    "serialize", "sparse_categorical_accuracy", "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy", "squared_hinge", "top_k_categorical_accuracy",
]
# fmt: on

_SHORT = {
    "bce": BinaryCrossentropy,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "mse": MeanSquaredError,
    "msle": MeanSquaredLogarithmicError,
}
# Keras's names: the class's, and the class's in snake case.
_TABLE: dict[str, Any] = {cls.__name__: cls for cls in _CLASSES}
_TABLE.update({scope.to_snake_case(cls.__name__): cls for cls in _CLASSES})
_TABLE.update(_SHORT)
_TABLE.update({name.upper(): cls for name, cls in _SHORT.items()})


@short_traceback
def get(identifier: Any) -> Any:
    """The metric that an identifier stands for.

    Args:
        identifier: None (returned), a name ("mse", "mean_squared_error", "MeanSquaredError"), a config
            dict, a class (an instance is made), or a callable `(y_true, y_pred)` (returned as it is).

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    return identifiers.resolve("metric", identifier, _TABLE)


@short_traceback
def resolve(identifier: Any, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any]) -> Metric | None:
    """The metric that an entry of `compile`'s `metrics` stands for.

    "accuracy" and "acc" are chosen by `resolve_accuracy`; functions are wrapped in `MeanMetricWrapper`.

    Args:
        identifier: what `get` takes, or "accuracy" or "acc".
        y_true_shape: the shape of the targets, with the batch axis.
        y_pred_shape: the shape of the predictions, with the batch axis.

    Returns:
        A `Metric`, under the name it was asked for; None for None.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    return by_shape.resolve_metric(identifier, y_true_shape, y_pred_shape, _TABLE)


@short_traceback
def serialize(metric: Any) -> Any:
    """The config dict of a metric.

    Raises:
        TypeError: for an object without `get_config`.
        ValueError: for a lambda.
    """
    return registry.serialize_object(metric)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that `serialize` described.

    Args:
        config: a config dict or a name.
        custom_objects: name -> class or function, for metrics that are not the library's.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    return identifiers.deserialize("metric", config, _TABLE, custom_objects)
