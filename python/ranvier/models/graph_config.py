"""Functional models as configs, in Keras 3's format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranvier.core import registry, tree
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.operation import Node
from ranvier.layers import InputLayer

Lookup = Callable[[str, int, int], KerasTensor]


def graph_config(model: Any) -> dict[str, Any]:
    """The config of a functional model: its layers, the calls of each, its inputs and outputs."""
    graph = model._rv_graph
    members = {id(node) for node in graph.nodes}
    kept = {
        operation: [node for node in operation._rv_inbound_nodes if id(node) in members]
        for operation in graph.operations
    }
    indices = {id(node): i for nodes in kept.values() for i, node in enumerate(nodes)}

    def history(x: KerasTensor) -> list[Any]:
        assert x._keras_history is not None
        operation, index, position = x._keras_history
        return [operation.name, indices[id(operation._rv_inbound_nodes[index])], position]

    def end(x: KerasTensor) -> list[Any]:
        assert x._keras_history is not None
        name, index, position = history(x)
        return [name, index + _nodes_before_calls(x._keras_history.operation), position]

    layers = []
    for operation, nodes in kept.items():
        config = registry.serialize_object(operation)
        config["name"] = operation.name
        config["inbound_nodes"] = [_node_config(node, history) for node in nodes if not node.is_input]
        layers.append(config)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": tree.map_structure(end, model._rv_inputs_struct),
        "output_layers": tree.map_structure(end, model._rv_outputs_struct),
    }


def _nodes_before_calls(operation: Any) -> int:
    """How many nodes an operation has, as configs number those of a model's ends, before its first call.

    Keras counts the node in which a functional model was made, but only there.
    """
    return int(getattr(operation, "_rv_graph", None) is not None)


def _node_config(node: Node, history: Callable[[KerasTensor], list[Any]]) -> dict[str, Any]:
    def serialize(x: Any) -> Any:
        if isinstance(x, (list, tuple)):
            return [serialize(item) for item in x]
        if isinstance(x, dict):
            return {key: serialize(value) for key, value in x.items()}
        if isinstance(x, KerasTensor):
            config = {"shape": x.shape, "dtype": x.dtype, "keras_history": history(x)}
            return {"class_name": "__keras_tensor__", "config": config}
        return registry.serialize_object(x)

    return {"args": serialize(node.args), "kwargs": serialize(node.kwargs)}


def model_from_graph_config(
    cls: Any, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
) -> Any:
    """The functional model that `graph_config` (or Keras) described.

    Args:
        cls: the model's class, whose constructor takes `inputs` and `outputs`.
        config: the config.
        custom_objects: name -> class, for layers that are not registered.

    Raises:
        TypeError: for an unknown class.
        ValueError: if the config's graph does not hold together.
    """
    operations: dict[str, Any] = {}
    waiting: list[tuple[str, int, dict[str, Any]]] = []
    for layer_config in config["layers"]:
        name = layer_config.get("name") or layer_config["config"]["name"]
        operations[name] = registry.deserialize_object(layer_config, custom_objects)
        waiting += [(name, i, node) for i, node in enumerate(layer_config["inbound_nodes"])]
    made: dict[tuple[str, int, int], KerasTensor] = {
        (name, 0, 0): operation.output
        for name, operation in operations.items()
        if isinstance(operation, InputLayer)
    }

    def find(name: str, node: int, position: int) -> KerasTensor:
        return made[name, node, position]

    def find_end(name: str, node: int, position: int) -> KerasTensor:
        return find(name, node - _nodes_before_calls(operations.get(name)), position)

    while waiting:
        later = [entry for entry in waiting if not _replay(entry, operations, made, find)]
        if len(later) == len(waiting):
            names = sorted({name for name, _, _ in later})
            raise ValueError(
                f"The config's graph does not hold together: the layers {names} wait for one another "
                "(a cycle) or for a tensor that no layer makes."
            )
        waiting = later
    # Only what is not trainable says so: True would thaw the frozen layers inside.
    extra = {key: config[key] for key in ("name", "trainable") if key in config and config[key] is not True}
    try:
        inputs, outputs = (_tensors(config[key], find_end) for key in ("input_layers", "output_layers"))
    except KeyError as error:
        raise ValueError(f"The config names a tensor that no layer makes: {error}") from None
    return cls(inputs=inputs, outputs=outputs, **extra)


def _replay(
    entry: tuple[str, int, dict[str, Any]],
    operations: dict[str, Any],
    made: dict[tuple[str, int, int], KerasTensor],
    find: Lookup,
) -> bool:
    """Repeats one recorded call, if its inputs are known and the calls before it were repeated."""
    name, index, node = entry
    if index > 0 and (name, index - 1, 0) not in made:
        return False
    try:
        args, kwargs = _arguments(node["args"], find), _arguments(node["kwargs"], find)
    except KeyError:
        return False
    outputs = operations[name](*args, **kwargs)
    for position, output in enumerate(tree.flatten(outputs)):
        made[name, index, position] = output
    return True


def _arguments(x: Any, find: Lookup) -> Any:
    if isinstance(x, (list, tuple)):
        return [_arguments(item, find) for item in x]
    if not isinstance(x, dict):
        return x
    if x.get("class_name") == "__keras_tensor__":
        return find(*x["config"]["keras_history"])
    if "class_name" in x:
        return registry.deserialize_object(x)
    return {key: _arguments(value, find) for key, value in x.items()}


def _tensors(x: Any, find: Lookup) -> Any:
    """The nest of tensors that a nest of [layer, node, position] names."""
    if isinstance(x, dict):
        return {key: _tensors(value, find) for key, value in x.items()}
    if len(x) == 3 and isinstance(x[0], str):
        return find(*x)
    items = [_tensors(item, find) for item in x]
    return tuple(items) if isinstance(x, tuple) else items
