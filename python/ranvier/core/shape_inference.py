"""Output shapes that nobody states: the function is traced on stand-ins, and the shape is read off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ranvier.core import dtypes, tree
from ranvier.core.arguments import shown
from ranvier.core.eager_trace import EagerTrace, placeholders_may_be_eager
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.symbolic_scope import SymbolicScope
from ranvier.core.tensor import NoNumbersError
from ranvier.core.trace import Trace
from ranvier.core.unknown_size import is_known, standing_in
from ranvier.core.user_code import harmless

# Two sizes stand in for every unknown dimension; where the results differ, the output's dimension is unknown
# too. They are primes that hardly stand in a model, so that no broadcast hides them, and so far apart that
# windows with strides leave them different. Where numbers are computed, large ones would cost too much.
_STAND_INS = (83, 1009)
_STAND_INS_IN_NUMBERS = {83: 83, 1009: 89}
_NUMBER = re.compile(r"\d+")


def infer_output_spec(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The shapes and dtypes that `call` gives for placeholders of the given shapes.

    Args:
        call: a function of tensors.
        args: its positional arguments; KerasTensors stand for tensors.
        kwargs: its keyword arguments, likewise.

    Returns:
        A KerasTensor, or a nest of them: whatever `call` returns.
    """
    if _has_unknown(args, kwargs):
        results = [_trace_for_shapes(call, args, kwargs, i) for i in range(len(_STAND_INS))]
    else:
        results = [_trace(call, args, kwargs, None)]

    def merge(first: Any, *others: Any) -> Any:
        if not hasattr(first, "shape"):
            return first
        dims = zip(first.shape, *(o.shape for o in others), strict=True)
        shape = tuple(None if len({*d}) > 1 or not any(map(is_known, d)) else d[0] for d in dims)
        return KerasTensor(shape, dtype=str(first.dtype))

    return tree.map_structure(merge, *results)


def call_on_placeholders(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Traces `call`, for what it does to the layers it calls.

    Args:
        call: a function of tensors.
        args: its positional arguments; KerasTensors stand for tensors.
        kwargs: its keyword arguments, likewise.

    Returns:
        The size that stood in for unknown dimensions.
    """
    _trace_for_shapes(call, args, kwargs, 0)
    return _STAND_INS[0]


def _has_unknown(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return any(isinstance(x, KerasTensor) and None in x.shape for x in tree.flatten([args, kwargs]))


def _trace_for_shapes(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], which: int
) -> Any:
    """What `call` gives for one of the stand-ins; errors say None for sizes that depend on it."""
    size, other_size = _STAND_INS[which], _STAND_INS[1 - which]
    try:
        return _trace(call, args, kwargs, size)
    except Exception as error:
        _hide_sizes(error, size, lambda: _trace(call, args, kwargs, other_size))
        raise


@harmless
def _hide_sizes(error: Exception, size: int, again: Callable[[], Any]) -> None:
    """Takes the sizes that stood in for others out of an error's message; see `_without_sizes`."""
    message = error.args[0] if len(error.args) == 1 else None
    if isinstance(message, str) and _NUMBER.search(message):
        error.args = (_without_sizes(message, size, again),)


def _without_sizes(message: str, size: int, again: Callable[[], Any]) -> str:
    """An error's message with None for the numbers that depend on the stand-in.

    Args:
        message: the message.
        size: the stand-in that led to it.
        again: the same with the other stand-in.
    """
    try:
        again()
    except Exception as error:
        other = str(error.args[0]) if error.args else ""
        if _NUMBER.sub("", message) == _NUMBER.sub("", other):
            numbers = iter(_NUMBER.findall(other))
            return _NUMBER.sub(lambda found: found[0] if found[0] == next(numbers) else "None", message)

    def told(found: re.Match[str]) -> str:
        return found[0] if int(found[0]) % size else "None"

    return re.sub(r"[1-9]\d*", told, message)  # the size decides what is wrong, or whether anything is


class ShapeOfIndices(tuple[int | None, ...]):
    """A shape that knows its array's dtype, where that is no float's: `build` is given shapes alone."""

    dtype: str

    def __new__(cls, shape: Iterable[int | None], dtype: str) -> ShapeOfIndices:
        self = super().__new__(cls, shape)
        self.dtype = dtype
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self),)


def shape_for_build(shape: Iterable[int | None], dtype: str) -> tuple[int | None, ...]:
    """The shape that the `build` of a layer is given for an input."""
    return tuple(shape) if dtypes.is_float(dtype) else ShapeOfIndices(shape, dtype)


def placeholders(shape: Any, dtype: str) -> Any:
    """KerasTensors of a shape, or of a nest of shapes (None stays None)."""
    dtype = getattr(shape, "dtype", dtype)
    if isinstance(shape, dict):
        return {key: placeholders(value, dtype) for key, value in shape.items()}
    if shape is not None and not isinstance(shape, (list, tuple)):
        raise TypeError(f"Expected a shape, or a list or dict of shapes. Received: {shown(shape)}")
    if shape is None or all(dim is None or isinstance(dim, int) for dim in shape):
        return None if shape is None else KerasTensor(shape, dtype=dtype)
    return [placeholders(item, dtype) for item in shape]


def _trace(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], size: int | None) -> Any:
    try:
        return _trace_in(Trace(), call, args, kwargs, size)
    except NoNumbersError:
        if not placeholders_may_be_eager():
            raise
    small = None if size is None else _STAND_INS_IN_NUMBERS[size]
    return _trace_in(EagerTrace(), call, args, kwargs, small)


def _trace_in(
    trace: Trace, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], size: int | None
) -> Any:
    trace.stand_in = size
    with trace, SymbolicScope(), standing_in():

        def stand_in(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            return trace.input(tuple((size or 0) if dim is None else dim for dim in x.shape), x.dtype, x.name)

        args, kwargs = tree.map_structure(stand_in, (args, kwargs))
        return call(*args, **kwargs)
