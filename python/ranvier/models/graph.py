"""The graph between some KerasTensors: which operations lead from inputs to outputs, and their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ranvier.core import tree
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.operation import Node, Operation, producer


class Step(NamedTuple):
    """A node of a graph, with places in a list of values instead of KerasTensors.

    Attributes:
        operation: what is called.
        only: the place of its only argument; None if there are more, or others than tensors.
        args: its positional arguments, with a `Place` for each tensor.
        kwargs: its keyword arguments, likewise.
        outputs: where its outputs go.
    """

    operation: Any
    only: int | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[int]


class Place(int):
    """The place of a tensor in the list of a run's values."""


class Graph:
    """The part of the record of calls that leads from inputs to outputs.

    Args:
        inputs: KerasTensors.
        outputs: KerasTensors that were computed from them.

    Attributes:
        nodes: the nodes, each after those that it depends on.
        operations: the operations, those farthest from the outputs first.

    Raises:
        ValueError: if an output cannot be computed from the inputs, or there is a cycle.
    """

    def __init__(self, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> None:
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        visited, rank = _walk(self.inputs, self.outputs)
        depths, levels = _depths(visited)
        for x in self.inputs:  # an input may be unused; losses may still want it
            node = producer(x)
            if node is not None and id(node.operation) not in levels:
                visited.append(node)
                rank[id(node.operation)] = -1
                depths[id(node)] = levels[id(node.operation)] = 0
        self.nodes = sorted(visited, key=lambda node: -depths[id(node)])
        distinct = {id(node.operation): node.operation for node in self.nodes}
        order = sorted(distinct, key=lambda key: (-levels[key], rank[key]))
        self.operations: list[Any] = [distinct[key] for key in order]
        self._places: dict[int, Place] = {}
        self.steps = self._plan()

    def _place(self, x: KerasTensor) -> Place:
        return self._places.setdefault(id(x), Place(len(self._places)))

    def _plan(self) -> list[Step]:
        for x in self.inputs:
            self._place(x)
        steps = []
        for node in self.nodes:
            if node.is_input or all(id(x) in self._places for x in node.outputs):
                continue
            args, kwargs = tree.map_structure(
                lambda x: self._place(x) if isinstance(x, KerasTensor) else x, (node.args, node.kwargs)
            )
            only = args[0] if len(args) == 1 and not kwargs and isinstance(args[0], Place) else None
            steps.append(Step(node.operation, only, args, kwargs, [self._place(x) for x in node.outputs]))
        return steps

    def places_of(self, tensors: Sequence[KerasTensor]) -> list[int]:
        """Where a run keeps the values of these tensors."""
        return [self._places[id(x)] for x in tensors]

    def step_outputs(self) -> list[list[KerasTensor]]:
        """What each step makes."""
        made: dict[int, KerasTensor] = {
            self._places[id(x)]: x for node in self.nodes for x in node.outputs if id(x) in self._places
        }
        return [[made[place] for place in step.outputs] for step in self.steps]

    def run(self, values: Sequence[Any], call: Callable[..., Any] | None = None) -> list[Any]:
        """The values of the outputs.

        Args:
            values: those of the inputs.
            call: `(operation, *args, **kwargs)`, what to do at each step; None: the operation is called.
        """
        known: list[Any] = [None] * len(self._places)
        for x, value in zip(self.inputs, values, strict=True):
            known[self._places[id(x)]] = value

        def fill(x: Any) -> Any:
            return known[x] if isinstance(x, Place) else x

        for operation, only, args, kwargs, outputs in self.steps:
            if only is not None:
                filled: tuple[Any, ...] = (known[only],)
            else:
                filled, kwargs = tree.map_structure(fill, (args, kwargs))
            result = operation(*filled, **kwargs) if call is None else call(operation, *filled, **kwargs)
            if len(outputs) == 1 and not isinstance(result, (list, tuple, dict)):
                known[outputs[0]] = result
            else:
                for place, value in zip(outputs, tree.flatten(result), strict=True):
                    known[place] = value
        return [known[self._places[id(x)]] for x in self.outputs]


def _walk(inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> tuple[list[Node], dict[int, int]]:
    """The nodes that the outputs depend on, dependencies first; and the order in which operations are met.

    The order is Keras's, because lists of layers and weights follow it: depth first from each output in turn,
    through the arguments from left to right. There is no recursion: graphs may be thousands of nodes deep.
    """
    ends = {id(x) for x in inputs}
    finished: dict[int, Node] = {}
    open_nodes: set[int] = set()
    rank: dict[int, int] = {}
    stack: list[tuple[Node, Iterator[KerasTensor]]] = []

    def enter(x: KerasTensor) -> None:
        node = producer(x)
        if node is None or (node.is_input and id(x) not in ends):
            where = f" of operation '{node.operation.name}'" if node is not None else ""
            path = " -> ".join([n.operation.name for n, _ in stack] or ["itself"])
            raise ValueError(
                f"Graph disconnected: {x!r}{where} is not among the `inputs`, nor computed from them, but an "
                f"output depends on it (from the output down: {path})."
            )
        if id(node) in open_nodes:
            raise ValueError(f"{x!r} of operation '{node.operation.name}' is part of a cycle.")
        if id(node) in finished:
            return
        rank.setdefault(id(node.operation), len(rank))
        open_nodes.add(id(node))
        stack.append((node, iter(() if id(x) in ends else node.arguments)))

    for output in outputs:
        enter(output)
        while stack:
            node, rest = stack[-1]
            argument = next(rest, None)
            if argument is not None:
                enter(argument)
                continue
            stack.pop()
            open_nodes.discard(id(node))
            finished[id(node)] = node
    return list(finished.values()), rank


def _depths(visited: Sequence[Node]) -> tuple[dict[int, int], dict[int, int]]:
    """How far nodes and operations are from the outputs: 0, or one more than the farthest that uses them.

    An operation is as far as the farthest of its nodes, and the nodes visited later are at least as far as
    those of the same operation before.
    """
    depths: dict[int, int] = {}
    levels: dict[int, int] = {}
    known = {id(node) for node in visited}
    for node in reversed(visited):
        operation = id(node.operation)
        depth = max(depths.get(id(node), 0), levels.get(operation, 0))
        depths[id(node)] = levels[operation] = depth
        for parent in node.parents:
            if id(parent) in known:
                depths[id(parent)] = max(depths.get(id(parent), 0), depth + 1)
    return depths, levels


class Function(Operation):
    """The computation between KerasTensors, as one operation.

    Args:
        inputs: a KerasTensor, or a nest of them.
        outputs: a KerasTensor or a nest of them, computed from the inputs.
        name: a name.

    Raises:
        ValueError: if an output does not depend on the inputs only, or there is a cycle.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._rv_inputs_struct = inputs
        self._rv_outputs_struct = outputs
        self.graph = Graph(tree.flatten(inputs), tree.flatten(outputs))

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat."""
        return list(self.graph.outputs)

    @property
    def operations(self) -> list[Any]:
        """The operations, those farthest from the outputs first."""
        return list(self.graph.operations)

    def get_layer(self, name: str) -> Any:
        """The operation of that name.

        Raises:
            ValueError: if there is none.
        """
        for operation in self.graph.operations:
            if operation.name == name:
                return operation
        raise ValueError(f"No such operation: {name}.")

    def call(self, inputs: Any) -> Any:
        """The outputs for these inputs."""
        return tree.pack_sequence_as(self._rv_outputs_struct, self.graph.run(tree.flatten(inputs)))
