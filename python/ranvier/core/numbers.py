"""Numbers as arguments: Python's own, NumPy's scalars and arrays of rank 0 alike."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ranvier.core.user_code import short_traceback

_PLAIN = frozenset((int, float, bool, str, type(None)))
_MOST_EMPTY_LISTS = 1 << 16


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
    if not array.size and math.prod(max(extent, 1) for extent in array.shape) > _MOST_EMPTY_LISTS:
        raise ValueError(f"An array without elements, of shape {array.shape}, cannot be used as a list.")
    return list(array.tolist())


class PlainArguments:
    """A base class: constructors of the package's own subclasses get `plain` arguments."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__init__" in vars(cls) and cls.__module__.partition(".")[0] == "ranvier":
            cls.__init__ = _of_plain(vars(cls)["__init__"])  # type: ignore[method-assign]
        super().__init_subclass__(**kwargs)  # what shortens errors comes around it


def _of_plain(init: Callable[..., None]) -> Callable[..., None]:
    @short_traceback
    @functools.wraps(init)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *map(plain, args), **{name: plain(value) for name, value in kwargs.items()})

    return wrapper


def is_integer(value: Any) -> bool:
    """Whether a value is an integer; True and False are none."""
    value = plain(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is an integer or a float; True and False are none."""
    return is_integer(value) or isinstance(plain(value), float)


def flag(name: str, value: Any) -> bool:
    """An argument that is True or False.

    Args:
        name: the argument's name, for the message.
        value: what was given.

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


def positive_integer(name: str, value: Any) -> int:
    """An argument that is an integer of at least 1.

    Args:
        name: the argument's name, for the message.
        value: what was given.

    Raises:
        ValueError: for anything else.
    """
    if not is_integer(value) or plain(value) < 1:
        raise ValueError(
            f"Received an invalid value for `{name}`, expected a positive integer. Received: {name}={value!r}"
        )
    number: int = plain(value)
    return number


def share(name: str, value: Any) -> float:
    """An argument from 0 to 1, both included.

    Args:
        name: the argument's name, for the message.
        value: what was given.

    Raises:
        ValueError: for anything else.
    """
    value = plain(value)
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f"Argument `{name}` must be a number between 0 and 1. Received: {name}={value!r}")
    return value
