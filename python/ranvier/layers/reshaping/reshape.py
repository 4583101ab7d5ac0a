"""Reshape: another shape for all but the batch."""

from __future__ import annotations

import math
from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.layer import Layer


class Reshape(Layer):
    """Reshapes `(batch, ...)` to `(batch, *target_shape)`.

    Args:
        target_shape: the shape without the batch; one entry may be -1, or None, and is computed from the
            others.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for more than one -1, and for what is no integer; in a call, if the number of elements
            does not fit.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = arguments.plain_sequence(target_shape)
        is_shape = isinstance(given, (list, tuple))
        shape = tuple(-1 if size is None else size for size in given) if is_shape else ()
        sizes_fit = all(arguments.is_integer(size) and size >= -1 for size in shape)
        if not is_shape or not sizes_fit or shape.count(-1) > 1:
            raise ValueError(
                "The `target_shape` argument must hold non-negative integers and at most one -1. "
                f"Received: target_shape={target_shape!r}"
            )
        self.target_shape = shape
        self._rv_build_at_init()

    def _resolve(self, rest: Shape) -> Shape:
        """The target shape with its -1 computed for inputs of shape `(batch, *rest)`; None where unknown."""
        known = math.prod(d for d in self.target_shape if d != -1)
        if None in rest:
            return tuple(None if d == -1 else d for d in self.target_shape)
        size = math.prod(d for d in rest if d is not None)
        fits = known > 0 and size % known == 0 if -1 in self.target_shape else size == known
        if not fits:
            raise ValueError(
                f"The total size of the tensor must be unchanged. Layer '{self.name}' received inputs of "
                f"shape (batch, {', '.join(map(str, rest))}), which do not fit "
                f"target_shape={self.target_shape}"
            )
        return tuple(size // known if d == -1 else d for d in self.target_shape)

    def call(self, inputs: Any) -> Any:
        inputs = ops.convert_to_tensor(inputs)
        batch, *rest = inputs.shape
        return ops.reshape(inputs, (batch, *self._resolve(tuple(rest))))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self._resolve(input_shape[1:]))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"target_shape": self.target_shape}
