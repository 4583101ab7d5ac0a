"""Trace: records what ops do, so that it can be differentiated, compiled and run natively."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ranvier import _core
from ranvier.core import unknown_size
from ranvier.core.block import Block
from ranvier.core.context import context
from ranvier.core.dtypes import as_array
from ranvier.core.tensor import Node, Tensor
from ranvier.core.user_code import user_line

if TYPE_CHECKING:
    from ranvier.core.variable import Variable

T = TypeVar("T", bound="Trace")


def current_trace() -> Trace | None:
    """The innermost open trace of this thread; None outside of all."""
    stack = context.traces
    return stack[-1] if stack else None


@contextlib.contextmanager
def no_trace() -> Iterator[None]:
    """Inside, ops run at once even if a trace is open around it."""
    stack = context.traces
    stack.append(None)
    try:
        yield
    finally:
        stack.pop()


@contextlib.contextmanager
def variables_allowed(but_not: bool = False) -> Iterator[None]:
    """Inside, variables may be made although a trace is open: what is built on its first call needs it.

    Args:
        but_not: turns it around: inside, they may not be made whatever is built there.
    """
    outer = context.may_build
    context.may_build = None if but_not or outer is None else True
    try:
        yield
    finally:
        context.may_build = outer


def in_a_step() -> bool:
    """Whether a step is being traced, and what runs is no `build` in it."""
    trace = current_trace()
    return trace is not None and not trace.is_eager and not context.may_build


def check_new_variable(what: str) -> None:
    """Refuses a variable that is made while a step is traced, outside of any `build`.

    Args:
        what: what the message calls it.

    Raises:
        ValueError: in an open trace that is compiled later.
    """
    if in_a_step():
        raise ValueError(
            f"{user_line()}: {what} was made while a step is traced. A step is traced once and runs often; "
            "variables must be there before: make them in `__init__` or `build`, or outside of the function."
        )


def holds(premises: list[tuple[Any, str, Any]]) -> bool:
    """Whether the attributes that a trace presumed are what they were."""
    return all(getattr(owner, name) is value for owner, name, value in premises)


def trace_of(x: Tensor) -> Trace:
    """The trace that a tensor adds operations to where none is open: its own, if its tensors have numbers.

    Raises:
        ValueError: if the tensor is of a step that was traced before.
    """
    if not x.trace.is_eager:
        raise _kept_too_long(x)
    return x.trace


def _kept_too_long(x: Tensor) -> ValueError:
    return ValueError(
        f"{user_line()}: {x!r} was made in another trace: a traced value cannot be kept and used after its "
        "step."
    )


class Trace:
    """A graph in the making.

    While it is open (`with Trace() as trace:`), ops on its tensors and on variables add nodes to it.
    Assignments are recorded: later reads in the trace see the new value, and the compiled program writes it.
    """

    is_eager = False
    stand_in: int | None = None  # the size of unknown dimensions, where a function is traced for its shapes

    def __init__(self) -> None:
        self.graph = _core.Graph()
        self.blocks: list[Block] = []  # that are open, outermost first
        self.clock = 0  # how many blocks were begun
        self.premises: list[tuple[Any, str, Any]] = []  # see `presume`
        # By id(variable): what a read gives now. Nodes, not tensors: a tensor holds its trace.
        self._values: dict[int, Node] = {}
        self._written: dict[int, Variable] = {}
        self._kept: list[Any] = []  # variables named by id above
        self._stored = False

    def __enter__(self: T) -> T:
        context.traces.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        context.traces.pop()

    def input(self, shape: Sequence[int], dtype: str = "float32", name: str | None = None) -> Tensor:
        """A value that the program takes each time it runs, in the order of these calls.

        Args:
            shape: a static shape.
            dtype: a dtype name.
            name: for people; not used.
        """
        del name
        return Tensor(self, self.graph.input(dtype, list(shape)))

    def constant(self, value: Any) -> Tensor:
        """A value that never changes.

        Args:
            value: anything `as_array` takes.
        """
        return Tensor(self, self.graph.constant(as_array(value)))

    def tensor(self, x: Any) -> Tensor:
        """x as a Tensor of this trace: itself, a variable's current value, or a constant.

        Raises:
            ValueError: if x belongs to another trace.
        """
        if isinstance(x, Tensor):
            if x.trace is not self:
                raise _kept_too_long(x)
            return self._entered(x) if self.blocks and x.born < self.blocks[-1].began else x
        if hasattr(x, "storage"):
            return self.read(x)
        return self.constant(x)

    def emit(self, op: str, inputs: Sequence[Any], attributes: dict[str, Any]) -> Tensor:
        """Adds an operation.

        Args:
            op: its name.
            inputs: what `tensor` takes.
            attributes: its attributes.
        """
        tensors = [self.tensor(x) for x in inputs]
        if self.stand_in is not None:
            return unknown_size.add(self, op, tensors, attributes)
        return self.add(op, tensors, attributes)

    def add(self, op: str, tensors: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
        """Adds an operation on tensors of this trace."""
        return Tensor(self, self.graph.emit(op, [x.id for x in tensors], attributes))

    def items(self, node: Tensor, count: int) -> list[Tensor]:
        """The first outputs of a branch or a loop.

        Args:
            node: what `emit` gave for it.
            count: how many.
        """
        return [Tensor(self, item) for item in self.graph.items(node.id, count)]

    def number(self, tensor: Tensor) -> np.ndarray | None:
        """The tensor's value; None, for it has none before the program runs."""
        del tensor
        return None

    def distinct(self, x: Any) -> Tensor:
        """x as a tensor that no other value shares, so that derivatives can be taken by it alone."""
        return self.emit("identity", [x], {"tag": len(self.graph)})

    def _entered(self, x: Tensor) -> Tensor:
        """What stands for a tensor in the blocks that were begun since."""
        node = x.node
        for block in self.blocks:
            if x.born < block.began:
                node = block.enter(node)
        return Tensor(self, node)

    def read(self, variable: Variable) -> Tensor:
        """The variable's value at this point of the trace."""
        now = node = self._now(variable)
        for block in self.blocks:
            node = block.enter_variable(variable, now, node)
        return Tensor(self, node)

    def _now(self, variable: Variable) -> Node:
        node = self._values.get(id(variable))
        if node is None:
            node = self._values[id(variable)] = self.graph.variable(variable.storage)
            self._kept.append(variable)
        return node

    def assigned(self) -> set[int]:
        """The ids of the variables that were assigned."""
        return set(self._written)

    def presume(self, owner: Any, name: str) -> None:
        """Notes that what is traced holds as long as an attribute is what it is now.

        Args:
            owner: an object that is not replaced.
            name: the attribute's name.
        """
        self.premises.append((owner, name, getattr(owner, name)))

    def values(self) -> dict[int, Node]:
        """What the variables that were read or written are now, by id; for `read_as_of`."""
        return dict(self._values)

    def read_as_of(self, variable: Variable, values: dict[int, Node]) -> Tensor:
        """The variable's value at the time when `values()` gave `values`."""
        node = values.get(id(variable))
        return Tensor(self, node if node is not None else self._first(variable))

    def _first(self, variable: Variable) -> Node:
        """The variable's value before the first assignment."""
        self._kept.append(variable)
        return self.graph.variable(variable.storage)

    def write(self, variable: Variable, value: Any) -> None:
        """Records that the variable takes `value`, of its own shape and dtype.

        Raises:
            RuntimeError: if the trace was compiled already.
        """
        if self._stored:
            raise RuntimeError("A trace that was compiled cannot assign to variables any more.")
        self._values[id(variable)] = self.tensor(value).node
        self._written[id(variable)] = variable
        self._kept.append(variable)

    def gradients(
        self, target: Any, sources: Sequence[Any], output_gradient: Any = None, ends: Sequence[int] = ()
    ) -> list[Tensor | None]:
        """Derivatives of the sum of `target`'s elements.

        Args:
            target: a float tensor of this trace, or a list of such, whose sums are added up.
            sources: tensors of this trace, or variables (their current values).
            output_gradient: a tensor of target's shape: the derivative to start from; a list for a list. Ones
                by default.
            ends: the ids of nodes that count as constants, unless they are sources.

        Returns:
            For each source a tensor of its shape, or None where `target` has no differentiable path to it.
        """
        targets = target if isinstance(target, (list, tuple)) else [target]
        starts = output_gradient if isinstance(output_gradient, (list, tuple)) else [output_gradient]
        seeds = [-1 if start is None else self.tensor(start).id for start in starts]
        ys, xs = ([self._exactly(x).id for x in nest] for nest in (targets, sources))
        found = self.graph.gradients(ys, xs, seeds if output_gradient is not None else [], list(ends))
        return [None if node is None else Tensor(self, node) for node in found]

    def _exactly(self, x: Any) -> Tensor:
        return x if isinstance(x, Tensor) and x.trace is self else self.tensor(x)

    def compile(self, outputs: Sequence[Any], fuse: bool = True, name: str = "") -> _core.Program:
        """The native program of this trace: takes the inputs, writes assigned variables, gives `outputs`.

        Args:
            outputs: tensors (or arrays, which come out unchanged).
            fuse: False runs each op as a step of its own, with the same results.
            name: what profiles call it.
        """
        ids = [self.tensor(output).id for output in outputs]
        if not self._stored:
            for key, variable in self._written.items():
                self.graph.store(variable.storage, self._values[key][0])
            self._stored = True
        return _core.Program(self.graph, ids, fuse, name)
