"""ZeroPadding1D, 2D and 3D: zeros around sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.keras_tensor import Shape
from ranvier.layers.reshaping.spatial import Spatial, pairs


class _ZeroPadding(Spatial):
    padding: Any

    def __init__(self, padding: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.padding = pairs("padding", padding, self.rank)

    def _pairs(self) -> tuple[tuple[int, int], ...]:
        return pairs("padding", self.padding, self.rank)

    def call(self, inputs: Any) -> Any:
        amounts = [(0, 0)] * (self.rank + 2)
        amounts[self._first : self._first + self.rank] = self._pairs()
        return ops.pad(inputs, amounts)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        sizes = zip(self._spatial(input_shape), self._pairs(), strict=True)
        return self._resized(input_shape, [None if size is None else size + sum(p) for size, p in sizes])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"padding": self.padding, "data_format": self.data_format}


class ZeroPadding1D(_ZeroPadding):
    """Adds timesteps of zeros at the beginning and at the end.

    Input shape: `(batch, timesteps, features)`, or with the features first.

    Args:
        padding: how many at either end, or a pair (beginning, end).
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for anything else.
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)
        self.padding = self.padding[0]


class ZeroPadding2D(_ZeroPadding):
    """Adds rows and columns of zeros around an image.

    Input shape: `(batch, rows, columns, channels)`, or with the channels first.

    Args:
        padding: how many on every side; or (rows, columns); or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for anything else.
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Adds zeros around a volume.

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first.

    Args:
        padding: how many on every side; or a number or a pair for each of the three axes.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for anything else.
    """

    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)
