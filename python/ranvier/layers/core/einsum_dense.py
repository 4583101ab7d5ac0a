"""EinsumDense: a dense layer over any axes, given by an Einstein summation."""

from __future__ import annotations

from typing import Any

from ranvier import activations, constraints, initializers, ops, regularizers
from ranvier.core import arguments
from ranvier.core.arguments import text
from ranvier.core.keras_tensor import Shape
from ranvier.core.variable import Variable
from ranvier.layers.layer import Layer


class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: such as "abc,cd->abd"; the first term is the inputs, the second the kernel. "..." stands for
            any axes and may stand at the front or at the back of the inputs and the output.
        output_shape: the sizes of the output's axes without the batch axis and "..."; None where an axis
            takes the input's size.
        activation: an activation function or its name; None: linear.
        bias_axes: the output's axes that the bias has, such as "d"; None: there is no bias.
        kernel_initializer: the initializer of the kernel.
        bias_initializer: the initializer of the bias.
        kernel_regularizer: a regularizer of the kernel.
        bias_regularizer: a regularizer of the bias.
        kernel_constraint: a constraint of the kernel.
        bias_constraint: a constraint of the bias.
        lora_rank: must be None; low-rank adaptation is not offered.
        lora_alpha: must be None.
        gptq_unpacked_column_size: must be None; quantization is not offered.
        quantization_config: must be None.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an equation or shape that cannot be used, or an argument that is not offered.

    Example:
        >>> rv.layers.EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d")
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: int | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        for name, value in (
            ("lora_rank", lora_rank),
            ("lora_alpha", lora_alpha),
            ("gptq_unpacked_column_size", gptq_unpacked_column_size),
            ("quantization_config", quantization_config),
        ):
            if value is not None:
                raise ValueError(f"EinsumDense does not support `{name}`; it must be None. Received: {value}")
        super().__init__(**kwargs)
        self.equation = text(equation, "equation")
        sizes = arguments.plain_sequence(output_shape)
        self.partial_output_shape = tuple(
            None if size is None else arguments.integer(size, "output_shape")
            for size in (sizes if isinstance(sizes, (list, tuple)) else (sizes,))
        )
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._kernel: Variable | None = None
        self.bias: Variable | None = None
        self._terms()

    @property
    def kernel(self) -> Variable:
        """The kernel.

        Raises:
            AttributeError: before the layer is built.
        """
        if self._kernel is None:
            raise AttributeError("You must build the layer before accessing `kernel`.")
        return self._kernel

    def _terms(self) -> tuple[str, str, str]:
        """The letters of inputs, kernel and output."""
        left, arrow, output = self.equation.replace(" ", "").partition("->")
        inputs, comma, kernel = left.partition(",")
        if not arrow or not comma or "," in kernel or not inputs or "." in kernel:
            raise ValueError(
                f"Invalid einsum equation '{self.equation}'. Equations must be in the form [X],[Y]->[Z], "
                "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
            )
        return inputs, kernel, output

    def _sizes(self, input_shape: Shape) -> dict[str, int | None]:
        """The size of each letter."""
        inputs, kernel, output = self._terms()
        sizes: dict[str, int | None] = {}
        letters = inputs.replace("...", "")
        dims = input_shape[-len(letters) :] if inputs.startswith("...") else input_shape[: len(letters)]
        if len(dims) < len(letters) or ("..." not in inputs and len(input_shape) != len(letters)):
            raise ValueError(f"Equation '{self.equation}' does not fit an input of shape {input_shape}.")
        sizes.update(zip(letters, dims, strict=True))
        out_letters = output.replace("...", "")
        wanted = list(self.partial_output_shape)
        if not output.startswith("..."):  # the batch axis comes first and is not in `output_shape`
            wanted = [sizes.get(out_letters[0]), *wanted]
        if len(wanted) != len(out_letters):
            raise ValueError(
                f"Argument `output_shape` must have a size for each axis of the output in '{self.equation}' "
                f"but the batch axis. Received: output_shape={self.partial_output_shape}"
            )
        for letter, size in zip(out_letters, wanted, strict=True):
            known = sizes.get(letter)
            if size is not None and known is not None and size != known:
                raise ValueError(
                    f"Input shape and output shape do not match at shared dimension '{letter}'. Input shape "
                    f"is {known}, and output shape is {size}."
                )
            sizes[letter] = known if size is None else size
        unknown = [letter for letter in kernel if sizes.get(letter) is None]
        if unknown:
            raise ValueError(
                f"The size of axis '{unknown[0]}' of the kernel in '{self.equation}' is not known."
            )
        return sizes

    def build(self, input_shape: Shape) -> None:
        sizes = self._sizes(input_shape)
        _, kernel, output = self._terms()
        self._kernel = self.add_weight(
            name="kernel",
            shape=tuple(sizes[letter] for letter in kernel),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.bias_axes is None:
            return
        letters = output.replace("...", "")
        unknown = [letter for letter in self.bias_axes if letter not in letters]
        if unknown:
            raise ValueError(f"Bias dimension '{unknown[0]}' was requested, but is not part of '{output}'")
        first = min(letters.index(letter) for letter in self.bias_axes)
        shape = [sizes[letter] if letter in self.bias_axes else 1 for letter in letters[first:]]
        if output.endswith("..."):
            shape += [1] * (len(input_shape) - len(self._terms()[0].replace("...", "")))
        self.bias = self.add_weight(
            name="bias",
            shape=tuple(shape),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        sizes = self._sizes(input_shape)
        inputs, _, output = self._terms()
        count = len(inputs.replace("...", ""))
        rest = input_shape[:-count] if inputs.startswith("...") else input_shape[count:]
        shape = [sizes[letter] for letter in output.replace("...", "")]
        return (*rest, *shape) if output.startswith("...") else (*shape, *rest)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }
