"""StatelessScope: code that reads and assigns variables, run as a function of their values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ranvier.core.context import context
from ranvier.core.dtypes import as_array
from ranvier.core.tensor import Tensor

if TYPE_CHECKING:
    from ranvier.core.variable import Variable


def current_stateless_scope() -> StatelessScope | None:
    """The innermost open scope of this thread; None outside of all."""
    stack = context.stateless_scopes
    return stack[-1] if stack else None


@contextlib.contextmanager
def no_stateless_scope() -> Iterator[None]:
    """Inside, variables are read and assigned as if no scope were open around it."""
    stack = context.stateless_scopes
    stack.append(None)
    try:
        yield
    finally:
        stack.pop()


class StatelessScope:
    """Inside, variables have the values given here, and assigning them changes those values only.

    Args:
        state_mapping: pairs of a variable and its value (a tensor or an array of its shape).
        collect_losses: whether `add_loss` keeps what it is given, in `losses`.
        initialize_variables: accepted as in Keras; variables are never made inside, nor later.

    Attributes:
        state_mapping: the values by the variables' ids.
        losses: what was added.

    Raises:
        ValueError: for a key that is no variable, and a value of another shape.

    Example:
        ```python
        with rv.StatelessScope([(v, new_value)]) as scope:
            v.assign_add(1.0)
        scope.get_current_value(v)  # new_value + 1; v itself is unchanged
        ```
    """

    may_make_variables = False

    def __init__(
        self,
        state_mapping: Iterable[tuple[Any, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[int, Any] = {}
        self._kept: list[Any] = []  # variables named by id above
        for variable, value in state_mapping or ():
            if not (hasattr(variable, "storage") and hasattr(variable, "assign")):
                raise ValueError(
                    "Invalid reference variable in StatelessScope: all keys in argument `mapping` must be "
                    f"Variable instances. Received instead: {variable}"
                )
            if hasattr(value, "storage"):
                value = value.value
            if not isinstance(value, Tensor):
                value = as_array(value, variable.dtype)
            if tuple(value.shape) != variable.shape:
                raise ValueError(
                    "Invalid variable value in StatelessScope: all values in argument `mapping` must be "
                    "tensors with a shape that matches the corresponding variable shape. For variable "
                    f"{variable.path} of shape {variable.shape}, received a value of shape "
                    f"{tuple(value.shape)}."
                )
            self.add_update((variable, value))

    def __enter__(self) -> StatelessScope:
        context.stateless_scopes.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        context.stateless_scopes.pop()

    def add_loss(self, loss: Any) -> None:
        """Keeps a loss."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Gives a variable a value.

        Args:
            update: the variable and the value.
        """
        variable, value = update
        self.state_mapping[id(variable)] = value
        self._kept.append(variable)

    def get_current_value(self, variable: Variable) -> Any:
        """The value that a variable has at the end; None if it was neither given nor assigned."""
        return self.state_mapping.get(id(variable))


class StagedAssignments(StatelessScope):
    """Inside, assignments are checked and kept; `commit` carries them out. Variables may be made."""

    may_make_variables = True

    def commit(self) -> None:
        """Assigns the values, outside of the scope. None of it can be refused any more."""
        for variable in {id(variable): variable for variable in self._kept}.values():
            variable.assign(self.get_current_value(variable))


def assign_all(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Assigns all of the values or, if a variable refuses its own, none.

    Args:
        pairs: pairs of a variable and its value.

    Raises:
        ValueError: for a value of another shape.
        TypeError: for a value that is no number.
    """
    assignments = StagedAssignments()
    with assignments:
        for variable, value in pairs:
            variable.assign(value)
    assignments.commit()


def stateless_value(variable: Variable) -> Any:
    """What the open scope says of a variable; None where it says nothing."""
    scope = current_stateless_scope()
    return None if scope is None else scope.get_current_value(variable)


def with_values(variables: list[Any], values: Any, what: str) -> StatelessScope:
    """The scope in which variables have these values.

    Args:
        variables: the variables.
        values: one for each.
        what: the argument's name and what it belongs to, for the message.

    Raises:
        ValueError: if the numbers differ, or a shape does not fit.
    """
    values = list(values)
    if len(values) != len(variables):
        raise ValueError(
            f"Argument{what} must be a list of tensors, one for each variable. Received {len(values)} for "
            f"{len(variables)} variables."
        )
    return StatelessScope(zip(variables, values, strict=True))


def values_in(scope: StatelessScope, variables: list[Any]) -> list[Any]:
    """What the variables are at the end of a scope."""
    found = [scope.get_current_value(variable) for variable in variables]
    return [v.value if x is None else x for x, v in zip(found, variables, strict=True)]
