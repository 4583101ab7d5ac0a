"""Blocks of images and named axes: operations that move elements by a pattern."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ranvier.core.arguments import integer, integers, text
from ranvier.core.dtypes import standardize_data_format
from ranvier.ops._common import Value, dtype_of, is_multiple, operand, positive, reshape_to, transpose_to
from ranvier.ops._emit import emit
from ranvier.ops.indexing import pad, take


def _image(name: str, x: Any, block_size: int, data_format: str | None) -> tuple[Value, int, bool]:
    """An image of four axes, the size of a block, and whether channels come first."""
    value, block = operand(x), integer(block_size, "block_size")
    if block < 2:
        raise ValueError(f"`block_size` must be at least 2. Received: block_size={block_size!r}")
    if value.ndim != 4:
        raise ValueError(f"{name}: expected 4 axes, got shape {tuple(value.shape)}.")
    return value, block, standardize_data_format(data_format) == "channels_first"


def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Value:
    """Blocks of an image as channels: [n, h, w, c] becomes [n, h / b, w / b, b b c].

    With channels first, [n, c, h, w] becomes [n, c b b, h / b, w / b]: a channel's block stays together.

    Args:
        x: [n, h, w, c], or [n, c, h, w] with channels first.
        block_size: b, at least 2.
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: if the height or the width is not a multiple of the block's size.
    """
    value, block, is_first = _image("space_to_depth", x, block_size, data_format)
    n, h, w, c = _sizes(value, is_first)
    if not (is_multiple(h, block) and is_multiple(w, block)):
        raise ValueError(f"space_to_depth: {h} x {w} is not a multiple of block_size={block_size}.")
    rows, columns = h // block, w // block
    if is_first:
        blocks = reshape_to(value, (n, c, rows, block, columns, block))
        return reshape_to(transpose_to(blocks, (0, 1, 3, 5, 2, 4)), (n, block * block * c, rows, columns))
    blocks = reshape_to(value, (n, rows, block, columns, block, c))
    return reshape_to(transpose_to(blocks, (0, 1, 3, 2, 4, 5)), (n, rows, columns, block * block * c))


def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Value:
    """The inverse of `space_to_depth`: channels as blocks of an image; arguments as there.

    Raises:
        ValueError: if the number of channels is not a multiple of the block's.
    """
    value, block, is_first = _image("depth_to_space", x, block_size, data_format)
    n, h, w, c = _sizes(value, is_first)
    if not is_multiple(c, block * block):
        raise ValueError(
            f"depth_to_space: {c} channels are not a multiple of block_size^2 = {block * block}."
        )
    depth = c // (block * block)
    if is_first:
        blocks = reshape_to(value, (n, depth, block, block, h, w))
        return reshape_to(transpose_to(blocks, (0, 1, 4, 2, 5, 3)), (n, depth, h * block, w * block))
    blocks = reshape_to(value, (n, h, w, block, block, depth))
    return reshape_to(transpose_to(blocks, (0, 1, 3, 2, 4, 5)), (n, h * block, w * block, depth))


def _sizes(value: Value, is_first: bool) -> tuple[int, int, int, int]:
    """Images, height, width, channels."""
    n, a, b, c = value.shape
    return (n, b, c, a) if is_first else (n, a, b, c)


# --- sliding windows ---


def _pair(x: Any, name: str) -> tuple[int, int]:
    pair = integers(x, name)
    if len(pair) not in (1, 2):
        raise ValueError(f"`{name}` must be an integer or a pair of them. Received: {name}={x}")
    return pair[0], pair[-1]


class _Windows:
    """The windows over an image: where each of their elements lies in the flattened, padded image."""

    def __init__(
        self, shape: tuple[int, int], kernel_size: Any, dilation: Any, padding: Any, stride: Any
    ) -> None:
        self.kernel, self.padding = _pair(kernel_size, "kernel_size"), _pair(padding, "padding")
        dilations, strides = _pair(dilation, "dilation"), _pair(stride, "stride")
        if min(*self.kernel, *dilations, *strides) < 1 or min(self.padding) < 0:
            raise ValueError(
                "Sizes, dilations and strides of windows must be at least 1, paddings at least 0."
            )
        self.padded = tuple(size + 2 * p for size, p in zip(shape, self.padding, strict=True))
        places = []
        for size, kernel, step, stride_ in zip(self.padded, self.kernel, dilations, strides, strict=True):
            starts = np.arange(0, size - step * (kernel - 1), stride_)
            if not starts.size:
                raise ValueError(f"Windows of {self.kernel} do not fit into an image of {self.padded}.")
            places.append(starts[None, :] + step * np.arange(kernel)[:, None])  # [kernel, windows]
        rows, columns = places
        cells = rows[:, None, :, None] * self.padded[1] + columns[None, :, None, :]
        self.count = rows.shape[1] * columns.shape[1]
        self.places = cells.reshape(-1, self.count)  # [elements of a window, windows]


def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Value:
    """The windows of an image as columns: [n, c, h, w] becomes [n, c * kernel elements, windows].

    Args:
        x: [n, c, h, w].
        kernel_size: the windows' size, an int or a pair, as the following.
        dilation: the distance of a window's elements.
        padding: how many zeros surround the image.
        stride: the distance of windows.

    Raises:
        ValueError: if x has not 4 axes, or the windows do not fit.
    """
    value = operand(x)
    if value.ndim != 4:
        raise ValueError(f"unfold: expected 4 axes, got shape {tuple(value.shape)}.")
    n, c, h, w = value.shape
    windows = _Windows((h, w), kernel_size, dilation, padding, stride)
    rows, columns = windows.padding
    padded = pad(value, ((0, 0), (0, 0), (rows, rows), (columns, columns))) if rows or columns else value
    flat = reshape_to(padded, (n, c, math.prod(windows.padded)))
    return reshape_to(take(flat, windows.places, -1), (n, c * len(windows.places), windows.count))


def fold(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Value:
    """The sum of windows in an image, the transpose of `unfold`; further arguments as there.

    Args:
        x: [n, c * kernel elements, windows].
        output_size: (h, w) of the image.
        kernel_size: the windows' size.
        dilation: the distance of a window's elements.
        padding: how many zeros surround the image.
        stride: the distance of windows.

    Returns:
        [n, c, h, w].

    Raises:
        ValueError: if the shapes do not fit.
    """
    value = operand(x)
    h, w = _pair(output_size, "output_size")
    windows = _Windows((h, w), kernel_size, dilation, padding, stride)
    elements = len(windows.places)
    if value.ndim != 3 or not is_multiple(value.shape[1], elements) or value.shape[2] != windows.count:
        raise ValueError(
            f"fold: expected [n, c * {elements}, {windows.count}] for these windows, got {value.shape}."
        )
    n, c = value.shape[0], value.shape[1] // elements
    columns = transpose_to(reshape_to(value, (n, c, elements * windows.count)), (2, 0, 1))
    base = np.zeros((math.prod(windows.padded), n, c), dtype_of(value))
    image = emit("scatter_update", base, windows.places.reshape(-1), columns, mode=1)
    image = reshape_to(transpose_to(image, (1, 2, 0)), (n, c, *windows.padded))
    rows, cols = windows.padding
    return emit("slice", image, begin=[0, 0, rows, cols], size=[n, c, h, w], stride=[1] * 4)


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Value:
    """Overlapping pieces of the last axis.

    Args:
        x: [..., length].
        sequence_length: the length of a piece.
        sequence_stride: how far the next one begins behind the one before it.

    Returns:
        [..., pieces, sequence_length]; what is left at the end is dropped.

    Raises:
        ValueError: for a length or stride below 1, or a scalar.
    """
    value = operand(x)
    length = positive("sequence_length", sequence_length)
    stride = positive("sequence_stride", sequence_stride)
    if value.ndim == 0:
        raise ValueError("extract_sequences: expected a tensor of at least 1 axis, got a scalar.")
    starts = np.arange(0, value.shape[-1] - length + 1, stride)
    return take(value, starts[:, None] + np.arange(length), -1)


# --- named axes ---


def _groups(side: str) -> list[list[str]]:
    """The axes of one side of a pattern; names in parentheses form one axis."""
    tokens = re.findall(r"\(|\)|\.\.\.|\w+|\S", side)
    groups: list[list[str]] = []
    is_open = False
    for token in tokens:
        if token in "()":
            if is_open == (token == "("):
                raise ValueError(f"rearrange: the parentheses of {side!r} do not match.")
            is_open = token == "("
            if is_open:
                groups.append([])
        elif not (token.isidentifier() or token == "..."):
            raise ValueError(f"rearrange: unexpected {token!r} in {side!r}: axes are names.")
        elif is_open:
            groups[-1].append(token)
        else:
            groups.append([token])
    if is_open:
        raise ValueError(f"rearrange: the parentheses of {side!r} do not match.")
    return groups


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Value:
    """Reorders, splits and joins axes by names.

    Args:
        tensor: a tensor.
        pattern: the axes before and after: "b (h w) c -> b c h w". Names in parentheses are one axis of the
            tensor, the first varying slowest.
        **axes_lengths: lengths of names; of those in parentheses one may be left out.

    Example:
        >>> ops.rearrange(np.zeros((2, 6)), "a (b c) -> c a b", b=3).shape
        (2, 2, 3)

    Raises:
        ValueError: if the pattern does not fit the tensor, or names differ between its sides.
    """
    value = operand(tensor)
    sides = [_groups(side) for side in text(pattern, "pattern").split("->")]
    if len(sides) != 2:
        raise ValueError(f"rearrange: expected one '->' in the pattern {pattern!r}.")
    before, after = ([name for group in side for name in group] for side in sides)
    if sorted(before) != sorted(after) or len(set(before)) != len(before):
        raise ValueError(f"rearrange: each name must stand once on both sides of {pattern!r}.")
    if "..." in before:
        raise ValueError("rearrange: '...' is not offered; name the axes.")
    if len(sides[0]) != value.ndim:
        raise ValueError(f"rearrange: {pattern!r} does not fit a tensor of shape {tuple(value.shape)}.")
    lengths = _lengths(sides[0], tuple(value.shape), axes_lengths, pattern)
    parts = reshape_to(value, [lengths[name] for name in before])
    moved = transpose_to(parts, [before.index(name) for name in after])
    return reshape_to(moved, [math.prod(lengths[name] for name in group) for group in sides[1]])


def _lengths(groups: list[list[str]], shape: Any, given: dict[str, int], pattern: str) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for group, size in zip(groups, shape, strict=True):
        known = {name: integer(given[name], name) for name in group if name in given}
        missing = [name for name in group if name not in known]
        product = math.prod(known.values())
        divides = is_multiple(size, product) if product else not size
        if len(missing) > 1 or (product == 0 and missing) or not divides:
            raise ValueError(
                f"rearrange: an axis of {size} does not split into {group} with {given} in {pattern!r}."
            )
        if not missing and product != size:
            raise ValueError(f"rearrange: an axis of {size} is not {group} with {given} in {pattern!r}.")
        lengths |= known | dict.fromkeys(missing, size // product)
    unknown = given.keys() - lengths.keys()
    if unknown:
        raise ValueError(f"rearrange: {sorted(unknown)} do not stand in {pattern!r}.")
    return lengths
