"""RMSNormalization: each sample divided by the root mean square of its features."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.layer import Layer


class RMSNormalization(Layer):
    """`x / sqrt(mean(x^2) + epsilon) * scale` (Zhang and Sennrich, 2019).

    Args:
        axis: the axis, or axes, over which the mean is taken; the learnt scale has their sizes.
        epsilon: added to the mean.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = arguments.plain(axis)
        arguments.integers(self.axis, "axis")  # refused here, and not when it is built
        self.epsilon = arguments.plain(epsilon)

    def build(self, input_shape: Shape) -> None:
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        self.scale = self.add_weight(
            name="scale", shape=tuple(input_shape[axis] for axis in axes), initializer="ones"
        )

    def call(self, x: Any) -> Any:
        return ops.rms_normalization(x, scale=self.scale, axis=self.axis, epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis, "epsilon": self.epsilon}
