"""Masks of attention: which query may read from which key."""

from __future__ import annotations

from typing import Any

from ranvier import ops


def causal_mask(queries: int, keys: int) -> Any:
    """A bool tensor of shape `(queries, keys)`, True where the key is not after the query."""
    return ops.greater_equal(ops.expand_dims(ops.arange(queries), axis=1), ops.arange(keys))


def window_mask(queries: int, keys: int, size: int) -> Any:
    """A bool tensor of shape `(queries, keys)`, True where the key is less than `size` places away."""
    distance = ops.subtract(ops.expand_dims(ops.arange(queries), axis=1), ops.arange(keys))
    return ops.less(ops.absolute(distance), size)


def all_of(masks: list[Any]) -> Any:
    """The conjunction of masks that broadcast to each other; None of none."""
    result = None
    for mask in masks:
        mask = ops.cast(mask, "bool")
        result = mask if result is None else ops.logical_and(result, mask)
    return result
