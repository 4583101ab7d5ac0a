"""Block: a part of a trace that is differentiated by itself: what it takes from before counts as constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        self._assigned = trace.assigned()
        self._around = tuple(trace.blocks)
        self._entries: dict[Any, Node] = {}  # what stands inside, by a node's id or a variable

    @property
    def ends(self) -> list[int]:
        """The nodes at which derivatives end."""
        return [node[0] for node in self._entries.values()]

    def forget(self) -> None:
        """Lets go of what only derivatives need."""
        self._values = {}

    def enter(self, node: Node) -> Node:
        """What stands inside for a tensor of the time before, given its node."""
        if self._trace.graph.producer(node[0])[0] in ("input", "variable"):
            return node  # nothing is behind it, and no other value is the same node, as with constants
        return self._enter(node[0], node)

    def enter_variable(self, variable: Variable, now: Node, node: Node) -> Node:
        """What stands inside for a variable, if it is what it was before.

        Args:
            variable: the variable.
            now: its value.
            node: what stands for it in the blocks around this one.
        """
        if id(variable) not in self._assigned or self._values.get(id(variable)) != now:
            return node
        return self._enter(variable, node)  # by variable: several may have been assigned one value

    def _enter(self, key: Any, node: Node) -> Node:
        if key not in self._entries:
            self._entries[key] = self._trace.distinct(Tensor(self._trace, node)).node
        return self._entries[key]

    def inside(self, tensor: Tensor) -> Tensor:
        """What stood inside for a tensor; itself if it was computed there, or not used."""
        node = tensor.node
        is_constant = self._trace.graph.producer(node[0])[0] == "constant"
        for block in (*self._around, self):
            if tensor.born < block.began:
                node = block.enter(node) if is_constant else block._entries.get(node[0], node)
        return Tensor(self._trace, node)

    def variable(self, variable: Variable) -> Tensor:
        """What the variable was at the beginning, as it stood inside."""
        now = node = self._trace.read_as_of(variable, self._values).node
        for block in (*self._around, self):
            node = block.enter_variable(variable, now, node)
        return Tensor(self._trace, node)
