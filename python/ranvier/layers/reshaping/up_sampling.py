"""UpSampling1D, 2D and 3D: each timestep, pixel or voxel repeated."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.arguments import text
from ranvier.core.keras_tensor import Shape
from ranvier.layers.reshaping.spatial import Spatial


def _sizes(size: Any, rank: int) -> tuple[int, ...]:
    size = arguments.plain_sequence(size)
    sizes = size if isinstance(size, (list, tuple)) else (size,) * rank
    if len(sizes) != rank or not all(arguments.is_integer(n) and n > 0 for n in sizes):
        raise ValueError(
            f"The `size` argument must be a positive integer, or {rank} of them. Received: size={size!r}"
        )
    return tuple(sizes)


class _UpSampling(Spatial):
    size: Any

    def _factors(self) -> tuple[int, ...]:
        return _sizes(self.size, self.rank)

    def call(self, inputs: Any) -> Any:
        x = inputs
        for i, factor in enumerate(self._factors()):
            x = ops.repeat(x, factor, axis=self._first + i)
        return x

    def compute_output_shape(self, input_shape: Any) -> Shape:
        sizes = zip(self._spatial(input_shape), self._factors(), strict=True)
        return self._resized(input_shape, [None if size is None else size * factor for size, factor in sizes])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size}


class UpSampling1D(_UpSampling):
    """Repeats each timestep.

    Input shape: `(batch, timesteps, features)`.

    Args:
        size: how often.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for a size that is not an integer.
        ValueError: for a size that is not positive.
    """

    rank = 1
    _knows_formats = False

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not arguments.is_integer(size):
            raise TypeError(f"Argument `size` must be an integer. Received: size={size!r}")
        (self.size,) = _sizes(size, 1)


class UpSampling2D(_UpSampling):
    """Repeats the rows and columns of an image.

    Input shape: `(batch, rows, columns, channels)`, or with the channels first.

    Args:
        size: how often, or (rows, columns).
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        interpolation: must be "nearest".
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a size that is not positive, or another interpolation.
    """

    rank = 2

    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if text(interpolation, "interpolation").lower() != "nearest":
            raise ValueError(
                f'UpSampling2D supports `interpolation="nearest"`. Received: interpolation={interpolation!r}'
            )
        self.size = _sizes(size, 2)
        self.interpolation = interpolation.lower()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config | {"data_format": self.data_format, "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Repeats the voxels of a volume along its three axes.

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first.

    Args:
        size: how often, or three numbers.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a size that is not positive.
    """

    rank = 3

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.size = _sizes(size, 3)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"data_format": self.data_format}
