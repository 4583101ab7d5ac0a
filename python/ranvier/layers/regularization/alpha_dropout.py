"""AlphaDropout: dropout that keeps the mean and the variance of self-normalizing networks."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier import random as random_ops
from ranvier.layers.regularization.dropout import Dropout

# SELU's limit at minus infinity, -alpha * scale (Klambauer et al., 2017).
_SATURATED = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(Dropout):
    """While training, sets inputs to SELU's negative limit, and scales and shifts the result so that mean 0
    and variance 1 stay (Klambauer et al., 2017).

    Args:
        rate: the share of inputs to drop, from 0 to 1.
        noise_shape: the shape of the mask, which is broadcast over the inputs; None entries take the input's
            size. None: the inputs' shape.
        seed: an integer that fixes the sequence of masks; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a rate outside [0, 1].
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        inputs = ops.convert_to_tensor(inputs)
        if self.rate == 1:
            return ops.zeros_like(inputs)
        shape = self._mask_shape(inputs)
        kept = ops.greater_equal(random_ops.uniform(shape, seed=self.seed_generator), self.rate)
        factor = ((1 - self.rate) * (1 + self.rate * _SATURATED**2)) ** -0.5
        return ops.where(kept, inputs, _SATURATED) * factor - factor * _SATURATED * self.rate
