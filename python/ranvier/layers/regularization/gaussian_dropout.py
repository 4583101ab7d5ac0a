"""GaussianDropout: multiplies by normal noise while training."""

from __future__ import annotations

import math
from typing import Any

from ranvier import ops
from ranvier import random as random_ops
from ranvier.core import arguments
from ranvier.layers.layer import Layer
from ranvier.random import SeedGenerator


class GaussianDropout(Layer):
    """While training, multiplies its inputs by noise of mean 1 and variance `rate / (1 - rate)`.

    In inference it returns its inputs. (Srivastava et al., 2014.)

    Args:
        rate: the dropout rate whose variance the noise has, from 0 up to but not including 1.
        seed: an integer that fixes the sequence of noise; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a rate outside [0, 1).
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        rate = arguments.plain(rate)
        if not isinstance(rate, (int, float)) or not 0 <= rate < 1:
            raise ValueError(
                "Invalid value received for argument `rate`. Expected a float from 0 up to but not including "
                f"1. Received: rate={rate!r}"
            )
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = arguments.plain(seed)
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        inputs = ops.convert_to_tensor(inputs)
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        noise = random_ops.normal(
            tuple(inputs.shape), 1.0, stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.multiply(inputs, noise)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"rate": self.rate, "seed": self.seed}
