"""Constructors whose arguments are Python's own numbers, whatever kind of number was given."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ranvier.core.arguments import plain
from ranvier.core.user_code import short_traceback


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
