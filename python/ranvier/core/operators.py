"""Python's operators for tensors and variables, and what NumPy's functions are to do with them.

The operators are ops, and ops are a room above this one: `ranvier.ops` hands its functions in with `bind`
when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, NoReturn

from ranvier.core.array_methods import ArrayMethods, functions
from ranvier.core.user_code import ShortErrors, short_traceback, user_line


def bind(ops: dict[str, Callable[..., Any]]) -> None:
    """Gives the operators and methods their meaning: op name -> function."""
    functions.update(ops)


def function(name: str) -> Callable[..., Any]:
    """The function that an operator or a method calls."""
    return functions[name]


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


class Operators(ArrayMethods, ShortErrors):
    """The operators of a tensor-like value, each one op. NumPy arrays on the left give way to it.

    `&`, `|` and `^` are the logical ones here, as Keras has them for variables and symbolic tensors.
    """

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`array + tensor` asks the tensor, as does `array += tensor`, which gives the name a new value."""
        in_place = set(kwargs) == {"out"} and kwargs["out"][0] is inputs[0]
        if ufunc.__name__ in _OF_NUMPY and method == "__call__" and (in_place or not kwargs):
            left, right = _OF_NUMPY[ufunc.__name__]
            a, b = inputs
            own, name, other = (a, left, b) if isinstance(a, Operators) else (b, right, a)
            value = getattr(own, name)(other) if hasattr(own, name) else None
            if value is not None and (not in_place or isinstance(value, Operators)):
                return value
        return functions["array_ufunc"](ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """`np.mean(tensor)` asks the tensor."""
        del types
        return functions["array_function"](func, args, kwargs)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"{user_line()}: '{type(self).__name__}' object does not support item assignment. Use "
            "`ops.slice_update`, `ops.scatter_update` or `ops.where`, which return a new tensor."
        )

    def __neg__(self) -> Any:
        return functions["negative"](self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return functions["absolute"](self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return functions["round"](self, ndigits or 0)

    def __invert__(self) -> Any:
        return functions["bitwise_not"](self)

    def __getitem__(self, key: Any) -> Any:
        return functions["getitem"](self, key)

    def __hash__(self) -> int:
        return id(self)

    def __add__(self, other: Any) -> Any:
        return functions["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return functions["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return functions["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return functions["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return functions["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return functions["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return functions["true_divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return functions["true_divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return functions["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return functions["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return functions["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return functions["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return functions["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return functions["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return functions["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return functions["matmul"](other, self)

    def __and__(self, other: Any) -> Any:
        return functions["logical_and"](self, other)

    def __rand__(self, other: Any) -> Any:
        return functions["logical_and"](other, self)

    def __or__(self, other: Any) -> Any:
        return functions["logical_or"](self, other)

    def __ror__(self, other: Any) -> Any:
        return functions["logical_or"](other, self)

    def __xor__(self, other: Any) -> Any:
        return functions["logical_xor"](self, other)

    def __rxor__(self, other: Any) -> Any:
        return functions["logical_xor"](other, self)

    def __eq__(self, other: object) -> Any:
        return functions["equal"](self, other)

    def __ne__(self, other: object) -> Any:
        return functions["not_equal"](self, other)

    def __lt__(self, other: Any) -> Any:
        return functions["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return functions["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return functions["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return functions["greater_equal"](self, other)


class BitwiseOperators(Operators):
    """The same, with the bits of integers under `&`, `|`, `^`, `<<` and `>>`: those of arrays."""

    def __and__(self, other: Any) -> Any:
        return functions["bitwise_and"](self, other)

    def __rand__(self, other: Any) -> Any:
        return functions["bitwise_and"](other, self)

    def __or__(self, other: Any) -> Any:
        return functions["bitwise_or"](self, other)

    def __ror__(self, other: Any) -> Any:
        return functions["bitwise_or"](other, self)

    def __xor__(self, other: Any) -> Any:
        return functions["bitwise_xor"](self, other)

    def __rxor__(self, other: Any) -> Any:
        return functions["bitwise_xor"](other, self)

    def __lshift__(self, other: Any) -> Any:
        return functions["left_shift"](self, other)

    def __rlshift__(self, other: Any) -> Any:
        return functions["left_shift"](other, self)

    def __rshift__(self, other: Any) -> Any:
        return functions["right_shift"](self, other)

    def __rrshift__(self, other: Any) -> Any:
        return functions["right_shift"](other, self)


for _cls in (ArrayMethods, Operators, BitwiseOperators):
    for _name, _method in list(vars(_cls).items()):
        if isinstance(_method, FunctionType) and _name not in ("__getattr__", "__init__", "__hash__"):
            setattr(_cls, _name, short_traceback(_method))
