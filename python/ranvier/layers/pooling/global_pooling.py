"""Global pooling: the mean or the maximum over all timesteps, pixels or voxels."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.keras_tensor import Shape
from ranvier.layers.reshaping.spatial import Spatial


class _GlobalPooling(Spatial):
    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.keepdims = keepdims
        self._rv_build_at_init()

    @property
    def _axes(self) -> list[int]:
        return list(range(self._first, self._first + self.rank))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self._resized(input_shape, [1] * self.rank if self.keepdims else [])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"data_format": self.data_format, "keepdims": self.keepdims}


class _Average(_GlobalPooling):
    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class _Max(_GlobalPooling):
    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over the timesteps; with a mask, over those where it holds.

    Input shape: `(batch, timesteps, features)`, or with the features first. Output shape:
    `(batch, features)`.

    Args:
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        keepdims: whether the timesteps' axis stays, with size 1.
        **kwargs: the arguments of `Layer`.
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), axis=2 if self._first == 1 else 1)
        total = ops.sum(inputs * weights, axis=self._axes, keepdims=self.keepdims)
        return total / ops.sum(weights, axis=self._axes, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: there are no timesteps left."""
        return None


class GlobalAveragePooling2D(_Average):
    """The mean over the pixels of an image.

    Args:
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        keepdims: whether the pixels' axes stay, with size 1.
        **kwargs: the arguments of `Layer`.
    """

    rank = 2


class GlobalAveragePooling3D(_Average):
    """The mean over the voxels of a volume.

    Args:
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        keepdims: whether the voxels' axes stay, with size 1.
        **kwargs: the arguments of `Layer`.
    """

    rank = 3


class GlobalMaxPooling1D(_Max):
    """The maximum over the timesteps.

    Args:
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        keepdims: whether the timesteps' axis stays, with size 1.
        **kwargs: the arguments of `Layer`.
    """

    rank = 1


class GlobalMaxPooling2D(_Max):
    """The maximum over the pixels of an image.

    Args:
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        keepdims: whether the pixels' axes stay, with size 1.
        **kwargs: the arguments of `Layer`.
    """

    rank = 2


class GlobalMaxPooling3D(_Max):
    """The maximum over the voxels of a volume.

    Args:
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        keepdims: whether the voxels' axes stay, with size 1.
        **kwargs: the arguments of `Layer`.
    """

    rank = 3
