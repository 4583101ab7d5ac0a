"""EagerTrace: a trace in which every operation is computed at once, so that tensors have numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ranvier import _core
from ranvier.core.context import context
from ranvier.core.dtypes import as_array
from ranvier.core.tensor import Node, Tensor
from ranvier.core.trace import Trace

if TYPE_CHECKING:
    from ranvier.core.variable import Variable


# They have several outputs, each an "item": see `EagerTrace._run`.
_CONTROL = frozenset(("branch", "loop", "while_loop"))
_SAME_VALUE = frozenset(("identity", "stop_gradient", "custom_gradient"))


@contextlib.contextmanager
def eager_placeholders(allowed: bool) -> Iterator[None]:
    """Inside, if `allowed`, code that is traced for its shapes alone may look at numbers, which are ones."""
    outer = placeholders_may_be_eager()
    context.numbers_in_placeholders = allowed
    try:
        yield
    finally:
        context.numbers_in_placeholders = outer


def placeholders_may_be_eager() -> bool:
    """Whether `eager_placeholders` allows it."""
    return context.numbers_in_placeholders


class EagerTrace(Trace):
    """A trace whose nodes are evaluated as they are added, by the kernels that a program would run.

    Gradients are nodes like any other, appended by the same pass and then evaluated. Variables are written
    at once. It serves debugging (`run_eagerly=True`) and gradient tapes outside of any trace. The numbers
    are kept as long as the trace or a tensor of it is.
    """

    is_eager = True

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[int, np.ndarray] = {}
        self._firsts: dict[int, Node] = {}  # by id(variable): its first value

    def add(self, op: str, tensors: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
        result = super().add(op, tensors, attributes)
        if op in _CONTROL:
            return result
        if result.id not in self._numbers:
            if op in _SAME_VALUE:
                self._numbers[result.id] = self._numbers[tensors[0].id]
                return result
            self._numbers[result.id] = _core.eager(op, [self._numbers[t.id] for t in tensors], attributes)
        return result

    def items(self, node: Tensor, count: int) -> list[Tensor]:
        items = super().items(node, count)
        self._run(node.id, [item.id for item in items])
        return items

    def _run(self, control: int, items: list[int]) -> None:
        """Computes outputs of a branch or loop, whose bodies are programs here too."""
        name, _, attributes, _ = self.graph.operation(control)
        given = self.graph.producer(control)[1]
        graph = _core.Graph()
        node = graph.emit(name, [graph.input(dtype, shape)[0] for _, dtype, shape in given], attributes)
        places = [self.graph.operation(item)[2]["index"] for item in items]
        outputs = graph.items(node[0], max(places, default=-1) + 1)
        program = _core.Program(graph, [outputs[place][0] for place in places], name="single operations")
        results = program.run([self._numbers[i] for i, _, _ in given])
        self._numbers.update(zip(items, results, strict=True))

    def number(self, tensor: Tensor) -> np.ndarray:
        return self._numbers[tensor.id]

    def tensor(self, x: Any) -> Tensor:
        if isinstance(x, Tensor) and x.trace is not self and x.trace.is_eager:
            return self.constant(x.numpy())  # what another step has computed is a number for this one
        return super().tensor(x)

    def input(self, shape: Sequence[int], dtype: str = "float32", name: str | None = None) -> Tensor:
        del name
        return self.leaf(np.ones(tuple(shape), dtype))

    def leaf(self, value: Any) -> Tensor:
        """A value of its own: unlike constants, equal ones are not the same tensor.

        Args:
            value: anything `as_array` takes.
        """
        array = as_array(value)
        result = Tensor(self, self.graph.input(array.dtype.name, list(array.shape)))
        self._numbers[result.id] = array.copy()
        return result

    def constant(self, value: Any) -> Tensor:
        array = as_array(value)
        result = Tensor(self, self.graph.constant(array))
        self._numbers.setdefault(result.id, array.copy())
        return result

    def _now(self, variable: Variable) -> Node:
        node = self._values.get(id(variable))
        # A native program, or code after the trace, may have written the variable since.
        if node is None or not _same(self._numbers[node[0]], variable._array):
            node = self._values[id(variable)] = self.leaf(variable._array).node
            self._firsts.setdefault(id(variable), node)
            self._kept.append(variable)
        return node

    def _first(self, variable: Variable) -> Node:
        if id(variable) not in self._firsts:
            self._now(variable)
        return self._firsts[id(variable)]

    def write(self, variable: Variable, value: Any) -> None:
        self._first(variable)
        super().write(variable, value)
        variable._array[...] = self._numbers[self._values[id(variable)][0]]

    def gradients(
        self, target: Any, sources: Sequence[Any], output_gradient: Any = None, ends: Sequence[int] = ()
    ) -> list[Tensor | None]:
        found = super().gradients(target, sources, output_gradient, ends)
        self._evaluate([t.id for t in found if t is not None])
        return found

    def _evaluate(self, wanted: list[int]) -> None:
        """Computes nodes that autodiff added, and what they need."""
        inputs: dict[int, list[int]] = {}
        while wanted:
            node = wanted.pop()
            if node not in self._numbers and node not in inputs:
                inputs[node] = [i for i, _, _ in self.graph.producer(node)[1]]
                wanted.extend(inputs[node])
        for node in sorted(inputs):  # a node's inputs come before it
            name, sources = self.graph.producer(node)
            if name in _CONTROL or node in self._numbers:
                continue
            if name == "item":
                control = sources[0][0]
                self._run(control, [item for item, of in inputs.items() if of == [control]])
                continue
            arrays = [self._numbers[i] for i in inputs[node]]
            self._numbers[node] = _core.evaluate(self.graph, node, arrays)

    def compile(self, outputs: Sequence[Any], fuse: bool = True, name: str = "") -> _core.Program:
        raise RuntimeError("An eager trace has run already; it cannot be compiled.")


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
