"""Embedding: a learnt vector for each of a number of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ranvier import constraints, initializers, ops, regularizers
from ranvier.core import arguments
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.core.user_code import warn
from ranvier.core.variable import Variable
from ranvier.layers.layer import Layer


class Embedding(Layer):
    """Turns integers from 0 to `input_dim - 1` into rows of a learnt matrix.

    Input shape: any, of integers. Output shape: the same with an axis of size `output_dim` more.

    Args:
        input_dim: how many integers there are.
        output_dim: the size of the vectors.
        embeddings_initializer: the initializer of the matrix, shape `(input_dim, output_dim)`.
        embeddings_regularizer: a regularizer of the matrix.
        embeddings_constraint: a constraint of the matrix.
        mask_zero: whether 0 stands for padding: layers that support masks then leave it out.
        weights: the matrix, or a list that holds it, to begin with.
        lora_rank: must be None; low-rank adaptation is not offered.
        lora_alpha: must be None.
        quantization_config: must be None; quantization is not offered.
        **kwargs: the arguments of `Layer`; the `input_length` of old programs is ignored, with a warning.

    Raises:
        ValueError: for sizes that are not positive integers, an unknown name, or an argument that is not
            offered.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("input_length", None) is not None:
            warn("Argument `input_length` is deprecated. Just remove it.")
        for name, value in (
            ("lora_rank", lora_rank),
            ("lora_alpha", lora_alpha),
            ("quantization_config", quantization_config),
        ):
            if value is not None:
                raise ValueError(f"Embedding does not support `{name}`; it must be None. Received: {value}")
        input_dim = arguments.positive_integer(input_dim, "input_dim")
        output_dim = arguments.positive_integer(output_dim, "output_dim")
        super().__init__(**kwargs)
        self.input_dim, self.output_dim = input_dim, output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        self._embeddings: Variable | None = None
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, (list, tuple)) else [weights])

    @property
    def embeddings(self) -> Variable:
        """The matrix.

        Raises:
            AttributeError: before the layer is built.
        """
        if self._embeddings is None:
            raise AttributeError("You must build the layer before accessing `embeddings`.")
        return self._embeddings

    def build(self, input_shape: Any = None) -> None:
        if self._embeddings is None:
            self._embeddings = self.add_weight(
                name="embeddings",
                shape=(self.input_dim, self.output_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )

    def call(self, inputs: Any) -> Any:
        inputs = ops.convert_to_tensor(inputs)
        if "int" not in str(inputs.dtype):
            inputs = ops.cast(inputs, "int32")
        try:
            return ops.take(self.embeddings, inputs, axis=0)
        except ValueError as error:
            raise ValueError(self._rv_index_error(inputs) or str(error)) from None

    def _rv_index_error(self, inputs: Any) -> str | None:
        """What is wrong with an array of indices, and in which row; None if nothing, or if there are no
        numbers."""
        if not isinstance(inputs, np.ndarray):
            return None
        indices = inputs
        wrong = np.argwhere((indices < -self.input_dim) | (indices >= self.input_dim))
        if not len(wrong):
            return None
        index = indices[tuple(wrong[0])]
        row = f" in row {wrong[0][0]} of its input" if indices.ndim else ""
        return (
            f'Layer "{self.name}" (Embedding) has input_dim={self.input_dim}, so its indices go from 0 to '
            f"{self.input_dim - 1}. Received: {index}{row}. Make `input_dim` larger than the largest index."
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> KerasTensor:
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
            "quantization_config": None,
        }
