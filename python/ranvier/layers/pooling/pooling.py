"""Pooling layers: the mean or the maximum of windows over timesteps, pixels or voxels."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import windows
from ranvier.core.keras_tensor import Shape
from ranvier.layers.reshaping.spatial import Spatial


class _Pooling(Spatial):
    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self.pool_size = windows.amounts("pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else windows.amounts("strides", strides, self.rank)
        self.padding = windows.standardize_padding(padding)
        self._rv_build_at_init()

    def compute_output_shape(self, input_shape: Any) -> Shape:
        sizes = self._spatial(input_shape)
        return self._resized(
            input_shape, windows.output_sizes(sizes, self.pool_size, self.strides, self.padding)
        )

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class _Average(_Pooling):
    def call(self, inputs: Any) -> Any:
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class _Max(_Pooling):
    def call(self, inputs: Any) -> Any:
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling1D(_Average):
    """The mean of each window of timesteps.

    Input shape: `(batch, timesteps, features)`, or with the features first. Output
    shape: the same, with one element for each window.

    Args:
        pool_size: the size of a window: a number.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": only whole windows; "same": ceil(size / stride) windows, whose mean leaves out
            what lies outside.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        name: the layer's name.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes below 1, or an unknown padding; when called, for a window larger than the input
            with "valid".
    """

    rank = 1


class AveragePooling2D(_Average):
    """The mean of each window of pixels.

    Input shape: `(batch, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with one element for each window.

    Args:
        pool_size: the size of a window: a number, or one for each axis.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": only whole windows; "same": ceil(size / stride) windows, whose mean leaves out
            what lies outside.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        name: the layer's name.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes below 1, or an unknown padding; when called, for a window larger than the input
            with "valid".
    """

    rank = 2


class AveragePooling3D(_Average):
    """The mean of each window of voxels.

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with one element for each window.

    Args:
        pool_size: the size of a window: a number, or one for each axis.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": only whole windows; "same": ceil(size / stride) windows, whose mean leaves out
            what lies outside.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        name: the layer's name.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes below 1, or an unknown padding; when called, for a window larger than the input
            with "valid".
    """

    rank = 3


class MaxPooling1D(_Max):
    """The maximum of each window of timesteps.

    Input shape: `(batch, timesteps, features)`, or with the features first. Output
    shape: the same, with one element for each window.

    Args:
        pool_size: the size of a window: a number.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": only whole windows; "same": ceil(size / stride) windows, which leave out
            what lies outside.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        name: the layer's name.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes below 1, or an unknown padding; when called, for a window larger than the input
            with "valid".
    """

    rank = 1

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling2D(_Max):
    """The maximum of each window of pixels.

    Input shape: `(batch, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with one element for each window.

    Args:
        pool_size: the size of a window: a number, or one for each axis.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": only whole windows; "same": ceil(size / stride) windows, which leave out
            what lies outside.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        name: the layer's name.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes below 1, or an unknown padding; when called, for a window larger than the input
            with "valid".
    """

    rank = 2

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)


class MaxPooling3D(_Max):
    """The maximum of each window of voxels.

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first. Output
    shape: the same, with one element for each window.

    Args:
        pool_size: the size of a window: a number, or one for each axis.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": only whole windows; "same": ceil(size / stride) windows, which leave out
            what lies outside.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        name: the layer's name.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes below 1, or an unknown padding; when called, for a window larger than the input
            with "valid".
    """

    rank = 3

    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)
