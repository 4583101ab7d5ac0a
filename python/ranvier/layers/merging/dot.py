"""Dot: products of two batches of tensors along an axis of each."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.core.user_code import short_traceback
from ranvier.layers.merging.merge import Merge

_LETTERS = "bcdefghijklmnopqrstuvwxyz"


class Dot(Merge):
    """For each sample, the product of two tensors, summed over an axis of each.

    The result has the first tensor's other axes and then the second's; two vectors give one number, shape
    `(batch, 1)`.

    Args:
        axes: the axis of both tensors, or a pair of axes; the batch axis, 0, cannot be one.
        normalize: whether the tensors are divided by their Euclidean norms along the axes first: the cosine
            of their angle comes out.
        **kwargs: the arguments of `Layer`.

    Raises:
        TypeError: for axes that are neither an integer nor a list or tuple.
        ValueError: for a list of other than two integers, and for the batch axis, 0.
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axes = arguments.plain_sequence(axes)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if not isinstance(axes, (int, list, tuple)) or isinstance(axes, bool):
            raise TypeError(
                f"Argument `axes` must be an integer or a pair of integers. Received: axes={axes!r}"
            )
        if len(pair) != 2 or not all(isinstance(a, int) and not isinstance(a, bool) for a in pair):
            raise ValueError(
                f"Argument `axes` must be an integer or a pair of integers. Received: axes={axes!r}"
            )
        if 0 in pair:
            raise ValueError(f"The batch axis, 0, cannot be one of `axes`. Received: axes={axes!r}")
        self.axes = axes
        self.normalize = normalize

    def _check(self, inputs: Any) -> list[Any]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            count = len(inputs) if isinstance(inputs, (list, tuple)) else 1
            raise ValueError(f"A `Dot` layer should be called on exactly 2 inputs. Received: {count}")
        return list(inputs)

    def _places(self, ranks: list[int]) -> list[int]:
        pair = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        for axis, rank in zip(pair, ranks, strict=True):
            if not -rank < axis < rank:
                raise ValueError(f"Axis {axis} of a `Dot` layer is out of range for an input of rank {rank}.")
        return [axis % rank for axis, rank in zip(pair, ranks, strict=True)]

    def call(self, inputs: Any) -> Any:
        tensors = self._check(inputs)
        places = self._places([len(x.shape) for x in tensors])
        letters = iter(_LETTERS)
        labels = [["a", *(next(letters) for _ in x.shape[1:])] for x in tensors]
        labels[1][places[1]] = labels[0][places[0]]
        summed = labels[0][places[0]]
        if self.normalize:
            tensors = [ops.normalize(x, axis=p) for x, p in zip(tensors, places, strict=True)]
        kept = [letter for letter in (*labels[0], *labels[1][1:]) if letter != summed]
        equation = f"{''.join(labels[0])},{''.join(labels[1])}->{''.join(kept)}"
        result = ops.einsum(equation, *tensors)
        return ops.expand_dims(result, axis=1) if len(kept) == 1 else result

    def compute_output_shape(self, input_shape: Any) -> Shape:
        first, second = (tuple(shape) for shape in self._check(input_shape))
        a, b = self._places([len(first), len(second)])
        if first[a] is not None and second[b] is not None and first[a] != second[b]:
            raise ValueError(
                f"Incompatible input shapes: axis values {first[a]} (at axis {a}) != {second[b]} (at axis "
                f"{b}). Full input shapes: {first}, {second}"
            )
        rest = (*first[:a], *first[a + 1 :], *second[1:b], *second[b + 1 :])
        return rest if len(rest) > 1 else (*rest, 1)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """None: the product counts everywhere."""
        return None

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"axes": self.axes, "normalize": self.normalize}


@short_traceback
def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Products of two batches of tensors: `Dot(axes, **kwargs)(inputs)`.

    Args:
        inputs: a list of two tensors.
        axes: the axis of both, or a pair of axes.
        **kwargs: the arguments of `Dot`.
    """
    return Dot(axes=axes, **kwargs)(inputs)
