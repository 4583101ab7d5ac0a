"""Building an optimizer wholly or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def _all_or_nothing(build: Callable[..., None]) -> Callable[..., None]:
    """`build`, undone when it does not come to its end.

    It is entered by way of `super().build()` too; each level takes back what was done since it began.
    """

    @functools.wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        built, variables = self.built, list(self._rv_variables)
        try:
            build(self, *args, **kwargs)
        except BaseException:  # Ctrl-C comes at any moment, and training may go on after it
            self.built, self._rv_variables[:] = built, variables
            self._rv_tracker.renew()
            raise

    return wrapped


class BuiltWhole:
    """A base class whose subclasses' `build` leaves them as they were when it fails or is interrupted.

    Without it, an optimizer interrupted in between would pass for built and lack some of its slots.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _all_or_nothing(vars(cls)["build"])  # type: ignore[attr-defined]
