"""What cropping, padding and upsampling share: the axes that they work on, and amounts for each."""

from __future__ import annotations

from typing import Any

from ranvier.core import arguments, dtypes
from ranvier.core.keras_tensor import Shape
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer


def pairs(name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """(before, after) for each of `rank` axes.

    Args:
        name: the argument's name, for the message.
        value: one number for all, or of several axes a number or a pair for each; for one axis a pair.
        rank: the number of axes.

    Raises:
        ValueError: for anything else.
    """
    value = arguments.plain_sequence(value)
    if isinstance(value, int) and value >= 0:
        return ((value, value),) * rank
    items = list(value) if isinstance(value, (list, tuple)) else []
    if rank == 1 and len(items) == 2 and all(isinstance(item, int) for item in items):
        items = [tuple(items)]
    found = [(item, item) if isinstance(item, int) and rank > 1 else _pair(item) for item in items]
    if len(found) != rank or any(
        len(p) != 2 or not all(isinstance(n, int) and n >= 0 for n in p) for p in found
    ):
        raise ValueError(
            f"The `{name}` argument must be a non-negative integer, {rank} of them, or {rank} pairs of them. "
            f"Received: {name}={value}"
        )
    return tuple((p[0], p[1]) for p in found)


def _pair(item: Any) -> tuple[Any, ...]:
    return tuple(item) if isinstance(item, (list, tuple)) else (item,)


class Spatial(Layer):
    """The base of layers that work on the axes between batch and channels.

    Args:
        **kwargs: the arguments of `Layer`, and for layers that know formats `data_format`: "channels_last" or
            "channels_first"; None: `image_data_format()`.
    """

    rank: int  # the number of these axes

    _knows_formats = True  # else the channels are last, and `data_format` is no argument

    def __init__(self, **kwargs: Any) -> None:
        data_format = kwargs.pop("data_format", None) if self._knows_formats else "channels_last"
        super().__init__(**kwargs)
        self.data_format = dtypes.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _first(self) -> int:
        return 2 if self.data_format == "channels_first" else 1

    def _resized(self, shape: Shape, sizes: list[int | None]) -> Shape:
        return (*shape[: self._first], *sizes, *shape[self._first + self.rank :])

    def _spatial(self, shape: Any) -> list[int | None]:
        return list(shape[self._first : self._first + self.rank])
