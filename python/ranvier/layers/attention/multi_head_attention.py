"""MultiHeadAttention: attention by several heads, each in a projection of its own."""

from __future__ import annotations

import math
import string
from typing import Any

from ranvier import ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import Shape
from ranvier.layers.attention.projected_attention import ProjectedAttention
from ranvier.layers.core.einsum_dense import EinsumDense


class MultiHeadAttention(ProjectedAttention):
    """Attention of `num_heads` heads (Vaswani et al., 2017).

    Queries, keys and values are projected for each head; a head's weights are
    `softmax(query . key / sqrt(key_dim))`; the heads' means of the values are projected to the outputs.

    Call arguments:
        query: shape `(batch, Tq, dim)`; with `attention_axes` more axes may stand between the first and last.
        value: shape `(batch, Tv, dim)`.
        key: shape `(batch, Tv, dim)`; None: the values.
        query_mask: bool, `(batch, Tq)`; accepted as in Keras; it changes nothing (the outputs carry the
            query's own mask).
        value_mask: bool, `(batch, Tv)`, which values count; None: the mask the values carry.
        key_mask: the same of the keys.
        attention_mask: bool, shape `(batch, Tq, Tv)` or one that broadcasts to it: where a query may read.
            A query that may read nowhere has weights 0.
        return_attention_scores: whether the weights, shape `(batch, num_heads, Tq, Tv)`, are returned too.
        training: whether weights are dropped.
        use_causal_mask: whether a query reads only from positions up to its own.

    Args:
        num_heads: the number of heads.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of a head's values; None: `key_dim`.
        dropout: the share of weights that are dropped while training, from 0 to 1.
        use_bias: whether the projections have biases.
        output_shape: the size or sizes of the outputs' last axes; None: the query's size.
        attention_axes: the axis or axes over which attention goes; None: all but the first and the last.
        sliding_window: a query reads only from keys less than so many places away; None: from all.
        flash_attention: None or False; the fused kernel it asks for is not offered.
        kernel_initializer: the initializer of the projections' kernels.
        bias_initializer: the initializer of their biases.
        kernel_regularizer: a regularizer of the kernels.
        bias_regularizer: a regularizer of the biases.
        activity_regularizer: a regularizer of each projection's output.
        kernel_constraint: a constraint of the kernels.
        bias_constraint: a constraint of the biases.
        use_gate: whether the heads are multiplied by the sigmoid of a projection of the query.
        seed: an integer that fixes what is dropped; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for sizes that are not positive integers, an argument that is not offered, and (when it is
            called) for shapes or masks that do not fit.

    Example:
        >>> rv.layers.MultiHeadAttention(num_heads=2, key_dim=8)(queries, values, use_causal_mask=True)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
            **kwargs,
        )
        self.num_heads = arguments.positive_integer(num_heads, "num_heads")
        self.key_dim = arguments.positive_integer(key_dim, "key_dim")
        value_dim = self.key_dim if value_dim is None else value_dim
        self.value_dim = arguments.positive_integer(value_dim, "value_dim")
        self._output_shape = _as_tuple("output_shape", output_shape)
        self._attention_axes = _as_tuple("attention_axes", attention_axes)

    @property
    def attention_axes(self) -> tuple[int, ...] | None:
        """The axes over which attention goes; None: not stated, and not yet known from the inputs."""
        return self._attention_axes

    @property
    def query_dense(self) -> EinsumDense | None:
        """The projection of the query; None before it is built."""
        return self.__dict__.get("_query_dense")

    @property
    def key_dense(self) -> EinsumDense | None:
        """The projection of the key; None before it is built."""
        return self.__dict__.get("_key_dense")

    @property
    def value_dense(self) -> EinsumDense | None:
        """The projection of the value; None before it is built."""
        return self.__dict__.get("_value_dense")

    @property
    def output_dense(self) -> EinsumDense | None:
        """The projection of the heads to the output; None before it is built."""
        return self.__dict__.get("_output_dense")

    def _build_heads(self, query_shape: Shape, value_shape: Shape, key_shape: Shape) -> None:
        rank = len(query_shape)
        if not len(value_shape) == len(key_shape) == rank or rank < 3:
            raise ValueError(
                "The query, value and key must have the same number of axes, at least 3. Received: "
                f"query_shape={query_shape}, value_shape={value_shape!r}, key_shape={key_shape!r}"
            )
        if self._attention_axes is None:
            self._attention_axes = tuple(range(1, rank - 1))
        axes = tuple(axis % rank for axis in self._attention_axes)
        if not all(0 < axis < rank - 1 for axis in axes):
            raise ValueError(
                "`attention_axes` must lie between the first axis and the last. Received: "
                f"attention_axes={self._attention_axes}, query_shape={query_shape!r}"
            )
        self._plan(rank, axes)
        self._build_projections(query_shape, value_shape, key_shape)
        self._build_weighing(len(axes))

    def _plan(self, rank: int, axes: tuple[int, ...]) -> None:
        """The equations of scores and heads: of keys that axes are read, of queries that they are asked."""
        letters = string.ascii_lowercase.replace("h", "")  # "h" are the heads
        query = list(letters[: rank - 1])
        key = [letters[rank + i] if i in axes else letter for i, letter in enumerate(query)]
        rest = [letter for i, letter in enumerate(query) if i not in axes]
        scores = f"{''.join(rest)}h{''.join(query[i] for i in axes)}{''.join(key[i] for i in axes)}"
        q, k = "".join(query), "".join(key)
        self._score_equation = f"{q}hz,{k}hz->{scores}"
        self._head_equation = f"{scores},{k}hz->{q}hz"

    def _build_projections(self, query_shape: Shape, value_shape: Shape, key_shape: Shape) -> None:
        free = string.ascii_lowercase[: len(query_shape) - 1]
        inner = (*(None,) * (len(free) - 1), self.num_heads)
        equation = f"{free}x,xyz->{free}yz"
        keys, values = (*inner, self.key_dim), (*inner, self.value_dim)
        self._query_dense = self._projection("query", equation, keys, "yz", query_shape)
        self._key_dense = self._projection("key", equation, keys, "yz", key_shape)
        if self.use_gate:
            self._gate_dense = self._projection("gate", equation, values, "yz", query_shape)
        self._value_dense = self._projection("value", equation, values, "yz", value_shape)
        sizes = self._output_shape or (query_shape[-1],)
        out = string.ascii_uppercase[: len(sizes)]
        self._output_dense = self._projection(
            "attention_output",
            f"{free}yz,yz{out}->{free}{out}",
            (*inner[:-1], *sizes),
            out,
            (*query_shape[:-1], self.num_heads, self.value_dim),
        )

    def _allowed(self, query: Any, value: Any, masks: list[Any], attention_mask: Any, causal: bool) -> Any:
        if len(self._softmax.axis) > 1:
            what = {
                "value_mask": masks[1] is not None,
                "key_mask": masks[2] is not None,
                "use_causal_mask": causal,
                "sliding_window": self.sliding_window is not None,
            }
            for name, asked in what.items():
                if asked:
                    raise ValueError(
                        f"`{name}` is defined for attention over one axis; pass an `attention_mask`. "
                        f"Received: attention_axes={self._attention_axes}"
                    )
            return attention_mask
        return super()._allowed(query, value, masks, attention_mask, causal)

    def _length(self, x: Any) -> int:
        assert self._attention_axes is not None
        return int(x.shape[self._attention_axes[0]])

    def _attend(self, query: Any, key: Any, value: Any, allowed: Any) -> tuple[Any, Any]:
        query = ops.multiply(query, 1.0 / math.sqrt(self.key_dim))
        weights, used = self._weights(ops.einsum(self._score_equation, query, key), allowed)
        return ops.einsum(self._head_equation, used, value), weights

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> Shape:
        shape = super().compute_output_shape(query_shape, value_shape, key_shape)
        return shape if self._output_shape is None else (*shape[:-1], *self._output_shape)

    def _scores_shape(self, query_shape: Shape, value_shape: Shape) -> Shape:
        rank = len(query_shape)
        axes = self._attention_axes or tuple(range(1, rank - 1))
        axes = tuple(axis % rank for axis in axes)
        rest = tuple(query_shape[i] for i in range(rank - 1) if i not in axes)
        return (*rest, self.num_heads, *(query_shape[i] for i in axes), *(value_shape[i] for i in axes))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
        }


def _as_tuple(name: str, value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    value = arguments.plain(value)
    sizes = (value,) if arguments.is_integer(value) else value
    if not isinstance(sizes, (list, tuple)) or not all(map(arguments.is_integer, sizes)):
        raise ValueError(f"`{name}` must be an int, list, or tuple of ints. Received: {name}={value}")
    return tuple(sizes)
