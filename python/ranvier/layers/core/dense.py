"""Dense: the fully connected layer."""

from __future__ import annotations

from typing import Any

from ranvier import activations, constraints, initializers, ops, regularizers
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.core.variable import Variable
from ranvier.layers.input_spec import InputSpec
from ranvier.layers.layer import Layer


class Dense(Layer):
    """`activation(inputs @ kernel + bias)`, over the last axis of the inputs.

    Input shape: `(batch, ..., features)`. Output shape: `(batch, ..., units)`.

    Args:
        units: the size of the output's last axis, a positive integer.
        activation: an activation function or its name; None: linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initializer of the kernel, shape `(features, units)`.
        bias_initializer: the initializer of the bias, shape `(units,)`.
        kernel_regularizer: a regularizer of the kernel.
        bias_regularizer: a regularizer of the bias.
        activity_regularizer: a regularizer of the output.
        kernel_constraint: a constraint of the kernel.
        bias_constraint: a constraint of the bias.
        lora_rank: must be None; low-rank adaptation is not offered.
        lora_alpha: must be None.
        quantization_config: must be None; quantization is not offered.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for `units` that are not a positive integer, an unknown name, or an argument that is not
            offered.
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        units = arguments.positive_integer(units, "units")
        unsupported = {
            "lora_rank": lora_rank,
            "lora_alpha": lora_alpha,
            "quantization_config": quantization_config,
        }
        for argument, value in unsupported.items():
            if value is not None:
                raise ValueError(f"Dense does not support `{argument}`; it must be None. Received: {value}")
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True
        self._kernel: Variable | None = None
        self.bias: Variable | None = None

    @property
    def kernel(self) -> Variable:
        """The kernel, shape `(features, units)`.

        Raises:
            AttributeError: before the layer is built.
        """
        if self._kernel is None:
            raise AttributeError("You must build the layer before accessing `kernel`.")
        return self._kernel

    def build(self, input_shape: Shape) -> None:
        features = input_shape[-1]
        if features is None:
            raise ValueError(
                f"The last axis of the inputs to layer '{self.name}' must have a known size. "
                f"Received: input_shape={input_shape!r}"
            )
        self._kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }
