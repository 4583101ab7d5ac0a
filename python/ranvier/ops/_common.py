"""What every op does to its operands: read them, give them one dtype, and bring axes into range.

An operand is a Tensor (inside a trace), a Variable, an array, or anything NumPy can read. `operand` turns it
into a `Value`: a Tensor or an ndarray of an engine dtype.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from ranvier.core import dtypes, tree
from ranvier.core.arguments import canonical_axes as canonical_axes
from ranvier.core.arguments import canonical_axis as canonical_axis
from ranvier.core.arguments import integer, shown
from ranvier.core.symbolic_scope import in_symbolic_scope
from ranvier.core.tensor import Tensor
from ranvier.core.unknown_size import UnknownSize, agree, is_known
from ranvier.core.variable import Variable
from ranvier.ops._emit import emit

Value: TypeAlias = Tensor | np.ndarray


# --- operands ---


def operand(x: Any, dtype: str | None = None) -> Value:
    """x as a Tensor or an array.

    Args:
        x: a Tensor, Variable, array, number, or nested sequences of these. Sequences that hold Tensors are
            stacked.
        dtype: the dtype wanted; None: x's own (Python numbers: `floatx()` or "int32").

    Raises:
        TypeError: if x is not made of numbers.
        ValueError: if nested sequences are ragged.
    """
    if isinstance(x, Variable):
        x = x.value
    if isinstance(x, (list, tuple)) and tree.holds(x, (Tensor, Variable)):
        x = _stack(x)
    if isinstance(x, Tensor):
        return x if dtype is None else cast_to(x, dtype)
    if isinstance(x, np.ndarray):
        array = dtypes.as_array(x)
        return array if dtype is None else cast_to(array, dtype)
    if x is None:
        raise ValueError("None cannot become a tensor.")
    return dtypes.as_array(x, dtype)


def _stack(xs: Sequence[Any]) -> Value:
    """One tensor from a sequence that holds tensors, with a new first axis."""
    values, dtype = promote(*xs)
    shape = values[0].shape
    for value in values:
        if not agree(value.shape, shape):
            raise ValueError(f"Cannot stack values of different shapes: {shape} and {value.shape}.")
    rows = [emit("reshape", value, shape=(1, *shape)) for value in values]
    return cast_to(emit("concatenate", *rows, axis=0), dtype)


def cast_to(x: Value, dtype: str) -> Value:
    """x in `dtype`; x itself if it has it."""
    return x if x.dtype == dtype else emit("cast", x, dtype=dtype)


def dtype_of(x: Value) -> str:
    """The name of x's dtype."""
    return x.dtype if isinstance(x, Tensor) else dtypes.array_dtype(x.dtype)


def known(x: Any, name: str, reason: str) -> np.ndarray:
    """x as an array whose values are known now.

    Raises:
        ValueError: if x is a tensor of a graph; the message says why `name` needs its values.
    """
    value = operand(x)
    if isinstance(value, Tensor):
        raise ValueError(
            f"{name}: {reason} depends on values, which are not known while a graph is built. "
            "Call it outside of the traced function (or with run_eagerly=True)."
        )
    return value


def integers(x: Any) -> Value:
    """x as an operand that should hold integers.

    While a model is described, floats count as such: a KerasTensor has Keras's default dtype where its maker
    did not think of one.
    """
    value = operand(x)
    return cast_to(value, "int32") if value.dtype in dtypes.FLOAT_DTYPES and in_symbolic_scope() else value


def to_bool(x: Any) -> Value:
    """x, where it is not zero."""
    return cast_to(operand(x), "bool")


def promote(*xs: Any, with_types: Sequence[Any] = ()) -> tuple[list[Value], str]:
    """Operands in the dtype to compute in, and the dtype that the result should have.

    The two differ for storage types only: uint8 arithmetic runs in int32 and is cast back by the caller.

    Args:
        *xs: operands.
        with_types: more dtypes to count in; `float` makes the result floating.
    """
    dtype = dtypes.result_type(*(_promotion_type(x) for x in xs), *with_types)
    work = dtypes.compute_dtype(dtype)
    return [operand(x, work) for x in xs], dtype


