"""Objects whose class must not forget to call the constructor of its base."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from ranvier.core.missing_names import Retired
from ranvier.core.user_code import ShortErrors


class Initialized(ShortErrors):
    """Says what is wrong when a subclass did not call `super().__init__()`.

    Attributes:
        _rv_made_by_base: names that the base's constructor sets.
    """

    _rv_made_by_base: tuple[str, ...] = ()

    if not TYPE_CHECKING:  # the names that are there must be checked

        def __getattr__(self, name: str) -> Any:
            """Called for names that were not found."""
            cls = type(self)
            if name in cls._rv_made_by_base:
                raise RuntimeError(
                    f"The `__init__()` of {cls.__name__} must call `super().__init__()` first: '{name}' is "
                    "not there."
                )
            retired = inspect.getattr_static(cls, name, None)
            if isinstance(retired, Retired):
                retired.__get__(self, cls)
            raise AttributeError(f"'{cls.__name__}' object has no attribute '{name}'")
