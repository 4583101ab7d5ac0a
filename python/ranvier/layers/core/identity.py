"""Identity: hands its inputs on."""

from __future__ import annotations

from typing import Any

from ranvier.layers.layer import Layer


class Identity(Layer):
    """Returns its inputs, a tensor or a nest of tensors, as they are.

    Args:
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape
