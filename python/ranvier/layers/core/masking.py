"""Masking: masks timesteps that hold one value only."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.masks import set_mask
from ranvier.layers.layer import Layer


class Masking(Layer):
    """Masks each timestep whose features all equal `mask_value`, and sets it to zero.

    Input shape: `(batch, timesteps, features)`; more axes may stand between.

    Args:
        mask_value: the value.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, mask_value: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = arguments.plain(mask_value)
        self.supports_masking = True
        self._rv_build_at_init()

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        inputs = ops.convert_to_tensor(inputs)
        counts = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        outputs = ops.multiply(inputs, ops.cast(counts, str(inputs.dtype)))
        set_mask(outputs, ops.squeeze(counts, axis=-1))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"mask_value": self.mask_value}
