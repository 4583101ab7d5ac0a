"""Where the user's code is: what errors and warnings point at."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from types import FrameType, FunctionType, TracebackType
from typing import Any, ParamSpec, TypeVar

from ranvier.core import settings
from ranvier.core.keywords import explain_call
from ranvier.core.plain_errors import plain_error

_P = ParamSpec("_P")
_R = TypeVar("_R")

_OWN = __name__.partition(".")[0]
# What may stand between the package's frames and the user's: whom the package calls, and who calls it back.
_HELPERS = sys.stdlib_module_names | {"numpy", "h5py", "rich", "pooch", "requests", "urllib3"}
_BETWEEN = frozenset({_OWN, "numpy", "contextlib", "functools"})


def _room(frame: FrameType) -> str:
    """The top-level package of the code that a frame runs."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _user_frame() -> tuple[FrameType | None, int]:
    """The innermost frame outside of this package, and how many there are between."""
    frame, between = sys._getframe(1), 0
    while frame.f_back is not None:
        frame, between = frame.f_back, between + 1
        if _room(frame) not in _BETWEEN:
            return frame, between
    return None, between


def user_line() -> str:
    """Where the code outside of this package is, innermost: "file.py:12"."""
    frame, _ = _user_frame()
    if frame is None:
        return "In a traced function"
    line: int | None = frame.f_lineno  # generated code may have none
    return frame.f_code.co_filename if line is None else f"{frame.f_code.co_filename}:{line}"


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the user's line, however many calls inside of the package it is away.

    Args:
        message: what to say.
        category: the kind of warning.
    """
    _, between = _user_frame()
    warnings.warn(message, category, stacklevel=between + 1)


def harmless(fn: Callable[_P, object]) -> Callable[_P, None]:
    """`fn`, which says more about an error that is on its way: if it fails, the error goes on as it is.

    A Ctrl-C goes through; the error is its context then.
    """

    @functools.wraps(fn)
    def quietly(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            fn(*args, **kwargs)
        except Exception:  # an error about the error would hide it
            pass

    return quietly


def retell(error: Exception, message: str) -> None:
    """Gives an error another message. One of a type that is not Python's own keeps what it says.

    Args:
        error: the error.
        message: what it is to say, its old message included.
    """
    if type(error) in (ValueError, TypeError) and len(error.args) == 1:
        error.args = (message,)


@harmless
def note_lines(error: BaseException, where: str) -> None:
    """Has an error itself say at which of the user's lines it was raised: no traceback leaves a process.

    Nothing is added where a traceback is not to be shortened, or more than one is to be shown.

    Args:
        error: the error, on its way.
        where: what comes before the lines.
    """
    if sys.version_info < (3, 11) or not settings.is_traceback_filtering_enabled():
        return
    shorten(error)
    if _before(error) is None:
        import traceback  # here: most programs have no such errors

        error.add_note(f"{where}\n{''.join(traceback.format_tb(error.__traceback__)).rstrip()}")


def short_traceback(fn: Callable[_P, _R]) -> Callable[_P, _R]:
    """`fn`, whose errors show the user's frames and not the package's."""

    @functools.wraps(fn)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return fn(*args, **kwargs)
        except BaseException as error:
            other = None
            try:
                other = told(error, fn, args, kwargs)
            except Exception:  # the stack may be too full for a call
                pass
            if other is None:
                raise  # with a name it would be noted that it was raised here
            raise other from None

    return call


# The classes that need no other words, exactly.
_OFTEN = frozenset((ValueError, TypeError, KeyError, IndexError, RuntimeError, NotImplementedError))


def told(
    error: BaseException, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Exception | None:
    """Has the error of a call end at the user's line, in words about the call's arguments.

    Args:
        error: what the call raised.
        fn: what was called.
        args: with what.
        kwargs: likewise.

    Returns:
        What to raise in its place; None: the error itself.
    """
    explain_call(error, fn, kwargs)
    own = type(error) not in _OFTEN and came_to_be_here(error)
    other = plain_error(error, fn, args, kwargs) if own else None
    shorten(error)
    return other


def came_to_be_here(error: BaseException) -> bool:
    """Whether an error was raised in the package's own code, or by what that called: not in the user's."""
    traceback, room = error.__traceback__, _OWN
    while traceback is not None:
        here = _room(traceback.tb_frame)
        room = here if here not in _HELPERS else room
        traceback = traceback.tb_next
    return room == _OWN


class ShortErrors:
    """A base class: errors of the package's own constructors and calls end at the user's line."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.partition(".")[0] != _OWN:
            return
        for name in ("__init__", "__call__"):
            method = vars(cls).get(name)
            if isinstance(method, FunctionType) and not hasattr(method, "__wrapped__"):
                setattr(cls, name, short_traceback(method))


@harmless
def shorten(error: BaseException) -> None:
    """Takes the package's frames out of a traceback, and what is the package's alone out of the chain.

    What was raised while the package handled an error of its own hides that error; one that the user's code
    raised or was handling is kept. `disable_traceback_filtering` keeps everything.
    """
    if not settings.is_traceback_filtering_enabled():
        return
    part: BaseException | None = error
    seen: set[int] = set()
    while part is not None and id(part) not in seen:
        seen.add(id(part))
        part.__traceback__ = _users_part(part.__traceback__)
        before = _before(part)
        users = before
        while users is not None and _is_own(users.__traceback__) and id(users) not in seen:
            seen.add(id(users))
            users = _before(users)
        if users is not before:
            part.__cause__ = None  # the context is not printed then, but still there
            if users is not None:
                part.__context__, part.__suppress_context__ = users, False
        part = users


def _before(error: BaseException) -> BaseException | None:
    """The error that is printed before another one, as its cause or context."""
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_own(traceback: TracebackType | None) -> bool:
    """Whether an error came to be and was handled without any code of the user's."""
    return traceback is not None and not _users(traceback)


def _users(traceback: TracebackType | None) -> list[TracebackType]:
    """The parts of a traceback that are not the package's, nor of what the package calls by itself."""
    kept: list[TracebackType] = []
    called_by_own = True
    while traceback is not None:
        room = _room(traceback.tb_frame)
        called_by_own = room == _OWN or (called_by_own and room in _HELPERS)
        if not called_by_own:
            kept.append(traceback)
        traceback = traceback.tb_next
    return kept


def _users_part(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback of the user's parts alone. They are joined anew, not copied: a copy demands a line number,
    and a frame that is interrupted at the wrong moment has none."""
    rest = None
    for part in reversed(_users(traceback)):
        part.tb_next = rest
        rest = part
    return rest
