"""Python's operators for tensors and variables.

The operators are ops, and ops are a room above this one: `ranvier.ops` hands its functions in with `bind`
when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from ranvier.core.user_code import ShortErrors, short_traceback, user_line

_functions: dict[str, Callable[..., Any]] = {}


def bind(functions: dict[str, Callable[..., Any]]) -> None:
    """Gives the operators their meaning: op name -> function."""
    _functions.update(functions)


def function(name: str) -> Callable[..., Any]:
    """The function that an operator calls."""
    return _functions[name]


# NumPy's name of an operator: (the method of the left operand, that of the right one)
_OF_NUMPY = {
    ufunc: (f"__{name}__", f"__r{name}__")
    for ufunc, name in (
        ("add", "add"),
        ("subtract", "sub"),
        ("multiply", "mul"),
        ("divide", "truediv"),
        ("floor_divide", "floordiv"),
        ("remainder", "mod"),
        ("power", "pow"),
        ("matmul", "matmul"),
        ("bitwise_and", "and"),
        ("bitwise_or", "or"),
        ("bitwise_xor", "xor"),
        ("left_shift", "lshift"),
        ("right_shift", "rshift"),
    )
} | {
    "equal": ("__eq__", "__eq__"),
    "not_equal": ("__ne__", "__ne__"),
    "less": ("__lt__", "__gt__"),
    "less_equal": ("__le__", "__ge__"),
    "greater": ("__gt__", "__lt__"),
    "greater_equal": ("__ge__", "__le__"),
}


class Operators(ShortErrors):
    """The operators of a tensor-like value, each one op. NumPy arrays on the left give way to it.

    `&`, `|` and `^` are the logical ones here, as Keras has them for variables and symbolic tensors.
    """

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`array + tensor` asks the tensor, as does `array += tensor`, which gives the name a new value.

        NumPy's other functions get its numbers, if it has any.
        """
        in_place = set(kwargs) == {"out"} and kwargs["out"][0] is inputs[0]
        if ufunc.__name__ in _OF_NUMPY and method == "__call__" and (in_place or not kwargs):
            left, right = _OF_NUMPY[ufunc.__name__]
            a, b = inputs
            own, name, other = (a, left, b) if isinstance(a, Operators) else (b, right, a)
            value = getattr(own, name)(other) if hasattr(own, name) else None
            if value is not None and (not in_place or isinstance(value, Operators)):
                return value
        arrays = [np.asarray(x) if isinstance(x, Operators) else x for x in inputs]
        return getattr(ufunc, method)(*arrays, **kwargs)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"{user_line()}: '{type(self).__name__}' object does not support item assignment. Use "
            "`ops.slice_update`, `ops.scatter_update` or `ops.where`, which return a new tensor."
        )

    def __neg__(self) -> Any:
        return _functions["negative"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return _functions["absolute"](self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return _functions["round"](self, ndigits or 0)

    def __invert__(self) -> Any:
        return _functions["bitwise_not"](self)

    def __getitem__(self, key: Any) -> Any:
        return _functions["getitem"](self, key)

    def __hash__(self) -> int:
        return id(self)

    def __add__(self, other: Any) -> Any:
        return _functions["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return _functions["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return _functions["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return _functions["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return _functions["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return _functions["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return _functions["true_divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _functions["true_divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _functions["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _functions["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return _functions["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return _functions["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return _functions["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return _functions["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return _functions["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _functions["matmul"](other, self)

    def __and__(self, other: Any) -> Any:
        return _functions["logical_and"](self, other)

    def __rand__(self, other: Any) -> Any:
        return _functions["logical_and"](other, self)

    def __or__(self, other: Any) -> Any:
        return _functions["logical_or"](self, other)

    def __ror__(self, other: Any) -> Any:
        return _functions["logical_or"](other, self)

    def __xor__(self, other: Any) -> Any:
        return _functions["logical_xor"](self, other)

    def __rxor__(self, other: Any) -> Any:
        return _functions["logical_xor"](other, self)

    def __eq__(self, other: object) -> Any:
        return _functions["equal"](self, other)

    def __ne__(self, other: object) -> Any:
        return _functions["not_equal"](self, other)

    def __lt__(self, other: Any) -> Any:
        return _functions["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return _functions["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return _functions["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return _functions["greater_equal"](self, other)


class BitwiseOperators(Operators):
    """The same, with the bits of integers under `&`, `|`, `^`, `<<` and `>>`: those of arrays."""

    def __and__(self, other: Any) -> Any:
        return _functions["bitwise_and"](self, other)

    def __rand__(self, other: Any) -> Any:
        return _functions["bitwise_and"](other, self)

    def __or__(self, other: Any) -> Any:
        return _functions["bitwise_or"](self, other)

    def __ror__(self, other: Any) -> Any:
        return _functions["bitwise_or"](other, self)

    def __xor__(self, other: Any) -> Any:
        return _functions["bitwise_xor"](self, other)

    def __rxor__(self, other: Any) -> Any:
        return _functions["bitwise_xor"](other, self)

    def __lshift__(self, other: Any) -> Any:
        return _functions["left_shift"](self, other)

    def __rlshift__(self, other: Any) -> Any:
        return _functions["left_shift"](other, self)

    def __rshift__(self, other: Any) -> Any:
        return _functions["right_shift"](self, other)

    def __rrshift__(self, other: Any) -> Any:
        return _functions["right_shift"](other, self)


for _cls in (Operators, BitwiseOperators):
    for _name, _method in list(vars(_cls).items()):
        if isinstance(_method, FunctionType) and _name not in ("__init__", "__hash__"):
            setattr(_cls, _name, short_traceback(_method))
