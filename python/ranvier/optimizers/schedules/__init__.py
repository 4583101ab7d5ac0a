"""Learning-rate schedules, and their names in configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.core import identifiers, registry
from ranvier.core.user_code import short_traceback
from ranvier.optimizers.schedules.decays import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from ranvier.optimizers.schedules.schedule import LearningRateSchedule

_TABLE: dict[str, type[LearningRateSchedule]] = {
    "CosineDecay": CosineDecay,
    "CosineDecayRestarts": CosineDecayRestarts,
    "ExponentialDecay": ExponentialDecay,
    "InverseTimeDecay": InverseTimeDecay,
    "PiecewiseConstantDecay": PiecewiseConstantDecay,
    "PolynomialDecay": PolynomialDecay,
}

__all__ = [*_TABLE, "LearningRateSchedule", "deserialize", "serialize"]


@short_traceback
def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """The config dict of a schedule."""
    return registry.serialize_object(learning_rate_schedule)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described.

    Args:
        config: a config dict.
        custom_objects: name -> class, for schedules that are not the library's.

    Raises:
        TypeError: for a config whose class is unknown.
    """
    return identifiers.deserialize("learning rate schedule", config, _TABLE, custom_objects)
