"""Adaptive pooling layers: windows that divide timesteps, pixels or voxels into a given number of parts."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments, windows
from ranvier.core.keras_tensor import Shape
from ranvier.layers.reshaping.spatial import Spatial


class _AdaptivePooling(Spatial):
    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        output_size = arguments.plain(output_size)
        is_sequence = isinstance(output_size, (list, tuple))
        if not isinstance(output_size, int) and not (is_sequence and len(output_size) == self.rank):
            error = ValueError if is_sequence and self.rank == 1 else TypeError  # as in Keras
            raise error(
                f"`output_size` must be an integer, or {self.rank} of them. "
                f"Received: {output_size} of type {type(output_size)}"
            )
        self.output_size = windows.amounts("output_size", output_size, self.rank)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self._resized(input_shape, list(self.output_size))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"output_size": self.output_size, "data_format": self.data_format}


class _Average(_AdaptivePooling):
    def call(self, inputs: Any) -> Any:
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class _Max(_AdaptivePooling):
    def call(self, inputs: Any) -> Any:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_Average):
    """The mean of windows that divide the timesteps into a given number of parts.

    Window `i` of `n` along an axis of `s` elements covers floor(i s / n) to ceil((i + 1) s / n).

    Input shape: `(batch, timesteps, features)`, or with the features first. Output
    shape: the same, with `output_size` in place of the timesteps' axis.

    Args:
        output_size: how many windows: a number.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for anything but a number or a sequence.
        ValueError: for a size below 1, or several.
    """

    rank = 1


class AdaptiveAveragePooling2D(_Average):
    """The mean of windows that divide the pixels into a given number of parts.

    Window `i` of `n` along an axis of `s` elements covers floor(i s / n) to ceil((i + 1) s / n).

    Input shape: `(batch, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with `output_size` in place of the pixels' axes.

    Args:
        output_size: how many windows: a number, or one for each axis.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for anything but a number or 2 of such.
        ValueError: for sizes below 1.
    """

    rank = 2


class AdaptiveAveragePooling3D(_Average):
    """The mean of windows that divide the voxels into a given number of parts.

    Window `i` of `n` along an axis of `s` elements covers floor(i s / n) to ceil((i + 1) s / n).

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with `output_size` in place of the voxels' axes.

    Args:
        output_size: how many windows: a number, or one for each axis.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for anything but a number or 3 of such.
        ValueError: for sizes below 1.
    """

    rank = 3


class AdaptiveMaxPooling1D(_Max):
    """The maximum of windows that divide the timesteps into a given number of parts.

    Window `i` of `n` along an axis of `s` elements covers floor(i s / n) to ceil((i + 1) s / n).

    Input shape: `(batch, timesteps, features)`, or with the features first. Output
    shape: the same, with `output_size` in place of the timesteps' axis.

    Args:
        output_size: how many windows: a number.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for anything but a number or a sequence.
        ValueError: for a size below 1, or several.
    """

    rank = 1


class AdaptiveMaxPooling2D(_Max):
    """The maximum of windows that divide the pixels into a given number of parts.

    Window `i` of `n` along an axis of `s` elements covers floor(i s / n) to ceil((i + 1) s / n).

    Input shape: `(batch, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with `output_size` in place of the pixels' axes.

    Args:
        output_size: how many windows: a number, or one for each axis.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for anything but a number or 2 of such.
        ValueError: for sizes below 1.
    """

    rank = 2


class AdaptiveMaxPooling3D(_Max):
    """The maximum of windows that divide the voxels into a given number of parts.

    Window `i` of `n` along an axis of `s` elements covers floor(i s / n) to ceil((i + 1) s / n).

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with `output_size` in place of the voxels' axes.

    Args:
        output_size: how many windows: a number, or one for each axis.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for anything but a number or 3 of such.
        ValueError: for sizes below 1.
    """

    rank = 3
