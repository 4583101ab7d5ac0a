"""SpatialDropout1D, 2D and 3D: dropout of whole feature maps."""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.regularization.dropout import Dropout


class _SpatialDropout(Dropout):
    _rank: int  # of the inputs
    _data_format: str | None = None

    # No further arguments: Keras refuses them, also in the configs that it reads.
    def __init__(
        self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.input_spec = InputSpec(ndim=self._rank)

    def _mask_shape(self, inputs: Any) -> tuple[int, ...]:
        shape = tuple(inputs.shape)
        ones = (1,) * (len(shape) - 2)
        if self._data_format == "channels_first":
            return (*shape[:2], *ones)
        return (shape[0], *ones, shape[-1])

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["noise_shape"], config["trainable"]
        return config if self._data_format is None else config | {"data_format": self._data_format}


class SpatialDropout1D(_SpatialDropout):
    """While training, drops whole features of a sequence: one draw for all timesteps (Tompson et al., 2014).

    Input shape: `(batch, timesteps, features)`.

    Args:
        rate: the share of features to drop, from 0 to 1.
        seed: an integer that fixes the sequence of masks; None: drawn from the global seed.
        name: the layer's name.
        dtype: the layer's dtype.

    Raises:
        ValueError: for a rate outside [0, 1].
    """

    _rank = 3


class _WithFormat(_SpatialDropout):
    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self._data_format = dtypes.standardize_data_format(data_format)


class SpatialDropout2D(_WithFormat):
    """While training, drops whole feature maps of an image (Tompson et al., 2014).

    Input shape: `(batch, rows, columns, channels)`, or with the channels first.

    Args:
        rate: the share of feature maps to drop, from 0 to 1.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        seed: an integer that fixes the sequence of masks; None: drawn from the global seed.
        name: the layer's name.
        dtype: the layer's dtype.

    Raises:
        ValueError: for a rate outside [0, 1].
    """

    _rank = 4


class SpatialDropout3D(_WithFormat):
    """While training, drops whole feature maps of a volume (Tompson et al., 2014).

    Input shape: `(batch, depth, rows, columns, channels)`, or with the channels first.

    Args:
        rate: the share of feature maps to drop, from 0 to 1.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.
        seed: an integer that fixes the sequence of masks; None: drawn from the global seed.
        name: the layer's name.
        dtype: the layer's dtype.

    Raises:
        ValueError: for a rate outside [0, 1].
    """

    _rank = 5
