"""AdditiveAttention: attention whose scores are sums of tanh(query + key)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ranvier import ops
from ranvier.core.keras_tensor import Shape
from ranvier.layers.attention.attention import Attention


class AdditiveAttention(Attention):
    """`Attention` with the score `sum(scale * tanh(query + key))` (Bahdanau et al., 2015).

    It is called as `Attention` is.

    Args:
        use_scale: whether there is a trained `scale`, of shape `(dim,)`; without one it is 1.
        dropout: the share of weights that are dropped while training, from 0 to 1.
        **kwargs: the arguments of `Layer`, and `seed`, an integer that fixes what is dropped.

    Raises:
        ValueError: for a share outside [0, 1], and (when it is called) for inputs or masks that are not lists
            of two or three.
    """

    _scale_initializer = "glorot_uniform"

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def _scale_shape(self, shapes: Sequence[Shape]) -> Shape:
        return (shapes[0][-1],)

    def _scores(self, query: Any, key: Any) -> Any:
        sums = ops.tanh(ops.add(ops.expand_dims(query, axis=-2), ops.expand_dims(key, axis=-3)))
        return ops.sum(sums if self.scale is None else ops.multiply(self.scale, sums), axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "score_mode"}
