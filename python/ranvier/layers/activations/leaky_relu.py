"""LeakyReLU: a rectifier that lets a part of the negative side through, as a layer."""

from __future__ import annotations

from typing import Any

from ranvier import activations
from ranvier.core import arguments
from ranvier.core.arguments import number
from ranvier.core.user_code import warn
from ranvier.layers.layer import Layer


class LeakyReLU(Layer):
    """`x` where `x > 0`, else `negative_slope * x`.

    Args:
        negative_slope: the slope for negative values, not negative itself.
        **kwargs: the arguments of `Layer`; `alpha`, with a warning, as the old name of `negative_slope`.

    Raises:
        ValueError: if `negative_slope` is None or negative.
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        if "alpha" in kwargs:
            negative_slope = kwargs.pop("alpha")
            warn("Argument `alpha` is deprecated. Use `negative_slope` instead.")
        negative_slope = arguments.plain(negative_slope)
        if negative_slope is None or number(negative_slope, "negative_slope") < 0:
            raise ValueError(
                "The negative_slope value of a Leaky ReLU layer cannot be None or negative. "
                f"Expected a float. Received: negative_slope={negative_slope!r}"
            )
        super().__init__(**kwargs)
        self.negative_slope = negative_slope
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"negative_slope": float(self.negative_slope)}
