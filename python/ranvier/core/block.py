"""Block: a part of a trace that is differentiated by itself: what it takes from before counts as constant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ranvier.core.tensor import Node, Tensor

if TYPE_CHECKING:
    from ranvier.core.trace import Trace
    from ranvier.core.variable import Variable


class Block:
    """What a gradient tape records.

    A trace merges equal computations, so that a node does not tell whether it was computed inside. What is
    used inside of the time before therefore goes through a node of its own, at which this block's derivatives
    end and those of blocks around it do not. The compiler drops these nodes.

    Args:
        trace: the trace; the block begins now.

    Attributes:
        began: the trace's clock at the beginning.
    """

    def __init__(self, trace: Trace) -> None:
        trace.clock += 1
        self.began = trace.clock
        self._trace = trace
        self._values = trace.values()
        self._around = tuple(trace.blocks)
        self._entries: dict[int, Node] = {}  # by id: what stands inside for a node of the time before

    @property
    def ends(self) -> list[int]:
        """The nodes at which derivatives end."""
        return [node[0] for node in self._entries.values()]

    def forget(self) -> None:
        """Lets go of what only derivatives need."""
        self._values = {}

    def enter(self, node: Node) -> Node:
        """What stands inside for a node that was computed before: another one, unless it was not computed."""
        if node[0] in self._entries:
            return self._entries[node[0]]
        trace = self._trace
        if not trace.graph.producer(node[0])[1]:
            return node  # an input, a constant or a variable: there is nothing behind it
        entry = trace.emit("identity", [Tensor(trace, node)], {"tag": -self.began}).node
        self._entries[node[0]] = entry
        return entry

    def has_before(self, variable: Variable, node: Node) -> bool:
        """Whether this is what the variable was before the block."""
        return self._values.get(id(variable)) == node

    def inside(self, tensor: Tensor) -> Tensor:
        """What stood inside for a tensor; itself if it was computed there, or not used."""
        node = tensor.node
        for block in (*self._around, self):
            if tensor.born < block.began:
                node = block._entries.get(node[0], node)
        return Tensor(self._trace, node)

    def variable(self, variable: Variable) -> Tensor:
        """What the variable was at the beginning, as it stood inside."""
        before = self._trace.read_as_of(variable, self._values).node
        node = before
        for block in (*self._around, self):
            if block.has_before(variable, before):
                node = block._entries.get(node[0], node)
        return Tensor(self._trace, node)
