"""Models: layers grouped into something that can be trained."""

from __future__ import annotations

from typing import Any

from ranvier.core import registry
from ranvier.core.user_code import short_traceback
from ranvier.models.cloning import clone_model
from ranvier.models.functional import Functional as Functional
from ranvier.models.graph import Function as Function
from ranvier.models.model import Model
from ranvier.models.sequential import Sequential
from ranvier.saving import load_model, save_model

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


@short_traceback
def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Model:
    """The model that `Model.to_json` (or Keras) described.

    Args:
        json_string: the JSON text.
        custom_objects: name -> class, for layers that are not registered.

    Raises:
        TypeError: for an unknown class.
        ValueError: for text that is not JSON, or the config of something that is not a model.
    """
    import json

    try:
        config = json.loads(json_string)
        model = registry.deserialize_object(config, custom_objects)
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply to describe a model.") from error
    if not isinstance(model, Model):
        raise ValueError(f"The JSON does not describe a model, but {model!r}.")
    return model
