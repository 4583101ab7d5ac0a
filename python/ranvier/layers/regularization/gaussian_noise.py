"""GaussianNoise: adds normal noise while training."""

from __future__ import annotations

from typing import Any

from ranvier import ops
from ranvier import random as random_ops
from ranvier.core import arguments
from ranvier.layers.layer import Layer
from ranvier.random import SeedGenerator


class GaussianNoise(Layer):
    """While training, adds noise of mean 0 to its inputs. In inference it returns them as they are.

    Args:
        stddev: the noise's standard deviation, from 0 to 1.
        seed: an integer that fixes the sequence of noise; None: drawn from the global seed.
        **kwargs: the arguments of `Layer`.

    Raises:
        ValueError: for a `stddev` outside [0, 1].
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        stddev = arguments.share(stddev, "stddev")
        super().__init__(**kwargs)
        self.stddev = stddev
        self.seed = arguments.plain(seed)
        if stddev > 0:
            self.seed_generator = SeedGenerator(seed)
        self.supports_masking = True
        self._rv_build_at_init()

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.stddev == 0:
            return inputs
        inputs = ops.convert_to_tensor(inputs)
        noise = random_ops.normal(
            tuple(inputs.shape), 0.0, self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )
        return ops.add(inputs, noise)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"stddev": self.stddev, "seed": self.seed}
