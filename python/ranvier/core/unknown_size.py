"""Sizes that stand in for dimensions nobody knows yet, while a function is traced for its shapes alone.

They count like any integer, print as None, and give way where a known size asks for another one.
"""

from __future__ import annotations

import contextlib
import math
import operator
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ranvier.core.tensor import Tensor
    from ranvier.core.trace import Trace

_BROADCASTING = frozenset(
    "add subtract multiply divide floor_divide mod power maximum minimum equal not_equal less less_equal "
    "greater greater_equal logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor left_shift "
    "right_shift gcd select".split()
)
_AGREEING = _BROADCASTING | {"broadcast_to", "concatenate", "matmul", "sparse_softmax_cross_entropy"}
# Operations that compute a size of their own for an axis of their operand.
_RESIZING = frozenset(("concatenate", "max_pool", "average_pool"))


_counting = threading.Lock()
stand_ins = 0  # how many traces of placeholders there are, on all threads


class UnknownSize(int):
    """A number that depends on a dimension which is not known yet: it prints as None.

    What is computed of it by +, -, *, // and % is one too.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "None"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        try:
            return format("None", spec)
        except ValueError:  # a format of numbers
            return "None"

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy leaves an array its dtype beside a plain integer only."""
        plain = (int(x) if isinstance(x, UnknownSize) else x for x in inputs)
        return getattr(ufunc, method)(*plain, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return int, (int(self),)


class RoundedSize(UnknownSize):
    """One that is too small for a division cut something off, which need not be so with data."""

    __slots__ = ()


def _derived(name: str) -> Callable[..., Any]:
    compute = getattr(int, name)

    def method(self: UnknownSize, other: Any) -> Any:
        result = compute(self, other)
        if type(result) is not int:
            return result
        cuts = "floordiv" in name and (name != "__floordiv__" or self % other != 0)
        is_rounded = cuts or isinstance(self, RoundedSize) or isinstance(other, RoundedSize)
        return (RoundedSize if is_rounded else UnknownSize)(result)

    return method


for _name in "add sub mul floordiv mod".split():
    setattr(UnknownSize, f"__{_name}__", _derived(f"__{_name}__"))
    setattr(UnknownSize, f"__r{_name}__", _derived(f"__r{_name}__"))


@contextlib.contextmanager
def standing_in() -> Iterator[None]:
    """Says that unknown sizes may be among attributes of operations: around each trace of placeholders."""
    global stand_ins
    with _counting:
        stand_ins += 1
    try:
        yield
    finally:
        with _counting:
            stand_ins -= 1


def is_known(size: int) -> bool:
    """Whether a size is what it will be when there are data."""
    return not isinstance(size, UnknownSize)


def fits(part: int, whole: int) -> bool:
    """Whether a part of an axis may be so large."""
    return part <= whole or not (is_known(part) and is_known(whole))


def agree(shape: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two shapes are the same, as far as they are known."""
    if shape == other:
        return True
    return len(shape) == len(other) and all(
        fits(a, b) and fits(b, a) for a, b in zip(shape, other, strict=True)
    )


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that tensors of these shapes have together; unknown sizes give way to known ones.

    Raises:
        ValueError: if the known sizes do not fit.
    """
    if all(is_known(size) for shape in shapes for size in shape):
        return np.broadcast_shapes(*map(tuple, shapes))
    known = np.broadcast_shapes(*(tuple(size if is_known(size) else 1 for size in shape) for shape in shapes))
    result = list(known)
    for shape in shapes:
        for axis in range(-len(shape), 0):
            if known[axis] == 1:
                result[axis] = max(result[axis], shape[axis])
    return tuple(result)


def marked(shape: Iterable[int], stand_in: int) -> tuple[int, ...]:
    """A shape whose multiples of the stand-in are unknown sizes."""
    return tuple(UnknownSize(dim) if dim and dim % stand_in == 0 else dim for dim in shape)


def add(trace: Trace, op: str, tensors: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    """Adds an operation to a trace of placeholders.

    Where an unknown size meets a known one that it must be equal to, it takes that.

    Args:
        trace: the trace.
        op: the operation's name.
        tensors: its inputs.
        attributes: its attributes.
    """
    given = attributes.get("shape") or attributes.get("size") or ()
    unknown = set(_unknown([dim for x in tensors for dim in x.shape] + list(given)))
    if not unknown:
        return trace.add(op, tensors, plain(attributes))
    shape = _resized(op, tensors, attributes)
    if shape is not None:
        return _placeholder(trace, shape, attributes.get("dtype", tensors[0].dtype))
    tensors = _agreeing(trace, op, tensors, attributes)
    result = trace.add(op, tensors, plain(attributes))
    resizes = op in _RESIZING and not attributes.get("output")
    columns = zip(*(x.shape for x in tensors), strict=False) if resizes else ()
    places = {i for i, dims in enumerate(columns) if _unknown(dims)}
    places |= {i for i, dim in enumerate(given or result.shape) if dim in unknown or not is_known(dim)}
    result.shape = tuple(UnknownSize(dim) if i in places else dim for i, dim in enumerate(result.shape))
    return result


def plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """An operation's attributes with integers for unknown sizes: the core keeps programs by their text."""

    def number(x: Any) -> Any:
        return int(x) if isinstance(x, UnknownSize) else x

    return {
        name: tuple(map(number, value)) if isinstance(value, (list, tuple)) else number(value)
        for name, value in attributes.items()
    }


def _resized(op: str, tensors: Sequence[Tensor], attributes: dict[str, Any]) -> Sequence[int] | None:
    """The shape of a result that the stand-in is not made for: it does not divide, or is too small."""
    shape = tensors[0].shape
    if op == "reshape" and math.prod(attributes["shape"]) != math.prod(shape):
        target = attributes["shape"]
        if all(map(is_known, target)):
            fits_some = math.prod(target) % max(math.prod(filter(is_known, shape)), 1) == 0
        else:
            fits_some = all(map(is_known, shape)) or any(
                isinstance(d, RoundedSize) for d in (*target, *shape)
            )
        return target if fits_some else None
    if op == "slice" and any(map(operator.gt, attributes["size"], shape)):
        return attributes["size"]
    if op == "bitcast" and not is_known(shape[-1]):
        size, other = (np.dtype(dtype).itemsize for dtype in (tensors[0].dtype, attributes["dtype"]))
        return (*shape[:-1], shape[-1] * size // other)
    return None


def _unknown(sizes: Iterable[Any]) -> list[int]:
    return [size for size in sizes if isinstance(size, UnknownSize) and size > 1]


def _placeholder(trace: Trace, shape: Sequence[int], dtype: str) -> Tensor:
    result = trace.add("broadcast_to", [trace.constant(np.zeros((), dtype))], {"shape": tuple(shape)})
    result.shape = tuple(shape)
    return result


def _agreeing(
    trace: Trace, op: str, tensors: Sequence[Tensor], attributes: dict[str, Any]
) -> Sequence[Tensor]:
    """The inputs, with known sizes in place of unknown ones that differ from them: placeholders again."""
    if op not in _AGREEING:
        return tensors
    shapes = [list(x.shape) for x in tensors]
    if op == "broadcast_to":
        shapes.append(list(attributes["shape"]))
    rank = max(map(len, shapes))
    columns: list[list[tuple[int, int]]] = [[] for _ in range(rank)]  # (input, axis) that must be equal
    if op in _BROADCASTING or op == "broadcast_to":
        _align(columns, shapes)
    elif op == "sparse_softmax_cross_entropy":
        _align(columns[:-1], [shapes[0][:-1], shapes[1]])
    elif op == "concatenate":
        _align(columns, shapes)
        columns[attributes["axis"]].clear()
    elif op == "matmul":
        _align(columns[:-2], [shape[:-2] for shape in shapes])
        inner = (-2 if attributes.get("transpose_a") else -1, -1 if attributes.get("transpose_b") else -2)
        columns[-1] = [(i, len(shapes[i]) + axis) for i, axis in enumerate(inner)]
    for column in columns:
        sizes = {shapes[i][axis] for i, axis in column} - {1}
        known = [size for size in sizes if is_known(size)]
        if len(sizes) > 1 and len(known) <= 1:
            agreed = known[0] if known else max(sizes)
            if op == "concatenate":  # whose result is as the first is, in Keras
                agreed = shapes[0][column[0][1]]
            for i, axis in column:
                shapes[i][axis] = 1 if shapes[i][axis] == 1 else agreed
    pairs = zip(tensors, shapes, strict=False)
    return [x if x.shape == tuple(shape) else _placeholder(trace, shape, x.dtype) for x, shape in pairs]


def _align(columns: list[list[tuple[int, int]]], shapes: list[list[int]]) -> None:
    """Puts the axes that broadcasting lays upon each other into one column."""
    for i, shape in enumerate(shapes):
        for axis in range(len(shape)):
            columns[axis - len(shape)].append((i, axis))
