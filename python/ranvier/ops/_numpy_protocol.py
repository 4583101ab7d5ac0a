"""NumPy's functions on tensors: `np.mean(t)` inside a step is `ops.mean(t)`.

NumPy asks its arguments (`__array_function__`, `__array_ufunc__`). Variables outside of steps answer with
their numbers; tensors with the op of the same name, and where there is none or an argument is left over,
with what to write.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ranvier.core import tree
from ranvier.core.array_methods import functions
from ranvier.core.keras_tensor import KerasTensor
from ranvier.core.operators import Operators, function
from ranvier.core.stateless_scope import current_stateless_scope
from ranvier.core.tensor import NoNumbersError, Tensor
from ranvier.core.trace import current_trace
from ranvier.core.user_code import user_line
from ranvier.core.variable import Variable

_OURS = {
    "around": "round",
    "round_": "round",
    "rint": "round",
    "fix": "trunc",
    "radians": "deg2rad",
    "degrees": "rad2deg",
    "remainder": "mod",
    "float_power": "power",
    "lstsq": "",  # returns more than the solution
    "invert": "bitwise_not",
    "row_stack": "vstack",
    "permute_dims": "transpose",
    "concat": "concatenate",
    "pow": "power",
    "positive": "copy",
}
_PARAMETERS = {"decimals": "decimals", "a_min": "x_min", "a_max": "x_max", "min": "x_min", "max": "x_max"}
_REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}
_ACCUMULATIONS = {"add": "cumsum", "multiply": "cumprod"}
_INSTEAD = {
    "array_equal": "`ops.all(ops.equal(x, y))`",
    "copyto": "`ops.where(mask, y, x)`, which returns a new tensor",
    "put_along_axis": "`ops.scatter_update(x, indices, updates)`, which returns a new tensor",
    "fill_diagonal": "`ops.where(ops.eye(n, dtype='bool'), value, x)`",
    "delete": "`ops.take` with the indices to keep",
    "insert": "`ops.concatenate` of the parts",
    "copysign": "`ops.abs(x) * ops.sign(y)`",
    "atleast_1d": "`ops.reshape`",
    "atleast_2d": "`ops.reshape`",
    "atleast_3d": "`ops.reshape`",
    "apply_along_axis": "`ops.vectorized_map`",
    "convolve": "`ops.correlate(x, ops.flip(y))`",
    "lstsq": "`ops.lstsq`, which returns the solution alone",
    "cov": "`ops.matmul` of the centred values",
}


def array_function(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `func(*args, **kwargs)` of NumPy gives where one of the arguments is, or holds, a tensor."""
    leaves = tree.flatten([args, kwargs])
    if not any(map(_is_symbolic, leaves)):
        return func(*_in_numbers(args), **_in_numbers(kwargs))
    name = _OURS.get(func.__name__, func.__name__)
    module = str(func.__module__)
    ours = functions.get(name)
    if ours is None or module.startswith("numpy.fft"):
        if all(_has_numbers(leaf) for leaf in leaves):
            return func(*_in_numbers(args), **_in_numbers(kwargs))
        _refuse(f"{module}.{func.__name__}", _INSTEAD.get(func.__name__))
    dtype, positional, named, left = _translated(func, ours, args, kwargs)
    if left:
        _refuse(f"{module}.{func.__name__}(..., {left}=...)", f"`ops.{name}`, which has no `{left}`")
    if dtype is not None:
        positional = (function("cast")(positional[0], dtype), *positional[1:])
    return ours(*positional, **named)


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The same for NumPy's elementwise functions, and for what is made of them (`np.add.reduce`)."""
    if not any(map(_is_symbolic, inputs)) or (kwargs.get("out") and all(map(_has_numbers, inputs))):
        return getattr(ufunc, method)(*_in_numbers(inputs), **kwargs)
    dtype = kwargs.pop("dtype", None)
    name = ufunc.__name__
    if method == "__call__" and not kwargs:
        ours = functions.get(_OURS.get(name, name))
        if ours is not None:
            value = ours(*inputs)
            return value if dtype is None else function("cast")(value, dtype)
    elif method in ("reduce", "accumulate") and not kwargs.keys() - {"axis", "keepdims"}:
        table = _REDUCTIONS if method == "reduce" else _ACCUMULATIONS
        if name in table:
            x, axis, *_ = (*inputs, kwargs.pop("axis", 0))
            x = x if dtype is None else function("cast")(x, dtype)
            return function(table[name])(x, axis=axis, **kwargs)
    if all(map(_has_numbers, inputs)):
        return getattr(ufunc, method)(*_in_numbers(inputs), **kwargs)
    called = f"np.{name}" + ("" if method == "__call__" else f".{method}")
    if kwargs:
        called += f"(..., {next(iter(kwargs))}=...)"
    _refuse(called, _INSTEAD.get(name))


def _is_symbolic(x: Any) -> bool:
    if isinstance(x, Variable):
        return current_trace() is not None or current_stateless_scope() is not None
    return isinstance(x, (Tensor, KerasTensor))


def _has_numbers(x: Any) -> bool:
    return x.trace.is_eager if isinstance(x, Tensor) else not _is_symbolic(x)


def _in_numbers(x: Any) -> Any:
    return tree.map_structure(lambda leaf: np.asarray(leaf) if isinstance(leaf, Operators) else leaf, x)


def _refuse(called: str, instead: str | None) -> NoReturn:
    called = called.replace("numpy.", "np.", 1)
    raise NoNumbersError(
        f"{user_line()}: `{called}` cannot take a symbolic tensor, which has no numbers while a step is "
        f"traced. Write {instead or 'functions of `ranvier.ops`'}; or, to look at the numbers, "
        "`run_eagerly=True` in `compile()`."
    )


@functools.lru_cache(maxsize=256)
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:  # a function in C that does not say
        return None


def _translated(
    func: Callable[..., Any], ours: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any], str | None]:
    """A call of NumPy's function in the words of ours.

    Returns:
        A dtype to compute in or None, positional and named arguments, and the name of an argument that ours
        does not have, or None.
    """
    theirs, mine = _signature(func), _signature(ours)
    assert mine is not None
    if theirs is None:
        return None, args, kwargs, None
    names = list(mine.parameters)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    dtype = left = None
    for index, (name, value) in enumerate(theirs.bind(*args, **kwargs).arguments.items()):
        parameter = theirs.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            named |= value
        elif parameter.default is parameter.empty and len(positional) == index:
            positional.append(value)
        elif _PARAMETERS.get(name, name) in names:
            named[_PARAMETERS.get(name, name)] = value
        elif name == "dtype":
            dtype = value
        elif parameter.kind is parameter.POSITIONAL_ONLY and len(positional) == index:
            positional.append(value)
        elif value is not parameter.default and not _is_same(value, parameter.default):
            left = name
    return dtype, tuple(positional), named, left


def _is_same(value: Any, default: Any) -> bool:
    return isinstance(value, (str, int, float, bool)) and type(value) is type(default) and value == default
