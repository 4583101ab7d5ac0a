"""Attention: a weighted sum of values, by the likeness of queries and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier import random as random_ops
from ranvier.core import arguments
from ranvier.core.keras_tensor import KerasTensor, Shape
from ranvier.core.variable import Variable
from ranvier.layers.attention.masks import causal_mask
from ranvier.layers.layer import Layer
from ranvier.random import SeedGenerator

# What is taken from the scores of places that do not count, as in Keras.
_FAR = 1e9


class Attention(Layer):
    """For each query the mean of the values, weighted by `softmax(scores of the query and the keys)`.

    The score of a query and a key is their dot product (Luong et al., 2015), or with `score_mode="concat"`
    the sum of `tanh(query + key)`.

    Call arguments:
        inputs: a list of a query, shape `(batch, Tq, dim)`, values, `(batch, Tv, dim)`, and keys,
            `(batch, Tv, dim)`; without keys the values are the keys.
        mask: a list of the mask of the query, bool, `(batch, Tq)`, and that of the values, `(batch, Tv)`;
            either may be None. Outputs are 0 where the query's is False.
        return_attention_scores: whether the weights, shape `(batch, Tq, Tv)`, are returned as well.
        use_causal_mask: whether a query reads only from positions up to its own.

    Args:
        use_scale: whether the scores are multiplied by a trained scalar.
        score_mode: "dot" or "concat".
        dropout: the share of weights that are dropped while training, from 0 to 1.
        seed: an integer that fixes what is dropped; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for an unknown score mode, a share outside [0, 1], and (when it is called) for inputs or
            masks that are not lists of two or three.

    Example:
        >>> rv.layers.Attention()([queries, values])
    """

    _scale_initializer = "ones"

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"`score_mode` says how queries meet keys: 'dot' or 'concat'. Received: {score_mode!r}"
            )
        dropout = arguments.share(dropout, "dropout")
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = arguments.plain(seed)
        self.scale: Variable | None = None
        self.concat_score_weight: Variable | None = None
        if dropout > 0:
            self.seed_generator = SeedGenerator(seed)

    def build(self, input_shape: Sequence[Shape]) -> None:
        self._check(input_shape)
        if self.use_scale:
            shape = self._scale_shape(input_shape)
            self.scale = self.add_weight(name="scale", shape=shape, initializer=self._scale_initializer)
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", initializer="ones")

    def _scale_shape(self, shapes: Sequence[Shape]) -> Shape:
        return ()

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check(inputs, mask)
        query, value = inputs[0], inputs[1]
        scores = self._scores(query, inputs[2] if len(inputs) > 2 else value)
        allowed = None if mask is None or mask[1] is None else ops.expand_dims(mask[1], axis=-2)
        if use_causal_mask:
            causal = ops.expand_dims(causal_mask(*scores.shape[-2:]), axis=0)
            allowed = causal if allowed is None else ops.logical_and(allowed, causal)
        if allowed is not None:
            scores = ops.where(allowed, scores, ops.subtract(scores, _FAR))
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random_ops.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.matmul(weights, value)
        if mask is not None and mask[0] is not None:
            outputs = ops.where(ops.expand_dims(mask[0], axis=-1), outputs, 0.0)
        return (outputs, weights) if return_attention_scores else outputs

    def _scores(self, query: Any, key: Any) -> Any:
        """The score of each query with each key, shape `(batch, Tq, Tv)`."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else ops.multiply(scores, self.scale)
        sums = ops.add(ops.expand_dims(query, axis=-2), ops.expand_dims(key, axis=-3))
        if self.scale is not None:
            sums = ops.multiply(self.scale, sums)
        return ops.multiply(self.concat_score_weight, ops.sum(ops.tanh(sums), axis=-1))

    def _check(self, inputs: Any, mask: Any = None) -> None:
        name = type(self).__name__
        if not isinstance(inputs, list):
            raise ValueError(
                f"{name} takes its inputs as a list, [query, value] or [query, value, key]; "
                f"received {type(inputs).__name__}"
            )
        if len(inputs) not in (2, 3):
            raise ValueError(
                f"{name} takes two inputs, [query, value], or three, [query, value, key]; "
                f"received {len(inputs)}"
            )
        if mask is None:
            return
        if not isinstance(mask, list):
            raise ValueError(
                f"{name} takes its masks as a list, [query's, value's]; received {type(mask).__name__}"
            )
        if len(mask) not in (2, 3):
            raise ValueError(f"{name} takes two masks or three, one for each input; received {len(mask)}")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The query's mask, or None."""
        self._check(inputs, mask)
        return None if mask is None else mask[0]

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(self, inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
        self._check(inputs, mask)
        shapes = [tuple(x.shape) for x in inputs]
        outputs = KerasTensor(self.compute_output_shape(shapes), dtype=self.compute_dtype)
        if not kwargs.get("return_attention_scores"):
            return outputs
        return outputs, KerasTensor((*shapes[0][:-1], shapes[-1][-2]), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }
