"""What a user may hand in where an object is expected: a name, a config, a class, or the object itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ranvier.core import registry


def resolve(kind: str, identifier: Any, table: Mapping[str, Any]) -> Any:
    """The object that an identifier stands for.

    Args:
        kind: what is looked for, for the message ("loss").
        identifier: None (returned as it is), a name, a config dict, a class (an instance is made with its
            default arguments), or any callable (returned as it is).
        table: name -> class or function.

    Raises:
        ValueError: for an unknown name (the message lists near ones) or anything else.
        TypeError: for a config whose class is unknown.
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return registry.deserialize_object(identifier, module_objects=table)
    found = registry.lookup(kind, identifier, table) if isinstance(identifier, str) else identifier
    if isinstance(found, type):
        return found()
    if not callable(found):
        raise ValueError(f"Could not interpret {kind} identifier: {identifier}")
    return found


def deserialize(
    kind: str, config: Any, table: Mapping[str, Any], custom_objects: Mapping[str, Any] | None
) -> Any:
    """The object that a config describes; a bare name is looked up in `table` and, for a class, instantiated.

    Raises:
        ValueError: for an unknown name.
        TypeError: for a config whose class is unknown.
    """
    with registry.custom_object_scope(custom_objects):
        if config is None or isinstance(config, (str, Mapping)):
            return resolve(kind, config, table)
    raise ValueError(f"Could not interpret {kind} config: {config}")
