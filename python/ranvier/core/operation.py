"""Operation: what can be a node of a functional model, and the nodes themselves.

Called on KerasTensors, an operation computes nothing: it notes the call as a node and returns KerasTensors
that know where they came from. A functional model is read off these notes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ranvier.core import registry, scope, tree
from ranvier.core.keras_tensor import KerasHistory, KerasTensor
from ranvier.core.names import Alias
from ranvier.core.remat_scope import RematMode, current_remat_mode, rematerialized
from ranvier.core.shape_inference import infer_output_spec
from ranvier.core.user_code import ShortErrors, short_traceback


class Node:
    """One call of an operation on KerasTensors.

    Args:
        operation: what was called.
        args: its positional arguments, nests with KerasTensors among their leaves.
        kwargs: its keyword arguments, likewise.
        outputs: the KerasTensors that it returned, a nest.

    Attributes:
        arguments: the KerasTensors among the arguments, from left to right.
        outputs: the KerasTensors that it returned, flat.
        is_input: whether the node stands for an input of a model.
    """

    __slots__ = ("args", "arguments", "is_input", "kwargs", "operation", "outputs")

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        leaves = args if len(args) == 1 and not kwargs else tree.flatten([args, kwargs])
        if len(leaves) == 1 and tree.is_nested(leaves[0]):
            leaves = tree.flatten(leaves[0])
        self.arguments = [x for x in leaves if isinstance(x, KerasTensor)]
        self.outputs = [x for x in tree.flatten(outputs) if isinstance(x, KerasTensor)]
        self.is_input = not self.arguments
        index = len(operation._rv_inbound_nodes)
        operation._rv_inbound_nodes.append(self)
        for i, output in enumerate(self.outputs):
            output._keras_history = KerasHistory(operation, index, i)

    @property
    def parents(self) -> list[Node]:
        """The nodes that made the arguments, each once."""
        nodes = [producer(x) for x in self.arguments]
        return list({id(node): node for node in nodes if node is not None}.values())

    @property
    def index(self) -> int:
        """Which call of its operation it is."""
        return next(i for i, node in enumerate(self.operation._rv_inbound_nodes) if node is self)


def record(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Notes a call as a node of its operation, unless its arguments ask for no record.

    Returns:
        The outputs: KerasTensors that no other node has made.
    """
    outputs = tree.map_structure(
        lambda x: KerasTensor(x.shape, x.dtype) if getattr(x, "_keras_history", None) is not None else x,
        outputs,
    )
    leaves = tree.flatten([args, kwargs])
    if any(x.record_history for x in leaves if isinstance(x, KerasTensor)):
        Node(operation, args, kwargs, outputs)
    else:
        for output in tree.flatten(outputs):
            output.record_history = False
    return outputs


def producer(x: KerasTensor) -> Node | None:
    """The node that made a KerasTensor; None for one that was made by hand."""
    history = x._keras_history
    if history is None:
        return None
    node: Node = history.operation._rv_inbound_nodes[history.node_index]
    return node


class Operation(ShortErrors):
    """Something that can be called on tensors, and on KerasTensors to become part of a functional model.

    A subclass implements `call`; the shapes of outputs are found by tracing it.

    Args:
        name: a name; None: made up from the class.

    Raises:
        ValueError: for a name that is not a string or contains "/".
    """

    name: str
    _rv_inbound_nodes: list[Node]
    _inbound_nodes = Alias("_rv_inbound_nodes")
    _rv_remat_mode: RematMode | None = None  # of the scope that it was made in
    _rv_holds_layers_only = False  # so that it leaves rematerialisation to them

    def __init__(self, name: str | None = None) -> None:
        name = scope.auto_name(scope.class_name(type(self))) if name is None else name
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                "Argument `name` must be a string and cannot contain character `/`. "
                f"Received: name={name!r} (of type {type(name)})"
            )
        self.name = name
        self._rv_inbound_nodes = []
        mode = current_remat_mode()
        if mode is not None:
            self._rv_remat_mode = mode

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Computes, or notes the call if there are KerasTensors among the arguments."""
        if any(isinstance(leaf, KerasTensor) for leaf in tree.flatten([args, kwargs])):
            return self.symbolic_call(*args, **kwargs)
        return self._rv_call()(*args, **kwargs)

    def _rv_call(self) -> Callable[..., Any]:
        """`call`, as the scope that the operation was made in wants it."""
        return (
            self.call if self._rv_remat_mode is None else rematerialized(self, self.call, self._rv_remat_mode)
        )

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Notes a call on KerasTensors; returns the KerasTensors that stand for the outputs."""
        return record(self, args, kwargs, self.compute_output_spec(*args, **kwargs))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. Subclasses override it."""
        raise NotImplementedError(f"{type(self).__name__} does not have a `call` method implemented.")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes and dtypes, as KerasTensors."""
        return infer_output_spec(self.call, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON-like values."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A new object from `get_config`'s dict."""
        return cls(**registry.deserialize_object(config))

    @property
    @short_traceback
    def input(self) -> Any:
        """The symbolic input of the only call.

        Raises:
            AttributeError: unless the operation was called on KerasTensors exactly once.
        """
        node = self._rv_only_node("input")
        return node.arguments[0] if len(node.arguments) == 1 else list(node.arguments)

    @property
    @short_traceback
    def output(self) -> Any:
        """The symbolic output of the only call.

        Raises:
            AttributeError: unless the operation was called on KerasTensors exactly once.
        """
        node = self._rv_only_node("output")
        return node.outputs[0] if len(node.outputs) == 1 else list(node.outputs)

    def _rv_only_node(self, what: str) -> Node:
        if len(self._rv_inbound_nodes) == 1:
            return self._rv_inbound_nodes[0]
        how = (
            "has never been called on a KerasTensor"
            if not self._rv_inbound_nodes
            else "was called repeatedly"
        )
        raise AttributeError(
            f"The layer {self.name} {how} and thus has no defined {what}. "
            f"Number of inbound nodes: {len(self._rv_inbound_nodes)}."
        )
