"""GroupNormalization: groups of a sample's channels with the mean 0 and the variance 1."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.normalization.scale_and_shift import ScaleAndShift


class GroupNormalization(ScaleAndShift):
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta`, over each group of a sample's channels.

    Wu and He (2018). With one group it is layer normalization over all axes, with as many groups as channels
    instance normalization.

    Args:
        groups: the number of groups, which divides the number of channels; -1: as many as channels.
        axis: the axis of the channels.
        epsilon: added to the variance.
        center: whether beta is added.
        scale: whether gamma is multiplied by.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        beta_regularizer: a regularizer of beta.
        gamma_regularizer: a regularizer of gamma.
        beta_constraint: a constraint of beta.
        gamma_constraint: a constraint of gamma.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for groups that are neither -1 nor a positive integer, an unknown name, or (when it is
            built) groups that do not divide the channels.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        self.groups = -1 if arguments.plain(groups) == -1 else arguments.positive_integer(groups, "groups")
        self.axis = arguments.integer(arguments.plain(axis), "axis")
        self.epsilon = float(epsilon)

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an "
                f"input with shape {input_shape}."
            )
        if self.groups == -1:
            self.groups = channels
        if self.groups <= 0 or channels % self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) must be a divisor of the number of channels ({channels})."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self._add_gamma_and_beta((channels,))

    def call(self, inputs: Any) -> Any:
        shape = tuple(inputs.shape)
        axis = self.axis % len(shape)
        # Cast: between an array of integers and one of floats, NumPy's operators would go to float64.
        grouped = ops.reshape(
            ops.cast(inputs, self.compute_dtype),
            (*shape[:axis], self.groups, shape[axis] // self.groups, *shape[axis + 1 :]),
        )
        axes = [i for i in range(1, len(shape) + 1) if i != axis]
        mean, variance = ops.moments(grouped, axes=axes, keepdims=True)
        normal = ops.reshape((grouped - mean) * ops.rsqrt(variance + self.epsilon), shape)
        beside = [shape[axis] if i == axis else 1 for i in range(len(shape))]
        if self.gamma is not None:
            normal = normal * ops.reshape(self.gamma, beside)
        return normal if self.beta is None else normal + ops.reshape(self.beta, beside)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"groups": self.groups, "axis": self.axis, "epsilon": self.epsilon}
