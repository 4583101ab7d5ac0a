"""Output shapes that nobody states: the function is traced on stand-ins, and the shape is read off."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ranvier.core import dtypes, tree
from ranvier.core.eager_trace import EagerTrace, placeholders_may_be_eager
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.symbolic_scope import SymbolicScope
from ranvier.core.tensor import NoNumbersError
from ranvier.core.trace import Trace

# Two sizes stand in for every unknown dimension; where the results differ, the output's dimension is unknown
# too. They are primes that hardly stand in a model, so that no broadcast hides them, and so far apart that
# windows with strides leave them different. Where numbers are computed, large ones would cost too much.
_STAND_INS = (83, 1009)
_STAND_INS_IN_NUMBERS = {83: 83, 1009: 89}


def infer_output_spec(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The shapes and dtypes that `call` gives for placeholders of the given shapes.

    Args:
        call: a function of tensors.
        args: its positional arguments; KerasTensors stand for tensors.
        kwargs: its keyword arguments, likewise.

    Returns:
        A KerasTensor, or a nest of them: whatever `call` returns.
    """
    leaves = tree.flatten([args, kwargs])
    unknown = any(isinstance(x, KerasTensor) and None in x.shape for x in leaves)
    try:
        results = [_trace(call, args, kwargs, size) for size in (_STAND_INS if unknown else _STAND_INS[:1])]
    except (ValueError, TypeError, IndexError) as error:
        named = [size for size in _STAND_INS if re.search(rf"\b{size}\b", str(error))]
        if unknown and named and len(error.args) == 1:
            sizes = " and ".join(str(size) for size in named)
            error.args = (f"{error} ({sizes} stood in for dimensions that are not known yet.)",)
        raise

    def merge(first: Any, *others: Any) -> Any:
        if not hasattr(first, "shape"):
            return first
        dims = zip(first.shape, *(o.shape for o in others), strict=True)
        shape = tuple(d[0] if all(size == d[0] for size in d) else None for d in dims)
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
    _trace(call, args, kwargs, _STAND_INS[0])
    return _STAND_INS[0]


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
    if shape is None or all(dim is None or isinstance(dim, int) for dim in shape):
        return None if shape is None else KerasTensor(shape, dtype=dtype)
    return [placeholders(item, dtype) for item in shape]


def _trace(call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], size: int) -> Any:
    try:
        return _trace_in(Trace(), call, args, kwargs, size)
    except NoNumbersError:
        if not placeholders_may_be_eager():
            raise
    return _trace_in(EagerTrace(), call, args, kwargs, _STAND_INS_IN_NUMBERS[size])


def _trace_in(
    trace: Trace, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], size: int
) -> Any:
    with trace, SymbolicScope():

        def stand_in(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return x
            return trace.input(tuple(size if dim is None else dim for dim in x.shape), x.dtype, x.name)

        args, kwargs = tree.map_structure(stand_in, (args, kwargs))
        return call(*args, **kwargs)
