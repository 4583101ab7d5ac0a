"""Cropping1D, 2D and 3D: the middle of sequences, images and volumes."""

from __future__ import annotations

from typing import Any

from ranvier.core.keras_tensor import Shape
from ranvier.layers.reshaping.spatial import Spatial, pairs


class _Cropping(Spatial):
    cropping: Any

    def _pairs(self) -> tuple[tuple[int, int], ...]:
        return pairs("cropping", self.cropping, self.rank)

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(tuple(inputs.shape))
        cuts = [slice(before, -after or None) for before, after in self._pairs()]
        return inputs[(slice(None),) * self._first + tuple(cuts)]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        sizes: list[int | None] = []
        for size, (before, after) in zip(self._spatial(input_shape), self._pairs(), strict=True):
            if size is not None and size <= before + after:
                raise ValueError(
                    "`cropping` parameter of cropping layer must be smaller than the input shape. "
                    f"Received: input_shape={tuple(input_shape)}, cropping={self.cropping}"
                )
            sizes.append(None if size is None else size - before - after)
        return self._resized(input_shape, sizes)


class Cropping1D(_Cropping):
    """Cuts timesteps off at the beginning and at the end.

    Input shape: `(batch, timesteps, features)`.

    Args:
        cropping: how many at either end, or a pair (beginning, end).
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for anything else.
    """

    rank = 1
    _knows_formats = False

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = pairs("cropping", cropping, 1)[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"cropping": self.cropping}


class _WithFormat(_Cropping):
    def __init__(self, cropping: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.cropping = pairs("cropping", cropping, self.rank)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"cropping": self.cropping, "data_format": self.data_format}


class Cropping2D(_WithFormat):
    """Cuts rows and columns off an image.

    Input shape: `(batch, rows, columns, channels)`, or with the channels first.

    Args:
        cropping: how many on every side; or (rows, columns); or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for anything else.
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_WithFormat):
    """Cuts the sides off a volume.

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first.

    Args:
        cropping: how many on every side; or a number or a pair for each of the three axes.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for anything else.
    """

    rank = 3

    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
