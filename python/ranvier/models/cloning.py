"""clone_model: the same architecture with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranvier.core import tree
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.user_code import short_traceback
from ranvier.layers import InputLayer, Layer
from ranvier.models.functional import Functional
from ranvier.models.graph_model import takes_inputs_and_outputs
from ranvier.models.model import Model
from ranvier.models.sequential import Sequential


@short_traceback
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
        model: a Sequential or functional model, or one of a class that can be made from its config. The copy
            of a Sequential model is a `Sequential`, whatever its class.
        input_tensors: KerasTensors for the new model's inputs; None: as in `model`.
        clone_function: makes the copy of a layer, or of an operation in a functional model's graph, other
            than the inputs; None: from its config.
        call_function: `(layer, *args, **kwargs)`, calls the copies in the new graph of a functional model;
            None: they are called as the layers were.
        recursive: whether `clone_function` is applied to the layers of inner models too.
        **kwargs: none.

    Raises:
        ValueError: for an argument that does not apply to this kind of model.
    """
    if kwargs:
        raise ValueError(f"Unexpected argument(s): {list(kwargs)}")
    if not isinstance(model, Model):
        raise ValueError(f"Argument `model` must be a model. Received: model={model!r}")
    is_graph = model._rv_graph is not None
    if call_function is not None and not is_graph:
        raise ValueError("Argument `call_function` is only supported for functional models.")
    if not isinstance(model, Sequential) and not is_graph:
        if input_tensors is not None or clone_function is not None:
            raise ValueError(
                "Arguments `input_tensors` and `clone_function` need a Sequential or functional model."
            )
        return type(model).from_config(model.get_config())

    def copy(layer: Any) -> Any:
        is_model = isinstance(layer, Sequential) or (isinstance(layer, Model) and layer._rv_graph is not None)
        if recursive and is_model:
            return clone_model(layer, clone_function=clone_function, call_function=None, recursive=True)
        if clone_function is None or isinstance(layer, InputLayer):
            return type(layer).from_config(layer.get_config())
        return clone_function(layer)

    if is_graph:
        return _clone_graph(model, input_tensors, copy, call_function)
    layers: list[Any] = [copy(layer) for layer in model._rv_layers]
    if input_tensors is not None:
        tensors = list(input_tensors) if isinstance(input_tensors, (list, tuple)) else [input_tensors]
        if len(tensors) != 1 or not isinstance(tensors[0], KerasTensor):
            raise ValueError(f"Argument `input_tensors` must be one KerasTensor. Received: {input_tensors}")
        layers = [tensors[0], *(layer for layer in layers if not isinstance(layer, InputLayer))]
    return _frozen_like(model, Sequential(layers, name=model.name))


def _clone_graph(
    model: Any,
    input_tensors: Any,
    copy: Callable[[Any], Any],
    call_function: Callable[..., Any] | None,
) -> Model:
    """The graph of `model`, called again on copies of its layers."""
    graph = model._rv_graph
    copies = {id(operation): copy(operation) for operation in graph.operations}
    if input_tensors is None:
        inputs = [copies[id(x._keras_history.operation)].output for x in graph.inputs]
    else:
        inputs = tree.flatten(input_tensors)
        if len(inputs) != len(graph.inputs) or not all(isinstance(x, KerasTensor) for x in inputs):
            raise ValueError(
                f"Argument `input_tensors` must hold {len(graph.inputs)} KerasTensors. "
                f"Received: {input_tensors}"
            )

    def call(operation: Any, *args: Any, **kwargs: Any) -> Any:
        twin = copies[id(operation)]
        return twin(*args, **kwargs) if call_function is None else call_function(twin, *args, **kwargs)

    outputs = tree.pack_sequence_as(model._rv_outputs_struct, graph.run(inputs, call))
    cls: Any = type(model) if takes_inputs_and_outputs(type(model)) else Functional
    inputs = tree.pack_sequence_as(model._rv_inputs_struct, inputs)
    return _frozen_like(model, cls(inputs, outputs, name=model.name))


def _frozen_like(model: Model, copy: Model) -> Model:
    """The copy, not trainable if the model is not. Else each layer knows by itself whether it is."""
    if not model.trainable:
        copy.trainable = False
    return copy
