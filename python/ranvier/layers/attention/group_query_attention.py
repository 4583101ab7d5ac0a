"""GroupQueryAttention: attention whose query heads share key and value heads."""

from __future__ import annotations

import math
from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.attention.projected_attention import ProjectedAttention


class GroupQueryAttention(ProjectedAttention):
    """Attention in which each key and value head serves a group of query heads (Ainslie et al., 2023).

    One key and value head is multi-query attention, as many as query heads is multi-head attention.

    Call arguments:
        query: shape `(batch, Tq, dim)`.
        value: shape `(batch, Tv, dim)`.
        key: shape `(batch, Tv, dim)`; None: the values.
        query_mask: bool, `(batch, Tq)`; None: the mask the query carries. A masked query has weights 0.
        value_mask: bool, `(batch, Tv)`, which values count; None: the mask the values carry.
        key_mask: the same of the keys.
        attention_mask: bool, shape `(batch, Tq, Tv)` or one that broadcasts to it: where a query may read.
        return_attention_scores: whether the weights, `(batch, num_query_heads, Tq, Tv)`, are returned too.
        training: whether weights are dropped.
        use_causal_mask: whether a query reads only from positions up to its own.

    Args:
        head_dim: the size of a head's queries, keys and values.
        num_query_heads: the number of query heads.
        num_key_value_heads: the number of key and value heads, a divisor of `num_query_heads`.
        dropout: the share of weights that are dropped while training, from 0 to 1.
        use_bias: whether the projections have biases.
        sliding_window: a query reads only from keys less than so many places away; None: from all.
        flash_attention: None or False; the fused kernel it asks for is not offered.
        kernel_initializer: the initializer of the projections' kernels.
        bias_initializer: the initializer of their biases.
        kernel_regularizer: a regularizer of the kernels.
        bias_regularizer: a regularizer of the biases.
        activity_regularizer: a regularizer of the output, and of each projection's.
        kernel_constraint: a constraint of the kernels.
        bias_constraint: a constraint of the biases.
        use_gate: whether the heads are multiplied by the sigmoid of a projection of the query.
        seed: an integer that fixes what is dropped; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes that are not positive integers or do not divide, an argument that is not
            offered, and (when it is called) for shapes or masks that do not fit.
    """

    _rv_place_name = "grouped_query_attention"  # the name of the class inside Keras

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            dropout=dropout,
            use_bias=use_bias,
            sliding_window=sliding_window,
            flash_attention=flash_attention,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            projection_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            use_gate=use_gate,
            seed=seed,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        head_dim = arguments.positive_integer(head_dim, "head_dim")
        num_query_heads = arguments.positive_integer(num_query_heads, "num_query_heads")
        num_key_value_heads = arguments.positive_integer(num_key_value_heads, "num_key_value_heads")
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads!r}"
            )
        self.head_dim = head_dim
        self.num_query_heads = num_query_heads
        self.num_key_value_heads = num_key_value_heads

    def _build_heads(self, query_shape: Shape, value_shape: Shape, key_shape: Shape) -> None:
        for name, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if len(shape) != 3:
                raise ValueError(
                    f"The {name} must have the shape (batch, length, features). Received: {shape}"
                )
        equation = "abx,xyz->abyz"
        asked = (None, self.num_query_heads, self.head_dim)
        shared = (None, self.num_key_value_heads, self.head_dim)
        self._query_dense = self._projection("query", equation, asked, "yz", query_shape)
        self._key_dense = self._projection("key", equation, shared, "yz", key_shape)
        if self.use_gate:
            self._gate_dense = self._projection("gate", equation, asked, "yz", query_shape)
        self._value_dense = self._projection("value", equation, shared, "yz", value_shape)
        self._output_dense = self._projection(
            "attention_output",
            "abyz,yzx->abx",
            (None, query_shape[-1]),
            "x",
            (*query_shape[:2], *asked[1:]),
        )
        self._build_weighing(1)

    def _allowed(self, query: Any, value: Any, masks: list[Any], attention_mask: Any, causal: bool) -> Any:
        allowed = super()._allowed(query, value, masks, attention_mask, causal)
        if masks[0] is None:
            return allowed
        asked = ops.cast(ops.expand_dims(masks[0], axis=-1), "bool")
        return asked if allowed is None else ops.logical_and(allowed, asked)

    def _attend(self, query: Any, key: Any, value: Any, allowed: Any) -> tuple[Any, Any]:
        batch, length, heads, size = query.shape
        groups = self.num_key_value_heads
        query = ops.multiply(query, 1.0 / math.sqrt(size))
        query = ops.reshape(query, (batch, length, groups, heads // groups, size))
        scores = ops.einsum("bqgrd,bkgd->bgrqk", query, key)
        weights, used = self._weights(ops.reshape(scores, (batch, heads, length, -1)), allowed)
        used = ops.reshape(used, scores.shape)
        result = ops.einsum("bgrqk,bkgd->bqgrd", used, value)
        return ops.reshape(result, (batch, length, heads, size)), weights

    def _scores_shape(self, query_shape: Shape, value_shape: Shape) -> Shape:
        return (query_shape[0], self.num_query_heads, query_shape[1], value_shape[1])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }
