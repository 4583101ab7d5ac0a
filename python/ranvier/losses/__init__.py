"""Losses: functions of targets and predictions, objects that reduce them, and their names in configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.core import identifiers, registry
from ranvier.core.user_code import short_traceback
from ranvier.losses.by_shape import crossentropy_by_shape as crossentropy_by_shape
from ranvier.losses.circle import Circle, circle
from ranvier.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from ranvier.losses.ctc import CTC, ctc
from ranvier.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from ranvier.losses.loss import Loss
from ranvier.losses.loss import LossFunctionWrapper as LossFunctionWrapper
from ranvier.losses.overlap import Dice, Tversky, dice, tversky
from ranvier.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)

_ALL: tuple[Any, ...] = (
    Loss, LossFunctionWrapper,
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, MeanAbsoluteError,
    MeanAbsolutePercentageError, MeanSquaredError, MeanSquaredLogarithmicError, Poisson,
    SparseCategoricalCrossentropy, SquaredHinge, Tversky,
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_generalized_cross_entropy, categorical_hinge, circle,
    cosine_similarity, ctc, dice, hinge, huber, kl_divergence, log_cosh, mean_absolute_error,
    mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error, poisson,
    sparse_categorical_crossentropy, squared_hinge, tversky,
)  # fmt: skip
_TABLE: dict[str, Any] = {item.__name__: item for item in _ALL[2:]}

__all__ = [*_TABLE, "Loss", "deserialize", "get", "serialize"]

_SHORT = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_TABLE.update(_SHORT)
_TABLE.update({name.upper(): fn for name, fn in _SHORT.items()})


@short_traceback
def get(identifier: Any) -> Any:
    """The loss that an identifier stands for.

    Args:
        identifier: None (returned), the name of a function ("mse", "mean_squared_error": the function) or
            of a class ("MeanSquaredError": an instance), a config dict, a class, or a callable `(y_true,
            y_pred)`.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    return identifiers.resolve("loss", identifier, _TABLE)


@short_traceback
def serialize(loss: Any) -> Any:
    """The config dict of a loss.

    Raises:
        TypeError: for an object without `get_config`.
        ValueError: for a lambda.
    """
    return registry.serialize_object(loss)


@short_traceback
def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that `serialize` described.

    Args:
        name: a config dict or a name.
        custom_objects: name -> class or function, for losses that are not the library's.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    return identifiers.deserialize("loss", name, _TABLE, custom_objects)
