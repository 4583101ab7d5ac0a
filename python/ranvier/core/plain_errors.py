"""Errors of a call that speak of this package's insides become errors that speak of the call's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ranvier.core.arguments import shown

_PYTHONS = (IndexError, ValueError, TypeError, OverflowError)
_OF_TENSORS = frozenset(("shape", "ndim", "dtype", "astype"))  # what is asked of what should be a tensor


def plain_error(
    error: BaseException, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Exception | None:
    """What a public function raises in the place of an error that came to be in the package's own code.

    NumPy's own classes of errors become Python's: what was given is of a kind that cannot be computed with.
    Where a list or a dict stands for a tensor, whose attributes it has not, that is said.

    Args:
        error: what was raised.
        fn: the function.
        args: the positional arguments of the call.
        kwargs: the others.

    Returns:
        The other error; None if the error is one to show as it is.
    """
    name = _public_name(fn, args)
    if type(error).__module__.partition(".")[0] == "numpy":
        kind = next((kind for kind in _PYTHONS if isinstance(error, kind)), None)
        text = f"{name} got an argument of a kind that it cannot compute with. NumPy: {error}"
        return kind(text) if kind else None
    if isinstance(error, AttributeError) and error.name in _OF_TENSORS:
        kind_of_nest = type(error.obj) if isinstance(error.obj, (list, tuple, dict)) else ()
        # The argument itself, or a copy of it that holds arrays.
        if any(isinstance(value, kind_of_nest) for value in (*args, *kwargs.values())):
            return ValueError(f"{name} expected one tensor. Received: {shown(error.obj)}")
    return None


def _public_name(fn: Callable[..., Any], args: tuple[Any, ...]) -> str:
    owner, _, name = inspect.unwrap(fn).__qualname__.rpartition(".")
    if name == "__call__" and args and isinstance(label := getattr(args[0], "name", None), str):
        return f'Layer "{label}"'
    return f"{owner if name == '__init__' else name}()"
