"""Numbers as arguments: Python's own, NumPy's scalars and arrays of rank 0 alike."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """A NumPy scalar, or an array of rank 0, as the Python number that it holds.

    Lists, tuples and dicts are gone through; anything else is returned as it is.
    """
    if type(value) in (int, float, bool, str, type(None)):
        return value
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(map(plain, value))
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return value.item()
    return value


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
