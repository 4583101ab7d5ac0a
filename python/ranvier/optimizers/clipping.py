"""Limits on the length of gradients (Pascanu et al., 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops


def clip_by_norm(gradient: Any, limit: float) -> Any:
    """The gradient, scaled down to the length `limit` if it is longer."""
    norm = ops.sqrt(ops.sum(ops.square(gradient)))
    return gradient * (limit / ops.maximum(norm, limit))


def clip_by_global_norm(grads: Sequence[Any], limit: float) -> list[Any]:
    """The gradients, all scaled by one factor if together they are longer than `limit`.

    If their length is not finite, all become NaN: half an update would hide the failure.
    """
    total = ops.sum(ops.square(grads[0]))
    for gradient in grads[1:]:
        total = total + ops.sum(ops.square(gradient))
    norm = ops.sqrt(total)
    factor = limit / ops.maximum(norm, limit) + ops.subtract(norm, norm)
    return [gradient * factor for gradient in grads]
