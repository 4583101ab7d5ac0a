"""Input and InputLayer: the description of what goes into a model."""

from __future__ import annotations

from typing import Any

from ranvier.core import dtypes
from ranvier.core.keras_tensor import KerasTensor, Shape, standardize_shape
from ranvier.core.operation import Node
from ranvier.core.user_code import short_traceback, warn
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
        input_tensor: a KerasTensor, which becomes the layer's output: what was computed from it then begins
            here.
        optional: whether the input may be None.
        name: the layer's name.

    Raises:
        ValueError: if both `shape` and `batch_shape` or none of them is given, for arguments that are not
            those of `input_tensor`, and for sparse or ragged inputs.
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
        if "input_shape" in kwargs:
            warn("Argument `input_shape` is deprecated. Use `shape` instead.")
            shape = kwargs.pop("input_shape")
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            given = {"shape": shape, "batch_size": batch_size, "batch_shape": batch_shape, "dtype": dtype}
            _check_tensor(input_tensor, given)
            shape, batch_size = None, None
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
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
        Node(self, (), {}, output if input_tensor is None else input_tensor)
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


def _check_tensor(tensor: Any, given: dict[str, Any]) -> None:
    """Checks that what was given beside an `input_tensor` describes it."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"Argument `input_tensor` must be a KerasTensor. Received: {tensor!r} (of type {type(tensor)})"
        )
    has = {
        "shape": tensor.shape[1:],
        "batch_size": tensor.shape[0] if tensor.shape else None,
        "batch_shape": tensor.shape,
        "dtype": tensor.dtype,
    }
    for name, value in given.items():
        value = tuple(value) if isinstance(value, list) else value
        if value is not None and value != has[name]:
            raise ValueError(
                f"The `{name}` beside an `input_tensor` must be that of the tensor, {has[name]}. "
                f"Received: {name}={value}"
            )


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
        tensor: a KerasTensor that is to be the input: what was computed from it then begins there.
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
