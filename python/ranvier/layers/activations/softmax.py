"""Softmax: the softmax function as a layer."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.layer import Layer


class Softmax(Layer):
    """`exp(x) / sum(exp(x))` along an axis.

    Args:
        axis: the axis along which the outputs sum to 1, or several axes.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an axis that is not an integer.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        axis = arguments.plain_sequence(axis)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or not all(map(arguments.is_integer, axes)):
            raise ValueError(f"Argument `axis` must be an integer or a list of such. Received: axis={axis!r}")
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """The softmax of the inputs.

        Args:
            inputs: the scores.
            mask: a bool tensor that broadcasts to the inputs; where it is False the output is 0, and the
                others sum to 1. None: all count.

        Raises:
            ValueError: if the mask does not broadcast to the inputs.
        """
        if mask is None:
            return self._softmax(inputs)
        mask_shape, shape = tuple(mask.shape), tuple(inputs.shape)
        if len(mask_shape) > len(shape) or any(
            m not in (1, s) for m, s in zip(reversed(mask_shape), reversed(shape), strict=False)
        ):
            raise ValueError(
                "The `mask` must be broadcastable to `inputs`. "
                f"Received: inputs.shape={shape}, mask.shape={mask_shape}"
            )
        mask = ops.cast(mask, "bool")
        return ops.where(mask, self._softmax(ops.where(mask, inputs, -1e9)), 0.0)

    def _softmax(self, x: Any) -> Any:
        if not isinstance(self.axis, (list, tuple)):
            return ops.softmax(x, axis=self.axis)
        axes = tuple(self.axis)
        if len(axes) == 1:
            return ops.softmax(x, axis=axes[0])
        return ops.exp(x - ops.logsumexp(x, axis=axes, keepdims=True))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis}
