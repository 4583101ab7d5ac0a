"""ELU: the exponential linear unit as a layer."""

from __future__ import annotations

from typing import Any

from ranvier import activations
from ranvier.core import arguments
from ranvier.layers.layer import Layer


class ELU(Layer):
    """`x` where `x > 0`, else `alpha * (exp(x) - 1)` (Clevert et al., 2016).

    Args:
        alpha: the negated limit for `x` towards minus infinity.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = arguments.plain(alpha)
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"alpha": float(self.alpha)}
