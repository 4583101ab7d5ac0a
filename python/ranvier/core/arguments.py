"""What arguments must be: the one place that reads integers, numbers and axes, and says if they are none."""

from __future__ import annotations

import operator
import reprlib
from typing import Any

import numpy as np

_MOST_OF_THEM = 64  # integers in an array that is an argument and no data

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 60
_short.maxlevel = 3


def shown(value: Any) -> str:
    """A value in a message, in a few words however large it is."""
    if isinstance(value, np.ndarray) and value.size > 8:
        return f"an array of {value.dtype}, shape {value.shape}"
    return _short.repr(value)


def integer(value: Any, name: str) -> int:
    """An argument that is an integer.

    Args:
        value: a Python or NumPy integer, or a 0-d array of one.
        name: what the message calls it.

    Raises:
        TypeError: if it is not an integer.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value  # as it is: it may be a size that is not known yet
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"`{name}` must be an integer. Received: {name}={shown(value)}") from None


def integers(value: Any, name: str) -> tuple[int, ...]:
    """An argument that is an integer or a sequence of them, as a tuple.

    Args:
        value: an integer, a list, a tuple or an array.
        name: what the message calls it.

    Raises:
        TypeError: if something in it is not an integer.
    """
    if isinstance(value, np.ndarray) and (value.ndim > 1 or value.size > _MOST_OF_THEM):
        raise TypeError(f"`{name}` must be an integer or a sequence of them. Received: {name}={shown(value)}")
    if not isinstance(value, (list, tuple, range)) and not (isinstance(value, np.ndarray) and value.ndim):
        value = (value,)
    return tuple(integer(item, name) for item in value)


def number(value: Any, name: str) -> float:
    """An argument that is a real number.

    Args:
        value: a Python or NumPy number, or a 0-d array of one; no complex number, and no bool.
        name: what the message calls it.

    Raises:
        TypeError: if it is not a number.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"`{name}` must be a number. Received: {name}={shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"`{name}` does not fit a float. Received: {name}={shown(value)}") from None


def text(value: Any, name: str) -> str:
    """An argument that is a string.

    Args:
        value: the argument.
        name: what the message calls it.

    Raises:
        TypeError: if it is not a string.
    """
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a string. Received: {name}={shown(value)}")
    return value


def canonical_axis(axis: Any, ndim: int) -> int:
    """`axis` counted from the front.

    Args:
        axis: an integer from -ndim to ndim - 1.
        ndim: how many axes there are.

    Raises:
        TypeError: if it is not an integer.
        ValueError: if it is out of range.
    """
    index = integer(axis, "axis")
    if not -ndim <= index < ndim:
        raise ValueError(f"axis {index} is out of bounds for array of dimension {ndim}")
    return index % ndim


def canonical_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that an `axis` argument names, counted from the front, in its order; None: all.

    Raises:
        TypeError: if one is not an integer.
        ValueError: if one is out of range or named twice.
    """
    if axis is None:
        return tuple(range(ndim))
    result = tuple(canonical_axis(a, ndim) for a in integers(axis, "axis"))
    if len(set(result)) != len(result):
        raise ValueError(f"duplicate value in 'axis': {axis}")
    return result
