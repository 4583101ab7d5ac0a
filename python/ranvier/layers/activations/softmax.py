"""Softmax: the softmax function as a layer."""

from __future__ import annotations

from typing import Any

from ranvier import activations
from ranvier.layers.layer import Layer


class Softmax(Layer):
    """`exp(x) / sum(exp(x))` along an axis.

    Args:
        axis: the axis along which the outputs sum to 1.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        if not hasattr(axis, "__index__"):
            raise ValueError(f"Softmax supports one axis. Received: axis={axis}")
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self.built = True

    def call(self, inputs: Any) -> Any:
        return activations.softmax(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis}
