"""LayerNormalization: each sample with the mean 0 and the variance 1 over its features."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.normalization.scale_and_shift import ScaleAndShift


class LayerNormalization(ScaleAndShift):
    """`gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with each sample's own mean and variance.

    Ba, Kiros and Hinton (2016).

    Args:
        axis: the axis, or axes, over which mean and variance are taken; gamma and beta have their sizes.
        epsilon: added to the variance.
        center: whether beta is added.
        scale: whether gamma is multiplied by.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        beta_regularizer: a regularizer of beta.
        gamma_regularizer: a regularizer of gamma.
        beta_constraint: a constraint of beta.
        gamma_constraint: a constraint of gamma.
        **kwargs: the arguments of `Layer`; `rms_scaling`: whether to leave out the mean and beta, as Keras
            did before it had `RMSNormalization`.

    Raises:
        TypeError: for an axis that is no integer.
        ValueError: for an unknown name, or an axis that is out of range.
    """

    def __init__(
        self,
        axis: Any = -1,
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
        self.rms_scaling = bool(kwargs.pop("rms_scaling", False))
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
        axis = arguments.plain_sequence(axis)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not all(map(arguments.is_integer, axes)):
            raise TypeError(
                f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}"
            )
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = float(epsilon)
        if self.rms_scaling:
            self.center, self.scale = False, True

    def build(self, input_shape: Shape) -> None:
        self.compute_output_shape(input_shape)
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        rank = len(input_shape)
        self._add_gamma_and_beta(tuple(input_shape[i] for i in sorted(axis % rank for axis in axes)))

    def call(self, inputs: Any) -> Any:
        return ops.layer_normalization(
            inputs,
            gamma=self.gamma,
            beta=self.beta,
            axis=self.axis,
            epsilon=self.epsilon,
            rms_scaling=self.rms_scaling,
        )

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "axis": self.axis,
            "epsilon": self.epsilon,
            "rms_scaling": self.rms_scaling,
        }
