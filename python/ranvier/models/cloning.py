"""clone_model: the same architecture with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranvier.core.keras_tensor import KerasTensor
from ranvier.layers import InputLayer, Layer
from ranvier.models.model import Model
from ranvier.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A new model with layers like those of `model`, and new weights.

    Args:
        model: a Sequential model, or one of a class that can be made from its config.
        input_tensors: a KerasTensor that describes the new model's input; None: as in `model`.
        clone_function: makes the copy of a layer; None: from its config.
        call_function: must be None; it concerns functional models.
        recursive: whether `clone_function` is applied to the layers of inner Sequential models too.
        **kwargs: none.

    Raises:
        ValueError: for an argument that does not apply to this kind of model.
    """
    if kwargs:
        raise ValueError(f"Unexpected argument(s): {list(kwargs)}")
    if call_function is not None:
        raise ValueError(
            "`call_function` is only supported for functional models, which are not offered yet."
        )
    if not isinstance(model, Sequential):
        if input_tensors is not None or clone_function is not None:
            raise ValueError("Arguments `input_tensors` and `clone_function` need a Sequential model.")
        return type(model).from_config(model.get_config())

    def copy(layer: Layer) -> Layer:
        if recursive and isinstance(layer, Sequential):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        if isinstance(layer, InputLayer) or clone_function is None:
            return type(layer).from_config(layer.get_config())
        return clone_function(layer)

    layers: list[Any] = [copy(layer) for layer in model._layers]
    if input_tensors is not None:
        tensors = list(input_tensors) if isinstance(input_tensors, (list, tuple)) else [input_tensors]
        if len(tensors) != 1 or not isinstance(tensors[0], KerasTensor):
            raise ValueError(f"Argument `input_tensors` must be one KerasTensor. Received: {input_tensors}")
        layers = [tensors[0], *(layer for layer in layers if not isinstance(layer, InputLayer))]
    return type(model)(layers, name=model.name, trainable=model.trainable)
