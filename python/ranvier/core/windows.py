"""Windows that slide over the axes between batch and channels: their sizes, padding and number.

Pooling reads its arguments here, as a convolution does: `amounts` for what may be one number or one for each
axis, `padding_of` for "valid" and "same" in elements, `output_sizes` for the shape of what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier.core import arguments

_PADDINGS = ("valid", "same")


def amounts(name: str, value: Any, rank: int) -> tuple[int, ...]:
    """A positive number for each of `rank` axes.

    Args:
        name: the argument's name, for the message.
        value: one number for all axes, or a sequence with one for each.
        rank: the number of axes.

    Raises:
        ValueError: for anything else.
    """
    value = arguments.plain_sequence(value)
    is_number = arguments.is_integer(value)
    items = (value,) * rank if is_number else value
    if (
        not isinstance(items, (list, tuple))
        or len(items) != rank
        or not all(arguments.is_integer(item) and item > 0 for item in items)
    ):
        raise ValueError(
            f"The `{name}` argument must be a positive integer, or {rank} of them. "
            f"Received: {name}={value}"
        )
    return tuple(int(item) for item in items)


def standardize_padding(padding: Any) -> str:
    """`padding` in lower case.

    Raises:
        ValueError: for anything but "valid" and "same".
    """
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in _PADDINGS:
        raise ValueError(
            f"Argument `padding` must be either 'valid' or 'same'. Received: padding={padding!r}"
        )
    return name


def padding_of(size: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """How many elements of padding an axis has before and after it.

    "same" pads so that there are ceil(size / stride) windows; an odd element of padding comes after.
    """
    if padding == "valid" or size == 0:
        return 0, 0
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def output_sizes(
    sizes: Sequence[int | None], windows: Sequence[int], strides: Sequence[int], padding: str
) -> list[int | None]:
    """How many windows there are along each axis; None where the axis's size is not known.

    Raises:
        ValueError: if a window is larger than its axis with "valid" padding.
    """
    found: list[int | None] = []
    for size, window, stride in zip(sizes, windows, strides, strict=True):
        if size is None:
            found.append(None)
            continue
        space = size + sum(padding_of(size, window, stride, padding))
        if size > 0 and space < window:
            raise ValueError(
                f"Computed output size would be zero or negative: windows of {tuple(windows)} do not fit "
                f"axes of {tuple(sizes)} with strides={tuple(strides)} and padding={padding!r}."
            )
        found.append((space - window) // stride + 1 if size > 0 else 0)
    return found
