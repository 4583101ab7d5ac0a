"""RepeatVector: a vector, many times."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer


class RepeatVector(Layer):
    """Repeats `(batch, features)` into `(batch, n, features)`.

    Args:
        n: how often, a positive integer.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: if `n` is not an integer.
        ValueError: if it is not positive.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        n = arguments.plain(n)
        if not arguments.is_integer(n):
            raise TypeError(f"Expected an integer value for `n`, got {type(n)}.")
        if n <= 0:
            raise ValueError(f"Argument `n` should be a positive integer. Received: n={n!r}")
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        batch, features = inputs.shape
        return ops.broadcast_to(ops.reshape(inputs, (batch, 1, features)), (batch, self.n, features))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"n": self.n}
