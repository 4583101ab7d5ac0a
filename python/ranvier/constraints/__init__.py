"""Constraints: projections that are applied to a weight after each update, and their names in configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.constraints.constraints import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from ranvier.core import identifiers, registry
from ranvier.core.user_code import short_traceback

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

_TABLE: dict[str, type[Constraint]] = {
    "MaxNorm": MaxNorm,
    "MinMaxNorm": MinMaxNorm,
    "NonNeg": NonNeg,
    "UnitNorm": UnitNorm,
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}

__all__ = [*_TABLE, "Constraint", "deserialize", "get", "serialize"]


@short_traceback
def get(identifier: Any) -> Any:
    """The constraint that an identifier stands for.

    Args:
        identifier: None (returned), a name such as "non_neg", a config dict, a class, or a callable `(w)
            -> w`.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    return identifiers.resolve("constraint", identifier, _TABLE)


@short_traceback
def serialize(constraint: Any) -> Any:
    """The config dict of a constraint.

    Raises:
        TypeError: for an object without `get_config`.
    """
    return registry.serialize_object(constraint)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The constraint that `serialize` described.

    Args:
        config: a config dict or a name.
        custom_objects: name -> class or function, for constraints that are not the library's.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    return identifiers.deserialize("constraint", config, _TABLE, custom_objects)
