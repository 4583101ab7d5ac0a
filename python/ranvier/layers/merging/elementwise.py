"""Add, Subtract, Multiply, Average, Maximum and Minimum: elementwise merging layers and their functions."""

from __future__ import annotations

from functools import reduce
from typing import Any

from ranvier import ops
from ranvier.core.user_code import short_traceback
from ranvier.layers.merging.merge import Merge


class Add(Merge):
    """The sum of the inputs, which broadcast.

    Args:
        **kwargs: the arguments of `Layer`.

    Example:
        >>> rv.layers.Add()([x, y])
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.add, inputs)


class Subtract(Merge):
    """The first input minus the second.

    Args:
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: (when called) for other than two inputs.
    """

    def _check(self, inputs: Any) -> list[Any]:
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            count = len(inputs) if isinstance(inputs, (list, tuple)) else 1
            raise ValueError(f"A `Subtract` layer should be called on exactly 2 inputs. Received: {count}")
        return list(inputs)

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.subtract(*inputs)


class Multiply(Merge):
    """The product of the inputs, which broadcast. Masked elements count as 1.

    Args:
        **kwargs: the arguments of `Layer`.
    """

    neutral = 1.0

    def _masked(self, inputs: list[Any]) -> Any:
        return 0.0

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.multiply, inputs)


class Average(Merge):
    """The mean of the inputs, which broadcast.

    Args:
        **kwargs: the arguments of `Layer`.
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return ops.divide(reduce(ops.add, inputs), float(len(inputs)))


class Maximum(Merge):
    """The largest of the inputs at each place; masked elements do not count.

    Args:
        **kwargs: the arguments of `Layer`.
    """

    neutral = -float("inf")

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.maximum, inputs)


class Minimum(Merge):
    """The smallest of the inputs at each place; masked elements do not count.

    Args:
        **kwargs: the arguments of `Layer`.
    """

    neutral = float("inf")

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(ops.minimum, inputs)


@short_traceback
def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of tensors: `Add(**kwargs)(inputs)`.

    Args:
        inputs: a list of tensors.
        **kwargs: the arguments of `Add`.
    """
    return Add(**kwargs)(inputs)


@short_traceback
def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first of two tensors minus the second: `Subtract(**kwargs)(inputs)`.

    Args:
        inputs: a list of two tensors.
        **kwargs: the arguments of `Subtract`.
    """
    return Subtract(**kwargs)(inputs)


@short_traceback
def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of tensors: `Multiply(**kwargs)(inputs)`.

    Args:
        inputs: a list of tensors.
        **kwargs: the arguments of `Multiply`.
    """
    return Multiply(**kwargs)(inputs)


@short_traceback
def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of tensors: `Average(**kwargs)(inputs)`.

    Args:
        inputs: a list of tensors.
        **kwargs: the arguments of `Average`.
    """
    return Average(**kwargs)(inputs)


@short_traceback
def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of tensors at each place: `Maximum(**kwargs)(inputs)`.

    Args:
        inputs: a list of tensors.
        **kwargs: the arguments of `Maximum`.
    """
    return Maximum(**kwargs)(inputs)


@short_traceback
def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of tensors at each place: `Minimum(**kwargs)(inputs)`.

    Args:
        inputs: a list of tensors.
        **kwargs: the arguments of `Minimum`.
    """
    return Minimum(**kwargs)(inputs)
