"""Rescaling: a linear map of the inputs' values."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.layers.preprocessing.from_lists import FromLists


class Rescaling(FromLists):
    """`inputs * scale + offset`, in the layer's dtype.

    `Rescaling(1 / 255)` takes images from [0, 255] to [0, 1].

    Args:
        scale: the factor.
        offset: what is added.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, scale: float, offset: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = arguments.plain(scale)
        self.offset = arguments.plain(offset)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.add(ops.multiply(ops.cast(inputs, self.compute_dtype), self.scale), self.offset)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"scale": self.scale, "offset": self.offset}
