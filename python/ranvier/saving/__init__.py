"""Models and weights in files, configs of objects, and the registry of the user's own classes."""

from __future__ import annotations

from typing import Any

from ranvier.core.registry import (
    custom_object_scope,
    deserialize_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    serialize_object,
)
from ranvier.core.registry import (
    register_serializable as register_keras_serializable,
)
from ranvier.core.user_code import short_traceback
from ranvier.saving.archive import load_model, save_model
from ranvier.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

CustomObjectScope = custom_object_scope


@short_traceback
def serialize_keras_object(obj: Any) -> Any:
    """A JSON-like description of an object, in Keras 3's format.

    Args:
        obj: a value that JSON has, a nest of such, a function with a name, or an object with `get_config`.

    Raises:
        TypeError: for an object without `get_config`.
        ValueError: for a lambda.
    """
    return serialize_object(obj)


@short_traceback
def deserialize_keras_object(
    config: Any, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that `serialize_keras_object` (or Keras) described.

    Args:
        config: the description.
        custom_objects: name -> class or function, for those that are not registered.
        safe_mode: accepted as in Keras; code in a config is refused in either mode.
        **kwargs: `module_objects`: name -> object, for configs that give a bare name.

    Raises:
        TypeError: for an unknown class or function, or an unknown argument.
        ValueError: for a lambda.
    """
    return deserialize_object(config, custom_objects, safe_mode, **kwargs)
