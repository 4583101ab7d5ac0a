"""Input and InputLayer: the description of what goes into a model."""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.core.keras_tensor import KerasTensor, Shape, standardize_shape
from ranvier.core.operation import Node
from ranvier.core.user_code import short_traceback
from ranvier.layers.layer import Layer


class InputLayer(Layer):
    """The entry of a model: a shape and a dtype.

    Args:
        shape: the input's shape without the batch dimension.
        batch_size: the batch size, where it is fixed.
        dtype: the input's dtype; None: `floatx()`.
        sparse: must be None or False.
        ragged: must be None or False.
        batch_shape: the shape with the batch dimension, in place of `shape` and `batch_size`.
        input_tensor: a KerasTensor to take the description from.
        optional: whether the input may be None.
        name: the layer's name.

    Raises:
        ValueError: if both `shape` and `batch_shape` or none of them is given, and for sparse or ragged
            inputs.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            if not isinstance(input_tensor, KerasTensor):
                raise ValueError(f"Argument `input_tensor` must be a KerasTensor. Received: {input_tensor}")
            batch_shape = input_tensor.shape if batch_shape is None else batch_shape
            dtype = input_tensor.dtype if dtype is None else dtype
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if batch_size is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `batch_size` and `batch_shape` at the same time.")
        if shape is None and batch_shape is None:
            raise ValueError("You must pass a `shape` argument.")
        if shape is not None:
            batch_shape = (batch_size, *standardize_shape(shape))
        self.batch_shape: Shape = standardize_shape(batch_shape)
        self._input_dtype = dtypes.standardize_dtype(dtype)
        self.optional = optional
        output = KerasTensor(self.batch_shape, self._input_dtype, sparse or False, ragged or False, name=name)
        Node(self, (), {}, output)
        self.sparse = self.ragged = False
        self.built = True

    @property
    def dtype(self) -> str:
        """The input's dtype."""
        return self._input_dtype

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        Node(self, (), {}, KerasTensor(self.batch_shape, self._input_dtype, name=self.name))

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return self.batch_shape

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


@short_traceback
def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic input: where a functional model begins, or the first item of a Sequential model.

    Args:
        shape: the shape without the batch dimension, such as `(28, 28)`; None entries are unknown sizes.
        batch_size: the batch size, where it is fixed.
        dtype: the dtype; None: `floatx()`.
        sparse: must be None or False.
        ragged: must be None or False.
        batch_shape: the shape with the batch dimension, in place of `shape` and `batch_size`.
        name: a name.
        tensor: a KerasTensor to take the description from.
        optional: whether the input may be None.

    Raises:
        ValueError: as `InputLayer`.
    """
    return InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
    ).output
