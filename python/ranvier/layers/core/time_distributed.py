"""TimeDistributed: one layer for every timestep."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core.keras_tensor import Shape
from ranvier.layers.call import call_signature
from ranvier.layers.core.wrapper import Wrapper
from ranvier.layers.layer import Layer


class TimeDistributed(Wrapper):
    """Applies a layer to each timestep: the axis after the batch axis is treated like the batch.

    Args:
        layer: the layer.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: if `layer` is not a layer, (when it is built) for inputs of fewer than three axes, and
            (when it is called) for a mask of another batch or time axis than the inputs'.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        super().build(self._child(input_shape))

    def _child(self, input_shape: Any) -> Shape:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 dimensions, "
                f"received: {input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        shape = tuple(inputs.shape)
        if mask is not None and tuple(mask.shape)[:2] != shape[:2]:
            raise ValueError(
                "The mask of a `TimeDistributed` layer begins with the inputs' batch and time axes, "
                f"{shape[:2]}. Received: inputs.shape={shape}, mask.shape={tuple(mask.shape)}"
            )
        kwargs: dict[str, Any] = {}
        if mask is not None and call_signature(type(self.layer).call).mask is not None:
            kwargs["mask"] = ops.reshape(mask, (-1, *tuple(mask.shape)[2:]))
        if training and self.layer.non_trainable_weights:  # statistics of the batch are a timestep's own
            steps = [self._step(inputs[:, i], mask, i) for i in range(shape[1])]
            return ops.stack(steps, axis=1)
        outputs = self.layer(ops.reshape(inputs, (shape[0] * shape[1], *shape[2:])), **kwargs)
        return ops.reshape(outputs, (shape[0], shape[1], *tuple(outputs.shape)[1:]))

    def _step(self, x: Any, mask: Any, i: int) -> Any:
        takes_mask = mask is not None and call_signature(type(self.layer).call).mask is not None
        return self.layer(x, mask=mask[:, i]) if takes_mask else self.layer(x)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        inner = self.layer.compute_output_shape(self._child(input_shape))
        return (inner[0], input_shape[1], *inner[1:])
