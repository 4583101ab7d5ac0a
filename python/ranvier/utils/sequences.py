"""Sequences of different lengths."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ranvier.core.arguments import refuse_long_and_empty
from ranvier.core.user_code import short_traceback

End = Literal["pre", "post"]


@short_traceback
def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: End = "pre",
    truncating: End = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """One array of sequences of different lengths: short ones are filled up, long ones cut.

    Args:
        sequences: a list of sequences. Their items are numbers, or arrays of one common shape.
        maxlen: the length that all get; None: that of the longest.
        dtype: the result's type; items are converted as NumPy converts them.
        padding: where short sequences are filled up: "pre" (before them) or "post".
        truncating: where long ones lose items: "pre" (at the beginning) or "post".
        value: what they are filled up with.

    Returns:
        An array of shape `(len(sequences), maxlen, *item_shape)`.

    Raises:
        ValueError: if `sequences` is no list of sequences, if the items differ in shape, or for an argument
            that is not understood.

    Example:
        >>> pad_sequences([[1], [2, 3]])
        array([[0, 1],
               [2, 3]], dtype=int32)
    """
    for name, end in (("padding", padding), ("truncating", truncating)):
        if end not in ("pre", "post"):
            raise ValueError(f"Argument `{name}` must be 'pre' or 'post'. Received: {name}={end!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"Argument `sequences` must be a list of sequences. Received: {sequences!r}")
    if isinstance(sequences, np.ndarray):
        refuse_long_and_empty(sequences)
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"Argument `sequences` must be a list of sequences. Received at position {i}: {sequence!r}"
            )
    if isinstance(value, str) and np.dtype(dtype) != object and not np.issubdtype(dtype, np.str_):
        raise ValueError(f"Argument `value` is a string, which dtype {dtype} does not hold: {value!r}")
    length = max(map(len, sequences), default=0) if maxlen is None else maxlen
    item_shape = next((np.shape(sequence)[1:] for sequence in sequences if len(sequence)), ())
    result = np.full((len(sequences), length, *item_shape), value, dtype)
    for i, sequence in enumerate(sequences):
        kept = sequence[:length] if truncating == "post" else sequence[max(len(sequence) - length, 0) :]
        if not len(kept):
            continue
        items = np.asarray(kept, dtype)
        if items.shape[1:] != item_shape:
            raise ValueError(
                f"The items of all sequences must have one shape. Expected {item_shape}, as in the first; "
                f"received {items.shape[1:]} at position {i}."
            )
        place = slice(len(items)) if padding == "post" else slice(length - len(items), length)
        result[i, place] = items
    return result
