"""What a metric's name in `compile` stands for: "accuracy" depends on the shapes of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ranvier.core import identifiers, scope
from ranvier.losses.by_shape import problem
from ranvier.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from ranvier.metrics.metric import Metric
from ranvier.metrics.reduction import MeanMetricWrapper


def resolve_accuracy(
    y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any], name: str = "accuracy", dtype: Any = None
) -> Metric:
    """The accuracy that fits the shapes, as Keras's `compile` chooses it.

    Binary for one output; sparse categorical if the targets have no class axis; else categorical.

    Args:
        y_true_shape: the shape of the targets, with the batch axis.
        y_pred_shape: the shape of the predictions, with the batch axis.
        name: the metric's name.
        dtype: the metric's dtype; None: `floatx()`.
    """
    metrics: dict[str, type[Metric]] = {
        "binary": BinaryAccuracy,
        "sparse_categorical": SparseCategoricalAccuracy,
        "categorical": CategoricalAccuracy,
    }
    return metrics[problem(y_true_shape, y_pred_shape)](name=name, dtype=dtype)


def resolve_metric(
    identifier: Any, y_true_shape: Sequence[Any], y_pred_shape: Sequence[Any], table: Mapping[str, Any]
) -> Metric | None:
    """The metric that an entry of `compile`'s `metrics` stands for.

    Args:
        identifier: what `metrics.get` takes, or "accuracy" or "acc" in any case.
        y_true_shape: the shape of the targets, with the batch axis.
        y_pred_shape: the shape of the predictions, with the batch axis.
        table: name -> class or function.

    Returns:
        A `Metric`, under the name it was asked for; None for None.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        return resolve_accuracy(y_true_shape, y_pred_shape, name=identifier)
    found = identifiers.resolve("metric", identifier, table)
    if found is None:
        return None
    metric = found if isinstance(found, Metric) else MeanMetricWrapper(found, name=_object_name(found))
    if isinstance(identifier, str):
        metric.name = identifier
    return metric


def _object_name(obj: Any) -> str:
    name = getattr(obj, "name", None) or getattr(obj, "__name__", None) or type(obj).__name__
    return scope.to_snake_case(name)
