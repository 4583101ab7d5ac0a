"""Where the user's code is: what errors and warnings point at."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

_NOT_THE_USERS = frozenset({"ranvier", "numpy", "contextlib", "functools"})


def _user_frame() -> tuple[FrameType | None, int]:
    """The innermost frame outside of this package, and how many there are between."""
    frame, between = sys._getframe(1), 0
    while frame.f_back is not None:
        frame, between = frame.f_back, between + 1
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] not in _NOT_THE_USERS:
            return frame, between
    return None, between


def user_line() -> str:
    """Where the code outside of this package is, innermost: "file.py:12"."""
    frame, _ = _user_frame()
    return "In a traced function" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the user's line, however many calls inside of the package it is away.

    Args:
        message: what to say.
        category: the kind of warning.
    """
    _, between = _user_frame()
    warnings.warn(message, category, stacklevel=between + 1)
