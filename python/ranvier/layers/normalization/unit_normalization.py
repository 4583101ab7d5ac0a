"""UnitNormalization: vectors of length 1."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.layers.layer import Layer
from ranvier.layers.normalization.scale_and_shift import check_axes


class UnitNormalization(Layer):
    """Divides by the Euclidean norm along an axis.

    Args:
        axis: the axis, or a list of axes.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for an axis that is not an integer or a list of integers.
        ValueError: (when it is called) for an axis that the inputs do not have.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axis = arguments.plain(axis)
        if isinstance(axis, (list, tuple)):
            self.axis: Any = list(axis)
        elif isinstance(axis, int):
            self.axis = axis
        else:
            raise TypeError(
                "Invalid value for `axis` argument: expected an int or a list/tuple of ints. "
                f"Received: axis={axis!r}"
            )
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any) -> Any:
        inputs = ops.convert_to_tensor(inputs)
        check_axes(self.axis, inputs.shape)
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> Any:
        check_axes(self.axis, input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis}
