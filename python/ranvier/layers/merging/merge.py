"""Merge: the base of layers that turn several tensors into one, element by element."""

from __future__ import annotations

from functools import reduce
from typing import Any

from ranvier import ops
from ranvier.core import tree
from ranvier.core.arguments import shown
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.core.masks import get_mask, set_mask
from ranvier.layers.layer import Layer


def broadcast_shapes(first: Shape, second: Shape) -> Shape:
    """The shape of an elementwise result; unknown sizes fit anything.

    Raises:
        ValueError: if the shapes do not broadcast.
    """
    if len(first) > len(second):
        first, second = second, first
    result = list(second[: len(second) - len(first)])
    for a, b in zip(first, second[len(second) - len(first) :], strict=True):
        if a is None or b is None:
            result.append(None if a == b or 1 in (a, b) else (a if b is None else b))
        elif a != b and 1 not in (a, b):
            raise ValueError(f"Inputs have incompatible shapes. Received shapes {first} and {second}")
        else:
            result.append(b if a == 1 else a)
    return tuple(result)


class Merge(Layer):
    """The base of elementwise merging layers. A subclass implements `_merge(tensors)`.

    Tensors of fewer axes than others get axes of size 1 after the batch axis; then they broadcast.

    Args:
        **kwargs: the arguments of `Layer`.
    """

    fewest = 1  # inputs

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge(self, inputs: list[Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not implement `_merge`.")

    def _check(self, inputs: Any) -> list[Any]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < self.fewest:
            came = f"a list of {len(inputs)}" if isinstance(inputs, (list, tuple)) else "one tensor"
            raise ValueError(
                f"A `{type(self).__name__}` layer should be called on a list of at least {self.fewest} "
                f"input(s), as in `{type(self).__name__}()([a, b])`. Received: {came}."
            )
        return list(inputs)

    def _tensors(self, inputs: Any) -> list[Any]:
        tensors = self._check(inputs)
        for x in tensors:
            if not hasattr(x, "shape"):
                raise ValueError(
                    f"A `{type(self).__name__}` layer should be called on a list of tensors. One of them is "
                    f"none: {shown(x)}"
                )
        return tensors

    def build(self, input_shape: Any) -> None:
        if isinstance(input_shape, tuple) and (not input_shape or not isinstance(input_shape[0], tuple)):
            self._check(None)
        self.compute_output_shape(input_shape)

    # What a masked element counts as; None: masks do not change the values.
    neutral: float | None = None

    def call(self, inputs: Any) -> Any:
        tensors = self._tensors(inputs)
        rank = max(len(x.shape) for x in tensors)
        masks = [get_mask(x) for x in tensors]
        raised = [_raise_rank(x, rank) for x in tensors]
        if self.neutral is None or all(mask is None for mask in masks):
            return self._merge(raised)
        wide = [None if mask is None else ops.expand_dims(mask, -1) for mask in masks]
        outputs = self._merge(
            [x if m is None else ops.where(m, x, self.neutral) for x, m in zip(raised, wide, strict=True)]
        )
        if any(mask is None for mask in wide):
            return outputs
        return ops.where(reduce(ops.logical_or, wide), outputs, self._masked(raised))

    def _masked(self, inputs: list[Any]) -> Any:
        """What stands where every input is masked."""
        return inputs[0]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = [tuple(shape) for shape in self._check(input_shape)]
        rank = max(map(len, shapes))
        batches = {shape[0] for shape in shapes if shape and shape[0] is not None}
        if len(batches) > 1:
            raise ValueError(f"Cannot merge tensors with different batch sizes. Received shapes {shapes}")
        result: Shape | None = None
        for shape in shapes:
            raised = (*shape[:1], *([1] * (rank - len(shape))), *shape[1:])
            result = raised if result is None else broadcast_shapes(result, raised)
        assert result is not None
        return result

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> KerasTensor:
        shape = self.compute_output_shape([x.shape for x in self._tensors(inputs)])
        return KerasTensor(shape, dtype=self.compute_dtype)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Where any input's mask holds; None if one of them has none."""
        masks = tree.flatten(previous_mask)
        if any(mask is None for mask in masks):
            return None
        return reduce(ops.logical_or, masks)


def _raise_rank(x: Any, rank: int) -> Any:
    missing = rank - len(x.shape)
    if not missing:
        return x
    shape = tuple(x.shape)
    raised = ops.reshape(x, (*shape[:1], *([1] * missing), *shape[1:]))
    if get_mask(x) is not None:
        set_mask(raised, get_mask(x))
    return raised
