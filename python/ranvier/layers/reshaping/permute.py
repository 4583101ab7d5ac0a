"""Permute: another order of the axes."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.arguments import integers
from ranvier.core.keras_tensor import Shape
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer


class Permute(Layer):
    """Transposes all axes but the batch.

    Args:
        dims: a permutation of 1, 2, ..., rank - 1: which input axis each output axis takes.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: if `dims` is no permutation.
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = integers(dims, "dims")
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` must be "
                f"consecutive and start from 1. Received: dims={dims!r}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        return ops.transpose(inputs, axes=(0, *self.dims))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"dims": self.dims}
