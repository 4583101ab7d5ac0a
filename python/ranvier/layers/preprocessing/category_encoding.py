"""CategoryEncoding: class numbers as one-hot, multi-hot or count vectors."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.layers.preprocessing.from_lists import FromLists


class CategoryEncoding(FromLists):
    """Turns integers from 0 to `num_tokens - 1` into vectors of that size.

    Args:
        num_tokens: how many integers there are.
        output_mode: "one_hot": a vector for each integer; "multi_hot": one for each sample, with 1 for each
            integer that it holds; "count": one for each sample, that says how often it holds each integer.
        sparse: must be False; sparse tensors are not offered.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an unknown mode, a missing or invalid number, or `sparse=True`.
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if output_mode == "binary":
            output_mode = "multi_hot"
        if output_mode not in ("count", "one_hot", "multi_hot"):
            raise ValueError(
                "Unknown argument `output_mode`, expected one of ('count', 'one_hot', 'multi_hot'). "
                f"Received: output_mode={output_mode!r}"
            )
        num_tokens = arguments.plain(num_tokens)
        if num_tokens is None or num_tokens < 1:
            raise ValueError(f"`num_tokens` must be set to a positive integer. Received: {num_tokens}")
        if sparse:
            raise ValueError("Argument `sparse=True` is not supported: tensors are dense here.")
        self.num_tokens = num_tokens
        self.output_mode = output_mode
        self.autocast = False

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        """The encoded inputs.

        Args:
            inputs: integers.
            count_weights: for the mode "count", how much each integer counts; of the inputs' shape.

        Raises:
            ValueError: for weights in another mode.
        """
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                "`count_weights` is not used when `output_mode` is not 'count'. "
                f"Received: count_weights={count_weights!r}"
            )
        inputs = ops.convert_to_tensor(inputs)
        numbers = inputs if "int" in str(inputs.dtype) else ops.cast(inputs, "int32")
        shape = tuple(numbers.shape)
        if self.output_mode == "one_hot":
            if shape and shape[-1] == 1:
                numbers = ops.squeeze(numbers, axis=-1)
            return ops.one_hot(numbers, self.num_tokens, dtype=self.compute_dtype)
        encoded = ops.one_hot(numbers, self.num_tokens, dtype=self.compute_dtype)
        if self.output_mode == "multi_hot":
            return ops.max(encoded, axis=-2)
        if count_weights is not None:
            encoded = encoded * ops.expand_dims(ops.cast(count_weights, self.compute_dtype), -1)
        return ops.sum(encoded, axis=-2)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self.output_mode != "one_hot":
            return (*input_shape[:-1], self.num_tokens)
        shape = input_shape[:-1] if input_shape and input_shape[-1] == 1 else input_shape
        return (*shape, self.num_tokens)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> KerasTensor:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"num_tokens": self.num_tokens, "output_mode": self.output_mode}
