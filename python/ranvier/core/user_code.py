"""Where the user's code is: what errors and warnings point at."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import ParamSpec, TypeVar

from ranvier.core import settings

_P = ParamSpec("_P")
_R = TypeVar("_R")

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


def short_traceback(fn: Callable[_P, _R]) -> Callable[_P, _R]:
    """`fn`, whose errors show the user's frames and where they were raised, not the package's between."""

    @functools.wraps(fn)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return fn(*args, **kwargs)
        except BaseException as error:
            shorten(error)
            raise error

    return call


def shorten(error: BaseException) -> None:
    """Takes the package's frames, save the one that raised, out of an error's traceback if that is wanted."""
    part: BaseException | None = error if settings.is_traceback_filtering_enabled() else None
    while part is not None:
        part.__traceback__ = _without_own_frames(part.__traceback__)
        part = part.__cause__ or part.__context__


def _without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while traceback is not None:
        own = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "ranvier"
        if not own or traceback.tb_next is None:
            kept.append(traceback)
        traceback = traceback.tb_next
    for part in reversed(kept):
        traceback = TracebackType(traceback, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return traceback
