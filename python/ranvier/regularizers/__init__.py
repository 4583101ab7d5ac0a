"""Regularizers: penalties on weights or outputs that are added to the loss, and their names in configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.core import identifiers, registry
from ranvier.core.user_code import short_traceback
from ranvier.regularizers.regularizers import L1, L1L2, L2, OrthogonalRegularizer, Regularizer

l1 = L1
l1_l2 = L1L2
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer

_TABLE: dict[str, type[Regularizer]] = {
    "L1": L1,
    "L2": L2,
    "L1L2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "l1": L1,
    "l2": L2,
    "l1_l2": L1L2,
    "l1l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
}

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


@short_traceback
def get(identifier: Any) -> Any:
    """The regularizer that an identifier stands for.

    Args:
        identifier: None (returned), a name such as "l2", a config dict, a class, or a callable `(x) ->
            penalty`.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
    """
    return identifiers.resolve("regularizer", identifier, _TABLE)


@short_traceback
def serialize(regularizer: Any) -> Any:
    """The config dict of a regularizer.

    Raises:
        TypeError: for an object without `get_config`.
    """
    return registry.serialize_object(regularizer)


@short_traceback
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The regularizer that `serialize` described.

    Args:
        config: a config dict or a name.
        custom_objects: name -> class or function, for regularizers that are not the library's.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    return identifiers.deserialize("regularizer", config, _TABLE, custom_objects)
