"""How much memory the variables of a model may take while it is made from a file."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ranvier.core.context import context


@contextlib.contextmanager
def allowance(nbytes: int, refusal: str) -> Iterator[None]:
    """Inside, this thread makes variables of so many bytes in all and no more.

    Args:
        nbytes: the bytes.
        refusal: how the message of a refusal begins.
    """
    before = context.allowance
    context.allowance = (nbytes, refusal)
    try:
        yield
    finally:
        context.allowance = before


def take(shape: Sequence[int], dtype: str, what: str) -> None:
    """Takes an array's bytes off the allowance, before there is an array.

    Args:
        shape: its shape.
        dtype: its dtype.
        what: what it is for, for the message.

    Raises:
        ValueError: if less is left.
    """
    left = context.allowance
    if left is None:
        return
    nbytes, refusal = left
    nbytes -= math.prod(shape) * np.dtype(dtype).itemsize
    if nbytes < 0:
        raise ValueError(f"{refusal}; {what} of shape {tuple(shape)} does not fit any more.")
    context.allowance = (nbytes, refusal)
