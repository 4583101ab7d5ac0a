"""Python's operators for tensors and variables.

The operators are ops, and ops are a room above this one: `ranvier.ops` hands its functions in with `bind` when it
is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_BINARY = (
    "add",
    "subtract",
    "multiply",
    "true_divide",
    "floor_divide",
    "mod",
    "power",
    "matmul",
)
_COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "ne": "not_equal"}
_DUNDERS = {"subtract": "sub", "multiply": "mul", "true_divide": "truediv", "floor_divide": "floordiv", "power": "pow"}
_LOGICAL = {"and": "logical_and", "or": "logical_or", "xor": "logical_xor"}

_functions: dict[str, Callable[..., Any]] = {}


def bind(functions: dict[str, Callable[..., Any]]) -> None:
    """Gives the operators their meaning: op name -> function."""
    _functions.update(functions)


class Operators:
    """The operators of a tensor-like value, each one op. NumPy arrays on the left give way to it."""

    __array_priority__ = 1000
    __array_ufunc__ = None  # so that `array + tensor` asks the tensor

    def __neg__(self) -> Any:
        return _functions["negative"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return _functions["absolute"](self)

    def __invert__(self) -> Any:
        return _functions["logical_not"](self)

    def __getitem__(self, key: Any) -> Any:
        return _functions["getitem"](self, key)

    def __eq__(self, other: object) -> Any:
        return _functions["equal"](self, other)

    def __hash__(self) -> int:
        return id(self)


def _forward(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: _functions[op](self, other)


def _backward(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: _functions[op](other, self)


for _op in _BINARY:
    _name = _DUNDERS.get(_op, _op)
    setattr(Operators, f"__{_name}__", _forward(_op))
    setattr(Operators, f"__r{_name}__", _backward(_op))
for _name, _op in _LOGICAL.items():
    setattr(Operators, f"__{_name}__", _forward(_op))
    setattr(Operators, f"__r{_name}__", _backward(_op))
for _name, _op in _COMPARISONS.items():
    setattr(Operators, f"__{_name}__", _forward(_op))
