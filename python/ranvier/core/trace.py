"""Trace: records what ops do, so that it can be differentiated, compiled and run natively."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ranvier import _core
from ranvier.core.dtypes import as_array
from ranvier.core.tensor import Tensor

if TYPE_CHECKING:
    from ranvier.core.variable import Variable

_local = threading.local()


def current_trace() -> Trace | None:
    """The innermost open trace of this thread; None outside of all."""
    stack = _local.__dict__.get("traces")
    return stack[-1] if stack else None


@contextlib.contextmanager
def no_trace() -> Iterator[None]:
    """Inside, ops run at once even if a trace is open around it."""
    stack = _local.__dict__.setdefault("traces", [])
    stack.append(None)
    try:
        yield
    finally:
        stack.pop()


class Trace:
    """A graph in the making.

    While it is open (`with Trace() as trace:`), ops on its tensors and on variables add nodes to it.
    Assignments are recorded: later reads in the trace see the new value, and the compiled program writes it.
    """

    def __init__(self) -> None:
        self.graph = _core.Graph()
        self._values: dict[int, Tensor] = {}  # by id(variable): what a read gives now
        self._written: dict[int, Variable] = {}
        self._kept: list[Any] = []  # variables named by id above
        self._stored = False

    def __enter__(self) -> Trace:
        _local.__dict__.setdefault("traces", []).append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _local.traces.pop()

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
                raise ValueError(
                    f"{x!r} was made in another trace: a traced value cannot be kept and used after its step."
                )
            return x
        if hasattr(x, "storage"):
            return self.read(x)
        return self.constant(x)

    def read(self, variable: Variable) -> Tensor:
        """The variable's value at this point of the trace."""
        tensor = self._values.get(id(variable))
        if tensor is None:
            tensor = Tensor(self, self.graph.variable(variable.storage))
            self._values[id(variable)] = tensor
            self._kept.append(variable)
        return tensor

    def write(self, variable: Variable, value: Any) -> None:
        """Records that the variable takes `value`, of its own shape and dtype.

        Raises:
            RuntimeError: if the trace was compiled already.
        """
        if self._stored:
            raise RuntimeError("A trace that was compiled cannot assign to variables any more.")
        self._values[id(variable)] = self.tensor(value)
        self._written[id(variable)] = variable
        self._kept.append(variable)

    def gradients(
        self, target: Any, sources: Sequence[Any], output_gradient: Any = None
    ) -> list[Tensor | None]:
        """Derivatives of the sum of `target`'s elements.

        Args:
            target: a float tensor of this trace.
            sources: tensors of this trace, or variables (their current values).
            output_gradient: a tensor of target's shape: the derivative to start from. Ones by default.

        Returns:
            For each source a tensor of its shape, or None where `target` has no differentiable path to it.
        """
        seed = -1 if output_gradient is None else self.tensor(output_gradient).id
        ids = [self.tensor(source).id for source in sources]
        found = self.graph.gradients(self.tensor(target).id, ids, seed)
        return [None if node is None else Tensor(self, node) for node in found]

    def compile(self, outputs: Sequence[Any], fuse: bool = True) -> _core.Program:
        """The native program of this trace: takes the inputs, writes assigned variables, gives `outputs`.

        Args:
            outputs: tensors (or arrays, which come out unchanged).
            fuse: False runs each op as a step of its own, with the same results.
        """
        ids = [self.tensor(output).id for output in outputs]
        if not self._stored:
            for key, variable in self._written.items():
                self.graph.store(variable.storage, self._values[key].id)
            self._stored = True
        return _core.Program(self.graph, ids, fuse)
