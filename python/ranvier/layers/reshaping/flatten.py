"""Flatten: one axis out of all but the batch."""

from __future__ import annotations

import math
from typing import Any

from ranvier import ops
from ranvier.core import dtypes
from ranvier.core.keras_tensor import Shape
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer


class Flatten(Layer):
    """Reshapes `(batch, ...)` to `(batch, features)`; `(batch,)` becomes `(batch, 1)`.

    Args:
        data_format: "channels_last", or "channels_first" to move axis 1 last before; None: the default
            layout.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = dtypes.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = len(inputs.shape)
        if self.data_format == "channels_first" and rank > 2:
            inputs = ops.transpose(inputs, axes=(0, *range(2, rank), 1))
        batch, *rest = inputs.shape
        return ops.reshape(inputs, (batch, math.prod(rest)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        rest = input_shape[1:]
        features = None if None in rest else math.prod(d for d in rest if d is not None)
        return (input_shape[0], features)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"data_format": self.data_format}
