"""ReLU: the rectifier as a layer."""

from __future__ import annotations

from typing import Any

from ranvier import activations
from ranvier.core import arguments
from ranvier.core.arguments import number
from ranvier.layers.layer import Layer


class ReLU(Layer):
    """`max(x, 0)`, with a threshold, a slope below it, and a ceiling.

    Args:
        max_value: the ceiling; None: there is none.
        negative_slope: the slope below the threshold.
        threshold: where the positive side begins.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a negative `max_value`, `negative_slope` or `threshold`.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        limits = {"max_value": max_value, "negative_slope": negative_slope, "threshold": threshold}
        for argument, value in limits.items():
            if value is None and argument == "max_value":
                continue
            if value is None or number(value, argument) < 0.0:
                raise ValueError(f"{argument} of a ReLU layer cannot be a negative value. Received: {value}")
        super().__init__(**kwargs)
        self.max_value = arguments.plain(max_value)
        self.negative_slope = arguments.plain(negative_slope)
        self.threshold = arguments.plain(threshold)
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        return activations.relu(
            inputs, negative_slope=self.negative_slope, max_value=self.max_value, threshold=self.threshold
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "max_value": None if self.max_value is None else float(self.max_value),
            "negative_slope": float(self.negative_slope),
            "threshold": float(self.threshold),
        }