def _promotion_type(x: Any) -> Any:
    if isinstance(x, (Tensor, Variable)):
        return x.dtype
    if isinstance(x, (list, tuple)) and tree.holds(x, (Tensor, Variable)):
        return dtypes.result_type(*(_promotion_type(item) for item in x))
    return dtypes.promotion_type(x)


def as_float(x: Any) -> Value:
    """x as a float: its own float dtype, else `floatx()`."""
    values, _ = promote(x, with_types=(float,))
    return values[0]


def unary(op: str, x: Any) -> Value:
    """A graph operation that keeps the dtype of a number."""
    values, dtype = promote(x)
    return cast_to(emit(op, values[0]), dtype)


def float_unary(op: str, x: Any) -> Value:
    """A graph operation on floats; other numbers become floats first."""
    return emit(op, as_float(x))


def binary(op: str, x1: Any, x2: Any) -> Value:
    """A graph operation on two operands of one dtype."""
    values, dtype = promote(x1, x2)
    return cast_to(emit(op, *values), dtype)


def where3(condition: Value, x1: Any, x2: Any) -> Value:
    """x1 where `condition` (bool) holds, else x2, broadcast and promoted."""
    values, dtype = promote(x1, x2)
    return cast_to(emit("select", condition, *values), dtype)


# --- axes and shapes ---


def to_shape(shape: Any) -> tuple[int, ...]:
    """A shape argument, an int or a sequence of them, as a tuple of ints.

    Raises:
        TypeError: if it is not made of integers.
        MemoryError: if no memory can hold it.
    """
    if isinstance(shape, (Tensor, Variable)):
        raise ValueError("A shape must be known when the graph is built; it cannot be a tensor.")
    if not isinstance(shape, (list, tuple, range)) and not (isinstance(shape, np.ndarray) and shape.ndim):
        shape = (shape,)
    if isinstance(shape, np.ndarray) and shape.size > 64:
        raise TypeError(f"A shape is a short sequence of integers. Received: {shown(shape)}")
    dims = tuple(dim if isinstance(dim, UnknownSize) else integer(dim, "shape") for dim in shape)
    dtypes.check_size(dims)
    return dims


def positive(argument: str, value: Any) -> int:
    """An argument that counts something.

    Raises:
        ValueError: unless it is an integer of at least 1.
    """
    number = operator.index(value) if hasattr(value, "__index__") else 0
    if number < 1:
        raise ValueError(f"`{argument}` must be a positive integer. Received: {argument}={value}")
    return number


def is_multiple(size: int, count: int) -> bool:
    """Whether a size divides by a count, or is not known yet."""
    return size % count == 0 or not is_known(size)


def size_of(shape: Iterable[int]) -> int:
    """The number of elements of a shape."""
    size = 1
    for dim in shape:
        size *= dim
    return size


def reshape_to(x: Value, shape: Sequence[int]) -> Value:
    """x with another shape of the same size; x itself if it has it."""
    return x if x.shape == tuple(shape) else emit("reshape", x, shape=tuple(shape))


def transpose_to(x: Value, axes: Sequence[int]) -> Value:
    """x with its axes in the order `axes`; x itself if that changes nothing."""
    return x if tuple(axes) == tuple(range(len(axes))) else emit("transpose", x, axes=tuple(axes))


def move_last(x: Value, axis: int) -> Value:
    """x with its axis `axis` (>= 0) moved to the end."""
    return transpose_to(x, [i for i in range(x.ndim) if i != axis] + [axis])


def move_from_last(x: Value, axis: int) -> Value:
    """The inverse of `move_last`: x with its last axis moved to position `axis`."""
    order = list(range(x.ndim - 1))
    order.insert(axis, x.ndim - 1)
    return transpose_to(x, order)
