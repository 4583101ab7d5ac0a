"""BodyTrace: a trace inside a trace, of a function that control flow runs (a loop's body, a branch's arm)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ranvier import _core
from ranvier.core.stateless_scope import current_stateless_scope, no_stateless_scope
from ranvier.core.tensor import Node, Tensor
from ranvier.core.trace import Trace

if TYPE_CHECKING:
    from ranvier.core.variable import Variable

Key = tuple[str, int]
T = TypeVar("T", bound="BodyTrace")


class BodyTrace(Trace):
    """What a function computes from its arguments and from what it takes from around it.

    Tensors of the trace around it and variables become inputs, so the graph is a pure function. Variables
    that are assigned have their new value as an output; who opened the trace assigns it outside.

    Args:
        parent: the trace around it.

    Attributes:
        captured: what came from outside, by key: a tensor of the parent.
        variables: the variables among them, by key.
        losses: what layers add, as pairs of the `add_loss` to call outside and the loss; None: that is
            refused.
    """

    def __init__(self, parent: Trace) -> None:
        super().__init__()
        self.parent = parent
        self.premises = parent.premises
        self.stand_in = parent.stand_in
        self.captured: dict[Key, Tensor] = {}
        self.variables: dict[Key, Variable] = {}
        self.losses: list[tuple[Callable[[Any], None], Any]] | None = None
        self._inputs: dict[Key, Tensor] = {}
        self._scope = current_stateless_scope()
        self._suspended = no_stateless_scope()

    def __enter__(self: T) -> T:
        self._suspended.__enter__()  # the body has variables of its own: its inputs and outputs
        return super().__enter__()

    def __exit__(self, *exc_info: Any) -> None:
        super().__exit__(*exc_info)
        self._suspended.__exit__(*exc_info)

    def tensor(self, x: Any) -> Tensor:
        if isinstance(x, Tensor) and x.trace is not self:
            outer = self.parent.tensor(x)
            return self._capture(("tensor", outer.id), outer)
        return super().tensor(x)

    def _capture(self, key: Key, outer: Tensor) -> Tensor:
        if key not in self._inputs:
            self.captured[key] = outer
            self._inputs[key] = self.input(outer.shape, outer.dtype)
        return self._inputs[key]

    def _now(self, variable: Variable) -> Node:
        if id(variable) not in self._values:
            self._values[id(variable)] = self._first(variable)
        return self._values[id(variable)]

    def _first(self, variable: Variable) -> Node:
        key = ("variable", id(variable))
        self.variables[key] = variable
        given = None if self._scope is None else self._scope.get_current_value(variable)
        outer = self.parent.read(variable) if given is None else self.parent.tensor(given)
        return self._capture(key, outer).node

    def write(self, variable: Variable, value: Any) -> None:
        self._first(variable)
        super().write(variable, value)

    def written(self) -> list[Key]:
        """The keys of the variables that are assigned."""
        return [("variable", id(variable)) for variable in self._written.values()]

    def assign_outside(self, key: Key, value: Tensor) -> None:
        """Gives a variable that the body assigned its value in the trace around it.

        Args:
            key: the variable's key.
            value: a tensor of the parent.
        """
        variable = self.variables[key]
        if self._scope is None:
            self.parent.write(variable, value)
        else:
            self._scope.add_update((variable, value))

    def inputs_for(self, captured: dict[Key, Tensor]) -> list[int]:
        """The inputs that stand for these values from outside, in this order; new ones for those not used."""
        return [self._capture(key, outer).id for key, outer in captured.items()]

    def body(self, inputs: Sequence[int], outputs: Sequence[Any]) -> _core.Body:
        """The function.

        Args:
            inputs: the ids of its inputs, in their order.
            outputs: what it returns.
        """
        return _core.Body(self.graph, inputs, [self.tensor(output).id for output in outputs])

    def compile(self, outputs: Sequence[Any], fuse: bool = True, name: str = "") -> _core.Program:
        raise RuntimeError("The body of a loop or branch is compiled with what is around it.")
