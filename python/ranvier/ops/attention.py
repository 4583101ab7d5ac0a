"""Dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ranvier.core.unknown_size import agree
from ranvier.ops._common import Value, cast_to, dtype_of, operand, promote, to_bool, where3
from ranvier.ops._emit import emit
from ranvier.ops.activation import softmax
from ranvier.ops.comparison import logical_and
from ranvier.ops.elementwise import add, multiply
from ranvier.ops.indexing import repeat
from ranvier.ops.products import matmul
from ranvier.ops.shaping import transpose


def dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Value:
    """softmax(query key^T * scale + bias) value, for each head (Vaswani et al., 2017).

    Args:
        query: [batch, length, heads, features].
        key: [batch, keys, key heads, features]; the heads are a multiple of the key heads, each of which
            serves as many query heads in turn.
        value: of the key's shape.
        bias: added to the scores; broadcasts to [batch, heads, length, keys].
        mask: where a key counts, broadcast likewise; rows without any key give equal weights.
        scale: None: 1 / sqrt(features).
        is_causal: whether a query meets only keys at its own place or before it.
        flash_attention: must not be True; there is one way of computing.
        attn_logits_soft_cap: must be None.

    Returns:
        A tensor of the query's shape.

    Raises:
        ValueError: for other numbers of axes, shapes that do not fit, or an option that is not offered.
    """
    if flash_attention:
        raise ValueError("dot_product_attention: flash_attention=True is not offered on this backend.")
    if attn_logits_soft_cap is not None:
        raise ValueError("dot_product_attention: attn_logits_soft_cap is not offered on this backend.")
    (q, k, v), dtype = promote(query, key, value, with_types=(float,))
    shapes = [tuple(x.shape) for x in (q, k, v)]
    if not q.ndim == k.ndim == v.ndim == 4:
        raise ValueError(
            "`dot_product_attention` only supports 4D inputs. "
            f"Received: query.shape={shapes[0]}, key.shape={shapes[1]}, value.shape={shapes[2]}."
        )
    groups = q.shape[2] // max(k.shape[2], 1)
    if (
        not agree(k.shape[:3], v.shape[:3])
        or not agree(q.shape[3:], k.shape[3:])
        or groups * k.shape[2] != q.shape[2]
    ):
        raise ValueError(
            "dot_product_attention: the shapes do not fit. "
            f"Received: query.shape={shapes[0]}, key.shape={shapes[1]}, value.shape={shapes[2]}."
        )
    if groups > 1:
        k, v = (repeat(x, groups, axis=2) for x in (k, v))
    factor = 1.0 / math.sqrt(q.shape[3]) if scale is None else scale
    scores = multiply(matmul(transpose(q, (0, 2, 1, 3)), transpose(k, (0, 2, 3, 1))), factor)
    if bias is not None:
        scores = add(scores, cast_to(operand(bias), dtype_of(scores)))
    counts = _counting(mask, is_causal, tuple(scores.shape))
    if counts is not None:
        # Not -inf: a row of nothing but that would be NaN.
        scores = where3(counts, scores, 0.7 * float(np.finfo(dtype_of(scores)).min))
    return cast_to(transpose(matmul(softmax(scores), transpose(v, (0, 2, 1, 3))), (0, 2, 1, 3)), dtype)


def _counting(mask: Any, is_causal: bool, shape: tuple[int, ...]) -> Value | None:
    """Which scores count; None: all."""
    counts = None if mask is None else emit("broadcast_to", to_bool(mask), shape=shape)
    if not is_causal:
        return counts
    before = np.tri(shape[2], shape[3], dtype=bool)
    return before if counts is None else logical_and(counts, before)
