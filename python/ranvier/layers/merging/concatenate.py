"""Concatenate: tensors side by side along an axis."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.arguments import integer
from ranvier.core.keras_tensor import Shape
from ranvier.core.user_code import short_traceback
from ranvier.layers.merging.merge import Merge


class Concatenate(Merge):
    """The inputs side by side along an axis. Their other sizes must be equal.

    Args:
        axis: the axis.
        **kwargs: the arguments of `Layer`.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = integer(arguments.plain(axis), "axis")

    def call(self, inputs: Any) -> Any:
        return ops.concatenate(self._check(inputs), axis=self.axis)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = [tuple(shape) for shape in self._check(input_shape)]
        rank = len(shapes[0])
        if any(len(shape) != rank for shape in shapes) or not -rank <= self.axis < rank:
            raise ValueError(
                f"A `Concatenate` layer with axis={self.axis} needs inputs of one rank that has this axis. "
                f"Received: input_shape={shapes}"
            )
        axis = self.axis % rank
        result: list[int | None] = []
        for i, sizes in enumerate(zip(*shapes, strict=True)):
            known = {size for size in sizes if size is not None}
            if i == axis:
                result.append(None if None in sizes else sum(known_sizes(sizes)))
            elif len(known) > 1:
                raise ValueError(
                    "A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
                    f"axis. Received: input_shape={shapes}"
                )
            else:
                result.append(known.pop() if known else None)
        return tuple(result)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The inputs' masks side by side; all True for an input without one. Along the last axis: where any
        of them holds."""
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            if mask is None:
                masks.append(ops.ones_like(x, dtype="bool"))
                continue
            while len(mask.shape) < len(x.shape):
                mask = ops.expand_dims(mask, axis=-1)
            masks.append(ops.broadcast_to(mask, tuple(x.shape)))
        return ops.any(ops.concatenate(masks, axis=self.axis), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axis": self.axis}


def known_sizes(sizes: tuple[int | None, ...]) -> list[int]:
    """The sizes that are known."""
    return [size for size in sizes if size is not None]


@short_traceback
def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Tensors side by side: `Concatenate(axis, **kwargs)(inputs)`.

    Args:
        inputs: a list of tensors.
        axis: the axis.
        **kwargs: the arguments of `Concatenate`.
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
