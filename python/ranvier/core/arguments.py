"""What arguments must be: the one place that reads numbers, flags and axes, and says if they are none.

Python's own numbers, NumPy's scalars and arrays of rank 0 are taken alike. What reads an argument takes its
value and its name, for the message of a refusal.
"""

from __future__ import annotations

import math
import operator
import reprlib
from typing import Any

import numpy as np

_PLAIN = frozenset((int, float, bool, str, type(None)))
_MOST_EMPTY_LISTS = 1 << 16
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

    Raises:
        TypeError: if something in it is not an integer.
    """
    if isinstance(value, np.ndarray) and (value.ndim > 1 or value.size > _MOST_OF_THEM):
        raise TypeError(f"`{name}` must be an integer or a sequence of them. Received: {name}={shown(value)}")
    if not isinstance(value, (list, tuple, range)) and not (isinstance(value, np.ndarray) and value.ndim):
        value = (value,)
    return tuple(integer(item, name) for item in value)


def number(value: Any, name: str) -> float:
    """An argument that is a real number: no complex number, and no bool.

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


def plain(value: Any) -> Any:
    """A NumPy scalar, or an array of rank 0, as the Python number that it holds.

    Lists, tuples and dicts are gone through; anything else, tensors and variables too, is returned as it is.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list or kind is tuple:
        try:
            return kind(map(plain, value))
        except RecursionError:
            raise ValueError("A list is nested too deep for an argument, or holds itself.") from None
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item() if value.ndim == 0 else value
    is_own = kind.__module__.partition(".")[0] == "ranvier"
    if not is_own and getattr(value, "shape", None) == () and hasattr(value, "item"):  # of another library
        return value.item()
    return value


def plain_sequence(value: Any) -> Any:
    """As `plain`, for an argument that is one number or several: arrays and ranges become tuples."""
    value = plain(value)
    if isinstance(value, range):
        return tuple(value)
    if isinstance(value, np.ndarray):
        return tuple(listed(value))
    if getattr(value, "ndim", 0) and hasattr(value, "tolist"):  # a small array of another library
        return tuple(value.tolist())
    return value


def listed(array: np.ndarray) -> list[Any]:
    """An array that is an argument as a list, of lists where it has several axes.

    Raises:
        ValueError: for an array without elements whose axes are long: the lists would fill the memory.
    """
    refuse_long_and_empty(array)
    return list(array.tolist())


def refuse_long_and_empty(array: np.ndarray) -> None:
    """For what goes through an array's rows one by one.

    Raises:
        ValueError: for an array without elements whose axes are long: no memory bounds them.
    """
    if not array.size and math.prod(max(extent, 1) for extent in array.shape) > _MOST_EMPTY_LISTS:
        raise ValueError(f"An array without elements, of shape {array.shape}, cannot be used as a list.")


def is_integer(value: Any) -> bool:
    """Whether a value is an integer; True and False are none."""
    value = plain(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is an integer or a float; True and False are none."""
    return is_integer(value) or isinstance(plain(value), float)


def flag(value: Any, name: str) -> bool:
    """An argument that is True or False.

    Raises:
        ValueError: for anything else.
    """
    value = plain(value)
    if not isinstance(value, bool):
        raise ValueError(
            f"Argument `{name}` must be a boolean, True or False. Received: {name}={value!r} (of type "
            f"{type(value)})"
        )
    return value


def positive_integer(value: Any, name: str) -> int:
    """An argument that is an integer of at least 1.

    Raises:
        ValueError: for anything else.
    """
    number: int = plain(value)
    if not is_integer(number) or number < 1:
        raise ValueError(
            f"Received an invalid value for `{name}`, expected a positive integer. Received: {name}={value!r}"
        )
    return number


def share(value: Any, name: str) -> float:
    """An argument from 0 to 1, both included.

    Raises:
        ValueError: for anything else.
    """
    value = plain(value)
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"Argument `{name}` must be a number between 0 and 1. Received: {name}={value!r}")
    return value
