"""PReLU: a leaky rectifier whose slopes are learnt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import activations, constraints, initializers, ops, regularizers
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer


class PReLU(Layer):
    """`x` where `x > 0`, else `alpha * x`, with one learnt `alpha` per element (He et al., 2015).

    Args:
        alpha_initializer: the initializer of the slopes, shape `input_shape[1:]`.
        alpha_regularizer: a regularizer of the slopes.
        alpha_constraint: a constraint of the slopes.
        shared_axes: the axes (the batch is axis 0) along which one slope is shared; None: none.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes: list[int] | None = None
        if shared_axes is not None:
            self.shared_axes = list(arguments.integers(arguments.plain_sequence(shared_axes), "shared_axes"))

    def build(self, input_shape: Shape) -> None:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            shape=shape,
            name="alpha",
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        sizes = {i: input_shape[i] for i in range(1, len(input_shape)) if i not in (self.shared_axes or ())}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs: Any) -> Any:
        negative = ops.multiply(ops.negative(self.alpha), activations.relu(ops.negative(inputs)))
        return ops.add(activations.relu(inputs), negative)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": None if self.shared_axes is None else list(self.shared_axes),
        }
