"""What normalization layers share: a learnt factor, gamma, and a learnt term, beta."""

from __future__ import annotations

from typing import Any

from ranvier import constraints, initializers, regularizers
from ranvier.core.variable import Variable
from ranvier.layers.layer import Layer


class ScaleAndShift(Layer):
    """The base of layers that multiply their result by `gamma` and add `beta`.

    Args:
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: the initializer of beta.
        gamma_initializer: the initializer of gamma.
        beta_regularizer: a regularizer of beta.
        gamma_regularizer: a regularizer of gamma.
        beta_constraint: a constraint of beta.
        gamma_constraint: a constraint of gamma.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an unknown name.
    """

    def __init__(
        self,
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
        super().__init__(**kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.beta: Variable | None = None
        self.gamma: Variable | None = None

    def _add_gamma_and_beta(self, shape: tuple[int | None, ...]) -> None:
        if None in shape:
            raise ValueError(
                f"The normalized axes of the inputs to layer '{self.name}' must have known sizes. They have "
                f"the sizes {shape}."
            )
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        check_axes(getattr(self, "axis", -1), input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def check_axes(axes: Any, shape: Any) -> None:
    """Checks that inputs of a shape have an axis, or several.

    Raises:
        ValueError: if they do not.
    """
    for axis in axes if isinstance(axes, (list, tuple)) else [axes]:
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"Axis {axis} is out of bounds for input shape {tuple(shape)}. Received: axis={axes}"
            )
