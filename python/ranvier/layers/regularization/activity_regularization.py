"""ActivityRegularization: a penalty on what flows through."""

from __future__ import annotations

from typing import Any

from ranvier import regularizers
from ranvier.core import arguments
from ranvier.layers.layer import Layer


class ActivityRegularization(Layer):
    """Returns its inputs, and adds a penalty on them to the loss.

    Args:
        l1: the factor of the sum of absolute values.
        l2: the factor of the sum of squares.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = arguments.plain(l1)
        self.l2 = arguments.plain(l2)
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"l1": self.l1, "l2": self.l2}
        config.pop("activity_regularizer")
        return config
