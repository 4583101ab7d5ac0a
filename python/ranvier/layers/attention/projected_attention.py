"""ProjectedAttention: what the attention layers with heads have in common."""

from __future__ import annotations

from typing import Any

from ranvier import constraints, initializers, ops, regularizers
from ranvier.core import arguments
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.core.masks import get_mask
from ranvier.layers.activations.softmax import Softmax
from ranvier.layers.attention.masks import all_of, causal_mask, window_mask
from ranvier.layers.core.einsum_dense import EinsumDense
from ranvier.layers.layer import Layer
from ranvier.layers.regularization.dropout import Dropout


class ProjectedAttention(Layer):
    """The base of attention layers that project queries, keys and values to heads, and the heads to outputs.

    A subclass makes the projections in `_build_heads` and computes weights and heads in `_attend`.

    Args:
        dropout: the share of weights that are dropped while training, from 0 to 1.
        use_bias: whether the projections have biases.
        sliding_window: a query reads only from keys less than so many places away; None: from all.
        flash_attention: None or False; the fused kernel it asks for is not offered.
        kernel_initializer: the initializer of the projections' kernels.
        bias_initializer: the initializer of their biases.
        kernel_regularizer: a regularizer of the kernels.
        bias_regularizer: a regularizer of the biases.
        projection_regularizer: a regularizer of each projection's output.
        kernel_constraint: a constraint of the kernels.
        bias_constraint: a constraint of the biases.
        use_gate: whether the heads are multiplied by the sigmoid of a projection of the query.
        seed: an integer that fixes what is dropped.
        **kwargs: the arguments of `Layer`.
    """

    _query_dense: EinsumDense
    _key_dense: EinsumDense
    _value_dense: EinsumDense
    _output_dense: EinsumDense

    def __init__(
        self,
        *,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        projection_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        if flash_attention:
            raise ValueError(f"{name} does not support `flash_attention=True`; it must be None or False.")
        sliding_window = arguments.plain(sliding_window)
        if sliding_window is not None and (not arguments.is_integer(sliding_window) or sliding_window <= 0):
            raise ValueError(
                "`sliding_window` must be `None` or a positive integer. "
                f"Received: sliding_window={sliding_window!r}"
            )
        dropout = arguments.share(dropout, "dropout")
        super().__init__(**kwargs)
        self.dropout = dropout
        self.use_bias = use_bias
        self.sliding_window = sliding_window
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.projection_regularizer = regularizers.get(projection_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = use_gate
        self.seed = arguments.plain(seed)
        self.supports_masking = True
        self._gate_dense: EinsumDense | None = None

    # --- building ---

    def build(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        self._build_heads(tuple(query_shape), tuple(value_shape), tuple(key_shape))

    def _check_shapes(self, query_shape: Shape, value_shape: Shape, key_shape: Shape) -> None:
        if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
            raise ValueError(
                "All dimensions of `value` and `key`, except the last one, must be equal. Received: "
                f"value_shape={value_shape} and key_shape={key_shape}"
            )

    def _build_heads(self, query_shape: Shape, value_shape: Shape, key_shape: Shape) -> None:
        raise NotImplementedError

    def _projection(
        self, name: str, equation: str, output_shape: Any, bias_axes: str, input_shape: Shape
    ) -> EinsumDense:
        """A projection, built for its input's shape."""

        def own(initializer: Any) -> Any:  # an initializer draws the same numbers each time it is called
            return initializer.clone() if hasattr(initializer, "clone") else initializer

        dense = EinsumDense(
            equation,
            output_shape=output_shape,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=own(self.kernel_initializer),
            bias_initializer=own(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.projection_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        dense.supports_masking = True  # so that it does not warn of the masks that this layer has read
        dense.build(input_shape)
        return dense

    def _build_weighing(self, axes: int) -> None:
        """Makes what turns scores into weights, which sum to 1 along the last `axes` axes."""
        self._softmax = Softmax(axis=tuple(range(-axes, 0)), dtype=self.dtype_policy, name="softmax")
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy, name="dropout")

    # --- calling ---

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        given = ((query, query_mask), (value, value_mask), (key, key_mask))
        masks = [get_mask(x) if mask is None and x is not None else mask for x, mask in given]
        key = value if key is None else key
        allowed = self._allowed(query, value, masks, attention_mask, use_causal_mask)
        heads, weights = self._attend(
            self._query_dense(query), self._key_dense(key), self._value_dense(value), allowed
        )
        if self._gate_dense is not None:
            heads = ops.multiply(heads, ops.sigmoid(self._gate_dense(query)))
        outputs = self._output_dense(heads)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend(self, query: Any, key: Any, value: Any, allowed: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def _allowed(self, query: Any, value: Any, masks: list[Any], attention_mask: Any, causal: bool) -> Any:
        """Which query may read from which key: a mask that broadcasts to `(batch, Tq, Tv)`, or None."""
        _, value_mask, key_mask = masks
        parts = [ops.expand_dims(mask, axis=-2) for mask in (value_mask, key_mask) if mask is not None]
        queries, keys = self._length(query), self._length(value)
        if causal:
            parts.append(ops.expand_dims(causal_mask(queries, keys), axis=0))
        if self.sliding_window is not None:
            parts.append(ops.expand_dims(window_mask(queries, keys, self.sliding_window), axis=0))
        if attention_mask is not None:
            parts.append(attention_mask)
        return all_of(parts)

    def _length(self, x: Any) -> int:
        """The number of positions of a sequence."""
        return int(x.shape[1])

    def _weights(self, scores: Any, allowed: Any) -> tuple[Any, Any]:
        """The weights of scores, as they are returned and as they are used: some may be dropped.

        `allowed` has the scores' axes but that of heads, and perhaps some at the front.
        """
        if allowed is not None:
            axes = len(self._softmax.axis)
            shape = tuple(allowed.shape)
            missing = len(scores.shape) - len(shape)
            cut = len(shape) - 2 * axes
            allowed = ops.reshape(allowed, (*shape[:cut], *(1,) * missing, *shape[cut:]))
        weights = self._softmax(scores, mask=allowed)
        return weights, self._dropout_layer(weights)

    # --- shapes ---

    def compute_output_shape(  # type: ignore[override]
        self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None
    ) -> Shape:
        self._check_shapes(query_shape, value_shape, value_shape if key_shape is None else key_shape)
        return tuple(query_shape)

    def _scores_shape(self, query_shape: Shape, value_shape: Shape) -> Shape:
        raise NotImplementedError

    def compute_output_spec(self, query: Any, value: Any, key: Any = None, **kwargs: Any) -> Any:
        shapes = [tuple(x.shape) for x in (query, value, key) if x is not None]
        outputs = KerasTensor(self.compute_output_shape(*shapes), dtype=self.compute_dtype)
        if not kwargs.get("return_attention_scores"):
            return outputs
        return outputs, KerasTensor(self._scores_shape(*shapes[:2]), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.projection_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }
