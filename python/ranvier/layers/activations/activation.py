"""Activation: any activation function as a layer."""

from __future__ import annotations

from typing import Any

from ranvier import activations
from ranvier.layers.layer import Layer


class Activation(Layer):
    """Applies an activation function to its input.

    Args:
        activation: a function of a tensor, or the name of one in `ranvier.activations`.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an unknown name; the message lists the near ones.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"activation": activations.serialize(self.activation)}
