"""The shapes that this library's layers are given: what is none, or has too few axes, is refused in words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ranvier.core.arguments import shown
from ranvier.core.user_code import short_traceback


def refusing(method: Callable[..., Any]) -> Callable[..., Any]:
    """A `build` or `compute_output_shape` of this library, checked.

    Args:
        method: a method that takes shapes, or nests of shapes, and nothing else.

    Returns:
        The method. It raises TypeError for what is no shape, and ValueError for one without an axis that the
        layer asks for.
    """

    @short_traceback
    @functools.wraps(method)
    def checked(self: Any, *shapes: Any, **named: Any) -> Any:
        given = (*shapes, *named.values())
        for shape in given:
            _check(shape, self)
        try:
            return method(self, *shapes, **named)
        except LookupError as error:
            if not _is_ours(error):
                raise
            what = ", ".join(map(shown, given))
            raise ValueError(
                f'Layer "{self.name}" has no use for the shape {what}: it has too few axes.'
            ) from None

    return checked


def _check(shape: Any, layer: Any, depth: int = 0) -> None:
    if isinstance(shape, dict):
        shape = tuple(shape.values())
    if isinstance(shape, (list, tuple)) and depth < 16:
        for item in shape:
            if item is not None and not hasattr(item, "__index__"):
                _check(item, layer, depth + 1)
    elif shape is not None and not isinstance(shape, bool):  # a flag beside the shapes
        raise TypeError(
            f'Layer "{layer.name}" expected a shape, which is a tuple of integers and None, or a nest of '
            f"shapes. Received: {shown(shape)}"
        )


def _is_ours(error: BaseException) -> bool:
    """Whether an error was raised in this library, not in a user's code that it called."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and str(traceback.tb_frame.f_globals.get("__name__")).startswith("ranvier.")
