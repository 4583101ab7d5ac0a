"""Pooling: the mean or the maximum of windows over images."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ranvier.core import windows
from ranvier.core.dtypes import standardize_data_format
from ranvier.ops._common import Value, as_float, cast_to, dtype_of, operand, reshape_to
from ranvier.ops._emit import emit

_FLOATS = ("float32", "float64")


def _axes(name: str, value: Value, data_format: str | None) -> tuple[int, int]:
    """The first of the images' own axes, and how many there are."""
    rank = value.ndim - 2
    if not 1 <= rank <= 3:
        raise ValueError(
            f"{name}: expected a batch of images with 1 to 3 axes and channels, 3 to 5 axes in all. "
            f"Received: inputs.shape={tuple(value.shape)}"
        )
    return (2 if standardize_data_format(data_format) == "channels_first" else 1), rank


def _over(op: str, value: Value, first: int, rank: int, **attributes: Any) -> Value:
    """A pooling operation over `rank` axes from `first` on.

    The core takes one axis before them and one after. Channels that come first count as images, so nothing
    moves.
    """
    shape = tuple(value.shape)
    before, axes, after = shape[:first], shape[first : first + rank], shape[first + rank :]
    result = emit(op, reshape_to(value, (math.prod(before), *axes, math.prod(after))), **attributes)
    return reshape_to(result, (*before, *result.shape[1:-1], *after))


def _in_floats(name: str, inputs: Any, pool: Callable[[Value], Value]) -> Value:
    """Pools numbers that floats hold exactly, in their own dtype."""
    value = operand(inputs)
    dtype = dtype_of(value)
    if dtype == "int64":
        raise TypeError(f"{name}: int64 is not offered. Cast the inputs to int32 or to a float.")
    return cast_to(pool(value if dtype in _FLOATS else cast_to(value, "float64")), dtype)


def _pool(
    op: str, value: Value, pool_size: Any, strides: Any, padding: str, data_format: str | None
) -> Value:
    first, rank = _axes(op, value, data_format)
    window = windows.amounts("pool_size", pool_size, rank)
    stride = window if strides is None else windows.amounts("strides", strides, rank)
    padding = windows.standardize_padding(padding)
    sizes = value.shape[first : first + rank]
    windows.output_sizes(sizes, window, stride, padding)
    amounts = [windows.padding_of(*axis, padding) for axis in zip(sizes, window, stride, strict=True)]
    before, after = zip(*amounts, strict=True)
    return _over(op, value, first, rank, window=window, stride=stride, before=before, after=after)


def max_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """The largest element of each window; NaN where a window holds one.

    The gradient goes to the first of a window's largest elements.

    Args:
        inputs: `(batch, axes..., channels)`, or with the channels before the axes; 1 to 3 axes. Integers keep
            their dtype.
        pool_size: the size of a window, a number for all axes or one for each.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid": no padding; "same": so much around the image, as evenly as it goes, that there are
            ceil(size / stride) windows. Padding is never the largest.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.

    Returns:
        A tensor of the same rank and dtype, with one element for each window.

    Raises:
        ValueError: for sizes below 1, an unknown padding, another number of axes, or a window larger than the
            image with "valid".
        TypeError: for int64.

    Example:
        >>> ops.max_pool(np.array([[[1.0], [3.0], [2.0], [0.0]]]), 2).ravel()
        array([3., 2.])
    """

    def pool(value: Value) -> Value:
        return _pool("max_pool", value, pool_size, strides, padding, data_format)

    return _in_floats("max_pool", inputs, pool)


def average_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Value:
    """The mean of each window. Padding does not count: windows at the border are means of fewer elements.

    Args:
        inputs: as for `max_pool`; integers become floats.
        pool_size: the size of a window, a number for all axes or one for each.
        strides: how far windows are apart, likewise; None: `pool_size`.
        padding: "valid" or "same", as for `max_pool`.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.

    Returns:
        A tensor of the same rank, with one element for each window.

    Raises:
        ValueError: as `max_pool`.
    """
    return _pool("average_pool", as_float(inputs), pool_size, strides, padding, data_format)


def _adaptive_pool(name: str, op: str, value: Value, output_size: Any, data_format: str | None) -> Value:
    """One axis after the other, as Keras does: so equal maxima send their gradients to the same places."""
    first, rank = _axes(name, value, data_format)
    sizes = windows.amounts("output_size", output_size, rank)
    if 0 in value.shape[first : first + rank]:
        raise ValueError(f"{name}: the images have no elements. Received: inputs.shape={tuple(value.shape)}")
    for axis, size in enumerate(sizes, start=first):
        value = _over(op, value, axis, 1, output=(size,))
    return value


def adaptive_average_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Value:
    """The means of windows that divide the images into a given number of parts.

    Along an axis of `s` elements, window `i` of `n` covers floor(i s / n) to ceil((i + 1) s / n): windows may
    overlap, and their sizes differ by at most 1.

    Args:
        inputs: `(batch, axes..., channels)`, or with the channels before the axes; 1 to 3 axes. Integers
            become floats.
        output_size: how many windows, a number for all axes or one for each.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.

    Returns:
        A tensor of the same rank, whose axes have `output_size` elements.

    Raises:
        ValueError: for sizes below 1, or another number of axes.
    """
    return _adaptive_pool("adaptive_average_pool", "average_pool", as_float(inputs), output_size, data_format)


def adaptive_max_pool(inputs: Any, output_size: Any, data_format: str | None = None) -> Value:
    """The maxima of windows that divide the images into a given number of parts.

    Args:
        inputs: as for `adaptive_average_pool`; integers keep their dtype.
        output_size: how many windows, a number for all axes or one for each.
        data_format: "channels_last" or "channels_first"; None: `image_data_format()`.

    Returns:
        A tensor of the same rank and dtype, whose axes have `output_size` elements.

    Raises:
        ValueError: for sizes below 1, or another number of axes.
        TypeError: for int64.
    """

    def pool(value: Value) -> Value:
        return _adaptive_pool("adaptive_max_pool", "max_pool", value, output_size, data_format)

    return _in_floats("adaptive_max_pool", inputs, pool)
